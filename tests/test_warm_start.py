"""Warm starts: what a fit takes over from the last one."""

import numpy as np
import pytest
from sklearn.base import clone

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor

X = ["abc", "bca", "cab", "acb", "ab", "ba", "c", "cc"] * 5
Y = [x[-1] for x in X]
SERIES = [np.array(x, dtype=float) for x in ([1, 2, 4], [0, 3], [5], [2, 2, 1, 0])] * 5
NO_CHANGE = {"learning_rate_init": 1e-12, "max_iter": 1, "alpha": 0.0}
VECTORS = {letter: np.eye(4)[i] for i, letter in enumerate("abcd")}


def warm(make=RNNClassifier, **params):
    params = {"random_state": 0, "warm_start": True, "max_iter": 20, **params}
    return make(**{"nhidden": 8, **params})


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"cell": "lstm", "nhidden": (5, 4), "bidirectional": True},
        {"cell": "rnn", "recurrence": "identity"},
        {"ngram_range": (1, 1), "pooling": "concat"},
        {"embeddings": VECTORS},
        {"embeddings": VECTORS, "freeze_embeddings": True},
    ],
    ids=["defaults", "layers", "identity", "concat", "embeddings", "frozen"],
)
def test_it_starts_where_the_last_fit_ended(params):
    classifier = warm().set_params(**params).fit(X, Y)
    before = classifier.predict_proba(X)
    classifier.set_params(**NO_CHANGE).fit(X, Y)
    np.testing.assert_allclose(classifier.predict_proba(X), before, atol=1e-5)
    cold = warm(warm_start=False).set_params(**{**params, **NO_CHANGE}).fit(X, Y)
    assert abs(cold.predict_proba(X) - before).max() > 0.1
    if params.get("freeze_embeddings"):
        for token, vector in VECTORS.items():
            row = classifier.vocabulary_[token]
            np.testing.assert_array_equal(classifier.embeddings_[row], vector)


def test_more_epochs_lower_the_loss():
    classifier = warm(max_iter=3).fit(X, Y)
    losses = [classifier.loss_]
    for _ in range(2):
        losses.append(classifier.fit(X, Y).loss_)
    assert losses[2] < losses[1] < losses[0] and classifier.n_iter_ == 3


def test_numbers_are_read_as_before():
    regressor = warm(RNNRegressor).set_params(kernel_sizes=None)
    regressor.fit(SERIES, [x[-1] for x in SERIES])
    mean, before = regressor.mean_, regressor.predict(SERIES)
    shifted = [x + 100 for x in SERIES]
    regressor.set_params(**NO_CHANGE).fit(shifted, [x[0] for x in SERIES])
    np.testing.assert_array_equal(regressor.mean_, mean)
    # Targets are standardised anew, and the output weights with them.
    np.testing.assert_allclose(regressor.predict(SERIES), before, atol=1e-3)
    assert regressor.target_mean_ == pytest.approx(np.mean([x[0] for x in SERIES]))


def test_a_target_that_is_constant_is_predicted():
    regressor = warm(RNNRegressor).fit(SERIES, [x[-1] for x in SERIES])
    regressor.set_params(**NO_CHANGE).fit(SERIES, [7.0] * len(SERIES))
    np.testing.assert_allclose(regressor.predict(SERIES), 7.0)


def test_classes_keep_their_weights_and_new_ones_come():
    classifier = warm().fit(X, Y)
    V = dict(zip(classifier.classes_, classifier.V_, strict=True))
    y = ["d" if label == "b" else label for label in Y]
    classifier.set_params(**NO_CHANGE).fit(X, y)
    assert classifier.classes_.tolist() == ["a", "c", "d"]
    for label, row in zip("acd", classifier.V_, strict=True):
        if label in V:
            np.testing.assert_allclose(row, V[label], atol=1e-6)
        else:
            assert not any(np.allclose(row, other, atol=0.01) for other in V.values())


def test_labels_of_another_type_are_others():
    classifier = warm().fit(X, [str(len(x)) for x in X])
    V = classifier.V_
    classifier.set_params(**NO_CHANGE).fit(X, [len(x) for x in X])
    assert classifier.classes_.dtype.kind == "i" and not np.allclose(classifier.V_, V)


def test_tokens_that_were_not_there_are_unknown():
    classifier = warm().fit(X, Y)
    vocabulary, U = classifier.vocabulary_, classifier.U_[0].shape
    classifier.fit(["abz", "zc", "zb"], ["z", "c", "b"])
    assert classifier.vocabulary_ == vocabulary and classifier.U_[0].shape == U


def test_labels_after_none_and_none_after_labels():
    encoder = warm(RNNEncoder).fit(X)
    W, loss = encoder.W_[0], encoder.loss_
    encoder.set_params(**NO_CHANGE).fit(X, Y)
    assert encoder.task_ == "classification" and len(encoder.V_) == 3
    np.testing.assert_allclose(encoder.W_[0], W, atol=1e-6)
    encoder.fit(X)
    assert encoder.task_ == "next_step" and encoder.loss_ > loss  # V is new
    V = encoder.V_
    encoder.fit(["aa"] * 8)  # fewer tokens than there were
    assert encoder.V_.shape == V.shape
    np.testing.assert_allclose(encoder.V_, V, atol=1e-6)


