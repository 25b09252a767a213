"""What the ranks of a group have read, put together.

Each rank reads and validates its own X, y and sample_weight, and then goes on with
those of all ranks, in the order of the ranks. So all ranks learn the same vocabulary,
hold out the same sequences and draw the same random numbers as a single process would
that was given everything. Sequences are the one thing that is in the memory of every
rank; what ranks share is the work, once it is known what each step is. (Chunks stay
with the rank that reads them: see :mod:`skrnn._first_pass`.)
"""

from dataclasses import replace

import numpy as np

from skrnn._core.context import Context
from skrnn._core.sequences import Sequences
from skrnn._core.sparse_rows import SparseRows
from skrnn._digest import digest
from skrnn._reading.kinds import KIND_NAMES
from skrnn._version import __version__

# Parameters that may differ between ranks, because rank 0 draws the random numbers,
# prints, and writes checkpoints.
_OWN = ("random_state", "verbose", "checkpoint", "checkpoint_interval")
_KINDS_OF_DTYPES = {"U": "strings", "O": "objects", "b": "numbers", "i": "numbers"}
_KINDS_OF_DTYPES |= {"u": "numbers", "f": "numbers"}


def check_agreement(group, settings, last, classes, has_validation, is_chunked):
    """Raise on all ranks unless all of them are about to do the same fit.

    Parameters
    ----------
    group : Alone or Group
    settings : Settings
    last : LastFit or None
    classes : array-like or None
        As the user passed them to `partial_fit`.
    has_validation : bool
    is_chunked : bool
        Whether X is a ChunkedDataset.

    Raises
    ------
    ValueError
        If ranks differ in their version, estimator, method, parameters, classes or last
        fit, or in whether they have validation data or a ChunkedDataset; or if a rank
        has a checkpoint, but rank 0 has none.
    """
    if group.world_size == 1:
        return
    given = {
        "The version of skrnn": __version__,
        "The estimator": settings.estimator_name,
        "The method": "partial_fit" if settings.is_partial else "fit",
        **{k: v for k, v in settings.parameters.items() if k not in _OWN},
        "classes": classes,
        "Whether X_val is provided": has_validation,
        "Whether X is a ChunkedDataset": is_chunked,
    }
    shown = {name: f"{value!r:.60}" for name, value in given.items()}
    if last is not None:
        # Beside the encoder, which repeats the weights.
        given["last"] = {k: v for k, v in last.attributes.items() if k != "encoder_"}
    shown["last"] = "that of a new fit" if last is None else "another one"
    names = {name: _name_of(value) for name, value in given.items()}
    of_ranks = group.gather((names, shown))
    _check_checkpoints(group.gather(settings["checkpoint"]))
    for name in shown:
        digests = [digests.get(name) for digests, _ in of_ranks]
        rank = next((i for i, each in enumerate(digests) if each != digests[0]), 0)
        if rank == 0:
            continue
        if name == "last":
            raise ValueError(
                f"Ranks 0 and {rank} are to continue from different fits. Fit on all "
                "ranks before, or load the same file on all of them."
            )
        values = [shown[name] for _, shown in of_ranks]
        raise ValueError(
            f"{name} is {values[0]} on rank 0, but {values[rank]} on rank {rank}. All "
            "ranks must train the same estimator in the same order; only "
            f"{', '.join(_OWN[:-1])} and {_OWN[-1]} may differ, of which those of rank "
            "0 count."
        )


def _check_checkpoints(folders):
    """Raise on all ranks if some have a checkpoint, but rank 0 has none."""
    rank = next((i for i, each in enumerate(folders) if each is not None), 0)
    if rank > 0:
        raise ValueError(
            f"checkpoint is {str(folders[rank])!r} on rank {rank}, but None on rank 0, "
            "which alone reads and writes it. Set it on rank 0."
        )


def _name_of(value):
    """The digest of a parameter; of functions, and objects that have none, a name."""
    try:
        return digest(getattr(value, "__qualname__", value))
    except ValueError:
        return type(value).__name__


def gather_schemas(group, kept, schema, is_new):
    """What any X must be like, after the X of all ranks.

    Parameters
    ----------
    group : Alone or Group
    kept : dict
        Attributes that describe X.
    schema : Schema
    is_new : bool
        Whether this is no continued fit, whose schema stays as it is.

    Returns
    -------
    kept : dict
    schema : Schema
    """
    if group.world_size == 1:
        return kept, schema
    options = schema.options  # which may hold functions that cannot be sent
    sent = {name: value for name, value in kept.items() if name != "_reading"}
    of_ranks = group.gather((sent, replace(schema, options=None)))
    all_kept, schemas = zip(*of_ranks, strict=True)
    if "max_length_" in kept:
        kept["max_length_"] = max(each["max_length_"] for each in all_kept)
        if len({each.get("n_steps_") for each in all_kept}) > 1:
            kept.pop("n_steps_", None)
    if not is_new:
        return kept, schema
    _check_schemas(schemas, all_kept)
    n_steps = set(_each(schemas, "n_steps"))
    schema = replace(
        schemas[0],
        options=options,
        shortest=min(_each(schemas, "shortest")),
        n_steps=n_steps.pop() if len(n_steps) == 1 else None,
        has_integers=any(_each(schemas, "has_integers")),
    )
    if not schema.is_target and schema.n_steps is None:
        kept.pop("n_features_in_", None)
    return kept | schema.attributes(), schema


