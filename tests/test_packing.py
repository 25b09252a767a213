"""Packing against torch's own, and cutting into batches."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_sequence

from skrnn._core.packing import batches_by_length, pack

lengths_lists = st.lists(st.integers(1, 9), min_size=1, max_size=12)


def offsets_of(lengths):
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


@given(lengths_lists, st.randoms(use_true_random=False))
def test_packing_equals_torch(lengths, random):
    offsets = offsets_of(lengths)
    indices = np.arange(len(lengths))
    random.shuffle(indices)
    values = torch.arange(offsets[-1])

    ours = pack(offsets, indices)
    sequences = [values[offsets[i] : offsets[i + 1]] for i in indices]
    theirs = pack_sequence(
        sorted(sequences, key=len, reverse=True), enforce_sorted=True
    )
    assert ours.batch_sizes == theirs.batch_sizes.tolist()
    assert torch.equal(values[ours.rows], theirs.data)


@given(lengths_lists)
def test_last_and_previous_rows_are_of_the_same_sequence(lengths):
    offsets = offsets_of(lengths)
    indices = np.arange(len(lengths))[::-1].copy()
    packing = pack(offsets, indices)
    rows = packing.rows.numpy()

    np.testing.assert_array_equal(rows[packing.last.numpy()], offsets[indices + 1] - 1)
    later = np.arange(packing.batch_sizes[0], len(rows))
    np.testing.assert_array_equal(rows[packing.previous.numpy()], rows[later] - 1)


@given(lengths_lists, st.integers(1, 20))
def test_batches_hold_every_sequence_once_within_the_bound(lengths, max_rows):
    lengths = np.array(lengths)
    batches = list(batches_by_length(lengths, max_rows))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) > 0
        assert len(batch) == 1 or lengths[batch].sum() <= max_rows
