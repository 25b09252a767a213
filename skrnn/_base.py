"""What the estimators share: parameters, the fit skeleton, the fitted weights."""

import math
import warnings
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrnn._core import network, training, vocabulary
from skrnn._core.threads import one_intraop_thread
from skrnn._validation import validate_sequences

# Steps of all sequences in one batch of a prediction: bounds its memory.
_MAX_ROWS = 8192


class BaseRNN(BaseEstimator):
    """Base class of all estimators; not to be used directly."""

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's own form)
        "nhidden": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"tanh", "relu"})],
        "learning_rate_init": [Interval(Real, 0, 1, closed="right")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_iter": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "max_grad_norm": [None, Interval(Real, 0, None, closed="neither")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        nhidden=128,
        *,
        activation="tanh",
        learning_rate_init=0.005,
        batch_size="auto",
        max_iter="auto",
        alpha=0.3,
        max_grad_norm=1.0,
        tol=1e-4,
        n_iter_no_change=10,
        random_state=None,
        verbose=0,
    ):
        self.nhidden = nhidden
        self.activation = activation
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.alpha = alpha
        self.max_grad_norm = max_grad_norm
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # two_d_array stays True and one_d_array False: with any other value
        # scikit-learn's common tests would not run.
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "W_")

    @contextmanager
    def _refit(self):
        """Forget the last fit; should the new one fail, take the last one back."""
        before = dict(vars(self))
        for name in before:
            if name.endswith("_"):
                delattr(self, name)
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _fit_network(self, sequences, target, n_outputs, loss, sample_weight):
        """Learn the vocabulary or the scaling, then the weights.

        Parameters
        ----------
        sequences : Sequences
        target : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        n_outputs : int
        loss : callable
            One of :mod:`skrnn._core.network`.
        sample_weight : ndarray of shape (n_samples,)
        """
        plan = self._plan(np.count_nonzero(sample_weight))
        used = np.flatnonzero(sample_weight)
        if len(used) < len(sequences):  # a weight of 0 is as good as removal
            sequences, target = sequences.take(used), target[used]
            sample_weight = sample_weight[used]
        sample_weight = _of_mean_one(sample_weight)
        encoded, hiding = self._learn_inputs(sequences, sample_weight)
        generator = _new_generator(self.random_state)
        weights = network.zeros(self._n_inputs, int(self.nhidden), n_outputs)
        with one_intraop_thread():  # or rounding would differ with their number
            network.initialise(weights, self.kind_ != "series", generator)
        examples = training.Examples(
            values=torch.from_numpy(encoded),
            offsets=sequences.offsets,
            target=torch.from_numpy(target),
            sample_weight=torch.from_numpy(sample_weight.astype(np.float32)),
            hiding=hiding,
        )
        with one_intraop_thread():
            progress = training.fit(
                weights,
                examples,
                loss,
                self.activation,
                plan,
                generator,
                on_epoch=print if self.verbose else None,
            )
        self._check_converged(progress, chance=network.chance_loss(loss, n_outputs))
        self._keep(weights)
        self._activation = self.activation
        self.loss_curve_ = progress.loss_curve
        self.loss_ = progress.loss_curve[-1]
        self.best_loss_ = progress.best_loss
        self.n_iter_ = len(progress.loss_curve)

    def _check_converged(self, progress, chance):
        """Raise or warn if training diverged or did nothing but harm.

        Parameters
        ----------
        progress : Progress
        chance : float
            The loss of a network that knows nothing.
        """
        n_epochs, loss = len(progress.loss_curve), progress.loss_curve[-1]
        cure = (
            f"Lower learning_rate_init (now {self.learning_rate_init:g}) or "
            "max_grad_norm, or use activation='tanh'."
        )
        if progress.diverged:
            what = (
                f"Training diverged in epoch {n_epochs}: the loss or a weight was not "
                "finite."
            )
            if n_epochs == 1:
                raise ValueError(f"{what} {cure}")
            what += f" {type(self).__name__} keeps the weights from before that epoch."
        elif loss > 10 * max(chance, 0.5):
            what = (
                f"The training loss of the last epoch is {loss:.3g}, where a network "
                f"that knows nothing has {chance:.3g}."
            )
        else:
            return
        warnings.warn(f"{what} {cure}", ConvergenceWarning, stacklevel=5)

    def _plan(self, n_samples):
        """The numbers of a fit, "auto" resolved by the number of sequences."""
        decay = self.learning_rate_init * self.alpha
        if decay >= 1:
            raise ValueError(
                f"learning_rate_init * alpha is {decay:g}: below 1 was expected, since "
                "weight decay scales the weights by 1 - learning_rate * alpha. Lower "
                "alpha."
            )
        batch_size = self.batch_size
        if batch_size == "auto":
            # At least eight updates an epoch, but no fewer than eight sequences.
            batch_size = min(128, max(8, n_samples // 8))
        max_iter = self.max_iter
        if max_iter == "auto":
            n_updates_an_epoch = math.ceil(n_samples / batch_size)
            max_iter = min(1000, max(12, math.ceil(600 / n_updates_an_epoch)))
        return training.Plan(
            n_epochs=int(max_iter),
            batch_size=int(batch_size),
            learning_rate=self.learning_rate_init,
            weight_decay=self.alpha,
            max_grad_norm=self.max_grad_norm,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
        )

    def _learn_inputs(self, sequences, sample_weight):
        """Learn vocabulary_, or mean_ and scale_, and encode with them.

        Returns
        -------
        encoded : ndarray
            As :meth:`_encode`.
        hiding : Tensor of shape (n_inputs,) or None
            How often each token is to be replaced by the unknown one.
        """
        row_weight = np.repeat(sample_weight, sequences.lengths)
        if self.kind_ == "series":
            self.mean_, self.scale_ = mean_and_scale(sequences.values, row_weight)
            return self._encode(sequences), None
        self.vocabulary_ = vocabulary.learn_vocabulary(sequences)
        ids = self._encode(sequences)
        counts = np.bincount(ids, row_weight, minlength=self._n_inputs)
        hiding = vocabulary.hiding_probabilities(counts)
        return ids, torch.from_numpy(hiding.astype(np.float32))

    @property
    def _n_inputs(self):
        return len(self.mean_) if self.kind_ == "series" else len(self.vocabulary_) + 1

    def _encode(self, sequences):
        """What the network reads: token ids, or standardised numbers."""
        if self.kind_ != "series":
            return vocabulary.encode(sequences, self.vocabulary_).values
        standardised = (sequences.values - self.mean_) / self.scale_
        with np.errstate(over="ignore"):  # asked for below, to say where
            standardised = standardised.astype(np.float32)
        is_finite = np.isfinite(standardised)
        if not is_finite.all():
            row, feature = np.argwhere(~is_finite)[0]
            i, step = sequences.locate(row)
            raise ValueError(
                f"X[{i}] contains {sequences.values[row, feature]:g} at step {step}, "
                "which is too far from the mean in fit, "
                f"{self.mean_[feature]:g}, to be divided by the standard deviation, "
                f"{self.scale_[feature]:g}. Check the unit."
            )
        return standardised

    def _keep(self, weights):
        """Keep the learned weights as arrays of the public names."""
        self.W_ = [weights.W.numpy().copy()]
        self.U_ = [weights.U.numpy().copy().T]
        self.b_ = [weights.b.numpy().copy()]
        self.V_ = weights.V.numpy().copy()
        self.intercept_ = weights.c.numpy().copy()

    def _hidden_states(self, X):
        """The last hidden state of each sequence.

        Returns
        -------
        h : Tensor of shape (n_samples, nhidden)
        """
        check_is_fitted(self)
        sequences = validate_sequences(self, X, reset=False)
        values = torch.from_numpy(self._encode(sequences))
        W, U, b = (_as_tensor(array[0]) for array in (self.W_, self.U_, self.b_))
        with one_intraop_thread():
            h = network.encode(
                U.T, W, b, values, sequences.offsets, self._activation, _MAX_ROWS
            )
        if not torch.isfinite(h).all():
            i = int(torch.nonzero(~torch.isfinite(h))[0, 0])
            raise ValueError(
                f"The hidden state of X[{i}] is not finite: its numbers are far from "
                "those seen in fit, or it is too long for activation='relu', under "
                "which h can grow at each step. Use activation='tanh'."
            )
        return h

    def _scores(self, X):
        """``V h + c``, of shape (n_samples, n_outputs)."""
        h = self._hidden_states(X)
        V, c = _as_tensor(self.V_), _as_tensor(self.intercept_)
        with one_intraop_thread():
            return network.output_scores(V, c, h)


def _new_generator(random_state):
    """A torch generator seeded by scikit-learn's `random_state`.

    None draws from the operating system, not from NumPy's global generator.
    """
    if random_state is None:
        random_state = np.random.RandomState()
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return torch.Generator().manual_seed(int(seed))


def mean_and_scale(values, weight):
    """Weighted mean and standard deviation of each column, in float64.

    The scale of a constant column is 1. float32 would not do: the mean of large
    values would swallow their spread. Squares and sums are taken of numbers of at most
    1, which neither overflow nor vanish.

    Returns
    -------
    mean, scale : ndarrays of shape (n_columns,)
    """
    weight = _of_mean_one(weight)
    size = _largest(values).astype(np.float64)
    values = values / size
    mean = np.average(values, axis=0, weights=weight)
    values -= mean
    spread = _largest(values)
    values /= spread
    scale = spread * np.sqrt(np.average(values**2, axis=0, weights=weight))
    is_constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(mean)
    return mean * size, np.where(is_constant, 1.0, scale * size)


def _largest(values):
    """The largest magnitude in each column; 1 for a column of zeros."""
    largest = np.abs(values).max(axis=0)
    return np.where(largest > 0, largest, 1.0)


def _of_mean_one(weight):
    weight = weight / weight.max()  # a sum of weights could overflow
    return weight / weight.mean()


def _as_tensor(array):
    """A tensor on the array's memory; on a copy where that is read-only."""
    return torch.from_numpy(np.require(array, requirements="W"))
