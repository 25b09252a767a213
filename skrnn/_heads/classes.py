"""Class labels: one for each sequence, and what is the same for tags."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from skrnn._core.beam import mean_log_p
from skrnn._core.execution import arithmetic
from skrnn._core.imports import import_lock
from skrnn._heads.head import Head, log_loss_of_guess, log_shares


@dataclass(frozen=True)
class SoftmaxHead(Head):
    """Class labels, by a softmax of scores, whatever each of them is a label of.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    """

    classes: np.ndarray = None

    loss = "cross_entropy"

    @classmethod
    def learn(cls, y, weight):
        """A head for the classes in y.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
        weight : ndarray of shape (n_samples,)
        """
        y = column_or_1d(y)
        check_classification_targets(y)
        return cls(classes=np.unique(y))

    def fitted_to(self, y, weight):
        """This head with a bias from the data of a fit."""
        counts = np.bincount(self.targets(y), weight / weight.max(), len(self.classes))
        return replace(self, bias=log_shares(counts))

    @property
    def n_outputs(self):
        """Number of scores."""
        return len(self.classes)

    def targets(self, y, weight=None):
        """The indices of the labels in `classes`, int64; arbitrary if unknown."""
        y = column_or_1d(y)
        places = np.searchsorted(self.classes, y).astype(np.int64, copy=False)
        return np.minimum(places, len(self.classes) - 1)

    def chance(self, target, weight):
        """The mean loss of the best guess that ignores X."""
        return log_loss_of_guess(self.bias, target, weight)

    def rows_in_common(self, last):
        """Outputs that have the same meaning in this head and in the last one."""
        return labels_in_common(self.classes, last.classes)

    def attributes(self):
        """The attributes that an estimator keeps of the head."""
        return {"classes_": self.classes}


@dataclass(frozen=True)
class ClassHead(SoftmaxHead):
    """One class label for each sequence."""

    task = "classification"

    def decode(self, scores):
        """The class with the highest score, for each sequence.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_classes)
        """
        return self.classes[scores.argmax(axis=1)]

    def probabilities(self, scores):
        """The softmax of scores, float64."""
        return softmax(scores)

    def log_probabilities(self, scores):
        """The logarithm of the softmax of scores, float64."""
        with arithmetic() as execution:
            scores = execution.tensor(scores).double()
            return execution.array(torch.log_softmax(scores, dim=1))

    def together(self, heads, scores, offsets=None):
        """This head, and logarithms of mean probabilities."""
        log_p = [
            head.log_probabilities(own) for head, own in zip(heads, scores, strict=True)
        ]
        return self, mean_log_p(log_p)

    def decision(self, scores):
        """The scores; for two classes, the log odds of the second one."""
        if len(self.classes) == 2:
            return scores[:, 1] - scores[:, 0]
        return scores

    def score(self, scores, target, weight):
        """Accuracy."""
        # Imported lazily: it would add a twentieth to the import time of skrnn.
        with import_lock:
            from sklearn.metrics import accuracy_score

        return accuracy_score(target, scores.argmax(axis=1), sample_weight=weight)

    def strata(self, target):
        """Labels to stratify held-out data by, and its minimum number of sequences."""
        _, counts = np.unique(target, return_counts=True)
        return target, int((counts > 1).sum())


def softmax(scores):
    """The softmax of scores, in float64, so that means of rows also sum to 1."""
    with arithmetic() as execution:
        scores = execution.tensor(scores).double()
        return execution.array(torch.softmax(scores, dim=1))


def labels_in_common(classes, last_classes):
    """The indices, in each of two arrays, of the labels that are in both."""
    place_of = {label: row for row, label in enumerate(last_classes.tolist())}
    labels = classes.tolist()
    rows = [row for row, label in enumerate(labels) if label in place_of]
    return rows, [place_of[labels[row]] for row in rows]
