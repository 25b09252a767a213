"""Estimators as graphs of ONNX."""

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skrnn._classifier import RNNClassifier
from skrnn._encoder import RNNEncoder
from skrnn._regressor import RNNRegressor
from skrnn._tagger import RNNTagger
from skrnn._version import __version__
from skrnn.export import _onnx_network as network
from skrnn.export._fitted import check_network, model_of
from skrnn.export._onnx_graph import Graph
from skrnn.export._onnx_reading import check_reading, n_ids_at_a_step, reading_of
from skrnn.export._onnx_series import read_series, read_wide

_CLASSES = (RNNClassifier, RNNRegressor, RNNEncoder, RNNTagger)
KEY = "skrnn"  # of the metadata
_SIZES = ["n_sequences", "n_steps"]
_FLOAT, _DOUBLE, _INT = np.float32, np.float64, np.int64


def to_onnx(estimator):
    """Convert a fitted estimator to a graph of ONNX.

    Parameters
    ----------
    estimator : RNNClassifier, RNNRegressor, RNNEncoder or RNNTagger
        The fitted estimator.

    Returns
    -------
    model : onnx.ModelProto
        ``onnx.save(model, path)`` writes it to a file.

    Raises
    ------
    ImportError
        If onnx is not installed.
    TypeError
        If the estimator is of another class.
    ValueError
        If `analyzer` or `strip_accents` is a function, or `token_pattern` is not the
        default one, which other languages could not apply; if labels are neither
        strings nor numbers; or if a parameter or fitted attribute has been set to a
        value that `fit` refuses or would not have set.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    to_torch : Convert to a module of torch, which can be trained further.
    to_html : Write a page on which an estimator reads what is typed.

    Notes
    -----
    The graph consists of the operators RNN, GRU or LSTM of ONNX and others of its
    operator set 18. Its outputs equal those of the estimator to 1e-5, relative to a
    number above 1. The sizes ``n_sequences`` and ``n_steps`` may differ in each call,
    and are at least 1: onnxruntime crashes, with its process, if there is no sequence.

    Sequences are padded to the same number of steps, at least 1, with any numbers or
    ids, and ``lengths``, int64 of shape (n_sequences,), says how long each is. The
    other inputs are:

    - for series of numbers ``x``, float64 of shape (n_sequences, n_steps, n_features),
      in the units of `fit`, with NaN for missing numbers: standardising, filling in,
      differences, patches and convolutions are part of the graph;
    - for strings and tokens ``ids``, int64 of shape (n_sequences, n_steps), or of shape
      (n_sequences, n_steps, n_at_a_step) if n-grams, subwords or sets of features are
      read;
    - if there is a wide path for them, ``columns``, int64, and ``counts``, float32,
      both of shape (n_sequences, n_grams): which n-grams occur in a sequence, and how
      often. Entries with a count of 0 are padding.

    ``json.loads`` of the metadata property ``skrnn`` gives the class and the version of
    the estimator, ``classes``, and how X is ``reading``: with the vocabulary, and
    what a tokeniser needs to compute ids and counts. The user guide has one in Python,
    and one in JavaScript.

    The outputs are:

    - of a classifier ``label``, of shape (n_sequences,), and ``probabilities``, float32
      of shape (n_sequences, n_classes); if sequences have several labels, ``label`` is
      0 or 1 for each of them;
    - of a regressor ``numbers``, float64, of the shape that `predict` returns;
    - of an encoder ``h``, float32 of shape (n_sequences, n_features_out);
    - of a tagger ``label`` and ``probabilities``, with an axis of steps behind the
      first one. Those behind the end of a sequence mean nothing. With `transitions`,
      they are those of the best sequence of tags, and of all sequences of tags.

    Examples
    --------
    >>> import json
    >>> from skrnn import RNNClassifier
    >>> from skrnn.export import to_onnx
    >>> words, languages = ["cat", "chat", "katze"], ["English", "French", "German"]
    >>> parameters = {"ngram_range": (1, 1), "wide_ngram_range": None}
    >>> classifier = RNNClassifier(nhidden=4, random_state=0, **parameters)
    >>> model = to_onnx(classifier.fit(words, languages))
    >>> [each.name for each in model.graph.input]
    ['ids', 'lengths']
    >>> [each.name for each in model.graph.output]
    ['label', 'probabilities']
    >>> {each.op_type for each in model.graph.node} & {"RNN", "GRU", "LSTM"}
    {'GRU'}
    >>> json.loads(model.metadata_props[0].value)["classes"]
    ['English', 'French', 'German']
    """
    graph = Graph()
    fitted, model, options = model_of(estimator, _CLASSES, "to ONNX")
    name, head = type(fitted).__name__, model.head
    check_network("to_onnx", name, model.architecture)
    check_reading(model.reader, options)
    content = {"estimator": name, "version": __version__, "task": head.task}
    read = _read_numbers if model.reader.kind == "series" else _read_tokens
    x, lengths, Us, with_wide = read(graph, model)
    if isinstance(fitted, RNNEncoder):
        shape = [_SIZES[0], model.architecture.n_features_out]
        h = network.vectors_of_sequences(graph, x, lengths, model, Us)
        graph.output("h", h, _FLOAT, shape)
    else:
        content |= _classes_of(name, head)
        if head.per_step:
            H, _ = network.states_of_steps(graph, x, lengths, model, Us)
            h, sizes = graph("Transpose", H, perm=[1, 0, 2]), _SIZES
        else:
            h = network.vectors_of_sequences(graph, x, lengths, model, Us)
            sizes = _SIZES[:1]
        scores = with_wide(network.scores_of(graph, h, model))
        network.write_predictions(graph, scores, lengths, model, sizes)
    content["reading"] = reading_of(model.reader, options)
    return graph.model(name, __version__, {KEY: json.dumps(content, default=int)})


