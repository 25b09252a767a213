"""How much predictions depend on each step, held against sequences without it."""

import re

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skrnn import RNNClassifier, RNNRegressor
from skrnn.inspection import _importances, step_importances

WORDS = ["cat", "chat", "katze", "act"]
SENTENCES = ["the cat sat on the mat", "a dog ran to the cat", "the end is near"] * 2
SMALL = {"nhidden": 5, "max_iter": 3, "random_state": 0}


@pytest.fixture(scope="module")
def classifier():
    languages = ["English", "French", "German", "English"]
    return RNNClassifier(**SMALL).fit(WORDS, languages)


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)) for n in (9, 12, 30, 7)]


def without(x, first, end, unknown):
    """A sequence with some steps replaced."""
    if isinstance(x, str):
        return x[:first] + unknown * (end - first) + x[end:]
    return [*x[:first], *[unknown] * (end - first), *x[end:]]


TOKENS = [["the", "cat", "sat"], ["a", "dog"], ["the", "end", "is", "near"]]
OF_TOKENS = {
    "n-grams and a wide path": (WORDS, "?", {}),
    "both directions": (WORDS, "?", {"bidirectional": True, "pooling": "mean"}),
    "tokens": (TOKENS, "?", {"subwords": False}),
    "integers": ([[1, 2, 3], [2, 3], [3, 1, 1]], 9, {"analyzer": "token"}),
    "features": ([[["a", "b"], ["b"]], [["a"]], [["c"], ["a"]]], ["?"], {}),
}


@pytest.mark.parametrize("max_rows", [2**18, 1])
@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("name", OF_TOKENS)
def test_importances_of_tokens_are_those_of_unknown_ones(
    name, width, max_rows, monkeypatch
):
    monkeypatch.setattr(_importances, "_MAX_ROWS", max_rows)
    X, unknown, parameters = OF_TOKENS[name]
    classifier = RNNClassifier(**{**SMALL, "max_iter": 20}, **parameters)
    classifier.fit(X * 2, [*"abca"[: len(X)]] * 2)
    found = step_importances(classifier, X, width=width)
    assert [len(each) for each in found] == [len(x) for x in X]
    for x, importances in zip(X, found, strict=True):
        before = classifier.predict_log_proba([x])[0]
        k = before.argmax()
        for t, importance in enumerate(importances):
            first, end = max(0, t - (width - 1) // 2), min(len(x), t + width // 2 + 1)
            hidden = classifier.predict_log_proba([without(x, first, end, unknown)])
            np.testing.assert_allclose(importance, before[k] - hidden[0, k], atol=1e-6)
    assert max(np.abs(each).max() for each in found) > 1e-3


def test_importances_of_words_hide_their_subwords():
    """As a word of which nothing is known: neither beginning, nor end, nor shape."""
    classifier = RNNClassifier(**{**SMALL, "max_iter": 20}, token_pattern=r"\S+")
    classifier.fit(SENTENCES, [0, 1, 2] * 2)
    (found,) = step_importances(classifier, ["the cat ran"], target=1)
    X = ["the cat ran", "the ----- ran"]
    before, hidden = classifier.predict_log_proba(X)[:, 1]
    np.testing.assert_allclose(found[1], before - hidden, atol=1e-6)


@pytest.mark.parametrize("missing", ["error", "mask"])
def test_importances_of_numbers_hide_rows_as_missing_ones(missing, series):
    y = np.array([[x[-1, 0], x.max()] for x in series])
    regressor = RNNRegressor(**SMALL, missing=missing).fit(series, y)
    found = step_importances(regressor, series, target=1, width=3)
    for x, importances in zip(series, found, strict=True):
        for t in (0, 1, 2, len(x) - 1):
            first, end = max(0, t - 1), t + 2
            hidden = x.copy()
            hidden[first:end] = x[first - 1] if first else regressor.mean_
            if missing == "mask":
                hidden[first:end] = np.nan
            change = regressor.predict([x]) - regressor.predict([hidden])
            np.testing.assert_allclose(importances[t], change[0, 1], atol=1e-6)
    regressor.fit(series, y[:, 0])
    assert len(step_importances(regressor, series)[0]) == 9


def test_importances_of_a_class_of_labels_and_of_nothing(classifier):
    X = ["cat", "", *WORDS] * 12  # equal strings are read once
    found = step_importances(classifier, X, target="French")
    assert [len(each) for each in found] == [len(x) for x in X]
    np.testing.assert_array_equal(found[0], found[2])
    p = classifier.predict_log_proba(["cat", "ca?"])[:, 1]
    np.testing.assert_allclose(found[0][2], p[0] - p[1], atol=1e-6)
    labels = RNNClassifier(**SMALL).fit(WORDS, [[1, 0], [0, 1], [1, 1], [0, 0]])
    (found,) = step_importances(labels, ["cat"], target=1)
    p = labels.predict_log_proba(["cat", "ca?"])[:, 1]
    np.testing.assert_allclose(found[2], p[0] - p[1], atol=1e-6)


def test_targets_of_importances_must_be_known(classifier, series):
    message = "target is 'Dutch', which is no class: one of ['English', 'French', "
    with pytest.raises(ValueError, match=re.escape(message)):
        step_importances(classifier, WORDS, target="Dutch")
    with pytest.raises(ValueError, match="The 'width' parameter of step_importances"):
        step_importances(classifier, WORDS, width=0)
    regressor = RNNRegressor(**SMALL).fit(series, np.eye(4)[:, :2])
    with pytest.raises(ValueError, match="target is missing: the estimator predicts 2"):
        step_importances(regressor, series)
    with pytest.raises(ValueError, match="target is 2, which is no index of a number"):
        step_importances(regressor, series, target=2)
    with pytest.raises(TypeError, match="needs a fitted RNNClassifier or RNNRegressor"):
        step_importances(classifier.encoder_, WORDS)
    with pytest.raises(NotFittedError):
        step_importances(RNNClassifier(), WORDS)
