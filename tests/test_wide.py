"""The wide path: TF-IDF weights of n-grams, and a linear map that is trained."""

import tracemalloc
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import torch
from networks import ARCHITECTURES, LABELS, LENGTHS, random_weights
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from ways import WAYS, by_pickle

from skrnn import RNNClassifier, RNNRegressor
from skrnn._core import losses, wide
from skrnn._core.batch import Batch
from skrnn._core.counts import learn_vocabulary
from skrnn._core.packing import Packing
from skrnn._core.sparse_rows import SparseRows
from skrnn._core.training_state import TrainingState
from skrnn._core.updates.moments import Moments
from skrnn._core.updates.wide import DAMPING, RATE, Wide
from skrnn._core.vocabulary import numbers_of
from skrnn._reading import wide as wide_reading
from skrnn._reading.places import MAX_FOR_PAIRS, learn_grams
from skrnn._reading.text import TOKEN_PATTERN, read_characters, read_text
from skrnn._reading.token_lists import read_tokens
from skrnn._reading.wide import WideReader, auto_range

X = ["abc", "bca", "cab", "acb", "ab", "ba", "c", "cc", "abab", "ccab"] * 5
Y = [x[-1] for x in X]
NO_CHANGE = {"learning_rate_init": 1e-12, "max_iter": 1, "alpha": 0.0}


def classifier(**params):
    params = {"nhidden": 8, "max_iter": 20, "random_state": 0, **params}
    return RNNClassifier(**params)


def as_matrix(rows, n_columns):
    shape = len(rows.offsets) - 1, n_columns
    return csr_array((rows.values, rows.columns, rows.offsets), shape)


def held_against(vectorizer, reader, rows, texts, name=lambda gram: gram):
    """Compare what a reader has learned with what scikit-learn has."""
    theirs = vectorizer.fit_transform(texts)
    columns = [vectorizer.vocabulary_[name(gram)] for gram in reader.vocabulary]
    assert len(columns) == theirs.shape[1]
    assert list(reader.vocabulary.values()) == list(range(len(columns)))
    np.testing.assert_allclose(reader.idf, vectorizer.idf_[columns], rtol=1e-12)
    ours = as_matrix(rows, len(columns))
    ours.sort_indices()
    assert ours.has_canonical_format  # its columns are distinct
    assert (ours.indptr == np.append(0, np.cumsum(np.diff(theirs.indptr)))).all()
    np.testing.assert_allclose(ours.toarray(), theirs[:, columns].toarray(), rtol=1e-6)


def with_ends(string, ngram_range):
    """The n-grams of a string with a mark at both ends."""
    marked = f"\x02{string}\x03"
    for n in range(ngram_range[0], ngram_range[1] + 1):
        grams = (marked[i : i + n] for i in range(len(marked) - n + 1))
        yield from (gram for gram in grams if gram.strip("\x02\x03"))


@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 5), (2, 3)])
def test_characters_are_weighed_as_by_scikit_learn(surnames, ngram_range):
    names = surnames[0][:1000]
    names += ["", "", "Zoë 🎈", "Zoë 🎈"]
    vectorizer = TfidfVectorizer(
        analyzer=lambda x: with_ends(x, ngram_range), sublinear_tf=True, min_df=2
    )
    reader, rows = WideReader.learn(read_characters(names), ngram_range)
    held_against(vectorizer, reader, rows, names)
    others = ["Nguyen", "", "xqz", "Smiths" * 3]
    ours = as_matrix(reader.encode(read_characters(others)), len(reader.idf))
    theirs = vectorizer.transform(others)
    columns = [vectorizer.vocabulary_[gram] for gram in reader.vocabulary]
    np.testing.assert_allclose(ours.toarray(), theirs[:, columns].toarray(), rtol=1e-6)


def test_words_and_tokens_are_weighed_as_by_scikit_learn():
    texts = ["a cat sat", "a cat is a cat", "the cat sat", "the the the", "", "a dog"]
    vectorizer = TfidfVectorizer(
        token_pattern=TOKEN_PATTERN, ngram_range=(1, 2), sublinear_tf=True, min_df=2
    )
    options = {"lowercase": False, "strip_accents": None}
    words = read_text(texts, "words", token_pattern=TOKEN_PATTERN, **options)
    held_against(vectorizer, *WideReader.learn(words, (1, 2)), texts)
    tokens = read_tokens([text.split() for text in texts])
    found = WideReader.learn(tokens, (1, 2))

    def name(gram):
        return gram if isinstance(gram, str) else " ".join(gram)

    held_against(vectorizer, *found, texts, name)


