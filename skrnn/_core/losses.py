"""What training makes small: losses of raw scores, and their gradients."""

import torch
from torch import Tensor

# Scores of the output layer that are in memory at once.
MAX_SCORES = 2**22


def loss_and_gradient(
    name: str, scores: Tensor, target: Tensor, sample_weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Summed loss of raw scores, and its gradient with respect to them.

    Parameters
    ----------
    name : {"cross_entropy", "binary_cross_entropy", "squared_error"}
        Cross entropy of the softmax of the scores; or, averaged over the outputs, that
        of the logistic function of each score, or half of the squared error.
    scores : Tensor of shape (n_sequences, n_outputs)
    target : Tensor of shape (n_sequences,), int64, or (n_sequences, n_outputs)
        Labels; or 0 and 1; or numbers.
    sample_weight : Tensor of shape (n_sequences,)

    Returns
    -------
    total : Tensor of shape ()
    dscores : Tensor of shape (n_sequences, n_outputs)
    """
    if name == "cross_entropy":
        return _cross_entropy(scores, target.unsqueeze(1), sample_weight)
    weight = (sample_weight / scores.shape[1]).unsqueeze(1)
    if name == "binary_cross_entropy":
        # -log of the logistic function of s, for a target of 1, is softplus(-s)
        total = (torch.nn.functional.softplus(scores) - scores * target) * weight
        return total.sum(), (torch.sigmoid(scores) - target) * weight
    error = scores - target
    dscores = error * weight
    return 0.5 * (error * dscores).sum(), dscores


def _cross_entropy(scores: Tensor, labels: Tensor, sample_weight: Tensor):
    # The logarithm of the softmax in one step stays finite where the softmax itself
    # would round to 0.
    dscores = torch.log_softmax(scores, 1)
    chosen = dscores.gather(1, labels)
    total = -torch.dot(chosen.squeeze(1), sample_weight)
    # d/dscores of -log softmax(scores)[label] is softmax(scores) - one_hot(label)
    dscores.exp_().scatter_add_(1, labels, torch.full_like(chosen, -1.0))
    dscores.mul_(sample_weight.unsqueeze(1))
    return total, dscores
