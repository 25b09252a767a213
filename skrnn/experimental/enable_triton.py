"""Compute layers on a GPU by Triton instead of cuDNN.

After this import, fits with ``device="cuda"`` compute layers of at most 128 hidden
units by programs of their own, for all cells and activations; all other layers, such as
those with ``recurrence="identity"``, are computed as before::

    from skrnn.experimental import enable_triton  # noqa

It needs Triton, which comes with builds of torch for CUDA, and which compiles programs
when they are first used: a compiler of C must be installed.

**It has been tested in Triton's interpreter on the CPU only. Its speed has never been
measured on a GPU.** ``python benchmarks/gpu.py --triton`` measures it beside cuDNN.
"""

try:
    import triton  # noqa: F401
except ImportError as error:
    raise ImportError(
        "skrnn.experimental.enable_triton needs Triton, which comes with builds of "
        "torch for CUDA. Install one by the command that "
        "https://pytorch.org/get-started/locally shows, or do without this import."
    ) from error

from skrnn._core import execution

execution.kernels_of_gpus = "triton"
