"""A layer as one Triton program per block of sequences, which walks all their steps.

cuDNN computes one step of all sequences after the other. Here, each program has 16
sequences in one direction and waits for no other program: it takes as many steps as
the longest of its sequences has, in the rows of the packed layout, without padding.

The states stay in registers. Their products with W read W chunk by chunk, from the
caches of the GPU: the W of an LSTM of 128 units, 256 KiB, is more than the registers
or the shared memory of a program can hold. A product needs all units of a state, which
are spread over threads; so a state is also written to memory before it is multiplied.

The rest are products over all rows: ``U x`` before the walk, and after the walk back
the gradients of U and W.

Blocks of columns, their order, and the equations are those of
:mod:`skrnn._core.cells`. Rows have a part for each direction: what has the shape
(n_rows, n_directions, n) is read as rows of n columns, of which row
``row * n_directions + direction`` is that of a direction.
"""

import torch
import triton
import triton.language as tl
from torch.autograd.function import once_differentiable

from skrnn._core.autograd import recurrence

# Maximum number of hidden units, each of which is a column of registers.
MAX_NHIDDEN = 128
# Number of sequences per program, and of rows of W per chunk: the least of a product.
_BLOCK = tl.constexpr(16)


def layer_for(architecture, weights, n_inputs):
    """Choose how a layer is computed.

    See :func:`skrnn._core.autograd.recurrence.layer_for`, which chooses for the layers
    that :class:`FusedLayer` lacks.
    """
    is_learned = architecture.recurrence == "learned"
    if is_learned and weights[0].W.shape[1] <= MAX_NHIDDEN:
        return FusedLayer(architecture)
    return recurrence.layer_for(architecture, weights, n_inputs)


class FusedLayer:
    """A layer of at most `MAX_NHIDDEN` hidden units: a walk there, and one back.

    Parameters
    ----------
    architecture : Architecture
    """

    def __init__(self, architecture):
        self._cell = architecture.make_cell()
        is_vanilla = architecture.cell == "rnn"
        self._name = architecture.activation if is_vanilla else architecture.cell

    def __call__(self, weights, x, rows, start, is_projected=False):
        """See :class:`skrnn._core.autograd.recurrence.TorchLayer`."""
        if not is_projected:
            x = x @ torch.cat([layer.U for layer in weights], dim=1)
        W, b = (torch.stack([getattr(of, name) for of in weights]) for name in "Wb")
        if start is None:
            shape = len(weights), self._cell.n_states, rows.n, W.shape[2]
            start = x.new_zeros(shape)
        else:
            start = torch.stack([torch.stack(list(of)) for of in start])
        H, end = _Walk.apply(self._name, self._cell, rows, x, W, b, start)
        return H, [list(of) for of in end]


class _Walk(torch.autograd.Function):
    """The states after each step, and after the last step of each sequence.

    Parameters
    ----------
    name : {"tanh", "relu", "identity", "gru", "lstm"}
    cell : Cell
    rows : Rows
    G : Tensor of shape (n_rows, n_directions * n_input_blocks * nhidden)
        ``U x``.
    W : Tensor of shape (n_directions, n_state_blocks * nhidden, nhidden)
    b : Tensor of shape (n_directions, n_blocks * nhidden)
    start : Tensor of shape (n_directions, n_states, n, nhidden)

    Returns
    -------
    H : Tensor of shape (n_rows, n_directions * nhidden)
    end : Tensor of shape (n_directions, n_states, n, nhidden)
    """

    @staticmethod
    def forward(context, name, cell, rows, G, W, b, start):
        n_directions, _, nhidden = W.shape
        shape = rows.n_rows, n_directions
        H = G.new_empty(*shape, nhidden)
        before = G.new_empty(*shape, cell.n_states * nhidden)
        # Of the vanilla cell, the way back needs no more than H.
        kept = H if cell.n_blocks == 1 else G.new_empty(*shape, b.shape[1])
        end = torch.empty_like(start)
        context.run = _Kernels(name, cell, rows, W)
        of = G.contiguous(), W.mT.contiguous(), b, start.contiguous()
        context.run(_forward, *of, before, kept, H, end)
        context.save_for_backward(W, before, kept)
        context.cell = cell
        return H.view(rows.n_rows, -1), end

    @staticmethod
    @once_differentiable
    def backward(context, dH, dend):
        W, before, kept = context.saved_tensors
        nhidden, cell = W.shape[2], context.cell
        n_rows, n_directions = before.shape[:2]
        dG = kept.new_empty(n_rows, n_directions, cell.n_blocks * nhidden)
        dstart = torch.empty_like(dend, memory_format=torch.contiguous_format)
        of = dH.contiguous(), dend.contiguous(), W.contiguous()
        context.run(_backward, *of, before, kept, dG, dstart)
        of_W = dG[:, :, : cell.n_state_blocks * nhidden].permute(1, 2, 0)
        dW = of_W @ before[:, :, :nhidden].transpose(0, 1)
        of_U = dG[:, :, -cell.n_input_blocks * nhidden :].flatten(1)
        return None, None, None, of_U, dW, dG.sum(0), dstart


