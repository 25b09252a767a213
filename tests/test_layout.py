"""Where weights lie in the flat tensor, and weights that a pooling brings."""

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from networks import ARCHITECTURES, N_INPUTS, N_OUTPUTS, random_weights

from skrnn import RNNClassifier
from skrnn._core import pooling, public
from skrnn._core.architecture import Architecture
from skrnn._core.layout import Layout
from skrnn._core.public import all_names, from_public, names_of, to_public
from skrnn._core.weights import initialise, view, zeros, zeros_like

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


def layout_of(name):
    return Layout(ARCHITECTURES[name], N_INPUTS, N_OUTPUTS)


@every_architecture
def test_views_cover_the_flat_tensor_once(name):
    layout = layout_of(name)
    flat = torch.arange(layout.n_weights)
    parts = layout.views(flat)
    assert torch.equal(torch.cat([part.flatten() for part in parts.values()]), flat)
    for part in parts.values():
        assert part.untyped_storage().data_ptr() == flat.untyped_storage().data_ptr()


@every_architecture
def test_views_have_the_shapes_that_are_named(name):
    layout = layout_of(name)
    parts = layout.views(torch.empty(layout.n_weights))
    assert {key: tuple(part.shape) for key, part in parts.items()} == layout.shapes()


@every_architecture
def test_names_are_in_the_order_that_is_documented(name):
    architecture = ARCHITECTURES[name]
    n = architecture.n_directions
    n_all = n * len(architecture.nhidden)
    assert list(layout_of(name).shapes()) == [
        *(f"b.{i}" for i in range(n_all)),
        "c",
        *(f"W.{i}" for i in range(n_all)),
        "V",
        *(f"U.{i}" for i in range(n, n_all)),
        *(f"U.{i}" for i in range(n)),
    ]


@every_architecture
def test_weights_are_views_of_the_parts_of_their_names(name):
    layout = layout_of(name)
    weights = view(layout, torch.arange(layout.n_weights))
    parts = layout.views(weights.flat)
    for i, layer in enumerate(weights.all_layers()):
        for key in ("U", "W", "b"):
            assert torch.equal(getattr(layer, key), parts[f"{key}.{i}"])
    assert torch.equal(weights.V, parts["V"]) and torch.equal(weights.c, parts["c"])
    assert weights.others == {}


@every_architecture
def test_biases_are_the_first_weights(name):
    weights = zeros(layout_of(name))
    weights.flat[: weights.n_biases] = 1.0
    for layer in weights.all_layers():
        assert (layer.b == 1.0).all() and not layer.U.any() and not layer.W.any()
    assert (weights.c == 1.0).all() and not weights.V.any()


@every_architecture
def test_input_weights_of_the_first_layer_are_the_last_weights(name):
    weights = zeros(layout_of(name))
    weights.flat[weights.n_shared :] = 1.0
    first, *above = weights.layers
    for layer in first:
        assert (layer.U == 1.0).all() and not layer.W.any() and not layer.b.any()
    for directions in above:
        assert not any(layer.U.any() for layer in directions)
    assert not weights.V.any() and not weights.c.any()


def test_another_number_of_inputs_changes_the_end_only():
    layout = layout_of("lstm-2-2-sum")
    wider = layout.with_inputs(N_INPUTS + 4)
    n_shared = zeros(layout).n_shared
    assert zeros(wider).n_shared == n_shared
    flat = torch.arange(wider.n_weights)
    ours, theirs = layout.views(flat[: layout.n_weights]), wider.views(flat)
    for name in ours:
        if name not in ("U.0", "U.1"):
            assert torch.equal(ours[name], theirs[name])
    assert theirs["U.1"].shape[0] == N_INPUTS + 4


def test_an_identity_has_no_recurrent_weights():
    shapes = layout_of("bag-2-2-last").shapes()
    assert [shapes[f"W.{i}"] for i in range(4)] == [(0, 4), (0, 4), (0, 6), (0, 6)]


# A pooling that is registered from outside


def weights_of(nhidden):
    return (("attention", (nhidden,)), ("sharpness", (2, 3)))


@pytest.fixture
def toy(monkeypatch):
    """The name of a pooling of four numbers, with two weights of its own."""
    page = ModuleType(f"{pooling.__name__}.toy")
    page.width, page.weights_of = lambda nhidden: 4, weights_of
    monkeypatch.setitem(sys.modules, page.__name__, page)
    names = (*pooling.POOLINGS, "toy")
    for module in (pooling, public):
        monkeypatch.setattr(module, "POOLINGS", names)
    yield "toy"
    pooling.page_of.cache_clear()  # which remembers the page


def toy_layout(toy, bidirectional=True):
    architecture = Architecture((5, 6), "gru", bidirectional=bidirectional, pooling=toy)
    return Layout(architecture, N_INPUTS, N_OUTPUTS)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_pooling_brings_weights_for_each_direction(toy, bidirectional):
    layout, n = toy_layout(toy, bidirectional), 2 if bidirectional else 1
    shapes = layout.shapes()
    assert layout.of_pooling == (("attention", (n, 6)), ("sharpness", (n, 2, 3)))
    assert shapes["attention"] == (n, 6) and shapes["sharpness"] == (n, 2, 3)


