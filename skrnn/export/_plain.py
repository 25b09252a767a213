"""Values as arrays, and as numbers, strings, lists and dicts, which JSON can hold."""

import re
from numbers import Integral, Real
from os import PathLike, fspath

import numpy as np

from skrnn._messages import describe
from skrnn._state import has_surrogates

EXPECTED = "The output of to_state_dict or save_safetensors was expected."
# Lists in lists: more than any parameter or attribute has.
_MAX_DEPTH = 50
# Bytes that padding may add to an array of strings, in addition to 100 per character.
_MAX_PADDING = 2**24


def to_plain(value, path, arrays):
    """A value in a form that JSON can hold; arrays go to `arrays`, by their path."""
    if isinstance(value, str) and has_surrogates(value):
        return {"code points": list(map(ord, value))}
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, PathLike):
        return to_plain(fspath(value), path, arrays)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        is_turned = value.flags.f_contiguous and not value.flags.c_contiguous
        native = value.dtype.newbyteorder("=")
        arrays[path] = np.array(value.T if is_turned else value, native, order="C")
        return {"transpose of" if is_turned else "array": path}
    if isinstance(value, np.ndarray) and value.dtype.kind in "OUT":
        _check_padding(value, path)
        items = to_plain(value.ravel().tolist(), path, arrays)
        kind = "T" if value.dtype.kind == "T" else str(value.dtype)
        return {"array of": kind, "shape": list(value.shape), "items": items}
    if isinstance(value, dict):
        return _plain_dict(value, path, arrays)
    if isinstance(value, (list, tuple)):
        items = [to_plain(each, f"{path}.{i}", arrays) for i, each in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    raise TypeError(
        f"{path} is {describe(value)}, which cannot be exported: arrays, numbers, "
        "strings, lists and dicts were expected. Set it to one of them by set_params "
        "or use joblib."
    )


def _plain_dict(value, path, arrays):
    keys = [to_plain(key, path, arrays) for key in value]
    values = list(value.values())
    forms = {(v.shape, v.dtype) if isinstance(v, np.ndarray) else None for v in values}
    if len(values) > 1 and len(forms) == 1 and None not in forms:
        # One stacked array instead of one array for each of many tokens.
        return {"dict of rows": keys, "rows": to_plain(np.stack(values), path, arrays)}
    items = [to_plain(each, f"{path}.{i}", arrays) for i, each in enumerate(values)]
    return {"dict": [list(pair) for pair in zip(keys, items, strict=True)]}


def _check_padding(array, path):
    """Raise for an array of strings that needs far more memory than its strings."""
    items = array.ravel().tolist()
    if _is_padded(items, array.dtype):
        raise ValueError(
            f"{path} is an array of {len(items)} strings of dtype {array.dtype}, which "
            f"have {sum(map(len, items))} characters together: an array of dtype "
            "object was expected, since it would pad them to one length. Fit again "
            "with it."
        )


def _is_padded(items, dtype):
    """Whether an array would need far more memory than the strings in it."""
    if dtype.kind != "U":
        return False
    n_characters = sum(map(len, items))
    return len(items) * dtype.itemsize > _MAX_PADDING + 100 * n_characters


class _UnknownForm(Exception):
    """What is wrong with a value, as the beginning of a sentence."""


class Reader:
    """The inverse of :func:`to_plain`.

    Parameters
    ----------
    names : set of str
        The arrays that have not been read.
    get_array : callable
        ``get_array(name)`` reads one.
    """

    def __init__(self, names, get_array):
        self.names = names
        self._get_array = get_array

    def read(self, value, path):
        """A value, from its form in JSON.

        Raises
        ------
        ValueError
            If it has another form.
        """
        try:
            return self._parsed(value, path, 0)
        except _UnknownForm as error:
            raise ValueError(f"{error}. {EXPECTED}") from error
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{path} has an unknown form. {EXPECTED}") from error

    def _parsed(self, value, path, depth):
        if depth > _MAX_DEPTH:
            raise _UnknownForm(f"{path} is nested too deep")
        if isinstance(value, list):
            return self._all(value, path, depth)
        if not isinstance(value, dict):
            return value
        if "array" in value or "transpose of" in value:
            return self._array(value, path)
        if "code points" in value:
            return "".join(map(chr, value["code points"]))
        if "tuple" in value:
            return tuple(self._all(value["tuple"], path, depth))
        if "array of" in value:
            return self._array_of(value, path, depth)
        if "dict of rows" in value:
            keys = self._keys(value["dict of rows"], path, depth)
            values = self._parsed(value["rows"], path, depth + 1)
        else:
            pairs = value["dict"]
            keys = self._keys([key for key, _ in pairs], path, depth)
            values = self._all([each for _, each in pairs], path, depth)
        result = dict(zip(keys, values, strict=True))
        if len(result) < len(keys):
            raise _UnknownForm(f"{path} has a key twice")
        return result

    def _all(self, values, path, depth):
        if not isinstance(values, list):
            raise _UnknownForm(f"{path} has {describe(values)} for a list")
        return [
            self._parsed(each, f"{path}.{i}", depth + 1)
            for i, each in enumerate(values)
        ]

    def _keys(self, keys, path, depth):
        return self._all(keys, f"{path} (keys)", depth)

    def _array(self, value, path):
        ((turned, name),) = value.items()
        # Each is read once, so that there are no more than the file has.
        if name != path or name not in self.names:
            raise _UnknownForm(f"The array {name!r:.40} is missing")
        self.names.remove(name)
        try:
            array = self._get_array(name)
        except (AttributeError, KeyError, TypeError) as error:
            raise _UnknownForm(
                f"The array {name} is of a type that NumPy has not: {error}"
            ) from error
        return array.T if turned == "transpose of" else array

    def _array_of(self, value, path, depth):
        items = self._all(value["items"], path, depth)
        is_text = value["array of"] != "object"
        if is_text and not all(isinstance(item, str) for item in items):
            raise _UnknownForm(f"{path} has more than strings")
        kind = str(value["array of"])
        if kind == "T":
            dtype = np.dtypes.StringDType()
        elif kind == "object" or re.fullmatch("[<>]U[0-9]{1,9}", kind):
            dtype = np.dtype(kind)
            if dtype.itemsize < 0:  # an overflow, for which NumPy 2.0 does not raise
                raise _UnknownForm(f"{path} has an unknown form")
        else:
            raise _UnknownForm(f"{path} is an array of {kind:.40}")
        if _is_padded(items, dtype):
            raise _UnknownForm(
                f"{path} is an array of {kind:.40}, too wide for its strings"
            )
        array = np.empty(len(items), dtype=dtype)
        for i, item in enumerate(items):
            array[i] = item
        array = array.reshape(value["shape"])
        if list(array.shape) != value["shape"]:  # a number, or one below 0
            raise _UnknownForm(f"{path} has an unknown form")
        return array
