"""Sequences with a target per step, window by window: the same loss, in less memory."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from networks import (
    ARCHITECTURES,
    LENGTHS,
    N_INPUTS,
    N_OUTPUTS,
    OFFSETS,
    batch_of,
    packed,
    random_inputs,
)
from torch import nn
from torch_network import IN_TORCH, TorchNetwork

from skrnn import RNNEncoder
from skrnn._core import network, trainer, windows
from skrnn._core.architecture import Architecture
from skrnn._core.layout import Layout
from skrnn._core.public import to_public
from skrnn._core.shards import Shards
from skrnn._core.weights import zeros

# One direction; the pooling plays no part.
NAMES = [name for name in ARCHITECTURES if name.endswith("-1-last")]
one_direction = pytest.mark.parametrize("name", NAMES)
tokens_or_numbers = pytest.mark.parametrize("is_token", [True, False])
rng = np.random.default_rng(0)
TARGET = torch.from_numpy(rng.integers(0, N_OUTPUTS, OFFSETS[-1]))
WEIGHT = torch.from_numpy(rng.uniform(0.5, 2.0, OFFSETS[-1]))


def per_step(name):
    """Random weights of a network without pooling."""
    like = ARCHITECTURES[name]
    architecture = Architecture(
        like.nhidden, like.cell, like.activation, like.recurrence, pooling="none"
    )
    weights = zeros(Layout(architecture, N_INPUTS, N_OUTPUTS), torch.float64)
    weights.flat.normal_(0.0, 0.5, generator=torch.Generator().manual_seed(0))
    return weights


def batch(weights, is_token, with_masks=False):
    masks = []
    if with_masks:
        generator = torch.Generator().manual_seed(2)
        widths = [*weights.architecture.nhidden[:-1], weights.V.shape[1]]
        for width in widths:
            mask = torch.rand(len(LENGTHS), width, generator=generator).double()
            masks.append((mask > 0.3) / 0.7)
    return batch_of(weights, random_inputs(is_token), TARGET, WEIGHT, masks=masks)


def result(weights, of, truncate=None, function=windows.loss_and_gradient):
    workspace = network.Workspace(weights)
    workspace.gradient.flat.fill_(torch.nan)
    more = () if function is network.loss_and_gradient else (truncate,)
    total = function(weights, of, "cross_entropy", workspace, *more)
    return torch.tensor(total, dtype=torch.float64), workspace.gradient


def assert_equal(ours, theirs):
    torch.testing.assert_close(ours[0], theirs[0], rtol=1e-12, atol=0)
    torch.testing.assert_close(ours[1].flat, theirs[1].flat, rtol=1e-10, atol=1e-12)


@one_direction
@tokens_or_numbers
@pytest.mark.parametrize("max_rows", [1, 3, 7, 17])
@pytest.mark.parametrize("with_masks", [False, True])
def test_the_gradient_through_all_windows_is_that_of_the_whole(
    name, is_token, max_rows, with_masks, monkeypatch
):
    weights = per_step(name)
    of = batch(weights, is_token, with_masks)
    expected = result(weights, of, function=network.loss_and_gradient)
    n_states = max_rows * sum(weights.architecture.nhidden)
    monkeypatch.setattr(windows, "_MAX_STATES", n_states)
    assert len(windows._cuts(of.packing.batch_sizes, max_rows)) > 1
    assert_equal(result(weights, of), expected)


@pytest.mark.parametrize("name", [name for name in NAMES if name in IN_TORCH])
@tokens_or_numbers
@pytest.mark.parametrize("truncate", [1, 2, 3, 6])
def test_truncated_gradients_are_those_of_autograd_from_the_carried_states(
    name, is_token, truncate
):
    """The states are carried over from window to window; the gradient is not."""
    weights = per_step(name)
    total, gradient = result(weights, batch(weights, is_token), truncate)
    theirs = TorchNetwork(weights)
    values = random_inputs(is_token)
    x = torch.eye(N_INPUTS, dtype=torch.float64)[values] if is_token else values
    their_total = 0.0
    for first, stop in pairwise(OFFSETS):
        states = [None] * len(theirs.layers)
        for begin in range(first, stop, truncate):
            rows = slice(begin, min(begin + truncate, stop))
            H = x[rows]
            for k, layer in enumerate(theirs.layers):
                H, end = layer(H, states[k])
                is_pair = isinstance(end, tuple)
                states[k] = tuple(s.detach() for s in end) if is_pair else end.detach()
            losses = nn.functional.cross_entropy(
                theirs.output(H), TARGET[rows], reduction="none"
            )
            part = (losses * WEIGHT[rows]).sum()
            part.backward()
            their_total += part.item()
    assert total.item() == pytest.approx(their_total, rel=1e-12)
    triples, *of_output = theirs.gradients()
    ours = to_public(gradient)
    for i, triple in enumerate(triples):
        for key, expected in zip(("W_", "U_", "b_"), triple, strict=True):
            np.testing.assert_allclose(ours[key][i], expected, rtol=1e-9, atol=1e-12)
    for key, expected in zip(("V_", "intercept_"), of_output, strict=True):
        np.testing.assert_allclose(ours[key], expected, rtol=1e-9, atol=1e-12)


@one_direction
@pytest.mark.parametrize("truncate", [7, 8, 1000])
def test_a_window_of_all_steps_is_no_window(name, truncate):
    weights = per_step(name)
    of = batch(weights, True)
    ours = result(weights, of, truncate)
    theirs = result(weights, of, function=network.loss_and_gradient)
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(ours[1].flat, theirs[1].flat)


@pytest.mark.parametrize("cuts", [[0], [0, 1], [0, 2, 3], range(7), [0, 5]])
def test_a_window_is_packed_as_its_steps_alone_would_be(cuts):
    whole, (first_rows) = packed(), []
    stops = [*cuts[1:], LENGTHS.max()]
    for (rows, ours), first, stop in zip(whole.windows(cuts), cuts, stops, strict=True):
        lengths = np.minimum(LENGTHS, stop) - first
        theirs = packed(lengths[lengths > 0])
        order = LENGTHS[whole.indices]
        assert ours.indices.tolist() == whole.indices[order > first].tolist()
        for field in ("lengths", "batch_sizes", "flip"):
            np.testing.assert_array_equal(
                getattr(ours, field), getattr(theirs, field), err_msg=field
            )
        np.testing.assert_array_equal(ours.rows, whole.rows[rows])
        first_rows.append(rows.start)
    assert first_rows[0] == 0 and rows.stop == OFFSETS[-1]


@pytest.mark.parametrize(
    "n_rows, first",
    [
        ([100], [0]),
        ([100, 100, 100], [0, 1, 2]),
        ([100, 49], [0]),  # too few for an update of their own
        ([100, 50], [0, 1]),
        ([100, 20, 20, 20, 20], [0, 1]),
        ([100, 20, 20, 20, 20, 20, 20], [0, 1, 4]),
        ([100, 30, 30, 30, 30, 30, 30], [0, 1, 3, 5]),
    ],
)
def test_an_update_has_at_least_half_the_rows_of_the_first_window(n_rows, first):
    assert windows._worth_an_update(np.array(n_rows)) == first


WORDS = ["abcabcab", "ab", "cabbacabca", "b", "bcab"] * 8
SERIES = [np.sin(0.7 * np.arange(n) + n) for n in (30, 5, 12, 1, 47)] * 4
PRETRAINED = {letter: np.eye(4)[i] for i, letter in enumerate("abcx")}
INPUTS = {
    "text": (WORDS, {}),
    "letters": (WORDS, {"ngram_range": (1, 1)}),
    "words": ([" ".join(x) for x in WORDS], {"analyzer": "word"}),
    "tokens": ([list(x) for x in WORDS], {}),
    "embeddings": (WORDS, {"embeddings": PRETRAINED}),
    "series": (SERIES, {}),
    "patches": (SERIES, {"patch_length": 2}),
    "one sequence": (["abcab" * 20], {}),
}
all_inputs = pytest.mark.parametrize("kind", INPUTS)
cells = pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])


def fitted(kind, **params):
    X, more = INPUTS[kind]
    params = {"nhidden": (6, 5), "max_iter": 4, "random_state": 0, **more, **params}
    return RNNEncoder(**params).fit(X)


def weights_of(encoder):
    names = ("W_", "U_", "b_")
    lists = [array for name in names for array in getattr(encoder, name)]
    return [*lists, encoder.V_, encoder.intercept_]


@all_inputs
@cells
def test_truncation_longer_than_all_sequences_changes_nothing(kind, cell):
    whole, truncated = (
        fitted(kind, cell=cell, truncate=truncate, dropout=0.2)
        for truncate in (None, 100)
    )
    for ours, theirs in zip(weights_of(truncated), weights_of(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@all_inputs
def test_small_windows_change_a_fit_by_rounding_alone(kind, monkeypatch):
    whole = fitted(kind, dropout=0.2, early_stopping=kind != "one sequence")
    monkeypatch.setattr(windows, "_MAX_STATES", 11 * 20)
    monkeypatch.setattr("skrnn._core.encode._MAX_WINDOW", 3)
    ours = fitted(kind, dropout=0.2, early_stopping=kind != "one sequence")
    np.testing.assert_allclose(ours.loss_curve_, whole.loss_curve_, rtol=1e-5)
    for mine, theirs in zip(weights_of(ours), weights_of(whole), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)
    if kind != "one sequence":
        scores = ours.validation_scores_, whole.validation_scores_
        np.testing.assert_allclose(*scores, rtol=1e-5)


@all_inputs
@cells
@pytest.mark.parametrize("truncate", [1, 3])
def test_windows_start_from_the_state_in_which_the_last_one_ended(kind, cell, truncate):
    """With a learning rate that changes nothing, the loss is that without windows."""
    still = {"learning_rate_init": 1e-12, "max_iter": 1, "cell": cell}
    whole = fitted(kind, **still)
    truncated = fitted(kind, truncate=truncate, **still)
    assert truncated.loss_ == pytest.approx(whole.loss_, rel=1e-5)


@all_inputs
def test_windows_are_the_same_in_several_shards(kind, monkeypatch):
    """But for rounding, since gradients are added up in another order."""

    def fit():
        return fitted(kind, truncate=3, batch_size=100, early_stopping=False)

    one = fit()
    monkeypatch.setattr(
        "skrnn._core.trainer.shards_for", lambda *_: Shards(n_shards=3, min_size=1)
    )
    several = fit()
    np.testing.assert_allclose(several.loss_curve_, one.loss_curve_, rtol=1e-4)


@all_inputs
def test_calls_of_partial_fit_are_epochs_of_windows(kind):
    X, more = INPUTS[kind]
    encoder = RNNEncoder(8, truncate=4, random_state=0, **more)
    losses = [encoder.partial_fit(X).loss_ for _ in range(8)]
    assert losses[-1] < losses[0] and len(encoder.loss_curve_) == 8


@all_inputs
def test_a_warm_start_goes_on_from_windows(kind):
    X, more = INPUTS[kind]
    params = {"warm_start": True, "random_state": 0, "max_iter": 12}
    encoder = RNNEncoder(8, truncate=4, **params, **more).fit(X)
    first = encoder.loss_curve_[0]
    assert encoder.fit(X).loss_curve_[0] < first
    assert encoder.set_params(truncate=None).fit(X).loss_curve_[0] < first


def test_the_weights_are_updated_after_each_window():
    """One long text is learned from in few epochs, since it has many updates."""
    text = ["the cat and the dog and " * 100]
    params = {"ngram_range": (1, 1), "nhidden": 32, "random_state": 0}
    encoder = RNNEncoder(truncate=24, **params).fit(text)
    assert encoder.n_iter_ == 12  # of 100 updates each: more than 400
    assert encoder.loss_ < 0.5
    once = RNNEncoder(max_iter=12, **params).fit(text)
    assert once.loss_ > 2 * encoder.loss_


def test_few_rows_of_a_large_vocabulary_are_moved_per_window(monkeypatch):
    chosen, original = [], trainer.Trainer._updates

    def choose(*arguments):
        chosen.append(original(*arguments))
        return chosen[-1]

    monkeypatch.setattr(trainer.Trainer, "_updates", choose)
    X = [list(range(3000)) * 2]  # a window has few of the tokens, a minibatch has all
    params = {"max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0}
    losses = [
        RNNEncoder(8, truncate=truncate, **params).fit(X).loss_
        for truncate in (20, None)
    ]
    names = [type(updates).__name__ for updates in chosen]
    assert names == ["SomeRows", "AllWeights"]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


MEMORY = """
import resource, numpy as np
from skrnn import RNNEncoder
rng = np.random.default_rng(0)
X = ["".join(rng.choice(list("abcdefgh"), n)) for n in ({n}, 40, {n} // 2)]
params = dict(ngram_range=(1, 1), max_iter=1, random_state=0, {params})
RNNEncoder(128, **params).fit([x[:100] for x in X])  # what the libraries take
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
encoder = RNNEncoder(128, **params).fit(X)
encoder.transform(X)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert np.isfinite(encoder.W_[0]).all()
print((after - before) / 1024)
"""


@pytest.mark.parametrize(
    "params",
    ["", "truncate=100", "early_stopping=True, validation_fraction=0.4"],
    ids=["by default", "truncated", "with a validation score"],
)
def test_memory_of_long_texts_without_y_is_bounded(params):
    # 60,000 steps of 128 units take 31 MB for each of about 14 arrays.
    script = MEMORY.format(n=40_000, params=params)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 200  # MB
