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

from typing import Any, NamedTuple

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


class _Shape(NamedTuple):
    """What kernels are compiled for."""

    CELL: tl.constexpr
    N: tl.constexpr  # nhidden
    WIDTH: tl.constexpr  # the power of two that holds N columns
    N_BLOCKS: tl.constexpr
    N_PRODUCTS: tl.constexpr  # blocks that have U x, and blocks that have W h
    N_STATES: tl.constexpr
    PRECISION: tl.constexpr


class _Packed(NamedTuple):
    """Where the steps of n sequences are; see :class:`Rows`."""

    first: Any
    lengths: Any
    n: int


class _Weights(NamedTuple):
    """Those of a layer; W is transposed."""

    W: Any
    b: Any


class _Read(NamedTuple):
    """What the walk leaves for the way back, by row: states before, and the gates."""

    before: Any
    gates: Any


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
        H, end = G.new_empty(*shape, nhidden), torch.empty_like(start)
        # The only gate of the vanilla cell is h itself.
        gates = H if cell.n_blocks == 1 else G.new_empty(*shape, b.shape[1])
        read = _Read(G.new_empty(*shape, cell.n_states * nhidden), gates)
        context.launch = _Launch(name, cell, rows, W)
        weights = _Weights(W.mT.contiguous(), b.contiguous())
        context.launch(_forward, G.contiguous(), weights, start, read, H, end)
        context.save_for_backward(W, *read)
        context.cell = cell
        return H.view(rows.n_rows, -1), end

    @staticmethod
    @once_differentiable
    def backward(context, dH, dend):
        W, before, gates = context.saved_tensors
        nhidden, cell, dG = W.shape[2], context.cell, torch.empty_like(gates)
        dH, dend, W = dH.contiguous(), dend.contiguous(), W.contiguous()
        dstart = torch.empty_like(dend)
        read = _Read(before, gates)
        context.launch(_backward, dH, dend, W, read, dG, dstart)
        of_W = dG[:, :, : cell.n_state_blocks * nhidden].permute(1, 2, 0)
        dW = of_W @ before[:, :, :nhidden].transpose(0, 1)
        of_U = dG[:, :, -cell.n_input_blocks * nhidden :].flatten(1)
        return None, None, None, of_U, dW, dG.sum(0), dstart


class _Launch:
    """How kernels are launched for a layer and its rows."""

    def __init__(self, name, cell, rows, W):
        n_directions, _, nhidden = W.shape
        width = max(16, triton.next_power_of_2(nhidden))
        of_cell = cell.n_blocks, cell.n_state_blocks, cell.n_states
        shape = name, nhidden, width, *of_cell, _precision()
        self._shape = _Shape(*map(tl.constexpr, shape))
        self._rows = _Packed(rows.first, rows.lengths, rows.n)
        self._grid = triton.cdiv(rows.n, _BLOCK.value), n_directions
        self._n_warps = 8 if width > 64 else 4

    def __call__(self, kernel, *args):
        args = *args, self._rows, self._shape
        with torch.cuda.device_of(args[0]):
            kernel[self._grid](*args, num_warps=self._n_warps, enable_fp_fusion=True)


def _precision():
    """That of products: float32, unless torch may round the factors of its own."""
    matmul = torch.backends.cuda.matmul
    if hasattr(matmul, "fp32_precision"):  # else torch is older than 2.9
        return "tf32" if matmul.fp32_precision == "tf32" else "ieee"
    return "tf32" if matmul.allow_tf32 else "ieee"


@triton.jit
def _tanh(x):
    """To 1e-7 in float32, as sums of this size are; not to a share of small values."""
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def _step(sums, h, c, shape):
    """Take one step; see :mod:`skrnn._core.cells`.

    Returns the gates, which are what the way back needs of the sums, and h and c.
    """
    if shape.CELL == "gru":
        q, r, z, n = sums
        r, z = tl.sigmoid(r), tl.sigmoid(z)
        n = _tanh(n + r * q)
        return (q, r, z, n), n + z * (h - n), c
    elif shape.CELL == "lstm":
        o, i, f, g = sums
        o, i, f, g = tl.sigmoid(o), tl.sigmoid(i), tl.sigmoid(f), _tanh(g)
        c = f * c + i * g
        return (o, i, f, g), o * _tanh(c), c
    else:
        h = sums[0]
        if shape.CELL == "tanh":
            h = _tanh(h)
        elif shape.CELL == "relu":
            h = tl.where(h < 0, 0.0, h)  # NaN stays NaN
        return (h,), h, c


