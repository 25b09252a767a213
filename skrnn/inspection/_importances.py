"""How much a prediction depends on each step of a sequence."""

from dataclasses import replace
from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skrnn._classifier import RNNClassifier
from skrnn._core.sequences import Sequences
from skrnn._model import check_finite
from skrnn._regressor import RNNRegressor
from skrnn.inspection._fitted import check_estimator

# No text has this character, the last one, which is reserved; and so no vocabulary has
# it. A word of five is longer than the beginnings of words that are read.
_UNKNOWN = chr(0x10FFFF)
_UNKNOWN_TOKEN = 5 * _UNKNOWN
# Maximum number of steps of all sequences that are read at once.
_MAX_ROWS = 2**18


@validate_params(
    {"width": [Interval(Integral, 1, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def step_importances(estimator, X, *, target=None, width=1):
    """Compute how much a prediction depends on each step, by occlusion.

    The importance of step t is f(x) - f(x without knowledge of step t), where f is the
    logarithm of the probability of a class, in nats, or the number that is predicted
    [1]_. It is positive for steps that speak for the class, or raise the number.

    Parameters
    ----------
    estimator : RNNClassifier or RNNRegressor
        A fitted estimator.
    X : list, tuple, array, tensor, Series or frame of n_samples sequences
        Sequences of the same kind as in `fit`.
    target : label, or int, default=None
        The class, one of `classes_`; None for the class that is predicted for each
        sequence, or the label with the highest probability. If several numbers are
        predicted, the index of one of them.
    width : int, default=1
        Number of consecutive steps that are hidden at once: step t, about half of them
        before it, and half after it [2]_. Use more than 1 for long series, in which no
        single step matters.

    Returns
    -------
    importances : list of ndarrays of shape (n_steps,), float64
        One number for each character, word, token, set of features or row of numbers.

    Raises
    ------
    NotFittedError
        If `fit` has not been called.
    TypeError
        If the estimator is of another class, or X holds sequences of a different kind
        than in `fit`.
    ValueError
        If `width` is not a whole number from 1; if `target` is not one of `classes_`,
        or is missing although several numbers are predicted; or if sequences of X
        cannot be read, as in `predict`.

    See Also
    --------
    StagedPredictionDisplay : The prediction after each step.
    sklearn.inspection.permutation_importance : The importance of the columns of a
        table.

    Notes
    -----
    To hide a step, rather than to leave it out, keeps the places of all other steps,
    and makes no neighbours, or n-grams, of steps that were none. A token is hidden by
    the unknown token, together with all n-grams and subwords that have a part in it.
    The network knows what that means: during training, tokens are replaced by it at
    random (`token_dropout`). A row of numbers is hidden as missing ones are: by NaN if
    `missing` is "mask", and otherwise by the row before the hidden ones, or, at the
    start, by `mean_`.

    If several steps say the same, each of them alone has a small importance. Time is
    O(n_steps^2) for a sequence, and memory O(n_steps).

    References
    ----------
    .. [1] Li, Monroe and Jurafsky (2016), "Understanding Neural Networks through
       Representation Erasure", arXiv:1612.08220.
    .. [2] Zeiler and Fergus (2014), "Visualizing and Understanding Convolutional
       Networks", ECCV.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import step_importances
    >>> words = ["cat", "cut", "cot", "car", "cur", "cor"] * 5
    >>> ends = [word[-1] for word in words]
    >>> classifier = RNNClassifier(nhidden=8, random_state=0).fit(words, ends)
    >>> (importances,) = step_importances(classifier, ["cat"])
    >>> importances.argmax()
    np.int64(2)
    """
    check_estimator(estimator, (RNNClassifier, RNNRegressor), "step_importances needs")
    model, _, once = estimator._model_and_sequences(X)
    sequences, positions = once.sequences, once.positions
    if positions is None:
        positions = np.arange(len(sequences))
    scores = _scores(model, sequences, positions)
    outputs = _outputs(model.head, scores, target)
    whole = _of_outputs(model.head, scores, outputs)
    lengths = sequences.lengths
    sequence = np.repeat(np.arange(len(lengths)), lengths)
    step = np.arange(len(sequence)) - np.repeat(sequences.offsets[:-1], lengths)
    hidden = np.empty(len(sequence))
    for some in _parts(lengths[sequence]):
        i = sequence[some]
        occluded = _occluded(model.reader, sequences, i, step[some], width)
        scores = _scores(model, occluded, positions[i])
        hidden[some] = _of_outputs(model.head, scores, outputs[i])
    parts = np.split(whole[sequence] - hidden, sequences.offsets[1:-1])
    return [parts[i].copy() for i in np.arange(len(parts))[once.places]]


def _scores(model, sequences, positions):
    """The scores of sequences."""
    steps = model.reader.encode(sequences, positions)
    h = model.states(steps)
    check_finite(h, positions)
    return model.scores(h, steps)


def _outputs(head, scores, target):
    """The index of the output of each sequence that is looked at."""
    n_samples, n_outputs = scores.shape
    if head.task == "regression":
        if target is None and n_outputs > 1:
            raise ValueError(
                f"target is missing: the estimator predicts {n_outputs} numbers. Pass "
                "the index of one of them."
            )
        choices = list(range(n_outputs))
        target = 0 if target is None else target
    else:
        choices = head.classes.tolist()
        if target is None:
            return scores.argmax(axis=1)
    if target not in choices:
        what = "index of a number" if head.task == "regression" else "class"
        raise ValueError(
            f"target is {target!r}, which is no {what}: one of {choices} was expected."
        )
    return np.full(n_samples, choices.index(target))


def _of_outputs(head, scores, outputs):
    """What importances are differences of, one number for each sequence."""
    if head.task == "regression":
        values = head.decode(scores).reshape(scores.shape)
    else:
        values = head.log_probabilities(scores)
    return values[np.arange(len(values)), outputs]


def _parts(n_rows):
    """Yield slices of sequences that have at most `_MAX_ROWS` steps, or of one."""
    ends, first = np.cumsum(n_rows), 0
    while first < len(ends):
        done = ends[first] - n_rows[first]
        stop = max(first + 1, int(np.searchsorted(ends, done + _MAX_ROWS, "right")))
        yield slice(first, stop)
        first = stop


def _occluded(reader, sequences, i, step, width):
    """The sequences i, where `width` steps around a step are unknown."""
    copies = _with_unknown(sequences).beginnings(i, sequences.lengths[i])
    first = np.maximum(step - (width - 1) // 2, 0)
    end = np.minimum(step + width // 2 + 1, copies.lengths)
    # All hidden rows, and where the hidden part of their sequence begins.
    n = end - first
    begin = np.repeat(copies.offsets[:-1] + first, n)
    rows = begin + np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    if sequences.kind == "text":
        copies.values[rows] = ord(_UNKNOWN)
    elif sequences.kind != "series":
        copies.values[rows] = len(sequences.tokens)
    elif reader.missing == "mask":
        copies.values[rows] = np.nan
    else:
        is_start = np.repeat(first == 0, n)
        before = copies.values[begin - 1]
        before[is_start] = reader.mean
        copies.values[rows] = before
    return copies


def _with_unknown(sequences):
    """Sequences that may have one token more, which is unknown."""
    if sequences.kind == "text":
        return replace(sequences, values=sequences.values.astype(np.uint32))
    if sequences.kind == "series":
        return sequences
    unknown = () if sequences.kind == "features" else _UNKNOWN_TOKEN
    return Sequences(
        sequences.kind,
        sequences.values,
        sequences.offsets,
        [*sequences.tokens, unknown],
    )
