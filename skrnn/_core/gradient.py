"""A batch through all layers, forward and back.

No autograd: the backward line of each forward line is written by hand.
"""

import numpy as np

from skrnn._core import pooling, recurrence, rows
from skrnn._core.products import multiply

_N_APART = 16  # numbers of a cache line


class Pass:
    """A batch on its way through all layers of a network, forward and back.

    Parameters
    ----------
    architecture : Architecture
    layers : list of list of (U, W, b)
        By layer, then direction, the weights as arrays. A `b` may have a row for each
        sequence.
    packing : Packing
    scratch : Scratch
        It holds all results, until it is reset.
    masks : list of ndarrays of shape (n_sequences, n_inputs of a layer)
        For each layer above the first, the factors of its inputs; empty if all are 1.
    start : list of tuples of ndarrays of shape (n_sequences, nhidden), or None
        By layer and direction, the states before the first step; None if all are 0.

    Attributes
    ----------
    top : list of ndarrays of shape (n_rows, nhidden)
        For each direction, the hidden states of the last layer after each step, rows in
        packed order; the second direction is packed in reverse.
    sizes : ndarray of shape (n_steps,), int64
    dx : ndarray of shape (n_rows, n_inputs) or None
        What `backward` wrote on request.
    """

    def __init__(self, architecture, layers, packing, scratch, masks=(), start=None):
        self.cell = architecture.make_cell()
        self.layers, self.masks, self.start = layers, masks, start
        self.scratch = scratch
        self.sizes = packing.batch_sizes
        self._flip = packing.flip if architecture.bidirectional else None
        self.dx = None
        self._passed = []  # by layer, then direction: x, G and what the cell keeps

    @property
    def top(self):
        return [kept[0] for _, _, kept in self._passed[-1]]

    def forward(self, x):
        """Compute the states of all layers after each step.

        Parameters
        ----------
        x : ndarray of shape (n_rows,) or (n_rows, n_tokens), int32, or (n_rows, \
                n_inputs)
        """
        if x.ndim == 1:
            x = x[:, np.newaxis]
        for k, directions in enumerate(self.layers):
            if k > 0:
                x = self._inputs_from_below(k)
            passed = []
            for i, weights in enumerate(directions):
                turned = x if i == 0 else x[self._flip]
                passed.append((turned, *self._read(k, i, turned, *weights)))
            self._passed.append(passed)

    def _inputs_from_below(self, k):
        """The states of the layer below layer k, both directions side by side."""
        below = self.top
        width = below[0].shape[1]
        x = self.scratch.take(len(below[0]), width * len(below))
        x[:, :width] = below[0]
        if len(below) == 2:
            x[:, width:] = below[1][self._flip]
        if self.masks:
            recurrence.scale_rows(x, self.masks[k - 1], self.sizes)
        return x

    def _read(self, k, i, x, U, W, b):
        """Run one layer in one direction; return G and what the cell keeps."""
        n_rows, nhidden, take = len(x), W.shape[1], self.scratch.take
        G = take(n_rows, b.shape[-1])
        kept = tuple(take(n_rows, nhidden) for _ in range(self.cell.n_kept))
        # Rows of 4096 bytes, as of 1024 numbers, would share a few places of the cache.
        W_T = take(nhidden, len(W) + _N_APART)[:, : len(W)]
        rows.transpose(W, W_T)
        run = recurrence.forward_of(self.cell.forward, _is_token(x))
        start = self._start_of(k, i, nhidden)
        sizes, parents = self.sizes, recurrence.PACKED
        of_layer = U, W_T, np.atleast_2d(b)
        run(x, of_layer, *start, sizes, parents, G, kept)
        return G, kept

    def _start_of(self, k, i, nhidden):
        """The states before the first step, and whether they are not all 0."""
        if self.start is not None:
            states = self.start[k * len(self.layers[0]) + i]
            return recurrence.padded(states, self.cell), True
        zeros = self.scratch.zeros(self.sizes[0], nhidden)
        return recurrence.padded([zeros], self.cell), False

    def end(self):
        """Return the states after the last step of each sequence.

        Returns
        -------
        states : list of lists of ndarrays of shape (n_sequences, nhidden)
            By layer and direction.
        """
        gather_last = pooling.page_of("last").gather
        states = []
        for _, _, kept in (part for passed in self._passed for part in passed):
            of_layer = [
                np.empty((self.sizes[0], part.shape[1]), part.dtype)
                for part in kept[: self.cell.n_states]
            ]
            for part, last in zip(kept, of_layer, strict=False):
                gather_last(part, self.sizes, last)
            states.append(of_layer)
        return states

    def backward(
        self, dlast, dH, gradient, wants_start=False, dend=(), wants_input=False
    ):
        """Backpropagate; this overwrites what `forward` has computed.

        Parameters
        ----------
        dlast : list of ndarrays of shape (n_sequences, nhidden)
            For each direction of the last layer, the gradient with respect to the last
            hidden state of each sequence. Overwritten.
        dH : list of ndarrays of shape (n_rows, nhidden)
            For each direction, the gradient with respect to all its hidden states,
            without rows if it is 0.
        gradient : list of list of (dU, dW, db)
            The gradients with respect to `layers`. Written.
        wants_start : bool, default=False
        dend : list of lists of ndarrays of shape (n_that_go_on, nhidden), default=()
            By layer and direction, a gradient with respect to the states after the last
            step of the first sequences, to be added.
        wants_input : bool, default=False
            Whether to write the attribute `dx`, the gradient with respect to x.

        Returns
        -------
        dstart : list of tuples of ndarrays of shape (n_sequences, nhidden)
            By layer and direction, the gradient with respect to the states before the
            first step, if `wants_start`; otherwise arbitrary.
        """
        dstart = []
        for k in range(len(self.layers) - 1, -1, -1):
            dx = None
            for i, (U, _, _) in enumerate(self.layers[k]):
                dstates = self._outer_gradients(dlast[i])
                if dend:
                    of_layer = dend[k * len(self.layers[0]) + i]
                    for part, added in zip(dstates, of_layer, strict=True):
                        part[: len(added)] += added
                self._unread(k, i, dstates, dH[i], gradient[k][i], wants_start)
                dstart.append((k, i, dstates))
                if k > 0 or wants_input:
                    dx = self._add_input_gradient(dx, k, i, U)
            if k > 0:
                dlast, dH = self._handed_down(dx, k)
        self.dx = dx
        return [dstates for *_, dstates in sorted(dstart, key=lambda part: part[:2])]

    def _outer_gradients(self, dlast):
        """The gradients with respect to the last states from outside the recurrence."""
        others = [np.zeros_like(dlast) for _ in range(1, self.cell.n_states)]
        return (dlast, *others)

    def _unread(self, k, i, dstates, dH, gradient, wants_start):
        """Backpropagate through one layer in one direction."""
        x, G, kept = self._passed[k][i]
        _, W, _ = self.layers[k][i]
        start, has_start = self._start_of(k, i, W.shape[1])
        run = recurrence.backward_of(self.cell.backward)
        run(G, W, start, wants_start, self.sizes, kept, dstates, dH)
        before = self.scratch.take(len(G), W.shape[1] if len(W) else 0)
        run = recurrence.gradients_of(_is_token(x))
        dU, dW, db = gradient
        gradient = dU, dW, np.atleast_2d(db)
        run(x, G, start[0], has_start, self.sizes, kept[0], before, gradient)

    def _add_input_gradient(self, dx, k, i, U):
        """Add the gradient of a layer's inputs that goes through one direction."""
        _, G, _ = self._passed[k][i]
        part = self.scratch.take(len(G), len(U))
        U_T = self.scratch.take(U.shape[1], len(U))
        rows.transpose(U, U_T)
        multiply(G[:, G.shape[1] - U.shape[1] :], U_T, part, False)
        if i == 0:
            return part
        return np.add(dx, part[self._flip], out=dx)

    def _handed_down(self, dx, k):
        """Split the gradient of the inputs of layer k between the directions below."""
        if self.masks:
            recurrence.scale_rows(dx, self.masks[k - 1], self.sizes)
        parts = np.split(dx, len(self.layers[k - 1]), axis=1)
        dH = [np.ascontiguousarray(parts[0])]
        dH += [part[self._flip] for part in parts[1:]]
        return [np.zeros((self.sizes[0], part.shape[1]), dx.dtype) for part in dH], dH


def _is_token(x):
    return x.dtype.kind != "f"
