"""Writing sequences, by one network or by several, some at a time."""

import numpy as np

from skrnn._core.beam import joined
from skrnn._core.generate import log_probabilities
from skrnn._core.output import MAX_SCORES
from skrnn._core.packing import batches_by_length
from skrnn._core.vocabulary import UNKNOWN
from skrnn._core.writer import Writer

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
        By network: ``writer_of(batch)`` returns a Writer of some of the sequences, in
        the order of an array of int64; or all return Frames.
    lengths : ndarray of shape (n_sequences,)
        As in :func:`batches`.
    n_outputs, max_length : int
    execution : Execution
    ids : list of ndarrays, default=None
        As in :class:`skrnn._core.writer.Together`.
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
        return each[0].together(each, ids).search(max_length, **options)

    with execution.threads(n_threads) as run:
        found = joined(list(run(search_batch, parts)))
    return found.take(np.argsort(np.concatenate(parts)))


class ContextWriter(Writer):
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
        """See :meth:`skrnn._core.writer.Writer.step`."""
        steps = self._steps
        steps.states, steps.sequences = states
        steps.read(tokens)
        scores = steps.scores()
        self._check(scores, steps.sequences)
        return log_probabilities(scores), (steps.states, steps.sequences)
