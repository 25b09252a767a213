"""One step downhill: clipping, weight decay, Adam, on all weights or on some rows."""

import math

import torch
from torch import Tensor

from skrnn._core import network
from skrnn._core.compiled import compiled


class Adam:
    """Adam with decoupled weight decay [1]_ [2]_ on one flat tensor.

    Parameters
    ----------
    weights : Tensor of shape (n_weights,)

    Notes
    -----
    ``torch.optim`` is not used: creating one of its optimisers imports the compiler,
    which takes longer than fitting a small network.

    References
    ----------
    .. [1] Kingma and Ba (2015), "Adam: A Method for Stochastic Optimization", ICLR,
       algorithm 1 (beta_1 0.9, beta_2 0.999, epsilon 1e-8).
    .. [2] Loshchilov and Hutter (2019), "Decoupled Weight Decay Regularization", ICLR.
    """

    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, weights):
        self.weights = weights
        self.mean = torch.zeros_like(weights)  # of the gradient
        self.square = torch.zeros_like(weights)  # of its square
        self.n_steps = 0
        self.make_scratch()

    def make_scratch(self):
        """Memory for one step, used again: fresh one would come page by page."""
        self._scale = torch.empty_like(self.weights)

    def step(self, gradient, learning_rate, decay=1.0, n_biases=0):
        """Decay the weights and move them against the gradient.

        Parameters
        ----------
        gradient : Tensor
            Of the first weights, as many as it has entries; the others stay.
        learning_rate : float
        decay : float, default=1.0
            What the weights are multiplied by,
        n_biases : int, default=0
            but for these first ones.
        """
        self.n_steps += 1
        n = len(gradient)
        # Both averages started at 0; divide by the share of real gradients in them.
        seen_mean = 1 - self.beta_1**self.n_steps
        seen_square = 1 - self.beta_2**self.n_steps
        _adam_step(
            self.weights[:n],
            self.mean[:n],
            self.square[:n],
            self._scale[:n],
            gradient,
            n_biases,
            decay,
            1 - self.beta_1,
            self.beta_2,
            seen_square**-0.5,
            self.epsilon,
            -learning_rate / seen_mean,
        )


@compiled
def _adam_step(
    weights: Tensor,
    mean: Tensor,
    square: Tensor,
    scale: Tensor,
    gradient: Tensor,
    n_biases: int,
    decay: float,
    rate: float,
    beta_2: float,
    unbiased: float,
    epsilon: float,
    size: float,
):
    weights[n_biases:].mul_(decay)
    mean.lerp_(gradient, rate)
    square.mul_(beta_2).addcmul_(gradient, gradient, value=1.0 - beta_2)
    torch.sqrt(square, out=scale).mul_(unbiased).add_(epsilon)
    weights.addcdiv_(mean, scale, value=size)


def to_clipped_mean(gradient, n_sequences, max_norm):
    """Turn a summed gradient into the mean, of at most `max_norm` in length, in place.

    Parameters
    ----------
    gradient : Tensor of shape (n_weights,)
    n_sequences : int
    max_norm : float or None
        None does not clip.

    References
    ----------
    .. [1] Pascanu, Mikolov and Bengio (2013), "On the difficulty of training
       recurrent neural networks", ICML.
    """
    if max_norm is None:
        gradient.div_(n_sequences)
        return
    # mean * min(1, max_norm / |mean|) = sum * min(1 / n, max_norm / |sum|)
    norm = torch.linalg.vector_norm(gradient)
    gradient.mul_((max_norm / norm).clamp_(max=1.0 / n_sequences))


class AllWeights:
    """Each update moves every weight.

    Parameters
    ----------
    weights : Weights
    """

    def __init__(self, weights):
        self._weights = weights
        self._adam = Adam(weights.flat)

    def local(self, inputs):
        """What takes part in a batch.

        Parameters
        ----------
        inputs : list of Tensor
            Token ids or numbers of the batch.

        Returns
        -------
        weights : Weights
            For the loss and the gradient of this batch; :meth:`update` moves them.
        inputs : list of Tensor
            As these weights number the tokens.
        """
        return self._weights, inputs

    def update(self, gradient, learning_rate, weight_decay):
        """Decay the weights and move them.

        Parameters
        ----------
        gradient : Tensor
            Of the flat weights that :meth:`local` returned last.
        learning_rate, weight_decay : float
        """
        decay = 1 - learning_rate * weight_decay
        self._adam.step(gradient, learning_rate, decay, self._weights.n_biases)

    def synchronise(self):
        """Bring the weights that were passed in up to date."""


