"""The recurrent network as its definition says, in NumPy: the oracle of the tests.

One sequence, one step, one product at a time, in float64, as in Terence Parr's
article "Explaining RNNs without neural networks". Slow and plain on purpose. Weights
have the names, shapes and block order of the public attributes.
"""

import numpy as np

ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0.0),
    "identity": lambda a: a,
}


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def reference_hidden_states(W, U, b, x, activation="tanh", cell="rnn"):
    """h after each step of one sequence; x has shape (n_steps, n_inputs)."""
    h = c = np.zeros(W.shape[1])
    states = []
    for x_t in x:
        if cell == "rnn":
            h = ACTIVATIONS[activation](W @ h + U @ x_t + b)
        elif cell == "gru":
            W_r, W_z, W_n = np.split(W, 3)
            U_r, U_z, U_n = np.split(U, 3)
            b_r, b_z, b_n, b_q = np.split(b, 4)
            r = sigmoid(U_r @ x_t + b_r + W_r @ h)
            z = sigmoid(U_z @ x_t + b_z + W_z @ h)
            n = np.tanh(U_n @ x_t + b_n + r * (W_n @ h + b_q))
            h = (1 - z) * n + z * h
        else:
            i, f, g, o = np.split(U @ x_t + b + W @ h, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def reference_code(weights, x, architecture):
    """The pooled h of one sequence, through all layers and directions.

    `weights` are the lists W_, U_, b_, by layer and direction; `architecture` has the
    public parameters.
    """
    n_directions = 2 if architecture["bidirectional"] else 1
    triples = list(zip(*weights, strict=True))
    for k in range(0, len(triples), n_directions):
        H = []
        for i, (W, U, b) in enumerate(triples[k : k + n_directions]):
            read = x[::-1] if i else x
            H.append(
                reference_hidden_states(
                    W, U, b, read, architecture["activation"], architecture["cell"]
                )
            )
        x = np.concatenate([h[::-1] if i else h for i, h in enumerate(H)], axis=1)
    pool = {
        "last": lambda h: h[-1],
        "mean": lambda h: h.mean(axis=0),
        "max": lambda h: h.max(axis=0),
        "concat": lambda h: np.concatenate([h[-1], h.max(axis=0)]),
        "sum": lambda h: h[-1] + h.max(axis=0),
    }[architecture["pooling"]]
    return np.concatenate([pool(h) for h in H])


def reference_one_hot(ids, n_inputs):
    return np.eye(n_inputs)[ids]


def reference_softmax(scores):
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()
