"""Warnings that point at the user's line."""

import sys
import warnings

_INSIDE = ("skrnn", "sklearn")


def warn(message, category):
    """Warn as if the line that called scikit-learn or this package did.

    How many calls lie between that line and this one depends on whether an estimator
    is fitted by itself, in a pipeline or in a search.
    """
    frame, stacklevel = sys._getframe(1), 2
    while frame is not None and _package(frame) in _INSIDE:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _package(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
