"""The network: what it is made of, and its weights, here and upstairs.

G = U x + b,    H = cell(G),    each layer reading the H of the one below
h = pool(H),    scores = V h + c
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from skrnn._core import pooling
from skrnn._core.cells import make_cell


@dataclass(frozen=True, slots=True)
class Architecture:
    """What a network is made of, but for the numbers of inputs and outputs.

    Attributes
    ----------
    nhidden : tuple of int
        Hidden units of each layer, in each direction.
    cell : {"rnn", "gru", "lstm"}
    activation : {"tanh", "relu", "identity"}
        Of the cell "rnn".
    recurrence : {"learned", "identity"}
        Whether the W of the cell "rnn" is learned or stays the identity.
    bidirectional : bool
        Every layer also reads the sequences from the end, with weights of its own.
    pooling : {"last", "mean", "max", "concat", "sum", "none"}
        "none" only while fitting.
    """

    nhidden: tuple
    cell: str = "rnn"
    activation: str = "tanh"
    recurrence: str = "learned"
    bidirectional: bool = False
    pooling: str = "last"

    @property
    def n_directions(self):
        """1 or 2."""
        return 2 if self.bidirectional else 1

    @property
    def n_features_out(self):
        """Length of the pooled h."""
        return pooling.width(self.pooling, self.nhidden[-1]) * self.n_directions

    def make_cell(self):
        """The cell that all layers share; it has no weights."""
        return make_cell(self.cell, self.activation, self.recurrence)


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one layer in one direction, blocks in the order of the cell.

    Attributes
    ----------
    U : Tensor of shape (n_inputs, n_input_blocks * nhidden)
        Input weights, transposed: row ``i`` is the vector of token ``i``.
    W : Tensor of shape (n_state_blocks * nhidden, nhidden)
        Recurrent weights; without rows where the recurrence is the identity.
    b : Tensor of shape (n_blocks * nhidden,)
    """

    U: torch.Tensor
    W: torch.Tensor
    b: torch.Tensor


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a network, or a gradient: views of one flat tensor.

    One flat tensor makes clipping and the optimiser a handful of operations, however
    many matrices there are.

    Attributes
    ----------
    architecture : Architecture
    flat : Tensor of shape (n_weights,)
        Biases first, the U of the first layer last.
    layers : list of list of Layer
        By layer, then direction.
    V : Tensor of shape (n_outputs, n_features_out)
    c : Tensor of shape (n_outputs,)
        The output bias, ``intercept_`` upstairs.
    """

    architecture: Architecture
    flat: torch.Tensor
    layers: list
    V: torch.Tensor
    c: torch.Tensor

    @property
    def n_biases(self):
        """Entries of `flat` that are biases, the first ones, which do not decay."""
        return len(self.c) + sum(len(layer.b) for layer in self.all_layers())

    @property
    def n_shared(self):
        """Entries of `flat` before the U of the first layer."""
        return len(self.flat) - sum(layer.U.numel() for layer in self.layers[0])

    def all_layers(self):
        """Layers and directions in the order of the public lists, as in torch.nn."""
        return [layer for directions in self.layers for layer in directions]


def zeros(architecture, n_inputs, n_outputs, dtype=torch.float32):
    """Weights that are all 0."""
    return view(
        architecture,
        n_inputs,
        n_outputs,
        lambda n_weights: torch.zeros(n_weights, dtype=dtype),
    )


def zeros_like(weights):
    """Weights of the same shapes and type that are all 0."""
    n_inputs, n_outputs = len(weights.layers[0][0].U), len(weights.c)
    return zeros(weights.architecture, n_inputs, n_outputs, weights.flat.dtype)


def view(architecture, n_inputs, n_outputs, allocate):
    """Weights on a flat tensor that ``allocate(n_weights)`` returns."""
    cell = architecture.make_cell()
    n_directions = architecture.n_directions
    widths = [n_inputs, *(n * n_directions for n in architecture.nhidden[:-1])]
    shapes = {"b": [], "W": [], "U": []}
    for n_in, n in zip(widths, architecture.nhidden, strict=True):
        for _ in range(n_directions):
            n_state_blocks = cell.n_state_blocks if cell.has_W else 0
            shapes["b"].append((cell.n_blocks * n,))
            shapes["W"].append((n_state_blocks * n, n))
            shapes["U"].append((n_in, cell.n_input_blocks * n))
    upper, first = shapes["U"][n_directions:], shapes["U"][:n_directions]
    ordered = [*shapes["b"], (n_outputs,), *shapes["W"]]
    ordered += [(n_outputs, architecture.n_features_out), *upper, *first]
    sizes = [math.prod(shape) for shape in ordered]
    flat = allocate(sum(sizes))
    parts = list(map(torch.Tensor.view, flat.split(sizes), ordered))
    take = iter(parts)
    b = [next(take) for _ in shapes["b"]]
    c = next(take)
    W = [next(take) for _ in shapes["W"]]
    V = next(take)
    U = list(take)
    U = U[len(upper) :] + U[: len(upper)]
    layers = [Layer(*tensors) for tensors in zip(U, W, b, strict=True)]
    layers = [layers[i : i + n_directions] for i in range(0, len(layers), n_directions)]
    return Weights(architecture, flat, layers, V, c)


def to_public(weights):
    """The weights as arrays of the public names, blocks in the order of torch.nn.

    Returns
    -------
    arrays : dict
        ``W_``, ``U_`` and ``b_``, lists by layer and direction; ``V_`` and
        ``intercept_``.
    """
    cell = weights.architecture.make_cell()
    order = dict(cell.torch_order)
    arrays = {"W_": [], "U_": [], "b_": []}
    for layer in weights.all_layers():
        n = layer.W.shape[1]
        W = _reordered(layer.W, order["W"], n)
        arrays["W_"].append(W.numpy().copy() if cell.has_W else np.eye(n, dtype="f4"))
        U = _reordered(layer.U, order["U"], n, 1)
        arrays["U_"].append(U.numpy().copy().T)  # a token's vector lies together
        arrays["b_"].append(_reordered(layer.b, order["b"], n).numpy().copy())
    arrays["V_"] = weights.V.numpy().copy()
    arrays["intercept_"] = weights.c.numpy().copy()
    return arrays


def from_public(architecture, W_, U_, b_, V_, intercept_, ids=None, vectors=None):
    """The inverse of :func:`to_public`, on the memory of the arrays where it can be.

    Parameters
    ----------
    architecture : Architecture
    W_, U_, b_, V_, intercept_
        What :func:`to_public` returned.
    ids : ndarray of int64, default=None
        Of the tokens whose vectors the first layer is to have, in this order. None for
        all.
    vectors : ndarray of shape (n_tokens, n_inputs), default=None
        What each token is for the first layer, if it reads vectors of tokens.

    Returns
    -------
    weights : Weights
        To predict with, not to train: `flat` is empty.
    """
    cell = architecture.make_cell()
    order = dict(cell.torch_order)
    layers = []
    for W, U, b in zip(W_, U_, b_, strict=True):
        n = W.shape[1]
        U = U.T
        is_first = len(layers) < architecture.n_directions
        if is_first and vectors is not None:
            U = _products(vectors if ids is None else vectors[ids], U)
        elif is_first and ids is not None:
            U = U[ids]
        if not cell.has_W:
            W = W[:0]
        U, W, b = (
            _reordered(_as_tensor(array), np.argsort(order[name]), n, dim)
            for array, name, dim in ((U, "U", 1), (W, "W", 0), (b, "b", 0))
        )
        layers.append(Layer(U.contiguous(), W, b))
    n = architecture.n_directions
    layers = [layers[i : i + n] for i in range(0, len(layers), n)]
    V, c = _as_tensor(V_), _as_tensor(intercept_)
    return Weights(architecture, V.new_empty(0), layers, V, c)


def _products(vectors, U):
    """``vectors U``, where no row depends on how many others there are.

    To the last bit, as in :func:`skrnn._core.prediction.encode`: of a transposed U, of
    one row or of one column, products would round by the number of rows.
    """
    vectors, U = _as_tensor(vectors), _as_tensor(U).contiguous()
    rows = vectors.expand(2, -1) if len(vectors) == 1 else vectors
    columns = U.expand(-1, 2) if U.shape[1] == 1 else U
    return torch.mm(rows, columns)[: len(vectors), : U.shape[1]].numpy()


def _reordered(weights, order, n, dim=0):
    """Blocks of `n` rows, or columns, in another order."""
    if len(order) == 1:
        return weights
    return torch.cat([weights.split(n, dim)[i] for i in order], dim)


def _as_tensor(array):
    """A tensor on the array's memory; on a copy where that is read-only."""
    return torch.from_numpy(np.require(array, requirements="W"))


