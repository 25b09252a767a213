"""Numbers that are standardised, or not, and numbers that are missing."""

import re
import tracemalloc

import awkward as ak
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reading import encode_as_fitted
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor
from skrnn._core import series


def test_missing_numbers_do_not_count():
    values = np.array([[1.0, 2.0], [np.nan, 4.0], [3.0, np.nan], [8.0, 0.0]])
    mean, scale = series.mean_and_scale(values, np.ones(4))
    theirs = StandardScaler().fit(values)
    np.testing.assert_allclose(mean, theirs.mean_)
    np.testing.assert_allclose(scale, theirs.scale_)


def test_a_constant_column_of_many_rows_has_no_spread():
    values = np.full((300_000, 2), 0.1, dtype=np.float32)
    mean, scale = series.mean_and_scale(values, np.ones(len(values)))
    np.testing.assert_allclose(mean, np.float64(np.float32(0.1)), rtol=1e-15)
    assert scale.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("at_a_time", [1, 7, 10**6])
def test_numbers_do_not_depend_on_how_many_are_at_work(at_a_time, monkeypatch, rng):
    monkeypatch.setattr(series, "_AT_A_TIME", at_a_time)
    values = rng.normal([3.0, -5.0, 0.0], [1.0, 1e-3, 1e6], size=(50, 3))
    values[rng.random((50, 3)) < 0.4] = np.nan
    weight = rng.integers(1, 5, size=50)
    mean, scale = series.mean_and_scale(values, weight)
    theirs = StandardScaler().fit(np.repeat(values, weight, axis=0))
    np.testing.assert_allclose(mean, theirs.mean_, rtol=1e-12)
    np.testing.assert_allclose(scale, theirs.scale_, rtol=1e-12)
    standardised = series.standardise(values, mean, scale)
    np.testing.assert_allclose(standardised, theirs.transform(values), atol=1e-6)
    offsets = np.array([0, 1, 9, 10, 31, 50])
    filled = series.fill_missing(values, offsets)
    parts = np.split(values, offsets[1:-1])
    np.testing.assert_array_equal(filled, np.concatenate(list(map(naive_fill, parts))))


@pytest.mark.thread_unsafe(reason="it measures the memory of the process")
@pytest.mark.parametrize(
    "function, n_columns",
    [("mean_and_scale", 0), ("standardise", 4), ("fill_missing", 8)],
)
def test_numbers_take_little_more_memory_than_the_result(function, n_columns, rng):
    values = rng.normal(size=(500_000, 4)).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = np.nan
    arguments = {
        "mean_and_scale": (np.ones(len(values)),),
        "standardise": (np.zeros(4), np.ones(4)),
        "fill_missing": (np.arange(0, len(values) + 1, 100),),
    }
    tracemalloc.start()
    try:
        getattr(series, function)(values, *arguments[function])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < (n_columns / 4 + 0.5) * values.nbytes


def naive_fill(x):
    filled, masks, last = [], [], np.zeros(x.shape[1])
    for row in x:
        last = np.where(np.isnan(row), last, row)
        filled.append(last)
        masks.append(np.isnan(row))
    return np.hstack([filled, np.array(masks, dtype=float)])


