"""One intra-operation thread for the duration of a call.

A recurrent step is a few small operations. Spread over several threads, each of them
ends in a barrier where the threads wait for the slowest; beside one busy process that
makes a fit several times slower than on a single thread.
"""

import threading
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_n_inside = 0
_n_threads_outside = None


@contextmanager
def one_intraop_thread():
    """Run torch's operations on the calling thread alone; restore on the way out.

    torch keeps the number for each thread, and hands threads that are new to it the
    number set last. So all calls that overlap restore the number from before the first
    of them.
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
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            torch.set_num_threads(_n_threads_outside)
