"""What the estimators share: parameters, the fit skeleton, the fitted weights."""

import math
import warnings
from contextlib import contextmanager
from dataclasses import asdict, replace
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrnn import _inputs
from skrnn._core import losses, network, prediction, training
from skrnn._core.threads import threads, torch_settings
from skrnn._text import TOKEN_PATTERN
from skrnn._validation import validate_sequences

# All that a fit may set; what a subclass or a user sets beside is theirs.
FITTED = (
    *("task_", "classes_", "target_mean_", "target_scale_", "encoder_"),
    *("kind_", "n_features_in_", "feature_names_in_"),
    *("vocabulary_", "mean_", "scale_", "W_", "U_", "b_", "V_", "intercept_"),
    *("embeddings_", "loss_", "best_loss_", "loss_curve_", "n_iter_"),
    *("_architecture", "_grams", "_reading", "_is_multilabel", "_is_one_output"),
)


class BaseRNN(BaseEstimator):
    """Base class of all estimators; not to be used directly."""

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's own form)
        "nhidden": [Interval(Integral, 1, None, closed="left"), tuple, list],
        "cell": [StrOptions({"rnn", "gru", "lstm"})],
        "activation": [StrOptions({"tanh", "relu", "identity"})],
        "recurrence": [StrOptions({"learned", "identity"})],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions({"last", "mean", "max"})],
        **_inputs.PARAMETER_CONSTRAINTS,
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "truncate": [None, Interval(Integral, 1, None, closed="left")],
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
        cell="rnn",
        activation="tanh",
        recurrence="learned",
        bidirectional=False,
        pooling="last",
        analyzer="auto",
        lowercase=False,
        strip_accents=None,
        token_pattern=TOKEN_PATTERN,
        ngram_range=(1, 1),
        min_df=1,
        max_features=None,
        vocabulary=None,
        embeddings=None,
        freeze_embeddings=False,
        standardize=True,
        missing="error",
        max_length=None,
        overlong="error",
        dropout=0.0,
        truncate=None,
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
        self.cell = cell
        self.activation = activation
        self.recurrence = recurrence
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.analyzer = analyzer
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.token_pattern = token_pattern
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.embeddings = embeddings
        self.freeze_embeddings = freeze_embeddings
        self.standardize = standardize
        self.missing = missing
        self.max_length = max_length
        self.overlong = overlong
        self.dropout = dropout
        self.truncate = truncate
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
        tags.input_tags.allow_nan = self.missing == "mask"
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "W_")

    @contextmanager
    def _refit(self):
        """Forget the last fit; should the new one fail, take the last one back."""
        before = dict(vars(self))
        for name in FITTED:
            vars(self).pop(name, None)
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _fit_network(self, sequences, targets, sample_weight):
        """Learn the vocabulary or the scaling, then the weights.

        Parameters
        ----------
        sequences : Sequences
        targets : Targets
        sample_weight : ndarray of shape (n_samples,)
        """
        architecture = self._new_architecture()
        _inputs.check_parameters(self)
        plan = self._plan(int(np.count_nonzero(sample_weight)))
        used = np.flatnonzero(sample_weight)
        target = targets.values
        if len(used) < len(sequences):  # a weight of 0 is as good as removal
            sequences, target = sequences.take(used), target[used]
            sample_weight = sample_weight[used]
        sample_weight = _of_mean_one(sample_weight)
        generator = _new_generator(self.random_state)
        inputs = _inputs.learn_inputs(self, sequences, sample_weight, used, generator)
        hiding = None if inputs.hiding is None else torch.from_numpy(inputs.hiding)
        examples = training.Examples(
            values=torch.from_numpy(inputs.values),
            offsets=sequences.offsets,
            target=torch.from_numpy(target),
            sample_weight=torch.from_numpy(sample_weight.astype(np.float32)),
            hiding=hiding,
        )
        with torch_settings() as n_threads:
            weights = network.zeros(architecture, inputs.n_inputs, targets.n_outputs)
            min_shard = training.min_shard(architecture)
            plan = replace(plan, n_shards=n_threads, min_shard=min_shard)
            network.initialise(weights, inputs.are_tokens, generator, inputs.scale)
            weights.c.copy_(torch.from_numpy(targets.bias))
            progress = training.fit(
                weights,
                examples,
                targets.loss,
                plan,
                generator,
                on_epoch=print if self.verbose else None,
                embeddings=inputs.embeddings,
            )
        chance = losses.chance_loss(targets.loss, targets.n_outputs)
        self._check_converged(progress, chance)
        for name, arrays in network.to_public(weights).items():
            setattr(self, name, arrays)
        if inputs.embeddings is not None:
            self.embeddings_[inputs.tokens] = inputs.embeddings.vectors.numpy()
        self._architecture = asdict(architecture)
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
            batch_size=min(int(batch_size), n_samples),
            learning_rate=self.learning_rate_init,
            weight_decay=self.alpha,
            max_grad_norm=self.max_grad_norm,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            dropout=self.dropout,
            truncate=None if self.truncate is None else int(self.truncate),
        )

    def _new_architecture(self):
        """What the parameters make of the network.

        Raises
        ------
        ValueError
            If they cannot be had together.
        """
        is_stacked = isinstance(self.nhidden, (tuple, list))
        nhidden = tuple(self.nhidden) if is_stacked else (self.nhidden,)
        if not nhidden or not all(isinstance(n, Integral) and n >= 1 for n in nhidden):
            raise ValueError(
                f"nhidden is {self.nhidden!r}: the numbers of hidden units of one or "
                "more layers were expected, such as (128, 64)."
            )
        for name, plain in (("activation", "tanh"), ("recurrence", "learned")):
            value = getattr(self, name)
            if self.cell != "rnn" and value != plain:
                raise ValueError(
                    f"{name}={value!r} needs cell='rnn', but cell is {self.cell!r}: "
                    f"its gates have functions and weights of their own. Use "
                    f"{name}={plain!r}."
                )
        if self.truncate is not None and self.bidirectional:
            raise ValueError(
                "truncate needs a network that reads in one direction. Use "
                "bidirectional=False or truncate=None."
            )
        return network.Architecture(
            nhidden=tuple(int(n) for n in nhidden),
            cell=self.cell,
            activation=self.activation,
            recurrence=self.recurrence,
            bidirectional=bool(self.bidirectional),
            pooling=self.pooling,
        )

    def _encode(self, sequences):
        """What the network reads, and which steps of tokens are equal.

        Returns
        -------
        values : ndarray of shape (n_rows, n_inputs), float32, or of token ids
        keys : ndarray of shape (n_rows,) or None
        """
        if self.kind_ == "series":
            return _inputs.encode_series(self, sequences), None
        return _inputs.encode_tokens(self, sequences)

    def _hidden_states(self, X):
        """The pooled hidden states of each sequence.

        Returns
        -------
        h : Tensor of shape (n_samples, n_features_out)
        """
        check_is_fitted(self)
        sequences = validate_sequences(self, X, reset=False)
        (values, keys), tokens = self._encode(sequences), None
        if keys is not None and values.size < len(self.vocabulary_):
            # A few sequences need not wait for the vectors of a large vocabulary.
            shape = values.shape  # NumPy 1 returns flat ones
            tokens, values = np.unique(values, return_inverse=True)
            values = values.reshape(shape)
        values = torch.from_numpy(values)
        offsets = sequences.offsets
        with torch_settings() as n_threads:
            weights = self._weights(tokens)
            with threads(prediction.useful_threads(offsets, n_threads)) as run:
                h = prediction.encode(weights, values, offsets, run, keys)
        # A sum is finite only if all is, and takes a tenth of the time.
        if not (torch.isfinite(h.sum()) or torch.isfinite(h).all()):
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
        with torch_settings():
            V, c = (torch.tensor(weights) for weights in (self.V_, self.intercept_))
            return network.output_scores(V, c, h)

    def _weights(self, tokens):
        """The fitted weights as the network wants them, for some tokens or all."""
        architecture = network.Architecture(**self._architecture)
        names = ("W_", "U_", "b_", "V_", "intercept_")
        arrays = {name: getattr(self, name) for name in names}
        vectors = getattr(self, "embeddings_", None)
        return network.from_public(
            architecture, **arrays, tokens=tokens, vectors=vectors
        )


def _new_generator(random_state):
    """A torch generator seeded by scikit-learn's `random_state`.

    None draws from the operating system, not from NumPy's global generator.
    """
    if random_state is None:
        random_state = np.random.RandomState()
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return torch.Generator().manual_seed(int(seed))


def _of_mean_one(weight):
    weight = weight / weight.max()  # a sum of weights could overflow
    return weight / weight.mean()
