"""The hidden state while a network reads, as a film."""

from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skrnn._classifier import RNNClassifier
from skrnn.inspection._drawing import COLOURS, GREY, pyplot, without_frame
from skrnn.inspection._hidden_states import HiddenStateDisplay, units_that_vary
from skrnn.inspection._staged import staged
from skrnn.inspection._states import states_and_labels_of_one

# Maximum number of classes whose probabilities are shown.
_MAX_CLASSES = 8


@validate_params(
    {
        "interval": [Interval(Integral, 1, None, closed="left")],
        "n_units": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def animate_hidden_states(estimator, x, path=None, *, interval=600, n_units=32):
    """Show how the hidden state changes while a network reads one sequence.

    Step by step, the heat map of :class:`HiddenStateDisplay` grows by a column. For a
    classifier, bars beside it show the probabilities of the classes so far.

    Parameters
    ----------
    estimator : fitted estimator of skrnn that reads sequences
        As in :func:`hidden_states`.
    x : str, list of tokens or array
        One sequence of the same kind as those of X in `fit`.
    path : str or path-like, default=None
        Where to write the film: a file that ends in ".gif", or in ".html", a page with
        buttons to stop it and go on. None writes none.
    interval : int, default=600
        Time from one step to the next, in milliseconds.
    n_units : int, default=32
        Largest number of hidden units to show, those whose states vary most.

    Returns
    -------
    animation : matplotlib FuncAnimation
        The film; its ``to_jshtml()`` shows it in a notebook. It has a frame for each
        step, after one in which nothing has been read.

    Raises
    ------
    ImportError
        If matplotlib, or pillow for ".gif", is not installed.
    NotFittedError, TypeError
        As in :func:`hidden_states`.
    ValueError
        As in :func:`hidden_states`; also if x has no steps, `path` has another ending,
        or `interval` or `n_units` is not a whole number from 1.

    See Also
    --------
    HiddenStateDisplay : All steps in one picture.
    StagedPredictionDisplay : The prediction after each step.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import animate_hidden_states
    >>> words = ["cat", "chat", "katze"]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(words, words)
    >>> animation = animate_hidden_states(classifier, "katze")
    >>> "<img" in animation.to_jshtml()
    True
    """
    plt = pyplot("animate_hidden_states")
    from matplotlib.animation import FuncAnimation

    write = _writer_for(path)
    H, tokens = states_and_labels_of_one(estimator, x)
    units, predictions = units_that_vary(H, n_units), _predictions(estimator, x)
    film = _Film(plt, H[:, units], units, tokens, predictions)
    frames = len(tokens) + 1
    animation = FuncAnimation(
        film.figure, film.draw, frames, interval=interval, blit=False
    )
    plt.close(film.figure)  # or a notebook would show it as well, standing still
    if path is not None:
        write(animation, path, 1000 / interval)
    return animation


def _writer_for(path):
    """The function that writes a film to a path; None for no path."""
    if path is None:
        return None
    writers = {".gif": _write_gif, ".html": _write_html}
    if Path(path).suffix.lower() not in writers:
        raise ValueError(
            f"path is {str(path)!r}: a file that ends in .gif or .html was expected."
        )
    return writers[Path(path).suffix.lower()]


def _write_gif(animation, path, fps):
    animation.save(path, writer="pillow", fps=fps)


def _write_html(animation, path, fps):
    page = animation.to_jshtml(fps=fps)
    Path(path).write_text(f'<!DOCTYPE html><meta charset="utf-8">{page}', "utf-8")


def _predictions(estimator, x):
    """The probabilities of the classes so far, by step, or None."""
    if not isinstance(estimator, RNNClassifier):
        return None
    _, predictions, classes = staged(estimator, x)
    most = np.sort(np.argsort(-predictions.max(axis=0), kind="stable")[:_MAX_CLASSES])
    return predictions[:, most], [classes[k] for k in most]


class _Film:
    """A figure, and how each frame is drawn in it.

    Parameters
    ----------
    plt : module
    H : ndarray of shape (n_steps, n_units)
    units : ndarray of shape (n_units,)
    tokens : list of n_steps str
    predictions : tuple of (ndarray of shape (n_stages, n_classes), list of str), or \
            None
    """

    def __init__(self, plt, H, units, tokens, predictions):
        self._H, self._tokens, self._predictions = H, tokens, predictions
        n = 1 if predictions is None else 2
        width = min(10, 2.5 + 0.4 * len(tokens))
        self.figure, axes = plt.subplots(
            1,
            n,
            figsize=(width + 3 * (n - 1), 4.2),
            width_ratios=[width, 3][:n],
            squeeze=False,
            layout="constrained",
        )
        display = HiddenStateDisplay(H, tokens=tokens, units=units)
        self._image = display.plot(ax=axes[0, 0]).image_
        self._title = axes[0, 0].set_title(" ")
        self._bars = None
        if predictions is not None:
            self._bars = self._draw_bars(axes[0, 1], *predictions)

    @staticmethod
    def _draw_bars(ax, predictions, classes):
        places = np.arange(len(classes))
        bars = ax.barh(places, np.zeros(len(classes)), color=GREY)
        ax.set_yticks(places, classes)
        ax.set(xlim=(0, 1), xlabel="probability", title="Prediction so far")
        ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        ax.invert_yaxis()
        without_frame(ax)
        return bars

    def draw(self, frame):
        """Draw what the network knows after some steps."""
        seen = self._H.T.copy()
        seen[:, frame:] = np.nan
        self._image.set_data(seen)
        joined = "".join if max(map(len, self._tokens), default=0) <= 1 else " ".join
        self._title.set_text(joined(self._tokens[:frame]) or " ")
        if self._bars is None:
            return
        predictions, _ = self._predictions
        # Behind filters, there may be fewer states than predictions, or more.
        n = len(predictions)
        stage = -(-frame * n // max(len(self._tokens), 1)) - 1
        shares = predictions[stage] if frame else np.zeros(predictions.shape[1])
        for k, (bar, share) in enumerate(zip(self._bars, shares, strict=True)):
            bar.set_width(share)
            is_top = frame > 0 and k == int(np.argmax(shares))
            bar.set_color(COLOURS[0] if is_top else GREY)
