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
    O(n_rows + n_batches n_steps).
    """
    batch_size = batch_size or len(indices)
    lengths = offsets[indices + 1] - offsets[indices]
    batch = np.arange(len(indices)) // batch_size
    order = np.lexsort((-lengths, batch))  # longest first, within each batch
    indices, lengths = indices[order], lengths[order]
    n_batches, n_steps = batch[-1] + 1, lengths.max()

    # Sequences of each batch that end after each step, then those that are alive.
    ends = np.bincount(batch * n_steps + lengths - 1, minlength=n_batches * n_steps)
    ends = ends.reshape(n_batches, n_steps)
    alive = np.cumsum(ends[:, ::-1], axis=1)[:, ::-1]  # (n_batches, n_steps)
    first_row = np.cumsum(alive, axis=1) - alive  # of a step, in the batch
    n_rows = alive.sum(axis=1)

    # Of each packed row: its step, counted on through all batches; its rank by length
    # in the batch; and by these where its value lies.
    step = np.repeat(np.arange(alive.size), alive.ravel())
    rank = np.arange(len(step)) - (np.cumsum(alive) - alive.ravel())[step]
    sequence = step // n_steps * batch_size + rank
    rows = offsets[indices[sequence]] + step % n_steps
    is_later = step % n_steps > 0
    later = step[is_later]
    previous = first_row.ravel()[later - 1] + rank[is_later]
    last = first_row[batch, lengths - 1] + np.arange(len(indices)) % batch_size

    n_sequences = alive[:, 0]
    n_alive = (alive > 0).sum(axis=1)
    parts = zip(
        torch.from_numpy(indices).split(n_sequences.tolist()),
        torch.from_numpy(rows).split(n_rows.tolist()),
        (sizes[:n].tolist() for sizes, n in zip(alive, n_alive, strict=True)),
        torch.from_numpy(last).split(n_sequences.tolist()),
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
