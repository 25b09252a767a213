"""Fits that are interrupted end as those that are not."""

import contextlib
import os
import signal

import numpy as np
import pytest
import torch
from interrupting import (
    CASES,
    EARLY,
    GIVEN,
    LABELS,
    PARAMS,
    SERIES,
    WORDS,
    Interrupt,
    InterruptAfter,
    assert_same,
    assert_same_fit,
    copy_of,
    fitted,
    interrupted,
)
from sklearn.callback import ScoringMonitor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from skrnn import (
    ChunkedDataset,
    RNNClassifier,
    RNNEncoder,
    RNNEnsemble,
)
from skrnn._checkpoint_file import deserialize
from skrnn._core import network, trainer
from skrnn._core.shards import Shards


@pytest.mark.parametrize("case", CASES)
def test_a_fit_that_was_interrupted_ends_as_one_that_was_not(case, tmp_path):
    estimator, X, y = CASES[case]
    whole = fitted(copy_of(estimator), X, y)
    for after in (1, 4):
        interrupted(copy_of(estimator, checkpoint=tmp_path), X, y, after)
        callback = InterruptAfter()
        rest = copy_of(estimator, checkpoint=tmp_path).set_callbacks(callback)
        assert_same_fit(fitted(rest, X, y), whole)
        assert callback.seen == list(range(after, whole.n_iter_))
        (file,) = tmp_path.iterdir()
        again = InterruptAfter()
        last = copy_of(estimator, checkpoint=tmp_path).set_callbacks(again)
        assert_same_fit(fitted(last, X, y), whole)
        assert again.seen == []
        file.unlink()


def test_the_cases_are_what_they_say():
    wide, _, _ = CASES["wide"]
    assert "wide_coef_" in vars(copy_of(wide, max_iter=1).fit(WORDS, LABELS))
    filters, X, y = CASES["filters"]
    assert "filters_" in vars(copy_of(filters, max_iter=1).fit(X, y))


def test_a_fit_that_was_lengthened_ends_as_one_that_was_not_interrupted(tmp_path):
    labels = [LABELS[i * 7 % len(WORDS)] for i in range(len(WORDS))]
    slow = RNNClassifier(2, learning_rate_init=0.01, random_state=0)
    whole = copy_of(slow).fit(WORDS, labels)
    planned = 80  # of 400 updates, 5 for each epoch
    assert whole.n_iter_ > planned
    for after in (5, 40, planned, whole.n_iter_ - 1):
        interrupted(copy_of(slow, checkpoint=tmp_path), WORDS, labels, after)
    assert_same_fit(copy_of(slow, checkpoint=tmp_path).fit(WORDS, labels), whole)


def test_a_fit_whose_score_has_stopped_to_improve_does_not_go_on(tmp_path):
    """It is interrupted when it has ended, but has not been told so."""
    params = {**PARAMS, **EARLY, "max_iter": 60, "n_iter_no_change": 2, "tol": 0.5}
    whole = RNNClassifier(**params).fit(WORDS, LABELS)
    assert whole.n_iter_ < 60
    estimator = RNNClassifier(**params, checkpoint=tmp_path)
    interrupted(estimator, WORDS, LABELS, whole.n_iter_)
    assert_same_fit(copy_of(estimator).fit(WORDS, LABELS), whole)


def test_a_fit_that_a_callback_has_ended_is_not_continued_with_it(tmp_path):
    class StopAfterTwo(InterruptAfter):
        def on_fit_task_end(self, estimator, context):
            return context.task_name == "epoch" and context.task_id == 1

    estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path)
    whole = copy_of(estimator).set_callbacks(StopAfterTwo()).fit(WORDS, LABELS)
    callbacks = InterruptAfter(1), StopAfterTwo()
    again = copy_of(estimator).set_callbacks(*callbacks).fit(WORDS, LABELS)
    assert again.n_iter_ == 2
    assert_same_fit(again, whole)
    # Without that callback, it is one that was interrupted.
    for callbacks in ((), (InterruptAfter(),)):
        copy_of(estimator).set_callbacks(StopAfterTwo()).fit(WORDS, LABELS)
        rest = copy_of(estimator).set_callbacks(*callbacks).fit(WORDS, LABELS)
        assert_same_fit(rest, RNNClassifier(**PARAMS).fit(WORDS, LABELS))
        for file in tmp_path.iterdir():
            file.unlink()


