"""The models whose accuracy is measured, all of their settings fixed here."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from peers_gru import TorchGRUClassifier, TorchGRURegressor
from peers_series import (
    PadSeries,
    RandomConvolutions,
    StretchSeries,
    SummariseSeries,
)
from peers_tags import CRFTagger, WindowTagger
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifierCV, RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    OneHotEncoder,
    StandardScaler,
)
from sklearn.svm import LinearSVC

import skrnn


class Model(NamedTuple):
    """A line of the table.

    Attributes
    ----------
    make : callable
        ``make(seed)`` returns an estimator, not fitted.
    has_seed : bool, default=True
        Whether its fits differ by seed; one that has none is fitted once.
    is_ours : bool, default=False
        Whether an estimator of skrnn is part of it.
    setting : str, default=None
        What our estimator has in place of its defaults; "" for the defaults. None for
        what takes no part in a comparison of settings.
    """

    make: Callable
    has_seed: bool = True
    is_ours: bool = False
    setting: str | None = None


def models_of(data_set, settings=(), compositions=False):
    """All models for a data set.

    Parameters
    ----------
    data_set : DataSet
    settings : sequence of dict, default=()
        Parameters of our estimator, each in place of its defaults in a row more.
    compositions : bool, default=False
        Only what scikit-learn composes of our classifier, which is slow.

    Returns
    -------
    models : dict of str to Model
    """
    if compositions:
        return composed() if "compositions" in data_set.also else {}
    models = ours(data_set, settings)
    if "union" in data_set.also:
        models |= union(*data_set.union)
    if "encoder" in data_set.also:
        models |= encoders()
    models |= PEERS_OF[data_set.kind](data_set)
    gru = {"classification": TorchGRUClassifier, "regression": TorchGRURegressor}
    if "gru" in data_set.also:
        models["torch GRU"] = Model(lambda seed: gru[data_set.task](random_state=seed))
    if data_set.task == "classification":
        dummy = DummyClassifier(strategy="prior")
        models["commonest class"] = Model(lambda seed: dummy, has_seed=False)
    elif data_set.task == "regression":
        models["mean of y"] = Model(lambda seed: DummyRegressor(), has_seed=False)
    return models


def our_name(data_set):
    """Our estimator for a data set, and the name of the row with its defaults."""
    return {
        "classification": "RNNClassifier",
        "regression": "RNNRegressor",
        "tagging": "RNNTagger",
    }[data_set.task]


def ours(data_set, settings):
    """Our estimator: its defaults, the settings, and the best documented setting."""
    name = our_name(data_set)

    def row(params, setting):
        def make(seed):
            return getattr(skrnn, name)(**params, random_state=seed)

        return Model(make, is_ours=True, setting=setting)

    models = {name: row({}, "")}
    for params in settings:
        text = setting_name(params)
        if fit_for_kind := params_for(params, data_set.kind):
            models[f"{name}, {text}"] = row(fit_for_kind, text)
    if data_set.best:
        models[f"{name}, best setting"] = row(data_set.best, None)
    return models


def setting_name(params):
    """What --set of the command line has been given, in one order."""
    return ", ".join(f"{key}={params[key]}" for key in sorted(params))


def params_for(params, kind):
    """The parameters of a setting that concern a kind of sequences: those whose key
    does not begin with another kind, as that of "series:differences" does for text.
    """
    of_kind = {}
    for key, value in params.items():
        start, _, parameter = key.rpartition(":")
        if start in ("", kind):
            of_kind[parameter] = value
    return of_kind


def encoders():
    """Our codes as features of others, and the features that they have to beat."""

    def encoder(seed):
        return skrnn.RNNEncoder(random_state=seed)

    def bag(seed):
        return CountVectorizer(analyzer="char", lowercase=False)

    return {
        "RNNEncoder + forest": Model(partial(forest_on, encoder), is_ours=True),
        "bag of characters + forest": Model(partial(forest_on, bag)),
    }


def union(weight, C):
    """Our codes and TF-IDF side by side, rows of both of one length each."""

    def make(seed):
        encoder = skrnn.RNNEncoder(random_state=seed)
        parts = [("tfidf", tfidf()), ("codes", make_pipeline(encoder, Normalizer()))]
        both = FeatureUnion(parts, transformer_weights={"codes": weight})
        return make_pipeline(both, LinearSVC(C=C, random_state=seed))

    return {"RNNEncoder and n-gram TF-IDF + LinearSVC": Model(make, is_ours=True)}


def composed():
    """Ensembles of our classifier, and calibration, as scikit-learn has them."""

    def rnn(seed):
        return skrnn.RNNClassifier(random_state=seed)

    def bagging(seed):
        # It draws rows of an array, and insists on two dimensions.
        column = FunctionTransformer(_as_column)
        ensemble = BaggingClassifier(rnn(seed), n_estimators=10, random_state=seed)
        return make_pipeline(column, ensemble)

    def voting(seed):
        linear = make_pipeline(tfidf(), LogisticRegression(C=10.0, max_iter=1000))
        return VotingClassifier([("rnn", rnn(seed)), ("tfidf", linear)], voting="soft")

    def calibrated(seed):
        return CalibratedClassifierCV(rnn(seed), method="temperature", ensemble=False)

    def linear(seed):
        return make_pipeline(tfidf(), LogisticRegression(C=10.0, max_iter=1000))

    return {
        "RNNClassifier": Model(rnn, is_ours=True),
        "n-gram TF-IDF + LogisticRegression": Model(linear, has_seed=False),
        "BaggingClassifier of 10 RNNClassifier": Model(bagging, is_ours=True),
        "VotingClassifier of these two": Model(voting, is_ours=True),
        "CalibratedClassifierCV of RNNClassifier": Model(calibrated, is_ours=True),
    }


def text_peers(data_set):
    """N-grams and a linear model, what an expert would try first."""
    if data_set.task == "regression":

        def ridge(seed):
            return make_pipeline(tfidf(), Ridge(alpha=0.1))

        return {"n-gram TF-IDF + Ridge": Model(ridge, has_seed=False)}

    features = {
        "n-gram TF-IDF": tfidf(),
        "n-gram TF-IDF, lower case": tfidf(lowercase=True),
    }
    if data_set.has_words:
        features["word n-gram TF-IDF"] = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]"
        )
    models = {f"{name} + LinearSVC": _linear(features[name]) for name in features}
    models |= {
        f"{name} + LogisticRegression": _logistic(features[name], C=10.0)
        for name in features
        if "lower case" not in name
    }
    return models | (places(data_set) if data_set.is_aligned else {})


def token_peers(data_set):
    """Counts of tokens and pairs, and where places mean something, tokens at each.

    For tags, a linear model of each word and its neighbours, and a CRF if installed.
    """
    if data_set.task == "tagging":
        models = {"window features + LogisticRegression": Model(WindowTagger)}
        if find_spec("sklearn_crfsuite"):
            crf = Model(lambda seed: CRFTagger(), has_seed=False)
            models["window features + CRF (sklearn-crfsuite)"] = crf
        return models
    pairs = CountVectorizer(analyzer=_tokens_and_pairs)
    models = {"tokens and pairs + LogisticRegression": _logistic(pairs, C=1.0)}
    return models | (places(data_set) if data_set.is_aligned else {})


def places(data_set):
    """One-hot characters or tokens of each place, for sequences of one length."""
    table = make_pipeline(
        FunctionTransformer(_as_table), OneHotEncoder(handle_unknown="ignore")
    )

    def forest(seed):
        last = RandomForestClassifier(random_state=seed, n_jobs=-1)
        return make_pipeline(clone(table), last)

    models = {"one-hot places + LogisticRegression": _logistic(table, C=1.0)}
    if data_set.kind == "text":  # of thousands of tokens, forests take too long
        models["one-hot places + forest"] = Model(forest)
    return models


def _linear(features):
    def make(seed):
        return make_pipeline(clone(features), LinearSVC(random_state=0))

    return Model(make, has_seed=False)


def _logistic(features, C):
    def make(seed):
        return make_pipeline(clone(features), LogisticRegression(C=C, max_iter=1000))

    return Model(make, has_seed=False)


def series_peers(data_set):
    """Random convolutions, neighbours, forests, MiniRocket if installed, and ridge."""
    is_classifier = data_set.task == "classification"
    forest = RandomForestClassifier if is_classifier else RandomForestRegressor
    neighbour = KNeighborsClassifier if is_classifier else KNeighborsRegressor
    alphas = np.logspace(-3, 3, 10)

    def convolutions(seed):
        last = RidgeClassifierCV(alphas) if is_classifier else RidgeCV(alphas)
        return make_pipeline(
            RandomConvolutions(random_state=seed), StandardScaler(), last
        )

    def nearest(seed):
        return make_pipeline(StretchSeries(), neighbour(n_neighbors=1))

    def forest_of(table, seed):
        return make_pipeline(clone(table), forest(random_state=seed, n_jobs=-1))

    def minirocket(seed):
        from aeon.classification.convolution_based import MiniRocketClassifier
        from aeon.regression.convolution_based import MiniRocketRegressor

        rocket = MiniRocketClassifier if is_classifier else MiniRocketRegressor
        steps = PadSeries(flat=False), rocket(random_state=seed)
        return make_pipeline(*steps)

    def ridge(seed):
        alphas = np.logspace(-6, 3, 19)
        return make_pipeline(PadSeries(), StandardScaler(), RidgeCV(alphas))

    models = {
        "forest on padded series": Model(partial(forest_of, PadSeries())),
        "forest on summaries": Model(partial(forest_of, SummariseSeries())),
        "random convolutions + ridge": Model(convolutions),
        "nearest neighbour": Model(nearest, has_seed=False),
    }
    if find_spec("aeon"):
        models["MiniRocket (aeon)"] = Model(minirocket)
    if not is_classifier:
        models["ridge on the spectrum"] = Model(ridge, has_seed=False)
    return models


PEERS_OF = {"text": text_peers, "tokens": token_peers, "series": series_peers}


def forest_on(make_transformer, seed):
    """A pipeline of a transformer and a random forest."""
    forest = RandomForestClassifier(random_state=seed, n_jobs=-1)
    return make_pipeline(make_transformer(seed), forest)


def tfidf(lowercase=False):
    """Character n-grams of a word, weighted."""
    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 5), lowercase=lowercase, sublinear_tf=True
    )


def _as_column(X):
    column = np.empty((len(X), 1), dtype=object)
    column[:, 0] = X
    return column


def _as_table(X):
    return np.array([list(x) for x in X], dtype=object)


def _tokens_and_pairs(tokens):
    return [*tokens, *map(" ".join, pairwise(tokens))]
