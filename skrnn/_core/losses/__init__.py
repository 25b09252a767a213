"""What training minimises: losses of raw scores, and their gradients.

Each loss is a module of this package with its equation and a compiled function
``loss_and_gradient(scores, target, weight)``, which returns the sum of the loss over
all rows of the scores and replaces the scores by its gradient.
"""

import pkgutil
from functools import cache
from importlib import import_module

import numpy as np

from skrnn._core.imports import kernel_imports

LOSSES = tuple(module.name for module in pkgutil.iter_modules(__path__))


@cache
def page_of(name):
    """Return the module of a loss, which is imported when it is first needed."""
    if name not in LOSSES:
        raise ValueError(f"There is no loss {name!r}.")
    with kernel_imports():
        return import_module(f"{__name__}.{name}")


def loss_and_gradient(name, scores, target, weight):
    """Compute the summed loss of raw scores, and its gradient with respect to them.

    Parameters
    ----------
    name : {"cross_entropy", "binary_cross_entropy", "squared_error", \
            "gaussian_or_end"}
    scores : ndarray of shape (n_targets, n_outputs)
    target : ndarray of shape (n_targets,), int64, or (n_targets, n_outputs)
        Labels for "cross_entropy", 0 and 1 for "binary_cross_entropy", numbers for
        "squared_error".
    weight : ndarray of shape (n_targets,)

    Returns
    -------
    total : float
    dscores : ndarray of shape (n_targets, n_outputs)
    """
    function = page_of(name).loss_and_gradient
    dscores = np.array(scores, order="C")
    total = function(dscores, np.ascontiguousarray(target), np.asarray(weight))
    return float(total), dscores
