"""From sequences to what the network reads, as learned in fit."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from skrnn._core import series, vocabulary
from skrnn._core.optimiser import Embeddings

PARAMETER_CONSTRAINTS = {
    "analyzer": [StrOptions({"auto", "char", "word", "token", "series"}), callable],
    "lowercase": ["boolean"],
    "strip_accents": [StrOptions({"ascii", "unicode"}), None, callable],
    "token_pattern": [str],
    "ngram_range": [tuple, list],
    "min_df": [
        Interval(Real, 0, 1, closed="both"),
        Interval(Integral, 1, None, closed="left"),
    ],
    "max_features": [Interval(Integral, 1, None, closed="left"), None],
    "vocabulary": [Mapping, HasMethods("__iter__"), None],
    "embeddings": [Mapping, tuple, list, None],
    "freeze_embeddings": ["boolean"],
    "standardize": ["boolean"],
    "missing": [StrOptions({"error", "mask"})],
    "max_length": [Interval(Integral, 1, None, closed="left"), None],
    "overlong": [StrOptions({"error", "first", "last"})],
}


def check_parameters(estimator):
    """Check what one parameter alone does not show.

    Raises
    ------
    ValueError
        If parameters cannot be had together.
    """
    ngram_range = tuple(estimator.ngram_range)
    is_pair = len(ngram_range) == 2 and all(
        isinstance(n, Integral) for n in ngram_range
    )
    if not is_pair or not 1 <= ngram_range[0] <= ngram_range[1]:
        raise ValueError(
            f"ngram_range is {estimator.ngram_range!r}: the smallest and the largest n "
            "were expected, such as (1, 3)."
        )
    if estimator.freeze_embeddings and estimator.embeddings is None:
        raise ValueError(
            "freeze_embeddings=True needs embeddings, which are None. Pass vectors, or "
            "use freeze_embeddings=False."
        )


def learn_tokens(estimator, sequences, sample_weight):
    """Set ``vocabulary_``, and ``_grams`` if it has n-grams.

    Returns
    -------
    ids : ndarray of shape (n_rows,) or (n_rows, n_lengths), int32
    hiding : Tensor of shape (n_tokens,)
        How often each token is to be replaced by the unknown one.
    """
    ngram_range = tuple(estimator.ngram_range)
    if estimator.vocabulary is not None:
        known = vocabulary.number(_given_tokens(estimator.vocabulary))
    else:
        known = vocabulary.learn_vocabulary(
            sequences, ngram_range, estimator.min_df, estimator.max_features
        )
        if estimator.embeddings is not None:
            tokens, _ = read_embeddings(estimator.embeddings)
            known = vocabulary.number(dict.fromkeys([*known, *tokens]))
    if not known:
        raise ValueError(
            "After pruning, no terms remain: no token or n-gram of X is in min_df="
            f"{estimator.min_df!r} sequences. Lower min_df or the first n of "
            f"ngram_range={estimator.ngram_range!r}."
        )
    estimator.vocabulary_ = known
    if ngram_range != (1, 1):
        estimator._grams = vocabulary.make_encoder(known, sequences.kind)
    ids, _ = encode_tokens(estimator, sequences)
    counts = vocabulary.weighted_counts(
        ids, sequences.offsets, sample_weight, len(known) + 1
    )
    hiding = vocabulary.hiding_probabilities(counts).astype(np.float32)
    return ids, torch.from_numpy(hiding)


def _given_tokens(given):
    """The tokens of a vocabulary that the user passed, in its order."""
    if isinstance(given, Mapping):
        tokens = sorted(given, key=given.get)
    elif isinstance(given, (set, frozenset)):
        tokens = sorted(given)
    else:
        tokens = list(given)
    if not tokens:
        raise ValueError("vocabulary is empty: at least one token is needed.")
    if len(set(tokens)) < len(tokens):
        again = next(token for i, token in enumerate(tokens) if token in tokens[:i])
        raise ValueError(f"vocabulary has {again!r} twice. Drop one of them.")
    return tokens


def encode_tokens(estimator, sequences):
    """Ids and keys; see :func:`skrnn._core.vocabulary.encode`."""
    return vocabulary.encode(
        sequences,
        estimator.vocabulary_,
        tuple(estimator.ngram_range),
        getattr(estimator, "_grams", None),
    )


def learn_embeddings(estimator, generator):
    """Vectors for all tokens: those given, and random ones of like size.

    Returns
    -------
    embeddings : Embeddings
        Its first row is of the unknown token.
    """
    tokens, matrix = read_embeddings(estimator.embeddings)
    known = estimator.vocabulary_
    n_tokens, n_dimensions = len(known) + 1, matrix.shape[1]
    vectors = torch.empty(n_tokens, n_dimensions)
    vectors.normal_(0.0, embedding_scale(matrix), generator=generator)
    given = [(known[token], row) for row, token in enumerate(tokens) if token in known]
    if not given:
        raise ValueError(
            f"embeddings has no vector for any of {len(known)} tokens, such as "
            f"{next(iter(known))!r}. Check its tokens, of which {tokens[0]!r} is the "
            "first, or the analyzer."
        )
    ids, rows = map(list, zip(*given, strict=True))
    vectors[ids] = torch.from_numpy(matrix[rows])
    is_fixed = torch.zeros(n_tokens, dtype=torch.bool)
    is_fixed[ids] = estimator.freeze_embeddings
    return Embeddings(vectors, is_fixed)


def embedding_scale(matrix):
    """Of what order the numbers of vectors are."""
    return float(np.sqrt(np.mean(np.square(matrix, dtype=np.float64)))) or 1.0


def read_embeddings(embeddings):
    """Tokens and a matrix out of a dict, or of such a pair.

    Returns
    -------
    tokens : list
    matrix : ndarray of shape (n_tokens, n_dimensions), float32

    Raises
    ------
    ValueError
        If it is none of these, or the vectors differ in length or are not finite.
    """
    if isinstance(embeddings, Mapping):
        tokens, vectors = list(embeddings), list(embeddings.values())
    elif len(embeddings) == 2:
        tokens, vectors = embeddings
        tokens = list(_given_tokens(tokens))
    else:
        tokens, vectors = [], []
    try:
        matrix = np.array(vectors, dtype=np.float32)
    except ValueError:  # of unequal lengths
        matrix = np.empty(0)
    if matrix.ndim != 2 or matrix.size == 0 or len(tokens) != len(matrix):
        raise ValueError(
            "embeddings could not be read: a dict of token -> vector, or a pair of a "
            "vocabulary and a matrix of as many rows, was expected, all vectors of one "
            "length."
        )
    is_finite = np.isfinite(matrix).all(axis=1)
    if not is_finite.all():
        raise ValueError(
            f"embeddings has numbers that are not finite for "
            f"{tokens[int(np.argmin(is_finite))]!r}. Drop it."
        )
    return tokens, matrix


def learn_scaling(estimator, sequences, sample_weight):
    """Set ``mean_`` and ``scale_``."""
    values = sequences.values
    if estimator.standardize:
        row_weight = np.repeat(sample_weight, sequences.lengths)
        mean, scale = series.mean_and_scale(values, row_weight)
    else:
        mean, scale = np.zeros(values.shape[1]), np.ones(values.shape[1])
    estimator.mean_, estimator.scale_ = mean, scale


def encode_series(estimator, sequences, indices=None):
    """Numbers, standardised, none of them missing.

    Parameters
    ----------
    estimator : estimator instance
    sequences : Sequences
    indices : ndarray, default=None
        Where the sequences stand in X, for errors.

    Returns
    -------
    values : ndarray of shape (n_rows, n_inputs), float32
    """
    mean, scale, given = estimator.mean_, estimator.scale_, sequences.values
    values = series.standardise(given, mean, scale)
    is_usable = np.isfinite(values) | np.isnan(given)
    if not is_usable.all():
        row, feature = np.argwhere(~is_usable)[0]
        i, step = sequences.locate(row)
        i = i if indices is None else indices[i]
        raise ValueError(
            f"X[{i}] contains {given[row, feature]:g} at step {step}, which is too far "
            f"from the mean in fit, {mean[feature]:g}, to be divided by the standard "
            f"deviation, {scale[feature]:g}. Check the unit."
        )
    if estimator.missing == "mask":
        return series.fill_missing(values, sequences.offsets)
    return values
