"""Common prefixes of token sequences, so that each prefix is computed only once.

In one direction, the state after some steps depends on these steps alone, so sequences
with a common prefix share it. Sorted sequences form a tree of distinct prefixes, stored
level by level: level t has a node for each distinct prefix of t + 1 tokens.
"""

from dataclasses import dataclass

import numpy as np

_N_WORDS = 4  # of 64 bits: the part of each sequence that is compared


@dataclass(frozen=True, slots=True)
class PrefixTree:
    """The distinct prefixes of a batch of sequences.

    Attributes
    ----------
    rows : list of ndarray, int64
        For each level, the row of the last token of each prefix.
    parents : list of ndarray, int64
        For each level except for the first, the parent of each node: its position on
        the previous level.
    ends : list of (ndarray, ndarray), int64
        For each level, the sequences that end there and their nodes.
    """

    rows: list
    parents: list
    ends: list


def sort_by_prefix(ids, starts, lengths):
    """Sort token sequences, and count the steps that each shares with the previous one.

    Only the first tokens are compared, as many as fit into four words of 64 bits: 32
    tokens from a vocabulary of up to 254. Equal sequences count as sharing all their
    steps, however long they are.

    Parameters
    ----------
    ids : ndarray of shape (n_rows,), int64
    starts, lengths : ndarrays of shape (n_sequences,)

    Returns
    -------
    order : ndarray of shape (n_sequences,)
    shared : ndarray of shape (n_sequences,)
        Number of first steps that each sequence, in this order, has in common with the
        previous one.
    """
    sequence = np.repeat(np.arange(len(starts)), lengths)
    step = np.arange(len(sequence)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows = starts[sequence] + step
    # Big-endian and counted from 1, so that the words sort like the sequences, and a
    # sequence comes before those of which it is a prefix.
    largest = int(ids.max()) + 1
    dtype = next(d for d in (">u1", ">u2", ">u4") if largest <= np.iinfo(d).max)
    tokens_a_word = 8 // np.dtype(dtype).itemsize
    n_words = min(_N_WORDS, -(-int(lengths.max()) // tokens_a_word))
    n_compared = n_words * tokens_a_word
    heads = np.zeros((len(starts), n_compared), dtype=dtype)
    is_compared = step < n_compared
    heads[sequence[is_compared], step[is_compared]] = ids[rows[is_compared]] + 1
    keys = list(heads.view(">u8").astype(np.uint64).T[::-1])
    is_long = lengths.max() > n_compared
    if is_long:  # so that equal sequences are adjacent
        digests = _digests(ids[rows], step, lengths)
        keys = [digests, lengths, *keys]
    order = np.lexsort(keys)
    heads, lengths = heads[order], lengths[order]

    differs = heads[1:] != heads[:-1]
    shared = np.where(differs.any(axis=1), differs.argmax(axis=1), n_compared)
    shared = np.append(0, np.minimum(shared, lengths[1:]))
    if is_long:
        digests = digests[order]
        candidates = 1 + np.flatnonzero(
            (shared[1:] == n_compared)
            & (lengths[1:] == lengths[:-1])
            & (lengths[1:] > n_compared)
            & (digests[1:] == digests[:-1])
        )
        is_equal = _are_equal(ids, starts[order], lengths, candidates)
        shared[candidates[is_equal]] = lengths[candidates[is_equal]]
    return order, shared


def _digests(ids, step, lengths):
    """Compute a number per sequence: equal for equal sequences, rarely for others."""
    powers = np.full(int(lengths.max()), 0x9E3779B97F4A7C15, dtype=np.uint64)
    powers = np.cumprod(powers)  # modulo 2^64
    terms = (ids + 1).astype(np.uint64) * powers[step]
    return np.add.reduceat(terms, np.cumsum(lengths) - lengths)


def _are_equal(ids, starts, lengths, candidates):
    """Return whether each candidate equals the previous sequence, which is as long."""
    n = lengths[candidates]
    if len(n) == 0:
        return np.zeros(0, dtype=bool)
    step = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    here = np.repeat(starts[candidates], n) + step
    before = np.repeat(starts[candidates - 1], n) + step
    differs = ids[here] != ids[before]
    return ~np.logical_or.reduceat(differs, np.cumsum(n) - n)


def prefix_tree(starts, lengths, shared):
    """Arrange the distinct prefixes of sorted sequences in a tree.

    Parameters
    ----------
    starts, lengths, shared : ndarrays of shape (n_sequences,)
        Sorted as by :func:`sort_by_prefix`; `shared` may be an underestimate.

    Returns
    -------
    tree : PrefixTree
    """
    n_sequences = len(starts)
    shared = shared.copy()
    shared[0] = 0  # `shared` may be a part of a longer array
    n_new = lengths - shared  # nodes that each sequence adds, from step `shared` on
    sequence = np.repeat(np.arange(n_sequences), n_new)
    step = np.arange(len(sequence)) - np.repeat(
        np.cumsum(n_new) - n_new - shared, n_new
    )
    if lengths.max() <= np.iinfo(np.uint16).max:
        step = step.astype(np.uint16)  # the stable sort of uint16 is a radix sort
    order = np.argsort(step, kind="stable")
    step, sequence = step[order].astype(np.int64), sequence[order]
    sizes = np.bincount(step)
    first = np.cumsum(sizes) - sizes

    # The prefix of sequence i up to a step is a node of i, or of the last sequence
    # before i that has a node at this step. The pairs (step, sequence) of all nodes are
    # sorted.
    pairs = step * n_sequences + sequence

    def node_in_level(step, sequence):
        at = np.searchsorted(pairs, step * n_sequences + sequence, side="right") - 1
        return at - first[step]

    later = sizes[0]
    parents = node_in_level(step[later:] - 1, sequence[later:])
    end_order = np.argsort(lengths, kind="stable")
    end_nodes = node_in_level(lengths[end_order] - 1, end_order)
    n_ended = np.cumsum(np.bincount(lengths - 1, minlength=len(sizes)))[:-1]
    ends = zip(np.split(end_order, n_ended), np.split(end_nodes, n_ended), strict=True)
    return PrefixTree(
        rows=np.split(starts[sequence] + step, first[1:]),
        parents=np.split(parents, first[2:] - later) if len(sizes) > 1 else [],
        ends=list(ends),
    )
