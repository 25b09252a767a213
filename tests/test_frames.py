"""Event logs of pandas, polars and pyarrow as sequences."""

import datetime as dt
import re
from decimal import Decimal

import narwhals
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrnn import RNNClassifier, RNNEncoder, sequences_from_frame
from skrnn._messages import how_to_compute

HOUR = dt.timedelta(hours=1)
LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}

LOG = {
    "user": ["ann", "bob", "ann", "eve", "bob", "ann"],
    "day": [3, 1, 1, 2, 4, 2],
    "event": ["pay", "open", "open", "open", "leave", "add"],
    "price": [9.5, 0.0, 1.0, 2.0, 0.5, 9.0],
    "is_new": [False, True, True, False, False, True],
}


@pytest.fixture(params=LIBRARIES)
def make(request):
    return LIBRARIES[request.param]


def assert_same(ours, expected):
    assert len(ours) == len(expected)
    for ours_i, expected_i in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(ours_i, expected_i, strict=True)


def test_rows_of_a_group_in_the_order_of_the_frame(make):
    X = sequences_from_frame(make(LOG), group="user", columns="event")
    assert X == [["pay", "open", "add"], ["open", "leave"], ["open"]]


def test_order_sorts_each_group(make):
    X = sequences_from_frame(make(LOG), group="user", columns="event", order="day")
    assert X == [["open", "add", "pay"], ["open", "leave"], ["open"]]


@pytest.mark.parametrize("day", [[1, 0, 1, 0, 1], ["b", "a", "b", "a", "b"]])
def test_ties_keep_the_order_of_the_frame(make, day):
    log = make({"user": [1, 1, 1, 1, 1], "day": day, "event": list("abcde")})
    X = sequences_from_frame(log, group="user", columns="event", order="day")
    assert X == [list("bdace")]


def test_first_of_several_order_columns_counts_most(make):
    log = make(
        {"u": [0, 0, 0, 0], "a": [1, 0, 1, 0], "b": [0, 1, -1, 0], "x": [*"abcd"]}
    )
    assert sequences_from_frame(log, group="u", columns="x", order=["a", "b"]) == [
        ["d", "b", "c", "a"]
    ]


def test_several_group_columns(make):
    log = make(
        {"u": ["b", "a", "b", "b"], "day": [2, 1, 1, 2], "x": ["p", "q", "r", "s"]}
    )
    X, groups = sequences_from_frame(
        log, group=["u", "day"], columns="x", return_groups=True
    )
    assert X == [["p", "s"], ["q"], ["r"]]
    assert groups == [("b", 2), ("a", 1), ("b", 1)]


def test_groups_look_up_the_targets(make):
    _, users = sequences_from_frame(
        make(LOG), group="user", columns="event", return_groups=True
    )
    targets = pd.Series({"eve": 2, "bob": 1, "ann": 0})
    assert targets.loc[users].tolist() == [0, 1, 2]


@pytest.mark.parametrize("group", ["day", ["day"]])
def test_groups_of_one_column_are_an_array_of_its_dtype(make, group):
    _, days = sequences_from_frame(
        make(LOG), group=group, columns="event", return_groups=True
    )
    np.testing.assert_array_equal(days, np.array([3, 1, 2, 4]), strict=True)


PARIS = pa.timestamp("us", "Europe/Paris")
TIME = dt.datetime(2026, 1, 1, 23, 30)  # in UTC; it is another day in Paris
GROUPS = {
    "times of a zone": pa.array([TIME, TIME + HOUR, TIME], PARIS),
    "times": pa.array([TIME, TIME + HOUR, TIME], pa.timestamp("us")),
    "durations": pa.array([HOUR, 2 * HOUR, HOUR], pa.duration("us")),
    "dates": pa.array([TIME.date(), (TIME + HOUR).date(), TIME.date()]),
    "decimals": pa.array([*map(Decimal, ("1.10", "1.20", "1.10"))]),
    "long decimals": pa.array(
        [*map(Decimal, ("0." + "1" * 20, "0.1", "0." + "1" * 20))]
    ),
    "categories": pa.array(["b", "a", "b"]).dictionary_encode(),
    "strings": pa.array(["b", "a", "b"]),
    "booleans": pa.array([True, False, True]),
    "large integers": pa.array([2**60 + 1, 2**60, 2**60 + 1]),
    "unsigned integers": pa.array([2**63 + 1, 2**63, 2**63 + 1], pa.uint64()),
}
FROM_ARROW = {
    "pandas": lambda log: log.to_pandas(),
    "pandas with arrow": lambda log: log.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas with nullable types": lambda log: log.to_pandas().convert_dtypes(),
    "polars": pl.from_arrow,
    "pyarrow": lambda log: log,
}


