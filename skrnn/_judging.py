"""What early stopping is based on: validation data, and its evaluation."""

from dataclasses import dataclass
from typing import Any

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
        return self.head.score_of_a_guess(self.samples)

    def __call__(self):
        """The mean loss and the score of the current weights.

        The score is that of scikit-learn's `score`, or minus the loss if next steps are
        predicted.
        """
        model = self.model()
        return model.head.evaluate(model, self.samples)
