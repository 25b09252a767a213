"""Linear chains of tags, beside all sequences of tags one by one."""

from itertools import pairwise, product

import numpy as np
import pytest

from skrnn._core import best_tags, crf

LENGTHS = [3, 0, 1, 5, 2, 4, 0]
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
SIZES = [(n_tags, dtype) for n_tags in (1, 2, 3, 4) for dtype in ("f8", "f4")]
of_each_size = pytest.mark.parametrize("n_tags, dtype", SIZES)


def normal(rng, shape):
    return 2 * rng.normal(size=shape)


def extreme(rng, shape):
    """Numbers of which float32 is exact, as it is of their sums."""
    return rng.choice([-10_000, 0, 0, 0, 10_000], shape) + rng.integers(-2, 3, shape)


def forbidding(rng, shape):
    """Most tags, or transitions, are forbidden."""
    return rng.integers(-2, 3, shape) - 10_000 * (rng.random(shape) < 0.7)


KINDS = [normal, extreme, forbidding]
of_each_kind = pytest.mark.parametrize("kind", KINDS)


class Case:
    """Random sequences, and all that can be said of them by enumeration."""

    def __init__(self, n_tags, dtype, kind=normal, seed=0):
        rng = np.random.default_rng([n_tags, seed])
        self.n_tags = n_tags
        self.scores = kind(rng, (OFFSETS[-1], n_tags)).astype(dtype)
        shapes = (n_tags, n_tags), n_tags, n_tags
        self.chain = tuple(kind(rng, shape).astype(dtype) for shape in shapes)
        self.target = rng.integers(n_tags, size=OFFSETS[-1])
        weight = rng.uniform(0.5, 2, len(LENGTHS)).astype(dtype)
        self.weight = np.repeat(weight, LENGTHS)

    def loss_and_gradient(self):
        scores, dchain = self.scores.copy(), tuple(map(np.zeros_like, self.chain))
        total = crf.loss_and_gradient(
            scores, OFFSETS, self.target, self.weight, self.chain, dchain
        )
        return total, scores, dchain

    def marginals(self):
        proba = np.empty(self.scores.shape)
        crf.marginals(self.scores, OFFSETS, self.chain, proba)
        return proba

    def log_partition(self):
        return crf.log_partition(self.scores, OFFSETS, self.chain)

    def viterbi(self):
        tags = np.empty(OFFSETS[-1], np.int64)
        score = best_tags.viterbi(self.scores, OFFSETS, self.chain, tags)
        return tags, score

    def n_best(self, n):
        tags = np.empty((n, OFFSETS[-1]), np.int64)
        return tags, *best_tags.n_best(self.scores, OFFSETS, self.chain, tags)

    def enumerate(self):
        """For each sequence, all its tags, and the score of each."""
        transitions, start, end = (part.astype(float) for part in self.chain)
        for first, last in pairwise(OFFSETS):
            s = self.scores[first:last].astype(float)
            # The last tag counts most, so that the first of the best is Viterbi's.
            ways = [y[::-1] for y in product(range(self.n_tags), repeat=len(s))]
            yield (
                np.array(ways, int),
                np.array(
                    [
                        (start[y[0]] + end[y[-1]] if y else 0)
                        + sum(s[t, tag] for t, tag in enumerate(y))
                        + sum(transitions[pair] for pair in pairwise(y))
                        for y in ways
                    ]
                ),
            )

    def expected(self):
        """The loss, its gradients and the marginals, by enumeration."""
        total = 0.0
        proba, dscores = np.empty(self.scores.shape), np.empty(self.scores.shape)
        dchain = [np.zeros(part.shape) for part in self.chain]
        for (ways, scores), (first, last) in zip(
            self.enumerate(), pairwise(OFFSETS), strict=True
        ):
            y, weight = self.target[first:last], self.weight[first:last]
            agrees = (ways == y)[:, weight > 0].all(axis=1)
            weight = weight.max(initial=0)
            log_p = scores - np.logaddexp.reduce(scores)
            log_target = np.logaddexp.reduce(log_p[agrees])
            total -= weight * log_target
            p = np.exp(log_p)
            of_target = np.where(agrees, log_p - log_target, -np.inf)
            share = weight * (p - np.exp(of_target))
            for t, row in enumerate(proba[first:last], first):
                row[:] = np.bincount(ways[:, t - first], p, self.n_tags)
                dscores[t] = np.bincount(ways[:, t - first], share, self.n_tags)
            if len(y) > 0:
                np.add.at(dchain[1], ways[:, 0], share)
                np.add.at(dchain[2], ways[:, -1], share)
                for pair in pairwise(ways.T):
                    np.add.at(dchain[0], pair, share)
        return total, dscores, dchain, proba


UNKNOWN = {"none": [], "some": [1, 3, 4, 7, 8], "a whole sequence": range(4, 9)}
of_unknown = pytest.mark.parametrize("unknown", UNKNOWN)


