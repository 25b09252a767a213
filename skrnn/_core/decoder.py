"""A decoder, which writes a sequence while it looks back at one that was read.

    h_0 = tanh(B e + b)                      e: the last states of the encoder
    h_t = cell(h_{t-1}, y_{t-1})             the first layer
    context_t = attention(Q h_t, the states of the encoder at all steps)
    g_t = cell(g_{t-1}, [h_t, context_t])    layers above the first, if any
    scores_t = V [g_t, context_t] + c

Since no state depends on the context of its own layer, a layer is trained on all steps
at once, as in other networks [1]_.

References
----------
.. [1] Wu et al. (2016), "Google's Neural Machine Translation System", arXiv:1609.08144,
   section 3.3, where the context of the first layer is read by those above it.
"""

from dataclasses import replace

import numpy as np

from skrnn._core import network, output
from skrnn._core.execution import CPU
from skrnn._core.imports import kernel_imports
from skrnn._core.memory import Scratch
from skrnn._core.vocabulary import END


class DecoderPass:
    """The decoder on its way through the answers of a batch, forward and back.

    Parameters
    ----------
    weights : Weights
    packing : Packing
        That of the sequences that the encoder has read, all of which have steps.
    answer : Answer
    scratch : Scratch
    masks : list of ndarrays of shape (n_sequences, width), default=()
        The factors of the inputs of the layers above the first, and of those of the
        output layer, in the order of `packing`.

    Attributes
    ----------
    A : ndarray of shape (n_weights,)
        The weights of attention of the sequences in the order of the packing of the
        answer, which is that of `spans`; empty without attention.
    spans : tuple of ndarrays
        See :mod:`skrnn._core.attention`.
    """

    def __init__(self, weights, packing, answer, scratch, masks=()):
        with kernel_imports():
            from skrnn._core import attention, recurrence
            from skrnn._core.gradient import Pass
            from skrnn._core.products import multiply

        self._attention, self._multiply = attention, multiply
        self._scale_rows = recurrence.scale_rows
        self._weights, self._answer, self._scratch = weights, answer, scratch
        order = answer.packing.indices
        self._masks = [mask[order] for mask in masks]
        ends = np.cumsum(packing.lengths)
        self._ends = ends - packing.lengths, ends - 1  # the first and the last row
        self._rows = answer.packing.by_sequence
        offsets = np.append(0, np.cumsum(answer.packing.lengths))
        starts, lengths = self._ends[0][order], packing.lengths[order]
        self.spans, n = attention.spans_of(offsets, starts, lengths)
        self.A = np.empty(n if weights.architecture.attention else 0, scratch.dtype)
        self._sizes = answer.packing.batch_sizes
        self._make_pass = Pass

    def forward(self, H):
        """Compute what the output layer reads at each step.

        Parameters
        ----------
        H : ndarray of shape (n_states, n_encoded)
            The states of the encoder, one sequence after the other, in the order of its
            packing.

        Returns
        -------
        h : ndarray of shape (n_rows, n_features_out)
            Rows in packed order.
        """
        weights, packing = self._weights, self._answer.packing
        architecture = weights.architecture
        layers = [layer.as_arrays() for layer in weights.of_decoder]
        self._H, self._e = H, end_states(H, *self._ends, architecture.nhidden[-1])
        self._h0 = bridge(weights, self._e)
        start = [(self._h0[packing.indices],)]
        if architecture.make_cell().n_states > 1:
            start = [(*start[0], np.zeros_like(start[0][0]))]
        first = architecture.of_decoder(0, 1)
        self._first = self._make_pass(
            first, layers[:1], packing, self._scratch, start=start
        )
        self._first.forward(self._answer.before)
        (h,) = self._first.top
        self._context = self._attended(h)
        self._others = None
        if len(layers) > 1:
            others = architecture.of_decoder(1)
            self._others = self._make_pass(
                others, layers[1:], packing, self._scratch, self._masks[1:-1]
            )
            self._others.forward(self._beside(h, self._mask(0)))
            (h,) = self._others.top
        return self._beside(h, self._mask(-1))

    def _mask(self, i):
        return self._masks[i] if self._masks else None

    def _beside(self, h, mask):
        """States and contexts side by side, times the factors of their sequence."""
        context, n = self._context, h.shape[1]
        both = self._scratch.take(len(h), n + context.shape[1])
        both[:, :n], both[:, n:] = h, context
        return self._scaled(both, mask)

    def _scaled(self, x, mask):
        if mask is not None:
            self._scale_rows(x, mask, self._sizes)
        return x

    def _attended(self, h):
        """The context at each step, rows in packed order."""
        take, architecture = self._scratch.take, self._weights.architecture
        context = take(len(h), architecture.n_context)
        if architecture.attention is None:
            return context
        query = self._weights.others["query"].numpy()
        self._h = h[self._rows]
        Q, C = take(len(h), len(query)), take(*context.shape)
        self._multiply(self._h, np.ascontiguousarray(query.T), Q, False)
        _, starts, lengths, _ = self.spans
        K, K_T, H, v = keys(self._weights, self._H, starts, lengths)
        self._attention.forward(Q, K, K_T, H, v, self.spans, self.A, C)
        self._read = Q, K, H, v
        context[self._rows] = C
        return context

    def backward(self, dh, gradient):
        """Backpropagate; this overwrites what `forward` has computed.

        Parameters
        ----------
        dh : ndarray of shape (n_rows, n_features_out)
            Overwritten.
        gradient : Weights
            The gradient with respect to the weights of the decoder is written to it.

        Returns
        -------
        dH : ndarray of shape (n_states, n_encoded)
        """
        decoder = self._weights.architecture.decoder
        dlayers = [layer.as_arrays() for layer in gradient.of_decoder]
        self._scaled(dh, self._mask(-1))
        dh, dcontext = self._apart(dh, decoder[-1])
        if self._others is not None:
            dlast = [np.zeros((self._sizes[0], decoder[-1]), dh.dtype)]
            self._others.backward(dlast, [dh], dlayers[1:], wants_input=True)
            dx = self._scaled(self._others.dx, self._mask(0))
            dh, added = self._apart(dx, decoder[0])
            dcontext += added
        dH = np.zeros_like(self._H)
        if self._weights.architecture.attention:
            self._unattend(dcontext, dh, dH, gradient)
        dlast = [np.zeros((self._sizes[0], decoder[0]), dh.dtype)]
        (dstart,) = self._first.backward(dlast, [dh], dlayers[:1], wants_start=True)
        dh0 = np.empty_like(dstart[0])
        dh0[self._answer.packing.indices] = dstart[0]
        self._unbridge(dh0, dH, gradient)
        return dH

    @staticmethod
    def _apart(dx, n):
        """The gradients of states and of contexts, from that of both side by side."""
        return np.ascontiguousarray(dx[:, :n]), dx[:, n:].copy()

    def _unattend(self, dcontext, dh, dH, gradient):
        """Add the gradients of attention to those of states."""
        weights = {name: w.numpy() for name, w in self._weights.others.items()}
        written = {name: w.numpy() for name, w in gradient.others.items()}
        Q, K, H, v = self._read
        dQ, dK, dv = np.zeros_like(Q), dH, np.zeros_like(v)
        if K is not H:
            dK = np.zeros_like(K)
        gradients = dQ, dK, dH, dv
        self._attention.backward(
            self._read, self.spans, self.A, dcontext[self._rows], gradients
        )
        self._multiply(dQ.T, self._h, written["query"], False)
        through = np.empty_like(self._h)
        self._multiply(dQ, weights["query"], through, False)
        dh[self._rows] += through
        if K is not H:
            written["energy"][:] = dv
            self._multiply(dK.T, H, written["key"], False)
            self._multiply(dK, weights["key"], dH, True)

    def _unbridge(self, dh0, dH, gradient):
        """Add the gradient of the first states to that of the states of the encoder."""
        # h_0 = tanh(B e + b)
        dh0 *= 1 - self._h0**2
        gradient.others["bridge_bias"].numpy()[:] = dh0.sum(axis=0)
        dB = gradient.others["bridge"].numpy()
        self._multiply(dh0.T, self._e, dB, False)
        de = np.empty_like(self._e)
        self._multiply(dh0, self._weights.others["bridge"].numpy(), de, False)
        n, (firsts, lasts) = self._weights.architecture.nhidden[-1], self._ends
        dH[lasts, :n] += de[:, :n]
        dH[firsts, n:] += de[:, n:]


