"""The version stamp of saved estimators."""

from skrnn._version import __version__

# Bump this number whenever the meaning of fitted attributes changes, so that older
# estimators would be read wrongly. tests/states/ has one file for each format.
FORMAT = 1


_PAIRS = "_keys_and_values"


def stamped(state):
    """The state of an estimator, with the version that saves it.

    Dicts whose keys are not all strings become lists of keys and values: formats based
    on JSON, such as that of skops, do not distinguish the keys 1, "1" and True, and
    have no tuples.
    """
    state = {name: _without_odd_keys(value) for name, value in state.items()}
    return {**state, "_skrnn_version": __version__, "_state_format": FORMAT}


def _without_odd_keys(value):
    if type(value) is not dict:
        return value
    if all(type(key) is str for key in value):
        return {key: _without_odd_keys(each) for key, each in value.items()}
    return {_PAIRS: [list(value), list(map(_without_odd_keys, value.values()))]}


def _with_odd_keys(value):
    """The inverse of :func:`_without_odd_keys`."""
    if type(value) is not dict:
        return value
    if value.keys() == {_PAIRS}:
        keys, values = value[_PAIRS]
        return dict(zip(keys, map(_with_odd_keys, values), strict=True))
    return {key: _with_odd_keys(each) for key, each in value.items()}


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
    state = dict(state)
    version = state.pop("_skrnn_version", None)
    of = state.pop("_state_format", None)
    if of is None:
        raise ValueError(
            f"This {name} carries no version of skrnn: the state that `{name}` returns "
            "from `__getstate__` was expected. Fit it again."
        )
    if of != FORMAT:
        raise ValueError(
            f"This {name} was saved by skrnn {version}, in format {of} of its state. "
            f"skrnn {__version__} reads format {FORMAT}. Load it with skrnn {version}, "
            "or fit it again."
        )
    return {name: _with_odd_keys(value) for name, value in state.items()}
