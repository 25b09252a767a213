"""The version stamp of saved estimators, in a form that formats of JSON can hold."""

import numpy as np

from skrnn._version import __version__

# Bump this number whenever the meaning of fitted attributes changes, so that older
# estimators would be read wrongly. tests/states/ has one file for each format.
FORMAT = 1

# The only keys of dicts that stand for something else.
_PAIRS, _CODES, _OBJECTS = "_keys_and_values", "_code_points", "_objects"
_RESERVED = {_PAIRS, _CODES, _OBJECTS}


def stamped(state):
    """The state of an estimator, with the version that saves it.

    Formats based on JSON, such as that of skops, do not distinguish the keys 1, "1" and
    True, and make one character of two surrogates. So dicts whose keys are not all
    strings become lists of keys and values, and strings with surrogates become lists of
    code points.
    """
    state = {name: _in_plain_json(value) for name, value in state.items()}
    return {**state, "_skrnn_version": __version__, "_state_format": FORMAT}


def has_surrogates(text):
    """Whether UTF-8, and therefore JSON, cannot hold a string."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _in_plain_json(value):
    if type(value) is dict:
        keys, values = list(value), list(map(_in_plain_json, value.values()))
        is_plain = all(type(key) is str for key in keys) and not (
            _RESERVED & value.keys() or has_surrogates("".join(keys))
        )
        if is_plain:
            return dict(zip(keys, values, strict=True))
        return {_PAIRS: [_in_plain_json(keys), values]}
    if type(value) in (list, tuple):
        return type(value)(map(_in_plain_json, value))
    if isinstance(value, str) and has_surrogates(value):
        return {_CODES: list(map(ord, value))}
    if isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.ndim == 1:
        texts = [each for each in value if isinstance(each, str)]
        if has_surrogates("".join(texts)):
            return {_OBJECTS: _in_plain_json(value.tolist())}
    return value


def _from_plain_json(value):
    """The inverse of :func:`_in_plain_json`."""
    if type(value) in (list, tuple):
        return type(value)(map(_from_plain_json, value))
    if type(value) is not dict:
        return value
    if value.keys() == {_PAIRS}:
        keys, values = map(_from_plain_json, value[_PAIRS])
        return dict(zip(keys, values, strict=True))
    if value.keys() == {_CODES}:
        return "".join(map(chr, value[_CODES]))
    if value.keys() == {_OBJECTS}:
        items = _from_plain_json(value[_OBJECTS])
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array
    return {key: _from_plain_json(each) for key, each in value.items()}


def checked(state, name):
    """The state without its version stamp.

    Parameters
    ----------
    state : dict
    name : str
        Name of the class.

    Raises
    ------
    ValueError
        If this version cannot read the state.
    """
    if not isinstance(state, dict) or "_state_format" not in state:
        raise ValueError(
            f"This {name} carries no version of skrnn: the state that `{name}` returns "
            "from `__getstate__` was expected. Fit it again."
        )
    state = dict(state)
    version, stamp = state.pop("_skrnn_version", None), state.pop("_state_format")
    if type(stamp) is not int or stamp != FORMAT:
        raise ValueError(
            f"This {name} was saved by skrnn {version}, in format {stamp} of its "
            f"state. skrnn {__version__} reads format {FORMAT}. Load it with skrnn "
            f"{version}, or fit it again."
        )
    return {key: _read(value, key, name) for key, value in state.items()}


def _read(value, key, name):
    try:
        return _from_plain_json(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(
            f"{key} of this {name} cannot be read: {error}. Its file was damaged. Save "
            "it again."
        ) from error
