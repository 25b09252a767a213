"""Convolutions: units that read a window of several steps, of any number of sequences.

Sequences lie one after the other, with a margin of zeros before, between and behind
them. A window is then the numbers of consecutive rows, and all windows of a sequence
are a matrix whose rows overlap in memory: nothing is copied, and a layer is one product
for each sequence. :mod:`skrnn._core.front` puts the sequences there.

A window of `size` steps begins ``size // 2`` steps before its own step. Filters are
matrices F of shape (size * n_inputs, n_filters), the first step of the window first.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from skrnn._core import rows
from skrnn._core.compiled import compiled
from skrnn._core.products import multiply


@compiled
def _windows(x, first, n_steps, size):
    """A view of the windows of a sequence, of shape (n_steps, size * n_inputs).

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_inputs)
        Its rows are contiguous.
    first : int
        The row of the first step.
    """
    width = x.shape[1]
    before = x[first - size // 2 :]
    strides = (width * x.itemsize, x.itemsize)
    return as_strided(before, (n_steps, size * width), strides)


@compiled
def convolve(x, starts, lengths, size, F, f, z):
    """Write ``window F + f`` into z.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_inputs)
        Sequences with margins of zeros. Its rows are contiguous.
    starts, lengths : ndarrays of shape (n_sequences,), int64
        The row of the first step of each sequence, and its number of steps.
    size : int
        Number of steps in a window.
    F : ndarray of shape (size * n_inputs, n_filters)
    f : ndarray of shape (n_filters,)
    z : ndarray of shape (n_rows, n_filters)
        Its margins are left as they are.
    """
    for i in range(len(starts)):
        first, n = starts[i], lengths[i]
        to = z[first : first + n]
        for t in range(n):
            rows.copy(f, to[t])
        multiply(_windows(x, first, n, size), F, to, True)


@compiled
def relu(z, starts, lengths):
    """Set negative numbers to 0, but for the margins."""
    zero = z.dtype.type(0)
    for i in range(len(starts)):
        for row in range(starts[i], starts[i] + lengths[i]):
            for j in range(z.shape[1]):
                z[row, j] = zero if z[row, j] < zero else z[row, j]  # NaN stays


@compiled
def gradients(x, starts, lengths, size, dz, dF, df):
    """Write the gradients of filters and of their biases.

    Parameters
    ----------
    x, starts, lengths, size
        As in :func:`convolve`.
    dz : ndarray of shape (n_rows, n_filters)
        The gradient with respect to ``window F + f``.
    dF, df : ndarrays of the shapes of F and f
        Written.
    """
    rows.clear_all(dF)
    rows.clear(df)
    for i in range(len(starts)):
        first, n = starts[i], lengths[i]
        own = dz[first : first + n]
        multiply(_windows(x, first, n, size).T, own, dF, True)
        for t in range(n):
            rows.add(own[t], df)


@compiled
def add_input_gradient(dz, starts, lengths, size, F, dx):
    """Add the gradient of what the windows read: a convolution with mirrored filters.

    Parameters
    ----------
    dz : ndarray of shape (n_rows, n_filters)
        The gradient with respect to ``window F + f``, 0 in the margins. Its rows are
        contiguous.
    starts, lengths, size
        As in :func:`convolve`.
    F : ndarray of shape (size * n_inputs, n_filters)
    dx : ndarray of shape (n_rows, n_inputs)
        Its margins are left as they are.
    """
    n_inputs, n_filters = dx.shape[1], F.shape[1]
    mirrored = np.empty((size * n_filters, n_inputs), F.dtype)
    for k in range(size):
        step = F[k * n_inputs : (k + 1) * n_inputs]
        to = mirrored[(size - 1 - k) * n_filters : (size - k) * n_filters]
        rows.transpose(step, to)
    after = 1 - size % 2  # a window of an even size has one more step before its own
    for i in range(len(starts)):
        first, n = starts[i], lengths[i]
        read = _windows(dz, first + after, n, size)
        multiply(read, mirrored, dx[first : first + n], True)


@compiled
def pass_through_relu(z, starts, lengths, dz):
    """Set the gradient to 0 where z is 0."""
    zero = dz.dtype.type(0)
    for i in range(len(starts)):
        for row in range(starts[i], starts[i] + lengths[i]):
            for j in range(z.shape[1]):
                dz[row, j] = dz[row, j] if z[row, j] > zero else zero


@compiled
def average(z, starts, lengths, stride, to, to_starts):
    """Write the mean of every `stride` steps; the last mean is of those that are left.

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_filters)
    starts, lengths : ndarrays of shape (n_sequences,), int64
        Those of the sequences in z.
    stride : int
    to : ndarray of shape (n_rows_out, n_filters)
    to_starts : ndarray of shape (n_sequences,), int64
        Where sequences begin in it.
    """
    for i in range(len(starts)):
        row = to_starts[i]
        for t in range(0, lengths[i], stride):
            n = min(stride, lengths[i] - t)
            rows.clear(to[row])
            for s in range(starts[i] + t, starts[i] + t + n):
                rows.add(z[s], to[row])
            part = to.dtype.type(1) / to.dtype.type(n)
            for j in range(to.shape[1]):
                to[row, j] *= part
            row += 1


@compiled
def spread_average(dto, to_starts, starts, lengths, stride, dz):
    """Add the gradient of :func:`average` with respect to z."""
    for i in range(len(starts)):
        row = to_starts[i]
        for t in range(0, lengths[i], stride):
            n = min(stride, lengths[i] - t)
            part = dz.dtype.type(1) / dz.dtype.type(n)
            for s in range(starts[i] + t, starts[i] + t + n):
                for j in range(dz.shape[1]):
                    dz[s, j] += part * dto[row, j]
            row += 1


@compiled
def pool(z, starts, lengths, pooled):
    """Write the mean and the largest value of each filter over the steps, side by side.

    Parameters
    ----------
    z : ndarray of shape (n_rows, n_filters)
    starts, lengths : ndarrays of shape (n_sequences,), int64
    pooled : ndarray of shape (n_sequences, 2 * n_filters)
    """
    n = z.shape[1]
    for i in range(len(starts)):
        mean, largest = pooled[i, :n], pooled[i, n:]
        rows.clear(mean)
        rows.copy(z[starts[i]], largest)
        for row in range(starts[i], starts[i] + lengths[i]):
            for j in range(n):
                number = z[row, j]
                mean[j] += number
                # NaN is not larger than anything, but must not get lost.
                is_new = number > largest[j] or number != number
                largest[j] = number if is_new else largest[j]
        part = z.dtype.type(1) / z.dtype.type(lengths[i])
        for j in range(n):
            mean[j] *= part


@compiled
def spread_pool(dpooled, z, starts, lengths, pooled, dz):
    """Write the gradient of :func:`pool` with respect to z, without the margins.

    The gradient of a largest value goes to the first step that has it.
    """
    n = z.shape[1]
    zero = dz.dtype.type(0)
    for i in range(len(starts)):
        part = dz.dtype.type(1) / dz.dtype.type(lengths[i])
        left = dpooled[i, n:].copy()
        for row in range(starts[i], starts[i] + lengths[i]):
            for j in range(n):
                is_largest = z[row, j] == pooled[i, n + j]
                dz[row, j] = part * dpooled[i, j] + (left[j] if is_largest else zero)
                left[j] = zero if is_largest else left[j]


@compiled
def unpack(packed, sizes, starts, x):
    """Copy rows in packed order to where their sequences are."""
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            rows.copy(packed[row], x[starts[i] + t])
            row += 1


@compiled
def pack(x, sizes, starts, packed):
    """Copy sequences into packed order."""
    row = 0
    for t in range(len(sizes)):
        for i in range(sizes[t]):
            rows.copy(x[starts[i] + t], packed[row])
            row += 1
