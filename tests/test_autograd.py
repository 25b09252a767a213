"""Losses and gradients by torch's operations, beside those of the compiled kernels.

These climb a ladder of their own, in other modules; here, both are held against each
other in float64, on the CPU, and on a GPU where there is one.
"""

from dataclasses import fields, is_dataclass, replace

import answering
import numpy as np
import pytest
import test_condition
import test_convolution
import test_decoder
import test_emission
import test_transitions
import test_windows
import torch
from networks import (
    ARCHITECTURES,
    LABELS,
    LENGTHS,
    N_INPUTS,
    N_OUTPUTS,
    OFFSETS,
    batch_of,
    packed,
    random_inputs,
    random_weights,
)

from skrnn._core import losses
from skrnn._core.architecture import Architecture
from skrnn._core.autograd import network, output
from skrnn._core.autograd.losses import LOSSES
from skrnn._core.autograd.recurrence import TorchLayer, layer_for
from skrnn._core.autograd.rows import Rows
from skrnn._core.batch import Batch, Past
from skrnn._core.cells import CELLS
from skrnn._core.encode import states_after
from skrnn._core.execution import Execution
from skrnn._core.kernels import KERNELS
from skrnn._core.layout import Layout
from skrnn._core.packing import pack
from skrnn._core.weights import view, zeros

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)
tokens_or_numbers = pytest.mark.parametrize("is_token", [True, False])
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
on_each_device = pytest.mark.parametrize("device", DEVICES)
WEIGHT = torch.tensor([1.0, 0.5, 2.0, 1.0, 3.0], dtype=torch.float64)
MANY_TOKENS = 40  # more than a layer has columns


def moved(value, device):
    """A tensor, or what holds tensors, on a device."""
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if is_dataclass(value):
        parts = {of.name: getattr(value, of.name) for of in fields(value)}
        return replace(value, **{name: moved(of, device) for name, of in parts.items()})
    if isinstance(value, list):
        return [moved(part, device) for part in value]
    return value


def by_either(weights, batch, loss, device="cpu", truncate=None):
    """The loss and the gradient by the compiled kernels, and by torch."""
    results = []
    for name, at in (("numba", "cpu"), ("autograd", device)):
        own, kernels = view(weights.layout, weights.flat.to(at)), KERNELS[name]
        workspace = kernels.make_workspace(own, None)
        of = moved(batch, at), loss, workspace, truncate
        total = float(kernels.loss_and_gradient(own, *of))
        results.append((total, workspace.gradient.flat.cpu()))
    return results


def assert_same(results, rtol=1e-9):
    (total, gradient), (their_total, theirs) = results
    assert np.isfinite(total) and gradient.any()
    assert their_total == pytest.approx(total, rel=rtol)
    torch.testing.assert_close(theirs, gradient, rtol=rtol, atol=rtol * 0.1)


@every_architecture
@tokens_or_numbers
@on_each_device
def test_each_architecture(name, is_token, device):
    weights, values = random_weights(ARCHITECTURES[name]), random_inputs(is_token)
    batch = batch_of(weights, values, LABELS, WEIGHT)
    assert_same(by_either(weights, batch, "cross_entropy", device))


@pytest.mark.parametrize("pool", ["max", "sum"])
@pytest.mark.parametrize("n_directions", [1, 2])
@on_each_device
def test_states_that_no_longer_change(pool, n_directions, device):
    """Many steps have the largest values; the gradient goes to one of them."""
    weights = random_weights(ARCHITECTURES[f"gru-1-{n_directions}-{pool}"])
    packing = packed(100 * LENGTHS)
    values = torch.zeros(100 * OFFSETS[-1], dtype=torch.int32)
    batch = batch_of(weights, values, LABELS, WEIGHT, packing)
    assert_same(by_either(weights, batch, "cross_entropy", device), rtol=1e-7)


