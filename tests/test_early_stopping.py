"""Early stopping: what is held out, what is kept, when it stops."""

import re

import awkward as ak
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import log_loss

from skrnn import (
    RNNClassifier,
    RNNEncoder,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
    _fitting,
)
from skrnn._core.samples import Samples
from skrnn._heads.classes import ClassHead
from skrnn._parameters import Settings
from skrnn._reading.lists import read_sequences

PARAMS = {"nhidden": 8, "random_state": 0, "early_stopping": True}


def noisy(n_samples, seed):
    """Strings by their first letter, one label in four wrong."""
    rng = np.random.default_rng(seed)
    X = [
        "".join(rng.choice(list("abcd"), rng.integers(2, 7))) for _ in range(n_samples)
    ]
    is_wrong = rng.random(n_samples) < 0.25
    y = [(x[0] in "ab") != wrong for x, wrong in zip(X, is_wrong, strict=True)]
    return X, np.array(y)


def hold_out_the_last(data, *_):
    return data.take(np.arange(200)), data.take(np.arange(200, 300))


@pytest.fixture(scope="module")
def fitted():
    return RNNClassifier(**PARAMS, max_iter=60, learning_rate_init=0.02).fit(
        *noisy(400, seed=0)
    )


def test_the_curves_have_an_entry_an_epoch(fitted):
    n = fitted.n_iter_
    assert len(fitted.validation_scores_) == len(fitted.validation_loss_curve_) == n
    assert len(fitted.loss_curve_) == n
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)


def test_it_stops_before_the_end(fitted):
    scores = fitted.validation_scores_
    assert fitted.n_iter_ < 60
    longer = RNNClassifier(**PARAMS, max_iter=60, learning_rate_init=0.02)
    longer.set_params(n_iter_no_change=1000).fit(*noisy(400, seed=0))
    # Until its learning rate is lowered, it learns as a fit that does not stop.
    n_same = int(fitted.n_iter_ / 1.25)
    assert longer.n_iter_ == 60
    assert longer.validation_scores_[:n_same] == scores[:n_same]
    assert longer.validation_scores_[: len(scores)] != scores
    # and what it learns at the lower rate does not count for nothing
    assert fitted.best_validation_score_ >= max(scores[:n_same])


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"ngram_range": (1, 3), "cell": "gru"},
        {"embeddings": {letter: np.eye(4)[i] for i, letter in enumerate("abcd")}},
        {"vocabulary": [*"abcd", *map(chr, range(0x4E00, 0x4E00 + 3000))]},  # lazy rows
    ],
    ids=["characters", "n-grams", "embeddings", "large vocabulary"],
)
def test_the_best_weights_are_kept(monkeypatch, params):
    X, y = noisy(300, seed=0)

    monkeypatch.setattr(_fitting, "_hold_out", hold_out_the_last)
    model = RNNClassifier(**PARAMS, **params, max_iter=40, learning_rate_init=0.02)
    model.set_params(n_iter_no_change=1000).fit(X, y)
    scores, losses = model.validation_scores_, model.validation_loss_curve_
    best = min(range(40), key=lambda i: (-scores[i], losses[i]))
    assert best < 39
    assert model.score(X[200:], y[200:]) == pytest.approx(scores[best])
    loss = log_loss(y[200:], model.predict_proba(X[200:]))
    assert loss == pytest.approx(losses[best], rel=1e-4)


def test_scores_of_numbers_are_r2(monkeypatch):
    X, y = noisy(300, seed=0)

    monkeypatch.setattr(_fitting, "_hold_out", hold_out_the_last)
    weight = np.random.default_rng(0).random(300)
    model = RNNRegressor(**PARAMS, max_iter=10).fit(X, 100.0 * y, weight)
    score = model.score(X[200:], 100.0 * y[200:], weight[200:])
    assert model.best_validation_score_ == pytest.approx(score, rel=1e-5)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("estimator", [RNNClassifier, RNNEncoder, RNNRegressor])
