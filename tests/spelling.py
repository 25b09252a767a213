"""Sequences to write, and the weights of what writes them."""

import numpy as np

from skrnn._core.public import all_names

X = ["ab", "b", "", "aab", "abba", "ba"]
Y = ["yx", "x", "z", "", "xyyx", "xy"]
TOKENS = [list(y) for y in Y]


def letters(n_samples, seed, longest=8, alphabet="abcdefgh"):
    """Random strings of at least two letters."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, longest + 1, n_samples)
    return ["".join(rng.choice(list(alphabet), n)) for n in lengths]


def exact_match(y_true, y_pred):
    """The share of sequences that are right."""
    return np.mean([a == b for a, b in zip(y_true, y_pred, strict=True)])


def weights_of(model):
    """All weights of a fitted estimator, end to end."""
    arrays = []
    for name in all_names():
        part = getattr(model, name, [])
        arrays += part if isinstance(part, list) else [part]
    return np.concatenate([array.ravel() for array in arrays])
