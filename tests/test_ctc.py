"""Connectionist temporal classification, beside all alignments one by one and torch."""

from itertools import groupby, pairwise, product

import numpy as np
import pytest
import torch
from torch.nn import functional

from skrnn._core import ctc, ctc_search

# The tokens of each sequence, and its number of frames, most of which are few enough to
# go through all alignments.
SEQUENCES = [
    ([1, 2], 4),
    ([], 3),
    ([1, 1], 3),
    ([2, 2, 1], 4),
    ([1], 1),
    ([1, 2, 1], 5),
    ([], 1),
    ([2, 1, 2, 1], 4),
]
N_FRAMES = np.array([n for _, n in SEQUENCES])
N_TOKENS = np.array([len(y) for y, _ in SEQUENCES])
OFFSETS, ENDS = (np.append(0, np.cumsum(n)) for n in (N_FRAMES, N_TOKENS))
TOKENS = np.concatenate([y for y, _ in SEQUENCES]).astype(np.int64)
of_each_size = pytest.mark.parametrize(
    "n_outputs, dtype", [(n, dtype) for n in (3, 4) for dtype in ("f8", "f4")]
)


def normal(rng, shape):
    return 2 * rng.normal(size=shape)


def extreme(rng, shape):
    """Numbers of which float32 is exact, and differences that exp rounds to 0."""
    return rng.choice([-1000, 0, 0, 1000], shape) + rng.integers(-2, 3, shape)


of_each_kind = pytest.mark.parametrize("kind", [normal, extreme])


def case(n_outputs, dtype, kind=normal, smoothing=0.2):
    """Random scores, and two weights of each sequence."""
    rng = np.random.default_rng([n_outputs, 0])
    scores = kind(rng, (OFFSETS[-1], n_outputs)).astype(dtype)
    weight = np.multiply.outer(
        rng.uniform(0.5, 2, len(SEQUENCES)), [1 - smoothing, smoothing]
    )
    return scores, weight.astype(dtype)


def collapsed(alignment):
    return [k for k, _ in groupby(alignment) if k != ctc.BLANK]


def log_softmax(scores):
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def alignments(log_p):
    """All alignments of the frames of one sequence, and their log-probabilities."""
    ways = list(product(range(log_p.shape[1]), repeat=len(log_p)))
    return ways, [sum(log_p[t, k] for t, k in enumerate(way)) for way in ways]


def expected(scores, weight):
    """The loss, its gradient and log p of each sequence, by enumeration."""
    total, log_p, gradient = 0.0, [], np.empty(scores.shape)
    weight = weight.astype(float)
    rows = pairwise(OFFSETS)
    for (y, n), (first, end), (w, of_all) in zip(SEQUENCES, rows, weight, strict=True):
        each = log_softmax(scores[first:end].astype(float))
        ways, of_ways = alignments(each)
        of_y = [i for i, way in enumerate(ways) if collapsed(way) == y]
        log_p.append(np.logaddexp.reduce([of_ways[i] for i in of_y]))
        share = of_all * (len(y) + 1) / n
        total -= w * log_p[-1] + share * each.mean(axis=1).sum()
        part = gradient[first:end]
        part[:] = (w + share) * np.exp(each) - share / scores.shape[1]
        for i in of_y:
            part[np.arange(n), ways[i]] -= w * np.exp(of_ways[i] - log_p[-1])
    return total, gradient, np.array(log_p)


def ours(scores, weight, tokens=TOKENS, offsets=OFFSETS, ends=ENDS):
    gradient = scores.copy()
    of = tokens, weight, offsets, ends
    return ctc.loss_and_gradient(gradient, *of), gradient


@of_each_kind
@of_each_size
def test_loss_and_gradient_equal_those_of_enumeration(n_outputs, dtype, kind):
    scores, weight = case(n_outputs, dtype, kind)
    total, gradient = ours(scores, weight)
    expected_total, expected_gradient, _ = expected(scores, weight)
    eps = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(total, expected_total, rtol=1e-12)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=eps, atol=eps + 1e-12)
    assert gradient.dtype == dtype


@of_each_kind
@of_each_size
def test_log_probabilities_equal_those_of_enumeration(n_outputs, dtype, kind):
    scores, weight = case(n_outputs, dtype, kind)
    log_p = ctc.log_probabilities(scores, TOKENS, OFFSETS, ENDS)
    np.testing.assert_allclose(log_p, expected(scores, weight)[2], rtol=1e-12)


