"""States given from outside, and gradients handed in and out: all states, the start.

Against torch.nn and autograd where they have the network, and against central
differences where they do not.
"""

from itertools import product

import numpy as np
import pytest
import torch
from networks import (
    ARCHITECTURES,
    CELLS,
    LABELS,
    LENGTHS,
    N_INPUTS,
    batch_of,
    packed,
    random_inputs,
    random_weights,
    slope_along,
    with_nan_in_memory,
)
from torch import nn
from torch_network import IN_TORCH, TorchNetwork

from skrnn._core import network, pooling
from skrnn._core.batch import Start
from skrnn._core.public import to_public

N_SEQUENCES = len(LENGTHS)
ONE_OF_EACH = [
    f"{cell}-{depth}-{n_directions}-last"
    for cell, depth, n_directions in product(CELLS, (1, 2), (1, 2))
]
in_torch = pytest.mark.parametrize("name", IN_TORCH)
states_in_torch = pytest.mark.parametrize(
    "name", [name for name in ONE_OF_EACH if name in IN_TORCH]
)
not_in_torch = pytest.mark.parametrize(
    "name", [name for name in ONE_OF_EACH if name not in IN_TORCH]
)
tokens_or_numbers = pytest.mark.parametrize("is_token", [True, False])


def randn(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def random_start(architecture, wants_gradient=True):
    """States of all layers and directions, in the order of the packing."""
    cell = architecture.make_cell()
    states = [
        [randn(N_SEQUENCES, n, seed=10 * k + i) for i in range(cell.n_states)]
        for k, n in enumerate(
            n for n in architecture.nhidden for _ in range(architecture.n_directions)
        )
    ]
    gathered = torch.from_numpy(
        pooling.nothing(
            architecture.pooling, N_SEQUENCES, architecture.nhidden[-1], np.float64
        )
    )
    n_steps = torch.zeros(N_SEQUENCES, dtype=torch.int64)
    return Start(states, gathered, n_steps, wants_gradient)


def batch(weights, is_token, start=None):
    """The sequences of `networks`, labelled."""
    values, ones = random_inputs(is_token), torch.ones(5, dtype=torch.float64)
    return batch_of(weights, values, LABELS, ones, start=start)


def in_packed_order(is_token):
    """The sequences as torch.nn reads them, the longest first, and their labels."""
    values = random_inputs(is_token)
    x = torch.eye(N_INPUTS, dtype=torch.float64)[values] if is_token else values
    order = torch.from_numpy(packed().indices)
    parts = x.split(LENGTHS.tolist())
    return [parts[i] for i in order], LABELS[order]


def start_in_torch(architecture, start):
    """What torch.nn takes for a Start, and its tensors in the order of the Start."""
    leaves = [[state.clone().requires_grad_() for state in of] for of in start.states]
    by_layer = []
    for k in range(0, len(leaves), architecture.n_directions):
        of_layer = leaves[k : k + architecture.n_directions]
        states = tuple(torch.stack(parts) for parts in zip(*of_layer, strict=True))
        by_layer.append(states if architecture.cell == "lstm" else states[0])
    return by_layer, leaves


def assert_all_close(ours, theirs):
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-10, atol=1e-12)


def assert_equal_gradients(gradient, theirs):
    """The gradients of the layers against those that autograd has left in torch.nn."""
    ours, (triples, *_) = to_public(gradient), theirs.gradients()
    for i, triple in enumerate(triples):
        arrays = [torch.from_numpy(ours[key][i].copy()) for key in ("W_", "U_", "b_")]
        assert_all_close(arrays, triple)


def loss_and_torch(name, is_token):
    """A loss that starts from given states, by us and by autograd."""
    weights = random_weights(ARCHITECTURES[name])
    start = random_start(weights.architecture)
    workspace = network.Workspace(weights)
    workspace.gradient.flat.fill_(torch.nan)
    total = network.loss_and_gradient(
        weights, batch(weights, is_token, start), "cross_entropy", workspace
    )
    theirs = TorchNetwork(weights)
    their_start, leaves = start_in_torch(weights.architecture, start)
    sequences, labels = in_packed_order(is_token)
    scores = theirs(sequences, their_start)
    their_total = nn.functional.cross_entropy(scores, labels, reduction="sum")
    their_total.backward()
    return total, workspace, their_total.detach(), theirs, leaves


@in_torch
@tokens_or_numbers
def test_a_loss_from_given_states_equals_torch_nn(name, is_token):
    total, _, their_total, *_ = loss_and_torch(name, is_token)
    assert total == pytest.approx(their_total.item(), rel=1e-10)


@in_torch
@tokens_or_numbers
def test_gradients_of_the_weights_from_given_states_equal_torch_nn(name, is_token):
    _, workspace, _, theirs, _ = loss_and_torch(name, is_token)
    assert_equal_gradients(workspace.gradient, theirs)
    _, *of_output = theirs.gradients()
    assert_all_close([workspace.gradient.V, workspace.gradient.c], of_output)


