"""The stubs, as a user's type checker sees them."""

import ast
import inspect
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Literal, Union, get_args, get_origin

import pytest
import stubs
from sklearn.utils._param_validation import StrOptions

import skrnn
from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNEnsemble,
    RNNLanguageModel,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
    distributed,
    export,
    inspection,
    metrics,
)
from skrnn._base import BaseRNN
from skrnn._core.group import Group
from skrnn._stream import Stream, TagStream

PACKAGE = Path(skrnn.__file__).parent

SCRIPT = """
import numpy as np
from numpy.typing import NDArray
from skrnn import RNNClassifier, RNNEncoder, RNNLanguageModel, RNNRegressor
from skrnn import RNNDecoder, RNNEnsemble, RNNSeq2Seq, RNNTagger, sequences_from_frame
from skrnn.export import from_torch, load_safetensors, save_safetensors, to_torch
from skrnn.inspection import HiddenStateDisplay, hidden_states
from skrnn.metrics import span_f1_score, span_precision_recall_fscore_support

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
model: RNNLanguageModel = RNNLanguageModel(8, recurrent_dropout=0.2).fit("text")
texts = model.sample(3, "t", temperature=0.5, stop="\\n")
p: NDArray[np.float64] = model.start().step("t")
sequences: list[object] = sequences_from_frame(None, group="a", columns="b")
both, groups = sequences_from_frame(None, group="a", columns="b", return_groups=True)
RNNClassifier(nhidden=np.int64(3), max_iter=np.int32(3))
save_safetensors(classifier, "file")
same = load_safetensors("file")
again: RNNClassifier = from_torch(to_torch(classifier), classifier)
f1: float = span_f1_score([["B-A", "O"]], [["O", "O"]], scheme="BIO")
of_each: NDArray[np.float64] = span_f1_score([["O"]], [["O"]], average=None)
of_all = span_precision_recall_fscore_support([["O"]], [["O"]], average="micro")
precision: float = of_all[0]
decoder: RNNDecoder = RNNDecoder(condition="start", beam_width=3).fit(codes, X)
best: list[list[tuple[object, float]]] = decoder.predict_n_best(codes, n_best=2)
writer: RNNSeq2Seq = RNNSeq2Seq(8, decoder_nhidden=(8, 8), attention=None).fit(X, X)
RNNSeq2Seq(decoder="ctc")
found: list[list[tuple[object, float]]] = writer.predict_n_best(X, n_best=2)
A: NDArray[np.float32] = writer.attention_weights("cat", "act")
log_p: float = RNNTagger().predict_n_best(X, n_best=2)[0][0][1]
ensemble: RNNEnsemble = RNNEnsemble(writer, 3, n_jobs=2, random_state=0).fit(X, X)
of_ensemble: list[list[tuple[object, float]]] = ensemble.predict_n_best(X)
stages: list[NDArray[np.float64]] = [*classifier.staged_predict_proba(X)]
H: list[NDArray[np.float32]] = hidden_states(classifier, X)
display: HiddenStateDisplay = HiddenStateDisplay.from_estimator(classifier, "cat")
"""
WRONG = {
    "RNNClassifier(hidden=3)": "call-arg",
    "RNNClassifier(nhidden='3')": "arg-type",
    "RNNClassifier(cell='gruu')": "arg-type",
    "RNNClassifier().fit(['a'])": "call-overload",
    "RNNSeq2Seq(decoder='gru')": "arg-type",
    "RNNRegressor(class_weight=None)": "call-arg",
    "RNNLanguageModel().sample(prompt='a', n=3)": "call-arg",
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


def test_parameters_in_the_stubs_are_those_of_the_code():
    """Or else run ``python tests/stubs.py``."""
    text = stubs.STUBS.read_text("utf-8")
    assert text == stubs.updated(text)


def stub_functions():
    """The functions of the stubs by their dotted names, as syntax trees."""
    files = {"skrnn": "__init__.pyi", "skrnn.export": "export/__init__.pyi"}
    files["skrnn.metrics"] = "metrics.pyi"
    files["skrnn.distributed"] = "distributed.pyi"
    files["skrnn.inspection"] = "inspection/__init__.pyi"
    for module, file in files.items():
        for node in ast.parse((PACKAGE / file).read_text()).body:
            if isinstance(node, ast.FunctionDef):
                yield f"{module}.{node.name}", node
            elif isinstance(node, ast.ClassDef):
                functions = (n for n in node.body if isinstance(n, ast.FunctionDef))
                yield from ((f"{module}.{node.name}.{n.name}", n) for n in functions)


UNDER_OTHER_NAMES = {"_BaseRNN": BaseRNN, "_Stream": Stream, "_TagStream": TagStream}
UNDER_OTHER_NAMES["_Ranks"] = Group


def in_code(name):
    module, _, rest = name.removeprefix("skrnn.").partition(".")
    modules = {"export": export, "inspection": inspection, "metrics": metrics}
    modules["distributed"] = distributed
    owner = modules.get(module, skrnn)
    names = name.split(".")[1:] if owner is skrnn else rest.split(".")
    if names[0] in UNDER_OTHER_NAMES:
        owner, names = UNDER_OTHER_NAMES[names[0]], names[1:]
    for part in names:
        owner = getattr(owner, part)
    if inspect.ismethod(owner):  # of the class
        return owner.__func__
    return owner.fget if isinstance(owner, property) else owner


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


def run_stubs():
    """The stubs as Python reads them, a dict: their dataclasses are classes as any."""
    text = (PACKAGE / "__init__.pyi").read_text("utf-8")
    found = {"__name__": "stubs_of_skrnn"}
    exec(compile(text, "__init__.pyi", "exec"), found)
    return found


RUN = run_stubs()
ESTIMATORS = [RNNClassifier, RNNEncoder, RNNLanguageModel, RNNRegressor, RNNTagger]
ESTIMATORS += [RNNDecoder, RNNSeq2Seq, RNNEnsemble]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_parameters_and_defaults_are_those_of_the_code(cls):
    stub = inspect.signature(RUN[cls.__name__]).parameters
    ours = inspect.signature(cls).parameters
    assert list(stub) == list(ours)
    for name, parameter in ours.items():
        assert stub[name].kind == parameter.kind
        # One that is too long for the stubs.
        default = ... if name == "token_pattern" else parameter.default
        assert stub[name].default == default
        assert type(stub[name].default) is type(default)


def test_each_parameter_stands_in_the_stubs_once():
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    names = [n.target.id for n in ast.walk(tree) if isinstance(n, ast.AnnAssign)]
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    made = [n for n in functions if n.name == "__init__"]
    names += [a.arg for n in made for a in ast.walk(n) if isinstance(a, ast.arg)]
    counts = {
        name: names.count(name) for name in inspect.signature(RNNClassifier).parameters
    }
    # The encoder has no wide path, so each of the others says it.
    of_wide = dict.fromkeys(("wide_ngram_range", "n_wide_features"), 2)
    # Some classes have other defaults, or fix parameters.
    names = "Language", "Tagger", "Decoder", "Seq2Seq", "Ensemble"
    others = (RUN[f"_{name}Parameters"] for name in names)
    again = [name for other in others for name in other.__annotations__]
    expected = {name: 1 + again.count(name) for name in counts}
    assert counts == {**expected, **of_wide}


def strings_in(hint):
    """The strings that a type lets through by name."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    is_union = get_origin(hint) in (Union, UnionType)
    return (
        {s for part in get_args(hint) for s in strings_in(part)} if is_union else set()
    )


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_choices_are_those_of_the_code(cls):
    """Where a parameter takes one of some strings."""
    hint_of = {field.name: field.type for field in fields(RUN[cls.__name__])}
    for name, constraints in cls._parameter_constraints.items():
        options = [c.options for c in constraints if isinstance(c, StrOptions)]
        assert strings_in(hint_of[name]) == {s for chosen in options for s in chosen}


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_public_method_is_in_the_stubs(cls):
    known = {name.rsplit(".", 1)[1] for name in STUBS}
    known |= {field.name for field in fields(RUN["RNNEncoder"])}
    known |= {field.name for field in fields(RUN[cls.__name__])}
    own = [name for base in (cls, BaseRNN) for name in vars(base) if name[0] != "_"]
    assert {name for name in own if not name.endswith("_request")} <= known
