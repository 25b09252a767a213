"""Pages of estimators: what a browser computes is what Python computes."""

import html
import json
import re
import shutil
import subprocess
from typing import get_args

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor
from skrnn._core.cells import CELLS
from skrnn._core.pooling import PoolingName
from skrnn.export import to_html

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

NAMES = ["cat", "chat", "katze", "kater", "Straße", "mañana", "tacte", "cha cha"] * 2
LANGUAGES = ["en", "fr", "de", "de", "de", "es", "la", "es"] * 2
# Some of them unknown, in part or altogether.
TYPED = ["cat", "chatz", "", "z", "Ñandú", "🐈tac", "a\u2028b", "<b>t", "\ud800a"]
SENTENCES = [
    "The cat sat on the mat.",
    "El gato come pan, y queso.",
    "Der Hund war da!",
]
SENTENCES += ["a cat ate the bread", "El perro no come queso hoy", "Der Hund, das Tier"]
SAID = [
    "The gato sat, 12²x!",
    "",
    "ŒUVRE the ǅ İ ΣΑΣ",
    "no\x1fcome\u0085pan der_Hund",
]
TOKENS = [["go", "left", "stop"], ["go", "right"], ["stop"], ["left", "left", "go"]] * 3
TOLD = [["go", "go", "stop"], ["up"], ["left", "go", "right", "go"]]
TURNS = ["a", "b", "c", "a"] * 3
VECTORS = {"c": [0.5, -1], "a": [1, 0.25], "t": [0, 2.0]}
ALIGNED = ["acgt", "acga", "ttgt", "tcga", "acgg", "ttaa"] * 2
HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>"]
HOSTILE += ["\u2028'\"`", "\ud800 & <!--"]


def of(X, y, typed, cls=RNNClassifier, **parameters):
    options = {"nhidden": 4, "max_iter": 2, "random_state": 0, **parameters}
    return cls(**options), X, y, typed


def cases():
    names = NAMES, LANGUAGES, TYPED
    plain = {"ngram_range": (1, 1), "wide_ngram_range": None}
    for cell in CELLS:
        yield f"{cell}", of(*names, cell=cell)
        yield f"{cell}, plain", of(*names, cell=cell, pooling="last", **plain)
        deep = {"nhidden": (5, 3), "bidirectional": True, **plain}
        yield f"{cell}, deep", of(*names, cell=cell, pooling="mean", **deep)
        yield f"{cell}, both", of(*names, cell=cell, bidirectional=True)
    for pooling in get_args(PoolingName):
        yield pooling, of(*names, nhidden=(3, 4), pooling=pooling)
    for activation in ("relu", "identity"):
        yield activation, of(*names, cell="rnn", activation=activation)
    yield "identity W", of(*names, cell="rnn", recurrence="identity", activation="relu")
    yield "n-grams", of(*names, ngram_range=(2, 3), wide_ngram_range=(1, 2))
    yield "vocabulary", of(*names, vocabulary=["a", "t", "chat"], lowercase=True)
    yield "accents", of(*names, strip_accents="unicode", lowercase=True)
    yield "ascii", of(*names, strip_accents="ascii")
    yield "first", of(*names, max_length=5, overlong="first")
    yield "last", of(*names, max_length=5, overlong="last", bidirectional=True)
    yield "embeddings", of(*names, embeddings=VECTORS, bidirectional=True)
    labels = np.eye(3, dtype=int)[[0, 1, 2, 2, 2, 1, 0, 1] * 2]
    yield "labels", of(NAMES, labels, TYPED)
    yield "places", of(ALIGNED, [0, 1, 0, 1, 1, 0] * 2, ["acgta", "ag", "", "tttt"])
    longer = ["acgtacgtac", "ttgtacgaac", "acgaacgtcc", "ttttttttcc"] * 3
    yield "many places", of(longer, TURNS, ["acgtacgtacg", "tt"])
    sentences = SENTENCES * 2, ["en", "es", "de"] * 4, SAID
    yield "words", of(*sentences)
    yield "lower words", of(*sentences, lowercase=True, strip_accents="unicode")
    yield "plain words", of(*sentences, subwords=False, **plain)
    yield "tokens", of(TOKENS, TURNS, TOLD)
    yield "token pairs", of(TOKENS, TURNS, TOLD, ngram_range=(1, 2), subwords=True)
    spaced = [[f"{token} it" for token in x] for x in TOKENS]
    yield "spaces", of(spaced, TURNS, [["go it", "stop it"], ["go"]])
    numbers = [[len(token) for token in x] for x in TOKENS]
    options = {"analyzer": "token", "subwords": True}
    yield "integers", of(numbers, TURNS, [[2, 4], [4, 5, 5, 2], [7, 2]], **options)
    lengths = [float(len(name)) for name in NAMES]
    yield "number", of(NAMES, lengths, TYPED, RNNRegressor)
    both = np.column_stack([lengths, np.arange(16) / 7])
    yield "numbers", of(NAMES, both, TYPED, RNNRegressor, pooling="max")
    yield "encoder", of(*names, RNNEncoder, pooling="concat", bidirectional=True)
    yield "encoder of words", of(*sentences, RNNEncoder)
    yield "next step", of(NAMES, None, TYPED, RNNEncoder)
    strange = ["<b>", "</script>", "\u2028\u2029", "\ud800'\"&"]
    yield "hostile", of(strange * 3, HOSTILE * 3, [*strange, *HOSTILE])
    hostile_tokens = [[token, "x"] for token in HOSTILE] * 3
    yield "hostile tokens", of(hostile_tokens, HOSTILE * 3, hostile_tokens[:4])


