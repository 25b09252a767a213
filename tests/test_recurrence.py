"""One layer and its backward pass as autograd sees them."""

import pytest
import torch
from networks import N_INPUTS, packed, random_inputs

from skrnn._core import recurrence
from skrnn._core.cells import make_cell
from skrnn._core.recurrence import Layer

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


def new(n_columns, n_rows=18):
    return torch.full((n_rows, n_columns), torch.nan, dtype=torch.float64)


class Recurrence(torch.autograd.Function):
    """The hand-written pair."""

    @staticmethod
    def forward(ctx, U, W, b, x, cell, packing, *initial):
        layer = Layer(U, W, b)
        sizes = packing.batch_sizes
        trace = recurrence.forward(cell, layer, x, sizes, new, initial)
        ctx.everything = cell, layer, trace, packing
        return trace.H.clone()

    @staticmethod
    def backward(ctx, dH):
        cell, layer, trace, packing = ctx.everything
        # autograd may come twice; the backward pass overwrites what it needs
        trace = recurrence.Trace(
            trace.x,
            trace.G.clone(),
            [kept.clone() for kept in trace.kept],
            trace.initial,
        )
        gradient = Layer(*(torch.full_like(t, torch.nan) for t in vars_of(layer)))
        dh = torch.zeros(5, NHIDDEN, dtype=torch.float64)
        recurrence.backward(cell, layer, gradient, trace, dh, dH, packing, new)
        dW = gradient.W if cell.has_W else None
        return gradient.U, dW, gradient.b, *[None] * (3 + len(trace.initial))


def vars_of(layer):
    return layer.U, layer.W, layer.b


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


@every_cell
def test_python_runs_the_same_lines_where_torch_cannot_compile_them(name, monkeypatch):
    cell, packing = CELLS[name], packed()
    *weights, initial = random_layer(cell)
    layer = Layer(*weights)
    x = random_inputs(True)
    results = []
    for is_plain in (False, True):
        if is_plain:
            for function in ("_forward", "_backward"):
                plain = getattr(recurrence, function).__wrapped__
                monkeypatch.setattr(recurrence, function, plain)
        sizes = packing.batch_sizes
        trace = recurrence.forward(cell, layer, x, sizes, new, initial)
        H = trace.H.clone()
        gradient = Layer(*(torch.full_like(t, torch.nan) for t in weights))
        dh = torch.ones(5, NHIDDEN, dtype=torch.float64)
        recurrence.backward(cell, layer, gradient, trace, dh, None, packing, new)
        results.append([H, *vars_of(gradient)])
    for compiled, plain in zip(*results, strict=True):
        assert torch.equal(compiled, plain)
