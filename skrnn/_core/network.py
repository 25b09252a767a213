"""The network: input layer, recurrence, output layer, and the gradient of it all.

    h_0 = 0,    h_t = activation(W h_{t-1} + U x_t + b),    scores = V h_T + c

No autograd: each forward line has its backward line written by hand.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from skrnn._core import recurrence
from skrnn._core.packing import batches_by_length, pack


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a network, or a gradient: views of one flat tensor.

    One flat tensor makes clipping and the optimiser a handful of operations, however
    many matrices there are.

    Attributes
    ----------
    flat : Tensor of shape (n_weights,)
    U : Tensor of shape (n_inputs, nhidden)
        Input weights, transposed: row ``i`` is the vector of token ``i``.
    W : Tensor of shape (nhidden, nhidden)
    V : Tensor of shape (n_outputs, nhidden)
    b : Tensor of shape (nhidden,)
    c : Tensor of shape (n_outputs,)
        The output bias, ``intercept_`` upstairs.
    """

    flat: torch.Tensor
    U: torch.Tensor
    W: torch.Tensor
    V: torch.Tensor
    b: torch.Tensor
    c: torch.Tensor

    @property
    def decayed(self):
        """U, W and V as one flat view: weight decay spares the biases."""
        return self.flat[: -(len(self.b) + len(self.c))]

    def are_finite(self):
        """Whether no weight is NaN or infinite."""
        return bool(torch.isfinite(self.flat).all())


def zeros(n_inputs, nhidden, n_outputs, dtype=torch.float32):
    """Weights that are all 0."""
    shapes = [
        (n_inputs, nhidden),  # U
        (nhidden, nhidden),  # W
        (n_outputs, nhidden),  # V
        (nhidden,),  # b
        (n_outputs,),  # c
    ]
    sizes = [math.prod(shape) for shape in shapes]
    flat = torch.zeros(sum(sizes), dtype=dtype)
    parts = flat.split(sizes)
    return Weights(flat, *map(torch.Tensor.view, parts, shapes))


def zeros_like(weights):
    """Weights of the same shapes and type that are all 0."""
    n_inputs, nhidden = weights.U.shape
    return zeros(n_inputs, nhidden, len(weights.c), weights.flat.dtype)


def initialise(weights, is_token, generator):
    """Fill `weights` with their random initial values.

    - U: standard normal, for tokens; divided by sqrt(n_inputs), for numbers, so that
      standardised features give pre-activations of variance 1 too. Small token
      vectors, of order 0.1, start tanh in its linear part, where the network is
      nearly a bag of tokens, and end less accurate.
    - W: a random orthogonal matrix, which keeps the length of h over many steps [1]_.
    - V: normal with variance 1 / nhidden, so that scores start of order 1.
    - b, c: 0.

    References
    ----------
    .. [1] Saxe, McClelland and Ganguli (2014), "Exact solutions to the nonlinear
       dynamics of learning in deep linear neural networks", ICLR.
    """
    n_inputs, nhidden = weights.U.shape
    scale = 1.0 if is_token else 1.0 / math.sqrt(n_inputs)
    weights.U.normal_(0.0, scale, generator=generator)
    torch.nn.init.orthogonal_(weights.W, generator=generator)
    weights.V.normal_(0.0, 1.0 / math.sqrt(nhidden), generator=generator)


def hidden_states(U, W_T, b, x, batch_sizes, activation, out=None):
    """Hidden states of every packed row.

    Parameters
    ----------
    U, b : Tensors
        As in :class:`Weights`.
    W_T : Tensor of shape (nhidden, nhidden)
        The transpose of W.
    x : Tensor of shape (n_rows,), int64, or (n_rows, n_inputs)
        Token ids, or numbers; rows in packed order.
    batch_sizes : list of int
    activation : {"tanh", "relu"}
    out : Tensor of shape (n_rows, nhidden), default=None
        Memory for the result.

    Returns
    -------
    H : Tensor of shape (n_rows, nhidden)
    """
    if x.ndim == 1:
        # A one-hot x picks a row of U; b is added to the rows, not to each step.
        A = torch.index_select(U + b, 0, x, out=out)
    else:
        A = torch.addmm(b, x, U, out=out)
    return recurrence.forward(A, batch_sizes, W_T, activation)


def encode(U, W, b, values, offsets, activation, max_rows):
    """The last hidden state of each sequence.

    Parameters
    ----------
    U, W, b : Tensors
        As in :class:`Weights`.
    values : Tensor of shape (n_rows,), int64, or (n_rows, n_inputs)
        Token ids or numbers of all sequences, end to end.
    offsets : ndarray of shape (n_samples + 1,)
    activation : {"tanh", "relu"}
    max_rows : int
        Steps a batch, which bounds the memory. A longer sequence makes its own batch.

    Returns
    -------
    h : Tensor of shape (n_samples, nhidden)

    Notes
    -----
    A sequence gets the same h, to the last bit where the BLAS allows, whatever the
    other sequences are. Matrix products of one row, and those by a transposed matrix,
    round differently from larger ones; so W is transposed in memory, and the longest
    sequence of each batch is there twice.
    """
    W_T = W.T.contiguous()
    h = U.new_empty((len(offsets) - 1, len(b)))
    for indices in batches_by_length(np.diff(offsets), max_rows):
        (packing,) = pack(offsets, np.append(indices, indices[0]))
        x = values.index_select(0, packing.rows)
        H = hidden_states(U, W_T, b, x, packing.batch_sizes, activation)
        h[packing.indices] = H.index_select(0, packing.last)
    return h


