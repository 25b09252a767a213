"""Sentences are read as words, and words by what they are made of."""

import numpy as np
import pytest
from ways import by_pickle

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor, RNNTagger
from skrnn._core.subwords import OF_SENTENCES, OF_TAGS, find_subwords, subwords_of
from skrnn._reading import counts
from skrnn._reading.text import are_sentences

SENTENCES = [
    "The cat sat on the mat",
    "A dog ran in the Park today",
    "The cats sat on my hat",
    "Dogs run on and on again",
] * 3
Y = [0, 1] * 6
PARAMS = {"nhidden": 4, "max_iter": 2, "random_state": 0}


@pytest.fixture
def fitted():
    return RNNClassifier(**PARAMS).fit(SENTENCES, Y)


def test_subwords_of_a_word():
    assert subwords_of("Walking") == ["<walking>", "<wal", "ing>", "Xx"]
    assert subwords_of("B-52s") == ["<b-52s>", "<b-5", "52s>", "X-0x"]
    assert subwords_of("The") == ["<the>", None, None, "Xx"]
    assert subwords_of("") == ["<>", None, None, ""]


def test_taggers_read_more_of_a_word():
    expected = ["<word>", "<w", "<wo", "<wor", None, "d>", "rd>", "ord>", None]
    assert subwords_of("Word", OF_TAGS) == [*expected, "Xx", "~Xxxx"]
    last = subwords_of("Extraordinary-1", OF_TAGS)[-3:]
    assert last == ["ry-1>", "Xx-0", "~Xxxxxxxxxxxx"]  # of 12 characters


def test_subwords_are_found_by_word():
    known = {"<wal": 7, "x": 9}
    ids = find_subwords(["walk", "Wall", "he"], known, absent=10)
    assert ids.tolist() == [[0, 7, 0, 9], [0, 7, 0, 0], [0, 10, 10, 9]]


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (SENTENCES, True),
        (["What is it ?", "Who wrote the book ?", "Why do birds sing ?"], True),
        (["Mary Ann van der Berg", "Bo Li", "José García López"], False),
        (["CC(=O)Oc1ccccc1", "C1 CC C1"], False),
        (["ACGTACGT", "GGGTTT"], False),
        (["1 2 3 4 5", "- - - - -"], False),
        (["", ""], False),
        ([], False),
    ],
)
def test_what_sentences_are(X, expected):
    assert are_sentences(X) is expected


def test_sentences_are_words_from_fit_on(fitted):
    assert fitted.kind_ == "words"
    assert "The cat" in fitted.vocabulary_
    by_name = RNNClassifier(**PARAMS, analyzer="word").fit(SENTENCES, Y)
    X = ["x", "The cat"]
    np.testing.assert_array_equal(fitted.predict_proba(X), by_name.predict_proba(X))
    again = fitted.set_params(warm_start=True).fit(["cat", "dog"], [0, 1])
    assert again.kind_ == "words"


@pytest.mark.parametrize(
    "params",
    [
        {"analyzer": "char"},
        {"vocabulary": list("abc ")},
        {"embeddings": {"a": [1.0, 0.0]}},
    ],
)
def test_sentences_are_characters_if_that_is_said(params):
    assert RNNClassifier(**PARAMS, **params).fit(SENTENCES, Y).kind_ == "text"


def test_the_next_step_of_sentences_is_a_character():
    encoder = RNNEncoder(**PARAMS).fit(SENTENCES)
    assert encoder.kind_ == "text"
    words = RNNEncoder(**PARAMS, analyzer="word").fit(SENTENCES)
    assert not hasattr(words, "subwords_")
    assert len(words.U_[0].T) == 1 + len(words.vocabulary_)
    read = RNNEncoder(**PARAMS, analyzer="word", subwords=True).fit(SENTENCES)
    assert len(read.V_) == len(words.V_)  # words are what is predicted


def test_the_ids_of_subwords_follow_those_of_the_vocabulary(fitted):
    n = len(fitted.vocabulary_)
    assert list(fitted.subwords_.values()) == list(
        range(n + 1, n + 1 + len(fitted.subwords_))
    )
    assert list(fitted.subwords_) == sorted(fitted.subwords_)
    assert {"<cats>", "<cat>", "<tod", "day>", "Xx"} <= fitted.subwords_.keys()
    # Column 0 is for what is unknown, the last one for what is absent.
    assert fitted.U_[0].shape[1] == n + len(fitted.subwords_) + 2


