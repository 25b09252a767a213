"""Tags that depend on those beside them: a conditional random field."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.imports import kernel_imports
from skrnn._core.public import OF_TRANSITIONS
from skrnn._core.sequences import locate
from skrnn._heads.tags import TagsHead


@dataclass(frozen=True)
class ChainHead(TagsHead):
    """A linear chain of tags: a softmax over all sequences of tags.

    Attributes
    ----------
    chain : tuple of ndarrays, or None
        The transitions, start and end; None before they are trained, and for guesses
        that ignore X, to which they are 0.
    """

    chain: tuple | None = None

    has_transitions = True

    def with_trained(self, arrays):
        """This head with the transitions that were trained."""
        for name in OF_TRANSITIONS:
            if not np.isfinite(arrays[name]).all():
                raise ValueError(
                    f"{name} has numbers that are not finite. Use -1e4 to forbid a "
                    "transition."
                )
        chain = tuple(np.ascontiguousarray(arrays[name]) for name in OF_TRANSITIONS)
        return replace(self, chain=chain)

    def best(self, scores, offsets):
        """The places of the best tags in `classes`, by Viterbi's algorithm."""
        with kernel_imports():
            from skrnn._core import best_tags

        tags = np.empty(len(scores), np.int64)
        best_tags.viterbi(scores, offsets, self._chain(scores.dtype), tags)
        return tags

    def probabilities(self, scores, offsets):
        """The probabilities of the tags at each step, whatever the others are."""
        with kernel_imports():
            from skrnn._core import crf

        proba = np.empty(scores.shape)
        crf.marginals(scores, offsets, self._chain(scores.dtype), proba)
        return proba

    def _chain(self, dtype):
        return super()._chain(dtype) if self.chain is None else self.chain

    def mean_loss(self, scores, target, weight, offsets=None):
        """The loss of the sequences, divided by the weight of all steps."""
        with kernel_imports():
            from skrnn._core import crf

        chain = self._chain(scores.dtype)
        total = crf.loss_and_gradient(
            scores.copy(),
            offsets,
            target,
            weight.astype(scores.dtype),
            chain,
            tuple(map(np.zeros_like, chain)),
        )
        return total / len(target)


def check_weight_of_chains(weight, offsets):
    """Raise if the steps of a sequence have several weights other than 0.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
    offsets : ndarray of shape (n_samples + 1,)

    Raises
    ------
    ValueError
    """
    lengths = np.diff(offsets)
    some = lengths > 0
    of_sequences = np.zeros(len(lengths))
    of_sequences[some] = np.maximum.reduceat(weight, offsets[:-1][some])
    is_other = (weight > 0) & (weight != np.repeat(of_sequences, lengths))
    if is_other.any():
        i, step = locate(offsets, int(is_other.argmax()))
        raise ValueError(
            f"sample_weight[{i}][{step}] is {weight[is_other][0]:g}, but another step "
            f"of X[{i}] has {of_sequences[i]:g}: with transitions=True, a sequence has "
            "one weight, and steps whose tag is unknown have 0. Use one weight, or "
            "transitions=False."
        )
