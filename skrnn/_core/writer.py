"""What writes sequences step by step: one network, or several together."""

import numpy as np

from skrnn._core.beam import beam_search, mean_log_p


class Writer:
    """Writes sequences side by side, one token after the other; the base class.

    :class:`skrnn._core.emission.Frames`, which emit all tokens of a sequence at once,
    have :meth:`together` and :meth:`search` as well.
    """

    def begin(self):
        """Begin to write for each sequence, in the order in which they were chosen.

        Returns
        -------
        log_p, states
            As :meth:`step` returns them.
        """
        raise NotImplementedError

    def step(self, states, tokens):
        """Write, and read, one token more of each sequence.

        Parameters
        ----------
        states : tuple
        tokens : ndarray of shape (n_sequences,), int32

        Returns
        -------
        log_p : ndarray of shape (n_sequences, n_outputs), float64
            The logarithms of the probabilities of what comes next.
        states : tuple
            What is needed to go on. The next call but one may overwrite them.
        """
        raise NotImplementedError

    @staticmethod
    def together(writers, ids=None):
        """A writer by the mean of the probabilities of some; see :class:`Together`."""
        return writers[0] if len(writers) == 1 else Together(writers, ids)

    def search(self, max_length, **options):
        """Search for the likeliest sequences.

        Parameters
        ----------
        max_length, **options
            As in :func:`skrnn._core.beam.beam_search`.

        Returns
        -------
        found : Hypotheses
            In the order in which sequences were chosen.
        """
        log_p, states = self.begin()
        return beam_search(self.step, states, log_p, max_length, **options)


class Together(Writer):
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
        """See :meth:`Writer.begin`."""
        return self._mean([writer.begin() for writer in self._writers])

    def step(self, states, tokens):
        """Let all of them read a token more of each sequence; see :class:`Writer`."""
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
