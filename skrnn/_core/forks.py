"""Locks for which a fork waits.

A child process has only the thread that forked. What another thread was doing is never
finished there, and the locks that it held are never released.
"""

# Handlers are called in the reverse order of their registration. Those of these modules
# take locks that an importing thread needs, so they must come after those below.
import concurrent.futures.thread  # noqa: F401
import logging  # noqa: F401
import os
from contextlib import ExitStack

_locks, _held = [], ExitStack()


def make_forks_wait_for(lock):
    """Let forks wait until no other thread holds a lock.

    Parameters
    ----------
    lock : context manager
        The thread that forks may hold it already. No thread that holds it may wait for
        a lock that was passed to this function before.
    """
    _locks.append(lock)


def _acquire_all():
    for lock in _locks:  # also those that are added while this waits
        _held.enter_context(lock)


def _release_all():
    # All at once, while this thread holds them: with the first one released, another
    # thread that forks adds to the stack.
    _held.pop_all().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_acquire_all,
        after_in_parent=_release_all,
        after_in_child=_release_all,
    )
