"""What importing skrnn imports."""

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
