"""Counts of tokens, n-grams and subwords: merged, they are those of all sequences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrnn._core import counts as counting
from skrnn._core.counts import GramCounts, learn_vocabulary
from skrnn._core.subwords import OF_TAGS, SubwordCounts, learn_subwords
from skrnn._reading.text import read_characters, read_words
from skrnn._reading.token_lists import read_tokens

READERS = {
    "text": read_characters,
    "words": lambda X: read_words(X, str.split),
    "tokens": lambda X: read_tokens([[*map(ord, x[::2]), *x[1::2]] for x in X]),
}
strings = st.lists(st.text("abé ", max_size=9), min_size=1, max_size=6)
limits = st.one_of(st.integers(1, 3), st.floats(0, 1))


def check_merged(kind, parts, ngram_range, min_df, max_features):
    read = READERS[kind]
    first, *others = (GramCounts.of(read(X), ngram_range[1]) for X in parts)
    for other in others:
        first = first.merged(other)
    everything = read([x for X in parts for x in X])
    of = ngram_range, min_df, max_features
    assert list(first.vocabulary(*of)) == list(learn_vocabulary(everything, *of))
    expected = GramCounts.of(everything, ngram_range[1])
    assert (first.tokens, first.n_samples) == (expected.tokens, len(everything))
    for name in ("grams", "n_times", "n_sequences"):
        pairs = zip(getattr(first, name), getattr(expected, name), strict=True)
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours, theirs)
    assert [of.dtype for of in first.grams] == [np.int32] * len(first.grams)


@pytest.mark.parametrize("kind", READERS)
@given(
    st.lists(strings, min_size=1, max_size=4),
    st.integers(1, 2),
    st.integers(0, 2),
    limits,
    st.one_of(st.none(), st.integers(1, 5)),
    st.booleans(),
)
def test_merged_counts_of_grams(
    kind, parts, min_n, more, min_df, max_features, is_small
):
    with pytest.MonkeyPatch.context() as patch:
        if is_small:  # keys do not fit in an integer
            patch.setattr(counting, "_MAX_KEY", 8)
        check_merged(kind, parts, (min_n, min_n + more), min_df, max_features)


@given(st.lists(strings, min_size=1, max_size=4), limits, st.booleans())
def test_merged_counts_of_subwords(parts, min_df, is_of_tags):
    read, of = READERS["words"], [OF_TAGS] if is_of_tags else []
    first, *others = (SubwordCounts.of(read(X), *of) for X in parts)
    for other in others:
        first = first.merged(other)
    everything = read([x for X in parts for x in X])
    assert first == SubwordCounts.of(everything, *of)
    for most in (None, 2):
        expected = learn_subwords(everything, 5, min_df, most, *of)
        assert first.numbered(5, min_df, most) == expected


def test_counts_are_limited_to_the_most_frequent_grams():
    parts = [read_words([f"a b rare{i}", "a b", "a"], str.split) for i in range(5)]
    kept, *others = (GramCounts.of(part, 2) for part in parts)
    for other in others:
        kept = kept.merged(other, n_most=2)
    assert kept.vocabulary((1, 2)) == {"a": 1, "b": 2, "a b": 3, "b rare0": 4}
    assert [of.tolist() for of in kept.n_times] == [[15, 10], [10, 1]]
    assert kept.tokens == ["a", "b", "rare0"]
    kept, *others = (SubwordCounts.of(part) for part in parts)
    for other in others:
        kept = kept.merged(other, n_most=3)
    assert kept.n_times == {"<a>": 15, "<b>": 10, "x": 25}
    assert kept.n_sequences == {"<a>": 15, "<b>": 10, "x": 15}


def test_strings_without_steps_have_no_grams():
    empty = GramCounts.of(read_characters(["", ""]), 3)
    assert empty.vocabulary((1, 3)) == {}
    both = empty.merged(GramCounts.of(read_characters(["ab"]), 3))
    assert both.n_samples == 3
    assert both.vocabulary((1, 3)) == {"a": 1, "b": 2, "ab": 3}
    assert both.vocabulary((1, 3), 0.5) == {}
