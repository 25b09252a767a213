"""The evaluation after each epoch that early stopping is based on."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from skrnn._core.samples import Samples
from skrnn._heads.head import Head


@dataclass(frozen=True, slots=True)
class Judge:
    """Evaluates weights on sequences that are not used for training.

    Attributes
    ----------
    samples : Samples
        With Steps, and with the targets to predict.
    head : Head
    model : callable
        ``model()`` returns the Model with the current weights.
    """

    samples: Samples
    head: Head
    model: Any

    @property
    def chance(self):
        """The loss of a guess that ignores X."""
        return self.head.chance(self.samples.target, self.samples.weight)

    @property
    def score_of_a_guess(self):
        """The score of a guess that ignores X."""
        if self.head.per_step:
            return -self.chance
        target, weight = self.samples.target, self.samples.weight
        return self.head.score(self.head.guess(target), target, weight)

    def __call__(self):
        """The mean loss and the score of the current weights.

        The score is that of scikit-learn's `score`, or minus the loss if next steps are
        predicted.
        """
        model, samples = self.model(), self.samples
        if self.head.per_step:
            loss = model.mean_loss_of_steps(samples)
            return loss, -loss
        scores = model.scores(model.states(samples.steps))
        if not np.isfinite(scores).all():
            return math.inf, -math.inf
        loss = self.head.mean_loss(scores, samples.target, samples.weight)
        return loss, self.head.score(scores, samples.target, samples.weight)
