"""Parameters: names, defaults, limits, and those that subclasses of users add."""

import ast
import inspect
import re
from copy import deepcopy
from dataclasses import KW_ONLY
from numbers import Integral, Real
from typing import Literal, Union

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    make_constraint,
)
from ways import by_joblib, by_pickle

from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
    export,
)
from skrnn._types import (
    Count,
    CountOrShare,
    CountOrZero,
    Counts,
    Fraction,
    Function,
    NonNegative,
    Pair,
    Positive,
    Probability,
    RandomState,
    Rate,
    Tokens,
    Vectors,
    Verbosity,
    constraints_of,
    takes_parameters,
)

# Of all estimators, in order; only the first may be passed by position.
DEFAULTS = {
    "nhidden": 128,
    "cell": "gru",
    "activation": "tanh",
    "recurrence": "learned",
    "bidirectional": "auto",
    "pooling": "auto",
    "analyzer": "auto",
    "lowercase": False,
    "strip_accents": None,
    "token_pattern": r"\w+|[^\w\s]",
    "ngram_range": "auto",
    "subwords": "auto",
    "min_df": 1,
    "max_features": None,
    "vocabulary": None,
    "embeddings": None,
    "freeze_embeddings": False,
    "standardize": "auto",
    "differences": 1,
    "patch_length": "auto",
    "kernel_sizes": "auto",
    "missing": "error",
    "max_length": None,
    "overlong": "error",
    "token_dropout": "auto",
    "dropout": "auto",
    "truncate": None,
    "learning_rate_init": 0.005,
    "batch_size": "auto",
    "max_iter": "auto",
    "alpha": 0.3,
    "max_grad_norm": 1.0,
    "early_stopping": False,
    "validation_fraction": 0.1,
    "tol": 1e-4,
    "n_iter_no_change": 10,
    "warm_start": False,
    "device": "cpu",
    "random_state": None,
    "checkpoint": None,
    "checkpoint_interval": 1,
    "verbose": 0,
}
WIDE = {"wide_ngram_range": "auto", "n_wide_features": "auto"}
ADDED = {RNNClassifier: {"class_weight": None, **WIDE}, RNNEncoder: {}}
ADDED[RNNRegressor] = WIDE
ALL = {cls: {**DEFAULTS, **added} for cls, added in ADDED.items()}
FIXED = ("bidirectional", "pooling", "kernel_sizes", "ngram_range", "subwords")
FIXED += ("patch_length", "missing")
ALL[RNNLanguageModel] = {
    **{name: default for name, default in DEFAULTS.items() if name not in FIXED},
    **{"nhidden": 256, "cell": "gru", "truncate": 150, "alpha": 0.1},
    **{"learn_end": "auto", "recurrent_dropout": 0.0},
}
FIXED_IN_TAGGERS = ("pooling", "kernel_sizes", "patch_length", "overlong")
ALL[RNNTagger] = {
    **{name: value for name, value in DEFAULTS.items() if name not in FIXED_IN_TAGGERS},
    "class_weight": None,
    "transitions": False,
}
FIXED_IN_SEQ2SEQ = ("pooling", "kernel_sizes", "ngram_range", "subwords")
FIXED_IN_SEQ2SEQ += ("patch_length", "truncate")
ALL[RNNSeq2Seq] = {
    **{name: value for name, value in DEFAULTS.items() if name not in FIXED_IN_SEQ2SEQ},
    "nhidden": (128, 128),
    "cell": "lstm",
    "alpha": 0.01,
    "decoder": "rnn",
    "decoder_nhidden": "auto",
    "attention": "dot",
    "label_smoothing": 0.1,
    "teacher_forcing": 1.0,
    "beam_width": 1,
    "length_penalty": 0.0,
    "max_output_length": "auto",
}
FIXED_IN_DECODERS = (*FIXED, "differences", "embeddings", "freeze_embeddings")
FIXED_IN_DECODERS += ("truncate", "overlong")
ALL[RNNDecoder] = {
    **{name: x for name, x in DEFAULTS.items() if name not in FIXED_IN_DECODERS},
    **{"standardize": True, "condition": "both", "beam_width": 1},
    **{"length_penalty": 0.0, "nhidden": 256},
}
X, Y = ["ab", "ba", "abc", "b"] * 2, ["p", "q", "p", "q"] * 2