@pytest.mark.parametrize("name", ["gru-1-1-sum", "lstm-2-2-max", "bag-1-2-mean"])
@pytest.mark.parametrize("n_inputs", [N_INPUTS, MANY_TOKENS])
@pytest.mark.parametrize("n_at_a_step", [1, 3])
@on_each_device
def test_tokens_of_few_or_many_one_or_several_at_a_step(
    name, n_inputs, n_at_a_step, device
):
    weights = zeros(Layout(ARCHITECTURES[name], n_inputs, N_OUTPUTS), torch.float64)
    generator = torch.Generator().manual_seed(0)
    weights.flat.normal_(0.0, 0.5, generator=generator)
    shape = (OFFSETS[-1], n_at_a_step)[:n_at_a_step]
    values = torch.randint(n_inputs, shape, generator=generator)
    batch = batch_of(weights, values, LABELS, WEIGHT)
    assert_same(by_either(weights, batch, "cross_entropy", device))


@pytest.mark.parametrize("name", ["gru-2-1-sum", "gru-2-2-sum", "tanh-1-2-last"])
@on_each_device
def test_as_many_tokens_as_columns_of_all_directions(name, device):
    """Rows of U are then as long as rows with a number for each token."""
    architecture = ARCHITECTURES[name]
    n_blocks = architecture.make_cell().n_input_blocks
    n_tokens = architecture.n_directions * n_blocks * architecture.nhidden[0]
    weights = zeros(Layout(architecture, n_tokens, N_OUTPUTS), torch.float64)
    weights.flat.normal_(0.0, 0.5, generator=torch.Generator().manual_seed(0))
    values = torch.arange(OFFSETS[-1]) % n_tokens
    batch = batch_of(weights, values, LABELS, WEIGHT)
    assert_same(by_either(weights, batch, "cross_entropy", device))


TARGETS = {
    "binary_cross_entropy": torch.tensor(np.eye(5, N_OUTPUTS, dtype="f4")),
    "squared_error": torch.arange(5.0 * N_OUTPUTS).view(5, N_OUTPUTS).double() / 7,
    "smoothed_cross_entropy": LABELS,
    "gaussian_or_end": torch.tensor([[0.0, 1.5], [1, 0], [0, -2], [0, 0.1], [1, 9]]),
}


@pytest.mark.parametrize("loss", TARGETS)
@on_each_device
def test_each_loss(loss, device):
    n_outputs = 3 if loss == "gaussian_or_end" else N_OUTPUTS
    layout = Layout(ARCHITECTURES["gru-1-1-last"], N_INPUTS, n_outputs)
    weights = zeros(layout, torch.float64)
    weights.flat.normal_(0.0, 0.5, generator=torch.Generator().manual_seed(0))
    weight = WEIGHT
    if loss == "smoothed_cross_entropy":
        weight = torch.stack([0.9 * WEIGHT, 0.1 * WEIGHT], dim=1)
    target = TARGETS[loss].double() if loss == "gaussian_or_end" else TARGETS[loss]
    batch = batch_of(weights, random_inputs(False), target, weight)
    assert_same(by_either(weights, batch, loss, device))


@pytest.mark.parametrize("name", ["gru-2-1-sum", "lstm-2-2-mean", "sum-tanh-2-2-last"])
@tokens_or_numbers
@on_each_device
def test_dropout_and_sequences_without_steps(name, is_token, device):
    weights, values = random_weights(ARCHITECTURES[name]), random_inputs(is_token)
    packing = packed(np.insert(LENGTHS, [0, 5], 0))
    labels = torch.tensor([2, *LABELS.tolist(), 1])
    weight = torch.tensor([0.7, *WEIGHT.tolist(), 0.3], dtype=torch.float64)
    widths = [len(layer[0].U) for layer in weights.layers[1:]]
    generator = torch.Generator().manual_seed(3)
    masks = [
        torch.rand(7, width, generator=generator, dtype=torch.float64)
        for width in (*widths, weights.V.shape[1])
    ]
    batch = batch_of(weights, values, labels, weight, packing, masks=masks)
    assert_same(by_either(weights, batch, "cross_entropy", device))


