"""What training makes small: losses of raw scores, and their gradients."""

import math

import torch
from torch import Tensor

from skrnn._core.compiled import compiled


def chance_loss(loss, n_outputs):
    """The loss, a sequence, of a network whose scores do not depend on its input.

    Of labels all equally likely, or of targets of variance 1.
    """
    return math.log(n_outputs) if loss is cross_entropy else 0.5


def cross_entropy(scores, labels, sample_weight):
    """Summed cross entropy of the softmax of raw scores, and its gradient.

    Parameters
    ----------
    scores : Tensor of shape (n_sequences, n_classes)
        Raw: the logarithm of the softmax is taken in one step, which stays finite
        where the softmax itself would round to 0.
    labels : Tensor of shape (n_sequences,), int64
    sample_weight : Tensor of shape (n_sequences,)

    Returns
    -------
    total : Tensor of shape ()
    dscores : Tensor of shape (n_sequences, n_classes)
    """
    return _cross_entropy(scores, labels.unsqueeze(1), sample_weight)


@compiled
def _cross_entropy(scores: Tensor, labels: Tensor, sample_weight: Tensor):
    dscores = torch.log_softmax(scores, 1)
    chosen = dscores.gather(1, labels)
    total = -torch.dot(chosen.squeeze(1), sample_weight)
    # d/dscores of -log softmax(scores)[label] is softmax(scores) - one_hot(label)
    dscores.exp_().scatter_add_(1, labels, torch.full_like(chosen, -1.0))
    dscores.mul_(sample_weight.unsqueeze(1))
    return total, dscores


def squared_error(scores, targets, sample_weight):
    """Summed squared error, half of it, averaged over outputs, and its gradient.

    Parameters
    ----------
    scores, targets : Tensors of shape (n_sequences, n_outputs)
    sample_weight : Tensor of shape (n_sequences,)

    Returns
    -------
    total : Tensor of shape ()
    dscores : Tensor of shape (n_sequences, n_outputs)
    """
    n_outputs = scores.shape[1]
    error = scores - targets
    dscores = error * (sample_weight / n_outputs).unsqueeze(1)
    return 0.5 * (error * dscores).sum(), dscores
