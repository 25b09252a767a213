"""Weights as the arrays that users see: the article's names, torch.nn's order."""

from itertools import chain

import numpy as np

from skrnn._core.architecture import Architecture
from skrnn._core.execution import CPU
from skrnn._core.imports import kernel_imports
from skrnn._core.layout import OF_CHAIN, Layout
from skrnn._core.pooling import POOLINGS, weights_of
from skrnn._core.weights import Layer, Weights

# Every network has these; poolings may add others.
NAMES = ("W_", "U_", "b_", "V_", "intercept_")
# And networks that begin with convolutions these.
OF_FILTERS = ("filters_", "filter_biases_")
# And those whose outputs form a linear chain these.
OF_TRANSITIONS = tuple(f"{name}_" for name in OF_CHAIN)
# And networks with a decoder these.
OF_DECODER = ("decoder_W_", "decoder_U_", "decoder_b_")
# Networks with a context have these matrices, or one of them, whose columns are
# features.
OF_CONTEXT = {"A_", "B_"}
# Which of them are lists, by layer and direction, or by layer and kernel size.
LISTS = ("W_", "U_", "b_", *OF_FILTERS, *OF_DECODER)
_CURE = "Give weights that you edit the shapes that they had after the fit."


def to_public(weights, execution=CPU):
    """Return the weights as arrays by public name, blocks in the order of torch.nn.

    Returns
    -------
    arrays : dict
        ``W_``, ``U_`` and ``b_``, lists by layer and direction; ``V_`` and
        ``intercept_``; with convolutions ``filters_``, of the shape (n_filters,
        n_inputs, kernel_size), and ``filter_biases_``, lists by layer and kernel size;
        with a context ``A_``, ``a_`` and ``B_``; with a decoder ``decoder_W_``,
        ``decoder_U_`` and ``decoder_b_``, lists by layer; and the weights of the
        pooling, of a chain and others, by their names with an underscore appended.
    """
    layers = _layers_as_in_torch(weights, weights.all_layers(), execution)
    arrays = dict(zip(("W_", "U_", "b_"), layers, strict=True))
    arrays["V_"] = execution.array(weights.V).copy()
    arrays["intercept_"] = execution.array(weights.c).copy()
    if weights.filters:
        arrays["filters_"] = _filters_as_in_torch(weights)
        filters = weights.all_filters()
        arrays["filter_biases_"] = [execution.array(f).copy() for _, f in filters]
    if weights.architecture.decoder:
        layers = _layers_as_in_torch(weights, weights.of_decoder, execution)
        arrays |= zip(OF_DECODER, layers, strict=True)
    order = dict(weights.architecture.make_cell().torch_order)["U"]
    for name, part in weights.others.items():
        if "." in name:  # of a layer of the decoder
            continue
        array, name = execution.array(part), f"{name}_"
        array = (_reordered(array, order, 1) if name == "B_" else array).copy()
        # The weights of a feature are contiguous.
        arrays[name] = array.T if name in OF_CONTEXT else array
    return arrays


def _layers_as_in_torch(weights, layers, execution):
    """W, U and b of some layers, as lists."""
    cell = weights.architecture.make_cell()
    order = dict(cell.torch_order)

    def copy(tensor, order, axis=0):
        array = execution.array(tensor)
        reordered = _reordered(array, order, axis)
        # One copy at a time: U may be most of the memory that a fit takes.
        return array.copy() if reordered is array else reordered

    Ws, Us, bs = [], [], []
    for layer in layers:
        n = layer.W.shape[1]
        W = copy(layer.W, order["W"]) if cell.has_W else np.eye(n, dtype="f4")
        Ws.append(W)
        U = copy(layer.U, order["U"], 1)
        Us.append(U.T)  # a token's vector is contiguous
        bs.append(copy(layer.b, order["b"]))
    return Ws, Us, bs


