from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "span_f1_score",
    "span_precision_recall_fscore_support",
    "token_accuracy_score",
    "token_error_rate",
]

# Any container with the tags or tokens of each sequence.
_Tags: TypeAlias = Any
_Scheme: TypeAlias = Literal["BIO", "IOBES", "BILOU"]
_Average: TypeAlias = Literal["micro", "macro", "weighted"]
_Scores: TypeAlias = NDArray[np.float64]

def token_accuracy_score(
    y_true: _Tags, y_pred: _Tags, *, sample_weight: ArrayLike | None = None
) -> float: ...
def token_error_rate(
    y_true: _Tags, y_pred: _Tags, *, sample_weight: ArrayLike | None = None
) -> float: ...
@overload
def span_f1_score(
    y_true: _Tags,
    y_pred: _Tags,
    *,
    scheme: _Scheme | None = None,
    average: _Average = "micro",
    zero_division: float = 0.0,
) -> float: ...
@overload
def span_f1_score(
    y_true: _Tags,
    y_pred: _Tags,
    *,
    scheme: _Scheme | None = None,
    average: None,
    zero_division: float = 0.0,
) -> _Scores: ...
@overload
def span_precision_recall_fscore_support(
    y_true: _Tags,
    y_pred: _Tags,
    *,
    beta: float = 1.0,
    scheme: _Scheme | None = None,
    average: None = None,
    zero_division: float = 0.0,
) -> tuple[_Scores, _Scores, _Scores, NDArray[np.int64]]: ...
@overload
def span_precision_recall_fscore_support(
    y_true: _Tags,
    y_pred: _Tags,
    *,
    beta: float = 1.0,
    scheme: _Scheme | None = None,
    average: _Average,
    zero_division: float = 0.0,
) -> tuple[float, float, float, None]: ...
