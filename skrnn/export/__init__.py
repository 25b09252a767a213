"""Estimators in other forms: graphs, modules, named arrays, and a page to look at.

:func:`to_onnx` makes a graph that runs without Python, and :func:`to_torch` a module of
torch that can be trained further, from which :func:`from_torch` comes back.

Loading a pickle may run arbitrary code. The other functions of this module use only
arrays, strings and numbers: :func:`save_safetensors` writes a file, and
:func:`to_state_dict` returns a dict that can be saved with ``torch.save`` and loaded
with ``torch.load(file, weights_only=True)``. :func:`to_html` writes a page on which an
estimator reads what is typed.
"""

from skrnn.export._html import to_html
from skrnn.export._onnx import to_onnx
from skrnn.export._safetensors import load_safetensors, save_safetensors
from skrnn.export._state_dict import from_state_dict, to_state_dict
from skrnn.export._torch import from_torch, to_tensors, to_torch

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
