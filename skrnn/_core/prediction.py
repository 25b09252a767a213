"""Codes of sequences, without a gradient and without keeping the states of all steps.

One direction at a time, level by level: a level holds the state of every sequence, or
of every distinct prefix, after the same number of steps. Only networks of several
bidirectional layers need all steps at once.
"""

from dataclasses import replace

import numpy as np
import torch

from skrnn._core import network, recurrence
from skrnn._core.cells import step
from skrnn._core.packing import batches_by_length, pack
from skrnn._core.pooling import POOLINGS
from skrnn._core.prefixes import prefix_tree, sort_by_prefix

# Sequences in one level, whose states are to fit into the cache of a core.
_MAX_SEQUENCES = 4096
# Steps of all sequences of one batch, whose indices are in memory at once.
_MAX_ROWS = 2**18
# Rows of input whose products by U are in memory at once.
_MAX_WINDOW = 8192


def encode(weights, values, offsets, run=map, share_prefixes=True):
    """The pooled hidden states of each sequence.

    Parameters
    ----------
    weights : Weights
    values : Tensor of shape (n_rows,), int64, or (n_rows, n_inputs)
        Token ids or numbers of all sequences, end to end.
    offsets : ndarray of shape (n_samples + 1,)
    run : callable, default=map
        ``run(function, batches)`` calls `function` with each batch, maybe at once.
    share_prefixes : bool, default=True
        Compute what token sequences begin with in common only once. False is for
        tests.

    Returns
    -------
    h : Tensor of shape (n_samples, n_features_out)

    Notes
    -----
    Memory O(1) in the number of sequences, but for `values` and the result.

    A sequence gets the same h, to the last bit where the BLAS allows, whatever the
    other sequences are. Matrix products of one row, and those by a transposed matrix,
    round differently from larger ones; so W is transposed in memory, and no level has
    less than two rows.
    """
    h = weights.V.new_empty((len(offsets) - 1, weights.V.shape[1]))
    starts, lengths = offsets[:-1], np.diff(offsets)
    if weights.architecture.bidirectional and len(weights.layers) > 1:
        _encode_all_steps(weights, values, starts, lengths, h, run)
        return h
    parts = h.chunk(weights.architecture.n_directions, dim=1)
    for direction, out in enumerate(parts):
        reader = _Reader(weights, direction)
        is_reversed = direction == 1
        if values.ndim == 1 and share_prefixes:
            _encode_tokens(reader, values, starts, lengths, is_reversed, out, run)
        else:
            _encode_packed(reader, values, starts, lengths, is_reversed, out, run)
    return h


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
    start : network.Start
    """
    reader = _Reader(weights, 0)
    states = [
        tuple(
            weights.V.new_zeros((len(starts), n)) for _ in range(reader.cell.n_states)
        )
        for n in weights.architecture.nhidden
    ]
    gathered = states[-1][0].clone()
    if weights.architecture.pooling == "max":
        gathered.fill_(-torch.inf)
    some = np.flatnonzero(lengths)
    if len(some):
        (packing,) = pack(starts[some], lengths[some])
        levels = _packed_levels(reader, values, packing)
        order, last = reader.read(levels, len(some), keep_states=True)
        at = torch.from_numpy(some)[packing.indices][order]
        for whole, part in zip([*sum(states, ()), gathered], last, strict=True):
            whole.index_copy_(0, at, part)
    return network.Start(states, gathered, torch.from_numpy(lengths))


class _Reader:
    """One direction of a network, ready to read level by level.

    Parameters
    ----------
    weights : Weights
    direction : {0, 1}
    """

    def __init__(self, weights, direction):
        self.cell = weights.architecture.make_cell()
        self.pooling = POOLINGS[weights.architecture.pooling]
        first, *above = [directions[direction] for directions in weights.layers]
        # Products by a view of the transpose would round by the number of rows.
        self.layers = [first, *(replace(x, U=x.U.contiguous()) for x in above)]
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
        last : list of Tensors of shape (n_sequences, nhidden)
            In that order: all states of all layers, if they are to be kept, and what
            the pooling has gathered.
        """
        cell, V = self.cell, self.layers[0].b
        scratches = self._scratches.pop() if self._scratches else _two_scratches(V)
        widths = [len(self.W_T[-1])]
        if keep_states:
            widths = [len(W_T) for W_T in self.W_T for _ in range(cell.n_states)]
            widths.append(widths[-1])
        last = [V.new_empty((n_sequences, width)) for width in widths]
        order, n_ended = [], 0
        states, gathered = [()] * len(self.layers), None
        for t, (inputs, previous, ends) in enumerate(levels):
            if len(inputs) == 1:  # a product of one row rounds differently
                inputs, previous = _twice(inputs, previous)
            new = scratches[t % 2].take
            scratches[t % 2].reset(len(inputs))
            for k, layer in enumerate(self.layers):
                before = _continued(states[k], previous, new)
                G = self._inputs(k, inputs if k == 0 else states[k - 1][0], layer, new)
                width = len(self.W_T[k])
                kept = [new(width) for _ in range(cell.n_kept)]
                step(cell.kind, G, kept, before, self.W_T[k])
                states[k] = (kept or [G])[: cell.n_states]
            if gathered is not None and self.pooling.looks_back:
                (gathered,) = _continued((gathered,), previous, new)
            gathered = self.pooling.add(gathered, states[-1][0])
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
        if k == 0 and x.ndim == 2:
            return x
        G = new(len(layer.b))
        if k == 0:
            torch.index_select(self.table, 0, x, out=G)
        else:
            recurrence.add_inputs(layer.U, layer.b, x, G)
        return G


