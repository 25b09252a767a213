"""Learning without y: predicting the next step at each step."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.vocabulary import END, UNKNOWN
from skrnn._heads.head import Head, log_loss_of_guess, log_shares


@dataclass(frozen=True)
class NextStepHead(Head):
    """The next step: a token or the end of the sequence, by a softmax; or numbers.

    Attributes
    ----------
    is_series : bool
        Whether the steps are numbers.
    patch_length : int
        Number of steps of a series that are read at once, for messages.
    """

    is_series: bool = False
    patch_length: int = 1
    _n_outputs: int | None = None

    task = "next_step"
    per_step = True

    def learned(self, samples, n_outputs=None):
        """This head with its outputs and its bias, for the steps of the training data.

        Parameters
        ----------
        samples : Samples
            With Steps.
        n_outputs : int, default=None
            One more than the largest id of a token to predict. None to predict all
            tokens in these samples.

        Raises
        ------
        ValueError
            If no step has a known next step.
        """
        samples = replace(samples, steps=self.begun(samples.steps))
        values = samples.steps.values
        if self.is_series:
            n_outputs = values.shape[1]
        elif n_outputs is None:
            n_outputs = int(_tokens(values).max()) + 1
        head = replace(self, _n_outputs=n_outputs)
        steps = head.samples_of(samples)
        if self.is_series:
            bias = np.average(steps.target, axis=0, weights=steps.weight)
            return replace(head, bias=bias.astype(np.float32))
        counts = np.bincount(steps.target, steps.weight, n_outputs)
        return replace(head, bias=log_shares(counts))

    @property
    def loss(self):
        """The loss of the scores."""
        return "squared_error" if self.is_series else "cross_entropy"

    @property
    def n_outputs(self):
        """Number of scores."""
        return self._n_outputs

    def samples_of(self, samples):
        """Samples whose targets are the next steps: ids of tokens or END, or rows.

        Parameters
        ----------
        samples : Samples
            With Steps.

        Returns
        -------
        samples : Samples
            With a target for each step.

        Raises
        ------
        ValueError
            If no step has a known next step.
        """
        is_known = self.next_steps(samples.steps)[1]
        if not (np.repeat(samples.weight, samples.steps.lengths) * is_known).any():
            raise ValueError(self._nothing_to_predict())
        samples = self.unscaled_samples_of(samples)
        return replace(samples, weight=samples.weight / samples.weight.mean())

    def unscaled_samples_of(self, samples):
        """The same with weights as they are, which may all be 0."""
        target, is_known, is_end = self.next_steps(samples.steps)
        weight = np.repeat(samples.weight, samples.steps.lengths) * (is_known | is_end)
        return replace(samples, target=target, weight=weight, per_step=True)

    def next_steps(self, steps):
        """What comes after each step.

        Parameters
        ----------
        steps : Steps

        Returns
        -------
        target : ndarray of shape (n_rows,), int64, or (n_rows, n_outputs), float32
            Ids of tokens or END, or numbers; arbitrary for the other steps.
        is_known, is_end : ndarrays of shape (n_rows,), bool
            Whether a known step comes next, or the end, if it is predicted.
        """
        is_last = np.zeros(len(steps.values), dtype=bool)
        is_last[steps.offsets[1:][steps.lengths > 0] - 1] = True
        if self.is_series:
            target = np.roll(steps.values, -1, axis=0)
            return target, ~is_last, np.zeros_like(is_last)
        target = np.append(_tokens(steps.values)[1:], UNKNOWN).astype(np.int64)
        is_known = (target != UNKNOWN) & (target < self.n_outputs) & ~is_last
        target[~is_known] = END
        return target, is_known, is_last

    def _nothing_to_predict(self):
        """The sentence for sequences in which no step has a known next step."""
        where, cure = "X", "Pass y, or longer sequences"
        if self.bias is not None:  # it has been learned
            where = "the validation data"
            cure += ", or other validation data (X_val or validation_fraction)"
        what = "token that is known"
        if self.is_series:
            what = "step"
        if self.patch_length > 1:
            what = f"patch of {self.patch_length} steps"
            cure += ", or a smaller patch_length"
        return (
            f"Without y, the next step is predicted, but no sequence of {where} has "
            f"more than one {what}. {cure}."
        )

    def chance(self, target, weight):
        """The mean loss of the best guess that ignores X."""
        if self.is_series:
            return super().chance(target, weight)
        return log_loss_of_guess(self.bias, target, weight)

    def evaluate(self, model, samples):
        """The mean loss, and minus it as the score; see the base class."""
        loss = model.mean_loss_of_steps(samples)
        return loss, -loss

    def score_of_a_guess(self, samples):
        """Minus the loss of a guess that ignores X."""
        return -self.chance(samples.target, samples.weight)

    def losses(self, scores, target):
        """The loss of the scores of each step, float64.

        Parameters
        ----------
        scores : ndarray of shape (n_steps, n_outputs)
        target : ndarray of shape (n_steps, ...)
        """
        scores = scores.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):  # they may not be finite
            if self.is_series:
                return np.square(scores - target).mean(axis=1) / 2
            scores -= scores.max(axis=1, keepdims=True)
            chosen = scores[np.arange(len(scores)), target]
            return np.log(np.exp(scores).sum(axis=1)) - chosen

    def attributes(self):
        """No attributes: the output weights are enough to rebuild the head."""
        return {}


def _tokens(values):
    """The id of the token at each step, which is the shortest of its n-grams."""
    return values if values.ndim == 1 else values[:, 0]