def test_h_is_that_of_the_sum_of_the_vectors():
    encoder = RNNEncoder(3, cell="rnn", max_iter=1, random_state=0)
    encoder.fit(SENTENCES, Y)
    known, subwords = encoder.vocabulary_, encoder.subwords_
    x = np.zeros(encoder.U_[0].shape[1])
    # "Catty" is unknown, and so are its lowercase form and its ending.
    assert not {"Catty", "<catty>", "tty>"} & (known.keys() | subwords.keys())
    x[0] = 3
    x[[subwords["<cat"], subwords["Xx"], -1]] = 1  # no bigram ends here
    expected = np.tanh(encoder.U_[0] @ x + encoder.b_[0])
    np.testing.assert_allclose(encoder.transform(["Catty"])[0], expected, rtol=1e-5)


def test_unknown_words_are_told_apart_by_their_subwords(fitted):
    # In many sequences, those with a common beginning share its states.
    X = ["catsup sat", "Catsup sat", "dogged sat", "sat"] * 40
    together = fitted.encoder_.transform(X)
    alone = np.concatenate([fitted.encoder_.transform([x]) for x in X[:4]])
    np.testing.assert_array_equal(together[:4], alone)
    assert len(np.unique(together, axis=0)) == 4


def test_without_subwords_all_unknown_words_are_alike():
    plain = RNNEncoder(**PARAMS, analyzer="word", subwords=False).fit(SENTENCES, Y)
    assert not hasattr(plain, "subwords_")
    h = plain.transform(["catsup sat", "dogged sat"])
    np.testing.assert_array_equal(h[0], h[1])


def test_min_df_and_max_features_limit_subwords():
    X = ["walks walking talks", "walks", "talking"]
    params = {**PARAMS, "analyzer": "word", "ngram_range": (1, 1)}
    rare = RNNClassifier(**params, min_df=2).fit(X, [0, 1, 0])
    assert list(rare.vocabulary_) == ["walks"]
    assert list(rare.subwords_) == ["<tal", "<wal", "<walks>", "ing>", "lks>", "x"]
    few = RNNClassifier(**params, max_features=2).fit(X, [0, 1, 0])
    assert list(few.vocabulary_) == ["talking", "walks"]
    assert list(few.subwords_) == ["<wal", "x"]


def test_tokens_that_are_strings_have_subwords_if_that_is_said():
    X = [["Cats", 1], ["dogs", 2, "Cats"]]
    assert not hasattr(RNNClassifier(**PARAMS).fit(X, [0, 1]), "subwords_")
    model = RNNClassifier(**PARAMS, subwords=True).fit(X, [0, 1])
    names = ["<cat", "<cats>", "<dog", "<dogs>", "Xx", "ats>", "ogs>", "x"]
    assert list(model.subwords_) == names
    unknown = [["catty"], ["doggy"], [3], [4]]
    h = model.encoder_.transform(unknown)
    assert len(np.unique(h, axis=0)) == 3  # integers are alike
    of_strings = RNNClassifier(**PARAMS, subwords=True).fit([["a"], ["b"]], [0, 1])
    with pytest.raises(TypeError, match="The tokens of X are integers, such as 1"):
        of_strings.predict([[1, 2]])
    of_integers = RNNClassifier(**PARAMS, subwords=True).fit([[1], [2]], [0, 1])
    with pytest.raises(TypeError, match="The tokens of X are strings, such as 'a'"):
        of_integers.predict([["a"]])


def test_other_kinds_and_given_vectors_have_no_subwords():
    vectors = {"cat": [1.0, 0.0], "dog": [0.0, 1.0]}
    params = {**PARAMS, "subwords": True}
    for model, X in [
        (RNNClassifier(**params), ["ab", "cd"]),
        (RNNClassifier(**params, analyzer="word", embeddings=vectors), ["cat", "dog"]),
    ]:
        assert not hasattr(model.fit(X, [0, 1]), "subwords_")


def test_a_given_vocabulary_has_subwords_only_if_that_is_said():
    params = {**PARAMS, "analyzer": "word", "vocabulary": ["cat", "dog"]}
    assert not hasattr(RNNClassifier(**params).fit(SENTENCES, Y), "subwords_")
    model = RNNClassifier(**params, subwords=True).fit(SENTENCES, Y)
    assert model.vocabulary_ == {"cat": 1, "dog": 2}
    assert "<cats>" in model.subwords_


