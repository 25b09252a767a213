"""Numeric sequences as the network needs them: standardised, no missing values.

Rows are processed in chunks: temporary arrays for all rows would take many times the
memory of the data, and would not fit into a cache.
"""

import numpy as np

_AT_A_TIME = 2**16  # numbers per chunk; 512 kB in float64


def mean_and_scale(values, weight):
    """Compute the weighted mean and standard deviation of each column, in float64.

    The scale of a constant column is 1, also if its numbers differ by rounding errors.
    float32 is not precise enough to compute in: with large values, the spread would be
    lost in the mean. Values are scaled to at most 1 before they are squared or summed,
    to avoid overflow and underflow. Missing values (NaN) are ignored.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    weight : ndarray of shape (n_rows,)

    Returns
    -------
    mean, scale : ndarrays of shape (n_columns,)
    """
    total, size = 0.0, 0.0
    for columns, is_missing, weights in _parts(values, weight):
        total += np.where(is_missing, 0.0, weights).sum(axis=1)
        size = np.maximum(size, np.abs(columns).max(axis=1))
    total, size = _one_for_zero(total), _one_for_zero(size)

    mean = 0.0
    for columns, _, weights in _parts(values, weight):
        columns /= size[:, np.newaxis]
        columns *= weights
        mean += columns.sum(axis=1)
    mean /= total

    def deviations(columns, is_missing):
        columns /= size[:, np.newaxis]
        columns -= mean[:, np.newaxis]
        np.copyto(columns, 0.0, where=is_missing)
        return columns

    spread, error = 0.0, 0.0
    for columns, is_missing, weights in _parts(values, weight):
        columns = deviations(columns, is_missing)
        spread = np.maximum(spread, np.abs(columns).max(axis=1))
        columns *= weights
        error += columns.sum(axis=1)
    # With many rows, the rounding error of a sum exceeds the spread that a constant
    # column may have.
    mean += error / total
    spread = _one_for_zero(spread)

    variance = 0.0
    for columns, is_missing, weights in _parts(values, weight):
        columns = deviations(columns, is_missing)
        columns /= spread[:, np.newaxis]
        columns *= columns
        columns *= weights
        variance += columns.sum(axis=1)
    scale = spread * np.sqrt(variance / total)
    eps = max(10 * np.finfo(np.float64).eps, _eps(values))
    is_constant = scale <= eps * np.abs(mean)
    # The product of very small numbers may be 0.
    return mean * size, _one_for_zero(np.where(is_constant, 0.0, scale * size))


