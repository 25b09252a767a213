"""Errors and warnings about how a fit went."""

from sklearn.exceptions import ConvergenceWarning

from skrnn._warnings import warn

_MANY_STEPS = 50
_HIGH_RATE = 0.02


def check_converged(
    estimator, progress, objective, validation, n_steps, is_partial=False
):
    """Raise or warn if training diverged, or did harm or nothing.

    Parameters
    ----------
    estimator : estimator instance
    progress : Progress
    objective : Objective
        Of the training part.
    validation : HeldOut or None
    n_steps : float
        That the network takes through a sequence, on average.
    is_partial : bool, default=False
        Whether it was one epoch of many, which need not have learned much.
    """
    n_epochs, loss = len(progress.loss_curve), progress.loss_curve[-1]
    chance = objective.chance
    cure = (
        f"Lower learning_rate_init (now {estimator.learning_rate_init:g}) or "
        "max_grad_norm, or use activation='tanh'."
    )
    if progress.interrupted:
        kept = "the best epoch" if estimator.early_stopping else f"epoch {n_epochs}"
        warn(
            f"Training was interrupted after {n_epochs} of {progress.n_epochs} epochs. "
            f"{type(estimator).__name__} keeps the weights from {kept}.",
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
        kept = "the best epoch" if estimator.early_stopping else "before that epoch"
        what += f" {type(estimator).__name__} keeps the weights from {kept}."
    elif loss > 10 * max(chance, 0.5):
        what = (
            f"The training loss of the last epoch is {loss:.3g}, where a network "
            f"that knows nothing has {chance:.3g}."
        )
    elif is_partial:
        return
    else:
        what = _what_was_not_learned(estimator, progress, chance, validation)
        cure = _how_to_learn(estimator, n_steps, objective.at_each_step)
    if what:
        warn(f"{what} {cure}", ConvergenceWarning)


def _what_was_not_learned(estimator, progress, chance, validation):
    """A sentence for a network that is no better than a guess; else None."""
    if chance < 1e-3 or estimator.max_iter != "auto":
        return None  # a guess that is always right, or a fit that was to be short
    what = f"{type(estimator).__name__} has learned next to nothing"
    if validation is None:
        loss = progress.loss_curve[-1]
        if loss < 0.95 * chance:
            return None
        return (
            f"{what}: the training loss of the last epoch is {loss:.3g}, and that of a "
            f"network that does not look at X {chance:.3g}."
        )
    score, loss = progress.best_validation
    guess = validation.score_of_a_guess
    # A score may stand still where probabilities get better.
    if score > guess or loss < validation.objective.chance:
        return None
    return (
        f"{what}: the best validation score is {score:.3g}, and that of a network that "
        f"does not look at X {guess:.3g}."
    )


def _how_to_learn(estimator, n_steps, at_each_step):
    """Advice for such a network."""
    if estimator.learning_rate_init > _HIGH_RATE:
        return f"Lower learning_rate_init (now {estimator.learning_rate_init:g})."
    if at_each_step:
        return (
            "Use more epochs by max_iter or more sequences, if the next step does "
            "depend on those before."
        )
    if n_steps > _MANY_STEPS and estimator._architecture["pooling"] in ("last", "mean"):
        fewer = "a larger patch_length"
        if estimator.kind_ != "series":
            fewer = "max_length"
        return (
            f"It takes {n_steps:.0f} steps through a sequence, and may forget the "
            f"first ones. Use pooling='max', or {fewer} for fewer steps."
        )
    if estimator.cell == "rnn":
        return "Use cell='gru', which learns what to keep, or more epochs by max_iter."
    return (
        "Use more epochs by max_iter, a smaller alpha, or more sequences, if y does "
        "depend on X."
    )
