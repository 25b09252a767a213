"""The hidden state of the last step."""

from torch import Tensor

LOOKS_BACK = False  # whether `gather` needs what was gathered before
NEEDS_SEQUENCE = False  # whether `pool` needs the sequence of each row


def width(nhidden):
    """Return the length of the pooled vector."""
    return nhidden


def pool(H: Tensor, packing: dict[str, Tensor]):
    """Compute h = H[last step]."""
    return H.index_select(0, packing["last"])


def gathered_width(nhidden):
    """Return the length of a gathered vector."""
    return nhidden


def nothing(n_sequences, like):
    """Return the initial vectors: hidden states of 0."""
    return like.new_zeros((n_sequences, like.shape[-1]))


def gather(before, h, weights):
    """Return the hidden state of this step."""
    return h


def finish(gathered, lengths):
    """Return the gathered vectors, which are the last hidden states already."""
    return gathered
