"""The hidden states of a network, step by step."""

import numpy as np

from skrnn._model import check_finite
from skrnn._outputs import each_its_own
from skrnn._reading.kinds import check_one
from skrnn._reading.reader import read_more
from skrnn.inspection._fitted import (
    READERS,
    check_estimator,
    labels_of_states,
    tokens_of,
)


def hidden_states(estimator, X):
    """Compute the hidden state of the last layer after each step.

    The hidden state is all that a network keeps of the steps before.

    Parameters
    ----------
    estimator : fitted estimator of skrnn that reads sequences
        An RNNEncoder, RNNClassifier, RNNRegressor, RNNTagger, RNNLanguageModel or
        RNNSeq2Seq, of which the states of the encoder are computed.
    X : list, tuple, array, tensor, Series or frame of n_samples sequences
        Sequences of the same kind as in `fit`.

    Returns
    -------
    H : list of ndarrays of shape (n_steps, n_directions * nhidden), float32
        ``H[i][t]`` is h after step t of ``X[i]``, where `nhidden` is that of the last
        layer. If the network reads in both directions, the states of the second one,
        which has then read the steps from t to the last, follow those of the first.

    Raises
    ------
    NotFittedError
        If `fit` has not been called.
    TypeError
        If the estimator is of another class, or X holds sequences of a different kind
        than in `fit`.
    ValueError
        If sequences of X cannot be read, as in `predict`, or a state is not finite.

    See Also
    --------
    HiddenStateDisplay : Shows the states of one sequence.
    TrajectoryDisplay : Shows those of many sequences as paths in a plane.

    Notes
    -----
    A step is what ``estimator.kind_`` says: a character, a word, a token or a set of
    features, together with the n-grams that end there and the subwords that the reader
    adds. In numeric series, a step is `patch_length_` rows of numbers, the last of
    which ends with the series; with `kernel_sizes`, it is about as many rows, whose
    filters are averaged, and the first step begins with the series.

    An RNNLanguageModel and an RNNSeq2Seq read a start before each string or token list.
    Their H have one more row, the first one, for the state after it.

    `transform` pools these states; with ``pooling="last"``, and in one direction, it
    returns the last one.

    Examples
    --------
    >>> from skrnn import RNNEncoder
    >>> from skrnn.inspection import hidden_states
    >>> words = ["cat", "chat", "katze"]
    >>> encoder = RNNEncoder(nhidden=4, pooling="last", random_state=0)
    >>> H = hidden_states(encoder.fit(words, ["en", "fr", "de"]), words)
    >>> [h.shape for h in H]
    [(3, 4), (4, 4), (5, 4)]
    >>> bool((H[2][-1] == encoder.transform(["katze"])[0]).all())
    True
    """
    H, _ = states_and_labels(estimator, X)
    return H


def states_and_labels(estimator, X):
    """The hidden states of all steps, and what was read last, as a label.

    Returns
    -------
    H : list of ndarrays of shape (n_steps, n_directions * nhidden), float32
    labels : list of lists of str
    """
    check_estimator(estimator, READERS, "hidden_states needs")
    model, options, once = estimator._model_and_sequences(X)
    steps = read_more(model.reader, options, once.sequences, once.positions)
    H = model.states_of_steps(model.head.begun(steps))
    positions = np.arange(len(H)) if once.positions is None else once.positions
    for i, h in zip(positions, H, strict=True):
        check_finite(h, np.full(len(h), i))
    labels = [
        labels_of_states(model, tokens, len(h))
        for tokens, h in zip(tokens_of(once.sequences), H, strict=True)
    ]
    places = np.arange(len(H))[once.places]
    return each_its_own(H, places), [labels[i] for i in places]


def states_and_labels_of_one(estimator, x):
    """The hidden states of one sequence, which must have steps, and their labels."""
    if hasattr(estimator, "kind_"):
        check_one(x, estimator.kind_, estimator.analyzer)
    (H,), (labels,) = states_and_labels(estimator, [x])
    if not labels:
        raise ValueError(
            "x is empty, so that there is no state to show. Pass a sequence with steps."
        )
    return H, labels
