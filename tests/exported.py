"""Fitted estimators that several test modules export, and what they read."""

from itertools import product

import numpy as np
from networks import ARCHITECTURES

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor, RNNTagger
from skrnn._core import public

NAMES = ["cat", "chat", "katze", "kater", "Straße", "mañana", "tacte", "cha cha"] * 2
LANGUAGES = ["en", "fr", "de", "de", "de", "es", "la", "es"] * 2
# Some of them unknown, in part or altogether.
OTHERS = ["cat", "chatz", "", "z", "Ñandú", "🐈tac", "a\u2028b", "<b>t", "\ud800a"]
SENTENCES = [
    "The cat sat on the mat.",
    "El gato come pan, y queso.",
    "Der Hund war da!",
]
SENTENCES += ["a cat ate the bread", "El perro no come queso hoy", "Der Hund, das Tier"]
SAID = ["The gato sat, 12²x!", "", "ŒUVRE the ǅ İ ΣΑΣ", "no\x1fcome\u0085pan der_Hund"]
TOKENS = [["go", "left", "stop"], ["go", "right"], ["stop"], ["left", "left", "go"]] * 3
TOLD = [["go", "go", "stop"], ["up"], [], ["left", "go", "right", "go"]]
TURNS = ["a", "b", "c", "a"] * 3
VECTORS = {"c": [0.5, -1], "a": [1, 0.25], "t": [0, 2.0]}
ALIGNED = ["acgt", "acga", "ttgt", "tcga", "acgg", "ttaa"] * 2
LONGER = ["acgtacgtac", "ttgtacgaac", "acgaacgtcc", "ttttttttcc"] * 3
STEPS = [[{"w": "cat", "up": True}, {"w": ""}], [{"w": "dog"}], [{"up": 1, "w": "dog"}]]
MORE = [[{"w": "cat"}, {"up": 1, "x": "y"}, {}], [{"w": "owl", "up": False}], []]


def fit(X, y, cls=RNNClassifier, **parameters):
    """A fitted estimator, whose weights are then random, so that all of them matter."""
    options = {"nhidden": 4, "max_iter": 1, "random_state": 0, **parameters}
    estimator = cls(**options).fit(X, y)
    rng, now = np.random.default_rng(0), vars(estimator)
    for name in (*public.all_names(), "wide_coef_"):
        arrays = now.get(name, [])
        for array in arrays if isinstance(arrays, list) else [arrays]:
            if name != "W_" or estimator.recurrence == "learned":
                array[...] = rng.normal(0, 0.5, array.shape)
    if estimator.kind_ == "features":  # id 0 is padding
        for U in estimator.U_[: 1 + estimator._architecture["bidirectional"]]:
            U[:, 0] = 0
    return estimator


