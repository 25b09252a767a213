"""The kind of the sequences in X: characters, words, tokens, features or numbers."""

from collections.abc import Mapping
from decimal import Decimal
from numbers import Integral, Real

import numpy as np

from skrnn._messages import describe, is_missing, no_sequence

KIND_NAMES = {
    "text": "strings",
    "words": "strings",
    "tokens": "token lists",
    "features": "sequences of features",
    "series": "sequences of numbers",
}
INTEGERS = (Integral, np.bool_)
REALS = (Real, Decimal, np.bool_)
# A list may contain itself and therefore be nested infinitely deep.
_MAX_DEPTH = 64


def possible_kinds(item, index=0):
    """The kinds as which a sequence can be read; the default kind comes first.

    Parameters
    ----------
    item : object
    index : int, default=0
        Its position in X, for errors.

    Returns
    -------
    kinds : tuple of {"text", "words", "tokens", "features", "series"}

    Raises
    ------
    TypeError
        If the item is not a sequence.
    """
    if isinstance(item, str):
        return ("text", "words")
    if has_no_steps(item):
        return ("tokens", "series", "features")
    if isinstance(item, np.ndarray):
        if item.dtype.kind in "OUT" and item.ndim in (1, 2):
            return possible_kinds(item.tolist(), index)
        if item.dtype.kind in "biuf":
            are_integers = item.ndim == 1 and item.dtype.kind != "f"
            return ("tokens", "series") if are_integers else ("series",)
    elif isinstance(item, (list, tuple)):
        entries = (e for e in item if not (is_missing(e) or has_no_steps(e)))
        first = next(entries, item[0])
        if isinstance(first, str):
            return ("tokens",)
        if are_features(first):
            return ("features",)
        if has_no_steps(first):
            return ("series", "features")
        if isinstance(first, INTEGERS):
            return ("tokens", "series")
        if isinstance(first, (*REALS, list, tuple, np.ndarray)):
            check_depth(item, index)
            return ("series",)
        raise TypeError(no_sequence(f"X[{index}] starts with", first))
    raise TypeError(no_sequence(f"X[{index}] is", item))


def check_one(x, kind, analyzer):
    """Raise if x is a list of sequences of text or tokens, rather than a sequence.

    Parameters
    ----------
    x : object
    kind : {"text", "words", "tokens", "features", "series"}
    analyzer : str or callable
        A callable may take anything for a sequence.
    """
    if callable(analyzer) or not isinstance(x, (list, tuple)) or not x:
        return
    sequence = str if kind in ("text", "words") else (list, tuple)
    if kind not in ("features", "series") and isinstance(x[0], sequence):
        raise TypeError("x is a list: one sequence was expected. Pass x[0].")


def are_features(step):
    """Whether a step is a dict, or a list, tuple or set of strings."""
    if isinstance(step, (list, tuple)) and step:
        return isinstance(step[0], str)
    return isinstance(step, (Mapping, set, frozenset))


def has_no_steps(item):
    """Whether an item is an empty list, or an empty array, whatever its dtype."""
    if isinstance(item, np.ndarray):
        return item.shape == (0,)
    return isinstance(item, (list, tuple)) and len(item) == 0


def first_with_steps(X):
    """The index of the first item that shows its kind; 0 if there is none."""
    return next((i for i, item in enumerate(X) if not has_no_steps(item)), 0)


def has_other_numbers(X):
    """Whether sequences that begin with integers contain other numbers as well.

    Only then do they hold numbers; integers among strings are tokens.
    """
    if possible_kinds(X[first_with_steps(X)]) == ("tokens",):
        return False
    types = set()  # one look at each distinct type, not at each number
    for item in X:
        if has_no_steps(item):
            continue
        if isinstance(item, np.ndarray) and item.dtype.kind in "biuf":
            is_tokens = item.ndim == 1 and item.dtype.kind != "f"
            types.add(int if is_tokens else float)
        elif isinstance(item, (list, tuple)) or getattr(item, "ndim", 0) > 0:
            types.update(map(type, item))
    others = {t for t in types if not issubclass(t, INTEGERS)}
    return bool(others) and all(issubclass(t, REALS) for t in types)


def check_depth(item, index):
    """Raise for lists of lists of strings, and for lists that are nested deeper.

    This checks only the first entries: deeper arrays are rejected because of their
    shape.
    """
    depth, first = 0, item
    while isinstance(first, (list, tuple)) and len(first) > 0 and depth < _MAX_DEPTH:
        depth, first = depth + 1, first[0]
    if depth > 2 or (depth == 2 and isinstance(first, str)):
        raise TypeError(
            f"X[{index}] is nested {depth} levels deep, down to {describe(first)}: a "
            "flat list of tokens or numbers of shape (n_steps,) or (n_steps, "
            "n_features) were expected. Flatten it, or pass its parts as sequences."
        )
