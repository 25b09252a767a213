"""How a minibatch updates the weights, by torch's operations.

The updates are those of :mod:`skrnn._core.updates`. Those of only the tokens in a
minibatch go through the vectors of all tokens: on a GPU, that takes less time than to
wait for which they are.
"""

from dataclasses import replace
from typing import NamedTuple

import torch

from skrnn._core import rules
from skrnn._core.autograd.linear import product
from skrnn._core.autograd.losses import LOSSES
from skrnn._core.autograd.network import VECTORS, view_with_vectors
from skrnn._core.updates import wide
from skrnn._core.updates.moments import Moments


class Adam(rules.Adam):
    """Adam with decoupled weight decay, region by region of the weights."""

    def move(self, region, gradient, factors, used=None):
        """Update a region of the weights.

        Parameters
        ----------
        region : _Region
        gradient : Tensor of shape (n_weights,)
        factors : tuple of 4 floats
            See :meth:`skrnn._core.rules.Adam.factors`.
        used : Tensor of shape (n_rows, 1), bool, default=None
            Which rows to move, and their moments; the others only decay. None for all.
        """
        weights, mean, square = map(region.of, (self.weights, *self.moments))
        g, (decay, epsilon, size, _) = region.of(gradient), factors
        new_mean = self.beta_1 * mean + (1 - self.beta_1) * g
        new_square = self.beta_2 * square + (1 - self.beta_2) * g.square()
        change = size * new_mean / (new_square.sqrt() + epsilon)
        if used is not None:
            new_mean = torch.where(used, new_mean, mean)
            new_square = torch.where(used, new_square, square)
            change = torch.where(used, change, 0.0)
        mean.copy_(new_mean)
        square.copy_(new_square)
        torch.add(change, weights, alpha=decay, out=weights)


_RULES = {"adam": Adam}


class _Region(NamedTuple):
    """A part of the flat weights that is updated as one.

    Attributes
    ----------
    first, end : int
    shape : tuple of int
    decays : bool
        Whether weight decay applies to it.
    has_rows : bool
        Whether it has a row for each token, of which only those in the minibatch move.
    """

    first: int
    end: int
    shape: tuple = (-1,)
    decays: bool = True
    has_rows: bool = False

    def of(self, flat):
        """The view of this part of a flat tensor."""
        return flat[self.first : self.end].view(self.shape)


class Updates:
    """Updates of a copy of all weights, which is on a device.

    It is written back when an epoch ends, and copied anew when the next one begins: the
    host may have restored earlier weights.

    Parameters
    ----------
    state : TrainingState
        Its weights are on the host.
    plan : Plan
    execution : Execution
    moments : Moments, default=None
        Moments to continue from.
    is_lazy : bool, default=False
        Whether to move only the vectors of tokens in the minibatch, and their moments,
        as :class:`skrnn._core.updates.some_rows.SomeRows`.
    is_padded : bool, default=False
        Whether the vector of token 0 has no gradient, as that of
        :class:`skrnn._core.updates.padded.Padded`.
    """

    def __init__(
        self, state, plan, execution, moments=None, is_lazy=False, is_padded=False
    ):
        weights, embeddings = state.weights, state.embeddings
        self._trained, shape, self._is_fixed = [weights.flat], None, None
        if embeddings is not None:
            self._trained.append(embeddings.vectors)
            shape = embeddings.vectors.shape
            self._is_fixed = execution.move(embeddings.is_fixed).unsqueeze(1)
        flat = torch.cat([part.flatten() for part in self._trained])
        flat = execution.move(flat)
        self._weights = view_with_vectors(weights.layout, flat, shape)
        self._regions, self._tables = _regions(self._weights, is_lazy)
        if embeddings is not None and embeddings.is_fixed.all():
            self._regions.pop()
        self._is_padded, self._is_behind, self._batches = is_padded, False, []
        self._group = execution.group
        self._rule = _RULES[plan.rule](flat[: self._regions[-1].end])
        if moments is not None:
            self._load(moments)

    def _load(self, moments):
        """Continue from moments."""
        self._rule.n_steps = moments.n_steps
        for i, own in enumerate(self._rule.moments):
            parts = [moments.flat[i], *moments.of_vectors[i : i + 1]]
            own.copy_(torch.cat([part.flatten() for part in parts]))

    def _parts(self, flat):
        """What there is in a flat tensor for each of what is trained."""
        sizes = [part.numel() for part in self._trained]
        parts = flat.split(sizes) if len(flat) == sum(sizes) else [flat]
        return [
            part.view_as(trained)
            for part, trained in zip(parts, self._trained, strict=False)
        ]

    def local(self, batches):
        """The weights that a minibatch uses, and its shards."""
        if self._is_behind:
            pairs = zip(self._parts(self._weights.flat), self._trained, strict=True)
            for own, trained in pairs:
                own.copy_(trained)
            self._is_behind = False
        self._batches = batches
        return self._weights, batches

    def update(self, gradient, n_sequences, learning_rate, plan):
        """Apply weight decay, and update the weights.

        Parameters
        ----------
        gradient : Tensor
            The summed gradient of the weights that :meth:`local` returned. Overwritten.
        n_sequences, learning_rate, plan
            See :meth:`skrnn._core.updates.all_weights.AllWeights.update`.
        """
        for table in self._tables if self._is_padded else ():
            table.of(gradient)[0] = 0.0
        used = self._used() if self._regions[-1].has_rows else None
        if self._is_fixed is not None:
            self._tables[-1].of(gradient).masked_fill_(self._is_fixed, 0.0)
            used = None if used is None else used & ~self._is_fixed
        gradient *= _scale(gradient, n_sequences, plan.max_grad_norm)
        self._rule.n_steps += 1
        for region in self._regions:
            decay = 1 - learning_rate * plan.weight_decay if region.decays else 1.0
            factors = self._rule.factors(learning_rate, decay, 1.0)
            used_rows = used if region.has_rows else None
            self._rule.move(region, gradient, factors, used_rows)

    def _used(self):
        """Which tokens are in the minibatch, of shape (n_tokens, 1)."""
        n_tokens, _ = self._tables[-1].shape
        used = torch.zeros(n_tokens, dtype=torch.bool, device=self._weights.flat.device)
        for batch in self._batches:
            used.index_fill_(0, batch.x.flatten().long(), True)
            if batch.past is not None:
                used.index_fill_(0, batch.past.values.flatten().long(), True)
        return self._group.any_of_own(used).unsqueeze(1)

    def synchronise(self):
        """Bring the weights on the host up to date."""
        pairs = zip(self._parts(self._weights.flat), self._trained, strict=True)
        for own, trained in pairs:
            trained.copy_(own)
        self._is_behind = True

    def moments(self):
        """The moments to continue from, on the host."""
        rule = self._rule
        parts = [self._parts(moment.cpu()) for moment in rule.moments]
        flat = tuple(of[0].clone() for of in parts)
        of_vectors = tuple(of[1].clone() for of in parts if len(of) > 1)
        return Moments(rule.moment_names, flat, rule.n_steps, of_vectors)


