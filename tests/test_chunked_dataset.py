"""Fits on chunks of data: those of all data at once, if these fit into the buffer."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone

from skrnn import (
    ChunkedDataset,
    RNNClassifier,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNTagger,
)

RNG = np.random.default_rng(0)
SMALL = {"nhidden": 6, "max_iter": 3, "random_state": 0}


def some_text(n, most=9, alphabet="abcdefg"):
    lengths = RNG.integers(2, most, n)
    return ["".join(RNG.choice(list(alphabet), m)) for m in lengths]


STRINGS = some_text(300)
SENTENCES = [" ".join(some_text(n, 4)) for n in RNG.integers(5, 9, 300)]
ALIGNED = ["".join(RNG.choice([*"ACGT"], 8)) for _ in range(300)]
TOKENS = [RNG.integers(0, 40, RNG.integers(1, 7)).tolist() for _ in range(300)]
SERIES = [RNG.normal(size=(n, 2)).cumsum(axis=0) for n in RNG.integers(30, 60, 300)]
TABLE = RNG.normal(size=(300, 30))
LABELS = RNG.choice(["x", "yy", "zzz"], 300)
NUMBERS = RNG.normal(5, 2, 300)
WEIGHTS = RNG.integers(0, 4, 300).astype(float)
TAGS = [["v" if c in "ae" else "c" for c in x] for x in STRINGS]
CASES = {
    "strings": (RNNClassifier(**SMALL), STRINGS, LABELS),
    "sentences": (RNNClassifier(**SMALL), SENTENCES, LABELS),
    "strings of one length": (RNNClassifier(**SMALL), ALIGNED, LABELS),
    "tokens": (RNNClassifier(**SMALL), TOKENS, LABELS),
    "rare tokens": (RNNClassifier(**SMALL, min_df=3, max_features=20), TOKENS, LABELS),
    "series": (RNNClassifier(**SMALL), SERIES, LABELS),
    "a table": (RNNClassifier(**SMALL), TABLE, LABELS),
    "balanced classes": (
        RNNClassifier(**SMALL, class_weight="balanced"),
        STRINGS,
        LABELS,
    ),
    "several labels": (RNNClassifier(**SMALL), STRINGS, RNG.integers(0, 2, (300, 3))),
    "numbers": (RNNRegressor(**SMALL), STRINGS, NUMBERS),
    "numbers of series": (RNNRegressor(**SMALL), SERIES, np.c_[NUMBERS, NUMBERS**2]),
    "tags": (RNNTagger(**SMALL), STRINGS, TAGS),
    "chains of tags": (RNNTagger(**SMALL, transitions=True), STRINGS, TAGS),
    "an encoder of labels": (RNNEncoder(**SMALL), STRINGS, LABELS),
    "an encoder of numbers": (RNNEncoder(**SMALL), STRINGS, NUMBERS),
    "an encoder of strings": (RNNEncoder(**SMALL), STRINGS, None),
    "an encoder of series": (RNNEncoder(**SMALL), SERIES, None),
    "given tokens": (
        RNNClassifier(**SMALL, vocabulary=[*"abcdefg"]),
        STRINGS,
        LABELS,
    ),
    "given vectors": (
        RNNClassifier(**SMALL, embeddings={c: RNG.normal(size=4) for c in "abcxy"}),
        STRINGS,
        LABELS,
    ),
}


def dataset(X, y=None, weight=None, *, size=40, **options):
    """A dataset of chunks of several sizes."""

    def make_chunks():
        first = 0
        while first < len(X):
            stop = first + size + first % 7
            parts = [None if of is None else of[first:stop] for of in (X, y, weight)]
            yield parts[0] if y is None and weight is None else tuple(parts)
            first = stop

    return ChunkedDataset(make_chunks, **options)


def differences(fitted, other):
    """The names of the fitted attributes in which two estimators differ."""
    ours, theirs = fitted._fitted(), other._fitted()
    assert ours.keys() == theirs.keys()

    def are_equal(a, b):
        if isinstance(a, np.ndarray):
            return a.dtype == b.dtype and np.array_equal(a, b)
        if isinstance(a, dict):
            return list(a) == list(b) and all(are_equal(a[key], b[key]) for key in a)
        if isinstance(a, (list, tuple)):
            return len(a) == len(b) and all(map(are_equal, a, b))
        if isinstance(a, RNNEncoder):
            return not differences(a, b)
        return a == b

    return {name for name in ours if not are_equal(ours[name], theirs[name])}


@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", CASES)
def test_chunks_that_fit_into_the_buffer_give_the_same_fit(case, weight):
    estimator, X, y = CASES[case]
    expected = clone(estimator).fit(X, y, weight)
    ours = clone(estimator).fit(dataset(X, y, weight))
    assert differences(ours, expected) == set()


# What is learned of a uniform sample, or in another order of arithmetic.
TRAINED = {"W_", "U_", "b_", "V_", "intercept_", "wide_coef_", "encoder_"}
TRAINED |= {
    "filters_",
    "filter_biases_",
    "loss_",
    "loss_curve_",
    "best_loss_",
    "embeddings_",
}
TRAINED |= {"transitions_", "start_transitions_", "end_transitions_"}
OF_SAMPLE = {"mean_", "scale_", "own_mean_", "own_scale_", "difference_scale_"}
OF_SAMPLE |= {"wide_biases_", "wide_mean_", "wide_scale_", "wide_inputs_"}
UNLIKE = {"wide_inputs_", "wide_biases_", "wide_mean_", "wide_scale_"}
ROUNDED = {"target_mean_", "target_scale_"}


@pytest.mark.parametrize("case", CASES)
def test_a_smaller_buffer_learns_the_same_of_all_sequences(case):
    estimator, X, y = CASES[case]
    expected = clone(estimator).fit(X, y)
    ours = clone(estimator).fit(dataset(X, y, buffer_size=130))
    differ = differences(ours, expected) - TRAINED - OF_SAMPLE - ROUNDED
    if case == "strings of one length":  # n-grams with places are those of a sample
        differ -= {"wide_vocabulary_", "wide_idf_", "_wide_grams"}
    assert differ == set()
    for name in ROUNDED & vars(ours).keys():
        np.testing.assert_allclose(vars(ours)[name], vars(expected)[name], rtol=1e-12)
    for name in OF_SAMPLE & vars(ours).keys() - UNLIKE:
        of = vars(ours)[name], vars(expected)[name]
        np.testing.assert_allclose(*of, rtol=0.3, atol=0.6)
    np.testing.assert_allclose(ours.loss_curve_, expected.loss_curve_, rtol=0.3)
    assert ours.n_iter_ == 3


def test_weights_are_those_of_all_sequences():
    """A network without anything to learn but the bias shows the weighted shares."""
    X = ["a"] * 400
    y = ["no"] * 200 + ["yes"] * 200  # each buffer has one of them
    weight = [3.0] * 200 + [1.0] * 200
    params = {"nhidden": 1, "wide_ngram_range": None, "learning_rate_init": 0.1}
    params |= {"max_iter": 40, "alpha": 0.0, "random_state": 0}
    for class_weight, share in ((None, 0.25), ("balanced", 0.5), ({"no": 0.0}, 1.0)):
        classifier = RNNClassifier(**params, class_weight=class_weight)
        if isinstance(class_weight, dict):
            classifier.set_params(class_weight={"no": 0.0, "yes": 1.0})
        rows = np.random.default_rng(0).permutation(400)
        of = [np.array(each)[rows].tolist() for each in (X, y, weight)]
        classifier.fit(dataset(*of, buffer_size=100))
        assert classifier.predict_proba(["a"])[0, 1] == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    "X", [["aaaa"] * 40 + ["bbb"] * 40, [[1.0, 1.1, 1.2]] * 40 + [[5.0, -9.0]] * 40]
)
def test_weights_without_y_are_those_of_all_sequences(X, monkeypatch):
    from skrnn._core import network

    def noted(weights, batch, *of):
        seen.append(batch.weight.numpy().copy())
        return original(weights, batch, *of)

    original = network.loss_and_gradient
    monkeypatch.setattr(network, "loss_and_gradient", noted)
    weight, sorted_weights = np.repeat([100.0, 1.0], 40), []
    encoder = RNNEncoder(**{**SMALL, "max_iter": 1})
    for buffer_size in (100, 40):
        seen = []
        clone(encoder).fit(dataset(X, None, weight, buffer_size=buffer_size))
        sorted_weights.append(np.sort(np.concatenate(seen)))
    in_memory, in_buffers = sorted_weights
    assert in_memory.sum() == pytest.approx(80, rel=1e-5)
    np.testing.assert_allclose(in_buffers, in_memory, rtol=0.01)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered")
@pytest.mark.parametrize("case", ["strings", "numbers", "tags", "an encoder of series"])
def test_weights_whose_sum_overflows_raise(case):
    estimator, X, y = CASES[case]
    data = dataset(X, y, np.full(300, 1e308), buffer_size=130)
    sentence = (
        "The sum of the weights of all sequences is too large for float64. Divide them "
        "by the largest one."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        clone(estimator).fit(data)


@pytest.mark.parametrize("first", [0, 150])
@pytest.mark.parametrize("case", ["strings", "numbers", "tags", "an encoder of series"])
def test_a_chunk_may_have_weights_of_0_alone(case, first):
    estimator, X, y = CASES[case]
    weight = WEIGHTS.copy()
    weight[first : first + 60] = 0
    in_memory = clone(estimator).fit(X, y, sample_weight=weight)
    in_buffer = clone(estimator).fit(dataset(X, y, weight, size=20))
    assert not differences(in_buffer, in_memory)
    in_epochs = clone(estimator).fit(dataset(X, y, weight, size=20, buffer_size=20))
    losses = [each.loss_curve_[-1] for each in (in_epochs, in_memory)]
    assert losses[0] == pytest.approx(losses[1], rel=0.2)


@pytest.mark.parametrize("size", [20, 1000])
def test_weights_of_0_alone_raise(size):
    chunks = dataset(STRINGS, LABELS, np.zeros(300), buffer_size=size)
    error = error_of(chunks.make_chunks, buffer_size=size)
    assert str(error) == (
        "The weights of all sequences are 0: at least one above 0 was expected."
    )


@pytest.mark.parametrize("case", ["weights", "chains", "class_weight"])
def test_losses_of_tags_are_those_in_memory_if_some_do_not_count(case):
    tagger = RNNTagger(**SMALL, transitions=case == "chains")
    tags = [[c if c in "ae" else "c" for c in x] for x in STRINGS]
    weight = [np.arange(len(x)) % 2 for x in STRINGS]
    if case == "class_weight":
        tagger.set_params(class_weight={"a": 0, "e": 1, "c": 2})
        weight = None
    in_memory = clone(tagger).fit(STRINGS, tags, sample_weight=weight)
    in_epochs = clone(tagger).fit(dataset(STRINGS, tags, weight, buffer_size=60))
    assert in_epochs.loss_curve_ == pytest.approx(in_memory.loss_curve_, rel=0.05)


@pytest.mark.parametrize(("size", "weight"), [(20, 1.0), (1000, 1.0), (20, 0.0)])
def test_class_weight_with_several_labels_raises(size, weight):
    labels = np.tile([[1, 0], [1, 1]], (150, 1))
    chunks = dataset(STRINGS, labels, np.full(300, weight), buffer_size=size)
    with pytest.raises(ValueError, match="y has 2 labels for each sequence"):
        RNNClassifier(nhidden=3, max_iter=1, class_weight="balanced").fit(chunks)


@pytest.mark.parametrize("case", ["strings", "numbers", "tokens", "tags"])
def test_chunks_may_be_empty_or_have_empty_sequences(case):
    estimator, X, y = CASES[case]
    nothing = "" if isinstance(X[0], str) else []
    of_nothing = [y[0]] * 3 if case != "tags" else [[]] * 3
    empty = [nothing] * 3, of_nothing

    def make_chunks():
        yield X[:0], y[:0]
        yield empty
        yield X[:100], y[:100]
        yield empty
        yield X[100:], y[100:]

    all_X = [*empty[0], *X[:100], *empty[0], *X[100:]]
    all_y = [*empty[1], *y[:100], *empty[1], *y[100:]]
    if case == "tags":  # without steps, there are no targets
        all_X, all_y = X, y
    in_memory = clone(estimator).fit(all_X, all_y)
    assert not differences(clone(estimator).fit(ChunkedDataset(make_chunks)), in_memory)
    in_epochs = clone(estimator).fit(ChunkedDataset(make_chunks, buffer_size=90))
    assert in_epochs.loss_curve_[-1] == pytest.approx(in_memory.loss_curve_[-1], 0.2)


def test_empty_chunks_are_counted_and_some_sequence_is_not_empty():
    error = error_of(lambda: iter([([], []), (["ab"], LABELS[:1]), ([3], LABELS[:1])]))
    assert error.__notes__ == ["This was chunk 2, counted from 0."]
    assert str(error_of(lambda: iter([([], [])] * 2))).startswith(
        "make_chunks yielded no"
    )
    error = error_of(lambda: iter([([], ["a"])]))
    assert error.__notes__ == ["This was chunk 0, counted from 0."]
    error = error_of(lambda: iter([(["", ""], ["a", "b"])] * 2), RNNClassifier(**SMALL))
    assert str(error).startswith("X has no steps: all its sequences are empty")


def test_a_buffer_without_a_next_step():
    for X in (["a"] * 40 + ["ab"] * 40, ["ab"] * 40 + [""] * 40):
        encoder = RNNEncoder(**SMALL).fit(dataset(X, buffer_size=40, size=20))
        assert encoder.n_iter_ == SMALL["max_iter"]
    X = [np.ones((1, 2))] * 40 + [np.arange(6.0).reshape(3, 2)] * 40
    encoder = RNNEncoder(**SMALL).fit(dataset(X, buffer_size=40, size=20))
    assert encoder.n_iter_ == SMALL["max_iter"]
    with pytest.raises(ValueError, match="no sequence of X has more than one step"):
        RNNEncoder(**SMALL).fit(dataset(X[:40], buffer_size=20, size=20))


def test_the_schedule_is_that_of_all_sequences(monkeypatch):
    from skrnn._core.plan import Plan

    rates = {}

    def noted(self, done):
        rates.setdefault(name, []).append(done)
        return original(self, done)

    original = Plan.learning_rate_at
    monkeypatch.setattr(Plan, "learning_rate_at", noted)
    for name in ("whole", "parts"):
        buffer_size = 1000 if name == "whole" else 64
        data = dataset(STRINGS, LABELS, buffer_size=buffer_size)
        RNNClassifier(**SMALL, batch_size=16).fit(data)
    assert rates["parts"] == rates["whole"]
    assert len(rates["whole"]) == 3 * 19


def test_sequences_are_shuffled_within_the_buffer_in_each_epoch(monkeypatch):
    from skrnn._core import network

    seen = []

    def noted(weights, batch, *of):
        seen.append(sorted(batch.target.tolist()))
        return original(weights, batch, *of)

    original = network.loss_and_gradient
    monkeypatch.setattr(network, "loss_and_gradient", noted)
    labels = np.arange(60)
    data = dataset(STRINGS[:60], labels, buffer_size=20, size=7)
    RNNClassifier(**{**SMALL, "max_iter": 2}, batch_size=10).fit(data)
    assert len(seen) == 12
    for epoch in (seen[:6], seen[6:]):
        buffers = [sorted(epoch[i] + epoch[i + 1]) for i in (0, 2, 4)]
        assert buffers == [list(range(i, i + 20)) for i in (0, 20, 40)]
    assert seen[:6] != seen[6:]


def test_stops_early_by_validation_data():
    params = {"nhidden": 8, "early_stopping": True, "random_state": 0, "max_iter": 4}
    of_val = {"X_val": STRINGS[200:], "y_val": LABELS[200:]}
    classifier = RNNClassifier(**params)
    for buffer_size in (100, 1000):
        data = dataset(STRINGS[:200], LABELS[:200], buffer_size=buffer_size)
        classifier.fit(data, **of_val)
        assert len(classifier.validation_scores_) == 4
    expected = RNNClassifier(**params).fit(STRINGS[:200], LABELS[:200], **of_val)
    assert differences(classifier, expected) == set()


def test_warm_start_continues_on_chunks():
    classifier = RNNClassifier(**SMALL, warm_start=True).fit(STRINGS, LABELS)
    known, before = classifier.vocabulary_, classifier.loss_curve_[0]
    classifier.fit(dataset(STRINGS, LABELS, buffer_size=70))
    assert classifier.vocabulary_ == known
    assert classifier.loss_curve_[0] < before


def error_of(make_chunks, estimator=None, **options):
    """The error of a fit that failed, and that leaves the estimator as it was."""
    estimator = estimator or RNNClassifier(**SMALL).fit(STRINGS, LABELS)
    before = dict(vars(estimator))
    with pytest.raises((TypeError, ValueError, OSError)) as caught:
        estimator.fit(ChunkedDataset(make_chunks, **options))
    assert vars(estimator) == before
    return caught.value


def test_errors_say_which_chunk():
    def make_chunks():
        yield STRINGS[:50], LABELS[:50]
        yield [*STRINGS[:20], 3], LABELS[:21]

    error = error_of(make_chunks)
    assert str(error).startswith("X[20] is an int, but X[0] is a string")
    assert error.__notes__ == ["This was chunk 1, counted from 0."]


def test_errors_of_the_iterator_reach_the_user():
    epochs = []

    def make_chunks():
        epochs.append(None)
        yield from dataset(STRINGS, LABELS).make_chunks()
        if len(epochs) == 3:
            raise OSError("disk removed")

    assert str(error_of(make_chunks, buffer_size=60)) == "disk removed"
    assert len(epochs) == 3


@pytest.mark.parametrize("n", [0, 250, 350])
def test_an_epoch_of_other_sequences_raises(n):
    numbers = iter((300, n))

    def make_chunks():
        more = slice(next(numbers))
        return dataset((STRINGS * 2)[more], [*LABELS, *LABELS][more]).make_chunks()

    assert str(error_of(make_chunks, buffer_size=60)) == (
        f"make_chunks yielded {n:,} sequences in an epoch, but 300 in the first pass. "
        "Write a function that opens the data anew, and yields the same chunks at each "
        "call."
    )


@pytest.mark.parametrize("n", [100, 290])
def test_an_epoch_of_other_weights_raises(n):
    numbers = iter((200, n))

    def make_chunks():
        weight = (np.arange(300) < next(numbers)).astype(float)
        return dataset(STRINGS, LABELS, weight).make_chunks()

    error = error_of(make_chunks, buffer_size=60)
    assert str(error).startswith(
        f"make_chunks yielded {n} sequences of a weight above 0 in an epoch, but 200 "
        "in the first pass. "
    )


def test_an_iterator_that_is_exhausted_raises():
    once = iter(list(dataset(STRINGS, LABELS).make_chunks()))
    error = error_of(lambda: once, buffer_size=60)
    assert str(error).startswith("make_chunks yielded 0 sequences in an epoch, but 300")
    with pytest.raises(TypeError, match=r"^make_chunks is a list_iterator: a function"):
        ChunkedDataset(once)
    with pytest.raises(ValueError, match=r"^buffer_size is 0: a number of sequences"):
        ChunkedDataset(list, buffer_size=0)


def test_chunks_of_other_kinds_raise():
    none = "make_chunks yielded no chunks: at least one sequence is needed."
    assert str(error_of(list)).startswith(none)
    assert str(error_of(lambda: 3)).startswith("make_chunks returned an int: an iterat")
    of_four = error_of(lambda: iter([("a", "b", "c", "d")]))
    assert str(of_four).startswith("Chunk 0 is a tuple of length 4: (X, y) or (X, y, s")
    encoder = RNNEncoder(**SMALL).fit(STRINGS)
    of_some = error_of(lambda: iter([(STRINGS, LABELS), STRINGS]), encoder)
    assert str(of_some).startswith("Some chunks have y, and others have none.")
    of_types = [(STRINGS, LABELS), (STRINGS, [1] * 300)]
    error = error_of(lambda: iter(of_types), buffer_size=300)
    assert str(error).startswith(
        "y is of dtype int64, but in the first chunk it was of"
    )
    of_tasks = [(STRINGS, [0, 1] * 150), (STRINGS, NUMBERS)]
    error = error_of(lambda: iter(of_tasks), encoder, buffer_size=300)
    assert str(error).startswith(
        "y holds targets of regression, but in the first chunk"
    )
    of_types = [(STRINGS, NUMBERS), (STRINGS, LABELS)]
    error = error_of(lambda: iter(of_types), encoder, buffer_size=300)
    assert str(error) == (
        "y is of dtype <U3, but in the first chunk it held numbers: the targets of all "
        "chunks must be numbers, or all labels. Convert them."
    )
    of_columns = [(STRINGS, np.eye(300, 3)), (STRINGS, np.eye(300, 4))]
    error = error_of(lambda: iter(of_columns), buffer_size=300)
    assert str(error) == (
        "y is of shape (300, 4): 3 columns were expected, as in the first chunk."
    )


@pytest.mark.parametrize("unit", [1e-200, 1e154, 1e300])
def test_numbers_of_any_size(unit):
    options = {"size": 40, "buffer_size": 90}
    regressor = RNNRegressor(**SMALL).fit(dataset(STRINGS, NUMBERS * unit, **options))
    in_memory = RNNRegressor(**SMALL).fit(STRINGS, NUMBERS * unit)
    for name in ("target_mean_", "target_scale_"):
        ours, theirs = getattr(regressor, name), getattr(in_memory, name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    assert np.isfinite(regressor.predict(STRINGS)).all()


def test_chunks_without_y_say_how_to_name_it():
    error = error_of(dataset(STRINGS).make_chunks)
    assert "from_parquet(path, X, y)" in str(error)


def test_only_fit_reads_chunks():
    data = dataset(STRINGS, LABELS)
    classifier = RNNClassifier(**SMALL)
    for name in ("y", "sample_weight"):
        with pytest.raises(ValueError, match=rf"^{name} is provided beside a Chunked"):
            classifier.fit(data, **{name: LABELS})
    classifier.set_params(early_stopping=True)
    with pytest.raises(ValueError, match=r"Pass X_val and y_val\.$"):
        classifier.fit(data)
    cure = re.escape("Only `fit` reads chunks, that of RNNEncoder, RNNClassifier")
    calls = (
        lambda: RNNClassifier().partial_fit(data, LABELS, classes=["x"]),
        lambda: RNNLanguageModel().fit(data),
        lambda: clone(classifier).fit(STRINGS, LABELS).predict(data),
    )
    for call in calls:
        with pytest.raises(TypeError, match=cure):
            call()


def test_progress_is_reported(capsys):
    data = dataset(STRINGS, LABELS, buffer_size=60)
    RNNClassifier(**SMALL, verbose=2).fit(data)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Read 300 sequences in ")
    assert sum(line.startswith("Epoch ") for line in lines) == 3


def test_a_long_first_pass_reports_progress(monkeypatch, capsys):
    monkeypatch.setattr("skrnn._first_pass._SECONDS_BETWEEN_LINES", 0)
    RNNClassifier(**SMALL, verbose=2).fit(dataset(STRINGS, LABELS, buffer_size=60))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Read 60 sequences so far"
    assert lines[5].startswith("Read 300 sequences in ")


@pytest.fixture
def parquet(tmp_path):
    """Files of a folder, with a column of each kind."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {"text": STRINGS, "tokens": TOKENS, "label": LABELS, "number": NUMBERS}
    columns |= {"weight": WEIGHTS, "a": TABLE[:, 0], "b": TABLE[:, 1]}
    table = pa.table(columns)
    for i in range(3):
        part = table.slice(100 * i, 100)
        parquet.write_table(part, tmp_path / f"{i}.parquet", row_group_size=60)
    return tmp_path


