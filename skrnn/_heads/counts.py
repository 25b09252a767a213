"""What is counted of y in parts, to learn the head that predicts all of it."""

from dataclasses import dataclass, field, replace

import numpy as np
from sklearn.utils.validation import column_or_1d

from skrnn._heads.class_weight import class_factors
from skrnn._heads.labels import LabelsHead
from skrnn._heads.later import check_columns, check_labels
from skrnn._heads.numbers import NumbersHead
from skrnn._heads.task import learn_head, task_of

_EPS = float(np.finfo(np.float64).eps)
_OTHERS = "in the first chunk"


@dataclass(frozen=True, slots=True)
class TargetCounts:
    """What has been counted of some targets.

    Attributes
    ----------
    head : Head
        That of the first targets.
    is_chosen : bool
        Whether the class of the head was chosen by the first targets.
    labels : ndarray of shape (n_labels,)
        The distinct labels, sorted; one entry of no meaning unless y holds labels.
    weights : ndarray of shape (n_labels,), float64
        The sums of the weights of their targets.
    n_weighted : ndarray of shape (n_labels,), int64
        The numbers of their targets of weight above 0.
    moments : MeanAndDeviation or None
        Of numbers.
    """

    head: object
    is_chosen: bool
    labels: np.ndarray
    weights: np.ndarray
    n_weighted: np.ndarray
    moments: object = None

    @classmethod
    def of(cls, y, weight, head=None):
        """Count some targets.

        Parameters
        ----------
        y : ndarray of shape (n_targets,) or (n_targets, n_outputs), or None
        weight : ndarray of shape (n_targets,)
        head : class, default=None
            The class of the head. None to choose it by y.
        """
        decisive = weight if weight.any() else np.ones(len(weight))
        learned = learn_head(y, decisive, head)
        counts = cls(learned, head is None, *(np.empty(0),) * 3)
        return counts.of_others(y, weight)

    def of_others(self, y, weight):
        """The same of other targets, which must be like the first ones.

        Raises
        ------
        ValueError
            If they are not.
        """
        moments = None
        labels = np.zeros(1, np.int64)
        places = np.zeros(len(weight), int)
        if self.has_classes:
            self._check_labels(y)
            labels, places = np.unique(column_or_1d(y), return_inverse=True)
        elif isinstance(self.head, LabelsHead):
            check_labels(self.head, y, _OTHERS)
        elif isinstance(self.head, NumbersHead):
            check_columns(y, self.head.n_outputs, _OTHERS)
            moments = MeanAndDeviation.of(_numbers(y), weight)
        weights = np.bincount(places, weight, len(labels))
        n_weighted = np.bincount(places, weight > 0, len(labels)).astype(np.int64)
        return replace(
            self,
            labels=labels,
            weights=weights,
            n_weighted=n_weighted,
            moments=moments,
        )

    @property
    def has_classes(self):
        """Whether each target is one class label."""
        return hasattr(self.head, "classes") and not isinstance(self.head, LabelsHead)

    def merged(self, other):
        """The counts of these targets and of others, as if counted together."""
        both = np.concatenate([self.labels, other.labels])
        labels, places = np.unique(both, return_inverse=True)
        weights = np.concatenate([self.weights, other.weights])
        n_weighted = np.concatenate([self.n_weighted, other.n_weighted])
        n_weighted = np.bincount(places, n_weighted, len(labels)).astype(np.int64)
        weights = np.bincount(places, weights, len(labels))
        moments = self.moments and self.moments.merged(other.moments)
        return replace(
            self,
            labels=labels,
            weights=weights,
            n_weighted=n_weighted,
            moments=moments,
        )

    def learned_head(self):
        """The head of all targets that were counted; None without y."""
        if self.moments is not None:
            mean, scale = self.moments.mean_and_scale()
            return replace(self.head, mean=mean, scale=scale)
        if self.has_classes:
            return replace(self.head, classes=self.labels)
        return self.head

    def factors(self, class_weight=None):
        """By what the weight of each target is to be multiplied, by its label.

        Then the weights have a mean of 1, without those that are 0.

        Parameters
        ----------
        class_weight : dict of class -> weight, "balanced" or None

        Returns
        -------
        factors : ndarray of shape (n_labels,)
        n_weighted : int
            The number of targets of weight above 0.
        """
        factors = np.ones(len(self.labels))
        if class_weight is not None:
            factors = class_factors(class_weight, self.labels, self.weights)
        n_weighted, total = self.n_weighted[factors > 0].sum(), self.weights @ factors
        check_not_all_0(total)
        if not np.isfinite(total):
            raise ValueError(
                "The sum of the weights of all sequences is too large for float64. "
                "Divide them by the largest one."
            )
        return factors * (n_weighted / total), int(n_weighted)

    def n_used(self, labels, factors):
        """The number of targets of a weight above 0, times the factor of its label."""
        places = np.searchsorted(labels, self.labels)
        return int(self.n_weighted[factors[places] > 0].sum())

    def _check_labels(self, y):
        are_strings = [of.dtype.kind in "UTO" for of in (y, self.head.classes)]
        if are_strings[0] != are_strings[1]:
            raise ValueError(
                f"y is of dtype {y.dtype}, but {_OTHERS} it was of dtype "
                f"{self.head.classes.dtype}: the labels of all chunks must be strings, "
                "or all numbers. Convert them."
            )
        task = task_of(y) if self.is_chosen and len(y) else self.head.task
        if task != self.head.task:
            raise ValueError(
                f"y holds targets of {task}, but {_OTHERS} those of {self.head.task}. "
                "Use RNNClassifier or RNNRegressor, and its encoder_."
            )


