"""What users wait for: a default fit, one prediction, long sequences, many names.

    python benchmarks/situations.py --data DIR [--rounds 5]

DIR holds names_train.csv and names_test.csv (or set SKRNN_DATA). Prints a line for each
situation. The columns of a line are measured in rounds in which they take turns, and
the figure is a ratio of medians unless it says otherwise.

- default fit: RNNClassifier(random_state=0).fit(names, labels), on one core and on two.
  Arithmetic is the time that the products by W would take at the speed of large square
  ones, as torch computes them on the same cores.
- one prediction: `predict` of a string of 20 characters, on one core. Without the wide
  path, an LSTM of 100 units does what torch.nn.LSTM does.
- long sequence: one sequence of 10,000 steps, on one core; torch.nn under
  `inference_mode`.
- many names: 67,000 names, on one core: the training names several times over, where
  equal ones are read once; and as many that all differ, made of two of them.
- large vocabulary: an epoch on token lists, with 100,000 different tokens and with 100.
"""

import argparse
import time
import warnings
from functools import partial

import datasets
import machine
import names
import numpy as np
import timing
import torch
from peers import Task
from peers_torch import torch_nn
from sklearn.exceptions import ConvergenceWarning
from threads import on_threads

import skrnn

N_STEPS = 10_000
N_NAMES = 67_000


def default_fit(data, rounds):
    """Yield the lines of a default fit of all names."""
    fit = partial(skrnn.RNNClassifier(random_state=0).fit, data.names, data.labels)
    seconds = {n: partial(on_threads, n, fit) for n in (1, 2)}
    seconds = timing.alternate(seconds, rounds)
    yield "default fit, one core / two cores", seconds[1].median / seconds[2].median
    classifier = fit()
    architecture = classifier.get_params()
    n_rows = len(data.tokens.values) * classifier.n_iter_
    for n in (1, 2):
        peak = on_threads(n, machine.sgemm_peak)
        of = n_rows, architecture["cell"], architecture["nhidden"], peak
        share = machine.arithmetic_seconds(*of) / seconds[n].median
        yield f"default fit, {n} core(s), s", seconds[n].median
        yield f"default fit, {n} core(s), arithmetic at peak / time", share


def one_prediction(data, n=1000):
    """Yield the milliseconds of predicting one string."""
    labels = data.labels
    lstm = partial(
        skrnn.RNNClassifier,
        100,
        cell="lstm",
        ngram_range=(1, 1),
        max_iter=1,
        random_state=0,
    )
    estimators = {
        "default": skrnn.RNNClassifier(max_iter=1, random_state=0),
        "lstm 100 on characters": lstm(wide_ngram_range=None),
        "lstm 100 on characters, with the wide path": lstm(),
    }
    X = ["Wolfeschlegelsteinha"]
    for name, estimator in estimators.items():
        estimator.fit(data.names, labels)
        seconds = []
        for _ in range(n):
            start = time.perf_counter()
            estimator.predict(X)
            seconds.append(time.perf_counter() - start)
        yield f"predict one, {name}, median ms", 1000 * float(np.median(seconds))
        yield f"predict one, {name}, p99 ms", 1000 * float(np.quantile(seconds, 0.99))


def long_sequence(rounds):
    """Yield the time of torch.nn on one long sequence, relative to ours."""
    rng = np.random.default_rng(0)
    X = ["".join(rng.choice(list("abcdefghij"), N_STEPS))]
    x = torch.eye(10)[torch.from_numpy(rng.integers(0, 10, N_STEPS))].unsqueeze(1)
    for cell, module in (("rnn", "RNN"), ("gru", "GRU"), ("lstm", "LSTM")):
        encoder = skrnn.RNNEncoder(
            128, cell=cell, pooling="last", ngram_range=(1, 1), max_iter=1
        ).fit(X[0].split("a"))
        layer = getattr(torch.nn, module)(10, 128)

        def theirs(layer=layer):
            with torch.inference_mode():
                layer(x)

        ours = partial(encoder.transform, X)
        seconds = timing.alternate({"ours": ours, "theirs": theirs}, rounds)
        ratio = seconds["theirs"].median / seconds["ours"].median
        yield f"one sequence of {N_STEPS} steps, {cell}, torch.nn / ours", ratio


def made_names(names):
    """The beginnings of names followed by the ends of others."""
    rng = np.random.default_rng(0)
    for _ in range(2 * N_NAMES):
        first, last = (names[i] for i in rng.integers(len(names), size=2))
        yield first[: len(first) // 2] + last[len(last) // 2 :]


def many_names(data, rounds):
    """Yield the speed of predictions, by default and beside torch.nn."""
    classifier = skrnn.RNNClassifier(max_iter=1, random_state=0)
    classifier.fit(data.names, data.labels)
    X = (data.names * (N_NAMES // len(data.names) + 1))[:N_NAMES]
    others = list(dict.fromkeys(made_names(data.names)))[:N_NAMES]
    ours = {
        "names": partial(classifier.predict, X),
        "names that all differ": partial(classifier.predict, others),
    }
    seconds = timing.alternate(ours, rounds)
    for each in ours:
        yield f"{each} per second, default", N_NAMES / seconds[each].median

    sizes = len(data.vocabulary), len(data.classes)
    task = Task(data.tokens, data.class_ids, *sizes, "rnn", 100, 256)
    encoder = skrnn.RNNEncoder(
        100, cell="rnn", pooling="last", ngram_range=(1, 1), max_iter=1
    ).fit(data.names, data.labels)
    seconds = timing.alternate(
        {
            "ours": partial(encoder.transform, data.test_names),
            "theirs": partial(torch_nn(task).predict, data.test_tokens),
        },
        rounds,
    )
    ratio = seconds["theirs"].median / seconds["ours"].median
    yield "transform of 6,700 names, rnn 100, torch.nn / ours", ratio


def large_vocabulary(rounds, n_samples=4000, n_steps=25):
    """Yield the time of an epoch with many different tokens, relative to few."""
    rng = np.random.default_rng(0)
    fits = {}
    for n_tokens in (100, 100_000):
        X = [
            [f"t{i}" for i in rng.integers(n_tokens, size=n_steps)]
            for _ in range(n_samples)
        ]
        y = rng.integers(2, size=n_samples)
        for n_epochs in (1, 13):  # reading the vocabulary takes as long as 3
            classifier = skrnn.RNNClassifier(
                ngram_range=(1, 1),
                vocabulary=[f"t{i}" for i in range(n_tokens)],
                max_iter=n_epochs,
                random_state=0,
            )
            fits[n_tokens, n_epochs] = partial(classifier.fit, X, y)
    seconds = timing.alternate(fits, rounds)
    epochs = {n: seconds[n, 13].median - seconds[n, 1].median for n in (100, 100_000)}
    yield "an epoch, 100,000 tokens / 100 tokens", epochs[100_000] / epochs[100]


def main():
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="folder of names_train.csv; or SKRNN_DATA")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    warnings.simplefilter("ignore", ConvergenceWarning)
    data = names.NamesData(datasets.data_folder(arguments.data))
    print(machine.describe())
    parts = [partial(default_fit, data, arguments.rounds)]
    torch.set_num_threads(1)
    parts += [
        partial(one_prediction, data),
        partial(long_sequence, arguments.rounds),
        partial(many_names, data, arguments.rounds),
        partial(large_vocabulary, arguments.rounds),
    ]
    for part in parts:
        for what, figure in part():
            print(f"{what}: {figure:.3g}", flush=True)


if __name__ == "__main__":
    main()
