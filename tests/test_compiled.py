"""What happens where torch cannot compile."""

import os
import signal
import threading
import time

import pytest
import torch

from skrnn._core.compiled import compiled


def twice(x: torch.Tensor):
    return x + x


def test_a_compiled_function_gives_what_it_gave():
    assert compiled(twice)(torch.ones(2)).tolist() == [2.0, 2.0]
    assert compiled(twice).__wrapped__ is twice


@pytest.mark.parametrize(
    "error",
    [AttributeError, OSError, RuntimeError, TypeError, NotImplementedError, Exception],
)
def test_python_takes_over_where_torch_cannot(error, monkeypatch):
    def fail(function):
        raise error

    monkeypatch.setattr(torch.jit, "script", fail)
    assert compiled(twice)(torch.ones(2)).tolist() == [2.0, 2.0]


def test_ctrl_c_during_the_conversion_of_arguments_is_ctrl_c(monkeypatch):
    def interrupted(*arguments):
        raise RuntimeError(
            "f() Expected a value of type 'Tensor' ... KeyboardInterrupt"
        )

    monkeypatch.setattr(torch.jit, "script", lambda function: interrupted)
    with pytest.raises(KeyboardInterrupt):
        compiled(twice)(torch.ones(2))


def test_other_errors_stay_what_they_are(monkeypatch):
    def fail(*arguments):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(torch.jit, "script", lambda function: fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        compiled(twice)(torch.ones(2))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.thread_unsafe(reason="it forks")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_compiles_though_a_thread_of_its_parent_was_compiling():
    started, may_go_on = threading.Event(), threading.Event()

    def slow(function):
        started.set()
        may_go_on.wait(timeout=60)
        return function

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.jit, "script", slow)
        thread = threading.Thread(target=compiled(twice), args=(torch.ones(2),))
        thread.start()
        started.wait(timeout=60)
        child = os.fork()
        if child == 0:
            patch.setattr(torch.jit, "script", lambda function: function)
            compiled(twice)(torch.ones(2))
            os._exit(0)
    deadline = time.monotonic() + 30
    while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    may_go_on.set()
    thread.join()
    assert done[1] == 0
