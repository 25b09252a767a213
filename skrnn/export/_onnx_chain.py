"""Tags that depend on those beside them, in a graph of ONNX.

A tag is as good as its score and the best of what leads to it, from both sides [1]_. If
sums of exponentials take the place of the best, these are logarithms of probabilities,
but for a number that all tags of a step have in common.

References
----------
.. [1] Kschischang, Frey and Loeliger (2001), "Factor Graphs and the Sum-Product
   Algorithm", IEEE Transactions on Information Theory 47(2).
"""

import numpy as np

from skrnn.export._onnx_graph import Graph

_FLOAT = np.float32


def steps_of(graph, values):
    """The numbers of the steps of values, of shape (n_steps,)."""
    n_steps = graph("Gather", graph("Shape", values), 1)
    return graph("Range", 0, n_steps, 1)


def with_others(graph, scores, lengths, chain, op):
    """Scores of tags, with those of all tags before and behind them.

    Parameters
    ----------
    graph : Graph
    scores : str
        Of shape (n_sequences, n_steps, n_tags).
    lengths : str
    chain : tuple (transitions, start, end) of ndarrays
    op : {"ReduceMax", "ReduceLogSumExp"}
        What is taken of all tags beside a tag.

    Returns
    -------
    scores : str
        Less a number for each step.
    """
    transitions, start, end = chain
    steps = graph("Unsqueeze", steps_of(graph, scores), [0])
    last = graph("Unsqueeze", graph("Sub", lengths, 1), [1])
    # The first step is the same for all, but is_first has a row for each.
    is_first = graph("Equal", graph("Add", steps, graph("Mul", last, 0)), 0)
    is_last = graph("Equal", steps, last)
    before = _reached(graph, scores, is_first, (transitions, start, op))
    behind = _reached(graph, scores, is_last, (transitions.T, end, op), True)
    return graph("Add", graph("Add", before, scores), behind)


def _reached(graph, scores, is_edge, of, is_reversed=False):
    """What leads to each tag from one side.

    Parameters
    ----------
    graph : Graph
    scores : str
    is_edge : str
        Where there is nothing on this side.
    of : tuple (transitions, edge, op)
        The scores of transitions in this direction; and what takes their place at the
        edge.
    is_reversed : bool, default=False
    """
    transitions, edge, op = of
    step, shape = Graph("step_"), ["n_series", len(edge)]
    before = step.input("before", _FLOAT, shape)
    score = step.input("score", _FLOAT, shape)
    is_here = step.input("is_edge", np.bool_, ["n_series", 1])
    ways = step("Add", step("Unsqueeze", before, [2]), transitions.astype(_FLOAT))
    reached = step(op, ways, [1], keepdims=0)
    reached = step("Where", is_here, edge.astype(_FLOAT), reached)
    # Without this, long sequences would have large numbers, which round.
    reached = step("Sub", reached, step("ReduceMax", reached, [1]))
    step.output("after", step("Add", score, reached), _FLOAT, shape)
    step.output("reached", reached, _FLOAT, shape)
    zeros = graph("Mul", graph("Gather", scores, 0, axis=1), _FLOAT(0))
    is_edge = graph("Unsqueeze", is_edge, [2])
    return graph.scan(step, zeros, scores, is_edge, is_reversed=is_reversed)
