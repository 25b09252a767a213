"""The vanilla cell [1]_.

    h_t = activation(U x_t + b + W h_{t-1}),   W = I for recurrence="identity"

References
----------
.. [1] Elman (1990), "Finding Structure in Time", Cognitive Science 14(2).
"""

from skrnn._core import rows
from skrnn._core.cells import Cell
from skrnn._core.compiled import compiled
from skrnn._core.elementwise import tanh


@compiled
def _forward_tanh(G, row, before, i, kept):
    g, h = G[row], kept[0][row]
    for j in range(len(h)):
        h[j] = tanh(g[j])


@compiled
def _backward_tanh(G, row, before, i, kept, dstates, at):
    g, h, dh = G[row], kept[0][row], dstates[0][at]
    for j in range(len(h)):
        g[j] = dh[j] - dh[j] * h[j] * h[j]
        dh[j] = 0


@compiled
def _forward_relu(G, row, before, i, kept):
    g, h = G[row], kept[0][row]
    zero = h.dtype.type(0)  # 0 and a float32 would be float64 together
    for j in range(len(h)):
        h[j] = zero if g[j] < zero else g[j]  # NaN stays NaN


@compiled
def _backward_relu(G, row, before, i, kept, dstates, at):
    g, h, dh = G[row], kept[0][row], dstates[0][at]
    zero = h.dtype.type(0)
    for j in range(len(h)):
        g[j] = dh[j] if h[j] > zero else zero
        dh[j] = zero


@compiled
def _forward_identity(G, row, before, i, kept):
    rows.copy(G[row], kept[0][row])


@compiled
def _backward_identity(G, row, before, i, kept, dstates, at):
    rows.copy(dstates[0][at], G[row])
    rows.clear(dstates[0][at])


_STEPS = {
    "tanh": (_forward_tanh, _backward_tanh),
    "relu": (_forward_relu, _backward_relu),
    "identity": (_forward_identity, _backward_identity),
}


def make(activation, recurrence):
    """Make the cell."""
    return Cell(*_STEPS[activation], has_W=recurrence == "learned")
