"""Estimators as named arrays, for file formats that cannot contain code.

Loading a pickle may run arbitrary code. The functions of this module use only arrays,
strings and numbers: :func:`save_safetensors` writes a file, and
:func:`to_state_dict` returns a dict that can be saved with ``torch.save`` and loaded
with ``torch.load(file, weights_only=True)``.
"""

import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from skrnn._base import fitted_names
from skrnn._classifier import RNNClassifier
from skrnn._core.execution import CPU
from skrnn._core.imports import import_lock
from skrnn._decoder import RNNDecoder
from skrnn._encoder import RNNEncoder
from skrnn._language_model import RNNLanguageModel
from skrnn._messages import describe
from skrnn._regressor import RNNRegressor
from skrnn._seq2seq import RNNSeq2Seq
from skrnn._state import has_surrogates
from skrnn._tagger import RNNTagger

__all__ = ["from_state_dict", "load_safetensors", "save_safetensors", "to_state_dict"]

_CLASSES = (RNNClassifier, RNNDecoder, RNNEncoder, RNNLanguageModel)
_CLASSES += (RNNRegressor, RNNSeq2Seq, RNNTagger)
_CLASSES = {cls.__name__: cls for cls in _CLASSES}
_KEY = "skrnn"  # of everything that is not an array
_STAMPS = ("_skrnn_version", "_state_format")
_OUTPUT = "_sklearn_output_config"  # what set_output sets
_EXPECTED = "The output of to_state_dict or save_safetensors was expected."
# Lists in lists: more than any parameter or attribute has.
_MAX_DEPTH = 50
# Bytes that padding may add to an array of strings, in addition to 100 per character.
_MAX_PADDING = 2**24
# Seconds after which a part of a file is that of a process that was killed.
_ABANDONED = 600


def to_state_dict(estimator):
    """Convert a fitted estimator to a dict of tensors.

    Parameters
    ----------
    estimator : fitted estimator of skrnn
        The fitted estimator.

    Returns
    -------
    state_dict : dict of str to Tensor
        Copies of all fitted arrays by name: ``V_``, ``W_.0`` and so on. One entry,
        ``skrnn``, is a JSON string with everything that is not an array, such as the
        parameters and the vocabulary.

    Raises
    ------
    TypeError
        If the estimator is of another class, or holds anything but arrays, numbers,
        strings, and lists, tuples or dicts of them, such as a function as `analyzer` or
        a RandomState as `random_state`.
    ValueError
        If a parameter or fitted attribute has been set to a value that `fit` refuses or
        would not have set.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    from_state_dict : The inverse function.
    save_safetensors : Write the same content to a file.

    Notes
    -----
    Callbacks, metadata requests and attributes that are not those of a fit are not
    exported.

    Examples
    --------
    >>> import io
    >>> import torch
    >>> from skrnn import RNNClassifier
    >>> from skrnn.export import from_state_dict, to_state_dict
    >>> X, y = ["ab", "ba", "abb", "bba"], [0, 1, 0, 1]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(X, y)
    >>> file = io.BytesIO()
    >>> torch.save(to_state_dict(classifier), file)
    >>> _ = file.seek(0)
    >>> same = from_state_dict(torch.load(file, weights_only=True))
    >>> same.predict(X).tolist() == classifier.predict(X).tolist()
    True
    """
    arrays, text = _take_apart(estimator)
    tensors = {name: CPU.tensor(array) for name, array in arrays.items()}
    return {**tensors, _KEY: text}


def from_state_dict(state_dict):
    """Restore an estimator from a dict of tensors.

    Parameters
    ----------
    state_dict : dict of str to Tensor
        The output of :func:`to_state_dict`.

    Returns
    -------
    estimator : fitted estimator of skrnn
        The fitted estimator.

    Raises
    ------
    ValueError
        If `state_dict` is anything else: if an entry is missing, unknown, or not of the
        type, shape or range that the others require; or if it is from a version of
        skrnn whose format this version cannot read.

    See Also
    --------
    to_state_dict : The inverse function, with an example that uses torch.save.
    load_safetensors : Read an estimator from a file.

    Examples
    --------
    >>> from skrnn import RNNEncoder
    >>> from skrnn.export import from_state_dict, to_state_dict
    >>> encoder = RNNEncoder(nhidden=4, random_state=0).fit(["ab", "ba"], [0, 1])
    >>> from_state_dict(to_state_dict(encoder)).transform(["ab"]).shape
    (1, 4)
    """
    if not isinstance(state_dict, Mapping):
        raise ValueError(f"This is {describe(state_dict)}. {_EXPECTED}")
    tensors = {name: each for name, each in state_dict.items() if name != _KEY}
    _check_tensors(tensors)
    content = _content(state_dict.get(_KEY))
    return _put_together(
        *content, tensors, lambda name: tensors[name].numpy(force=True).copy()
    )


