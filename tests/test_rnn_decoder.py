"""RNNDecoder: from vectors to sequences."""

import re
import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from ways import WAYS

from skrnn import RNNDecoder, RNNEncoder, RNNLanguageModel
from skrnn._core.generate import log_probabilities
from skrnn._core.vocabulary import UNKNOWN
from skrnn._reading.vectors import VectorReader, context_of

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PARAMS = {"nhidden": 12, "max_iter": 30, "random_state": 0}
X = np.random.default_rng(0).normal(size=(40, 3))
Y = [("ab" if x[0] > 0 else "") + ("c" if x[1] > 0 else "") for x in X]
each_condition = pytest.mark.parametrize("condition", ["start", "bias", "both"])


@pytest.fixture(scope="module")
def decoder():
    return RNNDecoder(**PARAMS).fit(X, Y)


@pytest.mark.filterwarnings("ignore:.* predicted sequences? had no end")
def test_digits_are_spelled():
    images, digits = load_digits(return_X_y=True)
    names = [NAMES[digit] for digit in digits]
    parts = train_test_split(images, names, random_state=0, stratify=digits)
    decoder = RNNDecoder(random_state=0).fit(parts[0], parts[2])
    assert decoder.score(parts[1], parts[3]) >= 0.96


@each_condition
@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_what_depends_on_the_vector_is_learned(condition, cell):
    params = {"nhidden": (10, 12), "max_iter": 150, "random_state": 0}
    decoder = RNNDecoder(**params, cell=cell, condition=condition).fit(X, Y)
    assert decoder.score(X, Y) >= 0.9
    n_states, n_blocks = {"gru": (22, 3), "lstm": (44, 4), "rnn": (22, 1)}[cell]
    shapes = {"A_": (n_states, 3), "a_": (n_states,), "B_": (10 * n_blocks, 3)}
    left_out = {"start": {"B_"}, "bias": {"A_", "a_"}, "both": set()}[condition]
    for name, shape in shapes.items():
        assert hasattr(decoder, name) == (name not in left_out)
        assert name in left_out or getattr(decoder, name).shape == shape


@each_condition
def test_score_samples_is_the_sum_over_steps(condition):
    """Read token by token, side by side, and summed by hand."""
    decoder = RNNDecoder(**PARAMS, condition=condition).fit(X, Y)
    log_p = decoder.score_samples(X, Y)
    model, context = decoder._model_and_context(context_of(X))
    for i, y in enumerate(Y):
        steps = model.step_by_step(1, context=context.take([i]))
        ids = [decoder.vocabulary_[token] for token in y]
        total = 0.0
        for read, written in zip([UNKNOWN, *ids], [*ids, 0], strict=True):
            steps.read(np.array([read], np.int32))
            total += log_probabilities(steps.scores())[0, written]
        assert log_p[i] == pytest.approx(total, rel=1e-6)


def test_probabilities_sum_to_1(decoder):
    """Over all sequences of up to 8 tokens, of which there are 9,841."""
    tokens = list(decoder.vocabulary_)
    some = ["".join(s) for n in range(9) for s in product(tokens, repeat=n)]
    log_p = decoder.score_samples(np.repeat(X[:1], len(some), axis=0), some)
    assert np.exp(log_p).sum() == pytest.approx(1, abs=0.01)


def test_predictions_have_the_probabilities_of_their_sequences(decoder):
    found = decoder.predict_n_best(X, n_best=4)
    for i, best in enumerate(found):
        assert len({sequence for sequence, _ in best}) == 4
        sequences, log_p = zip(*best, strict=True)
        assert list(log_p) == sorted(log_p, reverse=True)
        expected = decoder.score_samples(X[[i] * 4], list(sequences))
        np.testing.assert_allclose(log_p, expected, rtol=1e-5)


def test_a_wide_beam_finds_the_likeliest(decoder):
    tokens = list(decoder.vocabulary_)
    some = ["".join(s) for n in range(6) for s in product(tokens, repeat=n)]
    found = decoder.predict_n_best(X[:5], n_best=40)
    for x, ((best, _), *_) in zip(X[:5], found, strict=True):
        log_p = decoder.score_samples(np.repeat([x], len(some), axis=0), some)
        assert best == some[log_p.argmax()]


