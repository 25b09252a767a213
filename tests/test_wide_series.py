"""The wide path of series: features of MiniRocket, and a linear map that is trained."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ways import WAYS, by_pickle

from skrnn import RNNClassifier, RNNRegressor
from skrnn._core import minirocket
from skrnn._core.dense_rows import DenseRows
from skrnn._core.steps import Steps
from skrnn._reading import series as reading
from skrnn._reading.wide_series import WideSeriesReader, auto_features

PATTERNS = list(combinations(range(-4, 5), 3))
ATTRIBUTES = ["wide_biases_", "wide_dilations_", "wide_inputs_"]
ATTRIBUTES += ["wide_mean_", "wide_scale_"]


def waves(n=36, n_numbers=1, least=20, most=40):
    """Series of three frequencies."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    X = []
    for label in y:
        t = np.arange(rng.integers(least, most))[:, np.newaxis]
        phases = rng.uniform(0, 6, size=n_numbers)
        noise = rng.normal(scale=0.3, size=(len(t), n_numbers))
        X.append(np.sin((0.4 + 0.4 * label) * t + phases) + noise)
    return X, np.array(list("abc"))[y]


def classifier(**params):
    return RNNClassifier(8, **{"max_iter": 10, "random_state": 0, **params})


def likeness(x, k, dilation, is_read):
    """How like pattern k the windows of a series are, by the definition."""
    z, n = x[:, is_read].sum(axis=1), len(x)

    def at(step):
        return z[step] if 0 <= step < n else 0.0

    places = [[t + j * dilation for j in range(-4, 5)] for t in range(n)]
    C = [
        3 * sum(at(window[4 + j]) for j in PATTERNS[k]) - sum(map(at, window))
        for window in places
    ]
    if k % 2 and n > 8 * dilation:
        return C[4 * dilation : n - 4 * dilation]
    return C


def shares_of(x, biases, dilations, inputs):
    """The features of a series by the definition, from the attributes."""
    n_dilations, n_sums = inputs.shape[:2]
    found = []
    for i, bias in enumerate(biases):
        d, k = i // 84 % n_dilations, i % 84
        C = likeness(x, k, dilations[d], inputs[d, k % n_sums])
        found.append(np.mean(np.array(C) > bias))
    return np.array(found)


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=3),
    st.lists(st.integers(1, 12), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(1, 300),
)
def test_shares_are_those_of_the_definition(lengths, dilations, n_inputs, n_features):
    rng = np.random.default_rng(n_features)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    # Whole numbers, so that no sum is rounded; biases are never equal to one.
    values = rng.integers(-9, 9, size=(offsets[-1], n_inputs)).astype(np.float32)
    biases = (rng.integers(-30, 30, size=n_features) + 0.5).astype(np.float32)
    n_sums = 1 if n_inputs == 1 else 84
    inputs = rng.integers(2, size=(len(dilations), n_sums, n_inputs)).astype(bool)
    shares = np.full((len(lengths), n_features), np.nan, np.float32)
    of = np.array(dilations), inputs, biases
    minirocket.write_shares(values, offsets, *of, shares)
    for first, end, row in zip(offsets, offsets[1:], shares, strict=False):
        expected = shares_of(values[first:end], biases, dilations, inputs)
        np.testing.assert_allclose(row, expected, rtol=1e-6)


def test_a_dilation_may_be_of_any_size():
    values, offsets = np.ones((5, 1), np.float32), np.array([0, 5])
    inputs, biases = np.ones((1, 1, 1), bool), np.full(84, 0.5, np.float32)
    found = []
    for dilation in (5, 2**40):
        shares = np.empty((1, 84), np.float32)
        of = np.array([dilation]), inputs, biases
        minirocket.write_shares(values, offsets, *of, shares)
        found.append(shares)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("n_numbers, n_features", [(1, 1000), (3, 1000), (2, 50)])