def all_grams(x, longest, n_places):
    """The n-grams of a string or list, without places and with them, as strings."""
    join = "".join if isinstance(x, str) else tuple
    for n in range(1, longest + 1):
        for i in range(len(x) - n + 1):
            gram = join(x[i : i + n])
            yield repr(gram if n > 1 or isinstance(x, str) else x[i])
            if i + n <= n_places:
                yield repr(tuple(enumerate(x[i : i + n], start=i)))
    places = range(min(len(x), n_places) if n_places <= MAX_FOR_PAIRS else 0)
    for i, j in combinations(places, 2):
        if j > i + 1:
            yield repr(((i, x[i]), (j, x[j])))


@pytest.mark.parametrize("n_places", [2, 3, 5, 8, 9, 20])
@pytest.mark.parametrize("kind", ["text", "tokens"])
def test_places_are_read_as_by_scikit_learn(kind, n_places):
    rng = np.random.default_rng(n_places)
    as_kind, read = (
        ("".join, read_characters) if kind == "text" else (list, read_tokens)
    )

    def draw(lengths):
        return [as_kind(rng.choice(list("aabcdé"), n).tolist()) for n in lengths]

    given = draw([n_places] * 50)
    if kind == "tokens":
        given = [[1 if token == "b" else token for token in x] for x in given]
    longest = auto_range(read(given))[1]
    vectorizer = TfidfVectorizer(
        analyzer=lambda x: all_grams(x, longest, n_places), sublinear_tf=True, min_df=2
    )
    assert wide_reading.n_places(read(given)) == n_places
    found = WideReader.learn(read(given), (1, longest), n_places=n_places)
    held_against(vectorizer, *found, given, repr)
    others = [
        *draw([3, 0, n_places + 1, n_places, 40, 1, 2]),
        as_kind(["ü"] * n_places),
    ]
    ours = as_matrix(found[0].encode(read(others)), len(found[0].idf)).toarray()
    columns = [vectorizer.vocabulary_[repr(gram)] for gram in found[0].vocabulary]
    theirs = vectorizer.transform(others).toarray()[:, columns]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("n_places", [0, 4, 9])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_many_sequences_are_read_in_parts(n_threads, n_places, monkeypatch, surnames):
    sequences = read_characters([*surnames[0][:200], "Smith" * 50, ""])
    if n_places:
        sequences = read_characters([x[:n_places] for x in surnames[0] if x[n_places:]])
    reader, rows = WideReader.learn(sequences, (1, 3), n_places=n_places)
    monkeypatch.setattr("skrnn._reading.wide._MAX_ROWS", 100)
    torch.set_num_threads(n_threads)
    try:
        again = reader.encode(sequences)
    finally:
        torch.set_num_threads(1)
    for one, other in zip(rows, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_large_n_takes_no_memory():
    sequences = read_characters(["abab", "ab", "b"] * 10)
    reader, rows = WideReader.learn(sequences, (1, 10**12))
    assert "\x02abab\x03" in reader.vocabulary
    for one, other in zip(rows, reader.encode(sequences), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("max_features", [1, 7, 30, 10**6])
def test_the_most_frequent_n_grams_with_places_are_kept(max_features):
    rng = np.random.default_rng(0)
    letters = rng.choice(list("aab"), (60, 5)).tolist()
    sequences = read_characters(list(map("".join, letters)))
    all_of_them = learn_grams(sequences, 3, 2, 10**6)
    counts = Counter(
        gram
        for i in range(len(sequences))
        for gram in all_of_them
        if all(chr(sequences.values[5 * i + place]) == token for place, token in gram)
    )
    places = {gram: place for place, gram in enumerate(all_of_them)}
    most = sorted(all_of_them, key=lambda gram: (-counts[gram], places[gram]))
    kept = learn_grams(sequences, 3, 2, max_features)
    assert kept == sorted(most[:max_features], key=places.get)


def test_short_strings_of_one_length_take_little_memory():
    rng = np.random.default_rng(0)
    names = list(map("".join, rng.choice(list("abcdefghij"), (100_000, 6)).tolist()))
    sequences = read_characters(names)
    reader, _ = WideReader.learn(sequences, (1, 3), n_places=6)
    tracemalloc.start()
    try:
        rows = reader.encode(sequences)
        n_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert n_bytes < 2**20 + 2.5 * sum(part.nbytes for part in rows)


@pytest.mark.parametrize("n_most", [None, 30])
@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 4), (2, 3), (3, 3)])
def test_counts_are_those_of_plain_python(ngram_range, n_most):
    """Also if prefixes of n-grams are no n-grams, and in the order of the first."""
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("abcdx"), n)) for n in rng.integers(0, 40, 50)]
    known = learn_vocabulary(read_characters(texts[:20]), ngram_range, 1, n_most)
    known = {gram: i for gram, i in known.items() if "x" not in gram}
    known = {gram: i for i, gram in enumerate(known, start=1)}
    table = wide_reading.make_table(known, "text")
    assert "x" not in table["number_of"]
    arrays = tuple(table[name] for name in wide_reading.ARRAYS)
    sequences = read_characters(texts)
    numbers = numbers_of(sequences, table)
    last = rng.integers(-(2**31), 2**31, len(known)).astype(np.int32)
    n_most = 4 * len(numbers)
    x = np.empty(n_most, np.int32), np.empty(n_most, np.float32), np.empty(51, int)
    n = wide.count(numbers, sequences.offsets, arrays, last, x)
    ours = SparseRows(x[0][:n], x[1][:n], x[2])
    for i, text in enumerate(texts):
        grams = [
            text[begin : begin + length]
            for begin in range(len(text))
            for length in range(1, 5)
            if begin + length <= len(text)
        ]
        expected = Counter(known[gram] - 1 for gram in grams if gram in known)
        own = ours.take([i])
        assert own.columns.tolist() == list(expected)
        assert own.values.tolist() == list(expected.values())


