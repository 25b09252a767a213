"""The mean over all steps: h = (h_1 + ... + h_T) / T."""

from skrnn._core import rows
from skrnn._core.compiled import compiled

START = 0.0
IS_LAST_ONLY = False


def width(nhidden):
    """Return the length of the pooled vector."""
    return nhidden


def gathered_width(nhidden):
    """Return the length of a gathered vector."""
    return nhidden


@compiled
def gather(H, sizes, gathered):
    """Add these states to the sums of earlier ones."""
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            for j in range(H.shape[1]):
                gathered[i, j] += H[row, j]
            row += 1


@compiled
def finish(gathered, lengths, h):
    """Divide the sums by the numbers of steps."""
    for i in range(len(h)):
        n_steps = h.dtype.type(lengths[i])
        for j in range(h.shape[1]):
            h[i, j] = gathered[i, j] / n_steps


@compiled
def spread(dh, H, sizes, gathered, lengths, dlast, dH):
    """Pass dh / T to each step."""
    rows.clear_all(dlast)
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            n_steps = dh.dtype.type(lengths[i])
            for j in range(dh.shape[1]):
                dH[row, j] = dh[i, j] / n_steps
            row += 1
