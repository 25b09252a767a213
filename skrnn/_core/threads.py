"""Threads over sequences, not inside operations.

A recurrent step consists of a few small operations. An operation that is spread over
several threads ends in a barrier, where all threads wait for the slowest; next to one
busy process, this makes a fit several times slower than on a single thread. So each
operation runs on one thread, and each of several threads works on its own sequences.

torch stores a number of intra-op threads per thread, and gives a thread that is new to
torch the number that was last set by any thread. The libraries that torch computes
with, OpenMP and MKL, can be told the number for the calling thread alone; where torch
has both, this module does that. Elsewhere it calls torch, and immediately sets the last
number again from a short-lived thread, so that new threads get the same number as
without this module.
"""

import ctypes
import os
import queue
import sys
import threading
import weakref
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch

_lock = threading.Lock()
_calls = threading.local()  # reference: to the running call of torch_settings


def _new_lock():
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # its holder may not exist in the child
    os.register_at_fork(after_in_child=_new_lock)


class _Call:
    """A call of :func:`torch_settings` that is not over.

    Parameters
    ----------
    n_threads : int
        The number of threads that the calling thread had before.
    """

    def __init__(self, n_threads):
        self.n_threads = n_threads


def running_call():
    """The call of :func:`torch_settings` around this one, or None."""
    reference = getattr(_calls, "reference", None)
    return None if reference is None else reference()


@contextmanager
def torch_settings():
    """Run operations on one thread, on the CPU, not autocast; restore at the end.

    Yields
    ------
    n_threads : int
        The number of threads that the user allows torch to use.
    """
    outer = running_call()
    if outer is not None:
        yield outer.n_threads
        return
    call = _Call(torch.get_num_threads())
    try:
        # A weak reference ends with this call, at whatever line Ctrl-C may end it.
        _calls.reference = weakref.ref(call)
        _set_for_this_thread(1)
        with ExitStack() as settings:
            if torch.get_default_device().type != "cpu":
                settings.enter_context(torch.device("cpu"))
            if torch.is_inference_mode_enabled():
                settings.enter_context(torch.inference_mode(False))
            if torch.is_autocast_enabled("cpu"):
                settings.enter_context(torch.autocast("cpu", enabled=False))
            yield call.n_threads
    finally:
        _set_for_this_thread(call.n_threads)
        _calls.reference = None


def _set_for_this_thread(n_threads):
    """Call torch.set_num_threads without affecting threads that are new to torch."""
    if torch.get_num_threads() == n_threads:
        return
    set_alone = _setter()
    if set_alone is None:
        _set_by_torch(n_threads)
    else:
        set_alone(n_threads)


@cache
def _setter():
    """A function that tells OpenMP and MKL, or None where torch does not have both."""
    if sys.platform != "linux" or not torch.backends.mkl.is_available():
        return None
    try:
        library = ctypes.CDLL(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so")
        setters = library.omp_set_num_threads, library.MKL_Set_Num_Threads_Local
    except (OSError, AttributeError):
        return None

    def set_alone(n_threads):
        for setter in setters:
            setter(n_threads)

    n_threads = torch.get_num_threads()
    set_alone(n_threads + 1)
    is_heard = torch.get_num_threads() == n_threads + 1
    set_alone(n_threads)
    return set_alone if is_heard else None


def _set_by_torch(n_threads):
    """torch.set_num_threads, whose effect on threads new to torch is undone."""
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
    try:
        torch.set_flush_denormal(True)
        yield
    finally:
        torch.set_flush_denormal(before)


def _flushes_denormals():
    """Whether this thread does so; torch does not tell."""
    smallest = np.ones(1, dtype=np.int32).view(np.float32)
    return not (smallest * np.float32(1.0)).any()


@contextmanager
def threads(n_threads):
    """Provide a function like map, whose calls run on `n_threads` threads.

    The current thread is one of them; the others run in copies of its context (see
    :mod:`contextvars`). Use it inside :func:`torch_settings`. Results are in the order
    of the arguments; an exception in a call is raised in this thread.

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
            helper.start(partial(copy_context().run, work, *task))
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
