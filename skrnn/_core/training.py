"""The minibatch loop: order, shards, schedule, stopping, history."""

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from skrnn._core import gradient, network
from skrnn._core.memory import Scratch
from skrnn._core.optimiser import AllWeights, Embedded, SomeRows
from skrnn._core.packing import Packing, pack
from skrnn._core.prediction import states_after
from skrnn._core.threads import threads
from skrnn._core.vocabulary import UNKNOWN

# Steps whose packing is in memory at once.
_MAX_ROWS = 2**20
# Multiplications a step from which a shard is worth a thread of its own: below, the
# threads cost more than they save. On two cores, an epoch of surnames on two threads
# took 1.05 times as long as on one at 1.05 million (rnn of 128, two times 64
# sequences), 0.84 to 0.92 times at 1.28 million (rnn of 100, two times 128), and 0.62
# times at 8.4 million (lstm of 128, two times 128).
_MIN_SHARD_WORK = 1.2e6
_MIN_SHARD = 32  # sequences
# Vocabularies larger than this, and than what is in a batch, are updated in part.
_MANY_TOKENS = 2000

WARM_UP = 0.25  # the share of a fit in which the learning rate rises


def one_cycle(done, start=0.1, end=0.01):
    """Learning rate over its maximum, when the share `done` of a fit is done.

    Rises by half a cosine from `start` to 1, then falls by another one to `end` [1]_.

    References
    ----------
    .. [1] Smith and Topin (2019), "Super-convergence: very fast training of neural
       networks using large learning rates", SPIE 11006.
    """
    if done < WARM_UP:
        low, phase = start, 1 - done / WARM_UP
    else:
        low, phase = end, (done - WARM_UP) / (1 - WARM_UP)
    return low + (1 - low) * 0.5 * (1 + math.cos(math.pi * phase))


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train: the numbers of a fit, resolved.

    Attributes
    ----------
    n_epochs : int
        At most this many passes over the data; the schedule spans them all.
    batch_size : int
        Sequences an update.
    learning_rate : float
        The largest one of the schedule.
    is_constant : bool
        Whether the learning rate stays at that, not on its one cycle.
    weight_decay : float
        Each update scales all weights but the biases by
        ``1 - learning_rate * weight_decay``.
    max_grad_norm : float or None
    tol : float
    n_iter_no_change : int
        Stop when the loss has been below `tol` for this many epochs in a row; or, with
        validation, when the score has not got better by more than `tol`.
    dropout : float
        Probability of each input of the layers above the first, and of the output
        layer, to be 0, at all steps of a sequence or at none [1]_.
    truncate : int or None
        Backpropagate through the last so many steps of a sequence only.
    n_shards : int
        Large minibatches are cut into so many parts, each for a thread,
    min_shard : int
        but into none of fewer sequences than this.

    References
    ----------
    .. [1] Gal and Ghahramani (2016), "A Theoretically Grounded Application of Dropout
       in Recurrent Neural Networks", NeurIPS.
    """

    n_epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    max_grad_norm: float | None
    tol: float
    n_iter_no_change: int
    is_constant: bool = False
    dropout: float = 0.0
    truncate: int | None = None
    n_shards: int = 1
    min_shard: int = _MIN_SHARD

    def learning_rate_at(self, done):
        """The learning rate when the share `done` of the fit is done."""
        return self.learning_rate * (1.0 if self.is_constant else one_cycle(done))

    def n_shards_of(self, n_sequences):
        """Into how many shards a minibatch of so many sequences is cut."""
        return max(1, min(self.n_shards, n_sequences // self.min_shard))

    def cuts(self, lengths):
        """The first sequence of each shard of a minibatch.

        Each gets its share of the steps.

        Parameters
        ----------
        lengths : ndarray of shape (n_sequences,)
            Steps of each sequence, the longest first. Shards of sequences of like
            length have fewer steps than shards of all lengths.

        Returns
        -------
        cuts : list of int
        """
        n_shards = self.n_shards_of(len(lengths))
        if n_shards == 1:
            return [0]
        n_rows = np.cumsum(lengths)
        shares = n_rows[-1] * np.arange(1, n_shards) / n_shards
        cuts = np.searchsorted(n_rows, shares, side="right")
        return [0, *np.unique(np.maximum(cuts, 1)).tolist()]


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of a minibatch that one thread computes.

    Attributes
    ----------
    x : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
    packing : Packing
    target, sample_weight : Tensors
        In the order of the packing, one entry a sequence or a row.
    masks : list of Tensors of shape (n_sequences, n_inputs of a layer)
        Of the inputs of each layer but the first, and of the output layer; empty
        without dropout.
    before : Tensor or None
        Token ids or numbers of the steps before those that are packed; None if there
        are none.
    starts, n_before : ndarrays of shape (n_sequences,)
        Where in `before` those of a sequence begin, and how many there are.
    """

    x: torch.Tensor
    packing: Packing
    target: torch.Tensor
    sample_weight: torch.Tensor
    masks: list
    before: torch.Tensor | None
    starts: np.ndarray
    n_before: np.ndarray

    def with_masks(self, masks, first):
        """This shard with its part of the masks of a batch that begins at `first`."""
        order = self.packing.indices - first
        return replace(self, masks=[mask.index_select(0, order) for mask in masks])


