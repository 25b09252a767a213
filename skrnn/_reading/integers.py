"""Warnings about integers that are read as tokens, but seem to be measurements."""

import math
from numbers import Integral

import numpy as np

from skrnn._messages import these_hold
from skrnn._warnings import warn

# What is known of integers that are tokens: they number words, events or items, so that
# a distance between two of them means nothing, and few of them make up most of a text.
# The bounds were set on simulated data: texts with Zipf's law, topics, and ids by rank,
# by first appearance and at random; event codes, pitches, permutations and sorted sets;
# random walks, levels, waves, trends, heart rates, prices, times and durations. A few
# distinct values without a peak or an order, such as temperatures at random, cannot be
# told apart from tokens.
_ROWS_AT_MOST = 2**17  # that are looked at
_N_BINS = 16
_SECONDS = 1e9, 2.2e9  # since 1970, from the year 2001 to 2039


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
            f"X holds lists of integers, which are read as tokens, but {reason}. Use "
            "analyzer='series' if they are measurements, or analyzer='token' if they "
            "are tokens, which silences this warning.",
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
    if len(codes) < 6:
        return None
    numbers = _as_floats(sequences.tokens)
    values, distinct = numbers[part.values], numbers[codes]
    change = _changes(values, part.offsets)
    look = _look_of(values, distinct, counts, part.offsets, change)
    if look:
        return f"they look like measurements: {look}"
    n_rows, density = len(values), _density(distinct)
    top_share = counts.max() / n_rows
    if n_rows < 100:
        return None
    once, rarely = (counts[counts <= n].sum() / n_rows for n in (1, 2))
    if once >= 0.9 and density <= 0.95:
        return f"{once:.0%} of them occur only once, from which little can be learned"
    is_rare = rarely >= 0.85 and top_share <= 0.03 and density <= 0.7
    if is_rare and not _are_sets(change):
        return (
            f"{rarely:.0%} of them occur at most twice, from which little can be "
            "learned"
        )
    return None


def _look_of(values, distinct, counts, offsets, change):
    """In what way values look like measurements, or None."""
    n_rows, n_values = len(values), len(counts)
    if (distinct < -1).sum() >= 3:  # -1 often stands for nothing
        return "some of them are negative"
    if len(change) >= 8 and (change >= 0).all() and _are_times(distinct):
        return "they rise in each sequence, and are times since 1970, by their size"
    # Close to 1 where tokens have been numbered without gaps.
    density, top_share = _density(distinct), counts.max() / n_rows
    has_gaps = density <= 0.6 or (density <= 0.95 and top_share <= 0.03)
    is_often = n_rows >= 5 * n_values
    if n_values > 40 if is_often else has_gaps:
        bound = 0.35 if is_often and n_values <= 100 else 0.5
        steady = _steadiness(values, offsets, counts, bound)
        if steady:
            return steady
    is_many = n_values > 100 and top_share <= 0.03
    has_peak = (is_many or _are_smooth(distinct, counts)) and _has_one_peak(values)
    if is_many and density <= 0.6 and distinct.min() > 0:  # prices are skewed
        has_peak = has_peak or _has_one_peak(np.log(values), is_whole=False)
    if has_peak:
        return f"their {n_values} distinct values are distributed around one peak"
    if is_many and not _are_sets(change) and _are_even(distinct, counts):
        return f"their {n_values} distinct values are spread evenly over their range"
    return None


def _changes(values, offsets):
    """The changes from one step of a sequence to the next."""
    is_within = np.ones(len(values) - 1, dtype=bool)
    is_within[offsets[1:-1] - 1] = False
    return np.diff(values)[is_within]


def _density(distinct):
    """The share of the numbers in a range that occur."""
    return len(distinct) / (np.ptp(distinct) + 1)


def _are_sets(change):
    """Whether sequences may be sets of ids: these are often sorted."""
    return (change > 0).all() or (change < 0).all()


def _are_times(distinct):
    """Whether numbers are of the size of seconds since 1970, or of a thousandth."""
    low, high = _SECONDS
    least, most = distinct.min(), distinct.max()
    return any(low * k <= least <= most <= high * k for k in (1, 1e3, 1e6, 1e9))


def _counts_in_range(distinct, counts):
    """How often each number of a range occurs."""
    all_counts = np.zeros(int(np.ptp(distinct)) + 1)
    all_counts[(distinct - distinct.min()).astype(np.int64)] = counts
    return all_counts


def _are_even(distinct, counts):
    """Whether counts vary about as much as if all numbers were equally likely.

    Those of tokens vary more, and those of permutations less.
    """
    if counts.sum() < 0.65 * (np.ptp(distinct) + 1):
        return False
    all_counts = _counts_in_range(distinct, counts)
    return bool(0.5 <= all_counts.var() / all_counts.mean() <= 2)


def _are_smooth(distinct, counts):
    """Whether each number occurs about as often as those next to it.

    Fewer than 26 numbers may be hours or letters.
    """
    if len(counts) <= 25 or _density(distinct) <= 0.6:
        return False
    if counts.mean() < 8:
        return False
    all_counts = _counts_in_range(distinct, counts)
    near = np.convolve(all_counts, [0.25, 0.25, 0, 0.25, 0.25], mode="valid")
    error = (all_counts[2:-2] - near)[near >= 4]
    near = near[near >= 4]
    return bool(np.mean(error**2 / (1.25 * near + (0.1 * near) ** 2)) <= 1.8)


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


def _has_one_peak(values, is_whole=True):
    """Whether a histogram rises to a peak that is not at its edge, and falls."""
    if len(values) < 200:
        return False
    size = np.ptp(values)
    # As many whole numbers in each bin.
    width = np.ceil((size + 1) / _N_BINS) if is_whole else size / _N_BINS or 1.0
    bins = np.minimum((values - values.min()) // width, _N_BINS - 1)
    heights = np.bincount(bins.astype(np.int64))
    peak = heights.argmax()
    up_and_down = 2 * heights[peak] - heights[0] - heights[-1]
    travelled = np.abs(np.diff(heights)).sum()
    is_inside = 2 <= peak < len(heights) - 2
    is_high = heights[peak] >= 1.8 * heights.mean()
    return bool(is_inside and is_high and travelled <= 1.3 * up_and_down)
