"""Fits by torchrun, in which each rank reads chunks of its own."""

from pathlib import Path

import numpy as np
import pytest
from chunked_ranks import (
    FITS,
    SAME_ROWS,
    WHOLE,
    fit,
    fit_of_rows,
    minibatches,
    share_of,
)
from ranks import LABELS, STRINGS
from test_distributed import _check_is_that_of_one_process, _fitted, _run

from skrnn import RNNClassifier
from skrnn._core.shards import shares

SCRIPT = Path(__file__).parent / "chunked_ranks.py"
BEHAVIOUR = ["some_rows", "by_torch", "minibatches", "two_layers"]
BEHAVIOUR += ["without_sharing", "sizes_of_updates", "in_memory_at_once"]
BEHAVIOUR += ["interrupted"]
BEHAVIOUR += ["begins_with_checkpoint", "continues_from_checkpoint"]
# What is raised on rank 0, and on rank 1.
FAILED = "RuntimeError: Rank 1 of 2 has failed, so all ranks end here. Its error was "
ERRORS = {
    "has_no_chunks": (
        FAILED,
        "ValueError: make_chunks yielded no chunks: at least one",
    ),
    "fails_in_the_first_pass": (FAILED, "OSError: disk removed"),
    "fails_in_an_epoch": (FAILED, "OSError: disk removed"),
    "has_fewer_in_an_epoch": (
        FAILED,
        "ValueError: make_chunks yielded 80 sequences in an epoch, but 81 in the first",
    ),
    "has_more_in_an_epoch": (
        FAILED,
        "ValueError: make_chunks yielded 86 sequences in an epoch, but 81 in the first",
    ),
    "other_labels": (
        FAILED,
        "ValueError: y is of dtype int64, but in the first chunk it was of dtype <U1: ",
    ),
    "other_kind": (
        "ValueError: X holds strings, read as text, on rank 0, but token lists, read "
        "as tokens, on rank 1. Pass the same kind on all ranks.",
    ),
    "without_y": (
        "ValueError: That y is given is False on rank 0, but True on rank 1. Pass it "
        "on all ranks, or none.",
    ),
    "not_in_chunks": (
        "ValueError: Whether X is a ChunkedDataset is False on rank 0, but True on "
        "rank 1.",
    ),
}


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return _run(tmp_path_factory.mktemp("one"), 1, ["minibatches"], SCRIPT)[0]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    names = [*FITS, *BEHAVIOUR, *ERRORS]
    return _run(tmp_path_factory.mktemp("two"), 2, names, SCRIPT)[0]


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    names = ["strings", "windows", "minibatches"]
    return _run(tmp_path_factory.mktemp("three"), 3, names, SCRIPT)[0]


def _check_equal(first, second):
    (ours, others), (theirs, same) = _fitted(first), _fitted(second)
    assert ours.keys() == theirs.keys() and others == same
    for name, value in ours.items():
        assert np.array_equal(value, theirs[name]), name


@pytest.mark.parametrize("name", FITS)
def test_updates_by_all_sequences_are_those_of_one_process(name, two):
    theirs = fit(name)
    assert len(set(np.round(theirs.loss_curve_, 4))) == WHOLE["max_iter"]
    for rank in (0, 1):
        _check_is_that_of_one_process(two[rank][name], theirs)
    _check_equal(two[0][name], two[1][name])


@pytest.mark.parametrize("name", ["strings", "windows"])
def test_updates_of_three_ranks(name, three):
    theirs = fit(name)
    for rank in range(3):
        _check_is_that_of_one_process(three[rank][name], theirs)


@pytest.mark.parametrize("i", range(len(SAME_ROWS)))
@pytest.mark.parametrize("how", ["some_rows", "by_torch"])
def test_updates_of_the_tokens_of_all_ranks(how, i, two):
    theirs = fit_of_rows(SAME_ROWS[i])
    for rank in (0, 1):
        _check_is_that_of_one_process(two[rank][how][i], theirs, tol=1e-4)
    _check_equal(two[0][how][i], two[1][how][i])


