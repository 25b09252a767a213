"""Open the containers of other libraries.

No library is imported here: a user who passes a polars Series has imported polars.
"""

import sys
from itertools import chain, pairwise
from numbers import Number

import numpy as np

from skrnn._messages import is_missing


def _open_torch(X, name):
    if X.is_nested:
        return [_open_torch(item, name) for item in X.unbind()]
    if "sparse" in str(X.layout):
        raise TypeError(
            f"{name} is a sparse tensor: sequences or a dense one were expected. Use "
            f"{name}.to_dense() if its rows are series."
        )
    if X.is_meta or X.is_quantized:
        raise TypeError(
            f"{name} is a tensor of dtype {X.dtype} on device {X.device}: one that "
            "holds plain numbers was expected. Use X.dequantize() if it is quantized."
        )
    X = X.detach().cpu().resolve_conj().resolve_neg()
    # NumPy does not have bfloat16.
    return (X.float() if X.is_floating_point() and X.itemsize <= 2 else X).numpy()


def _open_pandas(X, name):
    if X.ndim == 2:
        if X.shape[1] != 1 or X.iloc[:, 0].dtype.kind in "biufc":
            return X
        entries = _open_pandas(X.iloc[:, 0], name)
        return X if is_number(first_entry(entries)) else entries
    if hasattr(X.dtype, "pyarrow_dtype"):
        return _open_arrow(X.array.__arrow_array__(), name)
    return X.to_numpy() if X.dtype.kind in "biufcmM" else X.to_numpy(dtype=object)


def _open_polars(X, name):
    if hasattr(X, "columns"):
        if all(map(_is_polars_number, X.dtypes)):
            return _without_wide_integers(X, name)
        if X.width != 1:
            is_number = map(_is_polars_number, X.dtypes)
            raise TypeError(_no_numbers(name, X.columns, X.dtypes, list(is_number)))
        return _open_polars(X.to_series(), name)
    polars = sys.modules["polars"]
    innermost = X.dtype
    while hasattr(innermost, "inner"):
        innermost = innermost.inner
    if innermost == polars.Object and X.dtype != polars.Object:
        raise TypeError(
            f"{name} is of dtype {X.dtype}, which polars cannot take apart: lists of "
            "strings or numbers were expected. Pass the list that it was made of."
        )
    levels = []
    while isinstance(X.dtype, (polars.List, polars.Array)):
        lists = X.arr.to_list() if isinstance(X.dtype, polars.Array) else X
        lengths = lists.list.len()
        missing = lists.is_null().to_numpy()
        levels.append((lengths.fill_null(0).to_numpy(), missing))
        X = lists.filter(lengths > 0).explode()
    return _nest(levels, _polars_leaves(X, name), name)


def _is_polars_number(dtype):
    return dtype.is_numeric() or str(dtype) in ("Boolean", "Null")


def _is_wide(dtype):
    """Whether values are integers of 128 bits, for which NumPy has no type."""
    return str(dtype) in ("Int128", "UInt128")


def _without_wide_integers(frame, name):
    """A frame of numbers whose integers all have at most 64 bits."""
    polars = sys.modules["polars"]
    wide = [column for column, dtype in frame.schema.items() if _is_wide(dtype)]
    try:
        return frame.cast(dict.fromkeys(wide, polars.Int64))
    except polars.exceptions.InvalidOperationError as error:
        raise ValueError(
            f"{name} has integers that do not fit into 64 bits in one of the columns "
            f"{wide}. Cast these to polars.Float64 if they hold measurements, or to "
            "polars.String if they hold tokens."
        ) from error


def _polars_leaves(series, name):
    dtype = series.dtype
    if dtype.is_temporal():
        raise TypeError(are_times(name, dtype))
    if str(dtype).startswith("Struct"):
        raise TypeError(_are_records(name, dtype))
    if dtype.is_decimal():
        series = series.cast(sys.modules["polars"].Float64)
    has_missing = series.null_count() > 0
    is_number = _is_polars_number(series.dtype) and not _is_wide(series.dtype)
    if series.dtype.is_float() or (is_number and not has_missing):
        return series.to_numpy()  # null becomes NaN
    return series.to_list()


