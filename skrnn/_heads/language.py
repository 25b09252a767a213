"""A language model: the next token from the first one on, and perhaps the end."""

import math
from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.generate import probabilities
from skrnn._core.vocabulary import END, UNKNOWN
from skrnn._heads.next_step import NextStepHead

# The bias of the end if it is not learned: it then has no probability to speak of.
_NEVER = -30.0


@dataclass(frozen=True)
class LanguageHead(NextStepHead):
    """The next step, where the first token of a sequence is predicted as well.

    The network first reads the id of unknown tokens, before each sequence. That this
    one means the start, the network knows by its state, which is still 0.

    Attributes
    ----------
    learns_end : bool
        Whether sequences end; series of numbers do not.
    """

    learns_end: bool = False

    def learned(self, samples, n_outputs=None):
        """This head with its outputs and its bias; see the base class."""
        head = super().learned(samples, n_outputs)
        if self.is_series or self.learns_end:
            return head
        bias = head.bias.copy()
        bias[END] = _NEVER
        return replace(head, bias=bias)

    def begun(self, steps):
        """Steps with one more before each sequence of tokens."""
        return steps if self.is_series else begun(steps)

    def next_steps(self, steps):
        """What comes after each step; see the base class."""
        target, is_known, is_end = super().next_steps(steps)
        return target, is_known, is_end & self.learns_end

    def losses(self, scores, target):
        """The loss of the scores of each step; see the base class."""
        return super().losses(self.possible(scores), target)

    def possible(self, scores):
        """Scores without that of the end, if it is not learned."""
        if self.is_series or self.learns_end:
            return scores
        scores = scores.copy()
        scores[:, END] = -np.inf
        return scores

    def proba(self, scores):
        """The probabilities of the tokens, and of the end first if it is learned.

        Parameters
        ----------
        scores : ndarray of shape (n_samples, n_outputs)

        Returns
        -------
        p : ndarray of shape (n_samples, n_tokens), float64
        """
        scores = self.possible(scores)[:, 0 if self.learns_end else 1 :]
        return probabilities(scores)

    def _nothing_to_predict(self):
        """The sentence for sequences without a known step that is predicted."""
        where = "X" if self.bias is None else "the validation data"
        if self.is_series:
            return (
                f"The next step is predicted, but no sequence of {where} has more than "
                "one, as in a table with n_features = 1. Pass longer sequences."
            )
        cure = "Pass sequences with tokens of the vocabulary."
        if self.bias is not None:  # it has been learned
            cure = "Use more sequences, other validation data (X_val or "
            cure += "validation_fraction), or early_stopping=False."
        return (
            f"The next token is predicted, but {where} has none that is known. {cure}"
        )


def begun(steps):
    """Steps with one more before each sequence of single tokens: an unknown one."""
    starts, n = steps.offsets[:-1], np.arange(len(steps.offsets))
    values = np.insert(steps.values, starts, UNKNOWN, axis=0)
    keys = None if steps.keys is None else np.insert(steps.keys, starts, UNKNOWN)
    return steps._replace(values=values, offsets=steps.offsets + n, keys=keys)


def in_streams(samples, n_streams, truncate):
    """Cut long sequences, so that about `n_streams` of them are read side by side.

    Each is cut into streams of about the same length, and what comes after a stream is
    the first step of the next one. A stream is not cut to less than `truncate` steps:
    it begins without the steps before it.

    Parameters
    ----------
    samples : Samples
        With a target for each step.
    n_streams, truncate : int

    Returns
    -------
    samples : Samples
    """
    steps = samples.steps
    longest = max(math.ceil(len(steps.values) / n_streams), truncate)
    n_parts = np.maximum(-(-steps.lengths // longest), 1)
    if n_parts.max() == 1:
        return samples
    parts = zip(steps.offsets[:-1], steps.lengths, n_parts, strict=True)
    starts = [start + length * np.arange(n) // n for start, length, n in parts]
    offsets = np.append(np.concatenate(starts), steps.offsets[-1])
    positions = np.repeat(samples.positions, n_parts)
    return replace(samples, steps=steps._replace(offsets=offsets), positions=positions)
