"""From lists and arrays of numbers to flat values."""

from functools import partial

import numpy as np

from skrnn._core.sequences import Sequences, locate
from skrnn._messages import (
    counted,
    is_missing,
    mixed_kinds,
    no_number,
    no_steps,
)
from skrnn._reading.kinds import REALS, check_depth
from skrnn._reading.offsets import offsets_of
from skrnn._reading.padding import how_to_cut


def read_series(X, allow_missing=False, given=None, allow_empty=False):
    """Read a list of arrays or lists of numbers, one per sequence.

    Parameters
    ----------
    X : list or tuple
    allow_missing : bool, default=False
        Whether numbers may be NaN.
    given : container, default=None
        What the user passed as X, for the advice of errors. None gives none.
    allow_empty : bool, default=False
        Whether sequences may have no steps.

    Returns
    -------
    sequences : Sequences
    """
    if _are_of_one_form(X):
        lengths = np.fromiter(map(len, X), dtype=np.int64, count=len(X))
        if not (lengths.all() or allow_empty):
            raise ValueError(no_steps(np.argmin(lengths)))
        offsets = offsets_of(lengths)
        values = _as_float(np.concatenate(X))
        values = values.reshape(len(values), *(X[0].shape[1:] or (1,)))
        return _checked_series(values, offsets, allow_missing, given)
    lengths, arrays, first, n_features = [], [], 0, 0
    for i, item in enumerate(X):
        if allow_empty and _is_empty(item):
            lengths.append(0)
            continue
        array = _as_series(item, i, allow_missing, given)
        if not arrays:
            first, n_features = i, array.shape[1]
        if array.shape[1] != n_features:
            raise ValueError(
                f"X[{i}] has {counted(array.shape[1], 'feature')}, but X[{first}] has "
                f"{n_features}: all sequences must have the same number of features."
            )
        lengths.append(len(array))
        arrays.append(array)
    offsets = offsets_of(np.array(lengths, np.int64))
    values = np.concatenate(arrays) if arrays else np.empty((0, 1))
    return _checked_series(values, offsets, allow_missing, given)


def are_flat(X):
    """Whether opened series are one-dimensional, as far as any with steps tells."""
    if not isinstance(X, (list, tuple)):
        return np.ndim(X) < 3  # a table
    some = (item for item in X if not _is_empty(item))
    return np.ndim(next(some, ())) < 2


def _is_empty(item):
    return isinstance(item, (list, tuple, np.ndarray)) and np.shape(item)[:1] == (0,)


def _are_of_one_form(X):
    """Whether X holds numeric arrays that a single call can concatenate."""
    forms = {
        (x.dtype, x.ndim, x.shape[1:]) if isinstance(x, np.ndarray) else None for x in X
    }
    form = forms.pop()
    if forms or form is None:
        return False
    dtype, ndim, features = form
    return dtype.kind in "biuf" and ndim in (1, 2) and 0 not in features


def _as_series(item, index, allow_missing, given):
    """One sequence of numbers as floats of shape (n_steps, n_features)."""
    if not isinstance(item, (list, tuple, np.ndarray)):
        raise TypeError(mixed_kinds(item, index, "series"))
    if isinstance(item, np.ndarray) and item.dtype.kind == "O":
        item = item.tolist()  # a list of numbers, or of steps
    if isinstance(item, np.ndarray):
        array = item
    else:
        check_depth(item, index)
        array = _as_array(item, index)
    if array.size == 0:
        raise ValueError(no_steps(index))
    if array.ndim not in (1, 2):
        raise ValueError(
            f"X[{index}] has {array.ndim} dimensions: a sequence must have shape "
            "(n_steps,) or (n_steps, n_features)."
        )
    if array.dtype.kind not in "biuf":
        array = _only_numbers(item, array, index, allow_missing, given)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    return _as_float(array)


def _as_array(item, index):
    try:
        return np.asarray(item)
    except ValueError as error:  # rows of unequal length
        for step, row in enumerate(item):
            if is_missing(row):
                raise TypeError(no_number(row, index, step)) from None
        raise ValueError(
            f"X[{index}] has steps of unequal numbers of features: a sequence must "
            "have shape (n_steps,) or (n_steps, n_features)."
        ) from error
    except (TypeError, RuntimeError):  # for example, tensors on a GPU
        for step, row in enumerate(item):
            try:
                np.asarray(row)
            except (TypeError, RuntimeError):
                raise TypeError(no_number(row, index, step)) from None
        raise


def read_array(X, allow_missing=False, given=None):
    """Read a numeric array of shape (n_samples, n_steps[, n_features]).

    Parameters
    ----------
    X : ndarray
    allow_missing : bool, default=False
        Whether numbers may be NaN.
    given : container, default=None
        As in :func:`read_series`.

    Raises
    ------
    ValueError
        If an axis is empty or a number is NaN or infinite.
    """
    if X.ndim == 2:
        X = X[:, :, np.newaxis]  # (n_samples, n_steps, 1): univariate series
    n_samples, n_steps, n_features = X.shape
    if X.size == 0:
        raise ValueError(
            f"X has shape {X.shape}: at least one sequence, one step and one feature "
            "are needed."
        )
    values = _as_float(X.reshape(n_samples * n_steps, n_features))
    offsets = np.arange(n_samples + 1, dtype=np.int64) * n_steps
    return _checked_series(values, offsets, allow_missing, given, is_table=True)


