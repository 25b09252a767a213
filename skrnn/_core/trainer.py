"""The minibatch loop: gradients of shards, updates, epochs, and when to stop."""

import math
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from skrnn._core import windows
from skrnn._core.batch import Start
from skrnn._core.batches import Batches
from skrnn._core.execution import CPU, Execution
from skrnn._core.group import InterruptOfAll
from skrnn._core.imports import kernel_imports
from skrnn._core.kernels import KERNELS
from skrnn._core.linear import check_columns
from skrnn._core.plan import Plan
from skrnn._core.rules import RULES
from skrnn._core.shards import shards_for
from skrnn._core.sparse_rows import SparseRows
from skrnn._core.updates.all_weights import AllWeights
from skrnn._core.updates.drop_connect import DropConnect
from skrnn._core.updates.embedded import Embedded
from skrnn._core.updates.padded import Padded
from skrnn._core.updates.some_rows import SomeRows
from skrnn._core.updates.wide import Wide
from skrnn._core.vocabulary import check_ids

# With a vocabulary larger than this plus twice the number of tokens in a minibatch, an
# update moves only the token vectors in the minibatch.
_MANY_TOKENS = 2000


@dataclass(frozen=True, slots=True)
class Trainer:
    """How to train: a loss, a plan, and where arithmetic happens.

    Attributes
    ----------
    loss : str
        A module of :mod:`skrnn._core.losses`, or "ctc".
    plan : Plan
    execution : Execution
    """

    loss: str
    plan: Plan
    execution: Execution

    @property
    def kernels(self):
        """What computes losses and gradients."""
        return KERNELS[self.execution.kernels]

    def run(self, state, data, judge=None, watch=None):
        """Train the weights of `state` in place.

        Training stops when it has converged, as defined by the plan. It also stops when
        the user interrupts it, or when the loss or the weights are not finite; the
        weights from before that epoch are then restored. The number of shards affects
        the rounding of the result, but the order in which shards finish does not.

        The ranks of a group run it together, with equal states. They have equal data,
        and each computes its shards of all minibatches; or, as an Apart group, they
        have parts of their own of each minibatch. Rank 0 decides whether to go on.

        Parameters
        ----------
        state : TrainingState
        data : TrainingData or DataInParts
        judge : callable, default=None
            ``judge()`` is called after each epoch and returns the loss and the score on
            validation sequences. Training ends with the weights of the best score.
        watch : object, default=None
            ``watch.epoch_begins()`` is called before each epoch, and
            ``watch.epoch_ends(state)`` after it, which returns whether to stop.
            ``watch.is_alone`` is whether an interrupt should end this training only.

        Raises
        ------
        KeyboardInterrupt
            If interrupted in the first epoch, if ``watch.is_alone`` is False, or if
            this rank is interrupted a second time.
        """
        plan, group = self.plan, self.execution.group
        example = data.example
        check_values(state, CPU.array(example.values), example.wide)
        batches = self._batches(state.weights, data)
        n_shards = batches.shards.n_of(min(plan.batch_size, len(data)))
        n_workers = math.ceil(n_shards / group.n_sharing)
        # A minibatch may have few of many tokens: no gradient for all of them.
        n_inputs = None if data.example.values.is_floating_point() else 0
        workspaces = [
            self.kernels.make_workspace(state.weights, n_inputs)
            for _ in range(n_workers)
        ]
        with (
            self.execution.threads(n_workers) as run,
            _may_be_interrupted(state, watch, group),
            group.interrupted_together(),
        ):
            updates = state.begin(
                plan.clock,
                len(data),
                lambda moments: self._updates(state, data, moments),
            )
            epoch = _Epoch(self, batches, updates, workspaces, run)
            progress = state.progress
            is_over = progress.has_ended or progress.n_done >= progress.n_epochs
            while not is_over:
                if watch is not None:
                    watch.epoch_begins()
                state.epoch_begins()
                with self.execution.denormals_flushed():
                    loss = epoch.run(state)
                _record(state, loss, judge, group)
                is_over = progress.is_over(plan) or progress.diverged
                if progress.goes_back:
                    state.restore_best()
                stop = watch is not None and watch.epoch_ends(state)
                is_over = is_over or group.of_first(partial(bool, stop))
        state.end()
        group.share(state.trained)

    def _batches(self, weights, data):
        dropout, of_states = self.plan.dropout, self.plan.dropout_of_states
        of_states = dropout if of_states is None else of_states
        hidden = []
        if dropout > 0 or of_states > 0:
            above = [len(directions[0].U) for directions in weights.layers[1:]]
            hidden = [((width, dropout),) for width in above]
            n_filters = weights.architecture.n_features_of_filters
            n_states = weights.V.shape[1] - n_filters
            of_filters = [(n_filters, dropout)] if n_filters else []
            hidden += [((width, dropout),) for width in _widths_of_decoder(weights)]
            hidden.append(((n_states, of_states), *of_filters))
        shards = shards_for(weights.architecture, self.execution.n_threads)
        shards = shards.among(self.execution.group.n_sharing)
        return Batches(data, self.plan, shards, hidden, self.execution)

    def _updates(self, state, data, moments):
        """The updates of the network, and of the wide path if there is one."""
        is_here = self.execution.kernels == "numba"
        updates = (self._of_network if is_here else self._of_copy)(state, data, moments)
        if self.plan.recurrent_dropout > 0:
            rate, generator = self.plan.recurrent_dropout, state.generator
            updates = DropConnect(updates, rate, generator, self.execution)
        if state.wide is None:
            return updates
        is_sparse = isinstance(data.example.wide, SparseRows)
        if is_here:
            group = self.execution.group
            return Wide(updates, state.wide, self.loss, moments, group, is_sparse)
        return _autograd_updates().Wide(
            updates, state.wide, self.loss, self.execution, moments, is_sparse
        )

    def _of_network(self, state, data, moments):
        """Choose between updates of all token vectors and of those in the minibatch."""
        weights, rule = state.weights, RULES[self.plan.rule]
        group = self.execution.group
        if state.embeddings is not None:
            updates = Embedded(weights, rule, state.embeddings, moments, group)
        elif self._has_few_of_many_tokens(weights, data):
            updates = SomeRows(weights, rule, moments, group)
        else:
            updates = AllWeights(weights, rule, moments)
        return Padded(updates, group) if data.is_padded else updates

    def _of_copy(self, state, data, moments):
        """The same for a copy of the weights on a device."""
        is_lazy = state.embeddings is None
        is_lazy = is_lazy and self._has_few_of_many_tokens(state.weights, data)
        return _autograd_updates().Updates(
            state,
            self.plan,
            self.execution,
            moments,
            is_lazy=is_lazy,
            is_padded=data.is_padded,
        )

    def _has_few_of_many_tokens(self, weights, data):
        """Whether an update moves only the vectors of tokens in the minibatch."""
        plan, values = self.plan, data.example.values
        share = min(1, plan.batch_size / len(data))
        if data.per_step and plan.truncate is not None:
            share *= min(1, plan.truncate * len(data) / data.n_rows)
        tokens_per_update = data.n_rows * math.prod(values.shape[1:]) * share
        is_token = not values.is_floating_point()
        return is_token and weights.n_inputs > _MANY_TOKENS + 2 * tokens_per_update


