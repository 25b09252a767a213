"""RNNRegressor: from a sequence to one or more numbers."""

from dataclasses import KW_ONLY
from typing import Literal

from sklearn.base import RegressorMixin, _fit_context

from skrnn._base import BaseRNN
from skrnn._callbacks import with_callbacks
from skrnn._docs import share_docs
from skrnn._encoder import as_encoder
from skrnn._heads.numbers import NumbersHead
from skrnn._heads.validation import validate_scored
from skrnn._judging import ValidationData
from skrnn._notebook import OffersPage
from skrnn._types import Count, Pair, takes_parameters


@share_docs
@takes_parameters
class RNNRegressor(OffersPage, RegressorMixin, BaseRNN):
    r"""Predict numbers from sequences with a recurrent network.

    The network [1]_ reads each sequence step by step. In the simplest case, it computes

        h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),    scores = V h_T + c,

    and the scores are the numbers to predict, standardised by their mean and standard
    deviation in the training data. The weights minimise the squared error.

    Parameters
    ----------
    {parameters}
    {wide parameter}

    Attributes
    ----------
    target_mean_, target_scale_ : ndarrays of shape (n_outputs,)
        Mean and standard deviation of y.
    encoder_ : RNNEncoder
        The fitted encoder of this regressor. It has the same weights, and its
        `transform` returns the h of the network, without what a wide path reads.
    {kind}
    {weights}
    V_ : ndarray of shape (n_outputs, n_features_out)
        Output weights, one row per number to predict.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    {wide}
    {inputs}
    loss_ : float
        Loss of the last epoch: half the squared error of standardised y, averaged over
        the training data while the weights were being updated.
    {losses}

    See Also
    --------
    RNNClassifier : Predicts classes.
    RNNEncoder : The same network as a transformer that passes h to any estimator.

    Notes
    -----
    {notes}

    {notes on the wide path}

    References
    ----------
    {references}

    Examples
    --------
    >>> from skrnn import RNNRegressor
    >>> X = [[[1.0], [2.0]], [[2.0], [1.0]], [[0.0], [3.0], [5.0]], [[4.0]]] * 10
    >>> y = [2.0, 1.0, 5.0, 4.0] * 10  # the last number
    >>> regressor = RNNRegressor(nhidden=16, random_state=0).fit(X, y)
    >>> regressor.score(X, y) > 0.99
    True
    """

    _: KW_ONLY
    wide_ngram_range: Literal["auto"] | Pair | None = "auto"
    n_wide_features: Literal["auto"] | Count | None = "auto"

    _head = NumbersHead
    _reads_chunks = True
    _tasks = ("regression",)
    _says_of_y = "_is_one_output"

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y=None,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Learn to predict numbers from sequences.

        Parameters
        ----------
        {X or chunks of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            One or more numbers for each sequence. Columns are always read as targets of
            the whole sequence, such as the values of the next hours, even if there are
            as many as steps.
            None only if X is a ChunkedDataset, whose chunks have their own.
        {sample_weight}
        {X_val}
        y_val : array-like, default=None
            The y of `X_val`.
        {sample_weight_val}

        Returns
        -------
        self : RNNRegressor
            The fitted regressor.

        Raises
        ------
        TypeError
            If X is not a container of sequences that are all of one kind, or y or the
            weights are not array-like, or hold times among or instead of numbers.
        ValueError
            If X or a series is empty; if a sequence is longer than `max_length`; if
            sequences differ in their number of features; if a number is infinite, or
            NaN and `missing` is "error"; if the vocabulary is empty, or `embeddings`
            cannot be read; if X, y and sample_weight differ in length; if y does not
            hold numbers; if `warm_start` is True and parameters of the network or of
            reading have changed; if `X_val` is incomplete, passed without
            `early_stopping`, or different in kind from X, or `y_val` holds a label that
            is not in y; or if training diverges in the first epoch.
        {raises of checkpoints}

        Warns
        -----
        ConvergenceWarning
            If training diverges in a later epoch, or ends with a loss that is far above
            that of guessing, or no better.
        UserWarning
            If most of the memory is for the tokens of a large vocabulary; or if y looks
            like a target for each step, padded to the longest sequence.

        Notes
        -----
        If a fit fails, the estimator is left unchanged.
        """
        validation = ValidationData(X_val, y_val, sample_weight_val)
        return self._learn(X, y, sample_weight, validation)

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on a chunk of the data, continuing from the last call.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            As in `fit`. The mean and standard deviation of the first chunk are used.
        {sample_weight of a chunk}

        Returns
        -------
        self : RNNRegressor
            The fitted regressor.

        Raises
        ------
        TypeError
            As in `fit`.
        ValueError
            As in `fit`; also if y does not have as many columns as in the first call;
            if parameters of the network or of reading have changed; or if
            `early_stopping` is True or `checkpoint` is not None.

        Warns
        -----
        ConvergenceWarning
            If the epoch ends with a loss far above that of guessing.
        UserWarning
            In the first call, as in `fit`.

        Notes
        -----
        {partial_fit}
        """
        return self._learn(X, y, sample_weight, is_partial=True)

    def _attributes_of_y(self, head):
        return {"_is_one_output": head.is_one}

    def _encoder_of(self, attributes):
        return {"encoder_": as_encoder(self, attributes)}

    def predict(self, X):
        """Predict the numbers of each sequence.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            One-dimensional if y was one-dimensional in `fit`.

        Raises
        ------
        {raises of predict}
        """
        head, scores = self._head_and_scores(X)
        return head.decode(scores)

    def staged_predict(self, X):
        """Predict the numbers of each sequence after each of its steps.

        Parameters
        ----------
        {X of predict}

        Yields
        ------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            At stage t, what :meth:`predict` returns for the first t steps of each
            sequence.

        Raises
        ------
        {raises of predict}

        Notes
        -----
        {stages}
        """
        for head, scores in self._staged_scores(X):
            yield head.decode(scores)

    def score(self, X, y, sample_weight=None):
        """Compute the coefficient of determination of predictions, R^2.

        Parameters
        ----------
        {X of predict}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true numbers, in any container that `fit` accepts.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence in the score. None gives all the same weight.

        Returns
        -------
        score : float
            At most 1, which is perfect. Predicting the mean of y would have 0.

        Raises
        ------
        {raises of predict}
        """
        y, sample_weight = validate_scored(
            y, sample_weight, type(self).__name__, are_numbers=True
        )
        return super().score(X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
