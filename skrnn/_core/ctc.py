"""Sequences of tokens that frames emit: connectionist temporal classification [1]_.

A frame emits a token, or nothing: the blank. What the frames of a sequence emit, one
after the other, is an alignment. It stands for the sequence of tokens that is left once
runs of the same token have become one, and blanks have then been removed. Frames are
independent of each other, given the scores:

    p(alignment) = product of softmax(scores_t)[alignment_t] over all frames t
    p(y) = sum of p(alignment) over all alignments that stand for y

In all functions, ``scores`` of shape (n_frames, n_outputs) has the frames of the
sequences, one after the other; those of sequence n are the rows from ``offsets[n]`` up
to ``offsets[n + 1]``. Output 0 is the blank, and output i is the token i. The tokens of
sequence n are those in ``tokens`` from ``ends[n]`` up to ``ends[n + 1]``, without
blanks. Scores are float32, or float64; what is computed of them is float64.

The sum over all alignments is found frame by frame, forward and backward, as in the
reference. The places in y where an alignment may be are the blank before the first
token, this token, the blank after it, and so on: place 2 i - 1 is the i-th token, and
the others are blanks. From a frame to the next one, an alignment stays in its place, or
goes on to the next place, or from a token to the next one, if that is another.

References
----------
.. [1] Graves et al. (2006), "Connectionist Temporal Classification: Labelling
   Unsegmented Sequence Data with Recurrent Neural Networks", ICML.
"""

import math

import numpy as np

from skrnn._core.compiled import compiled

BLANK = 0


def n_needed(tokens, ends):
    """The least number of frames that can emit each sequence.

    A frame for each token, and one for a blank between two that are the same.

    Parameters
    ----------
    tokens, ends
        See the module.

    Returns
    -------
    n_needed : ndarray of shape (n_sequences,), int64
    """
    is_repeated = np.append(False, tokens[1:] == tokens[:-1])
    firsts = ends[:-1][np.diff(ends) > 0]
    is_repeated[firsts] = False
    return np.diff(ends) + np.diff(np.append(0, np.cumsum(is_repeated))[ends])


@compiled
def loss_and_gradient(scores, tokens, weight, offsets, ends):
    """Return the summed loss, and replace the scores by its gradient.

    The loss of a sequence of n tokens and T frames, K outputs and weights w is

        w_0 (-log p(y)) + w_1 (n + 1) / T sum_t mean_k (-log softmax(scores_t)[k]).

    The second part keeps scores moderate, as in
    :mod:`skrnn._core.losses.smoothed_cross_entropy`. There is a mean of it for each
    token and for the end, as if each of them had been emitted by a softmax of its own.

    Parameters
    ----------
    scores, tokens, offsets, ends
        See the module. If a sequence has too few frames for its tokens, the loss is
        infinite, and there is no gradient: it is NaN.
    weight : ndarray of shape (n_sequences, 2)

    Returns
    -------
    total : float
    """
    total = 0.0
    for n in range(len(weight)):
        s, y = scores[offsets[n] : offsets[n + 1]], tokens[ends[n] : ends[n + 1]]
        if len(s) == 0:
            total += 0.0 if len(y) == 0 else np.inf
            continue
        log_p, a = np.empty((len(s), len(y) + 1)), np.empty((len(s), 2 * len(y) + 1))
        of_alignments = np.float64(weight[n, 0])
        of_all = np.float64(weight[n, 1]) * (len(y) + 1) / len(s)
        total += of_all * _through_softmax(s, y, of_alignments + of_all, log_p)
        _add_to_all(s, -of_all / s.shape[1])
        log_y = _forward(log_p, y, a)
        total -= of_alignments * log_y
        _backward(log_p, y, a, log_y, of_alignments, s)
    return total


@compiled
def loss_and_gradient_of_steps(scores, tokens, weight, offsets, ends, n_frames):
    """Do the same for the scores of steps, each of which has those of some frames.

    Parameters
    ----------
    scores : ndarray of shape (n_steps, n_frames * n_outputs)
        The frames of a step are side by side.
    tokens, weight, offsets, ends
        As in :func:`loss_and_gradient`; offsets count frames.
    n_frames : int

    Returns
    -------
    total : float
    """
    shape = len(scores) * n_frames, scores.shape[1] // n_frames
    return loss_and_gradient(scores.reshape(shape), tokens, weight, offsets, ends)


@compiled
def log_probabilities(scores, tokens, offsets, ends):
    """Return log p(y) of each sequence; -inf if it has too few frames.

    Parameters
    ----------
    scores, tokens, offsets, ends
        See the module.

    Returns
    -------
    log_p : ndarray of shape (n_sequences,), float64
    """
    log_p = np.zeros(len(offsets) - 1)
    for n in range(len(log_p)):
        s, y = scores[offsets[n] : offsets[n + 1]], tokens[ends[n] : ends[n + 1]]
        log_p[n] = log_probability(s, log_sums(s), y)
    return log_p


