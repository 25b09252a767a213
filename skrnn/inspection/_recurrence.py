"""The recurrent weights of a layer, and their eigenvalues."""

import numpy as np

from skrnn._messages import counted
from skrnn.inspection._drawing import COLOURS, DIVERGING, GREY, pyplot
from skrnn.inspection._fitted import READERS, check_estimator

# The blocks of W by cell, from top to bottom.
_GATES = {
    "rnn": ("W",),
    "gru": ("reset gate, r", "update gate, z", "new state, n"),
    "lstm": ("input gate, i", "forget gate, f", "new state, g", "output gate, o"),
}


class RecurrenceDisplay:
    r"""The recurrent weights W of a layer, and their eigenvalues.

    An eigenvalue tells how a pattern of h changes from one step to the next: its size
    grows or shrinks by the absolute value, and it turns by the angle. In the simplest
    network, h_t = W h_{t-1} + ..., patterns whose eigenvalue lies inside the unit
    circle fade, and those on it are kept. With tanh, and behind gates, this holds for
    small states only, and for gates that are open.

    Parameters
    ----------
    matrices : dict of str to ndarray of shape (nhidden, nhidden)
        The matrix of each gate, by name; of a cell without gates, the only one.

    Attributes
    ----------
    eigenvalues : dict of str to ndarray of shape (nhidden,), complex
        The eigenvalues of each matrix, the largest first.
    axes_ : ndarray of shape (2, n_gates) of matplotlib Axes
        Above, the matrices; below, their eigenvalues.
    ax_ : matplotlib Axes
        The first of them.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    EmbeddingDisplay : The input weights, U.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import RecurrenceDisplay
    >>> words = ["cat", "chat", "katze"]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(words, words)
    >>> display = RecurrenceDisplay.from_estimator(classifier)
    >>> list(display.matrices)
    ['reset gate, r', 'update gate, z', 'new state, n']
    >>> display.eigenvalues["new state, n"].shape
    (4,)
    """

    def __init__(self, matrices):
        self.matrices = matrices
        self.eigenvalues = {
            name: _largest_first(np.linalg.eigvals(W)) for name, W in matrices.items()
        }

    @classmethod
    def from_estimator(cls, estimator, *, layer=0, direction=0, ax=None):
        """Draw the recurrent weights of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator of skrnn that reads sequences
            As in :func:`hidden_states`.
        layer : int, default=0
            The layer, counted from 0.
        direction : {0, 1}, default=0
            1 for the direction that reads sequences backwards.
        ax : array of shape (2, n_gates) of matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : RecurrenceDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If `fit` has not been called.
        TypeError
            If the estimator is of another class.
        ValueError
            If there is no such layer or direction.
        """
        pyplot(cls.__name__)
        check_estimator(estimator, READERS, f"{cls.__name__} needs")
        model, _ = estimator._model_and_schema()
        architecture = model.architecture
        limits = len(architecture.nhidden), architecture.n_directions
        names = "layer", "direction"
        for name, given, n in zip(names, (layer, direction), limits, strict=True):
            if not 0 <= given < n:
                cure = f"a number from 0 to {n - 1}" if n > 1 else f"{name}=0"
                raise ValueError(
                    f"{name} is {given!r}, but the network has {counted(n, name)}. Use "
                    f"{cure}."
                )
        W = model.arrays["W_"][layer * architecture.n_directions + direction]
        gates = _GATES[architecture.cell]
        # Without recurrent weights, all of W is one identity.
        gates = gates if len(W) == len(gates) * W.shape[1] else ("W",)
        parts = np.split(W, len(gates))
        return cls(dict(zip(gates, parts, strict=True))).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the matrices and their eigenvalues.

        Parameters
        ----------
        ax : array of shape (2, n_gates) of matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        self : RecurrenceDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `ax` has another shape.
        """
        plt, n = pyplot(type(self).__name__), len(self.matrices)
        if ax is None:
            size = 1 + 2.7 * n, 5.6
            _, ax = plt.subplots(
                2, n, figsize=size, squeeze=False, layout="constrained"
            )
        axes = np.asarray(ax, dtype=object)
        if axes.shape != (2, n):
            raise ValueError(
                f"ax has the shape {axes.shape}, but {(2, n)} was expected: a matrix "
                f"above its eigenvalues, for {counted(n, 'gate')}."
            )
        largest = max(np.abs(W).max(initial=1e-6) for W in self.matrices.values())
        for (name, W), above, below in zip(self.matrices.items(), *axes, strict=True):
            scale = {"cmap": DIVERGING, "vmin": -largest, "vmax": largest}
            image = above.imshow(W, **scale, interpolation="nearest")
            above.set(title=name, xlabel="from unit", xticks=[], yticks=[])
            _draw_eigenvalues(below, self.eigenvalues[name])
        axes[0, 0].set_ylabel("to unit")
        axes[1, 0].set_ylabel("imaginary part")
        axes[0, 0].figure.colorbar(image, ax=list(axes[0]), label="weight", shrink=0.9)
        self.axes_, self.ax_, self.figure_ = axes, axes[0, 0], axes[0, 0].figure
        return self


def _largest_first(eigenvalues):
    return eigenvalues[np.argsort(-np.abs(eigenvalues), kind="stable")]


def _draw_eigenvalues(ax, eigenvalues):
    """Draw eigenvalues in the complex plane, and the unit circle."""
    angle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(np.cos(angle), np.sin(angle), color=GREY, lw=1)
    ax.plot(eigenvalues.real, eigenvalues.imag, ".", color=COLOURS[0], ms=5)
    ax.axhline(0, color=GREY, lw=0.5, zorder=0)
    ax.axvline(0, color=GREY, lw=0.5, zorder=0)
    largest = np.abs(eigenvalues).max()
    limit = 1.1 * max(1, largest)
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    ax.set_title(f"largest absolute value: {largest:.2f}", size="small")
    ax.set_xlabel("real part")
