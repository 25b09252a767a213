"""Every cell, depth, direction and pooling: forward and gradient, in float64.

The ladder that a kernel climbs: the definition in NumPy, torch.nn with the same
weights, autograd, and central differences.
"""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from networks import (
    ARCHITECTURES,
    LABELS,
    LENGTHS,
    N_INPUTS,
    N_OUTPUTS,
    OFFSETS,
    as_read,
    loss_and_gradient,
    packed,
    random_inputs,
    random_weights,
    slope_along,
    with_nan_in_memory,
)
from reference import reference_code, reference_one_hot
from torch import nn
from torch_network import IN_TORCH, TorchNetwork

from skrnn._core import encode, output
from skrnn._core.architecture import Architecture
from skrnn._core.layout import Layout
from skrnn._core.network import Workspace
from skrnn._core.packing import pack
from skrnn._core.public import from_public, to_public
from skrnn._core.weights import initialise, view, zeros

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)
tokens_or_numbers = pytest.mark.parametrize("is_token", [True, False])


def as_dict(architecture):
    names = ("cell", "activation", "recurrence", "bidirectional", "pooling")
    return {name: getattr(architecture, name) for name in names}


@every_architecture
@tokens_or_numbers
def test_codes_equal_the_definition(name, is_token):
    weights = random_weights(ARCHITECTURES[name])
    values = random_inputs(is_token)
    ours = encode.encode(weights, as_read(values), OFFSETS)
    x = values.numpy()
    x = reference_one_hot(x, N_INPUTS) if is_token else x
    public = to_public(weights)
    public = [public[name] for name in ("W_", "U_", "b_")]
    for h, start, stop in zip(ours, OFFSETS[:-1], OFFSETS[1:], strict=True):
        theirs = reference_code(public, x[start:stop], as_dict(ARCHITECTURES[name]))
        np.testing.assert_allclose(h, theirs, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", IN_TORCH)
@tokens_or_numbers
@pytest.mark.parametrize("dtype, rtol", [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_loss_and_gradient_equal_torch_nn(name, is_token, dtype, rtol):
    weights = random_weights(ARCHITECTURES[name], dtype)
    values = random_inputs(is_token, dtype)
    sample_weight = torch.tensor([1.0, 0.5, 2.0, 1.0, 3.0], dtype=dtype)
    total, gradient = loss_and_gradient(
        weights, values, "cross_entropy", LABELS, sample_weight
    )
    theirs = TorchNetwork(weights)
    x = torch.eye(N_INPUTS, dtype=dtype)[values] if is_token else values
    scores = theirs(x.split(LENGTHS.tolist()))
    each = nn.functional.cross_entropy(scores, LABELS, reduction="none")
    their_total = each @ sample_weight
    their_total.backward()

    torch.testing.assert_close(total, their_total.detach(), rtol=rtol, atol=0)
    ours = to_public(gradient)
    triples, dV, dc = theirs.gradients()
    for i, triple in enumerate(triples):
        for key, expected in zip(("W_", "U_", "b_"), triple, strict=True):
            torch.testing.assert_close(
                torch.from_numpy(ours[key][i].copy()),
                expected,
                rtol=rtol,
                atol=rtol * 0.1,
            )
    torch.testing.assert_close(gradient.V, dV, rtol=rtol, atol=rtol * 0.01)
    torch.testing.assert_close(gradient.c, dc, rtol=rtol, atol=rtol * 0.01)


@every_architecture
@tokens_or_numbers
def test_sequences_without_steps_have_zeros_for_h(name, is_token):
    weights = random_weights(ARCHITECTURES[name])
    values = random_inputs(is_token)
    dropout = torch.rand(5, weights.architecture.n_features_out, dtype=torch.float64)
    weight = torch.tensor([1.0, 0.5, 2.0, 1.0, 3.0, 0.7, 0.3], dtype=torch.float64)
    # Between the others and at both ends.
    lengths = np.insert(LENGTHS, [0, 5], 0)
    labels = torch.tensor([2, *LABELS.tolist(), 1])
    places = torch.arange(1, 6)

    offsets = np.concatenate([[0], np.cumsum(lengths)])
    h = encode.encode(weights, as_read(values), offsets)
    assert np.array_equal(h[1:6], encode.encode(weights, as_read(values), OFFSETS))
    assert not h[[0, 6]].any()

    n_layers = len(weights.layers)
    below = [
        torch.ones(7, width, dtype=torch.float64)
        for width in [layer[0].U.shape[0] for layer in weights.layers[1:]]
    ]
    packing, packing_of_all = packed(), packed(lengths)
    masks = [*below, dropout[packing.indices]]
    without, gradient = loss_and_gradient(
        weights, values, "cross_entropy", LABELS, weight[places], masks=masks
    )
    assert len(masks) == n_layers
    masks = [*below, torch.cat([dropout[packing.indices], torch.rand(2, h.shape[1])])]
    total, gradient_of_all = loss_and_gradient(
        weights, values, "cross_entropy", labels, weight, packing_of_all, masks=masks
    )
    # The scores of the two are c.
    shares = torch.softmax(weights.c, 0)
    alone = -(weight[[0, 6]] @ shares.log()[labels[[0, 6]]])
    torch.testing.assert_close(total, without + alone)
    dc = weight[[0, 6]].sum() * shares
    dc.index_add_(0, labels[[0, 6]], -weight[[0, 6]])
    gradient.c.add_(dc)
    torch.testing.assert_close(gradient_of_all.flat, gradient.flat)


@pytest.mark.parametrize("name", ["lstm-2-2-concat", "tanh-1-1-last", "gru-2-2-mean"])
@pytest.mark.parametrize("kind", ["tokens", "several tokens", "numbers"])
def test_a_batch_may_have_no_steps_at_all(name, kind):
    weights = random_weights(ARCHITECTURES[name])
    values = random_inputs(kind != "numbers")[:0]
    if kind == "several tokens":
        values = values.expand(2, 0).T
    lengths, labels = np.zeros(2, dtype=np.int64), torch.tensor([0, 1])
    weight = torch.ones(2, dtype=torch.float64)
    total, gradient = loss_and_gradient(
        weights, values, "cross_entropy", labels, weight, packed(lengths)
    )
    assert total == -torch.log_softmax(weights.c, 0)[:2].sum()
    gradient.c.zero_()
    assert not gradient.flat.any()
    h = encode.encode(weights, as_read(values), np.zeros(3, dtype=np.int64))
    assert h.shape == (2, weights.architecture.n_features_out)
    assert not h.any()


@every_architecture
@pytest.mark.parametrize(
    "loss", ["cross_entropy", "binary_cross_entropy", "squared_error"]
)
def test_gradient_equals_central_differences(name, loss):
    weights = random_weights(ARCHITECTURES[name])
    values = random_inputs(loss != "squared_error")
    generator = torch.Generator().manual_seed(1)
    target = LABELS
    if loss != "cross_entropy":
        target = torch.randn(5, N_OUTPUTS, generator=generator, dtype=torch.float64)
    if loss == "binary_cross_entropy":
        target = (target > 0).double()
    sample_weight = torch.rand(5, generator=generator, dtype=torch.float64)
    # Along random directions: one step in each entry would take minutes for all.
    _, gradient = loss_and_gradient(weights, values, loss, target, sample_weight)

    def total_of():
        return loss_and_gradient(weights, values, loss, target, sample_weight)[0]

    for _ in range(10):
        direction = torch.randn(
            len(weights.flat), generator=generator, dtype=torch.float64
        )
        slope = slope_along(direction, weights, total_of)
        assert (gradient.flat @ direction).item() == pytest.approx(
            slope, rel=1e-5, abs=1e-7
        )


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("nhidden", [(5,), (4, 6)])
def test_a_loss_at_each_step_equals_that_of_all_beginnings(cell, nhidden):
    # Of the sequence abc, what is to be predicted after a, after ab and after abc.
    weights = random_weights(Architecture(nhidden, cell, pooling="none"))
    layout = replace(weights.layout, architecture=Architecture(nhidden, cell))
    last = view(layout, weights.flat)
    values = random_inputs(True)
    generator = torch.Generator().manual_seed(3)
    target = torch.randint(N_OUTPUTS, (len(values),), generator=generator)
    row_weight = torch.rand(len(values), generator=generator, dtype=torch.float64)
    of = values, "cross_entropy", target, row_weight
    total, gradient = loss_and_gradient(weights, *of)
    ends = np.arange(len(values)) + 1
    starts = np.repeat(OFFSETS[:-1], LENGTHS)
    (beginnings,) = pack(starts, ends - starts)
    expected_total, expected = loss_and_gradient(last, *of, beginnings)
    torch.testing.assert_close(total, expected_total, rtol=1e-12, atol=0)
    torch.testing.assert_close(gradient.flat, expected.flat, rtol=1e-10, atol=1e-12)
    H = np.full((len(values), last.V.shape[1]), np.nan)
    of = weights, as_read(values), OFFSETS
    encode.use_states_of_all_steps(*of, H.__setitem__)
    for h, start, stop in zip(H, starts, ends, strict=True):
        x = as_read(values[start:stop])
        alone = encode.encode(last, x, np.array([0, stop - start]))
        np.testing.assert_allclose(h, alone[0], rtol=1e-12, atol=1e-14)


def test_scores_in_parts_have_the_gradient_of_all(monkeypatch):
    architecture = Architecture((5,), "gru", pooling="none")
    weights, values = random_weights(architecture), random_inputs(True)
    n_rows = len(values)
    target = torch.arange(n_rows) % N_OUTPUTS
    ones = torch.ones(n_rows, dtype=torch.float64)
    flats = []
    for max_scores in (N_OUTPUTS * n_rows, N_OUTPUTS * 4, 1):
        monkeypatch.setattr(output, "MAX_SCORES", max_scores)
        of = values, "cross_entropy", target, ones
        total, gradient = loss_and_gradient(weights, *of)
        flats.append(torch.cat([gradient.flat, total[None]]))
    for flat in flats[1:]:
        torch.testing.assert_close(flat, flats[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("are_tokens", [True, False])
@pytest.mark.parametrize("nhidden", [(5,), (4, 5)])
def test_each_step_has_the_states_of_both_directions(nhidden, are_tokens):
    architecture = Architecture(nhidden, "gru", bidirectional=True, pooling="none")
    weights, values = random_weights(architecture), random_inputs(are_tokens)
    target = torch.arange(len(values)) % N_OUTPUTS
    weight = torch.linspace(0.5, 2, len(values), dtype=torch.float64)

    def loss_of():
        return loss_and_gradient(weights, values, "cross_entropy", target, weight)

    total, gradient = loss_of()
    H = np.full((len(values), 2 * nhidden[-1]), np.nan)
    of = weights, as_read(values), OFFSETS
    encode.use_states_of_all_steps(*of, H.__setitem__)
    scores = torch.from_numpy(H) @ weights.V.T + weights.c
    each = nn.functional.cross_entropy(scores, target, reduction="none")
    assert total.item() == pytest.approx((weight @ each).item(), rel=1e-10)
    generator = torch.Generator().manual_seed(0)
    direction = torch.randn(len(weights.flat), generator=generator, dtype=torch.float64)
    slope = slope_along(direction, weights, lambda: loss_of()[0])
    assert (gradient.flat @ direction).item() == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", ["last", "sum", "none"])
@pytest.mark.parametrize("nhidden", [(5,), (4, 5)])
def test_dropout_multiplies_what_the_output_layer_reads(
    nhidden, pooling, bidirectional
):
    architecture = Architecture(
        nhidden, "gru", bidirectional=bidirectional, pooling=pooling
    )
    weights = random_weights(architecture)
    values, generator = random_inputs(True), torch.Generator()
    widths = [(1 + bidirectional) * n for n in nhidden]
    masks = [
        (torch.rand(5, n, generator=generator.manual_seed(n)) < 0.6).double() / 0.6
        for n in widths
    ]
    n_targets = len(values) if pooling == "none" else 5
    target = torch.arange(n_targets) % N_OUTPUTS
    ones = torch.ones(n_targets, dtype=torch.float64)

    def loss_of(masks):
        of = values, "cross_entropy", target, ones
        return loss_and_gradient(weights, *of, masks=masks)

    total, gradient = loss_of(masks)
    assert total != loss_of(masks[:-1])[0]
    if len(nhidden) == 1 and pooling != "none":  # by hand
        order = packed().indices
        h = torch.from_numpy(encode.encode(weights, as_read(values), OFFSETS))[order]
        scores = (h * masks[0]) @ weights.V.T + weights.c
        expected = nn.functional.cross_entropy(scores, target[order], reduction="sum")
        assert total.item() == pytest.approx(expected.item(), rel=1e-10)
    if len(nhidden) == 1 and pooling == "none":
        place_of = np.argsort(packed().indices)  # of each sequence, in the masks
        sequence = np.repeat(np.arange(5), np.diff(OFFSETS))
        H = np.full((len(values), widths[0]), np.nan)
        of = weights, as_read(values), OFFSETS
        encode.use_states_of_all_steps(*of, H.__setitem__)
        scores = (torch.from_numpy(H) * masks[0][place_of[sequence]]) @ weights.V.T
        scores = scores + weights.c
        expected = nn.functional.cross_entropy(scores, target, reduction="sum")
        assert total.item() == pytest.approx(expected.item(), rel=1e-10)
    direction = torch.randn(len(weights.flat), generator=generator, dtype=torch.float64)
    slope = slope_along(direction, weights, lambda: loss_of(masks)[0])
    assert (gradient.flat @ direction).item() == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("name", ["gru-2-2-mean", "tanh-2-1-last"])
def test_dropout_multiplies_the_inputs_of_the_layers_above(name):
    weights = random_weights(ARCHITECTURES[name])
    values = random_inputs(True)
    generator = torch.Generator().manual_seed(2)
    width = len(weights.layers[1][0].U)
    mask = (torch.rand(5, width, generator=generator) < 0.7) / 0.7
    mask = mask.to(torch.float64)
    ones = torch.ones(5, dtype=torch.float64)

    def loss_of(weights, masks):
        return loss_and_gradient(
            weights, values, "cross_entropy", LABELS, ones, masks=masks
        )

    dropped, gradient = loss_of(weights, [mask])
    plain, _ = loss_of(weights, [])
    assert dropped != plain
    assert torch.equal(loss_of(weights, [torch.ones_like(mask)])[0], plain)
    direction = torch.randn(len(weights.flat), generator=generator, dtype=torch.float64)
    slope = slope_along(direction, weights, lambda: loss_of(weights, [mask])[0])
    assert (gradient.flat @ direction).item() == pytest.approx(slope, rel=1e-5)


UNCOMPILED = """
import sys
import numpy as np
import test_network
from skrnn._core.compiled import IS_COMPILED

assert not IS_COMPILED
names, path = sys.argv[1:-1], sys.argv[-1]
results = test_network.results_of(names)
np.savez(path, **results)
"""
COMPILED_AND_NOT = [name for name in ARCHITECTURES if name.split("-")[-3] == "2"]


def results_of(names):
    """The loss, its gradient and the codes of networks, in one array for each."""
    ones, results = torch.ones(5, dtype=torch.float64), {}
    for name, is_token in product(names, (True, False)):
        weights, values = random_weights(ARCHITECTURES[name]), random_inputs(is_token)
        total, written = loss_and_gradient(
            weights, values, "cross_entropy", LABELS, ones
        )
        codes = encode.encode(weights, as_read(values), OFFSETS)
        parts = [[total.item()], written.flat.numpy(), codes.ravel()]
        results[f"{name} {is_token}"] = np.concatenate(parts)
    return results


def test_python_runs_the_same_lines_where_nothing_is_compiled(tmp_path):
    path = tmp_path / "results.npz"
    tests = Path(__file__).parent
    variables = {
        **os.environ,
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": os.pathsep.join([str(tests), *sys.path]),
    }
    command = [sys.executable, "-c", UNCOMPILED, *COMPILED_AND_NOT, str(path)]
    subprocess.run(command, env=variables, check=True)
    compiled = results_of(COMPILED_AND_NOT)
    with np.load(path) as plain:
        assert set(plain) == set(compiled)
        for name, ours in compiled.items():
            np.testing.assert_allclose(
                plain[name], ours, rtol=1e-10, atol=1e-13, err_msg=name
            )


def test_memory_used_again_does_not_leak_into_the_next_gradient():
    weights = random_weights(ARCHITECTURES["lstm-2-2-max"])
    values, ones = random_inputs(True), torch.ones(5, dtype=torch.float64)
    used = Workspace(weights)
    with_nan_in_memory(used)
    flats = []
    for workspace in (used, Workspace(weights)):
        of = values, "cross_entropy", LABELS, ones
        flats.append(loss_and_gradient(weights, *of, workspace=workspace)[1].flat)
    assert torch.equal(*flats)


@every_architecture
def test_public_arrays_come_back(name):
    architecture = ARCHITECTURES[name]
    weights = random_weights(architecture, torch.float32)
    back = from_public(architecture, to_public(weights))
    for ours, theirs in zip(back.all_layers(), weights.all_layers(), strict=True):
        assert torch.equal(ours.U, theirs.U) and torch.equal(ours.b, theirs.b)
        if architecture.recurrence == "learned":
            assert torch.equal(ours.W, theirs.W)
        else:
            assert ours.W.shape[0] == 0
    assert torch.equal(back.V, weights.V) and torch.equal(back.c, weights.c)
    some = from_public(architecture, to_public(weights), ids=np.array([2, 0]))
    for ours, theirs in zip(some.layers[0], weights.layers[0], strict=True):
        assert torch.equal(ours.U, theirs.U[[2, 0]])


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_initial_weights(cell):
    architecture = Architecture((16, 8), cell, bidirectional=True)
    weights = zeros(Layout(architecture, 9, 2))
    initialise(weights, True, torch.Generator().manual_seed(0))
    for layer in weights.all_layers():
        n = layer.W.shape[1]
        for W in layer.W.split(n):
            torch.testing.assert_close(W @ W.T, torch.eye(n))
    for layer in weights.layers[0]:
        assert 0.7 < layer.U.std() < 1.3
    public = to_public(weights)
    for b in public["b_"]:
        if cell == "lstm":  # i, f, g, o: the forget gate starts open
            assert np.split(b, 4)[1].tolist() == [1.0] * (len(b) // 4)
            b = np.delete(b, np.s_[len(b) // 4 : len(b) // 2])
        assert not b.any()
    assert not weights.c.any()
