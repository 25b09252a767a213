"""What early stopping asks after each epoch."""

import math
from typing import NamedTuple

import numpy as np

from skrnn._inputs import Encoded
from skrnn._next_steps import mean_loss_of_steps, next_steps
from skrnn._targets import Objective, accuracy_or_r2, mean_loss


class HeldOut(NamedTuple):
    """Sequences that are not learned from.

    Attributes
    ----------
    encoded : Encoded
    objective : Objective
        What is to be predicted of them.
    """

    encoded: Encoded
    objective: Objective

    @classmethod
    def of(cls, estimator, data, objective):
        """Encode them.

        Parameters
        ----------
        estimator : estimator instance
            That has learned to read.
        data : sequences with their `target`, `sample_weight` and `indices`
        objective : Objective
            Of the training part.
        """
        encoded = estimator._encode(data.sequences, data.indices)
        loss, bias = objective.loss, objective.bias
        if not objective.at_each_step:
            return cls(encoded, Objective(data.target, data.sample_weight, loss, bias))
        of = estimator, encoded, data.sample_weight
        return cls(encoded, next_steps(*of, bias=bias))

    @property
    def score_of_a_guess(self):
        """The score without a look at X."""
        objective = self.objective
        if objective.at_each_step:
            return -objective.chance
        of = objective.target, objective.weight, objective.loss
        return accuracy_or_r2(objective.guess, *of)

    def loss_and_score(self, estimator):
        """The mean loss and the score under the published weights.

        The score is what scikit-learn's `score` is; of next steps minus the loss.
        """
        objective = self.objective
        if objective.at_each_step:
            loss = mean_loss_of_steps(estimator, self.encoded, objective)
            return loss, -loss
        scores = estimator._scores_of(estimator._states_of(self.encoded)).numpy()
        if not np.isfinite(scores).all():
            return math.inf, -math.inf
        of = objective.target, objective.weight, objective.loss
        return mean_loss(scores, *of), accuracy_or_r2(scores, *of)
