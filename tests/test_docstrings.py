"""Public docstrings follow the numpydoc standard, as far as setup.cfg asks."""

from configparser import ConfigParser
from dataclasses import fields
from pathlib import Path

import pytest
from numpydoc.validate import validate

import skrnn
from skrnn import RNNEncoder, distributed, inspection, metrics


def left_out():
    """The codes after "all" in the section of setup.cfg that numpydoc reads too."""
    config = ConfigParser()
    config.read(Path(__file__).parents[1] / "setup.cfg")
    first, *codes = config["tool:numpydoc_validation"]["checks"].split(", ")
    assert first == "all"
    return codes


def public_names():
    """The public functions, the classes and the methods that these define.

    Parameters are class attributes, too, but described in the docstring of the class;
    those that a class fixes are none of its own.
    """
    for name in skrnn.__all__:
        if callable(getattr(skrnn, name)):
            yield f"skrnn.{name}"
        if isinstance(getattr(skrnn, name), type):
            cls = getattr(skrnn, name)
            members = vars(cls).keys() - {field.name for field in fields(RNNEncoder)}
            members -= {field.name for field in fields(cls)}
            own = sorted(m for m in members if m[0] != "_")
            own = [m for m in own if not m.endswith("_request")]
            yield from (f"skrnn.{name}.{member}" for member in own)
    yield from (f"skrnn.metrics.{name}" for name in metrics.__all__)
    yield from (f"skrnn.distributed.{name}" for name in distributed.__all__)
    for name in inspection.__all__:
        yield f"skrnn.inspection.{name}"
        if isinstance(getattr(inspection, name), type):
            methods = "from_estimator", "plot"
            yield from (f"skrnn.inspection.{name}.{method}" for method in methods)


@pytest.mark.parametrize("name", list(public_names()))
def test_docstring_is_complete(name):
    errors = [f"{code}: {text}" for code, text in validate(name)["errors"]]
    assert [error for error in errors if error[:4] not in left_out()] == []


@pytest.mark.parametrize(
    "name",
    # All but methods, whose class is the part before the last.
    [name for name in public_names() if not name.split(".")[-2][0].isupper()],
)
def test_classes_and_functions_have_an_example_and_links(name):
    codes = {code for code, _ in validate(name)["errors"]}
    assert not codes & {"EX01", "SA01", "ES01"}
