"""The loss of a batch and its gradient, through all layers.

No autograd: the backward line of each forward line is written by hand. Everything is
one call to compiled code, for which a thread takes Python's global interpreter lock
only once: two threads that take it for every operation spend more time waiting for each
other than computing.
"""

import torch
from torch import Tensor

from skrnn._core import losses, pooling, recurrence
from skrnn._core.compiled import compiled
from skrnn._core.memory import take


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
        The kind of the cell.
    counts : list of int
        ``n_states``, ``n_kept``, the number of directions, and whether to compute the
        gradient with respect to the states before the first step (0 or 1).
    layers : list of [U, W, b]
        By layer, then direction.
    x, batch_sizes, packing, masks
        See :class:`skrnn._core.batch.Batch`.
    states : list of list of Tensor
        By layer, then direction, the states before the first step; empty if all are 0.
    memory, used
        As in :func:`skrnn._core.memory.take`.

    Returns
    -------
    traces : list of [x, G, H, ...]
        For each layer and direction: its inputs, the rows of the cell, and the tensors
        that the cell keeps, hidden states first. If it keeps none, they are G.
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
            kept = [take(memory, used, n_rows, n) for _ in range(n_kept)]
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
                states[k * n_directions + i] if len(states) > 0 else [],
                batch_sizes,
            )
            traces.append([turned, G] + (kept if n_kept > 0 else [G]))
    return traces


@compiled
def forward_alone(
    kind: str,
    counts: list[int],
    layers: list[list[Tensor]],
    x: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    masks: list[Tensor],
    states: list[list[Tensor]],
    memory: Tensor,
):
    """Call :func:`forward` from outside of compiled code, which copies lists.

    Returns
    -------
    traces : list of [x, G, H, ...]
    n_used : int
        Number of entries of `memory` that this batch needs.
    """
    used = [0]
    traces = forward(
        kind, counts, layers, x, batch_sizes, packing, masks, states, memory, used
    )
    return traces, used[0]


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
    dend: list[list[Tensor]],
    memory: Tensor,
    used: list[int],
):
    """Backpropagate through all layers, from the last to the first.

    Parameters
    ----------
    kind, counts, layers, batch_sizes, packing, masks, states, memory, used
        As in :func:`forward`.
    dlayers : list of [dU, dW, db]
        By layer, then direction, the gradients with respect to `layers`. Written.
    traces : list of [x, G, H, ...]
        What :func:`forward` returned. Overwritten.
    dlast : list of Tensors of shape (n_sequences, nhidden)
        For each direction of the last layer, the gradient with respect to the last
        hidden state of each sequence. Overwritten.
    dall : list of list of Tensors of shape (n_rows, nhidden)
        For each direction of the last layer, the gradient with respect to all hidden
        states; no tensor if it is 0. Overwritten.
    dend : list of list of Tensors of shape (n_that_go_on, nhidden)
        By layer, then direction, a gradient with respect to the states after the last
        step of the first, longest sequences, to be added; empty if it is 0.

    Returns
    -------
    dstart : list of list of Tensor
        By layer, then direction, the gradient with respect to the states before the
        first step, if `counts` asks for it; otherwise arbitrary.
    """
    n_states, n_kept, n_directions = counts[0], counts[1], counts[2]
    n_rows, n_sequences = traces[0][0].shape[0], batch_sizes[0]
    dstart: list[list[Tensor]] = []
    for j in range(len(layers) - 1, -1, -1):
        k, i = j // n_directions, j % n_directions
        U, W, trace = layers[j][0], layers[j][1], traces[j]
        n = W.shape[1]
        dstates = outer_gradients(dlast[i], n_states, dend[j : j + 1])
        before = [take(memory, used, n_rows, n) for _ in range(n_states)]
        spare = [take(memory, used, n_rows, n) for _ in range(2 * int(n_kept > 0))]
        recurrence.backward(
            kind,
            dstates,
            dall[i],
            trace[0],
            dlayers[j],
            W,
            trace[1],
            trace[2:] if n_kept > 0 else [],
            states[j] if len(states) > 0 else [],
            before,
            spare,
            batch_sizes,
            packing["previous"],
            counts[3] == 1,
        )
        dstart.append(dstates)
        if k == 0:
            continue
        # The gradient with respect to the inputs: the directions below, side by side.
        dx = take(memory, used, n_rows, U.shape[0])
        torch.mm(trace[1][:, trace[1].shape[1] - U.shape[1] :], U.t(), out=dx)
        if i == 1:
            dall[1] = [dx.index_select(0, packing["flip"])]
            continue
        if n_directions == 2:
            dx.add_(dall[1][0])
        if len(masks) > 0:
            dx.mul_(masks[k - 1].index_select(0, packing["sequence"]))
        hand_down(dx, packing, dlast, dall, n_sequences)
    dstart.reverse()
    return dstart


