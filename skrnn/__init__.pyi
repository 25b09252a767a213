from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from os import PathLike
from typing import Any, ClassVar, Literal, Self, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    DensityMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.callback import CallbackSupportMixin

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

__version__: str

# Any container of sequences: a list, an array, a column or a frame of any library.
_Sequences: TypeAlias = Any
# And one of sequences of tags or, for each sequence or step, of weights.
_Tags: TypeAlias = Any
_Weights: TypeAlias = Any
# A matrix of numbers, dense or sparse, or a frame.
_Matrix: TypeAlias = Any

# What parameters may be, by the names of skrnn/_types.py.
_Token: TypeAlias = str | int
_Count: TypeAlias = int | np.integer[Any]
_CountOrZero: TypeAlias = int | np.integer[Any]
_Counts: TypeAlias = Sequence[int | np.integer[Any]]
_KernelSizes: TypeAlias = _Counts | Sequence[_Counts]
_Pair: TypeAlias = tuple[int, int]
_Probability: TypeAlias = float
_Fraction: TypeAlias = float
_Rate: TypeAlias = float
_NonNegative: TypeAlias = float
_Positive: TypeAlias = float
_CountOrShare: TypeAlias = int | np.integer[Any] | float
_Function: TypeAlias = Callable[[Any], Any]
_TextFunction: TypeAlias = Callable[[str], str]
_Tokens: TypeAlias = Mapping[_Token, int] | Iterable[_Token]
_Vectors: TypeAlias = Any
_Folder: TypeAlias = str | PathLike[str]
_RandomState: TypeAlias = int | np.integer[Any] | np.random.RandomState | None
_Verbosity: TypeAlias = int | np.integer[Any]
_ClassWeights: TypeAlias = Mapping[Any, float]
_Estimator: TypeAlias = Any
_Jobs: TypeAlias = int | np.integer[Any]

# Without bases of scikit-learn: it has no types, and mypy would take any parameter.
@dataclass(repr=False, eq=False)
class _Parameters:
    # Parameters of skrnn/_base.py, written by tests/stubs.py:
    nhidden: _Count | _Counts = 128
    _: KW_ONLY
    cell: Literal["gru", "lstm", "rnn"] = "gru"
    activation: Literal["tanh", "relu", "identity"] = "tanh"
    recurrence: Literal["learned", "identity"] = "learned"
    bidirectional: Literal["auto"] | bool = "auto"
    pooling: Literal["auto"] | Literal["last", "mean", "max", "concat", "sum"] = "auto"
    analyzer: Literal["auto", "char", "word", "token", "series"] | _Function = "auto"
    lowercase: bool = False
    strip_accents: Literal["ascii", "unicode"] | _TextFunction | None = None
    token_pattern: str = ...
    ngram_range: Literal["auto"] | _Pair = "auto"
    subwords: Literal["auto"] | bool = "auto"
    min_df: _CountOrShare = 1
    max_features: _Count | None = None
    vocabulary: _Tokens | None = None
    embeddings: _Vectors | None = None
    freeze_embeddings: bool = False
    standardize: Literal["auto", "series"] | bool = "auto"
    differences: _CountOrZero = 1
    patch_length: Literal["auto"] | _Count = "auto"
    kernel_sizes: Literal["auto"] | _KernelSizes | None = "auto"
    missing: Literal["error", "mask"] = "error"
    max_length: _Count | None = None
    overlong: Literal["error", "first", "last"] = "error"
    token_dropout: Literal["auto"] | _Probability = "auto"
    dropout: Literal["auto"] | _Probability = "auto"
    truncate: _Count | None = None
    learning_rate_init: _Rate = 0.005
    batch_size: Literal["auto"] | _Count = "auto"
    max_iter: Literal["auto"] | _Count = "auto"
    alpha: _NonNegative = 0.3
    max_grad_norm: _Positive | None = 1.0
    early_stopping: bool = False
    validation_fraction: _Fraction = 0.1
    tol: _NonNegative = 1e-4
    n_iter_no_change: _Count = 10
    warm_start: bool = False
    device: str = "cpu"
    random_state: _RandomState = None
    checkpoint: _Folder | None = None
    checkpoint_interval: _Count = 1
    verbose: _Verbosity = 0
    # End of the parameters.

@dataclass(repr=False, eq=False)
class _ClassifierParameters(_Parameters):
    # Parameters of skrnn/_classifier.py, written by tests/stubs.py:
    _: KW_ONLY
    class_weight: _ClassWeights | Literal["balanced"] | None = None
    wide_ngram_range: Literal["auto"] | _Pair | None = "auto"
    n_wide_features: Literal["auto"] | _Count | None = "auto"
    # End of the parameters.