def test_all_estimators_stop_early(estimator, cell):
    X, y = noisy(100, seed=0)
    model = estimator(**PARAMS, cell=cell, max_iter=5).fit(X, y.astype(float))
    assert len(model.validation_scores_) == 5


def test_nothing_is_held_out_without():
    model = RNNClassifier(4, max_iter=2, random_state=0).fit(*noisy(50, seed=0))
    assert not hasattr(model, "validation_scores_")


def hold_out(target, fraction):
    generator = torch.Generator().manual_seed(0)
    n, target = len(target), np.asarray(target)
    sequences = read_sequences(["x"] * n)
    samples = Samples(sequences, target, np.ones(n), np.arange(n))
    classifier = RNNClassifier(early_stopping=True, validation_fraction=fraction)
    settings = Settings.of("RNNClassifier", classifier.get_params())
    head = ClassHead.learn(target, samples.weight)
    kept, held_out = _fitting._hold_out(samples, head, settings, generator)
    assert sorted([*kept.positions, *held_out.positions]) == list(range(n))
    return kept, held_out


def test_the_same_share_of_each_class_is_held_out():
    target = np.repeat([0, 1, 2], [60, 30, 10])
    kept, held_out = hold_out(target, 0.2)
    assert np.bincount(held_out.target).tolist() == [12, 6, 2]
    assert np.bincount(kept.target).tolist() == [48, 24, 8]


def test_the_only_sequence_of_a_class_is_learned_from():
    kept, _ = hold_out([0] * 10 + [1] * 10 + [2], 0.3)
    assert 2 in kept.target


@pytest.mark.parametrize(
    "estimator, y, message",
    [
        (RNNClassifier, [0, 0, 1, 1], "1 of 4 sequences of 2 classes"),
        (RNNClassifier, [0, 1, 2, 3], "1 of 4 sequences of 4 classes"),
        (RNNRegressor, [0.1, 0.2, 0.3, 0.4], "1 of 4 sequences"),
    ],
)
def test_too_few_to_hold_out_raises(estimator, y, message):
    with pytest.raises(ValueError) as caught:
        estimator(2, early_stopping=True).fit(["a", "b", "c", "d"], y)
    assert str(caught.value) == (
        f"early_stopping=True would hold out {message}, which is too few or leaves too "
        "few. Use more sequences, another validation_fraction or early_stopping=False."
    )


def test_a_weight_of_zero_is_as_good_as_removal():
    X, y = noisy(100, seed=0)
    weight = np.ones(100)
    weight[::3] = 0
    kept = [x for x, used in zip(X, weight, strict=True) if used]
    ours = RNNClassifier(**PARAMS, max_iter=5).fit(X, y, weight)
    theirs = RNNClassifier(**PARAMS, max_iter=5).fit(kept, y[weight > 0])
    np.testing.assert_array_equal(ours.V_, theirs.V_)
    assert ours.validation_scores_ == theirs.validation_scores_


def test_errors_name_sequences_where_they_stand_in_X(monkeypatch):
    monkeypatch.setattr(_fitting, "_hold_out", hold_out_the_last)
    X = 1e-3 * np.random.default_rng(0).normal(size=(300, 2))
    X[217] = 3e38, -3e38
    with pytest.raises(ValueError, match=r"^X\[217\] contains 3e\+38 at step 0, which"):
        RNNRegressor(**PARAMS).fit(X, np.arange(300.0))


def test_a_line_an_epoch_has_the_score(capsys):
    RNNClassifier(**PARAMS, max_iter=2, verbose=2).fit(*noisy(50, seed=0))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and ", validation score " in lines[0]


ESTIMATORS = [RNNClassifier, RNNEncoder, RNNRegressor]
CONTAINERS = {
    "list": list,
    "NumPy": np.array,
    "pandas": pd.Series,
    "polars": pl.Series,
    "arrow": pa.array,
    "awkward": ak.Array,
    "frame": lambda values: pd.DataFrame({"text": values}),
}


