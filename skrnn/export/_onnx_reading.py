"""How strings and tokens are read, as plain JSON, for tokenisers without skrnn."""

from skrnn._core.subwords import LONGEST_PATTERN
from skrnn._core.vocabulary import split_all
from skrnn._reading.places import has_places
from skrnn._reading.typed import only_in_python
from skrnn.export._page_reading import absent_id, classes_for


def check_reading(reader, options):
    """Raise if what an estimator reads cannot be said in JSON.

    Parameters
    ----------
    reader : TokenReader or SeriesReader
    options : ReadingOptions

    Raises
    ------
    ValueError
    """
    what, cure = only_in_python(reader.kind, options)
    if what is not None:
        raise ValueError(
            f"to_onnx writes down how strings and tokens are read, but {what}. {cure}"
        )


def reading_of(reader, options):
    """How X is read before it is given to a graph, for JSON.

    Parameters
    ----------
    reader : TokenReader or SeriesReader
    options : ReadingOptions

    Returns
    -------
    reading : dict
        ``kind``, ``max_length`` and ``overlong``. Of tokens also ``lowercase``,
        ``strip_accents`` and ``classes`` of characters; ``ngram_range``, the n-grams,
        their ``ids`` and that of ``absent`` ones; ``n_at_a_step``, the number of ids;
        ``subwords`` and ``wide``, which are None if they are not read. An n-gram of
        characters is a string, any other a list of tokens. One with places is a list of
        pairs (place, token).
    """
    length = {"max_length": options.max_length, "overlong": options.overlong}
    if reader.kind == "series":
        return {"kind": "series", **length, "n_features": len(reader.mean)}
    reading = {
        "kind": reader.kind,
        **length,
        "lowercase": bool(options.lowercase),
        "strip_accents": options.strip_accents,
        "classes": classes_for(reader, options.strip_accents),
        "ngram_range": list(map(int, reader.ngram_range)),
        "grams": _grams(reader.vocabulary, reader.kind, reader.grams is not None),
        "ids": list(map(int, reader.vocabulary.values())),
        "absent": absent_id(reader),
        "n_at_a_step": n_ids_at_a_step(reader),
        "subwords": None,
        "wide": None,
    }
    if reader.subwords is not None:
        reading["subwords"] = {
            "names": list(reader.subwords),
            "ids": list(map(int, reader.subwords.values())),
            "lengths": list(reader.parts.lengths),
            "longest_pattern": LONGEST_PATTERN if reader.parts.has_pattern else 0,
        }
    if reader.wide is not None:
        table = reader.wide.grams
        reading["wide"] = {
            "longest": int(table["ngram_range"][1]),
            "has_ends": "has_ends" in table,
            "n_places": int(table.get("n_places", 0)),
            "grams": _grams(reader.wide.vocabulary, reader.kind),
            "columns": list(map(int, reader.wide.vocabulary.values())),
        }
    return reading


def n_ids_at_a_step(reader):
    """The number of ids that are read at each step, None if it varies."""
    if reader.kind == "features":
        return None
    least, most = reader.ngram_range
    n_subwords = 0 if reader.subwords is None else reader.parts.n_subwords
    return most - least + 1 + n_subwords


def _grams(grams, kind, are_split=True):
    """N-grams by their tokens; single tokens if they are not to be split."""
    if kind != "text" and not are_split:
        return [[token] for token in grams]
    return [_tokens_of(gram, kind) for gram in grams]


def _tokens_of(gram, kind):
    if kind == "text" and not has_places(gram):
        return gram
    return list(gram) if has_places(gram) else split_all([gram], kind)[0]
