"""Parts shared by the docstrings of the estimators.

In the docstrings of a class decorated with `share_docs` and of its methods, a line such
as ``{parameters}`` is replaced by that entry of PARTS.
"""

import re
from textwrap import dedent, indent

PARTS = {}


def share_docs(cls):
    """Replace the placeholders in the docstrings of a class and its methods."""
    for member in (cls, *vars(cls).values()):
        doc = getattr(member, "__doc__", None)  # None under python -OO
        if doc is not None and (member is cls or callable(member)):
            member.__doc__ = re.sub(r"^( *)\{([\w ]+)\}$", _fill_in, doc, flags=re.M)
    return cls


def _fill_in(placeholder):
    space, name = placeholder.groups()
    return indent(PARTS[name], space)


PARTS["parameters"] = dedent(
    r"""
    nhidden : int or tuple of int, default=128
        Length of the hidden state h. A tuple stacks layers: each layer reads the hidden
        states of the layer before it, step by step.
    cell : {"gru", "lstm", "rnn"}, default="gru"
        Type of recurrent cell. "rnn" is the formula above. "gru" and "lstm" have gates,
        which learn what to keep over many steps, but their steps take three and four
        times as long, respectively. Their formulas are in the Notes below.
    activation : {"tanh", "relu", "identity"}, default="tanh"
        Activation function of h. Values other than "tanh" require ``cell="rnn"``.
    recurrence : {"learned", "identity"}, default="learned"
        "identity" fixes W to the identity matrix instead of learning it, and requires
        ``cell="rnn"``. Combined with ``activation="identity"``, it makes h the sum of
        the vectors of the steps: a bag of words, which ignores order and therefore
        shows how much order matters for the data at hand, if n-grams do not tell it:
        with ``ngram_range=(1, 1)``, and in classifiers ``wide_ngram_range=None``.
    bidirectional : bool or "auto", default="auto"
        Whether to also read each sequence backwards, with separate weights. h is then
        the concatenation of the codes of both directions. "auto" is True if y holds
        numbers and X strings or token lists, unless `truncate` is set.
    pooling : {"auto", "last", "mean", "max", "sum", "concat"}, default="auto"
        How to compute the code h of a sequence: the hidden state of its last step
        ("last"); the mean or the maximum of each entry of the hidden state over all
        steps ("mean", "max"); "last" plus "max" ("sum"); or the concatenation of "last"
        and "max" ("concat") [11]_. "auto" is "last" for the cell "rnn", as in [1]_, and
        "sum" for the other cells, because it captures what happened long before the
        end.
    analyzer : {"auto", "char", "word", "token", "series"} or callable, default="auto"
        What a step of a sequence is. "auto" reads sentences as words, other strings as
        characters, a sequence of strings or integers as tokens, and a sequence of
        floats or of rows of numbers as a series; it warns if integers look like
        measurements or nearly all are rare, and later if a sequence holds only integers
        that `fit` has not seen. Strings are sentences if the median number of their
        words in `fit` is at least four, where words have letters and are separated by
        whitespace; but without y, or with `vocabulary` or `embeddings`, "auto" reads
        all strings as characters. "char" and "word" require strings; "token" and
        "series" determine how integers are read. A callable is applied to each sequence
        as it was passed and returns what to read instead.
    lowercase : bool, default=False
        Whether to convert sequences that are strings to lowercase. Token lists are left
        unchanged.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Remove accents from sequences that are strings, as CountVectorizer does.
    token_pattern : str, default=r"\w+|[^\w\s]"
        Regular expression that matches a word, used if words are read. By default, a
        word is a run of letters, digits and underscores, or any other single
        character except whitespace.
    ngram_range : tuple (min_n, max_n) or "auto", default="auto"
        At each step, read the n-grams that end there, for all n from `min_n` to
        `max_n`: x is 1 for each of them, so that U x is the sum of their vectors. All
        n-grams that would begin before the start of the sequence share one vector.
        "auto" is (1, 3) if the steps are characters and the network predicts labels or
        the next character, and (1, 2) if they are words and it predicts labels, with at
        most the 50,000 most frequent n-grams unless `max_features` is set. In all other
        cases (tokens, words with spaces, a given `vocabulary` or `embeddings`, numeric
        targets), "auto" is (1, 1).
    subwords : bool or "auto", default="auto"
        Whether to also read what a word is made of, if the steps are words, or tokens
        that are strings: the word in lowercase, its first three and its last three
        characters, and its shape, such as "Xx" for a capitalised word. Their vectors
        are added to that of the word, so that words which `fit` has not seen are read
        by what they share with others [17]_. What a short word does not have is
        replaced by one vector, the same for all. "auto" is True for the words of
        strings, unless the next step is predicted, or `vocabulary` is given. Without
        effect for characters and with `embeddings`.
    min_df : int or float in [0, 1], default=1
        Leave tokens, n-grams and subwords out if they occur in fewer sequences than
        this number (int) or this fraction of the sequences (float).
    max_features : int or None, default=None
        Maximum number of tokens and n-grams to learn, and of subwords: only the most
        frequent ones are kept. During a fit, each of 100,000 tokens takes 6 kB with the
        default network, which makes 0.6 GB.
    vocabulary : mapping or iterable, default=None
        Tokens and n-grams to use instead of learning them from the data. For a mapping,
        these are its keys, in the order of its values. An n-gram of characters is a
        string, an n-gram of words is a string of words separated by spaces, and an
        n-gram of tokens is a tuple.
    embeddings : mapping of token -> vector, or (vocabulary, matrix), default=None
        Pretrained vectors of tokens, all of the same length, which the network reads in
        place of the tokens. In a pair, the vocabulary is a list of tokens or a dict of
        token -> row of the matrix. The tokens are added to the vocabulary, unless
        `vocabulary` is given. Tokens without a pretrained vector start with a random
        one. For thousands of vectors, prefer the pair: scikit-learn takes minutes to
        print an estimator that has such a mapping.
    freeze_embeddings : bool, default=False
        Whether to keep the pretrained vectors fixed. Otherwise, they are trained,
        without weight decay.
    standardize : bool, "series" or "auto", default="auto"
        How to standardise numbers. True subtracts the mean of each feature over the
        training data, and divides by its standard deviation. "series" does the same,
        and adds features in which each series is standardised by its own mean and
        standard deviation, and these two, the latter as a logarithm, which are the same
        at each step [14]_: shapes can then be told apart from sizes. "auto" is "series"
        if the size of the series varies much, that is, if the logarithms of their
        standard deviations have themselves a standard deviation above 0.5, for at least
        one feature; otherwise, and without y, it is True. False leaves numbers as they
        are.
    differences : int, default=1
        Order of the differences of numbers to read as additional features: 1 adds the
        change of each feature from the previous step, 2 also adds the change of that
        change, and so on. Each difference is divided by its standard deviation.
    patch_length : int or "auto", default="auto"
        Number of consecutive steps of a series of numbers to read at once, side by side
        [12]_: the network takes fewer steps, which is faster and easier to learn. If
        the first patch would begin before the start of the sequence, the first step is
        repeated. With `kernel_sizes`, about as many steps are averaged instead, a share
        of them behind each layer of filters. "auto" is the average length of a sequence
        divided by 100, or with `kernel_sizes` by 40, rounded, but at least 1. Larger
        values than the length of the longest series in `fit` are reduced to that
        length.
    kernel_sizes : tuple of int, tuple of tuples of int, None or "auto", default="auto"
        Layers of convolutions before the recurrence, for series of numbers: filters
        that read windows of several steps, from `kernel_size // 2` steps before each
        step, as in torch.nn.Conv1d, with zeros beyond both ends; and then relu [15]_.
        A tuple has the kernel sizes of one layer, among which its filters are shared:
        3/8 `nhidden` (of the first layer), rounded up to a multiple of three, but at
        least one for each size. A tuple of tuples has those of several layers. The
        recurrence reads the last of them. The mean and the largest value of each filter
        over all steps are appended to h, so that V also reads what occurred anywhere.
        None leaves all that out. "auto" is ((3, 9, 27), (9,), (9,)) for series of
        numbers with y, without sizes above a third of the average length of a sequence,
        and None in all other cases, or with `truncate`.
    missing : {"error", "mask"}, default="error"
        How to handle NaN. "error" raises an error. "mask" replaces a missing number by
        the last observed value in the sequence, or by the mean if there is none yet (by
        0 if `standardize` is False), and adds one feature per original feature, which
        is 1 where that feature is missing.
    max_length : int or None, default=None
        Maximum length of a sequence, in steps. None means no limit.
    overlong : {"error", "first", "last"}, default="error"
        How to handle sequences longer than `max_length`: raise an error, or keep only
        their first or their last `max_length` steps.
    token_dropout : float in [0, 1) or "auto", default="auto"
        During training, the minimum probability with which each token, n-gram or
        subword is replaced by the unknown token [10]_. "auto" is 0.4 for n-grams, of
        which there are many, most of them rare, and for tokens with `subwords`; 0.1 for
        the words of strings with n-grams or `subwords`; and 0 for single tokens.
    dropout : float in [0, 1) or "auto", default="auto"
        During training, the probability of setting to 0 each input of a layer above the
        first, and each entry of h before it is multiplied by V. An entry is dropped at
        all steps of a sequence or at none [9]_. "auto" is 0, except for labels with
        `kernel_sizes`: it is then 0.8 for the states of the recurrence in h, which soon
        knows the training data by heart, and 0.2 for all else [15]_.
    truncate : int or None, default=None
        During training, backpropagate only through the last `truncate` steps (or
        patches) of each sequence, which start from the state that the earlier steps
        lead to. This is intended for sequences of thousands of steps: memory no longer
        grows with their length, but nothing is learned from the earlier steps. It does
        not save time, and often costs more. If the next step is predicted, all steps
        are learned from, `truncate` at a time: the weights are updated after them, and
        the next ones start from the state that these lead to [13]_. Not supported with
        `bidirectional`.
    learning_rate_init : float in (0, 1], default=0.005
        Maximum learning rate of Adam [2]_. The learning rate increases to this value
        over the first quarter of the epochs and decreases to a hundredth of it by the
        last epoch [3]_. `max_iter` and `early_stopping` say when it does otherwise.
    batch_size : int or "auto", default="auto"
        Number of sequences per update, or per several updates if `truncate` is set and
        the next step is predicted. "auto" is the square root of the number of
        sequences, but at least 8 and at most 128.
    max_iter : int or "auto", default="auto"
        Number of epochs, over which the learning rate increases and decreases. "auto"
        is the number of epochs that 400 updates take, or 1,600 with `kernel_sizes`, but
        at least 12 and at most 1000; more if there is a y that takes longer to learn.
        Then the learning rate is held near its maximum from a third of these epochs on,
        until the loss of an epoch is below 0.6 times that of a guess that ignores X,
        and the fit has 5 times the epochs that this took. If that has not happened
        after 0.6 of these epochs, as with labels of which many are wrong, it has twice
        the epochs so far. An int is kept to.
    alpha : float, default=0.3
        Strength of the weight decay: each update multiplies W, U and V by
        ``1 - learning_rate * alpha`` [4]_.
    max_grad_norm : float or None, default=1.0
        Maximum Euclidean norm of the gradient. Larger gradients are scaled down to this
        norm [5]_. None leaves them unchanged.
    early_stopping : bool, default=False
        Whether to keep the weights with the best score of all epochs on validation
        data: accuracy for labels, R^2 for numbers, and minus the loss if the next step
        is predicted. The validation data is what `fit` gets as `X_val`, or else a part
        of the training data, stratified by class, that is held out. Once the score has
        stopped improving (see `n_iter_no_change`), the learning rate is lowered before
        the fit ends, because scores often improve again when it is low.
    validation_fraction : float in (0, 1), default=0.1
        Fraction of the training data to hold out. Only used if `early_stopping` is
        True and `fit` gets no `X_val`.
    tol : float, default=1e-4
        Tolerance: a training loss below `tol` counts as converged. With
        `early_stopping`, a validation score must improve by more than `tol` to count as
        an improvement.
    n_iter_no_change : int, default=10
        Without `early_stopping`, stop after this number of consecutive epochs with a
        loss below `tol`. A loss that merely stagnates does not stop training, because
        it may decrease again once the learning rate does.

        With `early_stopping`, the validation score is what counts: if it has not
        improved for this number of epochs, and the learning rate is above 5 % of its
        maximum, training goes back to the best weights, and the learning rate
        decreases to a hundredth of its maximum, over a quarter of the epochs so far,
        but at least 3 and not beyond the last of `max_iter`. At a lower learning rate,
        training stops at once. Epochs of the first quarter, while the learning rate
        increases, do not count, and the count begins again when it is lowered.
    warm_start : bool, default=False
        Whether to start from the weights of the last fit, if there is one. Its
        vocabulary, or its means and standard deviations, are kept, and so are its
        embeddings: the vectors in `embeddings` are not read again. Parameters of the
        network and of how sequences are read must not change. Classes that the last fit
        knew keep their rows of `V_`. The learning rate schedule starts again: with a
        smaller `learning_rate_init`, less is forgotten.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the order of the sequences, which tokens and
        entries of h are hidden, and what `early_stopping` holds out. Pass an int for
        reproducible weights across fits. None draws a new seed from the operating
        system: the global generators of NumPy and torch are not used.
    verbose : int, default=0
        1 shows scikit-learn's progress bar if `rich` is installed. 2 prints a line
        after each epoch, with its loss, validation score, speed and the time left. 1
        does the same without `rich`, and inside a pipeline or a search. Both say when
        the very first fit after an installation compiles, which takes some seconds.
    """
).strip()

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
    kind_ : {"text", "words", "tokens", "series"}
        Kind of the sequences seen in `fit`: strings read as characters ("text") or as
        words ("words"), token lists, or series of numbers.
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
        tokens. Subwords have the columns ``subwords_[subword]``. For n-grams and
        subwords, the last column is the vector of those that are absent: n-grams that
        would begin before the start of the sequence, and beginnings and endings of
        short words. With `embeddings`, the first array has one
        column per dimension of the vectors.
    b_ : list of ndarrays of shape (nhidden,)
        Biases, in the order of `W_`. The biases of the input and of the hidden state
        are combined into one, except for n of "gru", whose hidden-state bias comes
        last.
    filters_ : list of ndarrays of shape (n_filters, n_inputs, kernel_size)
        Filters by layer and kernel size, in the order of torch.nn.Conv1d. Only
        available with `kernel_sizes`.
    filter_biases_ : list of ndarrays of shape (n_filters,)
        Their biases.
    """
).strip()

PARTS["inputs"] = dedent(
    """
    vocabulary_ : dict of token -> int
        Mapping of tokens and n-grams to ids, which start at 1. It contains the tokens
        and n-grams of the training data, the shorter ones first and otherwise sorted,
        followed by the tokens of `embeddings`; or those of `vocabulary`, in its order.
        Not available for series of numbers.
    subwords_ : dict of str -> int
        Mapping of subwords to ids, which follow those of `vocabulary_`: words in
        lowercase, as "<word>"; their beginnings, as "<wor"; their endings, as "ord>";
        and shapes, as "Xx". Only available if subwords are read.
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
        Number of steps of a series that are read at once, or, with `kernel_sizes`,
        averaged. Not available for tokens.
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

    With `kernel_sizes`, the recurrence reads z_t in place of x_t,

        z_t = max(0, f + sum_k F_k x_{t + k - K // 2}),    k = 0, ..., K - 1,

    for each kernel size K, side by side, and x = 0 before the first and after the last
    step. Behind each layer, a few consecutive z_t are averaged, which the next layer
    reads: of n layers, about the n-th root of `patch_length_`. Before training, filters
    are scaled so that what relu is applied to has mean 0 and variance 1 over the steps
    of some sequences [16]_.

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
    """
).strip()

PARTS["X of predict"] = dedent(
    """
    X : list, tuple, array, tensor, Series or frame of n_samples sequences
        Sequences of the same kind as in `fit`.
    """
).strip()

PARTS["sample_weight"] = dedent(
    """
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sequence in the loss. A weight of 0 is equivalent to removing the
        sequence, except that its class stays in `classes_`.
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
        Weight of each sequence of `X_val` in the validation score and loss.
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
