"""Whole error sentences: where, what, what was expected, and the cure."""

import datetime
import re
from decimal import Decimal
from enum import Enum
from fractions import Fraction

import awkward as ak
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor, sequences_from_frame
from skrnn._messages import describe

SERIES = [np.zeros((2, 5)), np.ones((3, 5))]

CUT = (
    "If this is padding, cut it off: "
    "X = [x[: len(x) - np.isnan(np.asarray(x, float)[::-1]).argmin()] for x in X]."
)
BAD_X = {
    "one string": (
        "katze",
        ValueError,
        "Iterable over sequences expected, string object received. Use [X] to pass one "
        "sequence.",
    ),
    "empty list": (
        [],
        ValueError,
        "X is empty: at least one sequence is needed.",
    ),
    "empty series": (
        [np.zeros(3), np.zeros(0)],
        ValueError,
        "X[1] is empty: a series needs at least one step. Drop it, or fill in "
        "a step that stands for nothing.",
    ),
    "ragged feature counts": (
        [*[np.zeros((2, 5))] * 17, np.zeros((2, 3))],
        ValueError,
        "X[17] has 3 features, but X[0] has 5: all sequences must have the same number "
        "of features.",
    ),
    "ragged steps": (
        [[[1.0, 2.0], [3.0]]],
        ValueError,
        "X[0] has steps of unequal numbers of features: a sequence must have shape "
        "(n_steps,) or (n_steps, n_features).",
    ),
    "too deep": (
        [np.zeros((2, 3, 4))],
        ValueError,
        "X[0] has 3 dimensions: a sequence must have shape (n_steps,) or (n_steps, "
        "n_features).",
    ),
    "NaN": (
        [[0.0, 1.0], [0.0, 2.0, np.nan]],
        ValueError,
        "X[1] contains NaN at step 2, and from there to the end: all numbers must be "
        f"finite. {CUT} Otherwise impute the missing steps, or use missing='mask'.",
    ),
    "infinity": (
        [np.zeros((2, 2)), np.array([[0.0, 1.0], [0.0, -np.inf]])],
        ValueError,
        "X[1] contains infinity (inf) at step 1 in feature 1: all numbers must be "
        "finite. Impute these steps or leave them out.",
    ),
    "NaN in a table": (
        np.array([[0.0, 1.0, 3.0], [0.0, np.nan, 2.0]]),
        ValueError,
        "X[1] contains NaN at step 1: all numbers must be finite. Impute the missing "
        "steps, or use missing='mask'.",
    ),
    "None among strings": (
        ["cat", None],
        TypeError,
        "X[1] is None, but X[0] is a string: all sequences must be of one kind. Drop "
        "or fill it.",
    ),
    "None first": (
        [None, "cat"],
        TypeError,
        "X[0] is None: a sequence is a string, a list of tokens (strings or integers), "
        "a list of floats or a numeric array of shape (n_steps,) or (n_steps, "
        "n_features). Drop or fill it.",
    ),
    "missing among strings of a Series": (
        pd.Series(["cat", None, "dog"]),
        TypeError,
        "X[1] is NaN (missing), but X[0] is a string: all sequences must be of one "
        "kind. Drop or fill it.",
    ),
    "None among tokens": (
        [["a"], ["b", None]],
        TypeError,
        "X[1] has None at step 1: tokens must be strings or integers. Drop or fill it.",
    ),
    "float among tokens": (
        [["a", 2], [3, 4.5]],
        TypeError,
        "X[1] has a float at step 1: tokens must be strings or integers. Drop or "
        "convert it.",
    ),
    "string among token lists": (
        [["a"], "b"],
        TypeError,
        "X[1] is a string, but X[0] is a list of tokens: all sequences must be of one "
        "kind. Drop or convert it.",
    ),
    "string among numbers": (
        [[1.0], "b"],
        TypeError,
        "X[1] is a string, but X[0] is a sequence of numbers: all sequences must be of "
        "one kind. Drop or convert it.",
    ),
    "strings inside numbers": (
        [[1.0], [2.0, "b"]],
        TypeError,
        "X[1] has a string at step 1: a sequence of numbers must hold nothing else. "
        "Drop or convert it.",
    ),
    "a list of None": (
        [[None], [1.0]],
        TypeError,
        "X[0] starts with None: a sequence is a string, a list of tokens (strings or "
        "integers), a list of floats or a numeric array of shape (n_steps,) or "
        "(n_steps, n_features). Drop or fill it.",
    ),
    "one array of numbers": (
        np.array([1.0, 2.0]),
        ValueError,
        "X is one sequence of numbers: a list of sequences or an array of shape "
        "(n_samples, n_steps) was expected. Reshape your data to (1, n_steps), or use "
        "[X], to pass one sequence.",
    ),
    "too many dimensions": (
        np.zeros((2, 2, 2, 2)),
        ValueError,
        "X has 4 dimensions: an array of shape (n_samples, n_steps) or (n_samples, "
        "n_steps, n_features), or a list of sequences was expected. Reshape it.",
    ),
    "dates": (
        np.array([["2020-01-01"]], dtype="datetime64[D]"),
        TypeError,
        "X is of dtype datetime64[D]: strings, tokens or numbers were expected. "
        "Convert times to numbers, such as seconds since the first step.",
    ),
    "masked": (
        np.ma.masked_array([[1.0, 2.0]], mask=[[True, False]]),
        TypeError,
        "X is a masked array, whose mask would be lost: impute the masked steps, use "
        "missing='mask' if they are numbers, or pass a list of sequences that leaves "
        "them out.",
    ),
    "missing in a string Series": (
        pd.Series(["a", pd.NA], dtype="string"),
        TypeError,
        "X[1] is <NA> (missing), but X[0] is a string: all sequences must be of one "
        "kind. Drop or fill it.",
    ),
    "a list of numbers": (
        [1.0, 2.0],
        TypeError,
        "X[0] is a float: a sequence is a string, a list of tokens (strings or "
        "integers), a list of floats or a numeric array of shape (n_steps,) or "
        "(n_steps, n_features). Use [X] to pass one sequence.",
    ),
    "bytes": (
        [b"cat"],
        TypeError,
        "X[0] is bytes, not a string: a sequence is a string, a list of tokens "
        "(strings or integers), a list of floats or a numeric array of shape "
        "(n_steps,) or (n_steps, n_features). Decode it, as in x.decode().",
    ),
    "too large a number": (
        [[0.0, 1.0], [1e200]],
        ValueError,
        "X[1] contains 1e+200 at step 0, which is too large for float32. Use a larger "
        "unit.",
    ),
    "two columns of text": (
        pd.DataFrame({"name": ["ab"], "town": ["cd"]}),
        TypeError,
        "X is a frame of 2 columns that are not all numbers: one column of sequences "
        "or a table of numbers was expected. Pass one column, or use "
        "sequences_from_frame if each row is a step.",
    ),
    "records": (
        np.array([(1, 2.0)], dtype=[("a", "i8"), ("b", "f8")]),
        TypeError,
        "X is a record array of dtype [('a', '<i8'), ('b', '<f8')]: strings, token "
        "lists or plain numbers were expected. Pass one field of it, such as X['a'].",
    ),
    "array of bytes": (
        np.array([b"cat"]),
        TypeError,
        "X[0] is bytes, not a string: a sequence is a string, a list of tokens "
        "(strings or integers), a list of floats or a numeric array of shape "
        "(n_steps,) or (n_steps, n_features). Decode it, as in x.decode().",
    ),
    "dict": (
        {"a": 1},
        TypeError,
        "X is of type dict: a list, tuple, array or column of sequences was expected. "
        "Use list(X.values()) if those are the sequences.",
    ),
    "generator": (
        (word for word in ["cat"]),
        TypeError,
        "X is of type generator: a list, tuple, array or column of sequences was "
        "expected. It can be read only once: use list(X).",
    ),
    "no steps": (
        np.zeros((3, 0, 2)),
        ValueError,
        "X has shape (3, 0, 2): at least one sequence, one step and one feature are "
        "needed.",
    ),
}


