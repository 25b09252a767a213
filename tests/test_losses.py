"""Losses of raw scores."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from skrnn._core import density, losses
from skrnn._core.density import FLOOR


def binary_cross_entropy(scores, target, reduction):
    loss = functional.binary_cross_entropy_with_logits(
        scores, target, reduction=reduction
    )
    return loss.mean(dim=1)


def squared_error(scores, target, reduction):
    return functional.mse_loss(scores, target, reduction=reduction).mean(dim=1) / 2


SMOOTHING = 0.2


def smoothed_cross_entropy(scores, target, reduction):
    of = {"reduction": reduction, "label_smoothing": SMOOTHING}
    return functional.cross_entropy(scores, target, **of)


def gaussian_or_end(scores, target, reduction):
    n, (is_end, y) = scores.shape[1] // 2, (target[:, 0], target[:, 1:])
    mean, variance = scores[:, 1 : 1 + n], scores[:, 1 + n :].exp() + FLOOR
    of_end = functional.binary_cross_entropy_with_logits(
        scores[:, 0], is_end, reduction=reduction
    )
    of_numbers = functional.gaussian_nll_loss(
        mean, y, variance, full=True, reduction=reduction
    )
    # The gradient of a number is multiplied by its standard deviation.
    above = variance.detach().sqrt() - 1
    of_numbers = of_numbers + above * (of_numbers - of_numbers.detach())
    return of_end + (1 - is_end) * of_numbers.sum(dim=1)


OF_CLASSES = ("cross_entropy", "smoothed_cross_entropy")
THEIRS = {
    "cross_entropy": functional.cross_entropy,
    "smoothed_cross_entropy": smoothed_cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "squared_error": squared_error,
    "gaussian_or_end": gaussian_or_end,
}


def test_each_page_is_a_loss_of_torch():
    assert set(losses.LOSSES) == set(THEIRS)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("n_outputs", [1, 2, 17])
@pytest.mark.parametrize("dtype, rtol", [(np.float64, 1e-12), (np.float32, 3e-6)])
@pytest.mark.parametrize("name", THEIRS)
def test_loss_and_gradient_equal_those_of_torch(name, dtype, rtol, n_outputs, scale):
    rng = np.random.default_rng(0)
    if name == "gaussian_or_end":  # two scores per number, and one for the end
        n_outputs += 1 - n_outputs % 2
    given = (scale * rng.normal(size=(40, n_outputs))).astype(dtype)
    weight = rng.random(40).astype(dtype)
    if name in OF_CLASSES:
        target = rng.integers(n_outputs, size=40)
    elif name == "squared_error":
        target = rng.normal(size=given.shape).astype(dtype)
    elif name == "gaussian_or_end":
        target = rng.normal(size=(40, 1 + n_outputs // 2)).astype(dtype)
        target[:, 0] = rng.integers(2, size=40)
    else:
        target = rng.integers(2, size=given.shape).astype(dtype)
    before = given.copy()
    of_loss = weight
    if name == "smoothed_cross_entropy":
        factors = np.array([1 - SMOOTHING, SMOOTHING], dtype)
        of_loss = weight[:, np.newaxis] * factors
    total, dscores = losses.loss_and_gradient(name, given, target, of_loss)
    np.testing.assert_array_equal(given, before)
    scores = torch.from_numpy(given).double().requires_grad_()
    target, weight = torch.from_numpy(target), torch.from_numpy(weight).double()
    if target.is_floating_point():
        target = target.double()
    loss = (THEIRS[name](scores, target, reduction="none") * weight).sum()
    (expected,) = torch.autograd.grad(loss, scores)
    assert total == pytest.approx(loss.item(), rel=rtol, abs=1e-7)
    np.testing.assert_allclose(dscores, expected, rtol=10 * rtol, atol=rtol)


def test_cross_entropy_of_extreme_scores_is_finite():
    scores = np.array([[1e4, -1e4], [-1e4, 1e4]], np.float32)
    labels, ones = np.array([1, 1]), np.ones(2, np.float32)
    loss, dscores = losses.loss_and_gradient("cross_entropy", scores, labels, ones)
    assert loss == 2e4
    np.testing.assert_array_equal(dscores, [[1.0, -1.0], [0.0, 0.0]])


def test_binary_cross_entropy_of_extreme_scores_is_finite():
    scores = np.array([[1e4, -1e4], [0.0, 0.0]], np.float32)
    present, ones = np.array([[0.0, 0.0], [1.0, 0.0]], "f4"), np.ones(2, np.float32)
    name = "binary_cross_entropy"
    loss, dscores = losses.loss_and_gradient(name, scores, present, ones)
    assert loss == pytest.approx((1e4 + 2 * math.log(2)) / 2)
    np.testing.assert_array_equal(dscores, [[0.5, 0.0], [-0.25, 0.25]])


def test_the_density_of_what_is_predicted_without_an_error_is_finite():
    scores = np.array([[-1e4, 0.5, -1e4], [1e4, 0, 1e4]], np.float32)
    target, ones = np.array([[0, 0.5], [1, 7]], np.float32), np.ones(2, np.float32)
    name = "gaussian_or_end"
    loss, dscores = losses.loss_and_gradient(name, scores, target, ones)
    assert loss == pytest.approx(math.log(2 * math.pi * FLOOR) / 2)
    np.testing.assert_array_equal(dscores, np.zeros((2, 3)))
    (first,) = density.losses(scores[:1], target[:1])
    assert first == pytest.approx(loss)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("name", THEIRS)
def test_scores_that_are_not_finite_are_not_hidden(name, bad, place):
    scores = np.zeros((2, 3), np.float32)
    scores[1, place] = bad
    target = np.array([0, 1]) if name in OF_CLASSES else np.ones((2, 3), "f4")
    if name == "gaussian_or_end":
        target = np.zeros((2, 2), "f4")
    ones = np.ones((2, 2) if name == "smoothed_cross_entropy" else 2, np.float32)
    loss, dscores = losses.loss_and_gradient(name, scores, target, ones)
    hidden = {  # a score that is minus infinity has the probability 0
        ("cross_entropy", -np.inf): place != 1,
        ("binary_cross_entropy", np.inf): True,
    }.get((name, bad), False)
    assert hidden or not (np.isfinite(loss) and np.isfinite(dscores).all())
