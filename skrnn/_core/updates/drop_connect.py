"""Updates by gradients of a network in which some entries of W are 0."""


class DropConnect:
    """Updates for which other entries of W are set to 0 each time, at random [1]_.

    Parameters
    ----------
    updates : object
        The updates of all weights.
    rate : float
        The probability of setting an entry to 0. The others are divided by one minus
        this rate.
    generator : torch.Generator
    execution : Execution

    References
    ----------
    .. [1] Merity, Keskar and Socher (2018), "Regularizing and Optimizing LSTM Language
       Models", ICLR.
    """

    def __init__(self, updates, rate, generator, execution):
        self._updates, self._rate = updates, rate
        self._generator, self._execution = generator, execution
        self._dropped = []  # W, what it was, and its mask

    def local(self, batches):
        """The weights that a minibatch uses, some of which are 0, and its shards."""
        weights, batches = self._updates.local(batches)
        self._dropped = []
        for layer in weights.all_layers():
            draw = self._execution.dropout_mask
            mask = draw(layer.W.shape, self._rate, self._generator)
            self._dropped.append((layer.W, layer.W.clone(), mask))
            layer.W.mul_(mask)
        self._weights = weights
        return weights, batches

    def update(self, gradient, n_sequences, learning_rate, plan):
        """Undo what :meth:`local` did to W, and update all weights."""
        flat = self._weights.flat
        for W, before, mask in self._dropped:
            W.copy_(before)
            first = W.storage_offset() - flat.storage_offset()
            gradient[first : first + W.numel()].view_as(W).mul_(mask)
        self._updates.update(gradient, n_sequences, learning_rate, plan)

    def synchronise(self):
        """Bring the weights up to date."""
        self._updates.synchronise()

    def moments(self):
        """The moments to continue from."""
        return self._updates.moments()
