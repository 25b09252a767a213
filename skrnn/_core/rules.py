"""Update rules: how a gradient changes the weights.

A rule is a class, listed by name in RULES. It is created for one tensor of weights. It
keeps moving averages of the gradients ("moments"), which have the shape of the weights
and the names in `moment_names`, and it updates the weights in `step`.
"""

from typing import NamedTuple

import torch

from skrnn._core.imports import kernel_imports


class Rows(NamedTuple):
    """Rows of a table that a rule moves.

    Attributes
    ----------
    table : Tensor of shape (n_tokens, n_columns)
    local : Tensor of shape (n_rows, n_columns)
        The rows as they were when the gradient was computed.
    moments : Tensor of shape (n_tokens, ...)
        The moments of each row of the table, side by side.
    first : int, default=0
        The first column of `moments`.
    """

    table: torch.Tensor
    local: torch.Tensor
    moments: torch.Tensor
    first: int = 0


class Adam:
    """Adam with decoupled weight decay [1]_ [2]_.

    Parameters
    ----------
    weights : Tensor
    moments : sequence of 2 Tensors of the shape of `weights`, default=None
        Moving averages of the gradient and of its square to continue from. Overwritten.
    n_steps : int, default=0
        Number of updates that these averages result from.

    Notes
    -----
    ``torch.optim`` is not used: creating one of its optimisers imports the compiler,
    which takes longer than fitting a small network.

    References
    ----------
    .. [1] Kingma and Ba (2015), "Adam: A Method for Stochastic Optimization", ICLR,
       algorithm 1 (beta_1 0.9, beta_2 0.999, epsilon 1e-8).
    .. [2] Loshchilov and Hutter (2019), "Decoupled Weight Decay Regularization", ICLR.
    """

    moment_names = ("mean", "square")
    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, weights, moments=None, n_steps=0):
        self.weights = weights
        if moments is None:
            moments = [torch.zeros_like(weights) for _ in self.moment_names]
        self.moments = tuple(moments)
        self.n_steps = n_steps

    def step(self, gradient, learning_rate, decay=1.0, n_biases=0, scale=1.0):
        """Apply weight decay, and move the weights against the gradient.

        Parameters
        ----------
        gradient : Tensor of the shape of the weights
        learning_rate : float
        decay : float, default=1.0
            The factor that multiplies the weights, except for the biases.
        n_biases : int, default=0
            Number of biases, which are the first entries of the weights.
        scale : float, default=1.0
            What multiplies the gradient.
        """
        with kernel_imports():
            from skrnn._core import adam

        self.n_steps += 1
        arrays = (self.weights, gradient, *self.moments)
        adam.step(
            *(tensor.view(-1).numpy() for tensor in arrays),
            n_biases,
            (self.beta_1, self.beta_2),
            self.factors(learning_rate, decay, scale),
        )

    def move_rows(self, rows, tokens, gradient, learning_rate, decay, scale):
        """Update rows of tables by the rule, in the state of the last `step`.

        Parameters
        ----------
        rows : Rows
        tokens : Tensor of shape (n_rows,), int64
        gradient : Tensor of shape (n_rows, n_columns)
        learning_rate, decay, scale : float
        """
        with kernel_imports():
            from skrnn._core import adam

        adam.move_rows(
            rows.table.numpy(),
            rows.local.numpy(),
            rows.moments.numpy(),
            rows.first,
            tokens.numpy(),
            gradient.numpy(),
            (self.beta_1, self.beta_2),
            self.factors(learning_rate, decay, scale),
        )

    def factors(self, learning_rate, decay, scale):
        """The factors of a step, as the arithmetic needs them.

        Returns
        -------
        decay, epsilon, size, scale : float
        """
        # Both averages started at 0: divide by the total weight of their gradients.
        seen_mean = 1 - self.beta_1**self.n_steps
        seen_square = 1 - self.beta_2**self.n_steps
        # mean / (sqrt(square / seen) + epsilon), with one root for each weight.
        epsilon = self.epsilon * seen_square**0.5
        size = -learning_rate / seen_mean * seen_square**0.5
        return decay, epsilon, size, scale


RULES = {"adam": Adam}
