"""Products of matrices: right for all shapes and strides, each row on its own."""

import re
import subprocess
import sys

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrnn._core import products
from skrnn._core.compiled import compiled
from skrnn._core.products import multiply

both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64])
added_or_not = pytest.mark.parametrize("is_added", [False, True])
# A tile has up to 8 rows, and 2 or 8 vectors of columns, of up to 16 numbers.
N_ROWS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 40]
N_COLUMNS = sorted(
    {0, 1, 2, 3, 5, 40}
    | {n + d for n in (4, 8, 16, 32, 64, 128) for d in (-1, 0, 1)}
    | {64 + 32 - 1, 64 + 32, 64 + 32 + 1, 128 + 64 + 3, 300}
)
OUTSIDE = 7.0  # what lies around C


def random(rng, shape, dtype):
    return rng.normal(size=shape).astype(dtype)


def inside(array, before=3, after=5):
    """The same numbers as some columns of a wider array."""
    pads = [(0, 0), (before, after)]
    wide = np.pad(array, pads, constant_values=OUTSIDE)
    return wide, wide[:, before : before + array.shape[1]]


def assert_product(A, B, is_added, rng):
    """Against NumPy in float64, with nothing written outside."""
    n, m, p = len(A), A.shape[1], B.shape[1]
    start = random(rng, (n, p), A.dtype)
    wide, C = inside(start if is_added else np.full_like(start, np.nan))
    multiply(A, B, C, is_added)
    size = np.abs(A).astype(float) @ np.abs(B).astype(float)
    expected = A.astype(float) @ B.astype(float)
    if is_added:
        expected, size = expected + start, size + np.abs(start)
    # The worst case of a chain of m sums; see Higham (2002), section 3.1.
    bound = (m + 2) * np.finfo(A.dtype).eps * size
    assert (np.abs(C - expected) <= bound).all()
    assert (wide[:, :3] == OUTSIDE).all() and (wide[:, 3 + p :] == OUTSIDE).all()


@both_types
@added_or_not
@pytest.mark.parametrize("n", range(41))
def test_all_small_shapes(n, dtype, is_added, rng):
    for p in range(41):
        for m in range(41) if p % 7 == n % 7 else (0, 1, 2, 40):
            A, B = random(rng, (n, m), dtype), random(rng, (m, p), dtype)
            assert_product(A, B, is_added, rng)


@both_types
@added_or_not
@pytest.mark.parametrize("n", N_ROWS)
def test_shapes_at_the_borders_of_the_tiles(n, dtype, is_added, rng):
    for m in (0, 1, 2, 33):
        for p in N_COLUMNS:
            A, B = random(rng, (n, m), dtype), random(rng, (m, p), dtype)
            assert_product(A, B, is_added, rng)


def as_is(A):
    return A


def in_order_of_columns(A):
    return np.asfortranarray(A)


def transposed(A):
    return np.ascontiguousarray(A.T).T


def every_third(A):
    wide = np.full((len(A), 3 * A.shape[1]), OUTSIDE, A.dtype)
    wide[:, ::3] = A
    return wide[:, ::3]


def every_second_row(A):
    tall = np.full((2 * len(A), A.shape[1]), OUTSIDE, A.dtype)
    tall[::2] = A
    return tall[::2]


def backwards(A):
    return A[::-1, ::-1].copy()[::-1, ::-1]


def some_columns(A):
    return inside(A)[1]


def repeated_row(A):
    return np.broadcast_to(A[:1], A.shape)


@both_types
@added_or_not
@pytest.mark.parametrize(
    "left",
    [
        as_is,
        in_order_of_columns,
        transposed,
        every_third,
        every_second_row,
        backwards,
        some_columns,
        repeated_row,
    ],
)
@pytest.mark.parametrize("right", [as_is, some_columns, every_second_row, repeated_row])
@pytest.mark.parametrize("shape", [(1, 5, 9), (3, 40, 130), (9, 17, 37), (16, 2, 64)])
def test_any_strides_of_A_and_those_of_the_rows_of_B(
    left, right, shape, dtype, is_added, rng
):
    n, m, p = shape
    A, B = random(rng, (n, m), dtype), random(rng, (m, p), dtype)
    assert_product(left(A), right(B), is_added, rng)
    C, same = np.zeros((n, p), dtype), np.zeros((n, p), dtype)
    multiply(left(A), right(B), C, False)
    multiply(left(A).copy(), right(B).copy(), same, False)
    np.testing.assert_array_equal(C, same)