def _regions(weights, is_lazy):
    """The regions of the flat weights, and those that have a row for each token."""
    layout, first = weights.layout, weights.layers[0]
    vectors, n = weights.others.get(VECTORS), layout.n_weights
    n_shared = n - sum(layer.U.numel() for layer in first)
    regions, tables, end = [_Region(0, weights.n_biases, decays=False)], [], n_shared
    for layer in first:
        begin, end = end, end + layer.U.numel()
        tables.append(_Region(begin, end, tuple(layer.U.shape), has_rows=is_lazy))
    if is_lazy:
        regions += [_Region(weights.n_biases, n_shared), *tables]
    else:
        regions.append(_Region(weights.n_biases, n))
    if vectors is not None:
        end, shape = len(weights.flat), tuple(vectors.shape)
        tables = [_Region(n, end, shape, decays=False, has_rows=True)]
        regions += tables
    return regions, tables


def _scale(gradient, n_sequences, max_norm):
    """What turns a sum into the mean, with a norm of at most `max_norm`.

    As :func:`skrnn._core.updates.clipping.scale_to_clipped_mean`, but it does not wait
    for the norm.
    """
    if max_norm is None:
        return 1.0 / n_sequences
    norm = torch.linalg.vector_norm(gradient)
    # of the mean; not short if it is NaN
    is_short = norm <= max_norm * n_sequences
    return torch.where(is_short, 1.0 / n_sequences, max_norm / norm)


class Wide:
    """Updates of the wide path, beside those of the network.

    See :class:`skrnn._core.updates.wide.Wide`. All its weights are updated: those that
    the minibatch does not use have no gradient, and do not move.

    Parameters
    ----------
    updates : object
        Those of the network.
    A : Tensor of shape (n_columns, n_outputs)
        On the host.
    loss : str
        A key of :data:`skrnn._core.autograd.losses.LOSSES`.
    execution : Execution
    moments : Moments, default=None
        Moments to continue from.
    is_sparse : bool, default=True
        Whether the wide path reads n-grams, as opposed to features of series.
    """

    def __init__(self, updates, A, loss, execution, moments=None, is_sparse=True):
        self._is_sparse = is_sparse
        self._updates, self._trained, self._loss = updates, A, LOSSES[loss]
        self._A = execution.move(A.clone())
        self._square = torch.zeros_like(self._A)
        if moments is not None:
            self._square.copy_(moments.of_wide[0])
        self._batches, self._is_behind, self._group = [], False, execution.group

    def local(self, batches):
        """The weights that a minibatch uses, and its shards."""
        if self._is_behind:
            self._A.copy_(self._trained)
            self._is_behind = False
        self._batches = batches
        return self._updates.local(batches)

    def update(self, gradient, n_sequences, learning_rate, plan):
        """Update both."""
        self._updates.update(gradient, n_sequences, learning_rate, plan)
        A, dA = self._A.requires_grad_(), torch.zeros_like(self._A)
        for batch in self._group.own(self._batches):
            with torch.enable_grad():
                scores = product(batch.wide, A)
                loss = self._loss(scores, batch.target, batch.weight)
            dA += torch.autograd.grad(loss, A)[0]
        self._group.add(dA)
        rate, damping = wide.RATE_OF_SERIES, wide.DAMPING_OF_SERIES
        if self._is_sparse:
            rate, damping = wide.RATE, wide.DAMPING
        A = A.detach_()
        self._square.add_(dA.square())
        A.addcdiv_(dA, self._square.sqrt() + damping, value=-rate * learning_rate)

    def synchronise(self):
        """Bring the weights on the host up to date."""
        self._updates.synchronise()
        self._trained.copy_(self._A)
        self._is_behind = True

    def moments(self):
        """The moments to continue from, on the host."""
        of_wide = (self._square.cpu().clone(),)
        return replace(self._updates.moments(), of_wide=of_wide)
