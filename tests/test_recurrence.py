"""The time loop and its backward pass as autograd sees them."""

import pytest
import torch
from networks import packed

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


class Recurrence(torch.autograd.Function):
    """The hand-written pair."""

    @staticmethod
    def forward(ctx, G, W, cell, packing, *initial):
        G = G.clone()

        def new(n_columns):
            return torch.full((len(G), n_columns), torch.nan, dtype=G.dtype)

        sizes = packing.batch_sizes
        kept = recurrence.forward(cell, G, sizes, W.T.contiguous(), new, initial)
        ctx.cell, ctx.packing, ctx.new, ctx.n_initial = cell, packing, new, len(initial)
        ctx.save_for_backward(G, W, *kept, *initial)
        return kept[0].clone()

    @staticmethod
    def backward(ctx, dH):
        G, W, *kept = (tensor.clone() for tensor in ctx.saved_tensors)
        cell, packing = ctx.cell, ctx.packing
        kept, initial = kept[: len(kept) - ctx.n_initial], kept[-ctx.n_initial :]
        initial = initial if ctx.n_initial else ()
        previous = recurrence.states_before(
            kept[: cell.n_states], packing, ctx.new, initial
        )
        kept = [G] if cell.n_kept == 0 else kept
        h_before = previous[0].clone()
        sizes = packing.batch_sizes
        dh = torch.zeros(sizes[0], dH.shape[1], dtype=dH.dtype)
        dG = recurrence.backward(cell, dh, dH, G, kept, previous, sizes, W, ctx.new)
        first, last = (block * dH.shape[1] for block in cell.from_state)
        dW = dG[:, first:last].T @ h_before if cell.has_W else None
        return dG, dW, None, None, *[None] * ctx.n_initial


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("goes_on", [False, True])
def test_gradcheck(name, goes_on):
    cell, packing = CELLS[name], packed()
    generator = torch.Generator().manual_seed(0)

    def randn(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    n = 3
    G = randn(len(packing.rows), cell.n_blocks * n).requires_grad_()
    n_state_blocks = cell.from_state[1] - cell.from_state[0]
    W = randn(n_state_blocks * n if cell.has_W else 0, n).requires_grad_(cell.has_W)
    initial = [randn(5, n) for _ in range(cell.n_states)] if goes_on else []
    assert torch.autograd.gradcheck(
        lambda G, W: Recurrence.apply(G, W, cell, packing, *initial), (G, W)
    )


@pytest.mark.parametrize("name", CELLS)
def test_python_runs_the_same_lines_where_torch_cannot_compile_them(name):
    cell, packing = CELLS[name], packed()
    generator = torch.Generator().manual_seed(0)
    G = torch.randn((18, cell.n_blocks * 3), generator=generator)
    n_state_blocks = cell.from_state[1] - cell.from_state[0]
    W = torch.randn(n_state_blocks * 3 if cell.has_W else 0, 3, generator=generator)
    results = []

    def new(n_columns):
        return torch.empty((18, n_columns))

    for forward, backward in [
        (recurrence._forward, recurrence._backward),
        (recurrence._forward.__wrapped__, recurrence._backward.__wrapped__),
    ]:
        ours = G.clone()
        kept = [new(3) for _ in range(cell.n_kept)]
        sizes, W_T = packing.batch_sizes, W.T.contiguous()
        forward(cell.kind, cell.n_states, ours, kept, sizes, W_T, [])
        states = (kept or [ours])[: cell.n_states]
        H = states[0].clone()
        previous = recurrence.states_before(states, packing, new)
        gradients = [torch.ones(5, 3) for _ in range(cell.n_states)]
        spare = [new(3), new(3)] if cell.n_kept else []
        dH = [torch.ones(18, 3)]
        backward(cell.kind, gradients, dH, ours, kept, previous, spare, sizes, W)
        results.append((H, ours))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
