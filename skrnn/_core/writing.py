"""Writing sequences, by one network or by several, some at a time.

A writer has ``begin()``, which returns what :meth:`Together.step` does, and
``step(states, tokens)``, for the sequences of a batch side by side. Networks with
frames, which write all tokens of a sequence at once, have :class:`Frames` instead.
"""

import numpy as np

from skrnn._core.beam import beam_search, joined, mean_log_p
from skrnn._core.emission import Frames
from skrnn._core.generate import log_probabilities
from skrnn._core.output import MAX_SCORES
from skrnn._core.packing import batches_by_length
from skrnn._core.vocabulary import UNKNOWN

# Maximum numbers of steps and of sequences in a batch.
_MAX_ROWS, _MAX_SEQUENCES = 8192, 512
# Minimum number of sequences for which a thread is worthwhile.
_WORTH_A_THREAD = 64


def useful_threads(n_sequences, n_threads):
    """Return how many threads are worthwhile."""
    return max(1, min(n_threads, n_sequences // _WORTH_A_THREAD))


def batches(lengths, n_threads=1, max_sequences=_MAX_SEQUENCES):
    """Cut sequences into batches of similar lengths, so that no thread is idle.

    Parameters
    ----------
    lengths : ndarray of shape (n_sequences,)
        The number of steps that are read before each is written.
    n_threads, max_sequences : int

    Returns
    -------
    batches : list of ndarrays of int64
        Each sequence is in one of them.
    """
    share = -(-len(lengths) // n_threads)
    n_at_once = max(1, min(_MAX_SEQUENCES, max_sequences, share))
    return list(batches_by_length(lengths, _MAX_ROWS, n_at_once))


def search(writers, lengths, n_outputs, max_length, execution, ids=None, **options):
    """Search for the likeliest sequences.

    Parameters
    ----------
    writers : list of callables
        By network: ``writer_of(batch)`` returns a writer of some of the sequences, in
        the order of an array of int64.
    lengths : ndarray of shape (n_sequences,)
        As in :func:`batches`.
    n_outputs, max_length : int
    execution : Execution
    ids : list of ndarrays, default=None
        As in :class:`Together`.
    **options
        `width`, `n_best` and `length_penalty`, as in
        :func:`skrnn._core.beam.beam_search`.

    Returns
    -------
    found : Hypotheses
        It does not depend on the number of threads.
    """
    n_threads = useful_threads(len(lengths), execution.n_threads)
    of_a_sequence = options.get("width", 1) * n_outputs * n_threads
    parts = batches(lengths, n_threads, MAX_SCORES // of_a_sequence)

    def search_batch(batch):
        each = [writer_of(batch) for writer_of in writers]
        if isinstance(each[0], Frames):
            return Frames.mean(each).search(max_length, **options)
        writer = each[0] if len(each) == 1 else Together(each, ids)
        log_p, states = writer.begin()
        return beam_search(writer.step, states, log_p, max_length, **options)

    with execution.threads(n_threads) as run:
        found = joined(list(run(search_batch, parts)))
    return found.take(np.argsort(np.concatenate(parts)))


class ContextWriter:
    """Writes sequences each of which depends on a vector.

    Parameters
    ----------
    steps : StepByStep
        That has read nothing.
    check : callable
        ``check(scores, sequences)`` raises if scores, of shape (n, n_outputs), of some
        sequences are not finite.
    """

    def __init__(self, steps, check):
        self._steps, self._check = steps, check

    def begin(self):
        """As :meth:`step`, of the start of all sequences."""
        steps = self._steps
        start = np.full(len(steps.sequences), UNKNOWN, np.int32)
        return self.step((steps.states, steps.sequences), start)

    def step(self, states, tokens):
        """As :meth:`Together.step`."""
        steps = self._steps
        steps.states, steps.sequences = states
        steps.read(tokens)
        scores = steps.scores()
        self._check(scores, steps.sequences)
        return log_probabilities(scores), (steps.states, steps.sequences)


class Together:
    """Writers that write the same sequences, by the mean of their probabilities.

    Parameters
    ----------
    writers : list of writers
    ids : list of ndarrays of shape (n_outputs,), or None
        For each writer, the ids of its outputs among those of all writers; those that
        it does not have are impossible to it. None if all have the same.
    """

    def __init__(self, writers, ids=None):
        self._writers, self._ids = writers, ids
        if ids is not None:
            self._n_outputs = 1 + max(int(each.max()) for each in ids)
            self._own = []
            for each in ids:
                own = np.zeros(self._n_outputs, np.int32)  # an unknown token is 0
                own[each] = np.arange(len(each))
                self._own.append(own)

    def begin(self):
        """As :meth:`step`, before the first token."""
        return self._mean([writer.begin() for writer in self._writers])

    def step(self, states, tokens):
        """Let all of them read a token more of each sequence.

        Parameters
        ----------
        states : tuple
        tokens : ndarray of shape (n_sequences,), int32

        Returns
        -------
        log_p : ndarray of shape (n_sequences, n_outputs), float64
            The logarithms of the probabilities of what comes next.
        states : tuple
            What each of the writers knows.
        """
        each = [tokens] * len(states)
        if self._ids is not None:
            each = [own[tokens] for own in self._own]
        steps = [
            writer.step(known, token)
            for writer, known, token in zip(self._writers, states, each, strict=True)
        ]
        return self._mean(steps)

    def _mean(self, parts):
        log_p, states = zip(*parts, strict=True)
        if self._ids is not None:
            log_p = list(map(self._spread, log_p, self._ids))
        return mean_log_p(log_p), states

    def _spread(self, log_p, ids):
        """The columns of one writer among those of all."""
        spread = np.full((len(log_p), self._n_outputs), -np.inf)
        spread[:, ids] = log_p
        return spread
