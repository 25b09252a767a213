"""From what the user passes as X and y to sequences and targets."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from skrnn._core.sequences import is_missing, read_array, read_sequences

_KIND_NAMES = {
    "text": "strings",
    "tokens": "token lists",
    "series": "sequences of numbers",
}


def validate_sequences(estimator, X, *, reset):
    """Read X, as scikit-learn's ``validate_data`` does for tables.

    Parameters
    ----------
    estimator : estimator instance
    X : array-like
        A rectangular two-dimensional numeric array or frame is a table of univariate
        series, one row a series, of the width that fit saw, if fit saw univariate
        series of one length. All other containers may be ragged.
    reset : bool
        True in `fit`: remember what kind of sequences X holds. False afterwards:
        demand the same.

    Returns
    -------
    sequences : Sequences

    Raises
    ------
    TypeError
        If X is not a container of sequences, or holds another kind than in `fit`.
    ValueError
        If X is one string, is empty, or holds a sequence that cannot be used.
    """
    if isinstance(X, str):
        raise ValueError(
            "Iterable over sequences expected, string object received. Use [X] to pass "
            "one sequence."
        )
    if isinstance(X, (list, tuple)):
        sequences = read_sequences(X, None if reset else estimator.kind_)
    else:
        sequences = _read_container(estimator, X, reset)
    if reset:
        estimator.kind_ = sequences.kind
        if _is_rectangular(sequences):
            estimator.n_features_in_ = int(sequences.lengths[0])
    else:
        _check_same_kind(estimator, sequences)
    return sequences


def _read_container(estimator, X, reset):
    """Read an array, a frame or a Series."""
    if issparse(X):
        raise TypeError(
            f"X is a sparse {type(X).__name__}: sequences or a dense array were "
            "expected. Use X.toarray() if its rows are series."
        )
    if not hasattr(X, "__array__"):
        raise TypeError(
            f"X is of type {type(X).__name__}: a list, tuple, array or Series of "
            "sequences was expected. Use list(X) if it can be iterated over."
        )
    if hasattr(X, "requires_grad"):  # a torch tensor
        X = X.detach().cpu()
    array = _checked_array(X)
    if array.ndim == 3:
        X = check_array(array, allow_nd=True, ensure_all_finite=False)
        return read_array(X)
    kind = None if reset else estimator.kind_
    if _holds_sequences(array, kind):
        is_column = array.ndim == 2 and array.shape[1] == 1
        if is_column and array.dtype.kind in "OUT" and not _are_rows(array, kind):
            array = array[:, 0]  # a column of a frame
        return read_sequences(array.tolist(), kind)
    # A table of numbers, or something that validate_data knows how to refuse.
    X = validate_data(
        estimator,
        X,
        dtype=[np.float64, np.float32],
        ensure_all_finite=False,  # read_array says where
        reset=reset,
    )
    return read_array(X)


def _checked_array(X):
    """X as an array, if it is of a kind and shape that can be read at all."""
    if isinstance(X, np.ma.MaskedArray):
        raise TypeError(
            "X is a masked array, whose mask would be lost: impute the masked steps, "
            "or pass a list of sequences that leaves them out."
        )
    array = np.asarray(X)
    if array.dtype.kind == "V" or (array.ndim == 3 and array.dtype.kind in "UST"):
        raise TypeError(
            f"X is an array of dtype {array.dtype} and shape {array.shape}: strings, "
            "token lists or plain numbers were expected."
        )
    is_frame = hasattr(X, "columns") and array.ndim == 2 and array.shape[1] > 1
    if is_frame and any(isinstance(entry, str) for entry in array[:1].flat):
        raise TypeError(
            f"X is a frame of {array.shape[1]} columns that are not all numbers: one "
            "column of sequences or a table of numbers was expected. Pass one column."
        )
    if array.dtype.kind in "mM":
        raise TypeError(
            f"X is of dtype {array.dtype}: strings, tokens or numbers were expected. "
            "Convert times to numbers, such as seconds since the first step."
        )
    if array.ndim == 0 or array.ndim > 3:
        raise ValueError(
            f"X has {array.ndim} dimensions: an array of shape (n_samples, n_steps) or "
            "(n_samples, n_steps, n_features), or a list of sequences was expected."
        )
    if array.ndim == 1 and array.dtype.kind in "biufc" and array.size > 0:
        raise ValueError(
            "X is one sequence of numbers: a list of sequences or an array of shape "
            "(n_samples, n_steps) was expected. Reshape your data to (1, n_steps), or "
            "use [X], to pass one sequence."
        )
    return array


def _is_rectangular(sequences):
    """Whether the sequences could have been passed as a table of numbers."""
    return (
        sequences.kind == "series"
        and sequences.values.shape[1] == 1
        and (sequences.lengths == sequences.lengths[0]).all()
    )


def _holds_sequences(array, kind):
    """Whether the entries of an array are strings, tokens or whole sequences.

    Otherwise it is a table of numbers, which may be of dtype object too.
    """
    if array.dtype.kind in "UTS" or array.ndim == 1 or _are_rows(array, kind):
        return True
    if array.dtype.kind != "O" or array.size == 0:
        return False
    # One stray string in a table of numbers does not make it token lists.
    is_text = all(isinstance(entry, str) for entry in array.flat)
    return is_text or any(isinstance(x, (list, tuple, np.ndarray)) for x in array.flat)


def _are_rows(array, kind):
    """Whether the rows of a table are sequences for a model of token lists."""
    if kind != "tokens" or array.dtype.kind not in "biuOUT":
        return False
    return all(isinstance(entry, (str, Integral)) for entry in array[:1].flat)


def _check_same_kind(estimator, sequences):
    name = type(estimator).__name__
    if sequences.kind != estimator.kind_:
        raise TypeError(
            f"X holds {_KIND_NAMES[sequences.kind]}, but {name} was fitted on "
            f"{_KIND_NAMES[estimator.kind_]}. Pass the kind of sequences it was fitted "
            "on."
        )
    if sequences.kind == "series":
        n_features, expected = sequences.values.shape[1], len(estimator.mean_)
        if n_features != expected:
            raise ValueError(
                f"X has {n_features} features at each step, but {name} was fitted with "
                f"{expected}. Pass the same features as in fit."
            )


def validate_training_data(estimator, X, y, sample_weight):
    """Read X and check y and the weights against it.

    Returns
    -------
    sequences : Sequences
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,), float64

    Raises
    ------
    TypeError, ValueError
        As :func:`validate_sequences`; also if y is missing, holds NaN, or if the
        numbers of sequences, targets and weights differ.
    """
    name = type(estimator).__name__
    sequences = validate_sequences(estimator, X, reset=True)
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    y = check_array(
        y, ensure_2d=False, dtype=None, ensure_all_finite=False, input_name="y"
    )
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.dtype.kind in "fc":
        assert_all_finite(y, estimator_name=name, input_name="y")
    starts = sequences.offsets[:-1]  # stands for X: one entry a sequence
    check_consistent_length(starts, y)
    if y.dtype.kind == "O":
        for i, target in enumerate(y.flat):
            if is_missing(target):
                raise ValueError(
                    f"y contains {target} for X[{i // (y.size // len(y))}]: every "
                    "sequence needs a target. Drop the sequence or fill in its target."
                )
    sample_weight = _check_sample_weight(
        sample_weight, starts, dtype=np.float64, ensure_non_negative=True
    )
    return sequences, y, sample_weight


def encode_labels(y):
    """Class labels as integers.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
    labels : ndarray of shape (n_samples,), int64
    """
    y = column_or_1d(y)
    check_classification_targets(y)
    classes, labels = np.unique(y, return_inverse=True)
    return classes, labels.astype(np.int64, copy=False)


def task_of(y):
    """Tell class labels and numbers apart.

    Returns
    -------
    task : {"classification", "regression"}

    Raises
    ------
    ValueError
        If y is neither, for example multilabel.
    """
    with np.errstate(invalid="ignore"):  # it casts even huge numbers to integers
        kind = type_of_target(y, input_name="y")
    if kind in ("binary", "multiclass"):
        return "classification"
    # Columns of whole numbers are counts or the like, which may all be 0 and 1.
    are_columns = kind in ("multiclass-multioutput", "multilabel-indicator")
    if kind.startswith("continuous") or (are_columns and y.dtype.kind in "iuf"):
        return "regression"
    raise ValueError(
        f"Unknown label type: {kind}. y must hold one class label for each sequence, "
        "or one or more real numbers. Pass one column of labels."
    )
