"""One fit: from validated sequences and targets to fitted attributes."""

import math
from copy import copy
from dataclasses import asdict, dataclass, replace
from numbers import Integral

import numpy as np
import torch
from sklearn.utils import check_random_state

from skrnn import _evaluation, _inputs, _partial_fit, _warm_start
from skrnn._convergence import check_converged
from skrnn._core import network, training
from skrnn._core.sequences import Sequences
from skrnn._core.threads import torch_settings
from skrnn._next_steps import check_can_predict_next, next_steps
from skrnn._targets import Objective


@dataclass(frozen=True, slots=True)
class _Data:
    """Sequences with what is known of them.

    Attributes
    ----------
    sequences : Sequences
    target : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
    sample_weight : ndarray of shape (n_samples,)
        Of mean 1.
    indices : ndarray of shape (n_samples,)
        Where they stand in X.
    """

    sequences: Sequences
    target: np.ndarray | None
    sample_weight: np.ndarray
    indices: np.ndarray

    def __len__(self):
        return len(self.indices)

    def take(self, rows):
        """Some of them."""
        sequences = self.sequences
        if len(rows) < len(self):
            sequences = sequences.take(rows)
        weight = self.sample_weight[rows]
        weight = weight / weight.max()  # a sum of weights could overflow
        target = None if self.target is None else self.target[rows]
        return _Data(sequences, target, weight / weight.mean(), self.indices[rows])


def fit_network(
    estimator, sequences, targets, sample_weight, task, last=None, is_partial=False
):
    """Learn how to read the sequences, then the weights.

    Sets all fitted attributes but those of reading X and y.

    Parameters
    ----------
    estimator : estimator instance
    sequences : Sequences
    targets : Targets or None
        None to learn to predict the next step of each.
    sample_weight : ndarray of shape (n_samples,)
    task : FitTask
        Hears how it goes.
    last : dict, default=None
        What the fit before has set, to go on from it.
    is_partial : bool, default=False
        Whether there is to be one epoch only, that goes on from the one before.
    """
    architecture = new_architecture(estimator)
    check_parameters(estimator)
    plan_of = _plan_of_a_chunk if is_partial else make_plan
    if targets is None:
        check_can_predict_next(estimator)
    generator = _new_generator(estimator.random_state)

    indices = np.arange(len(sequences))
    values = None if targets is None else targets.values
    data = _Data(sequences, values, sample_weight, indices)
    data = data.take(np.flatnonzero(sample_weight))  # 0 is as good as removal
    held_out, loss = None, None if targets is None else targets.loss
    if estimator.early_stopping:
        fraction = estimator.validation_fraction
        data, held_out = _hold_out(data, fraction, loss, generator)

    of = data.sequences, data.sample_weight, data.indices
    if last is None:
        has_labels = loss != "squared_error"
        inputs = _inputs.learn_inputs(estimator, *of, generator, has_labels)
    else:
        inputs = _inputs.resume_inputs(estimator, *of, is_partial)
    estimator._architecture = asdict(architecture)
    objective = _objective(estimator, data, inputs, targets, last, is_partial)
    weights = _initial_weights(architecture, inputs, objective, generator)
    if last is not None:
        _warm_start.load_weights(weights, estimator, last)
    validation = None
    if held_out is not None:
        validation = _evaluation.HeldOut.of(estimator, held_out, objective)
    moments = None
    if is_partial:
        moments = _partial_fit.load_state(estimator, generator, inputs.ids)
    plan = plan_of(estimator, len(data))
    of = data, inputs, objective, validation
    before = last["loss_curve_"] if is_partial and last is not None else []
    progress, moments = _train(
        estimator, weights, *of, plan, generator, task, moments, before
    )
    n_steps = inputs.offsets[-1] / len(data)
    check_converged(estimator, progress, objective, validation, n_steps, is_partial)
    _publish(estimator, weights, inputs)
    _record(estimator, progress, before)
    if is_partial:
        _partial_fit.save_state(estimator, generator, moments(), inputs.ids)
    estimator._complete()
    task.end()


