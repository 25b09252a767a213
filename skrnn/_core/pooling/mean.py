"""The mean over all steps: h = (h_1 + ... + h_T) / T."""

import torch
from torch import Tensor

LOOKS_BACK = True  # whether `gather` needs what was gathered before
NEEDS_SEQUENCE = True  # whether `pool` needs the sequence of each row


def width(nhidden):
    """Return the length of the pooled vector."""
    return nhidden


def pool(
    H: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    gathered: list[Tensor],
):
    """Compute h; also return 1 / T for each sequence, of shape (n_sequences, 1)."""
    lengths = packing["lengths"]
    if len(gathered) > 0:
        total = gathered[0].clone()
        lengths = lengths + gathered[1]
    else:
        total = H.new_zeros([batch_sizes[0], H.shape[1]])
    total.index_add_(0, packing["sequence"], H)
    shares = (1.0 / lengths.to(H.dtype)).unsqueeze(1)
    return total.mul_(shares), shares


def spread(dh: Tensor, packing: dict[str, Tensor], shares: Tensor, dH: Tensor):
    """Write the gradient dh / T into dH, for each step."""
    torch.index_select(dh * shares, 0, packing["sequence"], out=dH)


def gathered_width(nhidden):
    """Return the length of a gathered vector."""
    return nhidden


def nothing(n_sequences, like):
    """Return the initial vectors: sums of 0."""
    return like.new_zeros((n_sequences, like.shape[-1]))


def gather(before, h, weights):
    """Return the sum so far."""
    return h.clone() if before is None else before + h


def finish(gathered, lengths):
    """Divide the sum by the number of steps."""
    return gathered / lengths.to(gathered.dtype).unsqueeze(1)
