"""From strings to characters or words, similar to scikit-learn's vectorisers."""

import re
from itertools import chain
from typing import NamedTuple

import numpy as np

from skrnn._core.imports import import_lock, kernel_imports
from skrnn._core.sequences import Sequences
from skrnn._messages import describe, mixed_kinds, no_sequences
from skrnn._reading.offsets import offsets_of
from skrnn._reading.token_lists import Numbering

TOKEN_PATTERN = r"\w+|[^\w\s]"
# Strings of fewer words are rarely sentences: names of people and things have up to
# three. The words of sentences say more than their characters, of which there are five
# times as many (questions by topic: 0.88 against 0.82, in a third of the time;
# validated on training data).
_WORDS_OF_A_SENTENCE = 4
# With fewer strings, looking for equal ones takes longer than it saves.
_MIN_SHARING = 64
# Number of strings whose words are in memory at once.
_STRINGS_AT_A_TIME = 2**14


def read_text(X, kind, *, lowercase, strip_accents, token_pattern):
    """Read strings.

    Parameters
    ----------
    X : list or tuple of str
    kind : {"text", "words"}
    lowercase : bool
    strip_accents : {"ascii", "unicode"}, callable or None
    token_pattern : str
        Regular expression that matches a word, for "words".

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If an item is not a string.
    ValueError
        If X is empty, or `token_pattern` cannot be used.
    """
    if all(isinstance(item, str) for item in X):
        X = preprocessed(X, lowercase, strip_accents)
    if kind == "text":
        return read_characters(X)
    # With the default pattern, NUL is always a word of its own, and it is rare.
    separator = "\0" if token_pattern == TOKEN_PATTERN else None
    return read_words(X, compiled_pattern(token_pattern).findall, separator)


def preprocessed(X, lowercase, strip_accents):
    """Strings in lowercase, and without accents, if that is wanted."""
    # In the same order as CountVectorizer.
    X = [item.lower() for item in X] if lowercase else X
    return _stripped(X, strip_accents) if strip_accents else X


def are_sentences(X):
    """Whether the median string has as many words as a sentence.

    Parameters
    ----------
    X : list or tuple
        Items that are not strings count as having no words.

    Returns
    -------
    are_sentences : bool

    Notes
    -----
    Words are separated by whitespace here, whatever `token_pattern` is, and have a
    letter.
    """
    n_words = [_count_words(item) if isinstance(item, str) else 0 for item in X]
    return len(X) > 0 and bool(np.median(n_words) >= _WORDS_OF_A_SENTENCE)


def _count_words(text):
    return sum(any(map(str.isalpha, word)) for word in text.split())


def _stripped(X, strip_accents):
    """The strings after applying `strip_accents`."""
    if not callable(strip_accents):
        # Imported lazily: it would add a twentieth to the import time of skrnn.
        with import_lock:
            from sklearn.feature_extraction import text

        strip = getattr(text, f"strip_accents_{strip_accents}")
        stripped = [item if item.isascii() else strip(item) for item in X]
    else:
        stripped = []
        for i, item in enumerate(X):
            try:
                stripped.append(strip_accents(item))
            except Exception as error:
                error.add_note(f"strip_accents raised this for X[{i}].")
                raise
    for i, after in enumerate(stripped):
        if not isinstance(after, str):
            raise TypeError(
                f"strip_accents returned {describe(after)} for X[{i}]: a string was "
                "expected. Use a function from strings to strings."
            )
    return stripped


