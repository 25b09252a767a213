"""RNNLanguageModel: probabilities that sum to 1, streams, samples, and bad input."""

import copy
import itertools
import math
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from ways import WAYS

from skrnn import RNNLanguageModel
from skrnn._core.generate import StepByStep
from skrnn._core.samples import Samples
from skrnn._core.steps import Steps
from skrnn._core.trainer import Trainer
from skrnn._heads.language import LanguageHead, in_streams

WORDS = ["ab", "ba", "aab", "b", "", "abba"] * 6
TEXT = "one two three four " * 30
SERIES = [np.sin(0.4 * np.arange(n) + n) for n in range(12, 30)]
NETWORKS = [
    {"cell": "rnn"},
    {"cell": "gru"},
    {"cell": "lstm"},
    {"cell": "lstm", "nhidden": (5, 4)},
]


def fitted(X, **params):
    params = {"nhidden": 6, "max_iter": 3, "random_state": 0, **params}
    return RNNLanguageModel(**params).fit(X)


@pytest.fixture(scope="module")
def words():
    return fitted(WORDS, max_iter=20)


@pytest.fixture(scope="module")
def text():
    return fitted(TEXT, nhidden=24, max_iter=200)


@pytest.fixture(scope="module")
def series():
    return fitted(SERIES, nhidden=16, max_iter=60)


# Probabilities


@pytest.mark.parametrize("params", NETWORKS)
def test_probabilities_of_all_strings_sum_to_1(params):
    model = fitted(WORDS, **params)
    assert model.learns_end_ and model.tokens_ == [None, "a", "b"]
    strings = [
        "".join(letters)
        for n in range(7)
        for letters in itertools.product("ab", repeat=n)
    ]
    p = np.exp(model.score_samples(strings))
    # The mass of longer ones: no string of six has ended there.
    longest = slice(-(2**6), None)
    p_end = model.next_proba(strings[longest])[:, 0]
    longer = p[longest] / p_end * (1 - p_end)
    assert p.sum() + longer.sum() == pytest.approx(1, abs=1e-6)
    assert longer.sum() > 0.001


@pytest.mark.parametrize("params", NETWORKS)
def test_the_probability_of_a_sequence_is_that_of_its_steps(params):
    model = fitted(WORDS, **params)
    for word in ("", "b", "abba", "aaaaaa"):
        stream, total = model.start(), 0.0
        for token in word:
            total += np.log(stream.next[0, model.tokens_.index(token)])
            stream.step(token)
        total += np.log(stream.next[0, 0])
        assert model.score_samples([word])[0] == pytest.approx(total, rel=1e-5)


def test_scores_are_means_per_token(words):
    X, weight = ["ab", "", "b"], [1.0, 0.0, 3.0]
    log_p = words.score_samples(X)
    assert log_p.shape == (3,) and (log_p < 0).all()
    assert words.score(X) == pytest.approx(log_p.sum() / (3 + 1 + 2))
    weighted = (log_p[0] + 3 * log_p[2]) / (3 + 3 * 2)
    assert words.score(X, sample_weight=weight) == pytest.approx(weighted)
    assert words.perplexity(X) == pytest.approx(np.exp(-words.score(X)))
    perplexity = words.perplexity(X, sample_weight=weight)
    assert perplexity == pytest.approx(np.exp(-weighted))
    many = X * 40  # of which each is read once
    np.testing.assert_array_equal(words.score_samples(many), np.tile(log_p, 40))


def test_a_text_has_no_end(text):
    assert not text.learns_end_ and None not in text.tokens_
    assert text.tokens_ == sorted(set(TEXT))
    p = text.next_proba(["one t", ""])
    assert p.shape == (2, len(text.tokens_))
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert text.score(TEXT) == text.score([TEXT]) > -0.3
    # Each token counts, the first one included.
    (log_p,) = text.score_samples("one")
    assert text.score("one") == pytest.approx(log_p / 3)


def test_what_is_learned_of_the_end():
    assert fitted([TEXT, TEXT]).learns_end_
    assert not fitted([TEXT, TEXT], learn_end=False).learns_end_
    assert fitted(TEXT, learn_end=True).tokens_[0] is None
    with_end = fitted(["abc"] * 20, max_iter=60, nhidden=16)
    assert with_end.next_proba(["abc"])[0, 0] > 0.9
    without = fitted(["abc"] * 20, max_iter=60, nhidden=16, learn_end=False)
    assert len(without.sample(prompt="abc", max_length=4)[0]) == 7