def _check_schemas(schemas, all_kept):
    """Raise unless the sequences of all ranks are of the same kind."""
    is_target = schemas[0].is_target
    where = "y" if is_target else "X"
    kinds = [f"{KIND_NAMES[s.kind]}, read as {s.kind}," for s in schemas]
    are_strings = {schema.kind for schema in schemas} == {"text", "words"}
    cure = "Set analyzer." if are_strings else "Pass the same kind on all ranks."
    check_same(f"{where} holds", kinds, cure)
    cure = "Pass sequences with the same features on all ranks."
    check_same(f"{where} has features named", _each(schemas, "columns"), cure)
    names = [_as_list(each.get("feature_names_in_")) for each in all_kept]
    check_same("X has columns named", names, cure)
    n_features = _each(schemas, "n_features")
    check_same(f"The number of features of {where} is", n_features, cure)
    if is_target:
        n_features = [each.get("n_features_in_") for each in all_kept]
        check_same("The number of features of X is", n_features, cure)
        cure = "Pass series with the same number of dimensions on all ranks."
        check_same("That series are flat is", _each(schemas, "is_flat"), cure)


def _each(schemas, name):
    return [getattr(schema, name) for schema in schemas]


def _as_list(names):
    return None if names is None else names.tolist()


def gather_samples(group, sequences, y, weight, context=None):
    """The sequences of all ranks, with their targets, weights and vectors.

    Parameters
    ----------
    group : Alone or Group
    sequences : Sequences
    y : ndarray, Sequences or None
        Validated: an entry per sequence, or per step.
    weight : ndarray
        Of the same length.
    context : Context, default=None

    Returns
    -------
    sequences, y, weight, context
    """
    if group.world_size == 1:
        return sequences, y, weight, context
    of_ranks = group.gather((sequences, y, weight, context))
    parts = zip(*of_ranks, strict=True)
    return tuple(map(_joined, ("X", "y", "sample_weight", "X"), parts))


def _joined(name, parts):
    """One for all ranks, of whatever class."""
    are_given = [part is not None for part in parts]
    if not any(are_given):
        return None
    check_same(f"That {name} is given is", are_given, "Pass it on all ranks, or none.")
    if isinstance(parts[0], Sequences):
        return _joined_sequences(name, parts)
    if isinstance(parts[0], Context):
        return _joined_contexts(name, parts)
    kinds = [_KINDS_OF_DTYPES.get(part.dtype.kind, str(part.dtype)) for part in parts]
    if "objects" in kinds:  # strings, of whatever lengths
        parts = [part.astype(object) for part in parts]
        kinds = ["objects" if kind == "strings" else kind for kind in kinds]
    check_same(f"{name} holds", kinds, "Pass labels of one type on all ranks.")
    shapes = [part.shape[1:] for part in parts]
    check_same(f"The shape of an item of {name} is", shapes, "Pass the same columns.")
    return np.concatenate(parts)


def _joined_sequences(name, parts):
    kinds = [KIND_NAMES[part.kind] for part in parts]
    check_same(f"{name} holds", kinds, "Pass the same kind on all ranks.")
    if parts[0].tokens is None:
        values, tokens = [part.values for part in parts], None
    else:
        number_of = {}
        for part in parts:
            for token in part.tokens:
                number_of.setdefault(token, len(number_of))
        of_parts = [[number_of[token] for token in part.tokens] for part in parts]
        values = [
            np.array(numbers, part.values.dtype)[part.values]
            for numbers, part in zip(of_parts, parts, strict=True)
        ]
        tokens = list(number_of)
    offsets = _joined_offsets(parts)
    return Sequences(parts[0].kind, np.concatenate(values), offsets, tokens)


def _joined_contexts(name, parts):
    rows = [part.rows for part in parts]
    are_sparse = [isinstance(each, SparseRows) for each in rows]
    cure = "Pass sparse matrices on all ranks, or on none."
    check_same(f"That {name} is sparse is", are_sparse, cure)
    joined = {
        field: np.concatenate([getattr(each, field) for each in rows])
        for field in rows[0]._fields
    }
    if are_sparse[0]:
        joined["offsets"] = _joined_offsets(rows)
    return replace(parts[0], rows=type(rows[0])(**joined))


def _joined_offsets(parts):
    lengths = [np.diff(part.offsets) for part in parts]
    return np.append(0, np.cumsum(np.concatenate(lengths), dtype=np.int64))


def check_same(what, values, cure):
    """Raise on all ranks, all of which know the values of all."""
    for rank, value in enumerate(values):
        if value != values[0]:
            raise ValueError(
                f"{what} {values[0]} on rank 0, but {value} on rank {rank}. {cure}"
            )
