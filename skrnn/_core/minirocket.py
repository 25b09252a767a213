"""Shares of steps at which patterns are found in series: the features of MiniRocket.

A pattern is 3 of the 9 steps of a window; there are 84. The steps of a window are d
apart, where d is its dilation. The likeness of the window around step t and pattern
(p, q, r) is

    C_t = 3 (z_{t+pd} + z_{t+qd} + z_{t+rd}) - sum_{j=-4}^{4} z_{t+jd},

where z is the sum of some of the numbers of a step, and 0 before and after the series.
The weights of a window add up to 0, so that the level of a series has no effect, except
on windows that reach beyond its ends. A feature is the share of the steps at which
C_t > b, its bias [1]_. Feature i is of pattern i % 84 and of dilation
(i // 84) % n_dilations.

References
----------
.. [1] Dempster, Schmidt and Webb (2021), "MiniRocket: A Very Fast (Almost)
   Deterministic Transform for Time Series Classification", KDD.
"""

from itertools import combinations

import numpy as np

from skrnn._core.compiled import compiled

SIZE = 9  # steps in a window
# The places of the 3 steps in the window.
PATTERNS = np.array(list(combinations(range(SIZE), 3)))


@compiled
def add_up(values, is_read, dilation):
    """Return z, with zeros before and after the series, and the sums of its windows.

    Parameters
    ----------
    values : ndarray of shape (n_steps, n_inputs)
    is_read : ndarray of shape (n_inputs,), bool
        What is summed.
    dilation : int

    Returns
    -------
    z : ndarray of shape (n_steps + 8 * dilation,)
    sums : ndarray of shape (n_steps,)
        For each step, the sum of z over the window around it.
    """
    n_steps, margin = len(values), 4 * dilation
    z = np.zeros(n_steps + 2 * margin, values.dtype)
    sums = np.zeros(n_steps, values.dtype)
    for c in range(len(is_read)):
        if is_read[c]:
            for t in range(n_steps):
                z[margin + t] += values[t, c]
    for j in range(SIZE):
        for t in range(n_steps):
            sums[t] += z[t + j * dilation]
    return z, sums


@compiled
def compare(z, sums, k, dilation, C):
    """Write the likeness C of pattern k and each window; return the part that counts.

    For every second pattern, only the windows that lie within the series count, unless
    there are none.

    Parameters
    ----------
    z, sums : ndarrays
        What :func:`add_up` returns.
    k, dilation : int
    C : ndarray of shape (n_steps,)
        Written.

    Returns
    -------
    part : ndarray
        A view of C.
    """
    p, q, r = PATTERNS[k]
    p, q, r, margin = p * dilation, q * dilation, r * dilation, 4 * dilation
    three = z.dtype.type(3)
    for t in range(len(C)):
        C[t] = three * (z[t + p] + z[t + q] + z[t + r]) - sums[t]
    if k % 2 == 1 and len(C) > 2 * margin:
        return C[margin : len(C) - margin]
    return C[:]


@compiled
def share_above(C, bias):
    """Return the share of the numbers of C that are above the bias."""
    n = np.int32(0)
    for t in range(len(C)):
        n += np.int32(C[t] > bias)
    return n / len(C)


@compiled
def write_shares(values, offsets, dilations, is_read, biases, shares):
    """Write the features of series.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_inputs), float32
    offsets : ndarray of shape (n_series + 1,)
    dilations : ndarray of shape (n_dilations,), int64
    is_read : ndarray of shape (n_dilations, n_sums, n_inputs), bool
        For each dilation, what z may be the sum of; pattern k takes sum k % n_sums.
    biases : ndarray of shape (n_features,), float32
    shares : ndarray of shape (n_series, n_features), float32
        Written.
    """
    n_dilations, n_sums = is_read.shape[:2]
    for i in range(len(shares)):
        x = values[offsets[i] : offsets[i + 1]]
        C = np.empty(len(x), values.dtype)
        for d in range(n_dilations):
            # The other steps of larger windows would be zeros as well.
            dilation = min(dilations[d], len(x))
            for s in range(n_sums):
                z, sums = add_up(x, is_read[d, s], dilation)
                for k in range(s, len(PATTERNS), n_sums):
                    part = compare(z, sums, k, dilation, C)
                    first = d * len(PATTERNS) + k
                    step = n_dilations * len(PATTERNS)
                    for feature in range(first, len(biases), step):
                        shares[i, feature] = share_above(part, biases[feature])
