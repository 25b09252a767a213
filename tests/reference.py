"""The recurrent network as its definition says, in NumPy: the oracle of the tests.

One sequence, one step, one product at a time, in float64, as in Terence Parr's
article "Explaining RNNs without neural networks". Slow and plain on purpose.
"""

import numpy as np

ACTIVATIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0.0)}


def reference_hidden_states(W, U, b, x, activation="tanh"):
    """h after each step of one sequence; x has shape (n_steps, n_inputs)."""
    h = np.zeros(len(W))
    states = []
    for x_t in x:
        h = ACTIVATIONS[activation](W @ h + U @ x_t + b)
        states.append(h)
    return np.array(states)


def reference_one_hot(ids, n_inputs):
    return np.eye(n_inputs)[ids]


def reference_softmax(scores):
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()
