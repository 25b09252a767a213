"""From sequences to what the network reads, as learned in fit."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import torch
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
)

from skrnn._core import series, vocabulary
from skrnn._core.optimiser import Embeddings
from skrnn._core.vocabulary import UNKNOWN
from skrnn._given import given_tokens, read_embeddings
from skrnn._warnings import warn

PARAMETER_CONSTRAINTS = {
    "analyzer": [StrOptions({"auto", "char", "word", "token", "series"}), callable],
    "lowercase": ["boolean"],
    "strip_accents": [StrOptions({"ascii", "unicode"}), None, callable],
    "token_pattern": [str],
    "ngram_range": [StrOptions({"auto"}), tuple, list],
    "min_df": [
        Interval(RealNotInt, 0, 1, closed="both"),
        Interval(Integral, 1, None, closed="left"),
    ],
    "max_features": [Interval(Integral, 1, None, closed="left"), None],
    "vocabulary": [Mapping, HasMethods("__iter__"), None],
    "embeddings": [Mapping, tuple, list, None],
    "freeze_embeddings": ["boolean"],
    "standardize": ["boolean"],
    "differences": [Interval(Integral, 0, None, closed="left")],
    "patch_length": [
        StrOptions({"auto"}),
        Interval(Integral, 1, None, closed="left"),
    ],
    "missing": [StrOptions({"error", "mask"})],
    "token_dropout": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="left")],
    "max_length": [Interval(Integral, 1, None, closed="left"), None],
    "overlong": [StrOptions({"error", "first", "last"})],
}


# The least share of n-grams hidden while fitting. On surnames, 10,000 to train on and
# 3,374 to validate, a GRU of 128 units had accuracy 0.838 at 0.3, 0.840 at
# 0.4 and at 0.5, and log loss 0.56, 0.545 and 0.537.
GRAM_DROPOUT = 0.4
# At most so many, unless the user says how many: each takes a row of U.
MAX_AUTO_GRAMS = 50_000
# Steps that the network takes through a series, on average, by patches.
STEPS_AT_MOST = 100
# How X is read; as it was in fit, until the next one.
READING_PARAMETERS = ("analyzer", "lowercase", "strip_accents", "token_pattern")
READING_PARAMETERS += ("missing", "max_length", "overlong", "standardize")
READING_PARAMETERS += ("differences", "patch_length")
READING_PARAMETERS += ("ngram_range", "min_df", "max_features")
KIND_NAMES = {
    "text": "strings",
    "words": "strings",
    "tokens": "token lists",
    "series": "sequences of numbers",
}


def check_parameters(estimator):
    """Check what one parameter alone does not show.

    Raises
    ------
    ValueError
        If parameters cannot be had together.
    """
    ngram_range = estimator.ngram_range
    is_pair = len(ngram_range) == 2 and all(
        isinstance(n, Integral) for n in ngram_range
    )
    if ngram_range != "auto" and not (
        is_pair and 1 <= ngram_range[0] <= ngram_range[1]
    ):
        raise ValueError(
            f"ngram_range is {estimator.ngram_range!r}: the smallest and the largest n "
            "were expected, such as (1, 3)."
        )
    if estimator.freeze_embeddings and estimator.embeddings is None:
        raise ValueError(
            "freeze_embeddings=True needs embeddings, which are None. Pass vectors, or "
            "use freeze_embeddings=False."
        )


class Encoded(NamedTuple):
    """What the network reads of some sequences.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_inputs), float32, or of token ids
    offsets : ndarray of shape (n_samples + 1,)
        Where each sequence begins.
    keys : ndarray of shape (n_rows,) or None
        Equal for steps of equal tokens; see
        :func:`skrnn._core.vocabulary.find_ids`.
    """

    values: np.ndarray
    offsets: np.ndarray
    keys: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the network reads of the training data.

    Attributes
    ----------
    values : ndarray
        Numbers of shape (n_rows, n_features), float32; or token ids of shape (n_rows,)
        or (n_rows, n_lengths of n-grams), int32.
    offsets : ndarray of shape (n_samples + 1,)
        Where each sequence begins.
    hiding : ndarray of shape (n_tokens,), float32, or None
        How often each token is to be replaced by the unknown one; None for numbers.
    embeddings : Embeddings or None
        Vectors that tokens have from elsewhere,
    ids : ndarray of shape (n_tokens,), int, or None
        of those ids alone that are in X; `values` counts them anew.
    """

    values: np.ndarray
    offsets: np.ndarray
    hiding: np.ndarray | None = None
    embeddings: Embeddings | None = None
    ids: np.ndarray | None = None

    @property
    def n_inputs(self):
        """Length of x: numbers at a step, or distinct tokens."""
        if self.embeddings is not None:
            return self.embeddings.vectors.shape[1]
        return self.values.shape[1] if self.hiding is None else len(self.hiding)

    @property
    def are_tokens(self):
        """Whether U has a vector for each token."""
        return self.hiding is not None and self.embeddings is None

    @property
    def scale(self):
        """Of what order the inputs are."""
        scale = 1.0
        if self.embeddings is not None:
            scale = _scale(self.embeddings.vectors.numpy())
        if self.hiding is not None and self.values.ndim == 2:
            # The sum of the vectors of n-grams is to be of order 1, too.
            scale *= math.sqrt(self.values.shape[1])
        return scale


