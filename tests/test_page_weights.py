"""Weights of a page: exact ones, or rounded ones if it would be large."""

import base64
import zlib

import numpy as np
import pytest

from skrnn import RNNClassifier
from skrnn.export import _compression, _html, _page, to_html


@pytest.fixture(scope="module")
def classifier():
    """One whose U_ is large."""
    X = np.random.default_rng(0).choice(list("abcdefgh"), (40, 6))
    X = ["".join(x) for x in X]
    return RNNClassifier(128, max_iter=1, random_state=0).fit(X, ["x", "y"] * 20)


def layer_of(classifier, weights):
    ((layer,),) = _page.content_of(classifier, weights)["layers"]
    return layer


def test_exact_weights_are_rounded_to_small_steps_if_there_are_many(classifier):
    layer = layer_of(classifier, "exact")
    assert layer["U"]["step"] <= 2**-19
    assert layer["W"]["type"] == "float32"


def test_rounded_weights_take_less_than_half(classifier):
    exact, rounded = (
        len(layer_of(classifier, weights)["U"]["data"])
        for weights in ("exact", "rounded")
    )
    assert rounded < exact / 2


def test_weights_are_rounded_if_the_page_would_be_large(
    classifier, tmp_path, monkeypatch
):
    path = tmp_path / "page.html"

    def page(**options):
        to_html(classifier, path, **options)
        return path.read_bytes()

    exact, rounded = page(weights="exact"), page(weights="rounded")
    assert len(rounded) < len(exact) < 5_000_000
    assert page() == exact
    monkeypatch.setattr(_html, "_LARGE", len(exact) + 1)
    assert page() == exact
    monkeypatch.setattr(_html, "_LARGE", len(exact))
    assert page() == rounded
    assert page(weights="exact") == exact


def test_an_estimator_keeps_its_weights(classifier, tmp_path):
    U, wide_coef = classifier.U_[0].copy(), classifier.wide_coef_.copy()
    to_html(classifier, tmp_path / "page.html", weights="rounded")
    np.testing.assert_array_equal(classifier.U_[0], U)
    np.testing.assert_array_equal(classifier.wide_coef_, wide_coef)


def test_weights_that_no_page_has(classifier, tmp_path):
    message = "The 'weights' parameter of to_html must be a str among .* Got 'int8'"
    with pytest.raises(ValueError, match=f"^{message} instead.$"):
        to_html(classifier, tmp_path / "page.html", weights="int8")


NUMBERS = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)


@pytest.mark.parametrize(
    "array, kind",
    [
        (NUMBERS, "float32"),
        (NUMBERS * np.float32(1e-42), "multiples"),  # of the smallest number
        (np.round(NUMBERS * 8) / 8, "multiples"),
        (np.float32([1, 2**30 - 64, -(2**30) + 64]), "multiples"),
        (np.float32([1, 2**30]), "float32"),
        (np.float32([0, -0.75, 3e38]), "float32"),
        (np.zeros((2, 3), np.float32), "multiples"),
        (np.zeros((0, 3), np.float32), "multiples"),
        (np.array([[3, -(2**30)], [0, 2**30 - 1]]), "int32"),
    ],
)
def test_compression_loses_nothing(array, kind):
    compressed = _compression.compress(array)
    assert compressed["type"] == kind
    planes = np.frombuffer(
        zlib.decompress(base64.b64decode(compressed["data"])), np.uint8
    )
    numbers = planes.reshape(4, -1).T.copy().view(np.uint32).ravel()
    if kind == "float32":
        restored = numbers.view(np.float32)
    else:
        halves = (numbers >> 1).astype(np.int64)
        restored = np.where(numbers & 1, ~halves, halves) * compressed.get("step", 1)
    np.testing.assert_array_equal(restored.reshape(compressed["shape"]), array)


@pytest.mark.parametrize(
    "weights, scale, error",
    [
        ("exact", 1e-6, 1e-6 * 2**-17),
        ("exact", 1, 2**-20),
        ("exact", 1e3, 2**-20),
        ("rounded", 1e-6, 1e-6 / 40),
        ("rounded", 1, 1 / 40),
        ("rounded", 1e6, 1e6 / 40),
    ],
)
def test_how_far_numbers_are_rounded(weights, scale, error):
    numbers = np.random.default_rng(0).normal(0, scale, 2**17).astype(np.float32)
    change = np.abs(_compression.rounded(numbers, weights) - numbers).max()
    assert error / 2.1 < change < 1.1 * error


@pytest.mark.parametrize("weights", ["exact", "rounded"])
def test_numbers_that_are_all_the_same_are_not_rounded(weights):
    numbers = np.full(2**17, 0.1, np.float32)
    np.testing.assert_array_equal(_compression.rounded(numbers, weights), numbers)


def test_numbers_that_are_far_apart_are_rounded_or_kept():
    numbers = np.full(2**17, 0.25, np.float32)
    numbers[0] = 1e30
    np.testing.assert_array_equal(_compression.rounded(numbers, "exact"), numbers)
    assert _compression.rounded(numbers, "rounded")[0] == pytest.approx(1e30, rel=1e-4)
