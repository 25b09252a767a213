"""Where each sequence begins in the concatenation of all sequences."""

import numpy as np


def offsets_of(lengths):
    """The offsets of sequences of these lengths."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
