"""The reader of vectors that come with sequences: means and scales of features."""

from dataclasses import dataclass

import numpy as np

from skrnn._core.context import Context
from skrnn._core.dense_rows import DenseRows
from skrnn._core.sequences import locate
from skrnn._core.series import mean_and_scale, standardise
from skrnn._core.sparse_rows import SparseRows

ATTRIBUTES = ("mean_", "scale_")


def context_of(X):
    """The rows of a matrix as they are.

    Parameters
    ----------
    X : ndarray or CSR matrix or array of shape (n_samples, n_features)
    """
    if isinstance(X, np.ndarray):
        return Context(DenseRows(X), X.shape[1])
    if not X.has_canonical_format:
        X = X.copy()  # that of the user stays as it is
        X.sum_duplicates()
    offsets = X.indptr.astype(np.int64)
    rows = SparseRows(X.indices.astype(np.int32), X.data, offsets)
    return Context(rows, X.shape[1])


@dataclass(frozen=True, slots=True)
class VectorReader:
    """How vectors are read: less the mean, divided by the scale.

    Attributes
    ----------
    mean, scale : ndarrays of shape (n_features,), float64
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def learn(cls, context, weight, is_standardized):
        """Learn from the training data.

        The entries of sparse vectors that are 0 stay so: all features have the same
        scale, the root mean square of all numbers, as they often have a unit in common.

        Parameters
        ----------
        context : Context
        weight : ndarray of shape (n_samples,)
        is_standardized : bool
        """
        mean, scale = np.zeros(context.n_features), np.ones(context.n_features)
        if not is_standardized:
            return cls(mean, scale)
        if not isinstance(context.rows, SparseRows):
            return cls(*mean_and_scale(context.rows.values, weight))
        of_entries = np.repeat(weight, np.diff(context.rows.offsets))
        values = context.rows.values.astype(np.float64)
        largest = np.abs(values).max(initial=0) or 1.0  # a square could overflow
        square = of_entries @ np.square(values / largest)
        square /= weight.sum() * context.n_features
        return cls(mean, scale * largest * np.sqrt(square or 1.0))

    @classmethod
    def from_attributes(cls, attributes):
        """A reader from the attributes of an estimator."""
        return cls(*(np.asarray(attributes[name], np.float64) for name in ATTRIBUTES))

    def attributes(self):
        """The attributes that an estimator keeps of the reader."""
        return dict(zip(ATTRIBUTES, (self.mean, self.scale), strict=True))

    def read(self, context, positions=None):
        """Standardise vectors.

        Parameters
        ----------
        context : Context
        positions : ndarray, default=None
            The positions of the vectors in X, for errors.

        Returns
        -------
        context : Context
            As float32.

        Raises
        ------
        ValueError
            If a number is too large, or the attributes were edited.
        """
        n = context.n_features
        if not self.mean.shape == self.scale.shape == (n,):
            raise ValueError(
                f"mean_ and scale_ have the shapes {self.mean.shape} and "
                f"{self.scale.shape}, but X has {n} features. Undo their changes since "
                "the fit, or fit again."
            )
        rows = context.rows
        if isinstance(rows, SparseRows) and self.mean.any():
            rows = _dense(rows, n)
        if isinstance(rows, SparseRows):
            with np.errstate(over="ignore"):
                values = (rows.values / self.scale[rows.columns]).astype(np.float32)
            _check_finite(values, rows.offsets, positions)
            return Context(rows._replace(values=values), n)
        values = standardise(rows.values, self.mean, self.scale)
        _check_finite(values.ravel(), n * np.arange(len(values) + 1), positions)
        return Context(DenseRows(values), n)


def _dense(rows, n_features):
    """The rows of a sparse matrix as those of a dense one."""
    n = np.diff(rows.offsets)
    values = np.zeros((len(n), n_features))
    values[np.repeat(np.arange(len(n)), n), rows.columns] = rows.values
    return DenseRows(values)


def _check_finite(values, offsets, positions):
    """Raise if standardised numbers are too large for the network."""
    if np.isfinite(values).all():
        return
    i, _ = locate(offsets, int(np.argmin(np.isfinite(values))))
    i = i if positions is None else positions[i]
    raise ValueError(
        f"X[{i}] has a number that is too large for float32, or too far from those of "
        "fit. Rescale the features, for example by a StandardScaler."
    )
