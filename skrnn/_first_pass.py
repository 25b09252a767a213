"""The first pass over a ChunkedDataset: what a fit must know before its first epoch.

Each rank of a group passes over its own dataset. Rank 0 decides what y is, and how
sequences are read; what ranks have counted is merged at the end, in their order.
"""

import math
import time
from dataclasses import dataclass
from functools import partial, reduce
from itertools import islice

import numpy as np

from skrnn._chunks import Stream, weighted
from skrnn._core.group import ALONE
from skrnn._core.samples import Samples, join_samples
from skrnn._gathering import check_same
from skrnn._heads.counts import TargetCounts
from skrnn._reading.reader import ReaderCounts

# The maximum number of n-grams of each length, and of subwords, that are counted at a
# time: as many as the wide path learns. They take up to a tenth of a gigabyte.
MAX_COUNTED = 2**18
_SECONDS_BETWEEN_LINES = 10


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
        A uniform sample of the sequences of all ranks, in their order; all if they fit
        into the buffer.
    sizes : Sizes
    targets : TargetCounts or None
    counts : ReaderCounts or None
        None for both if the only rank has `sample`, and no other sequences.
    of_ranks : tuple of tuple (Sizes, TargetCounts)
        What each rank has read.
    names : tuple
        Names of all parts of the data, if they were asked for: str, or a tuple for each
        of several ranks.
    """

    sample: Samples
    sizes: Sizes
    targets: TargetCounts | None = None
    counts: ReaderCounts | None = None
    of_ranks: tuple = ()
    names: tuple = ()

    @property
    def is_all(self):
        """Whether the sample has all sequences, which need not be read again."""
        return self.targets is None


def first_pass(
    chunks, options_for, head=None, says=None, name_of=None, group=ALONE, is_new=True
):
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
        Is called with a line of text at the end, and every ten seconds before.
    name_of : callable, default=None
        ``name_of(samples)`` returns a name by which data is recognised.
    group : Alone or Group, default=ALONE
        The processes that train together.
    is_new : bool, default=True
        Whether this is no continued fit.

    Returns
    -------
    first : FirstPass
    """
    started = said = time.perf_counter()
    size, names = chunks.dataset.buffer_size, []
    buffers = Stream(chunks.samples()).in_buffers(size)
    if name_of is not None:
        buffers = _noting(names, name_of, buffers)
    pending = list(islice(buffers, 2))  # which are in memory at most
    if not pending:
        raise ValueError(
            "make_chunks yielded no chunks: at least one sequence is needed. Check the "
            "path or the condition that chooses them."
        )
    if len(pending) == group.world_size == 1:
        (samples,) = pending
        return FirstPass(samples, Sizes.of(samples, samples))
    chunks.agree(group, is_new)
    counted = _Counted(group.of_first(lambda: size), options_for, head, group)
    while pending:
        counted.add(pending.pop(0))
        if says is not None and time.perf_counter() - said > _SECONDS_BETWEEN_LINES:
            said = time.perf_counter()
            says(f"Read {counted.n_samples:,} sequences so far")
        pending += islice(buffers, 1)
    first = counted.of_all(tuple(names))
    if says is not None:
        seconds = time.perf_counter() - started
        says(f"Read {first.sizes.n_samples:,} sequences in {seconds:.0f} s")
    return first


def _noting(names, name_of, buffers):
    """Yield buffers, of which a list gets the names."""
    for samples in buffers:
        names.append(name_of(samples))
        yield samples


