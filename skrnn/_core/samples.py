"""Sequences with their targets and weights."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.sequences import Sequences
from skrnn._core.steps import Steps


@dataclass(frozen=True, slots=True)
class Samples:
    """Sequences with their targets and weights.

    Attributes
    ----------
    steps : Sequences or Steps
        The sequences as the user passed them, or as the network reads them.
    target : ndarray of shape (n_samples, ...) or (n_rows, ...), or None
        The target of each sequence, or of each step.
    weight : ndarray of shape (n_samples,) or (n_rows,)
        The weight of each target, with a mean of 1.
    positions : ndarray of shape (n_samples,)
        The positions of the sequences in the user's X.
    per_step : bool, default=False
        Whether each step has a target.
    """

    steps: Sequences | Steps
    target: np.ndarray | None
    weight: np.ndarray
    positions: np.ndarray
    per_step: bool = False

    def __len__(self):
        return len(self.positions)

    def take(self, indices):
        """Return the samples at `indices`, in that order.

        Each sample must have one target. The weights are scaled to a mean of 1.
        """
        weight = self.weight[indices]
        weight = weight / weight.max()  # the sum of the weights could overflow
        return replace(
            self,
            steps=self.steps
            if _is_all(indices, len(self))
            else self.steps.take(indices),
            target=None if self.target is None else self.target[indices],
            weight=weight / weight.mean(),
            positions=self.positions[indices],
        )


def _is_all(indices, n_samples):
    """Whether these are all samples, in order, so that nothing need be copied."""
    is_each = len(indices) == n_samples
    return is_each and bool((indices == np.arange(n_samples)).all())
