"""What follows from attributes: what is predicted, and the sizes of the network."""

from dataclasses import replace

import numpy as np

from skrnn._core.architecture import Architecture
from skrnn._core.layout import Layout
from skrnn._core.vocabulary import n_ids
from skrnn._reading.schema import are_targets


def task_of(attributes):
    """What is predicted."""
    if "task_" in attributes:
        return attributes["task_"]
    if "learns_end_" in attributes or "max_length_" in attributes:
        return "next_step"
    if "output_kind_" in attributes:
        return "transduction"
    if "_is_multilabel" in attributes:
        return "multilabel" if attributes["_is_multilabel"] else "classification"
    return "regression"


def n_inputs_of(attributes):
    """The length of x."""
    if "embeddings_" in attributes:
        return attributes["embeddings_"].shape[1]
    if attributes["kind_"] != "series":
        ngram_range = attributes.get("_grams", {}).get("ngram_range", (1, 1))
        known, subwords = attributes["vocabulary_"], attributes.get("subwords_")
        return n_ids(known, ngram_range, subwords)
    if are_targets(attributes):  # beside each number of y, whether this is the start
        return len(attributes["target_mean_"]) + 1
    n_features, order = len(attributes["mean_"]), len(attributes["difference_scale_"])
    n_marks = 1 if attributes["_reading"]["missing"] == "mask" else 0
    n_own = 3 + order if np.size(attributes.get("own_mean_", ())) else 0
    # Convolutions read one step after the other.
    averages = attributes["_architecture"].get("kernel_sizes")
    n_steps = 1 if averages else attributes["patch_length_"]
    return n_steps * n_features * (1 + n_marks + order + n_own)


def n_outputs_of(attributes):
    """The number of scores."""
    task = task_of(attributes)
    if task == "transduction":
        return 1 + len(attributes["output_vocabulary_"])
    if task == "next_step":
        return len(attributes["V_"])
    return len(attributes["target_mean_" if task == "regression" else "classes_"])


def layout_of(attributes):
    """Names and shapes of the weights that were trained."""
    architecture = Architecture(**attributes["_architecture"])
    if task_of(attributes) in ("next_step", "tagging"):
        architecture = replace(architecture, pooling="none")
    has_transitions = task_of(attributes) == "tagging" and "transitions_" in attributes
    n_features = 0
    if architecture.condition != "none":
        n_features = attributes["n_features_in_"]
    numbers = n_inputs_of(attributes), n_outputs_of(attributes)
    return Layout(architecture, *numbers, has_transitions, n_features)
