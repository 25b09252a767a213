"""What no part of the kernels knows is refused, not taken for something else."""

import pytest
import torch

from skrnn._core import cells, gradient, losses, pooling, recurrence
from skrnn._core.cells import make_cell
from skrnn._core.compiled import compiled

N_SEQUENCES, NHIDDEN = 3, 2

# As Python, and as TorchScript, which raises an error of its own.
as_either = pytest.mark.parametrize(
    "either", [lambda function: function, compiled], ids=["python", "compiled"]
)
UNKNOWN = ["", "rnn", "Tanh", "GRU", "softmax"]


def rows(n_columns=NHIDDEN):
    return torch.ones(N_SEQUENCES, n_columns)


def refused(match):
    return pytest.raises((ValueError, torch.jit.Error), match=match)


@pytest.mark.parametrize(
    "name, activation, recurrence",
    [
        ("elman", "tanh", "learned"),
        ("", "tanh", "learned"),
        ("LSTM", "tanh", "learned"),
        ("tanh", "tanh", "learned"),
        ("rnn", "sigmoid", "learned"),
        ("rnn", "tanh", "random"),
    ],
)
def test_an_unknown_cell(name, activation, recurrence):
    sentence = (
        f"There is no cell {name!r} with activation {activation!r} and recurrence "
        f"{recurrence!r}."
    )
    with pytest.raises(ValueError) as caught:
        make_cell(name, activation, recurrence)
    assert str(caught.value) == sentence


@as_either
@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("n_kept", [0, 1, 3])
@pytest.mark.parametrize("n_previous", [0, 1, 2])
def test_a_step_of_an_unknown_cell(kind, n_kept, n_previous, either):
    kept = [rows() for _ in range(n_kept)]
    previous = [rows() for _ in range(n_previous)]
    G = rows(4 * NHIDDEN)
    with refused("There is no cell of this kind"):
        either(cells.step)(kind, G, kept, previous, torch.ones(NHIDDEN, 4 * NHIDDEN))
    assert torch.equal(G, rows(4 * NHIDDEN))


@as_either
@pytest.mark.parametrize("kind", UNKNOWN)
def test_derivatives_of_an_unknown_cell(kind, either):
    G, kept = rows(4 * NHIDDEN), [rows() for _ in range(3)]
    with refused("There is no cell of this kind"):
        either(cells.start_backward)(kind, G, kept, [rows(), rows()], [rows(), rows()])
    assert torch.equal(G, rows(4 * NHIDDEN))


@as_either
@pytest.mark.parametrize("kind", [*UNKNOWN, "tanh", "relu", "identity"])
@pytest.mark.parametrize("is_first", [False, True])
def test_a_step_backward_of_a_cell_without_gates(kind, is_first, either):
    G, W = rows(4 * NHIDDEN), torch.ones(4 * NHIDDEN, NHIDDEN)
    needed, gradients = [rows(), rows()], [rows(), rows()]
    with refused("There is no cell with gates of this kind"):
        either(cells.step_backward)(kind, G, needed, gradients, W, is_first)
    assert torch.equal(gradients[0], rows())


@as_either
@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("n_kept", [0, 1, 3])
def test_a_layer_of_an_unknown_cell(kind, n_kept, either):
    """Not even a cell that keeps nothing is one without an activation."""
    n_columns = NHIDDEN if n_kept == 0 else 4 * NHIDDEN
    weights = [
        torch.ones(5, n_columns),
        torch.ones(n_columns, NHIDDEN),
        torch.ones(n_columns),
    ]
    with refused("There is no cell of this kind"):
        either(recurrence.forward)(
            kind,
            1,
            torch.tensor([0, 4, 2]),
            weights,
            torch.empty(NHIDDEN, n_columns),
            rows(n_columns),
            [rows() for _ in range(n_kept)],
            [],
            [2, 1],
        )


SCORES, TARGET = torch.ones(N_SEQUENCES, 2), torch.zeros(N_SEQUENCES, 2)


@as_either
@pytest.mark.parametrize("name", ["", "hinge", "Cross_entropy", "squared"])
@pytest.mark.parametrize("target", [TARGET, TARGET[:, 0].long()])
def test_an_unknown_loss(name, target, either):
    with refused("There is no loss of this name"):
        either(losses.loss_and_gradient)(name, SCORES, target, torch.ones(N_SEQUENCES))


@as_either
@pytest.mark.parametrize("max_scores", [1, 100])
def test_an_unknown_loss_of_the_output_layer(max_scores, either):
    output = [torch.ones(2, NHIDDEN), torch.ones(2)]
    gradients = [torch.zeros(2, NHIDDEN), torch.zeros(2)]
    with refused("There is no loss of this name"):
        either(gradient.output_loss_and_gradient)(
            "hinge",
            output,
            gradients,
            rows(),
            torch.zeros(N_SEQUENCES).long(),
            torch.ones(N_SEQUENCES),
            max_scores,
        )
    assert not any(part.any() for part in gradients)


PACKING = {
    "last": torch.tensor([2, 1]),
    "sequence": torch.tensor([0, 1, 0]),
    "lengths": torch.tensor([2, 1]),
}
NO_POOLINGS = ["", "Last", "mean ", "largest", "attention"]


@as_either
@pytest.mark.parametrize("name", NO_POOLINGS)
def test_an_unknown_pooling(name, either):
    with refused("There is no pooling of this name"):
        either(pooling.pool)(name, rows(), [2, 1], PACKING, [], [])


@as_either
@pytest.mark.parametrize("name", NO_POOLINGS)
@pytest.mark.parametrize("n_kept", [0, 1])
def test_the_way_back_of_an_unknown_pooling(name, n_kept, either):
    kept = [torch.ones(2, NHIDDEN)] * n_kept
    dh, memory = torch.ones(2, NHIDDEN), torch.empty(0)
    with refused("There is no pooling of this name"):
        either(pooling.spread)(
            name, dh, rows(), [2, 1], PACKING, kept, [], [], memory, [0]
        )


@pytest.mark.parametrize("function", [pooling.width, pooling.weights_of])
def test_sizes_of_an_unknown_pooling(function):
    with pytest.raises(KeyError, match="attention"):
        function("attention", NHIDDEN)
