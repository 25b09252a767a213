"""Threads over sequences, not inside operations.

A recurrent step is a few small operations. Spread over several threads, each of them
ends in a barrier where the threads wait for the slowest; beside one busy process that
makes a fit several times slower than on a single thread. So each operation runs on one
thread, and several threads work on sequences of their own.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_n_inside = 0
_n_threads_outside = None


@contextmanager
def one_intraop_thread():
    """Run each of torch's operations on a single thread; restore on the way out.

    torch keeps the number for each thread, and hands threads that are new to it the
    number set last. So all calls that overlap restore the number from before the first
    of them.

    Yields
    ------
    n_threads : int
        The number outside: how many threads the user lets torch have.
    """
    global _n_inside, _n_threads_outside
    with _lock:
        # Asked even if not needed: a thread that is new to torch takes over the number
        # set last when it first asks, which must not happen later.
        n_threads = torch.get_num_threads()
        if _n_inside == 0:
            _n_threads_outside = n_threads
        _n_inside += 1
        torch.set_num_threads(1)
        n_threads = _n_threads_outside
    try:
        yield n_threads
    finally:
        with _lock:
            _n_inside -= 1
            torch.set_num_threads(_n_threads_outside)


@contextmanager
def threads(n_threads):
    """A function like map, whose calls run on so many threads, this one among them.

    To be used inside :func:`one_intraop_thread`. Results come in the order of the
    arguments; an exception in a call is raised here.

    Yields
    ------
    run : callable
        ``run(function, *iterables)`` returns the results.
    """
    if n_threads == 1:
        yield map
        return
    # Told anew: another call may have restored the number in the meantime.
    with ThreadPoolExecutor(
        n_threads - 1, initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:

        def run(function, *iterables):
            tasks = list(enumerate(zip(*iterables, strict=True)))
            results = [None] * len(tasks)
            remaining = iter(tasks)  # next() of a list's iterator is atomic

            def work():
                for i, arguments in remaining:
                    results[i] = function(*arguments)

            n_helpers = min(n_threads, len(tasks)) - 1
            helpers = [pool.submit(work) for _ in range(n_helpers)]
            work()
            for helper in helpers:
                helper.result()
            return results

        yield run
