"""Processes that train one network together, as only this module knows.

Each process is a rank, as torch calls it. Ranks call the methods of their
:class:`Group` in the same order; what they do between two calls, they do on their own.

Before ranks exchange anything, they meet: each tells the others what it is about to do.
A rank that fails leaves by :meth:`Group.leave`, which is its part in the next meeting,
so that all ranks raise an error, and none waits for one that does not come.
"""

import atexit
import os
import signal
import threading
import zlib
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from traceback import format_exception_only

import torch
from torch import distributed

_WITHOUT_ERROR = ""
_OF_TORCHRUN = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}


class InterruptOfAll(KeyboardInterrupt):
    """Raised on all ranks at the same meeting, because one was interrupted."""


class Alone:
    """The group of a single process, which has nobody to ask."""

    rank, world_size = 0, 1

    def __repr__(self):
        return f"<rank {self.rank} of {self.world_size}>"

    @property
    def n_sharing(self):
        """The number of ranks that compute parts of what all of them have."""
        return self.world_size

    def own(self, items):
        """The part of a list, which all ranks have, that this one computes."""
        return items[self.rank :: self.world_size]

    def own_generator(self, generator):
        """A generator for random numbers of what this rank has."""
        return generator

    def gather(self, value):
        """The values of all ranks, in their order."""
        return [value]

    def gather_own(self, value):
        """The values of all ranks, if each has data of its own; otherwise this one."""
        return [value]

    def any_of_own(self, flags):
        """Flags that any rank has set, if each has data of its own; otherwise these."""
        return flags

    def in_turn(self, value):
        """Yield the values of all ranks, in their order, one in memory at a time."""
        yield value

    def of_first(self, function):
        """What a function without arguments returns on rank 0, which alone calls it."""
        return function()

    def add(self, tensor):
        """Replace a tensor by the sum of those of all ranks."""

    def share(self, tensors):
        """Replace tensors by those of rank 0."""

    @contextmanager
    def interrupted_together(self):
        """Raise InterruptOfAll at the next meeting if a rank is interrupted."""
        yield


ALONE = Alone()
_current = ContextVar("group", default=ALONE)


def current_group():
    """The group whose ranks train together in this thread.

    A thread, or a forked process, that begins meanwhile is not one of them, though it
    may have inherited the context.
    """
    group = _current.get()
    is_here = group is ALONE or group.thread == _this_thread()
    return group if is_here else ALONE


def _this_thread():
    return os.getpid(), threading.get_ident()


