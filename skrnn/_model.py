"""The result of a fit: a reader, a head and weights, ready to predict."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from skrnn._core import encode, losses, output, public
from skrnn._core.architecture import Architecture
from skrnn._core.execution import arithmetic
from skrnn._heads.head import Head
from skrnn._reading.reader import reader_of
from skrnn._reading.series import SeriesReader
from skrnn._reading.tokens import TokenReader

# Maximum number of tokens of which a vector each is copied, even if they are the same:
# that takes less time than finding the distinct ones.
_FEW = 256


@dataclass(frozen=True, slots=True)
class Model:
    """A reader, a head, and the weights of a network between them.

    It is built from the public attributes of an estimator for each prediction, so that
    weights edited by a user are used, and estimators of earlier versions still work.

    Attributes
    ----------
    reader : TokenReader or SeriesReader
    head : Head
    architecture : Architecture
    arrays : dict
        The weights, as :func:`skrnn._core.public.to_public` returns them.
    """

    reader: TokenReader | SeriesReader
    head: Head
    architecture: Architecture
    arrays: dict

    @classmethod
    def from_attributes(cls, attributes, head):
        """The model of a fitted estimator, from its attributes and its head."""
        architecture = Architecture(**attributes["_architecture"])
        names = public.names_of(architecture)
        arrays = {name: _as_float32(attributes[name]) for name in names}
        return cls(reader_of(attributes), head, architecture, arrays)

    def attributes(self):
        """The attributes that an estimator keeps of the model."""
        return {
            **self.reader.attributes(),
            **self.head.attributes(),
            **self.arrays,
            "_architecture": asdict(self.architecture),
        }

    def states(self, steps, per_step=False):
        """The pooled hidden states of each sequence, or those after each step.

        Parameters
        ----------
        steps : Steps
        per_step : bool, default=False

        Returns
        -------
        h : ndarray of shape (n_samples, n_features_out), float32; with `per_step` of \
                shape (n_rows, n_directions * nhidden)
        """
        with arithmetic() as execution:
            weights, values = self._tensors(steps, execution)
            if per_step:
                width = self.architecture.n_directions * self.architecture.nhidden[-1]
                H = np.zeros((len(steps.values), width), np.float32)
                for rows, states in encode.states_of_all_steps(
                    weights, values, steps.offsets
                ):
                    H[rows] = states
                return H
            n_threads = encode.useful_threads(steps.offsets, execution.n_threads)
            with execution.threads(n_threads) as run:
                return encode.encode(weights, values, steps.offsets, run, steps.keys)

    def scores(self, h):
        """``V h + c``, an ndarray of shape (n_samples, n_outputs), float32."""
        V, c = self.arrays["V_"], self.arrays["intercept_"]
        return output.output_scores(V, c, np.ascontiguousarray(h, np.float32))

    def mean_loss_of_steps(self, samples):
        """The loss averaged over all steps, for a head that predicts at each of them.

        Parameters
        ----------
        samples : Samples
            With a target for each step.

        Returns
        -------
        mean : float
            Infinity if the loss is not finite.
        """
        with arithmetic() as execution:
            weights, values = self._tensors(samples.steps, execution)
            target, weight = samples.target, samples.weight.astype(np.float32)
            n_at_once = max(1, output.MAX_SCORES // len(weights.c))
            total = 0.0
            for rows, H in encode.states_of_all_steps(
                weights, values, samples.steps.offsets
            ):
                for first in range(0, len(rows), n_at_once):
                    some = rows[first : first + n_at_once]
                    scores = self.scores(H[first : first + n_at_once])
                    loss, _ = losses.loss_and_gradient(
                        self.head.loss, scores, target[some], weight[some]
                    )
                    total += loss
            mean = total / len(target)
            return mean if math.isfinite(mean) else math.inf

    def _tensors(self, steps, execution):
        """The weights in the layout of the network, and the values it reads.

        If there are fewer values than tokens in the vocabulary, the tokens in use are
        renumbered, so that a few sequences need not wait for the vectors of all tokens.
        """
        ids, values, vectors = None, steps.values, None
        if steps.keys is not None:
            vectors = self.reader.vectors
            if values.size < len(self.reader.vocabulary):
                ids, values = _renumbered(values)
        weights = public.from_public(
            self.architecture, self.arrays, ids, vectors, execution
        )
        n_inputs = weights.n_inputs
        if values.dtype.kind != "f":
            values = np.ascontiguousarray(values, np.int32)
            n_needed = int(values.max(initial=-1)) + 1
        else:
            n_needed = n_inputs = values.shape[1]
        if n_needed > n_inputs or n_inputs != weights.n_inputs:
            raise ValueError(
                f"U_ has {weights.n_inputs} inputs, but X needs {n_needed}. Give "
                "weights that you edit the shapes that they had after the fit."
            )
        return weights, values


def _renumbered(values):
    """The ids of tokens, and the place of each token in them."""
    shape = values.shape
    if values.size <= _FEW:
        return values.ravel(), np.arange(values.size).reshape(shape)
    ids, places = np.unique(values, return_inverse=True)
    return ids, places.reshape(shape)  # NumPy 1 flattens the inverse


def _as_float32(arrays):
    """Weights, which a user may have edited, as float32; without a copy if they are."""
    if isinstance(arrays, list):
        return [_as_float32(array) for array in arrays]
    return np.asarray(arrays, dtype=np.float32)


def check_finite(h):
    """Raise if hidden states are not finite.

    Raises
    ------
    ValueError
        If any is infinite or NaN.
    """
    # A sum is finite only if all terms are, and takes a tenth of the time.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(h.sum()) or np.isfinite(h).all():
            return
    i = int(np.argmin(np.isfinite(h).all(axis=1)))
    raise ValueError(
        f"The hidden state of X[{i}] is not finite: its numbers are far from "
        "those seen in fit, or it is too long for activation='relu', under "
        "which h can grow at each step. Use activation='tanh'."
    )
