"""The optimiser against torch's, clipping, the schedule, and when a fit stops."""

import math
import re

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skrnn import RNNClassifier
from skrnn._core import training


def test_adam_equals_torch():
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(20, generator=generator, dtype=torch.float64)
    theirs = ours.clone().requires_grad_()
    optimiser = torch.optim.Adam([theirs])
    adam = training.Adam(ours)
    for step in range(10):
        gradient = torch.randn(20, generator=generator, dtype=torch.float64)
        learning_rate = 0.1 / (step + 1)
        adam.step(gradient, learning_rate)
        theirs.grad = gradient
        optimiser.param_groups[0]["lr"] = learning_rate
        optimiser.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    "length, max_norm, clipped",
    [(10.0, 2.0, 2.0), (2.0, 2.0, 2.0), (0.5, 2.0, 0.5), (10.0, None, 10.0)],
)
def test_the_mean_gradient_is_clipped(length, max_norm, clipped):
    direction = torch.tensor([0.6, 0.0, 0.8])
    gradient = direction * length * 4  # summed over 4 sequences
    training.to_clipped_mean(gradient, 4, max_norm)
    torch.testing.assert_close(gradient, direction * clipped)


def test_clipping_leaves_a_zero_gradient():
    gradient = torch.zeros(3)
    training.to_clipped_mean(gradient, 4, 1.0)
    assert torch.equal(gradient, torch.zeros(3))


def test_learning_rate_rises_then_falls():
    rates = [training.one_cycle(done) for done in np.linspace(0, 1, 101)]
    peak = int(100 * training.WARM_UP)
    assert rates[0] == pytest.approx(0.1)
    assert rates[peak] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.01)
    assert all(np.diff(rates[: peak + 1]) > 0) and all(np.diff(rates[peak:]) < 0)


def test_fit_stops_when_the_loss_stays_below_tol():
    X, y = ["a", "b"] * 20, [0, 1] * 20
    stopped = RNNClassifier(
        max_iter=300, tol=0.1, n_iter_no_change=3, random_state=0
    ).fit(X, y)
    below = np.array(stopped.loss_curve_) < 0.1
    assert 3 < stopped.n_iter_ < 300
    assert below[-3:].all()
    # and not before
    assert not (below[:-3] & below[1:-2] & below[2:-1]).any()


def test_fit_runs_max_iter_epochs_when_it_does_not_converge():
    X, y = ["a", "a", "b"] * 4, [0, 1, 1] * 4
    classifier = RNNClassifier(max_iter=7, random_state=0).fit(X, y)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 7
    assert classifier.loss_ == classifier.loss_curve_[-1]
    assert classifier.best_loss_ == min(classifier.loss_curve_)


def test_divergence_keeps_the_last_good_weights_and_warns():
    X, y = ["ab" * 50, "ba" * 50] * 20, [0, 1] * 20
    classifier = RNNClassifier(
        8, activation="relu", learning_rate_init=1, alpha=0, max_iter=30
    )
    with pytest.warns(ConvergenceWarning) as caught:
        classifier.set_params(random_state=0).fit(X, y)
    assert str(caught[0].message) == (
        f"Training diverged in epoch {classifier.n_iter_}: the loss or a weight was "
        "not finite. RNNClassifier keeps the weights from before that epoch. Lower "
        "learning_rate_init (now 1) or max_grad_norm, or use activation='tanh'."
    )
    assert caught[0].filename == __file__
    assert 1 < classifier.n_iter_ < 100
    assert np.isfinite(classifier.W_[0]).all() and np.isfinite(classifier.V_).all()


def test_divergence_in_the_first_epoch_raises():
    X, y = ["ab" * 2000, "ba" * 2000] * 20, [0, 1] * 20
    classifier = RNNClassifier(
        8, activation="relu", learning_rate_init=1, alpha=0, batch_size=1
    )
    sentence = (
        "Training diverged in epoch 1: the loss or a weight was not finite. Lower "
        "learning_rate_init (now 1) or max_grad_norm, or use activation='tanh'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        classifier.set_params(random_state=0).fit(X, y)
    with pytest.raises(NotFittedError):
        classifier.predict(X)


def test_training_that_only_did_harm_warns():
    X, y = ["ab", "ba", "aab"] * 20, [0, 1, 2, 1, 2, 0] * 10
    classifier = RNNClassifier(learning_rate_init=1, alpha=0, max_iter=2)
    sentence = (
        r"^The training loss of the last epoch is \d+\.?\d*, where a network that "
        r"knows nothing has 1\.1\. Lower learning_rate_init \(now 1\) or "
        r"max_grad_norm, or use activation='tanh'\.$"
    )
    with pytest.warns(ConvergenceWarning, match=sentence):
        classifier.set_params(random_state=0).fit(X, y)


def test_loss_is_the_weighted_mean_cross_entropy(rng):
    # A learning rate that changes nothing: the loss is that of the predictions.
    X = [rng.normal(size=n) for n in (3, 1, 4, 1, 5, 9)]
    y = np.array([0, 1, 2, 0, 1, 2])
    weight = rng.random(6)
    classifier = RNNClassifier(
        max_iter=1, batch_size=4, learning_rate_init=1e-12, random_state=0
    ).fit(X, y, weight)
    chosen = classifier.predict_log_proba(X)[np.arange(6), y]
    expected = np.average(-chosen, weights=weight)
    assert classifier.loss_ == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "n_samples, batch_size, n_epochs",
    [(3, 3, 600), (64, 8, 75), (270, 33, 67), (13_374, 128, 12), (10**6, 128, 12)],
)
def test_auto_batch_size_and_epochs(n_samples, batch_size, n_epochs):
    plan = RNNClassifier()._plan(n_samples)
    assert min(plan.batch_size, n_samples) == batch_size
    assert plan.n_epochs == n_epochs


def test_verbose_prints_a_line_an_epoch(capsys):
    RNNClassifier(max_iter=3, verbose=1, random_state=0).fit(["ab", "cd"], [0, 1])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("Epoch 1/3, loss ")
    assert lines[0].endswith(" s left")
    assert math.isfinite(float(lines[2].split("loss ")[1].split(",")[0]))
