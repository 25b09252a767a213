"""What the architecture and the weights of a network must be."""

from dataclasses import fields, replace
from typing import get_args

import numpy as np

from skrnn._attributes.numbers import are_names
from skrnn._attributes.sizes import layout_of, task_of
from skrnn._core.architecture import CONDITIONS, Architecture, AttentionName
from skrnn._core.cells import ActivationName, CellName, RecurrenceName
from skrnn._core.pooling import PoolingName
from skrnn._core.public import shapes_of
from skrnn._expected import FLAG, Entries, Is, Items, Numbers, integer, is_count, one_of


def _are_sizes(value):
    return type(value) is tuple and len(value) > 0 and all(map(is_count, value))


def _are_kernel_sizes(value):
    return type(value) is tuple and all(map(_are_sizes, value))


OF_NETWORK = {
    "_architecture": Entries(
        {
            "nhidden": Is(_are_sizes, "a tuple of integers from 1"),
            "cell": one_of(get_args(CellName)),
            "activation": one_of(get_args(ActivationName)),
            "recurrence": one_of(get_args(RecurrenceName)),
            "bidirectional": FLAG,
            "pooling": one_of(get_args(PoolingName)),
            "kernel_sizes": Is(
                _are_kernel_sizes, "a tuple of tuples of integers", is_optional=True
            ),
            "n_filters": replace(integer(0), is_optional=True),
            "stride": replace(integer(1), is_optional=True),
            "decoder": Is(
                lambda value: value == () or _are_sizes(value),
                "a tuple of integers from 1",
                is_optional=True,
            ),
            "attention": Is(
                lambda value: value is None or value in get_args(AttentionName),
                "the name of an attention or None",
                is_optional=True,
            ),
            "n_frames": replace(integer(0), is_optional=True),
            "condition": replace(one_of(CONDITIONS), is_optional=True),
        }
    )
}


def is_architecture(values):
    if values.get("attention") is not None and not values.get("decoder"):
        return False
    plain = {field.name: field.default for field in fields(Architecture)}
    names = ("activation", "recurrence")
    if values["cell"] != "rnn" and any(values[each] != plain[each] for each in names):
        return False
    sizes, n = values.get("kernel_sizes", ()), values.get("n_filters", 0)
    if not sizes:
        return n == 0 and values.get("stride", 1) == 1
    return n >= max(map(len, sizes))


def is_without_filters(values):
    """Kernels do not check it: they would read numbers that are none, or too few."""
    return not values.get("kernel_sizes")


def of_decoder(attributes):
    """A network has a decoder, or frames, if it writes sequences."""
    writes = task_of(attributes) == "transduction"
    return Is(
        lambda values: (
            bool(values.get("decoder")) + bool(values.get("n_frames")) == writes
        ),
        f"a network with {'either' if writes else 'neither'} a decoder "
        f"{'or' if writes else 'nor'} frames",
    )


def of_context(attributes, says_of_y):
    """The vectors on which sequences depend, if the estimator has any."""
    how = attributes["_architecture"].get("condition", "none")
    if (how != "none") != (says_of_y == "max_length_"):
        what = Is(lambda values: False, "a network that this estimator can have")
        return {"_architecture": what}
    if how == "none":
        return {}
    n = attributes.get("n_features_in_")
    n, tiny = n if is_count(n) else None, np.finfo(np.float64).smallest_subnormal
    return {
        "n_features_in_": integer(1),
        "feature_names_in_": Is(
            lambda names: are_names(names, n),
            f"an array of {n} strings",
            is_optional=True,
        ),
        "mean_": Numbers((n,), np.dtype("f8")),
        "scale_": Numbers((n,), np.dtype("f8"), tiny),
    }


def of_weights(attributes):
    """All weights, including those of a pooling that had no part in training."""
    layout = layout_of(attributes)
    architecture = Architecture(**attributes["_architecture"])
    shapes = shapes_of(replace(layout, architecture=architecture))
    shapes["V_"] = shapes_of(layout)["V_"]
    return {
        name: Items(list(map(Numbers, shape)))
        if isinstance(shape, list)
        else Numbers(shape)
        for name, shape in shapes.items()
    }
