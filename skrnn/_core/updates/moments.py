"""What an update rule remembers of past gradients, to continue training later."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moments:
    """What an update rule remembers of past gradients.

    Attributes
    ----------
    names : tuple of str
        The rule's names for its moving averages.
    flat : tuple of Tensors of shape (n_weights,)
        These averages, in the order of the flat weights.
    n_steps : int
        Number of updates that these averages result from.
    of_vectors : tuple of Tensors of shape (n_tokens, n_dimensions), default=()
        The averages of the embeddings, if there are any and they are trained.
    of_wide : tuple of Tensors of shape (n_grams, n_outputs), default=()
        The sums of squares of the gradients of the wide path, if there is one.
    """

    names: tuple
    flat: tuple
    n_steps: int
    of_vectors: tuple = ()
    of_wide: tuple = ()
