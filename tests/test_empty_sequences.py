"""Strings and token lists without steps: their h is 0, as before the first step."""

import awkward as ak
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor

STRINGS = ["", "ab", "ba", "", "abb", "bba", ""]
LISTS = [list(x) for x in STRINGS]
IDS = [[ord(token) for token in x] for x in LISTS]
Y = [0, 0, 1, 1, 0, 1, 1]
ESTIMATORS = [
    RNNEncoder(4, max_iter=2),
    RNNClassifier(4, max_iter=2),
    RNNRegressor(4, max_iter=2),
]
OPTIONS = {
    "defaults": {},
    "batches of one": {"batch_size": 1},
    "two directions": {"bidirectional": True, "dropout": 0.5},
    "two layers": {"nhidden": (4, 3), "cell": "lstm", "pooling": "mean"},
    "characters alone": {"ngram_range": (1, 1), "pooling": "last"},
    "truncated": {"truncate": 2},
    "validated": {"early_stopping": True, "validation_fraction": 0.5},
    "first steps": {"max_length": 1, "overlong": "first"},
    "given vectors": {"embeddings": {"a": [1.0, 2.0], "b": [3.0, 4.0]}},
    "many tokens": {"max_features": 3, "min_df": 1},
}

any_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e))


def vectors_of(estimator, X):
    """What the estimator computes for each sequence."""
    if isinstance(estimator, RNNEncoder):
        return estimator.transform(X)
    if isinstance(estimator, RNNClassifier):
        return estimator.decision_function(X)
    return estimator.predict(X)


def of_zeros(estimator):
    """The same for an h of zeros."""
    if isinstance(estimator, RNNEncoder):
        return np.zeros(estimator.get_feature_names_out().shape)
    if isinstance(estimator, RNNClassifier):
        c = estimator.intercept_
        return c if len(c) == 1 else c[1] - c[0]
    return estimator.intercept_ * estimator.target_scale_ + estimator.target_mean_


