"""Layers by Triton, in its interpreter: what tests/test_triton.py runs.

    TRITON_INTERPRET=1 pytest tests/interpreted.py

The interpreter runs the programs on the CPU, one after the other, block by block, in
NumPy. It is slow; so each case here is small.
"""

import subprocess
import sys

import networks
import numpy as np
import pytest
import torch
from networks import LABELS, N_INPUTS, batch_of, random_inputs, random_weights
from test_autograd import WEIGHT, assert_same
from test_device import assert_same_fit

from skrnn import RNNClassifier
from skrnn._core import execution
from skrnn._core.architecture import Architecture
from skrnn._core.autograd import fused
from skrnn._core.autograd.recurrence import Loop, TorchLayer, layer_for
from skrnn._core.autograd.rows import Rows
from skrnn._core.execution import Execution
from skrnn._core.kernels import KERNELS
from skrnn._core.packing import pack
from skrnn._core.weights import Layer
from skrnn.experimental import enable_triton  # noqa: F401

CELLS = {
    name: options
    for name, options in networks.CELLS.items()
    if "recurrence" not in options
}
# nhidden, number of sequences, number of steps of the longest. A block is 16 of both.
SIZES = [(1, 16, 3), (5, 17, 9), (16, 1, 4), (33, 40, 2)]


def random_layer(architecture, dtype):
    """Weights, start and inputs; and a function that runs a layer on them."""
    cell, (nhidden,) = architecture.make_cell(), architecture.nhidden
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        scale = shape[-1] ** -0.5
        numbers = scale * torch.randn(shape, generator=generator, dtype=dtype)
        return numbers.requires_grad_()

    def make(n, n_rows):
        weights, start = [], []
        for _ in range(architecture.n_directions):
            U = draw(N_INPUTS, cell.n_input_blocks * nhidden)
            W = draw(cell.n_state_blocks * nhidden, nhidden)
            weights += [U, W, draw(cell.n_blocks * nhidden)]
            start += [draw(n, nhidden) for _ in range(cell.n_states)]
        return weights, start, draw(n_rows, N_INPUTS)

    def run(layer, weights, start, x, rows):
        n, of = cell.n_states, range(architecture.n_directions)
        layers = [Layer(*weights[3 * i : 3 * i + 3]) for i in of]
        states = [start[n * i : n * i + n] for i in of] if start else None
        H, end = layer(layers, x, rows, states)
        return [H, *(part for states in end for part in states)]

    return make, run


def packed(n, n_steps):
    """Sequences of 1 to `n_steps` steps."""
    lengths = np.arange(n) % n_steps + 1
    lengths[-1] = n_steps
    (packing,) = pack(np.cumsum(lengths) - lengths, lengths)
    return Rows(packing, torch.zeros(1))


def torch_layer(architecture):
    """The layer of torch of the same architecture, or our loop."""
    weights = random_weights(architecture)
    return layer_for(architecture, weights.layers[0], N_INPUTS)


@pytest.mark.parametrize("nhidden, n, n_steps", SIZES)
@pytest.mark.parametrize("name", CELLS)
def test_states_and_gradients_are_those_of_torch(name, nhidden, n, n_steps):
    is_both = name != "relu"
    architecture = Architecture((nhidden,), bidirectional=is_both, **CELLS[name])
    make, run = random_layer(architecture, torch.float64)
    rows = packed(n, n_steps)
    weights, start, x = make(rows.n, rows.n_rows)
    theirs = torch_layer(architecture)
    assert isinstance(theirs, Loop if name == "identity" else TorchLayer)
    results = []
    for layer in (fused.FusedLayer(architecture), theirs):
        outputs = run(layer, weights, start, x, rows)
        of = torch.Generator().manual_seed(1)
        dH = [torch.randn(out.shape, generator=of).double() for out in outputs]
        gradients = torch.autograd.grad(outputs, [*weights, *start, x], dH)
        results.append([*outputs, *gradients])
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_equal_central_differences(name):
    architecture = Architecture((3,), bidirectional=True, **CELLS[name])
    make, run = random_layer(architecture, torch.float64)
    rows = packed(3, 2)
    weights, start, x = make(rows.n, rows.n_rows)
    layer, n = fused.FusedLayer(architecture), len(weights)

    def outputs(x, *parts):
        return tuple(run(layer, parts[:n], parts[n:], x, rows))

    inputs = x, *weights, *start
    assert torch.autograd.gradcheck(outputs, inputs, fast_mode=True)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("is_token", [True, False])
def test_losses_and_gradients_are_those_of_the_kernels(name, is_token):
    """Through two layers, of which the first reads tokens as ``U x``."""
    architecture = Architecture((4, 6), bidirectional=True, **CELLS[name])
    results = []
    for kernels in ("numba", "triton"):
        weights = random_weights(architecture, torch.float64)
        values = random_inputs(is_token, torch.float64)
        batch = batch_of(weights, values, LABELS, WEIGHT.double())
        workspace = KERNELS[kernels].make_workspace(weights, None)
        of = weights, batch, "cross_entropy", workspace, None
        total = float(KERNELS[kernels].loss_and_gradient(*of))
        results.append((total, workspace.gradient.flat))
    assert_same(results)


def test_a_fit_is_that_of_the_kernels(monkeypatch):
    X, y = ["ab", "ba", "abc", "", "cab", "b"] * 2, [0, 1, 0, 0, 1, 1] * 2
    classifier = RNNClassifier(4, cell="gru", max_iter=2, batch_size=12, random_state=0)
    ours = classifier.fit(X, y)
    made = []

    def on(self, name):
        made.append(execution.kernels_of_gpus)
        return Execution(name, kernels=execution.kernels_of_gpus)

    monkeypatch.setattr(Execution, "on", on)
    theirs = RNNClassifier(**ours.get_params()).fit(X, y)
    assert made and set(made) == {"triton"}
    assert_same_fit(ours, theirs)


def test_nan_stays_nan():
    """An activation that hid it would hide that a fit has diverged."""
    for name in CELLS:
        architecture = Architecture((2,), **CELLS[name])
        make, run = random_layer(architecture, torch.float32)
        rows = packed(2, 2)
        weights, start, x = make(rows.n, rows.n_rows)
        x = x.detach().index_fill(0, rows.sequences.eq(0).nonzero()[:, 0], torch.nan)
        H, *_ = run(fused.FusedLayer(architecture), weights, start, x, rows)
        np.testing.assert_array_equal(H.isnan()[:, 0], rows.sequences == 0)


@pytest.mark.parametrize(
    "setting", ["matmul.allow_tf32 = True", "matmul.fp32_precision = 'tf32'"]
)
def test_products_are_as_exact_as_those_of_torch(setting):
    """In a process each, since torch refuses to be asked in both ways."""
    show = "from skrnn._core.autograd.fused import _precision; print(_precision())"
    code = f"import torch; torch.backends.cuda.{setting}; {show}"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (done.stdout, fused._precision()) == ("tf32\n", "ieee")


@pytest.mark.parametrize(
    "nhidden, options, kind",
    [
        (fused.MAX_NHIDDEN, {"cell": "lstm"}, fused.FusedLayer),
        (fused.MAX_NHIDDEN + 1, {"cell": "lstm"}, TorchLayer),
        (8, {"cell": "rnn", "recurrence": "identity"}, Loop),
    ],
)
def test_other_layers_are_computed_as_before(nhidden, options, kind):
    architecture = Architecture((nhidden,), **options)
    weights = random_weights(architecture).layers[0]
    assert isinstance(fused.layer_for(architecture, weights, N_INPUTS), kind)
