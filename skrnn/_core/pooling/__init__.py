"""From the hidden states of all steps to one vector per sequence, and back.

Each pooling is a module of this package, listed by name in POOLINGS. It has functions
for two loops. Training goes over packed rows and needs the gradient: `pool`, and
`spread`, its backward pass. They are compiled, so the functions of these names below
must name each pooling. Prediction goes over levels of steps and keeps only the latest
states: `nothing` before the first step, `gather` at each step, `finish` at the end;
LOOKS_BACK is whether `gather` needs what was gathered before. A pooling with its own
weights also has a function `weights_of`.
"""

from typing import Literal

import torch
from torch import Tensor

from skrnn._core.memory import take
from skrnn._core.pooling import concat, largest, last, mean, none
from skrnn._core.pooling import sum as sum_

# The names that users may pass.
PoolingName = Literal["last", "mean", "max", "concat", "sum"]
POOLINGS = {
    "last": last,
    "mean": mean,
    "max": largest,
    "concat": concat,
    "sum": sum_,
    "none": none,
}


def width(name, nhidden):
    """Return the length of the pooled vector."""
    return POOLINGS[name].width(nhidden)


def weights_of(name, nhidden):
    """Return the names and shapes of the weights of a pooling, for one direction."""
    page = POOLINGS[name]
    return page.weights_of(nhidden) if hasattr(page, "weights_of") else ()


def pool(
    name: str,
    H: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    gathered: list[Tensor],
    weights: list[Tensor],
):
    """Pool packed rows.

    Parameters
    ----------
    name : str
        A key of POOLINGS.
    H : Tensor of shape (n_rows, nhidden)
    batch_sizes : list of int
    packing : dict
        The tensors "last" and, for the mean, "sequence" and "lengths" of a Packing.
    gathered : list of 2 Tensors
        What `gather` has gathered from the steps before these rows, and the number of
        these steps; empty if there are none.
    weights : list of Tensors
        The weights of the pooling, for this direction.

    Returns
    -------
    h : Tensor of shape (n_sequences, width), or (n_rows, nhidden) for "none"
    kept : list of Tensors
        What :func:`spread` needs.
    """
    kept: list[Tensor] = []
    if name == "last":
        return last.pool(H, packing), kept
    if name == "mean":
        h, shares = mean.pool(H, batch_sizes, packing, gathered)
        return h, [shares]
    if name == "max":
        best = largest.pool(H, batch_sizes, gathered)
        return best, [best]
    if name == "concat":
        h, best = concat.pool(H, batch_sizes, packing, gathered)
        return h, [best]
    if name == "sum":
        h, best = sum_.pool(H, batch_sizes, packing, gathered)
        return h, [best]
    if name == "none":
        return H, kept
    raise ValueError("There is no pooling of this name.")


def spread(
    name: str,
    dh: Tensor,
    H: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    kept: list[Tensor],
    weights: list[Tensor],
    dweights: list[Tensor],
    memory: Tensor,
    used: list[int],
):
    """Compute the gradient with respect to the hidden states.

    Parameters
    ----------
    name : str
        A key of POOLINGS.
    dh : Tensor of shape (n_sequences, width), or (n_rows, nhidden) for "none"
        Gradient with respect to the pooled vectors.
    H, batch_sizes, packing, kept, weights
        As in :func:`pool`.
    dweights : list of Tensors
        The gradient with respect to the weights of the pooling is added to them.
    memory, used
        As in :func:`skrnn._core.memory.take`.

    Returns
    -------
    dh_last : Tensor of shape (n_sequences, nhidden)
        Gradient with respect to the last hidden state of each sequence.
    dH : list of Tensors of shape (n_rows, nhidden)
        Gradient with respect to all hidden states, to be added; empty if it is 0.
    """
    everywhere: list[Tensor] = []
    if name == "last":
        return dh, everywhere
    if name == "none":
        return dh.new_zeros([batch_sizes[0], dh.shape[1]]), [dh]
    dH = take(memory, used, H.shape[0], H.shape[1])
    everywhere.append(dH)
    if name == "mean":
        mean.spread(dh, packing, kept[0], dH)
        return torch.zeros_like(dh), everywhere
    if name == "max":
        largest.spread(dh.clone(), H, batch_sizes, kept[0], dH)
        return torch.zeros_like(dh), everywhere
    if name == "concat":
        return concat.spread(dh, H, batch_sizes, kept[0], dH), everywhere
    if name == "sum":
        return sum_.spread(dh, H, batch_sizes, kept[0], dH), everywhere
    raise ValueError("There is no pooling of this name.")
