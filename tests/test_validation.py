"""What y may be, in all containers."""

import datetime
import re
from contextlib import nullcontext

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor

X = ["ab", "ba", "abb", "b"] * 4
PARAMS = {"nhidden": 3, "max_iter": 1, "random_state": 0}
ESTIMATORS = [RNNClassifier, RNNEncoder, RNNRegressor]
every_estimator = pytest.mark.parametrize("make", ESTIMATORS)

DAYS = np.array(["2020-01-01", "2020-01-02", "NaT", "2020-01-01"] * 4, "M8[ns]")
CONTAINERS = {
    "array": np.asarray,
    "pandas": pd.Series,
    "pandas frame": lambda y: pd.DataFrame({"y": y}),
    "polars": pl.Series,
    "arrow": pa.array,
    "objects": lambda y: np.array([*pd.Series(y)], dtype=object),
    "list": lambda y: [*pd.Series(y)],
}
TIMES = {
    "datetime64[ns]": DAYS,
    "datetime64[ms]": DAYS.astype("M8[ms]"),
    "timedelta64[ns]": DAYS - DAYS[0],
    "timedelta64[ms]": (DAYS - DAYS[0]).astype("m8[ms]"),
}


def about_a_column(y):
    """Expect scikit-learn's warning about one column, if y is one."""
    has_columns = hasattr(y, "columns")
    return pytest.warns(match="column-vector") if has_columns else nullcontext()


@every_estimator
@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("container", CONTAINERS)
def test_a_time_that_is_missing_is_no_target(container, kind, make):
    y = CONTAINERS[container](TIMES[kind])
    sentence = (
        "y contains NaT for X[2]: every sequence needs a target. Drop the sequence or "
        "fill in its target."
    )
    with about_a_column(y), pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make(**PARAMS).fit(X, y)


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
def test_partial_fit_takes_no_missing_times(make):
    with pytest.raises(ValueError, match=r"^y contains NaT for X\[2\]"):
        make(**PARAMS).partial_fit(X, DAYS, classes=DAYS[:2])
    with pytest.raises(ValueError, match=r"^classes contain NaT, which is no label"):
        make(**PARAMS).partial_fit(X, np.resize(DAYS[:2], 16), classes=DAYS[:3])


@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("container", CONTAINERS)
def test_times_are_no_numbers(container, kind):
    y = CONTAINERS[container](np.resize(TIMES[kind][:2], 16))
    what, cure = "times", "days since the first one"
    if kind.startswith("timedelta"):
        what, cure = "durations", "y.dt.total_seconds()"
    sentence = (
        f"y holds {what}: numbers were expected. Convert them to numbers in a unit of "
        f"your choice, such as {cure}."
    )
    for method in ("fit", "partial_fit"):
        with about_a_column(y), pytest.raises(TypeError, match=re.escape(sentence)):
            getattr(RNNRegressor(**PARAMS), method)(X, y)


def test_durations_in_several_columns_are_no_numbers():
    y = np.resize(TIMES["timedelta64[ms]"][:2], (16, 2))
    with pytest.raises(TypeError, match=r"^y holds durations"):
        RNNRegressor(**PARAMS).fit(X, y)


TABLES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}


@pytest.mark.parametrize("container", TABLES)
@pytest.mark.parametrize("column", ["datetime", "date", "timedelta"])
def test_a_column_of_times_among_numbers_is_no_numbers(column, container):
    days = [datetime.datetime(2020, 1, 1 + i) for i in range(16)]
    times = {
        "datetime": days,
        "date": [day.date() for day in days],
        "timedelta": [day - days[0] for day in days],
    }[column]
    y = TABLES[container]({"a": np.arange(16.0), "b": times})
    what = "durations" if column == "timedelta" else "times"
    by_name = column != "date" or container != "pandas"  # there, a column of objects
    name = "y['b']" if by_name else "y"
    with pytest.raises(TypeError, match=f"^{re.escape(name)} holds {what}: numbers"):
        RNNRegressor(**PARAMS).fit(X, y)
    early = RNNRegressor(**PARAMS, early_stopping=True)
    with pytest.raises(TypeError, match=r"^y_val.* holds " + what):
        early.fit(X, np.zeros((16, 2)), X_val=X, y_val=y)


@every_estimator
@pytest.mark.parametrize("container", [list, pd.Series, np.array])
def test_durations_are_no_weights(container, make):
    weight = container([datetime.timedelta(seconds=i) for i in range(16)])
    with pytest.raises(TypeError, match=r"^sample_weight holds durations"):
        make(**PARAMS).fit(X, np.arange(16) % 2, sample_weight=weight)