@pytest.mark.parametrize("case", GROUPS)
@pytest.mark.parametrize("library", FROM_ARROW)
def test_groups_are_the_values_of_the_column(library, case):
    log = FROM_ARROW[library](pa.table({"g": GROUPS[case], "x": ["p", "q", "r"]}))
    own = log["g"].to_pylist() if library == "pyarrow" else log["g"].to_list()
    for group in ("g", ["g"], ["g", "g"]):
        X, groups = sequences_from_frame(
            log, group=group, columns="x", return_groups=True
        )
        assert X == [["p", "r"], ["q"]]
        first = [value[0] for value in groups] if group == ["g", "g"] else list(groups)
        assert first == own[:2]
        assert {own[0]: "p"}[first[0]] == "p"  # so that a dict of targets is found
        if case == "times of a zone":
            assert [time.hour for time in first] == [0, 1]
            assert [time.utcoffset() for time in first] == [HOUR, HOUR]
    if library == "pandas" and case != "booleans":  # they would be a mask
        targets = pd.Series(["p", "q"], index=log["g"].drop_duplicates())
        _, groups = sequences_from_frame(
            log, group="g", columns="x", return_groups=True
        )
        assert targets.loc[groups].to_list() == ["p", "q"]


@pytest.mark.parametrize("dtype", [pl.Int128, pl.UInt128])
def test_integers_of_128_bits(dtype):
    values = pl.Series([2**70 + 1, 2**70, 2**70 + 1], dtype=dtype)
    log = pl.DataFrame({"g": values, "x": ["p", "q", "r"], "u": [0, 0, 0]})
    X, groups = sequences_from_frame(log, group="g", columns="x", return_groups=True)
    assert X == [["p", "r"], ["q"]] and groups.tolist() == [2**70 + 1, 2**70]
    assert sequences_from_frame(log, group="u", columns="x", order="g") == [[*"qpr"]]
    assert sequences_from_frame(log, group="u", columns="g") == [values.to_list()]
    features = sequences_from_frame(log, group="u", columns=["g"])
    assert_same(features, [np.full((3, 1), 2.0**70)])


def test_integers_and_booleans_are_tokens_of_python(make):
    for name, type_ in (("day", int), ("is_new", bool)):
        X = sequences_from_frame(make(LOG), group="user", columns=name)
        assert X[1] == [LOG[name][1], LOG[name][4]]
        assert {type(token) for x in X for token in x} == {type_}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_floats_are_arrays_of_their_dtype(make, dtype):
    log = make({"user": [1, 2, 1], "x": np.array([0.1, 0.2, 0.3], dtype=dtype)})
    X = sequences_from_frame(log, group="user", columns="x")
    assert_same(X, [np.array([0.1, 0.3], dtype=dtype), np.array([0.2], dtype=dtype)])


def test_several_columns_are_features(make):
    X = sequences_from_frame(
        make(LOG), group="user", columns=["price", "day", "is_new"], order="day"
    )
    assert_same(
        X,
        [
            np.array([[1.0, 1, 1], [9.0, 2, 1], [9.5, 3, 0]]),
            np.array([[0.0, 1, 1], [0.5, 4, 0]]),
            np.array([[2.0, 2, 0]]),
        ],
    )


def test_a_list_of_one_column_is_one_feature(make):
    X = sequences_from_frame(make(LOG), group="user", columns=["day"])
    assert_same(X, [[[3.0], [1.0], [2.0]], [[1.0], [4.0]], [[2.0]]])


def test_features_are_float32_if_all_columns_are(make):
    single = np.array([1, 2], dtype=np.float32)
    log = make({"u": [0, 0], "x": single, "y": single, "z": [True, False]})
    X = sequences_from_frame(log, group="u", columns=["x", "y"])
    assert X[0].dtype == np.float32
    X = sequences_from_frame(log, group="u", columns=["x", "z"])
    assert X[0].dtype == np.float64


@pytest.mark.parametrize("values", [[1.5, None], [2, None], [True, None]])
def test_missing_numbers_become_nan(make, values):
    log = make({"u": [0, 0], "x": pd.array(values) if make is pd.DataFrame else values})
    X = sequences_from_frame(log, group="u", columns=["x"])
    assert_same(X, [np.array([[values[0]], [np.nan]], dtype=np.float64)])