@in_torch
@tokens_or_numbers
def test_gradients_of_the_given_states_equal_torch_nn(name, is_token):
    _, workspace, _, _, leaves = loss_and_torch(name, is_token)
    assert len(workspace.dstart) == len(leaves)
    for ours, theirs in zip(workspace.dstart, leaves, strict=True):
        assert_all_close(ours, [leaf.grad for leaf in theirs])


def assert_equals_slopes(weights, start, workspace, total_of):
    """The gradients of weights and start against differences of ``total_of()``."""
    for seed in range(5):
        direction = randn(len(weights.flat), seed=seed)
        slope = slope_along(direction, weights, total_of)
        along = (workspace.gradient.flat @ direction).item()
        assert along == pytest.approx(slope, rel=1e-5, abs=1e-7)
    for ours, states in zip(workspace.dstart, start.states, strict=True):
        for gradient, state in zip(ours, states, strict=True):
            direction, step = randn(*state.shape, seed=9), 1e-6
            totals = []
            for sign in (1, -2):
                state.add_(direction, alpha=sign * step)
                totals.append(float(total_of()))
            state.add_(direction, alpha=step)
            slope = (totals[0] - totals[1]) / (2 * step)
            along = (gradient * direction).sum().item()
            assert along == pytest.approx(slope, rel=1e-5, abs=1e-7)


@not_in_torch
@tokens_or_numbers
def test_gradients_from_given_states_equal_central_differences(name, is_token):
    weights = random_weights(ARCHITECTURES[name])
    start = random_start(weights.architecture)
    of, workspace = batch(weights, is_token, start), network.Workspace(weights)
    network.loss_and_gradient(weights, of, "cross_entropy", workspace)

    def total_of():
        other = network.Workspace(weights)
        return network.loss_and_gradient(weights, of, "cross_entropy", other)

    assert_equals_slopes(weights, start, workspace, total_of)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_whoever_does_not_want_the_gradient_of_the_start_gets_none(name):
    weights = random_weights(ARCHITECTURES[name])
    starts = [random_start(weights.architecture, wants) for wants in (True, False)]
    workspaces = [network.Workspace(weights) for _ in starts]
    for start, workspace in zip(starts, workspaces, strict=True):
        of = batch(weights, True, start)
        network.loss_and_gradient(weights, of, "cross_entropy", workspace)
    wanted, other = workspaces
    assert wanted.dstart is not None and other.dstart is None
    assert torch.equal(wanted.gradient.flat, other.gradient.flat)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_the_given_states_are_left_as_they_are(name):
    weights = random_weights(ARCHITECTURES[name])
    start = random_start(weights.architecture)
    before = [[state.clone() for state in states] for states in start.states]
    of, workspace = batch(weights, True, start), network.Workspace(weights)
    network.loss_and_gradient(weights, of, "cross_entropy", workspace)
    for ours, theirs in zip(start.states, before, strict=True):
        assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_states_of_zero_are_no_start(name):
    weights = random_weights(ARCHITECTURES[name])
    start = random_start(weights.architecture)
    for states in start.states:
        for state in states:
            state.zero_()
    flats = []
    for each in (start, None):
        of, workspace = batch(weights, True, each), network.Workspace(weights)
        total = network.loss_and_gradient(weights, of, "cross_entropy", workspace)
        flats.append(
            torch.cat(
                [workspace.gradient.flat, torch.tensor([total], dtype=torch.float64)]
            )
        )
    torch.testing.assert_close(*flats, rtol=1e-12, atol=1e-14)


def states_and_torch(name, is_token, goes_on):
    """All states and their way back from random gradients, by us and by autograd."""
    weights = random_weights(ARCHITECTURES[name])
    architecture = weights.architecture
    start = random_start(architecture) if goes_on else None
    of, workspace = batch(weights, is_token, start), network.Workspace(weights)
    workspace.gradient.flat.fill_(torch.nan)
    trace = network.forward(weights, of, workspace)
    H = [part.clone() for part in trace.H]
    dH = [randn(*part.shape, seed=i) for i, part in enumerate(H)]
    network.backward(weights, of, trace, [part.clone() for part in dH])

    theirs = TorchNetwork(weights)
    their_start, leaves = None, []
    if goes_on:
        their_start, leaves = start_in_torch(architecture, start)
    sequences, _ = in_packed_order(is_token)
    their_H = theirs.states(sequences, their_start).data.chunk(len(H), 1)
    # Those of the second direction in the order in which it reads the sequences.
    their_H = [their_H[0], *(part[np.argsort(of.packing.flip)] for part in their_H[1:])]
    sum((h * d).sum() for h, d in zip(their_H, dH, strict=True)).backward()
    return H, workspace, [part.detach() for part in their_H], theirs, leaves


with_a_start_or_without = pytest.mark.parametrize("goes_on", [True, False])


