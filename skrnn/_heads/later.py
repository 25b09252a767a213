"""y that a head has not learned from, checked against the head."""

import numpy as np
from sklearn.utils.validation import column_or_1d

from skrnn._core.sequences import locate
from skrnn._messages import as_plain

_ARE_NUMBERS = (
    " If they are numbers to predict, use RNNRegressor, and its encoder_: RNNEncoder "
    "takes whole numbers for labels."
)


def later_targets(head, y, weight, offsets=None):
    """The targets in a y of other sequences than those that a head has learned from.

    Parameters
    ----------
    head : Head
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    weight : ndarray of shape (n_samples,)
    offsets : ndarray of shape (n_samples + 1,), default=None
        Those of the sequences, if each step has a target.

    Returns
    -------
    target : ndarray of shape (n_samples, ...)

    Raises
    ------
    ValueError
        If y holds a label or token that the head does not know, of a weight above 0, or
        has a different number of columns; or if a number is too far from the mean.
    """
    if head.task == "regression":
        check_columns(y, head.n_outputs, "for training")
    elif head.task == "multilabel":
        check_labels(head, y, "for training")
    elif head.task != "transduction":
        y = column_or_1d(y)
        cure = "Drop these sequences, or train on some of that class."
        check_classes(head, y, "the training data", cure, offsets, weight > 0)
    target = head.targets(y, weight)
    if head.task == "transduction":
        head.check_can_write(target, weight, np.diff(offsets))
    return target


def check_labels(head, y, when):
    """Raise if y is not a column of 0 and 1 for each label of a LabelsHead."""
    check_columns(y, head.n_outputs, when)
    bad = ~np.isin(y, (0, 1))
    if bad.any():
        i = int(bad.any(axis=1).argmax())
        raise ValueError(
            f"y[{i}] is {y[i]}: a 0 or 1 for each of {head.n_outputs} labels was "
            f"expected, as {when}."
        )


def check_classes(head, y, whose, cure, offsets=None, counts=True):
    """Raise if y holds a label that a ClassHead, or a TagsHead, does not know.

    `counts` tells of each label whether it matters.
    """
    # NumPy would compare numbers with strings as strings.
    if _may_be_equal(y, head.classes):
        unknown = ~np.isin(y, head.classes)
    else:
        unknown = np.ones(len(y), dtype=bool)
    unknown &= counts
    if unknown.any():
        i = int(unknown.argmax())
        where = f"y[{i}]"
        if head.per_step and offsets is not None:
            where = "y[{}][{}]".format(*locate(offsets, i))
        raise ValueError(
            f"{where} is {as_plain(y[i])!r}, which is not one of the classes of "
            f"{whose}. {cure}" + (_ARE_NUMBERS if y.dtype.kind == "f" else "")
        )


def _may_be_equal(y, classes):
    """Whether not all of one are strings, and all of the other numbers."""
    are_strings = [labels.dtype.kind in "UT" for labels in (y, classes)]
    are_objects = "O" in (y.dtype.kind, classes.dtype.kind)
    return are_objects or are_strings[0] == are_strings[1]


def check_type_of_tags(y, classes):
    """Raise if true tags are strings, and those of the fit numbers, or vice versa."""
    if _may_be_equal(y, classes):
        return
    raise TypeError(
        f"y holds {_kind_of(y)}, such as {as_plain(y[0])!r:.40}, but in fit it held "
        f"{_kind_of(classes)}, such as {as_plain(classes[0])!r:.40}: all predictions "
        "would be wrong. Pass tags of the same type."
    )


def _kind_of(labels):
    return "strings" if labels.dtype.kind in "UT" else "numbers"


def check_columns(y, n_columns, when):
    """Raise if y does not have this number of columns."""
    if y.reshape(len(y), -1).shape[1] != n_columns:
        columns = "1 column was" if n_columns == 1 else f"{n_columns} columns were"
        raise ValueError(f"y is of shape {y.shape}: {columns} expected, as {when}.")
