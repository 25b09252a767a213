"""The n-grams that end at each step, found without a Python loop over steps.

Grams of one length after the other: the gram of length n that ends at a step is that of
length n - 1 that ends at the step before, and one more token. Gram and token are
numbers, so a pair of them is one number, and all steps are looked up at once.
"""

import numpy as np


def count_grams(codes, offsets, max_n):
    """The distinct n-grams of sequences, up to a length.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,), int
        Tokens as numbers from 0, end to end.
    offsets : ndarray of shape (n_samples + 1,)
    max_n : int

    Yields
    ------
    grams : ndarray of shape (n_grams, n), for n from 1 to `max_n`
        The codes of the tokens of each, sorted.
    counts, n_sequences : ndarrays of shape (n_grams,)
        How often each occurs, and in how many sequences.
    """
    codes = codes.astype(np.int64)
    n_codes = int(codes.max()) + 1
    sequence = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    step = np.arange(len(codes)) - offsets[sequence]
    ends = np.arange(len(codes))  # rows at which a gram of this length ends
    gram_of = np.zeros(len(codes), dtype=np.int64)  # of length n - 1, by row
    grams = np.zeros((1, 0), dtype=np.int64)
    for n in range(1, max_n + 1):
        ends = ends[step[ends] >= n - 1]
        if len(ends) == 0:
            return
        before = gram_of[ends - 1] if n > 1 else 0
        pairs = before * n_codes + codes[ends]
        distinct, gram, counts = np.unique(
            pairs, return_inverse=True, return_counts=True
        )
        gram_of[ends] = gram
        grams = np.column_stack([grams[distinct // n_codes], distinct % n_codes])
        occurrences = np.unique(gram * len(offsets) + sequence[ends])
        n_sequences = np.bincount(occurrences // len(offsets), minlength=len(distinct))
        yield grams, counts, n_sequences


def make_table(grams, ids):
    """Lay out n-grams for :func:`look_up`, as a trie in arrays.

    Each gram is a node of the trie, and so is all that a gram begins with. A node of
    depth n stands for a pair: a node of depth n - 1, and a token.

    Parameters
    ----------
    grams : dict of int -> ndarray of shape (n_grams, n), int64
        The codes of their tokens, for each length n that there is.
    ids : dict of int -> ndarray of shape (n_grams,), int64
        Their numbers, from 1.

    Returns
    -------
    table : dict
        ``n_codes``; and for each depth ``pairs``, sorted arrays of the pairs as
        numbers, and ``ids``, arrays of the number of each node, 0 if it is no gram.
    """
    n_codes = 1 + max((int(part.max()) for part in grams.values()), default=0)
    table = {"n_codes": n_codes, "pairs": [], "ids": []}
    nodes = {n: np.zeros(len(part), dtype=np.int64) for n, part in grams.items()}
    for depth in range(1, max(grams, default=0) + 1):
        pairs = {
            n: nodes[n] * n_codes + part[:, depth - 1]
            for n, part in grams.items()
            if n >= depth
        }
        distinct = np.unique(np.concatenate(list(pairs.values())))
        for n, part in pairs.items():
            nodes[n] = np.searchsorted(distinct, part)
        id_of = np.zeros(len(distinct), dtype=np.int32)
        if depth in grams:
            id_of[nodes[depth]] = ids[depth]
        table["pairs"].append(distinct)
        table["ids"].append(id_of)
    return table


def look_up(table, codes, offsets, min_n, max_n):
    """The numbers of the n-grams that end at each step.

    Parameters
    ----------
    table : dict
        What :func:`make_table` returned.
    codes : ndarray of shape (n_rows,), int
        Tokens as numbers, end to end; -1 for those that no gram has.
    offsets : ndarray of shape (n_samples + 1,)
    min_n, max_n : int

    Returns
    -------
    ids : ndarray of shape (n_rows, max_n - min_n + 1), int32
        0 for grams that are not there, and where the sequence has just begun.
    """
    ids = np.zeros((len(codes), max_n - min_n + 1), dtype=np.int32)
    is_first = np.zeros(len(codes), dtype=bool)
    is_first[offsets[:-1]] = True
    # Rows at which a gram that is there ends, and its node.
    rows, nodes = np.flatnonzero(codes >= 0), 0
    for depth in range(1, min(max_n, len(table["pairs"])) + 1):
        if depth > 1:
            node_at = np.full(len(codes) + 1, -1, dtype=np.int64)
            node_at[rows + 1] = nodes
            node_at = node_at[:-1]  # that of the step before
            rows = np.flatnonzero((node_at >= 0) & (codes >= 0) & ~is_first)
            nodes = node_at[rows]
        pairs = nodes * table["n_codes"] + codes[rows].astype(np.int64)
        distinct = table["pairs"][depth - 1]
        nodes = np.minimum(np.searchsorted(distinct, pairs), len(distinct) - 1)
        is_there = distinct[nodes] == pairs
        rows, nodes = rows[is_there], nodes[is_there]
        if depth >= min_n:
            ids[rows, depth - min_n] = table["ids"][depth - 1][nodes]
    return ids
