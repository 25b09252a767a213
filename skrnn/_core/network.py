"""The interface to the kernels: weights and a batch in, a loss and its gradient out.

The kernels, in :mod:`skrnn._core.gradient` and the modules that it calls, are compiled,
and do not know the classes that are used here.
"""

from dataclasses import dataclass, replace

from skrnn._core import gradient, losses
from skrnn._core.memory import Scratch
from skrnn._core.pooling import POOLINGS
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
        self.scratch = Scratch(weights.flat)
        self.dstart = self.end = None
        self._memory = self.gradient.flat

    def fit(self, weights):
        """Resize the gradient to match `weights`, whose number of inputs may differ."""
        if weights.n_inputs == self.gradient.n_inputs:
            return
        layout = self.gradient.layout.with_inputs(weights.n_inputs)
        n_weights = layout.n_weights
        if n_weights > len(self._memory):
            self._memory = self._memory.new_empty(n_weights)
        self.gradient = view(layout, self._memory[:n_weights])


def loss_and_gradient(weights, batch, loss, workspace, dend=(), wants_end=False):
    """Compute the summed loss of a batch; write its gradient to ``workspace.gradient``.

    Parameters
    ----------
    weights : Weights
    batch : Batch
    loss : {"cross_entropy", "binary_cross_entropy", "squared_error"}
    workspace : Workspace
    dend : list of list of Tensors of shape (n_that_go_on, nhidden), default=()
        By layer, then direction, a gradient with respect to the states after the last
        step of the first sequences of the packing, which is backpropagated as well.
    wants_end : bool, default=False
        Whether to write ``workspace.end``.

    Returns
    -------
    total : Tensor of shape ()
    """
    workspace.fit(weights)
    written = workspace.gradient
    start = _start(batch)
    n_ends = weights.architecture.make_cell().n_states if wants_end else 0
    total, n_used, dstart, end = gradient.loss_and_gradient(
        weights.architecture.make_cell().kind,
        [*_counts(weights, start), n_ends],
        weights.architecture.pooling,
        loss,
        _as_lists(weights),
        [weights.V, weights.c, *weights.of_pooling],
        _as_lists(written),
        [written.V, written.c, *written.of_pooling],
        batch.x,
        batch.packing.batch_sizes,
        _packing_tensors(batch, weights.architecture),
        batch.target,
        batch.weight,
        list(batch.masks),
        [] if start is None else start.states,
        [] if start is None else [start.gathered, start.n_steps],
        list(dend),
        workspace.scratch.memory,
        losses.MAX_SCORES,
    )
    workspace.scratch.reserve(n_used)
    workspace.dstart = dstart if _wants_gradient(start) else None
    workspace.end = end if wants_end else None
    return total


@dataclass(frozen=True, slots=True)
class Trace:
    """What :func:`forward` passes on to :func:`backward`.

    Attributes
    ----------
    H : list of Tensors of shape (n_rows, nhidden)
        For each direction, the hidden states of the last layer after each step, rows in
        packed order; the second direction is packed in reverse.
    """

    H: list
    _of_layers: list
    _workspace: Workspace


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
    traces = _run_layers(
        weights,
        batch.x,
        batch.packing.batch_sizes,
        _packing_tensors(batch, weights.architecture),
        batch.masks,
        () if batch.start is None else _start(batch).states,
        workspace.scratch,
    )
    top = traces[-weights.architecture.n_directions :]
    return Trace([trace[2] for trace in top], traces, workspace)


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
    workspace, start = trace._workspace, _start(batch)
    workspace.fit(weights)
    n_sequences = batch.packing.batch_sizes[0]
    dstart = gradient.compiled_backward(
        weights.architecture.make_cell().kind,
        _counts(weights, start),
        _as_lists(weights),
        _as_lists(workspace.gradient),
        trace._of_layers,
        [part.new_zeros((n_sequences, part.shape[1])) for part in dH],
        [[part] for part in dH],
        batch.packing.batch_sizes,
        _packing_tensors(batch, weights.architecture),
        list(batch.masks),
        [] if start is None else start.states,
        [],
        weights.V.new_empty(0),
        [0],
    )
    workspace.dstart = dstart if _wants_gradient(start) else None


