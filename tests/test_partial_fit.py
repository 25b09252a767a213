"""partial_fit: learning chunk by chunk."""

import pickle

import numpy as np
import pytest

from skrnn import (
    RNNClassifier,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNTagger,
)
from skrnn._core import schedule, trainer

X = ["aab", "ba", "abba", "b", "bbb", "a", "baa", "bab"] * 5
LABELS = np.array([x[0] for x in X])
NUMBERS = np.array([float(len(x)) + 0.5 for x in X])
MANY = np.array([["a" in x, "b" in x] for x in X]).astype(int)
SERIES = [np.arange(n, dtype=float) for n in (3, 5, 2, 4)] * 5
PARAMS = {"nhidden": 4, "batch_size": 8, "random_state": 0}
VECTORS = {"a": [1.0, 0.0], "b": [0.0, 1.0]}

CASES = {
    "labels": (RNNClassifier(**PARAMS), X, LABELS, ["a", "b"]),
    "several labels": (RNNClassifier(**PARAMS), X, MANY, None),
    "numbers": (RNNRegressor(**PARAMS), X, NUMBERS, None),
    "series": (RNNRegressor(**PARAMS), SERIES, np.arange(20) / 7, None),
    "encoder, labels": (RNNEncoder(**PARAMS), X, LABELS, ["a", "b"]),
    "encoder, numbers": (RNNEncoder(**PARAMS), X, NUMBERS, None),
    "encoder, next steps": (RNNEncoder(**PARAMS), X, None, None),
    "vectors": (RNNClassifier(**PARAMS, embeddings=VECTORS), X, LABELS, ["a", "b"]),
    "dropout": (RNNClassifier(**PARAMS, dropout=0.5), X, LABELS, ["a", "b"]),
    "tags": (RNNTagger(**PARAMS), X, X, ["a", "b"]),
    "tags, dropout": (RNNTagger(**PARAMS, dropout=0.5), X, X, ["a", "b"]),
    "tags, vectors": (RNNTagger(**PARAMS, embeddings=VECTORS), X, X, ["a", "b"]),
    "tags of series": (RNNTagger(**PARAMS), SERIES, [x > 2 for x in SERIES], [0, 1]),
    "next tokens": (RNNLanguageModel(**PARAMS), X, None, None),
    "next numbers": (RNNLanguageModel(**PARAMS), SERIES, None, None),
}


def chunk(estimator, X, y, classes=None, **others):
    """A call of partial_fit, of whatever estimator."""
    if classes is not None:
        others["classes"] = classes
    return estimator.partial_fit(X, y, **others)


def weights(estimator):
    arrays = [*estimator.W_, *estimator.U_, *estimator.b_]
    return [*arrays, estimator.V_, estimator.intercept_]


def assert_same(one, other):
    for ours, theirs in zip(weights(one), weights(other), strict=True):
        assert np.array_equal(ours, theirs)
    if hasattr(one, "embeddings_"):
        assert np.array_equal(one.embeddings_, other.embeddings_)
    assert one.loss_curve_ == other.loss_curve_
    assert one.n_iter_ == other.n_iter_


@pytest.fixture(params=CASES)
def case(request):
    estimator, *data = CASES[request.param]
    return type(estimator)(**estimator.get_params()), *data


@pytest.mark.parametrize("is_large", [False, True])
def test_calls_with_the_same_data_are_epochs_on_it(case, is_large, monkeypatch):
    """Bit for bit those of a fit whose learning rate stays as it is."""
    estimator, X, y, classes = case
    if is_large:  # a vocabulary of which an update moves some vectors only
        monkeypatch.setattr(trainer, "_MANY_TOKENS", -1000)
    for _ in range(3):
        chunk(estimator, X, y, classes)
    with monkeypatch.context() as patch:
        patch.setitem(schedule.SCHEDULES, "one_cycle", lambda done: 1.0)
        whole = type(estimator)(**estimator.get_params()).set_params(max_iter=3)
        whole.fit(X, y)
    assert_same(estimator, whole)
    assert estimator.n_iter_ == 3


def test_a_pickle_goes_on_like_the_estimator(case):
    estimator, X, y, classes = case
    chunk(estimator, X, y, classes)
    other = pickle.loads(pickle.dumps(estimator))
    chunk(estimator, X, y)
    chunk(other, X, y)
    assert_same(estimator, other)


def test_it_learns_from_chunks_that_never_come_together(rng):
    letters = np.array(list("abcd"))
    X = ["".join(rng.choice(letters, rng.integers(2, 8))) for _ in range(600)]
    y = [x[0] < x[-1] for x in X]
    classifier = RNNClassifier(32, random_state=0)
    for _ in range(8):
        for start in range(0, 500, 100):
            part = slice(start, start + 100)
            classifier.partial_fit(X[part], y[part], classes=[False, True])
    assert classifier.score(X[500:], y[500:]) > 0.9
    assert classifier.n_iter_ == 40


