"""What counts as progress, and how it moves the end of a fit."""

import math

import pytest

from skrnn._core.plan import LENGTHENED, Plan
from skrnn._core.progress import LOW, Progress
from skrnn._core.schedule import Clock


def plan_of(n_epochs, n_iter_no_change=10, **others):
    return Plan(n_epochs, 1, 0.5, 0.0, None, 1e-4, n_iter_no_change, **others)


def run(plan, losses=None, scores=None):
    """Record epochs until the fit is over.

    Returns
    -------
    progress : Progress
    rates : list of float
        After each epoch, as fractions of the maximum.
    """
    progress, rates, is_over = Progress(plan.clock, 1), [], False
    while not is_over:
        n = progress.n_done
        loss = 1.0 if losses is None else losses[min(n, len(losses) - 1)]
        score = () if scores is None else (1.0, scores[min(n, len(scores) - 1)])
        progress.record(loss, *score)
        is_over = progress.is_over(plan)
        done = progress.clock.read(progress.n_done)
        rates.append(plan.learning_rate_at(done) / plan.learning_rate)
    return progress, rates


def test_early_stopping_counts_epochs_without_a_better_score():
    progress = Progress(Clock(20), 1)
    counts = []
    for score in (0.9, 0.1, 0.2, 0.3, 0.4, 0.95, 0.9500001, 0.9, 0.97):
        progress.record(1.0, 1.0, score)
        progress.is_over(plan_of(20))
        counts.append(progress.n_no_change)
    # The first five epochs are those in which the learning rate rises.
    assert counts == [0, 0, 0, 0, 0, 0, 1, 2, 0]


@pytest.mark.parametrize("n_epochs", [12, 30, 100])
@pytest.mark.parametrize("n_reached", [1, 3, 4])
def test_a_fit_that_learns_at_once_is_not_lengthened(n_epochs, n_reached):
    losses = [1.0] * (n_reached - 1) + [0.5]
    plan = plan_of(n_epochs, n_held=n_epochs // 2, loss_to_reach=0.7)
    ours, rates = run(plan, losses)
    theirs, expected = run(plan_of(n_epochs))
    assert ours.n_done == theirs.n_done == n_epochs
    assert rates == expected  # to the bit


@pytest.mark.parametrize("n_reached", [5, 6, 10, 18])
def test_a_fit_is_lengthened_until_its_loss_falls(n_reached):
    losses = [1.0] * (n_reached - 1) + [0.5]
    plan = plan_of(12, n_held=20, loss_to_reach=0.7)
    progress, rates = run(plan, losses)
    assert progress.n_done == LENGTHENED * n_reached
    held = rates[3:n_reached]
    assert min(held) > 0.95 and held[1:] == [held[-1]] * (len(held) - 1)
    assert rates[n_reached:] == sorted(rates[n_reached:], reverse=True)
    assert rates[-1] == pytest.approx(0.01)


def test_a_fit_whose_loss_never_falls_ends_with_a_low_rate():
    progress, rates = run(plan_of(12, n_held=20, loss_to_reach=0.7))
    assert progress.n_done == 2 * 20
    assert rates[-1] == pytest.approx(0.01)


@pytest.mark.parametrize("n_held", [0, 60])
@pytest.mark.parametrize("n_improving", [1, 20, 40, 60, 85, 95])
def test_a_fit_that_is_stopped_early_ends_with_a_low_rate(n_improving, n_held):
    plan = plan_of(100, 5, n_held=n_held)
    scores = [n / 100 for n in range(n_improving)] + [0.0]
    progress, rates = run(plan, scores=scores)
    assert rates[-1] <= LOW
    # The patience counts from the end of the warm-up, or from the best epoch.
    n_out = max(n_improving, 25) + 5
    latest = min(n_out + math.ceil(n_out / 4), max(100, 2 * n_held))
    assert n_out <= progress.n_done <= latest


def test_a_score_that_improves_at_a_low_rate_goes_on_to_the_end():
    scores = [0.0] * 35 + [n / 100 for n in range(40)]
    progress, rates = run(plan_of(100, 5), scores=scores)
    assert rates[-1] == pytest.approx(0.01)
    assert progress.n_done == 30 + 8  # 5 after the 25 of the warm-up, and a quarter


def test_a_progress_is_loaded_with_its_clock():
    plan = plan_of(12, n_held=20, loss_to_reach=0.7)
    losses = [1.0] * 6 + [0.5]
    whole, _ = run(plan, losses)
    half = Progress(plan.clock, 1)
    for _ in range(5):
        half.record(1.0)
        half.is_over(plan)
    rest = Progress(plan.clock, 1)
    rest.load(half.to_dict())
    assert rest.clock == half.clock and rest.clock.is_held
    while not rest.is_over(plan):
        rest.record(losses[min(rest.n_done, 6)])
    assert rest.n_done == whole.n_done
