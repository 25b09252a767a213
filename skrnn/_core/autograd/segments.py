"""Sums, means and largest values of runs of rows, such as the steps of a sequence."""

import math

import torch


def segments(how, x, lengths):
    """The sum, mean, largest or smallest value of runs of rows.

    Parameters
    ----------
    how : {"sum", "mean", "max", "min"}
    x : Tensor of shape (n_rows, n_columns)
    lengths : Tensor of shape (n_runs,), int64
        All at least 1.
    """
    # Otherwise it would wait for the lengths, to check them.
    return torch.segment_reduce(x, how, lengths=lengths, axis=0, unsafe=True)


def largest(x, rows, is_reversed=False):
    """The largest value of each column over the steps of each sequence.

    The gradient goes to the first step that has it. Where nothing changes any more,
    many steps have it.

    Parameters
    ----------
    x : Tensor of shape (n_rows, n_columns)
        The steps of one sequence after the other.
    rows : Rows
    is_reversed : bool, default=False
        Whether the last step was read first.

    Returns
    -------
    largest : Tensor of shape (n, n_columns)
    """
    how, nothing = ("max", -math.inf) if is_reversed else ("min", math.inf)
    with torch.no_grad():
        steps = rows.steps[rows.by_sequence].to(x.dtype).unsqueeze(1)
        best = segments("max", x, rows.lengths)
        is_best = x == best.index_select(0, rows.sequences[rows.by_sequence])
        at = segments(how, torch.where(is_best, steps, nothing), rows.lengths)
        # Without a best step, as among NaN, it is the one that was read last.
        ends = rows.lengths.unsqueeze(1) - 1
        at = torch.minimum(at.clamp(min=0), ends.to(x.dtype)).long()
    return x.gather(0, rows.offsets.unsqueeze(1) + at)
