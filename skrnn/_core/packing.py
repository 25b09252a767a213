"""Packing a batch of ragged sequences step by step, without padding."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True, slots=True)
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
    """

    indices: torch.Tensor
    rows: torch.Tensor
    batch_sizes: list
    last: torch.Tensor
    previous: torch.Tensor


def pack(offsets, indices, batch_size=None):
    """Pack the sequences at `indices`, `batch_size` at a time.

    Parameters
    ----------
    offsets : ndarray of shape (n_samples + 1,)
    indices : ndarray of shape (n_sequences,)
    batch_size : int, default=None
        Sequences in each batch but the last. None packs them all together.

    Returns
    -------
    packings : list of Packing
        One for each batch.

    Notes
    -----
    Time O(n_rows + n_sequences log n_sequences), no Python loop over sequences; memory
    O(n_rows).
    """
    n_sequences = len(indices)
    batch_size = batch_size or n_sequences
    lengths = offsets[indices + 1] - offsets[indices]
    batch = np.arange(n_sequences) // batch_size  # of each sequence
    order = np.lexsort((-lengths, batch))  # longest first, within each batch
    indices, lengths = indices[order], lengths[order]
    starts = np.arange(0, n_sequences, batch_size)  # the first sequence of each batch
    stops = np.append(starts[1:], n_sequences)

    # The steps of all batches end to end: a batch has those of its longest sequence.
    n_steps = lengths[starts]
    first_step = np.cumsum(n_steps) - n_steps
    ends = np.bincount(first_step[batch] + lengths - 1, minlength=n_steps.sum())
    ended = np.cumsum(ends) - ends  # sequences, of this and all earlier batches
    alive = np.repeat(stops, n_steps) - ended
    first_row = np.cumsum(alive) - alive  # of each step

    # Of each packed row: its step; its sequence, which is the rank by length among
    # those of its batch; and by these where its value lies.
    step = np.repeat(np.arange(len(alive)), alive)
    rank = np.arange(len(step)) - first_row[step]
    step_in_batch = np.arange(len(alive)) - np.repeat(first_step, n_steps)
    sequence = np.repeat(starts, n_steps)[step] + rank
    rows = offsets[indices[sequence]] + step_in_batch[step]

    # Rows counted from the start of the batch.
    row_in_batch = first_row - np.repeat(first_row[first_step], n_steps)
    is_later = step_in_batch[step] > 0
    previous = row_in_batch[step[is_later] - 1] + rank[is_later]
    last = row_in_batch[first_step[batch] + lengths - 1] + np.arange(n_sequences)
    last -= starts[batch]

    n_sequences = (stops - starts).tolist()
    n_rows = np.add.reduceat(alive, first_step)
    parts = zip(
        torch.from_numpy(indices).split(n_sequences),
        torch.from_numpy(rows).split(n_rows.tolist()),
        map(np.ndarray.tolist, np.split(alive, first_step[1:])),
        torch.from_numpy(last).split(n_sequences),
        torch.from_numpy(previous).split((n_rows - n_sequences).tolist()),
        strict=True,
    )
    return [Packing(*part) for part in parts]


def batches_by_length(lengths, max_rows):
    """Cut sequences into batches of at most `max_rows` steps, longest first.

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
        stop = max(stop, start + 1)
        yield order[start:stop]
        start, done = stop, n_rows[stop - 1]