def end_states(H, firsts, lasts, n):
    """The last state of each direction, given the first and the last rows of sequences.

    The second direction, if there is one, has read the first step last.

    Parameters
    ----------
    H : ndarray of shape (n_states, n_encoded)
    firsts, lasts : ndarrays of shape (n_sequences,)
    n : int
        Number of units of a direction.
    """
    return np.concatenate([H[lasts, :n], H[firsts, n:]], axis=1)


def keys(weights, H, starts, lengths):
    """What attention compares with queries, what it reads, and the vector v.

    Parameters
    ----------
    weights : Weights
    H : ndarray of shape (n_states, n_encoded)
    starts, lengths : ndarrays of shape (n_sequences,)
        The rows of each sequence.

    Returns
    -------
    K, K_T, H, v : ndarrays
        See :mod:`skrnn._core.attention`.
    """
    with kernel_imports():
        from skrnn._core.attention import transpose_keys
        from skrnn._core.products import multiply

    nothing = np.empty(0, H.dtype)
    if weights.architecture.attention == "dot":
        K_T = np.empty(H.size, H.dtype)
        transpose_keys(H, starts, lengths, K_T)
        return H, K_T, H, nothing
    key, K = weights.others["key"].numpy(), np.empty_like(H)
    multiply(H, np.ascontiguousarray(key.T), K, False)
    return K, nothing, H, weights.others["energy"].numpy()


