"""The minibatch loop: order, schedule, step, clipping, stopping, history."""

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch

from skrnn._core import network
from skrnn._core.packing import pack
from skrnn._core.vocabulary import UNKNOWN


class Adam:
    """Adam on one flat tensor, in place.

    Parameters
    ----------
    weights : Tensor of shape (n_weights,)

    Notes
    -----
    ``torch.optim`` is not used: creating one of its optimisers imports the compiler,
    which takes longer than fitting a small network.

    References
    ----------
    .. [1] Kingma and Ba (2015), "Adam: A Method for Stochastic Optimization", ICLR,
       algorithm 1 (beta_1 0.9, beta_2 0.999, epsilon 1e-8).
    """

    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, weights):
        self.weights = weights
        self.mean = torch.zeros_like(weights)  # of the gradient
        self.square = torch.zeros_like(weights)  # of its square
        self.n_steps = 0

    def step(self, gradient, learning_rate):
        """Move the weights against `gradient`, of shape (n_weights,)."""
        self.n_steps += 1
        self.mean.lerp_(gradient, 1 - self.beta_1)
        self.square.mul_(self.beta_2)
        self.square.addcmul_(gradient, gradient, value=1 - self.beta_2)
        # Both averages started at 0; divide by the share of real gradients in them.
        seen_mean = 1 - self.beta_1**self.n_steps
        seen_square = 1 - self.beta_2**self.n_steps
        scale = self.square.sqrt().mul_(seen_square**-0.5).add_(self.epsilon)
        self.weights.addcdiv_(self.mean, scale, value=-learning_rate / seen_mean)


def to_clipped_mean(gradient, n_sequences, max_norm):
    """Turn a summed gradient into the mean, of at most `max_norm` in length, in place.

    Parameters
    ----------
    gradient : Tensor of shape (n_weights,)
    n_sequences : int
    max_norm : float or None
        None does not clip.

    References
    ----------
    .. [1] Pascanu, Mikolov and Bengio (2013), "On the difficulty of training
       recurrent neural networks", ICML.
    """
    if max_norm is None:
        gradient.div_(n_sequences)
        return
    # mean * min(1, max_norm / |mean|) = sum * min(1 / n, max_norm / |sum|)
    norm = torch.linalg.vector_norm(gradient)
    gradient.mul_((max_norm / norm).clamp_(max=1.0 / n_sequences))


_BATCHES_AT_A_TIME = 64

WARM_UP = 0.25  # the share of a fit in which the learning rate rises


def one_cycle(done, start=0.1, end=0.01):
    """Learning rate over its maximum, when the share `done` of a fit is done.

    Rises by half a cosine from `start` to 1, then falls by another one to `end` [1]_.

    References
    ----------
    .. [1] Smith and Topin (2019), "Super-convergence: very fast training of neural
       networks using large learning rates", SPIE 11006.
    """
    if done < WARM_UP:
        low, phase = start, 1 - done / WARM_UP
    else:
        low, phase = end, (done - WARM_UP) / (1 - WARM_UP)
    return low + (1 - low) * 0.5 * (1 + math.cos(math.pi * phase))


