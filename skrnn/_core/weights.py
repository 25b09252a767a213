"""The weights of a network: views of one flat tensor, and their initial values."""

import math
from dataclasses import dataclass, field, replace

import torch

from skrnn._core.execution import CPU
from skrnn._core.layout import Layout


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one layer in one direction, blocks in the order of the cell.

    Attributes
    ----------
    U : Tensor of shape (n_inputs, n_input_blocks * nhidden)
        Input weights, transposed: row ``i`` is the vector of token ``i``.
    W : Tensor of shape (n_state_blocks * nhidden, nhidden)
        Recurrent weights; without rows if the recurrence is the identity.
    b : Tensor of shape (n_blocks * nhidden,)
    """

    U: torch.Tensor
    W: torch.Tensor
    b: torch.Tensor

    def as_arrays(self):
        """Return U, W and b as arrays of the same memory, in a list: one direction."""
        return [(self.U.numpy(), self.W.numpy(), self.b.numpy())]


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a network, or a gradient: views of one flat tensor.

    With one flat tensor, clipping and the update rule take a handful of operations,
    regardless of the number of matrices.

    Attributes
    ----------
    layout : Layout
    flat : Tensor of shape (n_weights,)
        All weights, in the order of the layout.
    layers : list of list of Layer
        By layer, then direction.
    V : Tensor of shape (n_outputs, n_features_out)
    c : Tensor of shape (n_outputs,)
        The output bias, the public ``intercept_``.
    others : dict of name -> Tensor
        The weights of the pooling, of a chain, of a context and of a decoder.
    filters : list of list of (F, f)
        By layer of convolutions, then kernel size: F of shape (kernel_size * n_inputs,
        n_filters), and the biases.
    """

    layout: Layout
    flat: torch.Tensor
    layers: list
    V: torch.Tensor
    c: torch.Tensor
    others: dict = field(default_factory=dict)
    filters: list = field(default_factory=list)

    @property
    def architecture(self):
        """The architecture of the network."""
        return self.layout.architecture

    @property
    def n_biases(self):
        """Number of biases, which are the first entries of `flat`."""
        of_filters = sum(len(f) for _, f in self.all_filters())
        of_layers = sum(len(layer.b) for layer in self.all_layers())
        biases = {**self.layout.of_context[0], **self.layout.of_decoder[0]}
        of_others = sum(map(math.prod, biases.values()))
        return len(self.c) + of_filters + of_layers + of_others

    @property
    def n_shared(self):
        """Number of entries of `flat` before the U of the first layer."""
        return len(self.flat) - sum(layer.U.numel() for layer in self.layers[0])

    @property
    def n_inputs(self):
        """Number of inputs, the length of x."""
        return self.layout.n_inputs if self.filters else len(self.layers[0][0].U)

    @property
    def of_pooling(self):
        """The weights of the pooling, a list of tensors."""
        if not self.others:
            return []
        return [self.others[name] for name, _ in self.layout.of_pooling]

    @property
    def chain(self):
        """The weights of a chain as a tuple of arrays; empty without transitions."""
        return tuple(self.others[name].numpy() for name, _ in self.layout.of_chain)

    @property
    def of_decoder(self):
        """The weights of each layer of the decoder, a list of Layers."""
        return [
            Layer(*(self.others[f"decoder_{name}.{k}"] for name in ("U", "W", "b")))
            for k in range(len(self.architecture.decoder))
        ]

    def resized(self, n_inputs, memory):
        """Return weights with another number of inputs, in the same memory.

        Parameters
        ----------
        n_inputs : int
        memory : Tensor of shape (n,)
            `flat` is its beginning.
        """
        at, first = self.n_shared, []
        for layer in self.layers[0]:
            n_columns = layer.U.shape[1]
            end = at + n_inputs * n_columns
            first.append(replace(layer, U=memory[at:end].view(n_inputs, n_columns)))
            at = end
        return replace(
            self,
            layout=self.layout.with_inputs(n_inputs),
            flat=memory[:at],
            layers=[first, *self.layers[1:]],
        )

    def as_arrays(self):
        """Return U, W and b by layer, then direction, as arrays of the same memory."""
        return [
            [(own.U.numpy(), own.W.numpy(), own.b.numpy()) for own in directions]
            for directions in self.layers
        ]

    def filters_as_arrays(self):
        """Return F and f by layer, then kernel size, as arrays of the same memory."""
        return [[(F.numpy(), f.numpy()) for F, f in layer] for layer in self.filters]

    def all_filters(self):
        """Return F and f of all layers and kernel sizes, in order."""
        return [pair for layer in self.filters for pair in layer]

    def all_layers(self):
        """Return all layers, in the order of the public lists and torch.nn.

        The directions of one layer are adjacent.
        """
        return [layer for directions in self.layers for layer in directions]