@pytest.mark.parametrize("Estimator", [RNNEncoder, RNNClassifier])
@pytest.mark.parametrize("case", BAD_X)
def test_bad_X_raises_a_sentence(Estimator, case):
    X, error, sentence = BAD_X[case]
    n_samples = len(X) if hasattr(X, "__len__") else 1
    with pytest.raises(error, match=f"^{re.escape(sentence)}$"):
        Estimator().fit(X, [0] * n_samples)


KINDS = (
    "a sequence is a string, a list of tokens (strings or integers), a list of floats "
    "or a numeric array of shape (n_steps,) or (n_steps, n_features)."
)
ONE_KIND = "all sequences must be of one kind."
DATE = datetime.date(2026, 1, 1)


def in_columns(entries):
    """A column of each library."""
    return {
        "polars": pl.Series("x", entries),
        "polars frame": pl.DataFrame({"x": entries}),
        "narwhals": nw.from_native(pl.DataFrame({"x": entries})),
        "arrow": pa.array(entries),
        "arrow chunks": pa.chunked_array([pa.array(entries)]),
        "arrow table": pa.table({"x": entries}),
        "pandas arrow": pd.Series(entries, dtype=pd.ArrowDtype(pa.array(entries).type)),
        "awkward": ak.Array(entries),
    }


# In a column of any library: entries, error and sentence.
BAD_COLUMNS = {
    "missing string": (
        ["cat", None],
        TypeError,
        f"X[1] is None, but X[0] is a string: {ONE_KIND} Drop or fill it.",
    ),
    "missing string first": (
        [None, "cat"],
        TypeError,
        f"X[0] is None: {KINDS} Drop or fill it.",
    ),
    "missing token list": (
        [["a"], None],
        TypeError,
        f"X[1] is None, but X[0] is a list of tokens: {ONE_KIND} Drop or fill it.",
    ),
    "missing series": (
        [[0.5], None],
        TypeError,
        f"X[1] is None, but X[0] is a sequence of numbers: {ONE_KIND} Drop or fill it.",
    ),
    "missing token": (
        [["a"], ["b", None]],
        TypeError,
        "X[1] has None at step 1: tokens must be strings or integers. Drop or fill it.",
    ),
    "missing integer": (
        [[1], [2, None]],
        TypeError,
        "X[1] has None at step 1: tokens must be strings or integers. Drop or fill it.",
    ),
    "missing number": (
        [[0.5], [1.5, None]],
        ValueError,
        "X[1] contains NaN at step 1, and from there to the end: all numbers must be "
        f"finite. {CUT} Otherwise impute the missing steps, or use missing='mask'.",
    ),
    "missing feature": (
        [[[0.5, 1.0]], [[1.5, None]]],
        ValueError,
        "X[1] contains NaN at step 0 in feature 1: all numbers must be finite. Impute "
        "the missing steps, or use missing='mask'.",
    ),
    "missing step": (
        [[[0.5, 1.0]], [[1.5, 1.0], None]],
        TypeError,
        "X[1] has None at step 1: a sequence of numbers must hold nothing else. Impute "
        "it, or use missing='mask'.",
    ),
    "ragged steps": (
        [[[0.5, 1.0]], [[1.5], [1.0, 2.0]]],
        ValueError,
        "X[1] has steps of unequal numbers of features: a sequence must have shape "
        "(n_steps,) or (n_steps, n_features).",
    ),
    "ragged feature counts": (
        [[[0.5, 1.0]], [[1.5]]],
        ValueError,
        "X[1] has 1 feature, but X[0] has 2: all sequences must have the same number "
        "of features.",
    ),
    "empty series": (
        [[0.5], []],
        ValueError,
        "X[1] is empty: a series needs at least one step. Drop it, or fill in "
        "a step that stands for nothing.",
    ),
    "bytes": (
        [b"cat"],
        TypeError,
        f"X[0] is bytes, not a string: {KINDS} Decode it, as in x.decode().",
    ),
    "four levels": (
        [[[[0.5]]]],
        TypeError,
        "X is nested 4 levels deep: a column of strings, of token lists or of numbers "
        "of shape (n_steps,) or (n_steps, n_features) was expected. Flatten the "
        "innermost lists.",
    ),
}


# The code that makes lists of a column.
TO_LISTS = {
    "polars": "X",
    "polars frame": "X[:, 0].to_list()",
    "narwhals": "X[:, 0].to_list()",
    "arrow": "X.to_pylist()",
    "arrow chunks": "X.to_pylist()",
    "arrow table": "X.column(0).to_pylist()",
    "pandas arrow": "X",
    "awkward": "X.to_list()",
}


@pytest.mark.parametrize("container", in_columns(["a"]))
@pytest.mark.parametrize("case", BAD_COLUMNS)
def test_bad_entries_of_a_column_raise_a_sentence(case, container):
    entries, error, sentence = BAD_COLUMNS[case]
    sentence = sentence.replace(" for x in X]", f" for x in {TO_LISTS[container]}]")
    X = in_columns(entries)[container]
    with pytest.raises(error, match=f"^{re.escape(sentence)}$"):
        RNNClassifier().fit(X, [0] * len(entries))


@pytest.mark.parametrize("container", in_columns(["a"]))
@pytest.mark.parametrize("entry", [{"a": 1}, [{"a": 1}]])
def test_records_raise_a_sentence(container, entry):
    sentence = (
        r"X holds records, of type .+: strings, token lists or plain numbers were "
        r"expected\. Pass one field of them\."
    )
    with pytest.raises(TypeError, match=f"^{sentence}$"):
        RNNClassifier().fit(in_columns([entry])[container], [0])


@pytest.mark.parametrize("container", sorted({*in_columns(["a"])} - {"awkward"}))
@pytest.mark.parametrize("entry", [DATE, [DATE]])
def test_times_raise_a_sentence(container, entry):
    sentence = (
        r"X is of dtype (Date|date32\[day\]): strings, tokens or numbers were expected"
        r"\. Convert times to numbers, such as seconds since the first step\."
    )
    with pytest.raises(TypeError, match=f"^{sentence}$"):
        RNNClassifier().fit(in_columns([entry])[container], [0])


NOT_MISSING = {
    "pandas frame": pd.DataFrame({"x": ["cat", None]}),
    "pandas category": pd.Series(["cat", None], dtype="category"),
    "object column": np.array([["cat"], [None]], dtype=object),
    "StringDType": np.array(["cat", None], np.dtypes.StringDType(na_object=None)),
    "dictionary": pa.array(["cat", None]).dictionary_encode(),
    "string_view": pa.array(["cat", None], pa.string_view()),
    "Categorical": pl.Series(["cat", None], dtype=pl.Categorical),
    "masked": ak.mask(["cat", "dog"], [True, False]),
}


@pytest.mark.parametrize("container", NOT_MISSING)
def test_a_missing_string_raises_a_sentence(container):
    sentence = (
        r"X\[1\] is (None|NaN \(missing\)), but X\[0\] is a string: all sequences must "
        r"be of one kind\. Drop or fill it\."
    )
    with pytest.raises(TypeError, match=f"^{sentence}$"):
        RNNClassifier().fit(NOT_MISSING[container], [0, 1])


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": [["x"]], "b": [["y"]]}),
        pd.DataFrame({"a": [1], "b": [pd.Timestamp("2026")]}),
        pl.DataFrame({"a": ["x"], "b": ["y"]}),
        pl.DataFrame({"a": [1.0], "b": [DATE]}),
        nw.from_native(pl.DataFrame({"a": ["x"], "b": [1]})),
        pa.table({"a": ["x"], "b": ["y"]}),
        pa.record_batch({"a": [[1.0]], "b": [2.0]}),
    ],
)
def test_two_columns_raise_a_sentence(X):
    sentence = BAD_X["two columns of text"][2]
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier().fit(X, [0])


