"""Parts shared by the docstrings of the estimators.

In the docstrings of a class decorated with `share_docs` and of its methods, a line such
as ``{notes}`` is replaced by that entry of PARTS, and ``{parameters}`` by entries of
PARAMETERS: of all parameters that the docstring of the class does not describe itself.
What stands between ``{if name}`` and ``{end}`` is for classes with that parameter.
"""

import re
from dataclasses import fields
from functools import partial
from textwrap import dedent, indent

from skrnn._docs_of_parameters import PARAMETERS
from skrnn._docs_of_writers import PARTS as OF_WRITERS

PARTS = {**OF_WRITERS}


def share_docs(cls):
    """Replace the placeholders in the docstrings of a class and its methods."""
    for member in (cls, *vars(cls).values()):
        doc = getattr(member, "__doc__", None)  # None under python -OO
        if doc is not None and (member is cls or callable(member)):
            parts = {name: _of_class(cls, text) for name, text in PARTS.items()}
            fill_in = partial(_fill_in, {**parts, "parameters": _parameters(cls)})
            doc = re.sub(r"^( *)\{([\w ]+)\}$", fill_in, doc, flags=re.M)
            member.__doc__ = _in_order(cls, doc) if member is cls else doc
    return cls


def _fill_in(parts, placeholder):
    space, name = placeholder.groups()
    return indent(parts[name], space)


def _of_class(cls, text):
    """A text without what is for classes with other parameters."""
    names = {field.name for field in fields(cls)}
    return re.sub(
        r"^ *\{if (\w+)\}\n(.*?)^ *\{end\}$\n?",
        lambda match: match[2] if match[1] in names else "",
        text,
        flags=re.M | re.S,
    ).strip()


def _parameters(cls):
    """The entries of the parameters that the docstring of a class does not describe."""
    names = [field.name for field in fields(cls) if field.name in PARAMETERS]
    own = re.findall(r"^ *(\w+) : ", cls.__doc__, flags=re.M)
    shared = (PARAMETERS[name] for name in names if name not in own)
    return "\n".join(_of_class(cls, entry) for entry in shared)


def _in_order(cls, doc):
    """The docstring of a class with its parameters in the order of its signature."""
    before, title, after = doc.partition("Parameters\n    ----------\n")
    listed, space, after = after.partition("\n\n    Attributes\n")
    names = [field.name for field in fields(cls)]
    entries = re.split(r"\n(?=    \w+ : )", listed)
    entries.sort(key=lambda entry: names.index(entry.split(" :")[0].strip()))
    return "".join([before, title, "\n".join(entries), space, after])


PARTS["wide parameter"] = dedent(
    """
    wide_ngram_range : tuple (min_n, max_n), "auto" or None, default="auto"
        The n-grams of the wide path [18]_, which is learned beside the network: A x,
        where x has the weights of the n-grams of a sequence, for all n from `min_n` to
        `max_n`, wherever they are in it; those of characters also tell where a string
        starts and ends. Scores are the mean of those of both. "auto" is (1, 5) for the
        characters of strings, and (1, 2) for words without spaces and tokens, if labels
        are predicted. Otherwise it is None, which leaves the wide path out. If all
        sequences of the training data have the same length, as windows of DNA have,
        "auto" is (1, 3) for characters, and each n-gram is also read together with the
        step at which it starts; up to a length of 8, so is each pair of tokens that are
        not neighbours. Only "auto" does that: with a tuple, n-grams are read wherever
        they are, which is much worse on such windows. The n-grams are its own:
        `vocabulary`, `embeddings`, `min_df` and `max_features` do not concern them. For
        numeric series, see `n_wide_features`.
    n_wide_features : int, "auto" or None, default="auto"
        The number of features in the x of the wide path if X holds numeric series: how
        often patterns are found in windows of 9 steps, as counted by MiniRocket [20]_.
        "auto" is 5,000 if labels are predicted and series have at least 9 steps on
        average; otherwise it is None, which leaves the wide path out. With more than
        6,710 series or 3,355 outputs, "auto" is less than 5,000, so that the x of all
        series have at most 2**25 numbers, and A at most 2**24. A fit keeps the x of all
        its series in memory, with 4 bytes for each number; in `partial_fit`, "auto"
        depends on the first chunk.
    """
).strip()

