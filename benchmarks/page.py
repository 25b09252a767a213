"""Sizes of the pages that to_html writes, and what rounding of their weights does.

    python benchmarks/page.py --data DIR [--quick]

DIR holds names_train.csv (or set SKRNN_DATA). A fifth of the names is held out, by
which probabilities with rounded and with exact weights are compared.
"""

import argparse
import tempfile
from pathlib import Path

import datasets
import numpy as np
import timing
from sklearn.model_selection import train_test_split

from skrnn import RNNClassifier
from skrnn.export import to_html
from skrnn.export._page import _rounded_copy

MODELS = {
    "default": RNNClassifier(random_state=0),
    "max_features=2000": RNNClassifier(max_features=2000, random_state=0),
    "nhidden=100, single characters": RNNClassifier(
        100, ngram_range=(1, 1), wide_ngram_range=None, random_state=0
    ),
}


def megabytes(model, weights):
    """The size of the page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        to_html(model, path, weights=weights)
        return path.stat().st_size / 1e6


def compare(model, names):
    """What rounding changes."""
    exact = model.predict_proba(names)
    other = _rounded_copy(model).predict_proba(names)
    differences = np.abs(exact - other)
    return {
        "MB, exact": megabytes(model, "exact"),
        "MB, rounded": megabytes(model, "rounded"),
        "largest difference": differences.max(),
        "mean difference": differences.mean(),
        "other predictions": int((exact.argmax(1) != other.argmax(1)).sum()),
        "names": len(names),
    }


def main():
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help="folder of the data sets; or SKRNN_DATA")
    parser.add_argument("--quick", action="store_true", help="500 names, two epochs")
    arguments = parser.parse_args()
    X, y = datasets.NAMES.train(datasets.data_folder(arguments.data))
    X, X_held_out, y, _ = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=0
    )
    rows = []
    for name, model in MODELS.items():
        if arguments.quick:
            X, y = X[:500], y[:500]
            model.set_params(max_iter=2)
        rows.append({"model": name, **compare(model.fit(X, y), X_held_out)})
    print(timing.markdown_table(rows, list(rows[0])))


if __name__ == "__main__":
    main()
