"""What the attributes of a fit must be: the type, shape and range of each.

A file that is loaded may have been damaged, or made to do harm. Whatever loads a fit
passes it to :func:`check_attributes`, so that all later code can rely on what is said
here. What could be derived from the vocabulary or the architecture is compared with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Any, get_args

import numpy as np
from sklearn.utils._param_validation import validate_parameter_constraints

from skrnn._continuing import is_generator_state
from skrnn._core.architecture import Architecture
from skrnn._core.cells import ActivationName, CellName, RecurrenceName
from skrnn._core.layout import Layout
from skrnn._core.pooling import PoolingName
from skrnn._core.public import shapes_of
from skrnn._core.rules import RULES
from skrnn._core.vocabulary import longest_gram, make_gram_table, n_ids
from skrnn._messages import describe, is_missing
from skrnn._parameters import check_ngram_range
from skrnn._reading.kinds import KIND_NAMES
from skrnn._reading.options import KEPT
from skrnn._reading.schema import KIND_OF_ANALYZER
from skrnn._reading.text import compiled_pattern
from skrnn._reading.tokens import AUTO_RANGE, range_of_known

_MISSING = object()
CHANGED = "It was changed after the fit, or in its file. Fit again, or save it again."


@dataclass(frozen=True, slots=True)
class Is:
    """Anything that fulfils a condition.

    Attributes
    ----------
    holds : callable
        Whether a value is as expected.
    words : str
        What was expected, for messages.
    is_optional : bool
        Whether the value may be missing.
    """

    holds: Callable
    words: str
    is_optional: bool = False

    def faults(self, value, name):
        """Yield the name, the description and what was expected of what is wrong."""
        if value is _MISSING:
            is_fine = self.is_optional
        else:
            try:
                is_fine = self.holds(value)
            except (TypeError, ValueError):  # it cannot even be compared
                is_fine = False
        if not is_fine:
            yield name, _what(value), self.words


@dataclass(frozen=True, slots=True)
class Numbers:
    """A numeric array of some shape, finite, in some range.

    Attributes
    ----------
    shape : tuple of int or None
        None for any length but 0.
    dtype : dtype, default=None
        None for any real numbers that fit into float32.
    least, most : number, default=None
        The range of the numbers.
    is_optional : bool
        Whether the array may be missing.
    """

    shape: tuple
    dtype: Any = None
    least: Any = None
    most: Any = None
    is_optional: bool = False

    def faults(self, value, name):
        """Yield the name, the description and what was expected of what is wrong."""
        if value is _MISSING and self.is_optional:
            return
        if not self._has_form(value):
            yield name, _what(value), self._words
        elif not _are_finite(value, self.dtype):
            what = f"{_what(value)} with numbers that are not finite or too large"
            yield name, what, self._words
        elif not self._are_in_range(value):
            what = f"{_what(value)} with numbers from {value.min()} to {value.max()}"
            yield name, what, self._words

    @property
    def _words(self):
        shape = ", ".join("n" if n is None else str(n) for n in self.shape)
        shape += "," if len(self.shape) == 1 else ""
        what = "finite numbers" if self.dtype is None else f"finite {self.dtype}"
        what += "" if self.least is None else f" from {self.least}"
        what += "" if self.most is None else f" to {self.most}"
        return f"{what} of shape ({shape})"

    def _has_form(self, value):
        if not isinstance(value, np.ndarray) or value.ndim != len(self.shape):
            return False
        is_type = value.dtype.kind in "fiu"
        if self.dtype is not None:
            is_type = value.dtype == self.dtype
        pairs = zip(value.shape, self.shape, strict=True)
        return is_type and all(n > 0 if m is None else n == m for n, m in pairs)

    def _are_in_range(self, value):
        is_low = self.least is not None and value.size and value.min() < self.least
        is_high = self.most is not None and value.size and value.max() > self.most
        return not (is_low or is_high)


@dataclass(frozen=True, slots=True)
class Items:
    """A list, with what is expected of each item."""

    expected: list

    def faults(self, value, name):
        """Yield the name, the description and what was expected of what is wrong."""
        if type(value) is not list or len(value) != len(self.expected):
            what = _what(value)
            if isinstance(value, (list, tuple)):
                what += f" of length {len(value)}"
            yield name, what, f"a list of length {len(self.expected)}"
            return
        for i, (item, expected) in enumerate(zip(value, self.expected, strict=True)):
            yield from expected.faults(item, f"{name}[{i}]")


@dataclass(frozen=True, slots=True)
class Entries:
    """A dict, with what is expected at each key."""

    expected: dict
    is_optional: bool = False

    def faults(self, value, name):
        """Yield the name, the description and what was expected of what is wrong."""
        if value is _MISSING and self.is_optional:
            return
        if type(value) is not dict:
            yield name, _what(value), "a dict"
            return
        for key, expected in self.expected.items():
            yield from expected.faults(value.get(key, _MISSING), f"{name}[{key!r}]")
        for key in value:
            if key not in self.expected:
                yield f"{name}[{key!r:.40}]", "there", "missing"


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
            for where, what, words in each.faults(attributes.get(key, _MISSING), key):
                raise ValueError(
                    f"{where} of this {name} is {what} instead of {words}. {CHANGED}"
                )
        known.update(expected)

    check(_OF_X)
    _check_reading(attributes, constraints, name)
    check({"_architecture": _ARCHITECTURE})
    check({"_architecture": Is(_is_architecture, "a network that fit can make")})
    check(_kind_of_y(tasks_of_y, says_of_y))
    if attributes["kind_"] == "series":
        check(_OF_SERIES)
        check(_of_series(attributes))
    else:
        check({"vocabulary_": _vocabulary(attributes["kind_"])})
        check(_of_tokens(attributes))
    check(_of_y(attributes))
    check(_weights(attributes))
    check(_PROGRESS)
    check(_curves(attributes))
    check({"_training": _training(attributes)})
    for key in attributes.keys() - known:
        raise ValueError(f"{key} of this {name} should be missing. {CHANGED}")


def _what(value):
    """A short description of a value."""
    if value is _MISSING:
        return "missing"
    if value is None or isinstance(value, (str, Real)):
        text = ascii(value)
        return text if len(text) <= 40 else f"{text[:40]}..."
    return describe(value)


def _are_finite(array, dtype):
    """Whether numbers are finite, in float32 unless they have to be of another type."""
    if array.dtype.kind != "f":
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        if dtype is None and array.dtype.itemsize > 4:
            array = array.astype(np.float32)
        # A sum is finite only if all terms are, and takes a tenth of the time.
        return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def _integer(least, most=None, is_optional=False):
    words = f"an integer from {least}" + ("" if most is None else f" to {most}")

    def holds(value):
        return _is_count(value, least) and (most is None or value <= most)

    return Is(holds, words, is_optional)


def _one_of(values):
    words = " or ".join(map(repr, values))
    return Is(lambda value: isinstance(value, str) and value in values, words)


def _is_count(value, least=1):
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    return is_integer and value >= least


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def _are_numbers(value):
    return type(value) is list and all(map(_is_number, value))


def _is_bool(value):
    return isinstance(value, bool)


_OF_X = {
    "kind_": _one_of(KIND_NAMES),
    "_reading": Entries(
        {
            **dict.fromkeys(KEPT, Is(lambda value: True, "a value")),
            "shortest": _integer(0),
            "columns": Is(
                lambda value: value is None or type(value) is list, "None or a list"
            ),
        }
    ),
}


def _check_reading(attributes, constraints, name):
    """Check the parameters that a fit keeps, as `fit` does."""
    reading, kind = attributes["_reading"], attributes["kind_"]
    kept = {key: reading[key] for key in KEPT}
    some = {key: constraints[key] for key in KEPT}
    validate_parameter_constraints(some, kept, caller_name=f"this {name}'s _reading")
    check_ngram_range(kept["ngram_range"])
    if kind == "words":
        compiled_pattern(kept["token_pattern"])
    analyzer = kept["analyzer"]
    named = KIND_OF_ANALYZER.get(analyzer) if isinstance(analyzer, str) else None
    if named not in (None, kind):
        raise ValueError(
            f"kind_ of this {name} is {kind!r} instead of {named!r}, though analyzer "
            f"was {analyzer!r}. {CHANGED}"
        )


def _vocabulary(kind):
    """Tokens or n-grams, numbered from 1."""

    def holds(vocabulary):
        if type(vocabulary) is not dict or not vocabulary:
            return False
        ids = list(vocabulary.values())
        are_integers = _are_all(ids, Integral)
        if not are_integers or sorted(ids) != list(range(1, len(ids) + 1)):
            return False
        if kind == "tokens":
            return all(map(_is_token_or_gram, vocabulary))
        return _are_all(vocabulary, str) and not (kind == "text" and "" in vocabulary)

    what = "strings and integers" if kind == "tokens" else "strings"
    return Is(holds, f"a dict of {what}, numbered from 1")


def _are_all(items, classes):
    return all(issubclass(each, classes) for each in set(map(type, items)))


def _is_token_or_gram(token):
    if isinstance(token, tuple):
        return len(token) > 1 and _are_all(token, (str, Integral))
    return isinstance(token, (str, Integral))


def _of_tokens(attributes):
    """N-grams and pretrained vectors, given a vocabulary."""
    kind, known = attributes["kind_"], attributes["vocabulary_"]
    given = attributes["_reading"]["ngram_range"]
    has_grams = "_grams" in attributes
    # "auto" may stand for either: the number of columns of U will tell.
    is_auto, ngram_range, expected = isinstance(given, str), (1, 1), {}
    if has_grams if is_auto else tuple(given) != (1, 1):
        given = AUTO_RANGE if is_auto else given
        ngram_range = range_of_known(given, longest_gram(known, kind))
        expected["_grams"] = _gram_table(known, kind, ngram_range)
    if "embeddings_" in attributes or "_given_ids" in attributes:
        shape = n_ids(known, ngram_range), None
        expected["embeddings_"] = Numbers(shape, np.dtype("f4"))
        expected["_given_ids"] = Numbers((None,), np.dtype("i8"), 1, len(known))
    return expected


def _gram_table(known, kind, ngram_range):
    """What the vocabulary says about n-grams."""
    longest = longest_gram(known, kind)

    def holds(table):
        # Its size limits the time of making one to compare it with.
        keys = {"ngram_range", "number_of", "n_tokens", "pairs", "ids"}
        if type(table) is not dict or table.keys() != keys:
            return False
        parts = table["pairs"], table["ids"]
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

    return Is(holds, "the n-grams of vocabulary_, as `fit` numbers them")


def _is_same(value, expected):
    return type(value) is type(expected) and value == expected


def _are_same_ids(array, expected):
    is_array = isinstance(array, np.ndarray) and array.dtype.kind in "iu"
    return is_array and np.array_equal(array, expected)


_OF_SERIES = {"mean_": Numbers((None,), np.dtype("f8")), "patch_length_": _integer(1)}


def _of_series(attributes):
    """Scales, given the means."""
    n_features, reading = len(attributes["mean_"]), attributes["_reading"]
    is_table = "n_features_in_" in attributes
    tiny = np.finfo(np.float64).smallest_subnormal
    expected = {
        "scale_": Numbers((n_features,), np.dtype("f8"), tiny),
        "difference_scale_": Numbers(
            (reading["differences"], n_features), np.dtype("f8"), tiny
        ),
    }
    if reading["patch_length"] != "auto":
        expected["patch_length_"] = _integer(1, reading["patch_length"])
    if reading["columns"] is not None:
        expected["_reading"] = Is(
            lambda reading: len(reading["columns"]) == n_features,
            f"a dict with {n_features} columns",
        )
    if is_table or "feature_names_in_" in attributes:
        n_steps = reading["shortest"]
        expected["n_features_in_"] = _integer(n_steps, n_steps)
        expected["mean_"] = Numbers((1,), np.dtype("f8"))
        expected["feature_names_in_"] = Is(
            lambda names: _are_names(names, n_steps),
            f"an array of {n_steps} strings",
            is_optional=True,
        )
    return expected


def _are_names(names, n):
    is_array = isinstance(names, np.ndarray) and names.shape == (n,)
    return is_array and all(isinstance(each, str) for each in names.tolist())


_ARCHITECTURE = Entries(
    {
        "nhidden": Is(
            lambda value: (
                type(value) is tuple and len(value) > 0 and all(map(_is_count, value))
            ),
            "a tuple of integers from 1",
        ),
        "cell": _one_of(get_args(CellName)),
        "activation": _one_of(get_args(ActivationName)),
        "recurrence": _one_of(get_args(RecurrenceName)),
        "bidirectional": Is(_is_bool, "True or False"),
        "pooling": _one_of(get_args(PoolingName)),
    }
)


def _is_architecture(values):
    plain = {field.name: field.default for field in fields(Architecture)}
    names = ("activation", "recurrence")
    return values["cell"] == "rnn" or all(values[each] == plain[each] for each in names)


def _n_inputs(attributes):
    """The length of x."""
    if "embeddings_" in attributes:
        return attributes["embeddings_"].shape[1]
    if attributes["kind_"] != "series":
        ngram_range = attributes.get("_grams", {}).get("ngram_range", (1, 1))
        return n_ids(attributes["vocabulary_"], ngram_range)
    n_features, order = len(attributes["mean_"]), len(attributes["difference_scale_"])
    n_marks = 1 if attributes["_reading"]["missing"] == "mask" else 0
    return attributes["patch_length_"] * n_features * (1 + n_marks + order)


def _layout(attributes):
    """Names and shapes of the weights that were trained."""
    architecture = Architecture(**attributes["_architecture"])
    if _task(attributes) == "next_step":
        architecture = replace(architecture, pooling="none")
    return Layout(architecture, _n_inputs(attributes), _n_outputs(attributes))


def _weights(attributes):
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


def _kind_of_y(tasks_of_y, says_of_y):
    """What an estimator keeps of y in addition to its head."""
    flag = Is(_is_bool, "True or False")
    expected = {"_is_multilabel": flag, "_is_one_output": flag}
    if says_of_y == "task_":
        # The encoder of a classifier or regressor has the flag of that, too.
        expected = {key: replace(flag, is_optional=True) for key in expected}
        return {**expected, "task_": _one_of(tasks_of_y)}
    nothing = Is(lambda value: False, "nothing", is_optional=True)
    return {**dict.fromkeys(("task_", *expected), nothing), says_of_y: flag}


def _task(attributes):
    """What is predicted."""
    if "task_" in attributes:
        return attributes["task_"]
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
        return {**flags, **_of_next_step(attributes)}
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
    n_inputs, is_series = _n_inputs(attributes), attributes["kind_"] == "series"

    def holds(V):
        is_matrix = isinstance(V, np.ndarray) and V.ndim == 2
        return is_matrix and (
            len(V) == n_inputs if is_series else 1 <= len(V) <= 1 + n_known
        )

    n_known = 0 if is_series else len(attributes["vocabulary_"])
    n_rows = f"{n_inputs}" if is_series else f"at most {1 + n_known}"
    return {"V_": Is(holds, f"a matrix of {n_rows} rows")}


def _n_outputs(attributes):
    """The number of scores."""
    task = _task(attributes)
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


_PROGRESS = {
    "loss_": Is(_is_number, "a number"),
    "best_loss_": Is(_is_number, "a number"),
    "n_iter_": _integer(1),
    "loss_curve_": Is(_are_numbers, "a list of numbers"),
}


def _curves(attributes):
    """A number for each epoch."""
    n = attributes["n_iter_"]

    def holds(curve):
        return _are_numbers(curve) and len(curve) == n

    words = f"a list of {n} numbers"
    has_scores = "validation_scores_" in attributes
    of_validation = {
        "validation_scores_": Is(_are_numbers, words),
        "validation_loss_curve_": Is(_are_numbers, words),
        "best_validation_score_": Is(_is_number, "a number"),
    }
    expected = {"loss_curve_": Is(holds, words)}
    return {**expected, **of_validation} if has_scores else expected


def _training(attributes):
    """The state from which `partial_fit` continues."""
    layout, single = _layout(attributes), np.dtype("f4")
    expected = {
        "generator": Is(is_generator_state, "the state of a torch.Generator"),
        "n_steps": _integer(1),
    }
    for name in RULES["adam"].moment_names:
        least = 0 if name == "square" else None
        expected[name] = Numbers((layout.n_weights,), single, least)
        if "embeddings_" in attributes:
            shape = attributes["embeddings_"].shape
            expected[f"vectors_{name}"] = Numbers(
                shape, single, least, is_optional=True
            )
    return Entries(expected, is_optional=True)
