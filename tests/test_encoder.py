"""RNNEncoder: codes that know about order, learned from labels or numbers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNEncoder

WORDS = ["cat", "act", "tact", "taca"] * 5


def test_transform_gives_float32_of_the_asked_shape():
    codes = RNNEncoder(nhidden=9, max_iter=2).fit_transform(WORDS, WORDS)
    assert codes.shape == (20, 9)
    assert codes.dtype == np.float32


def test_fit_transform_equals_fit_then_transform():
    encoder = RNNEncoder(nhidden=9, max_iter=2, random_state=0)
    codes = clone(encoder).fit_transform(WORDS, WORDS)
    np.testing.assert_array_equal(codes, encoder.fit(WORDS, WORDS).transform(WORDS))


def test_word_order_changes_the_code():
    X = [["man", "bites", "dog"], ["dog", "bites", "man"]]
    encoder = RNNEncoder(random_state=0).fit(X * 5, ["news", "no news"] * 5)
    first, second = encoder.transform(X)
    assert np.abs(first - second).max() > 0.5


@pytest.mark.parametrize(
    "y, task, n_outputs",
    [
        (["p", "q"], "classification", 2),
        ([3, 7], "classification", 2),
        ([True, False], "classification", 2),
        ([0.5, 1.25], "regression", 1),
        ([[0.5, 1.25], [2.5, 3.0]], "regression", 2),
    ],
)
def test_task_is_told_from_y(y, task, n_outputs):
    encoder = RNNEncoder(nhidden=3, max_iter=2).fit(["ab", "ba"], y)
    assert encoder.task_ == task
    assert hasattr(encoder, "classes_") == (task == "classification")
    # Numbers are predicted from both directions.
    assert encoder.V_.shape == (n_outputs, 6 if task == "regression" else 3)


def test_refit_on_numbers_forgets_the_classes_and_the_vocabulary():
    encoder = RNNEncoder(nhidden=3, max_iter=2).fit(["ab", "ba"], ["p", "q"])
    encoder.fit([[0.5, 1.0], [2.0, 0.0]], [0.5, 1.25])
    assert encoder.kind_ == "series" and encoder.n_features_in_ == 2
    assert not hasattr(encoder, "classes_") and not hasattr(encoder, "vocabulary_")
    encoder.fit(["ab", "ba"], ["p", "q"])
    assert not hasattr(encoder, "mean_") and not hasattr(encoder, "n_features_in_")


def test_shapes_of_the_fitted_weights():
    encoder = RNNEncoder(nhidden=3, cell="rnn", ngram_range=(1, 1), max_iter=2)
    encoder.fit(["abc", "ba"], ["p", "q"])
    (W,), (U,), (b,) = encoder.W_, encoder.U_, encoder.b_
    assert W.shape == (3, 3) and U.shape == (3, 4) and b.shape == (3,)
    assert encoder.V_.shape == (2, 3) and encoder.intercept_.shape == (2,)
    assert encoder.vocabulary_ == {"a": 1, "b": 2, "c": 3}


def test_numbers_are_predicted_from_the_code(rng):
    # A sum that fades: each step counts 0.7 times as much as the next one.
    X = [rng.normal(size=rng.integers(5, 15)) for _ in range(400)]
    y = np.array([x @ 0.7 ** np.arange(len(x))[::-1] for x in X])
    model = make_pipeline(RNNEncoder(random_state=0), Ridge())
    model.fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.9


def test_feature_names_and_pandas_output():
    encoder = RNNEncoder(nhidden=2, max_iter=2).set_output(transform="pandas")
    frame = encoder.fit_transform(WORDS, WORDS)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == ["rnnencoder0", "rnnencoder1"]
    assert list(encoder.get_feature_names_out()) == list(frame.columns)


def test_unknown_characters_have_a_trained_vector():
    X = ["ab", "ba", "abb", "baa", "zb", "qa"] * 10
    y = [0, 1, 0, 1, 0, 1] * 10
    # No weight decay: only a gradient can move the vector.
    params = {"nhidden": 8, "random_state": 0, "alpha": 0.0}
    fitted = RNNEncoder(**params).fit(X, y)
    hardly = RNNEncoder(**params, max_iter=1, learning_rate_init=1e-9).fit(X, y)
    moved = np.abs(fitted.U_[0][:, 0] - hardly.U_[0][:, 0])
    assert moved.max() > 0.05
    assert np.isfinite(fitted.transform(["ax", "☃", "\U0001f600"])).all()


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        np.array,
        lambda X: np.array(X, dtype=object),
        lambda X: np.array(X, dtype=np.dtypes.StringDType()),
        pd.Series,
        lambda X: pd.Series(X, dtype=object, index=range(5, 25)),
        lambda X: pd.DataFrame({"word": X}),
    ],
)
def test_containers_of_strings_give_equal_codes(container):
    encoder = RNNEncoder(nhidden=5, max_iter=2, random_state=0)
    expected = clone(encoder).fit_transform(WORDS, WORDS)
    ours = encoder.fit_transform(container(WORDS), WORDS)
    np.testing.assert_array_equal(ours, expected)


def object_array(X):
    array = np.empty(len(X), dtype=object)
    array[:] = X
    return array


@pytest.mark.parametrize("container", [tuple, object_array, pd.Series])
@pytest.mark.parametrize(
    "X",
    [
        [["man", "bites"], ["dog"], ["man", "dog", "dog"]],
        [[4, 17], [3], [17, 17, 4]],
        [("man", "bites"), ("dog",), ("man", "dog", "dog")],
        [np.array([0.5, 1.0]), np.array([2.0]), np.array([1.0, 0.0, 3.0])],
        [np.ones((2, 3)), np.zeros((1, 3)), np.full((4, 3), 0.5)],
    ],
)
def test_containers_of_ragged_sequences_give_equal_codes(container, X):
    encoder = RNNEncoder(nhidden=5, max_iter=2, random_state=0)
    expected = clone(encoder).fit_transform(X, [0, 1, 2])
    ours = encoder.fit_transform(container(X), [0, 1, 2])
    np.testing.assert_array_equal(ours, expected)


def test_rectangular_arrays_equal_lists_of_series(rng):
    X = rng.normal(size=(6, 4, 2))
    encoder = RNNEncoder(nhidden=5, max_iter=2, random_state=0)
    y = [0, 1, 2, 0, 1, 2]
    np.testing.assert_array_equal(
        encoder.fit_transform(X, y), encoder.fit_transform(list(X), y)
    )
    univariate = X[:, :, 0]
    np.testing.assert_array_equal(
        encoder.fit_transform(univariate, y),
        encoder.fit_transform(univariate.tolist(), y),
    )


def test_sensor_units_do_not_matter(rng):
    X = [rng.normal(size=(n, 2)) for n in (3, 5, 4, 6)]
    units = [x * [1e-4, 1e5] + [1e3, -1e7] for x in X]
    encoder = RNNEncoder(nhidden=5, max_iter=20, random_state=0)
    y = [0, 1, 0, 1]
    np.testing.assert_allclose(
        encoder.fit_transform(units, y), encoder.fit_transform(X, y), atol=1e-3
    )


def test_constant_features_are_harmless():
    X = [[[1.0, 5.5], [2.0, 5.5]], [[3.0, 5.5]]]
    encoder = RNNEncoder(nhidden=5, max_iter=2, random_state=0).fit(X, [0, 1])
    assert encoder.scale_[1] == 1.0
    assert np.isfinite(encoder.transform(X)).all()


def test_lists_may_have_other_lengths_than_in_fit():
    encoder = RNNEncoder(nhidden=5, max_iter=2).fit(np.eye(4), [0, 1, 0, 1])
    width = len(encoder.get_feature_names_out())
    assert encoder.transform([[0.0, 1.0], [2.0] * 9]).shape == (2, width)


def test_the_width_is_that_of_univariate_series_of_one_length_in_any_container(rng):
    univariate = rng.normal(size=(4, 3))
    for X in (
        univariate,
        univariate.tolist(),
        list(univariate),
        tuple(univariate),
        univariate[:, :, np.newaxis],
        object_array(list(univariate)),
        pd.Series(list(univariate)),
        pd.DataFrame(univariate),
    ):
        encoder = RNNEncoder(nhidden=2, max_iter=1).fit(X, [0, 1, 0, 1])
        assert encoder.n_features_in_ == 3
    for X in (rng.normal(size=(4, 3, 2)), ["ab"] * 4, [[0.5], [1.0, 2.0]] * 2):
        encoder = RNNEncoder(nhidden=2, max_iter=1).fit(X, [0, 1, 0, 1])
        assert not hasattr(encoder, "n_features_in_")


def test_integers_are_what_fit_took_them_for():
    ids = [[1, 2, 3], [3, 2, 1]]
    tokens = RNNEncoder(nhidden=2, max_iter=1).fit(ids, [0, 1])
    codes = tokens.transform(ids)
    for X in (
        np.array(ids),
        np.array(ids, dtype=object),
        pd.DataFrame(ids),
        pd.DataFrame(ids, dtype="Int64"),
        pd.Series(ids),
        list(np.array(ids)),
    ):
        np.testing.assert_array_equal(tokens.transform(X), codes)
    numbers = RNNEncoder(nhidden=2, max_iter=1).fit(np.array(ids), [0, 1])
    np.testing.assert_array_equal(numbers.transform(ids), numbers.transform(ids))
    for X in ([[1, 2], np.array([0.5])], [[1, 2], [0.5]], [np.array([0.5]), [1, 2]]):
        assert RNNEncoder(nhidden=2, max_iter=1).fit(X, [0, 1]).kind_ == "series"


def test_a_stray_string_does_not_make_a_table_of_numbers_token_lists():
    for X in (
        np.array([[1, 2], [3, "?"]], dtype=object),
        pd.DataFrame({"a": [1, 3], "b": [2, "?"]}),
    ):
        with pytest.raises(TypeError, match=r"^X\[1\] has a string at step 1: a "):
            RNNEncoder().fit(X, [0, 1])
    encoder = RNNEncoder(nhidden=2, max_iter=1).fit([[1, "b"], [2]], [0, 1])
    X = np.array([[1, 2], ["b", "?"]], dtype=object)
    assert encoder.transform(X).shape == (2, 2)


def test_what_a_subclass_adds_stays_through_fits():
    class Lowering(RNNClassifier):
        def __init__(self, lower=True, nhidden=4, *, max_iter=2):
            super().__init__(nhidden, max_iter=max_iter)
            self.lower = lower

        def fit(self, X, y, sample_weight=None):
            self.seen_ = len(X)
            return super().fit(X, y, sample_weight)

    classifier = Lowering().fit(["ab", "c"], [0, 1])
    assert classifier.seen_ == 2
    assert classifier.encoder_.transform(["ab"]).shape == (1, 4)


def test_a_target_without_weight_does_not_scale_the_others(rng):
    X, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    encoder = RNNEncoder(nhidden=3, max_iter=20, random_state=0)
    expected = clone(encoder).fit(X, y).loss_curve_
    more = encoder.fit(
        np.vstack([X, X[:1]]), np.append(y, 1e200), sample_weight=[1] * 8 + [0]
    )
    assert more.loss_curve_ == expected


def test_the_smallest_numbers_train():
    tiny = np.finfo(np.float64).smallest_subnormal
    RNNEncoder(nhidden=2, max_iter=1).fit([[tiny, 2 * tiny], [tiny]], [0, 1])
    RNNEncoder(nhidden=2, max_iter=1).fit([[1.0], [2.0]], [tiny, 0.0])


def test_a_fit_that_fails_leaves_the_last_one():
    encoder = RNNEncoder(nhidden=2, max_iter=1, random_state=0)
    for bad in (["", ""], np.array([[0.0, np.nan]] * 2)):
        with pytest.raises(ValueError):
            encoder.fit(bad, [0, 1])
        with pytest.raises(NotFittedError):
            encoder.transform(["ab"])
    codes = encoder.fit_transform(["ab", "ba"], [0, 1])
    for X, y in [
        (["", ""], [0, 1]),
        (np.eye(2), [0, 1, 2]),
        (np.eye(2), [0, np.nan]),
    ]:
        with pytest.raises(ValueError):
            encoder.fit(X, y)
        np.testing.assert_array_equal(encoder.transform(["ab", "ba"]), codes)
    assert not hasattr(encoder, "n_features_in_")


def test_parameters_set_after_fit_wait_for_the_next_fit():
    encoder = RNNEncoder(nhidden=2, max_iter=1, random_state=0)
    codes = encoder.fit_transform(WORDS, WORDS)
    encoder.set_params(activation="relu", nhidden=7)
    np.testing.assert_array_equal(encoder.transform(WORDS), codes)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_the_unit_of_numbers_to_predict_does_not_matter(factor, rng):
    X, y = rng.normal(size=(10, 4)), rng.normal(size=(10, 2))
    encoder = RNNEncoder(nhidden=3, max_iter=20, random_state=0).fit(X, y)
    scaled = clone(encoder).fit(X, y * factor)
    np.testing.assert_allclose(scaled.loss_curve_, encoder.loss_curve_, rtol=1e-4)


def test_weights_and_series_of_any_magnitude_train(rng):
    X, y = rng.normal(size=(10, 4)), [0, 1] * 5
    encoder = RNNEncoder(nhidden=3, max_iter=20, random_state=0).fit(X, y)
    heavy = clone(encoder).fit(X, y, np.full(10, 1e308))
    small = clone(encoder).fit(X * 1e-200, y)
    np.testing.assert_allclose(heavy.loss_curve_, encoder.loss_curve_, rtol=1e-4)
    np.testing.assert_allclose(small.loss_curve_, encoder.loss_curve_, rtol=1e-4)


def test_two_columns_of_whole_numbers_are_numbers():
    for y in ([[3, 10], [2, 70]], [[0.0, 2.0], [1.0, 0.0]]):
        encoder = RNNEncoder(nhidden=2, max_iter=1).fit(["a", "b"], y)
        assert encoder.task_ == "regression" and len(encoder.V_) == 2