PARTS["wide"] = dedent(
    """
    wide_coef_ : ndarray of shape (n_outputs, n_columns)
        The A of the wide path: column ``wide_vocabulary_[gram]`` has the weights of an
        n-gram, and column i those of feature i of series. Only available with a wide
        path, as are all attributes whose names begin with ``wide``.
    wide_vocabulary_ : dict of n-gram -> int
        Mapping of the n-grams of the wide path to columns, which start at 0: those that
        at least 2 sequences of the training data contain, at most the 262,144 most
        frequent ones, or fewer if ``wide_coef_`` would have more than 2**24 weights.
        In n-grams of characters, the control characters "\\x02" and "\\x03" stand for
        the start and the end of a string; so "\\x02Mc" is "Mc" as its first characters.
        An n-gram with its place is a tuple of pairs (step, token), steps counted from
        0, such as ``((3, "G"), (4, "T"))``; of these there are at most half as many.
        Print keys with `repr`, which shows the control characters. Only available for
        strings and token lists.
    wide_idf_ : ndarray of shape (n_grams,)
        The inverse document frequency of each n-gram, 1 + log((1 + n_samples) / (1 +
        df)), where df is the number of sequences that contain it.
    wide_biases_ : ndarray of shape (n_wide_features,)
        Feature i of a series is the share of its steps at which the likeness of the
        window and a pattern is above ``wide_biases_[i]``; see the notes. The pattern is
        ``list(itertools.combinations(range(-4, 5), 3))[i % 84]``; where i % 84 is odd,
        only windows within the series count. Only available for numeric series, as are
        the attributes below.
    wide_dilations_ : ndarray of shape (n_dilations,)
        The numbers of steps from one step of a window to the next. Feature i has
        ``wide_dilations_[i // 84 % n_dilations]``.
    wide_inputs_ : ndarray of shape (n_dilations, n_sums, n_numbers), bool
        Which of the numbers of a step are summed. Feature i has
        ``wide_inputs_[i // 84 % n_dilations, i % 84 % n_sums]``.
    wide_mean_ : ndarray of shape (n_wide_features,)
        The mean of each feature of series.
    wide_scale_ : ndarray of shape (n_wide_features,)
        The standard deviation of each feature of series.
    """
).strip()

PARTS["notes on the wide path"] = dedent(
    """
    With a wide path, scores are (V h + c + A x) / 2, where x has the TF-IDF weight of
    each n-gram of the sequence, as from TfidfVectorizer with ``sublinear_tf=True``: idf
    (1 + log tf), where tf is how often it occurs, divided by the Euclidean norm of all
    of them. The scores of a sequence without any of the n-grams are those of the
    network.

    For numeric series, x has the features of MiniRocket [20]_. A window has 9 steps,
    each d steps after the one before, where d is its dilation; a pattern is 3 of these
    9. The likeness of the window around step t and pattern (p, q, r) is C_t = 3
    (z_{t+pd} + z_{t+qd} + z_{t+rd}) - (the sum of z over the window), where p, q and r
    are from -4 to 4, and z_t is a standardised number of step t, or the sum of some of
    them, and 0 outside the series. A feature is the share of the steps at which C_t is
    above a bias: a quantile of C in a training series, raised a little, lest rounding
    errors decide where C is the same at many steps. For every second pattern, only the
    windows that lie within the series count, unless there are none. Features are
    standardised, clipped to [-3, 3], and divided by the square root of their number.

    Both paths are trained on the same minibatches, each with the loss of its own
    scores, so that the network, `encoder_` and `loss_` are those without a wide path;
    only with `early_stopping` do the scores of both decide. A starts at 0 and is
    updated by AdaGrad [19]_, whose rate is 600 times the learning rate, or 60 times for
    series; `alpha` and `max_grad_norm` do not concern it.
    """
).strip()

PARTS["kind"] = dedent(
    """
    kind_ : {"text", "words", "tokens", "features", "series"}
        Kind of the sequences seen in `fit`: strings read as characters ("text") or as
        words ("words"), token lists, sequences of features, or series of numbers.
    """
).strip()

