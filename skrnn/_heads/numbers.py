"""One or more numbers for each sequence."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.execution import CPU
from skrnn._core.imports import import_lock
from skrnn._core.series import mean_and_scale, standardise
from skrnn._heads.head import Head


@dataclass(frozen=True)
class NumbersHead(Head):
    """One or more numbers per sequence: the scores, converted to the units of y.

    Attributes
    ----------
    mean, scale : ndarrays of shape (n_outputs,)
        Mean and standard deviation of y; the scale of a constant output is 0.
    is_one : bool
        Whether y is one-dimensional.
    """

    mean: np.ndarray = None
    scale: np.ndarray = None
    is_one: bool = False

    task = "regression"
    loss = "squared_error"

    @classmethod
    def learn(cls, y, weight):
        """A head for the numbers in y.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        weight : ndarray of shape (n_samples,)
        """
        numbers = y.reshape(len(y), -1).astype(np.float64)[weight > 0]
        mean, scale = mean_and_scale(numbers, weight[weight > 0])
        cls(mean=mean, scale=scale).targets(y, weight)  # may raise
        is_constant = (numbers == numbers[0]).all(axis=0)
        scale = np.where(is_constant, 0.0, scale)
        return cls(mean=mean, scale=scale, is_one=y.ndim == 1)

    def fitted_to(self, y, weight):
        """This head with the bias for the data of a fit, which is 0."""
        return replace(self, bias=np.zeros(len(self.mean), dtype=np.float32))

    def for_chunks(self):
        """This head for chunks: what is constant in the first one may vary later."""
        return replace(self, scale=self._divisor)

    @property
    def n_outputs(self):
        """Number of scores."""
        return len(self.mean)

    @property
    def _divisor(self):
        return np.where(self.scale == 0, 1.0, self.scale)

    def targets(self, y, weight):
        """Standardised numbers, float32; arbitrary where the weight is 0.

        Raises
        ------
        ValueError
            If a number is too far from the mean.
        """
        numbers = y.reshape(len(y), -1).astype(np.float64)
        values = standardise(numbers, self.mean, self._divisor)
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1) & (weight > 0))
        if len(bad):
            i = bad[0]
            raise ValueError(
                f"y[{i}] is {y[i]}, which is too far from the mean, {self.mean}, to be "
                f"divided by the standard deviation, {self._divisor}. Check the unit."
            )
        return values

    def decode(self, scores):
        """Numbers in the units of y, float64, with as many dimensions as y."""
        y = scores.astype(np.float64) * self.scale + self.mean
        return y[:, 0] if self.is_one else y

    def together(self, heads, scores, offsets=None):
        """This head, and mean scores; all networks have learned from the same y."""
        return self, np.mean(scores, axis=0, dtype=np.float64)

    def score(self, scores, target, weight):
        """The coefficient of determination, R^2."""
        with import_lock:
            from sklearn.metrics import r2_score

        return r2_score(target, scores, sample_weight=weight)

    def strata(self, target):
        """Labels to stratify held-out data by, and its minimum number of sequences."""
        return np.zeros(len(target)), 2  # R^2 is undefined for a single sequence

    def rescaled(self, V, c, last):
        """Output weights of the last head in the units of this one, or None."""
        if last.n_outputs != self.n_outputs:
            return None
        scale = self.scale
        # For a constant output, there is nothing to predict except the mean.
        factor = np.divide(last.scale, scale, np.zeros_like(scale), where=scale > 0)
        shift = last.mean - self.mean
        shift = np.divide(shift, scale, np.zeros_like(scale), where=scale > 0)
        factor, shift = (CPU.tensor(a.astype(np.float32)) for a in (factor, shift))
        return V * factor.unsqueeze(1), c * factor + shift

    def attributes(self):
        """The attributes that an estimator keeps of the head."""
        return {"target_mean_": self.mean, "target_scale_": self.scale}
