"""Scores of tags and sequences, beside brute force and conlleval's rules."""

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score

from skrnn import RNNSeq2Seq, RNNTagger
from skrnn.metrics import (
    span_f1_score,
    span_precision_recall_fscore_support,
    token_accuracy_score,
    token_error_rate,
)

# By each case: what is true, predicted, and the numbers of spans that are right,
# predicted and true; counted by hand by the rules for the starts and ends of chunks.
BY_HAND = {
    "all right": ("B-A I-A O B-B", "B-A I-A O B-B", (2, 2, 2)),
    "too short": ("B-A I-A O B-B", "B-A O O B-B", (1, 2, 2)),
    "too long": ("B-A I-A O B-B", "B-A I-A I-A B-B", (1, 2, 2)),
    "other type": ("B-A I-A O", "B-B I-B O", (0, 1, 1)),
    "I after O begins a span": ("B-A I-A O B-A", "I-A I-A O I-A", (2, 2, 2)),
    "B after I begins another": ("B-A I-A B-A", "B-A I-A I-A", (0, 1, 2)),
    "as IOB1 has it": ("B-A I-A B-A I-A", "I-A I-A B-A I-A", (2, 2, 2)),
    "other type begins another": ("B-A B-B I-B", "B-A I-B I-B", (2, 2, 2)),
    "and ends the one before": ("B-A I-A I-A", "B-A I-B I-A", (0, 3, 1)),
    "as IOE2 has it": ("B-A I-A B-A O", "I-A E-A E-A O", (2, 2, 2)),
    "I after E begins another": ("B-A B-A I-A", "E-A I-A I-A", (2, 2, 2)),
    "as IOBES has it": ("B-A I-A B-A B-B", "B-A E-A S-A S-B", (3, 3, 3)),
    "as BILOU has it": ("B-A I-A I-A B-A", "B-A I-A L-A U-A", (2, 2, 2)),
    "without types": ("B I I B O", "B I I I O", (0, 1, 2)),
    "hyphens in types": ("B-A-B I-A-B", "B-A-B I-A-C", (0, 2, 1)),
    "nothing": ("O O", "O O", (0, 0, 0)),
    "nothing predicted": ("B-A O", "O O", (0, 0, 1)),
    "nothing true": ("O O", "I-A I-A", (0, 1, 0)),
}
# Those that the scheme lets through: as above.
BY_SCHEME = {
    "BIO": [
        ("B-A I-A O", "B-A I-A O", (1, 1, 1)),
        ("B-A I-A O", "I-A I-A O", (0, 0, 1)),
        ("B-A I-A I-A", "B-A I-A I-B", (0, 1, 1)),
        ("B-A O B-B", "B-A I-B B-B", (2, 2, 2)),
        ("B-A B-A", "B-A B-A", (2, 2, 2)),
    ],
    "IOBES": [
        ("B-A E-A O S-A", "B-A E-A O S-A", (2, 2, 2)),
        ("B-A E-A O S-A", "B-A I-A O B-A", (0, 0, 2)),
        ("B-A E-A O S-A", "I-A E-A O E-A", (0, 0, 2)),
        ("B-A I-A E-A", "B-A I-B E-A", (0, 0, 1)),
        ("B-A E-A S-A", "B-A B-A E-A", (0, 1, 2)),
        ("B-A I-A E-A S-A", "B-A I-A E-A E-A", (1, 1, 2)),
        ("S-A S-A", "S-A I-A", (1, 1, 2)),
    ],
    "BILOU": [
        ("B-A L-A O U-A", "B-A L-A O U-A", (2, 2, 2)),
        ("B-A L-A O U-A", "B-A I-A O B-A", (0, 0, 2)),
        ("B-A I-A L-A", "B-A I-B L-A", (0, 0, 1)),
    ],
}


