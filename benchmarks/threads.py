"""The number of torch threads on which a peer is at its best."""

from functools import partial

import numpy as np
import timing
import torch
from names import Tokens

TRIAL_BATCHES = 8


def on_threads(n_threads, function, *arguments):
    """Call `function` on so many torch threads, and put their number back."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        return function(*arguments)
    finally:
        torch.set_num_threads(before)


def better_count(maker, task):
    """One thread or all of them, whichever trains faster in a short trial.

    The threads of torch meet at a barrier in each of the many small operations of a
    recurrent network, and spin there: beside a busy neighbour all of them can be far
    slower than one.

    Parameters
    ----------
    maker : callable
        ``maker(task)`` returns a Peer.
    task : Task
        The trial takes the first few batches of it, shuffled.

    Returns
    -------
    n_threads : int
    """
    n_threads = torch.get_num_threads()
    if n_threads == 1:
        return 1
    train_epoch = maker(_shortened(task)).train_epoch
    trial = {n: partial(on_threads, n, train_epoch) for n in (1, n_threads)}
    trial = timing.alternate(trial, rounds=3)
    return min(trial, key=lambda n: trial[n].median)


def _shortened(task):
    """A task of TRIAL_BATCHES batches, drawn at random."""
    n_samples = min(len(task.labels), TRIAL_BATCHES * task.batch_size)
    chosen = np.random.default_rng(0).permutation(len(task.labels))[:n_samples]
    sequences = np.split(task.tokens.values, task.tokens.offsets[1:-1])
    offsets = np.concatenate([[0], np.cumsum(task.tokens.lengths[chosen])])
    tokens = Tokens(np.concatenate([sequences[i] for i in chosen]), offsets)
    return task._replace(tokens=tokens, labels=task.labels[chosen])
