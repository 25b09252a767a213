"""What a fit has done so far."""

import math
import time
from dataclasses import dataclass, field

from skrnn._core.schedule import WARM_UP


@dataclass(slots=True)
class Progress:
    """The progress of a fit.

    Attributes
    ----------
    n_epochs, n_sequences : int
        Maximum number of epochs, and number of sequences per epoch.
    loss_curve, validation_losses, validation_scores : list of float
        One entry per epoch; the latter two are empty without validation.
    n_no_change : int
        Number of epochs in a row with a loss below `tol` or, with validation, number of
        epochs since the score last improved by more than `tol`.
    is_best : bool
        Whether the last epoch has the best validation score.
    diverged : bool
        Whether the last epoch ended with numbers that are not finite.
    interrupted : bool
        Whether the user interrupted the training.
    started : float
        Start time in seconds, from :func:`time.perf_counter`.
    """

    n_epochs: int
    n_sequences: int
    loss_curve: list = field(default_factory=list)
    validation_losses: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    n_no_change: int = 0
    is_best: bool = False
    diverged: bool = False
    interrupted: bool = False
    started: float = field(default_factory=time.perf_counter)
    _to_beat: float = -math.inf
    _best: tuple = (math.inf, math.inf)
    _n_loaded: int = 0  # epochs before `started`

    @property
    def n_done(self):
        """Number of complete epochs."""
        return len(self.loss_curve)

    @property
    def best_validation(self):
        """Validation score and validation loss of the best epoch."""
        return -self._best[0], self._best[1]

    def record(self, loss, validation_loss=None, score=None):
        """Record an epoch: its loss, and the validation loss and score."""
        self.is_best = False
        if score is not None:
            self._record_validation(validation_loss, score)
        self.loss_curve.append(loss)  # last, since it completes the epoch

    def _record_validation(self, validation_loss, score):
        self.validation_losses.append(validation_loss)
        self.validation_scores.append(score)
        # Among equal scores, the lower validation loss is better.
        self.is_best = (-score, validation_loss) < self._best
        if self.is_best:
            self._best = (-score, validation_loss)

    def count(self, tol):
        """Count the epochs without a change.

        A loss plateau does not count: at a large learning rate, the loss often stays
        the same for many epochs before the network learns what to remember, and falls
        again once the learning rate does.
        """
        if not self.validation_scores:
            self.n_no_change = self.n_no_change + 1 if self.loss_curve[-1] < tol else 0
            return
        score = self.validation_scores[-1]
        is_warm = len(self.loss_curve) > WARM_UP * self.n_epochs
        if score > self._to_beat + tol or not is_warm:
            self._to_beat, self.n_no_change = max(score, self._to_beat), 0
        else:
            self.n_no_change += 1

    def forget_after(self, n_epochs):
        """Drop the validation results of all but the first `n_epochs` epochs."""
        for curve in (self.validation_losses, self.validation_scores):
            del curve[n_epochs:]

    def to_dict(self):
        """Return what :meth:`load` needs, as numbers and lists."""
        return {name: _copied(getattr(self, name)) for name in _SAVED}

    def load(self, saved):
        """Continue from the result of :meth:`to_dict`."""
        for name in _SAVED:
            setattr(self, name, _copied(saved[name]))
        self._n_loaded = self.n_done

    def __str__(self):
        epoch = len(self.loss_curve)
        seconds = time.perf_counter() - self.started
        per_epoch = seconds / (epoch - self._n_loaded)
        speed = self.n_sequences / per_epoch
        left = per_epoch * (self.n_epochs - epoch)
        score = ""
        if self.validation_scores:
            score = f"validation score {self.validation_scores[-1]:.4f}, "
        return (
            f"Epoch {epoch}/{self.n_epochs}, loss {self.loss_curve[-1]:.4f}, {score}"
            f"{speed:,.0f} sequences/s, {left:.0f} s left"
        )


_SAVED = ("loss_curve", "validation_losses", "validation_scores", "n_no_change")
_SAVED += ("_to_beat", "_best")


def _copied(value):
    return list(value) if isinstance(value, list) else value