@dataclass(repr=False, eq=False)
class _RegressorParameters(_Parameters):
    # Parameters of skrnn/_regressor.py, written by tests/stubs.py:
    _: KW_ONLY
    wide_ngram_range: Literal["auto"] | _Pair | None = "auto"
    n_wide_features: Literal["auto"] | _Count | None = "auto"
    # End of the parameters.

@dataclass(repr=False, eq=False)
class _LanguageParameters(_Parameters):
    # Parameters of skrnn/_language_model.py, written by tests/stubs.py:
    nhidden: _Count | _Counts = 256
    _: KW_ONLY
    truncate: _Count | None = 150
    alpha: _NonNegative = 0.1
    learn_end: Literal["auto"] | bool = "auto"
    recurrent_dropout: _Probability = 0.0
    bidirectional: ClassVar[bool] = False
    pooling: ClassVar[str] = "last"
    kernel_sizes: ClassVar[None] = None
    ngram_range: ClassVar[tuple] = (1, 1)
    subwords: ClassVar[bool] = False
    patch_length: ClassVar[int] = 1
    missing: ClassVar[str] = "error"
    # End of the parameters.

@dataclass(repr=False, eq=False)
class _TaggerParameters(_Parameters):
    # Parameters of skrnn/_tagger.py, written by tests/stubs.py:
    _: KW_ONLY
    class_weight: _ClassWeights | Literal["balanced"] | None = None
    transitions: bool = False
    pooling: ClassVar[str] = "last"
    patch_length: ClassVar[int] = 1
    kernel_sizes: ClassVar[None] = None
    overlong: ClassVar[None] = None
    # End of the parameters.

@dataclass(repr=False, eq=False)
class _Seq2SeqParameters(_Parameters):
    # Parameters of skrnn/_seq2seq.py, written by tests/stubs.py:
    nhidden: _Count | _Counts = (128, 128)
    _: KW_ONLY
    cell: Literal["gru", "lstm", "rnn"] = "lstm"
    alpha: _NonNegative = 0.01
    decoder: Literal["rnn", "ctc"] = "rnn"
    decoder_nhidden: Literal["auto"] | _Count | _Counts = "auto"
    attention: Literal["dot", "additive"] | None = "dot"
    label_smoothing: _Probability = 0.1
    teacher_forcing: _Rate = 1.0
    beam_width: _Count = 1
    length_penalty: _NonNegative = 0.0
    max_output_length: Literal["auto"] | _Count = "auto"
    pooling: ClassVar[str] = "last"
    kernel_sizes: ClassVar[None] = None
    ngram_range: ClassVar[tuple] = (1, 1)
    subwords: ClassVar[bool] = False
    patch_length: ClassVar[int] = 1
    truncate: ClassVar[None] = None
    # End of the parameters.

@dataclass(repr=False, eq=False)
class _DecoderParameters(_Parameters):
    # Parameters of skrnn/_decoder.py, written by tests/stubs.py:
    nhidden: _Count | _Counts = 256
    _: KW_ONLY
    condition: Literal["both", "start", "bias"] = "both"
    beam_width: _Count = 1
    length_penalty: _NonNegative = 0.0
    analyzer: Literal["auto", "char", "word", "token", "series"] | _Function = "auto"
    standardize: bool = True
    bidirectional: ClassVar[bool] = False
    pooling: ClassVar[str] = "last"
    kernel_sizes: ClassVar[None] = None
    ngram_range: ClassVar[tuple] = (1, 1)
    subwords: ClassVar[bool] = False
    patch_length: ClassVar[int] = 1
    differences: ClassVar[int] = 0
    missing: ClassVar[str] = "error"
    embeddings: ClassVar[None] = None
    freeze_embeddings: ClassVar[bool] = False
    truncate: ClassVar[None] = None
    overlong: ClassVar[str] = "error"
    # End of the parameters.

@dataclass(repr=False, eq=False)
class _EnsembleParameters:
    # Parameters of skrnn/_ensemble.py, written by tests/stubs.py:
    estimator: _Estimator
    n_estimators: _Count = 5
    _: KW_ONLY
    n_jobs: _Jobs | None = None
    random_state: _RandomState = None
    # End of the parameters.

class _BaseRNN(CallbackSupportMixin, BaseEstimator):
    kind_: Literal["text", "words", "tokens", "features", "series"]
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

    def get_params(self, deep: bool = True) -> dict[str, Any]: ...
    def set_params(self, **params: Any) -> Self: ...
    def set_callbacks(self, *callbacks: Any) -> Self: ...

