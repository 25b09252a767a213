"""The same sequences in every container: equal vectors, bit for bit."""

import pickle
import re
import subprocess
import sys
from collections import UserList, deque
from functools import cache

import awkward as ak
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor, sequences_from_frame
from skrnn._reading.containers import open_container
from skrnn._reading.lists import read_sequences

SEQUENCES = {
    "text": ["été", "tea", "a😀\0b", "eat", "tee"],
    "tokens": [["man", "bites"], ["dog"], ["dög", "", "man"], ["dog", "man"], ["man"]],
    "integers": [[4, 17], [3], [17, 17, 4], [-1], [4, 3]],
    "series": [[0.5, 1.0], [2.0], [1.0, 0.25, 3.0], [-1.5], [0.0, 1.0]],
    "multivariate": [
        [[0.5, 1.0], [1.0, 2.0]],
        [[2.0, 0.0]],
        [[1.0, 0.25], [3.0, 1.0], [0.0, 1.5]],
        [[-1.5, 1.0]],
        [[0.0, 1.0], [4.0, 0.5]],
    ],
}
Y = [0, 1, 0, 1, 1]
FLAT = ("tokens", "integers", "series")
NESTED = (*FLAT, "multivariate")
ALL = tuple(SEQUENCES)

ARROW_ENTRY = {"tokens": pa.string(), "integers": pa.int64()}
POLARS_ENTRY = {"tokens": pl.String, "integers": pl.Int64}


def object_array(X):
    array = np.empty(len(X), dtype=object)
    array[:] = X
    return array


def arrow_type(kind, make=pa.list_):
    if kind == "text":
        return pa.string()
    if kind == "multivariate":
        return make(make(pa.float64()))
    return make(ARROW_ENTRY.get(kind, pa.float64()))


def of_arrow(make):
    """An array of lists that `make` makes the type of, sliced out of a longer one."""

    def container(X, kind):
        dtype = arrow_type(kind, make)
        return pa.array([X[0], *X, X[0]], dtype)[1:-1]

    return container


def chunked(X, kind):
    dtype = arrow_type(kind)
    return pa.chunked_array([X[:2], [], X[2:]], dtype)


def steps_of_one_width(X, kind):
    return pa.array(X, pa.list_(pa.list_(pa.float64(), 2)))


def arrow_series(X, kind):
    return pd.Series(X, dtype=pd.ArrowDtype(arrow_type(kind)))


def polars_series(X, kind):
    return pl.Series("x", X)


def polars_steps_of_one_width(X, kind):
    return pl.Series(X, dtype=pl.List(pl.Array(pl.Float64, 2)))


def polars_chunks(X, kind):
    return pl.concat([pl.Series(X[:2]), pl.Series(X[2:])], rechunk=False)


def awkward_option(X, kind):
    """A type that allows for what is missing, though nothing is."""
    return ak.Array([None, *X, None])[1:-1]


