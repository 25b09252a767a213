"""Codes without gradients: shared prefixes, long sequences, steps already taken."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from networks import ARCHITECTURES, N_INPUTS, random_weights

from skrnn import RNNEncoder
from skrnn._core import encode, network, pooling, public
from skrnn._core.batch import Batch, Past, Start
from skrnn._core.compiled import IS_COMPILED
from skrnn._core.packing import pack
from skrnn._core.prefixes import prefix_tree, sort_by_prefix
from skrnn._core.threads import threads

same_bits = pytest.mark.skipif(
    not IS_COMPILED, reason="the last bits of NumPy's products depend on all rows"
)
words = st.lists(
    st.lists(st.integers(0, N_INPUTS - 1), min_size=1, max_size=12),
    min_size=1,
    max_size=30,
)


def flat(X):
    lengths = np.array([len(word) for word in X])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return np.concatenate([np.asarray(word, dtype=np.int32) for word in X]), offsets


@same_bits
@pytest.mark.parametrize("name", [n for n in ARCHITECTURES if n.split("-")[-3] == "1"])
@given(words)
@example([[0], [0, 1], [0, 1], [0, 1, 2, 0], [1], [0]])
@example([[2]])
@example([[1, 1, 1]] * 4)
def test_shared_prefixes_do_not_change_the_codes(name, X):
    weights = random_weights(ARCHITECTURES[name])
    ids, offsets = flat(X)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "_MIN_SHARING", 0)
        shared, alone = (
            encode.encode(weights, ids, offsets, keys=keys) for keys in (ids, None)
        )
    np.testing.assert_array_equal(shared, alone)


@same_bits
@pytest.mark.parametrize("name", ["lstm-2-1-last", "gru-2-1-max", "tanh-1-2-mean"])
@given(words, st.integers(1, 5), st.integers(1, 20))
def test_cuts_into_batches_do_not_change_the_codes(name, X, max_sequences, max_rows):
    weights = random_weights(ARCHITECTURES[name])
    ids, offsets = flat(X)
    expected = encode.encode(weights, ids, offsets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "_MIN_SHARING", 0)
        patch.setattr(encode, "_MAX_SEQUENCES", max_sequences)
        patch.setattr(encode, "_MAX_ROWS", max_rows)
        patch.setattr(encode, "_MAX_WINDOW", max_rows)
        for keys in (ids, None):
            with threads(2) as run:
                codes = encode.encode(weights, ids, offsets, run, keys)
            np.testing.assert_array_equal(codes, expected)


@same_bits
@pytest.mark.parametrize("name", ["lstm-2-1-last", "gru-1-1-max", "identity-1-1-sum"])
def test_many_sequences_with_common_prefixes_have_the_codes_of_one(name, rng):
    """Also where a level has so many nodes that siblings are computed apart."""
    weights = random_weights(ARCHITECTURES[name])
    X = [rng.integers(0, N_INPUTS, n).tolist() for n in rng.integers(1, 7, 300)]
    ids, offsets = flat(X)
    shared = encode.encode(weights, ids, offsets, keys=ids)
    np.testing.assert_array_equal(shared, encode.encode(weights, ids, offsets))


@pytest.mark.thread_unsafe(reason="it changes how often threads take turns")
def test_batches_of_several_threads_have_memory_of_their_own():
    reader = encode.Direction(random_weights(ARCHITECTURES["gru-2-1-last"]), 0)

    def take(_):
        for i in range(10_000):
            first, second = reader.scratches(2)
            assert first is not second
            if i % 10:  # else the next one finds fewer
                reader.release([first, second])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(take, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert len(set(map(id, reader._scratches))) == len(reader._scratches) <= 16


@given(words, st.integers(1, 3))
def test_a_tree_has_one_node_for_each_distinct_prefix(X, repeats):
    X = X * repeats
    ids, offsets = flat(X)
    starts, lengths = offsets[:-1], np.diff(offsets)
    order, shared = sort_by_prefix(ids, starts, lengths)
    assert sorted(order) == list(range(len(X)))
    assert [X[i] for i in order] == sorted(X)
    tree = prefix_tree(starts[order], lengths[order], shared)
    prefixes = {tuple(word[: t + 1]) for word in X for t in range(len(word))}
    assert len(tree.rows) == tree.sizes.sum() == len(prefixes)
    read, first = [()], 0  # what each node of a level stands for
    all_read = []
    for size in tree.sizes:
        level = slice(first, first + size)
        assert (np.diff(tree.parents[level]) >= 0).all()
        pairs = zip(tree.parents[level], ids[tree.rows[level]].tolist(), strict=True)
        read = [(*read[parent], token) for parent, token in pairs]
        all_read += read
        first += size
    assert set(all_read) == prefixes
    assert [all_read[end] for end in tree.ends] == [tuple(X[i]) for i in order]


@pytest.mark.parametrize("n_tokens", [3, 300, 70_000])
def test_long_sequences_share_all_steps_with_which_they_begin(n_tokens, rng):
    head = rng.integers(0, n_tokens, 40).tolist()
    X = [head + [0], head + [1], head + [0], head, head[:5], [7] + head, head + [0]]
    ids, offsets = flat(X)
    order, shared = sort_by_prefix(ids, offsets[:-1], np.diff(offsets))
    assert [X[i] for i in order] == sorted(X)
    assert sorted(shared.tolist()) == sorted([0, 0, 5, 40, 41, 41, 40])


@pytest.mark.parametrize("name", [n for n in ARCHITECTURES if n.split("-")[-2] == "1"])
@pytest.mark.parametrize("is_token", [True, False])
def test_going_on_equals_starting_at_the_first_step(name, is_token, rng):
    weights = random_weights(ARCHITECTURES[name])
    lengths = np.array([5, 1, 3, 9])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if is_token:
        values = rng.integers(0, N_INPUTS, offsets[-1], dtype=np.int32)
    else:
        values = rng.normal(size=(offsets[-1], N_INPUTS))
    expected = encode.encode(weights, values, offsets)
    values = torch.from_numpy(values)
    n_before = np.array([2, 0, 1, 8])
    start = encode.states_after(weights, Past(values, offsets[:-1], n_before))
    name, of_pooling = weights.architecture.pooling, weights.of_pooling
    # The rest of each sequence, one at a time, from where it stands.
    for i, n in enumerate(n_before):
        (packing,) = pack(offsets[i : i + 1] + n, lengths[i : i + 1] - n)
        here = Start(
            [[state[i : i + 1] for state in layer] for layer in start.states],
            start.gathered[i : i + 1],
            start.n_steps[i : i + 1],
        )
        batch = Batch(values[packing.rows], packing, None, None, start=here)
        (H,) = network.forward(weights, batch, network.Workspace(weights)).H
        gathered = here.gathered.numpy()
        pooling.gather(name, H.numpy(), packing.batch_sizes, gathered, of_pooling)
        n_steps = here.n_steps.numpy() + packing.lengths
        h = pooling.finish(name, gathered, n_steps, H.shape[1])
        np.testing.assert_array_equal(h[0], expected[i])


@pytest.mark.parametrize("name", ["gru-2-1-mean", "tanh-1-1-last"])
@pytest.mark.parametrize("is_token", [True, False])
def test_going_on_does_not_depend_on_the_memory_that_is_used(
    name, is_token, rng, monkeypatch
):
    weights = random_weights(ARCHITECTURES[name])
    lengths = np.array([50, 1, 30, 9])
    starts = np.cumsum(lengths) - lengths
    if is_token:
        values = rng.integers(0, N_INPUTS, lengths.sum(), dtype=np.int32)
    else:
        values = rng.normal(size=(lengths.sum(), N_INPUTS))
    values = torch.from_numpy(values)
    whole = encode.states_after(weights, Past(values, starts, lengths))
    monkeypatch.setattr(encode, "_MAX_WINDOW", 7)
    parts = encode.states_after(weights, Past(values, starts, lengths))
    assert torch.equal(whole.gathered, parts.gathered)
    for ours, theirs in zip(parts.states, whole.states, strict=True):
        assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_a_few_sequences_need_not_wait_for_a_large_vocabulary(cell, monkeypatch):
    X = [[i, i + 1000] for i in range(1000)]
    encoder = RNNEncoder(4, cell=cell, max_iter=1, random_state=0)
    codes = encoder.fit(X, [0, 1] * 500).transform(X)
    sizes = []
    original = public.from_public

    def spied(*arguments, **keywords):
        weights = original(*arguments, **keywords)
        sizes.append(len(weights.layers[0][0].U))
        return weights

    monkeypatch.setattr(public, "from_public", spied)
    np.testing.assert_array_equal(encoder.transform([X[7], [-5, 1003]])[0], codes[7])
    np.testing.assert_array_equal(encoder.transform(X * 2)[:1000], codes)
    assert sizes == [4, 2001]


def test_n_grams_of_a_few_sequences_are_those_of_many():
    X = [[i, i % 7, i % 11] for i in range(300)]
    encoder = RNNEncoder(4, ngram_range=(1, 3), max_iter=1, random_state=0)
    codes = encoder.fit(X, [0, 1] * 150).transform(X)
    assert len(encoder.vocabulary_) > 900
    np.testing.assert_array_equal(encoder.transform(X[40:43]), codes[40:43])
