"""The rules against torch's optimisers."""

import pytest
import torch

from skrnn._core.rules import Adam

types = pytest.mark.parametrize(
    "dtype, rtol", [(torch.float64, 1e-12), (torch.float32, 1e-5)]
)


@types
@pytest.mark.parametrize("decay", [0.0, 0.03])
@pytest.mark.parametrize("n_biases", [0, 5, 20])
def test_adam_equals_torch(dtype, rtol, decay, n_biases):
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(20, generator=generator, dtype=dtype)
    biases = ours[:n_biases].clone().requires_grad_()
    others = ours[n_biases:].clone().requires_grad_()
    groups = [
        {"params": [biases], "weight_decay": 0.0},
        {"params": [others], "weight_decay": decay},
    ]
    reference = torch.optim.AdamW(groups)
    adam = Adam(ours)
    for step in range(10):
        gradient = torch.randn(20, generator=generator, dtype=dtype)
        given, learning_rate = gradient.clone(), 0.1 / (step + 1)
        adam.step(gradient, learning_rate, 1 - learning_rate * decay, n_biases)
        assert torch.equal(gradient, given)
        biases.grad, others.grad = gradient[:n_biases], gradient[n_biases:]
        for group in reference.param_groups:
            group["lr"] = learning_rate
        reference.step()
    theirs = torch.cat([biases, others]).detach()
    torch.testing.assert_close(ours, theirs, rtol=rtol, atol=rtol / 100)


@types
@pytest.mark.parametrize(
    "make", [torch.empty_like, lambda t: t.new_empty(4, 12)[:, ::2]]
)
def test_adam_moves_rows_that_do_not_lie_together(dtype, rtol, make):
    """And moments, which it is given, and continues from."""
    generator = torch.Generator().manual_seed(0)
    parts = [torch.rand(4, 6, generator=generator, dtype=dtype) for _ in range(4)]
    apart = [make(part) for part in parts]
    for ours, part in zip(apart, parts, strict=True):
        ours.copy_(part)
    for weights, gradient, *moments in (parts, apart):
        Adam(weights, moments, n_steps=3).step(gradient, 0.1, 0.99)
    for ours, theirs in zip(apart, parts, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_spoils_its_own_weight_alone(value):
    weights, gradient = torch.ones(40), torch.ones(40)
    gradient[17] = value
    Adam(weights).step(gradient, 0.1)
    is_spoilt = ~weights.isfinite()
    assert is_spoilt[17] and is_spoilt.sum() == 1


def test_no_weights_are_no_trouble():
    Adam(torch.empty(0)).step(torch.empty(0), 0.1)
