"""RNNTagger: what it learns, and how its outputs hang together."""

import copy
import pickle
import re

import awkward as ak
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from reference import reference_hidden_states, reference_one_hot, reference_softmax
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV
from spelling import weights_of
from ways import WAYS

from skrnn import RNNTagger
from skrnn.metrics import span_f1_score, token_accuracy_score

SENTENCES = [["the", "cat", "sleeps"], ["a", "dog"], ["the", "dog", "sees", "a", "cat"]]
PARTS = [["D", "N", "V"], ["D", "N"], ["D", "N", "V", "D", "N"]]
SMALL = {"nhidden": 4, "max_iter": 20, "random_state": 0}
PLAIN = {"subwords": False, "ngram_range": (1, 1), "token_dropout": 0.0}


def strings(n_samples, seed, letters="ab"):
    rng = np.random.default_rng(seed)
    return [
        "".join(rng.choice(list(letters), rng.integers(1, 9))) for _ in range(n_samples)
    ]


def next_letters(text):
    return [*text[1:], "end"]


def parities(text):
    """The parity of the number of b so far, which takes memory."""
    return np.cumsum([letter == "b" for letter in text]) % 2


def flat(parts):
    return np.concatenate([np.asarray(part) for part in parts])


@pytest.fixture(scope="module")
def sentences():
    return RNNTagger(**SMALL).fit(SENTENCES, PARTS)


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 8, 100)]
    y = [(x.sum(axis=1).cumsum() > 0).astype(int) for x in X]
    return RNNTagger(8, random_state=0).fit(X, y), X, y


# What is learned


@pytest.mark.parametrize(
    ("params", "same"),
    [
        ({}, {"dropout": 0.3, "token_dropout": 0.2}),
        ({"subwords": False}, {"dropout": 0.0, "token_dropout": 0.0}),
        ({"dropout": 0.0}, {"token_dropout": 0.2}),
    ],
)
def test_words_with_subwords_have_dropout(params, same):
    params = {**SMALL, **params}
    one, other = (
        RNNTagger(**{**params, **p}).fit(SENTENCES, PARTS) for p in ({}, same)
    )
    np.testing.assert_array_equal(one.V_, other.V_)
    changed = RNNTagger(**{**params, **same, "dropout": 0.5}).fit(SENTENCES, PARTS)
    assert (changed.V_ != one.V_).any()


@pytest.mark.filterwarnings("ignore:RNNTagger has learned next to nothing")
def test_what_comes_next_is_read_backwards():
    X, new = strings(150, 0), strings(50, 1)
    both = RNNTagger(8, random_state=0).fit(X, [next_letters(x) for x in X])
    assert both.score(new, [next_letters(x) for x in new]) == 1.0
    forward = RNNTagger(8, bidirectional=False, ngram_range=(1, 1), random_state=0)
    forward.fit(X, [next_letters(x) for x in X])
    assert forward.score(new, [next_letters(x) for x in new]) < 0.7


@pytest.mark.parametrize("bidirectional", [True, False])
def test_what_takes_memory_is_learned(bidirectional):
    X, new = strings(300, 0), strings(50, 1)
    tagger = RNNTagger(16, bidirectional=bidirectional, max_iter=100, random_state=0)
    tagger.fit(X, [parities(x) for x in X])
    assert tagger.classes_.tolist() == [0, 1]
    assert tagger.score(new, [parities(x) for x in new]) >= 0.97


def test_series_of_numbers_are_tagged(series):
    tagger, X, y = series
    assert tagger.score(X, y) >= 0.95
    assert [tags.dtype.kind for tags in tagger.predict(X[:2])] == ["i", "i"]


def test_rows_of_a_table_are_series_of_one_number_per_step(rng):
    X = rng.normal(size=(60, 5))
    y = (X > 0).astype(int)
    tagger = RNNTagger(8, random_state=0).fit(X, y)
    assert tagger.score(X, y) >= 0.95
    assert np.shape(tagger.predict(X)) == (60, 5)


def test_words_that_fit_has_not_seen_are_read_by_their_endings():
    stems = ["walk", "talk", "jump", "play", "paint", "call", "work", "ask"]
    X = [[stem + ending] for stem in stems for ending in ("ing", "ed")]
    tagger = RNNTagger(8, random_state=0).fit(X, [["G"], ["P"]] * len(stems))
    assert flat(tagger.predict([["opened"], ["opening"]])).tolist() == ["P", "G"]