def test_parquet_files(parquet):
    from_parquet = ChunkedDataset.from_parquet
    expected = RNNClassifier(**SMALL).fit(STRINGS, LABELS.astype(object), WEIGHTS)
    of = {"X": "text", "y": "label", "sample_weight": "weight"}
    ours = RNNClassifier(**SMALL).fit(from_parquet(parquet, **of))
    assert differences(ours, expected) == set()
    files = sorted(parquet.glob("*.parquet"))
    data = from_parquet([*map(str, files)], "tokens", buffer_size=70)
    assert [len(X) for X, *_ in data.chunks()] == [60, 40] * 3
    encoder = RNNEncoder(**SMALL).fit(data)
    assert encoder.vocabulary_ == RNNEncoder(**SMALL).fit(TOKENS).vocabulary_
    regressor = RNNRegressor(**SMALL).fit(from_parquet(parquet, "tokens", ["a", "b"]))
    expected = RNNRegressor(**SMALL).fit(TOKENS, TABLE[:, :2])
    assert differences(regressor, expected) == set()
    of_itself = RNNRegressor(**SMALL).fit(from_parquet(parquet, ["a", "b"], "a"))
    expected = RNNRegressor(**SMALL).fit(TABLE[:, :2], TABLE[:, 0])
    np.testing.assert_array_equal(of_itself.V_, expected.V_)
    series = RNNClassifier(**SMALL).fit(from_parquet(parquet, ["a", "b"], "label"))
    assert series.feature_names_in_.tolist() == ["a", "b"]
    assert series.kind_ == "series"


