"""RNNSeq2Seq: what it learns, and how its outputs hang together."""

import pickle
import re
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV
from spelling import TOKENS, X, Y, exact_match, letters, weights_of
from ways import WAYS

from skrnn import RNNSeq2Seq

pytestmark = pytest.mark.filterwarnings("ignore:.* had no end after:UserWarning")
SMALL = {"nhidden": 6, "max_iter": 3, "random_state": 0}


def reversed_(texts):
    return [text[::-1] for text in texts]


@pytest.fixture(scope="module")
def small():
    return RNNSeq2Seq(**SMALL).fit(X, Y)


@pytest.fixture(scope="module")
def reverser():
    train = letters(1000, 0)
    model = RNNSeq2Seq(24, max_iter=60, batch_size=32, random_state=0)
    return model.fit(train, reversed_(train))


# What is learned


def test_reversal_is_learned(reverser):
    test = letters(200, 1)
    assert reverser.score(test, reversed_(test)) > 0.9


def test_attention_looks_back_where_a_letter_is_from(reverser):
    x = "abcdef"
    A = reverser.attention_weights(x)
    assert A.shape == (len(x) + 1, len(x) + 1)
    np.testing.assert_allclose(A.sum(axis=1), 1, rtol=1e-5)
    # Between the letter and those around it, on which its states depend as well.
    steps = A[:-1] @ np.arange(len(x) + 1)
    assert np.corrcoef(steps, np.arange(len(x)))[0, 1] < -0.8
    np.testing.assert_allclose(reverser.attention_weights(x, x[::-1]), A)


def test_letters_and_features_are_read_as_one_list():
    stems = ["kat", "tak", "pon", "nop", "mul", "lum", "rit", "tir", "sed", "des"]
    X = [[f, *stem] for stem in stems for f in ("PL", "SG")]
    y = [stem + end for stem in stems for end in ("en", "")]
    model = RNNSeq2Seq(24, max_iter=150, random_state=0).fit(X, y)
    assert model.predict([["PL", *"kat"], ["SG", *"des"]]) == ["katen", "des"]