@dataclass(frozen=True, slots=True)
class Examples:
    """Training data on the device.

    Attributes
    ----------
    values : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
        Token ids or numbers of all sequences, end to end.
    offsets : ndarray of shape (n_samples + 1,)
    target : Tensor of shape (n_samples,) or (n_samples, n_outputs)
        What to predict of each sequence; or, of shape (n_rows, ...), at each step, for
        a network without pooling.
    sample_weight : Tensor of shape (n_samples,) or (n_rows,)
        Of each target; together n_samples.
    hiding : Tensor of shape (n_inputs,) or None
        Probability of each token to be replaced by the unknown one, id 0.
    at_each_step : bool
        Whether there is a target for each step.
    """

    values: torch.Tensor
    offsets: np.ndarray
    target: torch.Tensor
    sample_weight: torch.Tensor
    hiding: torch.Tensor | None = None
    at_each_step: bool = False

    def __len__(self):
        return len(self.offsets) - 1

    def batches(self, plan, generator, widths=()):
        """The sequences in random order, packed batch by batch.

        What is drawn for a sequence does not depend on the shard it comes into.

        Parameters
        ----------
        plan : Plan
        generator : torch.Generator
        widths : sequence of int, default=()
            The number of inputs of each layer that has dropout.

        Yields
        ------
        shards : list of Shard
        """
        n_samples, batch_size = len(self), plan.batch_size
        order = torch.randperm(n_samples, generator=generator)
        values = self._with_some_hidden(generator)
        # Packing many batches at a time, but not all: memory is to stay bounded.
        steps_a_batch = len(self.values) * batch_size // n_samples
        at_a_time = max(1, _MAX_ROWS // max(1, steps_a_batch))
        for indices in order.split(batch_size * at_a_time):
            indices, cuts = self._cut(indices, plan)
            shards = self._shards(values, indices, np.concatenate(cuts), plan)
            for batch in cuts:
                masks = [
                    _dropout_mask(batch_size, width, plan.dropout, generator)
                    for width in widths
                ]
                yield [next(shards).with_masks(masks, batch[0]) for _ in batch]

    def _cut(self, indices, plan):
        """Sort each minibatch, the longest sequences first, and cut it into shards.

        Returns
        -------
        indices : Tensor
        cuts : list of lists of int
            For each minibatch, where its shards begin in `indices`.
        """
        lengths = np.diff(self.offsets)[indices.numpy()]
        if plan.truncate is not None:
            lengths = np.minimum(lengths, plan.truncate)
        batch = np.arange(len(indices)) // plan.batch_size
        order = np.lexsort((-lengths, batch))
        lengths = lengths[order]
        cuts = [
            [first + cut for cut in plan.cuts(lengths[first : first + plan.batch_size])]
            for first in range(0, len(indices), plan.batch_size)
        ]
        return indices[torch.from_numpy(order)], cuts

    def _with_some_hidden(self, generator):
        """The values, some of the tokens replaced by the unknown one."""
        if self.hiding is None:
            return self.values
        values = self.values.clone()
        for part in values.view(-1).split(_MAX_ROWS):
            chance = torch.rand(len(part), generator=generator, dtype=self.hiding.dtype)
            part.masked_fill_(chance < self.hiding.index_select(0, part), UNKNOWN)
        return values

    def _shards(self, values, indices, cuts, plan):
        """Pack the sequences at `indices`, a Shard from each cut to the next."""
        chosen = indices.numpy()
        starts = self.offsets[chosen]
        lengths = self.offsets[chosen + 1] - starts
        n_before = np.zeros_like(lengths)
        if plan.truncate is not None:
            n_before = np.maximum(lengths - plan.truncate, 0)
        packings = pack(starts + n_before, lengths - n_before, cuts)
        # What takes one operation for all batches is not done batch by batch.
        rows = torch.cat([p.rows for p in packings])
        ranks = torch.cat([p.indices for p in packings])
        which = indices.index_select(0, ranks)
        starts, n_before = starts[ranks.numpy()], n_before[ranks.numpy()]
        n_rows = [len(p.rows) for p in packings]
        n_sequences = [len(p.indices) for p in packings]
        cuts = np.cumsum(n_sequences)[:-1]
        of, sizes = (rows, n_rows) if self.at_each_step else (which, n_sequences)
        parts = zip(
            values.index_select(0, rows).split(n_rows),
            packings,
            self.target.index_select(0, of).split(sizes),
            self.sample_weight.index_select(0, of).split(sizes),
            np.split(starts, cuts),
            np.split(n_before, cuts),
            strict=True,
        )
        for x, packing, target, weight, starts, n_before in parts:
            before = None
            if n_before.any():
                # Copied, so that an optimiser may number the tokens in its own way.
                first = np.cumsum(n_before) - n_before
                rows = np.arange(n_before.sum()) + np.repeat(starts - first, n_before)
                before, starts = values[torch.from_numpy(rows)], first
            yield Shard(x, packing, target, weight, [], before, starts, n_before)


@dataclass(slots=True)
class Progress:
    """What a fit has done so far.

    Attributes
    ----------
    n_epochs, n_sequences : int
        How many there will be, and are in an epoch.
    loss_curve, validation_losses, validation_scores : list of float
        One entry an epoch; the latter two are empty without validation.
    n_no_change : int
        Epochs in a row with a loss below `tol`; or, with validation, since the score
        got better by more than that.
    is_best : bool
        Whether the last epoch has the best validation score.
    diverged : bool
        Whether the last epoch ended with numbers that are not finite.
    interrupted : bool
        Whether the user ended the training.
    started : float
        When, in seconds.
    """

    n_epochs: int
    n_sequences: int
    loss_curve: list = field(default_factory=list)
    validation_losses: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    n_no_change: int = 0
    is_best: bool = False
    diverged: bool = False
    interrupted: bool = False
    started: float = field(default_factory=time.perf_counter)
    _to_beat: float = -math.inf
    _best: tuple = (math.inf, math.inf)

    @property
    def best_validation(self):
        """Score and loss of the best epoch."""
        return -self._best[0], self._best[1]

    def record(self, loss, validation_loss=None, score=None):
        """Add an epoch: its loss, and those of sequences it did not learn from."""
        self.is_best = False
        if score is not None:
            self._record_validation(validation_loss, score)
        self.loss_curve.append(loss)  # the last: then the epoch is complete

    def _record_validation(self, validation_loss, score):
        self.validation_losses.append(validation_loss)
        self.validation_scores.append(score)
        # Of equal scores, the one of the lower loss.
        self.is_best = (-score, validation_loss) < self._best
        if self.is_best:
            self._best = (-score, validation_loss)

    def count(self, tol):
        """Count the epochs without a change.

        A loss that stands still does not count: under a large learning rate it often
        does so for many epochs, before the network finds out what to remember, and
        falls again once the rate does.
        """
        if not self.validation_scores:
            self.n_no_change = self.n_no_change + 1 if self.loss_curve[-1] < tol else 0
            return
        score = self.validation_scores[-1]
        is_warm = len(self.loss_curve) > WARM_UP * self.n_epochs
        if score > self._to_beat + tol or not is_warm:
            self._to_beat, self.n_no_change = max(score, self._to_beat), 0
        else:
            self.n_no_change += 1

    def __str__(self):
        epoch = len(self.loss_curve)
        seconds = time.perf_counter() - self.started
        speed = epoch * self.n_sequences / seconds
        left = seconds / epoch * (self.n_epochs - epoch)
        score = ""
        if self.validation_scores:
            score = f"validation score {self.validation_scores[-1]:.4f}, "
        return (
            f"Epoch {epoch}/{self.n_epochs}, loss {self.loss_curve[-1]:.4f}, {score}"
            f"{speed:,.0f} sequences/s, {left:.0f} s left"
        )


class _Worker:
    """What one thread needs to turn a shard into a loss and a gradient.

    Parameters
    ----------
    weights : Weights
    loss : str
        As in :func:`skrnn._core.gradient.loss_and_gradient`.
    """

    def __init__(self, weights, loss):
        self.gradient = network.zeros_like(weights)
        self._memory = self.gradient.flat
        self._scratch = Scratch(weights.flat.dtype)
        self._loss = loss

    def run(self, weights, x, before, shard):
        """The summed loss of a shard; its gradient is left in `gradient`."""
        start = None
        if before is not None:
            start = states_after(weights, before, shard.starts, shard.n_before)
        self._fit_gradient(len(weights.layers[0][0].U), weights)
        return gradient.loss_and_gradient(
            weights,
            self.gradient,
            self._scratch,
            x,
            shard.packing,
            self._loss,
            shard.target,
            shard.sample_weight,
            shard.masks,
            start,
        )

    def _fit_gradient(self, n_inputs, weights):
        """Make the gradient one of a network of so many inputs."""
        if n_inputs != len(self.gradient.layers[0][0].U):
            n_outputs = len(weights.c)
            self.gradient = network.view(
                weights.architecture, n_inputs, n_outputs, self._reserve
            )

    def _reserve(self, n_weights):
        if n_weights > len(self._memory):
            self._memory = self._memory.new_empty(n_weights)
        return self._memory[:n_weights]


def fit(
    weights,
    examples,
    loss,
    plan,
    generator,
    embeddings=None,
    evaluate=None,
    watch=None,
    moments=None,
):
    """Train `weights` in place: minibatches, Adam, a one-cycle learning rate.

    Stops once it has converged, as `plan` says; or when the user interrupts it, or at a
    loss or weights that are not finite, with the weights from before that epoch. The
    result depends on the number of shards, in rounding, but not on which of them is
    done first.

    Parameters
    ----------
    weights : Weights
        Initial values.
    examples : Examples
    loss : {"cross_entropy", "binary_cross_entropy", "squared_error"}
    plan : Plan
    generator : torch.Generator
        All that is random: the order of the samples, the hidden tokens, dropout.
    embeddings : Embeddings, default=None
        Vectors of the tokens, which the network reads in their place; trained in
        place, too.
    evaluate : callable, default=None
        ``evaluate()`` is called after each epoch and returns the loss and the score of
        other sequences under `weights`. Training ends with the weights of the best
        score.
    watch : object, default=None
        ``watch.epoch_begins()`` is called before each epoch, and after it
        ``watch.epoch_ends(progress)``, which returns whether to stop;
        ``watch.is_alone`` is whether an interrupt is to end this training and no more.
    moments : Moments, default=None
        Of the training before, to go on from. Overwritten.

    Returns
    -------
    progress : Progress
    moments : callable
        ``moments()`` returns those at the end.

    Raises
    ------
    KeyboardInterrupt
        In the first epoch, or if the training is not alone.
    """
    n_samples = len(examples)
    n_updates = plan.n_epochs * math.ceil(n_samples / plan.batch_size)
    trained = [weights.flat] + ([] if embeddings is None else [embeddings.vectors])
    n_workers = plan.n_shards_of(min(plan.batch_size, n_samples))
    workers = [_Worker(weights, loss) for _ in range(n_workers)]
    widths = []
    if plan.dropout > 0:
        widths = [len(directions[0].U) for directions in weights.layers[1:]]
        widths.append(weights.V.shape[1])
    progress = Progress(plan.n_epochs, n_samples)
    snapshots = _Snapshots(trained)
    n_done = 0
    with threads(n_workers) as run, _may_be_interrupted(progress, snapshots, watch):
        optimiser = _choose_optimiser(
            weights, examples, plan, embeddings, moments, run, n_workers
        )
        for _ in range(plan.n_epochs):
            if watch is not None:
                watch.epoch_begins()
            snapshots.take()
            total = weights.flat.new_zeros(())
            for shards in examples.batches(plan, generator, widths):
                total += _add_gradients(run, workers, optimiser, shards)
                optimiser.update(
                    workers[0].gradient.flat,
                    sum(len(shard.packing.indices) for shard in shards),
                    plan.max_grad_norm,
                    plan.learning_rate_at(n_done / n_updates),
                    plan.weight_decay,
                )
                n_done += 1
            optimiser.synchronise()
            # The one wait for the device in an epoch.
            loss = total.item() / n_samples
            is_finite = math.isfinite(loss) and all(map(_is_finite, trained))
            if not is_finite:
                snapshots.undo()
            scores = evaluate() if evaluate is not None and is_finite else ()
            progress.record(loss, *scores)
            progress.diverged = not is_finite
            if progress.is_best:
                snapshots.keep_as_best()
            stop = watch is not None and watch.epoch_ends(progress)
            progress.count(plan.tol)
            enough = progress.n_no_change >= plan.n_iter_no_change
            if stop or enough or progress.diverged:
                break
    snapshots.restore_best()
    return progress, optimiser.moments


class _Snapshots:
    """What is being trained, as it was before this epoch and after the best one.

    Parameters
    ----------
    tensors : list of Tensor
        Written by :meth:`undo` and :meth:`restore_best`.

    Attributes
    ----------
    n_taken : int
        Epochs that have begun.
    """

    def __init__(self, tensors):
        self._tensors = tensors
        self._before = [torch.empty_like(tensor) for tensor in tensors]
        self._best = self._spare = None
        self.n_taken = 0

    def take(self):
        """Remember the tensors from before an epoch."""
        _copy(self._tensors, self._before)
        self.n_taken += 1

    def keep_as_best(self):
        """Remember them as the best."""
        copy = self._spare or [torch.empty_like(each) for each in self._tensors]
        _copy(self._tensors, copy)
        self._spare, self._best = self._best, copy

    def undo(self):
        """Go back to before this epoch."""
        _copy(self._before, self._tensors)

    def restore_best(self):
        """Go back to the best, if any was kept."""
        if self._best is not None:
            _copy(self._best, self._tensors)


@contextmanager
def _may_be_interrupted(progress, snapshots, watch):
    """Ctrl-C ends training after the last complete epoch, if there is one.

    It is passed on where it is to end more than this training.
    """
    try:
        yield
    except KeyboardInterrupt:
        is_alone = watch is None or watch.is_alone
        if not is_alone or not progress.loss_curve:
            raise
        progress.interrupted = True
        n_complete = len(progress.loss_curve)
        if n_complete < snapshots.n_taken:
            snapshots.undo()
        del progress.validation_losses[n_complete:]
        del progress.validation_scores[n_complete:]


def _copy(tensors, others):
    for tensor, other in zip(tensors, others, strict=True):
        other.copy_(tensor)


def _add_gradients(run, workers, optimiser, shards):
    """The summed loss of a batch; its gradient is left with the first worker.

    The sums are taken in the order of the shards, whichever is done first.
    """
    n = len(shards)
    local, inputs = optimiser.local(
        [shard.x for shard in shards], [shard.before for shard in shards]
    )
    losses = run(
        lambda worker, x, before, shard: worker.run(local, x, before, shard),
        workers[:n],
        *inputs,
        shards,
    )
    total, *others = losses
    for part, worker in zip(others, workers[1:n], strict=True):
        total += part
        workers[0].gradient.flat.add_(worker.gradient.flat)
    return total


def min_shard(architecture):
    """How many sequences a shard must have to be worth a thread of its own."""
    n_blocks = architecture.make_cell().n_state_blocks
    work = n_blocks * max(architecture.nhidden) ** 2  # of one sequence in one step
    return max(_MIN_SHARD, math.ceil(_MIN_SHARD_WORK / work))


def _is_finite(tensor):
    """Whether no entry is NaN or infinite."""
    # A sum is finite only if all is, and takes a tenth of the time.
    return bool(torch.isfinite(tensor.sum()) or torch.isfinite(tensor).all())


def _choose_optimiser(weights, examples, plan, embeddings, moments, run, n_workers):
    """Whether updates move all token vectors or only those of the batch."""
    if embeddings is not None:
        return Embedded(weights, embeddings, moments)
    n_inputs = len(weights.layers[0][0].U)
    n_samples = len(examples)
    tokens_a_batch = examples.values.numel() * min(1, plan.batch_size / n_samples)
    is_token = not examples.values.is_floating_point()
    if is_token and n_inputs > _MANY_TOKENS + 2 * tokens_a_batch:
        return SomeRows(weights, moments, run, n_workers)
    return AllWeights(weights, moments)


def _dropout_mask(n_sequences, width, rate, generator):
    """0 for what is dropped, and else what keeps the mean."""
    mask = torch.empty((n_sequences, width), dtype=torch.float32)
    return mask.bernoulli_(1 - rate, generator=generator).div_(1 - rate)
