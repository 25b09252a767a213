"""The first layer, as it looks vectors up in a table."""

from typing import NamedTuple

import numpy as np


class FirstLayer(NamedTuple):
    """A table with the vector of each token, and what reads these vectors.

    The product of both is the U of skrnn, or that of ``embeddings_`` and U. Without
    embeddings, one of them is U, and the other an identity matrix, the smaller one of
    two; so the product is exact.

    Attributes
    ----------
    table : ndarray of shape (n_ids, n_inputs), float32
    Us : list of ndarrays of shape (n_rows, n_inputs), float32
        For each direction.
    is_one_hot : bool
        Whether the table is an identity matrix.
    """

    table: np.ndarray
    Us: list
    is_one_hot: bool

    @classmethod
    def of(cls, model):
        """The first layer of a model that reads tokens."""
        Us = model.arrays["U_"][: model.architecture.n_directions]
        if model.reader.vectors is not None:
            return cls(model.reader.vectors, Us, False)
        stacked = np.concatenate(Us)
        n_rows, n_ids = stacked.shape
        if n_ids <= n_rows:
            return cls(np.eye(n_ids, dtype=np.float32), Us, True)
        identity = np.eye(n_rows, dtype=np.float32)
        return cls(stacked.T, np.split(identity, len(Us)), False)
