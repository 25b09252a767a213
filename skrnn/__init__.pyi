from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Self, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.callback import CallbackSupportMixin

__all__ = [
    "RNNClassifier",
    "RNNEncoder",
    "RNNRegressor",
    "__version__",
    "sequences_from_frame",
]

__version__: str

# Any container of sequences: a list, an array, a column or a frame of any library.
_Sequences: TypeAlias = Any
_Token: TypeAlias = str | int
_Int: TypeAlias = int | np.integer[Any]
_RandomState: TypeAlias = _Int | np.random.RandomState | None

class _BaseRNN(CallbackSupportMixin, BaseEstimator):
    nhidden: _Int | Sequence[_Int]
    cell: Literal["gru", "lstm", "rnn"]
    activation: Literal["tanh", "relu", "identity"]
    recurrence: Literal["learned", "identity"]
    bidirectional: bool
    pooling: Literal["auto", "last", "mean", "max", "concat", "sum"]
    analyzer: Literal["auto", "char", "word", "token", "series"] | Callable[[Any], Any]
    lowercase: bool
    strip_accents: Literal["unicode", "ascii"] | Callable[[str], str] | None
    token_pattern: str
    ngram_range: Literal["auto"] | tuple[int, int]
    min_df: _Int | float
    max_features: _Int | None
    vocabulary: Mapping[_Token, int] | Iterable[_Token] | None
    embeddings: Any
    freeze_embeddings: bool
    standardize: bool
    differences: _Int
    patch_length: Literal["auto"] | _Int
    missing: Literal["error", "mask"]
    max_length: _Int | None
    overlong: Literal["error", "first", "last"]
    token_dropout: Literal["auto"] | float
    dropout: float
    truncate: _Int | None
    learning_rate_init: float
    batch_size: Literal["auto"] | _Int
    max_iter: Literal["auto"] | _Int
    alpha: float
    max_grad_norm: float | None
    early_stopping: bool
    validation_fraction: float
    tol: float
    n_iter_no_change: _Int
    warm_start: bool
    random_state: _RandomState
    verbose: _Int

    kind_: Literal["text", "words", "tokens", "series"]
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]
    vocabulary_: dict[_Token, int]
    embeddings_: NDArray[np.float32]
    mean_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    difference_scale_: NDArray[np.float64]
    patch_length_: int
    target_mean_: NDArray[np.float64]
    target_scale_: NDArray[np.float64]
    W_: list[NDArray[np.float32]]
    U_: list[NDArray[np.float32]]
    b_: list[NDArray[np.float32]]
    V_: NDArray[np.float32]
    intercept_: NDArray[np.float32]
    loss_: float
    best_loss_: float
    loss_curve_: list[float]
    n_iter_: int
    validation_scores_: list[float]
    validation_loss_curve_: list[float]
    best_validation_score_: float

    def __init__(
        self,
        nhidden: _Int | Sequence[_Int] = 128,
        *,
        cell: Literal["gru", "lstm", "rnn"] = "gru",
        activation: Literal["tanh", "relu", "identity"] = "tanh",
        recurrence: Literal["learned", "identity"] = "learned",
        bidirectional: bool = False,
        pooling: Literal["auto", "last", "mean", "max", "concat", "sum"] = "auto",
        analyzer: Literal["auto", "char", "word", "token", "series"]
        | Callable[[Any], Any] = "auto",
        lowercase: bool = False,
        strip_accents: Literal["unicode", "ascii"] | Callable[[str], str] | None = None,
        token_pattern: str = ...,
        ngram_range: Literal["auto"] | tuple[int, int] = "auto",
        min_df: _Int | float = 1,
        max_features: _Int | None = None,
        vocabulary: Mapping[_Token, int] | Iterable[_Token] | None = None,
        embeddings: Any = None,
        freeze_embeddings: bool = False,
        standardize: bool = True,
        differences: _Int = 1,
        patch_length: Literal["auto"] | _Int = "auto",
        missing: Literal["error", "mask"] = "error",
        max_length: _Int | None = None,
        overlong: Literal["error", "first", "last"] = "error",
        token_dropout: Literal["auto"] | float = "auto",
        dropout: float = 0.0,
        truncate: _Int | None = None,
        learning_rate_init: float = 0.005,
        batch_size: Literal["auto"] | _Int = "auto",
        max_iter: Literal["auto"] | _Int = "auto",
        alpha: float = 0.3,
        max_grad_norm: float | None = 1.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        tol: float = 1e-4,
        n_iter_no_change: _Int = 10,
        warm_start: bool = False,
        random_state: _RandomState = None,
        verbose: _Int = 0,
    ) -> None: ...
    def get_params(self, deep: bool = True) -> dict[str, Any]: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_callbacks(self, *callbacks: Any) -> Self: ...

class RNNEncoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _BaseRNN):
    task_: Literal["classification", "multilabel", "regression", "next_step"]
    classes_: NDArray[Any]

    def fit(
        self,
        X: _Sequences,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self: ...
    def partial_fit(
        self,
        X: _Sequences,
        y: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self: ...
    def transform(self, X: _Sequences) -> NDArray[np.float32]: ...
    def fit_transform(
        self, X: _Sequences, y: ArrayLike | None = None, **fit_params: Any
    ) -> NDArray[np.float32]: ...
    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[np.object_]: ...
    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self: ...

class RNNClassifier(ClassifierMixin, _BaseRNN):
    class_weight: Mapping[Any, float] | Literal["balanced"] | None
    classes_: NDArray[Any]
    encoder_: RNNEncoder

    def __init__(
        self,
        nhidden: _Int | Sequence[_Int] = 128,
        *,
        cell: Literal["gru", "lstm", "rnn"] = "gru",
        activation: Literal["tanh", "relu", "identity"] = "tanh",
        recurrence: Literal["learned", "identity"] = "learned",
        bidirectional: bool = False,
        pooling: Literal["auto", "last", "mean", "max", "concat", "sum"] = "auto",
        analyzer: Literal["auto", "char", "word", "token", "series"]
        | Callable[[Any], Any] = "auto",
        lowercase: bool = False,
        strip_accents: Literal["unicode", "ascii"] | Callable[[str], str] | None = None,
        token_pattern: str = ...,
        ngram_range: Literal["auto"] | tuple[int, int] = "auto",
        min_df: _Int | float = 1,
        max_features: _Int | None = None,
        vocabulary: Mapping[_Token, int] | Iterable[_Token] | None = None,
        embeddings: Any = None,
        freeze_embeddings: bool = False,
        standardize: bool = True,
        differences: _Int = 1,
        patch_length: Literal["auto"] | _Int = "auto",
        missing: Literal["error", "mask"] = "error",
        max_length: _Int | None = None,
        overlong: Literal["error", "first", "last"] = "error",
        token_dropout: Literal["auto"] | float = "auto",
        dropout: float = 0.0,
        truncate: _Int | None = None,
        learning_rate_init: float = 0.005,
        batch_size: Literal["auto"] | _Int = "auto",
        max_iter: Literal["auto"] | _Int = "auto",
        alpha: float = 0.3,
        max_grad_norm: float | None = 1.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        tol: float = 1e-4,
        n_iter_no_change: _Int = 10,
        warm_start: bool = False,
        random_state: _RandomState = None,
        verbose: _Int = 0,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
    ) -> None: ...
    def fit(
        self, X: _Sequences, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self: ...
    def partial_fit(
        self,
        X: _Sequences,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self: ...
    def predict(self, X: _Sequences) -> NDArray[Any]: ...
    def predict_proba(self, X: _Sequences) -> NDArray[np.float64]: ...
    def predict_log_proba(self, X: _Sequences) -> NDArray[np.float64]: ...
    def decision_function(self, X: _Sequences) -> NDArray[np.float32]: ...
    def score(
        self, X: _Sequences, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float: ...

class RNNRegressor(RegressorMixin, _BaseRNN):
    encoder_: RNNEncoder

    def fit(
        self, X: _Sequences, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self: ...
    def partial_fit(
        self, X: _Sequences, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self: ...
    def predict(self, X: _Sequences) -> NDArray[np.float64]: ...
    def score(
        self, X: _Sequences, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float: ...

@overload
def sequences_from_frame(
    df: Any,
    *,
    group: str | list[str],
    columns: str | list[str],
    order: str | list[str] | None = None,
    return_groups: Literal[False] = False,
) -> list[Any]: ...
@overload
def sequences_from_frame(
    df: Any,
    *,
    group: str | list[str],
    columns: str | list[str],
    order: str | list[str] | None = None,
    return_groups: Literal[True],
) -> tuple[list[Any], Any]: ...