@given(
    st.lists(
        st.lists(
            st.tuples(*[st.sampled_from([np.nan, 1.0, 2.0, -3.0])] * 2),
            min_size=1,
            max_size=6,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_last_value_seen_is_filled_in(X):
    X = [np.array(x) for x in X]
    offsets = np.concatenate([[0], np.cumsum([len(x) for x in X])])
    filled = series.fill_missing(np.concatenate(X), offsets)
    np.testing.assert_array_equal(filled, np.concatenate([naive_fill(x) for x in X]))


def test_a_network_sees_what_is_missing(rng):
    # Nothing but the mask tells the classes apart.
    X = [rng.normal(size=(6, 2)) for _ in range(60)]
    y = [i % 2 for i in range(60)]
    for x, label in zip(X, y, strict=True):
        x[2 + label, 1] = np.nan
    classifier = RNNClassifier(
        16, missing="mask", standardize=True, random_state=0
    ).fit(X, y)
    assert classifier.score(X, y) == 1.0
    assert classifier.U_[0].shape == (48, 6) and classifier.mean_.shape == (2,)
    alone = classifier.predict_proba([X[3]])
    np.testing.assert_array_equal(alone[0], classifier.predict_proba(X)[3])


def test_missing_numbers_in_every_form():
    lists = [[1.0, None, 3.0], [None, 2.0], [4.0]]
    arrays = [np.array(x, dtype=float) for x in lists]
    table = np.array([[1.0, np.nan], [np.nan, 2.0]])
    params = {"missing": "mask", "max_iter": 2, "random_state": 0}
    encoder = RNNEncoder(3, **params).fit(arrays, [0, 1, 2])
    ours = RNNEncoder(3, **params).fit(lists, [0, 1, 2])
    np.testing.assert_array_equal(encoder.transform(arrays), ours.transform(lists))
    h = RNNEncoder(3, **params).fit(table, [0, 1]).transform(table)
    assert h.shape == (2, len(encoder.get_feature_names_out()))
    with pytest.raises(ValueError, match="infinity"):
        RNNEncoder(3, **params).fit([[1.0, np.inf], [np.nan]], [0, 1])


NUMBERS = np.array([[1.0, 2.0, 4.0], [0.5, 3.0, 0.0]])
MASK = np.array([[False, True, False], [True, False, False]])
MASKED = {
    "table": (
        np.ma.masked_array(NUMBERS, MASK),
        np.where(MASK, np.nan, NUMBERS),
    ),
    "table of integers": (
        np.ma.masked_array(NUMBERS * 2, MASK, dtype=int),
        np.where(MASK, np.nan, NUMBERS * 2),
    ),
    "float32": (
        np.ma.masked_array(NUMBERS, MASK, dtype=np.float32),
        np.where(MASK, np.nan, NUMBERS).astype(np.float32),
    ),
    "three dimensions": (
        np.ma.masked_array([NUMBERS, NUMBERS], [MASK, ~MASK]),
        np.where([MASK, ~MASK], np.nan, [NUMBERS, NUMBERS]),
    ),
    "items": (
        [np.ma.masked_array(*x) for x in zip(NUMBERS, MASK, strict=True)],
        list(np.where(MASK, np.nan, NUMBERS)),
    ),
    "items of which none is masked": (
        list(np.ma.masked_array(NUMBERS, dtype=int)),
        list(np.floor(NUMBERS)),
    ),
    "items and others": (
        [np.ones((1, 3)), np.ma.masked_array(NUMBERS, MASK)],
        [np.ones((1, 3)), np.where(MASK, np.nan, NUMBERS)],
    ),
    "lists of rows": (
        [list(np.ma.masked_array(NUMBERS, MASK)), [NUMBERS[0].tolist()]],
        [np.where(MASK, np.nan, NUMBERS), NUMBERS[:1]],
    ),
    "lists of entries": (
        [list(np.ma.masked_array(*x)) for x in zip(NUMBERS[1:], MASK[1:], strict=True)]
        + [[1.5]],
        [np.array([np.nan, 3.0, 0.0]), np.array([1.5])],
    ),
}


@pytest.mark.parametrize("case", MASKED)
def test_masked_numbers_are_missing(case):
    masked, X = MASKED[case]
    encoder = RNNEncoder(
        3, missing="mask", kernel_sizes=None, max_iter=2, random_state=0
    )
    expected = encoder.fit_transform(X, [0, 1])
    np.testing.assert_array_equal(encoder.transform(masked), expected)
    np.testing.assert_array_equal(encoder.fit_transform(masked, [0, 1]), expected)


@pytest.mark.parametrize("case", MASKED)
def test_masked_numbers_raise_without_a_mask(case):
    if case == "items of which none is masked":
        encoder = RNNEncoder(2, max_iter=1, random_state=0)
        X = list(map(np.ma.getdata, MASKED[case][0]))
        codes = encoder.fit_transform(MASKED[case][0], [0, 1])
        np.testing.assert_array_equal(codes, encoder.fit_transform(X, [0, 1]))
        return
    with pytest.raises(TypeError, match=r"^X.* is a masked array, whose mask would be"):
        RNNEncoder().fit(MASKED[case][0], [0, 1])


@pytest.mark.parametrize("entries", [["a", "b"], [1j, 0.5], [None, "a"]])
def test_masked_arrays_of_no_numbers_raise(entries):
    X = np.ma.masked_array(entries, [True, False])
    with pytest.raises(TypeError, match=r"^X is a masked array, whose mask would be"):
        RNNEncoder(missing="mask").fit(X, [0, 1])


def with_none(X):
    """Lists, with None for NaN."""
    if isinstance(X, (float, np.floating)):
        return None if np.isnan(X) else float(X)
    return list(map(with_none, X))


def object_array(X):
    array = np.empty(len(X), dtype=object)
    array[:] = list(X)
    return array


PADDED = {
    "array": lambda X: X,
    "list of arrays": list,
    "lists": lambda X: X.tolist(),
    "tuples": lambda X: tuple(map(tuple, X)),
    "column of arrays": lambda X: pd.Series(list(X)),
    "tensors": lambda X: list(map(torch.from_numpy, X)),
}
PADDED_TABLES = {
    **PADDED,
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": lambda X: pa.table(pd.DataFrame(X)),
    "items of pandas": lambda X: list(map(pd.Series, X)),
    "items of polars": lambda X: list(map(pl.Series, X)),
    "pandas of nullable types": lambda X: pd.DataFrame(X).convert_dtypes(),
    "pandas of arrow types": lambda X: pd.DataFrame(X).astype("float64[pyarrow]"),
    "items of nullable types": lambda X: [pd.Series(x, dtype="Float64") for x in X],
    "items of arrow": lambda X: list(map(pa.array, with_none(X))),
    "None": lambda X: with_none(X),
    "objects": lambda X: list(map(np.array, with_none(X))),
    "column of objects": lambda X: pd.Series(with_none(X)),
}
# Columns and frames of lists, of numbers or of steps.
PADDED_COLUMNS = {
    "lists of arrow": lambda X: pa.array(with_none(X)),
    "NaN in arrow": lambda X: pa.array(X.tolist()),
    "large arrow": lambda X: pa.array(
        with_none(X), pa.large_list(pa.array(with_none(X)).type.value_type)
    ),
    "chunks of arrow": lambda X: pa.chunked_array([with_none(X[:1]), with_none(X[1:])]),
    "frame of arrow": lambda X: pa.table({"x": with_none(X)}),
    "batch of arrow": lambda X: pa.RecordBatch.from_pydict({"x": with_none(X)}),
    "scalars of arrow": lambda X: list(pa.array(with_none(X))),
    "arrow in pandas": lambda X: pd.Series(
        pd.arrays.ArrowExtensionArray(pa.array(with_none(X)))
    ),
    "frame of arrow in pandas": lambda X: pd.DataFrame(
        {"x": pd.arrays.ArrowExtensionArray(pa.array(with_none(X)))}
    ),
    "lists of polars": lambda X: pl.Series(with_none(X)),
    "NaN in polars": lambda X: pl.Series(X.tolist()),
    "arrays of polars": lambda X: pl.Series(X),
    "frame of polars": lambda X: pl.DataFrame({"x": with_none(X)}),
    "frame of pandas": lambda X: pd.DataFrame({"x": X.tolist()}),
    "frame of arrays": lambda X: pd.DataFrame({"x": list(X)}),
    "frame of a column 0": lambda X: pd.DataFrame({0: with_none(X)}),
    "narwhals": lambda X: nw.from_native(pl.Series(with_none(X)), series_only=True),
    "frame of narwhals": lambda X: nw.from_native(pl.DataFrame({"x": with_none(X)})),
    "awkward": lambda X: ak.Array(with_none(X)),
    "NaN in awkward": lambda X: ak.Array(X.tolist()),
    "items of awkward": lambda X: list(map(ak.Array, with_none(X))),
    "array of objects": object_array,
    "one tensor": torch.from_numpy,
    "tensors with gradients": lambda X: [
        torch.tensor(x, requires_grad=True) for x in X
    ],
    "one with gradients": lambda X: torch.tensor(X, requires_grad=True),
}
OBJECTS = ["None", "objects", "column of objects", "frame of a column 0"]
PADDED_FRAMES = {
    **PADDED,
    "tensors of arrow": lambda X: pa.FixedShapeTensorArray.from_numpy_ndarray(X),
    "chunks of tensors of arrow": lambda X: pa.chunked_array(
        [pa.FixedShapeTensorArray.from_numpy_ndarray(X)]
    ),
    "items of pandas": lambda X: [pd.DataFrame(x, columns=["a", "b"]) for x in X],
    "items of polars": lambda X: [pl.DataFrame(x, schema=["a", "b"]) for x in X],
}


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder, RNNRegressor])
@pytest.mark.parametrize("side", ["end", "beginning"])
@pytest.mark.parametrize(
    "container, n_features",
    [
        *((c, 1) for c in {**PADDED_TABLES, **PADDED_COLUMNS}),
        *((c, 2) for c in {**PADDED_FRAMES, **PADDED_COLUMNS}),
    ],
)
def test_padding_by_nan_can_be_cut_as_the_error_says(container, n_features, side, make):
    lengths, rng = [5, 3, 4], np.random.default_rng(0)
    X = rng.normal(size=(3, 5, n_features))
    for x, length in zip(X, lengths, strict=True):
        x[length:] = np.nan
    X = X if side == "end" else X[:, ::-1].copy()
    make_container = {**PADDED_TABLES, **PADDED_COLUMNS}.get(container)
    if n_features == 2:
        make_container = {**PADDED_FRAMES, **PADDED_COLUMNS}[container]
    wrapped = make_container(X if n_features == 2 else X[:, :, 0])
    with pytest.raises((ValueError, TypeError)) as error:
        make().fit(wrapped, [0, 1, 1])
    if isinstance(error.value, ValueError):
        where = (
            "3, and from there to the end" if side == "end" else "0, and up to step 1"
        )
        where += " in all features" if n_features > 1 else ""
        assert f"X[1] contains NaN at step {where}: all" in str(error.value)
    else:  # says which number is missing, but cannot know about the others
        assert container in OBJECTS
        if side == "beginning":
            return
    line = re.search(r"cut it off: (X = .*\])\. Otherwise", str(error.value))[1]
    names = {"X": wrapped, "np": np}
    exec(line, names)
    assert list(map(len, names["X"])) == lengths
    model = make(nhidden=2, max_iter=1, random_state=0).fit(names["X"], [0, 1, 1])
    expected = [x[~np.isnan(x).all(axis=1)] for x in X]
    again = make(nhidden=2, max_iter=1, random_state=0).fit(expected, [0, 1, 1])
    np.testing.assert_array_equal(model.U_[0], again.U_[0])


@pytest.mark.parametrize(
    "X, params",
    [
        ([[1.0, 2.0, pd.NA], [1.0, 2.0, 3.0]], {}),
        (pd.DataFrame([[1.0, pd.NA], [1.0, 2.0]]), {}),
        ([torch.tensor([1.0, np.nan], requires_grad=True), [1.0, 2.0]], {}),
        (["a", "b"], {"analyzer": lambda x: [1.0, np.nan]}),
    ],
)
def test_no_line_is_shown_that_does_not_run(X, params):
    with pytest.raises((ValueError, TypeError), match=r"\. Impute (it|the)") as error:
        RNNClassifier(**params).fit(X, [0, 1])
    assert "cut it off" not in str(error.value)


def test_padding_of_another_sequence_than_the_first_missing_step():
    X = [[0.5, np.nan, 1.5], [0.5, 1.5, np.nan]]
    sentence = (
        "X[0] contains NaN at step 1: all numbers must be finite. The last steps of "
        "X[1] are missing. If this is padding, cut it off: X = [x[: len(x) - "
        "np.isnan(np.asarray(x, float)[::-1]).argmin()] for x in X]. Otherwise impute "
        "the missing steps, or use missing='mask'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier().fit(X, [0, 1])


@pytest.mark.parametrize(
    "X",
    [
        [[0.5, np.nan, 1.5], [0.5, 1.0, 1.5]],  # in between
        [[0.5, 1.0], [np.nan, np.nan]],  # nothing would be left
        [[[0.5, 1.0], [0.5, np.nan]]] * 2,  # one of two features
    ],
)
def test_missing_numbers_that_are_no_padding(X):
    with pytest.raises(ValueError, match=r"finite\. Impute the missing steps, or use"):
        RNNClassifier().fit(X, [0, 1])


MISSING = {
    "lists": [[0.5, 1.5, 1.0], [np.nan] * 3, [0.5, 1.0]],
    "None": [[0.5, 1.5, 1.0], [None] * 3, [0.5, 1.0]],
    "table": np.array([[0.5, 1.5], [np.nan, np.nan], [np.nan, 1.0]]),
    "frame": pd.DataFrame([[0.5, 1.5], [np.nan, np.nan], [np.nan, 1.0]]),
    "features": [np.ones((2, 2)), np.full((3, 2), np.nan), np.ones((1, 2))],
    "masked": np.ma.masked_array(
        [[0.5, 1.5], [0.0, 0.0]], mask=[[False, True], [True, True]]
    ),
}


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder, RNNRegressor])
@pytest.mark.parametrize("method", ["fit", "partial_fit", "predict"])
@pytest.mark.parametrize("case", MISSING)
def test_a_series_without_numbers_warns(case, method, make):
    X, model = MISSING[case], make(nhidden=2, max_iter=1, missing="mask")
    y = [0, 1, 1][: len(X)]
    sentence = (
        f"1 of {len(X)} sequences, such as X[1], holds nothing but missing values: "
        "only their lengths are known to the network. Drop them."
    )
    if method == "predict":
        rows = [0, len(X) - 1] if case != "masked" else [0, 0]
        others = X.iloc[rows] if case == "frame" else [X[i] for i in rows]
        if case in ("table", "masked"):
            others = X[rows]
        model.fit(others, [0, 1])
    name = "transform" if make is RNNEncoder and method == "predict" else method
    arguments = (X,) if method == "predict" else (X, y)
    if method == "partial_fit" and make is RNNClassifier:
        arguments = (X, y, [0, 1])
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        getattr(model, name)(*arguments)


