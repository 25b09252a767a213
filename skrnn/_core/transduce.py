"""From sequences to others, by networks with a decoder, without gradients.

What is found for a sequence does not depend on the others, to the last bit; see
:mod:`skrnn._core.products`.
"""

from dataclasses import replace

import numpy as np

from skrnn._core import network
from skrnn._core.decoder import (
    DecoderPass,
    bridge,
    end_states,
    keys,
    states_by_sequence,
)
from skrnn._core.encode import Direction
from skrnn._core.generate import log_probabilities
from skrnn._core.imports import kernel_imports
from skrnn._core.layout import Layout
from skrnn._core.memory import Scratch
from skrnn._core.output import MAX_SCORES, output_scores
from skrnn._core.packing import pack
from skrnn._core.vocabulary import END
from skrnn._core.writer import Writer


class Memory:
    """What the encoder has read of some sequences.

    Parameters
    ----------
    weights : Weights
        Those of a network with a decoder.
    x : ndarray of shape (n_rows, ...)
        The steps of all sequences, rows in packed order.
    packing : Packing
        All its sequences have steps.

    Attributes
    ----------
    H : ndarray of shape (n_rows, n_encoded)
        The hidden states after all steps, one sequence after the other, in the order of
        the packing.
    packing : Packing
    """

    def __init__(self, weights, x, packing):
        _, top, _ = network.top_states(weights, x, packing)
        self.H, self.packing = states_by_sequence(top, packing), packing


def read(weights, values, offsets, chosen):
    """Read some sequences.

    Parameters
    ----------
    weights : Weights
    values : ndarray of shape (n_rows, ...)
        Token ids or numeric values of all sequences, concatenated.
    offsets : ndarray of shape (n_samples + 1,)
    chosen : ndarray of int64
        Sequences that have steps.

    Returns
    -------
    memory : Memory
    """
    starts = offsets[:-1][chosen]
    (packing,) = pack(starts, offsets[1:][chosen] - starts)
    return Memory(weights, values[packing.rows], packing)


class DecoderWriter(Writer):
    """Writes sequences by a decoder; see the base class.

    Parameters
    ----------
    weights : Weights
        Those of a network with a decoder.
    memory : Memory

    Notes
    -----
    The states of sequences are a tuple, whose parts have a row for each: its place in
    the memory; and by layer, the states of the decoder.
    """

    def __init__(self, weights, memory):
        with kernel_imports():
            from skrnn._core import attention
            from skrnn._core.products import multiply

        self._attention, self._multiply = attention, multiply
        self._weights, self._memory = weights, memory
        lengths = memory.packing.lengths
        self._starts = np.cumsum(lengths) - lengths
        # The product reads its transpose, which is then contiguous.
        self._V, self._c = np.asfortranarray(weights.V.numpy()), weights.c.numpy()
        self._query_T = None
        if weights.architecture.attention:
            query = weights.others["query"].numpy()
            self._query_T = np.ascontiguousarray(query.T)
            self._keys = keys(weights, memory.H, self._starts, lengths)
        self._first = _Layers(weights, 0, 1)
        self._others = None
        if len(weights.of_decoder) > 1:
            self._others = _Layers(weights, 1, None)
        self._scratch = Scratch(self._c.dtype)

    def begin(self):
        """Begin to write for each sequence; see the base class."""
        packing, H = self._memory.packing, self._memory.H
        places = np.argsort(packing.indices)
        starts, n = self._starts[places], len(places)
        ends = starts + packing.lengths[places] - 1
        e = end_states(H, starts, ends, self._weights.architecture.nhidden[-1])
        first = self._first.no_states(n)
        first[0][0] = bridge(self._weights, e)
        others = self._others.no_states(n) if self._others else []
        states = places, *map(tuple, (*first, *others))
        return self.step(states, np.full(n, END, np.int32))

    def step(self, states, tokens):
        """Write, and read, one token more of each sequence; see the base class."""
        self._scratch.reset()
        places, first, *others = states
        first = self._first.read(tokens, [first])
        h = first[0][0]
        context = self._context(h, places)
        if self._others is not None:
            others = self._others.read(self._beside(h, context), others)
            h = others[-1][0]
        scores = output_scores(self._V, self._c, self._beside(h, context))
        return log_probabilities(scores), (places, *first, *others)

    def _context(self, h, places):
        """The context of each sequence."""
        if self._query_T is None:
            return h[:, :0]
        lengths, width = self._memory.packing.lengths, self._memory.H.shape[1]
        Q, C = (self._scratch.take(len(h), width) for _ in range(2))
        self._multiply(h, self._query_T, Q, False)
        spans, n_weights = self._attention.spans_of(
            np.arange(len(h) + 1), self._starts[places], lengths[places]
        )
        (A,) = self._scratch.take(1, n_weights)
        self._attention.forward(Q, *self._keys, spans, A, C)
        return C

    def _beside(self, h, context):
        """States and contexts side by side."""
        both = self._scratch.take(len(h), h.shape[1] + context.shape[1])
        return np.concatenate([h, context], axis=1, out=both)


