"""The structure of a network.

G = U x + b,    H = cell(G),    where each layer reads the H of the layer below
h = pool(H),    scores = V h + c
"""

from dataclasses import dataclass

from skrnn._core import pooling
from skrnn._core.cells import make_cell


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
    """

    nhidden: tuple
    cell: str = "rnn"
    activation: str = "tanh"
    recurrence: str = "learned"
    bidirectional: bool = False
    pooling: str = "last"

    @property
    def n_directions(self):
        """Number of directions, 1 or 2."""
        return 2 if self.bidirectional else 1

    @property
    def n_features_out(self):
        """Length of the pooled vector h, over all directions."""
        return pooling.width(self.pooling, self.nhidden[-1]) * self.n_directions

    def make_cell(self):
        """Make the cell that all layers share; it has no weights."""
        return make_cell(self.cell, self.activation, self.recurrence)
