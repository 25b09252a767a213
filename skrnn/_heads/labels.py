"""Any number of labels for each sequence."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from skrnn._core.beam import mean_log_p
from skrnn._core.execution import arithmetic
from skrnn._core.imports import import_lock
from skrnn._heads.classes import labels_in_common
from skrnn._heads.head import Head, log_shares


@dataclass(frozen=True)
class LabelsHead(Head):
    """Any number of labels per sequence: the logistic function of each score.

    Attributes
    ----------
    classes : ndarray of shape (n_labels,)
        The labels: the indices of their columns in y, or names given by the user.
    """

    classes: np.ndarray = None

    task = "multilabel"
    loss = "binary_cross_entropy"

    @classmethod
    def learn(cls, y, weight):
        """A head for the columns of y.

        Parameters
        ----------
        y : ndarray of shape (n_samples, n_labels)
            0 and 1.
        weight : ndarray of shape (n_samples,)
        """
        return cls(classes=np.arange(y.shape[1]))

    def fitted_to(self, y, weight):
        """This head with a bias from the data of a fit."""
        values = self.targets(y)
        weight = (weight / weight.max())[:, np.newaxis]
        counts = np.stack(
            [(weight * (1 - values)).sum(axis=0), (weight * values).sum(axis=0)]
        )
        missing, present = log_shares(counts)
        return replace(self, bias=present - missing)

    @property
    def n_outputs(self):
        """Number of scores."""
        return len(self.classes)

    def targets(self, y, weight=None):
        """0 and 1, float32."""
        return y.astype(np.float32)

    def decode(self, scores):
        """1 for each label whose probability is above one half, 0 for the others."""
        return (scores > 0).astype(np.int64)

    def probabilities(self, scores):
        """The logistic function of scores, float64."""
        with arithmetic() as execution:
            scores = execution.tensor(scores).double()
            return execution.array(torch.sigmoid(scores))

    def log_probabilities(self, scores):
        """The logarithm of the logistic function of scores, float64."""
        with arithmetic() as execution:
            scores = execution.tensor(scores).double()
            return execution.array(torch.nn.functional.logsigmoid(scores))

    def together(self, heads, scores, offsets=None):
        """This head, and the log odds of mean probabilities."""
        present, missing = (
            mean_log_p([self.log_probabilities(sign * each) for each in scores])
            for sign in (1, -1)
        )
        return self, present - missing

    def decision(self, scores):
        """The log odds of each label: the scores."""
        return scores

    def score(self, scores, target, weight):
        """The fraction of sequences with all labels correct."""
        with import_lock:
            from sklearn.metrics import accuracy_score

        return accuracy_score(target > 0, scores > 0, sample_weight=weight)

    def strata(self, target):
        """Labels to stratify held-out data by, and its minimum number of sequences."""
        return np.zeros(len(target)), 1

    def rows_in_common(self, last):
        """Outputs that have the same meaning in this head and in the last one."""
        return labels_in_common(self.classes, last.classes)

    def attributes(self):
        """The attributes that an estimator keeps of the head."""
        return {"classes_": self.classes}
