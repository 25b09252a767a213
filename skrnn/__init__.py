"""Recurrent networks as scikit-learn estimators."""

from skrnn._chunked_dataset import ChunkedDataset
from skrnn._classifier import RNNClassifier
from skrnn._decoder import RNNDecoder
from skrnn._encoder import RNNEncoder
from skrnn._ensemble import RNNEnsemble
from skrnn._language_model import RNNLanguageModel
from skrnn._reading.frames import sequences_from_frame
from skrnn._regressor import RNNRegressor
from skrnn._seq2seq import RNNSeq2Seq
from skrnn._tagger import RNNTagger
from skrnn._version import __version__

__all__ = [
    "ChunkedDataset",
    "RNNClassifier",
    "RNNDecoder",
    "RNNEncoder",
    "RNNEnsemble",
    "RNNLanguageModel",
    "RNNRegressor",
    "RNNSeq2Seq",
    "RNNTagger",
    "__version__",
    "sequences_from_frame",
]