def test_it_goes_on_from_a_fit():
    classifier = RNNClassifier(**PARAMS, max_iter=30).fit(X, LABELS)
    before = classifier.loss_
    classifier.set_params(learning_rate_init=1e-4).partial_fit(X, LABELS)
    assert classifier.n_iter_ == 31
    assert classifier.loss_ < before + 0.1
    assert not hasattr(classifier.fit(X, LABELS), "_training")


def test_reading_stays_that_of_the_first_chunk():
    regressor = RNNRegressor(**PARAMS).partial_fit(SERIES, np.arange(20) / 7)
    mean, target_mean = regressor.mean_.copy(), regressor.target_mean_.copy()
    regressor.partial_fit([s * 9 for s in SERIES], np.arange(20) * 3.5)
    assert np.array_equal(regressor.mean_, mean)
    assert np.array_equal(regressor.target_mean_, target_mean)


def test_tokens_of_later_chunks_are_unknown_ones():
    classifier = RNNClassifier(**PARAMS, ngram_range=(1, 1))
    classifier.partial_fit(["ab", "ba"], [0, 1], classes=[0, 1])
    before = classifier.U_[0].copy()
    classifier.partial_fit(["xy", "yx"], [0, 1])
    assert list(classifier.vocabulary_) == ["a", "b"]
    moved = (classifier.U_[0] != before).any(axis=0)
    assert moved[0]
    given = RNNClassifier(**PARAMS, ngram_range=(1, 1), vocabulary=list("abxy"))
    given.partial_fit(["ab", "ba"], [0, 1], classes=[0, 1]).partial_fit(["xy"], [0])
    assert len(given.vocabulary_) == 4


def test_a_class_may_come_late():
    classifier = RNNClassifier(**PARAMS)
    classifier.partial_fit(X[:8], ["a"] * 8, classes=["c", "b", "a"])
    assert classifier.classes_.tolist() == ["a", "b", "c"]
    classifier.partial_fit(X[:8], ["b"] * 8)
    assert classifier.predict_proba(X).shape == (len(X), 3)


def test_an_encoder_takes_the_classes_of_the_first_chunk():
    encoder = RNNEncoder(**PARAMS).partial_fit(X, LABELS)
    assert encoder.classes_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="is not one of the classes of the first call"):
        encoder.partial_fit(["ab"], ["c"])


def test_numbers_that_are_equal_in_the_first_chunk_may_differ_later():
    regressor = RNNRegressor(**PARAMS).partial_fit(X[:8], [2.0] * 8)
    for _ in range(60):
        regressor.partial_fit(X, NUMBERS)
    assert regressor.score(X, NUMBERS) > 0.9


def test_class_weight_of_a_dict():
    one = RNNClassifier(**PARAMS, class_weight={"a": 1.0, "b": 0.5})
    one.partial_fit(X, LABELS, classes=["a", "b"])
    other = RNNClassifier(**PARAMS)
    weight = np.where(LABELS == "a", 1.0, 0.5)
    other.partial_fit(X, LABELS, classes=["a", "b"], sample_weight=weight)
    assert_same(one, other)


def test_class_weight_of_classes_that_are_not_in_the_chunk():
    weight = {"a": 1.0, "b": 0.5, "c": 9.0}
    one = RNNClassifier(**PARAMS, class_weight=weight)
    one.partial_fit(X, LABELS, classes=["a", "b", "c"])
    assert one.partial_fit(X[:2], ["b", "b"]).n_iter_ == 2


def test_next_steps_may_be_tokens_of_a_given_vocabulary_that_come_late():
    encoder = RNNEncoder(**PARAMS, vocabulary=list("abxy"))
    encoder.partial_fit(["ab", "ba"])
    assert len(encoder.V_) == 5
    before = encoder.V_.copy()
    encoder.partial_fit(["xy", "yx"])
    assert (encoder.V_ != before).any(axis=1).all()
    learned = RNNEncoder(**PARAMS).partial_fit(["ab", "ba"])  # n-grams
    assert len(learned.V_) == 3


def test_numbers_after_a_fit_of_equal_ones():
    regressor = RNNRegressor(**PARAMS, max_iter=2).fit(X, np.full(len(X), 3.0))
    assert (regressor.predict(X) == 3.0).all()
    for _ in range(60):
        regressor.partial_fit(X, NUMBERS)
    assert regressor.score(X, NUMBERS) > 0.8


def test_a_callback_sees_all_epochs():
    class Count:
        epochs = ()

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            if fitted_estimator is not None:
                self.epochs += (fitted_estimator.n_iter_,)
                fitted_estimator.set_callbacks().partial_fit(X, LABELS)

    count = Count()
    classifier = RNNClassifier(**PARAMS).set_callbacks(count)
    for _ in range(3):
        classifier.partial_fit(X, LABELS, classes=["a", "b"])
    assert count.epochs == (1, 2, 3)


def fitted(estimator, *chunk_of):
    return chunk(estimator, *chunk_of)


