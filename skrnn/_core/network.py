"""The network: layers of cells, pooling, output layer, and the gradient of it all.

    G = U x + b,    H = cell(G),    each layer reading the H of the one below
    h = pool(H),    scores = V h + c

No autograd: each forward line has its backward line written by hand.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from skrnn._core import recurrence
from skrnn._core.cells import make_cell
from skrnn._core.pooling import POOLINGS
from skrnn._core.recurrence import Layer


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
    pooling : {"last", "mean", "max"}
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
        return self.nhidden[-1] * self.n_directions

    def make_cell(self):
        """The cell that all layers share; it has no weights."""
        return make_cell(self.cell, self.activation, self.recurrence)


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

    def are_finite(self):
        """Whether no weight is NaN or infinite."""
        # A sum is finite only if all is, and takes a tenth of the time.
        return bool(torch.isfinite(self.flat.sum()) or torch.isfinite(self.flat).all())


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
        arrays["W_"].append(W.numpy() if cell.has_W else np.eye(n, dtype="f4"))
        U = _reordered(layer.U.T, order["U"], n)
        arrays["U_"].append(np.asfortranarray(U.numpy()))  # a token's vector together
        arrays["b_"].append(_reordered(layer.b, order["b"], n).numpy())
    arrays["V_"] = weights.V.numpy().copy()
    arrays["intercept_"] = weights.c.numpy().copy()
    return arrays


def from_public(architecture, W_, U_, b_, V_, intercept_):
    """The inverse of :func:`to_public`, on the memory of the arrays where it can be.

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
        if not cell.has_W:
            W = W[:0]
        W, U, b = (
            _reordered(_as_tensor(array), np.argsort(order[name]), n, False)
            for name, array in (("W", W), ("U", U), ("b", b))
        )
        layers.append(Layer(U.T, W, b))
    n = architecture.n_directions
    layers = [layers[i : i + n] for i in range(0, len(layers), n)]
    V, c = _as_tensor(V_), _as_tensor(intercept_)
    return Weights(architecture, V.new_empty(0), layers, V, c)


def _reordered(rows, order, n, copy=True):
    """Blocks of `n` rows in another order."""
    if len(order) == 1:
        return rows.clone() if copy else rows
    return torch.cat([rows.split(n)[i] for i in order])


def _as_tensor(array):
    """A tensor on the array's memory; on a copy where that is read-only."""
    return torch.from_numpy(np.require(array, requirements="W"))


def initialise(weights, is_token, generator):
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
            layer.U.normal_(0.0, scale, generator=generator)
            for block in layer.W.split(nhidden):
                if len(block):
                    torch.nn.init.orthogonal_(block, generator=generator)
            if cell.forget_block is not None:
                layer.b.view(cell.n_blocks, nhidden)[cell.forget_block] = 1.0
    scale = 1.0 / math.sqrt(weights.V.shape[1])
    weights.V.normal_(0.0, scale, generator=generator)


