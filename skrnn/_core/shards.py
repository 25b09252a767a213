"""Minibatches cut into shards, each computed by its own thread, in one of the ranks."""

import math
from dataclasses import dataclass, replace

import numpy as np

# Minimum number of multiplications per step for which a shard is worth its own thread:
# below it, threads cost more than they save. On two cores, a fit on the surnames with
# two threads took 0.99 times as long as with one at 0.64 million multiplications (rnn
# of 100 units, two shards of 64 sequences), 0.93 times at 1.05 million (rnn of 128
# units, two shards of 64), 0.83 times at 1.28 million (rnn of 100 units, two shards of
# 128), and 0.75 times at 2.85 million (gru of 128 units, two shards of 58).
_MIN_WORK = 1e6
_MIN_SEQUENCES = 32


@dataclass(frozen=True, slots=True)
class Shards:
    """How minibatches are cut into shards.

    Attributes
    ----------
    n_shards : int, default=1
        Maximum number of shards per minibatch.
    min_size : int, default=32
        Minimum number of sequences per shard.
    n_ranks : int, default=1
        Number of processes that each get a shard, however small it is.
    """

    n_shards: int = 1
    min_size: int = _MIN_SEQUENCES
    n_ranks: int = 1

    def among(self, n_ranks):
        """Return shards for as many threads in each of `n_ranks` processes."""
        return replace(self, n_shards=n_ranks * self.n_shards, n_ranks=n_ranks)

    def n_of(self, n_sequences):
        """Return the number of shards of a minibatch of `n_sequences` sequences."""
        n_shards = min(self.n_shards, n_sequences // self.min_size)
        return max(1, min(self.n_ranks, n_sequences), n_shards)

    def cuts(self, lengths):
        """Return the first sequence of each shard of a minibatch.

        Each shard gets about the same number of rows.

        Parameters
        ----------
        lengths : ndarray of shape (n_sequences,)
            Number of steps of each sequence, longest first. A shard of sequences of
            similar length has a shorter time loop than a shard of all lengths.

        Returns
        -------
        cuts : list of int
        """
        n_shards = self.n_of(len(lengths))
        if n_shards == 1:
            return [0]
        n_rows = np.cumsum(lengths)
        if n_rows[-1] == 0:
            return [0]
        shares = n_rows[-1] * np.arange(1, n_shards) / n_shards
        cuts = np.searchsorted(n_rows, shares, side="right")
        return [0, *np.unique(np.maximum(cuts, 1)).tolist()]


def shards_for(architecture, n_threads):
    """Choose shards that are each worth their own thread."""
    n_blocks = architecture.make_cell().n_state_blocks
    work = n_blocks * max(architecture.nhidden) ** 2  # per sequence and step
    return Shards(n_threads, max(_MIN_SEQUENCES, math.ceil(_MIN_WORK / work)))


def shares(n_samples, batch_size):
    """Yield how many sequences of each minibatch of an epoch are those of each rank.

    They are in proportion to what ranks have: the places of a minibatch, and of all
    before it, are apportioned by the method of Sainte-Laguë [1]_. So each rank has a
    share in the first minibatches as in the last ones, and the order within a minibatch
    does not matter.

    Parameters
    ----------
    n_samples : sequence of int
        The number of sequences of each rank, some above 0.
    batch_size : int
        The number of sequences of each minibatch but the last.

    Yields
    ------
    share : ndarray of shape (n_ranks,), int64

    References
    ----------
    .. [1] Balinski and Young (2001), "Fair Representation: Meeting the Ideal of One
       Man, One Vote", Brookings.
    """
    n_samples = np.array(n_samples)
    n_ranks, total, taken = len(n_samples), n_samples.sum(), np.zeros_like(n_samples)
    # A rank has at most so many sequences in a minibatch.
    most = int(n_samples.max() * (batch_size + n_ranks) // total) + 2
    places, some = np.arange(most) + 0.5, np.maximum(n_samples, 1)[:, np.newaxis]
    for first in range(0, total, batch_size):
        turns = (taken[:, np.newaxis] + places) / some
        turns[n_samples == 0] = np.inf
        n = min(batch_size, total - first)
        chosen = np.argsort(turns, axis=None, kind="stable")[:n]
        share = np.bincount(chosen // most, minlength=n_ranks)
        taken = taken + share
        yield share


ONE_SHARD = Shards()
