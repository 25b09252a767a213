"""Fit models on one part of a data set, and score them on the other."""

import sys
import time
import warnings
from functools import partial
from typing import Any, NamedTuple

import machine
import numpy as np
from folds import splits, take
from runs import Runs, digests
from scores import score
from sklearn.base import clone


class Fitted(NamedTuple):
    """A fitted model of the table, with its seed and the seconds it took."""

    name: str
    seed: int
    model: Any
    seconds: float


def fit_all(wanted, X, y):
    """Fit models.

    Parameters
    ----------
    wanted : list of tuple (Model, dict)
        Models, and what is known of a run of each.
    X, y
        Training data.

    Returns
    -------
    fitted : list of Fitted
    """
    fitted = []
    for row, run in wanted:
        model = row.make(run["seed"])
        if row.setting is not None:
            compile_for(model, X, y)
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
        fitted.append(Fitted(run["model"], run["seed"], model, seconds))
        text = f"{run['model']}, seed {run['seed']}: {seconds:.1f} s"
        print(text, file=sys.stderr, flush=True)
    return fitted


def compile_for(model, X, y):
    """Fit a copy on a few sequences: a first fit would take seconds to compile."""
    first = np.arange(min(20, len(X)))
    if not isinstance(y[0], list):
        _, first = np.unique(y, return_index=True)
    few = take(X, y, first[:20])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so few sequences, and one epoch
        clone(model).set_params(max_iter=1).fit(*few)


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


def measure(wanted, data_set, runs, train, held_out):
    """Fit and score what is not known yet.

    Parameters
    ----------
    wanted : list of tuple (Model, dict)
        Models, and what is known of a run of each before it is made.
    data_set : DataSet
    runs : Runs
        What is known, and becomes known.
    train, held_out : callable
        They return X and y, and are called only if something is to be fitted, the
        second one after the last fit.

    Returns
    -------
    results : list of dict
    """
    new = [(model, run) for model, run in wanted if not runs.find(run)]
    if new:
        X, y = train()
        fitted = fit_all(new, X, y)
        n_fitted = len(X)
        X, y = held_out()
        sizes = {"n trained on": n_fitted, "n held out": len(X)}
        machine_now = {"machine": machine.describe()}
        for (_, run), scored in zip(
            new, score_all(fitted, data_set, X, y), strict=True
        ):
            runs.add(run | sizes | scored | machine_now)
    # A model may have been measured under this name before as part of other tables.
    return [runs.find(run) | run for _, run in wanted]


def wanted_runs(data_set, models, seeds, **place):
    """Models, and the entries that a run of each has before it is made."""
    codes = digests()
    return [
        (
            model,
            {
                **place,
                "data set": data_set.name,
                "model": name,
                "seed": seed,
                "setting": model.setting,
                "is ours": model.is_ours,
                "code": codes[model.is_ours],
            },
        )
        for name, model in models.items()
        for seed in (seeds if model.has_seed else [0])
    ]


def test(data_set, folder, models, n_seeds, runs=None):
    """Fit on the training part; then, all models fixed, read the test part and score.

    Returns
    -------
    results : list of dict
    """
    seeds, place = range(n_seeds), {"part": "test", "split": 0, "steps": None}
    wanted = wanted_runs(data_set, models, seeds, **place)
    return measure(
        wanted,
        data_set,
        Runs() if runs is None else runs,
        lambda: data_set.train(folder),
        lambda: data_set.test(folder),
    )


def validate(data_set, folder, models, n_seeds, runs=None, n_splits=5, n_steps=250_000):
    """Fit on parts of the training part, and score what they leave out.

    If there is a part to choose by, fit on the whole training part, and score that one.

    Returns
    -------
    results : list of dict
    """
    runs = Runs() if runs is None else runs
    if data_set.dev is not None:
        parts = (partial(part, folder) for part in (data_set.train, data_set.dev))
        place = {"part": "validation", "split": 0, "steps": None}
        wanted = wanted_runs(data_set, models, range(n_seeds), **place)
        results = measure(wanted, data_set, runs, *parts)
        return [run | {"n of fold": run["n trained on"]} for run in results]
    X, y = data_set.train(folder)
    results = []
    for split in splits(data_set, X, y, n_splits, n_steps):
        n_all = len(X) - len(split.valid)
        is_thinned = len(split.train) < n_all
        place = {"part": "validation", "split": split.number, "n of fold": n_all}
        place["steps"] = n_steps if is_thinned else None
        text = f"split {split.number}, {len(split.train)} of {n_all}"
        print(text, file=sys.stderr, flush=True)
        # Each split has other seeds, so that those are averaged over as well.
        seeds = range(split.number, split.number + n_seeds)
        for wanted in wanted_runs(data_set, models, seeds, **place):
            results += measure(  # one by one: what is there survives an interruption
                [wanted],
                data_set,
                runs,
                lambda split=split: take(X, y, split.train),
                lambda split=split: take(X, y, split.valid),
            )
    return results