def test_series_are_read():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 6, 200)]
    y = ["".join("+" if step.sum() > 0 else "-" for step in x) for x in X]
    model = RNNSeq2Seq(16, max_iter=60, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.8
    A = model.attention_weights(X[0], y[0])
    assert A.shape == (len(X[0]) + 1, len(X[0]))  # nothing is read before a series


# What goes in and comes out


def test_predictions_are_of_the_kind_of_y(small):
    assert all(isinstance(y, str) for y in small.predict(X))
    lists = RNNSeq2Seq(**SMALL).fit(X, TOKENS)
    assert [list(y) for y in small.predict(X)] == lists.predict(X)
    assert (small.output_kind_, lists.output_kind_) == ("text", "tokens")
    numbers = [[ord(c) for c in y] for y in Y]
    integers = RNNSeq2Seq(**SMALL).fit(X, numbers).predict(X)
    assert integers == [[ord(c) for c in y] for y in small.predict(X)]
    assert all(type(t) is int for y in integers for t in y)


def test_attributes_of_y(small):
    assert small.output_vocabulary_ == {"x": 1, "y": 2, "z": 3}
    assert small.longest_output_ == 4
    assert [W.shape[1] for W in small.decoder_W_] == [9, 9]
    assert small.V_.shape == (4, 9 + 12)
    assert small.query_.shape == (12, 9)
    without = RNNSeq2Seq(**SMALL, attention=None, decoder_nhidden=5).fit(X, Y)
    assert without.V_.shape == (4, 5)
    assert not hasattr(without, "query_")


def test_sizes_of_encoder_and_decoder_may_differ():
    params = {"nhidden": (5, 4), "decoder_nhidden": (6, 7), "cell": "lstm"}
    model = RNNSeq2Seq(**{**SMALL, **params}).fit(X, Y)
    assert [W.shape[1] for W in model.W_] == [5, 5, 4, 4]
    assert [W.shape for W in model.decoder_W_] == [(24, 6), (28, 7)]
    assert model.V_.shape == (4, 7 + 8)


def test_an_empty_sequence_is_read_and_written():
    model = RNNSeq2Seq(16, max_iter=150, random_state=0).fit(X, Y)
    assert model.predict(["", "aab"]) == ["z", ""]


@pytest.mark.parametrize("is_fixed", [False, True])
def test_pretrained_vectors_are_read(is_fixed):
    vectors = {"a": [1.0, 0.0], "b": [0.0, 1.0]}
    params = {"embeddings": vectors, "freeze_embeddings": is_fixed, **SMALL}
    model = RNNSeq2Seq(**params).fit(X, Y)
    rows = [model.vocabulary_[token] for token in vectors]
    is_same = np.array_equal(model.embeddings_[rows], list(vectors.values()))
    assert is_same == is_fixed
    assert len(model.predict(X)) == len(X)


def test_of_many_tokens_only_those_of_a_minibatch_move():
    rng = np.random.default_rng(0)
    names = [f"t{i}" for i in range(6000)]
    train = [[names[i], *rng.choice(["a", "b"], 2)] for i in range(100)]
    y = ["".join(x[1:]) for x in train]
    params = {"nhidden": 4, "alpha": 0.0, "random_state": 0}
    params |= {"batch_size": 8, "vocabulary": [*names, "a", "b"]}
    once, twice = (RNNSeq2Seq(**params, max_iter=n).fit(train, y).U_[0] for n in (1, 2))
    assert once.shape[1] == 6003
    np.testing.assert_array_equal(once[:, 101:6001], twice[:, 101:6001])
    has_moved = (once[:, 1:101] != twice[:, 1:101]).any(axis=0)
    assert has_moved.mean() > 0.8  # the others were hidden as unknown


def test_any_container_of_strings(small):
    again = RNNSeq2Seq(**SMALL).fit(np.array(X), np.array(Y, object))
    np.testing.assert_array_equal(weights_of(again), weights_of(small))
    assert again.predict(tuple(X)) == small.predict(X)


@pytest.mark.parametrize("container", [np.array, pd.DataFrame, pl.DataFrame])
def test_rows_of_integers_are_token_lists(container):
    y = [[1, 2, 3], [3, 2, 1], [2, 1, 3]] * 2
    expected = RNNSeq2Seq(**SMALL).fit(X, y)
    rows = container(np.array(y))
    model = RNNSeq2Seq(**SMALL).fit(X, rows)
    assert list(model.output_vocabulary_) == [1, 2, 3]
    np.testing.assert_array_equal(weights_of(model), weights_of(expected))
    np.testing.assert_array_equal(
        model.score_samples(X, rows), expected.score_samples(X, y)
    )
    with pytest.raises(TypeError, match="RNNSeq2Seq was fitted on token lists"):
        model.score(X, np.array(y) / 2)


def test_strings_in_a_column_are_strings():
    of_columns = RNNSeq2Seq(**SMALL).fit(X, np.array(Y)[:, np.newaxis])
    assert of_columns.output_kind_ == "text"


# Probabilities and search


def test_probabilities_of_all_sequences_up_to_a_length():
    model = RNNSeq2Seq(**SMALL).fit(["a", "b"], ["x", "xx"])
    model.max_output_length = 3
    texts = ["x" * n for n in range(8)]
    p = np.exp(model.score_samples(["a"] * len(texts), texts))
    assert 0.5 < p.sum() < 1
    model.beam_width = 8
    found, log_p = zip(*model.predict_n_best(["a"], 8)[0], strict=True)
    order = np.argsort(-p[:4])
    assert list(found) == [texts[i] for i in order]
    np.testing.assert_allclose(np.exp(log_p), p[order], rtol=1e-5)


def test_a_beam_of_all_sequences_is_enumeration(small):
    x, longest = "abba", 3
    texts = ["".join(y) for n in range(longest + 1) for y in product("xyz", repeat=n)]
    log_p = small.score_samples([x] * len(texts), texts)
    wide = clone(small).set_params(max_output_length=longest, beam_width=1000)
    wide.__dict__.update(small._fitted())
    found, best = zip(*wide.predict_n_best([x], len(texts))[0], strict=True)
    expected = np.argsort(-log_p, kind="stable")
    np.testing.assert_allclose(best, log_p[expected], rtol=1e-5)
    assert set(found) == set(texts)
    assert wide.predict([x]) == [texts[expected[0]]]


def test_a_beam_of_1_is_greedy(small):
    for x, predicted in zip(X, small.predict(X), strict=True):
        greedy = ""
        while len(greedy) < 8:
            ends = [greedy, *(greedy + token + "" for token in "xyz")]
            # p(y) is that of y and the end: those of the first tokens alone differ.
            log_p = [prefix_log_p(small, x, end) for end in ends[1:]]
            of_end = small.score_samples([x], [greedy])[0]
            if of_end >= max(log_p):
                break
            greedy = ends[1 + int(np.argmax(log_p))]
        assert predicted == greedy


def prefix_log_p(model, x, prefix):
    """log p of the tokens of a prefix, without its end."""
    (fitted,), (steps,), _, ids = model._with_answers([x], [prefix])
    from skrnn._core import transduce
    from skrnn._core.answers import Answers
    from skrnn._core.execution import arithmetic

    with arithmetic() as execution:
        weights, values = fitted._tensors(steps, execution)
        memory = transduce.read(weights, values, steps.offsets, np.arange(1))
        answers = Answers.of(ids.values, ids.offsets)
        return transduce.log_p_of_tokens(weights, memory, answers)[:-1].sum()


def test_n_best_are_sorted_and_scored(reverser):
    test = letters(20, 2)
    for x, pairs in zip(test, reverser.predict_n_best(test, 3), strict=True):
        best, of_best = zip(*pairs, strict=True)
        assert len(set(best)) == len(best) == len(of_best) <= 3
        assert (np.diff(of_best) <= 0).all()
        scores = reverser.score_samples([x] * len(best), list(best))
        np.testing.assert_allclose(of_best, scores, rtol=1e-4, atol=1e-5)


def test_unknown_tokens_have_no_probability(small):
    message = "1 of 3 tokens of y are not in output_vocabulary_, such as 'q': sequences"
    with pytest.warns(UserWarning, match=message):
        log_p = small.score_samples(["ab", "ab", ""], ["xq", "x", ""])
    assert np.isneginf(log_p).tolist() == [True, False, False]
    assert small.score(["ab"], ["q"]) == 0


def test_score_is_the_share_of_exact_matches(small):
    predicted = small.predict(X)
    assert small.score(X, predicted) == 1
    wrong = [*predicted[:-2], "zzzzz", "zzzzz"]
    assert small.score(X, wrong) == pytest.approx(4 / 6)
    assert small.score(X, wrong, [1, 1, 1, 1, 0, 0]) == 1


def test_predictions_do_not_depend_on_others(reverser):
    test = letters(30, 3)
    alone = [reverser.predict([x])[0] for x in test]
    assert reverser.predict(test) == alone
    log_p = reverser.score_samples(test, reversed_(test))
    each = [reverser.score_samples([x], [x[::-1]])[0] for x in test]
    np.testing.assert_array_equal(log_p, each)


# scikit-learn's manners


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"nhidden": (4, 3), "cell": "lstm", "decoder_nhidden": (5, 4)},
        {"attention": None, "cell": "rnn"},
        {"attention": "additive", "bidirectional": False},
    ],
)
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
    other = clone(small).set_params(random_state=1).fit(X, Y)
    assert (weights_of(other) != weights_of(small)).any()


