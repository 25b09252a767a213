"""Who may import whom: scikit-learn upstairs, torch and numba downstairs, one way."""

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest

import skrnn

PACKAGE = Path(skrnn.__file__).parent

# Each module may import those above it, and the packages named.
FLOORS = {
    "_core.forks": set(),
    "_core.imports": {"numba"},
    "_core.sequences": {"numpy"},
    "_core.sparse_rows": {"numpy"},
    "_core.dense_rows": {"numpy"},
    "_core.context": {"numpy"},
    "_core.steps": {"numpy"},
    "_core.samples": {"numpy"},
    "_core.series": {"numpy"},
    "_core.ngrams": {"numpy"},
    "_core.subwords": {"numpy"},
    "_core.vocabulary": {"numpy"},
    "_core.counts": {"numpy"},
    "_core.threads": {"numpy", "torch"},
    "_core.group": {"torch"},
    "_core.execution": {"numpy", "torch"},
    "_core.packing": {"numpy"},
    "_core.answers": {"numpy"},
    "_core.beam": {"numpy"},
    "_core.batch": {"numpy", "torch"},
    "_core.compiled": {"llvmlite", "numba", "numpy"},
    "_core.distinct": set(),
    "_core.prefetch": {"llvmlite", "numba"},
    "_core.rows": set(),
    "_core.prefixes": {"numpy"},
    "_core.products": {"llvmlite", "numba"},
    "_core.elementwise": {"numba", "numpy"},
    "_core.convolution": {"numpy"},
    "_core.memory": {"numpy"},
    "_core.wide": set(),
    "_core.linear": {"numpy"},
    "_core.minirocket": {"numpy"},
    "_core.density": {"numpy"},
    "_core.losses": {"numpy"},
    "_core.losses.gaussian_or_end": set(),
    "_core.losses.cross_entropy": set(),
    "_core.losses.smoothed_cross_entropy": set(),
    "_core.losses.binary_cross_entropy": set(),
    "_core.losses.squared_error": set(),
    "_core.crf": {"numpy"},
    "_core.best_tags": {"numpy"},
    "_core.ctc": {"numpy"},
    "_core.ctc_search": {"numpy"},
    "_core.attention": {"numpy"},
    "_core.output": {"numpy"},
    "_core.cells": set(),
    "_core.cells.rnn": set(),
    "_core.cells.gru": set(),
    "_core.cells.lstm": set(),
    "_core.recurrence": {"numpy"},
    "_core.pooling": {"numpy"},
    "_core.pooling.last": set(),
    "_core.pooling.mean": set(),
    "_core.pooling.largest": set(),
    "_core.pooling.concat": set(),
    "_core.pooling.sum": set(),
    "_core.pooling.none": set(),
    "_core.architecture": set(),
    "_core.layout": set(),
    "_core.weights": {"torch"},
    "_core.public": {"numpy"},
    "_core.front": {"numpy"},
    "_core.gradient": {"numpy"},
    "_core.condition": {"numpy"},
    "_core.network": {"numpy"},
    "_core.decoder": {"numpy"},
    "_core.encode": {"numpy"},
    "_core.generate": {"numpy"},
    "_core.emission": {"numpy"},
    "_core.windows": {"numpy", "torch"},
    "_core.writer": {"numpy"},
    "_core.transduce": {"numpy"},
    "_core.writing": {"numpy"},
    "_core.schedule": set(),
    "_core.plan": set(),
    "_core.shards": {"numpy"},
    "_core.training_data": {"numpy", "torch"},
    "_core.batches": {"numpy", "torch"},
    "_core.token_rows": set(),
    "_core.adam": set(),
    "_core.rules": {"numpy", "torch"},
    "_core.updates.moments": set(),
    "_core.updates.clipping": {"torch"},
    "_core.updates.tokens": {"numpy"},
    "_core.updates.all_weights": set(),
    "_core.updates.some_rows": {"numpy", "torch"},
    "_core.updates.embedded": {"torch"},
    "_core.updates.padded": set(),
    "_core.updates.drop_connect": set(),
    "_core.updates.wide": {"numpy"},
    "_core.updates": set(),
    "_core.autograd.rows": {"torch"},
    "_core.autograd.segments": {"torch"},
    "_core.autograd.linear": {"torch"},
    "_core.autograd.recurrence": {"torch"},
    "_core.autograd.fused": {"torch", "triton"},
    "_core.autograd.front": {"numpy", "torch"},
    "_core.autograd.pooling": {"torch"},
    "_core.autograd.losses": {"torch"},
    "_core.autograd.output": {"torch"},
    "_core.autograd.crf": {"torch"},
    "_core.autograd.writers": {"torch"},
    "_core.autograd.network": {"torch"},
    "_core.autograd.updates": {"torch"},
    "_core.autograd": set(),
    "_core.kernels": set(),
    "_core.progress": set(),
    "_core.training_state": {"numpy", "torch"},
    "_core.trainer": set(),
    "_version": set(),
    "_warnings": set(),
    "_messages": {"numpy"},
    "_digest": {"numpy"},
    "_files": set(),
    "_reading.libraries": {"numpy"},
    "_reading.panels": set(),
    "_reading.containers": {"numpy", "scipy"},
    "_reading.frames": {"narwhals", "numpy"},
    "_reading.kinds": {"numpy"},
    "_reading.offsets": {"numpy"},
    "_reading.padding": {"numpy"},
    "_reading.numbers": {"numpy"},
    "_reading.token_lists": {"numpy"},
    "_reading.features": {"numpy"},
    "_reading.integers": {"numpy"},
    "_reading.text": {"numpy", "sklearn"},
    "_reading.options": set(),
    "_reading.vectors": {"numpy"},
    "_reading.lists": {"numpy", "sklearn"},
    "_reading.schema": {"numpy"},
    "_reading.given": {"numpy"},
    "_reading.inputs": {"numpy"},
    "_reading.wide_series": {"numpy"},
    "_reading.series": {"numpy"},
    "_reading.targets": {"numpy"},
    "_reading.places": {"numpy"},
    "_reading.wide": {"numpy"},
    "_reading.counts": {"numpy"},
    "_reading.tokens": {"numpy"},
    "_reading.reader": set(),
    "_reading.typed": set(),
    "_notebook": set(),
    "_heads.head": {"numpy", "torch"},
    "_heads.classes": {"numpy", "sklearn", "torch"},
    "_heads.tags": {"numpy"},
    "_heads.chain": {"numpy"},
    "_heads.labels": {"numpy", "sklearn", "torch"},
    "_heads.numbers": {"numpy", "sklearn"},
    "_heads.next_step": {"numpy"},
    "_heads.language": {"numpy"},
    "_heads.density": {"numpy"},
    "_heads.transduction": {"numpy"},
    "_heads.ctc": {"numpy"},
    "_heads.task": {"numpy", "sklearn"},
    "_heads.opening": {"numpy", "scipy"},
    "_heads.validation": {"narwhals", "numpy", "scipy", "sklearn"},
    "_heads.ragged": {"numpy", "sklearn"},
    "_heads.later": {"numpy", "sklearn"},
    "_heads.chunks": {"numpy", "sklearn"},
    "_heads.class_weight": {"numpy", "sklearn"},
    "_heads.counts": {"numpy", "sklearn"},
    "_model": {"numpy"},
    "_stages": {"numpy"},
    "_predicting": {"numpy", "sklearn"},
    "_judging": set(),
    "_parameters": {"numpy", "sklearn"},
    "_continuing": {"numpy"},
    "_checkpoint_file": {"numpy"},
    "_checkpoint": set(),
    "_convergence": {"sklearn"},
    "_chunked_dataset": {"pyarrow"},
    "_gathering": {"numpy"},
    "_chunks": {"numpy"},
    "_first_pass": {"numpy"},
    "_initial_state": {"numpy"},
    "_fitting": {"numpy", "sklearn"},
    "_epochs": {"numpy"},
    "_types": {"sklearn"},
    "_state": {"numpy"},
    "_expected": {"numpy"},
    "_attributes.sizes": {"numpy"},
    "_attributes.vocabulary": {"numpy"},
    "_attributes.numbers": {"numpy"},
    "_attributes.wide": {"numpy"},
    "_attributes.network": {"numpy"},
    "_attributes.y": {"numpy"},
    "_attributes.progress": {"numpy"},
    "_attributes": {"sklearn"},
    "_callbacks": {"sklearn"},
    "_outputs": {"numpy", "sklearn"},
    "_stream": {"numpy", "sklearn"},
    "_docs_of_parameters": set(),
    "_docs_of_writers": set(),
    "_docs": set(),
    "_base": {"numpy", "sklearn"},
    "_encoder": {"sklearn"},
    "_prompts": {"numpy"},
    "_language_model": {"numpy", "sklearn"},
    "_tagger": {"numpy", "sklearn"},
    "_predictors": {"numpy", "sklearn"},
    "_from_vectors": {"numpy", "sklearn"},
    "_decoder": {"sklearn"},
    "_seq2seq": {"numpy", "sklearn"},
    "_classifier": {"sklearn"},
    "_regressor": {"sklearn"},
    "_ensemble": {"numpy", "sklearn"},
    "__init__": set(),
    "metrics": {"numpy", "sklearn"},
    "distributed": {"numpy", "sklearn"},
    "experimental": set(),
    "experimental.enable_triton": {"triton"},
    "export._plain": {"numpy"},
    "export._state_dict": {"sklearn", "torch"},
    "export._safetensors": {"safetensors"},
    "export._compression": {"numpy"},
    "export._page_reading": {"numpy"},
    "export._fitted": {"sklearn"},
    "export._page": {"numpy", "sklearn"},
    "export._html": {"sklearn"},
    "export._onnx_reading": set(),
    "export._inputs": {"numpy"},
    "export._onnx_graph": {"numpy", "onnx"},
    "export._onnx_chain": {"numpy"},
    "export._onnx_network": {"numpy"},
    "export._onnx_series": {"numpy"},
    "export._onnx": {"numpy"},
    "export._torch_layers": {"numpy", "torch"},
    "export._torch_network": {"torch"},
    "export._torch": {"numpy", "torch"},
    "export": set(),
    "inspection._drawing": {"matplotlib", "numpy"},
    "inspection._fitted": {"numpy", "sklearn"},
    "inspection._states": {"numpy"},
    "inspection._hidden_states": {"numpy", "sklearn"},
    "inspection._plane": {"numpy", "sklearn"},
    "inspection._trajectory": {"numpy"},
    "inspection._embedding": {"numpy"},
    "inspection._recurrence": {"numpy"},
    "inspection._loss_curve": {"matplotlib", "numpy"},
    "inspection._attention": set(),
    "inspection._importances": {"numpy", "sklearn"},
    "inspection._staged": {"numpy", "sklearn"},
    "inspection._animation": {"matplotlib", "numpy", "sklearn"},
    "inspection": set(),
}
# Which rooms never meet, though one is above the other.
APART = [("_heads", "_reading"), ("_reading", "_heads")]
STANDARD_LIBRARY = {
    "atexit",
    "base64",
    "collections",
    "concurrent",
    "contextlib",
    "contextvars",
    "copy",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "errno",
    "functools",
    "hashlib",
    "importlib",
    "io",
    "itertools",
    "json",
    "logging",
    "math",
    "multiprocessing",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "pkgutil",
    "queue",
    "re",
    "secrets",
    "signal",
    "stat",
    "sys",
    "textwrap",
    "threading",
    "time",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "warnings",
    "weakref",
    "zlib",
}


