"""The interface to torch: weights and a batch in, a loss and its gradient out.

It takes what :mod:`skrnn._core.windows` takes, but for a workspace of its own.
"""

from dataclasses import replace

import torch

from skrnn._core.answers import Answer
from skrnn._core.autograd import crf, linear, output, pooling, recurrence, writers
from skrnn._core.autograd.front import through_filters
from skrnn._core.autograd.rows import Rows
from skrnn._core.batch import Batch, Start
from skrnn._core.execution import Execution
from skrnn._core.packing import pack
from skrnn._core.pooling import page_of
from skrnn._core.weights import view

# Maximum number of hidden states, of steps that no gradient flows to, at once.
_MAX_STATES = 2**26
# The name of the vectors that the network reads instead of tokens.
VECTORS = "vectors"


def view_with_vectors(layout, flat, shape=None):
    """View a flat tensor as weights, behind which there may be vectors of tokens.

    Parameters
    ----------
    layout : Layout
    flat : Tensor
    shape : tuple of int, default=None
        That of the vectors, which become one of the `others`.
    """
    if shape is None:
        return view(layout, flat)
    of_network, vectors = flat.split([layout.n_weights, shape[0] * shape[1]])
    weights = view(layout, of_network)
    others = {**weights.others, VECTORS: vectors.view(shape)}
    return replace(weights, flat=flat, others=others)


def _like(weights, flat):
    """View a flat tensor as weights of the same shapes."""
    vectors = weights.others.get(VECTORS)
    shape = None if vectors is None else vectors.shape
    return view_with_vectors(weights.layout, flat, shape)


class Workspace:
    """The gradient, and the layers, which have memory of their own.

    Parameters
    ----------
    layer_for : callable, default=recurrence.layer_for
        Chooses how a layer is computed.

    Attributes
    ----------
    gradient : Weights or None
        The gradient that :func:`loss_and_gradient` last wrote.
    end : list of list of Tensors of shape (n_sequences, nhidden), or None
        By layer, then direction, the states after the last step of each sequence, if
        they were cut into windows.
    """

    def __init__(self, layer_for=recurrence.layer_for):
        self.gradient = self.end = None
        self._layer_for, self._layers = layer_for, {}

    def clear(self, weights):
        """Set the gradient of `weights` to 0."""
        self.gradient = _like(weights, torch.zeros_like(weights.flat))

    def layer(self, name, architecture, weights, n_inputs):
        """The layer of a name, made when it is first needed."""
        key = name, n_inputs
        if key not in self._layers:
            self._layers[key] = self._layer_for(architecture, weights, n_inputs)
        return self._layers[key]


def loss_and_gradient(weights, batch, loss, workspace, truncate=None):
    """Compute the summed loss of a batch; write its gradient to ``workspace.gradient``.

    Parameters
    ----------
    weights : Weights
    batch : Batch
    loss : str
        A key of :data:`skrnn._core.autograd.losses.LOSSES`, or "ctc".
    workspace : Workspace
    truncate : int, default=None
        Number of steps per window, if no gradient should flow from a window to the one
        before it. The batch must have a target per step.

    Returns
    -------
    total : Tensor of shape (), float64
        On the device.
    """
    workspace.end = None
    if batch.past is not None:
        batch = replace(batch, start=states_after(weights, batch.past, workspace))
    if truncate is None:
        total, gradient = _of_window(weights, batch, loss, workspace)
    else:
        total, gradient = 0.0, 0.0
        for window in batch.windows(range(0, len(batch.packing.batch_sizes), truncate)):
            if workspace.end is not None:
                start = Start.without_pooling(workspace.end, len(window))
                window = replace(window, start=start)
            of_window = _of_window(weights, window, loss, workspace, True)
            total, gradient = total + of_window[0], gradient + of_window[1]
    workspace.gradient = _like(weights, gradient)
    return total


def _of_window(weights, batch, loss, workspace, wants_end=False):
    """The loss, and the gradient with respect to the flat weights."""
    # Autocast would make some of the products less precise.
    with torch.enable_grad(), torch.autocast(weights.flat.device.type, enabled=False):
        flat = weights.flat.detach().requires_grad_()
        passed = Pass(_like(weights, flat), batch, workspace)
        total = passed.loss(loss)
        (gradient,) = torch.autograd.grad(total, flat, materialize_grads=True)
        if wants_end:
            workspace.end = [[part.detach() for part in of] for of in passed.end]
    return total.detach().double(), gradient


