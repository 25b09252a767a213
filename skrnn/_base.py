"""What the estimators share: parameters, the fit skeleton, the fitted weights."""

from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrnn import _inputs, _state
from skrnn._callbacks import CallbackSupportMixin
from skrnn._core import network, prediction
from skrnn._core.threads import threads, torch_settings
from skrnn._fitting import new_architecture
from skrnn._text import TOKEN_PATTERN
from skrnn._validation import validate_sequences
from skrnn._warm_start import check_same_network

# How X is read, which a warm start keeps.
READ_ATTRIBUTES = (
    *("kind_", "n_features_in_", "feature_names_in_", "_reading"),
    *("vocabulary_", "_grams", "embeddings_", "_given_ids"),
    *("mean_", "scale_", "difference_scale_", "patch_length_"),
)
# All that a fit may set; what a subclass or a user sets beside is theirs.
FITTED = (
    *READ_ATTRIBUTES,
    *("task_", "classes_", "target_mean_", "target_scale_", "encoder_"),
    *("W_", "U_", "b_", "V_", "intercept_"),
    *("loss_", "best_loss_", "loss_curve_", "n_iter_"),
    *("validation_scores_", "validation_loss_curve_", "best_validation_score_"),
    *("_architecture", "_is_multilabel", "_is_one_output", "_training"),
)
# What scikit-learn's callbacks set while a fit goes on.
_OF_THE_MOMENT = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")
# What partial_fit keeps beside how X is read.
_LEARNED_ONCE = (
    *("task_", "classes_", "target_mean_", "target_scale_", "_training"),
    *("_is_multilabel", "_is_one_output"),
)


class BaseRNN(CallbackSupportMixin, BaseEstimator):
    """Base class of all estimators; not to be used directly."""

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's own form)
        "nhidden": [Interval(Integral, 1, None, closed="left"), tuple, list],
        "cell": [StrOptions({"rnn", "gru", "lstm"})],
        "activation": [StrOptions({"tanh", "relu", "identity"})],
        "recurrence": [StrOptions({"learned", "identity"})],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions({"auto", "last", "mean", "max", "concat", "sum"})],
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
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        nhidden=128,
        *,
        cell="gru",
        activation="tanh",
        recurrence="learned",
        bidirectional=False,
        pooling="auto",
        analyzer="auto",
        lowercase=False,
        strip_accents=None,
        token_pattern=TOKEN_PATTERN,
        ngram_range="auto",
        min_df=1,
        max_features=None,
        vocabulary=None,
        embeddings=None,
        freeze_embeddings=False,
        standardize=True,
        differences=1,
        patch_length="auto",
        missing="error",
        max_length=None,
        overlong="error",
        token_dropout="auto",
        dropout=0.0,
        truncate=None,
        learning_rate_init=0.005,
        batch_size="auto",
        max_iter="auto",
        alpha=0.3,
        max_grad_norm=1.0,
        early_stopping=False,
        validation_fraction=0.1,
        tol=1e-4,
        n_iter_no_change=10,
        warm_start=False,
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
        self.differences = differences
        self.patch_length = patch_length
        self.missing = missing
        self.max_length = max_length
        self.overlong = overlong
        self.token_dropout = token_dropout
        self.dropout = dropout
        self.truncate = truncate
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.alpha = alpha
        self.max_grad_norm = max_grad_norm
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
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

    def __getstate__(self):
        state = _state.stamped(super().__getstate__())
        for name in _OF_THE_MOMENT:
            state.pop(name, None)
        return state

    def __setstate__(self, state):
        super().__setstate__(_state.checked(state, type(self).__name__))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "W_")

    @contextmanager
    def _refit(self, is_partial=False):
        """Forget the last fit; should the new one fail, take the last one back.

        Parameters
        ----------
        is_partial : bool, default=False
            Whether this is a call of `partial_fit`, which keeps what y is, too.

        Yields
        ------
        last : dict or None
            What the last fit has set, if this one goes on from it.
        """
        last = {name: vars(self)[name] for name in FITTED if name in vars(self)}
        is_warm = "W_" in last and (self.warm_start or is_partial)
        kept = ()
        if is_warm:
            what = "partial_fit" if is_partial else "warm_start=True"
            check_same_network(self, last, new_architecture(self), what)
            kept = READ_ATTRIBUTES + (_LEARNED_ONCE if is_partial else ())
        self._forget(but=kept)
        try:
            yield last if is_warm else None
        except BaseException:
            self._forget()
            vars(self).update(last)
            raise

    def _forget(self, but=()):
        """Delete what a fit has set."""
        for name in FITTED:
            if name not in but:
                vars(self).pop(name, None)

    def _complete(self):
        """Set the fitted attributes that are made of others."""

    def _encode(self, sequences, indices=None):
        """What the network reads of sequences.

        Parameters
        ----------
        sequences : Sequences
        indices : ndarray, default=None
            Where the sequences stand in X, for errors.

        Returns
        -------
        encoded : Encoded
        """
        if self.kind_ == "series":
            return _inputs.encode_series(self, sequences, indices)
        return _inputs.encode_tokens(self, sequences)

    def _hidden_states(self, X):
        """The pooled hidden states of each sequence.

        Returns
        -------
        h : Tensor of shape (n_samples, n_features_out)
        """
        check_is_fitted(self)
        sequences = validate_sequences(self, X, reset=False)
        h = self._states_of(self._encode(sequences))
        # A sum is finite only if all is, and takes a tenth of the time.
        if not (torch.isfinite(h.sum()) or torch.isfinite(h).all()):
            i = int(torch.nonzero(~torch.isfinite(h))[0, 0])
            raise ValueError(
                f"The hidden state of X[{i}] is not finite: its numbers are far from "
                "those seen in fit, or it is too long for activation='relu', under "
                "which h can grow at each step. Use activation='tanh'."
            )
        return h

    def _states_of(self, encoded):
        """The pooled hidden states of sequences."""
        offsets, keys = encoded.offsets, encoded.keys
        with torch_settings() as n_threads:
            weights, values = self._weights_for(encoded)
            with threads(prediction.useful_threads(offsets, n_threads)) as run:
                return prediction.encode(weights, values, offsets, run, keys)

    def _scores(self, X):
        """``V h + c``, of shape (n_samples, n_outputs)."""
        return self._scores_of(self._hidden_states(X))

    def _scores_of(self, h):
        """``V h + c`` of hidden states."""
        with torch_settings():
            V, c = (torch.tensor(weights) for weights in (self.V_, self.intercept_))
            return network.output_scores(V, c, h)

    def _fitted_architecture(self):
        return network.Architecture(**self._architecture)

    def _weights_for(self, encoded):
        """The fitted weights as the network wants them, and the values it is to read.

        A few sequences need not wait for the vectors of a large vocabulary: they count
        tokens of their own.
        """
        ids, values = None, encoded.values
        if encoded.keys is not None and values.size < len(self.vocabulary_):
            shape = values.shape  # NumPy 1 returns flat ones
            ids, values = np.unique(values, return_inverse=True)
            values = values.reshape(shape)
        architecture = self._fitted_architecture()
        names = ("W_", "U_", "b_", "V_", "intercept_")
        arrays = {name: getattr(self, name) for name in names}
        vectors = getattr(self, "embeddings_", None)
        weights = network.from_public(architecture, **arrays, ids=ids, vectors=vectors)
        return weights, torch.from_numpy(values)