PARTS["weights"] = dedent(
    """
    W_ : list of ndarrays of shape (nhidden, nhidden)
        Recurrent weights, which determine what h keeps from one step to the next. One
        array per layer, or per layer and direction. The matrices of r, z and n ("gru")
        or of i, f, g and o ("lstm") are stacked vertically, in this order, which is
        that of torch.nn.
    U_ : list of ndarrays of shape (nhidden, n_inputs)
        Input weights, in the order of `W_`. For tokens, column ``vocabulary_[token]``
        of the first array is the vector of the token, and column 0 is that of unknown
        tokens.
    {if subwords}
        Subwords have the columns ``subwords_[subword]``. For n-grams and subwords, the
        last column is the vector of those that are absent: n-grams that would begin
        before the start of the sequence, and beginnings and endings of short words.
    {end}
    {if embeddings}
        With `embeddings`, the first array has one column per dimension of the vectors.
    {end}
    b_ : list of ndarrays of shape (nhidden,)
        Biases, in the order of `W_`. The biases of the input and of the hidden state
        are combined into one, except for n of "gru", whose hidden-state bias comes
        last.
    {if kernel_sizes}
    filters_ : list of ndarrays of shape (n_filters, n_inputs, kernel_size)
        Filters by layer and kernel size, in the order of torch.nn.Conv1d. Only
        available with `kernel_sizes`.
    filter_biases_ : list of ndarrays of shape (n_filters,)
        Their biases.
    {end}
    """
).strip()

PARTS["inputs"] = dedent(
    """
    vocabulary_ : dict of token -> int
        Mapping of tokens and n-grams to ids, which start at 1. It contains the tokens
        and n-grams of the training data, the shorter ones first and otherwise sorted,
        followed by the tokens of `embeddings`; or those of `vocabulary`, in its order.
        Not available for series of numbers.
    {if subwords}
    subwords_ : dict of str -> int
        Mapping of subwords to ids, which follow those of `vocabulary_`: words in
        lowercase, as "<word>"; their beginnings, as "<wor"; their endings, as "ord>";
        shapes, as "Xx"; and, in taggers, patterns, as "~Xxxx". Only available if
        subwords are read.
    {end}
    embeddings_ : ndarray of shape (n_ids, n_dimensions)
        The vector of each token: row ``vocabulary_[token]``, and row 0 for unknown
        tokens. Only available if `embeddings` is given.
    mean_, scale_ : ndarrays of shape (n_features,)
        Mean and standard deviation of each feature over all steps of the training data,
        used to standardise numbers; 0 and 1 if `standardize` is False. Not available
        for tokens.
    own_mean_, own_scale_ : ndarrays of shape (2, n_features) or (0, n_features)
        If each series is also standardised by itself: the mean and the standard
        deviation, over the training series, of the means of the series, and of the
        logarithms of their standard deviations, in units of `scale_`. Not available for
        tokens.
    difference_scale_ : ndarray of shape (`differences`, n_features)
        Standard deviations of the differences of standardised numbers. Not available
        for tokens.
    patch_length_ : int
        Number of steps of a series that are read at once, or, behind filters, averaged.
        Not available for tokens.
    n_features_in_ : int
        Number of steps per sequence. Only available if X held univariate series of
        equal length, in any container.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Only available if X was a frame of numbers with named
        columns.
    """
).strip()

PARTS["losses"] = dedent(
    """
    best_loss_ : float
        Minimum loss over the epochs.
    loss_curve_ : list of float
        Loss of each epoch.
    n_iter_ : int
        Number of epochs.
    validation_scores_, validation_loss_curve_ : lists of float
        Score and loss on the validation data after each epoch. Only available if
        `early_stopping` is True.
    best_validation_score_ : float
        Best validation score. Only available if `early_stopping` is True.
    """
).strip()

PARTS["notes"] = dedent(
    """
    The cell "gru" [7]_, where s is the logistic function, * is the elementwise product
    and c is the bias of the hidden state:

        r = s(W_r h_{t-1} + U_r x_t + b_r),    z = s(W_z h_{t-1} + U_z x_t + b_z),
        n = tanh(r * (W_n h_{t-1} + c) + U_n x_t + b_n),
        h_t = (1 - z) * n + z * h_{t-1}.

    The cell "lstm" [8]_ has a second state m, which starts at 0:

        i, f, o = s(W h_{t-1} + U x_t + b), each with its own weights,
        g = tanh(W_g h_{t-1} + U_g x_t + b_g),
        m_t = f * m_{t-1} + i * g,    h_t = o * tanh(m_t).

    {if kernel_sizes}
    With `kernel_sizes`, the recurrence reads z_t in place of x_t,

        z_t = max(0, f + sum_k F_k x_{t + k - K // 2}),    k = 0, ..., K - 1,

    for each kernel size K, side by side, and x = 0 before the first and after the last
    step. Behind each layer, a few consecutive z_t are averaged, which the next layer
    reads: of n layers, about the n-th root of `patch_length_`. Before training, filters
    are scaled so that what relu is applied to has mean 0 and variance 1 over the steps
    of some sequences [16]_.

    {end}
    During training, a token that occurs c times is replaced by the unknown token with
    probability 0.25 / (0.25 + c), or `token_dropout` if that is larger, so that the
    vector of unknown tokens is trained [6]_.

    An epoch takes time O(n_steps nhidden^2), where n_steps is the total number of steps
    in all sequences. Memory is O(n_steps) for the data and O(n_steps_in_batch nhidden)
    for a batch. If the next step is predicted and a batch has many steps, its hidden
    states are computed twice, to keep few of them: this takes a third more time, but
    far less memory. Sequences are packed, not padded: the cost of a sequence depends
    only on its own steps. Prediction does not store the hidden states of earlier steps.
    Token sequences that begin alike share the computation of their common beginning,
    and identical ones are computed once.

    Large minibatches and predictions use as many threads as
    :func:`torch.get_num_threads` returns, and each thread processes its own share of
    the sequences; ``torch.set_num_threads(1)`` limits them to one. Weights are
    reproducible for a fixed number of threads. A different number of threads changes
    the order of summation: gradients differ by rounding errors, which a long fit may
    magnify up to the second digit.

    If the vocabulary has thousands of tokens, of which a minibatch contains only a few,
    an update changes the vectors of these few only.
    """
).strip()

