"""Hidden states of sequences as paths in a plane."""

from itertools import cycle

import numpy as np

from skrnn.inspection._drawing import COLOURS, axes_or_new, pyplot
from skrnn.inspection._plane import in_plane, label_plane
from skrnn.inspection._states import states_and_labels

# With more sequences, labels would hide the paths; with more, steps would.
_MAX_LABELS, _MAX_LABELLED_STEPS = 40, 4
# More paths are drawn with thinner lines.
_FEW = 10
# Longer labels are cut.
_MAX_CHARACTERS = 20


class TrajectoryDisplay:
    """Paths of the hidden state h while a network reads sequences.

    All states of all sequences, and the state 0 in which each begins, are projected
    onto the plane in which they vary most, by principal component analysis. Sequences
    that the network takes for similar end close to each other.

    Parameters
    ----------
    paths : list of ndarrays of shape (n_steps + 1, 2)
        For each sequence, the points of its states, that of the state 0 first.
    tokens : list of lists of n_steps str
        What was read at each step.
    labels : list of str, default=None
        A label for the end of each path. None for none.
    groups : array-like of shape (n_sequences,), default=None
        The group of each sequence, for its colour. None gives each its own colour.
    shares : array-like of shape (2,), default=None
        The share of the variance along each axis.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The path of each sequence.
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    hidden_states : The states as numbers.
    HiddenStateDisplay : All units of the states of one sequence.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import TrajectoryDisplay
    >>> words = ["cat", "chat", "katze"]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(words, words)
    >>> display = TrajectoryDisplay.from_estimator(classifier, words)
    >>> [path.shape for path in display.paths]
    [(4, 2), (5, 2), (6, 2)]
    >>> display.labels
    ['cat', 'chat', 'katze']
    """

    def __init__(self, paths, *, tokens, labels=None, groups=None, shares=None):
        self.paths = paths
        self.tokens = tokens
        self.labels = labels
        self.groups = groups
        self.shares = shares

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, labels=None, ax=None):
        """Draw the paths of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator of skrnn that reads sequences
            As in :func:`hidden_states`.
        X : list, tuple, array, tensor, Series or frame of n_samples sequences
            Sequences of the same kind as in `fit`.
        y : array-like of shape (n_samples,), default=None
            The class of each sequence, which gives its colour.
        labels : list of n_samples str, default=None
            Labels of the ends. None takes the tokens of each sequence, unless there are
            more than 40 sequences, or they are series.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : TrajectoryDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError, TypeError
            As in :func:`hidden_states`.
        ValueError
            As in :func:`hidden_states`; also if y or `labels` are not as many as the
            sequences, or the states have less than 2 numbers.
        """
        pyplot(cls.__name__)
        H, tokens = states_and_labels(estimator, X)
        for name, each in (("y", y), ("labels", labels)):
            if each is not None and len(each) != len(H):
                raise ValueError(
                    f"{name} has length {len(each)}, but X has {len(H)} sequences. "
                    "Pass one for each of them."
                )
        n = H[0].shape[1]
        H = [np.concatenate([np.zeros((1, n), np.float32), h]) for h in H]
        points, shares = in_plane(np.concatenate(H), "state")
        paths = np.split(points, np.cumsum(list(map(len, H)))[:-1])
        if labels is None and estimator.kind_ != "series" and len(H) <= _MAX_LABELS:
            space = "" if estimator.kind_ == "text" else " "
            labels = [_shortened(space.join(each)) for each in tokens]
        display = cls(paths, tokens=tokens, labels=labels, groups=y, shares=shares)
        return display.plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the paths.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        self : TrajectoryDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes_or_new(type(self).__name__, ax, (7, 5))
        colours, legend = self._colours()
        self.lines_ = []
        are_few = len(self.paths) <= _FEW
        style = {"lw": 1.2, "marker": "o", "ms": 2.5} if are_few else {"lw": 0.8}
        for path, colour in zip(self.paths, colours, strict=True):
            alpha = 0.85 if are_few else 0.4
            self.lines_ += ax.plot(
                *path.T, color=colour, alpha=alpha, zorder=2, **style
            )
            ax.plot(*path[-1], "o", color=colour, ms=6, zorder=3)
        if self.paths:
            ax.plot(*self.paths[0][0], "ks", ms=6, zorder=4)
            self._annotate(ax, "0", self.paths[0][0], "black")
        labels = [] if self.labels is None else self.labels
        for path, colour, label in zip(self.paths, colours, labels, strict=False):
            self._annotate(ax, label, path[-1], colour, weight="bold")
        if len(self.paths) <= _MAX_LABELLED_STEPS:
            for path, colour, tokens in zip(
                self.paths, colours, self.tokens, strict=True
            ):
                for point, token in zip(path[1:-1], tokens, strict=False):
                    self._annotate(ax, token, point, colour, size="small")
        if legend:
            handles = [ax.plot([], [], "o-", color=c, label=g)[0] for g, c in legend]
            ax.legend(handles=handles, frameon=False)
        ax.set_title("Paths of the hidden state")
        label_plane(ax, self.shares)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _colours(self):
        """The colour of each path, and those of the groups for the legend."""
        if self.groups is None:
            return [c for _, c in zip(self.paths, cycle(COLOURS), strict=False)], []
        groups = list(map(str, self.groups))
        legend = list(zip(dict.fromkeys(sorted(groups)), cycle(COLOURS), strict=False))
        colour_of = dict(legend)
        return [colour_of[group] for group in groups], legend

    @staticmethod
    def _annotate(ax, text, point, colour, **options):
        offset = {"xytext": (5, 3), "textcoords": "offset points"}
        ax.annotate(text, point, **offset, color=colour, zorder=5, **options)


def _shortened(text):
    if len(text) <= _MAX_CHARACTERS:
        return text
    return text[: _MAX_CHARACTERS - 1] + "…"
