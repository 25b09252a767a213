"""Heads for learning chunk by chunk, all consistent with that of the first chunk."""

from types import SimpleNamespace

import numpy as np
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
)
from sklearn.utils.validation import column_or_1d

from skrnn._heads.classes import ClassHead
from skrnn._heads.labels import LabelsHead
from skrnn._heads.later import check_classes, check_columns, check_labels
from skrnn._heads.numbers import NumbersHead
from skrnn._heads.task import task_of
from skrnn._heads.validation import validate_classes

_FIRST = "the first call to partial_fit"
_CURE = "Pass all classes there."


def head_of_chunk(
    y, weight, classes, last, head=None, needs_classes=False, offsets=None
):
    """A head that is valid for all chunks, except for its bias.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
    weight : ndarray of shape (n_samples,)
    classes : array-like of shape (n_classes,) or None
        All labels that may occur; if sequences have several labels, their columns.
    last : Head or None
        The head of the last call; None if this is the first call.
    head : class, default=None
        The class of the head. None to choose it by y.
    needs_classes : bool, default=False
        Whether the first call requires `classes` if y holds class labels.
    offsets : ndarray of shape (n_samples + 1,), default=None
        Those of the sequences, if each step has a target.

    Returns
    -------
    head : Head or None
        None if the next step is to be predicted.

    Raises
    ------
    ValueError
        If `classes` is missing in the first call, or differs in a later one; if y holds
        a label that is not in `classes`, or has a different number of columns; if y
        cannot be standardised; or if y is passed after learning without y, or vice
        versa.
    """
    _check_same_task(y, classes, last)
    if y is None:
        return None
    if classes is not None:
        classes = validate_classes(classes)
    task = _task(y, classes, last) if head is None else head.task
    if task == "regression":
        head = NumbersHead.learn(y, weight) if last is None else last
        check_columns(y, head.n_outputs, f"on {_FIRST}")
        return head.for_chunks()
    known = SimpleNamespace(classes_=None if last is None else last.classes)
    if task == "multilabel":
        if classes is None:
            n_columns = y.reshape(len(y), -1).shape[1]
            classes = np.arange(n_columns) if last is None else last.classes
        _check_partial_fit_first_call(known, classes)
        head = LabelsHead(classes=known.classes_)
        check_labels(head, y, f"on {_FIRST}")
        return head
    if classes is None and last is None and not needs_classes:
        classes = np.unique(y)
    _check_partial_fit_first_call(known, classes)
    y = column_or_1d(y)
    check_classification_targets(y)
    head = (head or ClassHead)(classes=known.classes_)
    check_classes(head, y, _FIRST, _CURE, offsets)
    return head


def _task(y, classes, last):
    """What y is, as far as the first chunk does not say so."""
    if last is not None:
        return last.task
    return "classification" if y.ndim == 1 and classes is not None else task_of(y)


def _check_same_task(y, classes, last):
    """Raise if y is passed after learning without y, or vice versa."""
    if y is None and classes is not None:
        raise ValueError("classes were passed, but y is None. Pass y, or omit classes.")
    if last is None or (y is None) == (last.task == "next_step"):
        return
    was, now = ("no y", "one") if y is not None else ("y", "none")
    raise ValueError(
        f"partial_fit continues from the last call, which had {was}, but this one has "
        f"{now}. To learn from labels after learning without, use warm_start=True and "
        "fit."
    )
