"""Whatever a user can pass, at random: it is read rightly, or a sentence says why not.

    python tests/fuzz.py                    # 20,000 examples, in seven minutes
    python tests/fuzz.py --examples 500 -k sentence --hypothesis-seed=1
    pytest tests/fuzz.py                    # some of it; SKRNN_FUZZ sets the number

It also runs fuzz_writers.py. pytest does not collect these files by itself: what they
find gets a test of its own.
"""

import argparse
import datetime
import decimal
import os
import re
import subprocess
import sys
import time
import warnings
from collections import Counter, UserList, deque
from fractions import Fraction
from pathlib import Path

import awkward as ak
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from reading import encode_as_fitted
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer

from skrnn import RNNEncoder
from skrnn._core import ngrams, vocabulary
from skrnn._core.counts import GramCounts, learn_vocabulary
from skrnn._messages import is_missing
from skrnn._reading.lists import read_sequences
from skrnn._reading.text import read_text

# Of failing examples that are long to print.
SAYS_LITTLE = ".* holds? nothing but (missing values|integers that are not in)"
pytestmark = [
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning"),
    pytest.mark.filterwarnings(f"ignore:{SAYS_LITTLE}"),
]
N_EXAMPLES = int(os.environ.get("SKRNN_FUZZ", "20000"))


