"""What the ranks do in tests/test_chunked_ranks.py: fits, each on chunks of its own.

It is run as tests/ranks.py is.
"""

import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from quiet import Quiet
from ranks import LABELS, SERIES, STRINGS, SUMS, TOKENS, UPPER, VECTORS, WEIGHT, main
from sklearn.base import clone

from skrnn import (
    ChunkedDataset,
    RNNClassifier,
    RNNEncoder,
    RNNRegressor,
    RNNTagger,
)
from skrnn._core.batches import Batches
from skrnn._core.execution import Execution
from skrnn._core.group import Group
from skrnn._core.trainer import Trainer
from skrnn._core.training_data import TrainingData
from skrnn.distributed import data_parallel

SIZES = {"nhidden": 6, "max_iter": 4, "random_state": 0}
# Each update is by all sequences, and nothing is random but the initial weights.
WHOLE = {**SIZES, "batch_size": 1000, "dropout": 0.0, "token_dropout": 0.0}
WEIGHT_OF_FIRST = (np.arange(81) < 74).astype(float)  # rank 0 of 2 has so many
WEIGHT_OF_LAST_STEPS = [np.eye(len(x))[-1] for x in TOKENS]
CLASSES = ["ab" if label in "ab" else label for label in LABELS]

# What to fit: an estimator, X, y and sample_weight.
FITS = {
    "strings": (RNNClassifier(**WHOLE), STRINGS, CLASSES, WEIGHT),
    "balanced": (
        RNNClassifier(**WHOLE, class_weight="balanced"),
        STRINGS,
        LABELS,
        None,
    ),
    "without_weight": (RNNClassifier(**WHOLE), STRINGS, LABELS, WEIGHT_OF_FIRST),
    "tokens": (RNNClassifier(**WHOLE, min_df=2), TOKENS, LABELS, None),
    "embeddings": (RNNClassifier(**WHOLE, embeddings=VECTORS), TOKENS, LABELS, None),
    "numbers": (RNNRegressor(**WHOLE), SERIES, SUMS, None),
    "wide_series": (RNNClassifier(**WHOLE), SERIES, SUMS[:, 0] > 0, None),
    "features": (
        RNNTagger(**WHOLE),
        [[{"letter": c, "first": i == 0} for i, c in enumerate(x)] for x in STRINGS],
        UPPER,
        None,
    ),
    "windows": (RNNTagger(**WHOLE, truncate=3), TOKENS, UPPER, None),
    "weighted_tags": (RNNTagger(**WHOLE), TOKENS, UPPER, WEIGHT_OF_LAST_STEPS),
    "some_classes": (
        RNNTagger(**WHOLE, class_weight={label: label > "B" for label in "ABCDEF"}),
        TOKENS,
        UPPER,
        None,
    ),
    "next_steps": (RNNEncoder(**WHOLE), STRINGS, None, WEIGHT),
}
SAME_ROWS = "strings", "embeddings", "features", "windows"


def share_of(items, rank, n_ranks):
    """The items of a rank: rank 0 has ten times as many as each of the others."""
    if items is None:
        return None
    first = round(10 * len(items) / (9 + n_ranks))
    cuts = np.linspace(first, len(items), n_ranks).astype(int)
    return items[cuts[rank - 1] if rank else 0 : cuts[rank]]


def dataset(parts, rank=0, n_ranks=1, *, size=5, buffer_size=1000):
    """X, y and sample_weight of a rank, some sequences at a time."""
    parts = [share_of(part, rank, n_ranks) for part in parts]

    def make_chunks():
        for i in range(0, len(parts[0]), size):
            yield tuple(None if part is None else part[i : i + size] for part in parts)

    return ChunkedDataset(make_chunks, buffer_size=buffer_size)


@contextmanager
def _with(cls, name, value):
    """A method of a class is another one in this block."""
    before = vars(cls)[name]
    setattr(cls, name, value)
    try:
        yield
    finally:
        setattr(cls, name, before)


def fit(name, rank=0, n_ranks=1):
    """Fit to the chunks of a rank; without other ranks, to what is in memory.

    Rare tokens would be hidden at random, whatever the parameters are.
    """
    estimator, *parts = FITS[name]
    with _with(Batches, "_with_some_hidden", lambda self, generator: self.data.values):
        if n_ranks == 1:
            return clone(estimator).fit(*parts)
        return clone(estimator).fit(dataset(parts, rank, n_ranks))


def fit_of_rows(name, rank=0, n_ranks=1):
    """The same, where updates move the vectors of tokens in the minibatch alone."""
    with _with(Trainer, "_has_few_of_many_tokens", lambda self, weights, data: True):
        return fit(name, rank, n_ranks)


def some_rows(ranks):
    return [fit_of_rows(name, ranks.rank, ranks.world_size) for name in SAME_ROWS]


def by_torch(ranks):
    """Fits by torch's operations, as on a GPU, but here."""
    here = {"n_threads": 1, "kernels": "autograd"}
    with _with(Execution, "on", lambda self, name: replace(self, **here)):
        return [*some_rows(ranks), minibatches(ranks)]


MINIBATCHES = {**SIZES, "batch_size": 8, "dropout": 0.3}


