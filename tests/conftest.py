"""Data and settings that several test modules share."""

import csv
import os
import threading
from pathlib import Path

# Read when SciPy is imported; without it scikit-learn's array API check skips itself.
os.environ["SCIPY_ARRAY_API"] = "1"

import hypothesis
import numpy as np
import pytest
import torch

# Timing is no property of the code: another process may be using the machine.
hypothesis.settings.register_profile("default", deadline=None, max_examples=50)
hypothesis.settings.load_profile("default")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """The products here are small: a second thread would only wait for the first."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


class _Generator(threading.local):
    """A generator of random numbers, from the same seed in each thread.

    Where a test runs in several threads at once, they share its fixtures; from one
    generator each would draw what the others leave, other numbers at each run.
    """

    def __init__(self):
        self.generator = np.random.default_rng(0)

    def __getattr__(self, name):
        return getattr(self.generator, name)


@pytest.fixture
def rng():
    return _Generator()


def read_surnames(file_name):
    """Names and languages of a file in the folder SKRNN_DATA, or ../shared/data."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("SKRNN_DATA", beside)) / file_name
    if not path.exists():
        reason = f"{path} is not there: set SKRNN_DATA to the folder that has it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row[0] for row in rows], [row[1] for row in rows]


@pytest.fixture(scope="session")
def surnames():
    """Surnames and their languages: 13,374 of 18 languages."""
    return read_surnames("names_train.csv")
