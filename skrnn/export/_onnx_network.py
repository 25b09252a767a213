"""A network of ONNX: from what is read to hidden states, scores and predictions.

The values of a batch are of shape (n_sequences, n_steps, width); those behind the end
of a sequence, which is as long as `lengths` says, have no effect.
"""

import numpy as np

from skrnn.export._inputs import FirstLayer
from skrnn.export._onnx_chain import steps_of, with_others

_FLOAT, _DOUBLE, _INT = np.float32, np.float64, np.int64
# In ONNX, blocks of a gate are in another order than in torch.nn.
_ORDERS = {"rnn": (0,), "gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}
_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "identity": "Affine"}


def is_step(graph, values, lengths):
    """Whether steps are before the end, bool of shape (n_sequences, n_steps)."""
    return graph("Less", steps_of(graph, values), graph("Unsqueeze", lengths, [1]))


def _cleared(graph, values, is_step):
    """Values that are 0 behind the end."""
    return graph("Where", graph("Unsqueeze", is_step, [2]), values, _FLOAT(0))


def vectors_of_tokens(graph, ids, model):
    """The vectors of tokens, and the U of each direction that reads them."""
    first = FirstLayer.of(model)
    vectors = graph("Gather", graph.constant(first.table, "vectors"), ids)
    return vectors, first.Us


