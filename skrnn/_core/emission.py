"""Frames, which the steps of a sequence emit, and which emit another one.

    frame_ji = F_i e_j,    i = 1, ..., n_frames
    scores_ji = V frame_ji + c

where e_j is the state of the network after step j. All frames of step j come before
those of step j + 1. What they emit is that of :mod:`skrnn._core.ctc`.
"""

import numpy as np

from skrnn._core import network, output
from skrnn._core.beam import Hypotheses
from skrnn._core.decoder import backward_by_sequence, states_by_sequence
from skrnn._core.imports import kernel_imports


def loss_and_gradient(weights, batch, loss, workspace):
    """Compute the summed loss of a batch; write its gradient to ``workspace.gradient``.

    Parameters
    ----------
    weights : Weights
        Of a network with frames.
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
        from skrnn._core.products import multiply

    trace = network.forward(weights, batch, workspace)
    packing, masks = batch.packing, batch.masks[len(weights.layers) - 1 :]
    H = states_by_sequence(trace.passed.top, packing)
    masks = [np.repeat(mask.numpy(), packing.lengths, axis=0) for mask in masks]
    if masks:
        H *= masks[0]
    frames = _frames(weights, H)
    if masks:  # the same for all frames of a step
        of_frames = np.repeat(masks[1], weights.architecture.n_frames, axis=0)
        frames *= of_frames
    tokens, ends = batch.target.in_order().without_ends()
    total, dframes = output.loss_and_gradient(
        loss,
        (weights.V.numpy(), weights.c.numpy()),
        (workspace.gradient.V.numpy(), workspace.gradient.c.numpy()),
        frames,
        tokens,
        batch.weight.numpy(),
        workspace.scratch,
        (ctc.loss_and_gradient, _offsets(weights, packing), ends),
    )
    if masks:
        dframes *= of_frames
    # frames = H F^T, all frames of a step side by side
    dframes, dH = dframes.reshape(len(H), -1), np.empty_like(H)
    F, dF = weights.others["frames"].numpy(), workspace.gradient.others["frames"]
    multiply(dframes.T, H, dF.numpy(), False)
    multiply(dframes, F, dH, False)
    if masks:
        dH *= masks[0]
    backward_by_sequence(weights, batch, trace, dH)
    return total


def _frames(weights, H):
    """The frames of all steps, of shape (n_states * n_frames, n_encoded)."""
    with kernel_imports():
        from skrnn._core.products import multiply

    F = weights.others["frames"].numpy()
    frames = np.empty((len(H), len(F)), H.dtype)
    multiply(H, np.ascontiguousarray(F.T), frames, False)
    return frames.reshape(-1, H.shape[1])


def _offsets(weights, packing):
    """Where the frames of each sequence begin."""
    n_frames = weights.architecture.n_frames * packing.lengths
    return np.append(0, np.cumsum(n_frames))


def scores_of_frames(weights, memory):
    """The scores of the frames of some sequences.

    Parameters
    ----------
    weights : Weights
    memory : Memory
        See :mod:`skrnn._core.transduce`.

    Returns
    -------
    scores : ndarray of shape (n_frames, n_outputs)
    offsets : ndarray of shape (n_sequences + 1,), int64
        Where the frames of each sequence begin, in the order of the memory.
    """
    frames = _frames(weights, memory.H)
    scores = output.output_scores(weights.V.numpy(), weights.c.numpy(), frames)
    return scores, _offsets(weights, memory.packing)


def log_p_of_answers(weights, memory, answers):
    """The logarithms of the probabilities of given answers.

    Parameters
    ----------
    weights : Weights
    memory : Memory
    answers : Answers
        Those of the sequences of the memory, in its order.

    Returns
    -------
    log_p : ndarray of shape (n_sequences,), float64
        -inf for those that have more tokens than there are frames for.
    """
    with kernel_imports():
        from skrnn._core import ctc

    scores, offsets = scores_of_frames(weights, memory)
    tokens, ends = answers.without_ends()
    return ctc.log_probabilities(scores, tokens, offsets, ends)


def search(weights, memory, max_length, width=1, n_best=1, length_penalty=0.0):
    """Search for the likeliest sequences; see :mod:`skrnn._core.ctc_search`.

    Parameters
    ----------
    weights : Weights
    memory : Memory
    max_length, width, n_best, length_penalty
        As in :func:`skrnn._core.beam.beam_search`.

    Returns
    -------
    found : Hypotheses
        In the order of the memory.
    """
    with kernel_imports():
        from skrnn._core import ctc_search

    scores, offsets = scores_of_frames(weights, memory)
    # No sequence has more tokens than frames.
    longest = min(max_length, int(np.diff(offsets).max(initial=0)))
    shape = len(offsets) - 1, n_best
    tokens = np.empty((*shape, longest), np.int64)
    lengths, log_p = np.empty(shape, np.int64), np.empty(shape)
    found = Hypotheses(tokens, lengths, log_p, np.empty(shape, bool))
    ctc_search.search(scores, offsets, (width, longest), length_penalty, *found)
    return found
