"""From strings to characters or words, in the ways of scikit-learn's vectorisers."""

import re

from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

from skrnn._core.sequences import read_sequences, read_words

TOKEN_PATTERN = r"\w+|[^\w\s]"
_STRIPPERS = {"ascii": strip_accents_ascii, "unicode": strip_accents_unicode}


def read_text(X, kind, *, lowercase, strip_accents, token_pattern):
    """Read strings.

    Parameters
    ----------
    X : list or tuple of str
    kind : {"text", "words"}
    lowercase : bool
    strip_accents : {"ascii", "unicode"}, callable or None
    token_pattern : str
        What a word is, for "words".

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If an item is not a string.
    ValueError
        If X is empty, or a string has no characters or words.
    """
    strip = _STRIPPERS.get(strip_accents, strip_accents)
    if (lowercase or strip) and all(isinstance(item, str) for item in X):
        # The order of CountVectorizer.
        X = [item.lower() for item in X] if lowercase else X
        X = [_stripped(strip, item) for item in X] if strip else X
    if kind == "text":
        return read_sequences(X, "text")
    # Under the default pattern NUL is a word by itself, and it is rare.
    separator = "\0" if token_pattern == TOKEN_PATTERN else None
    return read_words(X, re.compile(token_pattern).findall, separator)


def _stripped(strip, string):
    return (
        string if string.isascii() and strip in _STRIPPERS.values() else strip(string)
    )