def test_the_mean_of_scores():
    x, rng = random_x(7), np.random.default_rng(0)
    A, scores = (rng.normal(size=(n, 4)).astype(np.float32) for n in (7, 5))
    expected = (scores + as_matrix(x, 7) @ A) / 2
    expected[2] = scores[2]  # no n-grams
    wide.average(*x, A, np.full(4, np.nan, np.float32), scores)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def random_x(n_grams, dtype=np.float32):
    rng = np.random.default_rng(3)
    dense = rng.normal(size=(len(LENGTHS), n_grams)) * rng.binomial(
        1, 0.5, (len(LENGTHS), n_grams)
    )
    dense[2] = 0  # a sequence without n-grams
    sparse = csr_array(dense)
    return SparseRows(
        sparse.indices.astype(np.int32),
        sparse.data.astype(dtype),
        sparse.indptr.astype(np.int64),
    )


TARGETS = {
    "cross_entropy": LABELS,
    "binary_cross_entropy": torch.eye(4, dtype=torch.float64)[LABELS],
    "squared_error": torch.randn(5, 4, dtype=torch.float64),
}
WEIGHT = torch.tensor([1.0, 0.5, 2.0, 1.0, 0.0], dtype=torch.float64)


def gradient_of(x, A, loss):
    """The summed loss of A x, and its gradient."""
    scores, dA = np.zeros((5, 4)), np.zeros_like(A)
    wide.add_scores(*x, A, scores)
    of = TARGETS[loss].numpy(), WEIGHT.numpy()
    total, dscores = losses.loss_and_gradient(loss, scores, *of)
    wide.add_gradient(*x, dscores, dA)
    return total, dA


@pytest.mark.parametrize("loss", TARGETS)
def test_gradients_against_differences(loss):
    x, A = random_x(7, np.float64), np.random.default_rng(0).normal(size=(7, 4))
    _, dA = gradient_of(x, A, loss)
    for place in np.ndindex(A.shape):
        totals = []
        for step in (1e-6, -1e-6):
            moved = A.copy()
            moved[place] += step
            totals.append(gradient_of(x, moved, loss)[0])
        assert dA[place] == pytest.approx((totals[0] - totals[1]) / 2e-6, abs=1e-7)


