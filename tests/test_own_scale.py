"""Series that are also read in units of their own."""

import re

import numpy as np
import pytest
from reading import encode_as_fitted
from ways import WAYS

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor
from skrnn._core import series


def series_of(n=12, n_features=1, spread=2.0, seed=0):
    """Series of random lengths and levels, with log scales of this spread."""
    rng = np.random.default_rng(seed)
    scales = np.exp(spread * rng.normal(size=(n, n_features)))
    return [
        scale * (rng.normal(size=(rng.integers(3, 9), n_features)) + rng.normal())
        for scale in scales
    ]


def y_of(X):
    return np.arange(len(X)) % 2


def flat(X):
    lengths = [len(x) for x in X]
    return np.concatenate(X), np.concatenate([[0], np.cumsum(lengths)])


def level_and_scale(values, offsets, unit=1.0):
    """Of numbers that were divided by a unit."""
    units = np.full(values.shape[1], unit)
    standardised = (values / unit).astype(np.float32)
    level, scale, _ = series.level_and_scale(standardised, offsets, values, units)
    return level, scale


@pytest.mark.parametrize("at_a_time", [1, 7, 10**6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_level_and_scale_are_mean_and_standard_deviation(dtype, at_a_time, monkeypatch):
    monkeypatch.setattr(series, "_AT_A_TIME", at_a_time)
    X = [x.astype(dtype) for x in series_of(n_features=3)]
    level, scale = level_and_scale(*flat(X))
    for i, x in enumerate(X):
        x = x.astype(np.float32).astype(np.float64)
        np.testing.assert_allclose(level[i], x.mean(axis=0), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(scale[i], x.std(axis=0), rtol=1e-10)
        alone = level_and_scale(*flat([X[i]]))
        np.testing.assert_array_equal([level[i], scale[i]], np.squeeze(alone, 1))


@pytest.mark.parametrize("number", [0.0, 0.1, -1e30, 1e-40])
def test_a_constant_series_has_no_scale(number):
    X = [np.full((n, 1), number, np.float32) for n in (1, 3, 1000)]
    level, scale = level_and_scale(*flat(X))
    assert (scale == 0).all()
    np.testing.assert_allclose(level[:, 0], np.float32(number), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e6])
def test_a_series_that_is_constant_but_for_rounding_errors(dtype, unit, rng):
    number = dtype(1000.1)
    next_one = np.nextafter(number, dtype(np.inf))
    x = np.where(rng.random((50, 1)) < 0.5, number, next_one)
    honest = number + dtype(50 * np.finfo(np.float32).eps) * number * (x == number)
    _, scale = level_and_scale(*flat([x, honest.astype(dtype)]), unit)
    assert scale[0] == 0 and scale[1] > 0


@pytest.mark.parametrize("at_a_time", [1, 7, 10**6])
def test_each_series_is_standardised_by_its_own_numbers(at_a_time, monkeypatch):
    monkeypatch.setattr(series, "_AT_A_TIME", at_a_time)
    X = series_of(n_features=2)
    values, offsets = flat(X)
    level, scale = level_and_scale(values, offsets)
    found = series.standardise_each(values, offsets, level, scale)
    expected = [(x - x.mean(axis=0)) / x.std(axis=0) for x in X]
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-5, atol=1e-6)
    assert found.dtype == np.float32


def test_numbers_out_of_range_are_clipped():
    offsets = np.array([0, 2])
    found = series.standardise_each(
        np.array([[-1e30], [1e30]]), offsets, np.zeros((1, 1)), np.full((1, 1), 1e-30)
    )
    largest = np.finfo(np.float32).max
    np.testing.assert_array_equal(found, [[-largest], [largest]])


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("n_features", [1, 3])
def test_what_the_network_reads(n_features, order):
    X = series_of(n_features=n_features)
    X[4][:] = X[4][0]  # one is constant
    encoder = RNNEncoder(
        2,
        standardize="series",
        differences=order,
        kernel_sizes=None,
        max_iter=1,
        random_state=0,
    ).fit(X, y_of(X))
    z = [(x - encoder.mean_) / encoder.scale_ for x in X]
    d, difference_scale = z, encoder.difference_scale_
    differences = []
    for each in difference_scale:
        d = [np.concatenate([x[:1] * 0, np.diff(x, axis=0)]) for x in d]
        differences.append([x / each for x in d])
    if order == 2:  # and the second differences of the first two steps are 0
        for x in differences[1]:
            x[:2] = 0
    level = np.stack([x.mean(axis=0) for x in z])
    scale = np.stack([x.std(axis=0) for x in z])
    log_scale = np.log(np.where(np.arange(len(X))[:, np.newaxis] == 4, 1.0, scale))
    others = np.arange(len(X)) != 4
    np.testing.assert_allclose(
        encoder.own_mean_, [level.mean(axis=0), log_scale[others].mean(axis=0)], 1e-5
    )
    np.testing.assert_allclose(
        encoder.own_scale_, [level.std(axis=0), log_scale[others].std(axis=0)], 1e-5
    )
    both = np.stack([level, log_scale]) - encoder.own_mean_[:, np.newaxis]
    both = np.clip(both / encoder.own_scale_[:, np.newaxis], -3, 3)
    both[1, 4] = -3  # a constant series is one of the smallest scale
    scale[4] = 1.0
    expected = [
        np.concatenate(
            [
                z[i],
                *(of[i] for of in differences),
                (z[i] - level[i]) / scale[i],
                *(of[i] / scale[i] for of in differences),
                np.tile(np.concatenate(both[:, i]), (len(z[i]), 1)),
            ],
            axis=1,
        )
        for i in range(len(X))
    ]
    steps = encode_as_fitted(encoder, X)
    np.testing.assert_allclose(
        steps.values, np.concatenate(expected), rtol=1e-3, atol=1e-4
    )
    assert encoder.U_[0].shape[1] == steps.values.shape[1]


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder, RNNRegressor])
@pytest.mark.parametrize("spread, is_read", [(0.0, False), (0.3, False), (1.0, True)])
def test_by_default_only_where_scales_vary(spread, is_read, make):
    X = series_of(200, spread=spread)
    X = [
        (x - x.mean()) / x.std() * np.exp(spread * (i % 5 - 2)) for i, x in enumerate(X)
    ]
    model = make(2, max_iter=1, random_state=0).fit(X, y_of(X))
    assert model.own_mean_.shape == model.own_scale_.shape == (2 * is_read, 1)
    assert model.get_params()["standardize"] == "auto"
    plain = make(2, max_iter=1, standardize=True, random_state=0).fit(X, y_of(X))
    assert plain.own_mean_.shape == (0, 1)
    if not is_read:
        np.testing.assert_array_equal(model.V_, plain.V_)