def test_unknown_tokens_are_left_out_of_scores(words):
    with pytest.warns(UserWarning, match=r"1 of 3 tokens of X are not in tokens_"):
        (log_p,) = words.score_samples(["a?b"])
    stream, expected = words.start(), 0.0
    for token, known in (("a", "a"), ("?", None), ("b", "b")):
        if known:
            expected += np.log(stream.next[0, words.tokens_.index(known)])
        stream.step(token)
    expected += np.log(stream.next[0, 0])
    assert log_p == pytest.approx(expected, rel=1e-5)


def test_unknown_tokens_are_counted_in_all_sequences():
    model = fitted(["ab", "ba"] * 9)
    message = r"^500 of 2,000 tokens of X are not in tokens_: they are left out of"
    with pytest.warns(UserWarning, match=message):
        model.score(["a?"] * 500 + ["ab"] * 500)


def test_tokens_without_an_output_are_left_out_of_scores():
    vectors = {token: np.eye(3)[i] for i, token in enumerate("abz")}
    model = fitted(["abab", "ab"] * 9, embeddings=vectors)
    assert "z" in model.vocabulary_ and model.tokens_ == [None, "a", "b"]
    with pytest.warns(UserWarning, match=r"^2 of 3 tokens of X are not in tokens_"):
        model.score_samples(["zaz"])
    sentence = r"^stop is 'z', a string that is never drawn, since not all of it is in"
    for draw in (model.sample, model.iter_sample):
        with pytest.raises(ValueError, match=sentence):
            draw(stop="z")


def test_series_are_scored_by_squared_errors(series):
    stream, total = series.start(), 0.0
    for number, following in itertools.pairwise(SERIES[0]):
        (expected,) = stream.step(number)
        total += ((expected - following) / series.scale_) ** 2
    assert not series.learns_end_
    log_p = series.score_samples(SERIES[:1])
    assert log_p.shape == (1,) and log_p[0] < 0
    # The difference from the last step is predicted as well.
    assert -2 * log_p[0] > total[0] / 2
    without = fitted(SERIES, differences=0)
    stream, total = without.start(), 0.0
    for number, following in itertools.pairwise(SERIES[0]):
        total += ((stream.step(number) - following) / without.scale_).item() ** 2
    assert without.score_samples(SERIES[:1])[0] == pytest.approx(-total / 2, rel=1e-4)


def test_transform_is_the_state_of_a_stream(words, series):
    h = words.transform(["abb", ""])
    assert h.shape == (2, 6) and h.dtype == np.float32
    stream = words.start()
    np.testing.assert_array_equal(stream.h[0], h[1])
    for token in "abb":
        stream.step(token)
    np.testing.assert_allclose(stream.h[0], h[0], rtol=1e-6)
    assert len(words.get_feature_names_out()) == 6
    stream = series.start()
    for number in SERIES[3]:
        stream.step([number])
    np.testing.assert_allclose(stream.h, series.transform(SERIES[3:4]), rtol=1e-5)


# Streams


@pytest.mark.parametrize("params", NETWORKS)
def test_streams_are_as_batch_prediction(params):
    model = fitted(WORDS, **params)
    X = ["abbaab", "bbbaaa", "ababab"]
    stream = model.start(len(X))
    for t in range(6):
        p = stream.step([x[t] for x in X])
        expected = model.next_proba([x[: t + 1] for x in X])
        np.testing.assert_allclose(p, expected, rtol=1e-6)
        np.testing.assert_array_equal(p, stream.next)


@pytest.mark.parametrize("differences", [0, 1, 2])
def test_streams_of_series_are_as_batch_prediction(differences, rng):
    X = rng.normal(size=(4, 7, 3))
    model = fitted(X, differences=differences)
    stream = model.start(4)
    for t in range(7):
        stream.step(X[:, t])
        np.testing.assert_allclose(stream.h, model.transform(X[:, : t + 1]), rtol=1e-4)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, "pickle"])
def test_streams_are_copied_between_two_steps(copied, words, series):
    for model, first, second in ((words, "ab", "ba"), (series, [1.0, 0], [0.5, 2])):
        stream = model.start(2)
        stream.step(first)
        if copied == "pickle":
            other = pickle.loads(pickle.dumps(stream))
        else:
            other = copied(stream)
        expected = stream.step(second).copy()
        np.testing.assert_array_equal(other.step(second), expected)
        other.step(first)  # in memory of its own
        np.testing.assert_array_equal(stream.next, expected)