def test_gradients_against_autograd():
    x, A = random_x(7, np.float64), np.random.default_rng(0).normal(size=(7, 4))
    total, dA = gradient_of(x, A, "cross_entropy")
    theirs = torch.from_numpy(A).requires_grad_()
    scores = torch.from_numpy(as_matrix(x, 7).toarray()) @ theirs
    loss = torch.nn.functional.cross_entropy(scores, LABELS, reduction="none") @ WEIGHT
    loss.backward()
    assert total == pytest.approx(loss.item())
    np.testing.assert_allclose(dA, theirs.grad.numpy(), atol=1e-12)


class NoNetwork:
    """Updates of a network without weights."""

    def local(self, batches):
        return None, batches

    def synchronise(self):
        pass

    def moments(self):
        return Moments((), (), 0)


def minibatch(x, target, weight=None):
    n = len(x.offsets) - 1
    weight = torch.ones(n, dtype=torch.float64) if weight is None else weight
    nothing = np.zeros(0, np.int64)
    packing = Packing(np.arange(n), nothing, nothing, nothing)
    return Batch(None, packing, target, weight, wide=x)


@pytest.mark.parametrize("n_shards", [1, 2])
def test_updates_are_those_of_adagrad(n_shards):
    rng = np.random.default_rng(0)
    A = torch.from_numpy(rng.normal(size=(7, 4)))
    theirs = A.clone().requires_grad_()
    rate = RATE * 0.002
    optimiser = torch.optim.Adagrad([theirs], lr=rate, eps=DAMPING)
    updates, x = Wide(NoNetwork(), A, "cross_entropy"), random_x(7)
    dense = torch.from_numpy(as_matrix(x, 7).toarray()).double()
    for step in range(6):
        some = rng.permutation(5)[:4]
        parts = [some] if n_shards == 1 else [some[:1], some[1:]]
        shards = [minibatch(x.take(p), LABELS[p], WEIGHT[p]) for p in parts]
        _, same = updates.local(shards)
        assert same is shards
        updates.update_wide(0.002)
        if step == 3:  # as in a later call of partial_fit
            moments = updates.moments()
            updates = Wide(NoNetwork(), A, "cross_entropy", moments)
        loss = torch.nn.functional.cross_entropy(
            dense[some] @ theirs, LABELS[some], reduction="none"
        )
        optimiser.zero_grad()
        (loss @ WEIGHT[some]).backward()
        optimiser.step()
    np.testing.assert_allclose(A, theirs.detach(), rtol=1e-6)


def test_it_learns_as_a_multinomial_logistic_regression(surnames):
    names, languages = (each[::100] for each in surnames)
    classes, target = np.unique(languages, return_inverse=True)
    reader, x = WideReader.learn(read_characters(names), (1, 2))
    A = torch.zeros(len(reader.idf), len(classes), dtype=torch.float64)
    updates = Wide(NoNetwork(), A, "cross_entropy")
    batch = minibatch(x, torch.from_numpy(target))
    for _ in range(2000):
        updates.local([batch])
        updates.update_wide(0.005)
    dense = as_matrix(x, len(reader.idf)).toarray()
    ours = torch.softmax(torch.from_numpy(dense).double() @ A, 1).numpy()
    theirs = LogisticRegression(C=1e4, fit_intercept=False, max_iter=10_000)
    theirs = theirs.fit(dense, target)
    expected = log_loss(target, theirs.predict_proba(dense))
    assert log_loss(target, ours) == pytest.approx(expected, abs=0.02)
    assert (ours.argmax(1) == theirs.predict(dense)).mean() > 0.97


def test_the_network_is_that_without_it():
    without = classifier(wide_ngram_range=None).fit(X, Y)
    fitted = classifier(wide_ngram_range=(1, 2)).fit(X, Y)
    assert fitted.loss_curve_ == without.loss_curve_
    for name in ("W_", "U_", "b_", "V_", "intercept_"):
        for one, other in zip(
            getattr(fitted, name), getattr(without, name), strict=True
        ):
            np.testing.assert_array_equal(one, other)
    of_wide = {name for name in vars(without) if "wide" in name}
    assert of_wide == {"wide_ngram_range", "n_wide_features"}


