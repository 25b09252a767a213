"""RNNEncoder: from a sequence to the vector in which a network encodes it."""

from dataclasses import fields

from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)

from skrnn._base import BaseRNN
from skrnn._callbacks import with_callbacks
from skrnn._continuing import without_wide
from skrnn._core.architecture import Architecture
from skrnn._docs import share_docs
from skrnn._heads.task import head_of
from skrnn._judging import ValidationData
from skrnn._notebook import OffersPage
from skrnn._reading.reader import OF_WIDE
from skrnn._types import takes_parameters


@share_docs
@takes_parameters
class RNNEncoder(
    OffersPage, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseRNN
):
    r"""Encode sequences as order-sensitive vectors with a recurrent network.

    The network [1]_ reads each sequence step by step. In the simplest case, it computes

        h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),

    and the code h of the sequence is the last hidden state, or a summary of all hidden
    states, depending on `pooling`. W, U and b are learned together with V and c so that
    ``V h + c`` predicts y. The loss is the cross entropy if y holds labels, and the
    squared error if it holds numbers. Without y, ``V h_t + c`` predicts what the
    network reads at step t + 1. For tokens, this is the next token or the end of the
    sequence, and the loss is the cross entropy; for numbers, it is all numbers of that
    step, and the loss is the squared error.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    task_ : {"classification", "multilabel", "regression", "next_step"}
        "next_step" without y. Otherwise, how y was interpreted, based on
        :func:`sklearn.utils.multiclass.type_of_target`: strings, integers and floats
        that are whole numbers are class labels; columns of 0 and 1 indicate which of
        several labels a sequence has; other floats, and other columns of numbers, are
        numbers to predict.
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted. If sequences have several labels, the indices of the
        columns of y. Not available if numbers or next steps are predicted.
    target_mean_, target_scale_ : ndarrays of shape (n_outputs,)
        Mean and standard deviation of y. Only available for regression.
    {kind}
    {weights}
    V_ : ndarray of shape (n_outputs, n_features_out)
        Output weights, which predict y from h. Numbers to predict are standardised
        first. Without y, the shape is (n_outputs, nhidden): for tokens, row 0 predicts
        the end of a sequence and row i predicts the token with id i; for series, each
        row predicts a number of x.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    {inputs}
    loss_ : float
        Loss of the last epoch: cross entropy in nats, or half the squared error of
        standardised y, averaged over the training data while the weights were being
        updated. Without y, it is averaged over all steps that have a next step; for
        tokens, the end of a sequence counts as a step.
    {losses}

    See Also
    --------
    RNNClassifier : The same network with predictions of classes.
    RNNRegressor : The same network with predictions of numbers.

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

    The order of the steps matters, so two words with the same letters differ:

    >>> cat, act, same = encoder.transform(["cat", "act", "cat"])
    >>> bool(abs(cat - act).max() > 0.1), bool((cat == same).all())
    (True, True)

    If labels are scarce, first learn from sequences without labels:

    >>> encoder = RNNEncoder(nhidden=4, warm_start=True, random_state=0)
    >>> encoder.fit(X + ["attack", "cat tact", "act at"]).task_
    'next_step'
    >>> encoder.set_params(learning_rate_init=0.001).fit(X, y).task_
    'classification'
    """

    _y_is_required = False
    _reads_chunks = True
    _tasks = ("classification", "multilabel", "regression", "next_step")
    _says_of_y = "task_"

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
        """Learn to encode sequences by predicting y or their next steps.

        Parameters
        ----------
        {X or chunks of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Class labels, several labels per sequence, or one or more numbers per
            sequence; see `task_`. Columns are always read as targets of the whole
            sequence, even if there are as many as steps. To predict whole numbers that
            are not labels, use the `encoder_` of an RNNRegressor. If None, learn from
            the sequences alone.
        {sample_weight}
        {X_val}
        y_val : array-like, default=None
            The y of `X_val`; None if y is None.
        {sample_weight_val}

        Returns
        -------
        self : RNNEncoder
            The fitted encoder.

        Raises
        ------
        TypeError
            If X is not a container of sequences that are all of one kind, or y or the
            weights are not array-like, or hold times among or instead of numbers.
        ValueError
            If X or a series is empty; if a sequence is longer than `max_length`; if
            sequences differ in their number of features; if a number is infinite, or
            NaN and `missing` is "error"; if the vocabulary is empty, or `embeddings`
            cannot be read; if X, y and sample_weight differ in length; if y holds
            neither labels nor numbers; if `warm_start` is True and parameters of the
            network or of reading have changed; if parameters are not supported without
            y; if `X_val` is incomplete, passed without `early_stopping`, or different
            in kind from X, or `y_val` holds a label that is not in y; or if training
            diverges in the first epoch.
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
    def partial_fit(self, X, y=None, classes=None, sample_weight=None):
        """Train for one epoch on a chunk of the data, continuing from the last call.

        Parameters
        ----------
        {X of fit}
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            As in `fit`, and of the same kind in each call.
        classes : array-like of shape (n_classes,), default=None
            If y holds class labels, all labels that may occur in any chunk. Only needed
            in the first call. If None, the labels of the first chunk are used.
        {sample_weight of a chunk}

        Returns
        -------
        self : RNNEncoder
            The fitted encoder.

        Raises
        ------
        TypeError
            As in `fit`.
        ValueError
            As in `fit`; also if `classes` differs from that of the first call; if y
            holds a label that is not in `classes`, or is of a different kind than in
            the last call; if parameters of the network or of reading have changed; or
            if `early_stopping` is True or `checkpoint` is not None.

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

    def _attributes_of_y(self, head):
        return {"task_": head.task}

    def transform(self, X):
        """Encode sequences.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        h : ndarray of shape (n_samples, n_features_out), float32
            The code of each sequence. It has nhidden entries, where nhidden is that of
            the last layer; twice as many if the network reads in both directions, and
            twice as many again if `pooling` is "concat". With `kernel_sizes`, layer by
            layer, the means and then the largest values of the filters follow.

        Raises
        ------
        {raises of predict}
        """
        _, h = self._model_and_states(X)
        return h

    def get_feature_names_out(self, input_features=None):
        """Return the names of the entries of h.

        Parameters
        ----------
        input_features : object, default=None
            Not used, present for consistency with scikit-learn.

        Returns
        -------
        names : ndarray of str
            ``rnnencoder0``, ``rnnencoder1`` and so on for the states of the recurrence.
            With `kernel_sizes`, ``rnnencoder_mean0_0`` and so on follow for the means
            of the filters of layer 0, ``rnnencoder_max0_0`` and so on for their largest
            values, and then the same for the other layers.
        """
        names = super().get_feature_names_out(input_features)
        architecture = Architecture(**self._architecture)
        if architecture.kernel_sizes:
            prefix = type(self).__name__.lower()
            layers, filters = architecture.kernel_sizes, architecture.n_filters
            names[-architecture.n_features_of_filters :] = [
                f"{prefix}_{pool}{k}_{i}"
                for k in range(len(layers))
                for pool in ("mean", "max")
                for i in range(filters)
            ]
        return names

    @property
    def _n_features_out(self):
        return Architecture(**self._architecture).n_features_out

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def as_encoder(estimator, attributes):
    """A fitted RNNEncoder that shares the memory of an estimator's weights.

    Parameters
    ----------
    estimator : estimator instance
        Its parameters become those of the encoder.
    attributes : dict
        The fitted attributes.
    """
    names = [field.name for field in fields(RNNEncoder)]
    parameters = {name: getattr(estimator, name) for name in names}
    encoder = RNNEncoder(**parameters)
    task = {"task_": head_of(attributes).task}
    others = ("encoder_", "task_", "wide_coef_", *OF_WIDE)
    attributes = {k: v for k, v in attributes.items() if k not in others}
    if "_training" in attributes:
        attributes["_training"] = without_wide(attributes["_training"])
    encoder._become({**attributes, **task})
    return encoder