def examples(share):
    """Settings of a property that has this share of all examples."""
    return settings(
        max_examples=max(1, round(share * N_EXAMPLES)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


# Lone surrogates, marks, right-to-left, beyond the basic plane, spaces, NUL, and what
# grows or changes its length in lower case or without accents.
ODD = "\0 \t\n\xa0\u2028\u200d\u202e\u0301\ud800\udfffaéßİıŉאب中\U0001f600\U0010ffff"
anything = st.characters(exclude_categories=())
texts = st.one_of(
    st.text("ab ", max_size=6),
    st.text(ODD, max_size=6),
    st.text(anything, max_size=6),
)
whole_numbers = st.one_of(
    st.integers(-2, 4),
    st.integers(),
    st.sampled_from([2**31, 2**63, -(2**63), 2**64, 10**400]),
    st.booleans(),
    st.sampled_from([np.int8(3), np.uint64(2**64 - 1), np.bool_(True), np.int64(-1)]),
)
good_tokens = st.one_of(
    st.sampled_from("ab"), texts, texts.map(np.str_), whole_numbers, st.integers(0, 3)
)
reals = st.one_of(
    st.floats(-10, 10),
    st.floats(-1e4, 1e4, width=16).map(np.float16),
    st.floats(width=32).map(np.float32),
    st.floats(),
    st.integers(-3, 3),
    st.fractions(-9, 9, max_denominator=99),
    st.sampled_from(
        [
            *(5e-324, -5e-324, 1e-300, 1e38, 3.4e38, 1e308, np.inf, np.nan, None),
            *(
                True,
                np.True_,
                2**70,
                10**400,
                Fraction(10**400),
                np.longdouble("1e4000"),
            ),
            *(np.nextafter(0, 1, dtype=np.float32), pd.NA, decimal.Decimal("1.5")),
        ]
    ),
)
small = st.floats(-100, 100)
usual = st.floats(0.001, 100) | st.floats(-100, -0.001) | st.just(0.0)


def recursive_list():
    inner = []
    inner.append(inner)
    return inner


class Broken(Exception):
    """What an object that is no array raises, when asked for one: it is passed on."""


class Odd:
    """It has the methods of an array, and none of them works."""

    dtype = shape = ndim = None

    def __array__(self, *args, **kwargs):
        raise Broken("no array")

    def __len__(self):
        return 3


WRONG = [
    *(None, np.nan, pd.NA, pd.NaT, b"ab", bytearray(b"ab"), 1j, np.complex64(1j)),
    *(datetime.date(2026, 1, 1), datetime.timedelta(1), np.datetime64("2026")),
    *(np.timedelta64(1, "s"), decimal.Decimal("NaN"), decimal.Decimal("sNaN")),
    *(object(), {}, {"a": 1}, {1, 2}, frozenset("a"), Ellipsis, len, int, 3, 0.5),
    *(range(3), memoryview(b"ab"), recursive_list()),
    *(np.array(0.5), np.array("a"), np.array(None), np.zeros((2, 0)), Odd()),
    *(np.zeros(2, [("a", "f8")]), np.zeros(1, [("a", "f8")])[0], pd.Interval(0, 1)),
    *(np.ma.masked_array([1.0, 2.0], [True, False]), np.ma.masked),
    *(scipy.sparse.eye(2), scipy.sparse.coo_array([[1.0]]), pa.scalar("a")),
    *(pa.scalar([1.0]), pa.scalar(None), pl.Series([]), pl.DataFrame(), slice(1)),
    *(pd.Series([], dtype=float), pd.DataFrame(), pd.Series([pd.Period("2026")])),
    *(torch.tensor(1.0), torch.ones(2, dtype=torch.complex64), torch.zeros(0)),
    *(torch.ones(2, requires_grad=True), torch.ones(2, device="meta")),
    *(torch.ones(2).to(torch.float8_e4m3fn), torch.ones(2, dtype=torch.bfloat16)),
    torch.eye(2).to_sparse(),
    *(ak.Array([]), ak.Array([{"a": 1}]), ak.Array([1, "a"]), ak.Array([None])),
    *(pl.LazyFrame({"a": ["b"]}), nw.from_native(pl.DataFrame({"a": ["b"]}))),
    *("", "a", [], [[]], [[], []], [None], [b"a"], ["a", 1.5], [0.5, "a"]),
    *(["a", ["b"]], [[1, 2], [3]], [0.5, [1.0]], [[[1.0]]], [[["a"]]], [{}], [1j]),
    *([[0.5], [[1.0]]], [[0.5], None], [None, [0.5]], [[0.5, "a"]]),
    *([pd.Series([0.5])], [np.ones(2), 0.5]),
    *([np.datetime64("2026"), 0.5], [0.5, np.timedelta64(1, "s")], [[0.5, {}]]),
    *([0.5, recursive_list()], [0.5, np.zeros(1, [("a", "f8")])[0]], [0.5, Odd()]),
    *(np.array([["a", 1.0]], dtype=object), np.array([[1j]], dtype=object)),
    *(np.array([[10**400, 1]], dtype=object), np.array([[{}, 1]], dtype=object)),
]
iterators = st.builds(iter, st.just("ab")) | st.builds(map, st.just(str), st.just("ab"))
wrong = st.integers(0, len(WRONG) - 1).map(WRONG.__getitem__) | iterators
nonsense = st.recursive(
    st.one_of(wrong, texts, reals, whole_numbers),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(texts, inner, max_size=2),
    ),
    max_leaves=6,
)
numpy_arrays = nps.arrays(
    dtype=st.one_of(
        nps.boolean_dtypes(),
        nps.integer_dtypes(),
        nps.unsigned_integer_dtypes(),
        nps.floating_dtypes(),
        nps.complex_number_dtypes(),
        nps.byte_string_dtypes(max_len=3),
        nps.unicode_string_dtypes(max_len=3),
        nps.datetime64_dtypes(),
        nps.timedelta64_dtypes(),
    ),
    shape=nps.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
)


def lists(steps, least=1, most=4):
    return st.lists(steps, min_size=least, max_size=most)


@st.composite
def series_items(draw, numbers=reals, least=0):
    """Rows of one width, in some sequences or some steps by chance of another."""
    width = draw(st.integers(0 if least == 0 else 1, 3))
    if width == 0:
        return draw(lists(lists(lists(numbers, 0, 3), 0)))
    rows = st.lists(numbers, min_size=width, max_size=width)
    return draw(lists(lists(rows, least)))


def as_arrays(X):
    try:
        return [np.array(item) for item in X]
    except (ValueError, OverflowError):
        return X


def of_dtype(X_and_dtype):
    X, dtype = X_and_dtype
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [np.array(item).astype(dtype) for item in X]


good_series = st.one_of(lists(lists(small)), series_items(small, 1))
dtypes = st.sampled_from(["f2", "f4", "f8", "g", "i1", "u8", "?", ">f8", ">i4", "O"])
feature_sets = st.one_of(
    st.dictionaries(texts, st.one_of(texts, st.booleans(), st.just(1.0)), max_size=3),
    *(st.lists(texts, min_size=1, max_size=3).map(kind) for kind in (list, tuple, set)),
)
good_items = st.one_of(
    lists(lists(feature_sets)),
    lists(texts.filter(len)),
    lists(lists(good_tokens)),
    lists(lists(st.sampled_from("abc"))),
    lists(lists(st.integers(0, 3))),
    good_series,
    st.tuples(good_series, dtypes).map(of_dtype),
)
plain_X = st.one_of(
    good_items,
    good_items,
    lists(texts, 0),
    lists(lists(good_tokens, 0), 0),
    lists(lists(st.one_of(feature_sets, good_tokens), 0), 0),
    lists(lists(reals, 0), 0),
    series_items(),
    series_items().map(as_arrays),
    lists(lists(reals)).map(as_arrays),
    lists(numpy_arrays, 0, 3),
    lists(st.one_of(wrong, texts, lists(good_tokens), lists(reals)), 0),
    lists(nonsense, 0, 3),
    st.builds(lambda X, odd: [*X, odd], good_items, st.one_of(wrong, nonsense)),
)


def in_frames(X, makers):
    """Frames of named columns, in some order, of the sequences that have features."""
    frames = []
    for x, (library, order) in zip(X, makers, strict=False):
        x = np.array(x, dtype=float)
        names = [f"x{i}" for i in order if i < x.shape[1]]
        frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])[names]
        frames.append(FRAMES[library](frame))
    return frames