def save_safetensors(estimator, path):
    """Write a fitted estimator to a file in the safetensors format.

    Parameters
    ----------
    estimator : fitted estimator of skrnn
        The fitted estimator.
    path : str or PathLike
        Path of the file. An existing file is replaced, with its permissions; if it is a
        symbolic link, the file that it points to.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    TypeError, ValueError, NotFittedError
        As in :func:`to_state_dict`.
    OSError
        If the file, or another one in its folder, cannot be written, as on a full disk
        or without permission; what was there stays as it was.

    See Also
    --------
    load_safetensors : The inverse function.
    to_state_dict : Convert to a dict instead of a file.

    Notes
    -----
    The file is complete at any time, also if other threads or processes write or read
    it meanwhile: a new one is written beside it and takes its place in one step. If the
    process is killed before, a part of it is left, ``.skrnn-*.part``, which calls after
    ten minutes remove.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skrnn import RNNEncoder
    >>> from skrnn.export import load_safetensors, save_safetensors
    >>> encoder = RNNEncoder(nhidden=4, random_state=0).fit(["ab", "ba"], [0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "encoder.safetensors"
    ...     save_safetensors(encoder, path)
    ...     same = load_safetensors(path)
    >>> bool((same.transform(["ab"]) == encoder.transform(["ab"])).all())
    True
    """
    safetensors = _import_safetensors()
    arrays, text = _take_apart(estimator)
    content = safetensors.numpy.save(arrays, metadata={_KEY: text})
    _write(content, Path(path))


def load_safetensors(path):
    """Read a fitted estimator from a file in the safetensors format.

    Parameters
    ----------
    path : str or PathLike
        Path of a file written by :func:`save_safetensors`.

    Returns
    -------
    estimator : fitted estimator of skrnn
        The fitted estimator.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    ValueError
        If the file is no safetensors file, or as in :func:`from_state_dict`.
    OSError
        If the file does not exist or cannot be read.

    See Also
    --------
    save_safetensors : The inverse function, with an example.
    from_state_dict : Restore from a dict instead of a file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skrnn import RNNEncoder
    >>> from skrnn.export import load_safetensors, save_safetensors
    >>> encoder = RNNEncoder(nhidden=4, random_state=0).fit(["ab", "ba"], [0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "encoder.safetensors"
    ...     save_safetensors(encoder, path)
    ...     print(type(load_safetensors(path)).__name__)
    RNNEncoder
    """
    safetensors = _import_safetensors()
    with open(path, "rb"):
        pass  # its errors say what is wrong; safetensors has one for a folder, say
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            content = _content((file.metadata() or {}).get(_KEY))
            return _put_together(*content, file.keys(), file.get_tensor)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} cannot be read: {error}. {_EXPECTED}") from error


def _import_safetensors():
    try:
        with import_lock:
            import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "skrnn.export needs safetensors for this. Install it with `pip install "
            "safetensors`, or use to_state_dict and torch.save."
        ) from error
    return safetensors


