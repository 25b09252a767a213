"""Names and their labels, as strings and as flat token ids."""

from typing import NamedTuple

import numpy as np
from datasets import NAMES


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
        self.names, self.labels = NAMES.train(folder)
        self.test_names, self.test_labels = NAMES.test(folder)
        self.vocabulary = learn_vocabulary(self.names)
        self.tokens = encode(self.names, self.vocabulary)
        self.test_tokens = encode(self.test_names, self.vocabulary)
        self.classes, ids = np.unique(self.labels, return_inverse=True)
        self.class_ids = ids.astype(np.int64)
