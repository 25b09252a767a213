"""scikit-learn's callbacks, and what `verbose` shows."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import (
    RNNClassifier,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNTagger,
)

X = ["aab", "ba", "abba", "b", "bbb", "a", "baa", "bab"] * 3
LABELS = [x[0] for x in X]
NUMBERS = [float(len(x)) / 3 for x in X]
PARAMS = {"nhidden": 4, "max_iter": 4, "random_state": 0}


class Recorder:
    """A callback that writes down its calls, and may stop the fit or fail."""

    def __init__(self, stop_at=None, fail_in=None):
        self.stop_at = stop_at
        self.fail_in = fail_in
        self.calls = []
        self.fitted = []

    def _note(self, hook, context):
        self.calls.append((hook, context.task_name, context.task_id))
        if self.fail_in == hook:
            raise RuntimeError(hook)

    def setup(self, estimator, context):
        self._note("setup", context)

    def teardown(self, estimator, context):
        self._note("teardown", context)

    def on_fit_task_begin(self, estimator, context):
        self._note("begin", context)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self._note("end", context)
        if context.task_name == "epoch":
            self.fitted.append(fitted_estimator)
            return context.task_id == self.stop_at
        return False


def test_an_epoch_is_a_task():
    recorder = Recorder()
    RNNClassifier(**PARAMS).set_callbacks(recorder).fit(X, LABELS)
    epochs = [(hook, "epoch", i) for i in range(4) for hook in ("begin", "end")]
    assert recorder.calls == [
        ("setup", "fit", 0),
        ("begin", "fit", 0),
        *epochs,
        ("end", "fit", 0),
        ("teardown", "fit", 0),
    ]


@pytest.mark.parametrize(
    "make, y",
    [
        (RNNClassifier, LABELS),
        (RNNRegressor, NUMBERS),
        (RNNEncoder, LABELS),
        (RNNTagger, X),
        (RNNLanguageModel, None),
    ],
)
def test_the_estimator_of_an_epoch_is_that_of_a_shorter_fit(make, y):
    """Of a fit that was stopped there: the schedule of the rate is for all epochs."""
    recorder = Recorder()
    whole = make(**PARAMS).set_callbacks(recorder).fit(X, y)
    for epoch, fitted in enumerate(recorder.fitted):
        stopped = make(**PARAMS).set_callbacks(Recorder(stop_at=epoch)).fit(X, y)
        assert stopped.n_iter_ == fitted.n_iter_ == epoch + 1
        assert (
            stopped.loss_curve_ == fitted.loss_curve_ == whole.loss_curve_[: epoch + 1]
        )
        ours, theirs = (getattr(e, "encoder_", e) for e in (fitted, stopped))
        use = RNNTagger.predict_proba if make is RNNTagger else type(ours).transform
        for one, other in zip(use(ours, X), use(theirs, X), strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(fitted.V_, stopped.V_)
    assert not np.array_equal(recorder.fitted[0].V_, whole.V_)


def test_given_vectors_of_an_epoch_are_its_own():
    vectors = {"a": [1.0, 0.0], "b": [0.0, 1.0]}
    recorder = Recorder()
    classifier = RNNClassifier(**PARAMS, embeddings=vectors).set_callbacks(recorder)
    classifier.fit(X, LABELS)
    first, *_, last = recorder.fitted
    assert not np.array_equal(first.embeddings_, last.embeddings_)
    assert np.array_equal(last.embeddings_, classifier.embeddings_)


def test_a_callback_stops_the_fit_and_the_best_weights_are_restored():
    recorder = Recorder(stop_at=2)
    classifier = RNNClassifier(**PARAMS, early_stopping=True, validation_fraction=0.3)
    classifier.set_callbacks(recorder).fit(X, LABELS)
    assert classifier.n_iter_ == 3 == len(classifier.validation_scores_)
    scores, losses = classifier.validation_scores_, classifier.validation_loss_curve_
    best = max(range(3), key=lambda i: (scores[i], -losses[i]))
    assert np.array_equal(classifier.V_, recorder.fitted[best].V_)


@pytest.mark.parametrize("hook", ["setup", "begin", "end"])
def test_a_callback_that_fails_is_torn_down_and_the_last_fit_stays(hook):
    classifier = RNNClassifier(**PARAMS).fit(X, LABELS)
    before = dict(vars(classifier))
    recorder = Recorder(fail_in=hook)
    classifier.set_callbacks(recorder)
    with pytest.raises(RuntimeError, match=hook):
        classifier.fit(X, LABELS)
    assert recorder.calls[-1] == ("teardown", "fit", 0)
    assert {**before, "_skl_callbacks": [recorder]} == vars(classifier)


def test_bad_input_calls_no_callback():
    recorder = Recorder()
    with pytest.raises(ValueError):
        RNNClassifier(**PARAMS).set_callbacks(recorder).fit(X, LABELS[:-1])
    assert recorder.calls == []


def test_clone_keeps_callbacks():
    recorder = Recorder()
    classifier = clone(RNNClassifier(**PARAMS).set_callbacks(recorder))
    classifier.fit(X, LABELS)
    assert clone(classifier)._skl_callbacks


@pytest.mark.parametrize(
    "make, y, scoring",
    [(RNNClassifier, LABELS, "accuracy"), (RNNRegressor, NUMBERS, "r2")],
)
def test_scoring_monitor_scores_each_epoch(make, y, scoring):
    monitor = ScoringMonitor(scoring=scoring)
    estimator = make(**PARAMS).set_callbacks(monitor).fit(X, y)
    log = monitor.get_logs().data
    assert [row["task_id"] for row in log] == [0, 1, 2, 3]
    assert log[-1][scoring] == pytest.approx(estimator.score(X, y))


def test_sample_weight_reaches_the_scorer():
    monitor = ScoringMonitor(scoring="accuracy")
    weight = np.arange(len(X)) + 1.0
    classifier = RNNClassifier(**PARAMS, wide_ngram_range=None)  # which makes mistakes
    classifier.set_callbacks(monitor).fit(X, LABELS, weight)
    score = classifier.score(X, LABELS, weight)
    assert score != classifier.score(X, LABELS)
    assert monitor.get_logs().data[-1]["accuracy"] == pytest.approx(score)


def test_validation_data_is_not_for_scorers():
    """Those of scikit-learn take X, y and sample_weight."""
    monitor, recorder = ScoringMonitor(scoring="accuracy"), Recorder()
    classifier = RNNClassifier(**PARAMS, early_stopping=True)
    classifier.set_callbacks(monitor, recorder)
    classifier.fit(X, LABELS, X_val=X[:8], y_val=LABELS[:8])
    assert len(monitor.get_logs().data) == len(recorder.fitted) == 4
    scores = [fitted.score(X[:8], LABELS[:8]) for fitted in recorder.fitted]
    assert classifier.validation_scores_ == pytest.approx(scores)


def test_the_progress_bar_nests(capsys):
    pipeline = make_pipeline("passthrough", RNNClassifier(**PARAMS))
    search = GridSearchCV(pipeline, {"rnnclassifier__nhidden": [2, 3]}, cv=2, n_jobs=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, LABELS)
    shown = capsys.readouterr().out
    assert shown.count("RNNClassifier - fit") >= 5  # 2 candidates, 2 folds, the refit
    assert "100%" in shown


def test_verbose_shows_the_bar_where_rich_is_installed(capsys):
    pytest.importorskip("rich")
    classifier = RNNClassifier(**PARAMS, verbose=1).fit(X, LABELS)
    shown = capsys.readouterr().out
    assert "RNNClassifier - fit" in shown and "Epoch" not in shown
    assert not hasattr(classifier, "_skl_callbacks")


@pytest.mark.parametrize("verbose, has_rich", [(1, False), (2, True), (2, False)])
def test_verbose_prints_lines(verbose, has_rich, capsys, monkeypatch):
    if not has_rich:
        monkeypatch.setattr("skrnn._callbacks.find_spec", lambda name: None)
    RNNClassifier(**PARAMS, verbose=verbose).fit(X, LABELS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("Epoch 1/4, loss ")
    assert lines[0].endswith(" s left")


def test_fits_inside_another_one_print_lines(capsys):
    pipeline = make_pipeline(RNNClassifier(**PARAMS, verbose=1))
    pipeline.fit(X, LABELS)
    shown = capsys.readouterr().out
    assert shown.count("Epoch ") == 4 and "RNNClassifier - fit" not in shown


def test_nothing_of_the_last_fit_is_left_in_the_estimator_of_an_epoch():
    table = np.arange(40.0).reshape(10, 4)
    ragged = [row[: 2 + i % 3] for i, row in enumerate(table)]
    recorder = Recorder()
    regressor = RNNRegressor(**PARAMS, early_stopping=True, validation_fraction=0.3)
    regressor.fit(table, np.arange(10.0))
    regressor.set_params(early_stopping=False).set_callbacks(recorder)
    regressor.fit(ragged, np.arange(10.0))
    for fitted in recorder.fitted:
        assert not hasattr(fitted, "n_features_in_")
        assert not hasattr(fitted, "validation_scores_")
        assert not hasattr(fitted, "_callback_fit_ctx")
        assert fitted.predict(table).shape == (10,)


def test_the_estimator_of_an_epoch_knows_what_it_learns_now():
    recorder = Recorder()
    encoder = RNNEncoder(**PARAMS).fit(X, NUMBERS)
    encoder.set_callbacks(recorder).fit(X, LABELS)
    assert {fitted.task_ for fitted in recorder.fitted} == {"classification"}
    assert not any(hasattr(fitted, "target_mean_") for fitted in recorder.fitted)