def as_numbers(array):
    """A table or deeper array of objects as floats, with NaN for missing ones.

    Parameters
    ----------
    array : ndarray of shape (n_samples, n_steps[, n_features])

    Raises
    ------
    TypeError
        If the array holds anything but numbers.
    ValueError
        If a number is too large.
    """
    return np.array([_only_numbers(row, row, i, True) for i, row in enumerate(array)])


def _only_numbers(item, array, index, allow_missing, given=None):
    """An array of another dtype as floats, if its entries are numbers.

    NumPy keeps numbers of other types, such as fractions, as objects, and also all
    numbers in an array that contains None.
    """
    steps = array.tolist() if item is array else item
    numbers = []
    for step, entries in enumerate(steps):
        for entry in entries if array.ndim == 2 else (entries,):
            if is_missing(entry) and (allow_missing or isinstance(entry, REALS)):
                numbers.append(np.nan)
            elif not _is_real(entry):
                padding = _padding_from(steps, (index, step), array, given)
                raise TypeError(no_number(entry, index, step, padding))
            else:
                numbers.append(_as_number(entry, index, step))
    return np.array(numbers, dtype=np.float64).reshape(array.shape)


def _padding_from(steps, place, array, given):
    """How to cut a sequence whose steps from some place on are all missing, or None."""
    start = place[1]
    rest = np.ravel(np.array(steps[start:], dtype=object))
    if start == 0 or not all(map(is_missing, rest)):
        return None
    return how_to_cut(given, place, 1 if array.ndim == 1 else array.shape[1])


def _is_real(entry):
    # NumPy's durations are a subclass of its integers.
    return isinstance(entry, REALS) and not isinstance(entry, np.timedelta64)


def _as_number(entry, index, step):
    """A number of any type as a float."""
    try:
        number = float(entry)
    except OverflowError:
        number = None
    if number is None or (np.isinf(number) and number != entry):
        raise ValueError(
            f"X[{index}] contains a number at step {step} which is too large for "
            "float32. Use a larger unit."
        )
    return number


def _as_float(array):
    if array.dtype == np.float32:
        return array
    with np.errstate(over="ignore"):  # of longer floats; infinity is rejected later
        return array.astype(np.float64, copy=False)


def _checked_series(values, offsets, allow_missing, given, is_table=False):
    # Comparisons with NaN are also False. Networks compute in float32.
    usable = np.abs(values) <= np.finfo(np.float32).max
    if allow_missing:
        usable |= np.isnan(values)
    if not usable.all():
        row, feature = np.argwhere(~usable)[0]
        i, step = locate(offsets, row)
        value = values[row, feature]
        if np.isfinite(value):
            raise ValueError(
                f"X[{i}] contains {value:g} at step {step}, which is too large for "
                "float32. Use a larger unit."
            )
        if np.isnan(value):
            cut = partial(how_to_cut, given, is_table=is_table)
            raise ValueError(_no_nan(values, offsets, (i, step, feature), cut))
        where = f" in feature {feature}" if values.shape[1] > 1 else ""
        raise ValueError(
            f"X[{i}] contains infinity (inf) at step {step}{where}: all numbers must "
            "be finite. Impute these steps or leave them out."
        )
    return Sequences("series", values, offsets)


def _no_nan(values, offsets, place, cut):
    """The sentence for the first NaN, which is at a sequence, step and feature.

    `cut` is :func:`how_to_cut` of the container; it takes the rest of the arguments.
    """
    i, step, feature = place
    n_features = values.shape[1]
    is_missing_step = np.isnan(values).all(axis=1)
    own = is_missing_step[offsets[i] : offsets[i + 1]]
    where = f"at step {step}" + (f" in feature {feature}" if n_features > 1 else "")
    in_all = " in all features" if n_features > 1 else ""
    padding = ""
    if step > 0 and own[step:].all():
        where = f"at step {step}, and from there to the end{in_all}"
        padding = cut((i, step), n_features)
    elif own[0] and not own.all():
        end = int(own.argmin())
        where = f"at step 0, and up to step {end - 1}{in_all}"
        padding = cut((i, len(own) - end), n_features, "beginning")
    else:
        some = np.flatnonzero(np.diff(offsets))  # that have steps
        is_all = np.logical_and.reduceat(is_missing_step, offsets[some])
        others = some[is_missing_step[offsets[some + 1] - 1] & ~is_all]
        for j in others[:1]:
            other = is_missing_step[offsets[j] : offsets[j + 1]]
            padding = cut((j, len(other) - int(other[::-1].argmin())), n_features)
            if padding:
                padding = f"The last steps of X[{j}] are missing. {padding}"
    cure = "Impute the missing steps, or use missing='mask'."
    if padding:
        cure = f"{padding} Otherwise impute the missing steps, or use missing='mask'."
    return f"X[{i}] contains NaN {where}: all numbers must be finite. {cure}"
