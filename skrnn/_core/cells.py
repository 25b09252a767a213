"""The cells: one step forward, from an input and the previous states, and one back.

A cell works in place on `G`, which has one row for each step of each sequence and
`n_blocks` blocks of nhidden columns. Before a step, all blocks of its rows hold the
biases, and the last blocks also ``U x_t``; the cell adds ``W h_{t-1}`` to the first
blocks and leaves in G what its backward pass needs. The blocks are ordered so that
each product and each activation is one operation; `torch_order` maps them to the order
of torch.nn, which is also that of the public weights.

The functions are written for :func:`skrnn._core.compiled.compiled`, which supports
only the types in their annotations. ``torch.ops.aten.tanh_backward(d, y)`` computes
``d * (1 - y * y)``, and ``torch.ops.aten.sigmoid_backward(d, y)`` computes
``d * y * (1 - y)``, each in one pass over memory.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import torch
from torch import Tensor

# The names that users may pass; activations and recurrences are for the cell "rnn".
CellName = Literal["rnn", "gru", "lstm"]
ActivationName = Literal["tanh", "relu", "identity"]
RecurrenceName = Literal["learned", "identity"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What the rest of the network needs to know about a cell.

    Attributes
    ----------
    kind : str
        The name by which the functions of this module identify the cell.
    n_blocks : int
        Number of blocks of nhidden columns in G.
    n_state_blocks, n_input_blocks : int
        Number of first blocks to which ``W h_{t-1}`` is added, and number of last
        blocks to which ``U x_t`` is added.
    n_states : int
        1 for h alone; 2 for h and c.
    n_kept : int
        Number of tensors of nhidden columns that the forward pass writes in addition to
        G, the states first; 0 if h overwrites its row of G.
    torch_order : tuple of (name, tuple of int)
        For U, W and b, the indices of our blocks in the order of torch.nn.
    has_W : bool
        False if W is the identity and not a weight.
    forget_block : int or None
        The index of the block of the forget gate.
    """

    kind: str
    n_blocks: int = 1
    n_state_blocks: int = 1
    n_input_blocks: int = 1
    n_states: int = 1
    n_kept: int = 0
    torch_order: tuple = (("U", (0,)), ("W", (0,)), ("b", (0,)))
    has_W: bool = True
    forget_block: int | None = None


@cache
def make_cell(name, activation="tanh", recurrence="learned"):
    """Make a cell from the values of the public parameters.

    "rnn", the vanilla cell [1]_:

        h_t = activation(U x_t + b + W h_{t-1}),   W = I for recurrence="identity"

    "gru", as in torch.nn.GRU and cuDNN [2]_, with blocks q, r, z, n:

        r_t = sigmoid(U_r x_t + b_r + W_r h_{t-1})
        z_t = sigmoid(U_z x_t + b_z + W_z h_{t-1})
        q_t = W_n h_{t-1} + b_q
        n_t = tanh(U_n x_t + b_n + r_t * q_t)
        h_t = (1 - z_t) * n_t + z_t * h_{t-1}

    "lstm", as in torch.nn.LSTM [3]_ [4]_, with blocks o, i, f, g:

        i_t, f_t, o_t = sigmoid(U_. x_t + b_. + W_. h_{t-1}),  each with its own weights
        g_t = tanh(U_g x_t + b_g + W_g h_{t-1})
        c_t = f_t * c_{t-1} + i_t * g_t
        h_t = o_t * tanh(c_t)

    References
    ----------
    .. [1] Elman (1990), "Finding Structure in Time", Cognitive Science 14(2).
    .. [2] Cho et al. (2014), "Learning Phrase Representations using RNN
       Encoder-Decoder for Statistical Machine Translation", EMNLP; with the reset gate
       applied after the product, as in the first version of the paper.
    .. [3] Hochreiter and Schmidhuber (1997), "Long Short-Term Memory", Neural
       Computation 9(8).
    .. [4] Gers, Schmidhuber and Cummins (2000), "Learning to Forget: Continual
       Prediction with LSTM", Neural Computation 12(10).
    """
    if name == "gru":
        # U is in the order r, z, n in both, W in the order n, r, z here; torch.nn has
        # two biases for n.
        order = (("U", (0, 1, 2)), ("W", (1, 2, 0)), ("b", (1, 2, 3, 0)))
        return Cell("gru", 4, 3, 3, 1, 1, order)
    if name == "lstm":
        order = tuple((weight, (1, 2, 3, 0)) for weight in "UWb")
        return Cell("lstm", 4, 4, 4, 2, 3, order, forget_block=2)
    activations, recurrences = get_args(ActivationName), get_args(RecurrenceName)
    if name == "rnn" and activation in activations and recurrence in recurrences:
        return Cell(activation, has_W=recurrence == "learned")
    raise ValueError(
        f"There is no cell {name!r} with activation {activation!r} and recurrence "
        f"{recurrence!r}."
    )


