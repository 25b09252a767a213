"""Updates of all weights."""

from skrnn._core.updates.clipping import scale_to_clipped_mean
from skrnn._core.updates.moments import Moments


class AllWeights:
    """Updates of all weights.

    Parameters
    ----------
    weights : Weights
    rule : class
        One of :data:`skrnn._core.rules.RULES`.
    moments : Moments, default=None
        Moments to continue from. Overwritten.
    """

    def __init__(self, weights, rule, moments=None):
        self._weights = weights
        self._rule = rule_on(rule, weights.flat, moments)

    def local(self, batches):
        """Return the weights that a minibatch uses, and its shards.

        Parameters
        ----------
        batches : list of Batch
            The shards of the minibatch.

        Returns
        -------
        weights : Weights
            For computing the loss and the gradient of this minibatch.
        batches : list of Batch
            The shards, with tokens numbered as in these weights.
        """
        return self._weights, batches

    def update(self, gradient, n_sequences, learning_rate, plan):
        """Apply weight decay, and update the weights.

        Parameters
        ----------
        gradient : Tensor
            The summed gradient of the flat weights that :meth:`local` last returned.
        n_sequences : float
            Number of sequences in the minibatch, times the share of their steps from
            which the gradient results.
        learning_rate : float
        plan : Plan
        """
        scale = scale_to_clipped_mean(gradient, n_sequences, plan.max_grad_norm)
        decay = 1 - learning_rate * plan.weight_decay
        n_biases = self._weights.n_biases
        self._rule.step(gradient, learning_rate, decay, n_biases, scale)

    def synchronise(self):
        """Bring the weights passed to the constructor up to date."""

    def moments(self):
        """Return the moments to continue from; call after :meth:`synchronise`.

        Returns
        -------
        moments : Moments
        """
        rule = self._rule
        return Moments(rule.moment_names, rule.moments, rule.n_steps)


def rule_on(rule, flat, moments):
    """Make a rule for all weights, which continues from `moments` if there are any."""
    return rule(flat) if moments is None else rule(flat, moments.flat, moments.n_steps)
