"""Graphs of ONNX: what a runtime computes is what Python computes."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from exported import (
    LANGUAGES,
    NAMES,
    OF_SERIES,
    OF_TEXT,
    OTHERS,
    TOKENS,
    TOLD,
    TURNS,
    assert_close,
    fit,
    parameters_of,
    predicted,
    series,
)
from networks import ARCHITECTURES
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNEncoder, RNNLanguageModel, RNNTagger
from skrnn.export import to_onnx

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "user_guide"))

import tokeniser

GUIDE = Path(tokeniser.__file__).parent
NODE = shutil.which("node")


class Runtime:
    """A model in a runtime, which knows nothing of skrnn."""

    def __init__(self, model):
        onnx.checker.check_model(model, full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        content = self._session.get_modelmeta().custom_metadata_map["skrnn"]
        self.content = json.loads(content)
        self.reading = self.content["reading"]

    def __call__(self, X):
        """The outputs by name, for sequences."""
        if self.reading["kind"] == "series":
            inputs = padded(X, self.reading["n_features"])
        else:
            inputs = tokeniser.Tokeniser(self.reading)(X)
        names = [each.name for each in self._session.get_outputs()]
        return dict(zip(names, self._session.run(None, inputs), strict=True))


def padded(X, n_features):
    """Series as a graph takes them; what is behind their ends is to have no effect."""
    lengths = np.array([len(x) for x in X])
    x = np.full((len(X), lengths.max(), n_features), np.nan)
    for row, given in zip(x, X, strict=True):
        row[: len(given)] = given
    return {"x": x, "lengths": lengths}


def assert_same(estimator, run, X):
    """Together and one by one, what is predicted is the same."""
    theirs = predicted(estimator, X)
    for part in (slice(None), *(slice(i, i + 1) for i in range(len(X)))):
        outputs = run(X[part])
        ours = next(
            outputs[k] for k in ("probabilities", "numbers", "h") if k in outputs
        )
        if isinstance(estimator, RNNTagger):
            ours = [of_x[: len(x)] for of_x, x in zip(ours, X[part], strict=True)]
            for one, other in zip(ours, theirs[part], strict=True):
                assert_close(one, other)
        else:
            assert_close(ours, theirs[part])
    if hasattr(estimator, "predict") and hasattr(estimator, "classes_"):
        for one, other in zip(run(X)["label"], estimator.predict(X), strict=True):
            is_tagger = isinstance(estimator, RNNTagger)
            one = one[: len(other)] if is_tagger else one
            np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_all_networks(name, rng):
    parameters = parameters_of(name)
    of_tokens = fit(TOKENS, TURNS, **parameters, ngram_range=(1, 1))
    assert_same(of_tokens, Runtime(to_onnx(of_tokens)), TOLD)
    X = [rng.normal(size=(n, 2)) for n in (4, 1, 7, 4, 2, 9)]
    options = {**parameters, "n_wide_features": None}
    of_numbers = fit(X, ["a", "b"] * 3, **options)
    assert_same(of_numbers, Runtime(to_onnx(of_numbers)), X[::-1])


@pytest.mark.parametrize("name", OF_TEXT)
def test_strings_and_tokens(name):
    X, y, others, parameters = OF_TEXT[name]
    estimator = fit(X, y, **parameters)
    run = Runtime(to_onnx(estimator))
    assert_same(estimator, run, others)
    assert_same(estimator, run, X[:2])


@pytest.mark.filterwarnings("ignore:.* hold(s)? nothing but missing values")
@pytest.mark.parametrize("name", OF_SERIES)
def test_series_of_numbers(name):
    parameters, n_features = OF_SERIES[name]
    missing = 0.3 if "missing" in parameters else 0.0
    X = series(12, 30, n_features, missing)
    estimator = fit(X, [0, 1, 2] * 4, **parameters)
    run = Runtime(to_onnx(estimator))
    assert_same(estimator, run, series(7, 70, n_features, missing))
    assert_same(estimator, run, [x[:1] for x in X])


def test_tags_of_series():
    X = series(8, 9, 2)
    tagger = fit(X, [[int(a > 5) for a, _ in x] for x in X], RNNTagger)
    assert_same(tagger, Runtime(to_onnx(tagger)), series(5, 12, 2))


def test_tags_that_depend_on_each_other():
    tagger = fit(TOKENS, TOKENS, RNNTagger, transitions=True)
    run = Runtime(to_onnx(tagger))
    rng = np.random.default_rng(0)
    X = [list(rng.choice(["go", "left", "stop"], n)) for n in (3, 1, 400, 7)]
    assert_same(tagger, run, X)
    tagger.transitions_[0, 1] = -1e4  # is forbidden
    assert_same(tagger, Runtime(to_onnx(tagger)), X)


def test_thousands_of_features_are_those_of_python():
    """Each is a share of steps: had sums other rounding errors, shares would differ."""
    X = series(10, 400, 2)
    classifier = fit(X, [0, 1] * 5, n_wide_features=5000, kernel_sizes=None)
    assert_same(classifier, Runtime(to_onnx(classifier)), series(9, 400, 2))


def in_javascript(reading, X, folder):
    """Run the tokeniser in JavaScript, which prints what it makes of sequences."""
    if NODE is None:
        pytest.skip("no node is installed, which would run JavaScript")
    (folder / "given.json").write_text(json.dumps([reading, X]))
    (folder / "run.mjs").write_text(f"""