def minibatches(ranks=None, **parameters):
    """Many updates by several sequences, in buffers that are smaller than the data."""
    rank, n_ranks = (0, 1) if ranks is None else (ranks.rank, ranks.world_size)
    data = dataset((STRINGS, LABELS), rank, n_ranks, buffer_size=20)
    return RNNClassifier(**{**MINIBATCHES, **parameters}).fit(data)


def two_layers(ranks):
    return minibatches(ranks, nhidden=(6, 4), cell="lstm")


def without_sharing(ranks):
    """Fits of which rank 0 does not give the others its weights at the end."""
    with _with(Group, "share", lambda self, tensors: self._meet("share nothing")):
        return [two_layers(ranks), *some_rows(ranks), *by_torch(ranks)]


def sizes_of_updates(ranks):
    """How many sequences of each minibatch are of this rank."""

    def noted(self, generator):
        for shards in original(self, generator):
            sizes.append(sum(map(len, shards)))
            yield shards

    original, sizes = Batches.of_an_epoch, []
    with _with(Batches, "of_an_epoch", noted):
        minibatches(ranks, max_iter=2)
    return sizes


def in_memory_at_once(ranks):
    """The largest number of sequences that an epoch has in memory on this rank."""

    def noted(samples, *of, **options):
        sizes.append(len(samples))
        return original(samples, *of, **options)

    original, sizes = TrainingData.of, []
    with _with(TrainingData, "of", noted):
        minibatches(ranks)
    return max(sizes)


class _Callback(Quiet):
    """Calls a function after the second epoch."""

    def __init__(self, function):
        self.function, self.n_epochs = function, 0

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch":
            self.n_epochs += 1
            if context.task_id == 1:
                self.function()


def interrupted(ranks):
    """The second rank is interrupted while it reads its first chunk of an epoch."""
    passes, parts = [], (STRINGS, LABELS)
    make_chunks = dataset(parts, ranks.rank, ranks.world_size).make_chunks

    def interrupting():
        passes.append(None)
        if ranks.rank == 1 and len(passes) == 4:  # the third epoch
            os.kill(os.getpid(), signal.SIGINT)
        return make_chunks()

    classifier = RNNClassifier(**{**MINIBATCHES, "max_iter": 50})
    return classifier.fit(ChunkedDataset(interrupting, buffer_size=20))


def _with_checkpoint(ranks, function=lambda: None):
    callback = _Callback(function)
    folder = Path(sys.argv[1]) / "files" if ranks.rank == 0 else None
    estimator = RNNClassifier(**MINIBATCHES, checkpoint=folder).set_callbacks(callback)
    parts = STRINGS, LABELS
    data = dataset(parts, ranks.rank, ranks.world_size, buffer_size=20)
    return estimator.fit(data).set_callbacks(), callback.n_epochs


def begins_with_checkpoint(ranks):
    def fail():
        if ranks.rank == 1:
            raise MemoryError("no more")

    _with_checkpoint(ranks, fail)


def continues_from_checkpoint(ranks):
    return _with_checkpoint(ranks)


def _fit_chunks(ranks, first, second, **options):
    """Rank 0 reads the first function's chunks, and the others those of the second."""
    make_chunks = first if ranks.rank == 0 else second
    data = ChunkedDataset(make_chunks, buffer_size=20)
    return RNNClassifier(**{**MINIBATCHES, **options}).fit(data)


def _some():
    return dataset((STRINGS, LABELS)).make_chunks()


def has_no_chunks(ranks):
    _fit_chunks(ranks, _some, lambda: iter(()))


def fails_in_the_first_pass(ranks):
    def failing():
        yield from _some()
        raise OSError("disk removed")

    _fit_chunks(ranks, _some, failing)


def fails_in_an_epoch(ranks):
    passes = []

    def failing():
        passes.append(None)
        for i, chunk in enumerate(_some()):
            if i == 12 and len(passes) == 3:
                raise OSError("disk removed")
            yield chunk

    _fit_chunks(ranks, _some, failing)


def has_fewer_in_an_epoch(ranks):
    passes = []

    def fewer():
        passes.append(None)
        chunks = list(_some())
        return iter(chunks if len(passes) == 1 else chunks[:-1])

    _fit_chunks(ranks, _some, fewer)


def has_more_in_an_epoch(ranks):
    passes = []

    def more():
        passes.append(None)
        chunks = list(_some())
        return iter(chunks if len(passes) == 1 else [*chunks, chunks[0]])

    _fit_chunks(ranks, _some, more)


def other_labels(ranks):
    _fit_chunks(ranks, _some, lambda: iter([(STRINGS, [0, 1, 2] * 27)]))


def other_kind(ranks):
    _fit_chunks(ranks, _some, lambda: iter([([[1], [2]], ["a", "b"])]))


def without_y(ranks):
    encoder, parts = RNNEncoder(**SIZES), (STRINGS, LABELS if ranks.rank else None)
    encoder.fit(dataset(parts, ranks.rank, ranks.world_size))


def not_in_chunks(ranks):
    classifier = RNNClassifier(**SIZES)
    if ranks.rank == 0:
        classifier.fit(STRINGS, LABELS)
    else:
        classifier.fit(dataset((STRINGS, LABELS), ranks.rank, ranks.world_size))


def _call(name):
    with data_parallel(timeout=60) as ranks:
        if name in FITS:
            return fit(name, ranks.rank, ranks.world_size)
        return globals()[name](ranks)


if __name__ == "__main__":
    main(*sys.argv[1:], call=_call)
