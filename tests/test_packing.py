"""Packing against torch's own, and cutting into batches."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_sequence

from skrnn._core.packing import batches_by_length, pack

lengths_lists = st.lists(st.integers(0, 9), min_size=1, max_size=12)


def offsets_of(lengths):
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


@given(lengths_lists, st.integers(1, 13), st.randoms(use_true_random=False))
def test_packing_equals_torch(lengths, batch_size, random):
    offsets = offsets_of(lengths)
    indices = np.arange(len(lengths))
    random.shuffle(indices)
    values = torch.arange(offsets[-1])

    cuts = range(0, len(indices), batch_size)
    packings = pack(offsets[indices], np.array(lengths)[indices], cuts)
    batches = [indices[i : i + batch_size] for i in range(0, len(indices), batch_size)]
    for ours, batch in zip(packings, batches, strict=True):
        chosen = indices[ours.indices]
        assert sorted(chosen) == sorted(batch)
        sequences = [values[offsets[i] : offsets[i + 1]] for i in chosen]
        with_steps = [sequence for sequence in sequences if len(sequence)]
        assert ours.lengths.tolist() == [len(sequence) for sequence in with_steps]
        if not with_steps:
            assert ours.batch_sizes.tolist() == [0]
            assert len(ours.rows) == 0
            continue
        theirs = pack_sequence(with_steps, enforce_sorted=True)
        assert ours.batch_sizes.tolist() == theirs.batch_sizes.tolist()
        assert torch.equal(values[ours.rows], theirs.data)


@given(lengths_lists, st.integers(1, 13))
def test_rows_of_one_sequence_are_found(lengths, batch_size):
    offsets = offsets_of(lengths)
    starts, lengths = offsets[:-1][::-1].copy(), np.diff(offsets)[::-1].copy()
    for packing in pack(starts, lengths, range(0, len(lengths), batch_size)):
        rows, sizes = packing.rows, packing.batch_sizes
        indices = packing.indices[: sizes[0]]  # of those with steps
        first, last = starts[indices], starts[indices] + lengths[indices] - 1
        # The rows of a step are those of the first sequences, and one further each.
        sequence = np.concatenate([np.arange(size) for size in sizes])
        step = np.repeat(np.arange(len(sizes)), sizes)
        np.testing.assert_array_equal(rows, first[sequence] + step)
        assert (rows <= last[sequence]).all()
        # The mirror image of each row.
        mirrored = rows[packing.flip]
        np.testing.assert_array_equal(mirrored - first[sequence], last[sequence] - rows)


@given(lengths_lists)
def test_a_packing_is_of_arrays_of_int64(lengths):
    offsets = offsets_of(lengths)
    for packing in pack(offsets[:-1], np.array(lengths), range(0, len(lengths), 2)):
        for name in ("indices", "rows", "batch_sizes", "lengths", "flip"):
            array = getattr(packing, name)
            assert isinstance(array, np.ndarray) and array.dtype == np.int64, name


@pytest.mark.thread_unsafe(reason="it measures the memory of the process")
def test_memory_of_packing_is_linear_in_the_rows():
    # One long sequence among many short ones: a table of batches by steps would hold
    # 1,025 x 100,000 numbers.
    lengths = np.append(np.ones(8192, dtype=np.int64), 100_000)
    offsets = offsets_of(lengths)
    tracemalloc.start()
    packings = pack(offsets[:-1], lengths, range(0, len(lengths), 8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(packings) == 1025
    assert peak < 200 * offsets[-1]


def test_packing_everything_is_the_default():
    (packing,) = pack(np.array([0, 1, 4]), np.array([1, 3, 2]))
    assert packing.indices.tolist() == [1, 2, 0]
    assert packing.batch_sizes.tolist() == [3, 2, 1]


@given(lengths_lists, st.integers(1, 20), st.integers(1, 5))
def test_batches_hold_every_sequence_once_within_bounds(lengths, max_rows, max_number):
    lengths = np.array(lengths)
    batches = list(batches_by_length(lengths, max_rows, max_number))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    for batch in batches:
        assert 0 < len(batch) <= max_number
        assert len(batch) == 1 or lengths[batch].sum() <= max_rows
