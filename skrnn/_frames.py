"""From an event log, one row a step, to a list of sequences."""

from collections import defaultdict
from itertools import count, pairwise
from numbers import Integral

import numpy as np


def sequences_from_frame(df, *, group, columns, order=None, return_groups=False):
    """Turn an event log, one row a step, into a list of sequences.

    The rows of a group become one sequence, which the estimators take as an item of X.
    They need not be adjacent. The sequences come in the order in which their groups
    first appear in `df`.

    Parameters
    ----------
    df : DataFrame of pandas or polars, or Table of pyarrow
        One row a step, of all sequences. Frames of narwhals around these will do too.
    group : str or list of str
        Column or columns that say which sequence a row belongs to.
    columns : str or list of str
        What a step is. The name of one column makes one-dimensional sequences: lists of
        tokens if it holds strings, categories, integers or booleans; arrays of shape
        (n_steps,) if it holds floats. A list of names, of columns that hold numbers or
        booleans, makes arrays of shape (n_steps, n_features), even if it is of length
        one. Arrays are of float32 if all their columns are, of float64 otherwise.
    order : str or list of str, default=None
        Column or columns to sort the rows of a group by, the first one above all. Rows
        that tie stay in the order in which `df` has them. Categories that are ordered
        sort in their order. None leaves all rows in the order of `df`.
    return_groups : bool, default=False
        Whether to return the group of each sequence too, by which to look up its
        target.

    Returns
    -------
    sequences : list of n_groups lists or ndarrays
        The steps of each group.
    groups : ndarray of shape (n_groups,) or list of n_groups tuples
        The value of the column `group` for each sequence; tuples if there are several
        such columns. Only returned if `return_groups` is True.

    Raises
    ------
    TypeError
        If `df` is no frame or a lazy one; if `columns` names times, or a list that has
        a column of strings; if a column holds values that are no tokens, cannot be
        grouped by or cannot be sorted by.
    ValueError
        If `df` is empty, lacks a column that is named or has two of the same name; if a
        value is missing among tokens, groups or what to sort by.

    See Also
    --------
    RNNClassifier : Predicts the class of a sequence.
    RNNEncoder : Encodes a sequence as a vector.

    Notes
    -----
    Missing numbers become NaN, which the estimators refuse, unless ``missing="mask"``.
    pandas makes floats of a column of integers that lacks one, so they are numbers here
    too, unless its dtype is Int64.

    Time O(n log n) for n rows, without a loop in Python over them.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn import RNNClassifier, RNNEncoder, sequences_from_frame
    >>> log = pd.DataFrame({
    ...     "user": ["ann", "bob", "ann", "eve", "bob", "ann"],
    ...     "hour": [3, 1, 1, 2, 4, 2],
    ...     "event": ["pay", "open", "open", "open", "leave", "add"],
    ...     "price": [9.5, 0.0, 0.0, 0.0, 0.0, 9.5],
    ... })
    >>> X, users = sequences_from_frame(
    ...     log, group="user", columns="event", order="hour", return_groups=True
    ... )
    >>> X
    [['open', 'add', 'pay'], ['open', 'leave'], ['open']]
    >>> users
    array(['ann', 'bob', 'eve'], dtype=object)

    The groups look up the targets, in whatever order these are:

    >>> outcome = pd.Series({"eve": "no sale", "ann": "sale", "bob": "no sale"})
    >>> y = outcome.loc[users]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(X, y)
    >>> classifier.predict([["open", "add", "pay"]])
    array(['sale'], dtype=object)

    A frame of polars has no index; its rows make a dict that does the same:

    >>> import polars as pl
    >>> outcomes = pl.DataFrame(
    ...     {"user": ["eve", "ann", "bob"], "outcome": ["no sale", "sale", "no sale"]}
    ... )
    >>> outcome_of = dict(outcomes.select("user", "outcome").iter_rows())
    >>> [outcome_of[user] for user in users]
    ['sale', 'no sale', 'no sale']

    Steps that are a category and numbers become numbers by indicator columns. That the
    column is categorical first gives other logs the same indicators:

    >>> events = ["add", "leave", "open", "pay"]
    >>> log["event"] = pd.Categorical(log["event"], categories=events)
    >>> wide = pd.get_dummies(log, columns=["event"])
    >>> columns = ["price", *("event_" + event for event in events)]
    >>> X = sequences_from_frame(wide, group="user", columns=columns, order="hour")
    >>> X[0]  # price, add, leave, open, pay
    array([[0. , 0. , 0. , 1. , 0. ],
           [9.5, 1. , 0. , 0. , 0. ],
           [9.5, 0. , 0. , 0. , 1. ]])
    >>> RNNEncoder(nhidden=4, random_state=0).fit(X, y).transform(X).shape
    (3, 4)
    """
    frame = _read_frame(df)
    group_columns = _columns(frame, group, "group")
    order_columns = [] if order is None else _columns(frame, order, "order")
    step_columns = _columns(frame, columns, "columns")
    first_row = _first_row_of_group([_group_key(series) for series in group_columns])
    sort_keys = [_sort_key(series) for series in order_columns]
    rows = np.lexsort((*reversed(sort_keys), first_row))  # the last key counts most
    if np.ndim(columns) == 0:
        steps = _read_steps(step_columns[0], rows)
    else:
        steps = _read_features(step_columns)[rows]
    counts = np.bincount(first_row)  # zero but for the first row of a group
    first_rows = np.flatnonzero(counts)
    bounds = [0, *np.cumsum(counts[first_rows]).tolist()]
    sequences = [steps[start:stop] for start, stop in pairwise(bounds)]
    if not return_groups:
        return sequences
    return sequences, _values_at(group_columns, first_rows)


