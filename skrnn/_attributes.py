"""What the attributes of a fit must be: the type, shape and range of each.

A file that is loaded may have been damaged, or made to do harm. Whatever loads a fit
passes it to :func:`check_attributes`, so that all later code can rely on what is said
here. What could be derived from the vocabulary or the architecture is compared with it.

A function whose name begins with ``_of_`` says what is expected of some attributes, in
the terms of :mod:`skrnn._expected`. It may rely on the attributes from which it derives
this, since they were checked before.
"""

from dataclasses import fields, replace
from numbers import Integral
from typing import get_args

import numpy as np
from sklearn.utils._param_validation import validate_parameter_constraints

from skrnn._continuing import is_generator_state
from skrnn._core.architecture import CONDITIONS, Architecture, AttentionName
from skrnn._core.cells import ActivationName, CellName, RecurrenceName
from skrnn._core.density import n_scores
from skrnn._core.layout import Layout
from skrnn._core.pooling import PoolingName
from skrnn._core.public import shapes_of
from skrnn._core.rules import RULES
from skrnn._core.vocabulary import longest_gram, make_gram_table, n_ids
from skrnn._expected import (
    FLAG,
    MISSING,
    NOTHING,
    NUMBER,
    Entries,
    Is,
    Items,
    Numbers,
    integer,
    is_count,
    is_number,
    one_of,
)
from skrnn._messages import is_missing
from skrnn._parameters import check_kernel_sizes, check_ngram_range
from skrnn._reading.counts import AUTO_RANGES
from skrnn._reading.kinds import KIND_NAMES
from skrnn._reading.options import KEPT
from skrnn._reading.places import MAX_PLACES, has_places
from skrnn._reading.schema import KIND_OF_ANALYZER, are_targets
from skrnn._reading.text import compiled_pattern
from skrnn._reading.tokens import range_of_known
from skrnn._reading.wide import make_table
from skrnn._reading.wide_series import LEAST_SCALE

# What needs the state after each step of a sequence, or may need it.
_PER_STEP = "next_step", "tagging", "transduction"
CHANGED = "It was changed after the fit, or in its file. Fit again, or save it again."


def check_attributes(attributes, tasks_of_y, says_of_y, constraints, name):
    """Raise unless the attributes of a fit are what a fit makes them.

    Parameters
    ----------
    attributes : dict
        All attributes that a fit has set, but ``encoder_``.
    tasks_of_y : tuple of str
        What the class of the estimator may predict.
    says_of_y : str
        The attribute in which the class keeps more of y than its head does.
    constraints : dict
        The constraints of the parameters, for those that a fit keeps.
    name : str
        The class of the estimator, for messages.

    Raises
    ------
    ValueError
        If anything is missing, superfluous or not as expected.
    """
    known = set()

    def check(expected):
        for key, each in expected.items():
            for where, what, words in each.faults(attributes.get(key, MISSING), key):
                raise ValueError(
                    f"{where} of this {name} is {what} instead of {words}. {CHANGED}"
                )
        known.update(expected)

    # In this order: each may rely on what comes before it.
    check(_OF_X)
    _check_reading(attributes, constraints, name)
    check(_OF_NETWORK)
    check({"_architecture": Is(_is_architecture, "a network that fit can make")})
    check(_of_kind_of_y(tasks_of_y, says_of_y))
    if attributes["kind_"] != "series" or _task(attributes) in _PER_STEP:
        check({"_architecture": Is(_is_without_filters, "a network without filters")})
    if attributes["kind_"] == "series" and are_targets(attributes):
        check(_of_targets(attributes))
    elif attributes["kind_"] == "series":
        check(_OF_SERIES)
        check(_of_scales(attributes))
    else:
        check(_of_vocabulary(attributes))
        check(_of_grams_and_vectors(attributes))
    check({"_architecture": _of_decoder(attributes)})
    check(_of_y(attributes))
    check(_of_context(attributes, says_of_y))
    check(_of_weights(attributes))
    if "wide_coef_" in attributes and says_of_y != "task_":  # not of encoders
        if attributes["kind_"] == "series":
            check(_OF_WIDE_SERIES)
            check(_of_wide_series(attributes))
        else:
            check(_of_wide_vocabulary(attributes))
            check(_of_wide_grams(attributes))
    check(_OF_PROGRESS)
    check(_of_curves(attributes))
    check(_of_training(attributes))
    for key in attributes.keys() - known:
        raise ValueError(f"{key} of this {name} should be missing. {CHANGED}")


