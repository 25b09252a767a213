"""The chunks of a ChunkedDataset, as samples, and these as many at a time as wanted."""

from dataclasses import replace

import numpy as np

from skrnn._core.samples import Samples, join_samples


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


def _check_has_y(has_y, had_y):
    if had_y is not None and had_y != has_y:
        raise ValueError(
            "Some chunks have y, and others have none. Yield (X, y) for each chunk, or "
            "X for each."
        )


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


def weighted(samples):
    """The samples whose weight is above 0."""
    is_used = samples.weight_of_sequences > 0 if samples.weight.any() else None
    if is_used is None:
        return samples.part(0, 0)
    if is_used.all():
        return samples
    return samples.take(np.flatnonzero(is_used), is_scaled=False)
