"""One layer in one direction: its inputs, its time loop, and backpropagation.

Rows are in packed order (see :class:`skrnn._core.packing.Packing`): the rows of a step
are one contiguous slice, and the sequences that continue are its first rows. `sizes`,
an array of int64, has the number of rows of each step.

The way forward may also go through a tree of beginnings, where each row has a parent
among the rows of the step before (see :class:`skrnn._core.prefixes.PrefixTree`).
"""

from functools import cache

import numpy as np

from skrnn._core import rows
from skrnn._core.compiled import compiled
from skrnn._core.products import multiply

# Number of rows for which a product is followed by the cell, or which are added to all
# gradients, while they are still in the cache of the core.
_N_TOGETHER = 64
# The parents of packed rows.
PACKED = np.empty(0, np.int64)


@compiled
def _write_numbers(U, b, x, sizes, G):
    """Write ``U x + b`` into G for x of shape (n_rows, n_inputs)."""
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            rows.copy(b[min(i, len(b) - 1)], G[row])
            row += 1
    multiply(x, U, G[:, G.shape[1] - U.shape[1] :], True)


@compiled
def _add_tokens(U, x, G):
    """Add ``U x`` to G for tokens, of which each step has one or several.

    Parameters
    ----------
    U : ndarray of shape (n_inputs, n_input_blocks * nhidden)
    x : ndarray of shape (n_rows, n_tokens), int32
        The vectors of the tokens of a step are summed.
    G : ndarray of shape (n_rows, n_blocks * nhidden)
    """
    n_other = G.shape[1] - U.shape[1]
    for row in range(len(x)):
        g = G[row, n_other:]
        for k in range(x.shape[1]):
            rows.add(U[x[row, k]], g)


@cache
def forward_of(step, is_token):
    """Return the pass forward of a layer.

    Parameters
    ----------
    step : compiled function
        The `forward` of a cell.
    is_token : bool
        Whether the layer reads tokens.
    """

    @compiled
    def forward(x, layer, start, has_start, sizes, parents, G, kept):
        """Compute the states after each step.

        Parameters
        ----------
        x : ndarray of shape (n_rows, n_tokens), int32, or (n_rows, n_inputs)
        layer : tuple of ndarrays
            U; the transpose of W, without columns if W is the identity; and b, of shape
            (1, n_blocks * nhidden), or with a row for each sequence.
        start : tuple of ndarrays of shape (n_sequences, nhidden)
            The states before the first step.
        has_start : bool
            False if they are all 0.
        sizes : ndarray of shape (n_steps,), int64
        parents : ndarray of shape (n_rows,), int64
            In a tree, the position of each row's parent in the step before, which does
            not decrease within a step. `PACKED` for packed rows.
        G : ndarray of shape (n_rows, n_blocks * nhidden)
        kept : tuple of ndarrays of shape (n_rows, nhidden)
            G and `kept` are written.
        """
        U, W_T, b = layer
        is_tree = len(parents) > 0
        own = np.empty((_N_TOGETHER if is_tree else 0, W_T.shape[0]), G.dtype)
        if not is_token:
            _write_numbers(U, b, x, sizes, G)
        end = 0
        for t in range(len(sizes)):
            size, first = sizes[t], end
            end = first + size
            before, i = start, 0
            if t > 0:
                before, i = kept, first - sizes[t - 1]
            for j in range(first, end, _N_TOGETHER):
                some = G[j : min(j + _N_TOGETHER, end)]
                some_parents = parents[j : j + len(some)]
                for k in range(len(some) if is_token else 0):
                    rows.copy(b[min(j - first + k, len(b) - 1)], some[k])
                if t > 0 or has_start:
                    h = before[0][i:]
                    if is_tree:
                        h = own[: _take(h, some_parents, is_token, own)]
                    else:
                        h = h[j - first : j - first + len(some)]
                    _add_states(h, W_T, some[: len(h)])
                    if is_tree and is_token:
                        _spread(some_parents, len(h), some)
                if is_token:
                    _add_tokens(U, x[j : j + len(some)], some)
                for k in range(len(some)):
                    at = some_parents[k] if is_tree else j - first + k
                    step(G, j + k, before, i + at, kept)

    return forward


@compiled
def _take(h, parents, is_once, own):
    """Copy the states of the parents, those of each parent once if `is_once`.

    Returns
    -------
    n : int
        The number of states.
    """
    n = 0
    for k in range(len(parents)):
        if k == 0 or not is_once or parents[k] != parents[k - 1]:
            rows.copy(h[parents[k]], own[n])
            n += 1
    return n


@compiled
def _spread(parents, n, G):
    """Copy the row of each of `n` parents to the rows of its children.

    The last child comes first, so that no row is overwritten before it is copied.
    """
    for k in range(len(parents) - 1, -1, -1):
        if n - 1 < k:
            rows.copy(G[n - 1], G[k])
        if k > 0 and parents[k] != parents[k - 1]:
            n -= 1


@compiled
def _add_states(h, W_T, G):
    """Add ``W h`` to the first blocks of G, for some rows of one step."""
    if W_T.shape[1] > 0:
        multiply(h, W_T, G[:, : W_T.shape[1]], True)
    else:
        for row in range(len(h)):
            rows.add(h[row], G[row])


