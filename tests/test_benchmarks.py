"""Benchmarks: how they read data, and what keeps test files out of choices."""

import importlib
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

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


@pytest.mark.parametrize(
    "name",
    ["names", "first_names", "dga", "dga_family", "splice", "sms_spam", "trec"]
    + ["subjectivity", "ppattach", "JapaneseVowels", "BasicMotions", "GunPoint"]
    + ["ItalyPowerDemand", "ArrowHead", "OSULeaf", "PickupGestureWiimoteZ", "PLAID"]
    + ["Tecator", "Covid3Month", "ESOL", "lipophilicity", "freesolv"]
    + ["EWT", "Maltese", "WNUT17"],
)
def test_each_data_set_has_a_figure_to_beat_and_a_training_file(load, tmp_path, name):
    data_set = load("datasets").DATA_SETS[name]
    assert load("quality").PEERS.keys() == load("datasets").DATA_SETS.keys()
    parts = [(data_set.train, "test"), (data_set.test, "train")]
    if data_set.dev:
        parts += [(data_set.dev, "train"), (data_set.dev, "test")]
    for read, other in parts:
        with pytest.raises(FileNotFoundError) as missing:
            read(tmp_path)
        assert other not in Path(missing.value.filename).name.lower()
    models = load("models").models_of(data_set, [{"nhidden": 3}])
    made = {name: model.make(0) for name, model in models.items()}
    ours = load("models").our_name(data_set)
    assert made[ours].get_params() == type(made[ours])(random_state=0).get_params()
    assert made[f"{ours}, nhidden=3"].nhidden == 3
    assert {name for name in models if models[name].is_ours} == {
        name for name in models if "RNN" in name
    }


def test_development_part_is_for_training_and_tokens_are_split(load, tmp_path):
    table = "tokens,label,split\na b c d,V,train\ne f g h,N,dev\ni j k l,V,test\n"
    (tmp_path / "ppattach.csv").write_text(table, encoding="utf-8")
    ppattach = load("datasets").DATA_SETS["ppattach"]
    assert ppattach.train(tmp_path) == ([[*"abcd"], [*"efgh"]], ["V", "N"])
    assert ppattach.test(tmp_path) == ([[*"ijkl"]], ["V"])


@pytest.mark.parametrize(
    "choice",
    ["--set nhidden=4", "--models RNN*", "--folds 1", "--steps 9", "--before a.json"],
)
def test_choices_are_refused_where_test_files_are_read(load, capsys, choice):
    quality = load("quality")
    with pytest.raises(SystemExit):
        quality.parse(choice.split())
    assert "they want --validate" in capsys.readouterr().err
    assert quality.parse(["--validate", *choice.split()]).validate


def test_each_set_is_a_setting(load):
    arguments = "--validate --set nhidden=(8,4) cell=gru --set dropout=0.5"
    settings = load("quality").parse(arguments.split()).set
    assert settings == [{"nhidden": (8, 4), "cell": "gru"}, {"dropout": 0.5}]
    names = [load("models").setting_name(params) for params in settings]
    assert names == ["cell=gru, nhidden=(8, 4)", "dropout=0.5"]


def test_a_setting_may_concern_one_kind_of_sequences(load, capsys):
    quality, models = load("quality"), load("models")
    arguments = "--validate --set series:differences=2 text:nhidden=9 cell=gru"
    params, only = quality.parse([*arguments.split(), "--set", "text:nhidden=9"]).set
    assert models.params_for(params, "series") == {"differences": 2, "cell": "gru"}
    assert models.params_for(params, "text") == {"nhidden": 9, "cell": "gru"}
    assert models.params_for(params, "tokens") == {"cell": "gru"}

    data_set = load("datasets").DATA_SETS["GunPoint"]
    assert not [name for name in models.models_of(data_set, [only]) if "=" in name]
    runs = [{"setting": "", "model": "RNNClassifier"}, {"setting": None, "model": "a"}]
    assert quality.unconcerned(runs, [params, only], data_set) == [
        {"setting": "text:nhidden=9", "model": "RNNClassifier, text:nhidden=9"}
    ]
    with pytest.raises(SystemExit):
        quality.parse(["--validate", "--set", "texts:nhidden=9"])
    assert "of kind text, tokens, series; got 'texts:nh" in capsys.readouterr().err


