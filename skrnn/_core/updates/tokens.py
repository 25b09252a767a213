"""The tokens of a minibatch, renumbered."""

import torch


def renumber(batches):
    """Renumber the tokens of a minibatch from 0.

    Parameters
    ----------
    batches : list of Batch
        The shards of the minibatch.

    Returns
    -------
    tokens : Tensor of shape (n_tokens,), int64
        The ids of the tokens in the minibatch, sorted.
    renumbered : list of Batch
        The shards, with the new numbers.
    """
    given = [batch.x for batch in batches]
    given += [batch.past.values for batch in batches if batch.past is not None]
    tokens, numbers = torch.unique(torch.cat(given), return_inverse=True)
    numbers = iter(numbers.int().split([len(x) for x in given]))
    xs = [next(numbers) for _ in batches]
    return tokens.long(), [
        batch.reading(x, None if batch.past is None else next(numbers))
        for batch, x in zip(batches, xs, strict=True)
    ]
