"""Networks with a decoder, beside torch.nn, autograd and central differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from answering import (
    SMOOTHING,
    WEIGHT,
    batch_of,
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
    random_inputs,
    random_weights,
)
from torch import nn
from torch_network import TorchNetwork, torch_layer

from skrnn._core import network, windows
from skrnn._core.answers import Answers
from skrnn._core.architecture import Architecture
from skrnn._core.public import OF_DECODER, to_public
from skrnn._core.vocabulary import END

# One of the answers is empty: its end alone.
N_TOKENS = np.array([3, 5, 0, 1, 5])
TOKENS = np.random.default_rng(0).integers(1, N_OUTPUTS, N_TOKENS.sum())
ANSWERS = Answers.of(TOKENS, np.append(0, np.cumsum(N_TOKENS)))


def make(cell="gru", nhidden=(5,), is_both=True, decoder=(6,), attention="dot"):
    return Architecture(
        nhidden=nhidden,
        bidirectional=is_both,
        decoder=decoder,
        attention=attention,
        **CELLS[cell],
    )


ARCHITECTURES = {
    "gru": make(),
    "lstm": make("lstm"),
    "tanh": make("tanh"),
    "relu": make("relu"),
    "gru-additive": make(attention="additive"),
    "lstm-additive-two-layers": make("lstm", decoder=(4, 6), attention="additive"),
    "gru-without": make(attention=None),
    "gru-one-direction": make(is_both=False),
    "gru-two-layers": make(decoder=(4, 6)),
    "lstm-three-layers": make("lstm", (4, 3), decoder=(4, 3, 5)),
    "gru-two-layers-without": make(decoder=(4, 3), attention=None, is_both=False),
}
of_each = pytest.mark.parametrize("name", ARCHITECTURES)
of_each_kind = pytest.mark.parametrize("is_token", [True, False])


class TorchTransducer(nn.Module):
    """torch.nn's layers and attention, one sequence after the other."""

    def __init__(self, weights):
        super().__init__()
        self.architecture = weights.architecture
        self.encoder = TorchNetwork(weights)
        public = to_public(weights)
        self.layers, n_inputs = nn.ModuleList(), N_OUTPUTS
        for W, U, b in zip(*(public[name] for name in OF_DECODER), strict=True):
            of = self.architecture, n_inputs, [(W, U, b)], weights.flat.dtype
            self.layers.append(torch_layer(*of))
            n_inputs = W.shape[1]
            if len(self.layers) == 1:
                n_inputs += self.architecture.n_context
        names = ("bridge", "bridge_bias", "query", "key", "energy")
        self.bridge = nn.ParameterDict(
            {k: torch.from_numpy(public[f"{k}_"]) for k in names if f"{k}_" in public}
        )

    def encode(self, x, masks):
        for k, layer in enumerate(self.encoder.layers):
            x = x * masks[k - 1] if k and masks else x
            x, _ = layer(x)
        return x * masks[len(self.encoder.layers) - 1] if masks else x

    def forward(self, x, before, masks=()):
        """The scores after each token of `before`, and the weights of attention."""
        H = self.encode(x, masks)
        masks = masks[len(self.encoder.layers) :]
        n = self.architecture.nhidden[-1]
        e = torch.cat([H[-1, :n], H[0, n:]])
        h_0 = torch.tanh(self.bridge["bridge"] @ e + self.bridge["bridge_bias"])
        start = h_0[None]
        if self.architecture.cell == "lstm":
            start = start, torch.zeros_like(start)
        y = nn.functional.one_hot(before, N_OUTPUTS).to(x.dtype)
        h, _ = self.layers[0](y, start)
        context, A = h[:, :0], None
        if self.architecture.attention:
            Q = h @ self.bridge["query"].T
            scores = Q @ H.T / H.shape[1] ** 0.5
            if self.architecture.attention == "additive":
                sums = Q[:, None] + H @ self.bridge["key"].T
                scores = torch.tanh(sums) @ self.bridge["energy"]
            A = torch.softmax(scores, dim=1)
            context = A @ H
        for k, layer in enumerate(self.layers[1:]):
            h = torch.cat([h, context], dim=1) if k == 0 else h
            h, _ = layer(h * masks[k] if masks else h)
        both = torch.cat([h, context], dim=1)
        return self.encoder.output(both * masks[-1] if masks else both), A

    def loss(self, values, masks=()):
        total = 0
        for i in range(len(LENGTHS)):
            x = values[OFFSETS[i] : OFFSETS[i + 1]]
            if not x.is_floating_point():
                x = nn.functional.one_hot(x.long(), N_INPUTS)
                x = x.to(self.encoder.output.weight.dtype)
            y = torch.from_numpy(ANSWERS[np.array([i])].tokens)
            before = torch.cat([torch.tensor([END]), y[:-1]])
            scores, _ = self(x, before, [mask[i] for mask in masks])
            of = {"label_smoothing": SMOOTHING, "reduction": "sum"}
            total += WEIGHT[i] * nn.functional.cross_entropy(scores, y, **of)
        return total


