"""The likeliest sequences of tokens that frames emit, by prefix beam search [1]_.

``scores``, ``offsets``, tokens and the blank are those of :mod:`skrnn._core.ctc`.

The prefixes are the sequences that the frames up to some frame may stand for. Each has
two probabilities: of the alignments that end in a blank, and of those that end in its
last token. A frame leaves a prefix as it is, by a blank or by its last token once more,
or appends a token to it, which may be the last one again only after a blank. The
likeliest of all prefixes go on.

A prefix is a node of a tree: a token after its parent. So a prefix that comes about in
several ways is found to be the same.

References
----------
.. [1] Hannun et al. (2014), "First-Pass Large Vocabulary Continuous Speech Recognition
   using Bi-Directional Recurrent DNNs", arXiv:1408.2873, algorithm 1.
"""

import numpy as np

from skrnn._core.compiled import compiled
from skrnn._core.ctc import BLANK, log_add, log_probability, log_sums

_NONE = -1
_ROOT = 0


@compiled
def search(scores, offsets, limits, penalty, tokens, lengths, log_p, is_cut):
    """Find the likeliest sequences of tokens, best first.

    Parameters
    ----------
    scores, offsets
        See :mod:`skrnn._core.ctc`. All scores are finite.
    limits : tuple (width, max_length) of int
        The number of prefixes that go on after each frame, at least n_best; and the
        largest number of tokens. A width of 1 goes on with the one prefix that is
        likeliest then. If no prefix is left out, the result is exact.
    penalty : float
        A log p is divided by the number of tokens plus 1, to the power of this, before
        the sequences that were found are compared.
    tokens : ndarray of shape (n_sequences, n_best, max_length), int64
        Written, as all that follows. Blanks after the last token.
    lengths : ndarray of shape (n_sequences, n_best), int64
        The number of tokens.
    log_p : ndarray of shape (n_sequences, n_best), float64
        That of all alignments, also of those that the search has left out; -inf where
        there are no more sequences.
    is_cut : ndarray of shape (n_sequences, n_best), bool
        Whether some frame would rather have appended another token than none, which
        would have been one too many.
    """
    width, max_length = limits
    for n in range(len(offsets) - 1):
        s = scores[offsets[n] : offsets[n + 1]]
        log_n = log_sums(s)
        tree, nodes = _find(s, log_n, _at_most(s, width), max_length)
        depth, was_cut = tree[4], tree[5]
        exact, score = np.empty(len(nodes)), np.empty(len(nodes))
        y = np.empty(len(s), np.int64)
        for i in range(len(nodes)):
            _write(tree, nodes[i], y)
            exact[i] = log_probability(s, log_n, y[: depth[nodes[i]]])
            score[i] = exact[i] / (depth[nodes[i]] + 1.0) ** penalty
        order = np.argsort(-score, kind="mergesort")
        for rank in range(log_p.shape[1]):
            tokens[n, rank, :] = BLANK
            log_p[n, rank], lengths[n, rank], is_cut[n, rank] = -np.inf, 0, False
            if rank < len(nodes):
                node = nodes[order[rank]]
                log_p[n, rank] = exact[order[rank]]
                lengths[n, rank], is_cut[n, rank] = depth[node], was_cut[node]
                _write(tree, node, tokens[n, rank])


@compiled
def _at_most(s, width):
    """The width, or the number of all prefixes that there may be if that is less."""
    n, longer = 1, 1
    for _ in range(len(s)):
        longer *= s.shape[1] - 1
        n += longer
        if n >= width:
            return width
    return n


@compiled
def _write(tree, node, y):
    """Write the tokens of a prefix."""
    parent, token, depth = tree[0], tree[1], tree[4]
    for i in range(depth[node] - 1, -1, -1):
        y[i] = token[node]
        node = parent[node]


@compiled
def _new_tree(n_nodes):
    """Memory for a tree of so many nodes, and its root.

    Returns
    -------
    parent, token, child, sibling, depth : ndarrays of shape (n_nodes,), int64
        By node, the one before it, its last token, the last one that was appended to
        it, the one that was appended to its parent before it, and its number of tokens.
    was_cut : ndarray of shape (n_nodes,), bool
    """
    parent, token = np.empty(n_nodes, np.int64), np.empty(n_nodes, np.int64)
    child, sibling = np.empty(n_nodes, np.int64), np.empty(n_nodes, np.int64)
    depth, was_cut = np.empty(n_nodes, np.int64), np.zeros(n_nodes, np.bool_)
    parent[_ROOT], token[_ROOT], child[_ROOT], depth[_ROOT] = _NONE, _NONE, _NONE, 0
    return parent, token, child, sibling, depth, was_cut


