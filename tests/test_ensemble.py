"""Ensembles: means of their members, and to the bit what a single member predicts."""

import pickle
import re
from itertools import product

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNEnsemble,
    RNNLanguageModel,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
)
from skrnn._core import transduce, writing
from skrnn._core.execution import arithmetic
from skrnn._predictors import _Following
from skrnn._reading.vectors import context_of
from skrnn._warnings import said_once, warn

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* has learned next to nothing"),
    pytest.mark.filterwarnings("ignore:.* predicted sequences? had no end"),
    pytest.mark.filterwarnings("ignore:.*loss"),
]
X = ["ab", "ba", "aab", "abba", "b", "babb", "aaa", "bab"]
SHORT = {"nhidden": 4, "max_iter": 3}
OF_Y = {
    "classes": (RNNClassifier(**SHORT), [0, 1, 2, 0, 1, 2, 0, 1]),
    "two classes": (RNNClassifier(**SHORT), list("xyxyxyxy")),
    "labels": (RNNClassifier(**SHORT), np.array([[0, 1], [1, 1], [1, 0], [0, 1]] * 2)),
    "numbers": (RNNRegressor(**SHORT), np.arange(8.0)),
    "several numbers": (RNNRegressor(**SHORT), np.arange(16.0).reshape(8, 2)),
    "tags": (RNNTagger(**SHORT), X),
    "chains": (RNNTagger(transitions=True, **SHORT), X),
    "sequences": (RNNSeq2Seq(max_output_length=3, **SHORT), [x[::-1][:3] for x in X]),
    "beam": (
        RNNSeq2Seq(max_output_length=3, beam_width=3, **SHORT),
        [x[::-1][:3] for x in X],
    ),
    "frames": (
        RNNSeq2Seq(decoder="ctc", beam_width=4, **SHORT),
        [x[::-1][:3] for x in X],
    ),
    "vectors": (RNNDecoder(max_length=4, beam_width=2, **SHORT), X),
    "series": (RNNDecoder(**SHORT), [np.arange(0.5, len(x)) for x in X]),
}
VECTORS = np.random.default_rng(0).normal(size=(8, 3))
METHODS = "predict", "predict_proba", "predict_log_proba", "decision_function"


def inputs_of(name):
    return VECTORS if name in ("vectors", "series") else X


def fitted(name, n, **options):
    member, y = OF_Y[name]
    ensemble = RNNEnsemble(member, n, random_state=0, **options)
    return ensemble.fit(inputs_of(name), y), y


def assert_equal(ours, theirs):
    if isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_equal(one, other)
    else:
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", OF_Y)
def test_an_ensemble_of_one_is_its_member_to_the_bit(name):
    ensemble, y = fitted(name, 1)
    (member,), x = ensemble.estimators_, inputs_of(name)
    for method in METHODS:
        assert hasattr(ensemble, method) == hasattr(member, method)
        if hasattr(member, method):
            assert_equal(getattr(ensemble, method)(x), getattr(member, method)(x))
    assert hasattr(ensemble, "predict_n_best") == hasattr(member, "predict_n_best")
    if hasattr(member, "predict_n_best") and name != "series":
        assert_equal(ensemble.predict_n_best(x, 3), member.predict_n_best(x, 3))
    if name in ("sequences", "beam", "vectors", "series"):
        assert_equal(ensemble.score_samples(x, y), member.score_samples(x, y))
    assert ensemble.score(x, y) == member.score(x, y)


@pytest.mark.parametrize("name", ["classes", "two classes", "labels"])
def test_probabilities_are_means_and_predictions_follow_them(name):
    ensemble, _ = fitted(name, 3)
    proba = np.mean([each.predict_proba(X) for each in ensemble.estimators_], axis=0)
    np.testing.assert_allclose(ensemble.predict_proba(X), proba, rtol=1e-12)
    np.testing.assert_allclose(ensemble.predict_log_proba(X), np.log(proba), rtol=1e-9)
    decision = np.log(proba)
    if name != "classes":
        decision = np.log(proba / (1 - proba))
        decision = decision[:, 1] if name == "two classes" else decision
    np.testing.assert_allclose(ensemble.decision_function(X), decision, rtol=1e-6)
    if name == "labels":
        expected = (proba > 0.5).astype(int)
    else:
        expected = ensemble.classes_[proba.argmax(axis=1)]
    np.testing.assert_array_equal(ensemble.predict(X), expected)
    assert is_classifier(ensemble) and not is_regressor(ensemble)


