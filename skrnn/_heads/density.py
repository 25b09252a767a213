"""Series that are predicted: the density of their next step, and whether they end."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core import density
from skrnn._heads.next_step import NextStepHead


@dataclass(frozen=True)
class DensityHead(NextStepHead):
    """The density of the numbers of the next step, and the probability of the end.

    The network first reads a start, before each series. Beside the numbers of a step,
    which are 0 at the start, it reads whether the step is one.
    """

    is_series: bool = True

    loss = "gaussian_or_end"
    learns_end = True

    def learned(self, samples, n_outputs=None):
        """This head with its outputs and its bias; see the base class."""
        n_features = samples.steps.values.shape[1]
        head = replace(self, _n_outputs=density.n_scores(n_features))
        begun = head.samples_of(replace(samples, steps=self.begun(samples.steps)))
        is_end = begun.target[:, 0] == 1
        p_end = np.average(is_end, weights=begun.weight)
        y, weight = begun.target[~is_end, 1:], begun.weight[~is_end]
        mean = np.average(y, axis=0, weights=weight)
        variance = np.average(np.square(y - mean), axis=0, weights=weight)
        bias = density.scores_of(p_end, mean, variance)
        return replace(head, bias=bias.astype(np.float32))

    def begun(self, steps):
        """Steps with a start before each series."""
        starts, n = steps.offsets[:-1], np.arange(len(steps.offsets))
        values = np.pad(steps.values, [(0, 0), (0, 1)])
        at_start = np.append(np.zeros(values.shape[1] - 1), 1)
        values = np.insert(values, starts, at_start, axis=0)
        return steps._replace(values=values, offsets=steps.offsets + n)

    def next_steps(self, steps):
        """What comes after each step; see the base class.

        The first column of the target says whether it is the end.
        """
        target, is_known, _ = super().next_steps(steps)
        target = np.column_stack([~is_known, target[:, :-1]]).astype(np.float32)
        return target, is_known, ~is_known

    def check_outputs(self, n_rows, reader):
        """Raise unless V has rows for the numbers in y; see the base class."""
        n_numbers = len(reader.mean)
        if n_rows != density.n_scores(n_numbers):
            raise ValueError(
                f"target_mean_ has the length {n_numbers}, but V_ has {n_rows} rows: "
                "two for each number, and one for the end, were expected. Undo the "
                "changes to them since the fit, or fit again."
            )

    def losses(self, scores, target):
        """Minus the logarithm of the density of each step; see the base class."""
        with np.errstate(invalid="ignore", over="ignore"):  # scores may not be finite
            return density.losses(scores, target)

    def _nothing_to_predict(self):
        """The sentence for series without steps."""
        where = "X" if self.bias is None else "the validation data"
        return (
            f"The next step is predicted, but all series of {where} are empty. Pass "
            "some that have steps."
        )
