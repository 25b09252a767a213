"""Learning without y: what is predicted at each step, and what that costs."""

import numpy as np
import pytest
from reading import encode_as_fitted, model_of
from sklearn.linear_model import LogisticRegression

from skrnn import RNNEncoder
from skrnn._core import encode
from skrnn._core.execution import CPU
from skrnn._core.samples import Samples
from skrnn._core.vocabulary import END
from skrnn._core.weights import Weights
from skrnn._heads.next_step import NextStepHead

WORDS = ["abc", "ab", "cab", "b", "bcab"] * 8


def scores_at_each_step(encoder, X):
    """``V h_t + c`` by hand: the code of each beginning of each sequence."""
    beginnings = [x[: n + 1] for x in X for n in range(len(x))]
    return encoder.transform(beginnings) @ encoder.V_.T + encoder.intercept_


def log_softmax(scores):
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def fitted(X, **params):
    return RNNEncoder(8, **{"pooling": "last", "random_state": 0, **params}).fit(X)


def test_tokens_and_the_end_are_predicted():
    encoder = fitted(WORDS, max_iter=60)
    assert encoder.task_ == "next_step" and not hasattr(encoder, "classes_")
    assert encoder.V_.shape == (4, 8)  # the end, a, b, c
    assert encoder.transform(WORDS).shape == (40, 8)
    best = scores_at_each_step(encoder, ["cab", "abc"]).argmax(axis=1)
    id_of = encoder.vocabulary_
    expected = [id_of["a"], id_of["b"], 0, id_of["b"], id_of["c"], 0]
    # After "ab", "abc" goes on and "ab" ends.
    assert np.delete(best, 4).tolist() == np.delete(expected, 4).tolist()
    assert best[4] in (id_of["c"], 0)
    assert encoder.loss_ < 0.7 < encoder.loss_curve_[0]


def test_the_validation_loss_is_that_of_all_steps_held_out(monkeypatch):
    X = WORDS * 3
    parts = slice(None, 100), slice(100, None)
    monkeypatch.setattr(
        "skrnn._fitting._hold_out",
        lambda data, *_: tuple(data.take(np.arange(120)[part]) for part in parts),
    )
    encoder = fitted(X, early_stopping=True, max_iter=5)
    held_out = X[100:]
    log_p = log_softmax(scores_at_each_step(encoder, held_out))
    ids = [[encoder.vocabulary_[c] for c in word[1:]] + [0] for word in held_out]
    target = np.concatenate(ids)
    loss = -log_p[np.arange(len(target)), target].mean()
    best = np.argmax(encoder.validation_scores_)
    assert encoder.validation_loss_curve_[best] == pytest.approx(loss, rel=1e-5)
    assert encoder.best_validation_score_ == pytest.approx(-loss, rel=1e-5)


def learned(steps, weight, is_series):
    """A head for the next steps, and these."""
    samples = Samples(steps, None, weight, np.arange(len(weight)))
    head = NextStepHead(is_series=is_series).learned(samples)
    return head, head.samples_of(samples)


def test_targets_of_tokens():
    encoder = fitted(["abx", "b", "ba"], max_features=2, ngram_range=(1, 1), max_iter=1)
    assert encoder.vocabulary_ == {"a": 1, "b": 2}
    steps = encode_as_fitted(encoder, ["abx", "b", "ba"])
    head, samples = learned(steps, np.array([1.0, 2.0, 1.0]), is_series=False)
    # a b x(unknown), then the end; b, the end; b a, the end
    assert samples.target.tolist() == [2, 0, 0, 0, 1, 0]
    weight = np.array([1, 0, 1, 2, 1, 1])  # none for what is unknown
    np.testing.assert_allclose(samples.weight, weight / weight.mean())
    shares = np.array([4, 1, 1]) + 1
    np.testing.assert_allclose(head.bias, np.log(shares / shares.sum()), rtol=1e-6)
    p = np.exp(head.bias)[samples.target]
    chance = head.chance(samples.target, samples.weight)
    assert chance == pytest.approx(np.average(-np.log(p), weights=weight))


def test_targets_of_numbers():
    X = [[[1.0, 5.0], [2.0, 4.0], [4.0, 1.0]], [[0.0, 0.0]], [[3.0, 1.0], [2.0, 2.0]]]
    X = [np.array(x) for x in X]
    encoder = fitted(X, differences=0, max_iter=1)
    values, *_ = steps = encode_as_fitted(encoder, X)
    head, samples = learned(steps, np.ones(3), is_series=True)
    assert samples.weight.tolist() == [2, 2, 0, 0, 2, 0]
    rows = [1, 2, 5]
    np.testing.assert_array_equal(samples.target[[0, 1, 4]], values[rows])
    np.testing.assert_allclose(head.bias, values[rows].mean(axis=0), atol=1e-6)
    spread = ((values[rows] - head.bias) ** 2).mean() / 2
    chance = head.chance(samples.target, samples.weight)
    assert chance == pytest.approx(spread, rel=1e-5)