def compiled_pattern(token_pattern):
    """The compiled regular expression for a word."""
    try:
        pattern = re.compile(token_pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(
            f"token_pattern is {token_pattern!r}, which is no regular expression: "
            f"{error}. Escape what is meant literally, as re.escape does."
        ) from error
    if pattern.groups > 1:
        raise ValueError(
            f"token_pattern is {token_pattern!r}, which has {pattern.groups} groups: "
            "at most one, for the word, was expected. Begin the others with (?:."
        )
    return pattern


def read_characters(X):
    """Read strings whose characters are the steps."""
    _check_some(X)
    try:
        text = "".join(X)
    except TypeError:
        _check_strings(X)
        raise
    lengths = np.fromiter(map(len, X), dtype=np.int64, count=len(X))
    return Sequences("text", _code_points(text), offsets_of(lengths))


def _code_points(text):
    """The code points of a string, in the smallest sufficient integer type.

    With "surrogatepass", a lone surrogate is a character like any other.
    """
    try:
        return np.frombuffer(text.encode("latin-1"), dtype=np.uint8)
    except UnicodeEncodeError:
        encoded = text.encode("utf-16-le", "surrogatepass")
    if len(encoded) > 2 * len(text):  # some characters need two code units
        encoded = text.encode("utf-32-le", "surrogatepass")
        return np.frombuffer(encoded, dtype="<u4")
    return np.frombuffer(encoded, dtype="<u2")


def read_words(X, split, separator=None):
    """Read the words of strings.

    Parameters
    ----------
    X : list or tuple of str
    split : callable
        ``split(string)`` returns its words, a list of strings.
    separator : str, default=None
        A character that is always a word of its own. If given, many strings are split
        at once, which takes two thirds of the time.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If an item is not a string.
    ValueError
        If X is empty.
    """
    _check_some(X)
    numbering = Numbering()
    numbering.of([separator or ""], 1)  # number 0
    places, lengths = [], []
    for start in range(0, len(X), _STRINGS_AT_A_TIME):
        part = X[start : start + _STRINGS_AT_A_TIME]
        try:
            found = _split_together(part, split, separator, numbering)
            found = found or _split_each(part, split, numbering)
        except TypeError:
            _check_strings(X)
            raise
        places.append(found[0])
        lengths.append(found[1])
    offsets = offsets_of(np.concatenate(lengths))
    return Sequences("words", np.concatenate(places), offsets, numbering.known)


def _split_each(X, split, numbering):
    """The numbers of the words of all strings, and the word count of each string."""
    words = list(map(split, X))
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    return numbering.of(chain.from_iterable(words), int(lengths.sum())), lengths


def _split_together(X, split, separator, numbering):
    """As `_split_each`, in one call; None if the strings contain the separator."""
    if separator is None:
        return None
    words = split(separator.join(X))
    if words.count(separator) != len(X) - 1:  # a string contains it
        return None
    places = numbering.of(words, len(words))
    bounds = np.concatenate([[-1], np.flatnonzero(places == 0), [len(places)]])
    return places[places != 0], np.diff(bounds) - 1


def _check_some(X):
    if len(X) == 0:
        raise ValueError(no_sequences())


def _check_strings(X):
    for i, item in enumerate(X):
        if not isinstance(item, str):
            raise TypeError(mixed_kinds(item, i, "text")) from None


def has_spaces(sequences):
    """Whether there are words with spaces, so that n-grams of words are ambiguous."""
    return sequences.kind == "words" and any(" " in word for word in sequences.tokens)


class EachOnce(NamedTuple):
    """Sequences without repetitions.

    Attributes
    ----------
    sequences : Sequences
        The distinct ones.
    positions : ndarray of int64, or None
        Where each of them occurs first among all sequences. None if no sequence has
        been left out.
    places : ndarray of int64, or slice
        For each of all sequences, the place of its equal in `sequences`.
    """

    sequences: Sequences
    positions: np.ndarray | None = None
    places: np.ndarray | slice = slice(None)


def each_once(sequences):
    """Leave out strings, such as names, that are equal to an earlier one.

    Parameters
    ----------
    sequences : Sequences
        If they are of another kind, all are kept.

    Returns
    -------
    once : EachOnce
    """
    n = len(sequences)
    if sequences.kind not in ("text", "words") or n < _MIN_SHARING:
        return EachOnce(sequences)
    with kernel_imports():
        from skrnn._core import distinct

    slots = np.full(2 ** (2 * n).bit_length(), -1, np.int64)
    positions, places = np.empty(n, np.int64), np.empty(n, np.int64)
    n_distinct = distinct.number(
        sequences.values, sequences.offsets, slots, positions, places
    )
    if n_distinct == n:
        return EachOnce(sequences)
    positions = positions[:n_distinct]
    return EachOnce(sequences.take(positions), positions, places)
