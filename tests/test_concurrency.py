"""While an estimator is fitted again, other threads find its last fit, whole."""

import copy
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone

from skrnn import (
    RNNClassifier,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNTagger,
)
from skrnn.export import from_state_dict, to_state_dict

pytestmark = [
    pytest.mark.thread_unsafe(reason="it changes how often threads take turns"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
N_FITS = 8
PROBE = ["abc", "ba", "dcb", "a", "ccab"]
FEW, MANY = ["ab", "ba", "aab", "b", "bba", "a"], ["abcd", "dc", "cab", "d", "bd", "c"]
# What is fitted in turn, by estimator: other letters, other classes, other outputs.
DATA = {
    RNNClassifier: [(FEW, [*"pqppqq"]), (MANY, [*"xyzxyz"])],
    RNNEncoder: [(FEW, [*"pqppqq"]), (MANY, None)],
    RNNRegressor: [
        (FEW, [1.0, 2.0, 0.0, 1.5, 3.0, 2.5]),
        (MANY, [[100.0 * i, i % 2] for i in range(6)]),
    ],
    RNNTagger: [(FEW, FEW), (MANY, MANY)],
    RNNLanguageModel: [(FEW, None), (MANY, None)],
}
# Chunks have the outputs of the first one.
CHUNKS = {
    RNNClassifier: [(FEW, [*"pqppqq"]), (MANY, [*"qqrprq"])],
    RNNEncoder: [(FEW, [*"pqppqq"]), (MANY, [*"qqpppq"])],
    RNNRegressor: [(FEW, [*range(6)]), (MANY, [40.0 * i for i in range(6)])],
    RNNTagger: DATA[RNNTagger],
    RNNLanguageModel: DATA[RNNLanguageModel],
}


@pytest.fixture(autouse=True)
def taking_turns_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def fit(estimator, i):
    """The fit of this number; the first one is number 0."""
    estimator.fit(*DATA[type(estimator)][i % 2])


def partial_fit(estimator, i):
    classes = {RNNClassifier: [*"pqr"], RNNTagger: [*"abcd"]}.get(type(estimator))
    more = {} if classes is None else {"classes": classes}
    estimator.partial_fit(*CHUNKS[type(estimator)][i % 2], **more)


def outcome(estimator):
    """All that an estimator makes of some sequences, by what is called."""
    encoder = getattr(estimator, "encoder_", estimator)
    found = {}
    if hasattr(encoder, "transform"):
        found["transform"] = encoder.transform(PROBE)
    for name in ("predict", "predict_proba", "decision_function", "next_proba"):
        if hasattr(estimator, name):
            found[name] = flat(getattr(estimator, name)(PROBE))
    return found


def flat(result):
    """A result for each sequence, or for each step, as one array."""
    return np.concatenate(result) if isinstance(result, list) else result


def outcome_of_a_copy(make):
    """A function that makes a copy, which must be of one fit, and asks all of it."""
    return lambda estimator: outcome(make(estimator))


def outcome_of_one(name):
    """A function that asks an estimator one thing, or its encoder if it cannot."""

    def ask(estimator):
        of = estimator if hasattr(estimator, name) else estimator.encoder_
        return {name: flat(getattr(of, name)(PROBE))}

    return ask


def clones(estimator):
    other = clone(estimator)
    assert other.get_params() == estimator.get_params()
    assert vars(other).keys() == other.get_params().keys()  # nothing of any fit
    return {}


def looks_at(cls):
    """What other threads do with an estimator meanwhile."""
    methods = {
        RNNClassifier: ["predict", "predict_proba", "transform"],
        RNNEncoder: ["transform"],
        RNNRegressor: ["predict", "transform"],
        RNNTagger: ["predict", "predict_proba"],
        RNNLanguageModel: ["transform", "next_proba"],
    }
    return [
        *map(outcome_of_one, methods[cls]),
        outcome_of_a_copy(lambda estimator: pickle.loads(pickle.dumps(estimator))),
        outcome_of_a_copy(copy.deepcopy),
        outcome_of_a_copy(lambda estimator: from_state_dict(to_state_dict(estimator))),
        clones,
    ]


def is_that_of(found, whole):
    """Whether what was found is what one whole fit makes."""
    return all(
        result.shape == whole[name].shape
        and (
            np.allclose(result, whole[name], rtol=1e-4, atol=1e-5)
            if result.dtype.kind == "f"
            else np.array_equal(result, whole[name])
        )
        for name, result in found.items()
    )


@pytest.mark.parametrize("cls", DATA)
@pytest.mark.parametrize(
    "fit_again, params",
    [(fit, {}), (fit, {"warm_start": True}), (partial_fit, {})],
    ids=["fit", "warm start", "partial_fit"],
)
def test_others_find_the_last_fit_whole(cls, fit_again, params):
    estimator = cls(4, max_iter=2, learning_rate_init=0.05, random_state=0, **params)
    if params or fit_again is partial_fit:  # the vocabulary stays
        estimator.set_params(vocabulary=[*"abcd"])
    fit_again(estimator, 0)
    outcomes, is_over = [outcome(estimator)], threading.Event()
    looks = looks_at(cls)
    all_ready = threading.Barrier(len(looks) + 1)

    def look_until_over(look):
        all_ready.wait(timeout=60)
        found = []
        while not is_over.is_set():
            found.append(look(estimator))
        return [*found, look(estimator)]

    with ThreadPoolExecutor(len(looks)) as pool:
        futures = [pool.submit(look_until_over, look) for look in looks]
        all_ready.wait(timeout=60)
        try:
            for i in range(1, N_FITS + 1):
                fit_again(estimator, i)
                outcomes.append(outcome(estimator))
        finally:
            is_over.set()
    for future in futures:
        for found in future.result():
            assert any(is_that_of(found, whole) for whole in outcomes)
    # Or else nothing would be shown.
    assert not is_that_of(outcomes[0], outcomes[1])