def test_a_series_that_lost_its_numbers_when_it_was_cut_warns():
    X = [[0.5, np.nan, np.nan], [0.5, 1.5, 1.0]]
    model = RNNRegressor(2, max_iter=1, missing="mask", max_length=2, overlong="last")
    with pytest.warns(UserWarning, match=r"^1 of 2 sequences, such as X\[0\], holds"):
        model.fit(X, [0, 1])


def test_a_feature_that_is_never_seen():
    X = [np.array([[np.nan, 1.0], [np.nan, 2.0]])] * 4
    encoder = RNNEncoder(
        3, missing="mask", kernel_sizes=None, max_iter=2, random_state=0
    )
    assert np.isfinite(encoder.fit(X, [0, 1, 0, 1]).transform(X)).all()


def test_scikit_learn_checks_pass_with_a_mask():
    estimator = RNNClassifier(missing="mask", random_state=0)
    assert estimator.__sklearn_tags__().input_tags.allow_nan
    assert not RNNClassifier().__sklearn_tags__().input_tags.allow_nan
    # The first one has missing numbers in its X; what refuses them is left out.
    wanted = {"check_estimators_pickle", "check_fit2d_predict1d"}
    names = set()
    for checked, check in estimator_checks_generator(estimator):
        name = check.func.__name__
        names.add(name)
        if name in wanted:
            check(checked)
    assert wanted <= names
    assert "check_estimators_nan_inf" not in names