def with_types(defaults):
    """1, 1.0 and True are equal."""
    return [(name, type(value), value) for name, value in defaults.items()]


@pytest.mark.parametrize("cls", ALL)
def test_the_signature_has_all_parameters_in_order(cls):
    parameters = inspect.signature(cls).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    assert with_types(defaults) == with_types(ALL[cls])
    first, *others = parameters.values()
    assert first.kind is first.POSITIONAL_OR_KEYWORD
    assert {parameter.kind for parameter in others} == {first.KEYWORD_ONLY}


@pytest.mark.parametrize("cls", ALL)
def test_get_params_returns_them(cls):
    expected = with_types(ALL[cls])
    assert sorted(with_types(cls().get_params()), key=str) == sorted(expected, key=str)
    assert FIXED[0] not in RNNLanguageModel().get_params()
    assert cls(3).get_params()["nhidden"] == cls(nhidden=3).nhidden == 3


@pytest.mark.parametrize("cls", ALL)
def test_documented_defaults_are_those_of_the_signature(cls):
    documented = {}
    for parameter in NumpyDocString(inspect.getdoc(cls))["Parameters"]:
        (default,) = re.findall(r", default=(.+)$", parameter.type)
        documented[parameter.name] = ast.literal_eval(default)
    assert with_types(documented) == with_types(ALL[cls])


@pytest.mark.parametrize("cls", ALL)
def test_each_parameter_has_constraints_that_its_default_meets(cls):
    constraints = cls._parameter_constraints
    assert list(constraints) == list(ALL[cls])
    for name, value in cls().get_params().items():
        assert any(make_constraint(c).is_satisfied_by(value) for c in constraints[name])


@pytest.mark.parametrize(
    "cls, name",
    [(cls, name) for cls in ALL for name in ALL[cls]],
)
def test_fit_refuses_what_a_parameter_cannot_be(cls, name):
    sentence = f"^The '{name}' parameter of {cls.__name__} must be .* Got .* instead.$"
    with pytest.raises(InvalidParameterError, match=sentence):
        cls(**{name: 1.5j}).fit(X, [0, 1] * 4)


COUNT = "an int in the range [1, inf)"
BOOLEANS = "an instance of 'bool' or an instance of 'numpy.bool'"
STATE = "an instance of 'numpy.random.mtrand.RandomState'"
MAPPING = "an instance of 'collections.abc.Mapping'"
TUPLE, LIST = "an instance of 'tuple'", "an instance of 'list'"


@pytest.mark.parametrize(
    "hint, sentences",
    [
        (str, ["an instance of 'str'"]),
        (dict, ["an instance of 'dict'"]),
        (bool, [BOOLEANS]),
        (Count, [COUNT]),
        (Count | None, [COUNT, "None"]),
        (None | Count, ["None", COUNT]),
        (Union[Count, None], [COUNT, "None"]),  # noqa: UP007
        (CountOrZero, ["an int in the range [0, inf)"]),
        (Literal["a"], ["a str among {'a'}"]),
        (Literal["a"] | None, ["a str among {'a'}", "None"]),
        (Literal["a"] | Count, ["a str among {'a'}", COUNT]),
        (Count | Counts, [COUNT, TUPLE, LIST]),
        (Literal["a"] | Pair, ["a str among {'a'}", TUPLE, LIST]),
        (CountOrShare, ["a float in the range [0.0, 1.0]", COUNT]),
        (Probability, ["a float in the range [0.0, 1.0)"]),
        (Rate, ["a float in the range (0.0, 1.0]"]),
        (Fraction, ["a float in the range (0.0, 1.0)"]),
        (NonNegative, ["a float in the range [0.0, inf)"]),
        (Positive | None, ["a float in the range (0.0, inf)", "None"]),
        (Literal["a"] | Function | None, ["a str among {'a'}", "a callable", "None"]),
        (Tokens, [MAPPING, "an object implementing '__iter__'"]),
        (Vectors | None, [MAPPING, TUPLE, LIST, "None"]),
        (RandomState, [f"an int in the range [0, 4294967295], {STATE} or None"]),
        (Verbosity, [f"an int in the range [0, inf), {BOOLEANS}"]),
    ],
)
def test_what_scikit_learn_makes_of_a_type(hint, sentences):
    constraints = constraints_of(hint)
    assert [str(make_constraint(each)) for each in constraints] == sentences


