"""The inputs of the network in training."""

import math
from dataclasses import dataclass

import numpy as np

from skrnn._core.steps import Steps
from skrnn._core.updates.embedded import Embeddings
from skrnn._core.vocabulary import UNKNOWN


@dataclass(frozen=True, slots=True)
class Inputs:
    """The training data as the network reads it.

    Attributes
    ----------
    steps : Steps
        The data as encoded by the reader, except that with pretrained vectors, tokens
        are numbered by their positions in `ids`. Without keys, which only predictions
        need.
    hiding : ndarray of shape (n_tokens,), float32, or None
        Probability with which each token is replaced by the unknown token; None for
        numbers.
    embeddings : Embeddings or None
        Pretrained vectors, only of the tokens in X.
    ids : ndarray of shape (n_tokens,), int, or None
        Ids of the tokens that `embeddings` has vectors of.
    """

    steps: Steps
    hiding: np.ndarray | None = None
    embeddings: Embeddings | None = None
    ids: np.ndarray | None = None

    def numbered(self, steps):
        """Other steps, without keys, numbered as those of the training data.

        Parameters
        ----------
        steps : Steps
            As encoded by the reader.
        """
        steps = steps._replace(keys=None)
        if self.ids is None:
            return steps
        places = np.searchsorted(self.ids, steps.values)
        places = np.minimum(places, len(self.ids) - 1).astype(np.int32)
        places[self.ids[places] != steps.values] = UNKNOWN  # whose place is the first
        return steps._replace(values=places)

    @property
    def n_inputs(self):
        """Length of x: the number of numbers per step, or of distinct tokens."""
        if self.embeddings is not None:
            return self.embeddings.vectors.shape[1]
        if self.hiding is not None:
            return len(self.hiding)
        return self.steps.values.shape[1]

    @property
    def are_tokens(self):
        """Whether U has a vector for each token."""
        return self.hiding is not None and self.embeddings is None

    @property
    def scale(self):
        """The order of magnitude of the inputs."""
        scale = 1.0
        if self.embeddings is not None:
            scale = root_mean_square(self.embeddings.vectors.numpy(force=True))
        if self.steps.is_padded:
            n_features = (self.steps.values > 0).sum(axis=1)
            return math.sqrt(max(1.0, n_features.mean()))
        if self.hiding is not None and self.steps.values.ndim == 2:
            # The sum of the vectors of n-grams should also be of order 1.
            scale *= math.sqrt(self.steps.values.shape[1])
        return scale


def root_mean_square(matrix):
    """The order of magnitude of the numbers in a matrix; 1 if all are 0."""
    return float(np.sqrt(np.mean(np.square(matrix, dtype=np.float64)))) or 1.0
