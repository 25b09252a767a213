"""Warnings that point at the user's line of code, and name what they are about."""

import re
import sys
import warnings
from contextlib import contextmanager
from contextvars import ContextVar

_INSIDE = ("skrnn", "sklearn", "joblib")  # which calls fits in a search
# Arguments of `fit`; not where they are quoted, as a token or a label.
_NAMES = re.compile(r"""(?<!['"])\b(X|y|sample_weight)\b(?!['"])""")
_SEQUENCES = re.compile(r"""(?<!['"])\bX(?=\b|_val\b)(?!['"])""")
_KIND_IN_FIT = re.compile(r"but \w+ was fitted on ")
# What changes the names in messages, the innermost last.
_renamings = ContextVar("renamings", default=())
# What has been said already, where nothing is to be said twice.
_said = ContextVar("said", default=None)


@contextmanager
def _renaming(rename):
    """Errors and warnings of this block are changed by a function of their text."""
    token = _renamings.set((*_renamings.get(), rename))
    try:
        yield
    except (TypeError, ValueError) as error:
        notes = getattr(error, "__notes__", [])
        notes[:] = map(rename, notes)
        # An error with a note is one of the user's analyzer.
        if not notes and len(error.args) == 1 and isinstance(error.args[0], str):
            error.args = (rename(error.args[0]),)
        raise
    finally:
        _renamings.reset(token)


@contextmanager
def said_once():
    """Warnings of this block that differ by nothing but numbers are issued once."""
    token = _said.set(set())
    try:
        yield
    finally:
        _said.reset(token)


def about_validation_data():
    """Errors and warnings of this block name X_val where they would name X, and so on.

    Validation data is read by the functions that read X, y and sample_weight.
    """
    return _renaming(_of_validation_data)


# Cures that there are for X alone: what is missing, or cut off, cannot be predicted.
_NO_MASK = {
    ", or use missing='mask'": "",
    "use missing='mask' if they are numbers, ": "",
}
_NOT_FOR_Y = {
    "Use overlong='first' or overlong='last' to keep only that many steps.": (
        "Increase max_length, or leave it out."
    ),
}
# Where a number is no sequence, it is one of a y for another estimator.
_IS_NUMBER = re.compile(r"X(\[\d+\] is an? (int|float|bool)| is one sequence of num)")
_NUMBERS = (
    " If y has a number for each sample, use a regressor, or [str(n) for n in y] to "
    "write its digits."
)


def about_sequences_in_y():
    """Errors and warnings of this block name y where they would name X.

    Sequences that are predicted are read by the functions that read X.
    """
    return _renaming(_of_sequences_in_y)


def without_mask():
    """Errors and warnings of this block do not advise missing='mask'.

    They are about an estimator that has no such parameter.
    """
    return _renaming(_without_mask)


def about_prompt():
    """Errors and warnings of this block name the prompt where they would name X[0]."""
    return _renaming(_of_prompt)


def about_tokens():
    """Errors and warnings of this block name the tokens of a step instead of X."""
    return _renaming(_of_tokens)


def _of_validation_data(message):
    """A message about X, y or sample_weight as one about the validation data."""
    message, n_names = _NAMES.subn(r"\1_val", message)
    if not n_names:
        return f"In the validation data: {message}"
    # The fit that is meant has not ended yet.
    return _KIND_IN_FIT.sub(f"but {message[0]} holds ", message)


def _without_mask(message):
    """A message that does not advise what an estimator does not have."""
    for cure, other in _NO_MASK.items():
        message = message.replace(cure, other)
    return message


def _of_sequences_in_y(message):
    """A message about sequences in X as one about those in y."""
    message = _without_mask(message)
    for cure, other in _NOT_FOR_Y.items():
        message = message.replace(cure, other)
    if _IS_NUMBER.match(message) and message.endswith(" to pass one sequence."):
        message += _NUMBERS
    return _SEQUENCES.sub("y", message)


def _of_prompt(message):
    """A message about the only sequence in X as one about the prompt."""
    return _SEQUENCES.sub("prompt", message.replace("X[0]", "X"))


def _of_tokens(message):
    """A message about X as one about the tokens of a step."""
    for of_X, of_tokens in ("tokens of X", "tokens"), ("all of X", "all"):
        message = message.replace(of_X, of_tokens)
    return _SEQUENCES.sub("tokens", message)


def warn(message, category):
    """Issue a warning that points at the line that called scikit-learn or skrnn.

    The number of calls between that line and this one depends on whether an estimator
    is fitted directly, in a pipeline or in a search.
    """
    for rename in reversed(_renamings.get()):
        message = rename(message)
    said, words = _said.get(), re.sub(r"[-+.e\d]*\d", "", message)
    if said is not None and words in said:
        return
    if said is not None:
        said.add(words)
    frame, stacklevel = sys._getframe(1), 2
    while frame is not None and _package(frame) in _INSIDE:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _package(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