def _read_frame(df):
    """The frame of narwhals around what the user passes."""
    import narwhals
    import narwhals.stable.v2 as nw
    from narwhals.exceptions import DuplicateError

    df = narwhals.to_native(df, pass_through=True)
    try:
        frame = nw.from_native(df, pass_through=True)
    except DuplicateError as error:
        raise ValueError(
            "df has columns of the same name: every column needs a name of its own. "
            "Rename or drop them."
        ) from error
    if isinstance(frame, nw.LazyFrame):
        raise TypeError(
            f"df is a {type(df).__name__}, whose rows are yet to be computed: a "
            "DataFrame or Table was expected. Use df.collect()."
        )
    if not isinstance(frame, nw.DataFrame):
        raise TypeError(
            f"df is of type {type(df).__name__}: a DataFrame of pandas or polars or a "
            "Table of pyarrow was expected. Make one of it, one row a step."
        )
    if len(frame) == 0:
        raise ValueError("df is empty: at least one row is needed.")
    return frame


def _columns(frame, names, parameter):
    """The columns that a parameter names."""
    names = [names] if np.ndim(names) == 0 else list(names)
    known = frame.columns
    if len(names) == 0:
        raise ValueError(
            f"{parameter} names no column: at least one was expected. Pass one or more "
            f"of {known}."
        )
    for name in names:
        if name not in known:
            raise ValueError(
                f"{parameter} names the column {name!r}, which df does not have. Pass "
                f"one or more of {known}."
            )
    return [frame.get_column(name) for name in names]


def _group_key(series):
    """Numbers that are equal where the values of a column are."""
    _check_no_missing(series, "a group. Drop the row or fill in its group.")
    try:
        return _as_numbers(series, list)
    except TypeError as error:
        raise TypeError(
            f"Column {series.name!r} of dtype {_dtype(series)} cannot say which rows "
            "belong together: strings, numbers or times were expected. Convert it to "
            "strings."
        ) from error


def _sort_key(series):
    """Numbers that sort as the values of a column do."""
    import narwhals.stable.v2 as nw

    _check_no_missing(series, "a place in the order. Drop the row or fill it in.")
    if isinstance(series.dtype, nw.Enum):
        return _ranks(series.to_list(), lambda distinct: series.dtype.categories)
    try:
        return _as_numbers(series, sorted)
    except TypeError as error:
        raise TypeError(
            f"Column {series.name!r} of dtype {_dtype(series)} cannot be sorted by: "
            "numbers, times or strings were expected, all of one type. Convert it to "
            "one of them."
        ) from error


def _as_numbers(series, rank):
    """A column of numbers or times as it is, any other by the ranks of its values."""
    values = series.to_numpy()
    if values.ndim == 1 and values.dtype.kind in "biufmM":
        return values
    return _ranks(series.to_list(), rank)


