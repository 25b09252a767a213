"""The interface to the kernels: weights and a batch in, a loss and its gradient out.

Weights, batches and gradients are tensors; the kernels, in
:mod:`skrnn._core.gradient` and the modules that it calls, read and write their memory
as arrays. The kernels are imported when they are first needed, since numba takes a
while to import.
"""

from dataclasses import dataclass

import numpy as np

from skrnn._core import output, pooling
from skrnn._core.condition import Condition
from skrnn._core.execution import CPU
from skrnn._core.imports import kernel_imports
from skrnn._core.memory import Scratch
from skrnn._core.packing import sequences_of_rows
from skrnn._core.weights import view


class Workspace:
    """The gradient that one thread writes, and the memory that the thread uses.

    Parameters
    ----------
    weights : Weights
    n_inputs : int, default=None
        Number of inputs until the gradient is first written, which resizes it to those
        of the weights; None for those of `weights`.

    Attributes
    ----------
    gradient : Weights
        The gradient that :func:`loss_and_gradient` or :func:`backward` last wrote.
    dstart : list of list of Tensors of shape (n_sequences, nhidden), or None
        By layer, then direction, the gradient with respect to the states before the
        first step, if ``batch.start.wants_gradient``.
    end : list of list of Tensors of shape (n_sequences, nhidden), or None
        By layer, then direction, the states after the last step of each sequence, if
        they were asked for.
    """

    def __init__(self, weights, n_inputs=None):
        layout = weights.layout
        if n_inputs is not None:
            layout = layout.with_inputs(n_inputs)
        self.gradient = view(layout, weights.flat.new_zeros(layout.n_weights))
        self.scratch = Scratch(weights.flat.numpy().dtype)
        self.dstart = self.end = None
        self._memory = self.gradient.flat

    def fit(self, weights):
        """Resize the gradient to match `weights`, whose number of inputs may differ."""
        if weights.n_inputs == self.gradient.n_inputs:
            return
        n_weights = self.gradient.n_shared
        n_weights += sum(layer.U.numel() for layer in weights.layers[0])
        if n_weights > len(self._memory):
            self._memory = self._memory.new_empty(n_weights)
            layout = self.gradient.layout.with_inputs(weights.n_inputs)
            self.gradient = view(layout, self._memory)
        else:
            self.gradient = self.gradient.resized(weights.n_inputs, self._memory)

    def clear(self, weights):
        """Set the gradient of `weights` to 0."""
        self.fit(weights)
        self.gradient.flat.zero_()


def loss_and_gradient(weights, batch, loss, workspace, dend=(), wants_end=False):
    """Compute the summed loss of a batch; write its gradient to ``workspace.gradient``.

    Parameters
    ----------
    weights : Weights
    batch : Batch
    loss : str
        A module of :mod:`skrnn._core.losses`.
    workspace : Workspace
    dend : list of list of Tensors of shape (n_that_go_on, nhidden), default=()
        By layer, then direction, a gradient with respect to the states after the last
        step of the first sequences of the packing, which is backpropagated as well.
    wants_end : bool, default=False
        Whether to write ``workspace.end``.

    Returns
    -------
    total : float
    """
    trace = forward(weights, batch, workspace)
    workspace.end = _as_tensors(trace.passed.end()) if wants_end else None
    pooled = _Pooled(weights, batch, trace)
    h = pooled.h
    masks = batch.masks[len(weights.layers) - 1 :]  # for the output
    masks = [pooled.of_rows(mask.numpy()) for mask in masks]
    for mask in masks:
        h = h * mask
    chain, dchain = weights.chain, workspace.gradient.chain
    for part in dchain:
        part.fill(0)
    total, dh = output.loss_and_gradient(
        loss,
        (weights.V.numpy(), weights.c.numpy()),
        (workspace.gradient.V.numpy(), workspace.gradient.c.numpy()),
        h,
        batch.target.numpy(),
        batch.weight.numpy(),
        workspace.scratch,
        (_of_chain(), batch.packing.batch_sizes, chain, dchain) if chain else (),
    )
    for mask in masks:
        dh *= mask
    dlast, dH = pooled.spread(dh, workspace)
    dend = [[part.numpy() for part in of_layer] for of_layer in dend]
    _backward(batch, trace, dlast, dH, pooled.of_filters(dh), dend)
    return total


def _of_chain():
    with kernel_imports():
        from skrnn._core import crf

    return crf.loss_and_gradient_of_packed


