"""What y may be, in all containers."""

import datetime
import re
from contextlib import nullcontext

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor
from skrnn.export import save_safetensors, to_state_dict

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


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
@pytest.mark.parametrize("kind", ["datetime64[ms]", "timedelta64[ms]"])
@pytest.mark.parametrize("table", TABLES)
def test_a_column_of_times_among_others_is_no_column_of_labels(table, kind, make):
    y = TABLES[table]({"a": [0.5, 1.5] * 8, "d": np.resize(TIMES[kind][:2], 16)})
    what = "durations" if kind.startswith("timedelta") else "times"
    sentence = f"y['d'] holds {what}: {EXPECTED[make]}. Pass one column of labels."
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        make(**PARAMS).fit(X, y)


@pytest.mark.parametrize("time", [np.timedelta64(1, "s"), np.datetime64("2020-01-01")])
def test_a_time_of_numpy_among_numbers_is_no_number(time):
    what = "durations" if time.dtype.kind == "m" else "times"
    with pytest.raises(TypeError, match=f"^y holds {what}: numbers were expected"):
        RNNRegressor(**PARAMS).fit(X, [0.5, time] * 8)


COLUMNS_OF_LISTS = {
    "pandas": pd.Series,
    "pandas arrow": lambda y: pd.Series(y, dtype=pd.ArrowDtype(pa.array(y).type)),
    "pandas frame": lambda y: pd.DataFrame({"y": y}),
    "polars": pl.Series,
    "polars frame": lambda y: pl.DataFrame({"y": y}),
    "arrow": pa.array,
    "arrow chunks": lambda y: pa.chunked_array([y]),
    "arrow table": lambda y: pa.table({"y": y}),
    "objects": lambda y: pd.Series(y).to_numpy(),
    "list of Series": lambda y: [pd.Series(labels) for labels in y],
    "list of polars": lambda y: [pl.Series(labels) for labels in y],
    "list of arrow": lambda y: [pa.array(labels) for labels in y],
}


