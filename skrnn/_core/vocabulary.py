"""Token -> id, as a plain dict; the n-grams of tokens, too.

Id 0 is the unknown token: whatever was not in the training data. A gram is a string of
characters, words with a space between them, or a tuple of tokens; a gram of one is the
token itself.
"""

from numbers import Integral

import numpy as np

from skrnn._core.ngrams import count_grams, look_up, make_table

UNKNOWN = 0


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
    codes, tokens = _sorted_codes(sequences)
    least = min_df if isinstance(min_df, Integral) else min_df * len(sequences)
    grams, counts = [], []
    found = count_grams(codes, sequences.offsets, ngram_range[1])
    for n, (parts, n_times, n_sequences) in enumerate(found, start=1):
        if n < ngram_range[0]:
            continue
        is_kept = n_sequences >= least
        grams += [[tokens[code] for code in gram] for gram in parts[is_kept].tolist()]
        counts.append(n_times[is_kept])
    if max_features is not None and len(grams) > max_features:
        most = np.argsort(-np.concatenate(counts), kind="stable")[:max_features]
        grams = [grams[i] for i in np.sort(most)]
    return number(_join(gram, sequences.kind) for gram in grams)


def number(grams):
    """Ids for grams, in their order, from 1."""
    return {gram: i for i, gram in enumerate(grams, start=1)}


def _sorted_codes(sequences):
    """Tokens numbered in sorted order, and the list of them."""
    if sequences.kind == "text":
        points, codes = np.unique(sequences.values, return_inverse=True)
        return codes, list(map(chr, points.tolist()))
    # By type first: strings and integers have no order between them.
    tokens = sequences.tokens
    order = sorted(
        range(len(tokens)), key=lambda i: (isinstance(tokens[i], str), tokens[i])
    )
    code_of = np.empty(len(order), dtype=np.int64)
    code_of[order] = np.arange(len(order))
    return code_of[sequences.values], [tokens[i] for i in order]


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


def make_encoder(vocabulary, kind):
    """What :func:`encode` needs to find n-grams, as plain arrays.

    Parameters
    ----------
    vocabulary : dict of gram -> int
    kind : {"text", "words", "tokens"}

    Returns
    -------
    encoder : dict
        ``code_of`` numbers the tokens that any gram has, from 0; the rest is of
        :func:`skrnn._core.ngrams.make_table`.
    """
    code_of, grams = {}, {}
    for gram, i in vocabulary.items():
        codes = [code_of.setdefault(token, len(code_of)) for token in split(gram, kind)]
        grams.setdefault(len(codes), []).append((codes, i))
    table = make_table(
        {n: np.array([codes for codes, _ in part]) for n, part in grams.items()},
        {n: np.array([i for _, i in part]) for n, part in grams.items()},
    )
    return {"code_of": code_of, **table}


def encode(sequences, vocabulary, ngram_range=(1, 1), encoder=None):
    """Replace each token by its id; tokens not in the vocabulary become 0.

    Parameters
    ----------
    sequences : Sequences of kind "text", "words" or "tokens"
    vocabulary : dict of gram -> int
    ngram_range : tuple of int, default=(1, 1)
    encoder : dict, default=None
        What :func:`make_encoder` returned; needed for n-grams.

    Returns
    -------
    ids : ndarray of shape (n_rows,) or (n_rows, n_lengths), int32
        With n-grams, those that end at each step; 0 also where there is none yet.
    keys : ndarray of shape (n_rows,), int32
        Equal for steps of equal tokens. Sequences that have the first keys in common
        have the first ids in common.
    """
    if ngram_range == (1, 1):
        ids = _look_up_tokens(sequences, vocabulary, UNKNOWN)
        return ids, ids
    codes = _look_up_tokens(sequences, encoder["code_of"], -1)
    return look_up(encoder, codes, sequences.offsets, *ngram_range), codes + 1


def _look_up_tokens(sequences, number_of, default):
    """The number of the token of each step."""
    if sequences.kind == "text":
        points = [ord(character) for character in number_of if len(character) == 1]
        # Every code point past the largest known one shares the table's last entry.
        table = np.full(max(points, default=0) + 2, default, dtype=np.int32)
        table[points] = [number_of[chr(point)] for point in points]
        return table.take(sequences.values, mode="clip")
    numbers = np.fromiter(
        (number_of.get(token, default) for token in sequences.tokens),
        np.int32,
        len(sequences.tokens),
    )
    return numbers[sequences.values]


def hiding_probabilities(counts, strength=0.25):
    """How often each token is replaced by the unknown token while fitting.

    A token seen `c` times is hidden with probability ``strength / (strength + c)``,
    so that the unknown token is trained in the company of rare tokens, whose like it
    will stand for [1]_.

    References
    ----------
    .. [1] Kiperwasser and Goldberg (2016), "Simple and Accurate Dependency Parsing
       Using Bidirectional LSTM Feature Representations", TACL 4,
       https://aclanthology.org/Q16-1023/ (strength 0.25).
    """
    probabilities = strength / (strength + counts)
    probabilities[UNKNOWN] = 0.0  # it already is the unknown token
    return probabilities
