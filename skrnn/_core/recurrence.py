"""The time loop of a recurrent layer over packed rows, and its backward pass.

Both directions work in place on rows in packed order (see
:class:`skrnn._core.packing.Packing`): the rows alive at a step are one contiguous
slice, and the sequences that go on are its first rows.
"""

from itertools import pairwise

import torch


def forward(A, batch_sizes, W_T, activation):
    """Hidden states of every step.

        h_0 = 0,    h_t = activation(a_t + W h_{t-1}),    a_t = U x_t + b

    Parameters
    ----------
    A : Tensor of shape (n_rows, nhidden)
        What each step adds, ``U x_t + b``, rows in packed order. Overwritten.
    batch_sizes : list of int, length n_steps, decreasing
        Sequences alive at each step.
    W_T : Tensor of shape (nhidden, nhidden)
        The transpose of W.
    activation : {"tanh", "relu"}

    Returns
    -------
    H : Tensor of shape (n_rows, nhidden)
        The memory of `A`.

    Notes
    -----
    Time O(n_rows nhidden^2), two operations a step. Memory O(1) beyond `A`.
    """
    activate = _ACTIVATIONS[activation][0]
    steps = A.split(batch_sizes)  # views, one for each step
    go_on = _rows_that_go_on(A, batch_sizes)
    activate(steps[0])
    for a, h in zip(steps[1:], go_on, strict=True):
        activate(a.addmm_(h, W_T))
    return A


def backward(dH, H, batch_sizes, W, activation):
    """Gradients with respect to the pre-activations: backpropagation through time.

    Parameters
    ----------
    dH : Tensor of shape (n_rows, nhidden)
        Gradient of the loss with respect to each hidden state, from outside the
        recurrence. Overwritten.
    H : Tensor of shape (n_rows, nhidden)
        What :func:`forward` returned. Overwritten.
    batch_sizes : list of int, length n_steps, decreasing
    W : Tensor of shape (nhidden, nhidden)
    activation : {"tanh", "relu"}

    Returns
    -------
    dA : Tensor of shape (n_rows, nhidden)
        The memory of `dH`.

    References
    ----------
    .. [1] Werbos (1990), "Backpropagation through time: what it does and how to do
       it", Proceedings of the IEEE 78(10), 1550-1560.
    """
    D = _ACTIVATIONS[activation][1](H)  # dh/da of every row
    gradients = dH.split(batch_sizes)
    derivatives = D.split(batch_sizes)
    go_on = _rows_that_go_on(dH, batch_sizes)
    da = gradients[-1].mul_(derivatives[-1])
    for t in range(len(batch_sizes) - 2, -1, -1):
        # a_{t+1} = U x_{t+1} + b + W h_t
        go_on[t].addmm_(da, W)
        # h_t = activation(a_t)
        da = gradients[t].mul_(derivatives[t])
    return dH


def _rows_that_go_on(rows, batch_sizes):
    """Of each step but the last, the rows of the sequences that have a next step.

    They are views, made in one call: a slice in the time loop costs as much as a small
    product.
    """
    sizes = []
    for n_now, n_next in pairwise(batch_sizes):
        sizes += [n_next, n_now - n_next]
    return rows.split([*sizes, batch_sizes[-1]])[:-1:2]


def _tanh_derivative(H):
    """1 - h^2, in place."""
    return H.mul_(H).neg_().add_(1.0)


def _relu_derivative(H):
    """1 where h > 0, else 0, in place."""
    return H.sign_()  # h is never negative


_ACTIVATIONS = {
    "tanh": (torch.tanh_, _tanh_derivative),
    "relu": (torch.relu_, _relu_derivative),
}
