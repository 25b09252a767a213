"""Matrix products in which no row depends on the other rows.

A product of matrices is computed tile by tile: a few rows of A times one or two vectors
of columns of B, with the sums in registers. Each entry is one chain of
``sum = sum + A[i, k] * B[k, j]`` over k, whatever the tile that it is in, and so is the
same, to the last bit, for any number of rows. A BLAS library promises nothing of
the kind, and counts its threads for the whole process.

The innermost loop is written in LLVM's language, since compilers do not keep an array
of sums in registers.
"""

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils, imputils
from numba.core.errors import TypingError
from numba.extending import intrinsic, overload

from skrnn._core import rows
from skrnn._core.compiled import IS_COMPILED, compiled

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


def _vector_bytes():
    """The size of the widest vectors of this processor."""
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") else 16


_VECTOR_BYTES = _vector_bytes()
# Rows of the largest tile, which has two vectors of columns: its sums, the two vectors
# and one number of A have to fit into the registers, 32 with AVX-512, 16 with AVX2.
_TALL = 8 if _VECTOR_BYTES == 64 else 4
# Vectors of columns in the tile of a single row. Each sum waits for the previous one,
# so that several have to be under way.
_WIDE = 8
# Number of rows of B that are read for all of C before the next ones are: with the same
# columns of A, they should stay in the cache of a core.
_DEPTH = 256


class _Matrix:
    """The parts of a two-dimensional array of compiled code.

    Attributes
    ----------
    entry : llvmlite.ir.Type
        float or double.
    shape, strides : list of 2 llvmlite.ir.Values
        Strides in bytes.
    """

    def __init__(self, context, builder, kind, value):
        array = context.make_array(kind)(context, builder, value)
        self._builder = builder
        self._start = builder.ptrtoint(array.data, _INT64)
        self.entry = context.get_data_type(kind.dtype)
        self.shape = cgutils.unpack_tuple(builder, array.shape, 2)
        self.strides = cgutils.unpack_tuple(builder, array.strides, 2)

    def address(self, i, j):
        """The address of entry (i, j), as an integer."""
        add, mul = self._builder.add, self._builder.mul
        row = add(self._start, mul(i, self.strides[0]))
        return add(row, mul(j, self.strides[1]))


class _Tile:
    """Operations on the vectors of a tile.

    Parameters
    ----------
    builder : llvmlite.ir.IRBuilder
    entry : llvmlite.ir.Type
        float or double.
    n_columns : llvmlite.ir.Value or None
        How many columns to read and write; None for all that the vectors have.
    """

    def __init__(self, builder, entry, n_columns):
        self._builder, self._entry, self._n_columns = builder, entry, n_columns
        self._size = 8 if isinstance(entry, ir.DoubleType) else 4
        self._lanes = _VECTOR_BYTES // self._size
        self.vector = ir.VectorType(entry, self._lanes)
        self.zeros = ir.Constant(self.vector, [0.0] * self._lanes)

    def load(self, row, v):
        """Read vector `v` of the row that begins at an address."""
        pointer = self._pointer(row, v)
        if self._n_columns is None:
            return self._builder.load(pointer, align=self._size)
        mask = self._mask(v)
        arguments = [pointer, _INT32(self._size), mask, self.zeros]
        return self._call("llvm.masked.load", self.vector, arguments, ".p0")

    def store(self, value, row, v):
        """Write vector `v` of the row that begins at an address."""
        pointer = self._pointer(row, v)
        if self._n_columns is None:
            self._builder.store(value, pointer, align=self._size)
            return
        arguments = [value, pointer, _INT32(self._size), self._mask(v)]
        self._call("llvm.masked.store", ir.VoidType(), arguments, ".p0")

    def repeated(self, address):
        """Read one number into all entries of a vector."""
        pointer = self._builder.inttoptr(address, self._entry.as_pointer())
        return self._in_all(self._builder.load(pointer), self.vector)

    def fused(self, a, b, c):
        """``a * b + c``, rounded once where the processor has an instruction for it."""
        return self._call("llvm.fmuladd", self.vector, [a, b, c])

    def _pointer(self, row, v):
        address = self._builder.add(row, _INT64(v * _VECTOR_BYTES))
        return self._builder.inttoptr(address, self.vector.as_pointer())

    def _mask(self, v):
        """Whether each column of vector `v` is to be read and written."""
        numbers = ir.VectorType(_INT64, self._lanes)
        first = v * self._lanes
        column = ir.Constant(numbers, list(range(first, first + self._lanes)))
        limit = self._in_all(self._n_columns, numbers)
        return self._builder.icmp_signed("<", column, limit)

    def _in_all(self, number, vector):
        unknown = ir.Constant(vector, ir.Undefined)
        one = self._builder.insert_element(unknown, number, _INT32(0))
        places = ir.Constant(ir.VectorType(_INT32, self._lanes), [0] * self._lanes)
        return self._builder.shuffle_vector(one, unknown, places)

    def _call(self, name, result, arguments, suffix=""):
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        name = f"{name}.v{self._lanes}f{8 * self._size}{suffix}"
        function = cgutils.get_or_insert_function(self._builder.module, kind, name)
        return self._builder.call(function, arguments)


