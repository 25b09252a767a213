"""y and sample_weight as arrays, validated on their own and against X."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import (
    _check_sample_weight,
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
)

from skrnn._messages import describe, is_missing


def validate_targets(y, sample_weight, starts, name, *, are_numbers, is_required):
    """Validate y and the weights, on their own and against X.

    Parameters
    ----------
    y, sample_weight
        As the user passed them.
    starts : ndarray of shape (n_samples,)
        Represents X: one entry per sequence.
    name : str
        The class of the estimator, for messages.
    are_numbers : bool
        Whether y must hold numbers.
    is_required : bool
        Whether y must not be None.

    Returns
    -------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
    sample_weight : ndarray of shape (n_samples,), float64

    Raises
    ------
    TypeError, ValueError
        If y is missing or holds NaN; if y or `sample_weight` is masked; or if the
        numbers of sequences, targets and weights differ.
    """
    for masked, what in ((y, "y"), (sample_weight, "sample_weight")):
        if np.ma.is_masked(masked):
            raise TypeError(
                f"{what} is a masked array, whose mask would be lost: drop the "
                "sequences that are masked."
            )
    if y is not None:
        y = _validate_targets(y, name, are_numbers)
        check_consistent_length(starts, y)
    elif is_required:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    sample_weight = _check_sample_weight(
        sample_weight, starts, dtype=np.float64, ensure_non_negative=True
    )
    return y, sample_weight


def _validate_targets(y, name, are_numbers):
    """Validate y on its own, and convert it to an array."""
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
    """Raise for lists that NumPy would convert to something else."""
    if not isinstance(y, (list, tuple)):
        return
    has_strings = any(isinstance(target, str) for target in y)
    for i, target in enumerate(y):
        if has_strings and is_missing(target):  # NumPy makes it "nan"
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
