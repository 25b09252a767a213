"""Locks for which a fork waits.

A child process has only the thread that forked. What another thread was doing is never
finished there: a module that was being imported stays locked, and whoever imports it
waits for ever.
"""

import os
import threading

# Held by a thread that imports a module which other threads may import, too.
import_lock = threading.RLock()
_locks, _held = [import_lock], []


def make_forks_wait_for(lock):
    """Let forks wait until no other thread holds `lock`, which may be acquired twice.

    A thread that holds it must not acquire a lock for which forks have waited longer.
    """
    _locks.append(lock)


def _acquire_all():
    for lock in _locks:  # also those that are added while this waits
        lock.acquire()
        _held.append(lock)


def _release_all():
    while _held:
        _held.pop().release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_acquire_all,
        after_in_parent=_release_all,
        after_in_child=_release_all,
    )
