"""Reading lists of strings, tokens and numbers into flat arrays."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrnn._core import vocabulary
from skrnn._core.counts import learn_vocabulary
from skrnn._reading.lists import read_sequences
from skrnn._reading.numbers import read_array

texts = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6)
tokens = st.one_of(st.text(max_size=3), st.integers(-5, 300))
token_lists = st.lists(st.lists(tokens, min_size=1, max_size=6), min_size=1, max_size=6)
floats = st.floats(-1e6, 1e6)
ragged_floats = st.lists(
    st.lists(floats, min_size=1, max_size=6), min_size=1, max_size=6
)


def decoded(sequences, vocabulary_):
    """Token lists again, from ids."""
    token_of = {i: token for token, i in vocabulary_.items()}
    ids, _ = vocabulary.find_ids(sequences, vocabulary_)
    tokens = [token_of[i] for i in ids.tolist()]
    bounds = zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)
    return [tokens[start:stop] for start, stop in bounds]


@given(texts)
def test_text_encodes_and_decodes_to_itself(X):
    sequences = read_sequences(X)
    vocabulary_ = learn_vocabulary(sequences)
    assert sequences.kind == "text"
    assert decoded(sequences, vocabulary_) == [list(text) for text in X]


@given(token_lists)
def test_tokens_encode_and_decode_to_themselves(X):
    sequences = read_sequences(X)
    vocabulary_ = learn_vocabulary(sequences)
    assert sequences.kind == "tokens"
    assert decoded(sequences, vocabulary_) == X


@given(ragged_floats)
def test_series_keep_their_numbers(X):
    sequences = read_sequences(X)
    assert sequences.kind == "series"
    assert sequences.values[:, 0].tolist() == [number for x in X for number in x]
    assert sequences.lengths.tolist() == [len(x) for x in X]


def test_vocabulary_is_sorted_and_leaves_0_for_the_unknown():
    sequences = read_sequences([["b", 2, "a"], [10, "b"]])
    assert learn_vocabulary(sequences) == {2: 1, 10: 2, "a": 3, "b": 4}


@pytest.mark.parametrize("X", [["été"], [["e", "x", 7]]])
def test_unseen_tokens_become_the_unknown_one(X):
    known = {"e": 1} if isinstance(X[0], list) else {"t": 1}
    ids, _ = vocabulary.find_ids(read_sequences(X), known)
    assert ids.tolist() == ([1, 0, 0] if "e" in known else [0, 1, 0])


def test_characters_beyond_the_basic_plane_are_one_step():
    sequences = read_sequences(["a😀", "😀"])
    assert sequences.lengths.tolist() == [2, 1]
    assert set(learn_vocabulary(sequences)) == {"a", "😀"}


def test_entries_say_what_a_sequence_is_and_not_its_container():
    for ids in ([1, 2], (1, 2), np.array([1, 2]), np.array([1, 2], dtype=object)):
        assert read_sequences([ids]).kind == "tokens"
        assert read_sequences([ids]).tokens == [1, 2]
    assert read_sequences([np.array(["a", "b"])]).kind == "tokens"
    assert read_sequences([np.array([1.0, 2.0])]).kind == "series"
    assert read_sequences([np.array([[1, 2]])]).kind == "series"
    assert read_sequences([[[1, 2]]]).kind == "series"


@pytest.mark.parametrize("X", [[[True, False]], [[np.True_]], [np.array([True])]])
def test_truth_values_count_as_integers(X):
    assert read_sequences(X).kind == "tokens"
    assert read_sequences(X, kind="series").values[0, 0] == 1.0


@pytest.mark.parametrize(
    "X",
    [
        [[0, 0.5], [0, 1]],
        [[0, 1], [0, 1.5]],
        [[0, 1], np.array([0.5])],
        [np.array([0, 1]), np.array([0.5])],
        [np.array([0, 1]), [0.5]],
        [[0, 1], np.array([[2]])],
        [np.array([0, 1]), np.array([0.5], dtype=object)],
    ],
)
def test_integers_with_any_other_number_among_them_are_a_series(X):
    assert read_sequences(X).kind == "series"


@pytest.mark.parametrize("ids", [[[1, 2], [3]], [np.array([1, 2]), np.array([3])]])
def test_integers_are_read_as_what_is_asked_for(ids):
    assert read_sequences(ids, kind="tokens").tokens == [1, 2, 3]
    assert read_sequences(ids, kind="series").values.tolist() == [[1.0], [2.0], [3.0]]


def test_numbers_of_any_type_are_a_series():
    X = [[0.5, Fraction(1, 4)], [2**70], [np.True_, 0.5]]
    values = read_sequences(X).values
    assert values[:, 0].tolist() == [0.5, 0.25, 2.0**70, 1.0, 0.5]


ONE_KIND = "all sequences must be of one kind. Drop or convert it."
CURE = "Drop or convert it. Or use analyzer='auto'."


@pytest.mark.parametrize(
    "kind, X, sentence",
    [
        ("text", [["a"]], f"X[0] is a list, but a string was expected. {CURE}"),
        ("text", ["a", 3], f"X[1] is an int, but X[0] is a string: {ONE_KIND}"),
        (
            "text",
            [np.array([1.0])],
            "X[0] is an array of dtype float64 and shape (1,), but a string was "
            f"expected. {CURE}",
        ),
        (
            "tokens",
            ["ab"],
            f"X[0] is a string, but a list of tokens was expected. {CURE}",
        ),
        (
            "tokens",
            [[1], np.zeros((2, 3))],
            "X[1] is an array of dtype float64 and shape (2, 3), but X[0] is a list of "
            f"tokens: {ONE_KIND}",
        ),
        (
            "tokens",
            [[1, 2], [0, 0.5]],
            "X[1] has a float at step 1: tokens must be strings or integers. If X "
            "holds measurements, use analyzer='series' in fit, which reads integers as "
            "numbers, too. Otherwise drop or convert it.",
        ),
        (
            "series",
            ["ab"],
            f"X[0] is a string, but a sequence of numbers was expected. {CURE}",
        ),
        (
            "series",
            [[1, 2], [3, "a"]],
            "X[1] has a string at step 1: a sequence of numbers must hold nothing "
            "else. Drop or convert it.",
        ),
        (
            "series",
            [np.array(["a"])],
            "X[0] has a string at step 0: a sequence of numbers must hold nothing "
            "else. Drop or convert it.",
        ),
        (
            "series",
            [[None, 1.0]],
            "X[0] has None at step 0: a sequence of numbers must hold nothing "
            "else. Impute it, or use missing='mask'.",
        ),
        (
            "series",
            [[["a", "b"], ["c"]]],
            "X[0] is nested 2 levels deep, down to a string: a flat list of tokens or "
            "numbers of shape (n_steps,) or (n_steps, n_features) were expected. "
            "Flatten it, or pass its parts as sequences.",
        ),
    ],
)
def test_what_cannot_be_of_the_kind_asked_for_raises(kind, X, sentence):
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        read_sequences(X, kind=kind)


def test_series_of_several_features_are_stacked(rng):
    X = [rng.normal(size=(n, 2)) for n in (3, 1)]
    sequences = read_sequences(X)
    np.testing.assert_array_equal(sequences.values, np.concatenate(X))
    assert sequences.offsets.tolist() == [0, 3, 4]


def test_arrays_of_two_and_three_dimensions(rng):
    X = rng.normal(size=(4, 5, 2)).astype(np.float32)
    sequences = read_array(X)
    assert sequences.values.dtype == np.float32
    np.testing.assert_array_equal(sequences.values, X.reshape(20, 2))
    assert sequences.offsets.tolist() == [0, 5, 10, 15, 20]
    assert read_array(X[:, :, 0]).values.shape == (20, 1)


def test_a_numpy_string_keeps_its_last_nul():
    X = [[np.str_("a\0"), "a"], [np.str_("\0")]]
    sequences = read_sequences(X)
    assert sequences.tokens == ["a\0", "a", "\0"]
    assert set(map(type, sequences.tokens)) == {str}


def step_of(sequences):
    return chr if sequences.tokens is None else sequences.tokens.__getitem__


@pytest.mark.parametrize("X", [["ab", "c", "def"], [["x", "y"], ["z"], [1, 2, 3]]])
def test_take_selects_and_orders(X):
    sequences = read_sequences(X)
    taken = sequences.take(np.array([2, 0]))
    expected = read_sequences([X[2], X[0]])
    assert list(map(step_of(taken), taken.values)) == list(
        map(step_of(expected), expected.values)
    )
    assert taken.offsets.tolist() == expected.offsets.tolist()


def test_rare_tokens_are_hidden_more_often():
    counts = np.array([0, 1, 9, 1000])
    probabilities = vocabulary.hiding_probabilities(counts, 3)
    assert probabilities[0] == 0
    assert probabilities[1] == pytest.approx(0.2)
    assert 0 < probabilities[3] < probabilities[2] < probabilities[1]
    at_least = vocabulary.hiding_probabilities(counts, 2, least=0.1)
    np.testing.assert_allclose(at_least, [0, 0.2, 0.1, 0])