@pytest.mark.parametrize(
    "y",
    [
        ["xyx", "yx"],
        [("x", "y", "x"), ("y", "x")],
        [[7, -2, 7], [-2, 7]],
        [np.array([True, False, True]), np.array([False, True])],
        [["", "long", ""], ["long", ""]],
    ],
)
def test_tags_of_any_kind_come_back(y):
    tagger = RNNTagger(8, random_state=0).fit(["aba", "ba"], y)
    assert [tags.tolist() for tags in tagger.predict(["aba", "ba"])] == [*map(list, y)]
    assert tagger.classes_.tolist() == sorted({*flat([*map(list, y)]).tolist()})


CONTAINERS = {
    "pandas": pd.Series,
    "a frame of pandas": lambda parts: pd.DataFrame({"part": parts}),
    "polars": pl.Series,
    "a frame of polars": lambda parts: pl.DataFrame({"part": parts}),
    "arrow": pa.array,
    "a table of arrow": lambda parts: pa.table({"part": parts}),
    "awkward": ak.Array,
    "objects": lambda parts: np.array(parts, dtype=object),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_tags_and_weights_of_steps_may_be_in_any_container(name):
    make, weight = CONTAINERS[name], [[1.0] * 3, [2.0] * 2, [0.5] * 5]
    expected = RNNTagger(**SMALL).fit(SENTENCES, PARTS, weight)
    tagger = RNNTagger(**SMALL).fit(make(SENTENCES), make(PARTS), make(weight))
    np.testing.assert_array_equal(weights_of(tagger), weights_of(expected))
    score = tagger.score(make(SENTENCES), make(PARTS), make(weight))
    assert score == expected.score(SENTENCES, PARTS, weight)


def test_one_tag_predicts_itself():
    tagger = RNNTagger(4, max_iter=3).fit(["ab", "a"], ["xx", "x"])
    assert flat(tagger.predict(["zz"])).tolist() == ["x", "x"]
    np.testing.assert_array_equal(tagger.predict_proba(["zz"]), np.ones((1, 2, 1)))


# What is predicted


def test_outputs_agree_with_each_other(sentences, series):
    for tagger, X in ((sentences, [*SENTENCES, [], ["new"]]), series[:2]):
        predicted, probabilities = tagger.predict(X), tagger.predict_proba(X)
        assert [len(tags) for tags in predicted] == [len(x) for x in X]
        n_classes = len(tagger.classes_)
        assert [p.shape for p in probabilities] == [(len(x), n_classes) for x in X]
        assert {p.dtype for p in probabilities} == {np.dtype(np.float64)}
        P = np.concatenate(probabilities)
        np.testing.assert_allclose(P.sum(axis=1), 1.0, rtol=1e-6)
        np.testing.assert_array_equal(
            flat(predicted), tagger.classes_[P.argmax(axis=1)]
        )


def test_batch_mates_make_no_difference(sentences, series):
    for tagger, X in ((sentences, SENTENCES), series[:2]):
        together = tagger.predict_proba(X)
        for x, probabilities in zip(X, together, strict=True):
            np.testing.assert_array_equal(tagger.predict_proba([x])[0], probabilities)


def test_repeated_strings_get_the_same_tags():
    X = strings(40, 0, "abc")
    tagger = RNNTagger(**SMALL).fit(X, X)
    repeated = [X[i % 7] for i in range(100)]
    expected = [tagger.predict_proba([x])[0] for x in X[:7]]
    found = tagger.predict_proba(repeated)
    for i, probabilities in enumerate(found):
        np.testing.assert_array_equal(probabilities, expected[i % 7])
    y = [X[i % 7] for i in range(100)]
    accuracy = token_accuracy_score([*map(list, y)], tagger.predict(repeated))
    assert tagger.score(repeated, y) == pytest.approx(accuracy)


def test_empty_sequences_have_no_tags():
    tagger = RNNTagger(**SMALL).fit([["a"], [], ["b"]], [["x"], [], ["y"]])
    assert [len(tags) for tags in tagger.predict([[], ["a"], []])] == [0, 1, 0]
    assert [p.shape for p in tagger.predict_proba([[], ["a"]])] == [(0, 2), (1, 2)]
    assert tagger.predict([[]])[0].dtype == tagger.classes_.dtype
    (tag,) = tagger.predict([["a"]])[0]
    other = "xy".replace(tag, "")
    assert tagger.score([[], ["a"]], [[], [tag]]) == 1.0
    assert tagger.score([["a"], [], ["a"]], [[tag], [], [other]]) == 0.5
    without = RNNTagger(**SMALL).fit([["a"], ["b"]], [["x"], ["y"]])
    np.testing.assert_array_equal(weights_of(tagger), weights_of(without))


def test_scores_are_V_h_plus_c_of_the_articles_loop():
    tagger = RNNTagger(6, cell="rnn", bidirectional=False, **PLAIN, random_state=0)
    tagger.set_params(max_iter=20).fit(SENTENCES, PARTS)
    W, U, b = tagger.W_[0], tagger.U_[0], tagger.b_[0]
    for words, probabilities in zip(
        SENTENCES, tagger.predict_proba(SENTENCES), strict=True
    ):
        ids = [tagger.vocabulary_[word] for word in words]
        H = reference_hidden_states(W, U, b, reference_one_hot(ids, U.shape[1]))
        expected = [reference_softmax(tagger.V_ @ h + tagger.intercept_) for h in H]
        np.testing.assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-6)