import {{ readFileSync }} from "node:fs";
import {{ Tokeniser }} from "{(GUIDE / "tokeniser.mjs").as_uri()}";
const [reading, X] = JSON.parse(readFileSync("{folder.as_posix()}/given.json"));
const inputs = new Tokeniser(reading).inputs(X);
const asNumbers = (key, value) => typeof value === "bigint" ? Number(value) : value;
const plain = Object.entries(inputs).map(([name, {{ type, data, dims }}]) => {{
  return [name, {{ type, data: Array.from(data), dims }}];
}});
console.log(JSON.stringify(Object.fromEntries(plain), asNumbers));
""")
    run = [NODE, str(folder / "run.mjs")]
    return subprocess.run(run, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("name", OF_TEXT)
def test_the_tokeniser_in_javascript_is_that_in_python(name, tmp_path):
    X, y, others, parameters = OF_TEXT[name]
    reading = Runtime(to_onnx(fit(X, y, **parameters))).reading
    done = in_javascript(reading, [*others, *X[:2]], tmp_path)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    expected = tokeniser.Tokeniser(reading)([*others, *X[:2]])
    assert found.keys() == expected.keys()
    for key in found.keys() - {"columns", "counts"}:
        assert found[key]["type"] == expected[key].dtype.name
        ours, theirs = np.reshape(found[key]["data"], found[key]["dims"]), expected[key]
        if ours.ndim == 3:  # the ids of a step, which are in no order if it is a set
            ours, theirs = np.sort(ours), np.sort(theirs)
        np.testing.assert_array_equal(ours, theirs)
    if "columns" in found:  # in any order
        columns, counts = (
            np.reshape(found[key]["data"], found[key]["dims"])
            for key in ("columns", "counts")
        )
        both = zip(
            columns, counts, expected["columns"], expected["counts"], strict=True
        )
        for of_ours, n_ours, of_theirs, n_theirs in both:
            ours = sorted(zip(of_ours[n_ours > 0], n_ours[n_ours > 0], strict=True))
            of_theirs, n_theirs = of_theirs[n_theirs > 0], n_theirs[n_theirs > 0]
            assert ours == sorted(zip(of_theirs, n_theirs, strict=True))


@pytest.mark.parametrize("has_wide", [True, False])
def test_integers_that_javascript_rounds_raise(has_wide, tmp_path):
    X = [[2**53, 1], [2**53 + 1, 1], [1]] * 4
    parameters = {} if has_wide else {"wide_ngram_range": None}
    reading = Runtime(to_onnx(fit(X, ["a", "b", "c"] * 4, **parameters))).reading
    assert (reading["wide"] is not None) == has_wide
    done = in_javascript(reading, X[:2], tmp_path)
    assert "RangeError: JavaScript rounds some of these tokens" in done.stderr
    assert done.stdout == ""
    others = [[token % 2**52 for token in x] for x in X]
    reading = Runtime(to_onnx(fit(others, ["a", "b", "c"] * 4))).reading
    assert in_javascript(reading, others[:2], tmp_path).stderr == ""


@pytest.mark.parametrize("X", [["a"] * 200_000, [[["a"]] * 1000] * 200])
def test_many_sequences_at_once_in_javascript(X, tmp_path):
    reading = Runtime(to_onnx(fit([X[0][:1]] * 4, [0, 1] * 2))).reading
    done = in_javascript(reading, X, tmp_path)
    assert done.stderr == ""
    assert json.loads(done.stdout)["lengths"]["dims"] == [len(X)]


def test_too_long_sequences_raise_in_tokenisers():
    reading = Runtime(to_onnx(fit(NAMES, LANGUAGES, max_length=7))).reading
    with pytest.raises(ValueError, match="9 steps, but max_length is 7"):
        tokeniser.Tokeniser(reading)(["Katzentür"])


@pytest.mark.parametrize("X", [[], "Katze"])
def test_tokenisers_want_a_list_of_sequences(X, tmp_path):
    """Without a sequence, onnxruntime would end the process by a signal."""
    reading = Runtime(to_onnx(fit(NAMES, LANGUAGES))).reading
    with pytest.raises(ValueError, match="X is empty or a string: a list of sequences"):
        tokeniser.Tokeniser(reading)(X)
    if NODE is None:
        pytest.skip("no node is installed, which would run JavaScript")
    (tmp_path / "run.mjs").write_text(f"""