@pytest.mark.parametrize("name", ["numbers", "several numbers"])
def test_numbers_are_means(name):
    ensemble, y = fitted(name, 3)
    each = [member.predict(X) for member in ensemble.estimators_]
    assert len({tuple(of.ravel()) for of in each}) == 3
    np.testing.assert_allclose(ensemble.predict(X), np.mean(each, axis=0), rtol=1e-12)
    assert is_regressor(ensemble)
    residual = ((ensemble.predict(X) - y) ** 2).sum(axis=0)
    total = ((y - np.mean(y, axis=0)) ** 2).sum(axis=0)
    assert ensemble.score(X, y) == pytest.approx(np.mean(1 - residual / total))


@pytest.mark.parametrize("name", ["tags", "chains"])
def test_tags_are_those_of_the_mean_marginals(name):
    ensemble, y = fitted(name, 3)
    of_members = [member.predict_proba(X) for member in ensemble.estimators_]
    tags = ensemble.predict(X)
    for i, P in enumerate(ensemble.predict_proba(X)):
        mean = np.mean([of[i] for of in of_members], axis=0)
        np.testing.assert_allclose(P, mean, rtol=1e-9)
        expected = ensemble.classes_[mean.argmax(axis=1)]
        np.testing.assert_array_equal(tags[i], expected)
        ((best, log_p), *_) = ensemble.predict_n_best(X[i : i + 1], 2)[0]
        np.testing.assert_array_equal(best, expected)
        assert log_p == pytest.approx(np.log(mean.max(axis=1)).sum())
    is_right = np.concatenate(tags) == np.array([*"".join(y)])
    assert ensemble.score(X, y) == is_right.mean()


def log_p_by_hand(ensemble, x, tokens):
    """log p of a sequence, from the probabilities of members at each step."""
    total, writers, states = 0.0, [], []
    with arithmetic() as execution:
        log_p = []
        for member in ensemble.estimators_:
            model, steps, _ = member._model_and_steps([x])
            writers.append(model.writer_of(steps, execution)(np.arange(1)))
            first, state = writers[-1].begin()
            log_p.append(first)
            states.append(state)
        ids = [*(member.output_vocabulary_[token] for token in tokens), 0]
        for i in ids:
            total += np.log(np.mean([np.exp(of[0, i]) for of in log_p]))
            for k, writer in enumerate(writers):
                token = np.array([i], np.int32)
                log_p[k], states[k] = writer.step(states[k], token)
    return total


def test_a_search_together_is_that_of_enumeration():
    ensemble, _ = fitted("sequences", 3)
    every = ["".join(word) for n in range(4) for word in product("ab", repeat=n)]
    for x in X[:3]:
        by_hand = np.array([log_p_by_hand(ensemble, x, y) for y in every])
        scores = ensemble.score_samples([x] * len(every), every)
        np.testing.assert_allclose(scores, by_hand, rtol=1e-5)
        (pairs,) = ensemble.predict_n_best([x], len(every))
        found, log_p = zip(*pairs, strict=True)
        order = np.argsort(-by_hand)
        assert list(found) == [every[i] for i in order]
        np.testing.assert_allclose(log_p, by_hand[order], rtol=1e-5)
        of_members = [m.score_samples([x], [found[0]])[0] for m in ensemble.estimators_]
        assert min(of_members) < log_p[0] < max(of_members)


def test_frames_are_averaged_and_searched_together():
    ensemble, y = fitted("frames", 3)
    outputs = ["".join(part) for n in range(7) for part in product("ab", repeat=n)]
    for x in ["ab", "b"]:
        log_p = ensemble.score_samples([x] * len(outputs), outputs)
        assert np.exp(log_p).sum() == pytest.approx(1)  # frames emit no more tokens
        ((found, best), *_) = ensemble.set_params(
            estimator__beam_width=100
        ).predict_n_best([x])[0]
        assert found == outputs[np.argmax(log_p)]
        assert best == pytest.approx(log_p.max())
    members = np.mean([each.score_samples(X, y) for each in ensemble.estimators_], 0)
    assert not np.allclose(ensemble.score_samples(X, y), members)


