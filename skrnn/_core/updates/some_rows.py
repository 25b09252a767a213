"""Updates of only the token vectors in the minibatch."""

import math
from dataclasses import replace
from functools import partial

import torch

from skrnn._core.execution import CPU
from skrnn._core.updates.clipping import to_clipped_mean
from skrnn._core.updates.moments import Moments
from skrnn._core.updates.tokens import renumber


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
    run : callable, default=map
        A function like map, which may run its calls on several threads.
    n_parts : int, default=1
        Number of parts into which the vectors of a minibatch are cut, one per thread.
    execution : Execution, default=CPU
    """

    def __init__(self, weights, rule, moments=None, run=map, n_parts=1, execution=CPU):
        self._weights = weights
        self._run, self._n_parts, self._execution = run, n_parts, execution
        n_shared = weights.n_shared
        self._rule = rule(weights.flat[:n_shared])
        self._width = 1 + len(rule.moment_names)
        tables = [layer.U for layer in weights.layers[0]]
        n_tokens, width = tables[0].shape
        # Each row holds the vector of a token and its moments, for each direction: all
        # that a token needs is contiguous, and is fetched by one operation.
        n_columns = len(tables) * self._width * width
        self._rows = weights.flat.new_zeros((n_tokens, n_columns))
        self._tables = self._by_direction(self._rows)
        for (vectors, *_), table in zip(self._tables, tables, strict=True):
            vectors.copy_(table)
        if moments is not None:
            self._load(moments, n_shared)
        self._tokens = self._local_rows = None
        # Logarithms of the total factor of weight decay: now, and when each row was
        # last brought up to date.
        self._decay = 0.0
        self._decay_of = weights.flat.new_zeros(n_tokens, dtype=torch.float64)

    def _load(self, moments, n_shared):
        """Continue from moments."""
        self._rule.n_steps = moments.n_steps
        for own, flat in zip(self._rule.moments, moments.flat, strict=True):
            own.copy_(flat[:n_shared])
        of_tables = [flat[n_shared:].chunk(len(self._tables)) for flat in moments.flat]
        for (_, *own), *saved in zip(self._tables, *of_tables, strict=True):
            for moment, flat in zip(own, saved, strict=True):
                moment.copy_(flat.view_as(moment))

    def _by_direction(self, rows):
        """Return views of the vectors and their moments, for each direction."""
        parts = rows.chunk(self._width * len(self._weights.layers[0]), dim=1)
        return [parts[i : i + self._width] for i in range(0, len(parts), self._width)]

    def local(self, batches):
        """See :meth:`AllWeights.local`."""
        tokens, renumbered = renumber(batches)
        self._tokens = tokens
        self._local_rows = self._rows.new_empty((len(tokens), self._rows.shape[1]))
        self._in_parts(self._fetch, tokens, self._local_rows)
        overdue = self._overdue_decay(self._decay_of[tokens])
        first = []
        parts = self._by_direction(self._local_rows)
        for layer, (vectors, *_) in zip(self._weights.layers[0], parts, strict=True):
            vectors.mul_(overdue)
            first.append(replace(layer, U=vectors))
        local = replace(self._weights, layers=[first, *self._weights.layers[1:]])
        return local, renumbered

    def update(self, gradient, n_sequences, learning_rate, plan):
        """See :meth:`AllWeights.update`."""
        to_clipped_mean(gradient, n_sequences, plan.max_grad_norm)
        factor = 1 - learning_rate * plan.weight_decay
        self._decay += math.log(factor)
        self._decay_of[self._tokens] = self._decay
        n_shared = len(self._rule.weights)
        n_biases = self._weights.n_biases
        self._rule.step(gradient[:n_shared], learning_rate, factor, n_biases)
        gradients = [
            part.view(len(self._tokens), -1)
            for part in gradient[n_shared:].chunk(len(self._tables))
        ]
        move = partial(self._move, learning_rate, factor)
        self._in_parts(move, self._tokens, self._local_rows, *gradients)

    def _in_parts(self, function, *tensors):
        """Call `function` for each part of the rows of the tensors."""
        parts = [tensor.tensor_split(self._n_parts) for tensor in tensors]
        list(self._run(function, *parts))

    def _fetch(self, tokens, rows):
        torch.index_select(self._rows, 0, tokens, out=rows)

    def _move(self, learning_rate, decay, tokens, rows, *gradients):
        """Decay and update some rows of a minibatch, and write them back."""
        tables = self._by_direction(rows)
        rule, n_steps = type(self._rule), self._rule.n_steps - 1
        for (vectors, *moments), gradient in zip(tables, gradients, strict=True):
            rule(vectors, moments, n_steps).step(gradient, learning_rate, decay)
        self._execution.put_rows(self._rows, tokens, rows)

    def synchronise(self):
        """See :meth:`AllWeights.synchronise`."""
        overdue = self._overdue_decay(self._decay_of)
        layers = self._weights.layers[0]
        for layer, (vectors, *_) in zip(layers, self._tables, strict=True):
            vectors.mul_(overdue)
            layer.U.copy_(vectors)
        self._decay_of.fill_(self._decay)

    def moments(self):
        """See :meth:`AllWeights.moments`."""
        flat = tuple(
            torch.cat([of_shared, *(table[i].flatten() for table in self._tables)])
            for i, of_shared in enumerate(self._rule.moments, start=1)
        )
        return Moments(self._rule.moment_names, flat, self._rule.n_steps)

    def _overdue_decay(self, decay_of):
        """Return the decay that rows have missed since then, of shape (n_rows, 1)."""
        factors = torch.exp(self._decay - decay_of)
        return factors.to(self._weights.flat.dtype).unsqueeze(1)
