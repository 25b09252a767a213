"""What the wide path reads: the TF-IDF weights of the n-grams of a sequence."""

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from skrnn._core import vocabulary
from skrnn._core.counts import GramCounts
from skrnn._core.execution import arithmetic
from skrnn._core.imports import kernel_imports
from skrnn._core.sequences import Sequences
from skrnn._core.sparse_rows import SparseRows
from skrnn._reading import places
from skrnn._reading.text import has_spaces

ATTRIBUTES = ("wide_vocabulary_", "wide_idf_", "_wide_grams")
# The range of n-grams of characters, and of words or tokens, unless set by the user.
AUTO_RANGES = {"text": (1, 5), "words": (1, 2), "tokens": (1, 2)}
# That of characters in strings of one length.
AUTO_RANGE_OF_ALIGNED = (1, 3)
# What stands before the first and behind the last character of a string: the control
# characters for the start and the end of a text.
ENDS = _START, _END = "\x02", "\x03"
# The minimum number of sequences that contain an n-gram.
MIN_DF = 2
# The maximum number of n-grams, each of which takes a row of weights, and of weights:
# 64 MB, four times during a fit.
MAX_GRAMS, _MAX_WEIGHTS = 2**18, 2**24
_MAX_ROWS = 2**17  # read at once, by one thread
# The arrays of a table of n-grams; see make_table.
ARRAYS = ("roots", "tokens", "children", "columns")


@dataclass(frozen=True, slots=True)
class WideCounts:
    """In how many sequences the n-grams occur that the wide path may read.

    Attributes
    ----------
    ngram_range : tuple of int
    n_places : int
        The length of the sequences, if n-grams are also to be read with their places.
    grams : GramCounts or None
        Of n-grams without places.
    """

    ngram_range: tuple
    n_places: int
    grams: GramCounts | None = None

    def of(self, sequences, are_all=False):
        """Count those of sequences.

        Parameters
        ----------
        sequences : Sequences of kind "text", "words" or "tokens"
        are_all : bool, default=False
            Whether there are no others, so that what is rare can be left out at once.
        """
        if self.has_ends(sequences.kind):
            sequences = _with_ends(sequences)
        least = MIN_DF if are_all else 1
        grams = GramCounts.of(sequences, self.ngram_range[1], least=least)
        return replace(self, grams=grams)

    def merged(self, other, n_most=None):
        """The counts of these sequences and of others, as if counted together."""
        return replace(self, grams=self.grams.merged(other.grams, n_most))

    def has_ends(self, kind):
        """Whether n-grams tell the ends of strings."""
        return kind == "text" and not self.n_places

    def n_sequences(self, most, ids, others):
        """In how many sequences each of some n-grams occurs.

        Parameters
        ----------
        most : int
            The maximum number of n-grams of which it is known.
        ids : iterable of n-grams
        others : ndarray
            The numbers for those of which it is not known.
        """
        kept = self.grams.kept(self.ngram_range, MIN_DF, most)
        n_sequences = np.concatenate(kept.n_sequences).tolist()
        n_of = dict(zip(kept.names(), n_sequences, strict=True))
        pairs = zip(ids, others, strict=True)
        return np.array([n_of.get(gram, other) for gram, other in pairs])


