"""Threads over sequences, not inside operations.

A recurrent step is a few small operations. Spread over several threads, each of them
ends in a barrier where the threads wait for the slowest; beside one busy process that
makes a fit several times slower than on a single thread. So each operation runs on one
thread, and several threads work on sequences of their own.

torch keeps the number of threads for each thread, and hands the number that was set
last to threads that are new to it. So whoever sets it here puts the last number back at
once, by a thread of a moment: threads that meet torch meanwhile get what they would
have got.
"""

import os
import queue
import threading
from contextlib import contextmanager, nullcontext
from functools import partial

import torch

_lock = threading.Lock()
_calls = threading.local()  # n_threads: what the caller's thread had outside


def _new_lock():
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # a thread may hold it that the child has not
    os.register_at_fork(after_in_child=_new_lock)


@contextmanager
def torch_settings():
    """Each operation on a single thread, new tensors on the CPU; restored at the end.

    Yields
    ------
    n_threads : int
        The number outside: how many threads the user lets torch have.
    """
    if hasattr(_calls, "n_threads"):  # a call within a call
        yield _calls.n_threads
        return
    n_threads = torch.get_num_threads()
    on_cpu = nullcontext()
    if torch.get_default_device().type != "cpu":
        on_cpu = torch.device("cpu")
    _calls.n_threads = n_threads
    try:
        _set_for_this_thread(1)
        with on_cpu:
            yield n_threads
    finally:
        del _calls.n_threads
        _set_for_this_thread(n_threads)


def _set_for_this_thread(n_threads):
    """torch.set_num_threads, without a word to threads that are new to torch."""
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
def threads(n_threads):
    """A function like map, whose calls run on so many threads, this one among them.

    To be used inside :func:`torch_settings`. Results come in the order of the
    arguments; an exception in a call is raised here.

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
            """Do a task, and go on with those that nobody has begun."""
            try:
                while i is not None:
                    results[i] = function(*arguments)
                    with lock:
                        i, arguments = next(others, (None, None))
            except BaseException:
                with lock:
                    tasks.clear()  # and what is left of them is not begun
                raise

        n_asked = min(n_threads, len(tasks)) - 1
        # Whoever wakes late still has a task of its own: otherwise the first thread
        # would be through with all of them before the others have begun.
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
    """A thread that does what it is told until it is stopped."""

    def __init__(self):
        self._work, self._done = queue.SimpleQueue(), queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        _set_for_this_thread(1)
        while (work := self._work.get()) is not None:
            error = None
            try:
                work()
            except BaseException as caught:  # raised by the thread that waits
                error = caught
            self._done.put(error)

    def start(self, work):
        """Have `work` called."""
        self._work.put(work)

    def wait(self):
        """What the call has raised, or None, once it is done."""
        return self._done.get()

    def stop(self):
        """End the thread."""
        self._work.put(None)
        self._thread.join()
