"""Memory that is used again for each batch.

Fresh memory of this size comes from the operating system page by page, which for small
networks takes as long as the arithmetic on it.
"""

import torch
from torch import Tensor


def take(memory: Tensor, used: list[int], n_rows: int, n_columns: int):
    """The next part of `memory`, as a tensor of shape (n_rows, n_columns).

    Its values are arbitrary. ``used[0]`` counts what has been taken; where it goes
    beyond the end, the tensor is new. Compiled code has no classes, so this stands
    apart from :class:`Scratch`.
    """
    start, size = used[0], n_rows * n_columns
    used[0] = start + (size + 15) // 16 * 16  # whole cache lines
    if used[0] > memory.shape[0]:
        return torch.empty([n_rows, n_columns], dtype=memory.dtype)
    return memory[start : start + size].view(n_rows, n_columns)


class Scratch:
    """Memory that grows with the largest batch.

    Parameters
    ----------
    dtype : torch.dtype

    Attributes
    ----------
    memory : Tensor of shape (n_entries,)
    """

    def __init__(self, dtype=torch.float32):
        self.memory = torch.empty(0, dtype=dtype)
        self._used = [0]
        self._n_rows = 0

    def reset(self, n_rows):
        """Forget what was taken; all of it may be overwritten."""
        self.reserve(self._used[0])
        self._used = [0]
        self._n_rows = n_rows

    def reserve(self, n_entries):
        """Have room for so many entries from now on."""
        if n_entries > len(self.memory):
            self.memory = self.memory.new_empty(n_entries)

    def new(self, n_columns, n_rows=None):
        """A tensor of `n_columns`, by default of as many rows as :meth:`reset` said."""
        n_rows = self._n_rows if n_rows is None else n_rows
        return take(self.memory, self._used, n_rows, n_columns)
