"""What a network reads: the steps of all sequences, concatenated."""

from typing import NamedTuple

import numpy as np

from skrnn._core.dense_rows import DenseRows
from skrnn._core.sequences import rows_of
from skrnn._core.sparse_rows import SparseRows


class Steps(NamedTuple):
    """The steps of sequences, as the network reads them.

    Attributes
    ----------
    values : ndarray of float32 or int32
        Numeric values, float32 of shape (n_rows, n_inputs); or token ids, int32 of
        shape (n_rows,), or of shape (n_rows, n_at_a_step) for n-grams and subwords.
    offsets : ndarray of shape (n_samples + 1,), int64
        The row of `values` where each sequence begins, followed by n_rows.
    keys : ndarray of shape (n_rows,), int32, or None
        Equal for steps with equal tokens; see
        :func:`skrnn._core.vocabulary.find_ids`. None for numeric values.
    wide : SparseRows, DenseRows or None
        What the wide path reads of each sequence, if there is one.
    is_padded : bool
        Whether steps have different numbers of ids, so that id 0 stands for nothing.
    """

    values: np.ndarray
    offsets: np.ndarray
    keys: np.ndarray | None = None
    wide: SparseRows | DenseRows | None = None
    is_padded: bool = False

    @property
    def lengths(self):
        """Number of steps of each sequence."""
        return np.diff(self.offsets)

    def take(self, indices):
        """Return the steps of the sequences at `indices`, in that order."""
        rows, offsets = rows_of(self.offsets, indices)
        keys = None if self.keys is None else self.keys[rows]
        wide = None if self.wide is None else self.wide.take(indices)
        return Steps(self.values[rows], offsets, keys, wide, self.is_padded)
