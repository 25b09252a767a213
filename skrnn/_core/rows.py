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
    """Write the transpose of W, tile by tile."""
    n, m = W.shape
    for i in range(0, n, 8):
        for j in range(0, m, 8):
            if i + 8 <= n and j + 8 <= m:  # loops of a fixed length are unrolled
                for column in range(j, j + 8):
                    for row in range(i, i + 8):
                        W_T[column, row] = W[row, column]
            else:
                for column in range(j, min(j + 8, m)):
                    for row in range(i, min(i + 8, n)):
                        W_T[column, row] = W[row, column]
