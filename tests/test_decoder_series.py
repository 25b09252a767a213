"""RNNDecoder: from vectors to series of numbers."""

import pickle
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from networks import ARCHITECTURES, slope_along
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from test_condition import context_of
from ways import WAYS

from skrnn import RNNDecoder, RNNEncoder, RNNEnsemble
from skrnn._core import density, network
from skrnn._core.batch import Batch
from skrnn._core.density import FLOOR
from skrnn._core.layout import Layout
from skrnn._core.packing import pack
from skrnn._core.steps import Steps
from skrnn._core.weights import zeros
from skrnn._heads.density import DensityHead

pytestmark = pytest.mark.filterwarnings("ignore:.* predicted sequences? had no end")
PARAMS = {"nhidden": 12, "max_iter": 30, "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
N_STEPS = RNG.integers(0, 6, 40)
# Of two numbers per step, and of one.
PAIRS = [
    np.outer(1 + np.arange(n), x[:2]) + RNG.normal(0, 0.3, (n, 2))
    for n, x in zip(N_STEPS, X, strict=True)
]
Y = [5 + 2 * pair[:, 0] for pair in PAIRS]
each_condition = pytest.mark.parametrize("condition", ["start", "bias", "both"])
each_form = pytest.mark.parametrize("y", [Y, PAIRS], ids=["flat", "pairs"])


@pytest.fixture(scope="module")
def decoder():
    return RNNDecoder(**PARAMS).fit(X, Y)


@pytest.fixture(scope="module")
def of_pairs():
    return RNNDecoder(**PARAMS).fit(X, PAIRS)


def sines(n, seed):
    """Sine waves with the amplitude, frequency and length in X."""
    rng = np.random.default_rng(seed)
    amplitude, frequency = rng.uniform(0.5, 2, n), rng.uniform(0.1, 0.5, n)
    n_steps = rng.integers(10, 31, n)
    y = [
        a * np.sin(f * np.arange(1, m + 1))
        for a, f, m in zip(amplitude, frequency, n_steps, strict=True)
    ]
    return np.column_stack([amplitude, frequency, n_steps]), y


# Numbers by which nothing else would be tested as well.


@pytest.mark.parametrize("cell", ["gru", "lstm", "tanh", "relu", "bag"])
@each_condition
def test_gradients_equal_central_differences(cell, condition):
    """Of all weights together, and of each part of them.

    The losses of numbers are weighted by their standard deviations, as constants.
    """
    architecture = replace(
        ARCHITECTURES[f"{cell}-2-1-last"], pooling="none", condition=condition
    )
    some = [i for i in range(40) if N_STEPS[i] in (0, 2, 5)][:6]
    lengths = N_STEPS[some]
    offsets = np.append(0, np.cumsum(lengths))
    values = np.concatenate([PAIRS[i] for i in some])
    head = DensityHead(_n_outputs=5)
    steps = head.begun(Steps(values, offsets))
    target, *_ = head.next_steps(steps)
    (packing,) = pack(steps.offsets[:-1], steps.lengths)
    of = Batch(
        torch.from_numpy(steps.values[packing.rows]),
        packing,
        torch.from_numpy(target[packing.rows].astype(np.float64)),
        torch.from_numpy(np.random.default_rng(1).random(len(packing.rows))),
        context=context_of(X[some][packing.indices]),
    )
    weights = zeros(Layout(architecture, 3, 5, n_features=3), torch.float64)
    generator = torch.Generator().manual_seed(0)
    weights.flat.normal_(0.0, 0.5, generator=generator)
    workspace = network.Workspace(weights)
    workspace.gradient.flat.fill_(torch.nan)

    y, is_end = of.target.numpy()[:, 1:], of.target.numpy()[:, 0] == 1

    def losses_of_parts():
        """Of the end and of numbers, and the standard deviations of these."""
        (H,) = network.forward(weights, of, network.Workspace(weights)).H
        s = (H @ weights.V.T + weights.c).numpy()
        v = FLOOR + np.exp(s[:, 3:])
        of_end = -np.log(logistic(np.where(is_end, s[:, 0], -s[:, 0])))
        of_numbers = -norm.logpdf(y, s[:, 1:3], np.sqrt(v))
        return of_end, of_numbers * ~is_end[:, np.newaxis], np.sqrt(v)

    of_end, of_numbers, sd = losses_of_parts()
    loss = network.loss_and_gradient(weights, of, "gaussian_or_end", workspace)
    expected = of.weight.numpy() @ (of_end + of_numbers.sum(axis=1))
    assert loss == pytest.approx(expected, rel=1e-10)

    def total():
        of_end, of_numbers, _ = losses_of_parts()
        return of.weight.numpy() @ (of_end + (sd * of_numbers).sum(axis=1))

    gradient = workspace.gradient.flat.clone()
    n, directions = len(weights.flat), []
    for part in (weights.flat, *weights.layout.views(weights.flat).values()):
        one = torch.zeros(n).double()
        start = part.storage_offset()
        one[start : start + part.numel()] = torch.randn(
            part.numel(), generator=generator
        ).double()
        directions.append(one)
    for direction in directions:
        slope = slope_along(direction, weights, total)
        along = (gradient @ direction).item()
        assert along == pytest.approx(slope, rel=1e-5, abs=1e-6)


def logistic(a):
    return 1 / (1 + np.exp(-a))


def unrolled(decoder, x, y):
    """The log density of one series by the formulas in the docstring, in float64."""
    n, d = decoder.nhidden, len(decoder.target_mean_)
    (W,), (U,), (b,) = (
        [a.astype(float) for a in each] for each in (decoder.W_, decoder.U_, decoder.b_)
    )
    x = (x - decoder.mean_) / decoder.scale_
    h = np.zeros(n)
    if decoder.condition != "bias":
        h = np.tanh(decoder.A_ @ x + decoder.a_)
    Bx = np.zeros(3 * n)
    if decoder.condition != "start":
        Bx = decoder.B_ @ x
    y = np.reshape(y, (-1, d))
    z = (y - decoder.target_mean_) / decoder.target_scale_
    read = [np.append(np.zeros(d), 1), *np.pad(z, [(0, 0), (0, 1)])]
    total = 0.0
    for t, inputs in enumerate(read):
        r, u, new = (U @ inputs + Bx + b[: 3 * n]).reshape(3, n)
        of_r, of_u, of_new = (W @ h).reshape(3, n)
        r, u = logistic(r + of_r), logistic(u + of_u)
        new = np.tanh(new + r * (of_new + b[3 * n :]))
        h = (1 - u) * new + u * h
        s = decoder.V_ @ h + decoder.intercept_
        p_end, mean, v = logistic(s[0]), s[1 : 1 + d], FLOOR + np.exp(s[1 + d :])
        if t == len(y):
            return total + np.log(p_end)
        mean = decoder.target_mean_ + decoder.target_scale_ * mean
        sd = decoder.target_scale_ * np.sqrt(v)
        total += np.log(1 - p_end) + norm.logpdf(y[t], mean, sd).sum()


@each_condition
@each_form
def test_log_densities_equal_a_plain_unroll(condition, y):
    decoder = RNNDecoder(**PARAMS, condition=condition).fit(X, y)
    expected = [unrolled(decoder, *of) for of in zip(X, y, strict=True)]
    np.testing.assert_allclose(decoder.score_samples(X, y), expected, rtol=2e-5)
    n_steps = sum(len(each) + 1 for each in y)
    assert decoder.score(X, y) == pytest.approx(sum(expected) / n_steps, rel=2e-5)


def test_densities_integrate_to_1():
    """Over no step, one step and two, in the units of y."""
    noise = np.random.default_rng(0).normal(0, 0.5, 40)
    y = [[3.0 + x[0] + noise[i]] if i % 2 else [] for i, x in enumerate(X)]
    decoder = RNNDecoder(8, max_iter=80, random_state=0).fit(X, y)
    x = X[:1]
    p_empty = np.exp(decoder.score_samples(x, [[]])[0])

    def p(number):
        return np.exp(decoder.score_samples(x, [[number]])[0])

    p_one, _ = quad(p, -10, 20, points=[3 + x[0, 0]], epsabs=1e-4, limit=200)
    grid = np.linspace(-5, 11, 160)
    pairs = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    log_p = decoder.score_samples(np.repeat(x, len(pairs), axis=0), list(pairs))
    p_two = np.exp(log_p).sum() * (grid[1] - grid[0]) ** 2
    assert p_empty + p_one + p_two == pytest.approx(1, abs=0.02)
    assert p_one > 0.1 and p_empty > 0.1


def test_the_mean_and_the_variance_are_those_of_the_data():
    """Of a Gaussian that depends on X, with noise whose size depends on X too."""
    rng = np.random.default_rng(0)
    of_x = rng.integers(0, 2, 2000)
    y = [rng.normal([[10 * i]], 1 + 2 * i, (1, 1)) for i in of_x]
    decoder = RNNDecoder(8, max_iter=40, random_state=0).fit(of_x[:, np.newaxis], y)
    for i, (mean, sd) in enumerate([(0, 1), (10, 3)]):
        (one,) = decoder.predict([[i]])
        assert one.shape == (1, 1)
        assert one[0, 0] == pytest.approx(mean, abs=0.4)
        drawn = decoder.sample([[i]] * 2000, random_state=0)
        first = np.array([each[0, 0] for each in drawn if len(each)])
        assert first.mean() == pytest.approx(mean, abs=0.4)
        assert first.std() == pytest.approx(sd, rel=0.1)
        cold = decoder.sample([[i]] * 2000, temperature=0.25, random_state=0)
        first = np.array([each[0, 0] for each in cold if len(each)])
        assert first.std() == pytest.approx(sd / 2, rel=0.1)


def test_sine_waves_are_learned():
    """Of amplitudes and frequencies that training has not seen; and their lengths."""
    decoder = RNNDecoder(64, max_iter=50, random_state=0).fit(*sines(800, seed=0))
    vectors, y = sines(200, seed=1)
    predicted = decoder.predict(vectors)
    errors, total, mean = 0.0, 0.0, np.concatenate(y).mean()
    for true, ours in zip(y, predicted, strict=True):
        n = min(len(true), len(ours))
        errors += np.square(true[:n] - ours[:n]).sum()
        total += np.square(true[:n] - mean).sum()
    assert 1 - errors / total >= 0.95
    off = [abs(len(a) - len(b)) for a, b in zip(y, predicted, strict=True)]
    assert np.mean(off) < 0.5


def test_predictions_scale_with_y():
    a, b = 40.0, -300.0
    first = RNNDecoder(**PARAMS).fit(X, Y)
    other = RNNDecoder(**PARAMS).fit(X, [a * y + b for y in Y])
    pairs = zip(first.predict(X), other.predict(X), strict=True)
    for one, two in pairs:
        np.testing.assert_allclose(a * one + b, two, rtol=1e-3, atol=0.05)
    ours = first.score_samples(X, Y)
    theirs = other.score_samples(X, [a * y + b for y in Y])
    np.testing.assert_allclose(ours - N_STEPS * np.log(a), theirs, rtol=1e-3, atol=0.01)


# Steps that have no noise.


def test_a_constant_feature_does_not_diverge():
    y = [np.column_stack([pair, np.full(len(pair), 7.0)]) for pair in PAIRS]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decoder = RNNDecoder(**{**PARAMS, "max_iter": 300}).fit(X, y)
    assert decoder.target_scale_[2] == 1
    assert np.isfinite(decoder.loss_curve_).all()
    log_p = decoder.score_samples(X, y)
    assert np.isfinite(log_p).all()
    # No density is larger than that of the smallest variance.
    scale = decoder.target_scale_
    bound = N_STEPS * -np.log(scale * np.sqrt(2 * np.pi * FLOOR)).sum()
    assert (log_p <= bound + 1e-6).all()
    some = [each for each in decoder.predict(X) if len(each)]
    for each in some:
        np.testing.assert_allclose(each[:, 2], 7, atol=0.1)


def test_nothing_but_constants_is_learned():
    y = [np.full(2, 3.0)] * 40
    decoder = RNNDecoder(**{**PARAMS, "max_iter": 100}).fit(X, y)
    for each in decoder.predict(X):
        np.testing.assert_allclose(each, [3, 3], atol=0.1)


# What series are like, before and after.


def test_predictions_have_the_form_of_y(decoder, of_pairs):
    columns = RNNDecoder(**PARAMS).fit(X, [y[:, np.newaxis] for y in Y])
    for each in (*decoder.predict(X), *decoder.sample(X, random_state=0)):
        assert each.ndim == 1 and each.dtype == np.float64
    for fitted, width in ((of_pairs, 2), (columns, 1)):
        for each in (*fitted.predict(X), *fitted.sample(X, random_state=0)):
            assert each.shape == (len(each), width) and each.dtype == np.float64
    # It is the same series for the model.
    np.testing.assert_array_equal(
        columns.score_samples(X, Y),
        decoder.score_samples(X, [y[:, np.newaxis] for y in Y]),
    )


@pytest.mark.parametrize(
    "y",
    [
        np.arange(80.0).reshape(40, 2),
        np.arange(80).reshape(40, 2),
        np.arange(160.0).reshape(40, 2, 2),
        [[1.5] * int(n) for n in N_STEPS],
        [tuple(map(tuple, pair)) for pair in PAIRS],
        [y.astype(np.float32) for y in Y],
    ],
)
def test_any_container_of_numbers_will_do(y):
    decoder = RNNDecoder(**{**PARAMS, "max_iter": 3}).fit(X, y)
    assert np.isfinite(decoder.score_samples(X, y)).all()
    (first,) = decoder.sample(X[:1], random_state=0)
    flat = np.ndim(y[0]) == 1
    assert first.ndim == (1 if flat else 2)
    longest = max(map(len, y))
    assert decoder.max_length_ == 2 * longest
    assert decoder.kind_ == "series"


def test_frames_and_columns_of_series():
    pandas = pytest.importorskip("pandas")
    frames = [pandas.DataFrame(pair, columns=["a", "b"]) for pair in PAIRS if len(pair)]
    some = X[N_STEPS > 0]
    decoder = RNNDecoder(**PARAMS).fit(some, frames)
    expected = RNNDecoder(**PARAMS).fit(some, [frame.to_numpy() for frame in frames])
    np.testing.assert_array_equal(decoder.V_, expected.V_)
    column = pandas.Series(Y)
    np.testing.assert_array_equal(
        RNNDecoder(**PARAMS).fit(X, column).V_, RNNDecoder(**PARAMS).fit(X, Y).V_
    )


def test_whole_numbers_are_tokens_unless_they_are_asked_for_as_series():
    y = [[int(v) for v in np.round(each)] for each in Y]
    assert RNNDecoder(**PARAMS, analyzer="token").fit(X, y).kind_ == "tokens"
    decoder = RNNDecoder(**PARAMS, analyzer="series").fit(X, y)
    assert decoder.kind_ == "series"
    assert decoder.predict(X)[0].dtype == np.float64


def test_series_may_be_empty(of_pairs):
    y = [[] if x[0] > 0 else [1.5, 2.5] for x in X]
    decoder = RNNDecoder(**{**PARAMS, "max_iter": 100}).fit(X, y)
    predicted = decoder.predict(X)
    assert [len(each) for each in predicted] == [len(each) for each in y]
    assert {each.shape[1:] for each in predicted} == {()}
    nothing = of_pairs.score_samples(X[:2], [[], []])
    other = of_pairs.score_samples(X[:2], [np.empty((0, 2))] * 2)
    np.testing.assert_array_equal(nothing, other)
    with pytest.raises(ValueError, match="y has no steps: all its sequences are empty"):
        RNNDecoder(**PARAMS).fit(X, [np.empty(0)] * 40)


def test_attributes(of_pairs):
    rows = np.concatenate(PAIRS)
    np.testing.assert_allclose(of_pairs.target_mean_, rows.mean(axis=0))
    np.testing.assert_allclose(of_pairs.target_scale_, rows.std(axis=0))
    np.testing.assert_allclose(of_pairs.mean_, X.mean(axis=0))
    assert of_pairs.V_.shape == (5, 12) and of_pairs.U_[0].shape == (36, 3)
    assert of_pairs.n_features_in_ == 3
    assert not hasattr(of_pairs, "vocabulary_")


def test_standardize_is_about_the_vectors():
    decoder = RNNDecoder(**PARAMS, standardize=False).fit(X, Y)
    assert (decoder.mean_ == 0).all() and (decoder.scale_ == 1).all()
    np.testing.assert_allclose(decoder.target_mean_, np.concatenate(Y).mean())


# What the others do not change.


@each_condition
@each_form
def test_the_other_vectors_do_not_matter(condition, y, monkeypatch):
    decoder = RNNDecoder(**PARAMS, condition=condition).fit(X, y)
    predicted, log_p = decoder.predict(X), decoder.score_samples(X, y)
    for i in range(0, 40, 7):
        np.testing.assert_array_equal(decoder.predict(X[[i]])[0], predicted[i])
        assert decoder.score_samples(X[[i]], [y[i]])[0] == log_p[i]
    drawn = decoder.sample(X, random_state=0)
    monkeypatch.setattr("skrnn._model.VECTORS_AT_ONCE", 7)
    monkeypatch.setattr("skrnn._predictors.VECTORS_AT_ONCE", 7)
    np.testing.assert_array_equal(decoder.score_samples(X, y), log_p)
    for one, two in zip(decoder.predict(X), predicted, strict=True):
        np.testing.assert_array_equal(one, two)
    first = decoder.sample(X[:7], random_state=0)
    assert len(drawn) == 40 and len(first) == 7


@each_form
def test_several_threads_give_the_same_bits(y):
    many, of_many = np.tile(X, (150, 1)), list(y) * 150
    decoder = RNNDecoder(**PARAMS).fit(X, y)
    before, results = torch.get_num_threads(), []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        try:
            log_p = decoder.score_samples(many, of_many)
            results.append((log_p, np.concatenate(decoder.predict(many))))
        finally:
            torch.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


def test_predictions_are_samples_without_temperature(of_pairs):
    drawn = of_pairs.sample(X, temperature=0, random_state=3)
    for one, two in zip(of_pairs.predict(X), drawn, strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_seed_decides(decoder):
    fits = [RNNDecoder(**{**PARAMS, "random_state": s}).fit(X, Y) for s in (0, 0, 1)]
    np.testing.assert_array_equal(fits[0].A_, fits[1].A_)
    assert not np.array_equal(fits[0].A_, fits[2].A_)
    one, again, other = (
        np.concatenate(decoder.sample(X, random_state=s)) for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_what_is_drawn_for_a_vector_does_not_depend_on_when_others_end(decoder):
    """Those of the same places have the same random numbers."""
    other = np.concatenate([X[:20], -X[20:]])
    one, two = (decoder.sample(each, random_state=0) for each in (X, other))
    for i in range(20):
        np.testing.assert_array_equal(one[i], two[i])


# What an estimator does.


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
@each_condition
def test_all_cells_and_layers_learn(cell, condition):
    params = {"nhidden": (10, 12), "max_iter": 60, "random_state": 0, "cell": cell}
    y = [[x[0], x[1], x[0] + x[1]] for x in X]
    decoder = RNNDecoder(**params, condition=condition).fit(X, y)
    baseline = RNNDecoder(**{**params, "max_iter": 1}).fit(X, y)
    assert decoder.score(X, y) > baseline.score(X, y) + 0.5
    predicted = decoder.predict(X)
    pairs = [(each, x) for each, x in zip(predicted, X, strict=True) if len(each) == 3]
    assert len(pairs) > 30
    assert np.median([np.abs(each[:2] - x[:2]).max() for each, x in pairs]) < 0.5


def test_a_weight_of_0_is_as_if_the_sample_were_not_there():
    weight = np.r_[np.ones(20), np.zeros(20)]
    ours = RNNDecoder(**PARAMS).fit(X, Y, sample_weight=weight)
    theirs = RNNDecoder(**PARAMS).fit(X[:20], Y[:20])
    np.testing.assert_array_equal(ours.A_, theirs.A_)
    np.testing.assert_array_equal(ours.target_mean_, theirs.target_mean_)
    score = ours.score(X, Y, sample_weight=weight)
    assert score == pytest.approx(ours.score(X[:20], Y[:20]))


def test_warm_start_continues():
    decoder = RNNDecoder(**PARAMS, warm_start=True).fit(X, PAIRS)
    loss, mean = decoder.loss_, decoder.target_mean_
    decoder.set_params(max_iter=1, random_state=7).fit(X[:20], PAIRS[:20])
    assert decoder.loss_ < loss + 0.5
    np.testing.assert_array_equal(decoder.target_mean_, mean)
    assert decoder.max_length_ == 10
    with pytest.raises(ValueError, match="y has 1 feature at each step, but RNNDecod"):
        decoder.fit(X, Y)
    with pytest.raises(TypeError, match="y holds strings, but RNNDecoder was fitted"):
        decoder.fit(X, ["ab"] * 40)


def test_partial_fits_are_epochs():
    decoder = RNNDecoder(**PARAMS)
    for _ in range(30):
        decoder.partial_fit(X, PAIRS)
    assert decoder.n_iter_ == 30
    assert decoder.loss_curve_[-1] < decoder.loss_curve_[0] - 0.3


def test_early_stopping_holds_out_or_takes_what_is_given():
    params = {**PARAMS, "early_stopping": True}
    decoder = RNNDecoder(**params).fit(X, Y)
    assert len(decoder.validation_scores_) == decoder.n_iter_
    rows = np.concatenate(Y)  # what is held out has no part in means
    assert not np.allclose(decoder.target_mean_, rows.mean(), rtol=1e-9)
    given = RNNDecoder(**params).fit(X[:30], Y[:30], X_val=X[30:], y_val=Y[30:])
    loss = given.validation_loss_curve_[np.argmax(given.validation_scores_)]
    n_steps = N_STEPS[30:].sum()
    # The loss is that of standardised numbers.
    total = given.score_samples(X[30:], Y[30:]).sum()
    total += n_steps * np.log(given.target_scale_).sum()
    assert loss == pytest.approx(-total / (n_steps + 10), rel=1e-4)


@pytest.mark.parametrize("way", WAYS)
@each_form
def test_saved_and_loaded(way, y):
    ours = RNNDecoder(**PARAMS).fit(X, y)
    again = way(ours)
    np.testing.assert_array_equal(again.score_samples(X, y), ours.score_samples(X, y))
    for one, two in zip(again.predict(X), ours.predict(X), strict=True):
        np.testing.assert_array_equal(one, two)


def test_it_can_be_searched_and_cross_validated():
    """The mean log density ranks candidates; that of a wrong scale is lower."""
    grid = {"condition": ["start", "both"], "max_iter": [1, 40]}
    search = GridSearchCV(RNNDecoder(**PARAMS), grid, cv=2).fit(X, Y)
    assert search.best_params_["max_iter"] == 40
    assert len(cross_val_score(RNNDecoder(**PARAMS), X, PAIRS, cv=2)) == 2


def test_an_encoder_may_stand_before_it():
    rng = np.random.default_rng(0)
    series = [
        np.full(8, level) + rng.normal(0, 0.1, 8) for level in rng.normal(size=60)
    ]
    levels = [each.mean() for each in series]
    y = [np.full(2, level) for level in levels]
    pipeline = make_pipeline(
        RNNEncoder(8, max_iter=20, random_state=0),
        RNNDecoder(16, max_iter=40, random_state=0),
    )
    pipeline[0].fit(series, levels)
    codes = pipeline[0].transform(series)
    predicted = pipeline[1].fit(codes, y).predict(codes)
    firsts = [each[0] for each in predicted if len(each)]
    kept = [level for level, each in zip(levels, predicted, strict=True) if len(each)]
    assert np.corrcoef(firsts, kept)[0, 1] > 0.9


def test_predictions_without_an_end_are_cut_with_one_warning(decoder):
    decoder = clone(decoder).fit(X, Y)
    decoder.intercept_ = decoder.intercept_ - 100.0 * (np.arange(3) == 0)
    message = "40 of 40 predicted sequences had no end after 10 steps, and were cut."
    with pytest.warns(UserWarning, match=message) as caught:
        predicted = decoder.predict(X)
    assert len(caught) == 1 and {len(y) for y in predicted} == {10}


def test_a_series_as_long_as_may_be_is_not_cut():
    y = [np.arange(3.0)] * 40
    decoder = RNNDecoder(**{**PARAMS, "max_iter": 100}, max_length=3).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert {len(each) for each in decoder.predict(X)} == {3}


def test_series_end_where_all_series_of_fit_did():
    y = RNG.normal(size=(40, 7))
    decoder = RNNDecoder(**{**PARAMS, "max_iter": 1}).fit(X, y)
    assert decoder.n_steps_ == 7
    assert {len(each) for each in decoder.predict(X)} == {7}
    assert {len(each) for each in decoder.sample(X, random_state=0)} == {7}
    pairs = RNNDecoder(**PARAMS, max_length=7).fit(X, np.stack([y, y], axis=2))
    assert {each.shape for each in pairs.predict(X)} == {(7, 2)}
    ensemble = RNNEnsemble(clone(decoder), 2, random_state=0).fit(X, y)
    assert {len(each) for each in ensemble.predict(X)} == {7}
    loaded = pickle.loads(pickle.dumps(decoder))
    np.testing.assert_array_equal(loaded.predict(X), decoder.predict(X))


def test_series_of_several_lengths_end_by_themselves(decoder):
    assert not hasattr(decoder, "n_steps_")
    assert not hasattr(RNNDecoder(**PARAMS).fit(X[:1], [[0.5, 1.5]]), "n_steps_")
    assert not hasattr(RNNDecoder(**PARAMS).fit(X, ["ab"] * 40), "n_steps_")
    chunks = RNNDecoder(**PARAMS).partial_fit(X, RNG.normal(size=(40, 7)))
    assert chunks.partial_fit(X[:1], RNG.normal(size=(1, 7))).n_steps_ == 7
    for y in (RNG.normal(size=(40, 6)), RNG.normal(size=(40, 7))):
        assert not hasattr(chunks.partial_fit(X, y), "n_steps_")


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decoder = RNNDecoder(**{**PARAMS, "max_iter": 100}).fit(X, Y)
        decoder.score_samples(X, Y)
        decoder.score(X, Y)


# What cannot be.


def changed(y, i, step, value):
    y = [np.array(each) for each in y]
    y[i][step] = value
    return y


LONG = next(i for i in range(40) if N_STEPS[i] == 5)


@pytest.mark.parametrize(
    "y, error, message",
    [
        (changed(Y, LONG, 3, np.nan), ValueError, f"y[{LONG}] contains NaN at step 3"),
        (
            changed(PAIRS, LONG, (2, 1), np.nan),
            ValueError,
            f"y[{LONG}] contains NaN at step 2 in feature 1: all numbers must be "
            "finite. Impute the missing steps.",
        ),
        (
            changed(PAIRS, LONG, (2, 1), np.inf),
            ValueError,
            f"y[{LONG}] contains infinity (inf) at step 2 in feature 1",
        ),
        (changed(Y, LONG, 0, 1e39), ValueError, f"y[{LONG}] contains 1e+39 at step 0"),
        ([[1.5], [2.5, None]] * 20, TypeError, "y[1] has None at step 1"),
        ([[1.5], [[2.5, 1.0]]] * 20, ValueError, "y[1] has 2 features, but y[0] has 1"),
        ([[], [[2.5, 1.0]], [1.5]], ValueError, "y[2] has 1 feature, but y[1] has 2"),
        ([[1.5], "ab"] * 20, TypeError, "y[1] is a string, but y[0] is a sequence of"),
        (Y[1:], ValueError, "y is of length 39, but X is of length 40: a sequence for"),
        (X[:, 0], ValueError, "y is one sequence of numbers: a list of"),
        (None, ValueError, "This RNNDecoder estimator requires y to be passed"),
    ],
)
def test_what_cannot_be_learned_raises(y, error, message):
    with pytest.raises(error, match=re.escape(message)):
        RNNDecoder(**PARAMS).fit(X, y)


def test_a_number_too_far_from_those_of_fit_raises(decoder):
    with pytest.raises(ValueError, match="which is too far from the mean in fit"):
        far = RNNDecoder(**PARAMS).fit(X, [1e-300 * y for y in Y])
        far.score_samples(X[:1], [[1.0]])


@pytest.mark.parametrize("name, value", [("beam_width", 3), ("length_penalty", 0.5)])
def test_a_search_needs_tokens(decoder, name, value):
    message = f"{name}={value} needs tokens, but y holds series of numbers, which are"
    with pytest.raises(ValueError, match=re.escape(message)):
        RNNDecoder(**PARAMS, **{name: value}).fit(X, Y)
    changed = clone(decoder).fit(X, Y).set_params(**{name: value})
    with pytest.raises(ValueError, match=re.escape(message)):
        changed.predict(X)
    with pytest.raises(ValueError, match="predict_n_best needs tokens, but the y of"):
        decoder.predict_n_best(X)


@pytest.mark.parametrize("option", [{"top_k": 3}, {"top_p": 0.5}])
def test_draws_from_the_likeliest_need_tokens(decoder, option):
    with pytest.raises(ValueError, match="top_k and top_p need tokens, but the y of"):
        decoder.sample(X, **option)


def test_a_vocabulary_needs_tokens():
    with pytest.raises(ValueError, match=r"^vocabulary needs tokens, but y holds"):
        RNNDecoder(**PARAMS, vocabulary=["a"]).fit(X, Y)


@pytest.mark.parametrize(
    "y, error, message",
    [
        (["ab"] * 40, TypeError, "y holds strings, but RNNDecoder was fitted on"),
        (PAIRS, ValueError, "y has 2 features at each step, but RNNDecoder was fitted"),
        (changed(Y, LONG, 3, np.inf), ValueError, f"y[{LONG}] contains infinity"),
    ],
)
def test_other_series_cannot_be_scored(decoder, y, error, message):
    for method in (decoder.score_samples, decoder.score):
        with pytest.raises(error, match=re.escape(message)):
            method(X, y)


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("target_mean_", lambda mean: mean[1:], "target_scale_ of this RNNDecoder is"),
        ("target_scale_", lambda s: s * 0, "target_scale_ of this RNNDecoder is an"),
        ("V_", lambda V: V[1:], "V_ of this RNNDecoder is an array"),
        ("_is_one_output", lambda flag: True, "_is_one_output of this RNNDecoder is"),
        ("_is_one_output", lambda flag: 0, "_is_one_output of this RNNDecoder is 0"),
        ("max_length_", lambda n: 0, "max_length_ of this RNNDecoder is 0 instead"),
        ("n_steps_", lambda n: 0.5, "n_steps_ of this RNNDecoder is 0.5 instead"),
    ],
)
def test_a_damaged_state_is_refused(of_pairs, name, change, message):
    state = of_pairs.__getstate__()
    state[name] = change(state.get(name))
    with pytest.raises(ValueError, match=re.escape(message)):
        RNNDecoder().__setstate__(state)


@pytest.mark.parametrize("name", ["target_mean_", "V_"])
def test_edited_attributes_of_other_shapes_raise(of_pairs, name):
    decoder = clone(of_pairs).fit(X, PAIRS)
    setattr(decoder, name, getattr(decoder, name)[:-1])
    for call in (lambda: decoder.predict(X), lambda: decoder.score_samples(X, PAIRS)):
        with pytest.raises(
            ValueError, match=r"_ ha(s|ve) the (shape|length)|but inter"
        ):
            call()


def test_the_density_of_given_scores_has_an_inverse():
    scores = density.scores_of(0.2, np.array([0.5, -1.0]), np.array([0.3, 0.0]))
    end, mean, log_variance = density.split(scores[np.newaxis])
    assert logistic(end[0]) == pytest.approx(0.2)
    np.testing.assert_allclose(mean, [[0.5, -1.0]])
    np.testing.assert_allclose(np.exp(log_variance), [[0.3, 1]])
    for p_end in (0.0, 1.0):  # as rounded
        assert np.isfinite(density.scores_of(p_end, np.zeros(1), np.ones(1))).all()


def test_a_mixture_has_the_mean_and_the_variance_of_its_parts():
    parts = [(-1.0, 2.0, 0.5), (2.0, -1.0, 1.5), (0.5, 0.0, 1.0)]
    of_a_row = [[np.array(v) for v in ([e], [[m]], [[s]])] for e, m, s in parts]
    (end,), ((mean,),), ((sd,),) = density.mixed(of_a_row)
    p_end = logistic(np.array([part[0] for part in parts]))
    assert logistic(end) == pytest.approx(p_end.mean())

    def moment(power, about=0.0):
        def integrand(y):
            p = [norm.pdf(y, *part[1:]) for part in parts]
            return np.mean((1 - p_end) * p) * (y - about) ** power

        return quad(integrand, -15, 15, points=[-1, 0, 2])[0] / (1 - p_end.mean())

    assert moment(0) == pytest.approx(1)
    assert mean == pytest.approx(moment(1))
    assert sd**2 == pytest.approx(moment(2, mean))


def test_a_mixture_of_numbers_of_any_size_is_finite():
    end, large = np.array([300.0, -300.0]), np.full((2, 1), 1e300)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mixed = density.mixed([(end, large, large), (end, -large, large)])
    for each in mixed:
        assert np.isfinite(each).all()