def test_a_series_that_goes_on_as_it_began_is_predicted(rng):
    X = [
        np.sin(rng.uniform(0, 6) + 0.7 * np.arange(n)) for n in rng.integers(8, 20, 90)
    ]
    params = {"pooling": "last", "early_stopping": True, "random_state": 0}
    encoder = RNNEncoder(16, **params).fit(X)
    assert encoder.V_.shape == (2, 16)  # the number and what it adds to the last one
    assert encoder.best_validation_score_ > -0.06
    # By hand: sin(t + s) = 2 cos(s) sin(t) - sin(t - s)
    scores = scores_at_each_step(encoder, [X[0][:6]])[-1]
    expected = (X[0][6] - encoder.mean_[0]) / encoder.scale_[0]
    assert scores[0] == pytest.approx(expected, abs=0.3)


def test_codes_of_unlabelled_words_tell_labelled_ones_apart(rng):
    # Two languages, by which letter follows which.
    def word(language):
        letters = [int(rng.integers(6))]
        while len(letters) < 8:
            step = 1 if language == (letters[-1] % 2) else 2
            letters.append((letters[-1] + step) % 6)
        return "".join("abcdef"[i] for i in letters)

    y = rng.integers(2, size=400)
    X = [word(language) for language in y]
    encoder = RNNEncoder(16, ngram_range=(1, 1), random_state=0).fit(X)
    model = LogisticRegression().fit(encoder.transform(X[:20]), y[:20])
    assert model.score(encoder.transform(X[20:]), y[20:]) > 0.9


def test_weights_count_as_repetitions_do():
    X, weight = [[1.0, 2.0, 0.0], [3.0, 1.0], [0.5, 0.0, 2.0, 7.0]], [3.0, 1.0, 2.0]
    repeated = [x for x, n in zip(X, weight, strict=True) for _ in range(int(n))]
    params = {"batch_size": 6, "max_iter": 20}
    ours = RNNEncoder(8, random_state=0, **params).fit(X, sample_weight=weight)
    theirs = fitted(repeated, **params)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4)


def test_embeddings_are_read_and_the_tokens_of_x_predicted():
    vectors = {letter: np.eye(5)[i] for i, letter in enumerate("abcxy")}
    encoder = fitted(WORDS, embeddings=vectors, max_iter=60)
    assert set(encoder.vocabulary_) == set("abcxy")
    assert encoder.V_.shape == (4, 8)
    best = scores_at_each_step(encoder, ["cab"]).argmax(axis=1)
    assert best.tolist() == [encoder.vocabulary_[c] for c in "ab"] + [0]


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat", "sum"])
def test_training_does_not_depend_on_the_pooling(pooling):
    encoder = fitted(WORDS, max_iter=3, pooling=pooling)
    last = fitted(WORDS, max_iter=3)
    np.testing.assert_array_equal(encoder.V_, last.V_)
    width = 16 if pooling == "concat" else 8
    assert encoder.transform(WORDS).shape == (40, width)
    assert len(encoder.get_feature_names_out()) == width


def test_states_of_all_steps_are_the_codes_of_all_beginnings():
    encoder = fitted(WORDS, max_iter=3)
    steps = encode_as_fitted(encoder, WORDS[:5])
    weights, values = model_of(encoder)._tensors(steps, CPU)
    states = np.empty((len(values), 8), dtype=np.float32)
    of = weights, values, steps.offsets
    encode.use_states_of_all_steps(*of, states.__setitem__)
    beginnings = [x[: n + 1] for x in WORDS[:5] for n in range(len(x))]
    np.testing.assert_allclose(states, encoder.transform(beginnings), atol=1e-6)
    assert isinstance(weights, Weights)


@pytest.mark.parametrize(
    "X, params, sentence",
    [
        ([[1.0], [2.0]], {}, "no sequence of X has more than one step. Pass y"),
        ([[1.0] * 5] * 2, {"patch_length": 5}, "one patch of 5 steps.*smaller patch_l"),
        (["a", "b"], {}, "no sequence of X has more than one token that is known"),
        (["ab", "b", "c"], {"vocabulary": ["c"]}, "one token that is known"),
        (["ab", "b"], {"ngram_range": (2, 3)}, "leaves single tokens out"),
        (["ab", "b"], {"bidirectional": True}, "the network has read it"),
    ],
)
def test_what_cannot_be_learned_without_y_raises(X, params, sentence):
    with pytest.raises(ValueError, match=f"^Without y, .*{sentence}"):
        RNNEncoder(**params).fit(X)


def test_the_end_is_not_an_unknown_token():
    """An unknown token that comes next is no target; the end of a sequence is one."""
    X = ["ab", "ab", "xb", "ay"] * 4  # x and y are in too few sequences to be known
    encoder = fitted([*X, "a?b", "!"], min_df=2, max_iter=1)
    assert set("?!") & set(encoder.vocabulary_) == set()
    steps = encode_as_fitted(encoder, ["a?b", "a"])
    head, samples = learned(steps, np.ones(2), is_series=False)
    assert samples.target.tolist() == [
        *(END, encoder.vocabulary_["b"], END),  # after a comes one that is unknown
        END,
    ]
    assert samples.weight.tolist() == pytest.approx([0, 4 / 3, 4 / 3, 4 / 3])
    assert head.n_outputs == 1 + max(encoder.vocabulary_[c] for c in "ab")