COLUMN_EXPECTED = "a list, tuple, array or column of sequences was expected."
MASKED = np.ma.masked_array([1.0, 2.0], mask=[True, False])
OTHER_BAD_X = {
    "set": (
        {"cat"},
        TypeError,
        f"X is of type set: {COLUMN_EXPECTED} A set has no order that y could follow: "
        "use a list from the start.",
    ),
    "iterator": (
        map(str.lower, ["cat"]),
        TypeError,
        f"X is of type map: {COLUMN_EXPECTED} It can be read only once: use list(X).",
    ),
    "values of a dict": (
        {"a": "cat"}.values(),
        TypeError,
        f"X is of type dict_values: {COLUMN_EXPECTED} Use list(X) if it can be "
        "iterated over.",
    ),
    "number": (
        3,
        TypeError,
        f"X is of type int: {COLUMN_EXPECTED} Use list(X) if it can be iterated over.",
    ),
    "lazy": (
        pl.LazyFrame({"x": ["cat"]}),
        TypeError,
        f"X is of type LazyFrame: {COLUMN_EXPECTED} Use X.collect(), and one column of "
        "it.",
    ),
    "packed": (
        torch.nn.utils.rnn.pack_sequence([torch.ones(2)]),
        TypeError,
        f"X is of type PackedSequence: {COLUMN_EXPECTED} Use "
        "torch.nn.utils.rnn.unpack_sequence(X).",
    ),
    "one bytes": (
        b"cat",
        TypeError,
        "X is one bytes object: a container of sequences was expected. Use "
        "[X.decode()] to pass one sequence.",
    ),
    "bytes among strings": (
        ["cat", b"cat"],
        TypeError,
        f"X[1] is bytes, not a string, but X[0] is a string: {ONE_KIND} Decode it, as "
        "in x.decode().",
    ),
    "lists of lists of lists": (
        [[[[0.5], [1.0, 2.0]]]],
        TypeError,
        "X[0] is nested 3 levels deep, down to a float: a flat list of tokens or "
        "numbers of shape (n_steps,) or (n_steps, n_features) were expected. Flatten "
        "it, or pass its parts as sequences.",
    ),
    "deep piece": (
        [[0.5], ak.Array([[[0.5], []]])],
        ValueError,
        "X[1] has steps of unequal numbers of features: a sequence must have shape "
        "(n_steps,) or (n_steps, n_features).",
    ),
    "record item": (
        [np.zeros(2, dtype=[("a", "f8")])],
        TypeError,
        f"X[0] is an array of dtype [('a', '<f8')] and shape (2,): {KINDS} Pass one "
        "field of it.",
    ),
    "records item": (
        [ak.Array([0.5]), ak.Array([{"a": 0.5}])],
        TypeError,
        "X[1] holds records, of type {a: float64}: strings, token lists or plain "
        "numbers were expected. Pass one field of them.",
    ),
    "one record": (
        ak.Record({"a": 1}),
        TypeError,
        "X holds records, of type {a: int64}: strings, token lists or plain numbers "
        "were expected. Pass one field of them.",
    ),
    "awkward times": (
        ak.Array([np.zeros(1, "M8[s]")]),
        TypeError,
        "X is of dtype datetime64[s]: strings, tokens or numbers were expected. "
        "Convert times to numbers, such as seconds since the first step.",
    ),
    "array of times": (
        [[0.5], np.zeros(2, "M8[s]")],
        TypeError,
        "X[1] has a datetime at step 0: a sequence of numbers must hold nothing else. "
        "Convert times to numbers, such as seconds since the first step.",
    ),
    "array of times first": (
        [np.zeros(2, "M8[s]")],
        TypeError,
        f"X[0] is an array of dtype datetime64[s] and shape (2,): {KINDS} Convert "
        "times to numbers, such as seconds since the first step.",
    ),
    "times of a zone": (
        pd.Series([pd.Timestamp("2026", tz="UTC")]),
        TypeError,
        f"X[0] is a Timestamp: {KINDS} Convert times to numbers, such as seconds since "
        "the first step.",
    ),
    "complex table": (
        np.zeros((1, 2), dtype=complex),
        ValueError,
        "Complex data not supported: X is of dtype complex128, but real numbers were "
        "expected. Pass the real and the imaginary part as two features.",
    ),
    "complex item": (
        [[0.5], np.zeros(2, dtype=complex)],
        TypeError,
        "X[1] has a complex at step 0: a sequence of numbers must hold nothing else. "
        "Pass the real and the imaginary part as two features.",
    ),
    "complex item first": (
        [[1j]],
        TypeError,
        f"X[0] starts with a complex: {KINDS} Pass the real and the imaginary part as "
        "two features.",
    ),
    "sparse item": (
        [scipy.sparse.csr_matrix(np.eye(2))],
        TypeError,
        f"X[0] is a csr_matrix: {KINDS} Use x.toarray().",
    ),
    "sparse tensor": (
        torch.eye(1).to_sparse(),
        TypeError,
        "X is a sparse tensor: sequences or a dense one were expected. Use "
        "X.to_dense() if its rows are series.",
    ),
    "masked item": (
        [np.ones(2), MASKED],
        TypeError,
        "X[1] is a masked array, whose mask would be lost: impute the masked steps, "
        "use missing='mask' if they are numbers, or pass a list of sequences that "
        "leaves them out.",
    ),
    "strings of three dimensions": (
        np.array([[["a"]]], dtype=object),
        TypeError,
        "X is an array of strings of shape (1, 1, 1): strings of shape (n_samples,) or "
        "tokens of shape (n_samples, n_steps) were expected. Reshape it.",
    ),
    "one tensor of numbers": (
        torch.ones(1),
        ValueError,
        "X is one sequence of numbers: a list of sequences or an array of shape "
        "(n_samples, n_steps) was expected. Reshape your data to (1, n_steps), or use "
        "[X], to pass one sequence.",
    ),
    "no sequences": (
        pa.chunked_array([], pa.string()),
        ValueError,
        "X is empty: at least one sequence is needed.",
    ),
    "no entries at all": (
        ak.Array([[], []]),
        ValueError,
        "X has no steps: all its sequences are empty, so there is nothing to learn "
        "from. At least one with steps is needed.",
    ),
    "nothing but empty strings": (
        ["", ""],
        ValueError,
        "X has no steps: all its sequences are empty, so there is nothing to learn "
        "from. At least one with steps is needed.",
    ),
    "no type": (
        pl.Series([None, None]),
        TypeError,
        f"X[0] is None: {KINDS} Drop or fill it.",
    ),
}


@pytest.mark.parametrize("case", OTHER_BAD_X)
def test_what_holds_no_sequences_raises_a_sentence(case):
    X, error, sentence = OTHER_BAD_X[case]
    n_samples = len(X) if hasattr(X, "__len__") else 1
    with pytest.raises(error, match=f"^{re.escape(sentence)}$"):
        RNNClassifier().fit(X, [0] * n_samples)


def test_sparse_input_raises_a_sentence_that_names_it():
    sentence = (
        "X is a sparse csr_matrix: sequences or a dense array were expected. Use "
        "X.toarray() if its rows are series."
    )
    X = scipy.sparse.csr_matrix(np.eye(3))
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier().fit(X, [0, 1, 2])


FITTED_ON = {
    "text": ["ab", "ba"],
    "tokens": [["a", "b"], ["b"]],
    "series": [[0.0, 1.0], [2.0]],
}
NAMES = {"text": "strings", "tokens": "token lists", "series": "sequences of numbers"}