class Scratch:
    """Memory that is used again for each batch.

    Fresh memory of this size comes from the operating system page by page, which for
    small networks takes as long as the arithmetic on it.

    Parameters
    ----------
    dtype : torch.dtype
    """

    def __init__(self, dtype=torch.float32):
        self._memory = torch.empty(0, dtype=dtype)
        self._used = self._n_rows = 0

    def reset(self, n_rows):
        """Forget what was taken; all of it may be overwritten."""
        if self._used > len(self._memory):
            self._memory = self._memory.new_empty(self._used)
        self._used = 0
        self._n_rows = n_rows

    def take(self, n_columns, n_rows=None):
        """A tensor of shape (n_rows, n_columns), with arbitrary values.

        By default of as many rows as were told to :meth:`reset`.
        """
        n_rows = self._n_rows if n_rows is None else n_rows
        start, size = self._used, n_rows * n_columns
        self._used = start + -(-size // 16) * 16  # whole cache lines
        if self._used > len(self._memory):  # until the next reset
            return self._memory.new_empty((n_rows, n_columns))
        return self._memory[start : start + size].view(n_rows, n_columns)


@dataclass(frozen=True, slots=True)
class Start:
    """Where sequences stand before the first of the packed steps.

    Attributes
    ----------
    states : list of tuple of Tensors of shape (n_sequences, nhidden)
        For each layer, its states.
    gathered : Tensor of shape (n_sequences, nhidden)
        What the pooling had gathered.
    n_steps : Tensor of shape (n_sequences,)
        Steps before.
    """

    states: list
    gathered: torch.Tensor
    n_steps: torch.Tensor


def loss_and_gradient(
    weights, gradient, scratch, x, packing, loss, *target, dropout=None, start=None
):
    """Summed loss of a batch; the gradient is written into `gradient`.

    Parameters
    ----------
    weights, gradient : Weights
    scratch : Scratch
    x : Tensor of shape (n_rows,), int64, or (n_rows, n_inputs)
        Token ids or numbers; rows in packed order.
    packing : Packing
    loss : callable
        ``loss(scores, *target)`` returns the summed loss, a tensor of shape (), and
        its gradient with respect to the scores.
    *target : Tensors
        One entry for each sequence, in the order of the packing.
    dropout : callable, default=None
        ``dropout(H)`` returns the factors by which the inputs of the next layer are
        multiplied, of the shape of H.
    start : Start, default=None
        Where the sequences stand, if these are not their first steps; no gradient
        goes further back.

    Returns
    -------
    total : Tensor of shape ()
    """
    scratch.reset(len(x))
    new = scratch.take
    cell = weights.architecture.make_cell()
    pooling = POOLINGS[weights.architecture.pooling]
    pooled_before = None if start is None else (start.gathered, start.n_steps)
    traces, masks = _forward_all(weights, cell, x, packing, new, dropout, start)
    pooled = [pooling.pool(trace.H, packing, pooled_before) for trace in traces[-1]]
    h = pooled[0][0] if len(pooled) == 1 else torch.cat([p[0] for p in pooled], dim=1)
    scores = torch.addmm(weights.c, h, weights.V.T)
    total, dscores = loss(scores, *target)

    # scores = V h + c
    torch.mm(dscores.T, h, out=gradient.V)
    torch.sum(dscores, 0, out=gradient.c)
    dh = (dscores @ weights.V).chunk(len(pooled), dim=1)
    outside = [
        pooling.spread(part.contiguous(), packing, chosen, new)
        for part, (_, chosen) in zip(dh, pooled, strict=True)
    ]
    for k in range(len(traces) - 1, -1, -1):
        dx = None
        for i, trace in enumerate(traces[k]):
            layer = weights.layers[k][i]
            ours = gradient.layers[k][i]
            dG = recurrence.backward(
                cell, layer, ours, trace, *outside[i], packing, new
            )
            if k > 0:
                part = new(len(layer.U))
                torch.mm(dG[:, -layer.U.shape[1] :], layer.U.T, out=part)
                part = _turned(part, packing, i)
                dx = part if dx is None else dx.add_(part)
        if k > 0:
            if masks[k - 1] is not None:
                dx.mul_(masks[k - 1])
            width = weights.layers[k - 1][0].W.shape[1]
            nothing = dx.new_zeros((packing.batch_sizes[0], width))
            parts = _unstacked(dx, len(traces[k - 1]), packing)
            outside = [(nothing.clone(), part) for part in parts]
    return total


def top_states(weights, x, packing):
    """The hidden states of the last layer, one tensor a direction, in packed order."""
    cell = weights.architecture.make_cell()
    scratch = Scratch(weights.V.dtype)
    scratch.reset(len(x))
    traces, _ = _forward_all(weights, cell, x, packing, scratch.take)
    return [trace.H for trace in traces[-1]]


def _forward_all(weights, cell, x, packing, new, dropout=None, start=None):
    """Run all layers.

    Returns
    -------
    traces : list of list of Trace
        By layer, then direction.
    masks : list of Tensor or None
        The factors of dropout below each layer but the first.
    """
    sizes = packing.batch_sizes
    traces, masks = [], []
    for k, directions in enumerate(weights.layers):
        if k > 0:
            x = _stacked([trace.H for trace in traces[-1]], packing, new)
            masks.append(None if dropout is None else dropout(x))
            if dropout is not None:
                x.mul_(masks[-1])
        initial = () if start is None else start.states[k]
        traces.append(
            [
                recurrence.forward(
                    cell, layer, _turned(x, packing, i), sizes, new, initial
                )
                for i, layer in enumerate(directions)
            ]
        )
    return traces, masks


def _turned(x, packing, direction):
    """Rows as a direction reads them; the second one reads from the end."""
    return x if direction == 0 else x.index_select(0, packing.flip)


def _stacked(H, packing, new):
    """The states of all directions side by side, each row those of one step."""
    x = new(sum(h.shape[1] for h in H))
    parts = [_turned(h, packing, i) for i, h in enumerate(H)]
    return torch.cat(parts, dim=1, out=x)


def _unstacked(dx, n_directions, packing):
    """The gradient of :func:`_stacked`."""
    parts = dx.chunk(n_directions, dim=1)
    return [_turned(part, packing, i) for i, part in enumerate(parts)]


def output_scores(V, c, h):
    """``V h + c``, of shape (n_sequences, n_outputs).

    The scores of a sequence do not depend on the others; see
    :func:`skrnn._core.prediction.encode`.
    """
    rows = h if len(h) > 1 else h.expand(2, -1)
    return torch.addmm(c, rows, V.T.contiguous())[: len(h)]
