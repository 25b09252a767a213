"""Losses and gradients by torch's operations, beside those of the compiled kernels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from networks import (
    ARCHITECTURES,
    LABELS,
    batch_of,
    random_inputs,
    random_weights,
)

from skrnn._core import kernels
from skrnn._core.execution import Execution
from skrnn._core.weights import view

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)
tokens_or_numbers = pytest.mark.parametrize("is_token", [True, False])
GPU = pytest.param(
    "cuda",
    marks=pytest.mark.skipif(
        not torch.cuda.is_available(), reason="torch finds no GPU with CUDA"
    ),
)
on_each_device = pytest.mark.parametrize("device", ["cpu", GPU])
SAMPLE_WEIGHT = torch.tensor([1.0, 0.5, 2.0, 1.0, 3.0], dtype=torch.float64)


def there(value, device):
    """A copy of a Weights, Batch or Tensor on a device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, (list, tuple)):
        return type(value)(there(part, device) for part in value)
    return value


def both(weights, batch, loss, device="cpu", truncate=None):
    """The loss and the gradient by either back end."""
    results = []
    for name, at in (("numba", "cpu"), ("autograd", device)):
        execution = Execution(at, kernels=name)
        own = view(weights.layout, execution.move(weights.flat))
        moved = replace(
            batch,
            **{
                part: there(getattr(batch, part), at)
                for part in ("x", "target", "weight", "masks")
            },
        )
        of = kernels.KERNELS[name]
        workspace = of.make_workspace(own, None)
        total = of.loss_and_gradient(own, moved, loss, workspace, truncate)
        results.append((float(total), workspace.gradient.flat.cpu()))
    return results


def assert_same(results, rtol=1e-9):
    (total, gradient), (other, of_other) = results
    assert np.isfinite(total) and gradient.any()
    assert other == pytest.approx(total, rel=rtol)
    torch.testing.assert_close(of_other, gradient, rtol=rtol, atol=rtol * 0.1)


@every_architecture
@tokens_or_numbers
@on_each_device
def test_loss_and_gradient(name, is_token, device):
    weights, values = random_weights(ARCHITECTURES[name]), random_inputs(is_token)
    batch = batch_of(weights, values, LABELS, SAMPLE_WEIGHT)
    assert_same(both(weights, batch, "cross_entropy", device))
