"""How to train: the resolved settings of a fit."""

import math
from dataclasses import dataclass

from skrnn._core.schedule import SCHEDULES, Clock

# A fit that is lengthened has so many times the epochs that its loss took to fall.
LENGTHENED = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train: the resolved settings of a fit.

    Attributes
    ----------
    n_epochs : int
        Number of passes over the data, over all of which the schedule goes.
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
    dropout_of_states : float or None
        The same for those inputs of the output layer that are pooled hidden states, as
        opposed to filters. Beside filters, it is best large: a recurrence soon knows
        the training data by heart, and filters would learn little from it [2]_. None
        stands for `dropout`.
    recurrent_dropout : float
        Probability of setting each entry of W to 0 during an update [3]_.
    teacher_forcing : float
        Probability that a decoder reads the true token before each token. Otherwise, it
        reads the one that it would have written after the true ones [4]_.
    n_held : int
        The learning rate is held, and the fit is lengthened, until the loss of an epoch
        is below `loss_to_reach`, but not for longer than this many epochs. 0 if the fit
        has `n_epochs` in any case.
    loss_to_reach : float
    least_loss : float
        No loss is lower; a training loss that is hardly higher ends the fit.
    truncate : int or None
        Backpropagate only through the last `truncate` steps of each sequence; or, if
        each step has a target, through `truncate` steps at a time, with an update of
        the weights after them.

    References
    ----------
    .. [1] Gal and Ghahramani (2016), "A Theoretically Grounded Application of Dropout
       in Recurrent Neural Networks", NeurIPS.
    .. [2] Karim et al. (2018), "LSTM Fully Convolutional Networks for Time Series
       Classification", IEEE Access 6.
    .. [3] Merity, Keskar and Socher (2018), "Regularizing and Optimizing LSTM Language
       Models", ICLR.
    .. [4] Mihaylova and Martins (2019), "Scheduled Sampling for Transformers", ACL
       Student Research Workshop.
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
    dropout_of_states: float | None = None
    recurrent_dropout: float = 0.0
    teacher_forcing: float = 1.0
    truncate: int | None = None
    n_held: int = 0
    loss_to_reach: float = 0.0
    least_loss: float = 0.0

    @property
    def clock(self):
        """The clock of a fit that begins."""
        return Clock(self.n_epochs, is_held=self.n_held > 0)

    def lengthened(self, n_held, has_fallen=True):
        """The number of epochs of a fit whose learning rate was held until an epoch.

        If the loss has not fallen, more epochs would learn noise by heart.
        """
        return max(self.n_epochs, n_held * (LENGTHENED if has_fallen else 2))

    def n_minibatches(self, n_samples):
        """Return the number of minibatches of an epoch."""
        return math.ceil(n_samples / self.batch_size)

    def learning_rate_at(self, done):
        """Return the learning rate when a fraction `done` of the fit is complete."""
        return self.learning_rate * SCHEDULES[self.schedule](done)
