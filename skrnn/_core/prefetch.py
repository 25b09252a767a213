"""Rows of large tables, asked for before they are needed."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

_LINE_BYTES = 64  # of a cache
# How many rows ahead of the one that is computed. One more or two less are as good.
AHEAD = 2


def prefetch(row):
    """Ask the memory for a row, and go on without waiting for it.

    In a loop over rows in random order, the processor cannot guess which one follows,
    and would wait for each. Outside compiled code, this does nothing.

    Parameters
    ----------
    row : ndarray of shape (n,)
        Its entries are contiguous.
    """


@overload(prefetch)
def _prefetch_overload(row):
    n_at_once = _LINE_BYTES * 8 // row.dtype.bitwidth

    def run(row):
        for j in range(0, len(row), n_at_once):
            _ask_for(row, j)

    return run


@intrinsic
def _ask_for(typing_context, row, j):
    """Ask for the line that has entry j of a row."""

    def generate(context, builder, signature, arguments):
        kind = signature.args[0]
        array = context.make_array(kind)(context, builder, arguments[0])
        at = cgutils.get_item_pointer(
            context, builder, kind, array, [arguments[1]], wraparound=False
        )
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        signature = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(
            builder.module, signature, "llvm.prefetch.p0"
        )
        # For reading, to be kept in all caches, and data rather than instructions.
        how = [ir.Constant(number, i) for i in (0, 3, 1)]
        builder.call(function, [builder.bitcast(at, byte), *how])
        return context.get_dummy_value()

    return types.void(row, j), generate