compiled_backward = compiled(backward)


def states_at(n_states: int, traces: list[list[Tensor]], rows: Tensor):
    """Return copies of the states after some steps.

    Parameters
    ----------
    n_states : int
        See :class:`skrnn._core.cells.Cell`; or 0 for none.
    traces : list of [x, G, H, ...]
        What :func:`forward` returned.
    rows : Tensor of int64
        The packed rows of these steps.

    Returns
    -------
    states : list of list of Tensors of shape (len(rows), nhidden)
        By layer, then direction.
    """
    states: list[list[Tensor]] = []
    for trace in traces:
        states.append([H.index_select(0, rows) for H in trace[2 : 2 + n_states]])
    return states


def outer_gradients(dlast: Tensor, n_states: int, dend: list[list[Tensor]]):
    """Return the gradients with respect to the last states of each sequence.

    They are those from outside of the recurrence of one layer: `dlast` with respect to
    h, and `dend`, if there is one, with respect to all states of the first sequences.
    """
    dstates = [dlast] + [torch.zeros_like(dlast) for _ in range(1, n_states)]
    for of_layer in dend:
        for s in range(n_states):
            dstates[s][: of_layer[s].shape[0]].add_(of_layer[s])
    return dstates


def hand_down(
    dx: Tensor,
    packing: dict[str, Tensor],
    dlast: list[Tensor],
    dall: list[list[Tensor]],
    n_sequences: int,
):
    """Split the gradient of a layer's inputs between the directions below."""
    parts = dx.chunk(len(dlast), 1)
    for below in range(len(dlast)):
        part = parts[below]
        if below == 1:
            part = part.index_select(0, packing["flip"])
        dall[below] = [part]
        dlast[below] = part.new_zeros([n_sequences, part.shape[1]])