def test_greedy_predictions_are_samples_without_temperature(decoder):
    assert decoder.predict(X) == decoder.sample(X, temperature=0)


def test_samples_are_as_likely_as_they_are(decoder):
    drawn = decoder.sample(np.repeat(X[:1], 4000, axis=0), random_state=0)
    ((likeliest, log_p),) = decoder.predict_n_best(X[:1], 1)[0]
    share = np.mean([y == likeliest for y in drawn])
    assert share == pytest.approx(np.exp(log_p), abs=0.03)
    assert decoder.sample(X, random_state=1) == decoder.sample(X, random_state=1)


@each_condition
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_the_other_vectors_do_not_matter(condition, make):
    decoder = RNNDecoder(**PARAMS, condition=condition, beam_width=2).fit(make(X), Y)
    together, of_all = decoder.predict_n_best(make(X), 2), decoder.score_samples(X, Y)
    drawn = decoder.sample(make(X), temperature=0)
    for i in range(len(X)):
        assert decoder.predict_n_best(make(X[[i]]), 2) == [together[i]]
        assert decoder.score_samples(make(X[[i]]), [Y[i]])[0] == of_all[i]
        assert decoder.sample(make(X[[i]]), temperature=0) == [drawn[i]]


@pytest.mark.parametrize(
    "y, options",
    [
        ([["a", "b"] if x[0] > 0 else ["c"] for x in X], {}),
        ([[7, 8, 7] if x[0] > 0 else [] for x in X], {}),
        (["to be" if x[0] > 0 else "or not" for x in X], {"analyzer": "word"}),
        (np.array(["to be" if x[0] > 0 else "or not" for x in X]), {}),
    ],
)
def test_predictions_are_of_the_kind_of_y(y, options):
    decoder = RNNDecoder(**{**PARAMS, "max_iter": 150}, **options).fit(X, y)
    predicted = decoder.predict(X)
    assert predicted == list(y)
    assert type(predicted[0]) is (str if isinstance(y[0], str) else list)


def test_an_empty_sequence_ends_at_once():
    y = ["" if x[0] > 0 else "ab" for x in X]
    decoder = RNNDecoder(**{**PARAMS, "max_iter": 60}).fit(X, y)
    assert decoder.predict(X) == y
    empty = np.array([not each for each in y])
    log_p = decoder.score_samples(X, [""] * len(X))
    assert log_p[empty].min() > -0.5 > -1 > log_p[~empty].max()


def test_predictions_are_at_most_twice_as_long_as_y(decoder):
    assert decoder.max_length_ == 6
    assert RNNDecoder(**PARAMS, max_length=4).fit(X, Y).max_length_ == 4
    with pytest.raises(
        ValueError, match=r"^y\[\d+\] has 3 steps, but max_length is 2. Incr"
    ):
        RNNDecoder(**PARAMS, max_length=2).fit(X, Y)


def test_predictions_without_an_end_are_cut_with_one_warning(decoder):
    decoder = clone(decoder).fit(X, Y)
    decoder.intercept_ = decoder.intercept_ - 100.0 * (np.arange(4) == 0)
    message = "40 of 40 predicted sequences had no end after 6 tokens, and were cut."
    with pytest.warns(UserWarning, match=message) as caught:
        predicted = decoder.predict(X)
    assert len(caught) == 1 and {len(y) for y in predicted} == {6}


def test_unknown_tokens_are_impossible(decoder):
    true = ["abz", "ab", "zz"]
    message = "3 of 7 tokens of y are not in vocabulary_, such as 'z': sequences with"
    with pytest.warns(UserWarning, match=message):
        log_p = decoder.score_samples(X[:3], true)
    assert np.isneginf(log_p[[0, 2]]).all() and log_p[1] > -np.inf
    assert decoder.score(X[:3], ["z", "zz", "zzz"]) == 0


def test_score_is_the_share_of_exact_predictions(decoder):
    predicted = decoder.predict(X)
    right = np.array([a == b for a, b in zip(predicted, Y, strict=True)])
    assert decoder.score(X, Y) == right.mean()
    weight = np.arange(40.0)
    expected = np.average(right, weights=weight)
    assert decoder.score(X, Y, sample_weight=weight) == pytest.approx(expected)
    assert decoder.score(X, [y + "a" for y in predicted]) == 0


