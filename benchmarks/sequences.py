"""Sequences out: accuracy, the best setting, and speed.

    python benchmarks/sequences.py --data DIR [--quick] [--only PART ...] [--validate]

DIR holds the files that datasets.TRANSDUCTION reads (or set SKRNN_DATA). The parts:

- accuracy: RNNSeq2Seq and RNNDecoder with their defaults, on each of TASKS: the share
  of sequences with a mistake; and the number of tokens to insert, delete or replace,
  per true token. Test data are read, or drawn, after the fit. With --validate, no test
  file is read: what a data set has to choose by is predicted, or a tenth of its
  training data, which is then held out. Minutes are those of the fit, by the clock and
  of all processors.
- best: the same for the settings of BEST, which were chosen by --validate, by the first
  1, 2, 4 and all networks of an ensemble.
- speed: tokens per second of RNNSeq2Seq beside the same network in torch.nn, with the
  same attention (peers_seq2seq.py): an epoch of learning, and greedy predictions by the
  same weights. Each with one thread or all, whichever is the faster. All take turns.

--quick fits a few hundred sequences twice; --tasks NAME ... leaves out the others.
"""

import argparse
import datetime
import json
import random
import time
from copy import copy
from functools import partial
from itertools import product
from operator import ne
from typing import NamedTuple

import datasets
import machine
import timing
import torch
from peers_seq2seq import TorchLoop
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skrnn import RNNDecoder, RNNEnsemble, RNNSeq2Seq
from skrnn.metrics import token_error_rate

