"""Estimators as modules of torch, and back."""

from copy import deepcopy
from itertools import chain, islice

import numpy as np
import torch
from torch import nn

from skrnn._classifier import RNNClassifier
from skrnn._core.dense_rows import DenseRows
from skrnn._core.execution import CPU
from skrnn._encoder import RNNEncoder
from skrnn._messages import describe
from skrnn._regressor import RNNRegressor
from skrnn._tagger import RNNTagger
from skrnn.export import _torch_layers as layers
from skrnn.export._fitted import KNOWN, check_network, model_of
from skrnn.export._inputs import FirstLayer
from skrnn.export._torch_network import TorchNetwork

_CLASSES = (RNNClassifier, RNNRegressor, RNNEncoder, RNNTagger)
_WHERE = "to a module of torch"
# By how much numbers change that are rounded to bfloat16 and back.
_RTOL_OF_BFLOAT16 = 2.0**-8
_KNOWN = {**KNOWN, "activation": ("tanh", "relu")}


def to_torch(estimator):
    """Convert a fitted estimator to a module of torch's own layers.

    Parameters
    ----------
    estimator : RNNClassifier, RNNRegressor, RNNEncoder or RNNTagger
        The fitted estimator.

    Returns
    -------
    module : torch.nn.Module
        Its weights are copies. It is in training mode, as all modules of torch are at
        first, but has no dropout.

    Raises
    ------
    TypeError
        If the estimator is of another class.
    ValueError
        If `activation` is "identity", for which torch.nn has no layer; if a tagger has
        `transitions`; or if a parameter or fitted attribute has been set to a value
        that `fit` refuses or would not have set.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    to_tensors : What the module reads.
    from_torch : The inverse function.
    to_onnx : Convert to a graph that needs neither torch nor skrnn.

    Notes
    -----
    ``module(**to_tensors(estimator, X))`` are scores before the softmax, of shape
    (n_sequences, n_classes), as the losses of torch take them; if there are several
    labels, before the logistic function; of a regressor what `predict` returns, of an
    encoder h, and of a tagger the scores of all steps. They equal those of the
    estimator to 1e-5, relative to a number above 1.

    ``module.embedding`` has the vectors of tokens, ``module.filters`` convolutions by
    layer and kernel size, ``module.layers`` layers of torch.nn.RNN, GRU or LSTM by
    layer and direction, ``module.output`` V and c, and ``module.wide`` the wide path.
    The product of the vectors of tokens and of ``weight_ih_l0`` is U; unless there are
    ``embeddings_``, one of the two is an identity matrix, and is not trained. Neither
    are ``embeddings_`` with ``freeze_embeddings=True``, or the W of
    ``recurrence="identity"``.

    Save ``module.state_dict()``, and load it into ``to_torch(estimator)``. The module
    can be pickled, and be exported by ``torch.export``, for a fixed number of steps.

    Examples
    --------
    >>> import torch
    >>> from skrnn import RNNClassifier
    >>> from skrnn.export import from_torch, to_tensors, to_torch
    >>> X, y = ["ab", "ba", "abb", "bba"] * 5, [0, 1, 0, 1] * 5
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(X, y)
    >>> module = to_torch(classifier)
    >>> module.layers
    ModuleList(
      (0): ModuleList(
        (0): GRU(9, 4, batch_first=True)
      )
    )

    Train it further, and predict by the estimator that it becomes:

    >>> tensors, target = to_tensors(classifier, X), torch.tensor(y)
    >>> optimizer = torch.optim.Adam(module.parameters())
    >>> for _ in range(10):
    ...     optimizer.zero_grad()
    ...     loss = torch.nn.functional.cross_entropy(module(**tensors), target)
    ...     loss.backward()
    ...     optimizer.step()
    >>> from_torch(module, classifier).predict(["ab", "bab"])
    array([0, 1])
    """
    fitted, model, _ = model_of(estimator, _CLASSES, _WHERE)
    _check(type(fitted).__name__, model)
    found = _recurrent_layers(model, fitted.freeze_embeddings)
    head, numbers = model.head, None
    if not isinstance(fitted, RNNEncoder):
        V, c = (model.arrays[name] for name in ("V_", "intercept_"))
        found["output"] = layers.linear(V, c)
        if model.wide_coef is not None:
            of_series = model.reader.kind == "series"
            make = layers.linear if of_series else layers.embedding_bag
            found["wide"] = make(model.wide_coef)
        if head.task == "regression":
            mean = CPU.tensor(head.mean.astype(np.float32))
            scale = CPU.tensor(head.scale.astype(np.float32))
            numbers = mean, scale, head.is_one
    return TorchNetwork(model.architecture, found, numbers, head.per_step)


def _check(name, model):
    """Raise if torch has no such network."""
    check_network("to_torch", name, model.architecture, _KNOWN)
    if model.head.has_transitions:
        raise ValueError(
            f"This {name} has transitions, for which torch.nn has no layer. Fit it "
            "with transitions=False."
        )