class _Counted:
    """What has been counted of the buffers of this rank that were added so far.

    The first one of rank 0 decides what y is, and how sequences are read.

    Parameters
    ----------
    n_most : int
        The size of the sample.
    options_for, head, group
        As in :func:`first_pass`.
    """

    def __init__(self, n_most, options_for, head, group):
        self._options_for, self._head, self._group = options_for, head, group
        self._sample, self._sizes = UniformSample(n_most, group.rank), Sizes()
        self._targets = self._counts = None
        self._options = self._decided = None

    @property
    def n_samples(self):
        """The number of sequences that were added."""
        return self._sizes.n_samples

    def add(self, samples):
        """Count a buffer."""
        used = weighted(samples)
        self._sizes = self._sizes.merged(Sizes.of(samples, used))
        if self._targets is None:
            self._begin(samples, used)
        else:
            more = self._targets_of_others(self._targets, samples)
            self._targets = self._targets.merged(more)
            self._add_counts(used)
        if len(used):
            self._sample.add(used)

    def _targets_of_others(self, targets, samples):
        """Those of samples, which must be like the targets of the first ones."""
        try:
            return targets.of_others(samples.target, samples.weight)
        except ValueError as error:
            if rank := self._group.rank:
                note = f"This was on rank {rank}. The first chunk is that of rank 0."
                error.add_note(note)
            raise

    def _begin(self, samples, used):
        """Count the first buffer, after that of rank 0 has decided what to count."""
        group, y = self._group, samples.target
        are_given = group.gather(y is not None)
        check_same("That y is given is", are_given, "Pass it on all ranks, or none.")
        decide = partial(TargetCounts.of, y, samples.weight, self._head)
        targets = group.of_first(decide)
        is_first = group.rank == 0
        if not is_first:
            targets = self._targets_of_others(targets, samples)
        self._targets = targets
        self._options, has_labels = self._options_for(targets.head, samples.steps)
        if self._options is None:  # they are read as in the last fit
            return
        decisive = used if len(used) else samples
        count = partial(ReaderCounts.of, self._options, decisive, has_labels)
        counts = group.of_first(count)
        if is_first and len(used):
            self._counts = counts
        else:
            self._decided = counts
            self._add_counts(used)

    def _add_counts(self, used):
        if self._options is None or not len(used):
            return
        if self._counts is None:
            self._counts = self._decided.of_others(self._options, used)
        else:
            more = self._counts.of_others(self._options, used)
            self._counts = self._counts.merged(more, MAX_COUNTED)

    def of_all(self, names):
        """What all ranks have counted, and the names of what they have read.

        Returns
        -------
        first : FirstPass
        """
        group, own = self._group, (self._sizes, self._targets)
        of_ranks = tuple(group.gather(own))
        if group.world_size == 1:
            return FirstPass(
                self._sample.samples(), *own, self._counts, of_ranks, names
            )
        all_sizes, all_targets = zip(*of_ranks, strict=True)
        return FirstPass(
            self._sample.of_all(group),
            reduce(Sizes.merged, all_sizes),
            reduce(TargetCounts.merged, all_targets),
            self._counts_of_all(),
            of_ranks,
            tuple(group.gather(names)),
        )

    def _counts_of_all(self):
        total = None
        for counts in self._group.in_turn(self._counts):
            if total is None or counts is None:  # all weights of that rank are 0
                total = total or counts
            else:
                total = total.merged(counts, MAX_COUNTED)
        return total


class UniformSample:
    """A uniform sample of sequences, of which some are added at a time.

    Each sequence has a random number, and those with the smallest ones are kept.

    Parameters
    ----------
    n_most : int
        The size of the sample.
    seed : int, default=0
        Another one for each rank.
    """

    def __init__(self, n_most, seed=0):
        self._n_most = n_most
        # A generator of its own, so that the weights of the network are those of a fit
        # that has all data in memory.
        self._generator = np.random.default_rng(seed)
        self._keys, self._samples = np.empty(0), None

    def add(self, samples):
        """Add samples, with Sequences."""
        self._add(samples, self._generator.random(len(samples)))

    def of_all(self, group):
        """The sample of all that the ranks of a group have added."""
        total = UniformSample(self._n_most)
        for samples, keys in group.in_turn((self._samples, self._keys)):
            if samples is not None:
                total._add(samples, keys)
        return total.samples()

    def _add(self, samples, keys):
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
