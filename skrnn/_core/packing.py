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
    rows : Tensor of shape (n_rows,), int64
        Where each packed row lies in the flat values.
    batch_sizes : list of int, length n_steps, decreasing
        Sequences alive at each step.
    last : Tensor of shape (n_sequences,), int64
        The packed row of the last step of each sequence, in the order asked for.
    previous : Tensor of shape (n_rows - n_sequences,), int64
        For each packed row from step 1 on, the packed row of the step before.
    """

    rows: torch.Tensor
    batch_sizes: list
    last: torch.Tensor
    previous: torch.Tensor


def pack(offsets, indices):
    """Pack the sequences at `indices`.

    Parameters
    ----------
    offsets : ndarray of shape (n_samples + 1,)
    indices : ndarray of shape (n_sequences,)

    Returns
    -------
    packing : Packing

    Notes
    -----
    Time O(n_rows + n_sequences log n_sequences), no Python loop over sequences.
    """
    starts = offsets[indices]
    lengths = offsets[indices + 1] - starts
    order = np.argsort(-lengths, kind="stable")
    sorted_lengths = lengths[order]
    n_steps = int(sorted_lengths[0])
    # Sequences with more than t steps, for each t.
    batch_sizes = len(indices) - np.searchsorted(
        sorted_lengths[::-1], np.arange(n_steps), side="right"
    )
    first_row = np.zeros(n_steps, dtype=np.int64)  # the packed row where a step begins
    np.cumsum(batch_sizes[:-1], out=first_row[1:])
    step = np.repeat(np.arange(n_steps), batch_sizes)  # (n_rows,)
    position = np.arange(len(step)) - first_row[step]  # rank by length, (n_rows,)
    rows = starts[order][position] + step
    last = np.empty(len(indices), dtype=np.int64)
    last[order] = first_row[sorted_lengths - 1] + np.arange(len(indices))
    n_first = batch_sizes[0]
    previous = np.arange(n_first, len(step)) - batch_sizes[step[n_first:] - 1]
    return Packing(
        torch.from_numpy(rows),
        batch_sizes.tolist(),
        torch.from_numpy(last),
        torch.from_numpy(previous),
    )


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
