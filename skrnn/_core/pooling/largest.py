"""The largest value of each unit over all steps; the public name is "max".

The gradient goes to the first step that has this value.
"""

import torch
from torch import Tensor

LOOKS_BACK = True  # whether `gather` needs what was gathered before
NEEDS_SEQUENCE = False  # whether `pool` needs the sequence of each row


def width(nhidden):
    """Return the length of the pooled vector."""
    return nhidden


def pool(H: Tensor, batch_sizes: list[int], gathered: list[Tensor]):
    """Compute h = max(h_1, ..., h_T), entry by entry.

    `gathered` holds the largest values of the steps before these rows, if any.
    """
    rows = H.split(batch_sizes)
    best = torch.maximum(rows[0], gathered[0]) if len(gathered) > 0 else rows[0].clone()
    for t in range(1, len(batch_sizes)):
        so_far = best[: batch_sizes[t]]
        torch.maximum(so_far, rows[t], out=so_far)
    return best


def spread(dh: Tensor, H: Tensor, batch_sizes: list[int], best: Tensor, dH: Tensor):
    """Write the gradient of :func:`pool` into dH.

    `dh` holds the gradient not yet passed to a step; it ends as 0 if a step in these
    rows has the largest value. If an earlier step has it, no step gets the gradient.
    """
    rows, drows = H.split(batch_sizes), dH.split(batch_sizes)
    for t in range(len(batch_sizes)):
        here, still_left = drows[t], dh[: batch_sizes[t]]
        torch.eq(rows[t], best[: batch_sizes[t]], out=here)
        here.mul_(still_left)
        still_left.sub_(here)


def gathered_width(nhidden):
    """Return the length of a gathered vector."""
    return nhidden


def nothing(n_sequences, like):
    """Return the initial vectors: minus infinity."""
    return like.new_full((n_sequences, like.shape[-1]), -torch.inf)


def gather(before, h, weights):
    """Return the largest values so far."""
    return h.clone() if before is None else torch.maximum(before, h)


def finish(gathered, lengths):
    """Return the gathered vectors, which are the largest values already."""
    return gathered