@pytest.mark.parametrize("random_state", [None, "instance"])
def test_the_seed_is_that_of_the_fit_that_is_continued(random_state, tmp_path):
    """So the same sequences are held out, and the order of the others goes on."""

    def params():
        state = None if random_state is None else np.random.RandomState(3)
        return {**PARAMS, **EARLY, "checkpoint": tmp_path, "random_state": state}

    interrupted(RNNClassifier(**params()), WORDS, LABELS, 2)
    (file,) = tmp_path.iterdir()
    seed = deserialize(file.read_bytes())[1]["seed"]
    rest = RNNClassifier(**params()).fit(WORDS, LABELS)

    class Seeded(np.random.RandomState):
        def randint(self, *args, **kwargs):
            return seed

    whole = RNNClassifier(**{**PARAMS, **EARLY, "random_state": Seeded()})
    assert_same_fit(rest, whole.fit(WORDS, LABELS))
    assert file.exists() == (random_state is not None)


def test_fits_at_random_differ_though_they_have_a_checkpoint(tmp_path):
    params = {**PARAMS, "random_state": None, "checkpoint": tmp_path}
    first, second = (RNNClassifier(**params).fit(WORDS, LABELS) for _ in range(2))
    assert not np.array_equal(first.V_, second.V_)
    assert list(tmp_path.iterdir()) == []


def test_a_warm_start_has_a_file_of_its_own(tmp_path):
    def twice(params, after=None):
        estimator = RNNClassifier(**PARAMS, warm_start=True, **params)
        estimator.fit(WORDS, LABELS)
        if after is not None:
            interrupted(estimator, WORDS, LABELS, after)
        return estimator.fit(WORDS, LABELS)

    whole = twice({})
    assert_same_fit(twice({"checkpoint": tmp_path}, after=3), whole)
    assert len(list(tmp_path.iterdir())) == 2
    assert_same_fit(twice({"checkpoint": tmp_path}), whole)


@pytest.mark.thread_unsafe(reason="it sets the number of threads of torch")
def test_two_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "shards_for", lambda _, n: Shards(n, 4))
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        whole = RNNClassifier(**PARAMS).fit(WORDS, LABELS)
        estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path)
        interrupted(estimator, WORDS, LABELS, 3)
        assert_same_fit(copy_of(estimator).fit(WORDS, LABELS), whole)
    finally:
        torch.set_num_threads(n_threads)


def test_validation_data_of_the_user(tmp_path):
    validation = {"X_val": WORDS[:9], "y_val": LABELS[:9]}
    estimator = RNNClassifier(**PARAMS, early_stopping=True, checkpoint=tmp_path)
    whole = copy_of(estimator, checkpoint=None).fit(WORDS, LABELS, **validation)
    interrupted(copy_of(estimator), WORDS, LABELS, 3, **validation)
    assert_same_fit(copy_of(estimator).fit(WORDS, LABELS, **validation), whole)


@pytest.mark.parametrize("make, X", [(RNNClassifier, WORDS), (RNNEncoder, SERIES)])
def test_chunks_of_data_that_do_not_fit_into_the_buffer(make, X, tmp_path):
    def dataset(X, y=LABELS):
        chunks = [(X[i : i + 9], y[i : i + 9]) for i in range(0, len(X), 9)]
        return ChunkedDataset(lambda: iter(chunks), buffer_size=16)

    estimator, data = make(**PARAMS, checkpoint=tmp_path), dataset(X)
    whole = copy_of(estimator, checkpoint=None).fit(data)
    interrupted(copy_of(estimator), data, None, 3)
    assert_same_fit(copy_of(estimator).fit(data), whole)
    # Whether or not the buffer has what has changed.
    for i in range(len(X)):
        others = [*X[:i], X[i][:-1], *X[i + 1 :]]
        file_of(tmp_path, copy_of(estimator), dataset(others), None)
    labels = [*LABELS[:-1], "a" if LABELS[-1] == "b" else "b"]
    file_of(tmp_path, copy_of(estimator), dataset(X, labels), None)
    assert len(list(tmp_path.iterdir())) == 1 + len(X) + 1


