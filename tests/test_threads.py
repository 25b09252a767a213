"""The number of intra-operation threads is changed for a call, and put back."""

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch

from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNLanguageModel,
    RNNSeq2Seq,
    RNNTagger,
    _initial_state,
)
from skrnn._core import encode, network, trainer, windows, writer, writing
from skrnn._core.kernels import KERNELS
from skrnn._core.shards import Shards
from skrnn._core.threads import (
    _setter,
    denormals_flushed,
    running_call,
    threads,
    torch_settings,
)
from skrnn._core.updates.all_weights import AllWeights
from skrnn._model import Model


@pytest.fixture(params=["by the libraries", "by torch"])
def two_threads(request, monkeypatch):
    """Two threads, however one thread is told to use another number."""
    if request.param == "by torch":
        monkeypatch.setattr("skrnn._core.threads._setter", lambda: None)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(n_threads)


def test_one_thread_inside_and_as_before_outside(two_threads):
    with torch_settings():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_one_thread_needs_no_other_thread_where_the_libraries_are_told(monkeypatch):
    if _setter() is None:
        pytest.skip("torch has no OpenMP or no MKL here")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    monkeypatch.setattr(threading.Thread, "start", None)
    try:
        with torch_settings():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_call_that_was_cut_off_is_over(two_threads):
    """Wherever Ctrl-C comes, in the last lines of a call too."""
    settings = torch_settings()
    settings.__enter__()
    assert running_call().n_threads == 2
    del settings
    assert running_call() is None


def test_restored_after_an_error(two_threads):
    with pytest.raises(ZeroDivisionError), torch_settings():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2


def in_new_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join(timeout=60)
    return results[0]


def test_calls_that_overlap_restore_the_number_of_each_thread(two_threads):
    is_inside, may_leave = threading.Event(), threading.Event()
    seen = []

    def overlapping(n_threads):
        if n_threads is not None:
            torch.set_num_threads(n_threads)
        with torch_settings() as outside:
            is_inside.set()
            may_leave.wait(timeout=60)
            seen.append((outside, torch.get_num_threads()))
        return torch.get_num_threads()

    for n_threads in (None, 3):
        is_inside.clear(), may_leave.clear(), seen.clear()
        after = []
        thread = threading.Thread(
            target=lambda n=n_threads, after=after: after.append(overlapping(n))
        )
        with torch_settings():
            thread.start()
            is_inside.wait(timeout=60)
        assert torch.get_num_threads() == 2
        may_leave.set()
        thread.join(timeout=60)
        assert seen == [(n_threads or 2, 1)]
        assert after == [n_threads or 2]
        torch.set_num_threads(2)


def test_a_thread_that_meets_torch_meanwhile_gets_the_number_outside(two_threads):
    with torch_settings() as n_threads, threads(n_threads) as run:
        assert list(run(lambda i: i, range(4))) == [0, 1, 2, 3]
        assert in_new_thread(torch.get_num_threads) == 2
        assert torch.get_num_threads() == 1
    assert in_new_thread(torch.get_num_threads) == 2


def test_a_call_within_a_call_leaves_the_number_to_the_outer_one(two_threads):
    with torch_settings() as outer:
        with torch_settings() as inner:
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert (outer, inner) == (2, 2)
    assert torch.get_num_threads() == 2


def test_helpers_run_on_one_thread(two_threads):
    with torch_settings() as n_threads, threads(n_threads) as run:
        barrier = threading.Barrier(2, timeout=60)  # neither thread takes both tasks

        def look(_):
            barrier.wait()
            return threading.get_ident(), torch.get_num_threads()

        seen = list(run(look, range(2)))
    assert len({thread for thread, _ in seen}) == 2
    assert [number for _, number in seen] == [1, 1]


def test_another_default_device_or_type_does_not_matter(two_threads):
    X = ["cat", "chat"]
    expected = RNNClassifier((4, 4), dropout=0.5, max_iter=2, random_state=0).fit(X, X)
    torch.set_default_device("meta")
    torch.set_default_dtype(torch.float64)
    try:
        classifier = RNNClassifier((4, 4), dropout=0.5, max_iter=2, random_state=0)
        probabilities = classifier.fit(X, X).predict_proba(X)
        assert torch.get_default_device().type == "meta"
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(classifier.W_[0], expected.W_[0])
    np.testing.assert_array_equal(probabilities, expected.predict_proba(X))