FRAMES = {
    "pandas": lambda frame: frame,
    "objects": lambda frame: frame.astype(object),
    "polars": pl.from_pandas,
    "narwhals": nw.from_native,
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
}
makers = st.tuples(st.sampled_from(list(FRAMES)), st.permutations(range(3)))
in_some_order = st.lists(makers, min_size=4, max_size=4)


def object_array(X):
    array = np.empty(len(X), dtype=object)
    for i, item in enumerate(X):
        array[i] = item
    return array


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "UserList": UserList,
    "deques": lambda X: deque(map(deque, X)),
    "object array": object_array,
    "object column": lambda X: object_array(X)[:, np.newaxis],
    "object table": lambda X: np.array(X, dtype=object),
    "array": np.array,
    "StringDType": lambda X: np.array(X, np.dtypes.StringDType()),
    "masked array": lambda X: np.ma.masked_array(X, np.array(X) == np.array(X)[:1]),
    "masked items": lambda X: [np.ma.masked_array(x, np.array(x) == x[-1]) for x in X],
    "masked rows": lambda X: [list(np.ma.masked_invalid(x)) for x in X],
    "named frames": lambda X: [pd.DataFrame(x).rename(columns=str) for x in X],
    "longdouble": lambda X: np.array(X, np.longdouble),
    "Series": pd.Series,
    "object Series": lambda X: pd.Series(list(X), dtype=object),
    "category": lambda X: pd.Series(X, dtype="category"),
    "Series of Series": lambda X: pd.Series([pd.Series(x) for x in X]),
    "column": lambda X: pd.DataFrame({"x": list(X)}),
    "frame": pd.DataFrame,
    "named frame": lambda X: pd.DataFrame(X).rename(columns=str),
    "nullable frame": lambda X: pd.DataFrame(X).convert_dtypes(),
    "wide": lambda X: pd.DataFrame({"x": list(X), "y": list(X)}),
    "polars": pl.Series,
    "polars loose": lambda X: pl.Series("x", X, strict=False),
    "polars object": lambda X: pl.Series("x", X, dtype=pl.Object),
    "polars frame": lambda X: pl.DataFrame({"x": X}),
    "polars table": lambda X: pl.DataFrame(X, orient="row"),
    "narwhals": lambda X: nw.from_native(pl.DataFrame({"x": X})),
    "arrow": pa.array,
    "arrow large": lambda X: pa.array(X, pa.large_list(pa.float32())),
    "arrow view": lambda X: pa.array(X, pa.list_view(pa.float64())),
    "arrow half": lambda X: pa.array(X, pa.list_(pa.float16())),
    "arrow fixed": lambda X: pa.array(X, pa.list_(pa.float64(), 2)),
    "arrow dictionary": lambda X: pa.array(X).dictionary_encode(),
    "arrow run ends": lambda X: pa.compute.run_end_encode(pa.array(X)),
    "arrow chunks": lambda X: pa.chunked_array([pa.array(X[:1]), pa.array(X[1:])]),
    "arrow table": lambda X: pa.table({"x": X}),
    "arrow pandas": lambda X: pd.Series(X, dtype=pd.ArrowDtype(pa.array(X).type)),
    "awkward": ak.Array,
    "awkward regular": lambda X: ak.to_regular(ak.Array(X), axis=None),
    "tensor": torch.tensor,
    "tensors": lambda X: list(map(torch.tensor, X)),
    "half tensors": lambda X: [torch.tensor(x, dtype=torch.bfloat16) for x in X],
    "nested tensor": lambda X: torch.nested.nested_tensor(list(map(torch.tensor, X))),
    "generator": iter,
    "set": set,
    "dict": lambda X: dict(enumerate(X)),
    "one of them": lambda X: X[0],
}


