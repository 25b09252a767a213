"""RNNDecoder: from a vector to a sequence."""

from dataclasses import KW_ONLY
from typing import ClassVar, Literal

from sklearn.base import _fit_context

from skrnn._base import BaseRNN
from skrnn._callbacks import with_callbacks
from skrnn._docs import share_docs
from skrnn._from_vectors import FromVectors
from skrnn._judging import ValidationData
from skrnn._stream import check_count, check_draws, random_state_of
from skrnn._types import Count, Counts, Function, NonNegative, takes_parameters


@share_docs
@takes_parameters
class RNNDecoder(FromVectors, BaseRNN):
    r"""Predict a sequence, such as a name or a curve, from a vector of features.

    The network [1]_ writes the sequence y step by step, and reads each step before it
    writes the next one. In the simplest case, it computes

        h_0 = tanh(A x + a),    h_t = activation(W h_{t-1} + U y_{t-1} + B x + b),
        scores = V h_t + c,

    where x is the vector, standardised, and y_0 is the start. If the steps are tokens,
    the softmax of the scores are the probabilities of the next token and of the end.

    If the steps are numbers, standardised by feature, the scores are e, m and l, and
    the next step is drawn from independent normal distributions [23]_,

        p(end) = s(e),    p(y_t) = (1 - s(e)) prod_j N(y_tj; m_j, 1e-4 + exp(l_j)),

    where s is the logistic function. So no standard deviation is below 1 % of that of
    the feature in training, which keeps densities finite where y has no noise. If all
    series in y have the same length, as the rows of a matrix, predictions have it as
    well, whatever p(end) is.

    The product over all steps and the end is the probability of the sequence, or its
    density, given x. The weights maximise it; in the gradient, each normal distribution
    has its standard deviation as a weight [24]_, lest the most precise numbers outweigh
    all else.

    Parameters
    ----------
    nhidden : int or tuple of int, default=256
        Length of the hidden state h. A tuple stacks layers: each layer reads the hidden
        states of the layer before it, step by step.
    {parameters}
    analyzer : {"auto", "char", "word", "token", "series"} or callable, default="auto"
        What a step of a sequence in y is. "auto" reads strings as characters, a
        sequence of strings or integers as tokens, and a sequence of floats or of rows
        of numbers as a series. "char" and "word" require strings; "token" and "series"
        determine how integers are read, which are tokens in lists, and series in a
        matrix. Predicted words are joined by spaces. A callable is applied to each
        sequence as it was passed and returns what to learn instead.
    standardize : bool, default=True
        Whether to subtract the mean of each feature of X over the training data, and to
        divide by its standard deviation. Sparse features are all divided by one number,
        the root mean square of all of X, so that what is 0 stays so. Numbers in y are
        standardised in any case.
    max_length : int or None, default=None
        Maximum length of a sequence, of those in y as well as of predictions. None is
        no limit for y, and twice the length of the longest one for predictions. `fit`
        reads it: to change the limit of predictions, fit again.
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
    early_stopping : bool, default=False
        Whether to keep the weights with the best score of all epochs on validation
        data: minus the loss, per token or step and end. The validation data is what
        `fit` gets as `X_val`, or else a part of the training data that is held out.
        Once the score has stopped improving (see `n_iter_no_change`), the learning rate
        is lowered before the fit ends, because scores often improve again when it is
        low.
    alpha : float, default=0.3
        Strength of the weight decay: each update multiplies W, U, V, A and B by
        ``1 - learning_rate * alpha`` [4]_.
    condition : {"both", "start", "bias"}, default="both"
        What depends on x: the states before the first step ("start"), of all layers; or
        the inputs of the first layer at all steps, as a bias ("bias"); or both. With
        "start", B is left out, and with "bias", A and a: h_0 is then 0.
    beam_width : int, default=1
        Number of beginnings that predictions keep, of which the likeliest continuations
        are tried [22]_. 1 always goes on with the likeliest token. More take as many
        times as long, and may find likelier sequences. Must be 1 if y holds numbers.
    length_penalty : float, default=0.0
        In predictions with a `beam_width` above 1, sequences are compared by the
        logarithm of their probability, divided by the number of their tokens, with the
        end, to the power of this. At 0, they are compared by their probability, and at
        1, by its geometric mean per token, which favours longer ones. Must be 0 if y
        holds numbers.

    Attributes
    ----------
    max_length_ : int
        The largest number of steps of a prediction.
    n_steps_ : int
        The number of steps of each prediction. Only available if y holds at least two
        series of numbers, which all have this length.
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
        id i. For n numbers per step, the n rows after the first predict m, and the last
        n rows l.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    vocabulary_ : dict of token -> int
        Mapping of the tokens of y to ids, which start at 1, sorted; or those of
        `vocabulary`, in its order. Not available if y holds numbers.
    target_mean_, target_scale_ : ndarrays of shape (n_numbers,)
        Mean and standard deviation of each number of a step in y, by which they are
        standardised; the scale of a constant is 1. Only available if y holds numbers.
        The last column of ``U_[0]`` is then the vector of the start.
    mean_, scale_ : ndarrays of shape (`n_features_in_`,)
        What is subtracted from each feature of X, and what it is then divided by.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features. Only available if X was a frame with named columns.
    loss_ : float
        Loss of the last epoch, averaged over all steps while the weights were being
        updated: the cross entropy in nats per token, where the end counts as one; or
        minus the logarithm of the density of standardised numbers.
    {losses}

    See Also
    --------
    RNNLanguageModel : Writes sequences that depend on nothing else.
    RNNSeq2Seq : Predicts sequences of tokens from sequences.
    RNNEncoder : Turns sequences into vectors. In a pipeline, this one may follow an
        encoder that has been fitted, as ``FrozenEstimator(encoder)``.

    Notes
    -----
    {notes}

    References
    ----------
    {references}
    .. [22] Freitag and Al-Onaizan (2017), "Beam Search Strategies for Neural Machine
       Translation", NMT.
    .. [23] Graves (2013), "Generating Sequences With Recurrent Neural Networks",
       arXiv:1308.0850, section 4.1, here with one normal distribution for each number.
    .. [24] Seitzer et al. (2022), "On the Pitfalls of Heteroscedastic Uncertainty
       Estimation with Probabilistic Neural Networks", ICLR.

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

    Series of numbers, which rise or fall:

    >>> up_or_down = np.array([[1], [-1]] * 20)
    >>> y = [10.0 + sign * np.arange(1, 5) for (sign,) in up_or_down]
    >>> decoder = RNNDecoder(nhidden=16, max_iter=100, random_state=0)
    >>> rising, falling = decoder.fit(up_or_down, y).predict([[1], [-1]])
    >>> rising.round(), falling.round()
    (array([11., 12., 13., 14.]), array([9., 8., 7., 6.]))
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
    analyzer: Literal["auto", "char", "word", "token", "series"] | Function = "auto"
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
            For each vector a string; a sequence of tokens (strings or integers) or of
            floats; or numbers of shape (n_steps, n_numbers). One may be empty: its end
            is then the first that is learned. y may also be a column of pandas, polars,
            pyarrow or awkward, or a frame with one such column; or an array of numbers
            of shape (n_samples, n_steps) or (n_samples, n_steps, n_numbers).
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss. A weight of 0 is equivalent to removing
            the sample, except that `max_length_` depends on it.
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
            If y is not a container of sequences that are all of one kind.
        ValueError
            If X is not a matrix of finite numbers; if X and y differ in length; if all
            sequences are empty, or one is longer than `max_length`; if the vocabulary
            is empty; if a number in y is infinite or NaN, series differ in their
            numbers per step, or `beam_width` is above 1 for them; if `warm_start` is
            True and parameters of the network or of reading have changed; if `X_val` is
            incomplete, or passed without `early_stopping`; or if training diverges in
            the first epoch.
        {raises of checkpoints}

        {warns of fit}

        {notes of fit}
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
            or if `early_stopping` is True or `checkpoint` is not None.

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
        y : list of str, list of list or list of ndarray
            Sequences of the kind that y had in `fit`; words are joined by spaces. With
            a `beam_width` of 1, the likeliest token is chosen again and again, until it
            is the end. In series of numbers, each step is the mean m, given the means
            before it, in float64 and of shape (n_steps,) or (n_steps, n_numbers), as y
            had; a series ends after `n_steps_` steps if all did in `fit`, and otherwise
            where the probability of that exceeds 1/2.

        Raises
        ------
        {raises of predict from vectors}

        Warns
        -----
        UserWarning
            If sequences have no end after ``max_length_`` steps.
        """
        return self._predictor(X).predict()

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
            If `n_best` is not a whole number from 1; if so many take more memory than
            there may be; or if y held numbers in `fit`.

        Warns
        -----
        UserWarning
            If the first of them have no end after ``max_length_`` tokens.
        """
        check_count("n_best", n_best)
        return self._predictor(X).predict_n_best(int(n_best))

    def score_samples(self, X, y):
        """Compute the logarithm of the probability, or density, of given sequences.

        Parameters
        ----------
        {vectors of predict}
        y : list, tuple, array, Series or frame of n_samples sequences
            A sequence for each vector, of the same kind as in `fit`.

        Returns
        -------
        log_p : ndarray of shape (n_samples,), float64
            In nats: the sum over the tokens of a sequence and its end. It is -inf if
            the sequence has a token that is not in `vocabulary_`. For series of
            numbers, it is the logarithm of the density in the units of y: the sum over
            the steps and the end.

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
        return self._predictor(X).score_samples(y)

    def score(self, X, y, sample_weight=None):
        """Compute the share of right predictions, or the mean log-density of steps.

        Parameters
        ----------
        {vectors of predict}
        y : list, tuple, array, Series or frame of n_samples sequences
            The true sequences, of the same kind as in `fit`. Those of tokens are
            compared token by token.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample. None gives all the same weight.

        Returns
        -------
        score : float
            For tokens, the share of sequences that are predicted without a mistake,
            from 0 to 1, where 1 is perfect. For series of numbers, the sum of
            :meth:`score_samples`, divided by the number of steps, where an end counts
            as a step; higher is better, and only the smallest variance sets an upper
            limit. This score judges numbers, their spread and where series end, so a
            search by it finds what `fit` aims for. R^2 of steps that are predicted from
            those before them would not: where a series goes on smoothly, it is near 1
            for every model, and it ignores the ends.

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
        return self._predictor(X).score(y, sample_weight)

    def sample(self, X, *, temperature=1.0, top_k=None, top_p=None, random_state=None):
        """Draw a sequence at random for each vector.

        Parameters
        ----------
        {vectors of predict}
            For several sequences of each, repeat them: ``np.repeat(X, 5, axis=0)``.
        temperature : float, default=1.0
            Scores are divided by it: at less than 1, likely tokens become even likelier
            and at 0, the likeliest one is always chosen. For series of numbers, it
            multiplies the variances and divides the log-odds of the end: at 0, the
            result is that of :meth:`predict`.
        top_k : int, default=None
            Draw from this many of the likeliest tokens only. None for numbers.
        top_p : float, default=None
            Draw from the fewest of the likeliest tokens whose probabilities sum up to
            at least this only [1]_. With `top_k`, from those among its tokens. None for
            numbers.
        random_state : int, RandomState instance or None, default=None
            Pass an int for reproducible sequences. None draws a new seed from the
            operating system.

        Returns
        -------
        y : list of str, list of list or list of ndarray
            Sequences of the kind that y had in `fit`. Each ends where its end is drawn,
            or after ``max_length_`` steps; or, if there is `n_steps_`, after that many.

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
        random_state = random_state_of(random_state)
        return self._predictor(X).sample(random_state, temperature, top_k, top_p)
