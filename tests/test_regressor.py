"""RNNRegressor: numbers predicted from sequences."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor


def sums(n_samples, seed):
    """Series of 2 to 8 numbers and their sum."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=rng.integers(2, 9)) for _ in range(n_samples)]
    return X, np.array([x.sum() for x in X])


@pytest.fixture(scope="module")
def fitted():
    return RNNRegressor(nhidden=16, random_state=0).fit(*sums(500, seed=0))


def test_sums_are_learned(fitted):
    assert fitted.score(*sums(200, seed=1)) > 0.95


def test_predictions_are_scores_in_units_of_y(fitted):
    X, _ = sums(5, seed=1)
    predicted = fitted.predict(X)
    scores = fitted.encoder_.transform(X) @ fitted.V_.T + fitted.intercept_
    assert predicted.shape == (5,) and predicted.dtype == np.float64
    np.testing.assert_allclose(
        predicted, scores[:, 0] * fitted.target_scale_ + fitted.target_mean_, rtol=1e-5
    )
    assert fitted.target_mean_ == pytest.approx([sums(500, seed=0)[1].mean()])


def test_columns_are_predicted_as_columns(fitted):
    X, y = sums(500, seed=0)
    regressor = clone(fitted).fit(X, np.column_stack([y, -10 * y]))
    first, second = regressor.predict(X).T
    assert np.corrcoef(first, y)[0, 1] > 0.97 and np.corrcoef(second, -y)[0, 1] > 0.97
    assert regressor.score(X, np.column_stack([y, -10 * y])) > 0.9


def test_large_numbers_keep_their_digits(fitted):
    X, y = sums(500, seed=0)
    shifted = clone(fitted).fit(X, y + 1e9)  # in float32, 64 apart
    np.testing.assert_allclose(shifted.predict(X) - 1e9, fitted.predict(X), atol=1e-2)


def test_the_encoder_is_one_that_learned_numbers(fitted):
    X, y = sums(500, seed=0)
    alone = RNNEncoder(nhidden=16, random_state=0).fit(X, y)
    assert alone.task_ == fitted.encoder_.task_ == "regression"
    np.testing.assert_array_equal(alone.transform(X), fitted.encoder_.transform(X))


def test_whole_numbers_are_numbers():
    regressor = RNNRegressor(4, max_iter=300, random_state=0)
    X = ["a", "aa", "aaa", "aaaa"] * 10
    predicted = regressor.fit(X, [1, 2, 3, 4] * 10).predict(["aa"])
    assert predicted == pytest.approx([2.0], abs=0.2)


def test_strings_are_no_numbers():
    with pytest.raises(ValueError, match=r"^y\[0\] is a string, which is no number"):
        RNNRegressor(2).fit(["a", "b"], ["p", "q"])


def test_weights_count(fitted):
    X, y = ["a", "a", "b", "b"], [0.0, 1.0, 5.0, 5.0]
    regressor = RNNRegressor(4, random_state=0).fit(X, y, [1, 3, 1, 1])
    assert regressor.predict(["a"]) == pytest.approx([0.75], abs=0.1)


def test_the_target_may_be_transformed():
    X, y = sums(200, seed=0)
    model = TransformedTargetRegressor(
        RNNRegressor(8, random_state=0), func=np.arcsinh, inverse_func=np.sinh
    )
    assert model.fit(X[:20], y[:20]).predict(X[:3]).shape == (3,)


def test_constant_numbers_are_predicted_exactly():
    y = np.column_stack([np.full(4, 1e-6), [1.0, 2.0, 1.0, 2.0]])
    regressor = RNNRegressor(4, max_iter=2).fit(["a", "b", "a", "b"], y)
    np.testing.assert_array_equal(regressor.predict(["a", "c"])[:, 0], [1e-6, 1e-6])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 37, 200])
@pytest.mark.parametrize("pooling", ["last", "sum", "concat"])
def test_equal_sequences_have_equal_predictions_in_any_company(pooling, n):
    """To the last bit, of one number as of several."""
    X, y = ["ab", "ba", "abb"] * 10, np.arange(30) * 1e6
    regressor = RNNRegressor(16, pooling=pooling, max_iter=3, random_state=0).fit(X, y)
    (expected,) = regressor.predict(["abba"])
    assert set(regressor.predict(["abba"] * n).tolist()) == {expected}
    mixed = regressor.predict(["abba"] * n + ["b", "abab", "ba"])
    assert set(mixed[:n].tolist()) == {expected}


STRINGS = ["ab", "bba", "b", "aab", "aaaa", "bb"] * 4
LENGTHS = [float(len(x)) for x in STRINGS]


def directions(estimator):
    return estimator.V_.shape[1] // 4


@pytest.mark.parametrize(
    "params, n_directions",
    [
        ({}, 2),
        ({"bidirectional": False}, 1),
        ({"truncate": 3}, 1),
        ({"cell": "rnn"}, 2),
    ],
    ids=str,
)
def test_numbers_of_strings_are_predicted_from_both_directions(params, n_directions):
    regressor = RNNRegressor(4, max_iter=1, **params).fit(STRINGS, LENGTHS)
    assert directions(regressor) == n_directions
    tokens = clone(regressor).fit(list(map(list, STRINGS)), LENGTHS)
    assert directions(tokens) == n_directions


def test_labels_and_numbers_of_series_are_predicted_from_one_direction():
    classifier = RNNClassifier(4, max_iter=1).fit(STRINGS, list(map(str, LENGTHS)))
    assert directions(classifier) == 1
    regressor = RNNRegressor(4, max_iter=1, kernel_sizes=None)
    regressor.fit([[float(len(x)), 0.5] for x in STRINGS], LENGTHS)
    assert regressor.V_.shape == (1, 4)


def test_a_warm_start_reads_in_the_directions_of_the_last_fit():
    regressor = RNNRegressor(4, max_iter=1, warm_start=True).fit(STRINGS, LENGTHS)
    assert directions(regressor.fit(STRINGS, LENGTHS)) == 2
    with pytest.raises(ValueError, match="truncate needs a network that reads"):
        regressor.set_params(truncate=3).fit(STRINGS, LENGTHS)
    regressor.set_params(truncate=None, bidirectional=False)
    sentence = "whose bidirectional was True, but now it is False"
    with pytest.raises(ValueError, match=sentence):
        regressor.fit(STRINGS, LENGTHS)
    encoder = RNNEncoder(4, max_iter=1, warm_start=True).fit(STRINGS, STRINGS)
    assert encoder.fit(STRINGS, LENGTHS).transform(STRINGS).shape[1] == 4
