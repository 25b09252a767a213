"""Where arithmetic happens: devices, numbers of threads, and processes.

Tensors are created by an :class:`Execution`, or like another tensor; no other module
chooses their device.
"""

from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch

from skrnn._core.group import ALONE, Alone, current_group
from skrnn._core.threads import denormals_flushed, threads, torch_settings

# Maximum size of a tensor that is sent to a GPU without waiting.
_PINNED_BYTES = 2**26
# What computes fits on a GPU; skrnn.experimental.enable_triton makes it "triton".
kernels_of_gpus = "autograd"


@dataclass(frozen=True, slots=True)
class Execution:
    """Where arithmetic happens, with how many threads, and by which processes.

    Random numbers are drawn on the host, so that a seed gives the same numbers on any
    device.

    Attributes
    ----------
    device : str, default="cpu"
    n_threads : int, default=1
    kernels : {"numba", "autograd", "triton"}, default="numba"
        Whether gradients and updates are computed by the compiled kernels, on the CPU
        only; or by torch's operations, on any device: see :mod:`skrnn._core.autograd`.
        "triton" computes layers by :mod:`skrnn._core.autograd.fused`.
    group : Alone or Group
        The processes that train one network; each of them has its own Execution.
    """

    device: str = "cpu"
    n_threads: int = 1
    kernels: str = "numba"
    group: Alone = ALONE

    def on(self, name):
        """Return the execution of a fit on a device, see :func:`find_device`.

        Raises
        ------
        ValueError
            If some processes of the group have a GPU, and others have none.
        """
        device = find_device(name)
        are_here = [device == "cpu" for device in self.group.gather(device)]
        if len(set(are_here)) == 2:
            with_gpu, without = are_here.index(False), are_here.index(True)
            raise ValueError(
                f"Rank {with_gpu} has a GPU, but rank {without} has none. Use "
                "device='cpu', or only ranks that have one."
            )
        if device == "cpu":
            return self
        return replace(self, device=device, n_threads=1, kernels=kernels_of_gpus)

    @classmethod
    def of(cls, tensor):
        """Return that of the device on which a tensor lies."""
        return cls(str(tensor.device))

    def tensor(self, array):
        """Return an array as a tensor, sharing its memory if possible."""
        if not array.flags.writeable:
            array = array.copy()
        return self.move(torch.from_numpy(array))

    def move(self, tensor):
        """Return a tensor of the host on the device.

        A small one goes through memory that a GPU reads while the host goes on. Such
        memory is kept for later, so that data sets are not copied to it.
        """
        is_small = tensor.numel() * tensor.element_size() <= _PINNED_BYTES
        if is_small and self.device.startswith("cuda"):
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor.to(self.device)

    def zeros(self, shape, dtype=torch.float32):
        """Return a tensor of zeros.

        On the CPU, in memory of NumPy, which asks for large pages: looking up a row of
        a table of many megabytes then takes less time.
        """
        zeros = np.empty(shape, str(dtype).removeprefix("torch."))
        zeros.fill(0)
        return self.tensor(zeros)

    def array(self, tensor):
        """Return a tensor as an array, sharing its memory if possible."""
        return tensor.numpy(force=True)

    def generator(self, seed=0):
        """Return a generator of random numbers."""
        return torch.Generator().manual_seed(seed)

    def normal(self, shape, scale, generator):
        """Draw normally distributed numbers with mean 0, float32."""
        numbers = torch.empty(shape, dtype=torch.float32, device="cpu")
        return self.move(numbers.normal_(0.0, scale, generator=generator))

    def uniform(self, n, dtype, generator):
        """Draw uniformly distributed numbers between 0 and 1."""
        numbers = torch.rand(n, generator=generator, dtype=dtype, device="cpu")
        return self.move(numbers)

    def dropout_mask(self, shape, rate, generator):
        """Draw 0 with probability `rate` and ``1 / (1 - rate)`` otherwise, float32."""
        mask = torch.empty(shape, dtype=torch.float32, device="cpu")
        mask.bernoulli_(1 - rate, generator=generator).div_(1 - rate)
        return self.move(mask)

    def together(self):
        """This Execution with the processes that train together, if there are any.

        All of them have as many threads as the one that has the fewest, since they cut
        minibatches into the same shards.
        """
        group = current_group()
        return replace(self, group=group, n_threads=min(group.gather(self.n_threads)))

    def denormals_flushed(self):
        """See :func:`skrnn._core.threads.denormals_flushed`."""
        return denormals_flushed()

    def threads(self, n_threads):
        """See :func:`skrnn._core.threads.threads`."""
        return threads(n_threads)


def find_device(name):
    """Return the device that the parameter `device` names.

    Returns
    -------
    device : str
        "cpu", or "cuda:" and the number of a GPU.

    Raises
    ------
    ValueError
        If it names nothing, or no GPU that torch finds.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return "cpu"
    if name == "auto":
        name = "cuda"
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number.isdecimal() or name == "cuda"):
        raise ValueError(
            f"device is {name!r}: 'cpu', 'cuda', 'cuda:1' for the second GPU, or "
            "'auto' was expected."
        )
    if not torch.cuda.is_available():
        what = "which is built without CUDA. Install a build of torch with CUDA, or"
        if torch.version.cuda or torch.version.hip:
            what = "which finds no GPU. See whether its driver is installed, or"
        raise ValueError(
            f"device={name!r} needs a GPU, but this is torch {torch.__version__}, "
            f"{what} use device='cpu', or device='auto' for a GPU where there is one."
        )
    n = torch.cuda.device_count()
    number = int(number) if number else torch.cuda.current_device()
    if number >= n:
        raise ValueError(
            f"device={name!r} is GPU number {number}, but torch finds {n} in all, "
            f"numbered from 0. Use one of 'cuda:0' to 'cuda:{n - 1}'."
        )
    return f"cuda:{number}"


def permutation(n, generator):
    """Return the numbers from 0 to n - 1 in random order, an ndarray of int64."""
    return torch.randperm(n, generator=generator, device="cpu").numpy()


def random_seed(generator):
    """Draw a seed for the generators of other libraries."""
    return int(torch.randint(2**31 - 1, (), generator=generator, device="cpu"))


@contextmanager
def arithmetic():
    """Run each operation on a single thread inside this context.

    All torch operations of this package run inside it; a nested call changes nothing.

    Yields
    ------
    execution : Execution
        With as many threads as the user allows torch to use.
    """
    with torch_settings() as n_threads:
        yield Execution(n_threads=n_threads)


CPU = Execution()