CONTAINERS = {
    "tuple": (lambda X, kind: tuple(X), ALL),
    "UserList": (lambda X, kind: UserList(X), ALL),
    "list of tuples": (lambda X, kind: list(map(tuple, X)), NESTED),
    "list of deques": (lambda X, kind: list(map(deque, X)), FLAT),
    "object array": (lambda X, kind: object_array(X), ALL),
    "object column": (lambda X, kind: object_array(X)[:, np.newaxis], ALL),
    "str array": (lambda X, kind: np.array([*X, "long"])[:-1], ("text",)),
    "StringDType": (lambda X, kind: np.array(X, np.dtypes.StringDType()), ("text",)),
    "list of arrays": (lambda X, kind: list(map(np.array, X)), NESTED),
    "list of object arrays": (
        lambda X, kind: [np.array(x, dtype=object) for x in X],
        NESTED,
    ),
    "list of tensors": (
        lambda X, kind: [torch.tensor(x, dtype=torch.float64) for x in X],
        ("series", "multivariate"),
    ),
    "list of integer tensors": (
        lambda X, kind: list(map(torch.tensor, X)),
        ("integers",),
    ),
    "nested tensor": (
        lambda X, kind: torch.nested.nested_tensor(
            [torch.tensor(x, dtype=torch.float64) for x in X], layout=torch.jagged
        ),
        ("series", "multivariate"),
    ),
    "pandas Series": (lambda X, kind: pd.Series(X, index=range(5, 10)), ALL),
    "pandas object Series": (lambda X, kind: pd.Series(X, dtype=object), ALL),
    "pandas Index": (lambda X, kind: pd.Index(X), ALL),
    "pandas frame": (lambda X, kind: pd.DataFrame({"x": X}), ALL),
    "pandas StringDtype": (lambda X, kind: pd.Series(X, dtype="string"), ("text",)),
    "pandas python strings": (
        lambda X, kind: pd.Series(X, dtype="string[python]"),
        ("text",),
    ),
    "pandas category": (lambda X, kind: pd.Series(X, dtype="category"), ("text",)),
    "pandas category frame": (
        lambda X, kind: pd.DataFrame({"x": pd.Categorical(X)}),
        ("text",),
    ),
    "pandas ArrowDtype": (arrow_series, ALL),
    "pandas ArrowDtype frame": (lambda X, k: arrow_series(X, k).to_frame("x"), ALL),
    "list of pandas Series": (lambda X, kind: list(map(pd.Series, X)), FLAT),
    "list of pandas arrow Series": (
        lambda X, kind: [pd.Series(x, dtype=pd.ArrowDtype(pa.int64())) for x in X],
        ("integers",),
    ),
    "list of pandas frames": (
        lambda X, kind: list(map(pd.DataFrame, X)),
        ("multivariate",),
    ),
    "Series of pandas Series": (
        lambda X, kind: pd.Series(list(map(pd.Series, X))),
        FLAT,
    ),
    "polars Series": (polars_series, ALL),
    "polars chunks": (polars_chunks, ALL),
    "polars frame": (lambda X, kind: polars_series(X, kind).to_frame(), ALL),
    "polars Categorical": (lambda X, k: pl.Series(X, dtype=pl.Categorical), ("text",)),
    "polars Enum": (lambda X, kind: pl.Series(X, dtype=pl.Enum(X)), ("text",)),
    "polars List of Array": (polars_steps_of_one_width, ("multivariate",)),
    "list of polars Series": (lambda X, kind: list(map(pl.Series, X)), NESTED),
    "list of polars frames": (
        lambda X, kind: [pl.DataFrame(x, orient="row") for x in X],
        ("multivariate",),
    ),
    "narwhals Series": (
        lambda X, kind: nw.from_native(polars_series(X, kind), series_only=True),
        ALL,
    ),
    "narwhals polars": (
        lambda X, kind: nw.from_native(polars_series(X, kind).to_frame()),
        ALL,
    ),
    "narwhals pandas": (lambda X, k: nw.from_native(pd.DataFrame({"x": X})), ALL),
    "list of narwhals Series": (
        lambda X, kind: [nw.from_native(pl.Series(x), series_only=True) for x in X],
        NESTED,
    ),
    "arrow": (of_arrow(pa.list_), ALL),
    "arrow large_list": (of_arrow(pa.large_list), NESTED),
    "arrow list_view": (of_arrow(pa.list_view), NESTED),
    "arrow steps of one width": (steps_of_one_width, ("multivariate",)),
    "arrow large_string": (lambda X, kind: pa.array(X, pa.large_string()), ("text",)),
    "arrow string_view": (lambda X, kind: pa.array(X, pa.string_view()), ("text",)),
    "arrow dictionary": (lambda X, kind: pa.array(X).dictionary_encode(), ("text",)),
    "arrow list of string_view": (
        lambda X, kind: pa.array(X, pa.list_(pa.string_view())),
        ("tokens",),
    ),
    "arrow list of dictionary": (
        lambda X, kind: pa.array(X, pa.list_(pa.dictionary(pa.int32(), pa.string()))),
        ("tokens",),
    ),
    "arrow decimals": (
        lambda X, kind: pa.array(X).cast(pa.list_(pa.decimal128(5, 2))),
        ("series",),
    ),
    "arrow chunks": (chunked, ALL),
    "arrow table": (lambda X, kind: pa.table({"x": chunked(X, kind)}), ALL),
    "arrow batch": (lambda X, kind: pa.record_batch({"x": pa.array(X)}), ALL),
    "list of arrow arrays": (lambda X, kind: list(map(pa.array, X)), NESTED),
    "list of arrow scalars": (lambda X, kind: list(pa.array(X)), ALL),
    "list of arrow tables": (
        lambda X, kind: [pa.table(list(zip(*x, strict=True)), ["a", "b"]) for x in X],
        ("multivariate",),
    ),
    "awkward": (lambda X, kind: ak.Array(X), ALL),
    "awkward slice": (lambda X, kind: ak.Array([X[0], *X])[1:], ALL),
    "awkward option": (awkward_option, ALL),
    "awkward permuted": (
        lambda X, kind: ak.Array(X[::-1])[np.arange(len(X))[::-1]],
        ALL,
    ),
    "awkward categories": (
        lambda X, kind: ak.str.to_categorical(ak.Array(X)),
        ("text", "tokens"),
    ),
    "awkward steps of one width": (
        lambda X, kind: ak.to_regular(ak.Array(X), axis=2),
        ("multivariate",),
    ),
    "list of awkward arrays": (lambda X, kind: list(ak.Array(X)), ALL),
}


