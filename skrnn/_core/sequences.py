"""Ragged sequences as one flat array with offsets.

All sequences of a data set lie end to end in ``values``; sequence ``i`` is
``values[offsets[i]:offsets[i + 1]]``. No other module looks inside a sequence.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from numbers import Integral, Real

import numpy as np

from skrnn._core.descriptions import (
    counted,
    cure_for,
    describe,
    is_missing,
    mixed_kinds,
    no_number,
    no_sequence,
    no_steps,
)

_INTEGERS = (Integral, np.bool_)
_REALS = (Real, Decimal, np.bool_)
# Strings whose words are in memory at once.
_STRINGS_AT_A_TIME = 2**14
# A list may hold itself, and so have no end.
_MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Sequences:
    """Sequences laid end to end.

    Attributes
    ----------
    kind : {"text", "words", "tokens", "series"}
        What a step is: a character or a word of a string, a token of a list, or a row
        of numbers.
    values : ndarray
        The steps of all sequences, one after another. Characters: code points, uint of
        shape (n_rows,). Words and tokens: their places in `tokens`, int32 of shape
        (n_rows,). Series: float32 or float64 of shape (n_rows, n_features).
    offsets : ndarray of shape (n_samples + 1,), int64
        Where each sequence begins in `values`, and the total at the end.
    tokens : list, default=None
        Distinct words or tokens; some may not be in `values`.
    """

    kind: str
    values: np.ndarray
    offsets: np.ndarray
    tokens: list | None = None

    def __len__(self):
        return len(self.offsets) - 1

    @property
    def lengths(self):
        return np.diff(self.offsets)

    def take(self, indices):
        """The sequences at `indices`, in that order."""
        return self._parts(self.offsets[indices], self.lengths[indices])

    def cut(self, max_length, side):
        """The "first" or the "last" `max_length` steps of each sequence."""
        lengths = np.minimum(self.lengths, max_length)
        starts = self.offsets[:-1] if side == "first" else self.offsets[1:] - lengths
        return self._parts(starts, lengths)

    def _parts(self, starts, lengths):
        offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        # Row r of the result is row r - new start + old start of this one.
        rows = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Sequences(self.kind, self.values[rows], offsets, self.tokens)

    def locate(self, row):
        """The sequence that a row belongs to, and the step within it."""
        return _locate(self.offsets, row)


def read_sequences(X, kind=None, allow_missing=False):
    """Read a list of strings, of token lists or of numeric arrays.

    Parameters
    ----------
    X : list or tuple
        One item a sequence. All items must be of the same kind: strings (the
        characters are the steps); one-dimensional sequences of tokens (strings or
        integers) or of floats; two-dimensional ones of numbers, of shape (n_steps,
        n_features). Each is a list, a tuple or an array.
    kind : {"text", "tokens", "series"}, default=None
        What each item must be read as. None takes the kind of the first item, and
        integers for tokens unless there are other numbers among them.
    allow_missing : bool, default=False
        Whether numbers may be NaN.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If an item is not a sequence, is not of `kind`, or is of another kind than
        the first one.
    ValueError
        If X or a sequence is empty, the numbers of features differ, or a number
        is NaN or infinite.
    """
    if len(X) == 0:
        raise ValueError("X is empty: at least one sequence is needed.")
    if kind is None:
        kind = possible_kinds(X[0])[0]
        if kind == "tokens" and _has_other_numbers(X):
            kind = "series"
    if kind == "series":
        return _read_series(X, allow_missing)
    return _read_text(X) if kind == "text" else _read_tokens(X)


def read_words(X, split, separator=None):
    """Read the words of strings.

    Parameters
    ----------
    X : list or tuple of str
    split : callable
        ``split(string)`` returns its words, a list of strings.
    separator : str, default=None
        A character that is a word by itself wherever it is. Many strings are split at
        once then, which takes two thirds of the time.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If an item is not a string.
    ValueError
        If X is empty, or a string has no words.
    """
    if len(X) == 0:
        raise ValueError("X is empty: at least one sequence is needed.")
    numbering = _Numbering()
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
    lengths = np.concatenate(lengths)
    if not lengths.all():
        i = int(np.argmin(lengths))
        raise ValueError(
            f"X[{i}] has no words: {X[i][:40]!r}. A sequence needs at least one step. "
            "Drop it, or use analyzer='char' or another token_pattern."
        )
    return Sequences(
        "words", np.concatenate(places), _offsets(lengths), numbering.known
    )


def _split_each(X, split, numbering):
    """Places of the words of each string, and how many there are."""
    words = list(map(split, X))
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    return numbering.of(chain.from_iterable(words), int(lengths.sum())), lengths


def _split_together(X, split, separator, numbering):
    """The same in one call; None if the strings cannot be told apart then."""
    if separator is None:
        return None
    words = split(separator.join(X))
    if words.count(separator) != len(X) - 1:  # a string has it, too
        return None
    places = numbering.of(words, len(words))
    bounds = np.concatenate([[-1], np.flatnonzero(places == 0), [len(places)]])
    return places[places != 0], np.diff(bounds) - 1


def possible_kinds(item, index=0):
    """What a sequence can be read as; what it is taken for unasked comes first.

    Parameters
    ----------
    item : object
    index : int, default=0
        Where it stands in X, for errors.

    Returns
    -------
    kinds : tuple of {"text", "tokens", "series"}

    Raises
    ------
    TypeError
        If it is not a sequence.
    ValueError
        If it is an empty list.
    """
    if isinstance(item, str):
        return ("text",)
    if isinstance(item, np.ndarray):
        if item.dtype.kind in "OUT" and item.ndim in (1, 2):
            return possible_kinds(item.tolist(), index)
        if item.dtype.kind in "biuf":
            are_integers = item.ndim == 1 and item.dtype.kind != "f"
            return ("tokens", "series") if are_integers else ("series",)
    elif isinstance(item, (list, tuple)):
        if len(item) == 0:
            raise ValueError(no_steps(index))
        first = next((entry for entry in item if not is_missing(entry)), item[0])
        if isinstance(first, str):
            return ("tokens",)
        if isinstance(first, _INTEGERS):
            return ("tokens", "series")
        if isinstance(first, (*_REALS, list, tuple, np.ndarray)):
            _check_depth(item, index)
            return ("series",)
        raise TypeError(no_sequence(f"X[{index}] starts with", first))
    raise TypeError(no_sequence(f"X[{index}] is", item))


def read_array(X, allow_missing=False):
    """Read a numeric array of shape (n_samples, n_steps[, n_features]).

    Parameters
    ----------
    X : ndarray
    allow_missing : bool, default=False
        Whether numbers may be NaN.

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
    return _checked_series(values, offsets, allow_missing)