def _open_arrow(X, name):
    arrow = sys.modules["pyarrow"]
    if isinstance(X, arrow.RecordBatch):
        X = arrow.Table.from_batches([X])
    if isinstance(X, arrow.Table):
        if all(map(_is_arrow_number, X.schema.types)):
            return X
        if X.num_columns != 1:
            names, types = X.column_names, X.schema.types
            is_number = list(map(_is_arrow_number, types))
            raise TypeError(_no_numbers(name, names, types, is_number))
        return _open_arrow(X.column(0), name)
    if isinstance(X, arrow.StructScalar):
        raise TypeError(_are_records(name, X.type))
    if isinstance(X, arrow.Scalar):
        is_list = hasattr(X, "values") and X.is_valid
        return _open_arrow(X.values, name) if is_list else X.as_py()
    if isinstance(X, arrow.ChunkedArray):
        return _joined([_open_arrow(chunk, name) for chunk in X.chunks])
    if hasattr(X, "to_numpy_ndarray"):  # an extension: tensors of one shape
        return list(X.to_numpy_ndarray())
    if isinstance(X, arrow.ExtensionArray):
        return _open_arrow(X.storage, name)
    levels = []
    while hasattr(X, "value_lengths") and not arrow.types.is_map(X.type):
        lengths = X.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        levels.append((lengths, X.is_null().to_numpy(zero_copy_only=False)))
        X = X.flatten()
    return _nest(levels, _arrow_leaves(X, name), name)


def _arrow_leaves(array, name):
    arrow = sys.modules["pyarrow"]
    types, dtype = arrow.types, array.type
    if types.is_temporal(dtype):
        raise TypeError(are_times(name, dtype))
    if types.is_struct(dtype) or types.is_map(dtype) or types.is_union(dtype):
        raise TypeError(_are_records(name, dtype))
    if types.is_dictionary(dtype):
        return _arrow_leaves(array.dictionary_decode(), name)
    if types.is_decimal(dtype):
        array = array.cast(arrow.float64())
    has_missing = array.null_count > 0
    is_number = _is_arrow_number(array.type)
    if types.is_floating(array.type) or (is_number and not has_missing):
        return array.to_numpy(zero_copy_only=False)  # null becomes NaN
    if types.is_string(dtype) or types.is_large_string(dtype):
        return array.to_numpy(zero_copy_only=False).tolist()  # faster than to_pylist
    return array.to_pylist()


def _is_arrow_number(dtype):
    types = sys.modules["pyarrow"].types
    is_whole = types.is_integer(dtype) or types.is_boolean(dtype)
    is_real = types.is_floating(dtype) or types.is_decimal(dtype)
    return is_whole or is_real or types.is_null(dtype)


def _joined(chunks):
    """The entries of all chunks of a column, joined."""
    if chunks and all(isinstance(chunk, np.ndarray) for chunk in chunks):
        return np.concatenate(chunks)
    return list(chain.from_iterable(chunks))


def _open_awkward(X, name):
    awkward = sys.modules["awkward"]
    if isinstance(X, awkward.Record):
        raise TypeError(_are_records(name, X.type))
    levels, layout = [], awkward.to_packed(X).layout
    is_rectangular = True
    while True:
        missing, layout = _awkward_missing(layout)
        if layout.is_numpy and layout.data.ndim > 1:
            layout = layout.to_RegularArray()
        if not layout.is_list or layout.parameter("__array__") is not None:
            break
        is_rectangular = is_rectangular and layout.is_regular and missing is None
        layout = layout.to_ListOffsetArray64(True)
        offsets = np.asarray(layout.offsets)
        levels.append(_spread(np.diff(offsets), missing))
        layout = layout.content[: offsets[-1]]
    if layout.is_union:  # strings and numbers, of any depth
        return X.to_list()
    leaves = _awkward_leaves(layout, missing, name)
    if is_rectangular and levels and isinstance(leaves, np.ndarray):
        return awkward.to_numpy(X)
    return _nest(levels, leaves, name)


def _awkward_missing(layout):
    """A mask of missing entries, or None, and the layout of the others."""
    missing = None
    while layout.is_indexed or layout.is_option:
        if layout.is_option:
            missing = np.asarray(layout.mask_as_bool(valid_when=False))
        layout = layout.project()
    return missing, layout


def _spread(lengths, missing):
    """A level of :func:`_nest`, from the lengths of the lists that are not missing."""
    if missing is None:
        return lengths, np.zeros(len(lengths), dtype=bool)
    all_lengths = np.zeros(len(missing), dtype=np.int64)
    all_lengths[~missing] = lengths
    return all_lengths, missing