@any_estimator
@pytest.mark.parametrize("X", [STRINGS, LISTS, IDS], ids=["strings", "lists", "ids"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_empty_sequences_are_samples_like_any_other(estimator, X, options):
    if X is IDS and "embeddings" in options:
        options = {"embeddings": {97: [1.0, 2.0], 98: [3.0, 4.0]}}
    fitted = clone(estimator).set_params(random_state=0, **options).fit(X, Y)
    vectors = vectors_of(fitted, X)
    for i, x in enumerate(X):
        alone = vectors_of(fitted, [x])[0]
        np.testing.assert_array_equal(vectors[i], alone)
        if len(x) == 0:
            np.testing.assert_array_equal(vectors[i], of_zeros(fitted).squeeze())


@any_estimator
def test_the_states_of_empty_sequences_are_0(estimator):
    fitted = clone(estimator).set_params(nhidden=4).fit(LISTS, Y)
    if hasattr(fitted, "transform"):
        h = fitted.transform(LISTS)
        assert [bool(row.any()) for row in h] == [len(x) > 0 for x in LISTS]


def test_a_class_of_empty_strings_is_learned():
    X = ["", "ab", "ba"] * 20
    y = ["blank", "text", "text"] * 20
    classifier = RNNClassifier(8, random_state=0).fit(X, y)
    assert classifier.score(X, y) == 1
    assert classifier.predict_proba([""])[0, 0] > 0.6


def test_the_value_of_empty_strings_is_learned():
    X = ["", "ab", "ba"] * 20
    regressor = RNNRegressor(8, max_iter=300, random_state=0).fit(
        X, [5.0, 1.0, 1.0] * 20
    )
    assert regressor.predict(["", "ab"]) == pytest.approx([5, 1], abs=0.3)


CONTAINERS = {
    "tuple": tuple,
    "objects": lambda X: np.array([*X, None], dtype=object)[:-1],
    "pandas": lambda X: pd.Series(X, index=range(7, 0, -1)),
    "pandas frame": lambda X: pd.DataFrame({"x": X}),
    "polars": pl.Series,
    "polars frame": lambda X: pl.DataFrame({"x": X}),
    "arrow": pa.array,
    "awkward": ak.Array,
    "arrays": lambda X: X if isinstance(X[0], str) else [np.array(x) for x in X],
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("X", [STRINGS, LISTS, IDS], ids=["strings", "lists", "ids"])
def test_containers_may_hold_empty_sequences(X, container):
    fitted = RNNClassifier(4, max_iter=1, random_state=0).fit(X, Y)
    held = CONTAINERS[container](X)
    again = RNNClassifier(4, max_iter=1, random_state=0).fit(held, Y)
    assert again.kind_ == fitted.kind_
    for estimator in (fitted, again):
        np.testing.assert_array_equal(
            estimator.decision_function(held), fitted.decision_function(X)
        )


BLANK = {
    "words": ({"analyzer": "word"}, ["", "  \t", "a b"]),
    "another pattern": ({"analyzer": "word", "token_pattern": r"\d+"}, ["a", "b", "1"]),
    "accents": ({"strip_accents": "ascii"}, ["\u0436", "\u2014", "ab"]),
}


@pytest.mark.parametrize("case", BLANK)
def test_texts_of_which_nothing_is_left_are_empty(case):
    parameters, X = BLANK[case]
    encoder = RNNEncoder(4, max_iter=1, **parameters).fit(X, [0, 0, 1])
    h = encoder.transform(X)
    assert not h[:2].any()
    assert h[2].any()


@any_estimator
def test_chunks_may_be_nothing_but_empty_sequences(estimator):
    fitted = clone(estimator).fit(STRINGS, Y)
    before = vectors_of(fitted, ["ab", ""])
    fitted.partial_fit(["", ""], [0, 1])
    assert vectors_of(fitted, ["ab", ""]).shape == before.shape


@any_estimator
def test_warm_starts_take_empty_sequences(estimator):
    fitted = clone(estimator).set_params(warm_start=True).fit(LISTS[1:3], [0, 1])
    fitted.fit(LISTS, Y)
    assert len(vectors_of(fitted, LISTS)) == len(LISTS)


def test_next_steps_are_learned_beside_empty_sequences():
    X = [x for x in STRINGS if x]
    options = {"nhidden": 4, "max_iter": 3, "random_state": 0, "batch_size": 10}
    with_empty = RNNEncoder(**options).fit(STRINGS)
    assert not with_empty.transform([""]).any()
    assert np.isfinite(with_empty.loss_curve_).all()
    assert with_empty.transform(X).any(axis=1).all()


@pytest.mark.parametrize("learn", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"truncate": 2},
        {"truncate": 1, "max_grad_norm": None},
        {"truncate": 2, "dropout": 0.5, "nhidden": (4, 3)},
        {"truncate": 2, "embeddings": {"a": [1.0, 2.0], "b": [3.0, 4.0]}},
        {"truncate": 2, "vocabulary": ["a", "b", *map(chr, range(1000, 4000))]},
    ],
    ids=["whole", "truncated", "no norm", "two layers", "given vectors", "many tokens"],
)
def test_next_steps_are_learned_if_a_minibatch_has_no_steps(options, learn):
    X = [""] * 6 + ["ab", "abab"]
    encoder = RNNEncoder(4, max_iter=3, batch_size=2, random_state=0)
    with np.errstate(all="raise"):
        getattr(encoder.set_params(**options), learn)(X)
    assert np.isfinite(encoder.loss_curve_).all()
    assert np.isfinite(encoder.transform(X)).all()


@any_estimator
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"embeddings": {"a": [1.0, 2.0], "b": [3.0, 4.0]}},
        {"vocabulary": ["a", "b", *map(chr, range(1000, 4000))]},
    ],
    ids=["plain", "given vectors", "many tokens"],
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_minibatch_may_have_no_steps(estimator, options, bidirectional):
    options = {**options, "bidirectional": bidirectional, "batch_size": 1}
    fitted = clone(estimator).set_params(random_state=0, **options)
    with np.errstate(all="raise"):
        fitted.fit(STRINGS, Y).partial_fit(STRINGS, Y)
        fitted.partial_fit(["", ""], [0, 1])
    assert np.isfinite(vectors_of(fitted, STRINGS)).all()


def test_only_empty_sequences_can_be_predicted():
    fitted = RNNClassifier(4, max_iter=1).fit(STRINGS, Y)
    probabilities = fitted.predict_proba(["", "", ""])
    assert probabilities.shape == (3, 2)
    assert (probabilities == probabilities[0]).all()
    fitted = RNNClassifier(4, max_iter=1).fit(LISTS, Y)
    assert len(fitted.predict([[], []])) == 2


def test_series_need_a_step():
    fitted = RNNClassifier(4, max_iter=1).fit([[0.5, 1.0], [1.5]], [0, 1])
    with pytest.raises(ValueError, match=r"X\[1\] is empty: a series needs at least"):
        fitted.predict([[0.5], []])
    with pytest.raises(ValueError, match=r"X\[0\] is empty: a series needs at least"):
        RNNClassifier().fit([[], [0.5]], [0, 1])
