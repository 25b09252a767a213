"""From the hidden states of all steps to one vector a sequence, and back.

"last" is the state of the last step; "mean" is the mean over all steps; "max" is the
largest value of each unit over all steps, whose gradient goes to the first step that
has it; "concat" is "last" and "max", one after the other [1]_, and "sum" their sum.
"none", for training that predicts something at each step, leaves all states as they
are.

Each pooling takes part in two loops: over packed rows, whose gradient is wanted
(:func:`pool` and :func:`spread`, which are compiled), and over levels of steps, where a
prediction keeps no states but the last (:func:`gather` and :func:`finish`).

References
----------
.. [1] Howard and Ruder (2018), "Universal Language Model Fine-tuning for Text
   Classification", ACL, section 3.3.
"""

import torch
from torch import Tensor

from skrnn._core.memory import take


def width(name, nhidden):
    """Length of the pooled vector."""
    return 2 * nhidden if name == "concat" else nhidden


def gathered_width(name, nhidden):
    """Length of what :func:`gather` keeps."""
    return 2 * nhidden if name in ("concat", "sum") else nhidden


def pool(
    name: str,
    H: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    gathered: list[Tensor],
):
    """Pool packed rows.

    Parameters
    ----------
    name : {"last", "mean", "max", "concat", "sum", "none"}
    H : Tensor of shape (n_rows, nhidden)
    batch_sizes : list of int
    packing : dict
        "last" and, for the mean, "sequence" and "lengths" of a Packing.
    gathered : list of 2 Tensors
        What :func:`gather` had gathered of steps before these rows, and how many steps
        those were; empty if there were none.

    Returns
    -------
    h : Tensor of shape (n_sequences, width); of shape (n_rows, nhidden) for "none"
    kept : Tensor
        What :func:`spread` needs.
    """
    if name == "mean":
        lengths = packing["lengths"]
        if len(gathered) > 0:
            total = gathered[0].clone()
            lengths = lengths + gathered[1]
        else:
            total = torch.zeros([batch_sizes[0], H.shape[1]], dtype=H.dtype)
        total.index_add_(0, packing["sequence"], H)
        shares = (1.0 / lengths.to(H.dtype)).unsqueeze(1)
        return total.mul_(shares), shares
    if name == "none":
        return H, packing["last"]
    last = H.index_select(0, packing["last"])
    if name == "last":
        return last, packing["last"]
    if name != "max" and len(gathered) > 0:
        gathered = [gathered[0][:, H.shape[1] :]]
    best = _largest(H, batch_sizes, gathered)
    if name == "concat":
        return torch.cat([last, best], 1), best
    return best if name == "max" else last + best, best


def _largest(H: Tensor, batch_sizes: list[int], gathered: list[Tensor]):
    """The largest value of each unit over all steps of a sequence."""
    rows = H.split(batch_sizes)
    best = torch.maximum(rows[0], gathered[0]) if len(gathered) > 0 else rows[0].clone()
    for t in range(1, len(batch_sizes)):
        so_far = best[: batch_sizes[t]]
        torch.maximum(so_far, rows[t], out=so_far)
    return best


def spread(
    name: str,
    dh: Tensor,
    H: Tensor,
    batch_sizes: list[int],
    packing: dict[str, Tensor],
    kept: Tensor,
    memory: Tensor,
    used: list[int],
):
    """The gradient with respect to the states.

    Parameters
    ----------
    name : {"last", "mean", "max", "concat", "sum", "none"}
    dh : Tensor of shape (n_sequences, width)
        With respect to what was pooled; for "none" of shape (n_rows, nhidden).
    H, batch_sizes, packing, kept
        As in :func:`pool`.
    memory, used
        As in :func:`skrnn._core.memory.take`.

    Returns
    -------
    dh_last : Tensor of shape (n_sequences, nhidden)
        With respect to the last state of each sequence.
    dH : list of Tensors of shape (n_rows, nhidden)
        With respect to all states, to be added; empty for 0.
    """
    dH: list[Tensor] = []
    if name == "last":
        return dh, dH
    if name == "none":
        dH.append(dh)
        return torch.zeros([batch_sizes[0], dh.shape[1]], dtype=dh.dtype), dH
    dh_last = dh if name == "sum" else torch.zeros_like(dh)
    if name == "concat":
        dh_last, dh = dh.tensor_split(2, 1)
        dh_last = dh_last.contiguous()
    everywhere = take(memory, used, H.shape[0], dh.shape[1])
    if name == "mean":
        torch.index_select(dh * kept, 0, packing["sequence"], out=everywhere)
    else:
        _spread_largest(dh.clone(), H, batch_sizes, kept, everywhere)
    dH.append(everywhere)
    return dh_last, dH


def _spread_largest(
    left: Tensor, H: Tensor, batch_sizes: list[int], best: Tensor, dH: Tensor
):
    """Write the gradient of :func:`_largest`: `left` goes to who has the value first.

    Where a step that is no longer there has a larger one, nobody gets it.
    """
    rows, drows = H.split(batch_sizes), dH.split(batch_sizes)
    for t in range(len(batch_sizes)):
        here, still_left = drows[t], left[: batch_sizes[t]]
        torch.eq(rows[t], best[: batch_sizes[t]], out=here)
        here.mul_(still_left)
        still_left.sub_(here)


def looks_back(name):
    """Whether the steps before the last matter."""
    return name != "last"


def gather(name, before, h):
    """Gather a step: `before` is what this returned for the step before, or None.

    Parameters
    ----------
    name : {"last", "mean", "max", "concat", "sum"}
    before : Tensor of shape (n_sequences, gathered_width) or None
    h : Tensor of shape (n_sequences, nhidden)

    Returns
    -------
    gathered : Tensor of shape (n_sequences, gathered_width)
    """
    if name == "last":
        return h
    if name in ("concat", "sum"):
        largest = None if before is None else before[:, h.shape[1] :]
        return torch.cat([h, gather("max", largest, h)], 1)
    if before is None:
        return h.clone()
    return before + h if name == "mean" else torch.maximum(before, h)


def nothing(name, n_sequences, like):
    """What is gathered before the first step.

    Parameters
    ----------
    name : {"last", "mean", "max", "concat", "sum"}
    n_sequences : int
    like : Tensor of shape (..., nhidden)
    """
    zeros = like.new_zeros((n_sequences, like.shape[-1]))
    if name in ("concat", "sum"):
        return torch.cat([zeros, nothing("max", n_sequences, like)], 1)
    return zeros.fill_(-torch.inf) if name == "max" else zeros


def finish(name, gathered, lengths):
    """From what was gathered to the pooled vector.

    Parameters
    ----------
    name : {"last", "mean", "max", "concat", "sum"}
    gathered : Tensor of shape (n_sequences, gathered_width)
    lengths : Tensor of shape (n_sequences,)
    """
    if name == "sum":
        last, largest = gathered.chunk(2, 1)
        return last + largest
    if name != "mean":
        return gathered
    return gathered / lengths.to(gathered.dtype).unsqueeze(1)
