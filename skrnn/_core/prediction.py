"""Codes of sequences, without a gradient and without keeping the states of all steps.

One direction at a time, level by level: a level holds the state of every sequence, or
of every distinct prefix, after the same number of steps. Only networks of several
bidirectional layers need all steps at once.
"""

from itertools import chain

import numpy as np
import torch

from skrnn._core import gradient, pooling, recurrence
from skrnn._core.cells import step
from skrnn._core.memory import Scratch
from skrnn._core.packing import batches_by_length, pack
from skrnn._core.prefixes import prefix_tree, sort_by_prefix

# Sequences in one level, whose states are to fit into the cache of a core.
_MAX_SEQUENCES = 4096
# Steps of all sequences of one batch, whose indices are in memory at once.
_MAX_ROWS = 2**18
# Rows of input whose products by U are in memory at once.
_MAX_WINDOW = 8192


def encode(weights, values, offsets, run=map, keys=None):
    """The pooled hidden states of each sequence.

    Parameters
    ----------
    weights : Weights
    values : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
        Token ids or numbers of all sequences, end to end.
    offsets : ndarray of shape (n_samples + 1,)
    run : callable, default=map
        ``run(function, batches)`` calls `function` with each batch, maybe at once.
    keys : ndarray of shape (n_rows,), int, default=None
        Sequences whose first keys are equal have equal first values: these steps are
        computed only once. None computes each sequence from its first step.

    Returns
    -------
    h : Tensor of shape (n_samples, n_features_out)

    Notes
    -----
    Memory O(1) in the number of sequences, but for `values` and the result.

    A sequence gets the same h, to the last bit where the BLAS allows, whatever the
    other sequences are. Matrix products of one row, and those by a transposed matrix,
    round differently from larger ones; so W and U lie in memory as the products want
    them, and no level has less than two rows.
    """
    n_features = weights.architecture.n_features_out
    h = weights.V.new_empty((len(offsets) - 1, n_features))
    starts, lengths = offsets[:-1], np.diff(offsets)
    if weights.architecture.bidirectional and len(weights.layers) > 1:
        _encode_all_steps(weights, values, starts, lengths, h, run)
        return h
    parts = h.chunk(weights.architecture.n_directions, dim=1)
    for direction, out in enumerate(parts):
        reader = _Reader(weights, direction)
        is_reversed = direction == 1
        # From the end, n-grams of equal tokens differ by what comes before them.
        if keys is not None and not (is_reversed and values.ndim == 2):
            _encode_tokens(reader, values, keys, starts, lengths, is_reversed, out, run)
        else:
            _encode_packed(reader, values, starts, lengths, is_reversed, out, run)
    return h


