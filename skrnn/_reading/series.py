"""The reader of series of numbers: standardises, takes differences and patches."""

from dataclasses import dataclass

import numpy as np

from skrnn._core import series
from skrnn._core.steps import Steps
from skrnn._reading.inputs import Inputs

# The average number of steps per series that the network takes, with patches.
STEPS_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class SeriesReader:
    """How numbers are read.

    Attributes
    ----------
    mean, scale : ndarrays of shape (n_features,)
        What is subtracted from each feature, and by what the result is divided.
    difference_scale : ndarray of shape (n_differences, n_features)
        By what differences are divided.
    patch_length : int
        Number of steps that are read at once.
    missing : {"error", "mask"}
        Whether missing values raise an error, or are filled and marked.
    """

    mean: np.ndarray
    scale: np.ndarray
    difference_scale: np.ndarray
    patch_length: int
    missing: str

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
        row_weight = np.repeat(samples.weight, sequences.lengths)
        mean, scale = np.zeros(n_features), np.ones(n_features)
        if options.standardize:
            mean, scale = series.mean_and_scale(values, row_weight)
        patch_length = _patch_length(options, sequences)
        difference_scale = np.ones((order, n_features))
        reader = cls(mean, scale, difference_scale, patch_length, options.missing)
        if order == 0:
            return reader, reader.encode(sequences, samples.positions)
        filled = reader._standardised(sequences, samples.positions)[:, :n_features]
        added = series.differences(filled, sequences.offsets, order)
        _, of_differences = series.mean_and_scale(added, row_weight)
        noise = series.rounding_of_differences(filled, order, values, scale)
        of_differences = np.where(of_differences > noise, of_differences, 1.0)
        difference_scale = of_differences.reshape(order, n_features)
        reader = cls(mean, scale, difference_scale, patch_length, options.missing)
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
        expected = {"mean_": (n,), "scale_": (n,), "difference_scale_": (order, n)}
        for name, shape in expected.items():
            if np.shape(attributes[name]) != shape:
                raise ValueError(
                    f"{name} has the shape {np.shape(attributes[name])}, but {shape} "
                    f"was expected, since mean_ has {n} numbers. Undo the changes to "
                    f"{name} or mean_ since the fit, or fit again."
                )
        patch_length, missing = attributes["patch_length_"], attributes["_reading"]
        return cls(mean, scale, of_differences, patch_length, missing["missing"])

    def attributes(self):
        """The attributes that an estimator keeps of the reader."""
        return {
            "mean_": self.mean,
            "scale_": self.scale,
            "patch_length_": self.patch_length,
            "difference_scale_": self.difference_scale,
        }

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
        if order > 0:
            added = series.differences(values[:, :n_features], offsets, order)
            scale = self.difference_scale.reshape(-1)
            added = series.standardise(added, np.zeros_like(scale), scale)
            largest = np.finfo(np.float32).max
            values = np.concatenate([values, np.clip(added, -largest, largest)], axis=1)
        return Steps(*series.patches(values, offsets, self.patch_length))

    def knows_some(self, values):
        """Whether any of the values can be read: all of them."""
        return True

    def inputs(self, steps, weight, options):
        """The training data as the network reads it.

        Parameters
        ----------
        steps : Steps
        weight : ndarray of shape (n_samples,)
        options : ReadingOptions

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


ATTRIBUTES = ("mean_", "scale_", "patch_length_", "difference_scale_")


def _patch_length(options, sequences):
    """The number of steps of a series that are read at once."""
    if options.patch_length != "auto":
        return int(min(options.patch_length, sequences.lengths.max()))
    return max(1, round(sequences.lengths.mean() / STEPS_AT_MOST))
