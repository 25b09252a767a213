"""Convolutions before the recurrence; see :mod:`skrnn._core.front`."""

import numpy as np
import torch
from torch.nn import functional as F

from skrnn._core.autograd.rows import Rows
from skrnn._core.autograd.segments import largest, segments
from skrnn._core.execution import Execution
from skrnn._core.front import strided


def through_filters(weights, x, packing):
    """What the recurrence reads, and its packing.

    Parameters
    ----------
    weights : Weights
    x : Tensor of shape (n_rows, n_inputs)
        In packed order.
    packing : Packing

    Returns
    -------
    x : Tensor of shape (n_rows_out, n_filters)
    packing : Packing
    pooled : Tensor of shape (n, n_features_of_filters)
        Of sequences that have steps.
    """
    rows = Rows(packing, x)
    architecture, pools = weights.architecture, []
    x = x[rows.by_sequence]
    for filters, sizes, stride in zip(
        weights.filters, architecture.kernel_sizes, architecture.strides, strict=True
    ):
        z = torch.relu(_convolved(x, rows, filters, sizes))
        pools += [segments("mean", z, rows.lengths), largest(z, rows)]
        x = z
        if stride > 1:
            runs = Execution.of(x).tensor(_runs(packing.lengths, stride))
            packing = strided(packing, stride)
            x, rows = segments("mean", z, runs), Rows(packing, x)
    return x.index_select(0, rows.places), packing, torch.cat(pools, dim=1)


def _runs(lengths, stride):
    """The number of steps of each run, which is less at the ends of sequences."""
    n_runs = -(-lengths // stride)
    runs = np.full(n_runs.sum(), stride)
    runs[np.cumsum(n_runs) - 1] -= n_runs * stride - lengths
    return runs


def _convolved(x, rows, filters, sizes):
    """``window F + f`` of each step, of sequences that lie one after the other."""
    margin, n_inputs = max(size // 2 for size in sizes), x.shape[1]
    sequences = rows.sequences[rows.by_sequence]
    at = torch.arange(len(x), device=x.device) + margin * sequences
    n = len(x) + margin * rows.n
    # With zeros between sequences, they are one.
    apart = x.new_zeros(n, n_inputs).index_copy(0, at, x).T
    parts = []
    for size, (weights, f) in zip(sizes, filters, strict=True):
        kernels = weights.view(size, n_inputs, -1).permute(2, 1, 0)
        margins = size // 2, size - 1 - size // 2
        parts.append(F.conv1d(F.pad(apart, margins), kernels, f))
    return torch.cat(parts).T.index_select(0, at)
