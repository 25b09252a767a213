"""The number of intra-operation threads is changed for a call, and put back."""

import threading
from itertools import product

import numpy as np
import pytest
import torch

from skrnn import RNNClassifier
from skrnn._core import network, prediction, training
from skrnn._core.threads import one_intraop_thread, threads


@pytest.fixture
def two_threads():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(n_threads)


def test_one_thread_inside_and_as_before_outside(two_threads):
    with one_intraop_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_restored_after_an_error(two_threads):
    with pytest.raises(ZeroDivisionError), one_intraop_thread():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2


def test_calls_that_overlap_restore_the_first_number(two_threads):
    is_inside, may_leave = threading.Event(), threading.Event()
    seen = []

    def overlapping():
        with one_intraop_thread():
            is_inside.set()
            may_leave.wait(timeout=60)
            seen.append(torch.get_num_threads())
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=overlapping)
    with one_intraop_thread():
        thread.start()
        is_inside.wait(timeout=60)
    assert torch.get_num_threads() == 2
    may_leave.set()
    thread.join()
    assert seen == [1, 2]
    assert torch.get_num_threads() == 2

    newcomer = []
    thread = threading.Thread(target=lambda: newcomer.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert newcomer == [2]


def test_fit_and_predict_run_on_one_thread_and_restore_the_number(
    two_threads, monkeypatch
):
    seen = []

    def spy_on(module, name):
        original = getattr(module, name)

        def spied(*arguments, **keywords):
            seen.append((name, torch.get_num_threads()))
            return original(*arguments, **keywords)

        monkeypatch.setattr(module, name, spied)

    spy_on(network, "initialise")
    spy_on(training, "fit")
    spy_on(prediction, "encode")
    spy_on(network, "output_scores")
    X = ["cat", "chat"]
    classifier = RNNClassifier(max_iter=1).fit(X, X)
    assert torch.get_num_threads() == 2
    classifier.predict(X)
    assert torch.get_num_threads() == 2
    assert seen == [
        ("initialise", 1),
        ("fit", 1),
        ("encode", 1),
        ("output_scores", 1),
    ]


def fitted_on(n_threads, n_samples, **params):
    X = ["".join(word) for word in product("abcd", repeat=5)][:n_samples]
    y = [word.count("a") for word in X]
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        classifier = RNNClassifier(random_state=0, max_iter=2, **params).fit(X, y)
        return classifier, classifier.predict_proba(X)
    finally:
        torch.set_num_threads(before)


def test_a_batch_too_small_for_shards_gives_equal_weights_on_any_threads():
    one, two = (fitted_on(n, 100, nhidden=256)[0] for n in (1, 2))
    np.testing.assert_array_equal(one.W_[0], two.W_[0])
    np.testing.assert_array_equal(one.U_[0], two.U_[0])


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_shards_change_the_weights_in_rounding_only(cell):
    params = {
        "cell": cell,
        "nhidden": 32,
        "batch_size": 300,
        "learning_rate_init": 1e-3,
    }
    (one, _), (two, probabilities), (again, _) = (
        fitted_on(n, 1000, **params) for n in (1, 2, 2)
    )
    # Adam magnifies the rounding of gradients near 0.
    np.testing.assert_allclose(one.W_[0], two.W_[0], rtol=0, atol=2e-4)
    np.testing.assert_array_equal(two.W_[0], again.W_[0])
    np.testing.assert_array_equal(two.U_[0], again.U_[0])
    assert np.isfinite(probabilities).all()


def test_predictions_are_equal_on_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(prediction, "_MAX_SEQUENCES", 50)
    classifier, one = fitted_on(1, 700, nhidden=16)
    X = ["".join(word) for word in product("abcd", repeat=5)][:700]
    torch_threads = torch.get_num_threads()
    torch.set_num_threads(3)
    three = classifier.predict_proba(X)
    torch.set_num_threads(torch_threads)
    np.testing.assert_array_equal(one, three)


def test_an_error_in_a_thread_is_raised(two_threads):
    def fail_at(i):
        if i == 5:
            raise ZeroDivisionError
        return i

    with one_intraop_thread() as n_threads, threads(n_threads) as run:
        assert list(run(fail_at, range(5))) == list(range(5))
        with pytest.raises(ZeroDivisionError):
            list(run(fail_at, range(9)))
    assert torch.get_num_threads() == 2


def test_the_number_outside_is_handed_on(two_threads):
    with one_intraop_thread() as outer, one_intraop_thread() as inner:
        assert (outer, inner) == (2, 2)