import {{ Tokeniser }} from "{(GUIDE / "tokeniser.mjs").as_uri()}";
new Tokeniser({json.dumps(reading)}).inputs({json.dumps(X)});
""")
    run = [NODE, str(tmp_path / "run.mjs")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1
    assert ("X is empty" if len(X) == 0 else "X.map is not") in done.stderr


def test_metadata_says_what_a_graph_is():
    content = Runtime(to_onnx(fit(NAMES, LANGUAGES))).content
    assert content["estimator"] == "RNNClassifier"
    assert content["task"] == "classification"
    assert content["classes"] == ["de", "en", "es", "fr", "la"]
    encoder = Runtime(to_onnx(fit(NAMES, LANGUAGES).encoder_))
    assert "classes" not in encoder.content
    assert encoder(OTHERS)["h"].shape == (len(OTHERS), 4)


def test_the_encoder_of_a_classifier_has_no_wide_path():
    encoder = fit(NAMES, LANGUAGES).encoder_
    assert_same(encoder, Runtime(to_onnx(encoder)), OTHERS)


@pytest.mark.parametrize(
    "X, y, parameters, message",
    [
        (
            NAMES,
            LANGUAGES,
            {"strip_accents": lambda x: x},
            "to_onnx writes down how strings and tokens are read, but strip_accents is "
            "a function. Use 'unicode', 'ascii' or None, or apply the function before "
            "fit.",
        ),
        (
            NAMES,
            LANGUAGES,
            {"analyzer": lambda x: list(x)},
            "to_onnx writes down how strings and tokens are read, but analyzer is a "
            "function. Fit on what it returns, with analyzer='auto'.",
        ),
        (
            NAMES,
            LANGUAGES,
            {"analyzer": "word", "token_pattern": r"\w+"},
            r"to_onnx writes down how strings and tokens are read, but token_pattern "
            r"is '\\w+'. Use the default one, or fit on the lists that re.findall "
            "returns.",
        ),
        (
            ["ab", "ba"] * 4,
            ["\ud800", "b"] * 4,
            {},
            "This RNNClassifier has labels such as 'b', but ONNX has numbers and "
            "strings of UTF-8 only, and all of one type. Convert y before fit.",
        ),
    ],
)
def test_what_cannot_be_exported_raises(X, y, parameters, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        to_onnx(fit(X, y, **parameters))


@pytest.mark.parametrize(
    "estimator", [make_pipeline(RNNEncoder()), RNNLanguageModel(), None]
)
def test_other_estimators_raise(estimator):
    message = (
        "cannot be exported to ONNX: an RNNClassifier, RNNRegressor, RNNEncoder or "
        "RNNTagger was expected. For a pipeline, pass its skrnn step; for an ensemble, "
        "one of its estimators_; for other estimators of skrnn, use save_safetensors."
    )
    with pytest.raises(TypeError, match=re.escape(message)):
        to_onnx(estimator)


def test_estimators_must_be_fitted():
    with pytest.raises(NotFittedError):
        to_onnx(RNNClassifier())


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    message = (
        "skrnn.export needs onnx for this. Install it with `pip install skrnn[onnx]`."
    )
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        to_onnx(RNNClassifier())
