from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "AttentionDisplay",
    "EmbeddingDisplay",
    "HiddenStateDisplay",
    "LossCurveDisplay",
    "RecurrenceDisplay",
    "StagedPredictionDisplay",
    "TrajectoryDisplay",
    "animate_hidden_states",
    "hidden_states",
    "step_importances",
]

# Any container of sequences, one sequence, a fitted estimator, and what matplotlib has,
# which need not be installed.
_Sequences: TypeAlias = Any
_Sequence: TypeAlias = Any
_Estimator: TypeAlias = Any
_Artist: TypeAlias = Any

def hidden_states(
    estimator: _Estimator, X: _Sequences
) -> list[NDArray[np.float32]]: ...
def step_importances(
    estimator: _Estimator, X: _Sequences, *, target: Any = None, width: int = 1
) -> list[NDArray[np.float64]]: ...
def animate_hidden_states(
    estimator: _Estimator,
    x: _Sequence,
    path: str | PathLike[str] | None = None,
    *,
    interval: int = 600,
    n_units: int = 32,
) -> _Artist: ...

class _Display:
    ax_: _Artist
    figure_: _Artist

class HiddenStateDisplay(_Display):
    image_: _Artist

    def __init__(
        self,
        states: NDArray[Any],
        *,
        tokens: Sequence[str],
        units: NDArray[Any] | None = None,
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: _Estimator,
        x: _Sequence,
        *,
        n_units: int | None = None,
        ax: _Artist = None,
    ) -> Self: ...
    def plot(self, *, ax: _Artist = None, colorbar: bool = True) -> Self: ...

class TrajectoryDisplay(_Display):
    lines_: list[_Artist]

    def __init__(
        self,
        paths: Sequence[NDArray[Any]],
        *,
        tokens: Sequence[Sequence[str]],
        labels: Sequence[str] | None = None,
        groups: ArrayLike | None = None,
        shares: ArrayLike | None = None,
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: _Estimator,
        X: _Sequences,
        y: ArrayLike | None = None,
        *,
        labels: Sequence[str] | None = None,
        ax: _Artist = None,
    ) -> Self: ...
    def plot(self, *, ax: _Artist = None) -> Self: ...

class EmbeddingDisplay(_Display):
    texts_: list[_Artist]

    def __init__(
        self,
        points: NDArray[Any],
        *,
        tokens: Sequence[Any],
        shares: ArrayLike | None = None,
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: _Estimator,
        X: _Sequences = None,
        *,
        tokens: Sequence[Any] | None = None,
        max_tokens: int = 100,
        ax: _Artist = None,
    ) -> Self: ...
    def plot(self, *, ax: _Artist = None) -> Self: ...

class RecurrenceDisplay(_Display):
    eigenvalues: dict[str, NDArray[Any]]
    axes_: NDArray[np.object_]

    def __init__(self, matrices: Mapping[str, NDArray[Any]]) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: _Estimator,
        *,
        layer: int = 0,
        direction: int = 0,
        ax: _Artist = None,
    ) -> Self: ...
    def plot(self, *, ax: _Artist = None) -> Self: ...

class LossCurveDisplay(_Display):
    line_: _Artist
    validation_line_: _Artist

    def __init__(
        self,
        losses: ArrayLike,
        *,
        validation_losses: ArrayLike | None = None,
        best_epoch: int | None = None,
    ) -> None: ...
    @classmethod
    def from_estimator(cls, estimator: _Estimator, *, ax: _Artist = None) -> Self: ...
    def plot(self, *, ax: _Artist = None) -> Self: ...

class AttentionDisplay(_Display):
    image_: _Artist

    def __init__(
        self, weights: NDArray[Any], *, written: Sequence[str], read: Sequence[str]
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: _Estimator,
        x: _Sequence,
        y: _Sequence = None,
        *,
        ax: _Artist = None,
    ) -> Self: ...
    def plot(self, *, ax: _Artist = None) -> Self: ...

class StagedPredictionDisplay(_Display):
    shown: list[str]
    bars_: list[_Artist]
    lines_: list[_Artist]

    def __init__(
        self,
        predictions: NDArray[Any],
        *,
        tokens: Sequence[str],
        outputs: Sequence[str],
        kind: Literal["bars", "lines"] = "lines",
        y_name: str = "prediction",
    ) -> None: ...
    @classmethod
    def from_estimator(
        cls,
        estimator: _Estimator,
        x: _Sequence,
        *,
        kind: Literal["auto", "bars", "lines"] = "auto",
        n_outputs: int = 6,
        ax: _Artist = None,
    ) -> Self: ...
    def plot(self, *, n_outputs: int = 6, ax: _Artist = None) -> Self: ...
