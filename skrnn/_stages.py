"""Scores of sequences while they are read: those of their first steps alone."""

import numpy as np

from skrnn._model import check_finite

# Maximum number of steps, of all beginnings together, that are read at once.
_MAX_ROWS = 2**18


def staged_scores(model, sequences, positions=None):
    """Yield the scores of all sequences, cut to their first steps.

    Parameters
    ----------
    model : Model
    sequences : Sequences
    positions : ndarray, default=None
        The positions of the sequences in X, for errors.

    Yields
    ------
    scores : ndarray of shape (n_samples, n_outputs), float32
        After each step of the longest sequence, or after each `patch_length` steps of
        series. The scores of a sequence that has ended stay the same.

    Notes
    -----
    The beginnings of a sequence have a number of steps that is quadratic in its length,
    so they are read in parts, for memory O(n_steps). A network that reads in one
    direction computes the steps that beginnings of a part share only once.
    """
    if positions is None:
        positions = np.arange(len(sequences))
    at_a_time = getattr(model.reader, "patch_length", 1)
    # A sequence without steps has one stage, in which nothing has been read.
    n_stages = np.maximum(1, -(-sequences.lengths // at_a_time))
    scores = np.empty((len(sequences), len(model.arrays["V_"])), np.float32)
    for first, stop in _some_stages(sequences.lengths, n_stages, at_a_time):
        going_on = np.flatnonzero(first < n_stages)
        stages = np.arange(first, stop)[:, np.newaxis]
        stage, place = np.nonzero(stages < n_stages[going_on])
        i = going_on[place]
        lengths = np.minimum((first + stage + 1) * at_a_time, sequences.lengths[i])
        steps = model.reader.encode(sequences.beginnings(i, lengths), positions[i])
        h = model.states(steps)
        check_finite(h, positions[i])
        of_beginnings = model.scores(h, steps)
        for k in range(stop - first):
            scores[i[stage == k]] = of_beginnings[stage == k]
            yield scores.copy()


def _some_stages(lengths, n_stages, at_a_time):
    """Yield the first stage and the end of parts of at most `_MAX_ROWS` steps.

    A part has at least one stage.
    """
    first, n_rows = 0, 0
    for stage in range(n_stages.max()):
        goes_on = stage < n_stages
        n = np.minimum((stage + 1) * at_a_time, lengths[goes_on]).sum()
        if n_rows and n_rows + n > _MAX_ROWS:
            yield first, stage
            first, n_rows = stage, 0
        n_rows += n
    yield first, int(n_stages.max())
