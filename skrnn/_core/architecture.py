"""The structure of a network.

G = U x + b,    H = cell(G),    where each layer reads the H of the layer below
h = pool(H),    scores = V h + c

Layers of convolutions may stand before the recurrence, which then reads them; pooled
over the steps, they are appended to h. Each sequence may depend on a vector; see
:mod:`skrnn._core.condition`.

With a decoder, the network is an encoder, of another sequence; see
:mod:`skrnn._core.decoder`. Without one, its steps may emit another sequence; see
:mod:`skrnn._core.emission`.
"""

from dataclasses import dataclass, replace
from typing import Literal

from skrnn._core import pooling
from skrnn._core.cells import make_cell

AttentionName = Literal["dot", "additive"]
DecoderName = Literal["rnn", "ctc"]
# What may depend on a vector that comes with each sequence.
CONDITIONS = ("none", "start", "bias", "both")


@dataclass(frozen=True, slots=True)
class Architecture:
    """The structure of a network, except for its numbers of inputs and outputs.

    Attributes
    ----------
    nhidden : tuple of int
        Number of hidden units of each layer, per direction.
    cell : {"rnn", "gru", "lstm"}
    activation : {"tanh", "relu", "identity"}
        The activation of the cell "rnn".
    recurrence : {"learned", "identity"}
        Whether the W of the cell "rnn" is learned or stays the identity.
    bidirectional : bool
        Whether each layer also reads the sequences in reverse, with separate weights.
    pooling : {"last", "mean", "max", "concat", "sum", "none"}
        How the hidden states of all steps become one vector per sequence; "none" while
        training a network that predicts something at each step.
    kernel_sizes : tuple of tuples of int
        For each layer of convolutions, the numbers of steps in its windows; empty
        without convolutions.
    n_filters : int
        Number of filters of each of these layers, shared among its kernel sizes.
    stride : int
        Number of steps for which the recurrence takes one, behind these layers.
    condition : {"none", "start", "bias", "both"}
        What depends on a vector that comes with each sequence: the states before the
        first step, the inputs of all steps, or both.
    decoder : tuple of int
        Number of hidden units of each layer of a decoder; empty without one.
    attention : {"dot", "additive"} or None
        How the decoder looks back at the steps that the network has read.
    n_frames : int
        Number of frames that each step emits; 0 if there are none.
    """

    nhidden: tuple
    cell: str = "rnn"
    activation: str = "tanh"
    recurrence: str = "learned"
    bidirectional: bool = False
    pooling: str = "last"
    kernel_sizes: tuple = ()
    n_filters: int = 0
    stride: int = 1
    condition: str = "none"
    decoder: tuple = ()
    attention: str | None = None
    n_frames: int = 0

    @property
    def n_directions(self):
        """Number of directions, 1 or 2."""
        return 2 if self.bidirectional else 1

    @property
    def n_features_out(self):
        """Length of the pooled vector h, over all directions.

        With a decoder, that of its last state and the context, which V reads as well;
        with frames, that of the states of one step.
        """
        if self.decoder:
            return self.decoder[-1] + self.n_context
        if self.n_frames:
            return self.n_encoded
        of_recurrence = pooling.width(self.pooling, self.nhidden[-1])
        return of_recurrence * self.n_directions + self.n_features_of_filters

    @property
    def n_encoded(self):
        """Length of the hidden states of one step, over all directions."""
        return self.nhidden[-1] * self.n_directions

    @property
    def writes(self):
        """Whether the network writes another sequence."""
        return bool(self.decoder or self.n_frames)

    @property
    def n_context(self):
        """Length of the context that attention gives to each step of the decoder."""
        return self.n_encoded if self.attention else 0

    def of_decoder(self, first, last=None):
        """The architecture of some layers of the decoder on their own."""
        return replace(
            self,
            nhidden=self.decoder[first:last],
            bidirectional=False,
            pooling="none",
            decoder=(),
            attention=None,
        )

    @property
    def n_features_of_filters(self):
        """Number of the last entries of h, which are pooled filters."""
        return 2 * self.n_filters * len(self.kernel_sizes)

    @property
    def strides(self):
        """For each layer of convolutions, how many of its steps are averaged.

        Their product is about `stride`, to which all layers contribute about the same.
        """
        strides, left = [], self.stride
        for n_layers in range(len(self.kernel_sizes), 0, -1):
            strides.append(max(1, round(left ** (1 / n_layers))))
            left = max(1, round(left / strides[-1]))
        return strides

    def shapes_of_filters(self, n_inputs):
        """Return the shapes of the filters by layer, then kernel size."""
        shapes = []
        for sizes in self.kernel_sizes:
            of_each, left = divmod(self.n_filters, len(sizes))
            numbers = [of_each + (i < left) for i in range(len(sizes))]
            shapes.append(
                [(size * n_inputs, n) for size, n in zip(sizes, numbers, strict=True)]
            )
            n_inputs = self.n_filters
        return shapes

    def make_cell(self):
        """Make the cell that all layers share; it has no weights."""
        return make_cell(self.cell, self.activation, self.recurrence)
