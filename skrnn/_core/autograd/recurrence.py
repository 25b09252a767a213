"""A layer in all its directions: torch's own, or a loop for the cells that it lacks."""

import torch
from torch import nn
from torch.nn import functional as F

from skrnn._core.autograd import linear

_FUNCTIONS = {"gru": torch.gru, "lstm": torch.lstm}
_FUNCTIONS |= {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}
_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "identity": lambda g: g}


def layer_for(architecture, weights, n_inputs):
    """Choose how a layer is computed.

    Parameters
    ----------
    architecture : Architecture
    weights : list of Layer
        Of each direction.
    n_inputs : int
        Length of what the layer reads, see :func:`inputs`.
    """
    is_learned = architecture.recurrence == "learned"
    if architecture.activation == "identity" or not is_learned:
        return Loop(architecture)
    return TorchLayer(architecture, weights, n_inputs)


def inputs(weights, x, bias=None):
    """What the first layer reads of steps: x, or ``U x``.

    Tokens are read as rows of U, if that is shorter than a row with a number for each
    token. So is any x, if sequences have biases of their own: torch has no place for
    them but the inputs.

    Parameters
    ----------
    weights : list of Layer
        Of each direction.
    x : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
    bias : Tensor of shape (n_rows, n_input_blocks * nhidden), default=None

    Returns
    -------
    x : Tensor of shape (n_rows, n_inputs) or (n_rows, n_directions * n_columns)
    is_projected : bool
        Whether it is ``U x``, of one direction after the other.
    """
    is_token, U = not x.is_floating_point(), weights[0].U
    if bias is None and not (is_token and len(U) > U.shape[1]):
        return linear.counts(x, len(U), U.dtype) if is_token else x, False
    read = linear.look_up if is_token else torch.matmul
    parts = [read(x, layer.U) for layer in weights]
    if bias is not None:
        parts = [part + bias for part in parts]
    return torch.cat(parts, dim=1), True


def _projections(weights, is_projected):
    """The U of each direction; of a layer that reads U x, what takes its part of it."""
    if not is_projected:
        return [layer.U for layer in weights]
    U = weights[0].U
    n = U.shape[1]
    eye = torch.eye(n * len(weights), dtype=U.dtype, device=U.device)
    return list(eye.split(n, dim=1))


class TorchLayer:
    """A layer that torch has: on a GPU, one call of cuDNN for all steps.

    Parameters
    ----------
    architecture : Architecture
    weights : list of Layer
        Of each direction.
    n_inputs : int
    """

    def __init__(self, architecture, weights, n_inputs):
        self._cell, W = architecture.make_cell(), weights[0].W
        self._is_both = len(weights) > 1
        name = architecture.cell
        options = {"bidirectional": self._is_both, "dtype": W.dtype, "device": "meta"}
        kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[name]
        # Its memory is laid out as cuDNN wants it. Its initial weights would be drawn
        # by the global generator; on "meta" there are none.
        module = kind(n_inputs, W.shape[1], **options).to_empty(device=W.device)
        self._memory = [part.detach() for of in module.all_weights for part in of]
        activation = architecture.activation
        self._function = _FUNCTIONS[name if name != "rnn" else activation]

    def __call__(self, weights, x, rows, start, is_projected=False):
        """Compute the states after each step.

        Parameters
        ----------
        weights : list of Layer
            Of each direction.
        x : Tensor of shape (n_rows, n_inputs)
        rows : Rows
        start : list of list of Tensors of shape (n, nhidden), or None
            By direction, the states before the first step. None if they are 0.
        is_projected : bool, default=False
            See :func:`inputs`.

        Returns
        -------
        H : Tensor of shape (n_rows, n_directions * nhidden)
            In the order of x.
        end : list of list of Tensors of shape (n, nhidden)
            By direction, the states after the last step.
        """
        Us = _projections(weights, is_projected)
        parts = []
        for layer, U in zip(weights, Us, strict=True):
            parts += _in_torch(self._cell, U, layer.W, layer.b)
        pairs = zip(parts, self._memory, strict=True)
        flat = [_Copied.apply(part, memory) for part, memory in pairs]
        n_states, nhidden = self._cell.n_states, weights[0].W.shape[1]
        if start is None:
            zeros = x.new_zeros(len(weights), rows.n, nhidden)
            states = [zeros] * n_states
        else:
            states = [torch.stack(list(of)) for of in zip(*start, strict=True)]
        hx = states[0] if n_states == 1 else states
        H, *end = self._function(
            x,
            rows.batch_sizes,
            hx,
            flat,
            has_biases=True,
            num_layers=1,
            dropout=0.0,
            train=torch.is_grad_enabled(),
            bidirectional=self._is_both,
        )
        return H, [list(of) for of in zip(*end, strict=True)]


class _Copied(torch.autograd.Function):
    """Copy weights to where cuDNN wants them; the way back is that of a copy."""

    @staticmethod
    def forward(context, part, memory):
        memory.copy_(part)
        return memory.detach()

    @staticmethod
    def backward(context, gradient):
        return gradient, None


def _in_torch(cell, U, W, b):
    """The weights of a layer in one direction, as torch.nn has them."""
    order = dict(cell.torch_order)
    W_ih = _reordered(U, order["U"], 1).T
    W_hh, b = _reordered(W, order["W"], 0), _reordered(b, order["b"], 0)
    b_ih, others = b[: len(W_ih)], b[len(W_ih) :]
    return W_ih, W_hh, b_ih, F.pad(others, (len(W_ih) - len(others), 0))


def _reordered(part, order, axis):
    blocks = part.chunk(len(order), axis)
    return torch.cat([blocks[i] for i in order], axis)


class Loop:
    """A layer of the cell "rnn", step by step.

    Parameters
    ----------
    architecture : Architecture
    """

    def __init__(self, architecture):
        self._activation = _ACTIVATIONS[architecture.activation]
        self._has_W = architecture.make_cell().has_W

    def __call__(self, weights, x, rows, start, is_projected=False):
        """See :class:`TorchLayer`."""
        parts, end = [], []
        Us = _projections(weights, is_projected)
        for i, (layer, U) in enumerate(zip(weights, Us, strict=True)):
            G = (x if i == 0 else x[rows.flip]) @ U + layer.b
            nothing = x.new_zeros(rows.n, layer.W.shape[1])
            h = nothing if start is None else start[i][0]
            H = []
            for g in G.split(rows.batch_sizes.tolist()):
                h = h[: len(g)]
                h = self._activation(g + (h @ layer.W.T if self._has_W else h))
                H.append(h)
            H = torch.cat(H)
            end.append([H[rows.last]])
            parts.append(H if i == 0 else H[rows.flip])
        return torch.cat(parts, dim=1), end
