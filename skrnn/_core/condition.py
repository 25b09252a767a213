"""What depends on the context x of a sequence, forward and back.

h_0 = tanh(A x + a),    G_t = U y_{t-1} + (B x + b)

The first are the states of all layers, and of an LSTM both h and c. The last are the
biases of the first layer, of which each sequence has its own.

Without tanh, as many names of digits were spelled from images without a mistake, 0.98
of held-out training data, but their log-probability was -0.17 instead of -0.13; and of
surnames from the TF-IDF weights of their bigrams, 0.519 instead of 0.545.
"""

import numpy as np

from skrnn._core import linear


class Condition:
    """Sequences whose states or inputs depend on their context.

    Parameters
    ----------
    weights : Weights
        Those of a network of one direction.
    context : Context

    Attributes
    ----------
    start : list of tuples of ndarrays of shape (n_sequences, nhidden), or None
        By layer, the states before the first step. None if they do not depend on x.
    b : ndarray of shape (n_sequences, n_blocks * nhidden), or None
        The biases of the first layer. None if they do not depend on x.
    """

    def __init__(self, weights, context):
        self.start = self.b = None
        self._context, self._n_columns = context, weights.layers[0][0].U.shape[1]
        others = {name: part.numpy() for name, part in weights.others.items()}
        if "A" in others:
            S = _products(others["A"], context)
            S += others["a"]
            self.start = _by_layer(weights.architecture, np.tanh(S, out=S))
        if "B" in others:
            self.b = np.tile(weights.layers[0][0].b.numpy(), (len(context), 1))
            self._of_inputs(self.b)[:] += _products(others["B"], context)

    def _of_inputs(self, b):
        """The part of biases that B x is added to: as U x, to the last blocks."""
        return b[:, -self._n_columns :]

    def layers_for(self, layers, b):
        """Layers as arrays, or their gradients, with such biases in the first."""
        if b is None:
            return layers
        (U, W, _), *_ = layers[0]
        return [[(U, W, b)], *layers[1:]]

    def write_gradients(self, gradient, db, dstart):
        """Write the gradients of A, a and B, and of the biases of the first layer.

        Parameters
        ----------
        gradient : Weights
            Written.
        db : ndarray of the shape of b, or None
        dstart : list of tuples of ndarrays, or None
            The gradient with respect to `start`. None if it was not used.
        """
        others = {name: part.numpy() for name, part in gradient.others.items()}
        for part in others.values():
            part.fill(0)
        if self.b is not None:
            gradient.layers[0][0].b.numpy()[:] = db.sum(axis=0)
            of_inputs = np.ascontiguousarray(self._of_inputs(db))
            linear.add_gradient(self._context.rows, of_inputs, others["B"])
        if dstart is not None:
            parts = zip(_flattened(self.start), _flattened(dstart), strict=True)
            dS = np.concatenate([part * (1 - S * S) for S, part in parts], axis=1)
            others["a"][:] = dS.sum(axis=0)
            linear.add_gradient(self._context.rows, dS, others["A"])


def _products(A, context):
    """Compute ``A x`` of each sequence, which does not depend on the others."""
    out = np.zeros((len(context), A.shape[1]), A.dtype)
    linear.add_scores(context.rows, A, out)
    return out


def _by_layer(architecture, S):
    """States that are side by side, as those of each layer."""
    n_states, layers, first = architecture.make_cell().n_states, [], 0
    for n in architecture.nhidden:
        parts = np.split(S[:, first : first + n * n_states], n_states, axis=1)
        layers.append(tuple(map(np.ascontiguousarray, parts)))
        first += n * n_states
    return layers


def _flattened(states):
    return [part for of_layer in states for part in of_layer]
