"""Signals, forks and threads at random moments, and tampered files, each counted.

    python tests/soak.py [--fits 2000] [--predicts 20000] [--forks 100] [--reads 10000]
                         [--kills 200] [--tampered 10000]

pytest does not collect this file. It prints a line for each kind of trouble: how often
it was tried, and what came of it. It exits with 1 if that is not what is promised: a
fit that Ctrl-C ends keeps the last complete epoch, or the last fit if there is none;
threads and settings are as they were; a forked process fits and predicts; whoever reads
an estimator that is being fitted sees a whole fit; a fit with a checkpoint whose
process is killed continues from the last one that was due; a tampered file is refused
by a ValueError, or predicts finite numbers.
"""

import argparse
import copy
import os
import pickle
import random
import signal
import sys
import threading
import time
import warnings
from collections import Counter

import kills
import numpy as np
import tampering
import torch

from skrnn import RNNClassifier, RNNDecoder, RNNEnsemble, RNNSeq2Seq
from skrnn._core.threads import running_call

X = ["cat", "chat", "katze", "kat"] * 10
Y = ["English", "French", "German", "Dutch"] * 10
PARAMS = {"nhidden": 4, "batch_size": 8, "random_state": 0}
VECTORS = [[len(x), ord(x[0])] for x in X]
SERIES = [[float(ord(letter)) for letter in x] for x in X]
PROMISED = {"whole", "interrupted", "kept an epoch", "fitted", "predicted"}
PROMISED |= kills.PROMISED | tampering.PROMISED


class CtrlC:
    """Sends SIGINT to this process after a random time of at most `longest` seconds."""

    def __init__(self, longest, generator):
        self._delay = longest * generator.random()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def _send(self):
        time.sleep(self._delay)
        os.kill(os.getpid(), signal.SIGINT)

    def during(self, function):
        """What `function` returns, or "interrupted"."""
        result = "interrupted"
        try:
            self._thread.start()
            result = function()
            time.sleep(self._delay + 1.0)  # until the signal comes
        except KeyboardInterrupt:
            pass
        self._thread.join()
        return result


def traces():
    """What should be as before: threads, their number, and calls that are not over."""
    return threading.active_count(), torch.get_num_threads(), running_call() is None


def estimators(**params):
    """Estimators of several kinds, each with an X and a y."""
    params = {**PARAMS, **params}
    classifier = RNNClassifier(**params)
    return [
        (classifier, X, Y),
        (RNNSeq2Seq(**params, decoder="ctc"), X, X),
        (RNNDecoder(**params), VECTORS, SERIES),
        (RNNEnsemble(classifier, n_estimators=2, random_state=0), X, Y),
    ]


def output(estimator, X, y):
    """What an estimator makes of X."""
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(X)
    return estimator.score_samples(X, y)


def interrupted_fits(n, generator):
    """Ctrl-C during fits."""
    outcomes = Counter()
    for _ in range(n):
        i = generator.randrange(len(estimators()))
        estimator, X, y = estimators(max_iter=2)[i]
        before, state = output(estimator.fit(X, y), X, y), traces()
        longer, _, _ = estimators(max_iter=20)[i]
        estimator.set_params(**longer.get_params(deep=False))
        try:
            CtrlC(0.1, generator).during(lambda of=(X, y), e=estimator: e.fit(*of))
            after = output(estimator, X, y)
        except BaseException as error:
            outcomes[f"{type(error).__name__}: {error}"[:80]] += 1
            continue
        is_last = np.array_equal(before, after)
        what = "interrupted" if is_last else "kept an epoch"
        members = getattr(estimator, "estimators_", [estimator])
        if not is_last and any(len(m.loss_curve_) != m.n_iter_ for m in members):
            what = "half a fit"
        outcomes[what if traces() == state else f"{what}, left {traces()}"] += 1
    return outcomes


