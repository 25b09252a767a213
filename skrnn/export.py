"""Estimators as named arrays, for file formats that cannot contain code.

Loading a pickle may run arbitrary code. The functions of this module use only arrays,
strings and numbers: :func:`save_safetensors` writes a file, and
:func:`to_state_dict` returns a dict that can be saved with ``torch.save`` and loaded
with ``torch.load(file, weights_only=True)``.
"""

import json
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skrnn._classifier import RNNClassifier
from skrnn._core.execution import CPU
from skrnn._encoder import RNNEncoder
from skrnn._messages import describe
from skrnn._regressor import RNNRegressor

__all__ = ["from_state_dict", "load_safetensors", "save_safetensors", "to_state_dict"]

_CLASSES = {cls.__name__: cls for cls in (RNNClassifier, RNNEncoder, RNNRegressor)}
_KEY = "skrnn"  # of everything that is not an array
_LEFT_OUT = ("encoder_", "_skl_callbacks", "_parent_callback_ctx", "_metadata_request")
_EXPECTED = "The output of to_state_dict or save_safetensors was expected."


def to_state_dict(estimator):
    """Convert a fitted estimator to a dict of tensors.

    Parameters
    ----------
    estimator : RNNEncoder, RNNClassifier or RNNRegressor
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
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    from_state_dict : The inverse function.
    save_safetensors : Write the same content to a file.

    Notes
    -----
    Callbacks and metadata requests are not exported.

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
    estimator : RNNEncoder, RNNClassifier or RNNRegressor
        The fitted estimator.

    Raises
    ------
    ValueError
        If `state_dict` is anything else, or if it is from a version of skrnn whose
        format this version cannot read.

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
    content = _content(state_dict[_KEY] if _KEY in state_dict else None)
    return _put_together(
        *content, lambda name: state_dict[name].numpy(force=True).copy()
    )


def save_safetensors(estimator, path):
    """Write a fitted estimator to a file in the safetensors format.

    Parameters
    ----------
    estimator : RNNEncoder, RNNClassifier or RNNRegressor
        The fitted estimator.
    path : str or PathLike
        Path of the file. An existing file is overwritten.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    TypeError, NotFittedError
        As in :func:`to_state_dict`.
    OSError
        If the file cannot be written; what was there stays as it was.

    See Also
    --------
    load_safetensors : The inverse function.
    to_state_dict : Convert to a dict instead of a file.

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
    path = Path(path)
    # A process that is killed meanwhile leaves the last file as it was, and a part of
    # the new one under a name that the next call overwrites.
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def load_safetensors(path):
    """Read a fitted estimator from a file in the safetensors format.

    Parameters
    ----------
    path : str or PathLike
        Path of a file written by :func:`save_safetensors`.

    Returns
    -------
    estimator : RNNEncoder, RNNClassifier or RNNRegressor
        The fitted estimator.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    ValueError
        As in :func:`from_state_dict`.

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
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            content = _content((file.metadata() or {}).get(_KEY))
            return _put_together(*content, file.get_tensor)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} cannot be read: {error}. {_EXPECTED}") from error


def _import_safetensors():
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "skrnn.export needs safetensors for this. Install it with `pip install "
            "safetensors`, or use to_state_dict and torch.save."
        ) from error
    return safetensors


def _take_apart(estimator):
    """The arrays of an estimator by name, and everything else as JSON."""
    name = type(estimator).__name__
    if _CLASSES.get(name) is not type(estimator):
        raise TypeError(
            f"{describe(estimator)} cannot be exported: an estimator of skrnn was "
            "expected. For a pipeline, pass its skrnn step."
        )
    check_is_fitted(estimator)
    state = estimator.__getstate__()
    for left_out in _LEFT_OUT:
        state.pop(left_out, None)
    arrays = {}
    plain = {key: _plain(value, key, arrays) for key, value in state.items()}
    return arrays, json.dumps({"class": name, "state": plain})


def _content(text):
    """The class and the state, parsed from JSON."""
    try:
        content = json.loads(text)
        return _CLASSES[content["class"]], content["state"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"This holds no estimator of skrnn. {_EXPECTED}") from error


def _put_together(cls, state, get_array):
    """The inverse of :func:`_take_apart`."""
    try:
        state = {key: _parsed(value, get_array) for key, value in state.items()}
    except KeyError as error:
        raise ValueError(f"The array {error} is missing. {_EXPECTED}") from error
    estimator = cls.__new__(cls)
    estimator.__setstate__(state)
    estimator._complete()
    return estimator


def _plain(value, path, arrays):
    """A value in a form that JSON can hold; arrays go to `arrays`, by their path."""
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


def _parsed(value, get_array):
    """The inverse of :func:`_plain`."""
    if isinstance(value, list):
        return [_parsed(each, get_array) for each in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return get_array(value["array"])
    if "transpose of" in value:
        return get_array(value["transpose of"]).T
    if "dict" in value:
        return dict(_parsed(value["dict"], get_array))
    if "dict of rows" in value:
        keys, rows = (
            _parsed(value[name], get_array) for name in ("dict of rows", "rows")
        )
        return dict(zip(keys, rows, strict=True))
    if "tuple" in value:
        return tuple(_parsed(value["tuple"], get_array))
    kind = np.dtypes.StringDType() if value["array of"] == "T" else value["array of"]
    items = _parsed(value["items"], get_array)
    array = np.empty(len(items), dtype=kind)
    for i, item in enumerate(items):
        array[i] = item
    return array.reshape(value["shape"])
