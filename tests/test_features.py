"""Steps that are sets of features."""

import pickle
import re

import numpy as np
import pytest
from reference import reference_hidden_states, reference_softmax
from ways import WAYS

from skrnn import (
    RNNClassifier,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNTagger,
)
from skrnn._core import subwords, trainer, vocabulary

WORDS = ["The", "cat", "Sat", "on", "a", "Mat", "12", "dogs"]
SMALL = {"nhidden": 4, "max_iter": 10, "random_state": 0}


def features(word):
    of_word = {"word": word.lower(), "is_title": word.istitle(), "bias": 1.0}
    return {**of_word, "end": word[-2:]} if len(word) > 2 else of_word


def names(word):
    """The same, as strings."""
    named = [f"word:{word.lower()}", "bias", *["is_title"] * word.istitle()]
    return [*named, f"end:{word[-2:]}"] if len(word) > 2 else named


def tag(word):
    return "D" if word.isdigit() else "T" if word.istitle() else "O"


def sentences(n_samples, seed=0):
    rng = np.random.default_rng(seed)
    return [list(rng.choice(WORDS, rng.integers(1, 8))) for _ in range(n_samples)]


SENTENCES = sentences(40)
X = [[features(word) for word in words] for words in SENTENCES]
Y = [[tag(word) for word in words] for words in SENTENCES]


@pytest.fixture(scope="module")
def tagger():
    return RNNTagger(**SMALL).fit(X, Y)


