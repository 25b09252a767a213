"""Searches and predictions by the workers of a cluster, and block by block."""

import dask
import dask.array
import dask.bag
import joblib
import numpy as np
import pyarrow as pa
import pytest
from distributed import Client, LocalCluster
from sklearn.model_selection import GridSearchCV

from skrnn import RNNClassifier, RNNRegressor, RNNTagger
from skrnn.distributed import map_blocks

NAMES = ["aab", "ba", "abba", "b", "bbb", "a", "baa", "bab"] * 4
LABELS = [x[0] for x in NAMES]
PARAMS = {"nhidden": 4, "max_iter": 2, "random_state": 0}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dask")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        dask.config.set({"temporary-directory": str(folder)}),
        LocalCluster(processes=True, **options) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def classifier():
    return RNNClassifier(**PARAMS).fit(NAMES, LABELS)


@pytest.fixture(scope="module")
def series():
    X = np.random.default_rng(0).normal(size=(30, 12))
    return X, RNNRegressor(**PARAMS).fit(X, X.sum(axis=1))


def test_a_search_by_the_workers_of_a_cluster_is_that_of_this_process(client):
    def search():
        grid = {"nhidden": [3, 4], "dropout": [0.0, 0.2]}
        return GridSearchCV(RNNClassifier(**PARAMS), grid, cv=2, error_score="raise")

    theirs = search().fit(NAMES, LABELS)
    with joblib.parallel_config("dask"):
        ours = search().fit(NAMES, LABELS)
    n_tasks = client.run_on_scheduler(
        lambda dask_scheduler: len(dask_scheduler.transition_log)
    )
    assert n_tasks >= 8
    for key in ("mean_test_score", "std_test_score"):
        assert np.array_equal(ours.cv_results_[key], theirs.cv_results_[key])
    assert ours.best_params_ == theirs.best_params_
    assert np.array_equal(ours.predict_proba(NAMES), theirs.predict_proba(NAMES))


def test_a_bag_is_read_by_the_workers(client, classifier):
    bag = dask.bag.from_sequence(NAMES, npartitions=3)
    ours = map_blocks(classifier.predict_proba, bag).compute()
    assert np.array_equal(ours, classifier.predict_proba(NAMES))


def test_an_array_is_read_by_the_workers(client, series):
    X, regressor = series
    blocks = dask.array.from_array(X, chunks=(11, 5))
    ours = map_blocks(regressor.predict, blocks)
    assert isinstance(ours, dask.array.Array)
    assert (ours.shape, ours.chunks) == ((30,), ((11, 11, 8),))
    assert np.array_equal(ours.compute(), regressor.predict(X))


@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_an_array_of_any_width(method, n_features, rng):
    X = rng.normal(size=(20, 9, n_features)).astype(np.float32)
    classifier = RNNClassifier(**PARAMS).fit(X, ["no", "yes"] * 10)
    blocks = dask.array.from_array(X, chunks=(8, 9, 1))
    method = getattr(classifier, method)
    ours, theirs = map_blocks(method, blocks), method(X)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    assert np.array_equal(ours.compute(scheduler="sync"), theirs)


def test_vectors_of_an_array(series):
    X, regressor = series
    encoder = regressor.encoder_
    ours = map_blocks(encoder.transform, dask.array.from_array(X, chunks=(7, 12)))
    assert ours.shape == (30, len(encoder.get_feature_names_out()))
    assert np.array_equal(ours.compute(scheduler="sync"), encoder.transform(X))


def test_partitions_without_sequences_have_no_results(classifier):
    bag = dask.bag.from_sequence(NAMES, npartitions=4)
    bag = bag.filter(lambda name: len(name) == 4)  # none in most of them
    ours = map_blocks(classifier.predict, bag).compute(scheduler="sync")
    assert ours == classifier.predict(["abba"] * 4).tolist()


def test_tags_are_items_of_a_bag_but_no_array():
    X = np.arange(12.0).reshape(3, 4)
    tagger = RNNTagger(**PARAMS).fit(list(X), [[0, 0, 1, 1]] * 3)
    bag = dask.bag.from_sequence(list(X), npartitions=2)
    ours = map_blocks(tagger.predict, bag).compute(scheduler="sync")
    assert list(map(list, ours)) == list(map(list, tagger.predict(list(X))))
    with pytest.raises(
        TypeError, match=r"^The results of predict are no arrays but lists\."
    ):
        map_blocks(tagger.predict, dask.array.from_array(X))


def test_record_batches_are_read_one_after_the_other(classifier):
    table = pa.table({"id": range(32), "name": NAMES})
    batches = table.to_batches(max_chunksize=10)
    batches.insert(1, batches[0].slice(0, 0))
    read = []

    def blocks():
        for batch in batches:
            read.append(batch)
            yield batch

    results = map_blocks(classifier.predict, blocks(), column="name")
    assert not read
    first = next(results)
    assert (len(read), first.tolist()) == (1, classifier.predict(NAMES[:10]).tolist())
    others = np.concatenate(list(results))
    assert np.array_equal([*first, *others], classifier.predict(NAMES))


def test_batches_of_token_lists():
    X = [[3, 1], [2], [1, 1, 2]] * 4
    classifier = RNNClassifier(**PARAMS, analyzer="token").fit(X, [0, 1, 2] * 4)
    batches = pa.table({"tokens": X}).to_batches(max_chunksize=5)
    columns = (batch.column("tokens") for batch in batches)
    ours = np.concatenate(list(map_blocks(classifier.predict_proba, columns)))
    assert np.array_equal(ours, classifier.predict_proba(X))


def test_blocks_of_an_array_without_sequences_have_no_results(series):
    X, regressor = series
    blocks = dask.array.from_array(X, chunks=(10, 12))
    ours = map_blocks(regressor.predict, blocks[np.arange(30) >= 20])
    assert np.array_equal(ours.compute(scheduler="sync"), regressor.predict(X[20:]))


def test_what_cannot_be_applied_raises(classifier):
    with pytest.raises(TypeError, match=r"^method is .*: a method that takes X was e"):
        map_blocks(classifier, [NAMES])
    tables = [pa.table({"name": NAMES})]
    with pytest.raises(
        ValueError, match=r"no column 'names': its columns are \['name'"
    ):
        list(map_blocks(classifier.predict, tables, column="names"))
    with pytest.raises(
        TypeError, match=r"tables, but a block is .* Use column=None if"
    ):
        list(map_blocks(classifier.predict, [NAMES], column="name"))


def test_frames_of_dask_are_refused(classifier):
    frames = pytest.importorskip("dask.dataframe")
    frame = frames.from_dict({"name": NAMES}, npartitions=2)
    with pytest.raises(TypeError, match=r"^blocks are a dask frame, of which"):
        map_blocks(classifier.predict, frame)


@pytest.mark.parametrize(
    "blocks", [dask.bag.from_sequence(NAMES), dask.array.ones((3, 4))]
)
def test_dask_containers_have_no_column(blocks, classifier):
    sentence = (
        "^column='name' needs blocks that are tables, but these are dask's. Select the "
        "column before.$"
    )
    with pytest.raises(TypeError, match=sentence):
        map_blocks(classifier.predict, blocks, column="name")
