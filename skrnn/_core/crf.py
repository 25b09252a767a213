"""Sequences of tags as a linear chain: a conditional random field [1]_.

    score(y) = start[y_1] + sum_t scores[t, y_t] + sum_t transitions[y_{t-1}, y_t]
               + end[y_T]
    p(y) = exp(score(y) - log Z),   Z = sum of exp(score(y')) over all y'

In all functions, ``scores`` of shape (n_rows, n_tags) has the steps of the sequences,
one after the other; those of sequence n are the rows from ``offsets[n]`` up to
``offsets[n + 1]``. ``chain`` is the tuple of ``transitions`` of shape (n_tags, n_tags),
from the tag of the row to that of the column, ``start`` and ``end``, both of shape
(n_tags,). All are float32, or all float64, and finite; what is computed of them is
float64. A sequence without steps has one sequence of tags, the empty one, of score 0.

Sums over all sequences of tags are found step by step, forward and backward [2]_. With
the logarithms a_i of the sums so far, the largest of which is 0, those of the next step
are log sum_i exp(a_i) E_ij, E = exp(transitions). Such a sum of products takes one
exponential for each tag instead of one for each pair. Where it is so small that
products that count may have been rounded to 0, it is computed again as
log sum_i exp(a_i + transitions_ij), from which the largest exponent is taken out.

References
----------
.. [1] Lafferty, McCallum and Pereira (2001), "Conditional Random Fields: Probabilistic
   Models for Segmenting and Labeling Sequence Data", ICML.
.. [2] Rabiner (1989), "A Tutorial on Hidden Markov Models and Selected Applications in
   Speech Recognition", Proc. IEEE 77(2).
.. [3] Tsuboi et al. (2008), "Training Conditional Random Fields Using Incomplete
   Annotations", COLING.
"""

import math

import numpy as np

from skrnn._core import rows
from skrnn._core.compiled import compiled

# A sum of products of numbers up to 1 is exact if it is not less than this. A product
# that has lost digits, or was rounded to 0, is less than the smallest normal number; so
# all of them together are less than a rounding error of the sum.
_LEAST = np.finfo(np.float64).tiny / np.finfo(np.float64).eps ** 2


@compiled
def loss_and_gradient(scores, offsets, target, weight, chain, dchain):
    """Return the summed loss, -log p(target), and replace the scores by its gradient.

    If some tags of a sequence are unknown, p is the sum over all that they may be [3]_.

    Parameters
    ----------
    scores, offsets, chain
        See the module.
    target : ndarray of shape (n_rows,), int64
    weight : ndarray of shape (n_rows,)
        0 for each step whose tag is unknown, and for the other steps of a sequence its
        weight.
    dchain : tuple of ndarrays
        The gradient with respect to the chain is added to it.

    Returns
    -------
    total : float
    """
    chain = in_float64(chain)
    factors = _exponentials(chain[0])
    a = np.empty((longest(offsets), scores.shape[1]))
    known = np.empty(a.shape, scores.dtype)
    pairs = np.empty_like(chain[0])
    total = 0.0
    for n in range(len(offsets) - 1):
        some = slice(offsets[n], offsets[n + 1])
        s, y, w = scores[some], target[some], weight[some]
        n_known, of_sequence = _count_known(w)
        if n_known == 0:
            rows.clear_all(s)
            continue
        rows.clear_all(pairs)
        p = known[: len(s)]
        if n_known == len(s):
            log_target = _score(s, y, chain)
            _write_target(y, p, pairs)
        else:
            _restrict(s, y, w, p)
            log_target = _forward(p, chain, factors, a)
            _backward(p, chain, factors, a, p, pairs)
            _negate(pairs)
        log_Z = _forward(s, chain, factors, a)
        total += of_sequence * (log_Z - log_target)
        _backward(s, chain, factors, a, s, pairs)
        _add_gradients(s, p, of_sequence, pairs, dchain)
    return total


@compiled
def loss_and_gradient_of_packed(scores, target, weight, sizes, chain, dchain):
    """Do the same for rows in packed order.

    Parameters
    ----------
    scores, target, weight, chain, dchain
        As in :func:`loss_and_gradient`.
    sizes : ndarray of shape (n_steps,), int64
        Number of sequences that have each step.

    Returns
    -------
    total : float
    """
    offsets = _offsets_of_packed(sizes)
    scores_of, target_of = np.empty_like(scores), np.empty_like(target)
    weight_of = np.empty_like(weight)
    row = 0
    for t in range(len(sizes)):
        for n in range(sizes[t]):
            to = offsets[n] + t
            rows.copy(scores[row], scores_of[to])
            target_of[to], weight_of[to] = target[row], weight[row]
            row += 1
    total = loss_and_gradient(scores_of, offsets, target_of, weight_of, chain, dchain)
    row = 0
    for t in range(len(sizes)):
        for n in range(sizes[t]):
            rows.copy(scores_of[offsets[n] + t], scores[row])
            row += 1
    return total