def _through_filters(graph, x, lengths, model):
    """What the recurrence reads behind convolutions.

    Parameters
    ----------
    graph : Graph
    x : str
    lengths : str
    model : Model

    Returns
    -------
    x, lengths : str
        They have fewer steps.
    pooled : list of str
        The means and the largest values of each layer.
    """
    architecture, arrays = model.architecture, model.arrays
    filters = zip(arrays["filters_"], arrays["filter_biases_"], strict=True)
    pooled = []
    for sizes, stride in zip(
        architecture.kernel_sizes, architecture.strides, strict=True
    ):
        inside = is_step(graph, x, lengths)
        x = graph("Transpose", _cleared(graph, x, inside), perm=[0, 2, 1])
        parts = []
        for size in sizes:
            F, f = next(filters)
            pads = [size // 2, size - 1 - size // 2]
            parts.append(graph("Conv", x, F, f, kernel_shape=[size], pads=pads))
        z = graph("Relu", graph("Concat", *parts, axis=1))
        z = _cleared(graph, graph("Transpose", z, perm=[0, 2, 1]), inside)
        n_steps = graph.cast(graph("Max", lengths, 1), _FLOAT)
        total = graph("ReduceSum", z, [1], keepdims=0)
        pooled.append(graph("Div", total, graph("Unsqueeze", n_steps, [1])))
        pooled.append(graph("ReduceMax", z, [1], keepdims=0))
        x, lengths = _averaged(graph, z, lengths, stride)
    return x, lengths, pooled


def _averaged(graph, z, lengths, stride):
    """The mean of every `stride` steps; the last mean is of those that are left."""
    if stride == 1:
        return z, lengths
    n_steps = graph("Gather", graph("Shape", z), [1])
    n_missing = graph("Mod", graph("Neg", n_steps), stride)
    pads = graph("Concat", [0, 0, 0, 0], n_missing, [0], axis=0)
    grouped = graph("Reshape", graph("Pad", z, pads), _shape(graph, z, -1, stride))
    total = graph("ReduceSum", grouped, [2], keepdims=0)
    starts = graph("Range", 0, graph("Squeeze", n_steps, [0]), stride)
    left = graph("Sub", graph("Unsqueeze", lengths, [1]), starts)
    counts = graph("Clip", left, np.int64(1), np.int64(stride))
    counts = graph("Unsqueeze", graph.cast(counts, _FLOAT), [2])
    lengths = graph("Div", graph("Add", lengths, stride - 1), stride)
    return graph("Div", total, counts), lengths


def _shape(graph, z, *steps):
    """The shape of z with the steps as several axes."""
    shape = graph("Shape", z)
    first, last = (graph("Gather", shape, [axis]) for axis in (0, -1))
    return graph("Concat", first, list(steps), last, axis=0)


def states_of_steps(graph, x, lengths, model, Us):
    """The hidden states of the last layer.

    Parameters
    ----------
    graph : Graph
    x : str
    lengths : str
    model : Model
    Us : list of ndarrays
        Of the first layer.

    Returns
    -------
    H : str
        Of shape (n_steps, n_sequences, n_directions * nhidden), after each step; 0
        behind the end.
    last : str
        Of shape (n_directions, n_sequences, nhidden), after the step that each
        direction reads last.
    """
    architecture, arrays = model.architecture, model.arrays
    n_directions, cell = architecture.n_directions, architecture.cell
    lengths = graph.cast(lengths, np.int32)
    direction = "bidirectional" if n_directions == 2 else "forward"
    H = graph("Transpose", x, perm=[1, 0, 2])
    for k, n in enumerate(architecture.nhidden):
        part = slice(k * n_directions, (k + 1) * n_directions)
        of_layer = Us if k == 0 else arrays["U_"][part]
        weights = _weights(cell, of_layer, arrays["W_"][part], arrays["b_"][part])
        options = {"hidden_size": n, "direction": direction}
        if cell == "gru":
            options["linear_before_reset"] = 1
        if cell == "rnn":
            name = _ACTIVATIONS[architecture.activation]
            options["activations"] = [name] * n_directions
            if name == "Affine":
                options["activation_alpha"] = [1.0] * n_directions
                options["activation_beta"] = [0.0] * n_directions
        H, last = graph(cell.upper(), H, *weights, lengths, n_outputs=2, **options)
        H = graph("Transpose", H, perm=[0, 2, 1, 3])
        H = graph("Reshape", H, [0, 0, n_directions * n])
    return H, last


def _weights(cell, Us, Ws, bs):
    """The weights of a layer: of inputs, of states, and both biases."""
    order = _ORDERS[cell]

    def ordered(array):
        return np.concatenate([np.split(array, len(order))[i] for i in order])

    biases = []
    for U, W, b in zip(Us, Ws, bs, strict=True):
        of_states = np.zeros(len(W), _FLOAT)
        of_states[len(W) - (len(b) - len(U)) :] = b[len(U) :]  # of a GRU alone
        biases.append(np.append(ordered(b[: len(U)]), ordered(of_states)))
    return (
        *(np.stack(list(map(ordered, each))) for each in (Us, Ws)),
        np.stack(biases),
    )


def vectors_of_sequences(graph, x, lengths, model, Us):
    """One vector per sequence; the parameters are those of :func:`states_of_steps`.

    Returns
    -------
    h : str
        Of shape (n_sequences, n_features_out), 0 for sequences without steps.
    """
    has_steps = graph("Unsqueeze", graph("Greater", lengths, 0), [1])
    pooled = []
    if model.architecture.kernel_sizes:
        x, lengths, pooled = _through_filters(graph, x, lengths, model)
    H, last = states_of_steps(graph, x, lengths, model, Us)
    h = _pooled_states(graph, H, last, lengths, model)
    h = graph("Concat", h, *pooled, axis=1) if pooled else h
    return graph("Where", has_steps, h, _FLOAT(0))


def _pooled_states(graph, H, last, lengths, model):
    """One vector per sequence, of shape (n_sequences, n_features_out)."""
    architecture, pooling = model.architecture, model.architecture.pooling
    n, n_directions = architecture.nhidden[-1], architecture.n_directions
    by_direction = [0, n_directions, n]
    last = graph("Transpose", last, perm=[1, 0, 2])
    if pooling == "last":
        pooled = last
    elif pooling == "mean":
        total = graph("ReduceSum", H, [0], keepdims=0)
        n_steps = graph.cast(graph("Max", lengths, 1), _FLOAT)
        pooled = graph("Div", total, graph("Unsqueeze", n_steps, [1]))
    else:
        H = graph("Transpose", H, perm=[1, 0, 2])
        inside = graph("Unsqueeze", is_step(graph, H, lengths), [2])
        largest = graph("Where", inside, H, _FLOAT(-np.inf))
        largest = graph("ReduceMax", largest, [1], keepdims=0)
        pooled = graph("Reshape", largest, by_direction)
        if pooling == "concat":
            pooled = graph("Concat", last, pooled, axis=2)
        elif pooling == "sum":
            pooled = graph("Add", last, pooled)
    width = architecture.n_features_out - architecture.n_features_of_filters
    return graph("Reshape", pooled, [0, width])


def scores_of(graph, h, model):
    """V h + c."""
    V, c = model.arrays["V_"], model.arrays["intercept_"]
    V = graph.constant(np.ascontiguousarray(V.T), "V")
    return graph("Add", graph("MatMul", h, V), graph.constant(c, "c"))


def with_wide_grams(graph, scores, columns, counts, model):
    """The mean of the scores and those of TF-IDF weights, where there are n-grams.

    Parameters
    ----------
    graph : Graph
    scores : str
    columns, counts : str
        Of shape (n_sequences, n_grams): distinct n-grams, and how often each occurs. A
        count of 0 stands for nothing.
    model : Model
    """
    idf = graph.constant(model.reader.wide.idf.astype(_FLOAT), "idf")
    A = graph.constant(np.ascontiguousarray(model.wide_coef.T), "A")
    occurs = graph("Greater", counts, _FLOAT(0))
    logs = graph("Log", graph("Max", counts, _FLOAT(1)))
    weights = graph("Mul", graph("Add", logs, _FLOAT(1)), graph("Gather", idf, columns))
    weights = graph("Where", occurs, weights, _FLOAT(0))
    norm = graph("ReduceL2", weights, [1], keepdims=1)
    is_read = graph("Greater", norm, _FLOAT(0))
    weights = graph("Div", weights, graph("Where", is_read, norm, _FLOAT(1)))
    rows = graph("Gather", A, columns)
    own = graph("MatMul", graph("Unsqueeze", weights, [1]), rows)
    own = graph("Squeeze", own, [1])
    return graph("Where", is_read, _mean(graph, scores, own), scores)


def with_wide_features(graph, scores, features, model):
    """The mean of the scores and those of the features of a series."""
    A = graph.constant(np.ascontiguousarray(model.wide_coef.T), "A")
    return _mean(graph, scores, graph("MatMul", features, A))


def _mean(graph, one, other):
    return graph("Div", graph("Add", one, other), _FLOAT(2))


def classes_as_array(classes):
    """Labels as ONNX can hold them; None if it cannot."""
    classes = np.asarray(classes)
    if classes.dtype.kind in "biuf":
        return classes
    labels = classes.tolist()
    if not all(isinstance(label, str) for label in labels):
        return None
    try:
        "".join(labels).encode()
    except UnicodeEncodeError:  # of a lone surrogate
        return None
    return np.array(labels, object)


def write_predictions(graph, scores, lengths, model, batch):
    """Declare what is predicted as outputs.

    Parameters
    ----------
    graph : Graph
    scores, lengths : str
    model : Model
    batch : list of str
        The names of the sizes before that of the scores.
    """
    head = model.head
    if head.task == "regression":
        numbers = graph("Mul", graph.cast(scores, _DOUBLE), head.scale.astype(_DOUBLE))
        numbers = graph("Add", numbers, head.mean.astype(_DOUBLE))
        shape = [*batch, head.n_outputs]
        if head.is_one:
            numbers, shape = graph("Squeeze", numbers, [1]), batch
        graph.output("numbers", numbers, _DOUBLE, shape)
        return
    shape = [*batch, head.n_outputs]
    if head.task == "multilabel":
        is_one = graph("Greater", scores, _FLOAT(0))
        graph.output("label", graph.cast(is_one, _INT), _INT, shape)
        graph.output("probabilities", graph("Sigmoid", scores), _FLOAT, shape)
        return
    beliefs = best = scores
    if head.has_transitions:
        beliefs, best = (
            with_others(graph, scores, lengths, head.chain, op)
            for op in ("ReduceLogSumExp", "ReduceMax")
        )
    best = graph("ArgMax", best, axis=-1, keepdims=0)
    classes = classes_as_array(head.classes)
    label = graph("Gather", graph.constant(classes, "classes"), best)
    graph.output("label", label, classes.dtype, batch)
    graph.output("probabilities", graph("Softmax", beliefs, axis=-1), _FLOAT, shape)
