"""Text of error messages: what an item is, what is wrong with it, and the cure."""

import re
from decimal import Decimal
from numbers import Real

import numpy as np

_ITEM_NAMES = {
    "text": "a string",
    "tokens": "a list of tokens",
    "features": "a list of the features of each step",
    "series": "a sequence of numbers",
}


def describe(item):
    """A short description of an unexpected item."""
    if item is None:
        return "None"
    if is_missing(item):
        return "NaN (missing)" if isinstance(item, float) else f"{item} (missing)"
    if isinstance(item, str):
        return "a string"
    if isinstance(item, bytes):
        return "bytes, not a string"
    if isinstance(item, np.ndarray):
        return f"an array of dtype {item.dtype} and shape {item.shape}"
    name = type(item).__name__
    article = "an" if re.match("[aeioAEIO]|RNN", name) else "a"
    return f"{article} {name}"


def is_missing(item):
    """Whether an item is None, NaN, or one of pandas' missing values."""
    return (
        item is None
        or (isinstance(item, Real) and item != item)
        or (isinstance(item, Decimal) and item.is_nan())
        or type(item).__name__ in ("NAType", "NaTType")
    )


def is_time(item):
    """Whether an item is a time, a date or a duration, or an array of them."""
    kind = item.dtype.kind if isinstance(item, (np.ndarray, np.generic)) else ""
    is_pythons = hasattr(item, "isoformat") or hasattr(item, "total_seconds")
    return is_pythons or kind in ("m", "M")


def mixed_kinds(item, index, kind):
    """The sentence for an item that cannot be read as `kind`."""
    name = _ITEM_NAMES[kind]
    # All items before this one could be read: the first one shows what was expected.
    if index == 0:
        return (
            f"X[0] is {describe(item)}, but {name} was expected. {cure_for(item)} Or "
            "use analyzer='auto'."
        )
    return (
        f"X[{index}] is {describe(item)}, but X[0] is {name}: all sequences must be of "
        f"one kind. {cure_for(item)}"
    )


def no_number(entry, index, step, padding=None):
    """The sentence for an entry that is not a number.

    `padding`, if the entry is the first missing one of padding, says how to cut it.
    """
    cure = cure_for(entry)
    if is_missing(entry):
        cure = "Impute it, or use missing='mask'."
        if padding:
            cure = f"{padding} Otherwise impute it, or use missing='mask'."
    return (
        f"X[{index}] has {describe(entry)} at step {step}: a sequence of numbers must "
        f"hold nothing else. {cure}"
    )


def how_to_compute(frame, name):
    """How to make a DataFrame of one whose rows are yet to be computed, or ""."""
    for method in ("collect", "compute", "df", "to_pandas", "toPandas"):
        if hasattr(frame, method):
            return f"Use {name}.{method}()."
    return ""


def no_sequence(where, item):
    """The sentence for an item that is not a sequence."""
    is_step = isinstance(item, (dict, Real)) and not is_missing(item)
    cure = "Use [X] to pass one sequence." if is_step else cure_for(item)
    return (
        f"{where} {describe(item)}: a sequence is a string, a list of tokens (strings "
        "or integers), a list of floats or a numeric array of shape (n_steps,) or "
        f"(n_steps, n_features). {cure}"
    )


def no_sequences():
    """The sentence for an X without sequences."""
    return "X is empty: at least one sequence is needed."


def no_steps(index):
    """The sentence for a series without steps."""
    return (
        f"X[{index}] is empty: a series needs at least one step. Drop it, or fill in "
        "a step that stands for nothing."
    )


def cure_for(item):
    """What to do about an unexpected item."""
    kind = item.dtype.kind if isinstance(item, (np.ndarray, np.generic)) else ""
    if is_missing(item):
        return "Drop or fill it."
    if isinstance(item, bytes) or kind == "S":
        return "Decode it, as in x.decode()."
    if is_time(item):
        return "Convert times to numbers, such as seconds since the first step."
    if kind == "c" or isinstance(item, complex):
        return "Pass the real and the imaginary part as two features."
    if kind == "V":
        return "Pass one field of it."
    if hasattr(item, "toarray"):  # sparse
        return "Use x.toarray()."
    return "Drop or convert it."


def counted(n, noun):
    """A number and its noun, in the plural unless the number is 1."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def these_hold(positions, n_sequences):
    """How many sequences hold something, which the sentence goes on to say."""
    hold = "holds" if len(positions) == 1 else "hold"
    n = len(positions)
    return f"{n} of {n_sequences} sequences, such as X[{positions[0]}], {hold}"


def as_plain(token):
    """A NumPy number or string converted to that of Python; others unchanged."""
    if isinstance(token, np.str_):
        return "".join([token])  # item() and str() would drop trailing NULs
    return token.item() if isinstance(token, np.generic) else token
