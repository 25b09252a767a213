"""The reader of series that are predicted."""

from dataclasses import replace

import numpy as np

from skrnn._reading.series import SeriesReader


class TargetReader(SeriesReader):
    """How series that are predicted are read: standardised, and nothing else."""

    __slots__ = ()

    @classmethod
    def learn(cls, options, samples):
        """Learn from the training data; see the base class.

        Its mean and scale are those of y: `standardize` is about X.
        """
        return super().learn(replace(options, standardize=True), samples)

    @classmethod
    def from_attributes(cls, attributes):
        """A reader from the attributes of an estimator, which a user may have edited.

        Raises
        ------
        ValueError
            If their shapes do not fit each other.
        """
        mean, scale = attributes["target_mean_"], attributes["target_scale_"]
        if np.ndim(mean) != 1 or np.shape(mean) != np.shape(scale):
            raise ValueError(
                f"target_mean_ and target_scale_ have the shapes {np.shape(mean)} and "
                f"{np.shape(scale)}: a number for each feature was expected. Undo the "
                "changes to them since the fit, or fit again."
            )
        none = np.empty((0, len(mean)))
        return cls(mean, scale, none, none, none, 1, "error")

    def attributes(self):
        """The attributes that an estimator keeps of the reader."""
        return {"target_mean_": self.mean, "target_scale_": self.scale}

    def numbers(self, rows):
        """Standardised numbers in the units of y, float64."""
        return self.mean + self.scale * rows.astype(np.float64)