def interrupted_predictions(n, generator):
    """Ctrl-C during predictions."""
    fitted = [(e.fit(X, y), X[:2], y[:2]) for e, X, y in estimators(max_iter=2)]
    fitted = [(output(*each), *each) for each in fitted]
    for _, estimator, X, _ in fitted:
        estimator.predict(X)  # compiles what predicts, in a thread
    state, outcomes = traces(), Counter()
    for _ in range(n):
        trouble = CtrlC(0.004, generator)
        expected, estimator, X, y = generator.choice(fitted)
        try:
            trouble.during(
                lambda e=estimator, X=X: [e.predict(X[:1]) for _ in range(4)]
            )
            is_same = np.array_equal(output(estimator, X, y), expected)
            what = "predicted" if is_same else "predicts something else"
        except BaseException as error:
            what = f"{type(error).__name__}: {error}"[:80]
        outcomes[what if traces() == state else f"{what}, left {traces()}"] += 1
    return outcomes


def forks_beside_fits(n, generator):
    """Forks while another thread fits, and after large predictions."""
    classifier = RNNClassifier(300, max_iter=1, random_state=0).fit(X, Y)
    classifier.predict(X * 10)
    outcomes, stop = Counter(), threading.Event()

    def fit_all_the_time():
        while not stop.is_set():
            RNNClassifier(**PARAMS, max_iter=3).fit(X, Y)

    thread = threading.Thread(target=fit_all_the_time)
    thread.start()
    for _ in range(n):
        time.sleep(0.02 * generator.random())
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            classifier.predict(X * 10)
            RNNClassifier(**PARAMS, max_iter=1).fit(X, Y).predict(X)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        outcomes["fitted" if status == 0 else f"child ended with {status}"] += 1
    stop.set()
    thread.join()
    return outcomes


def reads_beside_fits(n, generator):
    """Predictions, pickles and copies while another thread fits the same estimator."""
    kinds = estimators(max_iter=2)
    return sum(
        (reads_beside_fits_of(*kind, n // len(kinds), generator) for kind in kinds),
        Counter(),
    )


def reads_beside_fits_of(estimator, X, y, n, generator):
    """What comes of those of one estimator."""
    stop, others = threading.Event(), ([X, y], [X[::-1], y])
    whole = [output(estimator.fit(*of), X, y).tobytes() for of in others]
    outcomes = Counter()
    readers = {
        "predict": lambda: estimator,
        "pickle": lambda: pickle.loads(pickle.dumps(estimator)),
        "copy": lambda: copy.deepcopy(estimator),
    }

    def fit_all_the_time():
        while not stop.is_set():
            estimator.fit(*others[0])
            estimator.fit(*others[1])

    thread = threading.Thread(target=fit_all_the_time)
    thread.start()
    for _ in range(n):
        try:
            reader = readers[generator.choice(list(readers))]
            seen = output(reader(), X, y).tobytes()
            what = "whole" if seen in whole else "a mixture of fits"
        except Exception as error:
            what = f"{type(error).__name__}: {error}"[:80]
        outcomes[what] += 1
    stop.set()
    thread.join()
    return outcomes


def tampered_files(n, generator):
    """State dicts, safetensors, states and files of skops, changed at random."""
    attempts, outcomes = tampering.Attempts(generator), Counter()
    for _ in range(n):
        what, damage = attempts.one()
        outcomes[what] += 1
        if what not in PROMISED:
            print(f"{what}: {damage}", flush=True)
    return outcomes


TROUBLES = {
    "fits": (interrupted_fits, 2000),
    "predicts": (interrupted_predictions, 20_000),
    "forks": (forks_beside_fits, 100),
    "reads": (reads_beside_fits, 10_000),
    "kills": (kills.killed_fits, 200),
    "tampered": (tampered_files, 10_000),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, (trouble, n) in TROUBLES.items():
        parser.add_argument(f"--{name}", type=int, default=n, help=trouble.__doc__)
    parser.add_argument("--seed", type=int, default=0)
    arguments = vars(parser.parse_args())
    warnings.simplefilter("ignore")
    generator = random.Random(arguments["seed"])
    is_fine = True
    for name, (trouble, _) in TROUBLES.items():
        outcomes = trouble(arguments[name], generator)
        print(f"{trouble.__doc__} {dict(outcomes)}", flush=True)
        is_fine &= set(outcomes) <= PROMISED
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
