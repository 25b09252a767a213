"""What must be known of the training of a fit."""

import numpy as np

from skrnn._attributes.sizes import layout_of
from skrnn._continuing import is_generator_state
from skrnn._core.rules import RULES
from skrnn._expected import NUMBER, Entries, Is, Numbers, integer, is_number

OF_PROGRESS = {"loss_": NUMBER, "best_loss_": NUMBER, "n_iter_": integer(1)}


def of_curves(attributes):
    """A number for each epoch; after one that diverged, there is no score."""
    n = attributes["n_iter_"]
    of_loss = Is(
        lambda curve: _are_numbers(curve) and len(curve) == n, f"a list of {n} numbers"
    )
    if "validation_scores_" not in attributes:
        return {"loss_curve_": of_loss}
    of_validation = Is(_are_numbers, "a list of numbers")
    return {
        "loss_curve_": of_loss,
        "validation_scores_": of_validation,
        "validation_loss_curve_": of_validation,
        "best_validation_score_": NUMBER,
    }


def _are_numbers(value):
    return type(value) is list and all(map(is_number, value))


def of_training(attributes):
    """The state from which `partial_fit` continues."""
    layout, single = layout_of(attributes), np.dtype("f4")
    expected = {
        "generator": Is(is_generator_state, "the state of a torch.Generator"),
        "n_steps": integer(1),
    }
    for name in RULES["adam"].moment_names:
        least = 0 if name == "square" else None
        expected[name] = Numbers((layout.n_weights,), single, least)
        if "embeddings_" in attributes:
            shape = attributes["embeddings_"].shape
            expected[f"vectors_{name}"] = Numbers(
                shape, single, least, is_optional=True
            )
    if "wide_coef_" in attributes:
        shape = attributes["wide_coef_"].shape[::-1]
        expected["wide_square"] = Numbers(shape, single, 0)
    return {"_training": Entries(expected, is_optional=True)}