@triton.jit
def _step_back(gates, h, c, dh, dc, shape):
    """Take one step back, from the gates and the states before the step.

    Returns the gradient with respect to the sums, and those with respect to the states
    before the step, except for what goes through ``W h``.
    """
    if shape.CELL == "gru":
        q, r, z, n = gates
        dn = dh * (1 - z) * (1 - n * n)
        dr, dz = dn * q * r * (1 - r), dh * (h - n) * z * (1 - z)
        return (dn * r, dr, dz, dn), dh * z, dc
    elif shape.CELL == "lstm":
        o, i, f, g = gates
        tanh_c = _tanh(f * c + i * g)
        dc += dh * o * (1 - tanh_c * tanh_c)
        do, di = dh * tanh_c * o * (1 - o), dc * g * i * (1 - i)
        df, dg = dc * c * f * (1 - f), dc * i * (1 - g * g)
        return (do, di, df, dg), tl.zeros_like(dh), dc * f
    else:
        if shape.CELL == "tanh":
            dh *= 1 - gates[0] * gates[0]
        elif shape.CELL == "relu":
            dh = tl.where(gates[0] > 0, dh, 0.0)
        return (dh,), tl.zeros_like(dh), dc


@triton.jit
def _row(t, i, length, rows):
    """Where step t of each sequence is, counted from its end in direction 1."""
    direction, n_directions = tl.program_id(1), tl.num_programs(1)
    step = tl.where(direction == 0, t, length - 1 - t)
    row = tl.load(rows.first + step, t < length, 0) + i
    return row * n_directions + direction


@triton.jit
def _product(x, is_alive, W, n: tl.constexpr, n_columns: tl.constexpr, shape):
    """n columns of rows in memory, times the first N of n_columns columns of W."""
    j = tl.arange(0, shape.WIDTH)
    total = tl.zeros((_BLOCK, shape.WIDTH), W.dtype.element_ty)
    for start in range(0, n, _BLOCK):
        k = start + tl.arange(0, _BLOCK)
        here = is_alive[:, None] & (k < n)[None, :]
        of_x = tl.load(x[:, None] + k[None, :], here, 0.0)
        here = (k < n)[:, None] & (j < shape.N)[None, :]
        of_W = tl.load(W + k[:, None] * n_columns + j[None, :], here, 0.0)
        total = tl.dot(of_x, of_W, total, input_precision=shape.PRECISION)
    return total


@triton.jit
def _sum(block: tl.constexpr, g, h, is_alive, weights, shape):
    """A block of ``b + U x + W h``: W h is in the first blocks, U x in the last."""
    j = tl.arange(0, shape.WIDTH)
    is_unit = j < shape.N
    total = tl.load(weights.b + block * shape.N + j, is_unit, 0.0)[None, :]
    of_g: tl.constexpr = block - (shape.N_BLOCKS - shape.N_PRODUCTS)
    if of_g >= 0:
        here = is_alive[:, None] & is_unit[None, :]
        total += tl.load(g[:, None] + of_g * shape.N + j[None, :], here, 0.0)
    if block < shape.N_PRODUCTS:
        n_columns: tl.constexpr = shape.N_PRODUCTS * shape.N
        of_W = weights.W + block * shape.N
        total += _product(h, is_alive, of_W, shape.N, n_columns, shape)
    return total


@triton.jit
def _sums(g, h, is_alive, weights, shape):
    """All blocks, a tuple."""
    first = _sum(0, g, h, is_alive, weights, shape)
    if shape.N_BLOCKS == 1:
        return (first,)
    else:
        second = _sum(1, g, h, is_alive, weights, shape)
        third = _sum(2, g, h, is_alive, weights, shape)
        return first, second, third, _sum(3, g, h, is_alive, weights, shape)


@triton.jit
def _load(pointers, here, shape):
    """All blocks of rows, a tuple."""
    first = tl.load(pointers, here, 0.0)
    if shape.N_BLOCKS == 1:
        return (first,)
    else:
        second = tl.load(pointers + shape.N, here, 0.0)
        third = tl.load(pointers + 2 * shape.N, here, 0.0)
        return first, second, third, tl.load(pointers + 3 * shape.N, here, 0.0)