def _write(content, path):
    """Write a file that others see complete, or as it was."""
    status = _status(path)
    if status is not None and not stat.S_ISREG(status.st_mode):
        path.write_bytes(content)  # to a device, say, which no file must replace
        return
    path = Path(os.path.realpath(path))
    # Its name is that of this call alone, and short, whatever that of the file.
    part = path.with_name(f".skrnn-{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:
            if status is not None:
                part.chmod(stat.S_IMODE(status.st_mode))  # before it can be read
            file.write(content)
            now = os.fstat(file.fileno()).st_mtime
        os.replace(part, path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(part):
            error.filename = str(path)  # which the user knows
        raise
    _remove_abandoned(path.parent, now)


def _status(path):
    """The status of a file that may be replaced, or None if there is no file.

    Raises
    ------
    OSError
        If it must not be written.
    """
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            with open(path, "r+b"):
                pass
    except FileNotFoundError:
        return None
    return status


def _remove_abandoned(folder, now):
    """Remove what processes that were killed have left in a folder.

    Parameters
    ----------
    folder : Path
    now : float
        Seconds, by the clock of the file system.
    """
    with suppress(OSError):  # of others
        for part in folder.glob(".skrnn-*.part"):
            if now - part.lstat().st_mtime > _ABANDONED:
                part.unlink()


def _take_apart(estimator):
    """The arrays of an estimator by name, and everything else as JSON."""
    name = type(estimator).__name__
    if _CLASSES.get(name) is not type(estimator):
        raise TypeError(
            f"{describe(estimator)} cannot be exported: an estimator of skrnn was "
            "expected. For a pipeline, pass its skrnn step."
        )
    check_is_fitted(estimator)
    estimator._check_parameters()
    estimator._check_fitted(estimator._fitted())
    known = _names(type(estimator))
    state = {k: v for k, v in estimator.__getstate__().items() if k in known}
    arrays = {}
    plain = {key: _plain(value, key, arrays) for key, value in state.items()}
    return arrays, json.dumps({"class": name, "state": plain})


def _names(cls):
    """What the state of an estimator may consist of."""
    parameters = {field.name for field in fields(cls)}
    return {*parameters, *fitted_names(), *_STAMPS, _OUTPUT} - {"encoder_"}


def _check_tensors(tensors):
    """Raise unless all are tensors, with memory of their own.

    Other tensors may be views of the memory of one number, and have any shape.
    """
    sizes, of_memory = 0, {}
    for name, tensor in tensors.items():
        is_plain = isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided
        if not is_plain or tensor.is_quantized or tensor.device.type == "meta":
            raise ValueError(f"{name} is {describe(tensor)}. {_EXPECTED}")
        sizes += tensor.numel() * tensor.element_size()
        memory = tensor.untyped_storage()
        of_memory[memory.data_ptr()] = memory.nbytes()
    if sizes > sum(of_memory.values()):
        raise ValueError(f"The tensors share memory. {_EXPECTED}")


def _content(text):
    """The class and the state, parsed from JSON."""
    try:
        content = json.loads(text, object_pairs_hook=_without_doubles)
        cls, state = _CLASSES[content["class"]], content["state"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"This holds no estimator of skrnn. {_EXPECTED}") from error
    if not isinstance(state, dict):
        raise ValueError(f"The state is {describe(state)}. {_EXPECTED}")
    return cls, state


def _without_doubles(pairs):
    """A dict of pairs, no two of which have the same key.

    Of two, another reader of JSON may take the other one.
    """
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key occurs twice")
    return result


def _put_together(cls, state, names, get_array):
    """The inverse of :func:`_take_apart`.

    Parameters
    ----------
    cls : class
    state : dict
    names : iterable of str
        Of the arrays, each of which must be used once.
    get_array : callable
        ``get_array(name)`` reads an array.
    """
    unknown = state.keys() - _names(cls)
    if unknown:
        raise ValueError(
            f"{min(unknown)!r:.40} is no attribute of {cls.__name__} that can be "
            f"loaded. {_EXPECTED}"
        )
    reader = _Reader(set(names), get_array)
    state = {key: reader.read(value, key) for key, value in state.items()}
    if reader.names:
        raise ValueError(
            f"The array {min(map(repr, reader.names)):.40} is unknown. {_EXPECTED}"
        )
    if "W_" not in state:
        raise ValueError(f"The array W_ is missing. {_EXPECTED}")
    estimator = cls.__new__(cls)
    estimator.__setstate__(state)
    estimator._check_parameters()
    return estimator


def _plain(value, path, arrays):
    """A value in a form that JSON can hold; arrays go to `arrays`, by their path."""
    if isinstance(value, str) and has_surrogates(value):
        return {"code points": list(map(ord, value))}
    if value is None or isinstance(value, (bool, str)):
        return value
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
        items = _plain(value.ravel().tolist(), path, arrays)
        kind = "T" if value.dtype.kind == "T" else str(value.dtype)
        return {"array of": kind, "shape": list(value.shape), "items": items}
    if isinstance(value, dict):
        return _plain_dict(value, path, arrays)
    if isinstance(value, (list, tuple)):
        items = [_plain(each, f"{path}.{i}", arrays) for i, each in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    raise TypeError(
        f"{path} is {describe(value)}, which cannot be exported: arrays, numbers, "
        "strings, lists and dicts were expected. Set it to one of them by set_params "
        "or use joblib."
    )


def _plain_dict(value, path, arrays):
    keys = [_plain(key, path, arrays) for key in value]
    values = list(value.values())
    forms = {(v.shape, v.dtype) if isinstance(v, np.ndarray) else None for v in values}
    if len(values) > 1 and len(forms) == 1 and None not in forms:
        # One stacked array instead of one array for each of many tokens.
        return {"dict of rows": keys, "rows": _plain(np.stack(values), path, arrays)}
    items = [_plain(each, f"{path}.{i}", arrays) for i, each in enumerate(values)]
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


class _Reader:
    """The inverse of :func:`_plain`.

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
            raise ValueError(f"{error}. {_EXPECTED}") from error
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{path} has an unknown form. {_EXPECTED}") from error

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
