"""The cells: what happens to the hidden state at one step, forward and back.

Each cell is a module of this package, and its name is the value of the parameter
`cell`. The module has its equations, and a function ``make(activation, recurrence)``
that returns a :class:`Cell`. :mod:`skrnn._core.recurrence` runs it over all steps.

A cell works on rows. `G` has a row for each step of each sequence, with `n_blocks`
blocks of nhidden columns. Before a step, all blocks of its row hold the biases, the
last `n_input_blocks` also ``U x_t``, and the first `n_state_blocks` also
``W h_{t-1}``.

- ``forward(G, row, before, i, kept)`` writes the states after the step to the first
  arrays of `kept`, and to the others and to G what `backward` needs.
- ``backward(G, row, before, i, kept, dstates, at)`` replaces a row of G by the
  gradient with respect to it, and row `at` of `dstates`, the gradients with respect to
  the states after the step, by those with respect to the states before it, except for
  what goes through ``W h_{t-1}``.

The states before the step are row `i` of the arrays `before`. All arrays of a tuple
have nhidden columns.
"""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal, get_args

from skrnn._core.imports import kernel_imports

# The names that users may pass; activations and recurrences are for the cell "rnn".
CELLS = tuple(module.name for module in pkgutil.iter_modules(__path__))
CellName = Literal[CELLS]
ActivationName = Literal["tanh", "relu", "identity"]
RecurrenceName = Literal["learned", "identity"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What the rest of the network needs to know about a cell.

    Attributes
    ----------
    forward, backward : compiled functions
    n_blocks : int
        Number of blocks of nhidden columns in G.
    n_state_blocks, n_input_blocks : int
        Number of first blocks to which ``W h_{t-1}`` is added, and number of last
        blocks to which ``U x_t`` is added.
    n_states : int
        1 for h alone; 2 for h and c.
    n_kept : int
        Number of arrays that `forward` writes in addition to G, the states first.
    torch_order : tuple of (name, tuple of int)
        For U, W and b, the indices of our blocks in the order of torch.nn, which is
        also that of the public weights.
    has_W : bool
        False if W is the identity and not a weight.
    forget_block : int or None
        The index of the block of the forget gate.
    """

    forward: Callable
    backward: Callable
    n_blocks: int = 1
    n_state_blocks: int = 1
    n_input_blocks: int = 1
    n_states: int = 1
    n_kept: int = 1
    torch_order: tuple = (("U", (0,)), ("W", (0,)), ("b", (0,)))
    has_W: bool = True
    forget_block: int | None = None


@cache
def make_cell(name, activation="tanh", recurrence="learned"):
    """Make a cell from the values of the public parameters.

    Its module is imported here rather than at the top, since compiled code needs numba,
    which takes a while to import.
    """
    is_known = (
        name in CELLS
        and activation in get_args(ActivationName)
        and recurrence in get_args(RecurrenceName)
    )
    if not is_known:
        raise ValueError(
            f"There is no cell {name!r} with activation {activation!r} and recurrence "
            f"{recurrence!r}."
        )
    with kernel_imports():
        return import_module(f"{__name__}.{name}").make(activation, recurrence)
