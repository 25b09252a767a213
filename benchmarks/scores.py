"""Scores of fitted models, and the tables of them."""

import time

import numpy as np
import timing
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    r2_score,
    root_mean_squared_error,
)

from skrnn.metrics import span_f1_score, token_accuracy_score

COLUMNS = {
    "classification": [
        "accuracy",
        "macro F1",
        "spam F1",
        "log loss",
        "calibration error",
    ],
    "regression": ["RMSE", "R2"],
    "tagging": ["token accuracy", "entity F1"],
}
SECONDS = ["fit seconds", "predict seconds"]
N_BINS = 15  # as in Guo et al. (2017), "On Calibration of Modern Neural Networks"


def score(model, data_set, X, y):
    """Scores of one fitted model, and the seconds of its predictions.

    Parameters
    ----------
    model : estimator
    data_set : DataSet
    X, y
        Sequences that the model has not seen, and what it should predict.

    Returns
    -------
    scores : dict of str to float
        Log loss and calibration error only of models with probabilities, of all
        classes in y.
    """
    start = time.perf_counter()
    predicted = model.predict(X)
    scores = {"predict seconds": time.perf_counter() - start}
    if data_set.task == "regression":
        return scores | {
            "RMSE": float(root_mean_squared_error(y, predicted)),
            "R2": float(r2_score(y, predicted)),
        }
    if data_set.task == "tagging":
        scores["token accuracy"] = float(token_accuracy_score(y, predicted))
        if data_set.has_entities:
            scores["entity F1"] = float(span_f1_score(y, predicted))
        return scores
    scores["accuracy"] = float(accuracy_score(y, predicted))
    scores["macro F1"] = float(f1_score(y, predicted, average="macro"))
    if positive := data_set.positive:
        f1 = f1_score(y, predicted, pos_label=positive)
        scores[f"{positive} F1"] = float(f1)
    if hasattr(model, "predict_proba") and np.isin(y, model.classes_).all():
        probabilities = np.asarray(model.predict_proba(X), dtype=np.float64)
        # Means of float32 probabilities add up to 1 in float32 only; log_loss warns.
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        scores["log loss"] = float(log_loss(y, probabilities, labels=model.classes_))
        scores["calibration error"] = calibration_error(
            y, probabilities, model.classes_
        )
    return scores


def calibration_error(y, probabilities, classes):
    """How far the largest probabilities are from the accuracy of the class they name.

    The largest probabilities of all samples are put into bins of equal width, and the
    distance of their mean from the accuracy is averaged over the samples.

    Parameters
    ----------
    y : sequence of length n_samples
    probabilities : ndarray of shape (n_samples, n_classes)
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    error : float
    """
    confidence = probabilities.max(axis=1)
    is_right = classes[probabilities.argmax(axis=1)] == np.asarray(y)
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    surplus = np.bincount(bins, confidence - is_right, minlength=N_BINS)
    return float(np.abs(surplus).sum() / len(confidence))


def measure_of(task):
    """The column by which models are compared: the first of its table."""
    return COLUMNS[task][0]


def mean_of(results, name, column):
    """The mean of a column over the fits of a model."""
    return float(np.mean([run[column] for run in results if run["model"] == name]))


def summarise(results):
    """One line for each data set and model: mean and standard deviation of its fits.

    Parameters
    ----------
    results : list of dict
        One for each fit: data set, model, scores and seconds.

    Returns
    -------
    lines : list of dict
    """
    lines = []
    rows = dict.fromkeys((run["data set"], run["model"]) for run in results)
    for name, model in rows:
        runs = [r for r in results if (r["data set"], r["model"]) == (name, model)]
        line = {"data set": name, "model": model, "fits": len(runs)}
        for column in (column for task in COLUMNS.values() for column in task):
            values = [run[column] for run in runs if column in run]
            if values:
                line[column] = _mean_and_deviation(values, column)
        for column in SECONDS:
            line[column] = float(np.median([run[column] for run in runs]))
        lines.append(line)
    return lines


def _mean_and_deviation(values, column):
    mean = figure(np.mean(values), column)
    if len(values) == 1:
        return mean
    n_digits = len(mean.partition(".")[2])
    return f"{mean} ± {np.std(values):.{n_digits}f}"


def figure(value, column):
    """Three digits after the point; four of an RMSE in a small unit."""
    return f"{value:.{4 if column == 'RMSE' and value < 0.1 else 3}f}"


def tables(results):
    """Markdown of the results, a table for each task."""
    lines = summarise(results)
    parts = []
    for columns in COLUMNS.values():
        chosen = [line for line in lines if columns[0] in line]
        used = [column for column in columns if any(column in c for c in chosen)]
        if chosen:
            every = ["data set", "model", "fits", *used, *SECONDS]
            parts.append(timing.markdown_table(chosen, every))
    return "\n\n".join(parts)
