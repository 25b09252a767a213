"""One layer and its backward pass as autograd sees them."""

import pytest
import torch
from networks import LENGTHS, N_INPUTS, packed, random_inputs

from skrnn._core import recurrence
from skrnn._core.cells import make_cell

CELLS = {
    "tanh": make_cell("rnn", "tanh"),
    "relu": make_cell("rnn", "relu"),
    "identity": make_cell("rnn", "identity"),
    "bag": make_cell("rnn", "identity", "identity"),
    "gru": make_cell("gru"),
    "lstm": make_cell("lstm"),
}
NHIDDEN = 3
every_cell = pytest.mark.parametrize("name", CELLS)


def new(n_columns, n_rows=None):
    n_rows = int(LENGTHS.sum()) if n_rows is None else n_rows
    return torch.full((n_rows, n_columns), torch.nan, dtype=torch.float64)


def forward(cell, weights, x, packing, initial):
    """The rows of the cell and what it keeps, of which the states come first."""
    _, W, b = weights
    G, kept = new(len(b)), [new(NHIDDEN) for _ in range(cell.n_kept)]
    W_T = new(len(W), NHIDDEN)
    recurrence.forward(
        cell.kind,
        cell.n_states,
        x,
        list(weights),
        W_T,
        G,
        kept,
        list(initial),
        packing.batch_sizes,
    )
    return G, kept


def backward(cell, weights, x, packing, initial, G, kept, dh, dH):
    """The gradients of U, W and b; G and what was kept are overwritten."""
    gradient = [torch.full_like(tensor, torch.nan) for tensor in weights]
    recurrence.backward(
        cell.kind,
        [dh, *(torch.zeros_like(dh) for _ in range(1, cell.n_states))],
        dH,
        x,
        gradient,
        weights[1],
        G,
        kept,
        list(initial),
        [new(NHIDDEN) for _ in range(cell.n_states)],
        [new(NHIDDEN) for _ in range(2)],
        packing.batch_sizes,
        packing.previous,
        False,
    )
    return gradient


class Recurrence(torch.autograd.Function):
    """The hand-written pair."""

    @staticmethod
    def forward(ctx, U, W, b, x, cell, packing, *initial):
        G, kept = forward(cell, (U, W, b), x, packing, initial)
        ctx.everything = cell, (U, W, b), x, packing, initial, G, kept
        return (kept[0] if kept else G).clone()

    @staticmethod
    def backward(ctx, dH):
        *everything, G, kept = ctx.everything
        # autograd may come twice; the backward pass overwrites what it needs
        G, kept = G.clone(), [part.clone() for part in kept]
        dh = torch.zeros(len(LENGTHS), NHIDDEN, dtype=torch.float64)
        dU, dW, db = backward(*everything, G, kept, dh, [dH])
        cell, initial = everything[0], everything[4]
        return dU, dW if cell.has_W else None, db, *[None] * (3 + len(initial))


def random_layer(cell):
    generator = torch.Generator().manual_seed(0)

    def randn(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    U = randn(N_INPUTS, cell.n_input_blocks * NHIDDEN)
    W = randn(cell.n_state_blocks * NHIDDEN if cell.has_W else 0, NHIDDEN)
    b = randn(cell.n_blocks * NHIDDEN)
    initial = [randn(5, NHIDDEN) for _ in range(cell.n_states)]
    return U, W, b, initial


@every_cell
@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("is_token", [False, True])
def test_gradcheck(name, goes_on, is_token):
    cell, packing = CELLS[name], packed()
    *weights, initial = random_layer(cell)
    U, W, b = (tensor.requires_grad_(tensor.numel() > 0) for tensor in weights)
    x = random_inputs(is_token)
    initial = initial if goes_on else []
    assert torch.autograd.gradcheck(
        lambda U, W, b: Recurrence.apply(U, W, b, x, cell, packing, *initial), (U, W, b)
    )