def test_missing_floats_of_one_column_become_nan(make):
    log = make({"u": [0, 0, 0], "x": [1.5, None, 0.5], "t": [3, 2, 1]})
    X = sequences_from_frame(log, group="u", columns="x", order="t")
    assert_same(X, [np.array([0.5, np.nan, 1.5])])


def test_input_is_not_changed(make):
    log, copy = make(LOG), make(LOG)
    X = sequences_from_frame(log, group="user", columns=["price", "day"])
    X[0][:] = -1
    assert log.equals(copy)


@pytest.mark.parametrize(
    "dtype", ["object", "str", "string", "category", "string[pyarrow]"]
)
def test_pandas_dtypes_of_strings(dtype):
    log = pd.DataFrame(LOG).astype({"user": dtype, "event": dtype})
    X, users = sequences_from_frame(
        log, group="user", columns="event", order="event", return_groups=True
    )
    assert X == [["add", "open", "pay"], ["leave", "open"], ["open"]]
    assert {type(token) for x in X for token in x} == {str}
    assert users.tolist() == ["ann", "bob", "eve"]


@pytest.mark.parametrize(
    "dtype", ["Int64", "int8", "UInt16", "int64[pyarrow]", "category", "object"]
)
def test_pandas_dtypes_of_integers(dtype):
    log = pd.DataFrame(LOG).astype({"day": dtype})
    X = sequences_from_frame(log, group="user", columns="day", order="day")
    assert X == [[1, 2, 3], [1, 4], [2]]
    _, days = sequences_from_frame(log, group="day", columns="day", return_groups=True)
    assert days.tolist() == [3, 1, 2, 4]


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]"])
def test_pandas_dtypes_of_booleans(dtype):
    log = pd.DataFrame(LOG).astype({"is_new": dtype})
    X = sequences_from_frame(log, group="is_new", columns="is_new")
    assert X == [[False] * 3, [True] * 3]
    X = sequences_from_frame(log, group="user", columns=["is_new", "price"])
    assert_same(X[1:2], [np.array([[1, 0.0], [0, 0.5]])])


@pytest.mark.parametrize("dtype", ["Float32", "float[pyarrow]"])
def test_pandas_dtypes_of_floats(dtype):
    log = pd.DataFrame({"u": [1, 1], "x": pd.array([1.5, None], dtype=dtype)})
    X = sequences_from_frame(log, group="u", columns="x")
    assert_same(X, [np.array([1.5, np.nan], dtype=np.float32)])


@pytest.mark.parametrize("as_tokens", [pl.Categorical, pl.Enum(["pay", "add"])])
def test_polars_categories(as_tokens):
    log = pl.DataFrame({"u": [0, 0], "x": pl.Series(["pay", "add"], dtype=as_tokens)})
    X, groups = sequences_from_frame(log, group="x", columns="x", return_groups=True)
    assert X == [["pay"], ["add"]]
    assert groups.tolist() == ["pay", "add"]


def test_pyarrow_dictionaries():
    events = pa.array(LOG["event"]).dictionary_encode()
    log = pa.table({"user": pa.array(LOG["user"]).dictionary_encode(), "event": events})
    X = sequences_from_frame(log, group="user", columns="event", order="event")
    assert X == [["add", "open", "pay"], ["leave", "open"], ["open"]]


def test_pyarrow_chunks():
    log = pa.concat_tables([pa.table(LOG), pa.table(LOG)])
    X = sequences_from_frame(log, group="user", columns="event")
    assert X[1:] == [["open", "leave"] * 2, ["open"] * 2]


def test_ordered_categories_sort_in_their_order():
    for categories in (["low", "mid", "high"], [3, 1, 2]):
        size = pd.Categorical(categories[::-1], categories=categories, ordered=True)
        log = pd.DataFrame({"u": [0, 0, 0], "size": size})
        X = sequences_from_frame(log, group="u", columns="size", order="size")
        assert X == [categories]
    sizes = pl.Series(["high", "low"], dtype=pl.Enum(["low", "high"]))
    log = pl.DataFrame({"u": [0, 0], "size": sizes})
    assert sequences_from_frame(log, group="u", columns="size", order="size") == [
        ["low", "high"]
    ]