def test_numbers_as_they_are():
    X = [np.array([1000.0, 1001.0]), np.array([999.0])]
    encoder = RNNEncoder(
        3, cell="rnn", standardize=False, max_iter=1, kernel_sizes=None, random_state=0
    )
    encoder.fit(X, [0, 1])
    assert encoder.mean_.tolist() == [0.0] and encoder.scale_.tolist() == [1.0]
    h = encoder.transform([[0.0]])
    np.testing.assert_allclose(h[0], np.tanh(encoder.b_[0]), rtol=1e-6)


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_differences_are_those_of_each_sequence(lengths, n_columns, order):
    rng = np.random.default_rng(sum(lengths))
    parts = [rng.normal(size=(n, n_columns)).astype(np.float32) for n in lengths]
    expected = []
    for part in parts:
        each = []
        for n in range(1, order + 1):
            padded = np.zeros_like(part)
            padded[n:] = np.diff(part, n=n, axis=0)[: len(part)]
            each.append(padded)
        expected.append(np.hstack(each))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    found = series.differences(np.concatenate(parts), offsets, order)
    np.testing.assert_allclose(found, np.concatenate(expected), atol=1e-5)


def test_the_network_reads_differences_beside_the_numbers(rng):
    X = [rng.normal(size=(n, 2)).cumsum(axis=0) for n in (5, 3, 9, 4)]
    encoder = RNNEncoder(
        3, max_iter=1, differences=2, standardize=True, random_state=0
    ).fit(X, [0, 1, 0, 1])
    assert encoder.U_[0].shape == (9, 6) and encoder.difference_scale_.shape == (
        2,
        2,
    )
    (by_hand,) = np.split(encode_as_fitted(encoder, X[:1]).values, [5][1:])
    numbers = (X[0] - encoder.mean_) / encoder.scale_
    np.testing.assert_allclose(by_hand[:, :2], numbers, atol=1e-5)
    first = np.diff(numbers, axis=0) / encoder.difference_scale_[0]
    np.testing.assert_allclose(by_hand[1:, 2:4], first, atol=1e-4)
    second = np.diff(numbers, n=2, axis=0) / encoder.difference_scale_[1]
    np.testing.assert_allclose(by_hand[2:, 4:], second, atol=1e-4)