@pytest.mark.parametrize("name", ["minibatches", "two_layers"])
def test_all_ranks_have_the_same_weights(name, two):
    _check_equal(two[0][name], two[1][name])


def test_ranks_do_not_drift_apart_before_they_share_the_last_weights(two):
    fits = [of_rank["without_sharing"] for of_rank in two]
    assert len(fits[0]) > 5
    for first, second in zip(*fits, strict=True):
        _check_equal(first, second)


def test_three_ranks_have_the_same_weights(three):
    _check_equal(three[0]["minibatches"], three[2]["minibatches"])


def test_ranks_have_the_same_weights_by_the_operations_of_torch(two):
    first, second = (of_rank["by_torch"][-1] for of_rank in two)
    _check_equal(first, second)
    np.testing.assert_allclose(first.loss_curve_, minibatches().loss_curve_, rtol=0.2)


@pytest.mark.parametrize("n_ranks", [2, 3])
def test_all_sequences_count(n_ranks, two, three):
    ours = (two if n_ranks == 2 else three)[0]["minibatches"]
    theirs = RNNClassifier(**WHOLE).fit(STRINGS, LABELS)
    assert ours.vocabulary_ == theirs.vocabulary_
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    assert ours.wide_vocabulary_ == theirs.wide_vocabulary_
    np.testing.assert_allclose(ours.loss_curve_, minibatches().loss_curve_, rtol=0.2)


def test_one_rank_is_like_none(one):
    _check_equal(one[0]["minibatches"], minibatches())


def test_each_minibatch_has_the_share_of_each_rank(two):
    sizes = np.array([of_rank["sizes_of_updates"] for of_rank in two])
    assert sizes.sum(axis=0).tolist() == 2 * [*[8] * 10, 1]
    shares_of_all = [len(share_of(STRINGS, rank, 2)) for rank in (0, 1)]
    assert sizes.sum(axis=1).tolist() == [2 * n for n in shares_of_all]
    assert shares_of_all[0] > 9 * shares_of_all[1]
    done = sizes.cumsum(axis=1)[0, :10]
    expected = 8 * np.arange(1, 11) * shares_of_all[0] / len(STRINGS)
    assert abs(done - expected).max() < 1


def test_shares_are_in_proportion():
    rng = np.random.default_rng(0)
    for _ in range(100):
        n_samples, batch_size = (
            rng.integers(0, 50, rng.integers(1, 6)),
            rng.integers(1, 20),
        )
        n_samples[0] += 1
        of_epoch = np.array(list(shares(n_samples, batch_size)))
        total = int(n_samples.sum())
        assert (of_epoch.sum(axis=1)[:-1] == batch_size).all()
        assert len(of_epoch) == -(-total // batch_size)
        assert of_epoch.sum(axis=0).tolist() == n_samples.tolist()
        assert of_epoch.min() >= 0
        done = of_epoch.sum(axis=1).cumsum()[:, np.newaxis]
        expected = done * n_samples / total
        assert abs(of_epoch.cumsum(axis=0) - expected).max() < 1.5


def test_a_rank_has_a_buffer_in_memory(two):
    first, second = (of_rank["in_memory_at_once"] for of_rank in two)
    assert 8 < first <= 20
    assert second == 8  # of the sample; it has fewer sequences itself


def test_an_interrupt_of_one_rank_is_one_of_all(two):
    assert [of_rank["interrupted"].n_iter_ for of_rank in two] == [2, 2]
    _check_equal(two[0]["interrupted"], two[1]["interrupted"])


def test_ranks_continue_from_a_checkpoint(two):
    for of_rank in two:
        assert "MemoryError: no more" in of_rank["begins_with_checkpoint"]
        ours, n_epochs = of_rank["continues_from_checkpoint"]
        assert n_epochs == 2
        _check_equal(ours, of_rank["minibatches"])


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_on_one_rank_is_an_error_on_all(name, two):
    messages = ERRORS[name]
    for rank, message in enumerate([messages[0], messages[-1]]):
        assert two[rank][name].startswith(message)
