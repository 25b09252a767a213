"""Token -> id, as a plain dict.

Id 0 is the unknown token: whatever was not in the training data.
"""

import numpy as np

UNKNOWN = 0


def learn_vocabulary(sequences):
    """Number the distinct tokens of text or token lists, in sorted order.

    Parameters
    ----------
    sequences : Sequences of kind "text" or "tokens"

    Returns
    -------
    vocabulary : dict of token -> int
        Ids count from 1; 0 is left for the unknown token.
    """
    if sequences.kind == "text":
        tokens = [chr(code_point) for code_point in np.unique(sequences.values)]
    else:
        # By type first: strings and integers have no order between them.
        tokens = sorted(
            set(sequences.values), key=lambda token: (isinstance(token, str), token)
        )
    return {token: i for i, token in enumerate(tokens, start=1)}


def encode(sequences, vocabulary):
    """Replace each token by its id; tokens not in the vocabulary become 0.

    Parameters
    ----------
    sequences : Sequences of kind "text" or "tokens"
    vocabulary : dict of token -> int

    Returns
    -------
    encoded : Sequences
        ``values`` is int64 of shape (n_rows,).
    """
    if sequences.kind == "text":
        code_points = np.fromiter(map(ord, vocabulary), np.int64, len(vocabulary))
        # Every code point past the largest known one shares the table's last entry.
        id_of = np.full(code_points.max() + 2, UNKNOWN, dtype=np.int64)
        id_of[code_points] = np.fromiter(vocabulary.values(), np.int64)
        ids = id_of[np.minimum(sequences.values, len(id_of) - 1)]
    else:
        tokens = sequences.values
        ids = np.fromiter(
            (vocabulary.get(token, UNKNOWN) for token in tokens), np.int64, len(tokens)
        )
    return sequences.replace_values(ids)


def hiding_probabilities(counts, strength=0.25):
    """How often each token is replaced by the unknown token while fitting.

    A token seen `c` times is hidden with probability ``strength / (strength + c)``,
    so that the unknown token is trained in the company of rare tokens, whose like it
    will stand for [1]_.

    References
    ----------
    .. [1] Kiperwasser and Goldberg (2016), "Simple and Accurate Dependency Parsing
       Using Bidirectional LSTM Feature Representations", TACL 4,
       https://aclanthology.org/Q16-1023/ (strength 0.25).
    """
    probabilities = strength / (strength + counts)
    probabilities[UNKNOWN] = 0.0  # it already is the unknown token
    return probabilities