# The loss, and weights


@pytest.mark.parametrize("batch_size", [2, 100])
@pytest.mark.parametrize(
    "weight", [None, [1.0, 3.0, 0.5], [[1, 0, 2.5], [1, 1], [0.5, 2, 0, 3, 1]]]
)
def test_loss_is_the_cross_entropy_of_all_steps(weight, batch_size, rng):
    X = [rng.normal(size=(len(tags), 2)) for tags in PARTS]
    tagger = RNNTagger(**SMALL, batch_size=batch_size).fit(X, PARTS)
    tagger.set_params(warm_start=True, learning_rate_init=1e-12, alpha=0, max_iter=1)
    tagger.fit(X, PARTS, weight)
    columns = np.searchsorted(tagger.classes_, flat(PARTS))
    P = np.concatenate(tagger.predict_proba(X))
    losses = -np.log(P[np.arange(len(P)), columns])
    if weight is not None:
        parts = zip(weight, PARTS, strict=True)
        weight = flat([np.broadcast_to(w, len(tags)) for w, tags in parts])
    expected = np.average(losses, weights=weight)
    assert tagger.loss_ == pytest.approx(expected, rel=1e-5)
    assert losses.max() > 1.1 * losses.min()


def test_a_weight_of_a_sequence_is_that_of_its_steps():
    of_sequences = RNNTagger(**SMALL).fit(SENTENCES, PARTS, [1, 3, 0.5])
    of_steps = RNNTagger(**SMALL).fit(SENTENCES, PARTS, [[1] * 3, [3] * 2, [0.5] * 5])
    np.testing.assert_array_equal(weights_of(of_sequences), weights_of(of_steps))


@pytest.mark.parametrize("weight", [[1, 0, 2], [[1] * 3, [0] * 2, [2] * 5]])
def test_a_weight_of_zero_is_as_good_as_removal(weight):
    weighted = RNNTagger(**SMALL).fit(SENTENCES, PARTS, weight)
    removed = RNNTagger(**SMALL).fit(SENTENCES[::2], PARTS[::2], [1, 2])
    assert weighted.vocabulary_ == removed.vocabulary_
    np.testing.assert_array_equal(weights_of(weighted), weights_of(removed))


def test_the_tag_of_a_step_of_weight_zero_has_no_influence():
    weight = [[1, 1, 1], [1, 1], [1, 1, 0, 1, 1]]
    others = [*PARTS[:2], ["D", "N", "D", "D", "N"]]
    one, other = (RNNTagger(**SMALL).fit(SENTENCES, y, weight) for y in (PARTS, others))
    np.testing.assert_array_equal(weights_of(one), weights_of(other))
    assert "sees" in one.vocabulary_  # it is read all the same
    unweighted = RNNTagger(**SMALL).fit(SENTENCES, others)
    assert (weights_of(one) != weights_of(unweighted)).any()


