"""Convolutions before the recurrence: forward and gradient, beside torch.nn."""

import pickle
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

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor
from skrnn._core import convolution, encode, network
from skrnn._core.network import Workspace
from skrnn._core.packing import pack
from skrnn._core.public import check_shapes, from_public, to_public

OF_RECURRENCE = ("gru-1-1-sum", "gru-1-2-concat", "lstm-2-1-max", "tanh-2-2-mean")
KERNEL_SIZES = {
    "1": ((1,),),
    "3 and 5": ((3, 5),),
    "3, 4 and 9, then 5": ((3, 4, 9), (5,)),
    "three layers": ((2, 3), (5,), (1, 3)),
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


def test_the_largest_value_keeps_nan():
    z = np.array([[0.0, -1.0], [np.nan, -3.0], [2.0, -2.0]], np.float32)
    pooled = np.empty((1, 4), np.float32)
    convolution.pool(z, np.array([0]), np.array([3]), pooled)
    np.testing.assert_array_equal(pooled, [[np.nan, -2.0, np.nan, -1.0]])


def shares_dropped(monkeypatch, rng, **params):
    """How often a fit sets states, and filters, to 0 before the output layer."""
    masks, compute = [], network.loss_and_gradient

    def remember(weights, batch, *arguments):
        masks.extend(batch.masks[-1:])
        return compute(weights, batch, *arguments)

    monkeypatch.setattr(network, "loss_and_gradient", remember)
    X, y = rng.normal(size=(64, 9)), [0, 1] * 32
    classifier = RNNClassifier(160, max_iter=3, random_state=0, **params).fit(X, y)
    if not masks:
        return None
    dropped = (torch.cat(masks) == 0).double().mean(dim=0)
    assert len(dropped) == classifier.V_.shape[1] == 160 + 2 * 60
    return float(dropped[:160].mean()), float(dropped[160:].mean())


@pytest.mark.parametrize(
    "dropout, expected", [("auto", (0.8, 0.2)), (0.5, (0.5, 0.5)), (0.0, None)]
)
def test_states_are_dropped_more_often_than_filters(
    dropout, expected, monkeypatch, rng
):
    shares = shares_dropped(monkeypatch, rng, dropout=dropout)
    assert shares == (expected and pytest.approx(expected, abs=0.02))


def test_nothing_is_dropped_without_convolutions(monkeypatch, rng):
    assert shares_dropped(monkeypatch, rng, kernel_sizes=None) is None


SERIES, LABELS_OF_SERIES = (
    np.random.default_rng(0).normal(size=(24, 30, 2)),
    [0, 1] * 12,
)


@pytest.mark.parametrize(
    "kernel_sizes, n_arrays",
    [("auto", 4), ((3, 5), 2), ([3], 1), (((2, 3), [4], (5,)), 4), (None, 0)],
)
def test_kernel_sizes_by_layer(kernel_sizes, n_arrays):
    encoder = RNNEncoder(8, kernel_sizes=kernel_sizes, max_iter=1, random_state=0)
    encoder.fit(SERIES, LABELS_OF_SERIES)
    assert len(getattr(encoder, "filters_", [])) == n_arrays
    h = encoder.transform(SERIES)
    names = list(encoder.get_feature_names_out())
    assert len(names) == len(set(names)) == h.shape[1] == encoder.V_.shape[1]
    assert names[:8] == [f"rnnencoder{i}" for i in range(8)]
    if n_arrays:
        assert names[8] == "rnnencoder_mean0_0"
        assert names[-1].startswith("rnnencoder_max")
        means, largest = (
            h[:, [i for i, name in enumerate(names) if pool in name]]
            for pool in ("_mean", "_max")
        )
        assert means.shape == largest.shape and (largest >= means - 1e-6).all()


@pytest.mark.parametrize(
    "kernel_sizes", [(), [], (0,), (3, -1), ((3,), ()), (3, (5,)), ("3",), ((3.5,),)]
)
def test_kernel_sizes_that_are_none(kernel_sizes):
    with pytest.raises(ValueError, match=r"kernel_sizes is .* such as"):
        RNNClassifier(kernel_sizes=kernel_sizes).fit(SERIES, LABELS_OF_SERIES)


def test_where_there_are_no_convolutions():
    """Filters read later steps, or need numbers."""
    strings = ["ab", "ba", "abb", "b"] * 2
    params = {"max_iter": 1, "random_state": 0}
    for estimator, X, y in (
        (RNNClassifier(2, **params), strings, [0, 1] * 4),
        (RNNClassifier(2, truncate=5, **params), SERIES, LABELS_OF_SERIES),
        (RNNEncoder(2, **params), SERIES, None),
    ):
        assert not hasattr(estimator.fit(X, y), "filters_")
    with pytest.raises(ValueError, match=r"windows of 61 steps, but .* up to 60\."):
        RNNClassifier(2, kernel_sizes=((3,), (3, 61))).fit(SERIES, LABELS_OF_SERIES)
    explicit = {"kernel_sizes": (3,), **params}
    with pytest.raises(ValueError, match="needs series of numbers, but X holds"):
        RNNClassifier(2, **explicit).fit(strings, [0, 1] * 4)
    with pytest.raises(ValueError, match="Use kernel_sizes=None or truncate=None"):
        RNNClassifier(2, truncate=5, **explicit).fit(SERIES, LABELS_OF_SERIES)
    with pytest.raises(ValueError, match="Without y, the next step is predicted"):
        RNNEncoder(2, **explicit).fit(SERIES)


def test_each_kernel_size_has_a_filter():
    """Otherwise, a pickle would be refused."""
    classifier = RNNClassifier(2, kernel_sizes=(1, 2, 3, 4, 5), max_iter=1)
    classifier.fit(SERIES, LABELS_OF_SERIES)
    assert list(map(len, classifier.filters_)) == [1] * 5
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict(SERIES), classifier.predict(SERIES))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_warm_start_goes_on_from_the_filters(bidirectional):
    classifier = RNNClassifier(
        4, bidirectional=bidirectional, warm_start=True, max_iter=2, random_state=0
    ).fit(SERIES, LABELS_OF_SERIES)
    before = [each.copy() for each in classifier.filters_]
    classifier.set_params(learning_rate_init=1e-9, alpha=0.0)
    classifier.fit(SERIES, LABELS_OF_SERIES)
    for old, new in zip(before, classifier.filters_, strict=True):
        np.testing.assert_allclose(new, old, atol=1e-6)
    classifier.set_params(kernel_sizes=(3,))
    with pytest.raises(ValueError, match="whose kernel_sizes was 'auto', but now"):
        classifier.fit(SERIES, LABELS_OF_SERIES)


