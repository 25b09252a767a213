"""The gated recurrent unit, as in torch.nn.GRU and cuDNN [1]_.

    r_t = sigmoid(U_r x_t + b_r + W_r h_{t-1})
    z_t = sigmoid(U_z x_t + b_z + W_z h_{t-1})
    q_t = W_n h_{t-1} + b_q
    n_t = tanh(U_n x_t + b_n + r_t * q_t)
    h_t = (1 - z_t) * n_t + z_t * h_{t-1}

The blocks of G are q, r, z, n.

References
----------
.. [1] Cho et al. (2014), "Learning Phrase Representations using RNN Encoder-Decoder for
   Statistical Machine Translation", EMNLP; with the reset gate applied after the
   product, as in the first version of the paper.
"""

from skrnn._core.cells import Cell
from skrnn._core.compiled import compiled
from skrnn._core.elementwise import sigmoid, tanh


@compiled
def forward(G, row, before, i, kept):
    """Take one step; see :mod:`skrnn._core.cells`."""
    h_before, h = before[0][i], kept[0][row]
    width = len(h)
    q, r, z, n = _blocks(G[row], width)
    for j in range(width):
        r[j] = sigmoid(r[j])
        z[j] = sigmoid(z[j])
        n[j] = tanh(n[j] + r[j] * q[j])
        h[j] = n[j] + z[j] * (h_before[j] - n[j])


@compiled
def backward(G, row, before, i, kept, dstates, at):
    """Take one step back; see :mod:`skrnn._core.cells`."""
    h_before, dh = before[0][i], dstates[0][at]
    width = len(dh)
    q, r, z, n = _blocks(G[row], width)
    for j in range(width):
        dz = dh[j] * (h_before[j] - n[j])
        dn = dh[j] - dh[j] * z[j]  # with respect to the output of tanh, then its input
        dn = dn - dn * n[j] * n[j]
        dr = dn * q[j]
        dh[j] = dh[j] * z[j]
        n[j] = dn
        q[j] = dn * r[j]
        r[j] = dr * (r[j] - r[j] * r[j])
        z[j] = dz * (z[j] - z[j] * z[j])


@compiled
def _blocks(g, width):
    return g[:width], g[width : 2 * width], g[2 * width : 3 * width], g[3 * width :]


_CELL = Cell(
    forward,
    backward,
    n_blocks=4,
    n_state_blocks=3,
    n_input_blocks=3,
    # U is in the order r, z, n in both, W in the order n, r, z here; torch.nn has two
    # biases for n.
    torch_order=(("U", (0, 1, 2)), ("W", (1, 2, 0)), ("b", (1, 2, 3, 0))),
)


def make(activation, recurrence):
    """Return the cell; it has no other activation or recurrence."""
    return _CELL
