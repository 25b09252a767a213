"""Fits on a device: by torch's operations on the CPU, and on a GPU if there is one."""

import pickle
import re
import warnings

import numpy as np
import pytest
import torch
from interrupting import InterruptAfter, copy_of, interrupted
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from torch.utils._python_dispatch import TorchDispatchMode

from skrnn import (
    ChunkedDataset,
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNEnsemble,
    RNNLanguageModel,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
)
from skrnn._core import trainer
from skrnn._core.autograd import updates
from skrnn._core.autograd.updates import Updates
from skrnn._core.execution import Execution, find_device

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
HAS_GPU = torch.cuda.is_available()
needs_gpu = pytest.mark.skipif(not HAS_GPU, reason="torch finds no GPU with CUDA")

rng = np.random.default_rng(0)
STRINGS = ["".join(rng.choice(list("abcde"), rng.integers(0, 9))) for _ in range(60)]
LABELS = [len(x) % 3 for x in STRINGS]
NUMBERS = [len(x) + 0.1 * x.count("a") for x in STRINGS]
SERIES = [rng.normal(size=(rng.integers(1, 60), 2)) for _ in range(40)]
OF_SERIES = [int(x.sum() > 0) for x in SERIES]
WORDS = [list(x) for x in STRINGS if x]
TAGS = [["vowel" if c in "ae" else "other" for c in x] for x in WORDS]
REVERSED = [x[::-1] for x in WORDS]
SETS = [[{c: True, "long": len(x) > 4} for c in x] for x in WORDS]
VECTORS = rng.normal(size=(len(WORDS), 5))
SHORT_SERIES = [rng.normal(size=(rng.integers(1, 6), 1)) for _ in WORDS]
TEXT = "hello world, this is a text. " * 30
GIVEN = (list("abc"), rng.normal(size=(3, 4)))
MANY = [[f"t{i}" for i in rng.integers(0, 9000, 60)] for _ in range(99)]
SMALL = {"nhidden": 8, "max_iter": 3, "batch_size": 8, "random_state": 0}
# What is fitted, on which data.
FITS = {
    "strings": (RNNClassifier(), STRINGS, LABELS),
    "no wide path": (RNNClassifier(wide_ngram_range=None), STRINGS, LABELS),
    "single characters": (
        RNNClassifier(ngram_range=(1, 1), cell="lstm", bidirectional=True),
        STRINGS,
        LABELS,
    ),
    "vanilla": (RNNClassifier(cell="rnn"), STRINGS, LABELS),
    "a bag": (
        RNNClassifier(cell="rnn", activation="identity", recurrence="identity"),
        STRINGS,
        LABELS,
    ),
    "two layers and dropout": (
        RNNClassifier(nhidden=(6, 5), dropout=0.3, token_dropout=0.2),
        STRINGS,
        LABELS,
    ),
    "several labels": (RNNClassifier(), STRINGS, np.eye(3, dtype=int)[LABELS]),
    "early stopping": (RNNClassifier(early_stopping=True), STRINGS, LABELS),
    "no clipping": (RNNClassifier(max_grad_norm=None), STRINGS, LABELS),
    "vectors": (RNNClassifier(embeddings=GIVEN), STRINGS, LABELS),
    "fixed vectors": (
        RNNClassifier(embeddings=GIVEN, freeze_embeddings=True),
        STRINGS,
        LABELS,
    ),
    "many tokens": (RNNClassifier(), MANY, [0, 1, 2] * 33),
    "features": (RNNClassifier(), SETS, [len(x) % 2 for x in SETS]),
    "series": (RNNClassifier(), SERIES, OF_SERIES),
    "numbers of strings": (RNNRegressor(), STRINGS, NUMBERS),
    "numbers of series": (RNNRegressor(), SERIES, [x.mean() for x in SERIES]),
    "truncated": (RNNRegressor(truncate=3), STRINGS, NUMBERS),
    "next steps": (RNNEncoder(), STRINGS),
    "next numbers": (RNNEncoder(), SERIES),
    "a language": (RNNLanguageModel(), STRINGS),
    "a text": (RNNLanguageModel(recurrent_dropout=0.2, truncate=9), TEXT),
    "tags": (RNNTagger(), WORDS, TAGS),
    "a chain of tags": (RNNTagger(transitions=True), WORDS, TAGS),
    "sequences": (RNNSeq2Seq(), WORDS, REVERSED),
    "sequences, additive": (
        RNNSeq2Seq(attention="additive", teacher_forcing=0.5),
        WORDS,
        REVERSED,
    ),
    "frames": (RNNSeq2Seq(decoder="ctc"), WORDS, REVERSED),
    "vectors into sequences": (RNNDecoder(), VECTORS, WORDS),
    "vectors into series": (RNNDecoder(), VECTORS, SHORT_SERIES),
}


def make(name):
    """An estimator that is not fitted, and its data."""
    estimator, *data = FITS[name]
    params = estimator.get_params()
    small = {k: v for k, v in SMALL.items() if k in params}
    if isinstance(params["nhidden"], tuple):
        small.pop("nhidden")
    return clone(estimator).set_params(**small), data