def learn_inputs(
    estimator, sequences, sample_weight, indices, generator, has_labels=True
):
    """Learn how to encode sequences, and encode them.

    Sets ``vocabulary_`` and ``embeddings_``, or ``mean_`` and ``scale_``.

    Parameters
    ----------
    estimator : estimator instance
        With ``kind_``.
    sequences : Sequences
    sample_weight : ndarray of shape (n_samples,)
    indices : ndarray of shape (n_samples,)
        Where the sequences stand in X, for errors.
    generator : torch.Generator
    has_labels : bool, default=True
        Whether labels are to be predicted, not numbers.

    Returns
    -------
    inputs : Inputs
    """
    _warn_of_no_effect(estimator)
    if estimator.kind_ == "series":
        for name in ("embeddings", "vocabulary"):
            if getattr(estimator, name) is not None:
                raise ValueError(
                    f"{name} needs tokens, but X holds sequences of numbers. Use "
                    f"{name}=None, or analyzer='token' if whole numbers are tokens."
                )
        encoded = learn_series(estimator, sequences, sample_weight, indices)
        return Inputs(encoded.values, encoded.offsets)
    of = sequences, sample_weight, indices, has_labels
    if estimator.embeddings is None:
        ids, hiding = learn_tokens(estimator, *of)
        return Inputs(ids, sequences.offsets, hiding)
    tokens, matrix = read_embeddings(estimator.embeddings, estimator.kind_)
    _warn_of_upper_case(estimator, tokens, "embeddings")
    ids, hiding = learn_tokens(estimator, *of, tokens)
    learn_embeddings(estimator, ids, tokens, matrix, generator)
    return _embedded(estimator, ids, sequences.offsets, hiding)


def resume_inputs(estimator, sequences, sample_weight, indices, is_partial=False):
    """Encode sequences as the last fit did.

    Parameters and result as of :func:`learn_inputs`; `is_partial` for a chunk, of which
    no token need be known.
    """
    if estimator.kind_ == "series":
        encoded = encode_series(estimator, sequences, indices)
        return Inputs(encoded.values, encoded.offsets)
    ids = encode_tokens(estimator, sequences).values
    if not is_partial:
        _check_some_are_known(estimator, ids)
    hiding = _hiding(estimator, ids, sequences, sample_weight)
    if estimator.embeddings is None:
        return Inputs(ids, sequences.offsets, hiding)
    # Training writes into them, and may fail.
    estimator.embeddings_ = estimator.embeddings_.copy()
    return _embedded(estimator, ids, sequences.offsets, hiding)


