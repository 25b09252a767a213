"""What the attributes of a fit must be, whoever sets them: files that were changed."""

import json
import random
import re
import sys
import tracemalloc
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch

from skrnn import RNNClassifier, RNNEncoder, export
from skrnn._attributes.sizes import layout_of
from skrnn._core.public import shapes_of

sys.path.append(str(Path(__file__).parent / "states"))

from make import fitted
from ways import by_pickle, by_safetensors, by_skops, by_state_dict

FITTED = fitted()


@pytest.fixture
def tampering():
    pytest.importorskip("skops.io")
    pytest.importorskip("safetensors")
    import tampering

    return tampering


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(4))
def test_a_tampered_file_is_refused_or_predicts(tampering, seed):
    """`python tests/soak.py` makes many more attempts."""
    attempts = tampering.Attempts(random.Random(seed))
    for _ in range(100):
        outcome, damage = attempts.one()
        assert outcome in tampering.PROMISED, damage


def test_a_small_file_takes_little_memory(tampering):
    for name, (estimator, _) in FITTED.items():
        saved = export.to_state_dict(estimator)
        for bomb, change in tampering._BOMBS.items():
            content = change(json.loads(saved["skrnn"]))
            text = content if isinstance(content, str) else json.dumps(content)
            tracemalloc.start()
            with suppress(ValueError):  # without n-grams, say, a long one does no harm
                export.from_state_dict({**saved, "skrnn": text})
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < 40 * len(text) + 2**20, (name, bomb)


def test_tensors_that_share_memory_are_refused():
    saved = export.to_state_dict(FITTED["labels"][0])
    for tensor in (torch.zeros(1).expand(10**12), saved["W_.0"].view(-1)):
        with pytest.raises(ValueError, match=r"^The tensors share memory\. The output"):
            export.from_state_dict({**saved, "V_": tensor})


def put(*path, value):
    """A function that sets an entry of a state."""

    def change(state):
        for key in path[:-1]:
            state = state[key]
        state[path[-1]] = value

    return change


def drop(*path):
    """A function that deletes an entry of a state."""

    def change(state):
        for key in path[:-1]:
            state = state[key]
        del state[path[-1]]

    return change


def edit(*path, change):
    """A function that replaces an array of a state."""

    def edited(state):
        for key in path[:-1]:
            state = state[key]
        state[path[-1]] = change(state[path[-1]].copy())

    return edited


def with_first(value):
    """A function that sets the first number of an array."""

    def change(array):
        array.reshape(-1)[0] = value
        return array

    return change


def without_last(array):
    return array[..., :-1]


def with_filters(state):
    """What only networks that read series have, if they predict y."""
    state["_architecture"].update(kernel_sizes=((3,),), n_filters=3)


def with_fitting_filters(state):
    """The same, and weights of the shapes that these filters ask for."""
    with_filters(state)
    for name, shape in shapes_of(layout_of(state)).items():
        is_list = isinstance(shape, list)
        parts = [np.zeros(each, np.float32) for each in (shape if is_list else [shape])]
        state[name] = parts if is_list else parts[0]