PARTS["references"] = dedent(
    """
    .. [1] Elman (1990), "Finding Structure in Time", Cognitive Science 14(2).
    .. [2] Kingma and Ba (2015), "Adam: A Method for Stochastic Optimization", ICLR.
    .. [3] Smith and Topin (2019), "Super-convergence: very fast training of neural
       networks using large learning rates", SPIE 11006.
    .. [4] Loshchilov and Hutter (2019), "Decoupled Weight Decay Regularization",
       ICLR.
    .. [5] Pascanu, Mikolov and Bengio (2013), "On the difficulty of training
       recurrent neural networks", ICML.
    .. [6] Kiperwasser and Goldberg (2016), "Simple and Accurate Dependency Parsing
       Using Bidirectional LSTM Feature Representations", TACL 4.
    .. [7] Cho et al. (2014), "Learning Phrase Representations using RNN
       Encoder-Decoder for Statistical Machine Translation", EMNLP.
    .. [8] Hochreiter and Schmidhuber (1997), "Long Short-Term Memory", Neural
       Computation 9(8).
    .. [9] Gal and Ghahramani (2016), "A Theoretically Grounded Application of
       Dropout in Recurrent Neural Networks", NeurIPS.
    .. [10] Iyyer et al. (2015), "Deep Unordered Composition Rivals Syntactic Methods
       for Text Classification", ACL.
    .. [11] Howard and Ruder (2018), "Universal Language Model Fine-tuning for Text
       Classification", ACL.
    .. [12] Nie et al. (2023), "A Time Series is Worth 64 Words: Long-term Forecasting
       with Transformers", ICLR.
    .. [13] Williams and Peng (1990), "An Efficient Gradient-Based Algorithm for On-Line
       Training of Recurrent Network Trajectories", Neural Computation 2(4).
    .. [14] Kim et al. (2022), "Reversible Instance Normalization for Accurate
       Time-Series Forecasting against Distribution Shift", ICLR.
    .. [15] Karim et al. (2018), "LSTM Fully Convolutional Networks for Time Series
       Classification", IEEE Access 6; with windows of several sizes as in Ismail Fawaz
       et al. (2020), "InceptionTime: Finding AlexNet for Time Series Classification",
       Data Mining and Knowledge Discovery 34.
    .. [16] Mishkin and Matas (2016), "All you need is a good init", ICLR.
    .. [17] Bojanowski et al. (2017), "Enriching Word Vectors with Subword
       Information", TACL 5.
    .. [18] Cheng et al. (2016), "Wide & Deep Learning for Recommender Systems", DLRS.
    .. [19] Duchi, Hazan and Singer (2011), "Adaptive Subgradient Methods for Online
       Learning and Stochastic Optimization", JMLR 12.
    .. [20] Dempster, Schmidt and Webb (2021), "MiniRocket: A Very Fast (Almost)
       Deterministic Transform for Time Series Classification", KDD.
    """
).strip()

