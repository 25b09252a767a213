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
    kept = [new(W_T.shape[0]) for _ in range(cell.n_kept)]
    _forward(cell.kind, cell.n_states, G, kept, batch_sizes, W_T, list(initial))
    return kept or [G]


def backward(cell, dh, dH, G, kept, previous, batch_sizes, W, new):
    """Gradients with respect to G: backpropagation through time [1]_.

    Parameters
    ----------
    cell : Cell
    dh : Tensor of shape (n_sequences, nhidden)
        Gradient of the loss with respect to the last h of each sequence, from outside
        the recurrence. Overwritten.
    dH : Tensor of shape (n_rows, nhidden) or None
        The same with respect to the h of all steps, to be added; None for 0.
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
    n = dh.shape[1]
    gradients = [dh, *(torch.zeros_like(dh) for _ in range(1, cell.n_states))]
    if cell.n_kept == 0:
        kept, spare = [], []
    else:
        spare = [new(n), new(n)]
    dH = [] if dH is None else [dH]
    _backward(cell.kind, gradients, dH, G, kept, previous, spare, batch_sizes, W)
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
    # All views are made in one call a tensor: a slice in the loop costs as much as a
    # small product.
    rows = G.split(batch_sizes)
    parts = [tensor.split(batch_sizes) for tensor in kept]
    states = kept[:n_states] if len(kept) > 0 else [G]
    before = [_rows_that_go_on(state, batch_sizes) for state in states]
    previous = initial
    for t in range(len(batch_sizes)):
        cells.step(kind, rows[t], [part[t] for part in parts], previous, W_T)
        if t + 1 < len(batch_sizes):
            previous = [part[2 * t] for part in before]


def _rows_that_go_on(rows: Tensor, batch_sizes: list[int]):
    """Of each step, the rows of the sequences that have a next step, then the others.

    Those of the last step are not parted.
    """
    sizes: list[int] = []
    for t in range(len(batch_sizes) - 1):
        sizes.append(batch_sizes[t + 1])
        sizes.append(batch_sizes[t] - batch_sizes[t + 1])
    sizes.append(batch_sizes[-1])
    return rows.split(sizes)


@compiled
def _backward(
    kind: str,
    gradients: list[Tensor],
    dH: list[Tensor],
    G: Tensor,
    kept: list[Tensor],
    previous: list[Tensor],
    spare: list[Tensor],
    batch_sizes: list[int],
    W: Tensor,
):
    cells.start_backward(kind, G, kept, previous, spare)
    rows = G.split(batch_sizes)
    needed = [tensor.split(batch_sizes) for tensor in spare[:1] + kept[-1:]]
    outside = [tensor.split(batch_sizes) for tensor in dH]
    for t in range(len(batch_sizes) - 1, -1, -1):
        # The sequences alive, which are the first ones. Those that end here have not
        # been touched yet.
        here = [gradient[: batch_sizes[t]] for gradient in gradients]
        for part in outside:
            here[0].add_(part[t])
        cells.step_backward(kind, rows[t], [part[t] for part in needed], here, W)