@pytest.mark.parametrize(
    "container, kind",
    [(name, kind) for name, (_, kinds) in CONTAINERS.items() for kind in kinds],
)
def test_containers_give_the_codes_of_the_plain_list(container, kind):
    X = SEQUENCES[kind]
    contained = CONTAINERS[container][0](X, kind)
    encoder = RNNEncoder(nhidden=3, max_iter=2, random_state=0).fit(X, Y)
    expected = encoder.transform(X)
    assert_array_equal(encoder.transform(contained), expected)
    again = clone(encoder).fit(contained, Y)
    assert again.kind_ == encoder.kind_
    assert_array_equal(again.transform(contained), expected)
    assert_array_equal(again.transform(X), expected)


RECTANGULAR = {
    "array": np.array,
    "object array": lambda X: np.array(X, dtype=object),
    "tensor": torch.tensor,
    "tensor with gradient": lambda X: torch.tensor(X * 1.0, requires_grad=True),
    "awkward": ak.Array,
}
FRAMES = {
    "pandas": pd.DataFrame,
    "pandas Int64": lambda X: pd.DataFrame(X, dtype="Int64"),
    "pandas arrow": lambda X: pd.DataFrame(X, dtype=pd.ArrowDtype(pa.int64())),
    "polars": pl.DataFrame,
    "narwhals": lambda X: nw.from_native(pl.DataFrame(X)),
    "arrow": lambda X: pa.table(list(X.T), ["a", "b", "c"]),
    "arrow batch": lambda X: pa.record_batch(list(X.T), ["a", "b", "c"]),
}


@pytest.mark.parametrize("container", [*RECTANGULAR, *FRAMES])
def test_tables_of_integers_are_series(container):
    X = np.array([[1, 2, 3], [3, 2, 2], [5, 1, 0], [0, 0, 1], [9, 1, 1]])
    table = (RECTANGULAR | FRAMES)[container](X)
    encoder = RNNEncoder(nhidden=3, max_iter=2, random_state=0)
    expected = clone(encoder).fit_transform((X * 1.0).tolist(), Y)
    assert_array_equal(encoder.fit_transform(table, Y), expected)
    assert encoder.kind_ == "series" and encoder.n_features_in_ == 3
    # For a model of tokens they are tokens, as the rows themselves would be.
    tokens = RNNEncoder(nhidden=3, max_iter=2).fit(X.tolist(), Y)
    if "gradient" not in container:
        assert_array_equal(tokens.transform(table), tokens.transform(X.tolist()))


@pytest.mark.parametrize("container", FRAMES)
def test_a_table_of_one_column_is_series_of_one_step(container):
    columns = {"a": [1.0, 2.0, 3.0, 0.0, 5.0]}
    make = {
        "polars": pl.DataFrame,
        "narwhals": lambda X: nw.from_native(pl.DataFrame(X)),
    }
    make |= {"arrow": pa.table, "arrow batch": pa.record_batch}
    table = make.get(container, pd.DataFrame)(columns)
    encoder = RNNEncoder(nhidden=3, max_iter=2).fit(table, Y)
    assert encoder.n_features_in_ == 1
    if container != "arrow batch":
        assert list(encoder.feature_names_in_) == ["a"]


@pytest.mark.parametrize("container", RECTANGULAR)
def test_arrays_of_three_dimensions_are_series(container):
    X = np.arange(40).reshape(5, 4, 2) % 7
    encoder = RNNEncoder(nhidden=3, max_iter=2, random_state=0)
    expected = clone(encoder).fit_transform(list(X), Y)
    assert_array_equal(encoder.fit_transform(RECTANGULAR[container](X), Y), expected)


