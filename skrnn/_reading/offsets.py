"""Where each sequence begins in the concatenation of all sequences."""

import numpy as np

from skrnn._messages import no_steps


def offsets_of(lengths):
    """The offsets of sequences of these lengths, which must not be 0."""
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise ValueError(no_steps(empty[0]))
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