def is_plain(X):
    if isinstance(X, (list, tuple)):
        return all(entry is not X and is_plain(entry) for entry in X)
    is_array = isinstance(X, np.ndarray) and X.dtype.kind in "biufU"
    return X is None or is_array or type(X) in (str, int, float, bool)


def contained(X, name):
    """X in a container, or in a list if the container does not take it."""
    if name.startswith(("polars", "narwhals", "arrow")) and not is_plain(X):
        return X  # their constructors may crash the process
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return CONTAINERS[name](X)
        except (Exception, pl.exceptions.PanicException):
            return X


any_X = st.one_of(
    plain_X,
    st.builds(contained, plain_X, st.sampled_from(list(CONTAINERS))),
    st.builds(contained, good_items, st.sampled_from(list(CONTAINERS))),
    wrong,
)


class Mine(Exception):
    """What a user's own function raises."""


def raising(item):
    raise Mine("mine")


def changing():
    """A function that gives each of its results but once."""
    results = iter(["ab", ["a"], [0.5], None, 3])
    return lambda item: next(results, "a")


analyzers = st.one_of(
    st.sampled_from(["char", "word", "token", "series", "auto"]),
    st.sampled_from(
        [list, str, repr, len, lambda x: x, lambda x: x[::-1], lambda x: [x, "a"]]
    ),
    st.sampled_from([str.split, lambda x: None, lambda x: [], raising, np.array, set]),
    st.builds(changing),
    nonsense.map(lambda result: lambda item: result),
    wrong,
)
ngram_ranges = st.one_of(
    st.tuples(st.integers(1, 3), st.integers(0, 2)).map(lambda ab: (ab[0], sum(ab))),
    st.sampled_from(
        [[1, 2], (0, 1), (2, 1), (1,), (1, 2, 3), (1.0, 2.0), ("a", "b"), (True, True)]
    ),
    st.sampled_from([(1, 10**9), (np.int64(1), np.int64(2)), (1, 10**30), None, "12"]),
    wrong,
)
grams = st.one_of(
    good_tokens,
    st.text("ab ", max_size=3),
    st.tuples(good_tokens, good_tokens),
    st.lists(good_tokens, max_size=3).map(tuple),
)
vocabularies = st.one_of(
    lists(good_tokens),
    lists(grams),
    lists(grams).map(set),
    lists(grams).map(tuple),
    st.dictionaries(grams, st.integers(0, 9), max_size=4),
    st.dictionaries(grams, nonsense, max_size=3),
    lists(st.one_of(grams, nonsense), 0),
    texts,
    lists(texts).map(np.array),
    lists(texts).map(lambda tokens: pd.Series(tokens, dtype=object)),
    wrong,
)
vectors = st.one_of(
    st.lists(small, min_size=2, max_size=2),
    st.lists(reals, min_size=2, max_size=2),
)
embeddings = st.one_of(
    st.fixed_dictionaries({"a": vectors, 1: vectors}, optional={"b": vectors}),
    st.dictionaries(grams, vectors, min_size=1, max_size=4),
    lists(st.one_of(good_tokens, grams)).map(
        lambda tokens: (tokens, np.ones((len(tokens), 2)))
    ),
    st.tuples(vocabularies, lists(vectors, 0)),
    st.tuples(vocabularies, numpy_arrays),
    st.tuples(vocabularies, nonsense),
    st.dictionaries(grams, nonsense, max_size=3),
    lists(nonsense, 0),
    wrong,
)
PARAMETERS = {
    "analyzer": analyzers,
    "lowercase": st.one_of(st.booleans(), wrong),
    "strip_accents": st.one_of(
        st.sampled_from(["ascii", "unicode", None]),
        st.sampled_from([raising, str.strip, len, list, lambda x: "", lambda x: None]),
        wrong,
    ),
    "token_pattern": st.one_of(
        st.sampled_from(
            [r"\w+", ".", "(a)b?", "(a)(b)", "", "a*", ".+", r"\S+", "(?i)A", "(?<!a)b"]
        ),
        st.sampled_from(["(", "[", "*", "a{2", "(?P<x>a)", r"\1", "(?P<x", "\\"]),
        texts,
        wrong,
    ),
    "ngram_range": ngram_ranges,
    "subwords": st.one_of(st.sampled_from([True, False, "auto"]), wrong),
    "min_df": st.one_of(
        st.integers(-1, 4), st.floats(-1, 2), st.integers(1, 2).map(np.int64), wrong
    ),
    "max_features": st.one_of(st.integers(-1, 9), st.just(10**30), wrong),
    "vocabulary": vocabularies,
    "embeddings": embeddings,
    "freeze_embeddings": st.one_of(st.booleans(), wrong),
    "standardize": st.one_of(st.sampled_from([True, False, "auto", "series"]), wrong),
    "missing": st.one_of(st.sampled_from(["mask", "error"]), wrong),
    "max_length": st.one_of(st.integers(-1, 5), st.just(10**30), wrong),
    "overlong": st.one_of(st.sampled_from(["first", "last", "error"]), wrong),
}


