"""What makes tables of ragged series, for linear models and forests."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class PadSeries(TransformerMixin, BaseEstimator):
    """Series of one length: cut after the longest one of fit, or padded.

    Parameters
    ----------
    flat : bool, default=True
        Rows of numbers, padded by NaN, which forests read. Otherwise an array of shape
        (n_samples, n_features, n_steps), padded by the last step.
    """

    def __init__(self, flat=True):
        self.flat = flat

    def fit(self, X, y=None):
        """Learn the length."""
        self.n_steps_ = max(map(len, X))
        return self

    def transform(self, X):
        """Pad and cut."""
        padded = np.stack([self._padded(x[: self.n_steps_]) for x in X])
        return padded.reshape(len(X), -1) if self.flat else padded.transpose(0, 2, 1)

    def _padded(self, x):
        end = np.full_like(x[-1:], np.nan) if self.flat else x[-1:]
        return np.concatenate([x, np.repeat(end, self.n_steps_ - len(x), axis=0)])


class StretchSeries(TransformerMixin, BaseEstimator):
    """Standardised series, stretched or squeezed to one length, in rows of numbers."""

    def fit(self, X, y=None):
        """Learn the median length, and the mean and scale of each feature."""
        self.n_steps_ = int(np.median([len(x) for x in X]))
        self.mean_, self.scale_ = mean_and_scale(X)
        return self

    def transform(self, X):
        """Interpolate between the steps."""
        return np.stack([self._stretched(x).ravel() for x in X])

    def _stretched(self, x):
        x = (x - self.mean_) / self.scale_
        at, steps = np.linspace(0, len(x) - 1, self.n_steps_), np.arange(len(x))
        return np.stack([np.interp(at, steps, feature) for feature in x.T])


class SummariseSeries(TransformerMixin, BaseEstimator):
    """What one would compute of each series by hand, in a row of numbers.

    Its length; and of each feature and of its differences mean, deviation, quantiles,
    the first and the last number, and the correlation of neighbours.
    """

    def fit(self, X, y=None):
        """Nothing to learn."""
        return self

    def transform(self, X):
        """Summarise."""
        return np.stack([self._summary(x) for x in X])

    def _summary(self, x):
        parts = [[len(x)]]
        for steps in (x, np.diff(x, axis=0, prepend=x[:1])):
            deviation = steps.std(axis=0)
            centred = steps - steps.mean(axis=0)
            covariance = (centred[1:] * centred[:-1]).sum(axis=0) / len(steps)
            correlation = covariance / np.maximum(deviation**2, 1e-12)
            quantiles = np.quantile(steps, [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1], axis=0)
            parts += [steps.mean(axis=0), deviation, correlation, quantiles.ravel()]
            parts += [steps[0], steps[-1]]
        return np.concatenate(parts)


class RandomConvolutions(TransformerMixin, BaseEstimator):
    """Largest value, and share of positive ones, of random convolutions.

    As in ROCKET [1]_, but all kernels have 9 weights, and their biases are quantiles of
    what they give for a series of the training data, as in MiniRocket. Series may have
    different lengths; of several features each kernel reads some, chosen at random.

    Parameters
    ----------
    n_kernels : int, default=2000
    random_state : int, default=0

    References
    ----------
    .. [1] Dempster, Petitjean, Webb (2020), "ROCKET: exceptionally fast and accurate
       time series classification using random convolutional kernels".
    """

    width = 9

    def __init__(self, n_kernels=2000, random_state=0):
        self.n_kernels = n_kernels
        self.random_state = random_state

    def fit(self, X, y=None):
        """Draw the kernels, by dilation, and their biases."""
        rng = np.random.default_rng(self.random_state)
        self.mean_, self.scale_ = mean_and_scale(X)
        largest = max((np.median([len(x) for x in X]) - 1) / (self.width - 1), 1)
        exponents = rng.uniform(0, np.log2(largest), self.n_kernels)
        dilations = np.floor(2**exponents).astype(int)
        self.kernels_ = [
            self._draw(X, int(dilation), int((dilations == dilation).sum()), rng)
            for dilation in np.unique(dilations)
        ]
        return self

    def _draw(self, X, dilation, n_kernels, rng):
        n_features = X[0].shape[1]
        weights = rng.standard_normal((n_kernels, n_features, self.width))
        weights -= weights.mean(axis=2, keepdims=True)
        # Between 1 and all features, small numbers of them more often.
        n_read = 2 ** rng.uniform(0, np.log2(n_features + 1), (n_kernels, 1))
        order = rng.permuted(np.tile(np.arange(n_features), (n_kernels, 1)), axis=1)
        weights *= (order < np.floor(n_read))[:, :, None]
        weights = weights.reshape(n_kernels, -1).T  # (n_features * width, n_kernels)
        bias = np.empty(n_kernels)
        for k in range(n_kernels):
            x = X[rng.integers(len(X))]
            outputs = self._windows(x, dilation) @ weights[:, k]
            bias[k] = np.quantile(outputs, rng.uniform())
        return dilation, weights, bias

    def _windows(self, x, dilation):
        """For each step the steps around it, of shape (n_steps, n_features * width)."""
        x = (x - self.mean_) / self.scale_
        reach = dilation * (self.width // 2)
        padded = np.pad(x, ((reach, reach), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, 0)
        return windows[:, :, ::dilation].reshape(len(x), -1)

    def transform(self, X):
        """Convolve and pool; of shape (n_samples, 2 * n_kernels)."""
        return np.stack([self._pools(x) for x in X])

    def _pools(self, x):
        parts = []
        for dilation, weights, bias in self.kernels_:
            outputs = self._windows(x, dilation) @ weights - bias
            parts += [outputs.max(axis=0), (outputs > 0).mean(axis=0)]
        return np.concatenate(parts)


def mean_and_scale(X):
    """Mean and standard deviation of each feature over all steps; no scale is 0."""
    steps = np.concatenate(X)
    scale = steps.std(axis=0)
    return steps.mean(axis=0), np.where(scale > 0, scale, 1.0)
