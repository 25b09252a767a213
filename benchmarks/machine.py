"""What the machine could do: its speed at matrix products, and what it is."""

import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version

import torch

N_GATES = {"rnn": 1, "gru": 3, "lstm": 4}
PACKAGES = ("skrnn", "torch", "numpy", "scikit-learn", "skorch", "jax", "jaxlib")


def sgemm_peak(sizes=(1024, 1536, 2048), repeats=5):
    """Speed of square float32 products on the current number of threads.

    Parameters
    ----------
    sizes : sequence of int
    repeats : int
        Products timed for each size.

    Returns
    -------
    peak : float
        Operations per second: the median of the repeats, at the best size.
    """
    speeds = []
    for size in sizes:
        a, b, out = torch.rand(3, size, size)
        torch.mm(a, b, out=out)
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            torch.mm(a, b, out=out)
            seconds.append(time.perf_counter() - start)
        speeds.append(2 * size**3 / statistics.median(seconds))
    return max(speeds)


def recurrent_operations(n_rows, cell, nhidden, n_inputs=0, training=True):
    """Additions and multiplications of the matrix products of one pass.

    Parameters
    ----------
    n_rows : int
        Tokens in all sequences.
    cell : {"rnn", "gru", "lstm"}
    nhidden : int
    n_inputs : int, default=0
        Width of dense inputs; 0 for token ids, which pick rows and need no product.
    training : bool, default=True
        Backward too: three products by W (``W h``, its gradients with respect to h
        and to W) and two by U (``U x`` and its gradient with respect to U).

    Returns
    -------
    operations : int

    Notes
    -----
    The first step of each sequence is counted although ``W h_0`` is 0 and may be
    skipped, and the output layer is not counted.
    """
    by_W, by_U = (3, 2) if training else (1, 1)
    width = by_W * nhidden + by_U * n_inputs
    return 2 * n_rows * N_GATES[cell] * nhidden * width


def arithmetic_seconds(n_rows, cell, nhidden, peak, n_inputs=0, training=True):
    """Seconds that the matrix products alone take at `peak` operations a second.

    The other parameters are those of :func:`recurrent_operations`.
    """
    operations = recurrent_operations(n_rows, cell, nhidden, n_inputs, training)
    return operations / peak


def keep_to_cores(n_cores):
    """Keep this process, and each thread it starts from now on, to `n_cores` cores.

    Call it before torch and jax start their threads: JAX has no thread count of its
    own to set, it starts one thread for each core that it may use. Systems without
    ``sched_setaffinity`` (all but Linux) are left as they are.
    """
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[-n_cores:])
    torch.set_num_threads(n_cores)


def available_cores():
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def describe():
    """Versions, processor and threads.

    Returns
    -------
    description : dict
    """
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "cores available": available_cores(),
        "torch threads": torch.get_num_threads(),
    }


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor():
    """The processor's name; platform.processor() is empty on most Linux systems."""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    return platform.processor()
