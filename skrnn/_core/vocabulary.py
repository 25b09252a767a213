"""Token -> id, as a plain dict; the n-grams of tokens, too.

Id 0 is the unknown token: whatever was not in the training data. The id after the last
one is that of n-grams that would begin before their sequence does. A gram is a string
of characters, words with a space between them, or a tuple of tokens; a gram of one is
the token itself.
"""

from numbers import Integral

import numpy as np

from skrnn._core.ngrams import count_grams, look_up, make_table

UNKNOWN = 0
_MAX_ROWS = 2**20  # of what is computed at once


def learn_vocabulary(sequences, ngram_range=(1, 1), min_df=1, max_features=None):
    """Number the distinct tokens, or n-grams, in sorted order, short ones first.

    Parameters
    ----------
    sequences : Sequences of kind "text", "words" or "tokens"
    ngram_range : tuple of int, default=(1, 1)
        The smallest and the largest n.
    min_df : int or float, default=1
        In how many sequences a gram must be: a number, or a share of them.
    max_features : int, default=None
        At most so many grams, those that occur most often.

    Returns
    -------
    vocabulary : dict of gram -> int
        Ids count from 1; 0 is left for the unknown token. It may be empty.
    """
    least = min_df if isinstance(min_df, Integral) else min_df * len(sequences)
    if tuple(ngram_range) == (1, 1) and least <= 1:  # no need to tell sequences apart
        tokens, counts = _sorted_tokens(sequences)
        grams = [[token] for token in tokens]
        return _most_frequent(grams, counts, max_features, sequences.kind)
    tokens, _ = _sorted_tokens(sequences)
    number_of = {token: i for i, token in enumerate(tokens)}
    numbers = _look_up_tokens(sequences, number_of, -1)
    grams, counts = [], []
    found = count_grams(numbers, sequences.offsets, ngram_range[1], least > 1)
    for n, (parts, n_times, n_sequences) in enumerate(found, start=1):
        if n < ngram_range[0]:
            continue
        is_kept = n_sequences >= least
        grams += [[tokens[i] for i in gram] for gram in parts[is_kept].tolist()]
        counts.append(n_times[is_kept])
    counts = np.concatenate(counts) if counts else np.zeros(0, dtype=np.int64)
    return _most_frequent(grams, counts, max_features, sequences.kind)


def _most_frequent(grams, counts, max_features, kind):
    """The vocabulary of the grams that occur most often."""
    if max_features is not None and len(grams) > max_features:
        most = np.argsort(-counts, kind="stable")[:max_features]
        grams = [grams[i] for i in np.sort(most)]
    return number(_join(gram, kind) for gram in grams)


def number(grams):
    """Ids for grams, in their order, from 1."""
    return {gram: i for i, gram in enumerate(grams, start=1)}


def _sorted_tokens(sequences):
    """The distinct tokens in sorted order, and how often each occurs."""
    counts = _count(sequences.values)
    numbers = np.flatnonzero(counts).tolist()
    if sequences.kind == "text":
        return list(map(chr, numbers)), counts[numbers]
    # By type first: strings and integers have no order between them.
    tokens = sequences.tokens
    numbers.sort(key=lambda i: (isinstance(tokens[i], str), tokens[i]))
    return [tokens[i] for i in numbers], counts[numbers]


def _count(numbers, minlength=0):
    """np.bincount in parts, since it makes a copy of 64 bits an entry."""
    counts = np.zeros(max(minlength, int(numbers.max()) + 1), dtype=np.int64)
    for rows in _parts(len(numbers)):
        counts += np.bincount(numbers[rows], minlength=len(counts))
    return counts


def _parts(n_rows):
    """Slices of at most `_MAX_ROWS`."""
    return [slice(i, i + _MAX_ROWS) for i in range(0, n_rows, _MAX_ROWS)]


def _join(gram, kind):
    """The name of a gram, given its tokens."""
    if kind == "text":
        return "".join(gram)
    if len(gram) == 1:
        return gram[0]
    return " ".join(gram) if kind == "words" else tuple(gram)


def split(gram, kind):
    """The tokens of a gram, given its name."""
    if kind == "text":
        return list(gram)
    if kind == "words":
        return gram.split(" ")
    return list(gram) if isinstance(gram, tuple) else [gram]


