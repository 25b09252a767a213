"""tanh and sigmoid, for all numbers that there are."""

import math

import numpy as np
import pytest

from skrnn._core import elementwise
from skrnn._core.compiled import compiled

SMALLEST = np.finfo(np.float32).smallest_subnormal


@compiled
def tanh_of(x, y):
    for i in range(len(x)):
        y[i] = elementwise.tanh(x[i])


@compiled
def sigmoid_of(x, y):
    for i in range(len(x)):
        y[i] = elementwise.sigmoid(x[i])


def applied(function, x):
    y = np.full_like(x, 7.0)
    function(x, y)
    return y


def all_magnitudes(dtype=np.float32):
    """Positive numbers from the smallest to the largest, the same number per octave."""
    if dtype == np.float64:
        return np.geomspace(5e-324, 1.7e308, 200_001)
    every = np.arange(1, np.float32(np.inf).view(np.int32), 1009, dtype=np.int32)
    return every.view(np.float32)


def sigmoid(x):
    """In float64, without cancellation."""
    x = x.astype(np.float64)
    decayed = np.exp(-np.minimum(np.abs(x), 700))
    return np.where(x < 0, decayed, 1) / (1 + decayed)


def test_the_relative_error_of_tanh_is_a_few_units_in_the_last_place():
    """3.4e-7, as its page says; denormals have fewer digits."""
    x = all_magnitudes()
    ours, exact = applied(tanh_of, x).astype(float), np.tanh(x.astype(float))
    error = np.abs(ours - exact)
    assert (error <= np.maximum(4e-7 * exact, 2 * float(SMALLEST))).all()
    # Wherever it matters: all numbers of some octaves.
    for power in (-30, -12, -4, -1, 0, 1, 2, 3):
        octave = np.arange(2**23, dtype=np.int32) + np.float32(2.0**power).view("i4")
        x = octave[::7].view(np.float32)
        exact = np.tanh(x.astype(float))
        error = np.abs(applied(tanh_of, x) / exact - 1).max()
        assert error <= 3.7e-7, power


def test_the_error_of_sigmoid_is_that_of_a_number_near_one():
    x = all_magnitudes()
    x = np.concatenate([-x[::-1], [0], x]).astype(np.float32)
    # Half the error of tanh, and the rounding of a number below 1.
    assert np.abs(applied(sigmoid_of, x) - sigmoid(x)).max() < 2e-7


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tanh_is_odd_and_sigmoid_symmetric(dtype):
    x = all_magnitudes(dtype)
    np.testing.assert_array_equal(applied(tanh_of, -x), -applied(tanh_of, x))
    sums = applied(sigmoid_of, x) + applied(sigmoid_of, -x)
    np.testing.assert_allclose(sums, 1, rtol=0, atol=np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_signs_of_zeros_are_kept(dtype):
    y = applied(tanh_of, np.array([0.0, -0.0], dtype))
    assert not y.any() and np.signbit(y).tolist() == [False, True]
    assert applied(sigmoid_of, np.array([0.0, -0.0], dtype)).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_stay_within_their_bounds(dtype):
    """What is left of a state, 1 - h * h, must not be negative."""
    x = all_magnitudes(dtype)
    x = np.concatenate([x, -x, np.linspace(-20, 20, 100_001).astype(dtype)])
    assert np.abs(applied(tanh_of, x)).max() <= 1
    y = applied(sigmoid_of, x)
    assert y.min() >= 0 and y.max() <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_numbers_and_infinities_reach_the_bounds(dtype):
    most = np.finfo(dtype).max
    x = np.array([20.0, 1e4, 1e30, most, np.inf], dtype)
    assert (applied(tanh_of, x) == 1).all() and (applied(tanh_of, -x) == -1).all()
    assert (applied(sigmoid_of, 2 * np.minimum(x, most / 2)) == 1).all()
    assert (applied(sigmoid_of, -x[1:]) == 0).all()
    assert applied(sigmoid_of, x[-1:]) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", [tanh_of, sigmoid_of])
@pytest.mark.parametrize("n", [1, 16, 100])
def test_NaN_stays_NaN(function, dtype, n):
    """Whether one number is computed, or 16 at once."""
    for place in {0, n // 2, n - 1}:
        x = np.linspace(-3, 3, n).astype(dtype)
        x[place] = np.nan
        is_nan = np.isnan(applied(function, x))
        assert is_nan[place] and is_nan.sum() == 1


@pytest.mark.parametrize("function", [tanh_of, sigmoid_of])
def test_larger_numbers_do_not_have_smaller_values(function):
    """But for the last place, in which neighbours may change places."""
    x = np.linspace(-12, 12, 1_000_001).astype(np.float32)
    steps = np.diff(applied(function, x))
    assert steps.min() >= -4 * np.finfo(np.float32).eps


@pytest.mark.parametrize("function", [tanh_of, sigmoid_of])
def test_a_number_does_not_depend_on_its_neighbours(function, rng):
    """Vectors and the rest of a row are computed in the same way, to the bit."""
    x = rng.normal(scale=4, size=200).astype(np.float32)
    together = applied(function, x)
    for first in range(0, 20):
        for n in (1, 3, 15, 16, 17, 33):
            part = x[first : first + n].copy()
            expected = together[first : first + n]
            np.testing.assert_array_equal(applied(function, part), expected)


def test_float64_is_exact():
    x = all_magnitudes(np.float64)
    x = np.concatenate([-x, x, np.linspace(-20, 20, 10_001)])
    exact = np.array([math.tanh(number) for number in x])
    np.testing.assert_allclose(applied(tanh_of, x), exact, rtol=1e-15, atol=0)
    np.testing.assert_allclose(applied(sigmoid_of, x), sigmoid(x), rtol=0, atol=1e-15)


def test_python_computes_the_same():
    for x in (-20.0, -1.0, -1e-3, 0.0, 0.3, 9.0, 20.0):
        assert elementwise.tanh(x) == math.tanh(x)
        assert elementwise.sigmoid(x) == pytest.approx(sigmoid(np.array(x)), abs=1e-15)
        number = np.float32(x)
        for plain, function in [
            (elementwise.tanh, tanh_of),
            (elementwise.sigmoid, sigmoid_of),
        ]:
            ours = applied(function, np.full(3, number))
            assert isinstance(plain(number), np.float32)
            np.testing.assert_allclose(ours, plain(number), rtol=4e-7, atol=1e-7)


@pytest.mark.parametrize("number", [np.float32, np.float64])
@pytest.mark.parametrize("x", [-20.0, -0.3, 0.0, 1e-3, 4.0, 20.0])
def test_python_runs_the_same_lines(x, number):
    x = number(x)
    for function, reference in (
        (elementwise.tanh, math.tanh(x)),
        (elementwise.sigmoid, 1 / (1 + math.exp(-x))),
    ):
        assert function(x) == pytest.approx(reference, rel=4e-7, abs=1e-7)
