"""The containers of y, classes and sample_weight, as far as NumPy needs help with them.

No library is imported here: a user who passes a polars Series has imported polars.
"""

from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral, Number

import numpy as np
from scipy.sparse import issparse

from skrnn._messages import how_to_compute, is_missing

_TAGS = "a list with the tags of each sequence"
_EXPECTED = {
    "y": "an array-like with a target for each sequence",
    "y_true": _TAGS,
    "y_pred": _TAGS,
    "classes": "an array-like with all labels",
    "sample_weight": "an array-like with a weight for each sequence",
}
_TO_LIST = ("to_pylist", "to_list", "tolist")
_PLAIN = {int, float, str, bool, list, tuple, type(None)}


def open_targets(given, what):
    """What the user passed as something that NumPy reads without loss.

    Parameters
    ----------
    given : array-like
    what : {"y", "y_true", "y_pred", "classes", "sample_weight"}

    Returns
    -------
    opened : array-like
        A list if there is a list for each sequence, whatever held it. Tensors are
        arrays, and integers are not rounded.
    is_column : bool
        Whether there is a list for each sequence, in a column, in which scikit-learn
        would refuse it.

    Raises
    ------
    TypeError
        If it is not a container with an entry at each place.
    ValueError
        If it is a frame without columns.
    """
    _check_container(given, what)
    opened = _open(given, what)
    column = _column_of(opened, what)
    if column is None:
        return opened, False
    entries = map(_plain, column)
    first = next((entry for entry in entries if not is_missing(entry)), None)
    if isinstance(first, Mapping):
        raise TypeError(
            f"{what} holds records: {_EXPECTED[what]} was expected. Pass one field of "
            "them."
        )
    if isinstance(column, (list, tuple)):
        return _open_items(column, what), False
    if not _is_nested(first):
        return opened, False
    method = next(name for name in _TO_LIST if hasattr(column, name))
    return _open_items(getattr(column, method)(), what), True


def columns_of(frame):
    """The names and columns of a frame; None of anything else."""
    if hasattr(frame, "iloc"):  # of pandas, whose columns may have the same name
        is_frame = frame.ndim == 2
        places = range(frame.shape[1]) if is_frame else ()
        columns = [(frame.columns[i], frame.iloc[:, i]) for i in places]
        return columns if is_frame else None
    if hasattr(frame, "column_names"):  # of arrow
        return [*zip(frame.column_names, frame.columns, strict=True)]
    if hasattr(frame, "iter_columns"):  # of polars or narwhals
        return [*zip(frame.columns, frame.iter_columns(), strict=True)]
    return None


def _check_container(given, what):
    """Raise for what does not have an entry at each place."""
    name = type(given).__name__
    if isinstance(given, (set, frozenset, str, bytes)):
        cure = "Use a list."
    elif isinstance(given, Mapping):
        cure = f"Use list({what}.values())."
    elif isinstance(given, Iterator):
        cure = f"Use list({what})."
    elif name.endswith(("GroupBy", "Grouper")):
        cure = "Pass a column with one row for each sequence."
    elif _has_places(given):
        return
    elif how_to_compute(given, what):
        cure = how_to_compute(given, what)
    else:
        is_list = isinstance(given, Iterable) and not hasattr(given, "shape")
        cure = f"Use list({what})." if is_list else "Use a list."
    raise TypeError(f"{what} is of type {name}: {_EXPECTED[what]} was expected. {cure}")


def _has_places(given):
    if hasattr(type(given), "is_nested"):  # torch's tensors; nested ones lack a shape
        return given.ndim > 0
    is_listed = hasattr(given, "__len__") and hasattr(given, "__getitem__")
    is_array_like = is_listed or hasattr(given, "__array__") or issparse(given)
    return is_array_like and getattr(given, "shape", None) != ()


def _open(given, what):
    """The container, or a simpler one with the same entries."""
    library = type(given).__module__.partition(".")[0]
    if library == "awkward":
        return given.to_list()  # it refuses to be an array if it holds None
    if library == "torch":
        return _open_tensor(given, what)
    if isinstance(given, (list, tuple)) and given and _are_integers(given):
        return _open_integers(given)
    return _without_wide(given)


def _open_tensor(tensor, what):
    """A tensor as an array, or as a list of arrays if it is nested."""
    if getattr(tensor, "is_nested", False):
        return [_open_tensor(part, what) for part in tensor.unbind()]
    if not hasattr(tensor, "detach"):
        return tensor
    if "sparse" in str(tensor.layout):
        raise TypeError(
            f"{what} is a sparse tensor: a dense one was expected. Use "
            f"{what}.to_dense()."
        )
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    # NumPy does not have bfloat16.
    is_short = tensor.is_floating_point() and tensor.itemsize <= 2
    return (tensor.float() if is_short else tensor).numpy()


def _are_integers(items):
    kinds = {*map(type, items)}
    return bool not in kinds and all(issubclass(kind, Integral) for kind in kinds)


def _open_integers(integers):
    """A list of integers, which NumPy makes floats if they need more than 63 bits."""
    if np.asarray(integers).dtype.kind != "f":
        return integers
    integers = list(map(int, integers))
    is_unsigned = 0 <= min(integers) and max(integers) < 2**64
    return np.array(integers, dtype=np.uint64 if is_unsigned else object)


def _without_wide(given):
    """Integers of 128 bits, for which NumPy has no type, as those of Python."""
    dtypes = [given.dtype] if hasattr(given, "dtype") else getattr(given, "dtypes", ())
    if not any(str(dtype) in ("Int128", "UInt128") for dtype in dtypes):
        return given
    return given.rows() if hasattr(given, "rows") else given.to_list()


def _column_of(opened, what):
    """The column of a container that is, or has, only one; else None."""
    columns = columns_of(opened)
    if columns is not None:
        if not columns:
            raise ValueError(
                f"{what} is a {type(opened).__name__} without columns: "
                f"{_EXPECTED[what]} was expected. Pass at least one column."
            )
        return columns[0][1] if len(columns) == 1 else None
    if isinstance(opened, (list, tuple)):
        return opened
    if isinstance(opened, np.ndarray):
        if opened.dtype != object or opened.ndim > 2:
            return None
        if opened.ndim == 2 and opened.shape[1] == 1:
            return opened[:, 0]
        return opened if opened.ndim == 1 else None
    has_entries = any(hasattr(opened, name) for name in _TO_LIST)
    return opened if has_entries else None


def _plain(entry):
    """An entry of a column; those of arrow are scalars of its own."""
    return entry.as_py() if hasattr(entry, "as_py") else entry


def _is_nested(entry):
    """Whether an entry holds several."""
    if isinstance(entry, (list, tuple, set, frozenset)):
        return True
    return getattr(entry, "shape", ()) != () and hasattr(entry, "__array__")


def _open_items(items, what):
    """A list whose items are numbers, strings, lists or arrays."""
    if {*map(type, items)} <= _PLAIN:
        return items
    return [_open_item(item, what) for item in items]


def _open_item(item, what):
    if type(item) in _PLAIN or isinstance(item, (Number, np.generic, np.ndarray)):
        return item
    if hasattr(item, "as_py"):
        return item.as_py()
    if type(item).__module__.partition(".")[0] == "torch":
        return _open_tensor(item, what)
    if hasattr(item, "to_pylist"):
        return item.to_pylist()
    if _is_nested(item) and not isinstance(item, (set, frozenset)):
        return np.asarray(item)
    return item