def test_a_stream_keeps_the_model(words):
    model = copy.deepcopy(words)
    stream = model.start()
    expected = stream.step("a").copy()
    stream = model.start()
    model.fit(["xx"] * 9)
    np.testing.assert_array_equal(stream.step("a"), expected)


def test_numbers_are_one_row_for_each_stream():
    X = np.random.default_rng(0).normal(size=(4, 7, 3))
    stream = fitted(X, max_iter=1).start(2)
    with pytest.raises(ValueError, match=r"^An array of shape \(3, 2\) was passed to"):
        stream.step(np.zeros((3, 2)))
    assert stream.step(np.zeros((2, 3))).shape == (2, 3)


def test_tokens_of_other_kinds_are_streamed():
    numbers = fitted([[1, 2, 3], [3, 2]] * 9)
    assert numbers.tokens_ == [None, 1, 2, 3]
    for step in (2, [2], np.array([2]), np.int64(2), torch.tensor(2)):
        np.testing.assert_allclose(
            numbers.start().step(step), numbers.next_proba([[2]]), rtol=1e-6
        )
    sentences = fitted(["to be or not", "to be"] * 9, analyzer="word")
    np.testing.assert_allclose(
        sentences.start().step("to"), sentences.next_proba(["to"]), rtol=1e-6
    )
    vectors = {token: np.eye(4)[i] for i, token in enumerate("abcd")}
    with_vectors = fitted(["abc", "cba"] * 9, embeddings=vectors)
    np.testing.assert_allclose(
        with_vectors.start().step("b"), with_vectors.next_proba(["b"]), rtol=1e-6
    )


# Samples


def test_samples_follow_the_probabilities(words):
    n = 4000
    for prompt in ("", "ab"):
        first = [s[len(prompt) :][:1] for s in words.sample(n, prompt, random_state=1)]
        (p,) = words.next_proba([prompt])
        for token, expected in zip(["", "a", "b"], p, strict=True):
            error = np.sqrt(expected * (1 - expected) / n)
            assert first.count(token) / n == pytest.approx(expected, abs=4 * error)
    strings = words.sample(n, random_state=2)
    for string in ("", "b", "ab", "ba", "aab"):
        expected = np.exp(words.score_samples([string])[0])
        error = np.sqrt(expected * (1 - expected) / n)
        assert strings.count(string) / n == pytest.approx(expected, abs=4 * error)


def test_seeds_make_samples_reproducible(words):
    ours = words.sample(20, random_state=3)
    assert ours == words.sample(20, random_state=3)
    assert ours == words.sample(20, random_state=np.random.RandomState(3))
    assert ours != words.sample(20, random_state=4)
    assert words.sample(40) != words.sample(40)
    tokens = "".join(words.iter_sample("ab", random_state=5))
    assert words.sample(1, "ab", random_state=5) == ["ab" + tokens]


def test_the_global_generator_is_left_alone(words):
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    words.sample(3)
    assert np.random.random() == expected


def test_prompt_and_length(text):
    assert text.sample(2, "one t", max_length=8, temperature=0) == ["one two three"] * 2
    for sample in text.sample(3, "two t", max_length=5, top_k=1):
        assert sample == "two three "
    assert len(text.sample(max_length=5)[0]) == 5
    assert len(text.sample()[0]) == 200


@pytest.mark.parametrize("overlong", ["error", "first", "last"])
def test_prompts_are_read_to_their_end(overlong):
    X, prompt = ["abc", "ba", "c"] * 9, "abca"
    model = fitted(X, max_length=3, overlong=overlong)
    stream = fitted(X).start()
    expected = [stream.step(token)[0] for token in prompt][-1]
    _, p = next(model.iter_sample(prompt, return_proba=True, random_state=1))
    np.testing.assert_array_equal(p, expected)


def test_an_analyzer_reads_prompts_too():
    model = fitted(["to be", "or not to be"] * 20, analyzer=str.split, max_iter=60)
    greedy = {"temperature": 0}
    assert model.sample(1, "or not", **greedy) == [["or", "not", "to", "be"]]
    assert model.sample(1, "", **greedy) == model.sample(1, **greedy)
    shouting = fitted(["ab", "abc"] * 9, analyzer=str.upper)
    assert shouting.sample(1, "ab", max_length=1)[0][:2] == "AB"
    numbers = fitted(
        ["1 2 3 4", "3 1 2"], analyzer=lambda text: np.array(text.split(), float)
    )
    assert numbers.sample(1, "1 2", max_length=3)[0].shape == (5, 1)