DIGITS = "zero one two three four five six seven eight nine".split()
FORMATS = ["%d %B %Y", "%B %d, %Y", "%d.%m.%Y", "%m/%d/%Y", "%A, %d %B %Y"]
FORMATS += ["%Y%m%d", "%b %d, %Y", "%d-%b-%Y", "%Y/%m/%d", "%a %d %b %Y"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
N_DRAWN, N_TEST = 20_000, 2_000  # of training and test data that are made here


class Task(NamedTuple):
    """Inputs, and what to write for them.

    Attributes
    ----------
    train, test : callable
        ``train(folder)`` returns X and y.
    dev : callable, default=None
        What to choose by. None to hold out a tenth of the training data.
    """

    train: object
    test: object
    dev: object = None


def dates(folder, part):
    """Dates in ten formats, and as ISO 8601 has them; no day is in both parts."""
    first = datetime.date(1950, 1, 1)
    days = [first + datetime.timedelta(days=day) for day in range(80 * 365)]
    random.Random(0).shuffle(days)
    draw = random.Random(part)
    days = days[:N_DRAWN] if part == "train" else days[-N_TEST:]
    return [day.strftime(draw.choice(FORMATS)) for day in days], list(map(str, days))


def reversals(folder, part):
    """Strings of 5 to 30 random letters, and the same backwards."""
    draw = random.Random(part)
    n = N_DRAWN if part == "train" else N_TEST
    X = ["".join(draw.choices(LETTERS, k=draw.randint(5, 30))) for _ in range(n)]
    return X, [x[::-1] for x in X]


def digits(folder, part):
    """Pixels of handwritten digits, and the English words for them."""
    X, y = load_digits(return_X_y=True)
    names = [DIGITS[digit] for digit in y]
    parts = train_test_split(X, names, stratify=y, random_state=0)
    return (parts[0], parts[2]) if part == "train" else (parts[1], parts[3])


def _made(make):
    return Task(*(partial(make, part=part) for part in ("train", "test")))


TASKS = {
    **{d.name: Task(d.train, d.test, d.dev) for d in datasets.TRANSDUCTION},
    "reversed letters": _made(reversals),
    "dates": _made(dates),
    "digits": _made(digits),
}
# Settings by task: an estimator, and the beams with which it predicts.
ACCURACY = {
    **{name: {"default": (RNNSeq2Seq(random_state=0), (1, 4))} for name in TASKS},
    "digits": {"default": (RNNDecoder(random_state=0), (1,))},
}
ACCURACY["reversed letters"]["attention=None"] = (
    RNNSeq2Seq(attention=None, random_state=0),
    (1,),
)
MEMBER = RNNSeq2Seq((128, 128), cell="lstm", max_iter=12)
BEST = {
    "English sounds": {
        "cell='lstm', nhidden=(128, 128), max_iter=12": (
            RNNEnsemble(MEMBER, 8, n_jobs=-1, random_state=0),
            (1, 4),
        ),
    },
}


def measure(settings, tasks, folder, is_quick, is_validation):
    """Fit each setting on its task, then predict."""
    rows = []
    for task in tasks:
        (X, y), read_test = TASKS[task].train(folder), partial(TASKS[task].test, folder)
        if is_validation and TASKS[task].dev:
            read_test = partial(TASKS[task].dev, folder)
        elif is_validation:
            X, X_test, y, y_test = train_test_split(X, y, test_size=0.1, random_state=0)
            read_test = partial(tuple, (X_test, y_test))
        if is_quick:
            X, y = X[:300], y[:300]
        for setting, (estimator, beams) in settings.get(task, {}).items():
            if is_quick:
                estimator = quicker(estimator)
            wall, cpu = time.perf_counter(), time.process_time()
            model = estimator.fit(X, y)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            minutes = {"minutes": wall / 60, "CPU minutes": cpu / 60}
            X_test, y_test = read_test()
            row = {"task": task, "train": len(X), "test": len(X_test)}
            row |= {"setting": setting, **minutes}
            for (n, part), beam_width in product(parts_of(model), beams):
                predicted = with_beam(part, beam_width).predict(X_test)
                of = {"networks": n, "beam": beam_width, **errors(y_test, predicted)}
                rows.append({**row, **of})
                print(json.dumps(rows[-1]), flush=True)
    return timing.markdown_table(rows, list(rows[0])) if rows else ""


def quicker(estimator):
    """The estimator with two epochs."""
    name = "estimator__max_iter" if hasattr(estimator, "estimator") else "max_iter"
    return estimator.set_params(**{name: 2})


def parts_of(model):
    """The first 1, 2, 4 and so on networks of an ensemble, and how many these are."""
    if not hasattr(model, "estimators_"):
        return [(1, model)]
    parts, n = [], 1
    while n <= len(model.estimators_):
        part = copy(model)
        part.estimators_ = model.estimators_[:n]
        parts.append((n, part))
        n *= 2
    return parts


def with_beam(model, beam_width):
    """The fitted model, to predict with a beam."""
    is_ensemble = hasattr(model, "estimators_")
    name = "estimator__beam_width" if is_ensemble else "beam_width"
    return model.set_params(**{name: beam_width})


def errors(y_true, y_pred):
    """The share of sequences with a mistake, and mistakes per token."""
    n_wrong = sum(map(ne, y_true, y_pred))
    return {
        "sequence error": n_wrong / len(y_true),
        "token error": token_error_rate(y_true, y_pred),
    }


def speed(folder, is_quick, is_validation=False):
    """Tokens per second of RNNSeq2Seq and torch.nn, learning and predicting."""
    X, y = TASKS["English sounds"].train(folder)
    n = 500 if is_quick else 4000
    X, y, X_other = X[:n], y[:n], X[-n:]
    n_cores, rounds = machine.available_cores(), 1 if is_quick else 5
    rows = []
    for nhidden, batch_size in ((128, 64), (256, 64))[: 2 - is_quick]:
        model = RNNSeq2Seq(
            nhidden, cell="gru", batch_size=batch_size, max_iter=1, random_state=0
        )
        loop = TorchLoop(X, y, nhidden, batch_size)
        functions = {"ours": partial(model.fit, X, y)}
        functions |= on_threads(loop.epoch, n_cores)
        n_read = sum(len(sounds) + 1 for sounds in y)
        of = f"learning, nhidden={nhidden}"
        rows.append(_compare(of, functions, n_read, rounds))

        model.set_params(max_iter=2 if is_quick else 5).fit(X, y)
        loop.model.take_weights(model)
        longest = 2 * model.longest_output_
        written = loop.model.predict(X_other, longest)
        _check_same(model, model.predict(X_other), written)
        functions = {"ours": partial(model.predict, X_other)}
        predict = partial(loop.model.predict, X_other, longest)
        functions |= on_threads(predict, n_cores)
        n_written = sum(len(sounds) + 1 for sounds in written)
        of = f"predicting, nhidden={nhidden}"
        rows.append(_compare(of, functions, n_written, rounds))
    return timing.markdown_table(rows, list(rows[0]))


def _check_same(model, ours, theirs):
    """Both networks write the same, but where rounding decides."""
    tokens = {i: token for token, i in model.output_vocabulary_.items()}
    theirs = [[tokens[i] for i in ids] for ids in theirs]
    n_other = sum(a != b for a, b in zip(ours, theirs, strict=True))
    if n_other > 0.01 * len(ours):
        raise AssertionError(f"{n_other} of {len(ours)} predictions differ.")


def on_threads(function, n_cores):
    """The function with one thread of torch, and with all."""

    def run(n):
        before = torch.get_num_threads()
        torch.set_num_threads(n)
        function()
        torch.set_num_threads(before)

    return {f"torch, threads: {n}": partial(run, n) for n in sorted({1, n_cores})}


def _compare(what, functions, n_tokens, rounds):
    timings = timing.alternate(functions, rounds)
    medians = {name: timings[name].median for name in functions}
    fastest = min(s for name, s in medians.items() if name.startswith("torch"))
    row = {"what": what}
    row |= {name: f"{n_tokens / s:,.0f}" for name, s in medians.items()}
    print(json.dumps(row), flush=True)
    return {**row, "ours / torch": fastest / medians["ours"]}


PARTS = ("accuracy", "best", "speed")


def main():
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="folder of the data sets; or SKRNN_DATA")
    parser.add_argument("--quick", action="store_true", help="a minute in all")
    parser.add_argument("--validate", action="store_true", help="read no test file")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    arguments = parser.parse_args()
    folder = datasets.data_folder(arguments.data)
    parts = {
        "accuracy": partial(measure, ACCURACY, arguments.tasks),
        "best": partial(measure, BEST, arguments.tasks),
        "speed": speed,
    }
    print(json.dumps(machine.describe()))
    for part in arguments.only:
        table = parts[part](folder, arguments.quick, arguments.validate)
        print(f"\n{part}:\n\n{table}\n", flush=True)


if __name__ == "__main__":
    main()