def of_torch(scores, tokens, offsets, ends):
    """The losses of torch, one for each sequence."""
    n_frames, n_tokens = np.diff(offsets), np.diff(ends)
    padded = scores.new_zeros(n_frames.max(), len(n_frames), scores.shape[1])
    for n, (first, end) in enumerate(pairwise(offsets)):
        padded[: end - first, n] = torch.log_softmax(scores[first:end], 1)
    of = torch.from_numpy(tokens), *map(torch.from_numpy, (n_frames, n_tokens))
    return functional.ctc_loss(padded, *of, blank=ctc.BLANK, reduction="none")


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_long_sequences_equal_torch(dtype, rng):
    n_frames = np.array([60, 7, 300, 1])
    n_tokens = np.array([20, 7, 90, 0])
    offsets, ends = (np.append(0, np.cumsum(n)) for n in (n_frames, n_tokens))
    # With few tokens, many are repeated; but not where each frame has to emit one.
    tokens = rng.integers(1, 4, ends[-1])
    tokens[ends[1] : ends[2]] = 1 + np.arange(7) % 3
    scores = (3 * rng.normal(size=(offsets[-1], 6))).astype(dtype)
    weight = np.column_stack([rng.uniform(0.5, 2, 4), np.zeros(4)]).astype(dtype)
    total, gradient = ours(scores, weight, tokens, offsets, ends)
    theirs = torch.from_numpy(scores.astype("f8")).requires_grad_()
    losses = of_torch(theirs, tokens, offsets, ends)
    loss = losses @ torch.from_numpy(weight[:, 0].astype("f8"))
    loss.backward()
    assert total == pytest.approx(loss.item(), rel=1e-10)
    tolerance = 1e-9 if dtype == "f8" else 1e-6
    np.testing.assert_allclose(gradient, theirs.grad, rtol=0, atol=tolerance)
    log_p = ctc.log_probabilities(scores, tokens, offsets, ends)
    np.testing.assert_allclose(-log_p, losses.detach(), rtol=1e-10)


@pytest.mark.parametrize("n_outputs", [3, 5])
def test_gradients_equal_central_differences(n_outputs):
    scores, weight = case(n_outputs, "f8")
    _, gradient = ours(scores, weight)
    for at in np.ndindex(scores.shape):
        kept, losses = scores[at], []
        for step in (-1e-5, 1e-5):
            scores[at] = kept + step
            losses.append(ours(scores, weight)[0])
        scores[at] = kept
        slope = (losses[1] - losses[0]) / 2e-5
        assert gradient[at] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_probabilities_of_all_sequences_sum_to_1():
    scores, _ = case(3, "f8")
    first = scores[: N_FRAMES[0]]
    answers = [y for n in range(5) for y in product([1, 2], repeat=n)]
    ends = np.append(0, np.cumsum(list(map(len, answers))))
    tokens = np.concatenate(answers).astype(np.int64)
    offsets = len(first) * np.arange(len(answers) + 1)
    many = np.tile(first, (len(answers), 1))
    log_p = ctc.log_probabilities(many, tokens, offsets, ends)
    assert np.exp(log_p).sum() == pytest.approx(1, rel=1e-12)


def test_the_number_of_frames_that_are_needed():
    needed = ctc.n_needed(TOKENS, ENDS)
    np.testing.assert_array_equal(needed, [2, 0, 3, 4, 1, 3, 0, 4])
    scores, _ = case(3, "f8")
    for n, y in zip(needed, [y for y, _ in SEQUENCES], strict=True):
        for n_frames in range(n + 2):
            of = np.array(y, np.int64), np.array([0, n_frames]), np.array([0, len(y)])
            (log_p,) = ctc.log_probabilities(scores[:n_frames], *of)
            assert np.isfinite(log_p) == (n_frames >= n)