def expected(n_right, n_predicted, n_true):
    return (
        n_right / n_predicted if n_predicted else 0,
        n_right / n_true if n_true else 0,
        2 * n_right / (n_predicted + n_true) if n_predicted + n_true else 0,
    )


def scores_of(y_true, y_pred, **params):
    params = {"average": "micro", **params}
    return span_precision_recall_fscore_support(y_true, y_pred, **params)[:3]


@pytest.mark.parametrize("true, predicted, counts", BY_HAND.values(), ids=BY_HAND)
def test_spans_are_those_of_conlleval(true, predicted, counts):
    y_true, y_pred = [true.split()], [predicted.split()]
    assert scores_of(y_true, y_pred) == pytest.approx(expected(*counts))
    assert span_f1_score(y_true, y_pred) == pytest.approx(expected(*counts)[2])


@pytest.mark.parametrize(
    "scheme, true, predicted, counts",
    [(scheme, *case) for scheme, cases in BY_SCHEME.items() for case in cases],
)
def test_spans_of_a_scheme_are_whole(scheme, true, predicted, counts):
    y_true, y_pred = [true.split()], [predicted.split()]
    ours = scores_of(y_true, y_pred, scheme=scheme)
    assert ours == pytest.approx(expected(*counts))


def reference_conlleval(y_true, y_pred):
    """Numbers of spans by conlleval's tables of what starts and ends a chunk."""
    ends = {"BB", "BO", "IB", "IO", "EE", "EI", "EO"}
    starts = {"BB", "IB", "OB", "OI", "EE", "EI", "OE"}

    def is_in(pairs, before, tag, outside):
        has_changed = before[2:] != tag[2:] and outside[0] != "O"
        return before[0] + tag[0] in pairs or has_changed

    n_right = n_predicted = n_true = 0
    for tags in zip(y_true, y_pred, strict=True):
        before, is_open = ("O", "O"), False
        for now in [*zip(*tags, strict=True), ("O", "O")]:
            ended = [is_in(ends, b, n, b) for b, n in zip(before, now, strict=True)]
            started = [is_in(starts, b, n, n) for b, n in zip(before, now, strict=True)]
            types = [tag[2:] for tag in now]
            if is_open and all(ended):
                n_right, is_open = n_right + 1, False
            elif is_open and (any(ended) or types[0] != types[1]):
                is_open = False
            is_open |= all(started) and types[0] == types[1]
            n_true, n_predicted = n_true + started[0], n_predicted + started[1]
            before = now
    return n_right, n_predicted, n_true


def tags_of(letters):
    """Lists of pairs of tags of equal lengths."""
    tag = st.sampled_from(["O", *(f"{a}-{b}" for a in letters for b in "XY")])
    return st.lists(st.lists(st.tuples(tag, tag), max_size=8), max_size=4)


def unzip(pairs):
    return [[[pair[k] for pair in tags] for tags in pairs] for k in (0, 1)]


@given(st.one_of(tags_of("BI"), tags_of("IE")))
def test_counts_equal_those_of_the_tables_of_conlleval(pairs):
    y_true, y_pred = unzip(pairs)
    counts = reference_conlleval(y_true, y_pred)
    assert scores_of(y_true, y_pred) == pytest.approx(expected(*counts))


any_scheme = pytest.mark.parametrize("scheme", [None, "BIO", "IOBES"])
LETTERS = {None: "BIESLU", "BIO": "BI", "IOBES": "BIES", "BILOU": "BILU"}


@any_scheme
@given(data=st.data())
def test_right_predictions_have_the_score_1(scheme, data):
    y_true, _ = unzip(data.draw(tags_of(LETTERS[scheme])))
    precision, recall, f1 = scores_of(y_true, y_true, scheme=scheme)
    *_, support = span_precision_recall_fscore_support(y_true, y_true, scheme=scheme)
    assert precision == recall == f1 == float(support.sum() > 0)
    of_each = span_f1_score(y_true, y_true, scheme=scheme, average=None)
    np.testing.assert_array_equal(of_each, np.ones(len(support)))


