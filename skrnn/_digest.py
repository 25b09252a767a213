"""Names for data: equal for equal data, different for different data."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import blake2b

import numpy as np

_N_BYTES = 16


def digest(value):
    """A name for a value: equal for equal values, different for different ones.

    Parameters
    ----------
    value : object
        Arrays, numbers, strings, and lists, tuples, dicts and dataclasses of them.
        Functions are left out: what they return is known by its own digest. Lists equal
        tuples of the same items, and NumPy's numbers equal Python's.

    Returns
    -------
    name : str
        32 hexadecimal digits, the same in each process.

    Raises
    ------
    ValueError
        If the `repr` of an object is its address, which differs in each process.
    """
    result = blake2b(digest_size=_N_BYTES)
    for part in _parts(value):
        result.update(part)
    return result.hexdigest()


def _parts(value):
    """Yield bytes that determine a value: lines, and the numbers of arrays."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufcU":
        yield f"array {value.dtype.str} {value.shape}\n".encode()
        yield np.ascontiguousarray(value).view(np.uint8).data if value.size else b""
    elif isinstance(value, np.ndarray):
        yield f"array {value.shape}\n".encode()
        yield from _parts(value.ravel().tolist())
    elif is_dataclass(value):
        yield f"{type(value).__name__}\n".encode()
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield f"mapping {len(value)}\n".encode()
        for pair in sorted(map(digest, value.items())):
            yield pair.encode()
    elif isinstance(value, (set, frozenset)):
        yield f"set {len(value)}\n".encode()
        for item in sorted(map(digest, value)):
            yield item.encode()
    elif isinstance(value, (list, tuple)) and set(map(type, value)) <= {str, np.str_}:
        yield f"{list(map(str, value))!a}\n".encode()
    elif isinstance(value, (list, tuple)):
        yield f"items {len(value)}\n".encode()
        for item in value:
            yield from _parts(item)
    elif isinstance(value, np.generic) and not isinstance(value, np.longdouble):
        yield from _parts(value.item())
    elif isinstance(value, float) and value.is_integer():
        yield f"{int(value)}\n".encode()
    elif not callable(value):
        name = f"{value!a}\n"
        if not isinstance(value, (str, bytes)) and " at 0x" in name:
            raise ValueError(
                f"A parameter holds a {type(value).__name__}, of which nothing but its "
                "address is known: the checkpoint of the same fit could not be found "
                "again. Define its __repr__ to show what it holds, or use "
                "checkpoint=None."
            )
        yield name.encode()