def test_a_weight_of_two_is_as_good_as_a_copy(rng):
    params = {**SMALL, "batch_size": 100, "alpha": 0}
    X, y = [rng.normal(size=(2, 2)) for _ in range(2)], ["xy", "yx"]
    copied = RNNTagger(**params).fit([*X, X[0]], [*y, y[0]])
    weighted = RNNTagger(**params).fit(X, y, [[2, 2], [1, 1]])
    for one, other in zip(
        copied.predict_proba(X), weighted.predict_proba(X), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_class_weights_are_weights_of_steps():
    balance = 10 / (3 * np.array([4, 4, 2]))  # of D, N and V
    of_tag = dict(zip("DNV", balance, strict=True))
    of_steps = [[of_tag[tag] for tag in tags] for tags in PARTS]
    fits = [
        RNNTagger(**SMALL).fit(SENTENCES, PARTS, of_steps),
        RNNTagger(**SMALL, class_weight="balanced").fit(SENTENCES, PARTS),
        RNNTagger(**SMALL, class_weight=of_tag).fit(SENTENCES, PARTS),
    ]
    for fit in fits[1:]:
        np.testing.assert_allclose(weights_of(fit), weights_of(fits[0]), atol=1e-4)
    plain = RNNTagger(**SMALL).fit(SENTENCES, PARTS)
    assert np.abs(weights_of(plain) - weights_of(fits[0])).max() > 1e-2


def test_score_is_the_accuracy_of_steps(sentences):
    y = [["D", "V", "V"], ["D", "unseen"], ["N", "N", "V", "D", "N"]]
    is_right = flat(y) == flat(sentences.predict(SENTENCES))
    assert sentences.score(SENTENCES, y) == is_right.mean()
    weight = [[1, 2, 3], [0, 4], [5, 1, 1, 1, 1]]
    expected = np.average(is_right, weights=flat(weight))
    assert sentences.score(SENTENCES, y, weight) == pytest.approx(expected)
    expected = np.average(is_right, weights=np.repeat([1, 0, 2], [3, 2, 5]))
    assert sentences.score(SENTENCES, y, [1, 0, 2]) == pytest.approx(expected)
    assert sentences.score([["the"]], [["unseen"]]) == 0.0
    message = (
        "y holds numbers, such as 7, but in fit it held strings, such as 'D': all "
        "predictions would be wrong. Pass tags of the same type."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        sentences.score([["the"]], [[7]])


# Fits


def test_early_stopping_holds_sequences_out():
    # The first letter of each is nowhere else, and only read if it is learned from.
    X = [chr(0x4E00 + i) + x for i, x in enumerate(strings(60, 0))]
    tagger = RNNTagger(8, early_stopping=True, max_iter=60, random_state=0)
    tagger.fit(X, [next_letters(x) for x in X])
    held_out = [x for x in X if x[0] not in tagger.vocabulary_]
    assert len(held_out) == 6
    y = [next_letters(x) for x in held_out]
    assert tagger.best_validation_score_ == pytest.approx(tagger.score(held_out, y))
    assert max(tagger.validation_scores_) == tagger.best_validation_score_ > 0.8
    # Of epochs with the same score, the weights of that with the lowest loss are kept.
    P = np.concatenate(tagger.predict_proba(held_out))
    columns = np.searchsorted(tagger.classes_, flat(y))
    curves = tagger.validation_scores_, tagger.validation_loss_curve_
    _, loss = max(zip(*curves, strict=True), key=lambda of: (of[0], -of[1]))
    ours = -np.log(P[np.arange(len(P)), columns]).mean()
    assert ours == pytest.approx(loss, rel=1e-4)
    assert len(tagger.validation_scores_) == tagger.n_iter_


@pytest.mark.parametrize("weight", [None, [1, 2, 0] * 5, "steps"])
def test_early_stopping_judges_by_given_sequences(weight):
    X, X_val = strings(60, 0), strings(15, 1)
    y, y_val = ([next_letters(x) for x in each] for each in (X, X_val))
    if weight == "steps":
        weight = [np.arange(len(x)) + 0.5 for x in X_val]
    tagger = RNNTagger(8, early_stopping=True, max_iter=10, random_state=0)
    tagger.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight)
    score = tagger.score(X_val, y_val, weight)
    assert tagger.best_validation_score_ == pytest.approx(score)


def test_a_warm_start_goes_on():
    tagger = RNNTagger(**SMALL, warm_start=True).fit(SENTENCES, PARTS)
    loss = tagger.loss_
    assert tagger.fit(SENTENCES, PARTS).loss_ < loss


def test_chunks_are_learned_one_after_another():
    X = strings(60, 0)
    y = [next_letters(x) for x in X]
    tagger = RNNTagger(8, learning_rate_init=0.02, random_state=0)
    for _ in range(20):
        for part in (slice(30), slice(30, 60)):
            tagger.partial_fit(X[part], y[part], classes=["a", "b", "end", "never"])
    assert tagger.classes_.tolist() == ["a", "b", "end", "never"]
    assert tagger.score(X, y) > 0.95
    message = r"y\[1\]\[0\] is 'new', which is not one of the classes"
    with pytest.raises(ValueError, match=message):
        tagger.partial_fit(["a", "b"], [["a"], ["new"]])
    with pytest.raises(ValueError, match="classes"):
        RNNTagger(4).partial_fit(X, y)


@pytest.mark.parametrize("params", [{}, {"nhidden": (4, 3), "cell": "lstm"}])
@pytest.mark.parametrize("way", WAYS)
def test_taggers_are_saved_and_loaded(way, params):
    tagger = RNNTagger(**{**SMALL, **params}).fit(SENTENCES, PARTS)
    again = way(tagger)
    X = [*SENTENCES, ["cats", "the"], []]
    for one, other in zip(tagger.predict_proba(X), again.predict_proba(X), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(tagger.predict(X), again.predict(X), strict=True):
        np.testing.assert_array_equal(one, other)
    assert type(again) is RNNTagger
    assert again.task_ == "tagging"


def test_a_clone_learns_the_same(sentences):
    again = clone(sentences)
    assert not hasattr(again, "classes_")
    again.fit(SENTENCES, PARTS)
    np.testing.assert_array_equal(weights_of(again), weights_of(sentences))


@pytest.mark.parametrize("scoring", [None, "spans"])
def test_grid_search_over_nhidden(scoring):
    X = [["in", "New", "York"], ["New", "York", "is", "big"], ["in", "Rome"]] * 4
    y = [["O", "B-L", "I-L"], ["B-L", "I-L", "O", "O"], ["O", "B-L"]] * 4
    scoring = scoring and make_scorer(span_f1_score)
    tagger = RNNTagger(random_state=0)
    search = GridSearchCV(tagger, {"nhidden": [1, 8]}, cv=2, scoring=scoring)
    search.fit(X, y)
    assert search.best_score_ == 1.0
    assert search.score(X, y) == 1.0
    assert [tags.tolist() for tags in search.predict(X[:3])] == y[:3]


def test_scoring_monitor_scores_each_epoch():
    monitor = ScoringMonitor(scoring={"accuracy": make_scorer(token_accuracy_score)})
    tagger = RNNTagger(**SMALL).set_callbacks(monitor).fit(SENTENCES, PARTS)
    log = monitor.get_logs().data
    assert len(log) == tagger.n_iter_ == 20
    assert log[-1]["accuracy"] == pytest.approx(tagger.score(SENTENCES, PARTS))


def test_truncated_training_reads_forwards():
    X = strings(40, 0)
    tagger = RNNTagger(8, truncate=3, random_state=0).fit(X, [[*x] for x in X])
    assert len(tagger.W_) == 1
    assert tagger.score(X, [[*x] for x in X]) == 1.0


# Step by step

WORDS = [" ".join(words) for words in SENTENCES]


def with_missing(n_steps, n_features):
    """A series, of which numbers are missing for up to six steps."""
    x = np.random.default_rng(n_steps).normal(size=(n_steps, n_features))
    x[:2, 0] = x[3:7, -1] = np.nan
    return x


STREAMED = {
    "n-grams of characters": (["banana", "tomato", "pa"], {"ngram_range": (1, 3)}),
    "characters": (["banana", "tomato", "pa"], {"ngram_range": (1, 1)}),
    "words": (WORDS, {"analyzer": "word", "ngram_range": (1, 2)}),
    "token lists with subwords": (SENTENCES, {}),
    "token lists": (SENTENCES, {"subwords": False}),
    "integers": ([[1, 2, 3], [3, 1], [2]], {"ngram_range": (1, 2)}),
    "vectors": (["ab", "ba", "abb"], {"embeddings": {"a": [1.0, 0], "b": [0, 1.0]}}),
    "series": (
        [with_missing(n, 2) for n in (9, 8, 12)],
        {"differences": 2, "missing": "mask", "standardize": True},
    ),
    "series without differences": (
        [with_missing(n, 1) for n in (9, 8, 12)],
        {"differences": 0, "missing": "mask", "standardize": True},
    ),
    "upper case": (["Ab", "bA", "ABb"], {"lowercase": True, "ngram_range": (1, 2)}),
    "accents": (
        ["Été à la mer", "ETE a la Mér"],
        {"analyzer": "word", "lowercase": True, "strip_accents": "unicode"},
    ),
}


def steps_of(x):
    return x.split() if isinstance(x, str) and " " in x else x


def alternating(x):
    return [i % 2 for i in range(len(steps_of(x)))]


@pytest.mark.parametrize("params", [{}, {"nhidden": (4, 3), "cell": "lstm"}])
@pytest.mark.parametrize("name", STREAMED)
def test_steps_are_tagged_one_by_one_as_all_at_once(name, params):
    X, reading = STREAMED[name]
    tagger = RNNTagger(**{**SMALL, **params}, **reading, bidirectional=False)
    tagger.fit(X, [*map(alternating, X)])
    for x in X:
        stream = tagger.start()
        P = [stream.step(step) for step in steps_of(x)]
        expected = tagger.predict_proba([x])[0]
        np.testing.assert_allclose(np.concatenate(P), expected, rtol=1e-5)
        assert stream.h.shape == (1, tagger.W_[-1].shape[1])


@pytest.mark.parametrize(
    "name", ["n-grams of characters", "token lists", "series", "upper case"]
)
def test_many_streams_go_on_from_their_pickles(name):
    X, reading = STREAMED[name]
    tagger = RNNTagger(**SMALL, **reading, bidirectional=False)
    tagger.fit(X, [*map(alternating, X)])
    n = min(map(len, X))
    stream, expected = tagger.start(len(X)), tagger.predict_proba([x[:n] for x in X])
    for step in range(n):
        before = pickle.dumps(stream)
        p = stream.step([x[step] for x in X])
        again = pickle.loads(before).step([x[step] for x in X])
        np.testing.assert_array_equal(p, again)
        np.testing.assert_allclose(p, [each[step] for each in expected], rtol=1e-5)


def test_tokens_that_fit_has_not_seen_are_read_by_their_subwords():
    tagger = RNNTagger(**SMALL, bidirectional=False).fit(SENTENCES, PARTS)
    stream = tagger.start()
    P = [stream.step(token) for token in ("the", "cats", "?")]
    expected = tagger.predict_proba([["the", "cats", "?"]])[0]
    np.testing.assert_allclose(np.concatenate(P), expected, rtol=1e-5)


def test_what_cannot_be_read_step_by_step_raises(sentences):
    with pytest.raises(ValueError, match=r"^This tagger reads sequences backwards"):
        sentences.start()
    chain = RNNTagger(8, bidirectional=False, transitions=True, max_iter=1)
    with pytest.raises(ValueError, match=r"^This tagger has transitions"):
        chain.fit(["ab"], ["xy"]).start()
    X = [np.random.default_rng(n).normal(size=(n, 1)) for n in (5, 3)]
    series = RNNTagger(**SMALL, bidirectional=False, standardize="series")
    series.fit(X, [[0] * 5, [1] * 3])
    with pytest.raises(ValueError, match=r"^This tagger reads each step beside the me"):
        series.start()
    tagger = RNNTagger(**SMALL, bidirectional=False).fit(["ab"], ["xy"])
    with pytest.raises(ValueError, match=r"^n_streams is 0: a whole number from 1"):
        tagger.start(0)
    with pytest.raises(ValueError, match=r"^3 tokens were passed to 2 streams\. Pass"):
        tagger.start(2).step("aba")
    with pytest.raises(ValueError, match=r"^'ab' is not one character"):
        tagger.start().step(["ab"])
    with pytest.raises(TypeError, match=r"^The tokens are integers, such as 1"):
        RNNTagger(**SMALL, bidirectional=False).fit(SENTENCES, PARTS).start().step(1)


# Bad input

BAD_Y = {
    "no y": (
        None,
        ValueError,
        "This RNNTagger estimator requires y to be passed, but the target y is None.",
    ),
    "fewer sequences": (
        ["xy"],
        ValueError,
        "y is of length 1, but X is of length 2: an entry for each sequence was "
        "expected. Drop those of which y or X is missing.",
    ),
    "another length": (
        [["x", "y"], ["x", "y"]],
        ValueError,
        "y[1] has 2 labels, but X[1] has 3 steps: one label for each step was "
        "expected. Check how X is cut into steps (analyzer, token_pattern).",
    ),
    "a string of another length": (
        ["xy", "xyxy"],
        ValueError,
        "y[1] has 4 characters, each of which is a label, but X[1] has 3 steps: one "
        "label for each step was expected. If it is one label of a whole sequence, use "
        "RNNClassifier.",
    ),
    "a string": (
        "xy",
        TypeError,
        "y is a string: a list with the labels of each sequence was expected. Use [y] "
        "to pass those of one sequence.",
    ),
    "labels of sequences": (
        [0, 1],
        TypeError,
        "y[0] is an int: a list of one label for each step was expected. Pass a list "
        "of lists; for one label per sequence, use RNNClassifier.",
    ),
    "a missing label": (
        [["x", "y"], ["x", None, "y"]],
        ValueError,
        "y[1][1] is None: every step needs a label. If it is unknown, give the step "
        "any label and a weight of 0.",
    ),
    "a missing number": (
        [[0, 1], [0, float("nan"), 1]],
        ValueError,
        "y[1][1] is nan: every step needs a label. If it is unknown, give the step "
        "any label and a weight of 0.",
    ),
    "mixed types": (
        [["x", "y"], ["x", 1, "y"]],
        TypeError,
        "y[1][1] is 1, but y has 'x' as well: labels of one type were expected. "
        "Convert them all to strings.",
    ),
    "mixed truth values": (
        [[np.True_, np.False_], [np.True_, 2, np.False_]],
        TypeError,
        "y[1][1] is 2, but y has True as well: labels of one type were expected. "
        "Convert them all to strings.",
    ),
    "floats": (
        [[0.0, 1.0], [0.0, 1.0, 0.5]],
        ValueError,
        "y[0][0] is 0.0: a label for each step, a string or an integer, was expected. "
        "Use strings or integers; numbers cannot be predicted for each step.",
    ),
}


@pytest.mark.parametrize("case", BAD_Y)
def test_bad_tags_raise(case):
    y, error, message = BAD_Y[case]
    tagger = RNNTagger(**SMALL)
    with pytest.raises(error) as raised:
        tagger.fit(["ab", "abb"], y)
    assert str(raised.value) == message
    assert not hasattr(tagger, "classes_")


@pytest.mark.parametrize("X", [[[0.5, 1.5]], [[{"a": True}, {"b": True}]]])
def test_a_hint_at_the_analyzer_is_for_what_it_cuts(X):
    message = "y[0] has 1 label, but X[0] has 2 steps: one label for each step was "
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}expected\.$"):
        RNNTagger(**SMALL).fit(X, [["x"]])
    fitted = RNNTagger(**SMALL).fit(X, ["xy"])
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}expected\.$"):
        fitted.score(X, [["x"]])


