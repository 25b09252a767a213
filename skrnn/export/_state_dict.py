"""Estimators as dicts of tensors."""

import json
from collections.abc import Mapping
from dataclasses import fields

import torch
from sklearn.utils.validation import check_is_fitted

from skrnn._base import fitted_names
from skrnn._classifier import RNNClassifier
from skrnn._core.execution import CPU
from skrnn._decoder import RNNDecoder
from skrnn._encoder import RNNEncoder
from skrnn._language_model import RNNLanguageModel
from skrnn._messages import describe
from skrnn._regressor import RNNRegressor
from skrnn._seq2seq import RNNSeq2Seq
from skrnn._tagger import RNNTagger
from skrnn.export._plain import EXPECTED, Reader, to_plain

_CLASSES = (RNNClassifier, RNNDecoder, RNNEncoder, RNNLanguageModel)
_CLASSES += (RNNRegressor, RNNSeq2Seq, RNNTagger)
_CLASSES = {cls.__name__: cls for cls in _CLASSES}
KEY = "skrnn"  # of everything that is not an array
_STAMPS = ("_skrnn_version", "_state_format")
_OUTPUT = "_sklearn_output_config"  # what set_output sets


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
    arrays, text = take_apart(estimator)
    tensors = {name: CPU.tensor(array) for name, array in arrays.items()}
    return {**tensors, KEY: text}


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
        raise ValueError(f"This is {describe(state_dict)}. {EXPECTED}")
    tensors = {name: each for name, each in state_dict.items() if name != KEY}
    _check_tensors(tensors)
    content = read_content(state_dict.get(KEY))
    return put_together(
        *content, tensors, lambda name: tensors[name].numpy(force=True).copy()
    )


def take_apart(estimator):
    """The arrays of an estimator by name, and everything else as JSON."""
    name = type(estimator).__name__
    if _CLASSES.get(name) is not type(estimator):
        raise TypeError(
            f"{describe(estimator)} cannot be exported: a single network of skrnn was "
            "expected. For a pipeline, pass its skrnn step; for an ensemble, each of "
            "its estimators_."
        )
    check_is_fitted(estimator)
    estimator._check_parameters()
    estimator._check_fitted(estimator._fitted())
    known = _names(type(estimator))
    state = {k: v for k, v in estimator.__getstate__().items() if k in known}
    arrays = {}
    plain = {key: to_plain(value, key, arrays) for key, value in state.items()}
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
            raise ValueError(f"{name} is {describe(tensor)}. {EXPECTED}")
        sizes += tensor.numel() * tensor.element_size()
        memory = tensor.untyped_storage()
        of_memory[memory.data_ptr()] = memory.nbytes()
    if sizes > sum(of_memory.values()):
        raise ValueError(f"The tensors share memory. {EXPECTED}")


def read_content(text):
    """The class and the state, parsed from JSON."""
    try:
        content = json.loads(text, object_pairs_hook=_without_doubles)
        cls, state = _CLASSES[content["class"]], content["state"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"This holds no estimator of skrnn. {EXPECTED}") from error
    if not isinstance(state, dict):
        raise ValueError(f"The state is {describe(state)}. {EXPECTED}")
    return cls, state


def _without_doubles(pairs):
    """A dict of pairs, no two of which have the same key.

    If two had, another reader of JSON might take the other one.
    """
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key occurs twice")
    return result


def put_together(cls, state, names, get_array):
    """The inverse of :func:`take_apart`.

    Parameters
    ----------
    cls : class
    state : dict
    names : iterable of str
        Names of the arrays, each of which must be used once.
    get_array : callable
        ``get_array(name)`` reads an array.
    """
    unknown = state.keys() - _names(cls)
    if unknown:
        raise ValueError(
            f"{min(unknown)!r:.40} is no attribute of {cls.__name__} that can be "
            f"loaded. {EXPECTED}"
        )
    reader = Reader(set(names), get_array)
    state = {key: reader.read(value, key) for key, value in state.items()}
    if reader.names:
        raise ValueError(
            f"The array {min(map(repr, reader.names)):.40} is unknown. {EXPECTED}"
        )
    if "W_" not in state:
        raise ValueError(f"The array W_ is missing. {EXPECTED}")
    estimator = cls.__new__(cls)
    estimator.__setstate__(state)
    estimator._check_parameters()
    return estimator