@pytest.mark.parametrize("unit", ["ns", "us"])
@pytest.mark.parametrize("time_zone", [None, "Europe/Paris"])
def test_times_order_and_group(make, unit, time_zone):
    times = pa.array([3, 1, 2, 1], pa.timestamp(unit, time_zone))
    log = pa.table({"u": [0, 0, 0, 0], "when": times, "x": list("abcd")})
    if make is pd.DataFrame:
        log = log.to_pandas()
    elif make is pl.DataFrame:
        log = pl.from_arrow(log)
    X = sequences_from_frame(log, group="u", columns="x", order="when")
    assert X == [["b", "d", "c", "a"]]
    assert sequences_from_frame(log, group="when", columns="x") == [
        ["a"],
        ["b", "d"],
        ["c"],
    ]


def test_decimals_are_numbers():
    prices = [Decimal("1.5"), None]
    for log in (
        pl.DataFrame({"u": [0, 0], "x": prices}),
        pa.table({"u": [0, 0], "x": prices}),
    ):
        X = sequences_from_frame(log, group="u", columns="x")
        assert_same(X, [np.array([1.5, np.nan])])


def test_index_of_pandas_does_not_matter():
    log = pd.DataFrame(LOG, index=[0, 0, 7, 1, 1, 7])
    X = sequences_from_frame(log, group="user", columns="event", order="day")
    assert X == [["open", "add", "pay"], ["open", "leave"], ["open"]]


def test_index_of_names_is_a_list_of_names():
    log = pd.DataFrame(LOG)
    names = log.columns[[3, 1]]
    X = sequences_from_frame(log, group="user", columns=names)
    assert_same(X, sequences_from_frame(log, group="user", columns=["price", "day"]))


def test_narwhals_frame(make):
    log = narwhals.from_native(make(LOG))
    X = sequences_from_frame(log, group="user", columns="event")
    assert X == [["pay", "open", "add"], ["open", "leave"], ["open"]]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "é", ""]),
            st.integers(0, 2),
            st.integers(-2, 2),
            st.sampled_from(["x", "y"]),
        ),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from(list(LIBRARIES)),
    st.sampled_from([["g"], ["g", "h"], ["h", "g"]]),
    st.sampled_from([None, ["s"], ["t"], ["s", "t"], ["t", "s"]]),
)
def test_equals_plain_python(rows, library, group, order):
    records = [
        dict(zip("ghst", row, strict=True), step=i) for i, row in enumerate(rows)
    ]
    log = LIBRARIES[library]({name: [r[name] for r in records] for name in records[0]})
    ours, ours_groups = sequences_from_frame(
        log, group=group, columns="step", order=order, return_groups=True
    )
    expected = {}
    for record in records:
        key = tuple(record[name] for name in group)
        expected.setdefault(key, []).append(record)
    for members in expected.values():
        members.sort(key=lambda record: [record[name] for name in order or []])
    assert ours == [[r["step"] for r in members] for members in expected.values()]
    if len(group) == 1:
        ours_groups = [(value,) for value in ours_groups]
    assert ours_groups == list(expected)


def make_log(make, rng):
    """Users whose first event says what they are, in shuffled rows."""
    users = np.repeat(np.arange(40), 4)
    days = np.tile(np.arange(4), 40)
    events = rng.choice(["read", "write"], size=160)
    shuffled = rng.permutation(160)
    log = {"user": users, "day": days, "event": events, "price": rng.normal(size=160)}
    log = make({name: values[shuffled] for name, values in log.items()})
    return log, pd.Series(events[::4], index=users[::4])


def test_classifier_learns_from_tokens_of_a_log(make, rng):
    log, labels = make_log(make, rng)
    X, users = sequences_from_frame(
        log, group="user", columns="event", order="day", return_groups=True
    )
    y = labels.loc[users].to_numpy()
    classifier = RNNClassifier(nhidden=8, max_iter=100, random_state=0).fit(X, y)
    assert classifier.score(X, y) > 0.95


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_classifier_learns_from_mixed_records_of_a_log(library, rng):
    log, labels = make_log(LIBRARIES[library], rng)
    if library == "pandas":
        log = pd.get_dummies(log, columns=["event"])
    else:
        log = log.to_dummies("event")
    X, users = sequences_from_frame(
        log,
        group="user",
        columns=["price", "event_read", "event_write"],
        order="day",
        return_groups=True,
    )
    y = labels.loc[users].to_numpy()
    classifier = RNNClassifier(nhidden=8, max_iter=100, random_state=0).fit(X, y)
    assert classifier.score(X, y) > 0.95