def _recurrent_layers(model, freeze_embeddings):
    """What leads from X to hidden states, by the names in TorchNetwork."""
    architecture, arrays = model.architecture, model.arrays
    found, Us, are_trained = {}, list(arrays["U_"]), True
    n_directions = architecture.n_directions
    if model.reader.kind != "series":
        first = FirstLayer.of(model)
        Us[:n_directions] = first.Us
        is_fixed = first.is_one_hot
        if model.reader.vectors is not None:
            is_fixed = freeze_embeddings
        else:  # either the table or Us is the identity
            are_trained = first.is_one_hot
        is_padded = model.reader.kind == "features"
        found["embedding"] = layers.embedding(first.table, is_padded)
        found["embedding"].requires_grad_(not is_fixed)
    if architecture.kernel_sizes:
        pairs = zip(arrays["filters_"], arrays["filter_biases_"], strict=True)
        filters = (layers.convolution(F, f) for F, f in pairs)
        found["filters"] = _nested(filters, map(len, architecture.kernel_sizes))
    of_each = zip(Us, arrays["W_"], arrays["b_"], strict=True)
    of_each = [layers.recurrent(architecture, *weights) for weights in of_each]
    for layer in of_each[:n_directions]:
        layer.weight_ih_l0.requires_grad_(are_trained)
    numbers = (n_directions for _ in architecture.nhidden)
    return {**found, "layers": _nested(iter(of_each), numbers)}


def _nested(parts, numbers):
    """Lists of the next modules, as many in each as the numbers say."""
    return nn.ModuleList(nn.ModuleList(islice(parts, n)) for n in numbers)


def to_tensors(estimator, X):
    """Read sequences as an estimator does, for its module of torch.

    Parameters
    ----------
    estimator : RNNClassifier, RNNRegressor, RNNEncoder or RNNTagger
        The fitted estimator.
    X : array-like of n_samples sequences
        As in `fit`.

    Returns
    -------
    tensors : dict of str to Tensor
        Named as the arguments of the module. ``x``, padded with 0 to the longest
        sequence, is int64 of shape (n_samples, n_steps), or (n_samples, n_steps,
        n_at_a_step) if n-grams, subwords or sets of features are read, and float32 of
        shape (n_samples, n_steps, n_inputs) if numbers are; ``lengths`` is int64 of
        shape (n_samples,). If there is a wide path, ``wide`` has the columns of the
        n-grams in each sequence, padded with 0, and ``wide_weights`` their TF-IDF
        weights; or ``wide`` the features of each series.

    Raises
    ------
    TypeError, ValueError
        As in `predict` or `transform`; also if the estimator is of another class.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    to_torch : Make the module, with an example.

    Notes
    -----
    The first axis of all tensors is that of the sequences. For minibatches of many,
    call it with some of X at a time, or pass the tensors to a ``TensorDataset``.

    Examples
    --------
    >>> from skrnn import RNNEncoder
    >>> from skrnn.export import to_tensors
    >>> encoder = RNNEncoder(nhidden=4, ngram_range=(1, 1), random_state=0)
    >>> to_tensors(encoder.fit(["ab", "ba"], [0, 1]), ["b", "abc"])
    {'x': tensor([[2, 0, 0],
            [1, 2, 0]]), 'lengths': tensor([1, 3])}
    """
    fitted, _, _ = model_of(estimator, _CLASSES, _WHERE)
    model, steps, once = fitted._model_and_steps(X)
    steps = model.reader.with_wide(steps)
    if once.positions is not None:
        steps = steps.take(once.places)
    values, lengths = steps.values, steps.lengths
    dtype = np.float32 if model.reader.kind == "series" else np.int64
    x = _padded(values.astype(dtype), steps.offsets)
    tensors = {"x": x, "lengths": lengths.astype(np.int64)}
    if isinstance(steps.wide, DenseRows):
        tensors["wide"] = steps.wide.values
    elif steps.wide is not None:
        columns, weights, offsets = steps.wide
        tensors["wide"] = _padded(columns.astype(np.int64), offsets)
        tensors["wide_weights"] = _padded(weights, offsets)
    return {name: CPU.tensor(array) for name, array in tensors.items()}


