"""What the attributes of readers and writers of series must be."""

import numpy as np

from skrnn._expected import Is, Numbers, integer

OF_SERIES = {"mean_": Numbers((None,), np.dtype("f8")), "patch_length_": integer(1)}


def of_scales(attributes):
    """Scales, given the means."""
    n_features, reading = len(attributes["mean_"]), attributes["_reading"]
    architecture = attributes["_architecture"]
    is_table = "n_features_in_" in attributes
    tiny = np.finfo(np.float64).smallest_subnormal
    own = 2 if np.size(attributes.get("own_mean_", ())) else 0, n_features
    expected = {
        "scale_": Numbers((n_features,), np.dtype("f8"), tiny),
        "own_mean_": Numbers(own, np.dtype("f8"), is_optional=True),
        "own_scale_": Numbers(own, np.dtype("f8"), tiny, is_optional=True),
        "difference_scale_": Numbers(
            (reading["differences"], n_features), np.dtype("f8"), tiny
        ),
    }
    if reading["patch_length"] != "auto":
        expected["patch_length_"] = integer(1, reading["patch_length"])
    if architecture.get("kernel_sizes"):
        stride = architecture["stride"]
        expected["patch_length_"] = integer(stride, stride)
    if reading["columns"] is not None:
        expected["_reading"] = Is(
            lambda reading: len(reading["columns"]) == n_features,
            f"a dict with {n_features} columns",
        )
    if is_table or "feature_names_in_" in attributes:
        n_steps = reading["shortest"]
        expected["n_features_in_"] = integer(n_steps, n_steps)
        expected["mean_"] = Numbers((1,), np.dtype("f8"))
        expected["feature_names_in_"] = Is(
            lambda names: are_names(names, n_steps),
            f"an array of {n_steps} strings",
            is_optional=True,
        )
    return expected


def of_targets(attributes):
    """Means and scales of series that are predicted."""
    n, columns = None, attributes["_reading"]["columns"]
    n = n if columns is None else len(columns)
    if isinstance(attributes.get("target_mean_"), np.ndarray):
        n = n or attributes["target_mean_"].size or None
    tiny = np.finfo(np.float64).smallest_subnormal
    return {
        "target_mean_": Numbers((n,), np.dtype("f8")),
        "target_scale_": Numbers((n,), np.dtype("f8"), tiny),
        "_is_one_output": Is(
            lambda value: type(value) is bool and (n == 1 or not value),
            "True or False" if n == 1 else "False",
        ),
    }


def are_names(names, n):
    is_array = isinstance(names, np.ndarray) and names.shape == (n,)
    return is_array and all(isinstance(each, str) for each in names.tolist())
