"""Open any container: the result is a list of sequences, or numbers."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from skrnn._messages import is_missing, is_time
from skrnn._reading.libraries import (
    OPENERS,
    are_times,
    first_entry,
    is_number,
    no_features,
    no_table,
)
from skrnn._reading.panels import check_column, check_features, check_table


def open_container(X, kind=None, *, columns=None, allow_masked=False):
    """Take the sequences out of a list, array, column or frame.

    Parameters
    ----------
    X : list, tuple, array, tensor, Series or frame
        A container of NumPy, pandas, polars, narwhals, pyarrow, awkward or torch, or
        anything else that has ``__array__``.
    kind : {"text", "tokens", "series"}, default=None
        The requested kind of sequences. Rows of a table are series unless another kind
        is requested.
    columns : list, default=None
        Names of the features, in order, that frames in a list must have. None takes the
        names of the first frame that has any.
    allow_masked : bool, default=False
        Whether to convert masked numbers to NaN.

    Returns
    -------
    opened : list, tuple, ndarray or frame
        A list or tuple has one sequence per item: a string, a list or tuple of tokens,
        or an array. Items that are not sequences are rejected later, when they are
        read. Anything else holds numbers: a three-dimensional array, or a table, which
        is returned unchanged to keep its column names.
    columns : list or None
        Names of the features of the frames in a list, if any frame has names.

    Raises
    ------
    TypeError
        If X is not a container, or if its entries cannot be read as sequences.
    ValueError
        If X is a single sequence, holds complex numbers or has too many dimensions, or
        if frames in a list do not have the required columns.
    """
    _check_container(X)
    opened = _open(_unmask(X, "X", allow_masked), "X")
    if isinstance(opened, np.ndarray):
        opened = _open_array(opened, kind)
    elif not isinstance(opened, (list, tuple)):
        opened = _open_frame(opened, kind)
    if isinstance(opened, (list, tuple)):
        return _open_items(opened, columns, allow_masked)
    return opened, columns


def _check_container(X):
    """Raise for iterables that are not ordered containers of sequences."""
    if isinstance(X, str):
        raise ValueError(
            "Iterable over sequences expected, string object received. Use [X] to pass "
            "one sequence."
        )
    if _is_pair_with_groups(X):
        raise ValueError(
            "X looks like the pair that sequences_from_frame returns with "
            "return_groups=True: the sequences alone were expected. Unpack it, as in "
            "X, groups = sequences_from_frame(...)."
        )
    name = type(X).__name__
    if isinstance(X, (bytes, bytearray)):
        raise TypeError(
            f"X is one {name} object: a container of sequences was expected. Use "
            "[X.decode()] to pass one sequence."
        )
    if issparse(X):
        raise TypeError(
            f"X is a sparse {name}: sequences or a dense array were expected. Use "
            "X.toarray() if its rows are series."
        )
    if isinstance(X, Mapping):
        cure = "Use list(X.values()) if those are the sequences."
    elif isinstance(X, (set, frozenset)):
        cure = "A set has no order that y could follow: use a list from the start."
    elif isinstance(X, Iterator):
        cure = "It can be read only once: use list(X)."
    elif name.endswith("GroupBy"):
        cure = "Use sequences_from_frame, or [group for _, group in X]."
    elif name == "ChunkedDataset":
        cure = "Only `fit` reads chunks, that of RNNEncoder, RNNClassifier, "
        cure += "RNNRegressor and RNNTagger. Pass the X of one chunk at a time."
    elif name == "LazyFrame":
        cure = "Use X.collect(), and one column of it."
    elif hasattr(X, "batch_sizes"):  # torch's PackedSequence, which is a tuple
        cure = "Use torch.nn.utils.rnn.unpack_sequence(X)."
    else:
        return
    raise TypeError(_no_container(X, cure))


def _is_pair_with_groups(X):
    """Whether X can only be a list of sequences with the group of each sequence."""
    if type(X) is not tuple or len(X) != 2 or not isinstance(X[0], list):
        return False
    sequences, groups = X
    if isinstance(groups, np.ndarray) and groups.ndim == 1:
        width, entries = 1, groups
    elif isinstance(groups, list) and {*map(type, groups)} == {tuple}:
        width, entries = len(groups[0]), chain.from_iterable(groups)
    else:
        return False
    are_sequences = all(
        isinstance(x, list) or (isinstance(x, np.ndarray) and x.ndim > 0)
        for x in sequences
    )
    if not (are_sequences and 0 < len(sequences) == len(groups)):
        return False
    # X may also be two series of equal width, whose steps look like sequences.
    are_steps = all(len(x) == width for x in sequences)
    return not (are_steps and all(map(is_number, entries)))


def _no_container(X, cure):
    return (
        f"X is of type {type(X).__name__}: a list, tuple, array or column of sequences "
        f"was expected. {cure}"
    )


def _open(X, name):
    """The entries of a container, without inspecting them.

    Parameters
    ----------
    X : container
        The container that the user passed, or an item of it.
    name : str
        Its name in error messages, such as "X[3]".

    Returns
    -------
    entries : list, tuple, ndarray or frame
        A frame has several columns, or one column of numbers.
    """
    if isinstance(X, (list, tuple)):
        return X
    libraries = {base.__module__.partition(".")[0] for base in type(X).__mro__}
    if "narwhals" in libraries and hasattr(X, "to_native"):
        return _open(X.to_native(), name)
    if name == "X":  # items of X may have any index
        check_column(X)
    for library, (marks, opener) in OPENERS.items():
        if library in libraries and any(hasattr(X, mark) for mark in marks):
            return opener(X, name)
    if hasattr(X, "__array__"):
        return np.asarray(X)
    if isinstance(X, Sequence):
        return list(X)
    raise TypeError(_no_container(X, "Use list(X) if it can be iterated over."))


def _unmask(X, name, allow_masked):
    """Convert masked numbers to NaN; return anything but masked arrays unchanged."""
    if not isinstance(X, np.ma.MaskedArray):
        return X
    if not np.ma.is_masked(X) and not allow_masked:
        return X.data
    if not allow_masked or X.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost: impute the masked "
            "steps, use missing='mask' if they are numbers, or pass a list of "
            "sequences that leaves them out."
        )
    # Integers as well, even if none is masked: a mask means that they are not tokens.
    dtype = X.dtype if X.dtype.kind == "f" else np.float64
    return X.astype(dtype).filled(np.nan)


def _open_items(items, columns, allow_masked):
    """The items, with other containers converted to plain lists and arrays.

    Returns
    -------
    opened : list or tuple
    columns : list or None
        As in :func:`open_container`.
    """
    types = set(map(type, items))
    has_lists = any(issubclass(cls, (list, tuple)) for cls in types)
    has_masked = has_lists and any(map(_has_masked_rows, items))
    if all(map(_is_plain, types)) and not has_masked:
        return items, columns
    opened, source = [], "fit"
    for i, item in enumerate(items):
        name = f"X[{i}]"
        if _has_masked_rows(item):
            item = [np.ma.asarray(row) for row in item]
            item = [np.asarray(_unmask(row, name, allow_masked)) for row in item]
            item = [row.tolist() for row in item]
        elif not _is_plain(type(item)):
            item, labels = _open_item(_unmask(item, name, allow_masked), name)
            if labels is not None:
                if columns is None:
                    columns, source = _in_order(labels), name
                item = item[:, _places(labels, columns, name, source)]
            item = _plain_if_objects(item)
        opened.append(item)
    return opened, columns


def _has_masked_rows(item):
    """Whether an item is a list of masked arrays, such as the rows of one."""
    types = set(map(type, item)) if isinstance(item, (list, tuple)) else ()
    return any(issubclass(cls, np.ma.MaskedArray) for cls in types)


def _is_plain(cls):
    is_plain = issubclass(cls, (str, list, tuple, np.ndarray))
    return is_plain and not issubclass(cls, np.ma.MaskedArray)


def _open_item(item, name):
    """One sequence as a list or array; anything else unchanged, or in an array.

    Returns
    -------
    opened : object
    labels : list or None
        Names of the columns of a frame, unless they are only numbered.
    """
    is_scalar = isinstance(item, (bytes, bytearray, np.generic)) or is_missing(item)
    if is_scalar or not (
        hasattr(item, "__array__")
        or hasattr(item, "to_native")  # narwhals
        or hasattr(item, "as_py")  # an arrow scalar, which may be a list
        or isinstance(item, Sequence)
    ):
        return item, None
    entries = _open(item, name)
    if isinstance(entries, (str, list, tuple)):
        return entries, None
    array = np.asarray(entries)  # (n_steps,) or (n_steps, n_features)
    if not hasattr(entries, "columns"):
        return array, None
    _check_features(array, entries, name)
    check_features(entries, name)
    return array, _labels(entries)


def _check_features(array, frame, name):
    """Raise for columns of a frame, which is one sequence, that hold no numbers."""
    if array.dtype.kind in "biufc":
        return
    for label, column in zip(frame.columns, array.T, strict=True):
        odd = (x for x in column if not (is_number(x) or is_missing(x)))
        entry = next(odd, None)
        if is_time(entry):
            column_name = f"Column {label!r} of {name}"
            raise TypeError(are_times(column_name, type(entry).__name__))
        if entry is not None:
            raise TypeError(no_features(name, label))


def _plain_if_objects(item):
    """An array of objects as a list, and a zero-dimensional array as a scalar."""
    is_array = isinstance(item, np.ndarray)
    is_list = is_array and (item.dtype.kind == "O" or item.ndim == 0)
    return item.tolist() if is_list else item


def _labels(frame):
    """Names of the columns of a frame, or None if they are numbered from 0."""
    # Columns of a pandas frame are attributes, with any name: look at the class.
    is_arrow = hasattr(type(frame), "column_names")
    labels = list(frame.column_names if is_arrow else frame.columns)
    return None if labels == list(range(len(labels))) else labels


def _in_order(labels):
    """The names of the first frame; if they are numbers from 0, sorted."""
    numbers = list(range(len(labels)))
    return numbers if set(labels) == set(numbers) else labels


def _places(labels, columns, name, source):
    """The positions of the required columns in a frame, by name."""
    if labels == columns:
        return slice(None)
    lacking = [column for column in columns if column not in labels]
    unexpected = [label for label in labels if label not in columns]
    faults = [
        f"{verb} {_quote(names)}"
        for verb, names in (("lacks", lacking), ("has", unexpected))
        if names
    ]
    if not faults and len(set(labels)) < len(labels):
        faults = [f"has columns of the same name, {_quote(labels)}"]
    if faults:
        raise ValueError(
            f"{name} {' and '.join(faults)}, but the columns of {source} are "
            f"{_quote(columns)}: all frames must have the same columns, in any order. "
            "Rename or select columns, or pass arrays, which go by position."
        )
    return [labels.index(column) for column in columns]


def _quote(names):
    shown = ", ".join(map(repr, names[:5]))
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _open_array(array, kind):
    """The sequences in a NumPy array, or the array itself if it holds numbers."""
    _check_array(array)
    if array.ndim == 1:
        return array.tolist()
    if array.ndim == 2 and array.dtype.kind in "OUTS":
        first = first_entry(array[:, 0])
        is_column = array.shape[1] == 1 and not is_number(first)
        is_column = is_column and not isinstance(first, Mapping)
        if is_column and not _are_tokens(array, kind):
            return array[:, 0].tolist()
        if not _is_table(array):
            return array.tolist()
    is_series = kind in (None, "series") or array.size == 0
    return array if is_series else _rows(array)


def _open_frame(frame, kind):
    """A frame unchanged, if it is a table of numbers."""
    array = np.asarray(frame)
    if array.size == 0:
        return array.reshape(frame.shape)  # scikit-learn checks the types of columns
    _check_array(array)
    # Libraries whose columns have types have been checked before.
    if not all(is_number(entry) or is_missing(entry) for entry in array[:1].flat):
        raise TypeError(no_table(array.shape[1]))
    check_table(frame)
    return frame if kind in (None, "series") else _rows(array)


def _check_array(array):
    """Raise for dtypes and shapes that cannot be read as sequences."""
    if array.dtype.kind == "V":
        raise TypeError(
            f"X is a record array of dtype {array.dtype}: strings, token lists or "
            "plain numbers were expected. Pass one field of it, such as "
            f"X[{(array.dtype.names or ['name'])[0]!r}]."
        )
    if array.dtype.kind in "mM":
        raise TypeError(are_times("X", array.dtype))
    if array.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: X is of dtype {array.dtype}, but real "
            "numbers were expected. Pass the real and the imaginary part as two "
            "features."
        )
    if array.ndim == 0 or array.ndim > 3:
        raise ValueError(
            f"X has {array.ndim} dimensions: an array of shape (n_samples, n_steps) or "
            "(n_samples, n_steps, n_features), or a list of sequences was expected. "
            "Reshape it."
        )
    is_text = array.dtype.kind in "UST" or isinstance(first_entry(array.flat), str)
    if array.ndim == 3 and is_text:
        raise TypeError(
            f"X is an array of strings of shape {array.shape}: strings of shape "
            "(n_samples,) or tokens of shape (n_samples, n_steps) were expected. "
            "Reshape it."
        )
    if array.ndim == 1 and array.dtype.kind in "biuf" and array.size > 0:
        if all(map(is_missing, array)):
            raise ValueError(
                "X holds nothing but missing values: a column of sequences was "
                "expected. Drop or fill them."
            )
        raise ValueError(
            "X is one sequence of numbers: a list of sequences or an array of shape "
            "(n_samples, n_steps) was expected. Reshape your data to (1, n_steps), or "
            "use [X], to pass one sequence."
        )


def _is_table(array):
    """Whether an array of objects is a table of numbers, possibly with bad entries.

    One stray string among numbers does not make its rows token lists.
    """
    if array.dtype.kind != "O" or array.size == 0:
        return array.size == 0
    is_text = all(isinstance(entry, str) for entry in array.flat)
    others = list, tuple, np.ndarray, Mapping, set, frozenset
    return not (is_text or any(isinstance(x, others) for x in array.flat))


def _are_tokens(array, kind):
    """Whether the rows of a table, rather than its entries, are token lists."""
    are_tokens = (isinstance(entry, (str, Integral)) for entry in array[:1].flat)
    return kind == "tokens" and all(are_tokens)


def _rows(array):
    """The rows of a table, one per sequence, or the series of a deeper array."""
    return array.tolist() if array.dtype.kind == "O" else list(array)