@every_estimator
@pytest.mark.parametrize("label", ["N", 1, 0.5])
@pytest.mark.parametrize("container", COLUMNS_OF_LISTS)
def test_a_label_for_each_step_in_a_column(container, label, make):
    y = COLUMNS_OF_LISTS[container]([[label] * len(x) for x in X])
    sentence = (
        "y[0] has 2 entries, one for each step of X[0], and so on: "
        f"{make.__name__} predicts one target per sequence, so {EXPECTED[make]}."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make(**PARAMS).fit(X, y)


@every_estimator
@pytest.mark.parametrize("shape", ["list", "nested"])
def test_a_tensor_of_labels_for_each_step(shape, make):
    y = [torch.zeros(len(x)) for x in X]
    if shape == "nested":
        y = torch.nested.nested_tensor(y, layout=torch.jagged)
    with pytest.raises(ValueError, match=r"^y\[0\] has 2 entries, one for each step"):
        make(**PARAMS).fit(X, y)


@every_estimator
@pytest.mark.parametrize("container", COLUMNS_OF_LISTS)
def test_ragged_targets_in_a_column_are_refused(container, make):
    y = COLUMNS_OF_LISTS[container]([[0], [1, 0]] * 8)
    with pytest.raises(ValueError, match=r"^y\[1\] is a list of 2, but y\[0\] is"):
        make(**PARAMS).fit(X, y)


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
@pytest.mark.parametrize(
    "container", sorted(k for k in COLUMNS_OF_LISTS if k[0] != "l")
)
def test_a_column_of_equally_long_lists_is_numbers_but_no_labels(container, make):
    y = COLUMNS_OF_LISTS[container]([[0, 1], [1, 0]] * 8)
    sentence = (
        f"y[0] is a list: {EXPECTED[make]}. Use "
        "sklearn.preprocessing.MultiLabelBinarizer for sequences of several, or pass a "
        "column for each label."
    )
    with pytest.raises(ValueError, match=re.escape(sentence.split(": ", 1)[1])):
        make(**PARAMS).fit(X, y)
    assert RNNRegressor(**PARAMS).fit(X, y).predict(X).shape == (16, 2)


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
def test_large_integers_in_a_list_are_not_rounded(make):
    y = [2**64 - 1, 3] * 8
    assert make(**PARAMS).fit(X, y).classes_.tolist() == [3, 2**64 - 1]
    with pytest.raises(ValueError, match=r"y\[0\] is an int: .* Use np\.array"):
        make(**PARAMS).fit(X, [-1, 2**63] * 8)


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
@pytest.mark.parametrize("table", TABLES)
def test_columns_of_integers_and_strings_are_no_labels(table, make):
    y = TABLES[table]({"a": [0, 1] * 8, "b": ["u", "v"] * 8})
    sentence = (
        "Unknown label type: y is an array of dtype object, and y[0, 0] is an int: an "
        "array of dtype object may hold strings only. Pass one column of labels."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make(**PARAMS).fit(X, y)


NO_CONTAINERS = {
    "generator": (lambda: (i % 2 for i in range(16)), "Use list({})."),
    "values": (lambda: dict.fromkeys(range(16), 1.0).values(), "Use list({})."),
    "dict": (lambda: dict.fromkeys(range(16), 1.0), "Use list({}.values())."),
    "lazy": (lambda: pl.LazyFrame({"y": [0, 1] * 8}), "Use {}.collect()."),
    "groupby": (
        lambda: pd.Series([0, 1] * 8).groupby([0, 1] * 8),
        "Pass a column with one row for each sequence.",
    ),
    "scalar": (lambda: np.array(1.0), "Use a list."),
    "object": (object, "Use a list."),
}
PLACES = {
    "y": "an array-like with a target for each sequence",
    "y_val": "an array-like with a target for each sequence",
    "sample_weight": "an array-like with a weight for each sequence",
    "classes": "an array-like with all labels",
    "score": "an array-like with a target for each sequence",
}


@every_estimator
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("case", NO_CONTAINERS)
def test_what_has_no_entry_at_each_place_is_refused(case, place, make):
    given, cure = NO_CONTAINERS[case]
    given, y, estimator = given(), [0.0, 1.0] * 8, make(**PARAMS)
    name = "y" if place == "score" else place
    sentence = (
        f"{name} is of type {type(given).__name__}: {PLACES[place]} was expected. "
        f"{cure.format(name)}"
    )
    if (place, make) in [("classes", RNNRegressor), ("score", RNNEncoder)]:
        return  # it has no such argument
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        if place == "y":
            estimator.fit(X, given)
        elif place == "y_val":
            estimator.set_params(early_stopping=True)
            estimator.fit(X, y, X_val=X, y_val=given)
        elif place == "sample_weight":
            estimator.fit(X, y, given)
        elif place == "classes":
            estimator.partial_fit(X, y, classes=given)
        else:
            estimator.fit(X, y).score(X, given)


@every_estimator
@pytest.mark.parametrize("frame", [pd.DataFrame(index=range(16)), pl.DataFrame()])
def test_a_frame_without_columns_is_no_target(frame, make):
    with pytest.raises(ValueError, match=r"^y is a DataFrame without columns: "):
        make(**PARAMS).fit(X, frame)


@every_estimator
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tensors_with_a_gradient_are_targets_and_weights(dtype, make):
    y = torch.tensor([0.0, 1.0] * 8, dtype=dtype, requires_grad=True)
    make(**PARAMS).fit(X, y, sample_weight=1 + y)
    make(**PARAMS).fit(X, [*y])


@every_estimator
@pytest.mark.parametrize(
    "weight, sentence",
    [
        ([[1.0], [1.0, 2.0]] * 8, "sample_weight[1] is a list of 2, but sample_weight"),
        (["a"] * 16, "sample_weight[0] is a string, which is no number"),
        ([1.0, None] * 8, "sample_weight[1] is None, which is no number"),
        ([1j] * 16, "sample_weight[0] is a complex128, which is no number"),
        ([10**400] * 16, "sample_weight[0] is an int, which is no number"),
    ],
)
def test_weights_that_are_no_numbers_are_refused(weight, sentence, make):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        make(**PARAMS).fit(X, [0.0, 1.0] * 8, weight)


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_classes_that_are_not_finite_are_refused(bad, make):
    with pytest.raises(ValueError, match=f"^classes contain {bad}, which is no label"):
        make(**PARAMS).partial_fit(X, [0.0, 1.0] * 8, classes=[0.0, 1.0, bad])


@pytest.mark.parametrize(
    "container", [list, np.array, pd.Series, pl.Series, lambda y: pd.Categorical(y)]
)
def test_strings_are_no_numbers(container):
    y = container(["1", "2"] * 8)
    with pytest.raises(ValueError, match=r"^y\[0\] is a string, which is no number"):
        RNNRegressor(**PARAMS).fit(X, y)


def test_records_are_no_targets():
    with pytest.raises(TypeError, match=r"^y is a record array .* such as y\['a'\]"):
        RNNClassifier(**PARAMS).fit(X, np.zeros(16, dtype=[("a", float)]))
    for y in (pl.Series([{"a": 1}] * 16), pa.array([{"a": 1}] * 16), [{"a": 1}] * 16):
        with pytest.raises(TypeError, match=r"^y holds records"):
            RNNRegressor(**PARAMS).fit(X, y)


def test_long_floats_are_labels_that_can_be_saved(tmp_path):
    classifier = RNNClassifier(**PARAMS).fit(X, np.array([0, 1] * 8, np.longdouble))
    assert classifier.classes_.dtype == np.float64
    to_state_dict(classifier)
    save_safetensors(classifier, tmp_path / "labels.safetensors")
    if np.finfo(np.longdouble).nmant > 60:
        y = np.array([2**53, 2**53 + 1] * 8, np.longdouble)
        with pytest.raises(ValueError, match="float64 cannot hold"):
            RNNClassifier(**PARAMS).fit(X, y)


@pytest.mark.parametrize("make", [RNNClassifier, RNNRegressor])
@pytest.mark.parametrize(
    "container",
    [
        *(list, np.array, pd.Series, pl.Series, pa.array, torch.tensor),
        lambda y: pl.Series(y, dtype=pl.Int128),
        lambda y: torch.tensor(y, dtype=torch.bfloat16, requires_grad=True),
    ],
)
def test_score_takes_the_containers_of_fit(container, make):
    y = [0, 1] * 8
    estimator = make(**PARAMS).fit(X, y)
    assert estimator.score(X, container(y)) == estimator.score(X, y)


def test_durations_cannot_be_scored():
    regressor = RNNRegressor(**PARAMS).fit(X, [0.0, 1.0] * 8)
    with pytest.raises(TypeError, match=r"^y holds durations: numbers were expected"):
        regressor.score(X, np.array([1, 2] * 8, "m8[s]"))
    with pytest.raises(TypeError, match=r"^sample_weight holds durations"):
        regressor.score(X, [0.0, 1.0] * 8, np.array([1, 2] * 8, "m8[s]"))


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
@pytest.mark.parametrize("kinds", [(int, np.uint64), (np.int64, np.uint64)])
def test_integers_of_several_types_are_not_rounded(kinds, make):
    labels = [kinds[0](2**60), kinds[1](2**60 + 1)] * 8
    model = make(**PARAMS).fit(X, labels)
    if make is RNNClassifier:
        assert model.classes_.tolist() == [2**60, 2**60 + 1]
    assert len(model.V_) == 2