class RNNEncoder(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, _BaseRNN, _Parameters
):
    task_: Literal["classification", "multilabel", "regression", "next_step"]
    classes_: NDArray[Any]

    def fit(
        self,
        X: _Sequences,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: _Sequences | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
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

class _TagStream:
    n_streams: int

    @property
    def h(self) -> NDArray[np.float32]: ...
    def step(self, tokens: ArrayLike) -> NDArray[np.float64]: ...

class _Stream:
    n_streams: int

    @property
    def next(self) -> NDArray[Any]: ...
    @property
    def h(self) -> NDArray[np.float32]: ...
    def step(self, tokens: ArrayLike) -> NDArray[Any]: ...

class RNNLanguageModel(
    ClassNamePrefixFeaturesOutMixin,
    DensityMixin,
    TransformerMixin,
    _BaseRNN,
    _LanguageParameters,
):
    learns_end_: bool

    @property
    def tokens_(self) -> list[Any]: ...
    def fit(
        self,
        X: _Sequences,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: _Sequences | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self: ...
    def partial_fit(
        self, X: _Sequences, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> Self: ...
    def score(
        self, X: _Sequences, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> float: ...
    def score_samples(self, X: _Sequences) -> NDArray[np.float64]: ...
    def perplexity(
        self,
        X: _Sequences,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
    ) -> float: ...
    def transform(self, X: _Sequences) -> NDArray[np.float32]: ...
    def fit_transform(
        self, X: _Sequences, y: Any = None, **fit_params: Any
    ) -> NDArray[np.float32]: ...
    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[np.object_]: ...
    def set_output(
        self, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> Self: ...
    def next_proba(self, X: _Sequences) -> NDArray[np.float64]: ...
    def start(self, n_streams: int = 1) -> _Stream: ...
    def sample(
        self,
        n_samples: int = 1,
        prompt: Any = None,
        *,
        max_length: int = 200,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Any = None,
        random_state: _RandomState = None,
    ) -> list[Any]: ...
    def iter_sample(
        self,
        prompt: Any = None,
        *,
        max_length: int = 200,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Any = None,
        random_state: _RandomState = None,
        return_proba: bool = False,
    ) -> Iterator[Any]: ...

class ChunkedDataset:
    make_chunks: Callable[[], Iterable[Any]]
    buffer_size: int

    def __init__(
        self, make_chunks: Callable[[], Iterable[Any]], *, buffer_size: int = 10_000
    ) -> None: ...
    @classmethod
    def from_parquet(
        cls,
        path: Any,
        X: str | Sequence[str],
        y: str | Sequence[str] | None = None,
        sample_weight: str | None = None,
        *,
        buffer_size: int = 10_000,
    ) -> Self: ...
    def chunks(self) -> Iterator[tuple[Any, Any, Any]]: ...

class RNNClassifier(ClassifierMixin, _BaseRNN, _ClassifierParameters):
    classes_: NDArray[Any]
    wide_coef_: NDArray[np.float32]
    wide_vocabulary_: dict[_Token, int]
    wide_idf_: NDArray[np.float64]
    encoder_: RNNEncoder

    @overload
    def fit(
        self,
        X: ChunkedDataset,
        y: None = None,
        sample_weight: None = None,
        *,
        X_val: _Sequences | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self: ...
    @overload
    def fit(
        self,
        X: _Sequences,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: _Sequences | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
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
    def staged_predict(self, X: _Sequences) -> Iterator[NDArray[Any]]: ...
    def staged_predict_proba(self, X: _Sequences) -> Iterator[NDArray[np.float64]]: ...
    def predict_log_proba(self, X: _Sequences) -> NDArray[np.float64]: ...
    def decision_function(self, X: _Sequences) -> NDArray[np.float32]: ...
    def score(
        self, X: _Sequences, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float: ...

class RNNRegressor(RegressorMixin, _BaseRNN, _RegressorParameters):
    wide_coef_: NDArray[np.float32]
    wide_vocabulary_: dict[_Token, int]
    wide_idf_: NDArray[np.float64]
    encoder_: RNNEncoder

    @overload
    def fit(
        self,
        X: ChunkedDataset,
        y: None = None,
        sample_weight: None = None,
        *,
        X_val: _Sequences | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self: ...
    @overload
    def fit(
        self,
        X: _Sequences,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: _Sequences | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self: ...
    def partial_fit(
        self, X: _Sequences, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self: ...
    def predict(self, X: _Sequences) -> NDArray[np.float64]: ...
    def staged_predict(self, X: _Sequences) -> Iterator[NDArray[np.float64]]: ...
    def score(
        self, X: _Sequences, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float: ...

class RNNSeq2Seq(_BaseRNN, _Seq2SeqParameters):
    output_kind_: Literal["text", "tokens"]
    output_vocabulary_: dict[_Token, int]
    longest_output_: int
    decoder_W_: list[NDArray[np.float32]]
    decoder_U_: list[NDArray[np.float32]]
    decoder_b_: list[NDArray[np.float32]]
    bridge_: NDArray[np.float32]
    bridge_bias_: NDArray[np.float32]
    query_: NDArray[np.float32]
    key_: NDArray[np.float32]
    energy_: NDArray[np.float32]

    def fit(
        self,
        X: _Sequences,
        y: _Sequences,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: _Sequences | None = None,
        y_val: _Sequences | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self: ...
    def predict(self, X: _Sequences) -> list[Any]: ...
    def predict_n_best(
        self, X: _Sequences, n_best: int = 5
    ) -> list[list[tuple[Any, float]]]: ...
    def score(
        self, X: _Sequences, y: _Sequences, sample_weight: ArrayLike | None = None
    ) -> float: ...
    def score_samples(self, X: _Sequences, y: _Sequences) -> NDArray[np.float64]: ...
    def attention_weights(self, x: Any, y: Any = None) -> NDArray[np.float32]: ...

class RNNTagger(_BaseRNN, _TaggerParameters):
    task_: Literal["tagging"]
    classes_: NDArray[Any]
    transitions_: NDArray[np.float32]
    start_transitions_: NDArray[np.float32]
    end_transitions_: NDArray[np.float32]

    @overload
    def fit(
        self,
        X: ChunkedDataset,
        y: None = None,
        sample_weight: None = None,
        *,
        X_val: _Sequences | None = None,
        y_val: _Tags | None = None,
        sample_weight_val: _Weights = None,
    ) -> Self: ...
    @overload
    def fit(
        self,
        X: _Sequences,
        y: _Tags,
        sample_weight: _Weights = None,
        *,
        X_val: _Sequences | None = None,
        y_val: _Tags | None = None,
        sample_weight_val: _Weights = None,
    ) -> Self: ...
    def partial_fit(
        self,
        X: _Sequences,
        y: _Tags,
        classes: ArrayLike | None = None,
        sample_weight: _Weights = None,
    ) -> Self: ...
    def predict(self, X: _Sequences) -> list[NDArray[Any]]: ...
    def predict_n_best(
        self, X: _Sequences, n_best: int = 5
    ) -> list[list[tuple[NDArray[Any], float]]]: ...
    def predict_proba(self, X: _Sequences) -> list[NDArray[np.float64]]: ...
    def start(self, n_streams: int = 1) -> _TagStream: ...
    def score(
        self, X: _Sequences, y: _Tags, sample_weight: _Weights = None
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

class RNNDecoder(_BaseRNN, _DecoderParameters):
    max_length_: int
    n_steps_: int
    A_: NDArray[np.float32]
    a_: NDArray[np.float32]
    B_: NDArray[np.float32]

    def fit(
        self,
        X: _Matrix,
        y: _Sequences,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: _Matrix | None = None,
        y_val: _Sequences | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self: ...
    def partial_fit(
        self, X: _Matrix, y: _Sequences, sample_weight: ArrayLike | None = None
    ) -> Self: ...
    def predict(self, X: _Matrix) -> list[Any]: ...
    def predict_n_best(
        self, X: _Matrix, n_best: int = 5
    ) -> list[list[tuple[Any, float]]]: ...
    def score(
        self, X: _Matrix, y: _Sequences, sample_weight: ArrayLike | None = None
    ) -> float: ...
    def score_samples(self, X: _Matrix, y: _Sequences) -> NDArray[np.float64]: ...
    def sample(
        self,
        X: _Matrix,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        random_state: _RandomState = None,
    ) -> list[Any]: ...

class RNNEnsemble(BaseEstimator, _EnsembleParameters):
    estimators_: list[Any]

    @property
    def classes_(self) -> NDArray[Any]: ...
    @property
    def n_features_in_(self) -> int: ...
    @property
    def feature_names_in_(self) -> NDArray[np.object_]: ...
    def get_params(self, deep: bool = True) -> dict[str, Any]: ...
    def set_params(self, **params: Any) -> Self: ...
    def fit(
        self, X: Any, y: Any = None, sample_weight: _Weights = None, **fit_params: Any
    ) -> Self: ...
    def predict(self, X: Any) -> Any: ...
    def predict_proba(self, X: Any) -> Any: ...
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]: ...
    def decision_function(self, X: Any) -> NDArray[Any]: ...
    def predict_n_best(
        self, X: Any, n_best: int = 5
    ) -> list[list[tuple[Any, float]]]: ...
    def score_samples(self, X: Any, y: Any) -> NDArray[np.float64]: ...
    def score(self, X: Any, y: Any, sample_weight: _Weights = None) -> float: ...
