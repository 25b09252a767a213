"""One step downhill: clipping, weight decay, Adam, on all weights or on some rows."""

import math
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from skrnn._core.compiled import compiled


class Adam:
    """Adam with decoupled weight decay [1]_ [2]_ on one tensor.

    Parameters
    ----------
    weights : Tensor
    mean, square : Tensors of the shape of `weights`, default=None
        Moving averages of the gradient and of its square, to go on from.
    n_steps : int, default=0
        The steps that they are of.

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

    def __init__(self, weights, mean=None, square=None, n_steps=0):
        self.weights = weights
        self.mean = torch.zeros_like(weights) if mean is None else mean
        self.square = torch.zeros_like(weights) if square is None else square
        self.n_steps = n_steps
        # Memory that is used again: fresh one would come page by page.
        self._scale = torch.empty_like(weights)

    def step(self, gradient, learning_rate, decay=1.0, n_biases=0):
        """Decay the weights and move them against the gradient.

        Parameters
        ----------
        gradient : Tensor of the shape of the weights
        learning_rate : float
        decay : float, default=1.0
            What the weights are multiplied by,
        n_biases : int, default=0
            but for these first ones.
        """
        self.n_steps += 1
        # Both averages started at 0; divide by the share of real gradients in them.
        seen_mean = 1 - self.beta_1**self.n_steps
        seen_square = 1 - self.beta_2**self.n_steps
        _adam_step(
            self.weights,
            self.mean,
            self.square,
            self._scale,
            gradient,
            n_biases,
            decay,
            1 - self.beta_1,
            self.beta_2,
            # mean / (sqrt(square / seen) + epsilon), a pass over memory less.
            self.epsilon * seen_square**0.5,
            -learning_rate / seen_mean * seen_square**0.5,
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
    epsilon: float,
    size: float,
):
    weights[n_biases:].mul_(decay)
    mean.lerp_(gradient, rate)
    square.mul_(beta_2).addcmul_(gradient, gradient, value=1.0 - beta_2)
    # Copied first: the root of what does not lie together takes ten times as long.
    scale.copy_(square).sqrt_().add_(epsilon)
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


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors that tokens have from elsewhere.

    Attributes
    ----------
    vectors : Tensor of shape (n_tokens, n_dimensions)
    is_fixed : Tensor of shape (n_tokens,), bool
        Which of them are not to be trained.
    """

    vectors: Tensor
    is_fixed: Tensor


@dataclass(frozen=True, slots=True)
class Moments:
    """What Adam remembers, for a training that goes on later.

    Attributes
    ----------
    mean, square : Tensors of shape (n_weights,)
        Its averages, in the order of the flat weights.
    n_steps : int
        The steps that they are of.
    vectors : tuple of 2 Tensors of shape (n_tokens, n_dimensions), default=()
        The averages of vectors that tokens have from elsewhere, if these are trained.
    """

    mean: Tensor
    square: Tensor
    n_steps: int
    vectors: tuple = ()


class AllWeights:
    """Each update moves every weight.

    Parameters
    ----------
    weights : Weights
    moments : Moments, default=None
        To go on from. Overwritten.
    """

    def __init__(self, weights, moments=None):
        self._weights = weights
        self._adam = _adam_on(weights.flat, moments)

    def local(self, *inputs):
        """What takes part in a batch.

        Parameters
        ----------
        *inputs : lists of Tensor or None
            Token ids or numbers of the batch.

        Returns
        -------
        weights : Weights
            For the loss and the gradient of this batch; :meth:`update` moves them.
        inputs : tuple of lists of Tensor or None
            As these weights number the tokens.
        """
        return self._weights, inputs

    def update(self, gradient, n_sequences, max_norm, learning_rate, weight_decay):
        """Decay the weights and move them.

        Parameters
        ----------
        gradient : Tensor
            Summed, of the flat weights that :meth:`local` returned last. Overwritten.
        n_sequences, max_norm
            See :func:`to_clipped_mean`.
        learning_rate, weight_decay : float
        """
        to_clipped_mean(gradient, n_sequences, max_norm)
        decay = 1 - learning_rate * weight_decay
        self._adam.step(gradient, learning_rate, decay, self._weights.n_biases)

    def synchronise(self):
        """Bring the weights that were passed in up to date."""

    def moments(self):
        """What to go on from; to be called after :meth:`synchronise`.

        Returns
        -------
        moments : Moments
        """
        return Moments(self._adam.mean, self._adam.square, self._adam.n_steps)


