"""The sequences that a network is to write, each with its end."""

from dataclasses import dataclass

import numpy as np

from skrnn._core.packing import Packing, pack
from skrnn._core.sequences import rows_of
from skrnn._core.vocabulary import END


@dataclass(frozen=True, slots=True)
class Answer:
    """The sequences that a network is to write for those of one batch.

    Attributes
    ----------
    before : ndarray of shape (n_rows,), int32
        The token before each token, rows in packed order; END before the first one.
    target : ndarray of shape (n_rows,), int64
        The tokens.
    packing : Packing
        Its `indices` are ranks in the packing of what the encoder reads.
    is_free : ndarray of shape (n_rows,), bool, or None
        Where the decoder reads the token that it would have written itself before, in
        place of the true one. None for nowhere.
    """

    before: np.ndarray
    target: np.ndarray
    packing: Packing
    is_free: np.ndarray | None = None

    @property
    def previous(self):
        """The row of the token before each token; arbitrary for the first ones."""
        sizes = self.packing.batch_sizes
        first = np.cumsum(sizes) - sizes
        first_before = np.repeat(np.append(0, first[:-1]), sizes)
        return first_before + self.packing.sequences

    def in_order(self):
        """The sequences as Answers, in the order of what the encoder reads."""
        packing = self.packing
        offsets = np.append(0, np.cumsum(packing.lengths))
        answers = Answers(self.target[packing.by_sequence], offsets)
        return answers[np.argsort(packing.indices)]


@dataclass(frozen=True, slots=True)
class Answers:
    """The sequences that a network is to write, each with its end.

    Attributes
    ----------
    tokens : ndarray of shape (n_rows,), int64
        The ids of the tokens of all sequences, concatenated; the last one of each is
        the only END in it.
    offsets : ndarray of shape (n_samples + 1,), int64
    """

    tokens: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, tokens, offsets):
        """Add the end to sequences without it."""
        tokens = np.insert(tokens.astype(np.int64), offsets[1:], END)
        return cls(tokens, offsets + np.arange(len(offsets)))

    def __len__(self):
        return len(self.offsets) - 1

    def __getitem__(self, indices):
        """The sequences at an array of indices, in that order."""
        rows, offsets = rows_of(self.offsets, indices)
        return Answers(self.tokens[rows], offsets)

    @property
    def lengths(self):
        """Number of tokens of each sequence, with the end."""
        return np.diff(self.offsets)

    def without_ends(self):
        """The tokens without ends, and where the sequences begin in them."""
        tokens = np.delete(self.tokens, self.offsets[1:] - 1)
        return tokens, self.offsets - np.arange(len(self.offsets))

    def pack(self, indices):
        """Pack the sequences at an array of indices.

        Returns
        -------
        answer : Answer
            The `indices` of its packing are places in `indices`.
        """
        (packing,) = pack(self.offsets[indices], self.lengths[indices])
        n = packing.batch_sizes[0]  # which are the first of their sequences
        before = self.tokens[packing.rows - 1].astype(np.int32)
        before[:n] = END
        return Answer(before, self.tokens[packing.rows], packing)
