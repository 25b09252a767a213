"""Fitted estimators as displays see them: their class, and the names of steps."""

import math

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skrnn._classifier import RNNClassifier
from skrnn._encoder import RNNEncoder
from skrnn._language_model import RNNLanguageModel
from skrnn._messages import describe
from skrnn._regressor import RNNRegressor
from skrnn._seq2seq import RNNSeq2Seq
from skrnn._tagger import RNNTagger

# Those that read sequences, rather than vectors.
READERS = (RNNEncoder, RNNClassifier, RNNRegressor, RNNTagger)
READERS += (RNNLanguageModel, RNNSeq2Seq)
# What is read before the first step, and written after the last one.
START, END = "start", "end"
# Characters that would be invisible as labels.
_VISIBLE = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})


def check_estimator(estimator, classes, purpose, what=None):
    """Raise unless an estimator is fitted, and of one of some classes.

    Parameters
    ----------
    estimator : object
    classes : tuple of classes
    purpose : str
        What needs it, as in "hidden_states needs".
    what : str, default=None
        What the classes are, together; None lists their names.

    Raises
    ------
    NotFittedError
        If `fit` has not been called.
    TypeError
        If it is of any other class.
    """
    if not isinstance(estimator, classes):
        names = [cls.__name__ for cls in classes]
        names = " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
        raise TypeError(
            f"estimator is {describe(estimator)}, but {purpose} a fitted "
            f"{what or names}. For a pipeline, pass its skrnn step; for a search, its "
            "best_estimator_; for an RNNEnsemble, one of its estimators_."
        )
    check_is_fitted(estimator)


def tokens_of(sequences):
    """The tokens of each sequence as labels; of series, the numbers of their steps.

    Parameters
    ----------
    sequences : Sequences

    Returns
    -------
    labels : list of lists of str
    """
    if sequences.kind == "series":
        return [[str(t) for t in range(n)] for n in sequences.lengths]
    if sequences.kind == "text":
        tokens = map(chr, sequences.values.tolist())
    else:
        tokens = map(sequences.tokens.__getitem__, sequences.values.tolist())
    labels = list(map(label_of, tokens))
    bounds = zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)
    return [labels[first:end] for first, end in bounds]


def label_of(token):
    """A token as a label; the features of a step are joined."""
    if isinstance(token, tuple):
        return "\n".join(map(str, token))
    return str(token).translate(_VISIBLE)


def labels_of_states(model, tokens, n_states):
    """The label of each hidden state: what has been read last.

    Parameters
    ----------
    model : Model
    tokens : list of str
        The labels of the steps of a sequence.
    n_states : int

    Returns
    -------
    labels : list of str
    """
    if model.reader.kind != "series":
        # Some networks read the start of a sequence first.
        return [START] * (n_states - len(tokens)) + tokens
    if model.architecture.kernel_sizes:  # averages begin with the first step
        n_averaged = math.prod(model.architecture.strides)
        last = np.arange(1, n_states + 1) * n_averaged - 1
    else:  # patches end with the last one
        length = model.reader.patch_length
        last = len(tokens) - 1 - np.arange(n_states)[::-1] * length
    return [tokens[min(t, len(tokens) - 1)] for t in last]
