"""Token or n-gram -> id, as a plain dict.

Id 0 is the unknown token, which stands for all tokens that were not in the training
data. Subwords come after the tokens and n-grams. With n-grams or subwords, the id after
the last one stands for all that are absent: n-grams that would begin before their
sequence, and subwords that a token is too short for. An n-gram is a string of
characters, a string of words separated by spaces, or a tuple of tokens; an n-gram of
one token is the token itself.
"""

from itertools import chain
from operator import index

import numpy as np

from skrnn._core.ngrams import look_up, make_table
from skrnn._core.subwords import OF_SENTENCES, find_features, find_subwords

UNKNOWN = 0
# The output that ends a sequence. Any other output i predicts the token with id i. No
# output predicts unknown tokens, because they cannot be told apart.
END = 0
_MAX_ROWS = 2**20  # processed at once


def number(grams):
    """Assign ids to n-grams, in their order, from 1."""
    return {gram: i for i, gram in enumerate(grams, start=1)}


def count_numbers(numbers, minlength=0):
    """Call np.bincount in parts, since it makes a copy with 64 bits per entry."""
    n_counts = max(minlength, int(numbers.max(initial=0)) + 1)
    counts = np.zeros(n_counts, dtype=np.int64)
    for rows in _parts(len(numbers)):
        counts += np.bincount(numbers[rows], minlength=len(counts))
    return counts


def _parts(n_rows):
    """Return slices of at most `_MAX_ROWS` rows."""
    return [slice(i, i + _MAX_ROWS) for i in range(0, n_rows, _MAX_ROWS)]


def split_all(grams, kind):
    """Return the tokens of all n-grams, end to end, and the length of each n-gram."""
    if kind == "text":
        return "".join(grams), list(map(len, grams))
    if kind == "words":
        return " ".join(grams).split(" "), [gram.count(" ") + 1 for gram in grams]
    parts = [gram if isinstance(gram, tuple) else (gram,) for gram in grams]
    return list(chain.from_iterable(parts)), list(map(len, parts))


def longest_gram(vocabulary, kind):
    """Return the number of tokens of the longest n-gram."""
    return max(split_all(vocabulary, kind)[1])


def make_gram_table(vocabulary, kind):
    """Make the table that :func:`find_ids` needs to find n-grams, as plain arrays.

    Parameters
    ----------
    vocabulary : dict of n-gram -> int
    kind : {"text", "words", "tokens"}

    Returns
    -------
    table : dict
        ``number_of`` numbers the tokens that occur in any n-gram, from 0; the other
        entries are those of :func:`skrnn._core.ngrams.make_table`.
    """
    tokens, lengths = split_all(vocabulary, kind)
    number_of = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    numbers = np.fromiter(map(number_of.get, tokens), np.int64, len(tokens))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = np.fromiter(vocabulary.values(), np.int64, len(vocabulary))
    return {"number_of": number_of, **make_table(numbers, offsets, ids)}


def find_ids(
    sequences,
    vocabulary,
    ngram_range=(1, 1),
    table=None,
    subwords=None,
    parts=OF_SENTENCES,
):
    """Replace each token by its id; tokens not in the vocabulary become 0.

    Parameters
    ----------
    sequences : Sequences of kind "text", "words", "tokens" or "features"
    vocabulary : dict of n-gram -> int
    ngram_range : tuple of int, default=(1, 1)
    table : dict, default=None
        What :func:`make_gram_table` returned; needed for n-grams.
    subwords : dict of str -> int, default=None
        Subwords to find as well. None to find none.
    parts : Parts, default=OF_SENTENCES
        Which subwords those are.

    Returns
    -------
    ids : ndarray of shape (n_rows,) or (n_rows, n_at_a_step), int32
        With n-grams, the ids of those that end at each step; with subwords, these
        follow. The last id of :func:`n_ids` stands for those that are absent. The ids
        of features are padded with 0.
    keys : ndarray of shape (n_rows,), int32
        Equal for steps with equal tokens. Sequences with the same first keys have the
        same first ids.
    """
    if sequences.kind == "features":
        ids = find_features(sequences.tokens, vocabulary)
        return ids[sequences.values], sequences.values + np.int32(1)
    absent = n_ids(vocabulary, ngram_range, subwords) - 1
    if ngram_range == (1, 1):
        ids = keys = look_up_tokens(sequences, vocabulary, UNKNOWN)
    else:
        numbers = look_up_tokens(sequences, table["number_of"], -1)
        ids = look_up(table, numbers, sequences.offsets, *ngram_range, absent)
        keys = numbers + 1
    if subwords is None:
        return ids, keys
    # Two unknown tokens may differ in their subwords.
    found = find_subwords(sequences.tokens, subwords, absent, parts)[sequences.values]
    is_unknown = (keys == UNKNOWN) & (found == absent).all(axis=1)
    keys = np.where(is_unknown, UNKNOWN, sequences.values + 1).astype(np.int32)
    return np.column_stack([ids, found]), keys


