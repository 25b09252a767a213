"""The largest value of each unit over all steps; the public name is "max".

    h = max(h_1, ..., h_T), entry by entry

The gradient goes to the first step that has this value.
"""

import math

from skrnn._core import rows
from skrnn._core.compiled import compiled

START = -math.inf
IS_LAST_ONLY = False


def width(nhidden):
    """Return the length of the pooled vector."""
    return nhidden


def gathered_width(nhidden):
    """Return the length of a gathered vector."""
    return nhidden


@compiled
def keep_larger(h, best):
    """Replace the largest values of a sequence by larger ones of one step."""
    for j in range(len(h)):
        # NaN is not larger than anything, but must not get lost.
        best[j] = h[j] if h[j] > best[j] or h[j] != h[j] else best[j]


@compiled
def pass_on(left, h, best, dh):
    """Give the gradient that is left to one step, where this has the largest values."""
    zero = h.dtype.type(0)  # 0 and a float32 would be float64 together
    for j in range(len(h)):
        is_largest = h[j] == best[j]
        dh[j] = left[j] if is_largest else zero
        left[j] = zero if is_largest else left[j]


@compiled
def gather(H, sizes, gathered):
    """Replace the largest values so far by larger ones in these states."""
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            keep_larger(H[row], gathered[i])
            row += 1


@compiled
def finish(gathered, lengths, h):
    """Copy the largest values."""
    rows.copy_all(gathered, h)


@compiled
def spread(dh, H, sizes, gathered, lengths, dlast, dH):
    """Pass the gradient to the steps that have the largest values.

    If an earlier step has one, which is not among these rows, no step gets its
    gradient.
    """
    rows.clear_all(dlast)
    left = dh.copy()
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            pass_on(left[i], H[row], gathered[i], dH[row])
            row += 1
