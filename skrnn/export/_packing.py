"""Arrays as text, for a page that unpacks them.

The bytes of an array are ordered by their place in a number, since those of one place
are alike; they are then compressed by zlib, and written in base64.
"""

import base64
import math
import zlib

import numpy as np

# Numbers of large tables are rounded to multiples of a power of 2: the largest one that
# is at most this one, and at most this share of their standard deviation. Of 3,000
# surnames, a default model rounded so changes probabilities by up to 2e-6, and hidden
# states by up to 7e-6; steps twice as large change these by 1.6e-5.
_STEP, _SHARE = 2.0**-19, 2.0**-16
_LARGE = 2**16  # as a number of numbers


def pack(array):
    """An array of floats or integers, as float32 or int32.

    Parameters
    ----------
    array : ndarray

    Returns
    -------
    packed : dict
        ``type``, ``shape`` and ``data``, a string; what JSON can hold.
    """
    if array.dtype.kind == "f":
        return _packed("float32", array, np.ascontiguousarray(array, "<f4"))
    return _packed("int32", array, _zigzag(array))


def pack_rounded(table):
    """A table of floats, rounded if it is large: to 2.4 bytes per number, not 3.7.

    Parameters
    ----------
    table : ndarray of float32

    Returns
    -------
    packed : dict
        As that of :func:`pack`; of a rounded table with the ``step`` to multiply by.
    """
    deviation = float(np.std(table, dtype=np.float64))
    if table.size < _LARGE or deviation == 0:
        return pack(table)
    step = min(_STEP, 2.0 ** math.floor(math.log2(deviation * _SHARE)))
    if np.abs(table).max() >= 2**30 * step:  # as far as int32 reaches
        return pack(table)
    return {**_packed("rounded", table, _zigzag(np.rint(table / step))), "step": step}


def _zigzag(array):
    """Integers as 0, -1, 1, -2, ..., so that those of small ones are small bytes."""
    array = np.ascontiguousarray(array, "<i4")
    return (array << 1) ^ (array >> 31)


def _packed(kind, array, numbers):
    planes = numbers.reshape(-1, 1).view(np.uint8).T
    data = base64.b64encode(zlib.compress(planes.tobytes()))
    return {"type": kind, "shape": list(array.shape), "data": data.decode()}
