from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

__all__ = ["data_parallel", "map_blocks"]

_Items = TypeVar("_Items")

class _Ranks(Protocol):
    rank: int
    world_size: int

    def own(self, items: _Items) -> _Items: ...

def data_parallel(*, timeout: float = 1800.0) -> AbstractContextManager[_Ranks]: ...
def map_blocks(
    method: Callable[[Any], Any], blocks: Any, *, column: str | None = None
) -> Any: ...