def step(
    kind: str,
    G: Tensor,
    kept: list[Tensor],
    previous: list[Tensor],
    W_T: Tensor,
):
    """Take one step forward.

    Parameters
    ----------
    kind : str
    G : Tensor of shape (n_sequences, n_blocks * nhidden)
        The rows of this step. Overwritten.
    kept : list of Tensors of shape (n_sequences, nhidden)
        The rows of this step of the tensors that the cell keeps. Written. Empty for the
        vanilla cell, whose h overwrites G.
    previous : list of Tensors of shape (n_sequences, nhidden)
        The states before this step; empty if all are 0.
    W_T : Tensor of shape (nhidden, n_state_blocks * nhidden)
        The transpose of W, without columns if W is the identity. Products are fastest
        if it is contiguous.
    """
    if kind == "gru":
        _gru_step(G, kept[0], previous, W_T)
    elif kind == "lstm":
        _lstm_step(G, kept[0], kept[1], kept[2], previous, W_T)
    elif kind == "tanh" or kind == "relu" or kind == "identity":
        if len(previous) > 0:
            add_state(G, previous[0], W_T)
        activate(kind == "tanh", kind == "relu", G)
    else:
        raise ValueError("There is no cell of this kind.")


def add_state(G: Tensor, h: Tensor, W_T: Tensor):
    """Add ``W h`` to the rows of a vanilla cell."""
    if W_T.shape[1] > 0:
        G.addmm_(h, W_T)
    else:
        G.add_(h)


def activate(is_tanh: bool, is_relu: bool, G: Tensor):
    """Apply the activation of a vanilla cell."""
    if is_tanh:
        torch.tanh_(G)
    elif is_relu:
        torch.relu_(G)


def _gru_step(G: Tensor, h: Tensor, previous: list[Tensor], W_T: Tensor):
    width = h.shape[1]
    blocks = G.split(width, 1)
    q, r, z, n = blocks[0], blocks[1], blocks[2], blocks[3]
    if len(previous) > 0:
        G[:, : 3 * width].addmm_(previous[0], W_T)
    torch.sigmoid_(G[:, width : 3 * width])
    torch.tanh_(n.addcmul_(r, q))
    if len(previous) > 0:
        torch.lerp(n, previous[0], z, out=h)
    else:
        torch.addcmul(n, n, z, value=-1.0, out=h)


def _lstm_step(
    G: Tensor, h: Tensor, c: Tensor, tanh_c: Tensor, previous: list[Tensor], W_T: Tensor
):
    width = h.shape[1]
    blocks = G.split(width, 1)
    o, i, f, g = blocks[0], blocks[1], blocks[2], blocks[3]
    if len(previous) > 0:
        G.addmm_(previous[0], W_T)
    torch.sigmoid_(G[:, : 3 * width])
    torch.tanh_(g)
    torch.mul(i, g, out=c)
    if len(previous) > 0:
        c.addcmul_(f, previous[1])
    torch.tanh(c, out=tanh_c)
    torch.mul(o, tanh_c, out=h)


