from os import PathLike
from typing import Any, Literal, TypeAlias, TypeVar

from torch import Tensor
from torch.nn import Module

from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNLanguageModel,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
)

__all__ = [
    "from_state_dict",
    "from_torch",
    "load_safetensors",
    "save_safetensors",
    "to_html",
    "to_onnx",
    "to_state_dict",
    "to_tensors",
    "to_torch",
]

_Estimator: TypeAlias = (
    RNNEncoder
    | RNNClassifier
    | RNNRegressor
    | RNNTagger
    | RNNLanguageModel
    | RNNDecoder
    | RNNSeq2Seq
)

_Predictor = TypeVar("_Predictor", RNNEncoder, RNNClassifier, RNNRegressor, RNNTagger)

def to_state_dict(estimator: _Estimator) -> dict[str, Tensor | str]: ...
def from_state_dict(state_dict: dict[str, Tensor | str]) -> _Estimator: ...
def save_safetensors(estimator: _Estimator, path: str | PathLike[str]) -> None: ...
def load_safetensors(path: str | PathLike[str]) -> _Estimator: ...
def to_html(
    estimator: RNNClassifier | RNNRegressor | RNNEncoder,
    path: str | PathLike[str],
    *,
    weights: Literal["auto", "exact", "rounded"] = "auto",
) -> None: ...
def to_onnx(estimator: _Predictor) -> Any: ...
def to_torch(estimator: _Predictor) -> Module: ...
def to_tensors(estimator: _Predictor, X: Any) -> dict[str, Tensor]: ...
def from_torch(module: Module, estimator: _Predictor) -> _Predictor: ...