def top_states(weights, x, packing, states=(), scratch=None):
    """Compute the last layer's hidden states, without a loss.

    Parameters
    ----------
    weights : Weights
    x : Tensor
        As in :class:`skrnn._core.batch.Batch`.
    packing : Packing
    states : list of list of Tensors of shape (n_sequences, nhidden), default=()
        By layer, then direction, the states before the first step; empty if all are 0.
    scratch : Scratch, default=None
        Memory for `top`, until it is used again.

    Returns
    -------
    top : list of Tensors of shape (n_rows, nhidden)
        For each direction, rows in packed order; the second is packed in reverse.
    end : list of list of Tensors of shape (n_sequences, nhidden)
        By layer, then direction, the states after the last step of each sequence.
    """
    tensors = packing_tensors(packing, weights.architecture)
    traces = _run_layers(weights, x, packing.batch_sizes, tensors, (), states, scratch)
    n_states = weights.architecture.make_cell().n_states
    end = gradient.states_at(n_states, traces, packing.last)
    return [trace[2] for trace in traces[-weights.architecture.n_directions :]], end


def states_after(weights, batch, workspace):
    """Compute the states after the last step of each sequence of a batch.

    The result is that of :func:`loss_and_gradient`, in ``workspace.end``, to the bit.

    Returns
    -------
    end : list of list of Tensors of shape (n_sequences, nhidden)
        By layer, then direction.
    """
    trace = forward(weights, batch, workspace)
    n_states = weights.architecture.make_cell().n_states
    return gradient.states_at(n_states, trace._of_layers, batch.packing.last)


def _run_layers(weights, x, batch_sizes, tensors, masks=(), states=(), scratch=None):
    """Run all layers; see :func:`skrnn._core.gradient.forward`."""
    memory = weights.V.new_empty(0) if scratch is None else scratch.memory
    traces, n_used = gradient.forward_alone(
        weights.architecture.make_cell().kind,
        _counts(weights),
        _as_lists(weights),
        x,
        batch_sizes,
        tensors,
        list(masks),
        list(states),
        memory,
    )
    if scratch is not None:
        scratch.reserve(n_used)  # from the next call on
    return traces


def packing_tensors(packing, architecture, has_masks=False):
    """Return the tensors of a Packing that compiled code needs, by name."""
    tensors = {
        "last": packing.last,
        "previous": packing.previous,
        "lengths": packing.lengths,
    }
    if has_masks or POOLINGS[architecture.pooling].NEEDS_SEQUENCE:
        tensors["sequence"] = packing.sequence
    if architecture.bidirectional:
        tensors["flip"] = packing.flip
    return tensors


def _start(batch):
    """The Start of the sequences of a batch that have steps, or None."""
    n_with_steps, start = batch.packing.batch_sizes[0], batch.start
    if start is None or len(start.n_steps) == n_with_steps:
        return start
    states = [[state[:n_with_steps] for state in layer] for layer in start.states]
    gathered, n_steps = start.gathered[:n_with_steps], start.n_steps[:n_with_steps]
    return replace(start, states=states, gathered=gathered, n_steps=n_steps)


def _packing_tensors(batch, architecture):
    return packing_tensors(batch.packing, architecture, len(batch.masks) > 0)


def _as_lists(weights):
    return [[layer.U, layer.W, layer.b] for layer in weights.all_layers()]


def _counts(weights, start=None):
    cell = weights.architecture.make_cell()
    n_directions = weights.architecture.n_directions
    return [cell.n_states, cell.n_kept, n_directions, int(_wants_gradient(start))]


def _wants_gradient(start):
    return start is not None and start.wants_gradient