@pytest.mark.parametrize("make", [np.array, torch.tensor, tuple])
def test_prompts_are_written_as_they_are_read(make):
    tokens = fitted([[1, 2, 1], [2, 1]] * 9)
    (sample,) = tokens.sample(1, make([1, 2]), max_length=3, random_state=0)
    assert sample[:2] == [1, 2] and {*map(type, sample)} == {int}
    if make is not torch.tensor:
        strings = fitted([["a", "b"], ["b", "a"]] * 9)
        (sample,) = strings.sample(1, make(["a"]), max_length=3, random_state=0)
        assert {*map(type, sample)} == {str}


def test_temperature_0_is_greedy(words, text):
    prompt, tokens = "one", ""
    for _ in range(10):
        tokens += text.tokens_[text.next_proba([prompt + tokens])[0].argmax()]
    assert text.sample(1, prompt, max_length=10, temperature=0) == [prompt + tokens]
    cold = words.sample(50, temperature=1e-6, random_state=0)
    assert set(cold) == set(words.sample(1, temperature=0))
    hot = words.sample(300, temperature=100.0, max_length=1, random_state=0)
    assert min(map(hot.count, ("", "a", "b"))) > 60


def test_only_likely_tokens_are_drawn(words):
    (p,) = words.next_proba([""])
    likeliest = words.tokens_[p.argmax()] or ""
    params = {"max_length": 1, "random_state": 0}
    for one in ({"top_k": 1}, {"top_p": 1e-6}, {"top_p": p.max() - 0.001}):
        assert set(words.sample(99, **one, **params)) == {likeliest}
    two = {words.tokens_[i] or "" for i in np.argsort(-p)[:2]}
    assert set(words.sample(300, top_k=2, **params)) == two
    assert set(words.sample(300, top_p=p.max() + 0.001, **params)) == two
    assert len(set(words.sample(300, top_k=99, top_p=1.0, **params))) == 3


def test_stops(text):
    greedy = {"max_length": 30, "temperature": 0}
    (whole,) = text.sample(1, "one ", **greedy)
    assert whole.startswith("one two three")
    assert text.sample(1, "one ", stop=" ", **greedy) == ["one two "]
    assert text.sample(1, "one ", stop="thr", **greedy) == ["one two thr"]
    assert text.sample(1, "one ", stop=["thr", "wo"], **greedy) == ["one two"]
    # What the prompt has is no stop.
    assert text.sample(1, "on", stop="one", **greedy)[0].count("one") == 2
    assert "".join(text.iter_sample("one ", stop="thr", **greedy)) == "two thr"
    for sample in text.sample(20, stop="e", random_state=0):
        assert len(sample) == 200 or sample.index("e") == len(sample) - 1


def test_tokens_come_with_their_probabilities(words):
    pairs = list(words.iter_sample("a", random_state=1, return_proba=True))
    sample = "a"
    for token, p in pairs:
        np.testing.assert_allclose(p, words.next_proba([sample])[0], rtol=1e-6)
        sample += token
    assert words.sample(1, "a", random_state=1) == [sample]
    greedy = words.iter_sample("a", temperature=0, max_length=1, return_proba=True)
    assert all(0.01 < p.max() < 0.99 for _, p in greedy)


def test_each_token_is_drawn_from_one_product(words, monkeypatch):
    seen, scores = [], StepByStep.scores
    monkeypatch.setattr(
        StepByStep, "scores", lambda self: seen.append(1) or scores(self)
    )
    (sample,) = words.sample(1, "a", max_length=5, random_state=0)
    assert len(seen) <= len(sample)


