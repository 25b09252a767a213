"""Products with matrices, of which rows have few entries or are named by tokens."""

import torch
from torch.nn import functional as F

from skrnn._core.execution import Execution
from skrnn._core.sparse_rows import SparseRows


def product(x, A):
    """Compute ``A x`` of each sequence.

    Parameters
    ----------
    x : SparseRows or DenseRows
        On the host.
    A : Tensor of shape (n_columns, n_outputs)

    Returns
    -------
    out : Tensor of shape (n_sequences, n_outputs)
    """
    send = Execution.of(A).tensor
    if not isinstance(x, SparseRows):
        return send(x.values).to(A.dtype) @ A
    columns, offsets = send(x.columns).long(), send(x.offsets)
    return F.embedding_bag(
        columns,
        A,
        offsets,
        mode="sum",
        per_sample_weights=send(x.values).to(A.dtype),
        include_last_offset=True,
    )


def look_up(x, table):
    """The vectors of the tokens of each step, summed.

    Parameters
    ----------
    x : Tensor of shape (n_rows,) or (n_rows, n_tokens), int
    table : Tensor of shape (n_all_tokens, n_columns)
    """
    if x.ndim == 1:
        return F.embedding(x, table)
    return F.embedding_bag(x, table, mode="sum")


def counts(x, n, dtype):
    """How often each step has each token, of shape (n_rows, n)."""
    x = x.long().view(len(x), -1)
    zeros = torch.zeros(len(x), n, dtype=dtype, device=x.device)
    return zeros.scatter_add_(1, x, zeros.new_ones(()).expand(x.shape))
