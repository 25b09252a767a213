"""Modules of torch with the weights of estimators, and estimators with theirs."""

import io
import re

import numpy as np
import pytest
import torch
from exported import (
    LANGUAGES,
    NAMES,
    OF_SERIES,
    OF_TEXT,
    OTHERS,
    STEPS,
    TOKENS,
    TOLD,
    TURNS,
    VECTORS,
    assert_close,
    fit,
    parameters_of,
    predicted,
    series,
)
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from torch.export import Dim
from torch_network import IN_TORCH

from skrnn import RNNClassifier, RNNEncoder, RNNLanguageModel, RNNRegressor, RNNTagger
from skrnn._core import public
from skrnn.export import from_torch, to_tensors, to_torch


@torch.no_grad()
def outputs_of(module, estimator, X):
    """What the estimator predicts, by the scores of the module."""
    scores = module(**to_tensors(estimator, X))
    if isinstance(estimator, (RNNRegressor, RNNEncoder)):
        return scores.numpy()
    if getattr(estimator, "_is_multilabel", False):
        return scores.sigmoid().numpy()
    return scores.softmax(-1).numpy()


def assert_same(estimator, X, module=None):
    """Together and one by one, what is predicted is the same."""
    module = module or to_torch(estimator)
    theirs = predicted(estimator, X)
    for part in (slice(None), *(slice(i, i + 1) for i in range(len(X)))):
        ours = outputs_of(module, estimator, X[part])
        if isinstance(estimator, RNNTagger):
            for one, x, other in zip(ours, X[part], theirs[part], strict=True):
                assert_close(one[: len(x)], other)
        else:
            assert_close(ours, theirs[part])


