"""The loss of networks that write sequences, by a decoder or by frames.

See :mod:`skrnn._core.decoder`, :mod:`skrnn._core.emission` and :mod:`skrnn._core.ctc`.
"""

import math

import torch
from torch.nn import functional as F

from skrnn._core import ctc
from skrnn._core.autograd import output, recurrence
from skrnn._core.autograd.rows import Rows
from skrnn._core.execution import Execution
from skrnn._core.vocabulary import END


def loss(passed, name):
    """The summed loss of a batch.

    Parameters
    ----------
    passed : Pass
        See :mod:`skrnn._core.autograd.network`.
    name : {"smoothed_cross_entropy", "ctc"}
    """
    if passed.weights.architecture.n_frames:
        return _of_frames(passed)
    decoder, answer = Decoder(passed), passed.batch.target
    send = Execution.of(passed.H).tensor
    before = send(answer.before)
    if answer.is_free is not None:
        before = _with_its_own(decoder, answer, before)
    h, weight = decoder.run(before), passed.batch.weight[decoder.order]
    target, weight = send(answer.target), decoder.rows.repeat(weight)
    return output.loss_of(name, passed.weights, h, target, weight)


class Decoder:
    """A decoder, which looks back at the states of an encoder.

    Parameters
    ----------
    passed : Pass
        What the encoder has read.

    Attributes
    ----------
    rows : Rows
        Those of the answer.
    order : Tensor of shape (n_sequences,)
        For each sequence of the answer, its place in what the encoder has read.
    """

    def __init__(self, passed):
        packing = passed.batch.target.packing
        self.weights, self._layer = passed.weights, passed.workspace.layer
        self.rows = Rows(packing, passed.H)
        self.order = Execution.of(passed.H).tensor(packing.indices)
        H, self._masks, rows = passed.H, passed.masks, passed.rows
        n = passed.weights.architecture.nhidden[-1]
        # The second direction, if there is one, has read the first step last.
        e = torch.cat([H[rows.last][:, :n], H[: rows.n, n:]], dim=1)
        if self._masks:
            encoded, *masks = self._masks
            H, e = H * rows.repeat(encoded), e * encoded
            self._masks = [self.rows.repeat(mask[self.order]) for mask in masks]
        self._e, self._H = e[self.order], _padded(H, rows)[self.order]
        self._is_outside = _is_outside(rows.lengths[self.order], self._H)

    def run(self, before):
        """Compute what the output layer reads at each step.

        Parameters
        ----------
        before : Tensor of shape (n_rows,), int
            The token before each token.

        Returns
        -------
        h : Tensor of shape (n_rows, n_features_out)
        """
        weights, architecture = self.weights, self.weights.architecture
        others, (first, *above) = weights.others, weights.of_decoder
        h_0 = torch.tanh(F.linear(self._e, others["bridge"], others["bridge_bias"]))
        nothing = [torch.zeros_like(h_0)] * (architecture.make_cell().n_states - 1)
        start = [[h_0, *nothing]]
        x, is_projected = recurrence.inputs([first], before)
        h = self._through(0, first, x, start, is_projected)
        context = self._context(h)
        for k, layer in enumerate(above, 1):
            x = torch.cat([h, context], dim=1) if k == 1 else h
            h = self._through(k, layer, self._dropped(k - 1, x))
        return self._dropped(-1, torch.cat([h, context], dim=1))

    def _through(self, k, layer, x, start=None, is_projected=False):
        """The states of a layer after each step."""
        name, architecture = f"decoder.{k}", self.weights.architecture
        architecture = architecture.of_decoder(k, k + 1)
        run = self._layer(name, architecture, [layer], x.shape[1])
        h, _ = run([layer], x, self.rows, start, is_projected)
        return h

    def _dropped(self, i, x):
        return x * self._masks[i] if self._masks else x

    def _context(self, h):
        """What attention reads at each step; see :mod:`skrnn._core.attention`."""
        others, attention = self.weights.others, self.weights.architecture.attention
        if attention is None:
            return h.new_empty(len(h), 0)
        Q = _padded(h @ others["query"].T, self.rows)  # (n, n_queries, n_encoded)
        if attention == "dot":
            scores = Q @ self._H.mT / math.sqrt(Q.shape[2])
        else:
            K = self._H @ others["key"].T
            scores = torch.tanh(Q.unsqueeze(2) + K.unsqueeze(1)) @ others["energy"]
        A = scores.masked_fill(self._is_outside, -math.inf).softmax(2)
        return (A @ self._H)[self.rows.sequences, self.rows.steps]


def _padded(x, rows):
    """Rows in packed order as a Tensor of shape (n, n_steps, width), with zeros."""
    n_steps = len(rows.batch_sizes)
    zeros = x.new_zeros(rows.n * n_steps, x.shape[1])
    at = rows.sequences * n_steps + rows.steps
    return zeros.index_copy(0, at, x).view(rows.n, n_steps, -1)


def _is_outside(lengths, padded):
    """Whether steps are behind the end, of shape (n, 1, n_steps)."""
    steps = torch.arange(padded.shape[1], device=lengths.device)
    return (steps >= lengths.unsqueeze(1)).unsqueeze(1)


@torch.no_grad()
def _with_its_own(decoder, answer, before):
    """The tokens before others; where that is free, those that it would write."""
    send = Execution.of(before).tensor
    h = decoder.run(before)
    own = output.best_of(decoder.weights, h)[send(answer.previous)]
    is_free = send(answer.is_free) & (own != END)
    is_free[: decoder.rows.n] = False  # which have nothing before them
    return torch.where(is_free, own.to(before.dtype), before)


def _of_frames(passed):
    """The loss of sequences that frames emit, by torch's own function."""
    rows, batch, h = passed.rows, passed.batch, passed.H
    n_frames = passed.weights.architecture.n_frames
    for mask in passed.masks:
        h = h * rows.repeat(mask)
    scores = output.scores_of(passed.weights, h).double()
    log_p = scores.view(rows.n_rows, n_frames, -1).log_softmax(2)
    n_outputs = log_p.shape[2]
    # (n_steps * n_frames, n_sequences, n_outputs)
    by_frame = _padded(log_p.flatten(1), rows).view(rows.n, -1, n_outputs).mT
    by_frame = by_frame.permute(2, 0, 1)
    tokens, ends = batch.target.in_order().without_ends()
    n_tokens = torch.as_tensor(ends[1:] - ends[:-1], device="cpu")
    lengths = torch.as_tensor(n_frames * batch.packing.lengths, device="cpu")
    tokens = Execution.of(h).tensor(tokens)
    of_answers = F.ctc_loss(
        by_frame, tokens, lengths, n_tokens, blank=ctc.BLANK, reduction="none"
    )
    n_tokens = Execution.of(h).tensor(ends[1:] - ends[:-1])
    share = (n_tokens.double() + 1) / (n_frames * rows.lengths)
    of_all = -log_p.mean(2).sum(1) * rows.repeat(share)
    of_answers = of_answers @ batch.weight[:, 0].double()
    return of_answers + of_all @ rows.repeat(batch.weight[:, 1].double())
