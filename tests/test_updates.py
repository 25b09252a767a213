"""Clipping, and updates of all weights or of some rows only."""

import math

import numpy as np
import pytest
import torch

from skrnn._core.architecture import Architecture
from skrnn._core.batch import Batch, Past
from skrnn._core.compiled import compiled
from skrnn._core.layout import Layout
from skrnn._core.plan import Plan
from skrnn._core.prefetch import prefetch
from skrnn._core.rules import Adam
from skrnn._core.updates.all_weights import AllWeights
from skrnn._core.updates.clipping import scale_to_clipped_mean
from skrnn._core.updates.some_rows import SomeRows
from skrnn._core.weights import zeros, zeros_like


def plan_of(max_grad_norm, weight_decay):
    return Plan(
        n_epochs=1,
        batch_size=1,
        learning_rate=1.0,
        weight_decay=weight_decay,
        max_grad_norm=max_grad_norm,
        tol=0.0,
        n_iter_no_change=1,
    )


def batch_of(ids, past=None):
    if past is not None:
        past = Past(past, np.array([0]), np.array([len(past)]))
    return Batch(ids, None, None, None, past=past)


@pytest.mark.parametrize(
    "length, max_norm, clipped",
    [(10.0, 2.0, 2.0), (2.0, 2.0, 2.0), (0.5, 2.0, 0.5), (10.0, None, 10.0)],
)
def test_the_mean_gradient_is_clipped(length, max_norm, clipped):
    direction = torch.tensor([0.6, 0.0, 0.8])
    gradient = direction * length * 4  # summed over 4 sequences
    scale = scale_to_clipped_mean(gradient, 4, max_norm)
    torch.testing.assert_close(scale * gradient, direction * clipped)


def test_clipping_leaves_a_zero_gradient():
    assert scale_to_clipped_mean(torch.zeros(3), 4, 1.0) == 0.25


def test_a_gradient_that_is_not_a_number_stays_so():
    assert math.isnan(scale_to_clipped_mean(torch.tensor([1.0, torch.nan]), 4, 1.0))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_some_rows_equal_all_weights_while_every_token_is_in_the_batch(bidirectional):
    """And a row that is never there only decays, by as much as if it were."""
    architecture = Architecture((3,), "gru", bidirectional=bidirectional)
    generator = torch.Generator().manual_seed(0)
    everything = zeros(Layout(architecture, 6, 2), torch.float64)
    everything.flat.normal_(generator=generator)
    some = zeros_like(everything)
    some.flat.copy_(everything.flat)
    before = [layer.U.clone() for layer in some.layers[0]]
    dense = AllWeights(everything, Adam)
    sparse = SomeRows(some, Adam)
    present = torch.tensor([0, 2, 3, 5])
    for step in range(6):
        ids = present[torch.randperm(4, generator=generator)].repeat(2)
        weights, (same,) = dense.local([batch_of(ids)])
        assert weights is everything and same.x is ids
        local, (batch,) = sparse.local([batch_of(ids)])
        numbers = batch.x
        for ours, theirs in zip(local.layers[0], everything.layers[0], strict=True):
            torch.testing.assert_close(ours.U[numbers], theirs.U[ids])
        gradient = zeros_like(everything)
        gradient.flat.normal_(generator=generator)
        part = zeros(Layout(architecture, 4, 2), torch.float64)
        part.flat[: local.n_shared] = gradient.flat[: local.n_shared]
        for ours, theirs in zip(part.layers[0], gradient.layers[0], strict=True):
            ours.U[numbers] = theirs.U[ids]
            theirs.U[torch.tensor([1, 4])] = 0.0  # absent tokens have no gradient
        dense.update(gradient.flat, 1, 0.1 / (step + 1), plan_of(None, 0.3))
        sparse.update(part.flat, 1, 0.1 / (step + 1), plan_of(None, 0.3))
    sparse.synchronise()
    torch.testing.assert_close(some.flat, everything.flat, rtol=1e-10, atol=1e-12)
    decayed = some.layers[0][0].U[1] / before[0][1]
    assert (decayed < 0.95).all()


def test_a_row_catches_up_with_weight_decay_when_it_is_needed():
    architecture = Architecture((2,))
    weights = zeros(Layout(architecture, 4, 1), torch.float64)
    weights.flat.fill_(1.0)
    rows = SomeRows(weights, Adam)
    for token in (1, 2, 1, 3):
        rows.local([batch_of(torch.tensor([token]))])
        nothing = zeros(Layout(architecture, 1, 1), torch.float64)
        rows.update(nothing.flat, 1, 0.5, plan_of(None, 0.2))
    local, _ = rows.local([batch_of(torch.tensor([0, 2]))])
    expected = torch.full((2, 2), 0.9**4, dtype=torch.float64)
    torch.testing.assert_close(local.layers[0][0].U, expected)
    rows.synchronise()
    expected = torch.full((4, 2), 0.9**4, dtype=torch.float64)
    torch.testing.assert_close(weights.layers[0][0].U, expected)
    assert (weights.c == 1.0).all() and (weights.layers[0][0].b == 1.0).all()


def test_the_steps_before_have_rows_too():
    weights = zeros(Layout(Architecture((2,)), 10, 1))
    weights.flat.normal_(generator=torch.Generator().manual_seed(0))
    x, before = torch.tensor([3, 5, 3]), torch.tensor([9, 5])
    # Two shards, of which one has steps before.
    local, (first, second) = SomeRows(weights, Adam).local(
        [batch_of(x, before), batch_of(x[:1])]
    )
    assert second.past is None
    x_there, before_there = first.x, first.past.values
    theirs, ours = weights.layers[0][0].U, local.layers[0][0].U
    assert len(ours) == 3
    assert torch.equal(ours[x_there], theirs[x])
    assert torch.equal(ours[before_there], theirs[before])


def test_memory_grows_with_the_batch():
    weights = zeros(Layout(Architecture((2,)), 100, 1))
    weights.flat.normal_(generator=torch.Generator().manual_seed(0))
    rows = SomeRows(weights, Adam)
    for n in (1, 50, 3):
        ids = torch.arange(n)
        local, (batch,) = rows.local([batch_of(ids)])
        assert torch.equal(local.layers[0][0].U[batch.x], weights.layers[0][0].U[ids])


def test_rows_that_are_asked_for_stay_as_they_are():
    """A hint to the memory: also for rows that are short, or of doubles."""

    @compiled
    def ask_for_all(table):
        for row in table:
            prefetch(row)

    for shape in ((3, 100), (5, 1), (2, 0)):
        for dtype in (np.float32, np.float64):
            table = np.ones(shape, dtype)
            ask_for_all(table)
            assert (table == 1).all()