def test_datasets_of_parquet_files_are_pickled_and_shown(parquet):
    data = ChunkedDataset.from_parquet(parquet, "text", "label", buffer_size=70)
    again = pickle.loads(pickle.dumps(data))
    assert [len(X) for X, _, _ in again.chunks()] == [
        len(X) for X, _, _ in data.chunks()
    ]
    assert f"path={parquet!r}, X='text', y='label'" in repr(data)


def test_parquet_files_that_there_are_not(parquet):
    for path in (parquet / "*.parquet", [str(parquet / "0.parquet"), "no.parquet"]):
        with pytest.raises(FileNotFoundError, match=r"\.parquet'\. For files"):
            ChunkedDataset.from_parquet(path, "text")


def test_other_datasets_of_pyarrow(parquet):
    from pyarrow import compute, dataset

    source = dataset.dataset(parquet).filter(compute.field("a") > 0)
    data = ChunkedDataset.from_parquet(source, "text", "number", buffer_size=50)
    ours = RNNRegressor(**SMALL).fit(data)
    chosen = TABLE[:, 0] > 0
    X = [x for x, of in zip(STRINGS, chosen, strict=True) if of]
    expected = RNNRegressor(**SMALL).fit(X, NUMBERS[chosen])
    assert ours.vocabulary_ == expected.vocabulary_
    with pytest.raises(ValueError, match=r"^There is no column 'txt' in "):
        ChunkedDataset.from_parquet(source, "txt")
    for names in ({"X": 3}, {"X": "text", "y": source}, {"X": ["a", 3]}):
        with pytest.raises(TypeError, match=r"^from_parquet expects the names of col"):
            ChunkedDataset.from_parquet(source, **names)
