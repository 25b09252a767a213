"""One layer in one direction: its inputs, its time loop, and backpropagation.

Rows are in packed order (see :class:`skrnn._core.packing.Packing`): the rows of a step
are one contiguous slice, and the sequences that continue are its first rows.
"""

import torch
from torch import Tensor

from skrnn._core import cells


def token_table(U: Tensor, b: Tensor):
    """Compute ``U x + b`` for each token, of shape (n_inputs, n_blocks * nhidden).

    A one-hot x selects a row of U; b is added once to each row rather than at each
    step. The blocks without ``U x`` come first.
    """
    n_other = b.shape[0] - U.shape[1]
    if n_other == 0:
        return U + b
    table = b.expand(U.shape[0], b.shape[0]).clone()
    table[:, n_other:].add_(U)
    return table


def add_inputs(U: Tensor, b: Tensor, x: Tensor, G: Tensor):
    """Write ``U x + b`` into G.

    Parameters
    ----------
    U : Tensor of shape (n_inputs, n_input_blocks * nhidden)
    b : Tensor of shape (n_blocks * nhidden,)
    x : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
        One token per step; or several, whose vectors are summed; or numeric values.
    G : Tensor of shape (n_rows, n_blocks * nhidden)
    """
    n_other, n_at_once = b.shape[0] - U.shape[1], 2048
    from_input = G[:, n_other:]
    if not x.is_floating_point():
        if x.dim() == 1:
            torch.index_select(token_table(U, b), 0, x, out=G)
            return
        # In small parts: large blocks of memory, among small ones, are not used again.
        for i in range(0, x.shape[0], n_at_once):
            part = x[i : i + n_at_once]
            starts = torch.arange(
                0, part.numel(), x.shape[1], dtype=x.dtype, device=x.device
            )
            sums = torch.embedding_bag(U, part.flatten(), starts)[0]
            torch.add(sums, b[n_other:], out=from_input[i : i + n_at_once])
    elif U.shape[1] == 1:  # with one column, rounding depends on n_rows
        torch.add(b, torch.mm(x, U.expand(-1, 2))[:, :1], out=G)
        return
    else:
        torch.addmm(b[n_other:], x, U, out=from_input)
    G[:, :n_other] = b[:n_other]


def forward(
    kind: str,
    n_states: int,
    x: Tensor,
    weights: list[Tensor],
    W_T: Tensor,
    G: Tensor,
    kept: list[Tensor],
    initial: list[Tensor],
    batch_sizes: list[int],
):
    """Compute the hidden states of all steps.

    Parameters
    ----------
    kind, n_states
        See :class:`skrnn._core.cells.Cell`.
    x : Tensor of shape (n_rows,) or (n_rows, n_tokens), int, or (n_rows, n_inputs)
        Token ids or numeric values, rows in packed order.
    weights : list of [U, W, b]
    W_T : Tensor of shape (nhidden, n_state_blocks * nhidden)
        Memory for the transpose of W. Written.
    G : Tensor of shape (n_rows, n_blocks * nhidden)
        Written.
    kept : list of Tensors of shape (n_rows, nhidden)
        What the cell keeps in addition to G, hidden states first. Written. If it is
        empty, the hidden states are written to G.
    initial : list of Tensors of shape (n_sequences, nhidden)
        The states before the first step; empty if all are 0.
    batch_sizes : list of int, length n_steps, decreasing
        Number of sequences alive at each step.

    Notes
    -----
    Time O(n_rows nhidden^2).
    """
    add_inputs(weights[0], weights[2], x, G)
    # A contiguous transpose: products with it are faster than with a view.
    W_T.copy_(weights[1].t())
    if len(kept) == 0:
        if kind != "tanh" and kind != "relu" and kind != "identity":
            raise ValueError("There is no cell of this kind.")
        _vanilla_forward(kind == "tanh", kind == "relu", W_T, G, initial, batch_sizes)
        return
    # One call per tensor makes all views: a slice in the loop would cost as much as a
    # small product.
    rows = G.split(batch_sizes)
    parts = [tensor.split(batch_sizes) for tensor in kept]
    before = [_rows_that_go_on(state, batch_sizes) for state in kept[:n_states]]
    previous = initial
    for t in range(len(batch_sizes)):
        cells.step(kind, rows[t], [part[t] for part in parts], previous, W_T)
        if t + 1 < len(batch_sizes):
            previous = [part[2 * t] for part in before]


def _vanilla_forward(
    is_tanh: bool,
    is_relu: bool,
    W_T: Tensor,
    G: Tensor,
    initial: list[Tensor],
    batch_sizes: list[int],
):
    """Run the time loop of a vanilla cell.

    A step has so few operations that the overhead of lists and names would show.
    """
    rows = G.split(batch_sizes)
    before = _rows_that_go_on(G, batch_sizes)
    for h in initial:
        cells.add_state(rows[0], h, W_T)
    cells.activate(is_tanh, is_relu, rows[0])
    for t in range(1, len(batch_sizes)):
        cells.add_state(rows[t], before[2 * t - 2], W_T)
        cells.activate(is_tanh, is_relu, rows[t])


def _rows_that_go_on(rows: Tensor, batch_sizes: list[int]):
    """Split each step into the rows of sequences that have a next step, and the others.

    The rows of the last step are not split.
    """
    sizes: list[int] = []
    for t in range(len(batch_sizes) - 1):
        sizes.append(batch_sizes[t + 1])
        sizes.append(batch_sizes[t] - batch_sizes[t + 1])
    sizes.append(batch_sizes[-1])
    return rows.split(sizes)


