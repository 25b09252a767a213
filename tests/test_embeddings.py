"""Vectors that tokens have from elsewhere."""

import numpy as np
import pytest
import torch
from networks import LABELS, OFFSETS

from skrnn import RNNClassifier, RNNEncoder
from skrnn._core import trainer
from skrnn._core.architecture import Architecture
from skrnn._core.execution import CPU
from skrnn._core.layout import Layout
from skrnn._core.rules import Adam
from skrnn._core.schedule import one_cycle
from skrnn._core.trainer import Trainer
from skrnn._core.training_data import TrainingData
from skrnn._core.training_state import TrainingState
from skrnn._core.updates.embedded import Embedded, Embeddings
from skrnn._core.weights import initialise, zeros
from skrnn._parameters import Settings

X = ["cat sat", "dog sat", "cat ran", "dog ran"] * 5
Y = [0, 1, 0, 1] * 5
VECTORS = {"cat": [1.0, 0.0, 2.0], "dog": [0.0, 1.0, 0.5], "hound": [0.0, 1.0, 0.4]}


def fitted(**params):
    params = {"analyzer": "word", "max_iter": 20, "random_state": 0} | params
    return RNNClassifier(8, **params).fit(X, Y)


def plan_of(estimator, n_samples):
    return Settings.of("RNNClassifier", estimator.get_params()).plan(n_samples)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_training_equals_that_of_a_network_that_reads_the_vectors(cell, bidirectional):
    architecture = Architecture((4,), cell, bidirectional=bidirectional)
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(6, 3, generator=generator)
    ids = torch.randint(6, (OFFSETS[-1],), generator=generator)
    plan = plan_of(RNNClassifier(batch_size=2, max_iter=3, tol=0), 5)
    flats = []
    for is_embedded in (True, False):
        weights = zeros(Layout(architecture, 3, 4))
        initialise(weights, False, torch.Generator().manual_seed(1))
        data = TrainingData(
            ids if is_embedded else vectors[ids], OFFSETS, LABELS, torch.ones(5)
        )
        fixed = Embeddings(vectors.clone(), torch.ones(6, dtype=torch.bool))
        state = TrainingState(
            weights,
            torch.Generator().manual_seed(2),
            embeddings=fixed if is_embedded else None,
        )
        Trainer("cross_entropy", plan, CPU).run(state, data)
        assert torch.equal(fixed.vectors, vectors)
        flats.append(weights.flat)
    torch.testing.assert_close(*flats, rtol=1e-3, atol=1e-4)


