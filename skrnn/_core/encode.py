"""Pooled hidden states, without gradients and without keeping the states of all steps.

Each direction is read on its own, in one of two ways. Packed, some steps of all
sequences at a time. Or level by level, where a level holds every distinct beginning of
the same number of steps, so that beginnings which sequences share are read once. Only
networks with several bidirectional layers need the states of all steps at once.
"""

from dataclasses import dataclass

import numpy as np

from skrnn._core import network, pooling
from skrnn._core.batch import Start
from skrnn._core.decoder import states_by_sequence
from skrnn._core.execution import CPU
from skrnn._core.imports import kernel_imports
from skrnn._core.memory import Scratch
from skrnn._core.packing import batches_by_length, pack

# Maximum number of sequences in a batch: their states should fit into a core's cache.
_MAX_SEQUENCES = 256
# Maximum number of steps in a batch: their indices are in memory at once.
_MAX_ROWS = 2**18
# Minimum number of sequences, or of steps, for which a thread is worthwhile.
_WORTH_A_THREAD = 2048, 2**19
# Maximum number of steps whose states are in memory at once, if one step of all
# sequences does not have more.
_MAX_WINDOW = 8192
# With fewer sequences, looking for shared beginnings takes longer than it saves.
_MIN_SHARING = 64


def encode(weights, values, offsets, run=map, keys=None):
    """Compute the pooled hidden states of each sequence.

    Parameters
    ----------
    weights : Weights
    values : ndarray of shape (n_rows,) or (n_rows, n_tokens), int32, or (n_rows, \
            n_inputs)
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

    Returns
    -------
    h : ndarray of shape (n_samples, n_features_out)

    Notes
    -----
    Memory O(1) in the number of sequences, except for `values` and the result.

    The h of a sequence does not depend on the other sequences, to the last bit; see
    :mod:`skrnn._core.products`.
    """
    architecture = weights.architecture
    n_samples = len(offsets) - 1
    h = np.zeros((n_samples, architecture.n_features_out), weights.V.numpy().dtype)
    has_steps = np.flatnonzero(np.diff(offsets))
    if len(has_steps) < n_samples:
        if len(has_steps):
            offsets = np.append(offsets[has_steps], offsets[-1])
            h[has_steps] = encode(weights, values, offsets, run, keys)
        return h
    if weights.filters or (architecture.bidirectional and len(weights.layers) > 1):
        _encode_all_steps(weights, values, offsets, h, run)
        return h
    width = architecture.n_features_out // architecture.n_directions
    for direction in range(architecture.n_directions):
        out = h[:, direction * width : (direction + 1) * width]
        reader = Direction(weights, direction)
        # In reverse, equal tokens may have different n-grams, which also depend on the
        # tokens before them.
        shares = keys is not None and not (direction == 1 and values.ndim == 2)
        if shares and n_samples >= _MIN_SHARING:
            _encode_beginnings(reader, values, keys, offsets, out, run)
        else:
            _encode_packed(reader, values, offsets, out, run)
    return h


