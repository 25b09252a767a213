"""y and sample_weight with an entry for each step, as flat arrays."""

from itertools import chain
from numbers import Integral, Real

import numpy as np

from skrnn._core.sequences import locate
from skrnn._heads.opening import open_targets
from skrnn._heads.validation import (
    check_not_masked,
    checked_weight,
    open_weight,
    weight_of,
)
from skrnn._messages import as_plain, counted, describe, is_missing

_LABELS = "a label for each step, a string or an integer"
_CUT = "Check how X is cut into steps (analyzer, token_pattern)."
_CURES = {
    "y": "Pass a list of lists; for one label per sequence, use RNNClassifier.",
    "sample_weight": "Pass a list of lists.",
}


def validate_tags(y, sample_weight, offsets, name, kind, may_be_0=False):
    """Validate the labels of all steps and their weights, against X.

    Parameters
    ----------
    y : array-like of sequences of labels
        As the user passed it: for each sequence a list, an array, or a string, whose
        characters are the labels.
    sample_weight : array-like of shape (n_samples,) or of sequences of numbers, or None
        The weight of each sequence, or of each step.
    offsets : ndarray of shape (n_samples + 1,)
        Those of X.
    name : str
        The class of the estimator, for messages.
    kind : str
        The kind of the sequences in X, for messages.
    may_be_0 : bool, default=False
        Whether all weights may be 0.

    Returns
    -------
    y : ndarray of shape (n_rows,)
        The labels of all steps, end to end.
    sample_weight : ndarray of shape (n_rows,), float64

    Raises
    ------
    TypeError, ValueError
        If y is missing, or is no sequence of sequences of labels; if labels are
        missing, or of several types; if lengths differ from those of X; or if there are
        no steps.
    """
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    hint = "" if kind in ("features", "series") else f" {_CUT}"
    rows = _end_to_end(y, "y", np.diff(offsets), "X", hint)
    if not rows:
        raise ValueError(
            "X has no steps: all its sequences are empty, so there is nothing to tag. "
            "At least one with steps is needed."
        )
    labels = _labels(rows, offsets)
    return labels, weight_of_steps(sample_weight, np.diff(offsets), "X", may_be_0)


def parts_of(given, what):
    """The entries of each sequence, from a container with an item for each.

    Parameters
    ----------
    given : array-like of sequences
        Lists, tuples, arrays, or strings, whose characters are the entries.
    what : {"y", "y_true", "y_pred", "sample_weight"}

    Returns
    -------
    parts : list of lists, tuples and strings

    Raises
    ------
    TypeError, ValueError
        If there is no sequence of entries at each place.
    """
    if isinstance(given, str):
        raise TypeError(
            f"{what} is a string: a list with the labels of each sequence was "
            f"expected. Use [{what}] to pass those of one sequence."
        )
    check_not_masked(given, what)
    opened, _ = open_targets(given, what)
    if not isinstance(opened, (list, tuple)):
        opened = np.asarray(opened)
    parts = []
    for i, part in enumerate(opened):
        is_array = isinstance(part, np.ndarray) and part.ndim == 1
        if not is_array and not isinstance(part, (list, tuple, str)):
            cure = _CURES.get(what, f"If {what} is one sequence, pass [{what}].")
            raise TypeError(
                f"{what}[{i}] is {describe(part)}: a list of one {_noun(what)} for "
                f"each step was expected. {cure}"
            )
        parts.append(part.tolist() if is_array else part)
    return parts


def weight_of_steps(weight, lengths, of, may_be_0=False):
    """The weight of each step, from weights of sequences or of steps.

    Parameters
    ----------
    weight : array-like of shape (n_samples,) or of sequences of numbers, or None
        As the user passed it.
    lengths : ndarray of shape (n_samples,)
        Number of steps of each sequence.
    of : str
        What has these lengths, for messages.
    may_be_0 : bool, default=False
        Whether all weights may be 0.

    Returns
    -------
    weight : ndarray of shape (n_rows,), float64

    Raises
    ------
    TypeError, ValueError
        If lengths differ; if a weight is negative, or not finite; or if all are 0.
    """
    if _is_nested(weight):
        rows = _end_to_end(weight, "sample_weight", lengths, of)
        checked = checked_weight(open_weight(rows), np.empty(len(rows)), may_be_0)
    else:
        checked = weight_of(weight, lengths, may_be_0)
        checked = np.repeat(checked, lengths)
    if (
        not may_be_0 and not checked.any()
    ):  # those above 0 are of sequences without steps
        raise ValueError(
            "The weights of all steps are 0: at least one above 0 was expected. "
            "Check sample_weight."
        )
    return checked