@dataclass(frozen=True, slots=True)
class WideReader:
    """What the wide path reads of each sequence.

    Attributes
    ----------
    vocabulary : dict of n-gram -> int
        The column of each n-gram.
    idf : ndarray of shape (n_grams,), float64
        The logarithm of (1 + n_samples) / (1 + the number of sequences with the
        n-gram), plus 1.
    grams : dict
        Data to find n-grams: ``ngram_range``, ``n_places`` if n-grams are also read
        with their places, ``has_ends`` if they tell the ends of strings, and the output
        of :func:`make_table`.
    """

    vocabulary: dict
    idf: np.ndarray
    grams: dict

    COLUMNS = "wide_idf_"  # the attribute that has a number for each column of x

    @classmethod
    def learn(cls, sequences, ngram_range, n_outputs=1, n_places=0, counts=None):
        """Learn from the training data.

        Parameters
        ----------
        sequences : Sequences of kind "text", "words" or "tokens"
        ngram_range : tuple of int
        n_outputs : int, default=1
            Number of weights of an n-gram. With many, only the most frequent n-grams
            are learned.
        n_places : int, default=0
            The length of all sequences, if n-grams are also to be read with their
            places.
        counts : WideCounts, default=None
            What has been counted of all training data, if `sequences` are some of them.
            N-grams with places are counted in these.

        Returns
        -------
        reader : WideReader or None
            None if there is no n-gram that at least 2 sequences contain.
        rows : SparseRows or None
            What the wide path reads of `sequences`.
        """
        are_all = counts is None
        if are_all:
            counts = WideCounts(ngram_range, n_places).of(sequences, are_all)
        n_samples = counts.grams.n_samples
        most = max(1, min(MAX_GRAMS, _MAX_WEIGHTS // n_outputs))
        if n_places:
            most = max(1, most // 2)
        has_ends = counts.has_ends(sequences.kind)
        ids = counts.grams.vocabulary(ngram_range, MIN_DF, most)
        if has_ends:  # each string has them, and an empty one has nothing else
            ids = vocabulary.number(gram for gram in ids if gram.strip(_START + _END))
        if not ids:
            return None, None
        if not (sequences.lengths == n_places).all():
            n_places = 0  # later sequences have other lengths than the first
        if n_places:
            placed = places.learn_grams(sequences, ngram_range[1], MIN_DF, most)
            ids = vocabulary.number([*ids, *placed])
        table = make_table(ids, sequences.kind, n_places)
        grams = {"ngram_range": tuple(map(int, ngram_range)), **table}
        if has_ends:
            grams["has_ends"] = True
        columns = {gram: i - 1 for gram, i in ids.items()}
        counted = _count(grams, len(ids), sequences)
        n_sequences = np.bincount(counted.columns, minlength=len(ids))
        if not are_all:
            estimates = n_sequences * (n_samples / len(sequences))
            n_sequences = counts.n_sequences(most, ids, estimates)
        idf = np.log((1 + n_samples) / (1 + n_sequences)) + 1
        return cls(columns, idf, grams), _weighed(counted, idf)

    @classmethod
    def from_attributes(cls, attributes):
        """A reader from the attributes of an estimator, or None.

        Raises
        ------
        ValueError
            If a user has edited ``wide_idf_``, and it does not hold a number for each
            n-gram.
        """
        known, idf, grams = map(attributes.get, ATTRIBUTES)
        if idf is None:
            return None
        try:
            idf = np.ascontiguousarray(idf, np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"wide_idf_ does not hold numbers: {error}. Undo its changes since the "
                "fit, or fit again."
            ) from error
        if idf.ndim != 1:
            raise ValueError(
                f"wide_idf_ has the shape {idf.shape}, but one number for each n-gram "
                "was expected. Undo its changes since the fit, or fit again."
            )
        return cls(known, idf, grams)

    def attributes(self):
        """The attributes that an estimator keeps of the reader."""
        values = self.vocabulary, self.idf, self.grams
        return dict(zip(ATTRIBUTES, values, strict=True))

    @property
    def n_columns(self):
        """The number of n-grams."""
        return len(self.idf)

    @property
    def setting(self):
        """The `wide_ngram_range`: "auto" if n-grams have places, else their n."""
        return "auto" if "n_places" in self.grams else self.grams["ngram_range"]

    def encode(self, sequences):
        """Weigh the n-grams of sequences.

        Parameters
        ----------
        sequences : Sequences

        Returns
        -------
        rows : SparseRows
            One for each sequence; without entries if it has no known n-gram.

        Raises
        ------
        ValueError
            If the n-grams cannot be found: a user may have edited attributes, or their
            file may have been damaged.
        """
        try:
            counted = _count(self.grams, len(self.idf), sequences)
        except (IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(
                f"_wide_grams cannot be read: {error}. Undo the changes to "
                "wide_vocabulary_ and _wide_grams since the fit, or fit again."
            ) from error
        return _weighed(counted, self.idf)


def auto_range(sequences):
    """The range of n-grams, unless set by the user; None if there are not to be any."""
    if has_spaces(sequences):
        return None
    if sequences.kind == "text" and n_places(sequences):
        return AUTO_RANGE_OF_ALIGNED
    return AUTO_RANGES.get(sequences.kind)


def n_places(sequences):
    """The length of sequences that all have the same; 0 if n-grams need no places.

    In sequences of one length, such as windows around the ends of genes, or verb, noun,
    preposition and noun, the place of a token can say more than its neighbours: on
    held-out splice junctions, n-grams without places lowered accuracy from 0.87 to
    0.84, while those with places raised it from 0.940 to 0.966. Those without are read
    beside them, since strings of one length may have been cut out at random.
    """
    n = int(sequences.lengths[0])
    return n if n > 1 and (sequences.lengths == n).all() else 0


def make_table(ids, kind, n_places=0):
    """A table from which compiled code finds n-grams.

    It is a trie: each n-gram is a node, and so is each prefix of an n-gram. Short ones
    come first, so that the children of a node are one after the other.

    Parameters
    ----------
    ids : dict of n-gram -> int
        The columns of the n-grams, plus 1.
    kind : {"text", "words", "tokens"}
    n_places : int, default=0
        The length of sequences, if some n-grams have places.

    Returns
    -------
    table : dict
        ``number_of`` numbers the tokens from 0. ``roots`` has the node of each as an
        n-gram of one token, or -1. ``tokens`` has the last token of each node,
        ascending among the children of a node; ``children`` their first one, followed
        by the number of nodes; and ``columns`` the column of each node, or -1 if it is
        not an n-gram. With places, also what :func:`places.with_places` needs.
    """
    if n_places:
        table = places.make_gram_table(ids, kind, n_places)
    else:
        table = vocabulary.make_gram_table(ids, kind)
    n_tokens, pairs = table["n_tokens"], table["pairs"]
    starts = np.cumsum([0, *map(len, pairs)])
    parents = [p // n_tokens + i for p, i in zip(pairs[1:], starts, strict=False)]
    parents = np.concatenate([np.zeros(0, np.int64), *parents])  # ascending
    children = len(pairs[0]) + np.searchsorted(parents, np.arange(starts[-1] + 1))
    roots = np.full(n_tokens, -1, np.int32)
    roots[pairs[0]] = np.arange(len(pairs[0]))
    kept = {name: table[name] for name in ("number_of", *places.PARTS) if name in table}
    return {
        **kept,
        "roots": roots,
        "tokens": (np.concatenate(pairs) % n_tokens).astype(np.int32),
        "children": children.astype(np.int32),
        "columns": np.concatenate(table["ids"]) - np.int32(1),
    }


def _with_ends(sequences):
    """Strings with marks at both ends.

    With them, n-grams tell how strings begin and end: accuracy on held-out names rose
    from 0.831 to 0.836, and log loss fell from 0.575 to 0.557. Sentences read as words
    gained nothing from them.
    """
    n, lengths = len(sequences), sequences.lengths
    offsets = sequences.offsets + 2 * np.arange(n + 1)
    values = np.empty(offsets[-1], sequences.values.dtype)
    values[offsets[:-1]], values[offsets[1:] - 1] = map(ord, (_START, _END))
    rows = np.arange(len(sequences.values)) + np.repeat(2 * np.arange(n) + 1, lengths)
    values[rows] = sequences.values
    return Sequences(sequences.kind, values, offsets)


def _count(grams, n_grams, sequences):
    """The distinct n-grams of each sequence, and how often each occurs in it.

    Returns
    -------
    counts : SparseRows
    """
    if "has_ends" in grams:
        sequences = _with_ends(sequences)
    numbers, offsets = vocabulary.numbers_of(sequences, grams), sequences.offsets
    table = tuple(np.ascontiguousarray(grams[name], np.int32) for name in ARRAYS)
    n_nodes = table[1].size
    shapes = [table[0].shape[:1], (n_nodes,), (n_nodes + 1,), (n_nodes,)]
    if [part.shape for part in table] != shapes:
        raise ValueError("its parts do not fit each other")
    count = partial(_count_part, table, grams, n_grams, numbers)
    if len(numbers) <= _MAX_ROWS:
        return count(offsets)
    cuts = np.searchsorted(offsets, range(_MAX_ROWS, len(numbers), _MAX_ROWS))
    cuts = pairwise(np.unique([0, *cuts, len(sequences)]))
    parts = [offsets[first : end + 1] for first, end in cuts]
    with arithmetic() as execution:
        n_threads = min(execution.n_threads, len(parts))
        with execution.threads(n_threads) as run:
            parts = list(run(count, parts))
    columns, values, offsets = zip(*parts, strict=True)
    n_before = np.cumsum([0, *map(len, columns)])
    offsets = [each[:-1] + n for each, n in zip(offsets, n_before, strict=False)]
    offsets = np.concatenate([*offsets, n_before[-1:]])
    return SparseRows(np.concatenate(columns), np.concatenate(values), offsets)


def _count_part(table, grams, n_grams, numbers, offsets):
    """Count as :func:`_count`, for sequences of which these are the offsets."""
    with kernel_imports():
        from skrnn._core import wide

    if "n_places" in grams:
        numbers, offsets = places.with_places(numbers, offsets, grams)
    lengths, longest = np.diff(offsets), grams["ngram_range"][1]
    # An n-gram has one entry in a sequence, and one of each n may begin at each step.
    n_most = np.minimum(lengths * np.minimum(lengths, longest), n_grams).sum()
    columns, counts = np.empty(n_most, np.int32), np.empty(n_most, np.float32)
    x = columns, counts, np.empty(len(offsets), np.int64)
    n = wide.count(numbers, offsets, table, np.empty(n_grams, np.int32), x)
    if n < 0:
        raise ValueError("its parts do not fit each other, or those of wide_idf_")
    return SparseRows(columns[:n].copy(), counts[:n].copy(), x[2])


def _weighed(counts, idf):
    """The weights of n-grams, in the memory of their counts."""
    with kernel_imports():
        from skrnn._core import wide

    wide.weigh(*counts, idf)
    return counts