class _Kernels:
    """What both kernels are told about a layer and its rows."""

    def __init__(self, name, cell, rows, W):
        self._rows = rows
        nhidden = W.shape[2]
        is_exact = not torch.backends.cuda.matmul.allow_tf32
        self._constants = {
            "CELL": name,
            "N": nhidden,
            "WIDTH": max(16, triton.next_power_of_2(nhidden)),
            "N_BLOCKS": cell.n_blocks,
            "N_PRODUCTS": cell.n_state_blocks,
            "N_STATES": cell.n_states,
            "PRECISION": "ieee" if is_exact else "tf32",
        }
        self._grid = triton.cdiv(rows.n, _BLOCK.value), len(W)

    def __call__(self, kernel, *tensors):
        rows = self._rows
        n_warps = 8 if self._constants["WIDTH"] > 64 else 4
        options = {"num_warps": n_warps, "enable_fp_fusion": True}
        with torch.cuda.device_of(tensors[0]):
            of = *tensors, rows.first, rows.lengths, rows.n
            kernel[self._grid](*of, **self._constants, **options)


@triton.jit
def _tanh(x):
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def _row(t, i, length, first):
    """Where step t of each sequence is, counted from its end in direction 1."""
    direction, n_directions = tl.program_id(1), tl.num_programs(1)
    step = tl.where(direction == 0, t, length - 1 - t)
    row = tl.load(first + step, t < length, 0) + i
    return row * n_directions + direction