def test_fit_and_predict_run_on_one_thread_and_restore_the_number(
    two_threads, monkeypatch
):
    seen = []

    def spy_on(module, name):
        original = getattr(module, name)

        def spied(*arguments, **keywords):
            seen.append((name, torch.get_num_threads()))
            return original(*arguments, **keywords)

        monkeypatch.setattr(module, name, spied)

    spy_on(_initial_state, "initialise")
    spy_on(trainer.Trainer, "run")
    spy_on(encode, "encode")
    X = ["cat", "chat"]
    classifier = RNNClassifier(max_iter=1).fit(X, X)
    assert torch.get_num_threads() == 2
    classifier.predict(X)
    assert torch.get_num_threads() == 2
    assert seen == [
        ("initialise", 1),
        ("run", 1),
        ("encode", 1),
    ]


def fitted_on(n_threads, n_samples, make=RNNClassifier, **params):
    X = ["".join(word) for word in product("abcd", repeat=5)][:n_samples]
    y = [word.count("a") for word in X]
    if make is RNNTagger:
        X = [word[: 1 + i % 5] for i, word in enumerate(X)]
        y = [word[::-1] for word in X]
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        fitted = make(random_state=0, max_iter=2, **params).fit(X, y)
        return fitted, np.concatenate(fitted.predict_proba(X))
    finally:
        torch.set_num_threads(before)


def test_a_batch_too_small_for_shards_gives_equal_weights_on_any_threads():
    one, two = (fitted_on(n, 100, nhidden=256)[0] for n in (1, 2))
    np.testing.assert_array_equal(one.W_[0], two.W_[0])
    np.testing.assert_array_equal(one.U_[0], two.U_[0])


@pytest.mark.parametrize(
    "params",
    [
        {"cell": "rnn"},
        {"cell": "gru"},
        {"cell": "lstm"},
        {"make": RNNTagger},
        {"make": RNNTagger, "dropout": 0.3, "nhidden": (16, 8)},
        {"make": RNNTagger, "truncate": 2, "dropout": 0.3},
    ],
    ids=lambda params: "-".join(map(str, params.values())),
)
def test_shards_change_the_weights_in_rounding_only(params, monkeypatch):
    monkeypatch.setattr(trainer, "shards_for", lambda _, n: Shards(n, 32))
    params = {"nhidden": 32, "batch_size": 300, "learning_rate_init": 1e-3, **params}
    (one, _), (two, probabilities), (again, _) = (
        fitted_on(n, 1000, **params) for n in (1, 2, 2)
    )
    for ours, theirs in zip(one.W_, two.W_, strict=True):
        # Adam magnifies the rounding of gradients near 0.
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-4)
        assert (ours != theirs).any()  # there have been shards
    np.testing.assert_array_equal(two.W_[0], again.W_[0])
    np.testing.assert_array_equal(two.U_[0], again.U_[0])
    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize("late", [0, 1])
def test_whichever_shard_ends_last_the_weights_are_the_same(late, monkeypatch):
    """Its thread updates the network, the other one the wide path and what follows."""
    monkeypatch.setattr(trainer, "shards_for", lambda _, n: Shards(n, 10))
    params = {"nhidden": 8, "batch_size": 300, "wide_ngram_range": (1, 3)}
    expected, _ = fitted_on(2, 900, **params)
    original, threads_of_updates = windows.loss_and_gradient, set()

    def delayed(weights, batch, loss, workspace, truncate):
        total = original(weights, batch, loss, workspace, truncate)
        if (threading.current_thread() is not threading.main_thread()) == late:
            time.sleep(0.05)
        return total

    def spied(self, *arguments):
        threads_of_updates.add(threading.current_thread() is threading.main_thread())
        return update(self, *arguments)

    update = AllWeights.update
    monkeypatch.setattr(AllWeights, "update", spied)
    kernels = KERNELS["numba"]._replace(loss_and_gradient=delayed)
    monkeypatch.setitem(KERNELS, "numba", kernels)
    fitted, _ = fitted_on(2, 900, **params)
    assert threads_of_updates == {late == 0}
    for name in ("W_", "U_", "b_", "V_", "wide_coef_"):
        ours, theirs = getattr(fitted, name), getattr(expected, name)
        np.testing.assert_array_equal(np.concatenate(ours), np.concatenate(theirs))