def test_samples_are_of_the_kind_of_X(series):
    tokens = fitted([["x", 1], ["y", 1, 1]] * 9)
    assert tokens.sample(1, ["x"], max_length=1, top_k=1) == [["x", 1]]
    assert all(isinstance(s, list) for s in tokens.sample(3))
    sentences = fitted(["to be", "or not to be"] * 20, analyzer="word", max_iter=60)
    assert sentences.sample(1, "or not", temperature=0) == ["or not to be"]
    assert set(sentences.iter_sample("or")) <= {"to", "be", "or", "not"}
    (sample,) = series.sample(1, SERIES[-1][:20], max_length=5)
    assert sample.shape == (25,) and sample.dtype == np.float32
    np.testing.assert_allclose(sample[20:], SERIES[-1][20:25], atol=0.3)
    np.testing.assert_array_equal(sample[:20], SERIES[-1][:20].astype(np.float32))
    numbers = list(series.iter_sample(SERIES[-1][:20], max_length=5))
    np.testing.assert_array_equal(np.ravel(numbers), sample[20:])
    table = fitted(np.stack([SERIES[0][:9], SERIES[1][:9]]))
    assert table.sample(2, [[0.5], [0.25]], max_length=3)[0].shape == (5, 1)


def test_lowercase_is_for_prompts_too():
    model = fitted(["Anna", "Hanna"] * 9, lowercase=True)
    np.testing.assert_array_equal(model.next_proba(["HA"]), model.next_proba(["ha"]))
    np.testing.assert_allclose(model.start().step("H"), model.next_proba(["H"]), 1e-6)
    (upper,), (lower,) = (model.sample(1, p, temperature=0) for p in ("HA", "ha"))
    assert upper[:2] == "HA" and upper[2:] == lower[2:] != ""


# Training


def samples_of(lengths):
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.arange(1, offsets[-1] + 1, dtype=np.int32)
    weight = np.ones(len(lengths))
    samples = Samples(Steps(values, offsets), None, weight, np.arange(len(lengths)))
    head = LanguageHead(_n_outputs=len(values) + 1, learns_end=True)
    begun = head.begun(samples.steps)
    return head.samples_of(Samples(begun, None, weight, samples.positions)), values


@pytest.mark.parametrize(
    "lengths, n_streams, truncate, n_parts",
    [
        ([100], 4, 10, [4]),
        ([100], 4, 40, [3]),  # not shorter than truncate
        ([100], 4, 200, [1]),
        ([99, 1, 0], 10, 5, [10, 1, 1]),
        ([3, 4, 5], 2, 1, [1, 1, 1]),
    ],
)
def test_long_sequences_are_cut_into_streams(lengths, n_streams, truncate, n_parts):
    samples, values = samples_of(lengths)
    cut = in_streams(samples, n_streams, truncate)
    assert np.bincount(cut.positions).tolist() == n_parts
    assert np.ptp(cut.steps.lengths[: n_parts[0]]) <= 1
    # All steps are as they were, and what comes after them.
    np.testing.assert_array_equal(cut.steps.values, samples.steps.values)
    np.testing.assert_array_equal(cut.target, samples.target)
    assert cut.target[cut.weight > 0].tolist().count(0) == len(lengths)
    assert sorted(cut.target[cut.target > 0]) == values.tolist()


def test_states_are_carried_over():
    """What is to be remembered lies further back than gradients reach."""
    text = "".join(f"{a}........" for a in "abcabc" * 40)
    model = fitted(text, nhidden=32, cell="gru", truncate=12, batch_size=4, max_iter=60)
    without = fitted(
        [text[i : i + 9] for i in range(0, len(text), 9)], nhidden=32, max_iter=60
    )
    of_letters = {}
    for name, each in (("text", model), ("parts", without)):
        p = each.next_proba(["a........b........"])[0]
        of_letters[name] = p[each.tokens_.index("c")]
    assert of_letters["text"] > 0.9 > of_letters["parts"]


def test_masks_are_drawn_for_each_update(monkeypatch):
    seen = []
    local = Trainer._of_network

    def spied(self, *arguments):
        updates = local(self, *arguments)
        of = updates.local

        def noted(batches):
            seen.append([mask.numpy().copy() for mask in batches[0].masks])
            return of(batches)

        updates.local = noted
        return updates

    monkeypatch.setattr(Trainer, "_of_network", spied)
    fitted(TEXT, dropout=0.5, truncate=20, batch_size=4, max_iter=1)
    assert len(seen) > 3
    assert any((a[0] != b[0]).any() for a, b in itertools.pairwise(seen))


@pytest.mark.parametrize("X", [TEXT, WORDS, SERIES], ids=["text", "words", "series"])
def test_dropout_of_connections_makes_a_difference(X):
    plain, other = fitted(X), fitted(X, recurrent_dropout=0.5)
    assert (plain.W_[0] != other.W_[0]).any()
    again = fitted(X, recurrent_dropout=0.5)
    np.testing.assert_array_equal(other.W_[0], again.W_[0])
    assert (other.W_[0] != 0).all()  # those dropped came back


