"""RNNSeq2Seq without a decoder: what it learns, and how its outputs hang together."""

import pickle
import re
from itertools import product

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV
from spelling import TOKENS, X, Y, exact_match, letters, weights_of
from ways import WAYS

from skrnn import RNNSeq2Seq
from skrnn._parameters import Settings

CTC = {"decoder": "ctc", "random_state": 0}
SMALL = {"nhidden": 6, "max_iter": 3, **CTC}


def spoken(texts):
    """Each a is left out, each e is two letters, and a double letter is one."""
    texts = [re.sub(r"(.)\1", r"\1", text) for text in texts]
    return [text.replace("a", "").replace("e", "xy") for text in texts]


@pytest.fixture(scope="module")
def small():
    return RNNSeq2Seq(**SMALL).fit(X, Y)


@pytest.fixture(scope="module")
def speaker():
    train = letters(1000, 0)
    model = RNNSeq2Seq(24, max_iter=30, batch_size=32, **CTC)
    return model.fit(train, spoken(train))


# What is learned


def test_a_rule_is_learned(speaker):
    test = letters(200, 1)
    assert speaker.score(test, spoken(test)) > 0.95
    assert speaker.n_frames_per_step_ == 2


def test_series_are_read():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 6, 200)]
    y = ["".join("+" if step.sum() > 0 else "-" for step in x) for x in X]
    model = RNNSeq2Seq(16, max_iter=60, **CTC).fit(X, y)
    assert model.score(X, y) > 0.8
    assert model.n_frames_per_step_ == 2  # for a blank between two that are the same
    assert RNNSeq2Seq(**SMALL).fit([[1.0], [2.0]], ["a", "b"]).n_frames_per_step_ == 1


def test_an_empty_sequence_is_read_and_written():
    model = RNNSeq2Seq(16, max_iter=300, **CTC).fit(X, Y)
    assert model.predict(["", "aab"]) == ["z", ""]


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("params", [{"nhidden": (5, 4)}, {"bidirectional": False}])
def test_other_networks(cell, params):
    model = RNNSeq2Seq(**{**SMALL, "cell": cell, **params}).fit(X, Y)
    n_scores = 4 * model.n_frames_per_step_
    assert model.V_.shape == (n_scores, 8 if "nhidden" in params else 6)
    assert model.intercept_.shape == (n_scores,)
    assert len(model.predict(X)) == len(X)


def test_steps_of_features_and_pretrained_vectors_are_read():
    steps = [[{"letter": c} for c in x] for x in X]
    assert RNNSeq2Seq(**SMALL).fit(steps, Y).n_frames_per_step_ == 1
    vectors = {"a": [1.0, 0.0], "b": [0.0, 1.0]}
    model = RNNSeq2Seq(**SMALL, embeddings=vectors).fit(X, Y)
    assert len(model.predict(X)) == len(X)


# How many frames there are


@pytest.mark.parametrize(
    "y, n_frames",
    [
        (["", "x"], 1),
        (["xyz", "x"], 1),  # beside ab, and the start
        (["xyzx", "x"], 2),
        (["xx", "xx"], 2),  # beside b, and the start: three frames
        (["xyyx", "xyxyz"], 3),
    ],
)
def test_frames_are_as_many_as_needed(y, n_frames):
    model = RNNSeq2Seq(**SMALL).fit(["ab", "b"], y)
    assert model.n_frames_per_step_ == n_frames
    assert np.isfinite(model.score_samples(["ab", "b"], y)).all()


def test_a_sequence_of_weight_0_needs_no_frames():
    model = RNNSeq2Seq(**SMALL).fit(X, [*Y[:-1], "x" * 50], [1, 1, 1, 1, 2, 0])
    assert model.n_frames_per_step_ == 1


def test_frames_suffice_for_sequences_that_are_held_out():
    train = letters(40, 0)
    y = [x * 2 for x in train]
    y[7] *= 3
    params = {**SMALL, "early_stopping": True, "validation_fraction": 0.5}
    for seed in range(3):
        model = RNNSeq2Seq(**params).set_params(random_state=seed).fit(train, y)
        assert np.isfinite(model.validation_loss_curve_).all()
        assert np.isfinite(model.score_samples(train, y)).all()


