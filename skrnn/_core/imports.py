"""Imports in the middle of a call, which neither a fork nor Ctrl-C may cut in two.

numba takes a while to import, so that it is not imported before a network is needed. It
imports parts of itself, and packages that extend it, when it first compiles. If that is
interrupted, it fails for the rest of the life of the process; and in a forked process,
whatever another thread was importing stays locked.
"""

import threading
from contextlib import contextmanager

from skrnn._core.forks import make_forks_wait_for

# Held by a thread that imports a module which other threads may also import.
import_lock = threading.RLock()
make_forks_wait_for(import_lock)


@contextmanager
def kernel_imports():
    """Import kernels within this context."""
    if not _Numba.is_imported:
        _Numba.import_all()
    with import_lock:
        yield


class _Numba:
    """Whether numba and all that it needs to compile have been imported."""

    is_imported = False

    @classmethod
    def import_all(cls):
        """Import it in a thread, since only the main thread is interrupted."""
        errors = []

        def run():
            try:
                with import_lock:
                    cls._import_all()
            except BaseException as error:  # raised in the waiting thread
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        for error in errors:
            raise error

    @classmethod
    def _import_all(cls):
        from numba.core import entrypoints
        from numba.core.compiler_lock import global_compiler_lock
        from numba.core.registry import cpu_target

        entrypoints.init_all()
        with global_compiler_lock:  # the program may use numba in other threads
            cpu_target.typing_context.refresh()
            cpu_target.target_context.refresh()
        cls.is_imported = True
