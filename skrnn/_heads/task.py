"""What y is, and which head predicts it."""

import numpy as np
from sklearn.utils.multiclass import type_of_target

from skrnn._core.public import OF_TRANSITIONS
from skrnn._heads.chain import ChainHead
from skrnn._heads.classes import ClassHead
from skrnn._heads.labels import LabelsHead
from skrnn._heads.next_step import NextStepHead
from skrnn._heads.numbers import NumbersHead
from skrnn._heads.tags import TagsHead

_HEADS = ClassHead, LabelsHead, NumbersHead, TagsHead, NextStepHead
HEADS = {head.task: head for head in _HEADS}
# The attributes of an estimator from which its head is rebuilt.
ATTRIBUTES = ("task_", "classes_", "target_mean_", "target_scale_")
ATTRIBUTES += ("_is_multilabel", "_is_one_output")


def task_of(y):
    """Determine whether y holds class labels, multiple labels or numbers.

    Returns
    -------
    task : {"classification", "multilabel", "regression"}

    Raises
    ------
    ValueError
        If y is none of these, for example several columns of strings.
    """
    with np.errstate(invalid="ignore"):  # it casts even very large numbers to integers
        kind = type_of_target(y, input_name="y")
    if kind in ("binary", "multiclass"):
        return "classification"
    if kind == "multilabel-indicator" and np.isin(y, (0, 1)).all():
        return "multilabel"
    # Columns of whole numbers are counts or similar quantities.
    are_counts = kind.startswith("multi") and y.dtype.kind in "iuf"
    if kind.startswith("continuous") or are_counts:
        return "regression"
    raise ValueError(
        f"Unknown label type: {kind}. y must hold one class label for each sequence, "
        "a column of 0 and 1 for each of several labels, or one or more real numbers. "
        "Pass one column of labels."
    )


def learn_head(y, weight, head=None):
    """The head that predicts y.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
    weight : ndarray of shape (n_samples,)
    head : class, default=None
        The class of the head. None to choose it by y.

    Returns
    -------
    head : Head or None
        None if the next step is to be predicted.

    Raises
    ------
    ValueError
        If no head can predict y, or if y cannot be standardised.
    """
    if y is None:
        return None
    return (head or HEADS[task_of(y)]).learn(y, weight)


def head_of(attributes):
    """The head of a fitted estimator, from its attributes."""
    task = attributes.get("task_")
    if task == "next_step":
        return NextStepHead(
            is_series=attributes["kind_"] == "series", _n_outputs=len(attributes["V_"])
        )
    if "target_mean_" in attributes:
        mean, scale = attributes["target_mean_"], attributes["target_scale_"]
        is_one = attributes.get("_is_one_output", False)
        return NumbersHead(mean=mean, scale=scale, is_one=is_one)
    if task == "tagging":
        head = ChainHead if OF_TRANSITIONS[0] in attributes else TagsHead
        return head(classes=attributes["classes_"])
    is_multilabel = task == "multilabel" or attributes.get("_is_multilabel", False)
    head = LabelsHead if is_multilabel else ClassHead
    return head(classes=attributes["classes_"])
