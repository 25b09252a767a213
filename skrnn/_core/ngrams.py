"""The n-grams that end at each step, found without a Python loop over steps.

Lengths are processed in increasing order: the n-gram that ends at a step is the
(n - 1)-gram that ends at the previous step, followed by one more token. Since n-grams
and tokens are numbered, a pair of them is one number, and all steps are looked up at
once.
"""

import numpy as np

# Maximum number of possible pairs for a look-up table with an entry for each: 64 MB.
_MAX_TABLE = 2**24


def count_grams(numbers, offsets, max_n, by_sequence=True):
    """Count the distinct n-grams of sequences, for n from 1 to `max_n`.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int
        The tokens of all sequences as numbers from 0, concatenated.
    offsets : ndarray of shape (n_samples + 1,)
    max_n : int
    by_sequence : bool, default=True
        Whether to also count the sequences that contain each n-gram.

    Yields
    ------
    grams : ndarray of shape (n_grams, n), for n from 1 to `max_n`
        The n-grams in sorted order, each as the numbers of its tokens.
    counts, n_sequences : ndarrays of shape (n_grams,)
        How often each n-gram occurs, and in how many sequences; both are equal unless
        `by_sequence`.
    """
    n_tokens = int(numbers.max()) + 1
    is_first = _is_first(numbers, offsets)
    ends_here = np.ones(len(numbers), dtype=bool)  # whether an n-gram ends here
    gram_at = np.zeros(len(numbers), dtype=np.int32)  # the (n - 1)-gram there
    grams = np.zeros((1, 0), dtype=np.int64)
    for n in range(1, max_n + 1):
        if n > 1:
            ends_here[1:] = ends_here[:-1] & ~is_first[1:]
            ends_here[0] = False
        rows = np.flatnonzero(ends_here)
        if len(rows) == 0:
            return
        before = gram_at[rows - 1].astype(np.int64) if n > 1 else 0
        pairs = before * n_tokens + numbers[rows]
        distinct, gram, counts = _distinct(pairs, len(grams) * n_tokens)
        gram_at[rows] = gram
        grams = np.column_stack([grams[distinct // n_tokens], distinct % n_tokens])
        n_sequences = counts
        if by_sequence:
            n_samples = len(offsets) - 1
            sequence = np.repeat(np.arange(n_samples), np.diff(offsets))[rows]
            # Sorted by themselves: np.unique may use a table, in many times the time.
            occurrences = np.sort(gram.astype(np.int64) * n_samples + sequence)
            is_first_there = np.append(True, occurrences[1:] != occurrences[:-1])
            n_sequences = np.bincount(occurrences[is_first_there] // n_samples)
        yield grams, counts, n_sequences


def _is_first(numbers, offsets):
    """Return whether each row is the first step of its sequence."""
    is_first = np.zeros(len(numbers) + 1, dtype=bool)
    is_first[offsets[:-1]] = True  # of the next one, for a sequence without steps
    return is_first[:-1]


def _distinct(numbers, limit):
    """Return the distinct numbers, the place of each number in them, and their counts.

    All numbers are below `limit`.
    """
    if limit > _MAX_TABLE:
        return np.unique(numbers, return_inverse=True, return_counts=True)
    counts = np.bincount(numbers, minlength=limit)
    distinct = np.flatnonzero(counts)
    places = np.zeros(limit, dtype=np.int32)
    places[distinct] = np.arange(len(distinct))
    return distinct, places[numbers], counts[distinct]


def make_table(numbers, offsets, ids):
    """Arrange n-grams for :func:`look_up`, as a trie in arrays.

    Each n-gram is a node of the trie, and so is each prefix of an n-gram. A node of
    depth n stands for a pair of a node of depth n - 1 and a token.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int64
        The tokens of all n-grams as numbers from 0, concatenated.
    offsets : ndarray of shape (n_grams + 1,)
    ids : ndarray of shape (n_grams,), int
        The ids of the n-grams, from 1.

    Returns
    -------
    table : dict
        ``n_tokens``; ``pairs``, for each depth the sorted pairs as numbers; and
        ``ids``, for each depth the id of each node, 0 if it is not an n-gram.
    """
    lengths = np.diff(offsets)
    longest_first = np.argsort(-lengths, kind="stable")
    starts, lengths = offsets[:-1][longest_first], lengths[longest_first]
    ids = ids[longest_first]
    n_tokens = 1 + int(numbers.max(initial=-1))
    table = {"n_tokens": n_tokens, "pairs": [], "ids": []}
    nodes = np.zeros(len(starts), dtype=np.int64)
    for depth in range(1, int(lengths.max(initial=0)) + 1):
        n = np.searchsorted(-lengths, -depth, side="right")  # at least this long
        pairs = nodes[:n] * n_tokens + numbers[starts[:n] + (depth - 1)]
        distinct, nodes = np.unique(pairs, return_inverse=True)
        id_of = np.zeros(len(distinct), dtype=np.int32)
        ends_here = lengths[:n] == depth
        id_of[nodes[ends_here]] = ids[:n][ends_here]
        table["pairs"].append(distinct)
        table["ids"].append(id_of)
    return table


def look_up(table, numbers, offsets, min_n, max_n, absent):
    """Return the ids of the n-grams that end at each step.

    Parameters
    ----------
    table : dict
        What :func:`make_table` returned.
    numbers : ndarray of shape (n_rows,), int
        The tokens of all sequences as numbers, concatenated; -1 for tokens that occur
        in no n-gram.
    offsets : ndarray of shape (n_samples + 1,)
    min_n, max_n : int
    absent : int
        The id of n-grams that would begin before their sequence.

    Returns
    -------
    ids : ndarray of shape (n_rows, max_n - min_n + 1), int32
        0 for n-grams that are not in the table.
    """
    n_tokens, n_nodes = table["n_tokens"], 1
    if numbers.min(initial=-1) < -1 or numbers.max(initial=-1) >= n_tokens:
        raise IndexError(f"its tokens are not numbered from 0 to {n_tokens - 1}")
    ids = np.zeros((len(numbers), max_n - min_n + 1), dtype=np.int32)
    is_first = _is_first(numbers, offsets)
    node_at = np.zeros(len(numbers), dtype=np.int32)  # of depth - 1; -1 for none
    for depth in range(1, min(max_n, len(table["pairs"])) + 1):
        goes_on = numbers >= 0
        if depth > 1:
            goes_on[1:] &= (node_at[:-1] >= 0) & ~is_first[1:]
            goes_on[:1] = False
        rows = np.flatnonzero(goes_on)
        before = node_at[rows - 1].astype(np.int64) if depth > 1 else 0
        distinct = table["pairs"][depth - 1]
        pairs = before * n_tokens + numbers[rows]
        nodes = _places(pairs, distinct, n_nodes * n_tokens)
        node_at.fill(-1)
        node_at[rows] = nodes
        if depth >= min_n:
            found = table["ids"][depth - 1][nodes]
            found[nodes < 0] = 0
            ids[rows, depth - min_n] = found
        n_nodes = len(distinct)
    for n in range(max(2, min_n), max_n + 1):
        # The first n - 1 steps of each sequence, or all if it has fewer.
        rows = offsets[:-1, np.newaxis] + np.arange(n - 1)
        ids[rows[rows < offsets[1:, np.newaxis]], n - min_n] = absent
    return ids


def _places(numbers, distinct, limit):
    """Return the place of each number in `distinct`, which is sorted, or -1."""
    if limit <= min(_MAX_TABLE, 16 * len(numbers)):  # else filling it is slower
        places = np.full(limit, -1, dtype=np.int32)
        places[distinct] = np.arange(len(distinct))
        return places[numbers]
    places = np.minimum(np.searchsorted(distinct, numbers), len(distinct) - 1)
    return np.where(distinct[places] == numbers, places, -1).astype(np.int32)
