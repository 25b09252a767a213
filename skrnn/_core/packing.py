"""Packing batches of ragged sequences step by step, without padding."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Packing:
    """A batch in torch's packed layout: step by step, longest sequence first.

    The rows of step 0 of all sequences come first, then those of step 1 of all
    sequences that have one, and so on, without padding. The layout is that of
    ``torch.nn.utils.rnn.PackedSequence``.

    Attributes
    ----------
    indices : ndarray of shape (n_sequences,), int64
        The indices of the sequences, longest first. Those without steps come last and
        have no entry anywhere else.
    rows : ndarray of shape (n_rows,), int64
        The position of each packed row in the flat values.
    batch_sizes : ndarray of shape (n_steps,), int64
        Number of sequences alive at each step, decreasing; [0] if no sequence has
        steps.
    lengths : ndarray of shape (batch_sizes[0],), int64
        Number of steps of each sequence.
    """

    indices: np.ndarray
    rows: np.ndarray
    batch_sizes: np.ndarray
    lengths: np.ndarray

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
            That of these rows alone. Its sequences are the first of those of the window
            before.
        """
        sizes, begin = self.batch_sizes, 0
        for first, stop in zip(cuts, [*cuts[1:], len(sizes)], strict=True):
            here, n = sizes[first:stop], sizes[first]
            rows = slice(begin, begin + int(here.sum()))
            lengths = np.minimum(self.lengths[:n] - first, len(here))
            yield rows, Packing(self.indices[:n], self.rows[rows], here, lengths)
            begin = rows.stop

    @cached_property
    def flip(self):
        """The position of each packed row after reversing every sequence, int64."""
        sizes, sequence = self.batch_sizes, self.sequences
        first_row = np.cumsum(sizes) - sizes
        step = np.repeat(np.arange(len(sizes)), sizes)
        return first_row[self.lengths[sequence] - 1 - step] + sequence

    @property
    def sequences(self):
        """The position in `indices` of the sequence of each packed row, int64."""
        return sequences_of_rows(self.batch_sizes)

    @cached_property
    def by_sequence(self):
        """The packed rows of one sequence after the other, int64."""
        return np.argsort(self.sequences, kind="stable")


def sequences_of_rows(sizes):
    """The number of the sequence of each packed row, given the rows of each step."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)


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

    parts = zip(
        np.split(order, cuts[1:]),
        np.split(rows, first_row[first_step[1:]]),
        np.split(alive, first_step[1:]),
        np.split(lengths, np.cumsum(n_with_steps)[:-1]),
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