@dataclass(frozen=True, slots=True)
class _Epoch:
    """What all passes over the data have in common."""

    trainer: Trainer
    batches: Batches
    updates: object
    workspaces: list
    run_on_threads: object

    def run(self, state):
        """Make one pass over the data.

        Returns
        -------
        loss : float
            The mean loss, computed while the weights change.
        """
        data, total = self.batches.data, 0.0
        generator = self._group.own_generator(state.generator)
        for part in data.parts():
            total += self._run_part(part, state, generator)
            del part  # before the next one is read
        self.updates.synchronise()
        return sum(self._group.gather(float(total))) / len(data)

    def _run_part(self, part, state, generator):
        """Make one pass over data that are in memory, and return the summed loss."""
        plan, clock = self.trainer.plan, state.progress.clock
        n_per_epoch = plan.n_minibatches(len(self.batches.data))
        total, batches = 0.0, replace(self.batches, data=part)
        minibatches = _Ahead(batches.of_an_epoch(generator))
        for minibatch in minibatches:
            done = state.n_minibatches
            n_sequences = sum(self._group.gather_own(sum(map(len, minibatch))))
            if n_sequences == 0:  # none of them has a target
                continue
            for shards, share in self._spans(minibatch, generator):
                learning_rate = plan.learning_rate_at(clock.read(done, n_per_epoch))
                beside, after = self._others(minibatches, learning_rate)
                n_at_once = n_sequences * share
                total += self._update(shards, n_at_once, learning_rate, beside)
                for function in after:
                    function()
                done += share
            state.n_minibatches += 1
        return total

    def _spans(self, minibatch, generator):
        """Yield the shards of each update, and their share of the minibatch."""
        if self._truncate is None:
            yield minibatch, 1.0
            return
        is_first = True
        gather = self._group.gather_own
        for shards, share in windows.spans(minibatch, self._truncate, gather):
            if not is_first:  # go on from the end of the last update
                own = self._group.own(range(len(shards)))
                for i, before in zip(own, self.workspaces, strict=False):
                    start = Start.without_pooling(before.end, len(shards[i]))
                    shards[i] = replace(shards[i], start=start)
                shards = self.batches.with_masks(shards, generator)
            yield shards, share
            is_first = False

    @property
    def _group(self):
        return self.trainer.execution.group

    @property
    def _truncate(self):
        """The number of steps per window, if each step has a target."""
        return self.trainer.plan.truncate if self.batches.data.per_step else None

    def _update(self, shards, n_sequences, learning_rate, beside):
        """Update the network by a minibatch, and return the summed loss of own shards.

        The thread that ends the last shard goes on to update the weights. Threads that
        have no shard left call the functions `beside` meanwhile, which share nothing
        with the network. So threads wait for each other only once per minibatch, and so
        do ranks. All ranks know the tokens of all shards, so that they move the same
        rows.
        """
        weights, shards = self.updates.local(shards)
        shards = self._group.own(shards)
        workspaces = self.workspaces[: len(shards)]
        left = list(range(len(shards)))  # to pop from, as no two threads do at once

        def update(workspaces):
            gradient = _sum_of_gradients(workspaces)
            self._group.add(gradient)
            plan = self.trainer.plan
            self.updates.update(gradient, n_sequences, learning_rate, plan)

        def loss_of(shard, workspace):
            loss = self.trainer.kernels.loss_and_gradient(
                weights, shard, self.trainer.loss, workspace, self._truncate
            )
            if left.pop() == 0:
                update(workspaces)
            return loss

        tasks = [
            partial(loss_of, shard, workspace)
            for shard, workspace in zip(shards, workspaces, strict=True)
        ]
        if not tasks:  # fewer shards than ranks
            self.workspaces[0].clear(weights)
            tasks = [partial(update, self.workspaces[:1])]
        results = list(self.run_on_threads(lambda task: task(), tasks + beside))
        return sum(results[: len(shards)])

    def _others(self, minibatches, learning_rate):
        """Functions to call while the network is updated, in this order, and after it.

        Ranks exchange gradients in the same order, so not while they do others.
        """
        beside, after = [minibatches.make], []
        if isinstance(self.updates, Wide):
            then = after if self._group.world_size > 1 else beside
            then.insert(0, partial(self.updates.update_wide, learning_rate))
        return beside, after


