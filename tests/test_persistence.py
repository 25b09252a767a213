"""Fitted estimators, saved and loaded."""

import io
import json
import multiprocessing
import os
import pickle
import stat
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
import torch
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skrnn
from skrnn import (
    RNNClassifier,
    RNNEncoder,
    RNNEnsemble,
    RNNLanguageModel,
    RNNRegressor,
    RNNTagger,
    _files,
    _state,
    export,
)

STATES = Path(__file__).parent / "states"
sys.path.append(str(STATES))

from make import FILES, fitted, result  # noqa: E402
from ways import WAYS, by_pickle, by_safetensors, by_skops, by_state_dict  # noqa: E402

FITTED = fitted()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FITTED)
def test_a_copy_does_the_same(name, way):
    estimator, X = FITTED[name]
    other = way(estimator)
    assert type(other) is type(estimator)
    assert np.array_equal(result(other, X), result(estimator, X))
    assert repr(other) == repr(estimator)
    assert vars(other).keys() == vars(estimator).keys()
    for key in ("vocabulary_", "loss_curve_", "_reading", "_architecture"):
        assert getattr(other, key, None) == getattr(estimator, key, None)
    if hasattr(estimator, "encoder_"):
        same = np.array_equal(
            other.encoder_.transform(X), estimator.encoder_.transform(X)
        )
        assert same


@pytest.mark.parametrize("name", FITTED)
def test_memory_mapped_weights_are_only_read(name, tmp_path):
    estimator, X = FITTED[name]
    joblib.dump(estimator, tmp_path / "it")
    other = joblib.load(tmp_path / "it", mmap_mode="r")
    assert not other.V_.flags.writeable
    assert np.array_equal(result(other, X), result(estimator, X))


@pytest.mark.parametrize("way", [by_pickle, by_skops, by_state_dict])
def test_a_copy_learns_on(way):
    estimator, X = FITTED["chunks"]
    one, other = deepcopy(estimator), way(estimator)
    for each in (one, other):
        each.partial_fit(X, ["a", "b"] * 4)
    assert np.array_equal(one.V_, other.V_)


@pytest.mark.parametrize(
    "path", sorted(STATES.glob("*.pkl")), ids=lambda path: path.name
)
def test_what_earlier_versions_saved(path):
    for name, (estimator, X, expected) in pickle.loads(path.read_bytes()).items():
        # Processors differ in the last digits.
        np.testing.assert_allclose(
            result(estimator, X), expected, rtol=1e-4, atol=1e-6, err_msg=name
        )


def test_what_earlier_versions_saved_learns_on():
    saved = pickle.loads((STATES / "format_1.pkl").read_bytes())
    estimator, X, _ = saved["chunks"]
    n_epochs = estimator.n_iter_
    assert estimator.partial_fit(X, ["a", "b"] * 4).n_iter_ == n_epochs + 1


@pytest.mark.parametrize("name", FILES)
def test_this_format_has_files(name):
    assert (STATES / f"format_{_state.FORMAT}{name}.pkl").exists()


@pytest.mark.parametrize(
    "stamp, sentence",
    [
        (
            {"_skrnn_version": "9.1", "_state_format": 9},
            r"^This RNNClassifier was saved by skrnn 9\.1, in format 9 of its state\. ",
        ),
        ({}, "^This RNNClassifier carries no version of skrnn: .* Fit it again"),
    ],
)
def test_states_of_other_formats_are_refused(stamp, sentence):
    estimator, _ = FITTED["n-grams"]
    state = {**_state.checked(estimator.__getstate__(), ""), **stamp}
    with pytest.raises(ValueError, match=sentence):
        RNNClassifier().__setstate__(state)


ODD = {
    "keys that look alike": {"embeddings": {1: [1.0], "1": [2.0], "a.b": [3.0]}},
    "vectors": {"embeddings": {1: np.ones(2), "1": np.zeros(2)}},
    "a turned matrix": {"embeddings": (["a", "b"], np.eye(2)[::-1])},
    "a column": {"embeddings": (["a", "b"], np.arange(4.0).reshape(2, 2).T)},
    "bytes in the other order": {"embeddings": (["a"], np.ones((1, 2), ">f4"))},
    "numbers of NumPy": {"nhidden": np.int64(3), "alpha": np.float32(0.5)},
    "a tuple": {"nhidden": (3, 2)},
    "a vocabulary": {"vocabulary": {"b": 1, "a": 0}},
    "strings in a table": {"vocabulary": np.array(["a", "b"], dtype=object)},
}