def _ranks(values, rank):
    """For each value, its place among the distinct ones as `rank` lists them."""
    codes = defaultdict(count().__next__)  # by first appearance: one look-up a row
    code_of_row = np.fromiter(map(codes.__getitem__, values), dtype=np.int64)
    ranks = {value: i for i, value in enumerate(rank(codes))}
    rank_of_code = np.fromiter(map(ranks.__getitem__, codes), dtype=np.int64)
    return rank_of_code[code_of_row]


def _first_row_of_group(keys):
    """For each row, the first one that has the same keys.

    Parameters
    ----------
    keys : list of ndarrays of shape (n_rows,)

    Returns
    -------
    first_row : ndarray of shape (n_rows,), int64
    """
    rows = np.lexsort(keys)  # which is stable, so a group begins with its first row
    is_first = np.zeros(len(rows), dtype=bool)
    is_first[0] = True
    for key in keys:
        sorted_key = key[rows]
        is_first[1:] |= sorted_key[1:] != sorted_key[:-1]
    starts = np.flatnonzero(is_first)
    first_row = np.empty(len(rows), dtype=np.int64)
    first_row[rows] = np.repeat(rows[starts], np.diff(starts, append=len(rows)))
    return first_row


def _read_steps(series, rows):
    """The steps of sequences of one column: floats, or a list of tokens."""
    if series.dtype.is_float() or series.dtype.is_decimal():
        return _read_features([series])[rows, 0]
    _check_no_times(series)
    _check_no_missing(
        series, "a token. Drop the row or fill in a token that stands for missing ones."
    )
    steps = series[rows].to_list()
    odd = [t for t in set(map(type, steps)) if not issubclass(t, (str, Integral))]
    if odd:
        raise TypeError(
            f"Column {series.name!r} of dtype {_dtype(series)} has a value of type "
            f"{min(t.__name__ for t in odd)}: strings, categories, integers, booleans "
            "or a dtype of floats were expected. Convert it to one of them."
        )
    return steps


def _read_features(columns):
    """Columns of numbers side by side, of shape (n_rows, n_features)."""
    return np.column_stack([_as_floats(series) for series in columns])


def _as_floats(series):
    """A column of numbers or booleans as floats, with NaN for missing ones."""
    import narwhals.stable.v2 as nw

    _check_no_times(series)
    if isinstance(series.dtype, (nw.String, nw.Categorical, nw.Enum)):
        name = series.name
        raise TypeError(
            f"Column {name!r} of dtype {_dtype(series)} is one of a list of columns, "
            "of which numbers or booleans were expected. Make indicator columns of it "
            f"first, by pandas.get_dummies(df, columns=[{name!r}]) or, in polars, "
            f"df.to_dummies({name!r}); or pass columns={name!r} for lists of tokens."
        )
    if series.dtype == nw.Boolean:
        series = series.cast(nw.Int8)  # which NumPy knows with missing values, as float
    elif series.dtype.is_decimal():
        series = series.cast(nw.Float64)
    elif not series.dtype.is_numeric():
        raise TypeError(
            f"Column {series.name!r} of dtype {_dtype(series)} is one of a list of "
            "columns, of which numbers or booleans were expected. Convert it to floats."
        )
    is_single = series.dtype == nw.Float32
    return series.to_numpy().astype(np.float32 if is_single else np.float64)


def _check_no_times(series):
    if series.dtype.is_temporal():
        raise TypeError(
            f"Column {series.name!r} of dtype {_dtype(series)} holds times: numbers or "
            "tokens were expected. Convert it to numbers, such as seconds since the "
            "first step of the sequence or since the step before."
        )


def _check_no_missing(series, need):
    if series.dtype.is_float():
        is_missing = np.isnan(series.to_numpy())  # null and NaN alike
    else:
        is_missing = series.is_null().to_numpy()
    if is_missing.any():
        raise ValueError(
            f"Column {series.name!r} of df has no value in row {is_missing.argmax()} "
            f"(counted from 0): every row needs {need}"
        )


def _values_at(columns, rows):
    """The values of one column, or the tuples of several, at some rows."""
    if len(columns) == 1:
        return columns[0][rows].to_numpy()
    return list(zip(*(series[rows].to_list() for series in columns), strict=True))


def _dtype(series):
    """The dtype of a column, as its own library calls it."""
    native = series.to_native()
    return native.dtype if hasattr(native, "dtype") else native.type
