"""The loss of a batch and its gradient, through all layers.

No autograd: each forward line has its backward line written by hand. All of it is one
call of compiled code, in which a thread needs Python's global lock only once: two
threads that ask for it at every operation wait for each other longer than they compute.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from skrnn._core import losses, pooling, recurrence
from skrnn._core.compiled import compiled
from skrnn._core.memory import Scratch, take


@dataclass(frozen=True, slots=True)
class Start:
    """Where sequences stand before the first of the packed steps.

    Attributes
    ----------
    states : list of list of Tensors of shape (n_sequences, nhidden)
        For each layer, its states.
    gathered : Tensor of shape (n_sequences, nhidden)
        What the pooling had gathered.
    n_steps : Tensor of shape (n_sequences,)
        Steps before.
    """

    states: list
    gathered: torch.Tensor
    n_steps: torch.Tensor


def loss_and_gradient(
    weights,
    gradient,
    scratch,
    x,
    packing,
    loss,
    target,
    sample_weight,
    masks=(),
    start=None,
):
    """Summed loss of a batch; the gradient is written into `gradient`.

    Parameters
    ----------
    weights, gradient : Weights
    scratch : Scratch
    x : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
        Token ids or numbers; rows in packed order.
    packing : Packing
    loss : {"cross_entropy", "binary_cross_entropy", "squared_error"}
    target : Tensor of shape (n_sequences,) or (n_sequences, n_outputs)
        In the order of the packing, as `sample_weight`; without pooling they have an
        entry for each row.
    sample_weight : Tensor of shape (n_sequences,)
    masks : sequence of Tensors of shape (n_sequences, n_inputs of a layer), default=()
        For each layer above the first, what its inputs are multiplied by at each step
        of a sequence; one more, of width n_features_out, for the output layer.
    start : Start, default=None
        Where the sequences stand, if these are not their first steps; no gradient
        goes further back.

    Returns
    -------
    total : Tensor of shape ()
    """
    architecture = weights.architecture
    cell = architecture.make_cell()
    total, n_used = _loss_and_gradient(
        cell.kind,
        [cell.n_states, cell.n_kept, architecture.n_directions],
        architecture.pooling,
        loss,
        _as_lists(weights),
        [weights.V, weights.c],
        _as_lists(gradient),
        [gradient.V, gradient.c],
        x,
        packing.batch_sizes,
        as_dict(packing, architecture, len(masks) > 0),
        target,
        sample_weight,
        list(masks),
        [] if start is None else [list(states) for states in start.states],
        [] if start is None else [start.gathered, start.n_steps],
        scratch.memory,
        losses.MAX_SCORES,
    )
    scratch.reserve(n_used)
    return total


def top_states(weights, x, packing):
    """The hidden states of the last layer, one tensor a direction, in packed order."""
    architecture = weights.architecture
    cell = architecture.make_cell()
    traces = _forward(
        cell.kind,
        [cell.n_states, cell.n_kept, architecture.n_directions],
        _as_lists(weights),
        x,
        packing.batch_sizes,
        as_dict(packing, architecture),
        [],
        [],
        Scratch(weights.V.dtype).memory,
        [0],
    )
    return [trace[2] for trace in traces[-architecture.n_directions :]]


def _as_lists(weights):
    return [[layer.U, layer.W, layer.b] for layer in weights.all_layers()]


def as_dict(packing, architecture, has_masks=False):
    """The tensors of a Packing that are needed, as compiled code takes them."""
    tensors = {
        "last": packing.last,
        "previous": packing.previous,
        "lengths": packing.lengths,
    }
    if has_masks or architecture.pooling == "mean":
        tensors["sequence"] = packing.sequence
    if architecture.bidirectional:
        tensors["flip"] = packing.flip
    return tensors


def forward(
    kind: str,
    counts: list[int],
    layers: list[list[Tensor]],
    x: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    masks: list[Tensor],
    states: list[list[Tensor]],
    memory: Tensor,
    used: list[int],
):
    """Run all layers.

    Parameters
    ----------
    kind : str
        Of the cell.
    counts : list of int
        ``n_states``, ``n_kept``, and the number of directions.
    layers : list of [U, W, b]
        By layer, then direction.
    x, batch_sizes, packing, masks
        As in :func:`loss_and_gradient`.
    states : list of list of Tensor
        For each layer, those before the first step; empty for states of 0.
    memory, used
        As in :func:`skrnn._core.memory.take`.

    Returns
    -------
    traces : list of [x, G, H, ...]
        For each layer and direction its inputs, the rows of the cell, and what the cell
        keeps, of which the hidden states come first. They are G where it keeps nothing.
    """
    n_states, n_kept, n_directions = counts[0], counts[1], counts[2]
    n_rows = x.shape[0]
    traces: list[list[Tensor]] = []
    for k in range(len(layers) // n_directions):
        if k > 0:
            below: list[Tensor] = []
            for i in range(n_directions):
                H = traces[(k - 1) * n_directions + i][2]
                below.append(H if i == 0 else H.index_select(0, packing["flip"]))
            x = take(memory, used, n_rows, n_directions * below[0].shape[1])
            torch.cat(below, 1, out=x)
            if len(masks) > 0:
                x.mul_(masks[k - 1].index_select(0, packing["sequence"]))
        for i in range(n_directions):
            weights = layers[k * n_directions + i]
            n = weights[1].shape[1]
            G = take(memory, used, n_rows, weights[2].shape[0])
            kept: list[Tensor] = []
            for _ in range(n_kept):
                kept.append(take(memory, used, n_rows, n))
            W_T = take(memory, used, n, weights[1].shape[0])
            turned = x if i == 0 else x.index_select(0, packing["flip"])
            recurrence.forward(
                kind,
                n_states,
                turned,
                weights,
                W_T,
                G,
                kept,
                states[k] if len(states) > 0 else [],
                batch_sizes,
            )
            traces.append([turned, G] + (kept if n_kept > 0 else [G]))
    return traces


_forward = compiled(forward)


def backward(
    kind: str,
    counts: list[int],
    layers: list[list[Tensor]],
    dlayers: list[list[Tensor]],
    traces: list[list[Tensor]],
    dlast: list[Tensor],
    dall: list[list[Tensor]],
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    masks: list[Tensor],
    states: list[list[Tensor]],
    memory: Tensor,
    used: list[int],
):
    """Backpropagate through all layers, from the last one down.

    Parameters
    ----------
    kind, counts, layers, batch_sizes, packing, masks, states, memory, used
        As in :func:`forward`.
    dlayers : list of [dU, dW, db]
        Where the gradients are written, by layer, then direction.
    traces : list of [x, G, H, ...]
        What :func:`forward` returned; overwritten.
    dlast : list of Tensors of shape (n_sequences, nhidden)
        For each direction of the last layer, the gradient with respect to the last
        state of each sequence; overwritten.
    dall : list of list of Tensors of shape (n_rows, nhidden)
        The same with respect to all states; no tensor where it is 0. Overwritten.
    """
    n_states, n_kept, n_directions = counts[0], counts[1], counts[2]
    n_rows, n_sequences = traces[0][0].shape[0], batch_sizes[0]
    for j in range(len(layers) - 1, -1, -1):
        k, i = j // n_directions, j % n_directions
        U, W = layers[j][0], layers[j][1]
        n = W.shape[1]
        trace = traces[j]
        dstates = [dlast[i]]
        for _ in range(1, n_states):
            dstates.append(torch.zeros_like(dlast[i]))
        before: list[Tensor] = []
        for _ in range(n_states):
            before.append(take(memory, used, n_rows, n))
        spare: list[Tensor] = []
        if n_kept > 0:
            spare = [take(memory, used, n_rows, n), take(memory, used, n_rows, n)]
        recurrence.backward(
            kind,
            dstates,
            dall[i],
            trace[0],
            dlayers[j],
            W,
            trace[1],
            trace[2:] if n_kept > 0 else [],
            states[k] if len(states) > 0 else [],
            before,
            spare,
            batch_sizes,
            packing["previous"],
        )
        if k == 0:
            continue
        # What this layer and direction read, the directions below side by side.
        dx = take(memory, used, n_rows, U.shape[0])
        torch.mm(trace[1][:, trace[1].shape[1] - U.shape[1] :], U.t(), out=dx)
        if i == 1:
            dall[1] = [dx.index_select(0, packing["flip"])]
            continue
        if n_directions == 2:
            dx.add_(dall[1][0])
        if len(masks) > 0:
            dx.mul_(masks[k - 1].index_select(0, packing["sequence"]))
        parts = dx.chunk(n_directions, 1)
        for below in range(n_directions):
            part = parts[below]
            if below == 1:
                part = part.index_select(0, packing["flip"])
            dall[below] = [part]
            dlast[below] = torch.zeros([n_sequences, part.shape[1]], dtype=part.dtype)


def output_loss_and_gradient(
    loss: str,
    output: list[Tensor],
    doutput: list[Tensor],
    h: Tensor,
    target: Tensor,
    sample_weight: Tensor,
    max_scores: int,
):
    """Summed loss of ``scores = V h + c``; writes the gradient of V and c.

    Some rows at a time, so that memory does not grow with their number times that of
    the outputs, which may be all tokens.

    Returns
    -------
    total : Tensor of shape ()
    dh : Tensor of the shape of h
    """
    V, c = output[0], output[1]
    n_rows = h.shape[0]
    n_at_once = max(1, max_scores // V.shape[0])
    total = torch.zeros([], dtype=h.dtype)
    dh = torch.empty_like(h)
    for start in range(0, n_rows, n_at_once):
        stop = min(start + n_at_once, n_rows)
        part = h[start:stop]
        scores = torch.addmm(c, part, V.t())
        here, dscores = losses.loss_and_gradient(
            loss, scores, target[start:stop], sample_weight[start:stop]
        )
        total += here
        if start == 0:
            torch.mm(dscores.t(), part, out=doutput[0])
            torch.sum(dscores, [0], out=doutput[1])
        else:
            doutput[0].addmm_(dscores.t(), part)
            doutput[1].add_(dscores.sum([0]))
        torch.mm(dscores, V, out=dh[start:stop])
    return total, dh


@compiled
def _loss_and_gradient(
    kind: str,
    counts: list[int],
    pooling_name: str,
    loss: str,
    layers: list[list[Tensor]],
    output: list[Tensor],
    dlayers: list[list[Tensor]],
    doutput: list[Tensor],
    x: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    target: Tensor,
    sample_weight: Tensor,
    masks: list[Tensor],
    states: list[list[Tensor]],
    gathered: list[Tensor],
    memory: Tensor,
    max_scores: int,
):
    n_directions = counts[2]
    used = [0]
    traces = forward(
        kind,
        counts,
        layers,
        x,
        batch_sizes,
        packing,
        masks,
        states,
        memory,
        used,
    )
    pooled: list[Tensor] = []
    kept: list[Tensor] = []
    top = traces[len(traces) - n_directions :]
    for trace in top:
        vector, of_pooling = pooling.pool(
            pooling_name, trace[2], batch_sizes, packing, gathered
        )
        pooled.append(vector)
        kept.append(of_pooling)
    h = pooled[0] if n_directions == 1 else torch.cat(pooled, 1)

    mask: list[Tensor] = []
    if len(masks) * n_directions == len(layers):  # one is for the output layer
        mask = masks[-1:]
        if pooling_name == "none":
            mask = [mask[0].index_select(0, packing["sequence"])]
        h = h * mask[0]
    total, dh = output_loss_and_gradient(
        loss, output, doutput, h, target, sample_weight, max_scores
    )
    for each in mask:
        dh.mul_(each)
    dpooled = dh.chunk(n_directions, 1)

    # The gradients with respect to the last state of each sequence, and to all states.
    dlast: list[Tensor] = []
    dall: list[list[Tensor]] = []
    for i in range(n_directions):
        last, everywhere = pooling.spread(
            pooling_name,
            dpooled[i].contiguous(),
            top[i][2],
            batch_sizes,
            packing,
            kept[i],
            memory,
            used,
        )
        dlast.append(last)
        dall.append(everywhere)
    backward(
        kind,
        counts,
        layers,
        dlayers,
        traces,
        dlast,
        dall,
        batch_sizes,
        packing,
        masks,
        states,
        memory,
        used,
    )
    return total, used[0]
