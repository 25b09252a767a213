"""Types of parameters, written once for readers, type checkers and scikit-learn.

Each parameter of an estimator is a field of its class, with a type and a default. The
type is ordinary Python, annotated with the limits of numbers; :func:`constraints_of`
derives from it what scikit-learn checks in `fit`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from numbers import Integral, Real
from os import PathLike
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
)

Count = Annotated[int, Interval(Integral, 1, None, closed="left")]
CountOrZero = Annotated[int, Interval(Integral, 0, None, closed="left")]
Counts = Annotated[list[int] | tuple[int, ...], tuple, list]  # items: later
KernelSizes = Annotated[  # items: later
    tuple[int, ...] | tuple[tuple[int, ...], ...], tuple, list
]
Pair = Annotated[tuple[int, int], tuple, list]
Probability = Annotated[float, Interval(Real, 0, 1, closed="left")]
Fraction = Annotated[float, Interval(Real, 0, 1, closed="neither")]
Rate = Annotated[float, Interval(Real, 0, 1, closed="right")]
NonNegative = Annotated[float, Interval(Real, 0, None, closed="left")]
Positive = Annotated[float, Interval(Real, 0, None, closed="neither")]
CountOrShare = Annotated[
    int | float,
    Interval(RealNotInt, 0, 1, closed="both"),
    Interval(Integral, 1, None, closed="left"),
]
Function = Annotated[Callable, callable]
TextFunction = Annotated[Callable[[str], str], callable]
ClassWeights = Annotated[Mapping, dict]
Tokens = Annotated[Mapping | Iterable, Mapping, HasMethods("__iter__")]
Vectors = Annotated[Any, Mapping, tuple, list]
Folder = Annotated[str | PathLike[str], str, PathLike]
RandomState = Annotated[Any, "random_state"]
Verbosity = Annotated[int, "verbose"]
Estimator = Annotated[Any, HasMethods("fit")]
Jobs = Annotated[int, Integral]


def takes_parameters(cls):
    """Class decorator that makes the annotated fields of `cls` its parameters.

    It applies :func:`dataclasses.dataclass`, whose ``__init__`` only sets the fields,
    as scikit-learn requires. In a subclass, put ``_: KW_ONLY`` before added fields.
    """
    own = vars(cls).get("_parameter_constraints", {})
    cls = dataclass(repr=False, eq=False)(cls)
    cls.__init__.__annotations__ = {}  # help() would print the constraints
    derived = {field.name: constraints_of(field.type) for field in fields(cls)}
    cls._parameter_constraints = {**derived, **own}
    return cls


def constraints_of(hint):
    """The constraints for scikit-learn's parameter validation that express a type.

    Parameters
    ----------
    hint : type
        A class, None, a Literal of strings, one of the types of this module, or a union
        of these.

    Returns
    -------
    constraints : list
    """
    is_union = get_origin(hint) in (Union, UnionType)
    members = get_args(hint) if is_union else (hint,)
    options = [get_args(member) for member in members if get_origin(member) is Literal]
    constraints = [StrOptions(set(chain(*options)))] if options else []
    for member in members:
        if get_origin(member) is Literal:
            continue
        if get_origin(member) is Annotated:
            constraints += member.__metadata__
        elif member is NoneType:
            constraints.append(None)
        else:
            constraints.append("boolean" if member is bool else member)
    return constraints