def make_gram_table(vocabulary, kind):
    """What :func:`find_ids` needs to find n-grams, as plain arrays.

    Parameters
    ----------
    vocabulary : dict of gram -> int
    kind : {"text", "words", "tokens"}

    Returns
    -------
    table : dict
        ``number_of`` numbers the tokens that any gram has, from 0; the rest is of
        :func:`skrnn._core.ngrams.make_table`.
    """
    number_of, grams = {}, {}
    for gram, i in vocabulary.items():
        numbers = [
            number_of.setdefault(token, len(number_of)) for token in split(gram, kind)
        ]
        grams.setdefault(len(numbers), []).append((numbers, i))
    table = make_table(
        {n: np.array([numbers for numbers, _ in part]) for n, part in grams.items()},
        {n: np.array([i for _, i in part]) for n, part in grams.items()},
    )
    return {"number_of": number_of, **table}


def find_ids(sequences, vocabulary, ngram_range=(1, 1), table=None):
    """Replace each token by its id; tokens not in the vocabulary become 0.

    Parameters
    ----------
    sequences : Sequences of kind "text", "words" or "tokens"
    vocabulary : dict of gram -> int
    ngram_range : tuple of int, default=(1, 1)
    table : dict, default=None
        What :func:`make_gram_table` returned; needed for n-grams.

    Returns
    -------
    ids : ndarray of shape (n_rows,) or (n_rows, n_lengths), int32
        With n-grams, those that end at each step, and ``len(vocabulary) + 1`` for one
        that would begin before the sequence.
    keys : ndarray of shape (n_rows,), int32
        Equal for steps of equal tokens. Sequences that have the first keys in common
        have the first ids in common.
    """
    if ngram_range == (1, 1):
        ids = _look_up_tokens(sequences, vocabulary, UNKNOWN)
        return ids, ids
    numbers = _look_up_tokens(sequences, table["number_of"], -1)
    absent = len(vocabulary) + 1
    ids = look_up(table, numbers, sequences.offsets, *ngram_range, absent)
    return ids, numbers + 1


def n_ids(vocabulary, ngram_range=(1, 1)):
    """How many ids :func:`find_ids` knows."""
    return len(vocabulary) + (1 if ngram_range == (1, 1) else 2)


def _look_up_tokens(sequences, number_of, default):
    """The number of the token of each step."""
    if sequences.kind == "text":
        points = [ord(character) for character in number_of if len(character) == 1]
        # Every code point past the largest known one shares the table's last entry.
        table = np.full(max(points, default=0) + 2, default, dtype=np.int32)
        table[points] = [number_of[chr(point)] for point in points]
        return _take(table, sequences.values)
    numbers = np.fromiter(
        (number_of.get(token, default) for token in sequences.tokens),
        np.int32,
        len(sequences.tokens),
    )
    return _take(numbers, sequences.values)


def _take(table, rows):
    """Entries of a table, its last one for rows beyond its end, in parts as above."""
    taken = np.empty(len(rows), dtype=table.dtype)
    for part in _parts(len(rows)):
        np.take(table, rows[part], mode="clip", out=taken[part])
    return taken


def weighted_counts(ids, offsets, weight, n_ids):
    """How often each id occurs, counting each sequence by its weight.

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
        return weight[0] * _count(ids.reshape(-1), n_ids)
    counts = np.zeros(n_ids)
    for part in _parts(len(weight)):
        rows = slice(offsets[part][0], offsets[part][0] + lengths[part].sum())
        weights = np.repeat(weight[part], lengths[part] * (ids.size // len(ids)))
        counts += np.bincount(ids[rows].reshape(-1), weights, minlength=n_ids)
    return counts


def hiding_probabilities(counts, n_tokens, least=0.0, strength=0.25):
    """How often each token is replaced by the unknown token while fitting.

    A token seen `c` times is hidden with probability ``strength / (strength + c)``,
    so that the unknown token is trained in the company of rare tokens, whose like it
    will stand for [1]_; but at least with probability `least` [2]_.

    Parameters
    ----------
    counts : ndarray of shape (n_ids,)
    n_tokens : int
        Ids from 1 to this number are those of tokens; no other one is hidden.
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