def test_a_weight_of_0_removes_a_sequence():
    weighted = RNNSeq2Seq(**SMALL).fit(X, Y, [1, 1, 0, 1, 2, 1])
    assert weighted.output_vocabulary_ == {"x": 1, "y": 2, "z": 3}
    others = [0, 1, 3, 4, 5]
    removed = RNNSeq2Seq(**SMALL).fit(
        [*(X[i] for i in others), "a"],
        [*(Y[i] for i in others), "z"],
        [1, 1, 1, 2, 1, 0],
    )
    np.testing.assert_allclose(weights_of(weighted), weights_of(removed), atol=1e-6)


def test_search_over_parameters():
    train = letters(40, 0)
    grid = {"attention": ["dot", "additive", None], "decoder_nhidden": [4, (4, 4)]}
    search = GridSearchCV(RNNSeq2Seq(4, max_iter=2, random_state=0), grid, cv=2)
    search.fit(train, reversed_(train))
    assert len(search.cv_results_["mean_test_score"]) == 6


def test_early_stopping_keeps_the_best_score():
    train = letters(200, 0, longest=3, alphabet="abc")
    model = RNNSeq2Seq(16, early_stopping=True, max_iter=60, random_state=0)
    model.fit(train, reversed_(train))
    assert model.best_validation_score_ == max(model.validation_scores_) > 0.5
    assert len(model.validation_scores_) == len(model.validation_loss_curve_)


def test_validation_data_is_scored_as_by_score():
    train, val = letters(100, 0, 3, "abc"), letters(30, 1, 3, "abc")
    model = RNNSeq2Seq(8, early_stopping=True, max_iter=10, random_state=0)
    y_val = reversed_(val)
    model.fit(train, reversed_(train), X_val=val, y_val=y_val)
    assert model.best_validation_score_ == model.score(val, y_val)
    best = int(np.argmax(model.validation_scores_))
    n_tokens = sum(len(y) + 1 for y in y_val)
    loss = -model.score_samples(val, y_val).sum() / n_tokens
    if model.validation_scores_.count(max(model.validation_scores_)) == 1:
        assert model.validation_loss_curve_[best] == pytest.approx(loss, rel=1e-4)