def bridge(weights, e):
    """The first states of a decoder, given the last ones of its encoder.

    Parameters
    ----------
    weights : Weights
    e : ndarray of shape (n_sequences, n_encoded)

    Returns
    -------
    h_0 : ndarray of shape (n_sequences, n_units)
    """
    with kernel_imports():
        from skrnn._core.products import multiply

    B, b = (weights.others[name].numpy() for name in ("bridge", "bridge_bias"))
    h = np.empty((len(e), len(b)), e.dtype)
    h[:] = b
    multiply(e, np.ascontiguousarray(B.T), h, True)
    return np.tanh(h)


def loss_and_gradient(weights, batch, loss, workspace):
    """Compute the summed loss of a batch; write its gradient to ``workspace.gradient``.

    Parameters
    ----------
    weights : Weights
        Those of a network with a decoder.
    batch : Batch
        All its sequences have steps, and its target is an Answer.
    loss : {"smoothed_cross_entropy"}
    workspace : Workspace

    Returns
    -------
    total : float
    """
    trace = network.forward(weights, batch, workspace)
    packing, answer, scratch = batch.packing, batch.target, workspace.scratch
    masks = [mask.numpy() for mask in batch.masks[len(weights.layers) - 1 :]]
    H = states_by_sequence(trace.passed.top, packing)
    mask = np.repeat(masks[0], packing.lengths, axis=0) if masks else None
    if masks:
        H *= mask
    if answer.is_free is not None:
        answer = _with_its_own(weights, packing, answer, H, masks[1:])
    passed = DecoderPass(weights, packing, answer, scratch, masks[1:])
    h = passed.forward(H)
    total, dh = output.loss_and_gradient(
        loss,
        (weights.V.numpy(), weights.c.numpy()),
        (workspace.gradient.V.numpy(), workspace.gradient.c.numpy()),
        h,
        answer.target,
        batch.weight.numpy()[answer.packing.indices[answer.packing.sequences]],
        scratch,
    )
    dH = passed.backward(dh, workspace.gradient)
    if masks:
        dH *= mask
    backward_by_sequence(weights, batch, trace, dH)
    return total


def _with_its_own(weights, packing, answer, H, masks):
    """The answer, where tokens before others are those that the decoder would write.

    The end is never read, since it stands for the start.
    """
    scratch = Scratch(H.dtype)
    h = DecoderPass(weights, packing, answer, scratch, masks).forward(H)
    V, c = weights.V.numpy(), weights.c.numpy()
    own = np.empty(len(h), np.int32)
    n_at_once = max(1, output.MAX_SCORES // len(c))
    for first in range(0, len(h), n_at_once):
        some = slice(first, first + n_at_once)
        own[some] = output.output_scores(V, c, h[some]).argmax(axis=1)
    own = own[answer.previous]
    is_free = answer.is_free & (own != END)
    is_free[: answer.packing.batch_sizes[0]] = False  # which have nothing before them
    before = np.where(is_free, own, answer.before)
    return replace(answer, before=before, is_free=None)


def states_by_sequence(top, packing):
    """The states of both directions side by side, one sequence after the other.

    Parameters
    ----------
    top : list of ndarrays of shape (n_rows, nhidden)
        For each direction, rows in packed order; the second is packed in reverse.
    packing : Packing
    """
    rows = packing.by_sequence
    parts = [top[0][rows], *(part[packing.flip][rows] for part in top[1:])]
    return np.concatenate(parts, axis=1)


def backward_by_sequence(weights, batch, trace, dH):
    """Backpropagate a gradient with respect to :func:`states_by_sequence`.

    Parameters
    ----------
    weights, batch, trace
        As in :func:`skrnn._core.network.backward`.
    dH : ndarray of shape (n_rows, n_encoded)
    """
    packing, n = batch.packing, weights.architecture.nhidden[-1]
    packed = np.empty_like(dH)
    packed[packing.by_sequence] = dH
    dH = [CPU.tensor(np.ascontiguousarray(packed[:, :n]))]
    if packed.shape[1] > n:
        dH.append(CPU.tensor(packed[:, n:][packing.flip]))
    network.backward(weights, batch, trace, dH)
