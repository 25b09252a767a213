"""Accuracy of the defaults on surnames, beside what else users could run.

    python benchmarks/quality.py --data DIR [--json FILE]

DIR holds names_train.csv and names_test.csv (or set SKRNN_DATA). All models are fixed
below and fitted on the whole training file; the test file is read once, after the last
fit, so no choice can depend on it. Networks and forests are fitted with three seeds.
The exit status is 1 if the defaults fall below what this version promises.
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path

import datasets
import machine
import numpy as np
import timing
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skrnn import RNNClassifier, RNNEncoder

SEEDS = (0, 1, 2)


def forest_on(make_transformer, seed):
    """A pipeline of a transformer and a random forest."""
    forest = RandomForestClassifier(random_state=seed, n_jobs=-1)
    return make_pipeline(make_transformer(seed), forest)


def ngrams(lowercase):
    """Character n-grams and a linear model, what an expert would try first."""
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 5), lowercase=lowercase, sublinear_tf=True
    )
    return make_pipeline(vectorizer, LinearSVC(random_state=0))


# Each model by seed; those without a seed are fitted once.
MODELS = {
    "RNNClassifier": lambda seed: RNNClassifier(random_state=seed),
    "RNNEncoder + forest": partial(
        forest_on, lambda seed: RNNEncoder(random_state=seed)
    ),
    "bag of characters + forest": partial(
        forest_on, lambda seed: CountVectorizer(analyzer="char", lowercase=False)
    ),
}
WITHOUT_SEED = {
    "n-gram TF-IDF + LinearSVC": lambda: ngrams(lowercase=False),
    "n-gram TF-IDF + LinearSVC, lower case": lambda: ngrams(lowercase=True),
}


def fit_all(train_names, train_labels):
    """Fit every model.

    Returns
    -------
    fitted : list of (name, model, seconds)
    """
    made = [(name, make(seed)) for name, make in MODELS.items() for seed in SEEDS]
    made += [(name, make()) for name, make in WITHOUT_SEED.items()]
    fitted = []
    for name, model in made:
        start = time.perf_counter()
        model.fit(train_names, train_labels)
        fitted.append((name, model, time.perf_counter() - start))
    return fitted


def score(model, test_names, test_labels):
    """Scores and seconds of one fitted model."""
    start = time.perf_counter()
    predicted = model.predict(test_names)
    scores = {
        "predict seconds": time.perf_counter() - start,
        "accuracy": accuracy_score(test_labels, predicted),
        "macro F1": f1_score(test_labels, predicted, average="macro"),
    }
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(test_names)
        scores["log loss"] = log_loss(test_labels, probabilities, labels=model.classes_)
    return scores


def summarise(results):
    """One line a model: mean and standard deviation over its seeds."""
    lines = []
    for name in dict.fromkeys(result["model"] for result in results):
        runs = [result for result in results if result["model"] == name]
        line = {"model": name, "fits": len(runs)}
        for column in ("accuracy", "macro F1", "log loss"):
            values = [run[column] for run in runs if column in run]
            if values:
                line[column] = f"{np.mean(values):.3f} ± {np.std(values):.3f}"
        for column in ("fit seconds", "predict seconds"):
            line[column] = float(np.median([run[column] for run in runs]))
        lines.append(line)
    return lines


def broken_promises(results):
    """What this version promises and the results do not keep.

    Returns
    -------
    broken : list of str
    """

    def accuracy(name):
        runs = [run["accuracy"] for run in results if run["model"] == name]
        return float(np.mean(runs))

    classifier, codes, bag = map(accuracy, MODELS)
    promises = {
        "RNNClassifier is at least 0.80 accurate": classifier >= 0.80,
        "a forest on the codes is within 0.02 of it": abs(codes - classifier) <= 0.02,
        "both are 0.03 above a bag of characters": min(codes, classifier) > bag + 0.03,
    }
    return [promise for promise, is_kept in promises.items() if not is_kept]


def main():
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="folder of the two files; or SKRNN_DATA")
    parser.add_argument("--json", type=Path, help="file for all raw scores")
    arguments = parser.parse_args()
    folder = datasets.data_folder(arguments.data)

    fitted = fit_all(*datasets.NAMES.train(folder))
    test = datasets.NAMES.test(folder)
    results = [
        {"model": name, "fit seconds": seconds, **score(model, *test)}
        for name, model, seconds in fitted
    ]
    lines = summarise(results)
    print(timing.markdown_table(lines, list(lines[0])))
    if arguments.json:
        described = {"machine": machine.describe(), "results": results}
        timing.write_json(arguments.json, described)
    if broken := broken_promises(results):
        sys.exit(f"Not true: {'; '.join(broken)}.")


if __name__ == "__main__":
    main()
