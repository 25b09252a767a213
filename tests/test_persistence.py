"""Fitted estimators, saved and loaded."""

import io
import json
import pickle
import sys
from copy import copy, deepcopy
from pathlib import Path

import joblib
import numpy as np
import pytest
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


WAYS = [deepcopy, copy, by_pickle, by_joblib, by_skops, by_state_dict]


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
def test_safetensors(name, tmp_path):
    pytest.importorskip("safetensors")
    estimator, X = FITTED[name]
    export.save_safetensors(estimator, tmp_path / "it")
    other = export.load_safetensors(tmp_path / "it")
    assert np.array_equal(result(other, X), result(estimator, X))
    assert other.get_params().keys() == estimator.get_params().keys()


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
    "stamp, said",
    [
        ({"_skrnn_version": "9.1", "_state_format": 9}, "skrnn 9.1, in format 9"),
        ({}, "skrnn before 0.1.0, in format 0"),
    ],
)
def test_states_of_other_formats_are_refused(stamp, said):
    estimator, _ = FITTED["n-grams"]
    state = {**_state.checked(estimator.__getstate__(), ""), **stamp}
    with pytest.raises(
        ValueError,
        match=rf"^This RNNClassifier was saved by {said} of its state\. skrnn",
    ):
        RNNClassifier().__setstate__(state)


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
            "cannot be exported: an estimator of skrnn was expected. Of a pipeline, ",
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
    with pytest.raises(ValueError, match=r"^This holds no estimator of skrnn: what "):
        export.from_state_dict({"V_": torch.zeros(1), "skrnn": text})


def test_without_safetensors(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match="Install it with `pip install safetensors`"):
        export.save_safetensors(FITTED["labels"][0], tmp_path / "it")