_OF_X = {
    "kind_": one_of(KIND_NAMES),
    "_reading": Entries(
        {
            **dict.fromkeys(KEPT, Is(lambda value: True, "a value")),
            # Estimators that an earlier version has saved are without these.
            "kernel_sizes": Is(lambda value: True, "a value", is_optional=True),
            "subwords": Is(lambda value: True, "a value", is_optional=True),
            "shortest": integer(0),
            "columns": Is(
                lambda value: value is None or type(value) is list, "None or a list"
            ),
        }
    ),
}


def _check_reading(attributes, constraints, name):
    """Check the parameters that a fit keeps, as `fit` does."""
    reading, kind = attributes["_reading"], attributes["kind_"]
    kept = {key: reading[key] for key in KEPT if key in reading}
    some = {key: constraints[key] for key in kept if key in constraints}
    validate_parameter_constraints(some, kept, caller_name=f"this {name}'s _reading")
    check_ngram_range(kept["ngram_range"])
    check_kernel_sizes(kept.get("kernel_sizes"))
    if kind == "words":
        compiled_pattern(kept["token_pattern"])
    analyzer = kept["analyzer"]
    named = KIND_OF_ANALYZER.get(analyzer) if isinstance(analyzer, str) else None
    if named not in (None, kind):
        raise ValueError(
            f"kind_ of this {name} is {kind!r} instead of {named!r}, though analyzer "
            f"was {analyzer!r}. {CHANGED}"
        )


def _of_vocabulary(attributes):
    """Tokens or n-grams, numbered from 1."""
    kind = attributes["kind_"]
    what = "strings and integers" if kind == "tokens" else "strings"
    expected = Is(
        lambda known: _is_vocabulary(known, kind), f"a dict of {what}, numbered from 1"
    )
    return {"vocabulary_": expected}


def _is_vocabulary(known, kind):
    return _are_numbered(known, first=1) and _are_grams(known, kind)


def _are_numbered(known, first):
    if type(known) is not dict or not known:
        return False
    ids = list(known.values())
    expected = list(range(first, first + len(ids)))
    return _are_all(ids, Integral) and sorted(ids) == expected


def _are_grams(known, kind):
    if kind == "tokens":
        return all(map(_is_token_or_gram, known))
    return _are_all(known, str) and not (kind == "text" and "" in known)


def _are_all(items, classes):
    return all(issubclass(each, classes) for each in set(map(type, items)))


def _is_token_or_gram(token):
    if isinstance(token, tuple):
        return len(token) > 1 and _are_all(token, (str, Integral))
    return isinstance(token, (str, Integral))


def _of_grams_and_vectors(attributes):
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


def _of_wide_vocabulary(attributes):
    """The n-grams of the wide path, numbered from 0."""
    kind = attributes["kind_"]
    expected = Is(
        lambda known: _is_wide_vocabulary(known, kind),
        "a dict of n-grams, numbered from 0",
    )
    return {"wide_vocabulary_": expected}


def _is_wide_vocabulary(known, kind):
    if not _are_numbered(known, first=0):
        return False
    placed = list(filter(has_places, known))
    return _are_grams([gram for gram in known if not has_places(gram)], kind) and all(
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


def _of_wide_grams(attributes):
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
            _is_same_array(table[name], value)
            if isinstance(value, np.ndarray)
            else _is_same(table[name], value)
            for name, value in expected.items()
        )

    return {
        "wide_coef_": Numbers((_n_outputs(attributes), n_grams)),
        # No logarithm of a number of sequences is larger.
        "wide_idf_": Numbers((n_grams,), np.dtype("f8"), 1, 100),
        "_wide_grams": Is(holds, "the n-grams of wide_vocabulary_, as `fit` has them"),
    }


