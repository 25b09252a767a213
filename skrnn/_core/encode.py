"""Pooled hidden states, without gradients and without keeping the states of all steps.

Each direction is computed level by level: a level holds the state of every sequence, or
of every distinct prefix, after the same number of steps. Only networks with several
bidirectional layers need the states of all steps at once.
"""

from itertools import chain

import numpy as np
import torch

from skrnn._core import network, recurrence
from skrnn._core.batch import Start
from skrnn._core.cells import step
from skrnn._core.execution import CPU, LEAST_ROWS
from skrnn._core.memory import Scratch
from skrnn._core.packing import batches_by_length, pack
from skrnn._core.pooling import POOLINGS, pool
from skrnn._core.prefixes import prefix_tree, sort_by_prefix

# Maximum number of sequences on a level: their states should fit into a core's cache.
_MAX_SEQUENCES = 4096
# Maximum number of steps in a batch: their indices are in memory at once.
_MAX_ROWS = 2**18
# Maximum number of rows of input whose products with U are in memory at once.
_MAX_WINDOW = 8192
# Which of n rows, for n below LEAST_ROWS, stand where they are repeated.
_PLACES = [CPU.tensor(np.arange(LEAST_ROWS) % max(n, 1)) for n in range(LEAST_ROWS)]


def encode(weights, values, offsets, run=map, keys=None, execution=CPU):
    """Compute the pooled hidden states of each sequence.

    Parameters
    ----------
    weights : Weights
    values : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
        Token ids or numeric values of all sequences, concatenated.
    offsets : ndarray of shape (n_samples + 1,)
        The h of a sequence without steps is 0.
    run : callable, default=map
        ``run(function, batches)`` calls `function` with each batch, possibly in
        parallel.
    keys : ndarray of shape (n_rows,), int, default=None
        Sequences with the same first keys have the same first values, so these steps
        are computed only once. With None, each sequence is computed from its first
        step.
    execution : Execution, default=CPU

    Returns
    -------
    h : Tensor of shape (n_samples, n_features_out)

    Notes
    -----
    Memory O(1) in the number of sequences, except for `values` and the result.

    The h of a sequence does not depend on the other sequences, to the last bit if the
    BLAS allows it. Matrix products of few rows, and products with a transposed matrix,
    round differently from larger ones; so W and U are stored as the products need them,
    and no level has fewer than `LEAST_ROWS` rows.
    """
    n_features = weights.architecture.n_features_out
    has_steps = np.flatnonzero(np.diff(offsets))
    if len(has_steps) < len(offsets) - 1:
        h = weights.V.new_zeros((len(offsets) - 1, n_features))
        if len(has_steps):
            offsets = np.append(offsets[has_steps], offsets[-1])
            part = encode(weights, values, offsets, run, keys, execution)
            h[execution.tensor(has_steps)] = part
        return h
    h = weights.V.new_empty((len(offsets) - 1, n_features))
    if weights.architecture.bidirectional and len(weights.layers) > 1:
        _encode_all_steps(weights, values, offsets, h, run, execution)
        return h
    parts = h.chunk(weights.architecture.n_directions, dim=1)
    for direction, out in enumerate(parts):
        stepper = _Stepper(weights, direction, execution)
        # In reverse, equal tokens may have different n-grams, which also depend on the
        # tokens before them.
        if keys is not None and not (direction == 1 and values.ndim == 2):
            _encode_tokens(stepper, values, keys, offsets, out, run)
        else:
            _encode_packed(stepper, values, offsets, out, run)
    return h


def _with_longest_repeated(chosen):
    """Repeat the longest sequence, which comes first, so that no level has few rows."""
    return np.append(np.repeat(chosen[0], LEAST_ROWS - 1), chosen)


