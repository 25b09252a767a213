"""Pages of estimators: what a browser computes is what Python computes."""

import html
import json
import re
import shutil
import subprocess
import tomllib
from copy import copy
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNEncoder, RNNLanguageModel, RNNRegressor, export
from skrnn._core.architecture import Architecture
from skrnn.export import _page, to_html

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
    for cell in _page.KNOWN["cell"]:
        yield f"{cell}", of(*names, cell=cell)
        yield f"{cell}, plain", of(*names, cell=cell, pooling="last", **plain)
        deep = {"nhidden": (5, 3), "bidirectional": True, **plain}
        yield f"{cell}, deep", of(*names, cell=cell, pooling="mean", **deep)
        yield f"{cell}, both", of(*names, cell=cell, bidirectional=True)
    for pooling in _page.KNOWN["pooling"]:
        yield pooling, of(*names, nhidden=(3, 4), pooling=pooling)
    for activation in _page.KNOWN["activation"]:
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
    random = np.random.default_rng(0).choice(list("abcdefgh"), (40, 6))
    random = ["".join(x) for x in random]
    large = {"nhidden": 128, "max_iter": 1}
    yield "large", of(random, ["x", "y"] * 20, random[:4], **large)
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
# Those that are also written with rounded weights.
ROUNDED = ["large", "lstm, deep", "embeddings", "words", "number", "encoder"]
# What is appended to a page, to hand its numbers to the page around it.
PROBE = """<script>
ready.then((network) => setTimeout(() => {
  const results = TYPED.map((typed) => {
    try {
      const reading = network.read(typed), steps = [...reading.tokens.keys(), -1];
      return steps.map((t) => [...reading.after(t + 1).numbers]);
    } catch (error) {
      return error.message;
    }
  });
  const find = (selector) => [...document.querySelectorAll(selector)];
  const texts = (selector) => find(selector).map((element) => element.textContent);
  const problem = texts("#problem")[0], typed = find("#typed")[0];
  typed.value = TYPED[0];
  typed.dispatchEvent(new Event("input"));
  const tokens = texts(".step .token"), says = texts(".step .says");
  find(".step input")[0].click();
  const heard = texts("#heard")[0], labels = texts("#bars th");
  const about = texts("#about")[0], check = texts("#check")[0];
  const wide = document.documentElement.scrollWidth;
  const counts = ["script", "img", "svg", "iframe"].map((name) => find(name).length);
  const seen = { problem, tokens, says, heard, labels, about, check, wide, counts };
  parent.postMessage({ name: NAME, results, ...seen }, "*");
}));
</script></body>"""
# And the page around them, which collects them, in ASCII.
AROUND = """<!DOCTYPE html><body><pre></pre><script>
const found = [];
addEventListener("message", ({ data }) => {
  found.push(data);
  const escape = (c) => "\\\\u" + c.charCodeAt(0).toString(16).padStart(4, "0");
  const text = JSON.stringify(found).replace(/[^ -~]/g, escape);
  document.querySelector("pre").textContent = text;
});
</script>FRAMES</body>"""


@pytest.fixture(scope="module")
def fitted():
    """By the name of a page, an estimator with its weights, and what is typed."""
    pages = {
        name: (estimator.fit(X, y), typed)
        for name, (estimator, X, y, typed) in CASES.items()
    }
    for name in ROUNDED:
        estimator, typed = pages[name]
        pages[f"{name}, rounded"] = with_rounded_weights(estimator), typed
    return pages


def with_rounded_weights(estimator):
    """A copy with tables in steps, powers of 2: 20 to 40 in a standard deviation."""

    def rounded(table):
        step = 2.0**20
        while step > np.std(table, dtype=float) / 20:
            step /= 2
        return np.array(np.round(table / step) * step, np.float32)

    other = copy(estimator)
    other.U_ = list(map(rounded, other.U_))
    for name in ("embeddings_", "wide_coef_"):
        if hasattr(other, name):
            setattr(other, name, rounded(getattr(other, name)))
    return other


@pytest.fixture(scope="module")
def found(fitted, tmp_path_factory):
    """What a browser computes on the pages of all cases, in frames of one page."""
    if BROWSER is None:
        pytest.skip("no chromium is installed, which would compute what pages show")
    folder = tmp_path_factory.mktemp("pages")
    frames = ""
    for i, (name, (_, X)) in enumerate(fitted.items()):
        path = folder / f"{i}.html"
        case = name.removesuffix(", rounded")
        weights = "exact" if case == name else "rounded"
        to_html(fitted[case][0], path, weights=weights)
        probe = PROBE.replace("NAME", json.dumps(name))
        probe = probe.replace("TYPED", as_typed(X, path).replace("<", "\\u003c"))
        before, after = path.read_text("utf-8").rsplit("</body>", 1)
        path.write_text(before + probe + after, "utf-8")
        frames += f'<iframe src="{path.name}" width="390" height="800"></iframe>'
    around = folder / "around.html"
    around.write_text(AROUND.replace("FRAMES", frames), "utf-8")
    content = re.search("<pre>(.*?)</pre>", dumped(around), re.DOTALL)[1]
    return {each["name"]: each for each in json.loads(html.unescape(content))}