def path_of(module):
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


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
    tables_of_contents = {"_core.__init__", "_reading.__init__", "_heads.__init__"}
    files = {name.removesuffix(".__init__") for name in files - tables_of_contents}
    assert files == set(FLOORS)


@pytest.mark.parametrize("module", FLOORS)
def test_imports_go_one_way(module):
    above = list(FLOORS)[: list(FLOORS).index(module)]
    allowed = {f"skrnn.{other}" for other in above}
    for name in imports_of(path_of(module)):
        package = name.split(".")[0]
        if package == "skrnn":
            assert name in allowed, f"{module} must not import {name}"
        else:
            assert package in FLOORS[module] | STANDARD_LIBRARY, (
                f"{module} must not import {package}"
            )


# What computes losses, gradients and codes, whose values are arrays.
KERNELS = ["_core.gradient", "_core.output", "_core.adam", "_core.token_rows"]
KERNELS += ["_core.best_tags", "_core.crf", "_core.wide", "_core.attention"]
KERNELS += ["_core.ctc", "_core.ctc_search"]
KERNELS += [
    module for module in FLOORS if re.match(r"_core\.(cells|pooling|losses)\.", module)
]


@pytest.mark.parametrize("module", KERNELS)
def test_kernels_know_arrays_alone(module):
    """Nothing that they import, by whatever way, imports torch."""
    found, left = set(), [f"skrnn.{module}"]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            if name.removeprefix("skrnn.") in FLOORS:
                left += imports_of(path_of(name.removeprefix("skrnn.")))
    packages = {name.split(".")[0] for name in found} - STANDARD_LIBRARY
    assert packages <= {"skrnn", "numpy", "numba", "llvmlite"}


