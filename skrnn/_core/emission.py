"""Frames, which the steps of a sequence emit, and which emit another one.

    scores_ji = V_i e_j + c_i,    i = 1, ..., n_frames

where e_j is the state of the network after step j. The frames of step j come before
those of step j + 1. What they emit is that of :mod:`skrnn._core.ctc`. V has all V_i,
one below the other.
"""

import numpy as np

from skrnn._core import network, output
from skrnn._core.beam import Hypotheses, limited, mean_log_p
from skrnn._core.decoder import backward_by_sequence, states_by_sequence
from skrnn._core.generate import log_probabilities
from skrnn._core.imports import kernel_imports


def loss_and_gradient(weights, batch, loss, workspace):
    """Compute the summed loss of a batch; write its gradient to ``workspace.gradient``.

    Parameters
    ----------
    weights : Weights
        Those of a network with frames.
    batch : Batch
        All its sequences have steps, and its target is an Answer.
    loss : {"ctc"}
    workspace : Workspace

    Returns
    -------
    total : float
    """
    with kernel_imports():
        from skrnn._core import ctc

    trace = network.forward(weights, batch, workspace)
    packing, masks = batch.packing, batch.masks[len(weights.layers) - 1 :]
    H = states_by_sequence(trace.passed.top, packing)
    masks = [np.repeat(mask.numpy(), packing.lengths, axis=0) for mask in masks]
    for mask in masks:
        H *= mask
    tokens, ends = batch.target.in_order().without_ends()
    offsets, n_frames = _offsets(weights, packing), weights.architecture.n_frames
    total, dH = output.loss_and_gradient(
        loss,
        (weights.V.numpy(), weights.c.numpy()),
        (workspace.gradient.V.numpy(), workspace.gradient.c.numpy()),
        H,
        tokens,
        batch.weight.numpy(),
        workspace.scratch,
        (ctc.loss_and_gradient_of_steps, offsets, ends, n_frames),
    )
    for mask in masks:
        dH *= mask
    backward_by_sequence(weights, batch, trace, dH)
    return total


def _offsets(weights, packing):
    """Where the frames of each sequence begin."""
    n_frames = weights.architecture.n_frames * packing.lengths
    return np.append(0, np.cumsum(n_frames))


class Frames:
    """The frames of some sequences, which emit others.

    Parameters
    ----------
    scores : ndarray of shape (n_frames, n_outputs)
    offsets : ndarray of shape (n_sequences + 1,), int64
        Where the frames of each sequence begin.
    order : ndarray of shape (n_sequences,), int64
        Which of the sequences that were chosen these are.
    """

    def __init__(self, scores, offsets, order):
        self._scores, self._offsets, self._order = scores, offsets, order

    @classmethod
    def of(cls, weights, memory):
        """Those of what a network has read; see :mod:`skrnn._core.transduce`."""
        scores = output.output_scores(weights.V.numpy(), weights.c.numpy(), memory.H)
        scores = scores.reshape(len(scores) * weights.architecture.n_frames, -1)
        packing = memory.packing
        return cls(scores, _offsets(weights, packing), packing.indices)

    @staticmethod
    def together(frames, ids=None):
        """Those of the mean of the probabilities of several networks.

        All have the same outputs, so `ids` is None.
        """
        first, *others = frames
        if not others:
            return first
        log_p = mean_log_p([log_probabilities(each._scores) for each in frames])
        return Frames(log_p, first._offsets, first._order)

    def log_p(self, answers):
        """The logarithms of the probabilities of given answers.

        Parameters
        ----------
        answers : Answers
            Those of the sequences, in the order in which they were chosen.

        Returns
        -------
        log_p : ndarray of shape (n_sequences,), float64
            -inf for those that have more tokens than there are frames for.
        """
        with kernel_imports():
            from skrnn._core import ctc

        tokens, ends = answers[self._order].without_ends()
        log_p = np.empty(len(answers))
        log_p[self._order] = ctc.log_probabilities(
            self._scores, tokens, self._offsets, ends
        )
        return log_p

    def search(self, max_length, width=1, n_best=1, length_penalty=0.0):
        """Search for the likeliest sequences; see :mod:`skrnn._core.ctc_search`.

        Parameters
        ----------
        max_length, width, n_best, length_penalty
            As in :func:`skrnn._core.beam.beam_search`.

        Returns
        -------
        found : Hypotheses
            In the order in which sequences were chosen.
        """
        with kernel_imports():
            from skrnn._core import ctc_search

        # No sequence has more tokens than frames.
        longest = min(max_length, int(np.diff(self._offsets).max(initial=0)))
        width, n_best = limited(width, n_best, self._scores.shape[1], longest)
        shape = len(self._order), n_best
        tokens = np.empty((*shape, longest), np.int64)
        lengths, log_p = np.empty(shape, np.int64), np.empty(shape)
        found = Hypotheses(tokens, lengths, log_p, np.empty(shape, bool))
        limits = width, longest
        ctc_search.search(self._scores, self._offsets, limits, length_penalty, *found)
        return found.take(np.argsort(self._order))
