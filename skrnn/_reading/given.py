"""Tokens and vectors passed by the user: a vocabulary, embeddings."""

from collections import Counter
from collections.abc import Iterator, Mapping
from numbers import Integral

import numpy as np

from skrnn._messages import as_plain, describe


def given_tokens(given, name, kind):
    """The tokens or n-grams that the user passed as parameter `name`, in order."""
    if isinstance(given, (str, Iterator)):
        raise TypeError(
            f"{name} is of type {type(given).__name__}: a list of tokens, or a dict of "
            "token -> int, was expected. Use a list."
        )
    try:
        if isinstance(given, Mapping):
            tokens = sorted(given, key=given.get)
        else:
            tokens = list(given)
    except TypeError as error:
        raise TypeError(
            f"{name} could not be read: a list of tokens, or a dict of token -> int, "
            f"was expected, but {error}. Use a list."
        ) from error
    if not tokens:
        raise ValueError(f"{name} is empty: at least one token is needed.")
    tokens = [_checked_token(token, name, kind) for token in tokens]
    if len(set(tokens)) < len(tokens):
        counts = Counter(tokens)
        again = next(token for token in tokens if counts[token] > 1)
        raise ValueError(f"{name} has {again!r} twice. Drop one of them.")
    if isinstance(given, (set, frozenset)):
        tokens.sort(key=_place)
    return tokens


def _checked_token(token, name, kind):
    """A token or n-gram that the user passed, converted to Python's own types."""
    if kind == "tokens":
        is_gram = isinstance(token, tuple) and len(token) > 1
        parts = tuple(map(as_plain, token if is_gram else (token,)))
        if all(isinstance(part, (str, Integral)) for part in parts):
            return parts if is_gram else parts[0]
        expected = (
            "strings and integers, and n-grams as tuples of two or more of them, were "
            "expected, since X holds token lists"
        )
    else:
        if isinstance(token, str) and (token or kind == "words"):
            return as_plain(token)
        of_kind = "features are strings" if kind == "features" else "X holds strings"
        expected = f"strings were expected, since {of_kind}"
        if kind == "text":
            expected = f"{expected}: of one character, or of n for n-grams"
    what = "an empty string" if isinstance(token, str) else describe(token)
    raise TypeError(f"{name} has {what} among its tokens: {expected}. Drop it.")


def _place(gram):
    """A sort key, since strings and integers cannot be compared."""
    parts = gram if isinstance(gram, tuple) else (gram,)
    return len(parts), [(isinstance(part, str), part) for part in parts]


def read_embeddings(embeddings, kind):
    """Tokens and a matrix, from a dict or from a pair of the two.

    Parameters
    ----------
    embeddings : dict of token -> vector, or pair
    kind : {"text", "words", "tokens"}
        The kind of the sequences.

    Returns
    -------
    tokens : list
    matrix : ndarray of shape (n_tokens, n_dimensions), float32

    Raises
    ------
    TypeError
        If a token cannot occur in sequences of this kind.
    ValueError
        If `embeddings` is neither, or if vectors differ in length or are not finite.
    """
    tokens, vectors = [], []
    if isinstance(embeddings, Mapping) and embeddings:
        tokens = given_tokens(list(embeddings), "embeddings", kind)
        vectors = list(embeddings.values())
    elif len(embeddings) == 2:
        tokens, vectors = embeddings
        vectors = _as_rows(vectors)
        if isinstance(tokens, Mapping) and vectors:
            vectors = _at_rows(vectors, tokens)
        tokens = given_tokens(tokens, "embeddings", kind)
    matrix = _as_matrix(vectors)
    if matrix.ndim != 2 or matrix.size == 0 or len(tokens) != len(matrix):
        raise ValueError(
            "embeddings could not be read: a dict of token -> vector, or a pair of a "
            "vocabulary and a matrix of as many rows, was expected, all vectors of one "
            f"length{_misfit(tokens, vectors)}."
        )
    is_finite = np.isfinite(matrix).all(axis=1)
    if not is_finite.all():
        raise ValueError(
            f"embeddings has numbers that are not finite for "
            f"{tokens[int(np.argmin(is_finite))]!r}. Drop it."
        )
    return tokens, matrix


def _as_rows(matrix):
    """The rows of a matrix, which may be a torch tensor or a layer with a weight."""
    matrix = getattr(matrix, "weight", matrix)
    if hasattr(matrix, "detach"):
        matrix = matrix.detach().cpu().numpy()
    try:
        return list(matrix)
    except TypeError as error:
        raise TypeError(
            f"embeddings has {describe(matrix)} for a matrix: an array of shape "
            "(n_tokens, n_dimensions) was expected."
        ) from error


def _at_rows(vectors, row_of):
    """The vectors of the tokens in a dict of token -> row, in the order of the rows."""
    rows = sorted(row_of.values())
    is_row = all(isinstance(row, Integral) and 0 <= row < len(vectors) for row in rows)
    if not is_row or len(set(rows)) < len(rows):
        raise ValueError(
            "The vocabulary of embeddings is a dict whose values are not distinct rows "
            f"of the matrix, from 0 to {len(vectors) - 1}."
        )
    return [vectors[row] for row in rows]


def _misfit(tokens, vectors):
    """What is wrong with vectors that do not form a matrix, if it can be determined."""
    if len(tokens) != len(vectors):
        return f", but there are {len(tokens)} tokens and {len(vectors)} vectors"
    shapes = [_as_matrix(vector).shape for vector in vectors]
    for token, shape in zip(tokens, shapes, strict=True):
        if len(shape) != 1 or 0 in shape:
            return f", but that of {token!r} is no row of numbers"
        if shape != shapes[0]:
            return (
                f", but that of {token!r} has {shape[0]} numbers and that of "
                f"{tokens[0]!r} {shapes[0][0]}"
            )
    return ""


def _as_matrix(vectors):
    """Vectors as a float32 matrix, or an empty array if they do not form one."""
    try:
        matrix = np.array(vectors)
        if matrix.dtype.kind in "biufO":
            with np.errstate(over="ignore"):
                return matrix.astype(np.float32)
    except (ValueError, TypeError, OverflowError, RuntimeError):
        pass
    return np.empty(0, dtype=np.float32)