PARTS["X of fit"] = dedent(
    """
    X : list, tuple, array, tensor, Series or frame of n_samples sequences
        Each sequence is a string; a sequence of tokens (strings or integers) or of
        floats; or numbers of shape (n_steps, n_features). Sequences may differ in
        length; strings and token lists may be empty, and their h is then 0. X may also
        be a column of pandas, polars, pyarrow or awkward, or a frame with one such
        column. An array or frame of numbers of shape (n_samples, n_steps) and an array
        of shape (n_samples, n_steps, n_features) hold series of equal length.

        If y is predicted, a step may also be a set of features, as for CRFsuite: a
        dict, of which ``{"word": "The", "is_title": True}`` has the features
        "word:The" and "is_title", or a list, tuple or set of strings. Then x has a 1
        for each feature that the step has; those that are not in `vocabulary_` are left
        out.
    """
).strip()

PARTS["X or chunks of fit"] = (
    PARTS["X of fit"].replace(
        "Series or frame of", "Series, frame or ChunkedDataset of", 1
    )
    + "\n\n"
    + indent(
        dedent(
            """
            Data that do not fit into memory are passed as a :class:`ChunkedDataset`,
            in place of X, y and sample_weight.
            """
        ).strip(),
        "    ",
    )
)

PARTS["X of predict"] = dedent(
    """
    X : list, tuple, array, tensor, Series or frame of n_samples sequences
        Sequences of the same kind as in `fit`.
    """
).strip()

PARTS["vectors of predict"] = dedent(
    """
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Vectors with the features of `fit`.
    """
).strip()

PARTS["X to score"] = dedent(
    """
    X : str, list, tuple, array, tensor, Series or frame of n_samples sequences
        Sequences of the same kind as in `fit`. A string is one text.
    """
).strip()

PARTS["sample_weight"] = dedent(
    """
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sequence in the loss. A weight of 0 is equivalent to removing the
        sequence, except that its class, if y holds classes, stays in `classes_`.
    """
).strip()

PARTS["X_val"] = dedent(
    """
    X_val : list, tuple, array, tensor, Series or frame of sequences, default=None
        Validation data for `early_stopping`, for example of other groups than X, or of
        a later time: sequences of the same kind as in X. Nothing is learned from them,
        and no part of X is held out. In a pipeline, ``transform_input=["X_val"]``
        transforms them as X.
    """
).strip()

PARTS["sample_weight_val"] = dedent(
    """
    sample_weight_val : array-like, default=None
        Weight of each sequence of `X_val` in the validation score and loss. A weight of
        0 is equivalent to removing the sequence.
    """
).strip()

PARTS["sample_weight of a chunk"] = dedent(
    """
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sequence in the loss, relative to the other sequences of this
        chunk.
    """
).strip()

PARTS["partial_fit"] = dedent(
    """
    The first call learns how to read sequences: its vocabulary, or its means and
    standard deviations, are kept. Tokens that first appear in later calls are unknown;
    to include them, pass `vocabulary`. Whatever "auto" stands for is decided there,
    too, so let the first call have enough sequences, and typical ones.

    The state of Adam and of the random number generator is carried over from call to
    call, so n calls with the same data are equivalent to n epochs. The learning rate is
    always `learning_rate_init`, because the number of chunks is not known in advance;
    lower it with `set_params` for the last chunks. Weights, including class weights,
    are relative to the chunk. `max_iter`, `tol` and `n_iter_no_change` are ignored. If
    a call fails, the estimator is left unchanged.
    """
).strip()

PARTS["raises of checkpoints"] = dedent(
    """
    OSError
        If no file can be written to the folder `checkpoint`.
    ValueError
        If the file of this fit in `checkpoint` is damaged, or of another version.
    """
).strip()

PARTS["stages"] = dedent(
    """
    There is one stage for each step of the longest sequence, where a step is what
    `kind_` says: a character, a word, a token or a set of features. For numeric series,
    there is one for every `patch_length_` steps. After the end of a shorter sequence,
    its prediction stays the same. If `max_length` cuts a sequence, its stages are those
    of what is left.

    Many stages are read at once, in memory O(n_steps). They share their steps if the
    network reads strings or tokens in one direction; otherwise, the time is quadratic
    in the length of a sequence.
    """
).strip()

PARTS["raises of predict"] = dedent(
    """
    NotFittedError
        If `fit` has not been called.
    TypeError
        If X holds sequences of a different kind than in `fit`.
    ValueError
        If a series is empty or has a different number of features than in `fit`; if a
        sequence is longer than `max_length`; if a number is infinite, or NaN and
        `missing` is "error"; or if a hidden state is not finite.
    """
).strip()

PARTS["raises of predict from vectors"] = dedent(
    """
    NotFittedError
        If `fit` has not been called.
    ValueError
        If X is not a matrix of finite numbers with the features of `fit`, or a hidden
        state is not finite.
    """
).strip()
