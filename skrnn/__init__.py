"""Recurrent networks as scikit-learn estimators."""

from skrnn._classifier import RNNClassifier
from skrnn._encoder import RNNEncoder

__all__ = ["RNNClassifier", "RNNEncoder", "__version__"]

__version__ = "0.1.0"