@any_scheme
@pytest.mark.parametrize("average", ["micro", "macro"])
@given(data=st.data())
def test_precision_is_recall_the_other_way_round(average, scheme, data):
    y_true, y_pred = unzip(data.draw(tags_of(LETTERS[scheme])))
    params = {"scheme": scheme, "average": average}
    precision, recall, f1 = scores_of(y_true, y_pred, **params)
    swapped = scores_of(y_pred, y_true, **params)
    assert swapped == pytest.approx((recall, precision, f1))


@any_scheme
@given(data=st.data(), n_steps=st.integers(0, 3))
def test_sequences_without_spans_change_nothing(scheme, data, n_steps):
    y_true, y_pred = unzip(data.draw(tags_of(LETTERS[scheme])))
    more = [["O"] * n_steps]
    ours = scores_of(y_true + more, y_pred + more, scheme=scheme)
    assert ours == scores_of(y_true, y_pred, scheme=scheme)


def random_spans(draw):
    """A list of (type or None, length)."""
    length = st.integers(1, 4)
    return draw(st.lists(st.tuples(st.sampled_from([None, "X", "Y"]), length)))


def encoded(spans, letters):
    """The tags of spans: first, inside, last and single step."""
    first, inside, last, single = letters
    tags = []
    for kind, n in spans:
        if kind is None:
            tags += ["O"] * n
        else:
            places = [single] if n == 1 else [first, *[inside] * (n - 2), last]
            tags += [f"{place}-{kind}" for place in places]
    return tags


@given(data=st.data())
def test_schemes_of_the_same_spans_have_the_same_scores(data):
    spans = random_spans(data.draw), random_spans(data.draw)
    n_steps = max(sum(n for _, n in each) for each in spans)
    scores = []
    for scheme, letters in {"BIO": "BIIB", "IOBES": "BIES", "BILOU": "BILU"}.items():
        y_true, y_pred = (encoded(each, letters) for each in spans)
        y_true += ["O"] * (n_steps - len(y_true))
        y_pred += ["O"] * (n_steps - len(y_pred))
        scores.append(scores_of([y_true], [y_pred], scheme=scheme))
        scores.append(scores_of([y_true], [y_pred]))
    assert len(set(scores)) == 1


Y_TRUE = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC"], []]
Y_PRED = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG"], []]


def test_types_are_scored_one_by_one_or_averaged():
    """LOC: 1 of 1 and 1 of 2. ORG: 0 of 1 and 0 of 0. PER: 1 of 1 and 1 of 1."""
    *ours, support = span_precision_recall_fscore_support(Y_TRUE, Y_PRED)
    np.testing.assert_array_equal(ours, [[1, 0, 1], [0.5, 0, 1], [2 / 3, 0, 1]])
    np.testing.assert_array_equal(support, [2, 0, 1])
    assert scores_of(Y_TRUE, Y_PRED) == (2 / 3, 2 / 3, 2 / 3)
    macro = scores_of(Y_TRUE, Y_PRED, average="macro")
    assert macro == pytest.approx((2 / 3, 0.5, 5 / 9))
    weighted = scores_of(Y_TRUE, Y_PRED, average="weighted")
    assert weighted == pytest.approx((1, 2 / 3, 7 / 9))
    *_, none = span_precision_recall_fscore_support(Y_TRUE, Y_PRED, average="macro")
    assert none is None


def test_beta_weighs_recall():
    y_true, y_pred = [["B-A", "B-A", "B-A", "B-A"]], [["B-A", "O", "O", "O"]]
    for beta, score in {0: 1, 1: 0.4, 2: 5 / 17, 1e200: 0.25, np.inf: 0.25}.items():
        ours = span_precision_recall_fscore_support(y_true, y_pred, beta=beta)
        assert ours[2] == pytest.approx([score])


