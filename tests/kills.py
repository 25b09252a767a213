"""Fits whose processes are killed at random moments, and what is left of them.

A process is forked, fits with a checkpoint, and is killed by SIGKILL. Then another one
continues, until the fit has ended; it must then be the fit of a process that was not
killed. In between, there must be no file that cannot be read, and none that has less
than the epochs of the last checkpoint that was due.
"""

import os
import signal
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
from quiet import Quiet

from skrnn import RNNClassifier
from skrnn._checkpoint_file import deserialize

X = ["cat", "chat", "katze", "kat", "gato", "gatto"] * 20
Y = ["English", "French", "German", "Dutch", "Spanish", "Italian"] * 20
PARAMS = {"nhidden": 24, "max_iter": 24, "random_state": 0, "early_stopping": True}
# A part of a file is left by those that were killed while they wrote it.
PROMISED = {"no file yet", "no file yet, but a part of it"}
PROMISED |= {"continues", "continues beside a part of a file"}
PROMISED |= {"ended as if never killed"}


class Reporter(Quiet):
    """A callback that writes the number of each epoch that has ended to a pipe."""

    def __init__(self, pipe):
        self._pipe = pipe

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            os.write(self._pipe, bytes([context.task_id + 1]))


def killed_fits(n, generator):
    """Processes killed during fits with checkpoints."""
    begin = time.perf_counter()
    whole = RNNClassifier(**PARAMS).fit(X, Y)
    longest = time.perf_counter() - begin
    outcomes = Counter()
    with tempfile.TemporaryDirectory() as folder:
        while n:
            interval = generator.choice([1, 3])
            classifier = RNNClassifier(
                **PARAMS, checkpoint=folder, checkpoint_interval=interval
            )
            what = ""
            while n and not what.startswith("ended"):
                delay = longest * generator.random()
                what = _outcome(*_killed_after(delay, classifier), classifier, whole)
                outcomes[what] += 1
                n -= not what.startswith("ended")
            for file in Path(folder).glob("*.safetensors"):
                file.unlink()
    return outcomes


def _killed_after(delay, classifier):
    """Fit in another process, which is killed after some seconds.

    Returns
    -------
    was_killed : bool
        Whether it had not ended by then.
    reported : int
        The last epoch of which it has said that it had ended.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            classifier.set_callbacks(Reporter(writing)).fit(X, Y)
            os._exit(0)
        os._exit(1)
    os.close(writing)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with open(reading, "rb") as pipe:
        reported = max(pipe.read(), default=0)
    return os.WIFSIGNALED(status), reported


def _outcome(was_killed, reported, classifier, whole):
    """What is left of a process."""
    folder = Path(classifier.checkpoint)
    files, parts = list(folder.glob("*.safetensors")), list(folder.glob(".*"))
    for part in parts:
        part.unlink()
    if not was_killed:
        last = classifier.set_callbacks().fit(X, Y)
        is_same = last.loss_curve_ == whole.loss_curve_ and all(
            np.array_equal(vars(last)[name], vars(whole)[name])
            for name in ("V_", "intercept_", "wide_coef_", "validation_scores_")
        )
        return "ended as if never killed" if is_same else "ended as another fit"
    if not files:
        if reported:
            return f"no file after {reported} epochs"
        return "no file yet, but a part of it" if parts else "no file yet"
    try:
        _, content = deserialize(files[0].read_bytes())
    except ValueError as error:
        return f"unreadable: {error}"
    n_done = len(content.get("progress", {"loss_curve": []})["loss_curve"])
    due = reported - reported % classifier.checkpoint_interval
    if n_done < due:
        return f"lost {due - n_done} epochs"
    return "continues beside a part of a file" if parts else "continues"
