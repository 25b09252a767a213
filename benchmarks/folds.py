"""How validation splits the training part of a data set, bounded in time."""

import math
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)

N_FOLDS = 5
# Sequences held out in all splits of a data set, beyond which one more tells little.
HELD_OUT = 1_000
SPLITTERS = {
    # Whether y holds classes, and whether some sequences belong together.
    (True, False): StratifiedKFold,
    (True, True): StratifiedGroupKFold,
    (False, False): KFold,
    (False, True): GroupKFold,
}


class Split(NamedTuple):
    """Indices of the sequences to train on, and of those held out."""

    number: int
    train: np.ndarray
    valid: np.ndarray


def splits(data_set, X, y, n_splits, n_steps):
    """Folds, shuffled anew after each round of five.

    Parameters
    ----------
    data_set : DataSet
    X : list of sequences
    y : sequence
    n_splits : int
        At most as many, and fewer where HELD_OUT sequences are held out before. Those
        of a smaller number are the first of a larger one.
    n_steps : int
        Sequences to train on are left out at random until they have no more steps
        together. Duplicates stay or go together. What is held out stays whole.

    Yields
    ------
    split : Split
    """
    groups = data_set.duplicate and [data_set.duplicate(x) for x in X]
    is_classes = data_set.task == "classification"
    splitter = SPLITTERS[is_classes, groups is not None]
    number = 0
    n_splits = min(n_splits, math.ceil(HELD_OUT * N_FOLDS / len(X)))
    while number < n_splits:
        folds = splitter(N_FOLDS, shuffle=True, random_state=number // N_FOLDS)
        for train, valid in folds.split(np.zeros(len(X)), y, groups):
            if number < n_splits:
                yield Split(number, thinned(X, train, groups, n_steps), valid)
            number += 1


def thinned(X, indices, groups, n_steps):
    """Some of `indices`, drawn by group, whose sequences have at most `n_steps` steps.

    The same ones each time: other models, on other days, learn from the same sequences.
    """
    if sum(len(X[i]) for i in indices) <= n_steps:
        return indices
    members = {}
    for i in indices:
        members.setdefault(groups[i] if groups else i, []).append(i)
    members = list(members.values())
    order = np.random.default_rng(0).permutation(len(members))
    lengths = np.array([sum(len(X[i]) for i in members[k]) for k in order])
    n_groups = np.searchsorted(np.cumsum(lengths), n_steps, side="right")
    return np.sort(np.concatenate([members[k] for k in order[:n_groups]]))


def take(X, y, indices):
    """Some of the sequences, and what to predict from them."""
    if isinstance(y[0], list):  # of different lengths
        return [X[i] for i in indices], [y[i] for i in indices]
    return [X[i] for i in indices], np.asarray(y)[indices]