@pytest.mark.parametrize("way", [by_state_dict, by_safetensors])
@pytest.mark.parametrize("name", ODD)
def test_odd_parameters(name, way):
    X = [["a", "b", 1], ["b", "1", "a.b"], ["a"]]
    encoder = RNNEncoder(2, max_iter=1, random_state=0).set_params(**ODD[name])
    other = way(encoder.fit(X, [0, 1, 1]))
    assert np.array_equal(other.transform(X), encoder.transform(X))
    for key, value in encoder.get_params().items():
        np.testing.assert_equal(other.get_params()[key], value)
    assert other.U_[0].flags.f_contiguous == encoder.U_[0].flags.f_contiguous


@pytest.mark.parametrize(
    "classes",
    [
        np.array(["x", "yy"]),
        np.array(["x", "yy"], dtype=object),
        np.array([3, 5], dtype=">i8"),
        np.array([False, True]),
        np.array([1.0, 2.0]),
    ],
    ids=lambda classes: str(classes.dtype),
)
@pytest.mark.parametrize("way", [by_state_dict, by_safetensors])
def test_labels_of_any_type(classes, way):
    X, y = ["ab", "ba", "b"], classes[[0, 1, 1]]
    classifier = RNNClassifier(2, max_iter=1, random_state=0).fit(X, y)
    other = way(classifier)
    assert np.array_equal(other.predict(X), classifier.predict(X))
    assert other.classes_.dtype.kind == classifier.classes_.dtype.kind


def test_many_given_vectors_are_one_array():
    vectors = {f"t{i}": np.full(2, i, np.float32) for i in range(50)}
    encoder = RNNEncoder(2, max_iter=1, embeddings=vectors).fit([["t1", "t2"]] * 4)
    assert len(export.to_state_dict(encoder)) < 20


class Save:
    """A callback that saves the estimator of each epoch."""

    saved = ()

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if fitted_estimator is not None:
            self.saved += (by_state_dict(fitted_estimator),)
            assert not hasattr(by_pickle(fitted_estimator), "_callback_fit_ctx")


def test_an_estimator_handed_to_a_callback_can_be_saved():
    save = Save()
    classifier = RNNClassifier(2, max_iter=2, random_state=0).set_callbacks(save)
    classifier.fit(["ab", "ba", "abb"], [0, 1, 0])
    assert np.array_equal(save.saved[-1].V_, classifier.V_)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "X, params",
    [
        ([[1, "1"], ["1", 1]] * 4, {}),
        ([[True, False], [False, True]] * 4, {}),
        ([["a", "b"], ["b", "a"]] * 4, {"ngram_range": (1, 2)}),
        ([[1, 2], [2, 1]] * 4, {"ngram_range": (1, 2)}),
    ],
)
def test_tokens_that_look_alike(X, params, way):
    classifier = RNNClassifier(4, max_iter=5, random_state=0, ngram_range=(1, 1))
    classifier.set_params(**params).fit(X, [0, 1] * 4)
    other = way(classifier)
    assert list(other.vocabulary_.items()) == list(classifier.vocabulary_.items())
    assert np.array_equal(other.predict_proba(X), classifier.predict_proba(X))


def test_what_routing_asks_for_is_left_out():
    with sklearn.config_context(enable_metadata_routing=True):
        classifier = RNNClassifier(2, max_iter=1).set_fit_request(sample_weight=True)
        classifier.fit(["ab", "ba"], [0, 1])
        assert by_state_dict(classifier).predict(["ab"]).shape == (1,)


def test_the_state_carries_the_version():
    state = FITTED["series"][0].__getstate__()
    assert state["_skrnn_version"] == skrnn.__version__
    assert state["_state_format"] == _state.FORMAT
    assert not hasattr(by_pickle(FITTED["series"][0]), "_skrnn_version")


