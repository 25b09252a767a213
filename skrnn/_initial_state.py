"""What a fit has read, and the weights from which training begins."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core import network
from skrnn._core.layout import Layout
from skrnn._core.packing import pack
from skrnn._core.samples import Samples
from skrnn._core.training_state import TrainingState
from skrnn._core.vocabulary import UNKNOWN
from skrnn._core.weights import initialise, zeros
from skrnn._heads.head import Head
from skrnn._parameters import Settings
from skrnn._reading.inputs import Inputs
from skrnn._reading.series import SeriesReader
from skrnn._reading.tokens import TokenReader
from skrnn._reading.vectors import VectorReader
from skrnn._warnings import warn

# The number of sequences to which filters are scaled in the beginning.
_TO_CALIBRATE = 64
# Half a gigabyte during a fit: more than Python, torch and scikit-learn take.
_MANY_WEIGHTS = 2**25
# The weight, its two moments, and its value before the current epoch, in float32.
_BYTES_PER_WEIGHT = 4 * 4


@dataclass(frozen=True, slots=True)
class Read:
    """What a fit has read, and how.

    Attributes
    ----------
    reader : TokenReader or SeriesReader
    head : Head
    settings : Settings
        With the architecture for these data.
    inputs : Inputs
    samples : Samples
        As the network reads them.
    vector_reader : VectorReader or None
        How the vectors are read on which the sequences depend, if there are any.
    """

    reader: TokenReader | SeriesReader
    head: Head
    settings: Settings
    inputs: Inputs
    samples: Samples
    vector_reader: VectorReader | None


def initial_state(read, last, execution, generator):
    """The state from which training begins.

    Parameters
    ----------
    read : Read
    last : LastFit or None
        The fit to continue from.
    execution : Execution
    generator : torch.Generator

    Returns
    -------
    state : TrainingState
    """
    head, inputs = read.head, read.inputs
    n_features = 0
    if read.vector_reader is not None:
        n_features = read.samples.context.n_features
    layout = _layout(read.settings, inputs.n_inputs, head, n_features)
    weights = _initial_weights(layout, inputs, head, execution, generator)
    wide = _initial_wide(read.reader, head, execution)
    if last is not None:
        last.load_weights(weights, head, wide)
    moments = None if last is None else last.moments(generator, inputs.ids)
    return TrainingState(weights, generator, inputs.embeddings, moments, wide)


def _layout(settings, n_inputs, head, n_features=0):
    """The weights that a network has, by name and shape."""
    architecture = settings.architecture
    if head.per_step:
        architecture = replace(architecture, pooling="none")
    has_transitions = head.has_transitions
    return Layout(architecture, n_inputs, head.n_outputs, has_transitions, n_features)


def _initial_weights(layout, inputs, head, execution, generator):
    """Random weights."""
    weights = zeros(layout, execution=execution)
    initialise(weights, inputs.are_tokens, generator, inputs.scale)
    weights.c.view(-1, head.n_outputs).copy_(execution.tensor(head.bias))
    if weights.filters:
        _calibrate(weights, inputs.steps)
    if inputs.steps.is_padded:
        for layer in weights.layers[0]:
            layer.U[UNKNOWN] = 0.0
    return weights


def _calibrate(weights, steps):
    """Scale filters to some of the sequences, which are spread over all of them."""
    n = len(steps.lengths)
    chosen = np.unique(np.linspace(0, n - 1, min(n, _TO_CALIBRATE)).astype(np.int64))
    (packing,) = pack(steps.offsets[chosen], steps.lengths[chosen])
    network.calibrate(weights, steps.values[packing.rows], packing)


def _initial_wide(reader, head, execution):
    """The weights of the wide path, which are 0 at first; None without one."""
    if reader.wide is None:
        return None
    return execution.zeros((reader.wide.n_columns, head.n_outputs))


def warn_of_vocabulary(reader, steps, settings, head):
    """Warn if most of the memory is for the tokens of a vocabulary without a limit.

    The user has limited it, or has given it; or the default has limited it.
    """
    options = settings.reading
    if (
        reader.kind == "series"
        or any(each is not None for each in (options.vocabulary, options.embeddings))
        or options.max_features is not None
        or (reader.grams is not None and options.ngram_range == "auto")
    ):
        return
    layout = _layout(settings, reader.n_ids, head)
    without = replace(layout, n_inputs=0)
    if head.per_step:  # which has an output for each token
        without = replace(without, n_outputs=0)
    n_weights = layout.n_weights
    of_tokens = n_weights - without.n_weights
    if of_tokens < max(_MANY_WEIGHTS, n_weights / 2):
        return
    n_rare = int((np.bincount(steps.values.reshape(-1)) == 1).sum())
    what = "tokens" if reader.grams is None else "tokens and n-grams"
    if reader.subwords is not None:
        what += f" and {len(reader.subwords):,} subwords"
    warn(
        f"The vocabulary has {len(reader.vocabulary):,} {what}, of which {n_rare:,} "
        f"occur only once in X. {of_tokens:,} of {n_weights:,} weights are for them, "
        f"and take about {of_tokens * _BYTES_PER_WEIGHT / 1e9:.1f} GB during the fit. "
        f"Increase min_df (now {options.min_df!r}) to leave out rare ones, or set "
        "max_features to keep only the most frequent ones.",
        UserWarning,
    )
