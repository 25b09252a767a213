"""How often tokens and n-grams occur, counted in parts whose counts are merged.

Counts of sequences that are in memory are one part, and exact. Counts of many parts may
be limited to the most frequent n-grams: those that are left out of a part, or of what
has been merged so far, lose the occurrences counted until then [1]_.

References
----------
.. [1] Manku and Motwani (2002), "Approximate Frequency Counts over Data Streams", VLDB.
"""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.ngrams import count_grams
from skrnn._core.subwords import least_number
from skrnn._core.vocabulary import count_numbers, look_up_tokens, number

_MAX_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class GramCounts:
    """How often n-grams occur in sequences, and in how many of these.

    Attributes
    ----------
    kind : {"text", "words", "tokens"}
    n_samples : int
        Number of sequences.
    tokens : list
        The distinct tokens, sorted.
    grams : list of ndarrays of shape (n_grams, n), int32, for n from 1
        The distinct n-grams, sorted, each as the places of its tokens in `tokens`.
    n_times, n_sequences : lists of ndarrays of shape (n_grams,), int64
        How often each n-gram occurs, and in how many sequences; both are equal unless
        they were counted by sequence.
    """

    kind: str
    n_samples: int
    tokens: list
    grams: list
    n_times: list
    n_sequences: list

    @classmethod
    def of(cls, sequences, max_n=1, by_sequence=True, least=1):
        """Count the n-grams of sequences.

        Parameters
        ----------
        sequences : Sequences of kind "text", "words" or "tokens"
        max_n : int, default=1
            The largest n.
        by_sequence : bool, default=True
            Whether to also count the sequences that contain each n-gram.
        least : int or float, default=1
            N-grams in fewer sequences are left out at once, to save memory.
        """
        tokens, counts = _sorted_tokens(sequences)
        if max_n == 1 and not by_sequence:  # the steps need not be looked up
            found = [(np.arange(len(tokens))[:, np.newaxis], counts, counts)]
        else:
            number_of = {token: i for i, token in enumerate(tokens)}
            numbers = look_up_tokens(sequences, number_of, -1)
            found = count_grams(numbers, sequences.offsets, max_n, by_sequence)
            found = found if len(numbers) else ()
        kept = [_of_at_least(least, *counted) for counted in found]
        parts = map(list, zip(*kept, strict=True)) if kept else ([], [], [])
        return cls(sequences.kind, len(sequences), tokens, *parts)

    def merged(self, other, n_most=None):
        """The counts of these sequences and of others, as if counted together.

        Parameters
        ----------
        other : GramCounts
            Of the same kind.
        n_most : int, default=None
            For each n, the maximum number of n-grams that are kept: those in most
            sequences. None keeps all.
        """
        known = {*self.tokens, *other.tokens}
        tokens = sorted(known, key=_by_type) if self.kind != "text" else sorted(known)
        place = {token: i for i, token in enumerate(tokens)}
        parts = [of._parts(place) for of in (self, other)]
        longest = max(map(len, parts))
        merged = []
        for n in range(longest):
            some = [part[n] for part in parts if n < len(part)]
            summed = some[0] if len(some) == 1 else _added(*some, len(tokens))
            merged.append(_most_common(n_most, *summed))
        counts = (list(of) for of in zip(*merged, strict=True)) if merged else ([],) * 3
        n_samples = self.n_samples + other.n_samples
        counts = type(self)(self.kind, n_samples, tokens, *counts)
        return counts if n_most is None else counts._without_lost_tokens()

    def vocabulary(self, ngram_range=(1, 1), min_df=1, max_features=None):
        """Number the n-grams in sorted order, short ones first.

        Parameters
        ----------
        ngram_range : tuple of int, default=(1, 1)
            The smallest and the largest n.
        min_df : int or float, default=1
            Minimum number of sequences that contain an n-gram, or, as a float, the
            minimum fraction of all sequences.
        max_features : int, default=None
            Maximum number of n-grams; the most frequent ones are kept.

        Returns
        -------
        vocabulary : dict of n-gram -> int
            Ids start at 1; 0 is reserved for the unknown token. May be empty.
        """
        return number(self.kept(ngram_range, min_df, max_features).names())

    def kept(self, ngram_range=(1, 1), min_df=1, max_features=None):
        """The counts of the n-grams of a vocabulary; see :meth:`vocabulary`."""
        least = least_number(min_df, self.n_samples)
        parts = list(zip(self.grams, self.n_times, self.n_sequences, strict=True))
        parts = parts[ngram_range[0] - 1 : ngram_range[1]]
        parts = [_of_at_least(least, *part) for part in parts]
        n_times = np.concatenate([np.zeros(0, np.int64), *(part[1] for part in parts)])
        if max_features is not None and len(n_times) > max_features:
            is_kept = np.zeros(len(n_times), bool)
            is_kept[np.argsort(-n_times, kind="stable")[:max_features]] = True
            cuts = np.cumsum([len(part[1]) for part in parts])[:-1]
            rows = np.split(is_kept, cuts)
            parts = [
                [each[some] for each in part]
                for part, some in zip(parts, rows, strict=True)
            ]
        counts = map(list, zip(*parts, strict=True)) if parts else ([], [], [])
        return type(self)(self.kind, self.n_samples, self.tokens, *counts)

    def names(self):
        """The n-grams by name, short ones first."""
        return [
            _join([self.tokens[i] for i in gram], self.kind)
            for grams in self.grams
            for gram in grams.tolist()
        ]

    def _parts(self, place):
        """For each n, the n-grams by other places of the tokens, and both counts."""
        new = np.fromiter(map(place.get, self.tokens), np.int32, len(self.tokens))
        grams = [new[of] for of in self.grams]
        return list(zip(grams, self.n_times, self.n_sequences, strict=True))

    def _without_lost_tokens(self):
        """These counts without the tokens of which no n-gram is left."""
        is_used = np.zeros(len(self.tokens), bool)
        for grams in self.grams:
            is_used[grams] = True
        if is_used.all():
            return self
        used = np.flatnonzero(is_used)
        places = np.cumsum(is_used, dtype=np.int32) - np.int32(1)
        tokens = [self.tokens[i] for i in used.tolist()]
        grams = [places[of] for of in self.grams]
        return replace(self, tokens=tokens, grams=grams)


