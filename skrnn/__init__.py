"""Recurrent networks as scikit-learn estimators."""

__version__ = "0.1.0"

from skrnn._classifier import RNNClassifier
from skrnn._encoder import RNNEncoder
from skrnn._frames import sequences_from_frame
from skrnn._regressor import RNNRegressor

__all__ = [
    "RNNClassifier",
    "RNNEncoder",
    "RNNRegressor",
    "__version__",
    "sequences_from_frame",
]
