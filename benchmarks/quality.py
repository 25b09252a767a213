"""Accuracy on all data sets, beside what else users could run.

    python benchmarks/quality.py --data DIR [--only NAMES] [--seeds N] [--json FILE]
    python benchmarks/quality.py --data DIR --validate [--set KEY=VALUE ...]

DIR holds the files that datasets.py reads (or set SKRNN_DATA); names: {names}.

Without --validate all models, as models.py fixes them, are fitted on the training part
of a data set; the test part is read once, after the last fit, so no choice can depend
on it. Models that have a seed are fitted with N of them. The exit status is 1 if a
model falls below what this version promises.

With --validate no test part is read. The training part is split instead: names into
10,000 and 3,374; other data sets into five folds, those of less than {small} sequences
N times. Only here can --set change parameters of our estimators, to choose defaults
and the best documented setting; --models chooses rows by name: "RNN*" "n-gram*".

Columns: mean and standard deviation over the fits; medians of seconds. The calibration
error is that of the largest probability, in 15 bins; RMSE is in the unit of y.
"""

import argparse
import ast
import fnmatch
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import machine
import numpy as np
import timing
from datasets import DATA_SETS, data_folder
from models import models_of
from scores import mean_of, score, tables
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)

HOLD_OUT = {"names": 3_374}
SMALL = 500  # sequences, below which one round of folds says little
SPLITTERS = {
    # Whether y holds classes, and whether some sequences belong together.
    (True, False): StratifiedKFold,
    (True, True): StratifiedGroupKFold,
    (False, False): KFold,
    (False, True): GroupKFold,
}
FOREST, BAG = "RNNEncoder + forest", "bag of characters + forest"
# What this version promises, by data set: a sentence, and a function of
# ``mean(model, column)`` that says whether it is kept.
PROMISES = {
    "names": {
        "RNNClassifier is at least 0.85 accurate": lambda mean: (
            mean("RNNClassifier", "accuracy") >= 0.85
        ),
        "a forest on the codes is within 0.02 of it": lambda mean: (
            abs(mean(FOREST, "accuracy") - mean("RNNClassifier", "accuracy")) <= 0.02
        ),
        "both are 0.08 above a bag of characters": lambda mean: (
            min(mean(FOREST, "accuracy"), mean("RNNClassifier", "accuracy"))
            > mean(BAG, "accuracy") + 0.08
        ),
    },
    "JapaneseVowels": {
        "RNNClassifier is at least 0.97 accurate": lambda mean: (
            mean("RNNClassifier", "accuracy") >= 0.97
        ),
    },
    "Tecator": {
        "RNNRegressor is better than 2.5 off": lambda mean: (
            mean("RNNRegressor", "RMSE") <= 2.5
        ),
    },
}


class Fitted(NamedTuple):
    """A fitted model of the table, with its seed and the seconds it took."""

    name: str
    seed: int
    model: Any
    seconds: float


def fit_all(models, X, y, seeds):
    """Fit every model with every seed, or once if it has none.

    Returns
    -------
    fitted : list of Fitted
    """
    fitted = []
    for name, (make, has_seed) in models.items():
        for seed in seeds if has_seed else seeds[:1]:
            model = make(seed)
            start = time.perf_counter()
            model.fit(X, y)
            seconds = time.perf_counter() - start
            fitted.append(Fitted(name, seed, model, seconds))
            print(f"{name}, seed {seed}: {seconds:.1f} s", file=sys.stderr, flush=True)
    return fitted


def score_all(fitted, data_set, X, y):
    """One dict for each fitted model: data set, model, seed, seconds and scores."""
    return [
        {
            "data set": data_set.name,
            "model": name,
            "seed": seed,
            "fit seconds": seconds,
            **score(model, data_set, X, y),
        }
        for name, seed, model, seconds in fitted
    ]


def test(data_set, folder, models, n_seeds):
    """Fit on the training part; then, all models fixed, read the test part and score.

    Returns
    -------
    results : list of dict
    """
    fitted = fit_all(models, *data_set.train(folder), range(n_seeds))
    return score_all(fitted, data_set, *data_set.test(folder))


