"""From a summed gradient to the mean over a minibatch, with a bounded norm."""

import torch


def to_clipped_mean(gradient, n_sequences, max_norm):
    """Turn a summed gradient into the mean, with a norm of at most `max_norm` [1]_.

    Parameters
    ----------
    gradient : Tensor of shape (n_weights,)
        Changed in place.
    n_sequences : float
    max_norm : float or None
        None disables clipping.

    References
    ----------
    .. [1] Pascanu, Mikolov and Bengio (2013), "On the difficulty of training
       recurrent neural networks", ICML.
    """
    if max_norm is None:
        gradient.div_(n_sequences)
        return
    # mean * min(1, max_norm / |mean|) = sum * min(1 / n, max_norm / |sum|)
    norm = torch.linalg.vector_norm(gradient)
    gradient.mul_((max_norm / norm).clamp_(max=1.0 / n_sequences))
