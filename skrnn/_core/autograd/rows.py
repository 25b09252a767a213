"""Where the steps of sequences are in the packed layout, as tensors."""

from functools import cached_property

import torch

from skrnn._core.execution import Execution


class Rows:
    """The rows of a :class:`skrnn._core.packing.Packing`, as tensors on a device.

    Parameters
    ----------
    packing : Packing
    like : Tensor
        Any one on the device.

    Attributes
    ----------
    n : int
        Number of sequences that have steps.
    n_rows : int
        Number of steps of all sequences.
    batch_sizes : Tensor of shape (n_steps,), int64
        Number of sequences alive at each step; on the CPU, as torch needs it.
    lengths : Tensor of shape (n,), int64
    """

    def __init__(self, packing, like):
        self._send = Execution.of(like).tensor
        self.n, self.n_rows = len(packing.lengths), int(packing.lengths.sum())
        self._sizes, self._device = packing.batch_sizes, like.device
        self.batch_sizes = torch.as_tensor(packing.batch_sizes, device="cpu")
        self.lengths = self._send(packing.lengths)

    def repeat(self, parts):
        """The part of each sequence once for each of its steps, rows in packed order.

        Parameters
        ----------
        parts : Tensor of shape (n_sequences, ...)
        """
        return parts.index_select(0, self.sequences)

    @cached_property
    def first(self):
        """The row of the first sequence at each step."""
        sizes = self._send(self._sizes)
        return sizes.cumsum(0) - sizes

    @cached_property
    def steps(self):
        """The step of each row."""
        steps = torch.arange(len(self._sizes), device=self._device)
        sizes = self._send(self._sizes)
        return steps.repeat_interleave(sizes, output_size=self.n_rows)

    @cached_property
    def sequences(self):
        """The sequence of each row."""
        rows = torch.arange(self.n_rows, device=self._device)
        return rows - self.first[self.steps]

    @cached_property
    def offsets(self):
        """Where sequences begin, if they lie one after the other."""
        return self.lengths.cumsum(0) - self.lengths

    @cached_property
    def places(self):
        """The place of each row, if sequences lie one after the other."""
        return self.offsets[self.sequences] + self.steps

    @cached_property
    def by_sequence(self):
        """The rows of one sequence after the other, the inverse of `places`."""
        sequences = torch.arange(self.n, device=self._device)
        sequences = sequences.repeat_interleave(self.lengths, output_size=self.n_rows)
        steps = torch.arange(self.n_rows, device=self._device) - self.offsets[sequences]
        return self.first[steps] + sequences

    @cached_property
    def last(self):
        """The row of the last step of each sequence."""
        sequences = torch.arange(self.n, device=self._device)
        return self.first[self.lengths - 1] + sequences

    @cached_property
    def flip(self):
        """The row of each step after reversing every sequence."""
        steps = self.lengths[self.sequences] - 1 - self.steps
        return self.first[steps] + self.sequences
