"""What the wide path reads: the TF-IDF weights of the n-grams of a sequence."""

from dataclasses import dataclass

import numpy as np

from skrnn._core import vocabulary
from skrnn._core.imports import kernel_imports
from skrnn._core.sparse_rows import SparseRows
from skrnn._reading.text import has_spaces

ATTRIBUTES = ("wide_vocabulary_", "wide_idf_", "_wide_grams")
# The range of n-grams of characters, and of words or tokens, unless set by the user.
AUTO_RANGES = {"text": (1, 5), "words": (1, 2), "tokens": (1, 2)}
# The minimum number of sequences that contain an n-gram.
MIN_DF = 2
# The maximum number of n-grams, each of which takes a row of weights, and of weights:
# 64 MB, four times during a fit.
MAX_GRAMS, _MAX_WEIGHTS = 2**18, 2**24
_MAX_ROWS = 2**18  # read at once


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
        Data to find n-grams: ``ngram_range``, and the output of :func:`make_table`.
    """

    vocabulary: dict
    idf: np.ndarray
    grams: dict

    @classmethod
    def learn(cls, sequences, ngram_range, n_outputs=1):
        """Learn from the training data.

        Parameters
        ----------
        sequences : Sequences of kind "text", "words" or "tokens"
        ngram_range : tuple of int
        n_outputs : int, default=1
            Number of weights of an n-gram. With many, only the most frequent n-grams
            are learned.

        Returns
        -------
        reader : WideReader or None
            None if there is no n-gram that at least 2 sequences contain.
        rows : SparseRows or None
            What the wide path reads of the training data.
        """
        most = max(1, min(MAX_GRAMS, _MAX_WEIGHTS // n_outputs))
        ids = vocabulary.learn_vocabulary(sequences, ngram_range, MIN_DF, most)
        if not ids:
            return None, None
        table = make_table(ids, sequences.kind)
        grams = {"ngram_range": tuple(map(int, ngram_range)), **table}
        columns = {gram: i - 1 for gram, i in ids.items()}
        counted = _count(grams, len(ids), sequences)
        n_sequences = np.bincount(counted[0], minlength=len(ids))
        idf = np.log((1 + len(sequences)) / (1 + n_sequences)) + 1
        reader = cls(columns, idf, grams)
        return reader, reader._weigh(*counted)

    @classmethod
    def from_attributes(cls, attributes):
        """A reader from the attributes of an estimator, or None.

        Raises
        ------
        ValueError
            If a user has edited ``wide_idf_``, and it does not hold numbers.
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
        return cls(known, idf, grams)

    def attributes(self):
        """The attributes that an estimator keeps of the reader."""
        values = self.vocabulary, self.idf, self.grams
        return dict(zip(ATTRIBUTES, values, strict=True))

    @property
    def ngram_range(self):
        """The minimum and maximum n of the n-grams."""
        return self.grams["ngram_range"]

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
        return self._weigh(*counted)

    def _weigh(self, columns, counts, offsets):
        with kernel_imports():
            from skrnn._core import wide

        values = np.empty(len(columns), np.float32)
        wide.weigh(counts, columns, offsets, self.idf, values)
        return SparseRows(columns, values, offsets)


def auto_range(sequences):
    """The range of n-grams, unless set by the user; None if there are not to be any.

    In strings of one length, such as windows of a gene, the place of a character says
    more than its neighbours, and n-grams have no place: on held-out splice junctions,
    accuracy fell from 0.87 to 0.84.
    """
    kind, lengths = sequences.kind, sequences.lengths
    is_aligned = kind == "text" and (lengths == lengths[0]).all()
    return None if is_aligned or has_spaces(sequences) else AUTO_RANGES.get(kind)


def make_table(ids, kind):
    """A table from which compiled code finds n-grams.

    Parameters
    ----------
    ids : dict of n-gram -> int
        The columns of the n-grams, plus 1.
    kind : {"text", "words", "tokens"}

    Returns
    -------
    table : dict
        That of :func:`skrnn._core.vocabulary.make_gram_table`, except that the arrays
        of all depths are one, and ``starts`` says where each begins.
    """
    table = vocabulary.make_gram_table(ids, kind)
    sizes = [0, *map(len, table["pairs"])]
    joined = {name: np.concatenate(table[name]) for name in ("pairs", "ids")}
    return {**table, **joined, "starts": np.cumsum(sizes).tolist()}


def _count(grams, n_grams, sequences):
    """Count the n-grams of each sequence.

    Returns
    -------
    columns, counts : ndarrays of shape (n_entries,), int32 and int64
        The distinct n-grams of all sequences, and how often each occurs in its
        sequence.
    offsets : ndarray of shape (n_samples + 1,), int64
    """
    n_samples = len(sequences)
    parts = [sequences]
    if len(sequences.values) > _MAX_ROWS:
        at_once = max(1, n_samples * _MAX_ROWS // len(sequences.values))
        places = np.arange(n_samples)
        parts = (
            sequences.take(places[first : first + at_once])
            for first in range(0, n_samples, at_once)
        )
    columns, counts, n_distinct = zip(
        *(_count_part(grams, n_grams, part) for part in parts), strict=True
    )
    offsets = np.zeros(n_samples + 1, np.int64)
    np.cumsum(np.concatenate(n_distinct), out=offsets[1:])
    return np.concatenate(columns), np.concatenate(counts), offsets


def _count_part(grams, n_grams, sequences):
    """Count as `_count`, but return the number of distinct n-grams per sequence."""
    found, n_found = _find(grams, sequences)
    if found.max(initial=0) >= n_grams:
        raise ValueError(f"it has more n-grams than wide_idf_, which has {n_grams}")
    n_samples = len(sequences)
    entries = found.astype(np.int64)
    if n_samples > 1:
        entries += np.repeat(np.arange(n_samples) * n_grams, n_found)
    entries.sort()
    is_first = np.ones(len(entries) + 1, bool)
    is_first[1:-1] = entries[1:] != entries[:-1]
    starts = np.flatnonzero(is_first)
    entries, counts = entries[starts[:-1]], np.diff(starts)
    n_distinct = np.bincount(entries // n_grams, minlength=n_samples)
    return (entries % n_grams).astype(np.int32), counts, n_distinct


def _find(grams, sequences):
    """The columns of all n-grams, sequence by sequence, and how many each has."""
    with kernel_imports():
        from skrnn._core import wide

    pairs, ids = (
        np.ascontiguousarray(grams[name], dtype)
        for name, dtype in (("pairs", np.int64), ("ids", np.int32))
    )
    starts = grams["starts"]
    if [0, *sorted(starts[1:-1]), len(pairs)] != starts or len(ids) != len(pairs):
        raise ValueError("its depths do not fit its n-grams")
    numbers, least = vocabulary.numbers_of(sequences, grams), grams["ngram_range"][0]
    columns = np.empty(len(numbers) * (len(starts) - least), np.int32)
    n_found = np.empty(len(sequences), np.int64)
    table = int(grams["n_tokens"]), pairs, ids, np.array(starts)
    n = wide.find(numbers, sequences.offsets, table, least, columns, n_found)
    return columns[:n], n_found