def test_sparse_and_dense_vectors_are_the_same_without_standardising():
    some = np.where(X > 0.5, X, 0)
    params = {**PARAMS, "standardize": False}
    dense = RNNDecoder(**params).fit(some, Y)
    for make in (sparse.csr_matrix, sparse.csc_array, sparse.coo_array):
        ours = RNNDecoder(**params).fit(make(some), Y)
        np.testing.assert_allclose(ours.A_, dense.A_, rtol=1e-3, atol=1e-4)
        assert ours.predict(make(some)) == ours.predict(some) == dense.predict(some)


def test_vectors_are_standardised(decoder):
    np.testing.assert_allclose(decoder.mean_, X.mean(axis=0))
    np.testing.assert_allclose(decoder.scale_, X.std(axis=0))
    other = RNNDecoder(**PARAMS).fit(1000 * X + 5, Y)
    assert other.predict(1000 * X + 5) == decoder.predict(X)
    np.testing.assert_allclose(other.A_, decoder.A_, rtol=1e-2, atol=1e-3)
    sparse_X = sparse.csr_array(np.where(X > 0.5, 1e200 * X, 0))
    rows = VectorReader.learn(context_of(sparse_X), np.ones(40), True).read(
        context_of(sparse_X)
    )
    assert np.square(rows.rows.values).sum() == pytest.approx(X.size, rel=1e-5)
    # What was fitted on dense vectors reads sparse ones.
    assert decoder.predict(sparse.csr_array(X)) == decoder.predict(X)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_ten_thousand_features(make):
    wide = np.zeros((40, 10_000))
    wide[np.arange(40), np.arange(40) * 200] = 1
    wide[:, 1] = X[:, 0] > 0
    y = ["ab" if x[0] > 0 else "c" for x in X]
    params = {**PARAMS, "nhidden": 8, "max_iter": 20}
    decoder = RNNDecoder(**params).fit(make(wide), y)
    assert decoder.score(make(wide), y) == 1


def test_a_weight_of_0_is_as_if_the_sample_were_not_there():
    weight = np.r_[np.ones(20), np.zeros(20)]
    ours = RNNDecoder(**PARAMS).fit(X, Y, sample_weight=weight)
    theirs = RNNDecoder(**PARAMS).fit(X[:20], Y[:20])
    np.testing.assert_array_equal(ours.A_, theirs.A_)
    np.testing.assert_array_equal(ours.mean_, theirs.mean_)


def test_an_encoder_may_stand_before_it():
    words = ["anna", "otto", "bob", "eve"] * 10
    pipeline = make_pipeline(
        RNNEncoder(16, max_iter=30, random_state=0),
        RNNDecoder(32, max_iter=100, random_state=0),
    )
    backwards = [word[::-1][:2] for word in words]
    assert pipeline.fit(words, backwards).score(words, backwards) == 1


@pytest.mark.filterwarnings("ignore:.* predicted sequences? had no end")
def test_it_can_be_searched_and_cross_validated():
    grid = {"condition": ["start", "both"], "beam_width": [1, 2]}
    search = GridSearchCV(RNNDecoder(**PARAMS), grid, cv=2)
    search.fit(X, Y)
    assert search.best_score_ > 0.3
    assert len(cross_val_score(RNNDecoder(**PARAMS), X, np.array(Y), cv=2)) == 2


def test_the_seed_decides():
    fits = [RNNDecoder(**{**PARAMS, "random_state": s}).fit(X, Y) for s in (0, 0, 1)]
    np.testing.assert_array_equal(fits[0].A_, fits[1].A_)
    assert not np.array_equal(fits[0].A_, fits[2].A_)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("condition", ["start", "bias"])
def test_saved_and_loaded(way, condition):
    ours = RNNDecoder(**PARAMS, condition=condition).fit(X, Y)
    again = way(ours)
    assert again.predict(X) == ours.predict(X)
    np.testing.assert_array_equal(again.score_samples(X, Y), ours.score_samples(X, Y))


def test_names_of_features_are_checked():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    decoder = RNNDecoder(**PARAMS).fit(frame, pandas.Series(Y))
    assert decoder.n_features_in_ == 3
    assert list(decoder.feature_names_in_) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        decoder.predict(frame[["c", "b", "a"]])
    with pytest.raises(ValueError, match="X has 2 features, but RNNDecoder is"):
        RNNDecoder(**PARAMS).fit(X, Y).predict(X[:, :2])


