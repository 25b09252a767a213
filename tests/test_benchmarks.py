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
