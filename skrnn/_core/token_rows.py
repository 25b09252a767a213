"""The vectors of the tokens in a minibatch: their numbers, and copies of their rows."""

import math

from skrnn._core.compiled import compiled
from skrnn._core.prefetch import AHEAD, prefetch


@compiled
def renumber(x, n_known, number_of, tokens, numbers):
    """Number tokens from 0, in the order in which they first occur.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_tokens), int
        Token ids.
    n_known : int
        How many tokens have a number already.
    number_of : ndarray of shape (n_tokens,), int32
        The number of each token that has one, otherwise -1. Written.
    tokens : ndarray of int64
        The ids by number. Written.
    numbers : ndarray of the shape of x, int32
        Written.

    Returns
    -------
    n_known : int
    """
    for row in range(len(x)):
        for k in range(x.shape[1]):
            token = x[row, k]
            if number_of[token] < 0:
                number_of[token] = n_known
                tokens[n_known] = token
                n_known += 1
            numbers[row, k] = number_of[token]
    return n_known


@compiled
def fetch(table, tokens, decay_of, decay, local):
    """Copy the vectors of some tokens, with the decay that they have missed.

    Parameters
    ----------
    table : ndarray of shape (n_all_tokens, n_columns)
    tokens : ndarray of shape (n_tokens,), int64
    decay_of : ndarray of shape (n_all_tokens,), float64
        The logarithm of the decay that each row has had.
    decay : float
        The logarithm of the decay that it should have had.
    local : ndarray of shape (n_tokens, n_columns)
        Written.
    """
    for row in range(len(tokens)):
        if row + AHEAD < len(tokens):
            prefetch(table[tokens[row + AHEAD]])
        vector = table[tokens[row]]
        factor = table.dtype.type(math.exp(decay - decay_of[tokens[row]]))
        for j in range(len(vector)):
            local[row, j] = vector[j] * factor
