"""Convolutions before the recurrence: forward and gradient, beside torch.nn."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from networks import (
    ARCHITECTURES,
    LABELS,
    LENGTHS,
    N_INPUTS,
    OFFSETS,
    loss_and_gradient,
    packed,
    random_inputs,
    random_weights,
    slope_along,
    with_nan_in_memory,
)
from torch import nn
from torch_network import TorchNetwork

from skrnn._core import encode, network
from skrnn._core.network import Workspace
from skrnn._core.packing import pack
from skrnn._core.public import check_shapes, from_public, to_public

OF_RECURRENCE = ("gru-1-1-sum", "gru-1-2-concat", "lstm-2-1-max", "tanh-2-2-mean")
KERNEL_SIZES = {
    "1": ((1,),),
    "3 and 5": ((3, 5),),
    "3, 4 and 9, then 5": ((3, 4, 9), (5,)),
    "longer than sequences": ((27,), (2, 9)),
}
NETWORKS = {
    f"{name}, {sizes}, stride {stride}": replace(
        ARCHITECTURES[name],
        kernel_sizes=KERNEL_SIZES[sizes],
        n_filters=7,
        stride=stride,
    )
    for name, sizes, stride in product(OF_RECURRENCE, KERNEL_SIZES, (1, 3))
}
every_network = pytest.mark.parametrize("name", NETWORKS)
WEIGHT = torch.tensor([1.0, 0.5, 2.0, 1.0, 3.0], dtype=torch.float64)


@every_network
@pytest.mark.parametrize("dtype, rtol", [(torch.float64, 1e-9), (torch.float32, 1e-3)])
def test_loss_and_gradient_equal_torch_nn(name, dtype, rtol):
    weights = random_weights(NETWORKS[name], dtype)
    values, weight = random_inputs(False, dtype), WEIGHT.to(dtype)
    workspace = Workspace(weights)
    with_nan_in_memory(workspace)
    total, gradient = loss_and_gradient(
        weights, values, "cross_entropy", LABELS, weight, workspace=workspace
    )
    theirs = TorchNetwork(weights)
    scores = theirs(values.split(LENGTHS.tolist()))
    each = nn.functional.cross_entropy(scores, LABELS, reduction="none")
    their_total = each @ weight
    their_total.backward()

    torch.testing.assert_close(total, their_total.detach(), rtol=rtol, atol=0)
    ours = to_public(gradient)
    triples, dV, dc = theirs.gradients()
    expected = dict(zip(("W_", "U_", "b_"), zip(*triples, strict=True), strict=True))
    expected["filters_"] = [each.grad for each in theirs.filters]
    expected["filter_biases_"] = [each.grad for each in theirs.filter_biases]
    atol = rtol * float(gradient.flat.abs().max())
    for key, parts in expected.items():
        assert len(ours[key]) == len(parts)
        for part, other in zip(ours[key], parts, strict=True):
            part = torch.from_numpy(part.copy())
            torch.testing.assert_close(part, other, rtol=rtol, atol=atol)
    torch.testing.assert_close(gradient.V, dV, rtol=rtol, atol=atol)
    torch.testing.assert_close(gradient.c, dc, rtol=rtol, atol=atol)


@every_network
def test_the_gradient_is_the_slope_of_the_loss(name):
    weights, values = random_weights(NETWORKS[name]), random_inputs(False)
    values += 0.01  # away from the kinks of relu

    def total():
        arguments = weights, values, "cross_entropy", LABELS, WEIGHT
        return loss_and_gradient(*arguments)[0]

    _, gradient = loss_and_gradient(weights, values, "cross_entropy", LABELS, WEIGHT)
    generator = torch.Generator().manual_seed(7)
    direction = torch.randn(len(weights.flat), generator=generator).double()
    slope = slope_along(direction, weights, total)
    assert slope == pytest.approx(float(direction @ gradient.flat), rel=1e-5)


@every_network
def test_codes_equal_torch_nn(name):
    weights, values = random_weights(NETWORKS[name]), random_inputs(False)
    theirs = TorchNetwork(weights)
    theirs.output = nn.Identity()
    expected = theirs(values.split(LENGTHS.tolist())).detach()
    h = encode.encode(weights, values.numpy(), OFFSETS)
    np.testing.assert_allclose(h, expected.numpy(), rtol=1e-9, atol=1e-12)
    assert h.shape[1] == weights.architecture.n_features_out


@pytest.mark.parametrize("name", list(NETWORKS)[::3])
def test_codes_do_not_depend_on_other_sequences_to_the_bit(name, rng):
    weights = random_weights(NETWORKS[name], torch.float32)
    lengths = rng.integers(1, 60, size=200)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = rng.normal(size=(offsets[-1], N_INPUTS)).astype(np.float32)
    together = encode.encode(weights, values, offsets)
    for i in range(0, len(lengths), 7):
        alone = values[offsets[i] : offsets[i + 1]]
        h = encode.encode(weights, alone, np.array([0, lengths[i]]))
        assert np.array_equal(h[0], together[i])


@every_network
def test_public_arrays_go_back_to_the_same_weights(name):
    weights = random_weights(NETWORKS[name])
    arrays = to_public(weights)
    check_shapes(weights.architecture, arrays)
    again = from_public(weights.architecture, arrays)
    assert again.n_inputs == weights.n_inputs
    pairs = zip(weights.all_filters(), again.all_filters(), strict=True)
    for ours, theirs in pairs:
        assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("change", ["size", "inputs", "filters", "missing", "biases"])
def test_arrays_that_do_not_fit_are_refused(change):
    weights = random_weights(NETWORKS["gru-1-1-sum, 3, 4 and 9, then 5, stride 3"])
    arrays = to_public(weights)
    filters, biases = arrays["filters_"], arrays["filter_biases_"]
    if change == "size":
        filters[1] = filters[1][:, :, 1:]
    elif change == "inputs":
        filters[0] = filters[0][:, 1:]
    elif change == "filters":
        filters[3] = filters[3][1:]
    elif change == "missing":
        filters.pop()
    else:
        biases[0] = biases[0][1:]
    name = "filter_biases_" if change == "biases" else "filters_"
    with pytest.raises(ValueError, match=f"{name} has the shape"):
        check_shapes(weights.architecture, arrays)


def test_calibrated_filters_have_mean_0_and_variance_1(rng):
    name = "gru-1-1-sum, 3, 4 and 9, then 5, stride 1"
    weights = random_weights(NETWORKS[name], torch.float32)
    x = (5 + 3 * rng.normal(size=(OFFSETS[-1], N_INPUTS))).astype(np.float32)
    packing = packed()
    network.calibrate(weights, x[packing.rows], packing)
    theirs = TorchNetwork(weights)
    responses = {0: [], 1: []}
    for part in torch.from_numpy(x).split(LENGTHS.tolist()):
        read = part
        for k, of_layer in enumerate([slice(0, 3), slice(3, 4)]):
            z = []
            for F, f in zip(
                theirs.filters[of_layer], theirs.filter_biases[of_layer], strict=True
            ):
                size = F.shape[2]
                margins = size // 2, size - 1 - size // 2
                padded = nn.functional.pad(read.T, margins)
                z.append(nn.functional.conv1d(padded, F, f))
            responses[k].append(torch.cat(z).detach())
            read = torch.relu(torch.cat(z)).T
    for of_layer in responses.values():
        z = torch.cat(of_layer, dim=1)
        torch.testing.assert_close(z.mean(1), torch.zeros(7), atol=1e-5, rtol=0)
        torch.testing.assert_close(
            z.std(1, correction=0), torch.ones(7), atol=1e-4, rtol=0
        )


def test_constant_numbers_are_calibrated_to_0():
    weights = random_weights(NETWORKS["gru-1-1-sum, 1, stride 1"], torch.float32)
    x = np.full((OFFSETS[-1], N_INPUTS), 7.3, np.float32)
    network.calibrate(weights, x, packed())
    ((F, f),) = weights.all_filters()
    assert torch.isfinite(weights.flat).all()
    assert (torch.from_numpy(x[:1]) @ F + f).abs().max() < 1e-4


@pytest.mark.parametrize("stride", [1, 2, 5])
def test_a_longest_sequence_of_one_step(stride, rng):
    architecture = replace(
        ARCHITECTURES["gru-1-1-sum"],
        **{
            "kernel_sizes": ((3,),),
            "n_filters": 4,
            "stride": stride,
        },
    )
    weights = random_weights(architecture)
    offsets = np.arange(4)
    (packing,) = pack(offsets[:-1], np.ones(3, int))
    h = encode.encode(weights, rng.normal(size=(3, N_INPUTS)), offsets)
    assert np.isfinite(h).all() and len(packing.batch_sizes) == 1
