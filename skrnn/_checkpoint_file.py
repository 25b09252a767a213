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


def serialize(arrays, content):
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
    places, parts, end = {}, [], 0
    for name, array in arrays.items():
        array = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        parts.append(array.reshape(-1).view(np.uint8))
        begin, end = end, end + array.nbytes
        places[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(content)
    metadata = {_KEY: text, _CHECKSUM: _checksum(text, places, parts)}
    header = json.dumps({"__metadata__": metadata, **places}).encode()
    header += b" " * (-len(header) % _N_BYTES_OF_LENGTH)  # arrays are aligned
    length = len(header).to_bytes(_N_BYTES_OF_LENGTH, "little")
    return b"".join([length, header, *parts])


def deserialize(file):
    """The inverse of :func:`serialize`.

    Returns
    -------
    arrays : dict of str to ndarray
        Read-only views of the bytes.
    content : dict

    Raises
    ------
    ValueError
        If it is damaged, or not from :func:`serialize`.
    """
    try:
        begin = _N_BYTES_OF_LENGTH
        end = begin + int.from_bytes(file[:begin], "little")
        places = json.loads(file[begin:end])
        metadata = places.pop("__metadata__")
        text, data = metadata[_KEY], memoryview(file)[end:]
        if metadata[_CHECKSUM] != _checksum(text, places, [data]):
            raise ValueError("its checksum is wrong")
        arrays = {name: _array(data, **place) for name, place in places.items()}
        return arrays, {**json.loads(text)}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("it is damaged, or no checkpoint") from error


def _array(data, dtype, shape, data_offsets):
    begin, end = data_offsets
    return np.frombuffer(data[begin:end], _TYPES[dtype]).reshape(shape)


def _checksum(text, places, parts):
    """What tells whether any byte has changed by mistake."""
    checksum = blake2b(digest_size=16)
    for part in (text.encode(), json.dumps(places).encode(), *parts):
        checksum.update(part)
    return checksum.hexdigest()
