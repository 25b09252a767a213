"""The networks that torch.nn has too, with the weights of ours."""

import numpy as np
import torch
from networks import ARCHITECTURES
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

from skrnn._core.public import to_public

IN_TORCH = [
    name
    for name, architecture in ARCHITECTURES.items()
    if architecture.activation != "identity" and architecture.recurrence == "learned"
]


def torch_layer(architecture, n_inputs, directions, dtype):
    """A layer of torch.nn with the public W, U and b of each direction."""
    n = directions[0][0].shape[1]
    options = {"bidirectional": len(directions) == 2, "dtype": dtype}
    if architecture.cell == "rnn":
        options["nonlinearity"] = architecture.activation
    kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[architecture.cell]
    layer = kind(n_inputs, n, **options)
    for suffix, (W, U, b) in zip(("", "_reverse"), directions, strict=False):
        parts = {
            "weight_hh_l0": W,
            "weight_ih_l0": U,
            "bias_ih_l0": b[: len(U)],
            "bias_hh_l0": np.append(np.zeros(len(U) - n), b[len(U) :])
            if architecture.cell == "gru"
            else np.zeros(len(U)),
        }
        with torch.no_grad():
            for key, array in parts.items():
                getattr(layer, key + suffix).copy_(torch.from_numpy(array))
    return layer


class TorchNetwork(nn.Module):
    """torch.nn with the weights of ours: the public arrays go in as they are."""

    def __init__(self, weights):
        super().__init__()
        architecture = self.architecture = weights.architecture
        dtype = weights.flat.dtype
        public = to_public(weights)
        arrays = zip(*(public[name] for name in ("W_", "U_", "b_")), strict=True)
        n_inputs = weights.n_inputs
        if architecture.kernel_sizes:
            n_inputs = architecture.n_filters
        self.filters, self.filter_biases = (
            nn.ParameterList(map(torch.from_numpy, public.get(name, ())))
            for name in ("filters_", "filter_biases_")
        )
        self.layers = nn.ModuleList()
        for n in architecture.nhidden:
            directions = [next(arrays) for _ in range(architecture.n_directions)]
            self.layers.append(torch_layer(architecture, n_inputs, directions, dtype))
            n_inputs = n * architecture.n_directions
        n_codes = architecture.n_features_out
        self.output = nn.Linear(n_codes, len(weights.c), dtype=dtype)
        with torch.no_grad():
            self.output.weight.copy_(weights.V)
            self.output.bias.copy_(weights.c)

    def states(self, sequences, start=None):
        """Those of the last layer after each step, packed.

        `start` has by layer what torch.nn takes: the states of all directions before
        the first step, h or (h, c).
        """
        x = pack_sequence(sequences, enforce_sorted=False)
        for k, layer in enumerate(self.layers):
            x, _ = layer(x, None if start is None else start[k])
        return x

    def through_filters(self, x):
        """What the recurrence reads of a sequence, and a list of its pooled filters."""
        pairs = zip(self.filters, self.filter_biases, strict=True)
        pools = []
        for k, sizes in enumerate(self.architecture.kernel_sizes):
            parts = []
            for size in sizes:
                filters, biases = next(pairs)
                margins = size // 2, size - 1 - size // 2
                padded = nn.functional.pad(x.T, margins)
                parts.append(nn.functional.conv1d(padded, filters, biases))
            z = torch.relu(torch.cat(parts)).T
            pools += [z.mean(0), z.amax(0)]
            parts = z.split(self.architecture.strides[k])
            x = torch.stack([part.mean(0) for part in parts])
        return x, pools

    def forward(self, sequences, start=None):
        of_filters = [[] for _ in sequences]
        if self.architecture.kernel_sizes:
            both = [self.through_filters(x) for x in sequences]
            sequences, of_filters = map(list, zip(*both, strict=True))
        H = self.states(sequences, start)
        H, lengths = pad_packed_sequence(H)  # (n_steps, n_sequences, width)
        codes = []
        for i, n in enumerate(lengths.tolist()):
            directions = list(H[:n, i].chunk(self.architecture.n_directions, dim=1))
            last = [h[0 if k == 1 else -1] for k, h in enumerate(directions)]
            pools = {
                "last": lambda h, last: [last],
                "mean": lambda h, last: [h.mean(0)],
                "max": lambda h, last: [h.max(0).values],
                "concat": lambda h, last: [last, h.max(0).values],
                "sum": lambda h, last: [last + h.max(0).values],
            }
            pool = pools[self.architecture.pooling]
            parts = [
                pool(h, h_last) for h, h_last in zip(directions, last, strict=True)
            ]
            parts.append(of_filters[i])
            codes.append(torch.cat([part for both in parts for part in both]))
        return self.output(torch.stack(codes))

    def gradients(self):
        """By layer and direction, in the blocks of torch.nn; then V and c."""
        triples = []
        for layer in self.layers:
            for suffix in ("", "_reverse")[: self.architecture.n_directions]:
                W, U, b, q = (
                    getattr(layer, key + suffix).grad
                    for key in (
                        "weight_hh_l0",
                        "weight_ih_l0",
                        "bias_ih_l0",
                        "bias_hh_l0",
                    )
                )
                if self.architecture.cell == "gru":
                    b = torch.cat([b, q.chunk(3)[2]])
                triples.append((W, U, b))
        return triples, self.output.weight.grad, self.output.bias.grad
