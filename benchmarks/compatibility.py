"""How well estimators of sequences get on with scikit-learn.

    python benchmarks/compatibility.py [--only NAMES]

For skrnn, and for whichever of its peers are installed: how many of scikit-learn's own
checks an estimator passes (``check_estimator``), and whether it fits strings, fits
series of several lengths, has scikit-learn's callbacks, and comes back from skops.
"""

import argparse
import os
import warnings
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import NamedTuple

# Read when SciPy is imported; without it one of the checks skips itself.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import timing
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

STRINGS = ["ab", "b", "abba", "ba", "aab"] * 4
SERIES = [np.arange(n, dtype=float) for n in (3, 5, 2, 4, 6)] * 4
LABELS = np.array([0, 1, 0, 1, 0] * 4)
QUESTIONS = ("strings", "several lengths", "callbacks", "skops")
COLUMNS = ("estimator", "checks", "passed", "skipped", "failed", *QUESTIONS)


class Candidate(NamedTuple):
    """An estimator that may be installed.

    Attributes
    ----------
    package, module, name : str
    params : dict of str to callable, default=None
        ``params[name]()`` returns a parameter.
    """

    package: str
    module: str
    name: str
    params: dict | None = None

    def make(self):
        """An estimator that is not fitted, or None if it is not installed."""
        try:
            cls = getattr(import_module(self.module), self.name)
        except ImportError:
            return None
        params = self.params or {}
        return cls(**{key: make() for key, make in params.items()})


def _classifier():
    return import_module("skrnn").RNNClassifier()


def _torch_module():
    import torch

    class Net(torch.nn.Module):
        """The shortest net that a wrapper can fit."""

        def __init__(self):
            super().__init__()
            self.layer = torch.nn.LazyLinear(2)

        def forward(self, X):
            """Scores."""
            return self.layer(X)

    return Net


CANDIDATES = (
    Candidate("skrnn", "skrnn", "RNNClassifier"),
    Candidate("skrnn", "skrnn", "RNNEncoder"),
    Candidate("skrnn", "skrnn", "RNNRegressor"),
    Candidate("skrnn", "skrnn", "RNNLanguageModel"),
    Candidate("skrnn", "skrnn", "RNNEnsemble", {"estimator": _classifier}),
    Candidate("scikit-learn", "sklearn.neural_network", "MLPClassifier"),
    Candidate("skorch", "skorch", "NeuralNetClassifier", {"module": _torch_module}),
    Candidate(
        "aeon",
        "aeon.classification.convolution_based",
        "MiniRocketClassifier",
    ),
    Candidate(
        "aeon",
        "aeon.classification.deep_learning",
        "RecurrentClassifier",
    ),
    Candidate("sktime", "sktime.classification.deep_learning", "GRUClassifier"),
    Candidate("reservoirpy", "reservoirpy.nodes", "ESN"),
    Candidate("keras", "keras.wrappers", "SKLearnClassifier"),
)


def checks(estimator):
    """The numbers of checks run, passed, skipped and failed."""
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    status = [result["status"] for result in results]
    n_failed = len(status) - status.count("passed") - status.count("skipped")
    return len(status), status.count("passed"), status.count("skipped"), n_failed


def answers(estimator):
    """ "yes" or "no" to each of QUESTIONS."""
    found = {
        "strings": _works(lambda: clone(estimator).fit(STRINGS, LABELS)),
        "several lengths": _works(lambda: clone(estimator).fit(SERIES, LABELS)),
        "callbacks": hasattr(estimator, "set_callbacks"),
        "skops": _works(partial(_through_skops, estimator)),
    }
    said = {question: ("no", "yes")[answer] for question, answer in found.items()}
    if find_spec("skops") is None:
        said["skops"] = "not installed"
    return [said[question] for question in QUESTIONS]


def _through_skops(estimator):
    """Save and load; raises if that needs more trust than in the class itself."""
    import skops.io

    X = np.stack([s[:2] for s in SERIES])
    data = skops.io.dumps(clone(estimator).fit(X, LABELS))
    package = type(estimator).__module__.split(".")[0]
    untrusted = skops.io.get_untrusted_types(data=data)
    if not all(name.startswith(f"{package}.") for name in untrusted):
        raise TypeError(untrusted)
    skops.io.loads(data, trusted=untrusted)


def _works(function):
    try:
        function()
    except Exception:  # whatever it raises
        return False
    return True


def main(arguments=None):
    """Read the command line, check, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [candidate.name for candidate in CANDIDATES]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAMES")
    parsed = parser.parse_args(arguments)
    rows = []
    for candidate in CANDIDATES:
        if parsed.only and candidate.name not in parsed.only:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = candidate.make()
            if estimator is None:
                print(f"{candidate.package} ({candidate.name}) is not installed.")
                continue
            package = f"{candidate.package} {version(candidate.package)}"
            label = f"{candidate.name} ({package})"
            cells = [label, *checks(estimator), *answers(estimator)]
            rows.append(dict(zip(COLUMNS, cells, strict=True)))
    print()
    print(timing.markdown_table(rows, list(COLUMNS)))


if __name__ == "__main__":
    main()
