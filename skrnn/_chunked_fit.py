"""The first pass over a ChunkedDataset, and the parts that an epoch reads."""

import time
from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.samples import Samples, join_samples
from skrnn._heads.class_weight import weigh_classes
from skrnn._heads.counts import TargetCounts
from skrnn._heads.later import later_targets
from skrnn._reading.reader import ReaderCounts

# The maximum number of n-grams of each length, and of subwords, that are counted at a
# time: as many as the wide path learns. They take up to a tenth of a gigabyte.
MAX_COUNTED = 2**18


def check_whole(dataset, y, sample_weight, validation, settings, group):
    """Raise for arguments of `fit` that do not go with a ChunkedDataset."""
    if group.world_size > 1:
        raise ValueError(
            "X is a ChunkedDataset, which a single process reads. Fit on it outside "
            "data_parallel, or pass each rank its sequences."
        )
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name} is provided beside a ChunkedDataset, whose chunks have their "
                f"own. Leave it out, and yield (X, y) or (X, y, sample_weight)."
            )
    if settings["early_stopping"] and validation.X is None:
        raise ValueError(
            "early_stopping=True holds out some of the sequences, but those of a "
            "ChunkedDataset are not in memory. Pass X_val and y_val."
        )


class Chunks:
    """The chunks of a dataset, as samples.

    Parameters
    ----------
    dataset : ChunkedDataset
    read_first : callable
        ``read_first(X, y)`` returns the attributes that describe X, its Schema, and
        Sequences.
    read_more : callable
        ``read_more(kept, schema, X)`` returns the Sequences of another X.
    validated : callable
        ``validated(y, sample_weight, sequences)`` returns y and its weights as arrays.
    has_tags : bool
        Whether each step has a target.

    Attributes
    ----------
    kept : dict
        What `read_first` returned; empty before the first chunk.
    schema : Schema or None
    """

    def __init__(self, dataset, read_first, read_more, validated, has_tags=False):
        self.dataset, self.has_tags = dataset, has_tags
        self.kept, self.schema = {}, None
        self._read_first, self._read_more = read_first, read_more
        self._validated = validated

    def samples(self):
        """Yield the samples of each chunk; errors say which chunk they are about.

        Yields
        ------
        samples : Samples
            With y and its weights. Their positions are those in the whole dataset.
        """
        n_before, had_y = 0, None
        for i, chunk in enumerate(self.dataset.chunks()):
            try:
                samples = self._samples_of(*chunk)
                _check_has_y(samples.target is not None, had_y)
            except Exception as error:
                error.add_note(f"This was chunk {i}, counted from 0.")
                raise
            del chunk
            had_y = samples.target is not None
            n_before += len(samples)
            yield replace(
                samples, positions=samples.positions + n_before - len(samples)
            )

    def _samples_of(self, X, y, sample_weight):
        if self.schema is None:
            self.kept, self.schema, sequences = self._read_first(X, y)
        else:
            sequences = self._read_more(self.kept, self.schema, X)
        y, weight = self._validated(y, sample_weight, sequences)
        positions = np.arange(len(sequences))
        return Samples(sequences, y, weight, positions, self.has_tags)


@dataclass(frozen=True, slots=True)
class FirstPass:
    """What is known of a dataset after the first pass.

    Attributes
    ----------
    sample : Samples
        A uniform sample of the sequences, in their order; all if they fit into the
        buffer.
    n_samples : int
        The number of all sequences.
    n_weighted, n_rows : int
        The number of sequences of a weight above 0, and of their steps.
    weight_of_steps : float
        The sum of the weights of sequences, each times its number of steps.
    shortest, longest : int
        The least and the largest number of steps of a sequence.
    targets : TargetCounts or None
    counts : ReaderCounts or None
        None for both if `sample` has all sequences.
    names : tuple of str
        Names of all parts of the data, if they were asked for.
    """

    sample: Samples
    n_samples: int
    n_weighted: int
    n_rows: int
    weight_of_steps: float
    shortest: int
    longest: int
    targets: TargetCounts | None = None
    counts: ReaderCounts | None = None
    names: tuple = ()

    @property
    def is_all(self):
        """Whether the sample has all sequences."""
        return self.targets is None


