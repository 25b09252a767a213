"""Language models: nats against CPU minutes, speed, and surnames beside bigrams.

    python benchmarks/language_model.py --data DIR [--quick] [--only PART ...]
    python benchmarks/language_model.py --data DIR --only nats [--figure nats.svg]
    python benchmarks/language_model.py --data DIR --only nats --validate

DIR holds tinyshakespeare.txt and names_train.csv (or set SKRNN_DATA). The parts:

- nats: RNNLanguageModel is fitted on the first 90 % of the text with each of SETTINGS,
  which were chosen by the last tenth of that part. The last 10 % of the text are read
  after the last fit. With --validate, they are not read at all: that last tenth is
  what is predicted, from what comes before it. Nats are per character; with --quick,
  one epoch on 100,000 characters. --figure draws them.
- speed: characters per second of an epoch of RNNLanguageModel.fit, validation and
  vocabulary included, beside those of the same model in torch.nn: 64 streams, windows
  of 150 steps, one-hot inputs, states carried over, Adam, and gradients clipped; with
  one thread or all, whichever is the faster. And beside the bare recurrence: the states
  of all steps and the way back, without anything to predict. All take turns.
- surnames: nine tenths of names_train.csv, and nats per character of the others, the
  end included; bigrams are smoothed by the constant that is the best for the others.
"""

import argparse
import json
import time
from functools import partial

import datasets
import machine
import numpy as np
import timing
import torch
from torch import nn

from skrnn import RNNLanguageModel
from skrnn._core import network
from skrnn._core.architecture import Architecture
from skrnn._core.batch import Batch, Start
from skrnn._core.execution import arithmetic
from skrnn._core.layout import Layout
from skrnn._core.packing import pack
from skrnn._core.weights import initialise, zeros

SETTINGS = {
    "3 epochs": {"max_iter": 3},
    "6 epochs": {"max_iter": 6},
    "default": {},
    "best": {"nhidden": 512, "max_iter": 8},
}
N_STREAMS, N_STEPS = 64, 150


def nats(folder, is_quick, is_validation=False, figure=None):
    """What each setting takes and reaches."""
    text = (folder / "tinyshakespeare.txt").read_text(encoding="utf-8")
    if is_validation:
        text = text[: int(0.9 * len(text))]
    n_train = int(0.9 * len(text))
    train = text[:100_000] if is_quick else text[:n_train]
    rows, models = [], []
    for name, params in SETTINGS.items():
        params = {**params, "max_iter": 1} if is_quick else params
        wall, cpu = time.perf_counter(), time.process_time()
        models.append(RNNLanguageModel(random_state=0, **params).fit(train))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        model = models[-1]
        row = {"setting": name, "nhidden": model.nhidden, "epochs": model.n_iter_}
        row |= {"minutes": wall / 60, "CPU minutes": cpu / 60}
        rows.append({**row, "training loss": model.loss_})
        print(json.dumps(rows[-1]), flush=True)
    for row, model in zip(rows, models, strict=True):
        row["nats"] = -model.score(text[n_train:])
    if figure is not None:
        draw(rows, figure)
    columns = ["setting", "nhidden", "epochs", "minutes", "CPU minutes"]
    return timing.markdown_table(rows, [*columns, "training loss", "nats"])