def useful_threads(offsets, n_threads):
    """Return how many threads are worthwhile: at least two full batches for each.

    Threads wait for each other between operations; few batches are as fast on one.
    """
    n_sequences, n_rows = len(offsets) - 1, int(offsets[-1])
    worth = max(n_sequences // (2 * _MAX_SEQUENCES), n_rows // (2 * _MAX_ROWS))
    return max(1, min(n_threads, worth))


def states_after(weights, past, execution=CPU):
    """Compute the state of sequences after their past, for a network of one direction.

    Parameters
    ----------
    weights : Weights
    past : Past
        Some sequences may have no steps in it.
    execution : Execution, default=CPU

    Returns
    -------
    start : Start

    Notes
    -----
    Memory O(n_sequences), and O(1) in the number of steps.
    """
    starts, lengths = past.starts, past.lengths
    stepper = _Stepper(weights, 0, execution)
    states = [
        [weights.V.new_zeros((len(starts), n)) for _ in range(stepper.cell.n_states)]
        for n in weights.architecture.nhidden
    ]
    gathered = stepper.pooling.nothing(len(starts), states[-1][0])
    some = np.flatnonzero(lengths)
    if len(some):
        some = some[np.argsort(-lengths[some], kind="stable")]
        levels = _levels(stepper, past.values, starts[some], lengths[some])
        order, last = stepper.read(levels, len(some), keep_states=True)
        at = execution.tensor(some)[order]
        everything = [*chain.from_iterable(states), gathered]
        for whole, part in zip(everything, last, strict=True):
            whole.index_copy_(0, at, part)
    return Start(states, gathered, execution.tensor(lengths))


class _Stepper:
    """One direction of a network, ready to take steps level by level.

    Parameters
    ----------
    weights : Weights
    direction : {0, 1}
        1 takes the steps in reverse.
    execution : Execution
    """

    def __init__(self, weights, direction, execution):
        self.execution = execution
        self.is_reversed = direction == 1
        self.cell = weights.architecture.make_cell()
        self.pooling = POOLINGS[weights.architecture.pooling]
        self.of_pooling = [part[direction] for part in weights.of_pooling]
        self.layers = [directions[direction] for directions in weights.layers]
        self.W_T = [layer.W.T.contiguous() for layer in self.layers]
        self.table = None
        self._scratches = []  # of completed batches

    def read(self, levels, n_sequences, keep_states=False):
        """Run all layers through levels of steps.

        Parameters
        ----------
        levels : iterable of (inputs, previous, ends)
            inputs : for each node, its token ids or its ``U x + b`` in the first layer.
            previous : the nodes of the previous level that these continue: the first
            ones, as their number, or a Tensor of indices; None on the first level.
            ends : (sequences, nodes) that end here, or None.
        n_sequences : int
        keep_states : bool, default=False

        Returns
        -------
        order : Tensor of shape (n_sequences,), int64
            The sequences, in the order in which they end.
        last : list of Tensors of shape (n_sequences, nhidden or gathered_width)
            In that order: all states of all layers, if `keep_states`, and what the
            pooling has gathered.
        """
        cell, V = self.cell, self.layers[0].b
        try:
            scratches = self._scratches.pop()
        except IndexError:
            scratches = _two_scratches(V)
        widths = []
        if keep_states:
            widths = [len(W_T) for W_T in self.W_T for _ in range(cell.n_states)]
        widths.append(self.pooling.gathered_width(len(self.W_T[-1])))
        last = [V.new_empty((n_sequences, width)) for width in widths]
        order, n_ended = [], 0
        states, gathered = [()] * len(self.layers), None
        for t, (inputs, previous, ends) in enumerate(levels):
            if len(inputs) < LEAST_ROWS:
                inputs, previous = _padded(inputs, previous)
            new = scratches[t % 2].new
            scratches[t % 2].reset(len(inputs))
            for k, layer in enumerate(self.layers):
                before = _continued(states[k], previous, new)
                G = self._inputs(k, inputs if k == 0 else states[k - 1][0], layer, new)
                width = len(self.W_T[k])
                kept = [new(width) for _ in range(cell.n_kept)]
                step(cell.kind, G, kept, before, self.W_T[k])
                states[k] = (kept or [G])[: cell.n_states]
            if gathered is not None and self.pooling.LOOKS_BACK:
                (gathered,) = _continued((gathered,), previous, new)
            gathered = self.pooling.gather(gathered, states[-1][0], self.of_pooling)
            if ends is None:
                continue
            sequences, nodes = ends
            order.append(sequences)
            rows = slice(n_ended, n_ended + len(nodes))
            n_ended = rows.stop
            parts = (
                [state for layer in states for state in layer] if keep_states else []
            )
            for whole, part in zip(last, [*parts, gathered], strict=True):
                torch.index_select(part, 0, nodes, out=whole[rows])
        self._scratches.append(scratches)
        return torch.cat(order), last

    def _inputs(self, k, x, layer, new):
        """Compute ``U x + b`` for each node in one layer."""
        if k == 0 and x.is_floating_point():
            return x
        G = new(len(layer.b))
        if k == 0 and x.dim() == 1:
            torch.index_select(self.table, 0, x, out=G)
        else:
            recurrence.add_inputs(layer.U, layer.b, x, G)
        return G


def _two_scratches(like):
    """Return two Scratches, which successive levels use in turn."""
    return Scratch(like), Scratch(like)


def _padded(inputs, previous):
    """Repeat nodes until there are `LEAST_ROWS` of them."""
    places = _PLACES[len(inputs)].to(inputs.device)
    if previous is not None:
        is_first = isinstance(previous, int)
        previous = places if is_first else previous.index_select(0, places)
    return inputs.index_select(0, places), previous


def _continued(states, previous, new):
    """Return the rows of the previous level that the nodes of a level continue."""
    if previous is None:
        return []
    if isinstance(previous, int):
        return [state[:previous] for state in states]
    return [
        torch.index_select(state, 0, previous, out=new(state.shape[1]))
        for state in states
    ]


def _encode_tokens(stepper, values, keys, offsets, out, run):
    """Encode token sequences, computing each distinct prefix once."""
    starts, lengths = offsets[:-1], np.diff(offsets)
    if stepper.is_reversed:  # the last token first
        keys, starts = keys[::-1], len(keys) - starts - lengths
        values = values.flip(0)
    layer = stepper.layers[0]
    stepper.table = recurrence.token_table(layer.U, layer.b)

    def encode_batch(batch):
        chosen, shared = batch
        tree = prefix_tree(starts[chosen], lengths[chosen], shared, stepper.execution)
        _finish(stepper, _tree_levels(tree, values), chosen, lengths, out)

    for some in _in_runs(lengths):
        order, shared = sort_by_prefix(keys, starts[some], lengths[some])
        cuts = range(_MAX_SEQUENCES, len(order), _MAX_SEQUENCES)
        batches = zip(np.split(some[order], cuts), np.split(shared, cuts), strict=True)
        list(run(encode_batch, batches))


def _in_runs(lengths):
    """Split the sequences into consecutive runs of about `_MAX_ROWS` steps each."""
    n_rows = np.cumsum(lengths)
    cuts = np.searchsorted(n_rows, np.arange(_MAX_ROWS, n_rows[-1], _MAX_ROWS))
    return [some for some in np.split(np.arange(len(lengths)), cuts) if len(some)]


def _tree_levels(tree, values):
    """Yield the levels for :meth:`_Stepper.read`, of distinct prefixes."""
    tokens = values.index_select(0, tree.rows).split(tree.sizes)
    previous = [None, *tree.parents]
    for ids, before, ends in zip(tokens, previous, tree.ends, strict=True):
        yield ids, before, ends if len(ends[0]) else None


def _encode_packed(stepper, values, offsets, out, run):
    """Encode sequences longest first, without sharing prefixes."""
    starts, lengths = offsets[:-1], np.diff(offsets)

    def encode_batch(chosen):
        both = _with_longest_repeated(chosen)
        levels = _levels(stepper, values, starts[both], lengths[both])
        _finish(stepper, levels, both, lengths, out)

    list(run(encode_batch, batches_by_length(lengths, _MAX_ROWS, _MAX_SEQUENCES)))


def _levels(stepper, values, starts, lengths):
    """Yield the levels for :meth:`_Stepper.read`, of sequences sorted longest first."""
    alive = len(lengths) - np.cumsum(np.bincount(lengths))  # at step 0, 1, ...
    sizes = alive[:-1]
    n_rows = np.cumsum(sizes)
    U, b = stepper.layers[0].U, stepper.layers[0].b
    is_one_token = values.dim() == 1
    table = recurrence.token_table(U, b) if is_one_token else None
    first = 0
    while first < len(sizes):
        done = n_rows[first] - sizes[first]
        stop = int(np.searchsorted(n_rows, done + _MAX_WINDOW, side="right"))
        stop = max(stop, first + 1)
        step_of = np.repeat(np.arange(first, stop), sizes[first:stop])
        rank = np.arange(done, n_rows[stop - 1]) - (n_rows - sizes)[step_of]
        if stepper.is_reversed:
            rows = starts[rank] + lengths[rank] - 1 - step_of
        else:
            rows = starts[rank] + step_of
        x = values.index_select(0, stepper.execution.tensor(rows))
        G = b.new_empty((len(rows), len(b)))
        if table is None:
            recurrence.add_inputs(U, b, x, G)
        else:
            torch.index_select(table, 0, x, out=G)
        for t, g in enumerate(G.split(sizes[first:stop].tolist()), start=first):
            n_next = int(sizes[t + 1]) if t + 1 < len(sizes) else 0
            ended = torch.arange(n_next, len(g), device=g.device)
            previous = None if t == 0 else len(g)
            yield g, previous, (ended, ended) if len(ended) else None
        first = stop


def _finish(stepper, levels, chosen, lengths, out):
    """Write the pooled hidden states of the sequences of one batch."""
    tensor = stepper.execution.tensor
    order, (gathered,) = stepper.read(levels, len(chosen))
    at = tensor(chosen)[order]
    n_steps = tensor(lengths).index_select(0, at)
    out.index_copy_(0, at, stepper.pooling.finish(gathered, n_steps))


def _encode_all_steps(weights, values, offsets, out, run, execution):
    """Encode with bidirectional layers that read all states of the layer below."""
    architecture = weights.architecture
    lengths = np.diff(offsets)

    def encode_batch(chosen):
        both = _with_longest_repeated(chosen)
        packing, top = _all_states(weights, values, offsets, both, execution)
        tensors = network.packing_tensors(packing, architecture)
        pooled = []
        for i, H in enumerate(top):
            of_pooling = [part[i] for part in weights.of_pooling]
            sizes = packing.batch_sizes
            h, _ = pool(architecture.pooling, H, sizes, tensors, [], of_pooling)
            pooled.append(h)
        out[execution.tensor(both)[packing.indices]] = torch.cat(pooled, dim=1)

    list(run(encode_batch, batches_by_length(lengths, _MAX_WINDOW, _MAX_SEQUENCES)))


def states_of_all_steps(weights, values, offsets, execution=CPU):
    """Compute the hidden states of the last layer after each step.

    Parameters
    ----------
    weights, values, offsets, execution
        As in :func:`encode`.

    Yields
    ------
    rows : Tensor of shape (n,), int64
        Some rows of `values`; over all yields, each row occurs once.
    H : Tensor of shape (n, n_directions * nhidden)
        The hidden states after these steps, both directions side by side. The next
        yield may overwrite them.
    """
    lengths, scratch = np.diff(offsets), Scratch(weights.V)
    for chosen in batches_by_length(lengths, _MAX_WINDOW, _MAX_SEQUENCES):
        if weights.architecture.bidirectional:
            packing, top = _all_states(weights, values, offsets, chosen, execution)
            # The second is packed in reverse.
            top = [top[0], top[1].index_select(0, packing.flip)]
            yield packing.rows, torch.cat(top, 1)
            continue
        (packing,) = pack(offsets[:-1][chosen], lengths[chosen], execution=execution)
        # Only a single sequence has more than one window.
        cuts, states = range(0, len(packing.batch_sizes), _MAX_WINDOW), ()
        for _, window in packing.windows(cuts):
            x = values.index_select(0, window.rows)
            (H,), states = network.top_states(weights, x, window, states, scratch)
            yield window.rows, H


def _all_states(weights, values, offsets, chosen, execution):
    """Pack sequences, and compute all hidden states, one tensor per direction."""
    starts, lengths = offsets[:-1][chosen], np.diff(offsets)[chosen]
    (packing,) = pack(starts, lengths, execution=execution)
    x = values.index_select(0, packing.rows)
    top, _ = network.top_states(weights, x, packing)
    return packing, top


def output_scores(V, c, h):
    """Compute ``V h + c``, of shape (n_sequences, n_outputs).

    The scores of a sequence do not depend on other sequences; see :func:`encode`.

    Parameters
    ----------
    V : Tensor of shape (n_outputs, n_features_out)
    c : Tensor of shape (n_outputs,)
    h : Tensor of shape (n_sequences, n_features_out)
    """
    rows = h
    if 0 < len(h) < LEAST_ROWS:
        rows = h.index_select(0, _PLACES[len(h)].to(h.device))
    if len(V) == 1:  # a product by one column rounds by the number of rows
        V, c = V.expand(2, -1), c.expand(2)
        return torch.addmm(c, rows, V.T.contiguous())[: len(h), :1]
    return torch.addmm(c, rows, V.T.contiguous())[: len(h)]
