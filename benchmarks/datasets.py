"""The data sets of the benchmarks, read from the files of one folder.

The training part and the test part of each have readers of their own, so that a run
that only trains opens no test file. Two data sets are one file with a column `split`:
there, rows of the other part are dropped as they are read.
"""

import csv
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np


class DataSet(NamedTuple):
    """Sequences with what to predict from them.

    Attributes
    ----------
    name : str
    task : {"classification", "regression"}
    kind : {"text", "series"}
        Sequences are strings, or float64 arrays of shape (n_steps, n_features).
    train, test : callable
        ``train(folder)`` returns X, a list of sequences, and y: a list of str for
        classification, a float64 array for regression.
    duplicate : callable, default=None
        ``duplicate(x)`` is the same for sequences that lie in the same part, so that
        validation keeps them together as well. None where parts share sequences.
    positive : str, default=None
        The class whose F1 is reported.
    """

    name: str
    task: str
    kind: str
    train: Callable
    test: Callable
    duplicate: Callable | None = None
    positive: str | None = None


def data_folder(given=None):
    """The folder that holds the data files.

    Parameters
    ----------
    given : str or Path, default=None
        The environment variable SKRNN_DATA decides when it is None.

    Raises
    ------
    ValueError
        Neither is set.
    """
    folder = given or os.environ.get("SKRNN_DATA")
    if not folder:
        raise ValueError("Give the folder of the data files: --data, or SKRNN_DATA.")
    return Path(folder)


def read_table(folder, file_name, x, y, split=None, task="classification"):
    """Read two columns of a CSV file with a header row.

    Parameters
    ----------
    folder : Path
    file_name : str
    x, y : str
        Names of the columns.
    split : str, default=None
        Keep rows that have this in their column `split`. None keeps all.
    task : {"classification", "regression"}, default="classification"

    Returns
    -------
    X : list of str
    y : list of str, or ndarray of shape (n_samples,) for regression
    """
    with open(folder / file_name, newline="", encoding="utf-8") as file:
        rows = [
            (row[x], row[y])
            for row in csv.DictReader(file)
            if split is None or row["split"] == split
        ]
    return [row[0] for row in rows], _targets([row[1] for row in rows], task)


def read_series(folder, file_name, task="classification"):
    """Read a .ts file of the UCR and UEA archives.

    After the line "@data" each line is a sequence: features with ":" between them, the
    steps of each with "," between them, and the target last.

    Parameters
    ----------
    folder : Path
    file_name : str
    task : {"classification", "regression"}, default="classification"

    Returns
    -------
    X : list of ndarray of shape (n_steps, n_features)
    y : list of str, or ndarray of shape (n_samples,) for regression

    Raises
    ------
    ValueError
        No line is "@data".
    """
    path = folder / file_name
    lines = path.read_text(encoding="utf-8").splitlines()
    start = [i for i, line in enumerate(lines) if line.strip().lower() == "@data"]
    if not start:
        raise ValueError(f"{path} has no line '@data': a .ts file expected.")
    X, targets = [], []
    for line in filter(str.strip, lines[start[0] + 1 :]):
        *features, target = line.strip().split(":")
        steps = np.array([f.split(",") for f in features], dtype=np.float64).T
        X.append(np.ascontiguousarray(steps))  # (n_steps, n_features)
        targets.append(target)
    return X, _targets(targets, task)


def _targets(targets, task):
    return np.array(targets, dtype=np.float64) if task == "regression" else targets


def _names(part):
    return partial(read_table, file_name=f"names_{part}.csv", x="name", y="language")


def _spam(part):
    return partial(
        read_table, file_name="sms_spam.csv", x="text", y="label", split=part
    )


def _solubility(part):
    return partial(
        read_table,
        file_name="esol_delaney.csv",
        x="smiles",
        y="measured_log_solubility",
        split=part,
        task="regression",
    )


def _archive(name, task="classification"):
    train, test = (
        partial(read_series, file_name=f"{name}_{part}.ts", task=task)
        for part in ("TRAIN", "TEST")
    )
    return DataSet(name, task, "series", train, test)


def _message(text):
    return text.strip().lower()


NAMES = DataSet("names", "classification", "text", _names("train"), _names("test"))
ALL = [
    NAMES,
    DataSet(
        "sms_spam",
        "classification",
        "text",
        _spam("train"),
        _spam("test"),
        duplicate=_message,
        positive="spam",
    ),
    _archive("JapaneseVowels"),
    _archive("BasicMotions"),
    _archive("GunPoint"),
    _archive("ItalyPowerDemand"),
    _archive("Tecator", "regression"),
    DataSet(
        "ESOL",
        "regression",
        "text",
        _solubility("train"),
        _solubility("test"),
        duplicate=str,
    ),
]
DATA_SETS = {data_set.name: data_set for data_set in ALL}
