"""From the hidden states of all steps to one vector per sequence.

See :mod:`skrnn._core.pooling` and its modules for the equations.
"""

import torch

from skrnn._core.autograd.front import segments


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
    for H_i, (last, *_) in zip(of_directions, end, strict=True):
        gathered = gather(name, H_i, last, rows.lengths)
        lengths = rows.lengths
        if start is not None:
            gathered = together(name, start.gathered[: rows.n], gathered)
            lengths = lengths + start.n_steps[: rows.n]
        parts.append(_finished(name, gathered, lengths))
    return torch.cat(parts, dim=1)


def gather(name, H, last, lengths):
    """What is gathered from some steps of each sequence, one after the other."""
    if name == "last":
        return last
    if name == "mean":
        return segments("sum", H, lengths)
    largest = segments("max", H, lengths)
    return largest if name == "max" else torch.cat([last, largest], dim=1)


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
        last, largest = gathered.chunk(2, dim=1)
        return last + largest
    return gathered