def test_early_stopping_holds_out_the_end_of_a_text():
    text = TEXT + "!one two" * 10
    fraction = 80 / len(text)
    model = fitted(text, early_stopping=True, validation_fraction=fraction)
    assert set(model.vocabulary_) == set(TEXT)
    model = fitted(TEXT, early_stopping=True, max_iter=30, nhidden=16)
    held_out = TEXT[-math.ceil(model.validation_fraction * len(TEXT)) :]
    assert model.score(held_out) == pytest.approx(model.best_validation_score_)


@pytest.mark.parametrize("n_steps", [40, 400])  # the latter is longer than truncate
def test_early_stopping_judges_by_the_score(n_steps):
    params = {"early_stopping": True, "truncate": 50}
    model = RNNLanguageModel(6, max_iter=3, random_state=0, **params)
    model.fit(TEXT, X_val=TEXT[:n_steps])
    expected = model.score(TEXT[:n_steps])
    assert model.best_validation_score_ == pytest.approx(expected, rel=1e-6)


def test_a_fit_goes_on():
    model = fitted(TEXT, warm_start=True, learning_rate_init=0.02, max_iter=20)
    before = model.score(TEXT)
    model.fit(TEXT)
    assert model.score(TEXT) > before and not model.learns_end_
    model.fit([TEXT, TEXT])  # "auto" keeps to the first fit
    assert not model.learns_end_
    chunks = RNNLanguageModel(6, random_state=0)
    for _ in range(3):
        chunks.partial_fit(TEXT)
    assert chunks.n_iter_ == 3 and chunks.loss_curve_[2] < chunks.loss_curve_[0]
    message = "learn_end is True, but the last fit had learned not to predict the end."
    with pytest.raises(ValueError, match=f"^{message}"):
        model.set_params(learn_end=True).fit(TEXT)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("X", [TEXT, WORDS, SERIES], ids=["text", "words", "series"])
def test_models_are_saved_and_loaded(way, X):
    model = fitted(X, recurrent_dropout=0.1, max_iter=1)
    other = way(model)
    assert other.get_params() == model.get_params()
    np.testing.assert_array_equal(other.score_samples(X), model.score_samples(X))
    assert other.learns_end_ == model.learns_end_
    if X is not SERIES:
        ours = other.sample(3, random_state=0)
        assert ours == model.sample(3, random_state=0)


def test_a_search_by_its_own_score():
    grid = {"nhidden": [1, 16], "recurrent_dropout": [0.0, 0.2]}
    model = RNNLanguageModel(max_iter=40, random_state=0)
    search = GridSearchCV(model, grid, cv=3).fit(["abab", "baba", "ab"] * 20)
    assert search.best_params_["nhidden"] == 16
    assert -0.7 < search.best_score_ < 0
    assert clone(search.best_estimator_).get_params()["nhidden"] == 16


MEMORY = """
import resource, numpy as np
from skrnn import RNNLanguageModel
rng = np.random.default_rng(0)
{make}
params = dict(max_iter=1, random_state=0)
RNNLanguageModel(64, **params).fit(X[:2000])  # what the libraries take
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = RNNLanguageModel(64, **params).fit(X)
model.score(X[:50000])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) / 1024, len(model.tokens_))
"""
LONG = 'X = "".join(rng.choice(list("abcdefgh "), 400_000))'
# 20,000 words: the scores of all 60,000 steps would take 4.8 GB, and the weights of
# 64 units take 5 MB for V, and 20 MB for U, four times.
LARGE = 'X = [" ".join(f"w{i}" for i in rng.permutation(20_000)) for _ in range(3)]'
LARGE += "; X = [x.split() for x in X]; X = [x[i : i + 20] for x in X "
LARGE += "for i in range(0, 20_000, 20)]"


@pytest.mark.parametrize(
    "make, limit", [(LONG, 100), (LARGE, 400)], ids=["long text", "many words"]
)
def test_memory_is_bounded(make, limit):
    script = MEMORY.format(make=make)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    megabytes, n_tokens = map(float, done.stdout.split())
    assert megabytes < limit
    assert n_tokens in (9, 20_001)


