"""Losses of raw scores."""

import torch

from skrnn._core import losses


def test_cross_entropy_of_extreme_scores_is_finite():
    scores = torch.tensor([[1e4, -1e4], [-1e4, 1e4]])
    loss, dscores = losses.cross_entropy(scores, torch.tensor([1, 1]), torch.ones(2))
    assert loss.item() == 2e4
    assert torch.equal(dscores, torch.tensor([[1.0, -1.0], [0.0, 0.0]]))


def test_python_runs_the_same_lines_where_torch_cannot_compile_them(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn((5, 3), generator=generator)
    arguments = scores, torch.tensor([0, 2, 1, 1, 0]), torch.rand(5)
    compiled = losses.cross_entropy(*arguments)
    monkeypatch.setattr(losses, "_cross_entropy", losses._cross_entropy.__wrapped__)
    for ours, theirs in zip(compiled, losses.cross_entropy(*arguments), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)