def test_chunks_are_read_as_the_first_one():
    model = RNNClassifier(**PARAMS).partial_fit(SENTENCES, Y, classes=[0, 1])
    subwords = model.subwords_
    model.partial_fit(["walk", "dogs"], [0, 1])
    assert model.kind_ == "words" and model.subwords_ == subwords


def test_numbers_are_learned_from_words_and_subwords():
    model = RNNRegressor(**PARAMS).fit(SENTENCES, np.arange(12.0))
    assert model.kind_ == "words" and "<cat>" in model.subwords_
    assert not any(" " in word for word in model.vocabulary_)


@pytest.mark.parametrize("change", ["drop", "number", "type"])
def test_a_damaged_file_is_refused(fitted, change):
    subwords = dict(fitted.subwords_)
    if change == "drop":
        subwords.popitem()
    elif change == "number":
        subwords["<cat>"] = 0
    else:
        subwords[1] = subwords.pop("<cat>")
    fitted.subwords_ = subwords
    with pytest.raises(ValueError, match=r"subwords_|U_"):
        by_pickle(fitted)


def test_subwords_that_were_edited_are_refused(fitted):
    del fitted.subwords_["<cat>"]
    with pytest.raises(ValueError, match="vectors"):
        fitted.predict(["cat"])


def test_a_warm_start_keeps_whether_subwords_are_read(fitted):
    fitted.set_params(warm_start=True, subwords=False)
    with pytest.raises(ValueError, match="whose subwords was 'auto'"):
        fitted.fit(SENTENCES, Y)


def test_unknown_words_are_read_by_their_shape(rng):
    def sentences(words, y):
        styles = [str.title if each else str.lower for each in y]
        return [style(" ".join(rng.choice(words, 5))) for style in styles]

    y = np.arange(100) % 2
    # All words are frequent, so that few would be hidden otherwise.
    model = RNNClassifier(16, max_iter=10, token_dropout=0.2, random_state=0)
    model.fit(sentences(["sun", "moon", "stars", "sky"], y), y)
    assert model.score(sentences(["earth", "wind", "fire"], y), y) > 0.95


def test_width_of_a_step_is_constant():
    for parts in (OF_SENTENCES, OF_TAGS):
        widths = {len(subwords_of(word, parts)) for word in ("a", "Ünïcödé", "1.5", 7)}
        assert widths == {parts.n_subwords}


def test_taggers_remember_which_subwords_they_read(fitted):
    X = [sentence.split() for sentence in SENTENCES]
    tagger = RNNTagger(**PARAMS).fit(
        X, [["a", "b"] * 2 + ["a"] * (len(x) - 4) for x in X]
    )
    assert {
        "<cats>",
        "<c",
        "<ca",
        "<cat",
        "<toda",
        "y>",
        "day>",
        "oday>",
        "x",
        "~xxx",
    } <= (tagger.subwords_.keys())
    again = by_pickle(tagger)
    unknown = [["Catsup", "dogged"]]
    np.testing.assert_array_equal(
        again.predict_proba(unknown), tagger.predict_proba(unknown)
    )
    assert "~xxx" not in fitted.subwords_


def test_taggers_read_the_most_frequent_subwords(monkeypatch):
    X, y = [["walks", "walk", "Ox"]], [["a", "b", "a"]]
    monkeypatch.setattr(counts, "MAX_AUTO_SUBWORDS", 4)
    tagger = RNNTagger(**PARAMS).fit(X, y)
    assert list(tagger.subwords_) == ["<w", "<wa", "<wal", "x"]
    tagger = RNNTagger(**PARAMS, max_features=5).fit(X, y)
    assert list(tagger.subwords_) == ["<o", "<w", "<wa", "<wal", "x"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"lengths": (0,)}, r"_subword_parts\['lengths'\] of .* a tuple of lengths"),
        ({"has_pattern": 2}, r"_subword_parts\['has_pattern'\] of .* True or False"),
        (
            {"shape": True},
            r"_subword_parts\['shape'\] of .* is there instead of missing",
        ),
    ],
)
def test_damaged_subwords_of_taggers_are_refused(change, expected):
    tagger = RNNTagger(**PARAMS).fit([["a", "cat"]], [["x", "y"]])
    tagger._subword_parts = {**tagger._subword_parts, **change}
    with pytest.raises(ValueError, match=expected):
        by_pickle(tagger)
