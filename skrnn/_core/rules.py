"""Update rules: how a gradient changes the weights.

A rule is a class, listed by name in RULES. It is created for one tensor of weights. It
keeps moving averages of the gradients ("moments"), which have the shape of the weights
and the names in `moment_names`, and it updates the weights in `step`.
"""

import torch
from torch import Tensor

from skrnn._core.compiled import compiled


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
        # Reused, since the operating system provides fresh memory page by page.
        self._scale = torch.empty_like(weights)

    def step(self, gradient, learning_rate, decay=1.0, n_biases=0):
        """Apply weight decay, and move the weights against the gradient.

        Parameters
        ----------
        gradient : Tensor of the shape of the weights
        learning_rate : float
        decay : float, default=1.0
            The factor that multiplies the weights, except for the biases.
        n_biases : int, default=0
            Number of biases, which are the first entries of the weights.
        """
        self.n_steps += 1
        # Both averages started at 0: divide by the total weight of their gradients.
        seen_mean = 1 - self.beta_1**self.n_steps
        seen_square = 1 - self.beta_2**self.n_steps
        _adam_step(
            [self.weights, *self.moments, self._scale],
            gradient,
            n_biases,
            decay,
            [1 - self.beta_1, self.beta_2],
            # mean / (sqrt(square / seen) + epsilon), with one fewer pass over memory.
            self.epsilon * seen_square**0.5,
            -learning_rate / seen_mean * seen_square**0.5,
        )


@compiled
def _adam_step(
    tensors: list[Tensor],
    gradient: Tensor,
    n_biases: int,
    decay: float,
    rates: list[float],
    epsilon: float,
    size: float,
):
    weights, mean, square, scale = tensors[0], tensors[1], tensors[2], tensors[3]
    weights[n_biases:].mul_(decay)
    mean.lerp_(gradient, rates[0])
    square.mul_(rates[1]).addcmul_(gradient, gradient, value=1.0 - rates[1])
    # Copy first: the root of non-contiguous memory takes ten times as long.
    scale.copy_(square).sqrt_().add_(epsilon)
    weights.addcdiv_(mean, scale, value=size)


RULES = {"adam": Adam}