def useful_threads(offsets, n_threads):
    """Return how many threads are worthwhile, each with many batches to itself."""
    n_sequences, n_rows = len(offsets) - 1, int(offsets[-1])
    worth = max(n_sequences // _WORTH_A_THREAD[0], n_rows // _WORTH_A_THREAD[1])
    return max(1, min(n_threads, worth))


def states_after(weights, past):
    """Compute the state of sequences after their past, for a network of one direction.

    Parameters
    ----------
    weights : Weights
    past : Past
        Some sequences may have no steps in it.

    Returns
    -------
    start : Start

    Notes
    -----
    Memory O(n_sequences), and O(1) in the number of steps.
    """
    reader = Direction(weights, 0)
    starts, lengths = past.starts, past.lengths
    states = reader.no_states(len(starts))
    gathered = reader.nothing(len(starts))
    some = np.flatnonzero(lengths)
    if len(some):
        some = some[np.argsort(-lengths[some], kind="stable")]
        last = reader.no_states(len(some))
        gathered[some] = reader.read_packed(
            past.values.numpy(), starts[some], lengths[some], last
        )
        for whole, part in zip(_flattened(states), _flattened(last), strict=True):
            whole[some] = part
    states = [[CPU.tensor(part) for part in parts] for parts in states]
    lengths = CPU.tensor(lengths)
    return Start(states, CPU.tensor(gathered), lengths)


def _flattened(states):
    return [part for of_layer in states for part in of_layer]


@dataclass(frozen=True, slots=True)
class _Layer:
    U: np.ndarray
    W_T: np.ndarray
    b: np.ndarray


class Direction:
    """One direction of a network, without what only training needs.

    Parameters
    ----------
    weights : Weights
    direction : {0, 1}
        1 reads the steps in reverse.
    """

    def __init__(self, weights, direction):
        with kernel_imports():
            from skrnn._core import prefixes, recurrence, rows

        self._prefixes, self._recurrence = prefixes, recurrence
        self.is_reversed = direction == 1
        self._cell = weights.architecture.make_cell()
        self._pooling = weights.architecture.pooling
        self._of_pooling = tuple(part[direction].numpy() for part in weights.of_pooling)
        self._layers = []
        for directions in weights.as_arrays():
            U, W, b = directions[direction]
            W_T = np.empty(W.shape[::-1], W.dtype)
            rows.transpose(W, W_T)
            self._layers.append(_Layer(U, W_T, np.atleast_2d(b)))
        self._dtype = self._layers[0].b.dtype
        self._scratches = []  # that no batch is using

    @property
    def nhidden(self):
        """Number of hidden units of the last layer."""
        return len(self._layers[-1].W_T)

    def nothing(self, n_sequences):
        """What has been gathered before the first step."""
        return pooling.nothing(self._pooling, n_sequences, self.nhidden, self._dtype)

    def gather(self, H, sizes, gathered):
        """Add the states of some packed rows to what has been gathered."""
        pooling.gather(self._pooling, H, sizes, gathered, self._of_pooling)

    def gather_in_tree(self, H, sizes, parents, before, gathered):
        """Write what has been gathered at each node of some levels of a tree."""
        run = self._prefixes.gather_along(pooling.page_of(self._pooling).gather)
        run(H, sizes, parents, before, gathered, self._of_pooling)

    def finish(self, gathered, lengths):
        """The pooled vectors."""
        return pooling.finish(self._pooling, gathered, lengths, self.nhidden)

    def no_states(self, n_sequences):
        """States of 0 by layer, a list of lists of arrays."""
        return [
            [
                np.zeros((n_sequences, len(layer.W_T)), self._dtype)
                for _ in range(self._cell.n_states)
            ]
            for layer in self._layers
        ]

    def scratches(self, n):
        """Take scratches that no batch is using; `release` them afterwards."""
        return [self._scratch() for _ in range(n)]

    def _scratch(self):
        try:  # rather than ask whether there is one: another thread may take it
            return self._scratches.pop()
        except IndexError:
            return Scratch(self._dtype)

    def release(self, scratches):
        """Let other batches use scratches."""
        self._scratches += scratches

    def read(self, x, sizes, states, scratch, parents=None, b=None):
        """Run all layers over packed rows, or over levels of a tree.

        Parameters
        ----------
        x : ndarray of shape (n_rows, ...)
        sizes : ndarray of shape (n_steps,), int64
        states : list of tuples of ndarrays of shape (n_sequences, nhidden), or None
            By layer, the states before the first step; None if they are all 0.
        scratch : Scratch
        parents : ndarray of shape (n_rows,), int64, default=None
            The parents of the nodes of a tree. None for packed rows.
        b : ndarray of shape (n_sequences, n_blocks * nhidden), default=None
            The biases of the first layer, if each sequence has its own.

        Returns
        -------
        states : list of tuples of ndarrays of shape (n_rows, nhidden)
            By layer, the states after each step, in the memory of `scratch`.
        """
        scratch.reset()
        after, cell = [], self._cell
        parents = self._recurrence.PACKED if parents is None else parents
        if x.ndim == 1:
            x = x[:, np.newaxis]
        for k, layer in enumerate(self._layers):
            nhidden = len(layer.W_T)
            own = layer.b if k > 0 or b is None else b
            G = scratch.take(len(x), own.shape[1])
            kept = tuple(scratch.take(len(x), nhidden) for _ in range(cell.n_kept))
            before = [scratch.zeros(sizes[0], nhidden)] if states is None else states[k]
            before = self._recurrence.padded(before, cell)
            of_layer = (layer.U, layer.W_T, own)
            run = self._recurrence.forward_of(cell.forward, x.dtype.kind != "f")
            run(x, of_layer, before, states is not None, sizes, parents, G, kept)
            after.append(kept[: cell.n_states])
            x = kept[0]
        return after

    def read_packed(self, values, starts, lengths, last=None):
        """Read sequences sorted longest first, some steps of all of them at a time.

        Parameters
        ----------
        values : ndarray of shape (n_rows, ...)
        starts, lengths : ndarrays of shape (n_sequences,)
        last : list of lists of ndarrays of shape (n_sequences, nhidden), default=None
            Overwritten by the last states of all layers.

        Returns
        -------
        gathered : ndarray of shape (n_sequences, gathered_width)
        """
        gathered = self.nothing(len(starts))
        for _, sizes, after in self.read_windows(values, starts, lengths):
            self.gather(after[-1][0], sizes, gathered)
            if last is not None:
                gather_last = pooling.page_of("last").gather
                for whole, part in zip(
                    _flattened(last), _flattened(after), strict=True
                ):
                    gather_last(part, sizes, whole)
        return gathered

    def read_windows(self, values, starts, lengths, states=None, b=None):
        """Read sequences as in :meth:`read_packed`, and yield what was computed.

        `states` are those before the first step, if they are not 0, and `b` the biases
        of the first layer, if each sequence has its own.

        Yields
        ------
        rows : ndarray of shape (n_rows,), int64
            Some rows of `values`, in packed order.
        sizes : ndarray of shape (n_steps,), int64
        after : list of tuples of ndarrays of shape (n_rows, nhidden)
            By layer, the states after these steps. The next yield overwrites them.
        """
        scratches, n_left = self.scratches(1), int(lengths.sum())
        for sizes, rows in _windows(starts, lengths, self.is_reversed):
            if states is not None:  # of the sequences that go on
                states = [tuple(part[: sizes[0]] for part in parts) for parts in states]
            after = self.read(values[rows], sizes, states, scratches[0], b=b)
            n, n_left = sizes[-1], n_left - len(rows)
            if n_left > 0:
                states = [tuple(part[-n:].copy() for part in parts) for parts in after]
            yield rows, sizes, after
        self.release(scratches)


def _windows(starts, lengths, is_reversed):
    """Yield the sizes and rows of some steps at a time, of sequences longest first."""
    n_steps = int(lengths[0])
    sizes = len(lengths) - np.cumsum(np.bincount(lengths, minlength=n_steps + 1))
    sizes = sizes[:-1].astype(np.int64)
    n_rows = np.cumsum(sizes)
    for first, stop in _some_at_a_time(n_rows):
        done = n_rows[first] - sizes[first]
        step = np.repeat(np.arange(first, stop), sizes[first:stop])
        rank = np.arange(done, n_rows[stop - 1]) - (n_rows - sizes)[step]
        if is_reversed:
            rows = starts[rank] + lengths[rank] - 1 - step
        else:
            rows = starts[rank] + step
        yield sizes[first:stop], rows


def _some_at_a_time(n_rows):
    """Yield the first step and the end of parts of at most `_MAX_WINDOW` rows.

    `n_rows` counts the rows up to each step. A part has at least one step.
    """
    first, done = 0, 0
    while first < len(n_rows):
        stop = int(np.searchsorted(n_rows, done + _MAX_WINDOW, side="right"))
        stop = max(stop, first + 1)
        yield first, stop
        first, done = stop, n_rows[stop - 1]


def _encode_packed(reader, values, offsets, out, run):
    """Encode sequences longest first, without sharing beginnings."""
    starts, lengths = offsets[:-1], np.diff(offsets)

    def encode_batch(chosen):
        gathered = reader.read_packed(values, starts[chosen], lengths[chosen])
        out[chosen] = reader.finish(gathered, lengths[chosen])

    list(run(encode_batch, batches_by_length(lengths, _MAX_ROWS, _MAX_SEQUENCES)))


def _encode_beginnings(reader, values, keys, offsets, out, run):
    """Encode token sequences, reading each distinct beginning once."""
    with kernel_imports():
        from skrnn._core.prefixes import prefix_tree, sort_by_prefix

    starts, lengths = offsets[:-1], np.diff(offsets)
    if reader.is_reversed:  # the last token first
        keys, starts = keys[::-1], len(keys) - starts - lengths
        values = values[::-1]
    keys = np.ascontiguousarray(keys, np.int32)

    def encode_batch(batch):
        chosen, shared = batch
        tree = prefix_tree(starts[chosen], lengths[chosen], shared)
        out[chosen] = reader.finish(_read_tree(reader, values, tree), lengths[chosen])

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


def _read_tree(reader, values, tree):
    """Read the beginnings in a tree, some levels at a time.

    Returns
    -------
    gathered : ndarray of shape (n_sequences, gathered_width)
    """
    scratches, n_nodes = reader.scratches(1), np.cumsum(tree.sizes)
    states, gathered = None, reader.nothing(1)
    whole = np.empty((len(tree.ends), gathered.shape[1]), gathered.dtype)
    done = 0
    for first, stop in _some_at_a_time(n_nodes):
        sizes, end = tree.sizes[first:stop], n_nodes[stop - 1]
        parents, x = tree.parents[done:end], values[tree.rows[done:end]]
        after = reader.read(x, sizes, states, scratches[0], parents)
        before = gathered
        gathered = scratches[0].take(len(x), before.shape[1])
        reader.gather_in_tree(after[-1][0], sizes, parents, before, gathered)
        here = np.flatnonzero((done <= tree.ends) & (tree.ends < end))
        whole[here] = gathered[tree.ends[here] - done]
        if stop < len(n_nodes):
            states = [
                tuple(part[-sizes[-1] :].copy() for part in parts) for parts in after
            ]
            gathered = gathered[-sizes[-1] :].copy()
        done = end
    reader.release(scratches)
    return whole


def _encode_all_steps(weights, values, offsets, out, run):
    """Encode with layers that read all steps of the layer below."""
    lengths, name = np.diff(offsets), weights.architecture.pooling

    def encode_batch(chosen):
        packing, top, of_filters = _all_states(weights, values, offsets, chosen)
        pooled = []
        for i, H in enumerate(top):
            of_pooling = tuple(part[i].numpy() for part in weights.of_pooling)
            gathered = pooling.nothing(name, len(chosen), H.shape[1], H.dtype)
            pooling.gather(name, H, packing.batch_sizes, gathered, of_pooling)
            pooled.append(pooling.finish(name, gathered, packing.lengths, H.shape[1]))
        out[chosen[packing.indices]] = np.concatenate(pooled + of_filters, axis=1)

    list(run(encode_batch, batches_by_length(lengths, _MAX_WINDOW, _MAX_SEQUENCES)))


def states_of_all_steps(weights, values, offsets):
    """Compute the hidden states of the last layer after each step of each sequence.

    Parameters
    ----------
    weights, values, offsets
        As in :func:`encode`.

    Returns
    -------
    H : list of ndarrays of shape (n_steps, n_directions * nhidden)
        Both directions side by side. Behind filters, there is a state for the steps
        that are averaged, instead of one for each step.
    """
    dtype, width = weights.V.numpy().dtype, weights.architecture.n_encoded
    if not weights.filters:
        H = np.zeros((len(values), width), dtype)
        use_states_of_all_steps(weights, values, offsets, H.__setitem__)
        return np.split(H, offsets[1:-1])
    H, lengths = [None] * (len(offsets) - 1), np.diff(offsets)
    for chosen in batches_by_length(lengths, _MAX_WINDOW, _MAX_SEQUENCES):
        packing, top, _ = _all_states(weights, values, offsets, chosen)
        ends = np.cumsum(packing.lengths)[:-1]
        parts = np.split(states_by_sequence(top, packing), ends)
        for i, part in zip(chosen[packing.indices], parts, strict=True):
            H[i] = part
    return H


def use_states_of_all_steps(weights, values, offsets, use, run=map, condition=None):
    """Compute the hidden states of the last layer after each step, and use them.

    Parameters
    ----------
    weights, values, offsets, run
        As in :func:`encode`.
    use : callable
        ``use(rows, H)`` is called with some rows of `values`, an ndarray of shape (n,),
        int64, and the hidden states after these steps, of shape (n, n_directions *
        nhidden), both directions side by side. Over all calls, each row occurs once.
        `H` may be overwritten after the call.
    condition : Condition, default=None
        What depends on the context of each sequence, if there is one.
    """
    lengths, start, b = np.diff(offsets), None, None
    if condition is not None:
        start, b = condition.start, condition.b
    reader = Direction(weights, 0)

    def use_batch(chosen):
        if weights.architecture.bidirectional:
            packing, top, _ = _all_states(weights, values, offsets, chosen)
            # The second is packed in reverse.
            H = np.concatenate([top[0], top[1][packing.flip]], axis=1)
            use(packing.rows, H)
            return
        starts, states = offsets[:-1][chosen], None
        if start is not None:
            states = [tuple(part[chosen] for part in each) for each in start]
        own = None if b is None else b[chosen]
        for rows, _, after in reader.read_windows(
            values, starts, lengths[chosen], states, own
        ):
            use(rows, after[-1][0])

    list(run(use_batch, batches_by_length(lengths, _MAX_WINDOW, _MAX_SEQUENCES)))


def _all_states(weights, values, offsets, chosen):
    """Pack sequences, and compute all hidden states."""
    (packing,) = pack(offsets[:-1][chosen], np.diff(offsets)[chosen])
    return network.top_states(weights, values[packing.rows], packing)