def test_without_training_it_halves_the_scores_of_the_network():
    none = {**NO_CHANGE, "learning_rate_init": 1e-30}
    without = classifier(**none, wide_ngram_range=None).fit(X, Y)
    fitted = classifier(**none, wide_ngram_range=(1, 2)).fit(X, Y)
    assert abs(fitted.wide_coef_).max() < 1e-25
    ours, theirs = fitted.decision_function(X), without.decision_function(X)
    np.testing.assert_array_equal(2 * ours, theirs)
    # Of sequences without a known n-gram, it says nothing.
    ours, theirs = (each.decision_function(["", "x"]) for each in (fitted, without))
    np.testing.assert_array_equal(ours, theirs)


def test_scores_are_the_mean_of_both_paths():
    fitted = classifier(wide_ngram_range=(1, 3)).fit(X, Y)
    vectorizer = TfidfVectorizer(
        analyzer=lambda x: with_ends(x, (1, 3)), sublinear_tf=True, min_df=2
    )
    x = vectorizer.fit(X).transform(["abc", "cabb"]).toarray()
    known = vectorizer.vocabulary_
    assert fitted.wide_vocabulary_.keys() == known.keys()
    columns = [known[gram] for gram in fitted.wide_vocabulary_]
    h = fitted.encoder_.transform(["abc", "cabb"])
    expected = h @ fitted.V_.T + fitted.intercept_ + x[:, columns] @ fitted.wide_coef_.T
    scores = fitted.decision_function(["abc", "cabb"])
    np.testing.assert_allclose(scores, expected / 2, atol=1e-5)
    assert not [name for name in vars(fitted.encoder_) if "wide" in name]


@pytest.fixture(scope="module")
def aligned():
    """Strings of one length, of which only one place matters, and a fit."""
    rng = np.random.default_rng(0)
    strings = ["".join(x) for x in rng.choice(list("ACGT"), (400, 30)).tolist()]
    labels = [x[17] for x in strings]
    return strings, labels, classifier(warm_start=True).fit(strings, labels)


def test_sequences_of_one_length_are_read_with_places(aligned):
    strings, labels, fitted = aligned
    columns = [fitted.wide_vocabulary_[((17, base),)] for base in "ACGT"]
    assert fitted.wide_coef_.argmax(axis=1).tolist() == columns
    # They are not if a range is given, or places differ.
    for wide_ngram_range, x in (((1, 3), strings), ("auto", [*strings, "A"])):
        other = classifier(wide_ngram_range=wide_ngram_range, max_iter=1)
        other.fit(x, [*labels, "A"][: len(x)])
        assert set(map(type, other.wide_vocabulary_)) == {str}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["text", "words", "tokens"])
def test_places_are_saved(aligned, way, kind):
    strings, labels, _ = aligned
    params = {"analyzer": "word"} if kind == "words" else {}
    change = {"text": str, "words": " ".join, "tokens": list}[kind]
    strings = [change(x[15:20]) for x in strings]
    fitted = classifier(**params, token_pattern=r"\w", max_iter=2).fit(strings, labels)
    loaded = way(fitted)
    assert loaded.wide_vocabulary_ == fitted.wide_vocabulary_
    assert ((0, "A"), (4, "C")) in {
        tuple((i, token.upper()) for i, token in gram)
        for gram in fitted.wide_vocabulary_
        if isinstance(gram, tuple) and isinstance(gram[0], tuple)
    }
    others = [*strings[:20], strings[0] * 2, strings[0][:1], strings[0][:0]]
    np.testing.assert_array_equal(
        loaded.decision_function(others), fitted.decision_function(others)
    )


def test_places_are_kept_by_later_fits(aligned):
    strings, labels, fitted = aligned
    fitted = by_pickle(fitted)
    before, known = fitted.predict_proba(strings), fitted.wide_vocabulary_
    fitted.set_params(**NO_CHANGE).fit([*strings, "ACGT"], [*labels, "T"])
    np.testing.assert_allclose(fitted.predict_proba(strings), before, atol=1e-5)
    fitted.partial_fit(["A" * 40, "C"], ["A", "C"])
    assert fitted.wide_vocabulary_ == known
    with pytest.raises(ValueError) as caught:
        fitted.set_params(wide_ngram_range=(1, 3)).fit(strings, labels)
    assert str(caught.value) == (
        "warm_start=True continues from the last fit, whose wide_ngram_range was "
        "'auto', but now it is (1, 3). Use the same, or warm_start=False."
    )


