"""Where a decoder looks back."""

from skrnn._reading.kinds import check_one
from skrnn._seq2seq import RNNSeq2Seq
from skrnn.inspection._drawing import axes_or_new, label_steps, pyplot
from skrnn.inspection._fitted import (
    END,
    START,
    check_estimator,
    label_of,
    tokens_of,
)


class AttentionDisplay:
    """Heat map of where a decoder looks back while it writes a sequence.

    A row is a written token, and a column a token that was read; each row of weights
    sums to 1.

    Parameters
    ----------
    weights : ndarray of shape (n_written, n_read)
        The weights of attention.
    written : list of n_written str
        What was written; the last one is the end.
    read : list of n_read str
        What was read; the first one is the start that stands before strings and token
        lists.

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
    skrnn.RNNSeq2Seq.attention_weights : The weights as numbers.

    Examples
    --------
    >>> from skrnn import RNNSeq2Seq
    >>> from skrnn.inspection import AttentionDisplay
    >>> X, y = ["abc", "bca", "cab"], ["ABC", "BCA", "CAB"]
    >>> model = RNNSeq2Seq(nhidden=16, max_iter=200, random_state=0).fit(X, y)
    >>> display = AttentionDisplay.from_estimator(model, "abc")
    >>> display.written
    ['A', 'B', 'C', 'end']
    >>> display.read
    ['start', 'a', 'b', 'c']
    """

    def __init__(self, weights, *, written, read):
        self.weights = weights
        self.written = written
        self.read = read

    @classmethod
    def from_estimator(cls, estimator, x, y=None, *, ax=None):
        """Draw where a fitted RNNSeq2Seq looks back.

        Parameters
        ----------
        estimator : RNNSeq2Seq
            A fitted model with attention.
        x : str, list of tokens or array
            One sequence of the same kind as those of X in `fit`.
        y : str or list of tokens, default=None
            The sequence to write. None for that which is predicted.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : AttentionDisplay
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
            If `attention` was None in `fit`, or y has a token that is not in
            `output_vocabulary_`.
        """
        pyplot(cls.__name__)
        check_estimator(estimator, (RNNSeq2Seq,), f"{cls.__name__} needs")
        check_one(x, estimator.kind_, estimator.analyzer)
        y = estimator.predict([x])[0] if y is None else y
        weights = estimator.attention_weights(x, y)
        _, _, once = estimator._model_and_sequences([x])
        (read,) = tokens_of(once.sequences)
        read = [START] * (weights.shape[1] - len(read)) + read
        written = [*map(label_of, y), END]
        return cls(weights, written=written, read=read).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        self : AttentionDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        n_written, n_read = self.weights.shape
        size = min(12, 2.5 + 0.32 * n_read), min(10, 1.6 + 0.28 * n_written)
        ax = axes_or_new(type(self).__name__, ax, size)
        self.image_ = ax.imshow(
            self.weights,
            cmap="Blues",
            vmin=0,
            aspect="auto",
            interpolation="nearest",
        )
        label_steps(ax.xaxis, self.read)
        label_steps(ax.yaxis, self.written)
        ax.set(xlabel="read", ylabel="written", title="Where the decoder looks back")
        ax.figure.colorbar(self.image_, ax=ax, label="weight")
        self.ax_, self.figure_ = ax, ax.figure
        return self
