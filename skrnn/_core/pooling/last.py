"""The hidden state of the last step: h = h_T."""

from skrnn._core import rows
from skrnn._core.compiled import compiled

START = 0.0
IS_LAST_ONLY = True


def width(nhidden):
    """Return the length of the pooled vector."""
    return nhidden


def gathered_width(nhidden):
    """Return the length of a gathered vector."""
    return nhidden


@compiled
def gather(H, sizes, gathered):
    """Replace what was gathered by the last of these states of each sequence."""
    end = 0
    for t in range(len(sizes)):
        first, end = end, end + sizes[t]
        stays = sizes[t + 1] if t + 1 < len(sizes) else 0
        for i in range(stays, sizes[t]):
            rows.copy(H[first + i], gathered[i])


@compiled
def finish(gathered, lengths, h):
    """Copy the last hidden states."""
    rows.copy_all(gathered, h)


@compiled
def spread(dh, H, sizes, gathered, lengths, dlast, dH):
    """Pass the gradient to the last hidden state."""
    rows.copy_all(dh, dlast)
