"""RNNLanguageModel: how likely sequences are, and new ones."""

from dataclasses import KW_ONLY
from typing import ClassVar, Literal

import numpy as np
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    DensityMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils.validation import _check_sample_weight

from skrnn._base import BaseRNN
from skrnn._callbacks import with_callbacks
from skrnn._core.architecture import Architecture
from skrnn._docs import share_docs
from skrnn._heads.language import LanguageHead
from skrnn._judging import ValidationData
from skrnn._outputs import joined, tokens_of
from skrnn._prompts import continued, read_prompt, steps_of
from skrnn._stream import (
    Draws,
    Stream,
    check_count,
    check_draws,
    random_state_of,
    stops_of,
)
from skrnn._types import Count, Counts, NonNegative, Probability, takes_parameters
from skrnn._warnings import warn, without_mask

# More unknown tokens than this are worth a warning, since they are left out of scores.
_MANY_UNKNOWN = 0.01
_NO_TOKENS = (
    "The steps of series have no probabilities. Use sample(prompt=x, max_length=1) for "
    "the numbers that come after x."
)


@share_docs
@takes_parameters
class RNNLanguageModel(
    ClassNamePrefixFeaturesOutMixin, DensityMixin, TransformerMixin, BaseRNN
):
    r"""Predict the next step of sequences, and write new ones.

    The network [1]_ reads each sequence step by step. In the simplest case, it computes

        h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),    scores = V h_t + c,

    and the softmax of the scores are the probabilities of the next token, from the
    first token of a sequence on. The product of the probabilities of all its tokens is
    that of the sequence. For numeric series, the scores are the numbers of the next
    step, standardised, and the squared error is minimised.

    X is one long text, or many sequences, such as names. A text, which may be passed as
    a string, has no end, while sequences do: see `learn_end`. A list of words is a list
    of sequences; for a text of words, pass ``[words]``. In a search, cut a text into
    pieces first: scikit-learn would cut a string into its characters.

    Parameters
    ----------
    nhidden : int or tuple of int, default=256
        Length of the hidden state h. A tuple stacks layers: each layer reads the hidden
        states of the layer before it, step by step.
    truncate : int or None, default=150
        Number of steps through which to backpropagate. The weights are updated after
        each `truncate` steps of the sequences of a minibatch, and the next ones start
        from the states that these lead to [13]_. Memory grows with `truncate`, rather
        than with the length of sequences. None reads sequences as a whole.
    batch_size : int or "auto", default="auto"
        Number of sequences per update, or of the streams into which longer ones are
        cut. "auto" is the square root of the number of sequences, but at least 8 and at
        most 128. A text is then cut into 8 to 64 streams, the longer the more, of which
        8 are read side by side.
    max_iter : int or "auto", default="auto"
        Number of epochs, over which the learning rate increases and decreases. "auto"
        is the number of epochs that 400 updates take, but at least 12 and at most 1000.
    alpha : float, default=0.1
        Strength of the weight decay: each update multiplies W, U and V by
        ``1 - learning_rate * alpha`` [4]_.
    token_dropout : float in [0, 1) or "auto", default="auto"
        During training, the minimum probability with which each token that is read is
        replaced by the unknown token. "auto" is 0.
    dropout : float in [0, 1) or "auto", default="auto"
        During training, the probability of setting to 0 each input of a layer above the
        first, and each entry of h before it is multiplied by V. An entry is dropped at
        all steps of a sequence or at none [9]_. "auto" is 0.
    {parameters}
    learn_end : bool or "auto", default="auto"
        Whether the end of a sequence is predicted, as if it were a token. "auto" is
        True if `fit` gets several sequences, each of which then ends for a reason, and
        False if it gets one. Series have no end in any case. `warm_start` and
        `partial_fit` keep to the first fit.
    recurrent_dropout : float in [0, 1), default=0.0
        During training, the probability of setting to 0 each entry of W [21]_. Other
        entries are dropped for each update.

    Attributes
    ----------
    learns_end_ : bool
        Whether the end of a sequence is predicted.
    {kind}
    {weights}
    V_ : ndarray of shape (n_outputs, nhidden)
        Output weights. For tokens, row 0 predicts the end of a sequence, and row i the
        token with id i; see also `tokens_`. For series, each row predicts a number
        of x.
    intercept_ : ndarray of shape (n_outputs,)
        Output biases.
    {inputs}
    loss_ : float
        Loss of the last epoch, averaged over all steps while the weights were being
        updated: the cross entropy in nats per token, or half the squared error of
        standardised numbers.
    {losses}

    See Also
    --------
    RNNEncoder : Learns codes of sequences, with or without y.

    Notes
    -----
    Sequences that are longer than the others, such as one text, are cut into
    `batch_size` streams, which are read side by side. The weights are updated after
    each `truncate` steps of all streams, and the states are carried over. So memory
    does not grow with the length of a text, except for the text itself.

    {notes}

    References
    ----------
    {references}
    .. [21] Merity, Keskar and Socher (2018), "Regularizing and Optimizing LSTM Language
       Models", ICLR.

    Examples
    --------
    >>> from skrnn import RNNLanguageModel
    >>> X = ["anna", "hanna", "johanna", "joanna", "susanna"] * 20
    >>> model = RNNLanguageModel(nhidden=32, max_iter=60, random_state=0).fit(X)
    >>> likely, unlikely = model.score_samples(["hanna", "nahan"])
    >>> bool(likely > unlikely + 5)
    True
    >>> model.sample(prompt="su", temperature=0)
    ['susanna']

    One text is read on and on:

    >>> model = RNNLanguageModel(nhidden=32, max_iter=100, random_state=0)
    >>> model.fit("one two three four " * 200).sample(prompt="two t", max_length=10,
    ...                                               temperature=0)
    ['two three four ']
    """

    nhidden: Count | Counts = 256
    _: KW_ONLY
    truncate: Count | None = 150
    # In nats per character of held-out training data, at 0.01, 0.1 and 0.3: a text by
    # Shakespeare 1.422, 1.419, 1.440 (12 epochs); surnames 2.09, 2.06, 2.03.
    alpha: NonNegative = 0.1
    learn_end: Literal["auto"] | bool = "auto"
    recurrent_dropout: Probability = 0.0

    # What a prediction of the next step leaves no choice of.
    bidirectional: ClassVar[bool] = False
    pooling: ClassVar[str] = "last"
    kernel_sizes: ClassVar[None] = None
    # A step is one token, or the numbers of one step.
    ngram_range: ClassVar[tuple] = (1, 1)
    subwords: ClassVar[bool] = False
    patch_length: ClassVar[int] = 1
    missing: ClassVar[str] = "error"

    _y_is_required = False
    _tasks = ()
    _says_of_y = "learns_end_"

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None, *, X_val=None, sample_weight_val=None):
        """Learn to predict the next step of sequences.

        Parameters
        ----------
        X : str, list, tuple, array, tensor, Series or frame of n_samples sequences
            A string is one text, as ``[text]`` is. Otherwise, each sequence is a
            string; a sequence of tokens (strings or integers) or of floats; or numbers
            of shape (n_steps, n_features). Sequences may differ in length; strings and
            token lists may be empty. X may also be a column of pandas, polars, pyarrow
            or awkward, or a frame with one such column. An array or frame of numbers of
            shape (n_samples, n_steps) and an array of shape (n_samples, n_steps,
            n_features) hold series of equal length.
        y : object, default=None
            Not used, present for consistency with scikit-learn.
        {sample_weight}
        X_val : str, list, tuple, array, tensor, Series or frame, default=None
            Validation data for `early_stopping`, of the same kind as X. Nothing is
            learned from it, and no part of X is held out. Without it, some of the
            sequences are held out, or the end of the text if there is only one.
        {sample_weight_val}

        Returns
        -------
        self : RNNLanguageModel
            The fitted model.

        Raises
        ------
        TypeError
            If X is not a container of sequences that are all of one kind, or the
            weights are not array-like.
        ValueError
            If X or a series is empty; if no sequence has a next step that is known; if
            a sequence is longer than `max_length`; if sequences differ in their number
            of features; if a number is infinite or NaN; if the vocabulary is empty, or
            `embeddings` cannot be read; if X and sample_weight differ in length; if
            `warm_start` is True and parameters of the network or of reading have
            changed; if `X_val` is passed without `early_stopping`, or different in kind
            from X; or if training diverges in the first epoch.
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
        """
        X_val = None if X_val is None else _as_sequences(X_val)
        validation = ValidationData(X_val, None, sample_weight_val)
        return self._learn(_as_sequences(X), None, sample_weight, validation)

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Train for one epoch on a chunk of the data, continuing from the last call.

        Parameters
        ----------
        X : str, list, tuple, array, tensor, Series or frame of n_samples sequences
            As in `fit`.
        y : object, default=None
            Not used, present for consistency with scikit-learn.
        {sample_weight of a chunk}

        Returns
        -------
        self : RNNLanguageModel
            The fitted model.

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
        return self._learn(_as_sequences(X), None, sample_weight, is_partial=True)

    def score_samples(self, X):
        """Compute the logarithm of the probability of each sequence.

        Parameters
        ----------
        {X to score}

        Returns
        -------
        log_p : ndarray of shape (n_samples,), float64
            In nats. It is the sum over the tokens of a sequence and, if that is
            learned, its end. Tokens that are not in `tokens_` have no probability, and
            are left out. For series, minus half the squared error of standardised
            numbers, averaged over the numbers of a step, and summed over all steps but
            the first: up to a constant, the log-likelihood under a normal distribution.

        Raises
        ------
        {raises of predict}

        Warns
        -----
        UserWarning
            If more than 1 % of the tokens are not in `tokens_`.
        """
        losses, counts = self._losses(X)
        return np.array(
            [-loss[some].sum() for loss, some in zip(losses, counts, strict=True)]
        )

    def score(self, X, y=None, sample_weight=None):
        """Compute the mean log-likelihood per token.

        Parameters
        ----------
        {X to score}
        y : object, default=None
            Not used, present for consistency with scikit-learn.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence. None gives all the same weight.

        Returns
        -------
        score : float
            The sum of :meth:`score_samples`, divided by the number of tokens, where an
            end that is learned counts as a token. In nats; higher is better, and 0
            would be perfect.

        Raises
        ------
        {raises of predict}

        Warns
        -----
        UserWarning
            If more than 1 % of the tokens are not in `tokens_`.
        """
        losses, counts = self._losses(X)
        weight = np.ones(len(losses))
        if sample_weight is not None:
            weight = _check_sample_weight(
                sample_weight, weight, ensure_non_negative=True
            )
        n = sum(w * some.sum() for w, some in zip(weight, counts, strict=True))
        if n == 0:
            raise ValueError(
                "There is nothing to score: no sequence of X has a next step that is "
                "known to the model, and a weight above 0. Pass longer sequences."
            )
        sums = [loss[some].sum() for loss, some in zip(losses, counts, strict=True)]
        return -float(weight @ sums / n)

    def perplexity(self, X, y=None, sample_weight=None):
        """Compute the perplexity, exp(-score).

        Parameters
        ----------
        {X to score}
        y : object, default=None
            Not used, present for consistency with scikit-learn.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence. None gives all the same weight.

        Returns
        -------
        perplexity : float
            At least 1, which is perfect: among how many equally likely tokens the model
            chooses on average. For series, whose steps have no probabilities, it has no
            such meaning.

        Raises
        ------
        {raises of predict}
        """
        return float(np.exp(-self.score(X, y, sample_weight)))

    def _losses(self, X):
        """For each sequence, the losses of its steps, and which of them count."""
        model, steps, once = self._model_and_steps(_as_sequences(X))
        target, is_known, is_end = model.head.next_steps(steps)
        losses, counts = model.losses_of_steps(steps, target), is_known | is_end
        if not model.head.is_series:
            _warn_of_unknown(steps, is_known, once)
        cuts = steps.offsets[1:-1]
        of_each = np.split(losses, cuts), np.split(counts, cuts)
        places = np.arange(len(steps.lengths))[once.places]
        return [[parts[i] for i in places] for parts in of_each]

    def transform(self, X):
        """Compute the hidden state after each sequence.

        Parameters
        ----------
        {X to score}

        Returns
        -------
        h : ndarray of shape (n_samples, nhidden), float32
            The state of the last layer, with which the step after the last one would be
            predicted.

        Raises
        ------
        {raises of predict}
        """
        _, h = self._model_and_states(_as_sequences(X))
        return h

    def next_proba(self, X):
        """Compute the probabilities of the token that comes after each sequence.

        Parameters
        ----------
        {X to score}

        Returns
        -------
        p : ndarray of shape (n_samples, n_tokens), float64
            Column i is the probability of ``tokens_[i]``.

        Raises
        ------
        {raises of predict}
        ValueError
            If the model was fitted on series, whose next step is a row of numbers.
        """
        model, h = self._model_and_states(_as_sequences(X))
        if model.head.is_series:
            raise ValueError(_NO_TOKENS)
        return model.head.proba(model.scores(h))

    @property
    def tokens_(self):
        """The tokens that may come next, in the order of their probabilities.

        Returns
        -------
        tokens : list
            None stands for the end of a sequence, and is the first if that is learned.
        """
        model, _ = self._model_and_schema()
        if model.head.is_series:
            raise AttributeError(_NO_TOKENS)
        token_of = tokens_of(model.reader, model.head.n_outputs)
        tokens = [token_of[i] for i in sorted(token_of)]
        return [None, *tokens] if model.head.learns_end else tokens

    def start(self, n_streams=1):
        """Start to read sequences step by step.

        Parameters
        ----------
        n_streams : int, default=1
            How many sequences are read side by side.

        Returns
        -------
        stream : Stream
            Its ``step(tokens)`` reads one more token of each sequence, in a time that
            does not depend on how many came before, and returns what comes next: the
            probabilities of `tokens_`, or the numbers that are expected. Its ``next``
            is what the last step returned, and before the first one, the probabilities
            of the first token. It keeps the model as it is now, and can be copied and
            pickled.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        ValueError
            If `n_streams` is not a whole number from 1.
        """
        check_count("n_streams", n_streams)
        model, expected = self._model_and_schema()
        return Stream(model, int(n_streams), options=expected.options)

    def sample(
        self,
        n_samples=1,
        prompt=None,
        *,
        max_length=200,
        temperature=1.0,
        top_k=None,
        top_p=None,
        stop=None,
        random_state=None,
    ):
        """Write new sequences.

        Parameters
        ----------
        n_samples : int, default=1
            The number of sequences.
        prompt : str, list of tokens or array, default=None
            How each of them begins; None to begin with the first token. Tokens that are
            not in `vocabulary_` are read as unknown, with a warning. Series need one.
        max_length : int, default=200
            The largest number of tokens, or steps, to add to the prompt.
        temperature : float, default=1.0
            Scores are divided by it: at less than 1, likely tokens become even likelier
            and at 0, the likeliest one is always chosen.
        top_k : int, default=None
            Draw from this many of the likeliest tokens only.
        top_p : float, default=None
            Draw from the fewest of the likeliest tokens whose probabilities sum up to
            at least this only [1]_. With `top_k`, from those among its tokens.
        stop : token, list of tokens or None, default=None
            A sequence ends after this, or after one of these. If characters are the
            tokens, strings of several will do. Only what is added to the prompt counts:
            an end that begins in the prompt is none.
        random_state : int, RandomState instance or None, default=None
            Pass an int for reproducible sequences. None draws a new seed from the
            operating system.

        Returns
        -------
        sequences : list of str, list of list, or list of ndarray
            The prompt and what was added, of the kind that X was in `fit`; words are
            joined by spaces. For series, the numbers that are expected; nothing is
            drawn at random.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        TypeError
            If the prompt is not of the kind that X was in `fit`.
        ValueError
            If an argument is out of its range, `stop` is not in `tokens_`, or
            series have no prompt.

        Warns
        -----
        UserWarning
            If tokens of the prompt are not in `vocabulary_`.

        References
        ----------
        .. [1] Holtzman et al. (2020), "The Curious Case of Neural Text Degeneration",
           ICLR.
        """
        check_draws(n_samples, max_length, temperature, top_k, top_p)
        model, stream, begun = self._prompted(prompt)
        stream._take(np.zeros(n_samples, np.int64))
        if model.head.is_series:
            return continued(stream, begun, max_length)
        reader = model.reader
        token_of = tokens_of(reader, model.head.n_outputs)
        stops = stops_of(stop, reader.kind, token_of)
        draws = Draws(temperature, top_k, top_p, max_length, stops)
        added = [[] for _ in range(n_samples)]
        for rows, ids, _ in draws.of(stream, random_state_of(random_state)):
            for row, i in zip(rows, ids.tolist(), strict=True):
                added[row].append(token_of[i])
        return [joined(reader.kind, [*begun, *tokens]) for tokens in added]

    def iter_sample(
        self,
        prompt=None,
        *,
        max_length=200,
        temperature=1.0,
        top_k=None,
        top_p=None,
        stop=None,
        random_state=None,
        return_proba=False,
    ):
        """Write a new sequence, one token after the other.

        Parameters
        ----------
        prompt : str, list of tokens or array, default=None
            As in :meth:`sample`, as all others but the last.
        max_length : int, default=200
            The largest number of tokens to yield.
        temperature : float, default=1.0
            By which scores are divided.
        top_k : int, default=None
            Draw from this many of the likeliest tokens only.
        top_p : float, default=None
            Draw from the likeliest tokens of this total probability only.
        stop : token, list of tokens or None, default=None
            What the last tokens shall be.
        random_state : int, RandomState instance or None, default=None
            Pass an int for reproducible tokens.
        return_proba : bool, default=False
            Whether to yield the probabilities as well.

        Returns
        -------
        tokens : iterator
            Yields the tokens after the prompt, each of which is drawn when it is asked
            for; or the numbers of steps. With `return_proba`, it yields pairs (token,
            proba), where `proba` has the probabilities of `tokens_` before this token
            was drawn, at a temperature of 1.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        TypeError
            As in :meth:`sample`.
        ValueError
            As in :meth:`sample`.
        """
        check_draws(1, max_length, temperature, top_k, top_p)
        model, stream, _ = self._prompted(prompt)
        if model.head.is_series:
            if return_proba:
                raise ValueError(_NO_TOKENS)
            return (part[0] for part in steps_of(stream, max_length))
        reader = model.reader
        token_of = tokens_of(reader, model.head.n_outputs)
        stops = stops_of(stop, reader.kind, token_of)
        draws = Draws(temperature, top_k, top_p, max_length, stops)
        drawn = draws.of(stream, random_state_of(random_state))
        if return_proba:
            proba = model.head.proba
            return ((token_of[ids[0]], proba(scores)[0]) for _, ids, scores in drawn)
        return (token_of[ids[0]] for _, ids, _ in drawn)

    def _learn(self, X, y, sample_weight, validation=None, **options):
        _warn_of_characters(X)
        with without_mask():
            return super()._learn(X, y, sample_weight, validation, **options)

    def _models_and_steps(self, X):
        with without_mask():
            return super()._models_and_steps(X)

    def _prompted(self, prompt):
        """The model, a stream that has read a prompt, and what that stands for."""
        model, expected = self._model_and_schema()
        with without_mask():
            return model, *read_prompt(model, expected, prompt)

    def _head_of(self, attributes):
        return LanguageHead(
            is_series=attributes["kind_"] == "series",
            _n_outputs=len(attributes["V_"]),
            learns_end=attributes["learns_end_"],
        )

    def _attributes_of_y(self, head):
        return {"learns_end_": head.learns_end}

    @property
    def _n_features_out(self):
        return Architecture(**self._architecture).n_features_out

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _as_sequences(X):
    """X, or the only sequence of it if that is a string."""
    return [X] if isinstance(X, str) else X


