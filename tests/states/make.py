"""Save small fitted estimators, to be read by all later versions.

    python tests/states/make.py

Writes files such as ``format_N.pkl`` beside this one, N being the format of the state:
estimators, sequences, and what they make of them. Run it once for each new format, and
once for estimators that are new, which get a file of their own in FILES: files that
exist are left as they are, as earlier versions wrote them.
"""

import pickle
from pathlib import Path

import numpy as np

from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNEnsemble,
    RNNLanguageModel,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
)
from skrnn._state import FORMAT

PARAMS = {"nhidden": 2, "max_iter": 3, "random_state": 0}
X = ["aab", "ba", "abba", "b", "bbb", "a", "baa", "bab"]
Y = ["a", "b", "a", "b", "b", "a", "b", "b"]
SERIES = [np.arange(n, dtype=float) for n in (3, 5, 2, 4)]


def fitted():
    """Estimators of all kinds, each with sequences.

    Returns
    -------
    fitted : dict of str to (estimator, sequences)
    """
    vectors = {"a": [1.0, 0.0], "b": [0.0, 1.0]}
    word = RNNClassifier(**PARAMS, analyzer="word", lowercase=True, cell="lstm")
    stacked = RNNEncoder(
        **{**PARAMS, "nhidden": (3, 2)}, bidirectional=True, cell="rnn"
    )
    rows = RNNRegressor(**PARAMS, missing="mask")
    filters = RNNRegressor(**PARAMS, kernel_sizes=((2, 3), (3,)))
    several = np.array([["a" in x, "b" in x] for x in X]).astype(int)
    partial = RNNClassifier(**PARAMS).partial_fit(X, Y, classes=["a", "b"])
    tagger = RNNTagger(**PARAMS).fit([[*x] for x in X], X)
    sets = [[{"letter": letter, "is_a": letter == "a"} for letter in x] for x in X]
    of_sets = RNNTagger(**PARAMS).fit(sets, X)
    of_series = RNNTagger(**PARAMS).fit(SERIES, [x > 2 for x in SERIES])
    return {
        "n-grams": (RNNClassifier(**PARAMS).fit(X, Y), X),
        "words": (word.fit([" ".join(x) for x in X], Y), ["a B", "b c a"]),
        "labels": (RNNClassifier(**PARAMS).fit(X, several), X),
        "vectors": (RNNClassifier(**PARAMS, embeddings=vectors).fit(X, Y), X),
        "layers": (stacked.fit(X, Y), X),
        "next step": (RNNEncoder(**PARAMS).fit(X), X),
        "tokens": (RNNEncoder(**PARAMS).fit([[1, 2], [2, 1]], [0, 1]), [[1], [2, 2]]),
        "series": (rows.fit(SERIES, [0.5, 1.5, 2.0, 1.0]), SERIES),
        "filters": (filters.fit(SERIES, [0.5, 1.5, 2.0, 1.0]), SERIES),
        "chunks": (partial, X),
        "tags": (tagger, [["a", "b"], ["c"]]),
        "tags of series": (of_series, SERIES),
        "tags of features": (of_sets, [[("is_a", "letter:b")], [{}, {"is_a": 1}]]),
        "next tokens": (RNNLanguageModel(**PARAMS).fit(X), X),
        "next numbers": (RNNLanguageModel(**PARAMS).fit(SERIES), SERIES),
    }


def fitted_per_step():
    """Those that came later: answers at each step, and sequences to write.

    Returns
    -------
    fitted : dict of str to (estimator, sequences)
        The decoder and the others that write also have the sequences to write.
    """
    names = ["tags", "tags of series", "tags of features"]
    names += ["next tokens", "next numbers"]
    chain = RNNTagger(**PARAMS, transitions=True).fit(X, X)
    forward = RNNTagger(**PARAMS, bidirectional=False).fit(X, X)
    words = RNNLanguageModel(**PARAMS, analyzer="word").fit(["a b c", "b a"])
    vectors = np.array([["a" in x, "b" in x] for x in X]).astype(float)
    decoder = RNNDecoder(**PARAMS).fit(vectors, X)
    model = RNNSeq2Seq(**PARAMS).fit(X, [x[::-1] for x in X])
    additive = RNNSeq2Seq(
        **PARAMS, attention="additive", decoder_nhidden=2, cell="lstm"
    )
    additive.fit(SERIES, [[*x] for x in X[: len(SERIES)]])
    return {
        **{name: each for name, each in fitted().items() if name in names},
        "tags in a chain": (chain, X),
        "tags without what follows": (forward, X),
        "next words": (words, ["b a", "c"]),
        "a decoder": (decoder, (vectors, X)),
        "sequences": (model, (X, X)),
        "sequences of series": (additive, (SERIES, [["a"], ["b", "a"], [], ["b"]])),
    }


def fitted_writers():
    """Those that came later still: frames, series to write, and an ensemble.

    Returns
    -------
    fitted : dict of str to (estimator, (X, sequences))
    """
    vectors = np.array([[len(x), x.mean()] for x in SERIES])
    rows = [np.column_stack([x, -x]) for x in SERIES]
    frames = RNNSeq2Seq(**PARAMS, decoder="ctc").fit(X, [x * 2 for x in X])
    ensemble = RNNEnsemble(RNNSeq2Seq(**PARAMS), n_estimators=2, random_state=0)
    return {
        "frames": (frames, (X, X)),
        "a decoder of series": (
            RNNDecoder(**PARAMS).fit(vectors, SERIES),
            (vectors, SERIES),
        ),
        "a decoder of rows": (
            RNNDecoder(**PARAMS, cell="lstm").fit(vectors, rows),
            (vectors, rows),
        ),
        "an ensemble": (ensemble.fit(X, [x[::-1] for x in X]), (X, X)),
    }


FILES = {"": fitted, "_per_step": fitted_per_step, "_writers": fitted_writers}


def result(estimator, X):
    """What an estimator makes of sequences; of those that write, of what they write."""
    if isinstance(X, tuple):
        return estimator.score_samples(*X)
    for method in ("transform", "predict_proba", "predict"):
        if hasattr(estimator, method):
            found = getattr(estimator, method)(X)
            return np.concatenate(found) if isinstance(found, list) else found


def main():
    """Fit, and write the files that are not there yet."""
    for name, fitted_of in FILES.items():
        path = Path(__file__).with_name(f"format_{FORMAT}{name}.pkl")
        if path.exists():
            continue
        saved = {
            name: (estimator, X, result(estimator, X))
            for name, (estimator, X) in fitted_of().items()
        }
        path.write_bytes(pickle.dumps(saved))
        print(path)


if __name__ == "__main__":
    main()
