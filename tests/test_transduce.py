"""Writing step by step, beside the network that is trained and torch.nn."""

import numpy as np
import pytest
import torch
from networks import LENGTHS, N_OUTPUTS, OFFSETS, as_read, random_inputs, random_weights
from test_decoder import ANSWERS, ARCHITECTURES, TorchTransducer

from skrnn._core import transduce
from skrnn._core.vocabulary import END

of_each = pytest.mark.parametrize("name", ARCHITECTURES)


def memory_of(weights, values, chosen=None):
    """The memory of all sequences, or of some."""
    chosen = np.arange(len(LENGTHS)) if chosen is None else np.array(chosen)
    memory = transduce.read(weights, as_read(values), OFFSETS, chosen)
    return chosen[memory.packing.indices], memory


def expected(weights, values):
    """The log probabilities of all outputs, and the attention, of all answers."""
    model, parts = TorchTransducer(weights), []
    for i in range(len(LENGTHS)):
        y = torch.from_numpy(ANSWERS[np.array([i])].tokens)
        before = torch.cat([torch.tensor([END]), y[:-1]])
        with torch.no_grad():
            scores, A = model(values[OFFSETS[i] : OFFSETS[i + 1]], before)
        parts.append((torch.log_softmax(scores, 1).numpy(), A))
    return parts


@of_each
def test_log_probabilities_of_answers_equal_torch(name):
    weights, values = random_weights(ARCHITECTURES[name]), random_inputs(False)
    order, memory = memory_of(weights, values)
    answers = ANSWERS[order]
    log_p = transduce.log_p_of_tokens(weights, memory, answers)
    theirs = expected(weights, values)
    for k, i in enumerate(order):
        rows = slice(*answers.offsets[k : k + 2])
        y = answers.tokens[rows]
        np.testing.assert_allclose(log_p[rows], theirs[i][0][np.arange(len(y)), y])


@of_each
def test_steps_equal_those_of_the_whole(name):
    weights, values = random_weights(ARCHITECTURES[name]), random_inputs(False)
    _, memory = memory_of(weights, values)
    theirs = expected(weights, values)
    writer, order = transduce.DecoderWriter(weights, memory), np.arange(len(LENGTHS))
    log_p, states = writer.begin()
    left = [list(ANSWERS[np.array([i])].tokens) for i in order]
    alive, step = np.arange(len(order)), 0
    while len(alive):
        for row, k in zip(log_p, alive, strict=True):
            np.testing.assert_allclose(row, theirs[order[k]][0][step])
        goes_on = [k for k, i in enumerate(alive) if len(left[i]) > step + 1]
        tokens = np.array([left[alive[k]][step] for k in goes_on], np.int32)
        alive, step = alive[goes_on], step + 1
        if len(alive):
            states = taken(states, goes_on)
            log_p, states = writer.step(states, tokens)


def taken(states, rows):
    if isinstance(states, tuple):
        return tuple(taken(part, rows) for part in states)
    return states[rows]


@of_each
def test_attention_weights_equal_torch(name):
    weights, values = random_weights(ARCHITECTURES[name]), random_inputs(False)
    if weights.architecture.attention is None:
        return
    order, memory = memory_of(weights, values)
    A = transduce.attention_weights(weights, memory, ANSWERS[order])
    for k, i in enumerate(order):
        np.testing.assert_allclose(A[k], expected(weights, values)[i][1])
        np.testing.assert_allclose(A[k].sum(axis=1), 1)


@pytest.mark.parametrize("name", ["gru", "lstm-three-layers"])
def test_what_is_written_does_not_depend_on_others(name):
    weights = random_weights(ARCHITECTURES[name], torch.float32)
    values = random_inputs(False, torch.float32)
    order, memory = memory_of(weights, values)
    log_p, _ = transduce.DecoderWriter(weights, memory).begin()
    of_tokens = transduce.log_p_of_tokens(weights, memory, ANSWERS[order])
    for k, i in enumerate(order):
        _, alone = memory_of(weights, values, [i])
        first, _ = transduce.DecoderWriter(weights, alone).begin()
        assert (first[0] == log_p[i]).all()
        answer = ANSWERS[np.array([i])]
        rows = slice(*ANSWERS[order].offsets[k : k + 2])
        each = transduce.log_p_of_tokens(weights, alone, answer)
        assert (each == of_tokens[rows]).all()
    assert log_p.shape == (len(LENGTHS), N_OUTPUTS)
