"""RNNTagger: from a sequence to a tag for each of its steps."""

from dataclasses import KW_ONLY
from typing import ClassVar, Literal

import numpy as np
from sklearn.base import _fit_context

from skrnn._base import BaseRNN
from skrnn._callbacks import with_callbacks
from skrnn._docs import share_docs
from skrnn._heads.chain import ChainHead, check_weight_of_chains
from skrnn._heads.later import check_type_of_tags
from skrnn._heads.ragged import validate_tags
from skrnn._heads.tags import TagsHead
from skrnn._judging import ValidationData
from skrnn._outputs import with_log_p
from skrnn._stream import TagStream, check_count
from skrnn._types import ClassWeights, takes_parameters


@share_docs
@takes_parameters
class RNNTagger(BaseRNN):
    r"""Predict a tag for each step of sequences with a recurrent network.

    The network [1]_ reads each sequence step by step. In the simplest case, it computes

        h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),    scores_t = V h_t + c,

    and the softmax of the scores gives the probability of each tag at step t. By
    default, the network reads in both directions, so that h_t knows all steps before
    and after t. The weights minimise the cross entropy of the tags of all steps.

    With `transitions`, the tags of a sequence are a linear chain, a conditional random
    field [21]_ on top of the network [22]_, where A is learned as well:

        score(y_1, ..., y_T) = a_{y_1} + sum_t scores_{t, y_t}
                               + sum_{t > 1} A_{y_{t-1}, y_t} + e_{y_T},

    and the softmax of the scores of all sequences of T tags gives the probability of
    each. The weights minimise the cross entropy of whole sequences of tags.

    Parameters
    ----------
    transitions : bool, default=False
        Whether a tag also depends on the tags beside it, as in spans of several words,
        in addition to what the network reads. Training and prediction then take time
        O(n_steps n_classes^2) more. Not supported with `truncate` and `class_weight`.
    bidirectional : bool or "auto", default="auto"
        Whether to also read each sequence backwards, with separate weights. h is then
        the concatenation of the states of both directions. "auto" is True unless
        `truncate` is set.
    subwords : bool or "auto", default="auto"
        Whether to also read what a word is made of, if the steps are words, or tokens
        that are strings: the word in lowercase; its beginnings and its endings of one
        to four characters; its shape, such as "Xx" for "Word"; and the pattern of its
        first 12 characters, such as "Xxxx". Their vectors are added to that of the
        word, so that words which `fit` has not seen are read by what they share with
        others [17]_. At most the 20,000 most frequent ones have a vector, unless
        `max_features` is set. What a short word does not have is replaced by one
        vector, the same for all. "auto" is True for words, and for tokens that are
        strings, unless `vocabulary` is given. Without effect for characters and
        features, and with `embeddings`.
    token_dropout : float in [0, 1) or "auto", default="auto"
        During training, the minimum probability with which each token, n-gram or
        subword is replaced by the unknown token [10]_. "auto" is 0.2 with `subwords`,
        0.4 for n-grams of characters or tokens, 0.1 for those of words, and 0 for
        single tokens.
    dropout : float in [0, 1) or "auto", default="auto"
        During training, the probability of setting to 0 each input of a layer above the
        first, and each entry of h before it is multiplied by V. An entry is dropped at
        all steps of a sequence or at none [9]_. "auto" is 0.3 for words that are read
        with `subwords`, and 0 otherwise.
    truncate : int or None, default=None
        During training, number of steps through which to backpropagate: the weights are
        updated after each `truncate` steps, and the next ones start from the states
        that these lead to [13]_. This is intended for sequences of thousands of steps.
        Not supported with `bidirectional`.
    batch_size : int or "auto", default="auto"
        Number of sequences per update, or per several updates if `truncate` is set.
        "auto" is the square root of the number of sequences, but at least 8 and at most
        128.
    max_iter : int or "auto", default="auto"
        Number of epochs, over which the learning rate increases and decreases. "auto"
        is the number of epochs that 400 updates take, but at least 12 and at most 1000.
    {parameters}
    class_weight : dict of class -> weight, "balanced" or None, default=None
        Weights of the tags, by which the weights of their steps are multiplied.
        "balanced" gives all tags the same total weight in the loss. Validation data
        passed to `fit` has only the weights passed with it.

    Attributes
    ----------
    task_ : {"tagging"}
        What is predicted.
    classes_ : ndarray of shape (n_classes,)
        The tags, sorted.
    {kind}
    {weights}
    V_ : ndarray of shape (n_classes, n_directions * nhidden)
        Output weights, one row per tag.
    intercept_ : ndarray of shape (n_classes,)
        Output biases.
    transitions_ : ndarray of shape (n_classes, n_classes)
        The A of the chain: the score of each tag, by column, after the tag of the row.
        To forbid a transition, set it to -1e4. Only available with `transitions`, as
        are the two below.
    start_transitions_, end_transitions_ : ndarrays of shape (n_classes,)
        The scores of the first tag, a, and of the last one, e.
    {inputs}
    loss_ : float
        Loss of the last epoch: cross entropy in nats, averaged over all steps of the
        training data while the weights were being updated. With `transitions`, it is
        that of the sequences of tags, divided by the number of all steps.
    {losses}

    See Also
    --------
    RNNClassifier : Predicts one class for each sequence.
    skrnn.metrics.span_f1_score : F1 score of named entities and other spans.

    Notes
    -----
    In a search, ``make_scorer(token_accuracy_score)`` of :mod:`skrnn.metrics`, or
    `scoring=None`, scores steps; ``scoring="accuracy"`` does not. ``cross_val_predict``
    of scikit-learn joins arrays of one length only: predict fold by fold.

    {notes}

    References
    ----------
    {references}
    .. [21] Lafferty, McCallum and Pereira (2001), "Conditional Random Fields:
       Probabilistic Models for Segmenting and Labeling Sequence Data", ICML.
    .. [22] Huang, Xu and Yu (2015), "Bidirectional LSTM-CRF Models for Sequence
       Tagging", arXiv:1508.01991.

    Examples
    --------
    >>> from skrnn import RNNTagger
    >>> X = [["the", "cat", "sleeps"], ["a", "dog", "barks"], ["the", "dog", "sleeps"]]
    >>> y = [["DET", "NOUN", "VERB"]] * 3
    >>> tagger = RNNTagger(nhidden=8, random_state=0).fit(X, y)
    >>> tagger.predict([["a", "cat", "barks"], ["the", "dog"]])
    [array(['DET', 'NOUN', 'VERB'], dtype='<U4'), array(['DET', 'NOUN'], dtype='<U4')]

    A string has a tag for each character, here whether it is a vowel:

    >>> X, y = ["banana", "tomato", "paper"] * 9, ["cvcvcv", "cvcvcv", "cvcvc"] * 9
    >>> tagger = RNNTagger(nhidden=8, random_state=0).fit(X, y)
    >>> "".join(tagger.predict(["potato"])[0])
    'cvcvcv'

    A step may also be a set of features, as those that CRFsuite reads:

    >>> ada, eve = ({"word": name, "is_title": True} for name in ("Ada", "Eve"))
    >>> X = [[ada, {"word": "ran"}], [{"word": "it"}, {"word": "rained"}]] * 9
    >>> tagger = RNNTagger(nhidden=8, random_state=0).fit(X, ["NO", "OO"] * 9)
    >>> "".join(tagger.predict([[eve, {"word": "ran"}]])[0])  # a name, and another
    'NO'
    """

    _: KW_ONLY
    class_weight: ClassWeights | Literal["balanced"] | None = None
    transitions: bool = False

    # There is an answer for each step that there is.
    pooling: ClassVar[str] = "last"
    patch_length: ClassVar[int] = 1
    kernel_sizes: ClassVar[None] = None
    overlong: ClassVar[None] = None  # too long sequences are not cut

    _needs_classes = True
    _reads_chunks = True
    _tasks = ("tagging",)
    _says_of_y = "task_"

    @property
    def _head(self):
        return ChainHead if self.transitions else TagsHead

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
        """Learn to tag the steps of sequences.

        Parameters
        ----------
        {X or chunks of fit}
        y : array-like of n_samples sequences of tags, default=None
            For each sequence, as many tags as it has steps: a list, a tuple or an array
            of strings or of integers; or a string, whose characters are the tags.
            None only if X is a ChunkedDataset, whose chunks have their own.
        sample_weight : array-like of shape (n_samples,), or of n_samples sequences of \
                numbers, default=None
            Weight of each sequence in the loss, or of each step. A weight of 0 is
            equivalent to not knowing the tags, except that they stay in `classes_`.
            With `transitions`, the weights of the other steps of a sequence must be the
            same; the loss is then that of all sequences of tags which agree with the
            known ones [1]_.
        {X_val}
        y_val : array-like of sequences of tags, default=None
            The y of `X_val`.
        sample_weight_val : array-like, default=None
            Weight of each sequence or step of `X_val` in the validation score and loss.
            A weight of 0 is equivalent to removing the sequence, or the tag.

        Returns
        -------
        self : RNNTagger
            The fitted tagger.

        Raises
        ------
        TypeError
            If X is not a container of sequences that are all of one kind; if y is not a
            container of sequences of tags; or if tags are of several types.
        ValueError
            If X or a series is empty; if a sequence is longer than `max_length`; if
            sequences differ in their number of features; if a number is infinite, or
            NaN and `missing` is "error"; if the vocabulary is empty, or `embeddings`
            cannot be read; if X and y, or a sequence and its tags or weights, differ in
            length; if `warm_start` is True and parameters of the network or of reading
            have changed; if `X_val` is incomplete, passed without `early_stopping`, or
            different in kind from X, or `y_val` holds a tag that is not in y; or if
            training diverges in the first epoch.
        {raises of checkpoints}

        Warns
        -----
        ConvergenceWarning
            If training diverges in a later epoch, or ends with a loss that is far above
            that of guessing, or no better.
        UserWarning
            If most of the memory is for the tokens of a large vocabulary.

        Notes
        -----
        If a fit fails, the estimator is left unchanged.

        References
        ----------
        .. [1] Tsuboi et al. (2008), "Training Conditional Random Fields Using
           Incomplete Annotations", COLING.
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
        y : array-like of n_samples sequences of tags
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All tags that may occur in any chunk. Required in the first call.
        sample_weight : array-like of shape (n_samples,), or of n_samples sequences of \
                numbers, default=None
            Weight of each sequence or step in the loss, relative to the others of this
            chunk.

        Returns
        -------
        self : RNNTagger
            The fitted tagger.

        Raises
        ------
        TypeError
            As in `fit`.
        ValueError
            As in `fit`; also if `classes` is missing in the first call, or differs from
            that of the first call; if y holds a tag that is not in `classes`; if
            parameters of the network or of reading have changed; or if
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
        return self._learn(X, y, sample_weight, classes=classes, is_partial=True)

    def _validated(self, y, sample_weight, sequences, head=None, may_be_0=False):
        offsets, name = sequences.offsets, type(self).__name__
        y, weight = validate_tags(
            y, sample_weight, offsets, name, sequences.kind, may_be_0
        )
        if self.transitions:
            check_weight_of_chains(weight, offsets)
        return y, weight

    def _attributes_of_y(self, head):
        return {"task_": head.task}

    def predict(self, X):
        """Predict the tag of each step.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        y : list of ndarrays of shape (n_steps,)
            For each sequence, the tag with the highest score at each step; with
            `transitions`, the sequence of tags with the highest score [24]_.

        Raises
        ------
        {raises of predict}

        References
        ----------
        .. [24] Viterbi (1967), "Error Bounds for Convolutional Codes and an
           Asymptotically Optimum Decoding Algorithm", IEEE Transactions on Information
           Theory 13(2).
        """
        head, scores, offsets = self._head_and_scores_of_steps(X)
        return np.split(head.decode(scores, offsets), offsets[1:-1])

    def predict_n_best(self, X, n_best=5):
        """Predict several sequences of tags for each sequence, the likeliest first.

        Parameters
        ----------
        {X of predict}
        n_best : int, default=5
            How many to predict.

        Returns
        -------
        y : list of list of tuple (tags, log_p)
            For each sequence of X, the `n_best` likeliest sequences of tags, or fewer
            if there are not as many, each an ndarray of shape (n_steps,) with the
            logarithm of its probability in nats.

        Raises
        ------
        {raises of predict}
        ValueError
            If `n_best` is not a whole number from 1, or so many take more memory than
            there may be.
        """
        check_count("n_best", n_best)
        head, scores, offsets = self._head_and_scores_of_steps(X)
        return with_log_p(*head.n_best(scores, offsets, int(n_best)))

    def predict_proba(self, X):
        """Predict the probability of each tag at each step.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        probabilities : list of ndarrays of shape (n_steps, n_classes), float64
            Columns are in the order of `classes_`. Each row sums to 1. With
            `transitions`, these are the sums of the probabilities of all sequences of
            tags that have the tag at the step.

        Raises
        ------
        {raises of predict}
        """
        head, scores, offsets = self._head_and_scores_of_steps(X)
        return np.split(head.probabilities(scores, offsets), offsets[1:-1])

    def start(self, n_streams=1):
        """Start to tag sequences step by step, with ``bidirectional=False``.

        Parameters
        ----------
        n_streams : int, default=1
            How many sequences are read side by side.

        Returns
        -------
        stream : TagStream
            Its ``step(tokens)`` reads one more token of each sequence, in a time that
            does not depend on how many came before, and returns the probabilities of
            its tags. It keeps the tagger as it is now, and can be copied and pickled.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If the tagger reads what comes after a step as well, or has `transitions`,
            or `n_streams` is not a whole number from 1.
        """
        check_count("n_streams", n_streams)
        model, expected = self._model_and_schema()
        if model.architecture.bidirectional:
            raise ValueError(
                "This tagger reads sequences backwards as well, so that the tag of a "
                "step depends on all steps after it. To read step by step, fit it with "
                "bidirectional=False."
            )
        if model.head.has_transitions:
            raise ValueError(
                "This tagger has transitions, by which the tag of a step depends on "
                "all tags after it. To read step by step, fit it with "
                "transitions=False."
            )
        if model.reader.kind == "series" and len(model.reader.own_mean):
            raise ValueError(
                "This tagger reads each step beside the mean of its whole series, as "
                "standardize='series' does. To read step by step, fit it with "
                "standardize=True."
            )
        return TagStream(model, int(n_streams), options=expected.options)

    def score(self, X, y, sample_weight=None):
        """Compute the accuracy of predictions.

        Parameters
        ----------
        {X of predict}
        y : array-like of n_samples sequences of tags
            The true tags. A tag that `fit` has not seen is always wrong.
        sample_weight : array-like of shape (n_samples,), or of n_samples sequences of \
                numbers, default=None
            Weight of each sequence or step in the score. None gives all steps the same
            weight.

        Returns
        -------
        score : float
            Share of steps, of all sequences together, whose tag is right.

        Raises
        ------
        {raises of predict}
        TypeError
            If the tags are strings, and those of `fit` numbers, or vice versa.
        """
        if y is None:
            raise ValueError(
                "y is None: the true tags of the steps were expected, since the score "
                "is the share of them that is predicted. Pass y."
            )
        head, scores, offsets = self._head_and_scores_of_steps(X)
        name = type(self).__name__
        y, weight = validate_tags(y, sample_weight, offsets, name, self.kind_)
        check_type_of_tags(y, head.classes)
        return float(np.average(head.decode(scores, offsets) == y, weights=weight))