@triton.jit
def _load_states(pointers, n, here, shape):
    """h and c, which are n numbers apart; h twice, if there is no c."""
    h = tl.load(pointers, here, 0.0)
    c = h
    if shape.N_STATES > 1:
        c = tl.load(pointers + n, here, 0.0)
    return h, c


@triton.jit
def _store_states(pointers, n, h, c, here, shape):
    tl.store(pointers, h, here)
    if shape.N_STATES > 1:
        tl.store(pointers + n, c, here)


@triton.jit
def _forward(G, weights, start, read, H, end, rows, shape):
    """Walk from the first step to the last."""
    direction, N = tl.program_id(1), shape.N
    i = tl.program_id(0) * _BLOCK + tl.arange(0, _BLOCK)
    j = tl.arange(0, shape.WIDTH)[None, :]
    length = tl.load(rows.lengths + i, i < rows.n, 0)
    of_direction = _Weights(
        weights.W + direction * N * shape.N_PRODUCTS * N,
        weights.b + direction * shape.N_BLOCKS * N,
    )
    of_start = (direction * shape.N_STATES * rows.n + i)[:, None] * N + j
    is_one = (i < rows.n)[:, None] & (j < N)
    h, c = _load_states(start + of_start, rows.n * N, is_one, shape)
    for t in range(tl.max(length)):
        row, is_alive = _row(t, i, length, rows), t < length
        here = is_alive[:, None] & (j < N)
        before = read.before + row * (shape.N_STATES * N)
        _store_states(before[:, None] + j, N, h, c, here, shape)
        tl.debug_barrier()  # since other threads read these states
        g = G + row * (shape.N_PRODUCTS * N)
        sums = _sums(g, before, is_alive, of_direction, shape)
        gates, h_t, c_t = _step(sums, h, c, shape)
        of_gates = read.gates + row[:, None] * (shape.N_BLOCKS * N) + j
        for block in tl.static_range(shape.N_BLOCKS):
            tl.store(of_gates + block * N, gates[block], here)
        if shape.N_BLOCKS > 1:
            tl.store(H + row[:, None] * N + j, h_t, here)
        h, c = tl.where(here, h_t, h), tl.where(here, c_t, c)
    _store_states(end + of_start, rows.n * N, h, c, is_one, shape)


@triton.jit
def _backward(dH, dend, W, read, dG, dstart, rows, shape):
    """Walk from the last step to the first."""
    direction, N = tl.program_id(1), shape.N
    i = tl.program_id(0) * _BLOCK + tl.arange(0, _BLOCK)
    j = tl.arange(0, shape.WIDTH)[None, :]
    length = tl.load(rows.lengths + i, i < rows.n, 0)
    of_direction = W + direction * shape.N_PRODUCTS * N * N
    of_start = (direction * shape.N_STATES * rows.n + i)[:, None] * N + j
    is_one = (i < rows.n)[:, None] & (j < N)
    dh, dc = _load_states(dend + of_start, rows.n * N, is_one, shape)
    n_steps = tl.max(length)
    for n_taken in range(n_steps):
        t = n_steps - 1 - n_taken
        row, is_alive = _row(t, i, length, rows), t < length
        here = is_alive[:, None] & (j < N)
        before = read.before + row[:, None] * (shape.N_STATES * N) + j
        h, c = _load_states(before, N, here, shape)
        of_gates = row[:, None] * (shape.N_BLOCKS * N) + j
        gates = _load(read.gates + of_gates, here, shape)
        dh_t = dh + tl.load(dH + row[:, None] * N + j, here, 0.0)
        dsums, dh_t, dc_t = _step_back(gates, h, c, dh_t, dc, shape)
        for block in tl.static_range(shape.N_BLOCKS):
            tl.store(dG + of_gates + block * N, dsums[block], here)
        tl.debug_barrier()  # since other threads read these gradients
        g, n = dG + row * (shape.N_BLOCKS * N), shape.N_PRODUCTS * N
        dh_t += _product(g, is_alive, of_direction, n, N, shape)
        dh, dc = tl.where(here, dh_t, dh), tl.where(here, dc_t, dc)
    _store_states(dstart + of_start, rows.n * N, dh, dc, is_one, shape)
