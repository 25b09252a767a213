"""y and sample_weight as arrays, validated on their own and against X."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import (
    _check_sample_weight,
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
)

from skrnn._core.imports import import_lock
from skrnn._messages import describe, is_missing
from skrnn._warnings import warn

# If the columns of y did not depend on the lengths of the sequences, as many entries
# would be expected to differ from the padding; that none does has a chance of e^-10.
_MANY_OTHERS = 10


def validate_targets(y, sample_weight, lengths, name, *, are_numbers, is_required):
    """Validate y and the weights, on their own and against X.

    Parameters
    ----------
    y, sample_weight
        As the user passed them.
    lengths : ndarray of shape (n_samples,)
        Number of steps of each sequence of X.
    name : str
        The class of the estimator, for messages.
    are_numbers : bool
        Whether y must hold numbers.
    is_required : bool
        Whether y must not be None.

    Returns
    -------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
    sample_weight : ndarray of shape (n_samples,), float64

    Raises
    ------
    TypeError, ValueError
        If y is missing or holds NaN; if labels are objects other than strings; if y or
        `sample_weight` is masked; or if the numbers of sequences, targets and weights
        differ.
    """
    for masked, what in ((y, "y"), (sample_weight, "sample_weight")):
        if np.ma.is_masked(masked):
            raise TypeError(
                f"{what} is a masked array, whose mask would be lost: drop the "
                "sequences that are masked."
            )
    y, sample_weight = _without_wide(y), _without_wide(sample_weight)
    if y is not None:
        y = _validate_targets(y, lengths, name, are_numbers)
        check_consistent_length(lengths, y)
        _warn_of_steps(y, lengths, name)
    elif is_required:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    _check_no_times(np.asarray(sample_weight), "sample_weight")
    sample_weight = _check_sample_weight(
        sample_weight, lengths, dtype=np.float64, ensure_non_negative=True
    )
    return y, sample_weight


def _validate_targets(y, lengths, name, are_numbers):
    """Validate y on its own, and convert it to an array."""
    _check_container(y)
    if type(y).__module__.partition(".")[0] == "awkward":
        y = y.to_list()  # it refuses to be an array if it holds None
    if are_numbers:
        _check_no_columns_of_times(y)
    _check_items(y, lengths, name, are_numbers)
    has_astype = hasattr(y, "astype")
    y = y.toarray() if issparse(y) else _without_nullable_types(y)
    options = {"ensure_2d": False, "ensure_all_finite": False, "input_name": "y"}
    y = check_array(y, dtype=None, **options)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    check_no_missing(y)
    # Columns of 0 and 1 or of numbers may be several targets, whatever their number;
    # of strings, they cannot be.
    if y.ndim == 2 and y.shape[1] > 1 and y.size and isinstance(y.flat[0], str):
        _check_not_per_step([y.shape[1]] * len(y), lengths, name, are_numbers)
    if are_numbers:
        _check_no_times(y)
        _check_are_numbers(y)
        y = check_array(y, dtype="numeric", **options)
    else:
        check_label_type(y, has_astype=has_astype)
    if y.dtype.kind in "fc":
        assert_all_finite(y, estimator_name=name, input_name="y")
    return y


def check_no_missing(y, what="y"):
    """Raise if an array of labels has None, NaN in an array of objects, or NaT.

    Parameters
    ----------
    y : ndarray
    what : {"y", "classes"}, default="y"
    """
    if y.dtype.kind in "mM":
        is_bad = np.isnat(y)
    elif y.dtype.kind == "O":
        is_bad = np.array([is_missing(target) for target in y.flat]).reshape(y.shape)
    else:
        return
    if not is_bad.any():
        return
    place = tuple(np.argwhere(is_bad)[0])
    if what == "classes":
        raise ValueError(f"classes contain {y[place]}, which is no label. Drop it.")
    raise ValueError(_no_target(y[place], place[0]))


def check_label_type(y, what="y", *, has_astype=True):
    """Raise if an array of objects holds labels other than strings.

    scikit-learn's classifiers and metrics refuse them, too, but do not say why.

    Parameters
    ----------
    y : ndarray
    what : {"y", "classes"}, default="y"
    has_astype : bool, default=True
        Whether what the user passed has the method `astype`.
    """
    if y.dtype.kind != "O":
        return
    is_bad = np.array([not isinstance(label, str) for label in y.flat], dtype=bool)
    if not is_bad.any():
        return
    place = np.argwhere(is_bad.reshape(y.shape))[0].tolist()
    label = y[tuple(place)]
    if isinstance(label, bytes):
        return  # scikit-learn has a sentence of its own
    dtype = _dtype_for(y.ravel().tolist())
    cure = f"{what}.astype({dtype})" if has_astype else f"np.array({what}, {dtype})"
    if isinstance(label, (list, tuple, set, frozenset, np.ndarray)):
        cure = "sklearn.preprocessing.MultiLabelBinarizer for sequences of several"
    raise ValueError(
        f"Unknown label type: {what} is an array of dtype object, and {what}{place} is "
        f"{describe(label)}: an array of dtype object may hold strings only. Use "
        f"{cure}."
    )


def _dtype_for(labels):
    """The name of a type that can hold all of these."""
    if all(isinstance(label, (bool, np.bool_)) for label in labels):
        return "bool"
    if all(isinstance(label, (Integral, np.bool_)) for label in labels):
        limits = np.iinfo(np.int64)
        return "int" if all(limits.min <= n <= limits.max for n in labels) else "str"
    is_real = all(isinstance(label, (Real, Decimal, np.bool_)) for label in labels)
    return "float" if is_real else "str"


def _check_container(y):
    """Raise for containers without a target at each place."""
    if isinstance(y, (Iterator, Mapping, set, frozenset, str, bytes)):
        cure = "list(y.values())" if isinstance(y, Mapping) else "list(y)"
        if isinstance(y, (set, frozenset, str, bytes)):
            cure = "a list"
        raise TypeError(
            f"y is of type {type(y).__name__}: an array-like with a target for each "
            f"sequence was expected. Use {cure}."
        )


def _check_items(y, lengths, name, are_numbers):
    """Raise for lists that NumPy would refuse, or convert to something else."""
    if not isinstance(y, (list, tuple)):
        is_of_objects = isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1
        if not is_of_objects:
            return
    expected = _expected(are_numbers)
    has_strings = any(isinstance(target, str) for target in y)
    sizes = [_size(target) for target in y]
    if len(set(sizes)) > 1:
        _check_not_per_step(sizes, lengths, name, are_numbers)
    for i, target in enumerate(y):
        if has_strings and is_missing(target):  # NumPy makes it "nan"
            raise ValueError(_no_target(target, i))
        is_list = isinstance(target, (list, tuple)) and len(target) != 1
        is_list = is_list or isinstance(target, (set, frozenset))
        if is_list and any(isinstance(label, str) for label in target):
            _check_not_per_step(sizes, lengths, name, are_numbers)
            cure = "Convert them to numbers."
            if not are_numbers:
                cure = "Use sklearn.preprocessing.MultiLabelBinarizer for sequences of "
                cure += "several."
            raise ValueError(
                f"y[{i}] is {describe(target)} of strings: {expected}. {cure}"
            )
        if sizes[i] != sizes[0]:
            first, here = (_n_entries(size) for size in (sizes[0], sizes[i]))
            raise ValueError(
                f"y[{i}] is {here}, but y[0] is {first}: {expected}, and as many for "
                "each sequence."
            )


def _check_not_per_step(sizes, lengths, name, are_numbers):
    """Raise if each target has as many entries as its sequence has steps."""
    if None not in sizes and np.array_equal(sizes, lengths):
        raise ValueError(
            f"y[0] has {sizes[0]} entries, one for each step of X[0], and so on: "
            f"{name} predicts one target per sequence, so {_expected(are_numbers)}."
        )


def _warn_of_steps(y, lengths, name):
    """Warn if columns look like targets of steps, padded to the longest sequence.

    Only padding gives them away: if all sequences have as many steps as y has columns,
    these may as well be labels of the sequences.
    """
    is_table = y.ndim == 2 and y.dtype.kind in "biuf" and y.shape[1] == lengths.max()
    if not is_table or lengths.min() == lengths.max():
        return
    column = np.arange(y.shape[1])
    for is_padding in (
        column >= lengths[:, np.newaxis],
        column < (y.shape[1] - lengths)[:, np.newaxis],
    ):
        padding = y[is_padding]
        if (padding != padding[0]).any():
            continue
        is_other = (y != padding[0]) & ~is_padding
        share = is_other.sum(axis=0) / np.maximum(1, (~is_padding).sum(axis=0))
        if share @ is_padding.sum(axis=0) < _MANY_OTHERS:
            continue
        warn(
            f"y looks like a target for each step, padded with {padding[0]:g} to the "
            f"{y.shape[1]} steps of the longest sequence, but {name} predicts targets "
            f"of whole sequences: the {y.shape[1]} columns are read as that many for "
            "each sequence.",
            UserWarning,
        )
        return


def _expected(are_numbers):
    """What y must be, for messages."""
    if are_numbers:
        return "one or more numbers for each sequence were expected"
    return (
        "one class label for each sequence was expected, or a column of 0 and 1 for "
        "each label"
    )


def _size(target):
    """Number of entries of a target that is a list or an array; None of others."""
    is_array = isinstance(target, np.ndarray) and target.ndim > 0
    return len(target) if is_array or isinstance(target, (list, tuple)) else None


def _n_entries(size):
    return "a single target" if size is None else f"a list of {size}"


def _without_nullable_types(y):
    """Integers and booleans of pandas as those of NumPy, if none is missing.

    scikit-learn would convert them to floats, which cannot hold large integers.
    """
    if hasattr(y, "iloc") and getattr(y, "ndim", 0) == 2 and y.shape[1] == 1:
        column = _without_nullable_types(y.iloc[:, 0])
        return column[:, np.newaxis] if isinstance(column, np.ndarray) else y
    dtype = getattr(y, "dtype", None)
    is_nullable = hasattr(dtype, "numpy_dtype") and dtype.kind in "iub"
    if is_nullable and not y.isna().any():
        return y.to_numpy(dtype=dtype.numpy_dtype)
    return y


def _without_wide(y):
    """Integers of 128 bits, for which NumPy has no type, as those of Python."""
    dtypes = [y.dtype] if hasattr(y, "dtype") else getattr(y, "dtypes", ())
    if not any(str(dtype) in ("Int128", "UInt128") for dtype in dtypes):
        return y
    return y.rows() if hasattr(y, "rows") else y.to_list()


def _check_no_times(array, what="y"):
    """Raise for times and durations, which are no numbers without a unit.

    Parameters
    ----------
    array : ndarray
    what : str, default="y"
        What it is of, for the message.
    """
    kind = array.dtype.kind
    objects = array.ravel().tolist() if kind == "O" else ()
    is_duration = kind == "m" or any(hasattr(each, "total_seconds") for each in objects)
    is_time = kind == "M" or any(hasattr(each, "isoformat") for each in objects)
    if is_duration or is_time:
        raise TypeError(_no_numbers(what, is_duration))


def _check_no_columns_of_times(y):
    """Raise if a column of a table holds times or durations.

    As an array, a table has one type for all columns, such as floats for microseconds.
    """
    if not (hasattr(y, "columns") or hasattr(y, "column_names")):
        return
    with import_lock:
        import narwhals.stable.v2 as nw
    frame = nw.from_native(y, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame) and len(frame.columns) > 1:
        for name, dtype in frame.schema.items():
            if dtype.is_temporal():
                raise TypeError(_no_numbers(f"y[{name!r}]", dtype == nw.Duration))


def _no_numbers(what, is_duration):
    """The sentence for times or durations in place of numbers."""
    found, cure = "times", "such as days since the first one"
    if is_duration:
        found, cure = "durations", f"such as {what}.dt.total_seconds()"
    return (
        f"{what} holds {found}: numbers were expected. Convert them to numbers in a "
        f"unit of your choice, {cure}."
    )


def _check_are_numbers(y):
    """Raise if an array of objects holds anything that is no real number."""
    if y.dtype.kind != "O":
        return
    for place, target in np.ndenumerate(y):
        try:
            float(target)
        except (TypeError, ValueError):
            cure = "Convert it to a number, or use RNNClassifier for classes."
        except OverflowError:
            cure = "Choose a unit in which it is smaller."
        else:
            continue
        raise ValueError(
            f"y{list(place)} is {describe(target)}, which is no number that a float "
            f"can hold: numbers were expected. {cure}"
        )


def _no_target(target, i):
    return (
        f"y contains {target} for X[{i}]: every sequence needs a target. Drop the "
        "sequence or fill in its target."
    )