def test_every_package_is_installed():
    """An installation in place would find those that are not listed."""
    root = PACKAGE.parent
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    inits = PACKAGE.rglob("__init__.py")
    packages = {".".join(path.parent.relative_to(root).parts) for path in inits}
    assert set(project["tool"]["setuptools"]["packages"]) == packages


@pytest.mark.parametrize("room", ["_core", "_reading", "_heads"])
def test_a_room_lists_its_modules_in_this_order(room):
    doc = importlib.import_module(f"skrnn.{room}").__doc__
    listed = re.findall(r"^    (\w+) {2,}", doc, flags=re.MULTILINE)
    modules = [module.split(".")[1:] for module in FLOORS if module.startswith(room)]
    assert listed == [names[0] for names in modules if len(names) == 1]


@pytest.mark.parametrize("room, other", APART)
def test_rooms_that_never_meet(room, other):
    for path in (PACKAGE / room).rglob("*.py"):
        assert not [name for name in imports_of(path) if f"skrnn.{other}" in name]


@pytest.mark.parametrize("module", FLOORS)
def test_no_module_below_the_base_takes_an_estimator(module):
    """Callbacks, exports, displays and ensembles are given whole estimators."""
    above = {"_base", "_callbacks", "_encoder", "_classifier", "_regressor", "export"}
    above |= {"_ensemble", "inspection"}
    if module.split(".")[0] in above:
        return
    path = path_of(module)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            arguments = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
            assert "estimator" not in arguments, f"{module}.{node.name}"


@pytest.mark.parametrize("module", FLOORS)
def test_functions_are_short_and_take_few_parameters(module):
    path = path_of(module)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef):
            continue
        doc = ast.get_docstring(node, clean=False) or ""
        n_lines = node.end_lineno - node.lineno + 1 - len(doc.splitlines())
        assert n_lines <= 60, f"{module}.{node.name} has {n_lines} lines"
        arguments = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
        n_arguments = len(set(arguments) - {"self", "cls"})
        assert n_arguments <= 8, f"{module}.{node.name} takes {n_arguments}"