def target_for(estimator, y):
    return y.astype(float) + 0.5 if estimator is RNNRegressor else y.astype(int)


@pytest.mark.parametrize(
    "estimator, has_y", [*((cls, True) for cls in ESTIMATORS), (RNNEncoder, False)]
)
def test_given_validation_data_does_not_change_what_is_learned(estimator, has_y):
    X, y = noisy(100, seed=0)
    y = target_for(estimator, y) if has_y else None
    y_val = None if y is None else y[:30]
    params = {**PARAMS, "max_iter": 4, "n_iter_no_change": 100}
    alone = estimator(**{**params, "early_stopping": False}).fit(X, y)
    X_val = [x + "z" for x in X[:30]]
    model = estimator(**params).fit(X, y, X_val=X_val, y_val=y_val)
    assert model.loss_curve_ == alone.loss_curve_
    assert model.vocabulary_ == alone.vocabulary_ and "z" not in model.vocabulary_
    assert len(model.validation_scores_) == len(model.validation_loss_curve_) == 4


def test_given_validation_data_is_judged_as_what_is_held_out(monkeypatch):
    """Without y, as y would be summarised with what is held out."""
    X, _ = noisy(300, seed=0)
    given = RNNEncoder(**PARAMS, max_iter=5).fit(X[:200], X_val=X[200:])
    monkeypatch.setattr(_fitting, "_hold_out", hold_out_the_last)
    held_out = RNNEncoder(**PARAMS, max_iter=5).fit(X)
    assert given.validation_scores_ == held_out.validation_scores_
    np.testing.assert_array_equal(given.V_, held_out.V_)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("class_weight", [None, "balanced", {False: 1, True: 5}])
def test_the_best_weights_on_given_validation_data_are_kept(class_weight, weighted):
    X, y = noisy(300, seed=0)
    X_val, y_val = X[200:], y[200:]
    weight = np.random.default_rng(0).random(100) if weighted else None
    model = RNNClassifier(**PARAMS, max_iter=40, learning_rate_init=0.02)
    model.set_params(class_weight=class_weight, n_iter_no_change=1000)
    validation = {"X_val": X_val, "y_val": y_val, "sample_weight_val": weight}
    model.fit(X[:200], y[:200], **validation)
    scores, losses = model.validation_scores_, model.validation_loss_curve_
    best = min(range(40), key=lambda i: (-scores[i], losses[i]))
    assert best < 39
    assert model.score(X_val, y_val, weight) == pytest.approx(scores[best])
    proba = model.predict_proba(X_val)
    loss = log_loss(y_val, proba, sample_weight=weight)
    assert loss == pytest.approx(losses[best], rel=1e-4)


def test_the_score_of_numbers_on_given_validation_data_is_r2():
    X, y = noisy(300, seed=0)
    y, weight = np.column_stack([100.0 * y, [*map(len, X)]]), np.arange(100.0)
    model = RNNRegressor(**PARAMS, max_iter=10).fit(
        X[:200], y[:200], X_val=X[200:], y_val=y[200:], sample_weight_val=weight
    )
    score = model.score(X[200:], y[200:], weight)
    assert model.best_validation_score_ == pytest.approx(score, rel=1e-5)


def test_a_weight_of_zero_in_given_validation_data_is_as_good_as_removal():
    X, y = noisy(100, seed=0)
    weight = np.ones(40)
    weight[::3] = 0
    validation = {"X_val": X[60:], "y_val": y[60:], "sample_weight_val": weight}
    ours = RNNClassifier(**PARAMS, max_iter=5).fit(X[:60], y[:60], **validation)
    used = np.flatnonzero(weight) + 60
    validation = {"X_val": [X[i] for i in used], "y_val": y[used]}
    theirs = RNNClassifier(**PARAMS, max_iter=5).fit(X[:60], y[:60], **validation)
    assert ours.validation_scores_ == theirs.validation_scores_
    np.testing.assert_array_equal(ours.V_, theirs.V_)


