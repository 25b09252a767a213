"""A tag, which is one class label, for each step of a sequence."""

from dataclasses import dataclass

import numpy as np

from skrnn._core.imports import kernel_imports
from skrnn._heads.classes import SoftmaxHead, softmax

# Maximum number of tags in the likeliest sequences of them: with 8 bytes each, 4 GB.
_MAX_TAGS = 2**29


@dataclass(frozen=True)
class TagsHead(SoftmaxHead):
    """A tag for each step: a softmax of the scores of the step.

    The targets, and the scores, are those of all steps of all sequences, end to end;
    ``offsets``, of shape (n_samples + 1,), says where each sequence begins. Where steps
    do not depend on each other, as here, it may be None.
    """

    task = "tagging"
    per_step = True

    def decode(self, scores, offsets):
        """The best tag of each step."""
        return self.classes[self.best(scores, offsets)]

    def best(self, scores, offsets):
        """The places of the best tags in `classes`."""
        return scores.argmax(axis=1)

    def probabilities(self, scores, offsets):
        """The probabilities of the tags at each step, float64."""
        return softmax(scores)

    def together(self, heads, scores, offsets=None):
        """A head for independent tags, and logarithms of mean probabilities."""
        of_each = zip(heads, scores, strict=True)
        proba = np.mean(
            [head.probabilities(own, offsets) for head, own in of_each], axis=0
        )
        log_p = np.log(np.maximum(proba, np.finfo(proba.dtype).tiny))
        return TagsHead(classes=self.classes), log_p

    def n_best(self, scores, offsets, n):
        """The n most probable sequences of tags of each sequence, best first.

        Returns
        -------
        tags : list of lists of ndarrays of shape (n_steps,)
        log_proba : list of ndarrays of shape (at most n,), float64
        """
        with kernel_imports():
            from skrnn._core import best_tags

        # No sequence has more of them; a power of 2 above n is enough to compare with.
        longest = int(np.diff(offsets).max(initial=0))
        n = min(n, self.n_outputs ** min(longest, n.bit_length()))
        if n * len(scores) > _MAX_TAGS:
            raise ValueError(
                f"{n:,} sequences of tags for {len(scores):,} steps take "
                f"{8 * n * len(scores) / 1e9:,.0f} GB. Lower n_best, or pass fewer "
                "sequences at once."
            )
        tags = np.empty((n, len(scores)), np.int64)
        chain = self._chain(scores.dtype)
        log_proba, n_found = best_tags.n_best(scores, offsets, chain, tags)
        parts = np.split(tags, offsets[1:-1], axis=1)
        parts = [part[:k] for part, k in zip(parts, n_found, strict=True)]
        log_proba = [row[:k] for row, k in zip(log_proba, n_found, strict=True)]
        return [list(self.classes[part]) for part in parts], log_proba

    def _chain(self, dtype):
        """The transitions, start and end that are added to scores."""
        n = self.n_outputs
        return tuple(np.zeros(shape, dtype) for shape in ((n, n), n, n))

    def _scores_of(self, model, steps):
        return model.scores_of_steps(steps)

    def _expected(self, samples):
        return samples.target, samples.weight, samples.steps.offsets

    def score(self, scores, target, weight, offsets):
        """Accuracy."""
        return float(np.average(self.best(scores, offsets) == target, weights=weight))