def test_series_of_one_length_in_a_column_are_what_their_entries_are():
    integers = [[1, 2], [3, 2], [2, 2]]
    for X in (
        pl.Series(integers, dtype=pl.Array(pl.Int64, 2)),
        pa.array(integers, pa.list_(pa.int64(), 2)),
        pa.array(integers),
        pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.int64(), [2]),
            pa.array(integers, pa.list_(pa.int64(), 2)),
        ),
        ak.Array(integers),
    ):
        assert RNNEncoder(nhidden=2, max_iter=1).fit(X, [0, 1, 0]).kind_ == "tokens"


def test_fixed_shape_tensors_keep_their_shape():
    storage = pa.array([[1, 2, 3, 4], [5, 6, 7, 8]], pa.list_(pa.int64(), 4))
    dtype = pa.fixed_shape_tensor(pa.int64(), [2, 2])
    X = pa.ExtensionArray.from_storage(dtype, storage)
    items = open_container(pa.chunked_array([X]))[0]
    assert_array_equal(items, [[[1, 2], [3, 4]], [[5, 6], [7, 8]]])


def test_other_extension_types_of_arrow_are_what_they_are_stored_as():
    X = pa.ExtensionArray.from_storage(pa.json_(), pa.array(["[1]", "[2]"]))
    assert open_container(X)[0] == ["[1]", "[2]"]


def test_tokens_of_strings_and_integers():
    X = [[1, "a"], ["b"]]
    assert open_container(ak.Array(X))[0] == X


def test_numbers_that_numpy_has_no_type_for():
    X = torch.tensor([[0.5, 1.0], [2.0, 0.0]], dtype=torch.bfloat16)
    assert_array_equal(open_container(X)[0], [[0.5, 1.0], [2.0, 0.0]])


INTEGERS_OF_128_BITS = {
    "column": lambda X, dtype: pl.Series(X, dtype=pl.List(dtype)),
    "column of arrays": lambda X, dtype: pl.Series(X, dtype=pl.Array(dtype, 3)),
    "one-column frame": lambda X, dtype: pl.DataFrame(
        {"x": pl.Series(X, dtype=pl.List(dtype))}
    ),
    "items": lambda X, dtype: [pl.Series(x, dtype=dtype) for x in X],
    "one-column items": lambda X, dtype: [
        pl.DataFrame({"x": pl.Series(x, dtype=dtype)}) for x in X
    ],
    "table": lambda X, dtype: pl.DataFrame(X, orient="row").cast(dtype),
    "items of two columns": lambda X, dtype: [
        pl.DataFrame({"x": x, "z": x}).cast(dtype) for x in X
    ],
}


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder, RNNRegressor])
@pytest.mark.parametrize("dtype", [pl.Int128, pl.UInt128])
@pytest.mark.parametrize("container", INTEGERS_OF_128_BITS)
def test_integers_of_128_bits_are_integers(container, dtype, make):
    X, wrap = [[3, 1, 2], [1, 1, 3]], INTEGERS_OF_128_BITS[container]
    model = make(nhidden=2, max_iter=1, random_state=0).fit(wrap(X, dtype), [0, 1])
    same = make(nhidden=2, max_iter=1, random_state=0).fit(wrap(X, pl.Int64), [0, 1])
    method = "transform" if make is RNNEncoder else "predict"
    assert model.kind_ == same.kind_
    ours, theirs = getattr(model, method), getattr(same, method)
    np.testing.assert_array_equal(ours(wrap(X, dtype)), theirs(wrap(X, pl.Int64)))


@pytest.mark.parametrize("container", ["table", "items of two columns"])
def test_tables_of_integers_beyond_64_bits_raise_a_sentence(container):
    X = INTEGERS_OF_128_BITS[container]([[2**70, 1, 2]] * 2, pl.Int128)
    where = "X" if container == "table" else "X[0]"
    columns = list(X.columns[:1]) if container == "table" else ["x", "z"]
    with pytest.raises(ValueError) as error:
        RNNClassifier().fit(X, [0, 1])
    assert str(error.value).startswith(
        f"{where} has integers that do not fit into 64 bits in one of the columns "
    )
    assert repr(columns)[:-1] in str(error.value)


@pytest.mark.parametrize("analyzer", ["token", "series"])
def test_lists_of_integers_beyond_64_bits_are_read(analyzer):
    X = pl.Series([[2**70, 2**70 + 1], [1]], dtype=pl.List(pl.Int128))
    model = RNNEncoder(2, max_iter=1, analyzer=analyzer).fit(X, [0, 1])
    if analyzer == "token":
        assert list(model.vocabulary_) == [1, 2**70, 2**70 + 1]


