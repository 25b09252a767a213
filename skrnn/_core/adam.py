"""The arithmetic of :class:`skrnn._core.rules.Adam`, in one pass over memory."""

import math

from skrnn._core.compiled import compiled
from skrnn._core.prefetch import AHEAD, prefetch
from skrnn._core.rows import copy


@compiled
def step(weights, gradient, mean, square, n_biases, betas, factors):
    """Update the moments and the weights.

    Parameters
    ----------
    weights, gradient, mean, square : ndarrays of shape (n_weights,)
    n_biases : int
        Number of first weights, which do not decay.
    betas : tuple of 2 floats
    factors : tuple of 4 floats
        The decay, epsilon, the size of the step, and what multiplies the gradient.
    """
    first = slice(0, n_biases)
    _step(
        weights[first],
        gradient[first],
        mean[first],
        square[first],
        betas,
        (1.0, *factors[1:]),
    )
    others = slice(n_biases, len(weights))
    _step(
        weights[others],
        gradient[others],
        mean[others],
        square[others],
        betas,
        factors,
    )


@compiled
def _step(weights, gradient, mean, square, betas, factors):
    number = weights.dtype.type
    keep_mean, keep_square = number(betas[0]), number(betas[1])
    new_mean, new_square = number(1 - betas[0]), number(1 - betas[1])
    decay, epsilon = number(factors[0]), number(factors[1])
    size, scale = number(factors[2]), number(factors[3])
    for i in range(len(weights)):
        g = scale * gradient[i]
        mean[i] = keep_mean * mean[i] + new_mean * g
        square[i] = keep_square * square[i] + new_square * g * g
        change = size * mean[i] / (math.sqrt(square[i]) + epsilon)
        weights[i] = decay * weights[i] + change


@compiled
def move_rows(table, local, moments, first, tokens, gradient, betas, factors):
    """Update the vectors of some tokens, and their moments.

    Parameters
    ----------
    table, moments : ndarrays of shape (n_tokens, ...)
        The vectors of all tokens; and their moments, side by side. Written.
    local : ndarray of shape (n_rows, nhidden)
        What the gradient was computed from, vectors of `tokens`.
    first : int
        The first column of `moments`.
    tokens : ndarray of shape (n_rows,), int64
    gradient : ndarray of shape (n_rows, nhidden)
    betas, factors
        As in :func:`step`.
    """
    width = local.shape[1]
    for row in range(len(tokens)):
        if row + AHEAD < len(tokens):
            prefetch(table[tokens[row + AHEAD]])
            prefetch(moments[tokens[row + AHEAD]])
        vector, own = table[tokens[row]], moments[tokens[row]][first:]
        copy(local[row], vector)
        mean, square = own[:width], own[width : 2 * width]
        _step(vector, gradient[row], mean, square, betas, factors)
