"""What no part of the kernels knows is refused, not taken for something else."""

import re

import numpy as np
import pytest
import torch
from networks import N_INPUTS, N_OUTPUTS, batch_of, random_inputs, random_weights

from skrnn._core import losses, network, output, pooling
from skrnn._core.architecture import Architecture
from skrnn._core.cells import make_cell
from skrnn._core.layout import Layout
from skrnn._core.memory import Scratch
from skrnn._core.weights import zeros

N_SEQUENCES, NHIDDEN = 3, 2

NO_CELLS = [
    ("elman", "tanh", "learned"),
    ("", "tanh", "learned"),
    ("LSTM", "tanh", "learned"),
    ("tanh", "tanh", "learned"),
    ("rnn", "sigmoid", "learned"),
    ("rnn", "tanh", "random"),
    ("gru", "softmax", "learned"),
    ("__init__", "tanh", "learned"),  # modules that are no cells
    ("..products", "tanh", "learned"),
]


@pytest.mark.parametrize("name, activation, recurrence", NO_CELLS)
def test_an_unknown_cell(name, activation, recurrence):
    sentence = (
        f"There is no cell {name!r} with activation {activation!r} and recurrence "
        f"{recurrence!r}."
    )
    with pytest.raises(ValueError) as caught:
        make_cell(name, activation, recurrence)
    assert str(caught.value) == sentence
    with pytest.raises(ValueError, match=re.escape(sentence)):
        zeros(Layout(Architecture((2,), name, activation, recurrence), 3, 4))


SCORES, TARGET = np.ones((N_SEQUENCES, 2)), np.zeros((N_SEQUENCES, 2))
NO_LOSSES = ["", "hinge", "Cross_entropy", "squared", "__init__", "..products"]
no_loss = pytest.raises(ValueError, match="There is no loss '")


@pytest.mark.parametrize("name", NO_LOSSES)
@pytest.mark.parametrize("target", [TARGET, TARGET[:, 0].astype(int)])
def test_an_unknown_loss(name, target):
    with no_loss:
        losses.loss_and_gradient(name, SCORES, target, np.ones(N_SEQUENCES))


@pytest.mark.parametrize("name", NO_LOSSES)
@pytest.mark.parametrize("max_scores", [1, 100])
def test_an_unknown_loss_of_the_output_layer(name, max_scores, monkeypatch):
    monkeypatch.setattr(output, "MAX_SCORES", max_scores)
    V, c = np.ones((2, NHIDDEN)), np.ones(2)
    gradient = np.zeros_like(V), np.zeros_like(c)
    h, target = np.ones((N_SEQUENCES, NHIDDEN)), np.zeros(N_SEQUENCES, int)
    of = (V, c), gradient, h, target, np.ones(N_SEQUENCES)
    with no_loss:
        output.loss_and_gradient(name, *of, Scratch(np.float64))
    assert not gradient[0].any() and not gradient[1].any()


@pytest.mark.parametrize("name", NO_LOSSES)
@pytest.mark.parametrize("of_steps", [False, True])
def test_an_unknown_loss_of_a_network(name, of_steps):
    pooling_name = "none" if of_steps else "last"
    weights = random_weights(Architecture((2,), pooling=pooling_name))
    values = random_inputs(True)
    n_targets = len(values) if of_steps else 5
    target = torch.zeros(n_targets, dtype=torch.int64)
    batch = batch_of(weights, values, target, torch.ones(n_targets).double())
    with no_loss:
        network.loss_and_gradient(weights, batch, name, network.Workspace(weights))


NO_POOLINGS = ["", "Last", "mean ", "largest", "attention", "__init__"]
no_pooling = pytest.mark.parametrize("name", NO_POOLINGS)


@no_pooling
def test_an_unknown_pooling(name):
    H, sizes = np.ones((3, NHIDDEN)), np.array([2, 1])
    h, lengths = np.ones((2, NHIDDEN)), np.array([2, 1])
    for function, arguments in [
        (pooling.page_of, ()),
        (pooling.width, (NHIDDEN,)),
        (pooling.weights_of, (NHIDDEN,)),
        (pooling.nothing, (2, NHIDDEN, np.float64)),
        (pooling.gather, (H, sizes, h)),
        (pooling.finish, (h, lengths, NHIDDEN)),
        (pooling.spread, (h, H, sizes, h, lengths, Scratch(np.float64))),
    ]:
        with pytest.raises(ValueError) as caught:
            function(name, *arguments)
        assert str(caught.value) == f"There is no pooling {name!r}."
    assert (h == 1).all() and (H == 1).all()


@no_pooling
def test_a_network_of_an_unknown_pooling(name):
    sentence = f"^There is no pooling {name!r}.$"
    with pytest.raises(ValueError, match=sentence):
        zeros(Layout(Architecture((2,), pooling=name), N_INPUTS, N_OUTPUTS))
