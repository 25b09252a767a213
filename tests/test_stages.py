"""Predictions while sequences are read."""

import tracemalloc

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skrnn import RNNClassifier, RNNRegressor, _stages

WORDS = ["cat", "chat", "katze", "act", "tact", "", "c"] * 3
LANGUAGES = ["English", "French", "German", "English", "French", "German", "French"] * 3
SENTENCES = ["the cat sat on the mat", "a dog ran", "the end is near, he said"] * 6
TOKENS = [[3, 1, 2], [1], [2, 2, 1, 3], [], [5, 3, 1, 1, 1]] * 4
FEATURES = [[{"word": "Ada", "is_title": True}, {"word": "ran"}], [{"word": "it"}]] * 8

# What is read, and parameters.
SETTINGS = {
    "n-grams and a wide path": (WORDS, {}),
    "one character": (WORDS, {"ngram_range": (1, 1), "wide_ngram_range": None}),
    "both directions": (WORDS, {"bidirectional": True}),
    "two layers in both directions": (
        WORDS,
        {"bidirectional": True, "nhidden": (4, 3), "ngram_range": (1, 2)},
    ),
    "mean": (WORDS, {"pooling": "mean", "cell": "lstm"}),
    "largest": (WORDS, {"pooling": "max", "cell": "rnn"}),
    "concat": (WORDS, {"pooling": "concat", "bidirectional": True}),
    "places": ([word for word in WORDS if len(word) == 4] * 5, {}),
    "first characters": (WORDS, {"max_length": 4, "overlong": "first"}),
    "words": (SENTENCES, {}),
    "tokens": (TOKENS, {}),
    "features": (FEATURES, {}),
}


def beginnings(X, n_steps):
    """X as a user would cut it."""
    if X is SENTENCES:
        return [" ".join(x.replace(",", " ,").split()[:n_steps]) for x in X]
    return [x[:n_steps] for x in X]


def labels_of(X):
    return (
        LANGUAGES[: len(X)] if len(X) <= len(LANGUAGES) else (["a", "b"] * 99)[: len(X)]
    )


@pytest.mark.parametrize("max_rows", [_stages._MAX_ROWS, 60, 1])
@pytest.mark.parametrize("name", SETTINGS)
def test_stages_are_predictions_of_beginnings(name, max_rows, monkeypatch):
    monkeypatch.setattr(_stages, "_MAX_ROWS", max_rows)
    X, parameters = SETTINGS[name]
    parameters = {"nhidden": 5, "max_iter": 5, "random_state": 0, **parameters}
    classifier = RNNClassifier(**parameters).fit(X, labels_of(X))
    probabilities = list(classifier.staged_predict_proba(X))
    classes = list(classifier.staged_predict(X))
    longest = max(len(x) for x in X) if X is not SENTENCES else 7
    assert (
        len(probabilities)
        == len(classes)
        == min(longest, parameters.get("max_length", 9))
    )
    for t, (ours, predicted) in enumerate(zip(probabilities, classes, strict=True), 1):
        theirs = classifier.predict_proba(beginnings(X, t))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(predicted, classifier.classes_[ours.argmax(1)])
    np.testing.assert_allclose(ours, classifier.predict_proba(X), rtol=0, atol=1e-6)
    assert np.ptp([p[2] for p in probabilities], axis=0).max() > 1e-4  # they change


def test_many_strings_share_beginnings():
    """With more than 64, equal strings are read once, and so are beginnings."""
    X = WORDS * 12
    classifier = RNNClassifier(5, max_iter=3, random_state=0).fit(X, LANGUAGES * 12)
    for t, ours in enumerate(classifier.staged_predict_proba(X), 1):
        theirs = classifier.predict_proba(beginnings(X, t))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"patch_length": 4, "kernel_sizes": None},
        {"patch_length": 4},
        {"standardize": "series", "bidirectional": True, "pooling": "mean"},
        {"missing": "mask", "kernel_sizes": None},
    ],
)
def test_stages_of_series_are_patches(parameters, rng):
    lengths = (5, 13, 21, 30) * 5
    X = [rng.normal(size=(n, 2)).cumsum(axis=0) for n in lengths]
    y = np.array([x[-1] for x in X])
    parameters = {"nhidden": 5, "max_iter": 3, "random_state": 0, **parameters}
    regressor = RNNRegressor(**parameters, n_wide_features=200).fit(X, y)
    n, stages = regressor.patch_length_, list(regressor.staged_predict(X))
    assert n == parameters.get("patch_length", n)
    assert len(stages) == -(-30 // n)
    for t, ours in enumerate(stages, 1):
        theirs = regressor.predict(beginnings(X, t * n))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    regressor.fit(X, y[:, 0])
    assert [stage.shape for stage in regressor.staged_predict(X)] == [(20,)] * len(
        stages
    )


def test_stages_of_several_labels():
    y = np.array([[1, 0], [0, 1], [1, 1]] * 7)
    classifier = RNNClassifier(5, max_iter=5, random_state=0).fit(WORDS, y)
    both = classifier.staged_predict(WORDS), classifier.staged_predict_proba(WORDS)
    for labels, p in zip(*both, strict=True):
        np.testing.assert_array_equal(labels, p > 0.5)


def test_a_stage_is_the_users_own():
    classifier = RNNClassifier(5, max_iter=5, random_state=0).fit(WORDS, LANGUAGES)
    kept = [p.copy() for p in classifier.staged_predict_proba(WORDS)]
    for stage, expected in zip(
        classifier.staged_predict_proba(WORDS), kept, strict=True
    ):
        np.testing.assert_array_equal(stage, expected)
        stage[:] = np.nan


def test_stages_of_nothing():
    """Sequences without steps have one stage, before which nothing is read."""
    classifier = RNNClassifier(5, max_iter=5, random_state=0).fit(WORDS, LANGUAGES)
    (only,) = classifier.staged_predict_proba(["", ""])
    np.testing.assert_allclose(only, classifier.predict_proba(["", ""]))


def test_memory_is_not_quadratic_in_the_length():
    classifier = RNNClassifier(
        2, max_iter=1, ngram_range=(1, 1), wide_ngram_range=None, random_state=0
    ).fit(WORDS, LANGUAGES)
    stages = classifier.staged_predict(["cat" * 1000])
    next(stages)
    tracemalloc.start()
    assert sum(1 for _ in stages) == 2999
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 3000**2 / 2  # bytes; the beginnings have n^2 / 2 ids of 4 bytes


def test_errors_of_stages_name_the_sequence():
    classifier = RNNClassifier(5, max_iter=5, random_state=0)
    with pytest.raises(NotFittedError):
        next(classifier.staged_predict_proba(WORDS))
    classifier.fit(WORDS, LANGUAGES)
    with pytest.raises(TypeError, match="fitted on strings"):
        next(classifier.staged_predict_proba([[1.0, 2.0]]))
    classifier.U_[0][:, classifier.vocabulary_["z"]] = np.nan
    stages = classifier.staged_predict(["cat", "katze"])
    with pytest.raises(ValueError, match=r"hidden state of X\[1\] is not finite"):
        list(stages)
