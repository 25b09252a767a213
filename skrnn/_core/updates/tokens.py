"""The tokens of a minibatch, renumbered."""

from dataclasses import replace

import numpy as np

from skrnn._core.execution import CPU
from skrnn._core.imports import kernel_imports


class Numbering:
    """Numbers for the tokens of one minibatch after another.

    Parameters
    ----------
    n_tokens : int
        Size of the vocabulary.
    """

    def __init__(self, n_tokens):
        self._number_of = np.full(n_tokens, -1, np.int32)

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
        with kernel_imports():
            from skrnn._core import token_rows

        given = [batch.x for batch in batches]
        given += [batch.past.values for batch in batches if batch.past is not None]
        n_given = sum(x.numel() for x in given)
        tokens = np.empty(min(n_given, len(self._number_of)), np.int64)
        n_known, numbers = 0, []
        for x in given:
            ids = x.numpy() if x.ndim == 2 else x.numpy()[:, np.newaxis]
            here = np.empty(ids.shape, np.int32)
            n_known = token_rows.renumber(ids, n_known, self._number_of, tokens, here)
            numbers.append(CPU.tensor(here.reshape(x.shape)))
        tokens = tokens[:n_known]
        self._number_of[tokens] = -1
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