def test_few_sequences_that_need_many_frames():
    train = [*["abab"] * 249, "b"]
    y = [*["xy"] * 249, "xyxyxyxy"]
    message = (
        "y[249] has 8 tokens, but X[249] has 1 step. For it alone, each step emits "
        "n_frames_per_step_=4 frames, which all have to be computed; 1 would suffice "
        "for the other 249 sequences. Drop it, or use decoder='rnn'."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        model = RNNSeq2Seq(**SMALL).fit(train, y)
    assert model.n_frames_per_step_ == 4
    RNNSeq2Seq(**SMALL).fit(train, y, [*[1] * 249, 0])  # no warning
    RNNSeq2Seq(**SMALL).fit(train, [*y[:-1], "xyxyxy"])  # 3 frames are not much more
    train, y = ["a", *train[1:]], ["xyxyx", *y[1:]]
    message = (
        "For it and 1 other sequence, each step emits n_frames_per_step_=4 frames, "
        "which all have to be computed; 1 would suffice for the other 248 sequences. "
        "Drop them, or use decoder='rnn'."
    )
    with pytest.warns(UserWarning, match=re.escape(message)):
        RNNSeq2Seq(**SMALL).fit(train, y)
    RNNSeq2Seq(**SMALL).fit(["a", *train], ["xyxyx", *y])  # three of 251 are not few


# What goes in and comes out


def test_predictions_are_of_the_kind_of_y(small):
    assert all(isinstance(y, str) for y in small.predict(X))
    lists = RNNSeq2Seq(**SMALL).fit(X, TOKENS)
    assert [list(y) for y in small.predict(X)] == lists.predict(X)
    numbers = [[ord(c) for c in y] for y in Y]
    integers = RNNSeq2Seq(**SMALL).fit(X, numbers).predict(X)
    assert integers == [[ord(c) for c in y] for y in small.predict(X)]


def test_attributes(small):
    assert small.output_vocabulary_ == {"x": 1, "y": 2, "z": 3}
    assert small.longest_output_ == 4
    assert small.V_.shape == (4, 12)
    assert not hasattr(small, "decoder_W_")
    assert not hasattr(RNNSeq2Seq(6, max_iter=1).fit(X, Y), "n_frames_per_step_")


def test_parameters_of_a_decoder_are_ignored(small):
    others = {"attention": None, "decoder_nhidden": 3, "teacher_forcing": 0.5}
    again = RNNSeq2Seq(**SMALL, **others).fit(X, Y)
    np.testing.assert_array_equal(weights_of(again), weights_of(small))


# Probabilities and search


def test_probabilities_of_all_sequences_sum_to_1(small):
    texts = ["".join(y) for n in range(5) for y in product("xyz", repeat=n)]
    log_p = small.score_samples(["aab"] * len(texts), texts)  # which has four frames
    assert np.exp(log_p).sum() == pytest.approx(1, rel=1e-6)


def test_the_loss_is_that_of_given_sequences():
    """Of weights that do not move, without anything that is drawn or smoothed."""
    params = {**SMALL, "max_iter": 1, "learning_rate_init": 1e-12, "dropout": 0.0}
    model = RNNSeq2Seq(**params, label_smoothing=0.0, token_dropout=0.0)
    weight = [1, 2, 1, 1, 3, 1]
    # The unknown token is read in place of some, unless all are frequent.
    many = [part * 1000 for part in (X, Y, weight)]
    model.fit(*many)
    n_tokens = np.array([len(y) + 1 for y in Y])
    expected = -np.dot(weight, model.score_samples(X, Y)) / np.dot(weight, n_tokens)
    assert model.loss_ == pytest.approx(expected, rel=1e-3)


def test_scores_are_those_of_torch():
    """From the public weights, by the formulas of the documentation."""
    model = RNNSeq2Seq(cell="gru", **SMALL)
    model.fit(X, [y * 2 for y in Y])  # of two frames per step
    x, y = "abba", "xyyx"
    steps = [0, *(model.vocabulary_[c] for c in x)]
    layer = torch.nn.GRU(model.U_[0].shape[1], 6, bidirectional=True)
    with torch.no_grad():
        for i, suffix in enumerate(("", "_reverse")):
            b = torch.from_numpy(model.b_[i])
            getattr(layer, f"weight_ih_l0{suffix}").copy_(torch.tensor(model.U_[i]))
            getattr(layer, f"weight_hh_l0{suffix}").copy_(torch.tensor(model.W_[i]))
            getattr(layer, f"bias_ih_l0{suffix}").copy_(b[:18])
            getattr(layer, f"bias_hh_l0{suffix}").copy_(
                torch.cat([torch.zeros(12), b[18:]])
            )
        rows = torch.eye(model.U_[0].shape[1])[steps]
        e, _ = layer(rows)
        scores = e @ torch.tensor(model.V_).T + torch.tensor(model.intercept_)
        scores = scores.reshape(-1, 4)  # of each frame
        target = torch.tensor([model.output_vocabulary_[c] for c in y])
        loss = torch.nn.functional.ctc_loss(
            torch.log_softmax(scores.double(), 1)[:, None],
            target,
            torch.tensor([len(scores)]),
            torch.tensor([len(y)]),
            reduction="sum",
        )
    (log_p,) = model.score_samples([x], [y])
    assert log_p == pytest.approx(-loss.item(), rel=1e-5)


def test_a_beam_of_all_sequences_is_enumeration(small):
    x = "aab"
    texts = ["".join(y) for n in range(5) for y in product("xyz", repeat=n)]
    log_p = small.score_samples([x] * len(texts), texts)
    texts = [y for y, p in zip(texts, log_p, strict=True) if p > -np.inf]
    log_p = log_p[log_p > -np.inf]
    found, best = zip(*small.predict_n_best([x], 1000)[0], strict=True)
    expected = np.argsort(-log_p, kind="stable")
    np.testing.assert_allclose(best, log_p[expected], rtol=1e-12)
    assert list(found) == [texts[i] for i in expected]


def test_n_best_are_sorted_and_scored_exactly(speaker):
    test = letters(20, 2)
    for x, pairs in zip(test, speaker.predict_n_best(test, 3), strict=True):
        best, of_best = zip(*pairs, strict=True)
        assert len(set(best)) == len(best) == 3
        assert (np.diff(of_best) <= 0).all()
        scores = speaker.score_samples([x] * 3, list(best))
        np.testing.assert_array_equal(of_best, scores)


def test_a_length_penalty_prefers_longer_sequences(small):
    wide = pickle.loads(pickle.dumps(small)).set_params(beam_width=50)
    lengths = []
    for penalty in (0.0, 1.0, 3.0):
        wide.set_params(length_penalty=penalty)
        lengths.append(sum(map(len, wide.predict(X))))
    assert lengths[0] < lengths[1] < lengths[2]


def test_what_cannot_be_emitted_has_no_probability(small):
    with pytest.warns(UserWarning, match=r"1 of 15 tokens of y .* such as 'q'"):
        log_p = small.score_samples(["ab", "ab", "b", "b"], ["xq", "x", "x" * 9, "xxx"])
    assert np.isneginf(log_p).tolist() == [True, False, True, True]
    assert small.score(["b"], ["x" * 9]) == 0


def test_score_is_the_share_of_exact_matches(small):
    predicted = small.predict(X)
    assert small.score(X, predicted) == 1
    wrong = [*predicted[:-2], "zzzzz", "zzzzz"]
    assert small.score(X, wrong) == pytest.approx(4 / 6)
    assert small.score(X, wrong, [1, 1, 1, 1, 0, 0]) == 1


def test_predictions_do_not_depend_on_others(speaker):
    test = letters(30, 3)
    alone = [speaker.predict([x])[0] for x in test]
    assert speaker.predict(test) == alone
    log_p = speaker.score_samples(test, spoken(test))
    each = [speaker.score_samples([x], spoken([x]))[0] for x in test]
    np.testing.assert_array_equal(log_p, each)


def test_threads_do_not_change_predictions(speaker):
    test = letters(5000, 4)
    results = []
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        try:
            found = speaker.predict_n_best(test, 2)
            results.append((found, speaker.score_samples(test, spoken(test)).tolist()))
        finally:
            torch.set_num_threads(1)
    assert results[0] == results[1]


def test_a_prediction_that_is_cut(speaker):
    short = pickle.loads(pickle.dumps(speaker)).set_params(max_output_length=3)
    message = (
        "1 of 2 predicted sequences had no end after 3 tokens, and was cut. Increase "
        "max_output_length, or fit for longer."
    )
    with pytest.warns(UserWarning, match=re.escape(message)):
        assert short.predict(["bcdf", "bcd"]) == ["bcd", "bcd"]


# scikit-learn's manners


@pytest.mark.parametrize("params", [{}, {"nhidden": (4, 3), "cell": "lstm"}])
@pytest.mark.parametrize("way", WAYS)
def test_models_are_saved_and_loaded(way, params):
    model = RNNSeq2Seq(**{**SMALL, **params}).fit(X, Y)
    again = way(model)
    assert type(again) is RNNSeq2Seq
    assert again.predict(X) == model.predict(X)
    log_p = model.score_samples(X, Y)
    np.testing.assert_array_equal(again.score_samples(X, Y), log_p)


def test_the_same_seed_gives_the_same_weights(small):
    again = clone(small).fit(X, Y)
    np.testing.assert_array_equal(weights_of(again), weights_of(small))


def test_a_weight_of_0_removes_a_sequence():
    weighted = RNNSeq2Seq(**SMALL).fit(X, Y, [1, 1, 0, 1, 2, 1])
    others = [0, 1, 3, 4, 5]
    removed = RNNSeq2Seq(**SMALL).fit(
        [*(X[i] for i in others), "a"],
        [*(Y[i] for i in others), "z"],
        [1, 1, 1, 2, 1, 0],
    )
    np.testing.assert_allclose(weights_of(weighted), weights_of(removed), atol=1e-6)


@pytest.mark.filterwarnings("ignore:.* predicted sequences? had no end")
def test_search_over_parameters():
    train = letters(40, 0)
    grid = {"decoder": ["rnn", "ctc"], "nhidden": [4, (4, 4)]}
    search = GridSearchCV(RNNSeq2Seq(4, max_iter=2, random_state=0), grid, cv=2)
    search.fit(train, spoken(train))
    assert len(search.cv_results_["mean_test_score"]) == 4


def test_validation_data_is_scored_as_by_score():
    train, val = letters(200, 0, 4), letters(30, 1, 4)
    model = RNNSeq2Seq(16, early_stopping=True, max_iter=20, **CTC)
    model.fit(train, spoken(train), X_val=val, y_val=spoken(val))
    assert model.best_validation_score_ == model.score(val, spoken(val)) > 0.5
    best = int(np.argmax(model.validation_scores_))
    n_tokens = sum(len(y) + 1 for y in spoken(val))
    loss = -model.score_samples(val, spoken(val)).sum() / n_tokens
    if model.validation_scores_.count(max(model.validation_scores_)) == 1:
        assert model.validation_loss_curve_[best] == pytest.approx(loss, rel=1e-4)


def test_callbacks_see_each_epoch():
    monitor = ScoringMonitor(scoring={"exact": make_scorer(exact_match)})
    model = RNNSeq2Seq(**SMALL).set_callbacks(monitor).fit(X, Y)
    log = monitor.get_logs().data
    assert len(log) == model.n_iter_ == 3
    assert log[-1]["exact"] == pytest.approx(model.score(X, Y))


def test_a_warm_start_goes_on():
    train = letters(100, 0, 4, "bce")
    model = RNNSeq2Seq(16, max_iter=20, warm_start=True, **CTC)
    first = model.fit(train, spoken(train)).loss_curve_
    model.set_params(max_iter=1, learning_rate_init=1e-6)
    again = model.fit(train, spoken(train)).loss_curve_
    assert again[0] < first[0] - 0.5
    # Fewer frames would do, but the weights are for as many.
    assert model.fit(["ab"], ["b"]).n_frames_per_step_ == 2


def test_label_smoothing_keeps_probabilities_moderate():
    params = {"nhidden": 8, "cell": "gru", "max_iter": 150, "dropout": 0.0, **CTC}
    moderate, sharp = (
        RNNSeq2Seq(**params, label_smoothing=e).fit(X, Y) for e in (0.3, 0.0)
    )
    log_p = [model.score_samples(X, Y).mean() for model in (moderate, sharp)]
    assert log_p[0] < log_p[1] - 0.1


def test_max_iter_auto_is_3000_updates():
    parameters = RNNSeq2Seq(2, batch_size=100, decoder="ctc")._parameters()
    plan = Settings.of("RNNSeq2Seq", parameters).plan(1900)
    assert plan.n_epochs == 158  # of 19 updates each


# Bad input


def test_validation_data_that_cannot_be_emitted():
    message = (
        "y_val[1] needs 5 frames, one for each token and one between two that are the "
        "same, but X_val[1] has 1 step and a start, each of which emits 1. Drop the "
        "sequence, or use decoder='rnn'."
    )
    model = RNNSeq2Seq(**SMALL, early_stopping=True)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(X, Y, X_val=["a", "b"], y_val=["x", "xyyx"])
    val = {"X_val": ["a", "b"], "y_val": ["x", "xyyx"], "sample_weight_val": [1, 0]}
    assert len(model.fit(X, Y, **val).validation_scores_) == 3
    assert np.isfinite(model.validation_loss_curve_).all()


def test_a_warm_start_with_sequences_that_cannot_be_emitted():
    model = RNNSeq2Seq(**SMALL, warm_start=True).fit(X, Y)
    before = weights_of(model)
    message = (
        "y[0] needs 4 frames, one for each token and one between two that are the "
        "same, but X[0] has 2 steps and a start, each of which emits 1. Drop the "
        "sequence, or use warm_start=False."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(X, ["xyxy", *Y[1:]])
    np.testing.assert_array_equal(weights_of(model), before)
    assert model.fit(X, ["xyxy", *Y[1:]], [0, *[1] * 5]).n_frames_per_step_ == 1
    series = [[1.0], [1.0, 2.0]]
    model = RNNSeq2Seq(**SMALL, warm_start=True).fit(series, ["a", "ab"])
    with pytest.raises(ValueError, match="has 1 step, each of which emits 1"):
        model.fit(series, ["aba", "a"])


def test_a_warm_start_with_another_decoder():
    message = (
        "warm_start=True continues from the last fit, whose decoder was 'ctc', but now "
        "it is 'rnn'. Use the same, or warm_start=False."
    )
    model = RNNSeq2Seq(**SMALL, warm_start=True).fit(X, Y).set_params(decoder="rnn")
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(X, Y)


def test_nothing_looks_back(small):
    message = (
        "RNNSeq2Seq was fitted with decoder='ctc', so it does not look back. Use "
        "decoder='rnn'."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        small.attention_weights("ab", "x")


@pytest.mark.parametrize("decoder", ["rnn", "ctc"])
def test_states_that_are_not_finite(decoder):
    """Strings are read once each: X[2] is the second of them."""
    model = RNNSeq2Seq(**{**SMALL, "decoder": decoder}).fit(X, Y)
    model.U_[0][:, model.vocabulary_["b"]] = np.nan
    message = "The hidden state of X[2] is not finite: its numbers are far from"
    X_bad = ["aa", "aa", "ab", "a"]
    for predict in (model.predict, model.predict_n_best):
        with pytest.raises(ValueError, match=re.escape(message)):
            predict(X_bad)
    for score in (model.score, model.score_samples):
        with pytest.raises(ValueError, match=re.escape(message)):
            score(X_bad, ["x"] * 4)
    assert len(model.predict(["aa", "a"])) == 2


def test_a_decoder_that_there_is_not():
    message = "The 'decoder' parameter of RNNSeq2Seq must be a str among"
    with pytest.raises(ValueError, match=message):
        RNNSeq2Seq(decoder="gru").fit(X, Y)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("V_", np.zeros((3, 12)), "output_vocabulary_ has 3 tokens, but V_ has 3"),
        ("V_", np.zeros((4, 3)), "V_ has the shape (4, 3), but h and intercept_ need"),
        ("U_", [np.zeros((2, 2))] * 2, "U_ has the shape [(2, 2), (2, 2)]"),
    ],
)
def test_attributes_edited_by_a_user(small, name, value, message):
    model = pickle.loads(pickle.dumps(small))
    setattr(model, name, value)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.predict(X)


@pytest.mark.parametrize(
    "name, value",
    [
        ("output_vocabulary_", {"x": 1, "y": 3}),
        ("output_vocabulary_", {"x": 1, "y": 2, "zz": 3}),
        ("n_frames_per_step_", 3),
        ("n_frames_per_step_", "1"),
        ("V_", np.zeros((4, 3), np.float32)),
        ("_architecture", {"n_frames": 10**9}),
        ("_architecture", {"n_frames": 0}),
        ("_architecture", {"decoder": (6,)}),
        ("query_", np.zeros((2, 2), np.float32)),
    ],
)
def test_files_that_were_tampered_with(small, name, value):
    model = pickle.loads(pickle.dumps(small))
    if name == "_architecture":
        value = {**model._architecture, **value}
    setattr(model, name, value)
    with pytest.raises(ValueError, match="of this RNNSeq2Seq"):
        pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("name", ["kernel_sizes", "ngram_range"])
def test_options_of_a_file_that_the_class_fixes(small, name):
    model = pickle.loads(pickle.dumps(small))
    model._reading[name] = 1e300
    with pytest.raises(ValueError, match=re.escape(f"{name} is 1e+300")):
        pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("name", ["beam_width", "length_penalty", "max_output_length"])
def test_parameters_of_predictions_are_checked(small, name):
    model = pickle.loads(pickle.dumps(small)).set_params(**{name: [1]})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of RNNSeq2Seq must"):
        model.predict(X)


def test_as_many_as_there_are(small):
    short = pickle.loads(pickle.dumps(small)).set_params(max_output_length=2)
    found, _ = zip(*short.predict_n_best(["ab"], 10**9)[0], strict=True)
    assert len(set(found)) == len(found) == 1 + 3 + 9
    with pytest.raises(ValueError, match=r"in a search takes .* Lower n_best"):
        short.set_params(max_output_length=40).predict_n_best(["ab" * 30], 10**9)