@pytest.fixture
def recorded(load):
    """A data set and models, and the events in which they take part."""
    models, events = load("models"), []

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
        "with seed": models.Model(lambda seed: Recorder(), is_ours=True),
        "without": models.Model(lambda seed: Recorder(), has_seed=False),
    }
    return data, rows, events


def test_test_part_is_read_after_the_last_fit(load, recorded):
    data, rows, events = recorded
    measuring = load("measuring")
    results = measuring.test(data, None, rows, n_seeds=2)
    assert events == ["train", "fit", "fit", "fit", "test"]
    assert [run["accuracy"] for run in results] == [0.5] * 3

    events.clear()
    results = measuring.validate(data, None, rows, n_seeds=2)
    assert "test" not in events
    assert len(results) == 5 * 3
    seeds = [run["seed"] for run in results if run["model"] == "with seed"]
    assert seeds == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert "| made up | without | 5 | 0.500 ± 0.000 |" in load("scores").tables(results)


def test_what_the_file_has_is_not_fitted_again(load, recorded, tmp_path, monkeypatch):
    data, rows, events = recorded
    measuring, runs = load("measuring"), load("runs")
    path = tmp_path / "results.json"
    few = {"without": rows["without"]}
    first = measuring.test(data, None, few, n_seeds=2, runs=runs.Runs(path))
    assert events == ["train", "fit", "test"]

    events.clear()
    assert measuring.test(data, None, few, n_seeds=2, runs=runs.Runs(path)) == first
    assert events == []

    second = measuring.test(data, None, rows, n_seeds=2, runs=runs.Runs(path))
    assert events == ["train", "fit", "fit", "test"]
    assert second[2:] == first
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3

    events.clear()
    monkeypatch.setattr(measuring, "digests", lambda: {True: "other", False: "other"})
    measuring.test(data, None, few, n_seeds=2, runs=runs.Runs(path))
    assert events == ["train", "fit", "test"]


