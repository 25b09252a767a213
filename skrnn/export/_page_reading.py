"""How a page reads what is typed: as the estimator reads strings and tokens."""

import re
import sys
import unicodedata
from functools import cache, partial
from itertools import chain

import numpy as np

from skrnn._core.vocabulary import n_ids, split_all
from skrnn._reading.places import has_places
from skrnn._reading.text import TOKEN_PATTERN
from skrnn._reading.typed import not_typed, tokens_of
from skrnn._reading.wide import ENDS
from skrnn.export._compression import compress

# What may stand between tokens that are typed; the first that none of them contains.
_SEPARATORS = (" ", ",", ";", "|", "\t", "\x1f")
_N_OF_EXAMPLE = 3  # tokens, or a few more


def check_reading(reader, options):
    """Raise if a page cannot read what an estimator reads.

    Parameters
    ----------
    reader : TokenReader or SeriesReader
    options : ReadingOptions

    Raises
    ------
    ValueError
    """
    what, cure = not_typed(reader, options)
    if what is not None:
        raise ValueError(
            "to_html writes a page that reads strings or tokens as they are typed, but "
            f"{what}. {cure}"
        )


def _tokens_of_wide(reader):
    return [] if reader.wide is None else list(reader.wide.grams["number_of"])


def reading_of(reader, options):
    """Everything that a page needs to read text, for JSON.

    Parameters
    ----------
    reader : TokenReader
    options : ReadingOptions

    Returns
    -------
    reading : dict
    """
    tokens = tokens_of(reader)
    accents = options.strip_accents
    reading = {
        "kind": reader.kind,
        "lowercase": bool(options.lowercase),
        "accents": accents,
        "maxLength": options.max_length,
        "overlong": options.overlong,
        "classes": classes_for(reader, accents),
        "separator": None,
        "areIntegers": reader.kind == "tokens" and not isinstance(tokens[0], str),
        "grams": _grams(reader),
        "subwords": None,
        "wide": None if reader.wide is None else _wide(reader.wide, reader.kind),
    }
    if reader.kind == "tokens":
        labels = "".join(map(str, tokens + _tokens_of_wide(reader)))
        reading["separator"] = next(s for s in _SEPARATORS if _separates(s, labels))
    if reader.subwords is not None:
        reading["subwords"] = {
            "names": list(reader.subwords),
            "ids": compress(np.array(list(reader.subwords.values()))),
            "lengths": list(reader.parts.lengths),
        }
    return reading


def _separates(separator, labels):
    if separator == " ":
        return not any(map(str.isspace, labels))
    return separator not in labels or separator == _SEPARATORS[-1]


def _grams(reader):
    """The n-grams of the vocabulary, or its tokens, and their ids."""
    grams, ids = list(reader.vocabulary), list(reader.vocabulary.values())
    if reader.grams is None:
        tokens, lengths = grams, [1] * len(grams)
        numbers = list(range(len(grams)))
    else:
        parts, lengths = split_all(grams, reader.kind)
        number_of = reader.grams["number_of"]
        tokens, numbers = list(number_of), [number_of[token] for token in parts]
    return {
        "tokens": list(map(str, tokens)),
        "range": list(map(int, reader.ngram_range)),
        "absent": absent_id(reader),
        "numbers": compress(np.array(numbers, int)),
        "lengths": compress(np.array(lengths, int)),
        "ids": compress(np.array(ids, int)),
    }


def absent_id(reader):
    """The id of n-grams and subwords that are absent, where any can be."""
    return n_ids(reader.vocabulary, reader.ngram_range, reader.subwords) - 1