def from_public(architecture, arrays, ids=None, vectors=None, execution=CPU):
    """Invert :func:`to_public`, sharing the memory of the arrays if possible.

    Parameters
    ----------
    architecture : Architecture
    arrays : dict
        What :func:`to_public` returned.
    ids : ndarray of int64, default=None
        The tokens whose vectors the first layer should have, in this order. None for
        all.
    vectors : ndarray of shape (n_tokens, n_inputs), default=None
        The embedding of each token, if the first layer reads embeddings.
    execution : Execution, default=CPU

    Returns
    -------
    weights : Weights
        For prediction, not for training: `flat` is empty.

    Notes
    -----
    :func:`check_shapes` says whether the arrays fit each other.
    """
    layers = []
    for W, U, b in zip(arrays["W_"], arrays["U_"], arrays["b_"], strict=True):
        U = U.T
        is_first = len(layers) < architecture.n_directions
        if is_first and vectors is not None:
            U = _products(vectors if ids is None else vectors[ids], U)
        elif is_first and ids is not None:
            U = U[ids]
        layers.append(_layer_of(architecture, W, U, b, execution))
    n = architecture.n_directions
    layers = [layers[i : i + n] for i in range(0, len(layers), n)]
    # torch has no negative strides, which an array that a user has edited may have.
    V, c = (
        execution.tensor(np.ascontiguousarray(arrays[name]))
        for name in ("V_", "intercept_")
    )
    n_inputs = len(layers[0][0].U)
    filters = _filters_of(architecture, arrays, execution)
    if filters:
        n_inputs = np.shape(arrays["filters_"][0])[1]
    options = OF_TRANSITIONS[0] in arrays, _n_features(arrays)
    n_outputs = len(c) // max(1, architecture.n_frames)
    layout = Layout(architecture, n_inputs, n_outputs, *options)
    order = {
        name: _inverse(blocks) for name, blocks in architecture.make_cell().torch_order
    }
    others = {}
    for name, array in arrays.items():
        if name in (*NAMES, *LISTS):
            continue
        array = array.T if name in OF_CONTEXT else array
        array = _reordered(array, order["U"], 1) if name == "B_" else array
        name = name.removesuffix("_")
        others[name] = execution.tensor(np.ascontiguousarray(array))
    for k in range(len(architecture.decoder)):
        W, U, b = (arrays[name][k] for name in OF_DECODER)
        layer = _layer_of(architecture, W, U.T, b, execution)
        for name in ("W", "U", "b"):
            others[f"decoder_{name}.{k}"] = getattr(layer, name)
    return Weights(layout, V.new_empty(0), layers, V, c, others, filters)


def _layer_of(architecture, W, U, b, execution):
    """A layer, blocks in the order of its cell."""
    cell = architecture.make_cell()
    order = {name: _inverse(blocks) for name, blocks in cell.torch_order}
    if not cell.has_W:
        W = W[:0]
    U = np.ascontiguousarray(_reordered(U, order["U"], 1))
    W, b = _reordered(W, order["W"]), _reordered(b, order["b"])
    W, b = np.ascontiguousarray(W), np.ascontiguousarray(b)
    return Layer(*map(execution.tensor, (U, W, b)))


def _filters_as_in_torch(weights):
    """Filters in the order of torch.nn.Conv1d: filter, input, step."""
    filters, n_inputs = [], weights.n_inputs
    for sizes, layer in zip(
        weights.architecture.kernel_sizes, weights.filters, strict=True
    ):
        for size, (F, _) in zip(sizes, layer, strict=True):
            by_step = F.numpy(force=True).reshape(size, n_inputs, -1)
            filters.append(np.ascontiguousarray(by_step.transpose(2, 1, 0)))
        n_inputs = weights.architecture.n_filters
    return filters


def _filters_of(architecture, arrays, execution):
    """The inverse: F and f by layer, then kernel size."""
    pairs = []
    if architecture.kernel_sizes:
        for F, f in zip(arrays["filters_"], arrays["filter_biases_"], strict=True):
            F = np.ascontiguousarray(F.transpose(2, 1, 0)).reshape(-1, len(F))
            pairs.append((execution.tensor(F), execution.tensor(f.copy())))
    pairs = iter(pairs)
    return [[next(pairs) for _ in sizes] for sizes in architecture.kernel_sizes]


def _n_features(arrays):
    """The length of the context, 0 without one."""
    shapes = [np.shape(arrays[name]) for name in OF_CONTEXT if name in arrays]
    return shapes[0][1] if shapes and len(shapes[0]) == 2 else 0


def names_of(architecture, has_transitions=False):
    """Return the public names of the weights of a network."""
    brought = weights_of(architecture.pooling, architecture.nhidden[-1])
    of_filters = OF_FILTERS if architecture.kernel_sizes else ()
    of_decoder = OF_DECODER if architecture.decoder else ()
    layout = Layout(architecture, 1, 1)
    of_context = chain.from_iterable(layout.of_context)
    names = (*(name for name, _ in brought), *of_context, *_bridge_of(layout))
    of_chain = OF_TRANSITIONS if has_transitions else ()
    names = (f"{name}_" for name in names)
    return (*NAMES, *of_filters, *of_decoder, *names, *of_chain)


def _bridge_of(layout):
    """Shapes of what leads from an encoder to its decoder, by name."""
    biases, others = layout.of_decoder
    parts = {**biases, **others}
    return {name: shape for name, shape in parts.items() if "." not in name}