def learn_vocabulary(sequences, ngram_range=(1, 1), min_df=1, max_features=None):
    """Number the distinct tokens, or n-grams, of sequences that are in memory.

    Parameters
    ----------
    sequences : Sequences of kind "text", "words" or "tokens"
    ngram_range, min_df, max_features
        As in :meth:`GramCounts.vocabulary`.

    Returns
    -------
    vocabulary : dict of n-gram -> int
    """
    least = least_number(min_df, len(sequences))
    counts = GramCounts.of(sequences, ngram_range[1], least > 1, least)
    return counts.vocabulary(ngram_range, min_df, max_features)


def _of_at_least(least, grams, n_times, n_sequences):
    """The n-grams of at least so many sequences, and their counts."""
    is_kept = n_sequences >= least
    grams = grams.astype(np.int32, copy=False)
    if is_kept.all():
        return grams, n_times, n_sequences
    return grams[is_kept], n_times[is_kept], n_sequences[is_kept]


def _most_common(n_most, grams, n_times, n_sequences):
    """The n-grams that most sequences contain, the first ones among equals."""
    if n_most is None or len(grams) <= n_most:
        return grams, n_times, n_sequences
    kept = np.sort(np.argsort(-n_sequences, kind="stable")[:n_most])
    return grams[kept], n_times[kept], n_sequences[kept]


def _added(some, others, n_tokens):
    """Both of two sorted sets of n-grams, with the sums of their counts."""
    grams, *counts = map(np.concatenate, zip(some, others, strict=True))
    keys = _keys(grams, n_tokens)
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    sums = [np.zeros(len(first), np.int64) for _ in counts]
    for total, of in zip(sums, counts, strict=True):
        np.add.at(total, place, of)
    return grams[first], *sums


def _keys(grams, n_tokens):
    """A number for each n-gram, equal for equal ones, and in the same order."""
    keys, limit = grams[:, 0].astype(np.int64), n_tokens
    for tokens in grams.T[1:]:
        if limit * n_tokens > _MAX_KEY:
            distinct, keys = np.unique(keys, return_inverse=True)
            limit = len(distinct)
        keys = keys * n_tokens + tokens
        limit *= n_tokens
    return keys


def _sorted_tokens(sequences):
    """Return the distinct tokens in sorted order, and how often each occurs."""
    counts = count_numbers(sequences.values)
    numbers = np.flatnonzero(counts).tolist()
    if sequences.kind == "text":
        return list(map(chr, numbers)), counts[numbers]
    tokens = sequences.tokens
    numbers.sort(key=lambda i: _by_type(tokens[i]))
    return [tokens[i] for i in numbers], counts[numbers]


def _by_type(token):
    """A key to sort tokens by type first: strings and integers cannot be compared."""
    return isinstance(token, str), token


def _join(gram, kind):
    """Return the name of an n-gram, given its tokens."""
    if kind == "text":
        return "".join(gram)
    if len(gram) == 1:
        return gram[0]
    return " ".join(gram) if kind == "words" else tuple(gram)
