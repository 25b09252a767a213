"""What early stopping is based on: validation data, and its evaluation."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from skrnn._core.samples import Samples
from skrnn._heads.head import Head


@dataclass(frozen=True, slots=True)
class ValidationData:
    """The validation data that is passed to `fit`, if any.

    Attributes
    ----------
    X, y, sample_weight
        As the user passed them; each may be None.
    """

    X: Any = None
    y: Any = None
    sample_weight: Any = None

    def is_given(self, has_y, settings):
        """Whether there is validation data, which must then be complete.

        Parameters
        ----------
        has_y : bool
            Whether the training data has a y.
        settings : Settings or dict
            Only `early_stopping` is of interest.

        Raises
        ------
        ValueError
            If some of it is missing, or `early_stopping` is False.
        """
        if self.X is None:
            for name, value in (
                ("y_val", self.y),
                ("sample_weight_val", self.sample_weight),
            ):
                if value is not None:
                    raise ValueError(
                        f"{name} is provided, but X_val was not provided. Pass X_val, "
                        f"or leave {name} out."
                    )
            return False
        if has_y and self.y is None:
            raise ValueError(
                "X_val is provided, but y_val was not provided. Pass the y of X_val."
            )
        if not has_y and self.y is not None:
            raise ValueError(
                "y_val is provided, but y was not provided. Pass y, or leave y_val out "
                "to learn from the sequences alone."
            )
        if not settings["early_stopping"]:
            raise ValueError(
                "X_val is provided, but early_stopping is False: nothing would be done "
                "with it. Use early_stopping=True, or leave X_val out."
            )
        return True


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
        if self.head.task == "next_step":
            return -self.chance
        if self.head.task == "transduction":
            return 0.0
        return self.head.score(self.head.guess(self.samples.target), *self._expected)

    @property
    def _expected(self):
        """What scores are held against."""
        samples = self.samples
        of_steps = (samples.steps.offsets,) if self.head.per_step else ()
        return samples.target, samples.weight, *of_steps

    def __call__(self):
        """The mean loss and the score of the current weights.

        The score is that of scikit-learn's `score`, or minus the loss if next steps are
        predicted.
        """
        model, samples = self.model(), self.samples
        if self.head.task == "next_step":
            loss = model.mean_loss_of_steps(samples)
            return loss, -loss
        if self.head.task == "transduction":
            return model.mean_loss_of_answers(samples), model.share_written(samples)
        if self.head.per_step:
            scores = model.scores_of_steps(samples.steps)
        else:
            scores = model.scores(model.states(samples.steps), samples.steps)
        if not np.isfinite(scores).all():
            return math.inf, -math.inf
        loss = model.head.mean_loss(scores, *self._expected)
        return loss, model.head.score(scores, *self._expected)