class Pass:
    """A batch on its way through all layers.

    Parameters
    ----------
    weights : Weights
    batch : Batch
        All its tensors are on the device of the weights.
    workspace : Workspace

    Attributes
    ----------
    H : Tensor of shape (n_rows, n_directions * nhidden)
        The states of the last layer after each step, in packed order.
    end : list of list of Tensors of shape (n, nhidden)
        By layer, then direction, the states after the last step of each sequence.
    rows : Rows
        Those of H.
    """

    def __init__(self, weights, batch, workspace):
        self.weights, self.batch, self.workspace = weights, batch, workspace
        self.end, self._of_filters = [], None
        packing, x = batch.packing, batch.x
        vectors = weights.others.get(VECTORS)
        if vectors is not None:
            x = linear.look_up(x, vectors)
        if weights.filters and len(packing.lengths):
            x, packing, self._of_filters = through_filters(weights, x, packing)
        self.rows = Rows(packing, weights.flat)
        self.H = None
        if self.rows.n:
            self._run(x)

    @property
    def masks(self):
        """The factors of what is read behind the recurrence, by sequence."""
        return self.batch.masks[len(self.weights.layers) - 1 :]

    def _run(self, x):
        architecture, layers = self.weights.architecture, self.weights.layers
        start, bias = self._beginning()
        x, is_projected = recurrence.inputs(layers[0], x, bias)
        n = architecture.n_directions
        for k, weights in enumerate(layers):
            if k > 0:
                x, is_projected = self.H, False
                if self.batch.masks:
                    x = x * self.rows.repeat(self.batch.masks[k - 1])
            layer = self.workspace.layer(k, architecture, weights, x.shape[1])
            before = None if start is None else start[k * n : (k + 1) * n]
            self.H, end = layer(weights, x, self.rows, before, is_projected)
            self.end += end

    def _beginning(self):
        """The states before the first step, and biases of the steps of sequences."""
        batch, n, others = self.batch, self.rows.n, self.weights.others
        start, bias = None, None
        if batch.context is not None and "A" in others:
            S = linear.product(batch.context.rows, others["A"]) + others["a"]
            start = self._by_layer(torch.tanh(S[:n]))
        if batch.context is not None and "B" in others:
            bias = linear.product(batch.context.rows, others["B"])
            bias = self.rows.repeat(bias)
        if batch.start is not None:
            start = [[part[:n] for part in states] for states in batch.start.states]
        return start, bias

    def _by_layer(self, S):
        architecture = self.weights.architecture
        n_states = architecture.make_cell().n_states
        widths = [n for n in architecture.nhidden for _ in range(n_states)]
        parts = S.split(widths, dim=1)
        return [parts[i : i + n_states] for i in range(0, len(parts), n_states)]

    @property
    def h(self):
        """What the output layer reads, of each sequence or of each step."""
        architecture = self.weights.architecture
        if self.H is None:
            n = 0 if architecture.pooling == "none" else len(self.batch)
            return self.weights.V.new_zeros(n, architecture.n_features_out)
        if architecture.pooling == "none":
            h = self.H
            for mask in self.masks:
                h = h * self.rows.repeat(mask)
            return h
        name, end = architecture.pooling, self.end[-architecture.n_directions :]
        h = pooling.pooled(name, self.H, end, self.rows, self.batch.start)
        if self._of_filters is not None:
            h = torch.cat([h, self._of_filters], dim=1)
        h = torch.nn.functional.pad(h, (0, 0, 0, len(self.batch) - len(h)))
        for mask in self.masks:
            h = h * mask
        return h

    def loss(self, name):
        """The summed loss."""
        weights, batch = self.weights, self.batch
        if isinstance(batch.target, Answer):
            return writers.loss(self, name)
        if not weights.layout.has_transitions or self.H is None:
            return output.loss_of(name, weights, self.h, batch.target, batch.weight)
        chain = [weights.others[name] for name, _ in weights.layout.of_chain]
        scores = output.scores_of(weights, self.h)
        return crf.loss(scores, batch.target, batch.weight, self.rows, chain)


@torch.no_grad()
def states_after(weights, past, workspace):
    """Compute the state of sequences after their past, for a network of one direction.

    Parameters
    ----------
    weights : Weights
    past : Past
        Some sequences may have no steps in it.
    workspace : Workspace

    Returns
    -------
    start : Start
    """
    name = weights.architecture.pooling
    (packing,) = pack(past.starts, past.lengths)
    send, n = Execution.of(weights.flat).tensor, len(packing.lengths)
    x, ends, gathered = past.values[send(packing.rows)], None, None
    n_at_once = max(1, _MAX_STATES // (n * sum(weights.architecture.nhidden)))
    for rows, window in packing.windows(range(0, len(packing.batch_sizes), n_at_once)):
        start = None
        if ends is not None:
            start = Start.without_pooling(ends, len(window.indices))
        batch = Batch(x[rows], window, None, None, start=start)
        passed = Pass(weights, batch, workspace)
        rows, last = passed.rows, passed.end[-1][0]
        now = pooling.gather(name, passed.H[rows.by_sequence], last, rows)
        if ends is None:
            ends, gathered = passed.end, now.clone()
            continue
        for states, of_window in zip(ends, passed.end, strict=True):
            for part, later in zip(states, of_window, strict=True):
                part[: rows.n] = later
        gathered[: rows.n] = pooling.together(name, gathered[: rows.n], now)
    order = send(packing.indices[:n])

    def of_all(part, nothing=0.0):
        shape = len(past.starts), part.shape[1]
        return part.new_full(shape, nothing).index_copy(0, order, part)

    states = [[of_all(part) for part in of_layer] for of_layer in ends]
    return Start(states, of_all(gathered, page_of(name).START), send(past.lengths))