_OTHER_GRAMS = [(), ((0,),), ((0, "AC"),), ((0, 1),), (("0", "A"),), ((-1, "A"),)]
_OTHER_GRAMS += [((0, "A"), "C"), ("A", (0, "C")), ((2**40, "A"),), ((5, "A"),) * 4]


@pytest.mark.parametrize("gram", _OTHER_GRAMS)
def test_edited_n_grams_with_places_are_refused(aligned, gram):
    edited = by_pickle(aligned[2])
    known = dict(edited.wide_vocabulary_)
    known[gram] = known.pop(((29, "A"),))
    edited.wide_vocabulary_ = known
    with pytest.raises(ValueError, match=r"^(wide_vocabulary_|_wide_grams) of this"):
        by_pickle(edited)


def test_n_grams_tell_the_ends_of_strings():
    rng = np.random.default_rng(0)
    strings = ["".join(rng.choice(list("abc"), n)) for n in rng.integers(2, 9, 300)]
    params = {"wide_ngram_range": (2, 2), "max_iter": 40}
    fitted = classifier(**params).fit(strings, [x[-1] for x in strings])
    columns = [fitted.wide_vocabulary_[f"{last}\x03"] for last in "abc"]
    assert fitted.wide_coef_.argmax(axis=1).tolist() == columns
    # What earlier versions saved knows nothing of them.
    edited = by_pickle(fitted)
    for change in ({"has_ends": False}, {"has_ends": 1}, {"has_starts": True}):
        edited._wide_grams = {**fitted._wide_grams, **change}
        with pytest.raises(ValueError, match=r"^_wide_grams of this"):
            by_pickle(edited)
    edited._wide_grams = dict(fitted._wide_grams)
    del edited._wide_grams["has_ends"]
    scores = by_pickle(edited).decision_function(strings)
    assert abs(scores - fitted.decision_function(strings)).max() > 0.1


@pytest.mark.parametrize("n_places", [0, 29, True, "30", 2**40, None])
def test_an_edited_number_of_places_is_refused(aligned, n_places):
    edited = by_pickle(aligned[2])
    edited._wide_grams = {**edited._wide_grams, "n_places": n_places}
    with pytest.raises(ValueError, match=r"^_wide_grams of this"):
        by_pickle(edited)
    edited._wide_grams = {**edited._wide_grams, "n_places": "thirty"}
    with pytest.raises(ValueError, match=r"^_wide_grams cannot be read"):
        edited.predict(aligned[0])
    edited._wide_grams = {**edited._wide_grams, "n_places": 30, "steps": np.arange(3)}
    with pytest.raises(ValueError, match=r"^_wide_grams of this"):
        by_pickle(edited)


def test_scores_do_not_depend_on_other_sequences(surnames):
    names, languages = (each[::20] for each in surnames)
    fitted = classifier(max_iter=2).fit(names, languages)
    scores = fitted.decision_function(names)
    np.testing.assert_array_equal(scores[::-1], fitted.decision_function(names[::-1]))
    alone = [fitted.decision_function([name])[0] for name in names[:50]]
    np.testing.assert_array_equal(scores[:50], alone)


def test_threads_change_no_more_than_rounding(surnames):
    names, languages = (each[::20] for each in surnames)
    of_one, of_two = [], []
    for n_threads, found in ((1, of_one), (2, of_two)):
        torch.set_num_threads(n_threads)
        try:
            fitted = classifier(nhidden=128, batch_size=400, max_iter=2)
            found.append(fitted.fit(names, languages).wide_coef_)
        finally:
            torch.set_num_threads(1)
    np.testing.assert_allclose(of_one[0], of_two[0], atol=1e-3)


@pytest.mark.parametrize("truncate, max_length", [(2, None), (None, 2)])
def test_it_reads_what_the_network_reads(truncate, max_length):
    fitted = classifier(
        truncate=truncate, max_length=max_length, overlong="last", max_iter=3
    ).fit(X, Y)
    longest = max(map(len, fitted.wide_vocabulary_))
    assert longest == min(5, (max_length or 4) + 2)
    same = fitted.decision_function(["bcab", "ab"])
    assert (same[0] == same[1]).all() == (max_length is not None)