def first_pass(chunks, options_for, head=None, says=None, name_of=None):
    """Read all chunks once.

    Parameters
    ----------
    chunks : Chunks
    options_for : callable
        ``options_for(head, sequences)`` returns the ReadingOptions, and whether labels
        are predicted.
    head : class, default=None
        The class of the head. None to choose it by the first y.
    says : callable, default=None
        Is called with a line of text at the end.
    name_of : callable, default=None
        ``name_of(samples)`` returns a name by which data is recognised.

    Returns
    -------
    first : FirstPass
    """
    started, size = time.perf_counter(), chunks.dataset.buffer_size
    buffers, names = in_buffers(chunks.samples(), size), []
    if name_of is not None:
        buffers = _noting(names, name_of, buffers)
    block = next(buffers, None)
    if block is None:
        raise ValueError(
            "make_chunks yielded no chunks: at least one sequence is needed. Check the "
            "path or the condition that chooses them."
        )
    following = next(buffers, None)
    if following is None:
        lengths = block.steps.lengths
        sizes = len(block), len(block), int(lengths.sum()), _weight_of_steps(block)
        return FirstPass(block, *sizes, int(lengths.min()), int(lengths.max()))
    sample, targets, counts = UniformSample(size), None, None
    n_samples = n_weighted = n_rows = longest = 0
    weight_of_steps = 0.0
    shortest = np.inf
    while block is not None:
        lengths = block.steps.lengths
        n_samples += len(block)
        shortest, longest = min(shortest, lengths.min()), max(longest, lengths.max())
        if targets is None:
            targets = TargetCounts.of(block.target, block.weight, head)
            options, has_labels = options_for(targets.head, block.steps)
        else:
            more = targets.of_others(block.target, block.weight)
            targets = targets.merged(more)
        block = _weighted(block)
        n_weighted, n_rows = n_weighted + len(block), n_rows + len(block.steps.values)
        weight_of_steps += _weight_of_steps(block)
        if len(block):
            sample.add(block)
            if counts is None and options is not None:
                counts = ReaderCounts.of(options, block, has_labels)
            elif options is not None:
                more = counts.of_others(options, block)
                counts = counts.merged(more, MAX_COUNTED)
        block, following = following, None
        following = next(buffers, None) if block is not None else None
    seconds = time.perf_counter() - started
    if says is not None:
        says(f"Read {n_samples:,} sequences in {seconds:.0f} s")
    sizes = n_samples, n_weighted, n_rows, weight_of_steps, int(shortest), int(longest)
    return FirstPass(sample.samples(), *sizes, targets, counts, tuple(names))


def _weight_of_steps(samples):
    """The sum of the weights of all steps."""
    weight = samples.weight
    return float(weight.sum() if samples.per_step else weight @ samples.steps.lengths)


def _noting(names, name_of, buffers):
    """Yield buffers, of which a list gets the names."""
    for samples in buffers:
        names.append(name_of(samples))
        yield samples


class UniformSample:
    """A uniform sample of sequences, of which some are added at a time.

    Each sequence has a random number, and those with the smallest ones are kept.

    Parameters
    ----------
    n_most : int
        The size of the sample.
    """

    def __init__(self, n_most):
        self._n_most = n_most
        # A generator of its own, so that the weights of the network are those of a fit
        # that has all data in memory.
        self._generator = np.random.default_rng(0)
        self._keys, self._samples = np.empty(0), None

    def add(self, samples):
        """Add samples, with Sequences."""
        keys = self._generator.random(len(samples))
        parts = [] if self._samples is None else [(self._samples, self._keys)]
        parts.append((samples, keys))
        keys = np.concatenate([of for _, of in parts])
        most = np.sort(keys)[: self._n_most][-1]
        kept = [some.take(np.flatnonzero(of <= most), False) for some, of in parts]
        self._samples = join_samples([some for some in kept if len(some)])
        self._keys = keys[keys <= most]

    def samples(self):
        """The sample, in the order in which sequences were added."""
        return self._samples


def in_buffers(chunks, size):
    """Yield the samples of chunks, `size` sequences at a time.

    Parameters
    ----------
    chunks : iterable of Samples
    size : int
    """
    pending, n = [], 0
    for samples in chunks:
        start = 0
        while n + len(samples) - start >= size:
            stop = start + size - n
            pending.append(samples.part(start, stop))
            start, n = stop, 0
            yield _emptied(pending)
        if start < len(samples):
            pending.append(samples.part(start, len(samples)))
            n += len(samples) - start
    if pending:
        yield _emptied(pending)


def _emptied(pending):
    """The joined samples in a list, which is cleared, so that it does not hold them."""
    samples = join_samples(pending)
    pending.clear()
    return samples


