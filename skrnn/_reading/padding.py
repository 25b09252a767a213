"""How to cut off padding: a line of code that runs for the container that was given."""

import warnings

import numpy as np

# Code for the rows of a table, and for the sequences of any other container, as lists
# and arrays. The first one that works is shown.
_ROWS = ("np.asarray(X)", "X.to_numpy(float)", "X.tolist()")
_SEQUENCES = (
    "X",
    "X.to_list()",  # columns of polars, arrays of awkward
    "X.to_pylist()",  # arrays of pyarrow
    "X.tolist()",
    "X.iloc[:, 0]",  # frames of one column
    "X[:, 0].to_list()",
    "X.column(0).to_pylist()",
    "X.to_numpy_ndarray()",  # tensors of pyarrow
    "X.combine_chunks().to_numpy_ndarray()",
    "X.column(0).combine_chunks().to_numpy_ndarray()",
    "[x.tolist() for x in X]",  # items of torch
    "[x.tolist() for x in X.unbind()]",
    "[x.as_py() for x in X]",  # items of pyarrow
    "[x.to_list() for x in X]",
    "[x.to_numpy(float, na_value=np.nan) for x in X]",  # items of pandas
)


def how_to_cut(given, place, n_features, side="end", is_table=False):
    """The sentence that says how to cut off missing steps at one side of sequences.

    Parameters
    ----------
    given : container or None
        What the user passed as X. None if the sequences are not those in X.
    place : tuple (index, n_kept)
        The index of a sequence that is padded, and how many of its steps are none of
        the padding.
    n_features : int
    side : {"end", "beginning"}, default="end"
    is_table : bool, default=False
        Whether `given` is a table or deeper array, whose rows are sequences.

    Returns
    -------
    sentence : str or None
        None if no line of code is known that works.
    """
    are_all = ".all(axis=1)" if n_features > 1 else ""
    kept = f"np.isnan(np.asarray(x, float)){are_all}.argmin() :"
    if side == "end":
        kept = f": len(x) - np.isnan(np.asarray(x, float)[::-1]){are_all}.argmin()"
    for sequences in () if given is None else _ROWS if is_table else _SEQUENCES:
        code = f"[x[{kept}] for x in {sequences}]"
        if _works(code, given, *place):
            return f"If this is padding, cut it off: X = {code}."
    return None


def _works(code, given, index, n_kept):
    """Whether a line of code cuts a sequence of a container to as many steps."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cut = eval(code, {"X": given, "np": np})  # only lines of this module
        return len(cut[index]) == n_kept
    except Exception:  # any library, of any version, may refuse in its own way
        return False