def test_callbacks_see_each_epoch():
    monitor = ScoringMonitor(scoring={"exact": make_scorer(exact_match)})
    model = RNNSeq2Seq(**SMALL).set_callbacks(monitor).fit(X, Y)
    log = monitor.get_logs().data
    assert len(log) == model.n_iter_ == 3
    assert log[-1]["exact"] == pytest.approx(model.score(X, Y))


def test_a_warm_start_goes_on():
    train = letters(100, 0, 4, "abc")
    model = RNNSeq2Seq(16, max_iter=30, warm_start=True, random_state=0)
    first = model.fit(train, reversed_(train)).loss_curve_
    model.set_params(max_iter=1, learning_rate_init=1e-6)
    again = model.fit(train, reversed_(train)).loss_curve_
    assert again[0] < first[0] - 0.5
    assert model.output_vocabulary_ == {"a": 1, "b": 2, "c": 3}


def test_label_smoothing_keeps_probabilities_moderate():
    params = {"nhidden": 8, "max_iter": 150, "random_state": 0, "dropout": 0.0}
    moderate, sharp = (
        RNNSeq2Seq(**params, label_smoothing=e).fit(X, Y) for e in (0.3, 0.0)
    )
    log_p = [model.score_samples(X, Y).mean() for model in (moderate, sharp)]
    assert log_p[0] < log_p[1] - 0.1


def test_less_teacher_forcing_learns_as_well(small):
    train = letters(300, 0, 5, "abcd")
    params = {"nhidden": 16, "max_iter": 40, "random_state": 0}
    model = RNNSeq2Seq(**params, teacher_forcing=0.7).fit(train, reversed_(train))
    assert model.score(train, reversed_(train)) > 0.8
    free = clone(small).set_params(teacher_forcing=0.2).fit(X, Y)
    again = clone(free).fit(X, Y)
    np.testing.assert_array_equal(weights_of(again), weights_of(free))
    assert (weights_of(free) != weights_of(small)).any()


# Bad input


BAD = [
    ([*Y, "x"], "y is of length 7, but X is of length 6: a sequence for each sample"),
    ([""] * 6, "y has no steps: all its sequences are empty"),
    ([1, 2, 3, 4, 5, 6], "y[0] is an int: a sequence is a string, a list of tokens"),
    ([[0.5]] * 6, "y holds numbers that are no tokens: strings or lists of tokens"),
    (np.ones((6, 2)), "Convert whole numbers that are tokens to integers. To predict"),
    ([*Y[:-1], None], "y[5] is None"),
    (None, "This RNNSeq2Seq estimator requires y to be passed"),
]


