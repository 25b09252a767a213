"""Names and their labels from a CSV file, as strings and as flat token ids."""

import csv
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Tokens(NamedTuple):
    """Sequences of token ids, end to end.

    Attributes
    ----------
    values : ndarray of shape (n_rows,), int64
    offsets : ndarray of shape (n_samples + 1,), int64
        Sequence ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    """

    values: np.ndarray
    offsets: np.ndarray

    @property
    def lengths(self):
        """Number of tokens in each sequence, of shape (n_samples,)."""
        return np.diff(self.offsets)


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
        raise ValueError("Give the folder of names_train.csv: --data, or SKRNN_DATA.")
    return Path(folder)


def read_names(path):
    """Read a CSV file with a header row and two columns, the name and its label.

    Returns
    -------
    names : list of str
    labels : list of str
    """
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [name for name, _ in rows], [label for _, label in rows]


def learn_vocabulary(names):
    """Give each character of `names` an id.

    Returns
    -------
    vocabulary : dict of str to int
    """
    return {character: i for i, character in enumerate(sorted(set("".join(names))))}


def encode(names, vocabulary):
    """Turn strings into token ids; characters outside the vocabulary are left out.

    Returns
    -------
    tokens : Tokens
    """
    ids = [[vocabulary[c] for c in name if c in vocabulary] for name in names]
    offsets = np.zeros(len(ids) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in ids], out=offsets[1:])
    values = np.fromiter((i for row in ids for i in row), np.int64, offsets[-1])
    return Tokens(values, offsets)


class NamesData:
    """Training and test names, as strings and as token ids.

    Parameters
    ----------
    folder : Path
        Holds names_train.csv and names_test.csv.

    Attributes
    ----------
    names, labels, test_names, test_labels : list of str
    vocabulary : dict of str to int
    tokens, test_tokens : Tokens
    classes : ndarray of shape (n_classes,)
    class_ids : ndarray of shape (n_samples,), int64
        Where each label lies in `classes`.
    """

    def __init__(self, folder):
        self.names, self.labels = read_names(folder / "names_train.csv")
        self.test_names, self.test_labels = read_names(folder / "names_test.csv")
        self.vocabulary = learn_vocabulary(self.names)
        self.tokens = encode(self.names, self.vocabulary)
        self.test_tokens = encode(self.test_names, self.vocabulary)
        self.classes, ids = np.unique(self.labels, return_inverse=True)
        self.class_ids = ids.astype(np.int64)
