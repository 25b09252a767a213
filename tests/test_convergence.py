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
    regressor.set_params(validation_fraction=0.5, kernel_sizes=None)
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


WORDS = [f"{i} {i + 1}" for i in range(0, 60, 2)]
PLAIN = {"analyzer": "word", "ngram_range": (1, 1), "subwords": False}
LARGE = {
    "words": (WORDS, PLAIN),
    "tokens": ([x.split() for x in WORDS], {}),
    "integers": ([[int(i) for i in x.split()] for x in WORDS], {}),
    "n-grams": (WORDS, {**PLAIN, "ngram_range": (1, 2)}),
}
LIMITED = {
    "max_features": (WORDS, {"analyzer": "word", "max_features": 60}),
    "vocabulary": (WORDS, {"analyzer": "word", "vocabulary": ["1", "2"]}),
    "embeddings": (WORDS, {"analyzer": "word", "embeddings": {"1": [1.0, 2.0]}}),
    "limited by default": (["ab", "ba"] * 15, {}),
    "series": (np.arange(60.0).reshape(30, 2), {}),
}
estimators = pytest.mark.parametrize(
    "estimator, y",
    [
        (RNNClassifier, [0, 1] * 15),
        (RNNRegressor, np.arange(30.0)),
        (RNNEncoder, [0, 1] * 15),
        (RNNEncoder, None),
    ],
    ids=["classifier", "regressor", "encoder", "encoder without y"],
)


@pytest.fixture
def few_weights_are_many(monkeypatch):
    monkeypatch.setattr("skrnn._initial_state._MANY_WEIGHTS", 1000)


def warnings_of(function, *arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*arguments)
    return [str(each.message) for each in caught if each.category is UserWarning]


@estimators
@pytest.mark.parametrize("kind", LARGE)
def test_a_vocabulary_that_takes_most_of_the_memory_warns(
    estimator, y, kind, few_weights_are_many
):
    X, params = LARGE[kind]
    fit = estimator(8, max_iter=1, **params).fit
    (message,) = warnings_of(fit, X, y)
    n, what = (90, "tokens and n-grams") if kind == "n-grams" else (60, "tokens")
    # Ids of the unknown token and of n-grams before the start, and ends, have some too.
    n_inputs = n + (2 if kind == "n-grams" else 1)
    n_directions = 2 if estimator is RNNRegressor else 1
    n_weights = n_directions * 24 * n_inputs + (61 * 9 if y is None else 0)
    assert message.startswith(
        f"The vocabulary has {n} {what}, of which {n} occur only once in X. "
        f"{n_weights:,} of "
    )
    assert message.endswith(
        " weights are for them, and take about 0.0 GB during the fit. Increase min_df "
        "(now 1) to leave out rare ones, or set max_features to keep only the most "
        "frequent ones."
    )


@estimators
@pytest.mark.parametrize("kind", LIMITED)
def test_a_vocabulary_that_is_limited_does_not_warn(
    estimator, y, kind, few_weights_are_many
):
    X, params = LIMITED[kind]
    assert warnings_of(estimator(8, max_iter=1, **params).fit, X, y) == []


@estimators
def test_only_the_first_fit_warns_of_the_vocabulary(estimator, y, few_weights_are_many):
    X, params = LARGE["words"]
    warm = estimator(8, max_iter=1, warm_start=True, **params)
    assert len(warnings_of(warm.fit, X, y)) == 1
    assert warnings_of(warm.fit, X, y) == []
    part = estimator(8, **params)
    more = {"classes": [0, 1]} if estimator is RNNClassifier else {}
    assert len(warnings_of(lambda: part.partial_fit(X, y, **more))) == 1
    assert warnings_of(part.partial_fit, X, y) == []


def test_the_warning_counts_subwords(few_weights_are_many):
    model = RNNClassifier(8, max_iter=1, analyzer="word", ngram_range=(1, 1))
    (message,) = warnings_of(model.fit, WORDS, [0, 1] * 15)
    # The lowercase form of each, and the shape of all.
    start = "The vocabulary has 60 tokens and 61 subwords, of which 120 occur only once"
    assert message.startswith(start)


def test_a_small_vocabulary_does_not_warn():
    X, params = LARGE["words"]
    assert warnings_of(RNNClassifier(max_iter=1, **params).fit, X, [0, 1] * 15) == []