def draw(rows, path):
    """Draw nats against CPU minutes."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for nhidden in sorted({row["nhidden"] for row in rows}):
        some = [row for row in rows if row["nhidden"] == nhidden]
        minutes = [row["CPU minutes"] for row in some]
        ax.plot(minutes, [row["nats"] for row in some], "o-", label=f"{nhidden} units")
        for row in some:
            place = (row["CPU minutes"], row["nats"])
            text = f"{row['epochs']} epochs"
            ax.annotate(text, place, (6, 4), textcoords="offset points")
    ax.set(xlabel="CPU minutes of the fit", ylabel="nats per character")
    ax.margins(0.2)
    ax.set_xlim(0)
    ax.legend()
    figure.savefig(path)


class TorchLoop:
    """The same model, and a good loop, in torch.nn."""

    def __init__(self, text, cell, nhidden):
        vocabulary = {token: i for i, token in enumerate(sorted(set(text)))}
        ids = torch.tensor([vocabulary[token] for token in text])
        n_steps = (len(ids) - 1) // N_STREAMS
        of_streams = ids[: n_steps * N_STREAMS].view(N_STREAMS, n_steps)
        self.x = of_streams.T.contiguous()
        self.target = ids[1 : n_steps * N_STREAMS + 1].view(N_STREAMS, n_steps).T
        n = len(vocabulary)
        self.embed = nn.Embedding.from_pretrained(torch.eye(n))
        self.recurrence = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](n, nhidden)
        self.output = nn.Linear(nhidden, n)
        self.weights = [*self.recurrence.parameters(), *self.output.parameters()]
        self.rule = torch.optim.AdamW(self.weights, 0.005, weight_decay=0.01)

    def epoch(self, n_threads):
        """Read the text once."""
        before = torch.get_num_threads()
        torch.set_num_threads(n_threads)
        state = None
        for first in range(0, len(self.x), N_STEPS):
            window = slice(first, first + N_STEPS)
            H, state = self.recurrence(self.embed(self.x[window]), state)
            loss = nn.functional.cross_entropy(
                self.output(H).flatten(0, 1), self.target[window].flatten()
            )
            self.rule.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.weights, 1.0)
            self.rule.step()
            is_pair = isinstance(state, tuple)
            state = tuple(s.detach() for s in state) if is_pair else state.detach()
        torch.set_num_threads(before)


class Bare:
    """The recurrence alone, in the windows and on the threads of a fit."""

    def __init__(self, text, cell, nhidden):
        vocabulary = {token: i for i, token in enumerate(sorted(set(text)), start=1)}
        ids = np.array([vocabulary[token] for token in text], np.int32)
        architecture = Architecture((nhidden,), cell, pooling="none")
        self.weights = zeros(Layout(architecture, 1 + len(vocabulary), 1))
        initialise(self.weights, True, torch.Generator().manual_seed(0))
        self.n_threads = machine.available_cores()
        streams = ids[: len(ids) // N_STREAMS * N_STREAMS].reshape(N_STREAMS, -1)
        shards = np.array_split(streams, self.n_threads)
        self.shards = [self.windows(shard) for shard in shards]

    def windows(self, streams):
        """The batches of one thread, window by window."""
        batches = []
        for first in range(0, streams.shape[1], N_STEPS):
            some = streams[:, first : first + N_STEPS]
            n, n_steps = some.shape
            (packing,) = pack(n_steps * np.arange(n), np.full(n, n_steps))
            x = torch.from_numpy(some.ravel()[packing.rows])
            batches.append(Batch(x, packing, None, None))
        return batches

    def read(self, batches):
        """Read the streams of one thread, forward and back."""
        workspace, states = network.Workspace(self.weights), None
        for batch in batches:
            if states is not None:
                start = Start.without_pooling(states, len(batch))
                batch = Batch(batch.x, batch.packing, None, None, start=start)
            trace = network.forward(self.weights, batch, workspace)
            ends = trace.passed.end()
            states = [[torch.from_numpy(part) for part in of] for of in ends]
            network.backward(self.weights, batch, trace, [H.clone() for H in trace.H])

    def epoch(self):
        """Read the text once."""
        with arithmetic() as execution, execution.threads(self.n_threads) as run:
            with execution.denormals_flushed():
                list(run(self.read, self.shards))


def speed(folder, is_quick):
    """Characters per second of an epoch, and how many times ours they take."""
    text = (folder / "tinyshakespeare.txt").read_text(encoding="utf-8")
    text = text[: 100_000 if is_quick else 300_000]
    rows = []
    for cell, nhidden in [("gru", 256), ("lstm", 256), ("lstm", 512)][: 3 - is_quick]:
        params = {"batch_size": N_STREAMS, "truncate": N_STEPS, "max_iter": 1}
        model = RNNLanguageModel(nhidden, cell=cell, random_state=0, **params)
        loop = TorchLoop(text, cell, nhidden)
        functions = {
            "ours": partial(model.fit, text),
            "bare": Bare(text, cell, nhidden).epoch,
            "torch, 1 thread": partial(loop.epoch, 1),
        }
        n = machine.available_cores()
        if n > 1:
            functions[f"torch, {n} threads"] = partial(loop.epoch, n)
        timings = timing.alternate(functions, rounds=1 if is_quick else 5)
        medians = {name: timings[name].median for name in functions}
        torchs = min(s for name, s in medians.items() if name.startswith("torch"))
        row = {"cell": cell, "nhidden": nhidden}
        row |= {name: f"{len(text) / s:,.0f}" for name, s in medians.items()}
        row["ours / torch"] = torchs / medians["ours"]
        rows.append({**row, "bare / ours": medians["ours"] / medians["bare"]})
        print(json.dumps(rows[-1]), flush=True)
    return timing.markdown_table(rows, list(rows[0]))


def surnames(folder, is_quick):
    """Nats per character of surnames, the end included."""
    names, _ = datasets.DATA_SETS["names"].train(folder)
    names = sorted(set(names))
    np.random.default_rng(0).shuffle(names)
    n = len(names) // 10
    held_out, train = names[:n], names[n:]
    model = RNNLanguageModel(random_state=0, **({"max_iter": 1} if is_quick else {}))
    start = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - start
    known = set("".join(train))
    held_out = [name for name in held_out if set(name) <= known]
    by_bigrams = min(bigrams(train, held_out, k) for k in (0.01, 0.03, 0.1, 0.3, 1))
    rows = [
        {"model": "RNNLanguageModel", "nats": -model.score(held_out), "s": seconds},
        {"model": "bigrams", "nats": by_bigrams},
    ]
    made_up = model.sample(200, random_state=0)
    new = [name for name in made_up if name not in set(names)]
    print(f"{len(new)} of 200 samples are new: {', '.join(new[:12])}")
    return timing.markdown_table(rows, ["model", "nats", "s"])


def bigrams(train, held_out, added):
    """Nats per character by bigrams, to whose counts a constant is added."""
    letters = sorted(set("".join(train)))
    number = {letter: i for i, letter in enumerate(["", *letters])}  # "": start or end
    counts = np.full((len(number),) * 2, added)
    for name in train:
        for a, b in zip(["", *name], [*name, ""], strict=True):
            counts[number[a], number[b]] += 1
    log_p = np.log(counts / counts.sum(axis=1, keepdims=True))
    pairs = [
        (number[a], number[b])
        for name in held_out
        for a, b in zip(["", *name], [*name, ""], strict=True)
    ]
    return -float(np.mean([log_p[pair] for pair in pairs]))


PARTS = {"nats": nats, "speed": speed, "surnames": surnames}


def main():
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="folder of the texts; or SKRNN_DATA")
    parser.add_argument("--quick", action="store_true", help="a minute in all")
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--figure", help="where nats are drawn, such as nats.svg")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    arguments = parser.parse_args()
    if arguments.validate and arguments.only != ["nats"]:
        parser.error("--validate is for --only nats.")
    folder = datasets.data_folder(arguments.data)
    of_nats = {"is_validation": arguments.validate, "figure": arguments.figure}
    parts = {**PARTS, "nats": partial(nats, **of_nats)}
    print(json.dumps(machine.describe()))
    for part in arguments.only:
        table = parts[part](folder, arguments.quick)
        print(f"\n{part}:\n\n{table}\n", flush=True)


if __name__ == "__main__":
    main()