def zeros(layout, dtype=torch.float32, execution=CPU):
    """Return weights that are all 0."""
    return view(layout, execution.zeros(layout.n_weights, dtype))


def zeros_like(weights):
    """Return weights of the same shapes and type that are all 0."""
    return view(weights.layout, weights.flat.new_zeros(weights.layout.n_weights))


def view(layout, flat):
    """View a flat tensor as weights."""
    parts = layout.views(flat)
    n_directions = layout.architecture.n_directions
    n_layers = len(layout.architecture.nhidden)
    layers = [
        [
            Layer(*(parts.pop(f"{name}.{i}") for name in ("U", "W", "b")))
            for i in range(k * n_directions, (k + 1) * n_directions)
        ]
        for k in range(n_layers)
    ]
    V, c = parts.pop("V"), parts.pop("c")
    i, filters = 0, []
    for sizes in layout.architecture.kernel_sizes:
        names = range(i, i + len(sizes))
        filters.append([(parts.pop(f"F.{j}"), parts.pop(f"f.{j}")) for j in names])
        i += len(sizes)
    return Weights(layout, flat, layers, V, c, parts, filters)


def initialise(weights, is_token, generator, input_scale=1.0):
    """Fill `weights` with their random initial values.

    - U of the first layer: standard normal for tokens; divided by sqrt(n_inputs) for
      numeric values, so that standardised features also give pre-activations of
      variance 1. Small token vectors, of order 0.1, start tanh in its linear range,
      where the network is nearly a bag of tokens, and end less accurate.
    - U of the layers above: normal with variance 1 / n_inputs.
    - W: a random orthogonal matrix for each block, which preserves the norm of h over
      many steps [1]_.
    - V: normal with variance 1 / n_features_out, so that scores start at order 1.
    - b, c: 0, except for 1 in the forget gate of the LSTM, so that it starts by
      remembering [2]_.
    - The weights of the pooling and of a chain: 0.
    - A and B of a context: normal with variance 1 / n_features, as U for numbers.
    - The weights of a decoder: as those of the layers of tokens or numbers that they
      are, and as V; those of attention, normal with variance 1 / n_inputs.
    - Filters: normal with variance 1 / (kernel_size * n_inputs). Where the network
      begins with them, :func:`skrnn._core.network.calibrate` then scales them.

    Parameters
    ----------
    weights : Weights
        All 0.
    is_token : bool
        Whether the first layer has a vector for each token.
    generator : torch.Generator
    input_scale : float, default=1.0
        The order of magnitude of the inputs, by which U of the first layer is divided.

    References
    ----------
    .. [1] Saxe, McClelland and Ganguli (2014), "Exact solutions to the nonlinear
       dynamics of learning in deep linear neural networks", ICLR.
    .. [2] Jozefowicz, Zaremba and Sutskever (2015), "An Empirical Exploration of
       Recurrent Network Architectures", ICML, section 5.
    """
    cell = weights.architecture.make_cell()
    for F, _ in weights.all_filters():
        F.normal_(0.0, 1.0 / math.sqrt(len(F)), generator=generator)
    for k, directions in enumerate(weights.layers):
        for layer in directions:
            scale = 1.0 if is_token and k == 0 else 1.0 / math.sqrt(len(layer.U))
            scale = scale / input_scale if k == 0 else scale
            _initialise_layer(layer, scale, cell, generator)
    scale = 1.0 / math.sqrt(weights.V.shape[1])
    weights.V.normal_(0.0, scale, generator=generator)
    for name in weights.layout.of_context[1]:
        part = weights.others[name]
        part.normal_(0.0, 1.0 / math.sqrt(len(part)), generator=generator)
    for k, layer in enumerate(weights.of_decoder):
        scale = 1.0 if k == 0 else 1.0 / math.sqrt(len(layer.U))
        _initialise_layer(layer, scale, cell, generator)
    for name in [k for k in weights.layout.of_decoder[1] if "." not in k]:
        part = weights.others[name]
        part.normal_(0.0, 1.0 / math.sqrt(part.shape[-1]), generator=generator)


def _initialise_layer(layer, scale, cell, generator):
    """Fill the weights of one layer in one direction; `scale` is that of U."""
    nhidden = layer.W.shape[1]
    layer.U.normal_(0.0, scale, generator=generator)
    for block in layer.W.split(nhidden):
        if len(block):
            torch.nn.init.orthogonal_(block, generator=generator)
    if cell.forget_block is not None:
        layer.b.view(cell.n_blocks, nhidden)[cell.forget_block] = 1.0
