"""Names for data."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest

from skrnn._digest import digest


@dataclass
class Pair:
    first: object
    second: object


@dataclass
class OtherPair:
    first: object
    second: object


DIFFERENT = [
    *(
        None,
        True,
        1,
        1.5,
        float("nan"),
        float("inf"),
        np.nextafter(1.0, 2.0),
        "1",
        b"1",
        "",
        "\ud83d",
    ),
    *([], [[]], [1, 23], [12, 3], ["a", "b"], ["ab"], [["a"], "b"], [["a", "b"]]),
    *({}, {"a": 1}, {"a": "1"}, {"a": None}, {"a": {}}, {1: "a"}),
    *(Pair(1, 23), Pair(12, 3), OtherPair(1, 23), Pair(Pair(1, 2), 3)),
    *(np.array(v) for v in (1, [1], [[1]], [1, 2], [1.0], [True], ["1"], ["1 "])),
    *(np.zeros(shape) for shape in (0, (0, 2), (2, 0), 2, (2, 1), (1, 2))),
    *(np.zeros(2, np.float32), np.array([0.0, -0.0]), np.array([1], dtype=object)),
    np.array([None, "1", (1, 2)], dtype=object),
]


def test_different_values_have_different_names():
    for one, other in combinations(DIFFERENT, 2):
        assert digest(one) != digest(other), (one, other)


@pytest.mark.parametrize(
    "one, other",
    [
        (["ab", "c"], ["".join("ab"), "c"]),
        ([np.arange(6).reshape(2, 3)], [np.arange(6).reshape(2, 3)]),
        ([np.arange(6).reshape(2, 3).T], [np.array([[0, 3], [1, 4], [2, 5]])]),
        ([np.arange(9)[::2]], [np.array([0, 2, 4, 6, 8])]),
        (Pair("a", np.ones(2)), Pair("a", np.ones(2))),
        ({"function": lambda: 1}, {"function": lambda: 2}),
        ({"a": 1, "b": {1: 2, 3: 4}}, {"b": {3: 4, 1: 2}, "a": 1}),
        ({"a", "b", "c"}, {"c", "b", "a"}),
        ([1, "a", None], (1, "a", None)),
        (["a", "b"], ("a", "b")),
        ([], ()),
        (["a", "b"], [np.str_("a"), "b"]),
        ([10, 3.5, True, 2], [np.int64(10), np.float64(3.5), np.True_, np.float32(2)]),
        ((1, 2), [1.0, 2.0]),
        (0.0, -0.0),
    ],
)
def test_equal_values_have_equal_names(one, other):
    assert digest(one) == digest(other)


def test_one_number_of_many_changes_the_name():
    array = np.arange(10_000.0)
    before = digest(array)
    array[5000] += 1e-9
    assert digest(array) != before


def test_objects_that_cannot_be_told_apart_raise():
    for thing in (object(), [iter([])], {"a": (None, object())}):
        with pytest.raises(ValueError, match=r"or use checkpoint=None\.$"):
            digest(thing)
    assert digest(["<a at 0x1>"]) != digest(["<a at 0x2>"])
