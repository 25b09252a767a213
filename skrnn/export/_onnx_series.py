"""How a graph of ONNX reads numbers: as SeriesReader does, step by step.

Values of a batch are of shape (n_series, n_steps, n_features); those behind the end of
a series have no effect. Types are those of Python: what is float64 there is so here.
"""

import numpy as np

from skrnn._core.minirocket import PATTERNS, SIZE
from skrnn._reading.series import FARTHEST
from skrnn._reading.wide_series import FARTHEST as FARTHEST_OF_WIDE
from skrnn.export._onnx_chain import steps_of
from skrnn.export._onnx_graph import Graph
from skrnn.export._onnx_network import is_step

_FLOAT, _DOUBLE = np.float32, np.float64
_LARGEST = np.finfo(_FLOAT).max


def read_series(graph, x, lengths, reader):
    """What the network reads of series of numbers.

    Parameters
    ----------
    graph : Graph
    x : str
        float64.
    lengths : str
    reader : SeriesReader

    Returns
    -------
    values, lengths : str
        float32; with patches, there are fewer steps.
    given : tuple (values, lengths) of str
        What the wide path reads.
    """
    mean, scale = reader.mean.astype(_DOUBLE), reader.scale.astype(_DOUBLE)
    standardised = graph("Div", graph("Sub", x, mean), scale)
    standardised = graph.cast(standardised, _FLOAT)
    is_missing = graph("IsNaN", standardised)
    given, parts = standardised, []
    if reader.missing == "mask":
        given = _filled(graph, standardised)
        parts.append(graph.cast(is_missing, _FLOAT))
    parts.insert(0, given)
    differences = _differences(graph, given, reader.difference_scale)
    parts += differences
    if len(reader.own_mean):
        parts += _by_series(graph, x, standardised, given, differences, lengths, reader)
    values = graph("Concat", *parts, axis=2)
    if reader.kernel_sizes or reader.patch_length == 1:
        return values, lengths, (given, lengths)
    values, n_patches = _patches(graph, values, lengths, reader.patch_length)
    of_wide = _unpatched(graph, values, n_patches, reader)
    return values, n_patches, of_wide


def _filled(graph, values):
    """Values with the last one before them in place of NaN, 0 if there is none."""
    step, shape = Graph("step_"), ["n_series", "n_features"]
    before, value = (step.input(name, _FLOAT, shape) for name in ("before", "value"))
    filled = step("Where", step("IsNaN", value), before, value)
    step.output("after", filled, _FLOAT, shape)
    step.output("filled", filled, _FLOAT, shape)
    shape = graph("Shape", graph("Gather", values, 0, axis=1))
    zeros = graph("Expand", _FLOAT(0), shape)
    return graph.scan(step, zeros, values)


def _differences(graph, values, scales):
    """Differences of each order, divided by their scales.

    Those of order n are 0 in the first n steps.
    """
    differences = []
    steps = graph("Unsqueeze", steps_of(graph, values), [1])
    for n, scale in enumerate(scales.astype(_DOUBLE), start=1):
        before = graph("Slice", values, [0], [-1], [1])
        before = graph("Pad", before, [0, 1, 0, 0, 0, 0])
        values = _clipped(graph, graph("Sub", values, before), _LARGEST)
        is_later = graph("GreaterOrEqual", steps, n)
        values = graph("Where", is_later, values, _FLOAT(0))
        part = graph("Div", graph.cast(values, _DOUBLE), scale)
        differences.append(_as_float32(graph, part))
    return differences


def _clipped(graph, values, most):
    return graph("Clip", values, -most, most)


def _as_float32(graph, values):
    """Values of float64 as float32, not infinite."""
    return graph.cast(_clipped(graph, values, _DOUBLE(_LARGEST)), _FLOAT)


