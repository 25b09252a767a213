"""Codes of sequences, without a gradient and without keeping the states of all steps.

One direction at a time, level by level: a level holds the state of every sequence, or
of every distinct prefix, after the same number of steps. Only networks of several
bidirectional layers need all steps at once.
"""

import numpy as np
import torch

from skrnn._core import network
from skrnn._core.cells import step
from skrnn._core.packing import batches_by_length, pack
from skrnn._core.pooling import POOLINGS
from skrnn._core.prefixes import prefix_tree, sort_by_prefix

# Sequences in one level, whose states are to fit into the cache of a core.
_MAX_SEQUENCES = 2048
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
        chosen = torch.from_numpy(some)[packing.indices]
        for rows, ended, pooled in reader.read(_packed_levels(reader, values, packing)):
            at = chosen[rows]
            for layer, parts in zip(states, ended, strict=True):
                for whole, part in zip(layer, parts, strict=True):
                    whole[at] = part
            gathered[at] = pooled
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
        self.layers = [directions[direction] for directions in weights.layers]
        self.W_T = [layer.W.T.contiguous() for layer in self.layers]

    def read(self, levels):
        """Run all layers through levels of steps.

        Parameters
        ----------
        levels : iterable of (G, previous, ends)
            G : what the input adds for the first layer, a row each node. previous :
            int or Tensor, the nodes of the level before that these go on from, the
            first ones or by index; None on the first level. ends : (sequences, nodes)
            that end here, or None.

        Yields
        ------
        sequences : Tensor
            Those that end on a level.
        states : list of tuple of Tensors
            For each layer, their states.
        pooled : Tensor
            What the pooling has gathered of them.
        """
        states, gathered = [None] * len(self.layers), None
        for G, previous, ends in levels:
            n_nodes = len(G)
            if n_nodes == 1:  # a product of one row rounds differently
                G = G.repeat(2, 1)
            for k, layer in enumerate(self.layers):
                before = _continued(states[k], previous, n_nodes)
                if k > 0:
                    x, G = states[k - 1][0], G.new_empty((len(G), len(layer.b)))
                    network.add_inputs(self.cell, layer, x, G)
                states[k] = self._step(G, before, self.W_T[k])
            h = states[-1][0]
            if gathered is not None:
                (gathered,) = _continued((gathered,), previous, n_nodes)
            gathered = self.pooling.add(gathered, h)
            if ends is not None:
                sequences, nodes = ends
                ended = [tuple(s[nodes] for s in layer) for layer in states]
                yield sequences, ended, gathered[nodes]

    def _step(self, G, before, W_T):
        """The states of one layer on one level."""
        kept = self.cell.memory(G, lambda n: G.new_empty((len(G), n)))
        step(self.cell.kind, G, kept, before, W_T)
        return kept[: self.cell.n_states]


def _continued(states, previous, n_nodes):
    """The rows that the nodes of a level go on from."""
    if states is None or previous is None:
        return []
    if isinstance(previous, int):
        rows = [state[:previous] for state in states]
    else:
        rows = [state.index_select(0, previous) for state in states]
    return [row.repeat(2, 1) for row in rows] if n_nodes == 1 else rows


def _encode_tokens(reader, values, starts, lengths, is_reversed, out, run):
    """Token sequences: distinct prefixes only."""
    ids = values.numpy()
    if is_reversed:  # the last token first
        ids, starts = ids[::-1], len(ids) - starts - lengths
    table = network.token_table(reader.cell, reader.layers[0])

    def encode_batch(batch):
        chosen, shared = batch
        tree = prefix_tree(ids, starts[chosen], lengths[chosen], shared)
        _finish(reader, _tree_levels(tree, table), chosen, lengths, out)

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


def _tree_levels(tree, table):
    """The levels of :meth:`_Reader.read` for distinct prefixes."""
    tokens = tree.tokens.split(tree.sizes)
    previous = [None, *tree.parents]
    for ids, before, ends in zip(tokens, previous, tree.ends, strict=True):
        yield table.index_select(0, ids), before, ends if len(ends[0]) else None


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
        network.add_inputs(reader.cell, reader.layers[0], x, G)
        for t, g in enumerate(G.split(sizes[first:stop]), start=first):
            n_next = sizes[t + 1] if t + 1 < len(sizes) else 0
            ended = torch.arange(n_next, sizes[t])
            previous = None if t == 0 else sizes[t]
            yield g, previous, (ended, ended) if len(ended) else None
        start, first = start + n_rows, stop


def _finish(reader, levels, chosen, lengths, out):
    """Write the pooled states of the sequences of one batch."""
    chosen = torch.from_numpy(chosen)
    for sequences, _, gathered in reader.read(levels):
        at = chosen[sequences]
        n_steps = torch.from_numpy(lengths)[at]
        out[at] = reader.pooling.finish(gathered, n_steps)


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
