"""Rows of numbers that are copied, added or cleared in compiled code.

numba compiles these loops in a fraction of the time that it takes for assignments of
slices, which check shapes.
"""

from skrnn._core.compiled import compiled


@compiled
def copy(row, to):
    """Copy one row."""
    for j in range(len(row)):
        to[j] = row[j]


@compiled
def copy_all(rows, to):
    """Copy several rows."""
    for i in range(len(rows)):
        copy(rows[i], to[i])


@compiled
def add(row, to):
    """Add one row to another."""
    for j in range(len(row)):
        to[j] += row[j]


@compiled
def clear(row):
    """Set one row to 0."""
    for j in range(len(row)):
        row[j] = 0


@compiled
def clear_all(rows):
    """Set several rows to 0."""
    for i in range(len(rows)):
        clear(rows[i])


@compiled
def transpose(W, W_T):
    """Write the transpose of W, 16 rows at a time, each of which is read once."""
    n, m = W.shape
    for i in range(0, n, 16):
        for column in range(m):
            if i + 16 <= n:  # a loop of a fixed length is unrolled
                for row in range(16):
                    W_T[column, i + row] = W[i + row, column]
            else:
                for row in range(i, n):
                    W_T[column, row] = W[row, column]
