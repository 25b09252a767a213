"""y and sample_weight as arrays, validated on their own and against X."""

import warnings
from decimal import Decimal
from numbers import Complex, Integral, Number, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import (
    _check_sample_weight,
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
)

from skrnn._core.imports import import_lock
from skrnn._heads.opening import columns_of, open_targets
from skrnn._messages import describe, is_missing, is_time
from skrnn._warnings import warn

# If the columns of y did not depend on the lengths of the sequences, as many entries
# would be expected to differ from the padding; that none does has a chance of e^-10.
_MANY_OTHERS = 10
_BINARIZER = "sklearn.preprocessing.MultiLabelBinarizer"


def validate_targets(
    y, sample_weight, lengths, name, *, are_numbers, is_required, may_be_0=False
):
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
    may_be_0 : bool, default=False
        Whether all weights may be 0.

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
    if y is not None:
        y = _validate_targets(y, lengths, name, are_numbers)
        check_consistent_length(lengths, y)
        _warn_of_steps(y, lengths, name)
    elif is_required:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    return y, weight_of(sample_weight, lengths, may_be_0)


def validate_scored(y, sample_weight, name, *, are_numbers):
    """Validate y and the weights of `score`, which may be in any container of `fit`.

    Parameters
    ----------
    y, sample_weight
        As the user passed them.
    name : str
        The class of the estimator, for messages.
    are_numbers : bool
        Whether y must hold numbers.

    Returns
    -------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : array-like of shape (n_samples,), or None
    """
    if y is None:
        raise ValueError(f"{name}.score requires y to be passed, but it is None.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataConversionWarning)  # about one column
        y = _validate_targets(y, None, name, are_numbers)
    return y, open_weight(sample_weight)


def _validate_targets(y, lengths, name, are_numbers):
    """Validate y on its own, and convert it to an array."""
    check_not_masked(y, "y")
    has_astype = hasattr(y, "astype")
    y, is_column = open_targets(y, "y")
    _check_no_columns_of_times(y, are_numbers)
    _check_items(y, lengths, name, are_numbers)
    if is_column and not are_numbers:
        _check_not_lists(y, lengths, name)
    y = y.toarray() if issparse(y) else _without_nullable_types(y)
    options = {"ensure_2d": False, "ensure_all_finite": False, "input_name": "y"}
    y = check_array(y, dtype=None, **options)
    if y.dtype.kind == "V":
        raise TypeError(
            f"y is a record array of dtype {y.dtype}: {_expected(are_numbers)}. Pass "
            f"one field of it, such as y[{(y.dtype.names or ['name'])[0]!r}]."
        )
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
    return without_long_floats(y)


def validate_classes(classes):
    """The `classes` of `partial_fit` as an array of labels.

    Parameters
    ----------
    classes : array-like
        As the user passed them.

    Returns
    -------
    classes : ndarray
    """
    has_astype = hasattr(classes, "astype")
    opened, _ = open_targets(classes, "classes")
    if any(_size(label) is not None for label in _entries(opened)):
        raise ValueError(
            "classes has a list among its labels: an array-like of shape (n_classes,) "
            "was expected. Pass one list of all labels."
        )
    classes = np.asarray(_without_nullable_types(opened))
    check_no_missing(classes, "classes")
    check_label_type(classes, "classes", has_astype=has_astype)
    return without_long_floats(classes)


def without_long_floats(y):
    """Floats of more than 64 bits, which other formats do not have, as float64.

    Raises
    ------
    ValueError
        If two whole numbers, which may be labels, would become one.
    """
    if y.dtype.kind != "f" or y.dtype.itemsize <= 8:
        return y
    with np.errstate(over="ignore"):
        short = y.astype(np.float64)
    is_merged = (y == np.floor(y)) & (short != y)
    if is_merged.any():
        raise ValueError(
            f"y is of dtype {y.dtype} and contains {y[is_merged][0]:.0f}, which a "
            "float64 cannot hold. Use y.astype(str) if it is a label."
        )
    return short


def weight_of(sample_weight, samples, may_be_0=False):
    """The weight of each sample, float64; None gives all the same.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), number or None
    samples : ndarray of shape (n_samples, ...)
    may_be_0 : bool, default=False
        Whether all weights may be 0.

    Raises
    ------
    TypeError, ValueError
        If there is not one number from 0 for each sample.
    """
    return checked_weight(open_weight(sample_weight), samples, may_be_0)


def checked_weight(weight, samples, may_be_0):
    """What :func:`open_weight` has opened, as an array; see :func:`weight_of`."""
    return _check_sample_weight(
        weight,
        samples,
        dtype=np.float64,
        ensure_non_negative=True,
        allow_all_zero_weights=may_be_0,
    )


def open_weight(weight):
    """The weights as something that scikit-learn can validate."""
    if weight is None or isinstance(weight, Number):
        return weight
    what = "sample_weight"
    check_not_masked(weight, what)
    weight, _ = open_targets(weight, what)
    entries = _entries(weight)
    for i, entry in enumerate(entries):
        if _size(entry) != _size(entries[0]):
            here, first = (_n_entries(_size(x), "number") for x in (entry, entries[0]))
            raise ValueError(
                f"{what}[{i}] is {here}, but {what}[0] is {first}: one number for each "
                "sequence was expected."
            )
    if issparse(weight):
        return weight
    array = np.asarray(weight)
    _check_no_times(array, what)
    _check_are_numbers(array, what)
    return array


def _entries(opened):
    """The entries of a list; none of an array, whose entries have one shape."""
    return opened if isinstance(opened, (list, tuple)) else ()


def check_not_masked(given, what):
    """Raise for a masked array, whose mask would be lost."""
    if np.ma.is_masked(given):
        raise TypeError(
            f"{what} is a masked array, whose mask would be lost: drop the sequences "
            "that are masked."
        )


def check_no_missing(y, what="y"):
    """Raise if an array of labels has None, NaN in an array of objects, or NaT.

    scikit-learn has a sentence for NaN in a y of floats.

    Parameters
    ----------
    y : ndarray
    what : {"y", "classes"}, default="y"
    """
    if y.dtype.kind in "mM":
        is_bad = np.isnat(y)
    elif y.dtype.kind == "f" and what == "classes":
        is_bad = ~np.isfinite(y)
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
    cure = f"Use {cure}."
    if isinstance(label, (list, tuple, set, frozenset, np.ndarray)):
        cure = f"Use {_BINARIZER} for sequences of several."
    elif y.ndim > 1 and y.shape[1] > 1 and dtype == "str":
        cure = "Pass one column of labels."
    raise ValueError(
        f"Unknown label type: {what} is an array of dtype object, and {what}{place} is "
        f"{describe(label)}: an array of dtype object may hold strings only. {cure}"
    )


def _dtype_for(labels):
    """The name of a type that can hold all of these."""
    if any(map(is_time, labels)):  # NumPy's durations are a subclass of its integers
        return "str"
    if all(isinstance(label, (bool, np.bool_)) for label in labels):
        return "bool"
    if all(isinstance(label, (Integral, np.bool_)) for label in labels):
        limits = np.iinfo(np.int64)
        return "int" if all(limits.min <= n <= limits.max for n in labels) else "str"
    is_real = all(isinstance(label, (Real, Decimal, np.bool_)) for label in labels)
    return "float" if is_real else "str"


def _check_items(y, lengths, name, are_numbers):
    """Raise for lists that NumPy would refuse, or convert to something else."""
    if not isinstance(y, (list, tuple)):
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
            cure = f"Use {_BINARIZER} for sequences of several."
            if are_numbers:
                cure = "Convert them to numbers."
            elif len({*sizes}) == 1 and sizes[0] is not None:
                cure = "Pass one label for each sequence, not for each step or word."
            raise ValueError(
                f"y[{i}] is {describe(target)} of strings: {expected}. {cure}"
            )
        if sizes[i] != sizes[0]:
            first, here = (_n_entries(size) for size in (sizes[0], sizes[i]))
            raise ValueError(
                f"y[{i}] is {here}, but y[0] is {first}: {expected}, and as many for "
                "each sequence."
            )


def _check_not_lists(y, lengths, name):
    """Raise for a column of equally long lists, which need not be columns of 0 and 1.

    They may as well be the numbers of the labels that a sequence has.
    """
    _check_not_per_step([_size(target) for target in y], lengths, name, False)
    raise ValueError(
        f"y[0] is {describe(y[0])}: {_expected(False)}. Use {_BINARIZER} for sequences "
        "of several, or pass a column for each label."
    )


def _check_not_per_step(sizes, lengths, name, are_numbers):
    """Raise if each target has as many entries as its sequence has steps."""
    if lengths is not None and None not in sizes and np.array_equal(sizes, lengths):
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


def _n_entries(size, of="target"):
    return f"a single {of}" if size is None else f"a list of {size}"


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


def _check_no_times(array, what="y"):
    """Raise for times and durations, which are no numbers without a unit.

    Parameters
    ----------
    array : ndarray
    what : str, default="y"
        What it is of, for the message.
    """
    kind = array.dtype.kind
    times = [each for each in array.flat if is_time(each)] if kind == "O" else ()
    if times or kind in "mM":
        is_duration = kind == "m" or any(map(_is_duration, times))
        raise TypeError(_no_numbers(what, is_duration))


def _is_duration(time):
    kind = time.dtype.kind if isinstance(time, np.generic) else ""
    return kind == "m" or hasattr(time, "total_seconds")


def _check_no_columns_of_times(y, are_numbers):
    """Raise if one of several columns holds times or durations.

    As an array, a table has one type for all columns, such as floats for microseconds.
    """
    columns = columns_of(y)
    if columns is None or len(columns) < 2:
        return
    with import_lock:
        import narwhals.stable.v2 as nw
    for name, column in columns:
        series = nw.from_native(column, series_only=True, pass_through=True)
        dtype = getattr(series, "dtype", None)
        if isinstance(series, nw.Series) and dtype.is_temporal():
            is_duration = dtype == nw.Duration
            raise TypeError(_no_numbers(f"y[{name!r}]", is_duration, are_numbers))


def _no_numbers(what, is_duration, are_numbers=True):
    """The sentence for times or durations in place of numbers."""
    found, cure = "times", "such as days since the first one"
    if is_duration:
        found, cure = "durations", f"such as {what}.dt.total_seconds()"
    expected = "numbers were expected" if are_numbers else _expected(False)
    cure = f"Convert them to numbers in a unit of your choice, {cure}."
    if not are_numbers:
        cure = "Pass one column of labels."
    return f"{what} holds {found}: {expected}. {cure}"


def _check_are_numbers(array, what="y"):
    """Raise if an array of objects or strings has anything that is no real number."""
    if array.dtype.kind in "biuf":
        return
    for place, target in np.ndenumerate(array):
        try:
            is_complex = isinstance(target, Complex) and not isinstance(target, Real)
            if is_complex or isinstance(target, (str, bytes)):
                raise TypeError
            float(target)
        except (TypeError, ValueError):
            cure = "Fill it in." if is_missing(target) else "Convert it to a number."
            if what == "y":
                cure = "Convert it to a number, or use RNNClassifier for classes."
        except OverflowError:
            cure = "Choose a unit in which it is smaller."
        else:
            continue
        raise ValueError(
            f"{what}{list(place)} is {describe(target)}, which is no number that a "
            f"float can hold: numbers were expected. {cure}"
        )


def _no_target(target, i):
    return (
        f"y contains {target} for X[{i}]: every sequence needs a target. Drop the "
        "sequence or fill in its target."
    )