def test_what_is_drawn_does_not_depend_on_the_number_of_threads():
    # Each token occurs once or twice: a fifth to a tenth of them are hidden.
    X = [[i, i // 2 + 10_000, i + 20_000] for i in range(300)]
    y = [i % 3 for i in range(300)]
    params = {"cell": "lstm", "dropout": 0.3, "max_iter": 2, "batch_size": 100}
    params["analyzer"] = "token"  # since they rise
    fits = []
    for n_threads in (1, 2, 3):
        torch_threads = torch.get_num_threads()
        torch.set_num_threads(n_threads)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(trainer, "shards_for", lambda _, n: Shards(n, 10))
            fits.append(
                RNNClassifier(
                    (8, 8), learning_rate_init=1e-3, random_state=0, **params
                ).fit(X, y)
            )
        torch.set_num_threads(torch_threads)
    for other in fits[1:]:
        np.testing.assert_allclose(fits[0].U_[0], other.U_[0], rtol=0, atol=1e-4)
        np.testing.assert_allclose(fits[0].loss_, other.loss_, rtol=1e-5)


def test_predictions_are_equal_on_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(encode, "_MAX_SEQUENCES", 50)
    classifier, one = fitted_on(1, 700, nhidden=16)
    X = ["".join(word) for word in product("abcd", repeat=5)][:700]
    torch_threads = torch.get_num_threads()
    torch.set_num_threads(3)
    three = np.concatenate(classifier.predict_proba(X))
    torch.set_num_threads(torch_threads)
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_predictions_of_steps_are_equal_on_any_number_of_threads(
    monkeypatch, bidirectional
):
    monkeypatch.setattr(encode, "_MAX_SEQUENCES", 50)
    X = ["".join(word) for word in product("abcd", repeat=5)][:700]
    params = {"max_iter": 1, "random_state": 0}
    tagger = RNNTagger(8, bidirectional=bidirectional, **params).fit(X[:50], X[:50])
    model = RNNLanguageModel(8, **params).fit(X[:50])
    seen, scores = set(), Model.scores

    def spied(*arguments):
        seen.add(threading.get_ident())
        return scores(*arguments)

    monkeypatch.setattr(Model, "scores", spied)
    torch_threads, found = torch.get_num_threads(), []
    for n_threads in (1, 3):
        seen.clear()
        monkeypatch.setattr(encode, "useful_threads", lambda *_, n=n_threads: n)
        torch.set_num_threads(n_threads)
        proba = np.concatenate(tagger.predict_proba(X))
        assert len(seen) == n_threads
        found.append((proba, model.score_samples(X)))
    torch.set_num_threads(torch_threads)
    for one, three in zip(*found, strict=True):
        np.testing.assert_array_equal(one, three)


@pytest.mark.filterwarnings("ignore:.* predicted sequences? had no end")
@pytest.mark.filterwarnings("ignore:.* has learned next to nothing")
@pytest.mark.parametrize("make", [RNNSeq2Seq, RNNDecoder])
def test_sequences_are_written_alike_on_any_number_of_threads(monkeypatch, make):
    y = ["".join(word) for n in range(1, 5) for word in product("abc", repeat=n)]
    X = [word[::-1] for word in y]
    if make is RNNDecoder:
        X = np.random.default_rng(0).normal(size=(len(y), 3))
    model = make(8, max_iter=1, beam_width=2, random_state=0).fit(X, y)
    seen, search = set(), writer.beam_search

    def spied(*arguments, **options):
        seen.add(threading.get_ident())
        return search(*arguments, **options)

    monkeypatch.setattr(writer, "beam_search", spied)
    monkeypatch.setattr(writing, "_WORTH_A_THREAD", 20)
    torch_threads, found = torch.get_num_threads(), []
    for n_threads in (1, 3):
        torch.set_num_threads(n_threads)
        found.append([model.score_samples(X, y).tolist()])
        for write in (partial(model.predict_n_best, n_best=3), model.predict):
            seen.clear()
            found[-1].append(write(X))
            assert len(seen) == n_threads
    torch.set_num_threads(torch_threads)
    assert found[0] == found[1]


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder])
def test_eight_callers_at_once_get_what_one_gets(make):
    """Of one estimator, which keeps nothing of a call; and of fits of their own."""
    X = ["".join("abc"[i * j % 3] for j in range(1 + i % 9)) for i in range(400)]
    y = [i % 3 for i in range(400)]
    estimator = make(8, max_iter=2, random_state=0).fit(X, y)
    use = getattr(estimator, "predict_proba", None) or estimator.transform
    parts = [X[i : i + 50 + i] for i in range(0, 320, 5)]
    alone = [use(part) for part in parts]
    state = pickle.dumps(estimator)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(use, parts))
        fits = pool.map(lambda _: make(8, max_iter=2, random_state=0).fit(X, y), "ab")
        weights = [fitted.V_ for fitted in fits]
    for ours, theirs in zip(together, alone, strict=True):
        assert np.array_equal(ours, theirs)
    assert pickle.dumps(estimator) == state
    for V in weights:
        assert np.array_equal(V, estimator.V_)


