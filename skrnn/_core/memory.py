"""Memory that is reused for each batch.

The operating system provides fresh memory of this size page by page, which for small
networks takes as long as the arithmetic on it.
"""

from torch import Tensor


def take(memory: Tensor, used: list[int], n_rows: int, n_columns: int):
    """Return the next part of `memory`, as a tensor of shape (n_rows, n_columns).

    Its values are arbitrary. ``used[0]`` counts the entries that have been taken; once
    it exceeds the size of `memory`, new tensors are allocated. Compiled code does not
    support classes, so this function is separate from :class:`Scratch`.
    """
    start, size = used[0], n_rows * n_columns
    used[0] = start + (size + 15) // 16 * 16  # round up to whole cache lines
    if used[0] > memory.shape[0]:
        return memory.new_empty([n_rows, n_columns])
    return memory[start : start + size].view(n_rows, n_columns)


class Scratch:
    """Reusable memory that grows to fit the largest batch.

    Parameters
    ----------
    like : Tensor
        A tensor of the desired type, on the desired device.

    Attributes
    ----------
    memory : Tensor of shape (n_entries,)
    """

    def __init__(self, like):
        self.memory = like.new_empty(0)
        self._used = [0]
        self._n_rows = 0

    def reset(self, n_rows):
        """Release all tensors taken so far; their memory may be overwritten."""
        self.reserve(self._used[0])
        self._used = [0]
        self._n_rows = n_rows

    def reserve(self, n_entries):
        """Grow to at least this many entries."""
        if n_entries > len(self.memory):
            self.memory = self.memory.new_empty(n_entries)

    def new(self, n_columns, n_rows=None):
        """Return a tensor, by default with the number of rows passed to `reset`."""
        n_rows = self._n_rows if n_rows is None else n_rows
        return take(self.memory, self._used, n_rows, n_columns)
