"""Signals, forks and threads at random moments, and tampered files, each counted.

    python tests/soak.py [--fits 2000] [--predicts 20000] [--forks 100] [--reads 10000]
                         [--tampered 10000]

pytest does not collect this file. It prints a line for each kind of trouble: how often
it was tried, and what came of it. It exits with 1 if that is not what is promised: a
fit that Ctrl-C ends keeps the last complete epoch, or the last fit if there is none;
threads and settings are as they were; a forked process fits and predicts; whoever reads
an estimator that is being fitted sees a whole fit; a tampered file is refused by a
ValueError, or predicts finite numbers.
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

import numpy as np
import tampering
import torch

from skrnn import RNNClassifier
from skrnn._core.threads import running_call

X = ["cat", "chat", "katze", "kat"] * 10
Y = ["English", "French", "German", "Dutch"] * 10
PARAMS = {"nhidden": 4, "batch_size": 8, "random_state": 0}
PROMISED = {"whole", "interrupted", "kept an epoch", "fitted", "predicted"}
PROMISED |= tampering.PROMISED


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


def interrupted_fits(n, generator):
    """Ctrl-C during fits."""
    outcomes = Counter()
    for _ in range(n):
        classifier = RNNClassifier(**PARAMS, max_iter=2).fit(X, Y)
        before, state = classifier.predict_proba(X), traces()
        classifier.set_params(max_iter=20)
        try:
            CtrlC(0.1, generator).during(lambda c=classifier: c.fit(X, Y))
            after = classifier.predict_proba(X)
        except BaseException as error:
            outcomes[f"{type(error).__name__}: {error}"[:80]] += 1
            continue
        is_last = np.array_equal(before, after)
        what = "interrupted" if is_last else "kept an epoch"
        if not is_last and len(classifier.loss_curve_) != classifier.n_iter_:
            what = "half a fit"
        outcomes[what if traces() == state else f"{what}, left {traces()}"] += 1
    return outcomes


def interrupted_predictions(n, generator):
    """Ctrl-C during predictions."""
    classifier = RNNClassifier(**PARAMS, max_iter=2).fit(X, Y)
    expected, state, outcomes = classifier.predict_proba(X[:2]), traces(), Counter()
    for _ in range(n):
        trouble = CtrlC(0.004, generator)
        try:
            trouble.during(lambda: [classifier.predict(X[:1]) for _ in range(4)])
            is_same = np.array_equal(classifier.predict_proba(X[:2]), expected)
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
    classifier, stop = RNNClassifier(**PARAMS, max_iter=2), threading.Event()
    others = [X, Y], [[x[::-1] for x in X], Y[::-1]]
    whole = []
    for sequences, labels in others:
        whole.append(classifier.fit(sequences, labels).predict_proba(X).tobytes())
    outcomes = Counter()
    readers = {
        "predict": lambda: classifier,
        "pickle": lambda: pickle.loads(pickle.dumps(classifier)),
        "copy": lambda: copy.deepcopy(classifier),
    }

    def fit_all_the_time():
        while not stop.is_set():
            classifier.fit(*others[0])
            classifier.fit(*others[1])

    thread = threading.Thread(target=fit_all_the_time)
    thread.start()
    for _ in range(n):
        try:
            reader = readers[generator.choice(list(readers))]
            seen = reader().predict_proba(X).tobytes()
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