class _Layers:
    """Some layers of the decoder, step by step.

    Parameters
    ----------
    weights : Weights
    first, last : int or None
        As the limits of a slice.
    """

    def __init__(self, weights, first, last):
        layers = [[layer] for layer in weights.of_decoder[first:last]]
        architecture = weights.architecture.of_decoder(first, last)
        layout = Layout(architecture, len(layers[0][0].U), len(weights.c))
        part = replace(weights, layout=layout, layers=layers, others={}, filters=[])
        self._direction = Direction(part, 0)
        self._scratches = self._direction.scratches(2)  # for successive steps
        self.no_states = self._direction.no_states

    def read(self, x, states):
        """The states after a step, whose memory is used again two steps later."""
        self._scratches.reverse()
        return self._direction.read(x, np.array([len(x)]), states, self._scratches[0])


def log_p_of_tokens(weights, memory, answers):
    """The logarithms of the probabilities of each token of given answers.

    Parameters
    ----------
    weights : Weights
    memory : Memory
    answers : Answers
        Those of the sequences of the memory, in its order.

    Returns
    -------
    log_p : ndarray of shape (n_rows,), float64
        In the order of the tokens of the answers.
    """
    _, packing, h = _pass(weights, memory, answers)
    target = answers.tokens[packing.rows]
    log_p = np.empty(len(target))
    V, c = weights.V.numpy(), weights.c.numpy()
    n_at_once = max(1, MAX_SCORES // len(c))
    for first in range(0, len(h), n_at_once):
        some = slice(first, first + n_at_once)
        each = log_probabilities(output_scores(V, c, h[some]))
        rows = packing.rows[some]
        log_p[rows] = np.take_along_axis(each, target[some, np.newaxis], 1)[:, 0]
    return log_p


def attention_weights(weights, memory, answers):
    """How the decoder looks back while it writes given answers.

    Parameters
    ----------
    weights, memory, answers
        As in :func:`log_p_of_tokens`.

    Returns
    -------
    A : list of ndarrays of shape (n_tokens, n_steps)
        For each sequence, the weights of all steps; the last row is that of the end.
    """
    passed, packing, _ = _pass(weights, memory, answers)
    A = [None] * len(answers)
    places = passed.spans[-1]
    lengths = memory.packing.lengths[packing.indices]
    parts = np.split(passed.A, places[1:])
    for i, part, n in zip(packing.indices, parts, lengths, strict=True):
        A[i] = part.reshape(-1, n)
    return A


def _pass(weights, memory, answers):
    """A pass through the decoder, the packing of answers, and what V reads."""
    answer = answers.pack(np.arange(len(answers)))
    scratch = Scratch(memory.H.dtype)
    passed = DecoderPass(weights, memory.packing, answer, scratch)
    return passed, answer.packing, passed.forward(memory.H)
