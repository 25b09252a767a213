"""What a page knows of an estimator, as JSON can hold it."""

import numpy as np

from skrnn._core import public
from skrnn._core.imports import import_lock
from skrnn._version import __version__
from skrnn.export._compression import compress, rounded
from skrnn.export._fitted import KNOWN, check_network
from skrnn.export._page_reading import example_of, reading_of, shortest_grams


def content_of(estimator, weights):
    """Everything that a page shows or computes with.

    Parameters
    ----------
    estimator : RNNClassifier, RNNRegressor or RNNEncoder
        It is fitted, reads tokens, and no other thread changes it.
    weights : {"exact", "rounded"}
        All numbers of the page are those of an estimator with these weights.

    Returns
    -------
    content : dict

    Raises
    ------
    ValueError
        If the page cannot compute the network.
    """
    shown = _rounded_copy(estimator) if weights == "rounded" else estimator
    model, schema = shown._model_and_schema()
    architecture = model.architecture
    check_network("to_html", type(estimator).__name__, architecture)
    reading = reading_of(model.reader, schema.options)
    typed, x = example_of(model, reading["separator"], schema.options.max_length)
    numbers = _numbers(shown, x)  # it raises if attributes do not fit each other
    unrounded = _numbers(estimator, x) if weights == "rounded" else None
    network = public.from_public(architecture, model.arrays)
    vectors = model.reader.vectors
    return {
        "name": type(estimator).__name__,
        "version": __version__,
        "reading": reading,
        **{what: getattr(architecture, what) for what in KNOWN},
        "hasW": architecture.make_cell().has_W,
        "embeddings": None if vectors is None else compress(rounded(vectors, "exact")),
        "layers": [list(map(_layer, directions)) for directions in network.layers],
        "output": _output(estimator, model),
        "map": _map_of(model.reader, network),
        "example": {"text": typed, "numbers": numbers, "unrounded": unrounded},
    }


def _rounded_copy(estimator):
    """A copy of an estimator, whose tables of weights are rounded."""
    copy = estimator._at_this_moment()
    now = vars(copy)
    now["U_"] = [rounded(U, "rounded") for U in now["U_"]]
    for name in {"embeddings_", "wide_coef_"} & now.keys():
        now[name] = rounded(now[name], "rounded")
    return copy


def _layer(layer):
    """The weights of a layer in one direction, blocks in the order of the cell."""
    U, W, b = layer.U.numpy(), layer.W.numpy(), layer.b.numpy()
    return {"U": compress(rounded(U, "exact")), "W": compress(W), "b": compress(b)}


def _output(estimator, model):
    """What is predicted, and the weights for it; an encoder predicts nothing."""
    head, A = model.head, model.wide_coef
    if not hasattr(estimator, "predict"):
        return {"task": "code"}
    output = {
        "task": head.task,
        "V": compress(model.arrays["V_"]),
        "c": compress(model.arrays["intercept_"]),
        "A": None if A is None else compress(rounded(A.T, "exact")),
    }
    if head.task != "regression":
        return {**output, "labels": list(map(str, head.classes.tolist()))}
    labels = [f"y[:, {i}]" for i in range(len(head.mean))]
    return {
        **output,
        "labels": ["y"] if head.is_one else labels,
        "mean": head.mean.tolist(),
        "scale": head.scale.tolist(),
    }


def _numbers(estimator, x):
    """What a page should compute for a sequence."""
    methods = ("predict_proba", "predict", "transform")
    method = next(name for name in methods if hasattr(estimator, name))
    return np.ravel(getattr(estimator, method)([x])).tolist()


def _map_of(reader, weights):
    """The vectors of tokens in two dimensions, by principal components."""
    with import_lock:  # imported here, since it takes a while
        from sklearn.decomposition import PCA

    labels, ids = shortest_grams(reader)
    if reader.vectors is None:
        vectors = np.hstack([layer.U.numpy()[ids] for layer in weights.layers[0]])
    else:
        vectors = reader.vectors[ids]
    places, shares = np.zeros((len(ids), 2), np.float32), [0.0, 0.0]
    n = min(2, *vectors.shape)
    if (vectors != vectors[0]).any():
        pca = PCA(n, random_state=0)
        places[:, :n] = pca.fit_transform(vectors)
        shares[:n] = pca.explained_variance_ratio_.tolist()
    return {
        "labels": labels,
        "ids": compress(ids),
        "places": compress(places),
        "norms": compress(np.linalg.norm(vectors, axis=1)),
        "shares": shares,
    }
