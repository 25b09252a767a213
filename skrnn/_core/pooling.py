"""From the hidden states of all steps to one vector a sequence, and back.

Each pooling takes part in two loops: over packed rows, whose gradient is wanted, and
over levels of steps, where a prediction keeps no states but the last.
"""

import torch


class Last:
    """The hidden state of the last step."""

    looks_back = False  # whether the steps before the last matter

    def pool(self, H, packing, initial=None):
        """Pool packed rows.

        Parameters
        ----------
        H : Tensor of shape (n_rows, nhidden)
        packing : Packing
        initial : tuple of Tensor and ndarray, default=None
            What :meth:`add` had gathered of steps before these rows, and how many
            steps those were; None if there were none.

        Returns
        -------
        h : Tensor of shape (n_sequences, nhidden)
        chosen : object
            What :meth:`spread` needs.
        """
        return H.index_select(0, packing.last), None

    def spread(self, dh, packing, chosen, new):
        """The gradient with respect to the states.

        Parameters
        ----------
        dh : Tensor of shape (n_sequences, nhidden)
            With respect to what was pooled.
        packing, chosen
            As in :meth:`pool`.
        new : callable
            ``new(n_columns)`` gives memory of n_rows rows.

        Returns
        -------
        dh_last : Tensor of shape (n_sequences, nhidden)
            With respect to the last state of each sequence.
        dH : Tensor of shape (n_rows, nhidden) or None
            With respect to all states, to be added; None for 0.
        """
        return dh, None

    def add(self, before, h):
        """Gather a step: `before` is what this returned for the step before, or None.

        Parameters
        ----------
        before, h : Tensors of shape (n_sequences, nhidden)

        Returns
        -------
        gathered : Tensor of shape (n_sequences, nhidden)
        """
        return h

    def finish(self, gathered, lengths):
        """From what was gathered to the pooled vector.

        Parameters
        ----------
        gathered : Tensor of shape (n_sequences, nhidden)
        lengths : Tensor of shape (n_sequences,)
        """
        return gathered


class Mean:
    """The mean of the hidden states of all steps."""

    looks_back = True

    def pool(self, H, packing, initial=None):
        """See :meth:`Last.pool`."""
        n_sequences = packing.batch_sizes[0]
        lengths = packing.lengths
        if initial is None:
            total = H.new_zeros((n_sequences, H.shape[1]))
        else:
            total, before = initial[0].clone(), initial[1]
            lengths = lengths + before
        total.index_add_(0, packing.sequence, H)
        shares = (1.0 / lengths.to(H.dtype)).unsqueeze(1)
        return total.mul_(shares), shares

    def spread(self, dh, packing, chosen, new):
        """See :meth:`Last.spread`."""
        dH = new(dh.shape[1])
        torch.index_select(dh * chosen, 0, packing.sequence, out=dH)
        return torch.zeros_like(dh), dH

    def add(self, before, h):
        """See :meth:`Last.add`."""
        return h.clone() if before is None else before + h

    def finish(self, gathered, lengths):
        """See :meth:`Last.finish`."""
        return gathered / lengths.to(gathered.dtype).unsqueeze(1)


class Max:
    """The largest value of each unit over all steps.

    Its gradient goes to the first step that has that value.
    """

    looks_back = True

    def pool(self, H, packing, initial=None):
        """See :meth:`Last.pool`."""
        first, *later = H.split(packing.batch_sizes)
        n_sequences = len(first)
        rows = torch.arange(n_sequences).unsqueeze(1).expand_as(first).clone()
        best = first.clone()
        if initial is not None:  # -1 for steps that are no longer there
            is_before = initial[0] >= best
            best = torch.maximum(best, initial[0])
            rows.masked_fill_(is_before, -1)
        start = n_sequences
        for h in later:
            n = len(h)
            is_better = h > best[:n]
            torch.maximum(best[:n], h, out=best[:n])
            here = torch.arange(start, start + n).unsqueeze(1)
            rows[:n] = torch.where(is_better, here, rows[:n])
            start += n
        return best, rows

    def spread(self, dh, packing, chosen, new):
        """See :meth:`Last.spread`."""
        dH = new(dh.shape[1]).zero_()
        is_there = chosen >= 0
        dH.scatter_add_(0, chosen.clamp(min=0), dh * is_there)
        return torch.zeros_like(dh), dH

    def add(self, before, h):
        """See :meth:`Last.add`."""
        return h.clone() if before is None else torch.maximum(before, h)

    def finish(self, gathered, lengths):
        """See :meth:`Last.finish`."""
        return gathered


POOLINGS = {"last": Last(), "mean": Mean(), "max": Max()}