def test_differences_are_of_what_was_filled_in():
    X = [[1.0, np.nan, 4.0, 6.0]] * 4
    encoder = RNNEncoder(
        2, missing="mask", standardize=False, differences=1, max_iter=1
    )
    encoder.fit(X, [0, 1, 0, 1])
    values = encode_as_fitted(encoder, X[:1]).values
    scale = np.std([0, 0, 3, 2])
    np.testing.assert_allclose(
        values, np.transpose([[1, 1, 4, 6], [0, 1, 0, 0], [0, 0, 3 / scale, 2 / scale]])
    )


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.integers(1, 3),
    st.integers(1, 12),
)
def test_patches_are_steps_side_by_side(lengths, n_columns, patch_length):
    rng = np.random.default_rng(sum(lengths))
    parts = [rng.normal(size=(n, n_columns)).astype(np.float32) for n in lengths]
    expected = []
    for part in parts:
        n_repeats = -len(part) % patch_length
        whole = np.concatenate([np.repeat(part[:1], n_repeats, axis=0), part])
        expected.append(whole.reshape(-1, patch_length * n_columns))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values, starts = series.patches(np.concatenate(parts), offsets, patch_length)
    np.testing.assert_array_equal(values, np.concatenate(expected))
    np.testing.assert_array_equal(np.diff(starts), list(map(len, expected)))


