"""Ragged sequences as one flat array with offsets.

All sequences of a data set are concatenated in ``values``; sequence ``i`` is
``values[offsets[i]:offsets[i + 1]]``.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Sequences:
    """Ragged sequences as one flat array with offsets.

    Attributes
    ----------
    kind : {"text", "words", "tokens", "features", "series"}
        What a step is: a character or a word of a string, a token of a list, a set of
        features, or a row of numbers.
    values : ndarray
        The steps of all sequences, concatenated. Characters: code points, uint of shape
        (n_rows,). Words, tokens and sets of features: their indices in `tokens`, int32
        of shape (n_rows,). Series: float32 or float64 of shape (n_rows, n_features).
    offsets : ndarray of shape (n_samples + 1,), int64
        The row of `values` where each sequence begins, followed by n_rows.
    tokens : list, default=None
        Distinct words, tokens, or tuples of features; some may not occur in `values`.
    """

    kind: str
    values: np.ndarray
    offsets: np.ndarray
    tokens: list | None = None

    def __len__(self):
        return len(self.offsets) - 1

    @property
    def lengths(self):
        """Number of steps of each sequence."""
        return np.diff(self.offsets)

    def take(self, indices):
        """Return the sequences at `indices`, in that order."""
        return self.beginnings(indices, self.lengths[indices])

    def beginnings(self, indices, lengths):
        """Return the first `lengths` steps of the sequences at `indices`."""
        rows, offsets = _rows(self.offsets[:-1][indices], lengths)
        return Sequences(self.kind, self.values[rows], offsets, self.tokens)

    def cut(self, max_length, side):
        """Keep the "first" or "last" `max_length` steps of each sequence."""
        lengths = np.minimum(self.lengths, max_length)
        starts = self.offsets[:-1] if side == "first" else self.offsets[1:] - lengths
        rows, offsets = _rows(starts, lengths)
        return Sequences(self.kind, self.values[rows], offsets, self.tokens)

    def part(self, first, stop):
        """Return the sequences from `first` to `stop`, as views of the same memory."""
        offsets = self.offsets[first : stop + 1]
        values = self.values[offsets[0] : offsets[-1]]
        return Sequences(self.kind, values, offsets - offsets[0], self.tokens)

    def token_at(self, row):
        """Return the character, word, token or set of features of a row."""
        value = self.values[row]
        return chr(value) if self.kind == "text" else self.tokens[value]

    def locate(self, row):
        """Return the sequence that a row belongs to, and the step within it."""
        return locate(self.offsets, row)


def join(parts):
    """Return all sequences of several parts, which are of one kind.

    Only those tokens are kept that occur.

    Parameters
    ----------
    parts : list of Sequences
    """
    first, *others = parts
    values, tokens = [part.values for part in parts], first.tokens
    if tokens is not None:
        number_of = {}
        values = [_renumbered(part, number_of) for part in parts]
        tokens = list(number_of)
    elif not others:
        return first
    starts = np.cumsum([0, *map(len, values)])
    offsets = [part.offsets[:-1] + n for part, n in zip(parts, starts, strict=False)]
    offsets = np.concatenate([*offsets, starts[-1:]])
    return Sequences(first.kind, np.concatenate(values), offsets, tokens)


def _renumbered(sequences, number_of):
    """Return the values by other numbers of the tokens; new ones are added to these."""
    tokens, values = sequences.tokens, sequences.values
    used = np.flatnonzero(np.bincount(values, minlength=len(tokens))).tolist()
    numbers = np.zeros(len(tokens), np.int32)
    numbers[used] = [number_of.setdefault(tokens[i], len(number_of)) for i in used]
    return numbers[values]


def rows_of(offsets, indices):
    """Return the rows and the offsets of the sequences at `indices`."""
    return _rows(offsets[:-1][indices], np.diff(offsets)[indices])


def _rows(starts, lengths):
    """Return the rows of parts of the values, and the offsets after concatenation."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    # Row r of the result is row r - new start + old start of the values.
    return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths), offsets


def locate(offsets, row):
    """Return the sequence that a row belongs to, and the step within it."""
    i = int(np.searchsorted(offsets, row, side="right")) - 1
    return i, int(row - offsets[i])
