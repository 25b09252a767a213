"""Integers: tokens unless something says otherwise, perhaps a warning."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skrnn import RNNClassifier, RNNEncoder, RNNRegressor, sequences_from_frame

ESTIMATORS = [RNNClassifier, RNNEncoder, RNNRegressor]
SMALL = {"nhidden": 2, "max_iter": 1, "random_state": 0}
SIZES = [(8, 8), (20, 10), (100, 10), (300, 30)]


def predict(model, X):
    return (model.transform if isinstance(model, RNNEncoder) else model.predict)(X)


def as_lists(X):
    return [np.asarray(x).tolist() for x in X]


def by_zipfs_law(rng, n_samples, n_steps):
    """Ids by rank of frequency."""
    p = 1 / np.arange(1, 5001)
    p /= p.sum()
    lengths = rng.integers(n_steps // 2, 2 * n_steps, n_samples)
    return [rng.choice(5000, size=length, p=p) for length in lengths]


def by_first_appearance(rng, n_samples, n_steps):
    ids = {}
    X = by_zipfs_law(rng, n_samples, n_steps)
    return [[ids.setdefault(token, len(ids)) for token in x] for x in X]


def by_a_large_vocabulary(rng, n_samples, n_steps):
    ids = rng.permutation(50_000)
    return [ids[x] for x in by_zipfs_law(rng, n_samples, n_steps)]


def each(draw):
    """A function that draws sequences independently of each other."""
    return lambda rng, n_samples, n_steps: [
        draw(rng, n_steps) for _ in range(n_samples)
    ]


def part_of(rng, sequence, n):
    start = rng.integers(len(sequence) - n)
    return sequence[start : start + n]


def powers(n, exponent):
    p = np.arange(1.0, n + 1) ** -exponent
    return p / p.sum()


MADE = np.random.default_rng(1)
ITEMS, POPULARITY = MADE.permutation(90_000)[:2000] + 10_000, powers(2000, 0.8)
FREQUENCY = MADE.permutation(powers(60, 1.0))
TEXT = [*map(ord, Path(__file__).read_text())]
# Steps through two octaves of C major.
SCALE = np.array(
    [60 + 12 * octave + note for octave in (0, 1) for note in (0, 2, 4, 5, 7, 9, 11)]
)
MELODY = SCALE[np.abs(np.cumsum(MADE.integers(-3, 4, 9000)) % 26 - 13)]
EVENTS = np.array([100, 101, 200, 204, 301, 302, 404, 418, 500, 503, 1001, 2002])
TOKENS = {
    "words by rank": by_zipfs_law,
    "words by first appearance": by_first_appearance,
    "words of a large vocabulary": by_a_large_vocabulary,
    "a training set of words": lambda rng, n_samples, n_steps: by_first_appearance(
        rng, n_samples, n_steps
    )[: n_samples * 3 // 4],
    "event codes": each(lambda rng, n: rng.choice(EVENTS, n)),
    "digits": each(lambda rng, n: rng.integers(0, 10, n)),
    "bits": each(lambda rng, n: rng.integers(0, 2, n)),
    "a row of digits": each(lambda rng, n: (rng.integers(10) + np.arange(n)) % 10),
    "fifty ids": each(lambda rng, n: rng.integers(0, 50, n)),
    "hours": each(lambda rng, n: (rng.integers(24) + np.arange(n)) % 24),
    "permutations": each(lambda rng, n: rng.permutation(n)),
    "ranks": each(lambda rng, n: rng.normal(size=n).argsort()),
    "positions": each(lambda rng, n: np.arange(n)),
    "code points": each(lambda rng, n: [*map(ord, rng.choice([*"etaoin shr.,"], n))]),
    "code points of a text": each(lambda rng, n: part_of(rng, TEXT, n)),
    "items": each(lambda rng, n: ITEMS[rng.choice(2000, n, p=POPULARITY)]),
    "sorted sets": each(lambda rng, n: np.sort(rng.permutation(100)[:n])),
    "sorted sets of many items": each(lambda rng, n: np.sort(rng.permutation(500)[:n])),
    "pitches": each(lambda rng, n: part_of(rng, MELODY, n)),
    "hours around noon": each(lambda rng, n: np.clip(rng.normal(13, 4, n), 0, 23)),
    "fifty ids, and -1": each(lambda rng, n: np.maximum(rng.integers(-9, 50, n), -1)),
    "long permutations": each(lambda rng, n: rng.permutation(150)),
    "letters by their number": each(lambda rng, n: rng.choice(60, n, p=FREQUENCY)),
}
MEASUREMENTS = {
    "levels": each(lambda rng, n: rng.normal(512, 150) + rng.normal(size=n) * 30),
    "waves": each(
        lambda rng, n: 512 + 300 * np.sin(6 * rng.random() + np.arange(n) / 2)
    ),
    "random walks": each(lambda rng, n: 500 + np.cumsum(rng.normal(size=n) * 15)),
    "lines": each(lambda rng, n: rng.integers(1, 50) * np.arange(1, n + 1)),
    "levels of lines": each(lambda rng, n: rng.integers(50) * 10 + 10 * np.arange(n)),
    "readings around 0": each(lambda rng, n: rng.integers(-500, 500, n)),
    "temperatures": each(lambda rng, n: rng.normal(5, 9, n)),
    "seconds since 1970": each(lambda rng, n: 17e8 + rng.integers(1, 99, n).cumsum()),
    "milliseconds": each(lambda rng, n: 17e11 + rng.integers(0, 10**5, n).cumsum()),
}
# More than a few of these are needed.
SPREAD = {
    "readings of 10 bits": each(lambda rng, n: rng.integers(0, 1024, n)),
    "readings of 8 bits": each(lambda rng, n: rng.integers(0, 256, n)),
    "readings of 16 bits": each(lambda rng, n: rng.integers(0, 2**16, n)),
    "heart rates": each(lambda rng, n: rng.normal(70, 8, n)),
    "prices in cents": each(lambda rng, n: np.exp(rng.normal(7, 1, n))),
    "of two classes": each(
        lambda rng, n: rng.integers(0, 900, n) + 120 * rng.integers(2)
    ),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", TOKENS)
def test_tokens_do_not_warn(case, size, rng):
    X = as_lists([np.asarray(x, int) for x in TOKENS[case](rng, *size)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = RNNEncoder(**SMALL).fit(X, np.arange(len(X)) % 2)
    assert model.kind_ == "tokens"


LOOK_LIKE = (
    r"^X holds lists of integers, which are read as tokens, but "
    r"(they look like measurements: |\d+% of them occur )"
)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("case", MEASUREMENTS)
def test_integers_that_look_like_measurements_warn(case, size, rng):
    X = as_lists([np.asarray(x, int) for x in MEASUREMENTS[case](rng, *size)])
    with pytest.warns(UserWarning, match=LOOK_LIKE):
        RNNEncoder(**SMALL).fit(X, np.arange(len(X)) % 2)


@pytest.mark.parametrize("size", [(40, 10), (100, 10), (300, 30)])
@pytest.mark.parametrize("case", SPREAD)
def test_measurements_at_random_warn(case, size, rng):
    X = as_lists([np.asarray(x, int) for x in SPREAD[case](rng, *size)])
    with pytest.warns(UserWarning, match=LOOK_LIKE):
        RNNEncoder(**SMALL).fit(X, np.arange(len(X)) % 2)


@pytest.mark.parametrize("make", ESTIMATORS)
@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
@pytest.mark.parametrize("case", SPREAD)
def test_measurements_at_random_of_an_event_log_warn(case, library, make, rng):
    X = [np.asarray(x, int) for x in SPREAD[case](rng, 60, 20)]
    lengths = list(map(len, X))
    log = library({"id": np.repeat(np.arange(60), lengths), "adc": np.concatenate(X)})
    tokens = sequences_from_frame(log, group="id", columns="adc")
    with pytest.warns(UserWarning, match=LOOK_LIKE):
        make(**SMALL).fit(tokens, np.arange(60) % 2)
    numbers = sequences_from_frame(log, group="id", columns=["adc"])
    make(**SMALL).fit(numbers, np.arange(60) % 2)  # without a warning


RANDOM = np.random.default_rng(0)
REASONS = {
    "they look like measurements: from one step to the next, they change by 10 on "
    "average, but any two of them differ by 171": [
        [*range(i, i + 60, 10), *range(i + 40, i, -10)] for i in range(0, 500, 20)
    ],
    "they look like measurements: they rise or fall evenly in each sequence": [
        [i, i + 10, i + 20] for i in range(10, 200, 10)
    ],
    "100% of them occur only once, from which little can be learned": (
        RANDOM.permutation(10**6)[:200].reshape(20, 10).tolist()
    ),
    "97% of them occur at most twice, from which little can be learned": (
        RANDOM.integers(0, 1000, (40, 10)).tolist()
    ),
    "they look like measurements: their 492 distinct values are distributed around one "
    "peak": np.random.default_rng(0).normal(500, 100, (60, 60)).astype(int).tolist(),
    "they look like measurements: their 256 distinct values are spread evenly over "
    "their range": RANDOM.integers(0, 256, (90, 20)).tolist(),
    "they look like measurements: some of them are negative": (
        RANDOM.integers(-9, 9, (9, 9)).tolist()
    ),
    "they look like measurements: they rise in each sequence, and are times since "
    "1970, by their size": [[1_700_000_000 + i, 1_700_000_090] for i in range(20)],
}


@pytest.mark.parametrize("reason", REASONS)
def test_the_warning_says_by_what_it_was_judged_and_how_to_silence_it(reason):
    X, y = REASONS[reason], np.arange(len(REASONS[reason])) % 2
    sentence = (
        f"X holds lists of integers, which are read as tokens, but {reason}. Use "
        "analyzer='series' if they are measurements, or analyzer='token' if they are "
        "tokens, which silences this warning."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        RNNClassifier(**SMALL).fit(X, y)
    for analyzer, kind in (("series", "series"), ("token", "tokens")):
        model = RNNClassifier(**SMALL, analyzer=analyzer).fit(X, y)  # without a warning
        assert model.kind_ == kind


RAMPS = [[i, i + 10, i + 20] for i in range(10, 200, 10)]
CONTAINERS = {
    "tuples": lambda X: tuple(map(tuple, X)),
    "arrays": lambda X: list(map(np.array, X)),
    "pandas": pd.Series,
    "pandas frame": lambda X: pd.DataFrame({"x": X}),
    "polars": pl.Series,
    "arrow": pa.array,
    "items of pandas": lambda X: list(map(pd.Series, X)),
    "unsigned": lambda X: [np.array(x, dtype=np.uint16) for x in X],
}


@pytest.mark.parametrize("make", ESTIMATORS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_measurements_warn_in_any_container(container, method, make):
    y = np.arange(len(RAMPS)) % 2
    kwargs = {}
    if (method, make) == ("partial_fit", RNNClassifier):
        kwargs["classes"] = [0, 1]
    with pytest.warns(UserWarning, match=LOOK_LIKE):
        getattr(make(**SMALL), method)(CONTAINERS[container](RAMPS), y, **kwargs)


@pytest.mark.parametrize(
    "params",
    [
        {"vocabulary": list(range(10, 230, 10))},
        {"embeddings": {i: [float(i), 1.0] for i in range(10, 230, 10)}},
        {"analyzer": lambda x: list(x)},
    ],
)
def test_what_is_said_to_be_tokens_does_not_warn(params):
    RNNEncoder(**SMALL, **params).fit(RAMPS, np.arange(len(RAMPS)) % 2)


def test_very_large_and_few_integers_do_not_fail():
    for X in ([[10**400, 1], [2]], [[1], [2]], [[True, False], [True]]):
        RNNEncoder(**SMALL).fit(X, [0, 1])
    X = [[10**400 + i, i * 2**70, i] for i in range(20)]
    RNNEncoder(**SMALL, analyzer="token").fit(X, np.arange(20) % 2)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
def test_whole_sensor_readings_of_an_event_log(library, rng):
    """As tokens they warn; both cures of the message read them as numbers."""
    trend = np.tile([2, -2], 30)
    readings = 500 + trend[:, None] * np.arange(20) + rng.normal(size=(60, 20)) * 9
    log = library(
        {
            "sensor": np.repeat(np.arange(60), 20),
            "adc": readings.astype(int).reshape(-1),
        }
    )
    X = sequences_from_frame(log, group="sensor", columns="adc")
    with pytest.warns(UserWarning, match=LOOK_LIKE):
        RNNClassifier(**SMALL).fit(X, trend)
    model = RNNClassifier(8, analyzer="series", random_state=0).fit(X[:40], trend[:40])
    assert model.score(X[40:], trend[40:]) > 0.9
    X = sequences_from_frame(log, group="sensor", columns=["adc"])
    model = RNNClassifier(8, random_state=0).fit(X[:40], trend[:40])
    assert model.score(X[40:], trend[40:]) > 0.9


WHOLE = [[20, 21, 22], [30, 31, 32]] * 10
FLOATS = {
    "list": [[20.5, 21.0, 22.0]],
    "a float later": [[20, 21.5, 22]],
    "in the last list": [[20, 21, 22], [20.5, 21.0, 22.0]],
    "whole floats": [[20.0, 21.0, 22.0]],
    "array": [np.array([20.5, 21.0, 22.0])],
    "array among lists": [[20, 21, 22], np.array([20.5, 21.0, 22.0])],
    "table": np.array([[20.5, 21.0, 22.0]]),
    "pandas": pd.Series([[20.5, 21.0, 22.0]]),
    "pandas table": pd.DataFrame([[20.5, 21.0, 22.0]]),
    "polars": pl.Series([[20.5, 21.0, 22.0]]),
    "arrow": pa.array([[20.5, 21.0, 22.0]]),
    "features": [[[20.5, 1.0], [21.0, 2.0]]],
}


@pytest.mark.parametrize("make", ESTIMATORS)
@pytest.mark.parametrize("method", ["predict", "partial_fit"])
@pytest.mark.parametrize("case", FLOATS)
def test_floats_after_integers_raise_a_sentence_that_names_the_analyzer(
    case, method, make
):
    y, X = np.arange(20) % 2, FLOATS[case]
    model = make(**SMALL).fit(WHOLE, y)
    if method == "partial_fit":
        model = make(**SMALL)
        kwargs = {"classes": [0, 1]} if make is RNNClassifier else {}
        model.partial_fit(WHOLE, y, **kwargs)
    with pytest.raises(TypeError, match=r"measurements, use analyzer='series' in fit"):
        if method == "predict":
            predict(model, X)
        else:
            model.partial_fit(X, y[: len(X)])
    # The advice helps, and works whichever of the two comes first.
    for first, second in ((WHOLE, X), (X, WHOLE)):
        if case != "features":
            numbers = make(**SMALL, analyzer="series")
            first = first.to_numpy() if case == "pandas table" and first is X else first
            predict(numbers.fit(list(first), y[: len(first)]), second)


def test_the_sentence_for_floats_after_integers():
    model = RNNClassifier(**SMALL).fit(WHOLE, np.arange(20) % 2)
    sentence = (
        "X holds sequences of numbers, but RNNClassifier was fitted on token lists of "
        "integers. Pass sequences of that kind. If these were "
        "measurements, use analyzer='series' in fit, which reads integers as numbers, "
        "too."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        model.predict([[20.5, 21, 22]])
    sentence = (
        "X[0] has a float at step 1: tokens must be strings or integers. If X holds "
        "measurements, use analyzer='series' in fit, which reads integers as numbers, "
        "too. Otherwise drop or convert it."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(sentence)}$"):
        model.predict([[20, 21.5, 22]])


@pytest.mark.parametrize("make", ESTIMATORS)
@pytest.mark.parametrize("fold", [WHOLE, np.array(WHOLE), pd.Series(WHOLE)])
def test_what_was_learned_as_numbers_accepts_integers(fold, make):
    X = [*WHOLE[1:], [20.5, 21, 22]]
    model = make(**SMALL).fit(X, np.arange(20) % 2)
    assert model.kind_ == "series"
    floats = [[float(x) for x in row] for row in WHOLE]
    np.testing.assert_array_equal(predict(model, fold), predict(model, floats))


@pytest.mark.parametrize("make", ESTIMATORS)
@pytest.mark.parametrize("method", ["predict", "partial_fit", "warm start"])
@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 2)])
def test_sequences_of_unknown_integers_warn(ngram_range, method, make):
    options = {**SMALL, "ngram_range": ngram_range}
    y, kwargs = np.arange(20) % 2, {}
    model = make(**options, warm_start=method == "warm start")
    if method == "partial_fit":
        kwargs = {"classes": [0, 1]} if make is RNNClassifier else {}
        model.partial_fit(WHOLE, y, **kwargs)
    else:
        model.fit(WHOLE, y)
    X = [[20, 21], [105, 115], [20, 115], [7]]
    sentence = (
        "2 of 4 sequences, such as X[1], hold nothing but integers that are not in the "
        "vocabulary: read as tokens, all of these are the same unknown token. If they "
        "are measurements, use analyzer='series' in fit; if they are tokens, "
        "analyzer='token' in fit silences this warning."
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(sentence)}$"):
        if method == "predict":
            predict(model, X)
        elif method == "partial_fit":
            model.partial_fit(X, y[:4])
        else:
            model.fit(X, y[:4])
    predict(model, [[20, 115], [21]])  # each has a known one


@pytest.mark.parametrize(
    "params, X",
    [
        ({"analyzer": "token"}, WHOLE),
        ({"embeddings": {20: [1.0], 99: [2.0]}}, WHOLE),
        ({}, [["a", 20], ["b", 21]] * 10),
        ({}, [["a", "b"], ["b", "a"]] * 10),
        ({"analyzer": "series"}, WHOLE),
    ],
)
def test_unknown_integers_of_what_is_said_to_be_tokens_do_not_warn(params, X):
    model = RNNClassifier(**SMALL, **params).fit(X, np.arange(20) % 2)
    model.predict([[105, 115]] if X[0] != ["a", "b"] else [["a"], [105]])


@pytest.mark.parametrize("n_samples", [4, 10, 20])
def test_lines_that_go_on_beyond_the_training_data_warn_twice(n_samples):
    X = [[i, i + 10, i + 20] for i in range(10, 10 * n_samples + 10, 10)]
    y = [x[-1] + 10 for x in X]
    with pytest.warns(UserWarning, match=LOOK_LIKE):
        model = RNNRegressor(8, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match=r"^1 of 1 sequences, such as X\[0\], holds"):
        model.predict([[105, 115, 125]])
