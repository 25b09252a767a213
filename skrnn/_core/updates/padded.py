"""Updates that leave the vector of the padding at 0."""

from skrnn._core.group import ALONE


class Padded:
    """Updates of a network that reads sets of tokens, padded with id 0.

    Its vector is 0 from the start, and has no gradient here. So padding changes
    nothing, and neither do unknown and hidden tokens, which have this id as well.

    Parameters
    ----------
    updates : object
        The updates of all weights.
    group : Alone or Group, default=ALONE
        The processes that train together.
    """

    def __init__(self, updates, group=ALONE):
        self._updates, self._group = updates, group
        self._weights, self._row = None, -1

    def local(self, batches):
        """The weights that a minibatch uses, and its shards."""
        weights, renumbered = self._updates.local(batches)
        self._weights, row = weights, -1
        for before, after in zip(batches, renumbered, strict=True):
            of_padding = after.x[before.x == 0]
            if len(of_padding):
                row = int(of_padding[0])
        self._row = max(self._group.gather_own(row))  # on some ranks, there may be none
        return weights, renumbered

    def update(self, gradient, n_sequences, learning_rate, plan):
        """Update all weights but the vector of the padding."""
        if self._row >= 0:
            vectors = [layer.U for layer in self._weights.layers[0]]
            end = len(gradient)
            for U in reversed(vectors):
                first = end - U.numel()
                gradient[first:end].view_as(U)[self._row] = 0.0
                end = first
        self._updates.update(gradient, n_sequences, learning_rate, plan)

    def synchronise(self):
        """Bring the weights up to date."""
        self._updates.synchronise()

    def moments(self):
        """The moments to continue from."""
        return self._updates.moments()