@pytest.mark.parametrize("fitted", FITTED_ON)
@pytest.mark.parametrize("passed", FITTED_ON)
def test_another_kind_than_in_fit_raises(fitted, passed):
    classifier = RNNClassifier(max_iter=1).fit(FITTED_ON[fitted], [0, 1])
    if fitted == passed:
        assert len(classifier.predict(FITTED_ON[passed])) == 2
        return
    sentence = (
        f"X holds {NAMES[passed]}, but RNNClassifier was fitted on {NAMES[fitted]}. "
        "Pass sequences of that kind."
    )
    if (passed, fitted) == ("text", "tokens"):
        sentence += " Use [X] if X is one token list."
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        classifier.predict(FITTED_ON[passed])


AS_STRINGS = [["1", "10"], ["2"]]
AS_INTEGERS = [[1, 10], [2]]


@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize(
    "fitted, passed, sentence",
    [
        (
            AS_INTEGERS,
            AS_STRINGS,
            "The tokens of X are strings, such as '1', but those of the vocabulary are "
            "integers, such as 1: all of X would be unknown. Convert them, as in "
            "[[int(token) for token in x] for x in X].",
        ),
        (
            AS_STRINGS,
            AS_INTEGERS,
            "The tokens of X are integers, such as 1, but those of the vocabulary are "
            "strings, such as '1': all of X would be unknown. Convert them, as in "
            "[[str(token) for token in x] for x in X].",
        ),
    ],
)
def test_tokens_of_another_type_than_in_fit_raise(
    ngram_range, fitted, passed, sentence
):
    classifier = RNNClassifier(4, max_iter=1, ngram_range=ngram_range)
    classifier.fit(fitted, [0, 1])
    for X in (passed, [np.array(x) for x in passed]):
        with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
            classifier.predict(X)


@pytest.mark.filterwarnings("ignore:.*holds? nothing but integers that are not in")
@pytest.mark.parametrize("fitted", [AS_STRINGS, AS_INTEGERS, [["1", 2], [3]]])
def test_unknown_tokens_of_a_type_that_fit_saw_are_accepted(fitted):
    classifier = RNNClassifier(4, max_iter=1).fit(fitted, [0, 1])
    unknown = [[type(token)(77) for token in x] for x in fitted]
    mixed = [["unknown", 77], [78]]
    for X in (unknown, mixed, fitted):
        assert len(classifier.predict(X)) == 2
    if fitted[0] == ["1", 2]:
        for X in ([["a"]], [[77]]):
            assert len(classifier.predict(X)) == 1