# scikit-learn's Interval cannot compare durations, which NumPy derives from integers.
for name in ("min_df", "max_features", "max_length"):
    PARAMETERS[name] = PARAMETERS[name].filter(
        lambda value: not isinstance(value, np.timedelta64)
    )


@st.composite
def parameters(draw):
    """A few parameters, so that it is not always the same one that is wrong."""
    names = draw(st.lists(st.sampled_from(list(PARAMETERS)), max_size=3, unique=True))
    return {name: draw(PARAMETERS[name]) for name in names}


# Of scikit-learn's own sentences, those that have no full stop.
KNOWN = re.compile(
    r"(In the validation data: )?"
    r"Found input variables with inconsistent numbers of samples: \[\d+, \d+\]"
    r"|(In the validation data: )?Complex data not supported\n.*"
    r"|The feature names should match those that were passed during fit\.\n.*",
    re.DOTALL,
)


def outcome(function, *args):
    """The result, or None if a sentence said why there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", ".*(is without effect: X|have upper case)")
        warnings.filterwarnings("ignore", SAYS_LITTLE)
        # scikit-learn's, of frames in fit or transform and arrays in the other.
        warnings.filterwarnings("ignore", "X (does not have valid|has) feature names")
        # scikit-learn's, of one column.
        warnings.filterwarnings("ignore", "A column-vector y was passed")
        # What is learned in one epoch need not end, and other y may have other tokens.
        warnings.filterwarnings("ignore", ".* had no end after .* cut")
        warnings.filterwarnings("ignore", ".* of y are not in vocabulary_")
        warnings.filterwarnings("ignore", ".* would suffice for the other")
        warnings.filterwarnings("ignore", ".* but they look like measurements")
        # NumPy's, of np.ma.masked among floats; it is then NaN and treated as such.
        warnings.filterwarnings("ignore", "Warning: converting a masked element to nan")
        try:
            return function(*args)
        except Broken:
            return None
        except Exception as error:
            if any("raised this" in note for note in getattr(error, "__notes__", ())):
                return None  # the user's own error, and where it was
            if not isinstance(error, (TypeError, ValueError)):
                raise
            message = str(error)
            is_sentence = message.endswith(".") and len(message) >= 20
            if not (is_sentence or KNOWN.fullmatch(message)):
                raise
            return None


def length(X):
    try:
        if torch.is_tensor(X):  # nested ones have no len()
            return X.size(0)
        return X.shape[0] if scipy.sparse.issparse(X) else len(X)
    except Exception:
        return 1


def labels(n_samples):
    return [i % 2 for i in range(n_samples)]


@examples(0.5)
@given(any_X, any_X, parameters())
def test_a_sentence_or_a_result(X, other, params):
    encoder = RNNEncoder(nhidden=2, max_iter=1, random_state=0, **params)
    if outcome(encoder.fit, X, labels(length(X))) is None:
        assert vars(encoder).keys() == encoder.get_params().keys()
        return
    for each in (X, other):
        h = outcome(encoder.transform, each)
        if h is not None:
            assert h.shape == (length(each), 2)
            assert np.isfinite(h).all()
        # What fit took is taken again, unless the user's own function changed its mind.
        assert h is not None or each is other or callable(params.get("analyzer"))


# What y may be; the head that learns it takes as much of other sequences.
TARGETS = {
    "labels": labels,
    "strings": lambda n: ["ab"[i % 2] for i in range(n)],
    "objects": lambda n: np.array(["ab"[i % 2] for i in range(n)], dtype=object),
    "booleans": lambda n: np.arange(n) % 2 == 0,
    "several labels": lambda n: np.eye(2, dtype=int)[np.arange(n) % 2],
    "numbers": lambda n: np.arange(n) + 0.5,
    "several numbers": lambda n: np.arange(2.0 * n).reshape(n, 2) + 0.25,
    "nothing": lambda n: None,
}
any_y = st.one_of(
    st.lists(st.sampled_from([0, 1, 2, 0.5, True, "a", "c", None]), max_size=4),
    st.lists(st.one_of(reals, texts, whole_numbers), max_size=4),
    st.builds(contained, lists(small), st.sampled_from(list(CONTAINERS))),
    st.builds(contained, lists(texts), st.sampled_from(list(CONTAINERS))),
    numpy_arrays,
    nonsense,
    wrong,
)


@examples(0.2)
@given(any_X, any_X, st.sampled_from(list(TARGETS)), any_y | st.none(), parameters())
def test_validation_data_are_read_as_in_transform(X, X_val, kind, y_val, params):
    y = TARGETS[kind](length(X))
    encoder = RNNEncoder(nhidden=2, max_iter=1, random_state=0, **params)
    assume(outcome(encoder.fit, X, y) is not None)
    h = outcome(encoder.transform, X_val)
    # R^2 of a single sequence is undefined, and the last step has no next one.
    is_of_kind = y_val is None and ("number" not in kind or length(X_val) > 1)
    is_of_kind = is_of_kind and kind != "nothing"
    if y_val is None:
        y_val = TARGETS[kind](length(X_val))
    other = RNNEncoder(**encoder.get_params()).set_params(early_stopping=True)

    def fit():
        try:
            return other.fit(X, y, X_val=X_val, y_val=y_val)
        except (TypeError, ValueError) as error:
            notes = getattr(error, "__notes__", [])
            assert re.search("_val|validation", str(error)) or notes, error
            raise

    if outcome(fit) is None:
        assert vars(other).keys() == other.get_params().keys()
        assert h is None or not is_of_kind or callable(params.get("analyzer"))
        return
    assert len(other.validation_scores_) == 1
    assert h is not None or callable(params.get("analyzer"))


def fitted(X, **params):
    encoder = RNNEncoder(nhidden=2, max_iter=1, random_state=0, **params)
    return encoder.fit(X, labels(len(X)))


def encoded(encoder, X):
    """Ids or numbers, a sequence at a time."""
    steps = encode_as_fitted(encoder, X)
    return np.split(steps.values, steps.offsets[1:-1])


WORD = r"\w+|[^\w\s]"
with_words = texts.filter(re.compile(WORD).search)


@examples(0.1)
@given(
    st.one_of(
        st.tuples(st.just("char"), lists(texts.filter(len))),
        st.tuples(st.just("word"), lists(with_words)),
        st.tuples(st.just("token"), lists(lists(good_tokens))),
        st.tuples(st.just("token"), lists(lists(good_tokens).map(object_array))),
    )
)
def test_encoding_and_decoding_give_the_steps_back(analyzer_and_X):
    analyzer, X = analyzer_and_X
    encoder = fitted(X, analyzer=analyzer, ngram_range=(1, 1), subwords=False)
    token_of = {i: token for token, i in encoder.vocabulary_.items()}
    assert sorted(token_of) == list(range(1, len(token_of) + 1))
    steps = re.compile(WORD).findall if analyzer == "word" else list
    for item, ids in zip(X, encoded(encoder, X), strict=True):
        assert [token_of[i] for i in ids.tolist()] == steps(item)


def random_vectors(n_dimensions):
    rng = np.random.default_rng(0)
    return {letter: rng.normal(size=n_dimensions) for letter in "abc"}


letters = st.text("abc é\U0001f600", max_size=8)
some_numbers = st.lists(st.one_of(small, st.just(np.nan)), min_size=1, max_size=6)
batches = st.one_of(
    st.tuples(lists(letters, 1, 8), st.just({})),
    st.tuples(lists(letters, 1, 8), st.just({"ngram_range": (1, 3)})),
    st.tuples(
        lists(letters, 1, 8).filter(lambda X: "a" in X[0]),
        st.fixed_dictionaries(
            {"embeddings": st.sampled_from([2, 3, 50]).map(random_vectors)},
            optional={
                "ngram_range": st.just((1, 2)),
                "freeze_embeddings": st.just(True),
            },
        ),
    ),
    st.tuples(
        lists(letters, 1, 8),
        st.just({"analyzer": "word", "ngram_range": (1, 2)}),
    ),
    st.tuples(
        lists(lists(good_tokens, 0, 6), 1, 8),
        st.sampled_from([{"ngram_range": (1, 2)}, {"subwords": True}]),
    ),
    st.tuples(lists(some_numbers, 1, 8), st.just({"missing": "mask"})),
    st.tuples(
        st.integers(1, 3).flatmap(
            lambda width: lists(
                lists(st.lists(small, min_size=width, max_size=width), 1, 6), 1, 8
            )
        ),
        st.fixed_dictionaries({"missing": st.sampled_from(["mask", "error"])}),
    ),
)
architectures = st.fixed_dictionaries(
    {"nhidden": st.sampled_from([1, 2, 5, 16, 33, (3, 2)])},
    optional={
        "cell": st.sampled_from(["rnn", "gru", "lstm"]),
        "bidirectional": st.just(True),
        "pooling": st.sampled_from(["last", "mean", "max", "concat", "sum"]),
    },
)


@examples(0.1)
@given(batches, architectures, st.integers(1, 8))
def test_a_vector_does_not_depend_on_batch_mates(batch, architecture, n_fitted):
    X, params = batch
    encoder = RNNEncoder(max_iter=1, random_state=0, **architecture, **params)
    # Not if nothing but empty sequences comes first.
    assume(outcome(encoder.fit, X[:n_fitted], labels(len(X[:n_fitted]))) is not None)
    h = outcome(encoder.transform, X)
    assume(h is not None)  # too far from the mean in fit
    for i, item in enumerate(X):
        alone = outcome(encoder.transform, [item])
        # Strings are refused where only integers are known, if no mate is known.
        if alone is not None or encoder.kind_ != "tokens":
            np.testing.assert_array_equal(alone[0], h[i])
    np.testing.assert_array_equal(encoder.transform(X[::-1])[::-1], h)


ranges = st.tuples(st.integers(1, 3), st.integers(0, 2)).map(
    lambda ab: (ab[0], sum(ab))
)
least_numbers = st.one_of(st.integers(1, 3), st.floats(0, 1))
most_numbers = st.one_of(st.none(), st.integers(1, 6))
few = st.sampled_from(["a", "b", 1, 2])
kinds_and_X = st.one_of(
    st.tuples(st.just("text"), lists(st.text("ab\U0001f600"), 1, 6)),
    st.tuples(st.just("text"), lists(texts, 1, 6)),
    st.tuples(st.just("words"), lists(st.text("ab "))),
    st.tuples(st.just("tokens"), lists(lists(few, 0, 8), 1, 6)),
    st.tuples(st.just("tokens"), lists(lists(good_tokens, 0, 8), 1, 6)),
)


def read(kind, X):
    if kind == "tokens":
        return read_sequences(X, "tokens")
    return read_text(
        X, kind, lowercase=False, strip_accents=None, token_pattern=r"\w+|[^\w\s]"
    )


def reference_gram(steps, kind):
    if kind == "text" or len(steps) == 1:
        return "".join(steps) if kind == "text" else steps[0]
    return " ".join(steps) if kind == "words" else tuple(steps)


@examples(0.1)
@given(kinds_and_X, kinds_and_X, ranges, least_numbers, most_numbers)
def test_ids_of_n_grams_equal_those_of_a_loop(known, others, ab, min_df, most):
    kind, X = known
    other_kind, more = others
    learned = learn_vocabulary(read(kind, X), ab, min_df, most)
    assume(learned)
    assert sorted(learned.values()) == list(range(1, len(learned) + 1))
    encoder = None if ab == (1, 1) else vocabulary.make_gram_table(learned, kind)
    for each in [X, more] if kind == other_kind else [X]:
        ids, keys = vocabulary.find_ids(read(kind, each), learned, ab, encoder)
        expected = []
        for item in each:
            steps = re.findall(WORD, item) if kind == "words" else list(item)
            for t in range(len(steps)):
                found = [
                    learned.get(reference_gram(steps[t + 1 - n : t + 1], kind), 0)
                    if n <= t + 1
                    else len(learned) + 1
                    for n in range(ab[0], ab[1] + 1)
                ]
                expected.append(found[0] if ab == (1, 1) else found)
        assert ids.tolist() == expected
        assert len(keys) == len(ids)


@examples(0.1)
@given(st.data(), ranges, least_numbers, most_numbers)
def test_n_grams_are_those_of_count_vectorizer(data, ab, min_df, most):
    kind = data.draw(st.sampled_from(["text", "words"]))
    strings = st.one_of(st.text("ab " if kind == "words" else "ab"), texts)
    # CountVectorizer makes one space of several.
    X = data.draw(lists(strings.map(lambda x: re.sub(r"\s\s+", " ", x)), 1, 8))
    sequences = read(kind, X)
    theirs = CountVectorizer(
        analyzer="char" if kind == "text" else "word",
        token_pattern=None if kind == "text" else WORD,
        lowercase=False,
        ngram_range=ab,
        min_df=min_df,
    )
    try:
        counts = np.asarray(theirs.fit_transform(X).sum(axis=0))[0]
    except ValueError as error:
        assert re.match("After pruning, no|empty voc|max_df corr", str(error))
        assert learn_vocabulary(sequences, ab, min_df) == {}
        return
    expected = {gram: counts[i] for gram, i in theirs.vocabulary_.items()}
    ours = learn_vocabulary(sequences, ab, min_df)
    assert ours.keys() == expected.keys()
    tokens = GramCounts.of(sequences).tokens
    code_of = {token: code for code, token in enumerate(tokens)}
    codes = vocabulary._look_up_tokens(sequences, code_of, -1)
    found = ngrams.count_grams(codes, sequences.offsets, ab[1])
    n_times = {
        vocabulary._join([tokens[code] for code in gram], kind): n
        for parts, n_each, _ in found
        for gram, n in zip(parts.tolist(), n_each.tolist(), strict=True)
    }
    assert {gram: n_times[gram] for gram in expected} == expected
    if most is not None:
        # Of grams that occur equally often, which ones are kept is left open there.
        kept = learn_vocabulary(sequences, ab, min_df, most)
        assert Counter(expected[gram] for gram in kept) == Counter(
            sorted(expected.values(), reverse=True)[:most]
        )


@examples(0.05)
@given(series_items(small, 1), in_some_order, in_some_order)
def test_frames_go_by_the_names_of_their_columns(X, makers, others):
    assume(len({len(x[0]) for x in X}) == 1)
    X = [np.array(x) for x in X]
    first = [i for i in makers[0][1] if i < X[0].shape[1]]
    encoder = fitted([x[:, first] for x in X])
    expected = encoder.transform([x[:, first] for x in X])
    named = fitted(in_frames(X, makers))
    np.testing.assert_array_equal(named.transform(in_frames(X, makers)), expected)
    np.testing.assert_array_equal(named.transform(in_frames(X, others)), expected)
    np.testing.assert_array_equal(named.transform([x[:, first] for x in X]), expected)


gaps = st.one_of(small, st.sampled_from([np.nan, None, 0.0]))


@examples(0.05)
@given(
    st.integers(1, 3).flatmap(
        lambda width: lists(
            lists(st.lists(gaps, min_size=width, max_size=width), 1, 6), 1, 6
        )
    ),
    st.booleans(),
)
def test_masked_numbers_are_filled_forward(X, standardize):
    params = {"analyzer": "series", "missing": "mask", "differences": 0}
    encoder = fitted(X, **params, standardize=standardize)
    masked = [np.ma.masked_invalid(np.array(item, dtype=float)) for item in X]
    for ours, theirs in zip(encoded(encoder, masked), encoded(encoder, X), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for item, rows in zip(X, encoded(encoder, X), strict=True):
        last = [0.0] * len(item[0])
        for step, entries in enumerate(item):
            is_gone = [is_missing(entry) for entry in entries]
            for feature, entry in enumerate(entries):
                if not is_gone[feature]:
                    mean, scale = encoder.mean_[feature], encoder.scale_[feature]
                    last[feature] = np.float32((entry - mean) / scale)
            assert rows[step].tolist() == [*map(float, last), *map(float, is_gone)]


@examples(0.05)
@given(
    lists(lists(st.sampled_from(["a", "b", "c", 0, 1]), 1, 5), 1, 5),
    st.dictionaries(
        st.sampled_from(["a", "b", "d", 0, 2]),
        st.lists(usual, min_size=3, max_size=3),
        min_size=1,
    ),
    st.booleans(),
    st.booleans(),
)
def test_frozen_vectors_are_those_given(X, given_vectors, as_pair, with_grams):
    assume(any(token in x for x in X for token in given_vectors))
    pair = (list(given_vectors), np.array(list(given_vectors.values())))
    encoder = fitted(
        X,
        analyzer="token",
        embeddings=pair if as_pair else given_vectors,
        freeze_embeddings=True,
        ngram_range=(1, 2) if with_grams else (1, 1),
    )
    for token, vector in given_vectors.items():
        row = encoder.embeddings_[encoder.vocabulary_[token]]
        np.testing.assert_array_equal(row, np.array(vector, dtype=np.float32))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--examples", default="20000", help="of all properties together"
    )
    arguments, others = parser.parse_known_args()
    os.environ["SKRNN_FUZZ"] = arguments.examples
    start = time.perf_counter()
    files = __file__, str(Path(__file__).with_name("fuzz_writers.py"))
    status = subprocess.call([sys.executable, "-m", "pytest", *files, *others])
    minutes = (time.perf_counter() - start) / 60
    print(f"{arguments.examples} examples in {minutes:.1f} min")
    return status


if __name__ == "__main__":
    sys.exit(main())