def initialise(weights, is_token, generator, input_scale=1.0):
    """Fill `weights` with their random initial values.

    - U of the first layer: standard normal, for tokens; divided by sqrt(n_inputs), for
      numbers, so that standardised features give pre-activations of variance 1 too.
      Small token vectors, of order 0.1, start tanh in its linear part, where the
      network is nearly a bag of tokens, and end less accurate. Of layers above:
      normal with variance 1 / n_inputs.
    - W: a random orthogonal matrix for each block, which keeps the length of h over
      many steps [1]_.
    - V: normal with variance 1 / n_features_out, so that scores start of order 1.
    - b, c: 0; but 1 for the forget gate of the LSTM, which starts by remembering [2]_.

    Parameters
    ----------
    weights : Weights
    is_token : bool
    generator : torch.Generator
    input_scale : float, default=1.0
        Of what order the inputs are.

    References
    ----------
    .. [1] Saxe, McClelland and Ganguli (2014), "Exact solutions to the nonlinear
       dynamics of learning in deep linear neural networks", ICLR.
    .. [2] Jozefowicz, Zaremba and Sutskever (2015), "An Empirical Exploration of
       Recurrent Network Architectures", ICML, section 5.
    """
    cell = weights.architecture.make_cell()
    for k, directions in enumerate(weights.layers):
        for layer in directions:
            n_inputs, nhidden = len(layer.U), layer.W.shape[1]
            scale = 1.0 if is_token and k == 0 else 1.0 / math.sqrt(n_inputs)
            scale = scale / input_scale if k == 0 else scale
            layer.U.normal_(0.0, scale, generator=generator)
            for block in layer.W.split(nhidden):
                if len(block):
                    torch.nn.init.orthogonal_(block, generator=generator)
            if cell.forget_block is not None:
                layer.b.view(cell.n_blocks, nhidden)[cell.forget_block] = 1.0
    scale = 1.0 / math.sqrt(weights.V.shape[1])
    weights.V.normal_(0.0, scale, generator=generator)


def output_scores(V, c, h):
    """``V h + c``, of shape (n_sequences, n_outputs).

    The scores of a sequence do not depend on the others; see
    :func:`skrnn._core.prediction.encode`.

    Parameters
    ----------
    V : Tensor of shape (n_outputs, n_features_out)
    c : Tensor of shape (n_outputs,)
    h : Tensor of shape (n_sequences, n_features_out)
    """
    rows = h if len(h) > 1 else h.expand(2, -1)
    return torch.addmm(c, rows, V.T.contiguous())[: len(h)]
