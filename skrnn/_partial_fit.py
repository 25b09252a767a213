"""Learning chunk by chunk: what one call keeps for the next one."""

import numpy as np
import torch
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
)
from sklearn.utils.validation import column_or_1d

from skrnn._core.optimiser import Moments
from skrnn._core.sequences import as_plain
from skrnn._targets import learn_targets, targets_of, task_of

_ARE_NUMBERS = (
    " If they are numbers to predict, use RNNRegressor, and its encoder_: RNNEncoder "
    "takes whole numbers for labels."
)
_OF_VECTORS = ("vectors_mean", "vectors_square")


def check_parameters(estimator):
    """Refuse parameters that need all of the data.

    Raises
    ------
    ValueError
        If there are any.
    """
    if estimator.early_stopping:
        raise ValueError(
            "partial_fit does not support early_stopping=True: it has no epochs to "
            "stop after. Use early_stopping=False, and score sequences of your own."
        )
    if getattr(estimator, "class_weight", None) == "balanced":
        raise ValueError(
            "class_weight='balanced' is not supported by partial_fit, which does not "
            "know how often a class will be there. Use a dict, such as "
            "sklearn.utils.compute_class_weight makes of all labels."
        )


def check_same_kind(y, kind, classes):
    """Refuse to learn from y after learning without, and the other way round.

    Parameters
    ----------
    y : ndarray or None
    kind : str or None
        The ``task_`` of the last call; None if this is the first one.
    classes : array-like or None
    """
    if y is None and classes is not None:
        raise ValueError(
            "classes are those of y, but y is None. Pass y, or no classes."
        )
    if kind is None or (y is None) == (kind == "next_step"):
        return
    was, now = ("no y", "one") if y is not None else ("y", "none")
    raise ValueError(
        f"partial_fit goes on from the last call, which had {was}, but this one has "
        f"{now}. To learn from labels after learning without, use warm_start=True and "
        "fit."
    )


def learn_kind(estimator, y, classes, kind=None):
    """What y is, in terms of the first chunk.

    Sets ``classes_`` on the first call, if there are any.

    Parameters
    ----------
    estimator : estimator instance
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    classes : array-like of shape (n_classes,) or None
        All labels that may come; of several labels a sequence, their columns.
    kind : {"classification", "multilabel", "regression"}, default=None
        What y was in the first chunk. None if this is the first one.

    Returns
    -------
    kind : str

    Raises
    ------
    ValueError
        If there are no classes on the first call, or others later, or y holds one that
        is not among them.
    """
    if kind is None:
        kind = "classification" if y.ndim == 1 and classes is not None else task_of(y)
    if kind == "regression":
        return kind
    if kind == "multilabel" and classes is None:
        classes = getattr(
            estimator, "classes_", np.arange(y.reshape(len(y), -1).shape[1])
        )
    _check_partial_fit_first_call(estimator, classes)
    if kind == "classification":
        y = column_or_1d(y)
        check_classification_targets(y)
    _check_known(estimator, y, kind)
    return kind


def targets_of_chunk(estimator, y, kind, sample_weight):
    """What is to be predicted, in terms of the first chunk.

    Sets ``target_mean_`` and ``target_scale_`` on the first call.

    Parameters
    ----------
    estimator : estimator instance
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    kind : {"classification", "multilabel", "regression"}
    sample_weight : ndarray of shape (n_samples,)

    Returns
    -------
    targets : Targets

    Raises
    ------
    ValueError
        If y has other columns than in the first chunk, or cannot be standardised.
    """
    if kind != "regression":
        y = column_or_1d(y) if kind == "classification" else y
        return targets_of(estimator, y, kind, sample_weight)
    if not hasattr(estimator, "target_mean_"):
        learn_targets(estimator, y, kind, sample_weight)
    _check_n_columns(y, len(estimator.target_mean_))
    # What has been constant so far may not be so in this chunk or a later one.
    scale = estimator.target_scale_
    estimator.target_scale_ = np.where(scale == 0, 1.0, scale)
    return targets_of(estimator, y, kind, sample_weight)


def _check_known(estimator, y, kind):
    if kind == "multilabel":
        _check_n_columns(y, len(estimator.classes_))
        bad = ~np.isin(y, (0, 1))
        if bad.any():
            i = int(bad.any(axis=1).argmax())
            raise ValueError(
                f"y[{i}] is {y[i]}: a 0 or 1 for each of {len(estimator.classes_)} "
                "labels was expected, as on the first call to partial_fit."
            )
        return
    unknown = ~np.isin(y, estimator.classes_)
    if unknown.any():
        i = int(unknown.argmax())
        raise ValueError(
            f"y[{i}] is {as_plain(y[i])!r}, which is not one of the classes of the "
            "first call to partial_fit. Pass all classes there."
            + (_ARE_NUMBERS if y.dtype.kind == "f" else "")
        )


def _check_n_columns(y, n_columns):
    if y.reshape(len(y), -1).shape[1] != n_columns:
        raise ValueError(
            f"y is of shape {y.shape}: {n_columns} columns were expected, as on the "
            "first call to partial_fit."
        )


def save_state(estimator, generator, moments, ids):
    """Keep what the next call goes on from.

    Parameters
    ----------
    estimator : estimator instance
        Its ``_training`` is set: arrays and a number, which any file format can hold.
    generator : torch.Generator
    moments : Moments
    ids : ndarray of int or None
        The tokens whose vectors were trained.
    """
    state = {
        "generator": generator.get_state().numpy(),
        "mean": moments.mean.numpy(),
        "square": moments.square.numpy(),
        "n_steps": moments.n_steps,
    }
    before = getattr(estimator, "_training", None) or {}
    if moments.vectors:
        for name, part in zip(_OF_VECTORS, moments.vectors, strict=True):
            if name in before:
                state[name] = before[name].copy()
            else:
                state[name] = np.zeros_like(estimator.embeddings_)
            state[name][ids] = part.numpy()
    estimator._training = state


def load_state(estimator, generator, ids):
    """The moments to go on from; sets the state of the generator.

    Returns
    -------
    moments : Moments or None
        None if the last call was one of `fit`.
    """
    state = getattr(estimator, "_training", None)
    if state is None:
        return None
    generator.set_state(torch.tensor(state["generator"]))
    vectors = ()
    if "vectors_mean" in state:
        vectors = tuple(
            torch.tensor(state[name][ids])
            for name in ("vectors_mean", "vectors_square")
        )
    mean, square = (torch.tensor(state[name]) for name in ("mean", "square"))
    return Moments(mean, square, state["n_steps"], vectors)