_OF_WIDE_SERIES = {
    "wide_biases_": Numbers((None,), np.dtype("f4")),
    "wide_dilations_": Numbers((None,), np.dtype("i8"), 1),
}


def _of_wide_series(attributes):
    """The wide path of series, given the number of its features and dilations."""
    n_features, n_dilations = map(len, map(attributes.get, _OF_WIDE_SERIES))
    n_inputs = len(attributes["mean_"])
    n_sums = 84 if n_inputs > 1 else 1
    return {
        "wide_coef_": Numbers((_n_outputs(attributes), n_features)),
        "wide_inputs_": Numbers((n_dilations, n_sums, n_inputs), np.dtype("?")),
        "wide_mean_": Numbers((n_features,), np.dtype("f8"), 0, 1),
        "wide_scale_": Numbers((n_features,), np.dtype("f8"), LEAST_SCALE, 1),
    }


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
        and _is_same(table["ngram_range"], ngram_range)
        and _is_same(table["n_tokens"], expected["n_tokens"])
        and _is_same(table["number_of"], expected["number_of"])
        and all(map(_are_same_ids, table["pairs"], expected["pairs"]))
        and all(map(_are_same_ids, table["ids"], expected["ids"]))
    )


def _is_same(value, expected):
    return type(value) is type(expected) and value == expected


def _is_same_array(array, expected):
    return _are_same_ids(array, expected) and array.dtype == expected.dtype


def _are_same_ids(array, expected):
    is_array = isinstance(array, np.ndarray) and array.dtype.kind in "iu"
    return is_array and np.array_equal(array, expected)


_OF_SERIES = {"mean_": Numbers((None,), np.dtype("f8")), "patch_length_": integer(1)}


def _of_scales(attributes):
    """Scales, given the means."""
    n_features, reading = len(attributes["mean_"]), attributes["_reading"]
    architecture = attributes["_architecture"]
    is_table = "n_features_in_" in attributes
    tiny = np.finfo(np.float64).smallest_subnormal
    own = 2 if np.size(attributes.get("own_mean_", ())) else 0, n_features
    expected = {
        "scale_": Numbers((n_features,), np.dtype("f8"), tiny),
        "own_mean_": Numbers(own, np.dtype("f8"), is_optional=True),
        "own_scale_": Numbers(own, np.dtype("f8"), tiny, is_optional=True),
        "difference_scale_": Numbers(
            (reading["differences"], n_features), np.dtype("f8"), tiny
        ),
    }
    if reading["patch_length"] != "auto":
        expected["patch_length_"] = integer(1, reading["patch_length"])
    if architecture.get("kernel_sizes"):
        stride = architecture["stride"]
        expected["patch_length_"] = integer(stride, stride)
    if reading["columns"] is not None:
        expected["_reading"] = Is(
            lambda reading: len(reading["columns"]) == n_features,
            f"a dict with {n_features} columns",
        )
    if is_table or "feature_names_in_" in attributes:
        n_steps = reading["shortest"]
        expected["n_features_in_"] = integer(n_steps, n_steps)
        expected["mean_"] = Numbers((1,), np.dtype("f8"))
        expected["feature_names_in_"] = Is(
            lambda names: _are_names(names, n_steps),
            f"an array of {n_steps} strings",
            is_optional=True,
        )
    return expected


def _of_targets(attributes):
    """Means and scales of series that are predicted."""
    n, columns = None, attributes["_reading"]["columns"]
    n = n if columns is None else len(columns)
    if isinstance(attributes.get("target_mean_"), np.ndarray):
        n = n or attributes["target_mean_"].size or None
    tiny = np.finfo(np.float64).smallest_subnormal
    return {
        "target_mean_": Numbers((n,), np.dtype("f8")),
        "target_scale_": Numbers((n,), np.dtype("f8"), tiny),
        "_is_one_output": Is(
            lambda value: type(value) is bool and (n == 1 or not value),
            "True or False" if n == 1 else "False",
        ),
    }


