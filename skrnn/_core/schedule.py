"""How the learning rate rises and falls, and how long it is held in between."""

import math
from typing import NamedTuple

WARM_UP = 0.25  # fraction of a fit during which the learning rate rises
# Not at WARM_UP: what is learned a little later needs no longer fit, and the learning
# rate is still at 97 % of its maximum.
HELD_AT = 1 / 3


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


class Clock(NamedTuple):
    """How much of a fit is complete, if its end may move while it runs.

    Attributes
    ----------
    n_epochs : int
        The epoch after which the fit ends, as far as is known.
    since : int
        The epoch after which the end was last moved.
    done : float
        The fraction of the fit that was complete then.
    is_held : bool
        Whether the clock stops at HELD_AT, where the learning rate is high.
    """

    n_epochs: int
    since: int = 0
    done: float = 0.0
    is_held: bool = False

    def read(self, n_minibatches, n_per_epoch=1):
        """The fraction of the fit that is complete after some minibatches, or epochs.

        Parameters
        ----------
        n_minibatches : int or float
        n_per_epoch : int, default=1
        """
        elapsed = n_minibatches - self.since * n_per_epoch
        left = (self.n_epochs - self.since) * n_per_epoch
        done = self.done + (1 - self.done) * (elapsed / left)
        return min(done, HELD_AT) if self.is_held else done

    def moved(self, n_done, n_epochs, is_held=False):
        """The clock after `n_done` epochs, from now on to run to another end."""
        return Clock(n_epochs, n_done, self.read(n_done), is_held)
