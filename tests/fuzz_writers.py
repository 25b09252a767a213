"""Whatever a user can pass to estimators that write sequences, and to ensembles.

    python tests/fuzz.py                    # runs this file as well

As in fuzz.py, from which it has the sequences and the tables.
"""

from itertools import cycle, islice

import numpy as np
import pandas as pd
import pytest
from fuzz import CONTAINERS as NAMES
from fuzz import (
    SAYS_LITTLE,
    any_X,
    contained,
    examples,
    good_items,
    good_series,
    good_tokens,
    labels,
    length,
    lists,
    outcome,
    small,
    texts,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.base import clone

from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEnsemble,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning"),
    pytest.mark.filterwarnings(f"ignore:{SAYS_LITTLE}"),
]
SMALL = {"nhidden": 2, "max_iter": 1, "random_state": 0}

containers = st.sampled_from(list(NAMES))
token_lists = st.one_of(
    lists(texts, 0),
    lists(lists(good_tokens, 0), 0),
    lists(lists(st.sampled_from("ab"), 0), 0),
)
some_y = st.one_of(
    token_lists,
    token_lists,
    good_series,
    good_items,
    st.builds(contained, token_lists, containers),
    st.builds(contained, good_series, containers),
    any_X,
)
tables = st.integers(1, 3).flatmap(
    lambda width: lists(st.lists(small, min_size=width, max_size=width))
)
# scikit-learn reads them, whose errors are its own.
vectors = st.builds(
    lambda table, container: container(table),
    tables,
    st.sampled_from([list, np.array, csr_matrix, pd.DataFrame]),
)
few_weights = st.none() | st.lists(st.integers(0, 2), min_size=1, max_size=4)


def as_many(y, X):
    """As many of the entries of a list as X has, again and again."""
    if not isinstance(y, list) or not y:
        return y
    return list(islice(cycle(y), length(X)))


def check_writer(model, X, y, weight):
    """It writes for what it has learned from, and its probabilities are numbers."""
    found = outcome(model.predict, X)
    if weight is not None and 0 in weight:  # what was left out may be far from the rest
        assume(found is not None)
    assert found is not None
    assert len(found) == length(X)
    log_p = outcome(model.score_samples, X, y)
    assert log_p is not None
    assert log_p.shape == (len(found),)
    assert not np.isnan(log_p).any()
    if isinstance(found[0], np.ndarray):
        assert all(np.isfinite(each).all() for each in found)
    else:
        assert (log_p <= 0).all()
        assert 0 <= outcome(model.score, X, y) <= 1
        n_best = outcome(model.predict_n_best, X, 2)
        for best, (first, *_) in zip(found, n_best, strict=True):
            assert type(first[0]) is type(best)
    again = outcome(model.score_samples, X, found)
    assert again is not None
    assert not np.isnan(again).any()


@examples(0.1)
@given(
    st.one_of(good_items, any_X),
    some_y,
    few_weights,
    st.sampled_from(["rnn", "ctc"]),
    st.sampled_from(["predict", "score", "score_samples"]),
    st.tuples(any_X, some_y),
)
def test_a_sequence_for_a_sequence(X, y, weight, decoder, method, other):
    model = RNNSeq2Seq(**SMALL, decoder=decoder)
    y, weight = as_many(y, X), as_many(weight, X)
    if outcome(model.fit, X, y, weight) is None:
        assert vars(model).keys() == model.get_params().keys()
        return
    check_writer(model, X, y, weight)
    X, y = other
    outcome(getattr(model, method), *(X, as_many(y, X))[: 1 + (method != "predict")])


@examples(0.1)
@given(
    vectors,
    some_y,
    few_weights,
    st.sampled_from(["predict", "score", "score_samples", "sample"]),
    st.tuples(vectors, some_y),
)
def test_a_sequence_for_a_vector(X, y, weight, method, other):
    model = RNNDecoder(**SMALL)
    y, weight = as_many(y, X), as_many(weight, X)
    if outcome(model.fit, X, y, weight) is None:
        assert vars(model).keys() == model.get_params().keys()
        return
    check_writer(model, X, y, weight)
    X, y = other
    of = (X, as_many(y, X)) if method.startswith("score") else (X,)
    outcome(getattr(model, method), *of)


MEMBERS = {
    "labels": (RNNClassifier(**SMALL), labels),
    "numbers": (RNNRegressor(**SMALL), lambda n: [0.5 * i for i in range(n)]),
    "tags": (RNNTagger(**SMALL), None),
    "sequences": (RNNSeq2Seq(**SMALL), lambda n: ["ab"[: i % 3] for i in range(n)]),
    "frames": (
        RNNSeq2Seq(**SMALL, decoder="ctc"),
        lambda n: ["ab"[: i % 3] for i in range(n)],
    ),
}


@examples(0.1)
@given(
    st.one_of(good_items, any_X),
    st.sampled_from(list(MEMBERS)),
    st.sampled_from([1, 2]),
    any_X,
)
def test_an_ensemble_reads_what_its_members_read(X, name, n_estimators, other):
    member, y_of = MEMBERS[name]
    ensemble = RNNEnsemble(member, n_estimators, random_state=0)
    y = X if y_of is None else y_of(length(X))
    alone = outcome(clone(member).fit, X, y)
    together = outcome(ensemble.fit, X, y)
    assert (alone is None) == (together is None)
    if together is None:
        assert vars(ensemble).keys() == ensemble.get_params(deep=False).keys()
        return
    (first, *_) = ensemble.estimators_
    for each in (X, other):
        found = outcome(ensemble.predict, each)
        expected = outcome(first.predict, each)
        assert (found is None) == (expected is None)
        if found is None or n_estimators > 1:
            continue
        for one, another in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, another)
