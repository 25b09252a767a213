"""Several tokens at a step: in the kernels, in the vocabulary, and end to end."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    ARCHITECTURES,
    LABELS,
    N_INPUTS,
    OFFSETS,
    as_read,
    loss_and_gradient,
    random_weights,
)
from sklearn.feature_extraction.text import CountVectorizer

from skrnn import RNNClassifier, RNNEncoder
from skrnn._core import ngrams, vocabulary
from skrnn._core.counts import learn_vocabulary
from skrnn._core.encode import encode
from skrnn._reading.lists import read_sequences
from skrnn._reading.text import read_words

texts = st.lists(st.text("abAé ", min_size=1, max_size=12), min_size=1, max_size=8)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_several_tokens_at_a_step_equal_a_multi_hot_vector(name):
    weights = random_weights(ARCHITECTURES[name])
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(N_INPUTS, (OFFSETS[-1], 3), generator=generator)
    one_hot = torch.nn.functional.one_hot(ids, N_INPUTS).sum(1).double()
    ones = torch.ones(5, dtype=torch.float64)
    results = []
    for values in (ids, ids.int(), one_hot):
        of = values, "cross_entropy", LABELS, ones
        total, gradient = loss_and_gradient(weights, *of)
        codes = encode(weights, as_read(values), OFFSETS)
        results.append([total, gradient.flat, torch.from_numpy(codes)])
    for other in results[:2]:
        torch.testing.assert_close(other, results[2], rtol=1e-10, atol=1e-13)
    shared = encode(weights, as_read(ids), OFFSETS, keys=np.arange(OFFSETS[-1]))
    np.testing.assert_allclose(shared, results[2][2], rtol=1e-10, atol=1e-13)


def naive_ids(X, known, min_n, max_n):
    """The ids of the grams that end at each step, with loops."""
    return [
        [
            known.get("".join(x[t - n + 1 : t + 1]), 0)
            if t - n + 1 >= 0
            else len(known) + 1
            for n in range(min_n, max_n + 1)
        ]
        for x in X
        for t in range(len(x))
    ]


@given(texts, st.integers(1, 3), st.integers(0, 3), st.booleans())
def test_grams_that_end_at_each_step(X, min_n, more, is_sparse):
    max_n = min_n + more
    with pytest.MonkeyPatch.context() as patch:
        if is_sparse:
            patch.setattr(ngrams, "_MAX_TABLE", 0)
        check_grams(X, min_n, max_n)


def check_grams(X, min_n, max_n):
    sequences = read_sequences(X)
    known = learn_vocabulary(sequences, (min_n, max_n))
    table = vocabulary.make_gram_table(known, "text")
    ids, keys = vocabulary.find_ids(sequences, known, (min_n, max_n), table)
    expected = naive_ids(X, known, min_n, max_n)
    assert ids.reshape(len(keys), -1).tolist() == expected
    other = read_sequences(["aXb", "XA", "bbbbbb"])
    ids, _ = vocabulary.find_ids(other, known, (min_n, max_n), table)
    expected = naive_ids(["aXb", "XA", "bbbbbb"], known, min_n, max_n)
    assert ids.reshape(len(other.values), -1).tolist() == expected


def counted_grams(sequences, max_n):
    """How often each gram occurs, and in how many sequences, by its name."""
    distinct, numbers = np.unique(sequences.values, return_inverse=True)
    is_text = sequences.kind == "text"
    tokens = [chr(i) if is_text else sequences.tokens[i] for i in distinct]
    found = {}
    for grams, counts, n_sequences in ngrams.count_grams(
        numbers, sequences.offsets, max_n
    ):
        for gram, *both in zip(grams.tolist(), counts, n_sequences, strict=True):
            name = ("" if is_text else " ").join(tokens[i] for i in gram)
            found[name] = tuple(both)
    return found


@pytest.mark.parametrize("kind", ["text", "words"])
@given(
    st.data(),
    st.integers(1, 3),
    st.integers(0, 2),
    st.one_of(st.integers(1, 4), st.floats(0, 1)),
    st.one_of(st.none(), st.integers(1, 6)),
)
def test_grams_and_counts_are_those_of_CountVectorizer(
    kind, data, min_n, more, min_df, most
):
    alphabet = "abé" if kind == "text" else "ab "
    strings = st.text(alphabet, min_size=1, max_size=12).filter(str.strip)
    X = data.draw(st.lists(strings, min_size=1, max_size=8))
    sequences = read_sequences(X) if kind == "text" else read_words(X, str.split)
    ngram_range = (min_n, min_n + more)
    vectorizer = CountVectorizer(
        analyzer="char" if kind == "text" else "word",
        token_pattern=None if kind == "text" else r"\S+",
        lowercase=False,
        ngram_range=ngram_range,
        min_df=min_df,
    )
    ours = learn_vocabulary(sequences, ngram_range, min_df)
    assert list(ours.values()) == list(range(1, len(ours) + 1))
    try:
        matrix = vectorizer.fit_transform(X).toarray()
    except ValueError:  # no terms remain
        assert ours == {}
        return
    columns = zip(matrix.sum(axis=0), (matrix > 0).sum(axis=0), strict=True)
    theirs = dict(zip(vectorizer.get_feature_names_out(), columns, strict=True))
    assert ours.keys() == theirs.keys()
    counts = counted_grams(sequences, ngram_range[1])
    assert {gram: counts[gram] for gram in ours} == theirs
    # Which grams that occur equally often are kept is left open there: here the first.
    kept = learn_vocabulary(sequences, ngram_range, min_df, most)
    by_count = sorted(ours, key=lambda gram: (-theirs[gram][0], ours[gram]))
    assert list(kept) == sorted(by_count[:most], key=ours.get)


def test_max_features_keeps_what_occurs_most_often():
    X = ["aab", "ab", "aac"]
    sequences = read_sequences(X)
    assert learn_vocabulary(sequences, max_features=2) == {"a": 1, "b": 2}
    grams = learn_vocabulary(sequences, (1, 2), max_features=3)
    assert grams == {"a": 1, "b": 2, "aa": 3}


def test_grams_of_words_and_of_tokens_have_names():
    X = ["to be or", "be to"]
    params = {"ngram_range": (1, 2), "token_dropout": 0.0, "max_iter": 1}
    words = RNNEncoder(2, analyzer="word", subwords=False, **params)
    tokens = RNNEncoder(2, **params)
    words.fit(X, [0, 1])
    tokens.fit([text.split() for text in X], [0, 1])
    assert list(words.vocabulary_) == ["be", "or", "to", "be or", "be to", "to be"]
    pairs = [("be", "or"), ("be", "to"), ("to", "be")]
    assert list(tokens.vocabulary_) == ["be", "or", "to", *pairs]
    assert words.kind_ == "words" and tokens.kind_ == "tokens"
    words.set_params(random_state=0).fit(X, [0, 1])
    tokens.set_params(random_state=0).fit([text.split() for text in X], [0, 1])
    np.testing.assert_array_equal(
        words.transform(["be or to"]), tokens.transform([["be", "or", "to"]])
    )


@pytest.mark.parametrize("bidirectional", [False, True])
def test_codes_do_not_depend_on_batch_mates(bidirectional):
    X = ["abcab", "abc", "abx", "abcab", "b", "xbcab"]
    encoder = RNNEncoder(
        4, ngram_range=(1, 3), bidirectional=bidirectional, max_iter=2, random_state=0
    ).fit(X, [0, 1] * 3)
    together = encoder.transform(X)
    for text, h in zip(X, together, strict=True):
        np.testing.assert_array_equal(encoder.transform([text])[0], h)
    assert np.abs(together[0] - together[5]).max() > 1e-3


def test_bigrams_show_what_single_tokens_cannot():
    # Blind to order but for the bigrams.
    X, y = ["ab", "ba"] * 20, [0, 1] * 20
    params = {"cell": "rnn", "activation": "identity", "recurrence": "identity"}
    params |= {"token_dropout": 0.0, "max_iter": 75, "random_state": 0}
    params["wide_ngram_range"] = None
    scores = [
        RNNClassifier(8, ngram_range=(1, n), **params).fit(X, y).score(X, y)
        for n in (1, 2)
    ]
    assert scores == [0.5, 1.0]


def test_parameters_that_are_set_after_fit_wait_for_the_next_fit():
    X = ["abc", "bca"]
    encoder = RNNEncoder(2, ngram_range=(1, 2), max_iter=1, random_state=0)
    before = encoder.fit(X, [0, 1]).transform(X)
    after = encoder.set_params(ngram_range=(1, 1)).transform(X)
    np.testing.assert_array_equal(before, after)
    texts = ["Ab cd", "cd"]
    encoder = RNNEncoder(2, analyzer="word", max_iter=1, random_state=0)
    before = encoder.fit(texts, [0, 1]).transform(texts)
    encoder.set_params(analyzer="char", lowercase=True, max_length=1)
    np.testing.assert_array_equal(before, encoder.transform(texts))
    series = [np.array([1.0, np.nan]), np.array([2.0])]
    encoder = RNNEncoder(2, missing="mask", max_iter=1, random_state=0)
    before = encoder.fit(series, [0, 1]).transform(series)
    after = encoder.set_params(missing="error").transform(series)
    np.testing.assert_array_equal(before, after)


def test_a_given_vocabulary_is_kept_in_its_order():
    X, y = ["ab", "ba"], [0, 1]
    for known in (["b", "a", "ab"], ("b", "a", "ab"), {"a": 7, "b": 3, "ab": 9}):
        encoder = RNNEncoder(2, vocabulary=known, ngram_range=(1, 2), max_iter=1)
        assert encoder.fit(X, y).vocabulary_ == {"b": 1, "a": 2, "ab": 3}
        assert encoder.U_[0].shape == (6, 5)
    assert RNNEncoder(2, vocabulary={"b", "a"}, max_iter=1).fit(X, y).vocabulary_ == {
        "a": 1,
        "b": 2,
    }


@pytest.mark.parametrize(
    "params, message",
    [
        (
            {"vocabulary": []},
            "vocabulary is empty: at least one token is needed.",
        ),
        (
            {"vocabulary": ["a", "b", "a"]},
            "vocabulary has 'a' twice. Drop one of them.",
        ),
        (
            {"min_df": 3},
            "After pruning, no terms remain: no token or n-gram of X is in min_df=3 "
            "sequences. Lower min_df or the first n of ngram_range='auto'.",
        ),
        (
            {"ngram_range": (3, 3)},
            "After pruning, no terms remain: no token or n-gram of X is in min_df=1 "
            "sequences. Lower min_df or the first n of ngram_range=(3, 3).",
        ),
        (
            {"ngram_range": (2, 1)},
            "ngram_range is (2, 1): the smallest and the largest n were expected, such "
            "as (1, 3).",
        ),
        (
            {"ngram_range": (1, 2, 3)},
            "ngram_range is (1, 2, 3): the smallest and the largest n were expected, "
            "such as (1, 3).",
        ),
    ],
)
def test_vocabularies_that_cannot_be(params, message):
    with pytest.raises(ValueError) as caught:
        RNNEncoder(2, max_iter=1, **params).fit(["ab", "ba"], [0, 1])
    assert str(caught.value) == message


def test_words_with_spaces_are_refused_where_they_stand_in_X():
    X, params = ["x y", "a,b", "c,a,b c,x y"], {"token_pattern": "[^,]+"}
    encoder = RNNEncoder(2, analyzer="word", ngram_range=(1, 2), max_iter=1, **params)
    sentence = r"^X\[2\] has the word 'b c' at step 2: words without spaces were "
    with pytest.raises(ValueError, match=sentence):
        encoder.fit(X, [0, 1, 0], [0, 1, 1])  # the first one is as good as removed
    encoder.fit(X, [0, 1, 0], [0, 1, 0])


def test_a_set_of_tokens_of_several_types_is_sorted():
    known = {"b", 2, "a", 1, ("a", 1), (1, "a")}
    encoder = RNNEncoder(2, vocabulary=known, ngram_range=(1, 2), max_iter=1)
    encoder.fit([["a", 1], [2]], [0, 1])
    assert list(encoder.vocabulary_) == [1, 2, "a", "b", (1, "a"), ("a", 1)]


@pytest.mark.parametrize("min_df", [2, np.int64(2)])
def test_min_df_is_a_number_of_sequences_as_an_integer_of_any_type(min_df):
    encoder = RNNEncoder(2, min_df=min_df, max_iter=1).fit(["ab", "bc"], [0, 1])
    assert list(encoder.vocabulary_) == ["b"]


def test_n_larger_than_any_sequence_takes_no_memory():
    X, params = ["ab", "bab"], {"max_iter": 1, "random_state": 0}
    some = RNNEncoder(2, ngram_range=(1, 3), **params).fit(X, [0, 1])
    all_of_them = RNNEncoder(2, ngram_range=(1, 10**30), **params).fit(X, [0, 1])
    assert all_of_them.vocabulary_ == some.vocabulary_
    np.testing.assert_array_equal(all_of_them.transform(X), some.transform(X))