CHANGES = [
    (
        "n-grams",
        edit("V_", change=with_first(np.nan)),
        "V_ of .* not finite or too large",
    ),
    (
        "n-grams",
        edit("V_", change=without_last),
        r"V_ .*\(2, 1\) instead of finite num",
    ),
    (
        "n-grams",
        edit("U_", 0, change=without_last),
        r"U_\[0\] of this RNNClassifier is an",
    ),
    ("n-grams", edit("W_", 0, change=np.ravel), r"W_\[0\] of this RNNClassifier is an"),
    ("n-grams", put("V_", value=[[1.0]]), "V_ of this RNNClassifier is a list instead"),
    (
        "n-grams",
        put("W_", value=[]),
        r"W_ .* a list of length 0 instead of a list of le",
    ),
    ("n-grams", drop("b_"), "b_ of this RNNClassifier is missing instead of a list of"),
    ("n-grams", drop("intercept_"), "intercept_ of this RNNClassifier is missing"),
    ("n-grams", drop("_grams"), r"U_\[0\] of this RNNClassifier is an array"),
    (
        "n-grams",
        edit("_grams", "ids", 0, change=np.flip),
        "_grams .* the n-grams of voca",
    ),
    ("n-grams", put("_grams", "ngram_range", value=(1, 10**6)), "_grams of this RNN"),
    ("n-grams", put("_reading", "ngram_range", value=(1, 1)), r"U_\[0\] of|_grams of"),
    ("n-grams", put("vocabulary_", "a", value=10**9), "vocabulary_ .* numbered from 1"),
    ("n-grams", put("vocabulary_", value={}), "vocabulary_ of .* numbered from 1"),
    ("n-grams", put("classes_", value=np.array(["b", "a"])), "classes_ .* sorted"),
    ("n-grams", put("classes_", value=np.array(["a"])), "V_ of this RNNClassifier"),
    ("n-grams", put("kind_", value="series"), "mean_ of this RNNClassifier is missing"),
    ("n-grams", put("kind_", value="words"), "_grams of this|U_.0. of this"),
    ("n-grams", put("task_", value="next_step"), "task_ .* instead of nothing"),
    ("n-grams", drop("_is_multilabel"), "_is_multilabel of this RNNClassifier is mi"),
    ("n-grams", put("n_iter_", value=2), "loss_curve_ of .* a list of 2 numbers"),
    ("n-grams", put("encoder_", value={"a": 1}), "encoder_ .* a dict instead of a fit"),
    ("n-grams", put("encoder_", value=RNNEncoder()), "encoder_ .* a fitted RNNEncoder"),
    ("n-grams", put("predict", value="a"), "predict is an attribute of this .* of its"),
    ("n-grams", put("_head", value=None), "_head is an attribute of this .* of its cl"),
    (
        "n-grams",
        put("_state_format", value=[1]),
        "This RNNClassifier was saved by .* in",
    ),
    (
        "n-grams",
        put("vocabulary_", value={"_keys_and_values": [1]}),
        "vocabulary_ of .*re",
    ),
    ("words", put("_reading", "token_pattern", value="("), "token_pattern is '\\('"),
    ("words", put("_reading", "missing", value="x"), "'missing' parameter of this RNN"),
    (
        "words",
        put("_reading", "analyzer", value="char"),
        "kind_ of .* instead of 'text'",
    ),
    ("words", drop("_reading", "shortest"), r"_reading\['shortest'\] of .* is missing"),
    (
        "layers",
        put("_architecture", "nhidden", value=(3, 3)),
        r"W_\[2\] of this RNNEnco",
    ),
    (
        "layers",
        put("_architecture", "nhidden", value=(10**12,)),
        "W_ of this RNNEncoder",
    ),
    ("layers", put("_architecture", "cell", value="x"), r"_architecture\['cell'\] of"),
    ("layers", put("_architecture", "foo", value=1), r"_architecture\['foo'\] of this"),
    ("layers", put("task_", value="regression"), "target_mean_ of this RNNEncoder is"),
    ("layers", put("task_", value=["a"]), "task_ of this RNNEncoder is a list instead"),
    ("series", put("patch_length_", value=10**8), r"U_\[0\] of this RNNRegressor is"),
    ("filters", put("patch_length_", value=10**8), "patch_length_ of this RNNRegres"),
    (
        "filters",
        put("_architecture", "stride", value=10**8),
        "patch_length_ of this RNNRegressor is",
    ),
    (
        "filters",
        put("_architecture", "kernel_sizes", value=((10**12,),)),
        "filters_ of this RNNRegressor",
    ),
    (
        "filters",
        put("_architecture", "kernel_sizes", value=(3, 9)),
        r"_architecture\['kernel_sizes'\] of this RNNRegressor is .* tuple of tuples",
    ),
    (
        "filters",
        put("_architecture", "n_filters", value=10**12),
        r"U_\[0\] of this RNNRegressor",
    ),
    (
        "filters",
        put("_architecture", "n_filters", value=0),
        "_architecture of .* a network",
    ),
    ("n-grams", with_filters, "_architecture of .* a network without filters"),
    ("next step", with_filters, "_architecture of .* a network without filters"),
    (
        "next numbers",
        with_fitting_filters,
        "_architecture of .* a network without filters",
    ),
    (
        "tags of series",
        with_fitting_filters,
        "_architecture of .* a network without filters",
    ),
    (
        "series",
        put("scale_", value=np.zeros(1)),
        "scale_ of .* numbers from 0.0 to 0.0",
    ),
    ("series", edit("mean_", change=with_first(np.inf)), "mean_ of .* not finite"),
    ("series", put("mean_", value=np.zeros(0)), r"mean_ of .* \(0,\) instead of"),
    ("series", put("_reading", "differences", value=10**9), "difference_scale_ of"),
    (
        "series",
        put("_reading", "missing", value="error"),
        r"U_\[0\] of this RNNRegressor",
    ),
    ("series", drop("target_scale_"), "target_scale_ of this RNNRegressor is missing"),
    ("vectors", edit("embeddings_", change=without_last), r"U_\[0\] of this RNNClass"),
    (
        "vectors",
        edit("embeddings_", change=np.float64),
        "embeddings_ of .*finite float32",
    ),
    (
        "vectors",
        edit("_given_ids", change=with_first(99)),
        "_given_ids of .* from 1 to",
    ),
    ("vectors", drop("_given_ids"), "_given_ids of this RNNClassifier is missing"),
    (
        "chunks",
        edit("_training", "mean", change=without_last),
        r"_training\['mean'\] of",
    ),
    (
        "chunks",
        edit("_training", "square", change=with_first(-1)),
        r"_training\['square'",
    ),
    (
        "chunks",
        put("_training", "generator", value=np.zeros(5056, np.uint8)),
        "_training",
    ),
    ("next step", edit("V_", change=without_last), "V_ of this RNNEncoder is an array"),
    (
        "next step",
        put("classes_", value=np.arange(3)),
        "classes_ of this .* be missing",
    ),
    ("tokens", put("vocabulary_", value={1.5: 1, 2: 2}), "vocabulary_ of this RNNEnc"),
]