def validate(data_set, folder, models, n_seeds):
    """Fit on parts of the training part, and score what they leave out.

    Returns
    -------
    results : list of dict
    """
    X, y = data_set.train(folder)
    results = []
    for train, valid, seeds in splits(data_set, X, y, n_seeds):
        fitted = fit_all(models, *take(X, y, train), seeds)
        results += score_all(fitted, data_set, *take(X, y, valid))
    return results


def splits(data_set, X, y, n_seeds):
    """How validation splits the training part.

    Yields
    ------
    train, valid : ndarray of int
        Indices of sequences.
    seeds : sequence of int
        Of the models to fit on it.
    """
    is_classes = data_set.task == "classification"
    if n_valid := HOLD_OUT.get(data_set.name):
        parts = train_test_split(
            np.arange(len(X)), test_size=n_valid, stratify=y, random_state=0
        )
        yield *parts, range(n_seeds)
        return
    groups = data_set.duplicate and [data_set.duplicate(x) for x in X]
    splitter = SPLITTERS[is_classes, groups is not None]
    for seed in range(n_seeds if len(X) < SMALL else 1):
        folds = splitter(n_splits=5, shuffle=True, random_state=seed)
        for train, valid in folds.split(np.zeros(len(X)), y, groups):
            yield train, valid, [seed]


def take(X, y, indices):
    """Some of the sequences, and what to predict from them."""
    return [X[i] for i in indices], np.asarray(y)[indices]


def broken_promises(results):
    """What this version promises and the results do not keep.

    Returns
    -------
    broken : list of str
    """
    broken = []
    for data_set, promises in PROMISES.items():
        chosen = [run for run in results if run["data set"] == data_set]

        def mean(model, column, chosen=chosen):
            return mean_of(chosen, model, column)

        if chosen:
            broken += [text for text, is_kept in promises.items() if not is_kept(mean)]
    return broken


def setting(text):
    """A parameter and its value, from "key=value".

    The value is a Python literal, or else a string.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"KEY=VALUE expected, got {text!r}.")
    try:
        return key, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return key, value


def parse(arguments):
    """Read the command line, and refuse what would allow a choice by test score."""
    parser = argparse.ArgumentParser(
        description=__doc__.format(names=", ".join(DATA_SETS), small=SMALL),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", help="folder of the data files; or SKRNN_DATA")
    add("--json", type=Path, help="file for all raw scores")
    add("--only", nargs="+", choices=DATA_SETS, metavar="NAMES", help="data sets")
    add("--seeds", type=int, default=3, metavar="N")
    add(
        "--compositions",
        action="store_true",
        help="only ensembles and calibration of our classifier, on names",
    )
    add("--validate", action="store_true", help="split the training part")
    add("--set", nargs="+", type=setting, default=[], metavar="KEY=VALUE")
    add("--models", nargs="+", default=["*"], metavar="PATTERN")
    parsed = parser.parse_args(arguments)
    if not parsed.validate and (parsed.set or parsed.models != ["*"]):
        parser.error("--set and --models choose: they want --validate.")
    return parsed


def main(arguments=None):
    """Read the command line, measure, print."""
    parsed = parse(arguments)
    folder = data_folder(parsed.data)
    params = dict(parsed.set)
    measure = validate if parsed.validate else test
    described = {"machine": machine.describe(), "validate": parsed.validate}
    described |= {"set": params, "results": []}
    results = described["results"]
    for name in parsed.only or DATA_SETS:
        print(f"{name}:", file=sys.stderr, flush=True)
        models = models_of(DATA_SETS[name], parsed.compositions, **params)
        wanted = {m for p in parsed.models for m in fnmatch.filter(models, p)}
        models = {model: models[model] for model in models if model in wanted}
        if models:
            results += measure(DATA_SETS[name], folder, models, parsed.seeds)
        if parsed.json:  # each time: what is there survives an interruption
            timing.write_json(parsed.json, described)
    if not find_spec("aeon"):
        print("MiniRocket: aeon is not installed.\n")
    if params:
        print(f"Our estimators with {params}:\n")
    print(tables(results))
    if not parsed.validate and not parsed.compositions:
        if broken := broken_promises(results):
            sys.exit(f"Not true: {'; '.join(broken)}.")


if __name__ == "__main__":
    main()
