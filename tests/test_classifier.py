"""RNNClassifier: what it learns, and how its outputs hang together."""

import pickle
from copy import deepcopy
from itertools import product

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import RNNClassifier, RNNEncoder

CATS = ["cat", "chat", "katze"]


@pytest.mark.parametrize("random_state", range(5))
def test_cat_chat_katze_are_told_apart(random_state):
    classifier = RNNClassifier(nhidden=4, random_state=random_state)
    classifier.fit(CATS, ["English", "French", "German"])
    assert classifier.score(CATS, ["English", "French", "German"]) == 1.0


def first_of_two(n_samples, seed):
    """Which of two marked tokens, "A" and "B", comes first among other tokens?"""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n_samples):
        tokens = rng.choice(list("cdefghijkl"), size=rng.integers(5, 51)).tolist()
        i, j = rng.choice(len(tokens), size=2, replace=False)
        tokens[i], tokens[j] = "A", "B"
        X.append(tokens)
        y.append("A" if i < j else "B")
    return X, y


def test_a_task_that_needs_order_is_learned():
    classifier = RNNClassifier(random_state=0).fit(*first_of_two(2000, seed=0))
    assert classifier.score(*first_of_two(1000, seed=1)) >= 0.99


def test_surnames_are_classified_by_the_defaults_and_by_a_forest_on_codes(surnames):
    X, y = np.array(surnames[0]), np.array(surnames[1])
    order = np.random.default_rng(0).permutation(len(X))
    train, held_out = order[:12_000], order[12_000:]
    forest = RandomForestClassifier(random_state=0)
    scores = {
        name: model.fit(X[train], y[train]).score(X[held_out], y[held_out])
        for name, model in {
            "classifier": RNNClassifier(random_state=0),
            "codes": make_pipeline(RNNEncoder(random_state=0), clone(forest)),
            "bag": make_pipeline(
                CountVectorizer(analyzer="char", lowercase=False), clone(forest)
            ),
        }.items()
    }
    assert scores["classifier"] >= 0.83
    assert abs(scores["codes"] - scores["classifier"]) <= 0.02
    assert min(scores["classifier"], scores["codes"]) > scores["bag"] + 0.08


def test_means_of_probabilities_sum_to_1(surnames):
    X, y = np.array(surnames[0][::40]), np.array(surnames[1][::40])
    models = [RNNClassifier(4, max_iter=2, random_state=i).fit(X, y) for i in range(3)]
    means = np.mean([model.predict_proba(X) for model in models], axis=0)
    assert log_loss(y, means) > 0  # and no warning


@pytest.fixture(scope="module", params=[2, 3])
def fitted(request):
    classes = request.param
    X = CATS[:classes] * 3
    return RNNClassifier(nhidden=4, max_iter=20, random_state=0).fit(X, X)


