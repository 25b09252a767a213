"""Packing a batch of ragged sequences step by step, without padding."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch


@dataclass(frozen=True)
class Packing:
    """A batch in torch's packed layout: step by step, longest sequence first.

    The rows of step 0 of all sequences come first, then those of step 1 of all
    sequences that have one, and so on: no padding. The layout is that of
    ``torch.nn.utils.rnn.PackedSequence``.

    Attributes
    ----------
    indices : Tensor of shape (n_sequences,), int64
        The sequences, longest first.
    rows : Tensor of shape (n_rows,), int64
        Where each packed row lies in the flat values.
    batch_sizes : list of int, length n_steps, decreasing
        Sequences alive at each step.
    last : Tensor of shape (n_sequences,), int64
        The packed row of the last step of each sequence.
    previous : Tensor of shape (n_rows - n_sequences,), int64
        For each packed row from step 1 on, the packed row of the step before.
    lengths : Tensor of shape (n_sequences,), int64
        Steps of each sequence.
    """

    indices: torch.Tensor
    rows: torch.Tensor
    batch_sizes: list
    last: torch.Tensor
    previous: torch.Tensor
    lengths: torch.Tensor

    @cached_property
    def sequence(self):
        """The rank by length of the sequence of each packed row, int64."""
        return torch.arange(len(self.rows)) - self._first_row[self._step]

    @cached_property
    def flip(self):
        """Where each packed row comes to lie when every sequence is reversed, int64."""
        mirrored = self.lengths[self.sequence] - 1 - self._step
        return self._first_row[mirrored] + self.sequence

    @cached_property
    def _step(self):
        sizes = torch.tensor(self.batch_sizes)
        return torch.repeat_interleave(torch.arange(len(sizes)), sizes)

    @cached_property
    def _first_row(self):
        sizes = torch.tensor(self.batch_sizes)
        return sizes.cumsum(0) - sizes


def pack(starts, lengths, cuts=(0,)):
    """Pack sequences, batch by batch.

    Parameters
    ----------
    starts, lengths : ndarrays of shape (n_sequences,), int64
        Where each sequence begins in the flat values, and its number of steps.
    cuts : sequence of int, increasing from 0
        The first sequence of each batch.

    Returns
    -------
    packings : list of Packing
        One for each batch; its `indices` are positions in `starts`.

    Notes
    -----
    Time O(n_rows + n_sequences log n_sequences), no Python loop over sequences; memory
    O(n_rows).
    """
    n_sequences = len(starts)
    cuts = np.asarray(cuts)
    sizes = np.diff(cuts, append=n_sequences)  # sequences in each batch
    batch = np.repeat(np.arange(len(cuts)), sizes)  # of each sequence
    order = np.lexsort((-lengths, batch))  # longest first, within each batch
    starts, lengths = starts[order], lengths[order]

    # The steps of all batches end to end: a batch has those of its longest sequence.
    n_steps = lengths[cuts]
    first_step = np.cumsum(n_steps) - n_steps
    ends = np.bincount(first_step[batch] + lengths - 1, minlength=n_steps.sum())
    ended = np.cumsum(ends) - ends  # sequences, of this and all earlier batches
    alive = np.repeat(cuts + sizes, n_steps) - ended
    first_row = np.cumsum(alive) - alive  # of each step

    # Of each packed row: its step; its sequence, which is the rank by length among
    # those of its batch; and by these where its value lies.
    step = np.repeat(np.arange(len(alive)), alive)
    rank = np.arange(len(step)) - first_row[step]
    step_in_batch = np.arange(len(alive)) - np.repeat(first_step, n_steps)
    sequence = np.repeat(cuts, n_steps)[step] + rank
    rows = starts[sequence] + step_in_batch[step]

    # Rows counted from the start of the batch.
    row_in_batch = first_row - np.repeat(first_row[first_step], n_steps)
    is_later = step_in_batch[step] > 0
    previous = row_in_batch[step[is_later] - 1] + rank[is_later]
    last = row_in_batch[first_step[batch] + lengths - 1] + np.arange(n_sequences)
    last -= cuts[batch]

    n_rows = np.add.reduceat(alive, first_step)
    n_sequences = sizes.tolist()
    parts = zip(
        torch.from_numpy(order).split(n_sequences),
        torch.from_numpy(rows).split(n_rows.tolist()),
        map(np.ndarray.tolist, np.split(alive, first_step[1:])),
        torch.from_numpy(last).split(n_sequences),
        torch.from_numpy(previous).split((n_rows - sizes).tolist()),
        torch.from_numpy(lengths).split(n_sequences),
        strict=True,
    )
    return [Packing(*part) for part in parts]


def batches_by_length(lengths, max_rows, max_sequences):
    """Cut sequences into batches of a bounded number of steps, longest first.

    A sequence longer than `max_rows` makes a batch of its own.

    Yields
    ------
    indices : ndarray of int64
    """
    order = np.argsort(-lengths, kind="stable")
    n_rows = np.cumsum(lengths[order])  # of this sequence and all before it
    start, done = 0, 0
    while start < len(order):
        stop = int(np.searchsorted(n_rows, done + max_rows, side="right"))
        stop = min(max(stop, start + 1), start + max_sequences)
        yield order[start:stop]
        start, done = stop, n_rows[stop - 1]
