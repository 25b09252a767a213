"""Updates of a network that reads embeddings instead of tokens."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from skrnn._core.group import ALONE
from skrnn._core.updates.all_weights import rule_on
from skrnn._core.updates.clipping import scale_to_clipped_mean
from skrnn._core.updates.moments import Moments
from skrnn._core.updates.tokens import Numbering


@dataclass(frozen=True, slots=True)
class Embeddings:
    """A vector for each token, which the network reads instead of the token.

    Attributes
    ----------
    vectors : Tensor of shape (n_tokens, n_dimensions)
        Trained in place.
    is_fixed : Tensor of shape (n_tokens,), bool
        Which of the vectors are not trained.
    """

    vectors: Tensor
    is_fixed: Tensor


class Embedded:
    """Updates of all weights, and of the embeddings of the tokens in the minibatch.

    Token vectors are the embeddings times the U of the first layer. Fixed embeddings
    are not updated. Weight decay does not apply to embeddings, so the embedding of a
    token that occurs in no minibatch does not change.

    Parameters
    ----------
    weights : Weights
        The weights of a network that reads embeddings.
    rule : class
        One of :data:`skrnn._core.rules.RULES`.
    embeddings : Embeddings
    moments : Moments, default=None
        Moments to continue from. Overwritten.
    group : Alone or Group, default=ALONE
        The processes that train together.
    """

    def __init__(self, weights, rule, embeddings, moments=None, group=ALONE):
        self._weights = weights
        self._embeddings = embeddings
        self._rule = rule_on(rule, weights.flat, moments)
        self._numbering = Numbering(len(embeddings.vectors), group)
        self._tokens = self._vectors = None
        self._moments = () if moments is None else moments.of_vectors
        if not self._moments and not embeddings.is_fixed.all():
            self._moments = tuple(
                torch.zeros_like(embeddings.vectors) for _ in rule.moment_names
            )

    def local(self, batches):
        """See :meth:`AllWeights.local`."""
        self._tokens, renumbered = self._numbering.renumber(batches)
        self._vectors = self._embeddings.vectors.index_select(0, self._tokens)
        first = [
            replace(layer, U=self._vectors @ layer.U)
            for layer in self._weights.layers[0]
        ]
        layers = [first, *self._weights.layers[1:]]
        return replace(self._weights, layers=layers), renumbered

    def update(self, gradient, n_sequences, learning_rate, plan):
        """See :meth:`AllWeights.update`."""
        weights, vectors = self._weights, self._vectors
        is_fixed = self._embeddings.is_fixed.index_select(0, self._tokens)
        parts = [gradient[: weights.n_shared]]
        dvectors = torch.zeros_like(vectors)
        table_gradients = gradient[weights.n_shared :].chunk(len(weights.layers[0]))
        for layer, flat in zip(weights.layers[0], table_gradients, strict=True):
            dtable = flat.view(len(vectors), layer.U.shape[1])
            parts.append((vectors.T @ dtable).flatten())
            dvectors.addmm_(dtable, layer.U.T)
        dvectors[is_fixed] = 0.0
        everything = torch.cat([*parts, dvectors.flatten()])
        scale = scale_to_clipped_mean(everything, n_sequences, plan.max_grad_norm)
        n_weights = len(weights.flat)
        decay = 1 - learning_rate * plan.weight_decay
        of_weights, of_vectors = everything[:n_weights], everything[n_weights:]
        self._rule.step(of_weights, learning_rate, decay, weights.n_biases, scale)
        if not is_fixed.all():
            self._move_vectors(of_vectors.view_as(vectors), learning_rate, scale)

    def _move_vectors(self, gradient, learning_rate, scale):
        """Update the embeddings of a minibatch, and write them back."""
        moments = [table.index_select(0, self._tokens) for table in self._moments]
        rule = type(self._rule)(self._vectors, moments, self._rule.n_steps - 1)
        rule.step(gradient, learning_rate, scale=scale)
        tables = self._embeddings.vectors, *self._moments
        for table, part in zip(tables, (self._vectors, *moments), strict=True):
            table.index_copy_(0, self._tokens, part)

    def synchronise(self):
        """See :meth:`AllWeights.synchronise`."""

    def moments(self):
        """See :meth:`AllWeights.moments`."""
        rule = self._rule
        return Moments(rule.moment_names, rule.moments, rule.n_steps, self._moments)
