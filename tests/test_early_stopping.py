"""Early stopping: what is held out, what is kept, when it stops."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor, _fitting
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
    assert longer.n_iter_ == 60 and longer.validation_scores_[: len(scores)] == scores


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