BAD_WEIGHT = {
    "another length": (
        [[1, 1], [1, 1]],
        "sample_weight[1] has 2 weights, but X[1] has 3 steps: one weight for each "
        "step was expected.",
    ),
    "a number among lists": (
        [[1, 1], 1],
        "sample_weight[1] is an int: a list of one weight for each step was expected. "
        "Pass a list of lists.",
    ),
    "fewer sequences": (
        [[1, 1]],
        "sample_weight is of length 1, but X is of length 2: an entry for each",
    ),
    "a negative step": ([[1, 1], [1, -1, 1]], "Negative values in data"),
    "a negative sequence": ([1, -1], "Negative values in data"),
    "one too many": ([1, 1, 1], "sample_weight.shape == (3,), expected (2,)!"),
    "NaN": ([[1, 1], [1, float("nan"), 1]], "NaN"),
}


@pytest.mark.parametrize("case", BAD_WEIGHT)
def test_bad_weights_raise(case):
    weight, message = BAD_WEIGHT[case]
    end = "$" if message.endswith(".") else ""
    with pytest.raises((TypeError, ValueError), match=f"{re.escape(message)}{end}"):
        RNNTagger(**SMALL).fit(["ab", "abb"], ["xy", "xyy"], weight)


def test_validation_data_with_another_tag_raises():
    tagger = RNNTagger(**SMALL, early_stopping=True)
    message = (
        r"y_val\[1\]\[2\] is 'z', which is not one of the classes of the training data"
    )
    with pytest.raises(ValueError, match=message):
        tagger.fit(["ab", "b"], ["xy", "y"], X_val=["a", "aba"], y_val=["x", "xyz"])