def _in_units_of_each(graph, x, standardised, lengths, reader):
    """How each series is standardised by itself.

    Parameters
    ----------
    graph : Graph
    x, standardised : str
        float64 and float32, NaN where a number is missing.
    lengths : str
    reader : SeriesReader

    Returns
    -------
    level, scale : str
        float64, of shape (n_series, 1, n_features). The scale of a constant series
        is 1.
    both : str
        The level and the logarithm of the scale of each series, at each step.
    """
    inside = graph("Unsqueeze", is_step(graph, x, lengths), [2])
    seen = graph("And", inside, graph("Not", graph("IsNaN", standardised)))
    part = graph("Where", seen, graph.cast(standardised, _DOUBLE), _DOUBLE(0))
    given = graph("Where", seen, x, _DOUBLE(0))
    n_seen = graph("ReduceSum", graph.cast(seen, _DOUBLE), [1])
    n_seen = graph("Max", n_seen, _DOUBLE(1))
    largest, largest_given = (
        graph("ReduceMax", graph("Abs", each), [1]) for each in (part, given)
    )
    unit = np.finfo(_DOUBLE).eps / reader.scale.astype(_DOUBLE)
    noise = graph("Mul", largest, _DOUBLE(np.finfo(_FLOAT).eps))
    noise = graph("Add", noise, graph("Mul", largest_given, unit))
    level = graph("Div", graph("ReduceSum", part, [1]), n_seen)
    part = graph("Where", seen, graph("Sub", part, level), _DOUBLE(0))
    square = graph("ReduceSum", graph("Mul", part, part), [1])
    scale = graph("Sqrt", graph("Div", square, n_seen))
    is_constant = graph("LessOrEqual", scale, noise)
    scale = graph("Where", is_constant, _DOUBLE(1), scale)
    mean, spread = (a.astype(_DOUBLE) for a in (reader.own_mean, reader.own_scale))
    both = [
        _clipped(graph, graph("Div", graph("Sub", each, m), s), _DOUBLE(FARTHEST))
        for each, m, s in zip([level, graph("Log", scale)], mean, spread, strict=True)
    ]
    both[1] = graph("Where", is_constant, _DOUBLE(-FARTHEST), both[1])
    both = graph.cast(graph("Concat", *both, axis=2), _FLOAT)
    n_steps = graph("Gather", graph("Shape", x), [1])
    shape = graph("Concat", [1], n_steps, [1], axis=0)
    return level, scale, graph("Expand", both, shape)


def _by_series(graph, x, standardised, given, differences, lengths, reader):
    """Numbers and differences, standardised by series; its level and log scale.

    Parameters
    ----------
    graph : Graph
    x, standardised, given : str
        As they are, with what is missing; `given` without.
    differences : list of str
    lengths : str
    reader : SeriesReader
    """
    level, scale, both = _in_units_of_each(graph, x, standardised, lengths, reader)
    own = graph("Div", graph("Sub", graph.cast(given, _DOUBLE), level), scale)
    own = _as_float32(graph, own)
    if reader.missing == "mask":  # before the first number, the level of the series
        is_missing = graph("IsNaN", standardised)
        own = _filled(graph, graph("Where", is_missing, _FLOAT(np.nan), own))
    parts = [own]
    for each in differences:
        each = graph("Div", graph.cast(each, _DOUBLE), scale)
        parts.append(_as_float32(graph, each))
    return [*parts, both]


def _patches(graph, values, lengths, size):
    """The numbers of several steps, side by side; see `patches` of series.

    Returns
    -------
    patches : str
        Of shape (n_series, n_patches, size * width).
    n_patches : str
        Of each series.
    """
    shape = graph("Shape", values)
    n_steps, width = (graph("Gather", shape, [axis]) for axis in (1, 2))
    n_patches = graph("Div", graph("Add", lengths, size - 1), size)
    most = graph("Div", graph("Add", n_steps, size - 1), size)
    n_rows = graph("Squeeze", graph("Mul", most, size), [0])
    rows = graph("Range", 0, n_rows, 1)
    before = graph("Sub", lengths, graph("Mul", n_patches, size))  # 0 or less
    rows = graph("Add", rows, graph("Unsqueeze", before, [1]))
    rows = graph("Max", rows, 0)
    rows = graph("Min", rows, graph("Sub", n_steps, 1))  # those behind the end
    patches = graph("GatherND", values, graph("Unsqueeze", rows, [2]), batch_dims=1)
    width = graph("Mul", width, size)
    shape = graph("Concat", [0], most, width, axis=0)
    return graph("Reshape", patches, shape), n_patches


def _unpatched(graph, values, n_patches, reader):
    """The numbers themselves of the steps of patches, and how many steps there are."""
    size, n_features = reader.patch_length, len(reader.mean)
    shape = graph("Shape", values)
    n_steps = graph("Mul", graph("Gather", shape, [1]), size)
    width = graph("Div", graph("Gather", shape, [2]), size)
    shape = graph("Concat", [0], n_steps, width, axis=0)
    values = graph("Reshape", values, shape)
    values = graph("Slice", values, [0], [n_features], [2])
    return values, graph("Mul", n_patches, size)