# Bad input


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"n_samples": 0}, "n_samples is 0: a whole number from 1 was expected."),
        ({"max_length": -1}, "max_length is -1: a whole number from 1 was expected."),
        ({"max_length": 2.5}, "max_length is 2.5: a whole number from 1 was expected."),
        (
            {"temperature": -0.5},
            "temperature is -0.5: a number from 0 was expected. Use 1 for the "
            "probabilities of the model, less for likelier tokens, and 0 for the "
            "likeliest alone.",
        ),
        (
            {"top_k": 0},
            "top_k is 0: a whole number from 1 was expected, or None to draw from all "
            "tokens.",
        ),
        (
            {"top_p": 1.5},
            "top_p is 1.5: a probability above 0 and up to 1 was expected, or None to "
            "draw from all tokens.",
        ),
        (
            {"stop": "?"},
            "stop is '?', a string that is never drawn, since not all of it is in "
            "tokens_. Use tokens of the training data.",
        ),
    ],
)
def test_what_cannot_be_drawn_raises(arguments, sentence, words):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        words.sample(**arguments)
    arguments.pop("n_samples", None)
    if arguments:
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            words.iter_sample(**arguments)
    for temperature in (np.nan, np.inf, "warm"):
        with pytest.raises(ValueError, match=r"^temperature is .*a number from 0"):
            words.sample(temperature=temperature)


def test_unknown_tokens_of_a_prompt_are_read_with_a_warning(words):
    sentence = "1 of 3 tokens of prompt are not in vocabulary_, and are read as unknown"
    with pytest.warns(UserWarning, match=f"^{sentence}"):
        ((_, p),) = words.iter_sample("a?b", max_length=1, top_k=1, return_proba=True)
    stream = words.start()
    expected = [stream.step(token) for token in "a?b"][-1]
    np.testing.assert_array_equal(p, expected[0])
    with pytest.warns(UserWarning, match=f"^{sentence}"):
        (sample,) = words.sample(1, "a?b", max_length=1, top_k=1)
    assert sample == "a?b" + (words.tokens_[p.argmax()] or "")


@pytest.mark.parametrize(
    "name, prompt, sentence",
    [
        ("words", ["a"], "prompt is a list, but X held strings in fit: a string was"),
        ("words", 3, "prompt is an int, but X held strings in fit: a string was"),
        ("series", "ab", "prompt is a string, but X held sequences of numbers in fit"),
        ("series", [0.5, None], "prompt has None at step 1: a sequence of numbers"),
        ("series", [[0.5, 1]], "prompt has 2 features at each step, but RNNLanguage"),
        ("tokens", [1.5], "prompt holds sequences of numbers, but RNNLanguageModel"),
        ("tokens", [["a"]], "prompt holds sequences of features, but RNNLanguage"),
    ],
)
def test_prompts_of_another_kind_raise(name, prompt, sentence, words, series):
    models = {"words": words, "series": series, "tokens": None}
    model = models[name] or fitted([["a", "b"]] * 9, max_iter=1)
    with pytest.raises((TypeError, ValueError), match=f"^{sentence}"):
        model.sample(1, prompt)


def test_series_need_a_prompt(series):
    with pytest.raises(ValueError, match=r"^prompt is missing: .* Pass the first numb"):
        series.sample()
    sentence = r"^The steps of series have no probabilities"
    with pytest.raises(ValueError, match=sentence):
        series.next_proba(SERIES)
    with pytest.raises(ValueError, match=sentence):
        series.iter_sample(SERIES[0], return_proba=True)
    with pytest.raises(AttributeError, match=sentence):
        series.tokens_  # noqa: B018


@pytest.mark.parametrize("X", ["", [""], []])
def test_an_empty_text_raises(X):
    with pytest.raises(ValueError, match=r"^X (has no steps|is empty)"):
        RNNLanguageModel().fit(X)


def test_an_empty_sequence_has_a_probability(words):
    assert words.score_samples([""])[0] == pytest.approx(
        np.log(words.start().next[0, 0]), rel=1e-5
    )


def test_nothing_to_predict_raises(text):
    with pytest.raises(ValueError, match=r"^The next step is predicted, but no seq"):
        RNNLanguageModel().fit([[0.5], [1.5]])
    sentence = r"^The next step is predicted, .* whole series\. Use standardize=True\.$"
    with pytest.raises(ValueError, match=sentence):
        RNNLanguageModel(standardize="series").fit(SERIES)
    with pytest.raises(ValueError, match=r"^There is nothing to score: .* Pass longer"):
        text.score("")


