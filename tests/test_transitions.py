"""Taggers whose tags depend on those beside them, by enumeration of all taggings."""

import re
from copy import deepcopy
from itertools import pairwise, product

import numpy as np
import pytest
import torch
from networks import (
    ARCHITECTURES,
    LENGTHS,
    N_INPUTS,
    N_OUTPUTS,
    batch_of,
    loss_and_gradient,
    packed,
    random_inputs,
    slope_along,
)
from ways import WAYS

from skrnn import RNNTagger
from skrnn._core import network, windows
from skrnn._core.architecture import Architecture
from skrnn._core.layout import OF_CHAIN, Layout
from skrnn._core.public import OF_TRANSITIONS, from_public, to_public
from skrnn._core.weights import zeros

SENTENCES = [["the", "cat", "sleeps"], ["a", "dog"], [], ["the", "dog", "sees"], ["a"]]
PARTS = [["D", "N", "V"], ["D", "N"], [], ["D", "N", "V"], ["D"]]
SMALL = {"nhidden": 4, "max_iter": 20, "transitions": True, "random_state": 0}
WEIGHTS = {
    "no": None,
    "of sequences": [1.0, 3.0, 2.0, 0.5, 0.0],
    "of steps": [[1, 0, 1], [2, 2], [], [0, 0.5, 0.5], [0]],
    "of unknown ends": [[0, 1, 0], [0, 2], [], [3, 0, 0], [1]],
}


def trained(**params):
    """A tagger whose transitions matter."""
    tagger = RNNTagger(**{**SMALL, **params}).fit(SENTENCES, PARTS)
    rng = np.random.default_rng(0)
    for name in OF_TRANSITIONS:
        part = getattr(tagger, name)
        setattr(tagger, name, rng.normal(size=part.shape).astype(part.dtype))
    tagger.V_ = 2 * tagger.V_
    return tagger


@pytest.fixture(scope="module")
def tagger():
    return trained()


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def without_transitions(tagger):
    """The same network, whose scores are those of the chain but for a constant."""
    plain = deepcopy(tagger)
    for name in OF_TRANSITIONS:
        delattr(plain, name)
    return plain


def taggings(tagger, X):
    """For each sequence, the places of all sequences of tags, and their log p."""
    transitions, start, end = (getattr(tagger, name) for name in OF_TRANSITIONS)
    for P in without_transitions(tagger).predict_proba(X):
        s = np.log(P)
        ways = list(product(range(P.shape[1]), repeat=len(s)))
        scores = [
            sum(s[t, tag] for t, tag in enumerate(y))
            + sum(transitions[pair] for pair in pairwise(y))
            + (start[y[0]] + end[y[-1]] if y else 0)
            for y in ways
        ]
        yield np.array(ways, int), np.array(scores) - np.logaddexp.reduce(scores)


def weights_of(tagger):
    names = ("V_", "intercept_", *OF_TRANSITIONS)
    arrays = [*tagger.W_, *tagger.U_, *(getattr(tagger, name) for name in names)]
    return np.concatenate([array.ravel() for array in arrays])


# The network


def per_step(dtype=torch.float64, **of):
    architecture = Architecture((5, 4), "gru", pooling="none", **of)
    weights = zeros(Layout(architecture, N_INPUTS, N_OUTPUTS, True), dtype)
    weights.flat.normal_(0, 0.5, generator=torch.Generator().manual_seed(0))
    return weights


def batch(dtype=torch.float64, is_token=False):
    generator = torch.Generator().manual_seed(2)
    n = int(LENGTHS.sum())
    target = torch.randint(N_OUTPUTS, (n,), generator=generator)
    weight = torch.tensor([1, 2, 0.5, 3, 1]).repeat_interleave(torch.tensor(LENGTHS))
    weight[torch.tensor([1, 6, 7, 11, 13])] = 0  # their tags are unknown
    values = random_inputs(is_token, dtype)
    return values, "cross_entropy", target, weight.to(dtype)


