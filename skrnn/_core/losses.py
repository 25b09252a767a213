"""What training minimises: losses of raw scores, and their gradients."""

import torch
from torch import Tensor

# Maximum number of scores of the output layer that are in memory at once.
MAX_SCORES = 2**22


def loss_and_gradient(
    name: str, scores: Tensor, target: Tensor, sample_weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Compute the summed loss of raw scores, and its gradient with respect to them.

    Parameters
    ----------
    name : {"cross_entropy", "binary_cross_entropy", "squared_error"}
    scores : Tensor of shape (n_sequences, n_outputs)
    target : Tensor of shape (n_sequences,), int64, or (n_sequences, n_outputs)
        Labels for "cross_entropy", 0 and 1 for "binary_cross_entropy", numbers for
        "squared_error".
    sample_weight : Tensor of shape (n_sequences,)

    Returns
    -------
    total : Tensor of shape ()
    dscores : Tensor of shape (n_sequences, n_outputs)
    """
    if name == "cross_entropy":
        return cross_entropy(scores, target, sample_weight)
    if name == "binary_cross_entropy":
        return binary_cross_entropy(scores, target, sample_weight)
    if name == "squared_error":
        return squared_error(scores, target, sample_weight)
    raise ValueError("There is no loss of this name.")


def cross_entropy(scores: Tensor, target: Tensor, sample_weight: Tensor):
    """``-log softmax(scores)[target]``."""
    labels = target.unsqueeze(1)
    # log_softmax stays finite where the softmax itself would round to 0.
    dscores = torch.log_softmax(scores, 1)
    chosen = dscores.gather(1, labels)
    total = -torch.dot(chosen.squeeze(1), sample_weight)
    # d/dscores of -log softmax(scores)[label] is softmax(scores) - one_hot(label)
    dscores.exp_().scatter_add_(1, labels, torch.full_like(chosen, -1.0))
    dscores.mul_(sample_weight.unsqueeze(1))
    return total, dscores


def binary_cross_entropy(scores: Tensor, target: Tensor, sample_weight: Tensor):
    """``-log sigmoid(scores)`` for a target of 1, ``-log sigmoid(-scores)`` for 0.

    The loss is averaged over the outputs.
    """
    weight = (sample_weight / scores.shape[1]).unsqueeze(1)
    # For a target of 1, the loss is -log sigmoid(s) = softplus(-s).
    total = (torch.nn.functional.softplus(scores) - scores * target) * weight
    return total.sum(), (torch.sigmoid(scores) - target) * weight


def squared_error(scores: Tensor, target: Tensor, sample_weight: Tensor):
    """``(scores - target) ** 2 / 2``, averaged over the outputs."""
    weight = (sample_weight / scores.shape[1]).unsqueeze(1)
    error = scores - target
    dscores = error * weight
    return 0.5 * (error * dscores).sum(), dscores


def output_loss_and_gradient(loss, weights, gradient, h, target, sample_weight):
    """Compute the summed loss of ``scores = V h + c``; write the gradient of V and c.

    Rows are processed in chunks, so that memory does not grow with the number of rows
    times the number of outputs, which may be one per token of the vocabulary.

    Parameters
    ----------
    loss : str
    weights, gradient : Weights
    h : Tensor of shape (n_rows, n_features_out)
    target, sample_weight : Tensors of shape (n_rows, ...)

    Returns
    -------
    total : Tensor of shape ()
    dh : Tensor of the shape of h
    """
    V, c, dV, dc = weights.V, weights.c, gradient.V, gradient.c
    n_rows = len(h)
    n_at_once = max(1, MAX_SCORES // len(V))
    total, dh = h.new_zeros(()), torch.empty_like(h)
    if n_rows == 0:
        dV.zero_()
        dc.zero_()
    for start in range(0, n_rows, n_at_once):
        rows = slice(start, start + n_at_once)
        scores = torch.addmm(c, h[rows], V.t())
        here, dscores = loss_and_gradient(
            loss, scores, target[rows], sample_weight[rows]
        )
        total += here
        if start == 0:
            torch.mm(dscores.t(), h[rows], out=dV)
            torch.sum(dscores, 0, out=dc)
        else:
            dV.addmm_(dscores.t(), h[rows])
            dc.add_(dscores.sum(0))
        torch.mm(dscores, V, out=dh[rows])
    return total, dh