@pytest.mark.parametrize("dtype", [pl.Int128, pl.UInt128])
def test_targets_and_weights_of_128_bits_are_integers(dtype):
    y = pl.Series("y", [3, 1, 3, 1], dtype=dtype)
    X = ["ab", "ba"] * 2
    model = RNNClassifier(2, max_iter=1).fit(X, y, y)
    assert model.classes_.tolist() == [1, 3] and model.classes_.dtype == np.int64
    RNNRegressor(2, max_iter=1).fit(X, pl.DataFrame({"a": y, "b": y}), y)


def test_numbers_of_arrow_are_not_copied():
    X = pa.array([[0.5, 1.0], [2.0]])
    flat = X.flatten().to_numpy()
    assert all(np.shares_memory(item, flat) for item in open_container(X)[0])


@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 4)])
@pytest.mark.parametrize(
    "kind, type_", [("text", "strings"), ("tokens", "token lists")]
)
def test_numbers_are_not_taken_for_another_kind(kind, type_, shape):
    encoder = RNNEncoder(nhidden=2, max_iter=1).fit(SEQUENCES[kind], Y)
    X = np.zeros(shape)
    sentence = f"X holds sequences of numbers, but RNNEncoder was fitted on {type_}"
    with pytest.raises(TypeError, match=sentence):
        encoder.transform(X)
    # Asked for outright, each row is named.
    with pytest.raises(TypeError, match=r"^X\[0\] (is an array|has a float at step 0)"):
        read_sequences(open_container(X, kind)[0], kind)


def test_channels_before_steps_are_transposed(rng):
    # aeon and sktime: "numpy3D" is (n_cases, n_channels, n_timepoints).
    X = rng.normal(size=(5, 2, 4))
    cases = [[[case[c][t] for c in range(2)] for t in range(4)] for case in X]
    encoder = RNNEncoder(nhidden=3, max_iter=2, random_state=0).fit(cases, Y)
    assert_array_equal(
        encoder.transform(X.transpose(0, 2, 1)), encoder.transform(cases)
    )


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("selector", ["x", ["x"]])
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_column_transformer(make, selector, kind):
    frame = make({"x": SEQUENCES[kind], "n": [1.0, 2.0, 3.0, 4.0, 5.0]})
    encoder = RNNEncoder(nhidden=3, max_iter=2, random_state=0)
    columns = ColumnTransformer([("x", encoder, selector), ("n", "passthrough", ["n"])])
    expected = clone(encoder).fit_transform(SEQUENCES[kind], Y)
    ours = columns.fit_transform(frame, Y)
    assert_array_equal(ours[:, :-1], expected)
    assert_array_equal(columns.transform(frame), ours)


def test_bagging_takes_no_list():
    # The user guide says so. Should it take lists one day, that sentence can go.
    classifier = RNNClassifier(nhidden=3, max_iter=2, random_state=0)
    bagging = BaggingClassifier(classifier, n_estimators=2, random_state=0)
    for kind in ALL:
        with pytest.raises(ValueError):
            bagging.fit(SEQUENCES[kind] * 3, Y * 3)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_bagging_on_a_column(make, kind):
    frame = make({"x": SEQUENCES[kind] * 3})
    classifier = RNNClassifier(nhidden=3, max_iter=2, random_state=0)
    bagging = BaggingClassifier(classifier, n_estimators=2, random_state=0)
    column = object_array(SEQUENCES[kind] * 3)[:, np.newaxis]
    expected = clone(bagging).fit(column, Y * 3).predict_proba(column)
    ours = bagging.fit(frame, Y * 3)
    assert (
        ours.estimators_[0].kind_
        == RNNEncoder(2, max_iter=1).fit(SEQUENCES[kind], Y).kind_
    )
    assert_array_equal(ours.predict_proba(frame), expected)


NAMED_FRAMES = {
    "pandas": lambda x: pd.DataFrame(x, columns=["a", "b"]),
    "polars": lambda x: pl.DataFrame(x, ["a", "b"], orient="row"),
    "narwhals": lambda x: nw.from_native(NAMED_FRAMES["polars"](x)),
    "arrow": lambda x: pa.table(list(zip(*x, strict=True)), ["a", "b"]),
    "arrow batch": lambda x: pa.record_batch(
        [pa.array(column) for column in zip(*x, strict=True)], ["a", "b"]
    ),
    "numbers as names": lambda x: pd.DataFrame(x, columns=[102, 101]),
    "two levels": lambda x: pd.DataFrame(
        x, columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])
    ),
    "objects": lambda x: pd.DataFrame(x, columns=["a", "b"], dtype=object),
    "called as an attribute": lambda x: pd.DataFrame(x, columns=["column_names", "b"]),
}


