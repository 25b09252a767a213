"""The reader of tokens: a vocabulary, n-grams, and pretrained vectors."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core import vocabulary
from skrnn._core.execution import CPU
from skrnn._core.steps import Steps
from skrnn._core.subwords import OF_SENTENCES, OF_TAGS, Parts
from skrnn._core.updates.embedded import Embeddings
from skrnn._core.vocabulary import UNKNOWN
from skrnn._reading.counts import TokenCounts
from skrnn._reading.given import given_tokens, read_embeddings
from skrnn._reading.inputs import Inputs, root_mean_square
from skrnn._reading.wide import WideReader
from skrnn._warnings import warn

# The minimum fraction of n-grams and subwords hidden during training, by kind. On
# surnames (10,000 for training, 3,374 for validation), a GRU with 128 units had
# accuracy 0.838 at 0.3, 0.840 at 0.4 and at 0.5, and log loss 0.56, 0.545 and 0.537.
# On questions and on sentences, words had log loss 0.41 and 0.35 at 0.1, 0.42 and 0.37
# at 0.2, 0.43 and 0.40 at 0.3.
DROPOUT = {"text": 0.4, "words": 0.1, "tokens": 0.4}
# With the subwords of tags, the accuracy on a Maltese validation set was 0.941 at 0.2,
# 0.940 at 0.3, 0.938 at 0.4 and 0.936 at 0.5; the F1 of named entities was 0.23 at 0.2,
# 0.19 at 0.4 and 0.18 at 0.5.
DROPOUT_OF_TAGS = 0.2
ATTRIBUTES = ("vocabulary_", "_grams", "embeddings_", "_given_ids", "subwords_")
ATTRIBUTES += ("_subword_parts",)


@dataclass(frozen=True, slots=True)
class TokenReader:
    """How tokens are read.

    Attributes
    ----------
    kind : {"text", "words", "tokens", "features"}
    vocabulary : dict of token or n-gram -> int
        Ids from 1; 0 is the unknown token.
    grams : dict or None
        Data to find n-grams: ``ngram_range``, and the output of
        :func:`skrnn._core.vocabulary.make_gram_table`. None for single tokens.
    vectors : ndarray of shape (n_ids, n_dimensions), float32, or None
        The vectors of tokens, by id, if pretrained ones were given.
    given_ids : ndarray of int64, or None
        The ids of tokens with a pretrained vector; the other vectors were random.
    subwords : dict of str -> int, or None
        Ids of subwords, after those of the vocabulary. None if none are read.
    parts : Parts
        Which subwords those are.
    wide : WideReader or None
        What the wide path reads, if there is one.
    """

    kind: str
    vocabulary: dict
    grams: dict | None = None
    vectors: np.ndarray | None = None
    given_ids: np.ndarray | None = None
    subwords: dict | None = None
    parts: Parts = OF_SENTENCES
    wide: WideReader | None = None

    @classmethod
    def learn(cls, options, samples, generator, has_labels=True, counts=None):
        """Learn from the training data.

        Parameters
        ----------
        options : ReadingOptions
        samples : Samples
            With Sequences.
        generator : torch.Generator
            For the vectors of tokens without a pretrained one.
        has_labels : bool, default=True
            Whether labels or tokens are predicted, rather than numbers.
        counts : TokenCounts, default=None
            What has been counted of all training data, if `samples` are some of them.

        Returns
        -------
        reader : TokenReader
        steps : Steps
            The encoded training data.
        """
        sequences = samples.steps
        if options.embeddings is None:
            return _learn_vocabulary(options, samples, has_labels, counts=counts)
        tokens, matrix = read_embeddings(options.embeddings, sequences.kind)
        _warn_of_upper_case(options, sequences.kind, tokens, "embeddings")
        reader, steps = _learn_vocabulary(options, samples, has_labels, tokens, counts)
        ids = steps.values
        vectors, given = _learn_vectors(reader, ids, tokens, matrix, generator)
        return replace(reader, vectors=vectors, given_ids=given), steps

    @classmethod
    def from_attributes(cls, attributes):
        """A reader from the attributes of an estimator."""
        known, grams, vectors, given_ids, subwords, parts = map(
            attributes.get, ATTRIBUTES
        )
        if vectors is not None:  # which a user may have edited
            vectors = np.asarray(vectors, dtype=np.float32)
        wide = WideReader.from_attributes(attributes)
        parts = OF_SENTENCES if parts is None else Parts(**parts)
        kind = attributes["kind_"]
        return cls(kind, known, grams, vectors, given_ids, subwords, parts, wide)

    def attributes(self):
        """The attributes that an estimator keeps of the reader."""
        values = self.vocabulary, self.grams, self.vectors, self.given_ids
        is_usual = self.parts == OF_SENTENCES
        parts = None if is_usual else self.parts._asdict()
        pairs = zip(ATTRIBUTES, (*values, self.subwords, parts), strict=True)
        of_wide = {} if self.wide is None else self.wide.attributes()
        return {name: value for name, value in pairs if value is not None} | of_wide

    @property
    def ngram_range(self):
        """The minimum and maximum n of the n-grams that are read at each step."""
        return (1, 1) if self.grams is None else self.grams["ngram_range"]

    @property
    def n_ids(self):
        """The number of ids, including that of the unknown token."""
        return vocabulary.n_ids(self.vocabulary, self.ngram_range, self.subwords)

    @property
    def _n_known(self):
        """The largest id of a token, n-gram or subword."""
        return len(self.vocabulary) + len(self.subwords or ())

    @property
    def source_of_ids(self):
        """The attributes that say what the ids are, for messages."""
        parts = zip(("_grams", "subwords_"), (self.grams, self.subwords), strict=True)
        others = [name for name, part in parts if part is not None]
        return f"vocabulary_ (with {' and '.join(others)})" if others else "vocabulary_"

    @property
    def last_token_id(self):
        """The largest id of a single token, as opposed to a longer n-gram."""
        if self.grams is not None:
            return int(self.grams["ids"][0].max())
        return max(self.vocabulary.values())

    def with_wide(self, steps):
        """The same steps: :meth:`encode` has added what the wide path reads of them."""
        return steps

    def wide_rows(self, steps):
        """What the wide path reads, as the only part; see that of SeriesReader."""
        yield slice(None), steps.wide

    def encode(self, sequences, positions=None):
        """Convert tokens to ids.

        Parameters
        ----------
        sequences : Sequences
        positions : ndarray, default=None
            The positions of the sequences in X, for errors.

        Returns
        -------
        steps : Steps

        Raises
        ------
        TypeError
            If all tokens are strings and all known tokens are integers, or vice versa.
        ValueError
            If the vocabulary is none: a user may have edited it, or its file may have
            been damaged.
        """
        known, table = self.vocabulary, self.grams
        try:
            ids, keys = vocabulary.find_ids(
                sequences, known, self.ngram_range, table, self.subwords, self.parts
            )
        except (IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self.source_of_ids} cannot be read: {error}. Undo its changes since "
                "the fit, or fit again."
            ) from error
        if sequences.kind == "tokens" and not (keys.any() and self.knows_some(ids)):
            known = known if table is None else table["number_of"]
            check_types(sequences.tokens, known)
        wide = None if self.wide is None else self.wide.encode(sequences)
        is_padded = sequences.kind == "features"
        return Steps(ids, sequences.offsets, keys, wide, is_padded)

    def check_vectors(self, n, table):
        """Raise unless an attribute has as many vectors as there are ids.

        Raises
        ------
        ValueError
            If a user has edited one of the two, or its file was damaged.
        """
        if n == self.n_ids:
            return
        what, where = f"vocabulary_ has {len(self.vocabulary)} entries", "vocabulary_"
        if self.subwords is not None:
            what += f" and subwords_ {len(self.subwords)}"
            where += ", subwords_"
        raise ValueError(
            f"{what}, which need {self.n_ids} vectors, but {table} has {n}. Undo the "
            f"changes to {where} or {table} since the fit, or fit again."
        )

    def inputs(self, steps, weight, options, counts=None):
        """The training data as the network reads it.

        Parameters
        ----------
        steps : Steps
        weight : ndarray of shape (n_samples,)
        options : ReadingOptions
        counts : ndarray of shape (n_ids,), default=None
            How often each id occurs in all training data, if `steps` are some of them.

        Returns
        -------
        inputs : Inputs
        """
        if counts is None:
            counts = vocabulary.weighted_counts(
                steps.values, steps.offsets, weight, self.n_ids
            )
        hiding = self._hiding(options, counts)
        if self.vectors is None:
            return Inputs(steps._replace(keys=None), hiding)
        # Only for the tokens in X.
        occurs = counts > 0
        occurs[UNKNOWN] = True
        used = np.flatnonzero(occurs)
        is_fixed = np.zeros(len(self.vectors), dtype=bool)
        is_fixed[self.given_ids] = options.freeze_embeddings
        tensors = map(CPU.tensor, (self.vectors[used], is_fixed[used]))
        inputs = Inputs(steps, hiding[used], Embeddings(*tensors), used)
        return replace(inputs, steps=inputs.numbered(steps))

    def with_trained(self, inputs, out=None):
        """Return this reader with the vectors that were trained.

        Parameters
        ----------
        inputs : Inputs
        out : ndarray of the shape of `vectors`, default=None
            Where they are written, if it holds those that were not trained. None for a
            copy.
        """
        if inputs.embeddings is None:
            return self
        vectors = self.vectors.copy() if out is None else out
        vectors[inputs.ids] = CPU.array(inputs.embeddings.vectors)
        return replace(self, vectors=vectors)

    def knows_some(self, ids):
        """Whether any of the ids is that of a known token, n-gram or subword."""
        return bool(((ids > UNKNOWN) & (ids <= self._n_known)).any())

    def _hiding(self, options, counts):
        """The probability with which each token is replaced by the unknown token."""
        least = options.token_dropout
        if least == "auto":
            is_single = self.ngram_range == (1, 1) and self.subwords is None
            least = 0.0 if is_single else DROPOUT[self.kind]
            if self.parts == OF_TAGS:
                least = DROPOUT_OF_TAGS
        hiding = vocabulary.hiding_probabilities(counts, self._n_known, least)
        return hiding.astype(np.float32)


def _learn_vocabulary(options, samples, has_labels, others=(), counts=None):
    """A reader of the tokens or n-grams of the training data, and the encoded data.

    Parameters
    ----------
    options, samples, has_labels
        As in :meth:`TokenReader.learn`.
    others : iterable of tokens, default=()
        Tokens to know in addition to those of the sequences, unless ``vocabulary`` is
        given.
    counts : TokenCounts, default=None
        As in :meth:`TokenReader.learn`.
    """
    sequences = samples.steps
    kind = sequences.kind
    if counts is None:
        counts = TokenCounts.of(options, samples, has_labels)
    ngram_range = counts.ngram_range
    if options.vocabulary is not None:
        given = given_tokens(options.vocabulary, "vocabulary", kind)
        _warn_of_upper_case(options, kind, given, "vocabulary")
        known = vocabulary.number(given)
    else:
        known = counts.known(options.min_df)
        if others:
            known = vocabulary.number(dict.fromkeys([*known, *others]))
    if not known:
        cure = ""
        if options.ngram_range != (1, 1):
            cure = f" or the first n of ngram_range={options.ngram_range!r}"
        raise ValueError(
            "After pruning, no terms remain: no token or n-gram of X is in min_df="
            f"{options.min_df!r} sequences. Lower min_df{cure}."
        )
    reader = TokenReader(kind, known)
    if ngram_range != (1, 1):
        table = vocabulary.make_gram_table(known, kind)
        ngram_range = range_of_known(ngram_range, len(table["pairs"]))
        reader = TokenReader(kind, known, {"ngram_range": ngram_range, **table})
    found = counts.known_subwords(1 + len(known), options)
    if found is not None:
        reader = replace(reader, subwords=found, parts=counts.parts)
    steps = reader.encode(sequences)
    if reader.knows_some(steps.values):
        return reader, steps
    if options.vocabulary is None:
        raise ValueError(
            "After pruning, no token of X remains but those of embeddings, none of "
            f"which is in X: no token is in min_df={options.min_df!r} sequences. Lower "
            "min_df."
        )
    raise ValueError(
        f"vocabulary has no token of X: its first one is {next(iter(known))!r}. Check "
        f"the analyzer, lowercase and ngram_range={options.ngram_range!r}."
    )


def range_of_known(ngram_range, longest):
    """The range of n-grams, up to the length of the longest known one."""
    min_n, max_n = ngram_range
    return min_n, max(min_n, min(max_n, longest))


def _learn_vectors(reader, ids, tokens, matrix, generator):
    """Vectors for all tokens: pretrained, or random with the scale of pretrained ones.

    Parameters
    ----------
    reader : TokenReader
    ids : ndarray of int
        The encoded training data.
    tokens : list
    matrix : ndarray of shape (len(tokens), n_dimensions), float32
        The pretrained vectors.
    generator : torch.Generator

    Returns
    -------
    vectors : ndarray of shape (n_ids, n_dimensions), float32
        The first row is that of the unknown token.
    given : ndarray of int64
        The ids of tokens with a pretrained vector.
    """
    known = reader.vocabulary
    scale = root_mean_square(matrix)
    if not 1e-15 <= scale <= 1e15:  # squares of gradients fit into float32
        raise ValueError(
            f"embeddings has numbers of order {scale:.0e}: between 1e-15 and 1e+15 was "
            "expected, so that float32 suffices. Rescale all vectors by one factor."
        )
    rows = np.array([row for row, token in enumerate(tokens) if token in known])
    given = np.array([known[tokens[row]] for row in rows], dtype=np.int64)
    if not np.isin(given, ids).any():
        token = next(token for token, i in known.items() if i in ids)
        raise ValueError(
            f"embeddings has no vector for any token of X, such as {token!r}; its own "
            f"first token is {tokens[0]!r}. Check the analyzer and lowercase, and that "
            "tokens are strings, or integers, in both."
        )
    shape = reader.n_ids, matrix.shape[1]
    vectors = CPU.array(CPU.normal(shape, scale, generator))
    vectors[given] = matrix[rows]
    return vectors, given


def _warn_of_upper_case(options, kind, tokens, name):
    """Warn of given tokens that cannot occur in lowercase text."""
    if not options.lowercase or kind not in ("text", "words"):
        return
    upper = [token for token in tokens if token != token.lower()]
    if upper:
        warn(
            f"{len(upper)} of {len(tokens)} tokens of {name} have upper case, such as "
            f"{upper[0]!r}, and are never found, since lowercase=True. Turn them into "
            "lower case, or use lowercase=False.",
            UserWarning,
        )


def check_types(tokens, known, cure="[[{}(token) for token in x] for x in X]"):
    """Raise for tokens that are unknown only because of their type.

    `cure` converts them by a function, whose name is to be filled in.
    """
    if not (tokens and known):
        return
    are_strings = isinstance(tokens[0], str)
    if any(isinstance(token, str) != are_strings for token in tokens):
        return
    if any(isinstance(token, str) == are_strings for token in known):
        return
    names = ("strings", "integers") if are_strings else ("integers", "strings")
    cure = cure.format("int" if are_strings else "str")
    raise TypeError(
        f"The tokens of X are {names[0]}, such as {tokens[0]!r:.40}, but those of the "
        f"vocabulary are {names[1]}, such as {next(iter(known))!r:.40}: all of X would "
        f"be unknown. Convert them, as in {cure}."
    )