def numbers_of(estimator):
    """All fitted numbers by attribute, a flat array each."""
    fitted = {}
    for name, value in vars(estimator).items():
        parts = value if isinstance(value, list) else [value]
        if name.endswith("_") and all(isinstance(of, np.ndarray) for of in parts):
            if len(parts) and parts[0].dtype.kind == "f":
                fitted[name] = np.concatenate([of.ravel() for of in parts])
    return fitted


def assert_same_fit(ours, theirs, tol=1e-3):
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4)
    numbers, others = numbers_of(ours), numbers_of(theirs)
    assert numbers.keys() == others.keys()
    for name, array in numbers.items():
        scale = np.abs(array).max(initial=1e-3)
        np.testing.assert_allclose(others[name], array, rtol=0, atol=tol * scale)


@pytest.fixture
def by_torch(monkeypatch):
    """A function that turns fits by torch's operations on the CPU on."""

    def on(self, name):
        return Execution(name, kernels="autograd")

    def turn_on():
        monkeypatch.setattr(Execution, "on", on)

    return turn_on


@pytest.mark.parametrize("name", FITS)
def test_a_fit_by_torch_is_that_of_the_kernels(name, by_torch):
    estimator, data = make(name)
    ours = clone(estimator).fit(*data)
    by_torch()
    theirs = clone(estimator).fit(*data)
    assert_same_fit(ours, theirs)


