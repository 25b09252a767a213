"""A network of torch's own layers, which can be trained further.

The values of a batch are of shape (n_sequences, n_steps, width); those behind the end
of a sequence have no effect.
"""

import torch
from torch import nn
from torch.nn.functional import pad


class TorchNetwork(nn.Module):
    """The network of a fitted estimator, as :func:`skrnn.export.to_torch` makes it.

    Parameters
    ----------
    architecture : Architecture
    layers : dict of str to Module
        ``layers``, and those of the others that there are.
    numbers : tuple (mean, scale, is_one), default=None
        If numbers are predicted, their units, and whether it is only one.
    per_step : bool, default=False
        Whether there are scores for each step.

    Attributes
    ----------
    embedding : Embedding or None
        The vectors of tokens.
    filters : ModuleList of ModuleLists of Conv1d, or None
        By layer, then kernel size.
    layers : ModuleList of ModuleLists of RNN, GRU or LSTM
        By layer, then direction. The second direction reads steps in reverse.
    output : Linear or None
        V and c.
    wide : EmbeddingBag, Linear or None
        A.
    """

    def __init__(self, architecture, layers, numbers=None, per_step=False):
        super().__init__()
        self.architecture, self.per_step = architecture, per_step
        for name in ("embedding", "filters", "layers", "output", "wide"):
            setattr(self, name, layers.get(name))
        mean, scale, self._is_one = numbers or (None, None, False)
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, x, lengths, wide=None, wide_weights=None):
        """Compute what the estimator predicts.

        Parameters
        ----------
        x : Tensor of shape (n_sequences, n_steps) or (n_sequences, n_steps, width)
            Ids of tokens, int64, or numbers, in the order of the steps.
        lengths : Tensor of shape (n_sequences,), int64
        wide : Tensor of shape (n_sequences, n_columns), default=None
            Columns of n-grams, int64, or features of series, if there is a wide path.
        wide_weights : Tensor of shape (n_sequences, n_columns), default=None
            The weights of the n-grams.

        Returns
        -------
        output : Tensor
            Scores, before the softmax or logistic function, of shape (n_sequences,
            n_outputs) or (n_sequences, n_steps, n_outputs); numbers in the units of y;
            or h.
        """
        if self.embedding is not None:
            x = self.embedding(x)
            x = x.sum(2) if x.dim() == 4 else x
        if self.per_step and self.output is not None:
            return self.output(self._states(x, lengths))
        h = self._vectors(x, lengths)
        if self.output is None:
            return h
        scores = self._with_wide(self.output(h), wide, wide_weights)
        if self.mean is None:
            return scores
        numbers = scores * self.scale + self.mean
        return numbers[:, 0] if self._is_one else numbers

    def _vectors(self, x, lengths):
        """h, of shape (n_sequences, n_features_out)."""
        has_steps = (lengths > 0).unsqueeze(1)
        pooled = []
        if self.filters is not None:
            x, lengths, pooled = self._through_filters(x, lengths)
        H = self._states(x, lengths)
        parts = H.chunk(self.architecture.n_directions, 2)
        h = [self._pooled(part, lengths, d) for d, part in enumerate(parts)]
        return torch.cat(h + pooled, 1) * has_steps

    def _states(self, x, lengths):
        """The states of the last layer after each step, both directions side by side.

        Packed sequences, which take less time where lengths differ, cannot be exported.
        """
        steps = torch.arange(x.shape[1], device=x.device)
        ends = lengths.unsqueeze(1)
        turned = torch.where(steps < ends, ends - 1 - steps, steps).unsqueeze(2)
        for directions in self.layers:
            parts = [directions[0](x)[0]]
            if len(directions) == 2:
                H = directions[1](x.gather(1, turned.expand(x.shape)))[0]
                parts.append(H.gather(1, turned.expand(H.shape)))
            x = torch.cat(parts, 2)
        return x

    def _pooled(self, H, lengths, direction):
        """One vector per sequence, of one direction."""
        name, ends = self.architecture.pooling, lengths.clamp(min=1).unsqueeze(1)
        inside = _inside(H, ends).unsqueeze(2)
        if name == "mean":
            return H.masked_fill(~inside, 0).sum(1) / ends
        at = torch.zeros_like(ends) if direction == 1 else ends - 1
        last = H.gather(1, at.unsqueeze(2).expand(-1, 1, H.shape[2])).squeeze(1)
        if name == "last":
            return last
        largest = H.masked_fill(~inside, -torch.inf).amax(1)
        if name == "max":
            return largest
        return torch.cat([last, largest], 1) if name == "concat" else last + largest

    def _through_filters(self, x, lengths):
        """What the recurrence reads, how long it is, and the pooled filters."""
        pooled, strides = [], self.architecture.strides
        for filters, stride in zip(self.filters, strides, strict=True):
            ends = lengths.clamp(min=1).unsqueeze(1)
            outside = ~_inside(x, ends).unsqueeze(2)
            x, parts = x.masked_fill(outside, 0).transpose(1, 2), []
            for of_size in filters:
                (size,) = of_size.kernel_size
                margins = size // 2, size - 1 - size // 2
                parts.append(of_size(pad(x, margins)))
            z = torch.cat(parts, 1).relu().transpose(1, 2).masked_fill(outside, 0)
            pooled += [z.sum(1) / ends, z.amax(1)]
            x, lengths = _averaged(z, lengths, stride)
        return x, lengths, pooled

    def _with_wide(self, scores, wide, weights):
        """The mean of the scores and A x, where x is not empty."""
        if self.wide is None:
            return scores
        if weights is None:
            return (scores + self.wide(wide)) / 2
        own = self.wide(wide, per_sample_weights=weights)
        is_read = (weights > 0).any(1, keepdim=True)
        return torch.where(is_read, (scores + own) / 2, scores)


def _inside(x, ends):
    """Whether steps are before the end, of shape (n_sequences, n_steps)."""
    return torch.arange(x.shape[1], device=x.device) < ends


def _averaged(z, lengths, stride):
    """The mean of every `stride` steps; the last mean is of those that are left."""
    if stride == 1:
        return z, lengths
    z = pad(z, (0, 0, 0, -z.shape[1] % stride)).unflatten(1, (-1, stride))
    starts = torch.arange(z.shape[1], device=z.device) * stride
    counts = (lengths.unsqueeze(1) - starts).clamp(1, stride)
    return z.sum(2) / counts.unsqueeze(2), (lengths + stride - 1) // stride