def of_text():
    """By name, how an estimator of strings or tokens is made, and what it then reads.

    Yields
    ------
    name : str
    make : callable
    X : list
    """
    names = NAMES, LANGUAGES, OTHERS
    cases = {
        "default": names,
        "plain": (*names, {"ngram_range": (1, 1), "wide_ngram_range": None}),
        "n-grams": (*names, {"ngram_range": (2, 3), "wide_ngram_range": (1, 2)}),
        "vocabulary": (*names, {"vocabulary": ["a", "t", "chat"], "lowercase": True}),
        "accents": (*names, {"strip_accents": "unicode", "lowercase": True}),
        "ascii": (*names, {"strip_accents": "ascii"}),
        "first": (*names, {"max_length": 5, "overlong": "first"}),
        "last": (*names, {"max_length": 5, "overlong": "last", "bidirectional": True}),
        "embeddings": (*names, {"embeddings": VECTORS, "bidirectional": True}),
        "places": (ALIGNED, [0, 1, 0, 1, 1, 0] * 2, ["acgta", "ag", "", "tttt"]),
        "many places": (LONGER, TURNS, ["acgtacgtacg", "tt"]),
        "words": (SENTENCES * 2, ["en", "es", "de"] * 4, SAID),
        "lower words": (
            SENTENCES * 2,
            ["en", "es", "de"] * 4,
            SAID,
            {"lowercase": True, "strip_accents": "unicode"},
        ),
        "tokens": (TOKENS, TURNS, TOLD),
        "token pairs": (TOKENS, TURNS, TOLD, {"ngram_range": (1, 2), "subwords": True}),
        "spaces": (
            [[f"{token} it" for token in x] for x in TOKENS],
            TURNS,
            [["go it", "stop it"], ["go"]],
        ),
        "integers": (
            [[len(token) for token in x] for x in TOKENS],
            TURNS,
            [[2, 4], [4, 5, 5, 2], [7, 2]],
            {"analyzer": "token", "subwords": True},
        ),
        "both": ([["a", 1, "1"], [1, 1], ["1"]] * 4, TURNS, [["1", 1], ["a"]]),
        "features": (STEPS * 4, TURNS, MORE),
        "labels": (NAMES, np.eye(3, dtype=int)[[0, 1, 2, 2, 2, 1, 0, 1] * 2], OTHERS),
        "integer labels": (NAMES, [3, 7] * 8, OTHERS),
        "number": (NAMES, np.arange(16.0), OTHERS, {"cls": RNNRegressor}),
        "numbers": (
            NAMES,
            np.column_stack([np.arange(16) * 1e3, np.arange(16) / 7]),
            OTHERS,
            {"cls": RNNRegressor, "pooling": "max"},
        ),
        "encoder": (*names, {"cls": RNNEncoder, "pooling": "concat"}),
        "next step": (NAMES, None, OTHERS, {"cls": RNNEncoder}),
        "tags": (NAMES, NAMES, OTHERS, {"cls": RNNTagger}),
        "tags of words": (
            TOKENS,
            TOKENS,
            TOLD,
            {"cls": RNNTagger, "bidirectional": False},
        ),
    }
    for name, (X, y, others, *options) in cases.items():
        parameters = options[0] if options else {}
        yield name, (X, y, others, parameters)


OF_TEXT = dict(of_text())


def series(n_series, longest, n_features, missing=0.0):
    """Random walks of several scales, some of one step, some constant."""
    rng = np.random.default_rng(n_series)
    walks = []
    for i in range(n_series):
        n_steps = 1 if i == 1 else rng.integers(1, longest)
        walk = rng.normal(size=(n_steps, n_features)).cumsum(axis=0)
        walk = 0 * walk + 7 if i == 2 else 5 + walk * 10.0 ** rng.integers(-2, 3)
        walk[rng.random(walk.shape) < missing] = np.nan
        walks.append(walk)
    return walks


OF_SERIES = {
    "default": {},
    "no filters": {"kernel_sizes": None},
    "patches": {"kernel_sizes": None, "patch_length": 3, "differences": 2},
    "by series": {"standardize": "series", "patch_length": 4},
    "as they are": {"standardize": False, "differences": 0},
    "filters": {"kernel_sizes": ((3, 4), (2,), (5,)), "patch_length": 5},
    "missing": {"missing": "mask", "standardize": "series", "differences": 3},
    "missing patches": {"missing": "mask", "kernel_sizes": None, "patch_length": 2},
    "deep": {"bidirectional": True, "nhidden": (4, 3), "pooling": "concat"},
}
OF_SERIES = {
    f"{name}, {n} features": ({"n_wide_features": 400, **parameters}, n)
    for (name, parameters), n in product(OF_SERIES.items(), (1, 3))
}


def parameters_of(name):
    """The parameters of an estimator with one of ARCHITECTURES."""
    architecture = ARCHITECTURES[name]
    names = "nhidden", "cell", "activation", "recurrence", "bidirectional", "pooling"
    return {each: getattr(architecture, each) for each in names}


def predicted(estimator, X):
    """What an estimator predicts: probabilities, numbers or vectors."""
    methods = ("predict_proba", "predict", "transform")
    return getattr(estimator, next(m for m in methods if hasattr(estimator, m)))(X)


def assert_close(ours, theirs):
    """To 1e-5, relative to a number above 1."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= 1e-5 * np.maximum(1, np.abs(theirs))).all()
