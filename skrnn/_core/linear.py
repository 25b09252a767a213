"""A linear map A of rows x, sparse or dense, and the way back.

A has a row for each column of x, with its weights for all outputs.
"""

import numpy as np

from skrnn._core.imports import kernel_imports
from skrnn._core.sparse_rows import SparseRows
from skrnn._core.vocabulary import check_ids


def check_columns(x, n_columns):
    """Raise unless A with so many rows fits x. The kernels do not check it.

    Raises
    ------
    ValueError
        An attribute was edited, or its file was damaged.
    """
    if isinstance(x, SparseRows):
        check_ids(x.columns, n_columns, "wide_vocabulary_", "wide_coef_")
    elif x.values.shape[1] != n_columns:
        raise ValueError(
            f"wide_biases_ has {x.values.shape[1]} numbers, but wide_coef_ has "
            f"{n_columns} columns. Undo the changes to them since the fit, or fit "
            "again."
        )


def add_scores(x, A, scores):
    """Add A x to the scores of each row, of shape (n_rows, n_outputs)."""
    with kernel_imports():
        from skrnn._core import products, wide

    if isinstance(x, SparseRows):
        wide.add_scores(*x, A, scores)
    else:
        products.multiply(x.values, A, scores, True)


def average(x, A, scores):
    """Replace the scores of each row by the mean of them and A x.

    Those of a row without entries stay as they are.
    """
    with kernel_imports():
        from skrnn._core import wide

    if isinstance(x, SparseRows):
        wide.average(*x, A, np.empty(A.shape[1], A.dtype), scores)
    else:
        add_scores(x, A, scores)
        scores /= 2


def add_gradient(x, dscores, dA):
    """Add the gradient with respect to A, dscores x^T, given that of the scores."""
    with kernel_imports():
        from skrnn._core import products, wide

    if isinstance(x, SparseRows):
        wide.add_gradient(*x, dscores, dA)
    else:
        products.multiply(x.values.T, dscores, dA, True)