def assert_same(one, other, X=X, Z=X):
    for ours, theirs in zip(one.predict_proba(X), other.predict_proba(Z), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_tags_follow_from_features():
    tagger = RNNTagger(8, max_iter=40, random_state=0).fit(X, Y)
    assert tagger.score(X, Y) == 1.0
    assert tagger.kind_ == "features"
    new = [[{"word": "unseen", "is_title": True}, {"word": "7", "bias": True}]]
    assert tagger.predict(new)[0][0] == "T"


def test_names_are_those_of_crfsuite(tagger):
    expected = {name for words in SENTENCES for word in words for name in names(word)}
    assert tagger.vocabulary_ == {
        name: i for i, name in enumerate(sorted(expected), start=1)
    }


def test_x_is_multi_hot():
    """The states are those of the article's loop."""
    tagger = RNNTagger(**SMALL, cell="rnn", bidirectional=False).fit(X, Y)
    W, U, b = tagger.W_[0], tagger.U_[0], tagger.b_[0]
    for words, P in zip(SENTENCES, tagger.predict_proba(X), strict=True):
        x = np.zeros((len(words), U.shape[1]))
        for row, word in zip(x, words, strict=True):
            row[[tagger.vocabulary_[name] for name in names(word)]] = 1.0
        H = reference_hidden_states(W, U, b, x)
        expected = [reference_softmax(tagger.V_ @ h + tagger.intercept_) for h in H]
        np.testing.assert_allclose(P, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize(
    "params", [{}, {"truncate": 2, "dropout": 0.2}, {"token_dropout": 0.5}]
)
def test_padding_stays_at_0(params, is_large, monkeypatch):
    if is_large:  # a vocabulary of which an update moves some vectors only
        monkeypatch.setattr(trainer, "_MANY_TOKENS", -1000)
    tagger = RNNTagger(**SMALL, **params, warm_start=True).fit(X, Y)
    tagger.fit(X, Y)
    tagger.partial_fit(X, Y)
    for U in tagger.U_:
        np.testing.assert_array_equal(U[:, 0], 0.0)
        assert (U[:, 1:] != 0).all()


@pytest.mark.parametrize("is_large", [False, True])
def test_more_padding_changes_nothing(is_large, monkeypatch):
    """The norm by which gradients are clipped included."""
    if is_large:
        monkeypatch.setattr(trainer, "_MANY_TOKENS", -1000)
    monkeypatch.setattr(
        vocabulary, "hiding_probabilities", lambda counts, *_: np.zeros(len(counts))
    )
    # Of one minibatch an epoch, the order makes no difference.
    params = {**SMALL, "max_grad_norm": 0.1, "batch_size": 40}
    expected = RNNTagger(**params).fit(X, Y)
    find = subwords.find_features
    monkeypatch.setattr(
        vocabulary, "find_features", lambda *of: np.pad(find(*of), ((0, 0), (0, 3)))
    )
    padded = RNNTagger(**params).fit(X, Y)
    for ours, theirs in zip(padded.U_, expected.U_, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_some_rows_are_updated_as_all(monkeypatch):
    expected = RNNTagger(**SMALL).fit(X, Y).predict_proba(X)
    monkeypatch.setattr(trainer, "_MANY_TOKENS", -1000)
    found = RNNTagger(**SMALL).fit(X, Y).predict_proba(X)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_unknown_features_are_left_out(tagger):
    new = [[{**step, "new": "one", "is_new": True} for step in x] for x in X]
    assert_same(tagger, tagger, new, X)
    assert_same(tagger, tagger, [[{"is_new": True}], [set()]], [[{}], [()]])


@pytest.mark.parametrize(
    "step",
    [list, tuple, set, frozenset, lambda named: [*named, *named]],
    ids=["list", "tuple", "set", "frozenset", "twice"],
)
def test_steps_may_be_any_sets_of_strings(step, tagger):
    Z = [[step(names(word)) for word in words] for words in SENTENCES]
    assert_same(tagger, tagger, Z, X)
    assert_same(RNNTagger(**SMALL).fit(Z, Y), tagger, Z, X)


def test_a_feature_that_a_dict_names_twice_counts_once(tagger):
    Z = [
        [{**features(word), f"word:{word.lower()}": True} for word in words]
        for words in SENTENCES
    ]
    assert_same(tagger, tagger, Z, X)


@pytest.mark.parametrize(
    "make",
    [
        lambda X: tuple(map(tuple, X)),
        lambda X: [np.array(x, dtype=object) for x in X],
        lambda X: np.array(X, dtype=object),
    ],
)
def test_sequences_may_be_in_other_containers(make, tagger):
    assert_same(tagger, tagger, make(X), X)
    first = [x[:1] for x in X]  # an array of shape (n_samples, 1)
    assert_same(tagger, tagger, make(first), first)


def test_an_analyzer_may_return_features(tagger):
    texts = [" ".join(words) for words in SENTENCES]
    analyzed = RNNTagger(**SMALL, analyzer=features_of_words).fit(texts, Y)
    assert_same(analyzed, tagger, texts, X)


def features_of_words(text):
    return [features(word) for word in text.split()]


def test_batch_mates_make_no_difference(tagger):
    for x, P in zip(X, tagger.predict_proba(X), strict=True):
        np.testing.assert_array_equal(tagger.predict_proba([x])[0], P)


def test_sequences_may_be_empty(tagger):
    assert [len(tags) for tags in tagger.predict([[], [{}], []])] == [0, 1, 0]
    assert_same(RNNTagger(**SMALL).fit([[], *X], [[], *Y]), tagger)


@pytest.mark.parametrize("way", WAYS)
def test_taggers_of_features_are_saved_and_loaded(way, tagger):
    assert_same(way(tagger), tagger)
    chunks = RNNTagger(**SMALL).partial_fit(X[:20], Y[:20], classes=[*"DOT"])
    again = way(chunks)
    assert_same(again.partial_fit(X[20:], Y[20:]), chunks.partial_fit(X[20:], Y[20:]))


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder, RNNRegressor])
def test_sequences_of_features_have_labels_numbers_and_codes(make):
    y = np.array([words[0].istitle() for words in SENTENCES])
    y = y + 0.5 * len(SENTENCES[0]) if make is RNNRegressor else y
    fitted = make(16, max_iter=60, random_state=0).fit(X, y)
    h = getattr(fitted, "encoder_", fitted).transform(X)
    assert h.shape[0] == len(X) and np.isfinite(h).all()
    if make is not RNNEncoder:
        assert fitted.score(X, y) > 0.9
    assert not hasattr(fitted, "wide_coef_")


def test_features_are_chosen_by_frequency_or_given():
    counts = {}
    for words in SENTENCES:
        for name in {name for word in words for name in names(word)}:
            counts[name] = counts.get(name, 0) + 1
    tagger = RNNTagger(**SMALL, min_df=15).fit(X, Y)
    assert {*tagger.vocabulary_} == {name for name, n in counts.items() if n >= 15}
    tagger = RNNTagger(**SMALL, max_features=1).fit(X, Y)
    assert {*tagger.vocabulary_} == {"bias"}
    tagger = RNNTagger(**SMALL, vocabulary=["is_title", "word:12"]).fit(X, Y)
    assert tagger.vocabulary_ == {"is_title": 1, "word:12": 2}


def test_early_stopping_reads_them():
    tagger = RNNTagger(**SMALL, early_stopping=True).fit(X, Y, X_val=X[:9], y_val=Y[:9])
    assert tagger.best_validation_score_ == pytest.approx(tagger.score(X[:9], Y[:9]))


def test_they_are_read_step_by_step():
    tagger = RNNTagger(**SMALL, bidirectional=False).fit(X, Y)
    for x, words in zip(X[:5], SENTENCES, strict=False):
        stream, others = tagger.start(), tagger.start(2)
        expected = tagger.predict_proba([x])[0]
        for step, word, p in zip(x, words, expected, strict=True):
            np.testing.assert_allclose(stream.step(step), [p], rtol=1e-5)
            others = pickle.loads(pickle.dumps(others))
            both = others.step([step, tuple(names(word))])
            np.testing.assert_allclose(both, [p, p], rtol=1e-5)
    assert tagger.start().step(("is_title", "bias")).shape == (1, 3)


def test_tuples_of_numbers_are_still_series():
    X = [[(1, 2), (2, 3)], [(3.0, 1.0)]]
    assert RNNTagger(**SMALL).fit(X, ["xy", "x"]).kind_ == "series"


EXPECTED = (
    "a string was expected, or True, False, 1 or 0, since a feature is there or not."
)
BAD = {
    "a number": (
        [[{"a": 1}, {"length": 3.5}]],
        ValueError,
        f"X[0] has 3.5 as the feature 'length' of step 1: {EXPECTED} Convert it to a "
        "string.",
    ),
    "a missing number": (
        [[{"a": float("nan")}]],
        ValueError,
        f"X[0] has nan as the feature 'a' of step 0: {EXPECTED} Leave it out.",
    ),
    "None": (
        [[{"a": "b"}], [{"a": None}]],
        TypeError,
        f"X[1] has None as the feature 'a' of step 0: {EXPECTED} Leave it out.",
    ),
    "a nested dict": (
        [[{"a": {"b": 1}}]],
        TypeError,
        f"X[0] has a dict as the feature 'a' of step 0: {EXPECTED} Convert it to a "
        "string.",
    ),
    "an integer as a name": (
        [[{1: "a"}]],
        TypeError,
        "X[0] has an int as the name of a feature of step 0: a string was expected. "
        "Convert it.",
    ),
    "an integer in a tuple": (
        [[("a",), ("b", 2)]],
        TypeError,
        "X[0] has an int among the features of step 1: strings were expected. Drop or "
        "convert it.",
    ),
    "a token": (
        [[{"a": 1}, "b"]],
        TypeError,
        "X[0] has a string at step 1: a dict of features, or a list, tuple or set of "
        "strings, was expected. Drop or convert it.",
    ),
    "a string": (
        [[{"a": 1}], "b"],
        TypeError,
        "X[1] is a string, but X[0] is a list of the features of each step: all "
        "sequences must be of one kind. Drop or convert it.",
    ),
    "one sequence": (
        [{"a": 1}, {"b": 1}],
        TypeError,
        "X[0] is a dict: a sequence is a string, a list of tokens (strings or "
        "integers), a list of floats or a numeric array of shape (n_steps,) or "
        "(n_steps, n_features). Use [X] to pass one sequence.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_feature_raises(case):
    bad, error, message = BAD[case]
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        RNNTagger(**SMALL).fit(bad, [["x"] * len(x) for x in bad])


@pytest.mark.parametrize(
    "params, message",
    [
        ({"embeddings": {"a": [1.0, 0.0]}}, "embeddings needs single tokens, but X"),
        ({"ngram_range": (1, 2)}, "ngram_range needs single tokens, but X holds seq"),
        ({"vocabulary": ["a", 1]}, "vocabulary has an int among its tokens: strings"),
    ],
)
def test_what_concerns_single_tokens_raises(params, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        RNNTagger(**SMALL, **params).fit(X, Y)
    with pytest.raises(ValueError, match=r"^wide_ngram_range needs single tokens"):
        RNNClassifier(**SMALL, wide_ngram_range=(1, 2)).fit(X, [0, 1] * 20)


@pytest.mark.parametrize(
    "make, cure",
    [
        (RNNLanguageModel, "Pass one token for each step."),
        (RNNEncoder, "Pass y, or one token for each step."),
    ],
)
def test_features_cannot_be_predicted(make, cure):
    message = "^The next step is predicted, but X holds sequences of features, which"
    with pytest.raises(ValueError, match=f"{message} may be any. {cure}$"):
        make(4).fit(X)


def test_other_kinds_than_in_fit_raise(tagger):
    for other in (SENTENCES, ["text"], [[0.5]]):
        with pytest.raises(TypeError, match="was fitted on sequences of features"):
            tagger.predict(other)
    tokens = RNNTagger(**SMALL).fit(SENTENCES, Y)
    with pytest.raises(
        TypeError, match=r"^X holds sequences of features, but RNNTagger"
    ):
        tokens.predict(X)