def _tile(n_rows, n_vectors, is_masked=False):
    """Make a function of compiled code that computes one tile of a product.

    ``compute(A, B, C, i, j, is_added)`` is for the tile of C whose first entry is
    ``C[i, j]``. With `is_masked`, it may have fewer columns than the vectors.
    """
    rows, columns = range(n_rows), range(n_vectors)

    def generate(context, builder, signature, arguments):
        A, B, C = map(_Matrix, [context] * 3, [builder] * 3, signature.args, arguments)
        i, j, is_added = arguments[3:]
        n_columns = builder.sub(B.shape[1], j) if is_masked else None
        tile = _Tile(builder, A.entry, n_columns)
        c_rows = [C.address(builder.add(i, _INT64(r)), j) for r in rows]
        a_rows = [A.address(builder.add(i, _INT64(r)), _INT64(0)) for r in rows]
        b = B.address(_INT64(0), j)
        names = ("read", "start", "loop", "end")
        read, start, loop, end = map(builder.append_basic_block, names)

        # The sums start at C or at 0.
        entry = builder.block
        builder.cbranch(is_added, read, start)
        builder.position_at_end(read)
        present = [[tile.load(c, v) for v in columns] for c in c_rows]
        builder.branch(start)
        builder.position_at_end(start)
        first = [[builder.phi(tile.vector) for _ in columns] for _ in rows]
        for r in rows:
            for v in columns:
                first[r][v].add_incoming(tile.zeros, entry)
                first[r][v].add_incoming(present[r][v], read)
        builder.branch(loop)

        builder.position_at_end(loop)
        k = builder.phi(_INT64)
        sums = [[builder.phi(tile.vector) for _ in columns] for _ in rows]
        b_k = builder.add(b, builder.mul(k, B.strides[0]))
        right = [tile.load(b_k, v) for v in columns]
        a_k = builder.mul(k, A.strides[1])
        after = builder.add(k, _INT64(1))
        k.add_incoming(_INT64(0), start)
        k.add_incoming(after, loop)
        last = []
        for r in rows:
            left = tile.repeated(builder.add(a_rows[r], a_k))
            last.append([tile.fused(left, right[v], sums[r][v]) for v in columns])
            for v in columns:
                sums[r][v].add_incoming(first[r][v], start)
                sums[r][v].add_incoming(last[r][v], loop)
        goes_on = builder.icmp_signed("<", after, B.shape[0])
        builder.cbranch(goes_on, loop, end)

        builder.position_at_end(end)
        for r in rows:
            for v in columns:
                tile.store(last[r][v], c_rows[r], v)
        return context.get_dummy_value()

    @intrinsic
    def compute(context, A, B, C, i, j, is_added):
        if not A.dtype == B.dtype == C.dtype:
            raise TypingError("The matrices of a product have to be of one type.")
        return types.void(A, B, C, types.intp, types.intp, types.boolean), generate

    return compute


_tall, _short, _row = _tile(_TALL, 2), _tile(2, 2), _tile(1, 2)
_wide = _tile(1, _WIDE)
_tall_rest, _row_rest = _tile(_TALL, 2, is_masked=True), _tile(1, 2, is_masked=True)