def as_numbers(array):
    """A table of objects, or a deeper array of them, as floats; NaN where one misses.

    Parameters
    ----------
    array : ndarray of shape (n_samples, n_steps[, n_features])

    Raises
    ------
    TypeError
        If it holds anything but numbers.
    ValueError
        If it holds a number that is too large.
    """
    return np.array([_only_numbers(row, row, i, True) for i, row in enumerate(array)])


def _has_other_numbers(X):
    """Whether sequences that begin with whole numbers go on with other numbers.

    X holds numbers only if so: integers among strings are tokens.
    """
    if possible_kinds(X[0]) == ("tokens",):
        return False
    types = set()  # one look at each distinct type, not at each number
    for item in X:
        if isinstance(item, np.ndarray) and item.dtype.kind in "biuf":
            is_tokens = item.ndim == 1 and item.dtype.kind != "f"
            types.add(int if is_tokens else float)
        elif isinstance(item, (list, tuple)) or getattr(item, "ndim", 0) > 0:
            types.update(map(type, item))
    others = {t for t in types if not issubclass(t, _INTEGERS)}
    return bool(others) and all(issubclass(t, _REALS) for t in types)


def _read_text(X):
    try:
        text = "".join(X)
    except TypeError:
        _check_strings(X)
        raise
    lengths = np.fromiter(map(len, X), dtype=np.int64, count=len(X))
    return Sequences("text", _code_points(text), _offsets(lengths))