def test_a_greedy_search_goes_on_with_the_likeliest_mean():
    ensemble, _ = fitted("sequences", 3)
    for x, predicted in zip(X, ensemble.predict(X), strict=True):
        written = ""
        while len(written) < 3:
            # The end of each continuation has a probability as well, so compare
            # sums over what may come next, by the rule of the product.
            after = {t: prefix_by_hand(ensemble, x, written, t) for t in "ab"}
            best = max(after, key=after.get)
            if prefix_by_hand(ensemble, x, written, None) >= after[best]:
                break
            written += best
        assert predicted == written


def prefix_by_hand(ensemble, x, tokens, following):
    """The mean probability of a token, or of the end, after some tokens."""
    p = []
    with arithmetic() as execution:
        for member in ensemble.estimators_:
            model, steps, _ = member._model_and_steps([x])
            writer = model.writer_of(steps, execution)(np.arange(1))
            log_p, states = writer.begin()
            for token in tokens:
                of = np.array([member.output_vocabulary_[token]], np.int32)
                log_p, states = writer.step(states, of)
            i = 0 if following is None else member.output_vocabulary_[following]
            p.append(np.exp(log_p[0, i]))
    return np.mean(p)


def test_decoders_that_know_other_tokens_write_together():
    ensemble, _ = fitted("vectors", 2)
    for member, other in zip(ensemble.estimators_, "cd", strict=True):
        member.set_params(max_length=5).fit(VECTORS, [x + other for x in X])
    pairs = ensemble.predict_n_best(VECTORS[:2], 60)
    for x, of_x in zip(VECTORS[:2], pairs, strict=True):
        found, log_p = zip(*of_x, strict=True)
        assert {"c", "d"} <= set("".join(found))
        scores = ensemble.score_samples([x] * len(found), list(found))
        np.testing.assert_allclose(log_p, scores, rtol=1e-5)
        assert np.exp(log_p).sum() < 1
    with pytest.warns(UserWarning, match="1 of 2 tokens of y are not in vocabulary_"):
        assert np.isneginf(ensemble.score_samples(VECTORS[:1], ["aq"]))
    of_c = [
        member.score_samples(VECTORS[:1], ["c"]) for member in ensemble.estimators_[:1]
    ]
    assert np.isfinite(of_c).all()
    assert ensemble.score(VECTORS, ensemble.predict(VECTORS)) == 1


def fitted_to_series(n_numbers):
    """Two decoders that were fitted to series of different scales, and the series."""
    y = [np.outer(1.5 ** np.arange(len(x)), np.arange(1, n_numbers + 1)) for x in X]
    member = RNNDecoder(nhidden=6, max_iter=40)
    ensemble = RNNEnsemble(member, 2, random_state=0).fit(VECTORS, y)
    ensemble.estimators_[1].fit(VECTORS, [3 * each - 1 for each in y])
    return ensemble, y


def followed_by_hand(ensemble, x, y):
    """The mean density of a series, the mean of each step, and p(end) before each."""
    parts, total, means, ends = [], 0.0, [], []
    for member in ensemble.estimators_:
        model, context = member._model_and_context(context_of(x))
        parts.append(_Following(model, context, np.arange(1)))
    expected = [each.begin() for each in parts]
    for step in [*y, None]:
        p_end = np.array([1 / (1 + np.exp(-end[0])) for end, *_ in expected])
        ends.append(p_end.mean())
        of_steps = [mean[0] for _, mean, _ in expected]
        means.append(np.average(of_steps, axis=0, weights=1 - p_end))
        if step is None:
            return total + np.log(p_end.mean()), means, ends
        p = [norm.pdf(step, mean[0], sd[0]).prod() for _, mean, sd in expected]
        total += np.log(np.mean((1 - p_end) * p))
        goes_on = np.ones(1, bool)
        expected = [each.step(step[np.newaxis], goes_on) for each in parts]


@pytest.mark.parametrize("n_numbers", [1, 2])
def test_densities_of_series_are_averaged_step_by_step(n_numbers):
    ensemble, y = fitted_to_series(n_numbers)
    log_p = ensemble.score_samples(VECTORS, y)
    by_hand = [
        followed_by_hand(ensemble, VECTORS[[i]], each)[0] for i, each in enumerate(y)
    ]
    np.testing.assert_allclose(log_p, by_hand, rtol=1e-4)
    n_steps = sum(len(each) + 1 for each in y)
    assert ensemble.score(VECTORS, y) == pytest.approx(log_p.sum() / n_steps)