def _two_scratches(like):
    """One for this level and one for the level before, in turn."""
    return network.Scratch(like.dtype), network.Scratch(like.dtype)


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


def _encode_tokens(reader, values, starts, lengths, is_reversed, out, run):
    """Token sequences: distinct prefixes only."""
    ids = values.numpy()
    if is_reversed:  # the last token first
        ids, starts = ids[::-1], len(ids) - starts - lengths
    layer = reader.layers[0]
    reader.table = recurrence.token_table(layer.U, layer.b)

    def encode_batch(batch):
        chosen, shared = batch
        tree = prefix_tree(ids, starts[chosen], lengths[chosen], shared)
        _finish(reader, _tree_levels(tree), chosen, lengths, out)

    for some in _in_runs(lengths):
        order, shared = sort_by_prefix(ids, starts[some], lengths[some])
        cuts = range(_MAX_SEQUENCES, len(order), _MAX_SEQUENCES)
        batches = zip(np.split(some[order], cuts), np.split(shared, cuts), strict=True)
        list(run(encode_batch, batches))


def _in_runs(lengths):
    """Consecutive sequences, of `_MAX_ROWS` steps together or a few more."""
    n_rows = np.cumsum(lengths)
    cuts = np.searchsorted(n_rows, np.arange(_MAX_ROWS, n_rows[-1], _MAX_ROWS))
    return [some for some in np.split(np.arange(len(lengths)), cuts) if len(some)]


def _tree_levels(tree):
    """The levels of :meth:`_Reader.read` for distinct prefixes."""
    tokens = tree.tokens.split(tree.sizes)
    previous = [None, *tree.parents]
    for ids, before, ends in zip(tokens, previous, tree.ends, strict=True):
        yield ids, before, ends if len(ends[0]) else None


def _encode_packed(reader, values, starts, lengths, is_reversed, out, run):
    """Sequences of numbers, or any without sharing, longest first."""

    def encode_batch(chosen):
        # The longest sequence twice, so that no level has a single row.
        both = np.append(chosen, chosen[0])
        (packing,) = pack(starts[both], lengths[both])
        levels = _packed_levels(reader, values, packing, is_reversed)
        _finish(reader, levels, both[packing.indices.numpy()], lengths, out)

    list(run(encode_batch, batches_by_length(lengths, _MAX_ROWS, _MAX_SEQUENCES)))


def _packed_levels(reader, values, packing, is_reversed=False):
    """The levels of :meth:`_Reader.read` for packed rows."""
    rows = packing.rows[packing.flip] if is_reversed else packing.rows
    sizes = packing.batch_sizes
    n_columns = len(reader.layers[0].b)
    start = first = 0
    while first < len(sizes):
        stop, n_rows = first + 1, sizes[first]
        while stop < len(sizes) and n_rows + sizes[stop] <= _MAX_WINDOW:
            n_rows += sizes[stop]
            stop += 1
        x = values.index_select(0, rows[start : start + n_rows])
        G = reader.layers[0].b.new_empty((n_rows, n_columns))
        recurrence.add_inputs(reader.layers[0].U, reader.layers[0].b, x, G)
        for t, g in enumerate(G.split(sizes[first:stop]), start=first):
            n_next = sizes[t + 1] if t + 1 < len(sizes) else 0
            ended = torch.arange(n_next, sizes[t])
            previous = None if t == 0 else sizes[t]
            yield g, previous, (ended, ended) if len(ended) else None
        start, first = start + n_rows, stop


def _finish(reader, levels, chosen, lengths, out):
    """Write the pooled states of the sequences of one batch."""
    order, (gathered,) = reader.read(levels, len(chosen))
    at = torch.from_numpy(chosen)[order]
    n_steps = torch.from_numpy(lengths).index_select(0, at)
    out.index_copy_(0, at, reader.pooling.finish(gathered, n_steps))


def _encode_all_steps(weights, values, starts, lengths, out, run):
    """Several bidirectional layers, each of which reads all states of those below."""
    pooling = POOLINGS[weights.architecture.pooling]

    def encode_batch(chosen):
        both = np.append(chosen, chosen[0])
        (packing,) = pack(starts[both], lengths[both])
        x = values.index_select(0, packing.rows)
        top = network.top_states(weights, x, packing)
        pooled = [pooling.pool(H, packing)[0] for H in top]
        out[torch.from_numpy(both)[packing.indices]] = torch.cat(pooled, dim=1)

    list(run(encode_batch, batches_by_length(lengths, _MAX_WINDOW, _MAX_SEQUENCES)))