def _embedded(estimator, ids, offsets, hiding):
    """Inputs that are vectors, of the tokens in X alone."""
    used, values = np.unique(np.append(ids, UNKNOWN), return_inverse=True)
    values = values.reshape(-1)[:-1].reshape(ids.shape).astype(np.int32)
    is_fixed = np.zeros(len(estimator.embeddings_), dtype=bool)
    is_fixed[estimator._given_ids] = estimator.freeze_embeddings
    embeddings = Embeddings(
        torch.from_numpy(estimator.embeddings_[used]), torch.from_numpy(is_fixed[used])
    )
    return Inputs(values, offsets, hiding[used], embeddings, used)


def _ngram_range(estimator, kind, has_labels):
    """The range of n-grams, and how many of them are to be learned; None for all.

    For labels n-grams of characters are better than characters alone (surnames: 0.84
    against 0.81), for numbers they are not (solubility from SMILES: RMSE 0.93 against
    0.76, both validated on training data).
    """
    if estimator.ngram_range != "auto":
        return tuple(estimator.ngram_range), estimator.max_features
    is_given = estimator.vocabulary is not None or estimator.embeddings is not None
    if kind != "text" or is_given or not has_labels:
        return (1, 1), estimator.max_features
    return (1, 3), estimator.max_features or MAX_AUTO_GRAMS


def _warn_of_no_effect(estimator):
    """Warn if parameters of text were set, but X holds none."""
    if estimator.kind_ in ("text", "words"):
        return
    for name, value in (("lowercase", False), ("strip_accents", None)):
        if getattr(estimator, name) != value:
            warn(
                f"{name}={getattr(estimator, name)!r} is without effect: X holds "
                f"{KIND_NAMES[estimator.kind_]}, not strings. Change the tokens before "
                "fit, or pass strings with analyzer='word'.",
                UserWarning,
            )


def _warn_of_upper_case(estimator, tokens, name):
    """Warn of given tokens that no lower-case text can have."""
    if not estimator.lowercase or estimator.kind_ not in ("text", "words"):
        return
    upper = [token for token in tokens if token != token.lower()]
    if upper:
        warn(
            f"{len(upper)} of {len(tokens)} tokens of {name} have upper case, such as "
            f"{upper[0]!r}, and are never found, since lowercase=True. Turn them into "
            "lower case, or use lowercase=False.",
            UserWarning,
        )


def learn_tokens(
    estimator, sequences, sample_weight, indices, has_labels=True, others=()
):
    """Set ``vocabulary_``, and ``_grams`` if it has n-grams.

    Parameters
    ----------
    estimator : estimator instance
    sequences : Sequences
    sample_weight : ndarray of shape (n_samples,)
    indices : ndarray of shape (n_samples,)
        Where the sequences stand in X, for errors.
    has_labels : bool, default=True
        Whether labels are to be predicted, not numbers.
    others : iterable of tokens, default=()
        To know beside those of the sequences, unless ``vocabulary`` is given.

    Returns
    -------
    ids : ndarray of shape (n_rows,) or (n_rows, n_lengths), int32
    hiding : ndarray of shape (n_tokens,), float32
        How often each token is to be replaced by the unknown one.
    """
    ngram_range, max_features = _ngram_range(estimator, sequences.kind, has_labels)
    if ngram_range != (1, 1) and sequences.kind == "words":
        _check_no_spaces(sequences, indices)
    if estimator.vocabulary is not None:
        given = given_tokens(estimator.vocabulary, "vocabulary", sequences.kind)
        _warn_of_upper_case(estimator, given, "vocabulary")
        known = vocabulary.number(given)
    else:
        known = vocabulary.learn_vocabulary(
            sequences, ngram_range, estimator.min_df, max_features
        )
        if others:
            known = vocabulary.number(dict.fromkeys([*known, *others]))
    if not known:
        raise ValueError(
            "After pruning, no terms remain: no token or n-gram of X is in min_df="
            f"{estimator.min_df!r} sequences. Lower min_df or the first n of "
            f"ngram_range={estimator.ngram_range!r}."
        )
    estimator.vocabulary_ = known
    if ngram_range != (1, 1):
        table = vocabulary.make_gram_table(known, sequences.kind)
        min_n, max_n = ngram_range  # no gram is longer than the longest one known
        ngram_range = min_n, max(min_n, min(max_n, len(table["pairs"])))
        estimator._grams = {"ngram_range": ngram_range, **table}
    ids = encode_tokens(estimator, sequences).values
    _check_some_are_known(estimator, ids)
    return ids, _hiding(estimator, ids, sequences, sample_weight)


