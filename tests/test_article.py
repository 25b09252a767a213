"""The estimators against the article's loop, one sequence and step at a time."""

import numpy as np
import pytest
from reference import (
    reference_hidden_states,
    reference_one_hot,
    reference_softmax,
)

from skrnn import RNNClassifier, RNNEncoder
from skrnn._core.architecture import Architecture
from skrnn._core.encode import encode
from skrnn._core.public import from_public


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("is_token", [True, False])
def test_hidden_states_equal_the_articles_loop(activation, is_token, rng):
    n_inputs, nhidden = 5, 7
    lengths = np.array([3, 1, 6, 6, 2, 9])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = rng.integers(0, n_inputs, offsets[-1])
    numbers = rng.normal(size=(offsets[-1], n_inputs))
    x = reference_one_hot(ids, n_inputs) if is_token else numbers
    W, U, b = (rng.normal(size=s) for s in [(7, 7), (7, 5), (7,)])

    architecture = Architecture((nhidden,), activation=activation)
    V, c = np.zeros((1, nhidden)), np.zeros(1)
    arrays = {"W_": [W], "U_": [U], "b_": [b], "V_": V, "intercept_": c}
    weights = from_public(architecture, arrays)
    values = ids.astype(np.int32) if is_token else numbers
    ours = encode(weights, values, offsets)
    assert ours.shape == (len(lengths), nhidden)
    for h, start, stop in zip(ours, offsets[:-1], offsets[1:], strict=True):
        theirs = reference_hidden_states(W, U, b, x[start:stop], activation)
        np.testing.assert_allclose(h, theirs[-1], rtol=1e-10)


ARTICLE = {"nhidden": 6, "cell": "rnn", "max_iter": 20, "random_state": 0}


def test_encoder_transform_equals_the_articles_loop_on_text():
    X = ["cat", "chat", "katze", "act"]
    encoder = RNNEncoder(**ARTICLE, ngram_range=(1, 1)).fit(X, X)
    W, U, b = encoder.W_[0], encoder.U_[0], encoder.b_[0]
    for word, h in zip(X, encoder.transform(X), strict=True):
        ids = [encoder.vocabulary_[character] for character in word]
        x = reference_one_hot(ids, U.shape[1])
        theirs = reference_hidden_states(W, U, b, x)[-1]
        np.testing.assert_allclose(h, theirs, rtol=1e-4, atol=1e-6)


def test_encoder_transform_equals_the_articles_loop_on_series(rng):
    X = [rng.normal(100.0, 7.0, size=(n, 3)) for n in (4, 1, 9)]
    encoder = RNNEncoder(**ARTICLE, differences=0, kernel_sizes=None).fit(X, [0, 1, 2])
    for series, h in zip(X, encoder.transform(X), strict=True):
        x = (series - encoder.mean_) / encoder.scale_
        theirs = reference_hidden_states(encoder.W_[0], encoder.U_[0], encoder.b_[0], x)
        np.testing.assert_allclose(h, theirs[-1], rtol=1e-4, atol=1e-6)


def test_probabilities_are_the_softmax_of_V_h_plus_c():
    X = ["cat", "chat", "katze", "act"]
    classifier = RNNClassifier(
        nhidden=6, wide_ngram_range=None, max_iter=20, random_state=0
    ).fit(X, X)
    h = classifier.encoder_.transform(X)
    for row, probabilities in zip(h, classifier.predict_proba(X), strict=True):
        scores = classifier.V_.astype(float) @ row + classifier.intercept_
        np.testing.assert_allclose(
            probabilities, reference_softmax(scores), rtol=1e-4, atol=1e-7
        )
