"""The vectors that come with sequences, one each: their context."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.dense_rows import DenseRows
from skrnn._core.sparse_rows import SparseRows


@dataclass(frozen=True, slots=True)
class Context:
    """The vectors of some sequences, as the rows of a sparse or dense matrix.

    Attributes
    ----------
    rows : SparseRows or DenseRows
    n_features : int
        Length of a vector.
    """

    rows: SparseRows | DenseRows
    n_features: int

    def __len__(self):
        if isinstance(self.rows, SparseRows):
            return len(self.rows.offsets) - 1
        return len(self.rows.values)

    @property
    def lengths(self):
        """Number of steps that are read before each sequence is written: the start."""
        return np.ones(len(self), np.int64)

    def take(self, indices):
        """Return the vectors at `indices`, in that order."""
        return replace(self, rows=self.rows.take(indices))
