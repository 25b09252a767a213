"""Minibatches cut into shards."""

import numpy as np
import pytest

from skrnn._core.architecture import Architecture
from skrnn._core.shards import Shards, shards_for


@pytest.mark.parametrize(
    "n_sequences, n_shards", [(1, 1), (99, 1), (100, 2), (149, 2), (200, 3)]
)
def test_a_minibatch_is_cut_into_shards_of_equal_work(n_sequences, n_shards, rng):
    shards = Shards(n_shards=3, min_size=50)
    lengths = np.sort(rng.integers(1, 20, n_sequences))[::-1]
    parts = np.split(lengths, shards.cuts(lengths)[1:])
    assert len(parts) == shards.n_of(n_sequences) == n_shards
    n_steps = [part.sum() for part in parts]
    assert max(n_steps) - min(n_steps) <= 2 * 20


def test_one_long_sequence_makes_a_shard_and_leaves_something_to_the_others():
    shards = Shards(n_shards=4, min_size=1)
    assert shards.cuts(np.array([1000, 1, 1, 1])) == [0, 1]
    assert shards.cuts(np.array([1, 1, 1, 1])) == [0, 1, 2, 3]


def test_shards_are_as_large_as_their_work_a_step_demands():
    sizes = {
        (cell, nhidden): shards_for(Architecture((nhidden,), cell), 2).min_size
        for cell, nhidden in [("rnn", 64), ("rnn", 512), ("lstm", 64)]
    }
    assert sizes["rnn", 64] > 2 * sizes["lstm", 64]
    assert sizes["rnn", 512] == 32


@pytest.mark.parametrize("n_sequences, n_shards", [(1, 1), (2, 2), (9, 3), (400, 6)])
def test_each_of_several_processes_gets_a_shard(n_sequences, n_shards):
    shards = Shards(n_shards=2, min_size=50).among(3)
    assert shards.n_of(n_sequences) == n_shards
    assert len(shards.cuts(np.full(n_sequences, 5))) == n_shards
