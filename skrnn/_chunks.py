"""The chunks of a ChunkedDataset, as samples, and these as many at a time as wanted."""

from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np

from skrnn._core.samples import Samples, join_samples
from skrnn._gathering import gather_schemas
from skrnn._reading.schema import NoStepsError


def check_whole(y, sample_weight, validation, settings):
    """Raise for arguments of `fit` that do not go with a ChunkedDataset."""
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
        ``validated(y, sample_weight, sequences, may_be_0=True)`` returns y and its
        weights as arrays, which may all be 0.
    has_tags : bool
        Whether each step has a target.
    needs_y : bool
        Whether chunks without y raise an error.

    Attributes
    ----------
    kept : dict
        What `read_first` returned; empty before the first chunk.
    schema : Schema or None
    """

    def __init__(
        self, dataset, read_first, read_more, validated, has_tags=False, needs_y=False
    ):
        self.dataset, self.has_tags = dataset, has_tags
        self.kept, self.schema = {}, None
        self._needs_y = needs_y
        self._read_first, self._read_more = read_first, read_more
        self._validated = validated

    def agree(self, group, is_new):
        """Raise unless the chunks of all ranks are alike; see `gather_schemas`."""
        described = self.kept, self.schema
        self.kept, self.schema = gather_schemas(group, *described, is_new)

    def samples(self):
        """Yield the samples of each chunk; errors say which chunk they are about.

        Yields
        ------
        samples : Samples
            With y and its weights. Their positions are those in the whole dataset.
        """
        n_before, had_y = 0, None
        for i, sequences, y, weight in self._read():
            with _about_chunk(i):
                samples = self._samples_of(sequences, y, weight)
                _check_has_y(samples.target is not None, had_y)
            del sequences, y, weight
            had_y = samples.target is not None
            n_before += len(samples)
            yield replace(
                samples, positions=samples.positions + n_before - len(samples)
            )

    def _read(self):
        """Yield the number of each chunk, its Sequences, y and weights.

        Chunks of empty sequences wait for the first one that shows what X is. If each
        step has a target, they have none, and are left out.
        """
        waiting, no_steps = [], None
        for i, (X, y, weight) in enumerate(self.dataset.chunks()):
            if _is_empty(X) and (y is None or _is_empty(y)):
                continue
            with _about_chunk(i):
                if self.schema is not None:
                    sequences = self._read_more(self.kept, self.schema, X)
                else:
                    try:
                        self.kept, self.schema, sequences = self._read_first(X, y)
                    except NoStepsError as error:
                        waiting.append((i, X, y, weight))
                        no_steps = error
                        continue
            for j, empty, *others in waiting if not self.has_tags else ():
                with _about_chunk(j):
                    read = self._read_more(self.kept, self.schema, empty)
                yield j, read, *others
            waiting.clear()
            del X
            if len(sequences.values) or not self.has_tags:
                yield i, sequences, y, weight
        if waiting:
            raise no_steps

    def _samples_of(self, sequences, y, sample_weight):
        if y is None and self._needs_y:
            raise ValueError(
                "This estimator requires y, but the chunk has none. Yield (X, y), or "
                "name the column: ChunkedDataset.from_parquet(path, X, y)."
            )
        y, weight = self._validated(y, sample_weight, sequences, may_be_0=True)
        positions = np.arange(len(sequences))
        return Samples(sequences, y, weight, positions, self.has_tags)


@contextmanager
def _about_chunk(i):
    """Errors of this block say which chunk they are about."""
    try:
        yield
    except Exception as error:
        error.add_note(f"This was chunk {i}, counted from 0.")
        raise


def _is_empty(items):
    """Whether a container of any kind has no items."""
    shape = getattr(items, "shape", None)
    if shape is not None:
        return len(shape) > 0 and shape[0] == 0
    return hasattr(items, "__len__") and not isinstance(items, str) and not len(items)


def _check_has_y(has_y, had_y):
    if had_y is not None and had_y != has_y:
        raise ValueError(
            "Some chunks have y, and others have none. Yield (X, y) for each chunk, or "
            "X for each."
        )


class Stream:
    """The samples of chunks, as one sequence after the other.

    Parameters
    ----------
    chunks : iterable of Samples
    """

    def __init__(self, chunks):
        self._chunks, self._pending = iter(chunks), deque()

    def take(self, n):
        """The next `n` sequences, or as many as are left; None if there are none."""
        taken, n_left = [], n
        while n_left > 0:
            samples = self._pending.popleft() if self._pending else None
            if samples is None and (samples := next(self._chunks, None)) is None:
                break
            if len(samples) > n_left:
                self._pending.appendleft(samples.part(n_left, len(samples)))
                samples = samples.part(0, n_left)
            taken.append(samples)
            n_left -= len(samples)
        return join_samples(taken) if taken else None

    def in_buffers(self, size):
        """An iterator over all sequences, `size` of them at a time."""
        return iter(partial(self.take, size), None)


def weighted(samples):
    """The samples whose weight is above 0."""
    is_used = samples.weight_of_sequences > 0 if samples.weight.any() else None
    if is_used is None:
        return samples.part(0, 0)
    if is_used.all():
        return samples
    return samples.take(np.flatnonzero(is_used), is_scaled=False)