def test_warm_start_continues():
    decoder = RNNDecoder(**PARAMS, warm_start=True).fit(X, Y)
    loss = decoder.loss_
    A = decoder.A_
    # Another seed, so that new weights would not be the first ones again.
    decoder.set_params(max_iter=1, random_state=7).fit(X[:20], Y[:20])
    assert decoder.loss_ < 3 * loss
    assert decoder.max_length_ == 6
    np.testing.assert_allclose(decoder.mean_, X.mean(axis=0))
    assert 0 < np.abs(decoder.A_ - A).max() < 0.1
    with pytest.raises(ValueError, match="whose condition was 'both', but now it is"):
        decoder.set_params(condition="bias").fit(X, Y)


def test_partial_fits_are_epochs():
    decoder = RNNDecoder(**{**PARAMS, "learning_rate_init": 0.02})
    for _ in range(60):
        decoder.partial_fit(X, Y)
    assert decoder.n_iter_ == 60
    assert decoder.score(X, Y) > 0.9


def test_early_stopping_holds_out_or_takes_what_is_given():
    params = {**PARAMS, "early_stopping": True}
    decoder = RNNDecoder(**params).fit(X, Y)
    assert len(decoder.validation_scores_) == decoder.n_iter_
    # What is held out has no part in means and scales.
    assert not np.allclose(decoder.mean_, X.mean(axis=0), rtol=1e-9)
    given = RNNDecoder(**params).fit(X[:30], Y[:30], X_val=X[30:], y_val=Y[30:])
    np.testing.assert_allclose(given.mean_, X[:30].mean(axis=0))
    loss = given.validation_loss_curve_[np.argmax(given.validation_scores_)]
    n_tokens = sum(len(y) + 1 for y in Y[30:])
    total = given.score_samples(X[30:], Y[30:]).sum()
    assert loss == pytest.approx(-total / n_tokens, rel=1e-4)


