"""What a fit has done so far."""

import math
import time
from dataclasses import dataclass, field

from skrnn._core.schedule import HELD_AT, WARM_UP, Clock

# Share of the epochs so far that it takes to lower the learning rate before the end, at
# least that many, and the share of the maximum at which the learning rate is low.
COOLING, MIN_COOLING, LOW = 0.25, 3, 0.05


@dataclass(slots=True)
class Progress:
    """The progress of a fit.

    Attributes
    ----------
    clock : Clock
        Says how much of the fit is complete.
    n_sequences : int
        Number of sequences per epoch.
    loss_curve, validation_losses, validation_scores : list of float
        One entry per epoch; the latter two are empty without validation.
    n_no_change : int
        Number of epochs in a row with a loss below `tol` or, with validation, number of
        epochs since the score last improved by more than `tol`.
    is_best : bool
        Whether the last epoch has the best validation score.
    goes_back : bool
        Whether the fit is to go on from the best weights, at a falling learning rate.
    diverged : bool
        Whether the last epoch ended with numbers that are not finite.
    interrupted : bool
        Whether the user interrupted the training.
    has_ended : bool
        Whether the last epoch was the last one of the fit.
    started : float
        Start time in seconds, from :func:`time.perf_counter`.
    """

    clock: Clock
    n_sequences: int
    loss_curve: list = field(default_factory=list)
    validation_losses: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    n_no_change: int = 0
    is_best: bool = False
    goes_back: bool = False
    diverged: bool = False
    interrupted: bool = False
    has_ended: bool = False
    started: float = field(default_factory=time.perf_counter)
    _to_beat: float = -math.inf
    _best: tuple = (math.inf, math.inf)
    _n_loaded: int = 0  # epochs before `started`

    @property
    def n_epochs(self):
        """Number of epochs after which the fit ends, as far as is known."""
        return self.clock.n_epochs

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

    def is_over(self, plan):
        """Decide after an epoch whether the fit ends, or when it shall.

        The end may move once or twice. A learning rate that is held is lowered when the
        loss is as low as the plan wants it. With validation, a learning rate that is
        high is lowered when the score improves no more, from the best weights.
        """
        self.has_ended = self._is_over(plan)
        return self.has_ended

    def _is_over(self, plan):
        self.goes_back = False
        self._count(plan)
        if self.clock.is_held:
            self._lengthen(plan)
        if self.n_no_change < plan.n_iter_no_change:
            return self.n_done >= self.n_epochs
        rate = plan.learning_rate_at(self.clock.read(self.n_done))
        if not self.validation_scores or rate <= LOW * plan.learning_rate:
            return True
        end = self.n_done + max(MIN_COOLING, math.ceil(COOLING * self.n_done))
        if self.clock.is_held or end < self.n_epochs:
            self.clock, self.n_no_change = self.clock.moved(self.n_done, end), 0
            self.goes_back = True
        return self.n_done >= self.n_epochs

    def _lengthen(self, plan):
        """Hold the learning rate for one more epoch, or begin to lower it."""
        n_done, has_fallen = self.n_done, self.loss_curve[-1] < plan.loss_to_reach
        is_held = not has_fallen and n_done < plan.n_held
        if n_done <= HELD_AT * plan.n_epochs:  # nothing has been held yet
            self.clock = self.clock._replace(is_held=is_held)
        else:
            end = plan.lengthened(n_done, has_fallen)
            self.clock = self.clock.moved(n_done, end, is_held)

    def _count(self, plan):
        """Count the epochs without a change.

        A loss plateau does not count: at a large learning rate, the loss often stays
        the same for many epochs before the network learns what to remember, and falls
        again once the learning rate does.
        """
        if not self.validation_scores:
            is_least = self.loss_curve[-1] < plan.least_loss + plan.tol
            self.n_no_change = self.n_no_change + 1 if is_least else 0
            return
        score = self.validation_scores[-1]
        is_warm = self.clock.read(self.n_done) > WARM_UP
        if score > self._to_beat + plan.tol or not is_warm:
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
        self.clock, self._best = Clock(*saved["clock"]), tuple(saved["_best"])
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
_SAVED += ("clock", "has_ended", "_to_beat", "_best")


def _copied(value):
    return list(value) if isinstance(value, list) else value
