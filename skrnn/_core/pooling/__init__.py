"""From the hidden states of all steps to one vector per sequence, and back.

Each pooling is a module of this package, with compiled functions. Pooling goes forward
in parts: sequences may be read a few steps at a time, or one, and between the parts
only what has been gathered is in memory.

- `gathered_width(nhidden)` and `START` are the length and the initial value of the
  gathered vectors;
- ``gather(H, sizes, gathered)`` adds to them the hidden states of some packed rows;
- ``finish(gathered, lengths, h)`` computes the pooled vectors, of `width(nhidden)`;
- ``spread(dh, H, sizes, gathered, lengths, dlast, dH)`` is the way back: it writes the
  gradient with respect to the last hidden states, and with respect to all of them in
  these rows, unless `IS_LAST_ONLY`.

`lengths` has the number of all steps of each sequence. A pooling with its own weights
also has a function `weights_of`; its `gather` then takes the weights as well, and its
`spread` the weights and their gradients, to which it adds.
"""

from functools import cache
from importlib import import_module
from typing import Literal, get_args

import numpy as np

from skrnn._core.imports import kernel_imports

# The names that users may pass.
PoolingName = Literal["last", "mean", "max", "concat", "sum"]
# And those of networks that predict something at each step.
POOLINGS = (*get_args(PoolingName), "none")


@cache
def page_of(name):
    """Return the module of a pooling, which is imported when it is first needed."""
    if name not in POOLINGS:
        raise ValueError(f"There is no pooling {name!r}.")
    with kernel_imports():
        return import_module(f"{__name__}.{'largest' if name == 'max' else name}")


def width(name, nhidden):
    """Return the length of the pooled vector."""
    return page_of(name).width(nhidden)


def weights_of(name, nhidden):
    """Return the names and shapes of the weights of a pooling, for one direction."""
    page = page_of(name)
    return page.weights_of(nhidden) if hasattr(page, "weights_of") else ()


def nothing(name, n_sequences, nhidden, dtype):
    """Return what has been gathered before the first step."""
    page = page_of(name)
    shape = (n_sequences, page.gathered_width(nhidden))
    return np.full(shape, page.START, dtype)


def gather(name, H, sizes, gathered, weights=()):
    """Add the hidden states of packed rows to what has been gathered."""
    page_of(name).gather(H, sizes, gathered, *weights)


def finish(name, gathered, lengths, nhidden):
    """Return the pooled vectors, of shape (n_sequences, width)."""
    page = page_of(name)
    h = np.empty((len(gathered), page.width(nhidden)), gathered.dtype)
    page.finish(gathered, lengths, h)
    return h


def spread(name, dh, H, sizes, gathered, lengths, scratch, weights=()):
    """Compute the gradient with respect to the hidden states.

    Parameters
    ----------
    name : str
    dh : ndarray of shape (n_sequences, width)
        Gradient with respect to the pooled vectors.
    H, sizes, gathered, lengths
        As before; all steps have been gathered.
    scratch : Scratch
    weights : tuple of ndarrays, default=()
        The weights of the pooling, for this direction, then their gradients, to which
        is added.

    Returns
    -------
    dlast : ndarray of shape (n_sequences, nhidden)
        Gradient with respect to the last hidden state of each sequence.
    dH : ndarray of shape (n_rows, nhidden)
        Gradient with respect to all hidden states, to be added; without rows if it is
        0.
    """
    page = page_of(name)
    n_sequences, nhidden = len(dh), H.shape[1]
    dlast = scratch.take(n_sequences, nhidden)
    dH = scratch.take(0 if page.IS_LAST_ONLY else len(H), nhidden)
    page.spread(dh, H, sizes, gathered, lengths, dlast, dH, *weights)
    return dlast, dH
