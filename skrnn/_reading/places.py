"""N-grams with their places, of sequences that all have one length.

Such an n-gram is a tuple of pairs (place, token), so ((3, "G"), (4, "T")) is "GT" at
the places 3 and 4, counted from 0. Where there are few places, there are also pairs of
tokens that are not neighbours.

A table of n-grams knows tokens by their numbers, and nothing of places. So a token has
a different number at each place, and yet another one there for pairs of tokens that are
not neighbours, since these are not counted as n-grams of one token again. To find the
n-grams of a sequence, its steps are written several times, once with each kind of
number, with -1 between.
"""

from itertools import chain, combinations

import numpy as np

from skrnn._core import ngrams, vocabulary

# The maximum number of places for pairs of tokens that are not neighbours: with 8
# places, there are 21 of them.
MAX_FOR_PAIRS = 8
# More than any sequence has, and few enough for numbers of all tokens at all places.
MAX_PLACES = 2**31 - 1
# What a table of n-grams with places has beside that of others.
PARTS = ("n_places", "steps")


def learn_grams(sequences, max_n, min_df, max_features):
    """The n-grams with places that enough sequences contain, those of one token first.

    Parameters
    ----------
    sequences : Sequences of kind "text", "words" or "tokens"
        All of one length.
    max_n : int
        The largest n of neighbours.
    min_df : int
        Minimum number of sequences that contain an n-gram.
    max_features : int
        Maximum number of n-grams; the most frequent ones are kept.

    Returns
    -------
    grams : list of tuple
    """
    distinct, numbers = np.unique(sequences.values, return_inverse=True)
    if sequences.kind == "text":
        tokens = list(map(chr, distinct.tolist()))
    else:
        tokens = [sequences.tokens[i] for i in distinct.tolist()]
    numbers = numbers.reshape(len(sequences), -1)
    n_places = numbers.shape[1]
    numbers = numbers + np.arange(n_places) * len(tokens)
    grams, counts = [], []
    pairs = list(map(list, _apart(n_places)))
    for steps in ([*range(n_places)], *pairs):
        offsets = np.arange(len(numbers) + 1) * len(steps)
        longest = max_n if len(steps) == n_places else 2
        found = ngrams.count_grams(numbers[:, steps].ravel(), offsets, longest, False)
        for n, (some, n_sequences, _) in enumerate(found, start=1):
            if n == 1 and steps in pairs:
                continue
            is_kept = n_sequences >= min_df
            grams.append(some[is_kept])
            counts.append(n_sequences[is_kept])
    # Python objects are made of the most frequent ones only: there may be many others.
    most = np.argsort(-np.concatenate(counts), kind="stable")[:max_features]
    is_one = np.zeros(sum(map(len, counts)), bool)
    is_one[most] = True
    of_parts = np.split(is_one, np.cumsum(list(map(len, counts)))[:-1])
    grams = [part[some] for part, some in zip(grams, of_parts, strict=True)]
    n_tokens = len(tokens)
    return [
        tuple((i // n_tokens, tokens[i % n_tokens]) for i in gram)
        for part in grams
        for gram in part.tolist()
    ]


def make_gram_table(ids, kind, n_places):
    """As :func:`skrnn._core.vocabulary.make_gram_table`, with places.

    Parameters
    ----------
    ids : dict of n-gram -> int
        With places and without.
    kind : {"text", "words", "tokens"}
    n_places : int

    Returns
    -------
    table : dict
        With ``n_places``, and ``steps``: the tokens at places that occur in any n-gram,
        sorted. The numbers of all tokens are followed by the places in this array.
    """
    plain = [gram for gram in ids if not has_places(gram)]
    placed = [gram for gram in ids if has_places(gram)]
    tokens, lengths = vocabulary.split_all(plain, kind) if plain else ([], [])
    all_tokens = [*tokens, *(token for _, token in chain.from_iterable(placed))]
    number_of = {token: i for i, token in enumerate(dict.fromkeys(all_tokens))}
    blocks = [0] * len(tokens)
    for gram in placed:
        first = 1 + n_places * _is_apart(gram)
        blocks += [first + place for place, _ in gram]
    numbers = np.fromiter(map(number_of.get, all_tokens), np.int64, len(all_tokens))
    numbers += np.array(blocks, np.int64) * len(number_of)
    steps, after = np.unique(numbers[len(tokens) :], return_inverse=True)
    numbers[len(tokens) :] = len(number_of) + after
    offsets = np.concatenate([[0], np.cumsum([*lengths, *map(len, placed)])])
    ids = np.fromiter((ids[gram] for gram in [*plain, *placed]), np.int64, len(ids))
    table = ngrams.make_table(numbers, offsets, ids)
    return {"n_places": n_places, "steps": steps, "number_of": number_of, **table}


def with_places(numbers, offsets, table):
    """Write the steps of each sequence without places, with places, and as pairs.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int32
        The tokens of sequences as numbers; -1 for those that are in no n-gram.
    offsets : ndarray of shape (n_sequences + 1,)
        Where they are in `numbers`. Sequences may have any length. Steps beyond
        ``n_places`` are in no n-gram with places.
    table : dict
        What :func:`make_gram_table` returned.

    Returns
    -------
    numbers : ndarray of int32
    offsets : ndarray of shape (n_sequences + 1,)
    """
    numbers, offsets = numbers[offsets[0] : offsets[-1]], offsets - offsets[0]
    n_tokens, n_places = len(table["number_of"]), int(table["n_places"])
    n_sequences, lengths = len(offsets) - 1, np.diff(offsets)
    place = np.arange(len(numbers)) - np.repeat(offsets[:-1], lengths)
    is_placed = (numbers >= 0) & (place < n_places)
    placed = np.where(is_placed, numbers + (1 + place) * n_tokens, -1)
    apart = np.array(list(_apart(n_places)), np.int64).reshape(-1, 2)
    n_more = 1 + 3 * len(apart)  # each pair, and -1 before it and before all steps
    starts = 2 * offsets + n_more * np.arange(n_sequences + 1)
    written = np.full(starts[-1], -1, np.int32)
    rows = np.repeat(starts[:-1], lengths) + place
    written[rows] = numbers
    written[rows + np.repeat(lengths + 1, lengths)] = _numbers(placed, n_tokens, table)
    if len(apart):
        at = np.full((n_sequences, n_places), -1, np.int64)
        sequence = np.repeat(np.arange(n_sequences), lengths)
        at[sequence[is_placed], place[is_placed]] = placed[is_placed]
        at[at >= 0] += n_places * n_tokens
        rows = np.arange(-3 * len(apart), 0).reshape(-1, 3)[:, 1:]
        rows = starts[1:, np.newaxis, np.newaxis] + rows
        written[rows] = _numbers(at, n_tokens, table)[:, apart]
    return written, starts


def _numbers(steps, n_tokens, table):
    """The numbers of tokens at places, -1 for those that are in no n-gram."""
    known = np.append(np.ascontiguousarray(table["steps"], np.int64), MAX_PLACES**2)
    found = np.searchsorted(known, steps)
    return np.where(known[found] == steps, n_tokens + found, -1)


def has_places(gram):
    """Whether an n-gram, of any kind of tokens, is one with places."""
    return isinstance(gram, tuple) and isinstance((*gram, None)[0], tuple)


def _apart(n_places):
    """The pairs of places that are not neighbours, if there are few."""
    if n_places > MAX_FOR_PAIRS:
        return []
    return [(i, j) for i, j in combinations(range(n_places), 2) if j > i + 1]


def _is_apart(gram):
    return len(gram) == 2 and gram[1][0] != gram[0][0] + 1
