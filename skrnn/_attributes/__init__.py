"""What the attributes of a fit must be: the type, shape and range of each.

A file that is loaded may have been damaged, or made to do harm. Whatever loads a fit
passes it to :func:`check_attributes`, so that all later code can rely on what is said
here. What could be derived from the vocabulary or the architecture is compared with it.

A function whose name begins with ``of_`` says what is expected of some attributes, in
the terms of :mod:`skrnn._expected`. It may rely on the attributes from which it derives
this, since they were checked before. Each module may import only those above it:

    sizes        what is predicted, and the sizes of the network
    vocabulary   tokens, n-grams and vectors
    numbers      series
    wide         the wide path
    network      the architecture and the weights
    y            what the head keeps
    progress     losses, scores, and from where `partial_fit` goes on
"""

from sklearn.utils._param_validation import validate_parameter_constraints

from skrnn._attributes.network import (
    OF_NETWORK,
    is_architecture,
    is_without_filters,
    of_context,
    of_decoder,
    of_weights,
)
from skrnn._attributes.numbers import OF_SERIES, of_scales, of_targets
from skrnn._attributes.progress import OF_PROGRESS, of_curves, of_training
from skrnn._attributes.sizes import task_of
from skrnn._attributes.vocabulary import of_grams_and_vectors, of_vocabulary
from skrnn._attributes.wide import (
    OF_WIDE_SERIES,
    of_wide_grams,
    of_wide_series,
    of_wide_vocabulary,
)
from skrnn._attributes.y import of_kind_of_y, of_y
from skrnn._expected import MISSING, Entries, Is, integer, one_of
from skrnn._parameters import check_kernel_sizes, check_ngram_range
from skrnn._reading.kinds import KIND_NAMES
from skrnn._reading.options import KEPT
from skrnn._reading.schema import KIND_OF_ANALYZER, are_targets
from skrnn._reading.text import compiled_pattern

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
    check(OF_NETWORK)
    check({"_architecture": Is(is_architecture, "a network that fit can make")})
    check(of_kind_of_y(tasks_of_y, says_of_y))
    if attributes["kind_"] != "series" or task_of(attributes) in _PER_STEP:
        check({"_architecture": Is(is_without_filters, "a network without filters")})
    if attributes["kind_"] == "series" and are_targets(attributes):
        check(of_targets(attributes))
    elif attributes["kind_"] == "series":
        check(OF_SERIES)
        check(of_scales(attributes))
    else:
        check(of_vocabulary(attributes))
        check(of_grams_and_vectors(attributes))
    check({"_architecture": of_decoder(attributes)})
    check(of_y(attributes))
    check(of_context(attributes, says_of_y))
    check(of_weights(attributes))
    if "wide_coef_" in attributes and says_of_y != "task_":  # not of encoders
        if attributes["kind_"] == "series":
            check(OF_WIDE_SERIES)
            check(of_wide_series(attributes))
        else:
            check(of_wide_vocabulary(attributes))
            check(of_wide_grams(attributes))
    check(OF_PROGRESS)
    check(of_curves(attributes))
    check(of_training(attributes))
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
