"""The file of a checkpoint: arrays and JSON in the safetensors format.

The format [1]_ is: the length of a header, as 8 bytes; the header, which is JSON and
says where each array is; and the arrays. Whoever reads it parses JSON and copies bytes,
and nothing in it is executed.

References
----------
.. [1] https://huggingface.co/docs/safetensors
"""

import json
from hashlib import blake2b

import numpy as np

# The format's names for types of numbers, which are little-endian.
_TYPES = {"F32": "<f4", "F64": "<f8", "U8": "|u1"}
_NAMES = {np.dtype(dtype): name for name, dtype in _TYPES.items()}
_KEY, _CHECKSUM = "skrnn", "checksum"
_N_BYTES_OF_LENGTH = 8


def pack(arrays, content):
    """The bytes of a file.

    Parameters
    ----------
    arrays : dict of str to ndarray
        Of float32, float64 or uint8.
    content : dict
        What JSON can hold, in addition to the arrays.

    Returns
    -------
    file : bytes
    """
    arrays = {
        name: array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        for name, array in arrays.items()
    }
    places, end = {}, 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        places[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    data = b"".join(array.tobytes() for array in arrays.values())
    text = json.dumps(content)
    metadata = {_KEY: text, _CHECKSUM: _checksum(text, places, data)}
    header = json.dumps({"__metadata__": metadata, **places}).encode()
    header += b" " * (-len(header) % _N_BYTES_OF_LENGTH)  # arrays are aligned
    return len(header).to_bytes(_N_BYTES_OF_LENGTH, "little") + header + data


def unpack(file):
    """The inverse of :func:`pack`.

    Returns
    -------
    arrays : dict of str to ndarray
        Read-only views of the bytes.
    content : dict

    Raises
    ------
    ValueError
        If not every byte is as :func:`pack` has written it.
    """
    try:
        end = _N_BYTES_OF_LENGTH + int.from_bytes(file[:_N_BYTES_OF_LENGTH], "little")
        places = json.loads(file[_N_BYTES_OF_LENGTH:end])
        metadata = places.pop("__metadata__")
        text, data = metadata[_KEY], file[end:]
        if metadata[_CHECKSUM] != _checksum(text, places, data):
            raise ValueError("its checksum is wrong")
        arrays = {name: _array(data, **place) for name, place in places.items()}
        return arrays, json.loads(text)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("it is damaged, or no checkpoint") from error


def _array(data, dtype, shape, data_offsets):
    begin, end = data_offsets
    return np.frombuffer(data[begin:end], _TYPES[dtype]).reshape(shape)


def _checksum(text, places, data):
    """What tells whether any byte has changed by mistake."""
    digest = blake2b(text.encode(), digest_size=16)
    digest.update(json.dumps(places).encode())
    digest.update(data)
    return digest.hexdigest()
