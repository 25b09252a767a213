"""What computes the losses and gradients of minibatches, by the name of a back end.

A back end is two functions. ``make_workspace(weights, n_inputs)`` makes the memory of
one thread, whose ``gradient.flat`` is the gradient that was last computed, or 0 after
``clear(weights)``, and whose ``end`` are the states in which truncated windows have
ended.
``loss_and_gradient(weights, batch, loss, workspace, truncate)`` computes the summed
loss of a batch, a number or a Tensor of shape (), and writes the gradient; see
:func:`skrnn._core.windows.loss_and_gradient`. Its weights and batches are on the device
where it computes.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from skrnn._core import network, windows
from skrnn._core.imports import kernel_imports


class Kernels(NamedTuple):
    """A back end.

    Attributes
    ----------
    make_workspace, loss_and_gradient : callables
    """

    make_workspace: Callable
    loss_and_gradient: Callable


@cache  # since it is asked for each shard
def _autograd():
    """The back end of torch's operations, imported when it is first needed."""
    with kernel_imports():
        from skrnn._core.autograd import network

    return network


@cache
def _fused():
    """The layers of Triton, imported when they are first needed."""
    with kernel_imports():
        from skrnn._core.autograd import fused

    return fused


KERNELS = {
    "numba": Kernels(network.Workspace, windows.loss_and_gradient),
    "autograd": Kernels(
        lambda weights, n_inputs: _autograd().Workspace(),
        lambda *arguments: _autograd().loss_and_gradient(*arguments),
    ),
    "triton": Kernels(
        lambda weights, n_inputs: _autograd().Workspace(_fused().layer_for),
        lambda *arguments: _autograd().loss_and_gradient(*arguments),
    ),
}
