"""From steps that are sets of features to numbers that stand for these sets."""

from collections.abc import Mapping
from numbers import Real

import numpy as np

from skrnn._core.sequences import Sequences
from skrnn._messages import as_plain, cure_for, describe, is_missing, mixed_kinds
from skrnn._reading.offsets import offsets_of
from skrnn._reading.token_lists import Numbering

SETS = (list, tuple, set, frozenset)


def read_features(X):
    """Read lists of dicts, or of lists, tuples or sets of strings, one per step.

    The features of a dict are named as by CRFsuite: ``{"word": "The", "is_title":
    True}`` has the features "word:The" and "is_title".

    Parameters
    ----------
    X : list or tuple

    Returns
    -------
    sequences : Sequences
        Their kind is "features", and each token a tuple of strings in sorted order.

    Raises
    ------
    TypeError, ValueError
        If a step is anything else.
    """
    steps = []
    for i, item in enumerate(X):
        if isinstance(item, np.ndarray) and item.ndim == 1:
            item = item.tolist()
        if not isinstance(item, (list, tuple)):
            raise TypeError(mixed_kinds(item, i, "features"))
        steps += [_features_of(each, i, step) for step, each in enumerate(item)]
    lengths = np.fromiter(map(len, X), dtype=np.int64, count=len(X))
    numbering = Numbering()
    places = numbering.of(steps, len(steps))
    return Sequences("features", places, offsets_of(lengths), numbering.known)


def _features_of(step, i, t):
    """The features of step t of sequence i, in sorted order."""
    if isinstance(step, Mapping):
        named = (_feature(name, as_plain(step[name]), i, t) for name in step)
        # {"a": "b", "a:b": True} names one feature twice.
        return tuple(sorted({name for name in named if name is not None}))
    if not isinstance(step, SETS):
        raise TypeError(
            f"X[{i}] has {describe(step)} at step {t}: a dict of features, or a list, "
            f"tuple or set of strings, was expected. {cure_for(step)}"
        )
    for name in step:
        if not isinstance(name, str):
            raise TypeError(
                f"X[{i}] has {describe(name)} among the features of step {t}: strings "
                f"were expected. {cure_for(name)}"
            )
    return tuple(sorted(map(as_plain, set(step))))


def _feature(name, value, i, t):
    """The name of a feature, given an entry of a dict; None if it is absent."""
    if not isinstance(name, str):
        raise TypeError(
            f"X[{i}] has {describe(name)} as the name of a feature of step {t}: a "
            "string was expected. Convert it."
        )
    if isinstance(value, str):
        return f"{name}:{value}"
    if isinstance(value, Real) and value in (0, 1):
        return as_plain(name) if value else None
    what = as_plain(value) if isinstance(value, Real) else describe(value)
    cure = "Leave it out." if is_missing(value) else "Convert it to a string."
    raise (ValueError if isinstance(value, Real) else TypeError)(
        f"X[{i}] has {what} as the feature {name!r} of step {t}: a string was "
        "expected, or True, False, 1 or 0, since a feature is there or not. "
        f"{cure}"
    )