def theirs(weights, values, masks=()):
    """The loss, and the gradients by public name."""
    model = TorchTransducer(weights)
    loss = model.loss(values, masks)
    loss.backward()
    gradients = {"V_": model.encoder.output.weight.grad}
    gradients["intercept_"] = model.encoder.output.bias.grad
    for name, part in model.bridge.items():
        gradients[f"{name}_"] = part.grad
    prefixes = ("", model.encoder.layers), ("decoder_", model.layers)
    for prefix, layers in prefixes:
        for name, key in (("W_", "hh"), ("U_", "ih")):
            gradients[prefix + name] = [
                getattr(layer, f"weight_{key}_l0{suffix}").grad
                for layer in layers
                for suffix in ("", "_reverse")[: 1 + layer.bidirectional]
            ]
    return loss.item(), gradients


@of_each_kind
@of_each
def test_loss_and_gradient_equal_autograd(name, is_token):
    weights = random_weights(ARCHITECTURES[name])
    values = random_inputs(is_token)
    for masks in ((), masks_for(weights)):
        total, gradient = loss_and_gradient(weights, values, ANSWERS, masks)
        expected, gradients = theirs(weights, values, masks)
        np.testing.assert_allclose(total, expected, rtol=1e-12)
        public = to_public(gradient)
        for key, each in gradients.items():
            found = public[key] if isinstance(each, list) else [public[key]]
            each = each if isinstance(each, list) else [each]
            for a, b in zip(found, each, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11, err_msg=key)


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


def test_biases_come_first():
    weights = random_weights(ARCHITECTURES["lstm-three-layers"])
    biases = [layer.b for layer in (*weights.all_layers(), *weights.of_decoder)]
    biases += [weights.c, weights.others["bridge_bias"]]
    assert weights.n_biases == sum(map(len, biases))
    assert all(part.storage_offset() < weights.n_biases for part in biases)


def test_answers_end_once():
    np.testing.assert_equal(ANSWERS.lengths, N_TOKENS + 1)
    assert (ANSWERS.tokens[ANSWERS.offsets[1:] - 1] == END).all()
    assert (ANSWERS.tokens == END).sum() == len(ANSWERS)
    some = ANSWERS[np.array([4, 2])]
    np.testing.assert_equal(some.tokens, [*TOKENS[-5:], END, END])


def test_answers_are_packed_with_what_comes_before():
    answer = ANSWERS.pack(np.arange(len(ANSWERS)))
    assert (answer.before[: len(ANSWERS)] == END).all()
    rows = answer.packing.by_sequence
    tokens, before = answer.target[rows], answer.before[rows]
    ordered = ANSWERS[answer.packing.indices]
    np.testing.assert_equal(tokens, ordered.tokens)
    is_first = np.isin(np.arange(len(rows)), ordered.offsets)
    np.testing.assert_equal(before[~is_first], np.roll(tokens, 1)[~is_first])


@pytest.mark.parametrize("name", ["gru", "lstm-three-layers"])
def test_free_tokens_are_those_that_are_likeliest(name):
    weights, values = random_weights(ARCHITECTURES[name]), random_inputs(True)
    masks = masks_for(weights)
    batch = batch_of(weights, values, ANSWERS, masks)
    answer = batch.target
    is_free = np.random.default_rng(1).random(len(answer.target)) < 0.7
    rows = answer.packing.by_sequence  # of each sequence, one after the other
    before = answer.before.copy()
    model = TorchTransducer(weights)
    at = 0
    for rank, n in zip(answer.packing.indices, answer.packing.lengths, strict=True):
        i, its = batch.packing.indices[rank], rows[at : at + n]
        x = nn.functional.one_hot(values[OFFSETS[i] : OFFSETS[i + 1]].long(), N_INPUTS)
        given = torch.from_numpy(answer.before[its]).long()
        scores, _ = model(x.double(), given, [mask[i] for mask in masks])
        own = scores.argmax(1).numpy()[:-1]
        replaced = is_free[its][1:] & (own != END)
        before[its[1:][replaced]] = own[replaced]
        at += n
    assert (before != answer.before).any()
    totals = []
    for target in (replace(answer, is_free=is_free), replace(answer, before=before)):
        workspace = network.Workspace(weights)
        given = replace(batch, target=target)
        of = "smoothed_cross_entropy", workspace
        total = windows.loss_and_gradient(weights, given, *of)
        totals.append((total, workspace.gradient.flat))
    assert totals[0][0] == totals[1][0]
    assert torch.equal(totals[0][1], totals[1][1])
