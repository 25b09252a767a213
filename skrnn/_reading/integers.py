"""Warnings about integers that are read as tokens, but seem to be measurements."""

import math
from numbers import Integral

import numpy as np

from skrnn._messages import these_hold
from skrnn._warnings import warn

# What is known of integers that are tokens: they number words, events or items, so that
# a distance between two of them means nothing, and few of them make up most of a text.
# The bounds were set on simulated data: texts with Zipf's law, topics, and ids by rank,
# by first appearance and at random; event codes, permutations and sorted sets; random
# walks, levels, waves, trends, heart rates and durations.
_ROWS_AT_MOST = 2**17  # that are looked at
_N_BINS = 16


def warn_of_measurements(sequences):
    """Warn if the integers in token lists look like measurements.

    Parameters
    ----------
    sequences : Sequences of kind "tokens"
    """
    if len(sequences.values) == 0 or not all(map(_is_integer, sequences.tokens)):
        return
    reason = _signs_of_measurements(sequences)
    if reason:
        warn(
            "X holds lists of integers, which are read as tokens, but they look like "
            f"measurements: {reason}. Use analyzer='series' if they are measurements, "
            "or analyzer='token' if they are tokens, which silences this warning.",
            UserWarning,
        )


def warn_of_unknown_integers(sequences, is_known, vocabulary, positions=None):
    """Warn of token lists that hold nothing but integers that `fit` has not seen.

    Integers are surely tokens if `fit` has also seen strings.

    Parameters
    ----------
    sequences : Sequences of kind "tokens"
    is_known : ndarray of shape (n_rows,), bool
        Whether the vocabulary has the token of each step.
    vocabulary : dict of token or n-gram -> int
    positions : ndarray, default=None
        The positions of the sequences in X.
    """
    if is_known.all():
        return
    are_integers = np.array(list(map(_is_integer, sequences.tokens)))
    is_odd = are_integers[sequences.values] & ~is_known
    n_odd = np.diff(np.append(0, np.cumsum(is_odd))[sequences.offsets])
    odd = np.flatnonzero((n_odd == sequences.lengths) & (n_odd > 0))
    if len(odd) and not any(map(_has_string, vocabulary)):
        odd = odd if positions is None else positions[odd]
        warn(
            f"{these_hold(odd, len(sequences))} nothing but integers that are not in "
            "the vocabulary: read as tokens, all of these are the same unknown token. "
            "If they are measurements, use analyzer='series' in fit; if they are "
            "tokens, analyzer='token' in fit silences this warning.",
            UserWarning,
        )


def _has_string(gram):
    parts = gram if isinstance(gram, tuple) else (gram,)
    return any(isinstance(part, str) for part in parts)


def _is_integer(token):
    return isinstance(token, Integral) and not isinstance(token, bool)


def _signs_of_measurements(sequences):
    """By what integers look like measurements, or None if they do not."""
    part = _some_rows(sequences)
    codes, counts = np.unique(part.values, return_counts=True)
    n_rows, n_values = len(part.values), len(codes)
    if n_values < 6:
        return None
    numbers = _as_floats(sequences.tokens)
    values, distinct = numbers[part.values], numbers[codes]
    # Close to 1 where tokens have been numbered without gaps.
    density = n_values / (np.ptp(distinct) + 1)
    top_share = counts.max() / n_rows
    has_gaps = density <= 0.6 or (density <= 0.95 and top_share <= 0.03)
    is_often = n_rows >= 5 * n_values
    if n_values > 40 if is_often else has_gaps:
        bound = 0.35 if is_often and n_values <= 100 else 0.5
        steady = _steadiness(values, part.offsets, counts, bound)
        if steady:
            return steady
    once = (counts == 1).sum() / n_rows
    is_spread = top_share <= 0.01 and density <= 0.3
    if (n_rows >= 100 and once >= 0.9 and density <= 0.95) or (
        n_rows >= 500 and once >= 0.5 and is_spread
    ):
        return f"{once:.0%} of them occur only once"
    if n_values > 100 and top_share <= 0.03 and _has_one_peak(values):
        return f"their {n_values} distinct values are distributed around one peak"
    return None


def _some_rows(sequences):
    """Sequences with not many more than `_ROWS_AT_MOST` steps, evenly chosen."""
    filled = np.flatnonzero(sequences.lengths)
    n_chosen = math.ceil(len(filled) * min(1.0, _ROWS_AT_MOST / len(sequences.values)))
    places = np.linspace(0, len(filled) - 1, n_chosen).astype(np.int64)
    return sequences.take(filled[places]).cut(_ROWS_AT_MOST, "first")


def _as_floats(tokens):
    largest = 10**300  # of larger ones, differences may overflow
    return np.array([float(max(-largest, min(largest, t))) for t in tokens])


def _steadiness(values, offsets, counts, bound):
    """In what way values depend on the one before, or None.

    A change from one step to the next, divided by the mean difference of any two
    values, is at most `bound` then, on average.
    """
    change, is_within = np.diff(values), np.ones(len(values) - 1, dtype=bool)
    is_within[offsets[1:-1] - 1] = False
    steps = change[is_within]
    steps = np.abs(steps[steps != 0])
    if len(steps) < 8:
        return None
    step, any_two = steps.mean(), _mean_difference(values, counts)
    rises = change[is_within] > 0
    if rises.all() or not (rises | (change[is_within] == 0)).any():
        # Sorted, perhaps because they are sets. In these, steps differ in size.
        bends = np.abs(np.diff(change))[is_within[1:] & is_within[:-1]]
        is_even = len(bends) >= 4 and bends.mean() <= bound * step
        first, last = values[offsets[:-1]], values[offsets[1:] - 1]
        if is_even or np.abs(last - first).mean() <= bound * any_two:
            return "they rise or fall evenly in each sequence"
    elif len(steps) >= 12 and step <= bound * any_two:
        return (
            f"from one step to the next, they change by {step:.3g} on average, but any "
            f"two of them differ by {any_two:.3g}"
        )
    return None


def _mean_difference(values, counts):
    """The mean distance between two values that differ."""
    n = len(values)
    rank = np.arange(1, n + 1)
    total = np.sum((2 * rank - n - 1) * np.sort(values))  # over pairs i < j
    n_equal = np.sum(counts * (counts - 1.0)) / 2
    return total / (n * (n - 1.0) / 2 - n_equal)


def _has_one_peak(values):
    """Whether a histogram rises to a peak that is not at its edge, and falls."""
    if len(values) < 200:
        return False
    heights = np.histogram(values, bins=_N_BINS)[0]
    peak = heights.argmax()
    up_and_down = 2 * heights[peak] - heights[0] - heights[-1]
    travelled = np.abs(np.diff(heights)).sum()
    is_inside = 2 <= peak < _N_BINS - 2
    is_high = heights[peak] >= 1.8 * heights.mean()
    return bool(is_inside and is_high and travelled <= 1.3 * up_and_down)
