"""RNNClassifier: a sequence to its class."""

import torch
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets

from skrnn import _partial_fit
from skrnn._base import BaseRNN
from skrnn._callbacks import FitTask, with_callbacks
from skrnn._core.threads import torch_settings
from skrnn._docs import share_docs
from skrnn._encoder import as_encoder
from skrnn._fitting import fit_network
from skrnn._targets import learn_targets, task_of, weigh_classes
from skrnn._text import TOKEN_PATTERN
from skrnn._validation import validate_training_data


@share_docs
class RNNClassifier(ClassifierMixin, BaseRNN):
    r"""Classify sequences by a recurrent network.

    The network [1]_ reads each sequence step by step, in the simplest case by

        h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),    scores = V h_T + c,

    and the softmax of the scores gives the probability of each class. The weights
    minimise the cross entropy of y. Sequences may also have several labels each, of
    which the logistic function of the scores gives the probabilities.

    Parameters
    ----------
    {parameters}
    class_weight : dict of class -> weight, "balanced" or None, default=None
        What the weights of the sequences of a class are multiplied by. "balanced" gives
        all classes the same weight in the loss. Not for several labels a sequence.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted; of several labels a sequence, their columns in y.
    encoder_ : RNNEncoder
        The fitted encoder of this classifier: it has the same weights, and its
        `transform` gives the h that the scores are computed from.
    {kind}
    {weights}
    V_ : ndarray of shape (n_outputs, n_features_out)
        Output weights, one row a class.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    {inputs}
    loss_ : float
        Loss of the last epoch: cross entropy in nats, averaged over the training data
        while the weights moved.
    {losses}

    See Also
    --------
    RNNRegressor : Predicts numbers.
    RNNEncoder : The same network as a transformer, whose h can feed any estimator.

    Notes
    -----
    {notes}

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
    """

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's own form)
        **BaseRNN._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
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
        class_weight=None,
    ):
        super().__init__(
            nhidden,
            cell=cell,
            activation=activation,
            recurrence=recurrence,
            bidirectional=bidirectional,
            pooling=pooling,
            analyzer=analyzer,
            lowercase=lowercase,
            strip_accents=strip_accents,
            token_pattern=token_pattern,
            ngram_range=ngram_range,
            min_df=min_df,
            max_features=max_features,
            vocabulary=vocabulary,
            embeddings=embeddings,
            freeze_embeddings=freeze_embeddings,
            standardize=standardize,
            differences=differences,
            patch_length=patch_length,
            missing=missing,
            max_length=max_length,
            overlong=overlong,
            token_dropout=token_dropout,
            dropout=dropout,
            truncate=truncate,
            learning_rate_init=learning_rate_init,
            batch_size=batch_size,
            max_iter=max_iter,
            alpha=alpha,
            max_grad_norm=max_grad_norm,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn to classify sequences.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Class labels; or, of several labels a sequence, a column of 0 and 1 for
            each.
        {sample_weight}

        Returns
        -------
        self : RNNClassifier
            The fitted classifier.

        Raises
        ------
        TypeError
            If X is not a container of sequences of one kind.
        ValueError
            If X or one of its sequences is empty, or longer than `max_length`; if the
            numbers of features differ; if a number is infinite, or NaN without
            `missing`; if no token is left, or `embeddings` cannot be read; if X, y and
            sample_weight differ in length; if y does not hold class labels; if
            parameters are not those of the fit that `warm_start` goes on from; or if
            training diverges in its first epoch.

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
                self, X, y, sample_weight, reset=last is None
            )
            kind = task_of(y)
            if kind == "regression":
                _refuse_numbers(y)
            sample_weight = weigh_classes(self.class_weight, y, sample_weight)
            targets = learn_targets(self, y, kind, sample_weight)
            self._is_multilabel = kind == "multilabel"
            fit_network(self, sequences, targets, sample_weight, task, last)
        return self

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Learn from a chunk of the data: one epoch, on from the last call.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels that may come, on the first call; may be left out afterwards,
            and where y has a column for each of several labels.
        {sample_weight of a chunk}

        Returns
        -------
        self : RNNClassifier
            The fitted classifier.

        Raises
        ------
        TypeError
            As `fit`.
        ValueError
            As `fit`; also if there are no `classes` on the first call, or other ones
            later; if y holds a label that is not among them; if a parameter of the
            network or of reading has changed; or if `early_stopping` is True or
            `class_weight` is "balanced".

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
                self, X, y, sample_weight, reset=last is None
            )
            kind = None
            if last is not None:
                kind = "multilabel" if self._is_multilabel else "classification"
            kind = _partial_fit.learn_kind(self, y, classes, kind)
            if kind == "regression":
                _refuse_numbers(y)
            self._is_multilabel = kind == "multilabel"
            of = self.class_weight, y, sample_weight, self.classes_
            sample_weight = weigh_classes(*of)
            targets = _partial_fit.targets_of_chunk(self, y, kind, sample_weight)
            of = sequences, targets, sample_weight
            fit_network(self, *of, task, last, is_partial=True)
        return self

    def _complete(self):
        kind = "multilabel" if self._is_multilabel else "classification"
        self.encoder_ = as_encoder(self, kind)

    def predict(self, X):
        """Predict the class of each sequence.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The class of the highest score; or 1 for each label whose probability is
            above one half, and 0 for the others.

        Raises
        ------
        {raises of predict}
        """
        scores = self._scores(X)
        if self._is_multilabel:
            return (scores > 0).long().numpy()
        return self.classes_[scores.argmax(dim=1).numpy()]

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float64
            In the order of `classes_`; each row sums to 1, unless a sequence may have
            several labels.

        Raises
        ------
        {raises of predict}
        """
        with torch_settings():
            scores = self._scores(X).double()  # so that means of rows sum to 1, too
            if self._is_multilabel:
                return torch.sigmoid(scores).numpy()
            return torch.softmax(scores, dim=1).numpy()

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            In the order of `classes_`, in nats.

        Raises
        ------
        {raises of predict}
        """
        with torch_settings():
            scores = self._scores(X).double()
            if self._is_multilabel:
                return torch.nn.functional.logsigmoid(scores).numpy()
            return torch.log_softmax(scores, dim=1).numpy()

    def decision_function(self, X):
        """Compute the scores of the classes, before the softmax.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes) or (n_samples,), float32
            ``V h + c``. Of two classes, the score of the second less that of the
            first, which is its log odds. Of several labels, the log odds of each.

        Raises
        ------
        {raises of predict}
        """
        scores = self._scores(X)
        if len(self.classes_) == 2 and not self._is_multilabel:
            scores = scores[:, 1] - scores[:, 0]
        return scores.numpy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _refuse_numbers(y):
    check_classification_targets(y)  # whose sentence users know
    raise ValueError(
        f"y has {y.shape[1]} columns with values such as {y.max():g}: one column of "
        "class labels, or a column of 0 and 1 for each of several labels, was expected."
    )
