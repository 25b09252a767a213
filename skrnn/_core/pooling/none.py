"""All hidden states as they are, for networks that predict something at each step.

This is only for training: predictions at each step use
:func:`skrnn._core.encode.states_of_all_steps`.
"""

NEEDS_SEQUENCE = False  # whether `pool` needs the sequence of each row


def width(nhidden):
    """Return the length of the vector that the output layer reads."""
    return nhidden
