"""Properties that hold for any data: what a code may and may not depend on."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skrnn import RNNClassifier, RNNEncoder
from skrnn._core.architecture import Architecture
from skrnn._core.encode import encode
from skrnn._core.layout import Layout
from skrnn._core.weights import zeros

words = st.lists(st.text("abc", max_size=12), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def encoder():
    X = ["ab", "ba", "abc", "cba", "ccc"]
    return RNNEncoder(nhidden=32, max_iter=5, random_state=0).fit(X, X)


CELLS = ["rnn", "gru", "lstm"]


def float64_codes(X, cell):
    architecture = Architecture((6,), cell)
    weights = zeros(Layout(architecture, 4, 1), torch.float64)
    weights.flat.normal_(generator=torch.Generator().manual_seed(0))
    ids = [" abc".index(character) for word in X for character in word]
    offsets = np.cumsum([0, *(len(word) for word in X)])
    return encode(weights, np.array(ids, dtype=np.int32), offsets)


@pytest.mark.parametrize("cell", CELLS)
@given(words)
def test_batch_mates_do_not_change_h(cell, X):
    together = float64_codes(X, cell)
    for word, h in zip(X, together, strict=True):
        np.testing.assert_array_equal(float64_codes([word], cell)[0], h)


@pytest.mark.parametrize("cell", CELLS)
@given(words, st.randoms(use_true_random=False))
def test_order_of_samples_does_not_change_h(cell, X, random):
    order = list(range(len(X)))
    random.shuffle(order)
    shuffled = float64_codes([X[i] for i in order], cell)
    np.testing.assert_array_equal(shuffled, float64_codes(X, cell)[order])


@pytest.mark.parametrize("cell", CELLS)
@given(words, words)
def test_appended_sequences_do_not_change_h(cell, X, more):
    both = float64_codes(X + more, cell)
    np.testing.assert_array_equal(float64_codes(X, cell), both[: len(X)])


def test_float32_h_does_not_depend_on_batch_mates(encoder):
    X = ["a", "abc", "cbacbacba", "bb", "c" * 40]
    together = encoder.transform(X)
    alone = np.concatenate([encoder.transform([word]) for word in X])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("nhidden", [1, 8, 33])
def test_h_of_given_vectors_does_not_depend_on_batch_mates(nhidden, rng):
    letters = list("abcdefghij")
    vectors = dict(zip(letters, rng.normal(size=(10, 50)), strict=True))
    encoder = RNNEncoder(nhidden, embeddings=vectors, max_iter=1, random_state=0)
    X = ["".join(rng.choice(letters, 9)) for _ in range(20)] + letters
    together = encoder.fit(X, [0, 1] * 15).transform(X)
    alone = np.concatenate([encoder.transform([word]) for word in X])
    np.testing.assert_array_equal(together, alone)


def test_a_single_unit_does_not_depend_on_batch_mates(rng):
    X = [rng.normal(size=(n, 3)) for n in range(1, 20)]
    encoder = RNNEncoder(1, max_iter=1, random_state=0).fit(X, range(len(X)))
    alone = np.concatenate([encoder.transform([item]) for item in X])
    np.testing.assert_array_equal(encoder.transform(X), alone)


@given(words)
def test_equal_sequences_get_equal_codes(encoder, X):
    codes = encoder.transform(X + X)
    np.testing.assert_array_equal(codes[: len(X)], codes[len(X) :])


@pytest.mark.parametrize("X", [["cat", "chat", "act"], [[0.5, 2.0], [1.0], [3.0, 0.1]]])
@pytest.mark.parametrize("Estimator", [RNNEncoder, RNNClassifier])
def test_equal_random_state_gives_equal_weights_bit_for_bit(Estimator, X):
    first, second = (
        Estimator(nhidden=5, max_iter=30, random_state=3).fit(X, [0, 1, 2])
        for _ in range(2)
    )
    for name in ("W_", "U_", "b_"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    np.testing.assert_array_equal(first.V_, second.V_)
    np.testing.assert_array_equal(first.intercept_, second.intercept_)
    other = Estimator(nhidden=5, max_iter=30, random_state=4).fit(X, [0, 1, 2])
    assert (other.W_[0] != first.W_[0]).all()


@pytest.mark.parametrize("random_state", [None, 0, np.random.RandomState(0)])
def test_global_generators_are_untouched(random_state):
    before_torch = torch.get_rng_state()
    before_numpy = np.random.get_state(legacy=False)["state"]
    X = ["cat", "chat", "act"]
    classifier = RNNClassifier(nhidden=5, max_iter=2, random_state=random_state)
    classifier.fit(X, X).predict_proba(X)
    RNNEncoder(nhidden=5, max_iter=2, random_state=random_state).fit_transform(X, X)
    assert torch.equal(torch.get_rng_state(), before_torch)
    after_numpy = np.random.get_state(legacy=False)["state"]
    assert after_numpy["pos"] == before_numpy["pos"]
    np.testing.assert_array_equal(after_numpy["key"], before_numpy["key"])