def test_a_sequence_with_too_few_frames_has_an_infinite_loss():
    scores, weight = case(3, "f4")
    tokens, ends = np.array([1, 1, 2]), np.array([0, 2, 3])
    of = tokens, np.array([0, 2, 4]), ends
    with np.errstate(invalid="ignore"):  # as plain Python
        total, gradient = ours(scores[:4], weight[:2], *of)
    assert total == np.inf
    assert np.isnan(gradient[:2]).any()
    assert np.isfinite(gradient[2:]).all()
    log_p = ctc.log_probabilities(scores[:4], *of)
    assert np.isneginf(log_p).tolist() == [True, False]
    nothing = np.array([0, 0])
    assert ctc.log_probabilities(scores[:0], tokens[:0], nothing, nothing) == [0.0]
    assert ctc.log_probabilities(scores[:0], tokens, nothing, ends[:2]) == [-np.inf]


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_a_sequence_does_not_depend_on_the_others_to_the_bit(dtype):
    scores, weight = case(4, dtype)
    _, gradient = ours(scores, weight)
    log_p = ctc.log_probabilities(scores, TOKENS, OFFSETS, ENDS)
    parts = zip(SEQUENCES, pairwise(OFFSETS), strict=True)
    for n, ((y, n_frames), (first, end)) in enumerate(parts):
        of = np.array(y, np.int64), np.array([0, n_frames]), np.array([0, len(y)])
        _, alone = ours(scores[first:end], weight[n : n + 1], *of)
        np.testing.assert_array_equal(alone, gradient[first:end])
        assert ctc.log_probabilities(scores[first:end], *of) == [log_p[n]]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("frame", [0, 1, 3])
def test_scores_that_are_not_finite_are_not_hidden(frame, place, bad):
    scores, weight = case(3, "f4")
    scores[frame, place] = bad
    with np.errstate(invalid="ignore"):  # as plain Python
        total, gradient = ours(scores, weight)
        log_p = ctc.log_probabilities(scores, TOKENS, OFFSETS, ENDS)
    assert not np.isfinite(total)
    assert not np.isfinite(gradient[: N_FRAMES[0]]).all()
    assert np.isfinite(gradient[N_FRAMES[0] :]).all()
    assert np.isnan(log_p[0])
    assert np.isfinite(log_p[1:]).all()


# Search


def found(scores, offsets, width=1, n_best=1, max_length=9, penalty=0.0):
    """The sequences that were found, their log-probabilities, and which were cut."""
    n = len(offsets) - 1
    tokens = np.full((n, n_best, max_length), -1)
    lengths, log_p = np.empty((n, n_best), int), np.empty((n, n_best))
    is_cut = np.empty((n, n_best), bool)
    of = (width, max_length), penalty, tokens, lengths, log_p, is_cut
    ctc_search.search(scores, offsets, *of)
    for row, length in zip(tokens.reshape(-1, max_length), lengths.flat, strict=True):
        assert (row[:length] > 0).all()
        assert (row[length:] == 0).all()
    sequences = [
        [tuple(y[:length]) for y, length, p in zip(*part, strict=True) if p > -np.inf]
        for part in zip(tokens, lengths, log_p, strict=True)
    ]
    return sequences, log_p, is_cut


def likeliest(scores):
    """All sequences that the frames may emit, with log p, best first."""
    ways, of_ways = alignments(log_softmax(scores.astype(float)))
    of_each = {}
    for way, log_p in zip(ways, of_ways, strict=True):
        of_each.setdefault(tuple(collapsed(way)), []).append(log_p)
    of_each = {y: np.logaddexp.reduce(log_p) for y, log_p in of_each.items()}
    return sorted(of_each.items(), key=lambda pair: -pair[1])


@of_each_size
def test_a_search_that_leaves_nothing_out_equals_enumeration(n_outputs, dtype):
    scores, _ = case(n_outputs, dtype)
    sequences, log_p, is_cut = found(scores, OFFSETS, 5000, 1000)
    assert not is_cut.any()
    parts = zip(sequences, log_p, pairwise(OFFSETS), strict=True)
    for ys, of_ys, (first, end) in parts:
        expected_ys, expected_log_p = zip(*likeliest(scores[first:end]), strict=True)
        assert ys == list(expected_ys)
        np.testing.assert_allclose(of_ys[: len(ys)], expected_log_p, rtol=1e-12)
        assert np.isneginf(of_ys[len(ys) :]).all()
        assert np.exp(of_ys).sum() == pytest.approx(1, rel=1e-12)


@of_each_size
def test_a_search_for_short_sequences_equals_enumeration(n_outputs, dtype):
    scores, _ = case(n_outputs, dtype)
    sequences, log_p, _ = found(scores, OFFSETS, 5000, 1000, max_length=2)
    parts = zip(sequences, log_p, pairwise(OFFSETS), strict=True)
    for ys, of_ys, (first, end) in parts:
        short = [pair for pair in likeliest(scores[first:end]) if len(pair[0]) <= 2]
        assert ys == [y for y, _ in short]
        np.testing.assert_allclose(of_ys[: len(ys)], [p for _, p in short], rtol=1e-12)


