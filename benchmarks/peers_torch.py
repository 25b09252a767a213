"""The competitors on torch: torch.nn, and skorch."""

import numpy as np
import torch
from peers import Peer, batches
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import PackedSequence


class TorchNet(nn.Module):
    """nn.RNN, nn.GRU or nn.LSTM and a linear layer on its last state.

    Up to 128 tokens are fed as rows of an identity matrix, which needs no gradient:
    on names that trains within 4 % as fast as an nn.Embedding of 16 columns, and 1.1
    to 1.3 times faster than one of `nhidden` columns. More tokens are embedded.

    Parameters
    ----------
    task : Task
    packed : bool
        Run on a PackedSequence, or on padded steps, the last state picked after.
    """

    def __init__(self, task, packed):
        super().__init__()
        one_hot = task.n_tokens <= 128
        n_inputs = task.n_tokens if one_hot else task.nhidden
        self.embed = nn.Embedding(task.n_tokens, n_inputs)
        if one_hot:
            self.embed = nn.Embedding.from_pretrained(torch.eye(n_inputs))
        layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[task.cell]
        self.recurrence = layer(n_inputs, task.nhidden)
        self.output = nn.Linear(task.nhidden, task.n_classes)
        self.packed = packed

    def forward(self, ids, lengths):
        """Scores, from ids of shape (n_sequences, n_steps), longest first."""
        ids = ids.T  # (n_steps, n_sequences)
        if self.packed:
            alive = torch.arange(len(ids)).unsqueeze(1) < lengths
            x = PackedSequence(self.embed(ids[alive]), alive.sum(1))
            _, state = self.recurrence(x)
            h = state[0][0] if isinstance(state, tuple) else state[0]
        else:
            H, _ = self.recurrence(self.embed(ids))
            h = H[lengths - 1, torch.arange(len(lengths))]
        return self.output(h)


class TorchData(torch.utils.data.Dataset):
    """Batches for TorchNet, gathered by index, whole batches at a time.

    Also a torch Dataset: DataLoader asks ``__getitems__`` for a batch at once.

    Parameters
    ----------
    tokens : Tokens
    labels : ndarray of shape (n_samples,), default=None
        Zeros when None.
    """

    def __init__(self, tokens, labels=None):
        self.values = torch.from_numpy(tokens.values)
        self.starts = torch.from_numpy(tokens.offsets[:-1])
        self.lengths = torch.from_numpy(tokens.lengths)
        if labels is None:
            labels = np.zeros(len(self), dtype=np.int64)
        self.labels = torch.from_numpy(labels)

    def __len__(self):
        return len(self.lengths)

    def take(self, indices):
        """Reorder the sequences, in place."""
        self.starts, self.lengths = self.starts[indices], self.lengths[indices]
        self.labels = self.labels[indices]
        return self

    def __getitems__(self, indices):
        """Inputs of TorchNet and labels of some sequences, sorted by length.

        The steps past the end of a sequence hold ids of the next ones: no row of a
        pad token to look after, and TorchNet does not read them.
        """
        indices = torch.as_tensor(indices)
        lengths, order = self.lengths[indices].sort(descending=True, stable=True)
        indices = indices[order]
        rows = self.starts[indices].unsqueeze(1) + torch.arange(lengths[0])
        ids = self.values[rows.clamp_(max=len(self.values) - 1)]
        return {"ids": ids, "lengths": lengths}, self.labels[indices]


def torch_nn(task, bucketed=False):
    """torch.nn, Adam fused, no DataLoader.

    Parameters
    ----------
    task : Task
    bucketed : bool, default=False
        False packs batches drawn from all sequences; True pads batches of like
        length, the fastest way to train torch.nn that was found, and for an LSTM the
        fastest to predict, by oneDNN's kernel.
    """
    torch.manual_seed(task.seed)
    rng = np.random.default_rng(task.seed)
    net = TorchNet(task, packed=not bucketed)
    weights = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(weights, task.learning_rate, fused=True)
    data = TorchData(task.tokens, task.labels)
    lengths = task.tokens.lengths

    def train_epoch():
        for indices in batches(lengths, task.batch_size, rng, bucketed):
            inputs, labels = data.__getitems__(indices)
            loss = cross_entropy(net(**inputs), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    @torch.inference_mode()
    def predict(tokens):
        order = np.argsort(-tokens.lengths, kind="stable")
        data = TorchData(tokens).take(order)
        parts = torch.arange(len(order)).split(256 if bucketed else 512)
        scores = [net(**data.__getitems__(indices)[0]) for indices in parts]
        classes = np.empty_like(order)
        classes[order] = torch.cat(scores).argmax(1).numpy()
        return classes

    return Peer(train_epoch, predict)


class BatchSampler(torch.utils.data.Sampler):
    """Feeds a DataLoader the batches of :func:`peers.batches`.

    Yields
    ------
    indices : list of int
    """

    def __init__(self, lengths, batch_size, rng, bucketed):
        self.arguments = lengths, batch_size, rng, bucketed

    def __iter__(self):
        for indices in batches(*self.arguments):
            yield indices.tolist()


def skorch(task, bucketed=False):
    """skorch, on the network and the data of :func:`torch_nn`.

    No callbacks, no validation split, whole batches asked of the data set at once,
    no worker processes (they cost more than they bring on short sequences).

    Parameters
    ----------
    task : Task
    bucketed : bool, default=False
        As in :func:`torch_nn`.
    """
    from skorch import NeuralNetClassifier

    torch.manual_seed(task.seed)
    rng = np.random.default_rng(task.seed)
    sampler = BatchSampler(task.tokens.lengths, task.batch_size, rng, bucketed)
    net = NeuralNetClassifier(
        TorchNet,
        module__task=task,
        module__packed=not bucketed,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__lr=task.learning_rate,
        optimizer__fused=True,
        max_epochs=1,
        batch_size=1,  # as DataLoader asks for when it is given a batch_sampler
        iterator_train__batch_sampler=sampler,
        iterator_train__collate_fn=_as_is,
        iterator_valid__batch_size=256 if bucketed else 512,
        iterator_valid__collate_fn=_as_is,
        train_split=None,
        callbacks="disable",
        verbose=0,
        classes=np.arange(task.n_classes),
    ).initialize()
    data = TorchData(task.tokens, task.labels)

    def train_epoch():
        net.partial_fit(data, y=None)

    def predict(tokens):
        order = np.argsort(-tokens.lengths, kind="stable")
        classes = np.empty_like(order)
        classes[order] = net.predict(TorchData(tokens).take(order))
        return classes

    return Peer(train_epoch, predict)


def _as_is(batch):
    return batch
