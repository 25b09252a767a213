"""Long short-term memory, as in torch.nn.LSTM [1]_ [2]_.

    i_t, f_t, o_t = sigmoid(U_. x_t + b_. + W_. h_{t-1}),  each with its own weights
    g_t = tanh(U_g x_t + b_g + W_g h_{t-1})
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(c_t)

The blocks of G are o, i, f, g. The arrays kept are h, c and tanh(c).

References
----------
.. [1] Hochreiter and Schmidhuber (1997), "Long Short-Term Memory", Neural Computation
   9(8).
.. [2] Gers, Schmidhuber and Cummins (2000), "Learning to Forget: Continual Prediction
   with LSTM", Neural Computation 12(10).
"""

from skrnn._core.cells import Cell
from skrnn._core.compiled import compiled
from skrnn._core.elementwise import sigmoid, tanh


@compiled
def forward(G, row, before, i, kept):
    """Take one step; see :mod:`skrnn._core.cells`."""
    c_before = before[1][i]
    h, c, tanh_c = kept[0][row], kept[1][row], kept[2][row]
    width = len(h)
    o, i_, f, g = _blocks(G[row], width)
    for j in range(width):
        o[j] = sigmoid(o[j])
        i_[j] = sigmoid(i_[j])
        f[j] = sigmoid(f[j])
        g[j] = tanh(g[j])
        c[j] = f[j] * c_before[j] + i_[j] * g[j]
        tanh_c[j] = tanh(c[j])
        h[j] = o[j] * tanh_c[j]


@compiled
def backward(G, row, before, i, kept, dstates, at):
    """Take one step back; see :mod:`skrnn._core.cells`."""
    c_before, tanh_c = before[1][i], kept[2][row]
    dh, dc = dstates[0][at], dstates[1][at]
    width = len(dh)
    o, i_, f, g = _blocks(G[row], width)
    for j in range(width):
        do = dh[j] * tanh_c[j]
        through_h = dh[j] * o[j]
        dc_here = dc[j] + through_h - through_h * tanh_c[j] * tanh_c[j]
        di = dc_here * g[j]
        df = dc_here * c_before[j]
        dg = dc_here * i_[j]
        dc[j] = dc_here * f[j]
        dh[j] = 0
        o[j] = do * (o[j] - o[j] * o[j])
        i_[j] = di * (i_[j] - i_[j] * i_[j])
        f[j] = df * (f[j] - f[j] * f[j])
        g[j] = dg - dg * g[j] * g[j]


@compiled
def _blocks(g, width):
    return g[:width], g[width : 2 * width], g[2 * width : 3 * width], g[3 * width :]


_CELL = Cell(
    forward,
    backward,
    n_blocks=4,
    n_state_blocks=4,
    n_input_blocks=4,
    n_states=2,
    n_kept=3,
    torch_order=tuple((weight, (1, 2, 3, 0)) for weight in "UWb"),
    forget_block=2,
)


def make(activation, recurrence):
    """Return the cell; it has no other activation or recurrence."""
    return _CELL
