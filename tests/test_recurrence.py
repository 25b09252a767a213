"""One layer and its backward pass as autograd sees them."""

import numpy as np
import pytest
import torch
from networks import CELLS, LENGTHS, N_INPUTS, as_read, packed, random_inputs

from skrnn._core import recurrence, rows
from skrnn._core.cells import make_cell

CELL_OF = {
    name: make_cell(
        params["cell"],
        params.get("activation", "tanh"),
        params.get("recurrence", "learned"),
    )
    for name, params in CELLS.items()
}
N_SEQUENCES, NHIDDEN = len(LENGTHS), 3
every_cell = pytest.mark.parametrize("name", CELL_OF)
goes_on_or_not = pytest.mark.parametrize("goes_on", [False, True])
token_or_number = pytest.mark.parametrize("is_token", [False, True])


def new(n_rows, n_columns):
    """Memory that has to be written before it is read."""
    return np.full((n_rows, n_columns), np.nan)


class Layer:
    """One layer in one direction over the sequences of `networks`."""

    def __init__(self, name, is_token, goes_on):
        self.cell, self.packing = CELL_OF[name], packed()
        self.sizes, self.goes_on = self.packing.batch_sizes, goes_on
        x = as_read(random_inputs(is_token))[self.packing.rows]
        self.x, self.is_token = x.reshape(len(x), -1), is_token

    def random_weights(self):
        """U, W, b and the states before the first step, all random."""
        generator, cell = torch.Generator().manual_seed(0), self.cell
        shapes = [
            (N_INPUTS, cell.n_input_blocks * NHIDDEN),
            (cell.n_state_blocks * NHIDDEN if cell.has_W else 0, NHIDDEN),
            (cell.n_blocks * NHIDDEN,),
            *[(N_SEQUENCES, NHIDDEN)] * cell.n_states,
        ]
        return [
            torch.randn(shape, generator=generator, dtype=torch.float64)
            for shape in shapes
        ]

    def before(self, start):
        states = start if self.goes_on else [np.zeros((N_SEQUENCES, NHIDDEN))]
        return recurrence.padded(states, self.cell)

    def forward(self, U, W, b, *start):
        """G and what the cell keeps, of which the states come first."""
        G, W_T = new(len(self.x), len(b)), new(NHIDDEN, len(W))
        kept = tuple(new(len(self.x), NHIDDEN) for _ in range(self.cell.n_kept))
        rows.transpose(W, W_T)
        run = recurrence.forward_of(self.cell.forward, self.is_token)
        before = self.before(start)
        sizes, parents = self.sizes, recurrence.PACKED
        of_layer = U, W_T, b[np.newaxis]
        run(self.x, of_layer, before, self.goes_on, sizes, parents, G, kept)
        return G, kept

    def backward(self, arrays, G, kept, dstates, dH):
        """The gradients of U, W and b, and of the start in `dstates`."""
        U, W, b, *start = arrays
        before = self.before(start)
        run = recurrence.backward_of(self.cell.backward)
        run(G, W, before, self.goes_on, self.sizes, kept, dstates, dH)
        dU, dW, db = (np.full_like(array, np.nan) for array in (U, W, b))
        run = recurrence.gradients_of(self.is_token)
        memory = new(*dH.shape)
        gradient = dU, dW, db[np.newaxis]
        of_states = self.sizes, kept[0], memory
        run(self.x, G, before[0], self.goes_on, *of_states, gradient)
        return dU, dW, db