def test_series_without_weight_do_not_count():
    X = series_of(30, spread=0.0)
    X += [1000.0 * x for x in X]
    weight = np.repeat([1.0, 0.0], 30)
    model = RNNClassifier(2, max_iter=1).fit(X, y_of(X), sample_weight=weight)
    assert model.own_mean_.shape == (0, 1)


def test_a_feature_that_varies_is_enough():
    X = [
        np.concatenate(pair, axis=1)
        for pair in zip(
            series_of(60, spread=0.0), series_of(60, spread=1.0), strict=True
        )
    ]
    assert RNNEncoder(2, max_iter=1).fit(X, y_of(X)).own_scale_.shape == (2, 2)


def test_shapes_are_told_apart_whatever_their_size():
    rng = np.random.default_rng(0)
    t = np.linspace(0, 6, 40)
    sizes = np.exp(2 * rng.normal(size=240))
    y = rng.integers(2, size=240)
    X = [
        size * (np.sin(2 * t + 6 * rng.random()) if label else 2 * ((t % 3) > 1.5) - 1)
        for size, label in zip(sizes, y, strict=True)
    ]
    fits = {
        value: RNNClassifier(16, standardize=value, random_state=0).fit(
            X[:120], y[:120]
        )
        for value in ("auto", True)
    }
    assert fits["auto"].score(X[120:], y[120:]) >= 0.98
    assert fits["auto"].score(X[120:], y[120:]) > fits[True].score(X[120:], y[120:])


def test_without_y_a_step_does_not_know_what_follows():
    X = series_of(40)
    encoder = RNNEncoder(2, max_iter=1).fit(X)
    assert encoder.own_mean_.shape == (0, 1)
    with pytest.raises(ValueError, match=r"standardize='series' .* Use standardize=T"):
        RNNEncoder(2, standardize="series", max_iter=1).fit(X)


