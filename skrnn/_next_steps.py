"""Learning without y: to predict, at each step, what the next one is."""

import math

import numpy as np
import torch

from skrnn._core import losses, network, prediction
from skrnn._core.vocabulary import UNKNOWN
from skrnn._inputs import ngram_range_of
from skrnn._targets import MAX_SCORES, Objective, log_shares


def next_steps(estimator, values, offsets, sample_weight, n_outputs=0, bias=None):
    """What comes after each step.

    Of tokens the id of the next one, or 0 where the sequence ends; of numbers the next
    row.

    Parameters
    ----------
    estimator : estimator instance
        With ``kind_``.
    values : ndarray of shape (n_rows,) or (n_rows, n_lengths), int, or \
            (n_rows, n_inputs)
        Token ids or numbers of all sequences, end to end.
    offsets : ndarray of shape (n_samples + 1,)
    sample_weight : ndarray of shape (n_samples,)
    n_outputs : int, default=0
        Outputs that there must be at least, of tokens.
    bias : ndarray, default=None
        That of the training part, if these are other sequences. Tokens that it does not
        have do not count.

    Returns
    -------
    objective : Objective

    Raises
    ------
    ValueError
        If nothing is there to be predicted.
    """
    weight = np.repeat(sample_weight, np.diff(offsets))
    is_last = np.zeros(len(values), dtype=bool)
    is_last[offsets[1:] - 1] = True
    of = values, is_last, weight
    if estimator.kind_ == "series":
        return _next_numbers(*of, bias)
    if ngram_range_of(estimator)[0] > 1:
        raise ValueError(
            "Without y, the next token is predicted, but ngram_range="
            f"{estimator.ngram_range!r} leaves single tokens out. Begin it with 1."
        )
    return _next_tokens(*of, n_outputs, bias)


def _next_tokens(ids, is_last, weight, n_outputs, bias):
    tokens = ids if ids.ndim == 1 else ids[:, 0]  # of n-grams the shortest
    target = np.append(tokens[1:], UNKNOWN).astype(np.int64)
    if bias is not None:
        target[target >= len(bias)] = UNKNOWN
    # Nobody can say which unknown token comes next.
    weight = weight * ((target != UNKNOWN) | is_last)
    target[is_last] = 0
    if bias is None:
        n_outputs = max(int(tokens.max()) + 1, n_outputs)
        bias = log_shares(np.bincount(target, weight, n_outputs))
    return Objective(target, _of_mean_1(weight), "cross_entropy", bias, True)


def _next_numbers(values, is_last, weight, bias):
    if is_last.all():
        raise ValueError(
            "Without y, the next step is predicted, but no sequence of X has more than "
            "one step. Pass y or longer sequences."
        )
    target = np.roll(values, -1, axis=0)
    weight = _of_mean_1(weight * ~is_last)
    target[is_last] = 0.0
    if bias is None:
        bias = np.average(target, axis=0, weights=weight).astype(np.float32)
    return Objective(target, weight, "squared_error", bias, True)


def _of_mean_1(weight):
    return weight / weight.mean()


def mean_loss(estimator, encoded, objective):
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
    weights = estimator._weights(None)
    target = torch.from_numpy(objective.target)
    weight = torch.from_numpy(objective.weight.astype(np.float32))
    n_at_once = max(1, MAX_SCORES // len(weights.c))
    total = 0.0
    of = weights, torch.from_numpy(encoded.values), encoded.offsets
    for rows, H in prediction.states_of_all_steps(*of):
        parts = zip(rows.split(n_at_once), H.split(n_at_once), strict=True)
        for some, states in parts:
            scores = network.output_scores(weights.V, weights.c, states)
            loss, _ = losses.loss_and_gradient(
                objective.loss, scores, target[some], weight[some]
            )
            total += loss.item()
    mean = total / len(target)
    return mean if math.isfinite(mean) else math.inf
