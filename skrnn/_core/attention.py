"""Attention: each step of one sequence reads a mean of the states of another.

    A_ij = softmax_j(s_ij),    context_i = sum_j A_ij h_j

    s_ij = q_i . k_j / sqrt(width)    "dot" [1]_, where k_j is h_j
    s_ij = v . tanh(q_i + k_j)        "additive" [2]_

``spans`` is the tuple of ``offsets``, ``starts``, ``lengths`` and ``places``. The
queries q_i of sequence n are the rows of ``Q`` from ``offsets[n]`` up to
``offsets[n + 1]``, and the states h_j that they read, and their keys k_j, are the
``lengths[n]`` rows of ``H`` and of ``K`` from ``starts[n]``, at least one. The weights
A_ij of a sequence are the rows of a matrix, which stands in the flat ``A`` from
``places[n]``. ``v`` is empty for "dot", and ``K_T`` for "additive": see
:func:`transpose_keys`.

References
----------
.. [1] Luong, Pham and Manning (2015), "Effective Approaches to Attention-based Neural
   Machine Translation", EMNLP, equation 8 ("general"); divided by the square root of
   the width as in Vaswani et al. (2017), "Attention Is All You Need", NeurIPS.
.. [2] Bahdanau, Cho and Bengio (2015), "Neural Machine Translation by Jointly Learning
   to Align and Translate", ICLR, appendix A.1.2.
"""

import math

import numpy as np

from skrnn._core import rows
from skrnn._core.compiled import compiled
from skrnn._core.elementwise import tanh
from skrnn._core.products import multiply


def spans_of(offsets, starts, lengths):
    """Return the spans of sequences, and how many weights they have.

    Returns
    -------
    spans : tuple of ndarrays
        See the module.
    n_weights : int
    """
    sizes = np.diff(offsets) * lengths
    ends = np.cumsum(sizes)
    return (offsets, starts, lengths, ends - sizes), int(sizes.sum())


@compiled
def transpose_keys(K, starts, lengths, K_T):
    """Transpose the keys of each sequence, once for all queries to come.

    Parameters
    ----------
    K : ndarray of shape (n_states, width)
    starts, lengths : ndarrays of shape (n_sequences,)
        The rows of each sequence.
    K_T : ndarray of shape (n_states * width,)
        Written: the matrix of the keys of a sequence, of shape (width, n_steps), in the
        place of its rows.
    """
    width = K.shape[1]
    for n in range(len(starts)):
        k = K[starts[n] : starts[n] + lengths[n]]
        rows.transpose(k, _matrix(K_T, starts[n] * width, width, len(k)))


@compiled
def forward(Q, K, K_T, H, v, spans, A, C):
    """Compute weights and contexts.

    Parameters
    ----------
    Q, K, K_T, H, v, spans
        See the module.
    A : ndarray of shape (n_weights,)
    C : ndarray of shape (n_queries, width)
        The contexts. A and C are written.
    """
    offsets, starts, lengths, places = spans
    width = K.shape[1]
    scale = Q.dtype.type(1 / math.sqrt(width))
    for n in range(len(starts)):
        q, k = _rows(Q, offsets, n), K[starts[n] : starts[n] + lengths[n]]
        a = _matrix(A, places[n], len(q), len(k))
        if len(v) == 0 and len(q) > 0:
            k_T = _matrix(K_T, starts[n] * width, width, len(k))
            multiply(q, k_T, a, False)
        for i in range(len(a)):
            if len(v) == 0:
                for j in range(len(k)):
                    a[i, j] *= scale
            else:
                _add(q[i], k, v, a[i])
            _softmax(a[i])
        if len(q) > 0:
            h = H[starts[n] : starts[n] + lengths[n]]
            multiply(a, h, _rows(C, offsets, n), False)


@compiled
def backward(given, spans, A, dC, gradients):
    """Backpropagate a gradient with respect to the contexts.

    Parameters
    ----------
    given : tuple (Q, K, H, v) of ndarrays
    spans, A
        As `forward` left them. A is overwritten.
    dC : ndarray of shape (n_queries, width)
    gradients : tuple (dQ, dK, dH, dv) of ndarrays
        The gradients with respect to `given`, which are added to them; dK and dH are
        the same array if K and H are.
    """
    Q, K, H, v = given
    dQ, dK, dH, dv = gradients
    offsets, starts, lengths, places = spans
    scale = Q.dtype.type(1 / math.sqrt(K.shape[1]))
    for n in range(len(starts)):
        q, first, end = _rows(Q, offsets, n), starts[n], starts[n] + lengths[n]
        if len(q) == 0:
            continue
        k, h, a = K[first:end], H[first:end], _matrix(A, places[n], len(q), lengths[n])
        dq, dc = _rows(dQ, offsets, n), _rows(dC, offsets, n)
        # context_i = sum_j A_ij h_j
        multiply(a.T, dc, dH[first:end], True)
        h_T = np.empty((h.shape[1], len(h)), h.dtype)
        rows.transpose(h, h_T)
        da = np.empty(a.shape, a.dtype)
        multiply(dc, h_T, da, False)
        for i in range(len(a)):
            # A_ij = softmax_j(s_ij); a has the gradient of s_ij by now
            _through_softmax(a[i], da[i])
            if len(v) == 0:
                for j in range(len(k)):
                    a[i, j] *= scale
            else:
                _through_add((q[i], k, v), a[i], dq[i], dK[first:end], dv)
        if len(v) == 0:  # s_ij = q_i . k_j scale
            multiply(a, k, dq, True)
            multiply(a.T, q, dK[first:end], True)


@compiled
def _rows(X, offsets, n):
    return X[offsets[n] : offsets[n + 1]]


@compiled
def _matrix(A, place, n, m):
    """The matrix of a sequence, of shape (n, m), in a flat array."""
    return A[place : place + n * m].reshape(n, m)


@compiled
def _add(q, k, v, s):
    """Write s_j = v . tanh(q + k_j)."""
    for j in range(len(k)):
        total = v[0] - v[0]
        for d in range(len(v)):
            total += v[d] * tanh(q[d] + k[j, d])
        s[j] = total


@compiled
def _through_add(given, ds, dq, dk, dv):
    """Add the gradients of q, k and v, given that of s."""
    q, k, v = given
    one = v.dtype.type(1)
    for j in range(len(k)):
        for d in range(len(v)):
            t = tanh(q[d] + k[j, d])
            dv[d] += ds[j] * t
            through = ds[j] * v[d] * (one - t * t)
            dq[d] += through
            dk[j, d] += through


@compiled
def _softmax(a):
    largest = a[0]
    for j in range(1, len(a)):
        # NaN is not larger than anything, but must not get lost.
        largest = a[j] if a[j] > largest or a[j] != a[j] else largest
    total = a[0] - a[0]
    for j in range(len(a)):
        a[j] = math.exp(a[j] - largest)
        total += a[j]
    for j in range(len(a)):
        a[j] /= total


@compiled
def _through_softmax(a, da):
    """Replace weights by the gradient with respect to the scores."""
    mean = a[0] - a[0]
    for j in range(len(a)):
        mean += a[j] * da[j]
    for j in range(len(a)):
        a[j] *= da[j] - mean