def output_scores(V, c, h):
    """``V h + c``, of shape (n_sequences, n_outputs).

    The scores of a sequence do not depend on the others; see :func:`encode`.
    """
    rows = h if len(h) > 1 else h.expand(2, -1)
    return torch.addmm(c, rows, V.T.contiguous())[: len(h)]


class Scratch:
    """Memory that is used again for each batch.

    Fresh memory of this size comes from the operating system page by page, which for
    small networks takes as long as the arithmetic on it.

    Parameters
    ----------
    nhidden : int
    dtype : torch.dtype
    """

    def __init__(self, nhidden, dtype=torch.float32):
        self._memory = torch.empty((3, 0, nhidden), dtype=dtype)

    def rows(self, n_rows):
        """Three tensors of shape (n_rows, nhidden), with arbitrary values."""
        if n_rows > self._memory.shape[1]:
            self._memory = self._memory.new_empty((3, n_rows, self._memory.shape[2]))
        return self._memory[:, :n_rows].unbind()


def loss_and_gradient(
    weights, gradient, scratch, x, packing, activation, loss, *target
):
    """Summed loss of a batch; the gradient is written into `gradient`.

    Parameters
    ----------
    weights, gradient : Weights
    scratch : Scratch
    x : Tensor
        As in :func:`hidden_states`.
    packing : Packing
    activation : {"tanh", "relu"}
    loss : callable
        ``loss(scores, *target)`` returns the summed loss, a tensor of shape (), and
        its gradient with respect to the scores.
    *target : Tensors
        One entry for each sequence, in the order of the packing.

    Returns
    -------
    total : Tensor of shape ()
    """
    U, W, V, b, c = weights.U, weights.W, weights.V, weights.b, weights.c
    batch_sizes = packing.batch_sizes
    H, dH, H_previous = scratch.rows(len(x))
    # The transpose in memory: products by it are faster than by a view.
    W_T = W.T.contiguous()
    hidden_states(U, W_T, b, x, batch_sizes, activation, out=H)
    h = H.index_select(0, packing.last)  # (n_sequences, nhidden)
    total, dscores = loss(torch.addmm(c, h, V.T), *target)

    # scores = V h + c
    torch.mm(dscores.T, h, out=gradient.V)
    torch.sum(dscores, 0, out=gradient.c)
    dH.zero_()
    dH.index_copy_(0, packing.last, dscores @ V)

    H_previous = H_previous[: len(packing.previous)]
    torch.index_select(H, 0, packing.previous, out=H_previous)
    dA = recurrence.backward(dH, H, batch_sizes, W, activation)
    # a_t = U x_t + b + W h_{t-1}, and h_0 = 0
    torch.mm(dA[batch_sizes[0] :].T, H_previous, out=gradient.W)
    if x.ndim == 1:
        gradient.U.zero_().index_add_(0, x, dA)
        torch.sum(gradient.U, 0, out=gradient.b)
    else:
        torch.mm(x.T, dA, out=gradient.U)
        torch.sum(dA, 0, out=gradient.b)
    return total


def chance_loss(loss, n_outputs):
    """The loss, a sequence, of a network whose scores do not depend on its input.

    Of labels all equally likely, or of targets of variance 1.
    """
    return math.log(n_outputs) if loss is cross_entropy else 0.5


def cross_entropy(scores, labels, sample_weight):
    """Summed cross entropy of the softmax of raw scores, and its gradient.

    Parameters
    ----------
    scores : Tensor of shape (n_sequences, n_classes)
        Raw: the logarithm of the softmax is taken in one step, which stays finite
        where the softmax itself would round to 0.
    labels : Tensor of shape (n_sequences,), int64
    sample_weight : Tensor of shape (n_sequences,)

    Returns
    -------
    total : Tensor of shape ()
    dscores : Tensor of shape (n_sequences, n_classes)
    """
    n_sequences, n_classes = scores.shape
    log_probabilities = torch.log_softmax(scores, dim=1)
    chosen = torch.arange(n_sequences) * n_classes + labels  # in the flat scores
    total = -(log_probabilities.view(-1)[chosen] @ sample_weight)
    # d/dscores of -log softmax(scores)[label] is softmax(scores) - one_hot(label)
    dscores = log_probabilities.exp_()
    dscores.view(-1).index_add_(0, chosen, scores.new_full((n_sequences,), -1.0))
    dscores.mul_(sample_weight.unsqueeze(1))
    return total, dscores


def squared_error(scores, targets, sample_weight):
    """Summed squared error, half of it, averaged over outputs, and its gradient.

    Parameters
    ----------
    scores, targets : Tensors of shape (n_sequences, n_outputs)
    sample_weight : Tensor of shape (n_sequences,)

    Returns
    -------
    total : Tensor of shape ()
    dscores : Tensor of shape (n_sequences, n_outputs)
    """
    n_outputs = scores.shape[1]
    error = scores - targets
    dscores = error * (sample_weight / n_outputs).unsqueeze(1)
    return 0.5 * (error * dscores).sum(), dscores
