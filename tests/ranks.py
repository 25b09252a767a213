"""What the ranks do in tests/test_distributed.py, and the fits that they share.

    torchrun --nproc-per-node 2 tests/ranks.py FOLDER NAME ...

Without torchrun, RANK and WORLD_SIZE are to be set, and ranks meet in the folder.
Each rank calls the functions of these names, one after the other, each inside a
data_parallel() of its own, and pickles what they return or raise into the folder.
"""

import os
import pickle
import signal
import sys
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from quiet import Quiet
from scipy.sparse import csr_matrix
from sklearn.base import clone
from torch import distributed

from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
)
from skrnn._core.execution import Execution
from skrnn.distributed import data_parallel

SIZES = {"nhidden": 6, "max_iter": 3, "batch_size": 16, "random_state": 0}


def _strings(n, letters="abcdef", longest=9):
    rng = np.random.default_rng(n)
    lengths = rng.integers(1, longest, n)
    return ["".join(rng.choice(list(letters), size)) for size in lengths]


def _many_tokens(n):
    return [list(range(15 * i, 15 * i + 1 + i % 15)) for i in range(n)]


def _series(n):
    rng = np.random.default_rng(n)
    return [rng.normal(size=(size, 2)) for size in rng.integers(12, 20, n)]


STRINGS = _strings(81)  # five minibatches of 16, and one of a single string
LABELS = [min(x) for x in STRINGS]
TOKENS = [list(x) for x in STRINGS]
UPPER = [x.upper() for x in STRINGS]
WEIGHT = np.arange(81) % 4 + 1.0
VECTORS = {letter: np.eye(3)[i % 3] + i for i, letter in enumerate("abcde")}
SERIES = _series(50)
SUMS = np.array([[x.sum(), x[-1, 0]] for x in SERIES])
COUNTS = csr_matrix([[x.count(letter) for letter in "abcdef"] for x in STRINGS])


# What to fit: an estimator, X, y, and other arrays with an entry for each sequence.
FITS = {
    "strings": (RNNClassifier(**SIZES, early_stopping=True), STRINGS, LABELS, {}),
    "dropout": (
        RNNClassifier(**SIZES, cell="lstm", dropout=0.3, bidirectional=True),
        STRINGS,
        LABELS,
        {"sample_weight": WEIGHT},
    ),
    "many_tokens": (
        RNNClassifier(**{**SIZES, "batch_size": 4}, analyzer="token"),
        _many_tokens(200),
        np.arange(200) % 3,
        {},
    ),
    "embeddings": (RNNClassifier(**SIZES, embeddings=VECTORS), TOKENS, LABELS, {}),
    "features": (
        RNNTagger(**SIZES),
        [[{"letter": c, "first": i == 0} for i, c in enumerate(x)] for x in STRINGS],
        UPPER,
        {},
    ),
    "filters": (RNNRegressor(**SIZES), SERIES, SUMS, {}),
    "wide_series": (RNNClassifier(**SIZES), SERIES, SUMS[:, 0] > 0, {}),
    "next_steps": (RNNEncoder(**SIZES), STRINGS, None, {}),
    "windows": (RNNTagger(**SIZES, truncate=3, dropout=0.2), TOKENS, UPPER, {}),
    "text": (
        RNNLanguageModel(**SIZES, truncate=5, recurrent_dropout=0.1),
        STRINGS,
        None,
        {},
    ),
    "writing": (
        RNNSeq2Seq(**SIZES, decoder_nhidden=6, teacher_forcing=0.5),
        STRINGS,
        UPPER,
        {},
    ),
    "from_vectors": (RNNDecoder(**SIZES), COUNTS, STRINGS, {}),
}


BY_TORCH = "strings", "many_tokens", "embeddings", "windows"