def _weighted(samples):
    """The samples whose weight is above 0."""
    is_used = samples.weight_of_sequences > 0 if samples.weight.any() else None
    if is_used is None:
        return samples.part(0, 0)
    if is_used.all():
        return samples
    return samples.take(np.flatnonzero(is_used), is_scaled=False)


@dataclass(frozen=True, slots=True)
class Epochs:
    """What `fit` reads in each epoch, once the head is known.

    Attributes
    ----------
    chunks : Chunks
    first : FirstPass
    head : Head or None
    factors : ndarray of shape (n_labels,)
        By what the weight of each target is multiplied; see TargetCounts.
    n_samples : int
        The number of sequences of an epoch.
    """

    chunks: Chunks
    first: FirstPass
    head: object
    factors: np.ndarray
    n_samples: int

    @classmethod
    def of(cls, chunks, first, class_weight=None):
        """The epochs after a first pass."""
        targets, sample = first.targets, first.sample
        head = targets.learned_head()
        if class_weight is not None and not targets.has_classes:  # it raises
            weigh_classes(class_weight, sample.target, sample.weight, None)
        factors, n_weighted = targets.factors(class_weight)
        if chunks.has_tags or not targets.has_classes:
            n_weighted = first.n_weighted
        epochs = cls(chunks, first, head, factors, n_weighted)
        if head is not None:
            weight = epochs._weight(sample, head.targets(sample.target, sample.weight))
            head = head.fitted_to(sample.target, weight)
        return replace(epochs, head=head)

    @property
    def counts(self):
        """What was counted of the sequences in the first pass."""
        return self.first.counts

    @property
    def names(self):
        """Names of all parts of the data, if they were asked for."""
        return self.first.names

    @property
    def n_rows(self):
        """The number of steps of all sequences."""
        return self.first.n_rows

    @property
    def weight_of_steps(self):
        """The sum of the final weights of sequences, each times its number of steps."""
        return self.first.weight_of_steps * self.factors[0]

    @property
    def has_tags(self):
        """Whether each step has a target."""
        return self.chunks.has_tags

    def n_times(self, reader, samples):
        """How often each id of a reader occurs in an epoch; None for series.

        Parameters
        ----------
        reader : TokenReader or SeriesReader
        samples : Samples
            With Steps: the sample.
        """
        if reader.kind == "series":
            return None
        if self.counts is not None:
            counts = self.counts.tokens.n_times(reader, self.chunks.schema.options)
            if counts is not None:
                return counts
        # Of what is known in advance, what is not in the sample occurs at most once in
        # as many sequences as that stands for.
        share = len(samples) / self.n_samples
        return (
            np.bincount(samples.steps.values.reshape(-1), minlength=reader.n_ids)
            / share
        )

    def sample(self):
        """The sample, with targets and weights."""
        return self._aimed(self.first.sample)

    def buffers(self, batch_size):
        """Yield all samples of a weight above 0, about a buffer of them at a time.

        Parameters
        ----------
        batch_size : int
            The number of sequences of a buffer is a multiple of it.

        Yields
        ------
        samples : Samples
            With Sequences, the targets of the head, and weights whose sum over all
            targets is the number of sequences of that weight.
        """
        size = self.chunks.dataset.buffer_size
        size = max(batch_size, size // batch_size * batch_size)
        yield from in_buffers(self._samples(), size)

    def _samples(self):
        expected, n = self.first.n_samples, 0
        for samples in self.chunks.samples():
            n += len(samples)
            if n <= expected:
                samples = self._aimed(samples)
                if len(samples):
                    yield samples
        if n != expected:
            raise ValueError(
                f"make_chunks yielded {n:,} sequences in an epoch, but {expected:,} in "
                "the first pass. Write a function that opens the data anew, and yields "
                "the same chunks at each call."
            )

    def _aimed(self, samples):
        """Samples of weight above 0 with the targets of the head, and final weights."""
        target, y, weight = None, samples.target, samples.weight
        if self.head is not None:
            target = later_targets(self.head, y, weight, samples.steps.offsets)
        weight = self._weight(samples, target)
        return _weighted(replace(samples, target=target, weight=weight))

    def _weight(self, samples, target):
        """The final weights of samples with such targets."""
        if self.first.targets.has_classes:
            return samples.weight * self.factors[target]
        return samples.weight * self.factors[0]


def _check_has_y(has_y, had_y):
    if had_y is not None and had_y != has_y:
        raise ValueError(
            "Some chunks have y, and others have none. Yield (X, y) for each chunk, or "
            "X for each."
        )