def backward(
    kind: str,
    dstates: list[Tensor],
    dH: list[Tensor],
    x: Tensor,
    dweights: list[Tensor],
    W: Tensor,
    G: Tensor,
    kept: list[Tensor],
    initial: list[Tensor],
    before: list[Tensor],
    spare: list[Tensor],
    batch_sizes: list[int],
    previous_rows: Tensor,
    wants_start: bool,
):
    """Backpropagate through time [1]_; write the gradient of the weights.

    Parameters
    ----------
    kind : str
    dstates : list of Tensors of shape (n_sequences, nhidden)
        Gradient of the loss with respect to the last states of each sequence, from
        outside the recurrence. Overwritten, by the gradient with respect to the states
        before the first step if `wants_start`.
    dH : list of Tensors of shape (n_rows, nhidden)
        Gradient with respect to the hidden states of all steps, from outside the
        recurrence, to be added; empty if it is 0.
    x, initial, batch_sizes
        As in :func:`forward`.
    dweights : list of [dU, dW, db]
        Written.
    W : Tensor of shape (n_state_blocks * nhidden, nhidden)
    G, kept
        What :func:`forward` wrote. Overwritten: G by the gradient with respect to the
        pre-activations.
    before : list of Tensors of shape (n_rows, nhidden)
        Memory for the states before each row.
    spare : list of 2 Tensors of shape (n_rows, nhidden)
        Memory for gated cells.
    previous_rows : Tensor of shape (n_rows - n_sequences,), int64
        The `previous` of the Packing.
    wants_start : bool
        Whether to compute the gradient with respect to the states before the first
        step.

    References
    ----------
    .. [1] Werbos (1990), "Backpropagation through time: what it does and how to do
       it", Proceedings of the IEEE 78(10), 1550-1560.
    """
    # The states before each row: those before the first step, then the others.
    n_sequences = batch_sizes[0]
    states = kept if len(kept) > 0 else [G]
    for i in range(len(before)):
        if len(initial) > 0:
            before[i][:n_sequences] = initial[i]
        else:
            before[i][:n_sequences].zero_()
        torch.index_select(states[i], 0, previous_rows, out=before[i][n_sequences:])

    cells.start_backward(kind, G, kept, before, spare)
    if len(kept) == 0:
        _vanilla_backward(
            kind == "identity", W, G, dstates[0], dH, batch_sizes, wants_start
        )
    else:
        rows = G.split(batch_sizes)
        needed = [tensor.split(batch_sizes) for tensor in (spare[0], kept[-1])]
        outside = [tensor.split(batch_sizes) for tensor in dH]
        for t in range(len(batch_sizes) - 1, -1, -1):
            # The gradients of the sequences alive, which come first. Those of sequences
            # that end here are still the gradients from outside.
            here = [gradient[: batch_sizes[t]] for gradient in dstates]
            for part in outside:
                here[0].add_(part[t])
            parts = [part[t] for part in needed]
            is_first = t == 0 and not wants_start
            cells.step_backward(kind, rows[t], parts, here, W, is_first)

    first = n_sequences if len(initial) == 0 else 0  # skip initial states of 0
    _weight_gradients(dweights, G, before[0], first, x)


def _weight_gradients(
    dweights: list[Tensor], G: Tensor, h_before: Tensor, first: int, x: Tensor
):
    """Write the gradient of the weights, given the gradient of the pre-activations.

    Parameters
    ----------
    dweights : list of [dU, dW, db]
        Written.
    G : Tensor of shape (n_rows, n_blocks * nhidden)
        The gradient with respect to the pre-activations.
    h_before : Tensor of shape (n_rows, nhidden)
        The hidden state before each row.
    first : int
        The first row to use: in the rows before it, `h_before` is 0.
    x : Tensor
        As in :func:`forward`.
    """
    dU, dW, db = dweights[0], dweights[1], dweights[2]
    if dW.shape[0] > 0:
        from_state = G[first:, : dW.shape[0]]
        torch.mm(from_state.t(), h_before[first:], out=dW)
    n_other = db.shape[0] - dU.shape[1]
    from_input = G[:, n_other:]
    if not x.is_floating_point():
        dU.zero_()
        # With 32-bit indices, index_add_ would take three times as long.
        columns = (x.unsqueeze(1) if x.dim() == 1 else x).t().long().contiguous()
        # With rows that are not contiguous, it would take seven times as long.
        source = from_input.contiguous()
        for i in range(columns.shape[0]):
            dU.index_add_(0, columns[i], source)
        # With one token per step, dU has the same sum, and often fewer rows.
        total = dU if columns.shape[0] == 1 else from_input
        torch.sum(total, [0], out=db[n_other:])
        if n_other > 0:
            torch.sum(G[:, :n_other], [0], out=db[:n_other])
    else:
        torch.mm(x.t(), from_input, out=dU)
        torch.sum(G, [0], out=db)


def _vanilla_backward(
    is_identity: bool,
    W: Tensor,
    G: Tensor,
    gradient: Tensor,
    dH: list[Tensor],
    batch_sizes: list[int],
    wants_start: bool,
):
    """Run the time loop of :func:`_vanilla_forward` backward."""
    rows = G.split(batch_sizes)
    outside = [tensor.split(batch_sizes) for tensor in dH]
    for t in range(len(batch_sizes) - 1, -1, -1):
        dh = gradient[: batch_sizes[t]]
        for part in outside:
            dh.add_(part[t])
        if is_identity:
            rows[t].copy_(dh)
        else:
            rows[t].mul_(dh)
        if t > 0 or wants_start:
            if W.shape[0] > 0:
                torch.mm(rows[t], W, out=dh)
            else:
                dh.copy_(rows[t])