class SomeRows:
    """Each update moves the token vectors of its batch only, and all other weights.

    For vocabularies so large that a batch holds few of their tokens: an update then
    costs no more than with a small vocabulary. The averages of Adam stand still for a
    vector that is not in the batch ("lazy" Adam). Weight decay is made up for when the
    vector is needed, and at the end of an epoch: it is as if applied each time.

    Parameters
    ----------
    weights : Weights
        Of a network that reads tokens.
    """

    def __init__(self, weights):
        self._weights = weights
        self._n_shared = weights.n_shared
        # Of the shared weights, followed by the rows of the last batch.
        self._adam = Adam(weights.flat[: self._n_shared].clone())
        tables = [layer.U for layer in weights.layers[0]]
        self._tables = {
            "weights": tables,
            "mean": [torch.zeros_like(table) for table in tables],
            "square": [torch.zeros_like(table) for table in tables],
        }
        self._tokens = None
        # Logarithms of what weight decay has multiplied by: in all, and for each row
        # when it was last brought up to date.
        self._decay = 0.0
        self._decay_of = torch.zeros(len(tables[0]), dtype=torch.float64)

    def local(self, inputs):
        """See :meth:`AllWeights.local`."""
        tokens, numbers = torch.unique(torch.cat(inputs), return_inverse=True)
        self._tokens = tokens
        self._reserve(
            self._n_shared + sum(len(tokens) * t.shape[1] for t in self._tables["mean"])
        )
        for table, rows in self._tables_and_rows():
            torch.index_select(table, 0, tokens, out=rows)
        architecture, n_outputs = self._weights.architecture, len(self._weights.c)
        local = network.view(
            architecture, len(tokens), n_outputs, lambda n: self._adam.weights[:n]
        )
        overdue = self._overdue_decay(self._decay_of[tokens])
        for layer in local.layers[0]:
            layer.U.mul_(overdue)
        return local, list(numbers.split([len(x) for x in inputs]))

    def update(self, gradient, learning_rate, weight_decay):
        """See :meth:`AllWeights.update`."""
        factor = 1 - learning_rate * weight_decay
        self._decay += math.log(factor)
        self._decay_of[self._tokens] = self._decay
        self._adam.step(gradient, learning_rate, factor, self._weights.n_biases)
        for table, rows in self._tables_and_rows():
            table.index_copy_(0, self._tokens, rows)

    def synchronise(self):
        """See :meth:`AllWeights.synchronise`."""
        shared = slice(0, self._n_shared)
        self._weights.flat[shared] = self._adam.weights[shared]
        overdue = self._overdue_decay(self._decay_of)
        for table in self._tables["weights"]:
            table.mul_(overdue)
        self._decay_of.fill_(self._decay)

    def _overdue_decay(self, decay_of):
        """Factors for rows that were last decayed then, of shape (n_rows, 1)."""
        factors = torch.exp(self._decay - decay_of)
        return factors.to(self._weights.flat.dtype).unsqueeze(1)

    def _reserve(self, n_weights):
        """Make place for this many weights."""
        if n_weights > len(self._adam.weights):
            for name in self._tables:
                old = getattr(self._adam, name)
                new = old.new_empty(n_weights)
                new[: self._n_shared] = old[: self._n_shared]
                setattr(self._adam, name, new)
            self._adam.make_scratch()

    def _tables_and_rows(self):
        """Each table, and where the rows of the batch lie in the flat tensors."""
        n_tokens = len(self._tokens)
        for name, tables in self._tables.items():
            flat = getattr(self._adam, name)[self._n_shared :]
            for table in tables:
                size = n_tokens * table.shape[1]
                yield table, flat[:size].view(n_tokens, -1)
                flat = flat[size:]
