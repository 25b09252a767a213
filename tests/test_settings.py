"""Settings of torch that a user has made outside have no effect."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor
from skrnn._core import threads
from skrnn.export import from_state_dict, to_state_dict

pytestmark = pytest.mark.thread_unsafe(reason="it changes settings of all threads")

X = ["cat", "chat", "katze", "kat"] * 10
LABELS = [0, 1, 2, 1] * 10
NUMBERS = np.arange(40.0)
VECTORS = {token: np.arange(3.0) + ord(token) % 7 for token in "acehktz"}
PARAMS = {"nhidden": 4, "max_iter": 2, "random_state": 0}
CLASSIFIERS = {
    "plain": {},
    "embeddings": {"embeddings": VECTORS},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3},
    "dropout": {"dropout": 0.3},
    "layers": {"cell": "lstm", "bidirectional": True, "nhidden": (3, 4)},
    "truncate": {"truncate": 2},
}


def predictions(classifier):
    """All that a classifier predicts of X."""
    methods = ("predict_proba", "predict_log_proba", "decision_function")
    return [getattr(classifier, method)(X) for method in methods]


def everything():
    """Predictions of estimators that are fitted and used here and now."""
    results = []
    for params in CLASSIFIERS.values():
        results += predictions(RNNClassifier(**{**PARAMS, **params}).fit(X, LABELS))
    classifier = RNNClassifier(**PARAMS, embeddings=VECTORS)
    for _ in range(2):
        classifier.partial_fit(X, LABELS, classes=[0, 1, 2])
    results += predictions(from_state_dict(to_state_dict(classifier)))
    regressor = RNNRegressor(**PARAMS, warm_start=True).fit(X, NUMBERS)
    results.append(regressor.fit(X, 2 * NUMBERS).predict(X))
    results.append(RNNEncoder(**PARAMS).fit(X).transform(X))
    return results


@contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


SETTINGS = {
    "autocast": lambda: torch.autocast("cpu"),
    "autocast to float16": lambda: torch.autocast("cpu", dtype=torch.float16),
    "float64": lambda: default_dtype(torch.float64),
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "another device": lambda: torch.device("meta"),  # stands for a GPU
    "inference mode": torch.inference_mode,
    "no gradients": torch.no_grad,
}


@pytest.fixture(scope="module")
def expected():
    return everything()


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_has_no_effect(setting, expected):
    with SETTINGS[setting]():
        results = everything()
    for ours, theirs in zip(results, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_as_it_was_afterwards(setting):
    with SETTINGS[setting]():
        before = state()
        RNNClassifier(**PARAMS).fit(X, LABELS).predict(X)
        assert state() == before


def state():
    return (
        torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
    )


class _OutsideOurSettings(TorchDispatchMode):
    """Notes the operations that run on the threads that the user lets torch have."""

    # They compute nothing: an array as a tensor, a tensor as an array.
    harmless = ("aten.lift_fresh.default", "aten.detach.default")

    def __init__(self):
        super().__init__()
        self.inside, self.outside = 0, set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if threads.running_call() is not None:
            self.inside += 1
        elif str(function) not in self.harmless:
            self.outside.add(str(function))
        return function(*args, **(kwargs or {}))


def test_no_operation_runs_outside_our_settings():
    """A forked process does not have the threads that would run it."""
    with _OutsideOurSettings() as noted:
        everything()
    assert noted.inside > 1000
    assert noted.outside == set()


def test_this_finds_operations_outside_our_settings():
    with _OutsideOurSettings() as noted:
        torch.isfinite(torch.zeros(3).sum())
    assert "aten.sum.default" in noted.outside