@triton.jit
def _product(
    x,
    is_alive,
    W,
    n: tl.constexpr,
    n_columns: tl.constexpr,
    N: tl.constexpr,
    WIDTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """n columns of rows in memory, times the first N of n_columns columns of W."""
    j = tl.arange(0, WIDTH)
    total = tl.zeros((_BLOCK, WIDTH), W.dtype.element_ty)
    for first in range(0, n, _BLOCK):
        k = first + tl.arange(0, _BLOCK)
        here = is_alive[:, None] & (k < n)[None, :]
        of_x = tl.load(x[:, None] + k[None, :], here, 0.0)
        here = (k < n)[:, None] & (j < N)[None, :]
        of_W = tl.load(W + k[:, None] * n_columns + j[None, :], here, 0.0)
        total = tl.dot(of_x, of_W, total, input_precision=PRECISION)
    return total


@triton.jit
def _sum(
    block: tl.constexpr,
    g,
    W,
    b,
    h,
    is_alive,
    N: tl.constexpr,
    WIDTH: tl.constexpr,
    N_BLOCKS: tl.constexpr,
    N_PRODUCTS: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """A block of ``U x + b + W h``: U x is in the last blocks, W h in the first."""
    j = tl.arange(0, WIDTH)
    here = is_alive[:, None] & (j < N)[None, :]
    total = tl.load(b + block * N + j, j < N, 0.0)[None, :]
    of_g: tl.constexpr = block - (N_BLOCKS - N_PRODUCTS)
    if of_g >= 0:
        total += tl.load(g[:, None] + of_g * N + j[None, :], here, 0.0)
    if block < N_PRODUCTS:
        of_W = W + block * N
        total += _product(h, is_alive, of_W, N, N_PRODUCTS * N, N, WIDTH, PRECISION)
    return total


@triton.jit
def _forward(
    G,
    W,
    b,
    start,
    before,
    kept,
    H,
    end,
    first,
    lengths,
    n,
    CELL: tl.constexpr,
    N: tl.constexpr,
    WIDTH: tl.constexpr,
    N_BLOCKS: tl.constexpr,
    N_PRODUCTS: tl.constexpr,
    N_STATES: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Walk from the first step to the last; W is transposed."""
    direction = tl.program_id(1)
    i = tl.program_id(0) * _BLOCK + tl.arange(0, _BLOCK)
    j = tl.arange(0, WIDTH)
    columns, is_unit = j[None, :], (j < N)[None, :]
    length = tl.load(lengths + i, i < n, 0)
    W += direction * N * N_PRODUCTS * N
    b += direction * N_BLOCKS * N
    of_start = (direction * N_STATES * n + i)[:, None] * N + columns
    is_one = (i < n)[:, None] & is_unit
    h = tl.load(start + of_start, is_one, 0.0)
    c = h
    if N_STATES > 1:
        c = tl.load(start + n * N + of_start, is_one, 0.0)
    for t in range(tl.max(length)):
        row, is_alive = _row(t, i, length, first), t < length
        here = is_alive[:, None] & is_unit
        g, x = G + row * (N_PRODUCTS * N), before + row * (N_STATES * N)
        k = kept + row[:, None] * (N_BLOCKS * N) + columns
        tl.store(x[:, None] + columns, h, here)
        if N_STATES > 1:
            tl.store(x[:, None] + N + columns, c, here)
        tl.debug_barrier()
        if CELL == "gru":
            q = _sum(0, g, W, b, x, is_alive, N, WIDTH, N_BLOCKS, N_PRODUCTS, PRECISION)
            r = _sum(1, g, W, b, x, is_alive, N, WIDTH, N_BLOCKS, N_PRODUCTS, PRECISION)
            z = _sum(2, g, W, b, x, is_alive, N, WIDTH, N_BLOCKS, N_PRODUCTS, PRECISION)
            a = _sum(3, g, W, b, x, is_alive, N, WIDTH, N_BLOCKS, N_PRODUCTS, PRECISION)
            r, z = tl.sigmoid(r), tl.sigmoid(z)
            a = _tanh(a + r * q)
            tl.store(k, q, here)
            tl.store(k + N, r, here)
            tl.store(k + 2 * N, z, here)
            tl.store(k + 3 * N, a, here)
            h_t = a + z * (h - a)
        elif CELL == "lstm":
            o = _sum(0, g, W, b, x, is_alive, N, WIDTH, N_BLOCKS, N_PRODUCTS, PRECISION)
            i_ = _sum(
                1, g, W, b, x, is_alive, N, WIDTH, N_BLOCKS, N_PRODUCTS, PRECISION
            )
            f = _sum(2, g, W, b, x, is_alive, N, WIDTH, N_BLOCKS, N_PRODUCTS, PRECISION)
            a = _sum(3, g, W, b, x, is_alive, N, WIDTH, N_BLOCKS, N_PRODUCTS, PRECISION)
            o, i_, f, a = tl.sigmoid(o), tl.sigmoid(i_), tl.sigmoid(f), _tanh(a)
            tl.store(k, o, here)
            tl.store(k + N, i_, here)
            tl.store(k + 2 * N, f, here)
            tl.store(k + 3 * N, a, here)
            c = tl.where(here, f * c + i_ * a, c)
            h_t = o * _tanh(c)
        else:
            a = _sum(0, g, W, b, x, is_alive, N, WIDTH, N_BLOCKS, N_PRODUCTS, PRECISION)
            if CELL == "tanh":
                a = _tanh(a)
            elif CELL == "relu":
                a = tl.where(a < 0, 0.0, a)  # NaN stays NaN
            h_t = a
        h = tl.where(here, h_t, h)
        tl.store(H + row[:, None] * N + columns, h, here)
    tl.store(end + of_start, h, is_one)
    if N_STATES > 1:
        tl.store(end + n * N + of_start, c, is_one)


@triton.jit
def _backward(
    dH,
    dend,
    W,
    before,
    kept,
    dG,
    dstart,
    first,
    lengths,
    n,
    CELL: tl.constexpr,
    N: tl.constexpr,
    WIDTH: tl.constexpr,
    N_BLOCKS: tl.constexpr,
    N_PRODUCTS: tl.constexpr,
    N_STATES: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Walk from the last step to the first."""
    direction = tl.program_id(1)
    i = tl.program_id(0) * _BLOCK + tl.arange(0, _BLOCK)
    j = tl.arange(0, WIDTH)
    columns, is_unit = j[None, :], (j < N)[None, :]
    length = tl.load(lengths + i, i < n, 0)
    n_steps = tl.max(length)
    W += direction * N_PRODUCTS * N * N
    of_start = (direction * N_STATES * n + i)[:, None] * N + columns
    is_one = (i < n)[:, None] & is_unit
    dh = tl.load(dend + of_start, is_one, 0.0)
    dc = dh
    if N_STATES > 1:
        dc = tl.load(dend + n * N + of_start, is_one, 0.0)
    for t_after in range(n_steps):
        t = n_steps - 1 - t_after
        row, is_alive = _row(t, i, length, first), t < length
        here = is_alive[:, None] & is_unit
        g = dG + row * (N_BLOCKS * N)
        dg = g[:, None] + columns
        x = before + row[:, None] * (N_STATES * N) + columns
        k = kept + row[:, None] * (N_BLOCKS * N) + columns
        dh_t = dh + tl.load(dH + row[:, None] * N + columns, here, 0.0)
        through = tl.zeros_like(dh)  # what does not go through W h
        if CELL == "gru":
            h = tl.load(x, here, 0.0)
            q, r = tl.load(k, here, 0.0), tl.load(k + N, here, 0.0)
            z, a = tl.load(k + 2 * N, here, 0.0), tl.load(k + 3 * N, here, 0.0)
            da = dh_t * (1 - z) * (1 - a * a)
            tl.store(dg, da * r, here)
            tl.store(dg + N, da * q * r * (1 - r), here)
            tl.store(dg + 2 * N, dh_t * (h - a) * z * (1 - z), here)
            tl.store(dg + 3 * N, da, here)
            through = dh_t * z
        elif CELL == "lstm":
            c = tl.load(x + N, here, 0.0)
            o, i_ = tl.load(k, here, 0.0), tl.load(k + N, here, 0.0)
            f, a = tl.load(k + 2 * N, here, 0.0), tl.load(k + 3 * N, here, 0.0)
            tanh_c = _tanh(f * c + i_ * a)
            dc_t = dc + dh_t * o * (1 - tanh_c * tanh_c)
            tl.store(dg, dh_t * tanh_c * o * (1 - o), here)
            tl.store(dg + N, dc_t * a * i_ * (1 - i_), here)
            tl.store(dg + 2 * N, dc_t * c * f * (1 - f), here)
            tl.store(dg + 3 * N, dc_t * i_ * (1 - a * a), here)
            dc = tl.where(here, dc_t * f, dc)
        else:
            h = tl.load(k, here, 0.0)
            if CELL == "tanh":
                dh_t *= 1 - h * h
            elif CELL == "relu":
                dh_t = tl.where(h > 0, dh_t, 0.0)
            tl.store(dg, dh_t, here)
        tl.debug_barrier()
        through += _product(g, is_alive, W, N_PRODUCTS * N, N, N, WIDTH, PRECISION)
        dh = tl.where(here, through, dh)
    tl.store(dstart + of_start, dh, is_one)
    if N_STATES > 1:
        tl.store(dstart + n * N + of_start, dc, is_one)
