"""Chains of tags: minus the log-probability of the tags that are known.

See :mod:`skrnn._core.crf` for the equations and for what is known of a sequence.
"""

import math

import torch


def loss(scores, target, weight, rows, chain):
    """Return the summed loss.

    Parameters
    ----------
    scores : Tensor of shape (n_rows, n_tags)
        In packed order.
    target : Tensor of shape (n_rows,), int64
    weight : Tensor of shape (n_rows,)
        0 for each step whose tag is unknown, and for the other steps of a sequence its
        weight.
    rows : Rows
    chain : list of Tensors
        The transitions, those from the start, and those to the end.
    """
    scores, chain = scores.double(), [part.double() for part in chain]
    is_other = torch.ones_like(scores, dtype=torch.bool)
    is_other.scatter_(1, target.unsqueeze(1), False)
    is_excluded = is_other & (weight > 0).unsqueeze(1)
    of_target = scores.masked_fill(is_excluded, -math.inf)
    log_Z, log_target = (_log_sum(s, rows, *chain) for s in (scores, of_target))
    of_sequence = weight.new_zeros(rows.n)
    of_sequence = of_sequence.scatter_reduce(0, rows.sequences, weight, "amax")
    return (log_Z - log_target) @ of_sequence.double()


def _log_sum(scores, rows, transitions, start, end):
    """The logarithm of the sum over all tags of each sequence."""
    ended, a = [], None
    for s in scores.split(rows.batch_sizes.tolist()):
        if a is None:
            a = start + s
            continue
        ended.append(a[len(s) :])
        a = a[: len(s), :, None] + transitions
        a = s + a.logsumexp(1)
    ended.append(a)
    # The sequences that end first are the last ones.
    return (torch.cat(ended[::-1]) + end).logsumexp(1)