@pytest.mark.parametrize("place", [0, 1, 15])
def test_a_duration_among_numbers_is_no_number(place):
    y = [*range(15)]
    y.insert(place, datetime.timedelta(days=1))
    with pytest.raises(TypeError, match=r"^y holds durations"):
        RNNRegressor(**PARAMS).fit(X, y)


def test_durations_of_python_are_no_numbers():
    y = [datetime.timedelta(days=1), datetime.timedelta(days=2)] * 8
    with pytest.raises(TypeError, match=r"^y holds durations"):
        RNNRegressor(**PARAMS).fit(X, y)


def test_days_may_be_labels():
    classifier = RNNClassifier(**PARAMS).fit(X, np.resize(DAYS[:2], 16))
    np.testing.assert_array_equal(classifier.classes_, DAYS[:2])


LARGE = [2**60, 2**60 + 1] * 8  # one number, as floats


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(LARGE, dtype="Int64"),
        pd.Series(LARGE, dtype="UInt64"),
        pd.Series(LARGE, dtype="int64[pyarrow]"),
        pytest.param(
            pd.DataFrame({"y": pd.Series(LARGE, dtype="Int64")}),
            marks=pytest.mark.filterwarnings("ignore:A column-vector"),
        ),
        pl.Series(LARGE),
        pa.array(LARGE),
        np.array(LARGE),
        LARGE,
    ],
    ids=[
        "Int64",
        "UInt64",
        "pandas arrow",
        "frame",
        "polars",
        "arrow",
        "array",
        "list",
    ],
)
@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
def test_integers_stay_integers(make, y):
    classes = make(**PARAMS).fit(X, y).classes_
    assert classes.dtype.kind in "iu" and classes.tolist() == LARGE[:2]


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]", "bool"])
@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
def test_booleans_stay_booleans(make, dtype):
    classes = make(**PARAMS).fit(X, pd.Series([True, False] * 8, dtype=dtype)).classes_
    assert classes.dtype == bool and classes.tolist() == [False, True]


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "Float64", "int64[pyarrow]"])
@every_estimator
def test_missing_labels_of_pandas_are_refused(make, dtype):
    with pytest.raises(ValueError, match=r"y contains NaN"):
        make(**PARAMS).fit(X, pd.Series([1, None] * 8, dtype=dtype))


EXPECTED = {
    RNNClassifier: "one class label for each sequence was expected, or a column of 0 "
    "and 1 for each label",
    RNNRegressor: "one or more numbers for each sequence were expected",
}
EXPECTED[RNNEncoder] = EXPECTED[RNNClassifier]


