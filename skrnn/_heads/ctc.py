"""Another sequence for each sequence, emitted by its steps."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.imports import kernel_imports
from skrnn._heads.transduction import TransductionHead
from skrnn._messages import counted
from skrnn._warnings import warn

# Sequences that set the number of frames are few if they are one, or at most this share
# of all; and it is large if it exceeds so many times what suffices for the others.
_FEW, _TIMES_AS_MANY = 0.01, 3


@dataclass(frozen=True)
class CTCHead(TransductionHead):
    """Another sequence for each sequence: a softmax for each frame.

    Output 0 is the blank, and output i the token with id i.

    Attributes
    ----------
    reads_start : bool
        Whether the start of a sequence is a step as well, as it is of tokens.
    n_frames : int, default=0
        Number of frames that each step emits; 0 before that is known.
    """

    reads_start: bool = True
    n_frames: int = 0

    loss = "ctc"
    rows_of_V = "for each frame, one for each token, and one for the blank,"

    def fitted_to(self, answers, weight, n_steps):
        """This head with a bias, and with as many frames as the answers need.

        Parameters
        ----------
        answers : Answers
        weight : ndarray of shape (n_samples,)
            Answers of weight 0 need nothing.
        n_steps : ndarray of shape (n_samples,)
            Number of steps of each sequence of X.

        Raises
        ------
        ValueError
            If the number of frames is that of the last fit, and an answer needs more.
        """
        head = super().fitted_to(answers, weight, n_steps)
        some = np.flatnonzero(weight)
        if not self.n_frames:
            needed = -(-_n_needed(answers)[some] // self._n_read(n_steps)[some])
            needed = np.maximum(needed, 1)
            _warn_of_few(needed, some, answers, n_steps)
            return replace(head, n_frames=int(needed.max(initial=1)))
        self._check(answers, n_steps, some, "X", "warm_start=False")
        return head

    def check_can_write(self, answers, weight, n_steps):
        """Raise if an answer of validation data needs more frames than there are.

        Answers of weight 0 need nothing.

        Raises
        ------
        ValueError
        """
        some = np.flatnonzero(weight)
        self._check(answers, n_steps, some, "X_val", "decoder='rnn'")

    def _check(self, answers, n_steps, some, name, instead):
        """Raise if an answer needs more frames than there are."""
        needed, n_read = _n_needed(answers), self._n_read(n_steps)
        is_too_long = needed[some] > self.n_frames * n_read[some]
        if is_too_long.any():
            i = int(some[is_too_long.argmax()])
            start = " and a start" if self.reads_start else ""
            raise ValueError(
                f"y[{i}] needs {needed[i]} frames, one for each token and one between "
                f"two that are the same, but {name}[{i}] has "
                f"{counted(int(n_steps[i]), 'step')}{start}, each of which emits "
                f"{self.n_frames}. Drop the sequence, or use {instead}."
            )

    def _n_read(self, n_steps):
        return n_steps + self.reads_start

    @property
    def n_rows(self):
        """Number of rows of V, which has those of all frames."""
        return self.n_frames * self.n_outputs

    def attributes(self):
        """The attributes that an estimator keeps of the head."""
        return {**super().attributes(), "n_frames_per_step_": self.n_frames}


def _warn_of_few(needed, some, answers, n_steps):
    """Warn if few sequences set a number of frames that is too large for the others.

    Parameters
    ----------
    needed : ndarray
        How many frames each step of some sequences needs to emit.
    some : ndarray of int64
        Which sequences these are.
    answers, n_steps
        Those of all sequences.
    """
    n_few = max(1, int(_FEW * len(needed)))
    if len(needed) <= n_few:
        return
    sufficient = int(np.sort(needed)[-1 - n_few])  # for all but these few
    if needed.max() <= _TIMES_AS_MANY * sufficient:
        return
    i, n_others = int(some[needed.argmax()]), int((needed > sufficient).sum()) - 1
    whom, them = "it alone", "it"
    if n_others:
        whom, them = f"it and {counted(n_others, 'other sequence')}", "them"
    warn(
        f"y[{i}] has {counted(int(answers.lengths[i]) - 1, 'token')}, but X[{i}] has "
        f"{counted(int(n_steps[i]), 'step')}. For {whom}, each step emits "
        f"n_frames_per_step_={needed.max()} frames, which all have to be computed; "
        f"{sufficient} would suffice for the other "
        f"{counted(len(needed) - n_others - 1, 'sequence')}. Drop {them}, or use "
        "decoder='rnn'.",
        UserWarning,
    )


def _n_needed(answers):
    """The least number of frames that can emit each answer."""
    with kernel_imports():
        from skrnn._core import ctc

    return ctc.n_needed(*answers.without_ends())
