"""ChunkedDataset: data that `fit` reads chunk by chunk, once per epoch."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from itertools import chain
from numbers import Integral

from skrnn._core.imports import import_lock
from skrnn._messages import describe


@dataclass(frozen=True)
class ChunkedDataset:
    """Data that `fit` reads chunk by chunk, so that they need not fit into memory.

    Pass it to `fit` in place of X and y:

        classifier.fit(ChunkedDataset(make_chunks))

    `fit` then reads all chunks once to learn what it has to know before the first
    epoch: the vocabulary and the frequencies of n-grams, means and scales of numbers,
    the classes, and how many sequences there are. Afterwards it reads them once per
    epoch. The sequences of an epoch are shuffled within a buffer.

    Parameters
    ----------
    make_chunks : callable
        ``make_chunks()`` returns a new iterator over all chunks, each time over the
        same ones in the same order. A chunk is a tuple ``(X, y)`` or ``(X, y,
        sample_weight)``, of what `fit` accepts; without y, it is X, which may not be a
        tuple.
    buffer_size : int, default=10_000
        The number of sequences among which the order of an epoch is random. About three
        times as many are in memory: a buffer of them, as the network reads them, and a
        uniform sample of as many, as it was read and as the network reads it. A chunk
        may have more or fewer. Memory grows with this number, and with the size of a
        chunk, but not with the number of chunks.

    Raises
    ------
    TypeError
        If `make_chunks` is not callable, as a generator is not: it can be read only
        once.
    ValueError
        If `buffer_size` is not a number of at least 1.

    See Also
    --------
    RNNClassifier.partial_fit : Trains on a chunk at a time, while data keep arriving.
    skrnn.distributed.data_parallel : Several processes, each with a dataset of its own.

    Notes
    -----
    If all sequences fit into the buffer, they are read once, and the fit equals one
    without chunks. Otherwise:

    - Write data to disk in random order if you can: a buffer of sequences that all have
      the same class teaches little.
    - What X and y are, and the meaning of ``"auto"``, is decided by the first buffer.
    - Tokens, classes, and means of y are counted in all sequences. Of n-grams of the
      same length, and of subwords, at most 262,144 are counted at a time: beyond that,
      the rarest so far are forgotten, and counted from 0 if they occur again [1]_.
    - Means, scales and patterns of series, and n-grams with places, are learned from
      a uniform sample of `buffer_size` sequences, drawn without replacement [2]_. It is
      the same one for each `random_state`.
    - Early stopping needs `X_val` and `y_val`.

    Inside :func:`~skrnn.distributed.data_parallel`, each process passes a dataset of
    its own, which is read in each epoch even if it fits into the buffer.

    References
    ----------
    .. [1] Manku and Motwani (2002), "Approximate Frequency Counts over Data Streams",
       VLDB.
    .. [2] Vitter (1985), "Random Sampling with a Reservoir", ACM Transactions on
       Mathematical Software 11(1).

    Examples
    --------
    >>> from skrnn import ChunkedDataset, RNNClassifier
    >>> def make_chunks():
    ...     for _ in range(3):  # a file, or some rows of a table, at a time
    ...         X = ["cat", "act", "tact", "taca"] * 5
    ...         yield X, [x[-1] for x in X]
    >>> dataset = ChunkedDataset(make_chunks, buffer_size=30)
    >>> classifier = RNNClassifier(nhidden=8, random_state=0).fit(dataset)
    >>> classifier.predict(["cat", "taca"])
    array(['t', 'a'], dtype='<U1')
    """

    make_chunks: Callable
    _: KW_ONLY
    buffer_size: int = 10_000

    def __post_init__(self):
        make_chunks, size = self.make_chunks, self.buffer_size
        if not callable(make_chunks):
            raise TypeError(
                f"make_chunks is {describe(make_chunks)}: a function that returns a "
                "new iterator over all chunks was expected, since they are read once "
                "per epoch. Use lambda: iter(chunks) for a list of chunks."
            )
        if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
            raise ValueError(
                f"buffer_size is {size!r}: a number of sequences of at least 1 was "
                "expected."
            )

    @classmethod
    def from_parquet(cls, path, X, y=None, sample_weight=None, *, buffer_size=10_000):
        """Read columns of Parquet files, which may be larger than memory.

        It needs pyarrow: ``pip install skrnn[parquet]``.

        Parameters
        ----------
        path : str, path-like, list of them or pyarrow.dataset.Dataset
            A file, a folder of files, or several files. A Dataset may have another
            format, or columns in the names of its folders, as one of
            ``pyarrow.dataset.dataset(path, partitioning="hive")`` has.
        X : str or list of str
            The column of sequences: strings, or lists of tokens or numbers. Several
            columns of numbers hold one number per step.
        y : str, list of str or None, default=None
            The column of targets, or several of them.
        sample_weight : str or None, default=None
            The column of weights.
        buffer_size : int, default=10_000
            As for the class; also the maximum number of rows of a chunk.

        Returns
        -------
        dataset : ChunkedDataset

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        TypeError
            If X, y or sample_weight is no name, or list of names, of columns.
        FileNotFoundError
            If there is no such file or folder.
        ValueError
            If there is no such column.

        See Also
        --------
        ChunkedDataset : Reads what any function yields.

        Examples
        --------
        >>> import tempfile
        >>> import pyarrow as pa
        >>> from pyarrow import parquet
        >>> from skrnn import ChunkedDataset, RNNClassifier
        >>> table = {"word": ["cat", "taca"] * 9, "end": ["t", "a"] * 9}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     parquet.write_table(pa.table(table), f"{folder}/words.parquet")
        ...     dataset = ChunkedDataset.from_parquet(folder, "word", "end")
        ...     classifier = RNNClassifier(nhidden=4, random_state=0).fit(dataset)
        >>> classifier.predict(["cat"])
        array(['t'], dtype=object)
        """
        source = _open(path)
        make_chunks = _ParquetChunks(path, X, y, sample_weight, buffer_size, source)
        for name in make_chunks.columns:
            if name not in source.schema.names:
                raise ValueError(
                    f"There is no column {name!r} in {path!r}: its columns are "
                    f"{source.schema.names}."
                )
        return cls(make_chunks, buffer_size=buffer_size)

    def chunks(self):
        """Yield all chunks, each as (X, y, sample_weight), once.

        Yields
        ------
        X, y, sample_weight : objects
            As `make_chunks` yields them; the latter two may be None.

        Raises
        ------
        TypeError
            If `make_chunks` does not return an iterable.
        ValueError
            If a chunk is a tuple of another length.
        """
        chunks = self.make_chunks()
        if not hasattr(chunks, "__iter__"):
            raise TypeError(
                f"make_chunks returned {describe(chunks)}: an iterator over chunks was "
                "expected. Write a function that yields (X, y)."
            )
        for i, chunk in enumerate(chunks):
            parts = chunk if isinstance(chunk, tuple) else (chunk,)
            if not 1 <= len(parts) <= 3:
                raise ValueError(
                    f"Chunk {i} is a tuple of length {len(parts)}: (X, y) or (X, y, "
                    "sample_weight) was expected, or X alone. Use a list for an X of "
                    "several sequences."
                )
            yield (*parts, None, None)[:3]


@dataclass(frozen=True)
class _ParquetChunks:
    """Yields chunks of columns of a pyarrow Dataset; it can be pickled, and printed."""

    path: object
    X: str | list
    y: str | list | None
    sample_weight: str | None
    n_rows: int = field(repr=False)
    source: object = field(repr=False)

    @property
    def columns(self):
        """The names of all columns, of which X and y may share some."""
        names = map(_as_list, (self.X, self.y, self.sample_weight))
        return list(dict.fromkeys(chain.from_iterable(names)))

    def __call__(self):
        names = self.X, self.y, self.sample_weight
        for batch in _batches(self.source, self.columns, self.n_rows):
            yield tuple(None if of is None else _columns(batch, of) for of in names)


def _as_list(names):
    """The names of some columns, as `from_parquet` takes them."""
    if names is None or isinstance(names, str):
        return [] if names is None else [names]
    if isinstance(names, (list, tuple)) and all(isinstance(of, str) for of in names):
        return names
    raise TypeError(
        f"from_parquet expects the names of columns, but this is {describe(names)}. "
        "Pass the name of a column, or a list of several."
    )


def _open(path):
    """Parquet files as a pyarrow Dataset."""
    if hasattr(path, "scanner"):
        return path
    try:
        return _dataset_module().dataset(path, format="parquet")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"There is no file or folder {str(error)!r}. For files that match a "
            "pattern, pass glob.glob(pattern)."
        ) from error


def _batches(source, columns, n_rows):
    """Yield rows of a Dataset, some at a time, without reading ahead."""
    options = {"batch_readahead": 0, "fragment_readahead": 0, "use_threads": False}
    if getattr(getattr(source, "format", None), "default_extname", None) == "parquet":
        # By default, all of a row group would be in memory.
        scan = {"use_buffered_stream": True, "pre_buffer": False}
        scan = _dataset_module().ParquetFragmentScanOptions(**scan)
        options["fragment_scan_options"] = scan
    for batch in source.to_batches(columns=columns, batch_size=n_rows, **options):
        if batch.num_rows:  # none is left of some row groups by a filter
            yield batch


def _columns(batch, names):
    """One column, or several as a table."""
    return batch[names] if isinstance(names, str) else batch.select(names)


def _dataset_module():
    try:
        with import_lock:
            from pyarrow import dataset
    except ImportError as error:
        raise ImportError(
            "from_parquet needs pyarrow. Install it by: pip install skrnn[parquet]"
        ) from error
    return dataset