@pytest.mark.parametrize(
    "estimator",
    [
        RNNClassifier(4),
        RNNTagger(4),
        RNNTagger(4, transitions=True),
        RNNSeq2Seq(4),
        RNNSeq2Seq(4, decoder="ctc"),
    ],
    ids=repr,
)
def test_what_is_unknown_may_have_a_weight_of_zero(estimator):
    estimator.set_params(max_iter=3, early_stopping=True, random_state=0)
    X, y, X_val, y_val = ["ab", "b", "ba"] * 5, ["ab", "b", "ba"] * 5, ["b"], ["b"]
    theirs = clone(estimator).fit(X, y, X_val=X_val, y_val=y_val)
    validation = {"X_val": [*X_val, "a", "b"], "y_val": [*y_val, "z", "A"]}
    ours = clone(estimator).fit(X, y, **validation, sample_weight_val=[1, 0, 0])
    assert ours.validation_scores_ == theirs.validation_scores_
    assert ours.validation_loss_curve_ == theirs.validation_loss_curve_
    with pytest.raises(ValueError, match=re.escape("y_val[2]")):
        estimator.fit(X, y, **validation, sample_weight_val=[1, 0, 1])


def test_unknown_tags_may_have_a_weight_of_zero():
    tagger = RNNTagger(4, max_iter=3, early_stopping=True, random_state=0)
    X, weight = ["ab", "b", "ba"] * 5, [[1, 0], [1]]
    ours, theirs = (
        clone(tagger).fit(
            X, X, X_val=["ab", "b"], y_val=y_val, sample_weight_val=weight
        )
        for y_val in (["az", "b"], ["ab", "b"])
    )
    assert ours.validation_scores_ == theirs.validation_scores_
    assert ours.validation_loss_curve_ == theirs.validation_loss_curve_


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_validation_data_may_be_given_in_any_container(estimator, name):
    X, y = noisy(60, seed=0)
    y = target_for(estimator, y)
    make = CONTAINERS[name]
    make_y = np.array if name in ("awkward", "frame") else make
    model = estimator(**PARAMS, max_iter=2)
    scores = model.fit(X, y, X_val=X[:20], y_val=y[:20]).validation_scores_
    validation = {"X_val": make(X[:20]), "y_val": make_y(y[:20].tolist())}
    assert model.fit(X, y, **validation).validation_scores_ == scores


@pytest.mark.parametrize("name", ["list", "NumPy", "pandas", "polars", "arrow"])
def test_labels_of_validation_data_may_be_in_another_container(name):
    X, y = noisy(60, seed=0)
    y = np.where(y, "yes", "no")
    model = RNNClassifier(**PARAMS, max_iter=2)
    scores = model.fit(X, y, X_val=X[:20], y_val=y[:20]).validation_scores_
    for ours, theirs in ((list, CONTAINERS[name]), (CONTAINERS[name], list)):
        labels = theirs(y[:20].tolist())
        model.fit(X, ours(y.tolist()), X_val=X[:20], y_val=labels)
        assert model.validation_scores_ == scores


def test_validation_data_has_the_columns_of_x():
    table = pd.DataFrame(
        np.random.default_rng(0).normal(size=(40, 3)), columns=[*"abc"]
    )
    y = table["a"] - table["c"]
    model = RNNRegressor(**PARAMS, max_iter=2)
    model.fit(table, y, X_val=table[:10], y_val=y[:10])
    with pytest.raises(ValueError, match="feature names should match"):
        model.fit(table, y, X_val=table[:10][[*"cba"]], y_val=y[:10])


def test_warm_starts_read_validation_data_as_the_last_fit():
    X, y = noisy(100, seed=0)
    model = RNNClassifier(**PARAMS, max_iter=5, warm_start=True).fit(X, y)
    vocabulary = model.vocabulary_
    model.fit(X, y, X_val=["zab", "", *X[:20]], y_val=[True, False, *y[:20]])
    assert model.vocabulary_ == vocabulary
    with pytest.raises(TypeError, match=r"^X_val holds sequences of numbers"):
        model.fit(X, y, X_val=[[1.0, 2.0]], y_val=y[:1])