def test_another_number_of_features_than_in_fit_raises():
    encoder = RNNEncoder(max_iter=1).fit(SERIES, [0, 1])
    sentence = (
        "X has 2 features at each step, but RNNEncoder was fitted with 5. Pass the "
        "same features as in fit."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        encoder.transform([np.zeros((4, 2))])


@pytest.mark.parametrize(
    "make", [np.array, np.ndarray.tolist, torch.tensor, pd.DataFrame, pl.DataFrame]
)
def test_one_multivariate_series_in_place_of_several_raises(make):
    encoder = RNNEncoder(max_iter=1).fit(SERIES, [0, 1])
    X = make(np.zeros((3, 5)))
    sentence = (
        "X has 1 feature at each step, but RNNEncoder was fitted with 5. Use [X] to "
        "pass one sequence."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        encoder.transform(X)
    width = len(encoder.get_feature_names_out())
    assert encoder.transform([X]).shape == (1, width)


@pytest.mark.parametrize(
    "X, cure",
    [
        (np.zeros((3, 5, 7)), "X.transpose(0, 2, 1)"),
        (torch.zeros(3, 5, 7), "X.transpose(0, 2, 1)"),
        ([np.zeros((5, 7)), np.zeros((5, 4))], "[x.T for x in X]"),
        ([np.zeros((5, 5)), np.zeros((5, 7))], "[x.T for x in X]"),
        ([torch.zeros(5, 7)], "[x.T for x in X]"),
    ],
)
def test_channels_before_steps_raise(X, cure):
    encoder = RNNEncoder(max_iter=1).fit(SERIES, [0, 1])
    sentence = (
        "X has 7 features at each step, but RNNEncoder was fitted with 5. Pass the "
        f"same features as in fit. If they come before the steps, use {cure}."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        encoder.transform(X)


def test_one_channel_before_the_steps_raises():
    encoder = RNNEncoder(max_iter=1).fit(np.zeros((3, 7, 1)), [0, 1, 0])
    with pytest.raises(ValueError, match=r"use X\.transpose\(0, 2, 1\)\.$"):
        encoder.transform(np.zeros((3, 1, 7)))


ONE_SERIES = {
    "list": [0.5, 1.0],
    "tuple": (0.5, 1.0),
    "integers": [4, 17],
    "booleans": [np.True_, np.False_],
    "decimals": [Decimal("0.5"), Decimal(1)],
    "scalars": list(np.array([0.5, 1.0])),
    "tensors": list(torch.tensor([0.5, 1.0])),
    "object array": np.array([0.5, None], dtype=object),
    "missing first": [None, np.nan, 0.5],
    "array": np.array([0.5, 1.0]),
    "masked array": np.ma.masked_array([0.5, 1.0], mask=[True, False]),
    "Series": pd.Series([0.5, 1.0]),
    "polars": pl.Series([None, 1]),
    "arrow": pa.array([0.5, 1.0]),
    "awkward": ak.Array([0.5, 1.0]),
}


@pytest.mark.parametrize("analyzer", ["auto", "token", "series"])
@pytest.mark.parametrize("case", ONE_SERIES)
def test_one_sequence_in_place_of_several_raises(case, analyzer):
    encoder = RNNEncoder(analyzer=analyzer, missing="mask")
    with pytest.raises(
        (TypeError, ValueError), match=r"[Uu]se \[X\],? to pass one seq"
    ):
        encoder.fit(ONE_SERIES[case], [0, 1])


STEPS = [[0.5, 1.0], [2.0, 0.5], [0.0, 1.0]]


@pytest.mark.parametrize(
    "frames, fault",
    [
        (
            [pd.DataFrame(STEPS, columns=["a", "b"])]
            + [pd.DataFrame(STEPS, columns=["a", "c"])],
            "X[1] lacks 'b' and has 'c', but the columns of X[0] are 'a', 'b'",
        ),
        (
            [np.array(STEPS), pl.DataFrame(STEPS, ["a", "b"], orient="row")]
            + [pa.table({"b": [0.5]})],
            "X[2] lacks 'a', but the columns of X[1] are 'a', 'b'",
        ),
        (
            [pd.DataFrame(np.ones((2, 7)), columns=list("abcdefg"))]
            + [pd.DataFrame(np.ones((2, 8)), columns=list("abcdefgh"))],
            "X[1] has 'h', but the columns of X[0] are 'a', 'b', 'c', 'd', 'e' and 2 "
            "more",
        ),
        (
            [pd.DataFrame(STEPS, columns=[101, 102])]
            + [pd.DataFrame(STEPS, columns=[101, 103])],
            "X[1] lacks 102 and has 103, but the columns of X[0] are 101, 102",
        ),
        (
            [pd.DataFrame(np.ones((2, 3)), columns=["a", "a", "b"])]
            + [pd.DataFrame(np.ones((2, 3)), columns=["a", "b", "a"])],
            "X[1] has columns of the same name, 'a', 'b', 'a', but the columns of X[0] "
            "are 'a', 'a', 'b'",
        ),
    ],
)
def test_frames_of_other_columns_raise(frames, fault):
    sentence = (
        f"{fault}: all frames must have the same columns, in any order. Rename or "
        "select columns, or pass arrays, which go by position."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier().fit(frames, [0] * len(frames))


PURCHASES = {"price": [0.5, 1.5], "event": ["add", "pay"]}
TIMED_PURCHASES = {"price": [0.5, 1.5], "when": [DATE, DATE]}
FRAME_PER_SEQUENCE = {
    "strings": pd.DataFrame(PURCHASES),
    "one string": pd.DataFrame({"price": [0.5, 1], "event": [1, "pay"]}),
    "categories": pd.DataFrame(PURCHASES).astype({"event": "category"}),
    "strings of arrow in pandas": pd.DataFrame(PURCHASES).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "strings of polars": pl.DataFrame(PURCHASES),
    "categories of polars": pl.DataFrame(
        PURCHASES, schema_overrides={"event": pl.Enum(PURCHASES["event"])}
    ),
    "strings of arrow": pa.table(PURCHASES),
    "dictionaries of arrow": pa.table(
        {**PURCHASES, "event": pa.array(PURCHASES["event"]).dictionary_encode()}
    ),
    "strings of narwhals": nw.from_native(pl.DataFrame(PURCHASES)),
}


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder, RNNRegressor])
@pytest.mark.parametrize("case", FRAME_PER_SEQUENCE)
def test_a_frame_per_sequence_with_a_column_of_strings_raises(case, make):
    frame = FRAME_PER_SEQUENCE[case]
    sentence = (
        "X[0] is a frame of several columns, one of which, 'event', does not hold "
        "numbers, as all features must. Convert it to indicator columns first, by "
        "pandas.get_dummies(df, columns=['event']) or, in polars, "
        "df.to_dummies('event'), with the same categories for all sequences; or pass "
        "[df['event'] for df in X] for lists of tokens. sequences_from_frame does "
        "either with one frame of the steps of all sequences."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        make().fit([frame, frame], [0, 1])
    fitted = make(nhidden=2, max_iter=1).fit([[[0.5, 1.0]]] * 2, [0, 1])
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        (fitted.transform if make is RNNEncoder else fitted.predict)([frame])


@pytest.mark.parametrize(
    "library, dtype",
    [(pd.DataFrame, DATE.__class__.__name__), (pl.DataFrame, "D"), (pa.table, "date")],
)
def test_a_frame_per_sequence_with_a_column_of_times_raises(library, dtype):
    frame = library(TIMED_PURCHASES)
    sentence = re.escape(f"Column 'when' of X[0] is of dtype {dtype}") + (
        r".*: strings, tokens or numbers were expected\. Convert times to numbers, "
        r"such as seconds since the first step\."
    )
    with pytest.raises(TypeError, match=f"^{sentence}$"):
        RNNClassifier().fit([frame, frame], [0, 1])


def test_frames_of_other_columns_than_in_fit_raise():
    frame = pd.DataFrame(STEPS, columns=["a", "b"])
    classifier = RNNClassifier(2, max_iter=1).fit([frame, frame], [0, 1])
    sentence = (
        "X[0] lacks 'b' and has 'c', but the columns of fit are 'a', 'b': all frames "
        "must have the same columns, in any order. Rename or select columns, or pass "
        "arrays, which go by position."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        classifier.predict([frame.rename(columns={"b": "c"})])


LOG = pd.DataFrame(
    {"u": ["p", "p", "q"], "v": [1, 1, 2], "x": [0.5, 1.0, 2.0], "t": list("aba")}
)


@pytest.mark.parametrize("group", ["u", "v", ["u"], ["u", "v"], ["v", "x"]])
@pytest.mark.parametrize("columns", ["t", "x", ["v", "x"]])
@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_the_pair_of_sequences_and_groups_raises(make, columns, group):
    X = sequences_from_frame(
        make(LOG), group=group, columns=columns, return_groups=True
    )
    sentence = (
        "X looks like the pair that sequences_from_frame returns with "
        "return_groups=True: the sequences alone were expected. Unpack it, as in X, "
        "groups = sequences_from_frame(...)."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier().fit(X, [0, 1])


@pytest.mark.parametrize(
    "X",
    [
        ([[0.5], [1.0]], np.array([2.0, 3.0])),
        ([[1, 2], [3, 4]], [(5, 6), (7, 8)]),
        ([np.ones(2), np.ones(2)], [(5, 6), (7, 8)]),
        (["a", "b"], np.array(["a", "b"])),
        ([1, 2], np.array([3, 4])),
    ],
)
def test_two_sequences_are_no_pair(X):
    encoder = RNNEncoder(2, max_iter=1).fit(X, [0, 1])
    assert len(encoder.transform(X)) == 2


def test_lengths_of_X_and_y_that_differ_raise():
    # scikit-learn's sentences where it has one: they are known and searched for.
    sentence = "Found input variables with inconsistent numbers of samples: [3, 2]"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier().fit(["a", "b", "c"], [0, 1])
    with pytest.raises(ValueError, match=r"^sample_weight\.shape == \(2,\), expected"):
        RNNClassifier().fit(["a", "b", "c"], [0, 1, 0], [1.0, 2.0])


@pytest.mark.parametrize("Estimator", [RNNEncoder, RNNClassifier])
@pytest.mark.parametrize("y", [[0.5, np.nan], np.array([1.0, np.nan])])
def test_a_missing_number_in_y_raises(Estimator, y):
    with pytest.raises(ValueError, match=r"^Input y contains NaN\.$"):
        Estimator().fit(["ab", "cd"], y)


@pytest.mark.parametrize("Estimator", [RNNClassifier, RNNRegressor])
def test_y_none_raises(Estimator):
    sentence = (
        f"This {Estimator.__name__} estimator requires y to be passed, but the target "
        "y is None."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Estimator().fit(["a", "b"], None)


@pytest.mark.parametrize("Estimator", [RNNEncoder, RNNClassifier])
@pytest.mark.parametrize(
    "y", [["a", None], pd.Series(["a", None]), pd.Series(["a", None], dtype="string")]
)
def test_a_missing_label_raises(Estimator, y):
    with pytest.raises(ValueError, match=r"^(y contains .* for X\[1\]: every|Input y)"):
        Estimator().fit(["ab", "cd"], y)


def test_a_state_that_is_not_finite_raises():
    X, y = ["ab", "abb", "ba", "baa"] * 5, [0, 0, 1, 1] * 5
    classifier = RNNClassifier(8, cell="rnn", activation="relu", random_state=0)
    classifier.fit(X, y)
    classifier.W_[0][:] *= 3
    sentence = (
        "The hidden state of X[1] is not finite: its numbers are far from those seen "
        "in fit, or h grows at each step, as it can with activation='relu'. Use "
        "activation='tanh'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        classifier.predict(["ab", "ab" * 5000])
    with pytest.raises(ValueError, match=r"hidden state of X\[80\] is not finite"):
        classifier.predict(["ab"] * 80 + ["ab" * 5000] * 2)


def test_y_neither_labels_nor_numbers_raises():
    sentence = (
        "Unknown label type: multiclass-multioutput. y must hold one class label for "
        "each sequence, a column of 0 and 1 for each of several labels, or one or more "
        "real numbers. Pass one column of labels."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        RNNEncoder().fit(["a", "b"], np.array([["p", "q"], ["p", "r"]]))


class Colour(Enum):
    RED, BLUE = range(2)


# Labels, and the type of array that a sentence advises to make of them.
OBJECTS = {
    "integers": ([0, 1], "int"),
    "integers of NumPy": ([np.int64(3), np.int8(5)], "int"),
    "booleans": ([False, True], "bool"),
    "integers and booleans": ([0, True], "int"),
    "whole floats": ([0.0, 1.0], "float"),
    "floats": ([0.5, 1.0], "float"),
    "integers and floats": ([0, 1.0], "float"),
    "integers of many digits": ([2**70, 1], "str"),
    "decimals": ([Decimal(1), Decimal(2)], "float"),
    "fractions": ([Fraction(1, 2), Fraction(3)], "float"),
    "an integer and a string": ([0, "b"], "str"),
    "a string and an integer": (["b", 0], "str"),
    "dates": ([DATE, datetime.date(2027, 1, 1)], "str"),
    "members of an Enum": (list(Colour), "str"),
}


def in_objects(labels):
    return np.array(labels * 4, dtype=object)


@pytest.mark.parametrize("Estimator", [RNNClassifier, RNNEncoder])
@pytest.mark.parametrize("case", OBJECTS)
def test_labels_that_are_objects_raise_a_sentence(case, Estimator):
    """As in scikit-learn, whose classifiers and metrics refuse them."""
    labels, dtype = OBJECTS[case]
    i = next(i for i, label in enumerate(labels) if not isinstance(label, str))
    with pytest.raises(ValueError) as raised:
        Estimator(2, max_iter=1).fit(["ab", "ba"] * 4, in_objects(labels))
    assert re.sub(r"\ban\b", "a", str(raised.value)) == (
        f"Unknown label type: y is a array of dtype object, and y[{i}] is a "
        f"{type(labels[i]).__name__}: a array of dtype object may hold strings only. "
        f"Use y.astype({dtype})."
    )
    with pytest.raises((TypeError, ValueError)):
        LogisticRegression().fit(np.eye(8), in_objects(labels))


@pytest.mark.parametrize("case", OBJECTS)
def test_the_type_that_a_sentence_advises_is_one_of_labels(case):
    labels, dtype = OBJECTS[case]
    Estimator = RNNEncoder if case == "floats" else RNNClassifier
    Estimator = RNNEncoder if case == "fractions" else Estimator
    y = in_objects(labels).astype(
        {"int": int, "bool": bool, "float": float}.get(dtype, str)
    )
    Estimator(2, max_iter=1).fit(["ab", "ba"] * 4, y)


OBJECT_CONTAINERS = {
    "array": lambda labels: np.array(labels, dtype=object),
    "column": lambda labels: np.array(labels, dtype=object)[:, np.newaxis],
    "Series": lambda labels: pd.Series(labels, dtype=object),
    "frame": lambda labels: pd.DataFrame({"y": pd.Series(labels, dtype=object)}),
    "polars": lambda labels: pl.Series(labels, dtype=pl.Object),
    "list": lambda labels: [*labels[:-1], Fraction(labels[-1])],
}
AB = ["a", "b"] * 4
OTHER_WAYS = {
    "partial_fit": lambda estimator, X, y: estimator.partial_fit(X, y, classes=[0, 1]),
    "classes": lambda estimator, X, y: estimator.partial_fit(X, AB, classes=y),
    "validation": lambda estimator, X, y: estimator.set_params(early_stopping=True).fit(
        X, AB, X_val=X, y_val=y
    ),
    "fit": lambda estimator, X, y: estimator.fit(X, y),
}


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
@pytest.mark.parametrize("Estimator", [RNNClassifier, RNNEncoder])
@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("container", OBJECT_CONTAINERS)
def test_objects_in_any_container_raise_a_sentence(container, way, Estimator):
    y = OBJECT_CONTAINERS[container]([0, 1] * 4)
    name = {"validation": "y_val", "classes": "classes"}.get(way, "y")
    cure = f"{name}.astype(int)" if hasattr(y, "astype") else f"np.array({name}, int)"
    cure = f"np.array({name}, float)" if container == "list" else cure
    place = "0, 0" if name == "classes" and np.ndim(y) == 2 else "0"
    sentence = (
        f"Unknown label type: {name} is an array of dtype object, and {name}[{place}] "
        f"is an int: an array of dtype object may hold strings only. Use {cure}."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        OTHER_WAYS[way](Estimator(2, max_iter=1), ["ab", "ba"] * 4, y)


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
@pytest.mark.parametrize("container", sorted({*OBJECT_CONTAINERS} - {"list"}))
@pytest.mark.parametrize("strings", [["a", "b"], [np.str_("a"), np.str_("b")]])
def test_strings_may_be_objects(container, strings):
    y = OBJECT_CONTAINERS[container](strings * 4)
    classifier = RNNClassifier(2, max_iter=1).fit(["ab", "ba"] * 4, y)
    assert classifier.classes_.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    "target, what",
    [
        ("a", "a string"),
        ("", "a string"),
        (1j, "a complex"),
        (b"a", "bytes, not a string"),
        (10**400, "an int"),
        ({}, "a dict"),
        (pd.Period("2026"), "a Period"),
    ],
)
@pytest.mark.parametrize("make", [np.array, pd.Series])
@pytest.mark.parametrize("learn", ["fit", "partial_fit"])
def test_a_target_that_is_no_number_raises_a_sentence(target, what, make, learn):
    y = make([0.5, 1.5, target, 2.5], dtype=object)
    sentence = f"^y\\[2\\] is {what}, which is no number that a float can hold: numbers"
    with pytest.raises(ValueError, match=sentence):
        getattr(RNNRegressor(2), learn)(["a", "b", "ab", "ba"], y)


@pytest.mark.parametrize("Estimator", [RNNClassifier, RNNEncoder, RNNRegressor])
@pytest.mark.parametrize("y", [[0, None, 1], ["a", None, "b"], [0.5, None, 1.5]])
def test_a_missing_entry_of_an_awkward_y_raises(y, Estimator):
    with pytest.raises(
        ValueError, match=r"^y contains None for X\[1\]: every sequence"
    ):
        Estimator(2).fit(["ab", "cd", "ef"], ak.Array(y))


@pytest.mark.parametrize("labels", [[(0, 1), (1, 1)], [{0}, {1, 2}]])
def test_labels_that_are_collections_raise_a_sentence(labels):
    y = np.empty(8, dtype=object)
    y[:] = labels * 4
    with pytest.raises(ValueError, match=r"Use sklearn\.preprocessing\.MultiLabelBi"):
        RNNClassifier(2).fit(["abc", "bac"] * 4, y)


@pytest.mark.parametrize("container", [list, tuple])
def test_a_missing_label_among_strings_raises(container):
    y = container(["a", float("nan"), "b"])
    with pytest.raises(ValueError, match=r"^y contains nan for X\[1\]: every sequence"):
        RNNClassifier(2).fit(["ab", "cd", "ef"], y)


@pytest.mark.parametrize(
    "y, cure",
    [
        (
            [["N", "V", "A"]] * 3,
            "Pass one label for each sequence, not for each step or word.",
        ),
        (
            [["N", "V"], ["N"], ["V"]],
            "Use sklearn.preprocessing.MultiLabelBinarizer for sequences of several.",
        ),
    ],
)
def test_several_strings_for_each_sequence_raise(y, cure):
    with pytest.raises(ValueError) as caught:
        RNNClassifier(2).fit(["ab", "cd", "ef"], y)
    assert str(caught.value) == (
        "y[0] is a list of strings: one class label for each sequence was expected, or "
        f"a column of 0 and 1 for each label. {cure}"
    )


def test_targets_that_standardise_to_infinity_raise():
    sentence = r"^y\[1\] is -1\.7e\+308, which is too far from the mean, .* unit\.$"
    y = [1.7e308] + [-1.7e308] + [1.7e308] * 6
    with pytest.raises(ValueError, match=sentence):
        RNNEncoder().fit(["a"] * 8, y)


@pytest.mark.parametrize(
    "Estimator, method",
    [
        (RNNEncoder, "transform"),
        (RNNClassifier, "predict"),
        (RNNClassifier, "predict_proba"),
        (RNNClassifier, "predict_log_proba"),
        (RNNClassifier, "decision_function"),
    ],
)
def test_use_before_fit_raises(Estimator, method):
    sentence = (
        f"This {Estimator.__name__} instance is not fitted yet. Call 'fit' with "
        "appropriate arguments before using this estimator."
    )
    with pytest.raises(NotFittedError, match=f"^{re.escape(sentence)}$"):
        getattr(Estimator(), method)(["cat"])


def in_order(names):
    return "{" + ", ".join(sorted(names[1].split(", "))) + "}"


@pytest.mark.parametrize(
    "params, sentence",
    [
        (
            {"nhidden": (4, 0)},
            "nhidden is (4, 0): the numbers of hidden units of one or more layers were "
            "expected, such as (128, 64).",
        ),
        (
            {"nhidden": []},
            "nhidden is []: the numbers of hidden units of one or more layers were "
            "expected, such as (128, 64).",
        ),
        (
            {"cell": "gru", "activation": "relu"},
            "activation='relu' needs cell='rnn', but cell is 'gru': its gates have "
            "functions and weights of their own. Use activation='tanh'.",
        ),
        (
            {"cell": "lstm", "recurrence": "identity"},
            "recurrence='identity' needs cell='rnn', but cell is 'lstm': its gates "
            "have functions and weights of their own. Use recurrence='learned'.",
        ),
        (
            {"truncate": 3, "bidirectional": True},
            "truncate needs a network that reads in one direction. Use "
            "bidirectional=False or truncate=None.",
        ),
    ],
)
def test_parameters_that_cannot_be_had_together_raise(params, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier(**params).fit(["a", "b"], [0, 1])


@pytest.mark.parametrize(
    "name, value, expected",
    [
        (
            "nhidden",
            0,
            "an int in the range [1, inf), an instance of 'tuple' or an instance of "
            "'list'",
        ),
        ("alpha", -1, "a float in the range [0.0, inf)"),
        ("learning_rate_init", 2.0, "a float in the range (0.0, 1.0]"),
        ("activation", "sigmoid", "a str among {'identity', 'relu', 'tanh'}"),
    ],
)
def test_bad_parameters_raise(name, value, expected):
    sentence = (
        f"The {name!r} parameter of RNNClassifier must be {expected}. Got {value!r} "
        "instead."
    )
    with pytest.raises(ValueError) as raised:
        RNNClassifier(**{name: value}).fit(["a", "b"], [0, 1])
    # scikit-learn prints a set of names, whose order is not fixed.
    assert re.sub(r"\{(.*)\}", in_order, str(raised.value)) == sentence


@pytest.mark.parametrize("alpha, decay", [(3, "1.5"), (10**400, "inf")])
def test_weight_decay_that_would_turn_the_weights_round_raises(alpha, decay):
    sentence = (
        f"learning_rate_init * alpha is {decay}: it must be below 1, because weight "
        "decay scales the weights by 1 - learning_rate * alpha. Lower alpha."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier(learning_rate_init=0.5, alpha=alpha).fit(["a", "b"], [0, 1])


def test_numbers_that_standardise_to_infinity_raise():
    X = np.array([[1e-30, 2e-30], [0.0, 1e-30]])
    encoder = RNNEncoder(max_iter=1).fit(X, [0, 1])
    sentence = (
        "X[1] contains 1e+20 at step 0, which is too far from the mean in fit, 1e-30, "
        "to be divided by the standard deviation, 7.07107e-31. Check the unit."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        encoder.transform(np.array([[0.0, 0.0], [1e20, 0.0]]))


@pytest.mark.parametrize("case", BAD_X)
@pytest.mark.parametrize("fitted", FITTED_ON)
def test_bad_X_raises_a_sentence_at_predict_too(fitted, case):
    X, error, sentence = BAD_X[case]
    if case == "generator":
        X = (word for word in ["cat"])
    classifier = RNNClassifier(max_iter=1).fit(FITTED_ON[fitted], [0, 1])
    with pytest.raises((TypeError, ValueError)) as raised:
        classifier.predict(X)
    message = str(raised.value)
    if message != sentence or raised.type is not error:
        # It is of another kind than in fit, or of another width, to begin with.
        assert re.match(
            r"X (holds .*|has 5 features at each step), but RNNClassifier was fitted ",
            message,
        )


def recursive_list():
    inner = []
    inner.append(inner)
    return inner


TOO_LARGE = "which is too large for float32. Use a larger unit."
FUZZED_X = {
    "too large an integer": (
        [[0.5], [0.5, 10**400]],
        ValueError,
        f"X[1] contains a number at step 1 {TOO_LARGE}",
    ),
    "too large a fraction": (
        [[Fraction(10**400)]],
        ValueError,
        f"X[0] contains a number at step 0 {TOO_LARGE}",
    ),
    "too large an integer of a table": (
        np.array([[1, 2], [3, 10**400]], dtype=object),
        ValueError,
        f"X[1] contains a number at step 1 {TOO_LARGE}",
    ),
    "too large a longdouble": (
        [np.array([0.5, "1e4000"], dtype=np.longdouble)],
        ValueError,
        "X[0] contains infinity (inf) at step 1: all numbers must be finite. Impute "
        "these steps or leave them out.",
    ),
    "too large a longdouble of a table": (
        np.array([[0.5, "1e4000"]], dtype=np.longdouble),
        ValueError,
        "X[0] contains infinity (inf) at step 1: all numbers must be finite. Impute "
        "these steps or leave them out.",
    ),
    "string in a table": (
        np.array([[1.0, 2.0], [3.0, "a"]], dtype=object),
        TypeError,
        "X[1] has a string at step 1: a sequence of numbers must hold nothing else. "
        "Drop or convert it.",
    ),
    "string in a frame": (
        pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, "a"]}),
        TypeError,
        "X[1] has a string at step 1: a sequence of numbers must hold nothing else. "
        "Drop or convert it.",
    ),
    "complex in a table": (
        np.array([[1.0, 1j]], dtype=object),
        TypeError,
        "X[0] has a complex at step 1: a sequence of numbers must hold nothing else. "
        "Pass the real and the imaginary part as two features.",
    ),
    "duration among numbers": (
        [[0.5, np.timedelta64(1, "s")]],
        TypeError,
        "X[0] has a timedelta64 at step 1: a sequence of numbers must hold nothing "
        "else. Convert times to numbers, such as seconds since the first step.",
    ),
    "a list that holds itself": (
        [recursive_list()],
        TypeError,
        "X[0] is nested 64 levels deep, down to a list: a flat list of tokens or "
        "numbers of shape (n_steps,) or (n_steps, n_features) were expected. Flatten "
        "it, or pass its parts as sequences.",
    ),
    "a step that NumPy cannot read": (
        [[[0.5, 1.0], torch.ones(2, requires_grad=True)]],
        TypeError,
        "X[0] has a Tensor at step 1: a sequence of numbers must hold nothing else. "
        "Drop or convert it.",
    ),
    "no array of a sequence": (
        [np.array([], dtype=bool), np.array(b"a")],
        TypeError,
        f"X[1] is an array of dtype |S1 and shape (): {KINDS} Decode it, as in "
        "x.decode().",
    ),
    "records of arrow in a list": (
        list(pa.array([{"a": 1}])),
        TypeError,
        "X[0] holds records, of type struct<a: int64>: strings, token lists or plain "
        "numbers were expected. Pass one field of them.",
    ),
    "missing": (
        pd.NA,
        TypeError,
        f"X is of type NAType: {COLUMN_EXPECTED} Use list(X) if it can be iterated "
        "over.",
    ),
    "dtype": (
        torch.float32,
        TypeError,
        f"X is of type dtype: {COLUMN_EXPECTED} Use list(X) if it can be iterated "
        "over.",
    ),
    "no numbers at all": (
        [[0.5], torch.ones(2, device="meta")],
        TypeError,
        "X[1] is a tensor of dtype torch.float32 on device meta: one that holds plain "
        "numbers was expected. Use X.dequantize() if it is quantized.",
    ),
    "no columns": (
        pd.DataFrame(),
        ValueError,
        "Found array with 0 sample(s) (shape=(0, 0)) while a minimum of 1 is required "
        "by RNNClassifier.",
    ),
}


@pytest.mark.parametrize("case", FUZZED_X)
def test_what_was_found_by_chance_raises_a_sentence(case):
    X, error, sentence = FUZZED_X[case]
    n_samples = len(X) if hasattr(X, "__len__") else 1
    with pytest.raises(error, match=f"^{re.escape(sentence)}$"):
        RNNClassifier().fit(X, [0] * n_samples)


def test_decimals_are_numbers():
    X = [[Decimal("0.5"), Decimal(2)], [1.5, Decimal("NaN")]]
    encoder = RNNEncoder(2, max_iter=1, missing="mask").fit(X, [0, 1])
    plain = encoder.transform([[0.5, 2.0], [1.5, np.nan]])
    np.testing.assert_array_equal(encoder.transform(X), plain)
    np.testing.assert_array_equal(encoder.transform(np.array(X, object)), plain)
    np.testing.assert_array_equal(encoder.transform(pd.DataFrame(X)), plain)


def test_floats_of_eight_bits_are_numbers():
    X = [torch.ones(2).to(torch.float8_e4m3fn), torch.zeros(1)]
    encoder = RNNEncoder(2, max_iter=1).fit(X, [0, 1])
    assert np.isfinite(encoder.transform(X)).all()


class Mine(Exception):
    pass


def raising(item):
    raise Mine("mine")


@pytest.mark.parametrize("name", ["analyzer", "strip_accents"])
def test_an_error_of_the_users_function_says_of_which_sequence(name):
    def second_raises(item):
        return raising(item) if item == "b" else item

    with pytest.raises(Mine) as raised:
        RNNClassifier(**{name: second_raises}).fit(["a", "b"], [0, 1])
    assert raised.value.__notes__ == [f"{name} raised this for X[1]."]


BAD_TEXT = {
    "no pattern": (
        {"analyzer": "word", "token_pattern": "(a"},
        ValueError,
        "token_pattern is '(a', which is no regular expression: missing ), "
        "unterminated subpattern at position 0. Escape what is meant literally, as "
        "re.escape does.",
    ),
    "two groups": (
        {"analyzer": "word", "token_pattern": "(a)(b)"},
        ValueError,
        "token_pattern is '(a)(b)', which has 2 groups: at most one, for the word, was "
        "expected. Begin the others with (?:.",
    ),
    "no string": (
        {"strip_accents": len},
        TypeError,
        "strip_accents returned an int for X[0]: a string was expected. Use a function "
        "from strings to strings.",
    ),
    "words with spaces": (
        {"analyzer": "word", "token_pattern": "[^,]+", "ngram_range": (1, 2)},
        ValueError,
        "X[0] has the word 'b a' at step 1: words without spaces were expected, since "
        "n-grams of words are joined by one. Use ngram_range=(1, 1), or another "
        "token_pattern.",
    ),
    "number for a character": (
        {"vocabulary": ["a", 1]},
        TypeError,
        "vocabulary has an int among its tokens: strings were expected, since X holds "
        "strings: of one character, or of n for n-grams. Drop it.",
    ),
    "empty gram": (
        {"vocabulary": ["a", ""], "ngram_range": (1, 2)},
        TypeError,
        "vocabulary has an empty string among its tokens: strings were expected, since "
        "X holds strings: of one character, or of n for n-grams. Drop it.",
    ),
    "values without order": (
        {"vocabulary": {"a": 1, "b": "x"}},
        TypeError,
        "vocabulary could not be read: a list of tokens, or a dict of token -> int, "
        "was expected, but '<' not supported between instances of 'str' and 'int'. "
        "Use a list.",
    ),
    "number for a vector's character": (
        {"embeddings": {"a": [0.5], 1: [0.5]}},
        TypeError,
        "embeddings has an int among its tokens: strings were expected, since X holds "
        "strings: of one character, or of n for n-grams. Drop it.",
    ),
    **{
        f"vectors {vectors}": (
            {"embeddings": {"a": vectors}},
            ValueError,
            "embeddings could not be read: a dict of token -> vector, or a pair of a "
            "vocabulary and a matrix of as many rows, was expected, all vectors of one "
            "length, but that of 'a' is no row of numbers.",
        )
        for vectors in ([1j], ["a"], [{}], [10**400])
    },
    **{
        f"vectors of order {order}": (
            {"embeddings": {"a": [float(order)]}},
            ValueError,
            f"embeddings has numbers of order {order}: between 1e-15 and 1e+15 was "
            "expected, so that float32 suffices. Rescale all vectors by one factor.",
        )
        for order in ("1e-45", "1e-20", "1e+20")
    },
    "too large vectors": (
        {"embeddings": {"a": [1e300]}},
        ValueError,
        "embeddings has numbers that are not finite for 'a'. Drop it.",
    ),
}


@pytest.mark.parametrize("case", BAD_TEXT)
def test_parameters_of_text_that_cannot_be_used_raise_a_sentence(case):
    params, error, sentence = BAD_TEXT[case]
    with pytest.raises(error, match=f"^{re.escape(sentence)}$"):
        RNNClassifier(**params).fit(["a,b a", "ж"], [0, 1])


@pytest.mark.parametrize("token", [0.5, None, ("a",), ("a", None), ["a"], np.zeros(2)])
def test_what_is_no_token_raises_a_sentence(token):
    sentence = (
        r"vocabulary has .+ among its tokens: strings and integers, and n-grams as "
        r"tuples of two or more of them, were expected, since X holds token lists\. "
        r"Drop it\."
    )
    with pytest.raises(TypeError, match=f"^{sentence}$"):
        RNNClassifier(vocabulary=["a", token]).fit([["a"], ["b"]], [0, 1])


@pytest.mark.parametrize(
    "lengths, what",
    [
        (
            [5, 5, 5, 5],
            "X has 1 features, but RNNEncoder is expecting 5 features as input.",
        ),
        (
            [5, 6, 7, 8],
            "X has shape (5, 1): series of one step, but the shortest in fit had 5.",
        ),
    ],
)
def test_one_series_of_one_feature_is_no_table_of_series_of_one_step(
    lengths, what, rng
):
    X = [rng.normal(size=(n, 1)) for n in lengths]
    encoder = RNNEncoder(2, max_iter=1).fit(X, [0, 1, 0, 1])
    cure = "Use [X] to pass one sequence, or list(X) if each row is one."
    for one in (X[0], pd.DataFrame(X[0])):
        with pytest.raises(ValueError, match=f"^{re.escape(f'{what} {cure}')}$"):
            encoder.transform(one)
    assert len(encoder.transform([X[0]])) == 1
    assert len(encoder.transform(list(X[0]))) == 5


def test_a_groupby_and_a_column_of_nothing_are_no_sequences():
    log = pd.DataFrame({"id": [1, 1, 2], "x": [1.0, 2.0, 3.0]})
    with pytest.raises(TypeError, match=r"Use sequences_from_frame, or \[group for"):
        RNNEncoder(2).fit(log.groupby("id"), [0, 1])
    with pytest.raises(ValueError, match=r"^X holds nothing but missing values: a col"):
        RNNEncoder(2).fit(pd.Series([np.nan, np.nan]), [0, 1])


@pytest.mark.parametrize("y", [[[0, 2], [2, 0]], [[1, 2], [2, 1]], [[1, -1], [-1, 1]]])
def test_labels_are_columns_of_0_and_1(y):
    with pytest.raises(
        ValueError, match=r"^y has 2 columns with values such as [12]: "
    ):
        RNNClassifier(2).fit(["ab", "cd"], y)
    assert RNNEncoder(2, max_iter=1).fit(["ab", "cd"], y).task_ == "regression"


def test_things_have_the_right_article():
    things = [3, [], np.uint8(3), np.float32(1), RNNEncoder(), Ellipsis, pd.Index([])]
    articles = [describe(thing).split()[0] for thing in things]
    assert articles == ["an", "a", "a", "a", "an", "an", "an"]
