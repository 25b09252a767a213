"""Fits that are interrupted after some epochs, of all kinds."""

import numpy as np
import pytest
from quiet import Quiet

from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
)

WORDS = ["aab", "ba", "abba", "b", "bbb", "a", "baa", "bab"] * 5
LABELS = [word[0] for word in WORDS]
NUMBERS = [word.count("a") / 3 for word in WORDS]
SERIES = [np.sin(np.arange(12 + i % 5) * (1 + i % 2)) for i in range(40)]
SENTENCES = ["the cat sat down", "a dog ran off again", "the dog sat"] * 12
TAGS = [["D", "N", "V", "P"], ["D", "N", "V", "P", "P"], ["D", "N", "V"]] * 12
FEATURES = [[{"letter": letter, "is_a": letter == "a"} for letter in w] for w in WORDS]
VECTORS = np.arange(80.0).reshape(40, 2) % 7
TEXT = "the cat sat on the mat, and the dog sat on the cat. " * 12
# So many that an update moves the vectors of some of them.
MANY_TOKENS = [[f"{i * 4 + j}" for j in range(4)] for i in range(700)]
GIVEN = {"a": [1.0, 0.0], "b": [0.0, 1.0]}
PARAMS = {"nhidden": 4, "max_iter": 6, "batch_size": 8, "random_state": 0}
EARLY = {"early_stopping": True, "validation_fraction": 0.3}

# Estimators, and what they learn.
CASES = {
    "plain": (RNNClassifier(**PARAMS, wide_ngram_range=None), WORDS, LABELS),
    "wide": (RNNClassifier(**PARAMS), WORDS, LABELS),
    "early stopping": (RNNClassifier(**PARAMS, **EARLY), WORDS, LABELS),
    "embeddings": (RNNClassifier(**PARAMS, embeddings=GIVEN), WORDS, LABELS),
    "vocabulary": (RNNClassifier(**PARAMS, vocabulary=["b", "a"]), WORDS, LABELS),
    "dropout": (
        RNNClassifier(**{**PARAMS, "nhidden": (4, 3)}, dropout=0.4, token_dropout=0.3),
        WORDS,
        LABELS,
    ),
    "lstm": (RNNClassifier(**PARAMS, cell="lstm", bidirectional=True), WORDS, LABELS),
    "many tokens": (
        RNNEncoder(**{**PARAMS, "batch_size": 128}, dropout=0.2),
        MANY_TOKENS,
        np.arange(700) % 2,
    ),
    "truncate": (RNNClassifier(**PARAMS, truncate=2), WORDS, LABELS),
    "filters": (RNNClassifier(**PARAMS), SERIES, LABELS),
    "numbers": (RNNRegressor(**PARAMS, **EARLY), WORDS, NUMBERS),
    "encoder": (RNNEncoder(**PARAMS), WORDS, LABELS),
    "next step": (RNNEncoder(**PARAMS), WORDS, None),
    "next numbers": (RNNEncoder(**PARAMS), SERIES, None),
    "features": (RNNClassifier(**PARAMS), FEATURES, LABELS),
    "tags": (RNNTagger(**PARAMS), SENTENCES, TAGS),
    "transitions": (RNNTagger(**PARAMS, transitions=True, **EARLY), SENTENCES, TAGS),
    "text": (
        RNNLanguageModel(**PARAMS, truncate=10, recurrent_dropout=0.3, **EARLY),
        TEXT,
        None,
    ),
    "words of names": (RNNLanguageModel(**PARAMS), WORDS, None),
    "tokens from vectors": (RNNDecoder(**PARAMS, **EARLY), VECTORS, WORDS),
    "series from vectors": (RNNDecoder(**PARAMS), VECTORS, SERIES),
    "sequences": (
        RNNSeq2Seq(**PARAMS, teacher_forcing=0.5, dropout=0.2, **EARLY),
        WORDS,
        WORDS[::-1],
    ),
    "ctc": (RNNSeq2Seq(**PARAMS, decoder="ctc"), SENTENCES, SENTENCES),
}


class Interrupt(Exception):
    pass


class InterruptAfter(Quiet):
    """A callback that raises after some epochs, and counts those that it sees."""

    def __init__(self, n_epochs=None):
        self.n_epochs, self.seen = n_epochs, []

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            self.seen.append(context.task_id)
            if context.task_id + 1 == self.n_epochs:
                raise Interrupt


def copy_of(estimator, **params):
    """An estimator that has not been fitted, with other parameters."""
    return type(estimator)(**{**estimator.get_params(), **params})


def interrupted(estimator, X, y, after, **fit_params):
    """Fit an estimator, and interrupt the fit after some epochs."""
    of_y = () if y is None else (y,)
    with pytest.raises(Interrupt):
        estimator.set_callbacks(InterruptAfter(after)).fit(X, *of_y, **fit_params)
    return estimator.set_callbacks()


def fitted(estimator, X, y, **fit_params):
    of_y = () if y is None else (y,)
    return estimator.fit(X, *of_y, **fit_params)


def assert_same(ours, theirs):
    """Two values are equal to the bit."""
    if isinstance(ours, np.ndarray):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    elif isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    elif isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        for key in ours:
            assert_same(ours[key], theirs[key])
    else:
        assert ours == theirs or (np.isnan(ours) and np.isnan(theirs))


def assert_same_fit(ours, theirs):
    """All that a fit has set is equal to the bit."""
    attributes = [
        {k: v for k, v in vars(each).items() if k.endswith("_") and k != "encoder_"}
        for each in (ours, theirs)
    ]
    assert "n_iter_" in attributes[0]
    assert_same(*attributes)
