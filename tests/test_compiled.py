"""What happens where torch cannot compile."""

import pytest
import torch

from skrnn._core.compiled import compiled


def twice(x: torch.Tensor):
    return x + x


def test_a_compiled_function_gives_what_it_gave():
    assert compiled(twice)(torch.ones(2)).tolist() == [2.0, 2.0]
    assert compiled(twice).__wrapped__ is twice


@pytest.mark.parametrize(
    "error",
    [AttributeError, OSError, RuntimeError, TypeError, NotImplementedError, Exception],
)
def test_python_takes_over_where_torch_cannot(error, monkeypatch):
    def fail(function):
        raise error

    monkeypatch.setattr(torch.jit, "script", fail)
    assert compiled(twice)(torch.ones(2)).tolist() == [2.0, 2.0]