def _numbers(y):
    """The numbers of y, which holds some if it is like the first one, as a table."""
    try:
        return y.reshape(len(y), -1).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y is of dtype {y.dtype}, but {_OTHERS} it held numbers: the targets of "
            "all chunks must be numbers, or all labels. Convert them."
        ) from error


def check_not_all_0(weights):
    """Raise if the weights of all chunks, or their sum, are 0."""
    if not np.any(weights):
        raise ValueError(
            "The weights of all sequences are 0: at least one above 0 was expected."
        )


@dataclass(frozen=True, slots=True)
class MeanAndDeviation:
    """The weighted mean and standard deviation of numbers.

    Numbers are scaled before they are squared, to avoid overflow and underflow.

    Attributes
    ----------
    weight : float
        The sum of the weights.
    mean, deviation, lowest, highest : ndarrays of shape (n_columns,)
    """

    weight: float
    mean: np.ndarray
    deviation: np.ndarray
    lowest: np.ndarray = field(repr=False)
    highest: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, numbers, weight):
        """Those of numbers of shape (n_rows, n_columns); some with a weight above 0."""
        numbers, weight = numbers[weight > 0], weight[weight > 0]
        if not len(numbers):
            none = np.zeros(numbers.shape[1])
            return cls(0.0, none, none, none + np.inf, none - np.inf)
        limits = numbers.min(axis=0), numbers.max(axis=0)
        _, exponent = np.frexp(np.abs(limits).max(axis=0))
        size = np.ldexp(1.0, exponent - 1)  # a power of 2, so that nothing is rounded
        numbers = numbers / size
        mean = np.average(numbers, axis=0, weights=weight)
        variance = np.average(np.square(numbers - mean), axis=0, weights=weight)
        moments = mean * size, np.sqrt(variance) * size
        return cls(float(weight.sum()), *moments, *limits)

    def merged(self, other):
        """Those of these numbers and of others [1]_.

        References
        ----------
        .. [1] Chan, Golub and LeVeque (1983), "Algorithms for Computing the Sample
           Variance: Analysis and Recommendations", The American Statistician 37(3).
        """
        weight = self.weight + other.weight
        share = other.weight / weight if weight > 0 else 0.0
        roots = np.sqrt([1 - share, share])
        within = np.hypot(roots[0] * self.deviation, roots[1] * other.deviation)
        apart = roots.prod() * other.mean - roots.prod() * self.mean
        mean = self.mean + (share * other.mean - share * self.mean)
        lowest = np.minimum(self.lowest, other.lowest)
        highest = np.maximum(self.highest, other.highest)
        return type(self)(weight, mean, np.hypot(within, apart), lowest, highest)

    def mean_and_scale(self):
        """The mean and the standard deviation of each column.

        The latter is 0 for a constant, and 1 for what varies by rounding errors alone.
        """
        is_noise = self.deviation <= 10 * _EPS * np.abs(self.mean)
        scale = np.where(is_noise, 1.0, self.deviation)
        return self.mean, np.where(self.lowest == self.highest, 0.0, scale)
