"""Random networks and batches that several test modules share."""

from itertools import product

import numpy as np
import torch

from skrnn._core import network
from skrnn._core.architecture import Architecture
from skrnn._core.batch import Batch
from skrnn._core.layout import Layout
from skrnn._core.packing import pack
from skrnn._core.weights import zeros

LENGTHS = np.array([4, 1, 7, 4, 2])
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
N_INPUTS, N_OUTPUTS = 3, 4
LABELS = torch.tensor([0, 3, 1, 1, 2])

CELLS = {
    "tanh": {"cell": "rnn", "activation": "tanh"},
    "relu": {"cell": "rnn", "activation": "relu"},
    "identity": {"cell": "rnn", "activation": "identity"},
    "bag": {"cell": "rnn", "activation": "identity", "recurrence": "identity"},
    "sum-tanh": {"cell": "rnn", "recurrence": "identity"},
    "gru": {"cell": "gru"},
    "lstm": {"cell": "lstm"},
}
ARCHITECTURES = {
    f"{cell}-{len(nhidden)}-{2 if bidirectional else 1}-{pooling}": (
        Architecture(
            nhidden=nhidden,
            bidirectional=bidirectional,
            pooling=pooling,
            **CELLS[cell],
        )
    )
    for cell, nhidden, bidirectional, pooling in product(
        CELLS, [(5,), (4, 6)], [False, True], ["last", "mean", "max", "concat", "sum"]
    )
}


def random_weights(architecture, dtype=torch.float64, seed=0):
    """Weights that are all random, biases too."""
    weights = zeros(Layout(architecture, N_INPUTS, N_OUTPUTS), dtype)
    generator = torch.Generator().manual_seed(seed)
    weights.flat.normal_(0.0, 0.5, generator=generator)
    return weights


def random_inputs(is_token, dtype=torch.float64, seed=1):
    """Token ids or numbers for the sequences of LENGTHS."""
    generator = torch.Generator().manual_seed(seed)
    if is_token:
        return torch.randint(N_INPUTS, (OFFSETS[-1],), generator=generator)
    shape = (OFFSETS[-1], N_INPUTS)
    return torch.randn(shape, generator=generator, dtype=dtype)


def as_read(values):
    """Tensors of token ids or numbers as the arrays that predictions read."""
    return values.numpy() if values.is_floating_point() else values.int().numpy()


def packed(lengths=LENGTHS):
    """All sequences in one batch."""
    (packing,) = pack(np.cumsum(lengths) - lengths, lengths)
    return packing


def batch_of(weights, values, target, weight, packing=None, **options):
    """All sequences as one Batch.

    `target` and `weight` are in the order of the sequences, or without pooling in that
    of the rows of `values`.
    """
    packing = packing or packed()
    order = torch.from_numpy(packing.indices)
    if weights.architecture.pooling == "none":
        order = torch.from_numpy(packing.rows)
    x = values[packing.rows]
    x = x if x.is_floating_point() else x.int()
    return Batch(x, packing, target[order], weight[order], **options)


def loss_and_gradient(weights, values, loss, target, weight, packing=None, **options):
    """The summed loss of one batch and its gradient, of which every entry is written.

    The others are those of :func:`batch_of`, but for `workspace`.
    """
    workspace = options.pop("workspace", None) or network.Workspace(weights)
    workspace.gradient.flat.fill_(torch.nan)
    batch = batch_of(weights, values, target, weight, packing, **options)
    total = network.loss_and_gradient(weights, batch, loss, workspace)
    return torch.tensor(total, dtype=weights.flat.dtype), workspace.gradient


def with_nan_in_memory(workspace):
    """Fill the memory that a workspace uses again, and return it."""
    scratch = workspace.scratch
    scratch.take(25_000, 1)
    scratch.reset()  # now it has as much
    memory = scratch.take(25_000, 1)
    memory.fill(np.nan)
    scratch.reset()
    return memory


def slope_along(direction, weights, total_of, step=1e-6):
    """The slope of ``total_of()`` along a direction of the weights, by differences."""
    totals = []
    for sign in (1, -2):
        weights.flat.add_(direction, alpha=sign * step)
        totals.append(float(total_of()))
    weights.flat.add_(direction, alpha=step)
    return (totals[0] - totals[1]) / (2 * step)