def useful_threads(offsets, n_threads):
    """How many threads a prediction is worth: two full batches for each.

    Between operations, threads wait for each other; few batches are as fast on one.
    """
    n_sequences, n_rows = len(offsets) - 1, int(offsets[-1])
    worth = max(n_sequences // (2 * _MAX_SEQUENCES), n_rows // (2 * _MAX_ROWS))
    return max(1, min(n_threads, worth))


def states_after(weights, values, starts, lengths):
    """Where sequences stand after some first steps, for a network of one direction.

    Parameters
    ----------
    weights : Weights
    values : Tensor
        As in :func:`encode`.
    starts, lengths : ndarrays of shape (n_sequences,), int64
        The first step of each sequence in `values`, and how many steps to read, which
        may be 0.

    Returns
    -------
    start : gradient.Start

    Notes
    -----
    Memory O(n_sequences), and O(1) in the number of steps.
    """
    reader = _Reader(weights, 0)
    states = [
        [weights.V.new_zeros((len(starts), n)) for _ in range(reader.cell.n_states)]
        for n in weights.architecture.nhidden
    ]
    gathered = pooling.nothing(reader.pooling, len(starts), states[-1][0])
    some = np.flatnonzero(lengths)
    if len(some):
        some = some[np.argsort(-lengths[some], kind="stable")]
        levels = _levels(reader, values, starts[some], lengths[some])
        order, last = reader.read(levels, len(some), keep_states=True)
        at = torch.from_numpy(some)[order]
        everything = [*chain.from_iterable(states), gathered]
        for whole, part in zip(everything, last, strict=True):
            whole.index_copy_(0, at, part)
    return gradient.Start(states, gathered, torch.from_numpy(lengths))


class _Reader:
    """One direction of a network, ready to read level by level.

    Parameters
    ----------
    weights : Weights
    direction : {0, 1}
    """

    def __init__(self, weights, direction):
        self.cell = weights.architecture.make_cell()
        self.pooling = weights.architecture.pooling
        self.layers = [directions[direction] for directions in weights.layers]
        self.W_T = [layer.W.T.contiguous() for layer in self.layers]
        self.table = None
        self._scratches = []  # of batches that are done

    def read(self, levels, n_sequences, keep_states=False):
        """Run all layers through levels of steps.

        Parameters
        ----------
        levels : iterable of (inputs, previous, ends)
            inputs : token ids, or what the input adds for the first layer, of each
            node. previous : int or Tensor, the nodes of the level before that these go
            on from, the first ones or by index; None on the first level. ends :
            (sequences, nodes) that end here, or None.
        n_sequences : int
        keep_states : bool, default=False

        Returns
        -------
        order : Tensor of shape (n_sequences,), int64
            The sequences, those that end first first.
        last : list of Tensors of shape (n_sequences, nhidden or gathered_width)
            In that order: all states of all layers, if they are to be kept, and what
            the pooling has gathered.
        """
        cell, V = self.cell, self.layers[0].b
        try:
            scratches = self._scratches.pop()
        except IndexError:
            scratches = _two_scratches(V)
        widths = []
        if keep_states:
            widths = [len(W_T) for W_T in self.W_T for _ in range(cell.n_states)]
        widths.append(pooling.gathered_width(self.pooling, len(self.W_T[-1])))
        last = [V.new_empty((n_sequences, width)) for width in widths]
        order, n_ended = [], 0
        states, gathered = [()] * len(self.layers), None
        for t, (inputs, previous, ends) in enumerate(levels):
            if len(inputs) == 1:  # a product of one row rounds differently
                inputs, previous = _twice(inputs, previous)
            new = scratches[t % 2].new
            scratches[t % 2].reset(len(inputs))
            for k, layer in enumerate(self.layers):
                before = _continued(states[k], previous, new)
                G = self._inputs(k, inputs if k == 0 else states[k - 1][0], layer, new)
                width = len(self.W_T[k])
                kept = [new(width) for _ in range(cell.n_kept)]
                step(cell.kind, G, kept, before, self.W_T[k])
                states[k] = (kept or [G])[: cell.n_states]
            if gathered is not None and pooling.looks_back(self.pooling):
                (gathered,) = _continued((gathered,), previous, new)
            gathered = pooling.gather(self.pooling, gathered, states[-1][0])
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
        """What the input adds to each node in one layer."""
        if k == 0 and x.is_floating_point():
            return x
        G = new(len(layer.b))
        if k == 0 and x.dim() == 1:
            torch.index_select(self.table, 0, x, out=G)
        else:
            recurrence.add_inputs(layer.U, layer.b, x, G)
        return G


def _two_scratches(like):
    """One for this level and one for the level before, in turn."""
    return Scratch(like.dtype), Scratch(like.dtype)


def _twice(inputs, previous):
    """Two equal nodes instead of one."""
    inputs = torch.cat([inputs, inputs])
    if isinstance(previous, int):
        previous = torch.zeros(2, dtype=torch.int64)
    elif previous is not None:
        previous = torch.cat([previous, previous])
    return inputs, previous


def _continued(states, previous, new):
    """The rows that the nodes of a level go on from."""
    if previous is None:
        return []
    if isinstance(previous, int):
        return [state[:previous] for state in states]
    return [
        torch.index_select(state, 0, previous, out=new(state.shape[1]))
        for state in states
    ]


def _encode_tokens(reader, values, keys, starts, lengths, is_reversed, out, run):
    """Token sequences: distinct prefixes only."""
    if is_reversed:  # the last token first
        keys, starts = keys[::-1], len(keys) - starts - lengths
        values = values.flip(0)
    layer = reader.layers[0]
    reader.table = recurrence.token_table(layer.U, layer.b)

    def encode_batch(batch):
        chosen, shared = batch
        tree = prefix_tree(starts[chosen], lengths[chosen], shared)
        _finish(reader, _tree_levels(tree, values), chosen, lengths, out)

    for some in _in_runs(lengths):
        order, shared = sort_by_prefix(keys, starts[some], lengths[some])
        cuts = range(_MAX_SEQUENCES, len(order), _MAX_SEQUENCES)
        batches = zip(np.split(some[order], cuts), np.split(shared, cuts), strict=True)
        list(run(encode_batch, batches))


def _in_runs(lengths):
    """Consecutive sequences, of `_MAX_ROWS` steps together or a few more."""
    n_rows = np.cumsum(lengths)
    cuts = np.searchsorted(n_rows, np.arange(_MAX_ROWS, n_rows[-1], _MAX_ROWS))
    return [some for some in np.split(np.arange(len(lengths)), cuts) if len(some)]


def _tree_levels(tree, values):
    """The levels of :meth:`_Reader.read` for distinct prefixes."""
    tokens = values.index_select(0, tree.rows).split(tree.sizes)
    previous = [None, *tree.parents]
    for ids, before, ends in zip(tokens, previous, tree.ends, strict=True):
        yield ids, before, ends if len(ends[0]) else None


def _encode_packed(reader, values, starts, lengths, is_reversed, out, run):
    """Sequences of numbers, or any without sharing, longest first."""

    def encode_batch(chosen):
        # The longest sequence twice, so that no level has a single row.
        both = np.append(chosen[0], chosen)
        levels = _levels(reader, values, starts[both], lengths[both], is_reversed)
        _finish(reader, levels, both, lengths, out)

    list(run(encode_batch, batches_by_length(lengths, _MAX_ROWS, _MAX_SEQUENCES)))


def _levels(reader, values, starts, lengths, is_reversed=False):
    """The levels of :meth:`_Reader.read` for sequences, the longest first."""
    alive = len(lengths) - np.cumsum(np.bincount(lengths))  # longer than 0, 1, ...
    sizes = alive[:-1]
    n_rows = np.cumsum(sizes)
    U, b = reader.layers[0].U, reader.layers[0].b
    is_one_token = values.dim() == 1
    table = recurrence.token_table(U, b) if is_one_token else None
    first = 0
    while first < len(sizes):
        done = n_rows[first] - sizes[first]
        stop = int(np.searchsorted(n_rows, done + _MAX_WINDOW, side="right"))
        stop = max(stop, first + 1)
        step_of = np.repeat(np.arange(first, stop), sizes[first:stop])
        rank = np.arange(done, n_rows[stop - 1]) - (n_rows - sizes)[step_of]
        if is_reversed:
            rows = starts[rank] + lengths[rank] - 1 - step_of
        else:
            rows = starts[rank] + step_of
        x = values.index_select(0, torch.from_numpy(rows))
        G = b.new_empty((len(rows), len(b)))
        if table is None:
            recurrence.add_inputs(U, b, x, G)
        else:
            torch.index_select(table, 0, x, out=G)
        for t, g in enumerate(G.split(sizes[first:stop].tolist()), start=first):
            n_next = int(sizes[t + 1]) if t + 1 < len(sizes) else 0
            ended = torch.arange(n_next, len(g))
            previous = None if t == 0 else len(g)
            yield g, previous, (ended, ended) if len(ended) else None
        first = stop


def _finish(reader, levels, chosen, lengths, out):
    """Write the pooled states of the sequences of one batch."""
    order, (gathered,) = reader.read(levels, len(chosen))
    at = torch.from_numpy(chosen)[order]
    n_steps = torch.from_numpy(lengths).index_select(0, at)
    out.index_copy_(0, at, pooling.finish(reader.pooling, gathered, n_steps))


def _encode_all_steps(weights, values, starts, lengths, out, run):
    """Several bidirectional layers, each of which reads all states of those below."""
    architecture = weights.architecture

    def encode_batch(chosen):
        # The longest sequence twice, so that no level has a single row.
        both = np.append(chosen, chosen[0])
        packing, top = _all_states(weights, values, starts[both], lengths[both])
        tensors = gradient.as_dict(packing, architecture)
        pooled = [
            pooling.pool(architecture.pooling, H, packing.batch_sizes, tensors, [])[0]
            for H in top
        ]
        out[torch.from_numpy(both)[packing.indices]] = torch.cat(pooled, dim=1)

    list(run(encode_batch, batches_by_length(lengths, _MAX_WINDOW, _MAX_SEQUENCES)))


def states_of_all_steps(weights, values, offsets):
    """The hidden states of the last layer after each step, for one direction.

    Parameters
    ----------
    weights, values, offsets
        As in :func:`encode`.

    Yields
    ------
    rows : Tensor of shape (n,), int64
        Some rows of `values`; all together each once.
    H : Tensor of shape (n, nhidden)
        The states after these steps.
    """
    starts, lengths = offsets[:-1], np.diff(offsets)
    for chosen in batches_by_length(lengths, _MAX_WINDOW, _MAX_SEQUENCES):
        packing, (H,) = _all_states(weights, values, starts[chosen], lengths[chosen])
        yield packing.rows, H


def _all_states(weights, values, starts, lengths):
    """The packing of sequences, and the states of all steps, one tensor a direction."""
    (packing,) = pack(starts, lengths)
    x = values.index_select(0, packing.rows)
    return packing, gradient.top_states(weights, x, packing)
