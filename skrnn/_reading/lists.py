"""From opened containers to sequences, by the requested or detected kind."""

from dataclasses import replace
from decimal import Decimal
from numbers import Real

import numpy as np
from sklearn.utils.validation import check_array

from skrnn._core.sequences import Sequences
from skrnn._messages import describe, is_missing, no_sequences
from skrnn._reading.features import read_features
from skrnn._reading.kinds import (
    first_with_steps,
    has_other_numbers,
    possible_kinds,
)
from skrnn._reading.numbers import as_numbers, read_array, read_series
from skrnn._reading.offsets import offsets_of
from skrnn._reading.text import read_characters, read_text
from skrnn._reading.token_lists import read_tokens


def read_opened(
    opened, wanted, fitted, options, read_table, given=None, allow_empty=False
):
    """Read what :func:`skrnn._reading.containers.open_container` returned.

    Parameters
    ----------
    opened : list, tuple, ndarray or frame
    wanted : {"text", "words", "tokens", "features", "series"} or None
        The kind that the user requests.
    fitted : {"text", "words", "tokens", "features", "series"} or None
        The kind seen in `fit`.
    options : ReadingOptions
    read_table : callable
        As in :meth:`skrnn._reading.schema.Schema.learn`.
    given : container, default=None
        What was opened, for the advice of errors. None gives none.
    allow_empty : bool, default=False
        Whether series in a list may be empty.

    Returns
    -------
    sequences : Sequences
    """
    allow_missing = options.missing == "mask"
    if not isinstance(opened, (list, tuple)):
        return _read_numbers(opened, read_table, allow_missing, given)
    if wanted not in ("text", "words"):
        _check_not_one(opened)
    kind = wanted or _kind_to_read(opened, fitted)
    is_text = len(opened) > 0 and isinstance(opened[0], str)
    if kind in ("text", "words") or (kind is None and is_text):
        return read_text(
            opened,
            kind or "text",
            lowercase=options.lowercase,
            strip_accents=options.strip_accents,
            token_pattern=options.token_pattern,
        )
    return read_sequences(opened, kind, allow_missing, given, allow_empty)


def read_sequences(X, kind=None, allow_missing=False, given=None, allow_empty=False):
    """Read a list of strings, of token lists or of numeric arrays.

    Parameters
    ----------
    X : list or tuple
        One item per sequence. All items must be of the same kind: strings, whose
        characters are the steps; one-dimensional sequences of tokens (strings or
        integers) or of floats; sequences of the features of each step; or
        two-dimensional sequences of numbers, of shape (n_steps, n_features). Except
        for strings, each item is a list, a tuple or an array.
    kind : {"text", "tokens", "features", "series"}, default=None
        The kind as which to read each item. None takes the kind of the first item
        that is not an empty list; integers are then tokens unless there are other
        numbers among them.
    allow_missing : bool, default=False
        Whether numbers may be NaN.
    given : container, default=None
        As in :func:`read_opened`.
    allow_empty : bool, default=False
        As in :func:`read_opened`.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If an item is not a sequence, is not of `kind`, or is not of the same kind as
        the first item.
    ValueError
        If X or a series is empty, if the numbers of features differ, or if a number is
        NaN or infinite.
    """
    if len(X) == 0:
        raise ValueError(no_sequences())
    if kind is None:
        i = first_with_steps(X)
        kind = possible_kinds(X[i], i)[0]
        if kind == "tokens" and has_other_numbers(X):
            kind = "series"
    if kind == "series":
        return read_series(X, allow_missing, given, allow_empty)
    if kind == "features":
        return read_features(X)
    return read_characters(X) if kind == "text" else read_tokens(X)


def sequences_of(rows, kind):
    """Sequences of tokens of a kind, which need not be split any more.

    Parameters
    ----------
    rows : list of lists of tokens, or of the features of steps
    kind : {"text", "words", "tokens", "features"}

    Returns
    -------
    sequences : Sequences
    """
    if kind == "features":
        return read_features(rows)
    if kind == "text":
        points = np.array([ord(token) for row in rows for token in row], np.uint32)
        return Sequences(kind, points, offsets_of(np.array([*map(len, rows)])))
    return replace(read_tokens(rows), kind=kind)


def _kind_to_read(X, fitted):
    """The kind seen in fit, if the first sequence can be of that kind.

    Otherwise None: X is then read as its own kind, which the error message names.
    """
    if len(X) == 0:
        return None
    i = first_with_steps(X)
    return fitted if fitted in possible_kinds(X[i], i) else None


def _check_not_one(X):
    """Raise if X is a single sequence of numbers, some of which may be missing."""
    entries = ((i, item) for i, item in enumerate(X) if not is_missing(item))
    i, first = next(entries, (0, None))
    if isinstance(first, (Real, Decimal, np.bool_)):
        raise TypeError(
            f"X[{i}] is {describe(first)}: a sequence is a string, a list of tokens "
            "(strings or integers), a list of floats or a numeric array of shape "
            "(n_steps,) or (n_steps, n_features). Use [X] to pass one sequence."
        )


def _read_numbers(X, read_table, allow_missing, given):
    """Read a three-dimensional array, or a table as scikit-learn reads it."""
    array = np.asarray(X)
    if array.dtype.kind == "O" and array.size > 0:
        if array.ndim == 2:
            read_table(X, skip_check_array=True)
        return read_array(as_numbers(array), allow_missing, given)
    if array.dtype == np.longdouble:  # too large numbers become infinite
        with np.errstate(over="ignore"):
            X = array.astype(np.float64)
    if getattr(X, "ndim", 2) == 3:
        X = check_array(X, allow_nd=True, ensure_all_finite=False)
    else:
        X = read_table(
            X,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,  # read_array reports the position
        )
    return read_array(X, allow_missing, given)
