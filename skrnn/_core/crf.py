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

    Parameters
    ----------
    scores, offsets, chain
        See the module.
    target : ndarray of shape (n_rows,), int64
    weight : ndarray of shape (n_sequences,)
    dchain : tuple of ndarrays
        The gradient with respect to the chain is added to it.

    Returns
    -------
    total : float
    """
    chain = _in_float64(chain)
    factors = _exponentials(chain[0])
    a = np.empty((_longest(offsets), scores.shape[1]))
    pairs = np.empty_like(chain[0])
    total = 0.0
    for n in range(len(weight)):
        s, y = scores[offsets[n] : offsets[n + 1]], target[offsets[n] : offsets[n + 1]]
        if len(s) == 0:
            continue
        log_Z = _forward(s, chain, factors, a)
        total += weight[n] * (log_Z - _score(s, y, chain))
        rows.clear_all(pairs)
        _backward(s, chain, factors, a, s, pairs)
        _add_gradients(s, y, weight[n], pairs, dchain)
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
    chain = _in_float64(chain)
    factors = _exponentials(chain[0])
    a = np.empty((_longest(offsets), scores.shape[1]))
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
    chain = _in_float64(chain)
    factors = _exponentials(chain[0])
    a = np.empty((_longest(offsets), scores.shape[1]))
    log_Z = np.zeros(len(offsets) - 1)
    for n in range(len(log_Z)):
        if offsets[n] < offsets[n + 1]:
            log_Z[n] = _forward(scores[offsets[n] : offsets[n + 1]], chain, factors, a)
    return log_Z


@compiled
def score_tags(scores, offsets, tags, chain):
    """Return the score of given tags of each sequence.

    Parameters
    ----------
    scores, offsets, chain
        See the module.
    tags : ndarray of shape (n_rows,), int64

    Returns
    -------
    score : ndarray of shape (n_sequences,), float64
    """
    chain = _in_float64(chain)
    score = np.zeros(len(offsets) - 1)
    for n in range(len(score)):
        s, y = scores[offsets[n] : offsets[n + 1]], tags[offsets[n] : offsets[n + 1]]
        if len(s) > 0:
            score[n] = _score(s, y, chain)
    return score


@compiled
def viterbi(scores, offsets, chain, tags):
    """Find the best tags of each sequence [1]_.

    Of two equal scores, that with the lower last tag is taken or, if these are the
    same, with the lower tag before it, and so on.

    Parameters
    ----------
    scores, offsets, chain
        See the module.
    tags : ndarray of shape (n_rows,), int64
        Written.

    Returns
    -------
    score : ndarray of shape (n_sequences,), float64

    References
    ----------
    .. [1] Viterbi (1967), "Error Bounds for Convolutional Codes and an Asymptotically
       Optimum Decoding Algorithm", IEEE Transactions on Information Theory 13(2).
    """
    (transitions, start, end), n_tags = _in_float64(chain), scores.shape[1]
    best, longer = np.empty(n_tags), np.empty(n_tags)
    before = np.empty((_longest(offsets), n_tags), np.int32)
    score = np.zeros(len(offsets) - 1)
    for n in range(len(score)):
        s, y = scores[offsets[n] : offsets[n + 1]], tags[offsets[n] : offsets[n + 1]]
        if len(s) == 0:
            continue
        _begin(s[0], start, best)
        for t in range(1, len(s)):
            _extend(best, transitions, longer, before[t])
            for j in range(n_tags):
                best[j] = longer[j] + s[t, j]
        tag = 0
        for j in range(n_tags):
            best[j] += end[j]
            tag = j if best[j] > best[tag] else tag
        score[n] = best[tag]
        for t in range(len(s) - 1, 0, -1):
            y[t] = tag
            tag = before[t, tag]
        y[0] = tag
    return score


@compiled
def n_best(scores, offsets, chain, tags):
    """Find the n best tags of each sequence, the best ones first.

    Equal scores stand in the order in which :func:`viterbi` prefers them.

    Parameters
    ----------
    scores, offsets, chain
        See the module.
    tags : ndarray of shape (n, n_rows), int64
        Written; -1 where a sequence has fewer than n sequences of tags.

    Returns
    -------
    log_proba : ndarray of shape (n_sequences, n), float64
        Logarithms of probabilities; minus infinity where there are fewer than n.
    n_found : ndarray of shape (n_sequences,), int64
    """
    n_sequences, n_tags = len(offsets) - 1, scores.shape[1]
    chain = _in_float64(chain)
    log_Z = log_partition(scores, offsets, chain)
    log_proba = np.full((n_sequences, len(tags)), -np.inf)
    n_found = np.ones(n_sequences, np.int64)
    tags[:] = -1
    # No more are kept of each tag than the longest sequence has.
    n = 1
    for _ in range(_longest(offsets)):
        n = min(n * n_tags, len(tags))
        if n in (1, len(tags)):
            break
    before = np.empty((_longest(offsets) + 1, n_tags, n), np.int64)
    for i in range(n_sequences):
        s, first = scores[offsets[i] : offsets[i + 1]], offsets[i]
        if len(s) == 0:
            log_proba[i, 0] = 0
            continue
        best = _best_of_one(s, chain, before)
        n_found[i] = len(best)
        for rank in range(len(best)):
            log_proba[i, rank] = best[rank] - log_Z[i]
            tag, at = 0, rank
            for t in range(len(s), 0, -1):
                tag, at = divmod(before[t, tag, at], n)
                tags[rank, first + t - 1] = tag
    return log_proba, n_found


@compiled
def _best_of_one(s, chain, before):
    """Return the best scores of a sequence, and write where they come from.

    ``before[t, j]`` is for those that have tag j at step t, best first: the tag at step
    t - 1 times n, plus the place among those that have this tag there. The end of the
    sequence counts as a step with tag 0.
    """
    n_tags, n = before.shape[1:]
    transitions, start, end = chain
    best, longer = np.empty((n_tags, n)), np.empty((n_tags, n))
    _begin(s[0], start, best[:, 0])
    n_best = 1
    for t in range(1, len(s)):
        n_longer = min(n_best * n_tags, n)
        for j in range(n_tags):
            _merge(
                best[:, :n_best], transitions[:, j], longer[j, :n_longer], before[t, j]
            )
            for rank in range(n_longer):
                longer[j, rank] += s[t, j]
        best, longer, n_best = longer, best, n_longer
    n_longer = min(n_best * n_tags, n)
    _merge(best[:, :n_best], end, longer[0, :n_longer], before[len(s), 0])
    return longer[0, :n_longer]


@compiled
def _merge(best, transitions, merged, before):
    """Write the best of all scores plus transitions; those of each tag are in order."""
    n_tags, n_best = best.shape
    n_taken = np.zeros(n_tags, np.int64)
    for rank in range(len(merged)):
        tag = -1
        for i in range(n_tags):
            if n_taken[i] < n_best:
                score = best[i, n_taken[i]] + transitions[i]
                if tag < 0 or score > merged[rank]:
                    tag, merged[rank] = i, score
        before[rank] = tag * len(before) + n_taken[tag]
        n_taken[tag] += 1


@compiled
def _begin(s, start, best):
    for j in range(len(s)):
        best[j] = start[j] + s[j]


@compiled
def _extend(best, transitions, longer, before):
    """Write the best scores plus transitions to each tag, and the tags they are of."""
    for j in range(len(best)):
        longer[j] = best[0] + transitions[0, j]
        before[j] = 0
    for i in range(1, len(best)):
        for j in range(len(best)):
            score = best[i] + transitions[i, j]
            is_better = score > longer[j]
            longer[j] = score if is_better else longer[j]
            before[j] = i if is_better else before[j]


@compiled
def _in_float64(chain):
    transitions, start, end = chain
    return (
        transitions.astype(np.float64),
        start.astype(np.float64),
        end.astype(np.float64),
    )


@compiled
def _longest(offsets):
    longest = 0
    for n in range(len(offsets) - 1):
        longest = max(longest, offsets[n + 1] - offsets[n])
    return longest


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
    # The logarithms of the sums over what follows a step; in v, with its scores, too.
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
def _add_gradients(s, y, weight, pairs, dchain):
    """Subtract what the target has from the probabilities, times the weight."""
    dtransitions, dstart, dend = dchain
    for t in range(len(s)):
        for j in range(s.shape[1]):
            s[t, j] *= weight
        s[t, y[t]] -= weight
        if t > 0:
            dtransitions[y[t - 1], y[t]] -= weight
    rows.add(s[0], dstart)
    rows.add(s[-1], dend)
    for i in range(len(pairs)):
        for j in range(len(pairs)):
            dtransitions[i, j] += weight * pairs[i, j]
