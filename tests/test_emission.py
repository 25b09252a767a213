"""Networks whose steps emit sequences, beside torch.nn and central differences."""

import numpy as np
import pytest
import torch
from answering import (
    SMOOTHING,
    WEIGHT,
    check_float32,
    check_public,
    check_slopes,
    check_sum,
    loss_and_gradient,
    masks_for,
)
from networks import (
    CELLS,
    LENGTHS,
    N_INPUTS,
    N_OUTPUTS,
    OFFSETS,
    as_read,
    random_inputs,
    random_weights,
)
from torch import nn
from torch_network import TorchNetwork

from skrnn._core import emission, transduce
from skrnn._core.answers import Answers
from skrnn._core.architecture import Architecture
from skrnn._core.public import to_public

# One of the answers is empty, and one repeats a token.
TOKENS = np.array([1, 3, 3, 2, 2, 1, 3, 1, 3])
N_TOKENS = np.array([3, 0, 5, 1, 0])
ANSWERS = Answers.of(TOKENS, np.append(0, np.cumsum(N_TOKENS)))


def make(cell="gru", nhidden=(5,), is_both=True, n_frames=2):
    return Architecture(
        nhidden=nhidden, bidirectional=is_both, n_frames=n_frames, **CELLS[cell]
    )


ARCHITECTURES = {
    "gru": make(),
    "gru-one-frame": make(n_frames=1),
    "gru-one-direction": make(is_both=False),
    "lstm-two-layers-three-frames": make("lstm", (4, 3), n_frames=3),
    "tanh": make("tanh"),
}
of_each = pytest.mark.parametrize("name", ARCHITECTURES)
of_each_kind = pytest.mark.parametrize("is_token", [True, False])


class TorchEmitter(nn.Module):
    """torch.nn's layers, one sequence after the other."""

    def __init__(self, weights):
        super().__init__()
        self.encoder = TorchNetwork(weights)

    def forward(self, x, masks=()):
        """The scores of all frames."""
        if not x.is_floating_point():
            x = nn.functional.one_hot(x.long(), N_INPUTS)
            x = x.to(self.encoder.output.weight.dtype)
        for k, layer in enumerate(self.encoder.layers):
            x = x * masks[k - 1] if k and masks else x
            x, _ = layer(x)
        x = x * masks[-1] if masks else x
        return self.encoder.output(x).reshape(-1, N_OUTPUTS)

    def loss(self, values, masks=()):
        total = 0
        for i in range(len(LENGTHS)):
            of = values[OFFSETS[i] : OFFSETS[i + 1]], [mask[i] for mask in masks]
            log_p = torch.log_softmax(self(*of), 1)
            share = SMOOTHING * (N_TOKENS[i] + 1) / len(log_p)
            total -= WEIGHT[i] * share * log_p.mean(1).sum()
            total += WEIGHT[i] * (1 - SMOOTHING) * self.loss_of(log_p, i)
        return total

    @staticmethod
    def loss_of(log_p, i):
        tokens, ends = ANSWERS.without_ends()
        y = torch.from_numpy(tokens[ends[i] : ends[i + 1]])
        of = torch.tensor([len(log_p)]), torch.tensor([len(y)])
        return nn.functional.ctc_loss(log_p[:, None], y, *of, reduction="sum")


@of_each_kind
@of_each
def test_loss_and_gradient_equal_autograd(name, is_token):
    weights, values = random_weights(ARCHITECTURES[name]), random_inputs(is_token)
    for masks in ((), masks_for(weights)):
        total, gradient = loss_and_gradient(weights, values, ANSWERS, masks)
        model = TorchEmitter(weights)
        loss = model.loss(values, masks)
        loss.backward()
        np.testing.assert_allclose(total, loss.item(), rtol=1e-12)
        theirs = {"V_": [model.encoder.output.weight]}
        theirs["intercept_"] = [model.encoder.output.bias]
        for key, name_of in (("W_", "weight_hh_l0"), ("U_", "weight_ih_l0")):
            theirs[key] = [
                getattr(layer, name_of + suffix)
                for layer in model.encoder.layers
                for suffix in ("", "_reverse")[: 1 + layer.bidirectional]
            ]
        public = to_public(gradient)
        for key, each in theirs.items():
            found = public[key] if isinstance(public[key], list) else [public[key]]
            for a, b in zip(found, each, strict=True):
                np.testing.assert_allclose(a, b.grad, rtol=1e-9, atol=1e-11)