def copied(state):
    """A copy in which entries may be changed."""
    if isinstance(state, dict):
        return {key: copied(value) for key, value in state.items()}
    return list(state) if isinstance(state, list) else state


@pytest.mark.parametrize("name, change, sentence", CHANGES)
def test_what_no_fit_would_set_is_refused(name, change, sentence):
    state = copied(FITTED[name][0].__getstate__())
    change(state)
    other = type(FITTED[name][0])()
    with pytest.raises(ValueError, match=f"(?s)^(The )?{sentence}"):
        other.__setstate__(state)


@pytest.mark.parametrize("way", [by_skops, by_state_dict, by_safetensors])
def test_no_way_of_saving_and_loading_lets_it_pass(way):
    estimator = deepcopy(FITTED["n-grams"][0])
    estimator.V_[0, 0] = np.nan
    sentence = (
        "V_ of this RNNClassifier is an array of dtype float32 and shape (2, 2) with "
        "numbers that are not finite or too large instead of finite numbers of shape "
        "(2, 2). It was changed after the fit, or in its file. Fit again, or save it "
        "again."
    )
    either = re.escape(sentence).replace("RNNClassifier", "RNN(Classifier|Encoder)")
    with pytest.raises(ValueError, match=f"^{either}$"):
        way(estimator)


@pytest.mark.parametrize("way", [by_state_dict, by_safetensors])
@pytest.mark.parametrize(
    "params, sentence",
    [
        ({"alpha": "a"}, "^The 'alpha' parameter of RNNClassifier must be a float in"),
        ({"nhidden": (2, 0)}, r"^nhidden is \(2, 0\): the numbers of hidden units"),
        ({"ngram_range": (3, 1)}, r"^ngram_range is \(3, 1\): the smallest and the la"),
        ({"activation": "relu"}, "^activation='relu' needs cell='rnn', but cell is"),
    ],
)
def test_parameters_are_validated_as_in_fit(params, sentence, way):
    classifier = deepcopy(FITTED["n-grams"][0]).set_params(**params)
    with pytest.raises(ValueError, match=sentence):
        way(classifier)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (
            {"predict": "a"},
            "^'predict' is no attribute of RNNClassifier that can be lo",
        ),
        ({"foo": 1}, "^'foo' is no attribute of RNNClassifier that can be loaded"),
        ({"encoder_": 1}, "^'encoder_' is no attribute of RNNClassifier that can be"),
        ({"alpha": "a"}, "^The 'alpha' parameter of RNNClassifier must be a float in"),
        ({"alpha": 10**400}, r"^learning_rate_init \* alpha is inf: it must be below"),
        ({"V_": {"array": "W_.0"}}, r"^The array 'W_\.0' is missing\. The output of"),
        ({"V_": {"array": ["W_"]}}, r"^The array \['W_'\] is missing\. The output of"),
        ({"V_": 1}, "^The array 'V_' is unknown. The output of to_state_dict"),
    ],
)
def test_unknown_content_is_refused(change, sentence):
    saved = export.to_state_dict(FITTED["n-grams"][0])
    content = json.loads(saved["skrnn"])
    content["state"].update(change)
    with pytest.raises(ValueError, match=sentence):
        export.from_state_dict({**saved, "skrnn": json.dumps(content)})


def array_of(kind, items, shape):
    return {"array of": kind, "items": items, "shape": shape}


