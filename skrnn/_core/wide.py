"""The wide path: a linear map A of the n-grams x of a sequence, and its updates.

The arrays have a row for each n-gram, with its weights for all outputs. The scores of a
sequence are sums in the order of its entries, which do not depend on other sequences.
"""

import math

from skrnn._core import rows
from skrnn._core.compiled import compiled
from skrnn._core.prefetch import prefetch

# How many n-grams ahead of the one that is computed: their rows are short.
AHEAD = 8


@compiled
def count(numbers, offsets, table, last, x):
    """Count the n-grams of sequences, which are found in a trie.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int32
        The tokens of all sequences as numbers; -1 for those that are in no n-gram.
    offsets : ndarray of shape (n_sequences + 1,)
    table : tuple (roots, tokens, children, columns)
        See :func:`skrnn._reading.wide.make_table`.
    last : ndarray of shape (n_grams,), int32
        Memory for the last entry of each n-gram. It may hold any numbers at first, as
        an entry is believed only if it is one of the n-gram and of the sequence.
    x : tuple (columns, counts, bounds)
        Written: the distinct n-grams of all sequences, int32, in the order in which
        they are found; how often each occurs in its sequence, float32; and where each
        sequence begins, int64 of shape (n_sequences + 1,).

    Returns
    -------
    n : int
        How many there are; -1 if the parts of the table do not fit each other.
    """
    roots, _, _, column_of = table
    columns, counts, bounds = x
    n = 0
    for i in range(len(offsets) - 1):
        first = n
        bounds[i] = first
        for begin in range(offsets[i], offsets[i + 1]):
            row = begin
            node = roots[numbers[row]] if 0 <= numbers[row] < len(roots) else -1
            while node >= 0:
                if node >= len(column_of) or column_of[node] >= len(last):
                    return -1
                if column_of[node] >= 0:
                    k = last[column_of[node]]
                    if first <= k < n and columns[k] == column_of[node]:
                        counts[k] += counts.dtype.type(1)
                    else:
                        if n == len(columns):
                            return -1
                        last[column_of[node]] = n
                        columns[n], counts[n] = column_of[node], 1
                        n += 1
                row += 1
                if row == offsets[i + 1]:
                    break
                node = _child(node, numbers[row], table)
    bounds[-1] = n
    return n


@compiled
def _child(node, token, table):
    """Return the node that follows a node of a trie for a token, -1 for none."""
    _, tokens, children, _ = table
    low, high = children[node], children[node + 1]
    if not node < low < high <= len(tokens):
        return -1
    while high - low > 1:
        middle = (low + high) // 2
        if tokens[middle] <= token:
            low = middle
        else:
            high = middle
    return low if tokens[low] == token else -1


@compiled
def weigh(columns, values, offsets, idf):
    """Replace counts of n-grams by TF-IDF weights, with a norm of 1 for each sequence.

    Parameters
    ----------
    columns : ndarray of shape (n_entries,), int32
    values : ndarray of shape (n_entries,), float32
        How often each n-gram occurs in its sequence. Overwritten by the weights.
    offsets : ndarray of shape (n_sequences + 1,)
    idf : ndarray of shape (n_grams,), float64
    """
    for i in range(len(offsets) - 1):
        square = 0.0
        for k in range(offsets[i], offsets[i + 1]):
            weight = _weight(k, columns, values, idf)
            square += weight * weight
        norm = math.sqrt(square)
        for k in range(offsets[i], offsets[i + 1]):
            values[k] = _weight(k, columns, values, idf) / norm


@compiled
def _weight(k, columns, counts, idf):
    """The weight of an entry before it is divided by the norm, in double precision."""
    count = float(counts[k])
    return (1.0 + math.log(count)) * idf[columns[k]] if count > 1 else idf[columns[k]]


@compiled
def add_scores(columns, values, offsets, A, scores):
    """Add A x to the scores of each sequence.

    Parameters
    ----------
    columns, values, offsets : ndarrays
        The x of all sequences; see :class:`skrnn._core.sparse_rows.SparseRows`.
    A : ndarray of shape (n_grams, n_outputs)
    scores : ndarray of shape (n_sequences, n_outputs)
        Written.
    """
    for i in range(len(scores)):
        _add_row(columns, values, offsets[i], offsets[i + 1], A, scores[i])


@compiled
def average(columns, values, offsets, A, own, scores):
    """Replace the scores of each sequence by the mean of them and A x.

    Those of sequences without entries stay as they are.

    Parameters
    ----------
    columns, values, offsets, A
        As in :func:`add_scores`.
    own : ndarray of shape (n_outputs,)
        Memory for A x.
    scores : ndarray of shape (n_sequences, n_outputs)
        Overwritten.
    """
    for i in range(len(scores)):
        if offsets[i] < offsets[i + 1]:
            rows.clear(own)
            _add_row(columns, values, offsets[i], offsets[i + 1], A, own)
            for j in range(len(own)):
                scores[i, j] = (scores[i, j] + own[j]) / own.dtype.type(2)


@compiled
def _add_row(columns, values, first, end, A, total):
    """Add A x of one sequence."""
    for k in range(first, end):
        if k + AHEAD < len(columns):
            prefetch(A[columns[k + AHEAD]])
        row, value = A[columns[k]], A.dtype.type(values[k])
        for j in range(len(row)):
            total[j] += value * row[j]


@compiled
def add_gradient(columns, values, offsets, dscores, dA):
    """Add the gradient with respect to A, dscores x^T, given that of the scores.

    Parameters
    ----------
    columns, values, offsets
        As in :func:`add_scores`.
    dscores : ndarray of shape (n_sequences, n_outputs)
    dA : ndarray of shape (n_grams, n_outputs)
        Written.
    """
    for i in range(len(dscores)):
        for k in range(offsets[i], offsets[i + 1]):
            row, value = dA[columns[k]], dA.dtype.type(values[k])
            for j in range(len(row)):
                row[j] += value * dscores[i, j]


@compiled
def step(A, square, grams, dA, rate, damping):
    """Update the rows of some n-grams by AdaGrad.

    Parameters
    ----------
    A : ndarray of shape (n_grams, n_outputs)
        Written.
    square : ndarray of the shape of A
        The sum of the squares of all gradients so far. Written.
    grams : ndarray of shape (n_rows,), int64
        Distinct n-grams.
    dA : ndarray of shape (n_rows, n_outputs)
        The gradient with respect to their rows.
    rate, damping : float
        A step is the gradient times the rate, divided by the damping plus the root of
        `square`.
    """
    number = A.dtype.type
    for i in range(len(grams)):
        if i + AHEAD < len(grams):
            prefetch(A[grams[i + AHEAD]])
            prefetch(square[grams[i + AHEAD]])
        row, own = A[grams[i]], square[grams[i]]
        for j in range(len(row)):
            g = dA[i, j]
            own[j] += g * g
            row[j] -= number(rate) * g / (number(damping) + math.sqrt(own[j]))
