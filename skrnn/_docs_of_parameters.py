"""What the docstrings of all estimators say of each parameter."""

import re
from textwrap import dedent

_TEXT = dedent(
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
        "series" determine how integers are read, which are tokens in lists, and series
        in a matrix. A callable is applied to each sequence as it was passed and returns
        what to read instead.
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
        effect for characters and features, and with `embeddings`.
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
    label_smoothing : float in [0, 1), default=0.1
        During training, the share of the target that is spread evenly over all tokens
        [23]_, so that scores stay moderate; so do the probabilities of sequences. For
        calibrated ones, use 0. With ``decoder="ctc"``, it is the share of the cross
        entropy of all tokens, and of the blank, averaged over the frames.
    teacher_forcing : float in (0, 1], default=1.0
        During training, the probability that the decoder reads the true token before
        each token. Otherwise, it reads the token that it would have written there
        [26]_, as it will have to in predictions. Below 1, an epoch takes longer, since
        the decoder writes twice.
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
        vocabulary, or its means and standard deviations, are kept.
        {if embeddings}
        So are its embeddings: the vectors in `embeddings` are not read again.
        {end}
        Parameters of the
        network and of how sequences are read must not change. Classes that the last fit
        knew keep their rows of `V_`. The learning rate schedule starts again: with a
        smaller `learning_rate_init`, less is forgotten.
    device : str, default="cpu"
        Where the weights are trained: "cpu"; "cuda", a GPU that torch can use, or
        "cuda:1", the second one, and so on; or "auto", a GPU if there is one. The
        fitted attributes are NumPy arrays in any case, and predictions are made on the
        CPU, so that a machine that loads the estimator needs no GPU. The random numbers
        are the same on all devices, but not the rounding errors.
    random_state : int, RandomState instance or None, default=None
        Determines the initial weights, the order of the sequences, which tokens and
        entries of h are hidden, and what `early_stopping` holds out. Pass an int for
        reproducible weights across fits. None draws a new seed from the operating
        system: the global generators of NumPy and torch are not used.
    checkpoint : str, path-like or None, default=None
        Folder for checkpoints: files from which a fit continues that was interrupted by
        Ctrl-C, by an error or with its process. The next `fit` with equal parameters
        and equal data finds its file, takes the seed of `random_state` from it, and
        ends with the weights of a fit that was not interrupted, to the bit with the
        same number of threads. Each fit has a file of its own, so that all fits of a
        search may share a folder. A file stays when its fit has ended: a search that is
        started again only reads it. With ``random_state=None``, by which each fit is
        another one, it is removed then. A file that is damaged, or of another version
        of skrnn, raises an error. Delete the folder once you no longer need it. Not
        supported by `partial_fit`.
    checkpoint_interval : int, default=1
        Number of epochs from one checkpoint to the next: at most this many epochs are
        lost if the process is killed. Ctrl-C and errors write the last complete epoch.
        If a file cannot be written, `fit` raises an error before the first epoch;
        later, it warns and goes on.
    verbose : int, default=0
        1 shows scikit-learn's progress bar if `rich` is installed. 2 prints a line
        after each epoch, with its loss, validation score, speed and the time left. 1
        does the same without `rich`, and inside a pipeline or a search. Both say when
        the very first fit after an installation compiles, which takes some seconds, and
        when a fit continues from a checkpoint.
    """
).strip()

# By name.
PARAMETERS = {
    entry.split(" :", 1)[0]: entry.rstrip()
    for entry in re.split(r"^(?=\w+ : )", _TEXT, flags=re.MULTILINE)
    if entry
}
