"""The training data in random order, packed batch by batch."""

from dataclasses import dataclass

import numpy as np
import torch

from skrnn._core.answers import Answers
from skrnn._core.batch import Batch, Past
from skrnn._core.execution import CPU, Execution, permutation
from skrnn._core.packing import pack
from skrnn._core.plan import Plan
from skrnn._core.shards import ONE_SHARD, Shards
from skrnn._core.training_data import TrainingData
from skrnn._core.vocabulary import UNKNOWN

# Maximum number of steps whose packing is in memory at once.
_MAX_ROWS = 2**20


@dataclass(frozen=True, slots=True)
class Batches:
    """How training data is cut into minibatches, and minibatches into shards.

    Attributes
    ----------
    data : TrainingData
    plan : Plan
    shards : Shards
    dropout : sequence of tuples of (int, float)
        For each layer that has dropout, the parts of its inputs: how many they are, and
        the probability of setting each to 0.
    execution : Execution
    """

    data: TrainingData
    plan: Plan
    shards: Shards = ONE_SHARD
    dropout: tuple = ()
    execution: Execution = CPU

    @property
    def _truncate(self):
        """The number of steps that are packed; those before them are the Past.

        If each step has a target, all are packed, and the trainer cuts the batches.
        """
        return None if self.data.per_step else self.plan.truncate

    def of_an_epoch(self, generator):
        """Yield the minibatches of one epoch: the sequences in random order, packed.

        The random numbers drawn for a sequence do not depend on its shard.

        Parameters
        ----------
        generator : torch.Generator

        Yields
        ------
        shards : list of Batch
            The shards of one minibatch.
        """
        n_samples, sizes = len(self.data), self._sizes
        order = permutation(n_samples, generator)
        values = self._with_some_hidden(generator)
        # Pack many minibatches at a time, but not all of them, to bound memory.
        steps_per_batch = len(values) * self.plan.batch_size // n_samples
        at_a_time = max(1, _MAX_ROWS // max(1, steps_per_batch))
        for first in range(0, len(sizes), at_a_time):
            here = sizes[first : first + at_a_time]
            chosen, order = np.split(order, [here.sum()])
            indices, cuts = self._cut(chosen, here)
            packed = self._pack(values, indices, [cut for of in cuts for cut in of])
            for minibatch in cuts:
                yield self.with_masks([next(packed) for _ in minibatch], generator)

    @property
    def _sizes(self):
        """The number of sequences of each minibatch."""
        if self.data.sizes is not None:
            return self.data.sizes
        n, batch_size = len(self.data), self.plan.batch_size
        return np.diff(np.append(np.arange(0, n, batch_size), n))

    def with_masks(self, shards, generator):
        """The shards of a minibatch, or of some of its steps, with masks of their own.

        Parameters
        ----------
        shards : list of Batch
        generator : torch.Generator
        """
        if not shards:  # other ranks have this minibatch
            return shards
        masks = [self._mask(parts, generator) for parts in self.dropout]
        first = min(shard.packing.indices.min() for shard in shards)
        shards = [shard.with_masks(masks, first) for shard in shards]
        if self.plan.teacher_forcing == 1:
            return shards
        longest = max(len(shard.target.packing.batch_sizes) for shard in shards)
        n = self.plan.batch_size
        chances = CPU.uniform(n * longest, torch.float32, generator)
        is_free = chances.view(n, longest).numpy() >= self.plan.teacher_forcing
        return [shard.freed(is_free, first) for shard in shards]

    def _mask(self, parts, generator):
        """The factors of the inputs of a layer, for each sequence of a minibatch."""
        draw, n = self.execution.dropout_mask, self.plan.batch_size
        masks = [draw((n, width), rate, generator) for width, rate in parts]
        return masks[0] if len(masks) == 1 else torch.cat(masks, dim=1)

    def _with_some_hidden(self, generator):
        """Return the values, with some tokens replaced by the unknown token."""
        data = self.data
        if data.hiding is None:
            return data.values
        values = data.values.clone()
        for part in values.view(-1).split(_MAX_ROWS):
            chance = self.execution.uniform(len(part), data.hiding.dtype, generator)
            part.masked_fill_(chance < data.hiding.index_select(0, part), UNKNOWN)
        return values

    def _cut(self, indices, sizes):
        """Sort each minibatch, longest sequence first, and cut it into shards.

        Parameters
        ----------
        indices : ndarray
            The sequences of one minibatch after the other.
        sizes : ndarray
            The number of sequences of each minibatch.

        Returns
        -------
        indices : ndarray
        cuts : list of lists of int
            For each minibatch, the positions in `indices` where its shards begin.
        """
        lengths = np.diff(self.data.offsets)[indices]
        if self._truncate is not None:
            lengths = np.minimum(lengths, self._truncate)
        minibatch = np.repeat(np.arange(len(sizes)), sizes)
        order = np.lexsort((-lengths, minibatch))
        lengths = lengths[order]
        firsts = (np.cumsum(sizes) - sizes).tolist()
        cuts = [
            [first + cut for cut in self.shards.cuts(lengths[first:][:n])] if n else []
            for first, n in zip(firsts, sizes.tolist(), strict=True)
        ]
        return indices[order], cuts

    def _pack(self, values, indices, cuts):
        """Pack the sequences at `indices`, and yield a Batch for each cut."""
        if not cuts:
            return
        data, tensor = self.data, self.execution.tensor
        starts, lengths, n_past = self._spans(indices)
        packings = pack(starts + n_past, lengths - n_past, cuts)
        # Select for all batches at once rather than batch by batch.
        rows = tensor(np.concatenate([p.rows for p in packings]))
        ranks = tensor(np.concatenate([p.indices for p in packings]))
        n_rows = [len(p.rows) for p in packings]
        n_sequences = [len(p.indices) for p in packings]
        of_targets, sizes = rows, n_rows
        if not data.per_step:
            of_targets, sizes = tensor(indices).index_select(0, ranks), n_sequences
        if isinstance(data.target, Answers):
            targets = (data.target.pack(indices[p.indices]) for p in packings)
        else:
            targets = data.target.index_select(0, of_targets).split(sizes)
        parts = zip(
            packings,
            values.index_select(0, rows).split(n_rows),
            targets,
            data.weight.index_select(0, of_targets).split(sizes),
            self._pasts(values, starts, n_past, packings),
            strict=True,
        )
        for packing, x, target, weight, past in parts:
            chosen, wide, context = indices[packing.indices], data.wide, data.context
            wide = None if wide is None else wide.take(chosen)
            context = None if context is None else context.take(chosen)
            options = {"past": past, "wide": wide, "context": context}
            yield Batch(x, packing, target, weight, **options)

    def _spans(self, indices):
        """Return where sequences start, their lengths, and the number of past steps."""
        starts = self.data.offsets[indices]
        lengths = self.data.offsets[indices + 1] - starts
        n_past = np.zeros_like(lengths)
        if self._truncate is not None:
            n_past = np.maximum(lengths - self._truncate, 0)
        return starts, lengths, n_past

    def _pasts(self, values, starts, n_past, packings):
        """Yield the Past of each batch, or None if no sequence has one."""
        for packing in packings:
            past = None
            if self._truncate is not None:
                ranks = packing.indices
                past = self._past(values, starts[ranks], n_past[ranks])
            yield past

    def _past(self, values, starts, n_past):
        """Copy the Past of some sequences, so that its tokens can be renumbered."""
        if not n_past.any():
            return None
        first = np.cumsum(n_past) - n_past
        rows = np.arange(n_past.sum()) + np.repeat(starts - first, n_past)
        return Past(values[self.execution.tensor(rows)], first, n_past)