def _wide(wide, kind):
    """The n-grams of the wide path, their columns and idf.

    A token at a place has another number than the token, and yet another one in pairs
    that are no neighbours; see :mod:`skrnn._reading.places`.
    """
    number_of = wide.grams["number_of"]
    n_tokens, n_places = len(number_of), int(wide.grams.get("n_places", 0))
    numbers, lengths, has_pairs = [], [], False
    for gram in wide.vocabulary:
        if has_places(gram):
            is_apart = gram[-1][0] - gram[0][0] >= len(gram)
            has_pairs |= is_apart
            block = 1 + n_places * is_apart
            numbers_of_gram = [
                (block + place) * n_tokens + number_of[t] for place, t in gram
            ]
        else:
            numbers_of_gram = [number_of[token] for token in split_all([gram], kind)[0]]
        numbers.append(numbers_of_gram)
        lengths.append(len(numbers_of_gram))
    return {
        "tokens": list(map(str, number_of)),
        "hasEnds": "has_ends" in wide.grams,
        "places": n_places,
        "hasPairs": has_pairs,
        "numbers": compress(np.array(list(chain.from_iterable(numbers)), int)),
        "lengths": compress(np.array(lengths, int)),
        "columns": compress(np.array(list(wide.vocabulary.values()), int)),
        "idf": compress(wide.idf),
    }


def classes_for(reader, accents):
    """The classes of characters that a page has to tell apart, as Python does."""
    names = []
    if accents == "unicode":
        names.append("combining")
    if reader.kind == "words":
        names += ["word", "space"]
    if reader.subwords is not None:
        names += ["letter", "upper", "digit"]
    return {name: _ranges(name) for name in names}


_IS_IN = {
    "combining": unicodedata.combining,
    "word": lambda c: c == "_" or c.isalnum(),
    "space": str.isspace,
    "letter": str.isalpha,
    "upper": str.isupper,
    "digit": str.isdigit,
}


@cache
def _ranges(name):
    r"""A class of characters, as it is written between brackets in JavaScript."""
    is_in = map(_IS_IN[name], map(chr, range(sys.maxunicode + 1)))
    inside = np.fromiter(map(bool, is_in), bool, sys.maxunicode + 1)
    bounds = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    escaped = partial("\\u{{{:x}}}".format)
    return "".join(
        f"{escaped(first)}-{escaped(end - 1)}"
        for first, end in bounds.reshape(-1, 2).tolist()
    )


def shortest_grams(reader):
    """The shortest n-grams of the vocabulary, single tokens by default.

    Returns
    -------
    labels : list of str
    ids : ndarray of int
    """
    grams, ids = _split_grams(reader)
    shortest = min(map(len, grams))
    some = [
        (gram, i) for gram, i in zip(grams, ids, strict=True) if len(gram) == shortest
    ]
    between = "" if reader.kind == "text" else " "
    labels = [between.join(map(str, gram)) for gram, _ in some]
    return labels, np.array([i for _, i in some])


def _split_grams(reader):
    """The n-grams of the vocabulary as lists of tokens, and their ids."""
    ids = list(reader.vocabulary.values())
    if reader.grams is None:
        return [[token] for token in reader.vocabulary], ids
    return [split_all([gram], reader.kind)[0] for gram in reader.vocabulary], ids


def example_of(model, separator, max_length):
    """A short sequence that the estimator knows, of tokens with large weights.

    Parameters
    ----------
    model : Model
    separator : str or None
        What stands between tokens that are typed.
    max_length : int or None

    Returns
    -------
    typed : str
        As it is typed.
    x : str or list
        As the estimator reads it.
    """
    reader = model.reader
    grams, ids = _split_grams(reader)
    vectors = model.arrays["U_"][0].T if reader.vectors is None else reader.vectors
    norms = np.linalg.norm(vectors[ids], axis=1)
    if reader.kind == "text" and reader.wide is not None:
        known = reader.wide.vocabulary
        grams = [list(gram) for gram in known if not has_places(gram)]
        norms = np.linalg.norm(model.wide_coef, axis=0)
        norms = norms[[known["".join(gram)] for gram in grams]]
    order = sorted(range(len(grams)), key=lambda i: (-len(grams[i]), -norms[i]))
    tokens = []
    for i in order:
        if len(tokens) < _N_OF_EXAMPLE:
            tokens += [token for token in grams[i] if token not in (*ENDS, "")]
    if reader.kind == "text":
        typed = "".join(tokens)[:max_length]
    elif reader.kind == "words":
        words = re.findall(TOKEN_PATTERN, " ".join(tokens))
        typed = " ".join(words[:max_length])
    else:
        tokens = tokens[:max_length]
        return separator.join(map(str, tokens)), tokens
    return typed, typed
