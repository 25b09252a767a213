"""How fast several processes train one network, and what they send each other.

    python benchmarks/distributed.py

starts as many ranks as --ranks says, by torchrun, on this machine. In turn, rank 0 fits
alone, on one core, while the others wait; and all ranks fit together, on one core each.
What is printed under "Measured" was measured here: times as a clock shows them, which
other processes lengthen, and times on a core, which they hardly do. What is printed
under "Extrapolated" is arithmetic with the times on a core, for machines that nobody
has tried.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import machine
import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import distributed

from skrnn import RNNClassifier
from skrnn._core.group import Group
from skrnn.distributed import data_parallel

N_SEQUENCES, N_CLASSES, MEAN_LENGTH, N_EPOCHS = 16_384, 18, 7, 4
SETTINGS = {
    "defaults": {},
    "defaults, batch_size=1024": {"batch_size": 1024},
    "single characters": {
        "batch_size": 1024,
        "ngram_range": (1, 1),
        "wide_ngram_range": None,
    },
    "single characters, nhidden=256": {
        "batch_size": 1024,
        "nhidden": 256,
        "ngram_range": (1, 1),
        "wide_ngram_range": None,
    },
}
# Extrapolated: numbers of ranks, bytes per second of a network of 10 Gbit/s, and the
# seconds that a message takes in it.
RANKS, BANDWIDTH, LATENCY = (8, 64), 1.25e9, 5e-5
N_MANY = 10**9


class Epochs:
    """A callback that takes the time of each epoch, by the clock and on a core."""

    def __init__(self):
        self.seconds = []

    def _now(self):
        return np.array([time.perf_counter(), time.process_time()])

    def setup(self, estimator, context):
        """Nothing to do before a fit."""

    def teardown(self, estimator, context):
        """Nothing to do after a fit."""

    def on_fit_task_begin(self, estimator, context):
        """Take the time before an epoch, and before the fit."""
        self.start = self._now()

    def on_fit_task_end(self, estimator, context):
        """Take the time after it."""
        if context.task_name == "epoch":
            self.seconds.append(self._now() - self.start)


def strings():
    """Strings whose last letter says the class, as surnames often do."""
    rng = np.random.default_rng(0)
    lengths = rng.poisson(MEAN_LENGTH - 1, N_SEQUENCES) + 1
    codes = rng.zipf(1.4, lengths.sum()) % 26 + ord("a")
    parts = np.split(codes, np.cumsum(lengths)[:-1])
    X = ["".join(map(chr, part)) for part in parts]
    return X, [ord(x[-1]) % N_CLASSES for x in X], int(lengths.sum())


def seconds_per_epoch(setting, X, y):
    """The medians of some epochs of a fit, by the clock and on a core."""
    epochs = Epochs()
    classifier = RNNClassifier(max_iter=N_EPOCHS, random_state=0, **setting)
    classifier.set_callbacks(epochs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(X, y)
    return np.median(epochs.seconds[1:], axis=0)


@contextmanager
def counted():
    """Yield a list to which the bytes are appended of each tensor that ranks add."""
    add, n_bytes = Group.add, []

    def note(group, tensor):
        n_bytes.append(tensor.nbytes)
        add(group, tensor)

    Group.add = note
    try:
        yield n_bytes
    finally:
        Group.add = add


def seconds_to_add(n_bytes, repeats=30):
    """The median time in which all ranks add so many bytes of float32 numbers."""
    tensor, seconds = torch.zeros(round(n_bytes / 4)), []
    for _ in range(repeats):
        distributed.barrier()
        start = time.perf_counter()
        distributed.all_reduce(tensor)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def measure(setting, data, rounds):
    """What one setting takes: alone, and on all ranks.

    Returns
    -------
    row : dict of float
    """
    X, y, n_steps = data
    alone, together = [], []
    for _ in range(rounds + 1):  # the first one may compile
        if distributed.get_rank() == 0:
            alone.append(seconds_per_epoch(setting, X, y))
        distributed.barrier()
        with data_parallel() as ranks, counted() as n_bytes:
            of_rank = seconds_per_epoch(setting, ranks.own(X), ranks.own(y))
            together.append(np.max(ranks.gather(of_rank), axis=0))
    n_updates = math.ceil(N_SEQUENCES / setting.get("batch_size", 128))
    n_bytes = sum(n_bytes) / (N_EPOCHS * n_updates)
    of_adding = seconds_to_add(n_bytes)
    if distributed.get_rank() > 0:
        return {}
    alone, together = (np.median(each[1:], axis=0) for each in (alone, together))
    by_clock, on_core = zip(alone, together, strict=True)
    return {
        "MB all-reduced per update": n_bytes / 1e6,
        "ms to all-reduce them, by the clock": of_adding * 1e3,
        "ms per update, by the clock, alone": by_clock[0] / n_updates * 1e3,
        "ms per update, by the clock, all ranks": by_clock[1] / n_updates * 1e3,
        "ratio, by the clock": by_clock[0] / by_clock[1],
        "ms per update, on a core, alone": on_core[0] / n_updates * 1e3,
        "ms per update, on a core, each of all ranks": on_core[1] / n_updates * 1e3,
        "tokens/s on a core, alone": n_steps / on_core[0],
        "h on a core for a pass over 1e9 sequences": N_MANY
        / N_SEQUENCES
        * on_core[0]
        / 3600,
    }


def extrapolate(row, world_size):
    """The same update by more ranks, in a network.

    An update takes t = t_1 ((1 - s) / n + s) + 2 (n - 1) / n * bytes / bandwidth + 2
    log2(n) * latency, where s is the share that each rank repeats. It follows from the
    times on a core that were measured. All n ranks have a core of their own.
    """
    t_1 = row["ms per update, on a core, alone"] / 1e3
    t_n = row["ms per update, on a core, each of all ranks"] / 1e3
    n = world_size
    share = (t_n / t_1 - 1 / n) / (1 - 1 / n)
    results = {"share that each rank repeats": share}
    for n in RANKS:
        sent = 2 * (n - 1) / n * row["MB all-reduced per update"] * 1e6
        t = t_1 * ((1 - share) / n + share)
        t += sent / BANDWIDTH + 2 * math.log2(n) * LATENCY
        results[f"ratio, {n} ranks"] = t_1 / t
        hours = row["h on a core for a pass over 1e9 sequences"] * t / t_1
        results[f"h for a pass over 1e9 sequences, {n} ranks"] = hours
    return results


def main():
    """Start the ranks; or, as one of them, measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    if "RANK" not in os.environ:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command.append(f"--nproc-per-node={arguments.ranks}")
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command += [Path(__file__), *sys.argv[1:]]
        subprocess.run(command, env=environment, check=True)
        return
    distributed.init_process_group("gloo")
    n, is_first, data = (
        distributed.get_world_size(),
        not distributed.get_rank(),
        strings(),
    )
    if is_first:
        print(f"{machine.describe()}\n{n} ranks, one core each", flush=True)
    for name, setting in SETTINGS.items():
        row = measure(setting, data, arguments.rounds)
        if is_first:
            print(f"\n{name}\nMeasured, at a load of {os.getloadavg()[0]:.1f}:")
            _print(row)
            print("Extrapolated, 10 Gbit/s, 50 us per message:")
            _print(extrapolate(row, n))
    distributed.destroy_process_group()


def _print(row):
    for column, number in row.items():
        print(f"  {column:45s} {number:#.3g}", flush=True)


if __name__ == "__main__":
    main()