@pytest.mark.parametrize(
    "name, tokens, sentence",
    [
        ("words", "aba", "3 tokens were passed to 2 streams. Pass one token for each."),
        ("words", ["ab", "b"], "'ab' is not one character. Pass one for each stream"),
        ("series", [1.0], "An array of shape (1,) was passed to 2 streams of 1 feat"),
        ("series", [[1.0, 2.0]], "An array of shape (1, 2) was passed to 2 streams of"),
        ("series", [1.0, np.nan], "A step contains NaN or infinity. Pass numbers for"),
        ("series", ["a", "b"], "tokens is a list, which does not hold numbers: could"),
        ("tokens", [["a"], "b"], "tokens[0] is a list: tokens must be strings or int"),
        ("tokens", ["a", 1.5], "tokens[1] is a float: tokens must be strings or int"),
        ("tokens", None, "tokens is None: one token for each stream was expected."),
        ("tokens", 3, "tokens is an int: one token for each stream was expected."),
        ("lowercase", "aİ", "'İ' is read as 'i̇', by lowercase or strip_acc"),
    ],
)
def test_steps_that_cannot_be_read_raise(name, tokens, sentence, words, series):
    if name in ("words", "series"):
        stream = {"words": words, "series": series}[name].start(2)
    else:
        X = [["a", "b"]] * 9 if name == "tokens" else ["ab"] * 9
        stream = fitted(X, lowercase=name == "lowercase", max_iter=1).start(2)
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(sentence)}"):
        stream.step(tokens)
    with pytest.raises(ValueError, match=r"^n_streams is 0: a whole number from 1"):
        words.start(0)


@pytest.mark.parametrize("params", [{}, {"embeddings": {1: [1.0], 2: [0.5]}}])
def test_strings_for_integers_raise(params):
    message = (
        "The tokens are strings, such as 'a', but those of the vocabulary are "
        "integers, such as 1: all would be unknown. Convert them, as in [int(token) "
        "for token in tokens]."
    )
    stream = fitted([[1, 2, 1], [2, 2]] * 9, max_iter=1, **params).start()
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        stream.step("a")
    assert (stream.step(7) > 0).all()  # an integer may be unknown


@pytest.mark.parametrize(
    "use",
    [
        lambda model, x: model.fit([x]),
        lambda model, x: model.partial_fit([x]),
        lambda model, x: model.score([x]),
        lambda model, x: model.sample(prompt=x),
        lambda model, x: model.set_params(early_stopping=True).fit(
            [[0.5, 1.0]] * 4, X_val=[x]
        ),
        lambda model, x: model.fit(np.ma.masked_invalid([x])),
        lambda model, x: model.fit(np.array([x], dtype=object)),
    ],
)
def test_errors_advise_nothing_that_there_is_not(use):
    model = fitted([[0.5, 1.0, 2.0]] * 4, max_iter=1)
    with pytest.raises((TypeError, ValueError), match=r"NaN|masked") as caught:
        use(model, [0.5, np.nan, 1.0])
    assert "missing=" not in str(caught.value)


def test_a_text_that_is_cut_into_characters_is_noticed():
    message = (
        "X holds nothing but strings of one character: each is learned as a sequence "
        "of its own. If they are the characters of one text, which a search or a "
        "cross-validation cuts into them, pass a list of parts of the text, such as "
        "its lines."
    )
    search = GridSearchCV(RNNLanguageModel(max_iter=1), {"nhidden": [2]}, cv=2)
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$") as found:
        search.fit("ab ba " * 9)
    assert {each.filename for each in found} == {__file__}
    search.fit(["ab ba "] * 9)


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.sample(),
        lambda model: model.iter_sample(),
        lambda model: model.start(),
        lambda model: model.score(["a"]),
        lambda model: model.perplexity(["a"]),
        lambda model: model.score_samples(["a"]),
        lambda model: model.next_proba(["a"]),
        lambda model: model.transform(["a"]),
        lambda model: model.tokens_,
    ],
)
def test_a_model_must_be_fitted(use):
    with pytest.raises(NotFittedError):
        use(RNNLanguageModel())


@pytest.mark.parametrize("name", ["bidirectional", "pooling", "ngram_range"])
def test_what_the_class_fixes_is_no_parameter(name):
    with pytest.raises(TypeError, match=name):
        RNNLanguageModel(**{name: True})