class Recurrence(torch.autograd.Function):
    """The hand-written pair: weights and start in, all states and the last h out."""

    @staticmethod
    def forward(ctx, layer, *tensors):
        arrays = [tensor.detach().numpy() for tensor in tensors]
        G, kept = layer.forward(*arrays)
        ctx.everything = layer, arrays, G, kept
        return torch.from_numpy(kept[0].copy())

    @staticmethod
    def backward(ctx, dH):
        layer, arrays, G, kept = ctx.everything
        # autograd may come twice; the backward pass overwrites what it needs
        G, kept = G.copy(), tuple(part.copy() for part in kept)
        dstates = tuple(
            np.zeros((N_SEQUENCES, NHIDDEN)) for _ in range(layer.cell.n_states)
        )
        dH = dH.contiguous().numpy()
        gradients = layer.backward(arrays, G, kept, dstates, dH)
        if layer.goes_on:
            gradients = (*gradients, *dstates)
        else:
            gradients = (*gradients, *[None] * len(dstates))
        return None, *(g if g is None else torch.from_numpy(g) for g in gradients)


@every_cell
@goes_on_or_not
@token_or_number
def test_gradcheck(name, goes_on, is_token):
    layer = Layer(name, is_token, goes_on)
    tensors = layer.random_weights()
    for tensor in tensors if goes_on else tensors[:3]:
        tensor.requires_grad_(tensor.numel() > 0)
    assert torch.autograd.gradcheck(
        lambda *each: Recurrence.apply(layer, *each), tensors
    )


@every_cell
@goes_on_or_not
@token_or_number
def test_a_gradient_of_the_last_states_is_one_of_the_steps_where_they_are(
    name, goes_on, is_token, rng
):
    layer = Layer(name, is_token, goes_on)
    arrays = [tensor.numpy() for tensor in layer.random_weights()]
    dlast = rng.normal(size=(N_SEQUENCES, NHIDDEN))
    sizes, last = layer.sizes, layer.packing.lengths - 1
    at = (np.cumsum(sizes) - sizes)[last] + np.arange(N_SEQUENCES)
    dH = np.zeros((len(layer.x), NHIDDEN))
    dH[at] = dlast
    results = []
    for outside, of_steps in ((dlast, dH[:0]), (np.zeros_like(dlast), dH)):
        G, kept = layer.forward(*arrays)
        others = [np.zeros_like(dlast) for _ in range(1, layer.cell.n_states)]
        dstates = (outside.copy(), *others)
        run = recurrence.backward_of(layer.cell.backward)
        before = layer.before(arrays[3:])
        run(G, arrays[1], before, goes_on, sizes, kept, dstates, of_steps)
        results.append([G, *(dstates if goes_on else ())])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@every_cell
@goes_on_or_not
def test_the_last_state_of_the_cell_has_a_gradient_too(name, goes_on):
    """For an LSTM, c: between windows, its gradient comes from the next one."""
    layer = Layer(name, True, goes_on)
    cell, arrays = layer.cell, [tensor.numpy() for tensor in layer.random_weights()]
    generator = np.random.default_rng(0)
    dlast = [
        generator.normal(size=(N_SEQUENCES, NHIDDEN)) for _ in range(cell.n_states)
    ]
    sizes, last = layer.sizes, layer.packing.lengths - 1
    at = (np.cumsum(sizes) - sizes)[last] + np.arange(N_SEQUENCES)

    def total():
        kept = layer.forward(*arrays)[1]
        pairs = zip(kept[: cell.n_states], dlast, strict=True)
        return sum((state[at] * d).sum() for state, d in pairs)

    G, kept = layer.forward(*arrays)
    dstates = tuple(part.copy() for part in dlast)
    gradients = layer.backward(arrays, G, kept, dstates, np.zeros((len(G), NHIDDEN)))
    gradients = [*gradients, *(dstates if goes_on else ())]
    for array, gradient in zip(arrays, gradients, strict=False):
        direction = generator.normal(size=array.shape)
        totals = []
        for sign in (1, -2):
            array += sign * 1e-6 * direction
            totals.append(total())
        array += 1e-6 * direction
        slope = (totals[0] - totals[1]) / 2e-6
        assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("n_columns", [1, 2, 5])
