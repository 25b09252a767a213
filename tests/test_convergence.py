"""Warnings of fits that learned nothing, and what they advise."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor


def random_words(rng, n_samples, n_steps):
    return ["".join(rng.choice(list("abcd"), n_steps)) for _ in range(n_samples)]


# Too small to learn labels by heart, which X has nothing to do with.
TINY = {"nhidden": 1, "random_state": 0}


@pytest.mark.parametrize(
    "params, n_steps, advice",
    [
        ({}, 8, "increase max_iter, decrease alpha, or use more sequences"),
        ({"cell": "rnn"}, 8, "Use cell='gru', which learns what to keep"),
        ({"pooling": "last"}, 60, r"It reads 60 steps .* pooling='max', or max_length"),
    ],
)
def test_a_fit_that_learns_nothing_says_so(params, n_steps, advice, rng):
    X, y = random_words(rng, 150, n_steps), rng.integers(2, size=150)
    classifier = RNNClassifier(**TINY, ngram_range=(1, 1), **params)
    with pytest.warns(ConvergenceWarning, match=f"learned next to nothing.*{advice}"):
        classifier.fit(X, y)


def test_it_compares_with_a_guess(rng):
    X, y = rng.normal(size=(100, 60)), rng.normal(size=100)
    message = (
        r"^RNNRegressor has learned next to nothing: the best validation score "
        r"is -\S+, and that of a network that ignores X is -\S+\. "
    )
    regressor = RNNRegressor(16, pooling="last", early_stopping=True, random_state=0)
    regressor.set_params(validation_fraction=0.5)
    with pytest.warns(ConvergenceWarning, match=f"{message}.*larger patch_length"):
        regressor.fit(X, y)


def test_next_steps_of_noise_are_not_predicted(rng):
    with pytest.warns(ConvergenceWarning, match="learned next to nothing"):
        RNNEncoder(**TINY, differences=0).fit([rng.normal(size=9) for _ in range(80)])


def test_a_high_learning_rate_is_named(rng):
    classifier = RNNClassifier(16, learning_rate_init=1.0, random_state=0)
    X, y = rng.normal(size=(100, 20)), rng.integers(2, size=100)
    with pytest.warns(ConvergenceWarning, match=r"Lower learning_rate_init \(now 1\)"):
        classifier.fit(X, y)


def test_good_probabilities_or_a_good_score_are_enough(rng):
    # A fifth of the labels are wrong: the score is good, probabilities are too sure.
    X = random_words(rng, 240, 5)
    y = [(x[-1] in "ab") != (rng.random() < 0.2) for x in X]
    params = {"early_stopping": True, "validation_fraction": 0.3, "random_state": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier = RNNClassifier(64, **params).fit(X, y)
    assert classifier.best_validation_score_ > 0.6


@pytest.mark.parametrize("max_iter, y", [(1, [0, 1]), ("auto", [1, 1])])
def test_short_fits_and_constant_targets_are_no_surprise(max_iter, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RNNClassifier(**TINY, max_iter=max_iter).fit(["ab", "ab"], y)


def test_what_is_learned_is_not_warned_of(rng):
    X = random_words(rng, 300, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RNNClassifier(8, random_state=0).fit(X, [x[-1] for x in X])
        RNNRegressor(8, random_state=0).fit(X, [float(x.count("a")) for x in X])
    assert np.unique([x[-1] for x in X]).size == 4
