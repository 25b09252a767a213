"""The vectors that come with sequences, one each: their context."""

from dataclasses import dataclass, replace

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

    def take(self, indices):
        """Return the vectors at `indices`, in that order."""
        return replace(self, rows=self.rows.take(indices))