def _end_to_end(given, what, lengths, of, hint=""):
    """The entries of all steps, in a list, from a container with one of each sequence.

    Raises
    ------
    TypeError, ValueError
        If lengths differ from those that are expected.
    """
    parts = parts_of(given, what)
    if len(parts) != len(lengths):
        raise ValueError(
            f"{what} is of length {len(parts)}, but {of} is of length "
            f"{len(lengths)}: an entry for each sequence was expected. Drop those "
            f"of which {what} or {of} is missing."
        )
    for i, (part, n_steps) in enumerate(zip(parts, lengths, strict=True)):
        if len(part) != n_steps:
            noun = _noun(what)
            found = counted(len(part), noun)
            if isinstance(part, str):
                found = f"{counted(len(part), 'character')}, each of which is a {noun}"
                hint = " If it is one label of a whole sequence, use RNNClassifier."
            raise ValueError(
                f"{what}[{i}] has {found}, but {of}[{i}] has "
                f"{counted(n_steps, 'step')}: one {noun} for each step was "
                f"expected.{hint}"
            )
    return list(chain.from_iterable(parts))


def _noun(what):
    return "weight" if what == "sample_weight" else "label"


def _labels(labels, offsets):
    """Labels in a list as an array of strings, integers or booleans.

    Raises
    ------
    TypeError, ValueError
        If they are anything else, or of several types.
    """
    types = {*map(type, labels)}
    if all(issubclass(each, str) for each in types):
        return np.array(labels, dtype=np.str_)
    if types <= {bool, np.bool_}:
        return np.array(labels, dtype=bool)
    are_integers = [issubclass(each, Integral) for each in types - {bool, np.bool_}]
    if all(are_integers) and len(are_integers) == len(types):
        array = np.array(labels)
        if array.dtype.kind not in "iu":
            raise ValueError(
                f"y has integers from {min(labels)} to {max(labels)}: those of 64 bits "
                "were expected. Convert them to strings."
            )
        return array
    first = type(as_plain(labels[0]))
    for row, label in enumerate(map(as_plain, labels)):
        i, step = locate(offsets, row)
        where = f"y[{i}][{step}] is"
        if is_missing(label):
            raise ValueError(
                f"{where} {label}: every step needs a label. If it is unknown, give "
                "the step any label and a weight of 0."
            )
        if isinstance(label, Real) and not isinstance(label, Integral):
            raise ValueError(
                f"{where} {label!r}: {_LABELS}, was expected. Use strings or "
                "integers; numbers cannot be predicted for each step."
            )
        if not isinstance(label, (str, Integral)):
            raise TypeError(
                f"{where} {describe(label)}: {_LABELS}, was expected. Convert it."
            )
        if isinstance(label, str) != issubclass(first, str) or (
            isinstance(label, bool) != issubclass(first, bool)
        ):
            break
    raise TypeError(
        f"{where} {label!r}, but y has {as_plain(labels[0])!r} as well: "
        "labels of one type were expected. Convert them all to strings."
    )


def _is_nested(weight):
    """Whether there is a weight for each step."""
    if isinstance(weight, np.ndarray) and weight.dtype != object:
        return weight.ndim == 2
    if weight is None or isinstance(weight, Real) or not hasattr(weight, "__len__"):
        return False
    opened, _ = open_targets(weight, "sample_weight")
    is_list = isinstance(opened, (list, tuple)) and len(opened) > 0
    if is_list:
        return isinstance(opened[0], (list, tuple, np.ndarray))
    return np.ndim(opened) == 2