@compiled
def _multiply(A, B, C, is_added):
    """As :func:`multiply`, without checks."""
    m = A.shape[1]
    if m == 0 and not is_added:
        rows.clear_all(C)
    first = 0
    while first < m:  # each sum goes on where it was left
        end = min(first + _DEPTH, m)
        _multiply_part(A[:, first:end], B[first:end], C, is_added or first > 0)
        first = end


@compiled
def _multiply_part(A, B, C, is_added):
    """As :func:`multiply`, without checks, for inner dimensions that are not 0."""
    n, p = len(A), B.shape[1]
    width = 2 * (_VECTOR_BYTES // C.itemsize)
    j = 0
    if n < _TALL:
        while j + _WIDE // 2 * width <= p:
            for i in range(n):
                _wide(A, B, C, i, j, is_added)
            j += _WIDE // 2 * width
    while j + width <= p:
        i = 0
        while i + _TALL <= n:
            _tall(A, B, C, i, j, is_added)
            i += _TALL
        while i + 2 <= n:
            _short(A, B, C, i, j, is_added)
            i += 2
        if i < n:
            _row(A, B, C, i, j, is_added)
        j += width
    if j < p:
        i = 0
        while i + _TALL <= n:
            _tall_rest(A, B, C, i, j, is_added)
            i += _TALL
        while i < n:
            _row_rest(A, B, C, i, j, is_added)
            i += 1


def _multiply_with_numpy(A, B, C, is_added):
    """As :func:`_multiply`, for Python, which cannot run a tile."""
    C[:] = C + A @ B if is_added else A @ B


_unchecked = _multiply if IS_COMPILED else _multiply_with_numpy


def multiply(A, B, C, is_added):
    """Write the product A B into C, or add it to C.

    Compiled code that calls it is trusted, and nothing is checked there.

    Parameters
    ----------
    A : ndarray of shape (n, m)
        Its strides are arbitrary: it may be a transposed matrix, or a few columns.
    B : ndarray of shape (m, p)
        The entries of a row are contiguous.
    C : ndarray of shape (n, p)
        The entries of a row are contiguous. It shares no memory with A and B.
    is_added : bool

    Raises
    ------
    TypeError
        If the matrices are not all float32, or all float64.
    ValueError
        If the shapes do not fit each other, the entries of a row of B or C are not
        contiguous, or C is read-only.
    """
    if not A.dtype == B.dtype == C.dtype or A.dtype.char not in "fd":
        raise TypeError(
            f"A, B and C have the types {A.dtype}, {B.dtype} and {C.dtype}, but the "
            "matrices of a product have to be all float32, or all float64. Convert "
            "them with astype."
        )
    if not (
        A.ndim == B.ndim == C.ndim == 2
        and A.shape[1] == len(B)
        and C.shape == (len(A), B.shape[1])
    ):
        raise ValueError(
            f"A, B and C have the shapes {A.shape}, {B.shape} and {C.shape}, but the "
            "shapes of a product have to be (n, m), (m, p) and (n, p)."
        )
    for name, matrix in (("B", B), ("C", C)):
        lies_apart = matrix.strides[1] != matrix.itemsize
        if lies_apart and matrix.shape[1] > 1 and len(matrix):
            raise ValueError(
                f"The entries of a row of {name} are {matrix.strides[1]} bytes apart, "
                f"but they have to be contiguous, {matrix.itemsize} bytes apart. Use "
                f"np.ascontiguousarray({name})."
            )
    if not C.flags.writeable:
        raise ValueError("C is read-only, but the product is written to it. Copy it.")
    _unchecked(A, B, C, is_added)


@intrinsic
def _of_any_layout(context, array):
    """The same array in the type for arrays of any layout."""

    def generate(context, builder, signature, arguments):
        kind, (value,) = signature.return_type, arguments
        return imputils.impl_ret_borrowed(context, builder, kind, value)

    return array.copy(layout="A")(array), generate


@overload(multiply)
def _multiply_overload(A, B, C, is_added):
    # Tiles ask an array for its strides, not its type: one for all is compiled once.
    return lambda A, B, C, is_added: _multiply(
        _of_any_layout(A), _of_any_layout(B), _of_any_layout(C), is_added
    )
