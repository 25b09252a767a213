"""The rules against torch's optimisers."""

import pytest
import torch

from skrnn._core import rules
from skrnn._core.rules import Adam


@pytest.mark.parametrize("is_plain", [False, True])
def test_adam_equals_torch(is_plain, monkeypatch):
    if is_plain:  # where torch cannot compile
        plain = rules._adam_step.__wrapped__
        monkeypatch.setattr(rules, "_adam_step", plain)
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(20, generator=generator, dtype=torch.float64)
    theirs = ours.clone().requires_grad_()
    reference = torch.optim.Adam([theirs])
    adam = Adam(ours)
    for step in range(10):
        gradient = torch.randn(20, generator=generator, dtype=torch.float64)
        learning_rate = 0.1 / (step + 1)
        adam.step(gradient, learning_rate)
        theirs.grad = gradient
        reference.param_groups[0]["lr"] = learning_rate
        reference.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=0)
