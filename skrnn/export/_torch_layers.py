"""Layers of torch.nn with the weights of skrnn, and back."""

import numpy as np
import torch
from torch import nn

from skrnn._core.execution import CPU

_RECURRENT = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
_WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def recurrent(architecture, U, W, b):
    """A layer of RNN, GRU or LSTM in one direction."""
    options = {"batch_first": True}
    if architecture.cell == "rnn":
        options["nonlinearity"] = architecture.activation
    kind = _RECURRENT[architecture.cell]
    layer = _empty(kind, U.shape[1], W.shape[1], **options)
    of_states = np.zeros(len(W), np.float32)
    of_states[len(W) - (len(b) - len(U)) :] = b[len(U) :]  # of a GRU alone
    arrays = U, W, b[: len(U)], of_states
    _load(layer, dict(zip(_WEIGHTS, arrays, strict=True)))
    layer.weight_hh_l0.requires_grad_(architecture.make_cell().has_W)
    return layer


def arrays_of_recurrent(layer):
    """The U, W and b of a layer."""
    U, W, b, of_states = (as_array(getattr(layer, name)) for name in _WEIGHTS)
    n_of_inputs = len(W) - W.shape[1] if isinstance(layer, nn.GRU) else len(W)
    both = b[:n_of_inputs] + of_states[:n_of_inputs]
    return U, W, np.concatenate([both, b[n_of_inputs:], of_states[n_of_inputs:]])


def convolution(F, f):
    """Filters of one size; zeros around a series are added before."""
    layer = _empty(nn.Conv1d, F.shape[1], len(F), F.shape[2])
    return _load(layer, {"weight": F, "bias": f})


def linear(V, c=None):
    """V h + c, or V h."""
    layer = _empty(nn.Linear, V.shape[1], len(V), bias=c is not None)
    return _load(layer, {"weight": V} if c is None else {"weight": V, "bias": c})


def embedding(table, is_padded):
    """Vectors of tokens; if id 0 is padding, its vector is 0 and stays so."""
    options = {"padding_idx": 0} if is_padded else {}
    layer = _load(_empty(nn.Embedding, *table.shape, **options), {"weight": table})
    if is_padded:
        with torch.no_grad():
            layer.weight[0] = 0
    return layer


def embedding_bag(A):
    """Weighted sums of the columns of A."""
    layer = _empty(nn.EmbeddingBag, *A.shape[::-1], mode="sum")
    return _load(layer, {"weight": A.T})


def _empty(kind, *sizes, **options):
    """A layer without initial weights, for which torch would draw random numbers."""
    return kind(*sizes, device="meta", **options).to_empty(device="cpu")


def _load(layer, arrays):
    with torch.no_grad():
        for name, array in arrays.items():
            getattr(layer, name).copy_(CPU.tensor(np.ascontiguousarray(array)))
    return layer


def as_array(tensor):
    """The numbers of a tensor, on whatever device it is, in memory of their own."""
    return tensor.detach().to("cpu", torch.float32, copy=True).numpy()
