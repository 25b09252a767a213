"""Updates of the wide path, beside those of the network."""

from dataclasses import replace

import numpy as np

from skrnn._core import linear, losses
from skrnn._core.execution import CPU
from skrnn._core.group import ALONE
from skrnn._core.imports import kernel_imports
from skrnn._core.updates.tokens import number_ids

# The rate of AdaGrad over the learning rate of the network, and the number that is
# added to the root of the sum of squares, which bounds the first steps. The first step
# of an n-gram is about as large as the gradient, if the learning rate is the default.
# Features of series, of which each sequence has all, move in smaller steps.
RATE, DAMPING = 600.0, 3.0
RATE_OF_SERIES, DAMPING_OF_SERIES = 60.0, 0.1


class Wide:
    """Updates of the wide path, beside those of the network.

    The wide path has the loss of its own scores, A x, so neither path learns less
    because the other one knows the training data already. With one loss of the sum of
    both, A updated by Adam, the accuracy on held-out training data was 0.833 instead of
    0.857 for questions, 0.851 instead of 0.855 for first names, and 0.905 instead of
    0.912 for domains.

    An update moves only the rows of A whose n-grams are in the minibatch, or all rows
    for features of series, by AdaGrad [1]_: the steps of frequent ones become smaller.
    The gradient, which is summed over the minibatch, is not clipped, and A does not
    decay.

    Parameters
    ----------
    updates : AllWeights, SomeRows or Embedded
        Those of the network.
    A : Tensor of shape (n_columns, n_outputs)
        Trained in place.
    loss : str
        The name of a module of :mod:`skrnn._core.losses`.
    moments : Moments, default=None
        Moments to continue from.
    group : Alone or Group, default=ALONE
        The processes that train together.
    is_sparse : bool, default=True
        Whether the wide path reads n-grams, as opposed to features of series.

    References
    ----------
    .. [1] Duchi, Hazan and Singer (2011), "Adaptive Subgradient Methods for Online
       Learning and Stochastic Optimization", JMLR 12.
    """

    def __init__(self, updates, A, loss, moments=None, group=ALONE, is_sparse=True):
        self._is_sparse = is_sparse
        self._updates, self._A, self._loss, self._group = updates, A, loss, group
        self._square = CPU.zeros(A.shape, A.dtype)
        if moments is not None:
            self._square.copy_(moments.of_wide[0])
        self._number_of = np.full(len(A), -1, np.int32)
        self._batches = []

    def local(self, batches):
        """See :meth:`AllWeights.local`."""
        self._batches = batches
        return self._updates.local(batches)

    def update(self, gradient, n_sequences, learning_rate, plan):
        """See :meth:`AllWeights.update`; A stays as it is."""
        self._updates.update(gradient, n_sequences, learning_rate, plan)

    def update_wide(self, learning_rate):
        """Update A by the minibatch of the last :meth:`local`.

        It may run in another thread while :meth:`update` does, unless there are several
        processes: these exchange one gradient after the other.
        """
        with kernel_imports():
            from skrnn._core import wide

        A, rate, damping = self._A.numpy(), RATE, DAMPING
        xs = [batch.wide for batch in self._batches]
        if self._is_sparse:
            columns, xs = self._renumbered(xs)
        else:
            columns = np.arange(len(A))
            rate, damping = RATE_OF_SERIES, DAMPING_OF_SERIES
        dA = np.zeros((len(columns), A.shape[1]), A.dtype)
        pairs = list(zip(self._batches, xs, strict=True))
        for batch, x in self._group.own(pairs):
            scores = np.zeros((len(batch), A.shape[1]), A.dtype)
            linear.add_scores(batch.wide, A, scores)
            target, weight = batch.target.numpy(), batch.weight.numpy()
            _, dscores = losses.loss_and_gradient(self._loss, scores, target, weight)
            linear.add_gradient(x, dscores, dA)
        self._group.add(CPU.tensor(dA))
        rate *= learning_rate
        wide.step(A, self._square.numpy(), columns, dA, rate, damping)

    def _renumbered(self, xs):
        """The n-grams of a minibatch, and x with columns that are their numbers."""
        columns = [x.columns[:, np.newaxis] for x in xs]
        grams, numbers = number_ids(columns, self._number_of, self._group)
        pairs = zip(xs, numbers, strict=True)
        return grams, [x._replace(columns=numbers[:, 0]) for x, numbers in pairs]

    def synchronise(self):
        """See :meth:`AllWeights.synchronise`."""
        self._updates.synchronise()

    def moments(self):
        """See :meth:`AllWeights.moments`."""
        return replace(self._updates.moments(), of_wide=(self._square,))