def shard_of(items, rank, n_ranks):
    """The items of a rank: few for the first, and more for each one after it."""
    if items is None:
        return None
    n = items.shape[0] if hasattr(items, "shape") else len(items)
    cuts = [n * k * (k + 1) // (n_ranks * (n_ranks + 1)) for k in range(n_ranks + 1)]
    return items[cuts[rank] : cuts[rank + 1]]


def fit(name, rank=0, n_ranks=1):
    """Fit to what a rank has."""
    estimator, X, y, others = FITS[name]
    X, y = (shard_of(part, rank, n_ranks) for part in (X, y))
    others = {key: shard_of(part, rank, n_ranks) for key, part in others.items()}
    return clone(estimator).fit(X, y, **others)


def fit_chunks(rank=0, n_ranks=1, n_chunks=3):
    """Three calls of partial_fit."""
    estimator = RNNClassifier(**SIZES)
    for chunk in range(n_chunks):
        X, y = (
            shard_of(part[27 * chunk : 27 * (chunk + 1)], rank, n_ranks)
            for part in (STRINGS, LABELS)
        )
        estimator.partial_fit(X, y, classes=list("abcdef"))
    return estimator


def fit_validated(rank=0, n_ranks=1):
    """Validation data, which each rank has some of."""
    estimator = RNNClassifier(**SIZES, early_stopping=True)
    parts = STRINGS[:60], LABELS[:60], STRINGS[60:], LABELS[60:]
    X, y, X_val, y_val = (shard_of(part, rank, n_ranks) for part in parts)
    return estimator.fit(X, y, X_val=X_val, y_val=y_val)


class Callback(Quiet):
    """Calls a function after the second epoch, and keeps the weights of each."""

    def __init__(self, function):
        self.function, self.V = function, []

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name != "epoch":
            return None
        self.V.append(fitted_estimator.V_)
        return self.function() if context.task_id == 1 else None


def _classifier(rank, function=lambda: None, **parameters):
    callback = Callback(function)
    classifier = RNNClassifier(**{**SIZES, **parameters}).set_callbacks(callback)
    classifier.fit(*(shard_of(part, rank, 2) for part in (STRINGS, LABELS)))
    return classifier.set_callbacks(), callback.V


def seeds_differ(ranks):
    return _classifier(ranks.rank, random_state=ranks.rank)[0]


def weights_of_epochs(ranks):
    return _classifier(ranks.rank)[1]


def first_stops(ranks):
    return _classifier(ranks.rank, lambda: ranks.rank == 0)[0].n_iter_


def second_stops(ranks):
    return _classifier(ranks.rank, lambda: ranks.rank == 1)[0].n_iter_


def interrupted(ranks):
    def interrupt():
        if ranks.rank == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        classifier = _classifier(ranks.rank, interrupt, max_iter=50)[0]
    return classifier, [str(each.message) for each in caught]


def ignores_interrupts(ranks):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return _classifier(ranks.rank, partial(os.kill, os.getpid(), signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)


def interrupted_after_the_last_meeting(ranks):
    with ranks.interrupted_together():
        if ranks.rank == 1:
            os.kill(os.getpid(), signal.SIGINT)
    try:
        ranks.gather(None)
    except KeyboardInterrupt:
        return "interrupted"


def interrupted_twice(ranks):
    def interrupt():
        for _ in range(2 * ranks.rank):
            os.kill(os.getpid(), signal.SIGINT)

    _classifier(ranks.rank, interrupt, max_iter=50)


def _with_checkpoint(ranks, function=lambda: None):
    parameters = {"early_stopping": True, "checkpoint": Path(sys.argv[1]) / "files"}
    return _classifier(ranks.rank, function, **parameters)


def begins_with_checkpoint(ranks):
    def fail():
        if ranks.rank == 1:
            raise MemoryError("no more")

    _with_checkpoint(ranks, fail)


def continues_from_checkpoint(ranks):
    classifier, V = _with_checkpoint(ranks)
    return classifier, len(V), len(os.listdir(classifier.checkpoint))


def verbose(ranks):
    return _classifier(ranks.rank, verbose=2)[0].n_iter_


def by_torch(ranks):
    """Fits by torch's operations, as on a GPU, but here."""
    on = Execution.on
    Execution.on = lambda self, name: replace(self, n_threads=1, kernels="autograd")
    try:
        return [fit(name, ranks.rank, ranks.world_size) for name in BY_TORCH]
    finally:
        Execution.on = on


def fits_of_others(ranks):
    """Those of a thread, and of a forked process, are of this rank alone."""
    if ranks.rank == 0:  # which waits for nobody
        with ThreadPoolExecutor(1) as pool:
            # As where threads inherit the context.
            of_thread = pool.submit(copy_context().run, fit, "strings").result()
        with get_context("fork").Pool(1) as pool:
            return of_thread, pool.apply(fit, ("strings",))
    return None


def fails_before(ranks):
    if ranks.rank == 1:
        raise OSError("no file of this name")
    _classifier(ranks.rank)


def fails_reading(ranks):
    X = [None] if ranks.rank == 1 else ["a"]
    RNNClassifier(**SIZES).fit(X, [0])


def fails_in_an_epoch(ranks):
    def fail():
        if ranks.rank == 1:
            raise MemoryError("no more")

    _classifier(ranks.rank, fail)


def fails_after(ranks):
    classifier = _classifier(ranks.rank)[0]
    if ranks.rank == 0:
        classifier.predict([3])


def has_no_data(ranks):
    RNNClassifier(**SIZES).fit(*([["ab"], [0]] if ranks.rank == 0 else [[], []]))


def has_fewer_chunks(ranks):
    fit_chunks(ranks.rank, 2, n_chunks=3 - ranks.rank)


def other_parameters(ranks):
    _classifier(ranks.rank, nhidden=6 + ranks.rank)


def other_checkpoint(ranks):
    _classifier(ranks.rank, checkpoint="files" if ranks.rank == 1 else None)


def other_estimator(ranks):
    (RNNClassifier, RNNTagger)[ranks.rank](**SIZES).fit(["ab"], ["ab"])


def other_labels(ranks):
    RNNClassifier(**SIZES).fit(["ab", "ba"], [["x", "y"], [0, 1]][ranks.rank])


def other_kind(ranks):
    RNNClassifier(**SIZES).fit([["ab", "ba"], [[1], [2]]][ranks.rank], [0, 1])


def other_width(ranks):
    RNNRegressor(**SIZES).fit(np.ones((2, 5, 1 + ranks.rank)), [0.5, 1])


def other_last_fit(ranks):
    classifier = RNNClassifier(**SIZES, warm_start=True)
    X, y = (shard_of(part, ranks.rank, 2) for part in (STRINGS, LABELS))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(classifier.fit, X, y).result()
    classifier.fit(X, y)


def other_intercept(ranks):
    """Of fits that are equal but for one number."""
    classifier = RNNClassifier(**SIZES, warm_start=True, vocabulary={"a", "b", "c"})
    with ThreadPoolExecutor(1) as pool:
        pool.submit(classifier.fit, STRINGS, LABELS).result()
    classifier.fit(STRINGS, LABELS)
    classifier.intercept_[0] += ranks.rank
    classifier.fit(STRINGS, LABELS)


def inside_another(ranks):
    with data_parallel():
        pass


def goes_on_after_an_error(ranks):
    try:
        fails_in_an_epoch(ranks)
    except (MemoryError, RuntimeError):
        _classifier(ranks.rank)


def waits_in_vain(ranks):
    gave_up = Path(sys.argv[1]) / "gave_up"
    while ranks.rank == 1 and not gave_up.exists():
        time.sleep(0.02)
    try:
        _classifier(ranks.rank)
    finally:
        gave_up.touch()


def is_killed(ranks):
    def kill():
        if ranks.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    _classifier(ranks.rank, kill)


def _call(name):
    timeout = 2 if name == "waits_in_vain" else 60
    with data_parallel(timeout=timeout) as ranks:
        if name in FITS:
            return fit(name, ranks.rank, ranks.world_size)
        function = globals()[name]
        if name in ("fit_chunks", "fit_validated"):
            return function(ranks.rank, ranks.world_size)
        return function(ranks)


def main(folder, *names, call=_call):
    results, rank = {}, int(os.environ["RANK"])
    if "MASTER_ADDR" not in os.environ:
        distributed.init_process_group(
            "gloo",
            init_method=(Path(folder) / "store").as_uri(),
            rank=rank,
            world_size=int(os.environ["WORLD_SIZE"]),
        )
    for name in names:
        try:
            results[name] = call(name)
        except (Exception, KeyboardInterrupt) as error:
            results[name] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
    path = Path(folder) / f"{rank}.pickle"
    path.write_bytes(pickle.dumps(results))
    if distributed.is_initialized():
        distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