def _code_points(text):
    """The code points of a string, in as few bytes as they need.

    With "surrogatepass" a lone surrogate is a character like any other.
    """
    try:
        return np.frombuffer(text.encode("latin-1"), dtype=np.uint8)
    except UnicodeEncodeError:
        encoded = text.encode("utf-16-le", "surrogatepass")
    if len(encoded) > 2 * len(text):  # some characters take two pairs of bytes
        encoded = text.encode("utf-32-le", "surrogatepass")
        return np.frombuffer(encoded, dtype="<u4")
    return np.frombuffer(encoded, dtype="<u2")


def _check_strings(X):
    for i, item in enumerate(X):
        if not isinstance(item, str):
            raise TypeError(mixed_kinds(item, i, "text")) from None


class _Numbering:
    """Numbers for tokens, in the order in which they are first seen.

    Attributes
    ----------
    known : list
        The tokens that have a number.
    """

    def __init__(self):
        self._number_of = defaultdict()
        self._number_of.default_factory = self._number_of.__len__

    @property
    def known(self):
        return [as_plain(token) for token in self._number_of]

    def of(self, tokens, n_tokens):
        """The numbers of an iterable of tokens, int32."""
        return np.fromiter(map(self._number_of.__getitem__, tokens), np.int32, n_tokens)


def as_plain(token):
    """Python's own number or string in place of one of NumPy."""
    if isinstance(token, np.str_):
        return "".join([token])  # item() and str() would drop NUL at the end
    return token.item() if isinstance(token, np.generic) else token


def _read_tokens(X):
    for i, item in enumerate(X):
        is_list = isinstance(item, (list, tuple))
        if not is_list and not (isinstance(item, np.ndarray) and item.ndim == 1):
            raise TypeError(mixed_kinds(item, i, "tokens"))
    lengths = np.fromiter(map(len, X), dtype=np.int64, count=len(X))
    offsets = _offsets(lengths)

    def all_tokens():
        return chain.from_iterable(
            item.tolist() if isinstance(item, np.ndarray) else item for item in X
        )

    numbering = _Numbering()
    try:
        places = numbering.of(all_tokens(), int(offsets[-1]))
        types = set(map(type, numbering.known))  # not of each token
    except TypeError:  # a token that cannot be hashed, which no token needs
        types = set(map(type, all_tokens()))
    odd = {t for t in types if not issubclass(t, (str, *_INTEGERS))}
    if odd:
        tokens = enumerate(all_tokens())
        row, token = next((row, t) for row, t in tokens if type(as_plain(t)) in odd)
        i, step = _locate(offsets, row)
        raise TypeError(
            f"X[{i}] has {describe(token)} at step {step}: tokens must be "
            f"strings or integers. {cure_for(token)}"
        )
    return Sequences("tokens", places, offsets, numbering.known)


def _read_series(X, allow_missing=False):
    if _are_of_one_form(X):
        lengths = np.fromiter(map(len, X), dtype=np.int64, count=len(X))
        offsets = _offsets(lengths)
        values = _as_float(np.concatenate(X))
        values = values.reshape(len(values), -1)
        return _checked_series(values, offsets, allow_missing)
    arrays = [_as_series(item, i, allow_missing) for i, item in enumerate(X)]
    lengths = np.fromiter(map(len, arrays), dtype=np.int64, count=len(arrays))
    offsets = _offsets(lengths)
    n_features = arrays[0].shape[1]
    for i, array in enumerate(arrays):
        if array.shape[1] != n_features:
            raise ValueError(
                f"X[{i}] has {counted(array.shape[1], 'feature')}, but X[0] has "
                f"{n_features}: all sequences must have the same number of features."
            )
    return _checked_series(np.concatenate(arrays), offsets, allow_missing)


def _are_of_one_form(X):
    """Whether X is numeric arrays that one call can lay end to end."""
    forms = {
        (x.dtype, x.ndim, x.shape[1:]) if isinstance(x, np.ndarray) else None for x in X
    }
    form = forms.pop()
    if forms or form is None:
        return False
    dtype, ndim, features = form
    return dtype.kind in "biuf" and ndim in (1, 2) and 0 not in features