def test_duplicates_are_kept_together(load):
    spam = load("datasets").DATA_SETS["sms_spam"]
    X = [f"text {i}" for i in range(20)] + [f" TEXT {i}" for i in range(20)]
    y = ["ham", "spam"] * 20
    n_steps = sum(map(len, X))
    for limit in (n_steps, n_steps // 2):
        for _, train, valid in load("folds").splits(spam, X, y, 10, limit):
            assert not {i % 20 for i in train} & {i % 20 for i in valid}
            assert {(i + 20) % 40 for i in train} == set(train)


def test_long_training_parts_are_thinned_and_held_out_ones_are_not(load):
    names, folds = load("datasets").NAMES, load("folds")
    X, y = ["ab", "abcd"] * 50, ["a", "b"] * 50
    whole = list(folds.splits(names, X, y, 7, 1_000))
    thin = list(folds.splits(names, X, y, 7, 100))
    assert [split.number for split in whole] == list(range(7))
    for full, part in zip(whole, thin, strict=True):
        assert len(full.train) == 80
        np.testing.assert_array_equal(full.valid, part.valid)
        assert set(part.train) < set(full.train)
        assert 96 <= sum(len(X[i]) for i in part.train) <= 100
    for few, many in zip(folds.splits(names, X, y, 3, 100), thin, strict=False):
        np.testing.assert_array_equal(few.train, many.train)


def test_large_data_sets_have_few_splits(load):
    names, folds = load("datasets").NAMES, load("folds")
    X, y = ["ab"] * 4_000, ["a", "b"] * 2_000
    held_out = [split.valid for split in folds.splits(names, X, y, 9, 10**6)]
    assert list(map(len, held_out)) == [800, 800]
    assert not set(held_out[0]) & set(held_out[1])


def runs_of(name, setting, scores, column="accuracy", seconds=1.0):
    """Runs on one split each; without a setting, of a peer."""
    about = {"data set": name, "setting": setting, "is ours": setting is not None}
    about |= {"model": "a peer", "seed": 0, "steps": None, "part": "validation"}
    about |= {"n trained on": 40, "n of fold": 80, "n held out": 20}
    return [
        about | {"split": i, column: score, "fit seconds": seconds}
        for i, score in enumerate(scores)
    ]


def test_settings_are_compared_by_rank_and_by_the_error_they_remove(load):
    data_sets = load("datasets").DATA_SETS
    runs = runs_of("GunPoint", "", [0.8, 0.8, 0.1])  # two have the third split not
    runs += runs_of("GunPoint", "a=1", [0.9, 0.9], seconds=4.0)
    runs += runs_of("GunPoint", "b=2", [0.8, 0.8])
    runs += runs_of("GunPoint", None, [0.7, 0.9])
    runs += runs_of("ESOL", "", [1.0], "RMSE")
    runs += runs_of("ESOL", "a=1", [0.5], "RMSE")
    runs += runs_of("ESOL", "b=2", [4.0], "RMSE")
    runs += runs_of("names", "", [0.9])  # without the others
    table = load("comparison").compare(runs, data_sets)
    assert (
        "| GunPoint | accuracy | 2 | 40 of 80 | 20 | 0.800 | 0.900 | 0.800 "
        "| 1.0 / 4.0 / 1.0 | 0.800 (a peer) |" in table
    )
    assert "names" not in table
    assert load("comparison").compare(runs_of("names", None, [0.9]), data_sets) == ""
    lines = table.splitlines()[-3:]
    assert lines == [
        "| a=1 | 2 | 1.00 | +50.0% ± 0.0% | 2 / 0 | 2.00 |",
        "| defaults | 2 | 2.25 | +0.0% ± 0.0% | 0 / 0 | 1.00 |",
        "| b=2 | 2 | 2.75 | -50.0% ± 50.0% | 0 / 1 | 1.00 |",
    ]


def test_share_of_error_is_bounded(load):
    share = load("comparison").share_removed
    errors, base = np.array([[0.1], [0.0], [0.3], [0.0]]), [[0.2], [0.0], [0.1], [0.1]]
    np.testing.assert_allclose(share(errors, np.array(base)).ravel(), [0.5, 0, -1, 1])
    assert share(np.array([[0.1]]), np.array([[0.0]])) == -1


def test_defaults_of_an_earlier_version_are_a_setting(load):
    comparison = load("comparison")
    runs = runs_of("GunPoint", "", [0.9])
    earlier = runs_of("GunPoint", "", [0.8, 0.7]) + runs_of("GunPoint", "a=1", [0.5])
    before = comparison.defaults_before(runs, earlier)
    assert [(run["setting"], run["accuracy"]) for run in before] == [
        (comparison.BEFORE, 0.8)
    ]


@pytest.mark.parametrize(
    ("name", "score", "says", "is_enough"),
    [
        ("trec", 0.902, "on 1 of 1", True),
        ("trec", 0.900, "on 1 of 1", True),  # one of 500 cases
        ("trec", 0.899, "on 0 of 1 data sets. Behind it: trec (0.899", True),
        ("trec", 0.871, "by more than 0.03 (RMSE: 10%): trec (0.871", False),
        ("ESOL", 0.849, "on 1 of 1", True),
        ("ESOL", 0.850, "Behind it: ESOL (0.85 instead of 0.849)", True),
        ("ESOL", 0.934, "by more than 0.03 (RMSE: 10%): ESOL", False),
    ],
)
def test_defaults_are_held_against_the_best_peer(load, name, score, says, is_enough):
    column = "RMSE" if name == "ESOL" else "accuracy"
    run = {"data set": name, column: score, "n held out": 500}
    run["model"] = load("models").our_name(load("datasets").DATA_SETS[name])
    other = run | {"model": "a peer", column: 0.5}
    sentence, enough = load("quality").beside_peers([run, other])
    assert says in sentence
    assert enough == is_enough


def test_defaults_may_stay_behind_on_few_data_sets(load):
    quality = load("quality")
    results = [
        {"data set": name, "model": "RNNClassifier", "accuracy": bar - 0.01}
        | {"n held out": 1_000}
        for name, bar in quality.PEERS.items()
        if bar < 1 and load("datasets").DATA_SETS[name].task == "classification"
    ]
    assert quality.beside_peers(results[: quality.MISSED])[1]
    assert not quality.beside_peers(results[: quality.MISSED + 1])[1]
    assert quality.beside_peers([]) == ("", True)


def test_random_convolutions_are_those_of_a_plain_loop(load):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((n, 2)) for n in (30, 12, 3)]
    convolutions = load("peers_series").RandomConvolutions(n_kernels=20).fit(X)
    features = convolutions.transform(X)
    assert features.shape == (3, 40)
    n_done = 0
    for dilation, weights, bias in convolutions.kernels_:
        n_kernels = len(bias)
        for i, x in enumerate(X):
            x = (x - convolutions.mean_) / convolutions.scale_
            outputs = np.zeros((len(x), n_kernels))
            for t in range(len(x)):
                for j in range(9):
                    at = t + (j - 4) * dilation
                    if 0 <= at < len(x):
                        outputs[t] += x[at] @ weights.reshape(2, 9, n_kernels)[:, j]
            ours = features[i, n_done : n_done + 2 * n_kernels]
            np.testing.assert_allclose(ours[:n_kernels], (outputs - bias).max(axis=0))
            share = (outputs > bias).mean(axis=0)
            # A bias is one of the outputs of a series; equal, up to rounding.
            np.testing.assert_allclose(ours[n_kernels:], share, atol=1.01 / len(x))
        n_done += 2 * n_kernels