def with_columns_swapped(frame):
    if isinstance(frame, pd.DataFrame):
        return frame.iloc[:, ::-1]
    if isinstance(frame, (pa.Table, pa.RecordBatch)):
        return frame.select(["b", "a"])
    return frame.select("b", "a")


@pytest.mark.parametrize("wrap", [list, pd.Series, object_array])
@pytest.mark.parametrize("library", NAMED_FRAMES)
def test_frames_in_a_list_go_by_the_names_of_their_columns(library, wrap):
    X = SEQUENCES["multivariate"]
    frames = list(map(NAMED_FRAMES[library], X))
    swapped = list(map(with_columns_swapped, frames))
    encoder = RNNEncoder(nhidden=3, max_iter=2, random_state=0)
    expected = clone(encoder).fit_transform(X, Y)
    mixed = wrap([frames[0], *swapped[1:]])
    assert_array_equal(encoder.fit_transform(mixed, Y), expected)
    for each in (frames, swapped, mixed):
        assert_array_equal(encoder.transform(each), expected)
    # What has no names goes by position.
    assert_array_equal(encoder.transform(X), expected)
    assert_array_equal(encoder.transform(list(map(pd.DataFrame, X))), expected)


def test_a_classifier_and_its_encoder_know_the_columns_of_fit():
    frames = list(map(NAMED_FRAMES["pandas"], SEQUENCES["multivariate"]))
    swapped = list(map(with_columns_swapped, frames))
    classifier = RNNClassifier(nhidden=3, max_iter=2, random_state=0).fit(frames, Y)
    for fitted in (classifier, pickle.loads(pickle.dumps(classifier))):
        ours = fitted.predict_proba(swapped)
        assert_array_equal(ours, classifier.predict_proba(frames))
        codes = fitted.encoder_.transform(swapped)
        assert_array_equal(codes, classifier.encoder_.transform(frames))
    # Another fit forgets them.
    renamed = [frame.rename(columns={"b": "c"}) for frame in frames]
    assert len(classifier.fit(renamed, Y).predict(renamed)) == len(Y)


def test_numbered_columns_go_by_position_unless_out_of_order():
    X = SEQUENCES["multivariate"]
    expected = RNNEncoder(3, max_iter=2, random_state=0).fit_transform(X, Y)
    numbered = list(map(pd.DataFrame, X))
    named = NAMED_FRAMES["pandas"](X[1])
    for frames in (
        [numbered[0], named, *numbered[2:]],
        [numbered[0], *map(with_columns_swapped, numbered[1:])],
        [with_columns_swapped(numbered[0]), *numbered[1:]],
    ):
        encoder = RNNEncoder(3, max_iter=2, random_state=0)
        assert_array_equal(encoder.fit_transform(frames, Y), expected)
        assert_array_equal(encoder.transform(numbered), expected)


def test_what_an_analyzer_returns_is_read_as_what_is_passed():
    frames = list(map(NAMED_FRAMES["polars"], SEQUENCES["multivariate"]))
    seen = []

    def look_up(i):
        seen.append(type(i))
        return frames[i]

    encoder = RNNEncoder(2, analyzer=look_up, max_iter=2, random_state=0)
    expected = RNNEncoder(2, max_iter=2, random_state=0).fit_transform(frames, Y)
    places = list(range(len(frames)))
    assert_array_equal(encoder.fit_transform(places, Y), expected)
    frames = list(map(with_columns_swapped, frames))
    assert_array_equal(encoder.transform(places), expected)
    assert set(seen) == {int}


def test_an_analyzer_gets_the_items_of_a_list_as_they_are():
    frames = list(map(NAMED_FRAMES["pandas"], SEQUENCES["multivariate"]))
    seen = []
    encoder = RNNEncoder(2, analyzer=lambda x: seen.append(x) or x, max_iter=1)
    encoder.fit(frames, Y)
    assert all(x is frame for x, frame in zip(seen, frames, strict=True))


