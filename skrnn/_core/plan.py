"""How to train: the resolved settings of a fit."""

import math
from dataclasses import dataclass

from skrnn._core.schedule import SCHEDULES


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train: the resolved settings of a fit.

    Attributes
    ----------
    n_epochs : int
        Maximum number of passes over the data; the schedule spans all of them.
    batch_size : int
        Number of sequences per minibatch.
    learning_rate : float
        The maximum learning rate of the schedule.
    weight_decay : float
        Each update multiplies all weights except for the biases by
        ``1 - learning_rate * weight_decay``.
    max_grad_norm : float or None
        Gradients with a larger norm are scaled down to this norm.
    tol : float
    n_iter_no_change : int
        Stop after this many epochs in a row with a loss below `tol` or, with
        validation, with a score that has not improved by more than `tol`.
    schedule : {"one_cycle", "constant"}
        A key of :data:`skrnn._core.schedule.SCHEDULES`.
    rule : {"adam"}
        The update rule; a key of :data:`skrnn._core.rules.RULES`.
    dropout : float
        Probability of setting each input of the layers above the first, and of the
        output layer, to 0, either at all steps of a sequence or at none [1]_.
    truncate : int or None
        Backpropagate only through the last `truncate` steps of each sequence; or, if
        each step has a target, through `truncate` steps at a time, with an update of
        the weights after them.

    References
    ----------
    .. [1] Gal and Ghahramani (2016), "A Theoretically Grounded Application of Dropout
       in Recurrent Neural Networks", NeurIPS.
    """

    n_epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    max_grad_norm: float | None
    tol: float
    n_iter_no_change: int
    schedule: str = "one_cycle"
    rule: str = "adam"
    dropout: float = 0.0
    truncate: int | None = None

    def n_minibatches(self, n_samples):
        """Return the number of minibatches in the whole fit."""
        return self.n_epochs * math.ceil(n_samples / self.batch_size)

    def learning_rate_at(self, done):
        """Return the learning rate when a fraction `done` of the fit is complete."""
        return self.learning_rate * SCHEDULES[self.schedule](done)