@compiled
def marginals(scores, offsets, chain, proba):
    """Compute the probabilities of each tag at each step.

    Parameters
    ----------
    scores, offsets, chain
        See the module.
    proba : ndarray of shape (n_rows, n_tags), float64
        Written.
    """
    chain = in_float64(chain)
    factors = _exponentials(chain[0])
    a = np.empty((longest(offsets), scores.shape[1]))
    pairs = np.empty((0, 0))
    for n in range(len(offsets) - 1):
        s, p = scores[offsets[n] : offsets[n + 1]], proba[offsets[n] : offsets[n + 1]]
        if len(s) > 0:
            _forward(s, chain, factors, a)
            _backward(s, chain, factors, a, p, pairs)


@compiled
def log_partition(scores, offsets, chain):
    """Return log Z of each sequence.

    Parameters
    ----------
    scores, offsets, chain
        See the module.

    Returns
    -------
    log_Z : ndarray of shape (n_sequences,), float64
    """
    chain = in_float64(chain)
    factors = _exponentials(chain[0])
    a = np.empty((longest(offsets), scores.shape[1]))
    log_Z = np.zeros(len(offsets) - 1)
    for n in range(len(log_Z)):
        if offsets[n] < offsets[n + 1]:
            log_Z[n] = _forward(scores[offsets[n] : offsets[n + 1]], chain, factors, a)
    return log_Z


@compiled
def in_float64(chain):
    """Return a chain in float64."""
    transitions, start, end = chain
    return (
        transitions.astype(np.float64),
        start.astype(np.float64),
        end.astype(np.float64),
    )


@compiled
def longest(offsets):
    """Return the number of steps of the longest sequence."""
    n_steps = 0
    for n in range(len(offsets) - 1):
        n_steps = max(n_steps, offsets[n + 1] - offsets[n])
    return n_steps


@compiled
def _offsets_of_packed(sizes):
    """Return where each sequence begins, once rows are in the order of sequences."""
    offsets = np.zeros(sizes[0] + 1, np.int64)
    for t in range(len(sizes)):
        for n in range(sizes[t]):
            offsets[n + 1] += 1
    for n in range(sizes[0]):
        offsets[n + 1] += offsets[n]
    return offsets


@compiled
def _largest(row):
    largest = row[0]
    for j in range(1, len(row)):
        # NaN is not larger than anything, but must not get lost.
        largest = row[j] if row[j] > largest or row[j] != row[j] else largest
    return largest


@compiled
def _exponentials(transitions):
    """Return the largest of the transitions, c, and what is made of it.

    Returns
    -------
    c : float
    D, E, E_T : ndarrays of shape (n_tags, n_tags)
        transitions - c, their exponentials, and the transpose of these.
    """
    c = _largest(transitions.ravel())
    D = transitions - c
    E = np.exp(D)
    return c, D, E, E.T.copy()


@compiled
def _log_sum_exp(a, b):
    """Return log sum_i exp(a_i + b_i)."""
    largest = a[0] + b[0]
    for i in range(1, len(a)):
        each = a[i] + b[i]
        largest = each if each > largest or each != each else largest
    if largest == -np.inf:
        return largest
    total = 0.0
    for i in range(len(a)):
        total += math.exp(a[i] + b[i] - largest)
    return largest + math.log(total)


@compiled
def _shift(a):
    """Subtract the largest number from all, and return it."""
    largest = _largest(a)
    for j in range(len(a)):
        a[j] -= largest
    return largest


@compiled
def _exp(a, p):
    for j in range(len(a)):
        p[j] = math.exp(a[j])


@compiled
def _product(p, E, sums):
    """Write p^T E."""
    rows.clear(sums)
    for i in range(len(p)):
        row = E[i]
        for j in range(len(sums)):
            sums[j] += p[i] * row[j]


@compiled
def _logarithms(sums, a, D):
    """Replace the sums over i of exp(a_i) exp(D_ij) by their logarithms."""
    for j in range(len(sums)):
        if sums[j] >= _LEAST:
            sums[j] = math.log(sums[j])
        else:
            sums[j] = _log_sum_exp(a, D[:, j])


@compiled
def _forward(s, chain, factors, a):
    """Write the logarithms of the sums up to each step, and return log Z.

    The largest of each step is subtracted from them.
    """
    start, end = chain[1:]
    c, D, E, _ = factors
    p, sums = np.empty_like(start), start.copy()
    log_Z = 0.0
    for t in range(len(s)):
        if t > 0:
            _exp(a[t - 1], p)
            _product(p, E, sums)
            _logarithms(sums, a[t - 1], D)
            log_Z += c
        log_Z += _add_scores(s[t], sums, a[t])
        log_Z += _shift(a[t])
    return log_Z + _log_sum_exp(a[len(s) - 1], end)