def _adam_on(flat, moments):
    if moments is None:
        return Adam(flat)
    return Adam(flat, moments.mean, moments.square, moments.n_steps)


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
    moments : Moments, default=None
        To go on from.
    run : callable, default=map
        ``run(function, *iterables)``, on several threads.
    n_parts : int, default=1
        Into how many parts, each for a thread, the vectors of a batch are cut.
    """

    def __init__(self, weights, moments=None, run=map, n_parts=1):
        self._weights = weights
        self._run = run
        self._n_parts = n_parts
        n_shared = weights.n_shared
        self._adam = Adam(weights.flat[:n_shared])
        tables = [layer.U for layer in weights.layers[0]]
        n_tokens, width = tables[0].shape
        # Row by row the vector, its two averages, and so for the other direction: what
        # a token needs lies together, and is fetched by one operation.
        self._rows = weights.flat.new_zeros((n_tokens, len(tables) * 3 * width))
        self._tables = self._by_direction(self._rows)
        for (vectors, _, _), table in zip(self._tables, tables, strict=True):
            vectors.copy_(table)
        if moments is not None:
            self._adam.mean.copy_(moments.mean[:n_shared])
            self._adam.square.copy_(moments.square[:n_shared])
            self._adam.n_steps = moments.n_steps
            means, squares = (
                flat[n_shared:].chunk(len(tables))
                for flat in (moments.mean, moments.square)
            )
            for (_, *averages), *saved in zip(
                self._tables, means, squares, strict=True
            ):
                for average, flat in zip(averages, saved, strict=True):
                    average.copy_(flat.view_as(average))
        self._tokens = self._local_rows = None
        # Logarithms of what weight decay has multiplied by: in all, and for each row
        # when it was last brought up to date.
        self._decay = 0.0
        self._decay_of = torch.zeros(n_tokens, dtype=torch.float64)

    def _by_direction(self, rows):
        """Views of the vectors and their averages, for each direction."""
        parts = rows.chunk(3 * len(self._weights.layers[0]), dim=1)
        return [parts[i : i + 3] for i in range(0, len(parts), 3)]

    def local(self, *inputs):
        """See :meth:`AllWeights.local`."""
        tokens, renumbered = _renumber(inputs)
        self._tokens = tokens
        self._local_rows = self._rows.new_empty((len(tokens), self._rows.shape[1]))
        self._in_parts(self._fetch, tokens, self._local_rows)
        overdue = self._overdue_decay(self._decay_of[tokens])
        first = []
        parts = self._by_direction(self._local_rows)
        for layer, (vectors, _, _) in zip(self._weights.layers[0], parts, strict=True):
            vectors.mul_(overdue)
            first.append(replace(layer, U=vectors))
        local = replace(self._weights, layers=[first, *self._weights.layers[1:]])
        return local, renumbered

    def update(self, gradient, n_sequences, max_norm, learning_rate, weight_decay):
        """See :meth:`AllWeights.update`."""
        to_clipped_mean(gradient, n_sequences, max_norm)
        factor = 1 - learning_rate * weight_decay
        self._decay += math.log(factor)
        self._decay_of[self._tokens] = self._decay
        n_shared = len(self._adam.weights)
        n_biases = self._weights.n_biases
        self._adam.step(gradient[:n_shared], learning_rate, factor, n_biases)
        gradients = [
            part.view(len(self._tokens), -1)
            for part in gradient[n_shared:].chunk(len(self._tables))
        ]
        move = partial(self._move, learning_rate, factor)
        self._in_parts(move, self._tokens, self._local_rows, *gradients)

    def _in_parts(self, function, *tensors):
        """Call `function` with some rows of each tensor, and the others, and so on."""
        parts = [tensor.tensor_split(self._n_parts) for tensor in tensors]
        list(self._run(function, *parts))

    def _fetch(self, tokens, rows):
        torch.index_select(self._rows, 0, tokens, out=rows)

    def _move(self, learning_rate, decay, tokens, rows, *gradients):
        """Decay and move some rows of a batch, and put them back."""
        tables = self._by_direction(rows)
        for (vectors, mean, square), gradient in zip(tables, gradients, strict=True):
            adam = Adam(vectors, mean, square, self._adam.n_steps - 1)
            adam.step(gradient, learning_rate, decay)
        # As torch's index_copy_, in half of the time.
        self._rows.numpy()[tokens.numpy()] = rows.numpy()

    def synchronise(self):
        """See :meth:`AllWeights.synchronise`."""
        overdue = self._overdue_decay(self._decay_of)
        layers = self._weights.layers[0]
        for layer, (vectors, _, _) in zip(layers, self._tables, strict=True):
            vectors.mul_(overdue)
            layer.U.copy_(vectors)
        self._decay_of.fill_(self._decay)

    def moments(self):
        """See :meth:`AllWeights.moments`."""
        mean, square = (
            torch.cat([of_shared, *(table[i].flatten() for table in self._tables)])
            for i, of_shared in ((1, self._adam.mean), (2, self._adam.square))
        )
        return Moments(mean, square, self._adam.n_steps)

    def _overdue_decay(self, decay_of):
        """Factors for rows that were last decayed then, of shape (n_rows, 1)."""
        factors = torch.exp(self._decay - decay_of)
        return factors.to(self._weights.flat.dtype).unsqueeze(1)


class Embedded:
    """Token vectors are given vectors times the U of the first layer.

    Each update moves the given vectors of its batch, unless they are fixed, and all
    weights. Given vectors do not decay: what the batches do not show stays.

    Parameters
    ----------
    weights : Weights
        Of a network that reads vectors.
    embeddings : Embeddings
    moments : Moments, default=None
        To go on from. Overwritten.
    """

    def __init__(self, weights, embeddings, moments=None):
        self._weights = weights
        self._embeddings = embeddings
        self._adam = _adam_on(weights.flat, moments)
        self._tokens = self._vectors = None
        self._averages = () if moments is None else moments.vectors
        if not self._averages and not embeddings.is_fixed.all():
            self._averages = tuple(
                torch.zeros_like(embeddings.vectors) for _ in range(2)
            )

    def local(self, *inputs):
        """See :meth:`AllWeights.local`."""
        self._tokens, renumbered = _renumber(inputs)
        self._vectors = self._embeddings.vectors.index_select(0, self._tokens)
        first = [
            replace(layer, U=self._vectors @ layer.U)
            for layer in self._weights.layers[0]
        ]
        layers = [first, *self._weights.layers[1:]]
        return replace(self._weights, layers=layers), renumbered

    def update(self, gradient, n_sequences, max_norm, learning_rate, weight_decay):
        """See :meth:`AllWeights.update`."""
        weights, vectors = self._weights, self._vectors
        is_fixed = self._embeddings.is_fixed.index_select(0, self._tokens)
        parts = [gradient[: weights.n_shared]]
        dvectors = torch.zeros_like(vectors)
        table_gradients = gradient[weights.n_shared :].chunk(len(weights.layers[0]))
        for layer, flat in zip(weights.layers[0], table_gradients, strict=True):
            dtable = flat.view(len(vectors), -1)
            parts.append((vectors.T @ dtable).flatten())
            dvectors.addmm_(dtable, layer.U.T)
        dvectors[is_fixed] = 0.0
        everything = torch.cat([*parts, dvectors.flatten()])
        to_clipped_mean(everything, n_sequences, max_norm)
        n_weights = len(weights.flat)
        decay = 1 - learning_rate * weight_decay
        self._adam.step(everything[:n_weights], learning_rate, decay, weights.n_biases)
        if is_fixed.all():
            return
        averages = [table.index_select(0, self._tokens) for table in self._averages]
        rows = Adam(vectors, *averages, self._adam.n_steps - 1)
        rows.step(everything[n_weights:].view_as(vectors), learning_rate)
        tables = self._embeddings.vectors, *self._averages
        for table, part in zip(tables, (vectors, *averages), strict=True):
            table.index_copy_(0, self._tokens, part)

    def synchronise(self):
        """See :meth:`AllWeights.synchronise`."""

    def moments(self):
        """See :meth:`AllWeights.moments`."""
        adam = self._adam
        return Moments(adam.mean, adam.square, adam.n_steps, self._averages)


def _renumber(inputs):
    """The tokens in a batch, sorted, and the inputs by their numbers among these.

    Parameters
    ----------
    inputs : tuple of lists of Tensor or None

    Returns
    -------
    tokens : Tensor of shape (n_tokens,), int
    renumbered : tuple of lists of Tensor or None
    """
    given = [x for part in inputs for x in part if x is not None]
    tokens, numbers = torch.unique(torch.cat(given), return_inverse=True)
    numbers = iter(numbers.split([len(x) for x in given]))
    return tokens.long(), tuple(
        [None if x is None else next(numbers) for x in part] for part in inputs
    )
