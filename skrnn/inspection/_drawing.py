"""What displays share: matplotlib, axes, colours and labels."""

import numpy as np

# Colours that people with any colour vision tell apart, after Okabe and Ito (2008),
# "Color Universal Design", and grey for all others.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
GREY = "#B8B8B8"
# From negative to positive, white in the middle.
DIVERGING = "RdBu_r"
# Maximum number of labels along an axis.
_MAX_TICKS = 60
# Labels of more characters do not fit beside each other.
_SHORT = 3


def pyplot(caller):
    """The module matplotlib.pyplot.

    Parameters
    ----------
    caller : str
        What draws, for the error.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} draws with matplotlib, which is not installed. Install it with "
            "`pip install matplotlib`."
        ) from error
    return plt


def axes_or_new(caller, ax, figsize):
    """The axes to draw on: those that are given, or those of a new figure."""
    plt = pyplot(caller)
    if ax is not None:
        return ax
    _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax


def label_steps(axis, labels):
    """Label an axis of matplotlib from 0 by the tokens of steps, or by some of them."""
    every = -(-len(labels) // _MAX_TICKS)
    places, shown = np.arange(0, len(labels), every), labels[::every]
    n_long = sum(len(label) > _SHORT for label in shown)
    if n_long <= 1 or axis.axis_name == "y":  # one of them, as "start", does fit
        axis.set_ticks(places, shown)
    else:
        # The end of a word is below its place.
        of_words = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axis.set_ticks(places, shown, **of_words)
    axis.set_tick_params(length=0)


def without_frame(ax):
    """Leave out the lines above and to the right of axes."""
    ax.spines[["top", "right"]].set_visible(False)
