"""The models whose accuracy is measured, all of their settings fixed here."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from peers_gru import TorchGRUClassifier, TorchGRURegressor
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler
from sklearn.svm import LinearSVC

import skrnn

# The best documented setting of each data set, one each, where --validate was better
# than by the defaults; never chosen by the score of a test file.
BEST = {
    "names": {"bidirectional": True},
    "sms_spam": {"analyzer": "word", "ngram_range": (1, 2)},
    "JapaneseVowels": {"bidirectional": True},
    "BasicMotions": {"bidirectional": True},
    "GunPoint": {"bidirectional": True},
    "ItalyPowerDemand": {"alpha": 1.0},
    "Tecator": {"differences": 2},
    "ESOL": {"pooling": "max"},
}


# The weight of our codes beside TF-IDF, and the C of the linear model: by --validate,
# too. Codes know the labels of the training data, and would be trusted too much.
UNION = {"names": (0.3, 0.3), "sms_spam": (0.1, 1.0)}


class Model(NamedTuple):
    """A line of the table.

    Attributes
    ----------
    make : callable
        ``make(seed)`` returns an estimator, not fitted.
    has_seed : bool, default=True
        Whether its fits differ by seed; one that has none is fitted once.
    """

    make: Callable
    has_seed: bool = True


def models_of(data_set, compositions=False, **params):
    """All models for a data set.

    Parameters
    ----------
    data_set : DataSet
    compositions : bool, default=False
        Only what scikit-learn composes of our classifier, on names, which is slow.
    **params
        Of our estimators, in place of what they have.

    Returns
    -------
    models : dict of str to Model
    """
    if compositions:
        return composed(params) if data_set.name == "names" else {}
    models = ours(data_set, params)
    if data_set.name in UNION:
        models |= union(params, *UNION[data_set.name])
    if data_set.name == "names":
        models |= encoders(params)
    models |= (
        text_peers(data_set) if data_set.kind == "text" else series_peers(data_set)
    )
    gru = {"classification": TorchGRUClassifier, "regression": TorchGRURegressor}
    if data_set.name != "sms_spam":  # whose fits on messages take too long
        models["torch GRU"] = Model(lambda seed: gru[data_set.task](random_state=seed))
    if data_set.task == "classification":
        dummy = DummyClassifier(strategy="prior")
        models["commonest class"] = Model(lambda seed: dummy, has_seed=False)
    else:
        models["mean of y"] = Model(lambda seed: DummyRegressor(), has_seed=False)
    return models


def ours(data_set, params):
    """Our estimator, with its defaults and with the best documented setting."""
    name = {"classification": "RNNClassifier", "regression": "RNNRegressor"}
    name = name[data_set.task]
    if not hasattr(skrnn, name):
        return {}
    make = getattr(skrnn, name)
    best = BEST[data_set.name] | params
    return {
        name: Model(lambda seed: make(**params, random_state=seed)),
        f"{name}, best setting": Model(lambda seed: make(**best, random_state=seed)),
    }


def encoders(params):
    """Our codes as features of others, and the features that they have to beat."""

    def encoder(seed):
        return skrnn.RNNEncoder(**params, random_state=seed)

    def bag(seed):
        return CountVectorizer(analyzer="char", lowercase=False)

    return {
        "RNNEncoder + forest": Model(partial(forest_on, encoder)),
        "bag of characters + forest": Model(partial(forest_on, bag)),
    }


def union(params, weight, C):
    """Our codes and TF-IDF side by side, rows of both of one length each."""

    def make(seed):
        encoder = skrnn.RNNEncoder(**params, random_state=seed)
        parts = [("tfidf", tfidf()), ("codes", make_pipeline(encoder, Normalizer()))]
        both = FeatureUnion(parts, transformer_weights={"codes": weight})
        return make_pipeline(both, LinearSVC(C=C, random_state=seed))

    return {"RNNEncoder and n-gram TF-IDF + LinearSVC": Model(make)}


def composed(params):
    """Ensembles of our classifier, and calibration, as scikit-learn has them."""

    def rnn(seed):
        return skrnn.RNNClassifier(**params, random_state=seed)

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
        "RNNClassifier": Model(rnn),
        "n-gram TF-IDF + LogisticRegression": Model(linear, has_seed=False),
        "BaggingClassifier of 10 RNNClassifier": Model(bagging),
        "VotingClassifier of these two": Model(voting),
        "CalibratedClassifierCV of RNNClassifier": Model(calibrated),
    }


def text_peers(data_set):
    """Character n-grams and a linear model, what an expert would try first."""
    if data_set.task == "regression":

        def ridge(seed):
            return make_pipeline(tfidf(), Ridge(alpha=0.1))

        return {"n-gram TF-IDF + Ridge": Model(ridge, has_seed=False)}

    def linear(seed, lowercase):
        return make_pipeline(tfidf(lowercase), LinearSVC(random_state=0))

    return {
        f"n-gram TF-IDF + LinearSVC{name}": Model(
            partial(linear, lowercase=lowercase), has_seed=False
        )
        for name, lowercase in (("", False), (", lower case", True))
    }


def series_peers(data_set):
    """A forest on padded series, MiniRocket if installed, and ridge on spectra."""
    is_classifier = data_set.task == "classification"
    forest = RandomForestClassifier if is_classifier else RandomForestRegressor

    def padded_forest(seed):
        return make_pipeline(PadSeries(), forest(random_state=seed, n_jobs=-1))

    def minirocket(seed):
        from aeon.classification.convolution_based import MiniRocketClassifier
        from aeon.regression.convolution_based import MiniRocketRegressor

        rocket = MiniRocketClassifier if is_classifier else MiniRocketRegressor
        steps = PadSeries(flat=False), rocket(random_state=seed)
        return make_pipeline(*steps)

    def ridge(seed):
        alphas = np.logspace(-6, 3, 19)
        return make_pipeline(PadSeries(), StandardScaler(), RidgeCV(alphas))

    models = {"forest on padded series": Model(padded_forest)}
    if find_spec("aeon"):
        models["MiniRocket (aeon)"] = Model(minirocket)
    if not is_classifier:
        models["ridge on the spectrum"] = Model(ridge, has_seed=False)
    return models


def forest_on(make_transformer, seed):
    """A pipeline of a transformer and a random forest."""
    forest = RandomForestClassifier(random_state=seed, n_jobs=-1)
    return make_pipeline(make_transformer(seed), forest)


def tfidf(lowercase=False):
    """Character n-grams of a word, weighted."""
    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 5), lowercase=lowercase, sublinear_tf=True
    )


class PadSeries(TransformerMixin, BaseEstimator):
    """Series of one length: cut after the longest one of fit, or padded.

    Parameters
    ----------
    flat : bool, default=True
        Rows of numbers, padded by NaN, which forests read. Otherwise an array of shape
        (n_samples, n_features, n_steps), padded by the last step.
    """

    def __init__(self, flat=True):
        self.flat = flat

    def fit(self, X, y=None):
        """Learn the length."""
        self.n_steps_ = max(map(len, X))
        return self

    def transform(self, X):
        """Pad and cut."""
        padded = np.stack([self._padded(x[: self.n_steps_]) for x in X])
        return padded.reshape(len(X), -1) if self.flat else padded.transpose(0, 2, 1)

    def _padded(self, x):
        end = np.full_like(x[-1:], np.nan) if self.flat else x[-1:]
        return np.concatenate([x, np.repeat(end, self.n_steps_ - len(x), axis=0)])


def _as_column(X):
    column = np.empty((len(X), 1), dtype=object)
    column[:, 0] = X
    return column