@of_unknown
@of_each_kind
@of_each_size
def test_loss_and_gradient_equal_those_of_enumeration(n_tags, dtype, kind, unknown):
    case = Case(n_tags, dtype, kind)
    case.weight[UNKNOWN[unknown]] = 0
    total, dscores, dchain = case.loss_and_gradient()
    expected_total, expected_dscores, expected_dchain, _ = case.expected()
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(total, expected_total, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(dscores, expected_dscores, rtol=0, atol=4 * eps + 1e-11)
    for ours, theirs in zip(dchain, expected_dchain, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=20 * eps + 1e-10)


@of_each_kind
@of_each_size
def test_marginals_equal_those_of_enumeration(n_tags, dtype, kind):
    case = Case(n_tags, dtype, kind)
    proba = case.marginals()
    np.testing.assert_allclose(proba, case.expected()[-1], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-15)


@of_each_kind
@of_each_size
def test_log_partition_equals_that_of_enumeration(n_tags, dtype, kind):
    case = Case(n_tags, dtype, kind)
    expected = [np.logaddexp.reduce(scores) for _, scores in case.enumerate()]
    np.testing.assert_allclose(case.log_partition(), expected, rtol=1e-12, atol=1e-11)


@of_unknown
@pytest.mark.parametrize("n_tags", [1, 2, 4])
def test_gradients_equal_central_differences(n_tags, unknown):
    case = Case(n_tags, "f8")
    case.weight[UNKNOWN[unknown]] = 0
    _, dscores, dchain = case.loss_and_gradient()
    for numbers, gradient in zip(
        (case.scores, *case.chain), (dscores, *dchain), strict=True
    ):
        for at in np.ndindex(numbers.shape):
            kept, losses = numbers[at], []
            for step in (-1e-5, 1e-5):
                numbers[at] = kept + step
                losses.append(case.loss_and_gradient()[0])
            numbers[at] = kept
            slope = (losses[1] - losses[0]) / 2e-5
            assert gradient[at] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_gradients_of_the_chain_are_added():
    case = Case(3, "f8")
    once = case.loss_and_gradient()[2]
    dchain = tuple(np.full_like(part, 7) for part in case.chain)
    crf.loss_and_gradient(
        case.scores, OFFSETS, case.target, case.weight, case.chain, dchain
    )
    for ours, added in zip(dchain, once, strict=True):
        np.testing.assert_allclose(ours, added + 7, rtol=1e-12)


def test_likelihoods_that_scores_almost_forget_are_exact():
    """At the first step, tag 1 has no chance, until the second step can only follow."""
    scores = np.array([[1e4, 0.0], [0.0, 2e4]], np.float32)
    transitions = np.array([[0.0, -3e4], [0.0, 0.0]], np.float32)
    chain = transitions, np.zeros(2, np.float32), np.zeros(2, np.float32)
    # By the ways 00, 01, 10, 11: 10,000, 0, 0 and 20,000.
    offsets = np.array([0, 2])
    np.testing.assert_array_equal(crf.log_partition(scores, offsets, chain), [2e4])
    scores[1, 1] = 1e4  # 00 and 11 are the same
    tags = np.array([1, 1])
    dchain, ones = tuple(map(np.zeros_like, chain)), np.ones(2, np.float32)
    total = crf.loss_and_gradient(scores, offsets, tags, ones, chain, dchain)
    assert total == pytest.approx(np.log(2), rel=1e-6)
    np.testing.assert_allclose(scores, [[0.5, -0.5], [0.5, -0.5]])
    np.testing.assert_allclose(dchain[0], [[0.5, 0.0], [0.0, -0.5]])


def test_a_long_sequence_is_as_exact_in_float32(rng):
    n_steps, n_tags = 2000, 5
    shapes = (n_steps, n_tags), (n_tags, n_tags), n_tags, n_tags
    scores, *chain = (3 * rng.normal(size=shape) for shape in shapes)
    target, offsets = rng.integers(n_tags, size=n_steps), np.array([0, n_steps])
    results = []
    for dtype in (np.float64, np.float32):
        dscores, typed = scores.astype(dtype), tuple(c.astype(dtype) for c in chain)
        dchain, ones = tuple(map(np.zeros_like, typed)), np.ones(n_steps, dtype)
        total = crf.loss_and_gradient(dscores, offsets, target, ones, typed, dchain)
        results.append([total, dscores, *dchain])
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-6, atol=1e-4)


@of_each_kind
@of_each_size
def test_viterbi_finds_the_best_of_enumeration(n_tags, dtype, kind):
    case = Case(n_tags, dtype, kind)
    tags, best = case.viterbi()
    for n, (ways, scores) in enumerate(case.enumerate()):
        # numpy.argmax takes the first of those that are the same.
        expected = ways[scores.argmax()]
        np.testing.assert_array_equal(tags[OFFSETS[n] : OFFSETS[n + 1]], expected)
        assert best[n] == pytest.approx(scores.max(), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 70, 2000])