def _are_names(names, n):
    is_array = isinstance(names, np.ndarray) and names.shape == (n,)
    return is_array and all(isinstance(each, str) for each in names.tolist())


def _are_sizes(value):
    return type(value) is tuple and len(value) > 0 and all(map(is_count, value))


def _are_kernel_sizes(value):
    return type(value) is tuple and all(map(_are_sizes, value))


_OF_NETWORK = {
    "_architecture": Entries(
        {
            "nhidden": Is(_are_sizes, "a tuple of integers from 1"),
            "cell": one_of(get_args(CellName)),
            "activation": one_of(get_args(ActivationName)),
            "recurrence": one_of(get_args(RecurrenceName)),
            "bidirectional": FLAG,
            "pooling": one_of(get_args(PoolingName)),
            "kernel_sizes": Is(
                _are_kernel_sizes, "a tuple of tuples of integers", is_optional=True
            ),
            "n_filters": replace(integer(0), is_optional=True),
            "stride": replace(integer(1), is_optional=True),
            "decoder": Is(
                lambda value: value == () or _are_sizes(value),
                "a tuple of integers from 1",
                is_optional=True,
            ),
            "attention": Is(
                lambda value: value is None or value in get_args(AttentionName),
                "the name of an attention or None",
                is_optional=True,
            ),
            "n_frames": replace(integer(0), is_optional=True),
            "condition": replace(one_of(CONDITIONS), is_optional=True),
        }
    )
}


def _is_architecture(values):
    if values.get("attention") is not None and not values.get("decoder"):
        return False
    plain = {field.name: field.default for field in fields(Architecture)}
    names = ("activation", "recurrence")
    if values["cell"] != "rnn" and any(values[each] != plain[each] for each in names):
        return False
    sizes, n = values.get("kernel_sizes", ()), values.get("n_filters", 0)
    if not sizes:
        return n == 0 and values.get("stride", 1) == 1
    return n >= max(map(len, sizes))


def _is_without_filters(values):
    """Kernels do not check it: they would read numbers that are none, or too few."""
    return not values.get("kernel_sizes")


def _of_decoder(attributes):
    """A network has a decoder, or frames, if it writes sequences."""
    writes = _task(attributes) == "transduction"
    return Is(
        lambda values: (
            bool(values.get("decoder")) + bool(values.get("n_frames")) == writes
        ),
        f"a network with {'either' if writes else 'neither'} a decoder "
        f"{'or' if writes else 'nor'} frames",
    )


def _of_context(attributes, says_of_y):
    """The vectors on which sequences depend, if the estimator has any."""
    how = attributes["_architecture"].get("condition", "none")
    if (how != "none") != (says_of_y == "max_length_"):
        what = Is(lambda values: False, "a network that this estimator can have")
        return {"_architecture": what}
    if how == "none":
        return {}
    n = attributes.get("n_features_in_")
    n, tiny = n if is_count(n) else None, np.finfo(np.float64).smallest_subnormal
    return {
        "n_features_in_": integer(1),
        "feature_names_in_": Is(
            lambda names: _are_names(names, n),
            f"an array of {n} strings",
            is_optional=True,
        ),
        "mean_": Numbers((n,), np.dtype("f8")),
        "scale_": Numbers((n,), np.dtype("f8"), tiny),
    }