@on_each_device
def test_no_sequence_has_steps(device):
    weights = random_weights(ARCHITECTURES["gru-1-1-sum"])
    packing = packed(np.zeros(5, np.int64))
    values = random_inputs(True)[:0]
    batch = batch_of(weights, values, LABELS, WEIGHT, packing)
    assert_same(by_either(weights, batch, "cross_entropy", device))


@test_convolution.every_network
@on_each_device
def test_filters(name, device):
    weights = random_weights(test_convolution.NETWORKS[name])
    batch = batch_of(weights, random_inputs(False), LABELS, WEIGHT)
    assert_same(by_either(weights, batch, "cross_entropy", device))


@test_windows.one_direction
@tokens_or_numbers
@pytest.mark.parametrize("truncate", [None, 2])
@on_each_device
def test_targets_of_steps(name, is_token, truncate, device):
    weights = test_windows.per_step(name)
    batch = test_windows.batch(weights, is_token, with_masks=True)
    assert_same(by_either(weights, batch, "cross_entropy", device, truncate))


def test_truncated_windows_leave_the_states_in_which_they_end():
    weights = test_windows.per_step("lstm-2-1-last")
    batch = test_windows.batch(weights, is_token=True)
    ends = []
    for kernels in (KERNELS["numba"], KERNELS["autograd"]):
        workspace = kernels.make_workspace(weights, None)
        kernels.loss_and_gradient(weights, batch, "cross_entropy", workspace, 3)
        ends.append(workspace.end)
    torch.testing.assert_close(*ends, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("of_pooling", ["last", "mean", "max", "concat", "sum"])
@pytest.mark.parametrize("cell", ["tanh-1", "gru-2", "lstm-1"])
@pytest.mark.parametrize("max_states", [2**26, 10])
@on_each_device
def test_states_that_steps_before_lead_to(
    of_pooling, cell, max_states, device, monkeypatch
):
    monkeypatch.setattr(network, "_MAX_STATES", max_states)
    weights = random_weights(ARCHITECTURES[f"{cell}-1-{of_pooling}"])
    values = random_inputs(True).int()
    n_before = np.array([2, 0, 6, 1, 1])
    (packing,) = pack(OFFSETS[:-1] + n_before, LENGTHS - n_before)
    order = torch.from_numpy(packing.indices)
    past = Past(values, OFFSETS[:-1][packing.indices], n_before[packing.indices])
    of = values[packing.rows], packing, LABELS[order], WEIGHT[order]
    batch = Batch(*of, past=past)
    assert_same(by_either(weights, batch, "cross_entropy", device))
    own = view(weights.layout, weights.flat.to(device))
    theirs = network.states_after(own, moved(past, device), network.Workspace())
    ours = states_after(weights, past)
    for part in ("states", "gathered", "n_steps"):
        of_both = getattr(theirs, part), moved(getattr(ours, part), device)
        torch.testing.assert_close(*of_both, rtol=1e-9, atol=1e-12)


@test_condition.each_network
@test_condition.each_condition
@pytest.mark.parametrize("is_sparse, is_token", [(0, 1), (1, 1), (0, 0)])
@on_each_device
def test_sequences_that_depend_on_a_vector(
    name, condition, is_sparse, is_token, device
):
    weights = test_condition.random_weights(name, condition)
    batch = test_condition.batch(weights, is_sparse, is_token)
    for truncate in (None, 2):
        assert_same(by_either(weights, batch, "cross_entropy", device, truncate))


@pytest.mark.parametrize("is_both", [False, True])
@tokens_or_numbers
@on_each_device
def test_chains_of_tags_of_which_some_are_unknown(is_both, is_token, device):
    weights = test_transitions.per_step(bidirectional=is_both)
    values, loss, target, weight = test_transitions.batch(is_token=is_token)
    weight[:4] = 0  # nothing is known of the first sequence
    batch = batch_of(weights, values, target, weight)
    assert_same(by_either(weights, batch, loss, device))


@test_decoder.of_each
@test_decoder.of_each_kind
@pytest.mark.parametrize("has_masks, is_free", [(0, 0), (1, 0), (1, 1)])
@on_each_device
def test_decoders(name, is_token, has_masks, is_free, device):
    weights = random_weights(test_decoder.ARCHITECTURES[name])
    masks = answering.masks_for(weights) if has_masks else ()
    values, answers = random_inputs(is_token), test_decoder.ANSWERS
    batch = answering.batch_of(weights, values, answers, masks)
    if is_free:
        free = np.random.default_rng(1).random(len(batch.target.target)) < 0.7
        batch = replace(batch, target=replace(batch.target, is_free=free))
    assert_same(by_either(weights, batch, "smoothed_cross_entropy", device))


@test_emission.of_each
@test_emission.of_each_kind
@pytest.mark.parametrize("has_masks", [False, True])
@on_each_device
def test_frames(name, is_token, has_masks, device):
    weights = random_weights(test_emission.ARCHITECTURES[name])
    masks = answering.masks_for(weights) if has_masks else []
    values, answers = random_inputs(is_token), test_emission.ANSWERS
    batch = answering.batch_of(weights, values, answers, masks)
    assert_same(by_either(weights, batch, "ctc", device))


@pytest.mark.parametrize("max_scores", [1, 3 * N_OUTPUTS])
def test_scores_that_do_not_fit_into_memory(max_scores, monkeypatch):
    monkeypatch.setattr(output, "_MAX_SCORES", max_scores)
    weights = test_windows.per_step("gru-1-1-last")
    batch = test_windows.batch(weights, is_token=True)
    assert_same(by_either(weights, batch, "cross_entropy"))
    weights = random_weights(test_decoder.ARCHITECTURES["gru"])
    batch = answering.batch_of(weights, random_inputs(True), test_decoder.ANSWERS)
    free = np.ones(len(batch.target.target), bool)
    batch = replace(batch, target=replace(batch.target, is_free=free))
    assert_same(by_either(weights, batch, "smoothed_cross_entropy"))


def test_where_steps_are():
    packing = packed(np.array([4, 0, 1, 7, 4, 2]))
    rows = Rows(packing, torch.zeros(1))
    sequences = packing.sequences
    np.testing.assert_array_equal(rows.sequences, sequences)
    np.testing.assert_array_equal(rows.by_sequence, packing.by_sequence)
    np.testing.assert_array_equal(rows.places[rows.by_sequence], np.arange(18))
    np.testing.assert_array_equal(rows.flip, packing.flip)
    last = [np.flatnonzero(sequences == i)[-1] for i in range(5)]
    np.testing.assert_array_equal(rows.last, last)
    np.testing.assert_array_equal(rows.batch_sizes, packing.batch_sizes)


def test_each_loss_and_cell_is_there():
    assert set(LOSSES) == set(losses.LOSSES)
    for cell in CELLS:
        weights = random_weights(Architecture((3,), cell))
        layer = layer_for(weights.architecture, weights.layers[0], N_INPUTS)
        assert isinstance(layer, TorchLayer)


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    weights = random_weights(ARCHITECTURES["lstm-2-2-sum"])
    batch = batch_of(weights, random_inputs(True), LABELS, WEIGHT)
    by_either(weights, batch, "cross_entropy")
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_gradients_are_computed_where_users_want_none(context):
    weights = random_weights(ARCHITECTURES["gru-1-1-sum"])
    batch = batch_of(weights, random_inputs(True), LABELS, WEIGHT)
    with context(), torch.inference_mode(False):
        assert_same(by_either(weights, batch, "cross_entropy"))


def test_tensors_go_to_the_device_that_one_is_on():
    assert Execution.of(torch.zeros(2)) == Execution("cpu")
    assert Execution.of(torch.zeros(2, device="meta")).device == "meta"
