"""Numbers as the network wants them: standardised, and nothing missing."""

import numpy as np


def mean_and_scale(values, weight):
    """Weighted mean and standard deviation of each column, in float64.

    The scale of a constant column is 1. float32 would not do: the mean of large
    values would swallow their spread. Squares and sums are taken of numbers of at most
    1, which neither overflow nor vanish. Missing values (NaN) do not count.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
    weight : ndarray of shape (n_rows,)

    Returns
    -------
    mean, scale : ndarrays of shape (n_columns,)
    """
    is_there = ~np.isnan(values)
    weights = np.where(is_there, (weight / weight.max())[:, np.newaxis], 0.0)
    total = weights.sum(axis=0)
    weights /= np.where(total > 0, total, 1.0)
    size = _largest(values, is_there).astype(np.float64)
    values = np.where(is_there, values, 0.0) / size
    mean = (values * weights).sum(axis=0)
    values = np.where(is_there, values - mean, 0.0)
    spread = _largest(values, is_there)
    values /= spread
    scale = spread * np.sqrt((values**2 * weights).sum(axis=0))
    is_constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(mean)
    scale = np.where(is_constant, 0.0, scale * size)
    # The smallest numbers of all have a product of 0.
    return mean * size, np.where(scale > 0, scale, 1.0)


def standardise(values, mean, scale):
    """``(values - mean) / scale`` as float32; not finite where that cannot be."""
    with np.errstate(over="ignore", invalid="ignore"):
        return ((values - mean) / scale).astype(np.float32)


def fill_missing(values, offsets):
    """The last value seen in a sequence in place of missing ones, 0 before any.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        NaN where a value is missing.
    offsets : ndarray of shape (n_samples + 1,)

    Returns
    -------
    filled : ndarray of shape (n_rows, 2 * n_columns)
        The values; then, for each column, 1 where it was missing and 0 elsewhere.
    """
    n_rows = len(values)
    is_missing = np.isnan(values)
    # The row of the last value seen, if it is not of an earlier sequence.
    rows = np.where(is_missing, -1, np.arange(n_rows)[:, np.newaxis])
    last = np.maximum.accumulate(rows, axis=0)
    first = np.repeat(offsets[:-1], np.diff(offsets))[:, np.newaxis]
    is_known = last >= first
    filled = np.take_along_axis(values, np.where(is_known, last, 0), axis=0)
    filled = np.where(is_known, filled, 0)
    return np.concatenate([filled, is_missing.astype(values.dtype)], axis=1)


def _largest(values, is_there):
    """The largest magnitude in each column; 1 for a column of zeros."""
    largest = np.abs(values).max(axis=0, where=is_there, initial=0.0)
    return np.where(largest > 0, largest, 1.0)
