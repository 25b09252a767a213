"""Tables whose labels show that their rows are no series, or that they hold labels."""

import re

from skrnn._reading.libraries import first_entry, is_number

# The names that pyarrow gives to the levels of an index, and to the labels of columns
# of several levels.
_LEVEL_OF_INDEX = re.compile(r"__index_level_\d+__")
_TUPLE = re.compile(r"\(.*, .*\)")


def check_table(frame):
    """Raise if a table of numbers holds an index, or has one of several levels."""
    if _n_levels(frame, "index") > 1:
        raise TypeError(
            "X is a table of numbers whose index has several levels. If its rows are "
            "steps, use sequences_from_frame(X.reset_index(), group=..., columns=...); "
            "if each row is a series, use X.reset_index(drop=True)."
        )
    names = _index_columns(frame)
    if names:
        raise TypeError(
            f"X is a table of numbers whose columns {names} were the index of a pandas "
            "frame. If its rows are steps, use sequences_from_frame(X, group=..., "
            f"columns=...); if each row is a series, use {_without(frame, 'X', names)}."
        )
    if _n_levels(frame, "columns") > 1 or _are_tuples(frame):
        how = "sequences_from_frame, with one row per step"
        if hasattr(frame, "stack"):
            stacked = "X.stack(future_stack=True).reset_index()"
            how = f"sequences_from_frame({stacked}, group=..., columns=...)"
        array = "np.asarray(X)" if _is_arrow(frame) else "X.to_numpy()"
        raise TypeError(
            "X is a table of numbers whose columns have labels of several levels, such "
            f"as a feature and a step. If the last level is the step, use {how}; if "
            f"each row is a series of one feature, use {array}."
        )


def check_column(X):
    """Raise for a Series of numbers whose index has several levels."""
    if _n_levels(X, "index") > 1 and is_number(first_entry(X)):
        raise TypeError(
            "X is a column of numbers whose index has several levels. Use "
            "sequences_from_frame(X.reset_index(), group=..., columns=...) for one "
            "sequence per group."
        )


def check_features(frame, name):
    """Raise if a frame that is one sequence holds an index."""
    names = _index_columns(frame)
    if names:
        raise TypeError(
            f"{name} is a frame whose columns {names} were the index of a pandas "
            "frame, and would be features. Use "
            f"[{_without(frame, 'x', names)} for x in X], or reset the index if it is "
            "a feature."
        )


def _n_levels(frame, axis):
    return getattr(getattr(frame, axis, None), "nlevels", 1)


def _is_arrow(frame):
    return hasattr(type(frame), "column_names")


def _names(frame):
    return list(frame.column_names if _is_arrow(frame) else frame.columns)


def _index_columns(frame):
    """Names of the columns that were the index of a pandas frame."""
    kept = []
    if _is_arrow(frame):
        # An index that only counts rows is a dict; a column may have been dropped.
        kept = (frame.schema.pandas_metadata or {}).get("index_columns", [])
    return [
        name
        for name in _names(frame)
        if name in kept or _LEVEL_OF_INDEX.fullmatch(str(name))
    ]


def _are_tuples(frame):
    """Whether all names are tuples, as pyarrow and polars write those of pandas."""
    names = _names(frame)
    return all(isinstance(name, str) and _TUPLE.fullmatch(name) for name in names)


def _without(frame, x, names):
    if _is_arrow(frame):
        return f"{x}.drop_columns({names})"
    return f"{x}.drop({'columns=' * hasattr(frame, 'stack')}{names})"
