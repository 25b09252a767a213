"""Functions of one number, which the cells apply to each unit."""

import math

import numpy as np
from numba import types
from numba.extending import overload

# tanh(x) = x P(x^2) / Q(x^2) for |x| <= 9.02, where float32 rounds tanh to 1. The
# relative error is at most 3.4e-7, three units in the last place. The coefficients
# are a least squares fit of P - Q tanh(x) / x, weighted again and again until the
# largest relative errors are equal (Lawson's method). Other than the tanh of the C
# library, it consists of products and sums, which one instruction computes for 8 or 16
# units.
_P = (
    0.99999997919455,
    0.13379672137920026,
    0.0034939793939607125,
    2.0582558172031992e-05,
    1.3317790309250237e-08,
)
_Q = (
    1.0,
    0.46712987445848847,
    0.025870865121450638,
    0.00032830017736592664,
    7.761494162324922e-07,
)
_P0, _P1, _P2, _P3, _P4 = map(np.float32, _P)
_Q0, _Q1, _Q2, _Q3, _Q4 = map(np.float32, _Q)
_MOST, _ONE, _HALF = np.float32(9.02), np.float32(1), np.float32(0.5)


def tanh(x):
    """tanh(x) in the precision of x, float32 or float64; NaN stays NaN."""
    return math.tanh(x) if isinstance(x, float) else _tanh_of_float32(x)


def sigmoid(x):
    """The logistic function, 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2."""
    return _sigmoid(x) if isinstance(x, float) else _sigmoid_of_float32(x)


def _tanh_of_float32(x):
    x = _MOST if x > _MOST else x
    x = -_MOST if x < -_MOST else x
    z = x * x
    p = (((_P4 * z + _P3) * z + _P2) * z + _P1) * z + _P0
    q = (((_Q4 * z + _Q3) * z + _Q2) * z + _Q1) * z + _Q0
    y = x * p / q
    y = _ONE if y > _ONE else y
    return -_ONE if y < -_ONE else y


def _sigmoid_of_float32(x):
    return _HALF + _HALF * tanh(_HALF * x)


def _sigmoid(x):
    return 0.5 + 0.5 * math.tanh(0.5 * x)


@overload(tanh, jit_options={"fastmath": {"contract"}})
def _tanh_overload(x):
    return _tanh_of_float32 if x == types.float32 else lambda x: math.tanh(x)


@overload(sigmoid, jit_options={"fastmath": {"contract"}})
def _sigmoid_overload(x):
    return _sigmoid_of_float32 if x == types.float32 else _sigmoid