@pytest.mark.parametrize("params", [{}, {"patch_length": 3}, {"missing": "mask"}])
def test_predictions_do_not_depend_on_other_series(params):
    X = series_of(40, n_features=2)
    if "missing" in params:
        X[3][0] = np.nan
    model = RNNClassifier(3, max_iter=2, random_state=0, **params).fit(X, y_of(X))
    assert len(model.own_mean_) == 2
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("is_scaled", [False, True])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_what_is_the_same_for_all_series_is_not_scaled_up(offset, is_scaled):
    """Levels and scales of series that were standardised are rounding errors."""
    X = [x - x.mean() for x in series_of(60)]
    if is_scaled:
        X = [x / x.std() for x in X]
    X = [x + offset for x in X]
    model = RNNClassifier(4, standardize="series", max_iter=5, random_state=0)
    model.fit(X, y_of(X))
    assert model.own_scale_[0] == 1 and (model.own_scale_[1] == 1) == is_scaled
    expected = model.predict_proba(X)
    for others in (
        [x.astype(np.float32) for x in X],
        [x + 1e-7 * (1 + abs(offset)) for x in X],
    ):
        found = model.predict_proba(others)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-2)


@pytest.mark.parametrize("missing", [[0], [0, 1, 2], [1, 3]])
def test_missing_numbers_have_no_part_in_level_and_scale(missing):
    X = [5.0 * i + x for i, x in enumerate(series_of(40, spread=0.1))]
    X[3] = X[3][:1] + np.array([[7.0], [1.0], [2.0], [5.0], [3.0], [8.0]])
    seen = np.delete(np.arange(6), missing)
    X[3][missing] = np.nan
    encoder = RNNEncoder(
        2, standardize="series", missing="mask", differences=0, max_iter=1
    ).fit(X, y_of(X))
    z = (X[3] - encoder.mean_) / encoder.scale_
    level, scale = z[seen].mean(), z[seen].std()
    steps = encode_as_fitted(encoder, [X[3]]).values  # z, marks, own, level, log scale
    own = (z[:, 0] - level) / scale
    np.testing.assert_allclose(steps[seen, 2], own[seen], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(steps[: seen[0], 2], 0.0)
    both = np.array([level, np.log(scale)]) - encoder.own_mean_[:, 0]
    both = np.clip(both / encoder.own_scale_[:, 0], -3, 3)
    np.testing.assert_allclose(steps[:, 3:], np.tile(both, (6, 1)), rtol=1e-3)


def test_series_far_from_those_in_fit_have_finite_predictions():
    X = series_of(40, spread=0.6)
    model = RNNClassifier(3, standardize="series", max_iter=2).fit(X, y_of(X))
    far = [np.array([1e30, -1e30, 1e30]), np.zeros(5), [1e-30, 0.0]]
    assert np.isfinite(model.predict_proba(far)).all()


@pytest.mark.parametrize("way", WAYS)
def test_it_is_saved(way):
    X = series_of(40)
    model = RNNClassifier(3, max_iter=2, random_state=0).fit(X, y_of(X))
    assert len(model.own_mean_) == 2
    again = way(model)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_an_estimator_of_an_earlier_version_reads_no_level():
    X = series_of(40, spread=0.0)
    model = RNNRegressor(3, max_iter=2).fit(X, np.arange(40.0))
    expected = model.predict(X)
    state = model.__getstate__()
    del state["own_mean_"], state["own_scale_"]
    earlier = RNNRegressor()
    earlier.__setstate__(state)
    np.testing.assert_array_equal(earlier.predict(X), expected)


@pytest.mark.parametrize("name", ["own_mean_", "own_scale_"])
@pytest.mark.parametrize("value", [0.0, None, "a", [], np.ones(2), np.ones((2, 2))])
def test_a_damaged_file_is_refused(name, value):
    X = series_of(40)
    state = RNNClassifier(3, max_iter=1).fit(X, y_of(X)).__getstate__()
    with pytest.raises(ValueError, match="own_"):
        RNNClassifier().__setstate__({**state, name: value})


@pytest.mark.parametrize("name", ["own_mean_", "own_scale_"])
@pytest.mark.parametrize("shape", [(), (0, 1), (1, 1), (2, 2), (4, 1)])
def test_edits_that_do_not_fit_are_refused(name, shape):
    X = series_of(40)
    model = RNNClassifier(3, max_iter=1).fit(X, y_of(X))
    setattr(model, name, np.ones(shape))
    with pytest.raises(ValueError, match=re.escape("_ has ")):
        model.predict(X)
