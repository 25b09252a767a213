"""Seconds of an epoch and of a prediction, beside what else users could run.

    python benchmarks/speed.py --data DIR [--rows quick|all] [--json FILE]

DIR holds names_train.csv and names_test.csv (or set SKRNN_DATA). Once on one core and
once on all of them, each time in a process of its own, since JAX takes its threads at
the start. Peers that are not installed are left out: pip install skrnn[bench].

Every row is measured in rounds in which all columns take turns, and reports medians.
How the columns differ:

- skrnn, first epoch: RNNClassifier.fit(names, labels) for one epoch, from strings on:
  validation, vocabulary and encoding included. Its predict reads strings too. Each
  peer starts from token ids.
- skrnn, loop: what one more epoch costs, (fit of 6 - fit of 1) / 5 in each round.
- torch.nn packed, skorch, JAX mixed and skrnn draw each batch from all names; JAX pads
  it to its longest name. torch.nn bucketed and JAX bucketed train on batches of names
  of equal length: hardly any padding and half of the steps, but they need more epochs
  to the same accuracy.
- article: batch size 32 and float64 in every row, as it is written.
- at sgemm peak: the products by W alone, at the speed of large square ones.

On all cores each torch peer has one thread or all, whichever a short trial finds the
faster in training.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import datasets
import growth
import machine
import names
import timing
import torch
from peers import Task
from peers_article import article_loop
from peers_torch import skorch, torch_nn
from sklearn.exceptions import ConvergenceWarning
from threads import better_count, on_threads

import skrnn

MORE_EPOCHS = 5
LOOP, FIRST = "skrnn, loop", "skrnn, first epoch"
JAX, JAX_MIXED, ARITHMETIC = "JAX bucketed", "JAX mixed", "at sgemm peak"
OURS = {"epoch": [LOOP, FIRST], "predict": ["skrnn"]}


class Row(NamedTuple):
    """What one line of the table measures."""

    cell: str
    nhidden: int
    batch_size: int


def rows(which):
    """The rows, quick or all, of the cells that RNNClassifier has."""
    if which == "quick":
        chosen = [Row("rnn", 100, 32), Row("rnn", 100, 256), Row("rnn", 256, 256)]
        chosen += [Row("gru", 128, 128), Row("lstm", 128, 128), Row("lstm", 128, 256)]
    else:
        sizes = [(n, b) for n in (100, 256) for b in (32, 128, 256)] + [(128, 128)]
        chosen = [Row(cell, n, b) for cell in machine.N_GATES for n, b in sizes]
    return chosen


def ours(row, n_epochs):
    """Our classifier for a row, not fitted; it reads characters, as the others do."""
    return skrnn.RNNClassifier(
        row.nhidden,
        cell=row.cell,
        pooling="last",
        ngram_range=(1, 1),
        batch_size=row.batch_size,
        max_iter=n_epochs,
        random_state=0,
    )


def peers_of(row):
    """The functions of a Task that take part in a row, by column."""
    makers = {
        "torch.nn packed": torch_nn,
        "torch.nn bucketed": partial(torch_nn, bucketed=True),
    }
    if find_spec("skorch"):
        makers["skorch"] = skorch
    if find_spec("jax"):
        from peers_jax import jax_scan

        makers |= {JAX: jax_scan, JAX_MIXED: partial(jax_scan, bucketed=False)}
    if row.cell == "rnn" and row.nhidden == 100:
        makers["article"] = lambda task: article_loop(task._replace(batch_size=32))
    return makers


def measure(row, data, rounds):
    """Time one row.

    Parameters
    ----------
    row : Row
    data : NamesData
    rounds : int

    Returns
    -------
    measured : dict
        For "epoch" and "predict", a dict of column to Timing; for "threads", of
        column to number of torch threads.
    """
    sizes = len(data.vocabulary), len(data.classes)
    task = Task(data.tokens, data.class_ids, *sizes, *row)
    fits = [
        partial(ours(row, n).fit, data.names, data.labels) for n in (1, 1 + MORE_EPOCHS)
    ]
    epoch = {FIRST: fits[0], "fit": fits[1]}
    predict = {"skrnn": partial(fits[0]().predict, data.test_names)}
    n_threads = {}
    for name, maker in peers_of(row).items():
        n = torch.get_num_threads()  # which JAX does not heed
        heeds = name not in (JAX, JAX_MIXED)
        n = n_threads[name] = better_count(maker, task) if heeds else n
        peer = maker(task)
        epoch[name] = partial(on_threads, n, peer.train_epoch)
        if name != JAX_MIXED:
            predict[name] = partial(on_threads, n, peer.predict, data.test_tokens)
    epoch = timing.alternate(epoch, rounds)
    fit = epoch.pop("fit").seconds
    loop = [
        (more - one) / MORE_EPOCHS
        for more, one in zip(fit, epoch[FIRST].seconds, strict=True)
    ]
    measured = {
        "epoch": {LOOP: timing.summarise(loop), **epoch},
        "predict": timing.alternate(predict, rounds),
        "threads": n_threads,
    }
    peak = machine.sgemm_peak()
    for kind, tokens in (("epoch", data.tokens), ("predict", data.test_tokens)):
        seconds = machine.arithmetic_seconds(
            len(tokens.values), row.cell, row.nhidden, peak, training=kind == "epoch"
        )
        measured[kind][ARITHMETIC] = timing.summarise([seconds])
    return measured


def run(folder, which, rounds, n_cores):
    """Measure in this process, kept to some cores.

    Returns
    -------
    result : dict
        What a JSON file can hold.
    """
    machine.keep_to_cores(n_cores)
    warnings.simplefilter("ignore", ConvergenceWarning)
    data = names.NamesData(folder)
    result = {"machine": machine.describe(), "rows": []}
    for row in rows(which):
        print(f"{n_cores} core(s): {row}", file=sys.stderr, flush=True)
        measured = measure(row, data, rounds)
        result["rows"].append({**row._asdict(), "cores": n_cores, **measured})
    if which == "all":
        result["growth"] = growth.measure(data, rounds)
    return result


def tables(result):
    """Markdown of a result: seconds, and how many times longer than ours."""
    parts = []
    for kind, unit in (("epoch", "a training epoch"), ("predict", "a prediction")):
        lines = []
        for row in result["rows"]:
            line = {k: row[k] for k in ("cores", "cell", "nhidden", "batch_size")}
            seconds = {name: timing.Timing(*t).median for name, t in row[kind].items()}
            lines.append((line, seconds))
        columns = list(lines[0][0]) + list(
            dict.fromkeys(k for _, s in lines for k in s)
        )
        first = OURS[kind][0]
        ratios = [
            line | {name: other / seconds[first] for name, other in seconds.items()}
            for line, seconds in lines
        ]
        parts.append(f"Seconds of {unit}:\n")
        parts.append(timing.markdown_table([a | b for a, b in lines], columns) + "\n")
        parts.append(f"Times {first}:\n")
        parts.append(timing.markdown_table(ratios, columns) + "\n")
    if "growth" in result:
        parts.append("Growth of our seconds, rnn, batch size 256:\n")
        parts.append(growth.table(result["growth"]) + "\n")
    return "\n".join(parts)


def main():
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="folder of names_train.csv; or SKRNN_DATA")
    parser.add_argument("--rows", choices=["quick", "all"], default="quick")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, help="measure on this many cores only")
    parser.add_argument("--json", help="file for all raw seconds")
    arguments = parser.parse_args()
    folder = datasets.data_folder(arguments.data)
    if arguments.cores:
        results = [run(folder, arguments.rows, arguments.rounds, arguments.cores)]
    else:
        for package in ("skorch", "jax"):
            if not find_spec(package):
                print(f"{package} is not installed: its column is left out.")
        counts = sorted({1, machine.available_cores()})
        results = [in_own_process(arguments, folder, n) for n in counts]
    if arguments.json:
        timing.write_json(arguments.json, results)
    for result in results:
        print(json.dumps(result["machine"]), tables(result), sep="\n\n")


def in_own_process(arguments, folder, n_cores):
    """What :func:`run` returns, run by a new interpreter."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary, "result.json")
        command = [sys.executable, __file__, "--data", str(folder), "--json", str(path)]
        command += ["--rows", arguments.rows, "--rounds", str(arguments.rounds)]
        command += ["--cores", str(n_cores)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(path.read_text(encoding="utf-8"))[0]


if __name__ == "__main__":
    main()
