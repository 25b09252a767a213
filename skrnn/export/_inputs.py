"""The first layer, as it looks vectors up in a table."""

import numpy as np


def table_and_inputs(model):
    """The vector of each token, and the U of the first layer that reads vectors.

    Elsewhere, a recurrence reads vectors, rather than tokens. The product of both is
    the U of skrnn, or the product of ``embeddings_`` and it. One of them is an identity
    matrix, and the smaller of two choices; neither it nor its product rounds.

    Parameters
    ----------
    model : Model
        It reads tokens.

    Returns
    -------
    table : ndarray of shape (n_ids, n_inputs), float32
    Us : list of ndarrays of shape (n_rows, n_inputs), float32
        For each direction.
    """
    Us = model.arrays["U_"][: model.architecture.n_directions]
    if model.reader.vectors is not None:
        return model.reader.vectors, Us
    stacked = np.concatenate(Us)
    n_rows, n_ids = stacked.shape
    if n_ids <= n_rows:
        return np.eye(n_ids, dtype=np.float32), Us
    identity = np.eye(n_rows, dtype=np.float32)
    return np.ascontiguousarray(stacked.T), np.split(identity, len(Us))
