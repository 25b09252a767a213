"""The version that a saved estimator carries."""

from skrnn import __version__

# Raised whenever fitted attributes change their meaning, so that estimators of before
# would be read wrongly. tests/states/ has one file for each.
FORMAT = 1


def stamped(state):
    """The state of an estimator, with what it was saved by."""
    return {**state, "_skrnn_version": __version__, "_state_format": FORMAT}


def checked(state, name):
    """The state without its stamp.

    Parameters
    ----------
    state : dict
    name : str
        Of the class.

    Raises
    ------
    ValueError
        If this version cannot read it.
    """
    state = dict(state)
    version = state.pop("_skrnn_version", "before 0.1.0")
    of = state.pop("_state_format", 0)
    if of != FORMAT:
        raise ValueError(
            f"This {name} was saved by skrnn {version}, in format {of} of its state. "
            f"skrnn {__version__} reads format {FORMAT}. Load it with skrnn {version}, "
            "or fit it again."
        )
    return state