def _awkward_leaves(layout, missing, name):
    if layout.is_record:
        raise TypeError(_are_records(name, layout.form.type))
    if layout.is_unknown:
        leaves = np.empty(0)
    elif layout.is_list:
        leaves = _awkward_strings(layout)
    else:
        leaves = np.asarray(layout.data)
        if leaves.dtype.kind in "mM":
            raise TypeError(are_times(name, leaves.dtype))
    if missing is None or not missing.any():
        return leaves
    is_float = isinstance(leaves, np.ndarray) and leaves.dtype.kind == "f"
    all_leaves = np.full(len(missing), np.nan if is_float else None)
    all_leaves[~missing] = leaves
    return all_leaves.astype(leaves.dtype) if is_float else all_leaves.tolist()


def _awkward_strings(layout):
    layout = layout.to_ListOffsetArray64(True)
    raw = np.asarray(layout.content.data).tobytes()
    strings = [raw[i:j] for i, j in pairwise(np.asarray(layout.offsets).tolist())]
    if layout.parameter("__array__") == "bytestring":
        return strings
    return [string.decode("utf-8") for string in strings]


def _nest(levels, leaves, name):
    """Rebuild lists of lists from flat entries, without a loop over the entries.

    Parameters
    ----------
    levels : list of tuple (lengths, missing) of ndarrays of shape (n_lists,)
        From the outermost to the innermost level; a missing list has length 0.
    leaves : list or ndarray
        The entries of all innermost lists.
    name : str
        The name of the container in error messages.

    Returns
    -------
    entries : list or ndarray
        Slices of `leaves`; None where a list is missing.
    """
    if len(levels) > 2:
        raise TypeError(
            f"{name} is nested {len(levels) + 1} levels deep: a column of strings, of "
            "token lists or of numbers of shape (n_steps,) or (n_steps, n_features) "
            "was expected. Flatten the innermost lists."
        )
    for depth in reversed(range(len(levels))):
        lengths, missing = levels[depth]
        are_steps = depth == 1 and isinstance(leaves, np.ndarray) and not missing.any()
        if are_steps and lengths.any() and (lengths == lengths[0]).all():
            leaves = leaves.reshape(-1, lengths[0])  # (n_rows, n_features)
        else:
            leaves = _cut(leaves, lengths, missing)
    return leaves


def _cut(leaves, lengths, missing):
    stops = np.cumsum(lengths, dtype=np.int64).tolist()
    pieces = [leaves[start:stop] for start, stop in pairwise([0, *stops])]
    for i in np.flatnonzero(missing):
        pieces[i] = None
    return pieces


def are_times(name, dtype):
    return (
        f"{name} is of dtype {dtype}: strings, tokens or numbers were expected. "
        "Convert times to numbers, such as seconds since the first step."
    )


def _are_records(name, dtype):
    return (
        f"{name} holds records, of type {dtype}: strings, token lists or plain numbers "
        "were expected. Pass one field of them."
    )


def _no_numbers(name, labels, dtypes, is_number):
    """The sentence for a frame of several columns, not all of which hold numbers."""
    if name == "X":
        return no_table(len(labels))
    i = is_number.index(False)
    if str(dtypes[i]).lower().startswith(("date", "time", "duration")):
        return are_times(f"Column {labels[i]!r} of {name}", dtypes[i])
    return no_features(name, labels[i])


def no_table(n_columns):
    """The sentence for an X that is such a frame."""
    return (
        f"X is a frame of {n_columns} columns that are not all numbers: one column of "
        "sequences or a table of numbers was expected. Pass one column, or use "
        "sequences_from_frame if each row is a step."
    )


def no_features(name, label):
    """The sentence for a frame that is one sequence, with a column of no numbers."""
    return (
        f"{name} is a frame of several columns, one of which, {label!r}, does not hold "
        "numbers, as all features must. Convert it to indicator columns first, by "
        f"pandas.get_dummies(df, columns=[{label!r}]) or, in polars, "
        f"df.to_dummies({label!r}), with the same categories for all sequences; or "
        f"pass [df[{label!r}] for df in X] for lists of tokens. sequences_from_frame "
        "does either with one frame of the steps of all sequences."
    )


def is_number(entry):
    return isinstance(entry, (Number, np.bool_)) and not is_missing(entry)


def first_entry(entries):
    """The first entry that is not missing, or None."""
    return next((entry for entry in entries if not is_missing(entry)), None)


# Attributes that the containers of a library have, but not its scalars and dtypes.
OPENERS = {
    "torch": (["is_nested"], _open_torch),
    "pandas": (["shape"], _open_pandas),
    "polars": (["shape"], _open_polars),
    "pyarrow": (["to_pylist", "as_py"], _open_arrow),
    "awkward": (["layout"], _open_awkward),
}