def test_what_is_scored_is_checked(sentences):
    with pytest.raises(
        ValueError, match=re.escape("y[0] has 1 label, but X[0] has 2 steps")
    ):
        sentences.score([["the", "cat"]], [["D"]])
    with pytest.raises(ValueError, match=r"^y is None: the true tags of the steps"):
        sentences.score(SENTENCES, None)


@pytest.mark.parametrize("weight", [[0, 0], [[0, 0], [0]]])
def test_weights_of_zero_alone_raise(weight):
    X, y = ["ab", "b"], ["xy", "x"]
    with pytest.raises(ValueError, match="at least one non-zero number"):
        RNNTagger(**SMALL).fit(X, y, weight)
    tagger = RNNTagger(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match="at least one"):
        tagger.score(X, y, weight)


def test_weights_of_empty_sequences_alone_raise():
    X, y, weight = ["", "ab", "ab"], ["", "cd", "cd"], [1, 0, 0]
    message = (
        "^The weights of all steps are 0: at least one above 0 was .*sample_weight"
    )
    with pytest.raises(ValueError, match=rf"{message}\.$"):
        RNNTagger(**SMALL).fit(X, y, weight)
    with pytest.raises(ValueError, match=rf"{message}\.$"):
        RNNTagger(**SMALL).fit(X, y).score(X, y, weight)
    tagger = RNNTagger(**SMALL, early_stopping=True)
    of_val = {"X_val": X, "y_val": y, "sample_weight_val": weight}
    with pytest.raises(ValueError, match=rf"{message}_val\.$"):
        tagger.fit(X, y, **of_val)


