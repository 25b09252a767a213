"""Ragged sequences as one flat array with offsets.

All sequences of a data set lie end to end in ``values``; sequence ``i`` is
``values[offsets[i]:offsets[i + 1]]``. This is the only module that looks inside
what the user passed.
"""

from dataclasses import dataclass
from itertools import chain
from numbers import Integral, Real

import numpy as np


@dataclass(frozen=True, slots=True)
class Sequences:
    """Sequences laid end to end.

    Attributes
    ----------
    kind : {"text", "tokens", "series"}
        What a step is: a character, a token of a list, or a row of numbers.
    values : ndarray or list
        The steps of all sequences, one after another. Characters: code points,
        uint32 of shape (n_rows,). Tokens: a list of n_rows hashables. Series:
        float32 or float64 of shape (n_rows, n_features). After encoding by a
        vocabulary: integer ids of shape (n_rows,).
    offsets : ndarray of shape (n_samples + 1,), int64
        Where each sequence begins in `values`, and the total at the end.
    """

    kind: str
    values: np.ndarray | list
    offsets: np.ndarray

    def __len__(self):
        return len(self.offsets) - 1

    @property
    def lengths(self):
        return np.diff(self.offsets)

    def take(self, indices):
        """The sequences at `indices`, in that order."""
        lengths = self.lengths[indices]
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        # Row r of the result is row r - new start + old start of this one.
        shift = np.repeat(self.offsets[indices] - offsets[:-1], lengths)
        rows = np.arange(offsets[-1]) + shift
        if isinstance(self.values, list):
            values = [self.values[row] for row in rows.tolist()]
        else:
            values = self.values[rows]
        return Sequences(self.kind, values, offsets)

    def locate(self, row):
        """The sequence that a row belongs to, and the step within it."""
        return _locate(self.offsets, row)

    def replace_values(self, values):
        """The same sequences with other values, one for each row."""
        return Sequences(self.kind, values, self.offsets)


def read_sequences(X, kind=None):
    """Read a list of strings, of token lists or of numeric arrays.

    Parameters
    ----------
    X : list or tuple
        One item a sequence. All items must be of the same kind: strings (the
        characters are the steps); lists or tuples of tokens (strings or
        integers); one-dimensional sequences of floats or numeric arrays, one
        step an entry; two-dimensional ones of shape (n_steps, n_features).
    kind : {"text", "tokens", "series"}, default=None
        What integers are taken for, which may be tokens as well as numbers. None
        takes lists of them for tokens and arrays of them for numbers.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If an item is not a sequence, or its kind differs from the first one's.
    ValueError
        If X or a sequence is empty, the numbers of features differ, or a number
        is NaN or infinite.
    """
    if len(X) == 0:
        raise ValueError("X is empty: at least one sequence is needed.")
    found = _kind_of(X[0], 0)
    if {found, kind} == {"tokens", "series"} and _is_integers(X[0]):
        found = kind
    return _READERS[found](X)


def read_array(X):
    """Read a numeric array of shape (n_samples, n_steps[, n_features]).

    Raises
    ------
    ValueError
        If an axis is empty or a number is NaN or infinite.
    """
    if X.ndim == 2:
        X = X[:, :, np.newaxis]  # (n_samples, n_steps, 1): univariate series
    n_samples, n_steps, n_features = X.shape
    if X.size == 0:
        raise ValueError(
            f"X has shape {X.shape}: at least one sequence, one step and one feature "
            "are needed."
        )
    values = _as_float(X.reshape(n_samples * n_steps, n_features))
    offsets = np.arange(n_samples + 1, dtype=np.int64) * n_steps
    return _checked_series(values, offsets)


def _kind_of(item, index):
    """Tell text, tokens and series apart by looking at one item."""
    if isinstance(item, str):
        return "text"
    if isinstance(item, np.ndarray):
        if item.dtype.kind in "biuf":
            return "series"
        if item.dtype.kind in "OUT" and item.ndim == 1:
            return _kind_of(item.tolist(), index)
    elif isinstance(item, (list, tuple)):
        if len(item) == 0:
            raise ValueError(_empty(index))
        first = item[0]
        if isinstance(first, (str, Integral)):
            return "tokens"
        if isinstance(first, (Real, list, tuple, np.ndarray)):
            return "series"
        raise TypeError(_no_sequence(f"X[{index}] starts with {_describe(first)}"))
    raise TypeError(_no_sequence(f"X[{index}] is {_describe(item)}"))


def _is_integers(item):
    """Whether a sequence, of tokens or numbers, may be taken for the other."""
    if isinstance(item, np.ndarray):
        return item.ndim == 1 and item.dtype.kind in "biu"
    return isinstance(item[0], Integral)  # a list or tuple, and not empty


def _read_text(X):
    try:
        text = "".join(X)
    except TypeError:
        raise _odd_one_out(X, "text") from None
    lengths = np.fromiter(map(len, X), dtype=np.int64, count=len(X))
    # "surrogatepass": a lone surrogate is a character like any other.
    encoded = text.encode("utf-32-le", "surrogatepass")
    return Sequences("text", np.frombuffer(encoded, dtype="<u4"), _offsets(lengths))


