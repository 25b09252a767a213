"""The kernels: forward against torch.nn, gradients against autograd and differences."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

from skrnn._core import network, recurrence
from skrnn._core.packing import pack

LENGTHS = [4, 1, 7, 4, 2]
N_INPUTS, NHIDDEN, N_OUTPUTS = 3, 5, 4


def random_network(seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    weights = network.zeros(N_INPUTS, NHIDDEN, N_OUTPUTS, dtype)
    weights.flat.normal_(0.0, 0.5, generator=generator)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    (packing,) = pack(offsets, np.arange(len(LENGTHS)))
    ids = torch.randint(N_INPUTS, (offsets[-1],), generator=generator)
    numbers = torch.randn((offsets[-1], N_INPUTS), generator=generator, dtype=dtype)
    return weights, packing, ids, numbers


class Recurrence(torch.autograd.Function):
    """The hand-written pair as autograd sees it, for gradcheck."""

    @staticmethod
    def forward(ctx, A, W, batch_sizes, previous, activation):
        H = recurrence.forward(A.clone(), batch_sizes, W.T, activation)
        ctx.save_for_backward(H, W, previous)
        ctx.batch_sizes, ctx.activation = batch_sizes, activation
        return H

    @staticmethod
    def backward(ctx, dH):
        H, W, previous = ctx.saved_tensors
        dA = recurrence.backward(
            dH.clone(), H.clone(), ctx.batch_sizes, W, ctx.activation
        )
        dW = dA[ctx.batch_sizes[0] :].T @ H[previous]
        return dA, dW, None, None, None


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_recurrence_passes_gradcheck(activation):
    weights, packing, _, numbers = random_network()
    A = (numbers @ weights.U).requires_grad_()
    W = weights.W.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda A, W: Recurrence.apply(
            A, W, packing.batch_sizes, packing.previous, activation
        ),
        (A, W),
    )


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("is_token", [True, False])
@pytest.mark.parametrize("dtype, rtol", [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_forward_and_gradient_equal_torch_nn(activation, is_token, dtype, rtol):
    weights, packing, ids, numbers = random_network(dtype=dtype)
    labels = torch.tensor([0, 3, 1, 1, 2])
    sample_weight = torch.tensor([1.0, 0.5, 2.0, 1.0, 3.0], dtype=dtype)

    rnn = torch.nn.RNN(N_INPUTS, NHIDDEN, nonlinearity=activation).to(dtype)
    linear = torch.nn.Linear(NHIDDEN, N_OUTPUTS).to(dtype)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(weights.U.T)
        rnn.weight_hh_l0.copy_(weights.W)
        rnn.bias_ih_l0.copy_(weights.b)
        rnn.bias_hh_l0.zero_()
        linear.weight.copy_(weights.V)
        linear.bias.copy_(weights.c)
    x = torch.eye(N_INPUTS, dtype=dtype)[ids] if is_token else numbers
    h = rnn(pack_sequence(x.split(LENGTHS), enforce_sorted=False))[1][0]
    losses = torch.nn.functional.cross_entropy(linear(h), labels, reduction="none")
    their_loss = losses @ sample_weight
    their_loss.backward()

    gradient = network.zeros_like(weights)
    gradient.flat.fill_(torch.nan)  # every entry must be written
    our_loss = network.loss_and_gradient(
        weights,
        gradient,
        network.Scratch(NHIDDEN, dtype),
        (ids if is_token else numbers)[packing.rows],
        packing,
        activation,
        network.cross_entropy,
        labels[packing.indices],
        sample_weight[packing.indices],
    )
    torch.testing.assert_close(our_loss, their_loss.detach(), rtol=rtol, atol=0)
    for ours, theirs in [
        (gradient.U, rnn.weight_ih_l0.grad.T),
        (gradient.W, rnn.weight_hh_l0.grad),
        (gradient.b, rnn.bias_ih_l0.grad),
        (gradient.V, linear.weight.grad),
        (gradient.c, linear.bias.grad),
    ]:
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=rtol * 0.01)


@pytest.mark.parametrize("loss", [network.cross_entropy, network.squared_error])
def test_gradient_equals_central_differences(loss):
    weights, packing, ids, _ = random_network()
    generator = torch.Generator().manual_seed(1)
    if loss is network.cross_entropy:
        target = torch.tensor([0, 3, 1, 1, 2])
    else:
        target = torch.randn(5, N_OUTPUTS, generator=generator, dtype=torch.float64)
    sample_weight = torch.rand(5, generator=generator, dtype=torch.float64)
    gradient = network.zeros_like(weights)
    buffers = network.Scratch(NHIDDEN, torch.float64)

    def total(out):
        x = ids[packing.rows]
        return network.loss_and_gradient(
            weights, out, buffers, x, packing, "tanh", loss, target, sample_weight
        ).item()

    total(gradient)
    scratch = network.zeros_like(weights)
    step = 1e-6
    for i in range(len(weights.flat)):
        weights.flat[i] += step
        above = total(scratch)
        weights.flat[i] -= 2 * step
        below = total(scratch)
        weights.flat[i] += step
        theirs = (above - below) / (2 * step)
        assert gradient.flat[i].item() == pytest.approx(theirs, rel=1e-5, abs=1e-8)


def test_memory_used_again_does_not_leak_into_the_next_gradient():
    weights, packing, ids, _ = random_network()
    used, fresh = (network.zeros_like(weights) for _ in range(2))
    buffers = network.Scratch(NHIDDEN, torch.float64)
    for part in buffers.rows(50):
        part.fill_(torch.nan)
    arguments = [ids[packing.rows], packing, "tanh", network.cross_entropy]
    arguments += [torch.zeros(5, dtype=torch.int64), torch.ones(5, dtype=torch.float64)]
    network.loss_and_gradient(weights, used, buffers, *arguments)
    new = network.Scratch(NHIDDEN, torch.float64)
    network.loss_and_gradient(weights, fresh, new, *arguments)
    assert torch.equal(used.flat, fresh.flat)


def test_cross_entropy_of_extreme_scores_is_finite():
    scores = torch.tensor([[1e4, -1e4], [-1e4, 1e4]])
    loss, dscores = network.cross_entropy(scores, torch.tensor([1, 1]), torch.ones(2))
    assert loss.item() == 2e4
    assert torch.equal(dscores, torch.tensor([[1.0, -1.0], [0.0, 0.0]]))


def test_initial_recurrent_matrix_is_orthogonal():
    weights = network.zeros(9, 16, 2)
    network.initialise(weights, True, torch.Generator().manual_seed(0))
    torch.testing.assert_close(weights.W @ weights.W.T, torch.eye(16))
    assert 0.7 < weights.U.std() < 1.3
    assert not weights.b.any() and not weights.c.any()