@both_types
def test_rows_of_C_may_lie_apart(dtype, rng):
    A, B = random(rng, (9, 5), dtype), random(rng, (5, 35), dtype)
    tall = np.full((18, 35), OUTSIDE, dtype)
    multiply(A, B, tall[::2], False)
    np.testing.assert_allclose(tall[::2], A @ B, rtol=1e-4, atol=1e-5)
    assert (tall[1::2] == OUTSIDE).all()


@both_types
@added_or_not
@given(st.integers(1, 40), st.integers(1, 150), st.integers(0, 30), st.data())
def test_a_row_does_not_depend_on_the_other_rows(dtype, is_added, n, p, m, data):
    rng = np.random.default_rng(n * p + m)
    A, B = random(rng, (n, m), dtype), random(rng, (m, p), dtype)
    start = random(rng, (n, p), dtype)
    whole = start.copy()
    multiply(A, B, whole, is_added)
    some = data.draw(st.lists(st.integers(0, n - 1), max_size=20))
    part = start[some]
    multiply(A[some], B, part, is_added)
    np.testing.assert_array_equal(part, whole[some])


@both_types
@pytest.mark.parametrize("p", [1, 5, 16, 33, 64, 70, 128, 200])
def test_each_number_of_rows_gives_the_same_bits(p, dtype, rng):
    A, B = random(rng, (40, 50), dtype), random(rng, (50, p), dtype)
    whole = np.empty((40, p), dtype)
    multiply(A, B, whole, False)
    for n in range(1, 41):
        first, last = np.empty((n, p), dtype), np.empty((n, p), dtype)
        multiply(A[:n], B, first, False)
        multiply(A[-n:], B, last, False)
        np.testing.assert_array_equal(first, whole[:n])
        np.testing.assert_array_equal(last, whole[-n:])


@both_types
def test_a_column_does_not_depend_on_the_other_columns(dtype, rng):
    A, B = random(rng, (9, 50), dtype), random(rng, (50, 200), dtype)
    whole = np.empty((9, 200), dtype)
    multiply(A, B, whole, False)
    for first, stop in [(0, 1), (3, 70), (199, 200), (17, 81), (100, 200)]:
        part = np.empty((9, stop - first), dtype)
        multiply(A, B[:, first:stop], part, False)
        np.testing.assert_array_equal(part, whole[:, first:stop])


@pytest.mark.skipif(not products.IS_COMPILED, reason="nothing is compiled")
@pytest.mark.parametrize("shape", [(1, 4, 130), (3, 4, 40), (9, 4, 33)])
def test_products_and_sums_are_rounded_once(shape):
    """In float32, whose products are exact in float64."""
    n, m, p = shape
    rng = np.random.default_rng(0)
    A, B = random(rng, (n, m), np.float32), random(rng, (m, p), np.float32)
    C = np.empty((n, p), np.float32)
    multiply(A, B, C, False)
    # Of float64, the sum of two float32 products is rounded where that of float32 is
    # not affected, but for ties.
    expected = np.zeros((n, p), np.float32)
    for k in range(m):
        product = A[:, k : k + 1].astype(np.float64) * B[k].astype(np.float64)
        expected = (product + expected).astype(np.float32)
    np.testing.assert_array_equal(C, expected)