def start_backward(
    kind: str,
    G: Tensor,
    kept: list[Tensor],
    previous: list[Tensor],
    spare: list[Tensor],
):
    """Replace the results of the forward pass by derivatives, for all rows at once.

    Parameters
    ----------
    kind : str
    G, kept
        All rows, as :func:`step` left them. Overwritten.
    previous : list of Tensors of shape (n_rows, nhidden)
        The states before each row.
    spare : list of 2 Tensors of shape (n_rows, nhidden)
        Memory for gated cells.
    """
    if kind == "gru":
        keep, other = spare[0], spare[1]
        blocks = G.split(keep.shape[1], 1)
        q, r, z, n = blocks[0], blocks[1], blocks[2], blocks[3]
        keep.copy_(z)  # dh_{t-1} = z * dh_t + ...
        # h = n + z (h_{t-1} - n)
        torch.sub(previous[0], n, out=other)
        torch.ops.aten.sigmoid_backward(other, z, grad_input=z)  # dz = dh * this
        other.copy_(keep).neg_().add_(1.0)
        torch.ops.aten.tanh_backward(other, n, grad_input=n)  # dn = dh * this
        torch.ops.aten.sigmoid_backward(q, r, grad_input=other)  # dr = dn * this
        q.copy_(r)  # dq = dn * this
        r.copy_(other)
    elif kind == "lstm":
        keep, other = spare[0], spare[1]
        blocks = G.split(keep.shape[1], 1)
        o, i, f, g = blocks[0], blocks[1], blocks[2], blocks[3]
        tanh_c = kept[2]
        torch.ops.aten.tanh_backward(o, tanh_c, grad_input=other)  # dc += dh * this
        torch.ops.aten.sigmoid_backward(tanh_c, o, grad_input=o)  # do = dh * this
        tanh_c.copy_(other)
        keep.copy_(f)  # dc_{t-1} = f * dc_t
        # di, df, dg = dc * what replaces i, f, g
        torch.ops.aten.sigmoid_backward(previous[1], f, grad_input=f)
        other.copy_(i)
        torch.ops.aten.sigmoid_backward(g, i, grad_input=i)
        torch.ops.aten.tanh_backward(other, g, grad_input=g)
    elif kind == "tanh":
        one = G.new_ones([1, 1]).expand_as(G)
        torch.ops.aten.tanh_backward(one, G, grad_input=G)
    elif kind == "relu":
        G.sign_()  # h is never negative
    elif kind != "identity":
        raise ValueError("There is no cell of this kind.")


def step_backward(
    kind: str,
    G: Tensor,
    needed: list[Tensor],
    gradients: list[Tensor],
    W: Tensor,
    is_first: bool,
):
    """Take one step backward through a gated cell.

    Parameters
    ----------
    kind : str
    G : Tensor of shape (n_sequences, n_blocks * nhidden)
        The rows of this step, as :func:`start_backward` left them. Overwritten by the
        gradient with respect to G.
    needed : list of Tensors of shape (n_sequences, nhidden)
        The rows of this step of the first `spare` tensor and of the last tensor that
        the cell keeps, as :func:`start_backward` left them.
    gradients : list of Tensors of shape (n_sequences, nhidden)
        Gradients with respect to the states of this step. Overwritten by the gradients
        with respect to the states of the previous step.
    W : Tensor of shape (n_state_blocks * nhidden, nhidden)
    is_first : bool
        Whether the gradient with respect to the previous states is not needed.
    """
    dh = gradients[0]
    if kind == "gru":
        width = dh.shape[1]
        blocks = G.split(width, 1)
        q, r, z, n = blocks[0], blocks[1], blocks[2], blocks[3]
        n.mul_(dh)
        z.mul_(dh)
        r.mul_(n)
        q.mul_(n)
        if not is_first:
            dh.mul_(needed[0]).addmm_(G[:, : 3 * width], W)
    elif kind == "lstm":
        blocks = G.split(dh.shape[1], 1)
        dc = gradients[1]
        dc.addcmul_(dh, needed[1])
        blocks[0].mul_(dh)
        blocks[1].mul_(dc)
        blocks[2].mul_(dc)
        blocks[3].mul_(dc)
        if not is_first:
            dc.mul_(needed[0])
            torch.mm(G, W, out=dh)
    else:
        raise ValueError("There is no cell with gates of this kind.")
