"""From the hidden states of all steps to one vector per sequence.

See :mod:`skrnn._core.pooling` and its modules for the equations.
"""

import torch

from skrnn._core.autograd.segments import largest, segments


def pooled(name, H, end, rows, start=None):
    """The pooled vectors of the sequences that have steps.

    Parameters
    ----------
    name : {"last", "mean", "max", "concat", "sum"}
    H : Tensor of shape (n_rows, n_directions * nhidden)
        In packed order.
    end : list of list of Tensors of shape (n, nhidden)
        By direction, the states after the last step.
    rows : Rows
    start : Start, default=None
        What has been gathered from earlier steps.

    Returns
    -------
    h : Tensor of shape (n, n_directions * width)
    """
    parts = []
    of_directions = H[rows.by_sequence].chunk(len(end), dim=1)
    for i, (H_i, (last, *_)) in enumerate(zip(of_directions, end, strict=True)):
        gathered = gather(name, H_i, last, rows, is_reversed=i == 1)
        lengths = rows.lengths
        if start is not None:
            gathered = together(name, start.gathered[: rows.n], gathered)
            lengths = lengths + start.n_steps[: rows.n]
        parts.append(_finished(name, gathered, lengths))
    return torch.cat(parts, dim=1)


def gather(name, H, last, rows, is_reversed=False):
    """What is gathered from some steps of each sequence, one after the other."""
    if name == "last":
        return last
    if name == "mean":
        return segments("sum", H, rows.lengths)
    of_steps = largest(H, rows, is_reversed)
    return of_steps if name == "max" else torch.cat([last, of_steps], dim=1)


def together(name, before, now):
    """What is gathered from earlier steps, and then from others."""
    if name == "last":
        return now
    if name == "mean":
        return before + now
    if name == "max":
        return torch.maximum(before, now)
    n = now.shape[1] // 2
    return torch.cat([now[:, :n], torch.maximum(before[:, n:], now[:, n:])], dim=1)


def _finished(name, gathered, lengths):
    if name == "mean":
        return gathered / lengths.unsqueeze(1)
    if name == "sum":
        last, of_steps = gathered.chunk(2, dim=1)
        return last + of_steps
    return gathered
