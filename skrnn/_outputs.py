"""Sequences that are predicted: read from y, and written as y had them."""

from copy import deepcopy
from itertools import islice

import numpy as np
from sklearn.utils.validation import check_array

from skrnn._messages import counted
from skrnn._reading.containers import open_container
from skrnn._reading.kinds import KIND_NAMES
from skrnn._warnings import about_sequences_in_y, warn


def learn_outputs(before, y, n_samples):
    """Read the y of `fit`, which holds strings or token lists, or perhaps numbers.

    Parameters
    ----------
    before : Schema
        It has learned nothing yet. If its `is_target` is True, y may hold numbers.
    y : list, tuple, array or Series of n_samples sequences
    n_samples : int
        Number of samples in X.

    Returns
    -------
    schema : Schema
        What any other y must be like.
    sequences : Sequences
        Some may be empty.

    Raises
    ------
    TypeError, ValueError
        If y is missing, holds anything else, or is not as long as X.
    """
    check_not_missing(y, before.estimator_name)
    with about_sequences_in_y():
        # Characters, rather than words, unless the user says otherwise.
        opened = _opened(before, y)
        schema, sequences = before.learn(opened, _read_table, has_y=False)
    if sequences.kind == "series" and not before.is_target:
        raise TypeError(
            "y holds numbers that are no tokens: strings or lists of tokens (strings "
            "or integers) were expected. Convert whole numbers that are tokens to "
            "integers. To predict numbers, use RNNRegressor, or RNNDecoder with "
            "vectors of an RNNEncoder for series."
        )
    if sequences.kind == "features":
        raise TypeError(
            "y holds sequences of features, which cannot be predicted step by step: "
            "strings or lists of tokens (strings or integers) were expected. Use one "
            "token for each step."
        )
    _check_length(sequences, n_samples)
    return schema, sequences


def read_outputs(schema, y, n_samples):
    """Read a y after `fit`, as in :func:`learn_outputs`.

    Returns
    -------
    sequences : Sequences
    """
    check_not_missing(y, schema.estimator_name)
    with about_sequences_in_y():
        sequences = schema.read(_opened(schema, y), _read_table)
    _check_length(sequences, n_samples)
    return sequences


def check_not_missing(y, name):
    """Raise if there is no y."""
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )


def check_same_kind(now, before):
    """Raise if y was strings, but is now token lists, or vice versa."""
    if now != before:
        raise TypeError(
            f"warm_start=True continues from the last fit, in which y held "
            f"{KIND_NAMES[before]}, but now it holds {KIND_NAMES[now]}. Pass the same "
            "kind, or use warm_start=False."
        )


def _opened(schema, y):
    """The sequences in y, where a row of a table is no series if none can be had."""
    return y if schema.is_target else open_container(y, "text")[0]


def _read_table(y, skip_check_array=False, **options):
    """A table of numbers, each row of which is a series, as scikit-learn reads it."""
    return y if skip_check_array else check_array(y, **options)


def _check_length(sequences, n_samples):
    if len(sequences) != n_samples:
        raise ValueError(
            f"y is of length {len(sequences)}, but X is of length {n_samples}: a "
            "sequence for each sample was expected. Drop those of which y or X is "
            "missing."
        )


def tokens_of(reader, n_outputs):
    """The tokens that are predicted by so many outputs, as a dict of id -> token."""
    return {i: token for token, i in reader.vocabulary.items() if i < n_outputs}


def joined(kind, tokens):
    """Tokens as one sequence of the kind that was read; words are joined by spaces."""
    if kind == "text":
        return "".join(tokens)
    return " ".join(tokens) if kind == "words" else tokens


def written(reader, found):
    """The sequences that a search has found, of the kind that y had.

    Parameters
    ----------
    reader : TokenReader
    found : Hypotheses

    Returns
    -------
    sequences : list of lists of sequences
        For each sample, the best ones.
    """
    is_token = np.arange(found.tokens.shape[2]) < found.lengths[:, :, np.newaxis]
    token_of = tokens_of(reader, reader.n_ids)
    tokens = (token_of[i] for i in found.tokens[is_token].tolist())
    all_of_them = zip(found.lengths.tolist(), found.log_p.tolist(), strict=True)
    return [
        [
            joined(reader.kind, list(islice(tokens, n)))
            for n, log_p in zip(*of_sample, strict=True)
            if log_p > -np.inf
        ]
        for of_sample in all_of_them
    ]


def with_log_p(answers, log_p):
    """Pair the best answers for each sample with the logarithms of their probabilities.

    Parameters
    ----------
    answers : list of lists
    log_p : sequence of ndarrays
        At least as many for each sample.

    Returns
    -------
    pairs : list of list of tuple (answer, log_p)
    """
    return [
        list(zip(best, each[: len(best)].tolist(), strict=True))
        for best, each in zip(answers, log_p, strict=True)
    ]


def each_its_own(results, places):
    """The result of each sample, which no other shares.

    Parameters
    ----------
    results : list
        Those of distinct samples.
    places : ndarray of shape (n_samples,)
        Which of them is that of each sample.

    Returns
    -------
    results : list of length n_samples
    """
    places = places.tolist()
    firsts = dict(zip(reversed(places), reversed(range(len(places))), strict=True))
    return [
        results[i] if firsts[i] == place else deepcopy(results[i])
        for place, i in enumerate(places)
    ]


def warn_of_cut(found, max_length, cure):
    """Warn once of sequences that did not end."""
    warn_of_no_end(found.is_cut[:, 0], max_length, cure)


def warn_of_no_end(is_cut, max_length, cure, what="token"):
    """Warn once of sequences that did not end, given which of them are such."""
    n_cut, n = int(is_cut.sum()), len(is_cut)
    if n_cut:
        warn(
            f"{n_cut} of {counted(n, 'predicted sequence')} had no end after "
            f"{counted(max_length, what)}, and {'was' if n_cut == 1 else 'were'} "
            f"cut. {cure}",
            UserWarning,
        )


def warn_of_unknown(sequences, is_unknown, vocabulary):
    """Warn of tokens that no prediction has, given which of all in y are such."""
    n_unknown, n = int(is_unknown.sum()), len(is_unknown)
    if n_unknown:
        token = sequences.token_at(int(is_unknown.argmax()))
        warn(
            f"{n_unknown} of {counted(n, 'token')} of y are not in {vocabulary}, such "
            f"as {token!r}: sequences with one are impossible.",
            UserWarning,
        )
