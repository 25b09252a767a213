"""Beam search: the likeliest sequences, given what comes after each beginning."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skrnn._core.vocabulary import END

# Maximum number of probabilities and tokens that a search keeps for one sequence. With
# 8 bytes each, they take 1 GB.
_MAX_KEPT = 2**27


class Hypotheses(NamedTuple):
    """The likeliest sequences that were found, best first.

    Attributes
    ----------
    tokens : ndarray of shape (n_sequences, n_best, longest), int64
        Ids of tokens, and END after the last of them.
    lengths : ndarray of shape (n_sequences, n_best), int64
        The number of tokens of each, without the end.
    log_p : ndarray of shape (n_sequences, n_best), float64
        The logarithm of the probability of each, with that of its end. -inf where there
        are no more.
    is_cut : ndarray of shape (n_sequences, n_best), bool
        Whether another token was likelier than the end, but would have been one too
        many.
    """

    tokens: np.ndarray
    lengths: np.ndarray
    log_p: np.ndarray
    is_cut: np.ndarray

    def take(self, indices):
        """Those of the sequences at `indices`, in that order."""
        return Hypotheses(*(part[indices] for part in self))

    def are_equal(self, tokens, offsets):
        """Whether the best sequences are given ones.

        Parameters
        ----------
        tokens : ndarray of shape (n_rows,)
            The ids of the tokens of all given sequences, concatenated, without ends. A
            sequence with an unknown token equals no other.
        offsets : ndarray of shape (n_sequences + 1,)
            Where each of them begins.

        Returns
        -------
        are_equal : ndarray of shape (n_sequences,), bool
        """
        lengths, best = np.diff(offsets), self.tokens[:, 0]
        width = max(best.shape[1], int(lengths.max(initial=0)))
        best = np.pad(best, [(0, 0), (0, width - best.shape[1])], constant_values=END)
        expected = np.full(best.shape, END)
        expected[np.arange(width) < lengths[:, np.newaxis]] = tokens
        same_length = self.lengths[:, 0] == lengths
        return same_length & (best == expected).all(axis=1)


def beam_search(step, states, log_p, max_length, width=1, n_best=1, length_penalty=0.0):
    """Find the likeliest sequences [1]_.

    After each token, the `width` likeliest of all continuations of the beginnings of a
    sequence are kept. Those that are ends are candidates for the result, and the others
    go on. The search is over once the `n_best` ends cannot be bettered [2]_.

    Parameters
    ----------
    step : callable
        ``step(states, tokens)`` reads a token each, an array of shape (n_rows,), int32,
        and returns what comes next, as `log_p`, and the states after it, which it may
        overwrite when it is called again.
    states : array, None, or tuple or list of such
        With a row for each sequence: what `step` needs to go on.
    log_p : ndarray of shape (n_sequences, n_outputs), float64
        The logarithms of the probabilities of the first token, and of END.
    max_length : int
        The largest number of tokens. A sequence that has as many ends in any case.
    width : int, default=1
        1 always goes on with the likeliest token.
    n_best : int, default=1
        The number of sequences to find, up to `width`.
    length_penalty : float, default=0.0
        The logarithm of a probability is divided by the number of tokens, with the end,
        to the power of this, before it is compared with others: at 0, short sequences
        are likelier, and at 1, it is the mean that counts.

    Returns
    -------
    found : Hypotheses

    Notes
    -----
    Memory O(n_sequences * width * n_outputs). What is found for a sequence depends on
    the others only if `step` does.

    References
    ----------
    .. [1] Freitag and Al-Onaizan (2017), "Beam Search Strategies for Neural Machine
       Translation", NMT.
    .. [2] Huang, Zhao and Ma (2017), "When to Finish? Optimal Beam Search for Neural
       Text Generation", EMNLP.
    """
    n, n_outputs = log_p.shape
    width, n_best = limited(width, n_best, n_outputs, max_length)
    found = _Found.none(n, n_best, max_length)
    beam = _Beam(np.arange(n), np.zeros((n, 1)), np.zeros((n, 1, 0), np.int64))
    while len(beam.sequences):
        rows, beam, tokens = _go_on(
            beam, log_p, found, max_length, width, length_penalty
        )
        if len(rows):
            log_p, states = step(_taken(states, rows), tokens.astype(np.int32))
    return found.best()


def limited(width, n_best, n_outputs, max_length):
    """The width of a beam and the number of sequences, as far as they are of use.

    Parameters
    ----------
    width, n_best, n_outputs, max_length : int

    Returns
    -------
    width, n_best : int

    Raises
    ------
    ValueError
        If the search would take too much memory.
    """
    n_possible, n_of_length = 0, 1
    for _ in range(max_length + 1):
        n_possible += n_of_length
        if n_possible >= width:
            break
        n_of_length *= n_outputs - 1
    width, n_best = min(width, n_possible), min(n_best, n_possible)
    n_kept = width * (n_outputs + max_length)
    if n_kept > _MAX_KEPT:
        raise ValueError(
            f"To keep {width:,} sequences of up to {max_length:,} tokens in a search "
            f"takes {8 * n_kept / 1e9:,.0f} GB. Lower n_best, beam_width, or the "
            "maximum length."
        )
    return width, n_best


def joined(parts):
    """The hypotheses of some sequences, and those of others after them.

    Parameters
    ----------
    parts : list of Hypotheses
    """
    longest = max(part.tokens.shape[2] for part in parts)
    widened = []
    for part in parts:
        more = longest - part.tokens.shape[2]
        tokens = np.pad(part.tokens, [(0, 0), (0, 0), (0, more)], constant_values=END)
        widened.append(part._replace(tokens=tokens))
    return Hypotheses(*map(np.concatenate, zip(*widened, strict=True)))


def mean_log_p(log_p):
    """The logarithm of the mean of probabilities, that of one alone to the bit.

    Parameters
    ----------
    log_p : sequence of ndarrays of one shape, float64
        The logarithms of the probabilities, by each network.

    Returns
    -------
    mean : ndarray of the same shape
    """
    with np.errstate(invalid="ignore"):  # NaN is kept
        return np.logaddexp.reduce(log_p) - math.log(len(log_p))


@dataclass(frozen=True, slots=True)
class _Beam:
    """The beginnings that go on, equally many of each sequence that is not done.

    Attributes
    ----------
    sequences : ndarray of shape (n,)
        Which of the sequences are not done.
    log_p : ndarray of shape (n, n_beginnings)
        -inf for a beginning that is impossible.
    tokens : ndarray of shape (n, n_beginnings, n_tokens)
    """

    sequences: np.ndarray
    log_p: np.ndarray
    tokens: np.ndarray


@dataclass(frozen=True, slots=True)
class _Found:
    """The ends that were found so far, by sequence, best first.

    Attributes
    ----------
    score : ndarray of shape (n_sequences, n_best)
        By which they are sorted.
    hypotheses : Hypotheses
    """

    score: np.ndarray
    hypotheses: Hypotheses

    @classmethod
    def none(cls, n, n_best, max_length):
        shape = n, n_best
        hypotheses = Hypotheses(
            np.full((*shape, max_length), END, np.int64),
            np.zeros(shape, np.int64),
            np.full(shape, -np.inf),
            np.zeros(shape, bool),
        )
        return cls(np.full(shape, -np.inf), hypotheses)

    def add(self, beam, log_p, length_penalty, is_cut):
        """Add the ends of the beginnings of a beam; -inf where there is none."""
        some = np.flatnonzero((log_p > -np.inf).any(axis=1))
        if len(some) == 0:
            return
        these, log_p = beam.sequences[some], log_p[some]
        n_best, n_tokens = self.score.shape[1], beam.tokens.shape[2]
        score = log_p / (n_tokens + 1) ** length_penalty
        score = np.column_stack([self.score[these], score])
        order = np.argsort(-score, axis=1, kind="stable")[:, :n_best]

        def merge(whole, part):
            both = np.concatenate([whole[these], part], axis=1)
            places = order if both.ndim == 2 else order[:, :, np.newaxis]
            whole[these] = np.take_along_axis(both, places, axis=1)

        n_left = self.hypotheses.tokens.shape[2] - n_tokens
        merge(self.score, score[:, n_best:])
        known = self.hypotheses
        merge(known.tokens, np.pad(beam.tokens[some], [(0, 0), (0, 0), (0, n_left)]))
        merge(known.lengths, np.full(log_p.shape, n_tokens))
        merge(known.log_p, log_p)
        merge(known.is_cut, is_cut[some])

    def best(self):
        """The best ones, without the memory for longer ones."""
        known = self.hypotheses
        longest = int(known.lengths.max(initial=0))
        return known._replace(tokens=known.tokens[:, :, :longest])


def _go_on(beam, log_p, found, max_length, width, length_penalty):
    """Note the ends of beginnings, and continue these by what is likeliest.

    Returns
    -------
    rows : ndarray of shape (n_rows,)
        Which rows of `log_p` and of the states the new beginnings come from.
    beam : _Beam
    tokens : ndarray of shape (n_rows,)
        What each of them reads.
    """
    n, n_beginnings, n_tokens = beam.tokens.shape
    log_p = log_p.reshape(n, n_beginnings, -1)
    total = beam.log_p[:, :, np.newaxis] + log_p
    is_last = n_tokens == max_length
    places = _largest(total.reshape(n, -1), 0 if is_last else width)
    parents, tokens = np.divmod(places, log_p.shape[2])
    is_end = tokens == END
    ends = total[:, :, END]
    if not is_last:  # only those that are kept
        ends = np.full_like(ends, -np.inf)
        some = np.nonzero(is_end)
        ends[some[0], parents[some]] = total[some[0], parents[some], END]
    found.add(beam, ends, length_penalty, is_last & (log_p.argmax(axis=2) != END))
    total = np.take_along_axis(total.reshape(n, -1), places, axis=1)
    total[is_end] = -np.inf
    bound = total.max(axis=1, initial=-np.inf) / (max_length + 1) ** length_penalty
    goes_on = np.flatnonzero(bound > found.score[beam.sequences, -1])
    # As many places as the sequence with the most beginnings needs.
    order = np.argsort(-total[goes_on], axis=1, kind="stable")
    order = order[:, : np.isfinite(total[goes_on]).sum(axis=1).max(initial=0)]
    total, parents, tokens = (
        np.take_along_axis(part[goes_on], order, axis=1)
        for part in (total, parents, tokens)
    )
    rows = goes_on[:, np.newaxis] * n_beginnings + parents
    before = beam.tokens.reshape(n * n_beginnings, n_tokens)[rows]
    tokens_of_all = np.concatenate([before, tokens[:, :, np.newaxis]], axis=2)
    beam = _Beam(beam.sequences[goes_on], total, tokens_of_all)
    return rows.ravel(), beam, tokens.ravel()


def _largest(values, k):
    """The places of the k largest values of each row, largest first."""
    k = min(k, values.shape[1])
    if k <= 1:
        return (
            values.argmax(axis=1)[:, np.newaxis]
            if k
            else np.zeros((len(values), 0), int)
        )
    places = np.sort(np.argpartition(-values, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(-np.take_along_axis(values, places, axis=1), kind="stable")
    return np.take_along_axis(places, order, axis=1)


def _taken(states, rows):
    """Some rows of states."""
    if isinstance(states, (list, tuple)):
        return type(states)(_taken(part, rows) for part in states)
    return None if states is None else states[rows]
