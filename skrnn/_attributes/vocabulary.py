"""What the vocabulary of a fit must be, and what depends on it."""

from numbers import Integral

import numpy as np

from skrnn._core.vocabulary import longest_gram, make_gram_table, n_ids
from skrnn._expected import FLAG, Entries, Is, Numbers, is_count
from skrnn._reading.counts import AUTO_RANGES
from skrnn._reading.tokens import range_of_known


def of_vocabulary(attributes):
    """Tokens or n-grams, numbered from 1."""
    kind = attributes["kind_"]
    what = "strings and integers" if kind == "tokens" else "strings"
    expected = Is(
        lambda known: is_vocabulary(known, kind), f"a dict of {what}, numbered from 1"
    )
    return {"vocabulary_": expected}


def is_vocabulary(known, kind):
    return are_numbered(known, first=1) and are_grams(known, kind)


def are_numbered(known, first):
    if type(known) is not dict or not known:
        return False
    ids = list(known.values())
    expected = list(range(first, first + len(ids)))
    return _are_all(ids, Integral) and sorted(ids) == expected


def are_grams(known, kind):
    if kind == "tokens":
        return all(map(_is_token_or_gram, known))
    return _are_all(known, str) and not (kind == "text" and "" in known)


def _are_all(items, classes):
    return all(issubclass(each, classes) for each in set(map(type, items)))


def _is_token_or_gram(token):
    if isinstance(token, tuple):
        return len(token) > 1 and _are_all(token, (str, Integral))
    return isinstance(token, (str, Integral))


def of_grams_and_vectors(attributes):
    """N-grams and pretrained vectors, given a vocabulary."""
    kind, known = attributes["kind_"], attributes["vocabulary_"]
    given = attributes["_reading"]["ngram_range"]
    expected, ngram_range = {}, (1, 1)
    if isinstance(given, str):  # "auto" is either: the number of columns of U will tell
        given = AUTO_RANGES[kind] if "_grams" in attributes else (1, 1)
    if tuple(given) != (1, 1):
        ngram_range = range_of_known(given, longest_gram(known, kind))
        expected["_grams"] = Is(
            lambda table: _is_gram_table(table, known, kind, ngram_range),
            "the n-grams of vocabulary_, as `fit` numbers them",
        )
    if "embeddings_" in attributes or "_given_ids" in attributes:
        shape = n_ids(known, ngram_range), None
        expected["embeddings_"] = Numbers(shape, np.dtype("f4"))
        expected["_given_ids"] = Numbers((None,), np.dtype("i8"), 1, len(known))
    elif "subwords_" in attributes:
        expected["subwords_"] = Is(
            lambda subwords: _are_subwords(subwords, 1 + len(known)),
            f"a dict of strings, numbered from {1 + len(known)}",
        )
        expected["_subword_parts"] = _PARTS
    return expected


_PARTS = Entries(
    {
        "lengths": Is(
            lambda lengths: type(lengths) is tuple and all(map(is_count, lengths)),
            "a tuple of lengths",
        ),
        "has_pattern": FLAG,
    },
    is_optional=True,
)


def _are_subwords(subwords, first_id):
    if type(subwords) is not dict or not _are_all(subwords, str):
        return False
    ids = list(subwords.values())
    numbers = list(range(first_id, first_id + len(ids)))
    return _are_all(ids, Integral) and sorted(ids) == numbers


def _is_gram_table(table, known, kind, ngram_range):
    # Its size limits the time of making one to compare it with.
    keys = {"ngram_range", "number_of", "n_tokens", "pairs", "ids"}
    if type(table) is not dict or table.keys() != keys:
        return False
    longest, parts = longest_gram(known, kind), (table["pairs"], table["ids"])
    if not all(type(part) is list and len(part) == longest for part in parts):
        return False
    expected = make_gram_table(known, kind)
    return (
        longest >= ngram_range[0]
        and is_same(table["ngram_range"], ngram_range)
        and is_same(table["n_tokens"], expected["n_tokens"])
        and is_same(table["number_of"], expected["number_of"])
        and all(map(_are_same_ids, table["pairs"], expected["pairs"]))
        and all(map(_are_same_ids, table["ids"], expected["ids"]))
    )


def is_same(value, expected):
    return type(value) is type(expected) and value == expected


def is_same_array(array, expected):
    return _are_same_ids(array, expected) and array.dtype == expected.dtype


def _are_same_ids(array, expected):
    is_array = isinstance(array, np.ndarray) and array.dtype.kind in "iu"
    return is_array and np.array_equal(array, expected)


def are_single(known, kind):
    """Whether no token is an n-gram, which is read but not written."""
    if kind == "text":
        return all(len(token) == 1 for token in known)
    return not any(isinstance(token, tuple) for token in known)