def test_arrays_have_the_names_of_attributes():
    estimator, _ = FITTED["layers"]
    state_dict = export.to_state_dict(estimator)
    assert torch.equal(state_dict["V_"], torch.tensor(estimator.V_))
    assert torch.equal(state_dict["W_.3"], torch.tensor(estimator.W_[3]))
    state_dict["V_"].zero_()
    assert estimator.V_.any()
    assert json.loads(state_dict["skrnn"])["class"] == "RNNEncoder"


@pytest.mark.parametrize(
    "make, error, message",
    [
        (
            lambda: make_pipeline(StandardScaler(), RNNClassifier()),
            TypeError,
            "cannot be exported: a single network of skrnn was expected. For a pipe",
        ),
        (lambda: RNNEncoder(), NotFittedError, "is not fitted yet"),
        (
            lambda: RNNEncoder(2, max_iter=1, analyzer=list).fit(["ab", "b"], [0, 1]),
            TypeError,
            "^analyzer is .*, which cannot be exported: arrays, numbers, strings, ",
        ),
        (
            lambda: RNNEncoder(
                2, max_iter=1, random_state=np.random.RandomState(0)
            ).fit(["ab", "b"], [0, 1]),
            TypeError,
            "^random_state is .*, which cannot be exported: .* Set it to one of them ",
        ),
    ],
)
def test_what_cannot_be_exported(make, error, message):
    with pytest.raises(error, match=message):
        export.to_state_dict(make())


@pytest.mark.parametrize(
    "text", [None, "", "{}", '{"class": "os.system", "state": {}}']
)
def test_other_files_are_refused(text):
    with pytest.raises(ValueError, match=r"^This holds no estimator of skrnn\. The "):
        export.from_state_dict({"V_": torch.zeros(1), "skrnn": text})


def test_without_safetensors(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match="Install it with `pip install safetensors`"):
        export.save_safetensors(FITTED["labels"][0], tmp_path / "it")
    with pytest.raises(TypeError, match="an RNNEnsemble cannot be exported: a"):
        export.save_safetensors(RNNEnsemble(RNNEncoder()), tmp_path / "it")


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path):
    encoder = RNNEncoder(4, max_iter=1).fit(["ab", "ba"], [0, 1])
    with pytest.raises(FileNotFoundError):
        export.save_safetensors(encoder, tmp_path / "missing" / "encoder.safetensors")


@pytest.fixture(scope="module")
def encoders():
    return [
        RNNEncoder(n, max_iter=1, random_state=0).fit(["ab", "ba"], [0, 1])
        for n in (4, 8)
    ]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("is_new", [False, True])
