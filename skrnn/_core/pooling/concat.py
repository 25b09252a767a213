"""The last hidden state and the largest values, concatenated [1]_.

References
----------
.. [1] Howard and Ruder (2018), "Universal Language Model Fine-tuning for Text
   Classification", ACL, section 3.3.
"""

import torch
from torch import Tensor

from skrnn._core.pooling import largest, last

LOOKS_BACK = True  # whether `gather` needs what was gathered before
NEEDS_SEQUENCE = False  # whether `pool` needs the sequence of each row


def width(nhidden):
    """Return the length of the pooled vector."""
    return 2 * nhidden


def pool(
    H: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    gathered: list[Tensor],
):
    """Compute h = [h_T, max(h_1, ..., h_T)]; also return the largest values."""
    if len(gathered) > 0:
        gathered = [gathered[0][:, H.shape[1] :]]
    last_state = last.pool(H, packing)
    best = largest.pool(H, batch_sizes, gathered)
    return torch.cat([last_state, best], 1), best


def spread(dh: Tensor, H: Tensor, batch_sizes: list[int], best: Tensor, dH: Tensor):
    """Write the gradient of the largest values into dH; return that of h_T."""
    dh_last, dbest = dh.tensor_split(2, 1)
    largest.spread(dbest.clone(), H, batch_sizes, best, dH)
    return dh_last.contiguous()


def gathered_width(nhidden):
    """Return the length of a gathered vector."""
    return 2 * nhidden


def nothing(n_sequences, like):
    """Return the initial vectors of both parts, concatenated."""
    parts = [page.nothing(n_sequences, like) for page in (last, largest)]
    return torch.cat(parts, 1)


def gather(before, h, weights):
    """Return the hidden state of this step and the largest values so far."""
    best = None if before is None else before[:, h.shape[1] :]
    return torch.cat([h, largest.gather(best, h, weights)], 1)


def finish(gathered, lengths):
    """Return the gathered vectors, which are concatenated already."""
    return gathered