SAME = {
    "verbose": {"verbose": 2},
    "interval": {"checkpoint_interval": 3},
    "a function again": {"analyzer": lambda word: list(word)},
}
OTHERS = {
    "parameter": {"alpha": 0.1},
    "seed": {"random_state": 1},
    "epochs": {"max_iter": 7},
    "function": {"analyzer": lambda word: list(word[::-1])},
    "vocabulary": {"vocabulary": ["b", "a"]},
    "vectors": {"embeddings": GIVEN},
    "other vectors": {"embeddings": {**GIVEN, "a": [1.0, 0.5]}},
}


def file_of(folder, estimator, X=WORDS, y=LABELS, **fit_params):
    """The file that a fit adds to a folder, or has in it."""
    for file in folder.iterdir():
        os.utime(file, (0, 0))
    callback = InterruptAfter(1)
    estimator.set_callbacks(callback)
    with contextlib.suppress(Interrupt):
        fitted(estimator, X, y, **fit_params)
    (file,) = (file for file in folder.iterdir() if file.stat().st_mtime > 0)
    return file.name


@pytest.mark.parametrize("change", SAME)
def test_changes_without_effect_on_what_is_learned(change, tmp_path):
    before = {"analyzer": lambda word: list(word)} if "analyzer" in SAME[change] else {}
    estimator = RNNClassifier(**PARAMS, **before, checkpoint=tmp_path)
    first = file_of(tmp_path, estimator)
    assert file_of(tmp_path, estimator.set_params(**SAME[change])) == first


def test_each_fit_has_a_file_of_its_own(tmp_path):
    params, weight = {**PARAMS, "checkpoint": tmp_path}, np.arange(1.0, 41.0)
    early = {**params, "early_stopping": True}
    given = {"X_val": WORDS[:9], "y_val": LABELS[:9]}
    files = [
        file_of(tmp_path, RNNClassifier(**{**params, **o})) for o in OTHERS.values()
    ]
    files += [
        file_of(tmp_path, RNNClassifier(**params)),
        file_of(tmp_path, RNNEncoder(**params)),
        file_of(tmp_path, RNNClassifier(**params), WORDS[:-1] + ["abb"]),
        file_of(tmp_path, RNNClassifier(**params), WORDS[::-1], LABELS[::-1]),
        file_of(tmp_path, RNNClassifier(**params), WORDS, LABELS[1:] + ["a"]),
        file_of(tmp_path, RNNClassifier(**params), WORDS, [f"{y}!" for y in LABELS]),
        file_of(tmp_path, RNNClassifier(**params), sample_weight=weight),
        file_of(tmp_path, RNNClassifier(**early)),
        file_of(tmp_path, RNNClassifier(**early), **given),
        file_of(tmp_path, RNNClassifier(**early), **{**given, "y_val": LABELS[1:10]}),
    ]
    assert len(set(files)) == len(files) == len(list(tmp_path.iterdir()))


def test_a_search_that_is_started_again_does_no_epoch_twice(tmp_path, monkeypatch):
    def search(**params):
        classifier = RNNClassifier(**PARAMS, **params)
        return GridSearchCV(classifier, {"nhidden": [3, 4]}, cv=2)

    whole = search().fit(WORDS, LABELS)
    n_updates = 0
    original = network.loss_and_gradient

    def counting(*args):
        nonlocal n_updates
        n_updates += 1
        if n_updates == 3 * 6 * 3 - 1:  # of 3 updates an epoch, in the third fit
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(network, "loss_and_gradient", counting)
    with pytest.raises(KeyboardInterrupt):
        search(checkpoint=tmp_path).fit(WORDS, LABELS)
    again = search(checkpoint=tmp_path).fit(WORDS, LABELS)
    # Four fits of 20 sequences, and one of 40: only one epoch was not complete.
    assert n_updates == 4 * 6 * 3 + 6 * 5 + 2
    assert_same_fit(again.best_estimator_, whole.best_estimator_)
    scores = "mean_test_score"
    assert_same(again.cv_results_[scores], whole.cv_results_[scores])


def test_members_of_an_ensemble_have_files_of_their_own(tmp_path):
    whole = RNNEnsemble(RNNClassifier(**PARAMS), 2, random_state=0).fit(WORDS, LABELS)
    member = RNNClassifier(**PARAMS, checkpoint=tmp_path)
    for _ in range(2):
        ours = RNNEnsemble(member, 2, random_state=0).fit(WORDS, LABELS)
        assert_same(ours.predict_proba(WORDS), whole.predict_proba(WORDS))
        assert len(list(tmp_path.iterdir())) == 2
    at_random = RNNEnsemble(member, 2)
    with pytest.raises(ValueError, match=r"^random_state=None draws other seeds for"):
        at_random.fit(WORDS, LABELS)
    at_random.set_params(estimator__checkpoint=None).fit(WORDS, LABELS)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("random_state", [0, None])
