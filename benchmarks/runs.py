"""Fits and their scores, in a file, so that a long run can go on, and be shared out."""

import hashlib
import json
from functools import cache
from pathlib import Path

import skrnn

HERE = Path(__file__).parent
# What peers depend on.
PEERS = ("models.py", "peers_gru.py", "peers_series.py", "peers_tags.py")
# What tells one run from all others. A run of other code is another run.
KEY = ("part", "data set", "split", "steps", "model", "seed", "code")


class Runs:
    """All that has been measured, by KEY.

    Parameters
    ----------
    path : Path, default=None
        What it holds is known, and each run is appended as a line of JSON; processes
        may share it. None keeps runs in memory only.
    """

    def __init__(self, path=None):
        self.path = path
        self._runs = {}
        if path and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                run = json.loads(line)
                self._runs[_key(run)] = run

    def __iter__(self):
        return iter(self._runs.values())

    def find(self, run):
        """What is known of a run that has the entries of KEY; None if nothing is."""
        return self._runs.get(_key(run))

    def add(self, run):
        """Remember a run."""
        self._runs[_key(run)] = run
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(run) + "\n")  # in one piece


def _key(run):
    return tuple(run[entry] for entry in KEY)


@cache
def digests():
    """The code that runs depend on, in a few letters, as it was at the first call.

    Returns
    -------
    digests : dict of bool to str
        By whether an estimator of skrnn takes part.
    """
    peers = [HERE / name for name in PEERS]
    package = sorted(Path(skrnn.__file__).parent.rglob("*.py"))
    readers = [HERE / name for name in ("datasets.py", "folds.py")]
    return {
        True: _digest(readers + peers[:1] + package),
        False: _digest(readers + peers),
    }


def _digest(paths):
    digest = hashlib.sha1(usedforsecurity=False)
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
