"""The walk of the data through the house, as CONTRIBUTING.md describes it."""

import inspect
import re
import sys
from pathlib import Path

import pytest
from sklearn.base import clone

import skrnn
from skrnn import RNNClassifier

PACKAGE = Path(skrnn.__file__).parent
TEXT = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
X = ["cat", "chat", "katze"] * 20
Y = ["English", "French", "German"] * 20
VALIDATED = "fit(X, y, X_val=X_val, y_val=y_val)"


def doors(title):
    """The functions of the table below a line, by module and qualified name."""
    table = TEXT.split(f"\n{title}:\n\n")[1].split("\n\n")[0]
    return re.findall(r"^\| `([\w.]+)` \|", table, flags=re.MULTILINE)


def calls_of(function):
    """The functions of this package that are called, in order."""
    calls, running = [], set()

    def note(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        # A generator is called again for each of its results.
        if event != "call" or frame in running or not path.is_relative_to(PACKAGE):
            return
        if frame.f_code.co_flags & inspect.CO_GENERATOR:
            running.add(frame)
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        calls.append(f"{module}.{frame.f_code.co_qualname}")

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


@pytest.fixture(scope="module")
def calls():
    classifier = RNNClassifier(4, max_iter=1, batch_size=60, random_state=0)
    return {
        "fit": calls_of(lambda: classifier.fit(X, Y, [1.0] * 60)),
        "predict": calls_of(lambda: classifier.predict(X)),
        VALIDATED: calls_of(
            lambda: (
                clone(classifier)
                .set_params(early_stopping=True)
                .fit(X, Y, X_val=X, y_val=Y)
            )
        ),
    }


TITLES = [
    *(f"{name} in `fit`" for name in ("X", "y", "sample_weight", "random_state")),
    *(f"{name} in `predict`" for name in ("X", "h")),
    *(f"{name} in `{VALIDATED}`" for name in ("X_val", "y_val")),
]


@pytest.mark.thread_unsafe(reason="it profiles its thread")
@pytest.mark.parametrize("title", TITLES)
def test_the_doors_are_passed_in_this_order_and_once(title, calls):
    expected = doors(title)
    passed = [call for call in calls[title.split("`")[1]] if call in expected]
    # A head asks itself for its targets first.
    passed = [a for a, b in zip(passed, [None, *passed], strict=False) if a != b]
    assert passed == expected


@pytest.mark.parametrize("title", TITLES)
def test_no_room_is_entered_twice(title):
    """Doors of one room stand side by side."""
    rooms = [module_of(door) for door in doors(title)]
    rooms = [a for a, b in zip(rooms, [None, *rooms], strict=False) if a != b]
    assert len(rooms) == len(set(rooms)) > 1


def module_of(door):
    """The module of a function or method."""
    parts = door.split(".")
    return ".".join(part for part in parts[:-1] if not part[0].isupper())