def test_a_fit_with_bad_validation_data_leaves_the_estimator_unchanged():
    X, y = noisy(100, seed=0)
    model = RNNClassifier(**PARAMS, max_iter=2).fit(X, y)
    before = dict(vars(model))
    with pytest.raises(ValueError):
        model.fit(X, y, X_val=X[:2], y_val=["neither", "nor"])
    assert vars(model) == before


ONE_HOT = np.eye(2, dtype=int)[[0, 1] * 20]
NUMBERS = np.random.default_rng(0).normal(size=(40, 5))
WORDS, LABELS = ["ab", "ba", "abc", "b"] * 10, ["p", "q"] * 20
IN_VAL = "In the validation data: "
BAD_VALIDATION = {
    "no y_val": (
        RNNClassifier,
        (WORDS, LABELS),
        {"X_val": WORDS[:2]},
        "X_val is provided, but y_val was not provided. Pass the y of X_val.",
    ),
    "no X_val": (
        RNNClassifier,
        (WORDS, LABELS),
        {"y_val": LABELS[:2]},
        "y_val is provided, but X_val was not provided. Pass X_val, or leave y_val "
        "out.",
    ),
    "weights alone": (
        RNNRegressor,
        (WORDS, np.arange(40.0)),
        {"sample_weight_val": [1.0]},
        "sample_weight_val is provided, but X_val was not provided. Pass X_val, or "
        "leave sample_weight_val out.",
    ),
    "no y": (
        RNNEncoder,
        (WORDS,),
        {"X_val": WORDS[:2], "y_val": LABELS[:2]},
        "y_val is provided, but y was not provided. Pass y, or leave y_val out to "
        "learn from the sequences alone.",
    ),
    "other lengths": (
        RNNClassifier,
        (WORDS, LABELS),
        {"X_val": WORDS[:3], "y_val": LABELS[:2]},
        f"{IN_VAL}Found input variables with inconsistent numbers of samples: [3, 2]",
    ),
    "as many weights as in X": (
        RNNClassifier,
        (WORDS, LABELS),
        {"X_val": WORDS[:2], "y_val": LABELS[:2], "sample_weight_val": [1.0] * 40},
        "sample_weight_val.shape == (40,), expected (2,)!",
    ),
    "weights of 0": (
        RNNClassifier,
        (WORDS, LABELS),
        {"X_val": WORDS[:2], "y_val": LABELS[:2], "sample_weight_val": [0.0, 0.0]},
        f"{IN_VAL}Sample weights must contain at least one non-zero number.",
    ),
    "a new class": (
        RNNClassifier,
        (WORDS, LABELS),
        {"X_val": WORDS[:2], "y_val": ["p", "X"]},
        "y_val[1] is 'X', which is not one of the classes of the training data. Drop "
        "these sequences, or train on some of that class.",
    ),
    "strings for integers": (
        RNNClassifier,
        (WORDS, [1, 2] * 20),
        {"X_val": WORDS[:2], "y_val": ["1", "2"]},
        "y_val[0] is '1', which is not one of the classes of the training data. Drop "
        "these sequences, or train on some of that class.",
    ),
    "integers for strings": (
        RNNEncoder,
        (WORDS, ["1", "2"] * 20),
        {"X_val": WORDS[:2], "y_val": [1, 2]},
        "y_val[0] is 1, which is not one of the classes of the training data. Drop "
        "these sequences, or train on some of that class.",
    ),
    "a missing label": (
        RNNClassifier,
        (WORDS, LABELS),
        {"X_val": WORDS[:2], "y_val": ["p", None]},
        "y_val contains None for X_val[1]: every sequence needs a target. Drop the "
        "sequence or fill in its target.",
    ),
    "other columns of labels": (
        RNNClassifier,
        (WORDS, ONE_HOT),
        {"X_val": WORDS[:2], "y_val": np.eye(3)[:2]},
        "y_val is of shape (2, 3): 2 columns were expected, as for training.",
    ),
    "other values of labels": (
        RNNEncoder,
        (WORDS, ONE_HOT),
        {"X_val": WORDS[:2], "y_val": np.eye(2)[:2] / 2},
        "y_val[0] is [0.5 0. ]: a 0 or 1 for each of 2 labels was expected, as for "
        "training.",
    ),
    "other columns of numbers": (
        RNNRegressor,
        (NUMBERS, NUMBERS[:, 0]),
        {"X_val": NUMBERS[:3], "y_val": NUMBERS[:3]},
        "y_val is of shape (3, 5): 1 column was expected, as for training.",
    ),
    "one sequence for R^2": (
        RNNRegressor,
        (NUMBERS, NUMBERS[:, 0]),
        {"X_val": NUMBERS[:2], "y_val": [0.5, 1.5], "sample_weight_val": [1, 0]},
        "X_val has 1 sequence of a weight above 0, but the score of numbers, R^2, is "
        "undefined for fewer than 2. Pass more sequences.",
    ),
    "no next step": (
        RNNEncoder,
        (WORDS,),
        {"X_val": ["a", "zz"]},
        "Without y, the next step is predicted, but no sequence of the validation data "
        "has more than one token that is known. Pass y, or longer sequences, or other "
        "validation data (X_val or validation_fraction).",
    ),
    "empty": (
        RNNClassifier,
        (WORDS, LABELS),
        {"X_val": [], "y_val": []},
        "X_val is empty: at least one sequence is needed.",
    ),
    "another width": (
        RNNRegressor,
        (NUMBERS, NUMBERS[:, 0]),
        {"X_val": NUMBERS[:3, :4], "y_val": NUMBERS[:3, 0]},
        "X_val has 4 features, but RNNRegressor is expecting 5 features as input.",
    ),
    "out of range": (
        RNNRegressor,
        (1e-3 * NUMBERS, NUMBERS[:, 0]),
        {"X_val": [[3e38] * 5] * 2, "y_val": [0.5, 1.5]},
        "X_val[0] contains 3e+38 at step 0, which is too far from the mean in fit, ",
    ),
}