def test_ctrl_c_writes_the_last_complete_epoch(random_state, tmp_path, monkeypatch):
    whole = RNNClassifier(**PARAMS).fit(WORDS, LABELS)
    params = {**PARAMS, "random_state": random_state}
    params |= {"checkpoint": tmp_path, "checkpoint_interval": 100}
    n_updates = 0
    original = network.loss_and_gradient

    def interrupting(*args):
        nonlocal n_updates
        n_updates += 1
        if n_updates == 4 * 5 + 3:  # of 5 updates an epoch
            os.kill(os.getpid(), signal.SIGINT)
        return original(*args)

    monkeypatch.setattr(network, "loss_and_gradient", interrupting)
    sentence = r"epoch 4\. The same fit continues from its checkpoint\.$"
    with pytest.warns(ConvergenceWarning, match=sentence):
        part = RNNClassifier(**params).fit(WORDS, LABELS)
    assert n_updates == 4 * 5 + 3
    losses = part.loss_curve_
    assert len(losses) == 4
    assert part.fit(WORDS, LABELS).loss_curve_[:4] == losses
    assert part.n_iter_ == 6
    if random_state is not None:
        assert_same_fit(part, whole)


def test_training_that_diverges_does_so_again(tmp_path):
    X, y = ["ab" * 50, "ba" * 50] * 20, [0, 1] * 20
    params = {"cell": "rnn", "activation": "relu", "learning_rate_init": 1, "alpha": 0}
    diverging = RNNClassifier(8, max_iter=30, random_state=0, **params)
    with pytest.warns(ConvergenceWarning, match="diverged"):
        whole = copy_of(diverging).fit(X, y)
    interrupted(copy_of(diverging, checkpoint=tmp_path), X, y, whole.n_iter_ - 1)
    for _ in range(2):
        with pytest.warns(ConvergenceWarning, match="diverged"):
            rest = copy_of(diverging, checkpoint=tmp_path).fit(X, y)
        assert_same_fit(rest, whole)


def test_verbose_says_where_a_fit_continues(tmp_path, capsys):
    estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path)
    interrupted(estimator, WORDS, LABELS, 2)
    (file,) = tmp_path.iterdir()
    for _ in range(2):
        copy_of(estimator, verbose=2).fit(WORDS, LABELS)
    first, *epochs, last = capsys.readouterr().out.splitlines()
    assert first == f"Continuing after epoch 2/6, from {file}"
    assert [line[:9] for line in epochs] == [f"Epoch {i}/6" for i in range(3, 7)]
    assert last == f"Read the fit, of 6 epochs, from {file}"


def test_verbose_says_where_a_fit_begins_beside_others(tmp_path, capsys):
    estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path, verbose=2)
    interrupted(estimator, WORDS, LABELS, 2)
    assert capsys.readouterr().out.startswith("Epoch 1/6")
    copy_of(estimator, learning_rate_init=0.01).fit(WORDS, LABELS)
    assert capsys.readouterr().out.splitlines()[0] == (
        f"Beginning anew: checkpoints in {tmp_path} are of other fits"
    )


def test_scores_of_a_callback_are_those_of_the_epochs_that_were_left(tmp_path):
    def scores(estimator):
        monitor = ScoringMonitor(scoring="accuracy")
        estimator.set_callbacks(monitor).fit(WORDS, LABELS)
        rows = monitor.get_logs().data
        return [(row["task_id"], row["accuracy"]) for row in rows]

    whole = scores(RNNClassifier(**PARAMS))
    estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path)
    interrupted(estimator, WORDS, LABELS, 2)
    assert scores(copy_of(estimator)) == whole[2:]


def test_the_bar_of_a_fit_that_continues_comes_to_its_end(tmp_path, capsys):
    pytest.importorskip("rich")
    estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path)
    interrupted(estimator, WORDS, LABELS, 2)
    copy_of(estimator, verbose=1).fit(WORDS, LABELS)
    assert "100%" in capsys.readouterr().out
