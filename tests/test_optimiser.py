"""The optimiser against torch's, clipping, and updates of some rows only."""

import pytest
import torch

from skrnn._core import network, optimiser
from skrnn._core.optimiser import Adam, AllWeights, SomeRows, to_clipped_mean
from skrnn._core.threads import threads, torch_settings


@pytest.mark.parametrize("is_plain", [False, True])
def test_adam_equals_torch(is_plain, monkeypatch):
    if is_plain:  # where torch cannot compile
        plain = optimiser._adam_step.__wrapped__
        monkeypatch.setattr(optimiser, "_adam_step", plain)
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(20, generator=generator, dtype=torch.float64)
    theirs = ours.clone().requires_grad_()
    reference = torch.optim.Adam([theirs])
    adam = Adam(ours)
    for step in range(10):
        gradient = torch.randn(20, generator=generator, dtype=torch.float64)
        learning_rate = 0.1 / (step + 1)
        adam.step(gradient, learning_rate)
        theirs.grad = gradient
        reference.param_groups[0]["lr"] = learning_rate
        reference.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    "length, max_norm, clipped",
    [(10.0, 2.0, 2.0), (2.0, 2.0, 2.0), (0.5, 2.0, 0.5), (10.0, None, 10.0)],
)
def test_the_mean_gradient_is_clipped(length, max_norm, clipped):
    direction = torch.tensor([0.6, 0.0, 0.8])
    gradient = direction * length * 4  # summed over 4 sequences
    to_clipped_mean(gradient, 4, max_norm)
    torch.testing.assert_close(gradient, direction * clipped)


def test_clipping_leaves_a_zero_gradient():
    gradient = torch.zeros(3)
    to_clipped_mean(gradient, 4, 1.0)
    assert torch.equal(gradient, torch.zeros(3))


@pytest.mark.parametrize("n_parts", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_some_rows_equal_all_weights_while_every_token_is_in_the_batch(
    bidirectional, n_parts
):
    """And a row that is never there only decays, by as much as if it were."""
    architecture = network.Architecture((3,), "gru", bidirectional=bidirectional)
    generator = torch.Generator().manual_seed(0)
    everything = network.zeros(architecture, 6, 2, torch.float64)
    everything.flat.normal_(generator=generator)
    some = network.zeros_like(everything)
    some.flat.copy_(everything.flat)
    before = [layer.U.clone() for layer in some.layers[0]]
    dense, sparse = AllWeights(everything), SomeRows(some, n_parts=n_parts)
    present = torch.tensor([0, 2, 3, 5])
    for step in range(6):
        ids = present[torch.randperm(4, generator=generator)].repeat(2)
        weights, ((same_ids,),) = dense.local([ids])
        assert weights is everything and same_ids is ids
        local, ((numbers,),) = sparse.local([ids])
        for ours, theirs in zip(local.layers[0], everything.layers[0], strict=True):
            torch.testing.assert_close(ours.U[numbers], theirs.U[ids])
        gradient = network.zeros_like(everything)
        gradient.flat.normal_(generator=generator)
        part = network.zeros(architecture, 4, 2, torch.float64)
        part.flat[: local.n_shared] = gradient.flat[: local.n_shared]
        for ours, theirs in zip(part.layers[0], gradient.layers[0], strict=True):
            ours.U.copy_(theirs.U[present])
            theirs.U[torch.tensor([1, 4])] = 0.0  # absent tokens have no gradient
        dense.update(gradient.flat, 1, None, 0.1 / (step + 1), 0.3)
        sparse.update(part.flat, 1, None, 0.1 / (step + 1), 0.3)
    sparse.synchronise()
    torch.testing.assert_close(some.flat, everything.flat, rtol=1e-10, atol=1e-12)
    decayed = some.layers[0][0].U[1] / before[0][1]
    assert (decayed < 0.95).all()


def test_rows_are_moved_by_several_threads_as_by_one():
    def moved(n_threads):
        architecture = network.Architecture((3,))
        weights = network.zeros(architecture, 9, 2)
        generator = torch.Generator().manual_seed(0)
        weights.flat.normal_(generator=generator)
        with torch_settings(), threads(n_threads) as run:
            rows = SomeRows(weights, None, run, n_threads)
            for _ in range(5):
                ids = torch.randint(9, (4,), generator=generator)
                local, _ = rows.local([ids])
                n_tokens = len(local.layers[0][0].U)
                gradient = network.zeros(architecture, n_tokens, 2).flat
                gradient.normal_(generator=generator)
                rows.update(gradient, 4, 1.0, 0.1, 0.3)
            rows.synchronise()
        return weights.flat

    assert torch.equal(moved(2), moved(1))


def test_a_row_catches_up_with_weight_decay_when_it_is_needed():
    architecture = network.Architecture((2,))
    weights = network.zeros(architecture, 4, 1, torch.float64)
    weights.flat.fill_(1.0)
    rows = SomeRows(weights)
    for token in (1, 2, 1, 3):
        rows.local([torch.tensor([token])])
        nothing = network.zeros(architecture, 1, 1, torch.float64)
        rows.update(nothing.flat, 1, None, 0.5, 0.2)
    local, _ = rows.local([torch.tensor([0, 2])])
    expected = torch.full((2, 2), 0.9**4, dtype=torch.float64)
    torch.testing.assert_close(local.layers[0][0].U, expected)
    rows.synchronise()
    expected = torch.full((4, 2), 0.9**4, dtype=torch.float64)
    torch.testing.assert_close(weights.layers[0][0].U, expected)
    assert (weights.c == 1.0).all() and (weights.layers[0][0].b == 1.0).all()


def test_the_steps_before_have_rows_too():
    weights = network.zeros(network.Architecture((2,)), 10, 1)
    weights.flat.normal_(generator=torch.Generator().manual_seed(0))
    x, before = torch.tensor([3, 5, 3]), torch.tensor([9, 5])
    local, ((x_there,), (before_there, nothing)) = SomeRows(weights).local(
        [x], [before, None]
    )
    assert nothing is None
    theirs, ours = weights.layers[0][0].U, local.layers[0][0].U
    assert len(ours) == 3
    assert torch.equal(ours[x_there], theirs[x])
    assert torch.equal(ours[before_there], theirs[before])


def test_memory_grows_with_the_batch():
    weights = network.zeros(network.Architecture((2,)), 100, 1)
    weights.flat.normal_(generator=torch.Generator().manual_seed(0))
    rows = optimiser.SomeRows(weights)
    for n in (1, 50, 3):
        ids = torch.arange(n)
        local, ((numbers,),) = rows.local([ids])
        assert torch.equal(local.layers[0][0].U[numbers], weights.layers[0][0].U[ids])
