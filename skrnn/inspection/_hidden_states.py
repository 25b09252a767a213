"""A heat map of the hidden states of one sequence."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skrnn.inspection._drawing import DIVERGING, axes_or_new, label_steps, pyplot
from skrnn.inspection._states import states_and_labels_of_one


class HiddenStateDisplay:
    """Heat map of the hidden state h while a network reads one sequence.

    A column is the state after a step, below which stands what was read; a row is a
    hidden unit.

    Parameters
    ----------
    states : ndarray of shape (n_steps, n_units)
        The hidden states.
    tokens : list of n_steps str
        What was read at each step.
    units : ndarray of shape (n_units,), default=None
        The indices of the units. None numbers them from 0.

    Attributes
    ----------
    image_ : matplotlib AxesImage
        The heat map.
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    hidden_states : The states as numbers.
    TrajectoryDisplay : The states of several sequences as paths in a plane.
    animate_hidden_states : The same, step by step.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import HiddenStateDisplay
    >>> words = ["cat", "chat", "katze"]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(words, words)
    >>> display = HiddenStateDisplay.from_estimator(classifier, "katze")
    >>> display.states.shape
    (5, 4)
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['k', 'a', 't', 'z', 'e']
    """

    def __init__(self, states, *, tokens, units=None):
        self.states = states
        self.tokens = tokens
        self.units = units

    @classmethod
    @validate_params(
        {"n_units": [Interval(Integral, 1, None, closed="left"), None]},
        prefer_skip_nested_validation=True,
    )
    def from_estimator(cls, estimator, x, *, n_units=None, ax=None):
        """Draw the hidden states of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator of skrnn that reads sequences
            As in :func:`hidden_states`.
        x : str, list of tokens or array
            One sequence of the same kind as those of X in `fit`.
        n_units : int, default=None
            Show only this many units, those whose states vary most over the steps. None
            shows all.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : HiddenStateDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError, TypeError
            As in :func:`hidden_states`.
        ValueError
            As in :func:`hidden_states`; also if x has no steps, or `n_units` is not a
            whole number from 1.
        """
        pyplot(cls.__name__)
        states, tokens = states_and_labels_of_one(estimator, x)
        units = units_that_vary(states, n_units)
        return cls(states[:, units], tokens=tokens, units=units).plot(ax=ax)

    def plot(self, *, ax=None, colorbar=True):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.
        colorbar : bool, default=True
            Whether to draw the scale of the colours beside it.

        Returns
        -------
        self : HiddenStateDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        n_steps, n_units = self.states.shape
        size = min(12, 2.5 + 0.35 * n_steps), min(8, 2 + 0.12 * n_units)
        ax = axes_or_new(type(self).__name__, ax, size)
        largest = max(np.abs(self.states).max(initial=0), 1e-6)
        self.image_ = ax.imshow(
            self.states.T,
            cmap=DIVERGING,
            vmin=-largest,
            vmax=largest,
            aspect="auto",
            interpolation="nearest",
        )
        label_steps(ax.xaxis, self.tokens)
        if self.units is not None and len(self.units) <= 30:
            ax.set_yticks(range(n_units), self.units)
        ax.set(
            xlabel="step", ylabel="hidden unit", title="Hidden state after each step"
        )
        if colorbar:
            ax.figure.colorbar(self.image_, ax=ax, label="h")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def units_that_vary(states, n_units=None):
    """The indices of the units that vary most over the steps, ascending; None for all.

    Parameters
    ----------
    states : ndarray of shape (n_steps, n_units)
    n_units : int, default=None
    """
    order = np.argsort(-states.std(axis=0), kind="stable")
    return np.sort(order[:n_units])
