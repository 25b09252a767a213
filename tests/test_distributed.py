"""Several processes: fits by torchrun, and dask's workers."""

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ranks import BY_TORCH, FITS, LABELS, SIZES, STRINGS, fit, fit_chunks, fit_validated

from skrnn import RNNClassifier
from skrnn.distributed import data_parallel

SCRIPT = Path(__file__).parent / "ranks.py"
BEHAVIOUR = ["seeds_differ", "weights_of_epochs", "first_stops", "second_stops"]
BEHAVIOUR += ["ignores_interrupts", "interrupted_after_the_last_meeting"]
BEHAVIOUR += ["interrupted", "verbose", "fits_of_others", "by_torch"]
BEHAVIOUR += ["begins_with_checkpoint", "continues_from_checkpoint"]
# What is raised on rank 0, and on rank 1.
SAME = None
ERRORS = {
    "fails_before": (
        "RuntimeError: Rank 1 of 2 has failed, so all ranks end here. Its error was "
        "OSError: no file of this name",
        "OSError: no file of this name",
    ),
    "fails_reading": (
        "RuntimeError: Rank 1 of 2 has failed, so all ranks end here. Its error was "
        "TypeError: X[0] is None",
        "TypeError: X[0] is None",
    ),
    "fails_in_an_epoch": (
        "RuntimeError: Rank 1 of 2 has failed, so all ranks end here. Its error was "
        "MemoryError: no more",
        "MemoryError: no more",
    ),
    "fails_after": (
        "TypeError: X[0] is an int",
        "RuntimeError: Rank 0 of 2 has failed, so all ranks end here. Its error was "
        "TypeError: X[0] is an int",
    ),
    "has_no_data": (
        "RuntimeError: Rank 1 of 2 has failed, so all ranks end here. Its error was "
        "ValueError: X is empty: at least one sequence is needed.",
        "ValueError: X is empty: at least one sequence is needed.",
    ),
    "has_fewer_chunks": (
        "RuntimeError: Rank 1 of 2 has left data_parallel(), while rank 0 still fits. "
        "All ranks must call fit and partial_fit equally often: give them equally many "
        "chunks.",
        SAME,
    ),
    "other_parameters": (
        "ValueError: nhidden is 6 on rank 0, but 7 on rank 1. All ranks must train the "
        "same estimator in the same order; only random_state, verbose, checkpoint and "
        "checkpoint_interval may differ, of which those of rank 0 count.",
        SAME,
    ),
    "other_checkpoint": (
        "ValueError: checkpoint is 'files' on rank 1, but None on rank 0, which alone "
        "reads and writes it. Set it on rank 0.",
        SAME,
    ),
    "other_estimator": (
        "ValueError: The estimator is 'RNNClassifier' on rank 0, but 'RNNTagger' on "
        "rank 1.",
        SAME,
    ),
    "other_labels": (
        "ValueError: y holds strings on rank 0, but numbers on rank 1. Pass labels of "
        "one type on all ranks.",
        SAME,
    ),
    "other_kind": (
        "ValueError: X holds strings, read as text, on rank 0, but token lists, read "
        "as tokens, on rank 1. Pass the same kind on all ranks.",
        SAME,
    ),
    "other_width": (
        "ValueError: The number of features of X is 1 on rank 0, but 2 on rank 1. Pass "
        "sequences with the same features on all ranks.",
        SAME,
    ),
    "other_last_fit": (
        "ValueError: Ranks 0 and 1 are to continue from different fits. Fit on all "
        "ranks before, or load the same file on all of them.",
        SAME,
    ),
    "other_intercept": (
        "ValueError: Ranks 0 and 1 are to continue from different fits. Fit on all "
        "ranks before, or load the same file on all of them.",
        SAME,
    ),
    "inside_another": (
        "RuntimeError: data_parallel() was entered inside data_parallel(). Enter it "
        "once.",
        SAME,
    ),
    "goes_on_after_an_error": (
        "RuntimeError: The ranks have parted after an error. Leave data_parallel() "
        "before the next fit.",
        "RuntimeError: Rank 1 of 2 is about to gather, but another rank is not. Errors "
        "must not be caught inside data_parallel(), but may be around it.",
    ),
    "interrupted_twice": (
        "RuntimeError: Rank 1 of 2 has failed, so all ranks end here. Its error was "
        "KeyboardInterrupt",
        "KeyboardInterrupt: ",
    ),
    "waits_in_vain": (
        "RuntimeError: Rank 0 of 2 got no answer",
        "RuntimeError: Rank 1",
    ),
}


