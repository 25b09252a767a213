"""Learning without y: to predict, at each step, what the next one is."""

import math

import numpy as np
import torch

from skrnn._core import losses, network, prediction
from skrnn._core.vocabulary import UNKNOWN
from skrnn._inputs import ngram_range_of
from skrnn._targets import Objective, log_shares


def check_can_predict_next(estimator):
    """Refuse what does not go with predicting the next step.

    Raises
    ------
    ValueError
        If the network reads in two directions, or forgets the first steps.
    """
    if estimator.bidirectional:
        raise ValueError(
            "Without y, the next step is predicted, but with bidirectional=True the "
            "network has read it. Use bidirectional=False, or pass y."
        )
    if estimator.truncate is not None:
        raise ValueError(
            "Without y, the next step is predicted, at all steps: truncate="
            f"{estimator.truncate} would leave the first ones out. Use truncate=None, "
            "or pass y."
        )


def next_steps(estimator, encoded, sample_weight, n_outputs=None, bias=None):
    """What comes after each step.

    Of tokens the id of the next one, or 0 where the sequence ends; of numbers the next
    row.

    Parameters
    ----------
    estimator : estimator instance
        With ``kind_``.
    encoded : Encoded
    sample_weight : ndarray of shape (n_samples,)
    n_outputs : int, default=None
        One more than the largest id of a token that is to be predicted. None for all
        in these sequences.
    bias : ndarray, default=None
        That of the training part, if these are other sequences.

    Returns
    -------
    objective : Objective

    Raises
    ------
    ValueError
        If nothing is there to be predicted.
    """
    values, offsets = encoded.values, encoded.offsets
    weight = np.repeat(sample_weight, np.diff(offsets))
    is_last = np.zeros(len(values), dtype=bool)
    is_last[offsets[1:] - 1] = True
    if estimator.kind_ == "series":
        target, n_outputs = np.roll(values, -1, axis=0), values.shape[1]
        is_known, loss = ~is_last, "squared_error"
    else:
        if ngram_range_of(estimator)[0] > 1:
            raise ValueError(
                "Without y, the next token is predicted, but ngram_range="
                f"{estimator.ngram_range!r} leaves single tokens out. Begin it with 1."
            )
        tokens = values if values.ndim == 1 else values[:, 0]  # the shortest n-grams
        if bias is not None:
            n_outputs = len(bias)
        n_outputs = n_outputs or int(tokens.max()) + 1
        target = np.append(tokens[1:], UNKNOWN).astype(np.int64)
        # Nobody can say which unknown token comes next.
        is_known = (target != UNKNOWN) & (target < n_outputs) & ~is_last
        loss = "cross_entropy"
    if not (weight * is_known).any():
        raise ValueError(_nothing_to_predict(estimator, is_held_out=bias is not None))
    target[~is_known] = 0
    if loss == "cross_entropy":
        is_known |= is_last  # the end is known
    weight = weight * is_known
    weight /= weight.mean()
    if bias is None and loss == "cross_entropy":
        bias = log_shares(np.bincount(target, weight, n_outputs))
    elif bias is None:
        bias = np.average(target, axis=0, weights=weight).astype(np.float32)
    return Objective(target, weight, loss, bias, at_each_step=True)


def _nothing_to_predict(estimator, is_held_out):
    """The sentence for sequences of which no step has a next one that is known."""
    where, cure = "X", "Pass y, or longer sequences"
    if is_held_out:
        where = "the part that is held out"
        cure += ", or use another validation_fraction"
    what = "step"
    if estimator.kind_ != "series":
        what = "token that is known"
    elif estimator.patch_length_ > 1:
        what = f"patch of {estimator.patch_length_} steps"
        cure += ", or a smaller patch_length"
    return (
        f"Without y, the next step is predicted, but no sequence of {where} has more "
        f"than one {what}. {cure}."
    )


def mean_loss_of_steps(estimator, encoded, objective):
    """The loss of a fitted network, averaged over all steps.

    Parameters
    ----------
    estimator : estimator instance
    encoded : Encoded
    objective : Objective
        Of these sequences.

    Returns
    -------
    mean : float
        Infinite if it is not a number.
    """
    weights, values = estimator._weights_for(encoded)
    target = torch.from_numpy(objective.target)
    weight = torch.from_numpy(objective.weight.astype(np.float32))
    n_at_once = max(1, losses.MAX_SCORES // len(weights.c))
    total = torch.zeros((), dtype=torch.float64)
    for rows, H in prediction.states_of_all_steps(weights, values, encoded.offsets):
        parts = zip(rows.split(n_at_once), H.split(n_at_once), strict=True)
        for some, states in parts:
            scores = network.output_scores(weights.V, weights.c, states)
            loss, _ = losses.loss_and_gradient(
                objective.loss, scores, target[some], weight[some]
            )
            total += loss
    mean = total.item() / len(target)
    return mean if math.isfinite(mean) else math.inf
