"""Reading step by step, and drawing: held against reading at once, and enumeration."""

import numpy as np
import pytest
from networks import ARCHITECTURES, N_INPUTS, N_OUTPUTS
from test_windows import NAMES, per_step

from skrnn._core import encode
from skrnn._core.execution import CPU
from skrnn._core.generate import (
    StepByStep,
    draw,
    log_probabilities,
    probabilities,
)
from skrnn._core.output import output_scores
from skrnn._core.updates.drop_connect import DropConnect


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_token", [True, False])
def test_step_by_step_is_as_at_once(name, is_token, rng):
    weights = per_step(name)
    n, n_steps = 5, 9
    x = rng.normal(size=(n, n_steps, N_INPUTS))
    if is_token:
        x = rng.integers(0, N_INPUTS, (n, n_steps)).astype(np.int32)
    offsets = n_steps * np.arange(n + 1)
    expected = np.zeros((n * n_steps, ARCHITECTURES[name].nhidden[-1]))
    values = x.reshape(-1, *x.shape[2:])
    encode.use_states_of_all_steps(weights, values, offsets, expected.__setitem__)
    expected = expected.reshape(n, n_steps, -1)
    steps = StepByStep(weights, n)
    for t in range(n_steps):
        steps.read(np.ascontiguousarray(x[:, t]))
        np.testing.assert_array_equal(steps.h, expected[:, t])
    scores = output_scores(weights.V.numpy(), weights.c.numpy(), steps.h.copy())
    np.testing.assert_array_equal(steps.scores(), scores)
    assert scores.shape == (n, N_OUTPUTS)


def test_some_sequences_go_on(rng):
    weights = per_step("lstm-2-1-last")
    x = rng.integers(0, N_INPUTS, (4, 3)).astype(np.int32)
    whole, some = StepByStep(weights, 3), StepByStep(weights, 3)
    for step in x[:2]:
        whole.read(step)
        some.read(step)
    some.take(np.array([2, 0, 2]))
    whole.read(x[2])
    some.read(x[2][[2, 0, 2]])
    np.testing.assert_array_equal(some.h, whole.h[[2, 0, 2]])


def test_probabilities_are_the_softmax(rng):
    scores = rng.normal(size=(6, 5)).astype(np.float32)
    for temperature in (0.5, 1.0, 3.0):
        p = np.exp(scores.astype(float) / temperature)
        p /= p.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(probabilities(scores, temperature), p, rtol=1e-12)
    np.testing.assert_allclose(
        np.exp(log_probabilities(scores)), probabilities(scores), rtol=1e-12
    )
    for cold in (0, 1e-300, 1e-3):
        p = probabilities(scores, cold)
        np.testing.assert_array_equal(p.argmax(axis=1), scores.argmax(axis=1))
        np.testing.assert_array_equal(p.max(axis=1), 1)
    scores[:, 1] = -np.inf
    assert (probabilities(scores)[:, 1] == 0).all()


@pytest.mark.parametrize("top_k", [None, 1, 2, 3, 9])
@pytest.mark.parametrize("top_p", [None, 1e-9, 0.3, 0.5, 0.95, 1.0])
def test_only_likely_ones_are_left(top_k, top_p, rng):
    """By hand: the largest, one by one, until there are enough of them."""
    scores = rng.normal(size=(20, 6))
    ours = probabilities(scores, top_k=top_k, top_p=top_p)
    for row, given in zip(ours, probabilities(scores), strict=True):
        order = sorted(range(6), key=lambda i: -given[i])[: top_k or 6]
        kept, total, of_all = [], 0.0, sum(given[i] for i in order)
        for i in order:
            if total >= (top_p or 2):
                break
            kept.append(i)
            total += given[i] / of_all
        expected = np.zeros(6)
        expected[kept] = given[kept] / given[kept].sum()
        np.testing.assert_allclose(row, expected, rtol=1e-12)


def test_draws_are_of_the_places_where_the_numbers_fall():
    p = np.array([[0.25, 0.0, 0.5, 0.25]] * 6)
    uniform = np.array([0.0, 0.2499, 0.25, 0.7499, 0.75, np.nextafter(1, 0)])
    assert draw(p, uniform).tolist() == [0, 0, 2, 2, 3, 3]
    nothing_first = np.array([[0.0, 1.0, 0.0]])
    for number in (0.0, np.nextafter(1, 0)):
        assert draw(nothing_first, np.array([number])).tolist() == [1]


class Recorder:
    """Updates that keep what they are given, in place of those of Adam."""

    def __init__(self, weights):
        self.weights, self.gradient = weights, None

    def local(self, batches):
        return self.weights, batches

    def update(self, gradient, *_):
        self.gradient = gradient.clone()


@pytest.mark.parametrize("name", ["gru-2-1-last", "lstm-1-1-last"])
def test_dropped_connections_have_no_gradient_and_come_back(name):
    weights = per_step(name)
    before, recorder = weights.flat.clone(), Recorder(weights)
    updates = DropConnect(recorder, 0.4, CPU.generator(0), CPU)
    batch = object()
    masks = []
    for _ in range(2):
        local, batches = updates.local([batch])
        assert batches == [batch]
        changed = [
            layer.W / W
            for layer, W in zip(local.all_layers(), _W_in(weights, before), strict=True)
        ]
        masks.append(changed)
        factors = {round(float(f), 5) for mask in changed for f in mask.unique()}
        assert factors == {0.0, round(1 / 0.6, 5)}
        gradient = before.new_ones(len(before))
        updates.update(gradient, 1, 0.1, None)
        assert (weights.flat == before).all()
        for dW, mask in zip(_W_in(weights, recorder.gradient), changed, strict=True):
            np.testing.assert_allclose(dW, mask, rtol=1e-5)
        n_others = len(before) - sum(mask.numel() for mask in changed)
        assert int((recorder.gradient == 1).sum()) == n_others
    assert any((a != b).any() for a, b in zip(*masks, strict=True))


def _W_in(weights, flat):
    """The parts of a flat tensor that are W, by layer."""
    places = [layer.W.storage_offset() for layer in weights.all_layers()]
    shapes = [layer.W.shape for layer in weights.all_layers()]
    return [
        flat[i : i + shape.numel()].view(shape)
        for i, shape in zip(places, shapes, strict=True)
    ]
