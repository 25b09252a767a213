"""What the wide path reads of series: shares of steps at which patterns are found."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from skrnn._core import series
from skrnn._core.dense_rows import DenseRows
from skrnn._core.execution import arithmetic
from skrnn._core.imports import kernel_imports

ATTRIBUTES = ("wide_biases_", "wide_dilations_", "wide_inputs_")
ATTRIBUTES += ("wide_mean_", "wide_scale_")
_TYPES = np.float32, np.int64, np.bool_, np.float64, np.float64
# The number of features, unless set by the user. It is lowered until those of all
# training series are at most so many numbers, and A has at most so many weights.
AUTO_FEATURES, _MAX_VALUES, _MAX_WEIGHTS = 5000, 2**25, 2**24
# The mean number of steps from which on there are features, unless set by the user.
_MIN_STEPS = 9
# So many features share a pattern and a dilation, unless series are so short that there
# are few dilations.
_N_BIASES = 5
# Features are clipped to so many standard deviations: otherwise one that hardly varies
# in the training data could decide alone.
FARTHEST = 3.0
# The least scale of a feature: in float32, a smaller one would not be precise, or 0.
LEAST_SCALE = float(np.finfo(np.float32).tiny)
# So many steps take a millisecond or two, for which it is worth starting a thread.
_WORTH_A_THREAD = 2**10
# Where C is the same at many steps, as on flat stretches and straight lines, it is a
# bias, too, and rounding errors would decide. So biases are higher by these shares of
# themselves and of the largest number of the series.
_MARGINS = 1e-3, 64 * np.finfo(np.float32).eps
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class WideSeriesReader:
    """What the wide path reads of each series.

    Attributes
    ----------
    biases : ndarray of shape (n_features,), float32
    dilations : ndarray of shape (n_dilations,), int64
    is_read : ndarray of shape (n_dilations, n_sums, n_inputs), bool
        See :func:`skrnn._core.minirocket.write_shares`.
    mean, scale : ndarrays of shape (n_features,), float64
        The mean of each feature, and its standard deviation.
    """

    biases: np.ndarray
    dilations: np.ndarray
    is_read: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    COLUMNS = "wide_biases_"  # the attribute that has a number for each column of x

    @classmethod
    def learn(cls, values, offsets, weight, n_features):
        """Learn from the training data.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_inputs), float32
        offsets : ndarray of shape (n_samples + 1,)
        weight : ndarray of shape (n_samples,)
        n_features : int

        Returns
        -------
        reader : WideSeriesReader
        rows : DenseRows
            What the wide path reads of the training data.
        """
        # It has a generator of its own, so that the weights of the network are those
        # without a wide path.
        generator = np.random.default_rng(0)
        dilations = _dilations(len(values) / len(weight), n_features)
        is_read = _choose_inputs(len(dilations), values.shape[1], generator)
        order = generator.permutation(np.flatnonzero(weight > 0))
        biases = _learn_biases(values, offsets, order, dilations, is_read, n_features)
        none = np.empty(0)
        shares = cls(biases, dilations, is_read, none, none)._shares(values, offsets)
        mean, scale = series.mean_and_scale(shares, weight)
        # That of a feature which varies only in series of a tiny weight.
        scale[scale < LEAST_SCALE] = 1.0
        reader = cls(biases, dilations, is_read, mean, scale)
        return reader, reader._standardised(shares)

    @classmethod
    def from_attributes(cls, attributes):
        """A reader from the attributes of an estimator, or None.

        Raises
        ------
        ValueError
            If a user has edited them, and they do not fit each other.
        """
        if attributes.get(ATTRIBUTES[0]) is None:
            return None
        arrays = []
        for name, dtype in zip(ATTRIBUTES, _TYPES, strict=True):
            try:
                arrays.append(np.ascontiguousarray(attributes[name], dtype))
            except (KeyError, OverflowError, TypeError, ValueError) as error:
                raise ValueError(
                    f"{name} does not hold numbers: {error}. Undo its changes since "
                    "the fit, or fit again."
                ) from error
        biases, dilations, is_read = arrays[:3]
        n, n_sums = biases.shape[:1], is_read.shape[1:2]
        inputs = (*dilations.shape, *n_sums, np.size(attributes["mean_"]))
        shapes = n, dilations.shape[:1], inputs, n, n
        for name, array, shape in zip(ATTRIBUTES, arrays, shapes, strict=True):
            if array.shape != shape or not array.size:
                raise ValueError(
                    f"{name} has the shape {array.shape}, but {shape} was expected. "
                    "Undo its changes since the fit, or fit again."
                )
        if dilations.min() < 1:
            raise ValueError(
                f"wide_dilations_ has {dilations.min()}: numbers of steps, from 1 on, "
                "were expected. Undo its changes since the fit, or fit again."
            )
        return cls(*arrays)

    def attributes(self):
        """The attributes that an estimator keeps of the reader."""
        values = self.biases, self.dilations, self.is_read, self.mean, self.scale
        return dict(zip(ATTRIBUTES, values, strict=True))

    @property
    def n_columns(self):
        """The number of features."""
        return len(self.biases)

    @property
    def setting(self):
        """The `n_wide_features`."""
        return len(self.biases)

    def encode(self, values, offsets):
        """The standardised features of series.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_inputs), float32
        offsets : ndarray of shape (n_samples + 1,)

        Returns
        -------
        rows : DenseRows
        """
        return self._standardised(self._shares(values, offsets))

    def _shares(self, values, offsets):
        with kernel_imports():
            from skrnn._core import minirocket

        values, n = np.ascontiguousarray(values), len(offsets) - 1
        shares = np.empty((n, len(self.biases)), np.float32)

        def write(part):
            first, end = part
            minirocket.write_shares(
                values,
                offsets[first : end + 1],
                self.dilations,
                self.is_read,
                self.biases,
                shares[first:end],
            )

        n_threads = max(1, int(offsets[-1] - offsets[0]) // _WORTH_A_THREAD)
        with arithmetic() as execution:
            n_threads = min(execution.n_threads, n, n_threads)
            parts = pairwise(np.linspace(0, n, n_threads + 1).astype(int))
            with execution.threads(n_threads) as run:
                list(run(write, parts))
        return shares

    def _standardised(self, shares):
        """Features of mean 0, whose squares have a sum of about 1, in their memory."""
        shares -= self.mean.astype(np.float32)
        shares /= self.scale.astype(np.float32)
        np.clip(shares, -FARTHEST, FARTHEST, out=shares)
        shares /= np.float32(math.sqrt(len(self.biases)))
        return DenseRows(shares)


def auto_features(offsets, n_outputs):
    """The number of features, unless set by the user; None if there are to be none."""
    n_samples = len(offsets) - 1
    if offsets[-1] < _MIN_STEPS * n_samples:
        return None
    n = min(AUTO_FEATURES, _MAX_VALUES // n_samples, _MAX_WEIGHTS // n_outputs)
    return max(1, n)


def _dilations(n_steps, n_features):
    """Dilations up to that at which a window has `n_steps` steps, spread by logs."""
    n_most = -(-n_features // (84 * _N_BIASES))
    largest = max(1.0, (n_steps - 1) / 8)
    return np.unique(np.geomspace(1, largest, n_most).astype(np.int64))


def _choose_inputs(n_dilations, n_inputs, generator):
    """Choose which of several numbers of a step are summed: up to 9, rather few."""
    if n_inputs == 1:
        return np.ones((n_dilations, 1, 1), bool)
    is_read = np.zeros((n_dilations, 84, n_inputs), bool)
    most = math.log2(min(n_inputs, 9) + 1)
    for one in is_read.reshape(-1, n_inputs):
        n = int(2 ** generator.uniform(0, most))
        one[generator.choice(n_inputs, n, replace=False)] = True
    return is_read


def _learn_biases(values, offsets, chosen, dilations, is_read, n_features):
    """Quantiles of the likeness of a pattern and the windows of a training series.

    Parameters
    ----------
    values, offsets : ndarrays
    chosen : ndarray of int
        The series that take turns.
    dilations, is_read : ndarrays
    n_features : int

    Returns
    -------
    biases : ndarray of shape (n_features,), float32
    """
    with kernel_imports():
        from skrnn._core import minirocket

    n_pairs, n_before = 84 * len(dilations), 0
    biases = np.empty(n_features, np.float32)
    for pair in range(min(n_pairs, n_features)):
        d, k = divmod(pair, 84)
        i = chosen[pair % len(chosen)]
        x = np.ascontiguousarray(values[offsets[i] : offsets[i + 1]])
        dilation = int(min(dilations[d], len(x)))
        z, sums = minirocket.add_up(x, is_read[d, k % is_read.shape[1]], dilation)
        C = minirocket.compare(z, sums, k, dilation, np.empty(len(x), np.float32))
        of_pair = biases[pair::n_pairs]
        # Multiples of the golden ratio, less their whole parts, are evenly spread.
        quantiles = np.arange(n_before + 1, n_before + 1 + len(of_pair)) * _GOLDEN % 1
        of_pair[:] = np.quantile(C, quantiles)
        of_pair += _MARGINS[0] * np.abs(of_pair) + _MARGINS[1] * np.abs(z).max()
        n_before += len(of_pair)
    return biases
