"""Files of checkpoints: damaged, not written, written by several, and killed."""

import multiprocessing
import os
import pickle
import random
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import kills
import numpy as np
import pytest
from interrupting import (
    EARLY,
    LABELS,
    PARAMS,
    WORDS,
    InterruptAfter,
    assert_same,
    assert_same_fit,
    copy_of,
    interrupted,
)
from sklearn.utils._param_validation import InvalidParameterError

from skrnn import (
    RNNClassifier,
    _files,
)
from skrnn._checkpoint_file import deserialize, serialize
from skrnn.export import from_state_dict, to_state_dict


@pytest.fixture
def half(tmp_path):
    """A fit that was interrupted, and its file."""
    estimator = RNNClassifier(**PARAMS, **EARLY, checkpoint=tmp_path / "folder" / "in")
    interrupted(estimator, WORDS, LABELS, 3)
    (file,) = (tmp_path / "folder" / "in").iterdir()
    return copy_of(estimator), file


def refused(half, why):
    """Check that a file is refused with a sentence, and that the cure helps."""
    estimator, file = half
    sentence = (
        f"^The checkpoint {re.escape(str(file))} cannot be continued from: {why}.*"
        r"\. Delete it to start this fit anew\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        estimator.fit(WORDS, LABELS)
    file.unlink()
    estimator.fit(WORDS, LABELS)


DAMAGED = {
    "empty": lambda content: b"",
    "short": lambda content: content[:4],
    "without its end": lambda content: content[:-1],
    "without its header": lambda content: content[:100],
    "longer": lambda content: content + b"\0",
    "a huge header": lambda content: b"\xff" * 8 + content[8:],
    "a pickle": lambda content: pickle.dumps(content),
    "deep": lambda content: (200_000).to_bytes(8, "little") + b"[" * 200_000,
    "another number": lambda content: content.replace(b'"seed\\": ', b'"seed\\": 1', 1),
    "another place": lambda content: content.replace(b"data_offsets", b"data_offsetz"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused(damage, half):
    file, before = half[1], half[1].read_bytes()
    file.write_bytes(DAMAGED[damage](before))
    assert file.read_bytes() != before
    refused(half, "it is damaged, or no checkpoint")


def test_no_byte_of_a_file_can_change_without_notice(half):
    content = half[1].read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.choice(len(content), 300, replace=False):
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.integers(8))
        if changed[place : place + 1].isspace() and content[place] == ord(" "):
            continue  # white space for white space
        with pytest.raises(ValueError, match="damaged"):
            deserialize(bytes(changed))


def changed(half, change):
    """Change a file, so that it is well-formed."""
    arrays, content = deserialize(half[1].read_bytes())
    arrays = dict(arrays)
    change(arrays, content)
    half[1].write_bytes(serialize(arrays, content))


@pytest.mark.parametrize("version", ["0.0.1", None, ["a"] * 99])
def test_a_file_of_another_version_is_refused(version, half):
    changed(half, lambda arrays, content: content.update(version=version))
    refused(half, f"it was written by skrnn {re.escape(str(version)[:20])}, and this")


def test_the_file_of_another_fit_is_refused(half):
    changed(half, lambda arrays, content: content.update(key="0" * 32))
    refused(half, "it is that of another fit")


@pytest.mark.parametrize("name", ["trained.0", "best.0", "moments.0", "trained.1"])
@pytest.mark.parametrize("change", [lambda a: a[:1], lambda a: a[:-1], np.float64])
def test_weights_of_other_shapes_are_refused(name, change, half):
    changed(half, lambda arrays, _: arrays.update({name: change(arrays[name])}))
    what = "moments" if name.startswith("moments") else "weights"
    refused(half, f"Training was to continue from {what} of shape")


@pytest.mark.parametrize(
    "name, value",
    [
        ("seed", -1),
        ("seed", 0.5),
        ("n_steps", "1"),
        ("n_minibatches", None),
        ("n_sequences", True),
        ("progress", None),
        ("progress", {}),
        ("progress.clock", [6, 0, 0.0]),
        ("progress.clock", [6, 0, 0.0, 1]),
        ("progress.clock", [2, 0, 0.0, False]),
        ("progress.loss_curve", [1.0, "x", 1.0]),
        ("progress.validation_scores", [1.0]),
        ("progress.has_ended", 0),
        ("ended_by", "x"),
        ("ended_by", [1]),
        ("progress._best", [1.0, None]),
        ("progress.started", 1.0),
    ],
)
def test_numbers_that_no_fit_has_are_refused(name, value, half):
    def change(arrays, content):
        *parents, last = name.split(".")
        for parent in parents:
            content = content[parent]
        content[last] = value

    changed(half, change)
    refused(half, "")


def without(name):
    def change(arrays, content):
        del (arrays if name in arrays else content)[name]

    return change


@pytest.mark.parametrize("name", ["generator", "trained.0", "moments.1", "seed", "key"])
def test_what_is_missing_is_refused(name, half):
    changed(half, without(name))
    refused(half, "")


def test_a_generator_in_no_state_is_refused(half):
    zeros = np.zeros(5056, dtype=np.uint8)
    changed(half, lambda arrays, _: arrays.update(generator=zeros[:9]))
    refused(half, "")


def test_other_libraries_read_the_file(half):
    safetensors = pytest.importorskip("safetensors.numpy")
    arrays, _ = deserialize(half[1].read_bytes())
    theirs = safetensors.load(half[1].read_bytes())
    assert_same(dict(sorted(theirs.items())), dict(sorted(arrays.items())))
    # The other way round there is no checksum.
    with pytest.raises(ValueError, match="damaged, or no checkpoint"):
        deserialize(safetensors.save(theirs))


@pytest.mark.parametrize("name", ["", "a\0b", "a\ud800"])
def test_what_is_no_name_of_a_folder_raises(name):
    sentence = f"checkpoint is {name!r}: the name of a folder was expected. Use '.' fo"
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
        RNNClassifier(**PARAMS, checkpoint=name).fit(WORDS, LABELS)


def test_links_to_nothing_and_files_are_no_folders(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for name in ("file", "link"):
        estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path / name)
        with pytest.raises(NotADirectoryError, match=r"written: it is not a folder."):
            estimator.fit(WORDS, LABELS)


@pytest.mark.parametrize("below", ["", "folder"])
def test_a_folder_that_cannot_be_made_is_an_error_before_the_fit(below, tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / below
    callback = InterruptAfter()
    estimator = RNNClassifier(**PARAMS, checkpoint=folder).set_callbacks(callback)
    sentence = (
        rf"checkpoint is '{re.escape(str(folder))}', where no file can be written: "
        r"\w.*\. Use a folder with space in which you may write, or checkpoint=None\.$"
    )
    with pytest.raises(OSError, match=sentence):
        estimator.fit(WORDS, LABELS)
    assert callback.seen == []
    assert not hasattr(estimator, "W_")


class FullDisk:
    """Lets no file be written from some writing on, for a number of times."""

    def __init__(self, monkeypatch, first, n_times=99):
        self.left_before, self.n_times = first, n_times
        self._fsync = os.fsync
        monkeypatch.setattr(_files.os, "fsync", self)

    def __call__(self, file):
        self.left_before -= 1
        if self.left_before < 0 and self.n_times > 0:
            self.n_times -= 1
            raise OSError(28, "No space left on device")
        self._fsync(file)


def test_a_full_disk_is_an_error_before_the_fit(tmp_path, monkeypatch):
    FullDisk(monkeypatch, first=0)
    callback = InterruptAfter()
    estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path).set_callbacks(callback)
    with pytest.raises(OSError, match=r"can be written: No space left on device\."):
        estimator.fit(WORDS, LABELS)
    assert callback.seen == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n_times", [1, 99])
def test_a_disk_that_becomes_full_does_not_end_the_fit(n_times, tmp_path, monkeypatch):
    whole = RNNClassifier(**PARAMS).fit(WORDS, LABELS)
    FullDisk(monkeypatch, 3, n_times)
    sentence = r"could not be written: No space left on device\. The fit goes on"
    with pytest.warns(UserWarning, match=sentence) as said:
        ours = RNNClassifier(**PARAMS, checkpoint=tmp_path).fit(WORDS, LABELS)
    assert len(said) == 1
    assert_same_fit(ours, whole)
    (file,) = tmp_path.iterdir()
    n_done = len(deserialize(file.read_bytes())[1]["progress"]["loss_curve"])
    assert n_done == (6 if n_times == 1 else 2)


def test_partial_fit_does_not_take_a_checkpoint(tmp_path):
    estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"^partial_fit does not support a checkpoint"):
        estimator.partial_fit(WORDS, LABELS)
    estimator.set_params(checkpoint=None).partial_fit(WORDS, LABELS, ["a", "b"])


@pytest.mark.parametrize("value", [3, b"folder", ["folder"]])
def test_a_folder_is_a_path(value):
    with pytest.raises(
        InvalidParameterError, match="The 'checkpoint' parameter of RNN"
    ):
        RNNClassifier(checkpoint=value).fit(WORDS, LABELS)


def fit_once(folder):
    return RNNClassifier(**PARAMS, checkpoint=folder).fit(WORDS, LABELS).V_


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_several_processes_may_do_the_same_fit(tmp_path):
    whole = RNNClassifier(**PARAMS).fit(WORDS, LABELS)
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(4, mp_context=context) as executor:
        for V in executor.map(fit_once, [tmp_path] * 12):
            np.testing.assert_array_equal(V, whole.V_)
    (file,) = tmp_path.iterdir()
    assert deserialize(file.read_bytes())[1]["progress"]["has_ended"]


def test_another_process_finds_the_file(half):
    """Names do not depend on the order of sets, or on addresses."""
    folder = half[1].parents[1]
    script = (
        "import sys; sys.path[:0] = sys.argv[1:2]\n"
        "from test_checkpoint import *\n"
        "for case in sys.argv[3:]:\n"
        "    estimator, X, y = CASES[case]\n"
        "    interrupted(copy_of(estimator, checkpoint=sys.argv[2]), X, y, 1)\n"
    )
    cases = ["features", "sequences", "next numbers", "series from vectors"]
    names = []
    for seed in "01":
        command = [sys.executable, "-c", script, str(Path(__file__).parent)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        of = [*command, str(folder / seed), *cases]
        subprocess.run(of, env=environment, check=True)
        names.append(sorted(file.name for file in (folder / seed).iterdir()))
    assert names[0] == names[1] and len(names[0]) == len(cases)


def test_a_fitted_estimator_with_a_path_is_saved(tmp_path):
    estimator = RNNClassifier(**PARAMS, checkpoint=tmp_path).fit(WORDS, LABELS)
    other = from_state_dict(to_state_dict(estimator))
    assert other.checkpoint == str(tmp_path)
    assert_same_fit(other, estimator)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are forked")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_that_are_killed_lose_nothing_that_was_written():
    outcomes = kills.killed_fits(8, random.Random(0))
    assert set(outcomes) <= kills.PROMISED
    assert sum(n for what, n in outcomes.items() if "continues" in what) > 0
