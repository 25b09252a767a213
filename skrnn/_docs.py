"""What the docstrings of the estimators have in common, written once.

A line ``{parameters}`` in the docstring of a class that `share_docs` decorates, or
of one of its methods, stands for that part of PARTS.
"""

import re
from textwrap import dedent, indent

PARTS = {}


def share_docs(cls):
    """Fill in the parts that the docstrings of a class and its methods name."""
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
        Length of the hidden state h. A tuple stacks layers: each reads the hidden
        states of the one before, step by step.
    cell : {"gru", "lstm", "rnn"}, default="gru"
        What a step computes. "rnn" is the formula above. "gru" and "lstm" have gates,
        which learn what to keep over many steps; their steps take three and four times
        as long. Their formulas are below.
    activation : {"tanh", "relu", "identity"}, default="tanh"
        Of the cell "rnn": what bounds, or cuts off, each entry of h.
    recurrence : {"learned", "identity"}, default="learned"
        With "identity" the W of the cell "rnn" is the identity and is not learned.
        With ``activation="identity"``, too, h is the sum of the vectors of the steps: a
        bag of words, blind to order, which shows what order is worth on one's data.
    bidirectional : bool, default=False
        Also read each sequence from the end, with weights of its own; h has the codes
        of both directions, one after the other.
    pooling : {"auto", "last", "mean", "max", "sum", "concat"}, default="auto"
        The code h of a sequence: the hidden state of its last step; the mean or the
        largest value of each entry over all steps; "last" plus "max"; or these two, one
        after the other [11]_. "auto" is "last" for the cell "rnn", as in [1]_, and
        "sum" for the others: it finds what happened long before the end.
    analyzer : {"auto", "char", "word", "token", "series"} or callable, default="auto"
        What a step of a sequence is. "auto" takes strings for characters, strings and
        integers in a row for tokens, and floats and rows of numbers for series. "char"
        and "word" want strings; "token" and "series" say what integers are. A callable
        gets each sequence as it was passed and returns what to read instead.
    lowercase : bool, default=False
        Turn sequences that are strings into lower case; token lists stay as they are.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Remove accents from sequences that are strings, as CountVectorizer does.
    token_pattern : str, default=r"\w+|[^\w\s]"
        The regular expression of a word, for "word". By default words are letters,
        digits and underscores, and any other character but white space is a word too.
    ngram_range : tuple (min_n, max_n) or "auto", default="auto"
        At each step read the n-grams that end there, for all n from `min_n` to `max_n`:
        x is 1 for each of them, so that U x is the sum of their vectors. Those that
        would begin before the sequence does have one vector for all. "auto" is (1, 3)
        for characters from which labels or the next ones are predicted, the 50,000
        n-grams that occur most often unless `max_features` says otherwise, and (1, 1)
        for all else: words, tokens, a given `vocabulary` or `embeddings`, numbers to
        predict.
    min_df : int or float in [0, 1], default=1
        Tokens and n-grams in fewer sequences, or in a smaller share of them, are left
        out of the vocabulary.
    max_features : int or None, default=None
        Learn only so many tokens and n-grams, those that occur most often.
    vocabulary : mapping or iterable, default=None
        The tokens and n-grams to know, instead of learning them; of a mapping its keys,
        in the order of its values. An n-gram is a string, of words with spaces between
        them, or a tuple of tokens.
    embeddings : mapping of token -> vector, or (vocabulary, matrix), default=None
        Vectors that tokens have from elsewhere, all of one length; a vocabulary is a
        list of tokens, or a dict of token -> row of the matrix. The network reads
        them in place of the tokens. They join the vocabulary, unless it is given.
        Tokens without one start with a random vector. Prefer the pair for thousands of
        vectors: scikit-learn takes minutes to print an estimator with such a mapping.
    freeze_embeddings : bool, default=False
        Keep these vectors as they are. Otherwise they are trained, without decay.
    standardize : bool, default=True
        Divide numbers by their standard deviation once the mean has been subtracted, a
        feature at a time.
    differences : int, default=1
        Of numbers also read, as more features, what each step adds to the one before
        (1), what that adds to the difference before (2), and so on; each is divided by
        its standard deviation.
    patch_length : int or "auto", default="auto"
        Read so many steps of a series of numbers at once, side by side [12]_: the
        network takes fewer steps, which is faster and easier to learn. A first patch
        that would begin before its sequence repeats the first step. "auto" is the
        average length divided by 100, rounded, but at least 1; the longest series of
        `fit` has the most steps that can be read at once.
    missing : {"error", "mask"}, default="error"
        What to do about NaN. "mask" goes on with the last value that was seen in the
        sequence, or with the mean before any (with 0 unless `standardize`), and adds a
        feature for each one: 1 where it is missing.
    max_length : int or None, default=None
        Steps that a sequence may have.
    overlong : {"error", "first", "last"}, default="error"
        Refuse longer sequences, or keep their first or their last `max_length` steps.
    token_dropout : float in [0, 1) or "auto", default="auto"
        While fitting, each token or n-gram is taken for an unknown one at least with
        this probability [10]_. "auto" is 0.4 for n-grams, which are rare and many, and
        0 for tokens alone.
    dropout : float in [0, 1), default=0.0
        While fitting, each input of a layer above the first, and each entry of h that V
        reads, is 0 with this probability, at all steps of a sequence or at none [9]_.
    truncate : int or None, default=None
        While fitting, the gradient looks back at the last `truncate` steps (or patches)
        of each sequence only; they start from the state that the steps before lead to.
        For sequences of thousands of steps: memory then does not grow with their
        length, but nothing is learned from what comes before. It saves no time, often
        the contrary. Not for `bidirectional`.
    learning_rate_init : float in (0, 1], default=0.005
        The largest learning rate of Adam [2]_. It rises to this value over the first
        quarter of the epochs and falls to a hundredth of it by the last [3]_.
    batch_size : int or "auto", default="auto"
        Sequences an update. "auto" takes the square root of their number, but at least
        8 and at most 128.
    max_iter : int or "auto", default="auto"
        Number of epochs, over which the learning rate rises and falls. "auto" takes
        as many as 400 updates need, but at least 12 and at most 1000.
    alpha : float, default=0.3
        Strength of the weight decay: each update scales W, U and V by
        ``1 - learning_rate * alpha`` [4]_.
    max_grad_norm : float or None, default=1.0
        Gradients longer than this, in Euclidean norm, are scaled down to it [5]_.
        None leaves them as they are.
    early_stopping : bool, default=False
        Hold out a part of the training data, of each class the same share, and end with
        the weights that have the best score on it: accuracy of labels, R^2 of numbers,
        and minus the loss where the next step is predicted.
    validation_fraction : float in (0, 1), default=0.1
        The share that `early_stopping` holds out.
    tol : float, default=1e-4
        A training loss below this counts as converged. With `early_stopping`, a
        validation score has to get better by more than this to count.
    n_iter_no_change : int, default=10
        Training stops before `max_iter` when the loss has been below `tol`, or the
        validation score has got no better, for so many epochs in a row. A loss that
        merely stands still does not stop it: it may fall again once the learning rate
        does. Nor do the scores of the first quarter, while the learning rate rises.
    warm_start : bool, default=False
        Start from the weights of the last fit, if there was one, with its vocabulary,
        or its means and deviations, and its `embeddings`, whose vectors are not read
        again; parameters of the network and of reading must be the same. Classes that
        it knew keep their rows of `V_`. The schedule of the
        learning rate starts again: a smaller `learning_rate_init` forgets less.
    random_state : int, RandomState instance or None, default=None
        Initial weights, order of the sequences, and hidden tokens. With an int, two
        fits give the same weights. None takes a new seed from the operating system:
        the global generators of NumPy and torch are not used.
    verbose : int, default=0
        1 shows scikit-learn's progress bar, where `rich` is installed. 2 prints a line
        after each epoch: its loss, validation score, speed and the time left; so does
        1 without `rich`, and inside a pipeline or a search.
    """
).strip()

PARTS["kind"] = dedent(
    """
    kind_ : {"text", "words", "tokens", "series"}
        What the sequences of `fit` were: strings by characters or by words, token
        lists, or numbers.
    """
).strip()

PARTS["weights"] = dedent(
    """
    W_ : list of ndarrays of shape (nhidden, nhidden)
        Recurrent weights: what h keeps from one step to the next. One array for each
        layer, or for each layer and direction. Of "gru", with r, z and n, and of
        "lstm", with i, f, g and o, the matrices lie one below the other, in the order
        of torch.nn.
    U_ : list of ndarrays of shape (nhidden, n_inputs)
        Input weights, in the order of `W_`. Of tokens, column ``vocabulary_[token]`` of
        the first one is the vector of the token, and column 0 that of unknown tokens;
        the last one, of n-grams, of those that would begin before the sequence. With
        `embeddings`, it has a column for each number of their vectors.
    b_ : list of ndarrays of shape (nhidden,)
        Biases, in the order of `W_`: those of the input and the state in one, but for
        the n of "gru", whose bias of the state comes last.
    """
).strip()

PARTS["inputs"] = dedent(
    """
    vocabulary_ : dict of token -> int
        Tokens and n-grams of the training data, short ones first, in sorted order, and
        after them those of `embeddings`; or those of `vocabulary`, in its order. Ids
        count from 1. Not there for numbers.
    embeddings_ : ndarray of shape (n_inputs, n_dimensions)
        The vector of each token, in the order of the columns of `U_`. Only there if
        `embeddings` were given.
    mean_, scale_ : ndarrays of shape (n_features,)
        Mean and standard deviation of each feature over all steps of the training
        data, by which numbers are standardised; 0 and 1 unless `standardize`. Not
        there for tokens.
    difference_scale_ : ndarray of shape (`differences`, n_features)
        Standard deviations of the differences of standardised numbers. Not there for
        tokens.
    patch_length_ : int
        How many steps of numbers are read at once. Not there for tokens.
    n_features_in_ : int
        Number of steps, if X held univariate series of one length, in any container.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X was a frame of numbers whose columns are named.
    """
).strip()

PARTS["losses"] = dedent(
    """
    best_loss_ : float
        The smallest loss of an epoch.
    loss_curve_ : list of float
        The loss of each epoch.
    n_iter_ : int
        Number of epochs.
    validation_scores_, validation_loss_curve_ : lists of float
        The score and the loss, on the part held out, after each epoch. These two and
        the next are only there with `early_stopping`.
    best_validation_score_ : float
        The best of these scores.
    """
).strip()

PARTS["notes"] = dedent(
    """
    The cell "gru", with the logistic function s, entry by entry products * and the
    bias c of the state [7]_:

        r = s(W_r h_{t-1} + U_r x_t + b_r),    z = s(W_z h_{t-1} + U_z x_t + b_z),
        n = tanh(r * (W_n h_{t-1} + c) + U_n x_t + b_n),
        h_t = (1 - z) * n + z * h_{t-1}.

    The cell "lstm" [8]_ has a second state m, which starts at 0:

        i, f, o = s(W h_{t-1} + U x_t + b), each with weights of its own,
        g = tanh(W_g h_{t-1} + U_g x_t + b_g),
        m_t = f * m_{t-1} + i * g,    h_t = o * tanh(m_t).

    While fitting, a token that occurs c times is replaced by the unknown token with
    probability 0.25 / (0.25 + c), or `token_dropout` if that is more, so that unknown
    tokens have a vector that was trained [6]_.

    Time O(n_steps nhidden^2) for all sequences together, an epoch; memory
    O(n_steps) for the data and O(n_steps_in_batch nhidden) for a batch. Sequences are
    packed, not padded: a sequence costs what its own steps cost. Predictions keep no
    states but the last; token sequences that begin alike are computed once as far as
    they do, and equal ones once.

    Large minibatches and predictions use as many threads as
    :func:`torch.get_num_threads` says, each for sequences of its own:
    ``torch.set_num_threads(1)`` keeps to one. Weights are the same for the
    same number of threads. Between numbers, sums are taken in another order: gradients
    differ in rounding, which a long fit may magnify to the second digit.

    Of a vocabulary of thousands of tokens, of which a minibatch holds few, an update
    moves the vectors of those few only.
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
    """
).strip()

PARTS["X of fit"] = dedent(
    """
    X : list, tuple, array, tensor, Series or frame of n_samples sequences
        Strings; tokens (strings or integers) in a row; floats in a row, or numbers
        of shape (n_steps, n_features). Sequences may differ in length. A column of
        pandas, polars, pyarrow or awkward will do, and so will a frame of one. An
        array or frame of numbers of shape (n_samples, n_steps), or an array of
        shape (n_samples, n_steps, n_features), is series of equal length.
    """
).strip()

PARTS["X of predict"] = dedent(
    """
    X : list, tuple, array, tensor, Series or frame of n_samples sequences
        Of the kind that `fit` saw.
    """
).strip()

PARTS["sample_weight"] = dedent(
    """
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sequence in the loss. A weight of 0 is as good as removal,
        but for the class of the sequence, which stays among `classes_`.
    """
).strip()

PARTS["sample_weight of a chunk"] = dedent(
    """
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sequence in the loss, relative to the others of this chunk.
    """
).strip()

PARTS["partial_fit"] = dedent(
    """
    The first call learns how to read: its vocabulary, or means and deviations, stay.
    Tokens that come later are unknown ones; to leave them places, pass `vocabulary`.

    Adam and the order of random numbers go on where the last call ended, so n calls
    with the same data are n epochs on it. The learning rate is `learning_rate_init`
    throughout: nobody knows when the last chunk comes; lower it by `set_params` for the
    last ones. Weights, those of classes too, count within their chunk. `max_iter`,
    `tol` and `n_iter_no_change` are not used. A fit that fails leaves the estimator as
    it was.
    """
).strip()

PARTS["raises of predict"] = dedent(
    """
    NotFittedError
        If `fit` has not been called.
    TypeError
        If X holds another kind of sequences than in `fit`.
    ValueError
        If a sequence is empty, or longer than `max_length`, or has another number
        of features than in `fit`; if a number is infinite, or NaN without
        `missing`; if a hidden state is not finite.
    """
).strip()
