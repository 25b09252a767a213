"""The first pass over a ChunkedDataset: what a fit must know before its first epoch."""

import math
import time
from dataclasses import dataclass
from itertools import islice

import numpy as np

from skrnn._chunks import in_buffers, weighted
from skrnn._core.samples import Samples, join_samples
from skrnn._heads.counts import TargetCounts
from skrnn._reading.reader import ReaderCounts

# The maximum number of n-grams of each length, and of subwords, that are counted at a
# time: as many as the wide path learns. They take up to a tenth of a gigabyte.
MAX_COUNTED = 2**18


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many sequences there are, and how long they are; by default, of none.

    Attributes
    ----------
    n_samples : int
        The number of all sequences.
    n_weighted, n_rows : int
        The number of sequences of a weight above 0, and of their steps.
    weight_of_steps : float
        The sum of the weights of sequences, each times its number of steps.
    shortest, longest : int
        The least and the largest number of steps of a sequence.
    """

    n_samples: int = 0
    n_weighted: int = 0
    n_rows: int = 0
    weight_of_steps: float = 0.0
    shortest: float = math.inf
    longest: int = 0

    @classmethod
    def of(cls, samples, used):
        """Those of samples, of which some are of a weight above 0."""
        lengths, weight = samples.steps.lengths, used.weight
        of_steps = weight.sum() if used.per_step else weight @ used.steps.lengths
        sizes = len(samples), len(used), len(used.steps.values), float(of_steps)
        return cls(*sizes, int(lengths.min()), int(lengths.max()))

    def merged(self, other):
        """Those of these samples and of others."""
        return Sizes(
            self.n_samples + other.n_samples,
            self.n_weighted + other.n_weighted,
            self.n_rows + other.n_rows,
            self.weight_of_steps + other.weight_of_steps,
            min(self.shortest, other.shortest),
            max(self.longest, other.longest),
        )


@dataclass(frozen=True, slots=True)
class FirstPass:
    """What is known of a dataset after the first pass.

    Attributes
    ----------
    sample : Samples
        A uniform sample of the sequences, in their order; all if they fit into the
        buffer.
    sizes : Sizes
    targets : TargetCounts or None
    counts : ReaderCounts or None
        None for both if `sample` has all sequences.
    names : tuple of str
        Names of all parts of the data, if they were asked for.
    """

    sample: Samples
    sizes: Sizes
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
    started, size, names = time.perf_counter(), chunks.dataset.buffer_size, []
    buffers = in_buffers(chunks.samples(), size)
    if name_of is not None:
        buffers = _noting(names, name_of, buffers)
    pending = list(islice(buffers, 2))  # which are in memory at most
    if not pending:
        raise ValueError(
            "make_chunks yielded no chunks: at least one sequence is needed. Check the "
            "path or the condition that chooses them."
        )
    if len(pending) == 1:
        (samples,) = pending
        return FirstPass(samples, Sizes.of(samples, samples))
    counted = _Counted(size, options_for, head)
    while pending:
        counted.add(pending.pop(0))
        pending += islice(buffers, 1)
    if says is not None:
        seconds = time.perf_counter() - started
        says(f"Read {counted.sizes.n_samples:,} sequences in {seconds:.0f} s")
    sample = counted.sample.samples()
    of_all = counted.sizes, counted.targets, counted.counts
    return FirstPass(sample, *of_all, tuple(names))


def _noting(names, name_of, buffers):
    """Yield buffers, of which a list gets the names."""
    for samples in buffers:
        names.append(name_of(samples))
        yield samples


class _Counted:
    """What has been counted of the buffers that were added so far.

    The first one decides what y is, and how sequences are read.

    Parameters
    ----------
    n_most : int
        The size of the sample.
    options_for, head
        As in :func:`first_pass`.
    """

    def __init__(self, n_most, options_for, head):
        self.sample, self.sizes = UniformSample(n_most), Sizes()
        self.targets = self.counts = None
        self._options_for, self._head = options_for, head
        self._options = self._has_labels = None

    def add(self, samples):
        """Count a buffer."""
        used = weighted(samples)
        self.sizes = self.sizes.merged(Sizes.of(samples, used))
        self._add_targets(samples)
        if len(used):
            self.sample.add(used)
            self._add_counts(used)

    def _add_targets(self, samples):
        y, weight = samples.target, samples.weight
        if self.targets is None:
            self.targets = TargetCounts.of(y, weight, self._head)
            of_first = self.targets.head, samples.steps
            self._options, self._has_labels = self._options_for(*of_first)
        else:
            self.targets = self.targets.merged(self.targets.of_others(y, weight))

    def _add_counts(self, used):
        options = self._options
        if options is None:  # they are read as in the last fit
            return
        if self.counts is None:
            self.counts = ReaderCounts.of(options, used, self._has_labels)
        else:
            more = self.counts.of_others(options, used)
            self.counts = self.counts.merged(more, MAX_COUNTED)


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