def test_chunks_are_epochs():
    params = {"max_iter": 1, "random_state": 0, "dropout": 0.0}
    whole = RNNRegressor(4, **params)
    y = SERIES[:, :, 0].max(axis=1)
    for _ in range(3):
        whole.partial_fit(SERIES, y)
    assert whole.n_iter_ == 3 and len(whole.filters_) == 4
    np.testing.assert_array_equal(
        whole.predict(SERIES), [whole.predict([x])[0] for x in SERIES]
    )


def test_what_happens_anywhere_is_found(rng):
    """A bump in a long noisy series, at any place."""
    X = 0.3 * rng.normal(size=(300, 200))
    y = rng.integers(2, size=300)
    bump = np.exp(-0.5 * ((np.arange(9) - 4) / 1.5) ** 2)
    for x, label in zip(X, y, strict=True):
        at = rng.integers(0, 190)
        x[at : at + 9] += 1.5 * (bump if label else bump[::-1] * np.sign(bump - 0.5))
    classifier = RNNClassifier(random_state=0).fit(X[:150], y[:150])
    assert classifier.score(X[150:], y[150:]) > 0.9


def test_truncation_does_not_go_on_from_filters():
    classifier = RNNClassifier(2, warm_start=True, max_iter=1, random_state=0)
    classifier.fit(SERIES, LABELS_OF_SERIES).set_params(truncate=5)
    with pytest.raises(ValueError, match=r"truncate=5 cuts .* Use truncate=None, or"):
        classifier.fit(SERIES, LABELS_OF_SERIES)


@pytest.mark.parametrize(
    "length, expected",
    [
        (5, None),
        (9, ((3,),)),
        (30, ((3, 9), (9,), (9,))),
        (81, ((3, 9, 27), (9,), (9,))),
    ],
)
def test_short_series_have_small_windows(length, expected, rng):
    encoder = RNNEncoder(2, max_iter=1).fit(rng.normal(size=(8, length)), [0, 1] * 4)
    found = [filters.shape[2] for filters in getattr(encoder, "filters_", [])]
    assert found == [size for layer in expected or () for size in layer]


@pytest.mark.parametrize(
    "params",
    [{}, {"patch_length": 3}, {"kernel_sizes": None, "standardize": "auto"}],
    ids=["filters", "fewer steps", "scales"],
)
def test_the_next_step_is_not_learned_from_what_reads_it(params, rng):
    """Neither from filters nor from the mean of the whole series."""
    X = SERIES * 10 ** rng.normal(0, 2, (len(SERIES), 1, 1))
    encoder = RNNEncoder(2, warm_start=True, max_iter=1, random_state=0, **params)
    encoder.fit(X, LABELS_OF_SERIES)
    with pytest.raises(ValueError, match=r"the last fit had y, .* warm_start=False"):
        encoder.fit(X)


def test_lists_and_tuples_of_kernel_sizes_are_the_same_in_a_warm_start():
    classifier = RNNClassifier(2, kernel_sizes=[[3], [5]], warm_start=True, max_iter=1)
    classifier.fit(SERIES, LABELS_OF_SERIES).set_params(kernel_sizes=((3,), (5,)))
    assert classifier.fit(SERIES, LABELS_OF_SERIES).n_iter_ == 1
