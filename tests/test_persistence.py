"""Fitted estimators, saved and loaded."""

import io
import json
import pickle
import sys
import tempfile
from copy import copy, deepcopy
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
from skrnn import RNNClassifier, RNNEncoder, _state, export

STATES = Path(__file__).parent / "states"
sys.path.append(str(STATES))

from make import fitted, result  # noqa: E402

FITTED = fitted()


def by_pickle(estimator):
    return pickle.loads(pickle.dumps(estimator))


def by_joblib(estimator):
    with io.BytesIO() as file:
        joblib.dump(estimator, file)
        file.seek(0)
        return joblib.load(file)


def by_skops(estimator):
    skops = pytest.importorskip("skops.io")
    data = skops.dumps(estimator)
    ours = {"skrnn._classifier.RNNClassifier", "skrnn._regressor.RNNRegressor"}
    ours.add("skrnn._encoder.RNNEncoder")
    untrusted = skops.get_untrusted_types(data=data)
    assert set(untrusted) <= ours
    return skops.loads(data, trusted=untrusted)


def by_state_dict(estimator):
    file = io.BytesIO()
    torch.save(export.to_state_dict(estimator), file)
    file.seek(0)
    return export.from_state_dict(torch.load(file, weights_only=True))


def by_safetensors(estimator):
    pytest.importorskip("safetensors")
    with tempfile.TemporaryDirectory() as folder:
        export.save_safetensors(estimator, Path(folder) / "it")
        return export.load_safetensors(Path(folder) / "it")


WAYS = [deepcopy, copy, by_pickle, by_joblib, by_skops, by_state_dict]
WAYS.append(by_safetensors)


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


def test_this_format_has_a_file():
    assert (STATES / f"format_{_state.FORMAT}.pkl").exists()


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
            "cannot be exported: an estimator of skrnn was expected. For a pipeline",
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


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path):
    encoder = RNNEncoder(4, max_iter=1).fit(["ab", "ba"], [0, 1])
    with pytest.raises(FileNotFoundError):
        export.save_safetensors(encoder, tmp_path / "missing" / "encoder.safetensors")


def test_what_was_there_stays_if_a_file_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "encoder.safetensors"
    export.save_safetensors(RNNEncoder(4, max_iter=1).fit(["ab", "ba"], [0, 1]), path)
    before = path.read_bytes()

    def full(self, content):
        with open(self, "wb") as file:
            file.write(content[:9])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        export.save_safetensors(
            RNNEncoder(8, max_iter=1).fit(["ab", "ba"], [0, 1]), path
        )
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_what_a_killed_process_left_is_overwritten(tmp_path):
    path = tmp_path / "encoder.safetensors"
    (tmp_path / ".encoder.safetensors.part").write_bytes(b"half of it")
    export.save_safetensors(RNNEncoder(4, max_iter=1).fit(["ab", "ba"], [0, 1]), path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