def from_torch(module, estimator):
    """Make a fitted estimator of a module that has been trained further.

    Parameters
    ----------
    module : torch.nn.Module
        The output of :func:`to_torch`, on any device and of any precision.
    estimator : RNNClassifier, RNNRegressor, RNNEncoder or RNNTagger
        The fitted estimator that it was made of. It stays as it is.

    Returns
    -------
    estimator : estimator of the same class
        A copy with the weights of the module, as float32. All that was learned about
        reading X and y, and what says how `fit` went, is that of the given estimator.

    Raises
    ------
    TypeError
        If the module is none of `to_torch`, or the estimator is of another class.
    ValueError
        If the module does not fit the estimator; if its weights are not finite; or if
        what is not trained has been changed: a W that is the identity, the units of y,
        or the vector of padding.
    NotFittedError
        If the estimator is not fitted.

    See Also
    --------
    to_torch : The inverse function, with an example.

    Notes
    -----
    ``partial_fit`` and ``warm_start`` continue from the new weights; of `partial_fit`,
    the optimiser starts anew.

    Examples
    --------
    >>> from skrnn import RNNEncoder
    >>> from skrnn.export import from_torch, to_torch
    >>> encoder = RNNEncoder(nhidden=4, random_state=0).fit(["ab", "ba"], [0, 1])
    >>> same = from_torch(to_torch(encoder), encoder)
    >>> bool((same.transform(["ab"]) == encoder.transform(["ab"])).all())
    True
    """
    if not isinstance(module, TorchNetwork):
        raise TypeError(
            f"{describe(module)} is no module that to_torch has made. If it holds one, "
            "as those of torch.compile and of parallel training do, pass that one."
        )
    fitted, model, _ = model_of(estimator, _CLASSES, _WHERE)
    _check_same(module, to_torch(fitted))
    other = deepcopy(fitted)
    attributes = {**other._fitted(), **_arrays_of(module, model)}
    attributes.pop("_training", None)
    other._become({**attributes, **other._encoder_of(attributes)})
    return other


def _check_same(module, expected):
    """Raise unless a module is like another one, with finite weights."""
    weights, others = module.state_dict(), expected.state_dict()
    shapes, of_others = (
        {name: tuple(tensor.shape) for name, tensor in each.items()}
        for each in (weights, others)
    )
    if (module.architecture, shapes) != (expected.architecture, of_others):
        raise ValueError(
            "This module does not fit the estimator: to_torch makes another one of it. "
            "Pass the estimator that the module was made of."
        )
    _check_fixed(module, expected)
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(
                f"{name} of this module is not finite: its training has diverged. "
                "Lower the learning rate, or clip gradients."
            )
    if not module.architecture.make_cell().has_W:
        for name in weights:
            if "weight_hh" in name and not torch.equal(
                weights[name].cpu().float(), others[name]
            ):
                raise ValueError(
                    f"{name} of this module is no identity matrix any more, but the "
                    "estimator has recurrence='identity'. Do not train it."
                )


def _check_fixed(module, expected):
    """Raise if what is not trained has changed: the units of y, or the padding."""
    fixed = {"mean": module.mean, "scale": module.scale}
    as_made = {"mean": expected.mean, "scale": expected.scale}
    table = module.embedding
    if table is not None and getattr(table, "padding_idx", None) is not None:
        of_padding = f"embedding.weight[{table.padding_idx}]"
        fixed[of_padding] = table.weight[table.padding_idx]
        as_made[of_padding] = torch.zeros(table.weight.shape[1], device="cpu")
    for name, tensor in fixed.items():
        if tensor is None:
            continue
        was = as_made[name].to(tensor.dtype).float()
        now = tensor.detach().cpu().float()
        if not torch.allclose(now, was, rtol=_RTOL_OF_BFLOAT16, atol=0):
            raise ValueError(
                f"{name} of this module has been changed, which is not trained, and "
                "which the estimator keeps as it was. Restore that of "
                "to_torch(estimator), and train the weights only."
            )


def _arrays_of(module, model):
    """The weights of a module by their public names."""
    n_directions = module.architecture.n_directions
    of_each = chain.from_iterable(module.layers)
    Us, Ws, bs = map(list, zip(*map(layers.arrays_of_recurrent, of_each), strict=True))
    found = {"W_": Ws, "U_": Us, "b_": bs}
    if module.embedding is not None:
        table = layers.as_array(module.embedding.weight)
        if model.reader.vectors is not None:
            found["embeddings_"] = table
        else:
            Us[:n_directions] = [U @ table.T for U in Us[:n_directions]]
    if module.filters is not None:
        filters = list(chain.from_iterable(module.filters))
        found["filters_"] = [layers.as_array(each.weight) for each in filters]
        found["filter_biases_"] = [layers.as_array(each.bias) for each in filters]
    if module.output is not None:
        found["V_"] = layers.as_array(module.output.weight)
        found["intercept_"] = layers.as_array(module.output.bias)
    if module.wide is not None:
        A = layers.as_array(module.wide.weight)
        is_by_row = isinstance(module.wide, nn.EmbeddingBag)
        found["wide_coef_"] = np.ascontiguousarray(A.T) if is_by_row else A
    return found


def _padded(values, offsets):
    """Rows of sequences, padded with 0 to the longest one."""
    lengths = np.diff(offsets)
    n_steps = max(1, int(lengths.max(initial=0)))
    padded = np.zeros((len(lengths), n_steps, *values.shape[1:]), values.dtype)
    sequence = np.repeat(np.arange(len(lengths)), lengths)
    padded[sequence, np.arange(len(values)) - offsets[sequence]] = values
    return padded
