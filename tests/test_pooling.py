"""What the gradient tests do not see of pooling: equal values, NaN, parts, weights."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from networks import (
    LABELS,
    LENGTHS,
    N_INPUTS,
    N_OUTPUTS,
    as_read,
    loss_and_gradient,
    packed,
    random_inputs,
    random_weights,
    slope_along,
)

from skrnn._core import encode, pooling
from skrnn._core.architecture import Architecture
from skrnn._core.layout import Layout
from skrnn._core.memory import Scratch
from skrnn._core.weights import zeros

POOLINGS = [name for name in pooling.POOLINGS if name != "none"]
every_pooling = pytest.mark.parametrize("name", POOLINGS)
# Two sequences of three steps and one, of two units, in packed order.
SIZES, N_STEPS = np.array([2, 1, 1]), np.array([3, 1])
H = np.array([[1.0, 0.0], [5.0, 1.0], [1.0, 2.0], [0.5, 2.0]], np.float32)


def pooled(name, H, sizes=SIZES, lengths=N_STEPS):
    gathered = pooling.nothing(name, len(lengths), H.shape[1], H.dtype)
    pooling.gather(name, H, sizes, gathered)
    return gathered, pooling.finish(name, gathered, lengths, H.shape[1])


def gradients(name, dh, H, gathered, sizes=SIZES, lengths=N_STEPS):
    of = dh, H, sizes, gathered, lengths, Scratch(H.dtype)
    return pooling.spread(name, *of)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("last", [[0.5, 2.0], [5.0, 1.0]]),
        ("mean", [[2.5 / 3, 4 / 3], [5.0, 1.0]]),
        ("max", [[1.0, 2.0], [5.0, 1.0]]),
        ("concat", [[0.5, 2.0, 1.0, 2.0], [5.0, 1.0, 5.0, 1.0]]),
        ("sum", [[1.5, 4.0], [10.0, 2.0]]),
    ],
)
def test_pooled_vectors_by_hand(name, expected):
    _, h = pooled(name, H)
    np.testing.assert_allclose(h, expected, rtol=1e-6)
    assert h.dtype == H.dtype


@pytest.mark.parametrize("name", ["max", "concat", "sum"])
def test_of_equal_largest_values_the_first_has_the_gradient(name):
    dh = np.array([[3.0, 4.0], [5.0, 6.0]], np.float32)
    if name == "concat":
        dh = np.concatenate([np.ones_like(dh), dh], axis=1)
    given = dh.copy()
    gathered, _ = pooled(name, H)
    dlast, dH = gradients(name, dh, H, gathered)
    assert dH.tolist() == [[3.0, 0.0], [5.0, 6.0], [0.0, 4.0], [0.0, 0.0]]
    assert (
        dlast.tolist()
        == {
            "max": [[0.0, 0.0], [0.0, 0.0]],
            "concat": [[1.0, 1.0], [1.0, 1.0]],
            "sum": [[3.0, 4.0], [5.0, 6.0]],
        }[name]
    )
    np.testing.assert_array_equal(dh, given)  # the caller may go on with it


@every_pooling
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_way_back_equals_central_differences(name, dtype):
    rng = np.random.default_rng(0)  # its own: some numbers have two largest values
    sizes, lengths = packed().batch_sizes, packed().lengths
    states = rng.normal(size=(LENGTHS.sum(), 3)).astype(dtype)
    gathered, h = pooled(name, states, sizes, lengths)
    dh = rng.normal(size=h.shape).astype(dtype)
    dlast, dH = gradients(name, dh, states, gathered, sizes, lengths)
    total = np.zeros(states.shape)
    total[: len(dH)] += dH
    at = (np.cumsum(sizes) - sizes)[lengths - 1] + np.arange(len(lengths))
    total[at] += dlast
    for i in np.ndindex(states.shape):
        values = []
        for step in (1e-3, -1e-3):
            moved = states.astype(np.float64)
            moved[i] += step
            values.append((pooled(name, moved, sizes, lengths)[1] * dh).sum())
        slope = (values[0] - values[1]) / 2e-3
        assert total[i] == pytest.approx(slope, rel=1e-4, abs=1e-6)


@every_pooling
@pytest.mark.parametrize("cuts", [[1], [2, 3], [1, 2, 3, 4, 5, 6], [6]])
def test_steps_may_be_gathered_in_parts(name, cuts, rng):
    """To the bit, which predictions rely on."""
    packing = packed()
    states = rng.normal(size=(LENGTHS.sum(), 5)).astype(np.float32)
    whole, expected = pooled(name, states, packing.batch_sizes, packing.lengths)
    gathered = pooling.nothing(name, len(LENGTHS), 5, states.dtype)
    for rows, window in packing.windows([0, *cuts]):
        pooling.gather(name, states[rows], window.batch_sizes, gathered)
    np.testing.assert_array_equal(gathered, whole)
    h = pooling.finish(name, gathered, packing.lengths, 5)
    np.testing.assert_array_equal(h, expected)


@every_pooling
@pytest.mark.parametrize("row", range(4))
def test_NaN_does_not_get_lost(name, row):
    broken = H.copy()
    broken[row, 0] = np.nan
    _, h = pooled(name, broken)
    sequence = 1 if row == 1 else 0
    if name == "last" and row not in (1, 3):
        assert not np.isnan(h).any()
    else:
        assert np.isnan(h[sequence]).any()
    assert not np.isnan(h[1 - sequence]).any()


@every_pooling
def test_values_of_minus_infinity_are_values(name):
    _, h = pooled(name, np.full_like(H, -np.inf))
    assert (h == -np.inf).all()


@every_pooling
def test_no_sequence_is_pooled_to_nothing(name):
    none = np.zeros(1, dtype=np.int64)
    gathered, h = pooled(name, H[:0], none, none[:0])
    assert h.shape == (0, pooling.width(name, 2))
    dlast, dH = gradients(name, h, H[:0], gathered, none, none[:0])
    assert dlast.shape == (0, 2) and dH.shape == (0, 2)


# A pooling with its own weights: h = w * (h_1 + ... + h_T), entry by entry


def gather_weighted(H, sizes, gathered, w):
    for row, i in zip(H, sequences_of(sizes), strict=True):
        gathered[i] += w * row


def finish_weighted(gathered, lengths, h):
    h[:] = gathered


def spread_weighted(dh, H, sizes, gathered, lengths, dlast, dH, w, dw):
    dlast[:] = 0
    for row, i in enumerate(sequences_of(sizes)):
        dH[row] = dh[i] * w
        dw += dh[i] * H[row]


def sequences_of(sizes):
    return np.concatenate([np.arange(size) for size in sizes])


@pytest.fixture
def weighted(monkeypatch):
    """Its name."""
    page = ModuleType(f"{pooling.__name__}.weighted")
    page.width = page.gathered_width = lambda nhidden: nhidden
    page.START, page.IS_LAST_ONLY = 0.0, False
    page.weights_of = lambda nhidden: (("factors", (nhidden,)),)
    page.gather, page.finish = gather_weighted, finish_weighted
    page.spread = spread_weighted
    monkeypatch.setitem(sys.modules, page.__name__, page)
    monkeypatch.setattr(pooling, "POOLINGS", (*pooling.POOLINGS, "weighted"))
    yield "weighted"
    pooling.page_of.cache_clear()  # which remembers the page


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("nhidden", [(5,), (4, 5)])
def test_weights_of_a_pooling_are_trained_and_used(weighted, nhidden, bidirectional):
    like = {"bidirectional": bidirectional, "pooling": weighted}
    weights, values = random_weights(Architecture(nhidden, **like)), random_inputs(True)
    ones = torch.ones(len(LENGTHS), dtype=torch.float64)
    of = values, "cross_entropy", LABELS, ones
    _, gradient = loss_and_gradient(weights, *of)
    assert gradient.others["factors"].all()
    for seed in range(5):
        direction = torch.randn(
            len(weights.flat),
            generator=torch.Generator().manual_seed(seed),
            dtype=torch.float64,
        )
        slope = slope_along(
            direction, weights, lambda: loss_and_gradient(weights, *of)[0]
        )
        along = (gradient.flat @ direction).item()
        assert along == pytest.approx(slope, rel=1e-5, abs=1e-7)
    # With factors of 1 / T, it is the mean.
    n_steps = np.array([0, 3])
    for part in weights.of_pooling:
        part.fill_(1 / 3)
    architecture = Architecture(nhidden, bidirectional=bidirectional, pooling="mean")
    mean = zeros(Layout(architecture, N_INPUTS, N_OUTPUTS), torch.float64)
    for ours, theirs in zip(mean.all_layers(), weights.all_layers(), strict=True):
        for name in ("U", "W", "b"):
            getattr(ours, name).copy_(getattr(theirs, name))
    x = as_read(values)[:3]
    np.testing.assert_allclose(
        encode.encode(weights, x, n_steps), encode.encode(mean, x, n_steps), rtol=1e-12
    )