def _check_some_are_known(estimator, ids):
    known = estimator.vocabulary_
    if not ((ids > UNKNOWN) & (ids <= len(known))).any():
        if estimator.vocabulary is None:
            raise ValueError(
                "warm_start=True goes on with the vocabulary of the last fit, which "
                f"has no token of X: its first one is {next(iter(known))!r}. Use "
                "warm_start=False."
            )
        raise ValueError(
            "vocabulary has no token of X: its first one is "
            f"{next(iter(known))!r}. Check the analyzer, lowercase and ngram_range="
            f"{estimator.ngram_range!r}."
        )


def _hiding(estimator, ids, sequences, sample_weight):
    """How often each token is to be replaced by the unknown one."""
    known, ngram_range = estimator.vocabulary_, ngram_range_of(estimator)
    n_ids = vocabulary.n_ids(known, ngram_range)
    counts = vocabulary.weighted_counts(ids, sequences.offsets, sample_weight, n_ids)
    least = estimator.token_dropout
    if least == "auto":
        least = 0.0 if ngram_range == (1, 1) else GRAM_DROPOUT
    hiding = vocabulary.hiding_probabilities(counts, len(known), least)
    return hiding.astype(np.float32)


def last_token_id(estimator):
    """The largest id of a token that is no longer n-gram."""
    if hasattr(estimator, "_grams"):
        return int(estimator._grams["ids"][0].max())
    return max(estimator.vocabulary_.values())


def ngram_range_of(estimator):
    """The range of n-grams that a fitted estimator reads."""
    return getattr(estimator, "_grams", {"ngram_range": (1, 1)})["ngram_range"]


def _check_no_spaces(sequences, indices):
    """Refuse words that cannot be told from two.

    Parameters
    ----------
    sequences : Sequences of kind "words"
    indices : ndarray of shape (n_samples,)
        Where the sequences stand in X, for errors.
    """
    has_space = np.array([" " in word for word in sequences.tokens])
    if not has_space.any():
        return
    rows = np.flatnonzero(has_space[sequences.values])
    if len(rows):
        i, step = sequences.locate(rows[0])
        word = sequences.tokens[sequences.values[rows[0]]]
        raise ValueError(
            f"X[{indices[i]}] has the word {word[:40]!r} at step {step}: words without "
            "spaces were expected, since n-grams of words are joined by one. Use "
            "ngram_range=(1, 1), or another token_pattern."
        )


def encode_tokens(estimator, sequences):
    """Ids of tokens.

    Returns
    -------
    encoded : Encoded

    Raises
    ------
    TypeError
        If all tokens are strings and all that are known integers, or the reverse.
    """
    table = getattr(estimator, "_grams", None)
    known = estimator.vocabulary_
    ids, keys = vocabulary.find_ids(sequences, known, ngram_range_of(estimator), table)
    if sequences.kind == "tokens" and not keys.any():
        _check_types(sequences.tokens, known if table is None else table["number_of"])
    return Encoded(ids, sequences.offsets, keys)


def _check_types(tokens, known):
    """Refuse tokens that are unknown for their type alone."""
    are_strings = {isinstance(token, str) for token in tokens}
    if are_strings & {isinstance(token, str) for token in known}:
        return
    names = ("strings", "integers") if are_strings.pop() else ("integers", "strings")
    cure = "int" if names[0] == "strings" else "str"
    raise TypeError(
        f"The tokens of X are {names[0]}, such as {tokens[0]!r:.40}, but those of the "
        f"vocabulary are {names[1]}, such as {next(iter(known))!r:.40}: all of X would "
        f"be unknown. Convert them, as in [[{cure}(token) for token in x] for x in X]."
    )