@pytest.mark.parametrize("at", ["write", "replace"])
def test_what_was_there_stays_if_a_file_cannot_be_written(
    encoders, tmp_path, monkeypatch, error, is_new, at
):
    path = tmp_path / "encoder.safetensors"
    if not is_new:
        export.save_safetensors(encoders[0], path)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}

    def fail(*args):
        raise error

    class Full(io.FileIO):
        def write(self, content):
            super().write(content[:9])
            raise error

    with monkeypatch.context() as patch:
        if at == "replace":
            patch.setattr("os.replace", fail)
        else:
            patch.setattr(_files, "open", Full, raising=False)
        with pytest.raises(type(error)):
            export.save_safetensors(encoders[1], path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.thread_unsafe(reason="it limits the files of all threads")
def test_a_file_that_does_not_fit_is_an_os_error(encoders, tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "encoder.safetensors"
    export.save_safetensors(encoders[0], path)
    before = path.read_bytes()
    limit, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            export.save_safetensors(encoders[1], path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_not_replaced_by_one(encoders, tmp_path):
    pipe, file = tmp_path / "pipe", tmp_path / "file"
    export.save_safetensors(encoders[0], file)
    os.mkfifo(pipe)
    with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as end:
        export.save_safetensors(encoders[0], pipe)
        assert end.read() == file.read_bytes()
    assert pipe.is_fifo()


def test_what_a_killed_process_left_is_removed(encoders, tmp_path):
    left, others = tmp_path / ".skrnn-0123456789abcdef.part", tmp_path / ".skrnn-1.part"
    for file in (left, others):
        file.write_bytes(b"half of it")
    an_hour_ago = time.time() - 3600
    os.utime(left, (an_hour_ago, an_hour_ago))
    path = tmp_path / "encoder.safetensors"
    export.save_safetensors(encoders[0], path)
    # The other one may be of a process that is just writing it.
    assert set(tmp_path.iterdir()) == {path, others}


def save_often(encoder, path):
    for _ in range(50):
        export.save_safetensors(encoder, path)
        assert export.load_safetensors(path).nhidden in (4, 8)


def in_threads():
    return ThreadPoolExecutor(4)


def in_processes():
    return ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("fork"))


@pytest.mark.parametrize("pool", [in_threads, in_processes])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_several_may_save_to_one_path(encoders, tmp_path, pool):
    path = tmp_path / "encoder.safetensors"
    with pool() as executor:
        list(executor.map(save_often, encoders * 2, [path] * 4))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("is_relative", [False, True])
@pytest.mark.parametrize("exists", [False, True])
def test_a_symbolic_link_stays_one(encoders, tmp_path, exists, is_relative):
    target, link = tmp_path / "models" / "it", tmp_path / "latest"
    target.parent.mkdir()
    if exists:
        target.write_bytes(b"the last one")
    link.symlink_to("models/it" if is_relative else target)
    export.save_safetensors(encoders[0], link)
    assert link.is_symlink()
    assert not target.is_symlink()
    assert export.load_safetensors(target).nhidden == 4
    assert list(target.parent.iterdir()) == [target]


def test_a_symbolic_link_to_itself_is_an_os_error(encoders, tmp_path):
    link = tmp_path / "it"
    link.symlink_to(link)
    with pytest.raises(OSError, match="symbolic links"):
        export.save_safetensors(encoders[0], link)
    assert list(tmp_path.iterdir()) == [link]


@pytest.mark.skipif(os.name != "posix", reason="needs permissions of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o666])
def test_a_file_keeps_its_permissions(encoders, tmp_path, mode):
    path = tmp_path / "it"
    path.touch()
    path.chmod(mode)
    export.save_safetensors(encoders[0], path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix", reason="needs permissions of POSIX")
@pytest.mark.thread_unsafe(reason="it sets the umask of all threads")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_permissions_that_open_gives_it(encoders, tmp_path, umask):
    last = os.umask(umask)
    try:
        export.save_safetensors(encoders[0], tmp_path / "ours")
        (tmp_path / "theirs").touch()
    finally:
        os.umask(last)
    ours, theirs = ((tmp_path / name).stat().st_mode for name in ("ours", "theirs"))
    assert ours == theirs


@pytest.mark.skipif(os.name != "posix", reason="needs permissions of POSIX")
@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everything"
)
@pytest.mark.parametrize("protected", ["it", "."])
def test_what_may_not_be_written_stays(encoders, tmp_path, protected):
    path = tmp_path / "it"
    export.save_safetensors(encoders[0], path)
    mode = (tmp_path / protected).stat().st_mode
    (tmp_path / protected).chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            export.save_safetensors(encoders[1], path)
    finally:
        (tmp_path / protected).chmod(mode)
    assert export.load_safetensors(path).nhidden == 4
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a" * 250, "é" * 125, ".hidden", "a b*[?]"])
def test_a_file_may_have_any_name(encoders, tmp_path, name):
    for encoder in encoders:
        export.save_safetensors(encoder, tmp_path / name)
        assert export.load_safetensors(tmp_path / name).nhidden == encoder.nhidden
    assert list(tmp_path.iterdir()) == [tmp_path / name]


@pytest.mark.parametrize(
    "name, error",
    [("missing", FileNotFoundError), (".", IsADirectoryError), ("a" * 300, OSError)],
)
def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path, name, error):
    with pytest.raises(error) as raised:
        export.load_safetensors(tmp_path / name)
    assert raised.value.errno


@pytest.mark.parametrize(
    "content",
    [b"", b"half", bytes(100), b"\x14" + bytes(7) + b'{"\xff\xfe":' + b" " * 30],
)
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "it"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"it cannot be read: .*\. The output of "):
        export.load_safetensors(path)


LABELS = ["a", "b"] * 4
NUMBERS = np.arange(8.0)
ROWS = [np.random.default_rng(0).normal(size=(n, 2)) for n in range(3, 11)]
VECTORS = {"a": [1.0, 0.0, 2.0], "b": [0.0, 1.0, 1.0]}
# Fits at the edges of what the attributes of a fit may be.
EDGES = {
    "a token": (RNNClassifier, ["x"] * 8, LABELS, {}),
    "one class": (RNNClassifier, ["x", "xy"], ["a", "a"], {}),
    "no short n-grams": (
        RNNClassifier,
        ["abc", "bcd"] * 4,
        LABELS,
        {"ngram_range": (2, 9)},
    ),
    "min_df": (RNNEncoder, ["ab", "bc"], [0, 1], {"min_df": 2}),
    "a given vocabulary": (
        *(RNNEncoder, ["ab", "bc"], [0, 1]),
        {"vocabulary": ["a", "b", "abcd"], "ngram_range": (1, 2)},
    ),
    "tuples": (RNNEncoder, [[1, "1"], ["b", 2]], [0, 1], {"ngram_range": [1, 2]}),
    "vectors of n-grams": (
        *(RNNRegressor, [["a", "b"], ["b"]] * 4, NUMBERS),
        {"embeddings": VECTORS, "ngram_range": (1, 2)},
    ),
    "identity": (
        *(RNNClassifier, ["ab", "ba"] * 4, LABELS),
        {"cell": "rnn", "recurrence": "identity", "activation": "relu"},
    ),
    "patches": (
        *(RNNRegressor, ROWS, NUMBERS),
        {"patch_length": 2, "differences": 2, "missing": "mask"},
    ),
    "plain numbers": (
        RNNEncoder,
        ROWS,
        LABELS,
        {"differences": 0, "standardize": False},
    ),
    "a table": (
        RNNRegressor,
        np.eye(8),
        NUMBERS,
        {"max_length": 3, "overlong": "last"},
    ),
    "next rows": (RNNEncoder, ROWS, None, {"pooling": "concat", "cell": "lstm"}),
    "two targets": (
        RNNRegressor,
        ROWS,
        np.eye(8)[:, :2] + 0.5,
        {"bidirectional": True},
    ),
    "constant": (RNNRegressor, ["ab", "ba"], [3.0, 3.0], {}),
    "objects": (RNNClassifier, ["ab", "ba"] * 4, np.array(LABELS, dtype=object), {}),
    "tags": (
        *(RNNTagger, ["a b", "b a c"] * 4, ["xy", "yxx"] * 4),
        {"analyzer": "word"},
    ),
    "tags of n-grams": (
        *(RNNTagger, [[1, 2], [2, 1]] * 4, [[0, 1], [1, 0]] * 4),
        {"ngram_range": (1, 2), "subwords": False},
    ),
    "tags of subwords": (
        *(RNNTagger, [["one", "two"], ["two"]] * 4, ["xy", "y"] * 4),
        {"subwords": True, "class_weight": {"x": 2.0, "y": 1.0}},
    ),
    "tags of vectors": (
        *(RNNTagger, ["ab", "ba"] * 4, [[True, False], [False, True]] * 4),
        {"embeddings": VECTORS, "dropout": 0.2},
    ),
    "tags of series": (
        *(RNNTagger, ROWS, [["x"] * len(x) for x in ROWS]),
        {"truncate": 2, "missing": "mask"},
    ),
    "tags of a table": (RNNTagger, np.eye(8), np.eye(8, dtype=int), {}),
    "next tokens": (RNNLanguageModel, ["ab", "ba"] * 4, None, {}),
    "next words": (RNNLanguageModel, ["a b", "b"], None, {"analyzer": "word"}),
    "a text": (RNNLanguageModel, ["abba " * 20], None, {"recurrent_dropout": 0.2}),
    "next numbers": (RNNLanguageModel, ROWS, None, {"truncate": None}),
    "tags, early stopping": (
        *(RNNTagger, ["ab", "ba"] * 10, ["xy", "yx"] * 10),
        {"early_stopping": 1},
    ),
    "early stopping": (
        RNNClassifier,
        ["ab", "ba"] * 10,
        [0, 1] * 10,
        {"early_stopping": 1},
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("way", [by_pickle, by_skops, by_state_dict])
@pytest.mark.parametrize("name", EDGES)
def test_what_a_fit_sets_is_never_refused(name, way):
    cls, X, y, params = EDGES[name]
    params = {**params, "early_stopping": bool(params.get("early_stopping"))}
    estimator = cls(2, max_iter=2, random_state=0, **params).fit(X, y)
    assert np.array_equal(result(way(estimator), X), result(estimator, X))
    if not params["early_stopping"]:
        chunks = cls(2, random_state=0, **params)
        classes = {}
        if cls in (RNNClassifier, RNNTagger):
            classes["classes"] = estimator.classes_
        other = way(chunks.partial_fit(X, y, **classes))
        assert np.array_equal(other.partial_fit(X, y).V_, chunks.partial_fit(X, y).V_)


def test_labels_of_times_can_be_pickled():
    y = np.array(["2020-01-01", "2021-01-01"] * 4, dtype="M8[D]")
    classifier = RNNClassifier(2, max_iter=1).fit(["ab", "ba"] * 4, y)
    assert np.array_equal(by_pickle(classifier).classes_, np.unique(y))


# One character, and two surrogates that some formats make one of.
PAIR, ONE = "\ud83d\ude00", "\U0001f600"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "X, y, params",
    [
        ([[PAIR], [ONE]] * 4, LABELS, {}),
        ([[PAIR, ONE], [ONE, PAIR]] * 4, LABELS, {"ngram_range": (1, 2)}),
        ([PAIR, ONE] * 4, LABELS, {}),
        ([f"{PAIR} a", f"a {ONE}"] * 4, LABELS, {"analyzer": "word"}),
        (["\ud83d", "\ude00"] * 4, LABELS, {}),
        (["ab", "ba"] * 4, [PAIR, ONE] * 4, {}),
        (["ab", "ba"] * 4, np.array([PAIR, ONE] * 4, dtype=object), {}),
        ([["a"], [ONE]] * 4, LABELS, {"vocabulary": [PAIR, "a", ONE]}),
        (
            [[PAIR], [ONE]] * 4,
            LABELS,
            {"embeddings": {PAIR: [1.0, 0.0], ONE: [0.0, 1.0]}},
        ),
        (["ab", "ba"] * 4, [PAIR, ONE] * 4, {"class_weight": {PAIR: 2.0, ONE: 1.0}}),
    ],
)
def test_strings_with_surrogates(X, y, params, way):
    params = {"analyzer": "token" if isinstance(X[0], list) else "char", **params}
    classifier = RNNClassifier(4, max_iter=20, random_state=0, **params).fit(X, y)
    other = way(classifier)
    assert list(other.vocabulary_) == list(classifier.vocabulary_)
    assert other.classes_.tolist() == classifier.classes_.tolist()
    assert np.array_equal(other.predict_proba(X), classifier.predict_proba(X))
    for name in params:
        assert getattr(other, name) == getattr(classifier, name)


def test_strings_that_padding_makes_large_are_refused():
    y = np.array(["a" * 10_000, *(f"{i}" for i in range(1000))] * 2)
    classifier = RNNClassifier(2, max_iter=1).fit(["ab"] * len(y), y)
    sentence = "^classes_ is an array of 1001 strings of dtype <U10000, which have 12"
    with pytest.raises(ValueError, match=sentence):
        export.to_state_dict(classifier)
    classifier.fit(["ab"] * len(y), y.astype(object))
    assert by_state_dict(classifier).predict(["ab"]) == classifier.predict(["ab"])


@pytest.mark.parametrize("kind", ["text", "series"])
@pytest.mark.parametrize("name", ["W_", "U_", "b_", "V_", "intercept_"])
@pytest.mark.parametrize("axis", [0, -1])
def test_edited_weights_that_do_not_fit_are_refused(name, axis, kind):
    X = ["ab", "ba", "abc"] if kind == "text" else [[0.5, 1.0], [1.5], [2.5]]
    classifier = RNNClassifier(3, cell="gru", max_iter=1).fit(X, [0, 1, 2])
    weights = getattr(classifier, name)
    edited = weights[0] if isinstance(weights, list) else weights
    edited = np.delete(edited, 0, axis=axis)
    setattr(classifier, name, [edited] if isinstance(weights, list) else edited)
    with pytest.raises(ValueError, match=r"needs? .*(Give weights that you|Undo)"):
        classifier.decision_function(X)


VECTORS = {"a": np.arange(3.0), "b": np.ones(3)}
READING = {
    "characters": (["ab", "ba", "abb"], {"ngram_range": (1, 1)}),
    "n-grams": (["ab", "ba", "abb"], {"ngram_range": (1, 2)}),
    "words": (
        ["a b", "b a", "a b b"],
        {"analyzer": "word", "ngram_range": (1, 1), "subwords": False},
    ),
    "subwords": (
        ["a b", "b a", "a b b"],
        {"analyzer": "word", "ngram_range": (1, 1), "subwords": True},
    ),
    "tokens": ([["a", "b"], ["b", "a"], ["a", "b", "b"]], {}),
    "n-grams of tokens": (
        [["a", "b"], ["b"], ["a", "b", "b"]],
        {"ngram_range": (2, 2)},
    ),
    "vectors": (["ab", "ba", "abb"], {"embeddings": VECTORS}),
}
PLAIN = ["characters", "words", "tokens", "vectors"]  # one id at each step
ESTIMATORS = [RNNClassifier, RNNRegressor, RNNEncoder, RNNTagger]


def predict(estimator, X, y):
    getattr(estimator, "predict", getattr(estimator, "transform", None))(X[:1])


def predict_many(estimator, X, y):
    predict(estimator, [x for x in X for _ in range(100)], y)
    getattr(estimator, "predict", getattr(estimator, "transform", None))(X * 100)


def fit_on(estimator, X, y):
    estimator.partial_fit(X, for_steps(estimator, X, y))


def fit_warm(estimator, X, y):
    y = for_steps(estimator, X, y)
    estimator.set_params(warm_start=True).fit(X, y)


USES = [predict, predict_many, fit_on, fit_warm]


def fitted_on(cls, X, y, use, **params):
    """An estimator, ready for a use."""
    estimator = cls(3, max_iter=1, random_state=0, **params)
    y = for_steps(estimator, X, y)
    if use is not fit_on:
        return estimator.fit(X, y)
    classes = {"classes": [0, 1, 2]} if cls in (RNNClassifier, RNNTagger) else {}
    return estimator.partial_fit(X, y, **classes)


def for_steps(estimator, X, y):
    """y, or if the estimator is a tagger, that of a sequence at each of its steps."""
    if not isinstance(estimator, RNNTagger):
        return y
    parts = (x.split() if " " in x else x for x in X)
    return [[label] * len(part) for part, label in zip(parts, y, strict=True)]


def with_ids(reading, estimator, new):
    """Change an id of each token where the estimator looks it up."""
    if "n-grams" in reading:
        tables = deepcopy(estimator._grams)
        for ids in tables["ids"]:
            ids[ids == 1] = new
        estimator._grams = tables
    else:
        estimator.vocabulary_ = {**estimator.vocabulary_, "a": new, "b": new}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("reading", READING)
@pytest.mark.parametrize("new", [-1, -100, 100, 10**9])
def test_ids_that_have_no_vector_are_refused(new, reading, use):
    """The kernels would read other memory."""
    (X, params), y = READING[reading], [0, 1, 2]
    for cls in ESTIMATORS:
        estimator = fitted_on(cls, X, y, use, **params)
        with_ids(reading, estimator, new)
        least, most = (0, new) if new > 0 else (new, r"\d+")
        table = "embeddings_" if reading == "vectors" else "U_"
        sentence = (
            rf"^vocabulary_ (\(with .*\) )?has ids from {least} to {most}, but "
            rf"{table} has (\d) vectors: ids from 0 to \d were expected\. Undo the "
            rf"changes to vocabulary_ .*or {table} since the fit, or fit again\.$"
        )
        with pytest.raises(ValueError, match=sentence):
            use(estimator, X, y)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("reading", PLAIN)
@pytest.mark.parametrize("new", [10**12, 1.5, None, "x"])
def test_a_vocabulary_without_ids_is_refused(new, reading, use):
    (X, params), y = READING[reading], [0, 1, 2]
    estimator = fitted_on(RNNEncoder, X, y, use, **params)
    with_ids(reading, estimator, new)
    sentence = r"^vocabulary_ cannot be read: .*\. Undo its changes since the fit, or"
    with pytest.raises(ValueError, match=sentence):
        use(estimator, X, y)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("reading", READING)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_fewer_vectors_than_ids_are_refused(cls, reading, use):
    (X, params), y = READING[reading], [0, 1, 2]
    estimator = fitted_on(cls, X, y, use, **params)
    if reading == "vectors":
        estimator.embeddings_ = estimator.embeddings_[:2]
    else:
        estimator.U_ = [U[:, :2] for U in estimator.U_]
    with pytest.raises(
        ValueError, match=r"vectors.*, but (U|embeddings)_ has 2|has 2 v"
    ):
        use(estimator, X, y)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("reading", READING)
@pytest.mark.parametrize("is_more", [False, True])
def test_a_vocabulary_of_another_size(is_more, reading, use):
    """Without n-grams, predictions may forget a token, or learn a synonym."""
    (X, params), y = READING[reading], [0, 1, 2]
    estimator = fitted_on(RNNClassifier, X, y, use, **params)
    known = dict(estimator.vocabulary_)
    if is_more:
        known["c"] = known[next(iter(known))]
    else:
        known.popitem()
    estimator.vocabulary_ = known
    if use in (predict, predict_many) and reading in PLAIN:
        use(estimator, X, y)
        return
    sentence = (
        rf"^vocabulary_ has {len(known)} entries( and subwords_ \d)?, which need \d "
        "vectors, but "
    )
    with pytest.raises(ValueError, match=sentence):
        use(estimator, X, y)


@pytest.mark.parametrize("use", [predict, fit_on, fit_warm])
@pytest.mark.parametrize("change", [lambda a: a[:-1], lambda a: np.append(a, a)])
@pytest.mark.parametrize(
    "name", ["classes_", "target_mean_", "target_scale_", "mean_", "scale_"]
)
def test_edited_attributes_of_another_size_are_refused(name, change, use):
    X, y = [[0.5, 1.0], [1.5], [2.5]], [0.5, 1.0, 2.0]
    cls = RNNRegressor
    if name == "classes_":
        cls, y = RNNClassifier, [0, 1, 2]
    estimator = fitted_on(cls, X, y, use)
    setattr(estimator, name, change(getattr(estimator, name)))
    of = "(scale_|difference_scale_)" if name == "mean_" else name
    with pytest.raises(ValueError, match=f"^{of} has the shape .*or fit again|feature"):
        use(estimator, X, y)


@pytest.mark.parametrize("name", ["mean", "square", "vectors_mean", "generator"])
@pytest.mark.parametrize("change", [lambda a: a[:-1], lambda a: a[:0]])
def test_an_edited_state_of_training_is_refused(name, change):
    """The kernels would write to other memory."""
    X, y = ["ab", "ba", "abb"], [0, 1, 2]
    params = {"embeddings": VECTORS} if name.startswith("vectors") else {}
    classifier = fitted_on(RNNClassifier, X, y, fit_on, **params)
    changed = change(classifier._training[name])
    classifier._training = {**classifier._training, name: changed}
    with pytest.raises(ValueError, match=r"or fit again\.$"):
        classifier.partial_fit(X, y)


@pytest.mark.parametrize("reading", READING)
@pytest.mark.parametrize("by", [-100, 100, 2**31])
def test_ids_of_a_reader_of_ones_own_are_checked(by, reading):
    class Other(RNNEncoder):
        def _model_and_steps(self, X):
            model, steps, once = super()._model_and_steps(X)
            values = steps.values.astype(np.int64) + by
            return model, steps._replace(values=values), once

    X, params = READING[reading]
    encoder = Other(3, max_iter=1, **params).fit(X, [0, 1, 2])
    with pytest.raises(ValueError, match=r"^vocabulary_ .*ids from .* were expected\."):
        encoder.transform(X)


def test_edited_embeddings_that_do_not_fit_are_refused():
    classifier = RNNClassifier(3, embeddings=VECTORS, max_iter=1)
    classifier.fit(["ab", "ba"], [0, 1])
    classifier.embeddings_ = classifier.embeddings_[:, :2].copy()
    with pytest.raises(ValueError, match=r"needs 3 columns\. Give weights that you"):
        classifier.predict(["ab"])
