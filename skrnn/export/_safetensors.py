"""Estimators as files in the safetensors format."""

from pathlib import Path

from skrnn._core.imports import import_lock
from skrnn._files import write
from skrnn.export._plain import EXPECTED
from skrnn.export._state_dict import KEY, put_together, read_content, take_apart


def save_safetensors(estimator, path):
    """Write a fitted estimator to a file in the safetensors format.

    Parameters
    ----------
    estimator : fitted estimator of skrnn
        The fitted estimator.
    path : str or PathLike
        Path of the file. An existing file is replaced, with its permissions; if it is a
        symbolic link, the file that it points to.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    TypeError, ValueError, NotFittedError
        As in :func:`to_state_dict`.
    OSError
        If the file, or another one in its folder, cannot be written, as on a full disk
        or without permission; what was there stays as it was.

    See Also
    --------
    load_safetensors : The inverse function.
    to_state_dict : Convert to a dict instead of a file.

    Notes
    -----
    The file is complete at any time, also if other threads or processes write or read
    it meanwhile: a new one is written beside it and takes its place in one step. If the
    process is killed before, a part of it is left, ``.skrnn-*.part``, which calls after
    ten minutes remove.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skrnn import RNNEncoder
    >>> from skrnn.export import load_safetensors, save_safetensors
    >>> encoder = RNNEncoder(nhidden=4, random_state=0).fit(["ab", "ba"], [0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "encoder.safetensors"
    ...     save_safetensors(encoder, path)
    ...     same = load_safetensors(path)
    >>> bool((same.transform(["ab"]) == encoder.transform(["ab"])).all())
    True
    """
    arrays, text = take_apart(estimator)
    safetensors = _import_safetensors()
    content = safetensors.numpy.save(arrays, metadata={KEY: text})
    write(content, Path(path))


def load_safetensors(path):
    """Read a fitted estimator from a file in the safetensors format.

    Parameters
    ----------
    path : str or PathLike
        Path of a file written by :func:`save_safetensors`.

    Returns
    -------
    estimator : fitted estimator of skrnn
        The fitted estimator.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    ValueError
        If the file is no safetensors file, or as in :func:`from_state_dict`.
    OSError
        If the file does not exist or cannot be read.

    See Also
    --------
    save_safetensors : The inverse function, with an example.
    from_state_dict : Restore from a dict instead of a file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skrnn import RNNEncoder
    >>> from skrnn.export import load_safetensors, save_safetensors
    >>> encoder = RNNEncoder(nhidden=4, random_state=0).fit(["ab", "ba"], [0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "encoder.safetensors"
    ...     save_safetensors(encoder, path)
    ...     print(type(load_safetensors(path)).__name__)
    RNNEncoder
    """
    safetensors = _import_safetensors()
    with open(path, "rb"):
        pass  # its errors say what is wrong; safetensors has one for a folder, say
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            content = read_content((file.metadata() or {}).get(KEY))
            return put_together(*content, file.keys(), file.get_tensor)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} cannot be read: {error}. {EXPECTED}") from error


def _import_safetensors():
    try:
        with import_lock:
            import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "skrnn.export needs safetensors for this. Install it with `pip install "
            "safetensors`, or use to_state_dict and torch.save."
        ) from error
    return safetensors
