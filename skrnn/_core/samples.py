"""Sequences with their targets and weights."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.context import Context
from skrnn._core.sequences import Sequences, join, rows_of
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
    context : Context or None
        The vectors of the sequences, if they depend on one each.
    """

    steps: Sequences | Steps
    target: np.ndarray | None
    weight: np.ndarray
    positions: np.ndarray
    per_step: bool = False
    context: Context | None = None

    def __len__(self):
        return len(self.positions)

    def take(self, indices, is_scaled=True):
        """Return the samples at `indices`, in that order.

        Parameters
        ----------
        indices : ndarray of int
        is_scaled : bool, default=True
            Whether to scale the weights to a mean of 1.
        """
        chosen = indices
        if self.per_step:
            chosen, _ = rows_of(self.steps.offsets, indices)
        weight = self.weight[chosen]
        if is_scaled:
            weight = weight / weight.max()  # the sum of the weights could overflow
            weight = weight / weight.mean()
        return replace(
            self,
            steps=self.steps
            if _is_all(indices, len(self))
            else self.steps.take(indices),
            target=None if self.target is None else self.target[chosen],
            weight=weight,
            positions=self.positions[indices],
            context=None if self.context is None else self.context.take(indices),
        )

    def part(self, first, stop):
        """Return the samples from `first` to `stop`, with Sequences and weights as is.

        They are views of the same memory.
        """
        targets = slice(first, stop)
        if self.per_step:
            targets = slice(*self.steps.offsets[[first, stop]])
        return replace(
            self,
            steps=self.steps.part(first, stop),
            target=None if self.target is None else self.target[targets],
            weight=self.weight[targets],
            positions=self.positions[first:stop],
        )

    @property
    def weight_of_sequences(self):
        """The weight of each sequence: the mean of those of its steps, 0 without any.

        They have a mean of 1.
        """
        if not self.per_step:
            return self.weight
        n_steps = self.steps.lengths
        sequence = np.repeat(np.arange(len(self)), n_steps)
        weight = np.bincount(sequence, self.weight, len(self)) / np.maximum(n_steps, 1)
        return weight / weight.mean()


def join_samples(parts):
    """Return the samples of several parts, with Sequences and weights as they are.

    Parameters
    ----------
    parts : list of Samples
    """
    first, target = parts[0], None
    if first.target is not None:
        target = np.concatenate([part.target for part in parts])
    return replace(
        first,
        steps=join([part.steps for part in parts]),
        target=target,
        weight=np.concatenate([part.weight for part in parts]),
        positions=np.concatenate([part.positions for part in parts]),
    )


def _is_all(indices, n_samples):
    """Whether these are all samples, in order, so that nothing need be copied."""
    is_each = len(indices) == n_samples
    return is_each and bool((indices == np.arange(n_samples)).all())
