"""Seconds and memory of reading and encoding a million strings.

    python benchmarks/encoding.py --data DIR
    python benchmarks/encoding.py --only log  # needs no data

DIR holds names_train.csv (or set SKRNN_DATA). Surnames are drawn with replacement;
sentences are of ten of them each. What is timed is what fit does before the network
learns: opening the container, validation, vocabulary, ids. Columns:

- characters/s, rows/s: millions of them.
- times split: over the seconds of ``str.split`` and one dict look-up a word, in plain
  Python, in the same rounds.
- peak / encoded: the most memory in use beyond X (tracemalloc), over the bytes of the
  ids and offsets that come out.

Beside it: sequences_from_frame of a made-up event log of as many rows, ten a group on
average and in no order, with the groups' names, times to sort by and tokens as columns.
"""

import argparse
import tracemalloc
from functools import partial
from importlib.util import find_spec

import datasets
import machine
import names
import numpy as np
import timing
from sklearn.utils.validation import validate_data

from skrnn import RNNEncoder, sequences_from_frame
from skrnn._core.samples import Samples
from skrnn._reading.options import ReadingOptions
from skrnn._reading.schema import Schema
from skrnn._reading.tokens import TokenReader

WORDS_A_SENTENCE = 10
ROWS_A_GROUP = 10


def encode(X, **params):
    """What fit does with X before training.

    Returns
    -------
    n_bytes : int
        Of the ids and the offsets.
    """
    encoder = RNNEncoder(**params)
    options = ReadingOptions.of(encoder.get_params())
    read_table = partial(validate_data, encoder, reset=True)
    _, sequences = Schema("RNNEncoder", options).learn(X, read_table)
    weight, positions = np.ones(len(sequences)), np.arange(len(sequences))
    samples = Samples(sequences, None, weight, positions)
    reader, steps = TokenReader.learn(options, samples, generator=None)
    reader.inputs(steps, weight, options)
    return steps.values.nbytes + steps.offsets.nbytes


def split_and_look_up(X, vocabulary):
    """Ids of words in plain Python."""
    return [[vocabulary.get(word, 0) for word in text.split()] for text in X]


def containers(X):
    """X in other containers, of the libraries that are installed."""
    yield "list", X
    yield "object array", np.array(X, dtype=object)
    if find_spec("pandas"):
        import pandas as pd

        yield "pandas", pd.Series(X)
    if find_spec("polars"):
        import polars as pl

        yield "polars", pl.Series(X)
    if find_spec("pyarrow"):
        import pyarrow as pa

        yield "pyarrow", pa.array(X)


def peak_over_encoded(function):
    """The most memory in use in a call beyond what was before, over what it returns."""
    tracemalloc.start()
    n_bytes = function()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / n_bytes


def measure(data, n_samples, rounds):
    """Time all cases in turn.

    Returns
    -------
    lines : list of dict
    """
    rng = np.random.default_rng(0)
    X = [data.names[i] for i in rng.integers(len(data.names), size=n_samples)]
    n_sentences = n_samples // WORDS_A_SENTENCE
    sentences = [
        " ".join(X[i : i + WORDS_A_SENTENCE])
        for i in range(0, n_sentences * WORDS_A_SENTENCE, WORDS_A_SENTENCE)
    ]
    vocabulary = {word: i for i, word in enumerate(sorted({*X}), start=1)}
    alone = {"ngram_range": (1, 1)}
    cases = {f"char, {name}": (column, X, alone) for name, column in containers(X)}
    cases["char, n-grams of 1 to 3"] = X, X, {"ngram_range": (1, 3)}
    words = {"analyzer": "word", **alone, "subwords": False}
    cases["word, list"] = sentences, sentences, words
    cases["word, n-grams and subwords"] = sentences, sentences, {"analyzer": "word"}
    cases["token, list"] = [text.split() for text in sentences], sentences, {}
    functions = {
        name: partial(encode, column, **params)
        for name, (column, _, params) in cases.items()
    }
    plain = "str.split and dict"
    functions[plain] = partial(split_and_look_up, sentences, vocabulary)
    timings = timing.alternate(functions, rounds)
    lines = []
    for name, (_, texts, _) in cases.items():
        seconds = timings[name].median
        line = {"what": name, "strings": len(texts), "seconds": seconds}
        line["characters/s"] = sum(map(len, texts)) / seconds / 1e6
        if texts is sentences:
            line["times split"] = seconds / timings[plain].median
        line["peak / encoded"] = peak_over_encoded(functions[name])
        lines.append(line)
    return lines


def event_logs(n_rows):
    """An event log as a frame of the libraries that are installed."""
    rng = np.random.default_rng(0)
    groups = rng.integers(n_rows // ROWS_A_GROUP, size=n_rows)
    columns = {
        "user": [f"user {i}" for i in groups.tolist()],
        "second": rng.permutation(n_rows),
        "event": [f"event {i}" for i in rng.integers(50, size=n_rows).tolist()],
    }
    if find_spec("pandas"):
        import pandas as pd

        yield "pandas", pd.DataFrame(columns)
    if find_spec("polars"):
        import polars as pl

        yield "polars", pl.DataFrame(columns)


def measure_logs(n_rows, rounds):
    """Time sequences_from_frame.

    Returns
    -------
    lines : list of dict
    """
    names = {"group": "user", "columns": "event", "order": "second"}
    functions = {
        f"sequences_from_frame, {library}": partial(sequences_from_frame, df, **names)
        for library, df in event_logs(n_rows)
    }
    timings = timing.alternate(functions, rounds)
    return [
        {
            "what": name,
            "rows": n_rows,
            "seconds": timings[name].median,
            "rows/s": n_rows / timings[name].median / 1e6,
        }
        for name in functions
    ]


def main():
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="folder of names_train.csv; or SKRNN_DATA")
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["names", "log"], help="default: both")
    arguments = parser.parse_args()
    machine.keep_to_cores(1)
    lines = []
    if arguments.only != "log":
        data = names.NamesData(datasets.data_folder(arguments.data))
        lines += measure(data, arguments.samples, arguments.rounds)
    if arguments.only != "names":
        lines += measure_logs(arguments.samples, arguments.rounds)
    columns = list(dict.fromkeys(column for line in lines for column in line))
    print(timing.markdown_table(lines, columns))


if __name__ == "__main__":
    main()
