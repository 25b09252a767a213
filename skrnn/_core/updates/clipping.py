"""From a summed gradient to the mean over a minibatch, with a bounded norm."""

import torch


def scale_to_clipped_mean(gradient, n_sequences, max_norm):
    """Return what turns a sum into the mean, with a norm of at most `max_norm` [1]_.

    Parameters
    ----------
    gradient : Tensor of shape (n_weights,)
        Summed over the sequences.
    n_sequences : float
    max_norm : float or None
        None disables clipping.

    Returns
    -------
    scale : float
        The factor of the gradient.

    References
    ----------
    .. [1] Pascanu, Mikolov and Bengio (2013), "On the difficulty of training
       recurrent neural networks", ICML.
    """
    if max_norm is None:
        return 1.0 / n_sequences
    norm = torch.linalg.vector_norm(gradient).item()
    is_short = norm <= max_norm * n_sequences  # of the mean; not if it is NaN
    return 1.0 / n_sequences if is_short else max_norm / norm