def test_a_part_that_is_held_out_is_not_read():
    x = [*X[:49], "zzz"] * 2
    y = [*Y[:49], "z"] * 2
    weight = np.ones(100)
    weight[[49, 99]] = 0.0
    assert "z" not in classifier().fit(x, y, weight).wide_vocabulary_
    fitted = classifier(early_stopping=True).fit(
        X, Y, X_val=["qq"] * 4, y_val=["a"] * 4
    )
    assert "q" not in fitted.wide_vocabulary_


@pytest.mark.parametrize("way", WAYS)
def test_it_is_saved(way):
    fitted = classifier(max_iter=2).fit(X, Y)
    loaded = way(fitted)
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert loaded.wide_vocabulary_ == fitted.wide_vocabulary_


def test_several_labels_and_several_numbers():
    labels = np.array([["a" in x, "bc" in x] for x in X]).astype(int)
    fitted = classifier(max_iter=40).fit(X, labels)
    assert fitted.wide_coef_.shape[0] == 2 and fitted.score(X, labels) > 0.9
    numbers = np.array([[len(x), x.count("ab")] for x in X], float)
    regressor = RNNRegressor(
        nhidden=8, max_iter=40, random_state=0, wide_ngram_range=(1, 3)
    )
    fitted = regressor.fit(X, numbers)
    assert fitted.wide_coef_.shape[0] == 2 and fitted.score(X, numbers) > 0.5


def test_chunks_equal_epochs_and_keep_the_n_grams():
    fitted = classifier(wide_ngram_range=(1, 2), batch_size=7)
    fitted.partial_fit(X, Y, classes=["a", "b", "c"])
    first, known = fitted.wide_coef_.copy(), fitted.wide_vocabulary_
    copy = by_pickle(fitted)
    for each in (fitted, copy):
        each.partial_fit([*X, "xx", "xx"], [*Y, "a", "a"])
    np.testing.assert_array_equal(fitted.wide_coef_, copy.wide_coef_)
    assert fitted.wide_vocabulary_ == known and abs(fitted.wide_coef_ - first).max() > 0
    assert "wide_square" in fitted._training
    encoder = by_pickle(fitted).encoder_
    assert not [name for name in encoder._training if "wide" in name]
    encoder.partial_fit(X, Y)


def test_a_warm_start_goes_on():
    fitted = classifier(warm_start=True).fit(X, Y)
    before = fitted.predict_proba(X)
    coef = dict(zip("abc", fitted.wide_coef_, strict=True))
    fitted.set_params(**NO_CHANGE).fit(X, Y)
    np.testing.assert_allclose(fitted.predict_proba(X), before, atol=1e-5)
    fitted.fit(X, ["d" if label == "b" else label for label in Y])
    for label, row in zip("acd", fitted.wide_coef_, strict=True):
        np.testing.assert_allclose(row, coef.get(label, 0.0), atol=1e-6)
    regressor = RNNRegressor(
        nhidden=8, warm_start=True, random_state=0, wide_ngram_range=(1, 2)
    )
    y = np.array([len(x) + x.count("a") for x in X], float)
    y -= y.mean()
    before = regressor.fit(X, y).predict(X)
    regressor.set_params(**NO_CHANGE).fit(X, 3 * y)
    np.testing.assert_allclose(regressor.predict(X), before, atol=1e-3)


@pytest.mark.parametrize("now", [None, (1, 2)])
def test_a_warm_start_with_other_n_grams_is_refused(now):
    fitted = classifier(warm_start=True, max_iter=1, wide_ngram_range=(1, 3)).fit(X, Y)
    sentence = (
        "warm_start=True continues from the last fit, whose wide_ngram_range was "
        f"(1, 3), but now it is {now}. Use the same, or warm_start=False."
    )
    with pytest.raises(ValueError) as caught:
        fitted.set_params(wide_ngram_range=now).fit(X, Y)
    assert str(caught.value) == sentence