def test_estimators_say_where_a_number_is_missing(make):
    log = make({"u": ["a", "b", "b"], "x": [1.0, 2.0, None]})
    X = sequences_from_frame(log, group="u", columns="x")
    with pytest.raises(ValueError, match=re.escape("X[1] contains NaN at step 1")):
        RNNEncoder().fit(X, [0, 1])


BAD_FRAMES = {
    "list": (
        [["a"]],
        TypeError,
        "df is of type list: a DataFrame of pandas or polars or a Table of pyarrow was "
        "expected. Convert it to one, with one row per step.",
    ),
    "Series": (
        pd.Series(["a"]),
        TypeError,
        "df is of type Series: a DataFrame of pandas or polars or a Table of pyarrow "
        "was expected. Convert it to one, with one row per step.",
    ),
    "lazy": (
        pl.LazyFrame(LOG),
        TypeError,
        "df is a LazyFrame, whose rows are yet to be computed: a DataFrame or Table "
        "was expected. Use df.collect().",
    ),
    "lazy in narwhals": (
        narwhals.from_native(pl.LazyFrame(LOG)),
        TypeError,
        "df is a LazyFrame, whose rows are yet to be computed: a DataFrame or Table "
        "was expected. Use df.collect().",
    ),
    "twins in pandas": (
        pd.DataFrame([["a", "b"]], columns=["user", "user"]),
        ValueError,
        "df has columns of the same name: every column needs a name of its own. Rename "
        "or drop them.",
    ),
    "twins in pyarrow": (
        pa.Table.from_arrays([pa.array(["a"])] * 2, names=["user", "user"]),
        ValueError,
        "df has columns of the same name: every column needs a name of its own. Rename "
        "or drop them.",
    ),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frame_raises(name):
    df, error, message = BAD_FRAMES[name]
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        sequences_from_frame(df, group="user", columns="event")


def test_empty_frame_raises(make):
    message = "df is empty: at least one row is needed."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        sequences_from_frame(make({"u": [], "x": []}), group="u", columns="x")


@pytest.mark.parametrize("parameter", ["group", "columns", "order"])
def test_unknown_column_raises(make, parameter):
    names = {"group": "u", "columns": "x", "order": "x", parameter: ["u", "user"]}
    message = (
        f"{parameter} names the column 'user', which df does not have. Pass one or "
        "more of ['u', 'x']."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        sequences_from_frame(make({"u": [1], "x": [1]}), **names)


@pytest.mark.parametrize("parameter", ["group", "columns", "order"])
def test_no_column_raises(make, parameter):
    names = {"group": "u", "columns": "x", "order": "x", parameter: []}
    message = (
        f"{parameter} names no column: at least one was expected. Pass one or more of "
        "['u', 'x']."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        sequences_from_frame(make({"u": [1], "x": [1]}), **names)


MISSING = {
    "group": "every row needs a group. Drop the row or fill in its group.",
    "order": "every row needs a place in the order. Drop the row or fill it in.",
    "columns": "every row needs a token. Drop the row or fill in a token that stands "
    "for missing ones.",
}


@pytest.mark.parametrize("parameter", MISSING)
@pytest.mark.parametrize("values", [["a", "b", None, None], [1, 2, None, 3]])
def test_missing_value_raises(make, parameter, values):
    if make is pd.DataFrame and isinstance(values[0], int):
        values = pd.array(values, dtype="Int64")
    log = make({"u": [1, 1, 2, 2], "x": ["a", "b", "c", "d"], "odd": values})
    names = {"group": "u", "columns": "x", "order": "x", parameter: "odd"}
    message = (
        "Column 'odd' of df has no value in row 2 (counted from 0): "
        + MISSING[parameter]
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        sequences_from_frame(log, **names)


@pytest.mark.parametrize("parameter", ["group", "order"])
@pytest.mark.parametrize("values", [[0.5, None], [0.5, np.nan], [pd.NaT, pd.NaT]])
def test_missing_number_or_time_raises(make, parameter, values):
    if values[0] is pd.NaT:
        values = np.array(["2020-01-01", "NaT"], dtype="datetime64[us]")
    log = make({"u": [1, 1], "odd": values, "x": ["a", "b"]})
    names = {"group": "u", "columns": "x", parameter: "odd"}
    message = (
        "Column 'odd' of df has no value in row 1 (counted from 0): "
        + MISSING[parameter]
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        sequences_from_frame(log, **names)


def test_missing_category_raises():
    log = pd.DataFrame({"u": [1, 1], "x": pd.Categorical(["a", None])})
    message = (
        "Column 'x' of df has no value in row 1 (counted from 0): " + MISSING["columns"]
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        sequences_from_frame(log, group="u", columns="x")


@pytest.mark.parametrize(
    "log, dtype",
    [
        (pd.DataFrame({"u": [1], "x": ["a"]}), "str"),
        (pd.DataFrame({"u": [1], "x": ["a"]}, dtype="category"), "category"),
        (pl.DataFrame({"u": [1], "x": ["a"]}), "String"),
        (pa.table({"u": [1], "x": ["a"]}), "string"),
    ],
)
def test_strings_in_a_list_of_columns_raise(log, dtype):
    message = (
        f"Column 'x' of dtype {dtype} is in a list of columns, which must hold numbers "
        "or booleans. Convert it to indicator columns first, by "
        "pandas.get_dummies(df, columns=['x']) or, in polars, df.to_dummies('x'); or "
        "pass columns='x' for lists of tokens."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        sequences_from_frame(log, group="u", columns=["x"])


@pytest.mark.parametrize("columns", ["when", ["u", "when"]])
@pytest.mark.parametrize(
    "values, dtype",
    [
        (np.array([1], dtype="datetime64[us]"), "timestamp[us]"),
        (np.array([1], dtype="timedelta64[us]"), "duration[us]"),
    ],
)
def test_times_raise(columns, values, dtype):
    message = (
        f"Column 'when' of dtype {dtype} holds times: numbers or tokens were expected. "
        "Convert it to numbers, such as seconds since the first step of the sequence "
        "or since the step before."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        log = pa.table({"u": [1], "when": values})
        sequences_from_frame(log, group="u", columns=columns)


BAD_COLUMNS = {
    "fractions among tokens": (
        {"columns": "odd"},
        ["a", 1.5],
        "Column 'odd' of dtype object has a value of type float: strings, categories, "
        "integers, booleans or a dtype of floats were expected. Convert it to one of "
        "them.",
    ),
    "lists as tokens": (
        {"columns": "odd"},
        [["a"], ["b"]],
        "Column 'odd' of dtype object has a value of type list: strings, categories, "
        "integers, booleans or a dtype of floats were expected. Convert it to one of "
        "them.",
    ),
    "objects in a list of columns": (
        {"columns": ["odd"]},
        ["a", 1.5],
        "Column 'odd' of dtype object is in a list of columns, which must hold numbers "
        "or booleans. Convert it to floats.",
    ),
    "lists as groups": (
        {"group": "odd"},
        [["a"], ["b"]],
        "Column 'odd' of dtype object cannot say which rows belong together: strings, "
        "numbers or times were expected. Convert it to strings.",
    ),
    "mixed order": (
        {"order": "odd"},
        ["a", 1],
        "Column 'odd' of dtype object cannot be sorted by: numbers, times or strings "
        "were expected, all of one type. Convert it to one of them.",
    ),
}


@pytest.mark.parametrize(
    "library, dtype",
    [("polars", "Struct({'a': Int64})"), ("pyarrow", "struct<a: int64>")],
)
def test_records_as_groups_raise(library, dtype):
    log = LIBRARIES[library]({"u": [{"a": 1}, {"a": 2}], "x": ["a", "b"]})
    message = (
        f"Column 'u' of dtype {dtype} cannot say which rows belong together: strings, "
        "numbers or times were expected. Convert it to strings."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        sequences_from_frame(log, group="u", columns="x")


@pytest.mark.parametrize("name", BAD_COLUMNS)
def test_bad_column_raises(name):
    names, values, message = BAD_COLUMNS[name]
    odd = pd.Series(values, dtype=object)
    log = pd.DataFrame({"u": [1, 1], "x": ["a", "b"], "odd": odd})
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        sequences_from_frame(log, **{"group": "u", "columns": "x", **names})


@pytest.mark.parametrize(
    "method, cure",
    [
        ("compute", "Use df.compute()."),
        ("df", "Use df.df()."),
        ("other", ""),
    ],
)
def test_how_to_compute_a_lazy_frame_depends_on_what_it_can(method, cure):
    lazy = type("Lazy", (), {method: None})()
    assert how_to_compute(lazy, "df") == cure
