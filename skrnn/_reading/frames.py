"""From an event log, with one row per step, to a list of sequences."""

from collections import defaultdict
from itertools import count, pairwise
from numbers import Integral

import numpy as np

from skrnn._core.imports import import_lock
from skrnn._messages import how_to_compute


def sequences_from_frame(df, *, group, columns, order=None, return_groups=False):
    """Convert an event log, with one row per step, to a list of sequences.

    The rows of each group form one sequence, which the estimators accept as an item of
    X. They need not be adjacent. The sequences are in the order in which their groups
    first appear in `df`.

    Parameters
    ----------
    df : DataFrame of pandas or polars, or Table of pyarrow
        The steps of all sequences, one row per step. narwhals wrappers of these frames
        are also accepted.
    group : str or list of str
        Column or columns that identify the sequence to which a row belongs.
    columns : str or list of str
        Column or columns to read at each step. A single name gives one-dimensional
        sequences: lists of tokens if the column holds strings, categories, integers or
        booleans, and arrays of shape (n_steps,) if it holds floats. A list of names
        gives arrays of shape (n_steps, n_features), even if its length is one; these
        columns must hold numbers or booleans. Arrays are float32 if all their columns
        are float32, and float64 otherwise. Pass a list if the integers of a column
        are measurements, not tokens.
    order : str or list of str, default=None
        Column or columns by which to sort the rows of a group; the first one takes
        precedence. Ties keep the order of `df`. Ordered categories are sorted in their
        order. None leaves all rows in the order of `df`.
    return_groups : bool, default=False
        Whether to also return the group of each sequence, for example to look up its
        target.

    Returns
    -------
    sequences : list of n_groups lists or ndarrays
        The steps of each group.
    groups : ndarray of shape (n_groups,) or list of n_groups tuples
        The value of the column `group` for each sequence, or a tuple of values if
        `group` names several columns. Only returned if `return_groups` is True. Numbers
        and booleans have the dtype of their column. All other values, such as strings
        and times, are objects, as the library of `df` returns them: times keep their
        time zone.

    Raises
    ------
    TypeError
        If `df` is not a frame, or is lazy; if a column to read holds times; if
        `columns` is a list and one of these columns holds strings; or if a column holds
        values that are not tokens, or that cannot be grouped or sorted by.
    ValueError
        If `df` is empty, lacks a named column, or has two columns of the same name; or
        if a token, a group or a value to sort by is missing.

    See Also
    --------
    RNNClassifier : Predicts the class of a sequence.
    RNNEncoder : Encodes a sequence as a vector.

    Notes
    -----
    Missing numbers become NaN, which the estimators reject unless ``missing="mask"``.
    pandas converts a column of integers with a missing value to floats, which are
    therefore read as numbers, not as tokens, unless its dtype is Int64.

    The time is O(n log n) for n rows, without a Python loop over the rows.

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

    The groups look up the targets, which may be in any order:

    >>> outcome = pd.Series({"eve": "no sale", "ann": "sale", "bob": "no sale"})
    >>> y = outcome.loc[users]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(X, y)
    >>> classifier.predict([["open", "add", "pay"]])
    array(['sale'], dtype=object)

    A polars frame has no index, but a dict made from its rows does the same:

    >>> import polars as pl
    >>> outcomes = pl.DataFrame(
    ...     {"user": ["eve", "ann", "bob"], "outcome": ["no sale", "sale", "no sale"]}
    ... )
    >>> outcome_of = dict(outcomes.select("user", "outcome").iter_rows())
    >>> [outcome_of[user] for user in users]
    ['sale', 'no sale', 'no sale']

    If a step has a category and numbers, convert the category to indicator columns.
    Declare its possible values first, so that other logs get the same indicators:

    >>> events = ["add", "leave", "open", "pay"]
    >>> log["event"] = pd.Categorical(log["event"], categories=events)
    >>> wide = pd.get_dummies(log, columns=["event"])
    >>> columns = ["price", *("event_" + event for event in events)]
    >>> X = sequences_from_frame(wide, group="user", columns=columns, order="hour")
    >>> X[0]  # price, add, leave, open, pay
    array([[0. , 0. , 0. , 1. , 0. ],
           [9.5, 1. , 0. , 0. , 0. ],
           [9.5, 0. , 0. , 0. , 1. ]])
    >>> encoder = RNNEncoder(nhidden=4, random_state=0).fit(X, y)
    >>> encoder.transform(X).shape == (3, len(encoder.get_feature_names_out()))
    True
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
    counts = np.bincount(first_row)  # zero except for the first row of a group
    first_rows = np.flatnonzero(counts)
    bounds = [0, *np.cumsum(counts[first_rows]).tolist()]
    sequences = [steps[start:stop] for start, stop in pairwise(bounds)]
    if not return_groups:
        return sequences
    return sequences, _values_at(group_columns, first_rows)


def _read_frame(df):
    """A narwhals wrapper of the frame that the user passed."""
    with import_lock:
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
            f"DataFrame or Table was expected. "
            f"{how_to_compute(df, 'df') or 'Compute it first.'}"
        )
    if not isinstance(frame, nw.DataFrame):
        raise TypeError(
            f"df is of type {type(df).__name__}: a DataFrame of pandas or polars or a "
            "Table of pyarrow was expected. Convert it to one, with one row per step."
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
    """Numbers that are equal exactly where the values of a column are equal."""
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
    """Numbers that sort in the same order as the values of a column."""
    with import_lock:
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
    """A column of numbers or times unchanged; any other as the ranks of its values."""
    if not _is_wide(series.dtype):
        values = series.to_numpy()
        if values.ndim == 1 and values.dtype.kind in "biufmM":
            return values
    return _ranks(series.to_list(), rank)


def _is_wide(dtype):
    """Whether values are integers of 128 bits, for which NumPy has no type."""
    with import_lock:
        import narwhals.stable.v2 as nw

    return dtype in (nw.Int128, nw.UInt128)


def _ranks(values, rank):
    """For each value, its position among the distinct ones as listed by `rank`."""
    codes = defaultdict(count().__next__)  # by first appearance: one look-up per row
    code_of_row = np.fromiter(map(codes.__getitem__, values), dtype=np.int64)
    ranks = {value: i for i, value in enumerate(rank(codes))}
    rank_of_code = np.fromiter(map(ranks.__getitem__, codes), dtype=np.int64)
    return rank_of_code[code_of_row]


def _first_row_of_group(keys):
    """For each row, the first row that has the same keys.

    Parameters
    ----------
    keys : list of ndarrays of shape (n_rows,)

    Returns
    -------
    first_row : ndarray of shape (n_rows,), int64
    """
    rows = np.lexsort(keys)  # stable, so each group begins with its first row
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
    """The steps of sequences from one column: floats, or a list of tokens."""
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
    with import_lock:
        import narwhals.stable.v2 as nw

    _check_no_times(series)
    if isinstance(series.dtype, (nw.String, nw.Categorical, nw.Enum)):
        name = series.name
        raise TypeError(
            f"Column {name!r} of dtype {_dtype(series)} is in a list of columns, which "
            "must hold numbers or booleans. Convert it to indicator columns first, by "
            f"pandas.get_dummies(df, columns=[{name!r}]) or, in polars, "
            f"df.to_dummies({name!r}); or pass columns={name!r} for lists of tokens."
        )
    if series.dtype == nw.Boolean:
        series = series.cast(nw.Int8)  # converts to floats if values are missing
    elif series.dtype.is_decimal() or _is_wide(series.dtype):
        series = series.cast(nw.Float64)
    elif not series.dtype.is_numeric():
        raise TypeError(
            f"Column {series.name!r} of dtype {_dtype(series)} is in a list of "
            "columns, which must hold numbers or booleans. Convert it to floats."
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
    if len(columns) > 1:
        return list(zip(*(series[rows].to_list() for series in columns), strict=True))
    values = columns[0][rows]
    if not _is_wide(values.dtype):
        array = values.to_numpy()
        if array.dtype.kind in "biuf":
            return array
    # NumPy knows no time zones, and its dates do not equal those of Python as keys.
    return np.fromiter(values.to_list(), dtype=object, count=len(rows))


def _dtype(series):
    """The dtype of a column, as named by its own library."""
    native = series.to_native()
    return native.dtype if hasattr(native, "dtype") else native.type
