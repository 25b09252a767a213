"""Several processes, on one machine or on many: to fit one network, and to apply it."""

import sys
from contextlib import contextmanager
from functools import partial
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skrnn._core.group import group_of_processes
from skrnn._messages import describe

__all__ = ["data_parallel", "map_blocks"]


@contextmanager
@validate_params(
    {"timeout": [Interval(Real, 0, None, closed="neither")]},
    prefer_skip_nested_validation=True,
)
def data_parallel(*, timeout=1800.0):
    """Let all processes of a job train one network, each on sequences of its own.

    Inside this context, each `fit` and `partial_fit` of an estimator is one of all
    ranks, as torch calls the processes. Each rank passes its own X, y and
    `sample_weight`, or its own :class:`~skrnn.ChunkedDataset`, and validation data if
    there is any. The fit is that of a single process to which the data of all ranks are
    passed, one rank after the other, except for the rounding of sums. So `batch_size`
    is the number of sequences per update on all ranks together, and all ranks end with
    the same estimator.

    Each minibatch is cut into as many shards as there are ranks, of about equally many
    steps. Each rank computes the gradient of its shard; then the gradients are summed
    over the ranks (all-reduced), and each rank updates its weights by the sum [1]_.

    The script is started once per rank by ``torchrun``, which is part of torch [3]_.
    If ``torch.distributed`` is not initialised yet, it is here. Outside of `torchrun`,
    and of an initialised ``torch.distributed``, there is one process, and the context
    changes nothing.

    Ranks talk to each other by gloo. Gradients on GPUs are summed by nccl, if that is
    the backend of the default process group. Choose the GPU of each rank before, by
    ``torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))``, and use ``device="cuda"``.

    Parameters
    ----------
    timeout : float, default=1800.0
        How long a rank waits for the others, in seconds, before it gives up with an
        error. They read their data between two calls of `fit`, and wait while rank 0
        computes validation scores, and for the last one that has read its chunks.

    Yields
    ------
    ranks : object
        Its `rank` is the number of this process, from 0, and its `world_size` the
        number of all. ``ranks.own(items)`` is every `world_size`-th item of a sliceable
        container, from the `rank`-th on: a share for each rank.

    Raises
    ------
    RuntimeError
        On all ranks, if one raises an error, dies, does not answer in time, or leaves
        the context while another one still fits. The rank that raises an error keeps
        it; the others say which rank it was, and what it said.
    ValueError
        By `fit`, on all ranks, if they disagree on what to fit: on parameters other
        than `random_state`, `verbose`, `checkpoint` and `checkpoint_interval`, on the
        kind or the width of their sequences, or on whether X is a ChunkedDataset; or if
        a rank has a `checkpoint`, but rank 0 has none.

    See Also
    --------
    map_blocks : Apply a fitted estimator block by block, by many processes.
    skrnn.ChunkedDataset : Data that need not fit into memory.

    Notes
    -----
    It is a context, rather than done whenever ``torch.distributed`` is initialised,
    because a job may want to fit one estimator per rank, as in a search over
    parameters. Only the thread that enters it takes part; fits of other threads, and of
    workers that joblib starts, are fits of their own.

    - Random numbers are those of rank 0, whatever the `random_state` of the others.
    - Rank 0 computes the validation scores, and decides when to stop. Callbacks are
      called on all ranks, but only those of rank 0 can end a fit, and only rank 0
      prints what `verbose` asks for.
    - Rank 0 alone reads and writes checkpoints, in its `checkpoint` and after each
      `checkpoint_interval` of its own.
    - Ctrl-C on one rank interrupts all of them after the same update, and all keep the
      last complete epoch. A second Ctrl-C on that rank ends its fit at once, and those
      of the others with an error.
    - A minibatch may have fewer sequences than there are ranks: some have nothing to do
      then. A rank without any sequence raises an error, on all ranks.
    - A rank that has one chunk less for `partial_fit` than the others ends in an error
      on all ranks, not in a fit that waits for it.
    - X[3] in an error about what is learned from all sequences counts those of all
      ranks; in a ChunkedDataset, errors are about the chunks of the rank.

    Each rank has the sequences of all ranks in memory, as integers or float32: what is
    divided is the time, not the memory. For more data than that, each rank passes a
    :class:`~skrnn.ChunkedDataset` of files of its own:

    - It reads those alone, a buffer at a time. Tokens, n-grams, classes, weights, and
      means of y are those of all ranks, and so is the uniform sample of which the rest
      is learned; the first buffer of rank 0 decides what y is, and what ``"auto"``
      stands for. The size of the sample is the `buffer_size` of rank 0.
    - Each minibatch has `batch_size` sequences of all ranks, in proportion to the
      sequences of a weight above 0 that they have [2]_. So all ranks end an epoch
      after the same update. A rank that has none contributes nothing.
    - The order of the sequences of a rank is random within its buffer. It, and dropout,
      are not those of a single process that reads the same files.

    References
    ----------
    .. [1] Goyal et al. (2017), "Accurate, Large Minibatch SGD: Training ImageNet in 1
       Hour", arXiv:1706.02677.
    .. [2] Balinski and Young (2001), "Fair Representation: Meeting the Ideal of One
       Man, One Vote", Brookings. The method is that of Sainte-Laguë.
    .. [3] https://docs.pytorch.org/docs/stable/elastic/run.html

    Examples
    --------
    Saved as ``fit_names.py``, and started by ``torchrun --nproc-per-node 2
    fit_names.py``, this is a fit by two processes; started by ``python fit_names.py``,
    by one:

    >>> from skrnn import RNNClassifier
    >>> from skrnn.distributed import data_parallel
    >>> names = ["Rossi", "Novák", "Russo", "Horák", "Bianco", "Dvořák"] * 5
    >>> languages = ["Italian", "Czech"] * 15
    >>> with data_parallel() as ranks:
    ...     X, y = ranks.own(names), ranks.own(languages)
    ...     classifier = RNNClassifier(nhidden=16, random_state=0).fit(X, y)
    >>> if ranks.rank == 0:
    ...     print(classifier.predict(["Bianchi", "Sedlák"]))
    ['Italian' 'Czech']
    """
    with group_of_processes(timeout) as group:
        yield group


