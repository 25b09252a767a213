"""From strings to characters or words, in the ways of scikit-learn's vectorisers."""

import re

from skrnn._core.descriptions import describe
from skrnn._core.sequences import read_sequences, read_words

TOKEN_PATTERN = r"\w+|[^\w\s]"


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
        If X is empty, a string has no characters or words, or `token_pattern` cannot
        be used.
    """
    if (lowercase or strip_accents) and all(isinstance(item, str) for item in X):
        # The order of CountVectorizer.
        X = [item.lower() for item in X] if lowercase else X
        X = _stripped(X, strip_accents) if strip_accents else X
    if kind == "text":
        return read_sequences(X, "text")
    # Under the default pattern NUL is a word by itself, and it is rare.
    separator = "\0" if token_pattern == TOKEN_PATTERN else None
    return read_words(X, _compiled(token_pattern).findall, separator)


def _stripped(X, strip_accents):
    """The strings as `strip_accents` leaves them."""
    if not callable(strip_accents):
        # Imported late, as it takes a twentieth of the time of importing skrnn.
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
    for i, (before, after) in enumerate(zip(X, stripped, strict=True)):
        if not isinstance(after, str):
            raise TypeError(
                f"strip_accents made {describe(after)} of X[{i}]: a string was "
                "expected. Use a function from strings to strings."
            )
        if before and not after:
            raise ValueError(
                f"strip_accents left nothing of X[{i}], {before[:40]!r}: a sequence "
                "needs at least one step. Drop it, or use strip_accents=None."
            )
    return stripped


def _compiled(token_pattern):
    """The regular expression for a word."""
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
