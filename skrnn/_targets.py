"""From y to what the network learns to predict."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from skrnn._core import losses
from skrnn._core.sequences import as_plain
from skrnn._core.series import mean_and_scale, standardise


@dataclass(frozen=True, slots=True)
class Targets:
    """What the network learns to predict.

    Attributes
    ----------
    values : ndarray of shape (n_samples,), int64, or (n_samples, n_outputs), float32
        Labels; or numbers. Arbitrary where the weight is 0.
    loss : {"cross_entropy", "binary_cross_entropy", "squared_error"}
    bias : ndarray of shape (n_outputs,), float32
        The scores that predict best without a look at X.
    """

    values: np.ndarray
    loss: str
    bias: np.ndarray


@dataclass(frozen=True, slots=True)
class Objective:
    """What is to be predicted of some sequences, and what a mistake costs.

    Attributes
    ----------
    target, weight : ndarrays of shape (n_samples, ...), or (n_rows, ...)
        What to predict of each sequence, or at each step. Weights are of mean 1.
    loss, bias
        As of :class:`Targets`.
    at_each_step : bool, default=False
    """

    target: np.ndarray
    weight: np.ndarray
    loss: str
    bias: np.ndarray
    at_each_step: bool = False

    @property
    def chance(self):
        """The mean loss of the best guess without a look at X."""
        if self.loss == "cross_entropy":  # of all tokens: not a score for each row
            log_p = torch.log_softmax(torch.from_numpy(self.bias).double(), 0).numpy()
            return float(-(log_p[self.target] * self.weight).mean())
        return mean_loss(self.guess, self.target, self.weight, self.loss)

    @property
    def guess(self):
        """Scores without a look at X, of shape (n_samples, n_outputs)."""
        return np.tile(self.bias, (len(self.target), 1))


def task_of(y):
    """Tell labels and numbers apart.

    Returns
    -------
    task : {"classification", "multilabel", "regression"}

    Raises
    ------
    ValueError
        If y is none of them, for example several columns of strings.
    """
    with np.errstate(invalid="ignore"):  # it casts even huge numbers to integers
        kind = type_of_target(y, input_name="y")
    if kind in ("binary", "multiclass"):
        return "classification"
    if kind == "multilabel-indicator" and np.isin(y, (0, 1)).all():
        return "multilabel"
    # Columns of whole numbers are counts or the like.
    are_counts = kind.startswith("multi") and y.dtype.kind in "iuf"
    if kind.startswith("continuous") or are_counts:
        return "regression"
    raise ValueError(
        f"Unknown label type: {kind}. y must hold one class label for each sequence, "
        "a column of 0 and 1 for each of several labels, or one or more real numbers. "
        "Pass one column of labels."
    )


def learn_targets(estimator, y, task, sample_weight):
    """Set ``classes_``, or ``target_mean_`` and ``target_scale_``.

    Parameters
    ----------
    estimator : estimator instance
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    task : {"classification", "multilabel", "regression"}
    sample_weight : ndarray of shape (n_samples,)

    Returns
    -------
    targets : Targets

    Raises
    ------
    ValueError
        If y does not suit the task.
    """
    if task == "classification":
        y = column_or_1d(y)
        check_classification_targets(y)
        estimator.classes_ = np.unique(y)
    elif task == "multilabel":
        estimator.classes_ = np.arange(y.shape[1])
    else:
        numbers = y.reshape(len(y), -1).astype(np.float64)
        used = sample_weight > 0
        mean, scale = mean_and_scale(numbers[used], sample_weight[used])
        estimator.target_mean_, estimator.target_scale_ = mean, scale
        targets = targets_of(estimator, y, task, sample_weight)
        is_constant = (numbers[used] == numbers[used][0]).all(axis=0)
        estimator.target_scale_ = np.where(is_constant, 0.0, scale)
        return targets
    return targets_of(estimator, y, task, sample_weight)


def targets_of(estimator, y, task, sample_weight):
    """Targets in terms of what :func:`learn_targets` has set; same parameters."""
    if task == "classification":
        return _classes(estimator.classes_, y, sample_weight)
    if task == "multilabel":
        return _labels(y, sample_weight)
    return _numbers(estimator.target_mean_, estimator.target_scale_, y, sample_weight)


def _classes(classes, y, sample_weight):
    labels = np.searchsorted(classes, y).astype(np.int64, copy=False)
    counts = np.bincount(labels, sample_weight / sample_weight.max(), len(classes))
    return Targets(labels, "cross_entropy", log_shares(counts))


def _labels(y, sample_weight):
    values = y.astype(np.float32)
    weight = (sample_weight / sample_weight.max())[:, np.newaxis]
    counts = np.stack(
        [(weight * (1 - values)).sum(axis=0), (weight * values).sum(axis=0)]
    )
    missing, present = log_shares(counts)
    return Targets(values, "binary_cross_entropy", present - missing)


def _numbers(mean, scale, y, sample_weight):
    numbers = y.reshape(len(y), -1).astype(np.float64)
    values = standardise(numbers, mean, scale)
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1) & (sample_weight > 0))
    if len(bad):
        i = bad[0]
        raise ValueError(
            f"y[{i}] is {y[i]}, which is too far from the mean, {mean}, to be divided "
            f"by the standard deviation, {scale}. Check the unit."
        )
    return Targets(values, "squared_error", np.zeros(len(mean), dtype=np.float32))


def log_shares(counts):
    """Logarithms of how often each class is to be expected, of which none is never."""
    counts = counts + 1.0
    return np.log((counts / counts.sum(axis=0)).astype(np.float32))


def weigh_classes(class_weight, y, sample_weight, classes=None):
    """The weights of the sequences, times those of their classes.

    Parameters
    ----------
    class_weight : dict of class -> weight, "balanced" or None
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,), default=None
        Sorted. None for those of y.

    Returns
    -------
    sample_weight : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If y holds several labels, or a weight is not a number of at least 0.
    """
    if class_weight is None:
        return sample_weight
    if y.ndim > 1:
        raise ValueError(
            f"class_weight is {class_weight!r}, but y has {y.shape[1]} labels for each "
            "sequence. Use class_weight=None, and sample_weight for single sequences."
        )
    classes = np.unique(y) if classes is None else classes
    labels = np.searchsorted(classes, y)
    sample_weight = sample_weight / sample_weight.max()  # a product could overflow
    if class_weight == "balanced":
        totals = np.bincount(labels, sample_weight)
        # A class of which nothing is used has no weight.
        factors = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    else:
        factors = compute_class_weight(class_weight, classes=classes, y=y)
    for label, factor in zip(classes, factors, strict=True):
        if not (np.isfinite(factor) and factor >= 0):
            raise ValueError(
                f"class_weight has {factor} for {as_plain(label)!r}: a finite number "
                "of at least 0 was expected."
            )
    weighted = sample_weight * (factors / (factors.max() or 1.0))[labels]
    if not weighted.any():
        raise ValueError(
            "class_weight is 0 for all classes that have sequences: at least one above "
            "0 was expected."
        )
    return weighted


def mean_loss(scores, target, weight, loss):
    """The loss of raw scores, averaged over the sequences.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_outputs), float32
    target, weight : ndarrays of shape (n_samples, ...)
        See :class:`Targets`; weights of mean 1.
    loss : str

    Returns
    -------
    mean : float
    """
    arrays = torch.from_numpy(scores), torch.from_numpy(target)
    total, _ = losses.loss_and_gradient(
        loss, *arrays, torch.from_numpy(weight.astype(np.float32))
    )
    return total.item() / len(target)


def accuracy_or_r2(scores, target, weight, loss):
    """What scikit-learn's `score` is: accuracy of labels, R^2 of numbers.

    See :func:`mean_loss` for the parameters.
    """
    # Imported late, as it takes a twentieth of the time of importing skrnn.
    from sklearn.metrics import accuracy_score, r2_score

    if loss == "squared_error":
        return r2_score(target, scores, sample_weight=weight)
    if loss == "binary_cross_entropy":
        return accuracy_score(target > 0, scores > 0, sample_weight=weight)
    return accuracy_score(target, scores.argmax(axis=1), sample_weight=weight)