class _Ahead:
    """An iterator whose next item can be made before it is asked for.

    Parameters
    ----------
    items : iterable
    """

    def __init__(self, items):
        self._items, self._made = iter(items), []

    def make(self):
        """Make the next item, if there is one."""
        if not self._made:
            self._made.extend(islice(self._items, 1))

    def __iter__(self):
        self.make()
        while self._made:
            yield self._made.pop()
            self.make()


def _autograd_updates():
    """The updates by torch's operations, imported when they are first needed."""
    with kernel_imports():
        from skrnn._core.autograd import updates

    return updates


def _widths_of_decoder(weights):
    """The widths of what a decoder reads of its encoder, and of its own layers."""
    if not weights.architecture.writes:
        return []
    above = [len(layer.U) for layer in weights.of_decoder[1:]]
    return [weights.architecture.n_encoded, *above]


def _sum_of_gradients(workspaces):
    """Add the gradients of shards in their order, whichever was computed first."""
    first, *others = (workspace.gradient.flat for workspace in workspaces)
    for other in others:
        first.add_(other)
    return first


def check_values(state, values, wide):
    """Raise if the network has no weights for the values. The kernels do not check it.

    Parameters
    ----------
    state : TrainingState
    values : ndarray of shape (n_rows, ...)
    wide : SparseRows, DenseRows or None

    Raises
    ------
    ValueError
    """
    n_inputs = state.weights.n_inputs
    if state.wide is not None:
        check_columns(wide, len(state.wide))
    if values.dtype.kind != "f":
        n = n_inputs if state.embeddings is None else len(state.embeddings.vectors)
        check_ids(values, n)
    elif values.shape[1] != n_inputs:
        raise ValueError(
            f"Each step has {values.shape[1]} numbers, but U has {n_inputs} inputs."
        )


def _record(state, loss, judge, group):
    """Record an epoch in the progress; undo it if loss or weights are not finite."""
    progress = state.progress
    is_finite = group.of_first(lambda: math.isfinite(loss) and state.is_finite)
    if not is_finite:
        state.undo_epoch()
    scores = group.of_first(judge) if judge is not None and is_finite else ()
    progress.record(loss, *scores)
    progress.diverged = not is_finite
    if progress.is_best:
        state.keep_as_best()


@contextmanager
def _may_be_interrupted(state, watch, group):
    """Let Ctrl-C end training with the last complete epoch, if there is one.

    The interrupt is re-raised if it should end more than this training, or if it is not
    one of all ranks.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        is_alone = watch is None or watch.is_alone
        is_alone &= group.world_size == 1 or isinstance(error, InterruptOfAll)
        if not is_alone or state.progress is None or state.progress.n_done == 0:
            raise
        state.progress.interrupted = True
        state.undo_incomplete_epoch()
