"""What a word is made of: its lowercase form, its beginning, its ending and its shape.

Each distinct word is taken apart once; steps look up the row of their word in a table.
A word that was not in the training data is then read by what it shares with others, as
taggers [1]_ and fastText [2]_ read it.

References
----------
.. [1] Ratnaparkhi (1996), "A Maximum Entropy Model for Part-Of-Speech Tagging", EMNLP.
.. [2] Bojanowski et al. (2017), "Enriching Word Vectors with Subword Information",
   TACL 5.
"""

from itertools import chain, groupby
from numbers import Integral
from operator import index

import numpy as np

N_SUBWORDS = 4
# Characters of a beginning or an ending. On the training parts of three sets of
# sentences, beginnings and endings of 1 to 4 characters, or all n-grams of 3, or of 2
# to 5, were no better, and took up to three times as long.
_LENGTH = 3


def subwords_of(word):
    """The subwords of a word; "<" and ">" mark where it begins and ends.

    Parameters
    ----------
    word : str or int
        An integer has no subwords.

    Returns
    -------
    subwords : list of str or None, of length N_SUBWORDS
        In lowercase, the word, its first characters and its last ones, both None if it
        has no more characters than these; and its shape.
    """
    if not isinstance(word, str):
        return [None] * N_SUBWORDS
    lower, first, last = word.lower(), None, None
    if len(lower) > _LENGTH:
        first, last = f"<{lower[:_LENGTH]}", f"{lower[-_LENGTH:]}>"
    return [f"<{lower}>", first, last, _shape(word)]


def _shape(word):
    """The kinds of the characters of a word, without repetitions: "Xx" for "Word".

    X is an uppercase letter, x any other, 0 a digit; the rest stands for itself.
    """
    return "".join(kind for kind, _ in groupby(map(_kind, word)))


def _kind(character):
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return "0" if character.isdigit() else character


def learn_subwords(sequences, first_id, min_df=1, max_features=None):
    """Number the distinct subwords of all words, in sorted order.

    Parameters
    ----------
    sequences : Sequences of kind "words" or "tokens"
    first_id : int
    min_df : int or float, default=1
        Minimum number, or minimum fraction, of the sequences that contain a subword.
    max_features : int, default=None
        Maximum number of subwords; the most frequent ones are kept.

    Returns
    -------
    known : dict of str -> int
    """
    number_of, parts = {}, []
    for word in sequences.tokens:
        names = [name for name in subwords_of(word) if name is not None]
        parts.append([number_of.setdefault(name, len(number_of)) for name in names])
    n_words = np.bincount(sequences.values, minlength=len(parts))
    counts = _sums(parts, n_words, len(number_of))
    n_sequences = counts
    least = min_df if isinstance(min_df, Integral) else min_df * len(sequences)
    if least > 1:
        n_sequences = _count_sequences(parts, sequences, len(number_of))
    names = [
        (-count, name)
        for name, count, n in zip(number_of, counts, n_sequences, strict=True)
        if n >= max(1, least)
    ]
    kept = sorted(name for _, name in sorted(names)[:max_features])
    return {name: i for i, name in enumerate(kept, start=first_id)}


def _sums(parts, n_words, n_subwords):
    """How often each subword occurs, given how often each word does."""
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    flat = np.fromiter(chain.from_iterable(parts), np.int64, int(lengths.sum()))
    return np.bincount(flat, np.repeat(n_words, lengths), n_subwords).astype(np.int64)


def _count_sequences(parts, sequences, n_subwords):
    """In how many sequences each subword occurs."""
    counts = np.zeros(n_subwords, dtype=np.int64)
    bounds = zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)
    for start, stop in bounds:
        words = set(sequences.values[start:stop].tolist())
        counts[list({part for word in words for part in parts[word]})] += 1
    return counts


def find_subwords(words, known, absent):
    """The ids of the subwords of words.

    Parameters
    ----------
    words : list of str or int
    known : dict of str -> int
    absent : int
        The id of subwords that a word does not have.

    Returns
    -------
    ids : ndarray of shape (len(words), N_SUBWORDS), int32
        0 for subwords that are not known.
    """
    id_of = {**known, None: absent}
    ids = [index(id_of.get(name, 0)) for word in words for name in subwords_of(word)]
    return np.array(ids, dtype=np.int32).reshape(-1, N_SUBWORDS)
