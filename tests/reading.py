"""Sequences as fitted estimators read them, for several test modules."""

from functools import partial

from sklearn.utils.validation import validate_data

from skrnn._heads.task import head_of
from skrnn._model import Model
from skrnn._reading.reader import reader_of
from skrnn._reading.schema import Schema


def read_as_fitted(estimator, X):
    """The sequences in X, by what `fit` has learned of them."""
    expected = Schema.from_attributes(type(estimator).__name__, vars(estimator))
    return expected.read(X, partial(validate_data, estimator, reset=False))


def encode_as_fitted(estimator, X):
    """The steps that the network reads of X."""
    return reader_of(vars(estimator)).encode(read_as_fitted(estimator, X))


def model_of(estimator):
    """The model of a fitted estimator."""
    return Model.from_attributes(vars(estimator), head_of(vars(estimator)))