def _n_inputs(attributes):
    """The length of x."""
    if "embeddings_" in attributes:
        return attributes["embeddings_"].shape[1]
    if attributes["kind_"] != "series":
        ngram_range = attributes.get("_grams", {}).get("ngram_range", (1, 1))
        known, subwords = attributes["vocabulary_"], attributes.get("subwords_")
        return n_ids(known, ngram_range, subwords)
    if are_targets(attributes):  # beside each number of y, whether this is the start
        return len(attributes["target_mean_"]) + 1
    n_features, order = len(attributes["mean_"]), len(attributes["difference_scale_"])
    n_marks = 1 if attributes["_reading"]["missing"] == "mask" else 0
    n_own = 3 + order if np.size(attributes.get("own_mean_", ())) else 0
    # Convolutions read one step after the other.
    averages = attributes["_architecture"].get("kernel_sizes")
    n_steps = 1 if averages else attributes["patch_length_"]
    return n_steps * n_features * (1 + n_marks + order + n_own)


def _layout(attributes):
    """Names and shapes of the weights that were trained."""
    architecture = Architecture(**attributes["_architecture"])
    if _task(attributes) in ("next_step", "tagging"):
        architecture = replace(architecture, pooling="none")
    has_transitions = _task(attributes) == "tagging" and "transitions_" in attributes
    n_features = 0
    if architecture.condition != "none":
        n_features = attributes["n_features_in_"]
    numbers = _n_inputs(attributes), _n_outputs(attributes)
    return Layout(architecture, *numbers, has_transitions, n_features)


def _of_weights(attributes):
    """All weights, including those of a pooling that had no part in training."""
    layout = _layout(attributes)
    architecture = Architecture(**attributes["_architecture"])
    shapes = shapes_of(replace(layout, architecture=architecture))
    shapes["V_"] = shapes_of(layout)["V_"]
    return {
        name: Items(list(map(Numbers, shape)))
        if isinstance(shape, list)
        else Numbers(shape)
        for name, shape in shapes.items()
    }


def _of_kind_of_y(tasks_of_y, says_of_y):
    """What an estimator keeps of y in addition to its head."""
    flags = "_is_multilabel", "_is_one_output"
    if says_of_y == "task_":
        # The encoder of a classifier or regressor has the flag of that, too.
        flag = replace(FLAG, is_optional=True)
        return {**dict.fromkeys(flags, flag), "task_": one_of(tasks_of_y)}
    of_y = {says_of_y: FLAG} if says_of_y else {}
    if says_of_y == "max_length_":  # series tell whether they are one-dimensional
        of_y = {says_of_y: integer(1), flags[1]: replace(FLAG, is_optional=True)}
    return {**dict.fromkeys(("task_", *flags), NOTHING), **of_y}


def _task(attributes):
    """What is predicted."""
    if "task_" in attributes:
        return attributes["task_"]
    if "learns_end_" in attributes or "max_length_" in attributes:
        return "next_step"
    if "output_kind_" in attributes:
        return "transduction"
    if "_is_multilabel" in attributes:
        return "multilabel" if attributes["_is_multilabel"] else "classification"
    return "regression"


def _of_y(attributes):
    """What the head keeps."""
    task = _task(attributes)
    is_multilabel, is_regression = task == "multilabel", task == "regression"
    flags = {
        "_is_multilabel": Is(
            lambda value: value == is_multilabel, f"{is_multilabel}", is_optional=True
        ),
        "_is_one_output": Is(
            lambda value: is_regression or not value, "False", is_optional=True
        ),
    }
    if task == "next_step":
        if attributes["kind_"] == "series" and are_targets(attributes):
            del flags["_is_one_output"]
        return {**flags, **_of_next_step(attributes)}
    if task == "transduction":
        return {**flags, **_of_transduction(attributes)}
    if not is_regression:
        classes = Is(_are_classes, "an array of distinct labels, sorted")
        return {**flags, "classes_": classes}
    mean = attributes.get("target_mean_")
    n = len(mean) if isinstance(mean, np.ndarray) and mean.ndim else None
    n = 1 if attributes.get("_is_one_output") else n
    expected = Numbers((n or None,), np.dtype("f8"))
    scale = replace(expected, least=0)
    return {**flags, "target_mean_": expected, "target_scale_": scale}