@every_estimator
@pytest.mark.parametrize(
    "label",
    [
        lambda x: list(x),
        lambda x: [1] * len(x),
        lambda x: (0.5,) * len(x),
        lambda x: np.zeros(len(x)),
        lambda x: np.array(list(x)),
    ],
    ids=["strings", "integers", "tuples", "arrays", "arrays of strings"],
)
@pytest.mark.parametrize("as_array", [False, True])
def test_a_label_for_each_step_is_not_for_these_estimators(as_array, label, make):
    y = [label(x) for x in X]
    if as_array:
        array = np.empty(len(y), dtype=object)
        array[:] = y
        y = array
    sentence = (
        "y[0] has 2 entries, one for each step of X[0], and so on: "
        f"{make.__name__} predicts one target per sequence, so {EXPECTED[make]}."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make(**PARAMS).fit(X, y)


EQUALLY_LONG = ["abc", "bcd", "cda", "dab"] * 4
COLUMNS = {
    "lists": list,
    "tuples": lambda y: [tuple(row) for row in y],
    "array": np.array,
    "objects": lambda y: np.array(y, dtype=object),
    "rows": lambda y: [np.array(row) for row in y],
    "pandas": lambda y: pd.DataFrame(y, columns=[*"uvw"]),
    "polars": lambda y: pl.DataFrame(y, schema=[*"uvw"], orient="row"),
}


@every_estimator
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("container", COLUMNS)
def test_strings_for_each_step_of_equally_long_sequences(container, method, make):
    y = COLUMNS[container]([["u", "v", "v"], ["v", "u", "u"]] * 8)
    sentence = (
        "y[0] has 3 entries, one for each step of X[0], and so on: "
        f"{make.__name__} predicts one target per sequence, so {EXPECTED[make]}."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        getattr(make(**PARAMS), method)(EQUALLY_LONG, y)


@every_estimator
@pytest.mark.parametrize("dtype", [int, float, bool])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("container", sorted(COLUMNS.keys() - {"objects"}))
def test_as_many_columns_as_steps_are_targets_of_the_sequence(
    container, method, dtype, make
):
    # Such as the alarms or the values of the next hours: not a label for each step,
    # and no warning (which would be an error here).
    y = np.array([[0, 1, 1], [1, 0, 0]] * 8).astype(dtype)
    estimator = getattr(make(**PARAMS), method)(
        EQUALLY_LONG, COLUMNS[container](y.tolist())
    )
    assert len(estimator.intercept_) == 3
    if make is not RNNRegressor:
        assert estimator._head_of(vars(estimator)).task == "multilabel"


@every_estimator
@pytest.mark.parametrize(
    "odd, here", [([1.0, 2.0], "a list of 2"), (1, "a single target")]
)
def test_ragged_targets_are_refused(odd, here, make):
    sentence = (
        f"y[3] is {here}, but y[0] is a list of 1: {EXPECTED[make]}, and as many for "
        "each sequence."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make(**PARAMS).fit(X, [[0.0]] * 3 + [odd] + [[1.0]] * 12)


@every_estimator
@pytest.mark.parametrize(
    "y, cure",
    [
        ((i % 2 for i in range(16)), "list(y)"),
        (iter([0, 1] * 8), "list(y)"),
        ({i: i % 2 for i in range(16)}, "list(y.values())"),
        ({0, 1}, "a list"),
        ("ab" * 8, "a list"),
    ],
    ids=["generator", "iterator", "dict", "set", "string"],
)
def test_other_containers_are_refused_with_the_cure(y, cure, make):
    sentence = (
        f"y is of type {type(y).__name__}: an array-like with a target for each "
        f"sequence was expected. Use {cure}."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        make(**PARAMS).fit(X, y)


LENGTHS = np.resize([3, 7, 5, 2], 40)
WORDS = ["abcabca"[:n] for n in LENGTHS]
# Whether each letter is an a, and a number for each.
FLAGS = [[letter == "a" for letter in x] for x in WORDS]
LEVELS = [[ord(letter) / 7 for letter in x] for x in WORDS]


def padded(rows, value, side):
    """A table of rows of several lengths, with a value in the rest."""
    rest = [[value] * (7 - len(row)) for row in rows]
    pairs = zip(rows, rest, strict=True)
    return np.array([r + p if side == "end" else p + r for r, p in pairs], dtype=float)


@every_estimator
@pytest.mark.parametrize("side", ["end", "beginning"])
@pytest.mark.parametrize(
    "container",
    [
        np.asarray,
        lambda y: y.astype(bool),
        lambda y: y.astype(int),
        np.ndarray.tolist,
        pd.DataFrame,
        lambda y: pl.DataFrame([*y.T]),
    ],
    ids=["floats", "booleans", "integers", "list", "pandas", "polars"],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_padded_label_for_each_step_is_not_for_these_estimators(
    method, container, side, make
):
    y = container(padded(FLAGS, 0, side))
    sentence = (
        "y looks like a target for each step, padded with 0 to the 7 steps of the "
        f"longest sequence, but {make.__name__} predicts targets of whole sequences: "
        "the 7 columns are read as that many for each sequence."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        getattr(make(**PARAMS), method)(WORDS, y)


@pytest.mark.parametrize("make", [RNNRegressor, RNNEncoder])
@pytest.mark.parametrize("value", [0, -1, -100])
@pytest.mark.parametrize("side", ["end", "beginning"])
def test_a_padded_number_for_each_step_is_not_for_these_estimators(side, value, make):
    sentence = f"y looks like a target for each step, padded with {value} to"
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}"):
        make(**PARAMS).fit(WORDS, padded(LEVELS, value, side))


@every_estimator
@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("n_columns", [2, 6, 7, 8])
def test_labels_of_sequences_are_not_taken_for_those_of_steps(n_columns, share, make):
    y = (np.random.default_rng(0).random((40, n_columns)) < share).astype(int)
    make(**PARAMS).fit(WORDS, y)


@every_estimator
def test_a_label_that_is_rare_is_not_taken_for_that_of_a_step(make):
    y = np.zeros((40, 7), dtype=int)
    y[1, 6] = y[0, 0] = 1
    make(**PARAMS).fit(WORDS, y)