def test_the_gradient_of_the_vectors_is_that_of_autograd(monkeypatch):
    # One update of plain gradient descent instead of Adam.
    def step(self, gradient, learning_rate, decay=1.0, n_biases=0, scale=1.0):
        self.weights.sub_(gradient, alpha=scale * learning_rate)

    monkeypatch.setattr(Adam, "step", step)
    architecture = Architecture((4,))
    weights = zeros(Layout(architecture, 3, 4))
    initialise(weights, False, torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(6, 3, generator=generator)
    ids = torch.randint(6, (OFFSETS[-1],), generator=generator)
    theirs, layer = vectors.clone().requires_grad_(), weights.layers[0][0]
    U, W, b, V, c = (
        tensor.clone().requires_grad_()
        for tensor in (layer.U, layer.W, layer.b, weights.V, weights.c)
    )
    loss = 0.0
    for label, start, stop in zip(LABELS, OFFSETS[:-1], OFFSETS[1:], strict=True):
        h = torch.zeros(4)
        for i in ids[start:stop]:
            h = torch.tanh(theirs[i] @ U + W @ h + b)
        loss = loss + torch.nn.functional.cross_entropy(V @ h + c, label) / 5
    loss.backward()
    ours = Embeddings(vectors.clone(), torch.arange(6) == 2)
    estimator = RNNClassifier(
        batch_size=5, max_iter=1, alpha=0, max_grad_norm=None, learning_rate_init=0.5
    )
    plan = plan_of(estimator, 5)
    data = TrainingData(ids, OFFSETS, LABELS, torch.ones(5))
    state = TrainingState(weights, generator, embeddings=ours)
    Trainer("cross_entropy", plan, CPU).run(state, data)
    rate = 0.5 * one_cycle(0.0)
    expected = vectors - rate * theirs.grad
    expected[2] = vectors[2]
    torch.testing.assert_close(ours.vectors, expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        layer.U, (U - rate * U.grad).detach(), rtol=1e-4, atol=1e-6
    )


def test_tokens_never_seen_in_fit_have_the_vectors_given():
    classifier = fitted(embeddings=VECTORS, freeze_embeddings=True)
    assert classifier.score(X, Y) == 1.0
    assert classifier.predict(["hound sat", "hound ran"]).tolist() == [1, 1]
    known = classifier.vocabulary_
    assert list(known) == ["cat", "dog", "ran", "sat", "hound"]
    assert classifier.embeddings_.shape == (6, 3)
    assert classifier.U_[0].shape == (24, 3)
    for token, vector in VECTORS.items():
        np.testing.assert_array_equal(
            classifier.embeddings_[known[token]], np.float32(vector)
        )


def test_vectors_are_trained_unless_they_are_frozen():
    classifier = fitted(embeddings=VECTORS)
    known = classifier.vocabulary_
    cat, hound = (classifier.embeddings_[known[token]] for token in ("cat", "hound"))
    assert np.abs(cat - VECTORS["cat"]).max() > 1e-3
    np.testing.assert_array_equal(hound, np.float32(VECTORS["hound"]))


def test_a_pair_is_as_good_as_a_dict():
    pair = (list(VECTORS), np.array(list(VECTORS.values())))
    ours, theirs = fitted(embeddings=VECTORS), fitted(embeddings=pair)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    some = fitted(embeddings=VECTORS, vocabulary=["cat", "dog"])
    assert list(some.vocabulary_) == ["cat", "dog"]
    encoder = ours.encoder_
    np.testing.assert_array_equal(encoder.transform(X[:1]), encoder.transform(X)[:1])


def test_a_vocabulary_may_be_a_dict_of_rows_and_the_matrix_a_tensor():
    matrix = np.array([[9.0, 9.0, 9.0], *VECTORS.values()])
    rows = {"dog": 2, "hound": 3, "cat": 1}
    ours, theirs = fitted(embeddings=VECTORS), fitted(embeddings=(rows, matrix))
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    layer = torch.nn.Embedding.from_pretrained(torch.tensor(matrix), freeze=False)
    for tensor in (layer, layer.weight):
        theirs = fitted(embeddings=(rows, tensor))
        np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    with pytest.raises(ValueError, match="not distinct rows of the matrix, from 0 to"):
        fitted(embeddings=({"cat": 1, "dog": 4}, matrix))


@pytest.mark.parametrize(
    "params, message",
    [
        (
            {"embeddings": {"cat": [1.0], "dog": [1.0, 2.0]}},
            "embeddings could not be read: a dict of token -> vector, or a pair of a "
            "vocabulary and a matrix of as many rows, was expected, all vectors of one "
            "length, but that of 'dog' has 2 numbers and that of 'cat' 1.",
        ),
        (
            {"embeddings": {"cat": [1.0], "dog": "0.5 0.25"}},
            "embeddings could not be read: a dict of token -> vector, or a pair of a "
            "vocabulary and a matrix of as many rows, was expected, all vectors of one "
            "length, but that of 'dog' is no row of numbers.",
        ),
        (
            {"embeddings": (["cat", "dog"], np.zeros((3, 2)))},
            "embeddings could not be read: a dict of token -> vector, or a pair of a "
            "vocabulary and a matrix of as many rows, was expected, all vectors of one "
            "length, but there are 2 tokens and 3 vectors.",
        ),
        (
            {"embeddings": {"cat": [1.0, np.nan]}},
            "embeddings has numbers that are not finite for 'cat'. Drop it.",
        ),
        (
            {"embeddings": {"Katze": [1.0]}},
            "embeddings has no vector for any token of X, such as 'cat'; its own first "
            "token is 'Katze'. Check the analyzer and lowercase, and that tokens are "
            "strings, or integers, in both.",
        ),
        (
            {"freeze_embeddings": True},
            "freeze_embeddings=True needs embeddings, which are None. Pass vectors, or "
            "use freeze_embeddings=False.",
        ),
    ],
)
def test_embeddings_that_cannot_be_used(params, message):
    with pytest.raises(ValueError) as caught:
        fitted(**params)
    assert str(caught.value) == message


def test_training_touches_the_vectors_in_x_alone(monkeypatch):
    sizes = []

    def record(weights, rule, embeddings, *others):
        sizes.append(len(embeddings.vectors))
        return Embedded(weights, rule, embeddings, *others)

    monkeypatch.setattr(trainer, "Embedded", record)
    others = {f"word {i}": [0.1, 0.2, 0.3] for i in range(1000)}
    classifier = fitted(embeddings={**others, **VECTORS})
    assert sizes == [5]  # the unknown token, cat, dog, ran, sat
    assert classifier.embeddings_.shape == (1 + 3 + 2 + 1000, 3)
    known = classifier.vocabulary_
    vectors = classifier.embeddings_[[known[token] for token in others]]
    np.testing.assert_array_equal(vectors, np.float32(list(others.values())))


@pytest.mark.parametrize("name", ["vocabulary", "embeddings"])
def test_a_warning_of_tokens_that_lower_case_text_cannot_have(name):
    given = {"cat": [1.0], "Dog": [2.0]} if name == "embeddings" else ["cat", "Dog"]
    with pytest.warns(UserWarning) as record:
        fitted(**{name: given}, lowercase=True)
    assert str(record[0].message) == (
        f"1 of 2 tokens of {name} have upper case, such as 'Dog', and are never found, "
        "since lowercase=True. Turn them into lower case, or use lowercase=False."
    )
    assert record[0].filename == __file__


@pytest.mark.parametrize("param", [{"lowercase": True}, {"strip_accents": "ascii"}])
def test_a_warning_of_parameters_of_text_without_text(param):
    with pytest.warns(UserWarning, match="is without effect: X holds token lists") as w:
        RNNClassifier(2, max_iter=1, **param).fit([["a"], ["B"]], [0, 1])
    assert w[0].filename == __file__


@pytest.mark.parametrize("name, value", [("embeddings", VECTORS), ("vocabulary", [1])])
def test_numbers_have_no_tokens(name, value):
    with pytest.raises(ValueError) as caught:
        RNNEncoder(2, **{name: value}).fit([[1.0], [2.0]], [0, 1])
    assert str(caught.value) == (
        f"{name} needs tokens, but X holds sequences of numbers. Use {name}=None, or "
        "analyzer='token' if whole numbers are tokens."
    )
