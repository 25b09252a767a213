"""How a prediction changes while a sequence is read."""

import numpy as np
from sklearn.utils._param_validation import StrOptions, validate_params

from skrnn._classifier import RNNClassifier
from skrnn._reading.kinds import check_one
from skrnn._regressor import RNNRegressor
from skrnn.inspection._drawing import (
    COLOURS,
    GREY,
    axes_or_new,
    label_steps,
    pyplot,
    without_frame,
)
from skrnn.inspection._fitted import check_estimator, tokens_of

# A share is written into a bar that is wide and high enough.
_MAX_BARS, _MIN_SHARE = 14, 0.14
# Colours on which white is easier to read than black.
_DARK = ("#0072B2", "#009E73", "#D55E00")


class StagedPredictionDisplay:
    """Prediction of a network after each step of one sequence.

    For a classifier, it shows the probabilities of the classes; for a regressor, the
    numbers.

    Parameters
    ----------
    predictions : ndarray of shape (n_stages, n_outputs)
        The probabilities of the classes, or the numbers, after each step.
    tokens : list of n_stages str
        What was read at each step.
    outputs : list of n_outputs str
        The names of the classes, or of the numbers.
    kind : {"bars", "lines"}, default="lines"
        Stacked bars, of probabilities that sum up to 1, or lines.
    y_name : str, default="prediction"
        What is predicted, for the label of the axis.

    Attributes
    ----------
    shown : list of str
        The outputs that were drawn, of the largest prediction after the last step
        first; "others" for all others together.
    bars_ : list of matplotlib BarContainer
        The bars of each of them, if they are bars.
    lines_ : list of matplotlib Line2D
        The line of each of them, if they are lines.
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    skrnn.RNNClassifier.staged_predict_proba : The probabilities as numbers.
    step_importances : How much a prediction depends on each step.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import StagedPredictionDisplay
    >>> words = ["cat", "chat", "katze"]
    >>> languages = ["English", "French", "German"]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(words, languages)
    >>> display = StagedPredictionDisplay.from_estimator(classifier, "katze")
    >>> display.tokens
    ['k', 'a', 't', 'z', 'e']
    >>> display.predictions.shape
    (5, 3)
    >>> display.shown[0]
    'German'
    """

    def __init__(
        self, predictions, *, tokens, outputs, kind="lines", y_name="prediction"
    ):
        self.predictions = predictions
        self.tokens = tokens
        self.outputs = outputs
        self.kind = kind
        self.y_name = y_name

    @classmethod
    @validate_params(
        {"kind": [StrOptions({"auto", "bars", "lines"})]},
        prefer_skip_nested_validation=True,
    )
    def from_estimator(cls, estimator, x, *, kind="auto", n_outputs=6, ax=None):
        """Draw the predictions of a fitted estimator.

        Parameters
        ----------
        estimator : RNNClassifier or RNNRegressor
            A fitted estimator.
        x : str, list of tokens or array
            One sequence of the same kind as those of X in `fit`.
        kind : {"auto", "bars", "lines"}, default="auto"
            Stacked bars or lines. "auto" is bars for the probabilities of classes, of
            which a sequence has one, and otherwise lines.
        n_outputs : int, default=6
            Largest number of classes to draw, those whose probabilities are the largest
            after any step; the others are drawn together. At most 7.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : StagedPredictionDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If `fit` has not been called.
        TypeError
            If the estimator is of another class, or x is not of its kind.
        ValueError
            If bars are asked for, but what is predicted does not sum up to 1; if `kind`
            or `n_outputs` are out of their range; or if x cannot be read, as in
            `predict`.
        """
        pyplot(cls.__name__)
        classes = RNNClassifier, RNNRegressor
        check_estimator(estimator, classes, f"{cls.__name__} needs")
        tokens, predictions, outputs = staged(estimator, x)
        y_name, sum_to_one = "prediction", False
        if isinstance(estimator, RNNClassifier):
            y_name, sum_to_one = "probability", not estimator._is_multilabel
        if kind == "auto":
            kind = "bars" if sum_to_one else "lines"
        if kind == "bars" and not sum_to_one:
            raise ValueError(
                "kind is 'bars', which are stacked, but what is predicted does not sum "
                "up to 1. Use kind='lines'."
            )
        display = cls(
            predictions, tokens=tokens, outputs=outputs, kind=kind, y_name=y_name
        )
        return display.plot(n_outputs=n_outputs, ax=ax)

    def plot(self, *, n_outputs=6, ax=None):
        """Draw the predictions.

        Parameters
        ----------
        n_outputs : int, default=6
            As in :meth:`from_estimator`.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        self : StagedPredictionDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `n_outputs` is out of its range.
        """
        if not 1 <= n_outputs <= len(COLOURS):
            raise ValueError(
                f"n_outputs is {n_outputs!r}: a number from 1 to {len(COLOURS)} was "
                "expected, since there are no more colours. Others are drawn together."
            )
        n = len(self.tokens)
        ax = axes_or_new(type(self).__name__, ax, (min(12, 3.5 + 0.55 * n), 3.4))
        self.shown, values = self._chosen(n_outputs)
        colours = [*COLOURS[: len(values)]]
        if self.shown[-1:] == [_OTHERS]:
            colours[-1] = GREY
        self.bars_, self.lines_ = [], []
        draw = self._draw_bars if self.kind == "bars" else self._draw_lines
        draw(ax, values, colours)
        label_steps(ax.xaxis, self.tokens)
        if max(map(len, self.tokens), default=0) <= 1:
            ax.tick_params(axis="x", labelsize="x-large")
        ax.set(xlabel="read so far", ylabel=self.y_name)
        ax.set_title(f"{self.y_name.capitalize()} after each step")
        without_frame(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _chosen(self, n_outputs):
        """The names of the outputs that are drawn, and their predictions."""
        predictions = np.asarray(self.predictions)
        most = np.argsort(-predictions.max(axis=0), kind="stable")[:n_outputs]
        is_shown = np.isin(np.arange(predictions.shape[1]), most)
        most = most[np.argsort(-predictions[-1, most], kind="stable")]
        names, values = [self.outputs[k] for k in most], list(predictions.T[most])
        if self.kind == "bars" and not is_shown.all():
            names.append(_OTHERS)
            values.append(predictions[:, ~is_shown].sum(axis=1))
        return names, values

    def _draw_bars(self, ax, values, colours):
        places, below = np.arange(len(self.tokens)), np.zeros(len(self.tokens))
        top = np.argmax(values, axis=0)
        for k, (name, share, colour) in enumerate(
            zip(self.shown, values, colours, strict=True)
        ):
            style = {"width": 0.94, "color": colour, "edgecolor": "white", "lw": 0.8}
            self.bars_.append(ax.bar(places, share, bottom=below, label=name, **style))
            ink = "white" if colour in _DARK else "black"
            for t in np.flatnonzero((top == k) & (share >= _MIN_SHARE)):
                if len(places) <= _MAX_BARS:
                    middle = below[t] + share[t] / 2
                    style = {"ha": "center", "va": "center", "color": ink, "size": 9}
                    ax.text(t, middle, f"{share[t]:.0%}", **style)
            below = below + share
        ax.set(xlim=(-0.5, len(places) - 0.5), ylim=(0, 1))
        ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        handles = self.bars_[::-1]  # the lowest bar last
        ax.legend(handles=handles, **_BESIDE)

    def _draw_lines(self, ax, values, colours):
        style = {"marker": "o", "ms": 4, "lw": 1.8} if len(self.tokens) <= 50 else {}
        for name, each, colour in zip(self.shown, values, colours, strict=True):
            self.lines_ += ax.plot(each, color=colour, label=name, **style)
        if self.y_name == "probability":
            ax.set_ylim(-0.02, 1.02)
            ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        if len(self.outputs) > 1:
            ax.legend(**_BESIDE)


_OTHERS = "others"
_BESIDE = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "frameon": False}


def staged(estimator, x):
    """The predictions after each step of one sequence.

    Returns
    -------
    tokens : list of n_stages str
        What was read last.
    predictions : ndarray of shape (n_stages, n_outputs)
    outputs : list of n_outputs str
    """
    check_one(x, estimator.kind_, estimator.analyzer)
    model, _, once = estimator._model_and_sequences([x])
    (tokens,) = tokens_of(once.sequences)
    n = getattr(model.reader, "patch_length", 1)
    stages = range(n, len(tokens) + n, n)
    tokens = [tokens[min(t, len(tokens)) - 1] for t in stages] or [""]
    if isinstance(estimator, RNNClassifier):
        predictions = np.concatenate(list(estimator.staged_predict_proba([x])))
        return tokens, predictions, [*map(str, estimator.classes_)]
    predictions = np.array(list(estimator.staged_predict([x])))
    predictions = predictions.reshape(len(tokens), -1)
    return tokens, predictions, [*map(str, range(predictions.shape[1]))]