@pytest.mark.parametrize("n_numbers", [1, 2])
def test_series_of_mean_steps_are_read_by_all_members(n_numbers):
    ensemble, _ = fitted_to_series(n_numbers)
    (first, *_) = ensemble.estimators_
    predicted = ensemble.predict(VECTORS)
    assert {each.shape[1:] for each in predicted} == {(n_numbers,)}
    assert any(map(len, predicted))
    for i, y in enumerate(predicted):
        _, means, ends = followed_by_hand(ensemble, VECTORS[[i]], y)
        np.testing.assert_allclose(y, means[: len(y)], rtol=1e-4, atol=1e-6)
        assert (np.array(ends[: len(y)]) <= 0.5).all()
        assert ends[len(y)] > 0.5 or len(y) == first.max_length_


def test_series_have_no_n_best():
    ensemble, _ = fitted("series", 2)
    with pytest.raises(ValueError, match="predict_n_best needs tokens, but the y of"):
        ensemble.predict_n_best(VECTORS)
    with pytest.raises(ValueError, match="Use sample of one of estimators_ to draw"):
        ensemble.predict_n_best(VECTORS)
    with pytest.raises(ValueError, match="Use sample to draw some of them"):
        ensemble.estimators_[0].predict_n_best(VECTORS)
    with pytest.raises(ValueError, match="beam_width=2 needs tokens, but y holds"):
        ensemble.set_params(estimator__beam_width=2).predict(VECTORS)


@pytest.mark.parametrize("name", ["sequences", "frames", "vectors"])
def test_batches_make_no_difference(name, monkeypatch):
    ensemble, y = fitted(name, 2)
    x = inputs_of(name)
    of_all = ensemble.predict_n_best(x, 3), ensemble.score_samples(x, y)
    monkeypatch.setattr(writing, "_MAX_SEQUENCES", 3)
    assert_equal(ensemble.predict_n_best(x, 3), of_all[0])
    assert_equal(ensemble.score_samples(x, y), of_all[1])


def test_processes_and_pickles_make_no_difference():
    one, _ = fitted("classes", 2)
    two, _ = fitted("classes", 2, n_jobs=2)
    expected = one.predict_proba(X)
    np.testing.assert_array_equal(two.predict_proba(X), expected)
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    seeds = [member.random_state for member in one.estimators_]
    assert len(set(seeds)) == 2
    assert not hasattr(clone(one), "estimators_")


def test_parameters_of_members_are_searched():
    member, _ = OF_Y["classes"]
    search = GridSearchCV(
        RNNEnsemble(member, 2, random_state=0), {"estimator__nhidden": [2, 3]}, cv=2
    ).fit(X, [0, 1] * 4)
    n = search.best_params_["estimator__nhidden"]
    assert len(search.best_estimator_.estimators_[1].W_[0]) == 3 * n


def test_parameters_of_predictions_may_be_set_after_a_fit():
    ensemble, _ = fitted("sequences", 2)
    wide, _ = fitted("beam", 2)
    ensemble.set_params(estimator__beam_width=3)
    assert ensemble.predict(X) == wide.predict(X)
    ensemble.set_params(estimator__max_output_length=1)
    assert max(map(len, ensemble.predict(X))) <= 1
    assert ensemble.estimators_[0].beam_width == 1


def test_weights_and_validation_data_go_to_all_members():
    member, y = OF_Y["classes"]
    weight = [1, 1, 1, 1, 1, 1, 0, 0]
    params = {"early_stopping": True, "random_state": 0}
    ensemble = RNNEnsemble(clone(member).set_params(**params), 2, random_state=0)
    ensemble.fit(X, y, weight, X_val=X, y_val=y)
    for each in ensemble.estimators_:
        expected = clone(each).fit(X, y, weight, X_val=X, y_val=y).predict_proba(X)
        np.testing.assert_array_equal(each.predict_proba(X), expected)


