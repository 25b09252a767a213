"""The reader of series of numbers: standardises, takes differences and patches."""

from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from skrnn._core import series
from skrnn._core.steps import Steps
from skrnn._reading.inputs import Inputs
from skrnn._reading.wide_series import WideSeriesReader

# The average number of steps per series that the recurrence takes: with patches, and
# behind convolutions, which have read each step.
STEPS_AT_MOST, STEPS_BEHIND_FILTERS = 100, 40
# The numbers of steps in the windows of each layer of convolutions.
AUTO_KERNEL_SIZES = ((3, 9, 27), (9,), (9,))
# But a window of a short series should be no longer than a third of it: where it
# reaches over both ends, a filter mostly learns how long the series is.
_STEPS_PER_WINDOW = 3
# With standardize="auto", each series is also standardised by itself if the logarithms
# of their scales have at least this standard deviation: if all series have about the
# same scale, its differences are noise, which would be blown up to a variance of 1.
_VARYING_SCALE = 0.5
# Features of the wide path that are in memory at once during a prediction.
_MAX_NUMBERS = 2**21
# What the level and the logarithm of the scale of a series are clipped to, in standard
# deviations of those in fit.
FARTHEST = 3.0


@dataclass(frozen=True, slots=True)
class SeriesReader:
    """How numbers are read.

    Attributes
    ----------
    mean, scale : ndarrays of shape (n_features,)
        What is subtracted from each feature, and by what the result is divided.
    own_mean, own_scale : ndarrays of shape (2, n_features) or (0, n_features)
        If each series is also standardised by itself: the same for the mean of each
        series, and for the logarithm of its standard deviation.
    difference_scale : ndarray of shape (n_differences, n_features)
        By what differences are divided.
    patch_length : int
        Number of steps that are read at once.
    missing : {"error", "mask"}
        Whether missing values raise an error, or are filled and marked.
    kernel_sizes : tuple of tuples of int
        For each layer of convolutions with which the network begins, the numbers of
        steps in its windows. It then reads each step, and averages those of a patch
        itself.
    wide : WideSeriesReader or None
        What the wide path reads, if there is one.
    """

    mean: np.ndarray
    scale: np.ndarray
    own_mean: np.ndarray
    own_scale: np.ndarray
    difference_scale: np.ndarray
    patch_length: int
    missing: str
    kernel_sizes: tuple = ()
    wide: WideSeriesReader | None = None

    kind = "series"

    @classmethod
    def learn(cls, options, samples):
        """Learn from the training data.

        Parameters
        ----------
        options : ReadingOptions
        samples : Samples
            With Sequences.

        Returns
        -------
        reader : SeriesReader
        steps : Steps
            The encoded training data.
        """
        sequences = samples.steps
        values = sequences.values
        n_features, order = values.shape[1], options.differences
        weight = samples.weight_of_sequences
        row_weight = np.repeat(weight, sequences.lengths)
        mean, scale = np.zeros(n_features), np.ones(n_features)
        if options.standardize:
            mean, scale = series.mean_and_scale(values, row_weight)
        none, missing = np.empty((0, n_features)), options.missing
        sizes = _kernel_sizes(options, sequences)
        patch_length = _patch_length(options, sequences, sizes)
        reader = cls(mean, scale, none, none, none, patch_length, missing, sizes)
        by_series = options.standardize in ("auto", "series")
        if order > 0 or by_series:
            filled = reader._standardised(sequences, samples.positions)[:, :n_features]
        if by_series:
            levels, scales, noise = reader._level_and_scale(filled, sequences)
            if options.standardize == "series" or _vary(scales, weight):
                own = _standards_of_each(levels, scales, noise, weight)
                reader = replace(reader, own_mean=own[0], own_scale=own[1])
        if order > 0:
            added = series.differences(filled, sequences.offsets, order)
            _, of_differences = series.mean_and_scale(added, row_weight)
            noise = series.rounding_of_differences(filled, order, values, scale)
            of_differences = np.where(of_differences > noise, of_differences, 1.0)
            of_differences = of_differences.reshape(order, n_features)
            reader = replace(reader, difference_scale=of_differences)
        return reader, reader.encode(sequences, samples.positions)

    @classmethod
    def from_attributes(cls, attributes):
        """A reader from the attributes of an estimator, which a user may have edited.

        Raises
        ------
        ValueError
            If their shapes do not fit each other.
        """
        mean, scale = attributes["mean_"], attributes["scale_"]
        of_differences = attributes["difference_scale_"]
        n, order = np.size(mean), len(np.atleast_1d(of_differences))
        none = np.empty((0, n))  # in estimators that an earlier version has saved
        own = [attributes.get(name, none) for name in ("own_mean_", "own_scale_")]
        n_own = 2 if np.size(own[0]) else 0
        expected = {
            "mean_": (mean, (n,)),
            "scale_": (scale, (n,)),
            "own_mean_": (own[0], (n_own, n)),
            "own_scale_": (own[1], (n_own, n)),
            "difference_scale_": (of_differences, (order, n)),
        }
        for name, (array, shape) in expected.items():
            if np.shape(array) != shape:
                raise ValueError(
                    f"{name} has the shape {np.shape(array)}, but {shape} was "
                    f"expected, since mean_ has {n} numbers. Undo the changes to "
                    f"{name} or mean_ since the fit, or fit again."
                )
        patch_length, missing = attributes["patch_length_"], attributes["_reading"]
        scales = scale, *own, of_differences
        kernel_sizes = attributes["_architecture"].get("kernel_sizes", ())
        reading = patch_length, missing["missing"], kernel_sizes
        wide = WideSeriesReader.from_attributes(attributes)
        return cls(mean, *scales, *reading, wide)

    def attributes(self):
        """The attributes that an estimator keeps of the reader."""
        of_wide = {} if self.wide is None else self.wide.attributes()
        return {
            "mean_": self.mean,
            "scale_": self.scale,
            "own_mean_": self.own_mean,
            "own_scale_": self.own_scale,
            "patch_length_": self.patch_length,
            "difference_scale_": self.difference_scale,
            **of_wide,
        }

    def learn_wide(self, steps, weight, n_features):
        """Learn what the wide path reads.

        Parameters
        ----------
        steps : Steps
            The encoded training data.
        weight : ndarray of shape (n_samples,)
        n_features : int

        Returns
        -------
        reader : SeriesReader
        steps : Steps
            With what the wide path reads of them.
        """
        wide, rows = WideSeriesReader.learn(*self._given(steps), weight, n_features)
        return replace(self, wide=wide), steps._replace(wide=rows)

    def with_wide(self, steps):
        """Steps with what the wide path reads of them, if there is one."""
        if self.wide is None:
            return steps
        return steps._replace(wide=self.wide.encode(*self._given(steps)))

    def wide_rows(self, steps):
        """What the wide path reads, one part of the series after another.

        Parameters
        ----------
        steps : Steps

        Yields
        ------
        part : slice
            Which of the series.
        rows : DenseRows
        """
        if steps.wide is not None:
            yield slice(None), steps.wide
            return
        values, offsets = self._given(steps)
        at_once = max(1, _MAX_NUMBERS // self.wide.n_columns)
        for first in range(0, len(offsets) - 1, at_once):
            some = offsets[first : first + at_once + 1]
            yield slice(first, first + at_once), self.wide.encode(values, some)

    def _given(self, steps):
        """The numbers in X, standardised and filled in, and their offsets."""
        values, offsets, length = steps.values, steps.offsets, self.patch_length
        if not self.kernel_sizes:  # patches have been made of them
            values = values.reshape(len(values) * length, -1)
            offsets = offsets * length
        return np.ascontiguousarray(values[:, : len(self.mean)]), offsets

    def encode(self, sequences, positions=None):
        """Standardise numbers, fill in missing ones, and append their differences.

        Parameters
        ----------
        sequences : Sequences
        positions : ndarray, default=None
            The positions of the sequences in X, for errors.

        Returns
        -------
        steps : Steps
        """
        values, offsets = self._standardised(sequences, positions), sequences.offsets
        order, n_features = self.difference_scale.shape
        given = values[:, :n_features]
        parts = [values]
        if order > 0:
            scale = self.difference_scale.reshape(-1)
            added = series.differences(given, offsets, order)
            added = series.standardise(added, np.zeros_like(scale), scale)
            largest = np.finfo(np.float32).max
            parts.append(np.clip(added, -largest, largest))
        if len(self.own_mean):
            parts += self._in_units_of_each(given, parts[1:], sequences)
        values = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        if self.kernel_sizes:
            return Steps(values, offsets)
        return Steps(*series.patches(values, offsets, self.patch_length))

    def numbers(self, rows):
        """The numbers of steps, given what the network reads of them.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_inputs)
        """
        standardised = rows[:, : len(self.mean)]
        return (self.mean + self.scale * standardised).astype(np.float32)

    def _level_and_scale(self, values, sequences):
        """The mean and scale of each series, and its noise, without missing numbers."""
        given = sequences.values
        values = np.where(np.isnan(given), np.float32(np.nan), values)
        return series.level_and_scale(values, sequences.offsets, given, self.scale)

    def _in_units_of_each(self, values, differences, sequences):
        """Numbers and differences standardised by series; its level and log scale."""
        offsets, is_missing = sequences.offsets, np.isnan(sequences.values)
        level, scale, _ = self._level_and_scale(values, sequences)
        is_constant = scale == 0
        scale = np.where(is_constant, 1.0, scale)
        both = np.stack([level, np.log(scale)]) - self.own_mean[:, np.newaxis]
        both /= self.own_scale[:, np.newaxis]
        both[1][is_constant] = -np.inf
        both = np.clip(np.concatenate(both, axis=1), -FARTHEST, FARTHEST)
        own = series.standardise_each(values, offsets, level, scale)
        if is_missing.any():  # before the first number, the level of the series
            own[is_missing] = np.nan
            own = series.fill_missing(own, offsets)[:, : own.shape[1]]
        parts = [own]
        for each in differences:
            scales = np.tile(scale, len(self.difference_scale))
            no_level = np.zeros_like(scales)
            parts.append(series.standardise_each(each, offsets, no_level, scales))
        return [*parts, np.repeat(both.astype(np.float32), np.diff(offsets), axis=0)]

    def knows_some(self, values):
        """Whether any of the values can be read: all of them."""
        return True

    def inputs(self, steps, weight, options, counts=None):
        """The training data as the network reads it.

        Parameters
        ----------
        steps : Steps
        weight : ndarray of shape (n_samples,)
        options : ReadingOptions
        counts : None
            There are none of numbers.

        Returns
        -------
        inputs : Inputs
        """
        return Inputs(steps)

    def with_trained(self, inputs, out=None):
        """This reader, which training does not change."""
        return self

    def _standardised(self, sequences, positions):
        """Standardised numbers; missing ones are filled and marked, if allowed."""
        mean, scale, given = self.mean, self.scale, sequences.values
        values = series.standardise(given, mean, scale)
        is_usable = np.isfinite(values) | np.isnan(given)
        if not is_usable.all():
            row, feature = np.argwhere(~is_usable)[0]
            i, step = sequences.locate(row)
            i = i if positions is None else positions[i]
            raise ValueError(
                f"X[{i}] contains {given[row, feature]:g} at step {step}, which is too "
                f"far from the mean in fit, {mean[feature]:g}, to be divided by the "
                f"standard deviation, {scale[feature]:g}. Check the unit."
            )
        if self.missing == "mask":
            return series.fill_missing(values, sequences.offsets)
        return values


ATTRIBUTES = ("mean_", "scale_", "own_mean_", "own_scale_")
ATTRIBUTES += ("patch_length_", "difference_scale_")


def _vary(scale, weight):
    """Whether the scales of the series, (n_samples, n_features), vary in a feature."""
    weights = np.where(scale > 0, weight[:, np.newaxis], 0.0)
    total = np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
    log_scale = np.log(np.where(scale > 0, scale, 1.0))
    log_scale -= (weights * log_scale).sum(axis=0) / total
    variance = (weights * log_scale**2).sum(axis=0) / total
    return bool((variance > _VARYING_SCALE**2).any())


def _standards_of_each(level, scale, noise, weight):
    """What the level and the logarithm of the scale of a series are standardised by.

    Parameters
    ----------
    level, scale, noise : ndarrays of shape (n_samples, n_features)
    weight : ndarray of shape (n_samples,)

    Returns
    -------
    mean, scale : ndarrays of shape (2, n_features)
        The scale of what varies by nothing but rounding errors is 1: series that were
        standardised before have such levels and scales.
    """
    # Constant series say nothing of the scales of others.
    log_scale = np.log(np.where(scale > 0, scale, np.nan))
    relative = np.where(scale > 0, noise / np.where(scale > 0, scale, 1.0), 0.0)
    means, scales = [], []
    for numbers, errors in ((level, noise), (log_scale, relative)):
        mean, spread = series.mean_and_scale(numbers, weight)
        means.append(mean)
        scales.append(np.where(spread > errors.max(axis=0), spread, 1.0))
    return np.stack(means), np.stack(scales)


def _kernel_sizes(options, sequences):
    """The kernel sizes of each layer of convolutions; an empty tuple without them."""
    sizes = options.kernel_sizes
    if sizes is None:
        return ()
    if isinstance(sizes, str):
        longest = sequences.lengths.mean() / _STEPS_PER_WINDOW
        layers = [
            tuple(size for size in layer if size <= longest)
            for layer in AUTO_KERNEL_SIZES
        ]
        return tuple(filter(None, layers))
    if isinstance(sizes[0], Integral):
        sizes = (sizes,)
    largest, longest = max(map(max, sizes)), int(sequences.lengths.max())
    if largest > 2 * longest:
        raise ValueError(
            f"kernel_sizes={options.kernel_sizes!r} has windows of {largest} steps, "
            f"but the longest series of X has {longest}. Use sizes up to "
            f"{2 * longest}."
        )
    return tuple(tuple(int(size) for size in layer) for layer in sizes)


def _patch_length(options, sequences, kernel_sizes):
    """The number of steps of a series that are read at once."""
    if options.patch_length != "auto":
        return int(min(options.patch_length, sequences.lengths.max()))
    n_steps = STEPS_BEHIND_FILTERS if kernel_sizes else STEPS_AT_MOST
    return max(1, round(sequences.lengths.mean() / n_steps))