def test_what_is_learned(n_numbers, n_features):
    X, _ = waves(n_numbers=n_numbers, least=100, most=200)
    values = np.concatenate(X).astype(np.float32)
    offsets = np.concatenate([[0], np.cumsum(list(map(len, X)))])
    weight = np.ones(len(X))
    reader, rows = WideSeriesReader.learn(values, offsets, weight, n_features)
    assert rows.values.shape == (len(X), n_features)
    largest = (np.diff(offsets).mean() - 1) / 8
    assert reader.dilations[0] == 1 and reader.dilations[-1] <= largest
    if n_features == 1000:
        assert largest - 1 < reader.dilations[-1]
    # Biases are quantiles, so few features are the same for all series.
    shares = reader._shares(values, offsets)
    assert (shares.std(axis=0) > 0).mean() > 0.9
    assert 0.3 < shares.mean() < 0.7
    x = rows.values * np.sqrt(n_features)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=0.1)
    assert abs(x).max() < 3.001
    np.testing.assert_array_equal(reader.encode(values, offsets).values, rows.values)
    counts = reader.is_read.sum(axis=2)
    assert counts.min() == 1 and counts.max() == n_numbers


def test_series_of_weight_0_decide_nothing():
    X, _ = waves()
    values = np.concatenate(X).astype(np.float32)
    offsets = np.concatenate([[0], np.cumsum(list(map(len, X)))])
    weight = np.where(np.arange(len(X)) < 18, 1.0, 0.0)
    changed = values.copy()
    changed[offsets[18] :] = 1e6
    for one, other in zip(
        *(
            WideSeriesReader.learn(each, offsets, weight, 200)[0].attributes().values()
            for each in (values, changed)
        ),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize("weight", [1e-30, 1e-100, 1e-300])
def test_series_of_a_tiny_weight_leave_numbers_finite(weight):
    X, y = waves()
    X[3] = np.arange(0.0, 900, 30)[:, np.newaxis]  # no other series has its features
    weights = np.where(np.arange(len(X)) == 3, weight, 1.0)
    fitted = classifier(max_iter=1).fit(X, y, sample_weight=weights)
    assert np.isfinite(fitted.decision_function(X)).all()
    by_pickle(fitted)


@pytest.mark.parametrize(
    "params",
    [{}, {"kernel_sizes": None, "patch_length": 1}, {"missing": "mask"}],
    ids=str,
)
@pytest.mark.parametrize("n_numbers", [1, 3])
def test_scores_are_the_mean_of_both_paths(params, n_numbers):
    X, y = waves(n_numbers=n_numbers)
    fitted = classifier(n_wide_features=300, **params).fit(X, y)
    h = fitted.transform(X[:2]) if hasattr(fitted, "transform") else None
    h = fitted.encoder_.transform(X[:2]) if h is None else h
    shares = np.array(
        [
            shares_of(
                (x - fitted.mean_) / fitted.scale_,
                fitted.wide_biases_,
                fitted.wide_dilations_,
                fitted.wide_inputs_,
            )
            for x in X[:2]
        ]
    )
    features = np.clip((shares - fitted.wide_mean_) / fitted.wide_scale_, -3, 3)
    features /= np.sqrt(300)
    expected = h @ fitted.V_.T + fitted.intercept_ + features @ fitted.wide_coef_.T
    found = fitted.decision_function(X[:2])
    # A share changes by a step if C is within a rounding error of the bias.
    np.testing.assert_allclose(2 * found, expected, atol=0.02)


def test_patches_are_undone():
    X, y = waves(least=30, most=31)
    params = {"kernel_sizes": None, "n_wide_features": 200}
    of_patches = classifier(patch_length=6, **params).fit(X, y)
    of_steps = classifier(patch_length=1, **params).fit(X, y)
    assert of_patches.patch_length_ == 6
    for name in ATTRIBUTES:
        one, other = getattr(of_patches, name), getattr(of_steps, name)
        np.testing.assert_array_equal(one, other)


def test_the_network_is_that_without_it():
    X, y = waves()
    without = classifier(n_wide_features=None).fit(X, y)
    fitted = classifier(n_wide_features=300).fit(X, y)
    assert fitted.loss_curve_ == without.loss_curve_
    np.testing.assert_array_equal(fitted.V_, without.V_)
    of_wide = {name for name in vars(without) if "wide" in name}
    assert of_wide == {"wide_ngram_range", "n_wide_features"}
    assert not [name for name in vars(fitted.encoder_) if "wide" in name]
    np.testing.assert_array_equal(
        fitted.encoder_.transform(X), without.encoder_.transform(X)
    )


def test_it_learns_what_the_network_alone_does_not():
    X, y = waves()
    fitted = classifier(max_iter=60).fit(X, y)
    assert fitted.wide_coef_.shape == (3, 5000)
    fitted.V_ = np.zeros_like(fitted.V_)
    fitted.intercept_ = np.zeros_like(fitted.intercept_)
    assert fitted.score(X, y) == 1
    assert fitted.score(*waves(60)) > 0.9


def test_labels_of_two_classes_and_many_and_numbers():
    X, y = waves()
    two = classifier().fit(X, y == "a")
    assert two.wide_coef_.shape == (2, 5000)
    several = classifier().fit(X, np.stack([y == "a", y == "b"], axis=1))
    assert several.wide_coef_.shape == (2, 5000)
    numbers = np.array([len(x) for x in X], float)
    params = {"nhidden": 8, "max_iter": 10, "random_state": 0}
    assert not hasattr(RNNRegressor(**params).fit(X, numbers), "wide_coef_")
    regressor = RNNRegressor(n_wide_features=200, **params).fit(X, numbers)
    assert regressor.wide_coef_.shape == (1, 200) and regressor.score(X, numbers) > 0


def test_scores_do_not_depend_on_other_series(monkeypatch):
    X, y = waves(n_numbers=2)
    fitted = classifier(n_wide_features=500).fit(X, y)
    together = fitted.decision_function(X)
    for i in (0, 7, 35):
        alone = fitted.decision_function(X[i : i + 1])
        np.testing.assert_array_equal(alone[0], together[i])
    torch.set_num_threads(2)
    try:
        np.testing.assert_array_equal(fitted.decision_function(X * 3)[36:72], together)
    finally:
        torch.set_num_threads(1)
    monkeypatch.setattr(reading, "_MAX_NUMBERS", 500 * 5)
    np.testing.assert_array_equal(fitted.decision_function(X), together)


def test_early_stopping_judges_both_paths():
    X, y = waves(90)
    fitted = classifier(early_stopping=True, max_iter=100).fit(X, y)
    assert fitted.best_validation_score_ > 0.8
    given = classifier(early_stopping=True, max_iter=100)
    given.fit(X[:60], y[:60], X_val=X[60:], y_val=y[60:])
    scores = given.decision_function(X[60:])
    assert (
        given.best_validation_score_
        == (given.classes_[scores.argmax(axis=1)] == y[60:]).mean()
    )


def test_the_number_of_features():
    offsets = np.arange(101) * 9
    assert auto_features(offsets, 1) == 5000
    assert auto_features(offsets - np.arange(101), 1) is None
    assert auto_features(np.arange(10_001) * 9, 1) == 2**25 // 10_000
    assert auto_features(offsets, 10_000) == 2**24 // 10_000
    X, y = waves()
    for n in (True, 1, 83, 85, 1000):
        fitted = classifier(max_iter=1, n_wide_features=n).fit(X, y)
        assert fitted.wide_coef_.shape == (3, n)
    short = [x[:8] for x in X]
    assert not hasattr(classifier(max_iter=1).fit(short, y), "wide_coef_")
    given = classifier(max_iter=1, n_wide_features=9).fit(short, y)
    assert given.wide_coef_.shape == (3, 9)
    none = classifier(max_iter=1, n_wide_features=None).fit(X, y)
    assert not hasattr(none, "wide_coef_")


def test_it_is_refused_for_strings():
    with pytest.raises(ValueError) as caught:
        classifier(n_wide_features=100).fit(["ab", "b", "ba"], list("aba"))
    assert str(caught.value) == (
        "n_wide_features=100 needs series of numbers, but X holds strings. Use "
        "n_wide_features='auto' or None, and wide_ngram_range for what the wide path "
        "reads of them; or analyzer='series' if whole numbers are measurements."
    )


@pytest.mark.parametrize("way", WAYS)
def test_it_is_saved(way):
    X, y = waves(n_numbers=2)
    fitted = classifier(n_wide_features=200).fit(X, y)
    loaded = way(fitted)
    np.testing.assert_array_equal(
        loaded.decision_function(X), fitted.decision_function(X)
    )


def test_partial_fit_continues():
    X, y = waves()
    fitted = classifier(n_wide_features=200)
    fitted.partial_fit(X[:18], y[:18], classes=list("abc"))
    first = fitted.wide_coef_.copy()
    copy = by_pickle(fitted)
    for each in (fitted, copy):
        each.partial_fit(X[18:], y[18:])
    np.testing.assert_array_equal(fitted.wide_coef_, copy.wide_coef_)
    assert abs(fitted.wide_coef_ - first).max() > 0


def test_a_warm_start_continues():
    X, y = waves()
    fitted = classifier(n_wide_features=200, warm_start=True).fit(X, y)
    before = fitted.decision_function(X)
    fitted.set_params(learning_rate_init=1e-12, max_iter=1, alpha=0.0).fit(X, y)
    np.testing.assert_allclose(fitted.decision_function(X), before, atol=1e-5)
    fitted.set_params(n_wide_features="auto").fit(X, y)
    sentence = (
        "warm_start=True continues from the last fit, whose n_wide_features was "
        "200, but now it is {}. Use the same, or warm_start=False."
    )
    for now in (None, 100):
        with pytest.raises(ValueError) as caught:
            fitted.set_params(n_wide_features=now).fit(X, y)
        assert str(caught.value) == sentence.format(now)
    fitted.set_params(n_wide_features=200, wide_ngram_range=(1, 2))
    with pytest.raises(ValueError, match=r"whose wide_ngram_range was None, but now"):
        fitted.fit(X, y)


def test_edited_attributes_are_refused():
    X, y = waves(n_numbers=2)
    fitted = classifier(n_wide_features=200, max_iter=1).fit(X, y)
    changes = {
        "wide_coef_": fitted.wide_coef_[:, 1:],
        "wide_biases_": fitted.wide_biases_[1:],
        "wide_dilations_": fitted.wide_dilations_ - 1,
        "wide_inputs_": fitted.wide_inputs_[:, :, 1:],
        "wide_mean_": fitted.wide_mean_[1:],
        "wide_scale_": np.zeros(0),
    }
    for name, value in changes.items():
        edited = by_pickle(fitted)
        setattr(edited, name, value)
        with pytest.raises(ValueError, match=r"wide_\w+_ has "):
            edited.predict(X)
        with pytest.raises(ValueError, match=r"wide_\w+_ of this RNNClassifier is"):
            by_pickle(edited)
    for name in ("wide_coef_", *ATTRIBUTES):
        edited = by_pickle(fitted)
        delattr(edited, name)
        with pytest.raises(ValueError, match="wide_"):
            by_pickle(edited)
    edited = by_pickle(fitted)
    for name in ("wide_biases_", "wide_mean_", "wide_scale_"):
        setattr(edited, name, getattr(fitted, name)[:, np.newaxis])
    with pytest.raises(ValueError, match=r"^wide_biases_ has the shape \(200, 1\)"):
        edited.predict(X)
    edited = by_pickle(fitted)
    edited.wide_mean_ = ["x"] * 200
    with pytest.raises(ValueError, match=r"^wide_mean_ does not hold numbers: "):
        edited.predict(X)


def test_rows_are_taken_with_their_sequences():
    rows = DenseRows(np.arange(6, dtype=np.float32).reshape(3, 2))
    steps = Steps(np.zeros((6, 1), np.float32), np.array([0, 1, 3, 6]), wide=rows)
    taken = steps.take(np.array([2, 0]))
    np.testing.assert_array_equal(taken.wide.values, [[4, 5], [0, 1]])
    np.testing.assert_array_equal(taken.offsets, [0, 3, 4])
