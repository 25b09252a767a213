"""What counts as progress."""

from skrnn._core.progress import Progress


def test_early_stopping_stops_when_the_score_gets_no_better():
    progress = Progress(20, 1)
    counts = []
    for score in (0.9, 0.1, 0.2, 0.3, 0.4, 0.95, 0.9500001, 0.9, 0.97):
        progress.record(1.0, 1.0, score)
        progress.count(1e-4)
        counts.append(progress.n_no_change)
    # The first five epochs are those in which the learning rate rises.
    assert counts == [0, 0, 0, 0, 0, 0, 1, 2, 0]