def test_outputs_agree_with_each_other(fitted):
    X = [*CATS, "chatze", "tac"]
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (5, len(fitted.classes_))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(
        fitted.predict_log_proba(X), np.log(probabilities), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_array_equal(
        fitted.predict(X), fitted.classes_[probabilities.argmax(axis=1)]
    )
    decision = fitted.decision_function(X)
    if len(fitted.classes_) == 2:
        log_odds = np.log(probabilities[:, 1] / probabilities[:, 0])
        np.testing.assert_allclose(decision, log_odds, rtol=1e-3, atol=1e-5)
    else:
        np.testing.assert_array_equal(
            decision.argmax(axis=1), probabilities.argmax(axis=1)
        )


def test_encoder_is_a_fitted_encoder_on_the_same_weights(fitted):
    encoder = fitted.encoder_
    assert type(encoder) is RNNEncoder
    params = fitted.get_params()
    for name in ("class_weight", "wide_ngram_range", "n_wide_features"):
        params.pop(name)
    assert encoder.get_params() == params
    assert encoder.task_ == "classification"
    assert all(
        getattr(encoder, name)[0] is getattr(fitted, name)[0]
        for name in ("W_", "U_", "b_")
    )
    scores = encoder.transform(CATS) @ fitted.V_.T + fitted.intercept_
    if len(fitted.classes_) > 2:
        alone = clone(fitted).set_params(wide_ngram_range=None).fit(CATS * 3, CATS * 3)
        np.testing.assert_allclose(
            alone.decision_function(CATS), scores, rtol=1e-4, atol=1e-6
        )


def test_classifier_and_encoder_learn_the_same_weights():
    params = {"nhidden": 4, "max_iter": 20, "random_state": 0}
    classifier = RNNClassifier(**params).fit(CATS, CATS)
    encoder = RNNEncoder(**params).fit(CATS, CATS)
    np.testing.assert_array_equal(classifier.W_[0], encoder.W_[0])
    np.testing.assert_array_equal(classifier.V_, encoder.V_)


def test_a_weight_of_zero_is_as_good_as_removal():
    X, y = [*CATS, "xyz", "cab"], ["p", "q", "r", "p", "q"]
    weight = [1.0, 2.0, 0.5, 0.0, 1.0]
    keep = np.array([0, 1, 2, 4])
    params = {"nhidden": 4, "max_iter": 20, "random_state": 0}
    weighted = RNNClassifier(**params).fit(X, y, weight)
    removed = RNNClassifier(**params).fit(
        [X[i] for i in keep], [y[i] for i in keep], [weight[i] for i in keep]
    )
    assert weighted.vocabulary_ == removed.vocabulary_
    np.testing.assert_array_equal(weighted.predict_proba(X), removed.predict_proba(X))


def test_a_larger_weight_moves_the_prediction():
    X, y = ["ab"] * 4, [0, 0, 1, 1]
    light, heavy = (
        RNNClassifier(nhidden=4, random_state=0)
        .fit(X, y, [1, 1, weight, weight])
        .predict_proba(["ab"])[0, 1]
        for weight in (0.2, 5.0)
    )
    assert light == pytest.approx(1 / 6, abs=0.1)
    assert heavy == pytest.approx(5 / 6, abs=0.1)


def test_labels_of_any_kind_come_back(rng):
    for labels in (["x", "y"], [7, -2], [True, False], [1.0, 2.0]):
        classifier = RNNClassifier(nhidden=4, random_state=0).fit(["ab", "ba"], labels)
        assert classifier.predict(["ab", "ba"]).tolist() == labels


def test_one_class_predicts_itself():
    classifier = RNNClassifier(nhidden=4, max_iter=3).fit(["ab", "ba"], ["x", "x"])
    assert classifier.predict(["zz"]).tolist() == ["x"]
    np.testing.assert_array_equal(classifier.predict_proba(["zz"]), [[1.0]])


def test_grid_search_over_nhidden():
    # Eight words of three letters take more than one number to tell apart.
    X = ["".join(letters) for letters in product("ab", repeat=3)] * 6
    network = RNNClassifier(wide_ngram_range=None, random_state=0)
    search = GridSearchCV(network, {"nhidden": [1, 8]}, cv=3, n_jobs=1).fit(X, X)
    small, large = search.cv_results_["mean_test_score"]
    assert small < 0.9 < large
    assert search.best_params_ == {"nhidden": 8}
    assert search.best_estimator_.W_[0].shape == (24, 8)
    assert search.predict(X).tolist() == X


def test_grid_search_over_cells_and_layers():
    X = ["".join(letters) for letters in product("ab", repeat=3)] * 4
    search = GridSearchCV(
        RNNClassifier(max_iter=2, random_state=0),
        {"cell": ["rnn", "gru", "lstm"], "nhidden": [4, (4, 3)], "pooling": ["max"]},
        cv=2,
    ).fit(X, X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.cv_results_["params"]) == 6


@pytest.mark.parametrize(
    "params, width",
    [
        ({"nhidden": (6, 4), "cell": "lstm"}, 4),
        ({"nhidden": 5, "cell": "gru", "bidirectional": True}, 10),
        ({"nhidden": [3, 2], "bidirectional": True, "pooling": "mean"}, 4),
        ({"nhidden": 3, "cell": "rnn", "pooling": "concat"}, 6),
        ({"cell": "rnn", "activation": "identity", "nhidden": 3}, 3),
    ],
)
def test_every_architecture_is_fitted_copied_and_used(params, width):
    classifier = RNNClassifier(**params, max_iter=20, random_state=0).fit(CATS, CATS)
    codes = classifier.encoder_.transform(CATS)
    assert codes.shape == (3, width)
    assert classifier.V_.shape == (3, width)
    assert classifier.encoder_.get_feature_names_out().shape == (width,)
    for copy in (pickle.loads(pickle.dumps(classifier)), deepcopy(classifier)):
        np.testing.assert_array_equal(copy.encoder_.transform(CATS), codes)
    encoder = RNNEncoder(**params, max_iter=20, random_state=0).fit(CATS, CATS)
    np.testing.assert_array_equal(encoder.transform(CATS), codes)


def test_a_recurrence_that_stays_the_identity_is_a_bag_of_tokens():
    params = {"cell": "rnn", "recurrence": "identity", "activation": "identity"}
    classifier = RNNClassifier(4, ngram_range=(1, 1), random_state=0, **params)
    classifier.fit(["cat", "dog"], [0, 1])
    np.testing.assert_array_equal(classifier.W_[0], np.eye(4))
    cat, act = classifier.encoder_.transform(["cat", "act"])
    np.testing.assert_allclose(cat, act, rtol=1e-5)
    columns = [classifier.vocabulary_[letter] for letter in "cat"]
    expected = classifier.U_[0][:, columns].sum(axis=1) + 3 * classifier.b_[0]
    np.testing.assert_allclose(cat, expected, rtol=1e-5)


def test_pipeline_and_cross_validation():
    lower = FunctionTransformer(lambda X: [text.lower() for text in X])
    model = make_pipeline(lower, RNNClassifier(nhidden=8, random_state=0))
    X, y = ["CAT", "cat", "Act", "aCT"] * 6, ["cat", "cat", "act", "act"] * 6
    assert cross_val_score(model, X, y, cv=3).tolist() == [1.0, 1.0, 1.0]


def test_a_pickled_copy_predicts_the_same(fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(CATS), fitted.predict_proba(CATS))
    np.testing.assert_array_equal(
        copy.encoder_.transform(CATS), fitted.encoder_.transform(CATS)
    )


def test_predict_does_not_change_the_estimator(fitted):
    before = pickle.dumps(fitted)
    fitted.predict(CATS)
    assert pickle.dumps(fitted) == before
