"""What it takes to hand sequences to worker processes, by the container they are in.

    python benchmarks/shipping.py [--strings N] [--workers N] [--tasks N] [--rounds N]

A search with ``n_jobs=2`` sends X to its workers once for each fit, and they take the
rows of a fold from it. Lists are pickled, string by string; NumPy maps large arrays
into the memory of all processes; arrow arrays are pickled as a few buffers. Beside them
flat code points with offsets. Best of all rounds; the workers have been started.
"""

import argparse
import time

import numpy as np
import pyarrow as pa
from joblib import Parallel, delayed
from sklearn.utils import _safe_indexing

from skrnn._core.sequences import Sequences


def strings(n):
    """Short strings of lower-case letters."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 15, n)
    letters = "".join(map(chr, rng.integers(97, 123, lengths.sum())))
    ends = np.cumsum(lengths).tolist()
    return [letters[i:j] for i, j in zip([0, *ends], ends, strict=False)]


def containers(X):
    """X in each container, by name."""
    codes = np.frombuffer("".join(X).encode("utf-32-le"), dtype=np.uint32)
    offsets = np.cumsum([0, *map(len, X)])
    objects = np.empty(len(X), dtype=object)
    objects[:] = X
    return {
        "flat arrays": Sequences("text", codes, offsets),
        "list": X,
        "object array": objects,
        "string array of NumPy": np.array(X),
        "pyarrow array": pa.array(X),
    }


def take(X, rows):
    """What a worker does before it fits: take the rows of a fold. Their number."""
    if isinstance(X, Sequences):
        return len(X.take(rows))
    return len(_safe_indexing(X, rows))


def seconds(X, rows, parallel, n_tasks):
    """For all tasks."""
    start = time.perf_counter()
    parallel(delayed(take)(X, rows) for _ in range(n_tasks))
    return time.perf_counter() - start


def main(arguments=None):
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (
        ("strings", 300_000),
        ("workers", 2),
        ("tasks", 6),
        ("rounds", 5),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N")
    parsed = parser.parse_args(arguments)
    X = strings(parsed.strings)
    rows = np.flatnonzero(np.random.default_rng(1).random(len(X)) < 0.5)
    found = {name: [] for name in containers(X)}
    with Parallel(n_jobs=parsed.workers) as parallel:
        parallel(delayed(take)(["a"], [0]) for _ in range(parsed.workers))
        for _ in range(parsed.rounds):
            for name, container in containers(X).items():
                found[name].append(seconds(container, rows, parallel, parsed.tasks))
    least = min(found["flat arrays"])
    what = f"{parsed.strings:,} strings, {parsed.tasks} tasks, {parsed.workers} workers"
    print(f"{what}:\n")
    print("| container | seconds | over flat arrays |\n| --- | --- | --- |")
    for name, times in found.items():
        print(f"| {name} | {min(times):.3f} | {min(times) / least:.1f} |")


if __name__ == "__main__":
    main()
