"""A training that is saved and goes on elsewhere, and the ways back within one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skrnn._core.architecture import Architecture
from skrnn._core.execution import CPU
from skrnn._core.layout import Layout
from skrnn._core.plan import Plan
from skrnn._core.progress import Progress
from skrnn._core.schedule import Clock
from skrnn._core.trainer import Trainer
from skrnn._core.training_data import TrainingData
from skrnn._core.training_state import TrainingState
from skrnn._core.updates.all_weights import AllWeights
from skrnn._core.updates.embedded import Embedded, Embeddings
from skrnn._core.updates.some_rows import SomeRows
from skrnn._core.weights import initialise, zeros

N_SAMPLES, BATCH_SIZE, N_EPOCHS, N_TOKENS = 20, 4, 6, 12
N_DIMENSIONS, N_OUTPUTS = 3, 2
ARCHITECTURE = Architecture((5, 4), "gru", bidirectional=True, pooling="sum")
UPDATES = {"all weights": AllWeights, "some rows": SomeRows, "vectors": Embedded}

every_kind = pytest.mark.parametrize("kind", UPDATES)


class Watch:
    """Stops after some epochs; looks at the state when one of them ends."""

    is_alone = True

    def __init__(self, stop_after=N_EPOCHS, look=None):
        self.stop_after, self.look = stop_after, look

    def epoch_begins(self):
        pass

    def epoch_ends(self, state):
        if self.look is not None:
            self.look(state)
        return state.progress.n_done == self.stop_after


def n_inputs_of(kind):
    """Of a vocabulary so large that an update moves some rows only, if it is to."""
    return {"all weights": N_TOKENS, "some rows": 3000, "vectors": N_DIMENSIONS}[kind]


def data_of(kind):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 6, N_SAMPLES)
    n_ids = 3000 if kind == "some rows" else N_TOKENS
    return TrainingData(
        values=torch.from_numpy(rng.integers(0, n_ids, lengths.sum())),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        target=torch.arange(N_SAMPLES) % N_OUTPUTS,
        weight=torch.ones(N_SAMPLES),
        hiding=torch.full((n_ids,), 0.3),
    )


def fresh_state(kind, seed=None):
    """Random weights and vectors, or without a seed some that are all 0."""
    weights = zeros(Layout(ARCHITECTURE, n_inputs_of(kind), N_OUTPUTS))
    vectors, generator = torch.zeros(N_TOKENS, N_DIMENSIONS), torch.Generator()
    if seed is not None:
        initialise(weights, kind != "vectors", generator.manual_seed(seed))
        vectors.normal_(generator=generator)
    embeddings = None
    if kind == "vectors":
        embeddings = Embeddings(vectors, torch.arange(N_TOKENS) % 4 == 0)
    return TrainingState(weights, generator, embeddings)


def trained(state, kind, watch=None, judge=None, **others):
    """Train a state by the plan of all tests here."""
    plan = Plan(
        batch_size=BATCH_SIZE,
        learning_rate=0.01,
        weight_decay=0.1,
        max_grad_norm=1.0,
        tol=0.0,
        dropout=0.4,
        **{"n_epochs": N_EPOCHS, "n_iter_no_change": N_EPOCHS, **others},
    )
    Trainer("cross_entropy", plan, CPU).run(state, data_of(kind), judge, watch)
    return state


def copies(state):
    """What is trained: all weights, and the vectors that tokens have from elsewhere."""
    embeddings = state.embeddings
    vectors = [] if embeddings is None else [embeddings.vectors.clone()]
    return [state.weights.flat.clone(), *vectors]


def assert_equal_tensors(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other)


def assert_equal_states(ours, theirs):
    """To the bit: the weights, and all that would shape the epochs to come."""
    assert_equal_tensors(copies(ours), copies(theirs))
    assert ours.moments.names == theirs.moments.names
    assert ours.moments.n_steps == theirs.moments.n_steps
    assert_equal_tensors(ours.moments.flat, theirs.moments.flat)
    assert_equal_tensors(ours.moments.of_vectors, theirs.moments.of_vectors)
    states = (each.generator.get_state() for each in (ours, theirs))
    assert torch.equal(*states)
    assert ours.n_minibatches == theirs.n_minibatches
    assert ours.progress.to_dict() == theirs.progress.to_dict()


def scripted_judge(state, scores):
    """A judge that gives the n-th epoch the n-th score, and a loss of 1."""
    return lambda: (1.0, scores[0 if state.progress is None else state.progress.n_done])


@every_kind
def test_the_updates_are_those_that_are_meant(kind, monkeypatch):
    chosen = []
    original = Trainer._updates

    def choose(*arguments):
        updates = original(*arguments)
        chosen.append(type(updates))
        return updates

    monkeypatch.setattr(Trainer, "_updates", choose)
    trained(fresh_state(kind, seed=0), kind, Watch(stop_after=1))
    assert chosen == [UPDATES[kind]]


@every_kind
def test_three_epochs_saved_and_three_more_equal_six(kind):
    whole = trained(fresh_state(kind, seed=0), kind)
    half = trained(fresh_state(kind, seed=0), kind, Watch(stop_after=3))
    assert half.progress.n_done == 3
    rest = fresh_state(kind)
    rest.load(half.to_arrays())
    trained(rest, kind)
    assert rest.progress.n_done == N_EPOCHS
    assert_equal_states(rest, whole)


@every_kind
def test_a_state_that_is_loaded_equals_the_one_that_was_saved(kind):
    half = trained(fresh_state(kind, seed=0), kind, Watch(stop_after=3))
    other = fresh_state(kind)
    other.load(half.to_arrays())
    assert_equal_states(other, half)


def test_dropout_and_hidden_tokens_do_matter_here():
    """Or the tests above would not see whether the generator goes on."""
    flats = []
    for seed in (1, 2):
        state = fresh_state("all weights", seed=0)
        state.generator.manual_seed(seed)
        flats.append(trained(state, "all weights").weights.flat)
    assert not torch.equal(*flats)


@every_kind
@pytest.mark.parametrize("best", [2, 3, 5])
def test_the_best_weights_survive(kind, best):
    """Saved by a watch after the third epoch, be the best one before it or later."""
    scores = [0.9 if epoch == best else 0.1 for epoch in range(1, N_EPOCHS + 1)]
    saved, at_best = [], []

    def look(state):
        if state.progress.n_done == best:
            at_best[:] = copies(state)
        if state.progress.n_done == 3:
            saved.append(state.to_arrays())

    state = fresh_state(kind, seed=0)
    whole = trained(state, kind, Watch(look=look), scripted_judge(state, scores))
    assert_equal_tensors(copies(whole), at_best)

    state = fresh_state(kind, seed=0)
    judge = scripted_judge(state, scores)
    trained(state, kind, Watch(stop_after=3, look=look), judge)
    rest = fresh_state(kind)
    rest.load(saved[-1])
    trained(rest, kind, judge=scripted_judge(rest, scores))
    assert_equal_tensors(copies(rest), at_best)
    assert rest.progress.best_validation == (0.9, 1.0)
    assert rest.progress.validation_scores == scores
    assert rest.progress.loss_curve == whole.progress.loss_curve


def test_what_a_watch_saves_stops_when_the_whole_training_does():
    """The third epoch counts as one without a change there, too."""
    scores = [0.1, 0.9] + 28 * [0.2]
    saved = []

    def look(state):
        if state.progress.n_done == 3:
            saved.append(state.to_arrays())

    state = fresh_state("all weights", seed=0)
    judge = scripted_judge(state, scores)
    watch, plan = Watch(None, look), {"n_epochs": 30, "n_iter_no_change": 6}
    whole = trained(state, "all weights", watch, judge, **plan)
    # The learning rate rises for 7.5 epochs, 6 are waited for, a quarter lowers it.
    assert whole.progress.n_done == 17
    rest = fresh_state("all weights")
    rest.load(saved[0])
    judge = scripted_judge(rest, scores)
    trained(rest, "all weights", judge=judge, **plan)
    assert_equal_states(rest, whole)


@every_kind
def test_the_learning_rate_is_lowered_from_the_best_weights(kind):
    scores = [0.9 if epoch == 9 else 0.1 for epoch in range(1, 31)]
    best, then = [], []

    def look(state):
        if state.progress.is_best:
            best[:] = copies(state)
        if state.progress.goes_back:
            then.append((state.progress.n_done, copies(state)))

    state, plan = fresh_state(kind, seed=0), {"n_epochs": 30, "n_iter_no_change": 6}
    judge = scripted_judge(state, scores)
    trained(state, kind, Watch(None, look), judge, **plan)
    ((n_done, weights),) = then
    assert n_done == 15
    assert_equal_tensors(weights, best)


@every_kind
def test_what_was_saved_is_a_copy(kind):
    saved, expected = [], []

    def look(state):
        if state.progress.n_done == 3:
            saved.append(state.to_arrays())
            expected.append(copies(state))

    scores = [0.1, 0.9, 0.2, 0.95, 0.2, 0.2]
    state = fresh_state(kind, seed=0)
    trained(state, kind, Watch(look=look), scripted_judge(state, scores))
    (saved,), (expected,) = saved, expected
    trained_arrays = map(torch.from_numpy, saved["trained"])
    assert_equal_tensors(trained_arrays, expected)
    assert saved["n_minibatches"] == 3 * N_SAMPLES // BATCH_SIZE
    # Loading it does not tie it to a training either.
    before = [array.copy() for array in saved["moments"] + saved["best"]]
    rest = fresh_state(kind)
    rest.load(saved)
    trained(rest, kind, judge=scripted_judge(rest, scores))
    for ours, theirs in zip(saved["moments"] + saved["best"], before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_progress_that_was_saved_is_a_copy():
    saved = []

    def look(state):
        if state.progress.n_done == 3:
            saved.append(state.to_arrays())

    state = fresh_state("all weights", seed=0)
    judge = scripted_judge(state, [0.1] * N_EPOCHS)
    trained(state, "all weights", Watch(look=look), judge)
    progress = saved[0]["progress"]
    names = ("loss_curve", "validation_losses", "validation_scores")
    assert [len(progress[name]) for name in names] == [3, 3, 3]


def test_the_progress_that_was_loaded_is_a_copy():
    half = trained(fresh_state("all weights", 0), "all weights", Watch(stop_after=3))
    saved = half.to_arrays()
    rest = fresh_state("all weights")
    rest.load(saved)
    trained(rest, "all weights")
    assert len(saved["progress"]["loss_curve"]) == 3
    assert half.progress.n_done == 3


def test_what_is_saved_is_made_of_arrays_numbers_and_lists():
    def check(value):
        if isinstance(value, dict):
            assert all(isinstance(name, str) for name in value)
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            for part in value:
                check(part)
        else:
            assert isinstance(value, (np.ndarray, int, float, str))

    state = fresh_state("vectors", seed=0)
    judge = scripted_judge(state, [0.1] * N_EPOCHS)
    check(trained(state, "vectors", judge=judge).to_arrays())


@every_kind
def test_a_state_before_the_first_epoch_can_be_saved(kind):
    state = fresh_state(kind, seed=0)
    other = fresh_state(kind)
    other.load(state.to_arrays())
    assert other.progress is None and other.moments is None
    assert_equal_states(trained(other, kind), trained(state, kind))


@every_kind
def test_an_epoch_is_undone(kind):
    state = fresh_state(kind, seed=0)
    state.begin(Clock(N_EPOCHS), N_SAMPLES, lambda moments: None)
    before = copies(state)
    state.epoch_begins()
    for tensor in _tensors(state):
        tensor.fill_(torch.nan)
    assert not state.is_finite
    state.undo_epoch()
    assert state.is_finite
    assert_equal_tensors(_tensors(state), before)


@every_kind
@pytest.mark.parametrize("is_complete", [False, True])
def test_only_an_incomplete_epoch_is_undone(kind, is_complete):
    state = fresh_state(kind, seed=0)
    state.begin(Clock(N_EPOCHS), N_SAMPLES, lambda moments: None)
    before = copies(state)
    state.epoch_begins()
    for tensor in _tensors(state):
        tensor.fill_(1.0)
    after = copies(state)
    if is_complete:
        state.progress.record(1.0)
    state.undo_incomplete_epoch()
    assert_equal_tensors(_tensors(state), after if is_complete else before)


@every_kind
def test_an_epoch_after_the_load_is_undone(kind):
    half = trained(fresh_state(kind, seed=0), kind, Watch(stop_after=3))
    rest = fresh_state(kind)
    rest.load(half.to_arrays())
    rest.begin(Clock(N_EPOCHS), N_SAMPLES, lambda moments: None)
    rest.undo_incomplete_epoch()  # none has begun
    assert_equal_tensors(_tensors(rest), copies(half))
    rest.epoch_begins()
    for tensor in _tensors(rest):
        tensor.zero_()
    rest.undo_incomplete_epoch()
    assert_equal_tensors(_tensors(rest), copies(half))


@every_kind
def test_the_best_of_several_is_restored(kind):
    state = fresh_state(kind, seed=0)
    for value in (1.0, 2.0, 3.0):
        for tensor in _tensors(state):
            tensor.fill_(value)
        state.keep_as_best()
    for tensor in _tensors(state):
        tensor.fill_(4.0)
    state.restore_best()
    for tensor in _tensors(state):
        assert (tensor == 3.0).all()


def test_without_a_best_epoch_nothing_is_restored():
    state = fresh_state("all weights", seed=0)
    before = copies(state)
    state.restore_best()
    assert_equal_tensors(_tensors(state), before)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@every_kind
def test_a_single_number_that_is_not_finite_is_found(kind, value):
    state = fresh_state(kind, seed=0)
    assert state.is_finite
    _tensors(state)[-1].view(-1)[-1] = value
    assert not state.is_finite


def _tensors(state):
    """Those that are trained themselves."""
    embeddings = state.embeddings
    return [state.weights.flat, *([embeddings.vectors] if embeddings else [])]


@pytest.mark.parametrize("stop_after", [2, 5, 12])
def test_a_fit_that_is_lengthened_is_trained_in_two_parts(stop_after):
    """Before the learning rate is held, meanwhile, and after it."""
    plan = {"n_held": 20, "loss_to_reach": 1e-9}
    whole = trained(fresh_state("all weights", seed=0), "all weights", **plan)
    assert whole.progress.n_done == whole.progress.n_epochs == 40
    watch = Watch(stop_after=stop_after)
    half = trained(fresh_state("all weights", seed=0), "all weights", watch, **plan)
    rest = fresh_state("all weights")
    rest.load(half.to_arrays())
    assert_equal_states(trained(rest, "all weights", **plan), whole)


@every_kind
def test_a_state_is_trained_in_two_parts(kind):
    whole = trained(fresh_state(kind, seed=0), kind)
    state = trained(fresh_state(kind, seed=0), kind, Watch(stop_after=3))
    assert_equal_states(trained(state, kind), whole)


@every_kind
def test_a_state_is_not_loaded_during_training(kind):
    saved = fresh_state(kind, seed=0).to_arrays()
    with pytest.raises(RuntimeError, match=r"before and after training, not during it"):
        trained(fresh_state(kind), kind, Watch(look=lambda state: state.load(saved)))


def test_a_state_is_not_saved_after_an_epoch_that_was_undone():
    state = trained(fresh_state("all weights", seed=0), "all weights", Watch(1))
    saved = state.to_arrays()
    state.begin(Clock(N_EPOCHS), N_SAMPLES, lambda moments: None)
    state.epoch_begins()
    state.undo_incomplete_epoch()
    with pytest.raises(RuntimeError, match=r"Save it after each complete epoch\.$"):
        state.to_arrays()
    state.end()
    state.load(saved)
    assert state.to_arrays().keys() == saved.keys()


def test_the_time_left_is_that_of_epochs_since_the_load():
    progress = trained(fresh_state("all weights", seed=0), "all weights").progress
    later = Progress(Clock(N_EPOCHS), N_SAMPLES)
    later.load({**progress.to_dict(), "clock": [2 * N_EPOCHS]})
    later.started -= 10.0
    later.record(0.5)  # one epoch of ten seconds
    left = 10 * (2 * N_EPOCHS - N_EPOCHS - 1)
    assert str(later).endswith(f", {N_SAMPLES / 10:,.0f} sequences/s, {left} s left")


@every_kind
@pytest.mark.parametrize("new", [-1, 3000, 10**9])
def test_ids_without_a_vector_do_not_reach_the_kernels(new, kind):
    state, data = fresh_state(kind, seed=1), data_of(kind)
    before, data.values[-1] = copies(state), new
    plan = Plan(1, BATCH_SIZE, 0.01, 0.1, 1.0, 0.0, N_EPOCHS)
    with pytest.raises(ValueError, match=rf"ids from -?\d+ to {max(new, 0) or ''}"):
        Trainer("cross_entropy", plan, CPU).run(state, data)
    assert_equal_tensors(copies(state), before)


@pytest.mark.parametrize("width", [1, N_DIMENSIONS + 1])
def test_steps_of_another_width_do_not_reach_the_kernels(width):
    state, data = fresh_state("all weights", seed=1), data_of("all weights")
    data = replace(data, values=torch.zeros(len(data.values), width))
    plan = Plan(1, BATCH_SIZE, 0.01, 0.1, 1.0, 0.0, N_EPOCHS)
    with pytest.raises(ValueError, match=f"^Each step has {width} numbers, but U has"):
        Trainer("cross_entropy", plan, CPU).run(state, data)


@every_kind
@pytest.mark.parametrize("name", ["moments", "moments_of_vectors"])
@pytest.mark.parametrize("change", [lambda a: a[:-1], lambda a: a[:0], np.float64])
def test_moments_of_another_network_are_refused(kind, name, change):
    saved = trained(fresh_state(kind, seed=1), kind).to_arrays()
    saved[name] = list(map(change, saved[name]))
    state = fresh_state(kind)
    if not saved[name]:
        state.load(saved)
        return
    with pytest.raises(ValueError, match=r"^Training was to continue from moments"):
        state.load(saved)
