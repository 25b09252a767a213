"""The best tags of sequences under a linear chain: Viterbi's algorithm.

``scores``, ``offsets`` and ``chain`` are those of :mod:`skrnn._core.crf`.
"""

import numpy as np

from skrnn._core.compiled import compiled
from skrnn._core.crf import in_float64, log_partition, longest


@compiled
def viterbi(scores, offsets, chain, tags):
    """Find the best tags of each sequence [1]_.

    If two scores are equal, that with the lower last tag is taken or, if these are the
    same, with the lower tag before it, and so on.

    Parameters
    ----------
    scores, offsets, chain
        See :mod:`skrnn._core.crf`.
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
    (transitions, start, end), n_tags = in_float64(chain), scores.shape[1]
    best, longer = np.empty(n_tags), np.empty(n_tags)
    before = np.empty((longest(offsets), n_tags), np.int32)
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
        See :mod:`skrnn._core.crf`.
    tags : ndarray of shape (n, n_rows), int64
        Written; -1 where a sequence has fewer than n sequences of tags.

    Returns
    -------
    log_proba : ndarray of shape (n_sequences, n), float64
        Logarithms of probabilities; minus infinity where there are fewer than n.
    n_found : ndarray of shape (n_sequences,), int64
    """
    n_sequences, n_tags = len(offsets) - 1, scores.shape[1]
    chain = in_float64(chain)
    log_Z = log_partition(scores, offsets, chain)
    log_proba = np.full((n_sequences, len(tags)), -np.inf)
    n_found = np.ones(n_sequences, np.int64)
    tags[:] = -1
    # No more are kept of each tag than the longest sequence has.
    n = 1
    for _ in range(longest(offsets)):
        n = min(n * n_tags, len(tags))
        if n in (1, len(tags)):
            break
    before = np.empty((longest(offsets) + 1, n_tags, n), np.int64)
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
