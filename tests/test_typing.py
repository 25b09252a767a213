"""The stubs, as a user's type checker sees them."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.utils._param_validation import StrOptions

import skrnn
from skrnn import RNNClassifier, RNNEncoder, RNNRegressor, export
from skrnn._base import BaseRNN

PACKAGE = Path(skrnn.__file__).parent

SCRIPT = """
import numpy as np
from numpy.typing import NDArray
from skrnn import RNNClassifier, RNNEncoder, RNNRegressor, sequences_from_frame
from skrnn.export import load_safetensors, save_safetensors

X: list[str] = ["cat", "act"]
y: list[int] = [0, 1]
classifier: RNNClassifier = RNNClassifier(nhidden=(8, 4), cell="lstm").fit(X, y)
proba: NDArray[np.float64] = classifier.predict_proba(X)
score: float = classifier.score(X, y)
classifier.set_params(nhidden=3).partial_fit(X, y, classes=[0, 1])
codes: NDArray[np.float32] = RNNEncoder(random_state=0).fit(X).transform(X)
names = RNNEncoder().fit_transform(X, y).shape
values: NDArray[np.float64] = RNNRegressor(max_iter=3).fit(X, [0.5, 1.5]).predict(X)
h: RNNEncoder = classifier.encoder_
W: list[NDArray[np.float32]] = h.W_
sequences: list[object] = sequences_from_frame(None, group="a", columns="b")
both, groups = sequences_from_frame(None, group="a", columns="b", return_groups=True)
RNNClassifier(nhidden=np.int64(3), max_iter=np.int32(3))
save_safetensors(classifier, "file")
same = load_safetensors("file")
"""
WRONG = {
    "RNNClassifier(hidden=3)": "call-arg",
    "RNNClassifier(nhidden='3')": "arg-type",
    "RNNClassifier(cell='gruu')": "arg-type",
    "RNNClassifier().fit(['a'])": "call-arg",
    "RNNRegressor(class_weight=None)": "call-arg",
}


def run_mypy(folder, script):
    """What it prints of a script."""
    # mypy does not find packages that are installed in place.
    paths = {"MYPYPATH": str(PACKAGE.parent), "MYPY_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(script)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **paths},
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """What mypy says of the script, and of the wrong lines after it."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("typing")
    script = folder / "script.py"
    script.write_text(SCRIPT + "\n".join(WRONG))
    return run_mypy(folder, script)


def test_a_users_script_is_accepted(checked):
    n_lines = SCRIPT.count("\n")
    errors = [line for line in checked.splitlines() if line.startswith("script.py:")]
    assert [line for line in errors if int(line.split(":")[1]) <= n_lines] == []


@pytest.mark.parametrize("wrong", WRONG)
def test_mistakes_are_found(wrong, checked):
    line = SCRIPT.count("\n") + 1 + list(WRONG).index(wrong)
    assert any(
        f"script.py:{line}: error:" in text and f"[{WRONG[wrong]}]" in text
        for text in checked.splitlines()
    ), checked


def stub_functions():
    """The functions of the stubs by their dotted names, as syntax trees."""
    for module in ("skrnn", "skrnn.export"):
        file = "__init__.pyi" if module == "skrnn" else "export.pyi"
        for node in ast.parse((PACKAGE / file).read_text()).body:
            if isinstance(node, ast.FunctionDef):
                yield f"{module}.{node.name}", node
            elif isinstance(node, ast.ClassDef):
                functions = (n for n in node.body if isinstance(n, ast.FunctionDef))
                yield from ((f"{module}.{node.name}.{n.name}", n) for n in functions)


def in_code(name):
    module, _, rest = name.removeprefix("skrnn.").partition(".")
    owner = export if module == "export" else skrnn
    names = rest.split(".") if module == "export" else name.split(".")[1:]
    if names[0] == "_BaseRNN":
        owner, names = BaseRNN, names[1:]
    for part in names:
        owner = getattr(owner, part)
    return owner


STUBS = dict(stub_functions())


@pytest.mark.parametrize("name", STUBS)
def test_signatures_are_those_of_the_code(name):
    stub = STUBS[name]
    given = stub.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    n_without = len(given.args) - len(given.defaults)
    defaults = [None] * n_without + given.defaults + given.kw_defaults
    theirs = inspect.signature(in_code(name)).parameters
    names = [a.arg for a in arguments]
    names += [a.arg for a in (given.vararg, given.kwarg) if a is not None]
    assert sorted(names) == sorted(theirs)
    for argument, default in zip(arguments, defaults, strict=True):
        value = theirs[argument.arg].default
        kind = theirs[argument.arg].kind
        assert (argument in given.kwonlyargs) == (kind is kind.KEYWORD_ONLY)
        if default is None:
            assert value is inspect.Parameter.empty or stub.decorator_list
        elif not (isinstance(default, ast.Constant) and default.value is ...):
            assert ast.literal_eval(default) == value


@pytest.mark.parametrize("cls", [RNNClassifier, RNNEncoder, RNNRegressor])
def test_choices_are_those_of_the_code(cls):
    """Where a parameter takes one of some strings."""
    text = (PACKAGE / "__init__.pyi").read_text()
    for name, constraints in cls._parameter_constraints.items():
        options = [c.options for c in constraints if isinstance(c, StrOptions)]
        for chosen in options:
            (annotation,) = {
                ast.unparse(node.annotation)
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.arg) and node.arg == name and node.annotation
            }
            assert all(f"'{option}'" in annotation for option in chosen)


@pytest.mark.parametrize("cls", [RNNClassifier, RNNEncoder, RNNRegressor])
def test_every_public_method_is_in_the_stubs(cls):
    known = {name.rsplit(".", 1)[1] for name in STUBS}
    own = [name for base in (cls, BaseRNN) for name in vars(base) if name[0] != "_"]
    assert {name for name in own if not name.endswith("_request")} <= known