def test_no_steps_at_all_raise(sentences):
    message = "X has no steps: all its sequences are empty, so there is nothing to"
    with pytest.raises(ValueError, match=message):
        RNNTagger(**SMALL).fit([[], []], [[], []])
    with pytest.raises(ValueError, match=message):
        sentences.score([[]], [[]])
    with pytest.raises(ValueError, match=message.replace("X", "X_val")):
        RNNTagger(**SMALL, early_stopping=True).fit(
            SENTENCES, PARTS, X_val=[[]], y_val=[[]]
        )


@pytest.mark.parametrize("label", [2**63, 2**70])
def test_integers_of_more_than_64_bits_raise(label):
    message = f"y has integers from -1 to {label}: those of 64 bits were expected."
    with pytest.raises(ValueError, match=message):
        RNNTagger(**SMALL).fit(["ab"], [[label, -1]])


def test_sequences_that_are_too_long_are_not_cut():
    message = (
        "X[1] has 4 steps, but max_length is 3. Cut it and its y into shorter ones, or "
        "increase max_length."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        RNNTagger(**SMALL, max_length=3).fit(["aba", "abab"], ["xyx", "xyxy"])


def test_truncated_training_in_both_directions_raises():
    with pytest.raises(ValueError, match="truncate needs a network that reads in"):
        RNNTagger(**SMALL, truncate=3, bidirectional=True).fit(["ab"], ["xy"])


@pytest.mark.parametrize("name", ["predict", "predict_proba", "score"])
def test_a_tagger_must_be_fitted(name):
    arguments = (["ab"], ["xy"]) if name == "score" else (["ab"],)
    with pytest.raises(
        NotFittedError, match="This RNNTagger instance is not fitted yet"
    ):
        getattr(RNNTagger(), name)(*arguments)


@pytest.mark.parametrize(
    "name", ["pooling", "kernel_sizes", "patch_length", "overlong"]
)
def test_what_the_class_fixes_is_no_parameter(name):
    assert name not in RNNTagger().get_params()
    with pytest.raises(ValueError, match="Invalid parameter"):
        RNNTagger().set_params(**{name: None})


def test_a_failed_fit_leaves_the_last_one(sentences):
    tagger = copy.deepcopy(sentences)
    with pytest.raises(ValueError, match="y is of length 1"):
        tagger.fit(SENTENCES, PARTS[:1])
    np.testing.assert_array_equal(weights_of(tagger), weights_of(sentences))


def test_more_sequences_of_tags_than_there_is_memory_for(sentences):
    message = (
        "1,000,000,000 sequences of tags for 50 steps take 400 GB. Lower n_best, or "
        "pass fewer sequences at once."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        sentences.predict_n_best([["the"] * 50], 10**9)
    (pairs,) = sentences.predict_n_best([["the"]], 10**9)
    assert len(pairs) == len(sentences.classes_)
