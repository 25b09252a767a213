"""Loops over numbers as fast as in C: Python compiled by numba for this processor."""

import hashlib
import io
import os
import threading
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from functools import cache
from pathlib import Path
from types import FunctionType

import llvmlite
import numba
import numpy as np
from llvmlite.binding import ffi
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
        dispatcher.compile = _without_interrupts(dispatcher.compile)
    return dispatcher


class Announcement:
    """Within this context, the first compilation is announced.

    Other threads are not in it, unless they run in a copy of its :mod:`contextvars`
    context.

    Parameters
    ----------
    say : callable
        Called with a sentence, at most once in the life of the process.
    """

    _say = ContextVar("say", default=None)
    _is_said = False

    def __init__(self, say):
        self._of_context = say

    def __enter__(self):
        self._token = Announcement._say.set(self._of_context)

    def __exit__(self, *_):
        Announcement._say.reset(self._token)

    @classmethod
    def of_compilation(cls):
        """Say that a function is going to be compiled, if somebody listens."""
        say = cls._say.get()
        if say is not None and not cls._is_said:
            cls._is_said = True
            say(
                "Compiling for this processor, which takes some seconds. The result is "
                "kept for the next time."
            )


# What follows uses private parts of numba, so pyproject.toml caps its version: those of
# `caching.FunctionCache`, `CompileResultCacheImpl`, `IndexDataCacheFile` and the
# locators; a dispatcher's `_cache` and `compile`; `global_compiler_lock` and its
# `_lock`; and llvmlite's lock.


@cache
def _stamp():
    """A hash of all that compiled code may come from: files, and their compiler."""
    versions = [each.__version__ for each in (numba, llvmlite, np)]
    digest = hashlib.sha256(f"{versions} ".encode())
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

    # A file of machine code says itself what function it is of: two processes may have
    # taken the same name for their files.

    def __init__(self, function):
        super().__init__(function)
        self.identity = _identity(function)

    def reduce(self, data):
        return (data.signature.args, self.identity), super().reduce(data)

    def rebuild(self, target_context, payload):
        (args, identity), payload = payload
        if identity != self.identity:
            return None
        loaded = super().rebuild(target_context, payload)
        return loaded if loaded.signature.args == args else None


class _Files(caching.IndexDataCacheFile):
    """An index and files of machine code, each of which ends with a checksum.

    Without it, a damaged file may raise any exception, or end the process, when it is
    loaded. The sources and the name are part of what is summed. A file that was swapped
    for another is not taken for whole, nor is code that is older than the index, as it
    is if the disk was full or the process ended between the two.
    """

    def _load_index(self):
        return super()._load_index() if self._is_whole(self._index_path) else {}

    def _load_data(self, name):
        if not self._is_whole(self._data_path(name)):
            raise FileNotFoundError(name)  # numba takes it for a file that is gone
        return super()._load_data(name)

    @contextmanager
    def _open_for_write(self, filepath):
        content = io.BytesIO()
        yield content
        content = content.getvalue()
        with super()._open_for_write(filepath) as file:
            file.write(content + self._checksum(filepath, content))

    def _is_whole(self, path):
        try:
            data = memoryview(Path(path).read_bytes())
        except OSError:
            return False
        end = max(0, len(data) - hashlib.sha256().digest_size)
        return data[end:] == self._checksum(path, data[:end])

    def _checksum(self, path, content):
        of_what = os.path.basename(path), self._source_stamp
        digest = hashlib.sha256(repr(of_what).encode())
        digest.update(content)
        return digest.digest()


class _Cache(caching.FunctionCache):
    _impl_class = _Code

    def __init__(self, function):
        super().__init__(function)
        impl = self._impl
        self._cache_file = _Files(
            cache_path=self._cache_path,
            filename_base=impl.filename_base,
            source_stamp=impl.locator.get_source_stamp(),
        )

    def _index_key(self, sig, codegen):
        """Return what code is looked up by.

        numba's key has the functions of a closure as bytes, which differ from process
        to process.
        """
        return sig, codegen.magic_tuple(), _identity(self._py_func)

    def load_overload(self, sig, target_context):
        try:
            loaded = super().load_overload(sig, target_context)
        except OSError:  # removed, or no longer readable, since it was checked
            loaded = None
        if loaded is not None and loaded.signature.args != tuple(sig):
            loaded = None
        if loaded is None:
            Announcement.of_compilation()
        return loaded

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except OSError:  # a full disk: the next process writes a new index
            with suppress(OSError):
                os.unlink(self._cache_file._index_path)


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


def _without_interrupts(compile_):
    """Compile in a thread of its own, since only the main thread is interrupted.

    LLVM calls back into Python. An interrupt there is not passed on, but leaves LLVM
    with memory that it frees twice.
    """

    def compile_signature(signature):
        is_main = threading.current_thread() is threading.main_thread()
        # A thread that compiles something else, which calls this, has the lock.
        if not is_main or global_compiler_lock._lock._is_owned():
            return compile_(signature)
        results, errors = [], []

        def run():
            try:
                results.append(compile_(signature))
            except BaseException as error:  # raised in the waiting thread
                errors.append(error)

        thread = threading.Thread(target=copy_context().run, args=(run,))
        thread.start()
        thread.join()
        for error in errors:
            raise error
        return results[0]

    return compile_signature


# Otherwise a child process would wait for ever for a thread that it does not have.
make_forks_wait_for(global_compiler_lock)
# LLVM is called without that lock, too, to remove code that is not needed any more.
make_forks_wait_for(ffi.lib._lock)
