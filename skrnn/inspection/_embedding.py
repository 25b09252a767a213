"""The vectors of tokens in a plane."""

from collections import Counter

import numpy as np

from skrnn.inspection._drawing import COLOURS, axes_or_new, pyplot
from skrnn.inspection._fitted import READERS, check_estimator, label_of
from skrnn.inspection._plane import in_plane, label_plane


class EmbeddingDisplay:
    """The vectors of tokens, which a network has learned, in a plane.

    The vector of a token is its column of U, or, with `embeddings`, its row of
    `embeddings_`. They are projected onto the plane in which they vary most, by
    principal component analysis. Tokens that the network treats alike are close to each
    other.

    Parameters
    ----------
    points : ndarray of shape (n_tokens, 2)
        The projected vectors.
    tokens : list of n_tokens tokens
        The tokens.
    shares : array-like of shape (2,), default=None
        The share of the variance along each axis.

    Attributes
    ----------
    texts_ : list of matplotlib Text
        The label of each token.
    ax_ : matplotlib Axes
        Where they were drawn.
    figure_ : matplotlib Figure
        The figure of the axes.

    See Also
    --------
    RecurrenceDisplay : The other weights of a layer.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import EmbeddingDisplay
    >>> words = ["cat", "chat", "katze"]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(words, words)
    >>> EmbeddingDisplay.from_estimator(classifier).tokens
    ['a', 'c', 'e', 'h', 'k', 't', 'z']
    """

    def __init__(self, points, *, tokens, shares=None):
        self.points = points
        self.tokens = tokens
        self.shares = shares

    @classmethod
    def from_estimator(cls, estimator, X=None, *, tokens=None, max_tokens=100, ax=None):
        """Draw the vectors of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator of skrnn that reads sequences
            As in :func:`hidden_states`, fitted on strings, token lists or sequences of
            features.
        X : list, tuple, array, Series or frame of sequences, default=None
            Show the most frequent tokens of these sequences.
        tokens : list of tokens or n-grams, default=None
            Show these. None shows the most frequent tokens of X, or, without X, all
            single tokens of `vocabulary_`.
        max_tokens : int, default=100
            The largest number of tokens to show, unless `tokens` is given.
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        display : EmbeddingDisplay
            The display that was drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If `fit` has not been called.
        TypeError
            If the estimator is of another class, or X is not of its kind.
        ValueError
            If it was fitted on series; if a token is not in `vocabulary_`; or if there
            are more than `max_tokens`, but X, from which to choose them, is missing.
        """
        pyplot(cls.__name__)
        check_estimator(estimator, READERS, f"{cls.__name__} needs")
        model, _ = estimator._model_and_schema()
        if model.reader.kind == "series":
            raise ValueError(
                "estimator was fitted on series of numbers, which have no vocabulary: "
                "an estimator of strings or token lists was expected."
            )
        known = model.reader.vocabulary
        if tokens is None:
            tokens = _single_tokens(estimator, model.reader, X, max_tokens)
        for token in tokens:
            if token not in known:
                raise ValueError(
                    f"tokens has {token!r}, which is not in vocabulary_. Leave it out."
                )
        vectors = model.reader.vectors
        if vectors is None:
            n = model.architecture.n_directions
            vectors = np.concatenate(model.arrays["U_"][:n]).T
        ids = [known[token] for token in tokens]
        points, shares = in_plane(vectors[ids], "token")
        return cls(points, tokens=list(tokens), shares=shares).plot(ax=ax)

    def plot(self, *, ax=None):
        """Draw the tokens.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw. None makes a new figure.

        Returns
        -------
        self : EmbeddingDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = axes_or_new(type(self).__name__, ax, (7, 6))
        labels = list(map(label_of, self.tokens))
        are_letters = max(map(len, labels), default=0) <= 2
        marker = "none" if are_letters else "."
        ax.plot(*self.points.T, ls="none", marker=marker, color=COLOURS[0], ms=4)
        self.texts_ = []
        for point, label in zip(self.points, labels, strict=True):
            style = {
                "ha": "center",
                "va": "center",
                "color": COLOURS[0],
                "size": "large",
            }
            if not are_letters:
                style = {
                    "xytext": (3, 2),
                    "textcoords": "offset points",
                    "size": "small",
                }
            self.texts_.append(ax.annotate(label, point, **style))
        ax.set_title("Vectors of tokens")
        label_plane(ax, self.shares)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _single_tokens(estimator, reader, X, max_tokens):
    """The known single tokens, the most frequent ones of X if there is one."""
    known = [t for t, i in reader.vocabulary.items() if i <= reader.last_token_id]
    if X is None:
        if len(known) > max_tokens:
            raise ValueError(
                f"vocabulary_ has {len(known):,} single tokens, more than max_tokens="
                f"{max_tokens}. Pass X, of whose tokens the most frequent ones are "
                "shown, or pass tokens."
            )
        return known
    _, _, once = estimator._model_and_sequences(X)
    count_of = _count_tokens(once)
    found = [token for token in known if token in count_of]
    return sorted(found, key=lambda token: -count_of[token])[:max_tokens]


def _count_tokens(once):
    """How often each token occurs, as a Counter."""
    sequences, n_times = once.sequences, np.ones(len(once.sequences))
    if once.positions is not None:
        n_times = np.bincount(once.places)
    values, places = np.unique(sequences.values, return_inverse=True)
    counts = np.bincount(places, np.repeat(n_times, sequences.lengths))
    count_of = Counter()
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        token = chr(value) if sequences.tokens is None else sequences.tokens[value]
        # A set of features is a tuple.
        for name in token if isinstance(token, tuple) else (token,):
            count_of[name] += count
    return count_of