LIBRARIES = ["pandas", "polars", "pyarrow", "awkward", "narwhals"]
FIT = "skrnn.RNNEncoder(2, max_iter=1).fit_transform({X}, [0, 1])"
WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name in {names}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Without())
"""


@cache
def loaded_after(code):
    """Which of the libraries a new interpreter has loaded after running the code."""
    code += f"\nimport sys; print(*(m for m in {LIBRARIES} if m in sys.modules))"
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "fit", ["", *(FIT.format(X=X) for X in (["a", "b"], [[1], [2]], [[0.5], [1.5]]))]
)
def test_no_library_is_imported_that_scikit_learn_does_not_import(fit):
    theirs = loaded_after("import sklearn.base")
    assert "polars" not in theirs and "awkward" not in theirs
    ours = loaded_after(f"import skrnn; {fit}")
    if fit:  # numba loads the packages that extend it
        ours = ours.replace("awkward ", "")
    assert ours == theirs


def test_no_library_is_needed_that_scikit_learn_does_not_need():
    # But for awkward: numba warns of an extension that is installed and does not load.
    without = WITHOUT.format(names=LIBRARIES[:3])
    loaded = loaded_after(f"{without}\nimport skrnn; {FIT.format(X=['a', 'b'])}")
    # A requirement of scikit-learn, and what numba loads.
    assert loaded.replace("awkward", "").split() == ["narwhals"]


PANEL = pd.DataFrame(
    {"a": np.arange(12.0), "b": np.ones(12)},
    index=pd.MultiIndex.from_product([range(4), range(3)], names=["id", "time"]),
)
WIDE = PANEL.unstack()
TABLE = WIDE.set_axis([*"abcdef"], axis=1)
ROWS = (
    "X is a table of numbers whose index has several levels. If its rows are steps, "
    "use sequences_from_frame(X.reset_index(), group=..., columns=...); if each row is "
    "a series, use X.reset_index(drop=True)."
)
COLUMN = (
    "X is a column of numbers whose index has several levels. Use "
    "sequences_from_frame(X.reset_index(), group=..., columns=...) for one sequence "
    "per group."
)
LABELS = (
    "X is a table of numbers whose columns have labels of several levels, such as a "
    "feature and a step. If the last level is the step, use {}; if each row is a "
    "series of one feature, use {}."
)
STACK = (
    "sequences_from_frame(X.stack(future_stack=True).reset_index(), group=..., "
    "columns=...)"
)
LOG = "sequences_from_frame, with one row per step"


def index_in(names, drop):
    return (
        f"X is a table of numbers whose columns {names} were the index of a pandas "
        "frame. If its rows are steps, use sequences_from_frame(X, group=..., "
        f"columns=...); if each row is a series, use X.{drop}."
    )


def as_narwhals(X):
    return nw.from_native(X, allow_series=True)


LEVELS = ["__index_level_0__", "__index_level_1__"]
IN_ARROW = index_in(["id", "time"], "drop_columns(['id', 'time'])")
# Frames, the sentence, and the columns that cannot be read as steps.
PANELS = {
    "pandas": (PANEL, ROWS),
    "nullable types": (PANEL.convert_dtypes(), ROWS),
    "narwhals": (as_narwhals(PANEL), ROWS),
    "one column": (PANEL[["a"]], ROWS),
    "arrow": (pa.Table.from_pandas(PANEL), IN_ARROW),
    "arrow batch": (pa.RecordBatch.from_pandas(PANEL), IN_ARROW),
    "arrow in narwhals": (as_narwhals(pa.Table.from_pandas(PANEL)), IN_ARROW),
    "arrow without names": (
        pa.Table.from_pandas(PANEL.rename_axis([None, None])),
        index_in(LEVELS, f"drop_columns({LEVELS})"),
    ),
    "polars by arrow": (
        pl.from_arrow(pa.Table.from_pandas(PANEL.rename_axis([None, None]))),
        index_in(LEVELS, f"drop({LEVELS})"),
    ),
    "pandas by arrow": (
        pa.Table.from_pandas(PANEL.rename_axis([None, None])).to_pandas(
            ignore_metadata=True
        ),
        index_in(LEVELS, f"drop(columns={LEVELS})"),
    ),
    "a selection in arrow": (
        pa.Table.from_pandas(TABLE.rename_axis(None).iloc[[0, 3, 1]]),
        index_in(LEVELS[:1], f"drop_columns({LEVELS[:1]})"),
    ),
    "a named index in arrow": (
        pa.Table.from_pandas(TABLE.iloc[[0, 3, 1]]),
        index_in(["id"], "drop_columns(['id'])"),
    ),
    "a column": (PANEL["a"], COLUMN),
    "a column of nullable type": (PANEL["a"].convert_dtypes(), COLUMN),
    "a column of arrow": (PANEL["a"].astype("double[pyarrow]"), COLUMN),
    "a column of objects": (PANEL["a"].astype(object), COLUMN),
    "a column in narwhals": (as_narwhals(PANEL["a"]), COLUMN),
    "unstacked": (WIDE, LABELS.format(STACK, "X.to_numpy()")),
    "unstacked in arrow": (
        pa.Table.from_pandas(WIDE, preserve_index=False),
        LABELS.format(LOG, "np.asarray(X)"),
    ),
    "unstacked in polars": (
        pl.from_pandas(WIDE),
        LABELS.format(LOG, "X.to_numpy()"),
    ),
}


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder, RNNRegressor])
@pytest.mark.parametrize("method", ["fit", "partial_fit", "predict"])
@pytest.mark.parametrize("case", PANELS)
def test_a_panel_is_no_table_of_series(case, method, make):
    X, sentence = PANELS[case]
    model, args = make(max_iter=1), (X, np.arange(len(X)) % 2)
    if method == "predict":
        model.fit(np.eye(8), np.arange(8) % 2)
        method, args = "transform" if make is RNNEncoder else "predict", (X,)
    elif method == "partial_fit" and make is RNNClassifier:
        args = (*args, [0, 1])
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        getattr(model, method)(*args)


CURED = {
    "rows are steps": lambda: PANEL.reset_index(),
    "arrow": lambda: pa.Table.from_pandas(PANEL),
    "unstacked": lambda: WIDE.stack(future_stack=True).reset_index(),
    "a column": lambda: PANEL["a"].reset_index().assign(b=1.0),
}


@pytest.mark.parametrize("case", CURED)
def test_panels_are_sequences_as_the_errors_say(case):
    X = sequences_from_frame(CURED[case](), group="id", columns=["a", "b"])
    assert_array_equal(X, PANEL.to_numpy().reshape(4, 3, 2))


def test_tables_are_series_as_the_errors_say():
    expected = RNNEncoder(2, max_iter=1, random_state=0)
    expected = expected.fit_transform(TABLE.to_numpy(), [0, 1, 0, 1])
    arrow = pa.Table.from_pandas(TABLE.set_axis([2, 0, 3, 1]).rename_axis("id"))
    for X in (
        WIDE.to_numpy(),
        np.asarray(pa.Table.from_pandas(WIDE, preserve_index=False)),
        arrow.drop_columns(["id"]),
        arrow.to_pandas(),
        TABLE,
        pl.from_pandas(TABLE),
        pa.Table.from_pandas(TABLE.reset_index(drop=True)),
    ):
        model = RNNEncoder(2, max_iter=1, random_state=0)
        assert_array_equal(model.fit_transform(X, [0, 1, 0, 1]), expected)


@pytest.mark.parametrize(
    "library, drop",
    [(lambda x: x, "drop_columns"), (pl.from_arrow, "drop")],
)
def test_the_index_of_items_is_no_feature(library, drop):
    frames = [
        x.droplevel(0).iloc[[2, 0, 1]].rename_axis(None) for _, x in PANEL.groupby("id")
    ]
    X = [library(pa.Table.from_pandas(frame)) for frame in frames]
    sentence = (
        f"X[0] is a frame whose columns {LEVELS[:1]} were the index of a pandas frame, "
        f"and would be features. Use [x.{drop}({LEVELS[:1]}) for x in X], or reset the "
        "index if it is a feature."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier(2, max_iter=1).fit(X, [0, 1, 0, 1])
    X = [getattr(x, drop)(LEVELS[:1]) for x in X]
    ours = RNNClassifier(2, max_iter=1, random_state=0).fit(X, [0, 1, 0, 1])
    assert_array_equal(ours.predict_proba(frames), ours.predict_proba(X))


def test_a_column_of_sequences_may_have_any_index():
    index = pd.MultiIndex.from_product([range(2), range(2)])
    X = pd.DataFrame({"name": ["ab", "ba", "abb", "b"]}, index=index)
    assert RNNEncoder(4, max_iter=1).fit(X, [0, 1, 0, 1]).kind_ == "text"
