"""What a fit must keep of y."""

from dataclasses import replace

import numpy as np

from skrnn._attributes.sizes import n_inputs_of, task_of
from skrnn._attributes.vocabulary import are_single, is_vocabulary
from skrnn._core.density import n_scores
from skrnn._expected import FLAG, NOTHING, Is, Numbers, integer, one_of
from skrnn._messages import is_missing
from skrnn._reading.schema import are_targets


def of_kind_of_y(tasks_of_y, says_of_y):
    """What an estimator keeps of y in addition to its head."""
    flags = "_is_multilabel", "_is_one_output"
    if says_of_y == "task_":
        # The encoder of a classifier or regressor also has the flag of that.
        flag = replace(FLAG, is_optional=True)
        return {**dict.fromkeys(flags, flag), "task_": one_of(tasks_of_y)}
    of_y = {says_of_y: FLAG} if says_of_y else {}
    if says_of_y == "max_length_":  # series tell whether they are one-dimensional
        of_y = {says_of_y: integer(1), flags[1]: replace(FLAG, is_optional=True)}
        of_y["n_steps_"] = replace(integer(1), is_optional=True)
    return {**dict.fromkeys(("task_", *flags, "n_steps_"), NOTHING), **of_y}


def of_y(attributes):
    """What the head keeps."""
    task = task_of(attributes)
    is_multilabel, is_regression = task == "multilabel", task == "regression"
    flags = {
        "_is_multilabel": Is(
            lambda value: value == is_multilabel, f"{is_multilabel}", is_optional=True
        ),
        "_is_one_output": Is(
            lambda value: is_regression or not value, "False", is_optional=True
        ),
    }
    if task == "next_step":
        if attributes["kind_"] == "series" and are_targets(attributes):
            del flags["_is_one_output"]
        return {**flags, **_of_next_step(attributes)}
    if task == "transduction":
        return {**flags, **_of_transduction(attributes)}
    if not is_regression:
        classes = Is(_are_classes, "an array of distinct labels, sorted")
        return {**flags, "classes_": classes}
    mean = attributes.get("target_mean_")
    n = len(mean) if isinstance(mean, np.ndarray) and mean.ndim else None
    n = 1 if attributes.get("_is_one_output") else n
    expected = Numbers((n or None,), np.dtype("f8"))
    scale = replace(expected, least=0)
    return {**flags, "target_mean_": expected, "target_scale_": scale}


def _of_next_step(attributes):
    """The outputs of a network that predicts what it reads next."""
    if attributes["kind_"] == "series" and are_targets(attributes):
        least = most = n_scores(len(attributes["target_mean_"]))
    elif attributes["kind_"] == "series":
        least = most = n_inputs_of(attributes)
    else:  # tokens that were never a next step need no output
        least, most = 1, 1 + len(attributes["vocabulary_"])

    def holds(V):
        is_matrix = isinstance(V, np.ndarray) and V.ndim == 2
        return is_matrix and least <= len(V) <= most

    rows = f"{most}" if least == most else f"{least} to {most}"
    return {"V_": Is(holds, f"a matrix of {rows} rows")}


def _of_transduction(attributes):
    """The outputs of a network that writes sequences."""
    kind = attributes.get("output_kind_")
    n_frames = attributes["_architecture"].get("n_frames", 0)
    of_ctc = {"n_frames_per_step_": integer(n_frames, n_frames)} if n_frames else {}
    return {
        **of_ctc,
        "output_kind_": one_of(("text", "tokens")),
        "output_vocabulary_": Is(
            lambda known: is_vocabulary(known, kind) and are_single(known, kind),
            "a dict of tokens, numbered from 1",
        ),
        "longest_output_": integer(0),
    }


def _are_classes(classes):
    """Whether these are labels as np.unique returns them."""
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or len(classes) == 0:
        return False
    if classes.dtype.kind == "O":
        if any(is_missing(x) or isinstance(x, (list, dict)) for x in classes.tolist()):
            return False
    if classes.dtype.kind not in "biufUTOmM":
        return False
    if classes.dtype.kind == "f" and not np.isfinite(classes).all():
        return False
    try:
        return bool((classes[:-1] < classes[1:]).all())
    except (TypeError, ValueError):  # labels that cannot be compared
        return False
