"""Updates of only the token vectors in the minibatch."""

import math
from dataclasses import replace

import numpy as np
import torch

from skrnn._core.execution import CPU
from skrnn._core.group import ALONE
from skrnn._core.imports import kernel_imports
from skrnn._core.rules import Rows
from skrnn._core.updates.clipping import scale_to_clipped_mean
from skrnn._core.updates.moments import Moments
from skrnn._core.updates.tokens import Numbering


class SomeRows:
    """Updates of only the token vectors in the minibatch, and of all other weights.

    This is for vocabularies so large that a minibatch contains few of their tokens: an
    update then costs no more than with a small vocabulary. The moments of a vector that
    is not in the minibatch do not change ("lazy" Adam). Weight decay is applied lazily:
    when a vector is needed and at the end of an epoch, with the same result.

    Parameters
    ----------
    weights : Weights
        The weights of a network that reads tokens.
    rule : class
        One of :data:`skrnn._core.rules.RULES`.
    moments : Moments, default=None
        Moments to continue from.
    group : Alone or Group, default=ALONE
        The processes that train together.
    """

    def __init__(self, weights, rule, moments=None, group=ALONE):
        self._weights = weights
        n_shared = weights.n_shared
        self._rule = rule(weights.flat[:n_shared])
        # For each direction, the vectors of all tokens. With thousands of tokens, they
        # are most of the weights, so there is no other copy of them.
        self._vectors = [layer.U for layer in weights.layers[0]]
        n_tokens, width = self._vectors[0].shape
        # Each row holds all moments of a token, which one operation fetches.
        n_columns = len(self._vectors) * len(rule.moment_names) * width
        self._moments = CPU.zeros((n_tokens, n_columns), weights.flat.dtype)
        if moments is not None:
            self._load(moments, n_shared)
        self._numbering = Numbering(n_tokens, group)
        self._tokens = None
        self._local = []  # the vectors that `local` has fetched, for each direction
        # Logarithms of the total factor of weight decay: now, and when each row was
        # last brought up to date.
        self._decay = 0.0
        self._decay_of = np.zeros(n_tokens)

    def _load(self, moments, n_shared):
        """Continue from moments."""
        self._rule.n_steps = moments.n_steps
        for own, flat in zip(self._rule.moments, moments.flat, strict=True):
            own.copy_(flat[:n_shared])
        n = len(self._vectors)
        of_tables = [flat[n_shared:].chunk(n) for flat in moments.flat]
        of_directions = self._by_direction(self._moments)
        for own, *saved in zip(of_directions, *of_tables, strict=True):
            for moment, flat in zip(own, saved, strict=True):
                moment.copy_(flat.view_as(moment))

    def _by_direction(self, moments):
        """Return views of the moments, for each direction."""
        n_moments = len(self._rule.moment_names)
        parts = moments.chunk(n_moments * len(self._vectors), dim=1)
        return [parts[i : i + n_moments] for i in range(0, len(parts), n_moments)]

    def local(self, batches):
        """See :meth:`AllWeights.local`."""
        with kernel_imports():
            from skrnn._core import token_rows

        self._tokens, renumbered = self._numbering.renumber(batches)
        n_tokens = len(self._tokens)
        self._local = [
            table.new_empty(n_tokens, table.shape[1]) for table in self._vectors
        ]
        for table, local in zip(self._vectors, self._local, strict=True):
            decay = self._decay_of, self._decay
            rows = table.numpy(), self._tokens.numpy()
            token_rows.fetch(*rows, *decay, local.numpy())
        first = [
            replace(layer, U=vectors)
            for layer, vectors in zip(self._weights.layers[0], self._local, strict=True)
        ]
        local = replace(self._weights, layers=[first, *self._weights.layers[1:]])
        return local, renumbered

    def update(self, gradient, n_sequences, learning_rate, plan):
        """See :meth:`AllWeights.update`."""
        scale = scale_to_clipped_mean(gradient, n_sequences, plan.max_grad_norm)
        factor = 1 - learning_rate * plan.weight_decay
        self._decay += math.log(factor)
        self._decay_of[self._tokens.numpy()] = self._decay
        n_shared = len(self._rule.weights)
        n_biases = self._weights.n_biases
        self._rule.step(gradient[:n_shared], learning_rate, factor, n_biases, scale)
        shape = len(self._tokens), self._vectors[0].shape[1]
        gradients = gradient[n_shared:].chunk(len(self._vectors))
        width = len(self._rule.moment_names) * shape[1]
        for i, (table, local, part) in enumerate(
            zip(self._vectors, self._local, gradients, strict=True)
        ):
            rows = Rows(table, local, self._moments, i * width)
            factors = learning_rate, factor, scale
            self._rule.move_rows(rows, self._tokens, part.view(shape), *factors)

    def synchronise(self):
        """See :meth:`AllWeights.synchronise`."""
        overdue = CPU.tensor(np.exp(self._decay - self._decay_of))
        overdue = overdue.to(self._weights.flat.dtype).unsqueeze(1)
        for vectors in self._vectors:
            vectors.mul_(overdue)
        self._decay_of.fill(self._decay)

    def moments(self):
        """See :meth:`AllWeights.moments`."""
        of_directions = self._by_direction(self._moments)
        flat = tuple(
            torch.cat([of_shared, *(own[i].flatten() for own in of_directions)])
            for i, of_shared in enumerate(self._rule.moments)
        )
        return Moments(self._rule.moment_names, flat, self._rule.n_steps)