@pytest.mark.parametrize("penalty", [0.5, 1.0])
def test_a_penalty_divides_by_the_length(penalty):
    scores, _ = case(3, "f8")
    ys, log_p = zip(*likeliest(scores[: N_FRAMES[0]]), strict=True)
    by_penalty = log_p / (1.0 + np.array([len(y) for y in ys])) ** penalty
    sequences, _, _ = found(scores, OFFSETS[:2], 5000, 5, penalty=penalty)
    assert sequences[0] == [ys[i] for i in np.argsort(-by_penalty)[:5]]


def one_by_one(scores):
    """The prefix that is likeliest after each frame, of those that come from the last.

    The alignments that count are those whose beginnings were chosen at each frame.
    """
    log_p, left, prefix = log_softmax(scores.astype(float)), [((), 0.0)], ()
    for of_frame in log_p:
        longer = [
            ((*way, k), of_way + of_frame[k])
            for way, of_way in left
            for k in range(len(of_frame))
        ]
        of_each = {}
        for way, of_way in longer:
            of_each.setdefault(tuple(collapsed(way)), []).append(of_way)
        prefix = max(of_each, key=lambda y: np.logaddexp.reduce(of_each[y]))
        left = [pair for pair in longer if tuple(collapsed(pair[0])) == prefix]
    return prefix


@pytest.mark.parametrize("seed", range(5))
def test_a_width_of_1_goes_on_with_the_likeliest_prefix(seed):
    scores = np.random.default_rng(seed).normal(size=(7, 4))
    sequences, log_p, _ = found(scores, np.array([0, 7]))
    assert sequences == [[one_by_one(scores)]]
    y = np.array(sequences[0][0], np.int64)
    exact = ctc.log_probabilities(scores, y, np.array([0, 7]), np.array([0, len(y)]))
    np.testing.assert_array_equal(log_p[0], exact)


@pytest.mark.parametrize("width", [1, 2, 3, 10])
def test_what_is_found_is_distinct_sorted_and_scored_exactly(width, rng):
    n_frames = np.array([40, 0, 3, 25])
    offsets = np.append(0, np.cumsum(n_frames))
    scores = (2 * rng.normal(size=(offsets[-1], 5))).astype("f4")
    sequences, log_p, _ = found(scores, offsets, width, width, max_length=40)
    for n, ys in enumerate(sequences):
        assert len(set(ys)) == len(ys)
        assert (np.diff(log_p[n][: len(ys)]) <= 0).all()
        ends = np.append(0, np.cumsum(list(map(len, ys))))
        tokens = np.array([k for y in ys for k in y], np.int64)
        s = np.tile(scores[offsets[n] : offsets[n + 1]], (len(ys), 1))
        of = tokens, n_frames[n] * np.arange(len(ys) + 1), ends
        exact = ctc.log_probabilities(s, *of)
        np.testing.assert_array_equal(log_p[n][: len(ys)], exact)
    assert sequences[1] == [()]


def test_a_wider_search_finds_likelier_sequences(rng):
    scores = rng.normal(size=(30 * 20, 4))
    offsets = 20 * np.arange(31)
    mean = [found(scores, offsets, width)[1].mean() for width in (1, 3, 30)]
    assert mean[0] < mean[1] < mean[2]


def test_sequences_that_would_be_longer_are_cut():
    frames = [1, 0, 2, 2, 1]
    scores = np.where(np.arange(3) == np.array(frames)[:, np.newaxis], 5.0, 0.0)
    for max_length in (1, 2, 3):
        sequences, _, is_cut = found(scores, np.array([0, 5]), max_length=max_length)
        assert sequences == [[(1, 2, 1)[:max_length]]]
        assert is_cut[0, 0] == (max_length < 3)


def test_what_is_found_does_not_depend_on_the_others_to_the_bit():
    scores, _ = case(4, "f4")
    sequences, log_p, _ = found(scores, OFFSETS, 3, 2)
    for n, (first, end) in enumerate(pairwise(OFFSETS)):
        offsets = np.array([0, end - first])
        alone, of_alone, _ = found(scores[first:end], offsets, 3, 2)
        assert alone == [sequences[n]]
        np.testing.assert_array_equal(of_alone[0], log_p[n])
