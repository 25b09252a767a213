"""RNNSeq2Seq: from a sequence to another sequence."""

from dataclasses import KW_ONLY, fields, replace
from typing import ClassVar, Literal

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils.validation import check_is_fitted

from skrnn._base import BaseRNN
from skrnn._callbacks import with_callbacks
from skrnn._core.answers import Answers
from skrnn._core.architecture import AttentionName, DecoderName
from skrnn._core.cells import CellName
from skrnn._core.samples import Samples
from skrnn._core.vocabulary import UNKNOWN
from skrnn._docs import share_docs
from skrnn._heads.ctc import CTCHead
from skrnn._heads.transduction import TransductionHead
from skrnn._heads.validation import weight_of
from skrnn._judging import ValidationData
from skrnn._model import check_finite, log_p_together, written_together
from skrnn._outputs import (
    check_same_kind,
    each_its_own,
    learn_outputs,
    read_outputs,
    warn_of_cut,
    warn_of_unknown,
    with_log_p,
    written,
)
from skrnn._reading.kinds import check_one
from skrnn._reading.options import ReadingOptions
from skrnn._reading.schema import Schema
from skrnn._reading.tokens import TokenReader
from skrnn._stream import check_count
from skrnn._types import (
    Count,
    Counts,
    NonNegative,
    Probability,
    Rate,
    takes_parameters,
)

# max_output_length="auto": so many times the longest sequence of y in `fit`.
_TIMES_THE_LONGEST = 2