@compiled
def log_probability(s, log_n, y):
    """Return log p(y) of one sequence.

    Parameters
    ----------
    s : ndarray of shape (n_frames, n_outputs)
        Its scores.
    log_n : ndarray of shape (n_frames,), float64
        What :func:`log_sums` returns of them.
    y : ndarray of shape (n_tokens,), int64

    Returns
    -------
    log_y : float
    """
    if len(s) == 0:
        return 0.0 if len(y) == 0 else -np.inf
    log_p, a = np.empty((len(s), len(y) + 1)), np.empty((len(s), 2 * len(y) + 1))
    for t in range(len(s)):
        _of_tokens(s[t], log_n[t], y, log_p[t])
    return _forward(log_p, y, a)


@compiled
def log_sums(s):
    """Return log sum_k exp(s_tk) of each frame, in float64."""
    log_n = np.empty(len(s))
    for t in range(len(s)):
        largest, n = _largest(s[t]), 0.0
        for k in range(s.shape[1]):
            n += math.exp(s[t, k] - largest)
        log_n[t] = largest + math.log(n)
    return log_n


@compiled
def log_add(a, b):
    """Return log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    # NaN is not less than anything, but must not get lost.
    return a if b == -np.inf else a + math.log1p(math.exp(b - a))


@compiled
def _largest(row):
    largest = row[0]
    for k in range(1, len(row)):
        largest = row[k] if row[k] > largest or row[k] != row[k] else largest
    return np.float64(largest)


@compiled
def _of_tokens(s, log_n, y, log_p):
    """Write the log-probabilities of the blank, and of each token of y."""
    log_p[0] = s[BLANK] - log_n
    for i in range(len(y)):
        log_p[i + 1] = s[y[i]] - log_n


@compiled
def _through_softmax(s, y, weight, log_p):
    """Replace scores by probabilities, times a weight.

    Returns the sum over frames of the cross entropy of all outputs, and writes the
    log-probabilities of those in y.
    """
    total = 0.0
    for t in range(len(s)):
        row, largest, n, mean = s[t], _largest(s[t]), 0.0, 0.0
        _of_tokens(row, largest, y, log_p[t])
        for k in range(len(row)):
            mean += np.float64(row[k])
            each = math.exp(row[k] - largest)
            n += each
            row[k] = each
        log_n = math.log(n)
        total += largest + log_n - mean / len(row)
        for i in range(len(y) + 1):
            log_p[t, i] -= log_n
        for k in range(len(row)):
            row[k] *= weight / n
    return total


@compiled
def _add_to_all(s, number):
    for t in range(len(s)):
        for k in range(s.shape[1]):
            s[t, k] += number


@compiled
def _skips(y, place):
    """Whether an alignment may come to a place from that before the last one."""
    if place % 2 == 0 or place < 3:
        return False
    i = place // 2
    return y[i] != y[i - 1]


@compiled
def _within_reach(t, a):
    """The places at frame t between which y can begin and end in time: a range.

    The first one, and the end.
    """
    n_frames, n_places = a.shape
    return max(0, n_places - 2 * (n_frames - t)), min(2 * t + 2, n_places)


@compiled
def _forward(log_p, y, a):
    """Write the logarithms of the sums up to each frame, and return log p(y).

    Those of places that are too far from the beginning, or from the end, are -inf.
    """
    n_places = a.shape[1]
    a[:] = -np.inf
    a[0, 0] = log_p[0, 0]
    if n_places > 1:
        a[0, 1] = log_p[0, 1]
    for t in range(1, len(a)):
        first, end = _within_reach(t, a)
        for place in range(first, end):
            total = a[t - 1, place]
            if place > 0:
                total = log_add(total, a[t - 1, place - 1])
            if _skips(y, place):
                total = log_add(total, a[t - 1, place - 2])
            i = (place + 1) // 2 if place % 2 else 0
            a[t, place] = total + log_p[t, i]
    if n_places == 1:
        return a[-1, 0]
    return log_add(a[-1, n_places - 1], a[-1, n_places - 2])


@compiled
def _backward(log_p, y, a, log_y, weight, gradient):
    """Subtract the probabilities of places, given y, from the gradients of frames.

    They are what :func:`_forward` has written, times the sums over what follows.
    """
    n_places = a.shape[1]
    # The logarithms of the sums over what follows a frame; in v, with it.
    b, v = np.full(n_places, -np.inf), np.full(n_places, -np.inf)
    b[n_places - 1] = 0.0
    if n_places > 1:
        b[n_places - 2] = 0.0
    for t in range(len(a) - 1, -1, -1):
        first, end = _within_reach(t, a)
        for place in range(first, end):
            i = (place + 1) // 2 if place % 2 else 0
            k = y[i - 1] if i > 0 else BLANK
            gradient[t, k] -= weight * math.exp(a[t, place] + b[place] - log_y)
            v[place] = b[place] + log_p[t, i]
        first, end = _within_reach(t - 1, a)
        for place in range(first, end):
            total = v[place]
            if place + 1 < n_places:
                total = log_add(total, v[place + 1])
            if place + 2 < n_places and _skips(y, place + 2):
                total = log_add(total, v[place + 2])
            b[place] = total
