"""Rows of a sparse matrix: for each sequence, some columns and their values."""

from typing import NamedTuple

import numpy as np

from skrnn._core.sequences import rows_of


class SparseRows(NamedTuple):
    """Rows of a sparse matrix, concatenated.

    Attributes
    ----------
    columns : ndarray of shape (n_entries,), int32
        The columns of all rows, distinct within each row.
    values : ndarray of shape (n_entries,), float32
    offsets : ndarray of shape (n_rows + 1,), int64
        The entry where each row begins, followed by n_entries.
    """

    columns: np.ndarray
    values: np.ndarray
    offsets: np.ndarray

    def take(self, indices):
        """Return the rows at `indices`, in that order."""
        entries, offsets = rows_of(self.offsets, indices)
        return SparseRows(self.columns[entries], self.values[entries], offsets)