def _read_tokens(X):
    for i, item in enumerate(X):
        if not isinstance(item, (list, tuple, np.ndarray)):
            raise _odd_one_out(X, "tokens")
        if isinstance(item, np.ndarray) and (item.ndim != 1 or item.dtype.kind == "f"):
            if _is_integers(X[0]):  # the first numbers were whole, others are not
                return _read_series(X)
            raise TypeError(_mixed(item, i, "tokens"))
    lengths = np.fromiter(map(len, X), dtype=np.int64, count=len(X))
    offsets = _offsets(lengths)
    tokens = list(
        chain.from_iterable(
            item.tolist() if isinstance(item, np.ndarray) else item for item in X
        )
    )
    # One look at each distinct type, not at each token.
    types = set(map(type, tokens))
    odd = {t for t in types if not issubclass(t, (str, Integral))}
    if odd and all(issubclass(t, Real) for t in types):
        return _read_series(X)  # the first number was whole, others are not
    if odd:
        row = next(row for row, token in enumerate(tokens) if type(token) in odd)
        i, step = _locate(offsets, row)
        raise TypeError(
            f"X[{i}] has {_describe(tokens[row])} at step {step}: tokens must be "
            "strings or integers, and sequences with other numbers must not hold "
            "strings."
        )
    return Sequences("tokens", tokens, offsets)


def _read_series(X):
    arrays = [_as_series(item, i) for i, item in enumerate(X)]
    lengths = np.fromiter(map(len, arrays), dtype=np.int64, count=len(arrays))
    offsets = _offsets(lengths)
    n_features = arrays[0].shape[1]
    for i, array in enumerate(arrays):
        if array.shape[1] != n_features:
            raise ValueError(
                f"X[{i}] has {_count(array.shape[1], 'feature')}, but X[0] has "
                f"{n_features}: all sequences must have the same number of features."
            )
    return _checked_series(np.concatenate(arrays), offsets)


def _as_series(item, index):
    """One sequence of numbers as floats of shape (n_steps, n_features)."""
    if not isinstance(item, (list, tuple, np.ndarray)):
        raise TypeError(_mixed(item, index, "series"))
    try:
        array = np.asarray(item)
    except ValueError as error:  # rows of unequal length
        raise ValueError(
            f"X[{index}] has steps of unequal numbers of features: a sequence must "
            "have shape (n_steps,) or (n_steps, n_features)."
        ) from error
    if array.size == 0:
        raise ValueError(_empty(index))
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"X[{index}] holds values that are not real numbers: a sequence of numbers "
            "must have shape (n_steps,) or (n_steps, n_features)."
        )
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise ValueError(
            f"X[{index}] has {array.ndim} dimensions: a sequence must have shape "
            "(n_steps,) or (n_steps, n_features)."
        )
    return _as_float(array)


_READERS = {"text": _read_text, "tokens": _read_tokens, "series": _read_series}


def _as_float(array):
    return array if array.dtype == np.float32 else array.astype(np.float64, copy=False)


def _offsets(lengths):
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise ValueError(_empty(empty[0]))
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _checked_series(values, offsets):
    # NaN compares as False, too. Networks compute in float32.
    usable = np.abs(values) <= np.finfo(np.float32).max
    if not usable.all():
        row, feature = np.argwhere(~usable)[0]
        i, step = _locate(offsets, row)
        value = values[row, feature]
        if np.isfinite(value):
            raise ValueError(
                f"X[{i}] contains {value:g} at step {step}, which is too large for "
                "float32. Use a larger unit."
            )
        value = "NaN" if np.isnan(value) else "infinity (inf)"
        where = f" in feature {feature}" if values.shape[1] > 1 else ""
        raise ValueError(
            f"X[{i}] contains {value} at step {step}{where}: all numbers must be "
            "finite. Impute the missing steps or leave them out."
        )
    return Sequences("series", values, offsets)


def _locate(offsets, row):
    """The sequence a row belongs to, and the step within it."""
    i = int(np.searchsorted(offsets, row, side="right")) - 1
    return i, int(row - offsets[i])


_ITEM_NAMES = {
    "text": "a string",
    "tokens": "a list of tokens",
    "series": "a sequence of numbers",
}


def _odd_one_out(X, kind):
    """The error for the first item that cannot be read as `kind`."""
    allowed = str if kind == "text" else (list, tuple, np.ndarray)
    index = next(i for i, item in enumerate(X) if not isinstance(item, allowed))
    return TypeError(_mixed(X[index], index, kind))


def _mixed(item, index, kind):
    return (
        f"X[{index}] is {_describe(item)}, but X[0] is {_ITEM_NAMES[kind]}: all "
        "sequences must be of one kind. Drop or convert it."
    )


def _no_sequence(what):
    return (
        f"{what}: a sequence is a string, a list of tokens (strings or integers), a "
        "list of floats or a numeric array of shape (n_steps,) or (n_steps, "
        "n_features)."
    )


def _empty(index):
    return f"X[{index}] is empty: a sequence needs at least one step."


def _count(n, noun):
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def is_missing(item):
    """Whether an item is None, NaN, or one of pandas' marks of a missing value."""
    return (
        item is None
        or (isinstance(item, Real) and item != item)
        or type(item).__name__ in ("NAType", "NaTType")
    )


def _describe(item):
    """What an unexpected item is, in a few words."""
    if item is None:
        return "None"
    if is_missing(item):
        return "NaN (missing)" if isinstance(item, float) else f"{item} (missing)"
    if isinstance(item, str):
        return "a string"
    if isinstance(item, bytes):
        return "bytes, not a string"
    if isinstance(item, np.ndarray):
        return f"an array of dtype {item.dtype} and shape {item.shape}"
    name = type(item).__name__
    article = "an" if name[0] in "aeiou" else "a"
    return f"{article} {name}"