@pytest.mark.parametrize("name", BAD_VALIDATION)
def test_bad_validation_data(name):
    estimator, data, validation, message = BAD_VALIDATION[name]
    with pytest.raises(ValueError) as caught:
        estimator(**PARAMS).fit(*data, **validation)
    assert str(caught.value).startswith(message)
    assert message.endswith(" ") or str(caught.value) == message


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_validation_data_without_early_stopping_raises(estimator):
    X, y = noisy(20, seed=0)
    y = target_for(estimator, y)
    with pytest.raises(ValueError) as caught:
        estimator(2).fit(X, y, X_val=X[:5], y_val=y[:5])
    assert str(caught.value) == (
        "X_val is provided, but early_stopping is False: nothing would be done with "
        "it. Use early_stopping=True, or leave X_val out."
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_partial_fit_takes_no_validation_data(estimator):
    with pytest.raises(TypeError, match="unexpected keyword argument 'X_val'"):
        estimator(2).partial_fit(WORDS, ONE_HOT[:, 0], X_val=WORDS)


def test_what_a_users_analyzer_says_is_left_as_it_is():
    def analyzer(x):
        if x == "z":
            raise ValueError("no z in X")
        return x

    with pytest.raises(ValueError) as caught:
        RNNEncoder(**PARAMS, analyzer=analyzer).fit(WORDS, X_val=["ab", "z"])
    assert str(caught.value) == "no z in X"
    assert caught.value.__notes__ == ["analyzer raised this for X_val[1]."]


def test_warnings_about_validation_data_name_it():
    X, y = [[1, 2], [2, 1]] * 10, [0, 1] * 10
    with pytest.warns(UserWarning, match=r"^1 of 2 sequences, such as X_val\[1\], "):
        RNNClassifier(**PARAMS, max_iter=1).fit(X, y, X_val=[[1], [7]], y_val=[0, 1])