@both_types
@added_or_not
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(1, 4, 150), (3, 4, 40), (9, 4, 33), (17, 1, 1)])
def test_NaN_and_infinity_pass_through(shape, value, dtype, is_added):
    """To the entries that they are part of, and to no others."""
    n, m, p = shape
    A, B = np.ones((n, m), dtype), np.ones((m, p), dtype)
    for i in range(n):
        of_a = A.copy()
        of_a[i, m - 1] = value
        C = np.ones((n, p), dtype)
        multiply(of_a, B, C, is_added)
        expected = np.full((n, p), m + is_added, dtype)
        expected[i] = value
        np.testing.assert_array_equal(C, expected)
    for j in range(p):
        of_b = B.copy()
        of_b[0, j] = value
        C = np.ones((n, p), dtype)
        multiply(A, of_b, C, is_added)
        expected = np.full((n, p), m + is_added, dtype)
        expected[:, j] = value
        np.testing.assert_array_equal(C, expected)


@both_types
def test_zero_times_infinity_is_NaN(dtype):
    A, B = np.zeros((9, 3), dtype), np.full((3, 40), np.inf, dtype)
    C = np.zeros((9, 40), dtype)
    multiply(A, B, C, False)
    assert np.isnan(C).all()


@both_types
@pytest.mark.parametrize("n", [1, 3, 9])
def test_what_was_in_C_does_not_matter_unless_it_is_added(n, dtype):
    A, B = np.ones((n, 3), dtype), np.ones((3, 150), dtype)
    for value in (np.nan, np.inf):
        C = np.full((n, 150), value, dtype)
        multiply(A, B, C, False)
        assert (C == 3).all()
        C = np.full((n, 150), value, dtype)
        multiply(A[:, :0], B[:0], C, False)
        assert not C.any()
        C = np.full((n, 150), 2.0, dtype)
        multiply(A[:, :0], B[:0], C, True)
        assert (C == 2).all()


