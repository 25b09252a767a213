"""What stands before the recurrence: layers of convolutions, forward and back.

The first layer reads windows of the numbers themselves, each other layer those of the
layer below. Behind each layer, a few steps are averaged, so that what follows takes
fewer steps, and its windows reach further. Pooled over the steps, all layers are part
of h.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skrnn._core import convolution
from skrnn._core.packing import Packing

# A filter whose standard deviation is below this share of its mean is constant but for
# rounding errors.
_CONSTANT = 1e-5


@dataclass(frozen=True)
class _Place:
    """Where sequences are, one after the other with margins of zeros around them.

    Attributes
    ----------
    lengths : ndarray of shape (n_sequences,), int64
    margin : int
        Number of rows before, between and behind them.
    """

    lengths: np.ndarray
    margin: int

    @cached_property
    def starts(self):
        """The row of the first step of each sequence."""
        before = np.cumsum(self.lengths + self.margin) - self.lengths
        return before.astype(np.int64)

    @property
    def n_rows(self):
        return int(self.lengths.sum()) + self.margin * (len(self.lengths) + 1)

    @property
    def steps(self):
        """The rows that are not margins."""
        before = np.cumsum(self.lengths) - self.lengths
        rows = np.arange(int(self.lengths.sum()))
        return rows + np.repeat(self.starts - before, self.lengths)

    def of(self):
        """What kernels take."""
        return self.starts, self.lengths


def strided(packing, stride):
    """The packing of sequences of which every `stride` steps have become one."""
    lengths = -(-packing.lengths // stride)
    n_steps = int(lengths[0]) if len(lengths) else 0
    ends = np.bincount(lengths, minlength=n_steps + 1)
    sizes = (len(lengths) - np.cumsum(ends))[:-1]
    if not len(sizes):
        sizes = np.zeros(1, np.int64)
    n_rows = int(lengths.sum())
    return Packing(packing.indices, np.arange(n_rows), sizes.astype(np.int64), lengths)


class Front:
    """A batch on its way through the convolutions, forward and back.

    Parameters
    ----------
    architecture : Architecture
    filters : list of list of (F, f)
        By layer, then kernel size, the filters and their biases as arrays.
    packing : Packing
    scratch : Scratch
        It holds all results, until it is reset.

    Attributes
    ----------
    packing : Packing
        That of what the recurrence reads.
    pooled : ndarray of shape (n_sequences, n_features_of_filters)
        Layer by layer, the mean and the largest value of each filter. Only of sequences
        that have steps.
    """

    def __init__(self, architecture, filters, packing, scratch):
        self._kernel_sizes, self._filters = architecture.kernel_sizes, filters
        self._strides, self._scratch = architecture.strides, scratch
        self._sizes = packing.batch_sizes
        margin = max(size // 2 for sizes in self._kernel_sizes for size in sizes)
        self._places = [_Place(packing.lengths, margin)]  # of what each layer reads
        for stride in self._strides:
            packing = strided(packing, stride)
            self._places.append(_Place(packing.lengths, margin))
        self.packing = packing
        self._passed = []  # by layer, what it reads, what it gives, and its pool

    def forward(self, x, before_relu=None):
        """Compute what the recurrence reads.

        Parameters
        ----------
        x : ndarray of shape (n_rows, n_inputs)
            In packed order.
        before_relu : callable, default=None
            ``before_relu(k, z, steps)`` is called in the middle of layer k.

        Returns
        -------
        x : ndarray of shape (n_rows_out, n_filters)
            In the order of `packing`.
        """
        take, place = self._scratch.zeros, self._places[0]
        read = take(place.n_rows, x.shape[1])
        convolution.unpack(x, self._sizes, place.starts, read)
        for k, place in enumerate(self._places[:-1]):
            z = take(place.n_rows, sum(len(f) for _, f in self._filters[k]))
            for size, (F, f), part in self._parts(k, z):
                convolution.convolve(read, *place.of(), size, F, f, part)
            if before_relu is not None:
                before_relu(k, z, place.steps)
            convolution.relu(z, *place.of())
            pooled = self._scratch.take(len(place.lengths), 2 * z.shape[1])
            convolution.pool(z, *place.of(), pooled)
            self._passed.append((read, z, pooled))
            read, stride = z, self._strides[k]
            if stride > 1:
                later = self._places[k + 1]
                read = take(later.n_rows, z.shape[1])
                convolution.average(z, *place.of(), stride, read, later.starts)
        self.pooled = np.concatenate([pooled for *_, pooled in self._passed], axis=1)
        out = self._scratch.take(len(self.packing.rows), read.shape[1])
        sizes, starts = self.packing.batch_sizes, self._places[-1].starts
        convolution.pack(read, sizes, starts, out)
        return out

    def calibrate(self, x):
        """Scale filters, in place, to mean 0 and variance 1 over the steps of x.

        That is before the activation. A filter that is constant gets the mean 0.
        """
        self.forward(x, self._calibrate)

    def _calibrate(self, k, z, steps):
        mean, scale = z[steps].mean(axis=0), z[steps].std(axis=0)
        scale = np.where(scale > _CONSTANT * np.abs(mean), scale, 1).astype(z.dtype)
        z[steps] = (z[steps] - mean) / scale
        first = 0
        for F, f in self._filters[k]:
            own = slice(first, first + len(f))
            F /= scale[own]
            f -= mean[own]
            f /= scale[own]
            first = own.stop

    def _parts(self, k, z):
        """The kernel sizes of a layer, their filters, and their columns of z."""
        first = 0
        for size, (F, f) in zip(self._kernel_sizes[k], self._filters[k], strict=True):
            yield size, (F, f), z[:, first : first + len(f)]
            first += len(f)

    def backward(self, dx, dpooled, gradient):
        """Backpropagate.

        Parameters
        ----------
        dx : ndarray of shape (n_rows_out, n_filters)
            The gradient with respect to what `forward` returned.
        dpooled : ndarray of shape (n_sequences, n_features_of_filters)
            The gradient with respect to `pooled`.
        gradient : list of list of (dF, df)
            The gradients of the filters and their biases. Written.
        """
        take, later = self._scratch.zeros, self._places[-1]
        dread = take(later.n_rows, dx.shape[1])
        convolution.unpack(dx, self.packing.batch_sizes, later.starts, dread)
        dpools = np.split(dpooled, len(self._passed), axis=1)
        for k in range(len(self._passed) - 1, -1, -1):
            place, later = self._places[k : k + 2]
            read, z, pooled = self._passed[k]
            dz = take(place.n_rows, z.shape[1])
            dpool = np.ascontiguousarray(dpools[k])
            convolution.spread_pool(dpool, z, *place.of(), pooled, dz)
            if self._strides[k] > 1:
                convolution.spread_average(
                    dread, later.starts, *place.of(), self._strides[k], dz
                )
            else:
                dz += dread
            convolution.pass_through_relu(z, *place.of(), dz)
            if k > 0:
                dread = take(place.n_rows, read.shape[1])
            self._unread(k, read, dz, gradient[k], dread)

    def _unread(self, k, read, dz, gradient, dread):
        """Backpropagate through the filters of one layer."""
        place = self._places[k]
        for (size, (F, _), part), (dF, df) in zip(
            self._parts(k, dz), gradient, strict=True
        ):
            convolution.gradients(read, *place.of(), size, part, dF, df)
            if k > 0:
                part = np.ascontiguousarray(part)
                convolution.add_input_gradient(part, *place.of(), size, F, dread)