@compiled
def _add_scores(s, sums, to):
    """Write sums + s, without the largest score, which is returned.

    Without it, the sums keep the digits that they have.
    """
    largest = np.float64(_largest(s))
    for j in range(len(s)):
        to[j] = s[j] - largest + sums[j]
    return largest


@compiled
def _backward(s, chain, factors, a, proba, pairs):
    """Write the probabilities of tags, given what :func:`_forward` has written.

    They may take the place of the scores. Those of pairs of tags are added to
    ``pairs``, all steps together, unless it is empty.
    """
    D, E, E_T = factors[1:]
    # The logarithms of the sums over what follows a step; in v, also with its scores.
    b = chain[2].copy()
    v, q = np.empty_like(b), np.empty_like(b)
    p, here = np.empty_like(b), np.empty_like(b)
    _softmax(a[len(s) - 1], b, here)
    for t in range(len(s) - 1, 0, -1):
        _add_scores(s[t], b, v)
        _shift(v)
        rows.copy(here, proba[t])
        _exp(a[t - 1], p)
        _exp(v, q)
        _product(q, E_T, b)
        total = _dot(p, b)
        if total >= _LEAST:
            for i in range(len(b)):
                here[i] = p[i] * b[i] / total
            if len(pairs) > 0:
                _add_pairs(p, E, q, total, pairs)
        else:
            _compute_pairs(a[t - 1], D, v, here, pairs)
        _logarithms(b, v, D.T)
    rows.copy(here, proba[0])


@compiled
def _softmax(a, b, proba):
    for j in range(len(a)):
        proba[j] = a[j] + b[j]
    _shift(proba)
    _exp(proba, proba)
    total = 0.0
    for j in range(len(a)):
        total += proba[j]
    for j in range(len(a)):
        proba[j] /= total


@compiled
def _dot(p, b):
    total = 0.0
    for i in range(len(p)):
        total += p[i] * b[i]
    return total


@compiled
def _add_pairs(p, E, q, total, pairs):
    """Add p_i E_ij q_j / total to each pair."""
    for i in range(len(p)):
        factor, row, to = p[i] / total, E[i], pairs[i]
        for j in range(len(q)):
            to[j] += factor * row[j] * q[j]


@compiled
def _compute_pairs(a, D, v, proba, pairs):
    """Do the same from logarithms, and write the sums of the rows."""
    largest = a[0] + _largest(D[0] + v)
    for i in range(1, len(a)):
        each = a[i] + _largest(D[i] + v)
        largest = each if each > largest or each != each else largest
    total = 0.0
    for i in range(len(a)):
        for j in range(len(v)):
            total += math.exp(a[i] + D[i, j] + v[j] - largest)
    rows.clear(proba)
    for i in range(len(a)):
        for j in range(len(v)):
            each = math.exp(a[i] + D[i, j] + v[j] - largest) / total
            proba[i] += each
            if len(pairs) > 0:
                pairs[i, j] += each


@compiled
def _score(s, y, chain):
    """Return the score of tags y, in float64."""
    transitions, start, end = chain
    score = start[y[0]] + end[y[-1]]
    for t in range(len(s)):
        score += s[t, y[t]]
        if t > 0:
            score += transitions[y[t - 1], y[t]]
    return score


@compiled
def _count_known(weight):
    """Return the number of steps whose tags are known, and the weight of these."""
    n_known, of_sequence = 0, weight.dtype.type(0)
    for each in weight:
        n_known += each > 0
        of_sequence = max(of_sequence, each)
    return n_known, of_sequence


@compiled
def _write_target(y, proba, pairs):
    """Write the target as probabilities, and subtract its pairs."""
    rows.clear_all(proba)
    for t in range(len(y)):
        proba[t, y[t]] = 1
        if t > 0:
            pairs[y[t - 1], y[t]] -= 1


@compiled
def _restrict(s, y, weight, to):
    """Copy the scores, without those of tags that known ones exclude."""
    for t in range(len(s)):
        rows.copy(s[t], to[t])
        if weight[t] > 0:
            for j in range(s.shape[1]):
                to[t, j] = s[t, j] if j == y[t] else -np.inf


@compiled
def _negate(pairs):
    for i in range(len(pairs)):
        for j in range(len(pairs)):
            pairs[i, j] = -pairs[i, j]


@compiled
def _add_gradients(s, target, weight, pairs, dchain):
    """Subtract the target from the probabilities, and multiply by the weight."""
    dtransitions, dstart, dend = dchain
    for t in range(len(s)):
        for j in range(s.shape[1]):
            s[t, j] = weight * (s[t, j] - target[t, j])
    rows.add(s[0], dstart)
    rows.add(s[-1], dend)
    for i in range(len(pairs)):
        for j in range(len(pairs)):
            dtransitions[i, j] += weight * pairs[i, j]
