"""RNNEncoder: a sequence to its last hidden state."""

from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)

from skrnn._base import FITTED, BaseRNN
from skrnn._docs import share_docs
from skrnn._fitting import fit_network
from skrnn._targets import learn_targets, task_of
from skrnn._validation import validate_training_data


@share_docs
class RNNEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseRNN):
    r"""Encode sequences as vectors that know about order.

    A recurrent network [1]_ reads each sequence step by step, in the simplest case by

        h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),

    and its last hidden state h is the code of the sequence. W, U and b are learned
    together with V and c so that ``V h + c`` predicts y: by cross entropy where y holds
    labels, by squared error where it holds numbers.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    task_ : {"classification", "multilabel", "regression"}
        What y was taken for, by :func:`sklearn.utils.multiclass.type_of_target`:
        strings, integers and floats that are whole numbers are class labels; columns of
        0 and 1 say which of several labels a sequence has; other floats, and other
        columns of numbers, are numbers to predict.
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted; of several labels a sequence, their columns in y. Not
        there for regression.
    target_mean_, target_scale_ : ndarrays of shape (n_outputs,)
        Mean and standard deviation of y. Only there for regression.
    {kind}
    {weights}
    V_ : ndarray of shape (n_outputs, n_features_out)
        Output weights, learned to predict y from h. Numbers to predict are
        standardised first.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    {inputs}
    loss_ : float
        Loss of the last epoch: cross entropy in nats, or half the squared error of
        standardised y, averaged over the training data while the weights moved.
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
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn to encode sequences by learning to predict y from them.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, several labels, or one or more numbers for each sequence: see
            `task_`. For whole numbers that are no labels, take the `encoder_` of an
            RNNRegressor.
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
            sample_weight differ in length; if y is neither labels nor numbers; or if
            training diverges in its first epoch.

        Warns
        -----
        ConvergenceWarning
            If training diverges later, or ends with a loss far above that of guessing.

        Notes
        -----
        A fit that fails leaves the estimator as it was.
        """
        with self._refit():
            sequences, y, sample_weight = validate_training_data(
                self, X, y, sample_weight
            )
            self.task_ = task_of(y)
            targets = learn_targets(self, y, self.task_, sample_weight)
            fit_network(self, sequences, targets, sample_weight)
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
            if `bidirectional`.

        Raises
        ------
        {raises of predict}
        """
        return self._hidden_states(X).numpy()

    @property
    def _n_features_out(self):
        return self.V_.shape[1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
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
