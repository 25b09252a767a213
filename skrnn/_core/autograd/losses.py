"""Losses of raw scores, summed; see :mod:`skrnn._core.losses` for their equations."""

import math

import torch
from torch.nn import functional as F

from skrnn._core.density import LOG_FLOOR


def cross_entropy(scores, target, weight):
    """Of classes that exclude each other."""
    return F.cross_entropy(scores, target, reduction="none") @ weight


def smoothed_cross_entropy(scores, target, weight):
    """Of classes, and some of that of all classes."""
    log_p = F.log_softmax(scores, dim=1)
    of_target = F.nll_loss(log_p, target, reduction="none")
    return (torch.stack([of_target, -log_p.mean(1)], dim=1) * weight).sum()


def binary_cross_entropy(scores, target, weight):
    """Of yes-or-no questions."""
    each = F.binary_cross_entropy_with_logits(
        scores, target.to(scores.dtype), reduction="none"
    )
    return each.mean(1) @ weight


def squared_error(scores, target, weight):
    """Half the squared error."""
    return (scores - target).square().mean(1) @ weight / 2


def gaussian_or_end(scores, target, weight):
    """Of the next step of a series that may also end.

    The gradient of each number is multiplied by its standard deviation.
    """
    n = scores.shape[1] // 2
    end, mean, scale = scores.split([1, n, n], dim=1)
    is_end, y = target.split([1, n], dim=1)
    of_end = -F.logsigmoid(-end) - end * is_end
    # LOG_FLOOR + softplus, which cannot overflow
    log_variance = LOG_FLOOR - F.logsigmoid(LOG_FLOOR - scale)
    y = torch.where(is_end == 1, mean.detach(), y)  # they are arbitrary there
    error = (mean - y).square() / log_variance.exp()
    of_numbers = (math.log(2 * math.pi) + log_variance + error) / 2
    of_numbers = of_numbers * (1 - is_end)
    slope = of_numbers * (log_variance.detach() / 2).exp()
    of_numbers = slope + (of_numbers - slope).detach()
    return (of_end.squeeze(1) + of_numbers.sum(1)) @ weight


LOSSES = {
    function.__name__: function
    for function in (
        cross_entropy,
        smoothed_cross_entropy,
        binary_cross_entropy,
        squared_error,
        gaussian_or_end,
    )
}
