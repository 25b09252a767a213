"""Reading step by step, and drawing what comes next."""

import numpy as np

from skrnn._core.encode import Direction
from skrnn._core.output import output_scores


class StepByStep:
    """The states of sequences that are read side by side, one step at a time.

    Parameters
    ----------
    weights : Weights
        Those of a network of one direction.
    n_sequences : int
    states : list of tuples of ndarrays of shape (n_sequences, nhidden), default=None
        By layer, the states before the next step. None if nothing has been read.
    condition : Condition, default=None
        What depends on the context of each sequence, if there is one.

    Attributes
    ----------
    states : list of tuples of ndarrays, or None
        The current ones, whose memory is used again two steps later.
    sequences : ndarray of shape (n_sequences,), int64
        Which context each of them has.

    Notes
    -----
    Time and memory of a step do not depend on the number of steps before it. States
    are those of :func:`skrnn._core.encode.encode`, to the bit.
    """

    def __init__(self, weights, n_sequences, states=None, condition=None):
        self._condition, self.sequences = condition, np.arange(n_sequences)
        if condition is not None and states is None:
            states = condition.start
        self._direction = Direction(weights, 0)
        # The product reads its transpose, which is then contiguous.
        self._V = np.asfortranarray(weights.V.numpy())
        self._c = weights.c.numpy()
        self._scratches = self._direction.scratches(2)  # for successive steps
        self.states = states

    @property
    def h(self):
        """The last layer's hidden states, of shape (n_sequences, nhidden)."""
        if self.states is None:
            return self._direction.no_states(len(self.sequences))[-1][0]
        return self.states[-1][0]

    def read(self, x):
        """Read one step of each sequence.

        Parameters
        ----------
        x : ndarray of shape (n_sequences,), int32, or (n_sequences, n_inputs), float32
        """
        self._scratches.reverse()
        b = None
        if self._condition is not None and self._condition.b is not None:
            b = self._condition.b[self.sequences]
        self.states = self._direction.read(
            x, np.array([len(x)]), self.states, self._scratches[0], b=b
        )

    def take(self, rows):
        """Go on with some of the sequences, which have been read at least once.

        Parameters
        ----------
        rows : ndarray of int or bool
        """
        self.states = [tuple(part[rows] for part in parts) for parts in self.states]
        self.sequences = self.sequences[rows]

    def scores(self):
        """``V h + c``, of shape (n_sequences, n_outputs)."""
        return output_scores(self._V, self._c, np.ascontiguousarray(self.h))


def probabilities(scores, temperature=1.0, top_k=None, top_p=None):
    """The probabilities of what may be drawn.

    Parameters
    ----------
    scores : ndarray of shape (n_sequences, n_outputs)
        -inf for what is impossible.
    temperature : float, default=1.0
        By which scores are divided. At 0, only the largest score may be drawn.
    top_k : int, default=None
        Only this many outputs of the largest scores may be drawn.
    top_p : float, default=None
        Only the fewest outputs of the largest scores whose probabilities sum up to at
        least this may be drawn [1]_.

    Returns
    -------
    p : ndarray of shape (n_sequences, n_outputs), float64

    References
    ----------
    .. [1] Holtzman et al. (2020), "The Curious Case of Neural Text Degeneration", ICLR.
    """
    scores = scores.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    if temperature == 0:
        p = np.zeros_like(scores)
        p[np.arange(len(p)), scores.argmax(axis=1)] = 1.0
        return p
    with np.errstate(over="ignore"):  # to -inf
        p = np.exp(scores / temperature)
    p /= p.sum(axis=1, keepdims=True)
    if top_k is None and top_p is None:
        return p
    order = np.argsort(-p, axis=1, kind="stable")
    largest_first = np.take_along_axis(p, order, axis=1)
    if top_k is not None:
        largest_first[:, top_k:] = 0.0
        largest_first /= largest_first.sum(axis=1, keepdims=True)
    if top_p is not None:
        of_larger = largest_first.cumsum(axis=1) - largest_first
        largest_first[of_larger >= top_p] = 0.0
    np.put_along_axis(p, order, largest_first, axis=1)
    return p / p.sum(axis=1, keepdims=True)


def log_probabilities(scores):
    """The logarithms of the probabilities at a temperature of 1.

    Parameters
    ----------
    scores : ndarray of shape (n_sequences, n_outputs)
        -inf for what is impossible.

    Returns
    -------
    log_p : ndarray of shape (n_sequences, n_outputs), float64
    """
    scores = scores.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def draw(p, uniform):
    """Draw an output for each sequence.

    Parameters
    ----------
    p : ndarray of shape (n_sequences, n_outputs)
        The probabilities.
    uniform : ndarray of shape (n_sequences,)
        Random numbers from 0 to 1, without 1.

    Returns
    -------
    chosen : ndarray of shape (n_sequences,), int64
    """
    up_to = p.cumsum(axis=1)
    return (up_to > (uniform * up_to[:, -1])[:, np.newaxis]).argmax(axis=1)