def test_counts_are_whole_and_other_numbers_are_not():
    (count,), (share,) = constraints_of(Count), constraints_of(Probability)
    assert count.type is Integral and share.type is Real


@takes_parameters
class Sharpened(RNNClassifier):
    """A classifier of one more parameter."""

    temperature: NonNegative = 1.0

    def predict_proba(self, X):
        """The probabilities, sharpened."""
        p = super().predict_proba(X) ** (1 / self.temperature)
        return p / p.sum(axis=1, keepdims=True)


def test_a_subclass_adds_a_parameter_by_one_line():
    plain = RNNClassifier(3, max_iter=2, random_state=0).fit(X, Y)
    sharp = Sharpened(3, temperature=0.5, max_iter=2, random_state=0)
    assert sharp.get_params() == {**plain.get_params(), "temperature": 0.5}
    assert "temperature=0.5" in repr(sharp)
    copy = clone(sharp)
    assert copy is not sharp and copy.get_params() == sharp.get_params()
    copy.fit(X, Y)
    np.testing.assert_array_equal(copy.V_, plain.V_)
    assert (copy.predict_proba(X).max(axis=1) > plain.predict_proba(X).max(1)).all()
    np.testing.assert_array_equal(
        copy.encoder_.transform(X), plain.encoder_.transform(X)
    )
    copy.set_params(temperature=1.0)
    np.testing.assert_allclose(copy.predict_proba(X), plain.predict_proba(X))
    with pytest.raises(ValueError, match="Invalid parameter 'temp' for estimator Shar"):
        copy.set_params(temp=1.0)


def test_a_parameter_that_a_subclass_adds_is_validated():
    sentence = (
        "The 'temperature' parameter of Sharpened must be a float in the range [0.0, "
        "inf). Got -1.0 instead."
    )
    with pytest.raises(InvalidParameterError, match=f"^{re.escape(sentence)}$"):
        Sharpened(3, temperature=-1.0).fit(X, Y)
    with pytest.raises(InvalidParameterError, match=r"^The 'cell' parameter of Sharp"):
        Sharpened(3, cell="none").fit(X, Y)
    assert "temperature" not in RNNClassifier._parameter_constraints


class Small(RNNClassifier):
    """A classifier of few parameters."""

    def __init__(self, nhidden=3, *, max_iter=2, random_state=0):
        super().__init__(nhidden, max_iter=max_iter, random_state=random_state)


class SmallRegressor(RNNRegressor):
    """A regressor of one parameter, and one that is none of ours."""

    def __init__(self, nhidden=3, label="none"):
        super().__init__(nhidden, max_iter=2, random_state=0)
        self.label = label


def test_a_subclass_may_have_fewer_parameters():
    plain = RNNClassifier(4, max_iter=2, random_state=0).fit(X, Y)
    small = Small(4)
    assert small.get_params() == {"nhidden": 4, "max_iter": 2, "random_state": 0}
    small = clone(small).fit(X, Y)
    np.testing.assert_array_equal(small.predict_proba(X), plain.predict_proba(X))
    assert type(small.encoder_) is RNNEncoder
    assert small.encoder_.get_params() == plain.encoder_.get_params()
    np.testing.assert_array_equal(
        small.encoder_.transform(X), plain.encoder_.transform(X)
    )
    small.partial_fit(X, Y)
    with pytest.raises(InvalidParameterError, match=r"^The 'max_iter' parameter of S"):
        Small(max_iter=0).fit(X, Y)


def test_a_subclass_may_have_parameters_of_its_own():
    y = np.arange(8.0)
    plain = RNNRegressor(3, max_iter=2, random_state=0).fit(X, y)
    other = clone(SmallRegressor(label="mine")).fit(X, y)
    assert other.get_params() == {"nhidden": 3, "label": "mine"}
    np.testing.assert_array_equal(other.predict(X), plain.predict(X))
    np.testing.assert_array_equal(
        other.encoder_.transform(X), plain.encoder_.transform(X)
    )
    assert other.label == "mine"  # after a fit, too