@states_in_torch
@tokens_or_numbers
@with_a_start_or_without
def test_states_of_all_steps_equal_torch_nn(name, is_token, goes_on):
    H, _, theirs, *_ = states_and_torch(name, is_token, goes_on)
    assert_all_close(H, theirs)


@states_in_torch
@tokens_or_numbers
@with_a_start_or_without
def test_gradients_of_the_weights_from_all_states_equal_torch_nn(
    name, is_token, goes_on
):
    _, workspace, _, theirs, _ = states_and_torch(name, is_token, goes_on)
    assert_equal_gradients(workspace.gradient, theirs)


@states_in_torch
@tokens_or_numbers
def test_gradients_of_the_start_from_all_states_equal_torch_nn(name, is_token):
    _, workspace, _, _, leaves = states_and_torch(name, is_token, True)
    assert len(workspace.dstart) == len(leaves)
    for ours, theirs in zip(workspace.dstart, leaves, strict=True):
        assert_all_close(ours, [leaf.grad for leaf in theirs])


@not_in_torch
@tokens_or_numbers
def test_gradients_from_all_states_equal_central_differences(name, is_token):
    weights = random_weights(ARCHITECTURES[name])
    start = random_start(weights.architecture)
    of, workspace = batch(weights, is_token, start), network.Workspace(weights)
    trace = network.forward(weights, of, workspace)
    dH = [randn(*part.shape, seed=i) for i, part in enumerate(trace.H)]
    network.backward(weights, of, trace, [part.clone() for part in dH])
    for part in (workspace.gradient.V, workspace.gradient.c):  # not written
        part.zero_()

    def total_of():
        H = network.forward(weights, of, network.Workspace(weights)).H
        return sum((h * d).sum() for h, d in zip(H, dH, strict=True))

    assert_equals_slopes(weights, start, workspace, total_of)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_the_way_back_writes_the_layers_alone(name):
    weights = random_weights(ARCHITECTURES[name])
    of, workspace = batch(weights, True), network.Workspace(weights)
    workspace.gradient.flat.fill_(torch.nan)
    trace = network.forward(weights, of, workspace)
    network.backward(weights, of, trace, [torch.ones_like(part) for part in trace.H])
    written = workspace.gradient
    for layer in written.all_layers():
        assert not any(part.isnan().any() for part in (layer.U, layer.W, layer.b))
    assert written.V.isnan().all() and written.c.isnan().all()
    assert workspace.dstart is None


@pytest.mark.parametrize("name", ["gru-2-2-last", "lstm-2-1-last", "tanh-2-2-last"])
def test_memory_used_again_does_not_leak_into_the_states(name):
    weights = random_weights(ARCHITECTURES[name])
    of, used = batch(weights, True), network.Workspace(weights)
    network.loss_and_gradient(weights, of, "cross_entropy", used)
    memory = with_nan_in_memory(used)
    results = []
    for workspace in (used, network.Workspace(weights)):
        workspace.gradient.flat.zero_()
        trace = network.forward(weights, of, workspace)
        H = [part.clone() for part in trace.H]
        is_used = np.shares_memory(trace.H[0].numpy(), memory)
        assert is_used == (workspace is used)
        network.backward(weights, of, trace, [torch.ones_like(part) for part in H])
        results.append([*H, workspace.gradient.flat])
    assert all(map(torch.equal, *results))


@pytest.mark.parametrize("name", ["gru-2-2-last", "tanh-2-1-last"])
def test_the_masks_of_the_layers_above_are_those_of_the_loss(name):
    """What the last layer hands out is what the loss would have been made of."""
    weights = random_weights(ARCHITECTURES[name])
    values, ones = random_inputs(True), torch.ones(5, dtype=torch.float64)
    width = len(weights.layers[1][0].U)
    mask = (randn(5, width, seed=3) > -0.5).double() / 0.7
    of = batch_of(weights, values, LABELS, ones, masks=[mask])
    expected, workspace = network.Workspace(weights), network.Workspace(weights)
    network.loss_and_gradient(weights, of, "cross_entropy", expected)
    trace = network.forward(weights, of, workspace)
    # Both directions of a sequence have as many steps, and end in the same row.
    sizes, at = of.packing.batch_sizes, of.packing.lengths - 1
    rows = torch.from_numpy((np.cumsum(sizes) - sizes)[at] + np.arange(len(at)))
    last = [h[rows] for h in trace.H]
    scores = torch.cat(last, 1) @ weights.V.T + weights.c
    dscores = scores.softmax(1) - nn.functional.one_hot(of.target, len(weights.c))
    dlast = (dscores @ weights.V).chunk(len(last), 1)
    dH = [
        torch.zeros_like(h).index_copy(0, rows, part)
        for h, part in zip(trace.H, dlast, strict=True)
    ]
    network.backward(weights, of, trace, dH)
    expected_layers = expected.gradient.all_layers()
    for ours, theirs in zip(
        workspace.gradient.all_layers(), expected_layers, strict=True
    ):
        assert_all_close((ours.U, ours.W, ours.b), (theirs.U, theirs.W, theirs.b))
