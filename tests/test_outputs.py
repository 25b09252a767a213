"""Sequences that are predicted: read from y, written as y had them, and compared."""

import re

import numpy as np
import pytest

from skrnn import RNNLanguageModel
from skrnn._core.beam import Hypotheses
from skrnn._core.samples import Samples
from skrnn._outputs import (
    each_its_own,
    learn_outputs,
    read_outputs,
    warn_of_cut,
    written,
)
from skrnn._reading.options import ReadingOptions
from skrnn._reading.schema import Schema
from skrnn._reading.tokens import TokenReader


def learned(y, **options):
    """The schema and the reader of some y, and the ids of its tokens."""
    parameters = RNNLanguageModel(**options).get_params()
    reading = ReadingOptions.of(
        {**parameters, "ngram_range": (1, 1), "subwords": False, "missing": "error"}
        | {"patch_length": 1}
    )
    schema, sequences = learn_outputs(Schema("Name", reading), y, len(y))
    samples = Samples(sequences, None, np.ones(len(y)), np.arange(len(y)))
    return schema, *TokenReader.learn(reading, samples, None)


def hypotheses(sequences, log_p=None):
    """Sequences of ids as they are found, one or several for each sample."""
    shape = len(sequences), len(sequences[0])
    lengths = np.array([[len(ids) for ids in each] for each in sequences])
    tokens = np.zeros((*shape, lengths.max()), np.int64)
    for i, each in enumerate(sequences):
        for j, ids in enumerate(each):
            tokens[i, j, : len(ids)] = ids
    log_p = np.zeros(shape) if log_p is None else np.array(log_p)
    return Hypotheses(tokens, lengths, log_p, np.zeros(shape, bool))


@pytest.mark.parametrize(
    "y, options",
    [
        (["ab", "", "cab"], {}),
        (["a b", "c", ""], {"analyzer": "word"}),
        ([["a", "bc"], [], ["bc"]], {}),
        ([[3, 1], [], [1, 1, 1]], {}),
        ([["a", 1], [], ["1"]], {}),
    ],
)
def test_what_is_read_can_be_written(y, options):
    schema, reader, steps = learned(y, **options)
    ids = np.split(steps.values, steps.offsets[1:-1])
    found = hypotheses([[of_sequence] for of_sequence in ids])
    assert written(reader, found) == [[sequence] for sequence in y]
    assert found.are_equal(steps.values, steps.offsets).all()
    again = reader.encode(read_outputs(schema, y, len(y)))
    np.testing.assert_array_equal(again.values, steps.values)


def test_only_what_was_found_is_written():
    _, reader, _ = learned(["ab"])
    found = hypotheses([[[1], [2]], [[2, 1], []]], [[-1, -2], [-1, -np.inf]])
    assert written(reader, found) == [["a", "b"], ["ba"]]


def test_equal_sequences_have_the_same_tokens_and_length():
    schema, reader, _ = learned(["ab", "a"])
    found = hypotheses([[[1, 2]], [[1]], [[1, 2]], [[]], [[]], [[2]]])
    true = ["ab", "ab", "a", "", "c", "c"]
    steps = reader.encode(read_outputs(schema, true, 6))
    expected = [True, False, False, True, False, False]
    are_equal = found.are_equal(steps.values, steps.offsets)
    np.testing.assert_array_equal(are_equal, expected)


@pytest.mark.parametrize(
    "y, error, message",
    [
        (None, ValueError, "This Name estimator requires y to be passed, but the"),
        ([1, 2], TypeError, "y[0] is an int: a sequence is a string, a list of tokens"),
        (["a", 1], TypeError, "y[1] is an int, but y[0] is a string: all sequences"),
        ([], ValueError, "y is empty: at least one sequence is needed."),
        (["", ""], ValueError, "y has no steps: all its sequences are empty, so there"),
        (
            [[0.5, 1.5]],
            TypeError,
            "y holds numbers that are no tokens: strings or lists",
        ),
        ([1, 2], TypeError, "use a regressor, or [str(n) for n in y] to write its di"),
        (
            np.ones(2),
            ValueError,
            "use a regressor, or [str(n) for n in y] to write its",
        ),
        ([[{"a": 1}], [{}]], TypeError, "y holds sequences of features, which cannot"),
        (
            np.ones((2, 3)),
            TypeError,
            "y holds numbers that are no tokens: strings or lists",
        ),
    ],
)
def test_what_cannot_be_predicted_raises(y, error, message):
    with pytest.raises(error, match=re.escape(message)):
        learn_outputs(Schema("Name", learned(["a"])[0].options), y, 2)


def test_another_length_than_that_of_x_raises():
    schema, _, _ = learned(["ab", "a"])
    message = "y is of length 2, but X is of length 3: a sequence for each sample was"
    with pytest.raises(ValueError, match=message):
        read_outputs(schema, ["a", "b"], 3)
    with pytest.raises(TypeError, match="y holds token lists, but Name was fitted on"):
        read_outputs(schema, [["a", "b"]], 1)


def test_cut_sequences_are_counted_in_one_warning():
    found = hypotheses([[[1]], [[1]], [[1]]])
    cure = "Fit for longer."
    warn_of_cut(found, 1, cure)  # not at all
    found.is_cut[1:] = True
    message = (
        "2 of 3 predicted sequences had no end after 1 token, and were cut. Fit for "
        "longer."
    )
    with pytest.warns(UserWarning, match=re.escape(message)) as caught:
        warn_of_cut(found, 1, cure)
    assert len(caught) == 1


def test_equal_samples_share_no_result():
    results = [["a"], ["b"], ["c"]]
    found = each_its_own(results, np.array([1, 0, 1, 1]))
    assert found == [["b"], ["a"], ["b"], ["b"]]
    assert len({id(each) for each in found}) == 4
    assert found[0] is results[1]
