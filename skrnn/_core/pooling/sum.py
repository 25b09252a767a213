"""The last hidden state plus the largest values."""

from torch import Tensor

from skrnn._core.pooling import concat, largest, last
from skrnn._core.pooling.concat import gather, gathered_width, nothing

__all__ = ["finish", "gather", "gathered_width", "nothing", "pool", "spread", "width"]

LOOKS_BACK = True  # whether `gather` needs what was gathered before
NEEDS_SEQUENCE = False  # whether `pool` needs the sequence of each row


def width(nhidden):
    """Return the length of the pooled vector."""
    return nhidden


def pool(
    H: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    gathered: list[Tensor],
):
    """Compute h = h_T + max(h_1, ..., h_T); also return the largest values."""
    if len(gathered) > 0:
        gathered = [gathered[0][:, H.shape[1] :]]
    best = largest.pool(H, batch_sizes, gathered)
    return last.pool(H, packing) + best, best


def spread(dh: Tensor, H: Tensor, batch_sizes: list[int], best: Tensor, dH: Tensor):
    """Write the gradient of the largest values into dH; return that of h_T."""
    largest.spread(dh.clone(), H, batch_sizes, best, dH)
    return dh


def finish(gathered, lengths):
    """Add the last hidden state and the largest values."""
    last_state, best = concat.finish(gathered, lengths).chunk(2, 1)
    return last_state + best