def _of_next_step(attributes):
    """The outputs of a network that predicts what it reads next."""
    if attributes["kind_"] == "series" and are_targets(attributes):
        least = most = n_scores(len(attributes["target_mean_"]))
    elif attributes["kind_"] == "series":
        least = most = _n_inputs(attributes)
    else:  # tokens that were never a next step need no output
        least, most = 1, 1 + len(attributes["vocabulary_"])

    def holds(V):
        is_matrix = isinstance(V, np.ndarray) and V.ndim == 2
        return is_matrix and least <= len(V) <= most

    rows = f"{most}" if least == most else f"{least} to {most}"
    return {"V_": Is(holds, f"a matrix of {rows} rows")}


def _of_transduction(attributes):
    """The outputs of a network that writes sequences."""
    kind = attributes.get("output_kind_")
    n_frames = attributes["_architecture"].get("n_frames", 0)
    of_ctc = {"n_frames_per_step_": integer(n_frames, n_frames)} if n_frames else {}
    return {
        **of_ctc,
        "output_kind_": one_of(("text", "tokens")),
        "output_vocabulary_": Is(
            lambda known: _is_vocabulary(known, kind) and _are_single(known, kind),
            "a dict of tokens, numbered from 1",
        ),
        "longest_output_": integer(0),
    }


def _are_single(known, kind):
    """Whether no token is an n-gram, which is read but not written."""
    if kind == "text":
        return all(len(token) == 1 for token in known)
    return not any(isinstance(token, tuple) for token in known)


def _n_outputs(attributes):
    """The number of scores."""
    task = _task(attributes)
    if task == "transduction":
        return 1 + len(attributes["output_vocabulary_"])
    if task == "next_step":
        return len(attributes["V_"])
    return len(attributes["target_mean_" if task == "regression" else "classes_"])


def _are_classes(classes):
    """Whether these are labels as np.unique returns them."""
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or len(classes) == 0:
        return False
    if classes.dtype.kind == "O":
        if any(is_missing(x) or isinstance(x, (list, dict)) for x in classes.tolist()):
            return False
    if classes.dtype.kind not in "biufUTOmM":
        return False
    if classes.dtype.kind == "f" and not np.isfinite(classes).all():
        return False
    try:
        return bool((classes[:-1] < classes[1:]).all())
    except (TypeError, ValueError):  # labels that cannot be compared
        return False


_OF_PROGRESS = {"loss_": NUMBER, "best_loss_": NUMBER, "n_iter_": integer(1)}


def _of_curves(attributes):
    """A number for each epoch; after one that diverged, there is no score."""
    n = attributes["n_iter_"]
    of_loss = Is(
        lambda curve: _are_numbers(curve) and len(curve) == n, f"a list of {n} numbers"
    )
    if "validation_scores_" not in attributes:
        return {"loss_curve_": of_loss}
    of_validation = Is(_are_numbers, "a list of numbers")
    return {
        "loss_curve_": of_loss,
        "validation_scores_": of_validation,
        "validation_loss_curve_": of_validation,
        "best_validation_score_": NUMBER,
    }


def _are_numbers(value):
    return type(value) is list and all(map(is_number, value))


def _of_training(attributes):
    """The state from which `partial_fit` continues."""
    layout, single = _layout(attributes), np.dtype("f4")
    expected = {
        "generator": Is(is_generator_state, "the state of a torch.Generator"),
        "n_steps": integer(1),
    }
    for name in RULES["adam"].moment_names:
        least = 0 if name == "square" else None
        expected[name] = Numbers((layout.n_weights,), single, least)
        if "embeddings_" in attributes:
            shape = attributes["embeddings_"].shape
            expected[f"vectors_{name}"] = Numbers(
                shape, single, least, is_optional=True
            )
    if "wide_coef_" in attributes:
        shape = attributes["wide_coef_"].shape[::-1]
        expected["wide_square"] = Numbers(shape, single, 0)
    return {"_training": Entries(expected, is_optional=True)}