@of_each
def test_gradient_matches_finite_differences(name):
    check_slopes(ARCHITECTURES[name], ANSWERS)


@of_each
def test_float32_is_close_to_float64(name):
    check_float32(ARCHITECTURES[name], ANSWERS)


def test_a_gradient_is_the_sum_of_those_of_its_sequences():
    check_sum(ARCHITECTURES["gru"], ANSWERS)


@of_each
def test_public_weights_are_read_back(name):
    check_public(ARCHITECTURES[name])


def test_answers_are_put_back_in_order():
    order = np.array([2, 0, 4, 1, 3])
    answers = ANSWERS.pack(order).in_order()
    np.testing.assert_array_equal(answers.tokens, ANSWERS[order].tokens)
    np.testing.assert_array_equal(answers.offsets, ANSWERS[order].offsets)
    tokens, ends = ANSWERS.without_ends()
    np.testing.assert_array_equal(tokens, TOKENS)
    np.testing.assert_array_equal(np.diff(ends), N_TOKENS)


# Without gradients


def frames_of(weights, values, chosen):
    """The frames of some sequences."""
    chosen = np.asarray(chosen)
    memory = transduce.read(weights, as_read(values), OFFSETS, chosen)
    return emission.Frames.of(weights, memory)


@of_each
def test_log_probabilities_of_answers_equal_torch(name):
    weights, values = random_weights(ARCHITECTURES[name]), random_inputs(False)
    order = np.array([3, 0, 4, 1, 2])
    log_p = frames_of(weights, values, order).log_p(ANSWERS[order])
    model = TorchEmitter(weights)
    for k, i in enumerate(order):
        scores = model(values[OFFSETS[i] : OFFSETS[i + 1]])
        expected = -model.loss_of(torch.log_softmax(scores, 1), i).item()
        assert log_p[k] == pytest.approx(expected, rel=1e-10)


@of_each
def test_what_is_emitted_does_not_depend_on_others_to_the_bit(name):
    weights = random_weights(ARCHITECTURES[name], torch.float32)
    values = random_inputs(False, torch.float32)
    order = np.array([3, 0, 4, 1, 2])
    frames = frames_of(weights, values, order)
    found, log_p = frames.search(9, 4, 3), frames.log_p(ANSWERS[order])
    for k, i in enumerate(order):
        alone = frames_of(weights, values, [i])
        assert alone.log_p(ANSWERS[np.array([i])]) == [log_p[k]]
        its = alone.search(9, 4, 3)
        n = its.tokens.shape[2]
        np.testing.assert_array_equal(its.tokens[0], found.tokens[k][:, :n])
        np.testing.assert_array_equal(its.lengths[0], found.lengths[k])
        np.testing.assert_array_equal(its.log_p[0], found.log_p[k])
    assert found.log_p.shape == (len(LENGTHS), 3)
    assert N_OUTPUTS == 1 + max(TOKENS)


def test_probabilities_of_frames_are_averaged():
    weights = [random_weights(ARCHITECTURES["gru"], seed=seed) for seed in (0, 1, 2)]
    values, order = random_inputs(False), np.array([3, 0, 4, 1, 2])
    each = [frames_of(of, values, order) for of in weights]
    log_p = emission.Frames.together(each).log_p(ANSWERS[order])
    for k, i in enumerate(order):
        some = values[OFFSETS[i] : OFFSETS[i + 1]]
        p = [torch.softmax(TorchEmitter(of)(some), 1) for of in weights]
        mean = torch.stack(p).mean(0).log()
        expected = -TorchEmitter(weights[0]).loss_of(mean, i).item()
        assert log_p[k] == pytest.approx(expected, rel=1e-10)
    assert emission.Frames.together(each[:1]) is each[0]
