"""Memory that is reused for each batch.

The operating system provides fresh memory of this size page by page, which for small
networks takes as long as the arithmetic on it.
"""

import numpy as np


class Scratch:
    """Reusable memory that grows to fit the largest batch.

    Parameters
    ----------
    dtype : dtype
    """

    def __init__(self, dtype):
        self._memory = np.empty(0, dtype)
        self._n_used = 0

    @property
    def dtype(self):
        """The type of all arrays."""
        return self._memory.dtype

    def reset(self):
        """Release all arrays taken so far; their memory may be overwritten."""
        if self._n_used > len(self._memory):
            self._memory = np.empty(self._n_used, self._memory.dtype)
        self._n_used = 0

    def take(self, n_rows, n_columns):
        """Return an array of shape (n_rows, n_columns) whose values are arbitrary.

        If the memory is used up, the array is new, and the memory grows at the next
        `reset`.
        """
        start, size = self._n_used, n_rows * n_columns
        self._n_used = start + (size + 15) // 16 * 16  # round up to whole cache lines
        if self._n_used > len(self._memory):
            return np.empty((n_rows, n_columns), self._memory.dtype)
        return self._memory[start : start + size].reshape(n_rows, n_columns)

    def zeros(self, n_rows, n_columns):
        """Return an array of zeros."""
        array = self.take(n_rows, n_columns)
        array.fill(0)
        return array
