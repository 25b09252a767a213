"""Warnings that point at the user's line of code, and name what they are about."""

import re
import sys
import warnings
from contextlib import contextmanager
from contextvars import ContextVar

_INSIDE = ("skrnn", "sklearn")
# Arguments of `fit`; not where they are quoted, as a token or a label.
_NAMES = re.compile(r"""(?<!['"])\b(X|y|sample_weight)\b(?!['"])""")
_is_about_validation = ContextVar("is_about_validation", default=False)


@contextmanager
def about_validation_data():
    """Errors and warnings of this block name X_val where they would name X, and so on.

    Validation data is read by the functions that read X, y and sample_weight.
    """
    token = _is_about_validation.set(True)
    try:
        yield
    except (TypeError, ValueError) as error:
        notes = getattr(error, "__notes__", [])
        notes[:] = map(_of_validation_data, notes)
        # An error with a note is one of the user's analyzer.
        if not notes and len(error.args) == 1 and isinstance(error.args[0], str):
            error.args = (_of_validation_data(error.args[0]),)
        raise
    finally:
        _is_about_validation.reset(token)


def _of_validation_data(message):
    """A message about X, y or sample_weight as one about the validation data."""
    message, n_names = _NAMES.subn(r"\1_val", message)
    return message if n_names else f"In the validation data: {message}"


def warn(message, category):
    """Issue a warning that points at the line that called scikit-learn or skrnn.

    The number of calls between that line and this one depends on whether an estimator
    is fitted directly, in a pipeline or in a search.
    """
    if _is_about_validation.get():
        message = _of_validation_data(message)
    frame, stacklevel = sys._getframe(1), 2
    while frame is not None and _package(frame) in _INSIDE:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _package(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