def _classes_of(name, head):
    """The labels that are predicted, if any are, for the metadata.

    Raises
    ------
    ValueError
        If a graph has none for them.
    """
    if not hasattr(head, "classes"):
        return {}
    classes = np.asarray(head.classes).tolist()
    if network.classes_as_array(head.classes) is None:
        label = f"{classes[0]!r:.40}"
        raise ValueError(
            f"This {name} has labels such as {label}, but ONNX has numbers and strings "
            "of UTF-8 only, and all of one type. Convert y before fit."
        )
    return {"classes": classes}


class _Read(NamedTuple):
    """What the network reads.

    Attributes
    ----------
    values, lengths : str
    Us : list of ndarrays
        Those of the first layer that read it.
    with_wide : callable
        Adds the wide path to scores.
    """

    values: str
    lengths: str
    Us: list
    with_wide: Callable


def _read_numbers(graph, model):
    """Declare the inputs of series, and read them."""
    reader, n_directions = model.reader, model.architecture.n_directions
    x = graph.input("x", _DOUBLE, [*_SIZES, len(reader.mean)])
    lengths = graph.input("lengths", _INT, _SIZES[:1])
    values, n_steps, given = read_series(graph, x, lengths, reader)

    def with_wide(scores):
        if reader.wide is None:
            return scores
        features = read_wide(graph, *given, reader.wide)
        return network.with_wide_features(graph, scores, features, model)

    return _Read(values, n_steps, model.arrays["U_"][:n_directions], with_wide)


def _read_tokens(graph, model):
    """Declare the inputs of tokens, and look up their vectors."""
    reader = model.reader
    n_at_a_step = n_ids_at_a_step(reader)
    shape = _SIZES if n_at_a_step == 1 else [*_SIZES, n_at_a_step or "n_at_a_step"]
    ids = graph.input("ids", _INT, shape)
    lengths = graph.input("lengths", _INT, _SIZES[:1])
    values, Us = network.vectors_of_tokens(graph, ids, model)
    if len(shape) == 3:
        values = graph("ReduceSum", values, [2], keepdims=0)

    def with_wide(scores):
        if reader.wide is None:
            return scores
        shape = [_SIZES[0], "n_grams"]
        columns = graph.input("columns", _INT, shape)
        counts = graph.input("counts", _FLOAT, shape)
        return network.with_wide_grams(graph, scores, columns, counts, model)

    return _Read(values, lengths, Us, with_wide)