def read_wide(graph, values, lengths, wide):
    """The standardised features of series; see :mod:`skrnn._core.minirocket`.

    Parameters
    ----------
    graph : Graph
    values, lengths : str
    wide : WideSeriesReader

    Returns
    -------
    features : str
        float32, of shape (n_series, n_features).
    """
    n_features, n_pairs = wide.n_columns, len(PATTERNS) * len(wide.dilations)
    biases = np.full(-(-n_features // n_pairs) * n_pairs, np.inf, _FLOAT)
    biases[:n_features] = wide.biases
    biases = biases.reshape(-1, len(wide.dilations), len(PATTERNS))
    inside = is_step(graph, values, lengths)
    values = graph("Where", graph("Unsqueeze", inside, [2]), values, _FLOAT(0))
    shares = []
    for d, dilation in enumerate(wide.dilations.tolist()):
        C = _likeness(graph, values, wide.is_read[d], dilation)
        counts, n_counted = _counted(graph, inside, lengths, dilation)
        above = graph(
            "Greater", graph("Unsqueeze", C, [1]), biases[:, d, :, np.newaxis]
        )
        above = graph("And", above, graph("Unsqueeze", counts, [1]))
        n_above = graph("ReduceSum", graph.cast(above, _FLOAT), [3], keepdims=0)
        share = graph("Div", n_above, graph("Unsqueeze", n_counted, [1]))
        shares.append(graph("Unsqueeze", share, [2]))
    features = graph("Reshape", graph("Concat", *shares, axis=2), [0, biases.size])
    features = graph("Slice", features, [0], [n_features], [1])
    features = graph("Sub", features, wide.mean.astype(_FLOAT))
    features = graph("Div", features, wide.scale.astype(_FLOAT))
    features = _clipped(graph, features, _FLOAT(FARTHEST_OF_WIDE))
    return graph("Div", features, np.sqrt(_FLOAT(n_features)))


def _likeness(graph, values, is_read, dilation):
    """C of all patterns, of shape (n_series, n_patterns, n_steps).

    Sums are in the order of Python, since biases may be close.
    """
    z = None
    for c in range(is_read.shape[1]):  # 0 is added where a number is not read
        number = graph("Slice", values, [c], [c + 1], [2])
        number = graph("Mul", number, is_read[:, c].astype(_FLOAT))
        z = number if z is None else graph("Add", z, number)
    z = graph("Transpose", z, perm=[0, 2, 1])
    margin = SIZE // 2 * dilation
    padded = graph("Pad", z, [0, 0, margin, 0, 0, margin])
    end = graph("Gather", graph("Shape", z), [2])
    parts = []
    for j in range(SIZE):
        first = j * dilation
        parts.append(graph("Slice", padded, [first], graph("Add", end, first), [2]))
    sums = parts[0]
    for part in parts[1:]:
        sums = graph("Add", sums, part)
    n_sums = len(is_read)
    sum_of = np.arange(len(PATTERNS)) % n_sums
    all_parts = graph("Concat", *parts, axis=1)
    p, q, r = (
        graph("Gather", all_parts, PATTERNS[:, i] * n_sums + sum_of, axis=1)
        for i in range(3)
    )
    three = graph("Add", graph("Add", p, q), r)
    sums = graph("Gather", sums, sum_of, axis=1)
    # In float64, where the product is exact, as in one instruction for both.
    three = graph("Mul", graph.cast(three, _DOUBLE), _DOUBLE(3))
    return graph.cast(graph("Sub", three, graph.cast(sums, _DOUBLE)), _FLOAT)


def _counted(graph, inside, lengths, dilation):
    """Which windows count, by pattern, and how many; see `compare` of minirocket."""
    margin = SIZE // 2 * dilation
    steps = steps_of(graph, inside)
    lengths = graph("Unsqueeze", lengths, [1])
    last = graph("Sub", lengths, margin)
    within = graph(
        "And", graph("GreaterOrEqual", steps, margin), graph("Less", steps, last)
    )
    is_short = graph("LessOrEqual", lengths, 2 * margin)
    is_even = (np.arange(len(PATTERNS)) % 2 == 0)[:, np.newaxis]
    all_count = graph("Or", graph("Unsqueeze", is_short, [1]), is_even)
    within, inside = (graph("Unsqueeze", each, [1]) for each in (within, inside))
    counts = graph("And", inside, graph("Or", all_count, within))
    n_counted = graph("ReduceSum", graph.cast(counts, _FLOAT), [2], keepdims=0)
    return counts, graph("Max", n_counted, _FLOAT(1))