UNKNOWN_FORMS = {
    "no form": {},
    "a name of another form": {"foo": 1},
    "a number for pairs": {"dict": 1},
    "numbers for pairs": {"dict": [1, 2]},
    "three for a pair": {"dict": [["a", 1, 2]]},
    "one for a pair": {"dict": [["a"]]},
    "a list for a key": {"dict": [[["a"], 1]]},
    "more rows than keys": {"dict of rows": ["a"], "rows": [1, 2]},
    "keys without rows": {"dict of rows": ["a"]},
    "a number for rows": {"dict of rows": ["a"], "rows": 3},
    "two forms at once": {"array": "vocabulary", "foo": 1},
    "a number for code points": {"code points": 1},
    "strings for code points": {"code points": ["a"]},
    "a code point below 0": {"code points": [-1]},
    "a code point above all": {"code points": [0x110000]},
    "a code point of many digits": {"code points": [10**30]},
    "a surrogate among strings": array_of("T", ["\ud83d"], [1]),
    "more entries than items": array_of("object", ["a"], [2]),
    "fewer entries than items": array_of("<U1", ["a", "b"], [1]),
    "a number of entries below 0": array_of("object", ["a"], [-1]),
    "a size of many digits": array_of("object", ["a"], [10**30]),
    "sizes of many digits": array_of("object", [], [0, 10**9, 10**12, 10**12]),
    "too many axes": array_of("object", ["a"], [1] * 100),
    "a string for a size": array_of("object", ["a"], ["a"]),
    "a number for sizes": array_of("object", ["a"], 1),
    "no sizes": array_of("object", ["a"], None),
    "a dtype that is too wide": array_of("<U999999999", [], [0]),
}


@pytest.mark.parametrize("key", ["alpha", "vocabulary", "vocabulary_", "_reading"])
@pytest.mark.parametrize("case", UNKNOWN_FORMS)
def test_unknown_forms_are_refused(case, key):
    saved = export.to_state_dict(FITTED["n-grams"][0])
    content = json.loads(saved["skrnn"])
    content["state"][key] = UNKNOWN_FORMS[case]
    sentence = (
        f"{key} has an unknown form. The output of to_state_dict or save_safetensors "
        "was expected."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        export.from_state_dict({**saved, "skrnn": json.dumps(content)})


DAMAGED_JSON = {
    "nothing": "",
    "half of it": lambda text: text[: len(text) // 2],
    "more than it": lambda text: text + text,
    "a key twice": lambda text: text[:-1] + ', "class": "RNNClassifier"}',
    "a parameter twice": lambda text: text[:-2] + ', "alpha": 0.1}}',
    "a number of many digits": lambda text: text[:-2] + f', "tol": {"1" * 10_000}}}}}',
    "many lists": lambda text: text[:-2] + f', "tol": {"[" * 10**5}{"]" * 10**5}}}}}',
    "many lists that are not closed": "[" * 10**6,
    "bytes that are not UTF-8": lambda text: text.encode() + b"\xff",
    "a number": "1",
    "NaN": "NaN",
    "a list": "[]",
    "a list for the class": '{"class": [], "state": {}}',
    "no state": '{"class": "RNNClassifier"}',
}


@pytest.mark.parametrize("case", DAMAGED_JSON)
def test_damaged_json_is_refused(case):
    saved = export.to_state_dict(FITTED["n-grams"][0])
    text = DAMAGED_JSON[case]
    text = text(saved["skrnn"]) if callable(text) else text
    sentence = (
        "This holds no estimator of skrnn. The output of to_state_dict or "
        "save_safetensors was expected."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        export.from_state_dict({**saved, "skrnn": text})


@pytest.mark.parametrize("state_dict", [None, [], 3, "a", {}, {"skrnn": 3}])
def test_what_is_no_state_dict_is_refused(state_dict):
    with pytest.raises(ValueError, match="The output of to_state_dict or save_safet"):
        export.from_state_dict(state_dict)


def test_unknown_tensors_are_refused():
    saved = export.to_state_dict(FITTED["n-grams"][0])
    with pytest.raises(ValueError, match=r"^The array 'foo' is unknown\. The output"):
        export.from_state_dict({**saved, "foo": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"^V_ is a list\. The output of to_state_di"):
        export.from_state_dict({**saved, "V_": [[1.0]]})


def test_attributes_of_users_are_kept_by_pickle_and_not_exported():
    classifier = deepcopy(FITTED["labels"][0])
    classifier.note = "mine"
    assert by_pickle(classifier).note == "mine"
    assert not hasattr(by_state_dict(classifier), "note")


def test_unfitted_estimators_are_not_validated():
    """Searches send them to other processes, and report errors of fit."""
    assert by_pickle(RNNClassifier(alpha="a")).alpha == "a"