@compiled
def _append(tree, node, k, n_nodes):
    """The node of a token after another node, which is the next one if it is new."""
    parent, token, child, sibling, depth, _ = tree
    found = child[node]
    while found != _NONE and token[found] != k:
        found = sibling[found]
    if found == _NONE:
        found = n_nodes
        parent[found], token[found], child[found] = node, k, _NONE
        sibling[found], depth[found] = child[node], depth[node] + 1
        child[node] = found
    return found


@compiled
def _find(s, log_n, width, max_length):
    """Search in the frames of one sequence.

    Returns
    -------
    tree : tuple of ndarrays
    nodes : ndarray of shape (n_found,), int64
        The prefixes that are left.
    """
    tree, n_nodes = _new_tree(1 + width * len(s)), 1
    nodes, place = np.full(width, _ROOT), np.full(1 + width * len(s), _NONE)
    # The log-probabilities of each prefix, of alignments that end in a blank, and in a
    # token.
    of_blank, of_token = np.full(width, -np.inf), np.full(width, -np.inf)
    of_blank[0] = 0.0
    stays = np.empty(width), np.empty(width)
    is_there = np.empty((width, s.shape[1]), np.bool_)
    score, source, appended = np.empty(width), nodes.copy(), nodes.copy()
    n = 1
    for t in range(len(s)):
        for i in range(n):
            place[nodes[i]] = i
        prefixes = nodes[:n], of_blank[:n], of_token[:n]
        frame = s[t], log_n[t]
        _stay(frame, prefixes, tree, place, stays, is_there)
        for i in range(n):
            place[nodes[i]] = _NONE
        best = score, source, appended
        n = _choose(frame, prefixes, (tree, max_length), stays, is_there, best)
        before = nodes.copy()
        for i in range(n):
            from_, k = source[i], appended[i]
            if k == _NONE:
                nodes[i] = before[from_]
                of_blank[i], of_token[i] = stays[0][from_], stays[1][from_]
            else:
                nodes[i] = _append(tree, before[from_], k, n_nodes)
                n_nodes = max(n_nodes, nodes[i] + 1)
                of_blank[i], of_token[i] = -np.inf, score[i]
    return tree, nodes[:n]


@compiled
def _extended(frame, prefixes, i, last, k):
    """The log-probability of a prefix with token k appended."""
    s, log_n = frame
    _, of_blank, of_token = prefixes
    before = of_blank[i] if k == last else log_add(of_blank[i], of_token[i])
    return before + s[k] - log_n


@compiled
def _stay(frame, prefixes, tree, place, stays, is_there):
    """Write the log-probabilities of the prefixes that there are, after a frame.

    ``is_there[i, k]`` is whether one of them is prefix i with token k appended.
    """
    s, log_n = frame
    nodes, of_blank, of_token = prefixes
    parent, token = tree[:2]
    is_there[: len(nodes)] = False
    for j in range(len(nodes)):
        last, total = token[nodes[j]], log_add(of_blank[j], of_token[j])
        stays[0][j] = total + s[BLANK] - log_n
        stays[1][j] = -np.inf
        if last == _NONE:
            continue
        stays[1][j] = of_token[j] + s[last] - log_n
        i = place[parent[nodes[j]]]
        if i != _NONE:
            is_there[i, last] = True
            appended = _extended(frame, prefixes, i, token[nodes[i]], last)
            stays[1][j] = log_add(stays[1][j], appended)


@compiled
def _choose(frame, prefixes, bounds, stays, is_there, best):
    """Write the likeliest prefixes after a frame, and return their number.

    ``best`` gets the log-probability of each, the prefix that it comes from, and what
    was appended to that, if anything. If two are the same, the first one is taken.
    """
    (_, token, _, _, depth, was_cut), max_length = bounds
    nodes = prefixes[0]
    n = 0
    for i in range(len(nodes)):
        n = _insert(log_add(stays[0][i], stays[1][i]), i, _NONE, best, n)
    for i in range(len(nodes)):
        last, is_full = token[nodes[i]], depth[nodes[i]] == max_length
        for k in range(1, is_there.shape[1]):
            if is_there[i, k]:
                continue
            each = _extended(frame, prefixes, i, last, k)
            if not is_full:
                n = _insert(each, i, k, best, n)
            elif each > log_add(stays[0][i], stays[1][i]):
                was_cut[nodes[i]] = True
    return n


@compiled
def _insert(log_p, i, k, best, n):
    """Insert a prefix among the n best, unless it is impossible; return their number.

    There is room for as many as `best` has; the last one then has to go.
    """
    score, source, appended = best
    if log_p == -np.inf or (n == len(score) and not log_p > score[n - 1]):
        return n
    n = min(n + 1, len(score))
    at = n - 1
    while at > 0 and log_p > score[at - 1]:
        score[at], source[at], appended[at] = (
            score[at - 1],
            source[at - 1],
            appended[at - 1],
        )
        at -= 1
    score[at], source[at], appended[at] = log_p, i, k
    return n
