"""Taggers that read each word beside its neighbours, as features for a linear model."""

from itertools import groupby

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier


def features_of(words):
    """The features of each word of a sentence: itself, its affixes, shape, neighbours.

    Parameters
    ----------
    words : list of str

    Returns
    -------
    features : list of list of str
    """
    own = [_features_of_word(word) for word in words]
    lower = [word.lower() for word in words]
    features = []
    for i, word in enumerate(words):
        of_step = [f"word={word}", *own[i]]
        for place in (-2, -1, 1, 2):
            j = i + place
            is_near, is_inside = abs(place) == 1, 0 <= j < len(words)
            beside = own[j][: 5 if is_near else 2] if is_inside else ["none"]
            of_step += [f"{place}:{feature}" for feature in beside]
        if i > 0:
            of_step.append(f"pair={lower[i - 1]} {lower[i]}")
        if i < len(words) - 1:
            of_step.append(f"next pair={lower[i]} {lower[i + 1]}")
        features.append(of_step)
    return features


def _features_of_word(word):
    lower, kinds = word.lower(), "".join(map(_kind, word))
    shape = "".join(kind for kind, _ in groupby(kinds))
    lengths = range(1, min(4, len(lower) - 1) + 1)
    return [
        f"lower={lower}",
        f"shape={shape}",
        *(f"last={lower[-n:]}" for n in lengths),
        *(f"first={lower[:n]}" for n in lengths),
        f"kinds={kinds[:12]}",
    ]


def _kind(character):
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return "0" if character.isdigit() else character


class WindowTagger(BaseEstimator):
    """Logistic regression on the features of each word, hashed.

    Parameters
    ----------
    random_state : int, default=None
    """

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y):
        """Learn from lists of words, and of tags."""
        self.linear_ = SGDClassifier(
            loss="log_loss",
            alpha=1e-6,
            max_iter=12,
            tol=None,
            average=True,
            random_state=self.random_state,
        )
        self.linear_.fit(self._read(X), np.concatenate(y))
        return self

    def predict(self, X):
        """Predict lists of tags."""
        tags = self.linear_.predict(self._read(X))
        ends = np.cumsum(list(map(len, X)))
        return [part.tolist() for part in np.split(tags, ends[:-1])]

    @staticmethod
    def _read(X):
        hasher = FeatureHasher(2**20, input_type="string", alternate_sign=False)
        return hasher.transform(step for x in X for step in features_of(x))


class CRFTagger(BaseEstimator):
    """A linear-chain CRF on the same features, by sklearn-crfsuite."""

    def fit(self, X, y):
        """Learn from lists of words, and of tags."""
        from sklearn_crfsuite import CRF

        self.crf_ = CRF(c1=0.1, c2=0.1, max_iterations=100)
        self.crf_.fit(list(map(features_of, X)), [list(tags) for tags in y])
        return self

    def predict(self, X):
        """Predict lists of tags."""
        return [list(tags) for tags in self.crf_.predict(list(map(features_of, X)))]