def _warn_of_characters(X):
    """Warn if X seems to be a string that has been cut into its characters."""
    if isinstance(X, (list, tuple)) and len(X) > 1:
        if all(isinstance(x, str) and len(x) == 1 for x in X):
            warn(
                "X holds nothing but strings of one character: each is learned as a "
                "sequence of its own. If they are the characters of one text, which a "
                "search or a cross-validation cuts into them, pass a list of parts of "
                "the text, such as its lines.",
                UserWarning,
            )


def _warn_of_unknown(steps, is_known, once):
    """Warn if many tokens cannot be predicted.

    Parameters
    ----------
    steps : Steps
        Those of each distinct string, and each with a start before it.
    is_known : ndarray of shape (n_rows,), bool
        Whether a token that is predicted comes next.
    once : EachOnce
    """
    n_tokens = (steps.lengths - 1)[once.places]
    # A sequence has at least one step, the start.
    n_known = np.add.reduceat(is_known, steps.offsets[:-1], dtype=int)[once.places]
    n, n_unknown = int(n_tokens.sum()), int((n_tokens - n_known).sum())
    if n_unknown > _MANY_UNKNOWN * n:
        warn(
            f"{n_unknown:,} of {n:,} tokens of X are not in tokens_: they are left out "
            "of scores, which would be lower with them.",
            UserWarning,
        )