def test_an_error_in_a_thread_is_raised(two_threads):
    def fail_at(i):
        if i == 5:
            raise ZeroDivisionError
        return i

    with torch_settings() as n_threads, threads(n_threads) as run:
        assert list(run(fail_at, range(5))) == list(range(5))
        with pytest.raises(ZeroDivisionError):
            list(run(fail_at, range(9)))
    assert torch.get_num_threads() == 2


def test_calls_run_in_the_context_of_the_caller(two_threads):
    """On all threads, also if it has changed since they were started."""
    number = ContextVar("number", default=0)

    def seen(_):
        each_has_one.wait(timeout=60)
        return threading.get_ident(), number.get()

    with torch_settings(), threads(3) as run:
        for expected in (1, 2):
            number.set(expected)
            each_has_one = threading.Barrier(3)
            idents, numbers = zip(*run(seen, range(3)), strict=True)
            assert len(set(idents)) == 3 and numbers == (expected,) * 3


def test_nothing_more_is_begun_after_an_error(two_threads):
    done = []

    def fail_at_once(i):
        if i == 0:
            raise ZeroDivisionError
        done.append(i)
        is_over.wait(timeout=60)

    is_over = threading.Event()
    with torch_settings() as n_threads, threads(n_threads) as run:
        timer = threading.Timer(0.2, is_over.set)
        timer.start()
        with pytest.raises(ZeroDivisionError):
            run(fail_at_once, range(100))
        timer.join()
        assert run(abs, [-1, -2, -3]) == [1, 2, 3]
    assert done == [1]


def test_helpers_are_started_when_they_are_needed(two_threads):
    before = threading.active_count()
    with torch_settings(), threads(8) as run:
        assert run(abs, [-1]) == [1] and run(abs, []) == []
        assert threading.active_count() == before
        assert run(abs, [-1, -2, -3]) == [1, 2, 3]
        assert threading.active_count() == before + 2
    assert threading.active_count() == before


def test_a_failure_on_the_way_in_leaves_no_trace(two_threads, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr("skrnn._core.threads._setter", lambda: None)
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError), torch_settings():
            pass
    assert running_call() is None
    with torch_settings():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def flushes_denormals():
    """Whether this thread takes numbers below 1e-38 for 0, in NumPy and in torch."""
    found = {
        not (np.full(1, 1e-40, dtype=np.float32) * np.float32(1.0)).any(),
        not (torch.full((1,), 1e-40) * 1.0).any().item(),
    }
    (flushes,) = found
    return flushes


class Watch:
    """Notes in which state of the processor callbacks and predictions run."""

    def __init__(self):
        self.seen = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.seen.append(flushes_denormals())

    def on_fit_task_end(self, estimator, context):
        self.seen.append(flushes_denormals())


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("n_shards", [1, 2])
def test_denormals_are_flushed_while_weights_move_and_nowhere_else(
    before, n_shards, monkeypatch, two_threads
):
    monkeypatch.setattr(trainer, "shards_for", lambda *_: Shards(n_shards, 4))
    inside, gradient = [], network.loss_and_gradient

    def noted(*arguments):
        inside.append((threading.get_ident(), flushes_denormals()))
        return gradient(*arguments)

    monkeypatch.setattr(network, "loss_and_gradient", noted)
    watch = Watch()
    X, y = ["ab", "ba", "abb", "b"] * 8, [0, 1, 0, 1] * 8
    params = {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 2}
    classifier = RNNClassifier(4, **params, batch_size=16).set_callbacks(watch)
    torch.set_flush_denormal(before)
    try:
        classifier.fit(X, y)
        assert flushes_denormals() == before
    finally:
        torch.set_flush_denormal(False)
    assert len({thread for thread, _ in inside}) == n_shards
    assert all(flushes for _, flushes in inside)
    assert set(watch.seen) == {before}


def test_denormals_are_as_they_were_after_an_error():
    with ThreadPoolExecutor(1) as other:
        other.submit(flushes_denormals).result()  # it is there from now on
        with pytest.raises(ZeroDivisionError), denormals_flushed():
            assert flushes_denormals()
            assert not other.submit(flushes_denormals).result()
            raise ZeroDivisionError
    assert not flushes_denormals()
