"""Threads over sequences, not inside operations.

A recurrent step consists of a few small operations. An operation that is spread over
several threads ends in a barrier, where all threads wait for the slowest; next to one
busy process, this makes a fit several times slower than on a single thread. So each
operation runs on one thread, and each of several threads works on its own sequences.

torch stores a number of intra-op threads per thread. A thread that is new to torch gets
the number that was last set by any thread. So each time this module sets the number for
one thread, it immediately sets the last number again from a short-lived thread, so that
new threads get the same number as without this module.
"""

import os
import queue
import threading
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np
import torch

_lock = threading.Lock()
_calls = threading.local()  # n_threads: what the calling thread had before


def _new_lock():
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # its holder may not exist in the child
    os.register_at_fork(after_in_child=_new_lock)


@contextmanager
def torch_settings():
    """Run operations on one thread, on the CPU, not autocast; restore at the end.

    Yields
    ------
    n_threads : int
        The number of threads that the user allows torch to use.
    """
    if hasattr(_calls, "n_threads"):  # a nested call
        yield _calls.n_threads
        return
    n_threads = torch.get_num_threads()
    _calls.n_threads = n_threads
    try:
        _set_for_this_thread(1)
        with ExitStack() as settings:
            if torch.get_default_device().type != "cpu":
                settings.enter_context(torch.device("cpu"))
            if torch.is_autocast_enabled("cpu"):
                settings.enter_context(torch.autocast("cpu", enabled=False))
            yield n_threads
    finally:
        del _calls.n_threads
        _set_for_this_thread(n_threads)


def _set_for_this_thread(n_threads):
    """Call torch.set_num_threads without affecting threads that are new to torch."""
    if torch.get_num_threads() == n_threads:
        return
    knows, is_set = threading.Event(), threading.Event()

    def keep_last():
        last = torch.get_num_threads()
        knows.set()
        is_set.wait()
        torch.set_num_threads(last)

    with _lock:
        thread = threading.Thread(target=keep_last)
        thread.start()
        knows.wait()
        try:
            torch.set_num_threads(n_threads)
        finally:
            is_set.set()
            thread.join()


@contextmanager
def denormals_flushed():
    """Take numbers below 1e-38 for 0 in this thread, and in helpers that it starts.

    Arithmetic on them takes a hundred times as long, and gradients that vanish over
    many steps are full of them.
    """
    before = _flushes_denormals()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _flushes_denormals():
    """Whether this thread does so; torch does not tell."""
    return not (np.full(1, 1e-40, dtype=np.float32) * np.float32(1.0)).any()


@contextmanager
def threads(n_threads):
    """Provide a function like map, whose calls run on `n_threads` threads.

    The current thread is one of them. Use it inside :func:`torch_settings`. Results are
    in the order of the arguments; an exception in a call is raised in this thread.

    Yields
    ------
    run : callable
        ``run(function, *iterables)`` returns the results.
    """
    if n_threads == 1:
        yield map
        return
    helpers = []

    def run(function, *iterables):
        tasks = list(enumerate(zip(*iterables, strict=True)))
        results = [None] * len(tasks)
        lock = threading.Lock()

        def work(i, arguments):
            """Run a task, then tasks that no thread has started."""
            try:
                while i is not None:
                    results[i] = function(*arguments)
                    with lock:
                        i, arguments = next(others, (None, None))
            except BaseException:
                with lock:
                    tasks.clear()  # do not start the remaining ones
                raise

        n_asked = min(n_threads, len(tasks)) - 1
        # Each thread has a task of its own, even if it wakes up late: otherwise the
        # first thread would finish all tasks before the others have started.
        first, others = tasks[: n_asked + 1], iter(tasks)
        for _ in first:
            next(others)
        while len(helpers) < n_asked:
            helpers.append(_Helper())
        asked = helpers[: max(n_asked, 0)]
        for helper, task in zip(asked, first[1:], strict=True):
            helper.start(partial(work, *task))
        try:
            if first:
                work(*first[0])
        finally:
            errors = [helper.wait() for helper in asked]
        for error in errors:
            if error is not None:
                raise error
        return results

    try:
        yield run
    finally:
        for helper in helpers:
            helper.stop()


class _Helper:
    """A thread that calls the functions it is given until it is stopped."""

    def __init__(self):
        self._work, self._done = queue.SimpleQueue(), queue.SimpleQueue()
        self._flushes_denormals = _flushes_denormals()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        _set_for_this_thread(1)
        torch.set_flush_denormal(self._flushes_denormals)
        while (work := self._work.get()) is not None:
            error = None
            try:
                work()
            except BaseException as caught:  # raised in the waiting thread
                error = caught
            self._done.put(error)

    def start(self, work):
        """Call `work` on this helper's thread."""
        self._work.put(work)

    def wait(self):
        """Wait for the call; return the exception that it raised, or None."""
        return self._done.get()

    def stop(self):
        """End the thread."""
        self._work.put(None)
        self._thread.join()