def test_early_stopping_leaves_no_scores_behind():
    classifier = warm(early_stopping=True, validation_fraction=0.3).fit(X, Y)
    assert classifier.validation_scores_
    classifier.set_params(early_stopping=False).fit(X, Y)
    assert not hasattr(classifier, "validation_scores_")


def test_a_clone_starts_anew():
    classifier = warm().fit(X, Y)
    again = clone(classifier).fit(X, Y)
    np.testing.assert_array_equal(again.V_, classifier.V_)


def test_few_labels_are_better_used_after_many_sequences_without():
    # The label is whether the word ends as its first letter says: a = ends in b.
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcd"), 6)) for _ in range(1500)]
    words = [w[:-1] + {"a": "b", "b": "c", "c": "d", "d": "a"}[w[0]] for w in words]
    y = np.array([w[0] in "ab" for w in words])
    few, rest = slice(0, 16), slice(16, None)
    params = {"ngram_range": (1, 1), "learning_rate_init": 0.003, "max_iter": "auto"}
    encoder = warm(RNNEncoder, nhidden=24, **params)
    encoder.fit(words).fit(words[few], y[few])
    scores = encoder.transform(words[rest]) @ encoder.V_.T + encoder.intercept_
    ours = (scores.argmax(axis=1) == y[rest]).mean()
    cold = RNNClassifier(24, random_state=0, wide_ngram_range=None, **params)
    cold.fit(words[few], y[few])
    assert ours > cold.score(words[rest], y[rest]) + 0.05


@pytest.mark.parametrize(
    "params, sentence",
    [
        ({"nhidden": 4}, r"nhidden was \(8,\), but now it is \(4,\)"),
        ({"cell": "lstm"}, "cell was 'gru', but now it is 'lstm'"),
        ({"pooling": "max"}, "pooling was 'sum', but now it is 'max'"),
        ({"lowercase": True}, "lowercase was False, but now it is True"),
        ({"embeddings": VECTORS}, "had no embeddings. Use embeddings=None, or"),
        ({"ngram_range": (1, 2)}, r"ngram_range was 'auto', but now it is \(1, 2\)"),
        ({"missing": "mask"}, "missing was 'error', but now it is 'mask'"),
    ],
)
def test_another_network_raises(params, sentence):
    classifier = warm().fit(X, Y)
    before = classifier.predict_proba(X)
    with pytest.raises(ValueError, match=f"warm_start=True .*{sentence}"):
        classifier.set_params(**params).fit(X, Y)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


def test_other_differences_or_features_raise():
    regressor = warm(RNNRegressor).fit(SERIES, [x[-1] for x in SERIES])
    with pytest.raises(ValueError, match="differences was 1, but now it is 0"):
        regressor.set_params(differences=0).fit(SERIES, [x[-1] for x in SERIES])
    regressor.set_params(differences=1)
    with pytest.raises(ValueError, match="X has 2 features at each step"):
        regressor.fit([np.ones((3, 2))] * 4, [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(TypeError, match="X holds strings"):
        regressor.fit(X, range(len(X)))
    with pytest.raises(ValueError, match="patch_length was 'auto', but now it is 2"):
        regressor.set_params(patch_length=2).fit(SERIES, [x[-1] for x in SERIES])


def test_tokens_that_are_all_new_raise():
    with pytest.raises(ValueError, match="vocabulary of the last fit, which has no"):
        warm().fit(X, Y).fit(["xyz", "zyx"], ["a", "b"])


def test_an_encoder_of_a_classifier_goes_on_with_its_output_weights():
    encoder = RNNClassifier(8, max_iter=5, random_state=0).fit(X, Y).encoder_
    V = encoder.V_
    encoder.set_params(warm_start=True, **NO_CHANGE).fit(X, Y)
    np.testing.assert_allclose(encoder.V_, V, atol=1e-6)
    encoder = RNNRegressor(8, max_iter=5).fit(SERIES, [x[-1] for x in SERIES]).encoder_
    V = encoder.V_
    encoder.set_params(warm_start=True, **NO_CHANGE)
    encoder.fit(SERIES, [x[-1] + 0.5 for x in SERIES])
    np.testing.assert_allclose(encoder.V_, V, atol=1e-4)


def test_vectors_that_were_given_stay_frozen():
    classifier = warm(embeddings=VECTORS).fit(X, Y)
    before = classifier.embeddings_
    others = {"z": np.ones(4)}
    classifier.set_params(embeddings=others, freeze_embeddings=True).fit(X, Y)
    rows = [classifier.vocabulary_[token] for token in VECTORS]
    np.testing.assert_array_equal(classifier.embeddings_[rows], before[rows])


def test_a_fit_that_fails_leaves_the_vectors_as_they_were():
    classifier = warm(embeddings=VECTORS).fit(X, Y)
    before = classifier.predict_proba(X)
    classifier.set_params(early_stopping=True, validation_fraction=0.2)
    with pytest.raises(KeyboardInterrupt):
        _interrupted(classifier)
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


def _interrupted(classifier):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skrnn._fitting.check_converged", interrupt)
        classifier.fit(X, Y)