@pytest.mark.parametrize("make", [RNNClassifier, RNNEncoder, RNNRegressor])
def test_the_signature_is_short(make):
    """The constraints stand beside the types, not in what help() shows."""
    assert "Interval" not in str(inspect.signature(make))
    assert len(str(inspect.signature(make))) < 1000


def test_constraints_of_a_subclass_count():
    @takes_parameters
    class Special(RNNClassifier):
        _parameter_constraints = {  # noqa: RUF012 (scikit-learn's own form)
            "temperature": [Interval(Integral, 1, None, closed="left")]
        }
        _: KW_ONLY
        temperature: int = 1

    with pytest.raises(InvalidParameterError, match="temperature"):
        Special(4, max_iter=1, temperature=0).fit(["ab", "ba"], [0, 1])
    Special(4, max_iter=1, temperature=2).fit(["ab", "ba"], [0, 1])


ESTIMATORS = [RNNClassifier, RNNEncoder, RNNRegressor]
INVALID = {"truncate": "x", "pooling": 3, "batch_size": -1, "nhidden": None}
INVALID |= {"ngram_range": (1, 2, 3), "missing": [], "vocabulary": 0.5, "alpha": np.nan}
COPIES = [clone, deepcopy, by_pickle, by_joblib]


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize(
    "make, invalid",
    [(SGDClassifier, {"alpha": "x", "max_iter": -1, "penalty": 3})]
    + [(make, INVALID) for make in ESTIMATORS],
)
def test_invalid_parameters_are_copied_like_others(make, invalid, copied):
    """A search sends candidates to other processes, where fit refuses some."""
    other = copied(make(**invalid))
    assert repr(other.get_params()) == repr(make(**invalid).get_params())
    with pytest.raises(InvalidParameterError):
        other.fit([[0.5], [1.5]], [0, 1])


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_survives_invalid_candidates(n_jobs):
    X, y = ["ab", "ba"] * 8, [0, 1] * 8
    candidates = {"batch_size": [4, -1, "x"], "max_iter": [1]}
    search = GridSearchCV(
        RNNClassifier(2, random_state=0), candidates, cv=2, n_jobs=n_jobs
    )
    with pytest.warns(FitFailedWarning, match="InvalidParameterError"):
        search.fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).tolist() == [True, False, False]
    assert search.best_params_["batch_size"] == 4


@pytest.mark.parametrize("name", INVALID)
@pytest.mark.parametrize("copied", COPIES[1:])
@pytest.mark.parametrize("make", ESTIMATORS)
@pytest.mark.parametrize("X", [["ab", "ba", "abb"], [[0.5, 1.0], [1.5], [2.5]]])
def test_invalid_parameters_of_a_fitted_estimator(X, make, copied, name):
    """Predictions are those of the fit; another fit refuses them."""
    estimator, y = make(3, max_iter=1, random_state=0).fit(X, [0, 1, 2]), [0, 1, 2]
    method = "transform" if make is RNNEncoder else "predict"
    expected = getattr(estimator, method)(X)
    state = estimator.__getstate__()
    other = make.__new__(make)
    other.__setstate__({**state, name: INVALID[name]})
    other = copied(other)
    np.testing.assert_array_equal(getattr(other, method)(X), expected)
    if hasattr(other, "encoder_"):
        other.encoder_.transform(X)
    for refit in (other.fit, other.partial_fit):
        with pytest.raises(ValueError, match=name):
            refit(X, y)
    with pytest.raises(ValueError, match=name):
        export.from_state_dict(export.to_state_dict(other))


@pytest.mark.parametrize("name", ["truncate", "max_grad_norm", "batch_size"])
def test_huge_numbers_are_without_effect(name):
    X = ["ab", "ba", "abb"]
    for y in ([0, 1, 2], None):
        huge = RNNEncoder(2, max_iter=1, random_state=0, **{name: 10**30}).fit(X, y)
        large = RNNEncoder(2, max_iter=1, random_state=0, **{name: 10**6}).fit(X, y)
        np.testing.assert_array_equal(huge.transform(X), large.transform(X))
