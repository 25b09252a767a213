"""Sequences learned per second on a GPU, beside a plain loop over torch.nn.

    python benchmarks/gpu.py [--device cuda] [--triton] [--quick] [--rounds N]
        [--json FILE]

Random strings of 5 to 40 of 60 characters, in 18 classes, so that nothing need be
downloaded. How the columns differ:

- skrnn: what one more epoch costs, (fit of 1 + k epochs - fit of 1) / k in each round.
- torch.nn: a loop as skorch has it over nn.RNN, nn.GRU or nn.LSTM on a PackedSequence,
  which on a GPU is one call of cuDNN for all steps. Each minibatch is gathered and
  sorted on the host and sent to the device, and its loss is read back. Adam is fused.
- skrnn, Triton: with --triton, as the first, after ``from skrnn.experimental import
  enable_triton``. With 512 hidden units, that is cuDNN again. Triton compiles its
  programs before the time is taken.

All take turns, and medians are reported. TF32 is as torch has it, unless --exact turns
it off for all. With --device cpu, all have one core.
"""

import argparse
import sys
import warnings
from functools import partial
from itertools import pairwise, product

import machine
import numpy as np
import timing
import torch
from names import Tokens
from peers import Task, batches
from peers_torch import TorchData
from sklearn.exceptions import ConvergenceWarning
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import PackedSequence

import skrnn
from skrnn._core import execution

CHARACTERS = [chr(ord("A") + i) for i in range(60)]
N_CLASSES = 18
CELLS, SIZES, BATCH_SIZES = ("rnn", "gru", "lstm"), (128, 512), (256, 1024, 8192)
OURS, THEIRS, BY_TRITON = "skrnn", "torch.nn", "skrnn, Triton"


class Data:
    """Random strings and their labels.

    Parameters
    ----------
    n_samples : int
    """

    def __init__(self, n_samples):
        rng = np.random.default_rng(0)
        lengths = rng.integers(5, 41, n_samples)
        values = rng.integers(0, len(CHARACTERS), lengths.sum())
        self.tokens = Tokens(values, np.append(0, np.cumsum(lengths)))
        self.labels = rng.integers(0, N_CLASSES, n_samples)
        text = "".join(CHARACTERS[i] for i in values)
        offsets = self.tokens.offsets.tolist()
        self.strings = [text[first:end] for first, end in pairwise(offsets)]


class Net(nn.Module):
    """A recurrent layer on one-hot characters, and a linear layer on its last state."""

    def __init__(self, task):
        super().__init__()
        layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[task.cell]
        self.embed = nn.Embedding.from_pretrained(torch.eye(task.n_tokens))
        self.recurrence = layer(task.n_tokens, task.nhidden)
        self.output = nn.Linear(task.nhidden, task.n_classes)

    def forward(self, ids, batch_sizes):
        """Scores, from ids in packed order."""
        x = PackedSequence(self.embed(ids), batch_sizes)
        _, state = self.recurrence(x)
        h = state[0][0] if isinstance(state, tuple) else state[0]
        return self.output(h)


