"""The output layer, ``scores = V h + c``, its loss, and the way back."""

from functools import cache

import numpy as np

from skrnn._core import losses
from skrnn._core.imports import kernel_imports

# Maximum number of scores that are in memory at once.
MAX_SCORES = 2**22


def output_scores(V, c, h):
    """Compute ``V h + c``, of shape (n_sequences, n_outputs).

    The scores of a sequence do not depend on other sequences, to the last bit; see
    :mod:`skrnn._core.products`.

    Parameters
    ----------
    V : ndarray of shape (n_outputs, n_features_out)
    c : ndarray of shape (n_outputs,)
    h : ndarray of shape (n_sequences, n_features_out)

    Raises
    ------
    ValueError
        If the shapes do not fit each other. The kernels do not check it.
    """
    with kernel_imports():
        from skrnn._core.products import (
            multiply,
        )

    if V.shape != (len(c), h.shape[1]):
        raise ValueError(
            f"V_ has the shape {V.shape}, but h and intercept_ need "
            f"{(len(c), h.shape[1])}. Give weights that you edit the shapes that they "
            "had after the fit."
        )

    scores = np.empty((len(h), len(V)), h.dtype)
    scores[:] = c
    multiply(h, np.ascontiguousarray(V.T), scores, True)
    return scores


def loss_and_gradient(loss, output, gradient, h, target, weight, scratch, whole=()):
    """Compute the summed loss of the scores; write the gradient of V and c.

    Rows are processed in chunks, so that memory does not grow with the number of rows
    times the number of outputs, which may be one per token of the vocabulary; for a
    loss of whole sequences, all rows at once.

    Parameters
    ----------
    loss : str
        The name of a module of :mod:`skrnn._core.losses`.
    output, gradient : tuple (V, c) of ndarrays
    h : ndarray of shape (n_rows, n_features_out)
    target, weight : ndarrays of shape (n_rows, ...)
    scratch : Scratch
    whole : tuple, default=()
        For a loss of whole sequences: a compiled function in place of that of `loss`,
        and what it takes after scores, target and weight. Their shapes are arbitrary
        then.

    Returns
    -------
    total : float
    dh : ndarray of the shape of h
    """
    V, _ = output
    n_at_once = len(h)
    if not whole:
        n_at_once = min(n_at_once, max(1, MAX_SCORES // len(V)))
    V_T = scratch.take(V.shape[1], len(V))
    scores = scratch.take(n_at_once, len(V))
    dh = scratch.take(len(h), V.shape[1])
    function = whole[0] if whole else losses.page_of(loss).loss_and_gradient
    run = _kernel_for(function)
    total = run(h, output, target, weight, V_T, scores, gradient, dh, *whole[1:])
    return total, dh


@cache
def _kernel_for(loss_and_gradient):
    """Return the output layer's pass forward and back, compiled for a loss."""
    with kernel_imports():
        from skrnn._core import rows
        from skrnn._core.compiled import compiled
        from skrnn._core.products import multiply

    @compiled
    def run(h, output, target, weight, V_T, scores, gradient, dh, *others):
        """Return the summed loss; write the gradients of V and c, and of h."""
        V, c = output
        dV, dc = gradient
        rows.transpose(V, V_T)
        rows.clear_all(dV)
        rows.clear(dc)
        total = 0.0
        first = 0
        while first < len(h):
            end = min(first + len(scores), len(h))
            some, part = h[first:end], scores[: end - first]
            for i in range(len(part)):
                rows.copy(c, part[i])
            multiply(some, V_T, part, True)
            if len(part) == len(h):
                total += loss_and_gradient(part, target, weight, *others)
            else:
                total += loss_and_gradient(
                    part, target[first:end], weight[first:end], *others
                )
            multiply(part.T, some, dV, True)
            multiply(part, V, dh[first:end], False)
            for i in range(len(part)):
                rows.add(part[i], dc)
            first = end
        return total

    return run