def _run(folder, n_ranks, names, script=SCRIPT):
    """What each rank has returned or raised, and what all have printed."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={n_ranks}", script, folder, *names]
    options = {"capture_output": True, "text": True, "timeout": 600}
    done = subprocess.run(command, env=_environment(), **options)
    assert done.returncode == 0, done.stderr
    paths = [folder / f"{rank}.pickle" for rank in range(n_ranks)]
    return [pickle.loads(path.read_bytes()) for path in paths], done.stdout


def _environment():
    """That of ranks, whose coverage is measured if that of this process is."""
    coverage = sys.modules.get("coverage")
    if coverage is None or coverage.Coverage.current() is None:
        return os.environ
    settings = SCRIPT.parent.parent / "setup.cfg"
    return {**os.environ, "COVERAGE_PROCESS_START": str(settings)}


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    names = [*FITS, "fit_chunks", "fit_validated", *BEHAVIOUR, *ERRORS]
    return _run(tmp_path_factory.mktemp("two"), 2, names)


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    return _run(tmp_path_factory.mktemp("three"), 3, ["strings", "windows"])[0]


def _fitted(estimator):
    """Fitted attributes: arrays and numbers, and whatever else there is."""
    numbers, others = {}, {}
    for name, value in vars(estimator).items():
        if name == "_training":
            numbers |= value
        elif name.endswith("_curve_") or name in ("validation_scores_", "loss_"):
            numbers[name] = value
        elif name.endswith("_") and isinstance(value, list):
            numbers |= {f"{name}[{i}]": part for i, part in enumerate(value)}
        elif isinstance(value, float) or getattr(value, "dtype", None) == np.float32:
            numbers[name] = value
        elif name.endswith("_") and name != "encoder_":
            others[name] = repr(value)
    return numbers, others


def _check_is_that_of_one_process(ours, theirs, tol=1e-5):
    (numbers, others), (expected, same) = _fitted(ours), _fitted(theirs)
    assert numbers.keys() == expected.keys()
    assert {"W_[0]", "V_", "loss_curve_"} <= numbers.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(numbers[name], value, 1e-3, tol, err_msg=name)
    assert others == same


@pytest.mark.parametrize("name", FITS)
def test_a_fit_is_that_of_one_process_with_all_data(name, two):
    theirs = fit(name)
    for rank in (0, 1):
        _check_is_that_of_one_process(two[0][rank][name], theirs)


@pytest.mark.parametrize("name", ["strings", "windows"])
def test_a_fit_of_three_ranks(name, three):
    theirs = fit(name)
    for rank in range(3):
        _check_is_that_of_one_process(three[rank][name], theirs)


@pytest.mark.parametrize("i", range(len(BY_TORCH)))
def test_a_fit_by_the_operations_of_torch(i, two):
    first, second = (of_rank["by_torch"][i] for of_rank in two[0])
    _check_is_that_of_one_process(first, fit(BY_TORCH[i]), tol=1e-4)
    assert np.array_equal(first.V_, second.V_)


def test_chunks_and_validation_data_are_shared(two):
    for rank in (0, 1):
        for function in (fit_chunks, fit_validated):
            ours = two[0][rank][function.__name__]
            _check_is_that_of_one_process(ours, function())


def test_fits_are_not_trivial():
    """What is held against each other depends on all of the data, and has learned."""
    some = STRINGS[:27], LABELS[:27]
    part = RNNClassifier(**SIZES, early_stopping=True).fit(*some)
    assert abs(part.W_[0] - fit("strings").W_[0]).max() > 0.01


@pytest.mark.parametrize("name", [*FITS, "seeds_differ", "interrupted"])
def test_all_ranks_have_the_same_weights(name, two):
    first, second = (of_rank[name] for of_rank in two[0])
    first, second = (e[0] if isinstance(e, tuple) else e for e in (first, second))
    (ours, _), (theirs, _) = _fitted(first), _fitted(second)
    for key, value in ours.items():
        assert np.array_equal(value, theirs[key]), key


def test_ranks_do_not_drift_apart_before_they_share_the_last_weights(two):
    first, second = (of_rank["weights_of_epochs"] for of_rank in two[0])
    assert len(first) == 3
    assert all(map(np.array_equal, first, second))
    assert not np.array_equal(first[0], first[1])


def test_rank_0_draws_the_random_numbers(two):
    theirs = RNNClassifier(**SIZES).fit(STRINGS, LABELS)
    for rank in (0, 1):
        _check_is_that_of_one_process(two[0][rank]["seeds_differ"], theirs)


def test_callbacks_of_rank_0_stop_a_fit(two):
    assert [of_rank["first_stops"] for of_rank in two[0]] == [2, 2]
    assert [of_rank["second_stops"] for of_rank in two[0]] == [3, 3]


def test_an_interrupt_of_one_rank_is_one_of_all(two):
    for of_rank in two[0]:
        classifier, messages = of_rank["interrupted"]
        assert len(classifier.loss_curve_) == classifier.n_iter_ == 2
        (message,) = messages
        assert message.startswith("Training was interrupted after 2 of 50 epochs.")


def test_an_interrupt_that_a_process_ignores_is_ignored(two):
    for of_rank in two[0]:
        classifier, _ = of_rank["ignores_interrupts"]
        assert classifier.n_iter_ == 3


def test_an_interrupt_after_the_last_meeting_is_not_lost(two):
    outcomes = [r["interrupted_after_the_last_meeting"] for r in two[0]]
    assert outcomes == ["interrupted", "interrupted"]


def test_ranks_continue_from_a_checkpoint(two):
    for of_rank in two[0]:
        assert "MemoryError: no more" in of_rank["begins_with_checkpoint"]
        ours, n_epochs, n_files = of_rank["continues_from_checkpoint"]
        (numbers, others), (expected, same) = map(_fitted, (ours, of_rank["strings"]))
        assert (n_epochs, n_files) == (1, 1)
        assert others == same and numbers.keys() == expected.keys()
        for name, value in expected.items():
            assert np.array_equal(numbers[name], value), name


def test_threads_and_forked_processes_fit_alone(two):
    for ours in two[0][0]["fits_of_others"]:
        _check_is_that_of_one_process(ours, fit("strings"))


def test_rank_0_prints(two):
    assert len(re.findall(r"Epoch 3/3", two[1])) == 1


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_on_one_rank_is_an_error_on_all(name, two):
    expected = ERRORS[name]
    for rank, message in enumerate(expected):
        assert two[0][rank][name].startswith(message or expected[0])


def test_a_rank_that_dies_is_an_error_on_the_others(tmp_path):
    # Without torchrun, which would end the other rank.
    command = [sys.executable, SCRIPT, tmp_path, "is_killed"]
    environments = [
        {**os.environ, "WORLD_SIZE": "2", "RANK": str(rank)} for rank in (0, 1)
    ]
    ranks = [subprocess.Popen(command, env=each) for each in environments]
    try:
        assert [rank.wait(timeout=120) for rank in ranks] == [0, -9]
    finally:
        for rank in ranks:
            rank.kill()
    error = pickle.loads((tmp_path / "0.pickle").read_bytes())["is_killed"]
    expected = "RuntimeError: Rank 0 of 2 got no answer: another rank has died, or"
    assert error.startswith(expected)


def test_one_process_is_alone():
    with data_parallel() as ranks:
        assert (ranks.rank, ranks.world_size) == (0, 1)
        assert repr(ranks) == "<rank 0 of 1>"
        assert ranks.own(STRINGS) == STRINGS
        ours = RNNClassifier(**SIZES).fit(STRINGS, LABELS)
    theirs = RNNClassifier(**SIZES).fit(STRINGS, LABELS)
    assert np.array_equal(ours.V_, theirs.V_)


def test_the_timeout_is_validated():
    expected = "The 'timeout' parameter of data_parallel must be a float in the range"
    with pytest.raises(ValueError, match=expected):
        with data_parallel(timeout=0):
            pass


def test_the_example():
    script = SCRIPT.parents[1] / "examples" / "data_parallel.py"
    by_two = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    outputs = [
        subprocess.run(
            [sys.executable, *options, script],
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        ).stdout
        for options in ([], by_two)
    ]
    for n_ranks, output in zip((1, 2), outputs, strict=True):
        assert output.startswith(f"{n_ranks} processes, {6000 // n_ranks} words each")
        assert float(re.search(r"Accuracy on other words: (\S+)%", output)[1]) > 99
