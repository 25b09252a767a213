"""Sequences with their targets, some of them, and all."""

import numpy as np
import pytest

from skrnn._core.samples import Samples, join_samples
from skrnn._core.sequences import Sequences
from skrnn._core.steps import Steps
from skrnn._reading.token_lists import read_tokens

VALUES = np.arange(6)
OFFSETS = np.array([0, 1, 3, 6])


@pytest.fixture(params=["sequences", "steps"])
def samples(request):
    steps = Sequences("text", VALUES, OFFSETS)
    if request.param == "steps":
        steps = Steps(VALUES, OFFSETS, VALUES)
    return Samples(steps, np.array([5, 6, 7]), np.array([1.0, 2.0, 3.0]), np.arange(3))


def test_all_in_order_need_no_copy(samples):
    assert samples.take(np.arange(3)).steps is samples.steps


def test_all_in_another_order_are_reordered(samples):
    taken = samples.take(np.array([2, 0, 1]))
    assert taken.steps.values.tolist() == [3, 4, 5, 0, 1, 2]
    assert taken.steps.offsets.tolist() == [0, 3, 4, 6]
    assert taken.target.tolist() == [7, 5, 6]
    assert taken.positions.tolist() == [2, 0, 1]
    np.testing.assert_allclose(taken.weight, [1.5, 0.5, 1.0])


def test_weights_of_some_have_a_mean_of_1(samples):
    taken = samples.take(np.array([1, 2]))
    np.testing.assert_allclose(taken.weight, [0.8, 1.2])
    assert taken.steps.values.tolist() == [1, 2, 3, 4, 5]


def test_joined_parts_are_all_samples_again():
    X = [["a", "b"], [], ["c"], ["b", "b", "a"], ["d"], ["c"]]
    read = read_tokens(X)
    for per_step in (False, True):
        n = len(read.values) if per_step else len(read)
        whole = Samples(read, np.arange(n), np.ones(n), np.arange(len(read)), per_step)
        parts = [whole.part(0, 2), whole.part(2, 5), whole.part(5, 6)]
        assert parts[1].target.tolist() == ([2, 3, 4, 5, 6] if per_step else [2, 3, 4])
        joined = join_samples(parts)
        np.testing.assert_array_equal(joined.steps.values, read.values)
        np.testing.assert_array_equal(joined.steps.offsets, read.offsets)
        for name in ("target", "weight", "positions"):
            np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
        assert joined.steps.tokens == ["a", "b", "c", "d"]
        # Of a part, only the tokens that occur are kept.
        assert join_samples(parts[1:]).steps.tokens == ["a", "b", "c", "d"]
        assert join_samples(parts[2:]).steps.tokens == ["c"]
