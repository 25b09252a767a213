"""RNNDecoder: from a vector to a sequence."""

from dataclasses import KW_ONLY
from itertools import chain
from typing import ClassVar, Literal

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from skrnn._base import BaseRNN, fitted_names
from skrnn._callbacks import with_callbacks
from skrnn._core.beam import mean_log_p
from skrnn._core.samples import Samples
from skrnn._core.vocabulary import END, UNKNOWN
from skrnn._docs import share_docs
from skrnn._heads.language import LanguageHead
from skrnn._heads.validation import validate_targets
from skrnn._judging import ValidationData
from skrnn._messages import counted
from skrnn._model import Model, written_together
from skrnn._outputs import (
    are_equal,
    check_not_missing,
    joined,
    learn_outputs,
    read_outputs,
    tokens_of,
    warn_of_cut,
    with_log_p,
    written,
)
from skrnn._reading.schema import Schema
from skrnn._reading.tokens import TokenReader
from skrnn._reading.vectors import VectorReader, context_of
from skrnn._stream import Draws, Stream, check_count, check_draws, random_state_of
from skrnn._types import Count, Counts, Function, NonNegative, takes_parameters
from skrnn._warnings import about_sequences_in_y, about_validation_data, warn


@share_docs
@takes_parameters
class RNNDecoder(BaseRNN):
    r"""Predict a sequence, such as a name, from a vector of features.

    The network [1]_ writes the sequence y token by token, and reads each token before
    it writes the next one. In the simplest case, it computes

        h_0 = tanh(A x + a),    h_t = activation(W h_{t-1} + U y_{t-1} + B x + b),
        scores = V h_t + c,

    where x is the vector, standardised, y_0 is the start, and the softmax of the scores
    are the probabilities of the next token and of the end. The product of the
    probabilities of all its tokens and its end is that of the sequence given x. The
    weights maximise it.

    Parameters
    ----------
    nhidden : int or tuple of int, default=256
        Length of the hidden state h. A tuple stacks layers: each layer reads the hidden
        states of the layer before it, step by step.
    {parameters}
    analyzer : {"auto", "char", "word", "token"} or callable, default="auto"
        What a step of a sequence in y is. "auto" reads strings as characters, and a
        sequence of strings or integers as tokens. "char" and "word" require strings.
        Predicted words are joined by spaces. A callable is applied to each sequence as
        it was passed and returns what to learn instead.
    standardize : bool, default=True
        Whether to subtract the mean of each feature of X over the training data, and to
        divide by its standard deviation. Sparse features are all divided by one number,
        the root mean square of all of X, so that what is 0 stays so.
    max_length : int or None, default=None
        Maximum length of a sequence, of those in y as well as of predictions. None is
        no limit for y, and twice the length of the longest one for predictions.
    token_dropout : float in [0, 1) or "auto", default="auto"
        During training, the minimum probability with which each token that is read is
        replaced by the unknown token. "auto" is 0.
    dropout : float in [0, 1) or "auto", default="auto"
        During training, the probability of setting to 0 each input of a layer above the
        first, and each entry of h before it is multiplied by V. An entry is dropped at
        all steps of a sequence or at none [9]_. "auto" is 0.
    batch_size : int or "auto", default="auto"
        Number of sequences per update. "auto" is the square root of the number of
        sequences, but at least 8 and at most 128.
    max_iter : int or "auto", default="auto"
        Number of epochs, over which the learning rate increases and decreases. "auto"
        is the number of epochs that 400 updates take, but at least 12 and at most 1000.
    alpha : float, default=0.3
        Strength of the weight decay: each update multiplies W, U, V, A and B by
        ``1 - learning_rate * alpha`` [4]_.
    condition : {"both", "start", "bias"}, default="both"
        What depends on x: the states before the first step ("start"), of all layers; or
        the inputs of the first layer at all steps, as a bias ("bias"); or both. With
        "start", B is left out, and with "bias", A and a: h_0 is then 0.
    beam_width : int, default=1
        How many beginnings predictions keep, of which the likeliest continuations are
        tried [22]_. 1 always goes on with the likeliest token. More take as many times
        as long, and may find likelier sequences.
    length_penalty : float, default=0.0
        In predictions with a `beam_width` above 1, sequences are compared by the
        logarithm of their probability, divided by the number of their tokens, with the
        end, to the power of this. At 0, they are compared by their probability, and at
        1, by its geometric mean per token, which favours longer ones.

    Attributes
    ----------
    max_length_ : int
        The largest number of tokens of a prediction.
    {kind}
    {weights}
    A_ : ndarray of shape (n_states, `n_features_in_`)
        What the states before the first step depend on x by: those of the first layer
        come first, and of "lstm" h before m. Only available if `condition` is "start"
        or "both".
    a_ : ndarray of shape (n_states,)
        Their biases.
    B_ : ndarray of shape (nhidden, `n_features_in_`)
        What the inputs of the first layer depend on x by, in the order of the rows of
        ``U_[0]``. Only available if `condition` is "bias" or "both".
    V_ : ndarray of shape (n_outputs, nhidden)
        Output weights. Row 0 predicts the end of a sequence, and row i the token with
        id i.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    vocabulary_ : dict of token -> int
        Mapping of the tokens of y to ids, which start at 1, sorted; or those of
        `vocabulary`, in its order.
    mean_, scale_ : ndarrays of shape (`n_features_in_`,)
        What is subtracted from each feature of X, and what it is then divided by.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features. Only available if X was a frame with named columns.
    loss_ : float
        Loss of the last epoch, averaged over all steps while the weights were being
        updated: the cross entropy in nats per token, where the end counts as one.
    {losses}

    See Also
    --------
    RNNLanguageModel : Writes sequences that depend on nothing else.
    RNNEncoder : Turns sequences into vectors; in a pipeline, this one may follow it.

    Notes
    -----
    {notes}

    References
    ----------
    {references}
    .. [22] Freitag and Al-Onaizan (2017), "Beam Search Strategies for Neural Machine
       Translation", NMT.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNDecoder
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 10)
    >>> y = ["none", "right", "left", "both"] * 10
    >>> decoder = RNNDecoder(nhidden=16, max_iter=100, random_state=0).fit(X, y)
    >>> decoder.predict([[1, 0], [1, 1]])
    ['left', 'both']
    >>> right, wrong = decoder.score_samples([[0, 1], [0, 1]], ["right", "left"])
    >>> bool(right > wrong + 3)
    True
    """

    # Exact predictions of held-out training data, and their log-probability, with 128
    # and 256: names of digits 0.982, -0.13, and 0.983, -0.11; surnames from TF-IDF
    # weights of their bigrams 0.545, -3.3, and 0.590, -2.8.
    nhidden: Count | Counts = 256
    _: KW_ONLY
    # The same with 128 and both, start and bias: names of digits 0.982, 0.981, 0.973;
    # surnames 0.545, 0.306, 0.493. With both, not standardised: 0.978 and 0.479.
    condition: Literal["both", "start", "bias"] = "both"
    beam_width: Count = 1
    length_penalty: NonNegative = 0.0
    analyzer: Literal["auto", "char", "word", "token"] | Function = "auto"
    standardize: bool = True

    # What a prediction of the next token leaves no choice of.
    bidirectional: ClassVar[bool] = False
    pooling: ClassVar[str] = "last"
    # A step is one token.
    kernel_sizes: ClassVar[None] = None
    ngram_range: ClassVar[tuple] = (1, 1)
    subwords: ClassVar[bool] = False
    patch_length: ClassVar[int] = 1
    differences: ClassVar[int] = 0
    missing: ClassVar[str] = "error"
    embeddings: ClassVar[None] = None
    freeze_embeddings: ClassVar[bool] = False
    truncate: ClassVar[None] = None
    # A sequence that is cut would not end where it does.
    overlong: ClassVar[str] = "error"

    _tasks = ()
    _says_of_y = "max_length_"

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Learn to write sequences.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Vectors of numbers.
        y : list, tuple, array, Series or frame of n_samples sequences
            For each vector a string, or a sequence of tokens (strings or integers). One
            may be empty: its end is then the first that is learned. y may also be a
            column of pandas, polars, pyarrow or awkward, or a frame with one such
            column.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss. A weight of 0 is equivalent to removing
            the sample.
        X_val : {array-like, sparse matrix, frame}, default=None
            Validation data for `early_stopping`, with the features of X. Nothing is
            learned from it, and no part of X is held out. In a pipeline,
            ``transform_input=["X_val"]`` transforms it as X.
        y_val : list, tuple, array, Series or frame of sequences, default=None
            The y of `X_val`.
        {sample_weight_val}

        Returns
        -------
        self : RNNDecoder
            The fitted decoder.

        Raises
        ------
        TypeError
            If y is not a container of strings or of token lists.
        ValueError
            If X is not a matrix of finite numbers; if X and y differ in length; if all
            sequences are empty, or one is longer than `max_length`; if the vocabulary
            is empty; if `warm_start` is True and parameters of the network or of
            reading have changed; if `X_val` is incomplete, or passed without
            `early_stopping`; or if training diverges in the first epoch.

        {warns of fit}
        """
        validation = ValidationData(X_val, y_val, sample_weight_val)
        return self._learn(X, y, sample_weight, validation)

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on a chunk of the data, continuing from the last call.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            As in `fit`.
        y : list, tuple, array, Series or frame of n_samples sequences
            As in `fit`.
        {sample_weight of a chunk}

        Returns
        -------
        self : RNNDecoder
            The fitted decoder.

        Raises
        ------
        TypeError
            As in `fit`.
        ValueError
            As in `fit`; also if parameters of the network or of reading have changed;
            or if `early_stopping` is True.

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

    def predict(self, X):
        """Predict the likeliest sequence for each vector.

        Parameters
        ----------
        {vectors of predict}

        Returns
        -------
        y : list of str or list of list
            Of the kind that y had in `fit`; words are joined by spaces. With a
            `beam_width` of 1, the likeliest token is chosen again and again, until it
            is the end.

        Raises
        ------
        {raises of predict from vectors}

        Warns
        -----
        UserWarning
            If sequences have no end after ``max_length_`` tokens.
        """
        reader, found, _ = self._found(X)
        return [best for (best,) in written(reader, found)]

    def predict_n_best(self, X, n_best=5):
        """Predict several sequences for each vector, the likeliest first.

        Parameters
        ----------
        {vectors of predict}
        n_best : int, default=5
            How many to predict. The width of the beam is `beam_width`, or this if it is
            larger.

        Returns
        -------
        y : list of list of tuple (sequence, log_p)
            For each vector, at most `n_best` distinct sequences of the kind that y had
            in `fit`, each with the logarithm of its probability in nats, as in
            :meth:`score_samples`.

        Raises
        ------
        {raises of predict from vectors}
        ValueError
            If `n_best` is not a whole number from 1.

        Warns
        -----
        UserWarning
            If the first of them have no end after ``max_length_`` tokens.
        """
        check_count("n_best", n_best)
        reader, found, _ = self._found(X, int(n_best))
        return with_log_p(written(reader, found), found.log_p)

    def score_samples(self, X, y):
        """Compute the logarithm of the probability of given sequences.

        Parameters
        ----------
        {vectors of predict}
        y : list, tuple, array, Series or frame of n_samples sequences
            A sequence for each vector, of the same kind as in `fit`.

        Returns
        -------
        log_p : ndarray of shape (n_samples,), float64
            In nats: the sum over the tokens of a sequence and its end. It is -inf if
            the sequence has a token that is not in `vocabulary_`.

        Raises
        ------
        {raises of predict from vectors}
        TypeError
            If y holds sequences of a different kind than in `fit`.

        Warns
        -----
        UserWarning
            If tokens are not in `vocabulary_`.
        """
        (fitted, *_), models, contexts = zip(*self._members(X), strict=True)
        sequences = fitted._read_true(y, len(contexts[0]))
        reader, _ = _in_common(models)
        values = _encoded(reader, sequences).values
        n_unknown = int((values == UNKNOWN).sum())
        if n_unknown:
            warn(
                f"{n_unknown} of {counted(len(values), 'token')} of y are not in "
                "vocabulary_: sequences with one are impossible.",
                UserWarning,
            )
        log_p = []
        for model, context in zip(models, contexts, strict=True):
            begun = model.head.begun(_encoded(model.reader, sequences))
            target, is_known, is_end = model.head.next_steps(begun)
            losses = model.losses_of_steps(begun, target, context)
            losses[~(is_known | is_end)] = np.inf
            log_p.append(-losses)
        # A sequence has at least one step, the start.
        return np.add.reduceat(mean_log_p(log_p), begun.offsets[:-1])

    def score(self, X, y, sample_weight=None):
        """Compute the share of predictions that are exactly right.

        Parameters
        ----------
        {vectors of predict}
        y : list, tuple, array, Series or frame of n_samples sequences
            The true sequences. They are compared token by token.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample. None gives all the same weight.

        Returns
        -------
        score : float
            From 0 to 1, where 1 is perfect.

        Raises
        ------
        {raises of predict from vectors}
        TypeError
            If y holds sequences of a different kind than in `fit`.

        Warns
        -----
        UserWarning
            As in :meth:`predict`.
        """
        reader, found, fitted = self._found(X)
        steps = _encoded(reader, fitted._read_true(y, len(found.lengths)))
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, steps.lengths, ensure_non_negative=True
            )
        return float(np.average(are_equal(found, steps), weights=sample_weight))

    def sample(self, X, *, temperature=1.0, top_k=None, top_p=None, random_state=None):
        """Draw a sequence at random for each vector.

        Parameters
        ----------
        {vectors of predict}
        temperature : float, default=1.0
            Scores are divided by it: at less than 1, likely tokens become even likelier
            and at 0, the likeliest one is always chosen.
        top_k : int, default=None
            Draw from this many of the likeliest tokens only.
        top_p : float, default=None
            Draw from the fewest of the likeliest tokens whose probabilities sum up to
            at least this only [1]_. With `top_k`, from those among its tokens.
        random_state : int, RandomState instance or None, default=None
            Pass an int for reproducible sequences. None draws a new seed from the
            operating system.

        Returns
        -------
        y : list of str or list of list
            Of the kind that y had in `fit`. A sequence ends where its end is drawn, or
            after ``max_length_`` tokens.

        Raises
        ------
        {raises of predict from vectors}
        ValueError
            If an argument is out of its range.

        References
        ----------
        .. [1] Holtzman et al. (2020), "The Curious Case of Neural Text Degeneration",
           ICLR.
        """
        check_draws(1, 1, temperature, top_k, top_p)
        fitted, model, context = self._model_and_context(X)
        stream = Stream(model, len(context), context)
        draws = Draws(temperature, top_k, top_p, fitted.max_length_, [])
        drawn = [[] for _ in range(len(context))]
        token_of = tokens_of(model.reader, model.head.n_outputs)
        for rows, ids, _ in draws.of(stream, random_state_of(random_state)):
            for row, i in zip(rows, ids.tolist(), strict=True):
                drawn[row].append(token_of[i])
        return [joined(model.reader.kind, tokens) for tokens in drawn]

    def _model_and_context(self, X):
        """This estimator as it is now, its model, and X as the network reads it."""
        fitted = self._at_this_moment()
        check_is_fitted(fitted)
        attributes = vars(fitted)
        model = Model.from_attributes(attributes, self._head_of(attributes))
        context = context_of(fitted._matrix(X, reset=False))
        return fitted, model, VectorReader.from_attributes(attributes).read(context)

    def _members(self, X):
        """What :meth:`_model_and_context` returns, of all with which it predicts."""
        return [each._model_and_context(X) for each in (self, *self._others)]

    def _found(self, X, n_best=1):
        """Search for the likeliest sequences; warn if they have no end.

        Returns
        -------
        reader : TokenReader
            That knows the tokens that were found.
        found : Hypotheses
        fitted : RNNDecoder
            This estimator as it was during the search.
        """
        of_members = self._members(X)
        (fitted, *_), models, contexts = zip(*of_members, strict=True)
        fitted._validate_params()  # they may have been set since the fit
        reader, ids = _in_common(models)
        found = written_together(
            models,
            contexts,
            fitted.max_length_,
            ids,
            width=max(fitted.beam_width, n_best),
            n_best=n_best,
            length_penalty=fitted.length_penalty,
        )
        warn_of_cut(found, fitted.max_length_)
        return reader, found, fitted

    def _read_true(self, y, n_samples):
        """Sequences that the user has passed, as in `fit`."""
        expected = Schema.from_attributes(type(self).__name__, vars(self))
        return read_outputs(expected, y, n_samples)

    def _read(self, X, y, settings, last):
        # scikit-learn's validation sets attributes: on a copy, not on this estimator.
        other = self._at_this_moment(without=() if last else fitted_names())
        check_not_missing(y, settings.estimator_name)
        X = other._matrix(X, reset=last is None)
        if last is not None:
            expected, sequences = last.schema, read_outputs(last.schema, y, X.shape[0])
        else:
            before = Schema(settings.estimator_name, settings.reading)
            expected, sequences = learn_outputs(before, y, X.shape[0])
        kept = expected.attributes()
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(other, name):
                kept[name] = getattr(other, name)
        longest = 2 * int(sequences.lengths.max())
        if last is not None:
            longest = max(longest, last.attributes["max_length_"])
        given = settings["max_length"]
        kept["max_length_"] = longest if given is None else int(given)
        return kept, expected, sequences, context_of(X)

    def _matrix(self, X, reset):
        """X as a matrix of finite numbers, dense or CSR, as scikit-learn reads it."""
        dtype = [np.float64, np.float32]
        return validate_data(self, X, accept_sparse="csr", dtype=dtype, reset=reset)

    def _validated(self, y, sample_weight, sequences, head=None):
        # y holds the sequences, and the next steps of these are the targets.
        return validate_targets(
            None,
            sample_weight,
            sequences.lengths,
            type(self).__name__,
            are_numbers=False,
            is_required=False,
        )

    def _read_validation(self, validation, kept, expected, head):
        fitted = self._at_this_moment(without=fitted_names())
        vars(fitted).update(kept)
        with about_validation_data():
            X = fitted._matrix(validation.X, reset=False)
            sequences = read_outputs(expected, validation.y, X.shape[0])
            _, weight = self._validated(None, validation.sample_weight, sequences)
        positions = np.arange(len(sequences))
        return Samples(sequences, None, weight, positions, context=context_of(X))

    def _parameters(self):
        return {**super()._parameters(), "learn_end": True}

    def _head_of(self, attributes):
        return LanguageHead(
            is_series=False, _n_outputs=len(attributes["V_"]), learns_end=True
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.three_d_array = False
        tags.input_tags.sparse = True
        return tags


def _encoded(reader, sequences):
    with about_sequences_in_y():
        return reader.encode(sequences)


def _in_common(models):
    """A reader of the tokens that any of some models writes.

    Models that have held out parts of the same data may have learned other tokens.

    Returns
    -------
    reader : TokenReader
    ids : list of ndarrays of shape (n_outputs,), or None
        The ids there of the outputs of each model; None if all have the same.
    """
    reader = models[0].reader
    if all(model.reader.vocabulary == reader.vocabulary for model in models):
        return reader, None
    tokens = [tokens_of(model.reader, model.head.n_outputs) for model in models]
    known = dict.fromkeys(chain.from_iterable(of.values() for of in tokens))
    known = {token: i for i, token in enumerate(known, start=1)}
    ids = [
        np.array([END, *(known[of[i]] for i in range(1, len(of) + 1))]) for of in tokens
    ]
    return TokenReader(reader.kind, known), ids
