"""Losses of raw scores."""

import math

import pytest
import torch

from skrnn._core import losses


def test_cross_entropy_of_extreme_scores_is_finite():
    scores = torch.tensor([[1e4, -1e4], [-1e4, 1e4]])
    labels, ones = torch.tensor([1, 1]), torch.ones(2)
    loss, dscores = losses.loss_and_gradient("cross_entropy", scores, labels, ones)
    assert loss.item() == 2e4
    assert torch.equal(dscores, torch.tensor([[1.0, -1.0], [0.0, 0.0]]))


def test_binary_cross_entropy_of_extreme_scores_is_finite():
    scores = torch.tensor([[1e4, -1e4], [0.0, 0.0]])
    present, ones = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.ones(2)
    name = "binary_cross_entropy"
    loss, dscores = losses.loss_and_gradient(name, scores, present, ones)
    assert loss.item() == pytest.approx((1e4 + 2 * math.log(2)) / 2)
    assert torch.equal(dscores, torch.tensor([[0.5, 0.0], [-0.25, 0.25]]))