@pytest.mark.parametrize("kernel_sizes", [None, "auto"])
def test_patches_of_any_length_are_read_in_fit_and_after(kernel_sizes, rng):
    X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 30, size=80)]
    y = [float(x[-1, 0]) for x in X]
    params = {"patch_length": 4, "standardize": True, "early_stopping": True}
    params["kernel_sizes"] = kernel_sizes
    regressor = RNNRegressor(16, random_state=0, **params)
    assert regressor.fit(X, y).score(X, y) > (0.9 if kernel_sizes is None else 0.7)
    assert regressor.patch_length_ == 4
    if kernel_sizes is None:  # side by side; else they are averaged
        assert regressor.U_[0].shape == (48, 2 * 2 * 4)
    else:
        assert regressor.filters_[0].shape[1] == 2 * 2
    alone = [regressor.predict([x])[0] for x in X[:5]]
    np.testing.assert_allclose(alone, regressor.predict(X[:5]), atol=1e-6)


def test_patches_by_the_length_of_the_series(rng):
    encoder = RNNEncoder(2, max_iter=1, kernel_sizes=None, random_state=0)
    for length, patch_length in [(3, 1), (149, 1), (1000, 10)]:
        X = rng.normal(size=(8, length))
        assert encoder.fit(X, [0, 1] * 4).patch_length_ == patch_length
    encoder = RNNEncoder(2, patch_length=10**6, max_iter=1)
    assert encoder.fit(rng.normal(size=(8, 20)), [0, 1] * 4).patch_length_ == 20
    assert not hasattr(encoder.fit(["a", "b"], [0, 1]), "patch_length_")


LINE = 0.14 * np.arange(30.0)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("factors", [(1.0,), (1.0, 2.0, 3.0)])
def test_differences_that_are_rounding_errors_are_constant(factors, dtype, order):
    """Those of straight lines, from the second order on."""
    X = np.array([factor * LINE for factor in factors] * 8, dtype=dtype)
    y = np.arange(len(X)) % 2
    scales = RNNClassifier(4, differences=order, max_iter=1).fit(X, y).difference_scale_
    assert (scales[1:] == 1.0).all()
    assert (scales[0] < 0.1).all()