def check_shapes(architecture, arrays, vectors=None):
    """Raise if arrays, which a user may have edited, do not fit each other.

    Parameters
    ----------
    architecture, arrays, vectors
        As in :func:`from_public`.

    Raises
    ------
    ValueError
        If their shapes differ from those of a network. The kernels do not check it.
    """
    U, V, c = arrays["U_"], arrays["V_"], arrays["intercept_"]
    first = arrays["filters_"] if architecture.kernel_sizes else U
    n_inputs = np.shape(first[0])[1] if len(first) and np.ndim(first[0]) > 1 else 0
    n_outputs = len(c) if architecture.decoder else 1
    n_features = _n_features(arrays)
    layout = Layout(architecture, n_inputs, n_outputs, n_features=n_features)
    for name, expected in shapes_of(layout).items():
        if name in ("V_", "intercept_"):  # not used for h
            continue
        array = arrays[name]
        is_list = isinstance(expected, list)
        found = [np.shape(part) for part in array] if is_list else np.shape(array)
        if found != expected:
            raise ValueError(
                f"{name} has the shape {found}, but the other weights need {expected}. "
                f"{_CURE}"
            )
    if V.ndim != 2 or c.shape != V.shape[:1]:
        raise ValueError(
            f"intercept_ has the shape {c.shape}, but V_, of shape {V.shape}, needs a "
            f"number for each row. {_CURE}"
        )
    of_chain = zip(OF_TRANSITIONS, (2 * c.shape, c.shape, c.shape), strict=True)
    for name, shape in of_chain if OF_TRANSITIONS[0] in arrays else ():
        if np.shape(arrays[name]) != shape:
            raise ValueError(
                f"{name} has the shape {np.shape(arrays[name])}, but intercept_ needs "
                f"{shape}. {_CURE}"
            )
    if vectors is not None and (vectors.ndim != 2 or vectors.shape[1] != n_inputs):
        raise ValueError(
            f"embeddings_ has the shape {vectors.shape}, but U_ needs {n_inputs} "
            f"columns. {_CURE}"
        )


def shapes_of(layout):
    """Return the shapes of the weights by public name, as :func:`to_public` does."""
    parts, nhidden = layout.shapes(), layout.architecture.nhidden
    n_directions = layout.architecture.n_directions
    shapes = {"W_": [], "U_": [], "b_": []}
    for i in range(len(nhidden) * n_directions):
        n_rows, n = parts[f"W.{i}"]
        shapes["W_"].append((n_rows or n, n))  # without rows, it is the identity
        shapes["U_"].append(parts[f"U.{i}"][::-1])
        shapes["b_"].append(parts[f"b.{i}"])
    brought = (*layout.of_pooling, *layout.of_chain)
    others = {f"{name}_": shape for name, shape in brought}
    biases, matrices = layout.of_context
    others |= {f"{name}_": shape for name, shape in biases.items()}
    others |= {f"{name}_": shape[::-1] for name, shape in matrices.items()}
    if layout.architecture.kernel_sizes:
        sizes = [size for layer in layout.architecture.kernel_sizes for size in layer]
        shapes["filters_"], shapes["filter_biases_"] = [], []
        for i, size in enumerate(sizes):
            n_rows, n = parts[f"F.{i}"]
            shapes["filters_"].append((n, n_rows // size, size))
            shapes["filter_biases_"].append((n,))
    for name in OF_DECODER if layout.architecture.decoder else ():
        shapes[name] = []
        for k in range(len(layout.architecture.decoder)):
            n_rows, *n = parts[f"{name.removesuffix('_')}.{k}"]
            if name == "decoder_W_":
                shapes[name].append((n_rows or n[0], *n))
            else:
                shapes[name].append((*n, n_rows))
    others |= {f"{name}_": shape for name, shape in _bridge_of(layout).items()}
    return {**shapes, "V_": parts["V"], "intercept_": parts["c"], **others}


def missing_weights(architecture, arrays):
    """Weights of the pooling, zeros, if it had no part in the training of `arrays`."""
    names_and_shapes = Layout(architecture, 1, 1).of_pooling
    return {
        f"{name}_": np.zeros(shape, dtype=np.float32)
        for name, shape in names_and_shapes
        if f"{name}_" not in arrays
    }


def all_names():
    """Return the public names of all weights that a network may have."""
    brought = {name for pooling in POOLINGS for name, _ in weights_of(pooling, 1)}
    architecture = Architecture((1,), decoder=(1,), attention="additive")
    bridge = _bridge_of(Layout(architecture, 1, 1))
    of_context, names = ("A_", "a_", "B_"), sorted({*brought, *bridge})
    names = (f"{name}_" for name in names)
    of_decoder = (*OF_FILTERS, *OF_DECODER)
    return (*NAMES, *of_decoder, *of_context, *names, *OF_TRANSITIONS)


def _products(vectors, U):
    """Compute ``vectors U``, no row of which depends on the others."""
    with kernel_imports():
        from skrnn._core.products import multiply

    products = np.empty((len(vectors), U.shape[1]), U.dtype)
    multiply(np.asarray(vectors, U.dtype), np.ascontiguousarray(U), products, False)
    return products


def _reordered(array, order, axis=0):
    """Return the blocks along an axis in another order; the array if it is the same."""
    if order == tuple(range(len(order))):
        return array
    n = array.shape[axis] // len(order)
    at = (slice(None),) * axis
    blocks = [array[(*at, slice(i * n, (i + 1) * n))] for i in order]
    return np.concatenate(blocks, axis)


def _inverse(order):
    return tuple(order.index(i) for i in range(len(order)))