def assert_back(estimator):
    """The way to torch and back changes nothing."""
    same, was = from_torch(to_torch(estimator), estimator), vars(estimator)
    assert type(same) is type(estimator)
    for name in (*public.all_names(), "wide_coef_", "embeddings_"):
        if name in was:
            for one, other in zip(vars(same)[name], was[name], strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", IN_TORCH)
def test_all_networks(name, rng):
    parameters = parameters_of(name)
    of_tokens = fit(TOKENS, TURNS, **parameters, ngram_range=(1, 1))
    X = [rng.normal(size=(n, 2)) for n in (4, 1, 7, 4, 2, 9)]
    of_numbers = fit(X, ["a", "b"] * 3, **parameters, n_wide_features=None)
    for estimator, others in ((of_tokens, TOLD), (of_numbers, X[::-1])):
        assert_same(estimator, others)
        assert_back(estimator)


@pytest.mark.parametrize("name", OF_TEXT)
def test_strings_and_tokens(name):
    X, y, others, parameters = OF_TEXT[name]
    estimator = fit(X, y, **parameters)
    assert_same(estimator, others)
    assert_back(estimator)


@pytest.mark.filterwarnings("ignore:.* hold(s)? nothing but missing values")
@pytest.mark.parametrize("name", OF_SERIES)
def test_series_of_numbers(name):
    parameters, n_features = OF_SERIES[name]
    missing = 0.3 if "missing" in parameters else 0.0
    estimator = fit(series(12, 30, n_features, missing), [0, 1, 2] * 4, **parameters)
    assert_same(estimator, series(7, 70, n_features, missing))
    assert_back(estimator)


def test_strings_that_occur_often_are_read_as_often():
    classifier = fit(NAMES, LANGUAGES)
    names = ["cat", "chat", "z"] * 30
    tensors = to_tensors(classifier, names)
    assert {len(tensor) for tensor in tensors.values()} == {90}
    assert_close(
        outputs_of(to_torch(classifier), classifier, names),
        predicted(classifier, names),
    )


def trained(estimator, X, target, loss):
    """The module of an estimator after a few steps of training."""
    module, tensors = to_torch(estimator), to_tensors(estimator, X)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        value = loss(module(**tensors), target)
        value.backward()
        optimizer.step()
        losses.append(float(value.detach()))
    assert losses[-1] < losses[0]
    return module


CASES = {
    "one-hot": {"ngram_range": (1, 1)},
    "n-grams": {"nhidden": 2},
    "bidirectional": {"bidirectional": True, "nhidden": (3, 2), "cell": "lstm"},
    "embeddings": {"embeddings": VECTORS},
    "frozen": {"embeddings": VECTORS, "freeze_embeddings": True},
    "identity": {"cell": "rnn", "recurrence": "identity"},
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_trained_in_torch_comes_back(name):
    classifier = fit(NAMES, LANGUAGES, **CASES[name])
    labels = torch.from_numpy(np.searchsorted(classifier.classes_, LANGUAGES))
    before = classifier.predict_proba(OTHERS)
    module = trained(classifier, NAMES, labels, torch.nn.functional.cross_entropy)
    changed = from_torch(module, classifier)
    assert_same(changed, OTHERS, module)
    assert np.abs(changed.predict_proba(OTHERS) - before).max() > 0.01
    np.testing.assert_array_equal(classifier.predict_proba(OTHERS), before)
    for name in ("U_", "V_", "wide_coef_"):
        for one, other in zip(vars(changed)[name], vars(classifier)[name], strict=True):
            assert (one != other).any()
    np.testing.assert_array_equal(changed.encoder_.U_[0], changed.U_[0])
    if name == "frozen":
        np.testing.assert_array_equal(changed.embeddings_, classifier.embeddings_)
    changed.partial_fit(NAMES, LANGUAGES)


def test_sets_of_features_are_padded_after_training_as_well():
    classifier = fit(STEPS * 4, TURNS)
    target = torch.tensor([0, 1, 2, 0] * 3)
    module = trained(classifier, STEPS * 4, target, torch.nn.functional.cross_entropy)
    changed = from_torch(module, classifier)
    assert not changed.U_[0][:, 0].any()
    assert_same(changed, STEPS, module)


def test_a_regressor_is_trained_in_the_units_of_y():
    y = np.arange(16) * 10.0
    regressor = fit(NAMES, y, RNNRegressor)
    module = trained(
        regressor,
        NAMES,
        torch.from_numpy(y).float(),
        lambda ours, y: torch.nn.functional.mse_loss(ours / 100, y / 100),
    )
    assert_same(from_torch(module, regressor), OTHERS, module)


def test_modules_are_saved():
    classifier = fit(NAMES, LANGUAGES, bidirectional=True, nhidden=(3, 2))
    module = to_torch(classifier)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    other = to_torch(fit(NAMES, LANGUAGES, bidirectional=True, nhidden=(3, 2)))
    other.load_state_dict(torch.load(file, weights_only=True))
    assert_same(classifier, OTHERS, other)
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    assert_same(classifier, OTHERS, torch.load(file, weights_only=False))


@pytest.mark.filterwarnings("ignore:The tensor attributes self.layers.*_flat_weights")
def test_modules_are_exported_for_batches_of_any_size():
    """The number of steps, though, is that of the example."""
    classifier = fit(NAMES, LANGUAGES, bidirectional=True)
    module, tensors = to_torch(classifier), to_tensors(classifier, OTHERS)
    sizes = {name: {0: Dim.DYNAMIC} for name in tensors}
    program = torch.export.export(module, (), tensors, dynamic_shapes=sizes).module()
    some = {name: tensor[:3] for name, tensor in tensors.items()}
    for batch in (tensors, some):
        torch.testing.assert_close(program(**batch), module(**batch))


def test_double_precision_comes_back_as_float32():
    encoder = fit(NAMES, LANGUAGES, RNNEncoder)
    same = from_torch(to_torch(encoder).double(), encoder)
    assert same.U_[0].dtype == np.float32
    np.testing.assert_array_equal(same.transform(OTHERS), encoder.transform(OTHERS))


def test_the_generator_of_torch_is_left_alone():
    torch.manual_seed(0)
    expected = torch.get_rng_state()
    to_torch(fit(NAMES, LANGUAGES))
    assert torch.equal(torch.get_rng_state(), expected)


@pytest.mark.parametrize("export", [to_torch, lambda e: to_tensors(e, NAMES)])
@pytest.mark.parametrize(
    "estimator", [make_pipeline(RNNEncoder()), RNNLanguageModel(), None]
)
def test_other_estimators_raise(export, estimator):
    message = (
        "cannot be exported to a module of torch: an RNNClassifier, RNNRegressor, "
        "RNNEncoder or RNNTagger was expected. For a pipeline, pass its skrnn step; "
        "for an ensemble, one of its estimators_; for other estimators of skrnn, use "
        "save_safetensors."
    )
    with pytest.raises(TypeError, match=re.escape(message)):
        export(estimator)


def test_estimators_must_be_fitted():
    with pytest.raises(NotFittedError):
        to_torch(RNNClassifier())


def test_what_torch_has_not_raises():
    identity = fit(NAMES, LANGUAGES, cell="rnn", activation="identity")
    message = (
        "to_torch knows the values tanh, relu of activation, but this RNNClassifier "
        "has activation='identity'. Use one of them, or save_safetensors."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        to_torch(identity)
    tagger = fit(TOKENS, TOKENS, RNNTagger, transitions=True)
    message = (
        "This RNNTagger has transitions, for which torch.nn has no layer. Fit it with "
        "transitions=False."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        to_torch(tagger)


def test_what_is_not_trained_must_stay():
    regressor = fit(NAMES, np.arange(16) * 10.0, RNNRegressor)
    for name in ("mean", "scale"):
        module = to_torch(regressor)
        getattr(module, name).mul_(2)
        with pytest.raises(
            ValueError, match=f"^{name} of this module has been changed"
        ):
            from_torch(module, regressor)
    from_torch(to_torch(regressor).half(), regressor)
    classifier = fit(STEPS * 4, TURNS)
    module = to_torch(classifier)
    with torch.no_grad():
        module.embedding.weight[0] = 1
    with pytest.raises(ValueError, match=r"^embedding\.weight\[0\] of this module has"):
        from_torch(module, classifier)


def test_modules_that_do_not_fit_raise():
    classifier = fit(NAMES, LANGUAGES)
    with pytest.raises(TypeError, match=r"^a Linear is no module "):
        from_torch(torch.nn.Linear(2, 2), classifier)
    message = "^This module does not fit the estimator: to_torch makes another one of "
    for other in ({"nhidden": 3}, {"cell": "lstm"}, {"pooling": "mean"}):
        with pytest.raises(ValueError, match=message):
            from_torch(to_torch(fit(NAMES, LANGUAGES, **other)), classifier)
    module = to_torch(classifier)
    with torch.no_grad():
        module.output.bias[0] = torch.nan
    with pytest.raises(ValueError, match=r"^output\.bias of this module is not finite"):
        from_torch(module, classifier)
    classifier = fit(NAMES, LANGUAGES, cell="rnn", recurrence="identity")
    module = to_torch(classifier)
    with torch.no_grad():
        module.layers[0][0].weight_hh_l0[0] = 2
    with pytest.raises(ValueError, match="is no identity matrix any more"):
        from_torch(module, classifier)
