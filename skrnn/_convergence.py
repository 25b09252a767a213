"""Errors and warnings about the convergence of a fit."""

from sklearn.exceptions import ConvergenceWarning

from skrnn._warnings import warn

_MANY_STEPS = 50
_HIGH_RATE = 0.02


def check_converged(settings, fit, samples, judge):
    """Raise or warn if training diverged, did harm, or had no effect.

    Parameters
    ----------
    settings : Settings
    fit : Fit
    samples : Samples
        The training data as the network read it.
    judge : Judge or None

    Raises
    ------
    ValueError
        If training diverged in its first epoch.
    """
    name, progress = settings.estimator_name, fit.state.progress
    n_epochs, loss = progress.n_done, progress.loss_curve[-1]
    chance = fit.head.chance(samples.target, samples.weight)
    cure = (
        f"Lower learning_rate_init (now {settings['learning_rate_init']:g}) or "
        "max_grad_norm, or use activation='tanh'."
    )
    if progress.interrupted:
        kept = "the best epoch" if judge else f"epoch {n_epochs}"
        later = ""
        if settings["checkpoint"] is not None:
            later = " The same fit continues from its checkpoint."
        warn(
            f"Training was interrupted after {n_epochs} of {progress.n_epochs} epochs. "
            f"{name} keeps the weights from {kept}.{later}",
            ConvergenceWarning,
        )
        return
    if progress.diverged:
        what = (
            f"Training diverged in epoch {n_epochs}: the loss or a weight was not "
            "finite."
        )
        if n_epochs == 1:
            raise ValueError(f"{what} {cure}")
        kept = "the best epoch" if judge else "before that epoch"
        what += f" {name} keeps the weights from {kept}."
    elif loss > 10 * max(chance, 0.5):
        what = (
            f"The training loss of the last epoch is {loss:.3g}, but that of a network "
            f"that ignores X is {chance:.3g}."
        )
    elif settings.is_partial:
        return  # one epoch of many need not have learned much
    else:
        what = _what_was_not_learned(settings, progress, chance, judge)
        cure = _how_to_learn(settings, fit, samples)
    if what:
        warn(f"{what} {cure}", ConvergenceWarning)


def _what_was_not_learned(settings, progress, chance, judge):
    """A sentence for a network that is no better than a guess, otherwise None."""
    if chance < 1e-3 or settings["max_iter"] != "auto":
        return None  # a guess is always right, or the user limited the number of epochs
    what = f"{settings.estimator_name} has learned next to nothing"
    if judge is None:
        loss = progress.loss_curve[-1]
        if loss < 0.95 * chance:
            return None
        return (
            f"{what}: the training loss of the last epoch is {loss:.3g}, and that of a "
            f"network that ignores X is {chance:.3g}."
        )
    score, loss = progress.best_validation
    guess = judge.score_of_a_guess
    # A score may stagnate while the probabilities improve.
    if score > guess or loss < judge.chance:
        return None
    return (
        f"{what}: the best validation score is {score:.3g}, and that of a network that "
        f"ignores X is {guess:.3g}."
    )


def _how_to_learn(settings, fit, samples):
    """Advice for such a network."""
    if settings["learning_rate_init"] > _HIGH_RATE:
        return f"Lower learning_rate_init (now {settings['learning_rate_init']:g})."
    if fit.head.task == "next_step":
        return (
            "If the next step does depend on the steps before it, increase max_iter or "
            "use more sequences."
        )
    n_steps = samples.steps.offsets[-1] / len(samples)  # per sequence, on average
    forgets = fit.architecture.pooling in ("last", "mean") and not fit.head.per_step
    forgets &= not fit.architecture.writes
    if n_steps > _MANY_STEPS and forgets:
        fewer = "max_length"
        if fit.reader.kind == "series":
            fewer = "a larger patch_length"
        return (
            f"It reads {n_steps:.0f} steps per sequence, and may forget the first "
            f"ones. Use pooling='max', or {fewer} for fewer steps."
        )
    if settings["cell"] == "rnn":
        return "Use cell='gru', which learns what to keep, or increase max_iter."
    return (
        "If y does depend on X, increase max_iter, decrease alpha, or use more "
        "sequences."
    )
