"""Locks for which forks wait."""

import os
import subprocess
import sys
import threading

import pytest

from skrnn._core import forks
from skrnn._core.imports import import_lock

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

# In a process without the threads of others. Each thread has children, all at once.
SEVERAL = """
import faulthandler, os, threading, time
from skrnn._core.imports import import_lock

faulthandler.dump_traceback_later(60, exit=True)
end = time.monotonic() + 3

def fork_often():
    while time.monotonic() < end:
        child = os.fork()
        if child == 0:
            with import_lock:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0

threads = [threading.Thread(target=fork_often) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert import_lock.acquire(timeout=1)
"""


def test_several_threads_may_fork_at_the_same_time():
    done = subprocess.run([sys.executable, "-c", SEVERAL], capture_output=True)
    assert done.returncode == 0 and done.stderr == b"", done.stderr.decode()


def test_a_fork_waits_for_another_thread():
    held, released = threading.Event(), threading.Event()

    def hold():
        with import_lock:
            held.set()
            released.wait(0.2)
            released.set()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if released.is_set() and import_lock.acquire(timeout=1) else 1)
    assert os.waitpid(child, 0)[1] == 0
    thread.join()


def test_a_thread_may_fork_while_it_holds_the_lock():
    with import_lock:
        child = os.fork()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert not forks._held._exit_callbacks