@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
@pytest.mark.parametrize("zero_division", [0.0, 1.0, np.nan])
@pytest.mark.parametrize("y", [[["O", "O"], ["O"]], [[]], []])
def test_no_spans_have_the_score_of_zero_division(y, zero_division, average):
    params = {"average": average, "zero_division": zero_division}
    np.testing.assert_array_equal(scores_of(y, y, **params), [zero_division] * 3)
    assert span_f1_score(y, y, average=average) == 0


def test_means_over_types_ignore_nan():
    ours = scores_of(Y_TRUE, Y_PRED, average="macro", zero_division=np.nan)
    assert ours == pytest.approx((2 / 3, 0.75, 5 / 9))


def test_token_accuracy_equals_that_of_all_steps(rng):
    lengths = rng.integers(0, 7, size=30)
    y_true, y_pred = ([rng.integers(3, size=n) for n in lengths] for _ in range(2))
    weight, steps = rng.random(30), [rng.random(n) for n in lengths]
    flat = np.concatenate(y_true), np.concatenate(y_pred)
    for ours, theirs in {
        None: None,
        tuple(weight): np.repeat(weight, lengths),
        tuple(map(tuple, steps)): np.concatenate(steps),
    }.items():
        score = token_accuracy_score(y_true, y_pred, sample_weight=ours)
        expected = accuracy_score(*flat, sample_weight=theirs)
        assert type(score) is float
        assert score == pytest.approx(expected, rel=1e-12)


