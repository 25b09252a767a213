"""Heads, what is learned from y: several labels a sequence, weights of classes."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import log_loss

from skrnn import RNNClassifier, RNNEncoder
from skrnn._heads.chain import ChainHead
from skrnn._heads.class_weight import weigh_classes
from skrnn._heads.classes import ClassHead
from skrnn._heads.tags import TagsHead
from skrnn._heads.task import HEADS

LETTERS = "abcd"


def bags(n_samples, seed):
    """Strings, and which of three letters are in each."""
    rng = np.random.default_rng(seed)
    X = [
        "".join(rng.choice(list(LETTERS), rng.integers(1, 5))) for _ in range(n_samples)
    ]
    return X, np.array([[letter in x for letter in "abc"] for x in X]).astype(int)


@pytest.fixture(scope="module")
def multilabel():
    return RNNClassifier(16, random_state=0).fit(*bags(500, seed=0))


def test_several_labels_are_learned(multilabel):
    X, y = bags(200, seed=1)
    assert multilabel.score(X, y) > 0.95  # all labels of a sequence right
    np.testing.assert_array_equal(multilabel.classes_, [0, 1, 2])


def test_outputs_for_several_labels_hang_together(multilabel):
    X, _ = bags(20, seed=1)
    scores = multilabel.decision_function(X)
    probabilities = multilabel.predict_proba(X)
    assert scores.shape == probabilities.shape == (20, 3)
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-scores)), rtol=1e-5)
    np.testing.assert_allclose(
        multilabel.predict_log_proba(X), np.log(probabilities), rtol=1e-3, atol=1e-6
    )
    np.testing.assert_array_equal(multilabel.predict(X), scores > 0)


def test_labels_may_be_sparse(multilabel):
    X, y = bags(500, seed=0)
    sparse = RNNClassifier(16, random_state=0).fit(X, csr_matrix(y))
    np.testing.assert_array_equal(sparse.V_, multilabel.V_)


def test_two_labels_are_two_columns():
    X, y = bags(50, seed=0)
    classifier = RNNClassifier(4, max_iter=2, random_state=0).fit(X, y[:, :2])
    assert classifier.decision_function(X).shape == (50, 2)
    assert classifier.predict(X).shape == (50, 2)
    assert classifier.encoder_.task_ == "multilabel"


def test_the_encoder_learns_from_several_labels():
    X, y = bags(50, seed=0)
    encoder = RNNEncoder(4, max_iter=2, random_state=0).fit(X, y)
    assert encoder.task_ == "multilabel" and encoder.V_.shape == (3, 4)


def learned(y, task, weight=None):
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    y = np.asarray(y)
    return HEADS[task].learn(y, weight).fitted_to(y, weight)


@pytest.mark.parametrize("head", [TagsHead, ChainHead])
def test_heads_of_tags_have_nothing_of_single_labels(head):
    for name in ("decision", "log_probabilities", "strata"):
        assert hasattr(ClassHead, name) and not hasattr(head, name)


def test_scores_start_at_how_often_each_class_is():
    head = learned(["a", "b", "b", "b"], "classification")
    np.testing.assert_allclose(np.exp(head.bias), [2 / 6, 4 / 6], rtol=1e-6)
    weighted = learned(["a", "b", "b", "b"], "classification", [3, 1, 1, 1])
    np.testing.assert_allclose(np.exp(weighted.bias), [0.5, 0.5], rtol=1e-6)
    labels = learned([[1, 0], [1, 0], [1, 1]], "multilabel")
    np.testing.assert_allclose(np.exp(labels.bias), [4, 2 / 3], rtol=1e-6)
    np.testing.assert_array_equal(learned([1.5, 2.5], "regression").bias, [0.0])


def test_rare_classes_that_nothing_tells_apart_get_their_share():
    X, y = ["x"] * 100, ["rare"] * 10 + ["common"] * 90
    classifier = RNNClassifier(2, max_iter=30, random_state=0).fit(X, y)
    assert log_loss(y, classifier.predict_proba(X)) < 0.34  # 0.325 is the entropy


def test_balanced_weights_make_classes_equally_likely():
    X, y = ["x"] * 100, ["rare"] * 10 + ["common"] * 90
    classifier = RNNClassifier(2, max_iter=30, random_state=0, class_weight="balanced")
    probabilities = classifier.fit(X, y).predict_proba(["x"])
    np.testing.assert_allclose(probabilities, [[0.5, 0.5]], atol=0.05)


def test_class_weights_are_sample_weights():
    X, y = ["ab", "cd", "ad", "cb"] * 5, ["p", "q", "p", "q"] * 5
    params = {"nhidden": 4, "max_iter": 5, "random_state": 0}
    by_class = RNNClassifier(**params, class_weight={"p": 3.0}).fit(X, y)
    by_sample = RNNClassifier(**params).fit(X, y, [3.0, 1.0] * 10)
    np.testing.assert_array_equal(by_class.V_, by_sample.V_)


def test_balanced_weights_count_the_weights_of_sequences():
    y, weight = np.array(["p", "q", "q", "r"]), np.array([1.0, 1.0, 2.0, 0.0])
    weighted = weigh_classes("balanced", y, weight, np.unique(y))
    np.testing.assert_allclose(weighted / weighted.sum(), [1 / 2, 1 / 6, 1 / 3, 0.0])


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_products_of_weights_neither_vanish_nor_overflow(size):
    y, weight = np.array(["p", "q"]), np.array([size, size])
    weighted = weigh_classes({"p": size, "q": 3 * size}, y, weight, y)
    np.testing.assert_allclose(weighted, [1 / 3, 1.0])


def test_a_class_without_weight_may_have_a_class_weight():
    y, weight = np.array(["p", "q"]), np.array([1.0, 0.0])
    weighted = weigh_classes({"q": 2.0}, y, weight, y)
    np.testing.assert_allclose(weighted, [0.5, 0.0])


@pytest.mark.parametrize(
    "class_weight, y, message",
    [
        ({"p": -1.0}, ["p", "q"], "class_weight has -1.0 for 'p': a finite number"),
        (
            {"p": 0, "q": 0},
            ["p", "q"],
            "class_weight is 0 for all classes that have sequences",
        ),
        ({"x": 1.0}, ["p", "q"], r"The classes, \['p', 'q'\], are not in class_weight"),
        (
            "balanced",
            [[0, 1], [1, 0]],
            "class_weight is 'balanced', but y has 2 labels",
        ),
        ("other", ["p", "q"], "The 'class_weight' parameter of RNNClassifier must be"),
    ],
)
def test_class_weights_that_cannot_be_used(class_weight, y, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        RNNClassifier(2, class_weight=class_weight).fit(["ab", "cd"], y)
