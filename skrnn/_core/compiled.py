"""Loops over numbers as fast as in C: Python compiled by numba for this processor."""

import hashlib
import os
from functools import cache
from pathlib import Path
from types import FunctionType

import numba
from numba.core import caching
from numba.core.compiler_lock import global_compiler_lock

from skrnn._core.forks import make_forks_wait_for

# Products and sums may be fused into one instruction, which rounds once. No other
# liberties: the order of operations is the one that is written.
_FAST = {"contract"}
IS_COMPILED = not numba.config.DISABLE_JIT


def compiled(function):
    """Compile a function of arrays and numbers on its first call.

    It runs without Python's global interpreter lock, so that threads do not wait for
    each other. It may call other compiled functions. The machine code is kept on disk,
    beside the source or, if that is not writable, in the cache of the user; it is used
    until a source file of the kernels changes. With ``NUMBA_DISABLE_JIT=1``, Python
    runs the same lines.
    """
    dispatcher = numba.njit(nogil=True, error_model="numpy", fastmath=_FAST)(function)
    if IS_COMPILED:
        dispatcher._cache = _cache_for(function)
    return dispatcher


class Announcement:
    """Within this context, the first compilation is announced.

    Parameters
    ----------
    say : callable
        Called with a sentence, at most once in the life of the process.
    """

    _say = None
    _is_said = False

    def __init__(self, say):
        self._of_context = say

    def __enter__(self):
        Announcement._say = self._of_context

    def __exit__(self, *_):
        Announcement._say = None

    @classmethod
    def of_compilation(cls):
        """Say that a function is going to be compiled, if somebody listens."""
        if cls._say is not None and not cls._is_said:
            cls._is_said = True
            cls._say(
                "Compiling for this processor, which takes some seconds. The result is "
                "kept for the next time."
            )


@cache
def _stamp():
    """A hash of all files that compiled code may come from."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        source = path.read_bytes()
        digest.update(f"{path.relative_to(folder)} {len(source)} ".encode())
        digest.update(source)
    return digest.hexdigest()


class _OfAllSources:
    """A place for machine code that becomes stale when any of the sources changes.

    numba looks at the file of a function only, not at those of functions that it calls.
    """

    def get_source_stamp(self):
        return _stamp(), super().get_source_stamp()


class _WhereTheUserSays(_OfAllSources, caching.UserProvidedCacheLocator):
    """The folder in the environment variable NUMBA_CACHE_DIR."""


class _BesideTheSource(_OfAllSources, caching.InTreeCacheLocator):
    """The folder ``__pycache__``."""


class _InTheHomeOfTheUser(_OfAllSources, caching.UserWideCacheLocator):
    """The folder for caches of this user, if the source is read-only."""


class _Code(caching.CompileResultCacheImpl):
    _locator_classes = (_WhereTheUserSays, _BesideTheSource, _InTheHomeOfTheUser)

    # A file of machine code says itself what it was made from: the index, a file of its
    # own, may be newer, if the disk was full or the process ended between the two.

    def __init__(self, function):
        super().__init__(function)
        self.identity = _identity(function)

    def reduce(self, data):
        made_from = self.locator.get_source_stamp(), data.signature.args, self.identity
        return made_from, super().reduce(data)

    def rebuild(self, target_context, payload):
        (stamp, args, identity), payload = payload
        if (stamp, identity) != (self.locator.get_source_stamp(), self.identity):
            return None
        loaded = super().rebuild(target_context, payload)
        return loaded if loaded.signature.args == args else None


class _Cache(caching.FunctionCache):
    _impl_class = _Code

    def _index_key(self, sig, codegen):
        """Return what code is looked up by.

        numba's key has the functions of a closure as bytes, which differ from process
        to process.
        """
        return sig, codegen.magic_tuple(), _identity(self._py_func)

    def load_overload(self, sig, target_context):
        try:
            loaded = super().load_overload(sig, target_context)
        except Exception:  # a damaged file: compile again
            loaded = None
        if loaded is not None and loaded.signature.args != tuple(sig):
            loaded = None
        if loaded is None:
            Announcement.of_compilation()
        return loaded

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except Exception:  # a full disk, or a damaged index: the next process compiles
            self._forget()

    def _forget(self):
        """Remove the index, so that the next process writes a new one."""
        try:
            os.unlink(self._cache_file._index_path)
        except OSError:
            pass


def _identity(part):
    """Describe a function or a number, the same in each process."""
    function = getattr(part, "py_func", part)
    if not isinstance(function, FunctionType):
        return repr(part)
    code = function.__code__
    closure = [_identity(cell.cell_contents) for cell in function.__closure__ or ()]
    where = function.__module__, function.__qualname__, code.co_firstlineno
    return *where, code.co_code, tuple(closure)


def _cache_for(function):
    try:
        return _Cache(function)
    except RuntimeError:  # no folder is writable
        return caching.NullCache()


# Otherwise a child process would wait for ever for a thread that it does not have.
make_forks_wait_for(global_compiler_lock)