def test_where_there_is_none():
    series = [np.arange(n, dtype=float) for n in (3, 5, 2, 4)]
    assert not hasattr(classifier().fit(series, list("abab")), "wide_coef_")
    assert not hasattr(classifier().fit(["ab", "cde"], list("ab")), "wide_coef_")
    assert not hasattr(classifier().fit(["ab", "cd"], list("ab")), "wide_coef_")
    with pytest.raises(ValueError) as caught:
        classifier(wide_ngram_range=(1, 2)).fit(series, list("abab"))
    assert str(caught.value) == (
        "wide_ngram_range needs tokens, but X holds sequences of numbers. Use "
        "wide_ngram_range=None, or analyzer='token' if whole numbers are tokens."
    )
    with pytest.raises(ValueError) as caught:
        classifier(wide_ngram_range=(1, 2)).fit(["ab", "cd"], list("ab"))
    assert str(caught.value) == (
        "wide_ngram_range=(1, 2) leaves nothing to read: no such n-gram is in 2 "
        "sequences of X. Lower its first n, or use wide_ngram_range=None."
    )
    with pytest.raises(ValueError) as caught:
        classifier(wide_ngram_range=(2, 1)).fit(X, Y)
    assert str(caught.value) == (
        "wide_ngram_range is (2, 1): the smallest and the largest n were expected, "
        "such as (1, 3)."
    )
    spaced = {"analyzer": "word", "token_pattern": r"[^,]+", "max_iter": 1}
    words = ["a b,c", "c,a b"] * 2
    assert not hasattr(classifier(**spaced).fit(words, list("abab")), "wide_coef_")
    with pytest.raises(ValueError, match=r"Use wide_ngram_range=\(1, 1\), or another"):
        classifier(**spaced, wide_ngram_range=(1, 2)).fit(words, list("abab"))


def test_edited_attributes_are_refused():
    fitted = classifier(max_iter=1).fit(X, Y)
    grams = fitted._wide_grams
    changes = [
        ("wide_coef_", fitted.wide_coef_[:, 1:]),
        ("wide_idf_", fitted.wide_idf_[1:]),
        ("wide_idf_", fitted.wide_idf_[:, np.newaxis]),
        ("_wide_grams", {**grams, "children": grams["children"][:-1]}),
        ("_wide_grams", {**grams, "roots": grams["roots"][:, np.newaxis]}),
        ("_wide_grams", {**grams, "tokens": grams["tokens"][:, np.newaxis]}),
        ("_wide_grams", {**grams, "roots": grams["roots"] + np.int32(1000)}),
        ("_wide_grams", {**grams, "columns": grams["columns"] + np.int32(1000)}),
    ]
    for name, value in changes:
        edited = by_pickle(fitted)
        setattr(edited, name, value)
        with pytest.raises(ValueError, match=name):
            edited.predict(X)
        with pytest.raises(ValueError, match=f"^{name} of this RNNClassifier is"):
            by_pickle(edited)
    for name in ("wide_coef_", "wide_idf_", "wide_vocabulary_", "_wide_grams"):
        edited = by_pickle(fitted)
        delattr(edited, name)
        with pytest.raises(ValueError, match="wide_"):
            by_pickle(edited)
    edited = by_pickle(fitted)
    edited.wide_idf_ = ["x"]
    with pytest.raises(ValueError, match=r"^wide_idf_ does not hold numbers: "):
        edited.predict(X)


def test_an_interrupted_or_undone_epoch_undoes_it_too():
    weights = random_weights(ARCHITECTURES["gru-1-1-sum"])
    A = torch.ones(3, 4, dtype=torch.float64)
    state = TrainingState(weights, torch.Generator(), wide=A)
    state.begin(2, 1, lambda moments: None)
    state.epoch_begins()
    A.fill_(2.0)
    state.undo_epoch()
    assert (A == 1).all()
    A.fill_(torch.nan)
    assert not state.is_finite


def test_with_many_classes_only_frequent_n_grams_are_learned(monkeypatch):
    """Each n-gram has a weight for each class."""
    monkeypatch.setattr(wide_reading, "_MAX_WEIGHTS", 40)
    X = [a * (1 + i % 3) + b for i, a in enumerate("abcd") for b in "abcd"] * 2
    sizes = {
        n: len(classifier(max_iter=1).fit(X, [i % n for i in range(32)]).wide_idf_)
        for n in (2, 8)
    }
    assert sizes == {2: 18, 8: 3}  # and both ends, which have no weights