def _as_series(item, index, allow_missing):
    """One sequence of numbers as floats of shape (n_steps, n_features)."""
    if not isinstance(item, (list, tuple, np.ndarray)):
        raise TypeError(mixed_kinds(item, index, "series"))
    if isinstance(item, np.ndarray) and item.dtype.kind == "O":
        item = item.tolist()  # of numbers, or of the steps
    if isinstance(item, np.ndarray):
        array = item
    else:
        _check_depth(item, index)
        array = _as_array(item, index)
    if array.size == 0:
        raise ValueError(no_steps(index))
    if array.ndim not in (1, 2):
        raise ValueError(
            f"X[{index}] has {array.ndim} dimensions: a sequence must have shape "
            "(n_steps,) or (n_steps, n_features)."
        )
    if array.dtype.kind not in "biuf":
        array = _only_numbers(item, array, index, allow_missing)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    return _as_float(array)


def _as_array(item, index):
    try:
        return np.asarray(item)
    except ValueError as error:  # rows of unequal length
        for step, row in enumerate(item):
            if is_missing(row):
                raise TypeError(no_number(row, index, step)) from None
        raise ValueError(
            f"X[{index}] has steps of unequal numbers of features: a sequence must "
            "have shape (n_steps,) or (n_steps, n_features)."
        ) from error
    except (TypeError, RuntimeError):  # of tensors that are on no CPU, or the like
        for step, row in enumerate(item):
            try:
                np.asarray(row)
            except (TypeError, RuntimeError):
                raise TypeError(no_number(row, index, step)) from None
        raise


def _only_numbers(item, array, index, allow_missing):
    """An array of another dtype as floats, if its entries are numbers none the less.

    NumPy keeps numbers of other types, such as fractions, as objects, and all that are
    in the company of None.
    """
    steps = array.tolist() if item is array else item
    numbers = []
    for step, entries in enumerate(steps):
        for entry in entries if array.ndim == 2 else (entries,):
            if is_missing(entry) and (allow_missing or isinstance(entry, _REALS)):
                numbers.append(np.nan)
            elif not _is_real(entry):
                raise TypeError(no_number(entry, index, step))
            else:
                numbers.append(_as_number(entry, index, step))
    return np.array(numbers, dtype=np.float64).reshape(array.shape)


def _is_real(entry):
    # NumPy derives durations from its integers.
    return isinstance(entry, _REALS) and not isinstance(entry, np.timedelta64)


def _as_number(entry, index, step):
    """A number of any type as a float."""
    try:
        number = float(entry)
    except OverflowError:
        number = None
    if number is None or (np.isinf(number) and number != entry):
        raise ValueError(
            f"X[{index}] contains a number at step {step} which is too large for "
            "float32. Use a larger unit."
        )
    return number


def _check_depth(item, index):
    """Refuse lists of lists of strings, and all lists that are nested deeper.

    A look at the first entries: an array that holds more is refused for its shape.
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


def _as_float(array):
    if array.dtype == np.float32:
        return array
    with np.errstate(over="ignore"):  # of longer floats; infinity is refused later
        return array.astype(np.float64, copy=False)


def _offsets(lengths):
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise ValueError(no_steps(empty[0]))
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _checked_series(values, offsets, allow_missing):
    # NaN compares as False, too. Networks compute in float32.
    usable = np.abs(values) <= np.finfo(np.float32).max
    if allow_missing:
        usable |= np.isnan(values)
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
        cure = "Impute the missing steps, or use missing='mask'."
        if value != "NaN":
            cure = "Impute these steps or leave them out."
        raise ValueError(
            f"X[{i}] contains {value} at step {step}{where}: all numbers must be "
            "finite. " + cure
        )
    return Sequences("series", values, offsets)


def _locate(offsets, row):
    """The sequence a row belongs to, and the step within it."""
    i = int(np.searchsorted(offsets, row, side="right")) - 1
    return i, int(row - offsets[i])
