"""The number of intra-operation threads is changed for a call, and put back."""

import threading

import pytest
import torch

from skrnn import RNNClassifier
from skrnn._core import network, training
from skrnn._core.threads import one_intraop_thread


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
    spy_on(network, "encode")
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


def test_the_number_of_threads_outside_does_not_change_the_weights():
    X, weights = ["cat", "chat", "katze"], []
    before = torch.get_num_threads()
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        classifier = RNNClassifier(256, max_iter=2, random_state=0).fit(X, X)
        weights.append(torch.from_numpy(classifier.W_[0]))
    torch.set_num_threads(before)
    assert torch.equal(*weights)
