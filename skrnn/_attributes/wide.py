"""What the attributes of the wide path must be."""

from numbers import Integral

import numpy as np

from skrnn._attributes.sizes import n_outputs_of
from skrnn._attributes.vocabulary import are_grams, are_numbered, is_same, is_same_array
from skrnn._core.vocabulary import longest_gram
from skrnn._expected import Is, Numbers, is_count
from skrnn._reading.places import MAX_PLACES, has_places
from skrnn._reading.wide import make_table
from skrnn._reading.wide_series import LEAST_SCALE


def of_wide_vocabulary(attributes):
    """The n-grams of the wide path, numbered from 0."""
    kind = attributes["kind_"]
    expected = Is(
        lambda known: _is_wide_vocabulary(known, kind),
        "a dict of n-grams, numbered from 0",
    )
    return {"wide_vocabulary_": expected}


def _is_wide_vocabulary(known, kind):
    if not are_numbered(known, first=0):
        return False
    placed = list(filter(has_places, known))
    return are_grams([gram for gram in known if not has_places(gram)], kind) and all(
        _is_step(step, kind) for gram in placed for step in gram
    )


def _is_step(step, kind):
    """Whether this is a pair of a place and a token."""
    if type(step) is not tuple or len(step) != 2 or not is_count(step[0], least=0):
        return False
    token = step[1]
    if kind == "tokens":
        return isinstance(token, (str, Integral))
    return isinstance(token, str) and (kind == "words" or len(token) == 1)


def of_wide_grams(attributes):
    """The wide path, given its n-grams."""
    kind, known = attributes["kind_"], attributes["wide_vocabulary_"]
    n_grams, ids = len(known), {gram: i + 1 for gram, i in known.items()}
    placed = list(filter(has_places, known))
    plain = [gram for gram in known if not has_places(gram)]
    longest = max([*map(len, placed), longest_gram(plain, kind) if plain else 0])
    last_place = max((place for gram in placed for place, _ in gram), default=-1)

    def holds(table):
        given = table.get("ngram_range") if type(table) is dict else None
        if type(given) is not tuple or len(given) != 2:
            return False
        is_range = all(map(is_count, given)) and given[0] <= longest <= given[1]
        n_places = table.get("n_places", 0)
        has_room = is_count(n_places, last_place + 1) and n_places <= MAX_PLACES
        if not (is_range and has_room):
            return False
        expected = make_table(ids, kind, n_places)
        if "has_ends" in table:
            expected["has_ends"] = kind == "text"
        if table.keys() != {"ngram_range", *expected}:
            return False
        return all(
            is_same_array(table[name], value)
            if isinstance(value, np.ndarray)
            else is_same(table[name], value)
            for name, value in expected.items()
        )

    return {
        "wide_coef_": Numbers((n_outputs_of(attributes), n_grams)),
        # No logarithm of a number of sequences is larger.
        "wide_idf_": Numbers((n_grams,), np.dtype("f8"), 1, 100),
        "_wide_grams": Is(holds, "the n-grams of wide_vocabulary_, as `fit` has them"),
    }


OF_WIDE_SERIES = {
    "wide_biases_": Numbers((None,), np.dtype("f4")),
    "wide_dilations_": Numbers((None,), np.dtype("i8"), 1),
}


def of_wide_series(attributes):
    """The wide path of series, given the number of its features and dilations."""
    n_features, n_dilations = map(len, map(attributes.get, OF_WIDE_SERIES))
    n_inputs = len(attributes["mean_"])
    n_sums = 84 if n_inputs > 1 else 1
    return {
        "wide_coef_": Numbers((n_outputs_of(attributes), n_features)),
        "wide_inputs_": Numbers((n_dilations, n_sums, n_inputs), np.dtype("?")),
        "wide_mean_": Numbers((n_features,), np.dtype("f8"), 0, 1),
        "wide_scale_": Numbers((n_features,), np.dtype("f8"), LEAST_SCALE, 1),
    }