@dataclass(frozen=True, slots=True)
class Examples:
    """Training data on the device.

    Attributes
    ----------
    values : Tensor of shape (n_rows,), int64, or (n_rows, n_inputs)
        Token ids or numbers of all sequences, end to end.
    offsets : ndarray of shape (n_samples + 1,)
    target : Tensor of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : Tensor of shape (n_samples,)
        Of mean 1.
    hiding : Tensor of shape (n_inputs,) or None
        Probability of each token to be replaced by the unknown one, id 0.
    """

    values: torch.Tensor
    offsets: np.ndarray
    target: torch.Tensor
    sample_weight: torch.Tensor
    hiding: torch.Tensor | None = None

    def batches(self, batch_size, generator):
        """The sequences in random order, packed batch by batch.

        Yields
        ------
        x : Tensor of shape (n_rows,), int64, or (n_rows, n_inputs)
        packing : Packing
        target, sample_weight : Tensors
            In the order of the packing.
        """
        order = torch.randperm(len(self.target), generator=generator)
        # Packing many batches at a time, but not all: memory is to stay bounded.
        for indices in order.split(batch_size * _BATCHES_AT_A_TIME):
            for packing in pack(self.offsets, indices.numpy(), batch_size):
                x = self.values.index_select(0, packing.rows)
                if self.hiding is not None:
                    chance = torch.rand(len(x), generator=generator)
                    x.masked_fill_(chance < self.hiding[x], UNKNOWN)
                chosen = packing.indices
                yield x, packing, self.target[chosen], self.sample_weight[chosen]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train: the numbers of a fit, resolved.

    Attributes
    ----------
    n_epochs : int
        At most this many passes over the data; the schedule spans them all.
    batch_size : int
        Sequences an update.
    learning_rate : float
        The largest one of the schedule.
    weight_decay : float
        Each update scales U, W and V by ``1 - learning_rate * weight_decay`` [1]_.
    max_grad_norm : float or None
    tol : float
    n_iter_no_change : int
        Stop when the loss has been below `tol` for this many epochs in a row.

    References
    ----------
    .. [1] Loshchilov and Hutter (2019), "Decoupled Weight Decay Regularization",
       ICLR.
    """

    n_epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    max_grad_norm: float | None
    tol: float
    n_iter_no_change: int


@dataclass(slots=True)
class Progress:
    """What a fit has done so far; handed to `on_epoch` after each epoch."""

    n_epochs: int
    n_sequences: int
    loss_curve: list = field(default_factory=list)
    best_loss: float = math.inf
    n_converged: int = 0  # epochs in a row with a loss below tol
    diverged: bool = False  # the last epoch ended with numbers that are not finite
    started: float = field(default_factory=time.perf_counter)

    def record(self, loss, tol):
        """Add the loss of an epoch."""
        self.loss_curve.append(loss)
        self.n_converged = self.n_converged + 1 if loss < tol else 0
        self.best_loss = min(self.best_loss, loss)

    def __str__(self):
        epoch = len(self.loss_curve)
        seconds = time.perf_counter() - self.started
        speed = epoch * self.n_sequences / seconds
        left = seconds / epoch * (self.n_epochs - epoch)
        return (
            f"Epoch {epoch}/{self.n_epochs}, loss {self.loss_curve[-1]:.4f}, "
            f"{speed:,.0f} sequences/s, {left:.0f} s left"
        )


def fit(weights, examples, loss, activation, plan, generator, on_epoch=None):
    """Train `weights` in place: minibatches, Adam, a one-cycle learning rate.

    Stops at a loss or weights that are not finite, with the weights from before that
    epoch.

    Parameters
    ----------
    weights : Weights
        Initial values.
    examples : Examples
    loss : callable
        As in :func:`skrnn._core.network.loss_and_gradient`.
    activation : {"tanh", "relu"}
    plan : Plan
    generator : torch.Generator
        All that is random: the order of the samples and the hidden tokens.
    on_epoch : callable, default=None
        Called with the Progress after each epoch.

    Returns
    -------
    progress : Progress
    """
    n_samples = len(examples.target)
    n_updates = plan.n_epochs * math.ceil(n_samples / plan.batch_size)
    optimiser = Adam(weights.flat)
    gradient = network.zeros_like(weights)
    scratch = network.Scratch(len(weights.b), weights.flat.dtype)
    progress = Progress(plan.n_epochs, n_samples)
    for _ in range(plan.n_epochs):
        before = weights.flat.clone()
        total = weights.flat.new_zeros(())
        for x, packing, *target in examples.batches(plan.batch_size, generator):
            total += network.loss_and_gradient(
                weights, gradient, scratch, x, packing, activation, loss, *target
            )
            to_clipped_mean(gradient.flat, len(packing.indices), plan.max_grad_norm)
            done = optimiser.n_steps / n_updates
            learning_rate = plan.learning_rate * one_cycle(done)
            weights.decayed.mul_(1 - learning_rate * plan.weight_decay)
            optimiser.step(gradient.flat, learning_rate)
        # The one wait for the device in an epoch.
        progress.record(total.item() / n_samples, plan.tol)
        if on_epoch is not None:
            on_epoch(progress)
        if not (math.isfinite(progress.loss_curve[-1]) and weights.are_finite()):
            progress.diverged = True
            weights.flat.copy_(before)
            break
        if progress.n_converged >= plan.n_iter_no_change:
            break
    return progress
