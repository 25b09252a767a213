"""Warnings that point at the user's line of code."""

import sys
import warnings

_INSIDE = ("skrnn", "sklearn")


def warn(message, category):
    """Issue a warning that points at the line that called scikit-learn or skrnn.

    The number of calls between that line and this one depends on whether an estimator
    is fitted directly, in a pipeline or in a search.
    """
    frame, stacklevel = sys._getframe(1), 2
    while frame is not None and _package(frame) in _INSIDE:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _package(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
