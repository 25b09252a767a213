"""Benchmarks: how they read data, and what keeps test files out of choices."""

import importlib
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TS = """\
# A comment: with colons, and commas
@problemName Made up
@data
1,2,3:-1,-2,-3:a

4.5,1e-3:0,0:b
"""


@pytest.fixture
def load(monkeypatch):
    """A function that imports a module of the benchmarks."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


def test_series_are_steps_by_features(load, tmp_path):
    (tmp_path / "made_up.ts").write_text(TS, encoding="utf-8")
    X, y = load("datasets").read_series(tmp_path, "made_up.ts")
    assert y == ["a", "b"]
    assert [x.dtype for x in X] == [np.float64] * 2
    np.testing.assert_array_equal(X[0], [[1, -1], [2, -2], [3, -3]])
    np.testing.assert_array_equal(X[1], [[4.5, 0], [1e-3, 0]])


def test_targets_of_regression_are_numbers(load, tmp_path):
    (tmp_path / "made_up.ts").write_text("@data\n1,2:7\n3,4:-0.5\n", encoding="utf-8")
    _, y = load("datasets").read_series(tmp_path, "made_up.ts", task="regression")
    np.testing.assert_array_equal(y, [7, -0.5])
    assert y.dtype == np.float64


def test_series_without_data_raise(load, tmp_path):
    (tmp_path / "made_up.ts").write_text("1,2:a\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no line '@data'"):
        load("datasets").read_series(tmp_path, "made_up.ts")


def test_table_keeps_one_part_and_reads_null_as_text(load, tmp_path):
    table = 'label,text,split\nham,null,train\nspam,"win, now",test\nham,,train\n'
    (tmp_path / "sms_spam.csv").write_text(table, encoding="utf-8")
    spam = load("datasets").DATA_SETS["sms_spam"]
    assert spam.train(tmp_path) == (["null", ""], ["ham", "ham"])
    assert spam.test(tmp_path) == (["win, now"], ["spam"])


def test_training_part_is_read_without_a_test_file(load, tmp_path):
    (tmp_path / "names_train.csv").write_text(
        "name,language\nBastl,Czech\n", encoding="utf-8"
    )
    names = load("datasets").NAMES
    assert names.train(tmp_path) == (["Bastl"], ["Czech"])
    with pytest.raises(FileNotFoundError):
        names.test(tmp_path)


def test_parameters_are_refused_where_test_files_are_read(load, capsys):
    quality = load("quality")
    for choice in (["--set", "nhidden=4"], ["--models", "RNN*"]):
        with pytest.raises(SystemExit):
            quality.parse(choice)
        assert "they want --validate" in capsys.readouterr().err
    parsed = quality.parse(["--validate", "--set", "nhidden=(8, 4)", "cell=gru"])
    assert dict(parsed.set) == {"nhidden": (8, 4), "cell": "gru"}


def test_test_part_is_read_after_the_last_fit(load):
    quality, models = load("quality"), load("models")
    events = []

    class Recorder(models.DummyClassifier):
        def fit(self, X, y):
            events.append("fit")
            return super().fit(X, y)

    def part(name):
        return lambda folder: events.append(name) or (["ab", "ba"] * 5, ["a", "b"] * 5)

    data = load("datasets").DataSet(
        "made up", "classification", "text", part("train"), part("test")
    )
    rows = {
        "with seed": models.Model(lambda seed: Recorder()),
        "without": models.Model(lambda seed: Recorder(), has_seed=False),
    }
    results = quality.test(data, None, rows, n_seeds=2)
    assert events == ["train", "fit", "fit", "fit", "test"]
    assert [run["accuracy"] for run in results] == [0.5] * 3

    events.clear()
    results = quality.validate(data, None, rows, n_seeds=2)
    assert "test" not in events
    assert len(results) == 5 * 2 * 2
    assert "| made up | without | 10 | 0.500 ± 0.000 |" in load("scores").tables(
        results
    )


def test_duplicates_are_kept_together(load):
    spam = load("datasets").DATA_SETS["sms_spam"]
    X = [f"text {i}" for i in range(20)] + [f" TEXT {i}" for i in range(20)]
    y = ["ham", "spam"] * 20
    for train, valid, _ in load("quality").splits(spam, X, y, n_seeds=1):
        assert not {i % 20 for i in train} & {i % 20 for i in valid}


def test_calibration_error_is_distance_of_confidence_from_accuracy(load):
    classes = np.array(["a", "b"])
    probabilities = np.array([[0.75, 0.25]] * 4 + [[0.0, 1.0]] * 4)
    y = ["a", "a", "a", "b"] + ["b", "b", "a", "a"]
    error = load("scores").calibration_error(y, probabilities, classes)
    np.testing.assert_allclose(error, 0.25)  # 0 of the first half, 0.5 of the second


def test_promises_are_of_the_means(load):
    quality = load("quality")
    accuracies = {"RNNClassifier": 0.84, quality.FOREST: 0.85, quality.BAG: 0.7}
    results = [
        {"data set": "names", "model": model, "accuracy": accuracy}
        for model, accuracy in accuracies.items()
    ]
    assert quality.broken_promises(results) == [
        "RNNClassifier is at least 0.85 accurate"
    ]
    assert quality.broken_promises([]) == []


def test_validation_runs_without_test_files(load, tmp_path, capsys):
    lines = [f"{i % 2},{i % 3},{i}:{i % 2}" for i in range(20)]
    text = "\n".join(["@data", *lines])
    (tmp_path / "GunPoint_TRAIN.ts").write_text(text, encoding="utf-8")
    arguments = ["--data", str(tmp_path), "--only", "GunPoint", "--seeds", "1"]
    arguments += ["--json", str(tmp_path / "result.json"), "--validate"]
    arguments += ["--models", "commonest*", "RNNC*r", "--set", "max_iter=2"]
    load("quality").main(arguments)
    table = capsys.readouterr().out
    assert "Our estimators with {'max_iter': 2}" in table
    assert "| GunPoint | RNNClassifier | 5 | " in table
    assert '"log loss"' in (tmp_path / "result.json").read_text(encoding="utf-8")
