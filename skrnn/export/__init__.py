"""Estimators as named arrays, for file formats that cannot contain code.

Loading a pickle may run arbitrary code. The functions of this module use only arrays,
strings and numbers: :func:`save_safetensors` writes a file, and
:func:`to_state_dict` returns a dict that can be saved with ``torch.save`` and loaded
with ``torch.load(file, weights_only=True)``.
"""

from skrnn.export._safetensors import load_safetensors, save_safetensors
from skrnn.export._state_dict import from_state_dict, to_state_dict

__all__ = ["from_state_dict", "load_safetensors", "save_safetensors", "to_state_dict"]