def scales_of(X, order, **params):
    encoder = RNNEncoder(2, differences=order, patch_length=1, max_iter=1, **params)
    encoder.fit(X, np.arange(len(X)) % 2)
    return encoder.scale_, encoder.difference_scale_


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("missing", ["error", "mask"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [0.3, 1.0, -7e5, 1e6, 1e-9])
def test_a_feature_is_constant_if_rounding_errors_are_all_that_changes(
    level, dtype, missing, order, rng
):
    level = dtype(level)
    next_one = np.nextafter(level, dtype(np.inf))
    lines = rng.normal(size=(40, 1)) * np.arange(30)
    X = [
        np.column_stack([np.where(rng.random(30) < 0.5, level, next_one), line])
        for line in lines.astype(dtype)
    ]
    if missing == "mask":
        X[0][3] = np.nan
    scale, of_differences = scales_of(X, order, missing=missing)
    assert scale[0] == 1.0 and (of_differences[:, 0] == 1.0).all()
    assert scale[1] > 1.0 and 1e-3 < of_differences[0, 1] < 0.5


def test_two_ways_to_compute_the_same_number(rng):
    X = [np.where(rng.random(30) < 0.5, 0.3, 0.1 + 0.2) for _ in range(40)]
    scale, of_differences = scales_of(X, 2)
    assert scale.tolist() == [1.0] and of_differences.tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize(
    "dtype, level",
    [
        *((np.float32, level) for level in (0, 10, 1e3, -1e5)),
        *((np.float64, level) for level in (0, 1e6, -1e9, 1e12)),
        *((np.int64, level) for level in (0, 10**6, -(10**15))),
    ],
)
def test_lines_far_from_zero_have_no_second_differences(level, dtype, order):
    slope = 7 if dtype is np.int64 else 0.14
    X = [(level + slope * f * np.arange(30)).astype(dtype) for f in (1, 2, 3)] * 6
    _, of_differences = scales_of(X, order, analyzer="series")
    assert (of_differences[1:] == 1.0).all()
    assert 0.03 < of_differences[0] < 0.05


@pytest.mark.parametrize(
    "dtype, level, order",
    [
        *((np.float32, level, 2) for level in (0, 10, 100)),
        *((np.float64, level, 2) for level in (0, 1e6, -1e9)),
        *((np.float64, level, 3) for level in (0, 1e6)),
        (np.float32, 1e4, 1),
        (np.float64, 1e12, 1),
    ],
)
def test_small_differences_far_from_zero_are_kept(level, dtype, order):
    """Those of a slow wave are larger than the rounding errors at that level."""
    X = [(level + np.sin(np.arange(500) / 80 + i)).astype(dtype) for i in range(20)]
    _, of_differences = scales_of(X, order)
    expected = [0.0125 / 80**n for n in range(order)]
    np.testing.assert_allclose(of_differences[:, 0], expected, rtol=0.05)


def test_whole_numbers_far_from_zero_are_kept(rng):
    X = [10**12 + rng.integers(0, 2, 30) for _ in range(40)]
    scale, of_differences = scales_of(X, 2, analyzer="series")
    np.testing.assert_allclose(scale, 0.5, rtol=0.01)
    np.testing.assert_allclose(of_differences[:, 0], [1.4, 2.4], rtol=0.1)


def test_rounding_of_series_does_not_change_predictions():
    X = np.array([factor * LINE for factor in (1.0, 2.0, 3.0)] * 8)
    y = np.arange(len(X)) % 3
    params = {"differences": 2, "max_iter": 20, "random_state": 0}
    classifier = RNNClassifier(16, **params).fit(X, y)
    expected = classifier.predict_proba([LINE])
    rounded, bent = LINE.astype(np.float32), LINE + 1e-7 * np.arange(30) ** 2
    for same in (rounded, rounded.astype(np.float64)):
        np.testing.assert_allclose(
            classifier.predict_proba([same]), expected, atol=1e-5
        )
    # The wide path counts steps, and one of them may be on the other side of a bias.
    np.testing.assert_allclose(classifier.predict_proba([bent]), expected, atol=1e-3)
    classifier = RNNClassifier(16, n_wide_features=None, **params).fit(X, y)
    expected = classifier.predict_proba([LINE])
    for same in (rounded, rounded.astype(np.float64), bent):
        np.testing.assert_allclose(
            classifier.predict_proba([same]), expected, atol=1e-5
        )


def test_small_differences_that_are_no_rounding_errors_are_scaled():
    X = np.sin(np.linspace(0, 2 * np.pi, 1000)) * np.linspace(1, 2, 10)[:, np.newaxis]
    encoder = RNNEncoder(4, differences=2, patch_length=1, max_iter=1)
    scales = encoder.fit(X, np.arange(10) % 2).difference_scale_
    assert (scales < 0.02).all() and (scales[1] > 1e-6).all()