BAD = {
    "no classes": (
        lambda: RNNClassifier(**PARAMS).partial_fit(X, LABELS),
        "classes must be passed on the first call to partial_fit",
    ),
    "other classes": (
        lambda: chunk(
            fitted(RNNClassifier(**PARAMS), X, LABELS, ["a", "b"]), X, LABELS, ["a"]
        ),
        "is not the same as on last call to partial_fit",
    ),
    "an unknown label": (
        lambda: chunk(RNNClassifier(**PARAMS), X, LABELS, ["b", "c"]),
        r"^y\[0\] is 'a', which is not one of the classes of the first call to "
        r"partial_fit\. Pass all classes there\.$",
    ),
    "other columns": (
        lambda: chunk(fitted(RNNClassifier(**PARAMS), X, MANY), X, MANY[:, [0, 1, 1]]),
        r"^y is of shape \(40, 3\): 2 columns were expected",
    ),
    "other values": (
        lambda: chunk(
            fitted(RNNClassifier(**PARAMS), X, MANY), X[:2], np.array([[0, 1], [7, 0]])
        ),
        r"^y\[1\] is \[7 0\]: a 0 or 1 for each of 2 labels was expected",
    ),
    "other columns of numbers": (
        lambda: chunk(
            fitted(RNNRegressor(**PARAMS), X, NUMBERS), X, np.ones((40, 2)) / 3
        ),
        r"^y is of shape \(40, 2\): 1 column was expected",
    ),
    "numbers for a classifier": (
        lambda: RNNClassifier(**PARAMS).partial_fit(X, NUMBERS),
        "Unknown label type",
    ),
    "early stopping": (
        lambda: RNNClassifier(early_stopping=True).partial_fit(X, LABELS, ["a", "b"]),
        "^partial_fit does not support early_stopping=True",
    ),
    "balanced": (
        lambda: RNNClassifier(class_weight="balanced").partial_fit(
            X, LABELS, ["a", "b"]
        ),
        "^class_weight='balanced' is not supported by partial_fit",
    ),
    "another network": (
        lambda: chunk(
            fitted(RNNRegressor(**PARAMS), X, NUMBERS).set_params(nhidden=5), X, NUMBERS
        ),
        r"^partial_fit continues from the last fit, whose nhidden was \(4,\), but now "
        r"it is \(5,\)\. Use the same, or a new fit\.$",
    ),
    "another width": (
        lambda: chunk(
            fitted(RNNRegressor(**PARAMS), np.ones((4, 3)), NUMBERS[:4]),
            np.ones((4, 2)),
            NUMBERS[:4],
        ),
        "X has 2 features, but RNNRegressor is expecting 3 features as input",
    ),
    "classes of nothing": (
        lambda: RNNEncoder(**PARAMS).partial_fit(X, classes=["a", "b"]),
        r"^classes were passed, but y is None\. Pass y, or omit classes\.$",
    ),
    "numbers that look like labels": (
        lambda: chunk(
            fitted(RNNEncoder(**PARAMS), X, [1.0, 2.0] * 20), X, [1.0, 3.0] * 20
        ),
        r"^y\[1\] is 3\.0, which is not .* use RNNRegressor, and its encoder_",
    ),
    "y after none": (
        lambda: chunk(fitted(RNNEncoder(**PARAMS), X, None), X, NUMBERS),
        "^partial_fit continues from the last call, which had no y, but this one has",
    ),
    "no y after some": (
        lambda: chunk(fitted(RNNEncoder(**PARAMS), X, NUMBERS), X, None),
        "^partial_fit continues from the last call, which had y, but this one has none",
    ),
}


@pytest.mark.parametrize("estimator", [RNNClassifier, RNNEncoder])
@pytest.mark.parametrize("first, later", [(int, str), (str, int)])
@pytest.mark.parametrize("n", [2, 50])  # NumPy looks for many labels in another way
def test_strings_and_numbers_are_different_labels(estimator, n, first, later):
    labels = [first(i) for i in range(n)]
    model = chunk(estimator(**PARAMS), ["ab", "ba"] * n, labels * 2, labels)
    with pytest.raises(ValueError, match=r"^y\[0\] is '?1'?, which is not one of"):
        chunk(model, ["ab", "ba"], [later(1), later(0)])


@pytest.mark.parametrize("name", BAD)
def test_bad_calls(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


def test_a_call_that_fails_leaves_the_estimator_as_it_was(case):
    estimator, X, y, classes = case
    chunk(estimator, X, y, classes)
    before = {name: pickle.dumps(value) for name, value in vars(estimator).items()}
    with pytest.raises((TypeError, ValueError)):
        chunk(estimator, [None], y)
    after = {name: pickle.dumps(value) for name, value in vars(estimator).items()}
    assert after == before


@pytest.mark.parametrize("value", ["a", None, -1])
def test_parameters_are_validated_in_later_calls(value):
    """scikit-learn skips this once an estimator is fitted."""
    classifier = RNNClassifier(2).partial_fit(["ab", "ba"], [0, 1], classes=[0, 1])
    sentence = r"^The 'alpha' parameter of RNNClassifier must be a float in"
    with pytest.raises(ValueError, match=sentence):
        classifier.set_params(alpha=value).partial_fit(["ab", "ba"], [0, 1])
