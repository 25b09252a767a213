"""Common prefixes of token sequences, so that each prefix is computed only once.

In one direction, the state after some steps depends on these steps alone, so sequences
with a common prefix share it. Sorted sequences form a tree of distinct prefixes, stored
level by level: level t has a node for each distinct prefix of t + 1 tokens.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from skrnn._core import rows
from skrnn._core.compiled import compiled


@dataclass(frozen=True, slots=True)
class PrefixTree:
    """The distinct prefixes of a batch of sequences, its nodes level by level.

    Attributes
    ----------
    sizes : ndarray of shape (n_levels,), int64
        Number of nodes of each level.
    rows : ndarray of shape (n_nodes,), int64
        The row of the last token of each prefix.
    parents : ndarray of shape (n_nodes,), int64
        The parent of each node: its position on the previous level, which does not
        decrease within a level; 0 on the first one.
    ends : ndarray of shape (n_sequences,), int64
        The node of each sequence.
    """

    sizes: np.ndarray
    rows: np.ndarray
    parents: np.ndarray
    ends: np.ndarray


def sort_by_prefix(keys, starts, lengths):
    """Sort token sequences, and count the steps that each shares with the previous one.

    Parameters
    ----------
    keys : ndarray of shape (n_rows,), int32
        The tokens as numbers from 0.
    starts, lengths : ndarrays of shape (n_sequences,), int64
        No sequence is empty.

    Returns
    -------
    order : ndarray of shape (n_sequences,), int64
    shared : ndarray of shape (n_sequences,), int64
        Number of first steps that each sequence, in this order, has in common with the
        previous one.
    """
    # A small type, since the stable sort of 16 bits is a radix sort.
    order = np.argsort(lengths.astype(np.min_scalar_type(lengths.max())), kind="stable")
    n_bits = int(keys.max()).bit_length()
    digits, ends = np.empty_like(order), np.empty(257, np.int64)
    memory = np.empty_like(order), digits, ends
    sort_from_shortest(keys, starts, lengths, n_bits, order, memory)
    shared = np.zeros(len(order), np.int64)
    count_shared(keys, starts[order], lengths[order], shared)
    return order, shared


@compiled
def sort_from_shortest(keys, starts, lengths, n_bits, order, memory):
    """Sort sequences, shortest first so far, by their last token, ..., their first one.

    Each sort is stable, so that it keeps the order by the tokens that follow [1]_, and
    is one for each byte of a token.

    References
    ----------
    .. [1] Knuth (1998), "The Art of Computer Programming", volume 3, section 5.2.5.
    """
    other, digits, ends = memory
    first = len(order)
    for t in range(lengths[order[-1]] - 1, -1, -1):
        while first > 0 and lengths[order[first - 1]] > t:
            first -= 1
        for shift in range(0, n_bits, 8):
            rows.clear(ends)
            for k in range(first, len(order)):
                digits[k] = (keys[starts[order[k]] + t] >> shift) & 255
                other[k] = order[k]
                ends[digits[k] + 1] += 1
            ends[0] = first
            for digit in range(256):
                ends[digit + 1] += ends[digit]
            for k in range(first, len(order)):
                order[ends[digits[k]]] = other[k]
                ends[digits[k]] += 1


@compiled
def count_shared(keys, starts, lengths, shared):
    """Count the first steps that each sequence has in common with the previous one."""
    for i in range(1, len(lengths)):
        most, n = min(lengths[i - 1], lengths[i]), 0
        while n < most and keys[starts[i - 1] + n] == keys[starts[i] + n]:
            n += 1
        shared[i] = n


def prefix_tree(starts, lengths, shared):
    """Arrange the distinct prefixes of sorted sequences in a tree.

    Parameters
    ----------
    starts, lengths, shared : ndarrays of shape (n_sequences,), int64
        Sorted as by :func:`sort_by_prefix`.

    Returns
    -------
    tree : PrefixTree
    """
    shared = shared.copy()
    shared[0] = 0  # `shared` may be a part of a longer array
    # Each sequence adds the nodes from step `shared` to its end.
    n_levels = lengths.max()
    begun, ended = (np.bincount(x, minlength=n_levels + 1) for x in (shared, lengths))
    sizes = np.cumsum(begun - ended)[:n_levels]
    n_nodes = sizes.sum()
    last_rows, parents = (np.empty(n_nodes, np.int64) for _ in range(2))
    ends = np.empty(len(starts), np.int64)
    firsts, tree = np.cumsum(sizes) - sizes, (last_rows, parents, ends)
    place_nodes(starts, lengths, shared, firsts, firsts.copy(), tree)
    return PrefixTree(sizes, *tree)


@compiled
def place_nodes(starts, lengths, shared, firsts, at, tree):
    """Write the rows, parents and ends of a tree, given the first node of each level.

    `at`, a copy of `firsts`, becomes the end of each level. The prefix of a sequence is
    the last node so far on its level, whichever sequence has added it.
    """
    rows_of, parents, ends = tree
    for i in range(len(starts)):
        for t in range(shared[i], lengths[i]):
            rows_of[at[t]] = starts[i] + t
            parents[at[t]] = at[t - 1] - 1 - firsts[t - 1] if t > 0 else 0
            at[t] += 1
        ends[i] = at[lengths[i] - 1] - 1


@cache
def gather_along(gather):
    """Return the loop over the levels of a tree for the `gather` of a pooling."""

    @compiled
    def run(H, sizes, parents, before, gathered, weights):
        """Write what has been gathered at each node of some levels.

        Parameters
        ----------
        H : ndarray of shape (n_nodes, nhidden)
            The hidden states, level by level.
        sizes, parents : ndarrays of int64
            Those of these levels; see :class:`PrefixTree`.
        before : ndarray of shape (n_parents, gathered_width)
            What had been gathered at the nodes of the level before.
        gathered : ndarray of shape (n_nodes, gathered_width)
            Written.
        weights : tuple of ndarrays
            The weights of the pooling.
        """
        end = 0
        for t in range(len(sizes)):
            first, end = end, end + sizes[t]
            here = gathered[first:end]
            for row in range(len(here)):
                rows.copy(before[parents[first + row]], here[row])
            gather(H[first:end], sizes[t : t + 1], here, *weights)
            before = here

    return run