def test_weights_of_a_pooling_lie_after_V(toy):
    names = list(toy_layout(toy).shapes())
    start = names.index("V")
    assert names[start:] == [
        *("V", "attention", "sharpness", "U.2", "U.3", "U.0", "U.1")
    ]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_output_layer_reads_what_a_pooling_returns(toy, bidirectional):
    shapes = toy_layout(toy, bidirectional).shapes()
    assert shapes["V"] == (N_OUTPUTS, 8 if bidirectional else 4)


def test_weights_of_a_pooling_are_among_the_others(toy):
    weights = zeros(toy_layout(toy))
    assert list(weights.others) == ["attention", "sharpness"]
    attention, sharpness = weights.of_pooling
    assert attention is weights.others["attention"]
    assert sharpness is weights.others["sharpness"]


def test_weights_of_a_pooling_are_parts_of_the_flat_tensor(toy):
    weights = zeros(toy_layout(toy))
    for part in weights.of_pooling:
        part.fill_(1.0)
    assert weights.flat.sum() == 2 * 6 + 2 * 6
    assert weights.n_biases == zeros(toy_layout(toy)).n_biases
    assert not weights.flat[: weights.n_biases].any()
    assert not weights.flat[weights.n_shared :].any()
    assert len(zeros_like(weights).of_pooling) == 2


def test_weights_of_a_pooling_start_at_zero(toy):
    weights = zeros(toy_layout(toy))
    initialise(weights, True, torch.Generator().manual_seed(0))
    assert not any(part.any() for part in weights.others.values())
    assert weights.V.any()


def test_poolings_bring_no_weights_unless_they_say_so():
    for name in pooling.POOLINGS:
        assert pooling.weights_of(name, 5) == ()
    assert zeros(layout_of("gru-2-2-concat")).of_pooling == []


def test_weights_of_a_pooling_are_public(toy):
    weights = zeros(toy_layout(toy))
    weights.flat.normal_(generator=torch.Generator().manual_seed(0))
    arrays = to_public(weights)
    for name in ("attention", "sharpness"):
        np.testing.assert_array_equal(arrays[f"{name}_"], weights.others[name].numpy())
        assert not np.shares_memory(arrays[f"{name}_"], weights.flat.numpy())


def test_public_weights_of_a_pooling_come_back(toy):
    layout = toy_layout(toy)
    weights = zeros(layout)
    weights.flat.normal_(generator=torch.Generator().manual_seed(0))
    back = from_public(layout.architecture, to_public(weights))
    assert list(back.others) == list(weights.others)
    for ours, theirs in zip(back.of_pooling, weights.of_pooling, strict=True):
        assert torch.equal(ours, theirs)
    assert len(back.of_pooling) == 2
    for ours, theirs in zip(back.all_layers(), weights.all_layers(), strict=True):
        assert torch.equal(ours.U, theirs.U) and torch.equal(ours.W, theirs.W)


def test_public_names_are_those_of_the_arrays(toy):
    more = {"kernel_sizes": ((3,),), "n_filters": 2, "condition": "both"}
    more |= {"decoder": (4,), "attention": "additive"}
    architecture = replace(toy_layout(toy).architecture, **more)
    arrays = to_public(zeros(Layout(architecture, N_INPUTS, N_OUTPUTS, True)))
    assert sorted(names_of(architecture, True)) == sorted(arrays)
    assert set(arrays) == set(all_names())


def test_public_names_without_weights_of_a_pooling():
    weights = random_weights(ARCHITECTURES["lstm-2-2-sum"])
    names = ("W_", "U_", "b_", "V_", "intercept_")
    assert names_of(weights.architecture) == names
    of_decoder = "decoder_W_", "decoder_U_", "decoder_b_"
    bridge = "bridge_", "bridge_bias_", "energy_", "key_", "query_"
    of_context, of_filters = ("A_", "a_", "B_"), ("filters_", "filter_biases_")
    of_chain = ("transitions_", "start_transitions_", "end_transitions_")
    others = *of_filters, *of_decoder, *of_context, *bridge, *of_chain
    assert all_names() == (*names, *others)
    assert names_of(weights.architecture, has_transitions=True) == (*names, *of_chain)
    assert set(to_public(weights)) == set(names)


def test_weights_that_a_user_has_edited_count():
    classifier = RNNClassifier(
        4, max_iter=1, wide_ngram_range=None, random_state=0
    ).fit(["ab", "ba"], [0, 1])
    classifier.V_ = classifier.V_.astype(np.float64) * 0
    classifier.intercept_ = np.array([0.0, np.log(3)])
    np.testing.assert_allclose(classifier.predict_proba(["ab"]), [[0.25, 0.75]])