@cache
def backward_of(step):
    """Return the time loop of a cell, whose `backward` is `step`, in reverse."""

    @compiled
    def backward(G, W, start, wants_start, sizes, kept, dstates, dH):
        """Backpropagate through time [1]_.

        Parameters
        ----------
        G, start, sizes, kept
            As `forward` left them. G is overwritten by the gradient with respect to it.
        W : ndarray of shape (n_state_blocks * nhidden, nhidden)
        wants_start : bool
            Whether to compute the gradient with respect to the states before the first
            step.
        dstates : tuple of ndarrays of shape (n_sequences, nhidden)
            Gradient of the loss with respect to the last states of each sequence, from
            outside the recurrence. Overwritten, by the gradient with respect to the
            states before the first step if `wants_start`.
        dH : ndarray of shape (n_rows, nhidden)
            Gradient with respect to the hidden states of all steps, from outside the
            recurrence, to be added; without rows if it is 0.

        References
        ----------
        .. [1] Werbos (1990), "Backpropagation through time: what it does and how to do
           it", Proceedings of the IEEE 78(10), 1550-1560.
        """
        end = len(G)
        for t in range(len(sizes) - 1, -1, -1):
            size = sizes[t]
            first = end - size
            before, i = start, 0
            if t > 0:
                before, i = kept, first - sizes[t - 1]
            # The first rows of dstates are those of the sequences alive. Those of
            # sequences that end here are still the gradients from outside.
            for j in range(0, size, _N_TOGETHER):
                n = min(_N_TOGETHER, size - j)
                for row in range(j, j + n):
                    if len(dH) > 0:
                        rows.add(dH[first + row], dstates[0][row])
                    step(G, first + row, before, i + row, kept, dstates, row)
                if t > 0 or wants_start:
                    of_G = G[first + j : first + j + n]
                    _add_through_states(of_G, W, dstates[0][j : j + n])
            end = first

    return backward


@compiled
def _add_through_states(G, W, dh):
    """Add to the gradient of the states before a step what goes through ``W h``."""
    if W.shape[0] > 0:
        multiply(G[:, : W.shape[0]], W, dh, True)
    else:
        for row in range(len(dh)):
            rows.add(G[row], dh[row])


@cache
def gradients_of(is_token):
    """Return the gradient of the weights of a layer, which may read tokens."""
    add_of_inputs = _add_of_tokens if is_token else _add_of_numbers

    @compiled
    def gradients(x, G, start, has_start, sizes, H, before, gradient):
        """Write the gradient of U, W and b, given that of G.

        Parameters
        ----------
        x, G, start, has_start, sizes
            As `backward` left them, with the states `start` of h alone.
        H, before : ndarrays of shape (n_rows, nhidden)
            The hidden states after each row, and memory for those before it.
        gradient : tuple (dU, dW, db) of ndarrays
            Written; db has the shape that b had for `forward`.
        """
        dU, dW, db = gradient
        if len(dW) > 0:
            _write_states_before(start, sizes, H, before)
        rows.clear_all(dW)
        rows.clear_all(db)
        n_begun = np.int64(0)  # code for a literal 0 would be compiled apart
        t, of_step = 0, 0  # the step of a row, and the first row of that step
        for first in range(0, len(G), _N_TOGETHER):
            end = min(first + _N_TOGETHER, len(G))
            n_begun = add_of_inputs(G[first:end], x[first:end], n_begun, dU)
            i = max(first, 0 if has_start else sizes[0])
            if len(dW) > 0 and i < end:
                multiply(G[i:end, : len(dW)].T, before[i:end], dW, True)
            for row in range(first, end):
                if row == of_step + sizes[t]:
                    of_step, t = row, t + 1
                rows.add(G[row], db[min(row - of_step, len(db) - 1)])
        rows.clear_all(dU[n_begun:])

    return gradients


@compiled
def _write_states_before(start, sizes, H, before):
    """Write the states before each row."""
    rows.copy_all(start[: sizes[0]], before)
    end = sizes[0]
    for t in range(1, len(sizes)):
        i = end - sizes[t - 1]
        rows.copy_all(H[i : i + sizes[t]], before[end:])
        end += sizes[t]


@compiled
def _add_of_tokens(G, x, n_begun, dU):
    """Add the gradient of the vectors of tokens, given that of G, for some rows.

    So far, only the first `n_begun` rows of dU are written; return how many are now. In
    a minibatch, tokens may be numbered as they first occur, so that few are cleared.
    """
    n_other = G.shape[1] - dU.shape[1]
    for row in range(len(x)):
        g = G[row, n_other:]
        for k in range(x.shape[1]):
            token = x[row, k]
            if n_begun < token:
                rows.clear_all(dU[n_begun:token])
                n_begun = token
            if token == n_begun:
                rows.copy(g, dU[token])
                n_begun += 1
            else:
                rows.add(g, dU[token])
    return n_begun


@compiled
def _add_of_numbers(G, x, n_begun, dU):
    """As :func:`_add_of_tokens`, for the input weights of numbers."""
    rows.clear_all(dU[n_begun:])
    multiply(x.T, G[:, G.shape[1] - dU.shape[1] :], dU, True)
    return len(dU)


@compiled
def scale_rows(x, factors, sizes):
    """Multiply the rows of each sequence by its own factors."""
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            for j in range(x.shape[1]):
                x[row, j] *= factors[i, j]
            row += 1


def padded(states, cell):
    """A tuple with as many arrays as the cell keeps, the first of which are `states`.

    The time loop then has one type for the states before the first step and for those
    before the others, and is compiled once.
    """
    return tuple(states) + (states[-1],) * (cell.n_kept - len(states))


def no_states(n_sequences, nhidden, cell, dtype):
    """The states before the first step if they are 0, as the time loop takes them."""
    return padded([np.zeros((n_sequences, nhidden), dtype)], cell)
