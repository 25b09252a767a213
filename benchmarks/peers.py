"""The competitors, each set up the way its experts would, behind one interface.

A peer is a function of a Task. It does at once what is done once (weights, padding,
compiling), and returns what is timed. They live in peers_torch.py, peers_jax.py
and peers_article.py.
"""

from typing import NamedTuple

import numpy as np
from names import Tokens


class Task(NamedTuple):
    """Classify sequences of tokens by a recurrent network and its last hidden state.

    Attributes
    ----------
    tokens : Tokens
        The training sequences.
    labels : ndarray of shape (n_samples,), int64
    n_tokens, n_classes : int
    cell : {"rnn", "gru", "lstm"}
    nhidden, batch_size : int
    learning_rate : float
        Of Adam, for all.
    seed : int
    """

    tokens: Tokens
    labels: np.ndarray
    n_tokens: int
    n_classes: int
    cell: str
    nhidden: int
    batch_size: int
    learning_rate: float = 0.005
    seed: int = 0


class Peer(NamedTuple):
    """What a competitor can do.

    Attributes
    ----------
    train_epoch : callable
        No arguments; one pass over the shuffled training sequences.
    predict : callable
        ``predict(tokens)`` returns the ids of the classes, of shape (n_samples,).
    """

    train_epoch: callable
    predict: callable


def batches(lengths, batch_size, rng, bucketed):
    """Cut the shuffled sequences into batches.

    Parameters
    ----------
    lengths : ndarray of shape (n_samples,)
    batch_size : int
    rng : Generator
    bucketed : bool
        Batch sequences of like length, drawn at random among their equals, and
        shuffle the batches: hardly any padding, and few steps a batch. Otherwise
        each batch is drawn from all sequences. The incomplete batch comes last.

    Returns
    -------
    indices : list of ndarray
    """
    order = rng.permutation(len(lengths))
    cuts = range(batch_size, len(order), batch_size)
    if not bucketed:
        return np.split(order, cuts)
    order = order[np.argsort(lengths[order], kind="stable")]
    parts = np.split(order, cuts)
    n_full = len(order) // batch_size
    return [parts[i] for i in rng.permutation(n_full)] + parts[n_full:]
