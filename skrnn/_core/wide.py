"""The wide path: a linear map A of the n-grams x of a sequence, and its updates.

The arrays have a row for each n-gram, with its weights for all outputs. The scores of a
sequence are sums in the order of its columns, which do not depend on other sequences.
"""

import math

from skrnn._core.compiled import compiled


@compiled
def find(numbers, offsets, table, least, columns, n_found):
    """Find the n-grams of sequences in a trie.

    Parameters
    ----------
    numbers : ndarray of shape (n_rows,), int32
        The tokens of all sequences as numbers; -1 for those that are in no n-gram.
    offsets : ndarray of shape (n_sequences + 1,)
    table : tuple (n_tokens, pairs, ids, starts)
        What :func:`skrnn._core.ngrams.make_table` returns, except that the arrays of
        all depths are one: that of depth d begins at ``starts[d - 1]``.
    least : int
        The smallest n.
    columns : ndarray of int32
        The n-grams that are found, sequence by sequence: their ids - 1. Written.
    n_found : ndarray of shape (n_sequences,), int64
        How many are found in each sequence. Written.

    Returns
    -------
    n : int
        How many are found in all.
    """
    n_tokens, pairs, ids, starts = table
    n = 0
    for i in range(len(n_found)):
        before = n
        for begin in range(offsets[i], offsets[i + 1]):
            node, row = 0, begin
            for depth in range(len(starts) - 1):
                if row == offsets[i + 1] or numbers[row] < 0:
                    break
                pair = node * n_tokens + numbers[row]
                low, high = starts[depth], starts[depth + 1]
                while low < high:
                    middle = (low + high) // 2
                    if pairs[middle] < pair:
                        low = middle + 1
                    else:
                        high = middle
                if low == starts[depth + 1] or pairs[low] != pair:
                    break
                if depth + 1 >= least and ids[low] > 0:
                    columns[n] = ids[low] - 1
                    n += 1
                node, row = low - starts[depth], row + 1
        n_found[i] = n - before
    return n


@compiled
def weigh(counts, columns, offsets, idf, values):
    """Write the TF-IDF weights of n-grams, with a norm of 1 for each sequence.

    Parameters
    ----------
    counts : ndarray of shape (n_entries,), int64
        How often each n-gram occurs in its sequence.
    columns : ndarray of shape (n_entries,), int32
    offsets : ndarray of shape (n_sequences + 1,)
    idf : ndarray of shape (n_grams,), float64
    values : ndarray of shape (n_entries,), float32
        Written.
    """
    for i in range(len(offsets) - 1):
        square = 0.0
        for k in range(offsets[i], offsets[i + 1]):
            weight = (1.0 + math.log(counts[k])) * idf[columns[k]]
            square += weight * weight
        norm = math.sqrt(square)
        for k in range(offsets[i], offsets[i + 1]):
            values[k] = (1.0 + math.log(counts[k])) * idf[columns[k]] / norm


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
        for k in range(offsets[i], offsets[i + 1]):
            row, value = A[columns[k]], A.dtype.type(values[k])
            for j in range(len(row)):
                scores[i, j] += value * row[j]


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
        row, own = A[grams[i]], square[grams[i]]
        for j in range(len(row)):
            g = dA[i, j]
            own[j] += g * g
            row[j] -= number(rate) * g / (number(damping) + math.sqrt(own[j]))