def test_features_are_checked_as_members_do():
    member, y = OF_Y["vectors"]
    ensemble = RNNEnsemble(member, 2, random_state=0)
    assert not hasattr(ensemble, "n_features_in_")
    ensemble.fit(VECTORS, y)
    assert ensemble.n_features_in_ == 3
    with pytest.raises(ValueError, match="X has 2 features, but RNNDecoder"):
        ensemble.predict(VECTORS[:, :2])


def test_what_members_lack_is_not_there():
    assert not hasattr(RNNEnsemble(RNNRegressor()), "predict_proba")
    assert not hasattr(RNNEnsemble(RNNSeq2Seq()), "classes_")
    assert not hasattr(RNNEnsemble(RNNClassifier()), "score_samples")
    with pytest.raises(NotFittedError):
        RNNEnsemble(RNNClassifier()).predict(X)


@pytest.mark.parametrize("other", [RNNEncoder(), LogisticRegression()])
def test_other_estimators_raise(other):
    message = "but RNNEnsemble averages the predictions of RNNClassifier, RNNRegressor"
    with pytest.raises(TypeError, match=re.escape(message)):
        RNNEnsemble(other).fit(X, [0, 1] * 4)


def test_a_class_is_no_estimator():
    message = "estimator is the class RNNTagger, but an instance was expected. Use RNNT"
    with pytest.raises(TypeError, match=message):
        RNNEnsemble(RNNTagger).fit(X, [0, 1] * 4)


def test_language_models_are_not_averaged():
    with pytest.raises(TypeError, match="estimator is an RNNLanguageModel, but RNNEns"):
        RNNEnsemble(RNNLanguageModel()).fit(X)


def test_the_global_generator_is_not_used():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    member, y = OF_Y["classes"]
    one = RNNEnsemble(member, 2).fit(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    other = RNNEnsemble(member, 2).fit(X, y)
    assert (one.predict_proba(X) != other.predict_proba(X)).any()


def test_a_fit_that_fails_changes_nothing():
    ensemble, _ = fitted("classes", 2)
    members = ensemble.estimators_
    with pytest.raises(ValueError, match="RNNClassifier estimator requires y"):
        ensemble.fit(X, None)
    assert ensemble.estimators_ is members


def test_memories_may_be_in_any_order():
    """A batch is written in its own order, though memories are longest first."""
    ensemble, _ = fitted("sequences", 1)
    model, steps, _ = ensemble.estimators_[0]._model_and_steps(X)
    with arithmetic() as execution:
        writer_of = model.writer_of(steps, execution)
        together, _ = writer_of(np.array([4, 3, 0])).begin()
        for row, i in zip(together, [4, 3, 0], strict=True):
            alone, _ = writer_of(np.array([i])).begin()
            np.testing.assert_array_equal(row, alone[0])
    assert transduce.END == 0


@pytest.mark.parametrize("name", ["classes", "tags", "sequences", "frames"])
def test_predictions_read_once(name):
    n_read = 0

    def counting(x):
        nonlocal n_read
        n_read += 1
        return x

    member, y = OF_Y[name]
    member = clone(member).set_params(analyzer=counting)
    ensemble = RNNEnsemble(member, 3, random_state=0).fit(X, y)
    for method in ("predict", "predict_proba", "predict_n_best"):
        if hasattr(ensemble, method):
            n_read = 0
            getattr(ensemble, method)(X)
            assert n_read == len(X)


def test_warnings_are_issued_once():
    ensemble = RNNEnsemble(RNNClassifier(**SHORT), 3, random_state=0)
    with pytest.warns(UserWarning, match="look like measurements") as found:
        ensemble.fit([[0, -2, -3, -4], [1, 2]], [0, 1])
    assert len([each for each in found if each.category is UserWarning]) == 1
    with pytest.warns(UserWarning, match="holds? nothing but integers") as found:
        ensemble.predict([[9, 8], [7]])
    assert len(found) == 1
    with pytest.warns(UserWarning) as again:  # but in each prediction
        ensemble.predict([[9, 8], [7]])
    assert str(again[0].message) == str(found[0].message)


def test_warnings_that_differ_by_numbers_are_issued_once():
    with pytest.warns(UserWarning) as found, said_once():
        for message in ("the loss is 1.5 of 3", "the loss is 2e-05 of -4", "others"):
            warn(message, UserWarning)
    assert [str(each.message) for each in found] == ["the loss is 1.5 of 3", "others"]
