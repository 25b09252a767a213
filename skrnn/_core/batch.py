"""A batch: everything that a loss is computed from, except for the weights."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from skrnn._core.answers import Answer
from skrnn._core.context import Context
from skrnn._core.dense_rows import DenseRows
from skrnn._core.execution import Execution
from skrnn._core.packing import Packing
from skrnn._core.sparse_rows import SparseRows


@dataclass(frozen=True, slots=True)
class Start:
    """The state of sequences before the first packed step.

    Attributes
    ----------
    states : list of list of Tensors of shape (n_sequences, nhidden)
        By layer, then direction, the states of the cell: h, and c for an LSTM.
    gathered : Tensor of shape (n_sequences, gathered_width)
        What the pooling has gathered from the earlier steps; empty without pooling.
    n_steps : Tensor of shape (n_sequences,), int64
        Number of earlier steps; empty without pooling.
    wants_gradient : bool, default=False
        Whether to compute the gradient with respect to `states`.
    """

    states: list
    gathered: torch.Tensor
    n_steps: torch.Tensor
    wants_gradient: bool = False

    @classmethod
    def without_pooling(cls, states, n_sequences, wants_gradient=False):
        """The states of the first `n_sequences` sequences, for a target per step."""
        nothing = states[0][0].new_empty(0)
        states = [[state[:n_sequences] for state in of_layer] for of_layer in states]
        return cls(states, nothing, nothing.long(), wants_gradient)


@dataclass(frozen=True, slots=True)
class Past:
    """The steps of sequences before the packed ones; no gradient flows back to them.

    Attributes
    ----------
    values : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
    starts, lengths : ndarrays of shape (n_sequences,)
        Where the steps of each sequence begin in `values`, and how many there are.
    """

    values: torch.Tensor
    starts: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences on which a loss is computed.

    Attributes
    ----------
    x : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
        Token ids or numeric values, rows in packed order.
    packing : Packing
    target : Tensor of shape (n_sequences, ...), or (n_rows, ...) if per step; or Answer
        The targets, in the order of the packing.
    weight : Tensor of shape (n_sequences, ...) or (n_rows,)
        The weight of each target.
    masks : list of Tensors of shape (n_sequences, n_inputs of a layer)
        For each layer above the first, the factors that multiply its inputs at every
        step of a sequence; then one mask of width n_features_out for the output layer.
        Empty without dropout.
    start : Start or None
        The state of the sequences before these steps; None if all states are 0.
    past : Past or None
        The steps before these, from which `start` is computed.
    wide : SparseRows, DenseRows or None
        What the wide path reads of each sequence, if there is one.
    context : Context or None
        The vectors of the sequences, if they depend on one each. If there is no
        `start`, they begin in states that may depend on it.
    """

    x: torch.Tensor
    packing: Packing
    target: torch.Tensor | Answer
    weight: torch.Tensor
    masks: tuple | list = ()
    start: Start | None = None
    past: Past | None = None
    wide: SparseRows | DenseRows | None = None
    context: Context | None = None

    def __len__(self):
        return len(self.packing.indices)

    def with_masks(self, masks, first):
        """Return this batch with its rows of the masks of a minibatch.

        `first` is the index of the first sequence of the minibatch.
        """
        if not masks:
            return self
        order = Execution.of(masks[0]).tensor(self.packing.indices - first)
        return replace(self, masks=[mask.index_select(0, order) for mask in masks])

    def freed(self, is_free, first):
        """Return this batch, where the decoder reads some tokens of its own.

        Parameters
        ----------
        is_free : ndarray of shape (n_sequences, n_steps), bool
            For the sequences of the minibatch.
        first : int
            See :meth:`with_masks`.
        """
        packing = self.target.packing
        sequences = (self.packing.indices - first)[packing.indices][packing.sequences]
        sizes = packing.batch_sizes
        steps = np.repeat(np.arange(len(sizes)), sizes)
        return replace(
            self, target=replace(self.target, is_free=is_free[sequences, steps])
        )

    def windows(self, cuts):
        """Cut a batch with a target per step into windows of consecutive steps.

        Parameters
        ----------
        cuts : sequence of int, increasing from 0
            The first step of each window.

        Yields
        ------
        batch : Batch
            The steps of a window; only the first begins with the `start` of this batch.
        """
        start = self.start
        context = self.context
        for rows, packing in self.packing.windows(cuts):
            if context is not None:
                context = context.take(slice(len(packing.indices)))
            yield Batch(
                self.x[rows],
                packing,
                self.target[rows],
                self.weight[rows],
                [mask[: len(packing.indices)] for mask in self.masks],
                start,
                context=context,
            )
            start = None
