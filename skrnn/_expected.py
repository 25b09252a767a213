"""What a value must be, and what is wrong with one that is not.

An expectation says what is wrong with a value by ``faults(value, name)``. Each fault is
a tuple of three strings: where, what is there, and what was expected. Expectations of
lists and dicts are made of those of their items:

>>> from skrnn._expected import Entries, Items, integer, one_of
>>> expected = Entries({"sizes": Items([integer(1), integer(1)]), "cell": one_of("ab")})
>>> for fault in expected.faults({"sizes": [3, 0]}, "network"):
...     print(fault)
("network['sizes'][1]", '0', 'an integer from 1')
("network['cell']", 'missing', "'a' or 'b'")
"""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from skrnn._messages import describe

MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected of a value; subclasses say it in `words`.

    Attributes
    ----------
    is_optional : bool, default=False
        Whether the value may be missing.
    """

    is_optional: bool = False

    def faults(self, value, name):
        """Yield where, what and what was expected, for all that is wrong.

        Parameters
        ----------
        value : object
            MISSING if there is none.
        name : str
        """
        if value is not MISSING:
            yield from self._faults_of(value, name)
        elif not self.is_optional:
            yield name, "missing", self.words


@dataclass(frozen=True, slots=True)
class Is(Expected):
    """Anything that fulfils a condition.

    Attributes
    ----------
    holds : callable
        Whether a value is as expected.
    words : str
        What was expected, for messages.
    """

    holds: Callable
    words: str

    def _faults_of(self, value, name):
        try:
            is_fine = self.holds(value)
        except (TypeError, ValueError):  # it cannot even be compared
            is_fine = False
        if not is_fine:
            yield name, _what(value), self.words


@dataclass(frozen=True, slots=True)
class Numbers(Expected):
    """A numeric array of some shape, finite, in some range.

    Attributes
    ----------
    shape : tuple of int or None
        None for any length but 0.
    dtype : dtype, default=None
        None for any real numbers that fit into float32.
    least, most : number, default=None
        The range of the numbers.
    """

    shape: tuple
    dtype: Any = None
    least: Any = None
    most: Any = None

    @property
    def words(self):
        """What was expected, for messages."""
        shape = ", ".join("n" if n is None else str(n) for n in self.shape)
        shape += "," if len(self.shape) == 1 else ""
        what = "finite numbers" if self.dtype is None else f"finite {self.dtype}"
        what += "" if self.least is None else f" from {self.least}"
        what += "" if self.most is None else f" to {self.most}"
        return f"{what} of shape ({shape})"

    def _faults_of(self, value, name):
        if not self._has_form(value):
            yield name, _what(value), self.words
        elif not _are_finite(value, self.dtype):
            what = f"{_what(value)} with numbers that are not finite or too large"
            yield name, what, self.words
        elif not self._are_in_range(value):
            what = f"{_what(value)} with numbers from {value.min()} to {value.max()}"
            yield name, what, self.words

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
class Items(Expected):
    """A list, with what is expected of each item."""

    expected: list

    @property
    def words(self):
        """What was expected, for messages."""
        return f"a list of length {len(self.expected)}"

    def _faults_of(self, value, name):
        if type(value) is not list or len(value) != len(self.expected):
            is_list = isinstance(value, (list, tuple))
            of_length = f" of length {len(value)}" if is_list else ""
            yield name, _what(value) + of_length, self.words
            return
        for i, (item, expected) in enumerate(zip(value, self.expected, strict=True)):
            yield from expected.faults(item, f"{name}[{i}]")


@dataclass(frozen=True, slots=True)
class Entries(Expected):
    """A dict, with what is expected at each key, and nothing at other keys."""

    expected: dict

    words = "a dict"

    def _faults_of(self, value, name):
        if type(value) is not dict:
            yield name, _what(value), self.words
            return
        for key, expected in self.expected.items():
            yield from expected.faults(value.get(key, MISSING), f"{name}[{key!r}]")
        for key in value:
            if key not in self.expected:
                yield f"{name}[{key!r:.40}]", "there", "missing"


def integer(least, most=None):
    """An integer in some range."""
    words = f"an integer from {least}" + ("" if most is None else f" to {most}")

    def holds(value):
        return is_count(value, least) and (most is None or value <= most)

    return Is(holds, words)


def one_of(values):
    """One of several strings."""
    words = " or ".join(map(repr, values))
    return Is(lambda value: isinstance(value, str) and value in values, words)


def is_count(value, least=1):
    """Whether this is an integer of at least `least`."""
    is_integer = isinstance(value, Integral) and not isinstance(value, bool)
    return is_integer and value >= least


def is_number(value):
    """Whether this is a real number."""
    return isinstance(value, Real) and not isinstance(value, bool)


NOTHING = Is(lambda value: False, "nothing", is_optional=True)
FLAG = Is(lambda value: isinstance(value, bool), "True or False")
NUMBER = Is(is_number, "a number")


def _what(value):
    """A short description of a value."""
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