@dataclass(frozen=True, slots=True)
class Trace:
    """What :func:`forward` passes on to :func:`backward`.

    Attributes
    ----------
    H : list of Tensors of shape (n_rows, nhidden)
        For each direction, the hidden states of the last layer after each step, rows in
        packed order; the second direction is packed in reverse.
    """

    passed: object
    workspace: Workspace
    front: object = None
    condition: Condition | None = None

    @property
    def H(self):
        return [CPU.tensor(states) for states in self.passed.top]


def forward(weights, batch, workspace):
    """Compute the hidden states of the last layer after each step.

    Parameters
    ----------
    weights : Weights
    batch : Batch
        Its targets are not used.
    workspace : Workspace
        Its memory holds the result until the workspace is used again.

    Returns
    -------
    trace : Trace
    """
    with kernel_imports():
        from skrnn._core.gradient import Pass

    workspace.fit(weights)
    workspace.scratch.reset()
    start, n = batch.start, batch.packing.batch_sizes[0]
    if start is not None:  # only sequences that have steps
        start = [tuple(part[:n].numpy() for part in states) for states in start.states]
    masks = [mask.numpy() for mask in batch.masks[: len(weights.layers) - 1]]
    x, packing, front = _through_filters(
        weights, batch.x.numpy(), batch.packing, workspace.scratch
    )
    layers, condition = weights.as_arrays(), None
    if batch.context is not None:
        condition = Condition(weights, batch.context)
        start = condition.start if start is None else start
        layers = condition.layers_for(layers, condition.b)
    passed = Pass(
        weights.architecture, layers, packing, workspace.scratch, masks, start
    )
    passed.forward(x)
    return Trace(passed, workspace, front, condition)


def _through_filters(weights, x, packing, scratch):
    """What the recurrence reads, its packing, and the Front, if there is one."""
    if not weights.filters:
        return x, packing, None
    with kernel_imports():
        from skrnn._core.front import Front

    front = Front(weights.architecture, weights.filters_as_arrays(), packing, scratch)
    return front.forward(x), front.packing, front


def calibrate(weights, x, packing):
    """Scale filters so that, of some sequences, each has mean 0 and variance 1.

    That is before the activation. It takes the place of normalising minibatches [1]_.

    Parameters
    ----------
    weights : Weights
        Its filters and their biases are changed.
    x : ndarray of shape (n_rows, n_inputs)
    packing : Packing

    References
    ----------
    .. [1] Mishkin and Matas (2016), "All you need is a good init", ICLR.
    """
    with kernel_imports():
        from skrnn._core.front import Front

    scratch = Scratch(x.dtype)
    filters = weights.filters_as_arrays()
    Front(weights.architecture, filters, packing, scratch).calibrate(x)


def backward(weights, batch, trace, dH):
    """Backpropagate a gradient with respect to all hidden states of the last layer.

    The result is written to the workspace of the trace: ``gradient``, except for V, c
    and the weights of the pooling, and ``dstart``, if ``batch.start.wants_gradient``.

    Parameters
    ----------
    weights : Weights
    batch : Batch
    trace : Trace
        What :func:`forward` returned. Overwritten.
    dH : list of Tensors of shape (n_rows, nhidden)
        For each direction, the gradient of the loss with respect to ``trace.H``.
    """
    dH = [part.numpy() for part in dH]
    n = batch.packing.batch_sizes[0]
    dlast = [trace.workspace.scratch.zeros(n, part.shape[1]) for part in dH]
    dpooled = None
    if trace.front is not None:
        dpooled = np.zeros_like(trace.front.pooled)
    _backward(batch, trace, dlast, dH, dpooled)


def _backward(batch, trace, dlast, dH, dpooled, dend=()):
    wants_start = batch.start is not None and batch.start.wants_gradient
    workspace, front, condition = trace.workspace, trace.front, trace.condition
    gradient, db, of_context = workspace.gradient.as_arrays(), None, False
    if condition is not None:
        of_context = batch.start is None and condition.start is not None
        if condition.b is not None:
            db = workspace.scratch.take(*condition.b.shape)
            gradient = condition.layers_for(gradient, db)
    wants = wants_start or of_context, dend, front is not None
    dstart = trace.passed.backward(dlast, dH, gradient, *wants)
    if condition is not None:
        written = workspace.gradient, db, dstart if of_context else None
        condition.write_gradients(*written)
    if front is not None:
        of_filters = workspace.gradient.filters_as_arrays()
        front.backward(trace.passed.dx, dpooled, of_filters)
    workspace.dstart = None
    if wants_start:  # copies, since the next batch uses the memory again
        dstart = [[part.copy() for part in of_layer] for of_layer in dstart]
        workspace.dstart = _as_tensors(dstart)


def _as_tensors(states):
    return [[CPU.tensor(part) for part in of_layer] for of_layer in states]