@share_docs
@takes_parameters
class RNNSeq2Seq(BaseRNN):
    r"""Predict another sequence for each sequence, token by token.

    An encoder reads a sequence in both directions, and a decoder writes the other one,
    of another length and alphabet [21]_. The encoder has a state e_j after each step j.
    A decoder of one layer computes

        h_0 = tanh(B e + b),    h_t = cell(h_{t-1}, y_{t-1}),
        scores_t = V [h_t, context_t] + c,

    where e has the last state of each direction. The softmax of the scores are the
    probabilities of the next token y_t, or of the end of the sequence. By attention
    [22]_, the decoder looks back at all steps, of which the context is a weighted mean,

        context_t = sum_j a_tj e_j,    a_tj = softmax_j(e_j . Q h_t / sqrt(len(e_j))).

    The weights minimise the cross entropy of all tokens of y, each after the true ones
    before it: see `teacher_forcing`.

    With ``decoder="ctc"``, connectionist temporal classification [27]_, there is no
    decoder. Each step emits a few frames, which do not depend on each other,

        scores_ji = V_i e_j + c_i,    i = 1, ..., `n_frames_per_step_`,

    and each frame a token of y, or nothing, the blank. If frames in a row emit the same
    token, it counts once. The weights maximise the probability of y: the sum of those
    of all ways in which the frames may emit it.

    Parameters
    ----------
    nhidden : int or tuple of int, default=(128, 128)
        Length of the hidden state of the encoder, in each direction. A tuple stacks
        layers: each layer reads the hidden states of the layer before it, step by step.
    cell : {"gru", "lstm", "rnn"}, default="lstm"
        Type of recurrent cell, of the encoder and of the decoder. Their formulas are in
        the Notes below. A step of "lstm" takes a third longer than one of "gru".
    bidirectional : bool or "auto", default="auto"
        Whether the encoder also reads each sequence backwards, with separate weights.
        "auto" is True.
    analyzer : {"auto", "char", "word", "token", "series"} or callable, default="auto"
        What a step of a sequence of X is. "auto" reads strings as characters, a
        sequence of strings or integers as tokens, and a sequence of floats or of rows
        of numbers as a series. "char" and "word" require strings; "token" and "series"
        determine how integers are read, which are tokens in lists, and series in a
        matrix. A callable is applied to each sequence as it was passed and returns what
        to read instead. In y, the characters of a string and the items of a list, or of
        a row of a matrix of integers, are tokens in any case.
    dropout : float in [0, 1) or "auto", default="auto"
        During training, the probability of setting to 0 each input of a layer above the
        first, each entry of the states of the encoder, and each entry of what V reads.
        An entry is dropped at all steps of a sequence or at none [9]_. "auto" is 0.2.
    batch_size : int or "auto", default="auto"
        Number of sequences per update. "auto" is the square root of the number of
        sequences, but at least 8 and at most 64.
    max_iter : int or "auto", default="auto"
        Number of epochs, over which the learning rate increases and decreases. "auto"
        is the number of epochs that 10,000 updates take, or 3,000 with
        ``decoder="ctc"``, but at least 12 and at most 1000. If y takes longer to learn,
        it is more, at most three times as many: the learning rate then stays near its
        maximum until the loss is well below that of a guess that ignores X. This takes
        minutes; for a first look, 40 will do.
    alpha : float, default=0.01
        Strength of the weight decay: each update multiplies all weights but the biases
        by ``1 - learning_rate * alpha`` [4]_.
    early_stopping : bool, default=False
        Whether to keep the weights with the best score of all epochs on validation
        data: the share of sequences that are predicted without a mistake, as with a
        `beam_width` of 1. The validation data is what `fit` gets as `X_val`, or else a
        part of the training data that is held out. Once the score has stopped improving
        (see `n_iter_no_change`), the learning rate is lowered before the fit ends,
        because scores often improve again when it is low.
    token_dropout : float in [0, 1) or "auto", default="auto"
        During training, the minimum probability with which each token that is read is
        replaced by the unknown token. "auto" is 0.
    {parameters}
    decoder : {"rnn", "ctc"}, default="rnn"
        What writes: a recurrent decoder ("rnn"); or the frames of the encoder ("ctc"),
        which takes a fraction of the time, and is nearly as good if tokens of y come in
        the order of the steps that they depend on, as those of a pronunciation. It is
        not if they are reordered, as in a translation. With "ctc", `decoder_nhidden`,
        `attention` and `teacher_forcing` are ignored.
    decoder_nhidden : int, tuple of int or "auto", default="auto"
        Length of the hidden state of the decoder. A tuple stacks layers: attention
        stands above the first one, and the second one reads its state and the context,
        as in [24]_. "auto" stands for two layers, each of which is one and a half times
        as long as the last layer of the encoder in one direction.
    attention : {"dot", "additive"} or None, default="dot"
        How the decoder looks back at the steps of X: by the formula above ("dot"); by
        ``softmax_j(v . tanh(K e_j + Q h_t))``, which takes longer ("additive") [25]_;
        or not at all. Without, all that it knows of X is in h_0.
    beam_width : int, default=1
        Number of beginnings that predictions keep, of which the likeliest continuations
        are tried. 1 always goes on with the likeliest token; or, with
        ``decoder="ctc"``, after each frame with the likeliest beginning [28]_. More
        take as many times as long, and may find likelier sequences.
    length_penalty : float, default=0.0
        In predictions with a `beam_width` above 1, sequences are compared by the
        logarithm of their probability, divided by the number of their tokens, with the
        end, to the power of this. At 0, they are compared by their probability, and at
        1, by its geometric mean per token, which favours longer ones: for an X like
        none in `fit`, the likeliest sequence may be the empty one.
    max_output_length : int or "auto", default="auto"
        Maximum number of tokens to predict. "auto" is twice the length of the longest
        sequence of y in `fit`.

    Attributes
    ----------
    output_kind_ : {"text", "tokens"}
        Kind of the sequences of y: strings, or token lists.
    output_vocabulary_ : dict of token -> int
        Mapping of the tokens of y to ids, which start at 1.
    longest_output_ : int
        Number of tokens of the longest sequence of y.
    {kind}
    {weights}
    {weights of decoders}
    V_ : ndarray of shape (n_outputs, n_last + n_directions * nhidden)
        Output weights, where n_last is the length of the state of the last layer of the
        decoder. Row 0 predicts the end, and row i the token with id i. Without
        attention, there is no context, and V has n_last columns. With
        ``decoder="ctc"``, it has the V_i above, one below the other, each of shape
        (n_outputs, n_directions * nhidden), whose row 0 predicts the blank.
    intercept_ : ndarray of shape (n_outputs,) or (n_frames * n_outputs,)
        Output biases, in the order of the rows of V; n_frames is `n_frames_per_step_`.
    {inputs}
    loss_ : float
        Loss of the last epoch: the cross entropy of smoothed targets in nats, averaged
        over all tokens of y and their ends while the weights were being updated. With
        ``decoder="ctc"``, that of whole sequences is divided by the number of these.
    {losses}

    See Also
    --------
    RNNTagger : Predicts a tag for each step.

    Notes
    -----
    A string that comes with features, as a lemma with the grammatical features of the
    form that is looked for, is passed as one token list: first the features, then the
    characters, as in the second example.

    Before each string or token list of X, the network reads a start, so that it may
    look back at something even if the sequence is empty.

    {notes}

    References
    ----------
    {references}
    {references of writers}

    Examples
    --------
    >>> from skrnn import RNNSeq2Seq
    >>> X = ["one", "two", "three", "four", "five", "six"]
    >>> y = ["eins", "zwei", "drei", "vier", "fünf", "sechs"]
    >>> model = RNNSeq2Seq(nhidden=16, max_iter=200, random_state=0).fit(X, y)
    >>> model.predict(["two", "six"])
    ['zwei', 'sechs']

    Pronunciations, which need no decoder:

    >>> X = ["cat", "cot", "tack", "coat", "knock", "oak"]
    >>> y = [["K", "AE", "T"], ["K", "AA", "T"], ["T", "AE", "K"], ["K", "OW", "T"]]
    >>> y += [["N", "AA", "K"], ["OW", "K"]]
    >>> model = RNNSeq2Seq(16, cell="gru", decoder="ctc", max_iter=200, random_state=0)
    >>> model.fit(X, y).predict(["tock"])
    [['T', 'AA', 'K']]

    A lemma with features, and lists of tokens as answers:

    >>> verbs = ["walk", "talk", "jump", "play", "call"]
    >>> X = [["PST", *v] for v in verbs] + [["3SG", *v] for v in verbs[:-1]]
    >>> y = [[v, "ed"] for v in verbs] + [[v, "s"] for v in verbs[:-1]]
    >>> model = RNNSeq2Seq(nhidden=16, max_iter=200, random_state=0).fit(X, y)
    >>> model.predict([["3SG", *"call"]])
    [['call', 's']]
    """

    # Sequences with a mistake, by "gru" and "lstm", of one layer and of two. English
    # words, a tenth of the training data: 0.364, 0.357; 0.354, 0.328. Korean words, the
    # development part: 0.209, 0.206; 0.223, 0.207.
    nhidden: Count | Counts = (128, 128)
    _: KW_ONLY
    cell: CellName = "lstm"
    alpha: NonNegative = 0.01
    decoder: DecoderName = "rnn"
    decoder_nhidden: Literal["auto"] | Count | Counts = "auto"
    attention: AttentionName | None = "dot"
    label_smoothing: Probability = 0.1
    teacher_forcing: Rate = 1.0
    beam_width: Count = 1
    length_penalty: NonNegative = 0.0
    max_output_length: Literal["auto"] | Count = "auto"

    # The decoder looks back at each step that there is.
    pooling: ClassVar[str] = "last"
    kernel_sizes: ClassVar[None] = None
    ngram_range: ClassVar[tuple] = (1, 1)
    subwords: ClassVar[bool] = False
    patch_length: ClassVar[int] = 1
    truncate: ClassVar[None] = None

    _head = TransductionHead

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
        {X of fit}
        y : list, tuple, array, Series or frame of n_samples sequences
            The sequence to write for each sequence of X: a string, or a sequence of
            tokens (strings or integers), such as a row of a matrix or frame of
            integers. It may be empty, and is then learned as such.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence in the loss. A weight of 0 is equivalent to removing
            the sequence, except that the tokens in its y stay in `output_vocabulary_`,
            and that `longest_output_` includes it.
        {X_val}
        y_val : list, tuple, array or Series of sequences, default=None
            The y of `X_val`.
        {sample_weight_val}

        Returns
        -------
        self : RNNSeq2Seq
            The fitted model.

        Raises
        ------
        TypeError
            If X or y is not a container of sequences that are all of one kind, or y
            holds numbers that are no tokens.
        ValueError
            If X or a series is empty; if all sequences of y are empty; if a sequence is
            longer than `max_length`; if sequences differ in their number of features;
            if a number is infinite, or NaN and `missing` is "error"; if the vocabulary
            is empty, or `embeddings` cannot be read; if X, y and sample_weight differ
            in length; if `warm_start` is True and parameters of the network or of
            reading have changed, or y holds a token that the last fit has not seen; if
            `X_val` is incomplete, passed without `early_stopping`, or different in kind
            from X, or `y_val` holds a token that is not in y; with ``decoder="ctc"``,
            if a sequence of `y_val`, or of y with `warm_start`, needs more frames than
            there are; or if training diverges in the first epoch.
        {raises of checkpoints}

        {warns of fit}
            With ``decoder="ctc"``, if few sequences that are long in y and short in X
            set `n_frames_per_step_`: if it is more than three times as large as it
            would be without 1 % of the sequences, or one of fewer than 200.

        {notes of fit}
        """
        validation = ValidationData(X_val, y_val, sample_weight_val)
        return self._learn(X, y, sample_weight, validation)

    def _read(self, X, y, settings, last):
        # Strings are read as characters, as if there were no y.
        return super()._read(X, None, settings, last)

    def _validated(self, y, sample_weight, sequences, head=None):
        n, name = len(sequences), type(self).__name__
        if isinstance(head, TransductionHead):  # that of the fit
            outputs = read_outputs(head.schema, y, n)
        else:
            _, outputs = learn_outputs(Schema(name, _plain_options()), y, n)
        return outputs, weight_of(sample_weight, sequences.lengths)

    def _aim(self, sequences, y, weight, classes, settings, last):
        positions, longest = np.arange(len(sequences)), int(y.lengths.max())
        if last is None:
            samples = Samples(y, None, np.ones(len(y)), positions)
            reader, _ = TokenReader.learn(_plain_options(), samples, None)
            head = self._head_for(reader, longest, sequences.kind)
        else:
            head = last.model.head
            check_same_kind(y.kind, head.reader.kind)
            head = replace(head, longest=max(head.longest, longest))
        answers = head.targets(y, weight)
        head = head.fitted_to(answers, weight, sequences.lengths)
        return Samples(sequences, answers, weight, positions), head

    def _head_of(self, attributes):
        kind, known = attributes["output_kind_"], attributes["output_vocabulary_"]
        return self._head_for(
            TokenReader(kind, known),
            attributes["longest_output_"],
            attributes["kind_"],
            attributes.get("n_frames_per_step_", 0),
        )

    def _head_for(self, reader, longest, kind, n_frames=None):
        """The head for what a reader reads of y, beside an X of some kind.

        `n_frames` is that of the last fit, 0 without frames; None before the first fit.
        """
        reading = {**_plain_options().kept(), "columns": None, "shortest": 0}
        attributes = {"_reading": reading, "kind_": reader.kind}
        schema = Schema.from_attributes(type(self).__name__, attributes)
        of_y = {"reader": reader, "schema": schema, "longest": longest}
        if n_frames == 0 or (n_frames is None and self.decoder == "rnn"):
            return TransductionHead(**of_y)
        return CTCHead(**of_y, reads_start=kind != "series", n_frames=n_frames or 0)

    def predict(self, X):
        """Predict a sequence for each sequence.

        Parameters
        ----------
        {X of predict}

        Returns
        -------
        y : list of str, or list of lists of tokens
            The likeliest sequences that were found, of the kind that y had in `fit`.

        Raises
        ------
        {raises of predict}

        Warns
        -----
        UserWarning
            If sequences had not ended after `max_output_length` tokens.
        """
        head, found, places = self._found(X)
        self._warn_of_cut(head, found)
        best = [sequences[0] for sequences in written(head.reader, found)]
        return each_its_own(best, places)

    def predict_n_best(self, X, n_best=5):
        """Predict several sequences for each sequence, the likeliest first.

        Parameters
        ----------
        {X of predict}
        n_best : int, default=5
            How many to predict. The width of the beam is `beam_width`, or this if it is
            larger.

        Returns
        -------
        y : list of list of tuple (sequence, log_p)
            For each sequence of X, at most `n_best` distinct sequences of the kind that
            y had in `fit`, each with the logarithm of its probability in nats, as from
            :meth:`score_samples`. With `label_smoothing`, the probability is lower than
            the share of such sequences that are right.

        Raises
        ------
        {raises of predict}
        ValueError
            If `n_best` is not a whole number from 1, or so many take more memory than
            there may be.
        """
        check_count("n_best", n_best)
        head, found, places = self._found(X, int(n_best))
        self._warn_of_cut(head, found)
        best = with_log_p(written(head.reader, found), found.log_p)
        return each_its_own(best, places)

    def score(self, X, y, sample_weight=None):
        """Compute the share of sequences that are predicted without a mistake.

        Parameters
        ----------
        {X of predict}
        y : list, tuple, array or Series of n_samples sequences
            The true sequences, of the same kind as in `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sequence. None gives all the same weight.

        Returns
        -------
        score : float
            From 0 to 1, which is perfect. A sequence with a token that y in `fit` did
            not have is always wrong.

        Raises
        ------
        {raises of predict}

        Warns
        -----
        UserWarning
            As in :meth:`predict`.
        """
        head, found, places = self._found(X)
        self._warn_of_cut(head, found)
        sequences = read_outputs(head.schema, y, len(places))
        weight = weight_of(sample_weight, places)
        true = head.reader.encode(sequences)
        are_right = found.take(places).are_equal(true.values, true.offsets)
        return float(np.average(are_right, weights=weight))

    def score_samples(self, X, y):
        """Compute the logarithm of the probability of given sequences.

        Parameters
        ----------
        {X of predict}
        y : list, tuple, array or Series of n_samples sequences
            Sequences of the same kind as in `fit`.

        Returns
        -------
        log_p : ndarray of shape (n_samples,), float64
            In nats: the sum over the tokens of a sequence and its end, which
            `label_smoothing` makes lower; -inf if a token is not in
            `output_vocabulary_`. With ``decoder="ctc"``, it is that of all
            ways to emit the sequence; -inf also if there are too few frames for it.

        Raises
        ------
        {raises of predict}

        Warns
        -----
        UserWarning
            If tokens are not in `output_vocabulary_`.
        """
        models, steps, sequences, ids = self._with_answers(X, y)
        is_unknown = ids.values == UNKNOWN
        warn_of_unknown(sequences, is_unknown, "output_vocabulary_")
        answers = Answers.of(ids.values, ids.offsets)
        log_p = log_p_together(models, steps, answers)
        sequence = np.repeat(np.arange(len(sequences)), ids.lengths)
        log_p[sequence[is_unknown]] = -np.inf
        check_finite(np.exp(log_p)[:, np.newaxis])
        return log_p

    def attention_weights(self, x, y=None):
        """Compute how the decoder looks back at one sequence while it writes another.

        Parameters
        ----------
        x : str, list of tokens or array
            One sequence of the same kind as those of X in `fit`.
        y : str or list of tokens, default=None
            The sequence to write. None for that which is predicted.

        Returns
        -------
        weights : ndarray of shape (n_tokens + 1, n_steps + 1), float32
            Row t has the weights of all steps when token t is written, the last row
            those when it ends. Column 0 is the start that is read before a string or
            token list; of a series, there are only n_steps columns. Each row sums to 1.

        Raises
        ------
        {raises of predict}
        ValueError
            If `attention` was None in `fit`, or `decoder` was "ctc".
        """
        check_is_fitted(self)
        check_one(x, self.kind_, self.analyzer)
        y = self.predict([x])[0] if y is None else y
        (model,), (steps,), sequences, ids = self._with_answers([x], [y])
        if model.architecture.attention is None:
            given, cure = "attention=None", "attention='dot'"
            if model.architecture.n_frames:
                given, cure = "decoder='ctc'", "decoder='rnn'"
            raise ValueError(
                f"{type(self).__name__} was fitted with {given}, so it does not look "
                f"back. Use {cure}."
            )
        is_unknown = ids.values == UNKNOWN
        if is_unknown.any():
            token = sequences.token_at(int(is_unknown.argmax()))
            raise ValueError(
                f"y has {token!r}, which is not in output_vocabulary_. Use tokens of "
                "the training data."
            )
        answers = Answers.of(ids.values, ids.offsets)
        (weights,) = model.attention_weights(steps, answers)
        check_finite(weights.reshape(1, -1))
        return weights

    def _found(self, X, n_best=1):
        """The head, what was found for each distinct sequence, and which one is whose.

        Returns
        -------
        head : TransductionHead
        found : Hypotheses
        places : ndarray of shape (n_samples,)
        """
        self._validate_params()  # set since the fit, perhaps
        models, steps, once = self._models_and_steps(X)
        for model in models:
            model.check_outputs()
        head, width = models[0].head, max(int(self.beam_width), n_best)
        found = written_together(
            models,
            steps,
            self._longest(head),
            width=width,
            n_best=n_best,
            length_penalty=float(self.length_penalty),
        )
        check_finite(found.log_p[:, :1], once.positions)
        return head, found, np.arange(len(steps[0].lengths))[once.places]

    def _longest(self, head):
        """The largest number of tokens to predict."""
        if self.max_output_length == "auto":
            return max(1, _TIMES_THE_LONGEST * head.longest)
        return int(self.max_output_length)

    def _warn_of_cut(self, head, found):
        cure = "Increase max_output_length, or fit for longer."
        warn_of_cut(found, self._longest(head), cure)

    def _with_answers(self, X, y):
        """All models, X as each reads it, the sequences in y, and their steps."""
        models, steps, once = self._models_and_steps(X)
        for model in models:
            model.check_outputs()
        places = np.arange(len(steps[0].lengths))[once.places]
        steps = [own.take(places) for own in steps]
        head = models[0].head  # all write the same tokens
        sequences = read_outputs(head.schema, y, len(places))
        return models, steps, sequences, head.reader.encode(sequences)


def _plain_options():
    """How sequences of y are read: characters or tokens, as they are."""
    plain = {field.name: field.default for field in fields(BaseRNN)}
    names = "ngram_range", "subwords", "kernel_sizes"
    plain |= {name: getattr(RNNSeq2Seq, name) for name in names}
    return ReadingOptions.of(plain)
