"""The tokens of a minibatch, renumbered."""

from dataclasses import replace

import numpy as np

from skrnn._core.execution import CPU
from skrnn._core.group import ALONE
from skrnn._core.imports import kernel_imports


class Numbering:
    """Numbers for the tokens of one minibatch after another.

    Parameters
    ----------
    n_tokens : int
        Size of the vocabulary.
    group : Alone or Group, default=ALONE
        The processes that train together.
    """

    def __init__(self, n_tokens, group=ALONE):
        self._number_of, self._group = np.full(n_tokens, -1, np.int32), group

    def renumber(self, batches):
        """Renumber the tokens of a minibatch from 0.

        Parameters
        ----------
        batches : list of Batch
            The shards of the minibatch.

        Returns
        -------
        tokens : Tensor of shape (n_tokens,), int64
            The ids of the tokens in the minibatch, by their new numbers.
        renumbered : list of Batch
            The shards, with the new numbers.
        """
        given = [batch.x for batch in batches]
        given += [batch.past.values for batch in batches if batch.past is not None]
        arrays = [x.numpy() if x.ndim == 2 else x.numpy()[:, np.newaxis] for x in given]
        tokens, numbers = number_ids(arrays, self._number_of, self._group)
        numbers = [
            CPU.tensor(here.reshape(x.shape))
            for x, here in zip(given, numbers, strict=True)
        ]
        return CPU.tensor(tokens), self._reading(batches, iter(numbers))

    @staticmethod
    def _reading(batches, numbers):
        """The batches with new numbers: those of all x, then those of all pasts."""
        xs = [next(numbers) for _ in batches]
        renumbered = []
        for batch, x in zip(batches, xs, strict=True):
            past = batch.past
            if past is not None:
                past = replace(past, values=next(numbers))
            renumbered.append(replace(batch, x=x, past=past))
        return renumbered


def number_ids(arrays, number_of, group):
    """Number the ids in some arrays from 0, together with those of other ranks.

    Parameters
    ----------
    arrays : list of ndarrays of shape (n_rows, n_columns), int
    number_of : ndarray of int32
        -1 for each id there may be; written, and restored.
    group : Alone or Group

    Returns
    -------
    ids : ndarray of int64
        The distinct ids, by their numbers. They are the same on all ranks.
    numbers : list of ndarrays of the same shapes, int32
    """
    with kernel_imports():
        from skrnn._core import token_rows

    n_entries = sum(array.size for array in arrays)
    ids = np.empty(min(n_entries, len(number_of)), np.int64)
    n_known, numbers = 0, []
    for array in arrays:
        here = np.empty(array.shape, np.int32)
        n_known = token_rows.renumber(array, n_known, number_of, ids, here)
        numbers.append(here)
    ids = ids[:n_known]
    number_of[ids] = -1
    of_ranks = group.gather_own(ids)
    if len(of_ranks) > 1:
        own, ids = ids, np.unique(np.concatenate(of_ranks))
        places = np.searchsorted(ids, own).astype(np.int32)
        numbers = [places[here] for here in numbers]
    return ids, numbers
