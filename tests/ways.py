"""The ways of saving an estimator and loading it again."""

import io
import pickle
import tempfile
from copy import copy, deepcopy
from pathlib import Path

import joblib
import pytest
import torch

from skrnn import export


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
    ours |= {"skrnn._encoder.RNNEncoder", "skrnn._language_model.RNNLanguageModel"}
    ours |= {"skrnn._tagger.RNNTagger", "skrnn._decoder.RNNDecoder"}
    ours.add("skrnn._seq2seq.RNNSeq2Seq")
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