def standardise(values, mean, scale):
    """Compute ``(values - mean) / scale`` as float32; not finite where out of range."""
    standardised = np.empty(values.shape, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in _slices(values):
            standardised[rows] = (values[rows] - mean) / scale
    return standardised


def level_and_scale(values, offsets, given, unit):
    """Compute the mean and the standard deviation of each series, in float64.

    Those of a series do not depend on other series, to the last bit. Missing numbers
    are ignored.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), float32
        Standardised; NaN where a number is missing.
    offsets : ndarray of shape (n_samples + 1,)
        Each series has at least one step.
    given, unit : ndarrays of shapes (n_rows, n_columns) and (n_columns,)
        The numbers before they were standardised, in their own precision, and by what
        they were divided.

    Returns
    -------
    level, scale : ndarrays of shape (n_samples, n_columns)
        0 for a series without numbers. The scale of a constant series is 0, also if its
        numbers differ by rounding errors.
    noise : ndarray of shape (n_samples, n_columns)
        A bound of the rounding errors of the numbers of each series.
    """
    shape = len(offsets) - 1, values.shape[1]
    level, scale, noise = (np.empty(shape) for _ in range(3))
    for some in _runs(offsets, max(1, _AT_A_TIME // values.shape[1])):
        starts = offsets[some] - offsets[some.start]
        rows = slice(offsets[some.start], offsets[some.stop])
        n_steps = np.diff(offsets[some.start : some.stop + 1])
        part = values[rows].astype(np.float64)
        is_missing = np.isnan(part)
        part[is_missing] = 0.0
        n_seen = np.maximum(1, np.add.reduceat(~is_missing, starts, dtype=np.int64))
        largest = np.maximum.reduceat(np.abs(part), starts)
        largest_given = np.abs(np.where(is_missing, 0, given[rows]))
        largest_given = np.maximum.reduceat(largest_given, starts)
        noise[some] = _eps(values) * largest + _eps(given) * largest_given / unit
        level[some] = np.add.reduceat(part, starts) / n_seen
        part -= np.repeat(level[some], n_steps, axis=0)
        part[is_missing] = 0.0
        part *= part
        scale[some] = np.sqrt(np.add.reduceat(part, starts) / n_seen)
    return level, np.where(scale <= noise, 0.0, scale), noise


def standardise_each(values, offsets, level, scale):
    """Compute ``(values - level) / scale`` with numbers of each series, as float32.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    offsets : ndarray of shape (n_samples + 1,)
    level, scale : ndarrays of shape (n_samples, n_columns)

    Returns
    -------
    standardised : ndarray of shape (n_rows, n_columns)
        Clipped to the range of float32.
    """
    standardised = np.empty(values.shape, dtype=np.float32)
    largest = np.finfo(np.float32).max
    for some in _runs(offsets, max(1, _AT_A_TIME // values.shape[1])):
        rows = slice(offsets[some.start], offsets[some.stop])
        n_steps = np.diff(offsets[some.start : some.stop + 1])
        of_steps = [np.repeat(each[some], n_steps, axis=0) for each in (level, scale)]
        each = (values[rows] - of_steps[0]) / of_steps[1]
        standardised[rows] = np.clip(each, -largest, largest)
    return standardised


def patches(values, offsets, length):
    """Group steps into patches: the numbers of several steps, side by side.

    The last patch ends with the sequence. If the number of steps is not a multiple of
    `length`, the first patch begins before the sequence and repeats the first step.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
    offsets : ndarray of shape (n_samples + 1,)
    length : int
        Number of steps per patch.

    Returns
    -------
    values : ndarray of shape (n_patches, length * n_features)
    offsets : ndarray of shape (n_samples + 1,)
    """
    if length == 1:
        return values, offsets
    lengths = np.diff(offsets)
    n_patches = -(-lengths // length)
    starts = np.concatenate([[0], np.cumsum(n_patches)])
    # Patches are counted from the end of their sequence: -1 is the last one.
    patch = np.arange(starts[-1]) - np.repeat(starts[1:], n_patches)
    rows = patch[:, np.newaxis] * length + np.arange(length)
    rows += np.repeat(offsets[1:], n_patches)[:, np.newaxis]
    np.maximum(rows, np.repeat(offsets[:-1], n_patches)[:, np.newaxis], out=rows)
    return values[rows].reshape(len(rows), -1), starts


def fill_missing(values, offsets):
    """Replace missing values by the last value seen in the sequence, or 0 if none.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        NaN where a value is missing.
    offsets : ndarray of shape (n_samples + 1,)

    Returns
    -------
    filled : ndarray of shape (n_rows, 2 * n_columns)
        The values; then, for each column, 1 where a value was missing and 0 elsewhere.
    """
    n_rows, n_columns = values.shape
    filled = np.empty((n_rows, 2 * n_columns), dtype=values.dtype)
    before = np.zeros(n_columns, dtype=values.dtype)
    for rows in _slices(values):
        part = values[rows].copy()
        is_missing = np.isnan(part)
        filled[rows, n_columns:] = is_missing
        if is_missing.any():
            # Fill the first step of each sequence, and the first of these rows; all
            # other missing values are copied from an earlier row.
            bounds = np.searchsorted(offsets, [rows.start, rows.stop])
            starts = offsets[slice(*bounds)] - rows.start
            part[starts] = np.where(is_missing[starts], 0, part[starts])
            part[0] = np.where(np.isnan(part[0]), before, part[0])
            last = np.where(np.isnan(part), 0, np.arange(len(part))[:, np.newaxis])
            np.maximum.accumulate(last, axis=0, out=last)
            part = np.take_along_axis(part, last, axis=0)
        filled[rows, :n_columns] = part
        before = part[-1]
    return filled


def differences(values, offsets, order):
    """Compute the differences between consecutive steps, up to some order.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), float32
    offsets : ndarray of shape (n_samples + 1,)
    order : int

    Returns
    -------
    differences : ndarray of shape (n_rows, order * n_columns)
        First differences, second differences, and so on; differences of order n are 0
        in the first n steps of a sequence.
    """
    n_columns = values.shape[1]
    result = np.empty((len(values), order * n_columns), dtype=values.dtype)
    largest = np.finfo(values.dtype).max
    for n in range(1, order + 1):
        part = result[:, (n - 1) * n_columns : n * n_columns]
        part[0] = 0
        with np.errstate(over="ignore"):
            np.subtract(values[1:], values[:-1], out=part[1:])
        np.clip(part, -largest, largest, out=part)
        for step in range(n):
            rows = offsets[:-1] + step
            part[rows[rows < offsets[1:]]] = 0
        values = part
    return result


def rounding_of_differences(values, order, given, scale):
    """Bounds below which the scale of differences is that of rounding errors.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), float32
        What differences are taken of.
    order : int
    given : ndarray of shape (n_rows, n_columns)
        The numbers before they were standardised, in their own precision; NaN where
        one is missing.
    scale : ndarray of shape (n_columns,)
        By which they were divided.

    Returns
    -------
    bounds : ndarray of shape (order * n_columns,)
        For first differences, second ones, and so on. Each order at most doubles the
        errors, which are at most half an eps of the largest value as it was given,
        and half an eps of it after it was standardised. Far from 0, or if all numbers
        are equal but for such errors, the first is the larger one.
    """
    bound = _eps(given) * _largest(given) / scale + _eps(values) * _largest(values)
    bound /= 2
    return np.concatenate([2.0**n * bound for n in range(1, order + 1)])


def _eps(values):
    return float(np.finfo(values.dtype).eps)


def _largest(values):
    """The largest absolute value of each column, in float64."""
    highest = np.fmax.reduce(values, axis=0, initial=0)
    lowest = np.fmin.reduce(values, axis=0, initial=0)
    return np.maximum(highest, -lowest).astype(np.float64)


def _slices(values):
    """Return slices of rows, each with about `_AT_A_TIME` numbers."""
    n_rows, n_columns = values.shape
    step = max(1, _AT_A_TIME // n_columns)
    return [slice(i, min(i + step, n_rows)) for i in range(0, n_rows, step)]


def _runs(offsets, max_rows):
    """Yield slices of consecutive series, of about `max_rows` rows each."""
    first, n_samples = 0, len(offsets) - 1
    while first < n_samples:
        stop = int(np.searchsorted(offsets, offsets[first] + max_rows, side="right"))
        stop = min(max(stop - 1, first + 1), n_samples)
        yield slice(first, stop)
        first = stop


def _parts(values, weight):
    """Yield columns of some rows in float64, a mask of missing values, and weights.

    Missing values are replaced by 0. Columns are contiguous, so that NumPy sums them
    pairwise. Weights are scaled so that the largest weight of all rows is 1.
    """
    largest = weight.max()
    for rows in _slices(values):
        columns = np.array(values[rows].T, dtype=np.float64, order="C")
        is_missing = np.isnan(columns)
        np.copyto(columns, 0.0, where=is_missing)
        yield columns, is_missing, weight[rows] / largest


def _one_for_zero(numbers):
    return np.where(numbers > 0, numbers, 1.0)
