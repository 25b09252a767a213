"""How fast several processes train one network, and what they send each other.

    python benchmarks/distributed.py

starts as many ranks as --ranks says, by torchrun, on this machine. In turn, rank 0 fits
alone, on one core, while the others wait; and all ranks fit together, on one core each.
What is printed under "Measured" was measured here. What is printed under "Extrapolated"
is arithmetic with these figures, for machines that nobody has tried.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import machine
import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import distributed

from skrnn import RNNClassifier
from skrnn.distributed import data_parallel

N_SEQUENCES, N_CLASSES, MEAN_LENGTH = 16_384, 18, 7
SETTINGS = {
    "defaults, batch_size=128": {},
    "defaults, batch_size=1024": {"batch_size": 1024},
    "nhidden=256, batch_size=1024": {"batch_size": 1024, "nhidden": 256},
    "the same, without the wide path": {
        "batch_size": 1024,
        "nhidden": 256,
        "wide_ngram_range": None,
    },
}
# Extrapolated: numbers of ranks, bytes per second of a network of 10 Gbit/s, and the
# seconds that a message takes in it.
RANKS, BANDWIDTH, LATENCY = (8, 64), 1.25e9, 5e-5
N_MANY = 10**9


class Epochs:
    """A callback that takes the time of each epoch."""

    def __init__(self):
        self.seconds = []

    def setup(self, estimator, context):
        """Nothing to do before a fit."""

    def teardown(self, estimator, context):
        """Nothing to do after a fit."""

    def on_fit_task_begin(self, estimator, context):
        """Take the time before an epoch, and before the fit."""
        self.start = time.perf_counter()

    def on_fit_task_end(self, estimator, context):
        """Take the time after it."""
        if context.task_name == "epoch":
            self.seconds.append(time.perf_counter() - self.start)


def strings():
    """Strings whose last letter says the class, as surnames often do."""
    rng = np.random.default_rng(0)
    lengths = rng.poisson(MEAN_LENGTH - 1, N_SEQUENCES) + 1
    codes = rng.zipf(1.4, lengths.sum()) % 26 + ord("a")
    parts = np.split(codes, np.cumsum(lengths)[:-1])
    X = ["".join(map(chr, part)) for part in parts]
    return X, [ord(x[-1]) % N_CLASSES for x in X], int(lengths.sum())


def seconds_per_epoch(setting, X, y):
    """The median of some epochs of a fit, and the fitted classifier."""
    epochs = Epochs()
    classifier = RNNClassifier(max_iter=4, random_state=0, **setting)
    classifier.set_callbacks(epochs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(X, y)
    return statistics.median(epochs.seconds[1:]), classifier


def seconds_to_add(n_weights, repeats=30):
    """The median time in which all ranks add so many float32 numbers."""
    tensor, seconds = torch.zeros(n_weights), []
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
            seconds, classifier = seconds_per_epoch(setting, X, y)
            alone.append(seconds)
        distributed.barrier()
        with data_parallel() as ranks:
            of_rank = ranks.own(X), ranks.own(y)
            seconds, classifier = seconds_per_epoch(setting, *of_rank)
        together.append(seconds)
    arrays = (*classifier.W_, *classifier.U_, *classifier.b_, classifier.V_)
    n_weights = sum(array.size for array in arrays)
    n_updates = math.ceil(N_SEQUENCES / setting.get("batch_size", 128))
    of_adding = seconds_to_add(n_weights)
    if distributed.get_rank() > 0:
        return {}
    alone, together = (statistics.median(each[1:]) for each in (alone, together))
    return {
        "MB of gradient per update": 4 * n_weights / 1e6,
        "ms to add it": of_adding * 1e3,
        "ms per update, alone": alone / n_updates * 1e3,
        "ms per update, all ranks": together / n_updates * 1e3,
        "tokens/s per core, alone": n_steps / alone,
        "sequences/s, alone": N_SEQUENCES / alone,
        "sequences/s, all ranks": N_SEQUENCES / together,
        "ratio": alone / together,
        "h for 1e9 sequences, alone": N_MANY / N_SEQUENCES * alone / 3600,
        "h for 1e9 sequences, all ranks": N_MANY / N_SEQUENCES * together / 3600,
    }


def extrapolate(row, world_size):
    """The same update by more ranks, in a network.

    An update takes t = t_1 ((1 - s) / n + s) + 2 (n - 1) / n * bytes / bandwidth + 2
    log2(n) * latency, where s is the share that each rank repeats. It follows from the
    ratio that was measured. All n ranks have a core of their own.
    """
    t_1, t_n = (row[f"ms per update, {who}"] / 1e3 for who in ("alone", "all ranks"))
    n = world_size
    share = ((t_n - row["ms to add it"] / 1e3) / t_1 - 1 / n) / (1 - 1 / n)
    share = min(1.0, max(0.0, share))
    results = {"share repeated": share}
    for n in RANKS:
        sent = 2 * (n - 1) / n * row["MB of gradient per update"] * 1e6
        t = t_1 * ((1 - share) / n + share)
        t += sent / BANDWIDTH + 2 * math.log2(n) * LATENCY
        results[f"ratio, {n} ranks"] = t_1 / t
        hours = row["h for 1e9 sequences, alone"] * t / t_1
        results[f"h for 1e9 sequences, {n} ranks"] = hours
    return results


def main():
    """Start the ranks; or, as one of them, measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if "RANK" not in os.environ:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command.append(f"--nproc-per-node={arguments.ranks}")
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command += [Path(__file__), *sys.argv[1:]]
        subprocess.run(command, env=environment, check=True)
        return
    distributed.init_process_group("gloo")
    data = strings()
    rows = {name: measure(of, data, arguments.rounds) for name, of in SETTINGS.items()}
    if distributed.get_rank() == 0:
        n = distributed.get_world_size()
        print(f"{machine.describe()}\n\nMeasured: {n} ranks, one core each")
        _print(rows)
        print("\nExtrapolated: a machine per core, 10 Gbit/s, 50 us per message")
        _print({name: extrapolate(row, n) for name, row in rows.items()})
    distributed.destroy_process_group()


def _print(rows):
    for column in next(iter(rows.values())):
        print(f"\n{column}")
        for name, row in rows.items():
            print(f"  {name:34s} {row[column]:#.3g}")


if __name__ == "__main__":
    main()
