"""What importing skrnn imports."""

import os
import subprocess
import sys

import pytest

CODE = """
import sys, torch, sklearn.base, sklearn.callback
before = set(sys.modules)
import skrnn
print(*(set(sys.modules) - before))
"""


@pytest.fixture(scope="module")
def imported():
    """Modules that torch and scikit-learn do not import themselves."""
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_it_imports_itself(imported):
    assert {"skrnn", "skrnn._classifier"} <= imported


@pytest.mark.parametrize(
    "module",
    # Slow ones, and those that not everybody has.
    [
        *("sklearn.metrics", "sklearn.model_selection", "sklearn.feature_extraction"),
        *("sklearn.preprocessing", "sklearn.ensemble", "torch._dynamo"),
        *("pandas", "polars", "pyarrow", "awkward", "matplotlib", "safetensors"),
    ],
)
def test_it_does_not_import(module, imported):
    assert module not in imported


# The first fit imports numba. These times are of importing: see what `sys.modules` has.
BESIDE = """
import os, signal, sys, threading, time
import numpy as np
from skrnn import RNNClassifier

def fit():
    classifier = RNNClassifier(2, max_iter=1).fit(["ab", "ba"] * 8, [0, 1] * 8)
    return classifier.predict(["ab"])

def wait_for(module):
    while module not in sys.modules:
        time.sleep(0.0005)
"""
FORK = """
errors = []
def try_to_fit():
    try:
        fit()
    except BaseException as error:
        errors.append(error)

thread = threading.Thread(target=try_to_fit)
thread.start()
wait_for(sys.argv[1])
child = os.fork()
if child == 0:
    signal.alarm(100)  # ends the process, if it waits for ever
    fit()
    os._exit(0)
_, status = os.waitpid(child, 0)
thread.join()
assert status == 0, status
assert not errors, errors
"""
INTERRUPT = """
def interrupt():
    wait_for(sys.argv[1])
    os.kill(os.getpid(), signal.SIGINT)

thread = threading.Thread(target=interrupt)
thread.start()
try:
    fit()
    time.sleep(1)
except KeyboardInterrupt:
    pass
thread.join()
fit()
"""
# Of numba: among the first, in the middle, and when it is asked to compile.
MODULES = ["numba", "numba.core.config", "numba.core.dispatcher", "numba.np.arraymath"]


def run(script, *arguments):
    command = [sys.executable, "-c", BESIDE + script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("module", MODULES)
def test_a_child_fits_though_a_thread_of_its_parent_was_importing(module):
    done = run(FORK, module)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_ctrl_c_leaves_no_half_of_numba(module):
    done = run(INTERRUPT, module)
    assert done.returncode == 0, done.stderr


USING_NUMBA = """
from numba.core.base import BaseContext
from numba.core.compiler_lock import global_compiler_lock
from numba.core.typing.context import BaseContext as BaseTypingContext

was_locked = []
def remembering(refresh):
    def remember(self):
        was_locked.append(global_compiler_lock.is_locked())
        return refresh(self)
    return remember

for context in BaseContext, BaseTypingContext:
    context.refresh = remembering(context.refresh)
fit()
assert len(was_locked) >= 2 and all(was_locked), was_locked
"""


@pytest.mark.skipif("NUMBA_DISABLE_JIT" in os.environ, reason="nothing is compiled")
def test_no_other_thread_compiles_while_numba_is_made_ready():
    done = run(USING_NUMBA)
    assert done.returncode == 0, done.stderr
