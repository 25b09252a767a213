"""Another sequence for each sequence, written token by token."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skrnn._core.answers import Answers
from skrnn._core.vocabulary import UNKNOWN
from skrnn._heads.head import Head, log_loss_of_guess, log_shares
from skrnn._heads.language import begun


@dataclass(frozen=True)
class TransductionHead(Head):
    """Another sequence for each sequence: a softmax for each of its tokens and its end.

    The network first reads the id of unknown tokens, which stands for the start of a
    sequence, so that all sequences of tokens have steps.

    Attributes
    ----------
    reader : TokenReader
        How the sequences in y are read; output i is the token with id i, or the end.
    schema : Schema
        What the sequences in y are like.
    longest : int
        The number of tokens of the longest one, for the data of the fit.
    """

    reader: Any = None
    schema: Any = None
    longest: int = 1

    task = "transduction"
    loss = "smoothed_cross_entropy"
    rows_of_V = "one for each token, and one for the end,"

    @property
    def n_outputs(self):
        """Number of scores."""
        return self.reader.n_ids

    def fitted_to(self, answers, weight, n_steps):
        """This head with a bias from the data of a fit.

        Parameters
        ----------
        answers : Answers
        weight : ndarray of shape (n_samples,)
        n_steps : ndarray of shape (n_samples,)
            Number of steps of each sequence of X.
        """
        of_rows = np.repeat(weight / weight.max(), answers.lengths)
        counts = np.bincount(answers.tokens, of_rows, self.n_outputs)
        return replace(self, bias=log_shares(counts))

    def targets(self, sequences, weight):
        """The sequences to write; arbitrary where the weight is 0.

        Parameters
        ----------
        sequences : Sequences
        weight : ndarray of shape (n_samples,)

        Returns
        -------
        answers : Answers

        Raises
        ------
        ValueError
            If a token is unknown.
        """
        steps = self.reader.encode(sequences)
        is_unknown = steps.values == UNKNOWN
        is_unknown &= np.repeat(weight > 0, sequences.lengths)
        if is_unknown.any():
            row = int(is_unknown.argmax())
            i, step = sequences.locate(row)
            raise ValueError(
                f"y[{i}] has {sequences.token_at(row)!r} at step {step}, which the "
                "model cannot write: none of the sequences that it has learned to "
                "write had it. Drop the sequence, or train on some that have this "
                "token."
            )
        return Answers.of(steps.values, steps.offsets)

    @property
    def n_rows(self):
        """Number of rows of V."""
        return self.n_outputs

    def check_outputs(self, n_rows, reader):
        """Raise unless V has rows for the tokens of y; see the base class."""
        if n_rows != self.n_rows:
            raise ValueError(
                f"output_vocabulary_ has {self.n_outputs - 1} tokens, but V_ has "
                f"{n_rows} rows: {self.rows_of_V} were expected. Undo the changes to "
                "them since the fit, or fit again."
            )

    def evaluate(self, model, samples):
        """The mean loss per token, and the share of sequences without a mistake."""
        return model.mean_loss_of_answers(samples), model.share_written(samples)

    def score_of_a_guess(self, samples):
        """The share of sequences that a guess writes without a mistake: none."""
        return 0.0

    def check_can_write(self, answers, weight, n_steps):
        """Raise unless the network can write answers to sequences of so many steps."""

    def begun(self, steps):
        """Steps with one more before each sequence of tokens."""
        return steps if steps.keys is None else begun(steps)

    def chance(self, target, weight):
        """The mean loss per token of the best guess that ignores X."""
        of_rows = np.repeat(weight, target.lengths)
        return log_loss_of_guess(self.bias, target.tokens, of_rows / of_rows.mean())

    def strata(self, target):
        """No groups to stratify held-out data by."""
        return np.zeros(len(target)), 1

    def rows_in_common(self, last):
        """Outputs that have the same meaning in this head and in the last one: all."""
        rows = list(range(self.n_rows))
        return rows, rows

    def attributes(self):
        """The attributes that an estimator keeps of the head."""
        return {
            "output_kind_": self.reader.kind,
            "output_vocabulary_": self.reader.vocabulary,
            "longest_output_": self.longest,
        }