CONTAINERS = {
    "tuples": lambda y: tuple(map(tuple, y)),
    "arrays": lambda y: [np.array(tags) for tags in y],
    "objects": lambda y: np.array([np.array(tags, object) for tags in y], object),
    "pandas": lambda y: pytest.importorskip("pandas").Series(y),
    "polars": lambda y: pytest.importorskip("polars").Series(y),
    "pyarrow": lambda y: pytest.importorskip("pyarrow").array(y),
    "awkward": lambda y: pytest.importorskip("awkward").Array(y),
    "list of pandas": lambda y: list(map(pytest.importorskip("pandas").Series, y)),
    "list of pyarrow": lambda y: list(map(pytest.importorskip("pyarrow").array, y)),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_tags_may_be_in_any_container(container):
    y_true, y_pred = Y_TRUE[:2], Y_PRED[:2]
    opened = [CONTAINERS[container](y) for y in (y_true, y_pred)]
    assert token_accuracy_score(*opened) == 5 / 6
    assert token_accuracy_score(y_true, opened[1]) == 5 / 6
    assert span_f1_score(*opened) == 2 / 3


def test_sequences_of_one_length_may_be_a_table():
    y = np.array([["B-A", "O"], ["O", "B-A"]])
    assert token_accuracy_score(y, y[::-1], sample_weight=[[1, 1], [0, 0]]) == 0
    assert span_f1_score(y, y.tolist()) == 1


class Tagger(BaseEstimator):
    """Tags each token as `tag`, if it is upper case, and as "O" otherwise."""

    def __init__(self, tag="B-A"):
        self.tag = tag

    def fit(self, X, y):
        return self

    def predict(self, X):
        return [[self.tag if token.isupper() else "O" for token in x] for x in X]


@pytest.mark.parametrize("score", [token_accuracy_score, span_f1_score])
def test_they_are_scorers_of_a_search(score):
    X = [["a", "B", "c"], ["D"], ["e", "F"], ["G", "h"]]
    y = Tagger("B-B").predict(X)
    grid = {"tag": ["B-A", "B-B", "O"]}
    search = GridSearchCV(Tagger(), grid, scoring=make_scorer(score), cv=2).fit(X, y)
    assert search.best_params_ == {"tag": "B-B"}
    assert search.best_score_ == 1


ERRORS = [
    (
        [["O"], ["O"]],
        [["O"]],
        "y_true has length 2, but y_pred has length 1: pass what is true and what is "
        "predicted of the same sequences.",
    ),
    (
        [["O"], ["O", "O"]],
        [["O"], ["O", "O", "O"]],
        "y_true[1] has length 2, but y_pred[1] has length 3: a sequence needs one true "
        "and one predicted tag at each step.",
    ),
]


@pytest.mark.parametrize("y_true, y_pred, message", ERRORS)
@pytest.mark.parametrize("score", [token_accuracy_score, span_f1_score])
def test_errors_name_the_sequence_and_both_lengths(score, y_true, y_pred, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        score(y_true, y_pred)


@pytest.mark.parametrize("score", [token_accuracy_score, span_f1_score])
def test_a_string_is_no_list_of_sequences(score):
    message = (
        "y_true is a string: a list with the labels of each sequence was expected. Use "
        "[y_true] to pass those of one sequence."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        score("OO", "OO")


@pytest.mark.parametrize("score", [token_accuracy_score, span_f1_score])
def test_a_tag_is_no_list_of_tags(score):
    message = (
        "y_pred[0] is an int: a list of one label for each step was expected. If "
        "y_pred is one sequence, pass [y_pred]."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        score([["O"]], [3])


def test_strings_are_lists_of_their_characters():
    y_true, y_pred = ["BIO", "", "OB"], [["B", "I", "O"], [], ["B", "B"]]
    assert token_accuracy_score(y_true, y_pred) == 4 / 5
    assert token_accuracy_score(y_pred, y_true) == 4 / 5
    assert span_f1_score(y_true, y_pred) == span_f1_score([*map(list, y_true)], y_pred)
    X, y = ["potato", "of", "tree", "ape"] * 3, ["cvcvcv", "vc", "ccvv", "vcv"] * 3
    tagger = RNNTagger(4, max_iter=2, random_state=0)
    scorer = make_scorer(token_accuracy_score)
    ours = cross_val_score(tagger, X, y, scoring=scorer, cv=2)
    np.testing.assert_allclose(ours, cross_val_score(tagger, X, y, cv=2))


def test_one_flat_sequence_of_spans_raises():
    message = (
        "y_true[1] has '-' at step 1, but the tags of spans are 'O', or strings that "
        "begin with one of B-, I-, E-, S-, L-, U-. If y_true is one sequence, pass "
        "[y_true]."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        span_f1_score(["O", "B-A"], ["O", "B-A"])


@pytest.mark.parametrize(
    "tag, scheme, message",
    [
        (
            "PER",
            None,
            "but the tags of spans are 'O', or strings that begin with one of B-, I-, "
            "E-, S-, L-, U-.",
        ),
        (
            ["B-A"],
            None,
            "but the tags of spans are 'O', or strings that begin with one of B-, I-, "
            "E-, S-, L-, U-.",
        ),
        (
            "E-PER",
            "BIO",
            "but the tags of scheme='BIO' are 'O', or strings that begin with one of "
            "B-, I-. Leave out scheme to read those of all schemes.",
        ),
    ],
)
def test_tags_that_cannot_be_read_raise(tag, scheme, message):
    message = f"y_pred[1] has {tag!r} at step 2, {message}"
    y_true, y_pred = [["O"], ["O", "O", "O"]], [["O"], ["O", "B-A", tag]]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        span_f1_score(y_true, y_pred, scheme=scheme)


@pytest.mark.parametrize(
    "weight, message",
    [
        ([1.0], "sample_weight.shape == (1,), expected (2,)!"),
        (
            [[1.0], [1.0]],
            "sample_weight[1] has 1 weight, but y_true[1] has 2 steps: one weight for "
            "each step was expected.",
        ),
        ([[1.0]], "sample_weight is of length 1, but y_true is of length 2: an entry"),
        ([0.0, 0.0], "Sample weights must contain at least one non-zero number."),
        ([[0.0], [0.0, 0.0]], "Sample weights must contain at least one non-zero"),
        ([1.0, np.nan], "Input sample_weight contains NaN."),
        ([2.0, -1.0], "Negative values in data passed to `sample_weight`."),
        ([[2.0], [1.0, -1.0]], "Negative values in data passed to `sample_weight`."),
    ],
)
def test_weights_that_do_not_fit_raise(weight, message):
    y = [["O"], ["O", "O"]]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        token_accuracy_score(y, y, sample_weight=weight)


@pytest.mark.parametrize("y", [[], [[]]])
def test_there_is_no_accuracy_without_steps(y):
    message = (
        "The sequences of y_true have no steps, so that no share of them is right. "
        "Pass at least one sequence with a step."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        token_accuracy_score(y, y)


@pytest.mark.parametrize(
    "params", [{"scheme": "IOB"}, {"average": "samples"}, {"zero_division": 2}]
)
def test_other_parameters_raise(params):
    (name,) = params
    with pytest.raises(ValueError, match=f"The '{name}' parameter of span_f1_score"):
        span_f1_score([["O"]], [["O"]], **params)


def changed(text, alphabet):
    """All texts that one insertion, deletion or replacement makes of a text."""
    cuts = [(text[:i], text[i:]) for i in range(len(text) + 1)]
    for a, b in cuts:
        yield from (a + letter + b for letter in alphabet)
        if b:
            yield a + b[1:]
            yield from (a + letter + b[1:] for letter in alphabet)


def reached(text, alphabet, longest):
    """The fewest changes to each text up to a length, by searching all of them."""
    found, now, n = {text: 0}, [text], 0
    while now:
        more, n = {t for each in now for t in changed(each, alphabet)}, n + 1
        now = [t for t in more if len(t) <= longest and t not in found]
        found |= dict.fromkeys(now, n)
    return found


def test_token_errors_are_the_fewest_changes():
    for true in ("a", "ab", "aab", "abba"):
        for predicted, n in reached(true, "ab", 5).items():
            rate = n / len(true)
            assert token_error_rate([true], [predicted]) == rate
            assert token_error_rate([[*true]], [[*predicted]]) == rate


def test_token_errors_are_summed_before_they_are_divided():
    y_true, y_pred = ["abcd", "", "x"], ["abc", "yy", "x"]
    assert token_error_rate(y_true, y_pred) == 3 / 5
    weight = [1, 0.5, 2]
    assert token_error_rate(y_true, y_pred, sample_weight=weight) == 2 / 6
    arrays = [np.array([1, 2]), np.array([3])]
    assert token_error_rate(arrays, [[1], [3, 4]]) == 2 / 3
    words = ["the dog barks".split(), "it sleeps".split()]
    assert token_error_rate(words, [["the", "dogs", "bark"], ["it"]]) == 3 / 5


def test_no_tokens_have_no_error_rate():
    for y, weight in (([""], None), (["", ""], [1, 2]), (["a", ""], [0, 1])):
        with pytest.raises(ValueError, match=r"^The sequences of y_true have no token"):
            token_error_rate(y, y, sample_weight=weight)
    with pytest.raises(ValueError, match="pass what is true and what is predicted of"):
        token_error_rate(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_w"):
        token_error_rate(["a"], ["a"], sample_weight=[-1])


@pytest.mark.filterwarnings("ignore:.* predicted sequences? had no end")
def test_a_search_may_look_for_the_fewest_errors():
    X, y = ["a", "b", "ab"] * 4, ["x", "yy", "xyy"] * 4
    scorer = make_scorer(token_error_rate, greater_is_better=False)
    search = GridSearchCV(
        RNNSeq2Seq(8, random_state=0), {"max_iter": [1, 40]}, scoring=scorer, cv=2
    )
    search.fit(X, y)
    assert search.best_params_ == {"max_iter": 40}
    assert search.score(X, y) == -token_error_rate(y, search.predict(X))


def test_they_do_not_import_those_of_scikit_learn():
    code = "import sys, skrnn.metrics; print('sklearn.metrics' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
