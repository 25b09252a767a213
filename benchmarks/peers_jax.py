"""The competitor on JAX: lax.scan over padded batches of like length, compiled."""

from functools import partial

import jax
import numpy as np
from jax import numpy as jnp
from machine import N_GATES
from peers import Peer, batches

# Steps of the time loop compiled in a row when training; True for all, as always when
# predicting. Against 1, measured on names and one core: training is 1.7 times faster
# for the vanilla cell, 1.2 for an LSTM (and takes most of a minute to compile) and
# slower for a GRU; predicting an LSTM or a GRU is about twice as fast.
UNROLL = {"rnn": True, "gru": 1, "lstm": True}
PREDICT_BATCH = 512


def jax_scan(task, unroll=None, bucketed=True):
    """JAX: one compiled update for each number of steps.

    Parameters
    ----------
    task : Task
    unroll : int or bool, default=None
        UNROLL's when None.
    bucketed : bool, default=True
        Batches of like length; otherwise each is drawn from all sequences and padded to
        its longest one.
    """
    rng = np.random.default_rng(task.seed)
    ids, lengths = _left_padded(task.tokens, task.n_tokens), task.tokens.lengths
    labels = task.labels.astype(np.int32)
    unroll = UNROLL[task.cell] if unroll is None else unroll

    def loss(weights, ids, labels, counts):
        chosen = jnp.take_along_axis(
            jax.nn.log_softmax(_scores(task, unroll, weights, ids)),
            labels[:, None],
            axis=1,
        )
        return -(chosen[:, 0] @ counts) / counts.sum()

    @partial(jax.jit, donate_argnums=0)
    def update(state, ids, labels, counts):
        gradient = jax.grad(loss)(state["weights"], ids, labels, counts)
        return _adam(state, gradient, task.learning_rate)

    @jax.jit
    def classify(weights, ids):
        return _scores(task, True, weights, ids).argmax(axis=1)

    state = _start(task, rng)

    def train_epoch():
        nonlocal state
        for indices in batches(lengths, task.batch_size, rng, bucketed):
            # The incomplete batch is filled up with copies that do not count.
            counts = (np.arange(task.batch_size) < len(indices)).astype(np.float32)
            indices = np.resize(indices, task.batch_size)
            batch = ids[indices, -lengths[indices].max() :]
            state = update(state, batch, labels[indices], counts)
        jax.block_until_ready(state)

    def predict(tokens):
        ids, lengths = _left_padded(tokens, task.n_tokens), tokens.lengths
        order = np.argsort(-lengths, kind="stable")
        classes, parts = np.empty_like(order), []
        cuts = range(PREDICT_BATCH, len(order), PREDICT_BATCH)
        for indices in np.split(order, cuts):
            indices = np.resize(indices, PREDICT_BATCH)
            batch = ids[indices, -lengths[indices].max() :]
            parts.append(classify(state["weights"], batch))
        classes[order] = np.concatenate(parts)[: len(order)]
        return classes

    train_epoch()  # compiles
    state = _start(task, rng)
    return Peer(train_epoch, predict)


def _left_padded(tokens, pad):
    """Ids of shape (n_samples, longest length), `pad` before each sequence."""
    lengths, longest = tokens.lengths, tokens.lengths.max()
    sample = np.repeat(np.arange(len(lengths)), lengths)
    step = np.arange(len(sample)) - np.repeat(tokens.offsets[1:], lengths) + longest
    ids = np.full((len(lengths), longest), pad, dtype=np.int32)
    ids[sample, step] = tokens.values
    return ids


def _start(task, rng):
    """Weights as torch.nn draws them, and Adam's averages."""
    limit = 1 / np.sqrt(task.nhidden)
    width = N_GATES[task.cell] * task.nhidden
    shapes = {
        "U": (task.n_tokens, width),
        "W": (task.nhidden, width),
        "b": (width,),
        "b_n": (task.nhidden,),  # a GRU's second bias of the gate n
        "V": (task.nhidden, task.n_classes),
        "c": (task.n_classes,),
    }
    weights = {
        name: jnp.asarray(rng.uniform(-limit, limit, shape), jnp.float32)
        for name, shape in shapes.items()
    }
    zeros = partial(jax.tree.map, jnp.zeros_like, weights)
    return {"weights": weights, "mean": zeros(), "square": zeros(), "n": jnp.zeros(())}


def _scores(task, unroll, weights, ids):
    """Scores of shape (n_sequences, n_classes), of ids (n_sequences, n_steps)."""
    nhidden, W = task.nhidden, weights["W"]
    # The pad's row is 0, so that tanh and the LSTM leave the states before the first
    # token at 0. The GRU's second bias does not, so its states are held at 0.
    rows = jnp.pad(weights["U"] + weights["b"], ((0, 1), (0, 0)))
    ids = ids.T
    A, alive = rows[ids], (ids < task.n_tokens)[:, :, None]
    zeros = jnp.zeros((ids.shape[1], nhidden))

    def rnn(h, step):
        return jnp.tanh(step[0] + h @ W), None

    def gru(h, step):
        a, alive = step
        by_h = h @ W
        r, z = jnp.split(
            jax.nn.sigmoid(a[:, : 2 * nhidden] + by_h[:, : 2 * nhidden]), 2, axis=1
        )
        n = jnp.tanh(
            a[:, 2 * nhidden :] + r * (by_h[:, 2 * nhidden :] + weights["b_n"])
        )
        return jnp.where(alive, n + z * (h - n), 0.0), None

    def lstm(state, step):
        h, c = state
        i, f, g, o = jnp.split(step[0] + h @ W, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    cell = {"rnn": rnn, "gru": gru, "lstm": lstm}[task.cell]
    start = (zeros, zeros) if task.cell == "lstm" else zeros
    state, _ = jax.lax.scan(cell, start, (A, alive), unroll=unroll)
    h = state[0] if task.cell == "lstm" else state
    return h @ weights["V"] + weights["c"]


def _adam(state, gradient, learning_rate):
    """One step of Adam, by Kingma and Ba (2015), with their constants."""
    n = state["n"] + 1
    mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["mean"], gradient)
    square = jax.tree.map(
        lambda s, g: 0.999 * s + 0.001 * g * g, state["square"], gradient
    )

    def move(w, m, s):
        s = jnp.sqrt(s / (1 - 0.999**n))
        return w - learning_rate * m / (1 - 0.9**n) / (s + 1e-8)

    weights = jax.tree.map(move, state["weights"], mean, square)
    return {"weights": weights, "mean": mean, "square": square, "n": n}