class _Pooled:
    """The vectors that the output layer reads, and the way back.

    Attributes
    ----------
    h : ndarray of shape (n_sequences, n_features_out), or (n_rows, ...)
        0 for sequences without steps.
    """

    def __init__(self, weights, batch, trace):
        self._name = weights.architecture.pooling
        self._passed = passed = trace.passed
        self._front, packing = trace.front, batch.packing
        self._weights, start = weights, batch.start
        if self._name == "none":
            self._flip = packing.flip if len(passed.top) > 1 else None
            self.h = np.concatenate(self._forwards(passed.top), axis=1)
            return
        if self._front is not None:
            packing = self._front.packing
        n, self._lengths = passed.sizes[0], packing.lengths
        if start is not None:
            self._lengths = self._lengths + start.n_steps[:n].numpy()
        self._gathered = [self._gather(i, H, start) for i, H in enumerate(passed.top)]
        parts = [
            pooling.finish(self._name, gathered, self._lengths, H.shape[1])
            for gathered, H in zip(self._gathered, passed.top, strict=True)
        ]
        if self._front is not None:
            parts.append(self._front.pooled)
        self.h = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        n_without_steps = len(batch) - n
        if n_without_steps:
            self.h = np.pad(self.h, [(0, n_without_steps), (0, 0)])

    def _forwards(self, parts):
        """The rows of both directions in the order of the first, or back again."""
        return [part[self._flip] if i else part for i, part in enumerate(parts)]

    def of_rows(self, mask):
        """The rows of `mask`, which has one for each sequence, for the rows of h."""
        if self._name != "none":
            return mask
        return mask[sequences_of_rows(self._passed.sizes)]

    def _gather(self, i, H, start):
        """Gather the states of one direction."""
        n = self._passed.sizes[0]
        if start is None:
            gathered = pooling.nothing(self._name, n, H.shape[1], H.dtype)
        else:
            gathered = start.gathered[:n].numpy().copy()
        sizes, weights = self._passed.sizes, _of_direction(self._weights, i)
        pooling.gather(self._name, H, sizes, gathered, weights)
        return gathered

    def of_filters(self, dh):
        """The gradient with respect to the pooled filters, or None without filters."""
        if self._front is None:
            return None
        n, width = self._front.pooled.shape
        return np.ascontiguousarray(dh[:n, -width:])

    def spread(self, dh, workspace):
        """Compute the gradients with respect to the states of the last layer."""
        top, scratch = self._passed.top, workspace.scratch
        dh = dh[:, : dh.shape[1] - self._weights.architecture.n_features_of_filters]
        parts = [np.ascontiguousarray(dh)]
        if len(top) > 1:
            parts = map(np.ascontiguousarray, np.split(dh, len(top), axis=1))
            parts = list(parts)
        if self._name == "none":
            n = self._passed.sizes[0]
            dlast = [scratch.zeros(n, part.shape[1]) for part in parts]
            return dlast, self._forwards(parts)
        for part in workspace.gradient.of_pooling:
            part.zero_()
        n = self._passed.sizes[0]
        spread = [
            pooling.spread(
                self._name,
                parts[i][:n],
                H,
                self._passed.sizes,
                self._gathered[i],
                self._lengths,
                scratch,
                (
                    *_of_direction(self._weights, i),
                    *_of_direction(workspace.gradient, i),
                ),
            )
            for i, H in enumerate(top)
        ]
        return [dlast for dlast, _ in spread], [dH for _, dH in spread]


def _of_direction(weights, i):
    """The weights of the pooling, or their gradients, for one direction."""
    return tuple(part[i].numpy() for part in weights.of_pooling)


def states_after(weights, batch, workspace):
    """Compute the states after the last step of each sequence of a batch.

    The result is that of :func:`loss_and_gradient`, in ``workspace.end``, to the bit.

    Returns
    -------
    end : list of list of Tensors of shape (n_sequences, nhidden)
        By layer, then direction.
    """
    return _as_tensors(forward(weights, batch, workspace).passed.end())


def top_states(weights, x, packing):
    """Compute the last layer's hidden states, without what only training needs.

    Returns
    -------
    packing : Packing
        That of the states, which have fewer steps than x behind filters.
    top : list of ndarrays of shape (n_rows, nhidden)
        For each direction.
    of_filters : list of ndarrays of shape (n_sequences, n_features_of_filters)
        The pooled filters, if there are any.
    """
    with kernel_imports():
        from skrnn._core.gradient import Pass

    scratch = Scratch(weights.V.numpy().dtype)
    x, packing, front = _through_filters(weights, x, packing, scratch)
    passed = Pass(weights.architecture, weights.as_arrays(), packing, scratch)
    passed.forward(x)
    return packing, passed.top, [] if front is None else [front.pooled]
