"""Sequences that depend on a vector each: held against torch.nn and differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from networks import (
    ARCHITECTURES,
    LENGTHS,
    N_INPUTS,
    N_OUTPUTS,
    batch_of,
    packed,
    random_inputs,
    slope_along,
    with_nan_in_memory,
)
from test_windows import NAMES, TARGET, WEIGHT
from torch import nn
from torch_network import IN_TORCH, TorchNetwork

from skrnn._core import network, windows
from skrnn._core.context import Context
from skrnn._core.dense_rows import DenseRows
from skrnn._core.layout import Layout
from skrnn._core.packing import pack
from skrnn._core.public import from_public, names_of, shapes_of, to_public
from skrnn._core.sparse_rows import SparseRows
from skrnn._core.weights import initialise, zeros

N_FEATURES = 7
CONDITIONS = ["start", "bias", "both"]
each_condition = pytest.mark.parametrize("condition", CONDITIONS)
each_network = pytest.mark.parametrize("name", NAMES)


def random_weights(name, condition):
    architecture = replace(ARCHITECTURES[name], pooling="none", condition=condition)
    weights = zeros(
        Layout(architecture, N_INPUTS, N_OUTPUTS, n_features=N_FEATURES), torch.float64
    )
    weights.flat.normal_(0.0, 0.5, generator=torch.Generator().manual_seed(0))
    return weights


def matrix():
    """Vectors, half of whose numbers are 0."""
    generator, shape = np.random.default_rng(3), (len(LENGTHS), N_FEATURES)
    return generator.normal(size=shape) * generator.integers(0, 2, shape)


def context_of(X, is_sparse=False):
    if not is_sparse:
        return Context(DenseRows(X), N_FEATURES)
    rows, columns = np.nonzero(X)
    offsets = np.append(0, np.cumsum(np.bincount(rows, minlength=len(X))))
    return Context(
        SparseRows(columns.astype("i4"), X[rows, columns], offsets), N_FEATURES
    )


def batch(weights, is_sparse=False, is_token=True):
    """All sequences; the context is in the order of the packing."""
    context = context_of(matrix()[packed().indices], is_sparse)
    values = random_inputs(is_token)
    return batch_of(weights, values, TARGET, WEIGHT, context=context)


def loss_and_gradient(weights, of):
    workspace = network.Workspace(weights)
    with_nan_in_memory(workspace)
    workspace.gradient.flat.fill_(torch.nan)
    total = network.loss_and_gradient(weights, of, "cross_entropy", workspace)
    return total, workspace.gradient


@each_network
@each_condition
@pytest.mark.parametrize("is_sparse, is_token", [(0, 1), (1, 1), (0, 0)])
def test_gradients_equal_central_differences(name, condition, is_sparse, is_token):
    weights = random_weights(name, condition)
    of = batch(weights, is_sparse, is_token)
    _, gradient = loss_and_gradient(weights, of)
    parts = [*gradient.layout.of_context[0], *gradient.layout.of_context[1]]
    assert set(parts) == set({"start": "aA", "bias": "B", "both": "aAB"}[condition])
    generator = torch.Generator().manual_seed(5)
    directions = [torch.randn(len(weights.flat), generator=generator).double()]
    first = weights.layers[0][0]
    for part in (*weights.others.values(), first.U, first.b):
        one = torch.zeros(len(weights.flat)).double()
        start = part.storage_offset()
        one[start : start + part.numel()] = torch.randn(
            part.numel(), generator=generator
        )
        directions.append(one)
    for direction in directions:
        slope = slope_along(
            direction, weights, lambda: loss_and_gradient(weights, of)[0]
        )
        along = (gradient.flat @ direction).item()
        assert along == pytest.approx(slope, rel=1e-5, abs=1e-7)


def in_torch(weights):
    """The network in torch.nn; it reads inputs of the recurrence as numbers."""
    U = weights.layers[0][0].U
    plain = replace(weights.architecture, condition="none")
    theirs = zeros(Layout(plain, U.shape[1], N_OUTPUTS), torch.float64)
    for ours, layer in zip(weights.all_layers(), theirs.all_layers(), strict=True):
        layer.W.copy_(ours.W)
        layer.b.copy_(ours.b)
        if ours is not weights.layers[0][0]:
            layer.U.copy_(ours.U)
    theirs.layers[0][0].U.copy_(torch.eye(U.shape[1]))
    theirs.V.copy_(weights.V)
    theirs.c.copy_(weights.c)
    return TorchNetwork(theirs)


def start_in_torch(weights, X):
    """The states before the first step by layer, as torch.nn takes them."""
    if "A" not in weights.others:
        return None
    S = torch.tanh(X @ weights.others["A"] + weights.others["a"])
    n_states, start = weights.architecture.make_cell().n_states, []
    for part in S.split([n * n_states for n in weights.architecture.nhidden], dim=1):
        states = tuple(each[None].contiguous() for each in part.chunk(n_states, dim=1))
        start.append(states if n_states > 1 else states[0])
    return start


@pytest.mark.parametrize("name", [name for name in NAMES if name in IN_TORCH])
@each_condition
@pytest.mark.parametrize("is_token", [True, False])
def test_losses_equal_torch_nn(name, condition, is_token):
    weights, X = random_weights(name, condition), torch.from_numpy(matrix())
    values, U = random_inputs(is_token), weights.layers[0][0].U
    sequences = [
        U[part] if is_token else part @ U for part in values.split(LENGTHS.tolist())
    ]
    if condition != "start":
        BX = X @ weights.others["B"]
        sequences = [x + Bx for x, Bx in zip(sequences, BX, strict=True)]
    theirs = in_torch(weights)
    H = theirs.states(sequences, start_in_torch(weights, X)).data
    order = torch.from_numpy(packed().rows)
    losses = nn.functional.cross_entropy(
        theirs.output(H), TARGET[order], reduction="none"
    )
    total, _ = loss_and_gradient(weights, batch(weights, is_token=is_token))
    assert total == pytest.approx((losses @ WEIGHT[order]).item(), rel=1e-10)


@each_network
@each_condition
@pytest.mark.parametrize("n_rows", [3, 8])
def test_windows_give_the_gradient_of_the_whole(name, condition, n_rows, monkeypatch):
    weights = random_weights(name, condition)
    of, workspace = batch(weights), network.Workspace(weights)
    total, expected = loss_and_gradient(weights, of)
    n_states = n_rows * sum(weights.architecture.nhidden)
    monkeypatch.setattr(windows, "_MAX_STATES", n_states)
    workspace.gradient.flat.fill_(torch.nan)
    ours = windows.loss_and_gradient(weights, of, "cross_entropy", workspace)
    assert ours == pytest.approx(total, rel=1e-12)
    torch.testing.assert_close(
        workspace.gradient.flat, expected.flat, rtol=1e-10, atol=1e-12
    )


@each_condition
@pytest.mark.parametrize("is_sparse, is_token", [(0, 1), (1, 1), (0, 0)])
def test_states_do_not_depend_on_the_other_sequences(condition, is_sparse, is_token):
    weights = random_weights("lstm-2-1-last", condition)
    X, values = matrix(), random_inputs(is_token)
    whole = batch(weights, is_sparse, is_token)
    together = network.forward(weights, whole, network.Workspace(weights))
    H = together.passed.top[0]
    for i, (end, n) in enumerate(zip(np.cumsum(LENGTHS), LENGTHS, strict=True)):
        (packing,) = pack(np.array([end - n]), np.array([n]))
        context = context_of(X[[i]], is_sparse)
        of = batch_of(weights, values, TARGET, WEIGHT, packing, context=context)
        alone = network.forward(weights, of, network.Workspace(weights))
        rows = packed().indices[packed().sequences] == i
        np.testing.assert_array_equal(H[rows], alone.passed.top[0])


@each_condition
@pytest.mark.parametrize("name", ["gru-2-1-last", "lstm-2-1-last", "bag-1-1-last"])
def test_public_weights_come_back(name, condition):
    weights = random_weights(name, condition)
    arrays = to_public(weights)
    back = from_public(weights.architecture, arrays)
    assert back.layout == weights.layout
    assert sorted(arrays) == sorted(names_of(weights.architecture))
    expected = {"start": "aA", "bias": "B", "both": "aAB"}[condition]
    assert list(weights.others) == list(expected)
    for key, part in weights.others.items():
        assert torch.equal(back.others[key], part)
        assert not np.shares_memory(arrays[f"{key}_"], weights.flat.numpy())
    expected = shapes_of(weights.layout)
    for key in {"A_", "a_", "B_"} & arrays.keys():
        assert arrays[key].shape == expected[key]
    if condition != "start":  # in the order of the rows of U
        one_more = replace_inputs(weights)
        np.testing.assert_array_equal(
            to_public(one_more)["U_"][0][:, :N_FEATURES], arrays["B_"]
        )


def replace_inputs(weights):
    """Weights whose input vectors of tokens are B."""
    plain = replace(weights.architecture, condition="none")
    others = zeros(Layout(plain, N_FEATURES, N_OUTPUTS), torch.float64)
    others.layers[0][0].U.copy_(weights.others["B"])
    return others


@each_condition
def test_biases_are_the_first_weights(condition):
    weights = random_weights("lstm-2-1-last", condition)
    weights.flat.zero_()
    weights.flat[: weights.n_biases] = 1.0
    ones = [*(layer.b for layer in weights.all_layers()), weights.c]
    ones += [part for key, part in weights.others.items() if key == "a"]
    assert all((part == 1).all() for part in ones)
    assert sum(part.numel() for part in ones) == weights.flat.sum()


def test_weights_of_a_context_are_scaled_to_its_length():
    architecture = replace(ARCHITECTURES["gru-1-1-last"], condition="both")
    weights = zeros(Layout(architecture, N_INPUTS, N_OUTPUTS, n_features=5000))
    initialise(weights, True, torch.Generator().manual_seed(0))
    for key in "AB":
        assert weights.others[key].std().item() == pytest.approx(5000**-0.5, rel=0.05)
    assert not weights.others["a"].any()
