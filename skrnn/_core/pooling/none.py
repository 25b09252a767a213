"""All hidden states as they are, for networks that predict something at each step.

There is nothing to gather: :mod:`skrnn._core.gradient` hands the states on, and
predictions use :func:`skrnn._core.encode.use_states_of_all_steps`.
"""


def width(nhidden):
    """Return the length of the vector that the output layer reads."""
    return nhidden