def test_several_tokens_of_a_step_are_summed(n_columns, rng):
    U, b, W_T = rng.normal(size=(7, 6)), rng.normal(size=(1, 9)), new(3, 0)
    x = rng.integers(0, 7, (11, n_columns), dtype=np.int32)
    G, kept, start = new(11, 9), (new(11, 9),), (np.zeros((11, 9)),)
    sizes = np.array([11])
    step = make_cell("rnn", "identity").forward
    run = recurrence.forward_of(step, True)
    parents = recurrence.PACKED
    run(x, (U, W_T, b), start, False, sizes, parents, G, kept)
    expected = np.tile(b, (11, 1))
    expected[:, 3:] += U[x].sum(axis=1)
    np.testing.assert_allclose(G, expected, rtol=1e-14, atol=1e-14)
    gradient = (np.full_like(U, np.nan), np.empty((0, 9)), np.full_like(b, np.nan))
    run = recurrence.gradients_of(True)
    run(x, G, start[0], False, sizes, kept[0], new(11, 0), gradient)
    expected = np.zeros_like(U)
    np.add.at(expected, x, G[:, np.newaxis, 3:])
    np.testing.assert_allclose(gradient[0], expected, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(gradient[2][0], G.sum(axis=0), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("is_token", [True, False])
def test_each_sequence_may_have_biases_of_its_own(is_token, rng):
    sizes, b = np.array([70, 70, 68, 1]), rng.normal(size=(75, 9))
    n, U = sizes.sum(), rng.normal(size=(7, 6))
    x = rng.normal(size=(n, 7))
    if is_token:
        x = rng.integers(0, 7, (n, 1), dtype=np.int32)
    G, kept, start = new(n, 9), (new(n, 9),), (np.zeros((70, 9)),)
    run = recurrence.forward_of(make_cell("rnn", "identity").forward, is_token)
    of_layer, parents = (U, new(9, 0), b), recurrence.PACKED
    run(x, of_layer, start, False, sizes, parents, G, kept)
    sequence = np.concatenate([np.arange(size) for size in sizes])
    H = b[sequence]
    H[:, 3:] += U[x[:, 0]] if is_token else x @ U
    for row in range(70, n):  # W is the identity
        H[row] += H[row - sizes[np.searchsorted(np.cumsum(sizes), row, "right") - 1]]
    np.testing.assert_allclose(kept[0], H, rtol=1e-12, atol=1e-12)
    gradient = (np.full_like(U, np.nan), np.empty((0, 9)), np.full_like(b, np.nan))
    run = recurrence.gradients_of(is_token)
    run(x, G, start[0], False, sizes, kept[0], new(n, 0), gradient)
    expected = np.zeros_like(b)
    np.add.at(expected, sequence, G)
    np.testing.assert_allclose(gradient[2], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "shape", [(1, 1), (3, 50), (50, 3), (16, 16), (33, 17), (0, 4)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transposed(shape, dtype, rng):
    W = rng.normal(size=shape).astype(dtype)
    W_T = np.full(shape[::-1], np.nan, dtype)
    rows.transpose(W, W_T)
    np.testing.assert_array_equal(W_T, W.T)


@pytest.mark.parametrize(
    "x",
    [
        [[0], [1], [0], [2]],
        [[3], [0], [5], [3]],
        [[2, 2], [0, 4]],
        np.zeros((0, 1)),
        np.arange(1000).reshape(500, 2) ** 2 % 7,
    ],
)
def test_gradients_of_tokens_in_any_order(x):
    """Whatever was in their memory, also of tokens that do not occur."""
    x = np.array(x, np.int32)
    G, dU = np.random.default_rng(0).normal(size=(len(x), 5)), np.full((7, 3), np.nan)
    H, no_states = np.zeros((len(x), 3)), np.empty((len(x), 0))
    run, gradient = recurrence.gradients_of(True), (dU, np.empty((0, 3)), new(1, 5))
    run(x, G, H, False, np.array([len(x)]), H, no_states, gradient)
    expected = np.zeros_like(dU)
    for k in range(x.shape[1]):
        np.add.at(expected, x[:, k], G[:, 2:])
    np.testing.assert_allclose(dU, expected, rtol=1e-12)
