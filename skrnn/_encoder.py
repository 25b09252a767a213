"""RNNEncoder: a sequence to the vector that a network ends with."""

import numpy as np
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)

from skrnn import _partial_fit
from skrnn._base import FITTED, BaseRNN
from skrnn._callbacks import FitTask, with_callbacks
from skrnn._docs import share_docs
from skrnn._fitting import fit_network
from skrnn._targets import learn_targets, task_of
from skrnn._validation import validate_training_data


@share_docs
class RNNEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseRNN):
    r"""Encode sequences as vectors that know about order.

    A recurrent network [1]_ reads each sequence step by step, in the simplest case by

        h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),

    and its last hidden state, or what `pooling` makes of all states, is the code h of
    the sequence. W, U and b are learned together with V and c so that ``V h + c``
    predicts y: by cross entropy where y holds labels, by squared error where it holds
    numbers. Without y, ``V h_t + c`` predicts what the network reads at step t + 1: of
    tokens the next one, or the end of the sequence, by cross entropy; of numbers all of
    them, by squared error.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    task_ : {"classification", "multilabel", "regression", "next_step"}
        "next_step" without y. Else what y was taken for, by
        :func:`sklearn.utils.multiclass.type_of_target`: strings, integers and floats
        that are whole numbers are class labels; columns of 0 and 1 say which of several
        labels a sequence has; other floats, and other columns of numbers, are numbers
        to predict.
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted; of several labels a sequence, their columns in y. Not
        there for numbers and next steps.
    target_mean_, target_scale_ : ndarrays of shape (n_outputs,)
        Mean and standard deviation of y. Only there for regression.
    {kind}
    {weights}
    V_ : ndarray of shape (n_outputs, n_features_out)
        Output weights, learned to predict y from h. Numbers to predict are
        standardised first. Without y, of shape (n_outputs, nhidden): row 0 predicts the
        end of a sequence and row i the token whose id is i, or each row a number of x.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    {inputs}
    loss_ : float
        Loss of the last epoch: cross entropy in nats, or half the squared error of
        standardised y, averaged over the training data while the weights moved; without
        y, over all steps that have a next one, the end of tokens being one.
    {losses}

    See Also
    --------
    RNNClassifier : The same network, which also predicts the class.
    RNNRegressor : The same network, which also predicts numbers.

    Notes
    -----
    {notes}

    References
    ----------
    {references}

    Examples
    --------
    >>> from skrnn import RNNEncoder
    >>> X = ["cat", "act", "tact", "taca"] * 5
    >>> y = ["ends in t", "ends in t", "ends in t", "ends in a"] * 5
    >>> encoder = RNNEncoder(nhidden=4, random_state=0).fit(X, y)
    >>> encoder.transform(["cat", "act", "cat"]).shape
    (3, 4)
    >>> encoder.get_feature_names_out()
    array(['rnnencoder0', 'rnnencoder1', 'rnnencoder2', 'rnnencoder3'],
          dtype=object)

    The order of the steps matters, so two words of the same letters differ:

    >>> cat, act, same = encoder.transform(["cat", "act", "cat"])
    >>> bool(abs(cat - act).max() > 0.1), bool((cat == same).all())
    (True, True)

    Where labels are few, learn from sequences without any first:

    >>> encoder = RNNEncoder(nhidden=4, warm_start=True, random_state=0)
    >>> encoder.fit(X + ["attack", "cat tact", "act at"]).task_
    'next_step'
    >>> encoder.set_params(learning_rate_init=0.001).fit(X, y).task_
    'classification'
    """

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn to encode sequences by learning to predict y, or their next steps.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Class labels, several labels, or one or more numbers for each sequence: see
            `task_`. For whole numbers that are no labels, take the `encoder_` of an
            RNNRegressor. None to learn from the sequences alone.
        {sample_weight}

        Returns
        -------
        self : RNNEncoder
            The fitted encoder.

        Raises
        ------
        TypeError
            If X is not a container of sequences of one kind.
        ValueError
            If X or one of its sequences is empty, or longer than `max_length`; if the
            numbers of features differ; if a number is infinite, or NaN without
            `missing`; if no token is left, or `embeddings` cannot be read; if X, y and
            sample_weight differ in length; if y is neither labels nor numbers; if
            parameters are not those of the fit that `warm_start` goes on from, or do
            not go without y; or if training diverges in its first epoch.

        Warns
        -----
        ConvergenceWarning
            If training diverges later, ends with a loss far above that of guessing, or
            with one that is no better.

        Notes
        -----
        A fit that fails leaves the estimator as it was.
        """
        task = FitTask(self, X, y, sample_weight)
        with self._refit() as last:
            sequences, y, sample_weight = validate_training_data(
                self, X, y, sample_weight, needs_y=False, reset=last is None
            )
            if y is None:
                self.task_, targets = "next_step", None
            else:
                self.task_ = task_of(y)
                targets = learn_targets(self, y, self.task_, sample_weight)
            fit_network(self, sequences, targets, sample_weight, task, last)
        return self

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, classes=None, sample_weight=None):
        """Learn from a chunk of the data: one epoch, on from the last call.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            As in `fit`, and in each call of the same kind.
        classes : array-like of shape (n_classes,), default=None
            If y holds class labels: all that may come, on the first call. None for
            those of the first chunk.
        {sample_weight of a chunk}

        Returns
        -------
        self : RNNEncoder
            The fitted encoder.

        Raises
        ------
        TypeError
            As `fit`.
        ValueError
            As `fit`; also if there are other `classes` than on the first call; if y
            holds a label that is not among them, or is of another kind than in the last
            call; if a parameter of the network or of reading has changed; or if
            `early_stopping` is True.

        Warns
        -----
        ConvergenceWarning
            If it ends with a loss far above that of guessing.

        Notes
        -----
        {partial_fit}
        """
        task = FitTask(self, X, y, sample_weight)
        _partial_fit.check_parameters(self)
        with self._refit(is_partial=True) as last:
            sequences, y, sample_weight = validate_training_data(
                self, X, y, sample_weight, needs_y=False, reset=last is None
            )
            kind = None if last is None else self.task_
            _partial_fit.check_same_kind(y, kind, classes)
            if y is None:
                self.task_, targets = "next_step", None
            else:
                if last is None and classes is None and task_of(y) == "classification":
                    classes = np.unique(y)
                self.task_ = _partial_fit.learn_kind(self, y, classes, kind)
                of = y, self.task_, sample_weight
                targets = _partial_fit.targets_of_chunk(self, *of)
            of = sequences, targets, sample_weight
            fit_network(self, *of, task, last, is_partial=True)
        return self

    def transform(self, X):
        """Encode sequences.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        h : ndarray of shape (n_samples, n_features_out), float32
            The code of each sequence: nhidden numbers, of the last layer; twice as many
            if `bidirectional`, and twice as many if `pooling` is "concat".

        Raises
        ------
        {raises of predict}
        """
        return self._hidden_states(X).numpy()

    @property
    def _n_features_out(self):
        return self._fitted_architecture().n_features_out

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def as_encoder(estimator, task):
    """A fitted RNNEncoder on the memory of an estimator's weights."""
    names = RNNEncoder().get_params(deep=False)  # a subclass may have others
    encoder = RNNEncoder(**{name: getattr(estimator, name) for name in names})
    for name in FITTED:
        if name != "encoder_" and name in vars(estimator):
            setattr(encoder, name, getattr(estimator, name))
    encoder.task_ = task
    return encoder
