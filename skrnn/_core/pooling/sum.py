"""The last hidden state plus the largest values.

h = h_T + max(h_1, ..., h_T)
"""

from skrnn._core import rows
from skrnn._core.compiled import compiled
from skrnn._core.pooling import concat
from skrnn._core.pooling.concat import gather, gathered_width, spread_largest

__all__ = ["finish", "gather", "gathered_width", "spread", "width"]

START = concat.START
IS_LAST_ONLY = False


def width(nhidden):
    """Return the length of the pooled vector."""
    return nhidden


@compiled
def finish(gathered, lengths, h):
    """Add the last hidden states and the largest values."""
    n = h.shape[1]
    for i in range(len(h)):
        for j in range(n):
            h[i, j] = gathered[i, j] + gathered[i, n + j]


@compiled
def spread(dh, H, sizes, gathered, lengths, dlast, dH):
    """Pass the gradient to the last hidden state and to the largest values."""
    rows.copy_all(dh, dlast)
    spread_largest(dh.copy(), H, sizes, gathered, dH)