class Group(Alone):
    """Processes that train one network together.

    Parameters
    ----------
    timeout : float
        How long to wait for the other ranks, in seconds.
    """

    def __init__(self, timeout):
        self.rank = distributed.get_rank()
        self.world_size = distributed.get_world_size()
        self.thread = _this_thread()
        # What is on the CPU is exchanged by gloo, even if the default group has nccl.
        limit = timedelta(seconds=timeout)
        self._group = distributed.new_group(backend="gloo", timeout=limit)
        self._is_over, self._interrupts = False, []

    def gather(self, value):
        """See the base class."""
        self._meet("gather")
        return self._gathered(value)

    def in_turn(self, value):
        """See the base class."""
        for rank in range(self.world_size):
            sent = [value if rank == self.rank else None]
            self._meet(f"take what rank {rank} has")
            with self._answered():
                distributed.broadcast_object_list(sent, src=rank, group=self._group)
            yield sent.pop()

    def of_first(self, function):
        """See the base class."""
        value = [function() if self.rank == 0 else None]
        self._meet("take what rank 0 has")
        with self._answered():
            distributed.broadcast_object_list(value, src=0, group=self._group)
        return value[0]

    def add(self, tensor):
        """See the base class."""
        self._meet(f"add tensors of shape {tuple(tensor.shape)}")
        by_nccl = tensor.is_cuda and distributed.get_backend() == "nccl"
        with self._answered():
            group = None if by_nccl else self._group
            distributed.all_reduce(tensor, group=group)

    def share(self, tensors):
        """See the base class."""
        self._meet(f"share {len(tensors)} tensors")
        with self._answered():
            for tensor in tensors:
                distributed.broadcast(tensor, src=0, group=self._group)

    @contextmanager
    def interrupted_together(self):
        """See the base class. A second interrupt is raised here and at once.

        An interrupt after the last meeting is left to the first one after this context.
        """
        before = signal.getsignal(signal.SIGINT)
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or not callable(before):
            yield  # which no signal reaches, or which has no handler in Python
            return

        def note(*_):
            self._interrupts.append(True)
            signal.signal(signal.SIGINT, before)

        signal.signal(signal.SIGINT, note)
        try:
            yield
        except KeyboardInterrupt:
            self._interrupts.clear()  # Ctrl-C may have reached this rank a little later
            raise
        finally:
            signal.signal(signal.SIGINT, before)

    def leave(self, error=None):
        """Say that this rank takes part no longer.

        Parameters
        ----------
        error : BaseException, default=None
            Why, unless all is well.

        Raises
        ------
        RuntimeError
            If all is well here, but not elsewhere.
        """
        if self._is_over:
            return
        happened = _WITHOUT_ERROR
        if error is not None:
            happened = "".join(format_exception_only(error)).strip()
        self._report(0, is_leaving=True)
        self._compare(happened)

    def close(self):
        """Free what the group needs."""
        distributed.destroy_process_group(self._group)

    def _meet(self, what):
        """Wait for the other ranks, and raise unless all are about to do the same."""
        if self._is_over:
            raise RuntimeError(
                "The ranks have parted after an error. Leave data_parallel() before "
                "the next fit."
            )
        is_leaving, is_interrupted, is_same = self._report(zlib.crc32(what.encode()))
        if is_leaving:
            self._compare(None)
        if not is_same:
            self._is_over = True
            raise RuntimeError(
                f"Rank {self.rank} of {self.world_size} is about to {what}, but "
                "another rank is not. Errors must not be caught inside "
                "data_parallel(), but may be around it."
            )
        if is_interrupted:
            raise InterruptOfAll

    def _report(self, code, is_leaving=False):
        """Tell what this rank does, and learn about the others.

        Parameters
        ----------
        code : int
            What this rank is about to do.
        is_leaving : bool, default=False
            Whether it leaves instead.

        Returns
        -------
        is_leaving, is_interrupted : int
            1 if this is so of any rank, otherwise 0.
        is_same : bool
            Whether all ranks have the same code.
        """
        # Taken and removed at once: the next one may come at any time.
        is_interrupted = bool(self._interrupts) and self._interrupts.pop()
        status = [is_leaving, is_interrupted, code, -code]
        status = torch.tensor(status, dtype=torch.int64, device="cpu")
        with self._answered():
            op = distributed.ReduceOp.MAX
            distributed.all_reduce(status, op, group=self._group)
        is_leaving, is_interrupted, largest, least = status.tolist()
        return is_leaving, is_interrupted, largest == -least

    def _compare(self, happened):
        """Raise if other ranks have failed, or if only some have left."""
        self._is_over = True
        of_ranks = self._gathered(happened)
        failed = [rank for rank, text in enumerate(of_ranks) if text]
        if self.rank in failed:
            return  # its own error is being raised
        if failed:
            raise RuntimeError(
                f"Rank {failed[0]} of {self.world_size} has failed, so all ranks end "
                f"here. Its error was {of_ranks[failed[0]]}"
            )
        going_on = [rank for rank, text in enumerate(of_ranks) if text is None]
        if going_on:
            gone = of_ranks.index(_WITHOUT_ERROR)
            raise RuntimeError(
                f"Rank {gone} of {self.world_size} has left data_parallel(), while "
                f"rank {going_on[0]} still fits. All ranks must call fit and "
                "partial_fit equally often: give them equally many chunks."
            )

    def _gathered(self, value):
        values = [None] * self.world_size
        with self._answered():
            distributed.all_gather_object(values, value, group=self._group)
        return values

    @contextmanager
    def _answered(self):
        """Say what it means if the other ranks do not answer."""
        try:
            yield
        except RuntimeError as error:
            self._is_over = True
            raise RuntimeError(
                f"Rank {self.rank} of {self.world_size} got no answer: another rank "
                f"has died, or needs longer than the timeout. torch says: {error}"
            ) from error


class Apart(Alone):
    """A group whose ranks have data of their own, of which others know nothing.

    Parameters
    ----------
    group : Alone or Group
    """

    n_sharing = 1

    def __init__(self, group):
        self._group = group
        self.rank, self.world_size = group.rank, group.world_size
        self.gather = self.gather_own = group.gather
        self.in_turn, self.of_first = group.in_turn, group.of_first
        self.add, self.share = group.add, group.share
        self.interrupted_together = group.interrupted_together

    def own(self, items):
        """See the base class."""
        return items

    def any_of_own(self, flags):
        """See the base class."""
        counts = flags.float()
        self.add(counts)
        return counts > 0

    def own_generator(self, generator):
        """See the base class. All ranks draw from `generator` equally often."""
        if self.world_size == 1:
            return generator
        size = (self.world_size,)
        seeds = torch.randint(2**62, size, generator=generator, device="cpu")
        return torch.Generator().manual_seed(int(seeds[self.rank]))


def _end():
    """End what :func:`group_of_processes` has started: its threads abort at exit."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


@contextmanager
def group_of_processes(timeout):
    """Train together with the other ranks inside this context.

    Without other ranks, it changes nothing.

    Parameters
    ----------
    timeout : float
        How long to wait for the other ranks, in seconds.

    Yields
    ------
    group : Alone
    """
    if current_group() is not ALONE:
        raise RuntimeError(
            "data_parallel() was entered inside data_parallel(). Enter it once."
        )
    is_initialized = distributed.is_available() and distributed.is_initialized()
    if not is_initialized and not os.environ.keys() >= _OF_TORCHRUN:
        yield ALONE
        return
    if not is_initialized:  # until the end, as it cannot be started twice
        distributed.init_process_group("gloo", timeout=timedelta(seconds=timeout))
        atexit.register(_end)
    group = Group(timeout)
    token = _current.set(group)
    try:
        yield group
    except BaseException as error:
        group.leave(error)
        raise
    else:
        group.leave()
    finally:
        _current.reset(token)
        group.close()