@pytest.mark.parametrize("y, message", BAD)
def test_a_y_that_cannot_be_written(y, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        RNNSeq2Seq(**SMALL).fit(X, y)


def test_unfitted():
    with pytest.raises(NotFittedError):
        RNNSeq2Seq().predict(X)


def test_unknown_tokens_of_x_are_read(small):
    assert len(small.predict(["qq", "aq"])) == 2


def test_a_token_of_validation_data_that_is_not_in_y():
    message = (
        "y_val[1] has 'q' at step 1, which the model cannot write: none of the "
        "sequences that it has learned to write had it. Drop the sequence, or train on "
        "some that have this token."
    )
    model = RNNSeq2Seq(**SMALL, early_stopping=True)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(X, Y, X_val=["a", "b"], y_val=["x", "xq"])


def test_a_token_that_a_warm_start_cannot_write():
    model = RNNSeq2Seq(**SMALL, warm_start=True).fit(X, Y)
    more = [*X, "a"], [*Y, "xq"]
    with pytest.raises(ValueError, match=re.escape("y[6] has 'q' at step 1, which th")):
        model.fit(*more)
    model.fit(*more, [*[1] * 6, 0])


def test_a_warm_start_with_another_kind_of_y():
    model = RNNSeq2Seq(**SMALL, warm_start=True).fit(X, Y)
    before = weights_of(model)
    message = (
        "in which y held strings, but now it holds token lists. Pass the same kind"
    )
    with pytest.raises(TypeError, match=message):
        model.fit(X, TOKENS)
    with pytest.raises(ValueError, match="'q' at step 0, which the model cannot"):
        model.fit(X, ["q", *Y[1:]])
    np.testing.assert_array_equal(weights_of(model), before)


def test_a_prediction_that_has_no_end():
    model = RNNSeq2Seq(8, max_iter=200, random_state=0)
    model.fit(["a", "b"], ["xxxxxxx", "y"])
    model.max_output_length = 3
    message = (
        "1 of 2 predicted sequences had no end after 3 tokens, and was cut. Increase "
        "max_output_length, or fit for longer."
    )
    with pytest.warns(UserWarning, match=re.escape(message)):
        assert model.predict(["a", "b"]) == ["xxx", "y"]
    with pytest.warns(UserWarning, match=re.escape(message)):
        assert model.score(["a", "b"], ["xxx", "x"]) == 0.5


def test_attention_that_there_is_not(small):
    model = RNNSeq2Seq(**SMALL, attention=None).fit(X, Y)
    message = "was fitted with attention=None, so it does not look back"
    with pytest.raises(ValueError, match=message):
        model.attention_weights("ab", "x")
    with pytest.raises(ValueError, match="y has 'q', which is not in output_vocab"):
        small.attention_weights("ab", "xq")


def test_attention_is_that_of_one_sequence(small):
    message = "x is a list: one sequence was expected. Pass x[0]."
    of_tokens = RNNSeq2Seq(**SMALL).fit([list(x) for x in X], Y)
    cases = [(small, ["ab"]), (small, ["ab", "b"]), (of_tokens, [["a", "b"]])]
    for model, x in (*cases, (of_tokens, [["a"], ["b"]])):
        with pytest.raises(TypeError, match=re.escape(message)):
            model.attention_weights(x)
    assert of_tokens.attention_weights(["a"]).shape[1] == 2
    by_hand = RNNSeq2Seq(**SMALL, analyzer="".join).fit([list(x) for x in X], Y)
    assert by_hand.attention_weights(["a"]).shape[1] == 2


def test_validation_data_of_another_kind():
    model = RNNSeq2Seq(**SMALL, early_stopping=True)
    with pytest.raises(TypeError, match="X_val holds token lists, but X holds strings"):
        model.fit(X, Y, X_val=[["a"]], y_val=["x"])
    with pytest.raises(TypeError, match="y_val holds token lists, but y holds strings"):
        model.fit(X, Y, X_val=["a"], y_val=[["x"]])


def test_an_empty_vocabulary_is_about_min_df():
    with pytest.raises(ValueError, match=r"in min_df=99 sequences. Lower min_df.$"):
        RNNSeq2Seq(**SMALL, min_df=99).fit(X, Y)


@pytest.mark.parametrize("n_best", [0, 1.5, "3", None])
def test_n_best_that_is_no_number(small, n_best):
    message = f"n_best is {n_best!r}: a whole number from 1 was expected."
    with pytest.raises(ValueError, match=re.escape(message)):
        small.predict_n_best(X, n_best)


def test_decoder_nhidden_that_is_no_size():
    with pytest.raises(ValueError, match=re.escape("decoder_nhidden is (4, 0)")):
        RNNSeq2Seq(**SMALL, decoder_nhidden=(4, 0)).fit(X, Y)


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("V_", np.zeros((3, 21)), "output_vocabulary_ has 3 tokens, but V_ has 3"),
        ("V_", np.zeros((4, 3)), "V_ has the shape (4, 3), but h and intercept_ need"),
        ("query_", np.zeros((2, 2)), "query_ has the shape (2, 2)"),
        ("decoder_W_", [np.zeros((2, 2))], "decoder_W_ has the shape [(2, 2)]"),
        ("output_vocabulary_", {"x": 1}, "output_vocabulary_ has 1 tokens, but V_ has"),
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
        ("output_kind_", "words"),
        ("output_vocabulary_", {"x": 1, "y": 3}),
        ("longest_output_", -1),
        ("query_", np.zeros((2, 2), np.float32)),
        ("bridge_", np.zeros((2, 2), np.float32)),
    ],
)
def test_files_that_were_tampered_with(small, name, value):
    model = pickle.loads(pickle.dumps(small))
    setattr(model, name, value)
    with pytest.raises(ValueError, match=f"{name} of this RNNSeq2Seq"):
        pickle.loads(pickle.dumps(model))


def test_as_many_as_there_are(small):
    short = pickle.loads(pickle.dumps(small)).set_params(max_output_length=2)
    found, _ = zip(*short.predict_n_best(["ab"], 10**9)[0], strict=True)
    assert len(set(found)) == len(found) == 1 + 3 + 9
    with pytest.raises(ValueError, match=r"in a search takes .* Lower n_best"):
        short.set_params(max_output_length=40).predict_n_best(["ab" * 30], 10**9)