def content_of(path):
    """What a page knows of its estimator."""
    pattern = '<script type="application/json" id="model">(.*?)</script>'
    return json.loads(re.search(pattern, path.read_text("utf-8"))[1])


def as_typed(X, path):
    """Sequences as they are typed, as a list in JavaScript."""
    separator = content_of(path)["reading"]["separator"]
    typed = [x if isinstance(x, str) else separator.join(map(str, x)) for x in X]
    return json.dumps(typed)


def dumped(path):
    """The document of a page, as HTML, after its scripts have run."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    options += ["--allow-file-access-from-files", "--virtual-time-budget=60000"]
    run = [BROWSER, *options, path.as_uri()]
    done = subprocess.run(run, capture_output=True, check=True, timeout=600)
    return done.stdout.decode()


def numbers_of(estimator, X):
    methods = ("predict_proba", "predict", "transform")
    method = next(name for name in methods if hasattr(estimator, name))
    return np.reshape(getattr(estimator, method)(X), (len(X), -1))


@pytest.mark.parametrize("name", [*CASES, *(f"{name}, rounded" for name in ROUNDED)])
def test_numbers_are_those_of_python(name, fitted, found):
    estimator, X = fitted[name]
    assert found[name]["problem"] == ""
    for x, ours in zip(X, found[name]["results"], strict=True):
        # After each step, and before the first one, where steps are parts of x.
        beginnings = [*(x[: t + 1] for t in range(len(x))), x[:0]]
        if estimator.kind_ == "words" or name in ("ascii", "first", "last"):
            beginnings, ours = [x], ours[-2:][:1]
        theirs = numbers_of(estimator, beginnings)
        scale = np.maximum(1, np.abs(theirs))
        assert (np.abs(np.array(ours) - theirs) / scale).max() <= 1e-5


@pytest.mark.parametrize("name", ROUNDED)
def test_a_page_says_what_rounding_does_to_its_numbers(name, fitted, found, tmp_path):
    assert "rounded" not in found[name]["about"] + found[name]["check"]
    page = found[f"{name}, rounded"]
    assert page["about"].endswith("in your browser, with rounded weights.")
    to_html(fitted[name][0], tmp_path / "page.html", weights="rounded")
    example = content_of(tmp_path / "page.html")["example"]
    theirs = np.array(example["unrounded"])
    scale = np.maximum(1, np.abs(theirs))
    change = (np.abs(np.array(example["numbers"]) - theirs) / scale).max()
    said = re.search(
        "with the same rounded weights, .* from these by (.*) at most", page["check"]
    )
    assert 0 < change < 0.1
    assert float(said[1]) == pytest.approx(change, rel=0.5)


@pytest.mark.parametrize("name", CASES)
def test_nothing_but_the_page_is_on_the_page(name, found):
    """Nothing is loaded, and no label or token has become an element or a script."""
    n_scripts = found["gru"]["counts"][0]
    assert found[name]["counts"] == [n_scripts, 0, 1, 0]


def test_hostile_labels_and_tokens_are_text(found):
    shown = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>"]
    shown += ["U+2028'\"`", "U+D800 & <!--"]
    assert sorted(found["hostile"]["labels"]) == sorted(shown)
    assert found["hostile tokens"]["labels"] == found["hostile"]["labels"]
    assert found["hostile"]["tokens"] == ["<", "b", ">"]
    assert found["hostile tokens"]["tokens"] == [HOSTILE[0], "x"]


@pytest.mark.parametrize("name", ["gru", "words", "tokens", "labels", "number"])
def test_rows_are_steps_and_choosing_one_shows_what_is_predicted_there(name, found):
    expected = {"words": ["The", "gato", "sat", ",", "12²x", "!"], "tokens": TOLD[0]}
    expected = expected.get(name, list("cat"))
    assert found[name]["tokens"] == expected
    assert found[name]["heard"] == f"After “{expected[0]}”"
    assert all(found[name]["says"])


def test_an_encoder_has_no_verdict(found):
    assert found["encoder"]["labels"] == []
    assert not any(found["encoder"]["says"])


@pytest.mark.parametrize("name", CASES)
def test_a_phone_shows_the_full_width(name, found):
    assert found[name]["wide"] <= 390


# What a user does: reads step by step, then types what is too long.
PLAY = """<script>
const wait = (milliseconds) => new Promise((then) => setTimeout(then, milliseconds));
const type = (text) => {
  $("typed").value = text;
  $("typed").dispatchEvent(new Event("input"));
};
ready.then(async () => {
  const heard = [];
  type("abca");
  $("form").requestSubmit();
  for (let i = 0; i < 5; i++) {
    heard.push($("heard").textContent);
    await wait(PACE + 5);
  }
  document.title = heard.join(", ");
  type("abcab");
});
</script></body>"""


def test_a_page_plays_and_says_why_it_does_not_read(tmp_path):
    if BROWSER is None:
        pytest.skip("no chromium is installed, which would play")
    X, y = ["abc", "cba"] * 4, [0, 1] * 4
    path = tmp_path / "page.html"
    to_html(fit(X, y, max_length=4), path)
    path.write_text(path.read_text("utf-8").replace("</body>", PLAY), "utf-8")
    shown = dumped(path)
    heard = "Before any step, After “a”, After “ab”, After “abc”, After “abca”"
    assert f"<title>{heard}</title>" in shown
    message = "This has 5 steps, but max_length is 4."
    assert f'<p id="problem" role="alert">{message}</p>' in shown


def test_a_page_loads_nothing(tmp_path, fitted):
    path = tmp_path / "page.html"
    to_html(fitted["gru"][0], path)
    page = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert "default-src 'none'" in page
    for word in ("http:", "https:", "src=", "href=", "@import", "url(", "fetch("):
        assert word not in page


def test_a_page_of_characters_is_small(tmp_path):
    rng = np.random.default_rng(0)
    names = ["".join(x) for x in rng.choice(list(map(chr, range(65, 123))), (90, 7))]
    options = {"ngram_range": (1, 1), "wide_ngram_range": None, "max_iter": 1}
    classifier = RNNClassifier(100, **options).fit(names, list(range(18)) * 5)
    to_html(classifier, tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 400_000


def test_every_file_of_the_page_is_installed():
    root = Path(export.__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["skrnn.export"]
    assert "page/*" in patterns


def fit(X, y, cls=RNNClassifier, **parameters):
    return cls(nhidden=3, max_iter=1, **parameters).fit(X, y)


SERIES = np.random.default_rng(0).normal(size=(8, 5))
READS = "^to_html writes a page that reads strings or tokens as they are typed, but "


@pytest.mark.parametrize(
    "make, error, message",
    [
        (
            lambda: make_pipeline(fit(NAMES, LANGUAGES)),
            TypeError,
            "^a Pipeline cannot be exported to a page: an RNNClassifier, RNNRegressor "
            "or RNNEncoder was expected. For a pipeline, pass its skrnn step; for an "
            "ensemble, one of its estimators_; for ",
        ),
        (
            lambda: RNNLanguageModel(3, max_iter=1).fit(NAMES),
            TypeError,
            "^an RNNLanguageModel cannot be exported to a page: ",
        ),
        (RNNClassifier, NotFittedError, "^This RNNClassifier instance is not fitted"),
        (
            lambda: fit(SERIES, [0, 1] * 4),
            ValueError,
            f"{READS}the estimator reads sequences of numbers. Pass strings or ",
        ),
        (
            lambda: fit([[{"a": "b"}], [{"a": "c"}]] * 4, [0, 1] * 4),
            ValueError,
            f"{READS}the estimator reads sequences of features. Pass strings or ",
        ),
        (
            lambda: fit(NAMES, LANGUAGES, analyzer=str.upper),
            ValueError,
            f"{READS}analyzer is a method_descriptor. Fit on what it returns, with ",
        ),
        (
            lambda: fit(NAMES, LANGUAGES, strip_accents=str.upper),
            ValueError,
            f"{READS}strip_accents is a method_descriptor. Use 'unicode', 'ascii' or ",
        ),
        (
            lambda: fit(NAMES, LANGUAGES, analyzer="word", token_pattern="[a-z]+"),
            ValueError,
            f"{READS}token_pattern is '\\[a-z\\]\\+'. Use the default one, or fit on ",
        ),
        (
            lambda: fit([["a", 1], ["a", 2]] * 4, [0, 1] * 4),
            ValueError,
            f"{READS}some tokens are strings, and some integers. Make all of them ",
        ),
    ],
)
def test_what_has_no_page(make, error, message, tmp_path):
    with pytest.raises(error, match=message):
        to_html(make(), tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_attributes_that_fit_would_not_have_set_have_no_page(tmp_path):
    classifier = fit(NAMES, LANGUAGES)
    classifier.V_ = np.full_like(classifier.V_, np.nan)
    with pytest.raises(ValueError, match=r"^V_ of .* It was changed after the fit"):
        to_html(classifier, tmp_path / "page.html")


def test_a_network_that_pages_do_not_know():
    architecture = Architecture((3,), cell="clockwork")
    message = (
        "to_html knows the values rnn, gru, lstm of cell, but this RNNClassifier has "
        "cell='clockwork'. Use one of them, or save_safetensors."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        _page.check_network("to_html", "RNNClassifier", architecture)