def _objective(estimator, data, inputs, targets, last, is_partial):
    """What the training part is to teach."""
    if targets is not None:
        of = data.target, data.sample_weight
        return Objective(*of, targets.loss, targets.bias)
    values = inputs.values if inputs.ids is None else inputs.ids[inputs.values]
    n_outputs = None
    if last is not None and last.get("task_") == estimator.task_:
        n_outputs = len(last["V_"])
    elif is_partial and inputs.hiding is not None:  # later chunks may have any token
        n_outputs = 1 + _inputs.last_token_id(estimator)
    encoded = _inputs.Encoded(values, inputs.offsets)
    return next_steps(estimator, encoded, data.sample_weight, n_outputs)


def _initial_weights(architecture, inputs, objective, generator):
    """Random weights."""
    if objective.at_each_step:
        architecture = replace(architecture, pooling="none")
    with torch_settings():
        weights = network.zeros(architecture, inputs.n_inputs, len(objective.bias))
        network.initialise(weights, inputs.are_tokens, generator, inputs.scale)
        weights.c.copy_(torch.from_numpy(objective.bias))
    return weights


def _hold_out(data, fraction, loss, generator):
    """Cut off what early stopping is judged by.

    The same share of each class; but the only sequence of a class is learned from.

    Returns
    -------
    training, held_out : _Data
    """
    # Imported late, as it imports half of scikit-learn.
    from sklearn.model_selection import train_test_split

    labels = data.target if loss == "cross_entropy" else np.zeros(len(data))
    _, labels, counts = np.unique(labels, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(counts[labels] > 1)
    n_held_out = math.ceil(fraction * len(data))
    # One of each class that is split; of numbers two, or R^2 would not be defined.
    least = 2 if loss == "squared_error" else int((counts > 1).sum())
    if least == 0 or min(n_held_out, len(rows) - n_held_out) < least:
        of_classes = f" of {len(counts)} classes" if loss == "cross_entropy" else ""
        raise ValueError(
            f"early_stopping=True would hold out {n_held_out} of {len(data)} "
            f"sequences{of_classes}, which is too few or leaves too few. Use more "
            "sequences, another validation_fraction or early_stopping=False."
        )
    _, held_out = train_test_split(
        rows,
        test_size=n_held_out,
        stratify=labels[rows],
        random_state=int(torch.randint(2**31 - 1, (), generator=generator)),
    )
    is_held_out = np.isin(np.arange(len(data)), held_out)
    parts = ~is_held_out, is_held_out
    return tuple(data.take(np.flatnonzero(part)) for part in parts)


def _train(
    estimator,
    weights,
    data,
    inputs,
    objective,
    validation,
    plan,
    generator,
    task,
    moments,
    curve_before,
):
    """Train weights in place.

    Returns
    -------
    progress, moments
        As of :func:`skrnn._core.training.fit`.
    """

    def evaluate():
        _publish(estimator, weights, inputs)
        return validation.loss_and_score(estimator)

    def fitted_attributes(progress):
        fitted = copy(estimator)
        if inputs.embeddings is not None:
            fitted.embeddings_ = estimator.embeddings_.copy()
        fitted._training = None  # Adam has gone on since
        _publish(fitted, weights, inputs)
        _record(fitted, progress, curve_before)
        fitted._complete()
        before = vars(estimator)
        return {
            name: value
            for name, value in vars(fitted).items()
            if value is not before.get(name)
        }

    with torch_settings() as n_threads:
        min_shard = training.min_shard(weights.architecture)
        task.begin(plan.n_epochs, fitted_attributes)
        return training.fit(
            weights,
            _examples(data, inputs, objective),
            objective.loss,
            replace(plan, n_shards=n_threads, min_shard=min_shard),
            generator,
            embeddings=inputs.embeddings,
            evaluate=None if validation is None else evaluate,
            watch=task,
            moments=moments,
        )


def _examples(data, inputs, objective):
    """Training data as the network wants it."""
    hiding = None if inputs.hiding is None else torch.from_numpy(inputs.hiding)
    # Steps together count as much as their sequences.
    weight = objective.weight * (len(data) / len(objective.weight))
    return training.Examples(
        values=torch.from_numpy(inputs.values),
        offsets=inputs.offsets,
        target=torch.from_numpy(objective.target),
        sample_weight=torch.from_numpy(weight.astype(np.float32)),
        hiding=hiding,
        at_each_step=objective.at_each_step,
    )


def _publish(estimator, weights, inputs):
    """Set the fitted weights."""
    for name, arrays in network.to_public(weights).items():
        setattr(estimator, name, arrays)
    if inputs.embeddings is not None:
        estimator.embeddings_[inputs.ids] = inputs.embeddings.vectors.numpy()


def _record(estimator, progress, before=()):
    """Set the attributes that tell how the fit went, and those `before` it."""
    estimator.loss_curve_ = [*before, *progress.loss_curve]  # which may go on
    estimator.loss_ = estimator.loss_curve_[-1]
    estimator.best_loss_ = min(estimator.loss_curve_)
    estimator.n_iter_ = len(estimator.loss_curve_)
    if progress.validation_scores:
        estimator.validation_scores_ = list(progress.validation_scores)
        estimator.validation_loss_curve_ = list(progress.validation_losses)
        estimator.best_validation_score_ = max(progress.validation_scores)


def check_parameters(estimator):
    """Check what one parameter alone does not show.

    Raises
    ------
    ValueError
        If parameters cannot be had together.
    """
    _inputs.check_parameters(estimator)
    decay = estimator.learning_rate_init * estimator.alpha
    if decay >= 1:
        raise ValueError(
            f"learning_rate_init * alpha is {decay:g}: below 1 was expected, since "
            "weight decay scales the weights by 1 - learning_rate * alpha. Lower "
            "alpha."
        )


def make_plan(estimator, n_samples):
    """The numbers of a fit, "auto" resolved by the number of sequences."""
    batch_size = estimator.batch_size
    if batch_size == "auto":
        # Between few updates of little noise and many of much.
        batch_size = min(128, max(8, math.isqrt(n_samples)))
    max_iter = estimator.max_iter
    if max_iter == "auto":
        n_updates_an_epoch = math.ceil(n_samples / batch_size)
        max_iter = min(1000, max(12, math.ceil(400 / n_updates_an_epoch)))
    return training.Plan(
        n_epochs=int(max_iter),
        batch_size=min(int(batch_size), n_samples),
        learning_rate=estimator.learning_rate_init,
        weight_decay=estimator.alpha,
        max_grad_norm=estimator.max_grad_norm,
        tol=estimator.tol,
        n_iter_no_change=estimator.n_iter_no_change,
        dropout=estimator.dropout,
        truncate=None if estimator.truncate is None else int(estimator.truncate),
    )


def _plan_of_a_chunk(estimator, n_samples):
    """One epoch, at a learning rate that does not know how many there will be."""
    return replace(make_plan(estimator, n_samples), n_epochs=1, is_constant=True)


def new_architecture(estimator):
    """What the parameters make of the network.

    Raises
    ------
    ValueError
        If they cannot be had together.
    """
    is_stacked = isinstance(estimator.nhidden, (tuple, list))
    nhidden = tuple(estimator.nhidden) if is_stacked else (estimator.nhidden,)
    if not nhidden or not all(isinstance(n, Integral) and n >= 1 for n in nhidden):
        raise ValueError(
            f"nhidden is {estimator.nhidden!r}: the numbers of hidden units of one or "
            "more layers were expected, such as (128, 64)."
        )
    for name, plain in (("activation", "tanh"), ("recurrence", "learned")):
        value = getattr(estimator, name)
        if estimator.cell != "rnn" and value != plain:
            raise ValueError(
                f"{name}={value!r} needs cell='rnn', but cell is {estimator.cell!r}: "
                f"its gates have functions and weights of their own. Use "
                f"{name}={plain!r}."
            )
    if estimator.truncate is not None and estimator.bidirectional:
        raise ValueError(
            "truncate needs a network that reads in one direction. Use "
            "bidirectional=False or truncate=None."
        )
    pooling = estimator.pooling
    if pooling == "auto":
        pooling = "last" if estimator.cell == "rnn" else "sum"
    return network.Architecture(
        nhidden=tuple(int(n) for n in nhidden),
        cell=estimator.cell,
        activation=estimator.activation,
        recurrence=estimator.recurrence,
        bidirectional=bool(estimator.bidirectional),
        pooling=pooling,
    )


def _new_generator(random_state):
    """A torch generator seeded by scikit-learn's `random_state`.

    None draws from the operating system, not from NumPy's global generator.
    """
    if random_state is None:
        random_state = np.random.RandomState()
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return torch.Generator().manual_seed(int(seed))