@pytest.mark.parametrize("name", ["StretchSeries", "SummariseSeries"])
def test_ragged_series_become_rows_of_numbers(load, name):
    X = [np.arange(2.0 * n).reshape(n, 2) for n in (1, 2, 9, 30)]
    table = getattr(load("peers_series"), name)().fit(X).transform(X)
    assert table.ndim == 2
    assert np.isfinite(table).all()


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


TAGS = {
    "train": 'The\tDET\ncat\tNOUN\n\n"\tPUNCT\n10\xa0000\tNUM\nNever\tADV\n\n',
    "dev": "The\tDET\nhat\tNOUN\n\n",
}


@pytest.fixture
def tags(tmp_path):
    """A folder with a data set of words and tags, but no test file."""
    for part, text in TAGS.items():
        path = tmp_path / f"ud_maltese_mudt_upos_{part}.tsv"
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_words_and_tags_are_read_line_by_line(load, tags):
    data_set = load("datasets").DATA_SETS["Maltese"]
    words = [["The", "cat"], ['"', "10\xa0000", "Never"]]
    assert data_set.train(tags) == (words, [["DET", "NOUN"], ["PUNCT", "NUM", "ADV"]])
    assert data_set.dev(tags) == ([["The", "hat"]], [["DET", "NOUN"]])


def test_taggers_are_validated_on_the_part_that_is_for_it(load, tags, capsys):
    arguments = ["--data", str(tags), "--only", "Maltese", "--seeds", "2"]
    arguments += ["--validate", "--set", "max_iter=2", "--models", "*LogisticR*"]
    load("quality").main([*arguments, "RNNTagger", "*=2"])
    table = capsys.readouterr().out
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    rows = {row[1]: row[2:5] for row in rows if row[0] == "| Maltese"}
    assert rows["window features + LogisticRegression"][0] == "2"
    assert "| Maltese | token accuracy | 2 | 2 | 1 |" in table


def test_a_window_has_the_word_and_its_neighbours(load):
    features = load("peers_tags").features_of(["The", "Cats", "sat", "."])
    expected = ["word=Cats", "lower=cats", "shape=Xx"]
    expected += ["last=s", "last=ts", "last=ats", "first=c", "first=ca", "first=cat"]
    expected += ["kinds=Xxxx", "-2:none"]
    expected += ["-1:lower=the", "-1:shape=Xx", "-1:last=e", "-1:last=he", "-1:first=t"]
    expected += ["1:lower=sat", "1:shape=x", "1:last=t", "1:last=at", "1:first=s"]
    expected += ["2:lower=.", "2:shape=.", "pair=the cats", "next pair=cats sat"]
    assert features[1] == expected


@pytest.mark.parametrize("name", ["WindowTagger", "CRFTagger"])
def test_linear_taggers_learn_from_neighbours(load, name):
    if name == "CRFTagger":
        pytest.importorskip("sklearn_crfsuite")
    X = [["a", "b", "a"], ["b"], ["a", "a", "b", "b"]] * 9
    y = [["start", *x[:-1]] for x in X]
    tagger = getattr(load("peers_tags"), name)().fit(X, y)
    assert tagger.predict(X[:3]) == y[:3]


