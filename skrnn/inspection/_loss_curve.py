"""The loss of each epoch."""

import numpy as np

from skrnn._base import BaseRNN
from skrnn.inspection._drawing import (
    COLOURS,
    GREY,
    axes_or_new,
    pyplot,
    without_frame,
)
from skrnn.inspection._fitted import check_estimator


class LossCurveDisplay:
    """Loss of each epoch of a fit, in training and in validation.

    Where the training loss falls further but the validation loss rises, the network
    learns the training data by heart.

    Parameters
    ----------
    losses : array-like of shape (n_epochs,)
        The training loss of each epoch.
    validation_losses : array-like of shape (n_epochs,), default=None
        The validation loss of each epoch, if there is one.
    best_epoch : int, default=None
        The epoch, counted from 1, whose weights were kept. None if they were the last.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The training losses.
    validation_line_ : matplotlib Line2D or None
        The validation losses.
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by the number of samples.

    Notes
    -----
    The training loss of an epoch is averaged while the weights change, and with
    dropout: it may be above the validation loss. With a wide path, it is that of the
    network alone, and the validation loss that of both.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import LossCurveDisplay
    >>> words = ["cat", "chat", "katze"]
    >>> classifier = RNNClassifier(nhidden=4, max_iter=30).fit(words, words)
    >>> len(LossCurveDisplay.from_estimator(classifier).losses)
    30
    """

    def __init__(self, losses, *, validation_losses=None, best_epoch=None):
        self.losses = losses
        self.validation_losses = validation_losses
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the losses of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator of skrnn
            The estimator, of any class but RNNEnsemble.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : LossCurveDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If `fit` has not been called.
        TypeError
            If the estimator is no network of skrnn.
        """
        pyplot(cls.__name__)
        needs = f"{cls.__name__} needs"
        check_estimator(estimator, (BaseRNN,), needs, what="network of skrnn")
        losses, best_epoch = getattr(estimator, "validation_loss_curve_", None), None
        if losses is not None:
            best_epoch = 1 + int(np.argmax(estimator.validation_scores_))
        display = cls(
            estimator.loss_curve_, validation_losses=losses, best_epoch=best_epoch
        )
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the losses.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        self : LossCurveDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes_or_new(type(self).__name__, ax, (6, 4))
        from matplotlib.ticker import MaxNLocator

        epochs = np.arange(1, len(self.losses) + 1)
        markers = {"marker": "o", "ms": 3} if len(epochs) <= 50 else {}
        (self.line_,) = ax.plot(
            epochs, self.losses, color=COLOURS[0], label="training", **markers
        )
        self.validation_line_ = None
        if self.validation_losses is not None:
            validation = {"color": COLOURS[1], "label": "validation", "ls": "--"}
            validation |= markers
            (self.validation_line_,) = ax.plot(
                epochs, self.validation_losses, **validation
            )
        if self.best_epoch is not None:
            best = f"weights kept, epoch {self.best_epoch}"
            ax.axvline(self.best_epoch, color=GREY, lw=1, zorder=0, label=best)
        ax.set(xlabel="epoch", ylabel="loss", title="Loss of each epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(frameon=False)
        without_frame(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self
