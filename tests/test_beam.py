"""Beam search, held against enumeration and against going on with the likeliest."""

import re
from itertools import product

import numpy as np
import pytest

from skrnn._core.beam import beam_search, limited
from skrnn._core.vocabulary import END

N_OUTPUTS = 4


class Chain:
    """Sequences whose next token depends on all tokens before it, by a random table.

    The state is the number of the tokens read so far, in base `N_OUTPUTS`.
    """

    def __init__(self, n_sequences, max_length, seed):
        rng = np.random.default_rng(seed)
        n_states = N_OUTPUTS ** (max_length + 1)
        scores = 2 * rng.normal(size=(n_sequences, n_states, N_OUTPUTS))
        self.log_p = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
        self.n_rows = []

    def start(self):
        sequences = np.arange(len(self.log_p))
        states = (sequences, [np.ones_like(sequences)])
        return states, self.log_p[sequences, 1]

    def step(self, states, tokens):
        sequences, (number,) = states
        number = N_OUTPUTS * number + tokens
        self.n_rows.append(len(tokens))
        return self.log_p[sequences, number % self.log_p.shape[1]], (
            sequences,
            [number],
        )

    def of(self, i, tokens):
        """The logarithm of the probability of a sequence and its end."""
        states, total = (np.array([i]), [np.ones(1, int)]), 0.0
        log_p = self.log_p[[i], 1]
        for token in (*tokens, END):
            total += log_p[0, token]
            log_p, states = self.step(states, np.array([token]))
        return total


def search(chain, max_length, **options):
    states, log_p = chain.start()
    return beam_search(chain.step, states, log_p, max_length, **options)


def found_of(found, i):
    parts = zip(found.tokens[i], found.lengths[i], strict=True)
    return [tuple(tokens[:n].tolist()) for tokens, n in parts]


@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("max_length", [1, 3])
def test_the_widest_beam_is_enumeration(max_length, length_penalty):
    chain, n_best = Chain(6, max_length, seed=0), 5
    n_tokens = range(max_length + 1)
    ends = [s for n in n_tokens for s in product(range(1, N_OUTPUTS), repeat=n)]
    n_best = min(n_best, len(ends))
    found = search(
        chain,
        max_length,
        width=len(ends),
        n_best=n_best,
        length_penalty=length_penalty,
    )
    for i in range(6):
        log_p = {tokens: chain.of(i, tokens) for tokens in ends}
        of_score = {s: p / (len(s) + 1) ** length_penalty for s, p in log_p.items()}
        expected = sorted(ends, key=lambda tokens: -of_score[tokens])[:n_best]
        assert found_of(found, i) == expected
        of_best = [log_p[tokens] for tokens in expected]
        np.testing.assert_allclose(found.log_p[i], of_best, rtol=1e-12)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("max_length", [1, 3, 4])
def test_a_beam_of_one_is_greedy(max_length, length_penalty):
    chain = Chain(40, max_length, seed=1)
    found = search(chain, max_length, length_penalty=length_penalty)
    for i in range(40):
        tokens, states, log_p = (
            [],
            (np.array([i]), [np.ones(1, int)]),
            chain.log_p[[i], 1],
        )
        while len(tokens) < max_length and log_p.argmax() != END:
            tokens.append(int(log_p.argmax()))
            log_p, states = chain.step(states, np.array(tokens[-1:]))
        assert found_of(found, i) == [tuple(tokens)]
        assert found.is_cut[i, 0] == (log_p.argmax() != END)
        assert found.log_p[i, 0] == pytest.approx(chain.of(i, tokens), rel=1e-12)
    assert 0 < found.is_cut.sum() < 40


@pytest.mark.parametrize("width", [1, 2, 3])
def test_other_sequences_do_not_matter(width):
    chain = Chain(9, 4, seed=2)
    together = search(chain, 4, width=width, n_best=width, length_penalty=0.5)
    for i in range(9):
        alone = Chain(9, 4, seed=2)
        alone.log_p = alone.log_p[[i]]
        found = search(alone, 4, width=width, n_best=width, length_penalty=0.5)
        assert found_of(found, 0) == found_of(together, i)
        np.testing.assert_array_equal(found.log_p[0], together.log_p[i])


def test_a_wider_beam_finds_what_is_likelier():
    chain, means = Chain(60, 4, seed=3), []
    for width in (1, 2, 4, 8):
        means.append(search(chain, 4, width=width).log_p.mean())
    assert means == sorted(means)
    assert means[0] < means[-1]


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
@pytest.mark.parametrize("width", [1, 2, 4, 30])
def test_unlikely_ends_do_not_stop_the_search(width, length_penalty):
    """A word of which each letter is sure, and after which the end is."""
    goes_on, ends = np.log([0.02, 0.97, 0.006, 0.004]), np.log([0.97, 0.01, 0.01, 0.01])

    def step(states, tokens):
        n_tokens = states + 1
        is_over = n_tokens[:, np.newaxis] >= 7
        return np.where(is_over, ends, goes_on), n_tokens

    start = np.zeros(2, int), np.tile(goes_on, (2, 1))
    options = {"width": width, "length_penalty": length_penalty}
    found = beam_search(step, *start, 20, **options)
    assert [found_of(found, i) for i in range(2)] == [[(1,) * 7]] * 2


def test_sequences_that_are_done_are_read_no_more():
    chain = Chain(60, 4, seed=4)
    found = search(chain, 4)
    assert sum(chain.n_rows) == found.lengths.sum()


def test_what_is_impossible_is_not_found():
    chain = Chain(3, 2, seed=5)
    chain.log_p[:, :, 2:] = -np.inf  # one token is left, and the end
    found = search(chain, 2, width=5, n_best=5)
    for i in range(3):
        possible = np.isfinite(found.log_p[i])
        assert possible.sum() == 3
        assert {s for s, p in zip(found_of(found, i), possible, strict=True) if p} == {
            (),
            (1,),
            (1, 1),
        }


def test_nothing_but_the_end():
    found = beam_search(None, None, np.zeros((2, 1)), 3, width=2, n_best=2)
    np.testing.assert_array_equal(found.lengths, 0)
    np.testing.assert_array_equal(found.log_p, [[0]] * 2)  # there is no other
    assert not found.is_cut.any()


def test_no_sequences():
    found = beam_search(None, None, np.zeros((0, 3)), 3)
    assert found.tokens.shape == (0, 1, 0)


def test_no_more_is_searched_for_than_there_is():
    chain = Chain(2, max_length=2, seed=0)
    found = search(chain, 2, width=10**9, n_best=10**9)
    assert found.tokens.shape == (2, 1 + 3 + 9, 2)
    expected = search(chain, 2, width=13, n_best=13)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_search_that_would_take_too_much_memory():
    message = (
        "To keep 1,000,000,000 sequences of up to 40 tokens in a search takes 352 GB. "
        "Lower n_best, beam_width, or the maximum length."
    )
    assert limited(1000, 10, 4, 40) == (1000, 10)
    assert limited(1000, 10, 2, 40) == (41, 10)  # of one token: its length tells all
    assert limited(5, 5, 1, 40) == (1, 1)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        limited(10**9, 1, 4, 40)