def output_loss_and_gradient(
    loss: str,
    output: list[Tensor],
    doutput: list[Tensor],
    h: Tensor,
    target: Tensor,
    sample_weight: Tensor,
    max_scores: int,
):
    """Compute the summed loss of ``scores = V h + c``; write the gradient of V and c.

    Rows are processed in chunks, so that memory does not grow with the number of rows
    times the number of outputs, which may be one per token of the vocabulary.

    Returns
    -------
    total : Tensor of shape ()
    dh : Tensor of the shape of h
    """
    V, c = output[0], output[1]
    n_rows = h.shape[0]
    n_at_once = max(1, max_scores // V.shape[0])
    total = h.new_zeros([])
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
def loss_and_gradient(
    kind: str,
    counts: list[int],
    pooler: str,
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
    dend: list[list[Tensor]],
    memory: Tensor,
    max_scores: int,
):
    """Compute the summed loss of a batch; write its gradient.

    Parameters
    ----------
    kind, counts, layers, x, batch_sizes, packing, masks, states, memory
        As in :func:`forward`; the last mask may be for the output layer. One more count
        is how many of the states after the last step to return: ``n_states`` or 0.
    pooler, loss : str
    output : list of Tensors
        V, c, and the weights of the pooling.
    dlayers, doutput
        The gradients with respect to `layers` and `output`. Written.
    target, sample_weight : Tensors of shape (n_sequences, ...) or (n_rows, ...)
    gathered : list of 2 Tensors
        As in :func:`skrnn._core.pooling.pool`.
    dend : list of list of Tensors
        As in :func:`backward`.
    max_scores : int
        As in :func:`output_loss_and_gradient`.

    Returns
    -------
    total : Tensor of shape ()
    n_used : int
        Number of entries of `memory` that this batch needs.
    dstart : list of list of Tensor
        As in :func:`backward`.
    end : list of list of Tensor
        By layer, then direction, the states after the last step of each sequence, if
        `counts` asks for them.
    """
    n_directions, used = counts[2], [0]
    traces = forward(
        kind, counts, layers, x, batch_sizes, packing, masks, states, memory, used
    )
    end = states_at(counts[4], traces, packing["last"])
    top = [trace[2] for trace in traces[len(traces) - n_directions :]]
    h, kept = pool_all(pooler, top, batch_sizes, packing, gathered, output, len(target))
    mask: list[Tensor] = []
    if len(masks) * n_directions == len(layers):  # the last is for the output
        mask = masks[-1:]
        if pooler == "none":
            mask = [mask[0].index_select(0, packing["sequence"])]
        h = h * mask[0]
    total, dh = output_loss_and_gradient(
        loss, output, doutput, h, target, sample_weight, max_scores
    )
    for each in mask:
        dh.mul_(each)
    dlast, dall = spread_all(
        pooler, dh, top, batch_sizes, packing, kept, output, doutput, memory, used
    )
    of = (kind, counts, layers, dlayers, traces, dlast, dall, batch_sizes, packing)
    dstart = backward(*of, masks, states, dend, memory, used)
    return total, used[0], dstart, end


def pool_all(
    name: str,
    top: list[Tensor],
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    gathered: list[Tensor],
    output: list[Tensor],
    n_vectors: int,
):
    """Pool the hidden states of each direction; see :func:`skrnn._core.pooling.pool`.

    Parameters
    ----------
    top : list of Tensors of shape (n_rows, nhidden)
        The hidden states of the last layer, for each direction.
    output : list of Tensors
        V, c, and the weights of the pooling.
    n_vectors : int
        The number of rows of h: those after the pooled ones, of sequences without
        steps, are 0.

    Returns
    -------
    h : Tensor of shape (n_vectors, n_features_out)
    kept : list of list of Tensors
        What the pooling of each direction keeps.
    """
    pooled: list[Tensor] = []
    kept: list[list[Tensor]] = []
    for H in top:
        weights = [part[len(pooled)] for part in output[2:]]
        vector, of_pooling = pooling.pool(
            name, H, batch_sizes, packing, gathered, weights
        )
        pooled.append(vector)
        kept.append(of_pooling)
    h = pooled[0] if len(top) == 1 else torch.cat(pooled, 1)
    n_without_steps = n_vectors - h.shape[0]
    if n_without_steps > 0:
        h = torch.cat([h, h.new_zeros([n_without_steps, h.shape[1]])])
    return h, kept


def spread_all(
    name: str,
    dh: Tensor,
    top: list[Tensor],
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    kept: list[list[Tensor]],
    output: list[Tensor],
    doutput: list[Tensor],
    memory: Tensor,
    used: list[int],
):
    """Backpropagate through :func:`pool_all`; see :func:`skrnn._core.pooling.spread`.

    Returns
    -------
    dlast, dall
        As in :func:`backward`.
    """
    dlast: list[Tensor] = []
    dall: list[list[Tensor]] = []
    for dweights in doutput[2:]:
        dweights.zero_()
    if name != "none":
        dh = dh[: batch_sizes[0]]  # without those of sequences without steps
    dpooled = dh.chunk(len(top), 1)
    for i in range(len(top)):
        last, everywhere = pooling.spread(
            name,
            dpooled[i].contiguous(),
            top[i],
            batch_sizes,
            packing,
            kept[i],
            [weights[i] for weights in output[2:]],
            [dweights[i] for dweights in doutput[2:]],
            memory,
            used,
        )
        dlast.append(last)
        dall.append(everywhere)
    return dlast, dall
