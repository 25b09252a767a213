"""Networks that write sequences: their batches, and what holds for all of them."""

import numpy as np
import torch
from networks import (
    LENGTHS,
    OFFSETS,
    packed,
    random_inputs,
    random_weights,
    slope_along,
    with_nan_in_memory,
)

from skrnn._core import network, windows
from skrnn._core.batch import Batch
from skrnn._core.public import check_shapes, from_public, to_public

SMOOTHING = 0.2
WEIGHT = torch.tensor(np.random.default_rng(0).uniform(0.5, 2, len(LENGTHS)))


def masks_for(weights, rate=0.5):
    """A mask for each layer that has one, in the order of the sequences."""
    widths = [len(layer[0].U) for layer in weights.layers[1:]]
    if weights.architecture.decoder:
        widths += [weights.architecture.n_encoded]
        widths += [len(layer.U) for layer in weights.of_decoder[1:]]
    widths += [weights.V.shape[1]]
    generator = torch.Generator().manual_seed(3)
    return [
        torch.rand(len(LENGTHS), n, generator=generator, dtype=torch.float64) / rate
        for n in widths
    ]


def batch_of(weights, values, answers, masks=(), chosen=None):
    """All sequences, or some, as a batch whose target are their answers."""
    chosen = np.arange(len(LENGTHS)) if chosen is None else chosen
    packing = packed(LENGTHS[chosen])
    starts = np.repeat(OFFSETS[:-1][chosen], LENGTHS[chosen])
    within = np.concatenate([np.arange(n) for n in LENGTHS[chosen]])
    x, order = values[(starts + within)[packing.rows]], chosen[packing.indices]
    weight = WEIGHT[order]
    weight = torch.stack([weight * (1 - SMOOTHING), weight * SMOOTHING], dim=1)
    return Batch(
        x if x.is_floating_point() else x.int(),
        packing,
        answers.pack(order),
        weight.to(weights.flat.dtype),
        [mask[order] for mask in masks],
    )


def loss_and_gradient(weights, values, answers, masks=(), chosen=None):
    """The loss of all sequences, or of some, and the gradient."""
    loss = "ctc" if weights.architecture.n_frames else "smoothed_cross_entropy"
    workspace = network.Workspace(weights)
    with_nan_in_memory(workspace)
    workspace.gradient.flat.fill_(torch.nan)
    batch = batch_of(weights, values, answers, masks, chosen)
    total = windows.loss_and_gradient(weights, batch, loss, workspace)
    return total, workspace.gradient


def check_slopes(architecture, answers):
    """The gradient is that of central differences."""
    weights, values = random_weights(architecture), random_inputs(False)
    masks = masks_for(weights)
    _, gradient = loss_and_gradient(weights, values, answers, masks)
    generator = torch.Generator().manual_seed(5)
    for _ in range(3):
        direction = torch.randn(
            weights.flat.shape, generator=generator, dtype=torch.float64
        )
        slope = slope_along(
            direction,
            weights,
            lambda: loss_and_gradient(weights, values, answers, masks)[0],
        )
        np.testing.assert_allclose(direction @ gradient.flat, slope, rtol=1e-6)


def check_float32(architecture, answers):
    """The loss and gradient in float32 are close to those in float64."""
    double, values = random_weights(architecture), random_inputs(False)
    total, gradient = loss_and_gradient(double, values, answers)
    weights = random_weights(architecture, torch.float32)
    weights.flat.copy_(double.flat)
    single, of_single = loss_and_gradient(weights, values.float(), answers)
    np.testing.assert_allclose(single, total, rtol=1e-5)
    np.testing.assert_allclose(of_single.flat, gradient.flat, rtol=1e-3, atol=1e-4)


def check_sum(architecture, answers):
    """A gradient is the sum of those of its sequences."""
    weights, values = random_weights(architecture), random_inputs(True)
    masks = masks_for(weights)
    total, gradient = loss_and_gradient(weights, values, answers, masks)
    parts = [
        loss_and_gradient(weights, values, answers, masks, np.array(some))
        for some in ([2, 0], [1, 3, 4])
    ]
    np.testing.assert_allclose(sum(part for part, _ in parts), total)
    both = sum(part.flat for _, part in parts)
    np.testing.assert_allclose(both, gradient.flat, atol=1e-12)


def check_public(architecture):
    """Public weights are read back."""
    weights = random_weights(architecture)
    public = to_public(weights)
    check_shapes(architecture, public)
    again = to_public(from_public(architecture, public))
    assert public.keys() == again.keys()
    for key, part in public.items():
        np.testing.assert_equal(part, again[key])