def numbers_of(sequences, table):
    """Return the number of the token of each step in a table of n-grams, else -1."""
    return look_up_tokens(sequences, table["number_of"], -1)


def check_ids(ids, n_vectors, source="vocabulary_", table="U_"):
    """Raise if there is no vector for some of the ids. The kernels do not check it.

    Parameters
    ----------
    ids : ndarray of int
    n_vectors : int
    source, table : str
        The attributes that hold the ids and the vectors, for messages.

    Raises
    ------
    ValueError
        If ids are negative or too large: an attribute was edited, or its file was
        damaged.
    """
    least, most = int(ids.min(initial=0)), int(ids.max(initial=0))
    if least < 0 or most >= n_vectors:
        raise ValueError(
            f"{source} has ids from {least} to {most}, but {table} has {n_vectors} "
            f"vectors: ids from 0 to {n_vectors - 1} were expected. Undo the changes "
            f"to {source} or {table} since the fit, or fit again."
        )


def n_ids(vocabulary, ngram_range=(1, 1), subwords=None):
    """Return the number of distinct ids that :func:`find_ids` can return."""
    is_plain = ngram_range == (1, 1) and subwords is None
    return len(vocabulary) + len(subwords or ()) + (1 if is_plain else 2)


def look_up_tokens(sequences, number_of, default):
    """Return the number of the token of each step."""
    if sequences.kind == "text" and len(sequences.values) < len(number_of):
        # A few characters need not wait for a table of all that are known.
        found = [number_of.get(chr(point), default) for point in sequences.values]
        return np.array(list(map(index, found)), np.int32)
    if sequences.kind == "text":
        points = [ord(character) for character in number_of if len(character) == 1]
        # Every code point past the largest known one shares the table's last entry.
        table = np.full(max(points, default=0) + 2, default, dtype=np.int32)
        table[points] = [index(number_of[chr(point)]) for point in points]
        return _take(table, sequences.values)
    numbers = np.fromiter(
        (index(number_of.get(token, default)) for token in sequences.tokens),
        np.int32,
        len(sequences.tokens),
    )
    return _take(numbers, sequences.values)


def _take(table, rows):
    """Take entries of a table, the last one for rows beyond its end, in parts."""
    taken = np.empty(len(rows), dtype=table.dtype)
    for part in _parts(len(rows)):
        np.take(table, rows[part], mode="clip", out=taken[part])
    return taken


def weighted_counts(ids, offsets, weight, n_ids):
    """Count how often each id occurs, weighting each sequence.

    Parameters
    ----------
    ids : ndarray of shape (n_rows,) or (n_rows, n_tokens), int
    offsets : ndarray of shape (n_samples + 1,)
    weight : ndarray of shape (n_samples,)
    n_ids : int

    Returns
    -------
    counts : ndarray of shape (n_ids,), float64
    """
    lengths = np.diff(offsets)
    if (weight == weight[0]).all():
        return weight[0] * count_numbers(ids.reshape(-1), n_ids)
    counts = np.zeros(n_ids)
    for part in _parts(len(weight)):
        rows = slice(offsets[part][0], offsets[part][0] + lengths[part].sum())
        n_tokens = 1 if ids.ndim == 1 else ids.shape[1]
        weights = np.repeat(weight[part], lengths[part] * n_tokens)
        counts += np.bincount(ids[rows].reshape(-1), weights, minlength=n_ids)
    return counts


def hiding_probabilities(counts, n_tokens, least=0.0, strength=0.25):
    """Compute the probability of replacing each token by the unknown one while fitting.

    A token seen `c` times is hidden with probability ``strength / (strength + c)``, so
    that the unknown token is trained in the contexts of rare tokens, which resemble the
    tokens that it will stand for [1]_. The probability is at least `least` [2]_.

    Parameters
    ----------
    counts : ndarray of shape (n_ids,)
    n_tokens : int
        Ids from 1 to this number are tokens; no other id is hidden.
    least, strength : float

    Returns
    -------
    probabilities : ndarray of shape (n_ids,)

    References
    ----------
    .. [1] Kiperwasser and Goldberg (2016), "Simple and Accurate Dependency Parsing
       Using Bidirectional LSTM Feature Representations", TACL 4,
       https://aclanthology.org/Q16-1023/ (strength 0.25).
    .. [2] Iyyer et al. (2015), "Deep Unordered Composition Rivals Syntactic Methods
       for Text Classification", ACL (word dropout).
    """
    probabilities = np.maximum(strength / (strength + counts), least)
    probabilities[UNKNOWN] = 0.0  # it already is the unknown token
    probabilities[n_tokens + 1 :] = 0.0
    return probabilities
