"""Strings to characters and words, in the ways of scikit-learn's vectorisers."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from skrnn import RNNClassifier, RNNEncoder
from skrnn._core import distinct
from skrnn._reading import text as reading
from skrnn._reading.text import each_once, read_characters, read_words

WORDS = {"analyzer": "word", "ngram_range": (1, 1)}


def fitted(X, **params):
    return RNNEncoder(2, max_iter=1, random_state=0, **params).fit(X, range(len(X)))


def test_words_and_what_stands_between_them():
    encoder = fitted(["I am, you're!", "Naïve 漢字 x_1"], **WORDS)
    words = ["!", "'", ",", "I", "Naïve", "am", "re", "x_1", "you", "漢字"]
    assert list(encoder.vocabulary_) == words
    assert encoder.kind_ == "words"


def test_token_pattern_says_what_a_word_is():
    encoder = fitted(["a-b c", "d"], **WORDS, token_pattern=r"[\w-]+")
    assert list(encoder.vocabulary_) == ["a-b", "c", "d"]


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize(
    "strip_accents", [None, "ascii", "unicode", lambda text: text.replace("x", "y")]
)
@pytest.mark.parametrize("analyzer", ["char", "word"])
def test_preprocessing_is_that_of_CountVectorizer(analyzer, lowercase, strip_accents):
    X = ["Été xX", "ΣΟΦΟΣ naïve", "İstanbul ǅ", "plain"]
    params = {"lowercase": lowercase, "strip_accents": strip_accents}
    encoder = fitted(X, analyzer=analyzer, **params)
    preprocess = CountVectorizer(**params).build_preprocessor()
    plain = fitted([preprocess(text) for text in X], analyzer=analyzer)
    assert encoder.vocabulary_ == plain.vocabulary_
    np.testing.assert_array_equal(
        encoder.transform(X), plain.transform([preprocess(text) for text in X])
    )


def test_a_callable_gives_the_tokens():
    X = ["tea-time", "time"]
    encoder = fitted(X, analyzer=lambda text: text.split("-"))
    assert list(encoder.vocabulary_) == ["tea", "time"]
    assert encoder.kind_ == "tokens"
    series = fitted(X, analyzer=lambda text: [float(len(text)), 1.0])
    assert series.kind_ == "series"
    whole = fitted(np.eye(2), analyzer=lambda row: row.cumsum())
    assert whole.kind_ == "series" and len(whole.transform(np.eye(2))) == 2


def test_integers_are_what_the_analyzer_says():
    ids = [[1, 2, 3], [3, 2]]
    assert fitted(ids).kind_ == "tokens"
    assert fitted(ids, analyzer="token").kind_ == "tokens"
    assert fitted(ids, analyzer="series").kind_ == "series"
    assert fitted(np.array([[1, 2], [3, 2]])).kind_ == "series"
    table = fitted(np.array([[1, 2], [3, 2]]), analyzer="token")
    assert table.vocabulary_ == {1: 1, 2: 2, 3: 3}


@pytest.mark.parametrize(
    "X, analyzer, message",
    [
        (
            [["a", "b"]],
            "word",
            "X[0] is a list, but a string was expected. Drop or convert it. Or use "
            "analyzer='auto'.",
        ),
        (
            ["ab"],
            "token",
            "X[0] is a string, but a list of tokens was expected. Drop or convert it. "
            "Or use analyzer='auto'.",
        ),
        (
            [["a"]],
            "series",
            "X[0] has a string at step 0: a sequence of numbers must hold nothing "
            "else. Drop or convert it.",
        ),
    ],
)
def test_an_analyzer_that_does_not_fit(X, analyzer, message):
    with pytest.raises(TypeError) as caught:
        RNNClassifier(2, analyzer=analyzer).fit(X, [0])
    assert str(caught.value) == message


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=8))
def test_words_are_read_as_split_gives_them(X):
    split = re.compile(r"\S+").findall
    sequences = read_words(X, split)
    words = [sequences.tokens[code] for code in sequences.values]
    assert words == [word for text in X for word in split(text)]
    assert sequences.lengths.tolist() == [len(split(text)) for text in X]


@given(st.lists(st.text("ab \0", min_size=1), min_size=1, max_size=8))
def test_a_separator_only_saves_time(X):
    X = [text + "a" for text in X]  # one word or more
    split = re.compile(r"\w+|[^\w\s]").findall
    ours, theirs = read_words(X, split, "\0"), read_words(X, split)
    words = [
        [sequences.tokens[code] for code in sequences.values]
        for sequences in (ours, theirs)
    ]
    assert words[0] == words[1]
    np.testing.assert_array_equal(ours.offsets, theirs.offsets)


def test_many_strings_are_read_part_by_part(monkeypatch):
    X = [f"w{i % 7} w{i % 3}" for i in range(50)]
    whole = read_words(X, str.split)
    monkeypatch.setattr(reading, "_STRINGS_AT_A_TIME", 8)
    parts = read_words(X, str.split)
    assert parts.tokens == whole.tokens
    np.testing.assert_array_equal(parts.values, whole.values)
    np.testing.assert_array_equal(parts.offsets, whole.offsets)


@pytest.mark.parametrize("side, kept", [("first", "abc"), ("last", "cde")])
def test_long_sequences_are_cut(side, kept):
    X = ["abcde", "ab"]
    encoder = fitted(X, max_length=3, overlong=side, ngram_range=(1, 1))
    np.testing.assert_array_equal(
        encoder.transform(["abcde"]), encoder.transform([kept])
    )
    assert set(encoder.vocabulary_) == set("ab") | set(kept)


def test_long_sequences_are_refused():
    with pytest.raises(ValueError) as caught:
        fitted(["ab", "abcd"], max_length=3)
    assert str(caught.value) == (
        "X[1] has 4 steps, but max_length is 3. Use overlong='first' or "
        "overlong='last' to keep only that many steps."
    )
    series = np.arange(8.0).reshape(2, 4)
    encoder = fitted(series, max_length=3, overlong="last")
    assert encoder.n_features_in_ == 4
    np.testing.assert_array_equal(
        encoder.transform(series), encoder.transform(list(series[:, 1:]))
    )


@given(st.lists(st.text("ab🎈", max_size=3), min_size=64, max_size=99))
def test_equal_strings_are_left_out(strings):
    once = each_once(read_characters(strings))
    expected = list(dict.fromkeys(strings))
    assert [strings[i] for i in once.positions] == expected
    assert [expected[i] for i in once.places] == strings
    of_expected = read_characters(expected)
    np.testing.assert_array_equal(once.sequences.values, of_expected.values)
    np.testing.assert_array_equal(once.sequences.offsets, of_expected.offsets)
    words = each_once(read_words([f"{each} a" for each in strings], str.split))
    np.testing.assert_array_equal(words.places, once.places)


def test_a_hash_table_that_is_nearly_full():
    sequences = read_characters([chr(97 + i % 31) * (i % 3) for i in range(310)])
    lengths, n = sequences.lengths, len(sequences)
    first, places = np.empty(n, np.int64), np.empty(n, np.int64)
    slots = np.full(64, -1, np.int64)
    of = sequences.values, sequences.offsets
    n_distinct = distinct.number(*of, slots, first, places)
    assert n_distinct == 1 + 31 * 2 and (slots >= 0).sum() == 63
    assert (lengths[first[places]] == lengths).all()


def test_without_equal_strings_or_with_few_all_are_kept():
    for n in (63, 99):
        sequences = read_characters(list(map(str, range(n))))
        assert each_once(sequences) == (sequences, None, slice(None))
    few = read_characters(["a"] * 63)
    assert each_once(few).sequences is few


def test_equal_strings_have_equal_predictions():
    names = [f"{a}{b}" for a in "abcdefghi" for b in "jklmnopqr"]
    classifier = RNNClassifier(4, max_iter=2, random_state=0)
    classifier.fit(names, [name[0] for name in names])
    expected = classifier.decision_function(names)
    found = classifier.decision_function(names[::-1] + names)
    np.testing.assert_array_equal(found, np.concatenate([expected[::-1], expected]))
    h = classifier.encoder_.transform(names + names)
    np.testing.assert_array_equal(h[:81], h[81:])
