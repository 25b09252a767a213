"""The loop of Terence Parr's article, from which this package starts."""

import numpy as np
import torch
from peers import Peer
from torch.nn.functional import cross_entropy


def article_loop(task, dtype=torch.float64):
    """The vectorised minibatch loop of "Explaining RNNs without neural networks".

    As its notebooks have it, in float64: words padded on the left to the longest one
    by vectors of 0, which leave h at 0; the one-hot array of all words built once,
    before training, as in the notebook for GPUs (the other one builds it batch by
    batch, letter by letter, which is slower); autograd; Adam; the words shuffled once
    and the incomplete batch dropped. Two lines follow the text and not the notebook:
    tanh, and torch's own cross entropy of raw scores.

    Parameters
    ----------
    task : Task
        The article has nhidden 100 and batch size 32.
    dtype : dtype

    References
    ----------
    .. [1] Parr (2020), "Explaining RNNs without neural networks",
       https://explained.ai/rnn/index.html, section "Training an RNN with minibatch
       SGD"
    """
    if task.cell != "rnn":
        raise ValueError(f"The article has no {task.cell!r}.")
    rng = torch.Generator().manual_seed(task.seed)
    nhidden, batch_size = task.nhidden, task.batch_size
    shuffled = torch.randperm(len(task.labels), generator=rng)
    X_onehot = _left_padded(task.tokens, task.n_tokens, dtype)[shuffled]
    y = torch.from_numpy(task.labels)[shuffled]
    max_len = X_onehot.shape[1]
    n = len(y) // batch_size * batch_size

    W = torch.eye(nhidden, dtype=dtype)
    U = torch.randn(nhidden, task.n_tokens, generator=rng, dtype=dtype)
    V = torch.randn(task.n_classes, nhidden, generator=rng, dtype=dtype)
    weights = [W.requires_grad_(), U.requires_grad_(), V.requires_grad_()]
    optimizer = torch.optim.Adam(weights, lr=task.learning_rate)

    def forward(batch_X):
        H = torch.zeros(nhidden, len(batch_X), dtype=dtype)
        for t in range(batch_X.shape[1]):
            x_step_t = batch_X[:, t].T  # (n_tokens, batch_size)
            H = torch.tanh(W.mm(H) + U.mm(x_step_t))
        return V.mm(H).T  # (batch_size, n_classes)

    def train_epoch():
        epoch_training_loss = 0.0
        for p in range(0, n, batch_size):
            o = forward(X_onehot[p : p + batch_size])
            loss = cross_entropy(o, y[p : p + batch_size])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch_training_loss += loss.detach().item()

    @torch.no_grad()
    def predict(tokens):
        X = _left_padded(tokens, task.n_tokens, dtype)
        return forward(X[:, -max_len:]).argmax(1).numpy()

    return Peer(train_epoch, predict)


def _left_padded(tokens, n_tokens, dtype):
    """One-hot array of shape (n_samples, longest length, n_tokens)."""
    lengths, longest = tokens.lengths, tokens.lengths.max()
    sample = np.repeat(np.arange(len(lengths)), lengths)
    step = np.arange(len(sample)) - np.repeat(tokens.offsets[1:], lengths) + longest
    onehot = torch.zeros(len(lengths), longest, n_tokens, dtype=dtype)
    onehot[sample, step, tokens.values] = 1
    return onehot
