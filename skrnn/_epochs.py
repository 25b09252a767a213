"""What a fit learns from: data in memory, or chunks that are read in each epoch."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from skrnn._chunks import Chunks, Stream, weighted
from skrnn._core.group import Alone, Apart
from skrnn._core.samples import Samples
from skrnn._core.shards import shares
from skrnn._core.trainer import check_values
from skrnn._core.training_data import DataInParts, TrainingData
from skrnn._digest import digest
from skrnn._first_pass import FirstPass, first_pass
from skrnn._fitting import reading_options
from skrnn._heads.class_weight import several_labels
from skrnn._heads.counts import check_not_all_0
from skrnn._heads.head import Head
from skrnn._heads.later import later_targets

# How many sequences show what those are like that are not in memory.
_N_EXAMPLES = 8


@dataclass(frozen=True, slots=True)
class EpochsInMemory:
    """Data that are in memory, all of which each epoch goes through.

    Attributes
    ----------
    samples : Samples
        What is learned from before the first epoch: with Sequences, and with the user's
        weights.
    head : Head or None
        None to learn to predict the next step of each sequence.
    """

    samples: Samples
    head: Head | None

    is_sampled = False  # whether `samples` are only some of the sequences
    counts = None  # what was counted of all of them, if they are
    names = None  # of all parts of the data, if they are and a checkpoint needs them

    def n_times(self, reader, samples):
        """How often each id of a reader occurs in an epoch; None if `samples` tell.

        Parameters
        ----------
        reader : TokenReader or SeriesReader
        samples : Samples
            With Steps: what the reader reads of `samples`.
        """
        return None

    def among(self, execution):
        """Where arithmetic happens: on ranks that all have these data, if any."""
        return execution

    def size(self, samples):
        """The numbers of sequences and of steps of an epoch.

        Parameters
        ----------
        samples : Samples
            As the network reads them.
        """
        return len(samples), len(samples.steps.values)

    def training_data(self, samples, fit, plan, execution, label_smoothing):
        """What an epoch goes through.

        Parameters
        ----------
        samples : Samples
            As the network reads them.
        fit : Fit
        plan : Plan
        execution : Execution
        label_smoothing : float

        Returns
        -------
        data : TrainingData or DataInParts
        """
        return TrainingData.of(samples, fit.inputs.hiding, execution, label_smoothing)


@dataclass(frozen=True, slots=True)
class EpochsInChunks:
    """Chunks that are read again in each epoch; for methods, see EpochsInMemory.

    Each rank of a group has its own chunks.

    Attributes
    ----------
    chunks : Chunks
    first : FirstPass
    head : Head or None
    factors : ndarray of shape (n_labels,)
        By what the weight of each target is multiplied; see TargetCounts.
    n_samples : tuple of int
        The number of sequences of an epoch of each rank.
    n_targets : int
        The number of targets of a weight above 0, of all ranks.
    group : Alone or Group
    """

    chunks: Chunks
    first: FirstPass
    head: Head | None
    factors: np.ndarray
    n_samples: tuple
    n_targets: int
    group: Alone

    is_sampled = True

    @classmethod
    def of(cls, chunks, first, class_weight, group):
        """The epochs after a first pass."""
        targets, sample = first.targets, first.sample
        head = targets.learned_head()
        if class_weight is not None and not targets.has_classes:
            raise several_labels(class_weight, head.n_outputs)
        factors, n_targets = targets.factors(class_weight)
        if chunks.has_tags or not targets.has_classes:
            n_samples = tuple(sizes.n_weighted for sizes, _ in first.of_ranks)
        else:
            n_samples = tuple(
                own.n_used(targets.labels, factors) for _, own in first.of_ranks
            )
        epochs = cls(chunks, first, head, factors, n_samples, n_targets, group)
        if head is not None:
            weight = epochs._weight(sample, head.targets(sample.target, sample.weight))
            head = head.fitted_to(sample.target, weight)
        return replace(epochs, head=head)

    @property
    def samples(self):
        """The uniform sample, with the targets of the head, and final weights."""
        return self._aimed(self.first.sample)

    @property
    def counts(self):
        """What was counted of the sequences in the first pass."""
        return self.first.counts

    @property
    def names(self):
        """Names of all parts of the data, if they were asked for."""
        return self.first.names

    def n_times(self, reader, samples):
        """How often each id of a reader occurs in an epoch; None for series."""
        if reader.kind == "series":
            return None
        if self.counts is not None:
            counts = self.counts.tokens.n_times(reader, self.chunks.schema.options)
            if counts is not None:
                return counts
        # Of what is known in advance, what is not in the sample occurs at most once in
        # as many sequences as that stands for.
        share = len(samples) / sum(self.n_samples)
        counts = np.bincount(samples.steps.values.reshape(-1), minlength=reader.n_ids)
        return counts / share

    def size(self, samples):
        """The numbers of sequences and of steps of an epoch."""
        return sum(self.n_samples), self.first.sizes.n_rows

    def among(self, execution):
        """Where arithmetic happens: on ranks that have data of their own, if any."""
        return replace(execution, group=Apart(execution.group))

    def training_data(self, samples, fit, plan, execution, label_smoothing):
        """What an epoch goes through, about a buffer of sequences at a time."""
        longest = np.argsort(samples.steps.lengths)[-_N_EXAMPLES:]
        few = samples.take(longest, is_scaled=False)
        example = TrainingData.of(few, fit.inputs.hiding, execution)
        scale = self._scale_of_steps(fit) if fit.head.per_step else None
        data_of = partial(_training_data, fit=fit, execution=execution, scale=scale)
        read_parts = partial(self._parts, plan.batch_size, data_of, example)
        return DataInParts(example, *self.size(samples), read_parts)

    def _parts(self, batch_size, data_of, example):
        """Yield the training data of an epoch, part by part.

        Sequences are those of a weight above 0. If there are no more, or without any
        target, minibatches have none of this rank.
        """
        stream = Stream(self._all_samples())
        for sizes in self._sizes_by_buffer(batch_size):
            # In memory, there is nothing but what is read now.
            data = data_of(stream.take(int(sizes.sum())))
            n = 0 if data is None else len(data)
            sizes = np.diff(np.minimum(np.cumsum(sizes), n), prepend=0)
            yield replace(example if data is None else data, sizes=sizes)
            del data
        stream.take(1)  # it raises if there are more than before

    def _sizes_by_buffer(self, batch_size):
        """Yield the numbers of sequences of minibatches, those of a buffer at a time.

        Yields
        ------
        sizes : ndarray
            For each minibatch, how many of its sequences are those of this rank.
        """
        sizes, n = [], 0
        for share in shares(self.n_samples, batch_size):
            own = int(share[self.group.rank])
            if sizes and n + own > self.chunks.dataset.buffer_size:
                yield np.array(sizes)
                sizes, n = [], 0
            sizes.append(own)
            n += own
        yield np.array(sizes)

    def _scale_of_steps(self, fit):
        """By what to multiply the weights of steps to make their sum that of sequences.

        Without y, the sum is over steps of which the next one is known: their share is
        that in the sample, since the first pass cannot know which tokens are.
        """
        sizes, sample = self.first.sizes, self.samples
        if self.chunks.has_tags:
            return sum(self.n_samples) / self.n_targets
        weight_of_steps = sample.weight @ sample.steps.lengths
        share = _read_part(sample, fit).weight.sum() / weight_of_steps
        weight_of_all = share * sizes.weight_of_steps * self.factors[0]
        return sum(self.n_samples) / weight_of_all

    def _all_samples(self):
        """Yield what there is of each chunk; raise unless it is as much as before.

        Yields
        ------
        samples : Samples
            With Sequences, the targets of the head, and weights above 0, whose sum over
            all targets of all ranks is the number of sequences of that weight.
        """
        own, _ = self.first.of_ranks[self.group.rank]
        n = n_weighted = 0
        for samples in self.chunks.samples():
            n += len(samples)
            samples = weighted(samples)
            n_weighted += len(samples)
            as_before = n <= own.n_samples and n_weighted <= own.n_weighted
            if as_before and len(samples):
                samples = self._aimed(samples)
                if len(samples):
                    yield samples
        _check_as_many("sequences", n, own.n_samples)
        _check_as_many("sequences of a weight above 0", n_weighted, own.n_weighted)

    def _aimed(self, samples):
        """Samples of a weight above 0, with targets of the head, and final weights."""
        target, y, weight = None, samples.target, samples.weight
        if self.head is not None:
            target = later_targets(self.head, y, weight, samples.steps.offsets)
        samples = replace(samples, target=target, weight=self._weight(samples, target))
        # Classes may have a weight of 0. Sequences of tags were counted without it.
        return samples if samples.per_step else weighted(samples)

    def _weight(self, samples, target):
        """The final weights of samples with such targets."""
        if self.first.targets.has_classes:
            return samples.weight * self.factors[target]
        return samples.weight * self.factors[0]


def _check_as_many(items, n, expected):
    """Raise unless there are as many items in an epoch as there were before."""
    if n != expected:
        raise ValueError(
            f"make_chunks yielded {n:,} {items} in an epoch, but {expected:,} in the "
            "first pass. Write a function that opens the data anew, and yields the "
            "same chunks at each call."
        )


def _training_data(samples, fit, execution, scale):
    """The training data of samples, or None if there are none, or without any target.

    Parameters
    ----------
    samples : Samples or None
    fit : Fit
    execution : Execution
    scale : float or None
        By what to multiply the weights of steps, if each has a target.
    """
    if samples is None:
        return None
    samples = _read_part(samples, fit)
    if scale is not None:
        if not len(samples.weight):  # empty sequences
            return None
        # The weights of all steps sum to the number of sequences, not those of these.
        scale_here = scale * len(samples.weight) / len(samples)
        samples = replace(samples, weight=samples.weight * scale_here)
    # On the host: nothing need be copied back from a device.
    check_values(fit.state, samples.steps.values, samples.steps.wide)
    return TrainingData.of(samples, fit.inputs.hiding, execution)


def _read_part(samples, fit):
    """Some of the samples as the network reads them, with weights as they are."""
    reader, head = fit.reader, fit.head
    steps = reader.with_wide(reader.encode(samples.steps, samples.positions))
    steps = fit.inputs.numbered(head.begun(steps))
    return head.unscaled_samples_of(replace(samples, steps=steps))


def read_chunks(chunks, settings, last, head, aim, group):
    """Read all chunks once, in a group those of each rank.

    Parameters
    ----------
    chunks : Chunks
    settings : Settings
    last : LastFit or None
    head : class or None
        The class of the head. None to choose it by the first y.
    aim : callable
        ``aim(sequences, y, weight)`` returns samples with their targets, and the head
        that predicts these.
    group : Alone or Group

    Returns
    -------
    kept : dict
        Attributes that describe X.
    schema : Schema
        What any other X must be like.
    epochs : EpochsInMemory or EpochsInChunks
        The former if a process is alone, and all sequences fit into the buffer.
    """
    options_for = partial(reading_options, settings, last)
    says = print if settings["verbose"] and group.rank == 0 else None
    has_checkpoint = group.of_first(lambda: settings["checkpoint"] is not None)
    first = first_pass(
        chunks,
        options_for,
        head,
        says=says,
        name_of=digest if has_checkpoint else None,
        group=group,
        is_new=last is None,
    )
    kept, schema = chunks.kept, chunks.schema
    if last is None:
        schema = schema.with_lengths(first.sizes.shortest, first.sizes.longest)
        kept.pop("n_features_in_", None)
        kept |= schema.attributes()
    if first.is_all:
        sample = first.sample
        check_not_all_0(sample.weight)
        epochs = EpochsInMemory(*aim(sample.steps, sample.target, sample.weight))
    else:
        class_weight = settings.parameters.get("class_weight")
        epochs = EpochsInChunks.of(chunks, first, class_weight, group)
    return kept, schema, epochs
