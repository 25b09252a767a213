"""The time loop of a cell over packed rows, and backpropagation through it.

Rows are in packed order (see :class:`skrnn._core.packing.Packing`): the rows alive at a
step are one contiguous slice, and the sequences that go on are its first rows.
"""

import torch
from torch import Tensor

from skrnn._core import cells
from skrnn._core.compiled import compiled


def forward(cell, G, batch_sizes, W_T, new, initial=()):
    """States of every step.

    Parameters
    ----------
    cell : Cell
    G : Tensor of shape (n_rows, cell.n_blocks * nhidden)
        What the input and the biases add. Overwritten.
    batch_sizes : list of int, length n_steps, decreasing
        Sequences alive at each step.
    W_T : Tensor of shape (nhidden, n_state_blocks * nhidden)
        The transpose of W.
    new : callable
        ``new(n_columns)`` gives memory of shape (n_rows, n_columns).
    initial : sequence of Tensors of shape (n_sequences, nhidden), default=()
        The states before the first step; empty for states of 0.

    Returns
    -------
    kept : list of Tensors of shape (n_rows, nhidden)
        The states, h first; then what else the cell keeps for its backward pass.

    Notes
    -----
    Time O(n_rows nhidden^2).
    """
    kept = cell.memory(G, new)
    _forward(cell.kind, cell.n_states, G, kept, batch_sizes, W_T, list(initial))
    return kept


def backward(cell, dH, G, kept, previous, batch_sizes, W, new):
    """Gradients with respect to G: backpropagation through time [1]_.

    Parameters
    ----------
    cell : Cell
    dH : Tensor of shape (n_rows, nhidden)
        Gradient of the loss with respect to each h, from outside the recurrence.
        Overwritten.
    G, kept
        As :func:`forward` left them. Overwritten.
    previous : list of Tensors of shape (n_rows, nhidden)
        The states before each row.
    batch_sizes : list of int, length n_steps, decreasing
    W : Tensor of shape (n_state_blocks * nhidden, nhidden)
    new : callable
        As in :func:`forward`.

    Returns
    -------
    dG : Tensor of shape (n_rows, cell.n_blocks * nhidden)
        The memory of `G`.

    References
    ----------
    .. [1] Werbos (1990), "Backpropagation through time: what it does and how to do
       it", Proceedings of the IEEE 78(10), 1550-1560.
    """
    n = dH.shape[1]
    gradients = [dH, *(new(n).zero_() for _ in range(1, cell.n_states))]
    # Only cells with gates need memory here.
    spare = [new(n), new(n)] if cell.n_blocks > 1 else [dH, dH]
    _backward(cell.kind, gradients, G, kept, previous, spare, batch_sizes, W)
    return G


def states_before(states, packing, new, initial=()):
    """The states before each packed row.

    Returns
    -------
    previous : list of Tensors of shape (n_rows, nhidden)
        The first rows, those of step 0, are `initial` or 0.
    """
    n_sequences = packing.batch_sizes[0]
    previous = []
    for i, state in enumerate(states):
        rows = new(state.shape[1])
        if initial:
            rows[:n_sequences] = initial[i]
        else:
            rows[:n_sequences].zero_()
        torch.index_select(state, 0, packing.previous, out=rows[n_sequences:])
        previous.append(rows)
    return previous


@compiled
def _forward(
    kind: str,
    n_states: int,
    G: Tensor,
    kept: list[Tensor],
    batch_sizes: list[int],
    W_T: Tensor,
    initial: list[Tensor],
):
    rows = G.split(batch_sizes)
    parts = [tensor.split(batch_sizes) for tensor in kept]
    previous = initial
    for t in range(len(batch_sizes)):
        here = [part[t] for part in parts]
        cells.step(kind, rows[t], here, previous, W_T)
        if t + 1 < len(batch_sizes):
            n = batch_sizes[t + 1]
            previous = [state[:n] for state in here[:n_states]]


@compiled
def _backward(
    kind: str,
    gradients: list[Tensor],
    G: Tensor,
    kept: list[Tensor],
    previous: list[Tensor],
    spare: list[Tensor],
    batch_sizes: list[int],
    W: Tensor,
):
    cells.start_backward(kind, G, kept, previous, spare)
    rows = G.split(batch_sizes)
    keep = spare[0].split(batch_sizes)
    last = kept[-1].split(batch_sizes)
    parts = [tensor.split(batch_sizes) for tensor in gradients]
    before = [gradients[0]]
    for t in range(len(batch_sizes) - 1, -1, -1):
        here = [part[t] for part in parts]
        if t > 0:
            n = batch_sizes[t]
            before = [part[t - 1][:n] for part in parts]
        else:
            before = before[:0]
        cells.step_backward(kind, rows[t], keep[t], last[t], here, before, W)