@of_each_kind
@of_each_size
def test_n_best_are_those_of_enumeration(n_tags, dtype, kind, n):
    case = Case(n_tags, dtype, kind)
    tags, log_proba, n_found = case.n_best(n)
    for i, (ways, scores) in enumerate(case.enumerate()):
        assert n_found[i] == min(n, len(ways))
        found = tags[:, OFFSETS[i] : OFFSETS[i + 1]]
        order = np.argsort(-scores, kind="stable")[:n]
        log_p = (scores - np.logaddexp.reduce(scores))[order]
        ours = log_proba[i, : len(order)]
        np.testing.assert_allclose(ours, log_p, rtol=1e-9, atol=1e-10)
        assert (log_proba[i, len(order) :] == -np.inf).all()
        np.testing.assert_array_equal(found[: len(order)], ways[order])
        assert (found[len(order) :] == -1).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_viterbi_is_the_first_of_the_n_best(dtype, seed):
    case = Case(4, dtype, seed=seed)
    case.scores.round(out=case.scores)  # so that many scores are the same
    for part in case.chain:
        part.round(out=part)
    tags, score = case.viterbi()
    best, log_proba, _ = case.n_best(3)
    np.testing.assert_array_equal(best[0], tags)
    np.testing.assert_array_equal(log_proba[:, 0], score - case.log_partition())


def test_of_equal_scores_the_lowest_tags_are_the_best():
    case = Case(3, "f4")
    for part in (case.scores, *case.chain):
        part[:] = 1
    assert (case.viterbi()[0] == 0).all()
    best = case.n_best(3)[0][:, : LENGTHS[0]]
    np.testing.assert_array_equal(best, [[0, 0, 0], [1, 0, 0], [2, 0, 0]])


def test_sequences_without_steps_do_not_read_the_chain():
    offsets = np.zeros(3, np.int64)
    scores, target = np.empty((0, 2)), np.empty(0, np.int64)
    chain = np.full((2, 2), np.nan), np.full(2, np.nan), np.full(2, np.nan)
    dchain = tuple(map(np.zeros_like, chain))
    total = crf.loss_and_gradient(scores, offsets, target, scores[:, 0], chain, dchain)
    assert total == 0
    assert not any(part.any() for part in dchain)
    crf.marginals(scores, offsets, chain, scores)
    assert (crf.log_partition(scores, offsets, chain) == 0).all()
    assert (best_tags.viterbi(scores, offsets, chain, target) == 0).all()
    tags = np.empty((2, 0), np.int64)
    log_proba, n_found = best_tags.n_best(scores, offsets, chain, tags)
    np.testing.assert_array_equal(log_proba, [[0.0, -np.inf]] * 2)
    np.testing.assert_array_equal(n_found, [1, 1])


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("n_tags", [3, 17])
def test_a_sequence_does_not_depend_on_the_others_to_the_bit(n_tags, dtype, rng):
    lengths = rng.integers(0, 9, size=12)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    scores = (20 * rng.normal(size=(offsets[-1], n_tags))).astype(dtype)
    shapes = (n_tags, n_tags), n_tags, n_tags
    chain = tuple((20 * rng.normal(size=shape)).astype(dtype) for shape in shapes)
    target = rng.integers(n_tags, size=offsets[-1])
    weight = np.repeat(rng.random(12).astype(dtype), lengths)
    weight *= rng.random(len(weight)) < 0.8  # some tags are unknown

    def results(scores, offsets, target, weight):
        dscores, proba = scores.copy(), np.empty(scores.shape)
        dchain = tuple(map(np.zeros_like, chain))
        crf.loss_and_gradient(dscores, offsets, target, weight, chain, dchain)
        crf.marginals(scores, offsets, chain, proba)
        tags, some = np.empty(len(scores), int), np.empty((3, len(scores)), int)
        score = best_tags.viterbi(scores, offsets, chain, tags)
        log_proba, _ = best_tags.n_best(scores, offsets, chain, some)
        log_Z = crf.log_partition(scores, offsets, chain)
        return [dscores, proba, tags, some.T], [score, log_proba, log_Z]

    by_row, by_sequence = results(scores, offsets, target, weight)
    for i, (first, last) in enumerate(pairwise(offsets)):
        alone = np.array([0, last - first])
        part = scores[first:last], alone, target[first:last], weight[first:last]
        rows, (score, log_proba, log_Z) = results(*part)
        for ours, all_rows in zip(rows, by_row, strict=True):
            np.testing.assert_array_equal(ours, all_rows[first:last])
        for ours, of_all in zip((score, log_proba, log_Z), by_sequence, strict=True):
            np.testing.assert_array_equal(ours[0], of_all[i])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_scores_that_are_not_finite_are_not_hidden(step, place, bad):
    case = Case(3, "f4")
    case.scores[step, place] = bad
    with np.errstate(invalid="ignore"):  # as plain Python
        total, dscores, dchain = case.loss_and_gradient()
        log_Z = case.log_partition()
    assert not np.isfinite(total)
    assert not np.isfinite(dscores[: LENGTHS[0]]).any()
    assert not np.isfinite(dchain[0]).any()
    assert np.isfinite(dscores[LENGTHS[0] :]).all()
    assert not np.isfinite(log_Z[0])
    assert np.isfinite(log_Z[1:]).all()
