"""Ctrl-C in the middle of a fit."""

import os
import signal
import threading
import warnings

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier
from skrnn._core import network, trainer
from skrnn._core.shards import Shards

X = ["aab", "ba", "abba", "b", "bbb", "a", "baa", "bab"] * 20
Y = [x[0] for x in X]
PARAMS = {"nhidden": 4, "max_iter": 6, "batch_size": 16, "random_state": 0}
N_UPDATES = 10  # an epoch


class _Interrupt:
    """Sends Ctrl-C before the n-th gradient."""

    def __init__(self, n):
        self.n_left = n
        self._function = network.loss_and_gradient

    def __call__(self, *arguments):
        self.n_left -= 1
        if self.n_left == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return self._function(*arguments)


@pytest.mark.parametrize("when", [1, N_UPDATES // 2, N_UPDATES])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_ctrl_c_keeps_the_last_complete_epoch_or_the_best_one(
    when, early_stopping, monkeypatch
):
    class StopAfterTwo:
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            return context.task_name == "epoch" and context.task_id == 1

    params = {**PARAMS, "early_stopping": early_stopping, "validation_fraction": 1e-2}
    if early_stopping:  # of 158, 10 updates an epoch
        params["nhidden"] = 3
    stopped = RNNClassifier(**params).set_callbacks(StopAfterTwo()).fit(X, Y)
    interrupt = _Interrupt(2 * N_UPDATES + when)
    monkeypatch.setattr(network, "loss_and_gradient", interrupt)
    kept = "the best epoch" if early_stopping else "epoch 2"
    sentence = f"^Training was interrupted after 2 of 6 epochs.*keeps.* from {kept}"
    with pytest.warns(ConvergenceWarning, match=sentence):
        classifier = RNNClassifier(**params).fit(X, Y)
    assert interrupt.n_left <= 0
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 2
    assert classifier.loss_curve_ == stopped.loss_curve_
    assert np.array_equal(classifier.V_, stopped.V_)
    assert np.array_equal(classifier.predict_proba(X), stopped.predict_proba(X))


def test_ctrl_c_in_the_first_epoch_ends_the_fit(monkeypatch):
    classifier = RNNClassifier(**PARAMS).fit(X, Y)
    before = dict(vars(classifier))
    interrupt = _Interrupt(N_UPDATES // 2)
    monkeypatch.setattr(network, "loss_and_gradient", interrupt)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, Y)
    assert vars(classifier) == before


def test_ctrl_c_with_several_threads(monkeypatch):
    """Whichever thread waits for which."""
    n_threads, before = torch.get_num_threads(), threading.active_count()
    monkeypatch.setattr(trainer, "shards_for", lambda _, n: Shards(n, 4))
    torch.set_num_threads(3)
    try:
        timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.warns(ConvergenceWarning, match="was interrupted"):
            classifier = RNNClassifier(8, max_iter=10**6, tol=0.0).fit(X, Y)
    finally:
        torch.set_num_threads(n_threads)
        timer.cancel()
    assert np.isfinite(classifier.predict_proba(X)).all()
    timer.join()
    assert threading.active_count() == before


def _fit_interrupted(n):
    network.loss_and_gradient = _Interrupt(n)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            RNNClassifier(**PARAMS).fit(X, Y)
    except KeyboardInterrupt:
        return "interrupted"
    return "went on"


def test_workers_of_other_processes_are_ended():
    outcomes = Parallel(n_jobs=2)(
        delayed(_fit_interrupted)(n) for n in [3 * N_UPDATES] * 2
    )
    assert outcomes == ["interrupted"] * 2


def test_a_search_is_ended(monkeypatch):
    interrupt = _Interrupt(3 * N_UPDATES // 2)
    monkeypatch.setattr(network, "loss_and_gradient", interrupt)
    search = GridSearchCV(RNNClassifier(**PARAMS), {"nhidden": [3, 4]}, cv=2)
    with pytest.raises(KeyboardInterrupt):
        search.fit(X, Y)


def test_a_pipeline_keeps_its_last_step(monkeypatch):
    interrupt = _Interrupt(3 * N_UPDATES // 2)
    monkeypatch.setattr(network, "loss_and_gradient", interrupt)
    pipeline = make_pipeline("passthrough", RNNClassifier(**PARAMS))
    with pytest.warns(ConvergenceWarning, match="was interrupted after 1 of 6 epochs"):
        pipeline.fit(X, Y)
    assert pipeline[-1].n_iter_ == 1