def map_blocks(method, blocks, *, column=None):
    """Apply a method of a fitted estimator to X block by block.

    Blocks are read one after the other, by this process or by the workers of dask. So
    neither X nor, if it is consumed block by block, the result need fit into memory.

    Parameters
    ----------
    method : callable
        A method that takes X, such as ``encoder.transform``, ``classifier.predict`` or
        ``pipeline.predict_proba``.
    blocks : dask Bag, dask Array, or iterable of blocks
        A bag of sequences; or an array whose first axis are the sequences, of shape
        (n_samples, n_steps) or (n_samples, n_steps, n_features); or an iterable of
        anything that the method takes, such as the record batches of an Arrow dataset
        or file.
    column : str, default=None
        The column that holds the sequences, if blocks are tables: Arrow record batches
        or frames. None if a block is an X.

    Returns
    -------
    results : dask Bag, dask Array, or iterator
        As `blocks`: a bag with the result for each sequence, an array whose first axis
        has the same chunks, or an iterator over the results of the blocks. Nothing is
        computed before it is asked for. Blocks without rows have no result.

    Raises
    ------
    TypeError
        If `method` is not callable; if `blocks` are a dask frame; if the results for a
        dask array are no arrays, as the tags of :class:`~skrnn.RNNTagger`; or if
        `column` is given for blocks that are no tables.
    ValueError
        If a table has no such column.

    See Also
    --------
    data_parallel : Fit one network by several processes.

    Notes
    -----
    A result does not depend on the other sequences, so neither does it on the blocks.
    Blocks of some thousands of sequences are best: each call has a cost of its own, and
    equal strings in a block are read once.

    Examples
    --------
    >>> from skrnn import RNNClassifier
    >>> from skrnn.distributed import map_blocks
    >>> classifier = RNNClassifier(nhidden=16, random_state=0)
    >>> classifier = classifier.fit(["cat", "act", "tact", "tac"] * 5, [1, 1, 1, 0] * 5)
    >>> blocks = (["cat"], ["tac", "tact"])  # or pyarrow.dataset(...).to_batches()
    >>> [y.tolist() for y in map_blocks(classifier.predict, blocks)]
    [[1], [0, 1]]
    """
    if not callable(method):
        raise TypeError(
            f"method is {describe(method)}: a method that takes X was expected, such "
            "as classifier.predict or encoder.transform."
        )
    if hasattr(blocks, "dask") and hasattr(blocks, "to_bag"):
        raise TypeError(
            "blocks are a dask frame, of which each block would be read as one X. Pass "
            "a column of strings as a bag, frame[column].to_bag(), or columns of "
            "numbers as an array, frame[columns].to_dask_array(lengths=True)."
        )
    if _is_of_dask(blocks, "bag", "Bag"):
        _refuse(column)
        return blocks.map_partitions(partial(_items_of, method))
    if _is_of_dask(blocks, "array", "Array"):
        _refuse(column)
        return _of_dask_array(method, blocks)
    if column is not None:
        blocks = (_column_of(block, column) for block in blocks)
    return (method(block) for block in blocks if len(block))


def _is_of_dask(blocks, module, name):
    """Whether these are of a class of dask, which has then been imported."""
    module = sys.modules.get(f"dask.{module}")
    return module is not None and isinstance(blocks, getattr(module, name))


def _refuse(column):
    if column is not None:
        raise TypeError(
            f"column={column!r} needs blocks that are tables, but these are dask's. "
            "Select the column before."
        )


def _column_of(block, column):
    """A column of a table."""
    if isinstance(block, (list, tuple, str)) or (
        isinstance(block, np.ndarray) and block.dtype.names is None
    ):
        raise TypeError(
            f"column={column!r} needs blocks that are tables, but a block is "
            f"{describe(block)}. Use column=None if each block is an X."
        )
    try:
        return block[column]
    except (KeyError, ValueError) as error:
        names = getattr(getattr(block, "schema", block), "names", None)
        names = list(getattr(block, "columns", ())) if names is None else names
        raise ValueError(
            f"A block has no column {column!r}: its columns are {names}."
        ) from error


def _results_of_array(method, sample, block):
    """The results for a block of an array, of which one is known as a sample."""
    return method(block) if len(block) else sample[:0]


def _items_of(method, items):
    """The results for the sequences of a partition of a bag."""
    items = list(items)
    return list(method(items)) if items else []


def _of_dask_array(method, X):
    """An array of the results; what one looks like is seen from that of a sequence."""
    sample = method(np.zeros((1, *X.shape[1:]), X.dtype))
    if not isinstance(sample, np.ndarray):
        raise TypeError(
            f"The results of {getattr(method, '__name__', method)} are no arrays but "
            f"{type(sample).__name__}s. Pass a dask Bag, such as "
            "dask.bag.from_sequence(X)."
        )
    whole = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
    return whole.map_blocks(
        partial(_results_of_array, method, sample),
        dtype=sample.dtype,
        chunks=(whole.chunks[0], *((n,) for n in sample.shape[1:])),
        drop_axis=list(range(1, X.ndim)),
        new_axis=list(range(1, sample.ndim)),
        meta=sample[:0],
    )