@pytest.mark.parametrize(
    "of_val, message",
    [
        ({"X_val": X}, "X_val is provided, but y_val was not provided."),
        ({"y_val": Y}, "y_val is provided, but X_val was not provided."),
        ({"X_val": X, "y_val": Y[1:]}, "y_val is of length 39, but X_val is of length"),
        ({"X_val": X[:, 1:], "y_val": Y}, "X_val has 2 features, but RNNDecoder is"),
        ({"X_val": X + np.inf, "y_val": Y}, "Input X_val contains infinity"),
    ],
)
def test_wrong_validation_data_raises(of_val, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RNNDecoder(**PARAMS, early_stopping=True).fit(X, Y, **of_val)


@pytest.mark.parametrize(
    "wrong, y, error, message",
    [
        (X, None, ValueError, "This RNNDecoder estimator requires y to be passed"),
        (X, Y[1:], ValueError, "y is of length 39, but X is of length 40: a sequence"),
        (
            X,
            X[:, 0],
            ValueError,
            "y is one sequence of numbers: a list of",
        ),
        (X, [""] * 40, ValueError, "y has no steps: all its sequences are empty, so"),
        (
            X,
            ["a", *X[1:, 0]],
            TypeError,
            "y[1] is a float64, but y[0] is a string:",
        ),
        (X[0], Y, ValueError, "Expected 2D array, got 1D array instead"),
        (X * np.nan, Y, ValueError, "Input X contains NaN."),
        (
            np.fmax(X, [np.inf, 0, 0]),
            Y,
            ValueError,
            "Input X contains infinity or a value too",
        ),
        (["ab"] * 40, Y, ValueError, "X holds sequences, but RNNDecoder reads vectors"),
    ],
)
def test_what_cannot_be_learned_raises(wrong, y, error, message):
    with pytest.raises(error, match=re.escape(message)):
        RNNDecoder(**PARAMS).fit(wrong, y)


def test_a_vector_too_far_from_those_of_fit_raises(decoder):
    with pytest.raises(ValueError, match=r"^X\[1\] has a number that is too large"):
        decoder.predict([[0, 0, 0], [0, 0, 1e300]])


@pytest.mark.parametrize("n_best", [0, 1.5, "3", True])
def test_a_wrong_number_of_predictions_raises(decoder, n_best):
    with pytest.raises(ValueError, match=r"^n_best is .*: a whole number from 1 was"):
        decoder.predict_n_best(X, n_best)


@pytest.mark.parametrize("method", ["predict", "sample", "predict_n_best"])
def test_nothing_is_predicted_before_the_fit(method):
    with pytest.raises(NotFittedError):
        getattr(RNNDecoder(), method)(X)


def test_parameters_set_after_the_fit_are_used_and_checked(decoder):
    decoder = clone(decoder).fit(X, Y)
    decoder.set_params(beam_width=0)
    with pytest.raises(ValueError, match="The 'beam_width' parameter of RNNDecoder"):
        decoder.predict(X)
    decoder.set_params(beam_width=3)
    assert decoder.predict(X) == [best[0][0] for best in decoder.predict_n_best(X, 3)]


def test_a_larger_max_length_is_advised_where_there_is_one():
    decoder = RNNDecoder(**{**PARAMS, "max_iter": 1}).fit(X, Y)
    with pytest.warns(UserWarning, match=r"cut. Fit for longer, by a larger max_iter."):
        decoder.predict(X)
    decoder.set_params(max_length=3).fit(X, Y)
    with pytest.warns(UserWarning, match="Fit again, with a larger max_length or for"):
        decoder.predict(X)


@pytest.mark.parametrize(
    "sequences",
    [
        Y,
        np.array(Y),
        pd.Series(Y),
        [list(y) for y in Y],
        [[0.5], [1, 2]] * (len(Y) // 2),
    ],
    ids=["strings", "array", "column", "tokens", "series"],
)
def test_sequences_are_no_vectors(sequences):
    message = "X holds sequences, but RNNDecoder reads vectors: a matrix of numbers was"
    with pytest.raises(ValueError, match=f"{message} expected. Use RNNSeq2Seq for"):
        RNNDecoder(**PARAMS).fit(sequences, Y)


@pytest.mark.parametrize("row", [["x", "0.5"], ["x", 1], [0.5, np.nan]])
def test_other_vectors_that_are_not_numbers(row):
    for X_of in (np.array, pd.DataFrame, list):
        with pytest.raises(ValueError, match=r"could not convert|Input X contains NaN"):
            RNNDecoder(**PARAMS).fit(X_of([[0.5, 1.5], row]), ["a", "b"])


def test_validation_data_without_known_tokens():
    letters = [chr(97 + i) for i in range(20)]
    message = r"Use more sequences, other validation data \(X_val or validation_fract"
    with pytest.raises(ValueError, match=message):
        RNNDecoder(**PARAMS, early_stopping=True).fit(np.eye(20), letters)


def test_messages_about_words_name_y():
    message = r"After pruning, no terms remain: no token or n-gram of y is in min_df=41"
    with pytest.raises(ValueError, match=message):
        RNNDecoder(**PARAMS, min_df=41).fit(X, Y)


def test_a_failed_fit_leaves_it_unchanged(decoder):
    before = dict(vars(decoder))
    with pytest.raises(ValueError):
        decoder.fit(X, Y[1:])
    assert vars(decoder) == before


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decoder = RNNDecoder(**{**PARAMS, "max_iter": 100}).fit(X, Y)
        decoder.predict(X)
        decoder.score_samples(X, Y)


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("A_", lambda A: A[:, 1:], "A_ of this RNNDecoder is an array"),
        ("B_", lambda B: B[1:], "B_ of this RNNDecoder is an array"),
        ("a_", lambda a: a * np.nan, "a_ of this RNNDecoder is an array"),
        ("mean_", lambda mean: mean[1:], "mean_ of this RNNDecoder is an array"),
        ("scale_", lambda scale: scale * 0, "scale_ of this RNNDecoder is an array"),
        (
            "max_length_",
            lambda n: -n,
            "max_length_ of this RNNDecoder is -6 instead",
        ),
        ("n_features_in_", lambda n: "3", "n_features_in_ of this RNNDecoder is '3'"),
        (
            "_architecture",
            lambda of: {**of, "condition": "none"},
            "_architecture of this RNNDecoder is a dict instead of a network that this",
        ),
        (
            "_architecture",
            lambda of: {**of, "condition": "start"},
            "B_ of this RNNDecoder should be missing.",
        ),
    ],
)
def test_a_damaged_state_is_refused(decoder, name, change, message):
    state = decoder.__getstate__()
    state[name] = change(state[name])
    with pytest.raises(ValueError, match=re.escape(message)):
        RNNDecoder().__setstate__(state)


