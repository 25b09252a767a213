"""Layers by Triton: in its interpreter, and compiled for GPUs, of which none is needed.

Whether programs are interpreted is settled when Triton is first imported, for the rest
of the life of the process; and other tests of this process import it, as parts of torch
do. So tests/interpreted.py has a process of its own, and its environment variable stays
there.
"""

import os
import re
import subprocess
import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from networks import CELLS, N_INPUTS, packed, random_weights

from skrnn._core.architecture import Architecture
from skrnn._core.autograd.rows import Rows

TESTS = Path(__file__).parent
is_there = pytest.mark.skipif(
    find_spec("triton") is None, reason="needs Triton: pip install skrnn[triton]"
)


def run(*arguments, **variables):
    command = [sys.executable, *arguments]
    environment = {**os.environ, "PYTEST_ADDOPTS": "", **variables}
    return subprocess.run(
        command, env=environment, cwd=TESTS.parent, capture_output=True, text=True
    )


@is_there
def test_in_the_interpreter():
    arguments = "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/interpreted.py"
    done = run(*arguments, TRITON_INTERPRET="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d+ passed", done.stdout) and "skipped" not in done.stdout


class OfAGPU:
    """What Triton asks of a driver before it launches a program."""

    def __init__(self, target):
        self.get_current_target = lambda: target
        self.get_current_device = lambda: 0
        self.get_current_stream = lambda device: 0


@pytest.fixture
def compiled(monkeypatch, tmp_path):
    """A function that turns programs on that are compiled, but not run."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget

    fused = import_module("skrnn._core.autograd.fused")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    done = []

    def run(kernel, *args, **options):
        done.append(kernel(*args, **{**options, "warmup": True}))

    def turn_on(capability):
        driver = OfAGPU(GPUTarget("cuda", capability, 32))
        monkeypatch.setattr(triton.runtime.driver, "_active", driver)
        for kernel in (fused._forward, fused._backward):
            monkeypatch.setattr(kernel, "run", partial(run, kernel.run))
        return done

    return turn_on


@is_there
@pytest.mark.parametrize("cell", ["tanh", "relu", "identity", "gru", "lstm"])
@pytest.mark.parametrize("capability", [80, 90])
def test_programs_compile_for_gpus(capability, cell, compiled):
    """The largest: they fit into the shared memory of any GPU."""
    from skrnn._core.autograd import fused

    done = compiled(capability)
    nhidden = (fused.MAX_NHIDDEN,)
    architecture = Architecture(nhidden, bidirectional=True, **CELLS[cell])
    (weights,) = random_weights(architecture, torch.float32).layers
    rows = Rows(packed(), weights[0].W)
    x = torch.zeros(rows.n_rows, N_INPUTS, requires_grad=True)
    H, _ = fused.FusedLayer(architecture)(weights, x, rows, None)
    H.sum().backward()
    assert len(done) == 2
    for kernel in done:
        assert kernel.metadata.shared <= 48 * 1024


ENABLE = "from skrnn.experimental import enable_triton"
SHOW = "from skrnn._core import execution; print(execution.kernels_of_gpus)"


@is_there
def test_it_is_turned_on_by_an_import():
    done = run("-c", f"{SHOW}; {ENABLE}; {SHOW}")
    assert (done.stdout, done.returncode) == ("autograd\ntriton\n", 0), done.stderr


def test_without_triton_the_import_raises():
    hide = "import sys; sys.modules['triton'] = None; "
    done = run("-c", f"{hide}{ENABLE}")
    sentence = (
        "ImportError: skrnn.experimental.enable_triton needs Triton, which comes with "
        "builds of torch for CUDA. Install one by the command that "
        "https://pytorch.org/get-started/locally shows, or do without this import."
    )
    assert done.stderr.strip().splitlines()[-1] == sentence
