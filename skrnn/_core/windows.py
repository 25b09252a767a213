"""The loss of sequences with a target per step, window by window, to bound memory.

A window is a run of steps. It starts from the states in which the window before it has
ended. Either no gradient flows from a window to the one before it (truncated
backpropagation through time), or the gradient flows through all of them: the states
between windows are computed first, and then each window once more, the last one first.
"""

from dataclasses import replace
from itertools import islice

import numpy as np
import torch

from skrnn._core import decoder, emission, network
from skrnn._core.answers import Answer
from skrnn._core.batch import Start
from skrnn._core.encode import states_after

# Maximum number of entries of hidden states in a window. With 128 units, these are
# 8,192 rows, for which a GRU needs about 70 MB; larger windows are not faster.
_MAX_STATES = 2**20


def loss_and_gradient(weights, batch, loss, workspace, truncate=None):
    """Compute the summed loss of a batch; write its gradient to ``workspace.gradient``.

    Parameters
    ----------
    weights : Weights
    batch : Batch
    loss : str
        A module of :mod:`skrnn._core.losses`, or "ctc".
    workspace : Workspace
        With `truncate`, ``workspace.end`` has the states after the last step of the
        sequences that are in the last window.
    truncate : int, default=None
        Number of steps per window, if no gradient should flow from a window to the one
        before it. The batch must have a target per step.

    Returns
    -------
    total : float

    Notes
    -----
    If there is a target per step, and one direction, memory does not grow with the
    number of steps, except for the data and for the states between windows. Without
    `truncate`, a batch of more than one window takes a third more time. With
    transitions, there is one window.
    """
    if batch.past is not None:
        batch = replace(batch, start=states_after(weights, batch.past))
    if isinstance(batch.target, Answer):
        writer = emission if weights.architecture.n_frames else decoder
        return writer.loss_and_gradient(weights, batch, loss, workspace)
    sizes = batch.packing.batch_sizes
    if truncate is not None:
        cuts = range(0, len(sizes), truncate)
        return _truncated(weights, batch.windows(cuts), loss, workspace)
    architecture = weights.architecture
    is_whole = weights.layout.has_transitions or architecture.n_directions > 1
    if architecture.pooling == "none" and not is_whole:
        cuts = _cuts(sizes, _MAX_STATES // sum(architecture.nhidden))
        if len(cuts) > 1:
            windows = list(batch.windows(cuts))
            return _recomputed(weights, windows, loss, workspace)
    return network.loss_and_gradient(weights, batch, loss, workspace)


def _cuts(sizes, max_rows):
    """Return the first step of each window, for windows of at most `max_rows` rows."""
    n_rows, cuts, done = np.cumsum(sizes), [0], 0
    while done + max_rows < n_rows[-1]:
        stop = int(np.searchsorted(n_rows, done + max_rows, side="right"))
        stop = max(stop, cuts[-1] + 1)  # at least one step
        if stop == len(sizes):
            break
        cuts.append(stop)
        done = n_rows[stop - 1]
    return cuts


def _truncated(weights, windows, loss, workspace):
    """Go through the windows once; no gradient flows from one to another."""
    total, gradient = 0.0, _Sum(workspace)
    end = None
    for window in windows:
        if end is not None:
            window = replace(window, start=Start.without_pooling(end, len(window)))
        with gradient:
            total += network.loss_and_gradient(
                weights, window, loss, workspace, wants_end=True
            )
        end = workspace.end
    return total


def _recomputed(weights, windows, loss, workspace):
    """Go through the windows forwards for their states, then backwards."""
    for i in range(len(windows) - 1):
        end = network.states_after(weights, windows[i], workspace)
        start = Start.without_pooling(end, len(windows[i + 1]), wants_gradient=True)
        windows[i + 1] = replace(windows[i + 1], start=start)
    total, gradient = 0.0, _Sum(workspace)
    dend = ()
    for window in reversed(windows):
        with gradient:
            total += network.loss_and_gradient(weights, window, loss, workspace, dend)
        dend = workspace.dstart
    return total


class _Sum:
    """Within this context, a gradient is added to those written in it before."""

    def __init__(self, workspace):
        self._workspace = workspace
        self._sum = None
        self._is_first = True

    def __enter__(self):
        if self._is_first:  # which is often the only one
            return
        flat = self._workspace.gradient.flat
        if self._sum is None:
            self._sum = torch.empty_like(flat)
        self._sum.copy_(flat)

    def __exit__(self, *_):
        if not self._is_first:
            self._workspace.gradient.flat.add_(self._sum)
        self._is_first = False


def spans(shards, truncate, gather=lambda n_rows: [n_rows]):
    """Cut a minibatch into spans of steps, after each of which the weights move.

    A span is one window of truncated backpropagation, or several if few sequences are
    that long: an update by few steps would be as large as one by many.

    Parameters
    ----------
    shards : list of Batch
        The shards of a minibatch, with a target per step.
    truncate : int
        Number of steps per window.
    gather : callable, default=lambda n_rows: [n_rows]
        ``gather(n_rows)`` returns the numbers of rows of each window of all ranks that
        have some of the minibatch.

    Yields
    ------
    shards : list of Batch
        The steps of a span: of all shards, or of the first ones, or of none.
    share : float
        The share of the span, of all ranks, in the steps of the minibatch; 1 if no
        sequence has a step.
    """
    of_shards = [_rows_of_windows(shard, truncate) for shard in shards]
    n_rows = _summed(gather(_summed(of_shards)))
    firsts, n = _worth_an_update(n_rows), int(n_rows.sum())
    cuts = [truncate * window for window in firsts]
    parts = [shard.windows(_below(cuts, shard)) for shard in shards]
    for n_here in np.add.reduceat(n_rows, firsts).tolist():
        these = [shard for part in parts for shard in islice(part, 1)]
        yield these, n_here / n if n else 1.0


def _rows_of_windows(shard, truncate):
    """The number of rows in each window of a batch."""
    sizes = shard.packing.batch_sizes
    return np.add.reduceat(sizes, np.arange(0, len(sizes), truncate))


def _summed(parts):
    """The sum of several numbers of rows by window, of which there is at least one."""
    total = np.zeros(max([1, *map(len, parts)]), np.int64)
    for n_rows in parts:
        total[: len(n_rows)] += n_rows
    return total


def _below(cuts, shard):
    n_steps = len(shard.packing.batch_sizes)
    return [cut for cut in cuts if cut < n_steps]


def _worth_an_update(n_rows):
    """Return the first window of each span, given the number of rows of each window.

    A span has at least half as many rows as the first window has.
    """
    cuts, here, left = [0], 0, int(n_rows.sum())
    for window, n in enumerate(n_rows.tolist()):
        here, left = here + n, left - n
        if left and 2 * min(here, left) >= n_rows[0]:
            cuts.append(window + 1)
            here = 0
    return cuts
