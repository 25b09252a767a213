"""RNNRegressor: a sequence to one or more numbers."""

import numpy as np
from sklearn.base import RegressorMixin, _fit_context

from skrnn import _partial_fit
from skrnn._base import BaseRNN
from skrnn._callbacks import FitTask, with_callbacks
from skrnn._docs import share_docs
from skrnn._encoder import as_encoder
from skrnn._fitting import fit_network
from skrnn._targets import learn_targets
from skrnn._validation import validate_training_data


@share_docs
class RNNRegressor(RegressorMixin, BaseRNN):
    r"""Predict numbers from sequences by a recurrent network.

    The network [1]_ reads each sequence step by step, in the simplest case by

        h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),    scores = V h_T + c,

    and the scores are the numbers, less their mean and divided by their standard
    deviation in the training data. The weights minimise the squared error.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    target_mean_, target_scale_ : ndarrays of shape (n_outputs,)
        Mean and standard deviation of y.
    encoder_ : RNNEncoder
        The fitted encoder of this regressor: it has the same weights, and its
        `transform` gives the h that the scores are computed from.
    {kind}
    {weights}
    V_ : ndarray of shape (n_outputs, n_features_out)
        Output weights, one row a number to predict.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    {inputs}
    loss_ : float
        Loss of the last epoch: half the squared error of standardised y, averaged over
        the training data while the weights moved.
    {losses}

    See Also
    --------
    RNNClassifier : Predicts classes.
    RNNEncoder : The same network as a transformer, whose h can feed any estimator.

    Notes
    -----
    {notes}

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

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn to predict numbers from sequences.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            One or more numbers for each sequence.
        {sample_weight}

        Returns
        -------
        self : RNNRegressor
            The fitted regressor.

        Raises
        ------
        TypeError
            If X is not a container of sequences of one kind.
        ValueError
            If X or one of its sequences is empty, or longer than `max_length`; if the
            numbers of features differ; if a number is infinite, or NaN without
            `missing`; if no token is left, or `embeddings` cannot be read; if X, y and
            sample_weight differ in length; if y does not hold numbers; if parameters
            are not those of the fit that `warm_start` goes on from; or if training
            diverges in its first epoch.

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
                self, X, y, sample_weight, are_numbers=True, reset=last is None
            )
            targets = learn_targets(self, y, "regression", sample_weight)
            self._is_one_output = y.ndim == 1
            fit_network(self, sequences, targets, sample_weight, task, last)
        return self

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Learn from a chunk of the data: one epoch, on from the last call.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            As in `fit`. Mean and standard deviation are those of the first chunk.
        {sample_weight of a chunk}

        Returns
        -------
        self : RNNRegressor
            The fitted regressor.

        Raises
        ------
        TypeError
            As `fit`.
        ValueError
            As `fit`; also if y has not as many columns as on the first call, if a
            parameter of the network or of reading has changed, or if `early_stopping`
            is True.

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
                self, X, y, sample_weight, are_numbers=True, reset=last is None
            )
            of = y, "regression", sample_weight
            targets = _partial_fit.targets_of_chunk(self, *of)
            if last is None:
                self._is_one_output = y.ndim == 1
            of = sequences, targets, sample_weight
            fit_network(self, *of, task, last, is_partial=True)
        return self

    def _complete(self):
        self.encoder_ = as_encoder(self, "regression")

    def predict(self, X):
        """Predict the numbers of each sequence.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            Of one dimension if y was in `fit`.

        Raises
        ------
        {raises of predict}
        """
        scores = self._scores(X).numpy().astype(np.float64)
        y = scores * self.target_scale_ + self.target_mean_
        return y[:, 0] if self._is_one_output else y

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
