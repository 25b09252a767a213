"""Training data on the device."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from skrnn._core.answers import Answers
from skrnn._core.context import Context
from skrnn._core.dense_rows import DenseRows
from skrnn._core.execution import CPU
from skrnn._core.sparse_rows import SparseRows


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Training data on the device.

    Attributes
    ----------
    values : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
        Token ids or numeric values of all sequences, concatenated.
    offsets : ndarray of shape (n_samples + 1,)
    target : Tensor of shape (n_samples, ...), (n_rows, ...) if `per_step`; or Answers
    weight : Tensor of shape (n_samples, ...) or (n_rows,)
        The weight of each target; the weights sum to n_samples. Those of answers are
        of each token.
    hiding : Tensor of shape (n_inputs,) or None
        Probability of replacing each token by the unknown token, id 0.
    per_step : bool, default=False
        Whether each step has a target.
    wide : SparseRows, DenseRows or None
        What the wide path reads of each sequence, if there is one.
    is_padded : bool, default=False
        Whether id 0 stands for nothing.
    context : Context or None
        The vectors of the sequences, if they depend on one each.
    sizes : ndarray of int or None
        The number of sequences of each minibatch, which may be 0, and which need not
        sum to all. None if a plan says it.
    """

    values: torch.Tensor
    offsets: np.ndarray
    target: torch.Tensor | Answers
    weight: torch.Tensor
    hiding: torch.Tensor | None = None
    per_step: bool = False
    wide: SparseRows | DenseRows | None = None
    is_padded: bool = False
    context: Context | None = None
    sizes: np.ndarray | None = None

    @classmethod
    def of(cls, samples, hiding=None, execution=CPU, label_smoothing=0.0):
        """Move samples to the device.

        Parameters
        ----------
        samples : Samples
            Its `steps` are Steps, as the network reads them.
        hiding : ndarray of shape (n_inputs,), float32, default=None
        execution : Execution, default=CPU
        label_smoothing : float, default=0.0
            For answers; see :mod:`skrnn._core.losses.smoothed_cross_entropy`.
        """
        if isinstance(samples.target, Answers):
            weight = samples.weight * len(samples)
            weight /= samples.weight @ samples.target.lengths
            weight = np.multiply.outer(weight, [1 - label_smoothing, label_smoothing])
            data = cls.of(replace(samples, target=np.empty(0)), hiding, execution)
            weight = execution.tensor(weight.astype(np.float32))
            return replace(data, target=samples.target, weight=weight)
        # If each step has a target, the weights of all steps sum to n_samples as well.
        weight = samples.weight * (len(samples) / len(samples.weight))
        return cls(
            values=execution.tensor(samples.steps.values),
            offsets=samples.steps.offsets,
            target=execution.tensor(samples.target),
            weight=execution.tensor(weight.astype(np.float32)),
            hiding=None if hiding is None else execution.tensor(hiding),
            per_step=samples.per_step,
            wide=samples.steps.wide,
            is_padded=samples.steps.is_padded,
            context=samples.context,
        )

    def __len__(self):
        return len(self.offsets) - 1

    @property
    def n_rows(self):
        """Number of steps of all sequences."""
        return len(self.values)

    @property
    def example(self):
        """Some of the data, which show what the others are like."""
        return self

    def parts(self):
        """Yield all data, in parts that are in memory one at a time."""
        yield self


@dataclass(frozen=True, slots=True)
class DataInParts:
    """Training data of which one part is in memory at a time.

    Attributes
    ----------
    example : TrainingData
        A few of the sequences, which show what the others are like.
    n_samples, n_rows : int
        Number of sequences, and of steps, of all parts, of all ranks.
    read_parts : callable
        ``read_parts()`` yields the TrainingData of each part of this rank, in the same
        order each time, of values that :func:`skrnn._core.trainer.check_values` has
        accepted. The `sizes` of minibatches are such that there are as many of them as
        if all were in memory, also on ranks that have less.
    """

    example: TrainingData
    n_samples: int
    n_rows: int
    read_parts: Callable

    def __len__(self):
        return self.n_samples

    @property
    def per_step(self):
        """Whether each step has a target."""
        return self.example.per_step

    @property
    def is_padded(self):
        """Whether id 0 stands for nothing."""
        return self.example.is_padded

    def parts(self):
        """Yield all data, in parts that are in memory one at a time."""
        return self.read_parts()
