"""The base class of heads: scores, losses and guesses."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from skrnn._core import losses
from skrnn._core.execution import arithmetic


@dataclass(frozen=True)
class Head:
    """The relation between y and the scores of a network.

    Attributes
    ----------
    bias : ndarray of shape (n_outputs,), float32, or None
        The scores of the best guess that ignores X, for the data of this fit. None
        after the fit.
    task : str
        What is predicted; the public ``task_`` of encoders.
    loss : str
        A module of :mod:`skrnn._core.losses`, or "ctc".
    per_step : bool
        Whether there is a prediction at each step.
    has_transitions : bool
        Whether predictions at consecutive steps depend on each other.
    """

    bias: np.ndarray | None = None

    task = None
    loss = None
    per_step = False
    has_transitions = False

    @property
    def n_outputs(self):
        """Number of scores."""
        return len(self.bias)

    def samples_of(self, samples):
        """Samples with the targets to predict.

        Parameters
        ----------
        samples : Samples
            With Steps, and with the targets that :meth:`targets` returned.
        """
        return self.unscaled_samples_of(samples)

    def unscaled_samples_of(self, samples):
        """The same with weights as they are, for some of the samples of a fit."""
        return samples

    def begun(self, steps):
        """Steps as the network reads them, if it first reads where sequences start.

        Parameters
        ----------
        steps : Steps
        """
        return steps

    def with_trained(self, arrays):
        """This head with the trained weights that it needs to predict.

        Parameters
        ----------
        arrays : dict
            All weights by public name.
        """
        return self

    def check_outputs(self, n_rows, reader):
        """Raise unless the head has an entry for each row of V in all it knows.

        Parameters
        ----------
        n_rows : int
        reader : TokenReader or SeriesReader
            The reader of the network.

        Raises
        ------
        ValueError
            If a user has edited attributes, or their file was damaged.
        """
        for name, each in self.attributes().items():
            if np.shape(each) != (n_rows,):
                raise ValueError(
                    f"{name} has the shape {np.shape(each)}, but V_ has {n_rows} rows: "
                    f"the shape {(n_rows,)} was expected. Undo the changes to {name} "
                    "or V_ since the fit, or fit again."
                )

    def evaluate(self, model, samples):
        """The mean loss and the score of a network; infinite if scores are not finite.

        Parameters
        ----------
        model : Model
            The network, whose head this is.
        samples : Samples
            With Steps, and with the targets to predict.

        Returns
        -------
        loss, score : float
            The score is that of scikit-learn's `score`.
        """
        scores = self._scores_of(model, samples.steps)
        if not np.isfinite(scores).all():
            return math.inf, -math.inf
        loss = self.mean_loss(scores, *self._expected(samples))
        return loss, self.score(scores, *self._expected(samples))

    def score_of_a_guess(self, samples):
        """The score of a guess that ignores X."""
        return self.score(self.guess(samples.target), *self._expected(samples))

    def _scores_of(self, model, steps):
        """The scores of all targets."""
        return model.scores(model.states(steps), steps)

    def _expected(self, samples):
        """What scores are held against."""
        return samples.target, samples.weight

    def together(self, heads, scores, offsets=None):
        """A head, and the scores for it, by which several networks predict together.

        Its probabilities are the means of those of the networks, as are its numbers.

        Parameters
        ----------
        heads : list of Head
            Those of the networks, of which this is one.
        scores : list of ndarrays of shape (n_targets, n_outputs)
        offsets : ndarray of shape (n_samples + 1,), default=None
            Where each sequence begins, if there is a target at each step.

        Returns
        -------
        head : Head
        scores : ndarray of shape (n_targets, n_outputs), float64
        """
        raise NotImplementedError

    def guess(self, target):
        """Scores of a guess that ignores X, of shape (n_targets, n_outputs)."""
        return np.tile(self.bias, (len(target), 1))

    def chance(self, target, weight):
        """The mean loss of the best guess that ignores X.

        Parameters
        ----------
        target, weight : ndarrays of shape (n_targets, ...)
            Weights of mean 1.
        """
        return self.mean_loss(self.guess(target), target, weight)

    def mean_loss(self, scores, target, weight, offsets=None):
        """The loss of raw scores, averaged over the targets.

        Parameters
        ----------
        scores : ndarray of shape (n_targets, n_outputs), float32
        target, weight : ndarrays of shape (n_targets, ...)
            Weights of mean 1.
        offsets : ndarray of shape (n_samples + 1,), default=None
            Where each sequence begins, if there is a target at each step.

        Returns
        -------
        mean : float
        """
        weight = weight.astype(scores.dtype)
        total, _ = losses.loss_and_gradient(self.loss, scores, target, weight)
        return total / len(target)

    def rows_in_common(self, last):
        """Outputs that have the same meaning in this head and in the last one.

        Parameters
        ----------
        last : Head
            A head of the same class.

        Returns
        -------
        rows, last_rows : lists of int
        """
        rows = list(range(min(self.n_outputs, last.n_outputs)))
        return rows, rows

    def rescaled(self, V, c, last):
        """Output weights of the last head in the units of this one, or None.

        Parameters
        ----------
        V, c : Tensors of shapes (n_outputs, n_features_out) and (n_outputs,)
        last : Head
            A head of the same class.
        """
        return V, c


def log_shares(counts):
    """Logarithms of the expected shares of the classes, smoothed so that none is 0."""
    counts = counts + 1.0
    return np.log((counts / counts.sum(axis=0)).astype(np.float32))


def log_loss_of_guess(bias, labels, weight):
    """The mean loss of guessing labels by their shares, without a score per row."""
    with arithmetic() as execution:
        log_p = torch.log_softmax(execution.tensor(bias).double(), 0)
        log_p = execution.array(log_p)
    return float(-(log_p[labels] * weight).mean())
