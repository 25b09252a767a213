"""The position of each part of the weights in one flat tensor."""

import math
from dataclasses import dataclass, replace

from skrnn._core import pooling
from skrnn._core.architecture import Architecture

# The weights of a linear chain of outputs, which are the public ``transitions_``, ...
OF_CHAIN = ("transitions", "start_transitions", "end_transitions")


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and shapes of all weights of a network, in the order of the flat tensor.

    Biases come first, since weight decay does not apply to them: ``b.0``, ``b.1``, ...
    by layer, then direction, the biases ``f.0``, ... of filters, ``a`` for a context,
    those of the decoder, and ``c``. They are followed by ``W.0``, ``W.1``, ..., ``V``,
    the weights of the pooling and of a chain, ``A`` and ``B`` for a context, those of
    the decoder, the filters ``F.0``, ..., and the ``U`` of the layers above the first.
    The ``U`` of the first layer come last, since they may be trained row by row.

    Attributes
    ----------
    architecture : Architecture
    n_inputs : int
        Number of inputs, the length of x.
    n_outputs : int
        Number of scores, of each frame if steps emit any. A decoder reads as many
        tokens.
    has_transitions : bool, default=False
        Whether the outputs of consecutive steps form a linear chain.
    n_features : int, default=0
        Length of the vector that comes with each sequence, if there is one.
    """

    architecture: Architecture
    n_inputs: int
    n_outputs: int
    has_transitions: bool = False
    n_features: int = 0

    @property
    def of_context(self):
        """Names and shapes of the weights of a context: biases, then the others."""
        architecture, n = self.architecture, self.n_features
        cell, nhidden = architecture.make_cell(), architecture.nhidden
        biases, others = {}, {}
        if architecture.condition in ("start", "both"):
            biases["a"] = (cell.n_states * sum(nhidden),)
            others["A"] = (n, *biases["a"])
        if architecture.condition in ("bias", "both"):
            others["B"] = (n, cell.n_input_blocks * nhidden[0])
        return biases, others

    @property
    def of_pooling(self):
        """Names and shapes of the weights of the pooling, a tuple of pairs.

        The first axis of each weight is the direction.
        """
        architecture = self.architecture
        brought = pooling.weights_of(architecture.pooling, architecture.nhidden[-1])
        n_directions = architecture.n_directions
        return tuple((name, (n_directions, *shape)) for name, shape in brought)

    @property
    def of_chain(self):
        """Names and shapes of the weights of a chain, a tuple of pairs."""
        if not self.has_transitions:
            return ()
        n = self.n_outputs
        return tuple(zip(OF_CHAIN, ((n, n), (n,), (n,)), strict=True))

    @property
    def of_decoder(self):
        """Shapes of the weights of the decoder by name: biases first, then the others.

        Those of layer k are ``decoder_b.k``, ``decoder_W.k`` and ``decoder_U.k``.
        """
        architecture = self.architecture
        if not architecture.decoder:
            return {}, {}
        cell, first = architecture.make_cell(), architecture.decoder[0]
        n_state_blocks = cell.n_state_blocks if cell.has_W else 0
        widths = [self.n_outputs, *architecture.decoder[:-1]]
        if len(widths) > 1:  # attention stands above the first layer
            widths[1] += architecture.n_context
        b, W, U = {}, {}, {}
        for k, (n_in, n) in enumerate(zip(widths, architecture.decoder, strict=True)):
            b[f"decoder_b.{k}"] = (cell.n_blocks * n,)
            W[f"decoder_W.{k}"] = (n_state_blocks * n, n)
            U[f"decoder_U.{k}"] = (n_in, cell.n_input_blocks * n)
        bridge = {"bridge": (first, architecture.n_encoded)}
        n = architecture.n_encoded
        if architecture.attention:
            bridge["query"] = (n, first)
        if architecture.attention == "additive":
            bridge |= {"key": (n, n), "energy": (n,)}
        return {**b, "bridge_bias": (first,)}, {**W, **U, **bridge}

    def shapes(self):
        """Return the shape of each part by name, in order."""
        architecture = self.architecture
        cell, n_directions = architecture.make_cell(), architecture.n_directions
        n_inputs = (
            architecture.n_filters if architecture.kernel_sizes else self.n_inputs
        )
        widths = [n_inputs, *(n * n_directions for n in architecture.nhidden[:-1])]
        n_state_blocks = cell.n_state_blocks if cell.has_W else 0
        b, W, U = {}, {}, {}
        filters = architecture.shapes_of_filters(self.n_inputs)
        filters = [shape for of_layer in filters for shape in of_layer]
        for k, (n_in, n) in enumerate(zip(widths, architecture.nhidden, strict=True)):
            for i in range(k * n_directions, (k + 1) * n_directions):
                b[f"b.{i}"] = (cell.n_blocks * n,)
                W[f"W.{i}"] = (n_state_blocks * n, n)
                U[f"U.{i}"] = (n_in, cell.n_input_blocks * n)
        first = {f"U.{i}": U.pop(f"U.{i}") for i in range(n_directions)}
        of_both = zip(self.of_context, self.of_decoder, strict=True)
        biases, others = ({**one, **other} for one, other in of_both)
        n_scores = self.n_outputs * max(1, architecture.n_frames)
        return {
            **b,
            **{f"f.{i}": (n,) for i, (_, n) in enumerate(filters)},
            **biases,
            "c": (n_scores,),
            **W,
            "V": (n_scores, architecture.n_features_out),
            **dict(self.of_pooling),
            **dict(self.of_chain),
            **others,
            **{f"F.{i}": shape for i, shape in enumerate(filters)},
            **U,
            **first,
        }

    def with_inputs(self, n_inputs):
        """Return the layout of the same network with another number of inputs."""
        return replace(self, n_inputs=n_inputs)

    def views(self, flat):
        """Return views of a flat tensor, by the names of the parts."""
        shapes = self.shapes()
        parts = flat.split([math.prod(shape) for shape in shapes.values()])
        return {
            name: part.view(shape)
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }

    @property
    def n_weights(self):
        """Total number of weights."""
        return sum(map(math.prod, self.shapes().values()))
