"""RNNClassifier: from a sequence to its class."""

from dataclasses import KW_ONLY
from typing import Literal

from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils.multiclass import check_classification_targets

from skrnn._base import BaseRNN
from skrnn._callbacks import with_callbacks
from skrnn._docs import share_docs
from skrnn._encoder import as_encoder
from skrnn._heads.validation import validate_scored
from skrnn._judging import ValidationData
from skrnn._notebook import OffersPage
from skrnn._types import ClassWeights, Count, Pair, takes_parameters


@share_docs
@takes_parameters
class RNNClassifier(OffersPage, ClassifierMixin, BaseRNN):
    r"""Classify sequences with a recurrent network.

    The network [1]_ reads each sequence step by step. In the simplest case, it computes

        h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),    scores = V h_T + c,

    and the softmax of the scores gives the probability of each class. The weights
    minimise the cross entropy of y. A sequence may also have several labels; their
    probabilities are then given by the logistic function of the scores. By default, a
    linear model, of n-grams or of patterns in numeric series, is learned beside the
    network, and the scores are the mean of both; see `wide_ngram_range` and
    `n_wide_features`.

    Parameters
    ----------
    {parameters}
    class_weight : dict of class -> weight, "balanced" or None, default=None
        Weights of the classes, by which the weights of their sequences are multiplied.
        "balanced" gives all classes the same total weight in the loss. Not supported if
        sequences have several labels. Validation data passed to `fit` has only the
        weights passed with it.
    {wide parameter}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted. If sequences have several labels, the indices of the
        columns of y.
    encoder_ : RNNEncoder
        The fitted encoder of this classifier. It has the same weights, and its
        `transform` returns the h of the network, without what a wide path reads.
    {kind}
    {weights}
    V_ : ndarray of shape (n_outputs, n_features_out)
        Output weights, one row per class.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    {wide}
    {inputs}
    loss_ : float
        Loss of the last epoch: cross entropy in nats, averaged over the training data
        while the weights were being updated.
    {losses}

    See Also
    --------
    RNNRegressor : Predicts numbers.
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
    >>> from skrnn import RNNClassifier
    >>> words = ["cat", "chat", "katze"]
    >>> languages = ["English", "French", "German"]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(words, languages)
    >>> classifier.predict(["chat", "cat"])
    array(['French', 'English'], dtype='<U7')
    >>> classifier.predict_proba(["katze"]).argmax()
    np.int64(2)

    If sequences belong to groups, such as readings of several patients, stop early by
    the score on groups that the network is not trained on:

    >>> import numpy as np
    >>> from sklearn.model_selection import GroupShuffleSplit
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 8)).cumsum(axis=1)
    >>> y, groups = np.where(X[:, -1] > X[:, 0], "up", "down"), np.repeat(range(20), 10)
    >>> split = GroupShuffleSplit(n_splits=1, test_size=0.2, random_state=0)
    >>> train, val = next(split.split(X, y, groups))
    >>> classifier = RNNClassifier(nhidden=32, early_stopping=True, random_state=0)
    >>> classifier = classifier.fit(X[train], y[train], X_val=X[val], y_val=y[val])
    >>> classifier.best_validation_score_ > 0.9
    True
    """

    _: KW_ONLY
    class_weight: ClassWeights | Literal["balanced"] | None = None
    wide_ngram_range: Literal["auto"] | Pair | None = "auto"
    n_wide_features: Literal["auto"] | Count | None = "auto"

    _needs_classes = True
    _reads_chunks = True
    _tasks = ("classification", "multilabel")
    _says_of_y = "_is_multilabel"

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
        """Learn to classify sequences.

        Parameters
        ----------
        {X or chunks of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Class labels; or, if sequences have several labels, one column of 0 and 1
            per label. Columns are always read as labels of the whole sequence, even if
            there are as many as steps: a label for each step is not supported.
            None only if X is a ChunkedDataset, whose chunks have their own.
        {sample_weight}
        {X_val}
        y_val : array-like, default=None
            The y of `X_val`.
        {sample_weight_val}

        Returns
        -------
        self : RNNClassifier
            The fitted classifier.

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
            hold class labels; if `warm_start` is True and parameters of the network or
            of reading have changed; if `X_val` is incomplete, passed without
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
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on a chunk of the data, continuing from the last call.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that may occur in any chunk. Required in the first call, unless y
            has one column per label; optional in later calls.
        {sample_weight of a chunk}

        Returns
        -------
        self : RNNClassifier
            The fitted classifier.

        Raises
        ------
        TypeError
            As in `fit`.
        ValueError
            As in `fit`; also if `classes` is missing in the first call, or differs in a
            later one; if y holds a label that is not in `classes`; if parameters of the
            network or of reading have changed; or if `early_stopping` is True,
            `class_weight` is "balanced", or `checkpoint` is not None.

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
        return self._learn(X, y, sample_weight, classes=classes, is_partial=True)

    def _check_task(self, task, y):
        if task == "regression":
            check_classification_targets(y)  # users know its message
            raise ValueError(
                f"y has {y.shape[1]} columns with values such as {y.max():g}: one "
                "column of class labels, or a column of 0 and 1 for each of several "
                "labels, was expected."
            )

    def _attributes_of_y(self, head):
        return {"_is_multilabel": head.task == "multilabel"}

    def _encoder_of(self, attributes):
        return {"encoder_": as_encoder(self, attributes)}

    def predict(self, X):
        """Predict the class of each sequence.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The class with the highest score. If sequences have several labels, 1 for
            each label whose probability is above one half, and 0 for the others.

        Raises
        ------
        {raises of predict}
        """
        head, scores = self._head_and_scores(X)
        return head.decode(scores)

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float64
            Columns are in the order of `classes_`. Each row sums to 1, unless sequences
            have several labels.

        Raises
        ------
        {raises of predict}
        """
        head, scores = self._head_and_scores(X)
        return head.probabilities(scores)

    def staged_predict(self, X):
        """Predict the class of each sequence after each of its steps.

        Parameters
        ----------
        {X of predict}

        Yields
        ------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
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

    def staged_predict_proba(self, X):
        """Predict the probability of each class after each step of sequences.

        Parameters
        ----------
        {X of predict}

        Yields
        ------
        probabilities : ndarray of shape (n_samples, n_classes), float64
            At stage t, what :meth:`predict_proba` returns for the first t steps of each
            sequence.

        Raises
        ------
        {raises of predict}

        Notes
        -----
        {stages}
        """
        for head, scores in self._staged_scores(X):
            yield head.probabilities(scores)

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            Columns are in the order of `classes_`. Natural logarithms.

        Raises
        ------
        {raises of predict}
        """
        head, scores = self._head_and_scores(X)
        return head.log_probabilities(scores)

    def decision_function(self, X):
        """Compute the scores of the classes before the softmax.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes) or (n_samples,), float32
            ``V h + c``, or its mean with A x of the wide path. For two classes, the
            score of the second class minus that of the first, which is the log odds of
            the second class. If sequences have several labels, the log odds of each.

        Raises
        ------
        {raises of predict}
        """
        head, scores = self._head_and_scores(X)
        return head.decision(scores)

    def score(self, X, y, sample_weight=None):
        """Compute the accuracy of predictions.

        Parameters
        ----------
        {X of predict}
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            The true labels, in any container that `fit` accepts.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence in the score. None gives all the same weight.

        Returns
        -------
        score : float
            Share of sequences whose class, or all of whose labels, are right.

        Raises
        ------
        {raises of predict}
        """
        y, sample_weight = validate_scored(
            y, sample_weight, type(self).__name__, are_numbers=False
        )
        return super().score(X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
