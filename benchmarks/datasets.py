"""The data sets of the benchmarks, read from the files of one folder.

The training part and the test part of each have readers of their own, so that a run
that only trains opens no test file. Some data sets are one file with a column `split`:
there, rows of the other part are dropped as they are read.

What is particular about a data set is said here, and nowhere else by its name, except
for the figures that quality.py holds the results against.
"""

import csv
import os
import unicodedata
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
    task : {"classification", "regression", "tagging", "transduction"}
    kind : {"text", "tokens", "series"}
        Sequences are strings, lists of strings, or float64 arrays of shape (n_steps,
        n_features).
    train, test : callable
        ``train(folder)`` returns X, a list of sequences, and y: a list of str for
        classification, a float64 array for regression, a list of lists of str for
        tagging, a list of sequences for transduction.
    dev : callable, default=None
        ``dev(folder)`` returns what to choose by. None if folds of the training part
        have to do.
    duplicate : callable, default=None
        ``duplicate(x)`` is the same for sequences that lie in the same part, so that
        validation keeps them together as well. None where parts share sequences.
    positive : str, default=None
        The class whose F1 is reported.
    has_entities : bool, default=False
        Whether tags mark entities, whose F1 is reported.
    has_words : bool, default=False
        Whether the strings are sentences, of which n-grams of words can be counted.
    is_aligned : bool, default=False
        Whether all strings or lists are of one length, and a place means the same in
        all of them.
    best : dict, default=None
        The best documented setting of our estimator, where --validate of quality.py
        was better with it than with the defaults; never chosen by the score of a test
        file.
    also : tuple of {"encoder", "union", "gru", "compositions"}, default=()
        Further models that are measured: our codes as features of a forest; beside
        TF-IDF, with the weight and the C of `union`; a plain GRU of torch, whose fits
        on long sequences take too long; what scikit-learn composes of our classifier.
    union : tuple of (float, float), default=None
        The weight of our codes beside TF-IDF, and the C of the linear model: by
        --validate, too. Codes know the labels of the training data, and would be
        trusted too much.
    """

    name: str
    task: str
    kind: str
    train: Callable
    test: Callable
    dev: Callable | None = None
    duplicate: Callable | None = None
    positive: str | None = None
    has_entities: bool = False
    has_words: bool = False
    is_aligned: bool = False
    best: dict | None = None
    also: tuple = ()
    union: tuple | None = None


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
    split : collection of str, default=None
        Keep rows that have one of these in their column `split`. None keeps all.
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
            if split is None or row["split"] in split
        ]
    return [row[0] for row in rows], _targets([row[1] for row in rows], task)


def read_token_table(folder, file_name, x, y, split=None):
    """As read_table, of lists of tokens: those of a row have spaces between them."""
    X, targets = read_table(folder, file_name, x, y, split)
    return [x.split(" ") for x in X], targets


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


def read_tags(folder, file_name):
    """Read a file of words and their tags.

    A line has a word and its tag with a tab between them; an empty line ends a
    sentence. Quotes are words like others.

    Parameters
    ----------
    folder : Path
    file_name : str

    Returns
    -------
    X, y : list of list of str
    """
    text = (folder / file_name).read_text(encoding="utf-8")
    sentences = [part.split("\n") for part in text.strip("\n").split("\n\n")]
    pairs = [[line.split("\t") for line in lines] for lines in sentences]
    X = [[word for word, _ in sentence] for sentence in pairs]
    return X, [[tag for _, tag in sentence] for sentence in pairs]


def read_sounds(folder, file_name):
    """Read words and their sounds, between which there are spaces.

    The letters of syllables, as of Hangul, are read one by one.

    Parameters
    ----------
    folder : Path
    file_name : str

    Returns
    -------
    X : list of str
    y : list of list of str
    """
    X, y = read_table(folder, file_name, "word", "phonemes")
    X = [unicodedata.normalize("NFD", word) for word in X]
    return X, [sounds.split(" ") for sounds in y]


def read_inflections(folder, file_name):
    """Read lemmas with the features of a form, and the forms.

    Parameters
    ----------
    folder : Path
    file_name : str

    Returns
    -------
    X : list of list of str
        First the features, then the characters of the lemma.
    y : list of str
    """
    lemmas, forms = read_table(folder, file_name, "lemma", "form")
    features, _ = read_table(folder, file_name, "features", "form")
    pairs = zip(features, lemmas, strict=True)
    return [[*some.split(";"), *lemma] for some, lemma in pairs], forms


def _targets(targets, task):
    return np.array(targets, dtype=np.float64) if task == "regression" else targets


def _table(name, file_name, x, y, *, read=read_table, **about):
    """A data set of one CSV file; rows that are not of the test part are for training.

    Duplicates lie in the same part unless `about` says otherwise.
    """
    about = {"task": "classification", "kind": "text", "duplicate": str} | about
    if about["task"] == "regression":
        read = partial(read, task="regression")
    train, test = (
        partial(read, file_name=file_name, x=x, y=y, split=split)
        for split in (("train", "dev"), ("test",))
    )
    return DataSet(name, train=train, test=test, **about)


def _two_tables(name, x, y, **about):
    """A data set of two CSV files, of strings and their classes."""
    train, test = (
        partial(read_table, file_name=f"{name}_{part}.csv", x=x, y=y)
        for part in ("train", "test")
    )
    return DataSet(name, "classification", "text", train, test, **about)


def _archive(name, task="classification", **about):
    """A data set of two .ts files."""
    train, test = (
        partial(read_series, file_name=f"{name}_{part}.ts", task=task)
        for part in ("TRAIN", "TEST")
    )
    return DataSet(name, task, "series", train, test, **about)


def _three_tags(name, file_name, **about):
    """A data set of three files of words and tags."""
    train, dev, test = (
        partial(read_tags, file_name=f"{file_name}_{part}.tsv")
        for part in ("train", "dev", "test")
    )
    return DataSet(name, "tagging", "tokens", train, test, dev, **about)


def _transduction(name, kind, read, file_name, parts=("train", "test"), **about):
    """A data set of sequences and other sequences, one CSV file for each part."""
    readers = {
        part: partial(read, file_name=f"{file_name}_{part}.csv") for part in parts
    }
    return DataSet(name, "transduction", kind, **readers, **about)


def _message(text):
    return text.strip().lower()


BIDIRECTIONAL = {"bidirectional": True}
NAMES = _two_tables(
    "names",
    "name",
    "language",
    best=BIDIRECTIONAL,
    also=("encoder", "union", "gru", "compositions"),
    union=(0.3, 0.3),
)
ALL = [
    NAMES,
    _table("first_names", "first_names_gender.csv", "name", "gender"),
    _table("dga", "dga_domains.csv", "domain", "label"),
    _table("dga_family", "dga_domains.csv", "domain", "family"),
    _table("splice", "splice_junction.csv", "sequence", "label", is_aligned=True),
    _table(
        "sms_spam",
        "sms_spam.csv",
        "text",
        "label",
        duplicate=_message,
        positive="spam",
        has_words=True,
        also=("union",),
        union=(0.1, 1.0),
    ),
    _two_tables("trec", "question", "coarse_label", has_words=True),
    _table("subjectivity", "subjectivity.csv", "text", "label", has_words=True),
    _table(
        "ppattach",
        "ppattach.csv",
        "tokens",
        "label",
        read=read_token_table,
        kind="tokens",
        duplicate=None,
        is_aligned=True,
    ),
    _archive("JapaneseVowels", best=BIDIRECTIONAL, also=("gru",)),
    _archive("BasicMotions", best=BIDIRECTIONAL, also=("gru",)),
    _archive("GunPoint", best=BIDIRECTIONAL, also=("gru",)),
    _archive("ItalyPowerDemand", best={"alpha": 1.0}, also=("gru",)),
    _archive("ArrowHead"),
    _archive("OSULeaf"),
    _archive("PickupGestureWiimoteZ"),
    _archive("PLAID"),
    _archive("Tecator", "regression", best={"differences": 2}, also=("gru",)),
    _archive("Covid3Month", "regression"),
    _table(
        "ESOL",
        "esol_delaney.csv",
        "smiles",
        "measured_log_solubility",
        task="regression",
        best={"pooling": "max"},
        also=("gru",),
    ),
    _table("lipophilicity", "lipophilicity.csv", "smiles", "target", task="regression"),
    _table("freesolv", "freesolv.csv", "smiles", "target", task="regression"),
    _three_tags("EWT", "ud_english_ewt_upos"),
    _three_tags("Maltese", "ud_maltese_mudt_upos"),
    _three_tags("WNUT17", "wnut17_ner", has_entities=True),
]
DATA_SETS = {data_set.name: data_set for data_set in ALL}
# Sequences to sequences, which sequences.py reads.
TRANSDUCTION = [
    _transduction("English sounds", "text", read_sounds, "cmudict_g2p"),
    _transduction(
        "Korean sounds",
        "text",
        read_sounds,
        "g2p_sigmorphon2021_kor",
        ("train", "dev", "test"),
    ),
    _transduction(
        "Finnish forms",
        "tokens",
        read_inflections,
        "inflection_conll2018_finnish",
        ("train", "dev", "test"),
    ),
]
