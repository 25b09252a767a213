"""Rows of a matrix: for each sequence, the values of all columns."""

from typing import NamedTuple

import numpy as np


class DenseRows(NamedTuple):
    """Rows of a matrix.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_columns), float32
    """

    values: np.ndarray

    def take(self, indices):
        """Return the rows at `indices`, in that order."""
        return DenseRows(self.values[indices])
