"""Our estimators inside those of scikit-learn."""

import awkward as ak
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import (
    ColumnTransformer,
    TransformedTargetRegressor,
    make_column_transformer,
)
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import RFE, SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, RANSACRegressor
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.semi_supervised import SelfTrainingClassifier

from skrnn import (
    RNNClassifier,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNTagger,
)
from skrnn.export import to_html

PARAMS = {"nhidden": 8, "max_iter": 12, "random_state": 0}


@pytest.fixture(scope="module")
def strings():
    """Strings, and whether the first letter comes before the last one."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcd"))
    X = ["".join(rng.choice(letters, rng.integers(2, 7))) for _ in range(120)]
    return X, np.array(["up" if x[0] < x[-1] else "down" for x in X])


@pytest.fixture(scope="module")
def series():
    """Series of several lengths, and their means."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=rng.integers(3, 8)) for _ in range(80)]
    return X, np.array([x.mean() for x in X])


def as_column(X):
    column = np.empty((len(X), 1), dtype=object)
    column[:, 0] = X
    return column


def as_awkward_lists(X):
    return ak.Array([list(x) for x in X])


def n_grams():
    return TfidfVectorizer(analyzer="char")


def forest():
    return RandomForestClassifier(10, random_state=0)


def test_kinds_are_recognised(strings):
    assert is_classifier(RNNClassifier()) and is_regressor(RNNRegressor())
    assert not is_classifier(RNNEncoder()) and not is_regressor(RNNEncoder())
    X, _ = strings
    y = np.repeat(["often", "rare"], [110, 10])  # the last ten
    found = cross_validate(
        RNNClassifier(**PARAMS), X, y, cv=5, return_indices=True, error_score="raise"
    )
    folds = list(StratifiedKFold(5).split(X, y))
    for (_, ours), theirs in zip(folds, found["indices"]["test"], strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    "make",
    [
        lambda model, grid, **kw: GridSearchCV(model, grid, **kw),
        lambda model, grid, **kw: RandomizedSearchCV(model, grid, n_iter=2, **kw),
        lambda model, grid, **kw: HalvingGridSearchCV(
            model, grid, resource="max_iter", max_resources=12, min_resources=4, **kw
        ),
    ],
    ids=["grid", "randomized", "halving"],
)
def test_searches(make, n_jobs, strings):
    grid = {"nhidden": [4, 8], "cell": ["gru", "rnn"]}
    model = RNNClassifier(random_state=0, max_iter=6)
    options = {"cv": 2, "n_jobs": n_jobs, "error_score": "raise"}
    search = make(model, grid, **options).fit(*strings)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = search.best_params_
    assert best["nhidden"] in (4, 8)
    assert search.best_estimator_.score(*strings) == search.score(*strings)


@pytest.mark.parametrize(
    "container",
    [np.array, pa.array, lambda X: pa.array([*map(list, X)]), as_awkward_lists],
    ids=["strings", "arrow strings", "arrow token lists", "awkward token lists"],
)
def test_flat_containers_reach_the_workers(container, strings):
    X, y = strings
    search = GridSearchCV(
        RNNClassifier(**PARAMS), {"nhidden": [4]}, cv=2, n_jobs=2, error_score="raise"
    )
    alone = clone(search).set_params(n_jobs=1).fit(container(X), y)
    assert search.fit(container(X), y).best_score_ == alone.best_score_


