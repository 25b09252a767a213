"""The last hidden state and the largest values, concatenated [1]_.

    h = [h_T, max(h_1, ..., h_T)]

References
----------
.. [1] Howard and Ruder (2018), "Universal Language Model Fine-tuning for Text
   Classification", ACL, section 3.3.
"""

import math

from skrnn._core import rows
from skrnn._core.compiled import compiled
from skrnn._core.pooling.largest import keep_larger, pass_on
from skrnn._core.pooling.last import gather as gather_last

START = -math.inf
IS_LAST_ONLY = False


def width(nhidden):
    """Return the length of the pooled vector."""
    return 2 * nhidden


def gathered_width(nhidden):
    """Return the length of a gathered vector."""
    return 2 * nhidden


@compiled
def gather(H, sizes, gathered):
    """Gather the last states and the largest values, side by side."""
    n = H.shape[1]
    gather_last(H, sizes, gathered)
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            keep_larger(H[row], gathered[i][n:])
            row += 1


@compiled
def finish(gathered, lengths, h):
    """Copy both."""
    rows.copy_all(gathered, h)


@compiled
def spread(dh, H, sizes, gathered, lengths, dlast, dH):
    """Pass one half to the last hidden state, the other to the largest values."""
    n = H.shape[1]
    for i in range(len(dh)):
        rows.copy(dh[i][:n], dlast[i])
    left = dh[:, n:].copy()
    spread_largest(left, H, sizes, gathered, dH)


@compiled
def spread_largest(left, H, sizes, gathered, dH):
    """Pass a gradient to the largest values; `left` ends as what no step got."""
    n = H.shape[1]
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            pass_on(left[i], H[row], gathered[i][n:], dH[row])
            row += 1
