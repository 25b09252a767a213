"""Surnames of which few have a label: what sequences without labels are worth.

    python benchmarks/few_labels.py --data DIR [--labels N] [--seeds N] [--validate]

DIR holds the files that datasets.py reads (or set SKRNN_DATA). For each seed, N names
of the training part (200 unless --labels says otherwise) keep their language. A cold
start learns from these alone; a warm start learns to predict the next character of all
training names first, once. The test part is read after the last fit. With --validate
it is not read at all: a quarter of the training part stands for it.
"""

import argparse
import sys
import time
from copy import deepcopy

import numpy as np
from datasets import NAMES, data_folder
from folds import take
from measuring import Fitted, score_all
from models import tfidf
from scores import tables
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skrnn import RNNClassifier, RNNEncoder

# So that what was learned without labels is not forgotten.
LOW_RATE = 0.001


def fit_all(X, y, n_labels, seed):
    """Fit all models on `n_labels` labelled names, and on all names without labels.

    Yields
    ------
    fitted : Fitted
    """
    rows = np.random.default_rng(seed).permutation(len(X))[:n_labels]
    few, labels = take(X, y, rows)

    def timed(name, fit):
        start = time.perf_counter()
        model = fit()
        seconds = time.perf_counter() - start
        print(f"{name}, seed {seed}: {seconds:.1f} s", file=sys.stderr, flush=True)
        return Fitted(name, seed, model, seconds)

    def linear(encoder):
        return make_pipeline(encoder, LogisticRegression(max_iter=1000))

    encoder = RNNEncoder(warm_start=True, random_state=seed)
    unlabelled = timed("without labels", lambda: encoder.fit(X))
    yield timed(
        "n-gram TF-IDF + LinearSVC",
        lambda: make_pipeline(tfidf(), LinearSVC(random_state=0)).fit(few, labels),
    )
    yield timed(
        "RNNClassifier, cold start",
        lambda: RNNClassifier(random_state=seed).fit(few, labels),
    )
    cold = clone(encoder)
    yield timed(
        "RNNEncoder, cold start, + linear",
        lambda: linear(cold).fit(few, labels),
    )
    codes = timed(
        "RNNEncoder without labels + linear",
        lambda: linear(FrozenEstimator(encoder)).fit(few, labels),
    )
    yield codes._replace(seconds=codes.seconds + unlabelled.seconds)
    going_on = deepcopy(encoder).set_params(learning_rate_init=LOW_RATE)
    warm = timed(
        "RNNEncoder, warm start, + linear",
        lambda: linear(FrozenEstimator(going_on.fit(few, labels))).fit(few, labels),
    )
    yield warm._replace(seconds=warm.seconds + unlabelled.seconds)


def main(arguments=None):
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="folder of the data files; or SKRNN_DATA")
    parser.add_argument("--labels", type=int, default=200, metavar="N")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--validate", action="store_true")
    parsed = parser.parse_args(arguments)
    folder = data_folder(parsed.data)
    X, y = NAMES.train(folder)
    test = None
    if parsed.validate:
        parts = train_test_split(
            np.arange(len(X)), test_size=1 / 4, stratify=y, random_state=0
        )
        (X, y), test = (take(X, y, part) for part in parts)
    fitted = [
        model
        for seed in range(parsed.seeds)
        for model in fit_all(X, y, parsed.labels, seed)
    ]
    test = test or NAMES.test(folder)  # after the last fit
    print(f"{parsed.labels} labels, {len(X)} names:\n")
    print(tables(score_all(fitted, NAMES, *test)))


if __name__ == "__main__":
    main()
