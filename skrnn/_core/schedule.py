"""How the learning rate rises and falls, as a fraction of its maximum."""

import math

WARM_UP = 0.25  # fraction of a fit during which the learning rate rises


def one_cycle(done, start=0.1, end=0.01):
    """Learning rate over its maximum, when a fraction `done` of a fit is complete.

    It rises along half a cosine from `start` to 1, then falls along another half to
    `end` [1]_.

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


def constant(done):
    """Keep the learning rate at its maximum."""
    return 1.0


SCHEDULES = {"one_cycle": one_cycle, "constant": constant}