def learn_embeddings(estimator, ids, tokens, matrix, generator):
    """Set ``embeddings_``, vectors for all tokens, and ``_given_ids``.

    Vectors are given, or random and of the size of those given. The first row is of the
    unknown token.

    Parameters
    ----------
    estimator : estimator instance
        With ``vocabulary_``.
    ids : ndarray of int
        The training data.
    tokens : list
    matrix : ndarray of shape (len(tokens), n_dimensions), float32
        The given vectors.
    generator : torch.Generator
    """
    known = estimator.vocabulary_
    scale = _scale(matrix)
    if not 1e-15 <= scale <= 1e15:  # squares of gradients fit into float32
        raise ValueError(
            f"embeddings has numbers of order {scale:.0e}: between 1e-15 and 1e+15 was "
            "expected, which float32 can be trained with. Multiply all by one number."
        )
    rows = np.array([row for row, token in enumerate(tokens) if token in known])
    given = np.array([known[tokens[row]] for row in rows], dtype=np.int64)
    if not np.isin(given, ids).any():
        token = next(token for token, i in known.items() if i in ids)
        raise ValueError(
            f"embeddings has no vector for any token of X, such as {token!r}; its own "
            f"first token is {tokens[0]!r}. Check the analyzer and lowercase, and that "
            "tokens are strings, or integers, in both."
        )
    n_ids = vocabulary.n_ids(known, ngram_range_of(estimator))
    vectors = torch.empty(n_ids, matrix.shape[1])
    vectors.normal_(0.0, scale, generator=generator)
    vectors[given] = torch.from_numpy(matrix[rows])
    estimator.embeddings_, estimator._given_ids = vectors.numpy(), given


def _scale(matrix):
    """Of what order the numbers of vectors are."""
    return float(np.sqrt(np.mean(np.square(matrix, dtype=np.float64)))) or 1.0


def learn_series(estimator, sequences, sample_weight, indices):
    """Set ``mean_``, ``scale_`` and the like, and encode with them.

    Returns
    -------
    encoded : Encoded
    """
    values = sequences.values
    row_weight = np.repeat(sample_weight, sequences.lengths)
    if estimator.standardize:
        mean, scale = series.mean_and_scale(values, row_weight)
    else:
        mean, scale = np.zeros(values.shape[1]), np.ones(values.shape[1])
    estimator.mean_, estimator.scale_ = mean, scale
    estimator.patch_length_ = _patch_length(estimator, sequences)
    order, n_features = estimator.differences, values.shape[1]
    estimator.difference_scale_ = np.ones((order, n_features))
    if order > 0:
        filled = _standardised(estimator, sequences, indices)[:, :n_features]
        added = series.differences(filled, sequences.offsets, order)
        _, scale = series.mean_and_scale(added, row_weight)
        estimator.difference_scale_ = scale.reshape(order, n_features)
    return encode_series(estimator, sequences, indices)


def encode_series(estimator, sequences, indices=None):
    """Numbers, standardised, none of them missing, and their differences, in patches.

    Parameters
    ----------
    estimator : estimator instance
    sequences : Sequences
    indices : ndarray, default=None
        Where the sequences stand in X, for errors.

    Returns
    -------
    encoded : Encoded
    """
    values, offsets = _standardised(estimator, sequences, indices), sequences.offsets
    order, n_features = estimator.difference_scale_.shape
    if order > 0:
        added = series.differences(values[:, :n_features], offsets, order)
        scale = estimator.difference_scale_.reshape(-1)
        added = series.standardise(added, np.zeros_like(scale), scale)
        largest = np.finfo(np.float32).max
        values = np.concatenate([values, np.clip(added, -largest, largest)], axis=1)
    return Encoded(*series.patches(values, offsets, estimator.patch_length_))


def _patch_length(estimator, sequences):
    """How many steps of a series are read at once."""
    if estimator.patch_length != "auto":
        return int(min(estimator.patch_length, sequences.lengths.max()))
    return max(1, round(sequences.lengths.mean() / STEPS_AT_MOST))


def _standardised(estimator, sequences, indices):
    """Numbers, standardised; with those that are missing filled, and marked."""
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
    if estimator._reading["missing"] == "mask":
        return series.fill_missing(values, sequences.offsets)
    return values