def test_the_context_of_another_class_is_refused(decoder):
    model = RNNLanguageModel(4, max_iter=1).fit(["ab", "b"])
    state = model.__getstate__()
    state["_architecture"] = {**state["_architecture"], "condition": "both"}
    with pytest.raises(ValueError, match="instead of a network that this estimator"):
        RNNLanguageModel().__setstate__(state)


@pytest.mark.parametrize("name", ["A_", "mean_"])
def test_edited_attributes_of_other_shapes_raise(decoder, name):
    decoder = clone(decoder).fit(X, Y)
    setattr(decoder, name, getattr(decoder, name)[..., 1:])
    with pytest.raises(ValueError, match=r"_ ha(s|ve) the shape"):
        decoder.predict(X)


def test_vectors_are_read_some_at_a_time(decoder, monkeypatch):
    expected = decoder.score_samples(X, Y), decoder.predict_n_best(X, 3)
    monkeypatch.setattr("skrnn._model.VECTORS_AT_ONCE", 7)
    monkeypatch.setattr("skrnn._core.writing._MAX_SEQUENCES", 7)
    np.testing.assert_array_equal(decoder.score_samples(X, Y), expected[0])
    assert decoder.predict_n_best(X, 3) == expected[1]


def test_many_tokens_of_which_a_minibatch_has_few():
    rng = np.random.default_rng(0)
    y = [[f"word {i}" for i in rng.integers(0, 6000, 4)] for _ in range(1500)]
    ours = RNNDecoder(8, max_iter=1, batch_size=8, random_state=0)
    ours.fit(rng.normal(size=(1500, 2)), y)
    assert len(ours.vocabulary_) > 2000 + 2 * 8 * 5
    assert ours.loss_ < np.log(len(ours.vocabulary_)) + 0.5


def exact(y_true, y_pred):
    return np.mean([a == b for a, b in zip(y_true, y_pred, strict=True)])


@pytest.mark.filterwarnings("ignore:.* predicted sequences? had no end")
def test_callbacks_get_whole_decoders_after_each_epoch():
    scoring = make_scorer(exact)
    monitor = ScoringMonitor(scoring={"exact": scoring})
    decoder = RNNDecoder(**{**PARAMS, "max_iter": 4}).set_callbacks(monitor)
    decoder.fit(X, Y)
    log = monitor.get_logs().data
    assert [row["task_id"] for row in log] == [0, 1, 2, 3]
    assert log[-1]["exact"] == decoder.score(X, Y)


def test_threads_share_the_sequences_of_a_minibatch():
    params = {"nhidden": 256, "max_iter": 2, "batch_size": 128, "random_state": 0}
    many, of_many = np.tile(X, (4, 1)), Y * 4
    fits = []
    for n_threads in (1, 2):
        before = torch.get_num_threads()
        torch.set_num_threads(n_threads)
        try:
            fits.append(RNNDecoder(**params).fit(many, of_many))
        finally:
            torch.set_num_threads(before)
    for name in ("A_", "a_", "B_"):
        one, two = (getattr(each, name) for each in fits)
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)


def test_entries_that_are_there_twice_are_summed():
    twice = sparse.csr_array(([1.0, 2.0, 4.0], [1, 1, 0], [0, 2, 3]), shape=(2, 2))
    rows = context_of(twice).rows
    np.testing.assert_array_equal(rows.values, [3, 4])
    assert twice.nnz == 3


@pytest.mark.parametrize("y", [Y, [np.arange(1.0, 4.0)] * 40], ids=["tokens", "series"])
def test_scores_that_are_not_finite_raise(y):
    decoder = RNNDecoder(4, max_iter=1, random_state=0).fit(X, y)
    decoder.W_[0][:] = np.nan
    for compute in (decoder.score_samples, decoder.score):
        with pytest.raises(
            ValueError, match=r"The hidden state of X\[\d+\] is not finite"
        ):
            compute(X, y)
