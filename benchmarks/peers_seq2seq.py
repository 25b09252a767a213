"""The same encoder and decoder as RNNSeq2Seq's, in torch.nn, with a good loop."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

PAD = -100  # as cross_entropy ignores it


class TorchSeq2Seq(nn.Module):
    """GRUs: an encoder in both directions, attention above the decoder's first layer.

    Parameters
    ----------
    X, y : list of sequences of tokens
    nhidden : int
        Of the encoder, in each direction. The two layers of the decoder are one and a
        half times as long.
    """

    def __init__(self, X, y, nhidden):
        super().__init__()
        self.ids_of_X, self.ids_of_y = _ids(X), _ids(y)
        n_inputs, n_outputs = 1 + len(self.ids_of_X), 1 + len(self.ids_of_y)
        n_memory, n_decoder = 2 * nhidden, nhidden * 3 // 2
        # Few tokens are fed as rows of an identity matrix, as in peers_torch.py.
        self.embed = nn.Embedding.from_pretrained(torch.eye(n_inputs))
        self.embed_y = nn.Embedding.from_pretrained(torch.eye(n_outputs))
        self.encoder = nn.GRU(n_inputs, nhidden, bidirectional=True)
        self.bridge = nn.Linear(n_memory, n_decoder)
        self.query = nn.Linear(n_decoder, n_memory, bias=False)
        self.first = nn.GRU(n_outputs, n_decoder)
        self.second = nn.GRU(n_decoder + n_memory, n_decoder)
        self.output = nn.Linear(n_decoder + n_memory, n_outputs)

    @torch.no_grad()
    def take_weights(self, model):
        """Become the same function as a fitted RNNSeq2Seq of the same sizes."""
        of_encoder = zip(model.W_, model.U_, model.b_, strict=True)
        of_decoder = zip(
            model.decoder_W_, model.decoder_U_, model.decoder_b_, strict=True
        )
        for (W, U, b), ending in zip(of_encoder, ("", "_reverse"), strict=True):
            _set_gru(self.encoder, ending, W, U, b)
        for (W, U, b), layer in zip(of_decoder, (self.first, self.second), strict=True):
            _set_gru(layer, "", W, U, b)
        for layer, W, b in (
            (self.bridge, model.bridge_, model.bridge_bias_),
            (self.output, model.V_, model.intercept_),
        ):
            layer.weight.copy_(torch.from_numpy(W))
            layer.bias.copy_(torch.from_numpy(b))
        self.query.weight.copy_(torch.from_numpy(model.query_))
        self.ids_of_X, self.ids_of_y = model.vocabulary_, model.output_vocabulary_

    def tensors(self, X, y=None):
        """Ids and lengths of X, after a start, and the ids of y with their ends."""
        x = [torch.tensor([0, *map(self.ids_of_X.get, x)]) for x in X]
        lengths = torch.tensor([len(ids) for ids in x])
        if y is None:
            return pad_sequence(x), lengths
        y = [torch.tensor([*map(self.ids_of_y.get, y), 0]) for y in y]
        return pad_sequence(x), lengths, pad_sequence(y, padding_value=PAD)

    def encode(self, x, lengths):
        """The states, where they are real, and the first state of the decoder."""
        packed = pack_padded_sequence(self.embed(x), lengths, enforce_sorted=False)
        H, ends = self.encoder(packed)
        H, _ = pad_packed_sequence(H, batch_first=True)
        is_real = torch.arange(H.shape[1]) < lengths.unsqueeze(1)
        start = torch.tanh(self.bridge(torch.cat([ends[0], ends[1]], 1)))
        return H, is_real.unsqueeze(1), start.unsqueeze(0)

    def decode(self, before, states, H, is_real):
        """Scores after some tokens, of shape (n_steps, n_sequences), and the states."""
        h, of_first = self.first(self.embed_y(before), states[0])
        query = self.query(h).transpose(0, 1)
        context = scaled_dot_product_attention(query, H, H, is_real).transpose(0, 1)
        above, of_second = self.second(torch.cat([h, context], 2), states[1])
        return self.output(torch.cat([above, context], 2)), (of_first, of_second)

    def loss(self, x, lengths, y):
        """The mean cross entropy of all tokens and ends, smoothed."""
        H, is_real, start = self.encode(x, lengths)
        before = torch.cat([torch.zeros_like(y[:1]), y[:-1].clamp(min=0)])
        scores, _ = self.decode(before, (start, None), H, is_real)
        of = scores.flatten(0, 1), y.flatten()
        return cross_entropy(*of, ignore_index=PAD, label_smoothing=0.1)

    @torch.no_grad()
    def predict(self, X, max_length, batch_size=256):
        """The ids of the likeliest tokens, one after the other, longest X first."""
        order, found = np.argsort([-len(x) for x in X], kind="stable"), [None] * len(X)
        for first in range(0, len(X), batch_size):
            some = order[first : first + batch_size]
            H, is_real, start = self.encode(*self.tensors([X[i] for i in some]))
            token = torch.zeros(1, len(some), dtype=torch.long)
            states, written = (start, None), []
            is_open = torch.ones(len(some), dtype=torch.bool)
            while is_open.any() and len(written) < max_length:
                scores, states = self.decode(token, states, H, is_real)
                token = scores.argmax(2)
                is_open &= token[0] != 0
                written.append(token[0])
            for i, ids in zip(some, torch.stack(written, 1).tolist(), strict=True):
                found[i] = ids[: ids.index(0)] if 0 in ids else ids
        return found


class TorchLoop:
    """Epochs of Adam with clipped gradients, on tensors that are made beforehand."""

    def __init__(self, X, y, nhidden, batch_size):
        self.model = TorchSeq2Seq(X, y, nhidden)
        self.weights = [p for p in self.model.parameters() if p.requires_grad]
        self.rule = torch.optim.AdamW(self.weights, 0.005, weight_decay=0.01)
        order = np.random.default_rng(0).permutation(len(X))
        self.batches = [
            self.model.tensors([X[i] for i in some], [y[i] for i in some])
            for some in np.split(order, range(batch_size, len(X), batch_size))
        ]

    def epoch(self):
        """Learn once from each sequence."""
        for batch in self.batches:
            loss = self.model.loss(*batch)
            self.rule.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.weights, 1.0)
            self.rule.step()


def _set_gru(layer, ending, W, U, b):
    """Set one direction of a GRU; of two biases, the second is needed for n alone."""
    n = W.shape[1]
    hidden = np.zeros(3 * n, b.dtype)
    hidden[2 * n :] = b[3 * n :]
    arrays = {"weight_hh": W, "weight_ih": U, "bias_ih": b[: 3 * n], "bias_hh": hidden}
    for name, array in arrays.items():
        parameter = getattr(layer, f"{name}_l0{ending}")
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


def _ids(sequences):
    tokens = sorted({token for sequence in sequences for token in sequence})
    return {token: i for i, token in enumerate(tokens, start=1)}
