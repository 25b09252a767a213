"""What is counted of sequences to learn how their tokens are read."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.counts import GramCounts
from skrnn._core.subwords import (
    OF_SENTENCES,
    OF_TAGS,
    Parts,
    SubwordCounts,
    least_number,
)
from skrnn._reading.text import has_spaces

# The maximum number of n-grams, unless set by the user: each takes a column of U.
MAX_AUTO_GRAMS = 50_000
# That of the subwords of words with tags, of which there are more than of words. All
# that occur only once were no loss among 34,000, but 0.001 of accuracy among 14,000.
MAX_AUTO_SUBWORDS = 20_000
# The range of n-grams for labels, unless set by the user.
AUTO_RANGES = {"text": (1, 3), "words": (1, 2), "tokens": (1, 1), "features": (1, 1)}


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """How often tokens, or their n-grams, and subwords occur in sequences.

    Attributes
    ----------
    ngram_range : tuple of int
    max_features : int or None
        The maximum number of n-grams to learn.
    parts : Parts or None
        Which subwords are read; None if there are none.
    grams : GramCounts, SubwordCounts or None
        The latter of features; None if the vocabulary is given.
    subwords : SubwordCounts or None
    """

    ngram_range: tuple
    max_features: int | None
    parts: Parts | None
    grams: GramCounts | SubwordCounts | None = None
    subwords: SubwordCounts | None = None

    @classmethod
    def of(cls, options, samples, has_labels, are_all=True):
        """Decide what to count, and count it.

        Parameters
        ----------
        options : ReadingOptions
        samples : Samples
            With Sequences.
        has_labels : bool
            Whether labels or tokens are predicted, rather than numbers.
        are_all : bool, default=True
            Whether there are no others, so that what is rare can be left out at once.
        """
        sequences = samples.steps
        ngram_range, max_features = _ngram_range(options, sequences, has_labels)
        parts = None
        if _reads_subwords(options, sequences.kind):
            parts = OF_TAGS if options.has_tags else OF_SENTENCES
        counts = cls(ngram_range, max_features, parts)
        return counts.of_others(options, samples, are_all)

    def of_others(self, options, samples, are_all=False):
        """The same of other samples."""
        sequences, min_df = samples.steps, options.min_df
        kind, longest = sequences.kind, self.ngram_range[1]
        if longest > 1 and kind == "words":
            check_no_spaces(sequences, samples.positions)
        least = least_number(min_df, len(sequences))
        by_sequence = least > 1 if are_all else min_df != 1
        grams = subwords = None
        if options.vocabulary is None and kind == "features":
            grams = SubwordCounts.of(sequences, None, by_sequence)
        elif options.vocabulary is None:
            least_at_once = least if are_all else 1
            grams = GramCounts.of(sequences, longest, by_sequence, least_at_once)
        if self.parts is not None:
            subwords = SubwordCounts.of(sequences, self.parts, by_sequence)
        return replace(self, grams=grams, subwords=subwords)

    def merged(self, other, n_most=None):
        """The counts of these sequences and of others, as if counted together.

        Parameters
        ----------
        other : TokenCounts
            What :meth:`of_others` returned.
        n_most : int, default=None
            As in :meth:`skrnn._core.counts.GramCounts.merged`.
        """
        pairs = (self.grams, other.grams), (self.subwords, other.subwords)
        grams, subwords = (
            None if ours is None else ours.merged(theirs, n_most)
            for ours, theirs in pairs
        )
        return replace(self, grams=grams, subwords=subwords)

    def known(self, min_df):
        """The n-grams, or features, to know, as a dict with ids from 1."""
        if isinstance(self.grams, SubwordCounts):
            return self.grams.numbered(1, min_df, self.max_features)
        return self.grams.vocabulary(self.ngram_range, min_df, self.max_features)

    def n_times(self, reader, options):
        """How often what a reader knows occurs, or None if that was not counted.

        Parameters
        ----------
        reader : TokenReader
            Has learned from these counts.
        options : ReadingOptions

        Returns
        -------
        counts : ndarray of shape (n_ids,), float64, or None
        """
        if self.grams is None:
            return None
        if isinstance(self.grams, SubwordCounts):
            found = self.grams.n_times
        else:  # embeddings may have tokens that were left out
            limits = options.min_df, self.max_features
            limits = limits if options.embeddings is None else (1, None)
            kept = self.grams.kept(self.ngram_range, *limits)
            n_times = np.concatenate([*kept.n_times, np.zeros(0)]).tolist()
            found = dict(zip(kept.names(), n_times, strict=True))
        counts = np.zeros(reader.n_ids)
        of_subwords = {} if self.subwords is None else self.subwords.n_times
        for known, of in ((reader.vocabulary, found), (reader.subwords, of_subwords)):
            if known:
                counts[list(known.values())] = [of.get(name, 0) for name in known]
        return counts

    def known_subwords(self, first_id, options):
        """The subwords to know, as a dict with ids from `first_id`, or None."""
        if self.subwords is None:
            return None
        max_features = self.max_features
        if self.parts == OF_TAGS:
            max_features = options.max_features or MAX_AUTO_SUBWORDS
        return self.subwords.numbered(first_id, options.min_df, max_features)


def _ngram_range(options, sequences, has_labels):
    """The range of n-grams, and the maximum number to learn; None for all.

    For labels, n-grams of characters are better than single characters (surnames: 0.84
    against 0.81); for numbers, they are not (solubility from SMILES: RMSE 0.93 against
    0.76; both validated on training data).
    """
    if options.ngram_range != "auto":
        return tuple(options.ngram_range), options.max_features
    is_given = options.vocabulary is not None or options.embeddings is not None
    auto = AUTO_RANGES[sequences.kind]
    if auto == (1, 1) or is_given or not has_labels or has_spaces(sequences):
        return (1, 1), options.max_features
    return auto, options.max_features or MAX_AUTO_GRAMS


def _reads_subwords(options, kind):
    """Whether subwords are read beside the words."""
    if kind in ("text", "features") or options.embeddings is not None:
        return False
    if options.subwords == "auto":
        return kind == "words" and options.vocabulary is None
    return options.subwords


def check_no_spaces(sequences, positions, name="ngram_range"):
    """Raise for words with a space, which look like several words.

    Parameters
    ----------
    sequences : Sequences of kind "words"
    positions : ndarray of shape (n_samples,)
        The positions of the sequences in X, for errors.
    name : str, default="ngram_range"
        The parameter because of which there are n-grams.
    """
    has_space = np.array([" " in word for word in sequences.tokens])
    if not has_space.any():
        return
    rows = np.flatnonzero(has_space[sequences.values])
    if len(rows):
        i, step = sequences.locate(rows[0])
        word = sequences.tokens[sequences.values[rows[0]]]
        raise ValueError(
            f"X[{positions[i]}] has the word {word[:40]!r} at step {step}: words "
            "without spaces were expected, since n-grams of words are joined by one. "
            f"Use {name}=(1, 1), or another token_pattern."
        )