def plain_loop(task, device):
    """A function that trains torch.nn for one epoch."""
    rng = np.random.default_rng(task.seed)
    net = Net(task).to(device)
    weights = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(weights, task.learning_rate, fused=True)
    data = TorchData(task.tokens, task.labels)

    def train_epoch():
        total = 0.0
        for indices in batches(data.lengths, task.batch_size, rng, bucketed=False):
            inputs, labels = data.__getitems__(indices)
            ids = inputs["ids"].T
            alive = torch.arange(len(ids)).unsqueeze(1) < inputs["lengths"]
            scores = net(ids[alive].to(device), alive.sum(1))
            loss = cross_entropy(scores, labels.to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
        return total

    return train_epoch


def ours(task, device, n_epochs):
    """Our classifier, not fitted; it reads characters, as the other one does."""
    return skrnn.RNNClassifier(
        task.nhidden,
        cell=task.cell,
        pooling="last",
        ngram_range=(1, 1),
        wide_ngram_range=None,
        batch_size=task.batch_size,
        max_iter=n_epochs,
        device=device,
        random_state=0,
    )


def fit_by(kernels, classifier, data):
    """Fit by a back end for GPUs."""
    before, execution.kernels_of_gpus = execution.kernels_of_gpus, kernels
    try:
        classifier.fit(data.strings, data.labels)
    finally:
        execution.kernels_of_gpus = before


def measure(task, data, device, rounds, more_epochs, columns):
    """Time one row.

    Returns
    -------
    seconds : dict
        Of column to Timing, of one epoch.
    """
    fits = {
        (name, n): partial(fit_by, kernels, ours(task, device, n), data)
        for name, kernels in columns.items()
        for n in (1, 1 + more_epochs)
    }
    timed = timing.alternate({**fits, THEIRS: plain_loop(task, device)}, rounds)
    seconds = {OURS: None, THEIRS: timed[THEIRS]}  # in this order
    for name in columns:
        one, more = (timed[name, n].seconds for n in (1, 1 + more_epochs))
        loop = [(b - a) / more_epochs for a, b in zip(one, more, strict=True)]
        seconds[name] = timing.summarise(loop)
    return seconds


def run(device, is_quick, rounds, columns):
    """Measure all rows, and print each one.

    Parameters
    ----------
    device : str
    is_quick : bool
    rounds : int
    columns : dict of str to str
        By column, the back end for GPUs.

    Returns
    -------
    result : dict
        What a JSON file can hold.
    """
    sizes, batch_sizes, n_samples, more_epochs = SIZES, BATCH_SIZES, 65_536, 8
    if is_quick:
        sizes, batch_sizes, n_samples, more_epochs = (128,), (256,), 512, 1
    data, rows = Data(n_samples), []
    for cell, nhidden, batch_size in product(CELLS, sizes, batch_sizes):
        of = len(CHARACTERS), N_CLASSES, cell, nhidden, batch_size
        task = Task(data.tokens, data.labels, *of)
        seconds = measure(task, data, device, rounds, more_epochs, columns)
        row = {"cell": cell, "nhidden": nhidden, "batch_size": batch_size}
        rows.append({**row, "seconds": seconds})
        print(row, file=sys.stderr, flush=True)
    description = {
        **machine.describe(),
        "device": device,
        "TF32 of cuDNN": torch.backends.cudnn.allow_tf32,
        "TF32 of products": torch.backends.cuda.matmul.allow_tf32,
    }
    if device != "cpu":
        description["GPU"] = torch.cuda.get_device_name(device)
    return {"machine": description, "n_samples": n_samples, "rows": rows}


def table(result):
    """Markdown of a result: sequences per second, and the ratio of the first two."""
    lines = []
    for row in result["rows"]:
        speeds = {
            name: result["n_samples"] / timing.Timing(*seconds).median
            for name, seconds in row["seconds"].items()
        }
        line = {k: v for k, v in row.items() if k != "seconds"}
        line |= {name: f"{speed:,.0f}" for name, speed in speeds.items()}
        lines.append({**line, "ratio": speeds[OURS] / speeds[THEIRS]})
    return timing.markdown_table(lines, list(lines[0]))


def main(arguments=None):
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, ..., or cpu")
    parser.add_argument("--quick", action="store_true", help="one small row per cell")
    parser.add_argument("--triton", action="store_true", help="one more column")
    parser.add_argument("--exact", action="store_true", help="no TF32")
    parser.add_argument("--rounds", type=int, help="5 by default; 1 with --quick")
    parser.add_argument("--json", help="file for all raw seconds")
    given = parser.parse_args(arguments)
    if given.device != "cpu" and not torch.cuda.is_available():
        sys.exit(
            f"torch {torch.__version__} finds no GPU: nothing was measured. Use "
            "--device cpu to try this script without one."
        )
    if given.device == "cpu":
        machine.keep_to_cores(1)
    if given.exact:
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
    warnings.simplefilter("ignore", ConvergenceWarning)
    rounds = given.rounds or (1 if given.quick else 5)
    columns = {OURS: "autograd"}
    if given.triton:
        from skrnn.experimental import enable_triton  # noqa: F401

        columns[BY_TRITON] = "triton"
    result = run(given.device, given.quick, rounds, columns)
    print("\n".join(f"{k}: {v}" for k, v in result["machine"].items()))
    print("\nSequences per second:\n")
    print(table(result))
    if given.json:
        timing.write_json(given.json, result)


if __name__ == "__main__":
    main()