CASES = dict(cases())
# What is appended to a page, to hand its numbers to the page around it.
PROBE = """<script>
ready.then((network) => setTimeout(() => {
  const results = TYPED.map((typed) => {
    const reading = network.read(typed), steps = [...reading.tokens.keys(), -1];
    return steps.map((t) => [...reading.after(t + 1).numbers]);
  });
  const text = document.body.innerText, check = network.example.text;
  const injected = document.querySelectorAll("img, iframe, body > script").length;
  const problem = document.getElementById("problem").textContent;
  parent.postMessage({ name: NAME, results, text, injected, problem }, "*");
}));
</script></body>"""
AROUND = """<!DOCTYPE html><body><script>
const found = [];
addEventListener("message", ({ data }) => {
  found.push(data);
  const text = JSON.stringify(found).replace(/[^ -~]/g, (c) =>
    "\\\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  document.title = found.length;
  document.body.querySelector("pre").textContent = text;
});
</script><pre></pre>FRAMES</body>"""


def typed_as(x, network_separator):
    return x if isinstance(x, str) else network_separator.join(map(str, x))


@pytest.fixture(scope="module")
def fitted():
    return {
        name: (estimator.fit(X, y), typed)
        for name, (estimator, X, y, typed) in CASES.items()
    }


@pytest.fixture(scope="module")
def found(fitted, tmp_path_factory):
    """What a browser computes on the pages of all cases, which one page frames."""
    if BROWSER is None:
        pytest.skip("no chromium is installed, which would compute what pages show")
    folder = tmp_path_factory.mktemp("pages")
    frames = ""
    for i, (name, (estimator, X)) in enumerate(fitted.items()):
        path = folder / f"{i}.html"
        to_html(estimator, path)
        page = path.read_text("utf-8")
        separator = re.search(r'"separator":(null|".+?")', page)[1]
        typed = json.dumps([typed_as(x, json.loads(separator)) for x in X])
        probe = PROBE.replace("TYPED", typed.replace("<", "\\u003c"))
        probe = probe.replace("NAME", json.dumps(name))
        page = "".join(page.rsplit("</body>", 1)[:1]) + probe + "</html>"
        path.write_text(page, "utf-8")
        frames += f'<iframe src="{path.name}" width="400" height="900"></iframe>'
    around = folder / "around.html"
    around.write_text(AROUND.replace("FRAMES", frames), "utf-8")
    dom = dumped(around)
    content = re.search(r"<pre>(.*?)</pre>", dom, re.DOTALL)[1]
    return {each["name"]: each for each in json.loads(html.unescape(content) or "[]")}


def dumped(path):
    """The document of a page, as HTML, after its scripts have run."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    options += ["--allow-file-access-from-files", "--virtual-time-budget=60000"]
    run = [BROWSER, *options, path.as_uri()]
    return subprocess.run(
        run, capture_output=True, check=True, timeout=120
    ).stdout.decode()


def numbers_of(estimator, X):
    for method in ("predict_proba", "predict", "transform"):
        if hasattr(estimator, method):
            result = getattr(estimator, method)(X)
            return np.asarray(result).reshape(len(X), -1)


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_python(name, fitted, found):
    estimator, X = fitted[name]
    assert found[name]["problem"] == ""
    for x, ours in zip(X, found[name]["results"], strict=True):
        # After each step, and before the first one, if steps are parts of x.
        beginnings = [*(x[: t + 1] for t in range(len(x))), x[:0]]
        if estimator.kind_ == "words" or name in ("ascii", "first", "last"):
            beginnings, ours = [x], ours[-2:][:1]
        theirs = numbers_of(estimator, beginnings)
        scale = np.maximum(1, np.abs(theirs))
        assert np.abs((np.array(ours) - theirs) / scale).max() <= 1e-5
