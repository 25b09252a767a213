"""Going on from the last fit."""

from dataclasses import asdict

import numpy as np
import torch

from skrnn._core import network
from skrnn._inputs import READING_PARAMETERS


def check_same_network(estimator, last, architecture, what="warm_start=True"):
    """Refuse parameters under which the last weights mean something else.

    Parameters
    ----------
    estimator : estimator instance
    last : dict
        What the last fit has set.
    architecture : Architecture
    what : str, default="warm_start=True"
        Goes on from the last fit.

    Raises
    ------
    ValueError
        If such a parameter is not what it was.
    """
    instead = "a new fit" if what == "partial_fit" else "warm_start=False"
    before = {**last["_architecture"], **last["_reading"]}
    now = asdict(architecture)
    now |= {name: getattr(estimator, name) for name in READING_PARAMETERS}
    if ("embeddings_" in last) != (estimator.embeddings is not None):
        had, cure = "none", "None"
        if "embeddings_" in last:
            had, cure = "some", "those"
        raise ValueError(
            f"{what} goes on from the last fit, which had {had} for embeddings. Use "
            f"{cure}, or {instead}."
        )
    for name, value in now.items():
        if value != before[name]:
            raise ValueError(
                f"{what} goes on from the last fit, whose {name} was "
                f"{before[name]!r}, but now it is {value!r}. Use the same, or "
                f"{instead}."
            )


def load_weights(weights, estimator, last):
    """Start from the weights of the last fit.

    Output weights are those of the last fit for the classes, tokens or numbers that it
    has learned to predict, too.

    Parameters
    ----------
    weights : Weights
        Written.
    estimator : estimator instance
        What is to be learned: ``classes_`` and the like.
    last : dict
    """
    names = ("W_", "U_", "b_", "V_", "intercept_")
    old = network.from_public(
        weights.architecture, **{name: last[name] for name in names}
    )
    for layer, old_layer in zip(weights.all_layers(), old.all_layers(), strict=True):
        layer.U.copy_(old_layer.U)
        layer.W.copy_(old_layer.W)
        layer.b.copy_(old_layer.b)
    if not _is_same_task(estimator, last) or weights.V.shape[1] != old.V.shape[1]:
        return
    V, c = old.V, old.c
    if "target_mean_" in last:
        if len(last["target_mean_"]) != len(weights.c):
            return
        V, c = _rescaled(V, c, estimator, last)
    rows, old_rows = _common_outputs(estimator, last, len(weights.c), len(c))
    weights.V[rows] = V[old_rows]
    weights.c[rows] = c[old_rows]


def _is_same_task(estimator, last):
    # Of the two, an encoder of a classifier has both.
    if last.get("task_") != getattr(estimator, "task_", None):
        return False
    is_multilabel = getattr(estimator, "_is_multilabel", False)
    if hasattr(estimator, "task_"):
        return True
    return last.get("_is_multilabel", False) == is_multilabel


def _rescaled(V, c, estimator, last):
    """Output weights for numbers that are standardised in another way."""
    scale = estimator.target_scale_
    # Of a constant there is nothing to predict but the mean.
    factor = np.divide(
        last["target_scale_"], scale, np.zeros_like(scale), where=scale > 0
    )
    shift = last["target_mean_"] - estimator.target_mean_
    shift = np.divide(shift, scale, np.zeros_like(scale), where=scale > 0)
    factor, shift = (torch.from_numpy(a.astype(np.float32)) for a in (factor, shift))
    return V * factor.unsqueeze(1), c * factor + shift


def _common_outputs(estimator, last, n_outputs, n_old):
    """Rows of V, and those of the last V, that stand for the same."""
    if "classes_" not in last:
        rows = list(range(min(n_outputs, n_old)))
        return rows, rows
    row_of = {label: row for row, label in enumerate(last["classes_"].tolist())}
    labels = estimator.classes_.tolist()
    rows = [row for row, label in enumerate(labels) if label in row_of]
    return rows, [row_of[labels[row]] for row in rows]