def test_entities_are_scored_whole(load):
    data_set = load("datasets").DATA_SETS["WNUT17"]

    class Guess:
        def predict(self, X):
            return [["B-person", "O", "O"], ["O"]]

    y = [["B-person", "I-person", "O"], ["O"]]
    scores = load("scores").score(Guess(), data_set, [["A", "B", "c"], ["d"]], y)
    assert scores["token accuracy"] == 0.75
    assert scores["entity F1"] == 0.0


def test_validation_runs_without_test_files(load, tmp_path, capsys):
    lines = [f"{i % 2},{i % 3},{i}:{i % 2}" for i in range(20)]
    text = "\n".join(["@data", *lines])
    (tmp_path / "GunPoint_TRAIN.ts").write_text(text, encoding="utf-8")
    arguments = ["--data", str(tmp_path), "--only", "GunPoint", "--seeds", "1"]
    arguments += ["--json", str(tmp_path / "result.json"), "--validate"]
    arguments += ["--models", "commonest*", "RNNC*[r2]", "--set", "max_iter=2"]
    load("quality").main(arguments)
    table = capsys.readouterr().out
    assert "| GunPoint | RNNClassifier, max_iter=2 | 5 | " in table
    assert "| max_iter=2 | 1 | " in table
    assert '"log loss"' in (tmp_path / "result.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("data_set", ["English", "Korean", "Finnish"])
def test_transduction_reads_one_file_at_a_time(load, tmp_path, data_set):
    (found,) = (d for d in load("datasets").TRANSDUCTION if d.name.startswith(data_set))
    for part in {"train", "test"} | ({"dev"} if found.dev else set()):
        with pytest.raises(FileNotFoundError) as missing:
            getattr(found, part)(tmp_path)
        assert Path(missing.value.filename).stem.endswith(f"_{part}")


def test_sounds_are_lists_and_syllables_are_letters(load, tmp_path):
    table = "word,phonemes\n가,k a̠\nnull,N AH L\n"
    (tmp_path / "made_up.csv").write_text(table, encoding="utf-8")
    X, y = load("datasets").read_sounds(tmp_path, "made_up.csv")
    assert X == ["\u1100\u1161", "null"]
    assert y == [["k", "a̠"], ["N", "AH", "L"]]


def test_features_come_before_the_lemma(load, tmp_path):
    table = "lemma,features,form\ngo,V;PST,went\n"
    (tmp_path / "made_up.csv").write_text(table, encoding="utf-8")
    X, y = load("datasets").read_inflections(tmp_path, "made_up.csv")
    assert (X, y) == ([["V", "PST", "g", "o"]], ["went"])


def test_errors_of_sequences_are_counted(load):
    errors = load("sequences").errors(["kitten", "ab", ""], ["sitting", "ab", "c"])
    assert errors == {"sequence error": 2 / 3, "token error": 4 / 8}


def test_no_day_is_in_both_parts(load):
    sequences = load("sequences")
    days, others = (set(sequences.dates(None, part)[1]) for part in ("train", "test"))
    assert len(days) == 20_000 and len(others) == 2_000
    assert days.isdisjoint(others)


def gpu(*arguments):
    """What the benchmark of GPUs prints, its errors, and whether it failed."""
    command = [sys.executable, BENCHMARKS / "gpu.py", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stdout, run.stderr, run.returncode


def test_the_benchmark_of_gpus_runs_without_one():
    triton = ["--triton"] if find_spec("triton") else []
    out, err, code = gpu("--quick", "--device", "cpu", *triton)
    assert code == 0, err
    rows = re.findall(r"^\| (\w+) \| 128 \| 256 \|(.*)$", out, re.MULTILINE)
    assert [cell for cell, _ in rows] == ["rnn", "gru", "lstm"]
    for _, cells in rows:
        *cells, _ = (cell.strip() for cell in cells.split("|"))
        ours, theirs, *by_triton, ratio = cells
        assert len(by_triton) == len(triton)
        assert int(ours.replace(",", "")) > 0 and int(theirs.replace(",", "")) > 0
        assert float(ratio) > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_benchmark_of_gpus_says_that_there_is_none():
    out, err, code = gpu()
    assert (out, code) == ("", 1)
    assert err.startswith(f"torch {torch.__version__} finds no GPU: nothing was ")
