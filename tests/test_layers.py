"""Who may import whom: scikit-learn upstairs, torch downstairs, one way only."""

import ast
import re
from pathlib import Path

import pytest

import skrnn
import skrnn._core

PACKAGE = Path(skrnn.__file__).parent

# Each module may import those above it, and the packages named.
FLOORS = {
    "_core.descriptions": {"numpy"},
    "_core.sequences": {"numpy"},
    "_core.packing": {"numpy", "torch"},
    "_core.prefixes": {"numpy", "torch"},
    "_core.series": {"numpy"},
    "_core.ngrams": {"numpy"},
    "_core.vocabulary": {"numpy"},
    "_core.threads": {"torch"},
    "_core.compiled": {"torch"},
    "_core.memory": {"torch"},
    "_core.losses": {"torch"},
    "_core.cells": {"torch"},
    "_core.recurrence": {"torch"},
    "_core.pooling": {"torch"},
    "_core.network": {"numpy", "torch"},
    "_core.gradient": {"torch"},
    "_core.prediction": {"numpy", "torch"},
    "_core.optimiser": {"torch"},
    "_core.training": {"numpy", "torch"},
    "_version": set(),
    "_state": set(),
    "_warnings": set(),
    "_callbacks": {"sklearn"},
    "_libraries": {"numpy"},
    "_containers": {"numpy", "scipy"},
    "_text": {"sklearn"},
    "_given": {"numpy"},
    "_inputs": {"numpy", "torch", "sklearn"},
    "_validation": {"numpy", "scipy", "sklearn"},
    "_targets": {"numpy", "sklearn", "torch"},
    "_next_steps": {"numpy", "torch"},
    "_evaluation": {"numpy"},
    "_warm_start": {"numpy", "torch"},
    "_partial_fit": {"numpy", "torch", "sklearn"},
    "_convergence": {"sklearn"},
    "_fitting": {"numpy", "torch", "sklearn"},
    "_base": {"numpy", "torch", "sklearn"},
    "_docs": set(),
    "_encoder": {"numpy", "sklearn"},
    "_classifier": {"torch", "sklearn"},
    "_regressor": {"numpy", "sklearn"},
    "_frames": {"narwhals", "numpy"},
    "__init__": set(),
    "export": {"numpy", "safetensors", "sklearn", "torch"},
}
STANDARD_LIBRARY = {
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "decimal",
    "functools",
    "importlib",
    "itertools",
    "json",
    "math",
    "multiprocessing",
    "numbers",
    "os",
    "re",
    "queue",
    "sys",
    "textwrap",
    "threading",
    "time",
    "typing",
    "warnings",
}


def imports_of(path):
    """Absolute names of the modules that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            ours = {f"skrnn.{module}" for module in FLOORS}
            names |= (submodules & ours) or {node.module}
    return names


def test_every_module_has_its_floor():
    files = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
    }
    assert files - {"_core.__init__"} == set(FLOORS)


@pytest.mark.parametrize("module", FLOORS)
def test_imports_go_one_way(module):
    above = list(FLOORS)[: list(FLOORS).index(module)]
    allowed = {f"skrnn.{other}" for other in above}
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    for name in imports_of(path):
        package = name.split(".")[0]
        if package == "skrnn":
            assert name in allowed, f"{module} must not import {name}"
        else:
            assert package in FLOORS[module] | STANDARD_LIBRARY, (
                f"{module} must not import {package}"
            )


def test_the_core_lists_its_modules_in_this_order():
    listed = re.findall(r"^    (\w+) {2,}", skrnn._core.__doc__, flags=re.MULTILINE)
    core = [module for module in FLOORS if module.startswith("_core.")]
    assert [f"_core.{name}" for name in listed] == core
