"""Packing batches of ragged sequences step by step, without padding."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from skrnn._core.execution import CPU


@dataclass(frozen=True)
class Packing:
    """A batch in torch's packed layout: step by step, longest sequence first.

    The rows of step 0 of all sequences come first, then those of step 1 of all
    sequences that have one, and so on, without padding. The layout is that of
    ``torch.nn.utils.rnn.PackedSequence``.

    Attributes
    ----------
    indices : Tensor of shape (n_sequences,), int64
        The indices of the sequences, longest first. Those without steps come last and
        have no entry anywhere else.
    rows : Tensor of shape (n_rows,), int64
        The position of each packed row in the flat values.
    batch_sizes : list of int, length n_steps, decreasing
        Number of sequences alive at each step; [0] if no sequence has steps.
    last : Tensor of shape (batch_sizes[0],), int64
        The packed row of the last step of each sequence.
    previous : Tensor of shape (n_rows - batch_sizes[0],), int64
        For each packed row from step 1 on, the packed row of the previous step.
    lengths : Tensor of shape (batch_sizes[0],), int64
        Number of steps of each sequence.
    """

    indices: torch.Tensor
    rows: torch.Tensor
    batch_sizes: list
    last: torch.Tensor
    previous: torch.Tensor
    lengths: torch.Tensor

    def windows(self, cuts):
        """Cut the sequences into windows of consecutive steps.

        Parameters
        ----------
        cuts : sequence of int, increasing from 0
            The first step of each window.

        Yields
        ------
        rows : slice
            The packed rows of the window, which are contiguous.
        packing : Packing
            Of these rows alone. Its sequences are the first of those of the window
            before.
        """
        sizes, begin = self.batch_sizes, 0
        for first, stop in zip(cuts, [*cuts[1:], len(sizes)], strict=True):
            here = sizes[first:stop]
            n, end = here[0], begin + sum(here)
            last = self.last[:n] - begin
            n_that_go_on = sizes[stop] if stop < len(sizes) else 0
            on = torch.arange(n_that_go_on, device=last.device)
            last[:n_that_go_on] = on + (end - begin - here[-1])
            # The rows of the first step of all have no previous one.
            later = slice(begin + n - sizes[0], end - sizes[0])
            yield (
                slice(begin, end),
                Packing(
                    self.indices[:n],
                    self.rows[begin:end],
                    here,
                    last,
                    self.previous[later] - begin,
                    (self.lengths[:n] - first).clamp_(max=len(here)),
                ),
            )
            begin = end

    @cached_property
    def sequence(self):
        """For each packed row, the rank of its sequence by length, int64."""
        rows = torch.arange(len(self.rows), device=self.rows.device)
        return rows - self._first_row[self._step]

    @cached_property
    def flip(self):
        """The position of each packed row after reversing every sequence, int64."""
        mirrored = self.lengths[self.sequence] - 1 - self._step
        return self._first_row[mirrored] + self.sequence

    @cached_property
    def _step(self):
        steps = torch.arange(len(self.batch_sizes), device=self.rows.device)
        return torch.repeat_interleave(steps, self._sizes)

    @cached_property
    def _first_row(self):
        return self._sizes.cumsum(0) - self._sizes

    @cached_property
    def _sizes(self):
        return torch.tensor(self.batch_sizes, device=self.rows.device)


def pack(starts, lengths, cuts=(0,), execution=CPU):
    """Pack sequences, batch by batch.

    Parameters
    ----------
    starts, lengths : ndarrays of shape (n_sequences,), int64
        Where each sequence begins in the flat values, and its number of steps.
    cuts : sequence of int, increasing from 0
        The first sequence of each batch.
    execution : Execution, default=CPU

    Returns
    -------
    packings : list of Packing
        One per batch; its `indices` are positions in `starts`.

    Notes
    -----
    Time O(n_rows + n_sequences log n_sequences), without a Python loop over sequences;
    memory O(n_rows).
    """
    n_sequences = len(starts)
    cuts = np.asarray(cuts)
    sizes = np.diff(cuts, append=n_sequences)  # sequences in each batch
    batch = np.repeat(np.arange(len(cuts)), sizes)  # of each sequence
    order = np.lexsort((-lengths, batch))  # longest first, within each batch
    starts, lengths = starts[order], lengths[order]

    # The steps of all batches, concatenated: a batch has those of its longest sequence,
    # and a step without sequences if it has none.
    n_steps = np.maximum(lengths[cuts], 1)
    first_step = np.cumsum(n_steps) - n_steps
    has_steps = lengths > 0
    batch, lengths = batch[has_steps], lengths[has_steps]
    n_with_steps = np.bincount(batch, minlength=len(cuts))
    last_step = first_step[batch] + lengths - 1
    ends = np.bincount(last_step, minlength=n_steps.sum())
    ended = np.cumsum(ends) - ends  # sequences, in this and all earlier batches
    alive = np.repeat(np.cumsum(n_with_steps), n_steps) - ended
    first_row = np.cumsum(alive) - alive  # of each step

    # For each packed row: its step, the rank of its sequence by length within the
    # batch, and from these the position of its value.
    step = np.repeat(np.arange(len(alive)), alive)
    rank = np.arange(len(step)) - first_row[step]
    step_in_batch = np.arange(len(alive)) - np.repeat(first_step, n_steps)
    sequence = np.repeat(cuts, n_steps)[step] + rank
    rows = starts[sequence] + step_in_batch[step]

    # Rows counted from the start of the batch.
    row_in_batch = first_row - np.repeat(first_row[first_step], n_steps)
    is_later = step_in_batch[step] > 0
    previous = row_in_batch[step[is_later] - 1] + rank[is_later]
    last = row_in_batch[last_step] + np.flatnonzero(has_steps) - cuts[batch]

    n_rows = np.add.reduceat(alive, first_step)
    tensor = execution.tensor
    parts = zip(
        tensor(order).split(sizes.tolist()),
        tensor(rows).split(n_rows.tolist()),
        map(np.ndarray.tolist, np.split(alive, first_step[1:])),
        tensor(last).split(n_with_steps.tolist()),
        tensor(previous).split((n_rows - n_with_steps).tolist()),
        tensor(lengths).split(n_with_steps.tolist()),
        strict=True,
    )
    return [Packing(*part) for part in parts]


def batches_by_length(lengths, max_rows, max_sequences):
    """Cut sequences into batches with a bounded number of steps, longest first.

    A sequence longer than `max_rows` forms a batch of its own.

    Yields
    ------
    indices : ndarray of int64
    """
    order = np.argsort(-lengths, kind="stable")
    n_rows = np.cumsum(lengths[order])  # in this sequence and all before it
    start, done = 0, 0
    while start < len(order):
        stop = int(np.searchsorted(n_rows, done + max_rows, side="right"))
        stop = min(max(stop, start + 1), start + max_sequences)
        yield order[start:stop]
        start, done = stop, n_rows[stop - 1]