AT_THE_END = """
import ctypes, mmap
import numpy as np
from skrnn._core.products import multiply

memory = mmap.mmap(-1, 64 * mmap.PAGESIZE)
forbidden = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + 32 * mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
assert libc.mprotect(ctypes.c_void_p(forbidden), mmap.PAGESIZE, 0) == 0

def at_the_end(n, p, dtype):
    whole = np.frombuffer(memory, dtype, 32 * mmap.PAGESIZE // np.dtype(dtype).itemsize)
    return whole[len(whole) - n * p :].reshape(n, p)

for dtype in (np.float32, np.float64):
    for n in (1, 2, 9):
        A = np.ones((n, 3), dtype)
        for p in (1, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 127, 129, 130):
            for is_added in (False, True):
                C = at_the_end(n, p, dtype)
                C[:] = 1
                multiply(A, np.ones((3, p), dtype), C, is_added)
                assert (C == 3 + is_added).all()
                B, C = at_the_end(3, p, dtype), np.ones((n, p), dtype)
                B[:] = 2
                multiply(A, B, C, is_added)
                assert (C == 6 + is_added).all()
        A = at_the_end(n, 3, dtype)
        A[:] = 1
        C = np.empty((n, 40), dtype)
        multiply(A, np.ones((3, 40), dtype), C, False)
        assert (C == 3).all()
print("done")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no mprotect here")
def test_nothing_beyond_the_end_of_a_matrix_is_touched():
    """Where the memory ends, a process that reads on ends too."""
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END], capture_output=True, text=True
    )
    assert done.stdout == "done\n", done.stderr or done.returncode


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


def read_only(array):
    array.flags.writeable = False
    return array


OF_ONE_TYPE = (
    "but the matrices of a product have to be all float32, or all float64. Convert "
    "them with astype."
)
SHAPES = "but the shapes of a product have to be (n, m), (m, p) and (n, p)."
CONTIGUOUS = "but they have to be contiguous, 4 bytes apart. Use np.ascontiguousarray("
A, B, C = ones(2, 3), ones(3, 4), ones(2, 4)
WRONG = {
    "type of A": ((A.astype(float), B, C), TypeError, OF_ONE_TYPE),
    "type of B": ((A, B.astype(float), C), TypeError, OF_ONE_TYPE),
    "type of C": ((A, B, C.astype(float)), TypeError, OF_ONE_TYPE),
    "integers": ([part.astype(int) for part in (A, B, C)], TypeError, OF_ONE_TYPE),
    "halves": ([part.astype("f2") for part in (A, B, C)], TypeError, OF_ONE_TYPE),
    "rows of B": ((A, ones(4, 4), C), ValueError, SHAPES),
    "no rows of B": ((A, ones(0, 4), C), ValueError, SHAPES),
    "one row of B": ((A, ones(1, 4), C), ValueError, SHAPES),
    "B transposed": ((A, ones(4, 3), C), ValueError, SHAPES),
    "rows of C": ((A, B, ones(1, 4)), ValueError, SHAPES),
    "more rows of C": ((A, B, ones(3, 4)), ValueError, SHAPES),
    "columns of C": ((A, B, ones(2, 3)), ValueError, SHAPES),
    "more columns of C": ((A, B, ones(2, 5)), ValueError, SHAPES),
    "vector A": ((ones(3), B, C), ValueError, SHAPES),
    "vector B": ((A, ones(3), C), ValueError, SHAPES),
    "vector C": ((A, B, ones(4)), ValueError, SHAPES),
    "more dimensions": ((ones(1, 2, 3), B, C), ValueError, SHAPES),
    "transposed B": ((A, ones(4, 3).T, C), ValueError, f"{CONTIGUOUS}B)."),
    "transposed C": ((A, B, ones(4, 2).T), ValueError, f"{CONTIGUOUS}C)."),
    "gaps in B": ((A, ones(3, 8)[:, ::2], C), ValueError, f"{CONTIGUOUS}B)."),
    "gaps in C": ((A, B, ones(2, 8)[:, ::2]), ValueError, f"{CONTIGUOUS}C)."),
    "B backwards": ((A, B[:, ::-1], C), ValueError, f"{CONTIGUOUS}B)."),
    "repeated column of B": (
        (A, np.broadcast_to(ones(3, 1), (3, 4)), C),
        ValueError,
        f"{CONTIGUOUS}B).",
    ),
    "read-only C": (
        (A, B, read_only(ones(2, 4))),
        ValueError,
        "C is read-only, but the product is written to it. Copy it.",
    ),
}


@added_or_not
@pytest.mark.parametrize("wrong", WRONG)
def test_matrices_without_a_product_are_refused(wrong, is_added):
    """By Python, which is to refuse the same calls where nothing is compiled."""
    matrices, error, message = WRONG[wrong]
    before = matrices[2].copy()
    with pytest.raises(error, match=f"{re.escape(message)}$"):
        multiply(*matrices, is_added)
    np.testing.assert_array_equal(matrices[2], before)


def test_where_columns_begin_does_not_matter_if_there_is_only_one(rng):
    A, B = random(rng, (5, 3), np.float32), random(rng, (3, 7), np.float32)
    for j in range(7):
        whole = np.zeros((5, 7), np.float32)
        multiply(A, B[:, j : j + 1], whole[:, j : j + 1], False)
        multiply(A, B.T[j : j + 1].T, whole.T[j : j + 1].T, True)
        np.testing.assert_allclose(whole[:, j], 2 * (A @ B[:, j]), rtol=1e-5)
        assert not np.delete(whole, j, axis=1).any()


@compiled
def multiply_in_compiled_code(A, B, C):
    multiply(A, B, C, False)


def test_compiled_code_multiplies_alike(rng):
    A, B = random(rng, (9, 3), np.float32), random(rng, (3, 7), np.float32)
    ours, theirs = np.empty((2, 9, 7), np.float32)
    multiply(A, B, ours, False)
    multiply_in_compiled_code(A, B, theirs)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.skipif(not products.IS_COMPILED, reason="nothing is compiled")
@pytest.mark.parametrize("odd", range(3))
def test_compiled_code_refuses_matrices_of_different_types(odd):
    matrices = [ones(2, 2), ones(2, 2), ones(2, 2)]
    matrices[odd] = matrices[odd].astype(np.float64)
    with pytest.raises(numba.TypingError, match="of one type"):
        multiply_in_compiled_code(*matrices)
