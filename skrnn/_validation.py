"""From what the user passes as X and y to sequences and targets."""

from decimal import Decimal
from numbers import Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import (
    _check_sample_weight,
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from skrnn._containers import open_container
from skrnn._core.descriptions import describe, is_missing
from skrnn._core.sequences import (
    as_numbers,
    possible_kinds,
    read_array,
    read_sequences,
)
from skrnn._inputs import KIND_NAMES, READING_PARAMETERS
from skrnn._text import read_text

_KINDS = {"char": "text", "word": "words", "token": "tokens", "series": "series"}


def validate_sequences(estimator, X, *, reset):
    """Read X, as scikit-learn's ``validate_data`` does for tables.

    Parameters
    ----------
    estimator : estimator instance
    X : list, tuple, array, tensor, Series or frame
        As :func:`skrnn._containers.open_container`. A rectangular two-dimensional
        numeric array or frame is a table of univariate series, one row a series, of
        the width that fit saw, if fit saw univariate series of one length. All other
        containers may be ragged.
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
    if reset:
        estimator._reading = {
            name: getattr(estimator, name) for name in READING_PARAMETERS
        }
    reading = estimator._reading
    fitted = None if reset else estimator.kind_
    analyzer = reading["analyzer"]
    kind = _KINDS.get(analyzer) if isinstance(analyzer, str) else None
    wanted = None if callable(analyzer) else kind or fitted
    opened, columns = open_container(
        X,
        "text" if wanted == "words" else wanted,
        columns=reading.get("columns"),
        allow_masked=reading["missing"] == "mask",
    )
    if callable(analyzer):
        items = X if isinstance(X, (list, tuple)) else opened
        opened, columns = open_container(
            _analyzed(analyzer, items),
            columns=reading.get("columns"),
            allow_masked=reading["missing"] == "mask",
        )
    if reset:
        reading["columns"] = columns
    elif fitted == "series":
        _check_axes(estimator, opened)
    if isinstance(opened, (list, tuple)):
        if kind not in ("text", "words"):
            _check_not_one(opened)
        kind = kind or _kind_to_read(opened, fitted)
        sequences = _read(estimator, opened, kind)
    else:
        sequences = _read_numbers(estimator, opened, reset)
    if reset:
        estimator.kind_ = sequences.kind
        reading["shortest"] = int(sequences.lengths.min())
        if _is_rectangular(sequences):
            estimator.n_features_in_ = int(sequences.lengths[0])
    else:
        _check_same_kind(estimator, sequences)
    return _of_allowed_length(sequences, reading["max_length"], reading["overlong"])


def _analyzed(analyzer, X):
    """What a user's analyzer makes of each sequence."""
    results = []
    for i, item in enumerate(X if isinstance(X, (list, tuple)) else np.asarray(X)):
        try:
            results.append(analyzer(item))
        except Exception as error:
            error.add_note(f"analyzer raised this for X[{i}].")
            raise
    return results


def _kind_to_read(X, fitted):
    """The kind seen in fit, if the first sequence can be of that kind.

    Otherwise None, for its own kind: what X holds instead is then known, and said.
    """
    is_possible = len(X) > 0 and fitted in possible_kinds(X[0])
    return fitted if is_possible else None


def _read(estimator, X, kind):
    """Read a list of sequences."""
    is_text = len(X) > 0 and isinstance(X[0], str)
    if kind in ("text", "words") or (kind is None and is_text):
        names = ("lowercase", "strip_accents", "token_pattern")
        options = {name: estimator._reading[name] for name in names}
        return read_text(X, kind or "text", **options)
    return read_sequences(X, kind, estimator._reading["missing"] == "mask")


def _check_not_one(X):
    """Refuse the numbers of one sequence, some of which may be missing."""
    entries = ((i, item) for i, item in enumerate(X) if not is_missing(item))
    i, first = next(entries, (0, None))
    if isinstance(first, (Real, Decimal, np.bool_)):
        raise TypeError(
            f"X[{i}] is {describe(first)}: a sequence is a string, a list of tokens "
            "(strings or integers), a list of floats or a numeric array of shape "
            "(n_steps,) or (n_steps, n_features). Use [X] to pass one sequence."
        )


def _of_allowed_length(sequences, max_length, overlong):
    """The sequences, cut or refused where they are too long."""
    if max_length is None or sequences.lengths.max() <= max_length:
        return sequences
    if overlong != "error":
        return sequences.cut(max_length, overlong)
    i = int(np.argmax(sequences.lengths > max_length))
    raise ValueError(
        f"X[{i}] has {sequences.lengths[i]} steps, but max_length is {max_length}. Use "
        "overlong='first' or overlong='last' to keep so many of its steps."
    )


def _read_numbers(estimator, X, reset):
    """Read an array of three dimensions, or a table as scikit-learn reads it."""
    array = np.asarray(X)
    if array.dtype.kind == "O" and array.size > 0:
        if array.ndim == 2:
            validate_data(estimator, X, reset=reset, skip_check_array=True)
        return read_array(as_numbers(array), estimator._reading["missing"] == "mask")
    if array.dtype == np.longdouble:  # infinite where it is too large
        with np.errstate(over="ignore"):
            X = array.astype(np.float64)
    if getattr(X, "ndim", 2) == 3:
        X = check_array(X, allow_nd=True, ensure_all_finite=False)
    else:
        X = validate_data(
            estimator,
            X,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,  # read_array says where
            reset=reset,
        )
    return read_array(X, estimator._reading["missing"] == "mask")


def _is_rectangular(sequences):
    """Whether the sequences could have been passed as a table of numbers."""
    return (
        sequences.kind == "series"
        and sequences.values.shape[1] == 1
        and (sequences.lengths == sequences.lengths[0]).all()
    )


def _check_same_kind(estimator, sequences):
    name = type(estimator).__name__
    if sequences.kind != estimator.kind_:
        cure = "Pass the kind of sequences it was fitted on."
        if (sequences.kind, estimator.kind_) == ("text", "tokens"):
            cure += " Use [X] if X is one token list."
        raise TypeError(
            f"X holds {KIND_NAMES[sequences.kind]}, but {name} was fitted on "
            f"{KIND_NAMES[estimator.kind_]}. {cure}"
        )
    if sequences.kind == "series":
        n_features, expected = sequences.values.shape[1], len(estimator.mean_)
        if n_features != expected:
            is_one = n_features == 1 and (sequences.lengths == expected).all()
            raise ValueError(_other_features(estimator, n_features, is_one))


def _check_axes(estimator, opened):
    """Refuse arrays whose last axis is not that of the features, which another one is.

    What else may be wrong with them is said once they are read.
    """
    expected = len(estimator.mean_)
    if isinstance(opened, (list, tuple)):
        shapes, cure = (
            [getattr(item, "shape", ()) for item in opened],
            "[x.T for x in X]",
        )
    elif len(opened.shape) == 3:
        shapes, cure = [opened.shape[1:]], "X.transpose(0, 2, 1)"
    else:
        _check_not_a_column(estimator, opened)
        # A frame, too, before scikit-learn misses its names among those of fit.
        if opened.shape[1] == expected > 1 and opened.shape[0] > 0:
            raise ValueError(_other_features(estimator, 1, is_one=True))
        return
    others = [shape[1] for shape in shapes if len(shape) == 2 and shape[1] != expected]
    if others and all(len(shape) == 2 and shape[0] == expected for shape in shapes):
        raise ValueError(
            f"{_other_features(estimator, others[0])} If they come before the steps, "
            f"use {cure}."
        )


def _check_not_a_column(estimator, table):
    """Refuse one series, of shape (n_steps, 1), as a table of series of one step."""
    shortest = estimator._reading["shortest"]
    if not (table.shape[0] > 1 == table.shape[1] and shortest > 1):
        return
    what = f"X has shape {table.shape}: series of one step, where fit saw none of "
    what += f"fewer than {shortest}."
    if hasattr(estimator, "n_features_in_"):  # the sentence of scikit-learn
        what = (
            f"X has 1 features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input."
        )
    raise ValueError(
        f"{what} Use [X] to pass one sequence, or list(X) if each row is one."
    )


def _other_features(estimator, n_features, is_one=False):
    """The sentence for sequences of another number of features than in fit."""
    plural = "" if n_features == 1 else "s"
    cure = (
        "Use [X] to pass one sequence."
        if is_one
        else "Pass the same features as in fit."
    )
    return (
        f"X has {n_features} feature{plural} at each step, but "
        f"{type(estimator).__name__} was fitted with {len(estimator.mean_)}. {cure}"
    )


def validate_training_data(
    estimator,
    X,
    y,
    sample_weight,
    *,
    are_numbers=False,
    needs_y=True,
    reset=True,
):
    """Read X and check y and the weights against it.

    Parameters
    ----------
    estimator : estimator instance
    X, y, sample_weight
        As in its `fit`.
    are_numbers : bool, default=False
        Whether y must hold numbers.
    needs_y : bool, default=True
        Whether y may not be None.
    reset : bool, default=True
        As in :func:`validate_sequences`.

    Returns
    -------
    sequences : Sequences
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
    sample_weight : ndarray of shape (n_samples,), float64

    Raises
    ------
    TypeError, ValueError
        As :func:`validate_sequences`; also if y is missing, holds NaN, or if the
        numbers of sequences, targets and weights differ.
    """
    name = type(estimator).__name__
    for masked, what in ((y, "y"), (sample_weight, "sample_weight")):
        if np.ma.is_masked(masked):
            raise TypeError(
                f"{what} is a masked array, whose mask would be lost: drop the "
                "sequences that are masked."
            )
    sequences = validate_sequences(estimator, X, reset=reset)
    starts = sequences.offsets[:-1]  # stands for X: one entry a sequence
    if y is not None:
        y = _validate_targets(y, name, are_numbers)
        check_consistent_length(starts, y)
    elif needs_y:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    sample_weight = _check_sample_weight(
        sample_weight, starts, dtype=np.float64, ensure_non_negative=True
    )
    return sequences, y, sample_weight


def _validate_targets(y, name, are_numbers):
    """Check y by itself, and make an array of it."""
    _check_targets(y)
    y = y.toarray() if issparse(y) else y
    y = check_array(
        y,
        ensure_2d=False,
        dtype="numeric" if are_numbers else None,
        ensure_all_finite=False,
        input_name="y",
    )
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    if y.dtype.kind in "fc":
        assert_all_finite(y, estimator_name=name, input_name="y")
    if y.dtype.kind == "O":
        for i, target in enumerate(y.flat):
            if is_missing(target):
                raise ValueError(_no_target(target, i // (y.size // len(y))))
    return y


def _check_targets(y):
    """Refuse lists that NumPy would make something else of."""
    if not isinstance(y, (list, tuple)):
        return
    has_strings = any(isinstance(target, str) for target in y)
    for i, target in enumerate(y):
        if has_strings and is_missing(target):  # NumPy: the string "nan"
            raise ValueError(_no_target(target, i))
        is_list = isinstance(target, (list, tuple)) and len(target) != 1
        is_list = is_list or isinstance(target, (set, frozenset))
        if is_list and any(isinstance(label, str) for label in target):
            raise ValueError(
                f"y[{i}] is {describe(target)} of strings: one class label for each "
                "sequence was expected, or a column of 0 and 1 for each label. Use "
                "sklearn.preprocessing.MultiLabelBinarizer for sequences of several."
            )


def _no_target(target, i):
    return (
        f"y contains {target} for X[{i}]: every sequence needs a target. Drop the "
        "sequence or fill in its target."
    )