@needs_gpu
@pytest.mark.parametrize("name", FITS)
def test_a_fit_on_a_gpu_is_that_of_the_cpu(name, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    estimator, data = make(name)
    ours = clone(estimator).fit(*data)
    theirs = clone(estimator).set_params(device="cuda").fit(*data)
    assert_same_fit(ours, theirs)


def test_the_updates_are_those_of_a_device(by_torch, monkeypatch):
    """Otherwise, the tests above would compare the same fits."""
    made = []

    class Noted(Updates):
        def __init__(self, *args, **options):
            made.append(options)
            super().__init__(*args, **options)

    monkeypatch.setattr(updates, "Updates", Noted)
    by_torch()
    for name in ("strings", "many tokens", "features"):
        estimator, data = make(name)
        estimator.fit(*data)
    plain = {"is_lazy": False, "is_padded": False}
    assert made == [plain, {**plain, "is_lazy": True}, {**plain, "is_padded": True}]


@pytest.mark.parametrize("name", ["strings", "vectors", "many tokens", "series"])
def test_partial_fit_goes_on(name, by_torch):
    estimator, (X, y) = make(name)
    parts = [slice(0, 20), slice(20, 40)]
    fits = []
    for turn in (lambda: None, by_torch):
        turn()
        fits.append(clone(estimator))
        for part in parts:
            fits[-1].partial_fit(X[part], y[part], classes=[0, 1, 2])
    assert_same_fit(*fits)
    saved, others = (of._training for of in fits)
    assert saved.keys() == others.keys()
    for key, part in saved.items():
        np.testing.assert_allclose(others[key], part, rtol=1e-3, atol=1e-5)


def in_chunks(name):
    """An estimator, and a dataset of which the buffer has a part at a time."""
    estimator, (X, *y) = make(name)
    parts = [slice(i, i + 20) for i in range(0, len(X), 20)]
    chunks = [(X[part], *(of[part] for of in y)) for part in parts]
    return estimator, ChunkedDataset(lambda: iter(chunks), buffer_size=16)


@pytest.mark.parametrize("name", ["strings", "next numbers"])
def test_chunks_are_read_on_a_device(name, by_torch):
    estimator, data = in_chunks(name)
    ours = clone(estimator).fit(data)
    by_torch()
    assert_same_fit(ours, clone(estimator).fit(data))


def test_a_fit_continues_from_its_checkpoint_on_a_device(by_torch, tmp_path):
    estimator, (X, y) = make("strings")
    by_torch()
    whole = clone(estimator).fit(X, y)
    interrupted(copy_of(estimator, checkpoint=tmp_path), X, y, 2)
    callback = InterruptAfter()
    rest = copy_of(estimator, checkpoint=tmp_path).set_callbacks(callback)
    assert_same_fit(rest.fit(X, y), whole)
    assert callback.seen == [2]


def test_what_was_undone_is_undone_on_the_device(by_torch):
    X, y = ["ab" * 50, "ba" * 50] * 20, [0, 1] * 20
    params = {"cell": "rnn", "activation": "relu", "learning_rate_init": 1}
    estimator = RNNClassifier(8, **params, alpha=0, max_iter=30, random_state=0)
    by_torch()
    with pytest.warns(ConvergenceWarning, match="^Training diverged in epoch"):
        estimator.fit(X, y)
    assert np.isfinite(estimator.W_[0]).all() and np.isfinite(estimator.V_).all()


def test_an_epoch_begins_with_the_weights_of_the_host(by_torch):
    """They may have been restored, as the best weights are."""
    X, y = STRINGS * 3, [label if rng.random() < 0.5 else 0 for label in LABELS] * 3
    params = {**SMALL, "max_iter": 40, "n_iter_no_change": 2, "early_stopping": True}
    estimator = RNNClassifier(**params, learning_rate_init=0.05)
    ours = clone(estimator).fit(X, y)
    by_torch()
    theirs = clone(estimator).fit(X, y)
    assert 5 < ours.n_iter_ < 40  # it went back to the best weights
    assert theirs.n_iter_ == ours.n_iter_
    assert_same_fit(ours, theirs, tol=0.02)


class Waits(TorchDispatchMode):
    """Notes the operations for whose result the host has to wait."""

    NAMES = ("_local_scalar_dense", "nonzero", "equal", "_unique2", "masked_select")

    def __init__(self):
        super().__init__()
        self.found, self.n_seen = [], 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        self.n_seen += 1
        has_mask = name in ("index", "index_put", "index_put_") and any(
            of is not None and of.dtype == torch.bool for of in args[1]
        )
        if has_mask or name in self.NAMES:
            self.found.append(name)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", FITS)
def test_the_host_does_not_wait_within_an_epoch(name, by_torch, monkeypatch):
    estimator, data = make(name)
    waits, original = Waits(), Updates.update

    def update(self, *args):
        original(self, *args)
        waits.n_updates += 1

    def noted(function):
        def run(*args):
            with waits:
                return function(*args)

        return run

    waits.n_updates = 0
    monkeypatch.setattr(Updates, "update", update)
    monkeypatch.setattr(trainer._Epoch, "_update", noted(trainer._Epoch._update))
    by_torch()
    estimator.fit(*data)
    assert waits.n_updates > 3 and waits.n_seen > 100
    assert waits.found == []


def test_such_an_operation_is_found():
    x = torch.arange(3.0)
    for wait in (lambda: x[0].item(), lambda: x[x > 1], lambda: x.unique()):
        with Waits() as waits:
            wait()
        assert waits.found


def test_auto_is_a_gpu_if_there_is_one_and_otherwise_the_cpu():
    assert find_device("auto") == ("cuda:0" if HAS_GPU else "cpu")
    estimator, data = make("strings")
    ours = clone(estimator).set_params(device="auto").fit(*data)
    device = "cuda" if HAS_GPU else "cpu"
    assert_same_fit(ours, estimator.set_params(device=device).fit(*data))


@pytest.mark.parametrize("device", ["gpu", "mps", "cuda:", "cuda:x", "cuda:-1", "CPU"])
def test_other_devices_raise(device):
    sentence = (
        f"device is {device!r}: 'cpu', 'cuda', 'cuda:1' for the second GPU, or 'auto' "
        "was expected."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        RNNClassifier(device=device).fit(STRINGS, LABELS)


@pytest.mark.parametrize(
    "version, what",
    [
        (None, "which is built without CUDA. Install a build of torch with CUDA"),
        ("12.8", "which finds no GPU. See whether its driver is installed"),
    ],
)
def test_a_gpu_where_there_is_none_raises(version, what, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", version)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    sentence = (
        f"device='cuda' needs a GPU, but this is torch {torch.__version__}, {what}, or "
        "use device='cpu', or device='auto' for a GPU where there is one."
    )
    for fit in (RNNClassifier.fit, RNNClassifier.partial_fit):
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            fit(RNNClassifier(device="cuda"), STRINGS, LABELS)


def test_a_number_of_no_gpu_raises(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    assert find_device("cuda") == find_device("auto") == "cuda:1"
    assert find_device("cuda:0") == "cuda:0"
    sentence = (
        "device='cuda:2' is GPU number 2, but torch finds 2 in all, numbered from 0. "
        "Use one of 'cuda:0' to 'cuda:1'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        find_device("cuda:2")


def test_predictions_need_no_gpu_whatever_the_device_is_set_to():
    classifier, data = make("strings")
    classifier.fit(*data)
    expected = classifier.predict_proba(STRINGS)
    classifier.set_params(device="cuda")
    loaded = pickle.loads(pickle.dumps(classifier))
    assert loaded.device == "cuda"
    np.testing.assert_array_equal(loaded.predict_proba(STRINGS), expected)


def test_estimators_of_earlier_versions_are_of_the_cpu():
    classifier, data = make("strings")
    state = classifier.fit(*data).__getstate__()
    del state["device"]
    older = RNNClassifier.__new__(RNNClassifier)
    older.__setstate__(state)
    assert older.device == "cpu"
    older.fit(*data)


def test_an_ensemble_trains_there(by_torch):
    member, data = make("strings")
    ensemble = RNNEnsemble(member, n_estimators=2, random_state=0)
    ours = clone(ensemble).fit(*data).predict_proba(STRINGS)
    by_torch()
    theirs = clone(ensemble).fit(*data).predict_proba(STRINGS)
    np.testing.assert_allclose(theirs, ours, atol=1e-4)


def test_where_users_want_no_gradients(by_torch):
    estimator, data = make("strings")
    expected = clone(estimator).fit(*data)
    by_torch()
    for context in (torch.no_grad, torch.inference_mode):
        with context(), warnings.catch_warnings():
            assert_same_fit(expected, clone(estimator).fit(*data))
