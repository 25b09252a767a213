"""Our seconds under conditions that cost: a busy neighbour, a large vocabulary.

    python benchmarks/conditions.py --data DIR [--rounds N]

DIR holds names_train.csv and names_test.csv (or set SKRNN_DATA). Each pair of rows is
measured in rounds that take turns.

- busy: a fit of three epochs on all cores, alone, and beside another process that keeps
  one core busy (lstm, batches of 256).
- vocabulary: what one more epoch costs on sequences of 5 to 14 tokens, drawn evenly
  ("even": hardly any token comes twice in a batch) or as words of a text are ("Zipf":
  the k-th most frequent one with a probability proportional to 1 / k), from 100 or
  100,000 of them. Equal numbers of steps and equal networks.
"""

import argparse
import subprocess
import sys
import time
from functools import partial

import datasets
import names
import numpy as np
import timing
import torch

import skrnn

N_SEQUENCES = 20_000
SIZES = (100, 100_000)


def beside(function):
    """Call `function` while another process keeps one core busy."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.2)  # it has started
        start = time.perf_counter()
        function()
        return time.perf_counter() - start
    finally:
        busy.kill()
        busy.wait()


def alone(function):
    """Seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure_busy(data, rounds):
    """A fit alone and beside a busy process.

    Returns
    -------
    line : dict
    """
    # Gates make each step enough work for several threads.
    classifier = skrnn.RNNClassifier(
        cell="lstm",
        pooling="last",
        ngram_range=(1, 1),
        batch_size=256,
        max_iter=3,
        random_state=0,
    )
    fit = partial(classifier.fit, data.names, data.labels)
    fit()
    pairs = [(alone(fit), beside(fit)) for _ in range(rounds)]
    seconds = np.median(pairs, axis=0)
    return {
        "what": f"busy neighbour, {torch.get_num_threads()} threads",
        "seconds": float(seconds[0]),
        "seconds under it": float(seconds[1]),
        "ratio": float(np.median([under / free for free, under in pairs])),
    }


def sequences(n_tokens, distribution):
    """Lists of integers, in equal numbers for all vocabularies."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 15, N_SEQUENCES)
    weight = np.ones(n_tokens)
    if distribution == "Zipf":
        weight = 1.0 / np.arange(1, n_tokens + 1)
    tokens = rng.choice(n_tokens, size=lengths.sum(), p=weight / weight.sum())
    return [part.tolist() for part in np.split(tokens, np.cumsum(lengths)[:-1])]


def measure_vocabulary(batch_size, distribution, rounds):
    """One more epoch with few and with many tokens.

    Returns
    -------
    line : dict
    """
    labels = np.random.default_rng(1).integers(0, 2, N_SEQUENCES)
    fits = {}
    for n_tokens in SIZES:
        X = sequences(n_tokens, distribution)
        for n_epochs in (1, 4):
            classifier = skrnn.RNNClassifier(
                100,
                cell="rnn",
                batch_size=batch_size,
                max_iter=n_epochs,
                random_state=0,
            )
            fits[n_tokens, n_epochs] = partial(classifier.fit, X, labels)
    timings = timing.alternate(fits, rounds)
    few, many = ((timings[n, 4].median - timings[n, 1].median) / 3 for n in SIZES)
    return {
        "what": f"vocabulary of 100 and 100,000, {distribution}, batch {batch_size}",
        "seconds": few,
        "seconds under it": many,
        "ratio": many / few,
    }


def main():
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="folder of names_train.csv; or SKRNN_DATA")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    data = names.NamesData(datasets.data_folder(arguments.data))
    lines = [measure_busy(data, arguments.rounds)]
    for distribution in ("Zipf", "even"):
        for batch_size in (32, 256):
            lines.append(measure_vocabulary(batch_size, distribution, arguments.rounds))
    print(timing.markdown_table(lines, list(lines[0])))


if __name__ == "__main__":
    main()