def test_search_of_a_pipeline_over_series(series):
    pipeline = Pipeline([("rnn", RNNRegressor(**PARAMS))])
    grid = {"rnn__nhidden": [2, 8], "rnn__differences": [0, 1]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(*series)
    assert search.best_params_.keys() == grid.keys()


def test_cross_validated_predictions(strings, series):
    X, y = strings
    proba = cross_val_predict(RNNClassifier(**PARAMS), X, y, method="predict_proba")
    assert proba.shape == (len(X), 2)
    predicted = cross_val_predict(RNNRegressor(**PARAMS), *series, n_jobs=2)
    assert predicted.shape == series[1].shape


def test_curves(strings):
    sizes, *_ = learning_curve(
        RNNClassifier(**PARAMS), *strings, train_sizes=[0.5, 1.0], cv=2
    )
    assert len(sizes) == 2
    _, scores = validation_curve(
        RNNClassifier(**PARAMS),
        *strings,
        param_name="nhidden",
        param_range=[2, 4],
        cv=2,
    )
    assert np.isfinite(scores).all()


def test_learning_curve_by_chunks(strings):
    """By partial_fit."""
    _, _, scores = learning_curve(
        RNNClassifier(**PARAMS),
        *strings,
        train_sizes=[0.5, 1.0],
        cv=2,
        exploit_incremental_learning=True,
        error_score="raise",
    )
    assert np.isfinite(scores).all()


ENSEMBLES = {
    "stacking": lambda rnn: StackingClassifier(
        [("rnn", rnn), ("n-grams", make_pipeline(n_grams(), forest()))]
    ),
    "voting": lambda rnn: VotingClassifier(
        [("a", rnn), ("b", clone(rnn))], voting="soft"
    ),
    "calibrated": lambda rnn: CalibratedClassifierCV(rnn, cv=2),
    "calibrated by temperature": lambda rnn: CalibratedClassifierCV(
        rnn, method="temperature", ensemble=False, cv=2
    ),
    "one versus rest": OneVsRestClassifier,
    "threshold": lambda rnn: TunedThresholdClassifierCV(rnn, cv=2),
    "pipeline": make_pipeline,
    "forest on codes": lambda rnn: make_pipeline(RNNEncoder(**PARAMS), forest()),
    "union": lambda rnn: make_pipeline(
        FeatureUnion([("n-grams", n_grams()), ("h", RNNEncoder(**PARAMS))]),
        LogisticRegression(),
    ),
    "bagging": lambda rnn: make_pipeline(
        FunctionTransformer(as_column), BaggingClassifier(rnn, 2, random_state=0)
    ),
}


@pytest.mark.parametrize("name", ENSEMBLES)
def test_ensembles(name, strings):
    X, y = strings
    model = ENSEMBLES[name](RNNClassifier(**PARAMS))
    if name in ("one versus rest",):
        X = as_column(X)
    model.fit(X, y)
    assert set(model.classes_) == {"up", "down"}
    assert model.predict_proba(X).shape == (len(X), 2)
    assert model.score(X, y) > 0.6
    assert clone(model).get_params().keys() == model.get_params().keys()


def test_boosting_weighs_sequences(strings):
    X, y = strings
    model = AdaBoostClassifier(RNNClassifier(**PARAMS), n_estimators=2, random_state=0)
    assert model.fit(as_column(X), y).score(as_column(X), y) > 0.6


def test_several_outputs(strings):
    X, _ = strings
    y = np.array([["a" in x, "b" in x] for x in X]).astype(int)
    several = MultiOutputClassifier(RNNClassifier(**PARAMS)).fit(as_column(X), y)
    assert several.predict(as_column(X)).shape == y.shape
    numbers = np.random.default_rng(0).normal(size=(40, 6))
    chain = ClassifierChain(RNNClassifier(**PARAMS)).fit(numbers, y[:40])
    assert chain.predict(numbers).shape == (40, 2)


def as_polars(X):
    return pl.DataFrame({"x": pl.Series(X, dtype=pl.Object)})


def as_pandas(X):
    return pd.DataFrame({"x": X})


BRIEF = {"nhidden": 4, "max_iter": 3, "random_state": 0}
N_SEQUENCES = 40


def classifier():
    return RNNClassifier(**BRIEF)


def regressor():
    return RNNRegressor(**BRIEF)


def encoder_of_column():
    return make_column_transformer((RNNEncoder(**BRIEF), [0]))


def predicting(make, target):
    """A function that fits a meta-estimator to a kind of targets, and predicts."""
    return lambda X, y: make().fit(X, y[target]).predict(X)


ANY = {"cv": 2, "error_score": "raise"}
# Meta-estimators that convert columns of objects in pandas to floats.
TO_FLOATS = ("OneVsOne", "SelfTraining", "RANSAC")
META = {
    "Bagging": predicting(lambda: BaggingClassifier(classifier(), 2), "two"),
    "Bagging of numbers": predicting(
        lambda: BaggingRegressor(regressor(), 2), "number"
    ),
    "AdaBoost of numbers": predicting(
        lambda: AdaBoostRegressor(regressor(), n_estimators=2), "number"
    ),
    "Voting": predicting(
        lambda: VotingClassifier([("a", classifier()), ("b", classifier())]), "two"
    ),
    "Voting of numbers": predicting(
        lambda: VotingRegressor([("a", regressor()), ("b", regressor())]), "number"
    ),
    "Stacking": predicting(
        lambda: StackingClassifier([("a", classifier())], cv=2), "two"
    ),
    "Stacking of numbers": predicting(
        lambda: StackingRegressor([("a", regressor())], cv=2), "number"
    ),
    "Calibrated": predicting(lambda: CalibratedClassifierCV(classifier(), cv=2), "two"),
    "TunedThreshold": predicting(
        lambda: TunedThresholdClassifierCV(classifier(), cv=2), "two"
    ),
    "FixedThreshold": predicting(lambda: FixedThresholdClassifier(classifier()), "two"),
    "OneVsRest": predicting(lambda: OneVsRestClassifier(classifier()), "three"),
    "OneVsOne": predicting(lambda: OneVsOneClassifier(classifier()), "three"),
    "OutputCode": predicting(
        lambda: OutputCodeClassifier(classifier(), random_state=0), "three"
    ),
    "MultiOutput": predicting(lambda: MultiOutputClassifier(classifier()), "labels"),
    "MultiOutput of numbers": predicting(
        lambda: MultiOutputRegressor(regressor()), "numbers"
    ),
    "SelfTraining": predicting(
        lambda: SelfTrainingClassifier(classifier(), max_iter=2), "some"
    ),
    "RANSAC": predicting(
        lambda: RANSACRegressor(
            regressor(), min_samples=20, max_trials=2, residual_threshold=99.0
        ),
        "number",
    ),
    "TransformedTarget": predicting(
        lambda: TransformedTargetRegressor(
            regressor(), func=np.log1p, inverse_func=np.expm1
        ),
        "number",
    ),
    "Pipeline": predicting(lambda: make_pipeline(classifier()), "two"),
    "ColumnTransformer": predicting(
        lambda: make_pipeline(encoder_of_column(), LogisticRegression()), "two"
    ),
    "FeatureUnion": predicting(
        lambda: make_pipeline(
            FeatureUnion([("h", RNNEncoder(**BRIEF))]), LogisticRegression()
        ),
        "two",
    ),
    "GridSearch": predicting(
        lambda: GridSearchCV(classifier(), {"nhidden": [2]}, **ANY), "two"
    ),
    "RandomizedSearch": predicting(
        lambda: RandomizedSearchCV(classifier(), {"nhidden": [2]}, n_iter=1, **ANY),
        "two",
    ),
    "HalvingSearch": predicting(
        lambda: HalvingGridSearchCV(
            classifier(), {"nhidden": [2, 3]}, min_resources=20, **ANY
        ),
        "two",
    ),
    "cross_val_predict": lambda X, y: cross_val_predict(
        classifier(), X, y["two"], cv=2
    ),
    "cross_validate": lambda X, y: cross_validate(classifier(), X, y["two"], **ANY).get(
        "test_score"
    ),
    "learning_curve": lambda X, y: learning_curve(
        classifier(), X, y["two"], train_sizes=[0.5, 1.0], **ANY
    )[2],
    "validation_curve": lambda X, y: validation_curve(
        classifier(), X, y["two"], param_name="nhidden", param_range=[2], **ANY
    )[1],
    "permutation_test_score": lambda X, y: permutation_test_score(
        classifier(), X, y["two"], cv=2, n_permutations=2
    )[1],
    "permutation_importance": lambda X, y: (
        permutation_importance(
            classifier().fit(X, y["two"]), X, y["two"], n_repeats=2, random_state=0
        ).importances
    ),
}
KINDS = {
    "strings": "".join,
    "tokens": list,
    "numbers": lambda x: [*map(float, map(ord, x))],
}


@pytest.fixture(scope="module")
def column():
    """Sequences of letters, and a target of each kind for them."""
    rng = np.random.default_rng(0)
    X = [rng.choice([*"abcd"], rng.integers(2, 7)).tolist() for _ in range(N_SEQUENCES)]
    number = np.array([float(len(x)) for x in X])
    two = np.array([int(x[0] < x[-1]) for x in X])
    return X, {
        "two": two,
        "three": np.array([min(len(set(x)), 3) for x in X]),
        "labels": np.array([["a" in x, "b" in x] for x in X]).astype(int),
        "number": number,
        "numbers": np.column_stack([number, -number]),
        "some": np.where(np.arange(len(X)) % 3 == 0, -1, two),
    }


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frame", [as_polars, as_pandas])
@pytest.mark.parametrize("name", META)
def test_meta_estimators_take_a_frame_of_one_column(name, frame, kind, column):
    X, y = column
    X = frame(list(map(KINDS[kind], X)))
    if frame is as_pandas and name in TO_FLOATS:
        with pytest.raises(ValueError, match=r"could not convert|setting an array"):
            META[name](X, y)
        return
    assert np.isfinite(META[name](X, y)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frame", [as_polars, as_pandas])
def test_boosting_takes_a_frame_of_one_column(frame, kind, strings):
    """On a task that one network does better than by chance."""
    X, y = strings
    X = frame([KINDS[kind](list(x)) for x in X])
    model = AdaBoostClassifier(RNNClassifier(**PARAMS), n_estimators=2, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.6


SELECTION = {
    "ClassifierChain": predicting(lambda: ClassifierChain(classifier()), "labels"),
    "RegressorChain": predicting(lambda: RegressorChain(regressor()), "numbers"),
    "RFE": predicting(
        lambda: RFE(
            classifier(), importance_getter=lambda model: np.ones(model.n_features_in_)
        ),
        "two",
    ),
    "SequentialFeatureSelector": lambda X, y: (
        SequentialFeatureSelector(classifier(), n_features_to_select=1, cv=2)
        .fit(X, y["two"])
        .transform(X)
    ),
}


@pytest.mark.parametrize("name", SELECTION)
def test_what_adds_or_drops_columns_takes_tables_of_numbers(name, column):
    X, y = column
    table = np.array([[ord(x[0]), ord(x[1]), len(x)] for x in X], dtype=float)
    assert np.isfinite(SELECTION[name](table, y)).all()
    for frame in (as_polars, as_pandas):
        with pytest.raises((ValueError, TypeError)):
            SELECTION[name](frame(list(map("".join, X))), y)


def test_column_transformer(strings):
    X, y = strings
    frame = pd.DataFrame({"name": X, "kind": ["x", "y"] * 60, "size": range(120)})
    columns = ColumnTransformer(
        [
            ("h", RNNEncoder(**PARAMS), "name"),
            ("kind", OneHotEncoder(sparse_output=False), ["kind"]),
            ("size", "passthrough", ["size"]),
        ]
    ).set_output(transform="pandas")
    out = columns.fit_transform(frame, y)
    assert list(out.columns[:2]) == ["h__rnnencoder0", "h__rnnencoder1"]
    assert out.shape == (120, 8 + 2 + 1)
    model = make_pipeline(
        make_column_transformer((RNNEncoder(**PARAMS), "name")), LogisticRegression()
    )
    assert model.fit(frame, y).score(frame, y) > 0.6


def test_transformed_target(series):
    X, y = series
    model = TransformedTargetRegressor(
        RNNRegressor(**PARAMS), func=np.exp, inverse_func=np.log, check_inverse=False
    )
    assert model.fit(X, y).predict(X).shape == y.shape
    both = VotingRegressor([("a", RNNRegressor(**PARAMS)), ("b", RNNRegressor(4))])
    table = np.stack([x[:3] for x in X])
    assert both.fit(table, y).predict(table).shape == y.shape


def test_permutation_importance():
    """Of the steps of series of one length."""
    X = np.random.default_rng(0).normal(size=(100, 4))
    y = X[:, 1] * 2
    model = RNNRegressor(16, random_state=0).fit(X, y)
    found = permutation_importance(model, X, y, n_repeats=3, random_state=0)
    assert found.importances_mean.argmax() == 1


@pytest.mark.parametrize(
    "library, frame", [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
)
def test_set_output(library, frame, strings):
    encoder = RNNEncoder(**PARAMS).set_output(transform=library)
    out = encoder.fit_transform(*strings)
    assert isinstance(out, frame)
    assert list(out.columns) == list(encoder.get_feature_names_out())
    default = RNNEncoder(**PARAMS).fit_transform(*strings)
    assert np.array_equal(out.to_numpy(), default)


@pytest.mark.parametrize("estimator", [RNNClassifier, RNNTagger, RNNLanguageModel])
def test_weights_are_routed(estimator, strings):
    X, y = strings
    weight = np.where(y == "up", 1.0, 0.1)
    if estimator is RNNTagger:
        y, weight = X, [[w] * len(x) for w, x in zip(weight, X, strict=True)]
    with sklearn.config_context(enable_metadata_routing=True):
        model = estimator(**PARAMS).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        pipeline = Pipeline([("rnn", model)]).fit(X, y, sample_weight=weight)
        scores = cross_val_score(model, X, y, cv=2, params={"sample_weight": weight})
        search = GridSearchCV(model, {"nhidden": [4]}, cv=2)
        search.fit(X, y, sample_weight=weight)
    alone = estimator(**PARAMS).fit(X, y, weight)
    assert np.array_equal(pipeline[-1].V_, alone.V_)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    "estimator", [RNNClassifier, RNNEncoder, RNNRegressor, RNNTagger]
)
def test_validation_data_is_routed(estimator, strings):
    """And transformed as X, where a pipeline is told so."""
    X, labels = strings
    y = (labels == "up") + (0.5 if estimator is RNNRegressor else 0)
    y = X if estimator is RNNTagger else y
    weight = np.linspace(0.1, 1, 30)
    model = estimator(**PARAMS, early_stopping=True)
    names = ["X_val", "y_val", "sample_weight_val"]
    validation = dict(zip(names, (X[90:], y[90:], weight), strict=True))
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(**dict.fromkeys(names, True))
        upper = FunctionTransformer(lambda X: [x.upper() for x in X])
        steps = [("upper", upper), ("rnn", model)]
        pipeline = Pipeline(steps, transform_input=["X_val"])
        pipeline.fit(X[:90], y[:90], **validation)
        search = GridSearchCV(clone(model), {"nhidden": [4]}, cv=2, scoring=no_score)
        search.fit(X[:90], y[:90], **validation)
    shouted = [x.upper() for x in X]
    validation["X_val"] = shouted[90:]
    alone = estimator(**PARAMS, early_stopping=True)
    alone.fit(shouted[:90], y[:90], **validation)
    assert pipeline[-1].validation_scores_ == alone.validation_scores_
    assert np.array_equal(pipeline[-1].V_, alone.V_)
    assert len(search.best_estimator_.validation_scores_)


def no_score(estimator, X, y):
    return 0.0


def test_parameters_are_reached_through_all_of_it():
    union = FeatureUnion([("h", RNNEncoder())])
    pipeline = Pipeline([("union", union), ("forest", forest())])
    pipeline.set_params(union__h__nhidden=(4, 3), union__h__cell="lstm")
    assert pipeline.get_params()["union__h__nhidden"] == (4, 3)
    assert clone(pipeline).get_params()["union__h__cell"] == "lstm"
    with pytest.raises(ValueError, match="Invalid parameter 'hidden'"):
        pipeline.set_params(union__h__hidden=3)


@pytest.mark.parametrize(
    "estimator",
    [
        RNNClassifier(),
        RNNEncoder(),
        RNNRegressor(),
        RNNTagger(),
        RNNLanguageModel(),
    ],
)
def test_it_is_shown_as_html(estimator):
    html = estimator._repr_html_()
    assert type(estimator).__name__ in html and "nhidden" in html
    assert "Not fitted" in html


def in_a_notebook(estimator):
    return estimator._repr_mimebundle_(include=None, exclude=None)


@pytest.mark.parametrize("estimator", [RNNClassifier(), RNNEncoder(), RNNRegressor()])
def test_a_notebook_offers_a_page_once_there_is_one(estimator):
    estimator.set_params(nhidden=4, max_iter=1)
    assert "to_html" not in in_a_notebook(estimator)["text/html"]
    estimator.fit(["ab", "ba"] * 5, [0, 1] * 5)
    assert "to_html" in in_a_notebook(estimator)["text/html"]
    with config_context(display="text"):
        assert list(in_a_notebook(estimator)) == ["text/plain"]


class OfAUser(RNNClassifier):
    pass


@pytest.mark.parametrize(
    ("estimator", "x"),
    [
        (RNNClassifier(), np.ones((5, 1))),
        (RNNClassifier(), [{"letter": "a"}, {"letter": "b"}]),
        (RNNClassifier(), ["a", 1]),
        (RNNClassifier(analyzer=str.split), "a b"),
        (RNNClassifier(strip_accents=str.lower), "a b"),
        (RNNClassifier(analyzer="word", token_pattern=r"\S+"), "a b"),
        (OfAUser(), "a b"),
    ],
)
def test_a_notebook_offers_no_page_that_cannot_be_made(estimator, x, tmp_path):
    fitted = estimator.set_params(nhidden=4, max_iter=1).fit([x] * 10, [0, 1] * 5)
    assert "to_html" not in in_a_notebook(fitted)["text/html"]
    with pytest.raises((TypeError, ValueError), match=r"cannot be exported|to_html"):
        to_html(fitted, tmp_path / "page.html")