@pytest.mark.parametrize("is_token", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_gradients_are_central_differences(bidirectional, is_token):
    weights, of = per_step(bidirectional=bidirectional), batch(is_token=is_token)
    _, gradient = loss_and_gradient(weights, *of)
    assert torch.isfinite(gradient.flat).all()
    generator = torch.Generator().manual_seed(3)
    masks = [torch.ones_like(weights.flat)]
    for name in OF_CHAIN:  # and along each of the new weights
        mask = zeros(weights.layout, torch.float64)
        mask.others[name].fill_(1)
        masks.append(mask.flat)
    for mask in masks:
        direction = mask * torch.randn(mask.shape, generator=generator).double()
        slope = slope_along(
            direction, weights, lambda: loss_and_gradient(weights, *of)[0]
        )
        assert float(gradient.flat @ direction) == pytest.approx(slope, rel=1e-6)


def test_float32_is_as_float64():
    weights = per_step()
    single = zeros(weights.layout)
    single.flat.copy_(weights.flat)
    total, gradient = loss_and_gradient(weights, *batch(is_token=True))
    ours, of_single = loss_and_gradient(single, *batch(torch.float32, is_token=True))
    assert float(ours) == pytest.approx(float(total), rel=1e-6)
    np.testing.assert_allclose(of_single.flat, gradient.flat, rtol=1e-4, atol=1e-5)


def test_a_minibatch_is_the_sum_of_its_sequences():
    weights, of = per_step(bidirectional=True), batch()
    total, gradient = loss_and_gradient(weights, *of)
    values, loss, *targets = of
    totals, gradients = [], []
    for i, first in enumerate(np.cumsum(LENGTHS) - LENGTHS):
        some = slice(first, first + LENGTHS[i])
        alone = values[some], loss, *(part[some] for part in targets)
        one, of_one = loss_and_gradient(weights, *alone, packed(LENGTHS[i : i + 1]))
        totals.append(one)
        gradients.append(of_one.flat.clone())
    assert float(total) == pytest.approx(float(sum(totals)), rel=1e-12)
    np.testing.assert_allclose(gradient.flat, sum(gradients), rtol=1e-9, atol=1e-12)


def test_long_sequences_are_not_cut(monkeypatch):
    weights, of = per_step(), batch()
    total, gradient = loss_and_gradient(weights, *of)
    expected = gradient.flat.clone()
    monkeypatch.setattr(windows, "_MAX_STATES", 1)
    monkeypatch.setattr(network, "states_after", None)  # between windows
    workspace = network.Workspace(weights)
    values, loss, *targets = of
    of_all = batch_of(weights, values, *targets)
    ours = windows.loss_and_gradient(weights, of_all, loss, workspace)
    assert ours == float(total)
    assert torch.equal(workspace.gradient.flat, expected)


def test_transitions_lie_after_V_and_start_at_0():
    layout = Layout(ARCHITECTURES["gru-2-2-sum"], N_INPUTS, N_OUTPUTS, True)
    names = list(layout.shapes())
    at = names.index("V") + 1
    assert tuple(names[at : at + 3]) == OF_CHAIN
    weights = zeros(layout)
    assert [part.shape for part in weights.chain] == [(4, 4), (4,), (4,)]
    assert layout.n_weights == zeros(Layout(*_without(layout))).layout.n_weights + 24


def _without(layout):
    return layout.architecture, layout.n_inputs, layout.n_outputs


def test_public_transitions_come_back():
    weights = per_step(torch.float32)
    back = from_public(weights.architecture, to_public(weights))
    for ours, theirs in zip(back.chain, weights.chain, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# What is predicted


def test_the_best_tags_are_those_of_enumeration(tagger):
    predicted = tagger.predict(SENTENCES)
    differs = False
    plain = without_transitions(tagger).predict(SENTENCES)
    for tags, other, (ways, log_p) in zip(
        predicted, plain, taggings(tagger, SENTENCES), strict=True
    ):
        np.testing.assert_array_equal(tags, tagger.classes_[ways[log_p.argmax()]])
        differs |= (tags != other).any()
    assert differs


def test_probabilities_are_the_marginals_of_enumeration(tagger):
    for P, (ways, log_p) in zip(
        tagger.predict_proba(SENTENCES), taggings(tagger, SENTENCES), strict=True
    ):
        assert P.dtype == np.float64
        assert P.shape == (ways.shape[1], 3)
        for t, row in enumerate(P):
            expected = np.bincount(ways[:, t], np.exp(log_p), 3)
            np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("is_chain", [True, False])
@pytest.mark.parametrize("n", [1, 4, np.int64(30)])
def test_n_best_are_those_of_enumeration(tagger, n, is_chain):
    tagger = deepcopy(tagger)
    if not is_chain:
        for name in OF_TRANSITIONS:
            setattr(tagger, name, 0 * getattr(tagger, name))
    expected = list(taggings(tagger, SENTENCES))
    predicting = tagger if is_chain else without_transitions(tagger)
    n_best = predicting.predict_n_best(SENTENCES, n)
    for pairs, (ways, log_p) in zip(n_best, expected, strict=True):
        found, log_p_found = zip(*pairs, strict=True)
        order = np.argsort(-log_p, kind="stable")[:n]
        assert len(found) == len(order)
        np.testing.assert_allclose(log_p_found, log_p[order], rtol=1e-4, atol=1e-5)
        for ours, theirs in zip(found, ways[order], strict=True):
            np.testing.assert_array_equal(ours, tagger.classes_[theirs])
    best = [pairs[0][0] for pairs in n_best]
    for ours, theirs in zip(best, predicting.predict(SENTENCES), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", True])
def test_n_best_is_a_count(tagger, n):
    message = f"n_best is {n!r}: a whole number from 1 was expected."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        tagger.predict_n_best(SENTENCES, n)


def test_n_best_may_be_more_than_there_are(tagger):
    n_best = tagger.predict_n_best(SENTENCES, 10**12)
    assert [*map(len, n_best)] == [3 ** len(words) for words in SENTENCES]
    sums = [np.exp([log_p for _, log_p in pairs]).sum() for pairs in n_best]
    np.testing.assert_allclose(sums, 1)
    ((_, of_none),) = tagger.predict_n_best([[]], 10**12)[0]
    assert of_none == 0


def test_score_is_the_accuracy_of_the_best_tags(tagger):
    y = [["D", "V", "V"], ["D", "unseen"], [], ["N", "N", "V"], ["V"]]
    predicted = np.concatenate(tagger.predict(SENTENCES))
    is_right = predicted == np.concatenate(y)
    assert tagger.score(SENTENCES, y) == is_right.mean()
    weight = [[1, 2, 3], [4, 5], [], [6, 7, 8], [9]]  # of any kind, to score
    expected = np.average(is_right, weights=np.arange(1, 10))
    assert tagger.score(SENTENCES, y, weight) == pytest.approx(expected)


def scores_of_n_best(tagger, X):
    return [[log_p for _, log_p in pairs] for pairs in tagger.predict_n_best(X, 3)]


def test_batch_mates_and_threads_make_no_difference(tagger, two_threads):
    X = SENTENCES * 20
    of_all = tagger.predict(X), tagger.predict_proba(X), scores_of_n_best(tagger, X)
    torch.set_num_threads(1)
    for i, x in enumerate(SENTENCES):
        alone = tagger.predict([x]), tagger.predict_proba([x])
        for ours, theirs in zip(
            (*alone, scores_of_n_best(tagger, [x])), of_all, strict=True
        ):
            np.testing.assert_array_equal(ours[0], theirs[i])
            np.testing.assert_array_equal(ours[0], theirs[i - len(SENTENCES)])


def test_repeated_strings_get_the_same_tags():
    X = ["aba", "b", "", "abba", "aba", "b", "abba"]
    tagger = RNNTagger(**SMALL).fit(X, X)
    for x, tags in zip(X, tagger.predict(X), strict=True):
        np.testing.assert_array_equal(tags, tagger.predict([x])[0])


def test_a_transition_that_is_forbidden_does_not_occur(tagger):
    tagger = deepcopy(tagger)
    first, then = tagger.predict(SENTENCES[:1])[0][:2]
    places = [np.flatnonzero(tagger.classes_ == tag)[0] for tag in (first, then)]
    tagger.transitions_[tuple(places)] = -1e4
    assert tagger.predict(SENTENCES[:1])[0][:2].tolist() != [first, then]
    assert np.isfinite(tagger.predict_proba(SENTENCES[:1])[0]).all()


# What is learned


@pytest.mark.parametrize("batch_size", [2, 100])
@pytest.mark.parametrize("of", WEIGHTS)
def test_loss_is_that_of_enumeration(of, batch_size, rng):
    X, weight = [rng.normal(size=(len(y), 2)) for y in PARTS], WEIGHTS[of]
    X, y = X[:2] + X[3:], PARTS[:2] + PARTS[3:]  # series must not be empty
    weight = weight and weight[:2] + weight[3:]
    tagger = RNNTagger(**SMALL, learning_rate_init=0.05, batch_size=batch_size)
    tagger.fit(X, y)
    assert np.abs(tagger.transitions_).min() > 0.01
    tagger.set_params(warm_start=True, learning_rate_init=1e-12, alpha=0, max_iter=1)
    tagger.fit(X, y, weight)
    total, n_known = 0.0, 0.0
    for i, (ways, log_p) in enumerate(taggings(tagger, X)):
        w = np.broadcast_to(1.0 if weight is None else weight[i], len(y[i]))
        places = np.searchsorted(tagger.classes_, y[i])
        agrees = (ways == places)[:, w > 0].all(axis=1)
        total -= w.max() * np.logaddexp.reduce(log_p[agrees])
        n_known += w.sum()
    assert tagger.loss_ == pytest.approx(total / n_known, rel=1e-5)


@pytest.mark.filterwarnings("ignore:RNNTagger has learned next to nothing")
def test_what_only_the_tags_beside_tell_is_learned():
    """The steps say nothing, but all tags of a sequence are the same."""
    X, y = ["...", "....", "....."] * 20, ["aaa", "aaaa", "aaaaa", "bbb", "bbbb"]
    y += ["bbbbb"]
    params = {"learning_rate_init": 0.05, "alpha": 0.0, "random_state": 0}
    tagger = RNNTagger(4, transitions=True, **params).fit(X, y * 10)
    (pairs,) = tagger.predict_n_best(["...."], 2)
    assert sorted("".join(tags) for tags, _ in pairs) == ["aaaa", "bbbb"]
    np.testing.assert_allclose(np.exp([log_p for _, log_p in pairs]), 0.5, atol=0.05)
    np.testing.assert_allclose(tagger.predict_proba(["...."])[0], 0.5, atol=0.05)
    assert tagger.loss_ == pytest.approx(np.log(2) / 4, abs=0.03)
    plain = RNNTagger(4, **params).fit(X, y * 10)
    assert plain.loss_ > 0.65


def test_the_tag_of_a_step_of_weight_zero_has_no_influence():
    weight = [[1, 1, 1], [1, 1], [], [1, 0, 1], [1]]
    others = [*PARTS[:3], ["D", "V", "V"], ["D"]]
    one, other = (RNNTagger(**SMALL).fit(SENTENCES, y, weight) for y in (PARTS, others))
    np.testing.assert_array_equal(weights_of(one), weights_of(other))
    unweighted = RNNTagger(**SMALL).fit(SENTENCES, others)
    assert (weights_of(one) != weights_of(unweighted)).any()


def test_a_sequence_of_weight_zero_is_as_good_as_removed():
    weighted = RNNTagger(**SMALL).fit(SENTENCES, PARTS, [1, 0, 1, 2, 1])
    some = [0, 2, 3, 4]
    removed = RNNTagger(**SMALL).fit(
        [SENTENCES[i] for i in some], [PARTS[i] for i in some], [1, 1, 2, 1]
    )
    np.testing.assert_array_equal(weights_of(weighted), weights_of(removed))


def test_sequences_of_one_step_and_of_one_tag():
    tagger = RNNTagger(**SMALL).fit(["a", "b"] * 5, ["x", "y"] * 5)
    assert [tags.tolist() for tags in tagger.predict(["a", ""])][1] == []
    assert not tagger.transitions_.any()  # there is none
    one = RNNTagger(**SMALL).fit(["ab", "a"], ["xx", "x"])
    assert np.concatenate(one.predict(["ba", "a"])).tolist() == ["x"] * 3
    np.testing.assert_array_equal(one.predict_proba(["zz"]), np.ones((1, 2, 1)))
    assert one.loss_ == 0


def test_shards_change_the_weights_in_rounding_only(two_threads, rng):
    X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 9, 600)]
    y = [(x.sum(axis=1) > 0).astype(int) for x in X]
    params = {**SMALL, "nhidden": 128, "batch_size": 300, "max_iter": 2}
    two, again = (RNNTagger(**params).fit(X, y) for _ in range(2))
    torch.set_num_threads(1)
    one = RNNTagger(**params).fit(X, y)
    np.testing.assert_array_equal(weights_of(two), weights_of(again))
    assert (weights_of(one) != weights_of(two)).any()
    np.testing.assert_allclose(weights_of(one), weights_of(two), atol=2e-3)


@pytest.mark.parametrize("is_given", [False, True])
def test_early_stopping_judges_whole_sequences(is_given):
    X, y = SENTENCES * 6, PARTS * 6
    tagger = RNNTagger(**SMALL, early_stopping=True)
    if not is_given:
        # The first word of each is nowhere else, and only read if it is learned from.
        X = [[str(i), *x] for i, x in enumerate(X)]
        y = [["N", *tags] for tags in y]
        tagger.set_params(subwords=False).fit(X, y)
        held_out = [i for i, x in enumerate(X) if x[0] not in tagger.vocabulary_]
        assert len(held_out) == 3
        X_val, y_val = ([part[i] for i in held_out] for part in (X, y))
        score = tagger.score(X_val, y_val)
        assert tagger.best_validation_score_ == pytest.approx(score)
        loss = 0.0
        parts = zip(taggings(tagger, X_val), y_val, strict=True)
        for (ways, log_p), tags in parts:
            places = np.searchsorted(tagger.classes_, tags)
            loss -= log_p[(ways == places).all(axis=1)].item()
        # Of epochs with the same score, that with the lowest loss is the best.
        curves = tagger.validation_scores_, tagger.validation_loss_curve_
        _, best = max(zip(*curves, strict=True), key=lambda of: (of[0], -of[1]))
        assert best == pytest.approx(loss / sum(map(len, y_val)), rel=1e-5)
        return
    weight = [[2, 2, 2], [1, 1], [], [0, 1, 1], [3]]
    of_val = {"X_val": SENTENCES, "y_val": PARTS, "sample_weight_val": weight}
    tagger.set_params(max_iter=1).fit(X, y, **of_val)
    score = tagger.score(SENTENCES, PARTS, weight)
    assert tagger.best_validation_score_ == pytest.approx(score)
    loss = 0.0
    parts = zip(taggings(tagger, SENTENCES), PARTS, weight, strict=True)
    for (ways, log_p), tags, w in parts:
        places, w = np.searchsorted(tagger.classes_, tags), np.array(w)
        agrees = (ways == places)[:, w > 0].all(axis=1)
        loss -= w.max(initial=0) * np.logaddexp.reduce(log_p[agrees])
    expected = loss / sum(map(sum, weight))
    assert tagger.validation_loss_curve_[0] == pytest.approx(expected, rel=1e-5)


# Continuing, and files


@pytest.mark.parametrize("way", WAYS)
def test_transitions_are_saved_and_loaded(way, tagger):
    again = way(tagger)
    for name in OF_TRANSITIONS:
        np.testing.assert_array_equal(getattr(again, name), getattr(tagger, name))
    for ours, theirs in zip(
        again.predict_proba(SENTENCES), tagger.predict_proba(SENTENCES), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_warm_start_keeps_transitions_between_tags_that_stay():
    tagger = RNNTagger(**SMALL, warm_start=True).fit(SENTENCES, PARTS)
    before = tagger.transitions_.copy()
    tagger.set_params(learning_rate_init=1e-12, alpha=0, max_iter=1)
    tagger.fit(SENTENCES, [["D", "A", "V"], ["D", "A"], [], ["D", "A", "V"], ["D"]])
    assert tagger.classes_.tolist() == ["A", "D", "V"]
    kept = tagger.transitions_
    np.testing.assert_allclose(kept[1:, 1:], before[::2, ::2], atol=1e-6)
    np.testing.assert_allclose(kept[0], 0, atol=1e-6)
    np.testing.assert_allclose(kept[:, 0], 0, atol=1e-6)
    assert np.abs(before).min() > 1e-3


def test_chunks_are_learned_one_after_another():
    tagger = RNNTagger(8, learning_rate_init=0.02, transitions=True, random_state=0)
    for _ in range(60):
        tagger.partial_fit(SENTENCES, PARTS, classes=["D", "N", "V", "never"])
    assert tagger.score(SENTENCES, PARTS) == 1.0
    assert tagger.transitions_.shape == (4, 4)
    assert all(log_p < 0 for _, log_p in tagger.predict_n_best(SENTENCES, 2)[0])


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("is_partial", [False, True])
def test_what_continues_has_the_same_output(before, is_partial):
    tagger = RNNTagger(**{**SMALL, "transitions": before}, warm_start=True)
    tagger.fit(SENTENCES, PARTS).set_params(transitions=not before)
    what, new = "warm_start=True", "warm_start=False"
    learn = tagger.fit
    if is_partial:
        what, new, learn = "partial_fit", "a new fit", tagger.partial_fit
    message = (
        f"{what} continues from the last fit, whose transitions was {before}, but now "
        f"it is {not before}. Use the same, or {new}."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        learn(SENTENCES, PARTS)
    assert len(tagger.predict(SENTENCES)) == 5  # as it was learned


# Bad input


@pytest.mark.parametrize("name", OF_TRANSITIONS)
def test_transitions_that_were_edited_are_checked(name, tagger):
    part = getattr(tagger, name)
    for bad, message in (
        (part[:-1], f"{name} has the shape {part[:-1].shape}, but intercept_ needs"),
        (part * np.inf, f"{name} has numbers that are not finite. Use -1e4 to forbid"),
    ):
        other = deepcopy(tagger)
        setattr(other, name, bad)
        with pytest.raises(ValueError, match=re.escape(message)):
            other.predict(SENTENCES)
    double = deepcopy(tagger)
    setattr(double, name, np.asfortranarray(part.astype(np.float64)))
    for ours, theirs in zip(
        double.predict_proba(SENTENCES), tagger.predict_proba(SENTENCES), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", OF_TRANSITIONS)
def test_files_without_some_transitions_are_refused(name, tagger):
    state = tagger.__getstate__()
    del state[name]
    with pytest.raises(ValueError, match=r"transitions_ of this RNNTagger"):
        RNNTagger().__setstate__(state)
    state[name] = np.ones(2)
    with pytest.raises(ValueError, match=f"{name} of this RNNTagger is"):
        RNNTagger().__setstate__(state)


def test_weights_that_differ_within_a_sequence_raise():
    weight = [[1, 1, 1], [2, 2], [], [1, 0, 3], [1]]
    message = (
        "sample_weight[3][0] is 1, but another step of X[3] has 3: with "
        "transitions=True, a sequence has one weight, and steps whose tag is unknown "
        "have 0. Use one weight, or transitions=False."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        RNNTagger(**SMALL).fit(SENTENCES, PARTS, weight)
    of_val = {"X_val": SENTENCES, "y_val": PARTS, "sample_weight_val": weight}
    with pytest.raises(ValueError, match=r"sample_weight_val\[3\]\[0\] is 1, but"):
        RNNTagger(**SMALL, early_stopping=True).fit(SENTENCES, PARTS, **of_val)


@pytest.mark.parametrize(
    "params, message",
    [
        (
            {"truncate": 3},
            "transitions=True needs whole sequences, which truncate cuts. Use "
            "truncate=None or transitions=False.",
        ),
        (
            {"class_weight": "balanced"},
            "With transitions=True, the loss is that of whole sequences, so that a tag "
            "has no weight of its own. Use class_weight=None or transitions=False.",
        ),
    ],
)
def test_what_needs_single_steps_raises(params, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RNNTagger(**SMALL, **params).fit(SENTENCES, PARTS)
