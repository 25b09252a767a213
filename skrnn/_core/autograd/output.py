"""The output layer, ``scores = V h + c``, and its loss."""

import torch
from torch.utils.checkpoint import checkpoint

from skrnn._core.autograd.losses import LOSSES

# Maximum number of scores that are in memory at once.
_MAX_SCORES = 2**26


def scores_of(weights, h):
    """The scores of each row of h."""
    return torch.addmm(weights.c, h, weights.V.T)


def best_of(weights, h):
    """The output of the largest score of each row of h."""
    some = h.split(max(1, _MAX_SCORES // len(weights.c)))
    return torch.cat([scores_of(weights, part).argmax(1) for part in some])


def loss_of(name, weights, h, target, weight):
    """The summed loss of the scores of h, of some rows at a time.

    Scores that do not fit are computed once more on the way back.
    """

    def run(h, target, weight):
        return LOSSES[name](scores_of(weights, h), target, weight)

    n_at_once = max(1, _MAX_SCORES // len(weights.c))
    if len(h) <= n_at_once:
        return run(h, target, weight)
    parts = (part.split(n_at_once) for part in (h, target, weight))
    options = {"use_reentrant": False, "preserve_rng_state": False}
    losses = [checkpoint(run, *part, **options) for part in zip(*parts, strict=True)]
    return torch.stack(losses).sum()
