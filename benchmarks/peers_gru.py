"""A plain GRU of torch.nn, as one would write it by hand, as an estimator."""

import names
import numpy as np
import torch
from peers import batches
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from threads import on_threads
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot
from torch.nn.utils.rnn import pad_sequence


class GRUNet(nn.Module):
    """nn.GRU and a linear layer on its last state."""

    def __init__(self, n_inputs, nhidden, n_outputs):
        super().__init__()
        self.recurrence = nn.GRU(n_inputs, nhidden)
        self.output = nn.Linear(nhidden, n_outputs)

    def forward(self, sequences):
        """Scores, from a list of tensors of shape (n_steps, n_inputs)."""
        last = torch.tensor([len(x) - 1 for x in sequences])
        # Packed, the gradient of a hundred steps takes three times as long.
        H, _ = self.recurrence(pad_sequence(sequences))
        return self.output(H[last, torch.arange(len(sequences))])


class _TorchGRU(BaseEstimator):
    """What the classifier and the regressor share.

    As many updates, of batches of like size, as the estimators of skrnn take by
    default, but sequences of like length in each, padded; Adam, and gradients of length
    1 at most. Characters are one-hot, numbers standardised. On one thread: beside a
    busy neighbour two can be far slower.

    Parameters
    ----------
    nhidden : int, default=128
    learning_rate : float, default=0.003
    random_state : int, default=0
    """

    def __init__(self, nhidden=128, learning_rate=0.003, random_state=0):
        self.nhidden = nhidden
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _fit(self, X, targets, n_outputs, loss):
        self._learn_inputs(X)
        torch.manual_seed(self.random_state)
        tensors = self._tensors(X)
        n_inputs = self._inputs(tensors[:1])[0].shape[1]
        self.net_ = GRUNet(n_inputs, self.nhidden, n_outputs)
        on_threads(1, self._train, tensors, targets, loss)
        return self

    def _train(self, tensors, targets, loss):
        rng = np.random.default_rng(self.random_state)
        batch_size = min(max(len(tensors) // 8, 8), 128)
        n_epochs = max(12, -(-600 * batch_size // len(tensors)))
        lengths = np.array([len(x) for x in tensors])
        optimiser = torch.optim.Adam(self.net_.parameters(), self.learning_rate)
        for _ in range(n_epochs):
            for indices in batches(lengths, batch_size, rng, bucketed=True):
                scores = self.net_(self._inputs([tensors[i] for i in indices]))
                optimiser.zero_grad()
                loss(scores, targets[indices]).backward()
                nn.utils.clip_grad_norm_(self.net_.parameters(), 1.0)
                optimiser.step()

    def _learn_inputs(self, X):
        self.is_text_ = isinstance(X[0], str)
        if self.is_text_:
            self.vocabulary_ = names.learn_vocabulary(X)
        else:
            steps = np.concatenate(X)
            self.mean_, self.scale_ = steps.mean(axis=0), steps.std(axis=0)

    def _tensors(self, X):
        if self.is_text_:
            unknown = len(self.vocabulary_)
            ids = ([self.vocabulary_.get(c, unknown) for c in x] for x in X)
            return [torch.tensor(row) for row in ids]
        return [torch.from_numpy((x - self.mean_) / self.scale_).float() for x in X]

    def _inputs(self, tensors):
        if not self.is_text_:
            return tensors
        n_tokens = len(self.vocabulary_) + 1
        return [one_hot(ids, n_tokens).float() for ids in tensors]

    @torch.inference_mode()
    def _scores(self, X):
        order = np.argsort([-len(x) for x in X], kind="stable")
        tensors = self._tensors(X)
        parts = np.split(order, range(512, len(order), 512))
        scores = [self.net_(self._inputs([tensors[i] for i in part])) for part in parts]
        return torch.cat(scores).numpy()[np.argsort(order)]


class TorchGRUClassifier(ClassifierMixin, _TorchGRU):
    """Cross entropy of the classes."""

    def fit(self, X, y):
        """Train on sequences and their classes."""
        self.classes_, ids = np.unique(y, return_inverse=True)
        targets = torch.from_numpy(ids.astype(np.int64))
        return self._fit(X, targets, len(self.classes_), cross_entropy)

    def predict(self, X):
        """The class of each sequence."""
        return self.classes_[on_threads(1, self._scores, X).argmax(axis=1)]

    def predict_proba(self, X):
        """Probabilities of shape (n_samples, n_classes)."""
        return torch.from_numpy(on_threads(1, self._scores, X)).softmax(dim=1).numpy()


class TorchGRURegressor(RegressorMixin, _TorchGRU):
    """Squared error of the standardised target."""

    def fit(self, X, y):
        """Train on sequences and their numbers."""
        y = np.asarray(y)
        self.y_mean_, self.y_scale_ = y.mean(), y.std()
        targets = torch.from_numpy((y - self.y_mean_) / self.y_scale_).float()
        return self._fit(X, targets.unsqueeze(1), 1, mse_loss)

    def predict(self, X):
        """The number of each sequence."""
        return on_threads(1, self._scores, X)[:, 0] * self.y_scale_ + self.y_mean_
